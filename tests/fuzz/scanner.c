/* JSON texts: the first byte's low bits are the leniencies, the rest is the
 * text. A text that is taken is printed and read again as the same tree. */
#include "json.h"

#include <string.h>

#include "fuzz.h"
#include "utf8.h"

enum { ALL_LENIENT = 15, ARENA_BYTES = 64 << 20 };

static void
print(struct json_writer *w, const struct json *j)
{
    enum json_type type = json_type(j);

    if (type == JSON_STRING) {
        jw_str(w, json_text(j));
    } else if (type == JSON_ARRAY) {
        jw_array(w);
        for (j = json_first(j); j != NULL; j = json_next(j))
            print(w, j);
        jw_array_end(w);
    } else if (type == JSON_OBJECT) {
        jw_object(w);
        for (j = json_first(j); j != NULL; j = json_next(j)) {
            jw_key(w, json_key(j));
            print(w, j);
        }
        jw_object_end(w);
    } else if (type == JSON_NULL) {
        jw_null(w);
    } else {
        jw_raw(w, json_text(j), strlen(json_text(j)));
    }
}

static void
check_same(const struct json *a, const struct json *b)
{
    HOLDS(json_type(a) == json_type(b));
    HOLDS(strcmp(json_text(a), json_text(b)) == 0);
    HOLDS(strcmp(json_key(a), json_key(b)) == 0);
    a = json_first(a);
    b = json_first(b);
    for (; a != NULL && b != NULL; a = json_next(a), b = json_next(b))
        check_same(a, b);
    HOLDS(a == NULL && b == NULL);
}

static void
check_spans(const struct json *j, struct span around)
{
    struct span s = json_span(j);

    HOLDS(s.n > 0 && s.p >= around.p && s.p + s.n <= around.p + around.n);
    HOLDS(utf8_valid(json_text(j), strlen(json_text(j))));
    for (j = json_first(j); j != NULL; j = json_next(j))
        check_spans(j, s);
}

static void
check_printed(struct arena *a, const struct json *j,
              const struct json_style *style)
{
    struct buf b = BUF_INIT(ARENA_BYTES);
    struct json_writer w;
    struct json_error why;
    const struct json *again;

    jw_init(&w, &b, style);
    print(&w, j);
    HOLDS(buf_err(&b) == ERR_OK && utf8_valid(b.p, b.n));
    /* printed shorter than sent, so the bound on values may be lower */
    buf_fill(&b, ' ', json_span(j).n);
    HOLDS(json_parse(a, b.p, b.n, JSON_STRICT, &again, &why) == ERR_OK);
    check_same(j, again);
    buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct json_style styles[] = {
        { 0 },
        { .indent = 4 },
        { .html_escape = true, .ascii_only = true, .key_space = true },
    };
    unsigned lenient = n > 0 ? data[0] & ALL_LENIENT : 0;
    const char *text = (const char *)data + (n > 0);
    struct arena *a = arena_new(ARENA_BYTES);
    const struct json *j;
    struct json_error why = { 0 };
    enum err e;

    n -= n > 0;
    HOLDS(a != NULL);
    e = json_parse(a, text, n, lenient, &j, &why);
    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM || e == ERR_LIMIT);
    if (e == ERR_OK) {
        check_spans(j, (struct span){ json_span(j).p, n });
        for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
            check_printed(a, j, &styles[i]);
    } else {
        HOLDS(why.offset <= n && why.reason[0] != '\0');
        /* forgiving takes no more than is asked for */
        if ((lenient & JSON_CAMEL_SNAKE) == 0)
            HOLDS(json_parse(a, text, n, JSON_STRICT, &j, &why) != ERR_OK);
    }
    arena_free(a);
    return 0;
}
