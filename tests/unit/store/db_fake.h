/* A handle of the store whose hosts h0, h1, h2 are those of my_fake.h. */
#ifndef MG_TEST_DB_FAKE_H
#define MG_TEST_DB_FAKE_H

#include "my_fake.h"
#include "record.h"
#include "secrets.h"
#include "store/db_impl.h"

/* What is said by a connection that is made. */
#define MADE "session; isolation"

static struct db *db;
static struct arena *arena;

/* In the place of db_settings.c and crypt/secrets.c, which know the whole
 * product. */
struct db_settings db_settings;

bool
secret_was_plain(const char *table, const char *column)
{
    return strcmp(table, "was") == 0 && strcmp(column, "plain") == 0;
}

static bool
fake_open(size_t hosts)
{
    fake_reset();
    db_settings = (struct db_settings){ .n_hosts = hosts,
                                        .lock_wait_timeout_s = 3,
                                        .batch = true };
    for (size_t i = 0; i < hosts; i++) {
        db_settings.server[i].database = "d";
        (void)snprintf(db_settings.server[i].at.label, 8, "h%d", (int)i);
    }
    arena = arena_new(1u << 20);
    db = db_open();
    return arena != NULL && db != NULL;
}

static int
one_host(void **state)
{
    (void)state;
    return fake_open(1) ? 0 : -1;
}

static UNUSED int
three_hosts(void **state)
{
    (void)state;
    return fake_open(3) ? 0 : -1;
}

/* One that is connected, and has said so. */
static UNUSED int
connected(void **state)
{
    if (one_host(state) != 0 || db_link(db) != ERR_OK)
        return -1;
    (void)fake_said();
    return 0;
}

static int
closed(void **state)
{
    (void)state;
    arena_free(arena); /* first: results that are read end with it */
    db_close(db);
    db_watch(NULL);
    return 0;
}

static UNUSED void
ok(enum err e)
{
    assert_string_equal(err_name(e), "ok");
}

#define SAID(text) assert_string_equal(fake_said(), text)

#endif
