/* Captures, changefeeds and who writes which table, for operators. */
#include "ticdc/views.h"

#include "db.h"

#define CAPTURES                                                               \
    "SELECT c.capture_id AS k1, '' AS k2, '' AS a1, '' AS a2, c.name, "        \
    "c.address,"                                                               \
    " CASE WHEN c.expires_ms < " DB_NOW_MS " THEN 'gone'"                      \
    " WHEN c.liveness = 0 THEN 'alive' ELSE 'stopping' END AS state,"          \
    " CASE WHEN c.expires_ms < " DB_NOW_MS " THEN 'bad'"                       \
    " WHEN c.liveness = 0 THEN 'ok' ELSE 'warn' END AS level,"                 \
    " IF(c.expires_ms < " DB_NOW_MS ", 'it does not renew its row', '')"       \
    " AS why, c.started_ms AS since_ms, JSON_OBJECT('owner',"                  \
    " EXISTS (SELECT 1 FROM ticdc_owner o WHERE o.capture_id = c.capture_id)," \
    " 'version', c.version, 'pid', c.pid) AS more FROM ticdc_capture "         \
    "c" VIEW_INDEX("PRIMARY")

/* A TSO's milliseconds; one that runs is so far behind. */
#define MS(ts) "(" ts " >> 18)"
#define LAG                                                        \
    "IF(f.state IN ('normal', 'warning', 'pending'), GREATEST(0, " \
    "CAST(" DB_NOW_MS                                              \
    " AS SIGNED) - CAST(" MS("f.checkpoint_ts") " AS SIGNED)), NULL)"

/* What became of the newest wish that a table be moved; NULL: there is none. */
#define LAST_MOVE(of)                                                        \
    "JSON_EXTRACT((SELECT JSON_OBJECT('table_id', m.table_id, 'capture_id'," \
    " m.capture_id, 'outcome', m.outcome, 'asked_ms', m.asked_ms,"           \
    " 'decided_ms', m.decided_ms) FROM ticdc_move m WHERE m.feed = " of      \
    " ORDER BY m.move_id DESC LIMIT 1), '$')"
#define FEED_MOVE  LAST_MOVE("f.feed")
#define TABLE_MOVE LAST_MOVE("t.feed AND m.table_id = t.table_id")

#define FEEDS                                                               \
    "SELECT f.feed AS k1, '' AS k2, '' AS a1, '' AS a2,"                    \
    " IF(f.namespace = 'default', f.id, CONCAT(f.namespace, '/', f.id))"    \
    " AS name, '' AS address, f.state,"                                     \
    " CASE WHEN f.state = 'failed' THEN 'bad'"                              \
    " WHEN f.state IN ('warning', 'pending') THEN 'warn' ELSE 'ok' END"     \
    " AS level, f.error_message AS why, f.changed_ms AS since_ms,"          \
    " JSON_OBJECT('namespace', f.namespace, 'id', f.id, 'lag_ms', " LAG "," \
    " 'checkpoint_ms', " MS(                                                \
        "f.checkpoint_ts") ","                                              \
                           " 'checkpoint_ts', CONCAT(f.checkpoint_ts),"     \
                           " 'resolved_ts', CONCAT(f.resolved_ts),"         \
                           " 'error_code', f.error_code, 'error_ms', "      \
                           "f.error_ms,"                                    \
                           " 'tries', f.tries, 'tables', (SELECT COUNT(*) " \
                           "FROM ticdc_table t"                             \
                           " WHERE t.feed = f.feed AND t.dropped = 0"       \
                           " AND t.table_id <> 0),"                         \
                           " 'last_move', " FEED_MOVE ") AS "               \
                           "more"                                           \
                           " FROM ticdc_changefeed f" VIEW_INDEX("PRIMARY")

/* Table 0, of statements, is nobody's table. */
#define TABLES                                                                 \
    "SELECT t.feed AS k1, t.table_id AS k2, t.feed AS a1, '' AS a2,"           \
    " CONCAT(t.schema_name, '.', t.table_name) AS name,"                       \
    " COALESCE(c.address, '') AS address, t.state, 'ok' AS level,"             \
    " '' AS why, CAST(NULL AS SIGNED) AS since_ms,"                            \
    " JSON_OBJECT('table_id', t.table_id, 'writer', t.writer,"                 \
    " 'checkpoint_ms', " MS(                                                   \
        "t.checkpoint_ts") ", 'last_move', " TABLE_MOVE ") AS more"            \
                           " FROM ticdc_table t" VIEW_INDEX(                   \
                               "PRIMARY") " LEFT JOIN ticdc_capture c"         \
                                          " ON c.capture_id = t.writer WHERE " \
                                          "t.dropped = 0"                      \
                                          " AND t.table_id <> 0"

const struct view ticdc_views[] = {
    VIEW("capture", NULL, CAPTURES),
    VIEW("changefeed", NULL, FEEDS),
    VIEW("table", "changefeed", TABLES),
    { .kind = NULL },
};
