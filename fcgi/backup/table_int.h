/* Moving a table: what both ends share. */
#ifndef MG_BACKUP_TABLE_INT_H
#define MG_BACKUP_TABLE_INT_H

#include "backup.h"
#include "my.h"

#define PARTITIONS_MAX 8192

/* A schema's or table's name as that of a file: letters, digits and '_' as
 * they are, others "@0024". Only names of ASCII, which is what both ends can
 * agree about. STATE with why. */
enum err table_file_name(const char *name, char out[512], char why[WHY_BYTES]);

/* Schema and table in quotes, `db`.`table`, in the arena. STATE for a schema
 * of the server's own, or a name that cannot be moved. */
enum err table_name(struct arena *a, const char *db, const char *table,
                    const char **out, char why[WHY_BYTES]);

/* The names of its columns but of those that the server computes. */
enum err
table_columns(struct my *my, struct arena *a, const char *db, const char *table,
              struct my_table *out, char why[WHY_BYTES]);

/* How many rows, and a sum of what is in those columns, whatever their order.
 * Not CHECKSUM TABLE: that of a table with computed columns is not the same
 * for equal tables (10.11). */
enum err table_sum(struct my *my, struct arena *a, const char *db,
                   const char *table, const char *name, int64_t *rows,
                   const char **checksum, char why[WHY_BYTES]);

/* Its SHOW CREATE TABLE; NOT_FOUND. */
enum err table_definition(struct my *my, struct arena *a, const char *name,
                          const char **out, char why[WHY_BYTES]);

/* Copies a file, syncs it, and tells what it was. */
enum err table_copy(int from_dir, const char *from, int to_dir, const char *to,
                    const struct instance_watch *w, int64_t *told,
                    struct blob_sum *sum, char why[WHY_BYTES]);

/* The folder of the schema in the instance's data directory; *fd is the
 * caller's to close. */
enum err table_folder(struct arena *a, const struct instance_spec *s,
                      const char *db, int *fd, char why[WHY_BYTES]);

/* What a box holds beside the files, and the first line of its stream: the
 * record instance_table. */
#define LIST_FILE  "table.json"
#define LIST_BYTES ((size_t)16 << 20)

/* BAD_PARAM when it is none, or names other files than ours. */
enum err
table_list_read(struct arena *a, const char *text, size_t n,
                struct instance_table *out, char why[WHY_BYTES]) MUST_USE;
/* Its text, with room for a byte more behind it; NOT_FOUND: the box is not
 * whole, or not begun. */
enum err table_list_text(struct arena *a, int box, char **text, size_t *n,
                         char why[WHY_BYTES]) MUST_USE;
enum err
table_list_write(int box, const char *text, size_t n, char why[WHY_BYTES]);
/* Its SHA-256: the stream's entity tag. */
enum err table_list_tag(const char *text, size_t n, char out[65]) MUST_USE;
/* All of the stream; list_bytes: with its line feed. */
int64_t table_stream_bytes(const struct instance_table *t, size_t list_bytes);

#endif
