/* Variables of a table: which ones Pegasus knows, and what they may hold, by
 * the rules and in the words of its own meta servers. Keys that it does not
 * know are taken as they are. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "pegasus/pegasus.h"

TABLE(pegasus_env_line, PEGASUS_ENV_LINE);
TABLE(pegasus_env_list, PEGASUS_ENV_LIST);

#define KEY_MAX_BYTES   255
#define VALUE_MAX_BYTES 65535
#define NUMBER_BYTES    32

enum rule {
    STRING,
    INT32,
    INT64,
    LEVEL, /* INT64: -1, or 1 and more */
    BOOLEAN,
    ONE_OF, /* the words of its limitation */
    THROTTLING,
    SIZE_THROTTLING,
    CLOCK_TIMES,
    RULE__MAX
};

static const char *const type_words[RULE__MAX] = {
    [STRING] = "string",        [INT32] = "unsigned int32",
    [INT64] = "unsigned int64", [LEVEL] = "unsigned int64",
    [BOOLEAN] = "bool",         [ONE_OF] = "string",
    [THROTTLING] = "string",    [SIZE_THROTTLING] = "string",
    [CLOCK_TIMES] = "string",
};

#define BOOL_LIMIT "true | false"
#define SKIP_FORCE "force | skip"
#define LEVELS     "-1 or >= 1"
#define THROTTLE   "<size[K|M]>*<delay|reject>*<milliseconds>"
#define THROTTLE_2 "10000*delay*100,20000*reject*100"

static const struct known {
    const char *key;
    enum rule rule;
    int64_t min, max; /* of integers */
    const char *limit, *sample;
    const char *hint; /* NULL: made from the rule */
} known[] = {
    { "replica.slow_query_threshold", INT64, 20, INT64_MAX, ">= 20", "1000",
      "Slow query threshold must be >= 20ms" },
    { "replica.write_throttling", THROTTLING, 0, 0, THROTTLE, THROTTLE_2,
      NULL },
    { "replica.write_throttling_by_size", THROTTLING, 0, 0, THROTTLE,
      THROTTLE_2, NULL },
    { "replica.read_throttling", THROTTLING, 0, 0, THROTTLE, THROTTLE_2, NULL },
    { "replica.read_throttling_by_size", SIZE_THROTTLING, 0, 0, "",
      "20000*delay*100,20000*reject*100", NULL },
    { "replica.backup_request_throttling", THROTTLING, 0, 0, THROTTLE,
      THROTTLE_2, NULL },
    { "replica.deny_client_request", ONE_OF, 0, 0,
      "timeout*all | timeout*write | timeout*read | "
      "reconfig*all | reconfig*write | reconfig*read",
      "timeout*all",
      "Invalid deny client args, valid include: timeout*all, timeout*write, "
      "timeout*read; reconfig*all, reconfig*write, reconfig*read" },
    { "replica.rocksdb_block_cache_enabled", BOOLEAN, 0, 0, BOOL_LIMIT, "true",
      NULL },
    { "replica.rocksdb_iteration_threshold_time_ms", INT64, 0, INT64_MAX,
      ">= 0", "1000", NULL },
    { "replica.split.validate_partition_hash", BOOLEAN, 0, 0, BOOL_LIMIT,
      "true", NULL },
    { "replica_access_controller.allowed_users", STRING, 0, 0, "", "", NULL },
    { "replica_access_controller.ranger_policies", STRING, 0, 0, "", "", NULL },
    { "default_ttl", INT32, 0, INT32_MAX, ">= 0", "86400", NULL },
    { "business.info", STRING, 0, 0, "", "", NULL },
    { "rocksdb.usage_scenario", ONE_OF, 0, 0,
      "bulk_load | normal | prefer_write", "normal", NULL },
    { "rocksdb.checkpoint.reserve_min_count", INT32, 1, INT32_MAX, "> 0", "2",
      NULL },
    { "rocksdb.checkpoint.reserve_time_seconds", INT32, 0, INT32_MAX, ">= 0",
      "3600", NULL },
    { "rocksdb.num_levels", INT64, 1, 10, "In range [1, 10]", "6", NULL },
    { "rocksdb.write_buffer_size", INT64, 16 << 20, 512 << 20,
      "In range [16777216, 536870912]", "16777216", NULL },
    { "rocksdb.allow_ingest_behind", BOOLEAN, 0, 0, BOOL_LIMIT, "true", NULL },
    { "manual_compact.disabled", BOOLEAN, 0, 0, BOOL_LIMIT, "true", NULL },
    { "manual_compact.max_concurrent_running_count", INT32, 0, INT32_MAX,
      ">= 0", "8", NULL },
    { "manual_compact.once.trigger_time", INT64, 0, INT64_MAX,
      "> 0, timestamp (in seconds) to trigger the once manual compaction",
      "1700000000", NULL },
    { "manual_compact.once.target_level", LEVEL, 0, 0, LEVELS, "6", NULL },
    { "manual_compact.once.bottommost_level_compaction", ONE_OF, 0, 0,
      SKIP_FORCE, "skip", NULL },
    { "manual_compact.periodic.trigger_time", CLOCK_TIMES, 0, 0,
      "a list of H:MM or HH:MM", "3:00,21:00", NULL },
    { "manual_compact.periodic.target_level", LEVEL, 0, 0, LEVELS, "6", NULL },
    { "manual_compact.periodic.bottommost_level_compaction", ONE_OF, 0, 0,
      SKIP_FORCE, "skip", NULL },
    { "user_specified_compaction", STRING, 0, 0, "", "", NULL },
};

/* A hint is never NULL, whatever memory there is: that would mean valid. */
#define SAY(...) said(arena_printf(__VA_ARGS__))

static const char *
said(const char *hint)
{
    return hint != NULL ? hint : "invalid value";
}

/* ---- numbers, as strtoll and strtoull read them with base 0 ---- */

static bool
to_text(struct span s, char out[NUMBER_BYTES])
{
    if (s.n == 0 || s.n >= NUMBER_BYTES)
        return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

static bool
to_i64(struct span s, int64_t *out)
{
    char text[NUMBER_BYTES], *end;

    if (!to_text(s, text))
        return false;
    errno = 0;
    *out = strtoll(text, &end, 0);
    return *end == '\0' && end != text && errno == 0;
}

static bool
to_u64(struct span s, uint64_t *out)
{
    char text[NUMBER_BYTES], *end;

    if (!to_text(s, text))
        return false;
    errno = 0;
    *out = strtoull(text, &end, 0);
    return *end == '\0' && end != text && errno == 0 &&
           (*out == 0 || strchr(text, '-') == NULL);
}

static struct span
whole(const char *text)
{
    return (struct span){ text, strlen(text) };
}

static const char *
judge_number(struct arena *a, const struct known *k, const char *value)
{
    int64_t v;

    if (!to_i64(whole(value), &v) ||
        (k->rule == INT32 && (v < INT32_MIN || v > INT32_MAX)))
        return k->hint != NULL ? k->hint
                               : SAY(a,
                                     "invalid value '%s', should be an %d bits "
                                     "integer",
                                     value, k->rule == INT32 ? 32 : 64);
    if (k->rule == LEVEL ? v == -1 || v >= 1 : v >= k->min && v <= k->max)
        return NULL;
    return k->hint != NULL
               ? k->hint
               : SAY(a, "invalid value '%s', should be '%s'", value, k->limit);
}

/* ---- lists ---- */

/* What stands before the next `separator`, without blanks around it; *rest
 * moves behind the separator, and becomes NULL with the last one. */
static struct span
cut(struct span *rest, char separator)
{
    const char *end = memchr(rest->p, separator, rest->n);
    struct span out = { rest->p,
                        end != NULL ? (size_t)(end - rest->p) : rest->n };

    *rest = end != NULL ? (struct span){ end + 1, rest->n - out.n - 1 }
                        : (struct span){ NULL, 0 };
    while (out.n > 0 && isspace((unsigned char)*out.p))
        out = (struct span){ out.p + 1, out.n - 1 };
    while (out.n > 0 && isspace((unsigned char)out.p[out.n - 1]))
        out.n--;
    return out;
}

static bool
is_word(struct span s, const char *word)
{
    return strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

static const char *
not_unsigned(struct arena *a, struct span s)
{
    return SAY(a, "'%.*s' should be an unsigned integer", (int)s.n, s.p);
}

/* "100", "20K", "3M". */
static const char *
judge_units(struct arena *a, struct span s, uint64_t *out)
{
    char last = s.n > 0 ? s.p[s.n - 1] : '\0';
    uint64_t times = last == 'K' ? 1 << 10 : last == 'M' ? 1 << 20 : 1;

    if (times > 1)
        s.n--;
    if (!to_u64(s, out))
        return not_unsigned(a, s);
    return __builtin_mul_overflow(*out, times, out)
               ? SAY(a, "'%.*s' result is overflow", (int)s.n, s.p)
               : NULL;
}

/* One "N[K|M]*delay|reject*MS". */
static const char *
judge_throttle(struct arena *a, struct span item, bool seen[2])
{
    static const char *const verbs[] = { "delay", "reject" };
    struct span rest = item, part[3] = { { NULL, 0 } };
    uint64_t v;
    const char *hint;
    size_t n = 0, verb = 0;

    for (; rest.p != NULL && n < COUNT(part); n++)
        part[n] = cut(&rest, '*');
    if (rest.p != NULL || n != COUNT(part))
        return SAY(a,
                   "The field count of '%.*s' separated by '*' must "
                   "be 3",
                   (int)item.n, item.p);
    hint = judge_units(a, part[0], &v);
    if (hint != NULL)
        return hint;
    while (verb < COUNT(verbs) && !is_word(part[1], verbs[verb]))
        verb++;
    if (verb == COUNT(verbs))
        return SAY(a, "'%.*s' should be 'delay' or 'reject'", (int)part[1].n,
                   part[1].p);
    if (!to_u64(part[2], &v))
        return not_unsigned(a, part[2]);
    if (seen[verb])
        return SAY(a, "duplicate '%s' config", verbs[verb]);
    seen[verb] = true;
    return NULL;
}

static const char *
judge_throttling(struct arena *a, const char *value)
{
    struct span rest = whole(value);
    bool seen[2] = { false, false }, any = false;
    const char *hint = NULL;

    while (rest.p != NULL && hint == NULL) {
        struct span item = cut(&rest, ',');

        if (item.n == 0)
            continue;
        any = true;
        hint = judge_throttle(a, item, seen);
    }
    return any ? hint : "The value shouldn't be empty";
}

/* A plain size, or what the other throttlings are. */
static const char *
judge_size(struct arena *a, const char *value)
{
    uint64_t v = 0;

    return judge_units(a, whole(value), &v) == NULL && v > 0
               ? NULL
               : judge_throttling(a, value);
}

/* "H:MM" or "HH:MM", comma-separated. */
static bool
are_clock_times(const char *value)
{
    struct span rest = whole(value);

    while (rest.p != NULL) {
        struct span minute = cut(&rest, ',');
        struct span hour = cut(&minute, ':');
        const char *m = minute.p, *h = hour.p;

        if (m == NULL || minute.n != 2 || m[0] < '0' || m[0] > '5' ||
            !isdigit((unsigned char)m[1]))
            return false;
        if (hour.n < 1 || hour.n > 2 || !isdigit((unsigned char)h[0]) ||
            !isdigit((unsigned char)h[hour.n - 1]) ||
            (hour.n == 2 && (h[0] - '0') * 10 + h[1] - '0' > 23))
            return false;
    }
    return true;
}

static bool
is_one_of(const char *words, const char *value)
{
    struct span rest = whole(words);

    while (rest.p != NULL)
        if (is_word(cut(&rest, '|'), value))
            return true;
    return false;
}

/* ---- all of them ---- */

static const char *
judge(struct arena *a, const struct known *k, const char *value)
{
    switch (k->rule) {
    case INT32:
    case INT64:
    case LEVEL:
        return judge_number(a, k, value);
    case BOOLEAN:
        if (strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0)
            return NULL;
        return SAY(a, "invalid value '%s', should be a boolean", value);
    case ONE_OF:
        if (is_one_of(k->limit, value))
            return NULL;
        return k->hint != NULL ? k->hint : k->limit;
    case THROTTLING:
        return judge_throttling(a, value);
    case SIZE_THROTTLING:
        return judge_size(a, value);
    case CLOCK_TIMES:
        return are_clock_times(value)
                   ? NULL
                   : SAY(a, "%s must be %s", k->key, k->limit);
    default:
        return NULL;
    }
}

const char *
pg_env_hint(struct arena *a, const char *key, const char *value)
{
    if (str_empty(key) || strlen(key) > KEY_MAX_BYTES)
        return "a key must have 1 to 255 bytes";
    if (strlen(value) > VALUE_MAX_BYTES)
        return "a value must have at most 65535 bytes";
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i].key, key) == 0)
            return judge(a, &known[i], value);
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

enum err
pegasus_env_rules(struct req *r, const struct none *in)
{
    struct pegasus_env_list *out = arena_alloc(r->arena, sizeof(*out));
    struct pegasus_env_line *v =
        arena_array(r->arena, COUNT(known), sizeof(*v));

    (void)in;
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < COUNT(known); i++)
        v[i] = (struct pegasus_env_line){ UINT64_MAX, known[i].key,
                                          type_words[known[i].rule],
                                          known[i].limit, known[i].sample };
    PUT_LIST(out, pegasus_env_list, envs, COUNT(known), v);
    return req_send(r, &pegasus_env_list_rec, out);
}
