/* WebHDFS: CREATE and OPEN answer with the address that takes or gives the
 * bytes; what was written under another name is then renamed. */
#include <stdio.h>
#include <string.h>

#include "blob_kind.h"
#include "http.h"

#define TEMP_MAX  (BLOB_KEY_MAX + 8)
#define URL_MAX   4096
#define REPLY_MAX 4096

static enum err
bad(char why[WHY_BYTES], const char *text)
{
    return why_fail(why, ERR_BAD_PARAM, "%s", text);
}

static bool
is_host(const char *p, size_t n)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";

    for (size_t i = 0; i < n; i++)
        if (strchr(plain, p[i]) == NULL)
            return false;
    return n > 0;
}

static enum err
hdfs_open(struct arena *a, struct blob_store *s, const char *rest,
          char why[WHY_BYTES])
{
    size_t host = strcspn(rest, "/?"), path;
    const char *query = strchr(rest, '?');
    enum err e;

    path = (query != NULL ? (size_t)(query - rest) : strlen(rest));
    while (path > host && rest[path - 1] == '/')
        path--;
    if (!is_host(rest, host))
        return bad(why, "must be webhdfs://host:port/directory?user=name");
    s->endpoint = arena_printf(a, "http://%.*s", (int)host, rest);
    s->base = arena_strndup(a, rest + host, path - host);
    e = blob_option(a, rest, "user", &s->user, why);
    if (e != ERR_OK)
        return e;
    if (s->user == NULL) /* without one Hadoop's gateways misread the call */
        s->user = "hdfs";
    if (s->endpoint == NULL || s->base == NULL)
        return ERR_NOMEM;
    if (!str_empty(s->base) && !blob_is_key(s->base + 1))
        return bad(why, "webhdfs:// with a directory that is none");
    return ERR_OK;
}

static enum err
url_of(const struct blob_store *s, const char *key, const char *op,
       const char *more, char url[URL_MAX])
{
    char user[256];
    int n;

    if (http_escape(s->user, false, user, sizeof(user)) != ERR_OK)
        return ERR_LIMIT;
    n = snprintf(url, URL_MAX, "%s/webhdfs/v1%s/%s?op=%s&user.name=%s%s",
                 s->endpoint, s->base, key, op, user, more);
    return n > 0 && n < URL_MAX ? ERR_OK : ERR_LIMIT;
}

static struct http_call
call_of(const struct blob_store *s, const char *method, const char *url)
{
    return (struct http_call){ .method = method,
                               .url = url,
                               .from = s->cfg.from,
                               .go_on = s->cfg.go_on,
                               .go_on_ctx = s->cfg.ctx };
}

static enum err
said(const struct http_call *c, enum err e, char why[WHY_BYTES])
{
    why_say(why, "%s", c->why);
    return e;
}

/* A short reply. */
struct reply {
    char text[REPLY_MAX];
    size_t n;
};

static bool
take_reply(void *ctx, const char *p, size_t n)
{
    struct reply *r = ctx;

    if (n >= sizeof(r->text) - r->n)
        return false;
    memcpy(r->text + r->n, p, n);
    r->n += n;
    r->text[r->n] = '\0';
    return true;
}

/* One call without a body of ours; the reply's text into r. */
static enum err
ask(struct blob_store *s, const char *method, const char *key, const char *op,
    const char *more, struct reply *r, struct http_call *c, char why[WHY_BYTES])
{
    char url[URL_MAX];
    enum err e = url_of(s, key, op, more, url);

    *c = call_of(s, method, url);
    if (r != NULL) {
        r->n = 0;
        r->text[0] = '\0';
        c->write = take_reply;
        c->write_ctx = r;
    }
    if (e == ERR_OK)
        e = http_call(c);
    return e == ERR_OK ? e : said(c, e, why);
}

/* The address that a CREATE or OPEN is redirected to. Only http and https, and
 * judged by egress as the first one was. */
static enum err
target_of(const struct http_call *c, const char *what, char why[WHY_BYTES])
{
    if (c->status != 307 && c->status != 302)
        return blob_status(c->status, what, why);
    if (strncmp(c->location, "http://", 7) == 0 ||
        strncmp(c->location, "https://", 8) == 0)
        return ERR_OK;
    return why_fail(why, ERR_PEER, "%s: redirected to no address", what);
}

static enum err
rename_to(struct blob_store *s, const char *from, const char *key,
          char why[WHY_BYTES])
{
    char more[2 * BLOB_KEY_MAX + 64];
    struct http_call c;
    struct reply r;
    enum err e;

    (void)snprintf(more, sizeof(more), "&destination=%s/%s", s->base, key);
    e = ask(s, "PUT", from, "RENAME", more, &r, &c, why);
    if (e == ERR_OK && c.status != 200)
        e = blob_status(c.status, "RENAME", why);
    if (e == ERR_OK && strstr(r.text, "true") == NULL)
        e = why_fail(why, ERR_DENIED, "RENAME was refused");
    return e;
}

static enum err
drop_file(struct blob_store *s, const char *key, char why[WHY_BYTES])
{
    struct http_call c;
    enum err e = ask(s, "DELETE", key, "DELETE", "", NULL, &c, why);

    if (e == ERR_OK && c.status != 200 && c.status != 404)
        e = blob_status(c.status, "DELETE", why);
    return e;
}

static void
temp_of(const char *key, char out[TEMP_MAX])
{
    (void)snprintf(out, TEMP_MAX, "%s.new", key);
}

/* ... and what a put has left that could not reach the store any more. */
static enum err
hdfs_drop(struct blob_store *s, const char *key, char why[WHY_BYTES])
{
    char temp[TEMP_MAX];
    enum err e = drop_file(s, key, why);

    temp_of(key, temp);
    return e == ERR_OK ? drop_file(s, temp, why) : e;
}

static enum err
send_to(struct blob_store *s, const char *target, blob_read_fn *read, void *ctx,
        char why[WHY_BYTES])
{
    struct http_call c = call_of(s, "PUT", target);
    enum err e;

    c.header[0] = "Content-Type: application/octet-stream";
    c.read = read;
    c.read_ctx = ctx;
    c.size = -1;
    e = http_call(&c);
    if (e != ERR_OK)
        return said(&c, e, why);
    /* Hadoop answers 201, some gateways 200 */
    return c.status == 201 || c.status == 200
               ? ERR_OK
               : blob_status(c.status, "CREATE", why);
}

static enum err
hdfs_put(struct blob_store *s, const char *key, blob_read_fn *read, void *ctx,
         bool only_new, char why[WHY_BYTES])
{
    char temp[TEMP_MAX], ignored[WHY_BYTES];
    struct http_call c;
    enum err e;

    temp_of(key, temp);
    e = ask(s, "PUT", temp, "CREATE", "&overwrite=true", NULL, &c, why);
    if (e == ERR_OK)
        e = target_of(&c, "CREATE", why);
    if (e == ERR_OK)
        e = send_to(s, c.location, read, ctx, why);
    if (e == ERR_OK && !only_new) /* a RENAME does not replace */
        e = drop_file(s, key, why);
    if (e == ERR_OK)
        e = rename_to(s, temp, key, why);
    if (e == ERR_DENIED && only_new)
        e = ERR_EXISTS;
    if (e != ERR_OK)
        (void)drop_file(s, temp, ignored);
    return e;
}

static enum err
hdfs_get(struct blob_store *s, const char *key, int64_t offset,
         blob_write_fn *write, void *ctx, char why[WHY_BYTES])
{
    char more[48], target[HTTP_LOCATION];
    struct http_call c;
    enum err e;

    (void)snprintf(more, sizeof(more), "&offset=%lld", (long long)offset);
    e = ask(s, "GET", key, "OPEN", more, NULL, &c, why);
    if (e == ERR_OK)
        e = target_of(&c, "OPEN", why);
    if (e != ERR_OK)
        return e;
    (void)snprintf(target, sizeof(target), "%s", c.location);
    c = call_of(s, "GET", target);
    c.write = write;
    c.write_ctx = ctx;
    e = http_call(&c);
    if (e != ERR_OK)
        return said(&c, e, why);
    return c.status == 200 || c.status == 206
               ? ERR_OK
               : blob_status(c.status, "OPEN", why);
}

static enum err
hdfs_size(struct blob_store *s, const char *key, int64_t *bytes,
          char why[WHY_BYTES])
{
    struct http_call c;
    struct reply r;
    long long n;
    const char *p;
    enum err e = ask(s, "GET", key, "GETFILESTATUS", "", &r, &c, why);

    if (e == ERR_OK && c.status != 200)
        e = blob_status(c.status, "GETFILESTATUS", why);
    if (e != ERR_OK)
        return e;
    p = strstr(r.text, "\"length\"");
    if (p != NULL && sscanf(p, "\"length\" : %lld", &n) == 1 && n >= 0 &&
        strstr(r.text, "\"FILE\"") != NULL) {
        *bytes = n;
        return ERR_OK;
    }
    return why_fail(why, ERR_PEER, "GETFILESTATUS tells no length");
}

const struct blob_kind blob_webhdfs = { "webhdfs", hdfs_open, hdfs_put,
                                        hdfs_get,  hdfs_size, hdfs_drop };
