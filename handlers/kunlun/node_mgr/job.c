/* What is queued: accepted as soon as job_type and job_id can be read. What is
 * wrong with its other members get_status tells, for the job's first step
 * looks at them. */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "jobs.h"
#include "kunlun/archive/archive.h"
#include "kunlun/survey.h"
#include "node_mgr.h"
#include "store.h"

#define SHOWN_BYTES ((size_t)1 << 20)
#define EPOCH_NAME  64

TABLE(node_status, NODE_STATUS);
TABLE(node_status_ref, NODE_STATUS_REF);
CHECKS(node_status_ref, NEED(job_id, NODE_GET_JOB_ID));

const struct node_job node_jobs[] = {
    { "control_instance", &node_control_kind, &node_control_rec, "accept" },
    { "install_storage", &node_install_storage_kind, &node_install_rec,
      "accept" },
    { "install_computer", &node_install_computer_kind, &node_install_rec,
      "accept" },
    { "delete_storage", &node_delete_storage_kind, &node_at_rec, "accept" },
    { "delete_computer", &node_delete_computer_kind, &node_at_rec, "accept" },
    { "mysql_cmd", &node_command_kind, &node_command_rec, "succeed" },
    { "pgsql_cmd", &node_command_kind, &node_command_rec, "succeed" },
    { "cluster_cmd", &node_command_kind, &node_command_rec, "succeed" },
    { "coldbackup", &node_coldbackup_kind, &node_source_rec, "succeed" },
    { "coldrestore", &node_coldrestore_kind, &node_source_rec, "succeed" },
    { "delete", &node_delete_kind, &node_source_rec, "succeed" },
    { "send", &node_send_kind, &node_send_rec, "succeed" },
    { "recv", &node_recv_kind, &node_recv_rec, "succeed" },
    { "peek", &node_peek_kind, &node_source_rec, "succeed" },
    { "backup_shard", &node_backup_shard_kind, &node_shard_rec, "accept" },
    { "restore_storage", &node_restore_storage_kind, &node_restore_rec,
      "accept" },
    { "restore_computer", &node_restore_computer_kind, &node_restore_rec,
      "accept" },
    { "upload", &node_upload_kind, &node_file_rec, "succeed" },
    { .verb = NULL },
};

const struct job_kind *const node_job_kinds[] = {
    &node_command_kind,
    &node_control_kind,
    &node_install_storage_kind,
    &node_install_computer_kind,
    &node_delete_storage_kind,
    &node_delete_computer_kind,
    &node_upload_kind,
    &node_coldbackup_kind,
    &node_backup_shard_kind,
    &node_backup_index_kind,
    &node_backup_unindex_kind,
    &node_backup_expire_kind,
    &node_coldrestore_kind,
    &node_restore_storage_kind,
    &node_restore_computer_kind,
    &node_backup_verify_kind,
    &node_backup_drop_kind,
    &node_delete_kind,
    &node_send_kind,
    &node_recv_kind,
    &node_peek_kind,
    &node_variable_kind,
    &node_paths_kind,
    &kunlun_survey_kind,
    NULL,
};

const struct node_job *
node_job_find(const char *verb)
{
    const struct node_job *j = node_jobs;

    while (j->verb != NULL && strcmp(j->verb, verb) != 0)
        j++;
    return j->verb != NULL ? j : NULL;
}

/* ---- what is shown of it ---- */

static void put_shown(struct json_writer *w, const struct record *rec,
                      const struct json *j);

static void
put_shown_list(struct json_writer *w, const struct record *rec,
               const struct json *j)
{
    jw_array(w);
    for (j = json_first(j); j != NULL; j = json_next(j))
        put_shown(w, rec, j);
    jw_array_end(w);
}

/* What it was given of the members that its record knows, whether they can be
 * bound or not: of a secret that there is one. */
static void
put_shown(struct json_writer *w, const struct record *rec, const struct json *j)
{
    const struct json *v;

    jw_object(w);
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if ((v = json_member(j, f->key)) == NULL)
            continue;
        jw_key(w, f->key);
        if ((f->flags & SECRET) != 0)
            jw_str(w, "***");
        else if (f->type == F_LIST && json_type(v) == JSON_ARRAY)
            put_shown_list(w, f->more, v);
        else if (json_type(v) == JSON_STRING)
            jw_str(w, json_text(v));
        else if (json_type(v) == JSON_ARRAY || json_type(v) == JSON_OBJECT)
            jw_null(w); /* nothing that this member can be */
        else
            jw_raw(w, json_span(v).p, json_span(v).n);
    }
    jw_object_end(w);
}

static enum err
shown(struct req *r, const struct record *rec, const char **out)
{
    struct buf b = BUF_INIT(SHOWN_BYTES);
    struct json_writer w;

    jw_init(&w, &b, &node_mgr_form.style);
    put_shown(&w, rec, r->json);
    return buf_settle(&b, r->arena, out);
}

/* ---- who asks, and when ---- */

/* "X-Metagate-Epoch: <lease>:<number>" of who acts for it: whoever held that
 * lease before the present one is told that it is over. */
enum err
node_epoch(struct req *r)
{
    const char *said = req_header(r, "HTTP_X_METAGATE_EPOCH");
    const char *colon = said != NULL ? strchr(said, ':') : NULL;
    uint64_t epoch;
    size_t n;
    enum err e;

    if (said == NULL)
        return ERR_OK;
    n = colon != NULL ? (size_t)(colon - said) : 0;
    if (n == 0 || n > EPOCH_NAME ||
        json_to_u64(colon + 1, false, &epoch) != ERR_OK)
        return req_fail(r, NODE_EPOCH, ARGS());
    e = node_store_epoch(r->db, r->listener_tail,
                         arena_strndup(r->arena, said, n), epoch);
    return e == ERR_STATE ? req_fail(r, NODE_EPOCH, ARGS()) : e;
}

/* ---- accepting ---- */

static bool
read_port(const struct json *j, int64_t *out)
{
    return j != NULL && json_to_i64(json_text(j), false, out) == ERR_OK;
}

/* The other end of a table's way: its port waits for this job too, from the
 * beginning, so that two that send to each other do not wait for ever. */
static const char *
with_other_end(struct req *r, const char *own)
{
    const struct json *ip = json_member(r->json, "d_ip");
    const char *at =
        ip != NULL && json_type(ip) == JSON_STRING ? json_text(ip) : "";
    const char *other;
    int64_t port;

    if (!read_port(json_member(r->json, "d_port"), &port) ||
        at[strcspn(at, "\n")] != '\0' || strlen(at) > ADDRESS_BYTES)
        return own;
    other = kunlun_port_lock(r->arena, at, port);
    if (own == NULL || other == NULL || strcmp(own, other) == 0)
        return own == NULL ? other : own;
    return arena_printf(r->arena, "%s\n%s", own, other);
}

/* Jobs of one port wait for each other; NULL when none can be read: then the
 * job ends at its first step. */
static const char *
lock_of(struct req *r)
{
    static const char *const members[] = { "port", "s_port" };
    const struct json *nodes = json_member(r->json, "nodes");
    const struct json *id = json_member(r->json, "install_id");
    const struct json *at = r->json, *v = NULL;
    int64_t port, i = 0;

    if (nodes != NULL && json_type(nodes) == JSON_ARRAY) {
        if (id != NULL && json_to_i64(json_text(id), false, &i) != ERR_OK)
            return NULL;
        for (at = json_first(nodes); at != NULL && i > 0; i--)
            at = json_next(at);
    }
    for (size_t k = 0; at != NULL && v == NULL && k < COUNT(members); k++)
        v = json_member(at, members[k]);
    return with_other_end(
        r, read_port(v, &port)
               ? kunlun_port_lock(r->arena, r->listener_tail, port)
               : NULL);
}

enum err
node_job_queue(struct req *r, const char *job_id)
{
    const struct node_job *j = node_job_find(r->operation);
    struct span body = json_span(r->json);
    struct job_new n = { .machine = r->listener_tail };
    enum err e = node_epoch(r);

    if (e == ERR_OK)
        e = shown(r, j->rec, &n.shown);
    if (e != ERR_OK)
        return e;
    n.kind = j->kind;
    n.client_id = !str_empty(job_id) ? job_id : NULL;
    n.args = arena_strndup(r->arena, body.p, body.n);
    n.locks = lock_of(r);
    return n.args != NULL ? req_accept(r, &n) : ERR_NOMEM;
}

enum err
node_job_accept(struct req *r, const struct node_ask *in)
{
    return node_job_queue(r, HAS(in, node_ask, job_id) ? in->job_id : NULL);
}

/* ---- get_status ---- */

static const struct enum_name results[] = {
    { "busy", JOB_QUEUED },
    { "busy", JOB_RUNNING },
    { "busy", JOB_UNDOING },
    { "succeed", JOB_DONE },
    { "error", JOB_FAILED },
    { "error", JOB_CANCELLED },
    { NULL, 0 },
};

/* The sentence that a job has left behind as its result's info. */
static const char *
last_word(struct req *r, const struct job *job)
{
    const struct json *tree, *info;
    struct json_error why;

    if (!HAS(job, job, result) ||
        json_parse(r->arena, job->result.p, job->result.n, JSON_OWN, &tree,
                   &why) != ERR_OK)
        return "succeed";
    info = json_member(tree, "info");
    return info != NULL ? json_text(info) : "succeed";
}

static const char *
sentence_of(struct req *r, const struct job *job)
{
    switch (job->state) {
    case JOB_DONE:
        return last_word(r, job);
    case JOB_FAILED:
        return HAS(job, job, error) ? job->error : "error";
    case JOB_CANCELLED:
        return "cancelled error";
    default:
        return job->doing;
    }
}

enum err
node_status_get(struct req *r, const struct node_status_ref *in)
{
    struct node_status *out = arena_alloc(r->arena, sizeof(*out));
    struct job job;
    enum err e = req_check(r, in);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    *out = (struct node_status){ 0 };
    PUT(out, node_status, job_id, in->job_id);
    e = job_find(r->db, r->arena, MACHINE_QUEUE, r->listener_tail, in->job_id,
                 &job);
    if (e == ERR_NOT_FOUND) {
        PUT(out, node_status, job_status, "none");
        PUT(out, node_status, result, "busy");
        PUT(out, node_status, info, "job id no find");
        return req_send(r, &node_status_rec, out);
    }
    if (e != ERR_OK)
        return e;
    PUT(out, node_status, job_status, sentence_of(r, &job));
    PUT(out, node_status, result, enum_text(results, job.state));
    PUT(out, node_status, info, out->job_status);
    if (job.state < JOB_DONE && !str_empty(job.progress))
        PUT(out, node_status, progress, job.progress);
    return req_send(r, &node_status_rec, out);
}
