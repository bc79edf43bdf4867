/* KunlunBase cluster_mgr: what speaks for all machines. One engine, three
 * dialects of its clients: flat members (D1; D2, which asks some things in
 * other shapes) and members in `paras` (D3). */
#ifndef CLUSTER_MGR_H
#define CLUSTER_MGR_H

#include "jobs.h"
#include "kunlun/answers/desk.h"
#include "kunlun/answers/failovers.h"
#include "kunlun/answers/lists.h"
#include "kunlun/answers/variable.h"
#include "kunlun/kunlun.h"

/* ---- how it speaks ---- */

/* Whether the request came in paras, or to the path of those who send them:
 * it is answered alike. */
bool cluster_in_paras(const struct req *r);

/* Around every answer in paras; a result is its attachment. */
#define CLUSTER_ENVELOPE(X, s)                  \
    X(s, STR, version, "version", OUT, -)       \
    X(s, STR, error_code, "error_code", OUT, -) \
    X(s, STR, error_info, "error_info", OUT, -) \
    X(s, STR, status, "status", OUT, -)         \
    X(s, STR, job_id, "job_id", OUT, -)         \
    X(s, STR, job_type, "job_type", OUT, -)     \
    X(s, JSON, attachment, "attachment", OUT, -)
STRUCT(cluster_envelope, CLUSTER_ENVELOPE);

extern const struct form cluster_flat_form, cluster_paras_form;

/* ---- jobs ---- */

/* Whatever it is: a job_id that is none is refused by the handler. */
#define CLUSTER_ASK(X, s) X(s, JSON, job_id, "job_id", IN, -)
STRUCT(cluster_ask, CLUSTER_ASK);

/* A job's arguments: a body, and how it came. */
#define CLUSTER_SAID(X, s)                  \
    X(s, BOOL, paras, "paras", IN | OUT, -) \
    X(s, JSON, body, "body", IN | OUT, -)
STRUCT(cluster_said, CLUSTER_SAID);

/* A job's result. */
#define CLUSTER_RESULT(X, s)             \
    X(s, STR, info, "info", IN | OUT, -) \
    X(s, STR, log, "log", IN | OUT, -)
STRUCT(cluster_result, CLUSTER_RESULT);

/* What is planned, as info for people and as a list. */
#define CLUSTER_PLAN(X, s)              \
    X(s, STR, result, "result", OUT, -) \
    X(s, STR, info, "info", OUT, -)     \
    X(s, LIST, plan, "plan", OUT | KEEP_EMPTY, cluster_effect)
STRUCT(cluster_plan, CLUSTER_PLAN);

/* ---- get_status ---- */

/* progress: which step, and what it waits for, as long as it goes on. */
#define CLUSTER_STATUS(X, s)            \
    X(s, STR, result, "result", OUT, -) \
    X(s, STR, info, "info", OUT, -)     \
    X(s, STR, progress, "progress", OUT, -)
STRUCT(cluster_status, CLUSTER_STATUS);

/* What a job is told to have come to; the error of one that has failed. In
 * the arena. */
const char *cluster_job_info(struct arena *a, const struct cluster_job *j,
                             const struct job *job);

/* D3's code of a failure that is told in D1's words; by_id: the cluster was
 * named by its id. */
const char *cluster_code(const char *type, const char *text, bool by_id);

#define ENDPOINT_FILE "kunlun/cluster_mgr/endpoints.def"
#define ERROR_FILE    "kunlun/cluster_mgr/errors.def"
#include "endpoint_protos.h"

#define SETTINGS      cluster_mgr_settings
#define SETTINGS_FILE "kunlun/cluster_mgr/settings.def"
#include "settings_struct.h"

#endif
