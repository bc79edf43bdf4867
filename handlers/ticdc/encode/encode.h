/* Rows, statements and times as messages of the protocols that TiCDC's
 * consumers read: spec/ticdc section 8. No I/O, no clock, no connection: the
 * schema registry of avro is a function that the owner brings.
 *
 * Words. A *table* is one definition, with all that encoders say of it again
 * and again. An *event* is a row of it. A *piece* is one event encoded; a
 * *batch* is pieces that travel as one message. The *handle* of a table is the
 * key that tells its rows apart: the primary key, else the not null unique one
 * of fewest columns. A *schema* is what the source's information_schema says
 * beside the log: it may be behind or ahead of the log, then it is not used. */
#ifndef TICDC_ENCODE_H
#define TICDC_ENCODE_H

#include "arena.h"
#include "base.h"
#include "binlog.h"
#include "buf.h"
#include "json.h"

struct zone_choice;

/* ---- tables ---- */

struct encode_index {
    const char *name;
    bool is_primary, is_unique;
    size_t n;
    const char *const *column; /* names, in their order */
};
struct encode_schema_column {
    const char *name;
    const char *type;          /* "int(10) unsigned zerofill" */
    const char *default_value; /* NULL: none, or NULL itself */
    bool is_nullable, is_virtual, is_generated;
};
struct encode_schema {
    size_t n, n_indexes;
    const struct encode_schema_column *column;
    const struct encode_index *index; /* the primary one first, then as made */
};

/* Flags of a column, as open-protocol sends them. */
enum {
    ENCODE_BINARY = 1,
    ENCODE_HANDLE = 2,
    ENCODE_GENERATED = 4,
    ENCODE_PRIMARY = 8,
    ENCODE_UNIQUE = 16,
    ENCODE_MULTIPLE = 32,
    ENCODE_NULLABLE = 64,
    ENCODE_UNSIGNED = 128,
};

/* How a value of a column is to be read. */
enum encode_way {
    ENCODE_PLAIN, /* a number, or a text of the server's own making */
    ENCODE_TEXT,  /* characters: UTF-8 once converted */
    ENCODE_BYTES,
    ENCODE_STAMP, /* a point in time */
    ENCODE_UUID,  /* MariaDB's types that the log has as bytes */
    ENCODE_INET4,
    ENCODE_INET6,
};

struct encode_column {
    const char *name;
    struct span quoted; /* the name as JSON, with a colon behind it */
    unsigned flags;
    enum encode_way way;
    bool is_left_out;          /* no message has it: virtual, or not picked */
    bool is_unsigned, is_text; /* is_text: TEXT of any size, CHAR, VARCHAR */
    bool is_zerofill;
    unsigned code;             /* open-protocol's type */
    int sql_type;              /* java.sql.Types, before promotion */
    const char *word;          /* "int unsigned" */
    const char *full;          /* "int(10) unsigned": as declared, or made up */
    const char *base;          /* "int" */
    const struct span *member; /* of ENUM and SET, UTF-8 */
    size_t n_members;
    const char *default_value; /* NULL: none */
    const struct binlog_column *log;
};

struct encode_table {
    const char *schema, *name;
    struct binlog_table *def; /* held */
    uint64_t version;         /* commit_ts of the statement that made it so */
    size_t n;
    struct encode_column *column;
    size_t *sorted; /* columns by name, bytewise */
    size_t n_primary, n_handle;
    size_t *primary, *handle; /* columns, in the order of the key */
    bool has_unsigned;        /* sqlType depends on the row */
    bool is_described;        /* by a schema */
    bool lost_handle;         /* what would tell its rows apart is left out */
    size_t n_indexes;
    struct encode_index *index; /* of the schema; those of the log without */
    struct span sql_types, types, full_types; /* canal-json's objects */
    struct span names; /* ... and members; p NULL: not made yet */
    struct arena *arena;
    void *user; /* its owner's own; released with it */
    void (*user_free)(void *user);
};

/* Which columns messages have. */
struct encode_pick {
    bool (*takes)(const void *ctx, const char *column);
    const void *ctx;
};

/* The definition with what a schema says of it, which may be NULL and is not
 * used when it has other columns; pick: NULL takes all. A key of which a column
 * is left out tells no rows apart. NOMEM, LIMIT; BAD_PARAM: a name or a member
 * of an ENUM that is no text. */
enum err
encode_table_new(struct binlog_table *def, const struct encode_schema *schema,
                 const struct encode_pick *pick, uint64_t version,
                 struct encode_table **out) MUST_USE;
void encode_table_free(struct encode_table *t);
/* The unique index of that name, in any letter case; NULL. */
const struct encode_index *
encode_unique(const struct encode_table *t, const char *name);
/* The column of that name, in any letter case; t->n when there is none. */
size_t encode_column_of(const struct encode_table *t, const char *name);

/* ---- events ---- */

/* Values as all protocols have them: STAMPs and texts of other charsets have
 * become TEXT in UTF-8, numbers that are none have become 0. What is BYTES is
 * binary. */
struct encode_event {
    struct encode_table *table; /* avro keeps its ids there */
    enum binlog_kind kind;
    uint64_t commit_ts;
    const struct binlog_value *before, *after; /* NULL: there is none */
    /* What is too large has only its handle, and maybe says where all of it
     * was put. */
    bool only_handle;
    const char *claim; /* NULL: nowhere */
};

/* Makes values; for one thread. */
struct encode_values;
/* zone: where STAMPs are told; NULL: UTC. */
struct encode_values *encode_values_new(const struct zone_choice *zone);
void encode_values_free(struct encode_values *v);
/* What it makes lives until its next call. NOMEM, LIMIT. */
enum err
encode_values_of(struct encode_values *v, struct encode_table *t,
                 enum binlog_kind kind, const struct binlog_row *row,
                 uint64_t commit_ts, struct encode_event *out) MUST_USE;

/* An UPDATE that changes the handle is a DELETE and an INSERT, which may go to
 * different partitions. */
bool encode_changes_handle(const struct encode_event *e);

bool
encode_same_value(const struct binlog_value *a, const struct binlog_value *b);

#define ENCODE_FLOAT_MAX 400
/* The fewest digits that are read back as v: without an exponent, as canal and
 * dispatchers have them, or as Go prints a number of JSON. How many bytes. */
size_t
encode_float(double v, bool is_32, bool is_json, char out[ENCODE_FLOAT_MAX]);
/* A value that is not NULL as text: numbers in decimal, bytes as they are. p
 * may point into room. */
struct span
encode_text(const struct binlog_value *v, char room[ENCODE_FLOAT_MAX]);

/* The member of an ENUM, or those that a SET has with commas between, behind
 * what b holds. */
void encode_members(struct buf *b, const struct encode_column *c, uint64_t v);

/* ---- statements ---- */

struct encode_ddl {
    const char *schema, *table; /* which it concerns; "" = no table */
    const char *sql;            /* UTF-8 */
    unsigned action;            /* TiDB's number: action.h */
    uint64_t commit_ts;
    /* Its columns behind it and before it; NULL: not known, or none. */
    const struct encode_table *after, *before;
};

/* ---- encoders ---- */

enum encode_protocol {
    ENCODE_CANAL_JSON,
    ENCODE_OPEN,
    ENCODE_CANAL,
    ENCODE_AVRO,
    ENCODE_MAXWELL,
    ENCODE_PROTOCOL__MAX
};

/* What was encoded; lives until the encoder's next call. */
struct encode_piece {
    struct span key, value;
    bool no_value; /* a tombstone: the key alone */
};

/* A topic's schema in the registry: answers its id. Any failure is handed on
 * as it is. */
typedef enum err encode_register_fn(void *ctx, const char *subject,
                                    struct span schema, uint32_t *id);

struct encode_config {
    enum encode_protocol protocol;
    size_t message_bytes; /* of a message: key, value and 36 bytes */
    unsigned batch;       /* events of a message */
    bool tidb_extension, content_compatible, only_updated;
    bool delete_only_handle;
    bool maxwell_data; /* of a DELETE, as Maxwell itself does */
    bool decimal_as_text, bigint_as_text; /* avro */
    const char *namespace;                /* avro: "default" */
    encode_register_fn *registers;        /* avro */
    void *ctx;
    int64_t (*now_ms)(void); /* when messages are built */
};

struct encoder;
/* NULL without memory. c's texts live as long as it does. */
struct encoder *encoder_new(const struct encode_config *c);
void encoder_free(struct encoder *e);

/* Bytes that brokers count beside key and value. */
#define ENCODE_MESSAGE_HEAD 36

/* A row as a piece. topic: avro's schemas go by it. NOT_FOUND: this protocol
 * has nothing to say of it. LIMIT: larger than a value may be at all; NOMEM;
 * avro: as the registry. */
enum err encoder_row(struct encoder *e, const struct encode_event *ev,
                     const char *topic, struct encode_piece *out) MUST_USE;
/* Whole messages, which go to every partition or to the first one alone.
 * NOT_FOUND: the protocol has none. */
enum err encoder_ddl(struct encoder *e, const struct encode_ddl *d,
                     struct encode_piece *out) MUST_USE;
enum err encoder_watermark(struct encoder *e, uint64_t ts,
                           struct encode_piece *out) MUST_USE;
bool encoder_broadcasts(const struct encoder *e);
/* A topic takes no more: message_bytes becomes that, when it is less. */
void encoder_lower_limit(struct encoder *e, size_t message_bytes);

/* ---- batches ---- */

/* Pieces for one partition, up to a message. */
struct encode_batch {
    struct buf key, value;
    size_t n;
    bool no_value;
};
void encode_batch_init(struct encode_batch *b);
void encode_batch_free(struct encode_batch *b);
/* Whether it can be put into the batch with what that has. */
bool encode_batch_fits(const struct encoder *e, const struct encode_batch *b,
                       const struct encode_piece *p);
/* Whether it can be a message at all. */
bool encode_piece_fits(const struct encoder *e, const struct encode_piece *p);
enum err encode_batch_add(const struct encoder *e, struct encode_batch *b,
                          const struct encode_piece *p) MUST_USE;
/* The message; it lives as long as nothing is added. Empty again by reset. */
struct encode_piece
encode_batch_message(const struct encoder *e, struct encode_batch *b);
void encode_batch_reset(struct encode_batch *b);

#endif
