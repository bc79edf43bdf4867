/* QUERY events: what the server tells of a statement, and what its first words
 * say that it is. The log has rows as rows, so a statement that changes some
 * is one that was not logged as it should. */
#include "query.h"

#include <ctype.h>
#include <strings.h>

#include "hex.h"

/* Flags of the session, the status variable 0. */
#define NO_FOREIGN_KEYS (1u << 26)
#define LOOSE_UNIQUE    (1u << 27)

#define SCHEMA_MAX 255

/* ---- what stands in front of the text ---- */

/* The variables come in the order of their numbers: behind one that is not
 * known here nothing can be found. None is needed to read rows. */
static void
read_variables(struct cursor c, struct query *q)
{
    struct binlog_statement *st = &q->st;

    while (cursor_left(&c) > 0 && !c.cut) {
        uint64_t flags, n;
        const uint8_t *p;

        switch (take_le(&c, 1)) {
        case 0:
            flags = take_le(&c, 4);
            st->no_foreign_keys = (flags & NO_FOREIGN_KEYS) != 0;
            st->loose_unique = (flags & LOOSE_UNIQUE) != 0;
            break;
        case 1:
            st->sql_mode = take_le(&c, 8);
            st->has_sql_mode = !c.cut;
            break;
        case 2: /* a catalog, and a NUL */
            (void)take(&c, take_le(&c, 1) + 1);
            break;
        case 3: /* steps of AUTO_INCREMENT */
        case 10:
            (void)take(&c, 4);
            break;
        case 4:
            st->client = (unsigned)take_le(&c, 2);
            st->connection = (unsigned)take_le(&c, 2);
            st->server = (unsigned)take_le(&c, 2);
            break;
        case 5:
            n = take_le(&c, 1);
            p = take(&c, n);
            if (p != NULL && n > 0) {
                memcpy(q->time_zone, p, n);
                q->time_zone[n] = '\0';
                st->time_zone = q->time_zone;
            }
            break;
        case 6: /* a catalog */
            (void)take(&c, take_le(&c, 1));
            break;
        case 7: /* names of months */
        case 8: /* the schema's collation */
            (void)take(&c, 2);
            break;
        case 9: /* tables of an UPDATE */
            (void)take(&c, 8);
            break;
        case 11: /* DEFINER */
            (void)take(&c, take_le(&c, 1));
            (void)take(&c, take_le(&c, 1));
            break;
        case 13:
        case 128: /* MariaDB's number for it */
            st->at_us = (uint32_t)take_le(&c, 3);
            break;
        default:
            return;
        }
    }
}

enum err
query_head(struct cursor *c, uint32_t at_s, struct query *out,
           struct binlog_failure *why)
{
    uint64_t schema_n, variables_n;
    struct cursor variables;
    const uint8_t *schema;

    *out = (struct query){ .st.at_s = at_s };
    (void)take(c, 8); /* session, seconds it took */
    schema_n = take_le(c, 1);
    out->st.error = (unsigned)take_le(c, 2);
    variables_n = take_le(c, 2);
    variables = take_part(c, variables_n);
    schema = take(c, schema_n + 1);
    if (c->cut || schema == NULL || schema[schema_n] != '\0')
        return binlog_fail(why, BINLOG_FAULT_CUT, "a statement");
    out->st.schema = (const char *)schema;
    read_variables(variables, out);
    return ERR_OK;
}

/* ---- words ---- */

struct words {
    const char *p, *end;
};

/* Blanks and comments; what is in a comment for some servers is read as if it
 * stood there. */
static void
skip_blanks(struct words *w)
{
    while (w->p < w->end) {
        size_t left = (size_t)(w->end - w->p);
        const char *stop;

        if (isspace((unsigned char)*w->p)) {
            w->p++;
        } else if (*w->p == '#' || (left >= 2 && memcmp(w->p, "--", 2) == 0)) {
            stop = memchr(w->p, '\n', left);
            w->p = stop != NULL ? stop + 1 : w->end;
        } else if (left >= 3 && (memcmp(w->p, "/*!", 3) == 0 ||
                                 (left >= 4 && memcmp(w->p, "/*M!", 4) == 0))) {
            w->p += w->p[2] == 'M' ? 4 : 3;
            while (w->p < w->end && isdigit((unsigned char)*w->p))
                w->p++;
        } else if (left >= 2 && memcmp(w->p, "/*", 2) == 0) {
            stop = memmem(w->p + 2, left - 2, "*/", 2);
            w->p = stop != NULL ? stop + 2 : w->end;
        } else if (left >= 2 && memcmp(w->p, "*/", 2) == 0) {
            w->p += 2; /* of a comment that was read */
        } else {
            return;
        }
    }
}

/* A word, or one other character; n == 0 at the end. */
static struct span
next_word(struct words *w)
{
    const char *from;

    skip_blanks(w);
    from = w->p;
    while (w->p < w->end && (isalnum((unsigned char)*w->p) || *w->p == '_'))
        w->p++;
    if (w->p == from && w->p < w->end)
        w->p++;
    return (struct span){ from, (size_t)(w->p - from) };
}

static bool
is_word(struct span s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* Behind the quote; false: it does not end. */
static bool
skip_quoted(struct words *w, char quote)
{
    while (w->p < w->end) {
        char c = *w->p++;

        if (c == '\\' && quote != '`' && w->p < w->end)
            w->p++;
        else if (c == quote)
            return true;
    }
    return false;
}

/* SET STATEMENT a = b, ... FOR: what it is for begins behind that. */
static bool
skip_settings(struct words *w)
{
    for (;;) {
        struct span s = next_word(w);

        if (s.n == 0)
            return false;
        if (is_word(s, "FOR"))
            return true;
        if ((*s.p == '\'' || *s.p == '"' || *s.p == '`') &&
            !skip_quoted(w, *s.p))
            return false;
    }
}

/* The name behind it, with or without quotes. */
static struct span
take_quoted_name(struct words *w)
{
    struct span s = next_word(w);

    if (s.n == 1 && (*s.p == '`' || *s.p == '"')) {
        const char *from = w->p;

        if (!skip_quoted(w, *s.p))
            return (struct span){ from, 0 };
        return (struct span){ from, (size_t)(w->p - from) - 1 };
    }
    return s;
}

/* X'hex' as servers write parts of an XID, or 'text'. */
static bool
take_xid_part(struct words *w, unsigned char *out, unsigned *out_n)
{
    struct span s = next_word(w);
    bool is_hex = is_word(s, "X");
    const char *from;
    size_t n;

    if (is_hex)
        s = next_word(w);
    if (!is_word(s, "'"))
        return false;
    from = w->p;
    if (!skip_quoted(w, '\''))
        return false;
    n = (size_t)(w->p - from) - 1;
    if (is_hex ? n > 128 || n % 2 != 0 : n > 64)
        return false;
    *out_n = (unsigned)(is_hex ? n / 2 : n);
    if (is_hex)
        return hex_read(from, out, n / 2);
    memcpy(out, from, n);
    return true;
}

static bool
take_xid_text(struct words *w, struct binlog_xid *out)
{
    struct span s;
    unsigned char bqual[64];

    if (!take_xid_part(w, out->data, &out->gtrid_bytes) ||
        !is_word(next_word(w), ",") ||
        !take_xid_part(w, bqual, &out->bqual_bytes) ||
        !is_word(next_word(w), ","))
        return false;
    memcpy(out->data + out->gtrid_bytes, bqual, out->bqual_bytes);
    s = next_word(w);
    out->format = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i]) || i >= 9)
            return false;
        out->format = out->format * 10 + (uint32_t)(s.p[i] - '0');
    }
    return s.n > 0;
}

/* ---- kinds ---- */

static bool
is_dml(struct span s)
{
    static const char *const words[] = { "INSERT",  "UPDATE", "DELETE",
                                         "REPLACE", "LOAD",   "WITH",
                                         "SELECT",  "CALL",   "DO",
                                         "TABLE",   "VALUES", "HANDLER" };

    for (size_t i = 0; i < COUNT(words); i++)
        if (is_word(s, words[i]))
            return true;
    return false;
}

/* ANALYZE TABLE looks at a table; ANALYZE of a statement runs it. */
static enum query_kind
kind_of_analyze(struct words *w)
{
    struct span s = next_word(w);

    if (is_word(s, "LOCAL") || is_word(s, "NO_WRITE_TO_BINLOG"))
        s = next_word(w);
    return is_word(s, "TABLE") || is_word(s, "TABLES") ? QUERY_OTHER
                                                       : QUERY_DML;
}

/* CREATE TABLE ... SELECT is logged as a definition and rows; with its SELECT
 * its rows are nowhere. */
static enum query_kind
kind_of_create(struct words *w)
{
    struct span s = next_word(w);

    while (is_word(s, "OR") || is_word(s, "REPLACE") || is_word(s, "TEMPORARY"))
        s = next_word(w);
    if (!is_word(s, "TABLE"))
        return QUERY_OTHER;
    for (s = next_word(w); s.n > 0; s = next_word(w)) {
        if (is_word(s, "SELECT"))
            return QUERY_DML;
        if ((*s.p == '\'' || *s.p == '"' || *s.p == '`') &&
            !skip_quoted(w, *s.p))
            break;
    }
    return QUERY_OTHER;
}

static enum query_kind
kind_of_xa(struct words *w, struct binlog_xid *xid, bool *bad)
{
    static const struct {
        const char *word;
        enum query_kind kind;
    } verbs[] = {
        { "START", QUERY_XA_START },       { "BEGIN", QUERY_XA_START },
        { "END", QUERY_XA_END },           { "COMMIT", QUERY_XA_COMMIT },
        { "ROLLBACK", QUERY_XA_ROLLBACK },
    };
    struct span s = next_word(w);

    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (!is_word(s, verbs[i].word))
            continue;
        *bad = !take_xid_text(w, xid);
        return verbs[i].kind;
    }
    return QUERY_OTHER;
}

static enum query_kind
kind_of_rollback(struct words *w, struct span *name)
{
    struct span s = next_word(w);

    if (is_word(s, "WORK"))
        s = next_word(w);
    if (!is_word(s, "TO"))
        return QUERY_ROLLBACK;
    *name = take_quoted_name(w);
    if (is_word(*name, "SAVEPOINT"))
        *name = take_quoted_name(w);
    return QUERY_ROLLBACK_TO;
}

static enum query_kind
kind_of(struct query *q, struct words *w, bool *bad)
{
    struct span s = next_word(w);

    while (is_word(s, "SET")) {
        struct words back = *w;

        if (!is_word(next_word(w), "STATEMENT") || !skip_settings(w)) {
            *w = back;
            return QUERY_OTHER;
        }
        s = next_word(w);
    }
    while (is_word(s, "("))
        s = next_word(w);
    if (s.n == 0 || is_word(s, "RELEASE"))
        return QUERY_NOTHING;
    if (is_word(s, "BEGIN"))
        return QUERY_BEGIN;
    if (is_word(s, "START")) /* TRANSACTION; or replicas */
        return is_word(next_word(w), "TRANSACTION") ? QUERY_BEGIN : QUERY_OTHER;
    if (is_word(s, "COMMIT"))
        return QUERY_COMMIT;
    if (is_word(s, "ROLLBACK"))
        return kind_of_rollback(w, &q->name);
    if (is_word(s, "SAVEPOINT")) {
        q->name = take_quoted_name(w);
        return QUERY_SAVEPOINT;
    }
    if (is_word(s, "XA"))
        return kind_of_xa(w, &q->xid, bad);
    if (is_word(s, "CREATE"))
        return kind_of_create(w);
    if (is_word(s, "ANALYZE"))
        return kind_of_analyze(w);
    return is_dml(s) ? QUERY_DML : QUERY_OTHER;
}

enum err
query_text(struct query *q, const char *sql, size_t n,
           struct binlog_failure *why)
{
    struct words w = { sql, sql + n };
    bool bad = false;

    q->st.sql = sql;
    q->st.n = n;
    q->kind = kind_of(q, &w, &bad);
    return bad ? binlog_fail(why, BINLOG_FAULT_CUT, "an XID") : ERR_OK;
}
