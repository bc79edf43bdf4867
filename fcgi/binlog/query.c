/* QUERY events: what the server tells of a statement, and what its first words
 * say that it is. The log has rows as rows, so a statement that changes some
 * is one that was not logged as it should. */
#include "query.h"

#include "hex.h"
#include "number.h"
#include "sql_words.h"

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

/* SET STATEMENT a = b, ... FOR: what it is for begins behind that. */
static bool
skip_settings(struct sql_words *w)
{
    while (w->kind != SQL_END && !sql_is(w, "FOR"))
        sql_next(w);
    return sql_take(w, "FOR");
}

/* In any quotes, or none; empty when there is none. */
static struct span
take_name(struct sql_words *w)
{
    struct span name = { w->text.p, w->kind == SQL_SIGN ? 0 : w->text.n };

    sql_next(w);
    return name;
}

/* X'hex' as servers write parts of an XID, or 'text'. */
static bool
take_xid_part(struct sql_words *w, unsigned char *out, unsigned *out_n)
{
    bool is_hex = sql_take(w, "X");
    struct span s = w->text;

    if (w->kind != SQL_STRING || w->quote != '\'' ||
        (is_hex ? s.n > 128 || s.n % 2 != 0 : s.n > 64))
        return false;
    sql_next(w);
    *out_n = (unsigned)(is_hex ? s.n / 2 : s.n);
    if (is_hex)
        return hex_read(s.p, out, s.n / 2);
    memcpy(out, s.p, s.n);
    return true;
}

static bool
take_xid_text(struct sql_words *w, struct binlog_xid *out)
{
    unsigned char bqual[64];
    const char *p;
    uint64_t v;

    if (!take_xid_part(w, out->data, &out->gtrid_bytes) || !sql_take(w, ",") ||
        !take_xid_part(w, bqual, &out->bqual_bytes) || !sql_take(w, ","))
        return false;
    memcpy(out->data + out->gtrid_bytes, bqual, out->bqual_bytes);
    p = w->text.p;
    if (w->kind != SQL_WORD || !number_take(&p, p + w->text.n, 999999999, &v) ||
        p != w->text.p + w->text.n)
        return false;
    out->format = (uint32_t)v;
    return true;
}

/* ---- kinds ---- */

static bool
is_dml(const struct sql_words *w)
{
    static const char *const words[] = { "INSERT",  "UPDATE", "DELETE",
                                         "REPLACE", "LOAD",   "WITH",
                                         "SELECT",  "CALL",   "DO",
                                         "TABLE",   "VALUES", "HANDLER" };

    for (size_t i = 0; i < COUNT(words); i++)
        if (sql_is(w, words[i]))
            return true;
    return false;
}

/* ANALYZE TABLE looks at a table; ANALYZE of a statement runs it. */
static enum query_kind
kind_of_analyze(struct sql_words *w)
{
    if (!sql_take(w, "LOCAL"))
        (void)sql_take(w, "NO_WRITE_TO_BINLOG");
    return sql_is(w, "TABLE") || sql_is(w, "TABLES") ? QUERY_OTHER : QUERY_DML;
}

/* CREATE TABLE ... SELECT is logged as a definition and rows; with its SELECT
 * its rows are nowhere. */
static enum query_kind
kind_of_create(struct sql_words *w)
{
    while (sql_take(w, "OR") || sql_take(w, "REPLACE") ||
           sql_take(w, "TEMPORARY"))
        ;
    if (!sql_take(w, "TABLE"))
        return QUERY_OTHER;
    while (w->kind != SQL_END && !sql_is(w, "SELECT"))
        sql_next(w);
    return w->kind == SQL_END ? QUERY_OTHER : QUERY_DML;
}

static enum query_kind
kind_of_xa(struct sql_words *w, struct binlog_xid *xid, bool *bad)
{
    static const struct {
        const char *word;
        enum query_kind kind;
    } verbs[] = {
        { "START", QUERY_XA_START },       { "BEGIN", QUERY_XA_START },
        { "END", QUERY_XA_END },           { "COMMIT", QUERY_XA_COMMIT },
        { "ROLLBACK", QUERY_XA_ROLLBACK },
    };

    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (!sql_take(w, verbs[i].word))
            continue;
        *bad = !take_xid_text(w, xid);
        return verbs[i].kind;
    }
    return QUERY_OTHER;
}

static enum query_kind
kind_of_rollback(struct sql_words *w, struct span *name)
{
    (void)sql_take(w, "WORK");
    if (!sql_take(w, "TO"))
        return QUERY_ROLLBACK;
    (void)sql_take(w, "SAVEPOINT");
    *name = take_name(w);
    return QUERY_ROLLBACK_TO;
}

static enum query_kind
kind_of(struct query *q, struct sql_words *w, bool *bad)
{
    while (sql_take(w, "SET"))
        if (!sql_take(w, "STATEMENT") || !skip_settings(w))
            return QUERY_OTHER;
    while (sql_take(w, "("))
        ;
    if (w->kind == SQL_END || sql_is(w, "RELEASE"))
        return QUERY_NOTHING;
    if (sql_is(w, "BEGIN"))
        return QUERY_BEGIN;
    if (sql_take(w, "START")) /* TRANSACTION; or replicas */
        return sql_is(w, "TRANSACTION") ? QUERY_BEGIN : QUERY_OTHER;
    if (sql_is(w, "COMMIT"))
        return QUERY_COMMIT;
    if (sql_take(w, "ROLLBACK"))
        return kind_of_rollback(w, &q->name);
    if (sql_take(w, "SAVEPOINT")) {
        q->name = take_name(w);
        return QUERY_SAVEPOINT;
    }
    if (sql_take(w, "XA"))
        return kind_of_xa(w, &q->xid, bad);
    if (sql_take(w, "CREATE"))
        return kind_of_create(w);
    if (sql_take(w, "ANALYZE"))
        return kind_of_analyze(w);
    return is_dml(w) ? QUERY_DML : QUERY_OTHER;
}

enum err
query_text(struct query *q, const char *sql, size_t n,
           struct binlog_failure *why)
{
    struct sql_words w = sql_words_of(sql, n, q->st.sql_mode);
    bool bad = false;

    q->st.sql = sql;
    q->st.n = n;
    q->kind = kind_of(q, &w, &bad);
    return bad ? binlog_fail(why, BINLOG_FAULT_CUT, "an XID") : ERR_OK;
}
