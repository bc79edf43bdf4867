/* The room is commands that speak to a running server from outside, as its
 * clients do: by the door that outgoing calls have (http.h), with a token and
 * without the store. `metagate post` is one file (post.c). All others are a
 * noun and a *verb*, a row of a dialect's table (verb.h): the words of a
 * command line are read by it into an *order* (order.h), which is asked of the
 * server (ask.h) through a *door*, where that is and by what token (door.h),
 * and comes to an *outcome*, which is shown (show.h). What the tables tell
 * without a server is here, too: help (tell.h), the manual page (manual.c),
 * and what shells complete by (complete.c), which has the table of all
 * commands. What runs in a deployment, or changes it, is in command/.
 *
 * This header: the command line by nouns and verbs, `metagate job list`. */
#ifndef MG_CLI_CLI_H
#define MG_CLI_CLI_H

/* The words behind `metagate`: reads them, asks, shows. The exit status is one
 * of cli_exit.def. */
int cli_main(int argc, char **argv);

#endif
