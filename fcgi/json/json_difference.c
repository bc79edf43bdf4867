/* What differs between two versions of a document. */
#include "json_difference.h"

#include <string.h>

#include "json.h"

static bool
same(const struct json *x, const struct json *y)
{
    struct span a = json_span(x), b = json_span(y);

    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static void put_value(struct json_writer *w, const struct json *j,
                      const struct json *other);

static size_t
count(const struct json *list)
{
    size_t n = 0;

    for (const struct json *j = json_first(list); j != NULL; j = json_next(j))
        n++;
    return n;
}

/* How many elements both lists begin with. */
static size_t
common_head(const struct json *x, const struct json *y)
{
    const struct json *i = json_first(x), *k = json_first(y);
    size_t n = 0;

    for (; i != NULL && k != NULL && same(i, k); n++) {
        i = json_next(i);
        k = json_next(k);
    }
    return n;
}

/* The element number n of a list, or its end. */
static const struct json *
element(const struct json *list, size_t n)
{
    const struct json *j = json_first(list);

    while (n-- > 0 && j != NULL)
        j = json_next(j);
    return j;
}

/* How many elements both end with, beside the first `head`. Elements have no
 * way back: the longer list is moved on by the difference, and what is equal
 * to the end of both is counted anew after each that is not. */
static size_t
common_tail(const struct json *x, const struct json *y, size_t head)
{
    size_t nx = count(x) - head, ny = count(y) - head, n = 0;
    size_t most = nx < ny ? nx : ny;
    const struct json *i = element(x, head + nx - most);
    const struct json *k = element(y, head + ny - most);

    for (; i != NULL && k != NULL; i = json_next(i), k = json_next(k))
        n = same(i, k) ? n + 1 : 0;
    return n;
}

static void
put_list(struct json_writer *w, const struct json *j, const struct json *other)
{
    size_t head = common_head(j, other), n = count(j);
    size_t tail = common_tail(j, other, head);
    const struct json *e = element(j, head);

    jw_object(w);
    jw_key(w, "from");
    jw_u64(w, head);
    jw_key(w, "of");
    jw_u64(w, n);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = head; i < n - tail && e != NULL; i++, e = json_next(e))
        jw_raw(w, json_span(e).p, json_span(e).n);
    jw_array_end(w);
    jw_object_end(w);
}

static void
put_members(struct json_writer *w, const struct json *j,
            const struct json *other)
{
    const struct json *there;

    for (const struct json *m = json_first(j); m != NULL; m = json_next(m)) {
        there = json_member(other, json_key(m));
        if (there != NULL && same(m, there))
            continue;
        jw_key(w, json_key(m));
        put_value(w, m, there);
    }
}

static void
put_value(struct json_writer *w, const struct json *j, const struct json *other)
{
    enum json_type type = json_type(j);
    bool both = other != NULL && json_type(other) == type;

    if (both && type == JSON_ARRAY) {
        put_list(w, j, other);
    } else if (both && type == JSON_OBJECT) {
        jw_object(w);
        put_members(w, j, other);
        jw_object_end(w);
    } else {
        jw_raw(w, json_span(j).p, json_span(j).n);
    }
}

static enum err
reduce(struct arena *a, const struct json *j, const struct json *other,
       const char **out)
{
    struct buf b = BUF_INIT(json_span(j).n + 4096);
    struct json_writer w;

    jw_init(&w, &b, &json_compact);
    jw_object(&w);
    jw_key(&w, "difference");
    jw_bool(&w, true);
    put_members(&w, j, other);
    jw_object_end(&w);
    return buf_settle(&b, a, out);
}

static enum err
parse(struct arena *a, const char *text, const struct json **out)
{
    struct json_error why;
    enum err e = json_parse(a, text, strlen(text), JSON_OWN, out, &why);

    if (e == ERR_OK && json_type(*out) != JSON_OBJECT)
        e = ERR_STATE;
    return e == ERR_OK || e == ERR_NOMEM ? e : ERR_STATE;
}

enum err
json_difference(struct arena *a, const char *old, const char *new,
                const char **old_out, const char **new_out)
{
    const struct json *x = NULL, *y = NULL;
    enum err e = parse(a, old, &x);

    if (e == ERR_OK)
        e = parse(a, new, &y);
    if (e == ERR_OK)
        e = reduce(a, x, y, old_out);
    return e == ERR_OK ? reduce(a, y, x, new_out) : e;
}
