/* JSON into records and out again: the first byte, counted from '0', selects
 * the record, the second is the style of binding, the rest is the text. What is
 * bound and printed must be readable, and must not change when bound once more.
 */
#include "record.h"

#include <string.h>

#include "sketches.h"
#include "fuzz.h"
#include "utf8.h"

/* A list that is an object by a member of its elements. */
#define KEYED_NODE(X, s)                                             \
    X(s, I32, port, "port", IN | OUT, -)                             \
    X(s, U64, total, "total", IN | OUT, -, .min = 1, .max = 1000000) \
    X(s, I64, change, "change", IN | OUT, -)
STRUCT(keyed_node, KEYED_NODE);
TABLE(keyed_node, KEYED_NODE);
#define KEYED(X, s) \
    X(s, LIST, nodes, "nodes", IN | OUT, keyed_node, .keyed_by = "port")
STRUCT(keyed, KEYED);
TABLE(keyed, KEYED);

enum { ARENA_BYTES = 64 << 20, ALL_STYLES = 127 };

static const struct record *const records[] = {
    &create_instance_rec,      &cluster_rec,       &create_cluster_rec,
    &create_cluster_paras_rec, &meta_numbered_rec, &path_space_rec,
    &sink_config_rec,          &feed_rec,          &feeds_rec,
    &instance_ref_rec,         &app_ref_rec,       &keyed_rec,
};

/* Binds n bytes at text; the input printed compactly goes into *out. */
static enum err
bind_and_print(struct arena *a, const struct record *rec, const char *text,
               size_t n, unsigned style, void *in, struct buf *out)
{
    static const struct json_style compact = { 0 };
    struct json_error json_why;
    struct bind_error why;
    struct json_writer w;
    const struct json *j;
    enum err e;

    e = json_parse(a, text, n, JSON_TRAILING_COMMA, &j, &json_why);
    if (e != ERR_OK)
        return e;
    e = record_bind(a, rec, j, style, in, &why);
    HOLDS(e == ERR_OK || (e == ERR_BAD_PARAM && why.reason[0] != '\0'));
    HOLDS(utf8_valid(why.field, strlen(why.field)));
    /* a message may print what was bound before a refusal */
    jw_init(&w, out, &compact);
    HOLDS(record_render(&w, rec, in, SECRETS_FULL, true, a) == ERR_OK);
    return e;
}

static void
check_replies(struct arena *a, const struct record *rec, const void *in)
{
    static const struct json_style styles[] = {
        { .indent = 4, .i64_as_string = true },
        { .all_leaves_string = true },
        { .html_escape = true },
    };

    for (size_t i = 0; i < COUNT(styles); i++) {
        struct buf b = BUF_INIT(ARENA_BYTES);
        struct json_writer w;
        struct json_error why;
        const struct json *j;

        jw_init(&w, &b, &styles[i]);
        HOLDS(record_render(&w, rec, in, (enum secret_mode)i, false, a) ==
              ERR_OK);
        buf_fill(&b, ' ', 1 << 16);
        HOLDS(json_parse(a, b.p, b.n, JSON_STRICT, &j, &why) == ERR_OK);
        buf_free(&b);
    }
}

static void
check_texts(struct arena *a, const struct record *rec, const char *text,
            size_t n, unsigned style, void *in)
{
    char *copy = arena_strndup(a, text, n);
    struct bind_error why;

    HOLDS(copy != NULL);
    memset(in, 0, rec->size);
    for (size_t i = 0; i < rec->n; i++) {
        enum err e =
            record_bind_text(a, &rec->fields[i], copy, style, in, &why);

        HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
    }
    check_replies(a, rec, in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a;
    const struct record *rec;
    const char *text;
    unsigned style;
    struct buf once = BUF_INIT(ARENA_BYTES), twice = BUF_INIT(ARENA_BYTES);
    void *in;

    if (n < 2)
        return 0;
    a = arena_new(ARENA_BYTES);
    HOLDS(a != NULL);
    rec = records[(uint8_t)(data[0] - '0') % COUNT(records)];
    style = data[1] & ALL_STYLES;
    text = (const char *)data + 2;
    in = arena_alloc(a, rec->size);
    if (bind_and_print(a, rec, text, n - 2, style, in, &once) == ERR_OK) {
        check_replies(a, rec, in);
        buf_fill(&once, ' ', n);
        /* members of QUERY are printed, too, and not known in a body */
        style &= ~(unsigned)BIND_UNKNOWN_REFUSED;
        HOLDS(bind_and_print(a, rec, once.p, once.n, style, in, &twice) ==
              ERR_OK);
        buf_fill(&twice, ' ', n);
        HOLDS(strcmp(buf_text(&once), buf_text(&twice)) == 0);
    }
    check_texts(a, rec, text, n - 2, style, in);
    buf_free(&once);
    buf_free(&twice);
    arena_free(a);
    return 0;
}
