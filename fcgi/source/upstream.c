/* What is asked of a server before its binlog is read. All that a changefeed
 * needs of it may be changed while it runs, so it is asked each time. */
#include "upstream.h"

#include <inttypes.h>
#include <stdio.h>

#include "mysql/dump.h"

#define ROWS_MAX 100000 /* of a list of files or collations */
/* How long the server waits for a reader who takes nothing. */
#define WRITE_TIMEOUT_S 86400
#define GTIDS_BYTES_MAX (8u << 20)

/* Numbers of servers that tell more than a class. */
enum {
    NO_PRIVILEGE = 1227,
    NO_BINLOG = 1236, /* and whatever else hinders a dump */
    SAME_ID = 4052,   /* MariaDB */
};

/* ---- failures ---- */

/* What 1236 is about stands in its text alone. */
static enum binlog_fault
fault_of_dump(const char *text)
{
    static const struct {
        const char *part;
        enum binlog_fault fault;
    } parts[] = {
        { "purged", BINLOG_FAULT_PURGED },
        { "Could not find first log", BINLOG_FAULT_PURGED },
        { "which is not in the master's binlog", BINLOG_FAULT_FUTURE },
        { "more GTIDs than", BINLOG_FAULT_FUTURE },
        { "impossible position", BINLOG_FAULT_FUTURE },
        { "same server_uuid/server_id", BINLOG_FAULT_RIVAL },
        { "max_allowed_packet", BINLOG_FAULT_LIMIT },
        { "gtid_strict_mode", BINLOG_FAULT_FUTURE },
    };

    for (size_t i = 0; i < COUNT(parts); i++)
        if (strstr(text, parts[i].part) != NULL)
            return parts[i].fault;
    return BINLOG_FAULT_LOST;
}

enum err
upstream_failed(const struct my *my, struct binlog_failure *why)
{
    const struct my_failure *f = my_failure(my);
    enum binlog_fault fault = BINLOG_FAULT_LOST;

    if (f->code == NO_BINLOG)
        fault = fault_of_dump(f->text);
    else if (f->code == SAME_ID)
        fault = BINLOG_FAULT_RIVAL;
    else if (f->code == NO_PRIVILEGE)
        fault = BINLOG_FAULT_PRIVILEGE;
    else if (f->err == ERR_DENIED)
        fault = BINLOG_FAULT_DENIED;
    else if (f->err == ERR_LIMIT)
        fault = BINLOG_FAULT_LIMIT;
    else if (f->err == ERR_NOMEM)
        fault = BINLOG_FAULT_MEMORY;
    return binlog_fail(why, fault, "%s (%u)", f->text, f->code);
}

/* ---- settings ---- */

/* Variables that must be so, where a server has them at all. */
static const struct setting {
    const char *name, *value;
    enum { BOTH, MARIADB, MYSQL } of;
    bool must_be; /* a server without it cannot be read */
} settings[] = {
    { "log_bin", "ON", BOTH, true },
    { "binlog_format", "ROW", BOTH, true },
    { "binlog_row_image", "FULL", BOTH, true },
    { "binlog_row_metadata", "FULL", BOTH, true },
    { "gtid_mode", "ON", MYSQL, true },
    { "binlog_row_value_options", "", MYSQL, false },
    { "binlog_transaction_compression", "OFF", MYSQL, false },
};

static const char variables_sql[] =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format',"
    " 'binlog_row_image', 'binlog_row_metadata', 'gtid_mode',"
    " 'binlog_row_value_options', 'binlog_transaction_compression',"
    " 'server_id')";

static const char *
variable(const struct my_table *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->cell[i * t->n_columns].p != NULL &&
            strcmp(t->cell[i * t->n_columns].p, name) == 0)
            return t->cell[i * t->n_columns + 1].p;
    return NULL;
}

static enum err
check_settings(const struct my_table *t, bool is_mariadb, bool describes,
               struct binlog_failure *why)
{
    for (size_t i = 0; i < COUNT(settings); i++) {
        const struct setting *s = &settings[i];
        const char *v = variable(t, s->name);

        if (s->of != BOTH && (s->of == MARIADB) != is_mariadb)
            continue;
        if (v == NULL && describes &&
            strcmp(s->name, "binlog_row_metadata") == 0)
            continue; /* MySQL 5 has none to write */
        if (v == NULL && s->must_be)
            return binlog_fail(why, BINLOG_FAULT_SETTING,
                               "it has no %s, which has to be %s", s->name,
                               s->value);
        if (v != NULL && strcmp(v, s->value) != 0)
            return binlog_fail(why, BINLOG_FAULT_SETTING,
                               "%s is '%s', and has to be '%s'", s->name, v,
                               s->value);
    }
    return ERR_OK;
}

static enum err
look_at_settings(struct my *my, const struct source_config *c, struct arena *a,
                 struct source_upstream *out, struct binlog_failure *why)
{
    struct my_table t;

    if (my_query(my, a, variables_sql, ROWS_MAX, &t) != ERR_OK)
        return upstream_failed(my, why);
    out->server_id = (uint32_t)my_u64(variable(&t, "server_id"));
    if (out->server_id == c->server_id)
        return binlog_fail(why, BINLOG_FAULT_OWN_ID, "%" PRIu32, c->server_id);
    return check_settings(&t, out->is_mariadb, c->describes, why);
}

/* ---- positions ---- */

/* One text, "" for NULL. */
static enum err
ask(struct my *my, struct arena *a, const char *sql, const char **out,
    struct binlog_failure *why)
{
    struct my_table t;

    *out = "";
    if (my_query(my, a, sql, 1, &t) != ERR_OK)
        return upstream_failed(my, why);
    if (t.n == 1 && t.cell[0].p != NULL)
        *out = t.cell[0].p;
    return ERR_OK;
}

/* MariaDB: what stands before the first file that it still has. */
static enum err
ask_first(struct my *my, struct arena *a, const char **out,
          struct binlog_failure *why)
{
    struct my_table t;
    const char *file;
    enum err e;

    if (my_query(my, a, "SHOW BINARY LOGS", ROWS_MAX, &t) != ERR_OK)
        return upstream_failed(my, why);
    file = my_cell(&t, 0, "Log_name");
    if (file == NULL)
        return binlog_fail(why, BINLOG_FAULT_LOST, "it lists no binlog");
    e = my_binlog_begins(my, a, file, out);
    if (e == ERR_NOMEM)
        return binlog_fail(why, BINLOG_FAULT_MEMORY, "%s", "");
    return e == ERR_OK ? ERR_OK : upstream_failed(my, why);
}

enum err
upstream_look(struct my *my, const struct source_config *c, struct arena *a,
              struct source_upstream *out, struct binlog_failure *why)
{
    enum err e;

    *out = (struct source_upstream){ .is_mariadb = my_is_mariadb(my),
                                     .version = my_version(my) };
    out->version_text = arena_strdup(a, my_version_text(my));
    if (out->version_text == NULL)
        return binlog_fail(why, BINLOG_FAULT_MEMORY, "%s", "");
    e = look_at_settings(my, c, a, out, why);
    if (e != ERR_OK)
        return e;
    e = ask(my, a,
            out->is_mariadb ? "SELECT @@GLOBAL.gtid_binlog_pos"
                            : "SELECT @@GLOBAL.gtid_executed",
            &out->now, why);
    if (e != ERR_OK)
        return e;
    return out->is_mariadb
               ? ask_first(my, a, &out->first, why)
               : ask(my, a, "SELECT @@GLOBAL.gtid_purged", &out->first, why);
}

static enum err
bad_position(struct binlog_failure *why, enum binlog_fault fault,
             const struct binlog_gtid *g, const char *server_says)
{
    char text[BINLOG_GTID_MAX];

    binlog_gtid_text(g, text);
    return binlog_fail(why, fault, "%s; the server has %s", text,
                       !str_empty(server_says) ? server_says : "nothing");
}

/* A domain that the position has not may have begun since then: all of it is
 * to come. One that the server has not would be sent from its beginning, as
 * would be everything behind no position at all: a server that was reset. */
static enum err
check_domains(const struct source_upstream *u,
              const struct binlog_gtids *position,
              const struct binlog_gtids *now, const struct binlog_gtids *first,
              struct binlog_failure *why)
{
    for (size_t i = 0; i < position->n_domains; i++) {
        const struct binlog_gtid *g = &position->domain[i];

        if (gtids_domain(now, g->domain) == NULL)
            return bad_position(why, BINLOG_FAULT_DOMAIN, g, u->now);
        if (!binlog_gtids_have(now, g))
            return bad_position(why, BINLOG_FAULT_FUTURE, g, u->now);
    }
    for (size_t i = 0; i < first->n_domains; i++)
        if (!binlog_gtids_have(position, &first->domain[i]))
            return bad_position(why, BINLOG_FAULT_PURGED, &first->domain[i],
                                u->now);
    return ERR_OK;
}

static enum err
check_sets(const struct source_upstream *u, const struct binlog_gtids *position,
           const struct binlog_gtids *now, const struct binlog_gtids *first,
           struct binlog_failure *why)
{
    if (!gtids_within(position, now))
        return binlog_fail(why, BINLOG_FAULT_FUTURE, "the server has %s",
                           u->now);
    if (!gtids_within(first, position))
        return binlog_fail(why, BINLOG_FAULT_PURGED, "the server has purged %s",
                           u->first);
    return ERR_OK;
}

enum err
upstream_has(const struct source_upstream *u,
             const struct binlog_gtids *position, struct binlog_failure *why)
{
    struct binlog_gtids *now = binlog_gtids_new(), *first = binlog_gtids_new();
    enum err e;

    if (u->is_mariadb ? position->n_servers > 0 : position->n_domains > 0)
        e = binlog_fail(why, BINLOG_FAULT_POSITION, "it is of %s",
                        u->is_mariadb ? "MySQL" : "MariaDB");
    else if (now == NULL || first == NULL)
        e = binlog_fail(why, BINLOG_FAULT_MEMORY, "%s", "");
    else if (binlog_gtids_parse(now, u->now) != ERR_OK ||
             binlog_gtids_parse(first, u->first) != ERR_OK)
        e = binlog_fail(why, BINLOG_FAULT_POSITION, "the server's: %.200s",
                        u->now);
    else
        e = (u->is_mariadb ? check_domains : check_sets)(u, position, now,
                                                         first, why);
    binlog_gtids_free(now);
    binlog_gtids_free(first);
    return e;
}

/* ---- collations ---- */

/* MariaDB 10.10 on: one collation may be of several charsets, and only this
 * list has all the numbers. */
static const char applicable_sql[] =
    "SELECT ID, CHARACTER_SET_NAME FROM"
    " information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
    " WHERE ID IS NOT NULL";
static const char collations_sql[] =
    "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"
    " WHERE ID IS NOT NULL";

enum err
upstream_collations(struct my *my, struct arena *a, struct collations *out,
                    struct binlog_failure *why)
{
    bool has_list = my_is_mariadb(my) && my_version(my) >= 101000;
    struct my_table t;

    if (my_query(my, a, has_list ? applicable_sql : collations_sql, ROWS_MAX,
                 &t) != ERR_OK)
        return upstream_failed(my, why);
    *out = (struct collations){ 0 };
    for (size_t i = 0; i < t.n; i++)
        if (t.cell[2 * i].p != NULL && t.cell[2 * i + 1].p != NULL)
            collations_add(out, my_u64(t.cell[2 * i].p), t.cell[2 * i + 1].p);
    return ERR_OK;
}

/* ---- the stream ---- */

/* What the session tells the server of its reader. A MySQL server ends an
 * older stream of the same UUID, MariaDB one of the same number: so the UUID
 * is made of that. */
static const char *
session_sql(const struct my *my, const struct source_config *c,
            const char *gtids, struct arena *a)
{
    uint64_t beat_ns = (uint64_t)c->heartbeat_ms * 1000000;

    if (my_is_mariadb(my))
        return arena_printf(
            a,
            "SET @mariadb_slave_capability = 4,"
            " @master_binlog_checksum = @@GLOBAL.binlog_checksum,"
            " @master_heartbeat_period = %" PRIu64 ","
            " @slave_connect_state = '%s',"
            " @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0,"
            " @@SESSION.net_write_timeout = %d",
            beat_ns, gtids, WRITE_TIMEOUT_S);
    return arena_printf(
        a,
        "SET @master_binlog_checksum = @@GLOBAL.binlog_checksum,"
        " @binlog_binlog_checksum = @@GLOBAL.binlog_checksum,"
        " @master_heartbeat_period = %" PRIu64 ","
        " @binlog_heartbeat_period = %" PRIu64 ","
        " @slave_uuid = '6d657461-6761-7465-0000-0000%08" PRIx32 "',"
        " @replica_uuid = @slave_uuid,"
        " @@SESSION.net_write_timeout = %d",
        beat_ns, beat_ns, c->server_id, WRITE_TIMEOUT_S);
}

enum err
upstream_dump(struct my *my, const struct source_config *c,
              const struct binlog_gtids *position, bool once, struct arena *a,
              bool *crc, struct binlog_failure *why)
{
    struct buf gtids = BUF_INIT(GTIDS_BYTES_MAX);
    char sum[16] = "";
    const char *sql;
    enum err e;

    if (my_is_mariadb(my))
        binlog_gtids_print(position, &gtids);
    else
        gtids_pack(position, &gtids);
    e = buf_err(&gtids);
    if (e == ERR_OK) {
        sql = session_sql(my, c, buf_text(&gtids), a);
        e = sql != NULL ? ERR_OK : ERR_NOMEM;
    }
    if (e != ERR_OK) {
        buf_free(&gtids);
        return binlog_fail(why, BINLOG_FAULT_LIMIT, "the set of GTIDs");
    }
    e = my_do(my, sql);
    if (e == ERR_OK)
        e = my_value_of(my, "SELECT @master_binlog_checksum", sum, sizeof(sum));
    if (e == ERR_OK)
        e = my_dump(my, c->server_id, once,
                    my_is_mariadb(my) ? NULL : buf_text(&gtids), gtids.n);
    buf_free(&gtids);
    *crc = strcmp(sum, "CRC32") == 0;
    return e == ERR_OK ? ERR_OK : upstream_failed(my, why);
}
