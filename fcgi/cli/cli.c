/* metagate <noun> <verb>: the order of things. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "order.h"
#include "show.h"
#include "tell.h"

/* Whether it may be done: a person is asked, others have said --yes. */
static int
may(const struct order *o)
{
    char line[16] = "";
    const char *what = o->value[0];

    if ((o->verb->flags & VERB_ASKS) == 0 || o->yes || o->dry_run)
        return CLI_OK;
    if (!isatty(STDIN_FILENO)) {
        (void)fprintf(stderr,
                      "metagate: %s %s: say --yes, or try it by --dry-run\n",
                      o->verb->noun, o->verb->verb);
        return CLI_USAGE;
    }
    (void)fprintf(stderr, "%s %s %s: sure? [y/N] ", o->verb->noun,
                  o->verb->verb, what == NULL ? "" : what);
    if (fgets(line, sizeof(line), stdin) != NULL &&
        (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0))
        return CLI_OK;
    (void)fprintf(stderr, "nothing was done\n");
    return CLI_USAGE;
}

static int
once(const struct order *o)
{
    struct door d;
    struct outcome out;
    int status = door_open(&d, o);

    if (status == CLI_OK)
        status = ask(&d, o, &out);
    if (status == CLI_OK)
        status = show(&d, o, &out);
    if (d.arena != NULL)
        door_close(&d);
    (void)fflush(stdout);
    return status;
}

/* Until it is ended; on a terminal each time from the top of it. */
static int
watch(const struct order *o)
{
    const struct timespec pause = { (time_t)o->watch_s, 0 };
    int status = CLI_OK;

    while (!ferror(stdout)) {
        if (isatty(STDOUT_FILENO))
            (void)printf("\033[H\033[2J");
        status = once(o);
        if (status != CLI_OK && status != CLI_AWAY)
            break;
        (void)nanosleep(&pause, NULL);
    }
    return status;
}

int
cli_main(int argc, char **argv)
{
    struct order o;
    int status = order_read(argc, argv, &o);

    if (status != CLI_OK)
        return status;
    if (o.help) {
        tell_help(o.verb, argc, argv);
        return CLI_OK;
    }
    status = may(&o);
    if (status != CLI_OK)
        return status;
    return o.watch ? watch(&o) : once(&o);
}
