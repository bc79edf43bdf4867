/* What waits of tables, and how it becomes files. */
#include "ticdc/files/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticdc/encode/action.h"
#include "ticdc/mq/describe.h"

#define TABLES_MAX  4096
#define BATCH_BYTES ((size_t)2 << 30) /* a file and a row that does not fit */
#define SHAPE_BYTES ((size_t)64 << 20)

/* ---- failures ---- */

enum err
files_no_memory(struct files *f)
{
    return sink_fail(&f->s, ERR_NOMEM, true, "CDC:ErrInternalServerError",
                     "no memory");
}

/* Without room nothing is tried again at once: the changefeed says so, and
 * tries when its time has come. */
static enum err
refused(struct files *f, enum err e, const char *key, const char *why)
{
    if (e == ERR_NOMEM)
        return files_no_memory(f);
    return sink_fail(&f->s, e, e != ERR_LIMIT && e != ERR_BAD_PARAM,
                     "CDC:ErrExternalStorageAPI", "%.600s: %.2000s%s", key, why,
                     e == ERR_LIMIT ? " (the store is full)" : "");
}

static enum err
too_long(struct files *f, const char *schema, const char *table)
{
    return sink_fail(&f->s, ERR_LIMIT, false, "CDC:ErrStorageSinkInvalidConfig",
                     "the name of %.200s.%.200s is too long for a file", schema,
                     table);
}

/* ---- the store ---- */

static enum err
put(struct files *f, const char *key, const struct buf *b)
{
    char why[WHY_BYTES] = "";
    enum err e = buf_err(b);

    if (e == ERR_OK)
        e = blob_put_span(f->c->store, key, (struct span){ buf_text(b), b->n },
                          false, why);
    return e == ERR_OK ? ERR_OK : refused(f, e, key, why);
}

static enum err
put_line(struct files *f, const char *key, const char *line)
{
    struct buf b = BUF_INIT(KEYS_MAX * 2);
    enum err e;

    buf_puts(&b, line);
    buf_putc(&b, '\n');
    e = put(f, key, &b);
    buf_free(&b);
    return e;
}

static enum err
get_text(struct files *f, const char *key, const char **out)
{
    char why[WHY_BYTES] = "";
    enum err e = blob_text(f->c->store, f->a, key, out, why);

    return e == ERR_OK ? ERR_OK : refused(f, e, key, why);
}

/* ---- versions ---- */

enum err
batch_shape(struct files *f, const struct shape *s, uint64_t version,
            const char *sql, unsigned action)
{
    struct buf b = BUF_INIT(SHAPE_BYTES);
    char key[KEYS_MAX], line[64];
    enum err e = keys_shape(s->schema, s->table, version, s->sum, key);

    if (e != ERR_OK)
        return too_long(f, s->schema, s->table);
    shape_write(&b, s, version, sql, action);
    e = put(f, key, &b);
    buf_free(&b);
    if (e != ERR_OK || str_empty(s->table))
        return e;
    (void)snprintf(line, sizeof(line), "%" PRIu64 " %010" PRIu32 " %010" PRIu32,
                   version, s->sum, s->names);
    return keys_version(s->schema, s->table, key) == ERR_OK
               ? put_line(f, key, line)
               : too_long(f, s->schema, s->table);
}

/* What is in force of a table; version 0: nothing yet. */
struct in_force {
    uint64_t version;
    uint32_t sum, names;
};

static enum err
get_version(struct files *f, const struct encode_table *t, struct in_force *out)
{
    char key[KEYS_MAX];
    const char *text;
    enum err e;

    *out = (struct in_force){ 0 };
    if (keys_version(t->schema, t->name, key) != ERR_OK)
        return too_long(f, t->schema, t->name);
    e = get_text(f, key, &text);
    if (e == ERR_OK && sscanf(text, "%" SCNu64 " %" SCNu32 " %" SCNu32,
                              &out->version, &out->sum, &out->names) != 3)
        out->version = 0;
    return e;
}

/* What the source does not say any more of a table is not a change of it. */
static bool
fits(const struct in_force *v, const struct batch *b)
{
    return v->version != 0 &&
           (v->sum == b->sum || (!b->is_whole && v->names == b->names));
}

static enum err
make_table(struct files *f, struct binlog_table *def, struct batch *b)
{
    struct encode_table *t;
    struct shape s;
    enum err e = encode_table_new(
        def, describe(f->describer, def->schema, def->name), NULL, f->ts, &t);

    if (e == ERR_OK)
        e = shape_of_table(f->a, t, &s);
    if (e != ERR_OK)
        return sink_fail(&f->s, e, false, "CDC:ErrInternalServerError",
                         "the definition of %.200s.%.200s cannot be told: %s",
                         def->schema, def->name, err_name(e));
    encode_table_free(b->table);
    b->table = t;
    b->sum = s.sum;
    b->names = s.names;
    b->is_whole = s.is_whole;
    return ERR_OK;
}

/* What nobody has told of, a definition that the log shows otherwise than the
 * source told it, is a version of its own. */
static enum err
new_version(struct files *f, struct batch *b, uint64_t last)
{
    struct shape s;
    enum err e = shape_of_table(f->a, b->table, &s);

    if (e != ERR_OK)
        return files_no_memory(f);
    b->version = f->ts > last ? f->ts : last + 1;
    return batch_shape(f, &s, b->version, "", ACTION_NONE);
}

enum err
batch_version(struct files *f, struct batch *b)
{
    struct binlog_table *def = b->table->def;
    struct in_force v;
    enum err e = get_version(f, b->table, &v);

    if (e == ERR_OK && v.version != 0 && v.sum != b->sum) /* maybe since then */
        e = make_table(f, def, b);
    if (e == ERR_OK && !fits(&v, b))
        e = new_version(f, b, v.version);
    else
        b->version = v.version;
    b->is_versioned = e == ERR_OK;
    arena_reset(f->a);
    return e;
}

/* ---- files of rows ---- */

static const char *
extension(const struct files *f)
{
    return f->c->is_csv ? "csv" : "json";
}

/* The last number of the folder, as its index says; one who was killed may
 * have put a file and not the index. */
static enum err
find_number(struct files *f, const char *folder, uint64_t *out)
{
    char key[KEYS_MAX], why[WHY_BYTES] = "";
    const char *text;
    int64_t bytes;
    enum err e = keys_index(folder, key);

    if (e == ERR_OK)
        e = get_text(f, key, &text);
    if (e != ERR_OK)
        return e;
    for (*out = keys_number(text);; (*out)++) {
        e = keys_rows(folder, *out + 1, f->c->digits, extension(f), key);
        if (e == ERR_OK)
            e = blob_size(f->c->store, key, &bytes, why);
        if (e == ERR_NOT_FOUND)
            return ERR_OK;
        if (e != ERR_OK)
            return refused(f, e, key, why);
    }
}

/* A number that is taken meanwhile is another's who has the table now, or ours,
 * of a try whose answer was lost: either way one begins anew, as far as one may
 * write at all. So nobody's rows come behind newer ones of another. */
static enum err
number_taken(struct files *f, struct batch *b, const char *key)
{
    b->folder[0] = '\0';
    return sink_fail(&f->s, ERR_EXISTS, true, "CDC:ErrExternalStorageAPI",
                     "%.600s: there is one already", key);
}

static enum err
put_rows(struct files *f, struct batch *b)
{
    char key[KEYS_MAX], index[KEYS_MAX], why[WHY_BYTES] = "";
    enum err e =
        keys_rows(b->folder, b->number + 1, f->c->digits, extension(f), key);

    if (e == ERR_OK)
        e = keys_index(b->folder, index);
    if (e != ERR_OK)
        return too_long(f, b->table->schema, b->table->name);
    e = blob_put_span(f->c->store, key, (struct span){ b->rows.p, b->rows.n },
                      true, why);
    if (e != ERR_OK)
        return e == ERR_EXISTS ? number_taken(f, b, key)
                               : refused(f, e, key, why);
    b->number++;
    f->waiting -= b->rows.n;
    buf_free(&b->rows);
    return put_line(f, index, strrchr(key, '/') + 1);
}

enum err
batch_publish(struct files *f, struct batch *b)
{
    char folder[KEYS_MAX];
    enum err e;

    if (b->rows.n == 0)
        return ERR_OK;
    if (buf_err(&b->rows) != ERR_OK)
        return files_no_memory(f);
    e = keys_folder(b->table->schema, b->table->name, b->version, b->date,
                    folder);
    if (e != ERR_OK)
        return too_long(f, b->table->schema, b->table->name);
    if (strcmp(folder, b->folder) != 0) {
        e = find_number(f, folder, &b->number);
        arena_reset(f->a);
        if (e != ERR_OK)
            return e;
        memcpy(b->folder, folder, sizeof(folder));
    }
    return put_rows(f, b);
}

enum err
batch_publish_all(struct files *f)
{
    enum err e = ERR_OK;

    for (struct batch *b = f->batches; b != NULL && e == ERR_OK; b = b->next)
        e = batch_publish(f, b);
    return e;
}

/* ---- tables ---- */

void
batch_forget_all(struct files *f)
{
    while (f->batches != NULL) {
        struct batch *b = f->batches;

        f->batches = b->next;
        encode_table_free(b->table);
        buf_free(&b->rows);
        free(b);
    }
    f->n_batches = f->waiting = 0;
}

static enum err
add_batch(struct files *f, struct binlog_table *def)
{
    struct batch *b;
    enum err e;

    if (f->n_batches >= TABLES_MAX) {
        e = batch_publish_all(f);
        if (e != ERR_OK)
            return e;
        batch_forget_all(f);
    }
    b = calloc(1, sizeof(*b));
    if (b == NULL)
        return files_no_memory(f);
    b->rows.max = BATCH_BYTES;
    e = make_table(f, def, b);
    arena_reset(f->a);
    if (e != ERR_OK) {
        free(b);
        return e;
    }
    b->next = f->batches;
    f->batches = b;
    f->n_batches++;
    return ERR_OK;
}

enum err
batch_of(struct files *f, struct binlog_table *def, struct batch **out)
{
    struct batch **at = &f->batches, *b;
    enum err e = ERR_OK;

    while (*at != NULL && ((*at)->table->def != def) &&
           (strcmp((*at)->table->name, def->name) != 0 ||
            strcmp((*at)->table->schema, def->schema) != 0))
        at = &(*at)->next;
    b = *at;
    if (b == NULL) {
        e = add_batch(f, def);
        *out = f->batches;
        return e;
    }
    *at = b->next;
    b->next = f->batches;
    f->batches = *out = b;
    if (b->table->def == def)
        return ERR_OK;
    e = batch_publish(f, b);
    if (e == ERR_OK)
        e = make_table(f, def, b);
    b->is_versioned = false;
    arena_reset(f->a);
    return e;
}

const struct encode_table *
batch_known(const struct files *f, const char *schema, const char *table)
{
    for (const struct batch *b = f->batches; b != NULL; b = b->next)
        if (strcmp(b->table->schema, schema) == 0 &&
            strcmp(b->table->name, table) == 0)
            return b->table;
    return NULL;
}
