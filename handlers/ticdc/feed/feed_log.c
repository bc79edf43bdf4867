/* What the source's log still has, and where in it reading begins. */
#include "feed_source.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "log.h"
#include "ticdc/core/tso.h"

/* A log without a transaction whose beginning was thrown away: what is older
 * than this may be missing. */
#define UNKNOWN_MS 60000
/* Times in a log go back by as much as its longest statement took. */
#define STATEMENT_MS 3600000
#define LOGS_MAX     100000

/* ---- the first transaction behind a position ---- */

struct look {
    struct source *source;
    int64_t at_us;
    bool found, empty;
};

static bool
wants_none(void *ctx, const char *schema, const char *table)
{
    (void)ctx;
    (void)schema;
    (void)table;
    return false;
}

static enum err
first_begins(void *ctx, const struct source_txn *txn)
{
    struct look *o = ctx;

    o->at_us = txn->at_us;
    o->found = true;
    return ERR_LIMIT; /* enough */
}

static enum err
nothing_there(void *ctx)
{
    struct look *o = ctx;

    o->empty = true;
    return ERR_LIMIT;
}

/* It is asked once: what is wrong is said, and no second try is made. */
static void
stop_trying(void *ctx, enum source_state state,
            const struct binlog_failure *why, int64_t wait_ms)
{
    struct look *o = ctx;

    (void)why;
    (void)wait_ms;
    if (state == SOURCE_WAITING)
        source_stop(o->source);
}

static const struct source_taker look_taker = {
    .wants = wants_none,
    .begin = first_begins,
    .idle = nothing_there,
    .state = stop_trying,
};

/* A log that was never cut and has no transaction has all since the server
 * began; one that was cut may lack what is not quite new. */
static enum err
oldest_without_any(struct feed_source *s, uint64_t *out, struct sink_fault *why)
{
    int64_t now_ms = tso_ms(s->now_ts), up_s;
    struct my_table t;
    struct arena *a;
    const char *text;

    *out = tso_of_ms(now_ms - UNKNOWN_MS);
    if (!str_empty(s->says.first))
        return ERR_OK;
    a = arena_new(1 << 16);
    if (a == NULL)
        return ERR_NOMEM;
    if (my_query(s->my, a, "SHOW GLOBAL STATUS LIKE 'Uptime'", 1, &t) !=
        ERR_OK) {
        arena_free(a);
        return feed_source_lost(s, why);
    }
    text = my_cell(&t, 0, "Value");
    if (text != NULL && json_to_i64(text, false, &up_s) == ERR_OK)
        *out = tso_of_ms(now_ms - up_s * 1000);
    arena_free(a);
    return ERR_OK;
}

/* look->found, or look->empty: there is none. */
static enum err
look_behind(struct feed_source *s, const char *gtids, struct look *o,
            struct sink_fault *why)
{
    struct source_config c = feed_source_config(s);
    enum err e = ERR_OK;

    *o = (struct look){ .source = source_open(&c, gtids, &look_taker, o) };
    if (o->source == NULL)
        return ERR_NOMEM;
    if (source_run(o->source) != ERR_OK && !o->found && !o->empty)
        e = feed_source_unreadable(s, source_failure(o->source), why);
    source_close(o->source);
    return e;
}

enum err
feed_source_oldest(struct feed_source *s, uint64_t *out, struct sink_fault *why)
{
    struct look o;
    enum err e;

    if (strcmp(s->says.first, s->says.now) == 0)
        return oldest_without_any(s, out, why);
    e = look_behind(s, s->says.first, &o, why);
    if (e != ERR_OK)
        return e;
    if (!o.found)
        return oldest_without_any(s, out, why);
    *out = tso_of_ms(o.at_us / 1000);
    return ERR_OK;
}

/* ---- where reading begins ---- */

/* Whether all behind that time is in the log of that name or a later one; its
 * beginning in *gtids. */
static enum err
begins_before(struct arena *a, struct feed_source *s, const char *file,
              int64_t ms, const char **gtids, bool *yes)
{
    struct sink_fault why;
    struct look o;
    enum err e = my_binlog_begins(s->my, a, file, gtids);

    *yes = false;
    if (e == ERR_OK && !str_empty(*gtids)) {
        e = look_behind(s, *gtids, &o, &why);
        *yes = e == ERR_OK && o.found && o.at_us / 1000 <= ms;
    }
    return e;
}

enum err
feed_source_from(struct arena *a, struct feed_source *s, uint64_t ts,
                 const char **gtids)
{
    int64_t ms = (int64_t)tso_ms(ts) - STATEMENT_MS;
    struct my_table t;
    size_t low = 0, high;
    enum err e;

    *gtids = s->says.first;
    if (!my_is_mariadb(s->my))
        return ERR_OK;
    e = my_query(s->my, a, "SHOW BINARY LOGS", LOGS_MAX, &t);
    high = e == ERR_OK ? t.n : 0;
    while (e == ERR_OK && high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const char *file = my_cell(&t, middle, "Log_name"), *begin;
        bool yes;

        e = begins_before(a, s, file != NULL ? file : "", ms, &begin, &yes);
        if (e == ERR_OK && yes) {
            *gtids = begin;
            low = middle;
        } else {
            high = middle;
        }
    }
    if (e != ERR_OK && e != ERR_NOMEM) /* more is read than has to be */
        log_info("ticdc.start logs=%zu err=%s", t.n, err_name(e));
    return e == ERR_NOMEM ? e : ERR_OK;
}
