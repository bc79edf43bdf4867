/* OpenAPI 3.0 from the tables: paths, schemas of records, errors. */
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "api/route.h"

#define SCHEMAS_MAX 1024

static const struct json_style style = { .indent = 2 };

/* Records that have been referred to and wait for their schema, each with how
 * its dialect prints. */
struct todo {
    const struct record *rec[SCHEMAS_MAX];
    const struct json_style *style[SCHEMAS_MAX];
    size_t n;
    const struct json_style *now; /* of what is being described */
};

static bool
is_scalar(const struct record *rec)
{
    return rec->n == 1 && str_empty(rec->fields[0].key);
}

static void
put_ref(struct json_writer *w, struct todo *todo, const struct record *rec)
{
    char ref[128];
    size_t i = 0;

    while (i < todo->n && todo->rec[i] != rec)
        i++;
    if (i == todo->n && todo->n < SCHEMAS_MAX) {
        todo->style[todo->n] = todo->now;
        todo->rec[todo->n++] = rec;
    }
    snprintf(ref, sizeof(ref), "#/components/schemas/%s", rec->name);
    jw_key_str(w, "$ref", ref);
}

static void
put_enum(struct json_writer *w, const struct enum_name *names)
{
    jw_key_str(w, "type", "string");
    jw_key(w, "enum");
    jw_array(w);
    for (; names->name != NULL; names++)
        jw_str(w, names->name);
    jw_array_end(w);
}

static void
put_type(struct json_writer *w, struct todo *todo, const struct field *f);

static void
put_element(struct json_writer *w, struct todo *todo, const struct record *rec)
{
    jw_object(w);
    if (is_scalar(rec))
        put_type(w, todo, &rec->fields[0]);
    else
        put_ref(w, todo, rec);
    jw_object_end(w);
}

/* Whether the dialect prints this type as a string. */
static bool
quoted(const struct json_style *style_of, enum field_type type)
{
    if (style_of->all_leaves_string)
        return true;
    return style_of->i64_as_string && (type == F_I64 || type == F_U64);
}

static void
put_type(struct json_writer *w, struct todo *todo, const struct field *f)
{
    static const struct {
        const char *type, *format;
    } scalar[] = {
        [F_STR] = { "string", NULL },     [F_I32] = { "integer", "int32" },
        [F_I64] = { "integer", "int64" }, [F_U64] = { "integer", "uint64" },
        [F_F64] = { "number", "double" }, [F_BOOL] = { "boolean", NULL },
        [F_FLAG] = { "boolean", NULL },   [F_BYTES] = { "string", "byte" },
        [F_ROWS] = { NULL, NULL },
    };

    switch (f->type) {
    case F_ENUM:
        put_enum(w, f->names);
        break;
    case F_OBJ:
        put_ref(w, todo, f->more);
        break;
    case F_LIST:
    case F_ROWS:
        jw_key_str(w, "type", f->keyed_by != NULL ? "object" : "array");
        jw_key(w, f->keyed_by != NULL ? "additionalProperties" : "items");
        put_element(w, todo, f->more);
        break;
    case F_MAP:
        jw_key_str(w, "type", "object");
        jw_key(w, "additionalProperties");
        put_element(w, todo, f->more);
        break;
    case F_JSON:
        break; /* any JSON */
    default:
        jw_key_str(w, "type",
                   quoted(todo->now, f->type) ? "string"
                                              : scalar[f->type].type);
        if (scalar[f->type].format != NULL)
            jw_key_str(w, "format", scalar[f->type].format);
    }
}

static void
put_description(struct json_writer *w, const struct field *f)
{
    if (f->doc != NULL && f->type != F_OBJ)
        jw_key_str(w, "description", f->doc);
}

static void
put_members(struct json_writer *w, struct todo *todo, const struct record *rec)
{
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if ((f->flags & (IN | OUT)) == 0 || str_empty(f->key))
            continue;
        jw_key(w, f->key);
        jw_object(w);
        put_type(w, todo, f);
        put_description(w, f);
        jw_object_end(w);
    }
}

static void
put_schema(struct json_writer *w, struct todo *todo, const struct record *rec)
{
    jw_key(w, rec->name);
    jw_object(w);
    jw_key_str(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    put_members(w, todo, rec);
    jw_object_end(w);
    jw_object_end(w);
}

static void
put_parameter(struct json_writer *w, struct todo *todo, const struct field *f)
{
    jw_object(w);
    jw_key_str(w, "name", f->key);
    jw_key_str(w, "in", (f->flags & PATH) != 0 ? "path" : "query");
    if ((f->flags & PATH) != 0) {
        jw_key(w, "required");
        jw_bool(w, true);
    }
    jw_key(w, "schema");
    jw_object(w);
    put_type(w, todo, f);
    jw_object_end(w);
    jw_object_end(w);
}

/* Of rows with TX: api/dry_run.h. */
static void
put_dry_run(struct json_writer *w)
{
    jw_object(w);
    jw_key_str(w, "name", "X-Metagate-Dry-Run");
    jw_key_str(w, "in", "header");
    jw_key_str(w, "description",
               "1: answers what the audit row would say, and changes nothing");
    jw_key(w, "schema");
    jw_object(w);
    jw_key_str(w, "type", "string");
    jw_key(w, "enum");
    jw_array(w);
    jw_str(w, "0");
    jw_str(w, "1");
    jw_array_end(w);
    jw_object_end(w);
    jw_object_end(w);
}

static void
put_parameters(struct json_writer *w, struct todo *todo, const struct row *row)
{
    const struct record *rec = row->in;

    jw_key(w, "parameters");
    jw_array(w);
    for (size_t i = 0; i < rec->n; i++)
        if ((rec->fields[i].flags & (PATH | QUERY)) != 0)
            put_parameter(w, todo, &rec->fields[i]);
    if ((row->flags & TX) != 0)
        put_dry_run(w);
    jw_array_end(w);
}

static const struct row *
example_of(const struct route_group *g, const struct row *row)
{
    const char *name = strcmp(row->verb, "-") != 0 ? row->verb : row->path;

    for (size_t i = 0; i < g->dialect->n_rows; i++)
        if (g->dialect->rows[i].kind == ROW_EXAMPLE &&
            strcmp(g->dialect->rows[i].path, name) == 0)
            return &g->dialect->rows[i];
    return NULL;
}

/* What an example leaves open, as readers see it: $U, a fresh word in tests,
 * is a 1, and of $R{member=otherwise} the latter. Answers how long it is; 0 at
 * any other text. */
static size_t
put_open(struct buf *b, const char *p)
{
    const char *value, *end;

    if (strncmp(p, "$U", 2) == 0) {
        buf_putc(b, '1');
        return 2;
    }
    if (strncmp(p, "$R{", 3) != 0 || (end = strchr(p, '}')) == NULL ||
        (value = memchr(p, '=', (size_t)(end - p))) == NULL)
        return 0;
    buf_put(b, value + 1, (size_t)(end - value - 1));
    return (size_t)(end + 1 - p);
}

static void
put_example(struct json_writer *w, const char *json)
{
    struct buf b = BUF_INIT(64 * 1024);

    while (*json != '\0') {
        size_t n = put_open(&b, json);

        if (n == 0)
            buf_putc(&b, *json++);
        json += n;
    }
    jw_key(w, "example");
    jw_raw(w, buf_text(&b), b.n);
    buf_free(&b);
}

static void
put_body(struct json_writer *w, struct todo *todo, const struct route_group *g,
         const struct row *row)
{
    const struct row *example = example_of(g, row);

    jw_key(w, "requestBody");
    jw_object(w);
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, "application/json");
    jw_object(w);
    jw_key(w, "schema");
    put_element(w, todo, row->in);
    if (example != NULL && !str_empty(example->json))
        put_example(w, example->json);
    jw_object_end(w);
    jw_object_end(w);
    jw_object_end(w);
}

static bool
takes_body(const struct record *rec)
{
    for (size_t i = 0; i < rec->n; i++)
        if ((rec->fields[i].flags & IN) != 0 &&
            ((rec->fields[i].flags & (PATH | QUERY)) == 0 ||
             (rec->fields[i].flags & BODY) != 0))
            return true;
    return false;
}

static bool
is_raw_json(const struct record *rec)
{
    return is_scalar(rec) && rec->fields[0].type == F_JSON;
}

/* The shapes a result may have: the row's record, unless that is a document
 * made before, and those of its ALSO_OUT rows. */
static void
put_result(struct json_writer *w, struct todo *todo, const struct dialect *d,
           const struct row *row)
{
    const struct record *shape[8];
    size_t n = 0;

    if (!is_raw_json(row->out))
        shape[n++] = row->out;
    for (size_t i = 0; i < d->n_rows && n < COUNT(shape); i++)
        if (d->rows[i].kind == ROW_ALSO_OUT &&
            strcmp(d->rows[i].path, row->path) == 0)
            shape[n++] = d->rows[i].out;
    if (n == 1) {
        put_element(w, todo, shape[0]);
        return;
    }
    jw_object(w);
    if (n > 1) {
        jw_key(w, "oneOf");
        jw_array(w);
        for (size_t i = 0; i < n; i++)
            put_element(w, todo, shape[i]);
        jw_array_end(w);
    } else if (row->out->n > 0) {
        put_description(w, &row->out->fields[0]);
    }
    jw_object_end(w);
}

/* What a success looks like: the result, or the form's envelope around it. */
static void
put_reply(struct json_writer *w, struct todo *todo, const struct route_group *g,
          const struct row *row)
{
    const struct form *form = g->mount->form;
    bool bare = form->envelope == NULL || (row->flags & NO_ENVELOPE) != 0;

    if (bare) {
        put_result(w, todo, g->dialect, row);
        return;
    }
    jw_object(w);
    jw_key_str(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    put_members(w, todo, form->envelope);
    if (row->out->n > 0) {
        jw_key(w, form->result_key);
        put_result(w, todo, g->dialect, row);
    }
    jw_object_end(w);
    jw_object_end(w);
}

static void
put_responses(struct json_writer *w, struct todo *todo,
              const struct route_group *g, const struct row *row)
{
    const struct form *form = g->mount->form;
    char status[8];

    jw_key(w, "responses");
    jw_object(w);
    snprintf(status, sizeof(status), "%d", row->status);
    jw_key(w, status);
    jw_object(w);
    jw_key_str(w, "description", "success");
    if (row->out->n > 0 || form->envelope != NULL) {
        jw_key(w, "content");
        jw_object(w);
        jw_key(w, "application/json");
        jw_object(w);
        jw_key(w, "schema");
        put_reply(w, todo, g, row);
        jw_object_end(w);
        jw_object_end(w);
    }
    jw_object_end(w);
    jw_key(w, "default");
    jw_object(w);
    jw_key_str(w, "description", "failure, in the dialect's form");
    jw_object_end(w);
    jw_object_end(w);
}

static void
put_other(struct json_writer *w, const struct route_group *g,
          const struct row *row, bool *open)
{
    if (!*open) {
        jw_key(w, "x-elsewhere");
        jw_array(w);
    }
    *open = true;
    jw_object(w);
    jw_key_str(w, "x-listener", g->mount->listener);
    if (strcmp(row->verb, "-") != 0)
        jw_key_str(w, "x-verb", row->verb);
    jw_key_str(w, "summary", row->doc);
    jw_key_str(w, "x-scope", scope_name(row->scope));
    jw_object_end(w);
}

/* OpenAPI keys operations by path and method alone. What else is done under
 * the same two, by another listener or another verb of the body, is named
 * beside it. */
static void
put_others(struct json_writer *w, const struct route_group *g,
           const struct row *row, unsigned method)
{
    bool open = false;
    size_t n;
    const struct route_group *all = route_groups(&n);

    for (size_t i = 0; i < n; i++) {
        bool first = true;

        if (strcmp(all[i].path, g->path) != 0)
            continue;
        for (size_t k = 0; k < all[i].n; k++) {
            const struct row *other = all[i].rows[k];

            if ((other->methods & method) == 0)
                continue;
            if ((first || all[i].by_verb) && strcmp(other->doc, row->doc) != 0)
                put_other(w, &all[i], other, &open);
            first = false;
        }
    }
    if (open)
        jw_array_end(w);
}

static void
put_operation(struct json_writer *w, struct todo *todo,
              const struct route_group *g, const struct row *row,
              const char *method, unsigned bit)
{
    jw_key(w, method);
    jw_object(w);
    jw_key_str(w, "summary", row->doc);
    jw_key(w, "tags");
    jw_array(w);
    jw_str(w, g->dialect->name);
    jw_array_end(w);
    jw_key_str(w, "x-listener", g->mount->listener);
    jw_key_str(w, "x-scope", scope_name(row->scope));
    put_others(w, g, row, bit);
    put_parameters(w, todo, row);
    if (takes_body(row->in) && strcmp(method, "get") != 0)
        put_body(w, todo, g, row);
    put_responses(w, todo, g, row);
    jw_object_end(w);
}

/* Of *g and what has the same path behind it, on other listeners, the
 * first that does something by the method: a row that is shown; NULL. */
static const struct row *
shown_row(const struct route_group **g, const struct route_group *end,
          unsigned method)
{
    const char *path = (*g)->path;
    unsigned all;

    for (; *g < end; (*g)++) {
        const struct row *row = strcmp((*g)->path, path) == 0
                                    ? route_row(*g, method, NULL, &all)
                                    : NULL;

        if (row != NULL &&
            (row->methods != ANY || (method & (GET | PUT | POST)) != 0))
            return row;
    }
    return NULL;
}

/* The methods of a path in OpenAPI's order; ANY is shown as GET, PUT and
 * POST, what the dialects' documents use. */
static void
put_path(struct json_writer *w, struct todo *todo, const struct route_group *g,
         const struct route_group *end)
{
    static const struct {
        unsigned bit;
        const char *name;
    } shown[] = { { GET, "get" },
                  { PUT, "put" },
                  { POST, "post" },
                  { DELETE, "delete" },
                  { OPTIONS, "options" } };

    jw_key(w, g->path);
    jw_object(w);
    for (size_t i = 0; i < COUNT(shown); i++) {
        const struct route_group *of = g;
        const struct row *row = shown_row(&of, end, shown[i].bit);

        if (row == NULL)
            continue;
        todo->now = &of->mount->form->style;
        put_operation(w, todo, of, row, shown[i].name, shown[i].bit);
    }
    jw_object_end(w);
}

static void
put_info(struct json_writer *w)
{
    jw_key_str(w, "openapi", "3.0.3");
    jw_key(w, "info");
    jw_object(w);
    jw_key_str(w, "title", "metagate");
    jw_key_str(w, "version", "1");
    jw_key_str(w, "description",
               "The management APIs of several databases. Each path is served "
               "on the listener named by x-listener.");
    jw_object_end(w);
}

/* Two listeners may serve one path; of each method the first in order of
 * definition is shown, the others beside it. */
static bool
shown_before(const struct route_group *g, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(g[k].path, g[i].path) == 0)
            return true;
    return false;
}

void
routes_openapi(struct buf *b)
{
    struct todo todo = { .n = 0 };
    struct json_writer w;
    size_t n;
    const struct route_group *g = route_groups(&n);

    jw_init(&w, b, &style);
    jw_object(&w);
    put_info(&w);
    jw_key(&w, "paths");
    jw_object(&w);
    for (size_t i = 0; i < n; i++)
        if (!shown_before(g, i))
            put_path(&w, &todo, &g[i], g + n);
    jw_object_end(&w);
    jw_key(&w, "components");
    jw_object(&w);
    jw_key(&w, "schemas");
    jw_object(&w);
    for (size_t i = 0; i < todo.n; i++) { /* grows while it is printed */
        todo.now = todo.style[i];
        put_schema(&w, &todo, todo.rec[i]);
    }
    jw_object_end(&w);
    jw_object_end(&w);
    jw_object_end(&w);
    buf_putc(b, '\n');
}
