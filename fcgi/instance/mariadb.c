/* MariaDB: its programs and their options. */
#include "mariadb_int.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "hex.h"
#include "host/port.h"

static void
add_config(const struct instance *i, struct argv *out)
{
    /* has to stand first */
    if (i->config != NULL)
        argv_add(out, "--defaults-file=%s", i->config);
    else
        argv_add(out, "--no-defaults");
}

static void
install(const struct instance *i, const char *into, struct argv *out)
{
    argv_add(out, "mariadb-install-db");
    add_config(i, out);
    argv_add(out, "--datadir=%s", into);
    /* in /tmp another server that starts would remove its temporary tables */
    argv_add(out, "--tmpdir=%s", i->tmpdir);
    argv_add(out, "--auth-root-authentication-method=socket");
    argv_add(out, "--auth-root-socket-user=%s", i->account);
    argv_add(out, "--skip-test-db");
    argv_add(out, "--force"); /* the host's name need not be known to it */
    argv_add(out, "--skip-name-resolve");
}

static void
identity(const struct instance *i, char *out, size_t size)
{
    (void)snprintf(out, size, "--datadir=%s", i->datadir);
}

/* Names this run of the server to whoever asks it (@@report_user, which is
 * told to nobody else): one that was restarted may have less than before. */
static void
add_run(struct argv *out)
{
    char run[17] = "";

    if (hex_random(run, 8) == ERR_OK)
        argv_add(out, "--report-user=%s", run);
}

static void
command(const struct instance *i, struct argv *out)
{
    argv_add(out, "%s", i->program != NULL ? i->program : "mariadbd");
    add_config(i, out);
    argv_add(out, "--datadir=%s", i->datadir);
    argv_add(out, "--tmpdir=%s", i->tmpdir);
    argv_add(out, "--pid-file=%s/mariadb.pid", i->datadir);
    argv_add(out, "--socket=%s", i->socket);
    if (i->address != NULL) {
        argv_add(out, "--bind-address=%s", i->address);
        argv_add(out, "--port=%u", i->port);
    } else {
        argv_add(out, "--skip-networking");
    }
    argv_add(out, "--skip-name-resolve");
    add_run(out);
    if (i->init_file != NULL)
        argv_add(out, "--init-file=%s", i->init_file);
}

static int
connect_socket(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    int fd;

    if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* The socket is there before the server lets anyone in (recovery, the init
 * file); its greeting is not: 3 bytes of length, a number, protocol 10. */
static bool
ready(const struct instance *i, int *fd)
{
    unsigned char greeting[5];
    ssize_t n;

    if (*fd < 0)
        *fd = connect_socket(i->socket);
    return *fd >= 0 && port_hear(fd, greeting, sizeof(greeting), &n) &&
           n == (ssize_t)sizeof(greeting) && greeting[4] == 10;
}

enum greeting
instance_greeting(const struct instance_spec *s, int timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    char text[ADDRESS_BYTES], byte;
    struct port_address at;
    struct pollfd p = { .events = POLLIN };
    bool heard;

    if (port_address(address_print(s->address, s->port, text, sizeof(text)),
                     &at) != ERR_OK)
        return GREETING_NONE;
    p.fd = port_connect(&at, (unsigned)timeout_ms);
    if (p.fd < 0)
        return errno == ECONNREFUSED ? GREETING_REFUSED : GREETING_NONE;
    timeout_ms = (int)(until - clock_mono_ms());
    heard = poll(&p, 1, timeout_ms > 0 ? timeout_ms : 0) == 1 &&
            recv(p.fd, &byte, 1, MSG_DONTWAIT) == 1;
    (void)close(p.fd);
    return heard ? GREETING_HEARD : GREETING_NONE;
}

/* The clock of its logs and of NOW() in what its tools write. */
static const char *const env[] = { "TZ=UTC", NULL };

const struct instance_driver mariadb_driver = {
    .name = "mariadb",
    .install = install,
    .command = command,
    .ready = ready,
    .identity = identity,
    .env = env,
    .stop_signal = SIGTERM,
    .kind = INSTANCE_STORAGE,
    .version = mariadb_version,
    .template = mariadb_template,
    .configure = mariadb_configure,
    .personalize = mariadb_personalize,
    .settle = mariadb_settle,
    .probe = mariadb_probe,
    .set_variable = mariadb_set_variable,
};
