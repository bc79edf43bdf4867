/* metagate start, stop, status: the operator's side of the control socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "children.h"
#include "clock.h"
#include "base/commands.h"
#include "config.h"
#include "json.h"
#include "keeper/keeper_list.h"
#include "host/proc.h"
#include "up.h"

#define EXIT_USAGE 2
#define ANSWER_MAX 65536
#define ARENA_MAX  ((size_t)64 << 20) /* the instances */
#define ASK_MS     10000
#define CHILD_MS   150000 /* longer than any kind's stop_ms */

/* ---- asking ---- */

static int
connect_control(void)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd;

    if (place_socket(sa.sun_path, sizeof(sa.sun_path), "control.sock") !=
        ERR_OK)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static enum err
read_answer(int fd, int timeout_ms, struct buf *answer)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char part[4096];

    for (;;) {
        int64_t left = until - clock_mono_ms();
        ssize_t n;

        if (left <= 0)
            return ERR_TIMEOUT;
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        n = recv(fd, part, sizeof(part), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_OK;
        buf_put(answer, part, (size_t)n);
    }
}

/* One line out and the whole answer in. */
static enum err
ask_on(int fd, const char *line, int timeout_ms, struct buf *answer)
{
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 ||
        send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
        return ERR_NOT_FOUND;
    return read_answer(fd, timeout_ms, answer);
}

enum err
control_ask(const char *line, int timeout_ms, struct buf *answer)
{
    int fd = connect_control();
    enum err e;

    if (fd < 0)
        return ERR_NOT_FOUND;
    e = ask_on(fd, line, timeout_ms, answer);
    (void)close(fd);
    return e;
}

static int
complain(const char *what)
{
    (void)fprintf(stderr, "metagate: %s\n", what);
    return EXIT_FAILURE;
}

static int
usage(const char *form)
{
    (void)fprintf(stderr, "usage: metagate %s\n", form);
    return EXIT_USAGE;
}

/* What else is meant on a host where systemd runs ours; "". */
static const char *
of_systemd(void)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    enum err e = up_children(ASK_MS, &b);

    buf_free(&b);
    return e == ERR_OK ? "; its services are systemd's: systemctl stop|start "
                         "metagate.target, metagate-serve@0 ..."
                       : "";
}

static int
not_running(void)
{
    (void)fprintf(stderr, "metagate: no deployment runs in %s%s\n",
                  config_run_dir(), of_systemd());
    return EXIT_FAILURE;
}

/* "stop serve-0", "start nginx". */
static int
operate(const char *verb, const char *name)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    char line[128], said[256];
    enum err e;

    if (strlen(name) > 64)
        return complain("no such child");
    (void)snprintf(line, sizeof(line), "%s %s", verb, name);
    e = control_ask(line, CHILD_MS, &b);
    (void)snprintf(said, sizeof(said), "%s", buf_text(&b));
    said[strcspn(said, "\n")] = '\0';
    buf_free(&b);
    if (e == ERR_NOT_FOUND)
        return not_running();
    if (strcmp(said, "ok") == 0)
        return EXIT_SUCCESS;
    if (strncmp(said, "error ", 6) == 0)
        return complain(said + 6);
    return complain(e == ERR_TIMEOUT ? "no answer in time (metagate status)"
                                     : "the deployment has ended");
}

/* ---- stop ---- */

/* A descriptor of the process at the other end; -1. */
static int
open_peer(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
        return -1;
    return (int)syscall(SYS_pidfd_open, peer.pid, 0);
}

/* The connection ends with the deployment, its process a moment later. */
static enum err
ask_to_stop(void)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    int fd = connect_control();
    struct pollfd peer = { .events = POLLIN };
    enum err e;

    if (fd < 0)
        return ERR_NOT_FOUND;
    peer.fd = open_peer(fd);
    e = ask_on(fd, "stop", 2 * CHILD_MS, &b);
    if (e == ERR_OK && peer.fd >= 0 && poll(&peer, 1, ASK_MS) == 0)
        e = ERR_TIMEOUT;
    if (peer.fd >= 0)
        (void)close(peer.fd);
    (void)close(fd);
    buf_free(&b);
    return e;
}

static int
stop_all(void)
{
    enum err e = ask_to_stop();
    pid_t pid;

    if (e == ERR_TIMEOUT)
        return complain("it is still being stopped (metagate status)");
    if (up_is_free(config_run_dir(), &pid) == ERR_OK) {
        if (e == ERR_NOT_FOUND)
            printf("no deployment runs in %s%s\n", config_run_dir(),
                   of_systemd());
        else
            printf("stopped; its data stay in %s\n", config_run_dir());
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr,
                  "metagate: pid %d holds %s/up.lock but does not answer\n",
                  (int)pid, config_run_dir());
    return EXIT_FAILURE;
}

int
stop_main(int argc, char **argv)
{
    if (argc > 2)
        return usage("stop [ROLE-ID]");
    return argc == 2 ? operate("stop", argv[1]) : stop_all();
}

/* ---- status ---- */

static size_t
lines_of(const char *text)
{
    size_t n = 0;

    while ((text = strchr(text, '\n')) != NULL) {
        text++;
        n++;
    }
    return n;
}

enum err
children_told(struct arena *a, int timeout_ms, struct child_told **out,
              size_t *n)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    struct status_line l;
    const char *at;
    enum err e = control_ask("status", timeout_ms, &b);

    *n = 0;
    at = buf_text(&b);
    *out = e == ERR_OK ? arena_array(a, lines_of(at) + 1, sizeof(**out)) : NULL;
    if (e == ERR_OK && *out == NULL)
        e = ERR_NOMEM;
    while (e == ERR_OK && up_status_next(&at, &l)) {
        struct child_told *c = &(*out)[(*n)++];

        *c = (struct child_told){ .pid = l.pid, .restarts = l.restarts };
        memcpy(c->name, l.name, sizeof(c->name));
        memcpy(c->state, l.state, sizeof(c->state));
    }
    buf_free(&b);
    return e;
}

static void
print_instances(const struct list_of_kept *all)
{
    char at[ADDRESS_BYTES];

    if (all->n > 0)
        printf("\n%-24s %-9s %8s %10s %9s\n", "instance", "state", "pid",
               "kind", "restarts");
    for (size_t i = 0; i < all->n; i++) {
        const struct kept *x = &all->v[i];

        printf("%-24s %-9s %8d %10s %9d%s%s\n",
               address_print(str_empty(x->machine) ? "?" : x->machine, x->port,
                             at, sizeof(at)),
               enum_text(kept_state_names, x->state), x->pid, x->kind,
               x->restarts, str_empty(x->why) ? "" : "  ",
               str_empty(x->why) ? "" : x->why);
    }
}

static void
print_status(const char *text, const struct list_of_kept *all)
{
    struct status_line l;

    printf("%-24s %-9s %8s %10s %9s\n", "child", "state", "pid", "seconds",
           "restarts");
    while (up_status_next(&text, &l))
        printf("%-24s %-9s %8d %10lld %9d\n", l.name, l.state, l.pid, l.seconds,
               l.restarts);
    print_instances(all);
    printf("\n");
    up_print_urls(stdout);
}

static void
json_url(void *ctx, const char *name, const char *address)
{
    struct json_writer *w = ctx;

    jw_key_str(w, name, address);
}

static void
json_child(struct json_writer *w, const struct status_line *l)
{
    jw_object(w);
    jw_key_str(w, "name", l->name);
    jw_key_str(w, "state", l->state);
    jw_key(w, "pid");
    jw_i64(w, l->pid);
    jw_key(w, "seconds");
    jw_i64(w, l->seconds);
    jw_key(w, "restarts");
    jw_i64(w, l->restarts);
    jw_object_end(w);
}

static enum err
json_instances(struct json_writer *w, struct arena *a,
               const struct list_of_kept *all)
{
    enum err e = ERR_OK;

    jw_key(w, "instances");
    jw_array(w);
    for (size_t i = 0; i < all->n && e == ERR_OK; i++)
        e = record_render(w, &kept_rec, &all->v[i], SECRETS_STARS, false, a);
    jw_array_end(w);
    return e;
}

static int
print_json(const char *text, struct arena *a, const struct list_of_kept *all)
{
    struct buf b = BUF_INIT(2 * ANSWER_MAX + ARENA_MAX);
    struct json_writer w;
    struct status_line l;
    bool ok;

    jw_init(&w, &b, &json_readable);
    jw_object(&w);
    jw_key_str(&w, "run_dir", config_run_dir());
    jw_key(&w, "children");
    jw_array(&w);
    while (up_status_next(&text, &l))
        json_child(&w, &l);
    jw_array_end(&w);
    ok = json_instances(&w, a, all) == ERR_OK;
    jw_key(&w, "listeners");
    jw_object(&w);
    up_each_url(json_url, &w);
    jw_object_end(&w);
    jw_object_end(&w);
    ok = ok && buf_err(&b) == ERR_OK;
    printf("%s\n", ok ? buf_text(&b) : "");
    buf_free(&b);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
show_status(const char *text, bool json)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct list_of_kept all = { 0 };
    int status = EXIT_SUCCESS;

    if (a == NULL || kept_lists_read(a, &all) != ERR_OK)
        status = complain("the lists in RUN_DIR/instances cannot be read");
    if (a != NULL && json && print_json(text, a, &all) != EXIT_SUCCESS)
        status = EXIT_FAILURE;
    if (!json)
        print_status(text, &all);
    arena_free(a);
    return status;
}

int
status_main(int argc, char **argv)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    bool json =
        argc == 3 && strcmp(argv[1], "-o") == 0 && strcmp(argv[2], "json") == 0;
    int status;
    enum err e;

    if (argc != 1 && !json)
        return usage("status [-o json]");
    e = up_children(ASK_MS, &b);
    if (e == ERR_NOT_FOUND)
        status = not_running();
    else if (e != ERR_OK)
        status = complain("the deployment does not answer");
    else
        status = show_status(buf_text(&b), json);
    buf_free(&b);
    return status;
}

/* ---- start ---- */

/* Shows what up says until it is ready (a byte EOT) or has ended. */
static int
relay(int fd, pid_t pid)
{
    char text[512];
    const char *eot;
    ssize_t n;
    int status;

    while ((n = read(fd, text, sizeof(text))) > 0 ||
           (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        eot = memchr(text, UP_READY, (size_t)n);
        (void)fwrite(text, 1, eot != NULL ? (size_t)(eot - text) : (size_t)n,
                     stdout);
        (void)fflush(stdout);
        if (eot != NULL)
            return EXIT_SUCCESS;
    }
    if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
        return complain("metagate up was killed");
    return EXIT_FAILURE;
}

static int
start_all(void)
{
    char *argv[] = { strdup("up"), strdup("--background"), NULL };
    int fd[2];
    pid_t pid;

    if (argv[0] == NULL || argv[1] == NULL || pipe2(fd, O_CLOEXEC) != 0)
        return complain("out of memory");
    (void)fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);

        (void)setsid();
        (void)dup2(null, 0);
        (void)dup2(fd[1], 1);
        (void)dup2(fd[1], 2);
        (void)close(fd[0]);
        (void)close(fd[1]);
        exit(up_main(2, argv));
    }
    (void)close(fd[1]);
    free(argv[0]);
    free(argv[1]);
    if (pid < 0)
        return complain("cannot fork");
    return relay(fd[0], pid);
}

int
start_main(int argc, char **argv)
{
    if (argc > 2)
        return usage("start [ROLE-ID]");
    return argc == 2 ? operate("start", argv[1]) : start_all();
}
