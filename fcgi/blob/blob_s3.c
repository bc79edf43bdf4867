/* S3: signed by libcurl (AWS signature version 4), path-style addresses. What
 * fits one piece is one PUT; more goes up in parts, and is there when the last
 * call has put them together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob_kind.h"
#include "buf.h"
#include "crypt.h"
#include "http.h"

#define URL_MAX   4096
#define REPLY_MAX ((size_t)64 << 10)
#define PART      ((size_t)8 << 20) /* S3 takes none below 5 MiB but the last */
#define PARTS_MAX 10000
#define TRIES     3

static enum err
bad(char why[WHY_BYTES], const char *text)
{
    return why_fail(why, ERR_BAD_PARAM, "%s", text);
}

static enum err
s3_open(struct arena *a, struct blob_store *s, const char *rest,
        char why[WHY_BYTES])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    size_t bucket = strcspn(rest, "/?");
    const char *query = strchr(rest, '?');
    size_t path = query != NULL ? (size_t)(query - rest) : strlen(rest);
    enum err e;
    size_t n;

    while (path > bucket && rest[path - 1] == '/')
        path--;
    s->bucket = arena_strndup(a, rest, bucket);
    s->base = arena_strndup(a, rest + bucket, path - bucket);
    if (s->bucket == NULL || s->base == NULL)
        return ERR_NOMEM;
    if (bucket < 3 || bucket > 63 || strspn(s->bucket, plain) != bucket)
        return bad(why, "s3:// needs a bucket: s3://bucket/prefix");
    if (!str_empty(s->base) && !blob_is_key(s->base + 1))
        return bad(why, "s3:// with a prefix that is none");
    e = blob_option(a, rest, "region", &s->region, why);
    if (e == ERR_OK)
        e = blob_option(a, rest, "endpoint", &s->endpoint, why);
    if (e != ERR_OK)
        return e;
    if (s->region == NULL)
        s->region = "us-east-1";
    if (strspn(s->region, plain) != strlen(s->region))
        return bad(why, "s3:// with a region that is none");
    if (s->endpoint == NULL)
        s->endpoint = arena_printf(a, "https://s3.%s.amazonaws.com", s->region);
    if (s->endpoint == NULL)
        return ERR_NOMEM;
    n = strlen(s->endpoint);
    if ((strncmp(s->endpoint, "http://", 7) != 0 &&
         strncmp(s->endpoint, "https://", 8) != 0) ||
        strpbrk(s->endpoint, "@?# ") != NULL || s->endpoint[n - 1] == '/')
        return bad(why, "s3:// with an endpoint that is no http://host:port");
    if (s->cfg.access_key == NULL || s->cfg.secret_key == NULL)
        return bad(why, "s3:// needs an access key and a secret key");
    return ERR_OK;
}

/* ---- one signed call ---- */

struct signed_call {
    struct http_call http;
    char url[URL_MAX];
    char sigv4[96], sum[96], range[48];
    struct buf reply;
};

/* Of what is put only when there is none of that name. */
static const char none_yet[] = "If-None-Match: *";

static bool
take_reply(void *ctx, const char *p, size_t n)
{
    struct signed_call *c = ctx;

    buf_put(&c->reply, p, n);
    return buf_err(&c->reply) == ERR_OK;
}

/* The path of a key; of the bucket itself when that is NULL. */
static bool
put_path(const struct blob_store *s, const char *key, char url[URL_MAX])
{
    int n = key == NULL
                ? snprintf(url, URL_MAX, "%s/%s", s->endpoint, s->bucket)
                : snprintf(url, URL_MAX, "%s/%s%s/%s", s->endpoint, s->bucket,
                           s->base, key);

    return n > 0 && n < URL_MAX;
}

/* query: sorted by name, escaped, "name=" for one without a value, as it is
 * signed. The payload's sum is part of what is signed, also of an empty one. */
static enum err
prepare(struct blob_store *s, struct signed_call *c, const char *method,
        const char *key, const char *query, struct span body, bool only_new)
{
    char hex[65];
    size_t n;

    memset(c, 0, sizeof(*c));
    c->reply = (struct buf)BUF_INIT(REPLY_MAX);
    if (!put_path(s, key, c->url))
        return ERR_LIMIT;
    n = strlen(c->url);
    if (!str_empty(query) &&
        snprintf(c->url + n, URL_MAX - n, "?%s", query) >= (int)(URL_MAX - n))
        return ERR_LIMIT;
    (void)snprintf(c->sigv4, sizeof(c->sigv4), "aws:amz:%s:s3", s->region);
    crypt_sha256_hex(body.p != NULL ? body.p : "", body.n, hex);
    (void)snprintf(c->sum, sizeof(c->sum), "x-amz-content-sha256: %s", hex);
    c->http = (struct http_call){
        .method = method,
        .url = c->url,
        .bytes = body,
        .header = { c->sum, only_new ? none_yet : NULL },
        .write = take_reply,
        .write_ctx = c,
        .sigv4 = c->sigv4,
        .access_key = s->cfg.access_key,
        .secret_key = s->cfg.secret_key,
        .from = s->cfg.from,
        .go_on = s->cfg.go_on,
        .go_on_ctx = s->cfg.ctx,
    };
    return ERR_OK;
}

static enum err
finish(struct signed_call *c, enum err e, const char *what, char why[WHY_BYTES])
{
    if (e != ERR_OK)
        why_say(why, "%.16s: %.230s", what, c->http.why);
    else if (c->http.status < 200 || c->http.status > 299)
        e = blob_status(c->http.status, what, why);
    return e;
}

/* A call whose body lies in memory, tried again when that may help. 412 says
 * that there is one already, 409 that another is being put. */
static enum err
ask_for(struct blob_store *s, struct signed_call *c, const char *method,
        const char *key, const char *query, struct span body, bool only_new,
        char why[WHY_BYTES])
{
    enum err e = ERR_OK;

    for (int i = 0; i < TRIES; i++) {
        if (i > 0)
            buf_free(&c->reply);
        e = prepare(s, c, method, key, query, body, only_new);
        if (e == ERR_OK)
            e = finish(c, http_call(&c->http), method, why);
        if (e == ERR_PEER && only_new && c->http.status == 412)
            return ERR_EXISTS;
        if (e != ERR_PEER && e != ERR_TIMEOUT)
            break;
    }
    return e;
}

static enum err
ask(struct blob_store *s, struct signed_call *c, const char *method,
    const char *key, const char *query, struct span body, char why[WHY_BYTES])
{
    return ask_for(s, c, method, key, query, body, false, why);
}

/* ---- the calls ---- */

/* The text of the first <name> of a reply, into out. */
static bool
element(const char *reply, const char *name, char *out, size_t size)
{
    char open[64], close[64];
    const char *p, *end;

    (void)snprintf(open, sizeof(open), "<%s>", name);
    (void)snprintf(close, sizeof(close), "</%s>", name);
    p = strstr(reply, open);
    end = p != NULL ? strstr(p, close) : NULL;
    if (end == NULL)
        return false;
    p += strlen(open);
    return snprintf(out, size, "%.*s", (int)(end - p), p) < (int)size;
}

static enum err
begin_parts(struct blob_store *s, const char *key, char id[512],
            char why[WHY_BYTES])
{
    struct signed_call c;
    char raw[256];
    enum err e =
        ask(s, &c, "POST", key, "uploads=", (struct span){ NULL, 0 }, why);

    if (e == ERR_OK &&
        (!element(buf_text(&c.reply), "UploadId", raw, sizeof(raw)) ||
         http_escape(raw, false, id, 512) != ERR_OK))
        e = why_fail(why, ERR_PEER, "POST: the reply has no UploadId");
    buf_free(&c.reply);
    return e;
}

static enum err
send_part(struct blob_store *s, const char *key, const char *id, unsigned n,
          struct span body, struct buf *list, char why[WHY_BYTES])
{
    struct signed_call c;
    char query[640];
    enum err e;

    (void)snprintf(query, sizeof(query), "partNumber=%u&uploadId=%s", n, id);
    e = ask(s, &c, "PUT", key, query, body, why);
    if (e == ERR_OK)
        buf_printf(list,
                   "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", n,
                   c.http.etag);
    buf_free(&c.reply);
    return e;
}

/* The answer may be 200 with an error in it. */
static enum err
end_parts(struct blob_store *s, const char *key, const char *id,
          const struct buf *list, bool only_new, char why[WHY_BYTES])
{
    struct buf body = BUF_INIT((size_t)4 << 20);
    struct signed_call c;
    char query[600];
    enum err e;

    (void)snprintf(query, sizeof(query), "uploadId=%s", id);
    buf_printf(&body, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>",
               buf_text(list));
    e = buf_err(&body);
    if (e == ERR_OK) {
        e = ask_for(s, &c, "POST", key, query, (struct span){ body.p, body.n },
                    only_new, why);
        if (e == ERR_OK && strstr(buf_text(&c.reply), "<Error>") != NULL)
            e = why_fail(why, ERR_PEER, "POST: parts were not put together");
        buf_free(&c.reply);
    }
    buf_free(&body);
    return e;
}

static enum err
give_up_parts(struct blob_store *s, const char *key, const char *id,
              char why[WHY_BYTES])
{
    char query[600];
    struct signed_call c;
    enum err e;

    (void)snprintf(query, sizeof(query), "uploadId=%s", id);
    e = ask(s, &c, "DELETE", key, query, (struct span){ NULL, 0 }, why);
    buf_free(&c.reply);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Of a list of uploads, those of exactly that object. */
static enum err
give_up_listed(struct blob_store *s, const char *key, const char *object,
               const char *list, char why[WHY_BYTES])
{
    char of[2 * BLOB_KEY_MAX], raw[256], id[512];
    enum err e = ERR_OK;

    while (e == ERR_OK && (list = strstr(list, "<Upload>")) != NULL) {
        if (element(list, "Key", of, sizeof(of)) && strcmp(of, object) == 0 &&
            element(list, "UploadId", raw, sizeof(raw)) &&
            http_escape(raw, false, id, sizeof(id)) == ERR_OK)
            e = give_up_parts(s, key, id, why);
        list += strlen("<Upload>");
    }
    return e;
}

/* Parts that one who was killed, or could not reach the store any more, has
 * left: nobody sees them, and they are paid for. A store that does not list
 * them has none, as far as we can tell: its bucket's rules may remove them. */
static enum err
give_up_others(struct blob_store *s, const char *key, char why[WHY_BYTES])
{
    char object[2 * BLOB_KEY_MAX], prefix[6 * BLOB_KEY_MAX],
        query[6 * BLOB_KEY_MAX + 32], ignored[WHY_BYTES];
    const char *base = s->base[0] == '/' ? s->base + 1 : s->base;
    struct signed_call c;
    enum err e;
    int n = snprintf(object, sizeof(object), "%s%s%s", base,
                     str_empty(base) ? "" : "/", key);

    if (n < 0 || (size_t)n >= sizeof(object) ||
        http_escape(object, false, prefix, sizeof(prefix)) != ERR_OK)
        return ERR_LIMIT;
    (void)snprintf(query, sizeof(query), "prefix=%s&uploads=", prefix);
    e = ask(s, &c, "GET", NULL, query, (struct span){ NULL, 0 }, ignored);
    e = e == ERR_OK ? give_up_listed(s, key, object, buf_text(&c.reply), why)
                    : ERR_OK;
    buf_free(&c.reply);
    return e;
}

/* As many bytes as there are, up to a part. -1: broken off. */
static int64_t
fill(blob_read_fn *read, void *ctx, char *piece)
{
    int64_t n = 0, got = 1;

    while (got > 0 && (size_t)n < PART) {
        got = read(ctx, piece + n, PART - (size_t)n);
        if (got < 0)
            return -1;
        n += got;
    }
    return n;
}

static enum err
broken_off(char why[WHY_BYTES])
{
    return why_fail(why, ERR_STATE, "broken off");
}

static enum err
put_parts(struct blob_store *s, const char *key, char *piece,
          blob_read_fn *read, void *ctx, bool only_new, char why[WHY_BYTES])
{
    struct buf list = BUF_INIT((size_t)3 << 20);
    char id[512], ignored[WHY_BYTES];
    int64_t n = (int64_t)PART;
    enum err e = give_up_others(s, key, why);

    if (e == ERR_OK)
        e = begin_parts(s, key, id, why);
    if (e != ERR_OK)
        return e;
    for (unsigned i = 1; e == ERR_OK && n > 0; i++) {
        if (i > PARTS_MAX) {
            e = why_fail(why, ERR_LIMIT, "larger than %u parts", PARTS_MAX);
            break;
        }
        e = send_part(s, key, id, i, (struct span){ piece, (size_t)n }, &list,
                      why);
        n = e == ERR_OK && (size_t)n == PART ? fill(read, ctx, piece) : 0;
        if (n < 0)
            e = broken_off(why);
    }
    if (e == ERR_OK)
        e = end_parts(s, key, id, &list, only_new, why);
    if (e != ERR_OK)
        (void)give_up_parts(s, key, id, ignored);
    buf_free(&list);
    return e;
}

static enum err
s3_put(struct blob_store *s, const char *key, blob_read_fn *read, void *ctx,
       bool only_new, char why[WHY_BYTES])
{
    char *piece = malloc(PART);
    struct signed_call c;
    int64_t n;
    enum err e;

    if (piece == NULL)
        return ERR_NOMEM;
    n = fill(read, ctx, piece);
    if (n < 0) {
        e = broken_off(why);
    } else if ((size_t)n == PART) {
        e = put_parts(s, key, piece, read, ctx, only_new, why);
    } else {
        e = ask_for(s, &c, "PUT", key, "", (struct span){ piece, (size_t)n },
                    only_new, why);
        buf_free(&c.reply);
    }
    free(piece);
    return e;
}

static enum err
s3_get(struct blob_store *s, const char *key, int64_t offset,
       blob_write_fn *write, void *ctx, char why[WHY_BYTES])
{
    struct signed_call c;
    enum err e =
        prepare(s, &c, "GET", key, "", (struct span){ NULL, 0 }, false);

    if (e != ERR_OK)
        return e;
    (void)snprintf(c.range, sizeof(c.range), "Range: bytes=%lld-",
                   (long long)offset);
    if (offset > 0)
        c.http.header[1] = c.range;
    c.http.write = write;
    c.http.write_ctx = ctx;
    e = finish(&c, http_call(&c.http), "GET", why);
    buf_free(&c.reply);
    return e;
}

static enum err
s3_size(struct blob_store *s, const char *key, int64_t *bytes,
        char why[WHY_BYTES])
{
    struct signed_call c;
    enum err e = ask(s, &c, "HEAD", key, "", (struct span){ NULL, 0 }, why);

    if (e == ERR_OK)
        *bytes = c.http.length;
    buf_free(&c.reply);
    return e;
}

static enum err
s3_drop(struct blob_store *s, const char *key, char why[WHY_BYTES])
{
    struct signed_call c;
    enum err e = ask(s, &c, "DELETE", key, "", (struct span){ NULL, 0 }, why);

    buf_free(&c.reply);
    return e == ERR_OK || e == ERR_NOT_FOUND ? give_up_others(s, key, why) : e;
}

const struct blob_kind blob_s3 = { "s3",   s3_open, s3_put,
                                   s3_get, s3_size, s3_drop };
