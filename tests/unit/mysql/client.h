/* The client against a real server, which METAGATE_TEST_MYSQL names: a table
 * of parts, which each test finds empty. Included once per program. */
#ifndef MG_TEST_MYSQL_CLIENT_H
#define MG_TEST_MYSQL_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mysql/my_int.h"

#define PART(X, s)                          \
    X(s, I64, id, "id", COLUMN_ONLY, -)     \
    X(s, STR, name, "name", COLUMN_ONLY, -) \
    X(s, F64, f, "f", COLUMN_ONLY, -)
STRUCT(part, PART);
TABLE(part, PART);
struct parts {
    size_t n;
    struct part *v;
};

static const char add_sql[] = "INSERT INTO part (id, name, f) VALUES (?, ?, ?)";
static const char set_sql[] = "UPDATE part SET f = ? WHERE id = ?";
static const char all_sql[] = "SELECT id, name, f FROM part ORDER BY id";

static struct my_server server;
static char schema[64];

struct fixture {
    struct my *my;
    struct arena *a;
};

static void
ok(enum err e)
{
    assert_string_equal(err_name(e), "ok");
}

static int
setup(void **state)
{
    static struct fixture f;

    f.my = my_open();
    f.a = arena_new(1u << 20);
    *state = &f;
    return f.my != NULL && f.a != NULL &&
                   my_connect(f.my, &server, 0) == ERR_OK &&
                   my_do(f.my, "DELETE FROM part") == ERR_OK
               ? 0
               : -1;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    my_close(f->my);
    arena_free(f->a);
    return 0;
}

static int
group_setup(void **state)
{
    static const char table[] =
        "CREATE TABLE part (id BIGINT PRIMARY KEY, name VARCHAR(20), f DOUBLE,"
        " UNIQUE KEY part_name (name)) ENGINE=InnoDB";
    const char *host = getenv("METAGATE_TEST_MYSQL");
    const char *user = getenv("METAGATE_TEST_MYSQL_USER");
    struct my *my = my_open();
    char sql[128];
    bool made;

    (void)state;
    if (host == NULL || user == NULL) {
        (void)fprintf(stderr, "tests/support/mariadb.py run -- <test>\n");
        return -1;
    }
    server.user = user;
    server.connect_timeout_s = 5;
    server.read_timeout_s = 30;
    (void)snprintf(schema, sizeof(schema), "unit_my_%ld", (long)getpid());
    (void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s", schema);
    made = my_library_begin() == ERR_OK &&
           my_address_parse(host, strlen(host), &server.at) == ERR_OK &&
           my_connect(my, &server, 0) == ERR_OK && my_do(my, sql) == ERR_OK;
    server.database = schema;
    made = made && my_connect(my, &server, 0) == ERR_OK &&
           my_do(my, table) == ERR_OK;
    my_close(my);
    return made ? 0 : -1;
}

static int
group_teardown(void **state)
{
    struct my *my = my_open();
    char sql[128];
    bool done;

    (void)state;
    (void)snprintf(sql, sizeof(sql), "DROP DATABASE %s", schema);
    done = my_connect(my, &server, 0) == ERR_OK && my_do(my, sql) == ERR_OK;
    my_close(my);
    my_library_end();
    return done ? 0 : -1;
}

#endif
