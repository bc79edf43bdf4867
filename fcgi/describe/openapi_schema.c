/* What a record looks like as JSON, in the words of OpenAPI 3.0. */
#include "openapi_schema.h"

#include <stdio.h>
#include <string.h>

bool
openapi_is_scalar(const struct record *rec)
{
    return rec->n == 1 && str_empty(rec->fields[0].key);
}

static void
put_ref(struct json_writer *w, struct openapi_todo *todo,
        const struct record *rec)
{
    char ref[128];
    size_t i = 0;

    while (i < todo->n && todo->rec[i] != rec)
        i++;
    if (i == todo->n && todo->n < SCHEMAS_MAX) {
        todo->form[todo->n] = todo->now;
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

void
openapi_element(struct json_writer *w, struct openapi_todo *todo,
                const struct record *rec)
{
    jw_object(w);
    if (openapi_is_scalar(rec))
        openapi_type(w, todo, &rec->fields[0]);
    else
        put_ref(w, todo, rec);
    jw_object_end(w);
}

/* Whether the dialect has such a value as a string, too: prints it so, or takes
 * it so. */
static bool
also_text(const struct form *form, enum field_type type)
{
    bool integer = type == F_I32 || type == F_I64 || type == F_U64;

    return type != F_STR &&
           (form->style.all_leaves_string ||
            (form->style.i64_as_string && (type == F_I64 || type == F_U64)) ||
            ((form->bind & BIND_INT_FROM_STR) != 0 && integer));
}

void
openapi_any(struct json_writer *w, const char *type)
{
    jw_object(w);
    jw_key_str(w, "type", type);
    jw_object_end(w);
}

static void
put_scalar(struct json_writer *w, const char *type, const char *format,
           bool text)
{
    if (text) {
        jw_key(w, "oneOf");
        jw_array(w);
        openapi_any(w, "string");
        jw_object(w);
    }
    jw_key_str(w, "type", type);
    if (format != NULL)
        jw_key_str(w, "format", format);
    if (text) {
        jw_object_end(w);
        jw_array_end(w);
    }
}

void
openapi_type(struct json_writer *w, struct openapi_todo *todo,
             const struct field *f)
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
        openapi_element(w, todo, f->more);
        break;
    case F_MAP:
        jw_key_str(w, "type", "object");
        jw_key(w, "additionalProperties");
        openapi_element(w, todo, f->more);
        break;
    case F_JSON:
        break; /* any JSON */
    default:
        put_scalar(w, scalar[f->type].type, scalar[f->type].format,
                   also_text(todo->now, f->type));
    }
}

void
openapi_description(struct json_writer *w, const struct field *f)
{
    if (f->doc != NULL && f->type != F_OBJ)
        jw_key_str(w, "description", f->doc);
}

/* What is null when there is none: beside a reference nothing else counts, so
 * that stands apart. */
static void
put_member(struct json_writer *w, struct openapi_todo *todo,
           const struct field *f)
{
    bool apart = (f->flags & NULL_WHEN_ABSENT) != 0 && f->type == F_OBJ;

    if ((f->flags & NULL_WHEN_ABSENT) != 0) {
        jw_key(w, "nullable");
        jw_bool(w, true);
    }
    if (apart) {
        jw_key_str(w, "type", "object"); /* which nullable is a word on */
        jw_key(w, "allOf");
        jw_array(w);
        jw_object(w);
    }
    openapi_type(w, todo, f);
    if (apart) {
        jw_object_end(w);
        jw_array_end(w);
    }
}

void
openapi_members(struct json_writer *w, struct openapi_todo *todo,
                const struct record *rec)
{
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if ((f->flags & (IN | OUT)) == 0 || str_empty(f->key))
            continue;
        jw_key(w, f->key);
        jw_object(w);
        put_member(w, todo, f);
        openapi_description(w, f);
        jw_object_end(w);
    }
}

void
openapi_schema(struct json_writer *w, struct openapi_todo *todo,
               const struct record *rec)
{
    jw_key(w, rec->name);
    jw_object(w);
    jw_key_str(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    openapi_members(w, todo, rec);
    jw_object_end(w);
    jw_object_end(w);
}
