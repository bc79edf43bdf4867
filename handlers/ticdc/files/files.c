/* Rows to files. */
#include "files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hex.h"
#include "log.h"
#include "ticdc/core/ddl.h"
#include "ticdc/encode/action.h"
#include "ticdc/files/batch.h"
#include "ticdc/mq/describe.h"

#define STEP_BYTES  ((size_t)64 << 20)
#define METADATA_MS 2000

static struct files *
self(struct outlet *s)
{
    return (struct files *)s;
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
        e = batch_publish(f, b);
    memcpy(b->date, date, sizeof(date));
    return e == ERR_OK && !b->is_versioned ? batch_version(f, b) : e;
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
        e = batch_publish(f, b);
    if (e == ERR_OK && f->waiting >= f->c->bytes)
        e = batch_publish_all(f);
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
    enum err e = batch_publish_all(f);

    (void)ts;
    for (struct batch *b = f->batches; b != NULL; b = b->next)
        b->is_versioned = false;
    return e;
}

/* ---- statements ---- */

/* As the source has it by now: what comes behind one more statement is a
 * version of its own by then. Of one that is gone, as it was. */
static enum err
shape_now(struct files *f, const char *schema, const char *table,
          struct shape *out)
{
    const struct encode_schema *now =
        str_empty(table) ? NULL : describe(f->describer, schema, table);
    const struct encode_table *was = batch_known(f, schema, table);

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

    e = e == ERR_OK
            ? batch_shape(f, &s, d->commit_ts, d->sql,
                          action_read(d->sql, strlen(d->sql), d->st->sql_mode))
            : files_no_memory(f);
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
        return files_no_memory(f);
    e = ddl_read(d->sql, strlen(d->sql), d->st->schema, d->st->sql_mode, &ddl);
    if (e != ERR_OK)
        e = sink_fail(s, e, false, "CDC:ErrExecDDLFailed",
                      "a statement that cannot be understood: %.1000s", d->sql);
    for (size_t i = 0; i < ddl.n && e == ERR_OK; i++)
        e = put_statement(f, &name[i], d);
    free(name);
    if (e == ERR_OK)
        batch_forget_all(f);
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

    batch_forget_all(f);
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

    batch_forget_all(f);
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
    struct files *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    f->s.ops = &files_ops;
    f->c = c;
    f->encoder = encoder_new(&c->encode);
    f->values = encode_values_new(&c->zone);
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
