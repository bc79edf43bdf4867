/* Values for the '?' of statements, and what is sealed: encrypted before it
 * leaves, decrypted where it arrives, and nowhere else. */
#include "db_impl.h"

#include <string.h>

#include "crypt.h"
#include "secrets.h"

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
/* A key that is missing has been logged, and is no client's fault. */
static enum err
our_fault(enum err e)
{
    return e == ERR_STATE ? ERR_INTERNAL : e;
}

enum err
db_plain(struct db *db, const struct db_value *v, struct my_arg *out)
{
    enum err e;

    switch (v->type) {
    case DBV_NULL:
        out->type = MY_NULL;
        return ERR_OK;
    case DBV_STR:
        out->type = MY_STR;
        out->p = v->p;
        out->n = v->n;
        return ERR_OK;
    case DBV_I64:
        out->type = MY_I64;
        out->i = v->i;
        return ERR_OK;
    case DBV_U64:
        out->type = MY_U64;
        out->u = v->u;
        return ERR_OK;
    case DBV_F64:
        out->type = MY_F64;
        out->f = v->f;
        return ERR_OK;
    case DBV_SECRET:
        out->type = MY_STR;
        e = crypt_seal(db->scratch, v->table, v->row, v->column, v->p, v->n,
                       &out->p);
        if (e != ERR_OK)
            return our_fault(e);
        out->n = strlen(out->p);
        return ERR_OK;
    }
    return ERR_INTERNAL;
}

static enum err
open_sealed(struct arena *a, const char *table, const char *row,
            const char *column, const char *sealed, const char **out)
{
    *out = sealed;
    if (crypt_sealed_key_id(sealed) == 0 && secret_was_plain(table, column))
        return ERR_OK;
    return crypt_open(a, table, row, column, sealed, out);
}

const struct my_seal db_seal = { .row_column = "secret_row",
                                 .shut_field = "secret_shut",
                                 .open = open_sealed };
