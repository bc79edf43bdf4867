/* Variables of a table, changed. Keys that Pegasus knows have rules; others
 * are taken as they are. */
#include "env.h"

#include <string.h>

#include "audit.h"

TABLE(pegasus_envs_set, PEGASUS_ENVS_SET);
TABLE(pegasus_envs_del, PEGASUS_ENVS_DEL);
TABLE(pegasus_envs_clear, PEGASUS_ENVS_CLEAR);

CHECKS(pegasus_envs_set, NEED(app_name, PEGASUS_EMPTY),
       PRESENT(envs, PEGASUS_EMPTY));
CHECKS(pegasus_envs_del, NEED(app_name, PEGASUS_EMPTY),
       PRESENT(keys, PEGASUS_EMPTY));
CHECKS(pegasus_envs_clear, NEED(app_name, PEGASUS_EMPTY));

#define KEY_MAX_BYTES   255
#define VALUE_MAX_BYTES 65535

/* ---- rules ---- */

enum rule { ANYTHING, NUMBER, BOOLEAN, ONE_OF, THROTTLING, DENY, CLOCK_TIMES };

static const struct {
    const char *key;
    enum rule rule;
    int64_t min, max;  /* NUMBER */
    const char *words; /* ONE_OF: " a b " */
    const char *hint;  /* NULL: made from the rule */
} known[] = {
    { "replica.slow_query_threshold", NUMBER, 20, INT64_MAX, NULL,
      "Slow query threshold must be >= 20ms" },
    { "replica.write_throttling", THROTTLING, 0, 0, NULL, NULL },
    { "replica.write_throttling_by_size", THROTTLING, 0, 0, NULL, NULL },
    { "replica.read_throttling", THROTTLING, 0, 0, NULL, NULL },
    { "replica.read_throttling_by_size", THROTTLING, 0, 0, NULL, NULL },
    { "replica.deny_client_request", DENY, 0, 0, NULL,
      "Invalid deny client args, valid include: timeout*all, timeout*write, "
      "timeout*read; reject*all, reject*write, reject*read" },
    { "replica.rocksdb_block_cache_enabled", BOOLEAN, 0, 0, NULL, NULL },
    { "default_ttl", NUMBER, 0, INT32_MAX, NULL, NULL },
    { "business.info", ANYTHING, 0, 0, NULL, NULL },
    { "rocksdb.usage_scenario", ONE_OF, 0, 0, " normal prefer_write bulk_load ",
      NULL },
    { "rocksdb.checkpoint.reserve_min_count", NUMBER, 1, INT32_MAX, NULL,
      NULL },
    { "rocksdb.checkpoint.reserve_time_seconds", NUMBER, 0, INT32_MAX, NULL,
      NULL },
    { "rocksdb.num_levels", NUMBER, 1, 10, NULL, NULL },
    { "rocksdb.write_buffer_size", NUMBER, 16 << 20, 512 << 20, NULL, NULL },
    { "rocksdb.allow_ingest_behind", BOOLEAN, 0, 0, NULL, NULL },
    { "manual_compact.disabled", BOOLEAN, 0, 0, NULL, NULL },
    { "manual_compact.max_concurrent_running_count", NUMBER, 0, INT32_MAX, NULL,
      NULL },
    { "manual_compact.once.trigger_time", NUMBER, 0, INT64_MAX, NULL, NULL },
    { "manual_compact.once.target_level", NUMBER, -1, INT32_MAX, NULL, NULL },
    { "manual_compact.once.bottommost_level_compaction", ONE_OF, 0, 0,
      " skip force ", NULL },
    { "manual_compact.periodic.trigger_time", CLOCK_TIMES, 0, 0, NULL, NULL },
    { "manual_compact.periodic.target_level", NUMBER, -1, INT32_MAX, NULL,
      NULL },
    { "manual_compact.periodic.bottommost_level_compaction", ONE_OF, 0, 0,
      " skip force ", NULL },
    { "user_specified_compaction", ANYTHING, 0, 0, NULL, NULL },
};

static bool
is_word_of(const char *words, const char *value)
{
    const char *p = strstr(words, value);
    size_t n = strlen(value);

    return n > 0 && strchr(value, ' ') == NULL && p != NULL && p[-1] == ' ' &&
           p[n] == ' ';
}

static size_t
digits(const char *p)
{
    size_t n = strspn(p, "0123456789");

    return n <= 18 ? n : 0;
}

/* One "N[K|M]*delay|reject*MS"; how long it is, 0 when it is none. */
static size_t
throttle_item(const char *item)
{
    static const char *const verbs[] = { "*delay*", "*reject*" };
    const char *p = item;
    size_t n = digits(p), v = 0;

    p += n;
    if (n == 0)
        return 0;
    p += *p == 'K' || *p == 'M' ? 1 : 0;
    while (v < COUNT(verbs) && strncmp(p, verbs[v], strlen(verbs[v])) != 0)
        v++;
    if (v == COUNT(verbs))
        return 0;
    p += strlen(verbs[v]);
    n = digits(p);
    p += n;
    return n > 0 && (*p == ',' || *p == '\0') ? (size_t)(p - item) : 0;
}

/* One "HH:MM". */
static size_t
clock_item(const char *p)
{
    if (digits(p) != 2 || p[2] != ':' || digits(p + 3) != 2 ||
        (p[5] != ',' && p[5] != '\0'))
        return 0;
    return (p[0] - '0') * 10 + p[1] - '0' < 24 && p[3] < '6' ? 5 : 0;
}

static bool
is_list_of(const char *value, size_t (*item)(const char *p))
{
    for (;;) {
        size_t n = item(value);

        if (n == 0)
            return false;
        if (value[n] == '\0')
            return true;
        value += n + 1;
    }
}

static bool
is_number(const char *value, int64_t min, int64_t max)
{
    int64_t v;

    return json_to_i64(value, false, &v) == ERR_OK && v >= min && v <= max;
}

static bool
is_valid(size_t i, const char *value)
{
    switch (known[i].rule) {
    case NUMBER:
        return is_number(value, known[i].min, known[i].max);
    case BOOLEAN:
        return is_word_of(" true false ", value);
    case ONE_OF:
        return is_word_of(known[i].words, value);
    case THROTTLING:
        return is_list_of(value, throttle_item);
    case DENY:
        return is_word_of(" timeout*all timeout*write timeout*read"
                          " reject*all reject*write reject*read ",
                          value);
    case CLOCK_TIMES:
        return is_list_of(value, clock_item);
    case ANYTHING:
        break;
    }
    return true;
}

static const char *
rule_hint(struct arena *a, size_t i)
{
    if (known[i].hint != NULL)
        return known[i].hint;
    switch (known[i].rule) {
    case NUMBER:
        if (known[i].max >= INT32_MAX)
            return arena_printf(a, "%s must be >= %lld", known[i].key,
                                (long long)known[i].min);
        return arena_printf(a, "%s must be %lld to %lld", known[i].key,
                            (long long)known[i].min, (long long)known[i].max);
    case BOOLEAN:
        return arena_printf(a, "%s must be true or false", known[i].key);
    case ONE_OF:
        return arena_printf(a, "%s must be one of:%.*s", known[i].key,
                            (int)strlen(known[i].words) - 1, known[i].words);
    case THROTTLING:
        return arena_printf(a, "%s must be a list of N[K|M]*delay|reject*MS",
                            known[i].key);
    default:
        return arena_printf(a, "%s must be a list of HH:MM", known[i].key);
    }
}

const char *
pg_env_hint(struct arena *a, const char *key, const char *value)
{
    if (key[0] == '\0' || strlen(key) > KEY_MAX_BYTES)
        return "a key must have 1 to 255 bytes";
    if (strlen(value) > VALUE_MAX_BYTES)
        return "a value must have at most 65535 bytes";
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i].key, key) == 0)
            return is_valid(i, value) ? NULL : rule_hint(a, i);
    return NULL;
}

enum err
pg_env_judge(struct req *r, const struct map_of_STR *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = v[i].value.v != NULL ? v[i].value.v : "";
        const char *hint = pg_env_hint(r->arena, v[i].key, value);

        if (hint != NULL)
            return pegasus_invalid(r, hint);
    }
    return ERR_OK;
}

const char *
pg_env_find(const struct map_of_STR *v, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].key, key) == 0)
            return v[i].value.v;
    return NULL;
}

/* ---- /envs/list ---- */

TABLE(pegasus_env_line, PEGASUS_ENV_LINE);
TABLE(pegasus_env_list, PEGASUS_ENV_LIST);

static const struct {
    const char *type, *sample;
} rule_words[] = {
    [ANYTHING] = { "string", "" },
    [NUMBER] = { "int", NULL },
    [BOOLEAN] = { "bool", "true" },
    [ONE_OF] = { "string", NULL },
    [THROTTLING] = { "string", "10K*delay*100,20K*reject*200" },
    [DENY] = { "string", "reject*write" },
    [CLOCK_TIMES] = { "string", "03:00,21:00" },
};

/* A value that the rule takes. */
static const char *
sample_of(struct arena *a, size_t i)
{
    const char *word = rule_words[known[i].rule].sample;

    if (known[i].rule == NUMBER)
        return arena_printf(a, "%lld", (long long)known[i].min);
    if (known[i].rule == ONE_OF)
        return arena_strndup(a, known[i].words + 1,
                             strcspn(known[i].words + 1, " "));
    return word;
}

enum err
pegasus_env_rules(struct req *r, const struct none *in)
{
    struct pegasus_env_list *out = arena_alloc(r->arena, sizeof(*out));
    struct pegasus_env_line *v =
        arena_array(r->arena, COUNT(known), sizeof(*v));

    (void)in;
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < COUNT(known); i++) {
        const char *hint =
            known[i].rule == ANYTHING ? "" : rule_hint(r->arena, i);
        const char *sample = sample_of(r->arena, i);

        if (hint == NULL || sample == NULL)
            return ERR_NOMEM;
        v[i] = (struct pegasus_env_line){ UINT64_MAX, known[i].key,
                                          rule_words[known[i].rule].type, hint,
                                          sample };
    }
    out->envs.n = COUNT(known);
    out->envs.v = v;
    SET(out, pegasus_env_list, envs);
    return req_send(r, &pegasus_env_list_rec, out);
}

/* ---- the forms ---- */

/* Locks, and finds the AVAILABLE table: the variables of one that is being
 * dropped are not touched. */
static enum err
lock_available(struct req *r, const char *name, struct pegasus_app_row *app)
{
    int64_t version;
    enum err e = pegasus_store_lock(r->db, &version);

    pg_audit_target(r, "variables of", name);
    if (e == ERR_OK)
        e = pegasus_store_app(r->db, r->arena, name, app);
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && strcmp(app->status, "AVAILABLE") != 0))
        return pegasus_invalid(r, "invalid app name");
    return e == ERR_OK ? pg_audit_envs(r, app->app_id, req_audit_before) : e;
}

enum err
pegasus_app_envs_set(struct req *r, const struct pegasus_envs_set *in)
{
    struct pegasus_app_row app = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_available(r, in->app_name, &app);
    if (e == ERR_OK && in->envs.n == 0)
        e = pegasus_invalid(r, "envs is empty");
    if (e == ERR_OK)
        e = pg_env_judge(r, in->envs.v, in->envs.n);
    for (size_t i = 0; e == ERR_OK && i < in->envs.n; i++)
        e = pegasus_store_env_set(r->db, app.app_id, in->envs.v[i].key,
                                  in->envs.v[i].value.v);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_after);
    return e == ERR_OK ? pegasus_send(r, pegasus_done(r)) : e;
}

/* "deleted keys:" and each on a line of its own. */
struct deleted {
    struct buf text;
    size_t n;
};

static enum err
delete_one(struct req *r, int32_t app_id, const char *key, struct deleted *d)
{
    enum err e = pegasus_store_env_del(r->db, app_id, key);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (d->n++ == 0)
        buf_puts(&d->text, "deleted keys:");
    buf_puts(&d->text, "\n    ");
    buf_puts(&d->text, key);
    return e;
}

static enum err
send_deleted(struct req *r, enum err e, struct deleted *d)
{
    struct pegasus_outcome *out = pegasus_done(r);

    if (out != NULL)
        out->hint =
            d->n == 0 ? "no key need to delete"
                      : arena_strndup(r->arena, buf_text(&d->text), d->text.n);
    buf_free(&d->text);
    if (e != ERR_OK)
        return e;
    return out == NULL || out->hint == NULL ? ERR_NOMEM : pegasus_send(r, out);
}

#define DELETED_INIT         \
    {                        \
        BUF_INIT(1 << 20), 0 \
    }

enum err
pegasus_app_envs_del(struct req *r, const struct pegasus_envs_del *in)
{
    struct deleted d = DELETED_INIT;
    struct pegasus_app_row app = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_available(r, in->app_name, &app);
    if (e == ERR_OK && in->keys.n == 0)
        e = pegasus_invalid(r, "keys is empty");
    for (size_t i = 0; e == ERR_OK && i < in->keys.n; i++)
        e = delete_one(r, app.app_id, in->keys.v[i].v, &d);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_after);
    return send_deleted(r, e, &d);
}

static bool
is_below(const char *key, const char *prefix)
{
    size_t n = strlen(prefix);

    return n == 0 || (strncmp(key, prefix, n) == 0 && key[n] == '.' &&
                      key[n + 1] != '\0');
}

enum err
pegasus_app_envs_clear(struct req *r, const struct pegasus_envs_clear *in)
{
    const char *prefix = in->prefix != NULL ? in->prefix : "";
    struct deleted d = DELETED_INIT;
    struct pegasus_env_rows rows = { 0 };
    struct pegasus_app_row app = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_available(r, in->app_name, &app);
    if (e == ERR_OK)
        e = pegasus_store_env_rows(r->db, r->arena, app.app_id, &rows);
    for (size_t i = 0; e == ERR_OK && i < rows.n; i++)
        if (is_below(rows.v[i].key, prefix))
            e = delete_one(r, app.app_id, rows.v[i].key, &d);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_after);
    return send_deleted(r, e, &d);
}
