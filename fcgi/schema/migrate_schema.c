/* The schema itself: created on a connection that has none. */
#include "migrate_schema.h"

#include <string.h>
#include <time.h>

#include "clock.h"
#include "db.h"
#include "dialect.h"

#define START_MS 30000 /* a server that is starting is waited for */
#define PAUSE_MS 200

static const char schema_sql[] =
    "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";

void
migrate_pause(long ms)
{
    const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    (void)nanosleep(&t, NULL);
}

static bool
is_plain_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return n > 0 && n <= 64 && name[n] == '\0';
}

/* A server that is still starting is waited for; one that refuses is not. */
static enum err
find_schema(struct db *db, const char *name, int64_t *out)
{
    int64_t until = clock_mono_ms() + START_MS;
    enum err e;

    for (;;) {
        e = db_one_i64(db, schema_sql, DB_ARGS(db_str(name)), out);
        if (e != ERR_STORE || db_errno(db) < 2000 || clock_mono_ms() > until)
            return e;
        migrate_pause(PAUSE_MS);
    }
}

static enum err
create_schema(struct db *bare, const char *name, bool dry, FILE *report)
{
    char sql[160];
    int64_t found;
    enum err e = find_schema(bare, name, &found);

    if (e != ERR_NOT_FOUND)
        return e;
    (void)fprintf(report, "schema %s: %s\n", name,
                  dry ? "to be created" : "created");
    if (dry)
        return ERR_NOT_FOUND;
    /* IF NOT EXISTS: others may be doing the same */
    (void)snprintf(sql, sizeof(sql),
                   "CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4"
                   " COLLATE utf8mb4_bin",
                   name);
    return db_exec_text(bare, sql);
}

/* Those of the dialects, then ours: whether that one is there is the answer. */
static enum err
create_schemas(struct db *bare, bool dry, FILE *report)
{
    const char *const *name;
    enum err e;

    for (size_t i = 0;
         (name = dialect_row(NULL, offsetof(struct dialect, unlogged),
                             sizeof(*name), i)) != NULL;
         i++) {
        e = create_schema(bare, *name, dry, report);
        if (e != ERR_OK && e != ERR_NOT_FOUND)
            return e;
    }
    return create_schema(bare, db_database(), dry, report);
}

enum err
migrate_schema(bool dry_run, FILE *report)
{
    struct db *bare;
    enum err e;

    if (!is_plain_name(db_database())) {
        (void)fprintf(report, "[mysql] database: letters, digits and _, "
                              "at most 64\n");
        return ERR_BAD_PARAM;
    }
    bare = db_open_bare();
    if (bare == NULL)
        return ERR_NOMEM;
    e = create_schemas(bare, dry_run, report);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        (void)fprintf(report, "metadata store: %s\n", db_error(bare));
    db_close(bare);
    return e;
}
