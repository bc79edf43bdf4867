/* The SQL of what watches over servers. */
#include "monitor.h"

#define WATCHERS_MAX 4096
#define MACHINES_MAX 1024

TABLE(watcher, WATCHER);
TABLE(watched_machine, WATCHED_MACHINE);

#define WATCHER_AT(X, s) X(s, I32, port, "port", COLUMN_ONLY, -)
STRUCT(watcher_at, WATCHER_AT);
TABLE(watcher_at, WATCHER_AT);
LIST_OF(watcher_at);

enum {
    LIST,
    TELL,
    AGAIN,
    PORTS,
    ADD,
    DROP,
    ELSEWHERE,
    NODES_ELSEWHERE,
    MACHINES,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [LIST] = "SELECT w.machine, w.port, w.kind, w.target, w.uuid, w.state,"
             " w.why, COALESCE(i.cluster, '') AS cluster,"
             " COALESCE(i.shard, '') AS shard FROM kunlun_watcher w"
             " LEFT JOIN kunlun_instance i ON i.uuid = w.uuid"
             " WHERE ? IS NULL OR w.machine = ? ORDER BY w.machine, w.port",
    [TELL] = "UPDATE kunlun_watcher SET state = ?, why = ?"
             " WHERE machine = ? AND kind = ? AND target = ?",
    [AGAIN] = "UPDATE kunlun_watcher SET state = '" WATCHER_WANTED "',"
              " why = '', uuid = ?"
              " WHERE machine = ? AND kind = ? AND target = ?",
    [PORTS] = "SELECT port FROM kunlun_watcher WHERE machine = ?"
              " UNION SELECT port FROM kunlun_instance WHERE machine = ?"
              " UNION SELECT port FROM kunlun_place WHERE machine = ?"
              " ORDER BY port",
    [ADD] = "INSERT INTO kunlun_watcher (machine, port, kind, target, uuid,"
            " state, why) VALUES (?, ?, ?, ?, ?, '" WATCHER_WANTED "', '')",
    [DROP] = "DELETE FROM kunlun_watcher"
             " WHERE machine = ? AND kind = ? AND target = ?",
    [ELSEWHERE] = "DELETE FROM kunlun_watcher"
                  " WHERE kind = '" WATCHER_PROMETHEUS "'"
                  " AND NOT (machine = ? AND port = ?)",
    [NODES_ELSEWHERE] = "DELETE FROM kunlun_watcher"
                        " WHERE kind = '" WATCHER_NODE "' AND port <> ?",
    [MACHINES] =
        "SELECT hostaddr FROM Kunlun_Metadata_DB.kunlun_host ORDER BY id",
};

enum err
watcher_list(struct db *db, struct arena *a, const char *machine,
             struct list_of_watcher *out)
{
    return db_list(db, a, sql[LIST], DB_ARGS(db_str(machine), db_str(machine)),
                   &watcher_rec, WATCHERS_MAX, out);
}

enum err
watcher_tell(struct db *db, const struct watcher *w, const char *state,
             const char *why)
{
    return db_exec(db, sql[TELL],
                   DB_ARGS(db_str(state), db_str(why), db_str(w->machine),
                           db_str(w->kind), db_i64(w->target)));
}

static bool
is_taken(const struct list_of_watcher_at *ports, int32_t port)
{
    for (size_t i = 0; i < ports->n; i++)
        if (ports->v[i].port == port)
            return true;
    return false;
}

enum err
watcher_want(struct db *db, struct arena *a, const char *machine,
             const char *kind, int32_t target, const char *uuid, int32_t first,
             int32_t n)
{
    struct list_of_watcher_at ports;
    int32_t port = first;
    enum err e = db_exec_one(
        db, sql[AGAIN],
        DB_ARGS(db_str(uuid), db_str(machine), db_str(kind), db_i64(target)));

    if (e != ERR_NOT_FOUND)
        return e;
    e = db_list(db, a, sql[PORTS],
                DB_ARGS(db_str(machine), db_str(machine), db_str(machine)),
                &watcher_at_rec, WATCHERS_MAX, &ports);
    while (e == ERR_OK && port < first + n && is_taken(&ports, port))
        port++;
    if (e == ERR_OK && port == first + n)
        e = ERR_LIMIT;
    if (e == ERR_OK)
        e = db_exec(db, sql[ADD],
                    DB_ARGS(db_str(machine), db_i64(port), db_str(kind),
                            db_i64(target), db_str(uuid)));
    return e;
}

enum err
watcher_move(struct db *db, const char *machine, int32_t port,
             int32_t node_port)
{
    enum err e =
        db_exec(db, sql[ELSEWHERE], DB_ARGS(db_str(machine), db_i64(port)));

    return e == ERR_OK
               ? db_exec(db, sql[NODES_ELSEWHERE], DB_ARGS(db_i64(node_port)))
               : e;
}

enum err
watcher_drop(struct db *db, const char *machine, const char *kind,
             int32_t target)
{
    return db_exec(db, sql[DROP],
                   DB_ARGS(db_str(machine), db_str(kind), db_i64(target)));
}

enum err
watcher_machines(struct db *db, struct arena *a,
                 struct list_of_watched_machine *out)
{
    return db_list(db, a, sql[MACHINES], DB_NO_ARGS, &watched_machine_rec,
                   MACHINES_MAX, out);
}
