/* Bodies of multipart/form-data. */
#include "multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

#define BOUNDARY_MAX 70
#define HEAD_MAX     2048

/* ---- parameters of a header: name=value or name="value" ---- */

static const char *
skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* A quoted text, its backslashes taken away, or a bare word, in the arena.
 * *p is moved behind it. NULL: it does not end, or no memory. */
static char *
take_value(struct arena *a, const char **p)
{
    bool quoted = **p == '"';
    const char *s = *p + quoted;
    char *out = arena_alloc(a, strlen(s) + 1);
    size_t n = 0;

    if (out == NULL)
        return NULL;
    while (*s != '\0' && (quoted ? *s != '"' : strchr("; \t", *s) == NULL)) {
        if (quoted && s[0] == '\\' && (s[1] == '"' || s[1] == '\\'))
            s++;
        out[n++] = *s++;
    }
    if (quoted && *s != '"')
        return NULL;
    *p = s + quoted;
    return out;
}

/* The parameter of that name behind the first ';' of a header's value; NULL
 * when there is none. *bad: it is there more than once, or cannot be read. */
static const char *
parameter(struct arena *a, const char *header, const char *name, bool *bad)
{
    const char *p = strchr(header, ';'), *found = NULL, *value;
    size_t len = strlen(name), n;

    while (p != NULL && *p == ';') {
        p = skip_blanks(p + 1);
        n = strcspn(p, "= \t;");
        if (p[n] != '=') {
            p += n;
            p = strchr(p, ';');
            continue;
        }
        value = p + n + 1;
        if (n == len && strncasecmp(p, name, n) == 0) {
            *bad = *bad || found != NULL;
            found = take_value(a, &value);
        } else {
            (void)take_value(a, &value);
        }
        *bad = *bad || (n == len && found == NULL);
        p = skip_blanks(value);
    }
    return found;
}

static bool
is_type(const char *header, const char *type)
{
    size_t n = strlen(type);

    return strncasecmp(header, type, n) == 0 &&
           (header[n] == '\0' || strchr("; \t", header[n]) != NULL);
}

const char *
multipart_boundary(struct arena *a, const char *content_type)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789"
                                "'()+_,-./:=? ";
    bool bad = false;
    const char *b;
    size_t n;

    if (content_type == NULL || !is_type(content_type, "multipart/form-data"))
        return NULL;
    b = parameter(a, content_type, "boundary", &bad);
    n = b != NULL && !bad ? strlen(b) : 0;
    if (n == 0 || n > BOUNDARY_MAX || strspn(b, plain) != n || b[n - 1] == ' ')
        return NULL;
    return b;
}

/* ---- lines of the boundary ---- */

struct reader {
    const char *boundary;
    size_t boundary_n;
    const char *p, *end;
};

/* The next "--boundary" at the begin of a line from p on; NULL. What goes
 * before it, without its line's end, is *before. After it: *closes, and *rest
 * behind the line. */
static const char *
next_boundary(const struct reader *r, const char *p, bool first,
              struct span *before, bool *closes)
{
    const char *at = p, *line, *q;

    for (;;) {
        if (first && at == p)
            line = p; /* the body may begin with it */
        else
            line = at < r->end ? memmem(at, (size_t)(r->end - at), "\r\n--", 4)
                               : NULL;
        if (line == NULL)
            return NULL;
        q = line + (first && at == p ? 0 : 2);
        at = line + 1;
        first = false;
        if ((size_t)(r->end - q) < 2 + r->boundary_n ||
            memcmp(q, "--", 2) != 0 ||
            memcmp(q + 2, r->boundary, r->boundary_n) != 0)
            continue;
        *before = (struct span){ p, (size_t)(line - p) };
        q += 2 + r->boundary_n;
        *closes = r->end - q >= 2 && memcmp(q, "--", 2) == 0;
        if (*closes)
            return q + 2;
        while (q < r->end && (*q == ' ' || *q == '\t'))
            q++;
        /* one that only begins so is content */
        if (r->end - q >= 2 && memcmp(q, "\r\n", 2) == 0)
            return q + 2;
    }
}

/* ---- heads ---- */

static enum err
refuse(char why[WHY_BYTES], const char *text)
{
    return why_fail(why, ERR_BAD_PARAM, "%s", text);
}

static enum err
take_disposition(struct arena *a, const char *value,
                 struct multipart_part *part, char why[WHY_BYTES])
{
    bool bad = false;
    const char *name = parameter(a, value, "name", &bad);

    part->filename = parameter(a, value, "filename", &bad);
    if (!is_type(value, "form-data") || bad)
        return refuse(why, "a part's Content-Disposition cannot be read");
    part->name = name != NULL ? name : "";
    return ERR_OK;
}

static enum err
take_line(struct arena *a, const char *line, size_t n,
          struct multipart_part *part, char why[WHY_BYTES])
{
    static const char disposition[] = "Content-Disposition:";
    static const char type[] = "Content-Type:";
    char *text;

    if (!utf8_valid(line, n) || memchr(line, '\0', n) != NULL)
        return refuse(why, "a part's head is no text");
    text = arena_strndup(a, line, n);
    if (text == NULL)
        return ERR_NOMEM;
    if (strncasecmp(text, disposition, sizeof(disposition) - 1) == 0)
        return take_disposition(a, skip_blanks(text + sizeof(disposition) - 1),
                                part, why);
    if (strncasecmp(text, type, sizeof(type) - 1) == 0)
        part->type = skip_blanks(text + sizeof(type) - 1);
    return ERR_OK;
}

/* The lines up to an empty one; what follows is the body. */
static enum err
take_head(struct arena *a, struct multipart_part *part, char why[WHY_BYTES])
{
    struct span s = part->body;
    const char *end, *p = s.p;
    enum err e = ERR_OK;

    part->name = part->type = "";
    while (e == ERR_OK) {
        size_t left = s.n - (size_t)(p - s.p);

        end = memmem(p, left, "\r\n", 2);
        if (end == NULL || (size_t)(end - s.p) > HEAD_MAX)
            return refuse(why, "a part has no head");
        if (end == p)
            break;
        e = take_line(a, p, (size_t)(end - p), part, why);
        p = end + 2;
    }
    part->body = (struct span){ p + 2, s.n - (size_t)(p - s.p) - 2 };
    return e;
}

enum err
multipart_parse(struct arena *a, const char *boundary, const char *p, size_t n,
                struct multipart *out, char why[WHY_BYTES])
{
    struct reader r = { boundary, strlen(boundary), p, p + n };
    struct multipart_part *part;
    struct span before;
    bool closes = false;
    enum err e = ERR_OK;

    out->n = 0;
    why[0] = '\0';
    p = next_boundary(&r, p, true, &before, &closes);
    while (e == ERR_OK && p != NULL && !closes) {
        if (out->n == MULTIPART_PARTS)
            return why_fail(why, ERR_LIMIT, "has more than %d parts",
                            MULTIPART_PARTS);
        part = &out->part[out->n++];
        *part = (struct multipart_part){ .name = "" };
        p = next_boundary(&r, p, false, &part->body, &closes);
        if (p != NULL)
            e = take_head(a, part, why);
    }
    if (e == ERR_OK && p == NULL)
        e = refuse(why, "has no closing boundary");
    return e;
}

const struct multipart_part *
multipart_find(const struct multipart *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->part[i].name, name) == 0)
            return &m->part[i];
    return NULL;
}

const struct multipart_part *
multipart_file(const struct multipart *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->part[i].filename != NULL)
            return &m->part[i];
    return NULL;
}
