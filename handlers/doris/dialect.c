/* The Doris Meta Service as a dialect: what it brings, and what is not
 * found. */
#include <string.h>

#include "doris.h"
#include "doris/meta/instance.h"
#include "doris/meta/stage.h"
#include "doris/meta/vault.h"
#include "doris/ops/duties.h"
#include "secrets.h"
#include "settings.h"
#include "doris/verbs.h"
#include "doris/views.h"

/* Newer managers ask older services for operations they do not have, and old
 * Doris answered OK. */
enum err
doris_unknown(struct req *r, const struct none *in)
{
    (void)in;
    if (doris_settings()->unknown_op_ok)
        return req_ok(r);
    return req_fail(r, DORIS_UNKNOWN_OP, ARGS());
}

/* There is no FoundationDB whose ranges could be counted. */
enum err
doris_meta_ranges(struct req *r, const struct none *in)
{
    (void)in;
    return req_fail(r, DORIS_FDB_ONLY, ARGS());
}

/* Of a parameter that is given twice the last counts, as in brpc. */
static enum err
last_of_each(struct req *r)
{
    struct param *v = arena_array(r->arena, r->n_query, sizeof(*v));
    size_t n = 0, k;

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_query; i++) {
        for (k = 0; k < n && strcmp(v[k].key, r->query[i].key) != 0; k++)
            ;
        v[k] = r->query[i];
        n += k == n;
    }
    r->query = v;
    r->n_query = n;
    return ERR_OK;
}

static const char *
is_transitions(const char *value)
{
    return strcmp(value, "document") == 0 || strcmp(value, "service") == 0
               ? NULL
               : "must be document or service";
}

static const struct listener listeners[] = {
    { "doris", "", 1, 5000, "doris" },
    { .name = NULL },
};

static const struct first_request first_requests[] = {
    { "MetaService/http/create_instance",
      "{\"instance_id\":\"i1\",\"name\":\"first\",\"user_id\":\"me\","
      "\"obj_info\":{\"ak\":\"a\",\n"
      "     \"sk\":\"s\",\"bucket\":\"b\",\"prefix\":\"p\","
      "\"provider\":\"S3\",\"region\":\"r\",\n"
      "     \"endpoint\":\"s3.example\","
      "\"external_endpoint\":\"s3.example\"}}" },
    { "MetaService/http/get_instance?instance_id=i1", NULL },
    { .path = NULL },
};

static const struct duty duties[] = {
    { .lease = "doris.heartbeat",
      .every_ms = 1000,
      .step = doris_heartbeat,
      .forget = doris_heartbeat_end },
    { .lease = "doris.recycler", .every_ms = 1000, .step = doris_recycle },
    { .lease = NULL },
};

/* A vault of before external_id had a column has it in obj_conf, plain: from
 * there it goes to where it is sealed. */
#define IN_CONF "JSON_UNQUOTE(JSON_EXTRACT(obj_conf, '$.external_id'))"
#define OLD_EXTERNAL_ID                                                     \
    {                                                                       \
        .table = "doris_vault", .column = "external_id", .was_plain = true, \
        .page = "SELECT instance_id AS k1, CAST(id AS CHAR) AS k2,"         \
                " CONCAT(instance_id, '/', id) AS secret_row, " IN_CONF     \
                " AS sealed FROM doris_vault WHERE external_id IS NULL"     \
                " AND " IN_CONF " NOT LIKE ? AND instance_id >= ?"          \
                " AND (instance_id > ? OR id > ?)"                          \
                " ORDER BY instance_id, id LIMIT ?",                        \
        .replace = "UPDATE doris_vault SET external_id = ?,"                \
                   " obj_conf = JSON_REMOVE(obj_conf, '$.external_id')"     \
                   " WHERE instance_id = ? AND id = ?"                      \
                   " AND external_id IS NULL AND " IN_CONF " = ?",          \
        .count = "SELECT COUNT(*) FROM doris_vault"                         \
                 " WHERE external_id IS NULL AND " IN_CONF " NOT LIKE ?",   \
    }

static const struct secret_column secrets[] = {
    SECRET_OF_ONE(doris_instance, ram_ak, instance_id),
    SECRET_OF_ONE(doris_instance, ram_sk, instance_id),
    SECRET_OF_ONE(doris_instance, ram_external_id, instance_id,
                  .was_plain = true),
    SECRET_OF_TWO(doris_obj_info, ak, instance_id, id),
    SECRET_OF_TWO(doris_obj_info, sk, instance_id, id),
    SECRET_OF_TWO(doris_obj_info, external_id, instance_id, id,
                  .was_plain = true),
    SECRET_OF_TWO(doris_vault, ak, instance_id, id),
    SECRET_OF_TWO(doris_vault, sk, instance_id, id),
    SECRET_OF_TWO(doris_vault, external_id, instance_id, id),
    OLD_EXTERNAL_ID,
    SECRET_OF_TWO(doris_vault, hdfs_conf, instance_id, id, .was_plain = true,
                  .wide = true),
    SECRET_OF_TWO(doris_stage, ak, instance_id, stage_id),
    SECRET_OF_TWO(doris_stage, sk, instance_id, stage_id),
    SECRET_OF_TWO(doris_stage, body, instance_id, stage_id, .was_plain = true,
                  .wide = true),
    { .table = NULL },
};

#include "endpoint_tables.h"

#define SETTINGS      doris_settings
#define SETTINGS_FILE "doris/settings.def"
#include "settings_table.h"

extern const struct dialect doris_dialect;
const struct dialect doris_dialect = {
    .name = "doris",
    DIALECT_TABLES,
    .views = doris_views,
    .verbs = doris_verbs,
    .uri = URI_SEGMENTS,
    .query = last_of_each,
    .admit = doris_admit,
    .listeners = listeners,
    .first_requests = first_requests,
    .settings = doris_settings_rows,
    .duties = duties,
    .secrets = secrets,
};
