/* A member of a shard over its connection. */
#include "member_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "my.h"
#include "shard.h"

#define LOCK_S   2
#define APPLY_US 20000

/* A server that was restarted a moment ago is asked for it with the seconds. */
static const char lock_name[] = "metagate.member";

enum err
member_failed(struct member *m, const char *doing)
{
    enum err e = instance_failed(m->my, doing, m->why);

    if ((my_failure(m->my)->traits & MY_LOST) != 0)
        member_close(m);
    return e;
}

void
member_close(struct member *m)
{
    if (m->my != NULL)
        my_close(m->my);
    m->my = NULL;
    m->heard_ms = 0;
}

/* From whichever address of ours leads there: it may be on another host. */
static enum err
log_in(struct member *m, int timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct my_server server = {
        .user = m->spec->admin_user,
        .password = m->spec->admin_secret,
        .connect_timeout_s = (unsigned)(timeout_ms + 999) / 1000,
        .read_timeout_s = MEMBER_TELL_MS / 1000, /* or what a call may wait */
    };
    enum err e = my_address_of(m->spec->address, m->spec->port, &server.at);

    if (e != ERR_OK)
        return why_fail(m->why, e, "it has no address");
    m->my = my_open();
    if (m->my == NULL)
        return why_fail(m->why, ERR_NOMEM, "out of memory");
    e = my_connect(m->my, &server, until);
    /* told so at once: its host is there, and nobody listens */
    m->refused = e == ERR_PEER && until - clock_mono_ms() > timeout_ms / 2
                     ? m->refused + 1
                     : 0;
    if (e != ERR_OK) {
        (void)why_fail(m->why, e, "connect %s error: %.300s", server.at.label,
                       my_failure(m->my)->text);
        member_close(m);
        return e;
    }
    my_until(m->my, until);
    return ERR_OK;
}

/* What is written here is this server's own: nothing of it is replicated. */
enum err
member_connect(struct member *m, int timeout_ms)
{
    static const char *const sql[] = {
        "SET SESSION sql_log_bin = 0, lock_wait_timeout = 2",
        "CREATE DATABASE IF NOT EXISTS metagate_member",
        "CREATE TABLE IF NOT EXISTS metagate_member.told ("
        "server BIGINT UNSIGNED NOT NULL PRIMARY KEY,"
        "orders BIGINT UNSIGNED NOT NULL, ticket BIGINT UNSIGNED NOT NULL"
        ") ENGINE=InnoDB",
        "INSERT IGNORE INTO metagate_member.told VALUES (@@server_id, 0, 0)",
        /* `ends` is the run that is about to be ended, since ends_s; the others
         * are its struct fo_mark */
        "CREATE TABLE IF NOT EXISTS metagate_member.mark ("
        "server BIGINT UNSIGNED NOT NULL PRIMARY KEY,"
        "ends BIGINT UNSIGNED NOT NULL, ends_s BIGINT NOT NULL,"
        "run BIGINT UNSIGNED NOT NULL, ticket BIGINT UNSIGNED NOT NULL,"
        "source BIGINT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL"
        ") ENGINE=InnoDB",
        "INSERT IGNORE INTO metagate_member.mark"
        " VALUES (@@server_id, 0, 0, 0, 0, 0, 0)",
    };
    enum err e;

    if (m->my != NULL && !my_is_stale(m->my)) {
        my_until(m->my, clock_mono_ms() + timeout_ms);
        return ERR_OK;
    }
    member_close(m);
    e = log_in(m, timeout_ms);
    for (size_t i = 0; e == ERR_OK && i < COUNT(sql); i++)
        if (my_do(m->my, sql[i]) != ERR_OK) {
            e = member_failed(m, "prepare");
            member_close(m); /* what it would write might be replicated */
        }
    return e;
}

/* ---- telling ---- */

/* One at a time; who has the lock and stands still is sent away. */
static enum err
lock(struct member *m, struct arena *a)
{
    char got[32] = "";
    const char *sql;

    sql = arena_printf(a, "SELECT COALESCE(GET_LOCK('%s', %d), 0)", lock_name,
                       LOCK_S);
    if (sql == NULL)
        return ERR_NOMEM;
    for (int i = 0; i < 2; i++) {
        if (my_value_of(m->my, sql, got, sizeof(got)) != ERR_OK)
            return member_failed(m, "lock");
        if (strcmp(got, "1") == 0)
            return ERR_OK;
        if (my_do(m->my, arena_printf(a,
                                      "EXECUTE IMMEDIATE CONCAT('KILL ', "
                                      "COALESCE(IS_USED_LOCK('%s'), 0))",
                                      lock_name)) != ERR_OK &&
            (my_failure(m->my)->traits & MY_LOST) != 0)
            return member_failed(m, "lock");
    }
    return why_fail(m->why, ERR_BUSY, "somebody else tells it something");
}

static void
unlock(struct member *m, struct arena *a)
{
    const char *sql = arena_printf(a, "DO RELEASE_LOCK('%s')", lock_name);

    if (m->my != NULL && (sql == NULL || my_do(m->my, sql) != ERR_OK))
        member_close(m);
}

static enum err
run(struct member *m, const char *sql)
{
    if (sql == NULL)
        return why_fail(m->why, ERR_NOMEM, "out of memory");
    return my_do(m->my, sql) == ERR_OK ? ERR_OK : member_failed(m, "tell");
}

static enum err
semi_sync(struct member *m, enum instance_semi_sync role)
{
    return instance_semi_sync(m->my, role) == ERR_OK ? ERR_OK
                                                     : member_failed(m, "tell");
}

static enum err
note_order(struct member *m, struct arena *a, uint64_t order)
{
    enum err e = run(
        m, arena_printf(a,
                        "UPDATE metagate_member.told SET orders = %llu"
                        " WHERE server = @@server_id AND orders <= %llu"
                        " AND NOT EXISTS (SELECT 1 FROM metagate_member.mark m"
                        " WHERE m.server = @@server_id AND m.ends = " RUN_SQL
                        " AND ABS(UNIX_TIMESTAMP() - m.ends_s) < %d)",
                        (unsigned long long)order, (unsigned long long)order,
                        ENDS_S));

    if (e == ERR_OK && my_matched(m->my) == 0)
        return why_fail(m->why, ERR_STATE,
                        "it was told something since, or is being stopped");
    return e;
}

static enum err
end_sessions(struct member *m, struct arena *a, const char *where)
{
    return where != NULL && instance_end_sessions(m->my, a, where) == ERR_OK
               ? ERR_OK
               : member_failed(m, "end sessions");
}

/* An account that others replicate with; locked where it has been none. */
static enum err
make_account(struct member *m, struct arena *a, const struct instance_spec *who,
             const char *user)
{
    return run(m, arena_printf(a,
                               "CREATE USER IF NOT EXISTS %s@'%%'"
                               " IDENTIFIED BY '%s' ACCOUNT LOCK",
                               user, who->repl_secret));
}

static enum err
shut_out(struct member *m, struct arena *a, const struct instance_spec *who)
{
    const char *user = member_account(a, who);
    enum err e = make_account(m, a, who, user);

    if (e == ERR_OK)
        e = run(m, arena_printf(a, "ALTER USER %s@'%%' ACCOUNT LOCK", user));
    if (e == ERR_OK)
        e = end_sessions(m, a, arena_printf(a, "USER = '%s'", user));
    return e;
}

static enum err
let_in(struct member *m, struct arena *a, const struct instance_spec *who)
{
    const char *user = member_account(a, who);
    enum err e = make_account(m, a, who, user);

    if (e == ERR_OK)
        e = run(m, arena_printf(a,
                                "GRANT REPLICATION SLAVE, BINLOG MONITOR ON"
                                " *.* TO %s@'%%'",
                                user));
    if (e == ERR_OK)
        e = run(m, arena_printf(a,
                                "ALTER USER %s@'%%' IDENTIFIED BY '%s'"
                                " ACCOUNT UNLOCK",
                                user, who->repl_secret));
    return e;
}

static enum err
promote(struct member *m, struct arena *a, const struct fo_action *act,
        const struct instance_spec *const others[], unsigned n)
{
    struct fo_seen o = { 0 };
    enum err e = member_state(m, a, &o);

    if (e == ERR_OK && o.writable)
        return ERR_OK;
    if (e == ERR_OK && o.start != act->start)
        return why_fail(m->why, ERR_STATE, "its server was restarted");
    if (e == ERR_OK && instance_leave_source(m->my) != ERR_OK)
        e = member_failed(m, "tell");
    for (unsigned i = 0; e == ERR_OK && i < n; i++)
        e = shut_out(m, a, others[i]);
    if (e == ERR_OK) /* what it has noted is no longer all that it has */
        e = run(m, "UPDATE metagate_member.mark SET run = 0"
                   " WHERE server = @@server_id");
    if (e == ERR_OK)
        e = semi_sync(m, n > 1 ? SEMI_SYNC_LEADS : SEMI_SYNC_OFF);
    return e == ERR_OK ? run(m, "SET GLOBAL read_only = 0") : e;
}

/* A session that waits for an acknowledgement holds read_only up: it goes
 * first. */
static enum err
demote(struct member *m, struct arena *a)
{
    enum err e = end_sessions(m, a, "COMMAND NOT LIKE 'Binlog Dump%'");

    return e == ERR_OK ? run(m, "SET GLOBAL read_only = 1") : e;
}

/* What a former primary wrote itself counts as applied. What it has of other
 * histories, as one that was restored has, it has still: who leads now may have
 * no binlog of that. Nothing applies now: the position stands still. */
static enum err
begin_at(struct member *m, struct arena *a)
{
    struct fo_seen o = { 0 };
    char slave[MEMBER_GTIDS] = "", has[MEMBER_GTIDS] = "";
    const char *at;
    enum err e = member_state(m, a, &o);

    if (e == ERR_OK && (my_value_of(m->my, "SELECT @@gtid_slave_pos", slave,
                                    sizeof(slave)) != ERR_OK ||
                        my_value_of(m->my, "SELECT @@gtid_current_pos", has,
                                    sizeof(has)) != ERR_OK))
        return member_failed(m, "position");
    if (e != ERR_OK ||
        o.applied.seq <= member_gtid(slave, m->spec->domain_id).seq)
        return e;
    at = member_position(a, has, m->spec->domain_id, o.applied);
    if (at == NULL)
        return why_fail(m->why, ERR_NOMEM, "out of memory");
    return run(m, instance_begin_at(a, at));
}

static enum err
note_ticket(struct member *m, struct arena *a, uint64_t ticket)
{
    return run(m, arena_printf(a,
                               "UPDATE metagate_member.told SET ticket = %llu"
                               " WHERE server = @@server_id",
                               (unsigned long long)ticket));
}

static enum err
follow(struct member *m, struct arena *a, const struct fo_action *act,
       const struct instance_spec *source)
{
    struct fo_seen o = { 0 };
    const char *change;
    enum err e = member_state(m, a, &o);

    if (e != ERR_OK || o.ready >= act->ticket)
        return e;
    if (o.writable)
        return why_fail(m->why, ERR_STATE, "it is writable");
    m->heard_ms = 0;
    /* The older run is over, and it is known whom the new one follows, before
     * the ticket is noted: who sees it sees nothing older. */
    e = run(m, "STOP SLAVE");
    if (e == ERR_OK)
        e = begin_at(m, a);
    if (e != ERR_OK)
        return e;
    change = instance_change_master(a, source, member_account(a, m->spec),
                                    m->spec->repl_secret);
    if (change == NULL)
        return why_fail(m->why, ERR_NOMEM, "out of memory");
    e = run(m, change);
    return e == ERR_OK ? note_ticket(m, a, act->ticket | READY) : e;
}

/* The ticket is noted before the run begins: so it begins once. */
static enum err
receive(struct member *m, struct arena *a, const struct fo_action *act)
{
    struct fo_seen o = { 0 };
    enum err e = member_state(m, a, &o);

    if (e != ERR_OK || o.ticket >= act->ticket)
        return e;
    if (o.writable || o.ready != act->ticket)
        return why_fail(m->why, ERR_STATE, "it is not ready for that");
    e = note_ticket(m, a, act->ticket);
    if (e == ERR_OK)
        e = semi_sync(m, SEMI_SYNC_FOLLOWS);
    return e == ERR_OK ? run(m, "START SLAVE") : e;
}

/* Its receiver may end while this is done, and without an applying thread what
 * it had received goes with it. So it is in doubt until the receiver is seen
 * to run after the other has begun: it does not begin again by itself. */
static enum err
start_applying(struct member *m, struct arena *a)
{
    struct fo_seen o = { 0 };
    enum err e = run(m, arena_printf(a,
                                     "UPDATE metagate_member.told"
                                     " SET ticket = ticket | %llu"
                                     " WHERE server = @@server_id",
                                     (unsigned long long)DOUBT));

    if (e == ERR_OK)
        e = run(m, "START SLAVE SQL_THREAD");
    if (e == ERR_OK)
        e = member_replication(m, a, &o);
    if (e == ERR_OK && !o.io)
        return why_fail(m->why, ERR_STATE, "it receives nothing any more");
    return e != ERR_OK ? e
                       : run(m, arena_printf(a,
                                             "UPDATE metagate_member.told"
                                             " SET ticket = ticket & ~%llu"
                                             " WHERE server = @@server_id",
                                             (unsigned long long)DOUBT));
}

static enum err
stop_receiving(struct member *m, struct arena *a)
{
    struct fo_seen o = { 0 };
    enum err e = member_replication(m, a, &o);

    if (e == ERR_OK && o.io && !o.applying)
        return why_fail(m->why, ERR_STATE, "it does not apply");
    return e == ERR_OK ? run(m, "STOP SLAVE IO_THREAD") : e;
}

static enum err
act_on(struct member *m, struct arena *a, const struct fo_action *act,
       const struct fo_shard *s, const struct instance_spec *const others[])
{
    switch (act->kind) {
    case FO_PROMOTE:
        return promote(m, a, act, others, s->n);
    case FO_DEMOTE:
        return demote(m, a);
    case FO_FOLLOW:
        return follow(m, a, act, others[s->primary]);
    case FO_RECEIVE:
        return receive(m, a, act);
    case FO_START_APPLYING:
        return start_applying(m, a);
    case FO_STOP_RECEIVING:
        return stop_receiving(m, a);
    case FO_NOTE:
        return ERR_OK;
    case FO_EVICT:
        return shut_out(m, a, others[act->whom]);
    case FO_ADMIT:
        return let_in(m, a, others[act->whom]);
    case FO_REBUILD:
        break;
    }
    return why_fail(m->why, ERR_STATE, "that is done by its machine");
}

enum err
member_tell(struct member *m, struct arena *a, const struct fo_action *act,
            const struct fo_shard *s,
            const struct instance_spec *const others[], int timeout_ms)
{
    enum err e = member_connect(m, timeout_ms);

    if (e != ERR_OK)
        return e;
    e = lock(m, a);
    if (e != ERR_OK)
        return e;
    e = note_order(m, a, s->order);
    if (e == ERR_OK)
        e = act_on(m, a, act, s, others);
    unlock(m, a);
    return e;
}

/* ---- taking leave ---- */

/* From here on it is told nothing: what it does is what its end wants. */
static enum err
announce_end(struct member *m, struct arena *a, struct fo_seen *o)
{
    enum err e = lock(m, a);

    if (e != ERR_OK)
        return e;
    e = member_state(m, a, o);
    if (e == ERR_OK)
        e = run(m, arena_printf(a,
                                "UPDATE metagate_member.mark SET ends = %llu,"
                                " ends_s = UNIX_TIMESTAMP()"
                                " WHERE server = @@server_id",
                                (unsigned long long)o->start));
    unlock(m, a);
    return e;
}

/* Nobody writes any more. A commit that waits for a replica keeps it up until
 * its session is ended; another one may come in between. */
static enum err
close_primary(struct member *m, struct arena *a, int64_t until)
{
    enum err e;

    do {
        e = demote(m, a);
    } while (e != ERR_OK && m->my != NULL && clock_mono_ms() < until);
    return e;
}

/* It has applied all that it will ever have received. */
static enum err
close_replica(struct member *m, struct arena *a, int64_t until)
{
    struct fo_seen o;
    enum err e = stop_receiving(m, a);

    while (e == ERR_OK) {
        o = (struct fo_seen){ 0 };
        e = member_state(m, a, &o);
        if (e == ERR_OK)
            e = member_replication(m, a, &o);
        if (e == ERR_OK && !o.applying)
            return why_fail(m->why, ERR_STATE, "it does not apply");
        if (e == ERR_OK && o.applied.seq == o.received.seq)
            return ERR_OK;
        if (e == ERR_OK && clock_mono_ms() >= until)
            return why_fail(m->why, ERR_TIMEOUT,
                            "it has not applied everything");
        (void)usleep(APPLY_US);
    }
    return e;
}

static enum err
leave_mark(struct member *m, struct arena *a)
{
    struct fo_seen o = { 0 };
    enum err e = member_state(m, a, &o);

    if (e != ERR_OK)
        return e;
    return run(m, arena_printf(a,
                               "UPDATE metagate_member.mark SET run = %llu,"
                               " ticket = %llu, source = %u, seq = %llu"
                               " WHERE server = @@server_id",
                               (unsigned long long)o.start,
                               (unsigned long long)o.ticket, o.applied.server,
                               (unsigned long long)o.applied.seq));
}

enum err
member_take_leave(struct member *m, struct arena *a, int timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct fo_seen o = { 0 };
    enum err e = member_connect(m, timeout_ms);

    if (e == ERR_OK)
        e = announce_end(m, a, &o);
    if (e == ERR_OK)
        e = member_replication(m, a, &o);
    if (e != ERR_OK)
        return e;
    if (o.writable)
        e = close_primary(m, a, until);
    else if (o.io || o.applying)
        e = close_replica(m, a, until);
    else
        return ERR_OK; /* it was told nothing in this run: what it has noted in
                        * the one before still says all */
    return e == ERR_OK ? leave_mark(m, a) : e;
}

enum err
member_begin_anew(struct member *m, struct arena *a, uint64_t order,
                  int timeout_ms)
{
    enum err e = member_connect(m, timeout_ms);

    if (e == ERR_OK)
        e = run(m, arena_printf(a,
                                "UPDATE metagate_member.told"
                                " SET orders = %llu, ticket = %llu"
                                " WHERE server = @@server_id",
                                (unsigned long long)order,
                                (unsigned long long)order));
    if (e == ERR_OK)
        e = run(m, "UPDATE metagate_member.mark SET run = 0, ends = 0"
                   " WHERE server = @@server_id");
    return e;
}

void
kunlun_before_end(struct arena *a, const struct instance_spec *s,
                  int timeout_ms)
{
    struct member m = { .spec = s };
    enum err e;

    if (s->kind != INSTANCE_STORAGE || s->lone)
        return;
    e = member_take_leave(&m, a, timeout_ms);
    if (e != ERR_OK)
        log_warn("cluster.leave uuid=%s err=%s why=\"%s\"", s->uuid,
                 err_name(e), m.why);
    member_close(&m);
}
