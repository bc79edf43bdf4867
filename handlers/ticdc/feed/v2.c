/* v2 of the interface: as much of it as `cdc cli` asks of changefeeds. */
#include "v2.h"

#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "ticdc/core/tso.h"
#include "ticdc/rules/uri.h"

TABLE(ticdc_create_v2, TICDC_CREATE_V2);
NO_CHECKS(ticdc_create_v2);
TABLE(ticdc_v2_ref, TICDC_V2_REF);
NO_CHECKS(ticdc_v2_ref);
TABLE(ticdc_v2_feeds, TICDC_V2_FEEDS);
TABLE(ticdc_v2_feed, TICDC_V2_FEED);
TABLE(ticdc_empty, TICDC_EMPTY);
TABLE(ticdc_tso, TICDC_TSO);
TABLE(ticdc_verify_config, TICDC_VERIFY_CONFIG);
TABLE(ticdc_verify, TICDC_VERIFY);
NO_CHECKS(ticdc_verify);
TABLE(ticdc_verified_table, TICDC_VERIFIED_TABLE);
TABLE(ticdc_verified, TICDC_VERIFIED);
TABLE(ticdc_table_id, TICDC_TABLE_ID);

#define IDS_MAX 1000000

static const char ids_sql[] =
    "SELECT schema_name, table_name, MAX(table_id) AS table_id"
    " FROM ticdc_table_id GROUP BY schema_name, table_name"
    " ORDER BY schema_name, table_name";

enum err
ticdc_table_ids(struct db *db, struct arena *a,
                struct list_of_ticdc_table_id *out)
{
    return db_list(db, a, ids_sql, DB_NO_ARGS, &ticdc_table_id_rec, IDS_MAX,
                   out);
}

/* ---- lists and one ---- */

enum err
ticdc_v2_list(struct req *r, const struct ticdc_v2_ref *ref)
{
    struct ticdc_v2_feeds *out = arena_alloc(r->arena, sizeof(*out));
    struct ticdc_feed_item *v = NULL;
    size_t n = 0;
    enum err e = ticdc_items(r, ref->state, ref->namespace, true, &v, &n);

    if (out == NULL)
        return ERR_NOMEM;
    PUT(out, ticdc_v2_feeds, total, (int64_t)n);
    PUT_LIST(out, ticdc_v2_feeds, items, n, v);
    return req_send_or_fail(r, e, &ticdc_v2_feeds_rec, out);
}

static enum err
put_config(struct req *r, const struct ticdc_feed *f, struct ticdc_v2_feed *out)
{
    struct ticdc_config c = { 0 };
    enum err e = ERR_OK;

    if (f->config != NULL)
        e = ticdc_config_read(r->arena, f->config, &c);
    if (e != ERR_OK)
        return e;
    out->config = ticdc_config_to_v2(r->arena, &c);
    if (!str_empty(c.timezone))
        PUT(out, ticdc_v2_feed, timezone, c.timezone);
    return out->config != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err
show(struct req *r, const char *namespace, const char *id)
{
    struct ticdc_v2_feed *out = arena_alloc(r->arena, sizeof(*out));
    struct ticdc_task_status *tasks = NULL;
    struct ticdc_feed f;
    size_t n = 0;
    enum err e = ticdc_feed_find(r, namespace, id, &f);

    if (e == ERR_OK && out == NULL)
        e = ERR_NOMEM;
    if (e == ERR_OK)
        e = put_config(r, &f, out);
    if (e == ERR_OK)
        e = ticdc_error_of(r->arena, &f, &out->error);
    if (e == ERR_OK)
        e = ticdc_task_statuses(r, &f, &tasks, &n);
    if (e != ERR_OK)
        return e;
    PUT(out, ticdc_v2_feed, upstream_id, 0);
    PUT(out, ticdc_v2_feed, namespace, f.namespace);
    PUT(out, ticdc_v2_feed, id, f.id);
    PUT(out, ticdc_v2_feed, sink_uri,
        f.sink_uri != NULL ? sink_uri_masked(r->arena, f.sink_uri) : "xxxxx");
    PUT(out, ticdc_v2_feed, create_time, ticdc_time(r->arena, f.create_ms));
    PUT(out, ticdc_v2_feed, start_ts, f.start_ts);
    PUT(out, ticdc_v2_feed, target_ts, f.target_ts);
    PUT(out, ticdc_v2_feed, state, f.state);
    PUT(out, ticdc_v2_feed, creator_version, f.creator_version);
    PUT(out, ticdc_v2_feed, resolved_ts, f.resolved_ts);
    PUT(out, ticdc_v2_feed, checkpoint_ts, f.checkpoint_ts);
    PUT(out, ticdc_v2_feed, checkpoint_time,
        ticdc_time(r->arena, tso_ms(f.checkpoint_ts)));
    PUT_LIST(out, ticdc_v2_feed, task_status, n, tasks);
    if (out->sink_uri == NULL || out->create_time == NULL ||
        out->checkpoint_time == NULL)
        return ERR_NOMEM;
    return req_send(r, &ticdc_v2_feed_rec, out);
}

enum err
ticdc_v2_show(struct req *r, const struct ticdc_feed_ref *ref)
{
    return show(r, ref->namespace, ref->changefeed_id);
}

/* ---- changes ---- */

static enum err
send_empty(struct req *r)
{
    static const struct ticdc_empty nothing = { 0 };

    return req_send(r, &ticdc_empty_rec, &nothing);
}

enum err
ticdc_create_v2_prepare(struct req *r, struct ticdc_create_v2 *in)
{
    struct sink_fault why = { "", "" };
    struct judged j = { .code = NULL };
    struct ticdc_create *as = arena_alloc(r->arena, sizeof(*as));
    struct ticdc_config c;
    enum err e;

    if (as == NULL)
        return ERR_NOMEM;
    e = ticdc_config_of_v2(in->replica_config, &c, &why);
    if (e != ERR_OK)
        return judge_refuse(r, &j, e, &why);
    as->changefeed_id = in->changefeed_id;
    as->namespace = in->namespace;
    as->sink_uri = in->sink_uri;
    as->start_ts = in->start_ts;
    as->target_ts = in->target_ts;
    as->dry_run = in->dry_run;
    in->judged = as;
    return ticdc_create_judge(r, as, &c);
}

enum err
ticdc_v2_create(struct req *r, const struct ticdc_create_v2 *in)
{
    enum err e = ticdc_create_row(r, in->judged);

    if (e != ERR_OK)
        return e;
    return in->judged->dry
               ? send_empty(r)
               : show(r, in->judged->namespace, in->judged->changefeed_id);
}

enum err
ticdc_v2_pause(struct req *r, const struct ticdc_feed_wait *in)
{
    enum err e = ticdc_feed_pause(r, in);

    return e == ERR_OK ? send_empty(r) : e;
}

enum err
ticdc_v2_resume(struct req *r, const struct ticdc_resume *in)
{
    enum err e = ticdc_feed_resume(r, in);

    return e == ERR_OK ? send_empty(r) : e;
}

/* As TiCDC's: what is not there is as good as removed. */
enum err
ticdc_v2_remove(struct req *r, const struct ticdc_feed_wait *in)
{
    struct ticdc_feed f;
    enum err e = ticdc_ids_check(r, in->namespace, in->changefeed_id);

    if (e == ERR_OK)
        e = ticdc_feed_get(r->db, r->arena, ticdc_namespace(in->namespace),
                           in->changefeed_id, &f);
    if (e == ERR_OK)
        e = ticdc_feed_remove(r, in);
    return e == ERR_OK || e == ERR_NOT_FOUND ? send_empty(r) : e;
}

/* ---- the source ---- */

enum err
ticdc_v2_tso(struct req *r, const struct none *in)
{
    struct ticdc_tso *out = arena_alloc(r->arena, sizeof(*out));
    struct judged j = { .code = NULL };
    enum err e = out != NULL ? judge_source(r, &j, NULL) : ERR_NOMEM;

    (void)in;
    if (e != ERR_OK)
        return e;
    PUT(out, ticdc_tso, timestamp, tso_ms(j.source.now_ts));
    PUT(out, ticdc_tso, logic_time, 0);
    return req_send(r, &ticdc_tso_rec, out);
}

static int
by_name(const void *key, const void *element)
{
    const struct feed_table *t = key;
    const struct ticdc_table_id *id = element;
    int d = strcmp(t->schema, id->schema_name);

    return d != 0 ? d : strcmp(t->name, id->table_name);
}

static void
put_table(const struct feed_table *t, const struct list_of_ticdc_table_id *ids,
          struct ticdc_verified_table *out)
{
    const struct ticdc_table_id *id =
        ids->n > 0 ? bsearch(t, ids->v, ids->n, sizeof(*ids->v), by_name)
                   : NULL;

    PUT(out, ticdc_verified_table, database_name, t->schema);
    PUT(out, ticdc_verified_table, table_name, t->name);
    PUT(out, ticdc_verified_table, table_id, id != NULL ? id->table_id : 0);
    PUT(out, ticdc_verified_table, is_partition, t->partitioned);
}

static enum err
split_tables(struct req *r, const struct feed_table *v, size_t n,
             struct ticdc_verified *out)
{
    struct ticdc_verified_table *good, *bad;
    struct list_of_ticdc_table_id ids;
    size_t n_good = 0, n_bad = 0;
    enum err e = ticdc_table_ids(r->db, r->arena, &ids);

    if (e != ERR_OK)
        return e;
    good = arena_array(r->arena, n + 1, sizeof(*good));
    bad = arena_array(r->arena, n + 1, sizeof(*bad));
    if (good == NULL || bad == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        put_table(&v[i], &ids, v[i].eligible ? &good[n_good++] : &bad[n_bad++]);
    PUT_LIST(out, ticdc_verified, eligible, n_good, good);
    PUT_LIST(out, ticdc_verified, ineligible, n_bad, bad);
    return ERR_OK;
}

enum err
ticdc_v2_verify(struct req *r, const struct ticdc_verify *in)
{
    struct ticdc_verified *out = arena_alloc(r->arena, sizeof(*out));
    struct sink_fault why = { "", "" };
    struct judged j = { .code = NULL };
    struct feed_table *v;
    struct ticdc_replica_config rc = { 0 };
    struct ticdc_config c;
    size_t n;
    enum err e;

    if (in->replica_config != NULL) {
        PUT(&rc, ticdc_replica_config, case_sensitive,
            in->replica_config->case_sensitive);
        rc.filter = in->replica_config->filter;
    }
    e = ticdc_config_of_v2(&rc, &c, &why);
    if (e == ERR_OK && out == NULL)
        e = ERR_NOMEM;
    if (e != ERR_OK)
        return judge_refuse(r, &j, e, &why);
    e = judge_filter(r, &j, &c);
    if (e == ERR_OK)
        e = judge_source(r, &j, NULL);
    if (e != ERR_OK)
        return e;
    e = feed_source_tables(r->arena, &j.source, j.filter, &v, &n, &why);
    if (e == ERR_OK)
        e = split_tables(r, v, n, out);
    if (e != ERR_OK)
        return judge_refuse(r, &j, e, &why);
    return req_send(r, &ticdc_verified_rec, out);
}
