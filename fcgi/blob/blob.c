/* What all kinds of stores share: urls, keys, sums, small texts. */
#include "blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob_kind.h"
#include "buf.h"
#include "crypt/digest.h"
#include "hex.h"

#define TEXT_MAX ((size_t)1 << 20)
#define TRIES    3

static const struct blob_kind *const kinds[] = { &blob_file, &blob_webhdfs,
                                                 &blob_s3 };

bool
blob_is_key(const char *key)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_.-/";
    size_t n = strlen(key);

    return n > 0 && n <= BLOB_KEY_MAX && strspn(key, plain) == n &&
           key[0] != '/' && key[n - 1] != '/' && strstr(key, "//") == NULL &&
           strstr(key, "..") == NULL && strstr(key, "/./") == NULL;
}

enum err
blob_option(struct arena *a, const char *url, const char *name,
            const char **out, char why[WHY_BYTES])
{
    const char *end = url + strlen(url), *query = strchrnul(url, '?'), *bad;
    struct query_param next;
    char *value;

    *out = NULL;
    query += query < end;
    while (query_next(&query, end, &next)) {
        if (next.bare || next.key.n != strlen(name) ||
            memcmp(next.key.p, name, next.key.n) != 0)
            continue;
        value = arena_alloc(a, next.value.n + 1);
        if (value == NULL)
            return ERR_NOMEM;
        bad = percent_decode(next.value.p, next.value.n, false, value);
        if (bad != NULL)
            return why_fail(why, ERR_BAD_PARAM, "%s of the url: %s", name, bad);
        *out = value;
        return ERR_OK;
    }
    return ERR_OK;
}

enum err
blob_status(int status, const char *what, char why[WHY_BYTES])
{
    why_say(why, "%s: HTTP status %d", what, status);
    if (status == 404)
        return ERR_NOT_FOUND;
    if (status == 401 || status == 403)
        return ERR_DENIED;
    if (status == 507 || status == 413)
        return ERR_LIMIT;
    return ERR_PEER;
}

enum err
blob_open(struct arena *a, const struct blob_config *cfg,
          struct blob_store **out, char why[WHY_BYTES])
{
    struct blob_store *s = arena_alloc(a, sizeof(*s));
    const char *rest = strstr(cfg->url, "://");
    size_t n = rest != NULL ? (size_t)(rest - cfg->url) : 0;

    if (s == NULL)
        return ERR_NOMEM;
    s->cfg = *cfg;
    for (size_t i = 0; i < COUNT(kinds) && rest != NULL; i++)
        if (strlen(kinds[i]->scheme) == n &&
            strncmp(cfg->url, kinds[i]->scheme, n) == 0)
            s->kind = kinds[i];
    *out = s;
    if (s->kind != NULL)
        return s->kind->open(a, s, rest + 3, why);
    return why_fail(why, ERR_BAD_PARAM,
                    "must begin with file://, webhdfs:// or s3://");
}

/* ---- sums ---- */

struct counted {
    blob_read_fn *read;
    void *ctx;
    struct digest *digest;
    int64_t bytes;
};

static int64_t
read_counted(void *ctx, char *p, size_t n)
{
    struct counted *c = ctx;
    int64_t got = c->read(c->ctx, p, n);

    if (got > 0 && !digest_add(c->digest, p, (size_t)got))
        return -1;
    if (got > 0)
        c->bytes += got;
    return got;
}

static enum err
check_key(const char *key, char why[WHY_BYTES])
{
    if (blob_is_key(key))
        return ERR_OK;
    return why_fail(why, ERR_BAD_PARAM,
                    "is no name of a file that can be kept");
}

enum err
blob_put(struct blob_store *s, const char *key, blob_read_fn *read, void *ctx,
         struct blob_sum *sum, char why[WHY_BYTES])
{
    struct counted c = { read, ctx, digest_new(), 0 };
    enum err e = check_key(key, why);

    if (e == ERR_OK && c.digest == NULL)
        e = ERR_NOMEM;
    if (e == ERR_OK)
        e = s->kind->put(s, key, read_counted, &c, false, why);
    if (e == ERR_OK)
        e = digest_hex(c.digest, sum->sha256);
    sum->bytes = c.bytes;
    digest_free(c.digest);
    return e;
}

enum err
blob_get(struct blob_store *s, const char *key, int64_t offset,
         blob_write_fn *write, void *ctx, char why[WHY_BYTES])
{
    enum err e = check_key(key, why);

    return e == ERR_OK ? s->kind->get(s, key, offset, write, ctx, why) : e;
}

enum err
blob_size(struct blob_store *s, const char *key, int64_t *bytes,
          char why[WHY_BYTES])
{
    enum err e = check_key(key, why);

    return e == ERR_OK ? s->kind->size(s, key, bytes, why) : e;
}

enum err
blob_drop(struct blob_store *s, const char *key, char why[WHY_BYTES])
{
    enum err e = check_key(key, why);

    return e == ERR_OK ? s->kind->drop(s, key, why) : e;
}

/* ---- small texts ---- */

static bool
write_text(void *ctx, const char *p, size_t n)
{
    buf_put(ctx, p, n);
    return buf_err(ctx) == ERR_OK;
}

enum err
blob_text(struct blob_store *s, struct arena *a, const char *key,
          const char **out, char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(TEXT_MAX);
    enum err e = ERR_PEER;

    for (int i = 0; i < TRIES && (e == ERR_PEER || e == ERR_TIMEOUT); i++) {
        buf_reset(&b);
        e = blob_get(s, key, 0, write_text, &b, why);
    }
    if (e == ERR_NOT_FOUND)
        e = ERR_OK;
    *out = e == ERR_OK ? arena_strndup(a, buf_text(&b), b.n) : NULL;
    buf_free(&b);
    return e == ERR_OK && *out == NULL ? ERR_NOMEM : e;
}

static int64_t
read_span(void *ctx, char *p, size_t n)
{
    struct span *left = ctx;

    if (n > left->n)
        n = left->n;
    if (n > 0)
        memcpy(p, left->p, n);
    left->p += n;
    left->n -= n;
    return (int64_t)n;
}

enum err
blob_put_span(struct blob_store *s, const char *key, struct span bytes,
              bool only_new, char why[WHY_BYTES])
{
    enum err e = check_key(key, why);

    return e == ERR_OK ? s->kind->put(s, key, read_span, &bytes, only_new, why)
                       : e;
}

static enum err
put_text(struct blob_store *s, const char *key, const char *text,
         char why[WHY_BYTES])
{
    return blob_put_span(s, key, (struct span){ text, strlen(text) }, false,
                         why);
}

enum err
blob_add_line(struct blob_store *s, struct arena *a, const char *key,
              const char *line, char why[WHY_BYTES])
{
    const char *old, *new;
    enum err e = blob_text(s, a, key, &old, why);

    if (e != ERR_OK)
        return e;
    new = arena_printf(a, "%s%s\n", old, line);
    return new != NULL ? put_text(s, key, new, why) : ERR_NOMEM;
}

enum err
blob_drop_line(struct blob_store *s, struct arena *a, const char *key,
               const char *line, char why[WHY_BYTES])
{
    const char *old;
    char *new, *to;
    size_t n = strlen(line);
    enum err e = blob_text(s, a, key, &old, why);

    if (e != ERR_OK)
        return e;
    new = to = arena_alloc(a, strlen(old) + 1);
    if (new == NULL)
        return ERR_NOMEM;
    for (const char *p = old; *p != '\0';) {
        size_t len = strcspn(p, "\n");
        size_t whole = len + (p[len] == '\n');

        if (len != n || memcmp(p, line, n) != 0) {
            memcpy(to, p, whole);
            to += whole;
        }
        p += whole;
    }
    *to = '\0';
    return strcmp(new, old) != 0 ? put_text(s, key, new, why) : ERR_OK;
}
