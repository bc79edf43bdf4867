/* Room: blob/ */
/* Where backups and files of change data go: named streams of bytes in a
 * directory, in WebHDFS or in S3. One that is there is whole: it is written
 * under another name, or as parts that nobody sees, and gets its name last.
 *
 *     file:///var/backups/metagate
 *     webhdfs://namenode:9870/metagate?user=hdfs
 *     s3://bucket/prefix?endpoint=http://127.0.0.1:4568&region=us-east-1
 *
 * A key is the name below that: [A-Za-z0-9_./-], no "..", no empty part. What
 * a client names is connected to through egress/ alone. */
#ifndef MG_BLOB_H
#define MG_BLOB_H

#include "arena.h"
#include "base.h"

#define BLOB_KEY_MAX 512

struct blob_config {
    const char *url;
    const char *root; /* file:// lies below that directory, and no link leads
                       * out of it; NULL: anywhere */
    const char *access_key, *secret_key; /* S3; NULL: none */
    const char *from;         /* own address to connect from; NULL: any */
    bool (*go_on)(void *ctx); /* asked now and then; false breaks off */
    void *ctx;
};

struct blob_store;

/* Reads the url; nothing is connected to. In the arena. BAD_PARAM with why. */
enum err blob_open(struct arena *a, const struct blob_config *cfg,
                   struct blob_store **out, char why[WHY_BYTES]) MUST_USE;

/* Whether a text may be a key. */
bool blob_is_key(const char *key);

/* Gives up to n bytes: how many, 0 at the end, -1 on failure. */
typedef int64_t blob_read_fn(void *ctx, char *p, size_t n);
/* Takes n bytes; false breaks off. */
typedef bool blob_write_fn(void *ctx, const char *p, size_t n);

struct blob_sum {
    int64_t bytes;
    char sha256[65];
};

/* Every call below: PEER, TIMEOUT when the store cannot be reached or fails,
 * DENIED when it refuses, NOT_FOUND, LIMIT when it is full, STATE when read,
 * write or go_on has broken off; `why` says more, without secrets. */

/* Writes it whole, in place of one of that name; when it fails there is
 * nothing new. */
enum err
blob_put(struct blob_store *s, const char *key, blob_read_fn *read, void *ctx,
         struct blob_sum *sum, char why[WHY_BYTES]) MUST_USE;

/* The same of what lies in memory. only_new: EXISTS, and nothing is written,
 * when there is one of that name, whoever writes it in the same moment (S3: if
 * the store knows If-None-Match; a try whose answer was lost counts, too). */
enum err blob_put_span(struct blob_store *s, const char *key, struct span bytes,
                       bool only_new, char why[WHY_BYTES]) MUST_USE;

/* Its bytes from offset on. */
enum err
blob_get(struct blob_store *s, const char *key, int64_t offset,
         blob_write_fn *write, void *ctx, char why[WHY_BYTES]) MUST_USE;

enum err blob_size(struct blob_store *s, const char *key, int64_t *bytes,
                   char why[WHY_BYTES]) MUST_USE;

/* OK when it is not there. What a put of that name has left that was killed,
 * or could not reach the store any more, goes too. */
enum err
blob_drop(struct blob_store *s, const char *key, char why[WHY_BYTES]) MUST_USE;

/* A small one (at most 1 MiB) as text in the arena; "" when it is not there. */
enum err blob_text(struct blob_store *s, struct arena *a, const char *key,
                   const char **out, char why[WHY_BYTES]) MUST_USE;
/* A line more at its end. The caller sees to it that nobody else does so. */
enum err blob_add_line(struct blob_store *s, struct arena *a, const char *key,
                       const char *line, char why[WHY_BYTES]) MUST_USE;

/* Without that line, wherever it is; OK when it is not there. As above. */
enum err blob_drop_line(struct blob_store *s, struct arena *a, const char *key,
                        const char *line, char why[WHY_BYTES]) MUST_USE;

#endif
