/* metagate nginx: the configuration without the rest of a deployment, for an
 * nginx of one's own, and again after a change of [nginx]. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/commands.h"
#include "config.h"
#include "file.h"
#include "nginx.h"
#include "place.h"

#define SECRET_BYTES 32 /* of a new one */

static int
complain(const char *why)
{
    (void)fprintf(stderr, "metagate nginx: %s\n", why);
    return EXIT_FAILURE;
}

/* RUN_DIR/secret, made when it is missing: an installed system keeps it, `up`
 * makes it anew at each start. */
static enum err
take_secret(char secret[PLACE_SECRET_BYTES])
{
    enum err e = place_hex_read(PLACE_SECRET, PLACE_SECRET_LEAST, secret,
                                PLACE_SECRET_BYTES);

    return e == ERR_NOT_FOUND
               ? place_hex_make(PLACE_SECRET, SECRET_BYTES, 0600, secret)
               : e;
}

static int
write_and_check(const char *secret)
{
    char why[WHY_BYTES];
    enum err e;

    if (nginx_write(secret, why) != ERR_OK ||
        nginx_test(nginx_runs(), why) != ERR_OK)
        return complain(why);
    e = nginx_reload();
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return complain("nginx keeps its old configuration; see "
                        "log/nginx-error.log in RUN_DIR");
    printf("written%s: %s/nginx\n"
           "For an nginx of your own, in http { }:\n"
           "    include %s/nginx/http.conf;\n"
           "    include %s/nginx/servers.conf;\n",
           e == ERR_OK ? " and taken over by the running nginx" : "",
           config_run_dir(), config_run_dir(), config_run_dir());
    return EXIT_SUCCESS;
}

int
nginx_main(int argc, char **argv)
{
    char secret[PLACE_SECRET_BYTES];
    enum err e;

    (void)argv;
    if (argc != 1) {
        (void)complain("no arguments are taken");
        return 2;
    }
    /* nginx as root would give its folders to yet another account */
    if (geteuid() == 0)
        return complain("not as root: RUN_DIR must exist and belong to the "
                        "account that nginx and the workers run as");
    if (file_mkdir(config_run_dir(), 0750) != ERR_OK || token_own() != ERR_OK)
        return complain(strerror(errno));
    e = take_secret(secret);
    if (e == ERR_BAD_PARAM)
        return complain(PLACE_SECRET_NONE);
    return e == ERR_OK ? write_and_check(secret) : complain(strerror(errno));
}
