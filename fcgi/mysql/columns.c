/* Which column of a result is which field of a record: found by name, once per
 * statement and record. */
#include "my_int.h"

#include <stdlib.h>
#include <string.h>

static const struct field *
field_of(const struct record *rec, const char *column)
{
    const char *name;

    if (rec->n == 1 && str_empty(rec->fields[0].key))
        return &rec->fields[0]; /* a scalar takes the only column */
    for (size_t i = 0; i < rec->n; i++) {
        name = rec->fields[i].column != NULL ? rec->fields[i].column
                                             : rec->fields[i].key;
        if (strcmp(name, column) == 0)
            return &rec->fields[i];
    }
    return NULL;
}

bool
my_is_text(const struct field *f)
{
    return f == NULL || f->type == F_STR || f->type == F_ENUM ||
           f->type == F_BYTES || f->type == F_JSON;
}

static bool
fits_a_column(const struct field *f)
{
    return f->type <= F_BYTES || f->type == F_JSON;
}

/* Numbers arrive in the cell; of a text only the length, the bytes are
 * fetched when there is a place for them. */
static void
bind_cell(MYSQL_BIND *b, struct cell *c, const struct field *f)
{
    b->is_null = &c->null;
    b->error = &c->cut;
    b->length = &c->n;
    b->buffer = &c->v;
    b->buffer_length = sizeof(c->v);
    b->buffer_type = MYSQL_TYPE_LONGLONG;
    if (my_is_text(f)) {
        b->buffer_type = MYSQL_TYPE_STRING;
        b->buffer_length = 0;
    } else if (f->type == F_F64) {
        b->buffer_type = MYSQL_TYPE_DOUBLE;
    } else if (f->type == F_U64) {
        b->is_unsigned = true;
    }
}

static const char *
match_secret(struct my_stmt *st, struct column *c, const MYSQL_FIELD *from)
{
    if (from->org_table_length == 0)
        return "a secret that is no plain column";
    if (c->field->type != F_STR && c->field->type != F_JSON)
        return "a secret that is no text";
    c->org_table = strdup(from->org_table);
    c->org_column = strdup(from->org_name);
    st->secrets = true;
    return c->org_table != NULL && c->org_column != NULL ? NULL : "no memory";
}

static const char *
match_column(struct my_stmt *st, const struct my_seal *seal, size_t i,
             const MYSQL_FIELD *from)
{
    struct column *c = &st->column[i];
    const char *why = NULL;

    c->field = field_of(st->rec, from->name);
    if (c->field == NULL && seal != NULL &&
        strcmp(from->name, seal->row_column) == 0)
        st->secret_row = i;
    else if (c->field == NULL)
        why = "a column that no field takes";
    else if (!fits_a_column(c->field))
        why = "a column for a field of many values";
    else if ((c->field->flags & SECRET) != 0)
        why = seal != NULL ? match_secret(st, c, from)
                           : "a secret that nothing opens";
    bind_cell(&st->bind[i], &st->cell[i], c->field);
    return why;
}

/* Where the record notes secrets that cannot be opened. */
static const struct field *
shut_field(const struct record *rec, const struct my_seal *seal)
{
    for (size_t i = 0; seal != NULL && i < rec->n; i++)
        if (rec->fields[i].type == F_U64 &&
            strcmp(rec->fields[i].key, seal->shut_field) == 0)
            return &rec->fields[i];
    return NULL;
}

static const char *
match_all(struct my_stmt *st, const struct my_seal *seal,
          const MYSQL_FIELD *from)
{
    const char *why = NULL;

    st->shut = shut_field(st->rec, seal);
    st->secret_row = st->n_columns;
    for (size_t i = 0; i < st->n_columns && why == NULL; i++)
        why = match_column(st, seal, i, &from[i]);
    if (why == NULL && st->secrets && st->secret_row == st->n_columns)
        why = "a secret without the column of its row";
    if (why == NULL && mysql_stmt_bind_result(st->c, st->bind) != 0)
        why = mysql_stmt_error(st->c);
    return why;
}

void
my_unmatch(struct my_stmt *st)
{
    for (size_t i = 0; st->column != NULL && i < st->n_columns; i++) {
        free(st->column[i].org_table);
        free(st->column[i].org_column);
    }
    free(st->column);
    free(st->cell);
    free(st->bind);
    st->column = NULL;
    st->cell = NULL;
    st->bind = NULL;
    st->rec = NULL;
    st->secrets = false;
}

static const char *
match(struct my_stmt *st, const struct my_seal *seal, const struct record *rec)
{
    MYSQL_RES *meta;
    const char *why;

    st->rec = rec;
    st->column = calloc(st->n_columns, sizeof(*st->column));
    st->cell = calloc(st->n_columns, sizeof(*st->cell));
    st->bind = calloc(st->n_columns, sizeof(*st->bind));
    meta = mysql_stmt_result_metadata(st->c);
    why = st->column != NULL && st->cell != NULL && st->bind != NULL &&
                  meta != NULL
              ? match_all(st, seal, mysql_fetch_fields(meta))
              : "no memory";
    mysql_free_result(meta);
    return why;
}

/* Another result than the last has columns of its own. */
enum err
my_open_result(struct my *my, struct my_stmt *st, const struct record *rec)
{
    size_t n = mysql_stmt_field_count(st->c);

    if (st->several || st->n_columns != n)
        my_unmatch(st);
    st->n_columns = n;
    return my_match(my, st, rec);
}

enum err
my_match(struct my *my, struct my_stmt *st, const struct record *rec)
{
    const char *why;

    if (st->rec == rec && st->key.n == 1)
        return ERR_OK;
    if (st->rec == rec && mysql_stmt_bind_result(st->c, st->bind) == 0)
        return ERR_OK;
    if (st->n_columns == 0)
        return my_fail_own(my, ERR_INTERNAL, "no result", st->sql, 0);
    my_unmatch(st);
    why = match(st, my->seal, rec);
    if (why == NULL)
        return ERR_OK;
    my_unmatch(st);
    return my_fail_own(my, ERR_INTERNAL, why, st->sql, 0);
}
