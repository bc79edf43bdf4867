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
#include "hex.h"
#include "nginx.h"
#include "place.h"

#define SECRET_BYTES    32
#define SECRET_FILE_MAX 1024

static int
complain(const char *why)
{
    (void)fprintf(stderr, "metagate nginx: %s\n", why);
    return EXIT_FAILURE;
}

/* RUN_DIR/secret, made when it is missing: an installed system keeps it, `up`
 * makes it anew at each start. */
static enum err
take_secret(struct arena *a, char **out)
{
    char path[PLACE_BYTES], fresh[2 * SECRET_BYTES + 2];
    size_t n;
    enum err e;

    e = place_path(path, sizeof(path), "secret");
    if (e == ERR_OK)
        e = file_read(a, path, SECRET_FILE_MAX, out, &n);
    if (e == ERR_OK) {
        (*out)[strcspn(*out, "\n")] = '\0';
        return ERR_OK;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    e = hex_random(fresh, SECRET_BYTES);
    if (e != ERR_OK)
        return e;
    *out = arena_strdup(a, fresh);
    if (*out == NULL)
        return ERR_NOMEM;
    (void)strcat(fresh, "\n");
    return file_write(path, 0600, fresh, strlen(fresh));
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
    struct arena *a;
    char *secret;
    int status;

    (void)argv;
    if (argc != 1) {
        (void)complain("no arguments are taken");
        return 2;
    }
    /* nginx as root would give its folders to yet another account */
    if (geteuid() == 0)
        return complain("not as root: RUN_DIR must exist and belong to the "
                        "account that nginx and the workers run as");
    a = arena_new(64 * 1024);
    if (a == NULL)
        return complain("no memory");
    if (file_mkdir(config_run_dir(), 0750) != ERR_OK)
        status = complain(strerror(errno));
    else if (token_first() != ERR_OK || take_secret(a, &secret) != ERR_OK)
        status = complain(strerror(errno));
    else
        status = write_and_check(secret);
    arena_free(a);
    return status;
}
