/* Copying a data directory: by reference where the file system can, else the
 * bytes that are there and not its holes. */
#ifndef MG_INSTANCE_COPY_H
#define MG_INSTANCE_COPY_H

#include "buf.h"
#include "instance.h"

/* All that lies in the directory `from`, regular files and directories with
 * their modes, into the new directory `to` below the open directory `at`.
 * LIMIT when the disk is full; STATE. */
enum err copy_tree(const char *from, int at, const char *to,
                   char why[WHY_BYTES]) MUST_USE;

/* Moves a file, also to another file system, in place of one of that name.
 * STATE (errno). */
enum err copy_move(const char *from, const char *to) MUST_USE;

/* LIMIT for a full disk, else `other`, and why from errno. */
enum err copy_failed(enum err other, const char *what, char why[WHY_BYTES]);

/* What b holds, a secret, as a file that is ours alone; b is wiped and freed.
 * NOMEM or LIMIT when b is not whole, else as copy_failed. */
enum err
copy_secret(struct buf *b, const char *path, char why[WHY_BYTES]) MUST_USE;

#endif
