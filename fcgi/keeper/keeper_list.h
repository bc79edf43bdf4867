/* The list of a machine's instances in RUN_DIR, as its keeper writes it:
 * instances/<machine>.json. It is what a keeper begins with, and what people
 * are shown while the store is down. No secrets. */
#ifndef MG_KEEPER_LIST_H
#define MG_KEEPER_LIST_H

#include "keeper.h"
#include "record.h"

#define KEPT_LISTS "instances" /* the folder in RUN_DIR */

#define KEPT_HOME(X, s)                    \
    X(s, STR, root, "root", IN | OUT, -)   \
    X(s, STR, class, "class", IN | OUT, -) \
    X(s, OBJ, kept, "kept", IN | OUT, kept)
STRUCT(kept_home, KEPT_HOME);

#define KEPT_PAUSE(X, s)                 \
    X(s, I32, port, "port", IN | OUT, -) \
    X(s, I64, until_ms, "until_ms", IN | OUT, -)
STRUCT(kept_pause, KEPT_PAUSE);
LIST_OF(kept_pause);

#define KEPT_HOMES(X, s)                                    \
    X(s, STR, machine, "machine", IN | OUT, -)              \
    X(s, LIST, instances, "instances", IN | OUT, kept_home) \
    X(s, LIST, pauses, "pauses", IN | OUT, kept_pause)      \
    X(s, LIST, dropped, "dropped", IN | OUT, STR)
STRUCT(kept_homes, KEPT_HOMES);

enum err kept_list_path(const char *machine, char *out, size_t size) MUST_USE;
/* NOT_FOUND, STATE, BAD_PARAM: it is damaged. */
enum err kept_list_read(struct arena *a, const char *path,
                        struct kept_homes *out) MUST_USE;

/* The instances of all machines of this host as they were last seen, by
 * machine and port. A keeper that does not run has left them as they were
 * then. As kept_list_read; none is OK. */
enum err kept_lists_read(struct arena *a, struct list_of_kept *out) MUST_USE;

#endif
