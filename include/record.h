/* Room: record/ */
/* Records: one list of members makes the C struct, its presence bits and the
 * field table by which requests are bound, replies rendered, rows fetched and
 * the API described.
 *
 *     #define HDFS_CONF(X, s)                           \
 *         X(s, STR, key,   "key",   IN | OUT, -)        \
 *         X(s, STR, value, "value", IN | OUT, -)
 *     STRUCT(mine_hdfs_conf, HDFS_CONF);   in the header
 *     TABLE(mine_hdfs_conf, HDFS_CONF);    in the noun's source
 *
 * A row is X(s, TYPE, member, "key", flags, type of elements or -, tail...);
 * the tail is designated initialisers of struct field:
 *     X(s, ROWS, replicas, "replicas", OUT, replica_row, .keyed_by = "pidx")
 *     X(s, I32, digit, "file-index-digit", IN | OUT, -, .min = 6, .max = 20)
 * The order of output is the order of the list. When a mistake in a row gives
 * pages of errors, read the first one: it names the row. */
#ifndef MG_RECORD_H
#define MG_RECORD_H

#include "arena.h"
#include "base.h"
#include "json.h"

enum field_type {
    F_STR,   /* const char *, NUL-terminated; NULL when absent */
    F_I32,   /* int32_t */
    F_I64,   /* int64_t */
    F_U64,   /* uint64_t */
    F_F64,   /* double */
    F_BOOL,  /* bool */
    F_ENUM,  /* int, by .names; bound from name or number */
    F_FLAG,  /* bool: a query parameter that counts when present */
    F_BYTES, /* struct span, base64 on the wire */
    F_OBJ,   /* struct more *; NULL when absent */
    F_LIST,  /* struct { size_t n; struct more *v; } */
    F_MAP,   /* struct { size_t n; struct map_of_<more> *v; }: dynamic keys */
    F_JSON,  /* struct span: JSON text, passed through */
    F_ROWS,  /* struct rows: streamed while rendering; OUT only */
};

enum field_flag {
    IN = 1 << 0,
    OUT = 1 << 1,
    PATH = 1 << 2,       /* a {name} of the path */
    QUERY = 1 << 3,      /* a query parameter */
    BODY = 1 << 4,       /* with QUERY: the body too; the query wins */
    SECRET = 1 << 5,     /* masked in replies, errors, audit and logs */
    NUM_OR_STR = 1 << 6, /* a number or a string, whatever the dialect says */
    KEEP_EMPTY = 1 << 7, /* absent prints [] or {} */
    NULL_WHEN_ABSENT = 1 << 8,
    PRINT_UNSET = 1 << 9,   /* absent prints 0, "" or false */
    COLUMN_ONLY = 1 << 10,  /* fetched from rows; neither IN nor OUT */
    EMPTY_ABSENT = 1 << 11, /* "" in a body = absent, whatever the type */
};

struct enum_name {
    const char *name; /* NULL ends the list */
    int value;
};

struct record;

struct field {
    const char *key;  /* name on the wire; "" = the object itself (SELF) */
    size_t key_bytes; /* of key, measured by the compiler */
    size_t off;
    enum field_type type;
    int bit; /* number of the presence bit */
    unsigned flags;
    const struct record *more;
    const struct enum_name *names; /* ENUM; a name may stand for an alias:
                                    * the first with the value is printed */
    const char *also;              /* a second name taken on input */
    const char *nested;   /* the member lies in this object ("paras") */
    const char *keyed_by; /* LIST, ROWS: an object keyed by that member */
    const char *numbered; /* LIST: its elements lie in the object itself as
                           * "cluster0", "cluster1" ...; key is not printed */
    const char *column;   /* SQL column when it is not the key */
    int64_t min, max;     /* integers: range when max > min; STR: most bytes,
                           * LIST, MAP: most elements, when max > 0 */
    const char *doc;      /* for the API reference */
};

struct record {
    const char *name;
    size_t size;
    const struct field *fields;
    size_t n;
};

/* SELF, the key "": a JSON is the text of the whole object (IN only), an OBJ's
 * members lie in this object itself. A record whose only field has the key ""
 * is a value without an object around it: the scalar records below, or a
 * reply that is an array.
 *
 * Absent: a scalar (STR and JSON too) when its bit is not set, an OBJ when it
 * is NULL, a LIST or MAP when empty, ROWS when there is no row. Binding sets
 * the bit of everything that was given, of an empty list too. Elements of
 * lists of scalars need no bit. */

/* A producer of streamed rows. next gives the next row (valid until the call
 * after) or ERR_NOT_FOUND at the end. */
struct rows {
    enum err (*next)(struct rows *rows, struct arena *a, const void **row);
    void *state;
};

/* ---- the macros ---- */

#define CTYPE_STR(m)   const char *
#define CTYPE_I32(m)   int32_t
#define CTYPE_I64(m)   int64_t
#define CTYPE_U64(m)   uint64_t
#define CTYPE_F64(m)   double
#define CTYPE_BOOL(m)  bool
#define CTYPE_ENUM(m)  int
#define CTYPE_FLAG(m)  bool
#define CTYPE_BYTES(m) struct span
#define CTYPE_OBJ(m)   struct m *
#define CTYPE_LIST(m) \
    struct {          \
        size_t n;     \
        struct m *v;  \
    }
#define CTYPE_MAP(m)          \
    struct {                  \
        size_t n;             \
        struct map_of_##m *v; \
    }
#define CTYPE_JSON(m) struct span
#define CTYPE_ROWS(m) struct rows

#define MORE_STR(m)
#define MORE_I32(m)
#define MORE_I64(m)
#define MORE_U64(m)
#define MORE_F64(m)
#define MORE_BOOL(m)
#define MORE_ENUM(m) .names = m##_names,
#define MORE_FLAG(m)
#define MORE_BYTES(m)
#define MORE_OBJ(m)  .more = &m##_rec,
#define MORE_LIST(m) .more = &m##_rec,
#define MORE_MAP(m)  .more = &m##_rec,
#define MORE_JSON(m)
#define MORE_ROWS(m) .more = &m##_rec,

#define RECORD_MEMBER(s, ty, m, keytext, flagbits, elem, ...) \
    CTYPE_##ty(elem) m;
#define RECORD_BIT(s, ty, m, keytext, flagbits, elem, ...) s##_has_##m,
#define RECORD_ROW(s, ty, m, keytext, flagbits, elem, ...) \
    { .key = keytext,                                      \
      .key_bytes = sizeof(keytext) - 1,                    \
      .off = offsetof(struct s, m),                        \
      .type = F_##ty,                                      \
      .bit = s##_has_##m,                                  \
      .flags = (flagbits),                                 \
      MORE_##ty(elem) __VA_ARGS__ },

/* In a header: the struct, its presence bits, its table's declaration. The
 * first member of every record is `has`. */
#define STRUCT(s, LISTING)                                         \
    struct s {                                                     \
        uint64_t has;                                              \
        LISTING(RECORD_MEMBER, s)                                  \
    };                                                             \
    enum { LISTING(RECORD_BIT, s) s##_has__max };                  \
    _Static_assert((int)s##_has__max <= 64, "at most 64 members"); \
    extern const struct record s##_rec

/* In a source file: the table of the struct of the same name. */
#define TABLE(s, LISTING) TABLE_OF(s, s, LISTING)

/* A further wire form of struct s: its own keys for the same members. Its
 * record is named form##_rec; declare it in the header by DECLARE_TABLE. */
#define TABLE_OF(form, s, LISTING)                                             \
    static const struct field form##_fields[] = { LISTING(RECORD_ROW, s) };    \
    const struct record form##_rec = { #form, sizeof(struct s), form##_fields, \
                                       COUNT(form##_fields) }
#define DECLARE_TABLE(form) extern const struct record form##_rec

/* A map's entry: dynamic key and a record (or scalar record) as value. */
#define MAP_OF(s)        \
    struct map_of_##s {  \
        const char *key; \
        struct s value;  \
    }

/* Presence of a member. */
#define HAS(p, s, m)   (((p)->has >> s##_has_##m) & 1u)
#define SET(p, s, m)   ((p)->has |= UINT64_C(1) << s##_has_##m)
#define UNSET(p, s, m) ((p)->has &= ~(UINT64_C(1) << s##_has_##m))

/* Whether a secret is stored and could not be opened: then it is absent here,
 * and what is written back must leave it. For records with the field
 *     X(s, U64, shut, "secret_shut", COLUMN_ONLY, -) */
#define SHUT(p, s, m) (((p)->shut >> s##_has_##m) & 1u)

/* Assigns a member and makes it present. */
#define PUT(p, s, m, value) ((p)->m = (value), SET(p, s, m))
/* The same of a list: count elements at items. */
#define PUT_LIST(p, s, member, count, items) \
    ((p)->member.n = (count), (p)->member.v = (items), SET(p, s, member))

/* A list of records that is no member of one, as db_list fills it. */
#define LIST_OF(s)       \
    struct list_of_##s { \
        size_t n;        \
        struct s *v;     \
    }

/* Elements of lists of scalars: struct STR { has; v; } and its record. */
#define SCALAR_STR(X, s) X(s, STR, v, "", IN | OUT, -)
#define SCALAR_I32(X, s) X(s, I32, v, "", IN | OUT, -)
#define SCALAR_I64(X, s) X(s, I64, v, "", IN | OUT, -)
#define SCALAR_U64(X, s) X(s, U64, v, "", IN | OUT, -)
STRUCT(STR, SCALAR_STR);
STRUCT(I32, SCALAR_I32);
STRUCT(I64, SCALAR_I64);
STRUCT(U64, SCALAR_U64);
MAP_OF(STR);

/* No input or no output. */
struct none {
    uint64_t has;
};
extern const struct record none_rec;

/* ---- what is done by tables ---- */

/* How a dialect takes values; part of its form of input. */
enum bind_style {
    BIND_STR_FROM_NUM = 1 << 0,       /* "id": 113974 for a string */
    BIND_INT_FROM_STR = 1 << 1,       /* "9050" for an integer */
    BIND_INTEGRAL = 1 << 2,           /* 9050.0 for an integer */
    BIND_CAMEL = 1 << 3,              /* fooBar for foo_bar */
    BIND_UNKNOWN_ENUM_UNSET = 1 << 4, /* an unknown enum name is "unset" */
    BIND_NULL_UNSET = 1 << 5,         /* null = absent (else a wrong type) */
    BIND_UNKNOWN_REFUSED = 1 << 6,    /* unknown members are an error */
    BIND_ANY_CASE = 1 << 8,           /* FOO and Foo for foo, as Go's decoder */
    BIND_ANY_COUNT = 1 << 7, /* lists have no .max: our own documents, which
                              * grow by many requests */
};

struct bind_error {
    char field[64];  /* dotted path of the member, cut when longer */
    char reason[96]; /* "must be an integer" */
};

/* Fills *out (rec->size bytes, zeroed here) from a JSON object; from NULL: all
 * absent. Takes fields with IN; those with PATH or QUERY only with BODY too.
 * Only type, range, size and shape are judged. Texts live as long as the tree.
 * BAD_PARAM with *why, or NOMEM. */
enum err
record_bind(struct arena *a, const struct record *rec, const struct json *body,
            unsigned style, void *out, struct bind_error *why) MUST_USE;

/* The same of a document of our own, as record_text has made it: lists have no
 * .max. BAD_PARAM, LIMIT: it is none; NOMEM. Texts live in the arena. */
enum err
record_read(struct arena *a, const struct record *rec, const char *text,
            size_t n, unsigned style, void *out) MUST_USE;

/* One field of the struct at out from one text (query parameter, path part,
 * column), which must live as long as out. An OBJ, LIST, MAP or JSON is given
 * as JSON text. */
enum err
record_bind_text(struct arena *a, const struct field *f, const char *text,
                 unsigned style, void *out, struct bind_error *why) MUST_USE;

/* What to do with SECRET fields while rendering. */
enum secret_mode {
    SECRETS_FULL,
    SECRETS_STARS, /* "***" */
};

/* Prints the record as a JSON object: fields with OUT (or, with
 * render_input, what was given of those with IN, PATH, QUERY: for audit and
 * errors). The error of a streamed producer is returned, or LIMIT when the
 * buffer failed; the buffer then holds a part only. */
enum err record_render(struct json_writer *w, const struct record *rec,
                       const void *in, enum secret_mode secrets,
                       bool render_input, struct arena *a) MUST_USE;

/* The record as a text of at most max bytes in the arena. LIMIT when it is
 * longer. */
enum err
record_text(struct arena *a, const struct json_style *style,
            const struct record *rec, const void *in, enum secret_mode secrets,
            size_t max, const char **out) MUST_USE;

/* As record_render, without the braces, into an object that is open. */
enum err record_render_members(struct json_writer *w, const struct record *rec,
                               const void *in, enum secret_mode secrets,
                               struct arena *a) MUST_USE;

/* The field named by a dotted path of member keys ("obj.ak") from rec, and
 * how to reach it; see struct field_path. BAD_PARAM for an unknown name. */
#define FIELD_PATH_MAX 4
struct field_path {
    size_t n;
    const struct field *step[FIELD_PATH_MAX]; /* all but the last are OBJ */
};
enum err field_path_find(const struct record *rec, const char *dotted,
                         struct field_path *out) MUST_USE;

/* The address of the member at the end of the path in the struct at `in`, and
 * whether it is present; NULL when an OBJ on the way is absent. */
const void *
field_path_get(const struct field_path *path, const void *in, bool *present);

/* Whether field f of the struct at `in` counts as given: present, and for STR,
 * LIST, MAP, OBJ, BYTES, JSON not empty, for integers not zero. */
bool field_given(const struct field *f, const void *in);

/* field_given of the field at the end of the path; false when an OBJ on the
 * way is absent. */
bool field_path_given(const struct field_path *path, const void *in);

/* Whether field f of the struct at `in` is present; see "Absent" above. */
bool field_present(const struct field *f, const void *in);

/* The key of the first member that the struct at asked gives and the struct at
 * have, of the same record, has otherwise; NULL when there is none. Members
 * whose key is among except (a list that NULL ends, or NULL) and those without
 * IN are passed over. "", 0 and false are the same as absent; lists are equal
 * in length and order. */
const char *record_other(const struct record *rec, const void *asked,
                         const void *have, const char *const *except);

/* The printed name of an enum's value; "" when unknown. */
const char *enum_text(const struct enum_name *names, int value);

/* Looks for mistakes in the table of rec and of what it contains that a
 * compiler cannot see. INTERNAL with *why ("record.key", what is wrong). */
enum err
record_verify(const struct record *rec, struct bind_error *why) MUST_USE;

#endif
