/* Mistakes in the table of a record that compile all the same. */
#include "record_int.h"

#include <stdio.h>

/* Deeper than any record that JSON_MAX_DEPTH lets a client fill. */
enum { MAX_NESTING = JSON_MAX_DEPTH };

struct look {
    struct bind_error *why;
    int depth;
};

static enum err look_at(struct look *l, const struct record *rec);

static enum err
mistake(struct look *l, const struct record *rec, const struct field *f,
        const char *reason)
{
    (void)snprintf(l->why->field, sizeof(l->why->field), "%.30s.%.30s",
                   rec->name, f->key_bytes > 0 ? f->key : "(self)");
    (void)snprintf(l->why->reason, sizeof(l->why->reason), "%s", reason);
    return ERR_INTERNAL;
}

static bool
is_list(const struct field *f)
{
    return f->type == F_LIST || f->type == F_ROWS;
}

static bool
has_elements(const struct field *f)
{
    return is_list(f) || f->type == F_MAP || f->type == F_OBJ;
}

/* Names are printed as they are. */
static bool
is_plain(const char *key)
{
    for (; *key != '\0'; key++) {
        if ((unsigned char)*key < 0x20 || (unsigned char)*key >= 0x7f ||
            *key == '"' || *key == '\\')
            return false;
    }
    return true;
}

static bool
can_be_key(enum field_type type)
{
    return type == F_STR || type == F_I32 || type == F_I64 || type == F_U64 ||
           type == F_ENUM;
}

static bool
key_member_exists(const struct field *f)
{
    for (size_t i = 0; i < f->more->n; i++) {
        if (strcmp(f->more->fields[i].key, f->keyed_by) == 0)
            return can_be_key(f->more->fields[i].type);
    }
    return false;
}

static bool
same_object(const struct field *a, const struct field *b)
{
    if (a->nested == NULL || b->nested == NULL)
        return a->nested == b->nested;
    return strcmp(a->nested, b->nested) == 0;
}

/* What binding or rendering would do twice with one name. */
static bool
clash(const struct field *a, const struct field *b)
{
    return a->key_bytes > 0 && strcmp(a->key, b->key) == 0 &&
           same_object(a, b) && (a->flags & b->flags & (IN | OUT)) != 0;
}

static enum err
look_at_tail(struct look *l, const struct record *rec, const struct field *f)
{
    if (f->keyed_by != NULL && (!is_list(f) || !key_member_exists(f)))
        return mistake(l, rec, f, ".keyed_by names no scalar of a list");
    if (f->numbered != NULL && f->type != F_LIST)
        return mistake(l, rec, f, ".numbered is for lists");
    if (f->numbered != NULL && f->keyed_by != NULL)
        return mistake(l, rec, f, ".numbered and .keyed_by exclude each other");
    if (f->min != 0 && f->max <= f->min)
        return mistake(l, rec, f, ".min counts only below .max");
    return ERR_OK;
}

static enum err
look_at_field(struct look *l, const struct record *rec, const struct field *f)
{
    if (!is_plain(f->key) || strlen(f->key) != f->key_bytes)
        return mistake(l, rec, f, "the key needs escapes or is not measured");
    if (has_elements(f) != (f->more != NULL))
        return mistake(l, rec, f, "type of elements missing, or not wanted");
    if (f->type == F_ENUM && (f->names == NULL || f->names[0].name == NULL))
        return mistake(l, rec, f, "no names");
    if (f->type == F_ROWS && (f->flags & (IN | PATH | QUERY)))
        return mistake(l, rec, f, "ROWS cannot be input");
    if (is_self(f) && rec->n > 1 && f->type != F_OBJ && f->type != F_JSON)
        return mistake(l, rec, f, "only OBJ and JSON can be their object");
    if (f->off + sizeof(bool) > rec->size || f->bit < 0 || f->bit > 63)
        return mistake(l, rec, f, "lies outside of its struct");
    return look_at_tail(l, rec, f);
}

/* The fields of one nested object stand together among those printed, since
 * the object is closed when another one begins. */
static bool
nested_again(const struct record *rec, size_t i)
{
    const struct field *f = &rec->fields[i];
    bool left = false;

    if (f->nested == NULL)
        return false;
    for (size_t k = i; k > 0; k--) {
        const struct field *before = &rec->fields[k - 1];

        if ((before->flags & f->flags & (IN | OUT)) == 0)
            continue;
        if (!same_object(before, f))
            left = true;
        else if (left)
            return true;
    }
    return false;
}

static enum err
look_at_neighbours(struct look *l, const struct record *rec, size_t i)
{
    const struct field *f = &rec->fields[i];

    if (nested_again(rec, i))
        return mistake(l, rec, f, "its .nested object was left before");
    for (size_t k = 0; k < i; k++) {
        if (clash(f, &rec->fields[k]))
            return mistake(l, rec, f, "the key stands twice");
    }
    return ERR_OK;
}

static enum err
look_at(struct look *l, const struct record *rec)
{
    enum err e = ERR_OK;

    if (++l->depth > MAX_NESTING)
        return rec->n > 0 ? mistake(l, rec, &rec->fields[0], "contains itself")
                          : ERR_INTERNAL;
    for (size_t i = 0; i < rec->n && e == ERR_OK; i++) {
        const struct field *f = &rec->fields[i];

        e = look_at_field(l, rec, f);
        if (e == ERR_OK)
            e = look_at_neighbours(l, rec, i);
        if (e == ERR_OK && f->more != NULL)
            e = look_at(l, f->more);
    }
    l->depth--;
    return e;
}

enum err
record_verify(const struct record *rec, struct bind_error *why)
{
    struct look l = { why, 0 };

    *why = (struct bind_error){ "", "" };
    return look_at(&l, rec);
}
