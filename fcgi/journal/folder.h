/* The binlogs of a server as files. */
#ifndef MG_JOURNAL_FOLDER_H
#define MG_JOURNAL_FOLDER_H

#include "instance.h"

#define BINLOGS_MAX 100000

struct folder {
    int fd;
    size_t n;
    const char **name; /* oldest first */
    struct arena *a;
};

/* NOT_FOUND, DENIED, STATE. folder_close in every case. */
enum err folder_open(const struct instance_spec *s, struct folder *f,
                     char why[WHY_BYTES]) MUST_USE;
void folder_close(struct folder *f);

/* The index of a name; f->n: it is not there. */
size_t folder_find(const struct folder *f, const char *name);

/* Opens the i-th for reading and reads its head, which is head_n bytes at
 * head; -1 with why: BAD_PARAM (it has none yet, or is none), STATE. */
int folder_file(const struct folder *f, size_t i, char *head, size_t *head_n,
                enum err *e, char why[WHY_BYTES]);

#endif
