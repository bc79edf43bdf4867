/* The onebox's database: its files made once, its options, its accounts. */
#include "up.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "crypt.h"
#include "dialect.h"

#define INIT_FILE "mariadb-init.sql"

size_t
mariadb_count(void)
{
    return config()->mysql_hosts[0] == '\0' ? 1 : 0;
}

/* ---- the first start ---- */

/* The data directory is made beside its place and renamed: one that is there
 * is complete. */
size_t
mariadb_install_count(void)
{
    char path[PLACE_BYTES];
    struct stat st;

    if (mariadb_count() == 0 ||
        place_path(path, sizeof(path), "mysql") != ERR_OK)
        return 0;
    return stat(path, &st) == 0 ? 0 : 1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

enum err
mariadb_install_prepare(struct up *up, char *why, size_t why_size)
{
    char path[PLACE_BYTES];
    struct stat st;

    (void)up;
    if (place_path(path, sizeof(path), "mysql.new") != ERR_OK)
        return ERR_LIMIT;
    if (lstat(path, &st) != 0)
        return ERR_OK;
    /* a first start was killed in the middle */
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0)
        return ERR_OK;
    (void)snprintf(why, why_size, "%s: %s", path, strerror(errno));
    return ERR_STATE;
}

void
mariadb_install_command(struct up *up, const struct child *c,
                        struct command *out)
{
    (void)c;
    command_arg(out, "mariadb-install-db");
    command_arg(out, "--no-defaults");
    command_arg(out, "--datadir=%s/mysql.new", config_run_dir());
    /* in /tmp another server that starts would remove its temporary tables */
    command_arg(out, "--tmpdir=%s/tmp", config_run_dir());
    command_arg(out, "--auth-root-authentication-method=socket");
    command_arg(out, "--auth-root-socket-user=%s", up->account);
    command_arg(out, "--skip-test-db");
    command_arg(out, "--skip-name-resolve");
    out->env[0] = "TZ=UTC";
}

enum err
mariadb_install_done(struct up *up, char *why, size_t why_size)
{
    char old[PLACE_BYTES], new[PLACE_BYTES];

    (void)up;
    if (place_path(old, sizeof(old), "mysql.new") == ERR_OK &&
        place_path(new, sizeof(new), "mysql") == ERR_OK &&
        rename(old, new) == 0)
        return ERR_OK;
    (void)snprintf(why, why_size, "RUN_DIR/mysql: %s", strerror(errno));
    return ERR_STATE;
}

/* ---- accounts and schema ---- */

static enum err
read_repl_password(char *out, size_t size)
{
    char path[PLACE_BYTES];
    ssize_t n;
    int fd;

    if (place_path(path, sizeof(path), "repl.password") != ERR_OK)
        return ERR_LIMIT;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, out, size - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    n = (ssize_t)strlen(out);
    return n >= 16 && strspn(out, "0123456789abcdef") == (size_t)n ? ERR_OK
                                                                   : ERR_STATE;
}

/* MariaDB runs the file at each start, before it lets anyone in: what it
 * makes is there whatever was killed when. None of it is upstream data, so
 * none of it goes to the binlog. */
static enum err
write_init_file(const char *password)
{
    struct buf sql = BUF_INIT(8192);
    enum err e;

    buf_puts(&sql, "SET sql_log_bin = 0;\n");
    buf_printf(&sql,
               "CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4;\n",
               config()->mysql_database);
    buf_printf(&sql,
               "CREATE USER IF NOT EXISTS repl@'%%' IDENTIFIED BY '%s';\n"
               "ALTER USER repl@'%%' IDENTIFIED BY '%s';\n",
               password, password);
    buf_puts(&sql, "GRANT REPLICATION SLAVE, BINLOG MONITOR, SELECT ON *.* "
                   "TO repl@'%';\n");
    e = buf_err(&sql);
    if (e == ERR_OK)
        e = up_write_file(INIT_FILE, buf_text(&sql), 0600);
    if (sql.p != NULL)
        crypt_wipe(sql.p, sql.n);
    buf_free(&sql);
    return e;
}

enum err
mariadb_prepare(struct up *up, char *why, size_t why_size)
{
    char password[129];
    enum err e;

    (void)up;
    e = read_repl_password(password, sizeof(password));
    if (e == ERR_OK)
        e = write_init_file(password);
    crypt_wipe(password, sizeof(password));
    if (e != ERR_OK)
        (void)snprintf(why, why_size, "%s/repl.password or " INIT_FILE ": %s",
                       config_run_dir(), err_name(e));
    return e;
}

/* ---- options ---- */

static void
binlog_options(struct command *out)
{
    command_arg(out, "--log-bin=binlog");
    command_arg(out, "--binlog-format=ROW");
    command_arg(out, "--binlog-row-image=FULL");
    command_arg(out, "--binlog-row-metadata=FULL");
    command_arg(out, "--binlog-expire-logs-seconds=604800");
    command_arg(out, "--sync-binlog=1");
    command_arg(out, "--gtid-strict-mode=ON");
    if (config()->mysql_log_own)
        return;
    command_arg(out, "--binlog-ignore-db=%s", config()->mysql_database);
    for (size_t d = 0; dialects[d] != NULL; d++) {
        const char *const *schema = dialects[d]->unlogged;

        for (; schema != NULL && *schema != NULL; schema++)
            command_arg(out, "--binlog-ignore-db=%s", *schema);
    }
}

void
mariadb_command(struct up *up, const struct child *c, struct command *out)
{
    char socket[PLACE_BYTES];

    (void)c;
    out->err = up->mariadb_log.writer;
    if (place_socket(socket, sizeof(socket), "mysql.sock") != ERR_OK)
        socket[0] = '\0';
    command_arg(out, "mariadbd");
    command_arg(out, "--no-defaults");
    command_arg(out, "--datadir=%s/mysql", config_run_dir());
    command_arg(out, "--tmpdir=%s/tmp", config_run_dir());
    command_arg(out, "--pid-file=%s/mysql/mariadb.pid", config_run_dir());
    command_arg(out, "--socket=%s", socket);
    command_arg(out, "--bind-address=%s.1", config_net());
    command_arg(out, "--port=%lld", (long long)config()->mysql_port);
    command_arg(out, "--skip-name-resolve");
    command_arg(out, "--init-file=%s/" INIT_FILE, config_run_dir());
    command_arg(out, "--server-id=1");
    binlog_options(out);
    command_arg(out, "--innodb-buffer-pool-size=%lldM",
                (long long)config()->mysql_buffer_pool_mib);
    command_arg(out, "--innodb-flush-log-at-trx-commit=1");
    command_arg(out, "--sql-mode=STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,"
                     "ERROR_FOR_DIVISION_BY_ZERO");
    command_arg(out, "--character-set-server=utf8mb4");
    command_arg(out, "--max-connections=1000");
    command_arg(out, "--local-infile=OFF");
    command_arg(out, "--secure-file-priv=%s/tmp", config_run_dir());
    out->env[0] = "TZ=UTC";
}

/* ---- ready ---- */

static int
connect_socket(void)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd;

    if (place_socket(sa.sun_path, sizeof(sa.sun_path), "mysql.sock") != ERR_OK)
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
bool
mariadb_ready(struct child *c)
{
    unsigned char greeting[5];
    ssize_t n;

    if (c->probe_fd < 0)
        c->probe_fd = connect_socket();
    if (c->probe_fd < 0)
        return false;
    n = recv(c->probe_fd, greeting, sizeof(greeting), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return false; /* asked again, on this connection */
    (void)close(c->probe_fd);
    c->probe_fd = -1;
    return n == (ssize_t)sizeof(greeting) && greeting[4] == 10;
}
