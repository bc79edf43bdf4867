/* FastCGI parameters and standard input to struct req; its answer back. */
#include "request.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcgios.h>

#include "clock.h"
#include "api/dispatch.h"
#include "intake.h"
#include "lanes.h"
#include "log.h"
#include "metrics.h"
#include "number.h"
#include "pairs.h"
#include "peer.h"
#include "identity/params.h"
#include "request/req_io.h"

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
    struct intake intake;
    bool unread; /* a rest of the body is on the connection */
};

static int may_wait;     /* set before threads */
static _Atomic int held; /* threads that wait for a reader */

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
    may_wait = rules->may_wait;
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
    return !str_empty(v) ? v : NULL; /* front ends send absent ones empty */
}

/* A front end whose client has left closes the connection; nothing else is
 * read from it while a request is under way. */
static bool
io_client_gone(struct req_io *io)
{
    struct request *q = io->ctx;
    char c;

    return recv(q->fcgi.ipcFd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool
io_stopping(struct req_io *io)
{
    const struct request *q = io->ctx;

    return atomic_load(q->rules->hurry);
}

static int
io_ask_peer(struct req_io *io, unsigned n, const char *target)
{
    const struct request *q = io->ctx;

    return peer_ask(n, q->fcgi.envp, io->query_token, target);
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
    put(q, q->req.trace.request);
    put(q, "\r\n\r\n");
    put(q, text);
    put(q, "\n");
    q->unread = true;
    return REQUEST_ANSWERED;
}

/* A request that is not whole is neither answered nor acted upon. */
static enum request_next
drop_broken(struct request *q, const char *why)
{
    log_info("request.broken listener=%s why=\"%s\"", q->req.listener, why);
    io_abort(&q->io);
    return REQUEST_ANSWERED;
}

/* ---- the body ---- */

/* CONTENT_LENGTH; -1 when the front end does not say. */
static int64_t
declared_length(const struct request *q)
{
    int64_t n = -1;

    (void)!number_read(param(q, "CONTENT_LENGTH"), INT64_MAX, &n);
    return n;
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
    if (buf_err(&q->body) == ERR_NOMEM)
        return false;
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

/* What has come of the request that this thread reads. */
static _Thread_local struct pairs pairs;

/* libfcgi reads by this function, its door to the system, and takes ours in
 * place of its own. */
int
OS_Read(int fd, char *buf, size_t len)
{
    ssize_t n = read(fd, buf, len);

    if (n <= 0 || pairs_pass(&pairs, buf, (size_t)n))
        return (int)n;
    log_warn("request.broken why=\"parameters of more than %llu bytes\"",
             (unsigned long long)PAIRS_MAX_BYTES);
    errno = EPROTO;
    return -1;
}

/* ---- writing ---- */

#define HELD_MS    30000
#define CROWDED_MS 100

static bool
is_writable(int fd, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int n;

    do
        n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

/* Until there is room. Half of the threads may wait long, but none for whose
 * place another request waits. Whoever waits counts from the first moment:
 * readers that come while so many wait would otherwise hold the other half by
 * turns. */
static bool
wait_for_reader(int fd)
{
    bool crowded = atomic_fetch_add(&held, 1) >= may_wait;
    int ms = 0;
    bool ready;

    do {
        ready = is_writable(fd, CROWDED_MS);
        ms += CROWDED_MS;
    } while (!ready && !crowded && ms < HELD_MS && !lanes_wanted());
    atomic_fetch_sub(&held, 1);
    if (ready)
        return true;
    metrics_add(METRIC_SLOW_READERS, 1);
    log_info("request.broken why=\"its reader is slow\"");
    return false;
}

/* As OS_Read. What has begun and cannot be ended breaks the connection. */
int
OS_Write(int fd, char *buf, size_t len)
{
    ssize_t n;

    while ((n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 &&
           errno == EAGAIN)
        if (!wait_for_reader(fd)) {
            /* libfcgi would write once more to end it, and wait again */
            (void)shutdown(fd, SHUT_RDWR);
            errno = ETIMEDOUT;
            return -1;
        }
    return (int)n;
}

static bool
fcgi_accept(struct request *q, int fd)
{
    q->fcgi.listen_sock =
        -1; /* connections are accepted by fcgi/worker/park.c */
    q->fcgi.ipcFd = fd;
    q->fcgi.keepConnection = 1;  /* or libfcgi closes it before it reads */
    (void)FCGX_Detach(&q->fcgi); /* see request_finish */
    pairs = (struct pairs){ .n = 0 };
    return FCGX_Accept_r(&q->fcgi) == 0;
}

static void
begin(struct request *q)
{
    q->unread = false;
    q->io = (struct req_io){ .write = io_write,
                             .abort = io_abort,
                             .param = io_param,
                             .client_gone = io_client_gone,
                             .stopping = io_stopping,
                             .ask_peer = io_ask_peer,
                             .take_peer = peer_take,
                             .ctx = q };
    q->req = (struct req){ .arena = q->arena,
                           .io = &q->io,
                           .started_ms = clock_mono_ms() };
}

static enum request_next
answer_verdict(struct request *q, enum intake_verdict v)
{
    switch (v) {
    case INTAKE_FORGED:
        return answer_plain(q, "403 Forbidden", "not our front end");
    case INTAKE_LISTENER:
        return answer_plain(q, "500 Internal Server Error", "unknown listener");
    default:
        log_error("request.memory listener=%s", q->req.listener);
        return answer_plain(q, "503 Service Unavailable\r\nRetry-After: 1",
                            "out of memory");
    }
}

enum request_next
request_read(struct request *q, int fd)
{
    enum intake_verdict v;

    if (!fcgi_accept(q, fd)) {
        q->fcgi.ipcFd = -1;
        return REQUEST_GONE;
    }
    begin(q);
    v = intake(&q->req, q->fcgi.envp, q->rules, &q->intake);
    if (v != INTAKE_OK)
        return answer_verdict(q, v);
    if (!read_body(q))
        return drop_broken(q, "the body is not as long as declared");
    if (!q->intake.refused && !q->intake.slow)
        q->intake.slow = dispatch_peek_verbs(&q->req);
    return q->intake.slow ? REQUEST_SLOW : REQUEST_FAST;
}

bool
request_row(const struct request *q, size_t *row, bool *writes)
{
    *row = q->intake.row;
    *writes = q->intake.writes;
    return q->intake.known;
}

/* ---- answering ---- */

static void
refuse_by(struct request *q, struct db *db, enum event event)
{
    q->req.db = db;
    log_trace(&q->req.trace);
    dispatch_refuse(&q->req, event, ARGS(arg("parameter", q->intake.fault)));
    log_trace(NULL);
}

void
request_refuse_busy(struct request *q, struct db *db)
{
    refuse_by(q, db, EVENT_BUSY);
}

void
request_serve(struct request *q, struct db *db)
{
    if (q->intake.refused) {
        refuse_by(q, db, q->intake.event);
        return;
    }
    if (clock_mono_ms() >= q->req.deadline_ms) { /* it has waited too long */
        request_refuse_busy(q, db);
        return;
    }
    q->req.db = db;
    log_trace(&q->req.trace);
    dispatch(&q->req);
    log_trace(NULL);
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
