/* A whole deployment on one machine, the onebox: shared by the files up*.c.
 *
 * `up` makes what RUN_DIR needs (up_files.c), looks at every address before it
 * takes one (up_ports.c) and runs its children, one kind per role (up_kinds.c
 * is the table): in the order of their kinds, each ready before the next, put
 * up again when it dies, ended in the opposite order. One lock holds RUN_DIR
 * (up_lock.c); commands talk to a running `up` over its control socket
 * (up_control.c, up_client.c). */
#ifndef MG_UP_H
#define MG_UP_H

#include <stdio.h>
#include <sys/types.h>

#include "argv.h"
#include "base.h"
#include "buf.h"
#include "host/child.h"
#include "place.h"
#include "host/redact.h"

struct up;
struct up_child;
struct command;

/* ---- kinds of children: rows in up_kinds.c ---- */

enum on_death {
    DEATH_RESTART, /* a daemon: started again */
    DEATH_IS_DONE, /* a task of the start: exit 0, or the start has failed */
};

struct kind {
    const char *role;
    int order; /* started when everything of a lower order is ready;
                * stopped in reverse */
    enum on_death on_death;
    bool numbered; /* "serve-0"; else one, named by its role alone */
    /* What stands for the number of child i: "m1". NULL: the number. */
    void (*label)(int i, char *out, size_t size);
    int start_ms;    /* not ready by then: the start has failed; 0: never,
                      * recovery takes what it takes */
    int stop_signal; /* asks it to end; after stop_ms it is killed */
    int stop_ms;
    /* The same when the whole deployment is stopped; 0: no other. */
    int end_signal, end_ms;
    int death_signal; /* what it gets when up itself is killed */
    const char *task; /* what a task does, for people */
    size_t (*count)(void);
    /* Before each start; why is for people. May be NULL. */
    enum err (*prepare)(struct up *up, char why[WHY_BYTES]);
    void (*command)(struct up *up, const struct up_child *c,
                    struct command *out);
    /* Whether it serves; asked every PROBE_MS, must not block. NULL: it is
     * ready once it was started. */
    bool (*ready)(struct up_child *c);
    /* A task has ended with 0. May be NULL. */
    enum err (*done)(struct up *up, char why[WHY_BYTES]);
};

extern const struct kind kinds[];
extern const size_t n_kinds;

/* How a child is run. */
struct command {
    struct argv args;
    const char *const *env; /* on top of ours; NULL */
    int in, err;            /* -1: /dev/null, its log file */
    bool own;               /* a role of our own binary */
};

/* ---- children ---- */

struct up_child {
    const struct kind *kind;
    int id;
    char name[32];
    struct child_rules rules; /* of its kind */
    struct child child;
    bool done;       /* a task that has done its work */
    int64_t told_ms; /* when progress was last told */
    long log_offset; /* where this run begins in its log */
    int probe_fd;    /* of ready(); -1 */
    char said[160];  /* what ready() was answered, for people */
    int listen_fd;   /* its socket, kept over restarts; -1 */
};

/* ---- the deployment ---- */

/* What a child of another maker says goes through us: its log is reopened
 * without a word to it. */
struct up_pipe {
    int writer; /* its standard error; -1 */
    char path[PLACE_BYTES];
    struct redact redact;
};
#define UP_NO_PIPE                                     \
    {                                                  \
        .writer = -1, .redact = {.in = -1, .out = -1 } \
    }

struct up {
    char self[PLACE_BYTES]; /* our own file */
    char account[64];
    char secret[65];      /* MG_SECRET of this start */
    int lock_fd;          /* held by up alone */
    int children_lock_fd; /* held by every child too */
    int signal_fd, control_fd;
    struct up_pipe nginx_log, mariadb_log;
    bool background; /* metagate start */
    struct up_child *child;
    size_t n;
    bool announced; /* everything was ready once */
    bool stopping, hurry;
    bool failed; /* the start has failed: exit status 1 */
    int64_t began_ms;
    int64_t logs_ms; /* when the size of the logs is looked at next */
};

#define PROBE_MS 20

/* Words for people, on standard output, while it starts; nothing once a
 * background deployment is ready. */
void up_say(const struct up *up, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* up_root.c: as root makes the account and RUN_DIR, drops root and executes
 * the installed binary with the same arguments: returns only with an error.
 * As an ordinary user makes RUN_DIR, enters it and answers OK. */
enum err up_settle(int argc, char **argv, char why[WHY_BYTES]) MUST_USE;

/* up_lock.c: the locks of RUN_DIR. EXISTS when a deployment runs there. */
enum err up_lock(struct up *up, char why[WHY_BYTES]) MUST_USE;
/* Waits for what is left of a deployment whose up was killed. Works for root
 * too, and writes nothing. */
enum err up_wait_for_last(const char *run_dir, char why[WHY_BYTES]) MUST_USE;
/* OK when no deployment runs in run_dir, EXISTS when one does (*pid). */
enum err up_is_free(const char *run_dir, pid_t *pid) MUST_USE;
/* Notes the process groups for the up after a kill -9 of this one. */
void up_note_children(const struct up *up);

/* up_ports.c: every address that the deployment takes is free, or why names
 * the holder and the cure. */
enum err up_check_ports(char why[WHY_BYTES]) MUST_USE;

/* up_files.c: what a deployment has before its first child. */
enum err up_make_files(struct up *up, char why[WHY_BYTES]) MUST_USE;
/* What an installed system has before its first start; what is there stays. */
enum err up_make_installation(char why[WHY_BYTES]) MUST_USE;
/* Removes the sockets and, if it was moved, their folder. */
void up_drop_sockets(void);

/* up_mariadb.c: the onebox's database. */
size_t mariadb_count(void);
size_t mariadb_install_count(void);
void mariadb_install_command(struct up *up, const struct up_child *c,
                             struct command *out);
enum err mariadb_install_prepare(struct up *up, char why[WHY_BYTES]);
enum err mariadb_install_done(struct up *up, char why[WHY_BYTES]);
enum err mariadb_prepare(struct up *up, char why[WHY_BYTES]);
void
mariadb_command(struct up *up, const struct up_child *c, struct command *out);
bool mariadb_ready(struct up_child *c);

/* up_spawn.c: the rows of all children, with their sockets. */
enum err up_make_children(struct up *up, char why[WHY_BYTES]) MUST_USE;
void up_free_children(struct up *up);
/* Starts c's process, its output to its log. */
enum err up_spawn(struct up *up, struct up_child *c, int64_t now) MUST_USE;
/* Says what it has written to its log since it was started. */
void up_say_log(struct up *up, const struct up_child *c);

/* up_logs.c: renames each RUN_DIR/log/x.log that has reached [log] max_mib,
 * and removes the oldest beyond [log] keep. Whether there was one: all are to
 * be opened again. */
bool up_rotate_logs(void) MUST_USE;

/* up_child.c: the order of the children, and what people are told of it. */
void up_init_child(struct up_child *c);
/* As child_state_name; "done" for a task that has done its work. */
const char *up_state_name(const struct up_child *c);
void up_reap(struct up *up);
/* One step of every child; answers when the next is due (monotonic ms, 0 =
 * only after an event). */
int64_t up_step(struct up *up);
bool up_all_ready(const struct up *up);
bool up_all_ended(const struct up *up);
/* "serve-0", "nginx" or "nginx-0"; NULL. */
struct up_child *up_find_child(struct up *up, const char *name);
/* The operator's stop and start of one child. */
void up_stop_child(struct up *up, struct up_child *c);
void up_start_child(struct up *up, struct up_child *c);
/* A signal to every child of that role that runs. */
void up_signal_role(struct up *up, const char *role, int sig);

/* up_control.c: the control socket's server. */
enum err control_open(struct up *up, char why[WHY_BYTES]) MUST_USE;
void control_close(struct up *up);
/* Descriptors to poll, at most CONTROL_MAX, and what was ready. */
#define CONTROL_MAX 17
struct pollfd;
size_t control_poll(struct up *up, struct pollfd *p);
void control_serve(struct up *up, const struct pollfd *p, size_t n);
/* Answers those whose child has reached what they wait for. */
void control_settle(struct up *up);

/* up_client.c: its other side. One line out, the whole answer in; NOT_FOUND
 * when no deployment runs, TIMEOUT. */
enum err
control_ask(const char *line, int timeout_ms, struct buf *answer) MUST_USE;

/* up_units.c: a line each (up_status_next) of the children of a running `up`,
 * or, where there never was one, of systemd's services. NOT_FOUND: neither
 * runs; TIMEOUT. */
enum err up_children(int timeout_ms, struct buf *out) MUST_USE;

/* Ends the words that `metagate start` shows: everything is ready. */
#define UP_READY 0x04

/* up_words.c: the answer to "status" is a line for each child, written behind
 * what out holds, and read: the one at *text, which is moved past it; false at
 * the end, and for what is no such line. */
struct status_line {
    char name[32], state[16]; /* words, not empty */
    int pid, restarts;        /* 0: it does not run */
    long long seconds;        /* since it was started */
};
void up_status_put(struct buf *out, const struct status_line *l);
bool up_status_next(const char **text, struct status_line *out) MUST_USE;

/* Each listener's name and URL; the same as text. */
void
up_each_url(void (*f)(void *ctx, const char *name, const char *url), void *ctx);
void up_print_urls(FILE *f);
/* What the operator wants to know once everything is ready. */
void up_print_ready(const struct up *up);

#define command_arg(c, ...) argv_add(&(c)->args, __VA_ARGS__)

/* Writes text to RUN_DIR/name by rename, with that mode. */
enum err
up_write_file(const char *name, const char *text, unsigned mode) MUST_USE;

#endif
