/* Leases: each call is one compare-and-swap on the row. */
#include "lease.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/self.h"

#define LEASES_MAX 100000

TABLE(lease_row, LEASE_ROW);

static const char take_sql[] =
    "UPDATE lease SET owner = ?, epoch = LAST_INSERT_ID(epoch + 1),"
    " expires_ms = " DB_NOW_MS " + ?"
    " WHERE name = ? AND expires_ms < " DB_NOW_MS;
static const char retake_sql[] =
    "UPDATE lease SET owner = ?, epoch = LAST_INSERT_ID(epoch + 1),"
    " expires_ms = " DB_NOW_MS " + ?"
    " WHERE name = ? AND (expires_ms < " DB_NOW_MS " OR owner = ?)";
static const char take_seen_sql[] =
    "UPDATE lease SET owner = ?, epoch = LAST_INSERT_ID(epoch + 1),"
    " expires_ms = " DB_NOW_MS " + ?"
    " WHERE name = ? AND epoch = ? AND expires_ms = ?";
static const char list_sql[] =
    "SELECT name, owner, epoch, expires_ms, " DB_NOW_MS " AS now_ms"
    " FROM lease ORDER BY name";
static const char make_sql[] =
    "INSERT INTO lease (name, owner, epoch, expires_ms)"
    " VALUES (?, '', 0, 0)";
static const char renew_sql[] =
    "UPDATE lease SET expires_ms = " DB_NOW_MS " + ?"
    " WHERE name = ? AND epoch = ?";
static const char hold_sql[] =
    "SELECT epoch FROM lease WHERE name = ? AND epoch = ?"
    " LOCK IN SHARE MODE";
static const char release_sql[] =
    "UPDATE lease SET expires_ms = 0 WHERE name = ? AND epoch = ?";
static const char note_sql[] =
    "INSERT INTO lease_since (name, epoch, since_ms)"
    " VALUES (?, ?, " DB_NOW_MS ") ON DUPLICATE KEY UPDATE"
    " epoch = VALUES(epoch), since_ms = VALUES(since_ms)";

static enum err
try_take(struct db *db, struct lease *l)
{
    enum err e;

    e = db_exec_one(
        db, take_sql,
        DB_ARGS(db_str(l->owner), db_i64(l->ttl_ms), db_str(l->name)));
    if (e == ERR_OK)
        l->epoch = db_insert_id(db);
    return e;
}

enum err
lease_take(struct db *db, struct lease *l)
{
    enum err e = try_take(db, l);

    if (e != ERR_NOT_FOUND)
        return e;
    /* the first one ever makes the row; EXISTS: it is there and held */
    e = db_exec(db, make_sql, DB_ARGS(db_str(l->name)));
    if (e == ERR_OK)
        e = try_take(db, l);
    return e == ERR_EXISTS || e == ERR_NOT_FOUND ? ERR_BUSY : e;
}

enum err
lease_retake(struct db *db, struct lease *l)
{
    enum err e;

    e = db_exec_one(db, retake_sql,
                    DB_ARGS(db_str(l->owner), db_i64(l->ttl_ms),
                            db_str(l->name), db_str(l->owner)));
    if (e == ERR_NOT_FOUND)
        return lease_take(db, l);
    if (e == ERR_OK)
        l->epoch = db_insert_id(db);
    return e;
}

enum err
lease_take_seen(struct db *db, struct lease *l, const struct lease_row *seen)
{
    enum err e;

    e = db_exec_one(db, take_seen_sql,
                    DB_ARGS(db_str(l->owner), db_i64(l->ttl_ms),
                            db_str(l->name), db_u64(seen->epoch),
                            db_i64(seen->expires_ms)));
    if (e == ERR_OK)
        l->epoch = db_insert_id(db);
    return e == ERR_NOT_FOUND ? ERR_BUSY : e;
}

void
lease_owner(const char *name, char out[LEASE_OWNER_BYTES])
{
    char host[65] = "", id[17];

    (void)gethostname(host, sizeof(host) - 1);
    self_id(id);
    (void)snprintf(out, LEASE_OWNER_BYTES, "%.64s@%.46s/%s", name, host, id);
}

size_t
lease_owner_name(const char *owner)
{
    return strcspn(owner, "@");
}

enum err
lease_list(struct db *db, struct arena *a, struct list_of_lease_row *out)
{
    return db_list(db, a, list_sql, DB_NO_ARGS, &lease_row_rec, LEASES_MAX,
                   out);
}

const struct lease_row *
lease_find(const struct list_of_lease_row *rows, const char *name)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->v[i].name, name) == 0)
            return &rows->v[i];
    return NULL;
}

static enum err
lost_if_absent(enum err e)
{
    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

enum err
lease_renew(struct db *db, const struct lease *l)
{
    return lost_if_absent(db_exec_one(
        db, renew_sql,
        DB_ARGS(db_i64(l->ttl_ms), db_str(l->name), db_u64(l->epoch))));
}

enum err
lease_hold(struct db *db, const struct lease *l)
{
    int64_t epoch;

    if (!lease_lasts(l))
        return ERR_STATE;
    return lost_if_absent(db_one_i64(
        db, hold_sql, DB_ARGS(db_str(l->name), db_u64(l->epoch)), &epoch));
}

enum err
lease_begin(struct db *db, const struct lease *l)
{
    enum err e = db_begin(db);

    return e == ERR_OK ? lease_hold(db, l) : e;
}

enum err
lease_release(struct db *db, const struct lease *l)
{
    return lost_if_absent(db_exec_one(
        db, release_sql, DB_ARGS(db_str(l->name), db_u64(l->epoch))));
}

enum err
lease_note(struct db *db, const struct lease *l)
{
    return db_exec(db, note_sql, DB_ARGS(db_str(l->name), db_u64(l->epoch)));
}
