/* MariaDB: what is asked of one that runs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "copy.h"
#include "file.h"
#include "mariadb_int.h"
#include "my.h"
#include "paths.h"

#define ROWS_MAX 1000

enum err
instance_failed(const struct my *my, const char *doing, char why[WHY_BYTES])
{
    const struct my_failure *f = my_failure(my);

    return why_fail(why, f->err != ERR_OK ? f->err : ERR_PEER, "%s: %.300s",
                    doing, !str_empty(f->text) ? f->text : "no answer");
}

enum err
mariadb_connect(const struct instance_spec *s, const char *user,
                const char *secret, int timeout_ms, struct my **out,
                char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct my_server server = {
        .user = user,
        .password = secret,
        .bind = s->address,
        .connect_timeout_s = (unsigned)(timeout_ms + 999) / 1000,
    };
    enum err e = my_address_of(s->address, s->port, &server.at);

    *out = NULL;
    if (e != ERR_OK)
        return why_fail(why, e, "it has no address");
    *out = my_open();
    if (*out == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    e = my_connect(*out, &server, until);
    if (e != ERR_OK) {
        (void)why_fail(why, e, "connect %s error: %.300s", server.at.label,
                       my_failure(*out)->text);
        my_close(*out);
        *out = NULL;
        return e;
    }
    my_until(*out, until);
    return ERR_OK;
}

enum err
instance_connect(const struct instance_spec *s, int timeout_ms, struct my **out,
                 char why[WHY_BYTES])
{
    if (s->kind != INSTANCE_STORAGE)
        return why_fail(why, ERR_BAD_PARAM, "it is no storage instance");
    return mariadb_connect(s, s->admin_user, s->admin_secret, timeout_ms, out,
                           why);
}

enum err
mariadb_probe(const struct instance_spec *s, int timeout_ms,
              char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct my *my;
    enum err e = instance_connect(s, timeout_ms, &my, why);

    if (e == ERR_OK) {
        e = my_do(my, "SELECT 1");
        if (e != ERR_OK)
            (void)instance_failed(my, "SELECT 1", why);
        my_close(my);
    }
    /* the library says of a server that takes connections and is silent that
     * it has lost it */
    return e == ERR_PEER && clock_mono_ms() >= until ? ERR_TIMEOUT : e;
}

/* ---- after the first start ---- */

static enum err
log_in(const struct instance_spec *s, const char *user, const char *secret,
       int64_t until, char why[WHY_BYTES])
{
    struct my *my;
    enum err e;

    do {
        int64_t left = until - clock_mono_ms();

        e = mariadb_connect(s, user, secret, left > 100 ? (int)left : 100, &my,
                            why);
        if (e == ERR_OK)
            my_close(my);
        else if (e != ERR_DENIED)
            (void)usleep(20000);
    } while (e != ERR_OK && e != ERR_DENIED && clock_mono_ms() < until);
    return e;
}

/* Nobody else may come in: the statements of the first start have run. */
static enum err
others_are_gone(const struct instance_spec *s, char why[WHY_BYTES])
{
    char n[32] = "", sql[512];
    struct my *my;
    enum err e = instance_connect(s, 5000, &my, why);

    if (e != ERR_OK)
        return e;
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM mysql.global_priv WHERE User NOT IN "
                   "('mariadb.sys', '%s', '%s', '%s')",
                   s->admin_user, s->repl_user, s->client_user);
    e = my_value_of(my, sql, n, sizeof(n));
    if (e != ERR_OK)
        e = instance_failed(my, "accounts", why);
    else if (strcmp(n, "0") != 0)
        e = why_fail(why, ERR_STATE, "the server has accounts of its template");
    my_close(my);
    return e;
}

enum err
mariadb_settle(struct arena *a, const struct instance_spec *s, int timeout_ms,
               char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct home home[HOMES_MAX];
    const char *init;
    char *text;
    size_t n;
    enum err e = log_in(s, s->admin_user, s->admin_secret, until, why);

    if (e == ERR_OK)
        e = log_in(s, s->client_user, s->client_secret, until, why);
    if (e == ERR_OK)
        e = log_in(s, s->repl_user, s->repl_secret, until, why);
    (void)instance_homes(s, home);
    init = instance_file(a, &home[0], INIT_FILE);
    if (e != ERR_OK || init == NULL)
        return e == ERR_OK ? ERR_LIMIT : e;
    e = file_read(a, init, 65536, &text, &n);
    if (e == ERR_NOT_FOUND)
        return ERR_OK; /* settled already: others may have been made since */
    if (e == ERR_OK && strstr(text, OTHERS_GO) != NULL)
        e = others_are_gone(s, why);
    if (e == ERR_OK && unlink(init) != 0)
        e = copy_failed(ERR_STATE, init, why);
    return e;
}

/* ---- variables ---- */

/* What an instance is, who it follows and how it is reached: not by this. */
static bool
is_own(const char *name)
{
    static const char *const whole[] = {
        "read_only",
        "port",
        "datadir",
        "socket",
        "bind_address",
        "tmpdir",
        "init_file",
        "server_id",
        "report_host",
        "report_port",
        "pid_file",
        "secure_file_priv",
        "plugin_dir",
        "plugin_load",
        "init_connect",
        "init_slave",
        "log_error",
        "general_log_file",
        "slow_query_log_file",
        "local_infile",
        "log_slave_updates",
        "init_rpl_role",
    };
    static const char *const begin[] = { "rpl_semi_sync_",
                                         "gtid_",
                                         "log_bin",
                                         "relay_log",
                                         "skip_",
                                         "binlog_format",
                                         "innodb_log_group_home" };

    for (size_t i = 0; i < COUNT(whole); i++) {
        if (strcmp(name, whole[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < COUNT(begin); i++) {
        if (strncmp(name, begin[i], strlen(begin[i])) == 0)
            return true;
    }
    return false;
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool
is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 64 && strspn(name, LOWER DIGITS "_") == n;
}

/* Into an option file as into SQL: no quote, no backslash, no control. */
static bool
is_value(const char *value)
{
    size_t n = strlen(value);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)value[i] < ' ' || (unsigned char)value[i] >= 0x7f ||
            strchr("\"'\\`#;!", value[i]) != NULL)
            return false;
    }
    return n <= 512;
}

static bool
is_number(const char *value)
{
    size_t n;

    value += *value == '-';
    n = strspn(value, DIGITS);
    return n > 0 && n < 20 &&
           (value[n] == '\0' ||
            (value[n] == '.' && value[n + 1] != '\0' &&
             strspn(value + n + 1, DIGITS) == strlen(value + n + 1)));
}

enum err
mariadb_set_variable(struct arena *a, const struct instance_spec *s,
                     const char *name, const char *value, char why[WHY_BYTES])
{
    const char *sql;
    struct my *my;
    enum err e;

    if (!is_name(name) || !is_value(value))
        return why_fail(why, ERR_BAD_PARAM,
                        "variable or value is not well formed");
    if (is_own(name))
        return why_fail(why, ERR_DENIED, "%s is set by what the instance is",
                        name);
    sql = is_number(value)
              ? arena_printf(a, "SET GLOBAL %s = %s", name, value)
              : arena_printf(a, "SET GLOBAL %s = '%s'", name, value);
    if (sql == NULL)
        return ERR_NOMEM;
    e = instance_connect(s, 10000, &my, why);
    if (e != ERR_OK)
        return e;
    e = my_do(my, sql);
    if (e != ERR_OK) {
        bool lost = (my_failure(my)->traits & MY_LOST) != 0;

        (void)instance_failed(my, name, why);
        e = lost ? e : ERR_BAD_PARAM;
    }
    my_close(my);
    return e == ERR_OK ? mariadb_persist(a, s, name, value, why) : e;
}
