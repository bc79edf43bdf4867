/* What the files of `metagate check` share. */
#ifndef MG_CHECK_H
#define MG_CHECK_H

#include <stdio.h>

#include "arena.h"
#include "db.h"
#include "json.h"

#define CHECK_TEXT_BYTES 8192

enum verdict { OK, WARN, FAIL };

/* What one look has found: a fact, and what to do unless it is well. */
struct finding {
    enum verdict verdict;
    char fact[CHECK_TEXT_BYTES], cure[CHECK_TEXT_BYTES];
};

struct look {
    struct arena *arena;
    struct db *db;
    bool json;
    struct json_writer w;
    int worst;
};

#define FOUND(f, v, ...)                                     \
    do {                                                     \
        (f)->verdict = (v);                                  \
        snprintf((f)->fact, sizeof((f)->fact), __VA_ARGS__); \
    } while (0)
#define CURE(f, ...) snprintf((f)->cure, sizeof((f)->cure), __VA_ARGS__)

/* One line about `what`. */
void check_report(struct look *l, const char *what, const struct finding *f);

/* check_children.c: what `metagate up` keeps running. */
void check_children(struct look *l);

/* check_instances.c: the databases that it keeps. */
void check_instances(struct look *l);

/* check_confine.c: what workers can do to the host. */
void check_confine(struct look *l);

/* check_store.c: version, settings, schema and clock of the store. */
void check_store(struct look *l);

#endif
