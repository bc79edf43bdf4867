/* A stream of a binlog: events as they come, each behind its length in four
 * bytes, the lowest first. The first byte says whose they are: 1 MariaDB, 2
 * with checksums. Every row is taken apart, every text converted. Made of real
 * files by support/binlog_seed.py. Behind a first byte with 4: a position as
 * text, and one GTID more for each of its bytes. */
#include "fuzz.h"

#include "source/feed.h"

#define ROW_MAX (1u << 20)

static struct binlog_decoder *decoder;

static bool
wants(void *ctx, const char *schema, const char *table)
{
    (void)ctx;
    (void)schema;
    return table[0] != '!';
}

static enum err
begin(void *ctx, const struct source_txn *txn)
{
    char text[BINLOG_GTID_MAX];

    (void)ctx;
    binlog_gtid_text(&txn->gtid, text);
    return ERR_OK;
}

/* Every byte of it is read. */
static void
look_at(const struct binlog_column *col, const struct binlog_value *v)
{
    struct buf text = BUF_INIT(ROW_MAX);
    static volatile unsigned sum;
    char stamp[BINLOG_STAMP_MAX];

    if (v->form == BINLOG_STAMP)
        sum += (unsigned)binlog_stamp_text(v->i, col->scale, true, stamp);
    if (v->form != BINLOG_TEXT && v->form != BINLOG_BYTES)
        return;
    for (uint32_t i = 0; i < v->n; i++)
        sum += (unsigned char)v->p[i];
    if (v->form == BINLOG_BYTES)
        (void)!binlog_utf8(decoder, col->charset, v->p, v->n, &text);
    buf_free(&text);
}

static enum err
rows(void *ctx, const struct binlog_rows *r)
{
    struct binlog_row row;
    enum err e = binlog_decode(decoder, r);

    (void)ctx;
    while (e == ERR_OK) {
        e = binlog_decode_next(decoder, &row);
        for (size_t i = 0; i < r->table->n && e == ERR_OK; i++) {
            if (row.before != NULL)
                look_at(&r->table->column[i], &row.before[i]);
            if (row.after != NULL)
                look_at(&r->table->column[i], &row.after[i]);
        }
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
statement(void *ctx, const struct binlog_statement *st)
{
    (void)ctx;
    return strlen(st->schema) + strlen(st->sql) < ROW_MAX ? ERR_OK : ERR_LIMIT;
}

static enum err
commit(void *ctx, const struct source_txn *txn)
{
    (void)ctx;
    (void)txn;
    return ERR_OK;
}

static void
drop(void *ctx)
{
    (void)ctx;
}

static enum err
idle(void *ctx)
{
    struct feed *f = ctx;
    struct buf text = BUF_INIT(ROW_MAX);

    binlog_gtids_print(f->done, &text);
    buf_free(&text);
    return ERR_OK;
}

static enum err
name(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    return n > 0 && p[0] == '!' ? ERR_STATE : ERR_OK;
}

static enum err
xa(void *ctx, const struct binlog_xid *xid, bool is_commit)
{
    (void)ctx;
    (void)is_commit;
    return xid->gtrid_bytes + xid->bqual_bytes <= sizeof(xid->data) ? ERR_OK
                                                                    : ERR_LIMIT;
}

static void
print(const struct binlog_gtids *s, struct buf *out)
{
    buf_reset(out);
    binlog_gtids_print(s, out);
}

/* What is read from its own text is the same. */
static void
read_position(const uint8_t *p, size_t n)
{
    struct buf text = BUF_INIT(ROW_MAX), again = BUF_INIT(ROW_MAX);
    struct binlog_gtids *s = binlog_gtids_new(), *copy = binlog_gtids_new();
    char *position = strndup((const char *)p, n);

    HOLDS(s != NULL && copy != NULL && position != NULL);
    if (binlog_gtids_parse(s, position) == ERR_OK) {
        struct binlog_gtid g = { .is_uuid = s->n_servers > 0 };

        if (s->n_servers > 0)
            memcpy(g.uuid, s->server[s->n_servers - 1].uuid, 16);
        for (size_t i = 0; i < n; i++) {
            g.domain = p[i] % 16;
            g.seq = p[i] + 1;
            HOLDS(binlog_gtids_have(s, &g) ||
                  binlog_gtids_add(s, &g) == ERR_OK);
            HOLDS(binlog_gtids_have(s, &g));
        }
        print(s, &text);
        HOLDS(binlog_gtids_copy(copy, s) == ERR_OK);
        HOLDS(gtids_within(s, copy) && gtids_within(copy, s));
        print(copy, &again);
        HOLDS(strcmp(buf_text(&text), buf_text(&again)) == 0);
        HOLDS(binlog_gtids_parse(copy, buf_text(&text)) == ERR_OK);
        print(copy, &again);
        HOLDS(strcmp(buf_text(&text), buf_text(&again)) == 0);
        /* where two have been that have been in the same places */
        HOLDS(binlog_gtids_within(s, copy) && binlog_gtids_within(copy, s));
        HOLDS(binlog_gtids_meet(copy, s) == ERR_OK);
        print(copy, &again);
        HOLDS(strcmp(buf_text(&text), buf_text(&again)) == 0);
    }
    for (int64_t domain = -1; domain < 8; domain++) {
        struct binlog_gtid g;

        if (binlog_gtid_of(position, domain, &g))
            HOLDS(domain < 0 || g.domain == (uint32_t)domain);
    }
    binlog_gtids_free(s);
    binlog_gtids_free(copy);
    free(position);
    buf_free(&text);
    buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const struct source_taker taker = {
        .wants = wants,
        .begin = begin,
        .rows = rows,
        .statement = statement,
        .commit = commit,
        .drop = drop,
        .idle = idle,
        .dml = statement,
        .savepoint = name,
        .rollback_to = name,
        .xa = xa,
    };
    static const struct {
        uint64_t id;
        const char *charset;
    } collations[] = { { 8, "latin1" },   { 28, "gbk" },     { 33, "utf8mb3" },
                       { 45, "utf8mb4" }, { 46, "utf8mb4" }, { 9, "latin2" },
                       { 54, "utf16" } };
    struct cursor c = cursor_on(p, n);
    unsigned flags = (unsigned)take_le(&c, 1);
    enum err e = ERR_OK;
    struct feed f;

    if (flags & 4) {
        read_position(c.p, cursor_left(&c));
        return 0;
    }
    decoder = binlog_decoder_new(ROW_MAX);
    HOLDS(decoder != NULL && feed_init(&f, &taker, &f, ROW_MAX, 4) == ERR_OK);
    for (size_t i = 0; i < COUNT(collations); i++)
        collations_add(&f.collations, collations[i].id, collations[i].charset);
    feed_begin(&f, (flags & 1) != 0, (flags & 2) != 0);
    while (cursor_left(&c) > 0 && !c.cut && e == ERR_OK) {
        struct cursor event = take_part(&c, take_le(&c, 4));
        uint8_t *copy; /* a block of its own: where it ends shows */

        if (event.cut)
            break;
        copy = malloc(cursor_left(&event) + 1);
        memcpy(copy, event.p, cursor_left(&event));
        e = feed_event(&f, copy, cursor_left(&event));
        free(copy);
    }
    feed_end(&f);
    feed_fini(&f);
    binlog_decoder_free(decoder);
    return 0;
}
