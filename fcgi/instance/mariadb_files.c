/* MariaDB: its template, its options, the statements of its first start. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "config.h"
#include "copy.h"
#include "file.h"
#include "mariadb_int.h"
#include "paths.h"
#include "template.h"

#define OPTIONS_MAX 65536

/* ---- the template ---- */

/* "mariadbd  Ver 10.11.19-MariaDB-..." */
enum err
mariadb_version(char *out, size_t size, char why[WHY_BYTES])
{
    const char *const argv[] = { config()->instance_mariadbd, "--no-defaults",
                                 "--version", NULL };
    static const struct template_program p = { "mariadb", "MariaDB", "run",
                                               "Ver " };
    enum err e = template_version(&p, argv, out, size, why);
    size_t n = strlen(out);

    if (e == ERR_OK)
        (void)snprintf(out + n, size - n, "-%d",
                       (int)config()->instance_redo_mib);
    return e;
}

void
mariadb_template(const struct instance *i, const char *into, struct argv *out)
{
    argv_add(out, "%s", config()->instance_mariadb_install_db);
    argv_add(out, "--no-defaults");
    argv_add(out, "--datadir=%s", into);
    argv_add(out, "--tmpdir=%s", i->tmpdir);
    argv_add(out, "--auth-root-authentication-method=socket");
    argv_add(out, "--auth-root-socket-user=%s", i->account);
    argv_add(out, "--skip-test-db");
    argv_add(out, "--force"); /* the host's name need not be known to it */
    argv_add(out, "--skip-name-resolve");
    /* what a copy is started with: nothing is resized then */
    argv_add(out, "--innodb-log-file-size=%dM",
             (int)config()->instance_redo_mib);
    argv_add(out, "--innodb-undo-tablespaces=0");
    argv_add(out, "--innodb-buffer-pool-size=16M");
}

/* ---- the options ---- */

/* notes: what keeps a small server small. */
static void
put_fixed(struct buf *b)
{
    buf_puts(b, "skip-name-resolve\n"
                "skip-slave-start\n"
                "local_infile=0\n"
                "character_set_server=utf8mb4\n"
                "performance_schema=0\n"
                "table_open_cache=400\n"
                "key_buffer_size=1M\n"
                "aria_pagecache_buffer_size=1M\n"
                "innodb_log_buffer_size=2M\n"
                "innodb_undo_tablespaces=0\n"
                "innodb_read_io_threads=1\n"
                "innodb_write_io_threads=2\n"
                "innodb_purge_threads=1\n"
                /* fs.aio-max-nr is one number for all servers of a host */
                "innodb_use_native_aio=0\n"
                "binlog_format=ROW\n"
                "binlog_row_image=FULL\n"
                "binlog_row_metadata=FULL\n"
                "log_slave_updates=1\n"
                "gtid_strict_mode=1\n"
                "relay_log_recovery=1\n"
                "slave_net_timeout=4\n"
                /* a replica that is told to stop takes leave of its source,
                 * which may stand still: in whole seconds, 0 is for ever */
                "rpl_semi_sync_slave_kill_conn_timeout=1\n"
                "rpl_semi_sync_master_enabled=0\n"
                /* ten days: a commit that no replica has is never confirmed */
                "rpl_semi_sync_master_timeout=864000000\n"
                "rpl_semi_sync_master_wait_point=AFTER_SYNC\n"
                "rpl_semi_sync_master_wait_no_slave=1\n");
}

/* A member begins read-only and as a replica; who leads is said afterwards,
 * from outside. A crashed one that is started again as a replica takes out of
 * its binlog what its engine had not committed: what nobody has acknowledged,
 * and also what was acknowledged a moment ago, which a replica has. A lone one
 * has nobody who would have it, and nobody who tells it that it leads. */
static void
put_role(struct buf *b, bool lone)
{
    buf_printf(b, "read_only=%d\nrpl_semi_sync_slave_enabled=%d\n", !lone,
               !lone);
    buf_printf(b, "init_rpl_role=%s\n", lone ? "MASTER" : "SLAVE");
}

static enum err
render_options(struct arena *a, const struct instance_spec *s,
               const struct instance *i, struct buf *b)
{
    struct home home[HOMES_MAX];
    const char *log, *wal, *persist;
    bool durable = config()->instance_durable;

    (void)instance_homes(s, home);
    log = instance_file(a, &home[1], BINLOG_DIR);
    wal = instance_file(a, &home[2], REDO_DIR);
    persist = instance_file(a, &home[0], PERSIST_FILE);
    if (log == NULL || wal == NULL || persist == NULL)
        return ERR_LIMIT;
    buf_printf(b, "# of metagate, for %s; written anew\n[mariadbd]\n", s->uuid);
    buf_printf(b, "datadir=%s\ntmpdir=%s\n", i->datadir, i->tmpdir);
    /* what LOAD_FILE and INTO OUTFILE may touch */
    buf_printf(b, "secure_file_priv=%s\n", i->tmpdir);
    buf_printf(b,
               "socket=%s\nbind_address=%s\nport=%u\nreport_host=%s\n"
               "report_port=%u\n",
               i->socket, s->address, i->port, s->address, i->port);
    buf_printf(b, "server_id=%lld\ngtid_domain_id=%lld\n",
               (long long)s->server_id, (long long)s->domain_id);
    buf_printf(b, "log_bin=%s/bin\nlog_bin_index=%s/bin.index\n", log, log);
    buf_printf(b, "relay_log=%s/relay\nrelay_log_index=%s/relay.index\n", log,
               log);
    buf_printf(b, "innodb_log_group_home_dir=%s\n", wal);
    buf_printf(b, "innodb_log_file_size=%dM\n",
               (int)config()->instance_redo_mib);
    buf_printf(b, "innodb_buffer_pool_size=%lld\nmax_connections=%d\n",
               (long long)s->memory_bytes, (int)s->max_connections);
    buf_printf(b, "innodb_flush_log_at_trx_commit=%d\nsync_binlog=%d\n",
               durable ? 1 : 2, durable ? 1 : 0);
    put_fixed(b);
    put_role(b, s->lone);
    buf_printf(b, "!include %s\n", persist);
    return buf_err(b);
}

enum err
mariadb_configure(struct arena *a, const struct instance_spec *s,
                  const struct instance *i, char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(OPTIONS_MAX);
    struct home home[HOMES_MAX];
    const char *persist;
    struct stat st;
    enum err e = render_options(a, s, i, &b);

    (void)instance_homes(s, home);
    persist = instance_file(a, &home[0], PERSIST_FILE);
    /* one that is not there is an error to the server */
    if (e == ERR_OK && persist != NULL && lstat(persist, &st) != 0 &&
        file_write(persist, 0600, "", 0) != ERR_OK)
        e = copy_failed(ERR_STATE, persist, why);
    if (e == ERR_OK && file_write(i->config, 0600, b.p, b.n) != ERR_OK)
        e = copy_failed(ERR_STATE, i->config, why);
    else if (e != ERR_OK)
        (void)why_fail(why, e, "the options are too long");
    buf_free(&b);
    return e;
}

/* ---- accounts ---- */

static void
put_account(struct buf *b, const char *user, const char *secret,
            const char *rights, const char *more)
{
    buf_printf(b, "CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY '%s';\n",
               user, secret);
    buf_printf(b, "ALTER USER %s@'%%' IDENTIFIED BY '%s';\n", user, secret);
    buf_printf(b, "GRANT %s ON *.* TO %s@'%%'%s;\n", rights, user, more);
}

/* The server reads ONE STATEMENT PER LINE; one that fails is a line in its log
 * and nothing else, so settle looks for the accounts. Names and secrets are of
 * a known alphabet (instance_check). */
static void
put_accounts(struct buf *b, const struct instance_spec *s, bool others_go)
{
    buf_puts(b, "SET sql_log_bin = 0;\n");
    /* the template's, which have no password or come by the socket */
    if (others_go)
        buf_printf(b,
                   "DELETE FROM mysql.proxies_priv;\n" OTHERS_GO
                   "WHERE User NOT IN ('mariadb.sys', '%s', '%s', '%s');\n"
                   "FLUSH PRIVILEGES;\n",
                   s->admin_user, s->repl_user, s->client_user);
    put_account(b, s->client_user, s->client_secret,
                "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, ALTER, "
                "REFERENCES, CREATE TEMPORARY TABLES, LOCK TABLES, CREATE "
                "VIEW, SHOW VIEW, TRIGGER, EVENT, EXECUTE, CREATE ROUTINE, "
                "ALTER ROUTINE, RELOAD, PROCESS, SHOW DATABASES, BINLOG "
                "MONITOR, SLAVE MONITOR",
                "");
    put_account(b, s->repl_user, s->repl_secret,
                "REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR", "");
    put_account(b, s->admin_user, s->admin_secret, "ALL PRIVILEGES",
                " WITH GRANT OPTION");
}

enum err
mariadb_init_file(struct arena *a, const struct instance_spec *s,
                  const char *path, const char *restored_gtid,
                  char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(OPTIONS_MAX);
    enum err e;

    put_accounts(&b, s, restored_gtid == NULL);
    if (!str_empty(restored_gtid)) { /* of an archive, hence looked at */
        const char *sql = instance_begin_at(a, restored_gtid);

        b.failed = b.failed || sql == NULL;
        buf_printf(&b, "%s;\n", sql != NULL ? sql : "");
        /* its empty binlog says upon what it follows: else nobody could tell
         * that nothing is missing before its first transaction */
        buf_printf(&b, "SET GLOBAL gtid_binlog_state = '%s';\n", restored_gtid);
    }
    e = buf_err(&b);
    if (e != ERR_OK)
        why_say(why, "the statements of the first start cannot be written");
    else if (file_write(path, 0600, b.p, b.n) != ERR_OK)
        e = copy_failed(ERR_STATE, path, why);
    buf_wipe(&b);
    return e;
}

enum err
mariadb_personalize(struct arena *a, const struct instance_spec *s,
                    const struct instance *i, const char *new,
                    char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    const char *redo, *to, *init;

    (void)i;
    (void)instance_homes(s, home);
    redo = arena_printf(a, "%s/" REDO_FILE, new);
    to = instance_file(a, &home[2], REDO_DIR "/" REDO_FILE);
    init = instance_file(a, &home[0], INIT_FILE);
    if (redo == NULL || to == NULL || init == NULL)
        return why_fail(why, ERR_LIMIT, "a path is too long");
    if (copy_move(redo, to) != ERR_OK)
        return copy_failed(ERR_STATE, to, why);
    return mariadb_init_file(a, s, init, NULL, why);
}

/* ---- options set while it runs ---- */

static void
put_option(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s=\"%s\"\n", name, value);
}

enum err
mariadb_persist(struct arena *a, const struct instance_spec *s,
                const char *name, const char *value, char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(OPTIONS_MAX);
    struct home home[HOMES_MAX];
    const char *path;
    char *old = NULL, *rest, *line;
    size_t n, len = strlen(name);
    enum err e;

    (void)instance_homes(s, home);
    path = instance_file(a, &home[0], PERSIST_FILE);
    e = path != NULL ? file_read(a, path, OPTIONS_MAX, &old, &n) : ERR_LIMIT;
    if (e == ERR_NOT_FOUND)
        e = ERR_OK;
    buf_puts(&b, "[mariadbd]\n");
    for (line = old != NULL ? strtok_r(old, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] != '[' &&
            (strncmp(line, name, len) != 0 || line[len] != '='))
            buf_printf(&b, "%s\n", line);
    }
    put_option(&b, name, value);
    if (e == ERR_OK)
        e = buf_err(&b);
    if (e == ERR_OK && file_write(path, 0600, b.p, b.n) != ERR_OK)
        e = copy_failed(ERR_STATE, path, why);
    else if (e != ERR_OK)
        (void)why_fail(why, e, "the options are too long");
    buf_free(&b);
    return e;
}
