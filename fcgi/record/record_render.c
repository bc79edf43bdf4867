/* Records to JSON. Reply bodies come from here, so the loop over the fields
 * of a row does nothing that the tables could have decided before. */
#include "record_render_int.h"

enum { ANY_INPUT = IN | PATH | QUERY | BODY };

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

    if (!str_empty(name))
        jw_str(w, name);
    else
        jw_i32(w, v);
}

void
record_render_scalar(struct json_writer *w, const struct field *f,
                     const void *in)
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
        record_render_key(r, f);
        jw_null(r->w);
    } else if (is_container(f)) {
        record_render_empty(r, f);
    } else if (f->flags & PRINT_UNSET) {
        record_render_key(r, f);
        render_zero(r, f);
    }
}

static void
render_mask(struct render *r, const struct field *f)
{
    if (f->numbered != NULL) /* it has no key to stand behind */
        return;
    record_render_key(r, f);
    jw_str(r->w, "***");
}

/* ---- fields and records ---- */

static enum err
render_stream(struct render *r, const struct field *f, const void *in)
{
    bool any;
    enum err e = record_render_rows(r, f, in, &any);

    if (e != ERR_OK || any)
        return e;
    if (is_self(f)) /* a reply that is an array has to be one */
        record_render_empty(r, f);
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
    record_render_key(r, f);
    return record_render_record(r, f->more, obj);
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
        return record_render_list(r, f, in);
    case F_MAP:
        return record_render_map(r, f, in);
    case F_ROWS:
        return render_stream(r, f, in);
    default:
        record_render_key(r, f);
        record_render_scalar(r->w, f, in);
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
        record_render_empty(r, f);
        return ERR_OK;
    }
    return render_present(r, f, in);
}

enum err
record_render_record(struct render *r, const struct record *rec, const void *in)
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
record_render_members(struct json_writer *w, const struct record *rec,
                      const void *in, enum secret_mode secrets, struct arena *a)
{
    struct render r = { w, secrets, false, OUT, a };
    enum err e = render_members(&r, rec, in);

    return e != ERR_OK ? e : buf_err(w->out);
}

enum err
record_render(struct json_writer *w, const struct record *rec, const void *in,
              enum secret_mode secrets, bool render_input, struct arena *a)
{
    struct render r = { w, secrets, render_input,
                        render_input ? ANY_INPUT : OUT, a };
    enum err e = record_render_record(&r, rec, in);

    return e != ERR_OK ? e : buf_err(w->out);
}

enum err
record_text(struct arena *a, const struct json_style *style,
            const struct record *rec, const void *in, enum secret_mode secrets,
            size_t max, const char **out)
{
    struct buf b = BUF_INIT(max);
    struct json_writer w;
    enum err e, settled;

    jw_init(&w, &b, style);
    e = record_render(&w, rec, in, secrets, false, a);
    settled = buf_settle(&b, a, out);
    /* the buffer knows whether it was its bound or the memory */
    return e == ERR_OK || e == ERR_LIMIT ? settled : e;
}
