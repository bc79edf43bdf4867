/* PostgreSQL: its programs, its options, its accounts. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "buf.h"
#include "clock.h"
#include "config.h"
#include "copy.h"
#include "crypt.h"
#include "file.h"
#include "instance.h"
#include "paths.h"
#include "pg.h"
#include "host/port.h"
#include "host/proc.h"
#include "template.h"

#define SINGLE_MS   60000
#define CONNECT_MS  200
#define OPTIONS_MAX 65536

static const char *
program(const char *name, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/%s", config()->instance_postgres_bin, name);
    return out;
}

/* ---- the template ---- */

/* "postgres (PostgreSQL) 15.18 (Debian ...)" */
static enum err
version(char *out, size_t size, char why[WHY_BYTES])
{
    char path[1024];
    const char *const argv[] = { program("postgres", path, sizeof(path)),
                                 "--version", NULL };
    static const struct template_program p = { "postgres", "PostgreSQL", "comp",
                                               "(PostgreSQL) " };

    return template_version(&p, argv, out, size, why);
}

static void
install(const struct instance *i, const char *into, struct argv *out)
{
    char path[1024];

    (void)i;
    argv_add(out, "%s", program("initdb", path, sizeof(path)));
    argv_add(out, "--pgdata=%s", into);
    /* nobody comes in by the template's accounts: see personalize */
    argv_add(out, "--username=postgres");
    argv_add(out, "--auth=reject");
    argv_add(out, "--encoding=UTF8");
    argv_add(out, "--locale=C.UTF-8");
    argv_add(out, "--wal-segsize=1");
    argv_add(out, "--no-instructions");
}

/* ---- the process ---- */

static void
command(const struct instance *i, struct argv *out)
{
    char path[1024];

    argv_add(out, "%s",
             i->program != NULL ? i->program
                                : program("postgres", path, sizeof(path)));
    argv_add(out, "-D%s", i->datadir);
    if (i->config != NULL)
        argv_add(out, "-cconfig_file=%s", i->config);
}

static void
identity(const struct instance *i, char *out, size_t size)
{
    (void)snprintf(out, size, "-D%s", i->datadir);
}

/* A socket with the server that has said who wants in. */
static int
greet(const struct instance *i)
{
    /* protocol 3.0: length, version, then names and values; nobody's name:
     * the server asks for a password all the same, once it lets people in */
    static const char hello[] = "\0\0\0\x29\0\3\0\0user\0metagate\0database\0"
                                "postgres\0";
    char text[ADDRESS_BYTES];
    struct port_address at;
    int fd;

    (void)address_print(i->address, (int)i->port, text, sizeof(text));
    if (port_address(text, &at) != ERR_OK)
        return -1;
    /* an address of this host: it answers at once, or the backlog is full */
    fd = port_connect(&at, CONNECT_MS);
    if (fd < 0 ||
        send(fd, hello, sizeof(hello), MSG_NOSIGNAL) == (ssize_t)sizeof(hello))
        return fd;
    (void)close(fd);
    return -1;
}

/* While it starts or recovers it answers an error of code 57P03. */
static bool
ready(const struct instance *i, int *fd)
{
    char answer[512];
    ssize_t n;

    if (*fd < 0)
        *fd = greet(i);
    if (*fd < 0 || !port_hear(fd, answer, sizeof(answer), &n))
        return false;
    return n > 0 && (answer[0] == 'R' ||
                     (answer[0] == 'E' &&
                      memmem(answer, (size_t)n, "57P03", 5) == NULL));
}

/* ---- options ---- */

static void
render_options(const struct instance_spec *s, struct buf *b)
{
    bool durable = config()->instance_durable;

    buf_printf(b, "# of metagate, for %s; written anew\n", s->uuid);
    buf_printf(b, "listen_addresses = '%s'\nport = %d\n", s->address,
               (int)s->port);
    /* by TCP alone: nobody is let in for the name of an account of the host */
    buf_puts(b, "unix_socket_directories = ''\n");
    buf_printf(b, "max_connections = %d\nshared_buffers = %lldkB\n",
               (int)s->max_connections, (long long)(s->memory_bytes >> 10));
    buf_printf(b, "synchronous_commit = %s\n", durable ? "on" : "off");
    buf_puts(b, "password_encryption = 'scram-sha-256'\n"
                "min_wal_size = 32MB\n"
                "max_wal_size = 512MB\n"
                "dynamic_shared_memory_type = posix\n"
                "log_destination = 'stderr'\n"
                "logging_collector = off\n"
                "log_line_prefix = '%m [%p] '\n"
                /* statements hold secrets: CREATE USER MAPPING, ALTER ROLE */
                "log_statement = 'none'\n"
                "log_min_error_statement = 'panic'\n"
                "log_timezone = 'UTC'\n"
                "timezone = 'UTC'\n"
                "datestyle = 'iso, mdy'\n"
                "enable_partitionwise_aggregate = on\n"
                "default_text_search_config = 'pg_catalog.english'\n");
}

static enum err
write_text(struct arena *a, const char *folder, const char *name,
           const struct buf *b, char why[WHY_BYTES])
{
    const char *path = arena_printf(a, "%s/%s", folder, name);
    enum err e = path != NULL ? buf_err(b) : ERR_NOMEM;

    if (e != ERR_OK)
        return why_fail(why, e, "the options are too long");
    return file_write(path, 0600, b->p, b->n) == ERR_OK
               ? ERR_OK
               : copy_failed(ERR_STATE, path, why);
}

static enum err
configure(struct arena *a, const struct instance_spec *s,
          const struct instance *i, char why[WHY_BYTES])
{
    struct buf options = BUF_INIT(OPTIONS_MAX), hba = BUF_INIT(OPTIONS_MAX);
    enum err e;

    render_options(s, &options);
    buf_puts(&hba, "# of metagate; written anew\n"
                   "host all all 0.0.0.0/0 scram-sha-256\n"
                   "host all all ::/0 scram-sha-256\n");
    e = write_text(a, i->datadir, "pg_hba.conf", &hba, why);
    if (e == ERR_OK)
        e = write_text(a, i->datadir, "postgresql.conf", &options, why);
    buf_free(&options);
    buf_free(&hba);
    return e;
}

/* ---- accounts ---- */

/* A server without clients: one statement a line, on its input. Nothing of
 * what it says is passed on, for it repeats statements. */
static enum err
run_single(const char *datadir, const char *sql, size_t n, char why[WHY_BYTES])
{
    char path[1024];
    const char *const argv[] = {
        program("postgres", path, sizeof(path)), "--single", "-D", datadir,
        "-clog_min_error_statement=panic",       "postgres", NULL
    };
    struct proc_spec spec = PROC_SPEC(argv);
    struct proc_result r;
    enum err e;

    spec.in = memfd_create("statements", MFD_CLOEXEC);
    if (spec.in < 0 || write(spec.in, sql, n) != (ssize_t)n ||
        lseek(spec.in, 0, SEEK_SET) != 0) {
        e = copy_failed(ERR_STATE, "statements", why);
    } else {
        e = proc_run_spec(&spec, SINGLE_MS, &r);
        /* a statement that fails does not end it */
        if (e == ERR_OK && (strstr(r.output, "ERROR:") != NULL ||
                            strstr(r.output, "FATAL:") != NULL))
            e = ERR_STATE;
        if (e != ERR_OK)
            why_say(why,
                    "the accounts cannot be made (postgres --single, "
                    "status %d)",
                    r.status);
        crypt_wipe(r.output, sizeof(r.output));
    }
    if (spec.in >= 0)
        (void)close(spec.in);
    return e;
}

static void
put_role(struct buf *b, const char *user, const char *secret,
         const char *rights)
{
    buf_printf(b, "CREATE ROLE \"%s\" LOGIN %s PASSWORD '%s'\n", user, rights,
               secret);
}

static enum err
personalize(struct arena *a, const struct instance_spec *s,
            const struct instance *i, const char *new, char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(4096);
    enum err e;

    (void)a;
    (void)i;
    buf_puts(&b, "ALTER ROLE postgres NOLOGIN PASSWORD NULL\n");
    put_role(&b, s->admin_user, s->admin_secret, "SUPERUSER");
    if (strcmp(s->admin_user, s->client_user) != 0)
        /* no superuser, who may run programs and read files as the account that
         * all servers of the host are run by; nor CREATEROLE, which in 15 may
         * grant that */
        put_role(&b, s->client_user, s->client_secret, "CREATEDB");
    e = buf_err(&b);
    if (e == ERR_OK)
        e = run_single(new, b.p, b.n, why);
    buf_wipe(&b);
    return e;
}

/* ---- one that runs ---- */

static enum err
connect_as(const struct instance_spec *s, const char *user, const char *secret,
           const char *database, int64_t until, struct pg **out,
           char why[WHY_BYTES])
{
    struct pg_server server = { s->address, (unsigned)s->port, user, secret,
                                database };
    char text[WHY_BYTES], at[ADDRESS_BYTES];
    enum err e = pg_connect(&server, until, out, text);

    return e == ERR_OK
               ? e
               : why_fail(why, e, "connect %s error: %.300s",
                          address_print(s->address, s->port, at, sizeof(at)),
                          text);
}

enum err
instance_pg_connect(const struct instance_spec *s, const char *database,
                    int timeout_ms, struct pg **out, char why[WHY_BYTES])
{
    if (s->kind != INSTANCE_COMPUTER)
        return why_fail(why, ERR_BAD_PARAM, "it is no computing instance");
    return connect_as(s, s->admin_user, s->admin_secret, database,
                      clock_mono_ms() + timeout_ms, out, why);
}

static enum err
probe(const struct instance_spec *s, int timeout_ms, char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct pg *pg;
    enum err e = instance_pg_connect(s, "postgres", timeout_ms, &pg, why);

    if (e != ERR_OK)
        return e;
    e = pg_do(pg, "SELECT 1", until, why);
    pg_close(pg);
    return e;
}

static enum err
log_in(const struct instance_spec *s, const char *user, const char *secret,
       const char *database, int64_t until, struct pg **out,
       char why[WHY_BYTES])
{
    enum err e;

    do {
        e = connect_as(s, user, secret, database, until, out, why);
        if (e == ERR_OK || e == ERR_DENIED || e == ERR_NOT_FOUND)
            return e;
        (void)usleep(20000);
    } while (clock_mono_ms() < until);
    return e;
}

/* In each database that is made from now on, and the one that is there. */
static enum err
add_extension(const struct instance_spec *s, const char *database,
              int64_t until, char why[WHY_BYTES])
{
    struct pg *pg;
    char text[WHY_BYTES];
    enum err e =
        log_in(s, s->admin_user, s->admin_secret, database, until, &pg, why);

    if (e != ERR_OK)
        return e;
    e = pg_do(pg, "CREATE EXTENSION IF NOT EXISTS mysql_fdw", until, text);
    if (e != ERR_OK)
        why_say(why, "mysql_fdw: %.300s; as root: make deps GROUPS=comp", text);
    pg_close(pg);
    return e;
}

/* What the clients' account may do in the database of the cluster's tables. */
static enum err
grant_client(const struct instance_spec *s, int64_t until, char why[WHY_BYTES])
{
    char sql[256];
    struct pg *pg;
    enum err e =
        log_in(s, s->admin_user, s->admin_secret, "postgres", until, &pg, why);

    if (e != ERR_OK)
        return e;
    (void)snprintf(sql, sizeof(sql),
                   "GRANT ALL ON DATABASE postgres TO \"%s\"; "
                   "GRANT ALL ON SCHEMA public TO \"%s\"",
                   s->client_user, s->client_user);
    e = pg_script(pg, sql, until, why);
    pg_close(pg);
    return e;
}

static enum err
settle(struct arena *a, const struct instance_spec *s, int timeout_ms,
       char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct pg *pg;
    enum err e = add_extension(s, "template1", until, why);

    (void)a;
    if (e == ERR_OK)
        e = add_extension(s, "postgres", until, why);
    if (e == ERR_OK)
        e = grant_client(s, until, why);
    if (e == ERR_OK)
        e = log_in(s, s->client_user, s->client_secret, "postgres", until, &pg,
                   why);
    if (e == ERR_OK)
        pg_close(pg);
    return e;
}

/* ---- variables ---- */

/* What an instance is, where it writes, which programs it runs. */
static bool
is_own(const char *name)
{
    static const char *const whole[] = {
        "port",
        "listen_addresses",
        "data_directory",
        "config_file",
        "hba_file",
        "ident_file",
        "log_directory",
        "log_filename",
        "logging_collector",
        "log_statement",
        "log_min_error_statement",
        "log_destination",
        "password_encryption",
        "archive_command",
        "archive_library",
        "restore_command",
        "archive_cleanup_command",
        "recovery_end_command",
        "dynamic_library_path",
        "ssl_passphrase_command",
        "synchronous_commit",
        "fsync",
        "full_page_writes",
        "external_pid_file",
    };
    size_t n = strlen(name);

    for (size_t i = 0; i < COUNT(whole); i++) {
        if (strcmp(name, whole[i]) == 0)
            return true;
    }
    return strncmp(name, "unix_socket_", 12) == 0 ||
           (n > 18 && strcmp(name + n - 18, "_preload_libraries") == 0);
}

static bool
is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == n;
}

/* Whether it takes effect while the server runs. */
static enum err
check_context(struct pg *pg, struct arena *a, const char *name, int64_t until,
              char why[WHY_BYTES])
{
    const char *const values[] = { name };
    struct pg_table t;
    enum err e =
        pg_query(pg, a, "SELECT context FROM pg_settings WHERE name = $1",
                 values, 1, 1, &t, until, why);

    if (e != ERR_OK)
        return e;
    if (t.n == 0)
        return why_fail(why, ERR_BAD_PARAM, "there is no variable %s", name);
    if (strcmp(t.cell[0].p, "postmaster") == 0 ||
        strcmp(t.cell[0].p, "internal") == 0)
        return why_fail(why, ERR_BAD_PARAM,
                        "%s cannot be changed while the server runs", name);
    return ERR_OK;
}

static enum err
set_variable(struct arena *a, const struct instance_spec *s, const char *name,
             const char *value, char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + 10000;
    const char *sql, *text;
    struct pg *pg;
    enum err e;

    if (!is_name(name) || strlen(value) > 512)
        return why_fail(why, ERR_BAD_PARAM,
                        "variable or value is not well formed");
    if (is_own(name))
        return why_fail(why, ERR_DENIED, "%s is set by what the instance is",
                        name);
    e = instance_pg_connect(s, "postgres", 10000, &pg, why);
    if (e != ERR_OK)
        return e;
    e = check_context(pg, a, name, until, why);
    text = e == ERR_OK ? pg_quote(pg, a, value) : NULL;
    sql = text != NULL ? arena_printf(a, "ALTER SYSTEM SET %s = %s", name, text)
                       : NULL;
    if (e == ERR_OK)
        e = sql != NULL ? pg_do(pg, sql, until, why)
                        : why_fail(why, ERR_BAD_PARAM, "value is no UTF-8");
    if (e == ERR_OK)
        e = pg_do(pg, "SELECT pg_reload_conf()", until, why);
    pg_close(pg);
    return e;
}

/* The clock of its logs. */
static const char *const env[] = { "TZ=UTC", "LC_ALL=C.UTF-8", NULL };

const struct instance_driver postgres_driver = {
    .name = "postgres",
    .install = install,
    .command = command,
    .ready = ready,
    .identity = identity,
    .env = env,
    .stop_signal = SIGINT, /* ends its sessions; SIGTERM would wait for them */
    .kind = INSTANCE_COMPUTER,
    .version = version,
    .template = install,
    .configure = configure,
    .personalize = personalize,
    .settle = settle,
    .probe = probe,
    .set_variable = set_variable,
};
