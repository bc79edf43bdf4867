/* REQUEST_URI to path and parameters. Every byte comes from the client. */
#include "uri.h"

#include <string.h>
#include <strings.h>

#include "hex.h"
#include "utf8.h"

static enum err
decode_bytes(struct arena *a, const char *p, size_t n, bool plus,
             const char **out)
{
    char *to = arena_alloc(a, n + 1);

    *out = to;
    if (to == NULL)
        return ERR_NOMEM;
    return percent_decode(p, n, plus, to) == NULL ? ERR_OK : ERR_BAD_PARAM;
}

enum err
uri_decode(struct arena *a, const char *p, size_t n, bool plus,
           const char **out)
{
    enum err e = decode_bytes(a, p, n, plus, out);

    if (e != ERR_OK)
        return e;
    return utf8_valid(*out, strlen(*out)) ? ERR_OK : ERR_BAD_PARAM;
}

/* A copy in which U+FFFD stands for each byte that is not UTF-8. */
static const char *
replaced(struct arena *a, const char *text)
{
    size_t n = strlen(text);
    char *out = arena_alloc(a, 3 * n + 1), *to = out;

    for (size_t i = 0; out != NULL && i < n;) {
        size_t k = utf8_len(text + i, n - i);

        memcpy(to, k > 0 ? text + i : "\xef\xbf\xbd", k > 0 ? k : 3);
        to += k > 0 ? k : 3;
        i += k > 0 ? k : 1;
    }
    return out;
}

/* A key or a value of the query, by the dialect's rules. */
static enum err
decode_query(struct arena *a, const char *p, size_t n, unsigned rules,
             const char **out)
{
    enum err e = decode_bytes(a, p, n, (rules & URI_PLUS_STAYS) == 0, out);

    if (e != ERR_OK || utf8_valid(*out, strlen(*out)))
        return e;
    if ((rules & URI_REPLACE) == 0)
        return ERR_BAD_PARAM;
    *out = replaced(a, *out);
    return *out == NULL ? ERR_NOMEM : ERR_OK;
}

bool
uri_is_token(const char *key)
{
    return strcasecmp(key, "token") == 0;
}

/* After BAD_PARAM the key is readable or NULL. */
static enum err
decode_param(struct arena *a, const struct query_param *in, unsigned rules,
             struct param *out)
{
    enum err e;

    out->value = "";
    out->bare = in->bare;
    e = decode_query(a, in->key.p, in->key.n, rules, &out->key);
    if (e != ERR_OK)
        out->key = NULL;
    else if (!in->bare)
        e = decode_query(a, in->value.p, in->value.n, rules, &out->value);
    return e;
}

static size_t
count_params(const char *query)
{
    size_t n = 1;

    for (; *query != '\0'; query++)
        n += *query == '&';
    return n;
}

static enum err
parse_query(struct arena *a, const char *p, unsigned rules, struct uri *out)
{
    size_t most = count_params(p);
    const char *end = p + strlen(p);
    struct param *list, *last;
    struct query_param next;
    enum err e;

    if (most > URI_MAX_PARAMS) {
        out->fault = "(more than " XSTR(URI_MAX_PARAMS) ")";
        return ERR_BAD_PARAM;
    }
    list = last = arena_array(a, most, sizeof(*list));
    if (list == NULL)
        return ERR_NOMEM;
    while (query_next(&p, end, &next)) {
        if (next.key.n == 0 && next.bare)
            continue;
        e = decode_param(a, &next, rules, last);
        if (e != ERR_OK) {
            out->fault = last->key != NULL ? last->key : "(unreadable)";
            return e;
        }
        if (!uri_is_token(last->key))
            last++;
        else if (*out->token == '\0')
            out->token = last->value;
    }
    out->query = list;
    out->n_query = (size_t)(last - list);
    return ERR_OK;
}

/* "http://host:port/path" as a proxy may send it: the part from the path. */
static const char *
skip_origin(const char *target)
{
    const char *host;

    if (strncasecmp(target, "http://", 7) == 0)
        host = target + 7;
    else if (strncasecmp(target, "https://", 8) == 0)
        host = target + 8;
    else
        return target;
    return host + strcspn(host, "/?");
}

/* Segments one by one: the empty ones are dropped, and a slash inside one
 * stays encoded, so that it matches no path of ours. */
static enum err
decode_segments(struct arena *a, const char *p, size_t n, const char **out)
{
    struct buf b = BUF_INIT(3 * n + 1);
    const char *end = p + n, *text;
    enum err e = ERR_OK;
    size_t k;

    for (; p < end && e == ERR_OK; p += k + (p + k < end ? 1 : 0)) {
        for (k = 0; p + k < end && p[k] != '/'; k++)
            ;
        if (k == 0)
            continue;
        e = uri_decode(a, p, k, false, &text);
        buf_putc(&b, '/');
        for (; e == ERR_OK && *text != '\0'; text++)
            buf_puts(&b, *text == '/' ? "%2F" : (const char[]){ *text, '\0' });
    }
    if (b.n == 0)
        buf_putc(&b, '/');
    if (e == ERR_OK)
        e = buf_err(&b);
    *out = arena_strndup(a, buf_text(&b), b.n);
    buf_free(&b);
    if (e != ERR_OK)
        return e;
    return *out == NULL ? ERR_NOMEM : ERR_OK;
}

enum err
uri_parse(struct arena *a, const char *target, struct uri *out)
{
    return uri_parse_by(a, target, 0, out);
}

enum err
uri_parse_by(struct arena *a, const char *target, unsigned rules,
             struct uri *out)
{
    const char *path = skip_origin(target);
    size_t n = strcspn(path, "?");
    const char *decoded;
    enum err e;

    *out = (struct uri){ .path = "", .token = "", .fault = "(path)" };
    e = (rules & URI_SEGMENTS) != 0 ? decode_segments(a, path, n, &decoded)
                                    : uri_decode(a, path, n, false, &decoded);
    if (e != ERR_OK)
        return e;
    out->path = decoded;
    return path[n] == '?' ? parse_query(a, path + n + 1, rules, out) : ERR_OK;
}
