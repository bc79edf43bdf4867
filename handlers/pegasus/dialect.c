/* Pegasus as a dialect: its forms, its query rules, who may answer. */
#include <string.h>

#include "pegasus/lead/leader.h"
#include "pegasus.h"
#include "pegasus/settings.h"
#include "pegasus/core/state.h"
#include "pegasus/node/cluster.h"
#include "pegasus/node/metas.h"
#include "pegasus/verbs.h"
#include "pegasus/views.h"

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    enum err e;

    e = record_render(w, rec, out, req_secrets(r), false, r->arena);
    buf_putc(w->out, '\n');
    return e;
}

/* Bare text, no newline; an empty one is an empty body. */
static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    if (f->http == 401)
        req_header_add(r, "WWW-Authenticate", "Bearer");
    buf_puts(w->out, f->text);
}

static void
outcome(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    failure_object(w, f, "error", "hint_message");
}

#define LEAVES                                       \
    {                                                \
        .all_leaves_string = true, .upper_hex = true \
    }
#define TYPES                                                  \
    (BIND_STR_FROM_NUM | BIND_INT_FROM_STR | BIND_NULL_UNSET | \
     BIND_UNKNOWN_REFUSED)

const struct form pegasus_form = {
    .name = "pegasus",
    .bind = TYPES,
    .secrets = SECRETS_STARS,
    .style = LEAVES,
    .reply_type = "text/plain",
    .error_type = "text/plain",
    .reply = reply,
    .failure = failure,
};

const struct form pegasus_outcome_form = {
    .name = "pegasus outcome",
    .bind = TYPES,
    .secrets = SECRETS_STARS,
    .style = LEAVES,
    .reply_type = "text/plain",
    .error_type = "text/plain",
    .reply = reply,
    .failure = outcome,
};

/* A value for a name seen before is an error; a bare name again is nothing. */
static enum err
judge_query(struct req *r)
{
    struct param *kept = arena_array(r->arena, r->n_query + 1, sizeof(*kept));
    size_t n = 0;

    if (kept == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_query; i++) {
        const struct param *p = &r->query[i];
        size_t k = 0;

        while (k < n && strcmp(kept[k].key, p->key) != 0)
            k++;
        if (k == n)
            kept[n++] = *p;
        else if (!p->bare)
            return req_fail(r, PEGASUS_REPEATED,
                            ARGS(arg("parameter", p->key)));
    }
    r->query = kept;
    r->n_query = n;
    return ERR_OK;
}

/* A lease that has ended is taken within seconds. */
static enum err
refuse_for_now(struct req *r, int id)
{
    req_header_add(r, "Retry-After", "3");
    return req_fail(r, id, ARGS());
}

/* The leader's listener answers; the others send their clients there. */
static enum err
answer_or_redirect(struct req *r)
{
    struct pegasus_leader l;
    const char *url;
    enum err e;

    e = pegasus_store_leader(r->db, r->arena, &l);
    if (e != ERR_OK)
        return e;
    if (!l.held || pegasus_meta_index(l.owner) < 0)
        return refuse_for_now(r, PEGASUS_NO_LEADER);
    if (strcmp(l.owner, r->listener_tail) != 0) {
        url = pegasus_meta_url(r, (size_t)pegasus_meta_index(l.owner));
        return url == NULL ? refuse_for_now(r, PEGASUS_NO_LEADER)
                           : req_redirect(r, PEGASUS_STANDBY, url);
    }
    return l.ready ? ERR_OK : refuse_for_now(r, PEGASUS_NOT_READY);
}

/* ---- what it brings ---- */

static const char *
is_level(const char *value)
{
    return pg_level_by_name(value) != 0
               ? NULL
               : "must be stopped, blind, freezed, steady or lively";
}

static const struct listener listeners[] = {
    { "pegasus-meta", "m1", 1, 34601, "pegasus" },
    { "pegasus-meta", "m2", 1, 34602, "pegasus" },
    { "pegasus-meta", "m3", 1, 34603, "pegasus" },
    { "pegasus-replica", "r1", 1, 34801, "pegasus" },
    { "pegasus-replica", "r2", 1, 34802, "pegasus" },
    { "pegasus-replica", "r3", 1, 34803, "pegasus" },
    { .name = NULL },
};

static const struct duty duties[] = {
    { .lease = PEGASUS_LEASE,
      .first = "m1",
      .sticky = true,
      .may = pegasus_may_lead,
      .every_ms = 500, /* a new table has its primaries within a second */
      .step = pegasus_lead,
      .forget = pegasus_lead_end },
    { .lease = NULL },
};

static const struct upkeep upkeeps[] = {
    { .name = "pegasus.replica",
      .every_ms = pegasus_beacon_every_ms,
      .step = pegasus_beacon_send },
    { .name = NULL },
};

#include "endpoint_tables.h"

#define SETTINGS      pegasus_settings
#define SETTINGS_FILE "pegasus/settings.def"
#include "settings_table.h"

extern const struct dialect pegasus_dialect;
const struct dialect pegasus_dialect = {
    .name = "pegasus",
    DIALECT_TABLES,
    .views = pegasus_views,
    .verbs = pegasus_verbs,
    .uri = URI_PLUS_STAYS | URI_SEGMENTS | URI_REPLACE,
    .query = judge_query,
    .leader = answer_or_redirect,
    .listeners = listeners,
    .settings = pegasus_settings_rows,
    .duties = duties,
    .upkeeps = upkeeps,
};
