/* Values for the '?' of prepared statements, and texts for the others. */
#include "my_int.h"

#include <string.h>

/* The library's parameters are pointers to variables, though only read. */
static void *
unconst(const void *p)
{
    union {
        const void *c;
        void *v;
    } u = { p };

    return u.v;
}

void
my_bind(MYSQL_BIND *b, const struct my_arg *v)
{
    static const enum enum_field_types types[] = {
        [MY_NULL] = MYSQL_TYPE_NULL,    [MY_STR] = MYSQL_TYPE_STRING,
        [MY_I64] = MYSQL_TYPE_LONGLONG, [MY_U64] = MYSQL_TYPE_LONGLONG,
        [MY_F64] = MYSQL_TYPE_DOUBLE,   [MY_BYTES] = MYSQL_TYPE_BLOB,
    };

    memset(b, 0, sizeof(*b));
    b->buffer_type = types[v->type];
    b->is_unsigned = v->type == MY_U64;
    if (v->type == MY_STR || v->type == MY_BYTES) {
        b->buffer = unconst(v->p != NULL ? v->p : "");
        b->buffer_length = v->n; /* without `length` that is the length */
    } else {
        b->buffer = unconst(&v->i);
    }
}

const char *
my_quote(const struct my *my, struct arena *a, const char *text)
{
    size_t n = strlen(text);
    char *out = arena_alloc(a, 2 * n + 3);

    if (out == NULL || my->c == NULL)
        return NULL;
    out[0] = '\'';
    /* the session says if a backslash escapes */
    n = mysql_real_escape_string(my->c, out + 1, text, n);
    out[n + 1] = '\'';
    return out;
}

void
my_put_name(struct buf *out, const char *name)
{
    buf_putc(out, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`')
            buf_putc(out, '`');
        buf_putc(out, *name);
    }
    buf_putc(out, '`');
}

const char *
my_quote_name(struct arena *a, const char *name)
{
    struct buf b = BUF_INIT(2 * strlen(name) + 3);
    const char *out;

    my_put_name(&b, name);
    return buf_settle(&b, a, &out) == ERR_OK ? out : NULL;
}
