/* Tablets: created with their first rowset, read, changed; their statistics. */
#include <stdlib.h>
#include <string.h>

#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "doris/meta/vault.h"
#include "rowset.h"
#include "rpc.h"
#include "tablet.h"

const struct enum_name doris_tablet_state_names[] = {
    { "PB_NOTREADY", DORIS_TABLET_NOTREADY },
    { "PB_RUNNING", DORIS_TABLET_RUNNING },
    { "PB_TOMBSTONED", 2 },
    { "PB_STOPPED", 3 },
    { "PB_SHUTDOWN", 4 },
    { NULL, 0 }
};

const struct enum_name doris_keys_type_names[] = {
    { "DUP_KEYS", 0 }, { "UNIQUE_KEYS", 1 }, { "AGG_KEYS", 2 }, { NULL, 0 }
};

TABLE(doris_tablet_idx, DORIS_TABLET_IDX);
TABLE(doris_column, DORIS_COLUMN);
TABLE(doris_schema, DORIS_SCHEMA);
TABLE(doris_tablet, DORIS_TABLET);
TABLE(doris_stats, DORIS_STATS);
TABLE(doris_create_tablets, DORIS_CREATE_TABLETS);
TABLE(doris_vault_choice, DORIS_VAULT_CHOICE);
TABLE(doris_get_tablet, DORIS_GET_TABLET);
TABLE(doris_tablet_reply, DORIS_TABLET_REPLY);
TABLE(doris_tablet_change, DORIS_TABLET_CHANGE);
TABLE(doris_update_tablet, DORIS_UPDATE_TABLET);
TABLE(doris_get_stats, DORIS_GET_STATS);
TABLE(doris_stats_reply, DORIS_STATS_REPLY);
TABLE(doris_get_version, DORIS_GET_VERSION);
TABLE(doris_version, DORIS_VERSION);
TABLE(doris_version_reply, DORIS_VERSION_REPLY);

static int32_t
first_version(const struct doris_rowset *rs)
{
    return HAS(rs, doris_rowset, schema_version) || rs->tablet_schema == NULL
               ? rs->schema_version
               : rs->tablet_schema->schema_version;
}

/* The first rowset lies where its tablet does; a schema that both have under
 * one version is one. */
static enum err
first_of(struct req *r, const struct doris_tablet *t,
         const struct doris_rowset *rs)
{
    const char *other = NULL;

    if (rs->tablet_id != 0 && rs->tablet_id != t->tablet_id)
        other = "tablet_id";
    else if (rs->partition_id != 0 && rs->partition_id != t->partition_id)
        other = "partition_id";
    else if (rs->index_id != 0 && rs->index_id != t->index_id)
        other = "index_id";
    else if (rs->tablet_schema != NULL && t->schema != NULL &&
             first_version(rs) == t->schema->schema_version &&
             record_other(&doris_schema_rec, rs->tablet_schema, t->schema,
                          NULL) != NULL)
        other = "tablet_schema";
    if (other == NULL)
        return ERR_OK;
    return req_fail(r, DORIS_ROWSET_OTHER,
                    ARGS(arg("member", other), arg("other", "its tablet")));
}

static enum err
tablet_complete(struct req *r, const struct doris_tablet *t)
{
    if (t->schema == NULL && !HAS(t, doris_tablet, schema_version))
        return req_fail(r, DORIS_TABLET_SCHEMA, ARGS());
    if (t->tablet_id <= 0 || t->table_id <= 0 || t->index_id <= 0 ||
        t->partition_id <= 0)
        return req_fail(r, DORIS_TABLET_IDS, ARGS());
    if (t->rs_metas.n > 1)
        return req_fail(r, DORIS_TABLET_ROWSETS,
                        ARGS(arg_i64(r, "tablet", t->tablet_id)));
    return t->rs_metas.n == 1 ? first_of(r, t, &t->rs_metas.v[0]) : ERR_OK;
}

static enum err
tablets_complete(struct req *r, const void *in)
{
    const struct doris_create_tablets *c = in;
    enum err e = ERR_OK;

    for (size_t i = 0; i < c->tablet_metas.n && e == ERR_OK; i++)
        e = tablet_complete(r, &c->tablet_metas.v[i]);
    return e;
}

CHECKS(doris_create_tablets, NEED(tablet_metas, DORIS_TABLETS_NONE),
       NEED(cloud_unique_id, DORIS_IID_EMPTY), FN(tablets_complete));

CHECKS(doris_get_tablet, NEED(cloud_unique_id, DORIS_IID_EMPTY),
       NEED(tablet_id, DORIS_JOB_TABLET));
NO_CHECKS(doris_update_tablet); /* the instance first */
NO_CHECKS(doris_get_stats);

/* Of a batch the lists say which, of one place the ids: what is told has the
 * members of the mode that was asked for, as Doris words it. A table's version
 * has no partition. */
static enum err
version_lists(struct req *r, const struct doris_get_version *g)
{
    size_t n = g->db_ids.n;

    if (n > 0 && g->table_ids.n == n &&
        g->partition_ids.n == (g->is_table_version ? 0 : n))
        return ERR_OK;
    return req_fail(r, DORIS_VERSION_LISTS,
                    ARGS(arg_i64(r, "dbs", (int64_t)n),
                         arg_i64(r, "tables", (int64_t)g->table_ids.n),
                         arg_i64(r, "partitions", (int64_t)g->partition_ids.n),
                         arg_i64(r, "of_table", g->is_table_version)));
}

/* -1 is what Doris takes for an id that is not given. */
#define ID_OR_NONE(g, id) (HAS(g, doris_get_version, id) ? (g)->id : -1)

static enum err
version_named(struct req *r, const void *in)
{
    const struct doris_get_version *g = in;
    int64_t db = ID_OR_NONE(g, db_id), table = ID_OR_NONE(g, table_id);
    int64_t partition = ID_OR_NONE(g, partition_id);

    if (g->batch_mode)
        return version_lists(r, g);
    if (db != -1 && table != -1 && (g->is_table_version || partition != -1))
        return ERR_OK;
    return req_fail(r, DORIS_VERSION_ARGS,
                    ARGS(arg_i64(r, "db", db), arg_i64(r, "table", table),
                         arg_i64(r, "partition", partition),
                         arg_i64(r, "of_table", g->is_table_version)));
}

/* The instance last, as Doris does. */
CHECKS(doris_get_version, FN(version_named));

/* ---- a change of several tablets ---- */

/* Locks of tablets are taken in the order of their ids. */
struct turn {
    int64_t tablet_id;
    size_t at; /* where the request has it */
};

/* What the audit row says: the tablets without their schemas. */
#define TABLETS(X, s) X(s, LIST, tablets, "tablets", OUT, doris_tablet)
STRUCT(doris_tablets, TABLETS);
TABLE(doris_tablets, TABLETS);

LIST_OF(doris_tablet);
struct change {
    struct turn *turn;
    struct list_of_doris_tablet before, after; /* each with room for all */
};

static enum err
change_init(struct req *r, size_t n, struct change *c)
{
    *c = (struct change){
        .turn = arena_array(r->arena, n, sizeof(*c->turn)),
        .before.v = arena_array(r->arena, n, sizeof(*c->before.v)),
        .after.v = arena_array(r->arena, n, sizeof(*c->after.v)),
    };
    return c->turn == NULL || c->before.v == NULL || c->after.v == NULL
               ? ERR_NOMEM
               : ERR_OK;
}

static int
by_tablet_id(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;

    return (x->tablet_id > y->tablet_id) - (x->tablet_id < y->tablet_id);
}

/* One that is named twice is refused: Doris keeps the last. */
static enum err
take_turns(struct req *r, struct turn *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_tablet_id);
    for (size_t i = 1; i < n; i++)
        if (v[i].tablet_id == v[i - 1].tablet_id)
            return req_fail(r, DORIS_TABLET_TWICE,
                            ARGS(arg_i64(r, "tablet", v[i].tablet_id)));
    return ERR_OK;
}

static struct doris_tablets
shown(const struct list_of_doris_tablet *list)
{
    struct doris_tablets t = { 0 };

    for (size_t i = 0; i < list->n; i++)
        list->v[i].schema = NULL;
    t.tablets.n = list->n;
    t.tablets.v = list->v;
    return t;
}

/* "tablet i1/50 and 2 more"; before is null when all of them are new. */
static void
change_audit(struct req *r, const char *instance_id, const struct change *c)
{
    struct doris_tablets before = shown(&c->before), after = shown(&c->after);
    const char *more = "";

    if (after.tablets.n > 1)
        more = arena_printf(r->arena, " and %zu more", after.tablets.n - 1);
    doris_audit_target(r, "tablet", instance_id,
                       arena_printf(r->arena, "%lld%s",
                                    (long long)after.tablets.v[0].tablet_id,
                                    more == NULL ? "" : more));
    if (before.tablets.n > 0)
        req_audit_before(r, &doris_tablets_rec, &before);
    req_audit_after(r, &doris_tablets_rec, &after);
}

/* ---- create ---- */

/* The vault whose name the request gives; "" asks for the default one. */
static enum err
choose_vault(struct req *r, const char *instance_id, const char *name,
             const struct doris_vault_choice **out)
{
    struct doris_vault_choice *chosen = arena_alloc(r->arena, sizeof(*chosen));
    struct doris_instance i;
    struct doris_vault v;
    enum err e;

    if (chosen == NULL)
        return ERR_NOMEM;
    if (str_empty(name)) {
        e = doris_store_instance(r->db, r->arena, instance_id, &i);
        if (e != ERR_OK)
            return e;
        if (i.default_storage_vault_name == NULL)
            return req_fail(r, DORIS_VAULT_DEFAULT, ARGS());
        name = i.default_storage_vault_name;
    }
    e = doris_store_vault(r->db, r->arena, instance_id, name, &v);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_VAULT_NAME, ARGS(arg("vault", name)));
    if (e != ERR_OK)
        return e;
    PUT(chosen, doris_vault_choice, storage_vault_id, v.id);
    PUT(chosen, doris_vault_choice, storage_vault_name, v.name);
    *out = chosen;
    return ERR_OK;
}

/* The first rowset takes its ids from its tablet. */
static struct doris_rowset
first_rowset(const struct doris_tablet *t)
{
    struct doris_rowset rs = t->rs_metas.v[0];

    PUT(&rs, doris_rowset, tablet_id, t->tablet_id);
    PUT(&rs, doris_rowset, partition_id, t->partition_id);
    PUT(&rs, doris_rowset, index_id, t->index_id);
    PUT(&rs, doris_rowset, rowset_state, 2);
    if (rs.tablet_schema != NULL)
        PUT(&rs, doris_rowset, schema_version, first_version(&rs));
    rs.tablet_schema = NULL;
    SET(&rs, doris_rowset, start_version);
    if (!HAS(&rs, doris_rowset, end_version)) {
        PUT(&rs, doris_rowset, end_version, 1);
    }
    return rs;
}

/* What a tablet is made with and keeps. */
static enum err
print_constant(struct req *r, const struct doris_tablet *t, const char **out)
{
    struct doris_tablet plain = *t;

    plain.schema = NULL;
    plain.rs_metas.n = 0;
    UNSET(&plain, doris_tablet, tablet_state);
    UNSET(&plain, doris_tablet, is_in_memory);
    UNSET(&plain, doris_tablet, is_persistent);
    UNSET(&plain, doris_tablet, ttl_seconds);
    UNSET(&plain, doris_tablet, compaction_policy);
    return doris_doc_render(r->arena, &doris_tablet_rec, &plain, out);
}

static enum err
is_same(struct req *r, const struct doris_tablet *a,
        const struct doris_tablet *b, bool *out)
{
    const char *x, *y = "";
    enum err e;

    e = print_constant(r, a, &x);
    if (e == ERR_OK)
        e = print_constant(r, b, &y);
    *out = e == ERR_OK && strcmp(x, y) == 0 &&
           HAS(a, doris_tablet, db_id) == HAS(b, doris_tablet, db_id) &&
           a->db_id == b->db_id;
    return e;
}

/* Its schema and its first rowset, and that one's schema. */
static enum err
fill_tablet(struct req *r, const char *instance_id,
            const struct doris_tablet *t)
{
    struct doris_rowset rs;
    enum err e = ERR_OK;

    if (t->schema != NULL)
        e = doris_store_schema_put(r->db, r->arena, instance_id, t->index_id,
                                   t->schema_version, t->schema);
    if (e != ERR_OK || t->rs_metas.n == 0)
        return e;
    rs = first_rowset(t);
    if (t->rs_metas.v[0].tablet_schema != NULL)
        e = doris_store_schema_put(r->db, r->arena, instance_id, t->index_id,
                                   rs.schema_version,
                                   t->rs_metas.v[0].tablet_schema);
    if (e != ERR_OK)
        return e;
    return doris_store_rowset_add(r->db, r->arena, instance_id, &rs);
}

/* There is one of that id. Another one takes its place, as in Doris; but a
 * request that comes again must not undo what was loaded since. */
static enum err
put_again(struct req *r, const char *instance_id, struct doris_tablet *t,
          struct change *c)
{
    struct doris_tablet *old = &c->before.v[c->before.n++];
    bool same;
    enum err e;

    e = doris_store_tablet(r->db, r->arena, instance_id, t->tablet_id, old);
    if (e == ERR_OK)
        e = is_same(r, old, t, &same);
    if (e != ERR_OK)
        return e;
    if (same) {
        *t = *old;
        return ERR_OK;
    }
    e = doris_store_tablet_replace(r->db, r->arena, instance_id, t);
    return e == ERR_OK ? fill_tablet(r, instance_id, t) : e;
}

static struct doris_tablet
new_tablet(const struct doris_create_tablets *in,
           const struct doris_tablet *asked)
{
    struct doris_tablet t = *asked;

    if (!HAS(&t, doris_tablet, schema_version)) {
        PUT(&t, doris_tablet, schema_version, t.schema->schema_version);
    }
    if (HAS(in, doris_create_tablets, db_id)) {
        PUT(&t, doris_tablet, db_id, in->db_id);
    }
    return t;
}

static enum err
put_tablet(struct req *r, const char *instance_id,
           const struct doris_create_tablets *in,
           const struct doris_tablet *asked, struct change *c)
{
    struct doris_tablet *t = &c->after.v[c->after.n++];
    enum err e;

    *t = new_tablet(in, asked);
    e = doris_store_tablet_add(r->db, r->arena, instance_id, t);
    if (e == ERR_EXISTS)
        return put_again(r, instance_id, t, c);
    return e == ERR_OK ? fill_tablet(r, instance_id, t) : e;
}

static enum err
put_tablets(struct req *r, const char *instance_id,
            const struct doris_create_tablets *in)
{
    size_t n = in->tablet_metas.n;
    struct change c;
    enum err e;

    e = change_init(r, n, &c);
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        c.turn[i] = (struct turn){ in->tablet_metas.v[i].tablet_id, i };
    if (e == ERR_OK)
        e = take_turns(r, c.turn, n);
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = put_tablet(r, instance_id, in, &in->tablet_metas.v[c.turn[i].at],
                       &c);
    if (e == ERR_OK)
        change_audit(r, instance_id, &c);
    return e;
}

enum err
doris_tablet_create(struct req *r, const struct doris_create_tablets *in)
{
    static const struct doris_vault_choice not_asked;
    const struct doris_vault_choice *chosen = &not_asked;
    const char *instance_id;
    enum err e;

    e = doris_rpc_open_live(r, in, in->cloud_unique_id, DORIS_IID_EMPTY,
                            &instance_id);
    if (e == ERR_OK && HAS(in, doris_create_tablets, storage_vault_name))
        e = choose_vault(r, instance_id, in->storage_vault_name, &chosen);
    if (e == ERR_OK)
        e = put_tablets(r, instance_id, in);
    return req_send_or_fail(r, e, &doris_vault_choice_rec, chosen);
}

/* ---- read, change ---- */

enum err
doris_tablet_get(struct req *r, const struct doris_get_tablet *in)
{
    struct doris_tablet_reply *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_tablet *t = arena_alloc(r->arena, sizeof(*t));
    struct doris_schema *schema = arena_alloc(r->arena, sizeof(*schema));
    const char *instance_id;
    enum err e;

    if (out == NULL || t == NULL || schema == NULL)
        return ERR_NOMEM;
    e = doris_rpc_open(r, in, in->cloud_unique_id, DORIS_IID_EMPTY,
                       &instance_id);
    if (e != ERR_OK)
        return e;
    e = doris_store_tablet(r->db, r->arena, instance_id, in->tablet_id, t);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, instance_id, in->tablet_id);
    if (e == ERR_OK)
        e = doris_store_schema(r->db, r->arena, instance_id, t->index_id,
                               t->schema_version, schema);
    if (e == ERR_OK)
        t->schema = schema;
    out->tablet_meta = t;
    return req_send_or_fail(r, e == ERR_NOT_FOUND ? ERR_OK : e,
                            &doris_tablet_reply_rec, out);
}

static void
apply(struct doris_tablet *t, const struct doris_tablet_change *c)
{
    if (HAS(c, doris_tablet_change, is_in_memory)) {
        PUT(t, doris_tablet, is_in_memory, c->is_in_memory);
    }
    if (HAS(c, doris_tablet_change, is_persistent)) {
        PUT(t, doris_tablet, is_persistent, c->is_persistent);
    }
    if (HAS(c, doris_tablet_change, ttl_seconds)) {
        PUT(t, doris_tablet, ttl_seconds, c->ttl_seconds);
    }
    if (HAS(c, doris_tablet_change, compaction_policy)) {
        PUT(t, doris_tablet, compaction_policy, c->compaction_policy);
    }
}

static enum err
update_tablet(struct req *r, const char *instance_id,
              const struct doris_tablet_change *asked, struct change *c)
{
    struct doris_tablet *old = &c->before.v[c->before.n++];
    struct doris_tablet *t = &c->after.v[c->after.n++];
    enum err e;

    e = doris_store_tablet_lock(r->db, instance_id, asked->tablet_id);
    if (e == ERR_OK)
        e = doris_store_tablet(r->db, r->arena, instance_id, asked->tablet_id,
                               old);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, instance_id, asked->tablet_id);
    if (e != ERR_OK)
        return e;
    *t = *old;
    apply(t, asked);
    return doris_store_tablet_save(r->db, r->arena, instance_id, t);
}

static enum err
update_tablets(struct req *r, const char *instance_id,
               const struct doris_update_tablet *in)
{
    const struct doris_tablet_change *v = in->tablet_meta_infos.v;
    size_t n = in->tablet_meta_infos.n;
    struct change c;
    enum err e;

    e = change_init(r, n, &c);
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        c.turn[i] = (struct turn){ v[i].tablet_id, i };
    if (e == ERR_OK)
        e = take_turns(r, c.turn, n);
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = update_tablet(r, instance_id, &v[c.turn[i].at], &c);
    if (e != ERR_OK)
        return e;
    change_audit(r, instance_id, &c);
    return req_ok(r);
}

enum err
doris_tablet_update(struct req *r, const struct doris_update_tablet *in)
{
    const char *instance_id;
    enum err e;

    e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_IID_EMPTY,
                           &instance_id);
    if (e == ERR_OK && in->tablet_meta_infos.n == 0)
        return req_fail(r, DORIS_TABLETS_NONE, ARGS());
    return e == ERR_OK ? update_tablets(r, instance_id, in) : e;
}

/* ---- statistics ---- */

/* Whether the request names the tablet by all its ids, and wrongly. */
static bool
elsewhere(const struct doris_tablet_idx *asked, const struct doris_stats *s)
{
    if (!HAS(asked, doris_tablet_idx, table_id) ||
        !HAS(asked, doris_tablet_idx, index_id) ||
        !HAS(asked, doris_tablet_idx, partition_id))
        return false;
    return asked->table_id != s->table_id || asked->index_id != s->index_id ||
           asked->partition_id != s->partition_id;
}

static enum err
get_stats(struct req *r, const struct doris_get_stats *in,
          struct doris_stats_reply *out)
{
    const char *instance_id;
    size_t n = in->tablet_idx.n;
    struct doris_stats *v;
    enum err e;

    e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_IID_EMPTY,
                           &instance_id);
    v = arena_array(r->arena, n, sizeof(*v));
    if (e == ERR_OK && v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        const struct doris_tablet_idx *idx = &in->tablet_idx.v[i];
        struct doris_stats *s = &v[i];

        e = doris_store_stats(r->db, r->arena, instance_id, idx->tablet_id, s);
        if (e == ERR_NOT_FOUND)
            return doris_rpc_no_tablet(r, instance_id, idx->tablet_id);
        if (e == ERR_OK && elsewhere(idx, s))
            return req_fail(r, DORIS_STATS_UNKNOWN,
                            ARGS(arg_i64(r, "tablet", idx->tablet_id)));
    }
    PUT_LIST(out, doris_stats_reply, tablet_stats, n, v);
    return e;
}

enum err
doris_tablet_stats(struct req *r, const struct doris_get_stats *in)
{
    struct doris_stats_reply *out = arena_alloc(r->arena, sizeof(*out));
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = get_stats(r, in, out);
    return req_send_or_fail(r, e, &doris_stats_reply_rec, out);
}

enum err
doris_tablet_stats_text(struct req *r, const struct doris_get_stats *in)
{
    struct doris_stats_reply *out = arena_alloc(r->arena, sizeof(*out));
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = get_stats(r, in, out);
    return e == ERR_OK ? doris_send_text(r, &doris_stats_reply_rec, out) : e;
}

/* ---- versions ---- */

/* One statement for each: the ids are those of a request, 4,096 at most. */
static enum err
get_batch(struct req *r, const char *instance_id,
          const struct doris_get_version *in, struct doris_version_reply *out)
{
    size_t n = in->db_ids.n;
    struct I64 *v = arena_array(r->arena, 2 * n, sizeof(*v));
    enum err e = ERR_OK;

    if (v == NULL)
        return ERR_NOMEM;
    out->db_ids.n = out->table_ids.n = n;
    out->partition_ids.n = in->partition_ids.n;
    out->db_ids.v = in->db_ids.v;
    out->table_ids.v = in->table_ids.v;
    out->partition_ids.v = in->partition_ids.v;
    out->versions.n = out->version_update_time_ms.n = n;
    out->versions.v = v;
    out->version_update_time_ms.v = v + n;
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        struct doris_version one = { 0 };

        e = doris_store_version(
            r->db, r->arena, instance_id, in->is_table_version ? 't' : 'p',
            in->db_ids.v[i].v, in->table_ids.v[i].v,
            in->is_table_version ? 0 : in->partition_ids.v[i].v, &one);
        v[i].v = e == ERR_OK ? one.version : -1;
        v[n + i].v = e == ERR_OK ? one.update_time_ms : -1;
        e = e == ERR_NOT_FOUND ? ERR_OK : e;
    }
    return e;
}

enum err
doris_version_get(struct req *r, const struct doris_get_version *in)
{
    struct doris_version_reply *out = arena_alloc(r->arena, sizeof(*out));
    char kind = in->is_table_version ? 't' : 'p';
    const char *instance_id;
    struct doris_version v;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = doris_rpc_open(r, in, in->cloud_unique_id, DORIS_IID_EMPTY,
                       &instance_id);
    if (e == ERR_OK && in->batch_mode) {
        e = get_batch(r, instance_id, in, out);
        return req_send_or_fail(r, e, &doris_version_reply_rec, out);
    }
    if (e == ERR_OK)
        e = doris_store_version(r->db, r->arena, instance_id, kind, in->db_id,
                                in->table_id,
                                kind == 't' ? 0 : in->partition_id, &v);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_VERSION_UNKNOWN, ARGS());
    PUT(out, doris_version_reply, version, e == ERR_OK ? v.version : 0);
    return req_send_or_fail(r, e, &doris_version_reply_rec, out);
}
