/* How RPCs speak over HTTP, as brpc maps protobuf to JSON: a status member
 * first, 64-bit integers as numbers, 200 also for a refusal. And what their
 * handlers have in common. */
#include <string.h>

#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "doris/key/key.h"
#include "doris/key/key_codec.h"
#include "rpc.h"

/* ---- the form ---- */

static void
put_status(struct json_writer *w, const char *code, const char *text)
{
    jw_key(w, "status");
    jw_object(w);
    jw_key_str(w, "code", code);
    jw_key_str(w, "msg", text);
    jw_object_end(w);
}

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    enum err e = ERR_OK;

    jw_object(w);
    put_status(w, "OK", r->message == NULL ? "" : r->message);
    if (rec != NULL)
        e = record_render_members(w, rec, out, req_secrets(r), r->arena);
    jw_object_end(w);
    return e;
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    jw_object(w);
    put_status(w, f->own_code != NULL ? f->own_code : f->code, f->text);
    if (f->more_rec != NULL &&
        record_render_members(w, f->more_rec, f->more, req_secrets(r),
                              r->arena) != ERR_OK)
        w->out->failed = true;
    jw_object_end(w);
}

const struct form doris_rpc_form = {
    .name = "doris_rpc",
    DORIS_INPUT,
    .secrets = SECRETS_STARS,
    .style = { 0 },
    .refusal_http = 200,
    .reply_type = "application/json",
    .error_type = "application/json",
    .reply = reply,
    .failure = failure,
};

/* ---- the instance ---- */

struct arg
doris_rpc_cuid(const char *cloud_unique_id)
{
    if (str_empty(cloud_unique_id))
        cloud_unique_id = "(empty)";
    return arg("cuid", cloud_unique_id);
}

enum err
doris_rpc_instance(struct req *r, const char *cloud_unique_id, int error,
                   const char **out)
{
    enum err e = ERR_NOT_FOUND;

    if (cloud_unique_id != NULL)
        e = doris_resolve(r, cloud_unique_id, out);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, error, ARGS(doris_rpc_cuid(cloud_unique_id)));
    if (e == ERR_OK)
        doris_audit_target(r, "instance", *out, NULL);
    return e;
}

enum err
doris_rpc_open(struct req *r, const void *in, const char *cloud_unique_id,
               int error, const char **out)
{
    enum err e = req_check(r, in);

    return e == ERR_OK ? doris_rpc_instance(r, cloud_unique_id, error, out) : e;
}

enum err
doris_rpc_open_live(struct req *r, const void *in, const char *cloud_unique_id,
                    int error, const char **out)
{
    enum err e;

    e = doris_rpc_open(r, in, cloud_unique_id, error, out);
    if (e != ERR_OK)
        return e;
    e = doris_store_instance_share(r->db, r->arena, *out);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, error, ARGS(doris_rpc_cuid(cloud_unique_id)));
    return e == ERR_STATE ? req_fail(r, DORIS_DELETED_400, ARGS()) : e;
}

/* ---- messages ---- */

/* MetaTabletIdxKey in hex. */
static const char *
index_key(struct req *r, const char *instance_id, int64_t tablet_id)
{
    struct buf key = BUF_INIT(DORIS_KEY_BYTES);
    const char *s;

    buf_putc(&key, 1);
    key_put_bytes(&key, "meta", 4);
    key_put_bytes(&key, instance_id, strlen(instance_id));
    key_put_bytes(&key, "tablet_index", strlen("tablet_index"));
    key_put_int(&key, tablet_id);
    s = doris_key_hex(r, &key, "");
    buf_free(&key);
    return s;
}

enum err
doris_rpc_no_tablet(struct req *r, const char *instance_id, int64_t tablet_id)
{
    return req_fail(r, DORIS_TABLET_UNKNOWN,
                    ARGS(arg_i64(r, "tablet", tablet_id),
                         arg("key", index_key(r, instance_id, tablet_id))));
}

/* ---- text ---- */

enum err
doris_send_text(struct req *r, const struct record *rec, const void *out)
{
    struct buf b = BUF_INIT((size_t)4 << 20);

    if (req_wants_json(r))
        return rec == NULL ? req_ok(r) : req_send(r, rec, out);
    buf_puts(&b, "status {\n  code: OK\n  msg: \"\"\n}\n");
    if (rec != NULL)
        doris_text_lines(&b, rec, out);
    buf_putc(&b, '\n'); /* the transport's */
    return doris_send_buf(r, ERR_OK, &b);
}
