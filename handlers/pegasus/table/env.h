/* Variables of a table: which there are, and what they may hold. */
#ifndef PEGASUS_ENV_H
#define PEGASUS_ENV_H

#include "db.h"
#include "record.h"
#include "req.h"

#define PEGASUS_ENVS_REF(X, s) \
    X(s, STR, name, "name", IN | QUERY, -, .doc = "the table")
STRUCT(pegasus_envs_ref, PEGASUS_ENVS_REF);

#define PEGASUS_ENVS_SET(X, s)             \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, MAP, envs, "envs", IN | EMPTY_ABSENT, STR)
STRUCT(pegasus_envs_set, PEGASUS_ENVS_SET);

#define PEGASUS_ENVS_DEL(X, s)             \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, LIST, keys, "keys", IN | EMPTY_ABSENT, STR)
STRUCT(pegasus_envs_del, PEGASUS_ENVS_DEL);

#define PEGASUS_ENVS_CLEAR(X, s)           \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, STR, prefix, "prefix", IN, -, .doc = "default: all")
STRUCT(pegasus_envs_clear, PEGASUS_ENVS_CLEAR);

#define PEGASUS_COMPACT(X, s)                                           \
    X(s, STR, app_name, "app_name", IN, -)                              \
    X(s, STR, type, "type", IN, -, .doc = "once or periodic")           \
    X(s, I64, target_level, "target_level", IN, -, .doc = "default -1") \
    X(s, STR, bottommost, "bottommost_level_compaction", IN, -,         \
      .doc = "skip (default) or force")                                 \
    X(s, I64, running, "max_concurrent_running_count", IN, -,           \
      .doc = "0: no limit")                                             \
    X(s, STR, trigger_time, "trigger_time", IN, -, .doc = "periodic: HH:MM,...")
STRUCT(pegasus_compact, PEGASUS_COMPACT);

#define PEGASUS_SCENARIO(X, s)             \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, STR, scenario, "scenario", IN, -, .doc = "normal or bulk_load")
STRUCT(pegasus_scenario, PEGASUS_SCENARIO);

#define PEGASUS_ENV_LINE(X, s)                  \
    X(s, STR, key, "key", OUT, -)               \
    X(s, STR, type, "type", OUT, -)             \
    X(s, STR, limitation, "limitation", OUT, -) \
    X(s, STR, sample, "sample", OUT, -)
STRUCT(pegasus_env_line, PEGASUS_ENV_LINE);

#define PEGASUS_ENV_LIST(X, s) \
    X(s, LIST, envs, "", OUT, pegasus_env_line, .keyed_by = "key")
STRUCT(pegasus_env_list, PEGASUS_ENV_LIST);

/* OK, or a refusal with the hint of the first pair that is not valid. */
enum err
pg_env_judge(struct req *r, const struct map_of_STR *v, size_t n) MUST_USE;

/* The value of a key; NULL when absent. */
const char *pg_env_find(const struct map_of_STR *v, size_t n, const char *key);

/* Whether a pair is valid; else the hint, in the arena. */
const char *pg_env_hint(struct arena *a, const char *key, const char *value);

/* ---- store_env.c ---- */

LIST_OF(map_of_STR);
/* Of the AVAILABLE table of that name, in byte order of keys; empty when
 * there is none. */
enum err pegasus_store_envs(struct db *db, struct arena *a, const char *name,
                            struct list_of_map_of_STR *out) MUST_USE;
/* Those of the table of that id, whatever its status. */
enum err pegasus_store_env_rows(struct db *db, struct arena *a, int32_t app_id,
                                struct list_of_map_of_STR *out) MUST_USE;

/* inside a transaction */
enum err pegasus_store_env_set(struct db *db, int32_t app_id, const char *k,
                               const char *v) MUST_USE;
/* NOT_FOUND when there is none of that key. */
enum err
pegasus_store_env_del(struct db *db, int32_t app_id, const char *k) MUST_USE;

#endif
