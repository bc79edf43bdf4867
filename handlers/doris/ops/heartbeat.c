/* Heartbeats to compute nodes: many at once, each with a short call of its
 * own, so that one that does not answer holds up nobody. What a node said
 * last stays when it falls silent.
 *
 * A node takes the sender of a heartbeat for its front end when the epoch is
 * newer than what it knows, and joins the cluster_id when it has none. So by
 * default ours carry neither (-1, 0): a real node refuses them and stays as
 * it is. With [doris] heartbeat_fe, _cluster_id and _epoch as the front end
 * has them, a node answers, and nothing changes for it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "doris/settings.h"
#include "clock.h"
#include "duties.h"
#include "egress.h"
#include "heartbeat.h"
#include "log.h"
#include "thrift.h"

#define PAGE         4096 /* nodes asked at once; a descriptor each */
#define SPARE_FILES  128
#define SAVED        128 /* in one transaction */
#define ANSWER_BYTES 1024
#define PAGE_MS      2000 /* for all of a page */
#define NAMES_MS     1000 /* for its names, before */
#define FORGET_EVERY 12   /* rounds */

/* Where the round is; between rounds addr is empty. */
struct beats {
    char addr[256];
    int32_t port;
    unsigned rounds;
    int64_t begun_ms; /* when the round was, monotonic; 0: none has been */
};

/* One call. fd -1: not begun, or over. */
struct call {
    const struct doris_peer_row *peer;
    int fd;
    bool begun;
    size_t sent, got, room;
    char *answer; /* once there is one; up to DORIS_BEAT_BYTES */
    struct doris_beat beat;
    bool answered;
};

static void
close_call(struct call *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
}

static void
open_call(struct call *c)
{
    struct egress_address to;
    char why[WHY_BYTES], at[ADDRESS_BYTES];
    enum err e;

    c->fd = -1;
    e = egress_lookup(c->peer->addr, (unsigned)c->peer->port, &to, why);
    c->begun = e != ERR_BUSY;
    if (e == ERR_OK && egress_begin(&to, &c->fd) == ERR_OK)
        return;
    log_debug("doris.heartbeat node=%s why=\"%s\"",
              address_print(c->peer->addr, c->peer->port, at, sizeof(at)), why);
}

/* A name that its server is slow about is left for the next round, by which
 * it may be known. */
static void
open_all(struct call *v, size_t n)
{
    int64_t until_ms = clock_mono_ms() + NAMES_MS;
    uint64_t seen = 0;
    bool all;

    do {
        all = true;
        for (size_t i = 0; i < n; i++) {
            if (!v[i].begun)
                open_call(&v[i]);
            all = all && v[i].begun;
        }
    } while (!all && egress_lookup_wait(&seen, until_ms));
}

static void
go_on_sending(struct call *c, const struct buf *ask)
{
    ssize_t n = send(c->fd, ask->p + c->sent, ask->n - c->sent, MSG_NOSIGNAL);

    if (n >= 0)
        c->sent += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        close_call(c);
}

/* Most answers are short; there may be thousands at once. */
static bool
grow(struct call *c, struct arena *a)
{
    size_t room = c->room == 0 ? ANSWER_BYTES : 4 * c->room;
    char *more;

    if (room > DORIS_BEAT_BYTES)
        room = DORIS_BEAT_BYTES;
    more = room > c->room ? arena_alloc(a, room) : NULL;
    if (more == NULL)
        return false;
    if (c->got > 0)
        memcpy(more, c->answer, c->got);
    c->answer = more;
    c->room = room;
    return true;
}

static void
go_on_reading(struct call *c, struct arena *a)
{
    ssize_t n;
    enum err e;

    if (c->got == c->room && !grow(c, a)) {
        close_call(c);
        return;
    }
    n = recv(c->fd, c->answer + c->got, c->room - c->got, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->got += (size_t)n;
    e = n <= 0 ? ERR_PEER : doris_beat_read(c->answer, c->got, &c->beat);
    if (e == ERR_BUSY)
        return;
    c->answered = e == ERR_OK && c->beat.ok;
    close_call(c);
}

/* The calls that are not over, for poll. */
static nfds_t
gather(const struct call *v, size_t n, const struct buf *ask,
       struct pollfd *out)
{
    nfds_t open = 0;

    for (size_t i = 0; i < n; i++) {
        short wants = v[i].sent < ask->n ? POLLOUT : POLLIN;

        out[i] = (struct pollfd){ .fd = v[i].fd, .events = wants };
        open += v[i].fd >= 0;
    }
    return open;
}

static void
converse(struct call *v, size_t n, const struct buf *ask, struct arena *a)
{
    int64_t until_ms = clock_mono_ms() + PAGE_MS;
    struct pollfd p[PAGE];

    while (gather(v, n, ask, p) > 0) {
        int64_t left = until_ms - clock_mono_ms();

        if (left <= 0 || (poll(p, n, (int)left) < 0 && errno != EINTR))
            break;
        for (size_t i = 0; i < n; i++) {
            if (v[i].fd < 0 || p[i].revents == 0)
                continue;
            if (v[i].sent < ask->n)
                go_on_sending(&v[i], ask);
            else
                go_on_reading(&v[i], a);
        }
    }
    for (size_t i = 0; i < n; i++)
        close_call(&v[i]);
}

/* Whom the nodes take us for. */
static enum err
write_call(struct buf *ask)
{
    char host[256] = "";
    unsigned port = 0;
    struct doris_master m = {
        .host = host,
        .cluster_id = (int32_t)doris_settings()->heartbeat_cluster_id,
        .epoch = doris_settings()->heartbeat_epoch,
    };

    if (*doris_settings()->heartbeat_fe != '\0' &&
        address_read(doris_settings()->heartbeat_fe,
                     strlen(doris_settings()->heartbeat_fe), 0, host,
                     sizeof(host), &port) != ERR_OK)
        log_warn("doris.heartbeat_fe value=%s why=\"not host:port\"",
                 doris_settings()->heartbeat_fe);
    m.port = (int32_t)port;
    doris_beat_ask(ask, &m);
    return buf_err(ask);
}

static enum err
save(struct duty_run *run, const struct call *v, size_t n)
{
    int64_t now_ms = clock_unix_ms();
    enum err e = lease_begin(run->db, run->lease);

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        if (v[i].answered)
            e = doris_store_beat(run->db, v[i].peer, &v[i].beat, now_ms);
    return db_end(run->db, e);
}

static enum err
save_all(struct duty_run *run, const struct call *v, size_t n)
{
    enum err e = ERR_OK;
    size_t part;

    for (; n > 0 && e == ERR_OK; v += part, n -= part) {
        part = n < SAVED ? n : SAVED;
        e = save(run, v, part);
    }
    return e;
}

/* As many at once as there are descriptors for, so that thousands that do not
 * answer cost one wait, not one for each hundred. */
static size_t
page_size(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return SAVED;
    if (files.rlim_cur < files.rlim_max && files.rlim_cur < 2 * PAGE) {
        files.rlim_cur = files.rlim_max < 2 * PAGE ? files.rlim_max : 2 * PAGE;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur >= PAGE + SPARE_FILES)
        return PAGE;
    return files.rlim_cur > 2 * SPARE_FILES ? files.rlim_cur - SPARE_FILES
                                            : SAVED;
}

static enum err
ask_page(struct duty_run *run, const struct list_of_doris_peer_row *peers)
{
    struct buf ask = BUF_INIT(1024);
    struct call *v = arena_array(run->arena, peers->n, sizeof(*v));
    enum err e = v == NULL ? ERR_NOMEM : write_call(&ask);

    if (e == ERR_OK) {
        for (size_t i = 0; i < peers->n; i++)
            v[i].peer = &peers->v[i];
        open_all(v, peers->n);
        converse(v, peers->n, &ask, run->arena);
        e = save_all(run, v, peers->n);
    }
    buf_free(&ask);
    return e;
}

/* The interval is from one round's begin to the next one's, however long the
 * silent nodes of it were waited for; it may be changed between two. */
static bool
is_due(const struct beats *b, int64_t now_ms)
{
    return !str_empty(b->addr) || b->begun_ms == 0 ||
           now_ms - b->begun_ms >= doris_settings()->heartbeat_s * 1000;
}

static void
begin_round(struct beats *b, int64_t now_ms)
{
    if (str_empty(b->addr))
        b->begun_ms = now_ms;
}

static void
end_round(struct beats *b)
{
    *b = (struct beats){ .rounds = b->rounds + 1, .begun_ms = b->begun_ms };
}

/* NOT_FOUND: the round is over. */
static enum err
step(struct duty_run *run, struct beats *b)
{
    struct list_of_doris_peer_row peers = { 0, NULL };
    const size_t page = page_size();
    enum err e;

    begin_round(b, clock_mono_ms());
    e = doris_store_peers(run->db, run->arena, b->addr, b->port, page, &peers);
    if (e == ERR_OK && peers.n > 0) {
        const struct doris_peer_row *last = &peers.v[peers.n - 1];

        e = ask_page(run, &peers);
        b->port = last->port;
        (void)strncpy(b->addr, last->addr, sizeof(b->addr) - 1);
    }
    if (e != ERR_OK || peers.n == page)
        return e;
    end_round(b);
    if (b->rounds % FORGET_EVERY == 0) {
        egress_lookup_forget();
        e = doris_store_beats_forget(run->db);
    }
    return e == ERR_OK ? ERR_NOT_FOUND : e;
}

enum turn
doris_heartbeat(struct duty_run *run)
{
    char why[WHY_BYTES];
    enum err e;

    if (doris_settings()->heartbeat_s == 0)
        return TURN_IDLE;
    if (run->memory == NULL) {
        if (egress_init(why) != ERR_OK) {
            log_error("doris.heartbeat why=\"%s\"", why);
            return TURN_FAILED;
        }
        run->memory = calloc(1, sizeof(struct beats));
    }
    if (run->memory == NULL)
        return TURN_FAILED;
    if (!is_due(run->memory, clock_mono_ms()))
        return TURN_IDLE;
    e = step(run, run->memory);
    if (e != ERR_OK && e != ERR_NOT_FOUND && e != ERR_STATE)
        log_warn("doris.heartbeat err=%s errno=%u why=\"%s\"", err_name(e),
                 db_errno(run->db), db_error(run->db));
    return e == ERR_NOT_FOUND ? TURN_IDLE : turn_of(e, true);
}

void
doris_heartbeat_end(void *memory)
{
    free(memory);
}
