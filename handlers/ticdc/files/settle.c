/* What a client says of files, in our words. What is understood and not done
 * is refused: rows would lie otherwise than was asked for. */
#include "settle.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "http.h"
#include "ticdc/rules/sink_int.h"

#define INVALID    "CDC:ErrStorageSinkInvalidConfig"
#define FILE_BYTES 67108864
#define FILE_LEAST (1 << 20)
#define FILE_MOST  (512 << 20)
#define DIGITS     20

struct work {
    struct ask q;
    const struct sink *s;
    const struct ticdc_sink_config *c;
    const struct files_context *context;
    struct files_config *out;
};

static int64_t
within(int64_t v, int64_t least, int64_t most)
{
    return v < least ? least : v > most ? most : v;
}

/* ---- where ---- */

static enum err
s3_url(struct work *w, const char **out)
{
    const struct sink_uri *u = &w->s->uri;
    const char *endpoint = sink_uri_param(u, "endpoint");
    const char *region = sink_uri_param(u, "region");
    char escaped[1024];
    struct buf b = BUF_INIT(SINK_URI_BYTES_MAX);

    if (u->n_hosts != 1 || u->host[0].port != 0 || u->user != NULL)
        return sink_refuse(w->q.why, INVALID,
                           "s3:// needs a bucket: s3://bucket/prefix");
    buf_printf(&b, "s3://%s%s%s?", u->host[0].host,
               str_empty(u->path) ? "" : "/", u->path);
    if (!str_empty(region))
        buf_printf(&b, "region=%s&", region);
    if (!str_empty(endpoint)) {
        if (http_escape(endpoint, false, escaped, sizeof(escaped)) != ERR_OK)
            return sink_refuse(w->q.why, INVALID, "invalid endpoint");
        buf_printf(&b, "endpoint=%s", escaped);
    }
    return buf_settle(&b, w->q.arena, out);
}

static enum err
unbuilt_s3(struct work *w)
{
    static const char *const keys[] = { "storage-class",  "sse",
                                        "sse-kms-key-id", "acl",
                                        "session-token",  "role-arn" };
    bool path_style = true;
    enum err e = sink_ask_bool(&w->q, "force-path-style", &path_style);

    if (e == ERR_OK && !path_style)
        return sink_refuse(w->q.why, INVALID,
                           "force-path-style=false cannot be used here");
    for (size_t i = 0; i < COUNT(keys) && e == ERR_OK; i++)
        if (sink_uri_param(w->q.uri, keys[i]) != NULL)
            e = sink_refuse(w->q.why, INVALID, "%s cannot be used here",
                            keys[i]);
    return e;
}

static enum err
open_store(struct work *w)
{
    const struct sink_uri *u = &w->s->uri;
    struct blob_config c = { .root = w->context->rules->file_root,
                             .go_on = w->context->go_on,
                             .ctx = w->context->ctx };
    char why[WHY_BYTES] = "";
    enum err e = ERR_OK;

    if (strcmp(u->scheme, "file") == 0) {
        if (str_empty(c.root))
            return sink_refuse(w->q.why, INVALID,
                               "no directory was set for files "
                               "([ticdc] file_root)");
        if (u->n_hosts > 0)
            return sink_refuse(w->q.why, INVALID, "must be file:///directory");
        c.url = arena_printf(w->q.arena, "file:///%s", u->path);
    } else if (strcmp(u->scheme, "s3") == 0) {
        e = unbuilt_s3(w);
        if (e == ERR_OK)
            e = s3_url(w, &c.url);
        c.access_key = sink_uri_param(u, "access-key");
        c.secret_key = sink_uri_param(u, "secret-access-key");
    } else {
        return sink_refuse(w->q.why, "CDC:ErrSinkURIInvalid",
                           "the sink scheme (%s) is not supported: files go to "
                           "file:// and s3://",
                           u->scheme);
    }
    if (e != ERR_OK)
        return e;
    if (c.url == NULL)
        return ERR_NOMEM;
    e = blob_open(w->q.arena, &c, &w->out->store, why);
    return e == ERR_BAD_PARAM
               ? sink_refuse(w->q.why, INVALID, "%s:// %.1000s", u->scheme, why)
               : e;
}

/* ---- how ---- */

static void
settle_csv(struct work *w)
{
    static const struct ticdc_csv none = { 0 };
    const struct ticdc_csv *c = w->c->csv != NULL ? w->c->csv : &none;

    w->out->csv = (struct csv_config){
        .delimiter = str_empty(c->delimiter) ? "," : c->delimiter,
        .quote = HAS(c, ticdc_csv, quote) && c->quote != NULL ? c->quote : "\"",
        .null = HAS(c, ticdc_csv, null) && c->null != NULL ? c->null : "\\N",
        .terminator = w->out->terminator,
        .commit_ts = c->include_commit_ts,
        .hex = c->binary_encoding != NULL &&
               strcmp(c->binary_encoding, "hex") == 0,
        .old_value = c->output_old_value,
        .handle_key = c->output_handle_key,
        .header = c->output_field_header,
    };
}

static enum err
settle_json(struct work *w)
{
    struct encode_config *c = &w->out->encode;
    enum err e;

    *c = (struct encode_config){ .protocol = ENCODE_CANAL_JSON,
                                 .message_bytes = SIZE_MAX / 2,
                                 .only_updated = w->c->only_updated_columns,
                                 .content_compatible = w->c->content_compatible,
                                 .delete_only_handle =
                                     w->c->delete_only_handle_key,
                                 .batch = 1,
                                 .namespace = "default",
                                 .now_ms = clock_unix_tick_ms };
    e = sink_ask_bool(&w->q, "enable-tidb-extension", &c->tidb_extension);
    if (e == ERR_OK)
        e = sink_ask_bool(&w->q, "only-output-updated-columns",
                          &c->only_updated);
    return e == ERR_OK ? sink_ask_bool(&w->q, "content-compatible",
                                       &c->content_compatible)
                       : e;
}

static enum keys_date
date_of(const char *word)
{
    static const char *const words[] = {
        [KEYS_NO_DATE] = "none",
        [KEYS_YEAR] = "year",
        [KEYS_MONTH] = "month",
        [KEYS_DAY] = "day",
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (!str_empty(word) && strcmp(word, words[i]) == 0)
            return (enum keys_date)i;
    return KEYS_DAY;
}

static enum err
settle_times(struct work *w)
{
    static const struct ticdc_storage_config none = { 0 };
    const struct ticdc_storage_config *c =
        w->c->storage != NULL ? w->c->storage : &none;
    int64_t size =
        HAS(c, ticdc_storage_config, file_size) ? c->file_size : FILE_BYTES;
    int64_t ms = 5000;
    enum err e = sink_ask_int(&w->q, "file-size", 1, FILE_MOST, &size);

    if (e == ERR_OK)
        e = sink_ask_time(&w->q, "flush-interval", c->flush_interval, &ms);
    w->out->file_bytes = (size_t)within(size, FILE_LEAST, FILE_MOST);
    w->out->flush_ms = within(ms, 2000, 600000);
    return e;
}

enum err
files_settle(struct arena *a, const struct sink *s,
             const struct ticdc_config *config,
             const struct files_context *context, struct files_config *out,
             struct sink_fault *why)
{
    static const struct ticdc_sink_config no_config = { 0 };
    struct work w = { .q = { .arena = a,
                             .uri = &s->uri,
                             .rules = context->rules,
                             .code = INVALID,
                             .why = why },
                      .s = s,
                      .context = context,
                      .out = out };
    enum err e;

    w.c = config->sink_config != NULL ? config->sink_config : &no_config;
    *out = (struct files_config){ .source = context->source,
                                  .bytes = context->bytes };
    out->is_csv = strcmp(s->protocol, "csv") == 0;
    out->terminator = str_empty(w.c->terminator) ? "\r\n" : w.c->terminator;
    out->date = date_of(w.c->date_separator);
    out->digits =
        w.c->file_index_digit > 0 ? (unsigned)w.c->file_index_digit : DIGITS;
    settle_csv(&w);
    e = zone_choose(a, config->timezone, &out->zone, why);
    if (e == ERR_OK)
        e = open_store(&w);
    if (e == ERR_OK)
        e = settle_json(&w);
    if (e == ERR_OK)
        e = settle_times(&w);
    if (e == ERR_OK && w.c->column_selectors.n > 0)
        e = sink_refuse(why, "CDC:ErrSinkInvalidConfig",
                        "column-selectors cannot be used here");
    return e;
}
