/* canal-json: a message is one event, every value a text. The members stand in
 * the order that consumers' own parsers were written for. */
#include "encode_int.h"

#include <string.h>

#define MS_SHIFT 18

int
encode_sql_type(const struct encode_column *c, const struct binlog_value *v)
{
    if (!c->is_unsigned || v->form != BINLOG_U64)
        return c->sql_type;
    switch (c->log->type) {
    case BINLOG_TINY:
        return v->u > INT8_MAX ? 5 : c->sql_type;
    case BINLOG_SHORT:
        return v->u > INT16_MAX ? 4 : c->sql_type;
    case BINLOG_LONG:
        return v->u > INT32_MAX ? -5 : c->sql_type;
    case BINLOG_LONGLONG:
        return v->u > INT64_MAX ? 3 : c->sql_type;
    default:
        return c->sql_type;
    }
}

struct span
encode_canal_text(const struct binlog_value *v, char room[ENCODE_FLOAT_MAX],
                  struct buf *part)
{
    const unsigned char *p = (const unsigned char *)v->p;
    size_t n = v->form == BINLOG_BYTES ? v->n : 0, from = 0;

    if (v->form != BINLOG_BYTES)
        return encode_text(v, room);
    buf_reset(part);
    for (size_t i = 0; i < n; i++) {
        char two[2] = { (char)(0xc0 | p[i] >> 6), (char)(0x80 | (p[i] & 63)) };

        if (p[i] < 0x80)
            continue;
        buf_put(part, v->p + from, i - from);
        buf_put(part, two, sizeof(two));
        from = i + 1;
    }
    if (from == 0)
        return (struct span){ v->p, v->n };
    buf_put(part, v->p + from, n - from);
    return span_of(part);
}

static void
put_number(struct buf *b, const char *name, uint64_t v)
{
    buf_puts(b, name);
    buf_u64(b, v);
}

/* "id" to "pkNames"; pk may be NULL. */
static void
put_names(struct buf *b, const char *schema, const char *table,
          const struct encode_table *pk)
{
    buf_puts(b, "{\"id\":0,\"database\":");
    encode_string(b, schema, strlen(schema));
    buf_puts(b, ",\"table\":");
    encode_string(b, table, strlen(table));
    buf_puts(b, ",\"pkNames\":");
    for (size_t i = 0; pk != NULL && i < pk->n_primary; i++) {
        const char *name = pk->column[pk->primary[i]].name;

        buf_putc(b, i == 0 ? '[' : ',');
        encode_string(b, name, strlen(name));
    }
    buf_puts(b, pk != NULL && pk->n_primary > 0 ? "]" : "null");
}

/* Those of a table are the same for each of its rows. */
static enum err
put_table(struct buf *b, struct encode_table *t)
{
    struct buf names = BUF_INIT(ENCODE_BYTES_MAX);
    enum err e;

    if (t->names.p == NULL) {
        size_t n;

        put_names(&names, t->schema, t->name, t);
        n = names.n;
        e = buf_settle(&names, t->arena, &t->names.p);
        if (e != ERR_OK)
            return e;
        t->names.n = n;
    }
    buf_span(b, t->names);
    return ERR_OK;
}

/* "isDdl" to "sql". */
static void
put_head(struct encoder *e, bool is_ddl, const char *type, uint64_t ts)
{
    struct buf *b = &e->value;

    buf_puts(b, is_ddl ? ",\"isDdl\":true,\"type\":\""
                       : ",\"isDdl\":false,\"type\":\"");
    buf_puts(b, type);
    put_number(b, "\",\"es\":", ts >> MS_SHIFT);
    put_number(b, ",\"ts\":", (uint64_t)e->c.now_ms());
    buf_puts(b, ",\"sql\":");
}

/* The columns of one object, each by what. */
static void
put_sql_types(struct buf *b, const struct encode_event *ev, bool only_handle,
              const struct binlog_value *v)
{
    char mark = '{';

    for (size_t i = 0; i < ev->table->n; i++) {
        const struct encode_column *c = &ev->table->column[i];

        if (!encode_has_column(ev, only_handle, i))
            continue;
        buf_putc(b, mark);
        mark = ',';
        buf_span(b, c->quoted);
        buf_i64(b, encode_sql_type(c, &v[i]));
    }
    buf_puts(b, mark == '{' ? "{}" : "}");
}

static void
put_types(struct buf *b, const struct encode_event *ev, bool full)
{
    char mark = '{';

    for (size_t i = 0; i < ev->table->n; i++) {
        const struct encode_column *c = &ev->table->column[i];
        const char *type = full ? c->full : c->word;

        if (!encode_has_column(ev, true, i))
            continue;
        buf_putc(b, mark);
        mark = ',';
        buf_span(b, c->quoted);
        encode_string(b, type, strlen(type));
    }
    buf_puts(b, mark == '{' ? "{}" : "}");
}

/* unlike: only columns whose value differs there; NULL: all. */
static void
put_values(struct encoder *e, const struct encode_event *ev, bool only_handle,
           const struct binlog_value *v, const struct binlog_value *unlike)
{
    struct buf *b = &e->value;
    char room[ENCODE_FLOAT_MAX], mark = '{';

    buf_putc(b, '[');
    for (size_t i = 0; i < ev->table->n; i++) {
        struct span text;

        if (!encode_has_column(ev, only_handle, i) ||
            (unlike != NULL && encode_same_value(&v[i], &unlike[i])))
            continue;
        buf_putc(b, mark);
        mark = ',';
        buf_span(b, ev->table->column[i].quoted);
        if (v[i].form == BINLOG_NULL) {
            buf_put(b, "null", 4);
            continue;
        }
        text = encode_canal_text(&v[i], room, &e->part);
        encode_string(b, text.p, text.n);
    }
    buf_puts(b, mark == '{' ? "{}]" : "}]");
}

static void
put_tidb(struct encoder *e, const struct encode_event *ev)
{
    struct buf *b = &e->value;

    put_number(b, ",\"_tidb\":{\"commitTs\":", ev->commit_ts);
    if (ev->only_handle && ev->claim == NULL)
        buf_puts(b, ",\"onlyHandleKey\":true");
    if (ev->claim != NULL) {
        buf_puts(b, ",\"claimCheckLocation\":");
        encode_string(b, ev->claim, strlen(ev->claim));
    }
    buf_putc(b, '}');
}

static enum err
canal_json_row(struct encoder *e, const struct encode_event *ev,
               const char *topic, struct encode_piece *out)
{
    static const char *const words[] = { [BINLOG_INSERT] = "INSERT",
                                         [BINLOG_UPDATE] = "UPDATE",
                                         [BINLOG_DELETE] = "DELETE" };
    struct encode_table *t = ev->table;
    const struct binlog_value *v =
        ev->kind == BINLOG_DELETE ? ev->before : ev->after;
    bool only_handle = encode_only_handle(e, ev);
    bool changed = e->c.only_updated || e->c.content_compatible;
    struct buf *b = &e->value;
    enum err err = put_table(b, t);

    (void)topic;
    if (err != ERR_OK)
        return err;
    put_head(e, false, words[ev->kind], ev->commit_ts);
    buf_puts(b, "\"\",\"sqlType\":");
    if (t->has_unsigned || only_handle)
        put_sql_types(b, ev, only_handle, v);
    else
        buf_span(b, t->sql_types);
    buf_puts(b, ",\"mysqlType\":");
    if (only_handle)
        put_types(b, ev, e->c.content_compatible);
    else
        buf_span(b, e->c.content_compatible ? t->full_types : t->types);
    buf_puts(b, ",\"old\":");
    if (ev->kind == BINLOG_UPDATE)
        put_values(e, ev, only_handle, ev->before, changed ? ev->after : NULL);
    else
        buf_put(b, "null", 4);
    buf_puts(b, ",\"data\":");
    put_values(e, ev, only_handle, v, NULL);
    if (e->c.tidb_extension)
        put_tidb(e, ev);
    buf_putc(b, '}');
    return encode_end(e, out, false);
}

static const char none[] =
    ",\"sqlType\":null,\"mysqlType\":null,\"data\":null,\"old\":null";

static enum err
canal_json_ddl(struct encoder *e, const struct encode_ddl *d,
               struct encode_piece *out)
{
    struct buf *b = &e->value;

    put_names(b, d->schema, d->table, NULL);
    put_head(e, true, action_of(d->action)->canal, d->commit_ts);
    encode_string(b, d->sql, strlen(d->sql));
    buf_puts(b, none);
    if (e->c.tidb_extension) {
        put_number(b, ",\"_tidb\":{\"commitTs\":", d->commit_ts);
        buf_putc(b, '}');
    }
    buf_putc(b, '}');
    return encode_end(e, out, false);
}

static enum err
canal_json_watermark(struct encoder *e, uint64_t ts, struct encode_piece *out)
{
    if (!e->c.tidb_extension)
        return ERR_NOT_FOUND;
    put_names(&e->value, "", "", NULL);
    put_head(e, false, "TIDB_WATERMARK", ts);
    buf_puts(&e->value, "\"\"");
    buf_puts(&e->value, none);
    put_number(&e->value, ",\"_tidb\":{\"watermarkTs\":", ts);
    buf_puts(&e->value, "}}");
    return encode_end(e, out, false);
}

const struct encoder_ops encode_canal_json_ops = {
    .row = canal_json_row,
    .ddl = canal_json_ddl,
    .watermark = canal_json_watermark,
};
