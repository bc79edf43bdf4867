/* Fingerprints of keys, in table key_fingerprint. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "crypt.h"
#include "log.h"
#include "record.h"

#define ARENA_BYTES (1u << 20)
#define ROWS_MAX    1024

#define KEY_ROW(X, s)                           \
    X(s, I64, key_id, "key_id", COLUMN_ONLY, -) \
    X(s, STR, fingerprint, "fingerprint", COLUMN_ONLY, -)
STRUCT(key_row, KEY_ROW);
TABLE(key_row, KEY_ROW);

LIST_OF(key_row);

static const char rows_sql[] =
    "SELECT key_id, fingerprint FROM key_fingerprint ORDER BY key_id";
static const char note_sql[] =
    "INSERT INTO key_fingerprint (key_id, fingerprint, since_ms)"
    " VALUES (?, ?, " DB_NOW_MS ")";
static const char retire_sql[] =
    "DELETE FROM key_fingerprint WHERE key_id <> ?";

/* Every key that the store knows is here, and is the same. */
static enum err
compare(const struct list_of_key_row *rows, char why[WHY_BYTES])
{
    char ours[CRYPT_FINGERPRINT_BYTES];

    for (size_t i = 0; i < rows->n; i++) {
        unsigned id = (unsigned)rows->v[i].key_id;
        bool here = crypt_fingerprint(id, ours);

        if (here && strcmp(ours, rows->v[i].fingerprint) == 0)
            continue;
        return why_fail(why, ERR_STATE,
                        "key %u %s: put back the key file of this store "
                        "(RUN_DIR/key, or [crypt] key_file), or what the store "
                        "has sealed cannot be opened",
                        id,
                        here ? "of the key file is not the one that the store "
                               "was sealed by"
                             : "of the store is not in the key file");
    }
    return ERR_OK;
}

static bool
is_known(const struct list_of_key_row *rows, unsigned id)
{
    for (size_t i = 0; i < rows->n; i++)
        if (rows->v[i].key_id == (int64_t)id)
            return true;
    return false;
}

/* EXISTS: another host was quicker; with which key, is to be looked at. */
static enum err
note_new(struct db *db, const struct list_of_key_row *rows)
{
    char ours[CRYPT_FINGERPRINT_BYTES];
    enum err e = ERR_OK;
    unsigned id;

    for (size_t i = 0; e == ERR_OK && (id = crypt_key_at(i)) != 0; i++) {
        /* older ones are kept for backups, and may be retired */
        if (is_known(rows, id) || (rows->n > 0 && id != crypt_key_id()) ||
            !crypt_fingerprint(id, ours))
            continue;
        e = db_exec(db, note_sql, DB_ARGS(db_i64((int64_t)id), db_str(ours)));
        if (e == ERR_OK)
            log_info("keys.noted key=%u", id);
    }
    return e;
}

static enum err
check_once(struct db *db, struct arena *a, char why[WHY_BYTES])
{
    struct list_of_key_row rows = { 0 };
    enum err e;

    e = db_list(db, a, rows_sql, DB_NO_ARGS, &key_row_rec, ROWS_MAX, &rows);
    if (e == ERR_OK)
        e = compare(&rows, why);
    return e == ERR_OK ? note_new(db, &rows) : e;
}

enum err
keys_check(struct db *db, char why[WHY_BYTES])
{
    struct arena *a = arena_new(ARENA_BYTES);
    enum err e;

    why_say(why, "the keys of the store cannot be asked for");
    if (a == NULL)
        return ERR_NOMEM;
    e = check_once(db, a, why);
    if (e == ERR_EXISTS)
        e = check_once(db, a, why);
    arena_free(a);
    if (e == ERR_OK)
        why[0] = '\0';
    return e;
}

enum err
keys_retire(struct db *db, unsigned but)
{
    return db_exec(db, retire_sql, DB_ARGS(db_i64((int64_t)but)));
}
