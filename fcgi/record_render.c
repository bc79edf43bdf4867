/* Records to JSON. Reply bodies come from here, so the loop over the fields
 * of a row does nothing that the tables could have decided before. */
#include "record.h"

#include "record_int.h"

enum { ANY_INPUT = IN | PATH | QUERY | BODY };

struct render {
    struct json_writer *w;
    enum secret_mode secrets;
    bool input;    /* what was given, for audit and errors */
    unsigned want; /* a field needs one of these flags */
    struct arena *a;
};

static enum err
render_record(struct render *r, const struct record *rec, const void *in);
static enum err
render_members(struct render *r, const struct record *rec, const void *in);

/* ---- scalars ---- */

static void
render_str(struct json_writer *w, const char *s)
{
    if (s != NULL)
        jw_str(w, s);
    else
        jw_null(w);
}

/* A value without a name is printed as its number: nothing gets lost. */
static void
render_enum(struct json_writer *w, const struct field *f, int v)
{
    const char *name = enum_text(f->names, v);

    if (name[0] != '\0')
        jw_str(w, name);
    else
        jw_i32(w, v);
}

static void
render_scalar(struct json_writer *w, const struct field *f, const void *in)
{
    struct span span;

    switch (f->type) {
    case F_STR:
        render_str(w, str_of(f, in));
        return;
    case F_I32:
        jw_i32(w, i32_of(f, in));
        return;
    case F_I64:
        jw_i64(w, i64_of(f, in));
        return;
    case F_U64:
        jw_u64(w, u64_of(f, in));
        return;
    case F_F64:
        jw_f64(w, f64_of(f, in));
        return;
    case F_BOOL:
    case F_FLAG:
        jw_bool(w, bool_of(f, in));
        return;
    case F_ENUM:
        render_enum(w, f, enum_of(f, in));
        return;
    case F_BYTES:
        span = span_of(f, in);
        jw_base64(w, span.p, span.n);
        return;
    case F_JSON:
        span = span_of(f, in);
        jw_raw(w, span.p, span.n);
        return;
    default:
        return;
    }
}

/* ---- keys ---- */

static void
render_key(struct render *r, const struct field *f)
{
    if (f->key_bytes > 0) /* a bare value has none */
        jw_plain_key(r->w, f->key, f->key_bytes);
}

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
    size_t n = 0;

    if (v < 0)
        text[n++] = '-';
    n += buf_digits(text + n, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    jw_plain_key(w, text, n);
}

static void
render_member_key(struct json_writer *w, const struct field *k, const void *in)
{
    const char *s;

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
    render_key(r, f);
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
    return render_record(r, f->more, element);
}

/* "[a,b]" in one string, for the dialect in which every leaf is one. */
static void
render_flat_list(struct render *r, const struct field *f, struct any_list list)
{
    static const struct json_style plain = { .indent = 0 };
    const struct field *value = bare_field(f->more);
    struct buf text = BUF_INIT(r->w->out->max);
    struct json_writer w;

    jw_init(&w, &text, &plain);
    buf_putc(&text, '[');
    for (size_t i = 0; i < list.n; i++) {
        const void *in = (const char *)list.v + i * f->more->size;

        if (i > 0)
            buf_putc(&text, ',');
        w.after_key = true; /* the comma is ours */
        if (value->type == F_STR)
            buf_puts(&text, str_of(value, in) != NULL ? str_of(value, in) : "");
        else
            render_scalar(&w, value, in);
    }
    buf_putc(&text, ']');
    render_key(r, f);
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

static enum err
render_list(struct render *r, const struct field *f, const void *in)
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

static enum err
render_map(struct render *r, const struct field *f, const void *in)
{
    struct any_list map = list_of(f, in);
    const char *entry = map.v;
    enum err e = ERR_OK;

    render_key(r, f);
    jw_object(r->w);
    for (size_t i = 0; i < map.n && e == ERR_OK; i++) {
        const char *key;

        memcpy(&key, entry, sizeof(key));
        jw_key(r->w, key);
        e = render_record(r, f->more, entry + MAP_VALUE_OFF);
        entry += MAP_VALUE_OFF + f->more->size;
    }
    jw_object_end(r->w);
    return e;
}

/* ---- absent, secret ---- */

static void
render_zero(struct render *r, const struct field *f)
{
    switch (f->type) {
    case F_I32:
        jw_i32(r->w, 0);
        return;
    case F_I64:
        jw_i64(r->w, 0);
        return;
    case F_U64:
        jw_u64(r->w, 0);
        return;
    case F_F64:
        jw_f64(r->w, 0);
        return;
    case F_BOOL:
    case F_FLAG:
        jw_bool(r->w, false);
        return;
    case F_ENUM:
        render_enum(r->w, f, 0);
        return;
    case F_JSON:
        jw_null(r->w);
        return;
    default:
        jw_str(r->w, "");
        return;
    }
}

static void
render_empty(struct render *r, const struct field *f)
{
    if (f->type == F_LIST && is_flat(r, f)) {
        render_flat_list(r, f, (struct any_list){ 0, NULL });
    } else if (f->type == F_LIST || f->type == F_ROWS) {
        open_list(r, f);
        close_list(r, f);
    } else {
        render_key(r, f);
        jw_object(r->w);
        jw_object_end(r->w);
    }
}

static bool
is_container(const struct field *f)
{
    return f->type == F_OBJ || f->type == F_LIST || f->type == F_MAP ||
           f->type == F_ROWS;
}

static bool
shows_absent(const struct render *r, const struct field *f)
{
    return !r->input &&
           (f->flags & (NULL_WHEN_ABSENT | PRINT_UNSET | KEEP_EMPTY));
}

static void
render_absent(struct render *r, const struct field *f)
{
    if (!shows_absent(r, f))
        return;
    if (f->flags & NULL_WHEN_ABSENT) {
        render_key(r, f);
        jw_null(r->w);
    } else if (is_container(f)) {
        render_empty(r, f);
    } else if (f->flags & PRINT_UNSET) {
        render_key(r, f);
        render_zero(r, f);
    }
}

static void
render_mask(struct render *r, const struct field *f)
{
    if (f->numbered != NULL) /* it has no key to stand behind */
        return;
    render_key(r, f);
    jw_str(r->w, r->secrets == SECRETS_STARS ? "***" : "");
}

/* ---- fields and records ---- */

/* Opened at the first row, so that a listing without rows can be absent. */
static enum err
render_rows(struct render *r, const struct field *f, const void *in)
{
    struct rows rows = rows_of(f, in);
    const struct field *k = f->keyed_by != NULL ? key_field(f) : NULL;
    const void *row;
    size_t i = 0;
    enum err e;

    while ((e = rows.next(&rows, r->a, &row)) == ERR_OK) {
        if (i == 0)
            open_list(r, f);
        e = render_element(r, f, k, i++, row);
        if (e != ERR_OK)
            return e;
        if (r->w->out->failed)
            return ERR_LIMIT;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (i > 0)
        close_list(r, f);
    else if (is_self(f)) /* a reply that is an array has to be one */
        render_empty(r, f);
    else
        render_absent(r, f);
    return ERR_OK;
}

static enum err
render_object(struct render *r, const struct field *f, const void *in)
{
    const void *obj = obj_of(f, in);

    if (is_self(f) && obj != NULL)
        return render_members(r, f->more, obj);
    render_key(r, f);
    return render_record(r, f->more, obj);
}

static enum err
render_present(struct render *r, const struct field *f, const void *in)
{
    if ((f->flags & SECRET) && r->secrets != SECRETS_FULL) {
        render_mask(r, f);
        return ERR_OK;
    }
    switch (f->type) {
    case F_OBJ:
        return render_object(r, f, in);
    case F_LIST:
        return render_list(r, f, in);
    case F_MAP:
        return render_map(r, f, in);
    case F_ROWS:
        return render_rows(r, f, in);
    default:
        render_key(r, f);
        render_scalar(r->w, f, in);
        return ERR_OK;
    }
}

/* An empty list that was given is shown to the reader of an audit row, but is
 * absent in a reply. */
static bool
shows(const struct render *r, const struct field *f, const void *in)
{
    if ((f->type == F_LIST || f->type == F_MAP) && !r->input)
        return list_of(f, in).n > 0;
    return field_present(f, in);
}

/* The object ("paras") in which this and the next fields lie, if any. */
static void
change_nested(struct render *r, const char **now, const char *nested)
{
    if (*now != NULL && nested != NULL && strcmp(*now, nested) == 0)
        return;
    if (*now != NULL)
        jw_object_end(r->w);
    if (nested != NULL) {
        jw_key(r->w, nested);
        jw_object(r->w);
    }
    *now = nested;
}

static enum err
render_members(struct render *r, const struct record *rec, const void *in)
{
    const char *nested = NULL;
    enum err e = ERR_OK;

    for (size_t i = 0; i < rec->n && e == ERR_OK; i++) {
        const struct field *f = &rec->fields[i];
        bool shown;

        if (!(f->flags & r->want))
            continue;
        if (f->type == F_JSON && is_self(f))
            continue; /* the text as sent, secrets and all */
        shown = shows(r, f, in);
        if (!shown && !shows_absent(r, f))
            continue;
        if (nested != f->nested)
            change_nested(r, &nested, f->nested);
        if (shown)
            e = render_present(r, f, in);
        else
            render_absent(r, f);
    }
    change_nested(r, &nested, NULL);
    return e;
}

/* A bare value: its field's own presence bit does not matter, since something
 * has to stand in its place. */
static enum err
render_bare(struct render *r, const struct field *f, const void *in)
{
    if (is_container(f) && !shows(r, f, in)) {
        render_empty(r, f);
        return ERR_OK;
    }
    return render_present(r, f, in);
}

static enum err
render_record(struct render *r, const struct record *rec, const void *in)
{
    const struct field *bare = bare_field(rec);
    enum err e;

    if (bare != NULL)
        return render_bare(r, bare, in);
    jw_object(r->w);
    e = render_members(r, rec, in);
    jw_object_end(r->w);
    return e;
}

enum err
record_render(struct json_writer *w, const struct record *rec, const void *in,
              enum secret_mode secrets, bool render_input, struct arena *a)
{
    struct render r = { w, secrets, render_input,
                        render_input ? ANY_INPUT : OUT, a };
    enum err e = render_record(&r, rec, in);

    return e != ERR_OK ? e : buf_err(w->out);
}
