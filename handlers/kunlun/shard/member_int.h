/* What the files about a member share. */
#ifndef KUNLUN_MEMBER_INT_H
#define KUNLUN_MEMBER_INT_H

#include "member.h"

#define ENDS_S 60 /* one that is to be ended is, or its machine has died */

/* A ticket with this bit was given out by nobody: what its replication had
 * received may be gone. */
#define DOUBT (UINT64_C(1) << 62)
/* One with this bit waits for its RECEIVE. */
#define READY (UINT64_C(1) << 61)

/* Names the run of the server. */
#define RUN_SQL                                                    \
    "CONV(LEFT(IF(@@report_user <> '', @@report_user,"             \
    " HEX(UNIX_TIMESTAMP() - (SELECT VARIABLE_VALUE"               \
    " FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME =" \
    " 'UPTIME'))), 16), 16, 10)"

/* Logged in, with its tables there; from here on calls end after timeout_ms. */
enum err member_connect(struct member *m, int timeout_ms) MUST_USE;

/* The server's last failure into m->why; hangs up when it is gone. */
enum err member_failed(struct member *m, const char *doing);

/* What it tells of itself without and with its replication. */
enum err
member_state(struct member *m, struct arena *a, struct fo_seen *o) MUST_USE;
enum err member_replication(struct member *m, struct arena *a,
                            struct fo_seen *o) MUST_USE;

/* By which it follows; NULL without memory. */
const char *member_account(struct arena *a, const struct instance_spec *s);

/* A position as the server prints it, of one domain. */
struct fo_gtid member_gtid(const char *list, int64_t domain);
#define MEMBER_GTIDS 4096 /* the most bytes of one */
/* The same with another GTID of that domain; NULL without memory, and of what
 * is none. */
const char *member_position(struct arena *a, const char *list, int64_t domain,
                            struct fo_gtid at);

#endif
