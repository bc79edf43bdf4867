/* Storage vaults of an instance: on an object store or on HDFS. */
#ifndef MG_DORIS_VAULT_H
#define MG_DORIS_VAULT_H

#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "doris/meta/object.h"

#define DORIS_HDFS_CONF(X, s)          \
    X(s, STR, key, "key", IN | OUT, -) \
    X(s, STR, value, "value", IN | OUT | SECRET, -)
STRUCT(doris_hdfs_conf, DORIS_HDFS_CONF);

#define DORIS_HDFS_BUILD(X, s)                                                 \
    X(s, STR, fs_name, "fs_name", IN | OUT, -)                                 \
    X(s, STR, user, "user", IN | OUT, -)                                       \
    X(s, STR, hdfs_kerberos_principal, "hdfs_kerberos_principal",              \
      IN | OUT | SECRET, -)                                                    \
    X(s, STR, hdfs_kerberos_keytab, "hdfs_kerberos_keytab", IN | OUT | SECRET, \
      -)                                                                       \
    X(s, LIST, hdfs_confs, "hdfs_confs", IN | OUT, doris_hdfs_conf, .max = 1024)
STRUCT(doris_hdfs_build, DORIS_HDFS_BUILD);

#define DORIS_HDFS(X, s)                                            \
    X(s, OBJ, build_conf, "build_conf", IN | OUT, doris_hdfs_build) \
    X(s, STR, prefix, "prefix", IN | OUT, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_hdfs, DORIS_HDFS);

/* In the store a vault's body is JSON: hdfs_conf, sealed, or obj_conf, whose
 * secrets lie beside it, sealed. */
#define DORIS_VAULT(X, s)                                             \
    X(s, STR, id, "id", IN | OUT, -, .max = 32)                       \
    X(s, STR, name, "name", IN | OUT, -, .max = DORIS_ID_BYTES)       \
    X(s, OBJ, hdfs_info, "hdfs_info", IN | OUT, doris_hdfs)           \
    X(s, OBJ, obj_info, "obj_info", IN | OUT, doris_obj)              \
    X(s, STR, alter_name, "alter_name", IN, -, .max = DORIS_ID_BYTES) \
    X(s, STR, hdfs_conf, "hdfs_conf", COLUMN_ONLY | SECRET, -)        \
    X(s, STR, obj_conf, "obj_conf", COLUMN_ONLY, -)                   \
    X(s, STR, ak, "ak", COLUMN_ONLY | SECRET, -)                      \
    X(s, STR, sk, "sk", COLUMN_ONLY | SECRET, -)                      \
    X(s, STR, external_id, "external_id", COLUMN_ONLY | SECRET, -)    \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)
STRUCT(doris_vault, DORIS_VAULT);

#define DORIS_ALTER_VAULT(X, s)                                              \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -,                     \
      .max = DORIS_CUID_BYTES)                                               \
    X(s, OBJ, vault, "vault", IN, doris_vault)                               \
    X(s, BOOL, set_as_default_storage_vault, "set_as_default_storage_vault", \
      IN, -)
STRUCT(doris_alter_vault, DORIS_ALTER_VAULT);

/* What a vault must have, and as it is stored. */
enum err doris_vault_check(struct req *r, const struct doris_vault *v) MUST_USE;
enum err doris_vault_settle(struct req *r, struct doris_vault *v,
                            const char *name, int64_t id, int64_t now) MUST_USE;

/* doris_secrets_open of a vault. */
enum err doris_vault_open(struct req *r, const char *instance_id,
                          const struct doris_vault *v) MUST_USE;

/* ---- the store ---- */

/* Vaults in order of id; without bodies only id and name are filled. */
enum err
doris_store_vaults(struct db *db, struct arena *a, const char *instance_id,
                   bool bodies, size_t *n, struct doris_vault **out) MUST_USE;
/* db_ahead of it. */
enum err doris_store_vaults_ahead(struct db *db, const char *instance_id,
                                  bool bodies) MUST_USE;
enum err
doris_store_vault(struct db *db, struct arena *a, const char *instance_id,
                  const char *name, struct doris_vault *out) MUST_USE;
/* EXISTS when the name is taken. */
enum err
doris_store_vault_add(struct db *db, struct arena *a, const char *instance_id,
                      const struct doris_vault *v) MUST_USE;
/* Writes its name and what is on an object store; a key that could not be
 * opened and is not given stays as it is. */
enum err doris_store_vault_update(struct db *db, struct arena *a,
                                  const char *instance_id,
                                  const struct doris_vault *v) MUST_USE;
enum err doris_store_vault_drop(struct db *db, const char *instance_id,
                                const char *id) MUST_USE;

#endif
