/* What a member tells of itself. */
#include "member_int.h"

#include <string.h>

#include "binlog.h"
#include "buf.h"
#include "clock.h"
#include "my.h"

#define ROWS_MAX   4096
#define REFUSED_MS 3600000
#define GREET_MS   200
#define CONNECT_MS 1500
#define PATIENT    8    /* one look in so many waits for one that is slow */
#define LATE_MS    300  /* a heartbeat on its way */
#define DISK_FULL  1021 /* ER_DISK_FULL */

/* The state of a thread whose write finds no room: it tries again each minute,
 * before it heeds its end (mysys/errors.c, wait_for_free_space). */
#define WAITS_FOR_ROOM "Waiting for someone to free space"

struct fo_gtid
member_gtid(const char *list, int64_t domain)
{
    struct instance_gtid at;

    (void)instance_gtid_of(list, domain, &at);
    return (struct fo_gtid){ .seq = at.seq, .server = at.server };
}

const char *
member_position(struct arena *a, const char *list, int64_t domain,
                struct fo_gtid at)
{
    const struct binlog_gtid g = { .domain = (uint32_t)domain,
                                   .server = at.server,
                                   .seq = at.seq };
    struct binlog_gtids *all = binlog_gtids_new();
    struct buf b = BUF_INIT(MEMBER_GTIDS);
    const char *text = NULL;
    enum err e = all != NULL ? binlog_gtids_parse(all, list) : ERR_NOMEM;

    if (e == ERR_OK)
        e = binlog_gtids_add(all, &g);
    if (e == ERR_OK)
        binlog_gtids_print(all, &b);
    binlog_gtids_free(all);
    if (buf_settle(&b, a, &text) != ERR_OK || e != ERR_OK)
        return NULL;
    return text;
}

static struct fo_gtid
higher(struct fo_gtid a, struct fo_gtid b)
{
    return b.seq > a.seq ? b : a;
}

/* Its position is none that the source has: 1236, or two histories. */
static bool
is_unrelated(const struct instance_replica *r)
{
    return r->io_errno == 1236 || r->io_errno == 1945 || r->io_errno == 1948 ||
           r->io_errno == 1955;
}

/* Its source, or the way to it, may stand still long before the connection
 * ends (slave_net_timeout). That there is a new one is a sign, too. */
static bool
hears(struct member *m, const struct instance_replica *r)
{
    int64_t now = clock_mono_ms();

    if (!r->connected) {
        m->heard_ms = 0;
        return false;
    }
    if (m->heard_ms == 0 || m->heard != r->heard) {
        m->heard = r->heard;
        m->heard_ms = now;
    }
    return r->beat_ms == 0 || now - m->heard_ms <= 2 * r->beat_ms + LATE_MS;
}

enum err
member_state(struct member *m, struct arena *a, struct fo_seen *o)
{
    struct my_table t;
    struct fo_gtid binlog, slave;

    if (my_query(m->my, a,
                 "SELECT " RUN_SQL " AS run,"
                 " @@read_only AS ro, @@gtid_binlog_pos AS binlog,"
                 " @@gtid_slave_pos AS slave, t.orders, t.ticket, m.ends,"
                 " ABS(UNIX_TIMESTAMP() - m.ends_s) AS ends_for,"
                 " m.run AS m_run, m.ticket AS m_ticket, m.source AS m_source,"
                 " m.seq AS m_seq"
                 " FROM metagate_member.told t JOIN metagate_member.mark m"
                 " ON m.server = t.server WHERE t.server = @@server_id",
                 1, &t) != ERR_OK)
        return member_failed(m, "see");
    if (t.n != 1)
        return why_fail(m->why, ERR_STATE, "it does not know its order");
    o->start = my_cell_u64(&t, 0, "run");
    o->writable = my_cell_u64(&t, 0, "ro") == 0;
    o->order = my_cell_u64(&t, 0, "orders");
    o->ticket = my_cell_u64(&t, 0, "ticket");
    o->ready = o->ticket & ~(DOUBT | READY);
    if ((o->ticket & (DOUBT | READY)) == READY)
        o->ticket = 0;
    binlog = member_gtid(my_cell(&t, 0, "binlog"), m->spec->domain_id);
    slave = member_gtid(my_cell(&t, 0, "slave"), m->spec->domain_id);
    o->applied = o->received = higher(binlog, slave);
    o->ends = my_cell_u64(&t, 0, "ends") == o->start &&
              my_cell_u64(&t, 0, "ends_for") < ENDS_S;
    o->mark = (struct fo_mark){
        .start = my_cell_u64(&t, 0, "m_run"),
        .ticket = my_cell_u64(&t, 0, "m_ticket"),
        .at = { my_cell_u64(&t, 0, "m_seq"),
                (uint32_t)my_cell_u64(&t, 0, "m_source") },
    };
    return ERR_OK;
}

enum err
member_replication(struct member *m, struct arena *a, struct fo_seen *o)
{
    struct instance_replica r;
    const char *error;

    if (instance_replica(m->my, a, &r) != ERR_OK)
        return member_failed(m, "see replication");
    if (!r.is_one)
        return ERR_OK;
    o->io = r.receiving;
    o->connected = r.connected;
    o->applying = r.applying;
    o->unrelated = is_unrelated(&r);
    o->broken = o->unrelated || r.sql_errno != 0;
    error = o->unrelated ? r.io_error : r.sql_error;
    if (o->broken)
        (void)why_fail(m->why, ERR_STATE, "%.400s",
                       error != NULL ? error : "replication has failed");
    o->received =
        higher(o->received, member_gtid(r.gtid_io, m->spec->domain_id));
    o->hears = hears(m, &r);
    return ERR_OK;
}

const char *
member_account(struct arena *a, const struct instance_spec *s)
{
    return arena_printf(a, "repl_%lld", (long long)s->server_id);
}

/* The list of who is connected lies in a file of the server's, for which a full
 * disk has no room. Nobody is known to be shut out then. */
static enum err
see_no_room(struct member *m, struct fo_seen *o)
{
    if (my_failure(m->my)->code != DISK_FULL)
        return member_failed(m, "see accounts");
    o->full = true;
    o->shut = 0;
    return ERR_OK;
}

/* Locked, or not there; and not connected, of which the list is read after. */
static enum err
see_shut(struct member *m, struct arena *a,
         const struct instance_spec *const others[], unsigned n,
         struct fo_seen *o)
{
    struct my_table t;

    for (unsigned i = 0; i < n; i++)
        o->shut |= 1U << i;
    if (my_query(m->my, a,
                 "SELECT User AS user, 0 AS full FROM mysql.global_priv"
                 " WHERE COALESCE(JSON_VALUE(Priv, '$.account_locked'), '0')"
                 " NOT IN ('1', 'true')"
                 " UNION SELECT user, STATE = '" WAITS_FOR_ROOM "'"
                 " FROM information_schema.PROCESSLIST"
                 " WHERE COMMAND LIKE 'Binlog Dump%'"
                 " OR STATE = '" WAITS_FOR_ROOM "'",
                 ROWS_MAX, &t) != ERR_OK)
        return see_no_room(m, o);
    for (size_t k = 0; k < t.n; k++)
        o->full = o->full || my_cell_u64(&t, k, "full") != 0;
    for (unsigned i = 0; i < n; i++) {
        const char *user = member_account(a, others[i]);

        for (size_t k = 0; k < t.n; k++) {
            const char *row = my_cell(&t, k, "user");

            if (row != NULL && user != NULL && strcmp(row, user) == 0)
                o->shut &= ~(1U << i);
        }
    }
    return ERR_OK;
}

/* It did not answer the last time, and does not begin to talk. */
static bool
stands_still(struct member *m)
{
    if (m->my != NULL || m->missed % PATIENT == 0 ||
        instance_greeting(m->spec, GREET_MS) != GREETING_NONE)
        return false;
    (void)why_fail(m->why, ERR_TIMEOUT, "it does not begin to talk");
    return true;
}

/* What it has grows as long as anything is written. */
static void
see_stuck(struct member *m, struct fo_seen *o)
{
    int64_t now = clock_mono_ms();

    if (!o->full || o->applied.seq != m->wrote.seq || m->wrote_ms == 0) {
        m->wrote = o->applied;
        m->wrote_ms = now;
    }
    o->stuck_ms = now - m->wrote_ms;
}

/* One that does not answer is not known to be connected either. */
static void
see_apart(struct member *m, struct fo_seen *o)
{
    int64_t now = clock_mono_ms();

    if (o->connected)
        m->apart_ms = 0;
    else if (m->apart_ms == 0)
        m->apart_ms = now;
    o->apart_ms = o->connected ? 0 : now - m->apart_ms;
}

void
member_see(struct member *m, struct arena *a,
           const struct instance_spec *const others[], unsigned n,
           int timeout_ms, struct fo_seen *out)
{
    struct fo_seen o = { .ended = out->ended };
    int limit_ms =
        m->my == NULL && timeout_ms < CONNECT_MS ? CONNECT_MS : timeout_ms;
    enum err e = stands_still(m) ? ERR_TIMEOUT : member_connect(m, limit_ms);
    uint64_t run;

    /* who is shut out is seen before the position */
    if (e == ERR_OK)
        e = see_shut(m, a, others, n, &o);
    if (e == ERR_OK)
        e = member_state(m, a, &o);
    run = o.start;
    if (e == ERR_OK)
        e = member_replication(m, a, &o);
    if (e == ERR_OK) {
        o.answered = true;
        o.start = run;
        m->seen_ms = clock_mono_ms();
        m->missed = 0;
        see_stuck(m, &o);
        if (!o.writable)
            o.shut = 0;
    } else {
        m->missed++;
        o = (struct fo_seen){ .ended = out->ended,
                              .silent_ms = m->refused >= 2
                                               ? REFUSED_MS
                                               : clock_mono_ms() - m->seen_ms };
    }
    see_apart(m, &o);
    *out = o;
}
