/* Room: base/ */
/* Whole small files: read at once, replaced at once. */
#ifndef MG_FILE_H
#define MG_FILE_H

#include <sys/types.h>

#include "arena.h"
#include "buf.h"

/* Writes n bytes under another name and renames: readers see the old file or
 * the new one, also after a crash. STATE when that fails (errno says why);
 * the old file is untouched then. */
enum err
file_write(const char *path, mode_t mode, const char *p, size_t n) MUST_USE;

/* Writes all n bytes to an open file: at that offset, or with -1 where its
 * position is, as write(2). A signal does not cut it. False (errno) when it
 * fails: a part of them may be written then. */
bool file_write_fd(int fd, const void *p, size_t n, off_t at) MUST_USE;

/* Has the folder of that path written to the disk: what was renamed, linked
 * or removed in it stays so after a power cut. */
void file_sync_folder(const char *path);

/* Gives the file of descriptor fd at least n bytes, all of them with blocks of
 * their own: writing into a hole of a mapped file kills by SIGBUS when the
 * disk is full. STATE (errno) without room. */
enum err file_reserve(int fd, size_t n) MUST_USE;

/* The file (0600, made when there is none) with at least n bytes that have
 * blocks, mapped shared and writable. It comes locked (flock): the caller
 * unlocks or closes *fd, which is -1 when it could not be opened. NULL (errno)
 * when it cannot be had; the mapping lasts as long as the process. */
void *file_map(const char *path, size_t n, int *fd) MUST_USE;

/* The file as a NUL-terminated text of the arena. NOT_FOUND when there is
 * none, LIMIT past max bytes, STATE when it cannot be read (errno). */
enum err file_read(struct arena *a, const char *path, size_t max, char **out,
                   size_t *n) MUST_USE;

/* As file_read, cut where the first line of it ends, without that end ("\n" or
 * "\r\n"). *n is of the whole file: what is to be wiped of a secret. */
enum err file_read_line(struct arena *a, const char *path, size_t max,
                        char **out, size_t *n) MUST_USE;

/* What is left of an open file, into max + 1 bytes of the caller, with a NUL
 * behind it. LIMIT past max bytes: then the first max + 1 stand there and no
 * NUL. STATE when it cannot be read (errno): then *n bytes of it do. */
enum err file_read_fd(int fd, char *text, size_t max, size_t *n) MUST_USE;

/* What a file that an operator made for a secret holds: its first line, as far
 * as its end, into out. BAD_PARAM, and out is "", when it is not a plain file,
 * others than its owner and group can read, write or run it, it cannot be read,
 * or its size - 1 bytes are too few; why says which of them, without its path.
 */
enum err file_read_secret(const char *path, char *out, size_t size,
                          char why[WHY_BYTES]) MUST_USE;

/* The first bytes of a file, also of one whose size is not told (/proc), and a
 * NUL: as far as size - 1 hold them; how many. 0 when it cannot be read. */
size_t file_start(const char *path, char *out, size_t size);

/* The same below an open directory, through no link on the way. NOT_FOUND when
 * there is none, STATE when it cannot be read (errno); then out is "". */
enum err
file_start_beneath(int dir, const char *name, char *out, size_t size) MUST_USE;

/* As file_write, 0600, below an open directory and through no link; what it is
 * written to first is called `name`.new and may be left behind by a crash. */
enum err
file_write_beneath(int dir, const char *name, const char *p, size_t n) MUST_USE;

/* The whole of such a file, behind what out holds; out's maximum is the
 * file's too. NOT_FOUND, STATE (errno). */
enum err file_append(const char *path, struct buf *out) MUST_USE;

/* Whether there is nothing in the directory of that descriptor but, if it is
 * given, a file `but`. False when it cannot be read. */
bool file_none_in(int dir, const char *but);

/* Makes the directory unless it is there; STATE (errno) when it cannot. */
enum err file_mkdir(const char *path, mode_t mode) MUST_USE;

#endif
