/* What the store has of a machine's instances. The keeper writes what it
 * shows; pauses are written by others, and read here. Of whether an instance is
 * to run both have a copy: the one with the higher seq counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "job.h"
#include "keeper_int.h"
#include "keeper_list.h"
#include "log.h"

#define LOOK_MS     5000
#define RETRY_MS    1000
#define ROUND_MS    5000 /* a round takes no longer: its deadline */
#define ARENA_BYTES ((size_t)64 << 20)
#define ROWS_MAX    100000

/* A row as the keeper reads it. */
#define KEPT_ROW(X, s)                        \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -)   \
    X(s, I32, port, "port", COLUMN_ONLY, -)   \
    X(s, STR, root, "root", COLUMN_ONLY, -)   \
    X(s, STR, class, "class", COLUMN_ONLY, -) \
    X(s, U64, seq, "seq", COLUMN_ONLY, -)     \
    X(s, BOOL, to_run, "to_run", COLUMN_ONLY, -)
STRUCT(kept_row, KEPT_ROW);
LIST_OF(kept_row);
TABLE(kept_row, KEPT_ROW);

#define SHOWN                                                         \
    "SELECT machine, uuid, port, driver, kind, state, since_ms, pid," \
    " restarts, to_run, paused_until_ms, held_by, why FROM kept_instance"

enum {
    ROWS,
    PAUSES,
    WRITE,
    DROP,
    DROP_PAUSE,
    SHOW,
    SHOW_ALL,
    PAUSE_CLEAR,
    PAUSE_ALL,
    PAUSE_PORT,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [ROWS] = "SELECT uuid, port, root, class, seq, to_run"
             " FROM kept_instance WHERE machine = ? ORDER BY port, uuid",
    [PAUSES] = "SELECT port, until_ms FROM kept_pause WHERE machine = ?"
               " ORDER BY port",
    /* what is newer there stays, also if it has come since it was looked at;
     * assignments are made from left to right */
    [WRITE] = "INSERT INTO kept_instance (machine, uuid, port, root, class,"
              " driver, kind, seq, to_run, held_by, state, since_ms, pid,"
              " restarts, paused_until_ms, why, told_ms)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
              " " DB_NOW_MS ") ON DUPLICATE KEY UPDATE port = VALUES(port),"
              " root = VALUES(root), class = VALUES(class),"
              " driver = VALUES(driver), kind = VALUES(kind),"
              " to_run = IF(VALUES(seq) >= seq, VALUES(to_run), to_run),"
              " seq = GREATEST(seq, VALUES(seq)),"
              " held_by = VALUES(held_by), state = VALUES(state),"
              " since_ms = VALUES(since_ms), pid = VALUES(pid),"
              " restarts = VALUES(restarts),"
              " paused_until_ms = VALUES(paused_until_ms),"
              " why = VALUES(why), told_ms = VALUES(told_ms)",
    [DROP] = "DELETE FROM kept_instance WHERE machine = ? AND uuid = ?",
    [DROP_PAUSE] = "DELETE p FROM kept_pause p JOIN kept_instance i"
                   " ON i.machine = p.machine AND i.port = p.port"
                   " WHERE i.machine = ? AND i.uuid = ?",
    [SHOW] = SHOWN " WHERE machine = ? ORDER BY port, uuid",
    [SHOW_ALL] = SHOWN " ORDER BY machine, port, uuid",
    [PAUSE_CLEAR] = "DELETE FROM kept_pause WHERE machine = ?",
    [PAUSE_ALL] = "INSERT INTO kept_pause (machine, port, until_ms)"
                  " VALUES (?, 0, ?)",
    [PAUSE_PORT] = "INSERT INTO kept_pause (machine, port, until_ms)"
                   " SELECT machine, port, ? FROM kept_instance"
                   " WHERE machine = ? AND port = ?"
                   " ON DUPLICATE KEY UPDATE until_ms = VALUES(until_ms)",
};

/* ---- for everybody ---- */

enum err
kept_list(struct db *db, struct arena *a, const char *machine,
          struct list_of_kept *out)
{
    if (machine == NULL)
        return db_list(db, a, sql[SHOW_ALL], DB_NO_ARGS, &kept_rec, ROWS_MAX,
                       out);
    return db_list(db, a, sql[SHOW], DB_ARGS(db_str(machine)), &kept_rec,
                   ROWS_MAX, out);
}

enum err
pullup_pause(struct db *db, const char *machine, unsigned port,
             int64_t until_ms)
{
    enum err e;

    if (port != 0)
        return db_exec(
            db, sql[PAUSE_PORT],
            DB_ARGS(db_i64(until_ms), db_str(machine), db_u64(port)));
    e = db_exec(db, sql[PAUSE_CLEAR], DB_ARGS(db_str(machine)));
    if (e == ERR_OK && until_ms != PAUSE_NONE)
        e = db_exec(db, sql[PAUSE_ALL],
                    DB_ARGS(db_str(machine), db_i64(until_ms)));
    return e;
}

/* ---- a round ---- */

/* An instance as it was when the round began. */
struct seen {
    struct kept shown;
    char root[PATH_MAX], class[32];
    uint64_t seq;
    bool unsaved;
};

struct round {
    struct keeper *k;
    struct db *db;
    struct arena *a;
    struct seen *v;
    size_t n;
    const char **dropped;
    size_t n_dropped;
    uint64_t asked;
    struct list_of_kept_row rows;
    struct list_of_kept_pause pauses;
};

static enum err
copy_texts(struct arena *a, struct kept *x)
{
    const char **text[] = { &x->uuid, &x->driver, &x->kind, &x->why };

    for (size_t i = 0; i < COUNT(text); i++) {
        *text[i] = arena_strdup(a, *text[i]);
        if (*text[i] == NULL)
            return ERR_NOMEM;
    }
    return ERR_OK;
}

/* Under the mutex. */
static enum err
take_stock(struct round *r)
{
    struct keeper *k = r->k;

    r->asked = k->asked;
    k->sync_now = false;
    r->v = arena_array(r->a, k->n, sizeof(*r->v));
    r->dropped = arena_array(r->a, k->n_dropped, sizeof(char *));
    if (r->v == NULL || r->dropped == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < k->n; i++) {
        struct seen *s = &r->v[r->n++];
        struct keep *one = k->v[i];

        keep_show(one, &s->shown);
        if (copy_texts(r->a, &s->shown) != ERR_OK)
            return ERR_NOMEM;
        (void)snprintf(s->root, sizeof(s->root), "%s", one->root);
        (void)snprintf(s->class, sizeof(s->class), "%s", one->class);
        s->seq = one->seq;
        s->unsaved = one->unsaved;
    }
    for (size_t i = 0; i < k->n_dropped; i++) {
        r->dropped[i] = arena_strdup(r->a, k->dropped[i]);
        if (r->dropped[i] == NULL)
            return ERR_NOMEM;
        r->n_dropped++;
    }
    return ERR_OK;
}

static const struct kept_row *
row_of(const struct round *r, const char *uuid)
{
    for (size_t i = 0; i < r->rows.n; i++)
        if (strcmp(r->rows.v[i].uuid, uuid) == 0)
            return &r->rows.v[i];
    return NULL;
}

static enum err
read_store(struct round *r)
{
    const struct db_args machine = DB_ARGS(db_str(r->k->cfg.machine));
    enum err e = db_list(r->db, r->a, sql[PAUSES], machine, &kept_pause_rec,
                         ROWS_MAX, &r->pauses);

    if (e == ERR_OK)
        e = db_list(r->db, r->a, sql[ROWS], machine, &kept_row_rec, ROWS_MAX,
                    &r->rows);
    return e;
}

static enum err
drop(struct round *r, const char *uuid)
{
    const struct db_args args =
        DB_ARGS(db_str(r->k->cfg.machine), db_str(uuid));
    enum err e = db_begin(r->db);

    if (e == ERR_OK)
        e = db_exec(r->db, sql[DROP_PAUSE], args);
    if (e == ERR_OK)
        e = db_exec(r->db, sql[DROP], args);
    return db_end(r->db, e);
}

static enum err
write_row(struct round *r, const struct seen *s)
{
    const struct kept *x = &s->shown;

    return db_exec(r->db, sql[WRITE],
                   DB_ARGS(db_str(r->k->cfg.machine), db_str(x->uuid),
                           db_i64(x->port), db_str(s->root), db_str(s->class),
                           db_str(x->driver), db_str(x->kind), db_u64(s->seq),
                           db_bool(x->to_run), db_u64(x->held_by),
                           db_str(enum_text(kept_state_names, x->state)),
                           db_i64(x->since_ms), db_i64(x->pid),
                           db_i64(x->restarts), db_i64(x->paused_ms),
                           db_str(x->why)));
}

/* Lost ones know nothing of their seq: what the store has stays. */
static enum err
write_store(struct round *r)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < r->n_dropped && e == ERR_OK; i++)
        e = drop(r, r->dropped[i]);
    for (size_t i = 0; i < r->n && e == ERR_OK; i++) {
        const struct seen *s = &r->v[i];
        const struct kept_row *row = row_of(r, s->shown.uuid);

        if ((row == NULL || s->unsaved) && (row == NULL || row->seq <= s->seq))
            e = write_row(r, s);
    }
    return e;
}

/* ---- what follows from it: under the mutex ---- */

static enum err
take_pauses(struct round *r)
{
    struct keeper *k = r->k;
    struct pullup_pause *v = calloc(r->pauses.n + 1, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->pauses.n; i++)
        v[i] = (struct pullup_pause){ (unsigned)r->pauses.v[i].port,
                                      r->pauses.v[i].until_ms };
    if (r->pauses.n != k->pauses.n ||
        memcmp(v, k->pauses.v, r->pauses.n * sizeof(*v)) != 0)
        k->list_changed = true;
    free(k->pauses.v);
    k->pauses = (struct pullup_pauses){ r->pauses.n, v };
    for (size_t i = 0; i < k->n; i++) {
        struct keep *one = k->v[i];
        int64_t until_ms = pullup_until(&k->pauses, one->port);

        one->unsaved = one->unsaved || until_ms != one->want.until_ms;
        one->want.until_ms = until_ms;
    }
    return ERR_OK;
}

static bool
was_dropped(const struct round *r, const char *uuid)
{
    for (size_t i = 0; i < r->n_dropped; i++)
        if (strcmp(r->dropped[i], uuid) == 0)
            return true;
    for (size_t i = 0; i < r->k->n_dropped; i++)
        if (strcmp(r->k->dropped[i], uuid) == 0)
            return true;
    return false;
}

/* RUN_DIR's list was lost, or is of another host: the store knows of homes
 * that it does not have. */
static enum err
take_unknown(struct round *r, const struct kept_row *row)
{
    struct keeper *k = r->k;
    struct keep *one;

    if (keeper_find(k, (unsigned)row->port) != NULL || row->root == NULL ||
        row->class == NULL)
        return ERR_OK;
    one = keep_new(&(struct home){ row->root, row->class, (unsigned)row->port,
                                   row->uuid });
    if (one == NULL)
        return ERR_NOMEM;
    log_warn("keeper.from_store port=%d uuid=%s", row->port, row->uuid);
    return keeper_put(k, one); /* its first step reads the home */
}

static void
take_newer(struct round *r, const struct kept_row *row)
{
    struct keep *one = keeper_find_uuid(r->k, row->uuid);

    if (one == NULL || one->lost || row->seq <= one->seq)
        return;
    one->seq = row->seq;
    one->want.to_run = row->to_run;
    if (keep_save(one) != ERR_OK)
        log_warn("keeper.newer name=%s saved=0", one->name);
}

static enum err
apply(struct round *r)
{
    struct keeper *k = r->k;
    enum err e = take_pauses(r);

    for (size_t i = 0; i < r->rows.n && e == ERR_OK; i++) {
        const struct kept_row *row = &r->rows.v[i];

        if (was_dropped(r, row->uuid))
            continue;
        if (keeper_find_uuid(k, row->uuid) == NULL)
            e = take_unknown(r, row);
        else
            take_newer(r, row);
    }
    for (size_t i = 0; i < r->n_dropped && e == ERR_OK; i++) {
        /* the first ones: what came meanwhile stands behind them */
        k->n_dropped--;
        memmove(k->dropped, k->dropped + 1, k->n_dropped * sizeof(*k->dropped));
        k->list_changed = true;
    }
    return e;
}

/* What was written shows no more than it did then. */
static void
note_saved(struct round *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct keep *one = keeper_find_uuid(r->k, r->v[i].shown.uuid);
        struct kept now;

        if (one == NULL)
            continue;
        keep_show(one, &now);
        if (one->seq == r->v[i].seq && now.state == r->v[i].shown.state &&
            now.pid == r->v[i].shown.pid &&
            now.restarts == r->v[i].shown.restarts &&
            now.held_by == r->v[i].shown.held_by &&
            now.paused_ms == r->v[i].shown.paused_ms)
            one->unsaved = false;
    }
}

/* A job that has ended without giving back what it held: undone by hand, or
 * the store is an older one. */
static enum err
end_holds(struct round *r)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < r->n && e == ERR_OK; i++) {
        uint64_t id = r->v[i].shown.held_by;
        struct job j;

        if (id == 0)
            continue;
        e = job_get(r->db, r->a, id, &j);
        if (e == ERR_NOT_FOUND || (e == ERR_OK && j.state >= JOB_DONE)) {
            e = keeper_release(r->k, (unsigned)r->v[i].shown.port, id);
            if (e == ERR_OK)
                log_warn("keeper.unheld port=%d job=%llu", r->v[i].shown.port,
                         (unsigned long long)id);
            e = ERR_OK; /* or it is another's by now */
        }
    }
    return e;
}

static enum err
go_round(struct round *r)
{
    struct keeper *k = r->k;
    enum err e;

    pthread_mutex_lock(&k->mutex);
    e = take_stock(r);
    pthread_mutex_unlock(&k->mutex);
    db_deadline(r->db, clock_mono_ms() + ROUND_MS);
    if (e == ERR_OK)
        e = read_store(r);
    pthread_mutex_lock(&k->mutex);
    if (e == ERR_OK && (e = take_pauses(r)) == ERR_OK) {
        k->answered = r->asked; /* before it is written to, which may hang */
        keeper_poke(k);
    }
    pthread_mutex_unlock(&k->mutex);
    if (e == ERR_OK)
        e = write_store(r);
    pthread_mutex_lock(&k->mutex);
    if (e == ERR_OK)
        e = apply(r);
    if (e == ERR_OK)
        note_saved(r);
    k->answered = r->asked; /* or it does not answer */
    keeper_poke(k);
    pthread_mutex_unlock(&k->mutex);
    return e == ERR_OK ? end_holds(r) : e;
}

/* Answers whether to go on. */
static bool
rest(struct keeper *k, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    const struct timespec t = { until_ms / 1000, until_ms % 1000 * 1000000 };
    bool leave;

    pthread_mutex_lock(&k->mutex);
    while (!k->leave && !k->sync_now &&
           pthread_cond_timedwait(&k->sync_change, &k->mutex, &t) == 0)
        ;
    leave = k->leave;
    pthread_mutex_unlock(&k->mutex);
    return !leave;
}

void *
keeper_sync_main(void *arg)
{
    struct keeper *k = arg;
    struct db *db = db_open();
    struct arena *a = arena_new(ARENA_BYTES);
    bool blind = false;
    enum err e = db != NULL && a != NULL ? ERR_OK : ERR_NOMEM;

    do {
        struct round r = { .k = k, .db = db, .a = a };

        if (db == NULL || a == NULL)
            break;
        e = go_round(&r);
        if (e != ERR_OK && !blind)
            log_warn("keeper.store err=%s errno=%u why=\"%s\"", err_name(e),
                     db_errno(db), db_error(db));
        blind = e != ERR_OK;
        arena_reset(a);
    } while (rest(k, blind ? RETRY_MS : LOOK_MS));
    if (db == NULL || a == NULL)
        log_error("keeper.store err=%s", err_name(e));
    if (db != NULL)
        db_close(db);
    arena_free(a);
    return NULL;
}
