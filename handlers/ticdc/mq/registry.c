/* POST /subjects/<subject>/versions, and nothing else of a registry. */
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "http.h"
#include "json.h"

#define CALL_MS    10000
#define TRIES      3
#define REPLY_MAX  ((size_t)1 << 20)
#define BODY_MAX   ((size_t)16 << 20)
#define URL_MAX    2048
#define MEDIA_TYPE "application/vnd.schemaregistry.v1+json"

struct registry {
    char base[URL_MAX / 2]; /* without a '/' at the end */
    char why[WHY_BYTES];
};

struct registry *
registry_new(const char *url)
{
    struct registry *r = calloc(1, sizeof(*r));
    size_t n = strlen(url);

    if (r == NULL || n >= sizeof(r->base)) {
        free(r);
        return NULL;
    }
    while (n > 0 && url[n - 1] == '/')
        n--;
    memcpy(r->base, url, n);
    return r;
}

void
registry_free(struct registry *r)
{
    free(r);
}

const char *
registry_why(const struct registry *r)
{
    return r->why;
}

static bool
keep(void *ctx, const char *p, size_t n)
{
    struct buf *b = ctx;

    buf_put(b, p, n);
    return !b->failed;
}

/* One call; the reply's body whatever the status. */
static enum err
call(struct registry *r, const char *method, const char *path, struct span body,
     struct buf *reply, int *status)
{
    char url[URL_MAX];
    struct http_call c = {
        .method = method,
        .url = url,
        .header = { "Content-Type: " MEDIA_TYPE, "Accept: " MEDIA_TYPE },
        .bytes = body,
        .size = (int64_t)body.n,
        .write = keep,
        .write_ctx = reply,
        .every_status = true,
        .deadline_ms = clock_mono_ms() + CALL_MS,
    };
    enum err e;

    (void)snprintf(url, sizeof(url), "%s%s", r->base, path);
    e = http_call(&c);
    *status = c.status;
    return e == ERR_OK ? ERR_OK : why_fail(r->why, e, "%.2000s", c.why);
}

static enum err
refuse(struct registry *r, int status, const struct buf *reply)
{
    enum err e = status == 409                    ? ERR_EXISTS
                 : status >= 500                  ? ERR_PEER
                 : status == 401 || status == 403 ? ERR_DENIED
                                                  : ERR_BAD_PARAM;

    return why_fail(r->why, e, "the schema registry answers %d: %.500s", status,
                    buf_text(reply));
}

enum err
registry_look(struct registry *r)
{
    struct buf reply = BUF_INIT(REPLY_MAX);
    int status = 0;
    enum err e;

    r->why[0] = '\0';
    e = call(r, "GET", "/", (struct span){ "", 0 }, &reply, &status);
    if (e == ERR_OK &&
        (status != 200 || strncmp(buf_text(&reply), "{}", 2) != 0))
        e = refuse(r, status, &reply);
    buf_free(&reply);
    return e;
}

static enum err
read_id(struct registry *r, const struct buf *reply, uint32_t *id)
{
    struct arena *a = arena_new(REPLY_MAX * 4);
    const struct json *doc, *member;
    struct json_error why;
    uint64_t v = 0;
    enum err e;

    if (a == NULL)
        return why_fail(r->why, ERR_NOMEM, "no memory");
    e = json_parse(a, buf_text(reply), reply->n, JSON_STRICT, &doc, &why);
    member = e == ERR_OK ? json_member(doc, "id") : NULL;
    if (member == NULL || json_type(member) != JSON_NUMBER ||
        json_to_u64(json_text(member), false, &v) != ERR_OK || v > INT32_MAX)
        e = why_fail(r->why, ERR_BAD_PARAM,
                     "the schema registry tells no id of a schema");
    arena_free(a);
    *id = (uint32_t)v;
    return e;
}

enum err
registry_register(void *ctx, const char *subject, struct span schema,
                  uint32_t *id)
{
    struct registry *r = ctx;
    struct buf body = BUF_INIT(BODY_MAX), reply = BUF_INIT(REPLY_MAX);
    char path[URL_MAX / 2], name[URL_MAX / 4];
    struct json_writer w;
    int status = 0;
    enum err e = http_escape(subject, false, name, sizeof(name));

    r->why[0] = '\0';
    jw_init(&w, &body, &json_compact);
    jw_object(&w);
    jw_key(&w, "schema");
    jw_strn(&w, schema.p, schema.n);
    jw_object_end(&w);
    if (e == ERR_OK)
        e = buf_err(&body);
    if (e == ERR_OK)
        (void)snprintf(path, sizeof(path), "/subjects/%s/versions", name);
    else
        (void)why_fail(r->why, e, "a schema cannot be sent");
    for (int i = 0; i < TRIES && e == ERR_OK; i++) {
        buf_reset(&reply);
        e = call(r, "POST", path, (struct span){ buf_text(&body), body.n },
                 &reply, &status);
        if (e == ERR_OK && status == 200)
            break;
        if (e == ERR_OK)
            e = refuse(r, status, &reply);
        if (err_may_retry(e) && i + 1 < TRIES)
            e = ERR_OK;
    }
    if (e == ERR_OK) {
        r->why[0] = '\0';
        e = read_id(r, &reply, id);
    }
    buf_free(&body);
    buf_free(&reply);
    return e;
}
