/* For unit tests of sources: the server of tests/support/mariadb.py, and rows
 * of it as texts. */
#ifndef MG_TEST_SOURCE_SERVER_H
#define MG_TEST_SOURCE_SERVER_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

#define SCHEMA_MAX 64

struct server {
    struct source_config c;
    struct my *my;
    struct arena *a;
    struct binlog_failure why;
    char schema[SCHEMA_MAX];
};

static UNUSED void
run_sql(struct server *sv, const char *sql)
{
    if (my_do(sv->my, sql) != ERR_OK)
        fail_msg("%.300s: %s", sql, my_failure(sv->my)->text);
}

static UNUSED const char *
value_of(struct server *sv, const char *sql)
{
    struct my_table t;

    if (my_query(sv->my, sv->a, sql, 1, &t) != ERR_OK || t.n != 1)
        fail_msg("%.300s: %s", sql, my_failure(sv->my)->text);
    return t.cell[0].p != NULL ? t.cell[0].p : "";
}

static UNUSED const char *
present_position(struct server *sv)
{
    return value_of(sv, "SELECT @@GLOBAL.gtid_binlog_pos");
}

/* A schema of this process's own, in a session without strictness, in UTC. */
static UNUSED int
server_begin(struct server *sv)
{
    const char *hosts = getenv("METAGATE_TEST_MYSQL");
    const char *user = getenv("METAGATE_TEST_MYSQL_USER");
    char sql[256];

    if (hosts == NULL || my_library_begin() != ERR_OK ||
        my_address_parse(hosts, strlen(hosts), &sv->c.server.at) != ERR_OK) {
        (void)fprintf(
            stderr, "METAGATE_TEST_MYSQL is not set: run this by\n"
                    "/usr/bin/python3 tests/support/mariadb.py run -- <test>\n"
                    "(needs the package mariadb-server-core)\n");
        return -1;
    }
    sv->c.server.user = user != NULL ? user : "";
    sv->c.server.connect_timeout_s = 5;
    sv->c.server_id = 1000000u + (uint32_t)getpid();
    sv->c.heartbeat_ms = 200;
    sv->c.event_max = 64u << 20;
    sv->my = my_open();
    sv->a = arena_new(64u << 20);
    if (sv->my == NULL || sv->a == NULL ||
        my_connect(sv->my, &sv->c.server, 0) != ERR_OK)
        return -1;
    (void)snprintf(sv->schema, sizeof(sv->schema), "source_%ld",
                   (long)getpid());
    (void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s", sv->schema);
    run_sql(sv, sql);
    (void)snprintf(sql, sizeof(sql), "USE %s", sv->schema);
    run_sql(sv, sql);
    run_sql(sv, "SET sql_mode = '', time_zone = '+00:00'");
    return 0;
}

static UNUSED int
server_end(struct server *sv)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql), "DROP DATABASE %s", sv->schema);
    run_sql(sv, sql);
    my_close(sv->my);
    arena_free(sv->a);
    my_library_end();
    return 0;
}

/* ---- values as texts ---- */

static UNUSED void
put_text(struct binlog_decoder *d, const struct binlog_column *col,
         const struct binlog_value *v, struct buf *out)
{
    char text[64];

    switch (v->form) {
    case BINLOG_NULL:
        buf_puts(out, "NULL");
        return;
    case BINLOG_I64:
        buf_i64(out, v->i);
        return;
    case BINLOG_U64:
        buf_u64(out, v->u);
        return;
    case BINLOG_F32:
    case BINLOG_F64:
        buf_printf(out, "%.17g", v->f);
        return;
    case BINLOG_STAMP:
        buf_put(out, text, binlog_stamp_text(v->i, col->scale, false, text));
        return;
    case BINLOG_TEXT:
        buf_put(out, v->p, v->n);
        return;
    case BINLOG_BYTES:
        if (col->charset != NULL && strcmp(col->charset, "binary") != 0) {
            assert_int_equal(binlog_utf8(d, col->charset, v->p, v->n, out),
                             ERR_OK);
            return;
        }
        for (uint32_t i = 0; i < v->n; i++)
            buf_printf(out, "%02X", (unsigned char)v->p[i]);
        return;
    }
}

#endif
