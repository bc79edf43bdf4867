/* Applying migrations: one migrator at a time, step by step, each of which
 * may have been begun, or done, by one that is no more. sql/README.md tells
 * the rules. */
#include "migrate.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "migrate_lock.h"
#include "migrate_rows.h"
#include "migrate_schema.h"

#define ARENA_BYTES (16u << 20)
/* Steps of the first file that make what the lock itself needs. */
#define BOOTSTRAP_STEPS 3
/* How long a lock, or a server that went away, is waited for. */
#define PATIENCE_MS 60000
#define PAUSE_MS    500
#define TAKEOVER_MS 30000
#define LOCK_TRIES  3

static const char claim_sql[] =
    "INSERT INTO deployment (one, deployment_id, since_ms)"
    " VALUES (1, ?, " DB_NOW_MS ")";
static const char before_sql[] =
    "INSERT INTO schema_migration (id, step, name, min_reader, digest, epoch,"
    " server, session_id, started_ms, finished_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, " DB_NOW_MS ", NULL)"
    " ON DUPLICATE KEY UPDATE min_reader = VALUES(min_reader),"
    " digest = VALUES(digest), epoch = VALUES(epoch),"
    " server = VALUES(server), session_id = VALUES(session_id),"
    " started_ms = VALUES(started_ms)";
static const char after_sql[] =
    "UPDATE schema_migration SET finished_ms = " DB_NOW_MS
    " WHERE id = ? AND step = ?";

struct run {
    struct db *db;
    struct arena *a;
    FILE *report;
    bool dry;
    struct migrations all;
    struct list_of_migration_row rows;
    struct migrate_lock lock;
    unsigned applied;
    unsigned min_reader; /* of what is to be done */
    const char *doing;   /* for the report of a failure */
};

static enum err
say_failure(struct run *r, enum err e)
{
    bool server = db_errno(r->db) != 0;

    (void)fprintf(r->report, "%s: %s%s%s\n", r->doing, err_name(e),
                  server ? ": " : "", server ? db_error(r->db) : "");
    return e;
}

/* ---- before the lock ---- */

static enum err
probe(struct run *r, const struct step *s, bool *done)
{
    int64_t v = 0;
    enum err e = db_one_i64(r->db, s->probe, DB_NO_ARGS, &v);

    *done = e == ERR_OK && v != 0;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
bootstrap(struct run *r)
{
    const struct migration *first = &r->all.v[0];
    enum err e = ERR_OK;
    bool done;

    r->doing = "making the first tables";
    for (size_t i = 0; i < BOOTSTRAP_STEPS && e == ERR_OK; i++) {
        e = probe(r, &first->steps[i], &done);
        if (e == ERR_OK && !done)
            e = db_exec_text(r->db, first->steps[i].ddl);
    }
    return e;
}

static enum err
claim(struct run *r, const char *deployment_id)
{
    const char *owner;
    enum err e;

    r->doing = "claiming the schema for the deployment";
    e = db_exec(r->db, claim_sql, DB_ARGS(db_str(deployment_id)));
    if (e == ERR_EXISTS)
        e = ERR_OK;
    if (e == ERR_OK)
        e = migration_owner(r->db, r->a, &owner);
    if (e != ERR_OK)
        return e;
    if (strcmp(owner, deployment_id) == 0)
        return ERR_OK;
    (void)fprintf(r->report,
                  "schema %s belongs to deployment %s, this is %s: name "
                  "another [mysql] database, or copy that deployment's "
                  "deployment_id file\n",
                  db_database(), owner, deployment_id);
    return ERR_DENIED;
}

/* ---- one step ---- */

static void
say_step(struct run *r, const struct migration *m, size_t i, const char *what)
{
    (void)fprintf(r->report, "%04u_%s step %zu of %zu: %s\n", m->id, m->name,
                  i + 1, m->n_steps, what);
    (void)fflush(r->report);
    log_debug("migrate.step id=%u step=%zu what=\"%s\"", m->id, i + 1, what);
}

/* A row of ours, written only while the lock is. */
static enum err
write_row(struct run *r, const char *sql, struct db_args args)
{
    enum err e = lease_begin(r->db, &r->lock.keeper.lease);

    if (e == ERR_OK)
        e = db_exec(r->db, sql, args);
    return db_end(r->db, e);
}

static enum err
row_before(struct run *r, const struct migration *m, size_t i)
{
    const struct my_session *s = db_session(r->db);

    return write_row(r, before_sql,
                     DB_ARGS(db_u64(m->id), db_u64(i + 1), db_str(m->name),
                             db_u64(m->min_reader), db_str(m->steps[i].digest),
                             db_u64(r->lock.keeper.lease.epoch),
                             db_str(s->server), db_u64(s->id)));
}

static enum err
row_after(struct run *r, const struct migration *m, size_t i)
{
    return write_row(r, after_sql, DB_ARGS(db_u64(m->id), db_u64(i + 1)));
}

/* Sends the DDL. Its failure may mean that another has just done it: the
 * probe decides. */
static enum err
perform(struct run *r, const struct migration *m, size_t i)
{
    enum err e = db_exec_text(r->db, m->steps[i].ddl), asked;
    bool done = false;

    if (e == ERR_BUSY || e == ERR_STORE)
        return e;
    asked = probe(r, &m->steps[i], &done);
    if (done)
        return ERR_OK;
    if (asked != ERR_OK)
        return asked;
    if (e == ERR_OK)
        say_step(r, m, i, "its probe does not see it done");
    return e == ERR_OK ? ERR_INTERNAL : e;
}

static enum err
try_step(struct run *r, const struct migration *m, size_t i)
{
    bool done;
    enum err e = probe(r, &m->steps[i], &done);

    /* before the row: a reconnect in between changes the session */
    if (e == ERR_OK)
        e = row_before(r, m, i);
    if (e == ERR_OK && !done)
        e = perform(r, m, i);
    if (e == ERR_OK)
        e = row_after(r, m, i);
    if (e != ERR_OK)
        return e;
    say_step(r, m, i, done ? "was done" : "done");
    r->applied++;
    return ERR_OK;
}

/* A lock on the table is given up after a moment and tried again, so that
 * requests behind our DDL never wait for long. */
static enum err
do_step(struct run *r, const struct migration *m, size_t i)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    enum err e;

    for (;;) {
        if (lease_keeper_holds(&r->lock.keeper) != ERR_OK)
            return ERR_STATE;
        e = try_step(r, m, i);
        if ((e != ERR_BUSY && e != ERR_STORE) || clock_mono_ms() > until)
            return e;
        migrate_pause(PAUSE_MS);
    }
}

static enum err
step_needed(struct run *r, const struct migration *m, size_t i, bool *out)
{
    const struct migration_row *row =
        migration_row_find(&r->rows, m->id, i + 1);

    *out = !migration_row_done(row);
    if (*out || strcmp(row->digest, m->steps[i].digest) == 0)
        return ERR_OK;
    say_step(r, m, i,
             "the file was changed after it was applied; a change "
             "needs a new migration");
    return ERR_BAD_PARAM;
}

/* ---- all of them ---- */

static enum err
visit(struct run *r, const struct migration *m, size_t i)
{
    bool needed;
    enum err e = step_needed(r, m, i, &needed);

    if (e != ERR_OK || !needed)
        return e;
    if (r->dry) {
        r->applied++;
        if (m->min_reader > r->min_reader)
            r->min_reader = m->min_reader;
        say_step(r, m, i, "to be done");
        return ERR_OK;
    }
    r->doing = m->name;
    return do_step(r, m, i);
}

static enum err
visit_all(struct run *r)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < r->all.n; i++)
        for (size_t step = 0; step < r->all.v[i].n_steps && e == ERR_OK; step++)
            e = visit(r, &r->all.v[i], step);
    return e;
}

/* Ends what a migrator before us may have left running, or only asleep. */
static enum err
end_predecessor(struct run *r, const struct migration_row *row)
{
    int64_t now = clock_mono_ms();
    struct my_session old = { .id = row->session_id,
                              .since_ms = now - row->age_ms };
    enum err e;

    (void)snprintf(old.server, sizeof(old.server), "%s", row->server);
    if (old.id == db_session(r->db)->id &&
        strcmp(old.server, db_session(r->db)->server) == 0)
        return ERR_OK; /* its number is ours by now: the server restarted */
    e = db_session_end(r->db, &old, now + TAKEOVER_MS);
    if (e == ERR_STATE) {
        log_warn("migrate.predecessor server=%s id=%llu why=\"on another "
                 "server\"",
                 old.server, old.id);
        return ERR_OK;
    }
    return e;
}

static enum err
run_locked(struct run *r)
{
    enum err e;

    r->doing = "taking the lock";
    e = migrate_lock_take(&r->lock, r->db, r->report);
    if (e != ERR_OK)
        return e;
    e = migration_rows(r->db, r->a, &r->rows);
    r->doing = "taking over from an earlier migrator";
    for (size_t i = 0; i < r->rows.n && e == ERR_OK; i++)
        if (!migration_row_done(&r->rows.v[i]))
            e = end_predecessor(r, &r->rows.v[i]);
    if (e == ERR_OK)
        e = visit_all(r);
    lease_keeper_stop(&r->lock.keeper, r->db);
    return e;
}

/* Every part of it may be done again: after the lock was lost, and while the
 * server is away or busy. */
static enum err
apply(struct run *r, const char *deployment_id)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    int locks_lost = 0;
    enum err e;

    for (;;) {
        e = bootstrap(r);
        if (e == ERR_OK)
            e = claim(r, deployment_id);
        if (e == ERR_OK)
            e = run_locked(r);
        if (e == ERR_STATE && ++locks_lost < LOCK_TRIES)
            (void)fprintf(r->report, "the lock went to another migrator\n");
        else if ((e != ERR_BUSY && e != ERR_STORE) || clock_mono_ms() > until)
            return e == ERR_OK || e == ERR_DENIED ? e : say_failure(r, e);
        migrate_pause(PAUSE_MS);
    }
}

static enum err
rehearse(struct run *r, enum err schema)
{
    bool there = false;
    enum err e = ERR_OK;

    if (schema == ERR_OK)
        e = probe(r, &r->all.v[0].steps[1], &there);
    r->doing = "reading what is done";
    if (e == ERR_OK && there)
        e = migration_rows(r->db, r->a, &r->rows);
    return e == ERR_OK ? visit_all(r) : say_failure(r, e);
}

static enum err
run(struct run *r, const char *deployment_id)
{
    char why[WHY_BYTES];
    enum err e;

    e = migrations_parse(r->a, embed_sql, &r->all, why);
    if (e != ERR_OK) {
        (void)fprintf(r->report, "%s\n", why);
        return ERR_INTERNAL;
    }
    e = migrate_schema(r->dry, r->report);
    if (r->dry && (e == ERR_OK || e == ERR_NOT_FOUND))
        e = rehearse(r, e);
    else if (e == ERR_OK)
        e = apply(r, deployment_id);
    if (e == ERR_OK && r->min_reader != 0)
        (void)fprintf(r->report,
                      "binaries of schema version %u and later serve it; "
                      "older ones are refused from its first step on\n",
                      r->min_reader);
    if (e == ERR_OK)
        (void)fprintf(r->report, "schema %s: version %u, %u step%s %s\n",
                      db_database(), r->all.version, r->applied,
                      r->applied == 1 ? "" : "s",
                      r->dry ? "to be done" : "done");
    return e;
}

unsigned
migrate_version(void)
{
    unsigned v = 0;

    /* by number, and the last one is the highest: migrations_parse */
    for (const struct embedded *f = embed_sql; f->name != NULL; f++)
        v = migration_number(f->name);
    return v;
}

enum err
migrate_run(const char *deployment_id, bool dry_run, FILE *report)
{
    struct run r = { .report = report, .dry = dry_run };
    enum err e = ERR_NOMEM;

    r.a = arena_new(ARENA_BYTES);
    r.db = db_open();
    if (r.a != NULL && r.db != NULL)
        e = run(&r, deployment_id);
    db_close(r.db);
    if (r.a != NULL)
        arena_free(r.a);
    return e;
}
