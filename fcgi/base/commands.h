/* Entry points of the commands: argv[0] is the command's name. Each answers
 * --help itself and returns the process's exit status. */
#ifndef MG_COMMANDS_H
#define MG_COMMANDS_H

#define COMMAND(name, function, args, doc) int function(int argc, char **argv);
#include "commands.def"
#undef COMMAND

#endif
