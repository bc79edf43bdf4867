/* Room: binlog/ */
/* What a binlog of MariaDB or MySQL says: events taken apart, tables as they
 * were when their rows were written, rows as values. No connection is known
 * here, and nothing of what came before an event: that is source.h. Everything
 * is bytes from outside: what does not fit is a fault, and is never passed
 * over.
 *
 * Words. A *table* is a table as it was then: another definition is another
 * one. An *image* is a row before or after. A *position* is a set of GTIDs. A
 * *fault* is why a binlog cannot be read on. */
#ifndef MG_BINLOG_H
#define MG_BINLOG_H

#include "arena.h"
#include "base.h"
#include "buf.h"

/* ---- faults ---- */

enum binlog_fault {
#define FAULT(id, err, when, text) BINLOG_FAULT_##id,
#include "binlog_faults.def"
#undef FAULT
    BINLOG_FAULT__MAX
};

/* The id ("PURGED"), for logs; static. */
const char *binlog_fault_name(enum binlog_fault f);
/* Whether a person has to look at it before anything is tried again. */
bool binlog_fault_is_final(enum binlog_fault f);

struct binlog_failure {
    enum binlog_fault fault;
    enum err err;
    char
        why[WHY_BYTES]; /* what it is, and where: file, position, GTID, table */
};

/* ---- positions ---- */

struct binlog_gtid {
    bool is_uuid;            /* MySQL's uuid:seq; else domain-server-seq */
    uint32_t domain, server; /* MariaDB */
    uint8_t uuid[16];        /* MySQL */
    uint64_t seq;
};
#define BINLOG_GTID_MAX 60 /* its text, with the NUL */
void binlog_gtid_text(const struct binlog_gtid *g, char out[BINLOG_GTID_MAX]);
/* MariaDB: the first GTID of a list ("0-1-5,7-3-90") that is of the domain;
 * what is none is passed over. False, and *out is 0, when there is none or the
 * list is NULL. */
bool binlog_gtid_of(const char *list, int64_t domain, struct binlog_gtid *out);

/* A position is a set of GTIDs: those that have been taken. Of MariaDB the
 * last of each domain ("0-1-42,7-1-3"), of MySQL intervals ("UUID:1-42:44").
 * Its text is what is to be stored. */
struct binlog_gtids;
struct binlog_gtids *
binlog_gtids_new(void); /* an empty one; NULL = no memory */
void binlog_gtids_free(struct binlog_gtids *s);
/* Of a text; "" is empty. BAD_PARAM: it is none, or has both kinds; LIMIT. The
 * set is empty then. */
enum err binlog_gtids_parse(struct binlog_gtids *s, const char *text) MUST_USE;
enum err binlog_gtids_copy(struct binlog_gtids *to,
                           const struct binlog_gtids *from) MUST_USE;
/* One more. BAD_PARAM when the set has the other kind. */
enum err
binlog_gtids_add(struct binlog_gtids *s, const struct binlog_gtid *g) MUST_USE;
/* Whether it is behind the position: MariaDB's when its domain is there and
 * not further back. */
bool
binlog_gtids_have(const struct binlog_gtids *s, const struct binlog_gtid *g);
bool binlog_gtids_empty(const struct binlog_gtids *s);
/* Whether all of the one is in the other. */
bool binlog_gtids_within(const struct binlog_gtids *part,
                         const struct binlog_gtids *all);
/* Leaves what both have: where two who stand at different places would begin
 * together. On NOMEM it is as it was. */
enum err binlog_gtids_meet(struct binlog_gtids *s,
                           const struct binlog_gtids *with) MUST_USE;
void binlog_gtids_print(const struct binlog_gtids *s, struct buf *out);

/* ---- tables ---- */

enum binlog_type {
#define TYPE(code, id, word, form, meta, traits) BINLOG_##id = (code),
#include "binlog_types.def"
#undef TYPE
};
/* "varchar"; static. CHAR and BINARY, TEXT and BLOB are told apart by the
 * collation. */
const char *binlog_type_word(enum binlog_type t);

#define BINLOG_BINARY 63 /* the collation of what is bytes */

struct binlog_column {
    const char *name;
    enum binlog_type type;
    bool is_unsigned, is_nullable;
    bool is_invisible;         /* MySQL 8 says so; MariaDB does not */
    uint8_t precision;         /* of DECIMAL */
    uint8_t scale;             /* of DECIMAL; digits of fractions of a second */
    uint8_t pack_bytes;        /* of a number, or of a length in front */
    uint32_t max_bytes;        /* of a text; of a BIT its bits; 0 = not told */
    unsigned collation;        /* 0: a type without */
    const char *charset;       /* "utf8mb4", "binary"; NULL: a type without, or
                                * a collation that the server does not list */
    const struct span *member; /* of ENUM and SET, in the column's charset */
    size_t n_members;
};

struct binlog_key_part {
    size_t column;
    size_t prefix; /* characters; 0 = whole */
};

/* Read only but for `user`, and the same for all rows as long as the
 * definition is the same. It lives until the last who holds it lets go; the
 * source holds it during a call of the taker, at least. */
struct binlog_table {
    const char *schema, *name;
    size_t n;
    const struct binlog_column *column;
    size_t n_key; /* of the primary key; 0 = none */
    const struct binlog_key_part *key;
    /* Whether the log itself tells names, signs and charsets: MySQL 8 and
     * MariaDB 10.5 do, by binlog_row_metadata=FULL. */
    bool is_described;
    size_t text_max; /* what decimals and times of an image need, in bytes */
    /* The taker's own; released with the table. */
    void *user;
    void (*user_free)(void *user);
};
struct binlog_table *binlog_table_hold(struct binlog_table *t);
void binlog_table_let_go(struct binlog_table *t);

/* What a table's columns are when the log does not tell: of all of them, in
 * their order. BAD_PARAM: it has another number of columns, or a name that
 * cannot be; LIMIT, NOMEM. */
struct binlog_description {
    const char *name;
    bool is_unsigned, is_key;
    unsigned collation;  /* 0: a type without */
    const char *charset; /* as the server calls it; NULL: a type without */
};
enum err
binlog_table_describe(struct binlog_table *t,
                      const struct binlog_description *v, size_t n) MUST_USE;

/* ---- rows ---- */

enum binlog_kind { BINLOG_INSERT, BINLOG_UPDATE, BINLOG_DELETE };

/* Rows of one event, not taken apart yet. They may be later, and by another
 * thread: from a copy of the bytes, and the table held. */
struct binlog_rows {
    struct binlog_table *table;
    enum binlog_kind kind;
    const unsigned char *p;
    size_t n;
};

/* A value, by the form of its type (binlog_types.def). DECIMAL is its exact
 * digits, DATE, TIME and DATETIME are as the server prints them with all
 * digits of the fraction, JSON is as MySQL prints it. STAMP: microseconds
 * since 1970 UTC, 0 = '0000-00-00 00:00:00'. ENUM and SET are numbers: 0 or
 * the member from 1, and a bit for each member. BYTES are as stored, in the
 * column's charset; BINARY has its zeros at the end, GEOMETRY its SRID in
 * front. No text ends with a NUL. */
enum binlog_form {
    BINLOG_NULL,
    BINLOG_I64,
    BINLOG_U64,
    BINLOG_F32,
    BINLOG_F64,
    BINLOG_STAMP,
    BINLOG_TEXT,
    BINLOG_BYTES,
};
struct binlog_value {
    enum binlog_form form;
    uint32_t n; /* bytes at p */
    union {
        int64_t i; /* I64, STAMP */
        uint64_t u;
        double f;
        const char *p;
    };
};

/* table->n values each; NULL: there is none of that. */
struct binlog_row {
    const struct binlog_value *before, *after;
};

/* What takes rows apart, for one thread. Values live until its next call. No
 * row needs more than max_bytes beside the event. */
struct binlog_decoder;
struct binlog_decoder *binlog_decoder_new(size_t max_bytes);
void binlog_decoder_free(struct binlog_decoder *d);
/* The rows, which stay where they are. */
enum err binlog_decode(struct binlog_decoder *d,
                       const struct binlog_rows *rows) MUST_USE;
/* The next of them; NOT_FOUND: that was all. Any other is a failure of this
 * decoder: rows that a taker cannot have are not passed over. */
enum err
binlog_decode_next(struct binlog_decoder *d, struct binlog_row *out) MUST_USE;
const struct binlog_failure *
binlog_decoder_failure(const struct binlog_decoder *d);

#define BINLOG_STAMP_MAX 32
/* A STAMP as the server prints it, in UTC or in the time zone of the process;
 * scale = digits of the fraction. How many bytes. */
size_t binlog_stamp_text(int64_t us, unsigned scale, bool local,
                         char out[BINLOG_STAMP_MAX]);

#define BINLOG_FIXED_TEXT 48
enum binlog_fixed { BINLOG_UUID, BINLOG_INET4, BINLOG_INET6 };
/* n bytes of such a column, zeros at its end left out, as the server prints the
 * value. How many bytes; 0: they are too many for the type, so that the column
 * was another one then. */
size_t binlog_fixed_text(enum binlog_fixed type, const void *p, size_t n,
                         char out[BINLOG_FIXED_TEXT]);

/* Bytes of a column's charset as UTF-8: what has no counterpart is U+FFFD.
 * BAD_PARAM: a charset that is not known here, or "binary". */
enum err binlog_utf8(struct binlog_decoder *d, const char *charset,
                     const char *p, size_t n, struct buf *out) MUST_USE;

/* ---- statements ---- */

/* A statement that changes definitions, accounts or whatever is no row. */
struct binlog_statement {
    const char *schema; /* the default one; "" = none */
    const char *sql;    /* NUL-terminated, in the charset of `client` */
    size_t n;
    unsigned error;    /* what it ended with; 0 = well */
    bool has_sql_mode; /* and so on: what the server has told */
    uint64_t sql_mode;
    unsigned client, connection, server; /* collations; 0 = not told */
    bool no_foreign_keys, loose_unique;  /* checks that were off */
    const char *time_zone;               /* NULL = not told */
    uint32_t at_us;                      /* microseconds of NOW(6) */
    int64_t at_s;                        /* its NOW() */
};

struct binlog_xid {
    uint32_t format;
    unsigned gtrid_bytes, bqual_bytes; /* at most 64 each */
    unsigned char data[128];
};

#endif
