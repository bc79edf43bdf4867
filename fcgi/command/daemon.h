/* What the daemons control and supervise have in common: their log, their
 * one instance per name, signals, wake-ups. */
#ifndef MG_DAEMON_H
#define MG_DAEMON_H

#include "base.h"

struct role_socket;

struct daemon {
    char name[96]; /* "control-m1" */
    int lock_fd, signal_fd, wake_fd;
    int64_t give_back_ms;       /* when free memory is given back next */
    int stop_signal;            /* that has ended it: SIGTERM or SIGINT */
    struct role_socket *socket; /* for profiles; NULL: could not be opened */
};

/* What RUN_DIR calls the lock of a role that does its work under that id:
 * "control-m1.lock". */
#define DAEMON_LOCK_BYTES 160
const char *
daemon_lock_file(const char *role, const char *id, char out[DAEMON_LOCK_BYTES]);

/* The value of `--option VALUE` or `--option=VALUE`, the only argument: its
 * characters are letters, digits, '.', '-', ':' and '_', at most 64. NULL
 * after a word to standard error. */
const char *daemon_option(int argc, char **argv, const char *option);

/* Opens log, store, metrics slot and sockets; blocks the signals. EXISTS when
 * one of that name runs on this RUN_DIR. */
enum err
daemon_begin(struct daemon *d, const char *role, const char *id) MUST_USE;
void daemon_end(struct daemon *d);

/* Leaves text in RUN_DIR/<name>.lock, for a command that looks: what it sees of
 * the host need not be what a locked up service sees. False when it cannot. */
bool daemon_note(struct daemon *d, const char *text) MUST_USE;

enum daemon_event { DAEMON_TIMEOUT, DAEMON_WOKEN, DAEMON_STOP };

/* Sleeps until something comes, at most timeout_ms, and never so long that a
 * service manager would take us for dead. */
enum daemon_event daemon_wait(struct daemon *d, int64_t timeout_ms);

#endif
