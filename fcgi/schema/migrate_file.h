/* A migration as its file says it: private to migrate*.c. */
#ifndef MG_MIGRATE_FILE_H
#define MG_MIGRATE_FILE_H

#include "arena.h"
#include "base.h"
#include "embed.h"

struct step {
    const char *probe; /* a SELECT that yields 1 when it is done */
    const char *ddl;   /* without the semicolon */
    char digest[65];   /* of ddl */
};

struct migration {
    unsigned id;
    const char *name; /* "core" of 0001_core.sql */
    unsigned min_reader;
    struct step *steps;
    size_t n_steps;
};

struct migrations {
    struct migration *v; /* ascending */
    size_t n;
    unsigned version; /* the last one's id: what this binary can read */
};

/* One file's text. BAD_PARAM with file, line and reason in why. */
enum err migration_parse(struct arena *a, const struct embedded *file,
                         struct migration *out, char why[WHY_BYTES]) MUST_USE;

/* The number of a file "0001_core.sql"; 0: it has none. */
unsigned migration_number(const char *file);

/* All of a NULL-ended array of files, sorted by name; numbers must ascend. */
enum err migrations_parse(struct arena *a, const struct embedded *files,
                          struct migrations *out, char why[WHY_BYTES]) MUST_USE;

#endif
