/* The onebox's database: its files made once, its options, its accounts. */
#include "up.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "own_store.h"
#include "crypt.h"
#include "dialect.h"
#include "file.h"
#include "instance.h"
#include "instance/home.h"

#define INIT_FILE      "mariadb-init.sql"
#define PASSWORD_LEAST 16 /* digits */

size_t
mariadb_count(void)
{
    return own_store() ? 1 : 0;
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

enum err
mariadb_install_prepare(struct up *up, char why[WHY_BYTES])
{
    struct home_error error;
    int dir = open(config_run_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e;

    (void)up;
    if (dir < 0)
        return why_fail(why, ERR_STATE, "%s: %s", config_run_dir(),
                        strerror(errno));
    /* a first start was killed in the middle */
    e = home_clear(dir, "mysql.new", &error);
    (void)close(dir);
    return e == ERR_OK ? e : why_fail(why, e, "%s", error.text);
}

/* The onebox's database as its driver sees it. */
struct own {
    char datadir[PLACE_BYTES], tmpdir[PLACE_BYTES], socket[PLACE_BYTES];
    char init_file[PLACE_BYTES], address[PLACE_MACHINE_BYTES];
    struct instance instance;
};

static const struct instance *
describe(struct own *o, const char *account)
{
    int64_t port = config()->mysql_port;

    *o = (struct own){ .instance = { .datadir = o->datadir,
                                     .tmpdir = o->tmpdir,
                                     .socket = o->socket,
                                     .init_file = o->init_file,
                                     .account = account } };
    /* RUN_DIR was made with them: they fit */
    if (place_path(o->datadir, PLACE_BYTES, "mysql") != ERR_OK ||
        place_path(o->tmpdir, PLACE_BYTES, "tmp") != ERR_OK ||
        place_path(o->init_file, PLACE_BYTES, INIT_FILE) != ERR_OK ||
        place_socket(o->socket, PLACE_BYTES, "mysql.sock") != ERR_OK)
        o->socket[0] = '\0';
    (void)place_machine(1, o->address);
    if (port != 0) {
        o->instance.address = o->address;
        o->instance.port = (unsigned)port;
    }
    return &o->instance;
}

void
mariadb_install_command(struct up *up, const struct up_child *c,
                        struct command *out)
{
    char into[PLACE_BYTES];
    struct own own;

    (void)c;
    (void)snprintf(into, sizeof(into), "%s/mysql.new", config_run_dir());
    mariadb_driver.install(describe(&own, up->account), into, &out->args);
    out->env = mariadb_driver.env;
}

enum err
mariadb_install_done(struct up *up, char why[WHY_BYTES])
{
    char old[PLACE_BYTES], new[PLACE_BYTES];

    (void)up;
    if (place_path(old, sizeof(old), "mysql.new") == ERR_OK &&
        place_path(new, sizeof(new), "mysql") == ERR_OK &&
        rename(old, new) == 0) {
        file_sync_folder(new);
        return ERR_OK;
    }
    return why_fail(why, ERR_STATE, "RUN_DIR/mysql: %s", strerror(errno));
}

/* ---- accounts and schema ---- */

static void
put_schema(struct buf *sql, const char *schema)
{
    buf_printf(sql,
               "CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4;\n"
               "GRANT " STORE_GRANTS " ON `%s`.* TO " OWN_STORE_USER
               "@localhost;\n",
               schema, schema);
}

/* MariaDB runs the file at each start, before it lets anyone in: what it
 * makes is there whatever was killed when. None of it is upstream data, so
 * none of it goes to the binlog. */
static enum err
write_init_file(const char *password, const char *own)
{
    struct buf sql = BUF_INIT(16384);
    const char *const *schema;
    enum err e;

    buf_puts(&sql, "SET sql_log_bin = 0;\n");
    buf_printf(&sql,
               "CREATE USER IF NOT EXISTS repl@'%%' IDENTIFIED BY '%s';\n"
               "ALTER USER repl@'%%' IDENTIFIED BY '%s';\n",
               password, password);
    buf_printf(&sql,
               "CREATE USER IF NOT EXISTS " OWN_STORE_USER "@localhost;\n"
               "ALTER USER " OWN_STORE_USER "@localhost IDENTIFIED BY '%s';\n",
               own);
    put_schema(&sql, config()->mysql_database);
    for (size_t i = 0; (schema = own_schema(i)) != NULL; i++)
        put_schema(&sql, *schema);
    buf_puts(&sql, "GRANT REPLICATION SLAVE, BINLOG MONITOR, SELECT ON *.* "
                   "TO repl@'%';\n");
    e = buf_err(&sql);
    if (e == ERR_OK)
        e = up_write_file(INIT_FILE, buf_text(&sql), 0600);
    buf_wipe(&sql);
    return e;
}

enum err
mariadb_prepare(struct up *up, char why[WHY_BYTES])
{
    char password[129], own[129];
    enum err e;

    (void)up;
    e = place_hex_read("repl.password", PASSWORD_LEAST, password,
                       sizeof(password));
    if (e == ERR_OK)
        e = place_hex_read(OWN_STORE_PASSWORD, PASSWORD_LEAST, own,
                           sizeof(own));
    if (e == ERR_OK)
        e = write_init_file(password, own);
    crypt_wipe(password, sizeof(password));
    crypt_wipe(own, sizeof(own));
    if (e != ERR_OK)
        why_say(why,
                "%s/repl.password, " OWN_STORE_PASSWORD " or " INIT_FILE ": %s",
                config_run_dir(), err_name(e));
    return e;
}

/* ---- options ---- */

static void
binlog_options(struct argv *out)
{
    const char *const *schema;

    argv_add(out, "--log-bin=binlog");
    argv_add(out, "--binlog-format=ROW");
    argv_add(out, "--binlog-row-image=FULL");
    argv_add(out, "--binlog-row-metadata=FULL");
    argv_add(out, "--binlog-expire-logs-seconds=604800");
    argv_add(out, "--sync-binlog=1");
    argv_add(out, "--gtid-strict-mode=ON");
    if (config()->mysql_log_own)
        return;
    argv_add(out, "--binlog-ignore-db=%s", config()->mysql_database);
    for (size_t i = 0; (schema = own_schema(i)) != NULL; i++)
        argv_add(out, "--binlog-ignore-db=%s", *schema);
}

void
mariadb_command(struct up *up, const struct up_child *c, struct command *out)
{
    struct argv *args = &out->args;
    struct own own;

    (void)c;
    out->err = up->mariadb_log.writer;
    out->env = mariadb_driver.env;
    mariadb_driver.command(describe(&own, up->account), args);
    argv_add(args, "--server-id=1");
    binlog_options(args);
    argv_add(args, "--innodb-buffer-pool-size=%lldM",
             (long long)config()->mysql_buffer_pool_mib);
    argv_add(args, "--innodb-flush-log-at-trx-commit=1");
    argv_add(args, "--sql-mode=STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,"
                   "ERROR_FOR_DIVISION_BY_ZERO");
    argv_add(args, "--character-set-server=utf8mb4");
    argv_add(args, "--max-connections=1000");
    argv_add(args, "--local-infile=OFF");
    argv_add(args, "--secure-file-priv=%s", own.tmpdir);
}

bool
mariadb_ready(struct up_child *c)
{
    struct own own;

    return mariadb_driver.ready(describe(&own, ""), &c->probe_fd);
}
