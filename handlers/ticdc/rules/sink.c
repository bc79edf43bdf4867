/* What all sinks have in common, and those that are databases. */
#include "sink_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum err
sink_refuse(struct sink_fault *why, const char *code, const char *fmt, ...)
{
    va_list ap;

    why->code = code;
    va_start(ap, fmt);
    vsnprintf(why->text, sizeof(why->text), fmt, ap);
    va_end(ap);
    return ERR_BAD_PARAM;
}

/* ---- values of parameters ---- */

static enum err
bad_value(struct ask *q, const char *key, const char *what)
{
    return sink_refuse(q->why, q->code, "invalid %s: %s", key, what);
}

const char *
sink_ask_text(struct ask *q, const char *key, const char *otherwise)
{
    const char *v = sink_uri_param(q->uri, key);

    return v != NULL ? v : otherwise;
}

enum err
sink_ask_int(struct ask *q, const char *key, int64_t least, int64_t most,
             int64_t *out)
{
    const char *v = sink_uri_param(q->uri, key);

    if (v != NULL && json_to_i64(v, false, out) != ERR_OK)
        return bad_value(q, key, "it has to be a whole number");
    if (*out < least)
        return sink_refuse(q->why, q->code,
                           "invalid %s: it has to be %lld at least", key,
                           (long long)least);
    if (*out > most)
        *out = most;
    return ERR_OK;
}

/* Go's words. */
enum err
sink_ask_bool(struct ask *q, const char *key, bool *out)
{
    static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
    static const char *const no[] = {
        "0", "f", "F", "false", "FALSE", "False"
    };
    const char *v = sink_uri_param(q->uri, key);

    for (size_t i = 0; v != NULL && i < COUNT(yes); i++)
        if (strcmp(v, yes[i]) == 0 || strcmp(v, no[i]) == 0) {
            *out = strcmp(v, yes[i]) == 0;
            return ERR_OK;
        }
    return v == NULL ? ERR_OK : bad_value(q, key, "it has to be true or false");
}

/* Go's durations: "2m", "1h30m", "1.5s", "300ms". */
static bool
read_duration(const char *p, double *ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {
        { "ms", 1 },   { "us", 0.001 }, { "ns", 0.000001 },
        { "s", 1000 }, { "m", 60000 },  { "h", 3600000 },
    };
    size_t u;
    char *end;

    *ms = 0;
    if (*p == '+')
        p++;
    if (*p == '\0' || strlen(p) > 32)
        return false;
    if (strcmp(p, "0") == 0)
        return true;
    while (*p != '\0') {
        size_t digits = strspn(p, "0123456789.");
        double n = strtod(p, &end);

        if (digits == 0 || end != p + digits)
            return false;
        p = end;
        for (u = 0; u < COUNT(units); u++)
            if (strncmp(p, units[u].name, strlen(units[u].name)) == 0)
                break;
        if (u == COUNT(units))
            return false;
        *ms += n * units[u].ms;
        p += strlen(units[u].name);
    }
    return true;
}

enum err
sink_ask_time(struct ask *q, const char *key, const char *otherwise,
              int64_t *ms)
{
    const char *v = sink_ask_text(q, key, otherwise);
    double n = 0;

    if (v == NULL)
        return ERR_OK;
    if (!read_duration(v, &n) || n < 1 || n > 86400000.0 * 365)
        return bad_value(q, key, "it has to be a time like 2m, 10s or 500ms");
    *ms = (int64_t)n;
    return ERR_OK;
}

enum err
sink_ask_word(struct ask *q, const char *key, const char *v,
              const char *const *words)
{
    if (str_empty(v))
        return ERR_OK;
    for (; *words != NULL; words++)
        if (strcasecmp(v, *words) == 0)
            return ERR_OK;
    return bad_value(q, key, "there is no such value");
}

/* A file of this host that a client names: below the directory that was set
 * aside for such files, by its plain path. */
enum err
sink_ask_file(struct ask *q, const char *key, const char **out)
{
    const char *v = sink_ask_text(q, key, NULL);
    const char *root = q->rules->tls_root;
    size_t n = strlen(root);

    *out = NULL;
    if (str_empty(v))
        return ERR_OK;
    if (n == 0)
        return bad_value(q, key,
                         "no directory was set for such files "
                         "([ticdc] tls_root)");
    if (strncmp(v, root, n) != 0 || v[n] != '/' || strstr(v, "/../") != NULL ||
        strstr(v, "//") != NULL || strstr(v, "/./") != NULL ||
        strlen(v) > 1024 || strcmp(v + strlen(v) - 3, "/..") == 0)
        return bad_value(q, key, "the file has to lie below [ticdc] tls_root");
    *out = v;
    return ERR_OK;
}

/* ---- databases ---- */

static int64_t
or_else(bool given, int64_t v, int64_t otherwise)
{
    return given ? v : otherwise;
}

static enum err
mysql_numbers(struct ask *q, const struct ticdc_mysql_config *c,
              struct sink_mysql *m)
{
#define OR(member, otherwise) \
    or_else(HAS(c, ticdc_mysql_config, member), c->member, otherwise)
    int64_t workers = OR(worker_count, 16), rows = OR(max_txn_row, 256);
    int64_t update = OR(max_multi_update_row, 40);
    int64_t size = OR(max_multi_update_row_size, 1024);
#undef OR
    enum err e;

    e = sink_ask_int(q, "worker-count", 1, 1024, &workers);
    if (e == ERR_OK)
        e = sink_ask_int(q, "max-txn-row", 1, 2048, &rows);
    if (e == ERR_OK)
        e = sink_ask_int(q, "max-multi-update-row", 1, 256, &update);
    if (e == ERR_OK)
        e = sink_ask_int(q, "max-multi-update-row-size", 0, 8192, &size);
    m->worker_count = (unsigned)workers;
    m->max_txn_row = (unsigned)rows;
    m->max_multi_update_row = (unsigned)update;
    m->max_multi_update_row_size = (unsigned)size;
    return e;
}

static enum err
mysql_words(struct ask *q, const struct ticdc_mysql_config *c,
            struct sink_mysql *m)
{
    const char *mode = sink_ask_text(q, "tidb-txn-mode", c->txn_mode);
    enum err e;

    m->pessimistic = mode != NULL && strcmp(mode, "pessimistic") == 0;
    m->time_zone = sink_ask_text(q, "time-zone", c->time_zone);
    e = sink_ask_time(q, "write-timeout",
                      c->write_timeout != NULL ? c->write_timeout : "2m",
                      &m->write_timeout_ms);
    if (e == ERR_OK)
        e = sink_ask_time(q, "read-timeout",
                          c->read_timeout != NULL ? c->read_timeout : "2m",
                          &m->read_timeout_ms);
    if (e == ERR_OK)
        e = sink_ask_time(q, "timeout", c->timeout != NULL ? c->timeout : "2m",
                          &m->timeout_ms);
    m->batch_dml = !HAS(c, ticdc_mysql_config, batch_dml) || c->batch_dml;
    m->multi_stmt = !HAS(c, ticdc_mysql_config, multi_stmt) || c->multi_stmt;
    m->cache_prep_stmts =
        !HAS(c, ticdc_mysql_config, cache_prep_stmts) || c->cache_prep_stmts;
    if (e == ERR_OK)
        e = sink_ask_bool(q, "safe-mode", &m->safe_mode);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "batch-dml-enable", &m->batch_dml);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "multi-stmt-enable", &m->multi_stmt);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "cache-prep-stmts", &m->cache_prep_stmts);
    return e;
}

static enum err
settle_mysql(struct ask *q, const struct ticdc_sink_config *config,
             struct sink *out)
{
    static const struct ticdc_mysql_config none = { 0 };
    const struct ticdc_mysql_config *c =
        config != NULL && config->mysql != NULL ? config->mysql : &none;
    struct sink_mysql *m = &out->mysql;
    const struct sink_uri *u = q->uri;
    enum err e;

    q->code = "CDC:ErrMySQLInvalidConfig";
    if (u->n_hosts == 0)
        return sink_refuse(q->why, "CDC:ErrSinkURIInvalid",
                           "sink uri invalid 'the host is missing'");
    if (u->n_hosts > 1)
        return sink_refuse(q->why, "CDC:ErrSinkURIInvalid",
                           "sink uri invalid 'a database has one host'");
    m->user = !str_empty(u->user) ? u->user : "root";
    m->password = u->password != NULL ? u->password : "";
    m->host = u->host[0].host;
    m->port = u->host[0].port != 0  ? u->host[0].port
              : u->scheme[0] == 't' ? 4000
                                    : 3306;
    m->tls = strstr(u->scheme, "+ssl") != NULL;
    m->safe_mode = config != NULL &&
                   HAS(config, ticdc_sink_config, safe_mode) &&
                   config->safe_mode;
    e = mysql_numbers(q, c, m);
    if (e == ERR_OK)
        e = mysql_words(q, c, m);
    if (e == ERR_OK)
        e = sink_ask_file(q, "ssl-ca", &m->ssl_ca);
    if (e == ERR_OK)
        e = sink_ask_file(q, "ssl-cert", &m->ssl_cert);
    if (e == ERR_OK)
        e = sink_ask_file(q, "ssl-key", &m->ssl_key);
    return e;
}

/* ---- all of them ---- */

static const struct scheme {
    const char *name;
    enum sink_kind kind;
} schemes[] = {
    { "blackhole", SINK_BLACKHOLE }, { "mysql", SINK_MYSQL },
    { "mysql+ssl", SINK_MYSQL },     { "tidb", SINK_MYSQL },
    { "tidb+ssl", SINK_MYSQL },      { "kafka", SINK_KAFKA },
    { "kafka+ssl", SINK_KAFKA },     { "pulsar", SINK_PULSAR },
    { "pulsar+ssl", SINK_PULSAR },   { "pulsar+http", SINK_PULSAR },
    { "pulsar+https", SINK_PULSAR }, { "file", SINK_STORAGE },
    { "s3", SINK_STORAGE },          { "gcs", SINK_STORAGE },
    { "gs", SINK_STORAGE },          { "azblob", SINK_STORAGE },
    { "azure", SINK_STORAGE },       { "noop", SINK_STORAGE },
};

static enum err
find_kind(struct ask *q, struct sink *out)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strcmp(schemes[i].name, out->uri.scheme) == 0) {
            out->kind = schemes[i].kind;
            return ERR_OK;
        }
    return sink_refuse(q->why, "CDC:ErrSinkURIInvalid",
                       "the sink scheme (%s) is not supported",
                       out->uri.scheme);
}

static enum err
find_atomicity(struct ask *q, const struct ticdc_sink_config *config,
               struct sink *out)
{
    const char *v = sink_ask_text(q, "transaction-atomicity",
                                  config != NULL ? config->atomicity : NULL);

    if (str_empty(v) || strcmp(v, "none") == 0)
        return ERR_OK;
    if (strcmp(v, "table") != 0)
        return sink_refuse(q->why, "CDC:ErrSinkURIInvalid",
                           "%.64s level atomicity is not supported by %s "
                           "scheme",
                           v, out->uri.scheme);
    if (out->kind == SINK_KAFKA || out->kind == SINK_PULSAR)
        return sink_refuse(q->why, "CDC:ErrSinkURIInvalid",
                           "table level atomicity is not supported by %s "
                           "scheme",
                           out->uri.scheme);
    out->whole_tables = true;
    return ERR_OK;
}

static enum err
find_protocol(struct ask *q, const struct ticdc_sink_config *config,
              struct sink *out)
{
    static const struct {
        const char *said, *is;
    } names[] = {
        { "canal-json", "canal-json" },
        { "open-protocol", "open-protocol" },
        { "default", "open-protocol" },
        { "canal", "canal" },
        { "avro", "avro" },
        { "flat-avro", "avro" },
        { "maxwell", "maxwell" },
        { "csv", "csv" },
        { "debezium", "debezium" },
        { "simple", "simple" },
        { "craft", "craft" },
    };
    const char *v =
        sink_ask_text(q, "protocol", config != NULL ? config->protocol : NULL);

    if (out->kind == SINK_BLACKHOLE)
        return ERR_OK;
    if (out->kind == SINK_MYSQL)
        return str_empty(v) ? ERR_OK
                            : sink_refuse(q->why, "CDC:ErrSinkURIInvalid",
                                          "protocol %.64s is incompatible with "
                                          "%s scheme",
                                          v, out->uri.scheme);
    for (size_t i = 0; v != NULL && i < COUNT(names); i++)
        if (strcasecmp(names[i].said, v) == 0) {
            out->protocol = names[i].is;
            return ERR_OK;
        }
    return sink_refuse(q->why, "CDC:ErrSinkUnknownProtocol",
                       "unknown '%.64s' message protocol for sink",
                       v != NULL ? v : "");
}

enum err
sink_settle(struct arena *a, const char *uri,
            const struct ticdc_sink_config *config,
            const struct sink_rules *rules, struct sink *out,
            struct sink_fault *why)
{
    char text[WHY_BYTES] = "";
    struct ask q = { .arena = a, .uri = &out->uri, .rules = rules, .why = why };
    enum err e;

    *out = (struct sink){ 0 };
    if (str_empty(uri))
        return sink_refuse(why, "CDC:ErrSinkURIInvalid",
                           "sink uri invalid 'sink-uri is empty, can't not "
                           "create a changefeed without sink-uri'");
    e = sink_uri_parse(a, uri, &out->uri, text);
    if (e == ERR_BAD_PARAM)
        return sink_refuse(why, "CDC:ErrSinkURIInvalid",
                           "sink uri invalid '%.1024s'", text);
    if (e == ERR_OK)
        e = find_kind(&q, out);
    if (e == ERR_OK)
        e = find_atomicity(&q, config, out);
    if (e == ERR_OK)
        e = find_protocol(&q, config, out);
    if (e == ERR_OK && out->kind != SINK_BLACKHOLE)
        e = sink_judge_config(&q, config, out);
    if (e == ERR_OK && out->kind == SINK_MYSQL)
        e = settle_mysql(&q, config, out);
    if (e == ERR_OK && out->kind == SINK_KAFKA)
        e = sink_judge_kafka(&q, config, out);
    if (e == ERR_OK && out->kind == SINK_STORAGE)
        e = sink_judge_storage(&q, config, out);
    return e;
}

enum err
sink_forced(const struct sink *s, const struct ticdc_sink_config *config,
            struct sink_fault *why)
{
    static const char code[] = "CDC:ErrSinkIncompatibleConfig";
    const char *large = NULL;

    if (config != NULL && config->kafka != NULL &&
        config->kafka->large_message != NULL)
        large = config->kafka->large_message->option;
    if (s->protocol != NULL && strcmp(s->protocol, "avro") == 0)
        return sink_refuse(why, code,
                           "force_replicate cannot be used with "
                           "the protocol avro");
    if (config != NULL &&
        HAS(config, ticdc_sink_config, delete_only_handle_key) &&
        config->delete_only_handle_key)
        return sink_refuse(why, code,
                           "force_replicate cannot be used with "
                           "delete-only-output-handle-key-columns");
    if (!str_empty(large) && strcmp(large, "none") != 0)
        return sink_refuse(why, code,
                           "force_replicate cannot be used with "
                           "large-message-handle");
    return ERR_OK;
}
