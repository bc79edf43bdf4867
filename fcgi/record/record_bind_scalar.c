/* Scalars into fields: what is wrong about a value by itself is refused here,
 * by type, range and size. */
#include "record_bind_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hex.h"
#include "json/json_scan.h"

static void
put_path(struct buf *path, const struct at *at)
{
    char shown[49];

    if (at == NULL)
        return;
    put_path(path, at->up);
    if (at->name == NULL) {
        buf_printf(path, "[%zu]", at->index);
    } else if (!str_empty(at->name)) {
        json_name_for_message(shown, at->name, strlen(at->name));
        buf_printf(path, "%s%s", path->n > 0 ? "." : "", shown);
    }
}

enum err
record_refuse(struct bind *b, const struct at *at, const char *reason)
{
    struct buf path = BUF_INIT(4096);

    put_path(&path, at);
    (void)snprintf(b->why->field, sizeof(b->why->field), "%.63s",
                   buf_text(&path));
    buf_free(&path);
    (void)snprintf(b->why->reason, sizeof(b->why->reason), "%s", reason);
    return ERR_BAD_PARAM;
}

const char *const record_wanted[] = {
    [F_STR] = "must be a string",
    [F_I32] = "must be an integer",
    [F_I64] = "must be an integer",
    [F_U64] = "must be an integer that is not negative",
    [F_F64] = "must be a number",
    [F_BOOL] = "must be true or false",
    [F_ENUM] = "must be one of the documented names",
    [F_FLAG] = "must be true or false",
    [F_BYTES] = "must be base64",
    [F_OBJ] = "must be an object",
    [F_LIST] = "must be a list",
    [F_MAP] = "must be an object",
    [F_JSON] = "must be JSON",
    [F_ROWS] = "cannot be given",
};

enum err
record_refuse_type(struct bind *b, const struct at *at, const struct field *f)
{
    return record_refuse(b, at, record_wanted[f->type]);
}

static enum err
refuse_range(struct bind *b, const struct at *at, const struct field *f)
{
    char reason[96];

    if (f->max <= f->min)
        return record_refuse(b, at, "is out of range");
    (void)snprintf(reason, sizeof(reason), "must be between %lld and %lld",
                   (long long)f->min, (long long)f->max);
    return record_refuse(b, at, reason);
}

/* ---- integers, texts and the others ---- */

static bool
takes_text(const struct bind *b, const struct field *f, unsigned style)
{
    return (b->style & style) || (f->flags & NUM_OR_STR);
}

/* Whether v may be read as digits. */
static bool
is_digits(const struct bind *b, const struct field *f, const struct value *v)
{
    return v->type == JSON_NUMBER ||
           (v->type == JSON_STRING && takes_text(b, f, BIND_INT_FROM_STR));
}

static enum err
bind_str(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    bool number = v->type == JSON_NUMBER && takes_text(b, f, BIND_STR_FROM_NUM);

    if (v->type != JSON_STRING && !number)
        return record_refuse_type(b, at, f);
    if (f->max > 0 && strlen(v->text) > (size_t)f->max)
        return record_refuse(b, at, "is too long");
    memcpy(member_of(f, out), &v->text, sizeof(v->text));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
read_i64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, int64_t *out)
{
    enum err e;

    if (!is_digits(b, f, v))
        return record_refuse_type(b, at, f);
    e = json_to_i64(v->text, b->style & BIND_INTEGRAL, out);
    if (e == ERR_BAD_PARAM)
        return record_refuse_type(b, at, f);
    if (e != ERR_OK || (f->max > f->min && (*out < f->min || *out > f->max)))
        return refuse_range(b, at, f);
    return ERR_OK;
}

static enum err
bind_i32(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    int64_t wide;
    int32_t n;
    enum err e = read_i64(b, at, f, v, &wide);

    if (e != ERR_OK)
        return e;
    if (wide < INT32_MIN || wide > INT32_MAX)
        return refuse_range(b, at, f);
    n = (int32_t)wide;
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
bind_i64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    int64_t n;
    enum err e = read_i64(b, at, f, v, &n);

    if (e != ERR_OK)
        return e;
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static bool
u64_in_range(const struct field *f, uint64_t n)
{
    if (f->max <= f->min)
        return true;
    return (f->min <= 0 || n >= (uint64_t)f->min) && f->max >= 0 &&
           n <= (uint64_t)f->max;
}

static enum err
bind_u64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    uint64_t n;
    enum err e;

    if (!is_digits(b, f, v))
        return record_refuse_type(b, at, f);
    e = json_to_u64(v->text, b->style & BIND_INTEGRAL, &n);
    if (e == ERR_BAD_PARAM)
        return record_refuse_type(b, at, f);
    if (e != ERR_OK || !u64_in_range(f, n))
        return refuse_range(b, at, f);
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
bind_f64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    char *end;
    double n;

    if (!is_digits(b, f, v))
        return record_refuse_type(b, at, f);
    /* strtod alone would take blanks, hex digits and "inf" */
    if (str_empty(v->text) ||
        v->text[strspn(v->text, "+-.0123456789eE")] != '\0')
        return record_refuse_type(b, at, f);
    n = strtod(v->text, &end);
    if (*end != '\0')
        return record_refuse_type(b, at, f);
    if (!isfinite(n))
        return refuse_range(b, at, f);
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
bind_bool(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out)
{
    bool yes, known;

    if (v->type != JSON_BOOL && !takes_text(b, f, BIND_INT_FROM_STR))
        return record_refuse_type(b, at, f);
    yes = strcmp(v->text, "true") == 0 || strcmp(v->text, "1") == 0;
    known = yes || strcmp(v->text, "false") == 0 || strcmp(v->text, "0") == 0;
    if (!known)
        return record_refuse_type(b, at, f);
    memcpy(member_of(f, out), &yes, sizeof(yes));
    set_bit(f, out);
    return ERR_OK;
}

/* In a body a flag is a bool; that it is there counts in a query only. */
static enum err
bind_flag(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out)
{
    const bool yes = true;

    if (v->type == JSON_BOOL && v->text[0] == 'f')
        return ERR_OK;
    if (v->type != JSON_BOOL)
        return record_refuse_type(b, at, f);
    memcpy(member_of(f, out), &yes, sizeof(yes));
    set_bit(f, out);
    return ERR_OK;
}

static bool
find_enum(const struct field *f, const struct value *v, bool integral, int *out)
{
    int64_t n;

    for (const struct enum_name *name = f->names; name->name != NULL; name++) {
        if (v->type == JSON_STRING && strcmp(name->name, v->text) == 0) {
            *out = name->value;
            return true;
        }
    }
    if (json_to_i64(v->text, integral, &n) != ERR_OK || n < INT32_MIN ||
        n > INT32_MAX || str_empty(enum_text(f->names, (int)n)))
        return false;
    *out = (int)n;
    return true;
}

/* Whether a name or number that we do not know is forgiven. */
static bool
may_be_unknown(const struct bind *b, const struct value *v)
{
    int64_t n;

    if (!(b->style & BIND_UNKNOWN_ENUM_UNSET))
        return false;
    return v->type == JSON_STRING ||
           json_to_i64(v->text, b->style & BIND_INTEGRAL, &n) == ERR_OK;
}

static enum err
bind_enum(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out)
{
    int n;

    if (v->type != JSON_STRING && v->type != JSON_NUMBER)
        return record_refuse_type(b, at, f);
    if (!find_enum(f, v, b->style & BIND_INTEGRAL, &n))
        return may_be_unknown(b, v) ? ERR_OK : record_refuse_type(b, at, f);
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

/* A digit of base64 in the usual or the URL alphabet; -1 for other bytes. */
static enum err
bind_bytes(struct bind *b, const struct at *at, const struct field *f,
           const struct value *v, void *out)
{
    size_t n = strlen(v->text);
    struct span span = { NULL, 0 };
    unsigned char *bytes;

    if (v->type != JSON_STRING)
        return record_refuse_type(b, at, f);
    if (n % 4 == 0) /* padding is optional, but whole when there */
        for (int pad = 0; pad < 2 && n > 0 && v->text[n - 1] == '='; pad++)
            n--;
    bytes = arena_alloc(b->a, n / 4 * 3 + 3);
    if (bytes == NULL)
        return ERR_NOMEM;
    if (!base64_read(v->text, n, true, bytes, &span.n))
        return record_refuse_type(b, at, f);
    if (f->max > 0 && span.n > (size_t)f->max)
        return record_refuse(b, at, "is too long");
    span.p = (const char *)bytes;
    memcpy(member_of(f, out), &span, sizeof(span));
    set_bit(f, out);
    return ERR_OK;
}

enum err
record_bind_scalar(struct bind *b, const struct at *at, const struct field *f,
                   const struct value *v, void *out)
{
    switch (f->type) {
    case F_STR:
        return bind_str(b, at, f, v, out);
    case F_I32:
        return bind_i32(b, at, f, v, out);
    case F_I64:
        return bind_i64(b, at, f, v, out);
    case F_U64:
        return bind_u64(b, at, f, v, out);
    case F_F64:
        return bind_f64(b, at, f, v, out);
    case F_BOOL:
        return bind_bool(b, at, f, v, out);
    case F_ENUM:
        return bind_enum(b, at, f, v, out);
    case F_FLAG:
        return bind_flag(b, at, f, v, out);
    case F_BYTES:
        return bind_bytes(b, at, f, v, out);
    case F_JSON:
        memcpy(member_of(f, out), &v->json, sizeof(v->json));
        set_bit(f, out);
        return ERR_OK;
    default:
        return record_refuse_type(b, at, f);
    }
}
