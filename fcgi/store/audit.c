/* Audit rows. Texts come from requests: a name that a column does not hold
 * is cut, for a mutation must not fail because a name is long. */
#include "audit.h"

#include <string.h>

#include "db.h"
#include "utf8.h"

/* Characters that the columns take, sql/0001_core.sql. */
#define NAME_CHARS      64
#define OPERATION_CHARS 128
#define TARGET_CHARS    255
#define UTF8_MAX        4

static const char insert_sql[] =
    "INSERT INTO audit (request_id, token_name, listener, operation, target,"
    " request_json, before_json, after_json, at_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, " DB_NOW_MS ")";
static const char find_sql[] = "SELECT 1 FROM audit WHERE request_id = ?";
static const char purge_sql[] =
    "DELETE FROM audit WHERE at_ms < " DB_NOW_MS " - ? ORDER BY at_ms LIMIT ?";

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
                         cut(a->token_name, NAME_CHARS, token),
                         cut(a->listener, NAME_CHARS, listener),
                         cut(a->operation, OPERATION_CHARS, operation),
                         cut(a->target, TARGET_CHARS, target), json(a->request),
                         json(a->before), json(a->after)));
    if (e == ERR_OK)
        db_witness(db, was_written);
    return e;
}

enum err
audit_purge(struct db *db, unsigned keep_days, unsigned batch, uint64_t *out)
{
    enum err e =
        db_exec(db, purge_sql,
                DB_ARGS(db_i64((int64_t)keep_days * 86400000), db_u64(batch)));

    *out = db_matched(db);
    return e;
}
