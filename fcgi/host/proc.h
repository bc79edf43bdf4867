/* Other programs, started from an argv.h: argument vectors, never a shell. What
 * is looked at of them: proc_look.h; kept alive: child.h. */
#ifndef MG_PROC_H
#define MG_PROC_H

#include <sys/types.h>

#include "base.h"

/* How a child is started. Standard descriptors that are -1 are /dev/null;
 * every other descriptor but keep_fd is closed. */
struct proc_spec {
    const char *const *argv; /* argv[0] is looked up in PATH */
    int in, out, err;
    int keep_fd;      /* stays open across exec, under its number; -1 none */
    int death_signal; /* sent when the thread that started it ends; 0 none */
    int blocked;      /* a signal that stays blocked until the child is ready
                       * for it; 0 none */
    bool own_group;   /* a process group of its own, led by the child */
    bool own_session; /* and a session of its own, without a terminal: what
                       * is to outlive us */
    const char *dir;  /* working directory; NULL: ours */
    const char *const *env; /* "NAME=value" on top of ours; NULL: none */
};

#define PROC_SPEC(argv_)                                               \
    {                                                                  \
        .argv = (argv_), .in = -1, .out = -1, .err = -1, .keep_fd = -1 \
    }

/* Starts it: *pid. NOT_FOUND when there is no such program, STATE when it
 * cannot be executed (errno says why), NOMEM, INTERNAL. Signal mask and
 * handlers of the child are the default ones, but for `blocked`. */
enum err proc_spawn(const struct proc_spec *spec, pid_t *pid) MUST_USE;

/* What waitpid has said as one number, as shells do: 128 + the signal that
 * ended it. */
int proc_exit_status(int status);

/* What a tool said and how it ended. */
struct proc_result {
    int status;        /* exit status; 128 + number after a signal */
    char output[4096]; /* the end of what it wrote to both streams */
};

/* Runs a tool in a group of its own, to its end. OK when it exited with 0,
 * STATE otherwise, TIMEOUT when it had to be killed, NOT_FOUND without the
 * program (output says so). */
enum err proc_run(const char *const *argv, int timeout_ms,
                  struct proc_result *out) MUST_USE;
/* The same with the child's directory, environment, input and so on; out and
 * err of the spec are not used. */
enum err proc_run_spec(const struct proc_spec *spec, int timeout_ms,
                       struct proc_result *out) MUST_USE;

#endif
