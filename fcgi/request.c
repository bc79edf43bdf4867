/* FastCGI parameters and standard input to struct req; its answer back. */
#include "request.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <fastcgi.h>
#include <fcgiapp.h>

#include "clock.h"
#include "dispatch.h"
#include "identity.h"
#include "log.h"
#include "params.h"
#include "req_io.h"
#include "route.h"
#include "uri.h"

/* A connection is handed to libfcgi and taken back by these fields, which its
 * header calls internal. They are those of libfcgi 2.4.2. */
#ifdef __x86_64__
_Static_assert(sizeof(FCGX_Request) == 80, "libfcgi is not 2.4.2");
_Static_assert(offsetof(FCGX_Request, ipcFd) == 48, "libfcgi is not 2.4.2");
_Static_assert(offsetof(FCGX_Request, keepConnection) == 56,
               "libfcgi is not 2.4.2");
_Static_assert(offsetof(FCGX_Request, listen_sock) == 72,
               "libfcgi is not 2.4.2");
#endif

/* Below the time nginx waits for slow answers (nginx/slow.conf). */
#define SLOW_DEADLINE_MS 315000

/* What a request may allocate beside its body: trees and replies. */
#define ARENA_BYTES ((size_t)64 << 20)

/* A body buffer larger than this is not kept for the next request. */
#define BODY_KEPT_BYTES ((size_t)64 << 10)

struct request {
    FCGX_Request fcgi;
    const struct request_rules *rules;
    struct arena *arena;
    struct buf body;
    struct req req;
    struct req_io io;
    const char *token; /* ?token=, for check_tokens */
    const char *fault; /* the query parameter that cannot be read */
    bool refused;      /* answered by `refusal` whatever it asks for */
    enum event refusal;
    bool unread; /* a rest of the body is on the connection */
};

bool
request_init(void)
{
    if (FCGX_Init() != 0)
        return false;
    /* FCGX_Init catches these; SIGTERM ends a worker in its own way */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    return true;
}

struct request *
request_new(const struct request_rules *rules)
{
    struct request *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->rules = rules;
    q->body = (struct buf)BUF_INIT(rules->body_max);
    q->arena = arena_new(ARENA_BYTES + 4 * rules->body_max);
    if (q->arena != NULL && FCGX_InitRequest(&q->fcgi, -1, 0) == 0)
        return q;
    request_free(q);
    return NULL;
}

void
request_free(struct request *q)
{
    if (q == NULL)
        return;
    arena_free(q->arena);
    buf_free(&q->body);
    free(q);
}

/* A parameter of the front end; "" when absent. */
static const char *
param(const struct request *q, const char *name)
{
    return params_get(q->fcgi.envp, name);
}

/* ---- struct req_io ---- */

static enum err
io_write(struct req_io *io, const char *p, size_t n)
{
    struct request *q = io->ctx;
    int part;

    while (n > 0) {
        part = n > (1 << 20) ? 1 << 20 : (int)n;
        if (FCGX_PutStr(p, part, q->fcgi.out) != part)
            return ERR_STATE;
        p += part;
        n -= (size_t)part;
    }
    return ERR_OK;
}

/* Nothing of what libfcgi still holds gets out, END_REQUEST least of all. */
static void
io_abort(struct req_io *io)
{
    struct request *q = io->ctx;

    q->fcgi.keepConnection = 0;
    (void)shutdown(q->fcgi.ipcFd, SHUT_RDWR);
}

static const char *
io_param(struct req_io *io, const char *name)
{
    struct request *q = io->ctx;
    const struct row *mount = q->req.mount;
    const char *v;

    if (!params_shown(name, mount != NULL && mount->auth == AUTH_BASIC))
        return NULL;
    v = param(q, name);
    return v[0] != '\0' ? v : NULL; /* front ends send absent ones empty */
}

/* A front end whose client has left closes the connection; nothing else is
 * read from it while a request is under way. */
static bool
io_client_gone(struct req_io *io)
{
    struct request *q = io->ctx;
    char c;

    return atomic_load(q->rules->hurry) ||
           recv(q->fcgi.ipcFd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* ---- refusals before there is a dialect to word them ---- */

static void
put(struct request *q, const char *text)
{
    (void)io_write(&q->io, text, strlen(text));
}

static enum request_next
answer_plain(struct request *q, const char *status, const char *text)
{
    put(q, "Status: ");
    put(q, status);
    put(q, "\r\nContent-Type: text/plain; charset=utf-8\r\nX-Request-Id: ");
    put(q, q->req.request_id);
    put(q, "\r\n\r\n");
    put(q, text);
    put(q, "\n");
    q->unread = true;
    return REQUEST_ANSWERED;
}

static enum request_next
answer_no_memory(struct request *q)
{
    log_error("request.memory listener=%s", param(q, "MG_LISTENER"));
    return answer_plain(q, "503 Service Unavailable\r\nRetry-After: 1",
                        "out of memory");
}

/* A request that is not whole is neither answered nor acted upon. */
static enum request_next
drop_broken(struct request *q, const char *why)
{
    log_info("request.broken listener=%s why=\"%s\"", q->req.listener, why);
    io_abort(&q->io);
    return REQUEST_ANSWERED;
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
identify(struct request *q)
{
    struct req *r = &q->req;

    if (q->rules->secret != NULL)
        identity_from_front_end(r, q->fcgi.envp);
    else if (!asks_basic(r))
        return identity_from_token(r, q->fcgi.envp, q->token);
    return ERR_OK;
}

/* ---- what is asked ---- */

static void
refuse(struct request *q, enum event event)
{
    q->refused = true;
    q->refusal = event;
}

/* How the listener's dialect reads targets. */
static unsigned
uri_rules(const struct req *r)
{
    struct route_match m;

    route_find(r->listener, "", &m);
    return m.dialect != NULL ? m.dialect->uri : 0;
}

static enum err
read_target(struct request *q)
{
    struct uri uri;
    enum err e = uri_parse_by(q->arena, param(q, "REQUEST_URI"),
                              uri_rules(&q->req), &uri);

    q->req.path = uri.path;
    q->req.query = uri.query;
    q->req.n_query = uri.n_query;
    q->token = q->io.query_token = uri.token;
    if (e != ERR_BAD_PARAM)
        return e;
    q->fault = uri.fault;
    refuse(q, EVENT_MALFORMED);
    return ERR_OK;
}

/* CONTENT_LENGTH; -1 when the front end does not say. */
static int64_t
declared_length(const struct request *q)
{
    const char *text = param(q, "CONTENT_LENGTH");
    char *end;
    long long n;

    if (text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    n = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? n : -1;
}

/* To the end of the stream, also when nothing is declared: what is left on
 * the connection would be taken for the next request. */
static void
read_stream(struct request *q)
{
    char chunk[8192];
    int n;

    do {
        n = FCGX_GetStr(chunk, sizeof(chunk), q->fcgi.in);
        buf_put(&q->body, chunk, (size_t)n);
    } while (n == (int)sizeof(chunk) && !q->body.failed);
}

static void
body_too_large(struct request *q)
{
    q->io.body_too_large = true;
    q->unread = true;
}

/* Whether the body came as it was declared. */
static bool
read_body(struct request *q)
{
    int64_t declared = declared_length(q);

    if (declared > (int64_t)q->rules->body_max) {
        body_too_large(q);
        return true;
    }
    read_stream(q);
    if (q->body.failed) {
        body_too_large(q);
        return true;
    }
    q->req.body = buf_text(&q->body);
    q->req.body_bytes = q->body.n;
    return FCGX_GetError(q->fcgi.in) == 0 &&
           (declared < 0 || (size_t)declared == q->body.n);
}

/* ---- reading ---- */

static bool
fcgi_accept(struct request *q, int fd)
{
    q->fcgi.listen_sock = -1; /* connections are accepted by fcgi/park.c */
    q->fcgi.ipcFd = fd;
    q->fcgi.keepConnection = 1;  /* or libfcgi closes it before it reads */
    (void)FCGX_Detach(&q->fcgi); /* see request_finish */
    return FCGX_Accept_r(&q->fcgi) == 0;
}

static void
begin(struct request *q)
{
    const char *slash;

    q->io = (struct req_io){ .write = io_write,
                             .abort = io_abort,
                             .param = io_param,
                             .client_gone = io_client_gone,
                             .ctx = q };
    q->req = (struct req){
        .arena = q->arena,
        .io = &q->io,
        .started_ms = clock_mono_ms(),
        .listener = param(q, "MG_LISTENER"),
        .method = param(q, "REQUEST_METHOD"),
        .path = "",
        .body = "",
        .token_name = "",
        .request_id = "",
    };
    slash = strchr(q->req.listener, '/');
    q->req.listener_tail = slash != NULL ? slash + 1 : "";
    q->token = "";
    q->fault = "";
    q->refused = false;
    q->unread = false;
}

/* Who may ask at all: our front end, for a listener that exists. */
static bool
admit(struct request *q, enum request_next *next)
{
    const char *id = identity_request_id(q->arena, q->fcgi.envp);

    if (id == NULL) {
        *next = answer_no_memory(q);
        return false;
    }
    q->req.request_id = id;
    if (q->rules->secret != NULL &&
        !identity_front_end(q->fcgi.envp, q->rules->secret)) {
        log_warn("request.forged listener=%s", q->req.listener);
        *next = answer_plain(q, "403 Forbidden", "not our front end");
        return false;
    }
    if (!dispatch_knows_listener(q->req.listener)) {
        log_error("request.listener name=%s", q->req.listener);
        *next =
            answer_plain(q, "500 Internal Server Error", "unknown listener");
        return false;
    }
    return true;
}

static enum request_next
classify(struct request *q)
{
    struct req *r = &q->req;
    bool slow =
        !q->refused &&
        (dispatch_peek_flags(r->listener, r->method, r->path) & SLOW) != 0;

    r->deadline_ms =
        r->started_ms + (slow ? SLOW_DEADLINE_MS : q->rules->deadline_ms);
    return slow ? REQUEST_SLOW : REQUEST_FAST;
}

enum request_next
request_read(struct request *q, int fd)
{
    enum request_next next;
    enum err e;

    if (!fcgi_accept(q, fd)) {
        q->fcgi.ipcFd = -1;
        return REQUEST_GONE;
    }
    begin(q);
    if (!admit(q, &next))
        return next;
    e = read_target(q);
    if (e == ERR_OK)
        e = identify(q);
    if (e != ERR_OK)
        return answer_no_memory(q);
    /* a stranger learns that he is one, whatever else is wrong */
    if (q->refused && q->req.rights == 0 && !asks_basic(&q->req))
        refuse(q, EVENT_NO_TOKEN);
    if (!read_body(q))
        return drop_broken(q, "the body is not as long as declared");
    return classify(q);
}

/* ---- answering ---- */

static void
refuse_by(struct request *q, struct db *db, enum event event)
{
    q->req.db = db;
    log_request_id(q->req.request_id);
    dispatch_refuse(&q->req, event, ARGS(arg("parameter", q->fault)));
    log_request_id(NULL);
}

void
request_refuse_busy(struct request *q, struct db *db)
{
    refuse_by(q, db, EVENT_BUSY);
}

void
request_serve(struct request *q, struct db *db)
{
    if (q->refused) {
        refuse_by(q, db, q->refusal);
        return;
    }
    if (clock_mono_ms() >= q->req.deadline_ms) { /* it has waited too long */
        request_refuse_busy(q, db);
        return;
    }
    q->req.db = db;
    log_request_id(q->req.request_id);
    dispatch(&q->req);
    log_request_id(NULL);
}

/* ---- the end ---- */

static FCGI_Header
record_header(unsigned char type, int id, unsigned char length)
{
    return (FCGI_Header){ .version = FCGI_VERSION_1,
                          .type = type,
                          .requestIdB1 = (unsigned char)(id >> 8),
                          .requestIdB0 = (unsigned char)(id & 0xff),
                          .contentLengthB0 = length };
}

/* The end of the reply, and that of the connection, in one write. A front end
 * that reads END_REQUEST alone may send its next request before it sees that
 * we close, and would lose it. nginx keeps no connection on which something
 * follows END_REQUEST, so an empty management record does; others skip it. */
static void
end_for_good(struct request *q)
{
    const int id = q->fcgi.requestId;
    const struct {
        FCGI_Header no_more_output;
        FCGI_EndRequestRecord end;
        FCGI_Header after_the_end;
    } tail = {
        record_header(FCGI_STDOUT, id, 0),
        { record_header(FCGI_END_REQUEST, id, sizeof(FCGI_EndRequestBody)),
          { .protocolStatus = FCGI_REQUEST_COMPLETE } },
        record_header(FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID, 0),
    };

    if (FCGX_FFlush(q->fcgi.out) == 0)
        (void)send(q->fcgi.ipcFd, &tail, sizeof(tail), MSG_NOSIGNAL);
    /* what libfcgi writes now goes nowhere */
    (void)shutdown(q->fcgi.ipcFd, SHUT_WR);
    q->fcgi.keepConnection = 0;
}

static void
reset(struct request *q)
{
    arena_reset(q->arena);
    if (q->body.cap > BODY_KEPT_BYTES)
        buf_free(&q->body);
    buf_reset(&q->body);
}

int
request_finish(struct request *q, bool keep)
{
    int fd;

    if (q->fcgi.keepConnection && (!keep || q->unread))
        end_for_good(q);
    /* libfcgi reads what still comes, for up to 2 s without any, before it
     * closes an attached connection. That saves the reply when the peer is
     * still sending; otherwise it would only hold the thread. */
    if (q->unread)
        (void)FCGX_Attach(&q->fcgi);
    FCGX_Finish_r(&q->fcgi);
    fd = q->fcgi.ipcFd; /* -1 when libfcgi has closed it */
    q->fcgi.ipcFd = -1;
    reset(q);
    return fd;
}
