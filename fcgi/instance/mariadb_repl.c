/* MariaDB: who follows whom. Which member leads is decided by others; here it
 * is done so that nothing that was acknowledged is lost on the way:
 *
 * - what a relay log has is applied before the member's replication is touched:
 *   stopping, resetting or pointing it elsewhere drops what is not applied
 *   (MDEV-4698);
 * - sessions that wait for a replica are ended before semi-sync is turned off:
 *   they would be told that they have committed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binlog.h"
#include "clock.h"
#include "mariadb_int.h"
#include "my.h"
#include "paths.h"

#define SESSIONS_MAX 100000
#define BINLOGS_MAX  100000
#define ASK_US       20000
#define SOURCES_MAX  64 /* the server has no more */

/* ---- what is said to a server ---- */

enum err
instance_semi_sync(struct my *my, enum instance_semi_sync role)
{
    static const char *const sql[][2] = {
        [SEMI_SYNC_OFF] = { "SET GLOBAL rpl_semi_sync_slave_enabled = 0",
                            "SET GLOBAL rpl_semi_sync_master_enabled = 0" },
        [SEMI_SYNC_LEADS] = { "SET GLOBAL rpl_semi_sync_slave_enabled = 0",
                              "SET GLOBAL rpl_semi_sync_master_enabled = 1" },
        [SEMI_SYNC_FOLLOWS] = { "SET GLOBAL rpl_semi_sync_master_enabled = 0",
                                "SET GLOBAL rpl_semi_sync_slave_enabled = 1" },
    };
    enum err e = my_do(my, sql[role][0]);

    return e == ERR_OK ? my_do(my, sql[role][1]) : e;
}

enum err
instance_leave_source(struct my *my)
{
    enum err e = my_do(my, "STOP SLAVE");

    return e == ERR_OK ? my_do(my, "RESET SLAVE ALL") : e;
}

enum err
instance_begin_following(struct my *my, const char *change_master)
{
    enum err e = change_master != NULL
                     ? instance_semi_sync(my, SEMI_SYNC_FOLLOWS)
                     : ERR_NOMEM;

    if (e == ERR_OK)
        e = my_do(my, change_master);
    return e == ERR_OK ? my_do(my, "START SLAVE") : e;
}

const char *
instance_change_master(struct arena *a, const struct instance_spec *source,
                       const char *user, const char *secret)
{
    if (source->address == NULL || user == NULL || secret == NULL)
        return NULL;
    /* the secret at its end, where no failure quotes it */
    return arena_printf(
        a,
        "CHANGE MASTER TO MASTER_HOST = '%s', MASTER_PORT = %d, "
        "MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, "
        "MASTER_HEARTBEAT_PERIOD = 0.25, MASTER_USER = '%s', "
        "MASTER_PASSWORD = '%s'",
        source->address, (int)source->port, user, secret);
}

const char *
instance_begin_at(struct arena *a, const char *gtid)
{
    if (strspn(gtid, "0123456789-,") != strlen(gtid) || strlen(gtid) >= 4096)
        return NULL;
    return arena_printf(a, "SET GLOBAL gtid_slave_pos = '%s'", gtid);
}

bool
instance_gtid_of(const char *list, int64_t domain, struct instance_gtid *out)
{
    struct binlog_gtid g;
    bool found = binlog_gtid_of(list, domain, &g);

    *out = (struct instance_gtid){ g.server, g.seq };
    return found;
}

/* ---- where it is ---- */

static bool
says(const struct my_table *t, const char *column, const char *word)
{
    const char *text = my_cell(t, 0, column);

    return text != NULL && strcmp(text, word) == 0;
}

static const char *
told(const struct my_table *t, const char *column)
{
    const char *text = my_cell(t, 0, column);

    return str_empty(text) ? NULL : text;
}

static int64_t
seconds_ms(const struct my_table *t, const char *column)
{
    const char *text = my_cell(t, 0, column);

    return text != NULL ? (int64_t)(strtod(text, NULL) * 1000) : 0;
}

enum err
instance_replica(struct my *my, struct arena *a, struct instance_replica *out)
{
    struct my_table t;
    const char *behind;
    /* of all: only this form tells of heartbeats */
    enum err e = my_query(my, a, "SHOW ALL SLAVES STATUS", SOURCES_MAX, &t);

    *out = (struct instance_replica){ .behind_s = -1 };
    /* they are sorted by their names, and ours has none */
    if (e != ERR_OK || t.n == 0 || !says(&t, "Connection_name", ""))
        return e;
    behind = my_cell(&t, 0, "Seconds_Behind_Master");
    *out = (struct instance_replica){
        .is_one = true,
        .source_host = my_cell(&t, 0, "Master_Host"),
        .source_port = (int32_t)my_cell_u64(&t, 0, "Master_Port"),
        .source_log = told(&t, "Master_Log_File"),
        .gtid_io = my_cell(&t, 0, "Gtid_IO_Pos"),
        /* "Preparing" and "Connecting" come before "Yes"; "No" is the end */
        .receiving = told(&t, "Slave_IO_Running") != NULL &&
                     !says(&t, "Slave_IO_Running", "No"),
        .connected = says(&t, "Slave_IO_Running", "Yes"),
        .applying = says(&t, "Slave_SQL_Running", "Yes"),
        .heard = my_cell_u64(&t, 0, "Slave_received_heartbeats") +
                 my_cell_u64(&t, 0, "Read_Master_Log_Pos"),
        .beat_ms = seconds_ms(&t, "Slave_heartbeat_period"),
        .behind_s = behind != NULL ? strtoll(behind, NULL, 10) : -1,
        .io_errno = (unsigned)my_cell_u64(&t, 0, "Last_IO_Errno"),
        .sql_errno = (unsigned)my_cell_u64(&t, 0, "Last_SQL_Errno"),
        .io_error = told(&t, "Last_IO_Error"),
        .sql_error = told(&t, "Last_SQL_Error"),
    };
    return ERR_OK;
}

static void
put_replica(struct instance_position *out, const struct instance_replica *r)
{
    const char *error = r->sql_error != NULL ? r->sql_error : r->io_error;

    if (!r->is_one)
        return;
    PUT(out, instance_position, source_host, r->source_host);
    PUT(out, instance_position, source_port, r->source_port);
    PUT(out, instance_position, gtid_io, r->gtid_io);
    /* it is connected before its source has looked at the position that it
     * asks for; the name of a binlog comes after */
    PUT(out, instance_position, receives,
        r->connected && r->source_log != NULL);
    PUT(out, instance_position, connecting, !out->receives && r->receiving);
    PUT(out, instance_position, applies, r->applying);
    if (r->behind_s >= 0)
        PUT(out, instance_position, behind_s, r->behind_s);
    if (error != NULL)
        PUT(out, instance_position, error, error);
}

static enum err
read_position(struct my *my, struct arena *a, struct instance_position *out,
              char why[WHY_BYTES])
{
    struct instance_replica replica;
    struct my_table t;
    enum err e;

    *out = (struct instance_position){ 0 };
    e = my_query(my, a,
                 "SELECT @@gtid_binlog_pos AS b, @@gtid_slave_pos AS s,"
                 " @@read_only AS r, @@rpl_semi_sync_master_enabled AS m,"
                 " (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
                 " WHERE VARIABLE_NAME = 'Rpl_semi_sync_master_clients') AS c",
                 1, &t);
    if (e == ERR_OK)
        e = instance_replica(my, a, &replica);
    if (e != ERR_OK)
        return instance_failed(my, "position", why);
    PUT(out, instance_position, gtid_binlog, my_cell(&t, 0, "b"));
    PUT(out, instance_position, gtid_slave, my_cell(&t, 0, "s"));
    PUT(out, instance_position, read_only, my_cell(&t, 0, "r")[0] == '1');
    PUT(out, instance_position, asks_acks, my_cell(&t, 0, "m")[0] == '1');
    if (my_cell(&t, 0, "c") != NULL)
        PUT(out, instance_position, acking, (int32_t)my_cell_u64(&t, 0, "c"));
    put_replica(out, &replica);
    return ERR_OK;
}

enum err
instance_position(struct arena *a, const struct instance_spec *s,
                  int timeout_ms, struct instance_position *out,
                  char why[WHY_BYTES])
{
    struct my *my;
    enum err e = instance_connect(s, timeout_ms, &my, why);

    if (e != ERR_OK)
        return e;
    e = read_position(my, a, out, why);
    my_close(my);
    return e;
}

/* ---- steps ---- */

/* What its relay log has becomes its data. */
static enum err
apply_relay(struct my *my, struct arena *a, int64_t until, char why[WHY_BYTES])
{
    struct instance_position p;
    char done[32] = "";
    const char *sql;
    int64_t left_ms = until - clock_mono_ms();
    enum err e = read_position(my, a, &p, why);

    if (e != ERR_OK || p.source_host == NULL)
        return e;
    /* before anything that stops it */
    if (!p.applies && my_do(my, "START SLAVE SQL_THREAD") != ERR_OK)
        return instance_failed(my, "START SLAVE SQL_THREAD", why);
    if (str_empty(p.gtid_io))
        return ERR_OK;
    sql = arena_printf(a, "SELECT MASTER_GTID_WAIT('%s', %lld.%03lld)",
                       p.gtid_io, (long long)(left_ms > 0 ? left_ms / 1000 : 0),
                       (long long)(left_ms > 0 ? left_ms % 1000 : 0));
    if (sql == NULL)
        return ERR_NOMEM;
    if (my_value_of(my, sql, done, sizeof(done)) != ERR_OK)
        return instance_failed(my, "MASTER_GTID_WAIT", why);
    if (strcmp(done, "0") == 0)
        return ERR_OK;
    e = read_position(my, a, &p, why);
    if (e == ERR_OK && !p.applies)
        return why_fail(why, ERR_STATE, "its relay log cannot be applied: %s",
                        p.error != NULL ? p.error : "stopped");
    return e == ERR_OK ? why_fail(why, ERR_TIMEOUT,
                                  "its relay log is not applied in time")
                       : e;
}

enum err
instance_end_sessions(struct my *my, struct arena *a, const char *where)
{
    struct my_table t;
    const char *sql =
        arena_printf(a,
                     "SELECT ID FROM information_schema.PROCESSLIST WHERE ID "
                     "<> CONNECTION_ID() AND USER NOT IN ('system user', "
                     "'event_scheduler') AND %s",
                     where);
    enum err e =
        sql != NULL ? my_query(my, a, sql, SESSIONS_MAX, &t) : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < t.n; i++) {
        const char *kill = arena_printf(a, "KILL CONNECTION %s", t.cell[i].p);

        e = kill != NULL ? my_do(my, kill) : ERR_NOMEM;
        /* it may have ended by itself */
        if (e != ERR_OK && kill != NULL &&
            (my_failure(my)->traits & MY_LOST) == 0)
            e = ERR_OK;
    }
    return e;
}

/* All clients' but ours. */
static enum err
end_clients(struct my *my, struct arena *a, const char *repl_user,
            char why[WHY_BYTES])
{
    const char *where =
        arena_printf(a,
                     "USER <> '%s' AND COMMAND NOT LIKE 'Binlog Dump%%' AND "
                     "COMMAND <> 'Daemon'",
                     repl_user);

    if (where == NULL)
        return ERR_NOMEM;
    return instance_end_sessions(my, a, where) == ERR_OK
               ? ERR_OK
               : instance_failed(my, "sessions", why);
}

/* A commit that waits for a replica holds read_only up until it is ended. */
static enum err
make_read_only(struct my *my, struct arena *a, const struct instance_spec *s,
               int64_t until, char why[WHY_BYTES])
{
    char now[8] = "";
    enum err e = my_value_of(my, "SELECT @@read_only", now, sizeof(now));

    if (e == ERR_OK && now[0] == '1')
        return ERR_OK;
    if (e == ERR_OK)
        e = my_do(my, "SET SESSION lock_wait_timeout = 1");
    if (e != ERR_OK)
        return instance_failed(my, "read_only", why);
    do {
        e = end_clients(my, a, s->repl_user, why);
        if (e != ERR_OK)
            return e;
        e = my_do(my, "SET GLOBAL read_only = 1");
    } while (e != ERR_OK && (my_failure(my)->traits & MY_LOST) == 0 &&
             clock_mono_ms() < until);
    if (e != ERR_OK)
        return instance_failed(my, "read_only", why);
    /* whoever came in between writes no more; a transaction that was open then
     * cannot commit */
    return end_clients(my, a, s->repl_user, why);
}

/* ---- what is asked for ---- */

enum err
instance_promote(struct arena *a, const struct instance_spec *s, bool acks,
                 int timeout_ms, char why[WHY_BYTES])
{
    enum instance_semi_sync role = acks ? SEMI_SYNC_LEADS : SEMI_SYNC_OFF;
    int64_t until = clock_mono_ms() + timeout_ms;
    struct instance_position p;
    struct my *my;
    enum err e = instance_connect(s, timeout_ms, &my, why);

    if (e != ERR_OK)
        return e;
    e = read_position(my, a, &p, why);
    if (e == ERR_OK && p.source_host != NULL) {
        e = apply_relay(my, a, until, why);
        if (e == ERR_OK && instance_leave_source(my) != ERR_OK)
            e = instance_failed(my, "leaving its source", why);
    } else if (e == ERR_OK && !p.read_only && p.asks_acks && !acks) {
        /* not as a side effect: commits that wait would be told that they are
         * safe */
        e = make_read_only(my, a, s, until, why);
    }
    if (e == ERR_OK && (instance_semi_sync(my, role) != ERR_OK ||
                        my_do(my, "SET GLOBAL read_only = 0") != ERR_OK))
        e = instance_failed(my, "leading", why);
    my_close(my);
    return e;
}

enum err
instance_demote(struct arena *a, const struct instance_spec *s, int timeout_ms,
                char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct my *my;
    enum err e = instance_connect(s, timeout_ms, &my, why);

    if (e != ERR_OK)
        return e;
    e = make_read_only(my, a, s, until, why);
    my_close(my);
    return e;
}

static bool
follows(const struct instance_position *p, const struct instance_spec *source)
{
    return p->source_host != NULL &&
           strcmp(p->source_host, source->address) == 0 &&
           p->source_port == source->port && p->receives && p->applies;
}

/* Where it goes on: as said; one that has led goes on from what it has written
 * itself. */
static enum err
set_begin(struct my *my, struct arena *a, const struct instance_position *p,
          const char *from, char why[WHY_BYTES])
{
    const char *text = from, *sql;

    if (text == NULL && p->source_host == NULL && !str_empty(p->gtid_binlog))
        text = p->gtid_binlog;
    if (text == NULL)
        return ERR_OK;
    sql = instance_begin_at(a, text);
    if (sql == NULL)
        return why_fail(why, ERR_BAD_PARAM, "it is no position");
    return my_do(my, sql) == ERR_OK
               ? ERR_OK
               : instance_failed(my, "gtid_slave_pos", why);
}

static enum err
point_at(struct my *my, struct arena *a, const struct instance_spec *source,
         char why[WHY_BYTES])
{
    const char *change = instance_change_master(a, source, source->repl_user,
                                                source->repl_secret);

    if (change == NULL)
        return ERR_NOMEM;
    if (instance_begin_following(my, change) != ERR_OK)
        return instance_failed(my, "following", why);
    return ERR_OK;
}

static enum err
await_following(struct my *my, struct arena *a,
                const struct instance_spec *source, int64_t until,
                char why[WHY_BYTES])
{
    struct instance_position p;
    enum err e;

    for (;;) {
        e = read_position(my, a, &p, why);
        if (e != ERR_OK || follows(&p, source))
            return e;
        if (p.error != NULL && (!p.applies || (!p.receives && !p.connecting)))
            return why_fail(why, ERR_STATE, "it cannot follow: %.400s",
                            p.error);
        if (clock_mono_ms() >= until)
            return why_fail(why, ERR_TIMEOUT, "it does not follow: %.400s",
                            p.error != NULL ? p.error : "no answer");
        (void)usleep(ASK_US);
    }
}

enum err
instance_follow(struct arena *a, const struct instance_spec *s,
                const struct instance_spec *source, const char *from,
                int timeout_ms, char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct instance_position p;
    struct my *my;
    enum err e = instance_connect(s, timeout_ms, &my, why);

    if (e != ERR_OK)
        return e;
    e = read_position(my, a, &p, why);
    if (e == ERR_OK && from == NULL && p.read_only && follows(&p, source)) {
        my_close(my);
        return ERR_OK;
    }
    if (e == ERR_OK)
        e = make_read_only(my, a, s, until, why);
    if (e == ERR_OK)
        e = apply_relay(my, a, until, why);
    /* anew: what was written until then counts */
    if (e == ERR_OK)
        e = read_position(my, a, &p, why);
    if (e == ERR_OK && my_do(my, "STOP SLAVE") != ERR_OK)
        e = instance_failed(my, "STOP SLAVE", why);
    if (e == ERR_OK)
        e = set_begin(my, a, &p, from, why);
    if (e == ERR_OK)
        e = point_at(my, a, source, why);
    if (e == ERR_OK)
        e = await_following(my, a, source, until, why);
    my_close(my);
    return e;
}

/* ---- old binlogs ---- */

/* Whether somebody has not got all that stands before a file. A list that
 * cannot be read has nothing, one before the file has what nobody has. */
static enum err
is_missing(const char *start, const char *const *positions, size_t n, bool *out)
{
    struct binlog_gtids *before = binlog_gtids_new(), *has = binlog_gtids_new();
    enum err e = before != NULL && has != NULL ? ERR_OK : ERR_NOMEM;

    if (e == ERR_OK)
        e = binlog_gtids_parse(before, start);
    *out = e == ERR_BAD_PARAM;
    for (size_t i = 0; e == ERR_OK && i < n && !*out; i++) {
        e = positions[i] != NULL ? binlog_gtids_parse(has, positions[i])
                                 : ERR_NOMEM;
        *out = e == ERR_BAD_PARAM || !binlog_gtids_within(before, has);
        e = e == ERR_BAD_PARAM ? ERR_OK : e;
    }
    binlog_gtids_free(before);
    binlog_gtids_free(has);
    return e == ERR_BAD_PARAM ? ERR_OK : e;
}

static enum err
is_needed(struct my *my, struct arena *a, const char *file,
          const char *const *positions, size_t n, bool *out,
          char why[WHY_BYTES])
{
    const char *start;
    enum err e = my_binlog_begins(my, a, file, &start);

    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK)
        return instance_failed(my, "BINLOG_GTID_POS", why);
    return is_missing(start, positions, n, out);
}

enum err
instance_purge(struct my *my, struct arena *a, const char *const *positions,
               size_t n, const char **kept, char why[WHY_BYTES])
{
    struct my_table t;
    bool needed = true;
    const char *file = NULL, *sql;
    enum err e = ERR_OK;

    *kept = NULL;
    if (my_query(my, a, "SHOW BINARY LOGS", BINLOGS_MAX, &t) != ERR_OK)
        return instance_failed(my, "SHOW BINARY LOGS", why);
    /* the newest that begins where everybody has been */
    for (size_t i = t.n; e == ERR_OK && needed && i-- > 0;) {
        file = my_cell(&t, i, "Log_name");
        e = is_needed(my, a, file, positions, n, &needed, why);
    }
    if (e != ERR_OK || t.n == 0)
        return e;
    if (needed) { /* somebody begins before the oldest: nothing can go */
        *kept = my_cell(&t, 0, "Log_name");
        return ERR_OK;
    }
    sql = arena_printf(a, "PURGE BINARY LOGS TO %s", my_quote(my, a, file));
    if (sql == NULL)
        return ERR_NOMEM;
    /* the server itself keeps what a connected replica reads */
    if (my_do(my, sql) != ERR_OK)
        return instance_failed(my, "PURGE BINARY LOGS", why);
    if (my_query(my, a, "SHOW BINARY LOGS", BINLOGS_MAX, &t) != ERR_OK)
        return instance_failed(my, "SHOW BINARY LOGS", why);
    *kept = t.n > 0 ? my_cell(&t, 0, "Log_name") : NULL;
    return ERR_OK;
}
