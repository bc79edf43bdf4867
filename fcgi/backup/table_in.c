/* Moving a table: the end that it arrives at.
 *
 * IMPORT TABLESPACE is a statement of its own server: written to the binlog it
 * would stop every replica, which has no such files, and left out of it the
 * replicas would lack the table. So files are imported into a table beside it
 * that the binlog does not know, a partition at a time, and what is read from
 * there is written to the table as rows.
 *
 * A table that is not there yet is filled under another name, which is ours,
 * and gets its own when all of it is there: nobody sees a part of it, and
 * whatever bears such a name is a rest that may go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_tool.h"
#include "base/beneath.h"
#include "buf.h"
#include "instance/copy.h"
#include "crypt/digest.h"
#include "log.h"
#include "instance.h"
#include "my.h"
#include "sql_words.h"
#include "table_int.h"

#define CONNECT_MS 10000
#define OURS_MAX   100000

struct arriving {
    struct my *my;    /* the client's: what it may not do, does not happen */
    struct my *admin; /* for the table beside */
    struct arena *a;
    const struct instance_spec *s;
    const struct instance_table *what;
    const char *db, *table, *name; /* name: `db`.`table` */
    char ours[48];                 /* its name until it is whole */
    const char *into, *into_name;  /* what is filled: that, or itself */
    char stage[72];                /* the table beside */
    const char *stage_name;        /* `db`.`stage` */
    const char *columns;           /* those that are written */
    int folder, inbox;
    const struct instance_watch *w;
    bool done; /* it is there and filled, by one that was killed then */
};

static enum err
run(struct arriving *r, struct my *my, const char *sql, const char *doing,
    char why[WHY_BYTES])
{
    (void)r;
    if (sql == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    return my_do(my, sql) == ERR_OK ? ERR_OK : instance_failed(my, doing, why);
}

/* ---- before anything is touched ---- */

static enum err
check_files(struct arriving *r, char why[WHY_BYTES])
{
    const struct instance_table *t = r->what;
    struct blob_sum sum;
    enum err e = ERR_OK;

    if (t->files.n == 0 || t->files.n % 2 != 0 || t->definition == NULL ||
        t->checksum == NULL || t->version == NULL)
        return why_fail(why, ERR_BAD_PARAM, "what was sent is no table");
    for (size_t i = 0; e == ERR_OK && i < t->files.n; i++) {
        const struct instance_table_file *f = &t->files.v[i];

        if (f->name == NULL || f->sha256 == NULL ||
            strchr(f->name, '/') != NULL)
            return why_fail(why, ERR_BAD_PARAM, "what was sent is no table");
        e = table_copy(r->inbox, f->name, -1, NULL, r->w, NULL, &sum, why);
        if (e == ERR_OK &&
            (sum.bytes != f->bytes || strcmp(sum.sha256, f->sha256) != 0))
            e = why_fail(why, ERR_BAD_PARAM, "%.40s is damaged", f->name);
    }
    return e;
}

static enum err
check_version(struct arriving *r, char why[WHY_BYTES])
{
    const char *theirs = r->what->version, *ours = my_version_text(r->my);

    if (backup_same_series(theirs, ours))
        return ERR_OK;
    return why_fail(why, ERR_STATE,
                    "the table is of version %.40s, this server of %.40s",
                    theirs, ours);
}

/* ---- the table ---- */

/* What follows the name in a definition: "CREATE TABLE `a``b` (...". */
static const char *
body_of(const char *definition)
{
    struct sql_words w = sql_words_of(definition, strlen(definition), 0);

    if (!sql_take_all(&w, "CREATE", "TABLE") || w.kind != SQL_NAME)
        return NULL;
    sql_next(&w);
    return sql_is(&w, "(") ? w.text.p : NULL;
}

/* The same but for the next number to be given. */
static bool
same_body(struct arena *a, const char *one, const char *two)
{
    static const char counter[] = " AUTO_INCREMENT=";
    char *text[2] = { arena_strdup(a, one), arena_strdup(a, two) };

    for (size_t i = 0; i < 2; i++) {
        char *options, *p;

        if (text[i] == NULL)
            return false;
        options = strstr(text[i], "\n) ENGINE=");
        p = options != NULL ? strstr(options, counter) : NULL;
        if (p != NULL) {
            size_t n = sizeof(counter) - 1;

            n += strspn(p + n, "0123456789");
            memmove(p, p + n, strlen(p + n) + 1);
        }
    }
    return strcmp(text[0], text[1]) == 0;
}

/* There, empty and alike, or filled already. */
static enum err
check_table(struct arriving *r, const char *there, const char *body,
            char why[WHY_BYTES])
{
    const char *own = body_of(there), *sql, *checksum;
    char any[8] = "";
    int64_t rows;
    enum err e;

    if (own == NULL || !same_body(r->a, own, body))
        return why_fail(why, ERR_EXISTS,
                        "a table of that name has another definition");
    sql = arena_printf(r->a, "SELECT 1 FROM %s LIMIT 1", r->name);
    if (sql == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    if (my_value_of(r->my, sql, any, sizeof(any)) != ERR_OK)
        return instance_failed(r->my, "table", why);
    if (str_empty(any))
        return ERR_OK;
    e = table_sum(r->my, r->a, r->db, r->table, r->name, &rows, &checksum, why);
    r->done = e == ERR_OK && rows == r->what->rows &&
              strcmp(checksum, r->what->checksum) == 0;
    return r->done || e != ERR_OK
               ? e
               : why_fail(why, ERR_EXISTS, "a table of that name has rows");
}

/* The one that is filled: itself when it is there, else one of ours. */
static enum err
make_table(struct arriving *r, char why[WHY_BYTES])
{
    const char *body = body_of(r->what->definition), *there;
    enum err e;

    if (body == NULL)
        return why_fail(why, ERR_BAD_PARAM, "what was sent is no table");
    r->into = r->table;
    r->into_name = r->name;
    e = table_definition(r->my, r->a, r->name, &there, why);
    if (e == ERR_OK)
        return check_table(r, there, body, why);
    if (e != ERR_NOT_FOUND)
        return e;
    r->into = r->ours;
    e = table_name(r->a, r->db, r->into, &r->into_name, why);
    if (e == ERR_OK)
        e = run(r, r->my,
                arena_printf(r->a, "CREATE TABLE %s %s", r->into_name, body),
                "CREATE TABLE", why);
    return e;
}

static enum err
list_columns(struct arriving *r, char why[WHY_BYTES])
{
    struct buf b = BUF_INIT((size_t)1 << 20);
    struct my_table t;
    enum err e = table_columns(r->my, r->a, r->db, r->into, &t, why);

    for (size_t i = 0; e == ERR_OK && i < t.n; i++) {
        const char *name = my_quote_name(r->a, my_cell(&t, i, "c"));

        buf_printf(&b, "%s%s", i > 0 ? ", " : "", name != NULL ? name : "");
    }
    if (buf_settle(&b, r->a, &r->columns) != ERR_OK && e == ERR_OK)
        e = why_fail(why, ERR_NOMEM, "out of memory");
    return e;
}

/* ---- the tables beside ---- */

/* Always the same for a table and a partition, so that what a killed runner
 * has left is found and dropped by the next. One for each, since the rows that
 * are not committed yet hold the ones before. */
static enum err
name_ours(struct arriving *r, char why[WHY_BYTES])
{
    struct digest *d = digest_new();
    char sha256[65];
    enum err e = d != NULL && digest_add(d, r->name, strlen(r->name))
                     ? digest_hex(d, sha256)
                     : ERR_NOMEM;

    digest_free(d);
    if (e != ERR_OK)
        return why_fail(why, e, "out of memory");
    (void)snprintf(r->ours, sizeof(r->ours), "metagate_arriving_%.16s", sha256);
    return ERR_OK;
}

static enum err
name_stage(struct arriving *r, size_t n, char why[WHY_BYTES])
{
    (void)snprintf(r->stage, sizeof(r->stage), "%s_%zu", r->ours, n);
    return table_name(r->a, r->db, r->stage, &r->stage_name, why);
}

/* Replicas have the one that is filled, and none of those beside it. */
static enum err
drop_one(struct arriving *r, const char *table, char why[WHY_BYTES])
{
    bool beside = strcmp(table, r->ours) != 0;
    const char *name;
    enum err e = table_name(r->a, r->db, table, &name, why);

    if (e == ERR_OK)
        e = run(r, r->admin,
                beside ? "SET SESSION sql_log_bin = 0"
                       : "SET SESSION sql_log_bin = 1",
                "sql_log_bin", why);
    if (e == ERR_OK)
        e = run(r, r->admin,
                arena_printf(r->a, "DROP TABLE IF EXISTS %s", name),
                "DROP TABLE", why);
    if (e == ERR_OK && !beside)
        e = run(r, r->admin, "SET SESSION sql_log_bin = 0", "sql_log_bin", why);
    return e;
}

/* Files that were put there and never imported. */
static enum err
drop_files(struct arriving *r, char why[WHY_BYTES])
{
    int fd = open_beneath(r->folder, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    enum err e = ERR_OK;

    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return copy_failed(ERR_STATE, r->db, why);
    }
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, r->ours, strlen(r->ours)) == 0 &&
            unlinkat(r->folder, entry->d_name, 0) != 0 && errno != ENOENT)
            e = copy_failed(ERR_STATE, entry->d_name, why);
    }
    (void)closedir(dir);
    return e;
}

/* Whatever bears our name for that table. */
static enum err
drop_ours(struct arriving *r, char why[WHY_BYTES])
{
    const char *db = my_quote(r->admin, r->a, r->db);
    struct my_table t;
    const char *sql =
        db != NULL
            ? arena_printf(r->a,
                           "SELECT TABLE_NAME AS t FROM "
                           "information_schema.TABLES WHERE TABLE_SCHEMA = %s"
                           " AND LEFT(TABLE_NAME, %zu) = '%s'",
                           db, strlen(r->ours), r->ours)
            : NULL;
    enum err e = ERR_OK;

    if (sql == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    if (my_query(r->admin, r->a, sql, OURS_MAX, &t) != ERR_OK)
        return instance_failed(r->admin, "table", why);
    for (size_t i = 0; e == ERR_OK && i < t.n; i++)
        e = drop_one(r, my_cell(&t, i, "t"), why);
    return e == ERR_OK ? drop_files(r, why) : e;
}

static enum err
make_stage(struct arriving *r, bool partitioned, char why[WHY_BYTES])
{
    enum err e;

    e = run(r, r->admin,
            arena_printf(r->a, "CREATE TABLE %s LIKE %s", r->stage_name,
                         r->into_name),
            "CREATE TABLE", why);
    if (e == ERR_OK && partitioned)
        e = run(r, r->admin,
                arena_printf(r->a, "ALTER TABLE %s REMOVE PARTITIONING",
                             r->stage_name),
                "REMOVE PARTITIONING", why);
    if (e == ERR_OK)
        e = run(r, r->admin,
                arena_printf(r->a, "ALTER TABLE %s DISCARD TABLESPACE",
                             r->stage_name),
                "DISCARD TABLESPACE", why);
    return e;
}

static enum err
check_stage(struct arriving *r, char why[WHY_BYTES])
{
    const char *sql = arena_printf(r->a, "CHECK TABLE %s", r->stage_name);
    struct my_table t;

    if (sql == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    if (my_query(r->admin, r->a, sql, 100, &t) != ERR_OK)
        return instance_failed(r->admin, "CHECK TABLE", why);
    for (size_t i = 0; i < t.n; i++) {
        const char *text = my_cell(&t, i, "Msg_text");

        if (strcmp(my_cell(&t, i, "Msg_type"), "status") == 0
                ? strcmp(text, "OK") != 0
                : strcmp(my_cell(&t, i, "Msg_type"), "error") == 0)
            return why_fail(why, ERR_BAD_PARAM, "CHECK TABLE: %.300s", text);
    }
    return ERR_OK;
}

/* ibd and cfg of the table or of one partition, as rows of the table. */
static enum err
take_pair(struct arriving *r, size_t n, int64_t *told, char why[WHY_BYTES])
{
    static const char *const kinds[] = { "ibd", "cfg" };
    const struct instance_table_file *f = &r->what->files.v[2 * n];
    char to[80];
    struct blob_sum sum;
    enum err e = name_stage(r, n, why);

    if (e == ERR_OK)
        e = make_stage(r, f->partition != NULL, why);

    for (size_t i = 0; e == ERR_OK && i < COUNT(kinds); i++) {
        (void)snprintf(to, sizeof(to), "%s.%s", r->stage, kinds[i]);
        e = table_copy(r->inbox, f[i].name, r->folder, to, r->w, told, &sum,
                       why);
        if (e == ERR_OK && fchmodat(r->folder, to, 0660, 0) != 0)
            e = copy_failed(ERR_STATE, to, why);
        /* the inbox was checked a while ago */
        if (e == ERR_OK && strcmp(sum.sha256, f[i].sha256) != 0)
            e = why_fail(why, ERR_BAD_PARAM, "%.40s is damaged", f[i].name);
    }
    if (e == ERR_OK)
        e = run(r, r->admin,
                arena_printf(r->a, "ALTER TABLE %s IMPORT TABLESPACE",
                             r->stage_name),
                "IMPORT TABLESPACE", why);
    if (e == ERR_OK)
        e = check_stage(r, why);
    if (e == ERR_OK)
        e = run(r, r->my,
                arena_printf(r->a, "INSERT INTO %s (%s) SELECT %s FROM %s",
                             r->into_name, r->columns, r->columns,
                             r->stage_name),
                "INSERT", why);
    return e;
}

/* ---- all of it ---- */

/* What has arrived is what was sent; else there is nothing of it. */
static enum err
check_rows(struct arriving *r, char why[WHY_BYTES])
{
    const char *checksum;
    char ignored[WHY_BYTES];
    int64_t rows;
    enum err e = table_sum(r->my, r->a, r->db, r->into, r->into_name, &rows,
                           &checksum, why);

    if (e != ERR_OK ||
        (rows == r->what->rows && strcmp(checksum, r->what->checksum) == 0))
        return e;
    if (r->into == r->table)
        (void)!run(r, r->my, arena_printf(r->a, "TRUNCATE TABLE %s", r->name),
                   "TRUNCATE TABLE", ignored);
    return why_fail(why, ERR_STATE,
                    "%lld rows with checksum %.40s have arrived, %lld with "
                    "%.40s were sent",
                    (long long)rows, checksum, (long long)r->what->rows,
                    r->what->checksum);
}

static enum err
take_rows(struct arriving *r, char why[WHY_BYTES])
{
    static const char *const before[] = {
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'",
        "SET SESSION foreign_key_checks = 0",
        "START TRANSACTION",
    };
    int64_t told = 0;
    char ignored[WHY_BYTES];
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < COUNT(before); i++)
        e = run(r, r->my, before[i], before[i], why);
    for (size_t n = 0; e == ERR_OK && n < r->what->files.n / 2; n++)
        e = take_pair(r, n, &told, why);
    if (e == ERR_OK)
        e = run(r, r->my, "COMMIT", "COMMIT", why);
    else
        (void)!run(r, r->my, "ROLLBACK", "ROLLBACK", ignored);
    if (e == ERR_OK)
        e = check_rows(r, why);
    if (e == ERR_OK && r->into != r->table)
        e = run(
            r, r->my,
            arena_printf(r->a, "RENAME TABLE %s TO %s", r->into_name, r->name),
            "RENAME TABLE", why);
    return e;
}

/* The way to the server, and to the schema's folder, without what an earlier
 * call has left in it. */
static enum err
begin(struct arriving *r, char why[WHY_BYTES])
{
    enum err e = table_name(r->a, r->db, r->table, &r->name, why);

    if (e == ERR_OK)
        e = name_ours(r, why);
    if (e == ERR_OK)
        e = instance_connect(r->s, CONNECT_MS, &r->admin, why);
    if (e == ERR_OK)
        my_until(r->admin, 0); /* from here on: as long as it takes */
    if (e == ERR_OK)
        e = run(r, r->admin, "SET SESSION sql_log_bin = 0", "sql_log_bin", why);
    if (e == ERR_OK)
        e = table_folder(r->a, r->s, r->db, &r->folder, why);
    return e == ERR_OK ? drop_ours(r, why) : e;
}

static void
end(struct arriving *r)
{
    if (r->folder >= 0)
        (void)close(r->folder);
    if (r->admin != NULL)
        my_close(r->admin);
}

enum err
instance_table_import(struct my *my, struct arena *a,
                      const struct instance_spec *s, const char *db,
                      const char *table, const struct instance_table *what,
                      int inbox, const struct instance_watch *w,
                      char why[WHY_BYTES])
{
    struct arriving r = { .my = my,
                          .a = a,
                          .s = s,
                          .what = what,
                          .db = db,
                          .table = table,
                          .folder = -1,
                          .inbox = inbox,
                          .w = w };
    char left[WHY_BYTES] = "";
    enum err e = check_files(&r, why);

    if (e == ERR_OK)
        e = check_version(&r, why);
    if (e == ERR_OK)
        e = begin(&r, why);
    if (e == ERR_OK)
        e = make_table(&r, why);
    if (e == ERR_OK)
        e = list_columns(&r, why);
    if (e == ERR_OK && !r.done)
        e = take_rows(&r, why);
    if (r.folder >= 0 && drop_ours(&r, left) != ERR_OK)
        log_warn("instance.table left=%s why=\"%s\"", r.ours, left);
    end(&r);
    return e;
}

enum err
instance_table_clear(struct arena *a, const struct instance_spec *s,
                     const char *db, const char *table, char why[WHY_BYTES])
{
    struct arriving r = {
        .a = a, .s = s, .db = db, .table = table, .folder = -1, .inbox = -1
    };
    enum err e = table_name(a, db, table, &r.name, why);

    if (e != ERR_OK)
        return e == ERR_NOMEM ? e : ERR_OK; /* none was ever begun */
    e = begin(&r, why);
    end(&r);
    return e;
}
