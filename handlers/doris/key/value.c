/* get_value: the record that Doris would keep under a key, made from ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doris/meta/instance.h"
#include "doris/meta/stage.h"
#include "doris/meta/vault.h"
#include "doris/ops/recycle.h"
#include "doris/data/job.h"
#include "key.h"
#include "key_codec.h"
#include "doris/data/rowset.h"
#include "doris/data/tablet.h"
#include "doris/txn/txn.h"

TABLE(doris_get_value, DORIS_GET_VALUE);
TABLE(doris_value, DORIS_VALUE);

#define DORIS_TXN_INDEX(X, s) \
    X(s, OBJ, tablet_index, "tablet_index", OUT, doris_tablet_idx)
STRUCT(doris_txn_index, DORIS_TXN_INDEX);
TABLE(doris_txn_index, DORIS_TXN_INDEX);

#define DORIS_TXN_RUNNING(X, s)                  \
    X(s, LIST, table_ids, "table_ids", OUT, I64) \
    X(s, I64, timeout_time, "timeout_time", OUT, -)
STRUCT(doris_txn_running, DORIS_TXN_RUNNING);
TABLE(doris_txn_running, DORIS_TXN_RUNNING);

#define DORIS_TXN_RECYCLE(X, s)                       \
    X(s, I64, creation_time, "creation_time", OUT, -) \
    X(s, STR, label, "label", OUT, -)
STRUCT(doris_txn_recycle, DORIS_TXN_RECYCLE);
TABLE(doris_txn_recycle, DORIS_TXN_RECYCLE);

#define PARAMS_MAX  8
#define VALUE_BYTES ((size_t)8 << 20)

/* The parameters of a key, in the order of its type. */
struct params {
    const char *instance_id;
    const char *text[PARAMS_MAX];
    int64_t number[PARAMS_MAX];
};

/* A value: its text, and what stands on lines behind it. */
struct value {
    struct buf text;
    const char *behind;
};

typedef enum err
reader_fn(struct req *r, const struct params *p, struct value *out);

/* The blanks of JSON that lie outside of its texts go: documents of clusters
 * are kept as they are shown. From `at` on. */
static void
squeeze(struct buf *b, size_t at)
{
    bool inside = false;
    size_t n = at;

    for (size_t i = at; i < b->n; i++) {
        char c = b->p[i];

        if (inside && c == '\\' && i + 1 < b->n)
            b->p[n++] = b->p[i++];
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == ' ' || c == '\n'))
            continue;
        b->p[n++] = b->p[i];
    }
    b->n = n;
    if (b->p != NULL)
        b->p[n] = '\0';
}

static enum err
put(struct req *r, struct value *out, const struct record *rec, const void *v)
{
    struct json_writer w;
    size_t at = out->text.n;
    enum err e;

    jw_init(&w, &out->text, &json_protobuf);
    e = record_render(&w, rec, v, req_secrets(r), false, r->arena);
    squeeze(&out->text, at);
    return e == ERR_OK ? buf_err(&out->text) : e;
}

static enum err
put_or(struct req *r, struct value *out, enum err e, const struct record *rec,
       const void *v)
{
    return e == ERR_OK ? put(r, out, rec, v) : e;
}

/* ---- one reader per type ---- */

static enum err
read_instance(struct req *r, const struct params *p, struct value *out)
{
    struct doris_instance i;
    enum err e = doris_instance_load(r, p->instance_id, &i);

    return put_or(r, out, e, &doris_instance_rec, &i);
}

static enum err
read_label(struct req *r, const struct params *p, struct value *out)
{
    struct doris_label l;
    enum err e;

    e = doris_store_txn_ids(r->db, r->arena, p->instance_id, p->number[1],
                            p->text[2], &l);
    if (e == ERR_OK && l.txn_ids.n == 0)
        return ERR_NOT_FOUND;
    if (e == ERR_OK)
        out->behind = arena_printf(r->arena, "txn_id=%lld\n",
                                   (long long)l.txn_ids.v[l.txn_ids.n - 1].v);
    SET(&l, doris_label, txn_ids);
    return put_or(r, out, e, &doris_label_rec, &l);
}

static enum err
read_txn(struct req *r, const struct params *p, size_t id,
         struct doris_txn *out)
{
    enum err e;

    e = doris_store_txn(r->db, r->arena, p->instance_id, p->number[id], out);
    if (e == ERR_OK && id == 2 && out->db_id != p->number[1])
        return ERR_NOT_FOUND;
    return e;
}

static enum err
read_txn_info(struct req *r, const struct params *p, struct value *out)
{
    struct doris_txn t;
    enum err e = read_txn(r, p, 2, &t);

    return put_or(r, out, e, &doris_txn_rec, &t);
}

static enum err
read_txn_index(struct req *r, const struct params *p, struct value *out)
{
    struct doris_tablet_idx idx = { 0 };
    struct doris_txn_index i = { .tablet_index = &idx };
    struct doris_txn t;
    enum err e = read_txn(r, p, 1, &t);

    if (e == ERR_OK) {
        PUT(&idx, doris_tablet_idx, db_id, t.db_id);
    }
    return put_or(r, out, e, &doris_txn_index_rec, &i);
}

static enum err
read_txn_running(struct req *r, const struct params *p, struct value *out)
{
    struct doris_txn_running run = { 0 };
    struct doris_txn t;
    enum err e = read_txn(r, p, 2, &t);

    if (e == ERR_OK) /* NOT_FOUND once it is over */
        e = doris_store_txn_deadline(r->db, p->instance_id, t.txn_id,
                                     &run.timeout_time);
    if (e == ERR_OK) {
        run.table_ids.n = t.table_ids.n;
        run.table_ids.v = t.table_ids.v;
    }
    SET(&run, doris_txn_running, timeout_time);
    return put_or(r, out, e, &doris_txn_running_rec, &run);
}

static enum err
read_txn_recycle(struct req *r, const struct params *p, struct value *out)
{
    struct doris_txn_recycle rec = { 0 };
    struct doris_txn t;
    enum err e = read_txn(r, p, 2, &t);

    if (e == ERR_OK && !HAS(&t, doris_txn, finish_time))
        return ERR_NOT_FOUND;
    if (e == ERR_OK) {
        PUT(&rec, doris_txn_recycle, creation_time, t.finish_time);
        PUT(&rec, doris_txn_recycle, label, t.label);
    }
    return put_or(r, out, e, &doris_txn_recycle_rec, &rec);
}

static enum err
read_partition_version(struct req *r, const struct params *p, struct value *out)
{
    struct doris_version v;
    enum err e;

    e = doris_store_version(r->db, r->arena, p->instance_id, 'p', p->number[1],
                            p->number[2], p->number[3], &v);
    return put_or(r, out, e, &doris_version_rec, &v);
}

static enum err
read_table_version(struct req *r, const struct params *p, struct value *out)
{
    struct doris_version v;
    enum err e;

    e = doris_store_version(r->db, r->arena, p->instance_id, 't', p->number[1],
                            p->number[2], 0, &v);
    return put_or(r, out, e, &doris_version_rec, &v);
}

static enum err
read_rowset(struct req *r, const struct params *p, struct value *out)
{
    struct list_of_doris_rowset l = { 0, NULL };
    enum err e;

    e = doris_store_rowsets(r->db, r->arena, p->instance_id, p->number[1],
                            p->number[2], p->number[2], &l);
    if (e == ERR_OK && l.n == 0)
        return ERR_NOT_FOUND;
    return put_or(r, out, e, &doris_rowset_rec, l.v);
}

static enum err
read_rowset_tmp(struct req *r, const struct params *p, struct value *out)
{
    struct doris_rowset rs;
    enum err e;

    e = doris_store_tmp(r->db, r->arena, p->instance_id, p->number[1],
                        p->number[2], &rs);
    return put_or(r, out, e, &doris_rowset_rec, &rs);
}

static enum err
read_rowset_recycle(struct req *r, const struct params *p, struct value *out)
{
    struct doris_rowset_recycle rs;
    enum err e;

    e = doris_store_recyclable(r->db, r->arena, p->instance_id, p->number[1],
                               p->text[2], &rs);
    return put_or(r, out, e, &doris_rowset_recycle_rec, &rs);
}

/* A tablet by all its ids, as keys of tablets have them. */
static enum err
find_tablet(struct req *r, const struct params *p, struct doris_stats *out)
{
    enum err e;

    e = doris_store_stats(r->db, r->arena, p->instance_id, p->number[4], out);
    if (e == ERR_OK &&
        (out->table_id != p->number[1] || out->index_id != p->number[2] ||
         out->partition_id != p->number[3]))
        return ERR_NOT_FOUND;
    return e;
}

static enum err
read_tablet(struct req *r, const struct params *p, struct value *out)
{
    struct doris_stats s;
    struct doris_tablet t;
    enum err e = find_tablet(r, p, &s);

    if (e == ERR_OK)
        e = doris_store_tablet(r->db, r->arena, p->instance_id, p->number[4],
                               &t);
    return put_or(r, out, e, &doris_tablet_rec, &t);
}

static enum err
read_tablet_index(struct req *r, const struct params *p, struct value *out)
{
    struct doris_stats s;
    enum err e;

    e = doris_store_stats(r->db, r->arena, p->instance_id, p->number[1], &s);
    if (e == ERR_OK && HAS(&s, doris_stats, db_id)) {
        PUT(s.idx, doris_tablet_idx, db_id, s.db_id);
    }
    return put_or(r, out, e, &doris_tablet_idx_rec, s.idx);
}

static enum err
read_schema(struct req *r, const struct params *p, struct value *out)
{
    struct doris_schema s;
    enum err e;

    e = doris_store_schema(r->db, r->arena, p->instance_id, p->number[1],
                           (int32_t)p->number[2], &s);
    return put_or(r, out, e, &doris_schema_rec, &s);
}

/* Statistics are not split here: nothing is detached. */
static enum err
read_stats(struct req *r, const struct params *p, struct value *out)
{
    struct doris_stats s;
    enum err e = find_tablet(r, p, &s);

    if (e != ERR_OK)
        return e;
    if (!req_wants_json(r))
        buf_puts(&out->text, "aggregated_stats: ");
    e = put(r, out, &doris_stats_rec, &s);
    if (e == ERR_OK && !req_wants_json(r)) {
        const char *stats = arena_strdup(
            r->arena, buf_text(&out->text) + strlen("aggregated_stats: "));

        if (stats == NULL)
            return ERR_NOMEM;
        buf_puts(&out->text, "\ndetached_stats: {}\nmerged_stats: ");
        buf_puts(&out->text, stats);
    }
    return e;
}

static enum err
read_job(struct req *r, const struct params *p, struct value *out)
{
    struct doris_stats s;
    struct doris_job j;
    enum err e = find_tablet(r, p, &s);

    if (e == ERR_OK)
        e = doris_store_job(r->db, r->arena, p->instance_id, p->number[4], &j);
    return put_or(r, out, e, &doris_job_rec, &j);
}

static enum err
read_recycle_job(struct req *r, const struct params *p, struct value *out)
{
    struct doris_recycle_job j;
    enum err e;

    e = doris_store_recycle_job(r->db, r->arena, p->instance_id, &j);
    return put_or(r, out, e, &doris_recycle_job_rec, &j);
}

static enum err
read_stage_recycle(struct req *r, const struct params *p, struct value *out)
{
    struct doris_stage_recycle s;
    enum err e;

    e = doris_store_stage_dropped(r->db, r->arena, p->instance_id, p->text[1],
                                  &s);
    return put_or(r, out, e, &doris_stage_recycle_rec, &s);
}

static enum err
read_vault(struct req *r, const struct params *p, struct value *out)
{
    struct doris_vault *v;
    size_t n;
    enum err e;

    e = doris_store_vaults(r->db, r->arena, p->instance_id, true, &n, &v);
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        if (strcmp(v[i].id, p->text[1]) == 0) {
            e = doris_vault_open(r, p->instance_id, &v[i]);
            return put_or(r, out, e, &doris_vault_rec, &v[i]);
        }
    return e == ERR_OK ? ERR_NOT_FOUND : e;
}

/* Keys that are not here have no record with us. */
static const struct {
    const char *type;
    reader_fn *read;
} readers[] = {
    { "InstanceKey", read_instance },
    { "TxnLabelKey", read_label },
    { "TxnInfoKey", read_txn_info },
    { "TxnIndexKey", read_txn_index },
    { "TxnRunningKey", read_txn_running },
    { "PartitionVersionKey", read_partition_version },
    { "VersionKey", read_partition_version },
    { "TableVersionKey", read_table_version },
    { "MetaRowsetKey", read_rowset },
    { "MetaRowsetTmpKey", read_rowset_tmp },
    { "MetaTabletKey", read_tablet },
    { "MetaTabletIdxKey", read_tablet_index },
    { "MetaSchemaKey", read_schema },
    { "StatsTabletKey", read_stats },
    { "RecycleRowsetKey", read_rowset_recycle },
    { "RecycleTxnKey", read_txn_recycle },
    { "RecycleStageKey", read_stage_recycle },
    { "JobTabletKey", read_job },
    { "JobRecycleKey", read_recycle_job },
    { "StorageVaultKey", read_vault },
};

static reader_fn *
reader_of(const char *type)
{
    for (size_t i = 0; i < COUNT(readers); i++)
        if (strcmp(readers[i].type, type) == 0)
            return readers[i].read;
    return NULL;
}

/* ---- the key ---- */

/* The parameters out of the key's fields; BAD_PARAM when the key is not of
 * that type. Field 0 is the key space. */
static enum err
match(const struct key_type *type, const struct key_field *v, size_t n,
      struct params *out)
{
    const char *p = type->fields;
    size_t k = 0;

    for (size_t i = 1; *p != '\0'; i++) {
        size_t len = strcspn(p, " ");

        if (i >= n)
            return ERR_BAD_PARAM;
        if (len > 2 && p[1] == ':') {
            if (k == PARAMS_MAX)
                return ERR_BAD_PARAM;
            out->text[k] = v[i].text;
            out->number[k++] = strtoll(v[i].text, NULL, 10);
        } else if (strlen(v[i].text) != len || memcmp(v[i].text, p, len) != 0) {
            return ERR_BAD_PARAM;
        }
        p += len;
        p += strspn(p, " ");
        if (*p == '\0' && i + 1 != n)
            return ERR_BAD_PARAM;
    }
    out->instance_id = k > 0 ? out->text[0] : "";
    return ERR_OK;
}

/* The key as bytes: key=<hex> as it stands, else from the parameters. */
static enum err
take_key(struct req *r, const struct doris_get_value *in,
         const struct key_type *type, struct buf *key, const char **hex)
{
    unsigned char *bytes;
    size_t n = 0;
    enum err e;

    if (in->key == NULL) {
        e = doris_key_build(r, type, key);
        *hex = doris_key_hex(r, key, "");
        return e == ERR_OK && *hex == NULL ? ERR_NOMEM : e;
    }
    bytes = doris_key_from_hex(r->arena, in->key, &n);
    if (bytes == NULL)
        return req_fail(r, DORIS_KEY_BAD, ARGS());
    buf_put(key, (const char *)bytes, n);
    *hex = in->key;
    return buf_err(key);
}

/* ---- the reply ---- */

static enum err
send(struct req *r, const struct value *v, const char *hex)
{
    struct doris_value *out = arena_alloc(r->arena, sizeof(*out));
    const char *text =
        arena_printf(r->arena, "%s\n%s", buf_text(&v->text),
                     v->behind == NULL || req_wants_json(r) ? "" : v->behind);

    if (out == NULL || text == NULL)
        return ERR_NOMEM;
    if (!req_wants_json(r))
        return req_send_text(r, "text/plain; charset=utf-8", text,
                             strlen(text));
    PUT(out, doris_value, key, hex);
    PUT(out, doris_value, value, ((struct span){ text, v->text.n }));
    return req_send(r, &doris_value_rec, out);
}

static enum err
read_value(struct req *r, const struct key_type *type, const struct buf *key,
           struct value *out)
{
    reader_fn *read = reader_of(type->name);
    struct params p = { 0 };
    struct key_field *v;
    size_t n;
    enum err e;

    e = key_decode(r->arena, (const unsigned char *)key->p, key->n, &v, &n);
    if (e == ERR_OK)
        e = match(type, v, n, &p);
    if (e != ERR_OK)
        return e;
    return read == NULL ? ERR_NOT_FOUND : read(r, &p, out);
}

NO_CHECKS(doris_get_value); /* parameters depend on the type */

enum err
doris_value_get(struct req *r, const struct doris_get_value *in)
{
    const char *name = in->key_type == NULL ? "" : in->key_type;
    const struct key_type *type = doris_key_type(name);
    struct buf key = BUF_INIT(DORIS_KEY_BYTES);
    struct value v = { .text = BUF_INIT(VALUE_BYTES) };
    const char *hex = NULL;
    enum err e;

    if (type == NULL)
        return req_fail(r, DORIS_KEY_TYPE,
                        ARGS(arg("type", str_empty(name) ? "(empty)" : name)));
    e = take_key(r, in, type, &key, &hex);
    if (e == ERR_OK) {
        e = read_value(r, type, &key, &v);
        if (e == ERR_BAD_PARAM)
            e = req_fail(r, DORIS_KEY_BAD, ARGS(arg("key", hex)));
        if (e == ERR_NOT_FOUND)
            e = req_fail(r, DORIS_KV_NOT_FOUND, ARGS(arg("key", hex)));
    }
    if (e == ERR_OK)
        e = send(r, &v, hex);
    buf_free(&key);
    buf_free(&v.text);
    return e;
}
