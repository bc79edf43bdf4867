/* For unit tests that need a server: tests/support/mariadb.py starts one and
 * names it in METAGATE_TEST_MYSQL. Without it they fail, they are not
 * skipped. */
#ifndef MG_TEST_STORE_SERVER_H
#define MG_TEST_STORE_SERVER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db.h"
#include "schema/migrate.h"
#include "store/db_impl.h"

static char server_schema[64];

/* Settings for a schema of this process's own. */
static bool
server_init(unsigned read_timeout_s, unsigned lock_wait_timeout_s)
{
    const char *hosts = getenv("METAGATE_TEST_MYSQL");
    const char *user = getenv("METAGATE_TEST_MYSQL_USER");
    struct db_config c = {
        .hosts = hosts,
        .user = user != NULL ? user : "",
        .password = "",
        .database = server_schema,
        .connect_timeout_s = 2,
        .read_timeout_s = read_timeout_s,
        .lock_wait_timeout_s = lock_wait_timeout_s,
        .batch = true,
    };

    (void)snprintf(server_schema, sizeof(server_schema), "unit_%ld",
                   (long)getpid());
    if (hosts != NULL && hosts[0] != '\0')
        return db_init(&c) == ERR_OK;
    (void)fprintf(stderr,
                  "METAGATE_TEST_MYSQL is not set: run this by\n"
                  "/usr/bin/python3 tests/support/mariadb.py run -- <test>\n"
                  "(needs the package mariadb-server-core)\n");
    return false;
}

/* The migrated schema. */
static bool
server_migrate(void)
{
    FILE *null = fopen("/dev/null", "we");
    bool ok = null != NULL && migrate_run("unit", false, null) == ERR_OK;

    if (null != NULL)
        (void)fclose(null);
    return ok;
}

static bool
server_fini(void)
{
    char sql[128];
    struct db *db;
    bool ok;

    /* A hundred tables: that takes what it takes, whatever the test's own
     * time-outs are. */
    for (size_t i = 0; i < db_settings.n_hosts; i++)
        db_settings.server[i].read_timeout_s = 300;
    db = db_open_bare();
    (void)snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s",
                   server_schema);
    ok = db != NULL && db_exec_text(db, sql) == ERR_OK;
    db_close(db);
    db_fini();
    return ok;
}

#endif
