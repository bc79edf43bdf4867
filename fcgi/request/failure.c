/* Wording of failures. Never printf: a client's bytes are values here, not
 * formats, and are not expanded again. */
#include "failure.h"

#include <stdio.h>
#include <string.h>

#include "req_io.h"

/* A message ends here, and in "..." when it was to be longer. To be cut a text
 * must have been written: its parts may be longer. */
#define TEXT_MAX 8192
#define PART_MAX ((size_t)16 * TEXT_MAX)

/* Which class an event belongs to, for dialects without a row for it. */
static const enum err event_class[EVENT__MAX] = {
    [EVENT_UNKNOWN_PATH] = ERR_NOT_FOUND,
    [EVENT_METHOD] = ERR_NOT_FOUND,
    [EVENT_NO_TOKEN] = ERR_DENIED,
    [EVENT_SCOPE] = ERR_DENIED,
    [EVENT_QUERY] = ERR_BAD_PARAM,
    [EVENT_BODY] = ERR_BAD_PARAM,
    [EVENT_FIELD] = ERR_BAD_PARAM,
    [EVENT_TOO_LARGE] = ERR_LIMIT,
    [EVENT_BUSY] = ERR_BUSY,
    [EVENT_MALFORMED] = ERR_BAD_PARAM,
};

/* As much of a text as a message can show. */
static void
put_text(struct buf *b, const char *s)
{
    if (s != NULL)
        buf_put(b, s, strnlen(s, TEXT_MAX + 1));
}

/* The text of b in the arena, cut between two characters. */
static const char *
cut(struct req *r, const struct buf *b)
{
    const char *text = buf_text(b);
    size_t n = b->n;

    if (n <= TEXT_MAX && !b->failed)
        return arena_strndup(r->arena, text, n);
    if (n > TEXT_MAX)
        n = TEXT_MAX;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return arena_printf(r->arena, "%.*s...", (int)n, text);
}

static void
put_record(struct req *r, struct buf *b, const struct record *rec,
           const void *in)
{
    struct json_writer w;

    jw_init(&w, b, &json_protobuf);
    if (record_render(&w, rec, in, SECRETS_STARS, true, r->arena) != ERR_OK)
        b->failed = true;
}

/* One value of the input as text: what a reader of the message expects. */
static void
put_value(struct req *r, struct buf *b, const struct field *f, const void *at)
{
    const char *s;
    int32_t i32;
    int64_t i64;
    const void *obj;

    if ((f->flags & SECRET) != 0) {
        buf_puts(b, "***");
        return;
    }
    switch (f->type) {
    case F_STR:
        memcpy(&s, at, sizeof(s));
        put_text(b, s);
        break;
    case F_ENUM:
        memcpy(&i32, at, sizeof(i32));
        buf_puts(b, enum_text(f->names, i32));
        break;
    case F_I32:
        memcpy(&i32, at, sizeof(i32));
        buf_i64(b, i32);
        break;
    case F_I64:
    case F_U64:
        memcpy(&i64, at, sizeof(i64));
        if (f->type == F_I64)
            buf_i64(b, i64);
        else
            buf_u64(b, (uint64_t)i64);
        break;
    case F_OBJ:
        memcpy(&obj, at, sizeof(obj));
        put_record(r, b, f->more, obj);
        break;
    default:
        break;
    }
}

static void
put_input(struct req *r, struct buf *b, const char *name)
{
    struct field_path path;
    const void *at;
    bool present;

    if (r->io->in == NULL ||
        field_path_find(r->io->in_rec, name, &path) != ERR_OK)
        return;
    at = field_path_get(&path, r->io->in, &present);
    if (at != NULL && present)
        put_value(r, b, path.step[path.n - 1], at);
}

/* What the framework knows by name; NULL when the name is not its. */
static const char *
known(const struct req *r, const char *name)
{
    if (strcmp(name, "operation") == 0)
        return r->operation;
    if (strcmp(name, "label") == 0)
        return r->mount->label == NULL ? "" : r->mount->label;
    if (strcmp(name, "path") == 0)
        return r->path;
    if (strcmp(name, "method") == 0)
        return r->method;
    return NULL;
}

static void
put_name(struct req *r, struct buf *b, const char *name, struct args args)
{
    const char *s;

    for (size_t i = 0; i < args.n; i++) {
        if (strcmp(args.v[i].name, name) == 0) {
            put_text(b, args.v[i].value);
            return;
        }
    }
    s = known(r, name);
    if (s != NULL)
        put_text(b, s);
    else if (strcmp(name, "input") == 0 && r->io->in != NULL)
        put_record(r, b, r->io->in_rec, r->io->in);
    else
        put_input(r, b, name);
}

/* A name between braces: letters, digits, '_', '.', '-'; else the brace is
 * text. */
static size_t
name_bytes(const char *p)
{
    return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789_.-");
}

static void
expand(struct req *r, struct buf *b, const char *text, struct args args)
{
    char name[64];

    while (*text != '\0') {
        size_t n = *text == '{' ? name_bytes(text + 1) : 0;

        if (n == 0 || n >= sizeof(name) || text[n + 1] != '}') {
            buf_putc(b, *text++);
            continue;
        }
        memcpy(name, text + 1, n);
        name[n] = '\0';
        put_name(r, b, name, args);
        text += n + 2;
    }
}

enum err
failure_set(struct req *r, const struct error_text *row, struct args args)
{
    struct buf b = BUF_INIT(PART_MAX);
    const char *text;

    expand(r, &b, row->text, args);
    text = cut(r, &b);
    buf_free(&b);
    r->io->failed = row;
    r->io->failure = (struct failure){
        .err = row->err,
        .http = row->http,
        .code = row->code,
        .text = text == NULL ? "" : text,
        .own_code = row->own_code,
    };
    return row->err;
}

const struct error_text *
failure_default(const struct dialect *d, enum err e)
{
    if (d->by_class[e].id != NULL)
        return &d->by_class[e];
    return &d->by_class[ERR_INTERNAL];
}

enum err
failure_event(struct req *r, enum event event, struct args args)
{
    const struct error_text *row = &r->dialect->by_event[event];

    if (row->id == NULL && event == EVENT_MALFORMED)
        row = &r->dialect->by_event[EVENT_QUERY];
    if (row->id == NULL)
        row = failure_default(r->dialect, event_class[event]);
    return failure_set(r, row, args);
}

/* A refusal for good: the same request would be refused again. */
static bool
is_final(int http)
{
    return http != 429 && http != 503;
}

enum err
req_fail(struct req *r, int id, struct args args)
{
    enum err e = failure_set(r, &r->dialect->errors[id], args);

    if (r->form->refusal_http != 0 && is_final(r->io->failure.http))
        r->io->failure.http = r->form->refusal_http;
    return e;
}

enum err
req_fail_with(struct req *r, int id, struct args args, const struct record *rec,
              const void *more)
{
    enum err e = req_fail(r, id, args);

    r->io->failure.more_rec = rec;
    r->io->failure.more = more;
    return e;
}

bool
req_failed(const struct req *r)
{
    return r->io->failed != NULL;
}

struct arg
arg(const char *name, const char *value)
{
    return (struct arg){ name, value };
}

struct arg
arg_i64(struct req *r, const char *name, int64_t value)
{
    return (struct arg){ name,
                         arena_printf(r->arena, "%lld", (long long)value) };
}

struct arg
arg_json(struct req *r, const char *name, const struct record *rec,
         const void *in)
{
    struct buf b = BUF_INIT(PART_MAX);
    const char *s;

    put_record(r, &b, rec, in);
    s = arena_strndup(r->arena, buf_text(&b), b.n);
    buf_free(&b);
    return (struct arg){ name, s };
}

void
failure_object(struct json_writer *w, const struct failure *f,
               const char *code_key, const char *text_key)
{
    jw_object(w);
    jw_key_str(w, code_key, f->code);
    jw_key_str(w, text_key, f->text);
    jw_object_end(w);
    buf_putc(w->out, '\n');
}
