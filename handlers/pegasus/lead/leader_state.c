/* The leader's memory. */
#include "leader_state.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "pegasus/partition/config_text.h"
#include "pegasus/table/table.h"

#define DISKS_MAX 255

struct memory {
    struct pg_leader l; /* first: a leader is its memory */
    char disk[DISKS_MAX][65];
    int n_disks;
    int last; /* node looked up last */
};

static struct memory *
memory_of(struct pg_leader *l)
{
    return (struct memory *)l;
}

void
pg_leader_free(struct pg_leader *l)
{
    for (int a = 0; a < l->s.n_apps; a++)
        free(l->s.app[a].p);
    free(l->s.app);
    free(l->s.node);
    free(l->tally.primaries);
    free(l->tally.partitions);
    free(l->tally.learners);
    free(l->work);
    free(l->noted);
    free(memory_of(l));
}

void
pg_leader_forget_versions(struct pg_leader *l)
{
    l->version = 0;
    for (int i = 0; i < l->s.n_nodes; i++)
        l->s.node[i].beacon = 0; /* what is stored now was said before */
}

/* ---- nodes ---- */

static bool
grow_ints(int **v, int cap)
{
    int *more = realloc(*v, (size_t)cap * sizeof(int));

    if (more == NULL)
        return false;
    *v = more;
    return true;
}

static bool
grow_nodes(struct pg_leader *l)
{
    int cap = l->nodes_cap == 0 ? 16 : l->nodes_cap * 2;
    struct pg_node *node = realloc(l->s.node, (size_t)cap * sizeof(*node));

    if (node == NULL)
        return false;
    l->s.node = node;
    if (!grow_ints(&l->tally.primaries, cap) ||
        !grow_ints(&l->tally.partitions, cap) ||
        !grow_ints(&l->tally.learners, cap))
        return false;
    memset(l->tally.learners, 0, (size_t)cap * sizeof(int));
    l->nodes_cap = cap;
    return true;
}

struct pg_leader *
pg_leader_new(struct pg_policy policy)
{
    struct memory *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->l.s.policy = policy;
    m->l.version = 0;
    m->l.failed = true; /* nothing was heard before */
    if (grow_nodes(&m->l))
        return &m->l;
    pg_leader_free(&m->l);
    return NULL;
}

static bool
is_named(const struct pg_node *n, const char *address, size_t bytes)
{
    return strncmp(n->address, address, bytes) == 0 &&
           n->address[bytes] == '\0';
}

static int
find_node(struct pg_leader *l, const char *address, size_t n)
{
    struct memory *m = memory_of(l);

    if (m->last < l->s.n_nodes && is_named(&l->s.node[m->last], address, n))
        return m->last;
    for (int i = 0; i < l->s.n_nodes; i++)
        if (is_named(&l->s.node[i], address, n)) {
            m->last = i;
            return i;
        }
    return PG_NONE;
}

/* One that is named by a partition and unknown otherwise is dead. */
static int
find_or_add(void *ctx, const char *address, size_t n)
{
    struct pg_leader *l = ctx;
    int i = find_node(l, address, n);

    if (i != PG_NONE)
        return i;
    if (n == 0 || n >= PG_ADDRESS_BYTES ||
        (l->s.n_nodes == l->nodes_cap && !grow_nodes(l)))
        return PG_NONE;
    i = l->s.n_nodes++;
    l->s.node[i] = (struct pg_node){ .alive = false };
    memcpy(l->s.node[i].address, address, n);
    l->tally.n_nodes = l->s.n_nodes;
    l->tally.learners[i] = 0;
    return i;
}

struct pg_node *
pg_leader_node(struct pg_leader *l, const char *address)
{
    int i = find_or_add(l, address, strlen(address));

    return i == PG_NONE ? NULL : &l->s.node[i];
}

enum err
pg_leader_read_nodes(struct pg_leader *l,
                     const struct list_of_pegasus_node *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct pegasus_node *row = &rows->v[i];
        bool known =
            find_node(l, row->address, strlen(row->address)) != PG_NONE &&
            l->version != 0;
        struct pg_node *n = pg_leader_node(l, row->address);

        if (n == NULL)
            return ERR_NOMEM;
        if (known)
            continue;
        /* as the leader before us left it: a living node has its full grace
         * period (seen_ms), a dead one must speak first */
        n->managed = row->managed;
        n->start_ms = row->start_ms;
        n->unstable = row->unstable;
        if (l->version != 0)
            continue; /* its first beacon: the detector hears it */
        n->alive = row->alive;
        n->collected = row->alive && row->collected;
        n->beacon = row->last_beacon_ms;
        n->seen_ms = n->up_since_ms = clock_mono_ms();
    }
    return ERR_OK;
}

/* ---- tables ---- */

static struct pg_app *
find_app(struct pg_leader *l, int32_t id)
{
    int lo = 0, hi = l->s.n_apps;

    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;

        if (l->s.app[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < l->s.n_apps && l->s.app[lo].id == id ? &l->s.app[lo] : NULL;
}

/* Ids only grow, so a new table stands last. */
static struct pg_app *
find_or_add_app(struct pg_leader *l, int32_t id)
{
    struct pg_app *app = find_app(l, id);
    int cap = l->apps_cap == 0 ? 64 : l->apps_cap * 2;

    if (app != NULL)
        return app;
    if (l->s.n_apps == l->apps_cap) {
        app = realloc(l->s.app, (size_t)cap * sizeof(*app));
        if (app == NULL)
            return NULL;
        l->s.app = app;
        l->apps_cap = cap;
    }
    app = &l->s.app[l->s.n_apps++];
    *app = (struct pg_app){ .id = id };
    return app;
}

static enum pg_app_status
status_by_name(const char *name)
{
    static const char *const names[PG_APP__MAX] = {
        [PG_APP_AVAILABLE] = "AVAILABLE", [PG_APP_CREATING] = "CREATING",
        [PG_APP_DROPPING] = "DROPPING",   [PG_APP_DROPPED] = "DROPPED",
        [PG_APP_RECALLING] = "RECALLING",
    };

    for (size_t i = 0; name != NULL && i < COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum pg_app_status)i;
    return PG_APP_DROPPED; /* nothing is done for what we do not know */
}

static bool
make_room(struct pg_leader *l, struct pg_app *app, int n)
{
    struct pg_partition *p;
    struct pg_work *work;

    if (n > l->work_cap) {
        work = realloc(l->work, (size_t)n * sizeof(*work));
        if (work == NULL)
            return false;
        l->work = work;
        l->work_cap = n;
    }
    if (n == app->n)
        return true;
    p = calloc((size_t)n + 1, sizeof(*p));
    if (p == NULL)
        return false;
    for (int i = 0; i < n; i++)
        pg_config_init(&p[i].c, 0);
    free(app->p);
    app->p = p;
    app->n = n;
    return true;
}

static enum err
read_app(struct pg_leader *l, const struct pegasus_app_state *row)
{
    struct pg_app *app = find_or_add_app(l, row->app_id);
    enum pg_app_status status = status_by_name(row->status);
    int n = status == PG_APP_DROPPED ? 0 : row->partition_count;

    if (n < 0 || n > PEGASUS_PARTITIONS_MAX) {
        /* a row that nobody of us has written: it alone is left alone */
        log_error("pegasus.row app=%d partitions=%d", row->app_id, n);
        status = PG_APP_DROPPED;
        n = 0;
    }
    if (app == NULL || !make_room(l, app, n))
        return ERR_NOMEM;
    app->status = status;
    app->stale = false;
    return ERR_OK;
}

static enum err
read_partition(struct pg_leader *l, const struct pegasus_partition *row)
{
    struct pg_app *app = find_app(l, row->app_id);
    struct pg_partition *p;
    enum err e;

    if (app == NULL || row->pidx < 0 || row->pidx >= app->n)
        return ERR_OK;
    p = &app->p[row->pidx];
    e = pegasus_config_read(row, find_or_add, l, &p->c);
    if (e == ERR_OK)
        return e;
    /* a row that nobody of us has written: it alone is left alone */
    log_error("pegasus.row gpid=%d.%d", row->app_id, row->pidx);
    pg_config_init(&p->c, 0);
    return ERR_OK;
}

static enum err
read_partitions(struct pg_leader *l, struct db *db, struct arena *a)
{
    struct rows rows;
    const void *row;
    enum err e;

    e = pegasus_store_changed_partitions(db, a, l->version, &rows);
    while (e == ERR_OK) {
        e = rows.next(&rows, a, &row);
        if (e == ERR_OK)
            e = read_partition(l, row);
        else if (e == ERR_NOT_FOUND)
            return ERR_OK;
    }
    return e;
}

static void
note_fresh(struct pg_leader *l, int32_t app_id)
{
    struct pg_app *app = find_app(l, app_id);

    if (app != NULL && app->fresh_until_ms == 0)
        pg_tick_note_fresh(app, clock_unix_ms());
}

/* ---- actions ---- */

static struct pg_noted *
find_noted(struct pg_leader *l, int32_t app_id, int32_t pidx)
{
    for (size_t i = 0; i < l->n_noted; i++)
        if (l->noted[i].app_id == app_id && l->noted[i].pidx == pidx)
            return &l->noted[i];
    return NULL;
}

bool
pg_leader_note(struct pg_leader *l, int32_t app_id, int32_t pidx)
{
    size_t cap = l->noted_cap == 0 ? 64 : l->noted_cap * 2;
    struct pg_noted *v;

    if (find_noted(l, app_id, pidx) != NULL)
        return true;
    if (l->n_noted == l->noted_cap) {
        v = realloc(l->noted, cap * sizeof(*v));
        if (v == NULL)
            return false;
        l->noted = v;
        l->noted_cap = cap;
    }
    l->noted[l->n_noted++] = (struct pg_noted){ app_id, pidx, 0 };
    return true;
}

static struct pg_partition *
find_partition(struct pg_leader *l, int32_t app_id, int32_t pidx)
{
    struct pg_app *app = find_app(l, app_id);

    return app == NULL || pidx < 0 || pidx >= app->n ? NULL : &app->p[pidx];
}

/* The rows of one partition, in order, are what is under way there. */
static enum err
take_action(struct pg_leader *l, const struct pegasus_action *row, bool first)
{
    struct pg_partition *p = find_partition(l, row->app_id, row->pidx);
    enum pg_type type = pg_type_by_name(row->type);
    struct pg_noted *noted;

    if (!pg_leader_note(l, row->app_id, row->pidx))
        return ERR_NOMEM;
    noted = find_noted(l, row->app_id, row->pidx);
    if (first)
        noted->rows = 0;
    noted->rows++;
    if (p == NULL || type == PG_TYPE__MAX)
        return ERR_OK; /* dropped again by pg_leader_drop_done */
    if (first) {
        p->n_acts = 0;
        p->acts_since_ms = row->made_ms;
        p->dirty = true;
        l->operator_asks = true;
    }
    if (p->n_acts == PG_ACTIONS_MAX)
        return ERR_OK;
    p->act[p->n_acts++] = (struct pg_action){
        .type = type,
        .target = str_empty(row->target)
                      ? PG_NONE
                      : find_or_add(l, row->target, strlen(row->target)),
        .node = find_or_add(l, row->node, strlen(row->node)),
        .balancer = row->balancer,
    };
    return ERR_OK;
}

static enum err
read_actions(struct pg_leader *l, struct db *db, struct arena *a)
{
    struct list_of_pegasus_action rows;
    int32_t app_id = 0, pidx = 0;
    enum err e = pegasus_store_actions(db, a, &rows);

    for (size_t i = 0; i < rows.n && e == ERR_OK; i++) {
        const struct pegasus_action *row = &rows.v[i];
        bool first = row->app_id != app_id || row->pidx != pidx;

        app_id = row->app_id;
        pidx = row->pidx;
        e = take_action(l, row, first);
    }
    return e;
}

static enum err
store_rest(struct duty_run *run, struct pg_leader *l,
           const struct pg_noted *noted, const struct pg_partition *p)
{
    enum err e =
        pegasus_store_actions_drop(run->db, noted->app_id, noted->pidx);

    for (int i = 0; p != NULL && i < p->n_acts && e == ERR_OK; i++)
        e = pegasus_store_action_add(
            run->db, noted->app_id, noted->pidx, i,
            pg_type_name(p->act[i].type),
            p->act[i].target == PG_NONE ? ""
                                        : l->s.node[p->act[i].target].address,
            l->s.node[p->act[i].node].address, p->act[i].balancer);
    return e;
}

enum err
pg_leader_drop_done(struct pg_leader *l, struct duty_run *run)
{
    size_t kept = 0;
    enum err e = ERR_OK;

    for (size_t i = 0; i < l->n_noted; i++) {
        struct pg_noted noted = l->noted[i];
        struct pg_partition *p = find_partition(l, noted.app_id, noted.pidx);
        int n = p == NULL ? 0 : p->n_acts;

        if (e == ERR_OK && n != noted.rows) {
            e = lease_begin(run->db, run->lease);
            if (e == ERR_OK)
                e = store_rest(run, l, &noted, p);
            e = db_end(run->db, e);
            noted.rows = e == ERR_OK ? n : noted.rows;
        }
        if (noted.rows > 0)
            l->noted[kept++] = noted;
    }
    l->n_noted = kept;
    return e;
}

/* ---- all of it ---- */

static bool
any_stale(const struct pg_leader *l)
{
    for (int a = 0; a < l->s.n_apps; a++)
        if (l->s.app[a].stale)
            return true;
    return false;
}

static bool
any_foreign(const struct pg_leader *l)
{
    for (int i = 0; i < l->s.n_nodes; i++)
        if (!l->s.node[i].managed)
            return true;
    return false;
}

enum err
pg_leader_read_apps(struct pg_leader *l, struct db *db, struct arena *a,
                    const struct pegasus_cluster_row *c)
{
    struct list_of_pegasus_app_state apps;
    enum err e;

    l->s.level = pegasus_stored_level(c);
    if (any_stale(l))
        l->version = 0;
    if (c->version == l->version)
        return ERR_OK;
    l->count =
        (struct pg_counters){ c->move_pri, c->copy_pri, c->copy_sec, c->total };
    e = pegasus_store_changed(db, a, l->version, &apps);
    for (size_t i = 0; e == ERR_OK && i < apps.n; i++)
        e = read_app(l, &apps.v[i]);
    if (e == ERR_OK)
        e = read_partitions(l, db, a);
    for (size_t i = 0; e == ERR_OK && i < apps.n; i++)
        note_fresh(l, apps.v[i].app_id);
    if (e == ERR_OK)
        e = read_actions(l, db, a);
    if (e == ERR_OK) {
        l->version = c->version;
        l->reports_stale = any_foreign(l);
    }
    return e;
}

/* ---- reports ---- */

static int
disk_number(struct pg_leader *l, const char *tag)
{
    struct memory *m = memory_of(l);

    for (int i = 0; i < m->n_disks; i++)
        if (strcmp(m->disk[i], tag) == 0)
            return i + 1;
    if (str_empty(tag) || m->n_disks == DISKS_MAX)
        return 0;
    (void)strncpy(m->disk[m->n_disks], tag, sizeof(m->disk[0]) - 1);
    return ++m->n_disks;
}

/* Until it has reported, a foreign node has nothing. */
static void
doubt_foreign(struct pg_leader *l)
{
    for (int a = 0; a < l->s.n_apps; a++)
        for (int i = 0; i < l->s.app[a].n; i++) {
            struct pg_partition *p = &l->s.app[a].p[i];

            memset(p->disk, 0, sizeof(p->disk));
            for (int k = 0; k < p->c.n_drops; k++)
                if (!l->s.node[p->c.drop[k].node].managed)
                    p->c.drop[k].present = false;
        }
}

static void
take_report(struct pg_leader *l, const struct pegasus_replica *row)
{
    struct pg_partition *p = find_partition(l, row->app_id, row->pidx);
    int node = find_node(l, row->node, strlen(row->node));

    if (p == NULL || node == PG_NONE)
        return;
    for (int k = 0; k < p->c.n_drops; k++) {
        struct pg_drop *d = &p->c.drop[k];

        if (d->node != node)
            continue;
        d->present = true;
        d->ballot = row->ballot;
        d->committed = row->committed;
        d->prepared = row->prepared;
    }
    if (p->c.primary == node)
        p->disk[0] = disk_number(l, row->disk_tag);
    for (int k = 0; k < p->c.n_secondaries; k++)
        if (p->c.secondary[k] == node)
            p->disk[1 + k] = disk_number(l, row->disk_tag);
}

enum err
pg_leader_read_reports(struct pg_leader *l, struct db *db, struct arena *a)
{
    struct rows rows;
    const void *row;
    enum err e = pegasus_store_replicas(db, a, &rows);

    doubt_foreign(l);
    while (e == ERR_OK) {
        e = rows.next(&rows, a, &row);
        if (e == ERR_OK)
            take_report(l, row);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    l->reports_stale = false;
    return ERR_OK;
}
