/* What tests of the store's client begin with: two connections, an arena, a
 * schema of their own. */
#ifndef MG_TEST_STORE_FIXTURE_H
#define MG_TEST_STORE_FIXTURE_H

#include "arena.h"
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
static struct fixture *
fixture_open(void)
{
    static struct fixture f;

    f.db = db_open();
    f.other = db_open();
    f.a = arena_new(64u << 20);
    return f.db != NULL && f.other != NULL && f.a != NULL ? &f : NULL;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    arena_free(f->a);
    db_close(f->db);
    db_close(f->other);
    return 0;
}

/* The statements that make the test's own tables. */
static bool
fixture_schema(const char *const *sql, size_t n)
{
    struct db *db = db_open();
    bool made = db != NULL;

    for (size_t i = 0; i < n && made; i++)
        made = db_exec_text(db, sql[i]) == ERR_OK;
    db_close(db);
    return made;
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
