/* Changes of the configuration: from the store into this process. */
#include "config_live.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "config/config_rows.h"
#include "file.h"
#include "log.h"
#include "metrics.h"
#include "place.h"
#include "record.h"
#include "runner.h"

#define LOOK_MS     1000
#define ARENA_BYTES ((size_t)1 << 20)
#define VALUE_BYTES 512
#define CHANGES_MAX 1000
#define TEXTS_MAX   64
#define STARTED     "started"

enum { LIST, PUT, END_TEMPORARY, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [LIST] = "SELECT name, persist, value, changed_ms FROM config_change"
             " ORDER BY name, persist DESC",
    [PUT] = "INSERT INTO config_change (name, persist, value, changed_ms)"
            " VALUES (?, ?, ?, " DB_NOW_MS ") ON DUPLICATE KEY UPDATE"
            " value = VALUES(value), changed_ms = VALUES(changed_ms)",
    [END_TEMPORARY] = "DELETE FROM config_change"
                      " WHERE name = ? AND persist = FALSE",
};

#define CHANGE(X, s)                       \
    X(s, STR, name, "name", OUT, -)        \
    X(s, BOOL, persist, "persist", OUT, -) \
    X(s, STR, value, "value", OUT, -)      \
    X(s, I64, changed_ms, "changed_ms", OUT, -)
STRUCT(change, CHANGE);
TABLE(change, CHANGE);
LIST_OF(change);

/* What this process knows. Several threads may look at once; a look that was
 * begun before one that has been applied is stale, and dropped. */
static struct {
    pthread_mutex_t mutex;
    uint64_t looks, applied; /* numbers of looks */
    bool begun;
    int64_t started_ms;      /* of this host, unix */
    struct arena *base;      /* the values below: as file and environment say */
    const char **configured; /* by row */
    bool *refused;           /* by row: said already */
    bool lost;               /* the store could not be asked */
} live = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static struct {
    struct runner_task task;
    struct runner *runner;
} watch;

/* ---- values ---- */

/* Readers hold a text for as long as they like, so that none is ever freed;
 * each is kept once. NULL when there are too many. */
static const char *
keep(const char *text)
{
    static char *kept[TEXTS_MAX];

    for (size_t i = 0; i < COUNT(kept); i++) {
        if (kept[i] == NULL)
            kept[i] = strdup(text);
        if (kept[i] == NULL || strcmp(kept[i], text) == 0)
            return kept[i];
    }
    return NULL;
}

static const char *
value_text(const struct conf_row *row, struct arena *a)
{
    const void *at = row->at;
    const char *text;
    bool on;

    switch (row->type) {
    case CONF_IS_INT:
        return arena_printf(
            a, "%lld",
            row->live ? (long long)atomic_load((const _Atomic int64_t *)at)
                      : (long long)*(const int64_t *)at);
    case CONF_IS_BOOL:
        on = row->live ? atomic_load((const _Atomic bool *)at)
                       : *(const bool *)at;
        return on ? "true" : "false";
    case CONF_IS_STR:
        break;
    }
    text = row->live ? atomic_load((const char *const _Atomic *)at)
                     : *(const char *const *)at;
    return arena_strndup(a, text, strlen(text));
}

static enum err
put_value(const struct conf_row *row, const char *text, struct conf_reason *why)
{
    void *at = row->at;
    union conf_value v;
    enum err e = config_parse(row, text, &v, why);

    if (e != ERR_OK)
        return e;
    if (row->type == CONF_IS_INT) {
        atomic_store((_Atomic int64_t *)at, v.i);
    } else if (row->type == CONF_IS_BOOL) {
        atomic_store((_Atomic bool *)at, v.b);
    } else {
        v.s = keep(text);
        if (v.s == NULL)
            return ERR_NOMEM;
        atomic_store((const char *_Atomic *)at, v.s);
    }
    return ERR_OK;
}

/* ---- the keys ---- */

/* Its number; that behind the last when there is none. */
static size_t
number_of(const char *name)
{
    const struct conf_row *row;
    size_t i;

    for (i = 0; (row = config_row(i)) != NULL; i++)
        if (strcmp(row->name, name) == 0)
            break;
    return i;
}

static const struct conf_row *
find(const char *name)
{
    return config_row(number_of(name));
}

/* Whether it stands as the store says, and not as this host was configured. */
static bool
is_changed(const struct conf_row *row, size_t i, const char *value)
{
    bool changed;

    pthread_mutex_lock(&live.mutex);
    changed = row->live && live.begun && value != NULL &&
              strcmp(live.configured[i], value) != 0;
    pthread_mutex_unlock(&live.mutex);
    return changed;
}

enum err
config_line(size_t i, struct arena *a, struct config_line *out)
{
    static const enum config_type types[] = {
        [CONF_IS_STR] = CONFIG_TEXT,
        [CONF_IS_INT] = CONFIG_INT,
        [CONF_IS_BOOL] = CONFIG_BOOL,
    };
    const struct conf_row *row = config_row(i);

    if (row == NULL)
        return ERR_NOT_FOUND;
    *out = (struct config_line){ .name = row->name,
                                 .type = types[row->type],
                                 .value = value_text(row, a),
                                 .live = row->live,
                                 .dflt = config_default(row),
                                 .doc = row->doc,
                                 .needs = config_needs(row) };
    out->from = config_from(i, &out->line);
    if (is_changed(row, i, out->value)) {
        out->from = "store";
        out->line = 0;
    }
    return out->value == NULL ? ERR_NOMEM : ERR_OK;
}

enum err
config_line_of(const char *name, struct arena *a, struct config_line *out)
{
    return config_line(number_of(name), a, out);
}

enum err
config_change_allowed(const char *name, const char *value)
{
    const struct conf_row *row = find(name);
    struct conf_reason why;
    union conf_value v;

    if (row == NULL)
        return ERR_NOT_FOUND;
    if (!row->live)
        return ERR_STATE;
    if (strlen(value) > VALUE_BYTES)
        return ERR_BAD_PARAM;
    return config_parse(row, value, &v, &why);
}

enum err
config_change_store(struct db *db, const char *name, const char *value,
                    bool persist)
{
    enum err e = ERR_OK;

    if (persist) /* or it would stand above the new value until a restart */
        e = db_exec(db, sql[END_TEMPORARY], DB_ARGS(db_str(name)));
    if (e == ERR_OK)
        e = db_exec(db, sql[PUT],
                    DB_ARGS(db_str(name), db_bool(persist), db_str(value)));
    return e;
}

/* ---- since when this host runs ---- */

enum err
config_mark_start(void)
{
    char path[PLACE_BYTES], text[32];
    int n = snprintf(text, sizeof(text), "%lld\n", (long long)clock_unix_ms());

    if (place_path(path, sizeof(path), STARTED) != ERR_OK)
        return ERR_LIMIT;
    return file_write(path, 0640, text, (size_t)n);
}

/* Without the file: since this process was started. */
static int64_t
started_ms(struct arena *a)
{
    char path[PLACE_BYTES];
    char *text = NULL;
    size_t n;

    if (place_path(path, sizeof(path), STARTED) == ERR_OK &&
        file_read(a, path, 31, &text, &n) == ERR_OK && *text != '\0')
        return strtoll(text, NULL, 10);
    return clock_unix_ms();
}

/* ---- changes ---- */

static enum err
begin(void)
{
    size_t n = config_row_count();
    struct arena *a = arena_new(ARENA_BYTES);

    if (a == NULL)
        return ERR_NOMEM;
    live.base = a;
    live.configured = arena_array(a, n, sizeof(*live.configured));
    live.refused = arena_array(a, n, sizeof(*live.refused));
    for (size_t i = 0; live.configured != NULL && i < n; i++)
        live.configured[i] = value_text(config_row(i), a);
    if (live.configured == NULL || live.refused == NULL) {
        arena_free(a);
        return ERR_NOMEM;
    }
    live.started_ms = started_ms(a);
    live.begun = true;
    return ERR_OK;
}

/* The text that a key should have; the list says what persists first. */
static const char *
wanted(const struct conf_row *row, const struct list_of_change *all,
       const char *configured)
{
    const char *text = configured;

    for (size_t i = 0; i < all->n; i++) {
        const struct change *c = &all->v[i];

        if (strcmp(c->name, row->name) == 0 &&
            (c->persist || c->changed_ms >= live.started_ms))
            text = c->value;
    }
    return text;
}

static enum err
apply_one(const struct conf_row *row, size_t i, const char *want,
          struct arena *a)
{
    const char *have = value_text(row, a), *now = have;
    struct conf_reason why;
    enum err e;

    if (have == NULL || want == NULL)
        return ERR_NOMEM;
    if (strcmp(have, want) == 0)
        return ERR_OK;
    e = put_value(row, want, &why);
    if (e == ERR_OK)
        now = value_text(row, a);
    if (now == NULL)
        return ERR_NOMEM;
    /* "no" is false already: the same value may be written in several ways */
    if (strcmp(have, now) != 0)
        log_info("config.changed key=%s from=%s to=%s", row->name, have, now);
    else if (e == ERR_BAD_PARAM && !live.refused[i])
        log_error("config.refused key=%s value=%s why=\"%s\"", row->name, want,
                  why.text);
    live.refused[i] = e == ERR_BAD_PARAM;
    return e == ERR_BAD_PARAM ? ERR_OK : e;
}

static enum err
apply(const struct list_of_change *all, struct arena *a)
{
    const char *level = config()->core_log_level; /* texts are never freed */
    const struct conf_row *row;
    enum err e = ERR_OK;

    for (size_t i = 0; (row = config_row(i)) != NULL && e == ERR_OK; i++)
        if (row->live)
            e = apply_one(row, i, wanted(row, all, live.configured[i]), a);
    /* else this process may have been told another one since (POST /log) */
    if (strcmp(level, config()->core_log_level) != 0)
        log_set_level_name(config()->core_log_level);
    log_set_format_name(config()->core_log_format);
    return e;
}

static enum err
look_begin(uint64_t *look)
{
    enum err e;

    pthread_mutex_lock(&live.mutex);
    e = live.begun ? ERR_OK : begin();
    *look = ++live.looks;
    pthread_mutex_unlock(&live.mutex);
    return e;
}

static enum err
look_end(uint64_t look, const struct list_of_change *all, struct arena *a)
{
    enum err e = ERR_OK;

    pthread_mutex_lock(&live.mutex);
    if (look > live.applied) {
        e = apply(all, a);
        live.applied = look;
    }
    pthread_mutex_unlock(&live.mutex);
    return e;
}

enum err
config_refresh(struct db *db)
{
    struct arena *a = arena_new(ARENA_BYTES);
    struct list_of_change all = { 0, NULL };
    uint64_t look;
    enum err e;

    if (a == NULL)
        return ERR_NOMEM;
    e = look_begin(&look);
    if (e == ERR_OK)
        e = db_list(db, a, sql[LIST], DB_NO_ARGS, &change_rec, CHANGES_MAX,
                    &all);
    if (e == ERR_OK)
        e = look_end(look, &all, a);
    arena_free(a);
    return e;
}

/* ---- the watch ---- */

/* What fails is not a failed step of a duty: it is said when it begins. */
static enum turn
step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    enum err e = config_refresh(db);

    (void)ctx;
    (void)a;
    (void)memory;
    if (e != ERR_OK && !live.lost)
        log_warn("config.store err=%s errno=%u why=\"%s\"", err_name(e),
                 db_errno(db), db_error(db));
    live.lost = e != ERR_OK;
    metrics_self();
    return TURN_IDLE;
}

void
config_watch_start(void)
{
    struct db *db = db_open();

    if (db != NULL)
        (void)step(NULL, db, NULL, NULL);
    db_close(db);
    watch.task = (struct runner_task){ .name = "config",
                                       .every_ms = LOOK_MS,
                                       .step = step };
    watch.runner = runner_start(&watch.task);
    if (watch.runner == NULL)
        log_error("config.thread");
}

bool
config_watch_stop(int64_t timeout_ms)
{
    if (watch.runner == NULL)
        return true;
    runner_stop(watch.runner);
    if (!runner_join(watch.runner, timeout_ms))
        return false;
    watch.runner = NULL;
    return true;
}
