/* Tables, read: one with its partitions, all of them. */
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "clock.h"
#include "pegasus/node/cluster.h"
#include "pegasus/node/holders.h"
#include "pegasus/partition/partition.h"
#include "pegasus/pegasus.h"
#include "pegasus/settings.h"
#include "table.h"

TABLE(pegasus_app_ref, PEGASUS_APP_REF);
TABLE(pegasus_list_ref, PEGASUS_LIST_REF);
TABLE(pegasus_general, PEGASUS_GENERAL);
TABLE(pegasus_replica_row, PEGASUS_REPLICA_ROW);
TABLE(pegasus_holder, PEGASUS_HOLDER);
TABLE(pegasus_app_health, PEGASUS_APP_HEALTH);
TABLE(pegasus_app, PEGASUS_APP);
TABLE(pegasus_app_line, PEGASUS_APP_LINE);
TABLE(pegasus_health_line, PEGASUS_HEALTH_LINE);
TABLE(pegasus_apps_summary, PEGASUS_APPS_SUMMARY);
TABLE(pegasus_apps, PEGASUS_APPS);

CHECKS(pegasus_app_ref, NEED(name, PEGASUS_NAME_EMPTY));
NO_CHECKS(pegasus_list_ref);

/* A table so wide is rendered at once and kept: its reply has a bound. */
#define CACHED_PARTITIONS 4096
#define CACHED_MAX        ((size_t)8 << 20)
/* At most 4 KiB of the listing for each: long names escaped. */
#define CACHED_TABLES 2048

/* Everything of a record that was filled by hand is there. */
#define ALL_SET UINT64_MAX

static int
min_2pc(int max)
{
    return pg_health_min_2pc(
        (int)pegasus_settings()->mutation_2pc_min_replica_count, max);
}

/* ---- one table ---- */

/* While the partitions are printed, the sums behind them are counted. */
struct detail {
    struct rows partitions;
    struct pg_holders tally;
    struct pegasus_app_health health;
    struct pegasus_replica_row row;
    char count[32];
    char secondaries[PG_SECONDARIES_MAX * (PG_ADDRESS_BYTES + 1) + 3];
    size_t next; /* of the holders */
    struct pegasus_holder holder, total;
};

static void
count_health(struct pegasus_app_health *out, bool primary, int n, int max,
             int64_t times)
{
    struct pg_health h = pg_health_of(primary, n, max, min_2pc(max));

    out->fully += h.fully ? times : 0;
    out->unhealthy += h.fully ? 0 : times;
    out->write_unhealthy += h.write_unhealthy ? times : 0;
    out->read_unhealthy += h.read_unhealthy ? times : 0;
}

static enum err
next_partition(struct rows *rows, struct arena *a, const void **out)
{
    struct detail *d = rows->state;
    const struct pegasus_partition *p;
    const void *row;
    enum err e;

    e = d->partitions.next(&d->partitions, a, &row);
    if (e != ERR_OK)
        return e;
    p = row;
    pg_holders_add(&d->tally, p->primary_node, p->secondaries, 1);
    count_health(&d->health, p->primary_node != NULL, p->members,
                 p->max_replica_count, 1);
    (void)snprintf(d->count, sizeof(d->count), "%d/%d", p->members,
                   p->max_replica_count);
    (void)snprintf(d->secondaries, sizeof(d->secondaries), "[%s]",
                   p->secondaries);
    d->row = (struct pegasus_replica_row){
        .has = ALL_SET,
        .pidx = p->pidx,
        .ballot = p->ballot,
        .replica_count = d->count,
        .primary = p->primary_node != NULL ? p->primary_node : "-",
        .secondaries = d->secondaries,
    };
    *out = &d->row;
    return d->tally.failed ? ERR_NOMEM : ERR_OK;
}

/* The holders in order of address, then their sum. */
static enum err
next_holder(struct rows *rows, struct arena *a, const void **out)
{
    struct detail *d = rows->state;
    const struct pg_holder *l;

    (void)a;
    if (d->next == 0)
        pg_holders_sort(&d->tally);
    if (d->next > d->tally.n)
        return ERR_NOT_FOUND;
    if (d->next++ == d->tally.n) {
        d->total.has = ALL_SET;
        d->total.node = "total";
        *out = &d->total;
        return ERR_OK;
    }
    l = &d->tally.line[d->next - 1];
    d->holder = (struct pegasus_holder){
        .has = ALL_SET,
        .node = l->address,
        .primary = l->primaries,
        .secondary = l->secondaries,
        .total = l->primaries + l->secondaries,
    };
    d->total.primary += d->holder.primary;
    d->total.secondary += d->holder.secondary;
    d->total.total += d->holder.total;
    *out = &d->holder;
    return ERR_OK;
}

static enum err
add_detail(struct req *r, struct pegasus_app *out)
{
    struct detail *d = arena_alloc(r->arena, sizeof(*d));

    if (d == NULL)
        return ERR_NOMEM;
    pg_holders_init(&d->tally, r->arena);
    d->health.has = ALL_SET;
    PUT(out, pegasus_app, replicas, ((struct rows){ next_partition, d }));
    PUT(out, pegasus_app, nodes, ((struct rows){ next_holder, d }));
    PUT(out, pegasus_app, healthy, &d->health);
    return pegasus_store_partitions(r->db, r->arena, out->general->app_id,
                                    &d->partitions);
}

static enum err
check_status(struct req *r, const char *status)
{
    const char *code = "ERR_UNKNOWN";

    if (status == NULL) /* no row of ours: this table alone errs */
        return req_fail(r, PEGASUS_TABLE_BUSY, ARGS(arg("code", code)));
    if (strcmp(status, "AVAILABLE") == 0)
        return ERR_OK;
    if (strcmp(status, "CREATING") == 0 || strcmp(status, "RECALLING") == 0)
        code = "ERR_BUSY_CREATING";
    else if (strcmp(status, "DROPPING") == 0)
        code = "ERR_BUSY_DROPPING";
    return req_fail(r, PEGASUS_TABLE_BUSY, ARGS(arg("code", code)));
}

static enum err
find_app(struct req *r, const char *name, struct pegasus_general *out)
{
    enum err e = pegasus_store_general(r->db, r->arena, name, out);

    if (e == ERR_NOT_FOUND)
        return req_fail(r, PEGASUS_NO_TABLE, ARGS());
    return e == ERR_OK ? check_status(r, out->status) : e;
}

static struct cache_key
key_of(const struct pegasus_general *g)
{
    return (struct cache_key){
        "pegasus.app",
        { (const char *)&g->app_id, sizeof(g->app_id) },
        { (uint64_t)g->changed, (uint64_t)g->configs },
    };
}

/* The whole reply as text, of one snapshot, and kept for whoever asks for the
 * same version. LIMIT when it is too long for that. */
static enum err
render_detail(struct req *r, const char *name, struct pegasus_app *out,
              struct span *text)
{
    enum err e;

    e = db_begin_snapshot(r->db);
    if (e == ERR_OK)
        e = find_app(r, name, out->general);
    if (e == ERR_OK)
        e = add_detail(r, out);
    if (e == ERR_OK)
        e = req_render(r, &pegasus_app_rec, out, CACHED_MAX, text);
    return db_end(r->db, e);
}

static enum err
send_detail(struct req *r, const char *name, struct pegasus_app *out)
{
    struct cache_key key = key_of(out->general);
    struct span text;
    enum err e;

    e = cache_get(r->arena, &key, &text);
    if (e == ERR_NOT_FOUND) {
        e = render_detail(r, name, out, &text);
        key = key_of(out->general);
        if (e == ERR_OK)
            cache_put(&key, text);
    }
    return e == ERR_OK
               ? req_send_text(r, pegasus_form.reply_type, text.p, text.n)
               : e;
}

enum err
pegasus_app_get(struct req *r, const struct pegasus_app_ref *ref)
{
    struct pegasus_app *out = arena_alloc(r->arena, sizeof(*out));
    struct pegasus_general *general = arena_alloc(r->arena, sizeof(*general));
    enum err e;

    if (out == NULL || general == NULL)
        return ERR_NOMEM;
    e = req_check(r, ref);
    if (e == ERR_OK)
        e = find_app(r, ref->name, general);
    if (e != ERR_OK)
        return e;
    PUT(out, pegasus_app, general, general);
    if (ref->detail && general->partition_count <= CACHED_PARTITIONS)
        return send_detail(r, ref->name, out);
    if (ref->detail) /* streamed */
        e = add_detail(r, out);
    return req_send_or_fail(r, e, &pegasus_app_rec, out);
}

/* ---- all tables ---- */

struct listing {
    struct req *r;
    bool opened, counted; /* as pegasus_stamp has it */
    struct rows lines;
    char created[40];
    struct pegasus_app_line line;
    struct rows alike;
    struct pegasus_alike group; /* read, not yet counted */
    char group_name[512];
    bool group_waits, healthy_opened, healthy_ended;
    struct pegasus_health_line health;
    char health_name[512];
    struct pegasus_apps_summary summary;
};

/* Stored as whole seconds; "-" when unset. */
static void
print_time(int64_t second, char *out, size_t size)
{
    char text[CLOCK_TEXT];

    if (second == 0)
        (void)snprintf(out, size, "-");
    else
        (void)snprintf(out, size, "%s.000", clock_text(second, text));
}

static enum err
next_line(struct rows *rows, struct arena *a, const void **out)
{
    struct listing *l = rows->state;
    const void *row;
    enum err e = ERR_OK;

    if (!l->opened)
        e = pegasus_store_lines(l->r->db, l->r->arena, &l->lines);
    l->opened = true;
    if (e == ERR_OK)
        e = l->lines.next(&l->lines, a, &row);
    if (e != ERR_OK)
        return e;
    l->line = *(const struct pegasus_app_line *)row;
    print_time(l->line.create_second, l->created, sizeof(l->created));
    l->line.create_time = l->created;
    l->line.drop_time = l->line.drop_expire = "-"; /* dropped: not listed */
    l->line.has = ALL_SET;
    *out = &l->line;
    return ERR_OK;
}

/* The next group of like partitions; its name is kept past the next one. */
static enum err
next_group(struct listing *l, struct arena *a)
{
    const void *row;
    enum err e = ERR_OK;

    if (l->group_waits)
        return ERR_OK;
    if (!l->healthy_opened)
        e = pegasus_store_alike(l->r->db, l->r->arena, l->counted, &l->alike);
    l->healthy_opened = true;
    if (e == ERR_OK && l->healthy_ended)
        e = ERR_NOT_FOUND;
    if (e == ERR_OK)
        e = l->alike.next(&l->alike, a, &row);
    if (e == ERR_NOT_FOUND)
        l->healthy_ended = true;
    if (e != ERR_OK)
        return e;
    l->group = *(const struct pegasus_alike *)row;
    (void)snprintf(l->group_name, sizeof(l->group_name), "%s",
                   l->group.app_name);
    l->group_waits = true;
    return ERR_OK;
}

static void
count_group(struct listing *l, struct pegasus_app_health *sum)
{
    count_health(sum, l->group.has_primary, l->group.members,
                 l->group.max_replica_count, l->group.n);
    l->group_waits = false;
}

static void
summarise(struct pegasus_apps_summary *s, const struct pegasus_health_line *h)
{
    s->fully += h->unhealthy == 0 ? 1 : 0;
    s->unhealthy += h->unhealthy == 0 ? 0 : 1;
    s->write_unhealthy += h->write_unhealthy > 0 ? 1 : 0;
    s->read_unhealthy += h->read_unhealthy > 0 ? 1 : 0;
}

/* All groups of one table make its line. */
static enum err
next_health(struct rows *rows, struct arena *a, const void **out)
{
    struct listing *l = rows->state;
    struct pegasus_app_health sum = { 0 };
    enum err e = next_group(l, a);

    if (e != ERR_OK)
        return e;
    (void)snprintf(l->health_name, sizeof(l->health_name), "%s", l->group_name);
    l->health = (struct pegasus_health_line){
        .has = ALL_SET,
        .app_id = l->group.app_id,
        .app_name = l->health_name,
        .partition_count = l->group.partition_count,
    };
    while (e == ERR_OK && l->group.app_id == l->health.app_id) {
        count_group(l, &sum);
        e = next_group(l, a);
    }
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    l->health.fully = sum.fully;
    l->health.unhealthy = sum.unhealthy;
    l->health.write_unhealthy = sum.write_unhealthy;
    l->health.read_unhealthy = sum.read_unhealthy;
    summarise(&l->summary, &l->health);
    *out = &l->health;
    return ERR_OK;
}

/* The tables are many, so the reply is kept. Its version is of the snapshot
 * that it is rendered from. */
static enum err
send_listing(struct req *r, const struct pegasus_apps *out, bool detail,
             const struct pegasus_stamp *stamp)
{
    struct cache_key key = {
        "pegasus.apps",
        { "detail", detail ? 6 : 0 },
        { (uint64_t)stamp->version, (uint64_t)stamp->configs },
    };
    struct span text;
    enum err e;

    e = cache_get(r->arena, &key, &text);
    if (e == ERR_NOT_FOUND) {
        e = req_render(r, &pegasus_apps_rec, out, CACHED_MAX, &text);
        if (e == ERR_OK)
            cache_put(&key, text);
    }
    return e != ERR_OK
               ? e
               : req_send_text(r, pegasus_form.reply_type, text.p, text.n);
}

enum err
pegasus_app_list(struct req *r, const struct pegasus_list_ref *ref)
{
    struct pegasus_apps *out = arena_alloc(r->arena, sizeof(*out));
    struct listing *l = arena_alloc(r->arena, sizeof(*l));
    bool detail = ref->detail;
    struct pegasus_stamp stamp;
    enum err e;

    if (out == NULL || l == NULL)
        return ERR_NOMEM;
    l->r = r;
    e = pegasus_store_stamp(r->db, r->arena, &stamp);
    if (e != ERR_OK)
        return e;
    l->counted = stamp.counted;
    PUT(&l->summary, pegasus_apps_summary, total, stamp.tables);
    PUT(out, pegasus_apps, general, ((struct rows){ next_line, l }));
    PUT(out, pegasus_apps, summary, &l->summary);
    if (detail && stamp.tables > 0) {
        PUT(out, pegasus_apps, healthy, ((struct rows){ next_health, l }));
        l->summary.has = ALL_SET;
    }
    return stamp.tables <= CACHED_TABLES ? send_listing(r, out, detail, &stamp)
                                         : req_send(r, &pegasus_apps_rec, out);
}
