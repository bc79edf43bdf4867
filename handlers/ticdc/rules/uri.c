#include "uri.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "hex.h"
#include "number.h"
#include "utf8.h"

#define ENCODE                                                 \
    "; what has a meaning in a URI is written percent-encoded" \
    " (# as %23, @ as %40, / as %2F, ? as %3F, : as %3A)"

static enum err
refuse(char why[WHY_BYTES], const char *what)
{
    snprintf(why, WHY_BYTES, "%s", what);
    return ERR_BAD_PARAM;
}

/* Decoded, as text without NUL; plus: a + is a blank. */
static enum err
decode(struct arena *a, struct span s, bool plus, const char **out,
       char why[WHY_BYTES])
{
    char *to = arena_alloc(a, s.n + 1);
    const char *bad;

    if (to == NULL)
        return ERR_NOMEM;
    bad = percent_decode(s.p, s.n, plus, to);
    if (bad != NULL)
        return refuse(why, bad);
    if (!utf8_valid(to, strlen(to)))
        return refuse(why, "it is no UTF-8");
    *out = to;
    return ERR_OK;
}

/* ---- its parts, as they are written ---- */

struct parts {
    struct span scheme, user, password, hosts, path, query;
    bool has_user, has_password;
};

static bool
is_scheme(struct span s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

    if (s.n == 0 || s.n > 32)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = c != '\0' && strchr(letters, c | 32) != NULL;

        if (!letter &&
            (i == 0 || c == '\0' || strchr("0123456789+-.", c) == NULL))
            return false;
    }
    return true;
}

static enum err
split_authority(const char *p, size_t n, struct parts *out, char why[WHY_BYTES])
{
    const char *at = memchr(p, '@', n), *colon;

    if (at == NULL) {
        out->hosts = (struct span){ p, n };
        return ERR_OK;
    }
    if (memchr(at + 1, '@', n - (size_t)(at + 1 - p)) != NULL)
        return refuse(why, "it has more than one @ before the host" ENCODE);
    out->has_user = true;
    out->user = (struct span){ p, (size_t)(at - p) };
    out->hosts = (struct span){ at + 1, n - (size_t)(at + 1 - p) };
    colon = memchr(p, ':', out->user.n);
    if (colon == NULL)
        return ERR_OK;
    out->has_password = true;
    out->password =
        (struct span){ colon + 1, out->user.n - (size_t)(colon + 1 - p) };
    out->user.n = (size_t)(colon - p);
    return ERR_OK;
}

static enum err
split(const char *text, struct parts *out, char why[WHY_BYTES])
{
    const char *p = strstr(text, "://");
    size_t n;

    *out = (struct parts){ 0 };
    if (p == NULL)
        return refuse(why, "it does not begin with scheme://");
    out->scheme = (struct span){ text, (size_t)(p - text) };
    if (!is_scheme(out->scheme))
        return refuse(why, "it does not begin with scheme://");
    if (strlen(text) > SINK_URI_BYTES_MAX)
        return refuse(why, "it is too long");
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return refuse(why, "it holds a control character");
    p += 3;
    if (strchr(p, '#') != NULL)
        return refuse(why, "it holds a #" ENCODE);
    n = strcspn(p, "/?");
    if (memchr(p, '@', n) == NULL &&
        memchr(p + n, '@', strlen(p + n)) != NULL &&
        memchr(p, ':', n) != NULL && strcspn(p + n, "@") < strcspn(p + n, "="))
        return refuse(why, "there is an @ behind the first / or ?" ENCODE);
    if (split_authority(p, n, out, why) != ERR_OK)
        return ERR_BAD_PARAM;
    p += n;
    if (*p == '/') {
        n = strcspn(++p, "?");
        out->path = (struct span){ p, n };
        p += n;
    }
    if (*p == '?')
        out->query = (struct span){ p + 1, strlen(p + 1) };
    return ERR_OK;
}

/* ---- hosts ---- */

static bool
read_port(const char *p, const char *end, unsigned *out)
{
    uint64_t v;

    if (!number_take(&p, end, 65535, &v) || p != end)
        return false;
    *out = (unsigned)v;
    return v > 0;
}

/* A name, an IPv4 address, or an IPv6 address in brackets. */
static enum err
read_host(struct arena *a, struct span s, struct sink_host *out,
          char why[WHY_BYTES])
{
    const char *end = s.p + s.n, *port = NULL;
    struct span host = s;
    enum err e;

    if (s.n > 0 && s.p[0] == '[') {
        const char *close = memchr(s.p, ']', s.n);

        if (close == NULL || (close + 1 < end && close[1] != ':'))
            return refuse(why, "the brackets of an address do not fit");
        host = (struct span){ s.p + 1, (size_t)(close - s.p - 1) };
        port = close + 1 < end ? close + 2 : NULL;
        for (size_t i = 0; i < host.n; i++)
            if (hex_digit(host.p[i]) < 0 && strchr(":.", host.p[i]) == NULL)
                return refuse(why, "there is no address in the brackets");
    } else {
        const char *colon = memchr(s.p, ':', s.n);

        if (colon != NULL) {
            host.n = (size_t)(colon - s.p);
            port = colon + 1;
        }
        for (size_t i = 0; i < host.n; i++)
            if (strchr(" \"<>[]\\^`{|}!$&'()*+;=", host.p[i]) != NULL)
                return refuse(why, "the host has a character that none can "
                                   "have" ENCODE);
    }
    if (host.n > 255)
        return refuse(why, "a host is too long");
    if (port != NULL && !read_port(port, end, &out->port))
        return refuse(why, "a port is no number from 1 to 65535" ENCODE);
    e = decode(a, host, false, &out->host, why);
    return e;
}

static enum err
read_hosts(struct arena *a, struct span all, struct sink_uri *out,
           char why[WHY_BYTES])
{
    const char *p = all.p, *end = all.p + all.n, *comma;
    enum err e;

    out->host = arena_array(a, SINK_HOSTS_MAX, sizeof(*out->host));
    if (out->host == NULL)
        return ERR_NOMEM;
    if (all.n == 0)
        return ERR_OK;
    for (;; p = comma + 1) {
        comma = memchr(p, ',', (size_t)(end - p));
        if (out->n_hosts == SINK_HOSTS_MAX)
            return refuse(why, "it has too many hosts");
        e = read_host(
            a, (struct span){ p, (size_t)((comma != NULL ? comma : end) - p) },
            &out->host[out->n_hosts], why);
        if (e != ERR_OK)
            return e;
        if (str_empty(out->host[out->n_hosts++].host) && all.n > 0)
            return refuse(why, "a host is empty");
        if (comma == NULL)
            return ERR_OK;
    }
}

/* ---- parameters ---- */

static enum err
read_params(struct arena *a, struct span query, struct sink_uri *out,
            char why[WHY_BYTES])
{
    const char *p = query.p, *end = query.n > 0 ? query.p + query.n : query.p;
    struct query_param next;
    enum err e;

    out->param = arena_array(a, SINK_PARAMS_MAX, sizeof(*out->param));
    if (out->param == NULL)
        return ERR_NOMEM;
    while (query.n > 0 && query_next(&p, end, &next)) {
        struct sink_param *to = &out->param[out->n_params];

        if (next.key.n == 0 && next.bare)
            continue;
        if (out->n_params == SINK_PARAMS_MAX)
            return refuse(why, "it has too many parameters");
        e = decode(a, next.key, true, &to->key, why);
        if (e == ERR_OK)
            e = decode(a, next.value, true, &to->value, why);
        if (e != ERR_OK)
            return e;
        if (memchr(next.key.p, ';', next.key.n) != NULL ||
            memchr(next.value.p, ';', next.value.n) != NULL)
            return refuse(why, "parameters are parted by &, not by ;");
        out->n_params++;
    }
    return ERR_OK;
}

enum err
sink_uri_parse(struct arena *a, const char *text, struct sink_uri *out,
               char why[WHY_BYTES])
{
    struct parts p;
    char *scheme;
    enum err e;

    *out = (struct sink_uri){ .path = "" };
    e = split(text, &p, why);
    if (e != ERR_OK)
        return e;
    scheme = arena_strndup(a, p.scheme.p, p.scheme.n);
    if (scheme == NULL)
        return ERR_NOMEM;
    for (char *c = scheme; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 32);
    out->scheme = scheme;
    if (p.has_user)
        e = decode(a, p.user, false, &out->user, why);
    if (e == ERR_OK && p.has_password)
        e = decode(a, p.password, false, &out->password, why);
    if (e == ERR_OK)
        e = read_hosts(a, p.hosts, out, why);
    if (e == ERR_OK && p.path.n > 0)
        e = decode(a, p.path, false, &out->path, why);
    return e == ERR_OK ? read_params(a, p.query, out, why) : e;
}

const char *
sink_uri_param(const struct sink_uri *u, const char *key)
{
    for (size_t i = u->n_params; i > 0; i--)
        if (strcmp(u->param[i - 1].key, key) == 0)
            return u->param[i - 1].value;
    return NULL;
}

/* ---- masking ---- */

bool
sink_is_secret(const char *key, size_t n)
{
    static const char *const words[] = {
        "password", "passwd", "pwd",        "secret",    "token",
        "key",      "access", "credential", "signature", "private",
    };

    for (size_t i = 0; i < COUNT(words); i++) {
        size_t w = strlen(words[i]);

        for (size_t at = 0; w <= n && at <= n - w; at++)
            if (strncasecmp(key + at, words[i], w) == 0)
                return true;
    }
    return false;
}

static void
put(struct buf *b, struct span s)
{
    buf_put(b, s.p, s.n);
}

static void
put_params(struct arena *a, struct buf *b, struct span query)
{
    const char *p = query.p, *end = query.p + query.n, *name;
    struct query_param next;
    char why[WHY_BYTES];

    while (query_next(&p, end, &next)) {
        put(b, next.key);
        if (!next.bare)
            buf_putc(b, '=');
        /* a name may be encoded too */
        if (decode(a, next.key, true, &name, why) != ERR_OK ||
            sink_is_secret(name, strlen(name)))
            buf_puts(b, next.bare ? "" : "xxxxx");
        else
            put(b, next.value);
        if (p[-1] == '&')
            buf_putc(b, '&');
    }
}

const char *
sink_uri_masked(struct arena *a, const char *text)
{
    struct buf b = BUF_INIT(4 * SINK_URI_BYTES_MAX);
    struct sink_uri u;
    struct parts p;
    char why[WHY_BYTES];
    const char *masked;
    enum err e = split(text, &p, why);

    if (e == ERR_OK)
        e = sink_uri_parse(a, text, &u, why);
    if (e == ERR_NOMEM)
        return NULL;
    if (e != ERR_OK)
        return is_scheme(p.scheme) ? arena_printf(a, "%.*s://xxxxx",
                                                  (int)p.scheme.n, p.scheme.p)
                                   : "xxxxx";
    put(&b, p.scheme);
    buf_puts(&b, "://");
    if (p.has_user) {
        put(&b, p.user);
        buf_puts(&b, p.has_password ? ":xxxxx@" : "@");
    }
    put(&b, p.hosts);
    put(&b, (struct span){ p.hosts.p + p.hosts.n,
                           p.path.p != NULL ? p.path.n + 1 : 0 });
    if (p.query.p != NULL) {
        buf_putc(&b, '?');
        put_params(a, &b, p.query);
    }
    masked = b.failed ? NULL : arena_strndup(a, buf_text(&b), b.n);
    buf_free(&b);
    return masked;
}
