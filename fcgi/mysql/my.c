/* Connections: made with settings of our own, waited for until a time. */
#include "my_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mariadb/errmsg.h>
#include <mariadb/ma_pvio.h>

#include "clock.h"

#define SCRATCH_BYTES (64u << 20)

/* mysql_native_password also carries unix_socket log-ins. Those left out
 * would hand the password, or anything else, to whoever answers. */
#define AUTH_PLUGINS \
    "mysql_native_password,client_ed25519,caching_sha2_password"

static const char identity_sql[] =
    "SELECT CONCAT(CONNECTION_ID(), ' ', @@max_allowed_packet, ' ',"
    " @@hostname, ':', @@port, ':', @@server_id)";

struct my *
my_open(void)
{
    struct my *my = calloc(1, sizeof(*my));

    if (my == NULL)
        return NULL;
    my->scratch = arena_new(SCRATCH_BYTES);
    if (my->scratch != NULL)
        return my;
    free(my);
    return NULL;
}

void
my_close(struct my *my)
{
    if (my == NULL)
        return;
    my_hangup(my);
    arena_free(my->scratch);
    free(my);
}

void
my_hangup(struct my *my)
{
    if (my->c == NULL)
        return;
    mysql_close(my->c); /* first: its statements must not talk to it */
    my_stmts_drop(my);
    my->c = NULL;
}

bool
my_is_connected(const struct my *my)
{
    return my->c != NULL;
}

/* ---- connecting ---- */

/* The library keeps the time-out of a connection in milliseconds, and offers
 * no call to change it. When the field is where its header says, it holds
 * what we asked for. */
static bool
has_fine_timeouts(const MYSQL *c, unsigned read_s)
{
    return c->net.pvio != NULL &&
           c->net.pvio->timeout[PVIO_READ_TIMEOUT] == (int)read_s * 1000;
}

static bool
set_tls(MYSQL *c, const struct my_server *s)
{
    my_bool on = 1;

    if (s->tls_ca == NULL && s->tls_cert == NULL)
        return true;
    return mysql_ssl_set(c, s->tls_key, s->tls_cert, s->tls_ca, NULL, NULL) ==
               0 &&
           mysql_optionsv(c, MYSQL_OPT_SSL_ENFORCE, &on) == 0 &&
           (s->tls_ca == NULL ||
            mysql_optionsv(c, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on) == 0);
}

static bool
set_options(MYSQL *c, const struct my_server *s, unsigned connect_s)
{
    unsigned proto =
        s->at.port != 0 ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    unsigned read_s = s->read_timeout_s != 0
                          ? s->read_timeout_s
                          : (unsigned)(MY_NO_LIMIT_MS / 1000);
    unsigned off = 0;

    return mysql_optionsv(c, MYSQL_OPT_PROTOCOL, &proto) == 0 &&
           mysql_optionsv(c, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) == 0 &&
           mysql_optionsv(c, MYSQL_OPT_READ_TIMEOUT, &read_s) == 0 &&
           mysql_optionsv(c, MYSQL_OPT_WRITE_TIMEOUT, &read_s) == 0 &&
           (s->bind == NULL || s->at.port == 0 ||
            mysql_optionsv(c, MYSQL_OPT_BIND, s->bind) == 0) &&
           /* any server could ask for our files */
           mysql_optionsv(c, MYSQL_OPT_LOCAL_INFILE, &off) == 0 &&
           mysql_optionsv(c, MARIADB_OPT_RESTRICTED_AUTH, AUTH_PLUGINS) == 0 &&
           mysql_optionsv(c, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0 &&
           (s->packet_max == 0 ||
            mysql_optionsv(c, MYSQL_OPT_MAX_ALLOWED_PACKET, &s->packet_max) ==
                0) &&
           set_tls(c, s);
}

/* Whether it takes the values of many rows in one packet. */
static bool
takes_many(MYSQL *c)
{
    unsigned capabilities = 0; /* from bit 32 on */

    return mariadb_get_infov(c, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES,
                             &capabilities) == 0 &&
           (capabilities & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
}

/* Who it is that answers, and what it takes. */
static enum err
identify(struct my *my, int64_t now)
{
    struct my_session *s = &my->session;
    char text[sizeof(s->server) + 48], *end;
    enum err e;

    my->version = (unsigned)mysql_get_server_version(my->c);
    my->is_mariadb = mariadb_connection(my->c) != 0;
    my->bulk = my->is_mariadb && takes_many(my->c);
    (void)snprintf(my->version_text, sizeof(my->version_text), "%s",
                   mysql_get_server_info(my->c));
    e = my_value_of(my, identity_sql, text, sizeof(text));
    s->id = strtoull(text, &end, 10);
    my->packet_bytes = strtoull(end, &end, 10);
    (void)snprintf(s->server, sizeof(s->server), "%s", end);
    s->since_ms = now;
    return e;
}

static enum err
connect_to(struct my *my, const struct my_server *s, int64_t now)
{
    const char *name = s->at.name;
    int64_t left_s = (my->until - now + 999) / 1000;
    unsigned wait_s = s->connect_timeout_s;
    bool tcp = s->at.port != 0;

    if (my->until != 0 && left_s < (int64_t)wait_s)
        wait_s = left_s > 0 ? (unsigned)left_s : 1;
    my->sent_ms = now;
    my->wait_ms = (int64_t)wait_s * 1000;
    if (!set_options(my->c, s, wait_s))
        return my_fail(my, CR_OUT_OF_MEMORY, "an option of the connection", "",
                       MY_UNSENT);
    if (mysql_real_connect(my->c, tcp ? name : NULL, s->user,
                           s->password != NULL ? s->password : "", s->database,
                           s->at.port, tcp ? NULL : name,
                           CLIENT_FOUND_ROWS) == NULL)
        return my_fail(my, mysql_errno(my->c), mysql_error(my->c), "",
                       MY_UNSENT);
    my->read_timeout_s = s->read_timeout_s;
    my->fine_timeouts = has_fine_timeouts(
        my->c, s->read_timeout_s != 0 ? s->read_timeout_s
                                      : (unsigned)(MY_NO_LIMIT_MS / 1000));
    return identify(my, now);
}

enum err
my_connect(struct my *my, const struct my_server *server, int64_t until)
{
    int64_t was = my->until;
    enum err e;

    my_hangup(my);
    my->c = mysql_init(NULL);
    if (my->c == NULL)
        return my_fail_own(my, ERR_NOMEM, "no memory", "", MY_UNSENT);
    my->until = until;
    e = connect_to(my, server, clock_mono_ms());
    my->until = was;
    if (e != ERR_OK)
        my_hangup(my);
    return e;
}

/* ---- what answers ---- */

unsigned
my_version(const struct my *my)
{
    return my->version;
}

const char *
my_version_text(const struct my *my)
{
    return my->version_text;
}

bool
my_is_mariadb(const struct my *my)
{
    return my->is_mariadb;
}

bool
my_has_compounds(const struct my *my)
{
    return my->is_mariadb && my->version >= 100600;
}

const struct my_session *
my_session(const struct my *my)
{
    return &my->session;
}

uint64_t
my_matched(const struct my *my)
{
    return my->matched;
}

uint64_t
my_insert_id(const struct my *my)
{
    return my->insert_id;
}

unsigned
my_warnings(const struct my *my)
{
    return my->warnings;
}

void
my_seal(struct my *my, const struct my_seal *seal)
{
    my->seal = seal;
}

/* ---- the library ---- */

enum err
my_library_begin(void)
{
    return mysql_library_init(0, NULL, NULL) == 0 ? ERR_OK : ERR_NOMEM;
}

void
my_library_end(void)
{
    mysql_library_end();
}
