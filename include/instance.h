/* Room: instance/ */
/* A database server of any make, as a child process: what its files are made
 * by, its command line, whether it serves. Drivers know the programs, not what
 * a server is for: who runs it adds the options of its use to the command line
 * (argv_add), keeps the process (child.h), and speaks to it (mysql/).
 *
 * A member of the driver is a thing that every make has: PostgreSQL's are
 * initdb, postgres, SIGINT. A driver that lacks one leaves it NULL. */
#ifndef MG_INSTANCE_H
#define MG_INSTANCE_H

#include "argv.h"
#include "base.h"

/* One server. The paths are absolute; all of it is borrowed. */
struct instance {
    const char *datadir;
    const char *tmpdir;
    const char *socket;    /* of its local clients; at most 107 bytes */
    const char *address;   /* of its TCP listener; NULL: it has none */
    unsigned port;         /* with address */
    const char *config;    /* a file of options, read first; NULL: none, not
                            * the host's either */
    const char *init_file; /* statements of each start, before anyone is let
                            * in, one a line; NULL */
    const char *account;   /* of the host: who comes by the socket under this
                            * name is the administrator */
};

struct instance_driver {
    const char *name; /* "mariadb" */

    /* The tool that makes the files of a new server in the directory `into`,
     * which is not there yet: run to its end, 0 is success. Its owner renames
     * it to datadir, so that one that is there is complete. */
    void (*install)(const struct instance *i, const char *into,
                    struct argv *out);

    /* The server in the foreground. What a caller adds behind it wins. */
    void (*command)(const struct instance *i, struct argv *out);

    /* Whether it lets clients in. Does not wait: *fd (-1 at first) is kept by
     * the caller from call to call, and closed by it when the server ends. */
    bool (*ready)(const struct instance *i, int *fd);

    /* The word of its command line that no other process has: child_adopt. */
    void (*identity)(const struct instance *i, char *out, size_t size);

    /* On top of the environment, NULL-terminated: for its tools too. */
    const char *const *env;
    int stop_signal; /* ends it with nothing left to recover */
};

extern const struct instance_driver mariadb_driver;

#endif
