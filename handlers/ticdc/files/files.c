/* Rows to files. */
#include "files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hex.h"
#include "log.h"
#include "shape.h"
#include "ticdc/core/ddl.h"
#include "ticdc/encode/action.h"
#include "ticdc/mq/describe.h"

#define TABLES_MAX  4096
#define STEP_BYTES  ((size_t)64 << 20)
#define BATCH_BYTES ((size_t)2 << 30) /* a file and a row that does not fit */
#define SHAPE_BYTES ((size_t)64 << 20)
#define METADATA_MS 2000
#define ANSI_QUOTES 4 /* of sql_mode */

/* A table, with what waits of it. */
struct batch {
    struct batch *next;
    struct encode_table *table;
    uint32_t sum, names; /* of its shape */
    bool is_whole;
    bool is_versioned; /* `version` was looked up since the last flush */
    uint64_t version;
    char date[KEYS_DATE_MAX];
    struct buf rows;
    char folder[KEYS_MAX]; /* where `number` was the last; "": not known */
    uint64_t number;
};

struct files {
    struct outlet s; /* first */
    const struct files_config *c;
    struct encoder *encoder;
    struct encode_values *values;
    struct describer *describer;
    struct arena *a; /* of a look at the store */
    struct batch *batches;
    size_t n_batches, waiting; /* bytes */
    uint64_t ts;               /* of the transaction under way */
    uint64_t told_ts;          /* in the file `metadata` */
    int64_t told_ms;
};

static struct files *
self(struct outlet *s)
{
    return (struct files *)s;
}

/* ---- failures ---- */

static enum err
no_memory(struct files *f)
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
        return no_memory(f);
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

/* The schema file, and then the one that says that it is in force. */
static enum err
put_shape(struct files *f, const struct shape *s, uint64_t version,
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
        return no_memory(f);
    b->version = f->ts > last ? f->ts : last + 1;
    return put_shape(f, &s, b->version, "", ACTION_NONE);
}

/* Statements are barriers, in front of which all is flushed: so it is enough
 * to look at the beginning of a batch which version is in force, whoever has
 * performed the statement. */
static enum err
find_version(struct files *f, struct batch *b)
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

/* What waits of a table becomes a file. */
static enum err
publish(struct files *f, struct batch *b)
{
    char folder[KEYS_MAX];
    enum err e;

    if (b->rows.n == 0)
        return ERR_OK;
    if (buf_err(&b->rows) != ERR_OK)
        return no_memory(f);
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

static enum err
publish_all(struct files *f)
{
    enum err e = ERR_OK;

    for (struct batch *b = f->batches; b != NULL && e == ERR_OK; b = b->next)
        e = publish(f, b);
    return e;
}

/* ---- tables ---- */

static void
forget_batches(struct files *f)
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
        e = publish_all(f);
        if (e != ERR_OK)
            return e;
        forget_batches(f);
    }
    b = calloc(1, sizeof(*b));
    if (b == NULL)
        return no_memory(f);
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

/* One per name, whatever its definition: so rows keep their order. What was
 * asked for last is the first. */
static enum err
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
    e = publish(f, b);
    if (e == ERR_OK)
        e = make_table(f, def, b);
    b->is_versioned = false;
    arena_reset(f->a);
    return e;
}

/* ---- rows ---- */

static enum err
put_json(struct files *f, struct batch *b, const struct encode_event *ev)
{
    struct encode_piece p;
    enum err e = encoder_row(f->encoder, ev, "", &p);

    if (e != ERR_OK)
        return sink_fail(&f->s, e, e == ERR_NOMEM, "CDC:ErrInternalServerError",
                         "a row of %.200s.%.200s cannot be encoded: %s",
                         b->table->schema, b->table->name, err_name(e));
    buf_put(&b->rows, p.value.p, p.value.n);
    buf_puts(&b->rows, f->c->terminator);
    return ERR_OK;
}

static enum err
put_event(struct files *f, struct batch *b, const struct encode_event *ev)
{
    if (!f->c->is_csv)
        return put_json(f, b, ev);
    if (f->c->csv.header && b->rows.n == 0)
        csv_header(&b->rows, &f->c->csv, b->table);
    csv_row(&b->rows, &f->c->csv, ev);
    return ERR_OK;
}

/* An UPDATE of the key is two rows to whoever knows rows by their keys. */
static enum err
put_events(struct files *f, struct batch *b, const struct encode_event *ev)
{
    struct encode_event half = *ev;
    enum err e;

    if (!encode_changes_handle(ev))
        return put_event(f, b, ev);
    half.kind = BINLOG_DELETE;
    half.after = NULL;
    e = put_event(f, b, &half);
    if (e != ERR_OK)
        return e;
    half.kind = BINLOG_INSERT;
    half.after = ev->after;
    half.before = NULL;
    return put_event(f, b, &half);
}

/* A batch has one version and one date. */
static enum err
ready(struct files *f, struct batch *b)
{
    char date[KEYS_DATE_MAX];
    enum err e = ERR_OK;

    keys_date(f->c->date, f->ts, &f->c->zone, date);
    if (strcmp(date, b->date) != 0)
        e = publish(f, b);
    memcpy(b->date, date, sizeof(date));
    return e == ERR_OK && !b->is_versioned ? find_version(f, b) : e;
}

static enum err
files_row(struct outlet *s, const struct sink_table *t,
          struct binlog_table *def, enum binlog_kind kind,
          const struct binlog_row *row)
{
    struct files *f = self(s);
    struct encode_event ev;
    struct batch *b;
    size_t before;
    enum err e = batch_of(f, def, &b);

    (void)t;
    if (e == ERR_OK)
        e = ready(f, b);
    if (e != ERR_OK)
        return e;
    e = encode_values_of(f->values, b->table, kind, row, f->ts, &ev);
    if (e != ERR_OK)
        return sink_fail(s, e, false, "CDC:ErrInternalServerError",
                         "a row of %.200s.%.200s cannot be converted: %s",
                         def->schema, def->name, err_name(e));
    before = b->rows.n;
    e = put_events(f, b, &ev);
    f->waiting += b->rows.n - before;
    if (e == ERR_OK && b->rows.n >= f->c->file_bytes)
        e = publish(f, b);
    if (e == ERR_OK && f->waiting >= f->c->bytes)
        e = publish_all(f);
    return e;
}

static enum err
files_begin(struct outlet *s, const struct sink_txn *txn)
{
    self(s)->ts = txn->commit_ts;
    return ERR_OK;
}

static enum err
files_end(struct outlet *s)
{
    (void)s;
    return ERR_OK;
}

static enum err
files_flush(struct outlet *s, uint64_t ts)
{
    struct files *f = self(s);
    enum err e = publish_all(f);

    (void)ts;
    for (struct batch *b = f->batches; b != NULL; b = b->next)
        b->is_versioned = false;
    return e;
}

/* ---- statements ---- */

static const struct encode_table *
known_table(const struct files *f, const char *schema, const char *table)
{
    for (const struct batch *b = f->batches; b != NULL; b = b->next)
        if (strcmp(b->table->schema, schema) == 0 &&
            strcmp(b->table->name, table) == 0)
            return b->table;
    return NULL;
}

/* As the source has it by now: what comes behind one more statement is a
 * version of its own by then. Of one that is gone, as it was. */
static enum err
shape_now(struct files *f, const char *schema, const char *table,
          struct shape *out)
{
    const struct encode_schema *now =
        str_empty(table) ? NULL : describe(f->describer, schema, table);
    const struct encode_table *was = known_table(f, schema, table);

    return now == NULL && was != NULL
               ? shape_of_table(f->a, was, out)
               : shape_of_schema(f->a, schema, table, now, out);
}

static enum err
put_statement(struct files *f, const struct ddl_name *n,
              const struct sink_ddl *d)
{
    bool renamed = !str_empty(n->to_name);
    const char *table = renamed ? n->to_name : n->name;
    const char *schema =
        renamed && !str_empty(n->to_schema) ? n->to_schema : n->schema;
    struct shape s;
    enum err e = shape_now(f, schema, table, &s);

    e = e == ERR_OK ? put_shape(f, &s, d->commit_ts, d->sql,
                                action_read(d->sql, strlen(d->sql)))
                    : no_memory(f);
    arena_reset(f->a);
    return e;
}

static enum err
files_ddl(struct outlet *s, const struct sink_ddl *d)
{
    struct files *f = self(s);
    struct ddl_name *name = calloc(DDL_NAMES_MAX, sizeof(*name));
    struct ddl ddl = { .name = name };
    enum err e;

    if (name == NULL)
        return no_memory(f);
    e = ddl_read(d->sql, strlen(d->sql), d->st->schema,
                 d->st->has_sql_mode && (d->st->sql_mode & ANSI_QUOTES) != 0,
                 &ddl);
    if (e != ERR_OK)
        e = sink_fail(s, e, false, "CDC:ErrExecDDLFailed",
                      "a statement that cannot be understood: %.1000s", d->sql);
    for (size_t i = 0; i < ddl.n && e == ERR_OK; i++)
        e = put_statement(f, &name[i], d);
    free(name);
    if (e == ERR_OK)
        forget_batches(f);
    return e;
}

/* ---- how far it is ---- */

static enum err
files_resolved(struct outlet *s, uint64_t ts)
{
    struct files *f = self(s);
    int64_t now = clock_mono_ms();
    char line[48], why[WHY_BYTES] = "";
    enum err e;

    if (ts <= f->told_ts || (f->told_ms != 0 && now - f->told_ms < METADATA_MS))
        return ERR_OK;
    (void)snprintf(line, sizeof(line), "{\"checkpoint-ts\":%" PRIu64 "}", ts);
    e = blob_put_span(f->c->store, KEYS_METADATA,
                      (struct span){ line, strlen(line) }, false, why);
    if (e != ERR_OK) {
        log_warn("ticdc.metadata err=%s why=\"%.300s\"", err_name(e), why);
        return e;
    }
    f->told_ts = ts;
    f->told_ms = now;
    return ERR_OK;
}

/* ---- life ---- */

static enum err
files_open(struct outlet *s)
{
    struct files *f = self(s);

    forget_batches(f);
    s->full = false;
    s->linger_ms = f->c->flush_ms;
    return ERR_OK;
}

static enum err
files_adopt(struct outlet *s, const struct sink_table *t, struct buf *gtids)
{
    (void)s;
    (void)t;
    (void)gtids;
    return ERR_OK;
}

static void
files_close(struct outlet *s)
{
    struct files *f = self(s);

    forget_batches(f);
    encoder_free(f->encoder);
    encode_values_free(f->values);
    describer_free(f->describer);
    if (f->a != NULL)
        arena_free(f->a);
    free(f);
}

static const struct outlet_ops files_ops = {
    .name = "files",
    .open = files_open,
    .adopt = files_adopt,
    .begin = files_begin,
    .row = files_row,
    .end = files_end,
    .flush = files_flush,
    .ddl = files_ddl,
    .resolved = files_resolved,
    .close = files_close,
};

struct outlet *
sink_files(const struct files_config *c)
{
    const struct encode_zone zone = zone_of_values(&c->zone);
    struct files *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    f->s.ops = &files_ops;
    f->c = c;
    f->encoder = encoder_new(&c->encode);
    f->values = encode_values_new(&zone);
    f->describer = describer_new(c->source);
    f->a = arena_new(STEP_BYTES);
    if (f->encoder != NULL && f->values != NULL && f->describer != NULL &&
        f->a != NULL)
        return &f->s;
    files_close(&f->s);
    return NULL;
}

enum err
files_probe(struct blob_store *store, char why[WHY_BYTES])
{
    char digits[17], key[48];
    enum err e = hex_random(digits, 8);

    (void)snprintf(key, sizeof(key), ".probe-%s", digits);
    if (e == ERR_OK)
        e = blob_put_span(store, key, (struct span){ "\n", 1 }, false, why);
    return e == ERR_OK ? blob_drop(store, key, why) : e;
}
