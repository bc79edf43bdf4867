/* The room is a machine without its instances: what it is, has, and has room
 * for, which directories are none for databases, files that it takes.
 *
 * This header: its directories, as lists with ';' between them name them,
 * looked at one by one. */
#ifndef KUNLUN_DIRS_H
#define KUNLUN_DIRS_H

#include "arena.h"
#include "kunlun/core/placement.h"
#include "record.h"

/* The next directory of such a list, which moves behind it; false at the end.
 * What is empty between two ';' is none. */
bool machine_dirs_next(const char **list, struct span *out) MUST_USE;

struct machine_dir {
    enum placement_class class;
    const char *path;   /* as it was given */
    const char *real;   /* its canonical form */
    int64_t used, free; /* MB: below instance_data/<class>; of its disk */
};

struct machine_dirs {
    struct arena *arena;
    struct machine_dir *v;
    size_t n;
    /* what is no directory for databases, or cannot be read, each once */
    struct STR *wrong;
    size_t n_wrong;
};

/* Those of a list for each class (NULL: none), in that order. LIMIT when they
 * are more than max: then the first ones have been looked at. */
enum err machine_dirs_look(struct arena *a, size_t max,
                           const char *const lists[PLACEMENT_CLASS__MAX],
                           struct machine_dirs *out) MUST_USE;

/* The wrong ones with ';' between them, as many as `most` bytes hold; "": there
 * is none. */
enum err machine_dirs_wrong(const struct machine_dirs *d, size_t most,
                            const char **out) MUST_USE;

#endif
