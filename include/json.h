/* Room: json/ */
/* The room is JSON in and out, all of it here but for what differs between two
 * documents (json/json_difference.h). Its one word is the *tag*: in front of
 * every scalar of a rewritten text it says what that was in the text as sent
 * (json/json_scan.h, between the scanner and the tree). What a dialect forgives
 * in a text is `lenient`, how it prints one is a *style*; which members a
 * document has is the business of record.h.
 *
 * In: our scanner checks the text (depth, UTF-8, NUL, duplicate names,
 * trailing bytes) and rewrites it so that every scalar is a type-tagged
 * string; only then cJSON builds the tree. So cJSON never sees a number and
 * 64-bit digits survive. Out: a writer into a struct buf. */
#ifndef MG_JSON_H
#define MG_JSON_H

#include "arena.h"
#include "base.h"
#include "buf.h"

/* Deepest nesting that is read, DESIGN section 4; twice that in JSON_OWN. */
#define JSON_MAX_DEPTH 64

/* What a dialect forgives, beyond RFC 8259. */
enum json_lenient {
    JSON_STRICT = 0,
    JSON_TRAILING_COMMA = 1 << 0, /* [1,] and {"a":1,} */
    JSON_BARE_KEYS = 1 << 1,      /* {a: 1}, as protobuf's parser */
    JSON_SINGLE_QUOTES = 1 << 2,  /* {'a': 'b'}, as protobuf's parser */
    JSON_CAMEL_SNAKE = 1 << 3,    /* fooBar and foo_bar are one name: both in
                                   * one object are a duplicate */
    JSON_TAIL = 1 << 5,           /* bytes behind the value, as Go's decoder:
                                   * nobody reads them */
    JSON_OWN = 1 << 4,            /* no client's text but what we have written
                                   * ourselves: as many values as it has, and
                                   * a client's tree inside of ours */
};

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json; /* a node; lives as long as the arena it was parsed into */

/* Where and why a text was refused. */
struct json_error {
    size_t offset;   /* byte in the text */
    char reason[96]; /* a sentence part, no client bytes but plain names */
};

/* Parses n bytes at text (copied; need not be NUL-terminated). BAD_PARAM
 * with *why filled when refused, LIMIT (*why too) when too deep or of too many
 * values, NOMEM. */
enum err
json_parse(struct arena *a, const char *text, size_t n, unsigned lenient,
           const struct json **out, struct json_error *why) MUST_USE;

enum json_type json_type(const struct json *j);

/* The digits of a number as written, the unescaped text of a string, "true"
 * or "false" of a bool, "" otherwise. Never holds a NUL inside. */
const char *json_text(const struct json *j);

/* The member's name; "" for elements of arrays and the root. */
const char *json_key(const struct json *j);

/* First element or member, the one after j; NULL at the end. */
const struct json *json_first(const struct json *j);
const struct json *json_next(const struct json *j);

/* The member of that exact name; NULL when absent or j is no object. */
const struct json *json_member(const struct json *j, const char *name);

/* The bytes of the node in the text as it was sent (copied with the tree). */
struct span json_span(const struct json *j);

/* Digits to integers: the whole text must be an integer in range; with
 * integral, 9050.0 and 9.05e3 are taken too (protobuf). BAD_PARAM or LIMIT. */
enum err json_to_i64(const char *text, bool integral, int64_t *out) MUST_USE;
enum err json_to_u64(const char *text, bool integral, uint64_t *out) MUST_USE;

/* ---- writer ---- */

/* How a dialect prints. One const struct per form. Whatever bytes a string
 * has, the output is valid UTF-8: others become U+FFFD. */
struct json_style {
    int indent;             /* blanks per level; 0 = compact on one line */
    bool key_space;         /* ": " after a name (always with indent) */
    bool i64_as_string;     /* protobuf JSON: 64-bit integers are strings */
    bool all_leaves_string; /* every leaf is a string, doubles have
                             * two places, lists of scalars are "[a,b]" */
    bool html_escape;       /* Go: < > & as \u003c \u003e \u0026, and the
                             * line separators U+2028, U+2029 */
    bool ascii_only;        /* everything beyond ASCII as \uXXXX */
    bool upper_hex;         /* \u001F, not \u001f */
};
extern const struct json_style json_compact;  /* nothing of that */
extern const struct json_style json_protobuf; /* compact, i64_as_string */
extern const struct json_style json_readable; /* two blanks per level */

struct json_writer {
    struct buf *out;
    const struct json_style *style;
    int depth;
    bool need_comma; /* the current container has a member already */
    bool after_key;
};

void
jw_init(struct json_writer *w, struct buf *out, const struct json_style *style);
void jw_object(struct json_writer *w);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_end(struct json_writer *w);
void jw_key(struct json_writer *w, const char *key);
/* A name of our own, measured, without a byte that needs an escape. */
void jw_plain_key(struct json_writer *w, const char *key, size_t n);
void jw_str(struct json_writer *w, const char *s);
void jw_strn(struct json_writer *w, const char *s, size_t n);
/* A member that is a text. */
void jw_key_str(struct json_writer *w, const char *key, const char *s);
void jw_i32(struct json_writer *w, int32_t v);
void jw_i64(struct json_writer *w, int64_t v);
void jw_u64(struct json_writer *w, uint64_t v);
void jw_f64(struct json_writer *w, double v); /* shortest that reads back */
void jw_bool(struct json_writer *w, bool v);
void jw_null(struct json_writer *w);
void jw_base64(struct json_writer *w, const void *p, size_t n);

/* A value that is JSON already (a `doc` column), however it was written: with
 * indent its tokens are set as this style sets its own, else it is copied. */
void jw_raw(struct json_writer *w, const char *p, size_t n);

#endif
