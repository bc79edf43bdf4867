/* A front end's view: users, and the compute nodes of each cluster. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doris/ops/heartbeat.h"
#include "fe.h"
#include "trier.h"
#include "users.h"

#define REPLY_BYTES ((size_t)16 << 20)

NO_CHECKS(doris_fe_status);
TABLE(doris_fe_status, DORIS_FE_STATUS);

/* ---- the form ---- */

static void
put_head(struct json_writer *w, const char *msg, int code)
{
    jw_object(w);
    jw_key_str(w, "msg", msg);
    jw_key(w, "code");
    jw_i32(w, code);
    jw_key(w, "data");
}

static void
put_end(struct json_writer *w)
{
    jw_key(w, "count");
    jw_i32(w, 0);
    jw_object_end(w);
}

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    enum err e = ERR_OK;

    put_head(w, "success", 0);
    if (rec == NULL)
        jw_null(w);
    else
        e = record_render(w, rec, out, req_secrets(r), false, r->arena);
    put_end(w);
    return e;
}

/* The words that a front end has for its codes. */
static const char *
word_of(const char *code)
{
    static const struct {
        const char *code, *word;
    } words[] = { { "401", "Unauthorized" },
                  { "403", "Bad Request" },
                  { "404", "Not Found" },
                  { "429", "Too Many Requests" } };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i].code, code) == 0)
            return words[i].word;
    return "Internal Error";
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    if (f->http == 401)
        req_header_add(r, "WWW-Authenticate", "Basic realm=\"metagate\"");
    put_head(w, word_of(f->code), atoi(f->code));
    jw_str(w, f->text);
    put_end(w);
}

const struct form doris_fe_form = {
    .name = "doris_fe",
    .secrets = SECRETS_STARS,
    .reply_type = "application/json",
    .error_type = "application/json",
    .reply = reply,
    .failure = failure,
};

/* ---- the dialect ---- */

static const struct first_start first_start[] = {
    { .what = "the user of the Doris front end",
      .make = doris_fe_users_make,
      .files = { "fe-user", "fe-users" } },
    { .what = NULL },
};

static const struct listener listeners[] = {
    { "doris-fe", "", 1, 12100, "doris-fe" },
    { .name = NULL },
};

/* ---- the nodes ---- */

struct listing {
    struct json_writer w;
    char cluster_id[256];
    bool open;
    struct arena *arena;
};

static enum err
put_node(void *ctx, const void *row)
{
    const struct doris_fe_node *n = row;
    struct listing *l = ctx;

    if (!l->open || strcmp(l->cluster_id, n->cluster_id) != 0) {
        if (l->open)
            jw_array_end(&l->w);
        jw_key(&l->w, n->cluster_id);
        jw_array(&l->w);
        (void)snprintf(l->cluster_id, sizeof(l->cluster_id), "%s",
                       n->cluster_id);
        l->open = true;
    }
    return record_render(&l->w, &doris_fe_node_rec, n, SECRETS_STARS, false,
                         l->arena);
}

/* Clusters of the same id in several instances share one list. */
static enum err
put_nodes(struct req *r, const struct doris_fe_status *in, struct listing *l)
{
    const char *instance_id =
        HAS(in, doris_fe_status, instance_id) ? in->instance_id : NULL;
    enum err e;

    put_head(&l->w, "success", 0);
    jw_object(&l->w);
    e = doris_store_fe_nodes(r->db, r->arena, instance_id, put_node, l);
    if (l->open)
        jw_array_end(&l->w);
    jw_object_end(&l->w);
    put_end(&l->w);
    return e;
}

enum err
doris_fe_cluster_status(struct req *r, const struct doris_fe_status *in)
{
    struct buf b = BUF_INIT(REPLY_BYTES);
    struct listing l = { .arena = r->arena };
    const char *s;
    enum err e, settled;

    jw_init(&l.w, &b, &doris_fe_form.style);
    e = put_nodes(r, in, &l);
    settled = buf_settle(&b, r->arena, &s);
    if (e != ERR_OK || settled != ERR_OK)
        return e != ERR_OK ? e : settled;
    return req_send_text(r, "application/json", s, strlen(s));
}

#include "endpoint_tables.h"

extern const struct dialect doris_fe_dialect;
const struct dialect doris_fe_dialect = {
    .name = "doris-fe",
    DIALECT_TABLES,
    .open = triers_open,
    .basic = doris_fe_users_check,
    .uri = URI_SEGMENTS,
    .listeners = listeners,
    .first_start = first_start,
};
