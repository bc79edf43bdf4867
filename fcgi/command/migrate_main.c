/* metagate migrate: the command, and the file that names the deployment. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/commands.h"
#include "config.h"
#include "crypt.h"
#include "hex.h"
#include "log.h"
#include "own_store.h"
#include "schema/keys.h"
#include "schema/migrate.h"
#include "place.h"
#include "role.h"
#include "store/store.h"

#define ID_FILE    "deployment_id"
#define ID_BYTES   16 /* 32 hex digits */
#define EXIT_USAGE 2

static bool
is_id(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return n > 0 && n <= 64 && text[n] == '\0';
}

static enum err
read_id(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    char line[130] = "";

    if (f == NULL)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED;
    if (fgets(line, sizeof(line), f) == NULL)
        line[0] = '\0';
    (void)fclose(f);
    line[strcspn(line, " \t\r\n")] = '\0';
    if (!is_id(line) || strlen(line) >= size) {
        log_error("migrate.deployment_id path=%s why=\"letters, digits, "
                  "- _ . and at most 64\"",
                  path);
        return ERR_BAD_PARAM;
    }
    (void)snprintf(out, size, "%s", line);
    return ERR_OK;
}

/* By link, so that of several only one makes it and none reads half of it. */
static enum err
make_id(const char *path)
{
    char temp[PLACE_BYTES + 8], id[2 * ID_BYTES + 2];
    enum err e = hex_random(id, ID_BYTES);
    bool ok;
    int fd;

    if (e != ERR_OK)
        return e;
    (void)snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return ERR_DENIED;
    id[2 * ID_BYTES] = '\n';
    ok = write(fd, id, 2 * ID_BYTES + 1) == 2 * ID_BYTES + 1 && fsync(fd) == 0;
    (void)close(fd);
    ok = ok && (link(temp, path) == 0 || errno == EEXIST);
    (void)unlink(temp);
    return ok ? ERR_OK : ERR_DENIED;
}

enum err
migrate_deployment_id(char *out, size_t size)
{
    char path[PLACE_BYTES];
    enum err e = place_path(path, sizeof(path), ID_FILE);

    if (e == ERR_OK)
        e = read_id(path, out, size);
    if (e == ERR_NOT_FOUND) {
        e = make_id(path);
        if (e == ERR_OK)
            e = read_id(path, out, size);
    }
    if (e != ERR_OK)
        log_error("migrate.deployment_id path=%s err=%s errno=%d", path,
                  err_name(e), errno);
    return e;
}

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
    char id[65] = "";
    enum err e;

    e = store_config(&c);
    c.read_timeout_s = 0; /* DDL takes as long as it takes */
    if (e == ERR_OK)
        e = db_init(&c);
    if (e == ERR_OK && !dry_run)
        e = migrate_deployment_id(id, sizeof(id));
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
