/* The status of compute clusters: asked for many instances at once, and set
 * along four edges. */
#include <string.h>

#include "cluster.h"
#include "doris/doris.h"
#include "doris/settings.h"

TABLE(doris_get_cluster_status, DORIS_GET_CLUSTER_STATUS);
TABLE(doris_status_line, DORIS_STATUS_LINE);
TABLE(doris_status_detail, DORIS_STATUS_DETAIL);
TABLE(doris_status_report, DORIS_STATUS_REPORT);

CHECKS(doris_get_cluster_status,
       ANY_OF(instance_ids, cloud_unique_ids, DORIS_STATUS_NEITHER));

/* ---- get ---- */

/* The instance of the k-th id of the request; NULL when it leads nowhere. */
static enum err
kth_instance(struct req *r, const struct doris_get_cluster_status *in, size_t k,
             const char **out)
{
    enum err e;

    if (in->instance_ids.n > 0) {
        *out = in->instance_ids.v[k].v;
        return ERR_OK;
    }
    e = doris_resolve(r, in->cloud_unique_ids.v[k].v, out);
    if (e == ERR_NOT_FOUND)
        *out = NULL;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Instances that are unknown or have nothing to show are left out. */
static enum err
add_detail(struct req *r, const char *instance_id, int status,
           struct doris_status_report *report)
{
    struct doris_status_detail *d = &report->details.v[report->details.n];
    enum err e;

    e = doris_store_cluster_statuses(r->db, r->arena, instance_id, status, d);
    if (e != ERR_OK || d->clusters.n == 0)
        return e;
    PUT(d, doris_status_detail, instance_id, instance_id);
    report->details.n++;
    return ERR_OK;
}

enum err
doris_cluster_status_get(struct req *r,
                         const struct doris_get_cluster_status *in)
{
    size_t n =
        in->instance_ids.n > 0 ? in->instance_ids.n : in->cloud_unique_ids.n;
    int status = HAS(in, doris_get_cluster_status, status) ? in->status : -1;
    struct doris_status_report *report = arena_alloc(r->arena, sizeof(*report));
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    if (report == NULL)
        return ERR_NOMEM;
    report->details.v = arena_array(r->arena, n, sizeof(*report->details.v));
    if (report->details.v == NULL)
        return ERR_NOMEM;
    for (size_t k = 0; k < n && e == ERR_OK; k++) {
        const char *id;

        e = kth_instance(r, in, k, &id);
        if (e == ERR_OK && id != NULL)
            e = add_detail(r, id, status, report);
    }
    return req_send_or_fail(r, e, &doris_status_report_rec, report);
}

/* ---- set ---- */

/* The other edges of the service's own code, which Doris's operator goes by:
 * status_transitions=service. */
static const bool service_edge[DORIS_STATUS__MAX][DORIS_STATUS__MAX] = {
    [DORIS_STATUS_NORMAL] = { [DORIS_STATUS_MANUAL_SHUTDOWN] = true },
    [DORIS_STATUS_SUSPENDED] = { [DORIS_STATUS_NORMAL] = true },
    [DORIS_STATUS_MANUAL_SHUTDOWN] = { [DORIS_STATUS_NORMAL] = true },
};

/* created -> running -> suspended -> wanted again -> running */
static const bool edge[DORIS_STATUS__MAX][DORIS_STATUS__MAX] = {
    [DORIS_STATUS_UNKNOWN] = { [DORIS_STATUS_NORMAL] = true },
    [DORIS_STATUS_NORMAL] = { [DORIS_STATUS_SUSPENDED] = true },
    [DORIS_STATUS_SUSPENDED] = { [DORIS_STATUS_TO_RESUME] = true },
    [DORIS_STATUS_TO_RESUME] = { [DORIS_STATUS_NORMAL] = true },
};

enum err
doris_status_change(struct req *r, const struct doris_cluster *c, int to)
{
    const char *from = enum_text(doris_cluster_status_names, c->cluster_status);

    if (c->type != DORIS_COMPUTE)
        return req_fail(r, DORIS_STATUS_COMPUTE, ARGS());
    if (to == c->cluster_status)
        return req_fail(r, DORIS_STATUS_SAME, ARGS(arg("from", from)));
    if (!edge[c->cluster_status][to] &&
        !(service_edge[c->cluster_status][to] &&
          strcmp(doris_settings()->status_transitions, "service") == 0))
        return req_fail(
            r, DORIS_STATUS_EDGE,
            ARGS(arg("from", from),
                 arg("to", enum_text(doris_cluster_status_names, to))));
    return ERR_OK;
}
