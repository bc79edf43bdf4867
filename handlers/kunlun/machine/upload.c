/* A file with parameters, in one body of multipart/form-data. It is put where
 * nothing is executed; what is done with it is another request's. */
#include <errno.h>
#include <string.h>

#include "config.h"
#include "file.h"
#include "kunlun/node_mgr/jobs.h"
#include "multipart.h"
#include "kunlun/node_mgr/node_mgr.h"

#define NAME_MAX_BYTES 128
#define TEXT_BYTES     ((size_t)96 << 20) /* of the largest body, in base64 */

const char *
node_raw_verb(const struct req *r)
{
    return multipart_is(req_header(r, "CONTENT_TYPE")) ? "upload" : NULL;
}

/* Refused, not trimmed: what a client calls a file is what it gets back. */
static bool
is_bare_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= NAME_MAX_BYTES && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789._-") == n;
}

/* The folder by file_type; whatever else it is, and parameters that cannot be
 * read: "upload". */
static const char *
folder_of(struct req *r, const struct multipart *m)
{
    static const char *const known[] = { "mysql", "pgsql", "cluster" };
    const struct multipart_part *p = multipart_find(m, "parameters");
    const struct json *tree, *type;
    struct json_error why;

    if (p == NULL || json_parse(r->arena, p->body.p, p->body.n, JSON_STRICT,
                                &tree, &why) != ERR_OK)
        return "upload";
    type = json_member(tree, "file_type");
    for (size_t i = 0; type != NULL && i < COUNT(known); i++)
        if (json_type(type) == JSON_STRING &&
            strcmp(json_text(type), known[i]) == 0)
            return known[i];
    return "upload";
}

/* ---- the job: workers write no files, their machine's supervise does ---- */

TABLE(node_file, NODE_FILE);

/* RUN_DIR/upload/<machine>/<folder>/<name>, whole or as it was before. */
static enum err
keep(struct job_run *run, const struct node_file *in)
{
    const struct machine *m = run->ctx;
    const char *const part[] = { "upload", m->address, in->folder };
    const char *dir = config_run_dir();
    enum err e = ERR_OK;

    for (size_t i = 0; i < COUNT(part) && e == ERR_OK; i++) {
        dir = arena_printf(run->arena, "%s/%s", dir, part[i]);
        e = dir != NULL ? file_mkdir(dir, 0750) : ERR_NOMEM;
    }
    if (e != ERR_OK)
        return e;
    dir = arena_printf(run->arena, "%s/%s", dir, in->name);
    return dir != NULL ? file_write(dir, 0640, in->body.p, in->body.n)
                       : ERR_NOMEM;
}

static enum step_answer
perform(struct job_run *run)
{
    struct node_file in;
    enum err e;

    if (!node_args(run, &node_file_rec, &in))
        return STEP_FAILED;
    e = keep(run, &in);
    if (e != ERR_OK)
        return node_failed(run, e, "upload error",
                           e == ERR_STATE ? strerror(errno) : NULL);
    return node_done(run, "upload succeed");
}

static const struct job_step steps[] = { { "upload working", perform, NULL } };

NODE_JOB(node_upload_kind, upload, steps, .forward_only = true);

/* ---- the request ---- */

/* With the file, and without it for what is shown. */
static enum err
as_text(struct req *r, const struct node_file *in, const char **out)
{
    return record_text(r->arena, &node_mgr_form.style, &node_file_rec, in,
                       SECRETS_FULL, TEXT_BYTES, out);
}

static enum err
queue(struct req *r, struct node_file *in)
{
    struct job_new n = { .kind = &node_upload_kind,
                         .machine = r->listener_tail };
    enum err e = as_text(r, in, &n.args);

    UNSET(in, node_file, body);
    if (e == ERR_OK)
        e = as_text(r, in, &n.shown);
    n.locks = arena_printf(r->arena, "node_mgr upload %s", r->listener_tail);
    if (e == ERR_OK && n.locks == NULL)
        e = ERR_NOMEM;
    return e == ERR_OK ? req_accept(r, &n) : e;
}

enum err
node_upload(struct req *r, const struct none *none)
{
    const char *boundary =
        multipart_boundary(r->arena, req_header(r, "CONTENT_TYPE"));
    struct multipart *m = arena_alloc(r->arena, sizeof(*m));
    const struct multipart_part *file;
    struct node_file in = { 0 };
    char why[WHY_BYTES] = "";
    enum err e = node_epoch(r);

    (void)none;
    if (e != ERR_OK || m == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    if (boundary == NULL)
        return req_fail(r, NODE_MULTIPART, ARGS());
    e = multipart_parse(r->arena, boundary, r->body, r->body_bytes, m, why);
    if (e != ERR_OK)
        return e == ERR_NOMEM ? e : req_fail(r, NODE_MULTIPART, ARGS());
    file = multipart_file(m);
    if (file == NULL)
        return req_fail(r, NODE_NO_FILE, ARGS());
    if (!is_bare_name(file->filename))
        return req_fail(r, NODE_FILENAME, ARGS());
    PUT(&in, node_file, folder, folder_of(r, m));
    PUT(&in, node_file, name, file->filename);
    PUT(&in, node_file, body, file->body);
    return queue(r, &in);
}
