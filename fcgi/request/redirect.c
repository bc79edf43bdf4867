/* Redirects to another server of the same API: the Location's query is the
 * request's own, encoded anew. */
#include "req.h"

#include <string.h>

#include "buf.h"
#include "failure.h"
#include "hex.h"
#include "req_io.h"

#define LOCATION_MAX (24 * 1024)

/* RFC 3986: what needs no escape in a query, less '&', '=' and '+', which
 * mean something to those who split it. */
static bool
is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$'()*,;:@/?", c) != NULL);
}

static void
put_encoded(struct buf *b, const char *text)
{
    char escape[4];

    for (; *text != '\0'; text++) {
        if (is_plain(*text)) {
            buf_putc(b, *text);
        } else {
            percent_write(*text, escape);
            buf_puts(b, escape);
        }
    }
}

static void
put_param(struct buf *b, const char *key, const char *value, bool bare,
          char *before)
{
    buf_putc(b, *before);
    *before = '&';
    put_encoded(b, key);
    if (bare)
        return;
    buf_putc(b, '=');
    put_encoded(b, value);
}

/* A client that sent its token in the query could not follow without it. */
static void
put_query(struct buf *b, const struct req *r)
{
    const char *token = r->io->query_token;
    char before = '?';

    for (size_t i = 0; i < r->n_query; i++)
        put_param(b, r->query[i].key, r->query[i].value, r->query[i].bare,
                  &before);
    if (!str_empty(token))
        put_param(b, "token", token, false, &before);
}

enum err
req_redirect(struct req *r, int id, const char *base_url)
{
    struct buf b = BUF_INIT(LOCATION_MAX);
    const char *location;

    buf_puts(&b, base_url);
    buf_puts(&b, r->path);
    put_query(&b, r);
    location = b.failed ? NULL : arena_strndup(r->arena, buf_text(&b), b.n);
    buf_free(&b);
    if (location == NULL)
        return ERR_NOMEM;
    req_header_add(r, "Location", location);
    return req_fail(r, id, ARGS());
}
