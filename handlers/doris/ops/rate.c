/* Limits of rate. What is limited is a row, and so is what a second has used
 * of it: they hold for all workers of all hosts together. A process looks at
 * the limits once a second; where there is none, a request costs nothing. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "clock.h"
#include "doris/doris.h"
#include "log.h"
#include "rate.h"

TABLE(doris_adjust_rate, DORIS_ADJUST_RATE);
TABLE(doris_rate, DORIS_RATE);
TABLE(doris_rates, DORIS_RATES);

/* So much and more is no limit: Doris's own default. */
#define NO_LIMIT     1000000
#define LOOK_MS      1000
#define LIMITS_BYTES ((size_t)64 << 20)

/* The limits as they were when this process last looked. */
static struct {
    pthread_rwlock_t lock;
    struct arena *arena;
    struct list_of_doris_rate_row rows;
    _Atomic int64_t next_ms;
    _Atomic bool any;
} limits = { .lock = PTHREAD_RWLOCK_INITIALIZER };

/* ---- the limits ---- */

/* One thread looks; the others go on with what is known. A store that cannot
 * be read is told by the request itself. */
static void
look(struct req *r)
{
    int64_t now_ms = clock_mono_ms(), due_ms = limits.next_ms;
    struct list_of_doris_rate_row rows = { 0, NULL };
    struct arena *fresh, *old;

    if (now_ms < due_ms || !atomic_compare_exchange_strong(
                               &limits.next_ms, &due_ms, now_ms + LOOK_MS))
        return;
    fresh = arena_new(LIMITS_BYTES);
    if (fresh == NULL)
        return;
    if (doris_store_rates(r->db, fresh, &rows) != ERR_OK) {
        arena_free(fresh);
        return;
    }
    pthread_rwlock_wrlock(&limits.lock);
    old = limits.arena;
    limits.arena = fresh;
    limits.rows = rows;
    limits.any = rows.n > 0;
    pthread_rwlock_unlock(&limits.lock);
    if (old != NULL)
        arena_free(old);
}

/* Whether some limit may concern the operation: most requests are none's, and
 * pay nothing. */
static bool
is_limited(const char *rpc)
{
    bool found = false;

    pthread_rwlock_rdlock(&limits.lock);
    for (size_t i = 0; i < limits.rows.n && !found; i++) {
        const struct doris_rate_row *row = &limits.rows.v[i];

        found = row->qps < NO_LIMIT &&
                (str_empty(row->rpc) || strcmp(row->rpc, rpc) == 0);
    }
    pthread_rwlock_unlock(&limits.lock);
    return found;
}

static int64_t
find_limit(const char *rpc, const char *instance_id)
{
    for (size_t i = 0; i < limits.rows.n; i++)
        if (strcmp(limits.rows.v[i].rpc, rpc) == 0 &&
            strcmp(limits.rows.v[i].instance_id, instance_id) == 0)
            return limits.rows.v[i].qps;
    return -1;
}

/* That of the instance before that of each, that of the operation before that
 * of all; -1 when there is none. */
static int64_t
limit_of(const char *rpc, const char *instance_id)
{
    int64_t qps;

    pthread_rwlock_rdlock(&limits.lock);
    qps = find_limit(rpc, instance_id);
    if (qps < 0 && !str_empty(instance_id))
        qps = find_limit("", instance_id);
    if (qps < 0)
        qps = find_limit(rpc, "");
    if (qps < 0)
        qps = find_limit("", "");
    pthread_rwlock_unlock(&limits.lock);
    return qps;
}

/* ---- a request ---- */

static const char *
text_member(const struct record *rec, const char *name, const void *in)
{
    struct field_path path;
    const void *at;
    const char *s;
    bool present;

    if (field_path_find(rec, name, &path) != ERR_OK ||
        path.step[0]->type != F_STR)
        return NULL;
    at = field_path_get(&path, in, &present);
    if (at == NULL || !present)
        return NULL;
    memcpy(&s, at, sizeof(s));
    return str_empty(s) ? NULL : s;
}

/* The instance that the request is about; "" when it says none. */
static enum err
instance_of(struct req *r, const void *in, const char **out)
{
    const struct record *rec = r->endpoint->in;
    const char *cuid = text_member(rec, "cloud_unique_id", in);
    const char *id = text_member(rec, "instance_id", in);
    enum err e = ERR_NOT_FOUND;

    *out = id == NULL ? "" : id;
    if (id != NULL || cuid == NULL)
        return ERR_OK;
    e = doris_resolve(r, cuid, out);
    if (e == ERR_NOT_FOUND)
        *out = "";
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The way to lift a limit is never limited, and what is no operation has no
 * limit: clients would choose the names of counters. */
static bool
is_free(const struct req *r)
{
    return strcmp(r->operation, "adjust_rate_limit") == 0 ||
           strcmp(r->operation, "list_rate_limit") == 0 ||
           strcmp(r->endpoint->path, "*") == 0;
}

enum err
doris_admit(struct req *r, const void *in)
{
    const char *instance_id;
    int64_t qps, used;
    enum err e;

    look(r);
    if (!limits.any || is_free(r) || !is_limited(r->operation))
        return ERR_OK;
    e = instance_of(r, in, &instance_id);
    if (e != ERR_OK)
        return e;
    qps = limit_of(r->operation, instance_id);
    if (qps < 0 || qps >= NO_LIMIT)
        return ERR_OK;
    e = doris_store_rate_use(r->db, r->operation, instance_id, &used);
    if (e == ERR_OK && used > qps)
        return req_fail(r, DORIS_MAX_QPS, ARGS());
    return e;
}

/* ---- adjust, list ---- */

static bool
is_operation(const struct req *r, const char *name)
{
    for (size_t i = 0; i < r->dialect->n_rows; i++) {
        const struct row *row = &r->dialect->rows[i];

        if (row->kind == ROW_ENDPOINT && row->path[0] == '/' &&
            strcmp(row->path + 1, name) == 0)
            return true;
    }
    return false;
}

static enum err
read_qps(struct req *r, const struct doris_adjust_rate *in, int64_t *out)
{
    if (str_empty(in->qps_limit))
        return req_fail(r, DORIS_QPS_MISSING, ARGS());
    if (json_to_i64(in->qps_limit, false, out) != ERR_OK)
        return req_fail(r, DORIS_QPS_NUMBER, ARGS());
    if (*out < 0)
        return req_fail(r, DORIS_QPS_NEGATIVE, ARGS());
    if (!str_empty(in->rpc_name) && !is_operation(r, in->rpc_name))
        return req_fail(r, DORIS_QPS_RPC, ARGS());
    if (*out > INT32_MAX)
        *out = INT32_MAX;
    return ERR_OK;
}

/* The limit as it is, if there is one. */
static enum err
audit_before(struct req *r, const char *rpc, const char *id)
{
    struct list_of_doris_rate_row rows = { 0, NULL };
    enum err e = doris_store_rates(r->db, r->arena, &rows);

    for (size_t i = 0; e == ERR_OK && i < rows.n; i++)
        if (strcmp(rows.v[i].rpc, rpc) == 0 &&
            strcmp(rows.v[i].instance_id, id) == 0)
            req_audit_before(r, &doris_rate_row_rec, &rows.v[i]);
    return e;
}

static void
audit_after(struct req *r, const char *rpc, const char *id, int64_t qps)
{
    const struct doris_rate_row row = {
        .has = UINT64_MAX, .rpc = rpc, .instance_id = id, .qps = qps
    };

    req_audit_after(r, &doris_rate_row_rec, &row);
}

NO_CHECKS(doris_adjust_rate);

enum err
doris_rate_adjust(struct req *r, const struct doris_adjust_rate *in)
{
    const char *rpc = in->rpc_name == NULL ? "" : in->rpc_name;
    const char *id = in->instance_id == NULL ? "" : in->instance_id;
    int64_t qps;
    enum err e;

    e = read_qps(r, in, &qps);
    if (e != ERR_OK)
        return e;
    doris_audit_target(r, "rate limit", str_empty(rpc) ? "all" : rpc,
                       str_empty(id) ? NULL : id);
    e = audit_before(r, rpc, id);
    if (e == ERR_OK)
        e = doris_store_rate_set(r->db, rpc, id, qps);
    audit_after(r, rpc, id, qps);
    return e == ERR_OK ? req_ok(r) : e;
}

/* Rows of one operation stand together, its own limit first. */
static enum err
fill(struct req *r, const struct list_of_doris_rate_row *rows,
     struct doris_rates *out)
{
    struct map_of_doris_rate *v = arena_array(r->arena, rows->n, sizeof(*v));
    struct map_of_I32 *of = arena_array(r->arena, rows->n, sizeof(*of));
    size_t n = 0;

    if (v == NULL || of == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows->n; i++) {
        const struct doris_rate_row *row = &rows->v[i];
        struct doris_rate *rate;

        if (n == 0 || strcmp(v[n - 1].key, row->rpc) != 0) {
            v[n].value.instances.v = &of[i];
            v[n++].key = row->rpc;
        }
        rate = &v[n - 1].value;
        if (str_empty(row->instance_id)) {
            PUT(rate, doris_rate, qps, (int32_t)row->qps);
            rate->instances.v = &of[i + 1];
        } else {
            of[i].key = row->instance_id;
            of[i].value.v = (int32_t)row->qps;
            rate->instances.n++;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (*v[i].key == '\0')
            v[i].key = "all";
    out->rates.n = n;
    out->rates.v = v;
    return ERR_OK;
}

enum err
doris_rate_list(struct req *r, const struct none *in)
{
    struct doris_rates *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_doris_rate_row rows = { 0, NULL };
    enum err e;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    e = doris_store_rates(r->db, r->arena, &rows);
    if (e == ERR_OK)
        e = fill(r, &rows, out);
    return req_send_or_fail(r, e, &doris_rates_rec, out);
}
