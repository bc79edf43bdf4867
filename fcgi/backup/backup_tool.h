/* Backups: what a driver says of its own stream. */
#ifndef MG_BACKUP_BACKUP_TOOL_H
#define MG_BACKUP_BACKUP_TOOL_H

#include "backup.h"
#include "tool.h"
#include "xbstream.h"

/* In the last line that mariadb-backup writes to its log when all went well,
 * of --backup as of --prepare. */
#define MARIADB_BACKUP_COMPLETED "completed OK!"

/* A stream while it passes. */
struct backup_stream {
    struct xbstream xbstream;
    char tail[128]; /* its last bytes */
    size_t tail_n;
};

struct backup_tool {
    /* The program that writes the stream; *secrets: a file that it is given,
     * removed afterwards, NULL: none. env as the driver's, or more. */
    enum err (*begin)(struct arena *a, const struct instance_spec *s,
                      const struct instance *i, struct argv *argv,
                      const char *const **env, const char **secrets,
                      char why[WHY_BYTES]);
    /* The next bytes; false when they are not of its form. */
    bool (*look)(struct backup_stream *b, const char *p, size_t n);
    /* After the program has exited with 0: whether stream and log say that
     * the backup is complete, and where it stands. */
    enum err (*ended)(struct arena *a, const struct backup_stream *b,
                      const struct tool *t, struct instance_backup *out,
                      char why[WHY_BYTES]);
};

extern const struct backup_tool mariadb_backup_tool, postgres_backup_tool;

/* Whether data of a server of version `theirs` may be taken by one of `ours`:
 * both are of one series, which the first two numbers name ("10.11.19",
 * "10.11.21-MariaDB-log", "15.17"). */
bool backup_same_series(const char *theirs, const char *ours);

/* What passes by when an archive is read: to a program, or a file. */
bool backup_look_mariadb(struct backup_stream *b, const char *p, size_t n);

#endif
