/* metagate init: what an installed host (systemd) has before its first
 * start. The onebox's `up` makes the same for itself. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/commands.h"
#include "config.h"
#include "own_store.h"
#include "onebox/up.h"

static int
usage(void)
{
    (void)fprintf(stderr, "usage: metagate init [--print-grants]\n");
    return 2;
}

/* The account as an SQL literal; false for a name that would need escapes. */
static bool
is_plain(const char *name)
{
    return !str_empty(name) && strpbrk(name, "'`\"\\\n") == NULL;
}

/* What the administrator of a MariaDB of one's own runs, for a store that is
 * asked as [mysql] says: by socket, or with a password from anywhere. */
static void
print_schema(const char *schema)
{
    printf("CREATE DATABASE IF NOT EXISTS `%s`\n"
           "    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n",
           schema);
}

static void
print_grant(const char *schema, const char *user, const char *host)
{
    printf("GRANT " STORE_GRANTS "\n    ON `%s`.* TO '%s'@'%s';\n", schema,
           user, host);
}

static int
print_grants(void)
{
    const struct config *c = config();
    const struct passwd *pw = getpwuid(geteuid());
    const char *user = !str_empty(c->mysql_user) ? c->mysql_user
                       : pw != NULL              ? pw->pw_name
                                                 : "";
    bool password = !str_empty(c->mysql_password_file);
    const char *host = password ? "%" : "localhost";
    const char *const *schema;

    if (!is_plain(user)) {
        (void)fprintf(stderr, "metagate init: [mysql] user is no plain name\n");
        return EXIT_FAILURE;
    }
    printf("-- as the administrator of the server; [mysql] database, user and\n"
           "-- password_file say for whom\n");
    print_schema(c->mysql_database);
    for (size_t i = 0; (schema = own_schema(i)) != NULL; i++)
        print_schema(*schema);
    if (password)
        printf("-- put what stands in %s for ...\n"
               "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '...';\n",
               c->mysql_password_file, user);
    else
        printf("CREATE USER IF NOT EXISTS '%s'@'localhost'\n"
               "    IDENTIFIED VIA unix_socket;\n",
               user);
    print_grant(c->mysql_database, user, host);
    for (size_t i = 0; (schema = own_schema(i)) != NULL; i++)
        print_grant(*schema, user, host);
    return EXIT_SUCCESS;
}

int
init_main(int argc, char **argv)
{
    char why[WHY_BYTES];

    if (argc == 2 && strcmp(argv[1], "--print-grants") == 0)
        return print_grants();
    if (argc != 1)
        return usage();
    if (up_make_installation(why) != ERR_OK) {
        (void)fprintf(stderr, "metagate init: %s\n", why);
        return EXIT_FAILURE;
    }
    printf("%s has its configuration (metagate.ini), keys and tokens\n",
           config_run_dir());
    return EXIT_SUCCESS;
}
