/* The children of a deployment: one row per role. */
#include "up.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "dialect.h"
#include "front/nginx.h"
#include "host/port.h"
#include "listener.h"

#define HEALTH_MS 200

static size_t
one(void)
{
    return 1;
}

/* A role of our own binary. */
static void
role_command(const struct up *up, const char *role, struct command *out)
{
    out->own = true;
    command_arg(out, "%s", up->self);
    command_arg(out, "--run-dir");
    command_arg(out, "%s", config_run_dir());
    command_arg(out, "--net");
    command_arg(out, "%s", config_net());
    command_arg(out, "%s", role);
}

static void
migrate_command(struct up *up, const struct up_child *c, struct command *out)
{
    (void)c;
    role_command(up, "migrate", out);
}

/* ---- workers ---- */

static size_t
serve_count(void)
{
    return (size_t)config()->serve_workers;
}

static void
serve_command(struct up *up, const struct up_child *c, struct command *out)
{
    role_command(up, "serve", out);
    command_arg(out, "--id");
    command_arg(out, "%d", c->id);
    out->in = c->listen_fd;
}

/* ---- what runs in the background ---- */

/* Every cluster-wide duty has three candidates. */
static size_t
control_count(void)
{
    return 3;
}

static void
control_label(int i, char *out, size_t size)
{
    (void)snprintf(out, size, "m%d", i + 1);
}

static void
control_command(struct up *up, const struct up_child *c, struct command *out)
{
    char id[20];

    control_label(c->id, id, sizeof(id));
    role_command(up, "control", out);
    command_arg(out, "--id");
    command_arg(out, "%s", id);
}

static size_t
machine_count(void)
{
    return PLACE_MACHINES;
}

static void
machine_label(int i, char *out, size_t size)
{
    char host[PLACE_MACHINE_BYTES];

    (void)snprintf(out, size, "%s", place_machine((unsigned)i + 1, host));
}

static void
supervise_command(struct up *up, const struct up_child *c, struct command *out)
{
    char address[20];

    machine_label(c->id, address, sizeof(address));
    role_command(up, "supervise", out);
    command_arg(out, "--machine");
    command_arg(out, "%s", address);
}

/* The i-th of the listeners that have a capture; false past the last. */
static bool
capture_at(size_t i, struct listening *out)
{
    enum err e;

    for (size_t d = 0; dialects[d] != NULL; d++)
        for (size_t k = 0; dialects[d]->captures != NULL; k++) {
            e = listener_named(dialects[d]->captures, k, out);
            if (e == ERR_NOT_FOUND)
                break;
            if (e == ERR_OK && i-- == 0)
                return true;
        }
    return false;
}

static size_t
capture_count(void)
{
    struct listening l;
    size_t n = 0;

    while (capture_at(n, &l))
        n++;
    return n;
}

static void
capture_label(int i, char *out, size_t size)
{
    struct listening l;

    (void)snprintf(out, size, "%s",
                   capture_at((size_t)i, &l) ? l.row->tail : "");
}

static void
capture_command(struct up *up, const struct up_child *c, struct command *out)
{
    char id[20];

    capture_label(c->id, id, sizeof(id));
    role_command(up, "capture", out);
    command_arg(out, "--id");
    command_arg(out, "%s", id);
}

/* ---- nginx ---- */

static enum err
front_prepare(struct up *up, char why[WHY_BYTES])
{
    enum err e = nginx_write(up->secret, why);

    return e == ERR_OK ? nginx_test(true, why) : e;
}

static void
front_command(struct up *up, const struct up_child *c, struct command *out)
{
    const char *const *arg;

    (void)c;
    for (arg = nginx_argv(); *arg != NULL; arg++)
        command_arg(out, "%s", *arg);
    out->err = up->nginx_log.writer;
}

/* The console, which answers for the store too; where that is off, any
 * listener. */
static bool
probe_address(struct port_address *out, bool *console)
{
    struct listening l;
    enum err e = listener_named("console", 0, &l);

    *console = e == ERR_OK;
    for (size_t i = 0; e != ERR_OK && e != ERR_NOT_FOUND; i++)
        e = listener_at(i, &l);
    return e == ERR_OK && port_address(l.address, out) == ERR_OK;
}

static int
ask_health(const struct port_address *a)
{
    static const char ask[] = "GET /healthz HTTP/1.0\r\n\r\n";
    int fd = port_connect(a, HEALTH_MS);

    if (fd >= 0 && send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) < 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* Keeps the body of an answer that was not 200: it says what is missing. */
static void
keep_reason(struct up_child *c, const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");

    (void)snprintf(c->said, sizeof(c->said), "%.150s",
                   body != NULL ? body + 4 : text);
    for (char *p = c->said; *p != '\0'; p++)
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p;
}

/* /healthz answers 200 through nginx, a worker and the store. Any answer will
 * do with TLS, and for an nginx that was started again: the store may be away
 * meanwhile. */
static bool
front_ready(struct up_child *c)
{
    bool any =
        !str_empty(config()->nginx_tls_certificate) || c->child.restarts > 0;
    struct port_address a;
    char text[1024];
    bool console;
    ssize_t n;

    if (!probe_address(&a, &console))
        return true; /* all are off */
    if (c->probe_fd < 0)
        c->probe_fd = ask_health(&a);
    if (c->probe_fd < 0)
        return false;
    n = recv(c->probe_fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return false;
    (void)close(c->probe_fd);
    c->probe_fd = -1;
    text[n > 0 ? n : 0] = '\0';
    if (n < 12 || strncmp(text, "HTTP/1.", 7) != 0)
        return false;
    if (any || !console || strncmp(text + 8, " 200", 4) == 0)
        return true;
    keep_reason(c, text);
    return false;
}

/* ---- the table ---- */

/* supervise alone leaves the database instances of its machine as they are;
 * with the deployment they end first, and take the time that they need. */
#define INSTANCES_MS 140000

/* nginx dies of SIGTERM when up was killed: after a SIGKILL its workers would
 * live on and hold the listeners. Its graceful end waits for requests in
 * flight. A worker drains for up to 1 s. */
const struct kind kinds[] = {
    { .role = "install",
      .order = 1,
      .on_death = DEATH_IS_DONE,
      .task = "making the database's files (first start)",
      .stop_signal = SIGTERM,
      .stop_ms = 5000,
      .death_signal = SIGTERM,
      .count = mariadb_install_count,
      .prepare = mariadb_install_prepare,
      .command = mariadb_install_command,
      .done = mariadb_install_done },
    { .role = "mariadb",
      .order = 2,
      .stop_signal = SIGTERM,
      .stop_ms = 120000,
      .death_signal = SIGTERM,
      .count = mariadb_count,
      .prepare = mariadb_prepare,
      .command = mariadb_command,
      .ready = mariadb_ready },
    { .role = "migrate",
      .order = 3,
      .on_death = DEATH_IS_DONE,
      .task = "bringing the schema up to date",
      .stop_signal = SIGTERM,
      .stop_ms = 10000,
      .death_signal = SIGTERM,
      .count = one,
      .command = migrate_command },
    { .role = "serve",
      .order = 4,
      .numbered = true,
      .stop_signal = SIGTERM,
      .stop_ms = 10000,
      .death_signal = SIGTERM,
      .count = serve_count,
      .command = serve_command },
    { .role = "control",
      .order = 4,
      .numbered = true,
      .label = control_label,
      .stop_signal = SIGTERM,
      .stop_ms = 10000,
      .death_signal = SIGTERM,
      .count = control_count,
      .command = control_command },
    { .role = "supervise",
      .order = 4,
      .numbered = true,
      .label = machine_label,
      .stop_signal = SIGTERM,
      .stop_ms = 10000,
      .end_signal = SIGINT,
      .end_ms = INSTANCES_MS,
      .death_signal = SIGTERM,
      .count = machine_count,
      .command = supervise_command },
    { .role = "capture",
      .order = 4,
      .numbered = true,
      .label = capture_label,
      .stop_signal = SIGTERM,
      .stop_ms = 15000,
      .death_signal = SIGTERM,
      .count = capture_count,
      .command = capture_command },
    { .role = "nginx",
      .order = 5,
      .start_ms = 60000,
      .stop_signal = SIGQUIT,
      .stop_ms = 5000,
      .death_signal = SIGTERM,
      .count = one,
      .prepare = front_prepare,
      .command = front_command,
      .ready = front_ready },
};
const size_t n_kinds = COUNT(kinds);
