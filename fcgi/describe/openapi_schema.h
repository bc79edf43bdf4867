/* OpenAPI schemas of records, for the document of all routes. */
#ifndef MG_OPENAPI_SCHEMA_H
#define MG_OPENAPI_SCHEMA_H

#include "endpoint.h"
#include "json.h"
#include "record.h"

#define SCHEMAS_MAX 1024

/* Records that have been referred to and wait for their schema, each with how
 * its dialect prints. */
struct openapi_todo {
    const struct record *rec[SCHEMAS_MAX];
    const struct form *form[SCHEMAS_MAX];
    size_t n;
    const struct form *now; /* of what is being described */
};

/* {"type":type} */
void openapi_any(struct json_writer *w, const char *type);

/* A whole schema: of what a list's element is, a reference to a record. */
void openapi_element(struct json_writer *w, struct openapi_todo *todo,
                     const struct record *rec);

/* Members of an open object: what kind of value a field is; what it is for; all
 * members of a record ("name": schema). */
void openapi_type(struct json_writer *w, struct openapi_todo *todo,
                  const struct field *f);
void openapi_description(struct json_writer *w, const struct field *f);
void openapi_members(struct json_writer *w, struct openapi_todo *todo,
                     const struct record *rec);

/* "name": schema of one that was referred to. */
void openapi_schema(struct json_writer *w, struct openapi_todo *todo,
                    const struct record *rec);

/* Whether it is not an object, but the one value in it. */
bool openapi_is_scalar(const struct record *rec);

#endif
