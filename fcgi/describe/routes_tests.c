/* metagate routes --tests: everything the generated tests need to know of the
 * tables, as one JSON document. */
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "listener.h"
#include "api/route.h"
#include "api/tables.h"

#define NEST_MAX 6

static const struct json_style style = { .indent = 1 };

struct bit_name {
    unsigned bit;
    const char *name;
};

static const struct bit_name methods[] = {
    { GET, "GET" },       { POST, "POST" },       { PUT, "PUT" },
    { DELETE, "DELETE" }, { OPTIONS, "OPTIONS" }, { 0, NULL },
};

static const struct bit_name endpoint_flags[] = {
    { SLOW, "SLOW" },
    { STREAM, "STREAM" },
    { BIND_LATE, "BIND_LATE" },
    { ASYNC, "ASYNC" },
    { DRY, "DRY" },
    { TEXT, "TEXT" },
    { STRICT_QUERY, "STRICT_QUERY" },
    { LEADER_ONLY, "LEADER_ONLY" },
    { TX, "TX" },
    { SNAPSHOT, "SNAPSHOT" },
    { BODY_RAW, "BODY_RAW" },
    { DATA, "DATA" },
    { 0, NULL },
};

static const struct bit_name field_flags[] = {
    { IN, "IN" },
    { OUT, "OUT" },
    { PATH, "PATH" },
    { QUERY, "QUERY" },
    { BODY, "BODY" },
    { SECRET, "SECRET" },
    { NUM_OR_STR, "NUM_OR_STR" },
    { EMPTY_ABSENT, "EMPTY_ABSENT" },
    { 0, NULL },
};

static const struct bit_name bind_flags[] = {
    { BIND_STR_FROM_NUM, "STR_FROM_NUM" },
    { BIND_INT_FROM_STR, "INT_FROM_STR" },
    { BIND_INTEGRAL, "INTEGRAL" },
    { BIND_CAMEL, "CAMEL" },
    { BIND_UNKNOWN_ENUM_UNSET, "UNKNOWN_ENUM_UNSET" },
    { BIND_ANY_CASE, "ANY_CASE" },
    { BIND_NULL_UNSET, "NULL_UNSET" },
    { BIND_UNKNOWN_REFUSED, "UNKNOWN_REFUSED" },
    { 0, NULL },
};

static const char *const types[] = {
    [F_STR] = "STR",   [F_I32] = "I32",   [F_I64] = "I64",
    [F_U64] = "U64",   [F_F64] = "F64",   [F_BOOL] = "BOOL",
    [F_ENUM] = "ENUM", [F_FLAG] = "FLAG", [F_BYTES] = "BYTES",
    [F_OBJ] = "OBJ",   [F_LIST] = "LIST", [F_MAP] = "MAP",
    [F_JSON] = "JSON", [F_ROWS] = "ROWS",
};

static const char *const kinds[] = {
    [CHECK_NEED] = "NEED",
    [CHECK_NEED_IN] = "NEED_IN",
    [CHECK_PRESENT] = "PRESENT",
    [CHECK_MATCH] = "MATCH",
    [CHECK_MAX_BYTES] = "MAX_BYTES",
    [CHECK_RANGE] = "RANGE",
    [CHECK_ANY_OF] = "ANY_OF",
    [CHECK_NOT_BOTH] = "NOT_BOTH",
    [CHECK_FN] = "FN",
};

static const char *const events[EVENT__MAX] = {
    [EVENT_UNKNOWN_PATH] = "UNKNOWN_PATH",
    [EVENT_METHOD] = "METHOD",
    [EVENT_NO_TOKEN] = "NO_TOKEN",
    [EVENT_SCOPE] = "SCOPE",
    [EVENT_QUERY] = "QUERY",
    [EVENT_BODY] = "BODY",
    [EVENT_FIELD] = "FIELD",
    [EVENT_TOO_LARGE] = "TOO_LARGE",
    [EVENT_BUSY] = "BUSY",
    [EVENT_MALFORMED] = "MALFORMED",
};

static void
put(struct json_writer *w, const char *key, const char *value)
{
    jw_key(w, key);
    if (value == NULL)
        jw_null(w);
    else
        jw_str(w, value);
}

static void
put_int(struct json_writer *w, const char *key, int64_t v)
{
    jw_key(w, key);
    jw_i64(w, v);
}

static void
put_bits(struct json_writer *w, const char *key, unsigned bits,
         const struct bit_name *names)
{
    jw_key(w, key);
    jw_array(w);
    for (; names->name != NULL; names++)
        if ((bits & names->bit) != 0)
            jw_str(w, names->name);
    jw_array_end(w);
}

static void
put_names(struct json_writer *w, const struct enum_name *names)
{
    jw_key(w, "names");
    jw_array(w);
    for (; names != NULL && names->name != NULL; names++)
        jw_str(w, names->name);
    jw_array_end(w);
}

/* Of the members those that have one of `ways`. */
static void
put_fields(struct json_writer *w, const char *key, const struct record *rec,
           unsigned ways, int depth)
{
    jw_key(w, key);
    jw_array(w);
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if ((f->flags & ways) == 0)
            continue;
        jw_object(w);
        put(w, "key", f->key);
        put(w, "type", types[f->type]);
        put(w, "nested", f->nested);
        put_bits(w, "flags", f->flags, field_flags);
        put_int(w, "min", f->min);
        put_int(w, "max", f->max);
        put_names(w, f->names);
        if (f->more != NULL && depth < NEST_MAX)
            put_fields(w, "fields", f->more, ways, depth + 1);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void
put_error(struct json_writer *w, const char *key, const struct error_text *e)
{
    jw_key(w, key);
    if (e == NULL || e->id == NULL) {
        jw_null(w);
        return;
    }
    jw_object(w);
    put(w, "id", e->id);
    put(w, "class", err_name(e->err));
    put_int(w, "http", e->http);
    put(w, "code", e->code);
    put(w, "own_code", e->own_code);
    put(w, "text", e->text);
    put(w, "form", e->form == NULL ? NULL : e->form->name);
    jw_object_end(w);
}

static void
put_checks(struct json_writer *w, const struct dialect *d,
           const struct checks *c)
{
    jw_key(w, "checks");
    jw_array(w);
    for (size_t i = 0; c != NULL && i < c->n; i++) {
        const struct check *k = &c->list[i];

        jw_object(w);
        put(w, "kind", kinds[k->kind]);
        put(w, "a", k->a);
        put(w, "b", k->b);
        put(w, "regex", k->regex);
        put_int(w, "lo", k->lo);
        put_int(w, "hi", k->hi);
        put(w, "fn", k->fn_name);
        put_error(w, "error", k->error < 0 ? NULL : &d->errors[k->error]);
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* What other rows' setups may ask for instead of the example. */
static void
put_variants(struct json_writer *w, const struct dialect *d, const char *name)
{
    size_t n = strlen(name);

    jw_key(w, "variants");
    jw_object(w);
    for (size_t i = 0; i < d->n_rows; i++) {
        const struct row *x = &d->rows[i];

        if (x->kind != ROW_EXAMPLE || strncmp(x->path, name, n) != 0 ||
            x->path[n] != '#')
            continue;
        jw_key(w, x->path + n + 1);
        jw_object(w);
        put(w, "json", x->json);
        put(w, "query", x->query);
        jw_object_end(w);
    }
    jw_object_end(w);
}

static void
put_example(struct json_writer *w, const struct dialect *d,
            const struct row *row)
{
    const char *name = strcmp(row->verb, "-") != 0 ? row->verb : row->path;
    const struct row *x = tables_example(d, row);

    jw_key(w, "example");
    if (x == NULL) {
        jw_null(w);
        return;
    }
    jw_object(w);
    put(w, "setup", x->setup);
    put(w, "json", x->json);
    put(w, "query", x->query);
    put(w, "at", x->at);
    put(w, "answers", x->answers);
    put_variants(w, d, name);
    jw_object_end(w);
}

static void
put_endpoint(struct json_writer *w, const struct route_group *g,
             const struct row *row)
{
    jw_object(w);
    put(w, "dialect", g->dialect->name);
    put(w, "listener", g->mount->listener);
    put(w, "form", g->mount->form->name);
    put(w, "auth", g->mount->auth == AUTH_BASIC ? "basic" : "token");
    put(w, "prefix", g->mount->prefix);
    put(w, "label", g->mount->label);
    put(w, "path", row->path);
    put(w, "url", g->path);
    put(w, "verb", row->verb);
    put_bits(w, "methods", row->methods, methods);
    put(w, "scope", scope_name(row->scope));
    put_bits(w, "flags", row->flags, endpoint_flags);
    put_bits(w, "bind", g->mount->form->bind, bind_flags);
    jw_key(w, "tail");
    jw_bool(w, (g->mount->form->lenient & JSON_TAIL) != 0);
    put_int(w, "status", row->status);
    put(w, "doc", row->doc);
    put_fields(w, "fields", row->in, IN | PATH | QUERY, 0);
    put_fields(w, "shown", row->out, OUT, 0);
    put_checks(w, g->dialect, row->checks);
    put_example(w, g->dialect, row);
    jw_object_end(w);
}

static void
put_dialect(struct json_writer *w, const struct dialect *d)
{
    jw_key(w, d->name);
    jw_object(w);
    jw_key(w, "replaces_bytes");
    jw_bool(w, (d->uri & URI_REPLACE) != 0);
    jw_key(w, "events");
    jw_object(w);
    for (size_t i = 0; i < EVENT__MAX; i++)
        put_error(w, events[i], &d->by_event[i]);
    jw_object_end(w);
    jw_key(w, "classes");
    jw_object(w);
    for (size_t i = 0; i < ERR__MAX; i++)
        put_error(w, err_name((enum err)i), &d->by_class[i]);
    jw_object_end(w);
    jw_object_end(w);
}

static void
put_listener(struct json_writer *w, const struct listening *l)
{
    jw_object(w);
    put(w, "id", l->id);
    jw_key(w, "machine");
    jw_u64(w, l->machine);
    jw_key(w, "port");
    jw_u64(w, l->row->port);
    jw_object_end(w);
}

void
routes_tests(struct buf *b)
{
    struct json_writer w;
    struct listening l;
    size_t n;
    const struct route_group *g = route_groups(&n);

    jw_init(&w, b, &style);
    jw_object(&w);
    jw_key(&w, "dialects");
    jw_object(&w);
    for (size_t i = 0; dialects[i] != NULL; i++)
        put_dialect(&w, dialects[i]);
    jw_object_end(&w);
    jw_key(&w, "endpoints");
    jw_array(&w);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < g[i].n; k++)
            put_endpoint(&w, &g[i], g[i].rows[k]);
    jw_array_end(&w);
    jw_key(&w, "listeners");
    jw_array(&w);
    for (size_t i = 0; listener_at(i, &l) != ERR_NOT_FOUND; i++)
        put_listener(&w, &l);
    jw_array_end(&w);
    jw_object_end(&w);
    buf_putc(b, '\n');
}
