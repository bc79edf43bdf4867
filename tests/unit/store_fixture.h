/* What tests of the store's client begin with: two connections, an arena, a
 * schema and a key of their own. */
#ifndef MG_TEST_STORE_FIXTURE_H
#define MG_TEST_STORE_FIXTURE_H

#include "arena.h"
#include "crypt.h"
#include "store_server.h"

struct fixture {
    struct db *db, *other;
    struct arena *a;
};

static void
ok(enum err e)
{
    assert_string_equal(err_name(e), "ok");
}

/* NULL when something is missing. */
static UNUSED struct fixture *
fixture_open(void)
{
    static struct fixture f;

    f.db = db_open();
    f.other = db_open();
    f.a = arena_new(64u << 20);
    return f.db != NULL && f.other != NULL && f.a != NULL ? &f : NULL;
}

static UNUSED int
teardown(void **state)
{
    struct fixture *f = *state;

    arena_free(f->a);
    db_close(f->db);
    db_close(f->other);
    return 0;
}

static bool
fixture_key(void)
{
    char path[] = "/var/tmp/mgunitkey.XXXXXX";
    int fd = mkstemp(path);
    bool loaded;

    if (fd < 0 || close(fd) != 0 || unlink(path) != 0)
        return false;
    loaded = crypt_create(path) == ERR_OK && crypt_load(path) == ERR_OK;
    return unlink(path) == 0 && loaded;
}

/* sql: the statements that make the test's own tables. */
static UNUSED bool
fixture_schema(const char *const *sql, size_t n)
{
    struct db *db = db_open();
    bool made = db != NULL;

    for (size_t i = 0; i < n && made; i++)
        made = db_exec_text(db, sql[i]) == ERR_OK;
    db_close(db);
    return made;
}

/* The set-up and the teardown of the group; the array `schema` is the test's
 * and holds what makes its tables. */
#define FIXTURE_GROUP(read_timeout_s, lock_wait_timeout_s)         \
    static int group_setup(void **state)                           \
    {                                                              \
        (void)state;                                               \
        return server_init(read_timeout_s, lock_wait_timeout_s) && \
                       server_migrate() && fixture_key() &&        \
                       fixture_schema(schema, COUNT(schema))       \
                   ? 0                                             \
                   : -1;                                           \
    }                                                              \
    static int group_teardown(void **state)                        \
    {                                                              \
        (void)state;                                               \
        return server_fini() ? 0 : -1;                             \
    }

/* The one number that a statement gives. */
static UNUSED int64_t
number(struct db *db, const char *sql)
{
    int64_t n = -1;

    ok(db_one_i64(db, sql, DB_NO_ARGS, &n));
    return n;
}

/* A counter of this session at the server. */
static UNUSED int64_t
counted(struct db *db, const char *name)
{
    static const char sql[] =
        "SELECT CAST(VARIABLE_VALUE AS SIGNED)"
        " FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = ?";
    int64_t n = -1;

    ok(db_one_i64(db, sql, DB_ARGS(db_str(name)), &n));
    return n;
}

#endif
