/* Entry points of the commands: argv[0] is the command's name. Each answers
 * --help itself and returns the process's exit status. */
#ifndef MG_COMMANDS_H
#define MG_COMMANDS_H

#include <stddef.h>

#define COMMAND(name, function, args, doc) int function(int argc, char **argv);
#include "commands.def"
#undef COMMAND

/* The same as rows, in that order; cli/complete.c has them. */
struct command_row {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *args, *doc; /* for people */
};
extern const struct command_row commands[];
extern const size_t n_commands;

#endif
