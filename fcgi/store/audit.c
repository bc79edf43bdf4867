/* Audit rows. Texts come from requests: a name that a column does not hold
 * is cut, for a mutation must not fail because a name is long. */
#include "audit.h"

#include <string.h>

#include "db.h"
#include "utf8.h"

/* Characters that the columns take, sql/0001_core.sql. */
#define NAME_CHARS      64
#define TRACE_CHARS     32
#define OPERATION_CHARS 128
#define TARGET_CHARS    255
#define UTF8_MAX        4

static const char insert_sql[] =
    "INSERT INTO audit (request_id, client_request_id, trace_id,"
    " token_name, listener, operation, target,"
    " request_json, before_json, after_json, data, at_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " DB_NOW_MS ")";
static const char find_sql[] = "SELECT 1 FROM audit WHERE request_id = ?";

/* A row, about: its names, and its keys in four indexes. */
#define SIZE                                         \
    "(500 + COALESCE(OCTET_LENGTH(request_json), 0)" \
    " + COALESCE(OCTET_LENGTH(before_json), 0)"      \
    " + COALESCE(OCTET_LENGTH(after_json), 0))"

/* A transaction that has its id by now has ended after that. */
#define SETTLED_MS "120000"

#define SIZE_ROW(X, s)                                  \
    X(s, I64, bytes, "bytes", COLUMN_ONLY, -)           \
    X(s, U64, counted_id, "counted_id", COLUMN_ONLY, -) \
    X(s, U64, until_id, "until_id", COLUMN_ONLY, -)     \
    X(s, BOOL, settled, "settled", COLUMN_ONLY, -)
STRUCT(size_row, SIZE_ROW);
TABLE(size_row, SIZE_ROW);

#define COUNTED_ROW(X, s)                         \
    X(s, U64, last_id, "last_id", COLUMN_ONLY, -) \
    X(s, U64, n, "n", COLUMN_ONLY, -)             \
    X(s, I64, bytes, "bytes", COLUMN_ONLY, -)
STRUCT(counted_row, COUNTED_ROW);
TABLE(counted_row, COUNTED_ROW);

/* The store's clock may jump either way; the time counts from then. */
static const char size_sql[] =
    "SELECT bytes, counted_id, until_id,"
    " ABS(" DB_NOW_MS " - until_ms) >= " SETTLED_MS " AS settled"
    " FROM audit_size WHERE one = 1 FOR UPDATE";
static const char count_sql[] =
    "SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) AS last_id, COUNT(*) AS n,"
    " CAST(COALESCE(SUM(size), 0) AS SIGNED) AS bytes"
    " FROM (SELECT id, " SIZE " AS size FROM audit WHERE id > ? AND id <= ?"
    " ORDER BY id LIMIT ?) AS rows_to_count";
static const char add_sql[] =
    "UPDATE audit_size SET bytes = bytes + ?, counted_id = ? WHERE one = 1";
static const char last_sql[] = "SELECT COALESCE(MAX(id), 0) FROM audit";
static const char go_on_sql[] =
    "UPDATE audit_size SET until_ms = " DB_NOW_MS ", until_id = ?"
    " WHERE one = 1";
static const char victims_sql[] =
    "SELECT MAX(at_ms) FROM (SELECT at_ms FROM audit WHERE data = ?"
    " AND at_ms < " DB_NOW_MS " - ? ORDER BY at_ms LIMIT ?) AS victims";
static const char take_off_sql[] =
    "UPDATE audit_size SET bytes = GREATEST(0, bytes -"
    " (SELECT CAST(COALESCE(SUM(" SIZE "), 0) AS SIGNED) FROM audit"
    " WHERE data = ? AND at_ms <= ? AND id <= counted_id)) WHERE one = 1";
static const char purge_sql[] =
    "DELETE FROM audit WHERE data = ? AND at_ms <= ?";

static enum err
was_written(struct db *db, const char *request_id)
{
    int64_t one;

    return db_one_i64(db, find_sql, DB_ARGS(db_str(request_id)), &one);
}

/* At most `chars` characters of text into out, other bytes as '?'. */
static struct db_value
cut(const char *text, size_t chars, char *out)
{
    const char *p = text != NULL ? text : "", *end = p + strlen(p);
    char *o = out;
    size_t n;

    for (; p < end && chars > 0; chars--) {
        n = utf8_len(p, (size_t)(end - p));
        if (n > 0)
            memcpy(o, p, n);
        else
            *o = '?';
        n = n > 0 ? n : 1;
        o += n;
        p += n;
    }
    return db_bytes(out, (size_t)(o - out));
}

/* A plain word of the client's, or NULL: nothing is cut, it would be another.
 */
static struct db_value
name_or_null(const char *text, size_t chars)
{
    bool fits = !str_empty(text) && strlen(text) <= chars;

    return db_str(fits ? text : NULL);
}

static struct db_value
json(const char *text)
{
    bool fits = text == NULL || strlen(text) <= AUDIT_JSON_BYTES;

    return db_str(fits ? text : AUDIT_TOO_LONG);
}

enum err
audit_write(struct db *db, const struct audit *a)
{
    char id[NAME_CHARS * UTF8_MAX], token[NAME_CHARS * UTF8_MAX],
        listener[NAME_CHARS * UTF8_MAX], operation[OPERATION_CHARS * UTF8_MAX],
        target[TARGET_CHARS * UTF8_MAX];
    enum err e;

    e = db_later(db, insert_sql,
                 DB_ARGS(cut(a->request_id, NAME_CHARS, id),
                         name_or_null(a->client_request_id, NAME_CHARS),
                         name_or_null(a->trace_id, TRACE_CHARS),
                         cut(a->token_name, NAME_CHARS, token),
                         cut(a->listener, NAME_CHARS, listener),
                         cut(a->operation, OPERATION_CHARS, operation),
                         cut(a->target, TARGET_CHARS, target), json(a->request),
                         json(a->before), json(a->after), db_bool(a->data)));
    if (e == ERR_OK)
        db_witness(db, was_written);
    return e;
}

enum err
audit_measure(struct db *db, unsigned batch, int64_t *bytes, uint64_t *n)
{
    struct arena *a = arena_new(65536);
    struct size_row size = { 0 };
    struct counted_row counted = { 0 };
    int64_t last_id;
    bool all;
    enum err e = a == NULL ? ERR_NOMEM : ERR_OK;

    if (e == ERR_OK)
        e = db_one(db, a, size_sql, DB_NO_ARGS, &size_row_rec, &size);
    if (e == ERR_OK && size.settled)
        e = db_one(db, a, count_sql,
                   DB_ARGS(db_u64(size.counted_id), db_u64(size.until_id),
                           db_u64(batch)),
                   &counted_row_rec, &counted);
    all = counted.n < batch;
    if (e == ERR_OK && size.settled)
        e = db_exec(db, add_sql,
                    DB_ARGS(db_i64(counted.bytes),
                            db_u64(all ? size.until_id : counted.last_id)));
    if (e == ERR_OK && size.settled && all)
        e = db_one_i64(db, last_sql, DB_NO_ARGS, &last_id);
    if (e == ERR_OK && size.settled && all)
        e = db_exec(db, go_on_sql, DB_ARGS(db_i64(last_id)));
    *bytes = size.bytes + counted.bytes;
    *n = counted.n;
    arena_free(a);
    return e;
}

enum err
audit_purge(struct db *db, bool data, int64_t older_ms, unsigned batch,
            uint64_t *n)
{
    int64_t last_ms;
    enum err e;

    *n = 0;
    e = db_one_i64(db, victims_sql,
                   DB_ARGS(db_bool(data), db_i64(older_ms), db_u64(batch)),
                   &last_ms);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e == ERR_OK)
        e = db_exec(db, take_off_sql, DB_ARGS(db_bool(data), db_i64(last_ms)));
    if (e == ERR_OK)
        e = db_exec(db, purge_sql, DB_ARGS(db_bool(data), db_i64(last_ms)));
    if (e == ERR_OK)
        *n = db_matched(db);
    return e;
}
