/* The tree of a JSON text: the only file that knows cJSON.
 *
 * cJSON parses what json_scan.c has rewritten, so all its scalars are tagged
 * strings and its number members are free: they hold where the node lies in
 * the text as sent, for which cJSON has no room. */
#include "json.h"

#include <limits.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_scan.h"

_Static_assert(JSON_MAX_BYTES <= INT_MAX, "a length fits into valueint");
_Static_assert(sizeof(const char *) <= sizeof(double),
               "a pointer fits into valuedouble");

static const cJSON *
node(const struct json *j)
{
    return (const cJSON *)(const void *)j;
}

static const struct json *
opaque(const cJSON *c)
{
    return (const struct json *)(const void *)c;
}

static void
release_tree(void *tree)
{
    cJSON_Delete(tree);
}

/* Notes the extent of c and of all below it; they are in pre-order. */
static void
note_extents(cJSON *c, const char *text, const struct json_extent **next)
{
    const struct json_extent *extent = (*next)++;
    const char *p = text + extent->start;

    c->valueint = (int)(extent->end - extent->start);
    memcpy(&c->valuedouble, &p, sizeof(p));
    for (cJSON *child = c->child; child != NULL; child = child->next)
        note_extents(child, text, next);
}

static enum err
build_tree(struct arena *a, const char *text, const struct json_scanned *s,
           const struct json **out)
{
    const struct json_extent *next = s->extents;
    cJSON *tree = cJSON_ParseWithLength(buf_text(&s->text), s->text.n);
    enum err e;

    if (tree == NULL) /* the text is valid by construction */
        return ERR_NOMEM;
    e = arena_defer(a, release_tree, tree);
    if (e != ERR_OK)
        return e;
    note_extents(tree, text, &next);
    *out = opaque(tree);
    return ERR_OK;
}

enum err
json_parse(struct arena *a, const char *text, size_t n, unsigned lenient,
           const struct json **out, struct json_error *why)
{
    struct json_scanned s;
    enum err e = json_scan(text, n, lenient, &s, why);

    if (e == ERR_OK) {
        const char *copy = arena_strndup(a, text, n);

        e = copy != NULL ? build_tree(a, copy, &s, out) : ERR_NOMEM;
    }
    json_scanned_free(&s);
    return e;
}

enum json_type
json_type(const struct json *j)
{
    const cJSON *c = node(j);

    if (cJSON_IsObject(c))
        return JSON_OBJECT;
    if (cJSON_IsArray(c))
        return JSON_ARRAY;
    switch (c->valuestring[0]) {
    case JSON_TAG_STRING:
        return JSON_STRING;
    case JSON_TAG_NUMBER:
        return JSON_NUMBER;
    case JSON_TAG_NULL:
        return JSON_NULL;
    default:
        return JSON_BOOL;
    }
}

const char *
json_text(const struct json *j)
{
    const char *s = node(j)->valuestring;

    if (s == NULL) /* object or array */
        return "";
    switch (s[0]) {
    case JSON_TAG_TRUE:
        return "true";
    case JSON_TAG_FALSE:
        return "false";
    default:
        return s + 1;
    }
}

const char *
json_key(const struct json *j)
{
    const char *key = node(j)->string;

    return key != NULL ? key : "";
}

const struct json *
json_first(const struct json *j)
{
    return opaque(node(j)->child);
}

const struct json *
json_next(const struct json *j)
{
    return opaque(node(j)->next);
}

const struct json *
json_member(const struct json *j, const char *name)
{
    if (json_type(j) != JSON_OBJECT)
        return NULL;
    for (const cJSON *c = node(j)->child; c != NULL; c = c->next) {
        if (strcmp(c->string, name) == 0)
            return opaque(c);
    }
    return NULL;
}

struct span
json_span(const struct json *j)
{
    const cJSON *c = node(j);
    struct span span = { NULL, (size_t)c->valueint };

    memcpy(&span.p, &c->valuedouble, sizeof(span.p));
    return span;
}
