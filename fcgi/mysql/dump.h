/* A connection on which the server sends its binlog, as to a replica. What the
 * packets say is not looked into here. */
#ifndef MG_MY_DUMP_H
#define MG_MY_DUMP_H

#include "my.h"

/* Asks for the binlog as the replica of that number. MySQL: behind the GTIDs
 * of the n bytes at gtids (the set as COM_BINLOG_DUMP_GTID has it). MariaDB,
 * with gtids NULL: behind what the session's @slave_connect_state says. With
 * `once` the stream ends where the binlog does, and the replica has no number,
 * so that no other one is ended by it. From here on the connection is good for
 * my_dump_next and nothing else. */
enum err my_dump(struct my *my, uint32_t server_id, bool once,
                 const void *gtids, size_t n) MUST_USE;

/* The next packet, without the byte in front that says that it is one. It
 * lives until the next call. NOT_FOUND: the server has nothing more to send.
 * A packet beyond the server's packet_max is LIMIT; waiting ends with the
 * read time-out, as a connection that is lost. */
enum err
my_dump_next(struct my *my, const unsigned char **p, size_t *n) MUST_USE;

/* A descriptor of its own on the connection's socket: shutdown() of it, by any
 * thread, ends at once what waits on the connection. The caller closes it; -1
 * without a connection or a descriptor. */
int my_descriptor(const struct my *my);

#endif
