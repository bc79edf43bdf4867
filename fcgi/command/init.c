/* metagate init: what an installed host (systemd) has before its first
 * start. The onebox's `up` makes the same for itself. */
#include <stdio.h>
#include <stdlib.h>

#include "base/commands.h"
#include "config.h"
#include "onebox/up.h"

int
init_main(int argc, char **argv)
{
    char why[512];

    (void)argv;
    if (argc != 1) {
        (void)fprintf(stderr, "metagate init: no arguments are taken\n");
        return 2;
    }
    if (up_make_installation(why, sizeof(why)) != ERR_OK) {
        (void)fprintf(stderr, "metagate init: %s\n", why);
        return EXIT_FAILURE;
    }
    printf("%s has its configuration (metagate.ini), keys and first token\n",
           config_run_dir());
    return EXIT_SUCCESS;
}
