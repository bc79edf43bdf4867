/* Bodies of multipart/form-data. */
#include "multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

#define BOUNDARY_MAX   70
#define HEAD_LINES     16   /* of a part */
#define LINE_MAX_BYTES 2048 /* each of them */
#define DISPOSITION    "Content-Disposition:"

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
 * when there is none. *bad: it is there more than once, or cannot be read, or
 * something stands behind it (what is refused must not be trimmed instead). */
static const char *
parameter(struct arena *a, const char *header, const char *name, bool *bad)
{
    const char *p = strchr(header, ';'), *found = NULL, *value, *text;
    size_t len = strlen(name), n;
    bool ours;

    while (p != NULL && *p == ';') {
        p = skip_blanks(p + 1);
        n = strcspn(p, "= \t;");
        if (p[n] != '=') {
            p += n;
            p = strchr(p, ';');
            continue;
        }
        value = p + n + 1;
        ours = n == len && strncasecmp(p, name, n) == 0;
        *bad = *bad || (ours && found != NULL);
        text = take_value(a, &value);
        p = skip_blanks(value);
        *bad = *bad || (ours && (text == NULL || (*p != ';' && *p != '\0')));
        found = ours ? text : found;
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

bool
multipart_is(const char *content_type)
{
    return content_type != NULL && is_type(content_type, "multipart/form-data");
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

    if (!multipart_is(content_type))
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
        q += *closes ? 2 : 0;
        while (q < r->end && (*q == ' ' || *q == '\t'))
            q++;
        /* one that only begins so is content; the last may end the body */
        if (r->end - q >= 2 && memcmp(q, "\r\n", 2) == 0)
            return q + 2;
        if (*closes && q == r->end)
            return q;
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
    bool bad = false, unnamed = false;
    const char *name = parameter(a, value, "name", &bad);

    part->filename = parameter(a, value, "filename", &unnamed);
    if (!is_type(value, "form-data") || bad)
        return refuse(why, "a part's Content-Disposition cannot be read");
    if (unnamed)
        part->filename = "";
    part->name = name != NULL ? name : "";
    return ERR_OK;
}

/* The value of a header of that name, "Name:"; NULL: it is another one. */
static const char *
value_of(const char *line, size_t n, const char *name)
{
    size_t len = strlen(name);

    return n >= len && strncasecmp(line, name, len) == 0 ? line + len : NULL;
}

/* Whether a line that is no text, or too long for one, may be so by the name
 * of a file. */
static bool
names_a_file(const char *line, size_t n)
{
    return value_of(line, n, DISPOSITION) != NULL &&
           memmem(line, n, "filename=", strlen("filename=")) != NULL;
}

static enum err
take_line(struct arena *a, const char *line, size_t n,
          struct multipart_part *part, char why[WHY_BYTES])
{
    const char *text, *value;

    if (n > LINE_MAX_BYTES || !utf8_valid(line, n) ||
        memchr(line, '\0', n) != NULL) {
        if (!names_a_file(line, n))
            return refuse(why, "a part's head is no text");
        part->filename = "";
        return ERR_OK;
    }
    text = arena_strndup(a, line, n);
    if (text == NULL)
        return ERR_NOMEM;
    value = value_of(text, n, DISPOSITION);
    if (value != NULL)
        return take_disposition(a, skip_blanks(value), part, why);
    value = value_of(text, n, "Content-Type:");
    if (value != NULL)
        part->type = skip_blanks(value);
    return ERR_OK;
}

/* The lines up to an empty one; what follows is the body. */
static enum err
take_head(struct arena *a, struct multipart_part *part, char why[WHY_BYTES])
{
    struct span s = part->body;
    const char *end, *p = s.p;
    size_t lines = 0;
    enum err e = ERR_OK;

    part->name = part->type = "";
    while (e == ERR_OK) {
        size_t left = s.n - (size_t)(p - s.p);

        end = memmem(p, left, "\r\n", 2);
        if (end == NULL || lines++ == HEAD_LINES)
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
