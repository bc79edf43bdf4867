/* What the encoders share: encode.h has what they do. */
#ifndef TICDC_ENCODE_INT_H
#define TICDC_ENCODE_INT_H

#include <locale.h>

#include "action.h"
#include "encode.h"

/* Larger than any message that a broker takes; rows of 1 GiB in a quarter of
 * it become a failure, not a process without memory. */
#define ENCODE_BYTES_MAX ((size_t)1 << 30)

struct encoder_ops {
    bool joins;         /* several events in a message */
    bool broadcasts;    /* statements go to each partition */
    size_t head, frame; /* bytes of a batch, and of each piece in it */
    enum err (*row)(struct encoder *e, const struct encode_event *ev,
                    const char *topic, struct encode_piece *out);
    enum err (*ddl)(struct encoder *e, const struct encode_ddl *d,
                    struct encode_piece *out);
    enum err (*watermark)(struct encoder *e, uint64_t ts,
                          struct encode_piece *out);
    /* Behind what the batch has. */
    void (*join)(struct encode_batch *b, const struct encode_piece *p);
    /* What stands in front, when all are in it; NULL: nothing. */
    struct span (*wrap)(struct encode_batch *b);
};

extern const struct encoder_ops encode_canal_json_ops, encode_open_ops,
    encode_canal_ops, encode_avro_ops, encode_maxwell_ops;

struct encoder {
    struct encode_config c;
    const struct encoder_ops *ops;
    struct buf key, value, part, more;
    locale_t utf8; /* which characters can be seen; 0: not known */
};

/* Compact, as Go prints. */
extern const struct json_style encode_json;

static inline struct span
span_of(const struct buf *b)
{
    return (struct span){ b->p != NULL ? b->p : "", b->n };
}

static inline void
buf_span(struct buf *b, struct span s)
{
    buf_put(b, s.p, s.n);
}

void encode_string(struct buf *b, const char *p, size_t n);
void encode_be64(struct buf *b, uint64_t v);
void encode_be32(struct buf *b, uint32_t v);
/* What was written, if nothing was dropped of it. */
enum err encode_end(const struct encoder *e, struct encode_piece *out,
                    bool has_key) MUST_USE;
/* The columns that a message of it has. */
bool encode_has_column(const struct encode_event *ev, bool only_handle,
                       size_t column);
/* Whether only the handle is to be sent. */
bool encode_only_handle(const struct encoder *e, const struct encode_event *ev);

/* open-protocol's key, which maxwell has too: t = 1 row, 2 DDL, 3 resolved. */
void encode_open_key(struct buf *b, uint64_t ts, const char *schema,
                     const char *table, unsigned t,
                     const struct encode_event *ev, bool only_handle);

/* ---- canal's words of a row, which two protocols have ---- */

/* java.sql.Types of the value: unsigned ones that do not fit are promoted. */
int
encode_sql_type(const struct encode_column *c, const struct binlog_value *v);
/* The value as text; bytes become code points of the same number. `part` is
 * overwritten. */
struct span encode_canal_text(const struct binlog_value *v,
                              char room[ENCODE_FLOAT_MAX], struct buf *part);

#endif
