/* Bytes that are read while they are sent: all of them, or the range that the
 * client asks for (RFC 9110, 14). */
#include "ranges.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "number.h"
#include "req_io.h"

#define PIECE ((size_t)256 << 10)

/* Digits up to `end`. */
static bool
read_digits(struct arena *a, const char *p, const char *end, int64_t *out)
{
    const char *text = arena_strndup(a, p, (size_t)(end - p));

    return text != NULL && number_read(text, INT64_MAX, out);
}

/* "bytes=a-b", "bytes=a-", "bytes=-n": one range. What is none, or several, is
 * not asked for: the answer is all of it. *begin > *last: there is nothing in
 * that range. */
static bool
read_range(struct arena *a, const char *text, int64_t bytes, int64_t *begin,
           int64_t *last)
{
    const char *dash, *end;
    int64_t n = bytes - 1, from = 0;

    if (text == NULL || strncasecmp(text, "bytes=", 6) != 0)
        return false;
    text += 6;
    end = text + strlen(text);
    dash = strchr(text, '-');
    if (dash == NULL || strchr(text, ',') != NULL)
        return false;
    if (dash > text && !read_digits(a, text, dash, &from))
        return false;
    if ((dash == text || dash + 1 < end) && !read_digits(a, dash + 1, end, &n))
        return false;
    if (dash > text && dash + 1 < end && n < from)
        return false;
    if (dash == text) {
        from = n < bytes ? bytes - n : 0;
        n = bytes - 1;
    }
    *begin = from;
    *last = n < bytes ? n : bytes - 1;
    return true;
}

/* A range of another version of the bytes is of no use. */
static bool
is_of_this(const struct req *r, const char *tag)
{
    const char *want = req_header(r, "HTTP_IF_RANGE");

    return want == NULL || strcmp(want, tag) == 0;
}

enum err
req_send_source(struct req *r, const struct req_source *s)
{
    const char *tag = arena_printf(r->arena, "\"%s\"", s->tag), *range = NULL;
    int64_t begin = 0, last = s->bytes - 1;
    bool part;

    if (tag == NULL)
        return ERR_NOMEM;
    req_header_add(r, "Accept-Ranges", "bytes");
    part =
        is_of_this(r, tag) && read_range(r->arena, req_header(r, "HTTP_RANGE"),
                                         s->bytes, &begin, &last);
    if (part && begin > last)
        range = arena_printf(r->arena, "bytes */%lld", (long long)s->bytes);
    else if (part)
        range = arena_printf(r->arena, "bytes %lld-%lld/%lld", (long long)begin,
                             (long long)last, (long long)s->bytes);
    if (part && range == NULL)
        return ERR_NOMEM;
    if (part)
        req_header_add(r, "Content-Range", range);
    if (part && begin > last)
        return ERR_LIMIT;
    req_header_add(r, "ETag", tag);
    r->io->source = s;
    r->io->source_at = begin;
    r->io->source_bytes = last - begin + 1;
    r->io->status = part ? 206 : 0;
    return ERR_OK;
}

enum err
ranges_write(struct req *r)
{
    const struct req_source *s = r->io->source;
    int64_t at = r->io->source_at, end = at + r->io->source_bytes, n;
    char *piece;
    enum err e = ERR_OK;

    if (strcmp(r->method, "HEAD") == 0)
        return ERR_OK;
    piece = malloc(PIECE);
    if (piece == NULL)
        e = ERR_NOMEM;
    for (; e == ERR_OK && at < end; at += n) {
        n = end - at < (int64_t)PIECE ? end - at : (int64_t)PIECE;
        n = r->io->stopping != NULL && r->io->stopping(r->io)
                ? -1
                : s->read(s->ctx, at, piece, (size_t)n);
        e = n > 0 ? r->io->write(r->io, piece, (size_t)n) : ERR_INTERNAL;
    }
    free(piece);
    if (e != ERR_OK && e != ERR_STATE)
        log_warn("reply.cut operation=%s at=%lld of=%lld err=%s", r->operation,
                 (long long)at, (long long)end, err_name(e));
    return e;
}
