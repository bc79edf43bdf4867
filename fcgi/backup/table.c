/* Moving a table: what both ends share, and the end that it leaves. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "buf.h"
#include "instance/copy.h"
#include "crypt/digest.h"
#include "file.h"
#include "instance.h"
#include "my.h"
#include "sql_words.h"
#include "instance/paths.h"
#include "table_int.h"

#define PIECE       ((size_t)256 << 10)
#define NAME_BYTES  64
#define COLUMNS_MAX 5000
#define LOCK_WAIT_S 60
#define LETTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

TABLE(instance_table_file, INSTANCE_TABLE_FILE);
TABLE(instance_table, INSTANCE_TABLE);

/* ---- names ---- */

/* https://mariadb.com/kb/en/identifier-to-file-name-mapping/ */
enum err
table_file_name(const char *name, char out[512], char why[WHY_BYTES])
{
    size_t n = strlen(name), at = 0;

    if (n == 0 || n > NAME_BYTES)
        return why_fail(why, ERR_STATE, "a name is too long, or missing");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c < ' ' || c >= 0x7f)
            return why_fail(why, ERR_STATE,
                            "names outside of ASCII cannot be moved");
        if (strchr("0123456789_" LETTERS, c) != NULL)
            out[at++] = (char)c;
        else
            at += (size_t)snprintf(out + at, 512 - at, "@%04x", c);
    }
    out[at] = '\0';
    return ERR_OK;
}

enum err
table_name(struct arena *a, const char *db, const char *table, const char **out,
           char why[WHY_BYTES])
{
    static const char *const own[] = { "mysql", "sys", "performance_schema",
                                       "information_schema" };
    const char *quoted[2];
    char file[512];
    enum err e = table_file_name(db, file, why);

    if (e == ERR_OK)
        e = table_file_name(table, file, why);
    for (size_t i = 0; e == ERR_OK && i < COUNT(own); i++) {
        if (strcasecmp(db, own[i]) == 0)
            e = why_fail(why, ERR_STATE, "%s is a schema of the server's own",
                         own[i]);
    }
    if (e != ERR_OK)
        return e;
    quoted[0] = my_quote_name(a, db);
    quoted[1] = my_quote_name(a, table);
    *out = quoted[0] != NULL && quoted[1] != NULL
               ? arena_printf(a, "%s.%s", quoted[0], quoted[1])
               : NULL;
    return *out != NULL ? ERR_OK : why_fail(why, ERR_NOMEM, "out of memory");
}

/* ---- what the server says of it ---- */

static enum err
ask(struct my *my, struct arena *a, const char *sql, size_t max,
    struct my_table *out, char why[WHY_BYTES])
{
    if (sql == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    return my_query(my, a, sql, max, out) == ERR_OK
               ? ERR_OK
               : instance_failed(my, "table", why);
}

/* The rows of `what` ("SELECT ... FROM information_schema...") that are about
 * the table, and what follows. */
static enum err
ask_about(struct my *my, struct arena *a, const char *what, const char *db,
          const char *table, const char *more, size_t max, struct my_table *out,
          char why[WHY_BYTES])
{
    const char *d = my_quote(my, a, db), *t = my_quote(my, a, table);

    if (d == NULL || t == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    return ask(my, a,
               arena_printf(a,
                            "%s WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s%s",
                            what, d, t, more),
               max, out, why);
}

enum err
table_columns(struct my *my, struct arena *a, const char *db, const char *table,
              struct my_table *out, char why[WHY_BYTES])
{
    enum err e;

    e = ask_about(
        my, a, "SELECT COLUMN_NAME AS c FROM information_schema.COLUMNS", db,
        table, " AND IS_GENERATED = 'NEVER' ORDER BY ORDINAL_POSITION",
        COLUMNS_MAX, out, why);
    return e == ERR_OK && out->n == 0
               ? why_fail(why, ERR_STATE, "it has no columns of its own")
               : e;
}

enum err
table_sum(struct my *my, struct arena *a, const char *db, const char *table,
          const char *name, int64_t *rows, const char **checksum,
          char why[WHY_BYTES])
{
    struct buf b = BUF_INIT((size_t)1 << 20);
    struct my_table columns, sum;
    const char *sql;
    enum err e = table_columns(my, a, db, table, &columns, why);

    if (e != ERR_OK)
        return e;
    /* times as they are, whatever the zone of the session */
    buf_puts(&b, "SET STATEMENT time_zone = '+00:00' FOR SELECT COUNT(*) AS n, "
                 "COALESCE(SUM(CAST(CONV(LEFT(MD5(CONCAT_WS(','");
    for (size_t i = 0; i < columns.n; i++) {
        const char *c = my_quote_name(a, my_cell(&columns, i, "c"));

        buf_printf(&b, ", COALESCE(HEX(CAST(%s AS BINARY)), '-')",
                   c != NULL ? c : "");
    }
    buf_printf(&b, ")), 15), 16, 10) AS UNSIGNED)), 0) AS s FROM %s", name);
    if (buf_settle(&b, a, &sql) != ERR_OK)
        return why_fail(why, ERR_NOMEM, "out of memory");
    e = ask(my, a, sql, 1, &sum, why);
    if (e != ERR_OK)
        return e;
    *rows = (int64_t)my_cell_u64(&sum, 0, "n");
    *checksum = my_cell(&sum, 0, "s");
    return ERR_OK;
}

enum err
table_definition(struct my *my, struct arena *a, const char *name,
                 const char **out, char why[WHY_BYTES])
{
    struct my_table t;
    enum err e =
        ask(my, a, arena_printf(a, "SHOW CREATE TABLE %s", name), 1, &t, why);

    if (e != ERR_OK)
        return my_failure(my)->code == 1146 ? ERR_NOT_FOUND : e;
    *out = my_cell(&t, 0, "Create Table");
    return *out != NULL ? ERR_OK
                        : why_fail(why, ERR_STATE, "it is no table of rows");
}

/* ---- files ---- */

enum err
table_folder(struct arena *a, const struct instance_spec *s, const char *db,
             int *fd, char why[WHY_BYTES])
{
    struct instance i;
    char name[512];
    int datadir;
    enum err e = table_file_name(db, name, why);

    if (e == ERR_OK)
        e = instance_place(a, s, &i, why);
    if (e != ERR_OK)
        return e;
    datadir = open(i.datadir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *fd = datadir >= 0 ? open_beneath(datadir, name, O_RDONLY | O_DIRECTORY, 0)
                       : -1;
    if (*fd < 0 && datadir >= 0 && errno == ENOENT)
        e = why_fail(why, ERR_NOT_FOUND, "there is no database %s", db);
    else if (*fd < 0)
        e = copy_failed(ERR_NOT_FOUND, i.datadir, why);
    if (datadir >= 0)
        (void)close(datadir);
    return e;
}

static enum err
copy_bytes(int in, int out, const struct instance_watch *w, int64_t *told,
           struct blob_sum *sum, char why[WHY_BYTES])
{
    struct digest *d = digest_new();
    char *piece = malloc(PIECE);
    enum err e = d != NULL && piece != NULL ? ERR_OK : ERR_NOMEM;
    ssize_t n = 0;

    *sum = (struct blob_sum){ 0 };
    while (e == ERR_OK && (n = read(in, piece, PIECE)) > 0) {
        if (w != NULL && w->go_on != NULL && !w->go_on(w->ctx)) {
            e = why_fail(why, ERR_STATE, "broken off");
        } else if (!digest_add(d, piece, (size_t)n)) {
            e = ERR_INTERNAL;
        } else if (out >= 0 && !file_write_fd(out, piece, (size_t)n, -1)) {
            e = copy_failed(ERR_STATE, "write", why);
        }
        sum->bytes += n;
        if (told != NULL)
            *told += n;
        if (told != NULL && w != NULL && w->progress != NULL)
            w->progress(w->ctx, *told);
    }
    if (e == ERR_OK && n < 0)
        e = copy_failed(ERR_STATE, "read", why);
    if (e == ERR_OK)
        e = digest_hex(d, sum->sha256);
    digest_free(d);
    free(piece);
    return e;
}

enum err
table_copy(int from_dir, const char *from, int to_dir, const char *to,
           const struct instance_watch *w, int64_t *told, struct blob_sum *sum,
           char why[WHY_BYTES])
{
    int in = open_beneath(from_dir, from, O_RDONLY, 0), out = -1;
    enum err e = in >= 0 ? ERR_OK : copy_failed(ERR_STATE, from, why);

    if (e == ERR_OK && to != NULL) {
        out = open_beneath(to_dir, to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (out < 0)
            e = copy_failed(ERR_STATE, to, why);
    }
    if (e == ERR_OK)
        e = copy_bytes(in, out, w, told, sum, why);
    if (e == ERR_OK && out >= 0 && fsync(out) != 0)
        e = copy_failed(ERR_STATE, to, why);
    if (in >= 0)
        (void)close(in);
    if (out >= 0 && close(out) != 0 && e == ERR_OK)
        e = copy_failed(ERR_STATE, to, why);
    if (e != ERR_OK && out >= 0)
        (void)unlinkat(to_dir, to, 0);
    return e;
}

/* ---- the end that it leaves ---- */

static enum err
check_kind(struct my *my, struct arena *a, const char *db, const char *table,
           char why[WHY_BYTES])
{
    const char *d = my_quote(my, a, db), *t = my_quote(my, a, table);
    const char *engine, *kind, *options;
    struct my_table found;
    enum err e;

    if (d == NULL || t == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    e = ask_about(my, a,
                  "SELECT TABLE_TYPE AS k, ENGINE AS e, CREATE_OPTIONS AS o"
                  " FROM information_schema.TABLES",
                  db, table, "", 1, &found, why);
    if (e != ERR_OK)
        return e;
    if (found.n == 0)
        return why_fail(why, ERR_NOT_FOUND, "there is no such table");
    kind = my_cell(&found, 0, "k");
    engine = my_cell(&found, 0, "e");
    options = my_cell(&found, 0, "o");
    if (kind == NULL || strcmp(kind, "BASE TABLE") != 0 || engine == NULL ||
        strcmp(engine, "InnoDB") != 0)
        return why_fail(why, ERR_STATE,
                        "only plain tables of InnoDB can be moved");
    if (options != NULL && strcasestr(options, "encrypted") != NULL)
        return why_fail(why, ERR_STATE, "it is encrypted by this server's key");
    e = ask(my, a,
            arena_printf(a,
                         "SELECT CONSTRAINT_NAME FROM "
                         "information_schema.REFERENTIAL_CONSTRAINTS WHERE "
                         "(CONSTRAINT_SCHEMA = %s AND TABLE_NAME = %s) OR "
                         "(UNIQUE_CONSTRAINT_SCHEMA = %s AND "
                         "REFERENCED_TABLE_NAME = %s)",
                         d, t, d, t),
            1000, &found, why);
    if (e == ERR_OK && found.n > 0)
        e = why_fail(why, ERR_STATE,
                     "it has foreign keys, or others have them "
                     "to it");
    return e;
}

static enum err
read_partitions(struct my *my, struct arena *a, const char *db,
                const char *table, struct my_table *out, char why[WHY_BYTES])
{
    enum err e;

    e = ask_about(my, a,
                  "SELECT PARTITION_NAME AS p, SUBPARTITION_NAME AS s"
                  " FROM information_schema.PARTITIONS",
                  db, table, " ORDER BY PARTITION_ORDINAL_POSITION",
                  PARTITIONS_MAX, out, why);
    for (size_t i = 0; e == ERR_OK && i < out->n; i++) {
        if (my_cell(out, i, "s") != NULL)
            e = why_fail(why, ERR_STATE, "it has subpartitions");
    }
    return e;
}

/* table.ibd, or table#P#name.ibd */
static enum err
copy_one(struct arena *a, int folder, const char *table, const char *partition,
         size_t n, const char *kind, int outbox, const struct instance_watch *w,
         int64_t *told, struct instance_table_file *out, char why[WHY_BYTES])
{
    char file[512], part[512] = "";
    const char *from;
    struct blob_sum sum;
    enum err e = table_file_name(table, file, why);

    if (e == ERR_OK && partition != NULL)
        e = table_file_name(partition, part, why);
    if (e != ERR_OK)
        return e;
    from = arena_printf(a, "%s%s%s.%s", file, partition != NULL ? "#P#" : "",
                        part, kind);
    PUT(out, instance_table_file, name, arena_printf(a, "%zu.%s", n, kind));
    if (from == NULL || out->name == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    e = table_copy(folder, from, outbox, out->name, w, told, &sum, why);
    PUT(out, instance_table_file, bytes, sum.bytes);
    PUT(out, instance_table_file, sha256, arena_strdup(a, sum.sha256));
    if (partition != NULL)
        PUT(out, instance_table_file, partition, partition);
    return e;
}

/* Under its lock. */
static enum err
copy_files(struct arena *a, int folder, const char *table,
           const struct my_table *partitions, int outbox,
           const struct instance_watch *w, struct instance_table *out,
           char why[WHY_BYTES])
{
    static const char *const kinds[] = { "ibd", "cfg" };
    size_t n = partitions->n, k = 0;
    int64_t told = 0;
    enum err e = ERR_OK;

    out->files.v = arena_array(a, n * COUNT(kinds), sizeof(*out->files.v));
    if (out->files.v == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        for (size_t j = 0; e == ERR_OK && j < COUNT(kinds); j++)
            e = copy_one(a, folder, table, my_cell(partitions, i, "p"), i,
                         kinds[j], outbox, w, &told, &out->files.v[k++], why);
    }
    out->files.n = k;
    SET(out, instance_table, files);
    if (e == ERR_OK && fsync(outbox) != 0)
        e = copy_failed(ERR_STATE, "outbox", why);
    return e;
}

static enum err
check_definition(const char *text, char why[WHY_BYTES])
{
    struct sql_words w = sql_words_of(text, strlen(text), 0);

    for (; w.kind != SQL_END; sql_next(&w)) {
        if (sql_take_all(&w, "DATA", "DIRECTORY", "="))
            return why_fail(why, ERR_STATE,
                            "its files lie elsewhere (DATA DIRECTORY)");
        if (sql_take_all(&w, "WITH", "SYSTEM", "VERSIONING"))
            return why_fail(why, ERR_STATE,
                            "it has a history (SYSTEM VERSIONING)");
    }
    return ERR_OK;
}

enum err
instance_table_export(struct my *my, struct arena *a,
                      const struct instance_spec *s, const char *db,
                      const char *table, int outbox,
                      const struct instance_watch *w,
                      struct instance_table *out, char why[WHY_BYTES])
{
    struct my_table partitions;
    const char *name, *flush;
    int folder = -1;
    enum err e = table_name(a, db, table, &name, why);

    *out = (struct instance_table){ 0 };
    if (e == ERR_OK)
        e = check_kind(my, a, db, table, why);
    if (e == ERR_OK)
        e = read_partitions(my, a, db, table, &partitions, why);
    if (e == ERR_OK)
        e = table_folder(a, s, db, &folder, why);
    flush = e == ERR_OK ? arena_printf(a, "FLUSH TABLES %s FOR EXPORT", name)
                        : NULL;
    /* all who want the table wait behind us for whoever has it now */
    if (e == ERR_OK && my_do(my, "SET SESSION lock_wait_timeout = " XSTR(
                                     LOCK_WAIT_S)) != ERR_OK)
        e = instance_failed(my, "lock_wait_timeout", why);
    if (e == ERR_OK && (flush == NULL || my_do(my, flush) != ERR_OK))
        e = instance_failed(my, "FLUSH TABLES FOR EXPORT", why);
    if (e == ERR_OK) {
        e = table_definition(my, a, name, &out->definition, why);
        SET(out, instance_table, definition);
        if (e == ERR_OK)
            e = check_definition(out->definition, why);
        if (e == ERR_OK)
            e = table_sum(my, a, db, table, name, &out->rows, &out->checksum,
                          why);
        SET(out, instance_table, rows);
        SET(out, instance_table, checksum);
        if (e == ERR_OK)
            e = copy_files(a, folder, table, &partitions, outbox, w, out, why);
        PUT(out, instance_table, version, arena_strdup(a, my_version_text(my)));
        if (my_do(my, "UNLOCK TABLES") != ERR_OK && e == ERR_OK)
            e = instance_failed(my, "UNLOCK TABLES", why);
    }
    if (folder >= 0)
        (void)close(folder);
    return e;
}

enum err
instance_table_look(struct my *my, struct arena *a, const char *db,
                    const char *table, struct instance_table *out,
                    char why[WHY_BYTES])
{
    const char *name;
    enum err e = table_name(a, db, table, &name, why);

    *out = (struct instance_table){ 0 };
    if (e == ERR_OK)
        e = table_definition(my, a, name, &out->definition, why);
    if (e == ERR_NOT_FOUND)
        return why_fail(why, e, "there is no such table");
    if (e == ERR_OK)
        e = table_sum(my, a, db, table, name, &out->rows, &out->checksum, why);
    SET(out, instance_table, definition);
    SET(out, instance_table, rows);
    SET(out, instance_table, checksum);
    return e;
}
