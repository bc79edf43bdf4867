/* The directories of a database instance, and nothing but these: everything
 * that is made for one lies in
 *     <root>/instance_data/<class>/<port>/
 * where root is a directory that its machine was registered with and class is
 * one of data_dir_path, log_dir_path, innodb_log_dir_path, comp_datadir
 * (the names that its managers use). Such a home carries a marker file with the
 * instance's uuid; what carries no marker, or another's, is neither used nor
 * removed.
 *
 * Paths are walked by openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) from the
 * root, so that no link that somebody puts there leads out of it. */
#ifndef MG_HOME_H
#define MG_HOME_H

#include "base.h"

#define HOME_MARKER ".metagate-instance"

struct home {
    const char *root; /* canonical: see home_root */
    const char *class;
    unsigned port;
    const char *uuid; /* home_is_id */
};

/* Whether a text may be an instance's uuid: [0-9a-f-]{1,64}; NULL is none. */
#define HOME_ID_BYTES 65
bool home_is_id(const char *uuid);

/* Why a call was refused, for people. */
struct home_error {
    char text[512];
};

/* Whether a path may be a root: absolute, an existing directory in which we
 * can make others, and none of `forbidden` (":"-separated, canonical or not)
 * nor below one of them; "/" itself never. Its canonical form into real
 * (PATH_MAX bytes). BAD_PARAM or DENIED with *why. */
enum err home_root(const char *path, const char *forbidden, char *real,
                   struct home_error *why) MUST_USE;

/* Makes it with its marker; OK too when it is there and carries that uuid.
 * The home is 0700, what lies above it 0755. EXISTS when the directory holds
 * something and carries no marker, or another's; LIMIT when the disk is full.
 * *fd: the directory, for *at() calls; the caller closes it. */
enum err
home_make(const struct home *h, int *fd, struct home_error *why) MUST_USE;

/* The same without making anything: NOT_FOUND when it is not there, DENIED
 * when it is not that instance's. */
enum err
home_open(const struct home *h, int *fd, struct home_error *why) MUST_USE;

/* Removes it with all that is in it; OK too when it is not there. DENIED when
 * it is not that instance's: then nothing is touched. The marker goes last, so
 * that a removal that was broken off can be called again. */
enum err home_remove(const struct home *h, struct home_error *why) MUST_USE;

/* The same after a home_make that may have refused: what is not that instance's
 * is left as it is, and OK. */
enum err home_unmake(const struct home *h, struct home_error *why) MUST_USE;

/* Bytes that the files below fd take on disk, and -1 when it cannot be read. */
int64_t home_used_bytes(int fd);

/* "<root>/instance_data/<class>/<port>" into out; LIMIT when it is longer. */
enum err home_path(const struct home *h, char *out, size_t n) MUST_USE;

/* Renames the home's entry `name` aside to `to`, both below the home. */
enum err home_move(int fd, const char *name, const char *to) MUST_USE;

/* Removes the entry `name` below the open home fd (or RUN_DIR), whatever it is;
 * OK when it is not there. `name` has no slash. */
enum err home_clear(int fd, const char *name, struct home_error *why) MUST_USE;

#endif
