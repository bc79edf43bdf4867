/* metagate migrate: the command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/commands.h"
#include "config.h"
#include "config/deployment.h"
#include "crypt.h"
#include "log.h"
#include "own_store.h"
#include "schema/keys.h"
#include "schema/migrate.h"
#include "place.h"
#include "role.h"
#include "store/store.h"

#define EXIT_USAGE 2

/* main answers --help. */
static void
print_usage(void)
{
    (void)fprintf(stderr,
                  "usage: metagate [--run-dir DIR] migrate [--dry-run]\n"
                  "  --dry-run  only print the steps that would be done\n");
}

/* The schema is there now; whether the key file is that of the store, the
 * start of a deployment asks here, before any worker does. */
static enum err
compare_keys(void)
{
    char why[WHY_BYTES] = "it cannot be asked";
    struct db *db = db_open();
    enum err e = db == NULL ? ERR_NOMEM : keys_check(db, why);

    if (e != ERR_OK)
        (void)fprintf(stderr, "%s\n", why);
    if (db != NULL)
        db_close(db);
    return e;
}

static bool
has_keys(void)
{
    char path[PLACE_BYTES];

    return !str_empty(config()->crypt_key_file) ||
           (place_path(path, sizeof(path), "key") == ERR_OK &&
            access(path, F_OK) == 0);
}

/* Which store it was, and which keys name it: what went wrong was logged. */
static void
name_store(void)
{
    const struct config *c = config();

    (void)fprintf(stderr,
                  "the store is [mysql] hosts = %s, database = %s, user = %s"
                  "%s%s\n",
                  own_store() ? "(the private MariaDB)" : c->mysql_hosts,
                  c->mysql_database,
                  !str_empty(c->mysql_user) ? c->mysql_user : "(this account)",
                  !str_empty(c->mysql_password_file) ? ", password_file = "
                                                     : "",
                  c->mysql_password_file);
}

static enum err
migrate(bool dry_run)
{
    struct db_config c;
    char id[DEPLOYMENT_ID_BYTES] = "";
    enum err e;

    e = store_config(&c);
    c.read_timeout_s = 0; /* DDL takes as long as it takes */
    if (e == ERR_OK)
        e = db_init(&c);
    if (e == ERR_OK && !dry_run)
        e = deployment_id(id);
    if (e == ERR_OK)
        e = migrate_run(id, dry_run, stdout);
    if (e == ERR_OK && !dry_run && has_keys()) {
        e = role_load_keys();
        if (e == ERR_OK)
            e = compare_keys();
    }
    return e;
}

int
migrate_main(int argc, char **argv)
{
    bool dry_run = argc == 2 && strcmp(argv[1], "--dry-run") == 0;
    enum err e;

    if (argc > 2 || (argc == 2 && !dry_run)) {
        print_usage();
        return EXIT_USAGE;
    }
    e = migrate(dry_run);
    db_fini();
    if (e != ERR_OK) {
        (void)fprintf(stderr, "metagate migrate: %s; ", err_name(e));
        name_store();
    }
    return e == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
