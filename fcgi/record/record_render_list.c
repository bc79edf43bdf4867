/* Lists, maps and streamed rows to JSON, in the shapes that the rows of a
 * record's table ask for: arrays, objects by key, numbered members. */
#include "record_render_int.h"

/* ---- keys ---- */

static void
render_numbered_key(struct json_writer *w, const char *prefix, size_t i)
{
    char key[96];
    size_t n = strlen(prefix);

    if (n > sizeof(key) - 20)
        n = sizeof(key) - 20;
    memcpy(key, prefix, n);
    n += buf_digits(key + n, i);
    jw_plain_key(w, key, n);
}

/* The member by which the elements of f are keyed. */
static const struct field *
key_field(const struct field *f)
{
    for (size_t i = 0; i < f->more->n; i++) {
        const struct field *k = &f->more->fields[i];

        if (strcmp(k->key, f->keyed_by) == 0)
            return k;
    }
    return NULL;
}

static void
render_i64_key(struct json_writer *w, int64_t v)
{
    char text[21];

    jw_plain_key(w, text, buf_signed_digits(text, v));
}

static void
render_member_key(struct json_writer *w, const struct field *k, const void *in)
{
    const char *s;
    char text[20];

    switch (k != NULL ? k->type : F_ROWS) {
    case F_STR:
        s = str_of(k, in);
        jw_key(w, s != NULL ? s : "");
        return;
    case F_I32:
        render_i64_key(w, i32_of(k, in));
        return;
    case F_I64:
        render_i64_key(w, i64_of(k, in));
        return;
    case F_U64:
        jw_plain_key(w, text, buf_digits(text, u64_of(k, in)));
        return;
    case F_ENUM:
        jw_key(w, enum_text(k->names, enum_of(k, in)));
        return;
    default: /* no such member: a mistake in the table, seen at once */
        jw_key(w, "?");
        return;
    }
}

/* ---- containers ---- */

/* The brackets of a LIST or ROWS: an object when its elements are keyed, none
 * at all when they lie in the object around. */
static void
open_list(struct render *r, const struct field *f)
{
    if (f->numbered != NULL)
        return;
    record_render_key(r, f);
    if (f->keyed_by != NULL)
        jw_object(r->w);
    else
        jw_array(r->w);
}

static void
close_list(struct render *r, const struct field *f)
{
    if (f->numbered != NULL)
        return;
    if (f->keyed_by != NULL)
        jw_object_end(r->w);
    else
        jw_array_end(r->w);
}

static enum err
render_element(struct render *r, const struct field *f, const struct field *k,
               size_t i, const void *element)
{
    if (f->numbered != NULL)
        render_numbered_key(r->w, f->numbered, i);
    else if (f->keyed_by != NULL)
        render_member_key(r->w, k, element);
    return record_render_record(r, f->more, element);
}

/* "[a,b]" in one string, for the dialect in which every leaf is one. */
static void
render_flat_list(struct render *r, const struct field *f, struct any_list list)
{
    const struct field *value = bare_field(f->more);
    struct buf text = BUF_INIT(r->w->out->max);
    struct json_writer w;

    jw_init(&w, &text, &json_compact);
    buf_putc(&text, '[');
    for (size_t i = 0; i < list.n; i++) {
        const void *in = (const char *)list.v + i * f->more->size;

        if (i > 0)
            buf_putc(&text, ',');
        w.after_key = true; /* the comma is ours */
        if (value->type == F_STR)
            buf_puts(&text, str_of(value, in) != NULL ? str_of(value, in) : "");
        else
            record_render_scalar(&w, value, in);
    }
    buf_putc(&text, ']');
    record_render_key(r, f);
    jw_strn(r->w, buf_text(&text), text.n);
    if (text.failed)
        r->w->out->failed = true;
    buf_free(&text);
}

static bool
is_flat(const struct render *r, const struct field *f)
{
    return r->w->style->all_leaves_string && f->keyed_by == NULL &&
           f->numbered == NULL && bare_field(f->more) != NULL;
}

enum err
record_render_list(struct render *r, const struct field *f, const void *in)
{
    struct any_list list = list_of(f, in);
    const struct field *k = f->keyed_by != NULL ? key_field(f) : NULL;
    const char *element = list.v;
    enum err e = ERR_OK;

    if (is_flat(r, f)) {
        render_flat_list(r, f, list);
        return ERR_OK;
    }
    open_list(r, f);
    for (size_t i = 0; i < list.n && e == ERR_OK; i++) {
        e = render_element(r, f, k, i, element);
        element += f->more->size;
    }
    close_list(r, f);
    return e;
}

enum err
record_render_map(struct render *r, const struct field *f, const void *in)
{
    struct any_list map = list_of(f, in);
    const char *entry = map.v;
    enum err e = ERR_OK;

    record_render_key(r, f);
    jw_object(r->w);
    for (size_t i = 0; i < map.n && e == ERR_OK; i++) {
        const char *key;

        memcpy(&key, entry, sizeof(key));
        jw_key(r->w, key);
        e = record_render_record(r, f->more, entry + MAP_VALUE_OFF);
        entry += MAP_VALUE_OFF + f->more->size;
    }
    jw_object_end(r->w);
    return e;
}

/* Opened at the first row, so that a listing without rows can be absent. */
enum err
record_render_rows(struct render *r, const struct field *f, const void *in,
                   bool *any)
{
    struct rows rows = rows_of(f, in);
    const struct field *k = f->keyed_by != NULL ? key_field(f) : NULL;
    const void *row;
    size_t i = 0;
    enum err e;

    *any = false;
    while ((e = rows.next(&rows, r->a, &row)) == ERR_OK) {
        if (!*any)
            open_list(r, f);
        *any = true;
        e = render_element(r, f, k, i++, row);
        if (e != ERR_OK)
            return e;
        if (r->w->out->failed)
            return ERR_LIMIT;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (*any)
        close_list(r, f);
    return ERR_OK;
}

void
record_render_empty(struct render *r, const struct field *f)
{
    if (f->type == F_LIST && is_flat(r, f)) {
        render_flat_list(r, f, (struct any_list){ 0, NULL });
    } else if (f->type == F_LIST || f->type == F_ROWS) {
        open_list(r, f);
        close_list(r, f);
    } else {
        record_render_key(r, f);
        jw_object(r->w);
        jw_object_end(r->w);
    }
}
