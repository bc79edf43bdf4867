#include "feed_source.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "crypt.h"
#include "json.h"
#include "ticdc/core/tso.h"
#include "ticdc/upstream.h"

#define TABLES_MAX   200000
#define EVENT_MAX    (64u << 20)
#define DEFINED_MAX  1000 /* definitions of tables */
#define HEARTBEAT_MS 300

/* ---- failures ---- */

static enum err
refuse(struct sink_fault *why, enum err e, const char *code, const char *text)
{
    why->code = code;
    snprintf(why->text, sizeof(why->text), "%s", text);
    return e;
}

/* Of a question over the connection. */
enum err
feed_source_lost(struct feed_source *s, struct sink_fault *why)
{
    const struct my_failure *f = my_failure(s->my);

    if (f->err == ERR_NOMEM || f->err == ERR_TIMEOUT)
        return f->err;
    snprintf(why->text, sizeof(why->text), "the source %s fails: %s (%u)",
             s->server.at.label, f->text, f->code);
    why->code = "CDC:ErrNewStore";
    return ERR_PEER;
}

enum err
feed_source_unreadable(const struct feed_source *s,
                       const struct binlog_failure *f, struct sink_fault *why)
{
    snprintf(why->text, sizeof(why->text),
             "the source %s cannot be read: %.3000s", s->server.at.label,
             f->why);
    switch (f->fault) {
    case BINLOG_FAULT_PURGED:
    case BINLOG_FAULT_FUTURE:
    case BINLOG_FAULT_DOMAIN:
        why->code = "CDC:ErrSnapshotLostByGC";
        return ERR_STATE;
    case BINLOG_FAULT_SETTING:
    case BINLOG_FAULT_OWN_ID:
    case BINLOG_FAULT_PRIVILEGE:
        why->code = "CDC:ErrInvalidReplicaConfig";
        return ERR_BAD_PARAM;
    case BINLOG_FAULT_MEMORY:
        return ERR_NOMEM;
    default:
        why->code = "CDC:ErrNewStore";
        return ERR_PEER;
    }
}

/* ---- opening ---- */

static void
hang_up(void *my)
{
    my_close(my);
}

/* A number of our own among the source's replicas, above those that changefeeds
 * are given. */
struct source_config
feed_source_config(const struct feed_source *s)
{
    uint32_t id = 0;

    if (crypt_random(&id, sizeof(id)) != ERR_OK)
        id = (uint32_t)clock_mono_us();
    return (struct source_config){ .server = s->server,
                                   .server_id = 0x80000000u | id,
                                   .heartbeat_ms = HEARTBEAT_MS,
                                   .event_max = EVENT_MAX,
                                   .tables_max = DEFINED_MAX,
                                   .retry_s = 1,
                                   .describes = true };
}

static enum err
ask_clock(struct feed_source *s, struct sink_fault *why)
{
    char text[32];
    int64_t ms;

    if (my_value_of(s->my,
                    "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
                    text, sizeof(text)) != ERR_OK ||
        json_to_i64(text, false, &ms) != ERR_OK)
        return feed_source_lost(s, why);
    s->now_ts = tso_of_ms(ms);
    return ERR_OK;
}

/* For people: nothing depends on it. */
static enum err
ask_position(struct arena *a, struct feed_source *s, struct sink_fault *why)
{
    struct my_table t;
    const char *file;

    if (my_query(s->my, a, "SHOW MASTER STATUS", 1, &t) != ERR_OK)
        return feed_source_lost(s, why);
    file = my_cell(&t, 0, "File");
    s->file = file != NULL ? file : "";
    s->pos = my_cell_u64(&t, 0, "Position");
    return ERR_OK;
}

enum err
feed_source_open(struct arena *a, const char *gtids, int64_t until_ms,
                 struct feed_source *out, struct sink_fault *why)
{
    struct source_config c;
    struct binlog_failure f;
    enum err e;

    *out = (struct feed_source){ 0 };
    e = ticdc_upstream(a, &out->server, why->text);
    if (e != ERR_OK) {
        why->code = "CDC:ErrNewStore";
        return e == ERR_NOMEM ? e : ERR_PEER;
    }
    out->my = my_open();
    if (out->my == NULL)
        return ERR_NOMEM;
    e = arena_defer(a, hang_up, out->my);
    if (e != ERR_OK)
        return e;
    if (my_connect(out->my, &out->server, until_ms) != ERR_OK)
        return feed_source_lost(out, why);
    my_until(out->my, until_ms);
    c = feed_source_config(out);
    e = source_look(&c, gtids, a, &out->says, &f);
    if (e != ERR_OK)
        return feed_source_unreadable(out, &f, why);
    e = ask_position(a, out, why);
    return e == ERR_OK ? ask_clock(out, why) : e;
}

/* ---- its tables ---- */

/* A key is a primary one, or a unique one of columns that are never NULL. */
static const char tables_sql[] =
    "SELECT t.TABLE_SCHEMA AS s, t.TABLE_NAME AS n, t.TABLE_TYPE AS y,"
    " t.CREATE_OPTIONS AS o, k.keys_of AS k FROM information_schema.TABLES t"
    " LEFT JOIN (SELECT x.TABLE_SCHEMA AS ks, x.TABLE_NAME AS kn,"
    " COUNT(*) AS keys_of FROM"
    " (SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME"
    " FROM information_schema.STATISTICS"
    " GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME"
    " HAVING MAX(NON_UNIQUE) = 0 AND SUM(NULLABLE = 'YES') = 0"
    " AND SUM(COLUMN_NAME IS NULL) = 0) x"
    " GROUP BY x.TABLE_SCHEMA, x.TABLE_NAME) k"
    " ON k.ks = t.TABLE_SCHEMA AND k.kn = t.TABLE_NAME"
    " WHERE t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
    " ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME";

enum err
feed_source_tables(struct arena *a, struct feed_source *s,
                   const struct filter *f, struct feed_table **v, size_t *n,
                   struct sink_fault *why)
{
    struct my_table t;
    enum err e = my_query(s->my, a, tables_sql, TABLES_MAX, &t);

    *n = 0;
    if (e == ERR_LIMIT)
        return refuse(why, ERR_BAD_PARAM, "CDC:ErrInvalidReplicaConfig",
                      "the source has more tables than can be looked at");
    if (e != ERR_OK)
        return feed_source_lost(s, why);
    *v = arena_array(a, t.n + 1, sizeof(**v));
    if (*v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < t.n; i++) {
        const char *schema = my_cell(&t, i, "s"), *name = my_cell(&t, i, "n");
        const char *options = my_cell(&t, i, "o");

        if (schema == NULL || name == NULL || !filter_takes(f, schema, name))
            continue;
        (*v)[(*n)++] = (struct feed_table){
            .schema = schema,
            .name = name,
            .eligible = my_cell(&t, i, "k") != NULL,
            .partitioned =
                options != NULL && strstr(options, "partitioned") != NULL,
        };
    }
    return ERR_OK;
}
