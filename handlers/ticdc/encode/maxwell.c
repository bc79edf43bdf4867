/* maxwell: a row is an object of plain values, several of them one behind the
 * other in a message. */
#include "encode_int.h"

#include <string.h>

#define MS_SHIFT 18

static void
put_value(struct encoder *e, const struct binlog_value *v)
{
    struct buf *b = &e->value;
    char room[ENCODE_FLOAT_MAX];
    struct json_writer w;

    jw_init(&w, b, &encode_json);
    switch (v->form) {
    case BINLOG_NULL:
        jw_null(&w);
        return;
    case BINLOG_I64:
        jw_i64(&w, v->i);
        return;
    case BINLOG_U64:
        jw_u64(&w, v->u);
        return;
    case BINLOG_F32:
    case BINLOG_F64:
        buf_put(b, room, encode_float(v->f, v->form == BINLOG_F32, true, room));
        return;
    case BINLOG_BYTES:
        jw_base64(&w, v->p, v->n);
        return;
    default:
        jw_strn(&w, v->p, v->n);
        return;
    }
}

/* A member with an object in it, unless that is empty. */
static void
put_columns(struct encoder *e, const struct encode_event *ev,
            const char *member, const struct binlog_value *v,
            const struct binlog_value *unlike)
{
    struct buf *b = &e->value;
    bool only_handle = encode_only_handle(e, ev), any = false;

    for (size_t k = 0; k < ev->table->n; k++) {
        size_t i = ev->table->sorted[k];

        if (!encode_has_column(ev, only_handle, i) ||
            (unlike != NULL && encode_same_value(&v[i], &unlike[i])))
            continue;
        buf_puts(b, any ? "," : member);
        any = true;
        buf_span(b, ev->table->column[i].quoted);
        put_value(e, &v[i]);
    }
    if (any)
        buf_putc(b, '}');
}

static enum err
maxwell_row(struct encoder *e, const struct encode_event *ev, const char *topic,
            struct encode_piece *out)
{
    static const char data[] = ",\"data\":{", old[] = ",\"old\":{";
    static const char *const words[] = { [BINLOG_INSERT] = "insert",
                                         [BINLOG_UPDATE] = "update",
                                         [BINLOG_DELETE] = "delete" };
    struct buf *b = &e->value;

    (void)topic;
    buf_puts(b, "{\"database\":");
    encode_string(b, ev->table->schema, strlen(ev->table->schema));
    buf_puts(b, ",\"table\":");
    encode_string(b, ev->table->name, strlen(ev->table->name));
    buf_printf(b, ",\"type\":\"%s\",\"ts\":", words[ev->kind]);
    buf_u64(b, (ev->commit_ts >> MS_SHIFT) / 1000);
    if (ev->kind == BINLOG_DELETE) {
        put_columns(e, ev, e->c.maxwell_data ? data : old, ev->before, NULL);
    } else {
        put_columns(e, ev, data, ev->after, NULL);
        if (ev->kind == BINLOG_UPDATE)
            put_columns(e, ev, old, ev->before, ev->after);
    }
    buf_putc(b, '}');
    return encode_end(e, out, false);
}

static void
maxwell_join(struct encode_batch *b, const struct encode_piece *p)
{
    if (b->n == 0)
        encode_be64(&b->key, 1);
    buf_span(&b->value, p->value);
}

/* ---- statements ---- */

/* Maxwell's word of a type. */
static const char *
type_word(const struct encode_column *c)
{
    switch (c->code) {
    case 1:
    case 2:
    case 3:
    case 9:
        return "int";
    case 4:
    case 5:
        return "float";
    case 8:
        return "bigint";
    case 7:
    case 12:
        return "datetime";
    case 10:
        return "date";
    case 11:
        return "time";
    case 13:
        return "year";
    case 16:
        return "bit";
    case 245:
        return "json";
    case 246:
        return "decimal";
    case 247:
        return "enum";
    case 248:
        return "set";
    default:
        return "string";
    }
}

static void
put_struct(struct buf *b, const struct encode_ddl *d, bool is_there,
           const struct encode_table *t)
{
    const char *schema = is_there ? d->schema : "";
    const char *table = is_there ? d->table : "";

    buf_puts(b, "{\"database\":");
    encode_string(b, schema, strlen(schema));
    buf_puts(b, ",\"table\":");
    encode_string(b, table, strlen(table));
    buf_puts(b, ",\"columns\":");
    if (t == NULL)
        buf_puts(b, "null");
    for (size_t i = 0; t != NULL && i < t->n; i++) {
        buf_puts(b, i == 0 ? "[{\"type\":\"" : ",{\"type\":\"");
        buf_puts(b, type_word(&t->column[i]));
        buf_puts(b, "\",\"name\":");
        encode_string(b, t->column[i].name, strlen(t->column[i].name));
        buf_putc(b, '}');
    }
    if (t != NULL)
        buf_putc(b, ']');
    buf_puts(b, ",\"primary-key\":null}");
}

static enum err
maxwell_ddl(struct encoder *e, const struct encode_ddl *d,
            struct encode_piece *out)
{
    const struct action *a = action_of(d->action);
    struct buf *b = &e->value;

    encode_open_key(&e->key, d->commit_ts, d->schema, d->table, 2, NULL, false);
    buf_printf(b, "{\"type\":\"%s\",\"database\":", a->maxwell);
    encode_string(b, d->schema, strlen(d->schema));
    buf_puts(b, ",\"table\":");
    encode_string(b, d->table, strlen(d->table));
    buf_puts(b, ",\"old\":");
    put_struct(b, d, d->before != NULL, d->before);
    buf_puts(b, ",\"def\":");
    put_struct(b, d, true, d->after);
    buf_puts(b, ",\"ts\":");
    buf_u64(b, d->commit_ts);
    buf_puts(b, ",\"sql\":");
    encode_string(b, d->sql, strlen(d->sql));
    buf_putc(b, '}');
    return encode_end(e, out, true);
}

const struct encoder_ops encode_maxwell_ops = {
    .joins = true,
    .broadcasts = true,
    .head = 8,
    .row = maxwell_row,
    .ddl = maxwell_ddl,
    .join = maxwell_join,
};
