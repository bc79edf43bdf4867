/* What was kept of a binlog, played again: a server on the restored data, which
 * nobody else reaches, finds the transactions as its own relay log and applies
 * them as a replica does. So everything that a binlog can hold is understood,
 * and each transaction keeps its GTID, by which is seen that all of them are
 * there. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/tool.h"
#include "base/beneath.h"
#include "clock.h"
#include "config.h"
#include "instance/copy.h"
#include "instance/mariadb_int.h"
#include "instance/paths.h"
#include "log.h"
#include "my.h"
#include "place.h"
#include "relay.h"

#define ROUND_BYTES ((int64_t)1 << 30)
#define START_MS    120000
#define ANSWER_MS   60000
#define END_MS      600000
#define ASK_US      20000
#define ASK_BYTES   ((size_t)1 << 20)

struct play {
    const struct instance_spec *s;
    const struct instance_watch *w;
    struct home home[HOMES_MAX];
    int dir;            /* the data home */
    const char *path;   /* of the relay logs */
    const char *init;   /* the statements of its first start */
    struct instance at; /* the server on what was loaded */
    int64_t domain;     /* of the transactions: where the backup is from */
    struct arena *a;    /* of one question */
    struct tool tool;
    struct my *my;
    char *why;
};

static bool
goes_on(const struct play *p)
{
    return p->w == NULL || p->w->go_on == NULL || p->w->go_on(p->w->ctx);
}

static enum err
failed(struct play *p, const char *doing)
{
    return instance_failed(p->my, doing, p->why);
}

/* Its own last words say more than a lost connection. */
static enum err
server_failed(struct play *p, const char *what)
{
    char line[512];

    tool_last_line(&p->tool, line, sizeof(line));
    return why_fail(p->why, ERR_STATE, "%s: %.400s", what, line);
}

/* ---- its server ---- */

static enum err
start(struct play *p)
{
    struct argv argv = ARGV_INIT;
    enum err e;

    mariadb_driver.command(&p->at, &argv);
    argv_add(&argv, "--skip-slave-start");
    argv_add(&argv, "--server-id=%lld", (long long)RELAY_SERVER_ID);
    argv_add(&argv, "--relay-log=%s/relay", p->path);
    argv_add(&argv, "--relay-log-index=%s/relay.index", p->path);
    argv_add(&argv, "--relay-log-recovery=0");
    argv_add(&argv, "--slave-max-allowed-packet=1073741824");
    argv_add(&argv, "--max-allowed-packet=1073741824");
    argv_add(&argv, "--event-scheduler=0");
    argv_add(&argv, "--character-set-server=utf8mb4");
    argv_add(&argv, "--innodb-buffer-pool-size=%lld",
             (long long)p->s->memory_bytes);
    argv_add(&argv, "--innodb-log-file-size=%dM",
             (int)config()->instance_redo_mib);
    argv_add(&argv, "--innodb-undo-tablespaces=0");
    argv_add(&argv, "--innodb-use-native-aio=0");
    /* it ends in order, or what it has done is thrown away */
    argv_add(&argv, "--innodb-flush-log-at-trx-commit=0");
    e = argv_done(&argv);
    if (e == ERR_OK)
        e = tool_start(&p->tool, &argv, mariadb_driver.env, true, p->why);
    argv_free(&argv);
    return e;
}

static enum err
await_ready(struct play *p)
{
    int64_t until = clock_mono_ms() + START_MS;
    bool ready = false, ended = false;
    int fd = -1;

    while (!ready && !ended && goes_on(p) && clock_mono_ms() < until) {
        ready = mariadb_driver.ready(&p->at, &fd);
        ended = !ready && tool_has_ended(&p->tool);
        if (!ready)
            (void)usleep(ASK_US);
    }
    if (fd >= 0)
        (void)close(fd);
    if (ready)
        return ERR_OK;
    if (!ended && !goes_on(p))
        return why_fail(p->why, ERR_STATE, "broken off");
    return server_failed(p,
                         "the server that applies the binlog does not start");
}

static enum err
log_in(struct play *p)
{
    struct my_server server = {
        .user = p->s->admin_user,
        .password = p->s->admin_secret,
        .connect_timeout_s = ANSWER_MS / 1000,
        .read_timeout_s = ANSWER_MS / 1000,
    };
    char text[256];
    enum err e;

    (void)snprintf(text, sizeof(text), "unix:%s", p->at.socket);
    e = my_address_parse(text, strlen(text), &server.at);
    p->my = e == ERR_OK ? my_open() : NULL;
    if (p->my == NULL)
        return why_fail(p->why, ERR_NOMEM, "out of memory");
    e = my_connect(p->my, &server, clock_mono_ms() + ANSWER_MS);
    return e == ERR_OK ? e : failed(p, "connect");
}

static enum err
end(struct play *p)
{
    if (p->my != NULL)
        my_close(p->my);
    p->my = NULL;
    if (kill(p->tool.pid, SIGTERM) != 0 ||
        tool_wait(&p->tool, END_MS) != ERR_OK)
        return server_failed(p, "the server that applied the binlog failed");
    return ERR_OK;
}

/* ---- a round ---- */

static enum err
run(struct play *p, const char *sql)
{
    return my_do(p->my, sql) == ERR_OK ? ERR_OK : failed(p, sql);
}

/* Whether it has that transaction by now; BUSY: not yet. */
static enum err
look(struct play *p, struct instance_gtid upto)
{
    struct instance_replica r;
    struct instance_gtid has;
    char pos[4096] = "";

    arena_reset(p->a);
    if (instance_replica(p->my, p->a, &r) != ERR_OK ||
        my_value_of(p->my, "SELECT @@gtid_slave_pos", pos, sizeof(pos)) !=
            ERR_OK)
        return failed(p, "position");
    if (r.sql_errno != 0)
        return why_fail(p->why, ERR_BAD_PARAM,
                        "the binlog cannot be applied: "
                        "%.400s",
                        r.sql_error != NULL ? r.sql_error : "");
    if (instance_gtid_of(pos, p->domain, &has) && has.seq == upto.seq &&
        has.server == upto.server)
        return ERR_OK;
    return r.applying ? ERR_BUSY
                      : why_fail(p->why, ERR_STATE,
                                 "the binlog was not applied to its end");
}

static enum err
apply(struct play *p, struct instance_gtid upto)
{
    enum err e = run(p, "CHANGE MASTER TO MASTER_HOST = '127.0.0.1',"
                        " MASTER_USER = 'nobody', RELAY_LOG_FILE ="
                        " 'relay.000001', RELAY_LOG_POS = 4,"
                        " MASTER_USE_GTID = no");

    if (e == ERR_OK)
        e = run(p, "START SLAVE SQL_THREAD");
    if (e != ERR_OK)
        return e;
    while ((e = look(p, upto)) == ERR_BUSY) {
        if (!goes_on(p))
            return why_fail(p->why, ERR_STATE, "broken off");
        (void)usleep(ASK_US);
    }
    return e;
}

/* Where it stands is what its next start begins with. */
static enum err
note_position(struct play *p)
{
    char pos[4096] = "";

    if (my_value_of(p->my, "SELECT @@gtid_slave_pos", pos, sizeof(pos)) !=
        ERR_OK)
        return failed(p, "position");
    return mariadb_init_file(p->a, p->s, p->init, pos, p->why);
}

static enum err
play_round(struct play *p, struct instance_gtid upto)
{
    enum err e = start(p);

    if (e != ERR_OK)
        return e;
    e = await_ready(p);
    if (e == ERR_OK)
        e = log_in(p);
    if (e == ERR_OK)
        e = apply(p, upto);
    if (e == ERR_OK)
        e = run(p, "STOP SLAVE");
    if (e == ERR_OK)
        e = note_position(p);
    if (e == ERR_OK)
        e = run(p, "RESET SLAVE ALL");
    if (e == ERR_OK)
        e = end(p);
    else
        log_warn("journal.play port=%d why=\"%s\"", (int)p->s->port, p->why);
    if (p->my != NULL)
        my_close(p->my);
    p->my = NULL;
    tool_close(&p->tool);
    return e;
}

/* ---- all of it ---- */

static enum err
clear(struct play *p)
{
    struct home_error error;
    enum err e = home_clear(p->dir, RELAY_DIR, &error);

    return e == ERR_OK ? e : why_fail(p->why, e, "%s", error.text);
}

static enum err
round_of(struct play *p, struct relay *r)
{
    enum err e = clear(p);
    int fd = -1;

    if (e == ERR_OK &&
        (mkdirat(p->dir, RELAY_DIR, 0700) != 0 ||
         (fd = open_beneath(p->dir, RELAY_DIR, O_RDONLY | O_DIRECTORY, 0)) < 0))
        e = copy_failed(ERR_STATE, RELAY_DIR, p->why);
    if (e == ERR_OK)
        e = relay_fill(r, fd, p->path, p->why);
    if (fd >= 0)
        (void)close(fd);
    if (e == ERR_OK && r->files > 0)
        e = play_round(p, r->played.upto);
    if (e == ERR_OK && p->w != NULL && p->w->progress != NULL)
        p->w->progress(p->w->ctx, r->played.bytes);
    return e;
}

static enum err
prepare(struct play *p, struct arena *a)
{
    struct home_error error;
    char name[64], socket[108];
    enum err e;

    (void)instance_homes(p->s, p->home);
    e = home_open(&p->home[0], &p->dir, &error);
    if (e != ERR_OK) {
        p->dir = -1;
        return why_fail(p->why, e, "%s", error.text);
    }
    (void)snprintf(name, sizeof(name), "ld-%.39s-%d.sock", p->s->address,
                   (int)p->s->port);
    p->path = instance_file(a, &p->home[0], RELAY_DIR);
    p->init = instance_file(a, &p->home[0], LOAD_INIT);
    p->at = (struct instance){
        .program = config()->instance_mariadbd,
        .datadir = instance_file(a, &p->home[0], LOAD_DIR),
        .tmpdir = instance_file(a, &p->home[0], TMP_DIR),
        .init_file = p->init,
    };
    if (place_socket(socket, sizeof(socket), name) == ERR_OK)
        p->at.socket = arena_strdup(a, socket);
    p->a = arena_new(ASK_BYTES);
    return p->path != NULL && p->init != NULL && p->at.datadir != NULL &&
                   p->at.tmpdir != NULL && p->at.socket != NULL && p->a != NULL
               ? ERR_OK
               : why_fail(p->why, ERR_LIMIT, "a path is too long");
}

enum err
journal_play(struct arena *a, const struct instance_spec *s,
             const struct instance_backup *loaded,
             const struct journal_stored *piece, size_t n, int64_t until_ms,
             const struct instance_watch *w, struct journal_played *out,
             char why[WHY_BYTES])
{
    struct play p = { .s = s, .w = w, .dir = -1, .why = why };
    struct relay r = { .piece = piece,
                       .n = n,
                       .until_ms = until_ms,
                       .w = w,
                       .round_bytes = ROUND_BYTES };
    enum err e = prepare(&p, a);

    *out = (struct journal_played){ 0 };
    p.domain = r.domain =
        HAS(loaded, instance_backup, domain) ? loaded->domain : s->domain_id;
    if (!instance_gtid_of(loaded->gtid, r.domain, &r.base))
        r.base = (struct instance_gtid){ 0 };
    while (e == ERR_OK && r.next < r.n && !r.reached)
        e = round_of(&p, &r);
    if (p.dir >= 0) {
        char ignored[WHY_BYTES];

        p.why = ignored;
        if (clear(&p) != ERR_OK && e == ERR_OK)
            e = why_fail(why, ERR_STATE, "%s", ignored);
        (void)close(p.dir);
    }
    arena_free(p.a);
    *out = r.played;
    return e;
}
