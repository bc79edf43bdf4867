/* The server's binlog as a stream of packets. */
#include "mysql/dump.h"

#include <fcntl.h>
#include <string.h>

#include <mariadb/errmsg.h>

#include "my_int.h"

/* https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_binlog_dump_gtid.html
 * MariaDB's library has no name for it. */
#define COM_BINLOG_DUMP_GTID ((enum enum_server_command)30)
#define BEGIN_POS            4 /* of every file, behind its magic number */
#define DUMP_GTID_HEAD       22

/* Flags of both. */
enum {
    NON_BLOCK = 1, /* do not wait at the end for what follows */
    THROUGH_GTID = 4,
};

/* The library exports it without a declaration. */
unsigned long mysql_net_read_packet(MYSQL *c);

static unsigned char *
put_le(unsigned char *to, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *to++ = (unsigned char)(v >> (8 * i));
    return to;
}

static enum err
failed(struct my *my, const char *what)
{
    unsigned code = mysql_errno(my->c);

    /* the library calls it lost, too; a connection that is has error 2 */
    if (code == CR_SERVER_LOST && my->c->net.error == 1)
        return my_fail(my, CR_NET_PACKET_TOO_LARGE, "beyond packet_max",
                       "binlog dump", 0);
    return my_fail(my, code != 0 ? code : CR_SERVER_LOST,
                   code != 0 ? mysql_error(my->c) : what, "binlog dump", 0);
}

/* The answer is the stream itself, so it is not waited for. */
static enum err
send_command(struct my *my, enum enum_server_command command,
             const unsigned char *p, size_t n)
{
    if (my->c->methods->db_command(my->c, command, (const char *)p, n, 1,
                                   NULL) != 0)
        return failed(my, "not sent");
    return ERR_OK;
}

static enum err
send_dump(struct my *my, uint32_t server_id, unsigned flags)
{
    unsigned char head[10], *p = head;

    p = put_le(p, BEGIN_POS, 4);
    p = put_le(p, flags, 2);
    p = put_le(p, server_id, 4);
    return send_command(my, COM_BINLOG_DUMP, head, (size_t)(p - head));
}

static enum err
send_dump_gtid(struct my *my, uint32_t server_id, unsigned flags,
               const void *gtids, size_t n)
{
    unsigned char *all = arena_alloc(my->scratch, DUMP_GTID_HEAD + n), *p = all;
    enum err e;

    if (all == NULL)
        return my_fail_own(my, ERR_NOMEM, "no memory", "binlog dump",
                           MY_UNSENT);
    p = put_le(p, flags | THROUGH_GTID, 2);
    p = put_le(p, server_id, 4);
    p = put_le(p, 0, 4); /* no name of a file */
    p = put_le(p, BEGIN_POS, 8);
    p = put_le(p, n, 4);
    memcpy(p, gtids, n);
    e = send_command(my, COM_BINLOG_DUMP_GTID, all, DUMP_GTID_HEAD + n);
    arena_reset(my->scratch);
    return e;
}

enum err
my_dump(struct my *my, uint32_t server_id, bool once, const void *gtids,
        size_t n)
{
    unsigned flags = once ? NON_BLOCK : 0;
    enum err e = my_arm(my, "binlog dump");

    if (e != ERR_OK)
        return e;
    if (once)
        server_id = 0;
    return gtids == NULL ? send_dump(my, server_id, flags)
                         : send_dump_gtid(my, server_id, flags, gtids, n);
}

enum err
my_dump_next(struct my *my, const unsigned char **p, size_t *n)
{
    unsigned long got;

    if (my->c == NULL)
        return my_fail(my, CR_SERVER_GONE_ERROR, "not connected", "binlog dump",
                       0);
    got = mysql_net_read_packet(my->c);
    /* the library's "none", which it makes of 32 bits */
    if ((uint32_t)got == UINT32_MAX || got == 0)
        return failed(my, "the stream has ended");
    *p = my->c->net.read_pos + 1;
    *n = got - 1;
    if (my->c->net.read_pos[0] == 0)
        return ERR_OK;
    if (my->c->net.read_pos[0] == 0xfe && got < 9)
        return ERR_NOT_FOUND;
    return my_fail(my, CR_MALFORMED_PACKET, "no packet of a binlog",
                   "binlog dump", MY_LOST);
}

int
my_descriptor(const struct my *my)
{
    return my->c == NULL ? -1
                         : fcntl(mysql_get_socket(my->c), F_DUPFD_CLOEXEC, 0);
}
