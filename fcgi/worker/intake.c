/* Who asks, for what, and on which threads it is to be served. */
#include "intake.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "api/dispatch.h"
#include "identity/identity.h"
#include "listener.h"
#include "log.h"
#include "identity/params.h"
#include "request/req_io.h"
#include "request.h"
#include "api/route.h"
#include "request/uri.h"

/* Below the time nginx waits for slow answers (nginx/slow.conf). */
#define SLOW_DEADLINE_MS 315000

struct intake_work {
    struct req *r;
    char *const *params;
    const struct request_rules *rules;
    struct intake *out;
};

/* ---- may anybody ask? ---- */

static void
fill_listener(struct req *r, char *const *params)
{
    r->listener = params_get(params, "MG_LISTENER");
    r->listener_tail = listener_tail(r->listener);
}

static enum intake_verdict
admit(struct intake_work *w)
{
    const char *id = identity_request_id(w->r->arena, w->params);

    if (id == NULL ||
        identity_trace(w->r->arena, w->params, &w->r->trace) != ERR_OK) {
        w->r->trace.request = "";
        return INTAKE_NO_MEMORY;
    }
    w->r->trace.request = id;
    if (w->rules->secret != NULL &&
        !identity_front_end(w->params, w->rules->secret)) {
        log_warn("request.forged listener=%s", w->r->listener);
        return INTAKE_FORGED;
    }
    if (!dispatch_knows_listener(w->r->listener)) {
        log_error("request.listener name=%s", w->r->listener);
        return INTAKE_LISTENER;
    }
    return INTAKE_OK;
}

/* ---- what is asked ---- */

static void
refuse(struct intake *out, enum event event)
{
    out->refused = true;
    out->event = event;
}

/* How the listener's dialect reads targets. */
static unsigned
uri_rules(const struct req *r)
{
    const struct dialect *d = route_dialect(r->listener);

    return d != NULL ? d->uri : 0;
}

static enum err
read_target(struct intake_work *w)
{
    struct uri uri;
    enum err e;

    e = uri_parse_by(w->r->arena, params_get(w->params, "REQUEST_URI"),
                     uri_rules(w->r), &uri);
    w->r->method = params_get(w->params, "REQUEST_METHOD");
    w->r->path = uri.path;
    w->r->query = uri.query;
    w->r->n_query = uri.n_query;
    w->r->io->query_token = uri.token;
    if (e != ERR_BAD_PARAM)
        return e;
    w->out->fault = uri.fault;
    refuse(w->out, EVENT_MALFORMED);
    return ERR_OK;
}

/* ---- who asks ---- */

static bool
asks_basic(const struct req *r)
{
    struct route_match m;

    route_find(r->listener, r->path, &m);
    return m.mount != NULL && m.mount->auth == AUTH_BASIC;
}

/* [serve] check_tokens: what the front end says of scope and name does not
 * count. A listener with users of its own asks them, not for tokens. */
static enum err
identify(struct intake_work *w)
{
    if (w->rules->secret != NULL)
        identity_from_front_end(w->r, w->params);
    else if (!asks_basic(w->r))
        return identity_from_token(w->r, w->params, w->r->io->query_token);
    return ERR_OK;
}

/* ---- how long it may take ---- */

/* How long ago the front end handed the request over, "seconds.milliseconds"
 * of the wall clock: a request that waits in the socket's queue while all
 * threads are taken is older than this process knows. 0 when it is not said,
 * or when the clock was set in between. */
static int64_t
waited_ms(char *const *params)
{
    const char *text = params_get(params, "MG_RECEIVED");
    double received_s = strtod(text, NULL);
    int64_t now = clock_unix_ms(), received;

    if (!(received_s > 0 && received_s < 1e12))
        return 0;
    received = (int64_t)(received_s * 1000);
    return received < now ? now - received : 0;
}

/* Counted from where the front end counts its own: when that gives up, this
 * request has ended or is never begun. */
static void
set_deadline(struct intake_work *w)
{
    w->r->deadline_ms =
        w->r->started_ms - waited_ms(w->params) +
        (w->out->slow ? SLOW_DEADLINE_MS : w->rules->deadline_ms);
}

/* ---- the whole ---- */

static bool
is_served_here(const struct intake_work *w)
{
    const char *below = w->rules->below;

    return below == NULL || strncmp(w->r->path, below, strlen(below)) == 0;
}

static void
classify(struct intake_work *w)
{
    struct req *r = w->r;
    const struct row *row;

    /* a stranger learns that he is one, whatever else is wrong */
    if (w->out->refused && r->rights == 0 && !asks_basic(r))
        refuse(w->out, EVENT_NO_TOKEN);
    else if (!w->out->refused && !is_served_here(w))
        refuse(w->out, EVENT_UNKNOWN_PATH);
    if (w->out->refused)
        return;
    row = dispatch_peek(r->listener, r->method, r->path, &w->out->row);
    w->out->known = row != NULL;
    w->out->slow = row != NULL && (row->flags & SLOW) != 0;
    w->out->writes = row != NULL && (row->flags & TX) != 0;
}

enum intake_verdict
intake(struct req *r, char *const *params, const struct request_rules *rules,
       struct intake *out)
{
    struct intake_work w = { r, params, rules, out };
    enum intake_verdict v;

    *out = (struct intake){ .fault = "" };
    r->method = r->path = r->token_name = r->body = "";
    fill_listener(r, params);
    v = admit(&w);
    if (v != INTAKE_OK)
        return v;
    if (read_target(&w) != ERR_OK || identify(&w) != ERR_OK)
        return INTAKE_NO_MEMORY;
    classify(&w);
    set_deadline(&w);
    return INTAKE_OK;
}
