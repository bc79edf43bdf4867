/* What replica servers send: beacons, reports, changes of configurations. */
#include <string.h>

#include "clock.h"
#include "cluster.h"
#include "config.h"
#include "counts.h"
#include "metas.h"
#include "node.h"
#include "pegasus/audit.h"
#include "pegasus/partition/addresses.h"
#include "pegasus/pegasus.h"
#include "pegasus/settings.h"
#include "pegasus/table/table.h"

TABLE(pegasus_beacon, PEGASUS_BEACON);
TABLE(pegasus_report, PEGASUS_REPORT);
TABLE(pegasus_sync, PEGASUS_SYNC);
TABLE(pegasus_update, PEGASUS_UPDATE);

CHECKS(pegasus_beacon, NEED(address, PEGASUS_EMPTY),
       PRESENT(start_time, PEGASUS_EMPTY));
CHECKS(pegasus_sync, NEED(address, PEGASUS_EMPTY));
CHECKS(pegasus_update, NEED(gpid, PEGASUS_EMPTY), NEED(type, PEGASUS_EMPTY),
       NEED(node, PEGASUS_EMPTY), PRESENT(ballot, PEGASUS_EMPTY));

/* ---- beacons ---- */

/* [pegasus] node_white_list; empty: everybody. */
static bool
is_allowed(const char *address)
{
    const char *list = pegasus_settings()->node_white_list;
    struct span s;

    if (str_empty(list))
        return true;
    while (config_list_next(&list, &s))
        if (s.n == strlen(address) && memcmp(s.p, address, s.n) == 0)
            return true;
    return false;
}

static enum err
take_beacon(struct req *r, const struct pegasus_beacon *in,
            struct pegasus_outcome *out)
{
    if (!out->is_master || !out->allowed)
        return ERR_OK;
    return pegasus_store_beacon(r->db, in->address, in->start_time);
}

/* Every meta answers, so that a replica server finds the leader. */
enum err
pegasus_node_beacon(struct req *r, const struct pegasus_beacon *in)
{
    struct pegasus_outcome *out = pegasus_done(r);
    const char *primary = NULL;
    struct pegasus_leader l;
    enum err e;
    int leader;

    e = req_check(r, in);
    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    if (!pegasus_is_address(in->address))
        return pegasus_invalid(r, "address must be host:port");
    if (in->start_time < 0)
        return pegasus_invalid(r, "start_time must not be negative");
    e = pegasus_store_leader(r->db, r->arena, &l);
    if (e != ERR_OK)
        return e;
    leader = l.held ? pegasus_meta_index(l.owner) : -1;
    if (leader >= 0)
        primary = pegasus_meta_address(r->arena, (size_t)leader);
    PUT(out, pegasus_outcome, allowed, is_allowed(in->address));
    PUT(out, pegasus_outcome, is_master,
        leader >= 0 && strcmp(l.owner, r->listener_tail) == 0);
    PUT(out, pegasus_outcome, primary_node,
        primary != NULL ? primary
                        : ""); /* NULL: the metas' listeners are off */
    PUT(out, pegasus_outcome, time, l.now_ms);
    e = take_beacon(r, in, out);
    return e == ERR_OK ? pegasus_send(r, out) : e;
}

/* ---- config_sync ---- */

static enum err
take_reports(struct req *r, const struct pegasus_sync *in)
{
    uint64_t before;
    enum err e = pegasus_store_report_clear(r->db, in->address, &before);

    pg_audit_server(r, in->address, before, req_audit_before);
    pg_audit_server(r, in->address, in->replicas.n, req_audit_after);
    for (size_t i = 0; e == ERR_OK && i < in->replicas.n; i++) {
        const struct pegasus_report *rep = &in->replicas.v[i];
        int32_t app_id, pidx;

        if (rep->gpid == NULL || !pegasus_gpid(rep->gpid, &app_id, &pidx))
            return pegasus_invalid(r, "a replica has no gpid");
        e = pegasus_store_report(r->db, in->address, app_id, pidx, rep);
    }
    return e;
}

static const struct json_style strings = { .all_leaves_string = true };

static void
put_partition(struct json_writer *w, const struct pegasus_partition *p)
{
    char gpid[PEGASUS_GPID_BYTES];

    jw_object(w);
    jw_key_str(w, "gpid", pegasus_gpid_text(p->app_id, p->pidx, gpid));
    jw_key(w, "ballot");
    jw_i64(w, p->ballot);
    jw_key(w, "max_replica_count");
    jw_i32(w, p->max_replica_count);
    jw_key_str(w, "primary", p->primary_node != NULL ? p->primary_node : "-");
    jw_key_str(w, "secondaries", p->secondaries);
}

/* Both lists are in order of partitions: what is under way stands with its
 * partition. */
static void
put_proposal(struct json_writer *w, const struct pegasus_partition *p,
             const struct list_of_pegasus_action *acts, size_t *at)
{
    const struct pegasus_action *a;

    for (; *at < acts->n; ++*at) {
        a = &acts->v[*at];
        if (a->app_id > p->app_id ||
            (a->app_id == p->app_id && a->pidx >= p->pidx))
            break;
    }
    if (*at == acts->n)
        return;
    a = &acts->v[*at];
    if (a->app_id != p->app_id || a->pidx != p->pidx)
        return;
    jw_key_str(w, "proposal", a->type);
    jw_key_str(w, "node", a->node);
}

static enum err
put_partitions(struct req *r, const char *address, struct buf *out)
{
    struct list_of_pegasus_action acts;
    struct json_writer w;
    struct rows rows;
    const void *row;
    size_t at = 0;
    enum err e;

    jw_init(&w, out, &strings);
    e = pegasus_store_actions(r->db, r->arena, &acts);
    if (e == ERR_OK)
        e = pegasus_store_of_node(r->db, r->arena, address, &rows);
    jw_array(&w);
    while (e == ERR_OK && (e = rows.next(&rows, r->arena, &row)) == ERR_OK) {
        put_partition(&w, row);
        put_proposal(&w, row, &acts, &at);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    if (e == ERR_NOT_FOUND)
        e = buf_err(out);
    return e;
}

enum err
pegasus_node_sync(struct req *r, const struct pegasus_sync *in)
{
    struct pegasus_outcome *out = pegasus_done(r);
    struct buf b = BUF_INIT((size_t)32 << 20);
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    pg_audit_target(r, "replica server", in->address);
    e = pegasus_store_lock(r->db, &version);
    if (e == ERR_OK)
        e = pegasus_store_collected(r->db, in->address);
    if (e == ERR_NOT_FOUND)
        return pegasus_invalid(r, "no beacon has come from this address");
    if (e == ERR_OK)
        e = take_reports(r, in);
    if (e == ERR_OK)
        e = put_partitions(r, in->address, &b);
    PUT(out, pegasus_outcome, partitions,
        arena_strndup(r->arena, buf_text(&b), b.n));
    buf_free(&b);
    if (e != ERR_OK)
        return e;
    return out->partitions == NULL ? ERR_NOMEM : pegasus_send(r, out);
}

/* ---- update_configuration ---- */

static bool
may_be_reported(enum pg_type t)
{
    return t != PG_ADD_SECONDARY && t != PG_ADD_SECONDARY_FOR_LB &&
           t != PG_DROP_PARTITION && t != PG_TYPE__MAX;
}

static enum err
level_now(struct req *r, enum pg_level *out)
{
    struct pegasus_cluster_row c;
    struct list_of_pegasus_node nodes;
    enum err e;

    e = pegasus_store_cluster(r->db, r->arena, &c);
    if (e == ERR_OK)
        e = pegasus_store_nodes(r->db, r->arena, &nodes);
    if (e != ERR_OK)
        return e;
    *out = pegasus_level_now(&c, &nodes);
    return ERR_OK;
}

/* A refusal carries the stored configuration: the primary takes it over. */
static enum err
refuse_update(struct req *r, int id, const struct pegasus_partition *row)
{
    struct buf b = BUF_INIT(8192);
    struct json_writer w;
    const char *text;

    jw_init(&w, &b, &strings);
    put_partition(&w, row);
    jw_object_end(&w);
    text = arena_strndup(r->arena, buf_text(&b), b.n);
    buf_free(&b);
    return req_fail(r, id, ARGS(arg("why", text)));
}

static enum err
send_ballot(struct req *r, int64_t ballot)
{
    struct pegasus_outcome *out = pegasus_done(r);

    if (out == NULL)
        return ERR_NOMEM;
    PUT(out, pegasus_outcome, ballot, ballot);
    return pegasus_send(r, out);
}

static enum err
apply_update(struct req *r, const struct pegasus_update *in, int64_t version,
             const struct pegasus_partition *row)
{
    struct pg_addresses a;
    struct pg_config c, was;
    struct pg_counts counts;
    enum err e = pg_addresses_read(&a, row, &c);
    int node;

    if (e != ERR_OK)
        return e;
    req_audit_before(r, &pegasus_partition_rec, row);
    was = c;
    node = pg_addresses_add(&a, in->node, strlen(in->node));
    switch (pg_config_update(&c, pg_type_by_name(in->type), node, in->ballot,
                             clock_unix_ms())) {
    case PG_UPDATE_DUPLICATE:
        req_audit_after(r, &pegasus_partition_rec, row);
        return send_ballot(r, c.ballot);
    case PG_UPDATE_VERSION:
        return refuse_update(r, PEGASUS_VERSION, row);
    case PG_UPDATE_DONE:
        break;
    }
    pg_audit_config(r, row, &c, a.node);
    pg_counts_init(&counts, r->arena, row->app_id);
    pg_counts_change(&counts, &was, &c, a.node);
    e = pegasus_store_config(r->db, row->app_id, row->pidx, &c, a.node);
    if (e == ERR_OK)
        e = pegasus_store_counts(r->db, &counts);
    if (e == ERR_OK)
        e = pegasus_store_touch(r->db, row->app_id, version);
    return e == ERR_OK ? send_ballot(r, c.ballot) : e;
}

enum err
pegasus_node_update(struct req *r, const struct pegasus_update *in)
{
    struct pegasus_partition row;
    int32_t app_id, pidx;
    enum pg_level level;
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    if (!pegasus_gpid(in->gpid, &app_id, &pidx))
        return pegasus_invalid(r, "gpid must be <table id>.<partition>");
    if (!may_be_reported(pg_type_by_name(in->type)))
        return pegasus_invalid(r, "type is no change of a configuration");
    if (!pegasus_is_address(in->node))
        return pegasus_invalid(r, "node must be host:port");
    pg_audit_target(r, "partition", in->gpid);
    e = pegasus_store_lock(r->db, &version);
    if (e == ERR_OK)
        e = pegasus_store_partition(r->db, r->arena, app_id, pidx, &row);
    if (e == ERR_NOT_FOUND)
        return pegasus_invalid(r, "no such partition of an available table");
    if (e == ERR_OK)
        e = level_now(r, &level);
    if (e != ERR_OK)
        return e;
    if (!pg_level_takes_updates(level))
        return refuse_update(r, PEGASUS_FROZEN, &row);
    req_wake(r);
    return apply_update(r, in, version, &row);
}
