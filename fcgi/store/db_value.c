/* Values for the '?' of statements. */
#include "db_impl.h"

#include <string.h>

#include "crypt.h"

struct db_value
db_null(void)
{
    return (struct db_value){ .type = DBV_NULL };
}

struct db_value
db_bytes(const void *p, size_t n)
{
    return (struct db_value){ .type = DBV_STR, .p = p, .n = n };
}

struct db_value
db_str(const char *s)
{
    return s != NULL ? db_bytes(s, strlen(s)) : db_null();
}

struct db_value
db_i64(int64_t v)
{
    return (struct db_value){ .type = DBV_I64, .i = v };
}

struct db_value
db_u64(uint64_t v)
{
    return (struct db_value){ .type = DBV_U64, .u = v };
}

struct db_value
db_bool(bool v)
{
    return db_i64(v ? 1 : 0);
}

struct db_value
db_f64(double v)
{
    return (struct db_value){ .type = DBV_F64, .f = v };
}

struct db_value
db_secret(const char *table, const char *row, const char *column,
          const char *text)
{
    struct db_value v = db_str(text);

    if (text != NULL)
        v.type = DBV_SECRET;
    v.table = table;
    v.row = row;
    v.column = column;
    return v;
}

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

static void
bind_text(MYSQL_BIND *b, const char *p, size_t n)
{
    b->buffer_type = MYSQL_TYPE_STRING;
    b->buffer = unconst(p != NULL ? p : "");
    b->buffer_length = n;
    b->length = NULL; /* buffer_length then is the length */
}

static void
bind_number(MYSQL_BIND *b, enum enum_field_types type, const void *p,
            bool is_unsigned)
{
    b->buffer_type = type;
    b->buffer = unconst(p);
    b->is_unsigned = is_unsigned;
}

static enum err
bind_secret(struct db *db, MYSQL_BIND *b, const struct db_value *v)
{
    const char *sealed;
    enum err e = crypt_seal(db->scratch, v->table, v->row, v->column, v->p,
                            v->n, &sealed);

    if (e == ERR_STATE)
        return ERR_INTERNAL; /* no key: logged there, and no client's fault */
    if (e == ERR_OK)
        bind_text(b, sealed, strlen(sealed));
    return e;
}

enum err
db_bind_value(struct db *db, MYSQL_BIND *b, const struct db_value *v)
{
    memset(b, 0, sizeof(*b));
    switch (v->type) {
    case DBV_NULL:
        b->buffer_type = MYSQL_TYPE_NULL;
        return ERR_OK;
    case DBV_STR:
        bind_text(b, v->p, v->n);
        return ERR_OK;
    case DBV_I64:
        bind_number(b, MYSQL_TYPE_LONGLONG, &v->i, false);
        return ERR_OK;
    case DBV_U64:
        bind_number(b, MYSQL_TYPE_LONGLONG, &v->u, true);
        return ERR_OK;
    case DBV_F64:
        bind_number(b, MYSQL_TYPE_DOUBLE, &v->f, false);
        return ERR_OK;
    case DBV_SECRET:
        return bind_secret(db, b, v);
    }
    return ERR_INTERNAL;
}
