/* Statements taken apart into words. */
#include "sql_words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool
starts(const struct sql_words *w, const char *s)
{
    size_t n = strlen(s);

    return (size_t)(w->end - w->p) >= n && memcmp(w->p, s, n) == 0;
}

/* Past the next `what`, or to the end. */
static void
skip_past(struct sql_words *w, const char *what)
{
    const char *at = memmem(w->p, (size_t)(w->end - w->p), what, strlen(what));

    w->p = at != NULL ? at + strlen(what) : w->end;
}

/* Behind -- has to be a blank or a control character, or nothing. */
static bool
is_dashes(const struct sql_words *w)
{
    return starts(w, "--") &&
           (w->p + 2 == w->end || isspace((unsigned char)w->p[2]) ||
            iscntrl((unsigned char)w->p[2]));
}

static void
skip_blanks(struct sql_words *w)
{
    while (w->p < w->end) {
        if (isspace((unsigned char)*w->p)) {
            w->p++;
        } else if (*w->p == '#' || is_dashes(w)) {
            skip_past(w, "\n");
        } else if (starts(w, "/*!") || starts(w, "/*M!")) {
            w->p += w->p[2] == 'M' ? 4 : 3;
            while (w->p < w->end && isdigit((unsigned char)*w->p))
                w->p++;
        } else if (starts(w, "*/")) { /* of one that was read */
            w->p += 2;
        } else if (starts(w, "/*")) {
            w->p += 2;
            skip_past(w, "*/");
        } else {
            return;
        }
    }
}

/* Behind its quote. One that is doubled stands for itself; in a string so does
 * one behind a backslash. */
static void
take_quoted(struct sql_words *w)
{
    bool is_name = w->quote == '`' ||
                   (w->quote == '"' && (w->mode & SQL_ANSI_QUOTES) != 0);
    bool escapes = !is_name && (w->mode & SQL_NO_BACKSLASH_ESCAPES) == 0;
    const char *from = w->p;

    for (; w->p < w->end; w->p++) {
        bool more = w->p + 1 < w->end;

        if (more && ((*w->p == '\\' && escapes) ||
                     (*w->p == w->quote && w->p[1] == w->quote))) {
            w->p++;
        } else if (*w->p == w->quote) {
            w->kind = is_name ? SQL_NAME : SQL_STRING;
            w->text = (struct span){ from, (size_t)(w->p++ - from) };
            return;
        }
    }
    w->kind = SQL_SIGN;
    w->text.n = 1;
}

static bool
is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

void
sql_next(struct sql_words *w)
{
    const char *from;

    skip_blanks(w);
    from = w->p;
    w->kind = SQL_END;
    w->text = (struct span){ from, 0 };
    if (from == w->end)
        return;
    if (*from == '\'' || *from == '"' || *from == '`') {
        w->quote = *w->p++;
        take_quoted(w);
        return;
    }
    while (w->p < w->end && is_of_word(*w->p))
        w->p++;
    w->kind = w->p > from ? SQL_WORD : SQL_SIGN;
    if (w->p == from)
        w->p++;
    w->text.n = (size_t)(w->p - from);
}

struct sql_words
sql_words_of(const char *sql, size_t n, uint64_t mode)
{
    struct sql_words w = { .p = sql, .end = sql + n, .mode = mode };

    sql_next(&w);
    return w;
}

bool
sql_is(const struct sql_words *w, const char *word)
{
    return (w->kind == SQL_WORD || w->kind == SQL_SIGN) &&
           w->text.n == strlen(word) &&
           strncasecmp(w->text.p, word, w->text.n) == 0;
}

bool
sql_take(struct sql_words *w, const char *word)
{
    if (!sql_is(w, word))
        return false;
    sql_next(w);
    return true;
}

bool
sql_take_list(struct sql_words *w, const char *const *words)
{
    struct sql_words was = *w;

    for (; *words != NULL; words++) {
        if (!sql_take(w, *words)) {
            *w = was;
            return false;
        }
    }
    return true;
}

bool
sql_is_name(const struct sql_words *w)
{
    return w->kind == SQL_WORD || w->kind == SQL_NAME;
}

void
sql_name(const struct sql_words *w, char *out, size_t size)
{
    const char *p = w->text.p, *end = p + w->text.n;
    size_t n = 0;

    for (; p < end && n + 1 < size; p++) {
        if (w->kind == SQL_NAME && *p == w->quote)
            p++; /* the other of two */
        out[n++] = *p;
    }
    out[n] = '\0';
}
