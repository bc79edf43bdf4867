/* The words of a command line, read by the table of verbs. */
#ifndef MG_CLI_ORDER_H
#define MG_CLI_ORDER_H

#include "base.h"
#include "verb.h"

enum cli_exit {
#define CLI_EXIT(id, status, what) CLI_##id = (status),
#include "cli_exit.def"
#undef CLI_EXIT
};

enum cli_form { FORM_TABLE, FORM_WIDE, FORM_JSON, FORM_NAME };

#define CLI_ARGS_MAX 32

struct order {
    const struct verb *verb;
    /* What was given, by the number of the verb's argument; NULL: not. */
    const char *value[CLI_ARGS_MAX];
    enum cli_form form;
    const char *url, *token_file, *context; /* NULL: not given */
    bool wait, watch, dry_run, yes, help;
    int64_t wait_s, watch_s;
    int64_t limit; /* rows of a list; 0: all */
};

/* The i-th verb of all dialects; NULL past the last. */
const struct verb *verb_at(size_t i);

/* Whether the words begin with a noun of the table. */
bool order_is_ours(int argc, char **argv);

/* The order in the words; CLI_OK, or CLI_USAGE, which was told. With help,
 * verb is NULL when the words name a noun alone. */
int order_read(int argc, char **argv, struct order *o) MUST_USE;

/* Whether the words name another host: nothing of this one is to be read. */
bool order_is_remote(int argc, char **argv);

/* The options that every verb takes, for help and completion: name, what it
 * takes ("" for none), what it is for, of a FORM all it may be. NULL ends. */
struct order_option {
    const char *name, *takes, *doc;
};
extern const struct order_option order_options[];

/* Says what is wrong on standard error, `why` (NULL or "": nothing) behind it;
 * answers the status. */
int cli_complain(enum cli_exit status, const char *what, const char *why);

/* How it may end (cli_exit.def): status and what for; NULL past the last. */
const char *cli_exit_words(size_t i, int *status);

/* Which of the words is nearest to what was written, NULL when none is near:
 * at most a third of its letters are other, missing or too many, or pairs that
 * have changed places. next gives the i-th word, NULL past the last. */
const char *
nearest(const char *written, const char *(*next)(const void *ctx, size_t i),
        const void *ctx);

#endif
