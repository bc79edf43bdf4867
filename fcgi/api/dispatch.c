/* A request through the tables: route, rights, input, handler, reply. The
 * order of refusals is the order of the steps below. */
#include "dispatch.h"

#include <string.h>
#include <time.h>

#include "request/authorization.h"
#include "bind.h"
#include "checks.h"
#include "clock.h"
#include "crypt.h"
#include "dry_run.h"
#include "request/failure.h"
#include "log.h"
#include "metrics.h"
#include "request/reply.h"
#include "request/req_audit.h"
#include "request/req_io.h"
#include "route.h"
#include "tables.h"
#include "host/wake.h"

/* A handler is run this often at the most: after deadlocks, lock time-outs
 * and lost connections, always before the request's deadline. */
#define RUNS_MAX        4
#define SLOW_REQUEST_MS 1000

enum err
dispatch_init(void)
{
    enum err e;

    e = route_init();
    return e == ERR_OK ? tables_verify() : e;
}

bool
dispatch_knows_listener(const char *listener)
{
    return route_knows_listener(listener);
}

static unsigned
method_bit(const char *method)
{
    static const struct {
        const char *name;
        unsigned bit;
    } methods[] = {
        { "GET", GET }, { "HEAD", GET },      { "POST", POST },
        { "PUT", PUT }, { "DELETE", DELETE }, { "OPTIONS", OPTIONS },
    };

    for (size_t i = 0; i < COUNT(methods); i++)
        if (strcmp(methods[i].name, method) == 0)
            return methods[i].bit;
    return 0;
}

const struct row *
dispatch_peek(const char *listener, const char *method, const char *path,
              size_t *number)
{
    struct route_match m;
    const struct row *row;
    unsigned methods;

    route_find(listener, path, &m);
    if (m.group == NULL)
        return NULL;
    row = route_row(m.group, method_bit(method), NULL, &methods);
    if (row != NULL)
        *number = tables_row(m.dialect, row);
    return row;
}

bool
dispatch_peek_verbs(const struct req *r)
{
    unsigned method = method_bit(r->method);
    struct route_match m;

    route_find(r->listener, r->path, &m);
    if (m.group == NULL || !m.group->by_verb)
        return false;
    for (size_t i = 0; i < m.group->n; i++) {
        const struct row *row = m.group->rows[i];

        if ((row->methods & method) != 0 && (row->flags & SLOW) != 0 &&
            strcmp(row->verb, "-") != 0 && strstr(r->body, row->verb) != NULL)
            return true;
    }
    return false;
}

/* ---- rights ---- */

static enum err
check_basic(struct req *r)
{
    const char *h = r->io->param(r->io, "HTTP_AUTHORIZATION");
    const char *user, *password;
    enum err e = authorization_basic(r->arena, h, &user, &password);

    if (e == ERR_BAD_PARAM)
        return failure_event(r, EVENT_NO_TOKEN, ARGS());
    return e == ERR_OK ? r->dialect->basic(r, user, password) : e;
}

/* A row of that method asks for nothing: preflights of browsers bring no
 * token to a path whose other methods want one. */
static bool
open_to_all(const struct req *r, const struct route_match *m)
{
    if (m->mount->auth == AUTH_NONE)
        return true;
    for (size_t i = 0; m->group != NULL && i < m->group->n; i++)
        if ((m->group->rows[i]->methods & r->method_bit) != 0 &&
            m->group->rows[i]->scope == SCOPE_NONE)
            return true;
    return false;
}

/* Before the path is looked at: who asks. */
static enum err
check_identity(struct req *r, const struct route_match *m)
{
    if (m->mount->auth == AUTH_BASIC)
        return check_basic(r);
    if (r->rights == 0 && !open_to_all(r, m))
        return failure_event(r, EVENT_NO_TOKEN, ARGS());
    return ERR_OK;
}

static enum err
check_scope(struct req *r)
{
    enum scope need = r->endpoint->scope;

    if (need == SCOPE_NONE || r->mount->auth == AUTH_NONE ||
        (r->rights & need) != 0)
        return ERR_OK;
    return failure_event(r, EVENT_SCOPE, ARGS(arg("scope", scope_name(need))));
}

/* ---- which row ---- */

static const char *
allowed(struct req *r, unsigned methods)
{
    return arena_printf(r->arena, "%s%s%s%s%s",
                        (methods & GET) != 0 ? "GET, HEAD" : "",
                        (methods & POST) != 0 ? ", POST" : "",
                        (methods & PUT) != 0 ? ", PUT" : "",
                        (methods & DELETE) != 0 ? ", DELETE" : "",
                        (methods & OPTIONS) != 0 ? ", OPTIONS" : "");
}

static enum err
refuse_method(struct req *r, unsigned methods)
{
    const char *list = allowed(r, methods);

    if (list != NULL)
        req_header_add(r, "Allow", list[0] == ',' ? list + 2 : list);
    return failure_event(r, EVENT_METHOD, ARGS());
}

/* The row of a path that selects by itself. */
static enum err
select_by_path(struct req *r, const struct route_match *m)
{
    unsigned methods;

    r->endpoint = route_row(m->group, r->method_bit, NULL, &methods);
    return r->endpoint == NULL ? refuse_method(r, methods) : ERR_OK;
}

/* The verb: of the headers when the body is not JSON, else of the body. */
static enum err
find_verb(struct req *r)
{
    const struct dialect *d = r->dialect;
    const char *raw = d->raw_verb != NULL ? d->raw_verb(r) : NULL;
    enum err e;

    if (raw != NULL) {
        if (r->io->body_too_large)
            return failure_event(r, EVENT_TOO_LARGE, ARGS());
        req_select(r, raw, NULL);
        return ERR_OK;
    }
    e = bind_parse_body(r);
    return e == ERR_OK ? d->classify(r, r->json) : e;
}

/* The row that the body names: any row of the path tells scope and form until
 * then. A method whose row has no verb has no other. */
static enum err
select_by_verb(struct req *r, const struct route_match *m)
{
    unsigned methods;
    enum err e;

    e = select_by_path(r, m);
    if (e == ERR_OK && strcmp(r->endpoint->verb, "-") == 0)
        return ERR_OK;
    if (e == ERR_OK)
        e = find_verb(r);
    if (e != ERR_OK)
        return e;
    r->endpoint = route_row(m->group, r->method_bit, r->operation, &methods);
    if (r->endpoint == NULL)
        return methods == 0 ? failure_event(r, EVENT_UNKNOWN_PATH, ARGS())
                            : refuse_method(r, methods);
    return ERR_OK;
}

static void
take_row(struct req *r)
{
    r->io->in_rec = r->endpoint->in;
    r->io->checks = r->endpoint->checks;
}

/* Other records for the encoding in which the verb was sent. */
static enum err
take_variant(struct req *r)
{
    const struct row *v;

    take_row(r);
    if (r->encoding == NULL)
        return ERR_OK;
    v = route_variant(r->dialect, r->operation, r->encoding->name);
    if (v == NULL)
        return ERR_OK;
    if (v->in == &NOT_SPOKEN_rec)
        return failure_event(r, EVENT_UNKNOWN_PATH, ARGS());
    r->io->in_rec = v->in;
    r->io->checks = v->checks;
    return ERR_OK;
}

static enum err
select_row(struct req *r, const struct route_match *m)
{
    enum err e;

    if (m->group == NULL)
        return failure_event(r, EVENT_UNKNOWN_PATH, ARGS());
    e = m->group->by_verb ? select_by_verb(r, m) : select_by_path(r, m);
    return e == ERR_OK ? take_variant(r) : e;
}

void
req_select(struct req *r, const char *verb, const struct encoding *enc)
{
    r->operation = verb;
    r->encoding = enc;
    if (enc != NULL)
        r->form = enc->form;
}

/* ---- input ---- */

/* BIND_LATE: the handler binds when it has looked at other things first; it
 * finds the captures here. */
static _Thread_local const struct route_match *current_match;

enum err
req_bind(struct req *r, void *in)
{
    enum err e = bind_input(r, r->io->in_rec, current_match, in);

    r->io->in = in;
    return e;
}

static enum err
prepare_input(struct req *r, void **in)
{
    const struct record *rec = r->io->in_rec;
    enum err e = ERR_OK;

    *in = arena_alloc(r->arena, rec->size);
    if (*in == NULL)
        return ERR_NOMEM;
    if (r->dialect->query != NULL)
        e = r->dialect->query(r);
    if (e == ERR_OK && (r->endpoint->flags & STRICT_QUERY) != 0)
        e = bind_strict_query(r, rec);
    if (e == ERR_OK && (r->endpoint->flags & LEADER_ONLY) != 0)
        e = r->dialect->leader(r);
    if (e == ERR_OK && (r->endpoint->flags & BIND_LATE) == 0)
        e = req_bind(r, *in);
    return e;
}

enum err
req_check(struct req *r, const void *in)
{
    return checks_run(r, r->io->checks, in);
}

/* ---- the handler ---- */

static void
forget_answer(struct req *r)
{
    struct req_io *io = r->io;

    io->n_headers = 0;
    io->out_rec = NULL;
    io->text = NULL;
    io->source = NULL;
    io->status = 0;
    io->failed = NULL;
    io->failure = (struct failure){ 0 };
    io->target = io->before = io->after = NULL;
    io->audit_lost = false;
    io->job_id = NULL;
    io->wake = false;
    io->then = NULL;
}

/* A connection that cannot roll back is closed, which does. */
static enum err
take_back(struct req *r, struct reply *rp)
{
    enum err e = dry_run_answer(r);

    if (e == ERR_OK)
        e = reply_render(rp);
    (void)!db_end(r->db, ERR_STATE);
    return e;
}

/* The transaction of a mutation. Its reply is made before the commit: what
 * cannot be answered is not done. A duplicate audit row means that a front end
 * has used a request id twice: this one is not done, and not called done. */
static enum err
run_transaction(struct req *r, const void *in, struct reply *rp)
{
    enum err e;

    e = db_begin(r->db);
    if (e == ERR_OK)
        e = r->endpoint->handler(r, in);
    if (e == ERR_OK && r->io->dry_run)
        return take_back(r, rp);
    if (e == ERR_OK)
        e = reply_render(rp);
    if (e == ERR_OK)
        e = req_audit_write(r);
    e = db_end(r->db, e);
    if (e == ERR_EXISTS && !req_failed(r) &&
        strcmp(db_dup_index(r->db), "audit_request_id") == 0) {
        log_error("request.id_used_twice id=%s", r->trace.request);
        e = ERR_INTERNAL;
    }
    return e;
}

/* What a duplicate key means is a row of errors.def. */
static enum err
name_duplicate(struct req *r)
{
    const struct unique_text *u = r->dialect->uniques;

    for (; u->index != NULL; u++)
        if (strcmp(u->index, db_dup_index(r->db)) == 0)
            return req_fail(r, u->error, ARGS());
    return ERR_EXISTS;
}

static enum err
run_once(struct req *r, const void *in, struct reply *rp)
{
    unsigned flags = r->endpoint->flags;
    enum err e = ERR_OK;

    forget_answer(r);
    if ((flags & TX) != 0)
        return run_transaction(r, in, rp);
    if ((flags & SNAPSHOT) != 0)
        e = db_begin_snapshot(r->db);
    if (e == ERR_OK)
        e = r->endpoint->handler(r, in);
    if (e == ERR_OK)
        e = reply_render(rp);
    /* or the handler's own, which had first to see what is kept */
    if ((flags & SNAPSHOT) != 0 || db_in_transaction(r->db))
        e = db_end(r->db, e);
    return e;
}

/* Statements that were sent together and failed do not say which of them it
 * was: the handler is run again at once, and each is sent by itself. This is
 * no collision, and happens once. */
static enum err
run_batched(struct req *r, const void *in, struct reply *rp, bool *batched)
{
    enum err e;

    db_batch(r->db, *batched);
    e = run_once(r, in, rp);
    if (e == ERR_OK || !*batched || rp->head_sent || !db_batch_undone(r->db))
        return e;
    *batched = false;
    db_batch(r->db, false);
    return run_once(r, in, rp);
}

/* Those who collided do not meet again at once, and another host of a
 * cluster gets a moment; short against the deadline. */
static void
pause_before_run(int runs)
{
    struct timespec t = { 0 };
    uint32_t jitter = 0;

    (void)!crypt_random(&jitter, sizeof(jitter));
    t.tv_nsec = (long)(1 + jitter % (uint32_t)(10 * runs)) * 1000000L;
    (void)nanosleep(&t, NULL);
}

/* After a collision at the server, or when the handler says BUSY: what it read
 * first and what it read then do not go together, for another transaction
 * ended in between. */
static bool
may_run_again(const struct req *r, enum err e)
{
    bool busy = e == ERR_BUSY && (r->endpoint->flags & TX) != 0 &&
                (r->deadline_ms == 0 || clock_mono_ms() < r->deadline_ms);

    return busy || db_may_rerun(r->db);
}

static enum err
run(struct req *r, const void *in, struct reply *rp)
{
    /* one transaction; of a dry run the end sends nothing */
    bool batched = (r->endpoint->flags & TX) != 0 && !r->io->dry_run;
    enum err e = ERR_OK;

    for (int runs = 1;; runs++) {
        e = run_batched(r, in, rp, &batched);
        if (e == ERR_OK || req_failed(r) || rp->head_sent || runs == RUNS_MAX ||
            !may_run_again(r, e))
            break;
        metrics_add(METRIC_RERUNS, 1);
        pause_before_run(runs);
        log_info("request.again operation=%s errno=%u run=%d", r->operation,
                 db_errno(r->db), runs);
    }
    db_batch(r->db, false);
    if (e == ERR_EXISTS && !req_failed(r))
        e = name_duplicate(r);
    return e;
}

/* ---- the whole ---- */

/* What was committed is waited for: the answer is that of the end. */
static enum err
go_on(struct req *r, struct reply *rp)
{
    enum err (*then)(struct req *, void *) = r->io->then;
    void *ctx = r->io->then_ctx;
    enum err e;

    forget_answer(r);
    e = then(r, ctx);
    return e == ERR_OK ? reply_render(rp) : e;
}

static enum err
serve(struct req *r, const struct route_match *m, struct reply *rp)
{
    void *in = NULL;
    enum err e;

    e = check_identity(r, m);
    if (e == ERR_OK)
        e = select_row(r, m);
    if (e == ERR_OK)
        e = check_scope(r);
    if (e == ERR_OK)
        e = dry_run_ask(r);
    if (e == ERR_OK)
        e = prepare_input(r, &in);
    if (e != ERR_OK)
        return e;
    if (r->dialect->admit != NULL)
        e = r->dialect->admit(r, in);
    if (e != ERR_OK)
        return e;
    reply_init(rp, r);
    return run(r, in, rp);
}

/* The path below the mount, as messages name it. */
static const char *
operation_of(const struct req *r)
{
    size_t n = strlen(r->mount->prefix);
    const char *p = r->path;

    if (strncmp(p, r->mount->prefix, n) == 0)
        p += n;
    return *p == '/' ? p + 1 : p;
}

static void
log_request(const struct req *r, enum err e)
{
    int64_t ms = clock_mono_ms() - r->started_ms;
    bool mutation = r->endpoint != NULL && (r->endpoint->flags & TX) != 0;

    if (e == ERR_STORE || e == ERR_INTERNAL || e == ERR_NOMEM ||
        e == ERR_TIMEOUT)
        log_error("request.failed listener=%s operation=%s err=%s errno=%u "
                  "why=\"%s\" ms=%lld",
                  r->listener, r->operation, err_name(e), db_errno(r->db),
                  db_error(r->db), (long long)ms);
    else if (mutation || ms >= SLOW_REQUEST_MS)
        log_info("request.done listener=%s operation=%s token=%s target=%s "
                 "err=%s ms=%lld dry_run=%s",
                 r->listener, r->operation, r->token_name,
                 r->io->target == NULL ? "" : r->io->target, err_name(e),
                 (long long)ms, r->io->dry_run ? "yes" : "no");
}

static void
count_request(const struct req *r, enum err e, int64_t us)
{
    if (r->endpoint == NULL) {
        metrics_add(METRIC_UNROUTED, 1);
        return;
    }
    metrics_request(tables_row(r->dialect, r->endpoint),
                    e == ERR_OK ? r->endpoint->status : r->io->failure.http,
                    us);
}

static void
enter(struct req *r, struct route_match *m)
{
    route_find(r->listener, r->path, m);
    r->dialect = m->dialect;
    r->mount = m->mount;
    r->form = m->mount->form;
    r->method_bit = method_bit(r->method);
    r->operation = operation_of(r);
    current_match = m;
    db_request_id(r->db, r->trace.request);
    db_deadline(r->db, r->deadline_ms);
}

static void
answer_failure(struct req *r, struct reply *rp, enum err e)
{
    if (!req_failed(r))
        (void)failure_set(r, failure_default(r->dialect, e), ARGS());
    reply_send_failure(rp);
}

void
dispatch(struct req *r)
{
    int64_t start_us = clock_mono_us();
    struct route_match m;
    struct reply rp;
    enum err e;

    enter(r, &m);
    reply_init(&rp, r);
    e = serve(r, &m, &rp);
    if (e == ERR_OK && r->io->wake)
        wake_send();
    if (e == ERR_OK && r->io->then != NULL)
        e = go_on(r, &rp);
    if (e == ERR_OK)
        reply_send(&rp);
    else
        answer_failure(r, &rp, e);
    reply_free(&rp);
    count_request(r, e, clock_mono_us() - start_us);
    log_request(r, e);
    current_match = NULL;
}

void
dispatch_refuse(struct req *r, enum event event, struct args args)
{
    struct route_match m;
    struct reply rp;

    enter(r, &m);
    reply_init(&rp, r);
    answer_failure(r, &rp, failure_event(r, event, args));
    reply_free(&rp);
    current_match = NULL;
}
