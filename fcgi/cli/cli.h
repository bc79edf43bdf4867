/* The command line by nouns and verbs: `metagate job list`. */
#ifndef MG_CLI_CLI_H
#define MG_CLI_CLI_H

/* The words behind `metagate`: reads them, asks, shows. The exit status is one
 * of cli_exit.def. */
int cli_main(int argc, char **argv);

#endif
