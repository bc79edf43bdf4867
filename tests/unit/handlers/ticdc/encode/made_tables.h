/* Tables for encoders, without a server: announced as a server would, and read
 * by our reader. */
#ifndef MG_TEST_MADE_TABLES_H
#define MG_TEST_MADE_TABLES_H

#include <stdlib.h>
#include <string.h>

#include "binlog/table.h"
#include "ticdc/encode/encode.h"

#define UTF8MB4 45
#define LATIN1  8

struct made {
    const char *name;
    enum binlog_type type;
    const char *meta; /* bytes, of the type's own */
    size_t meta_n;
    unsigned collation; /* of characters */
    bool is_nullable, is_unsigned, is_key;
    const char *member[8]; /* of ENUM and SET */
};

#define META(text) .meta = text, .meta_n = sizeof(text) - 1

static UNUSED bool
is_numeric(enum binlog_type t)
{
    return t == BINLOG_TINY || t == BINLOG_SHORT || t == BINLOG_INT24 ||
           t == BINLOG_LONG || t == BINLOG_LONGLONG || t == BINLOG_FLOAT ||
           t == BINLOG_DOUBLE || t == BINLOG_DECIMAL || t == BINLOG_YEAR;
}

static UNUSED void
put_field(struct buf *b, unsigned kind, struct buf *rest)
{
    if (rest->n > 0) {
        buf_putc(b, (char)kind);
        buf_putc(b, (char)rest->n);
        buf_put(b, rest->p, rest->n);
    }
    buf_free(rest);
}

static UNUSED void
put_members(struct buf *b, const struct made *v, size_t n,
            enum binlog_type type)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        if (v[i].type != type)
            continue;
        while (v[i].member[k] != NULL)
            k++;
        buf_putc(b, (char)k);
        for (k = 0; v[i].member[k] != NULL; k++) {
            buf_putc(b, (char)strlen(v[i].member[k]));
            buf_puts(b, v[i].member[k]);
        }
    }
}

/* Fewer than 8 columns of a kind, short names: every length is one byte. */
static UNUSED struct binlog_table *
made_table(const char *schema, const char *name, const struct made *v, size_t n)
{
    struct buf b = BUF_INIT(1 << 16), meta = BUF_INIT(256);
    struct buf signs = BUF_INIT(64), chars = BUF_INIT(64);
    struct buf names = BUF_INIT(256), enums = BUF_INIT(256);
    struct buf sets = BUF_INIT(256), keys = BUF_INIT(64);
    struct buf words = BUF_INIT(64);
    struct collations *cs = calloc(1, sizeof(*cs));
    unsigned char nulls[8] = { 0 }, sign[8] = { 0 };
    struct binlog_failure failure = { 0 };
    struct binlog_table *t = NULL;
    struct table_head h;
    size_t n_signs = 0;

    assert_non_null(cs);
    collations_add(cs, UTF8MB4, "utf8mb4");
    collations_add(cs, LATIN1, "latin1");
    buf_put(&b, "\1\0\0\0\0\0\1\0", 8);
    buf_putc(&b, (char)strlen(schema));
    buf_put(&b, schema, strlen(schema) + 1);
    buf_putc(&b, (char)strlen(name));
    buf_put(&b, name, strlen(name) + 1);
    buf_putc(&b, (char)n);
    for (size_t i = 0; i < n; i++) {
        bool set = v[i].type == BINLOG_ENUM || v[i].type == BINLOG_SET;

        buf_putc(&b, (char)(set ? BINLOG_STRING : v[i].type));
        if (set)
            buf_putc(&meta, (char)v[i].type);
        buf_put(&meta, v[i].meta != NULL ? v[i].meta : "", v[i].meta_n);
        if (v[i].is_nullable)
            nulls[i / 8] |= (unsigned char)(1 << i % 8);
        if (is_numeric(v[i].type)) {
            if (v[i].is_unsigned)
                sign[n_signs / 8] |= (unsigned char)(0x80 >> n_signs % 8);
            n_signs++;
        }
        if (v[i].collation != 0)
            buf_putc(set ? &words : &chars, (char)v[i].collation);
        buf_putc(&names, (char)strlen(v[i].name));
        buf_puts(&names, v[i].name);
        if (v[i].is_key)
            buf_putc(&keys, (char)i);
    }
    buf_put(&signs, (const char *)sign, (n_signs + 7) / 8);
    put_members(&sets, v, n, BINLOG_SET);
    put_members(&enums, v, n, BINLOG_ENUM);
    buf_putc(&b, (char)meta.n);
    buf_put(&b, meta.p != NULL ? meta.p : "", meta.n);
    buf_put(&b, (const char *)nulls, (n + 7) / 8);
    buf_free(&meta);
    put_field(&b, 1, &signs);
    put_field(&b, 3, &chars);
    put_field(&b, 4, &names);
    put_field(&b, 5, &sets);
    put_field(&b, 6, &enums);
    put_field(&b, 8, &keys);
    put_field(&b, 11, &words);
    assert_int_equal(buf_err(&b), ERR_OK);
    if (table_head(cursor_on((const uint8_t *)b.p, b.n), &h, &failure) !=
            ERR_OK ||
        table_parse(&h, cs, false, &t, &failure) != ERR_OK)
        fail_msg("%s", failure.why);
    buf_free(&b);
    free(cs);
    return t;
}

static UNUSED struct encode_table *
made_encode_table(const char *schema, const char *name, const struct made *v,
                  size_t n, const struct encode_schema *s)
{
    struct binlog_table *t = made_table(schema, name, v, n);
    struct encode_table *out = NULL;

    assert_int_equal(encode_table_new(t, s, NULL, 1, &out), ERR_OK);
    binlog_table_let_go(t);
    return out;
}

/* ---- values ---- */

#define I(v_)                         \
    {                                 \
        .form = BINLOG_I64, .i = (v_) \
    }
#define U(v_)                         \
    {                                 \
        .form = BINLOG_U64, .u = (v_) \
    }
#define F(v_)                         \
    {                                 \
        .form = BINLOG_F64, .f = (v_) \
    }
#define F4(v_)                        \
    {                                 \
        .form = BINLOG_F32, .f = (v_) \
    }
#define B(v_)                                                \
    {                                                        \
        .form = BINLOG_BYTES, .n = sizeof(v_) - 1, .p = (v_) \
    }
#define T(v_)                                               \
    {                                                       \
        .form = BINLOG_TEXT, .n = sizeof(v_) - 1, .p = (v_) \
    }
#define NIL                 \
    {                       \
        .form = BINLOG_NULL \
    }

#endif
