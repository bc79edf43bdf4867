/* Tables and their rows: of a real server, and such that no server writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "binlog/rows.h"
#include "binlog/table.h"
#include "bytes.h"
#include "maps.h"

static struct binlog_failure why;
static struct collations collations;

static int
setup(void **state)
{
    (void)state;
    collations_add(&collations, 8, "latin1");
    collations_add(&collations, 45, "utf8mb4");
    collations_add(&collations, 46, "utf8mb4");
    return 0;
}

static enum err
parse(const struct bytes *b, struct binlog_table **out)
{
    struct table_head h;
    enum err e;

    why.fault = BINLOG_FAULT_NONE;
    e = table_head(cursor_on(b->p, b->n), &h, &why);
    return e == ERR_OK ? table_parse(&h, &collations, false, out, &why) : e;
}

static struct binlog_table *
table_of(const char *hex)
{
    struct bytes b = bytes_of(hex);
    struct binlog_table *t;

    if (parse(&b, &t) != ERR_OK)
        fail_msg("%s", why.why);
    free(b.p);
    return t;
}

static void
is_refused(const char *hex, enum binlog_fault fault)
{
    struct bytes b = bytes_of(hex);
    struct binlog_table *t;

    if (parse(&b, &t) == ERR_OK)
        fail_msg("%s was taken", hex);
    assert_int_equal(why.fault, fault);
    free(b.p);
}

/* ---- tables ---- */

static void
a_real_table_is_read(void **state)
{
    static const struct {
        const char *name, *word, *charset;
    } columns[] = {
        { "id", "int", NULL },          { "b", "bigint", NULL },
        { "c", "varchar", "latin1" },   { "e", "enum", "utf8mb4" },
        { "s", "set", "utf8mb4" },      { "g", "geometry", "binary" },
        { "v", "int", NULL },           { "w", "int", NULL },
        { "inv", "int", NULL },         { "u", "char", "binary" },
        { "i6", "char", "binary" },     { "i4", "char", "binary" },
        { "vc", "varchar", "utf8mb4" }, { "bc", "blob", "binary" },
        { "k", "char", "utf8mb4" },     { "bb", "char", "binary" },
    };
    struct binlog_table *t = table_of(map_hex);

    (void)state;
    assert_string_equal(t->schema, "lab");
    assert_string_equal(t->name, "a");
    assert_int_equal(t->n, COUNT(columns));
    for (size_t i = 0; i < t->n; i++) {
        const struct binlog_column *c = &t->column[i];

        assert_string_equal(c->name, columns[i].name);
        assert_string_equal(binlog_type_word(c->type), columns[i].word);
        if (columns[i].charset == NULL)
            assert_null(c->charset);
        else
            assert_string_equal(c->charset, columns[i].charset);
        assert_int_equal(c->is_unsigned, i == 0);
        assert_int_equal(c->is_nullable, i != 0);
    }
    assert_int_equal(t->column[2].max_bytes, 20);
    assert_int_equal(t->column[14].max_bytes, 800);
    assert_int_equal(t->column[14].pack_bytes, 2);
    assert_int_equal(t->column[15].max_bytes, 7);
    assert_int_equal(t->column[3].n_members, 2);
    assert_int_equal(t->column[3].member[1].n, 1);
    assert_string_equal(t->column[3].member[1].p, "y");
    assert_string_equal(t->column[4].member[0].p, "p");
    assert_int_equal(t->n_key, 1);
    assert_int_equal(t->key[0].column, 0);
    assert_int_equal(t->key[0].prefix, 0);
    binlog_table_let_go(t);
}

static void
a_table_cut_anywhere_is_refused(void **state)
{
    struct bytes b = bytes_of(map_hex);
    size_t metadata = 17 + 16 + 1 + 20 + 2;

    (void)state;
    for (size_t n = 0; n < b.n; n++) {
        struct bytes cut = bytes_copy(b.p, n);
        struct binlog_table *t;

        /* between two items there is less metadata, but nothing is cut */
        if (parse(&cut, &t) == ERR_OK) {
            assert_true(n >= metadata);
            binlog_table_let_go(t);
        } else {
            assert_int_equal(why.fault, BINLOG_FAULT_CUT);
        }
        free(cut.p);
    }
    free(b.p);
}

/* Schema d, table t; then how many columns and so on. */
#define HEAD  "010000000000 0100 01 6400 01 7400 "
#define NAMES " 04 02 01 63"

static void
every_type_needs_its_size(void **state)
{
    static const struct {
        const char *good, *bad;
    } types[] = {
        { "01 04 01 04 00", "01 04 01 08 00" }, /* FLOAT of 8 bytes */
        { "01 05 01 08 00", "01 05 01 04 00" },
        { "01 f6 02 4101 00", "01 f6 02 5201 00" }, /* DECIMAL(82,1) */
        { "01 f6 02 0505 00", "01 f6 02 0506 00" },
        { "01 f6 02 0100 00", "01 f6 02 0000 00" },
        { "01 10 02 0008 00", "01 10 02 0108 00" }, /* BIT(65) */
        { "01 10 02 0700 00", "01 10 02 0000 00" },
        { "01 10 02 0701 00", "01 10 02 0801 00" },
        { "01 fc 01 04 00", "01 fc 01 05 00" },
        { "01 fc 01 01 00", "01 fc 01 00 00" },
        { "01 13 01 06 00", "01 13 01 07 00" },
        { "01 fe 02 f702 00", "01 fe 02 f703 00" },
        { "01 fe 02 f808 00", "01 fe 02 f809 00" },
        { "01 fe 02 f701 00", "01 fe 02 f700 00" },
    };
    char hex[256];

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        (void)snprintf(hex, sizeof(hex), HEAD "%s" NAMES, types[i].good);
        binlog_table_let_go(table_of(hex));
        (void)snprintf(hex, sizeof(hex), HEAD "%s" NAMES, types[i].bad);
        is_refused(hex, BINLOG_FAULT_TYPE);
    }
}

static void
what_no_server_writes_is_refused(void **state)
{
    static const struct {
        const char *hex;
        enum binlog_fault fault;
    } bad[] = {
        { HEAD "00", BINLOG_FAULT_CUT },          /* no columns */
        { HEAD "fd ff ff ff", BINLOG_FAULT_CUT }, /* 16 million */
        { HEAD "fb", BINLOG_FAULT_CUT },
        { HEAD "01 f2 00 00" NAMES, BINLOG_FAULT_TYPE },   /* VECTOR */
        { HEAD "01 03 01 00 00" NAMES, BINLOG_FAULT_CUT }, /* size of an INT */
        { HEAD "01 0f 01 00 00" NAMES, BINLOG_FAULT_CUT }, /* half a size */
        { HEAD "01 03 00 00 04 01 00", BINLOG_FAULT_CUT }, /* no name */
        { HEAD "01 03 00 00 04 02 01 00", BINLOG_FAULT_CUT },
        { HEAD "01 03 00 00 04 09 01 63", BINLOG_FAULT_CUT },
        { HEAD "01 03 00 00 01 00" NAMES, BINLOG_FAULT_CUT },    /* signs */
        { HEAD "01 03 00 00 08 01 01" NAMES, BINLOG_FAULT_CUT }, /* key */
        { HEAD "01 03 00 00 09 01 00" NAMES, BINLOG_FAULT_CUT },
        { HEAD "01 03 00 00 0c 00" NAMES, BINLOG_FAULT_CUT }, /* visible */
        { HEAD "01 0f 02 0a00 00 02 03 3f 01 08" NAMES, BINLOG_FAULT_CUT },
        { HEAD "01 0f 02 0a00 00 02 02 3f 00" NAMES, BINLOG_FAULT_CUT },
        { HEAD "01 0f 02 0a00 00 03 00" NAMES, BINLOG_FAULT_CUT },
        { HEAD "01 fe 02 f701 00 06 03 02 01 78" NAMES, BINLOG_FAULT_CUT },
        { HEAD "01 fe 02 f801 00 05 02 41 00" NAMES, BINLOG_FAULT_CUT },
        { "010000000000 0100 00 00 01 7400 01 03 00 00", BINLOG_FAULT_CUT },
        { "010000000000 0100 01 6401 01 7400 01 03 00 00", BINLOG_FAULT_CUT },
        { "010000000000 0100 02 640000 01 7400 01 03 00 00", BINLOG_FAULT_CUT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        is_refused(bad[i].hex, bad[i].fault);
}

static void
metadata_of_mysql_is_read(void **state)
{
    /* two CHARs, each its own collation; a key with a prefix; the second is
     * invisible; an item that is not known */
    struct binlog_table *t =
        table_of(HEAD "02 fefe 04 fe0a fe0a 00 03 02 08 3f 04 04 01 63 01 64"
                      " 09 02 00 05 0c 01 80 7f 01 aa");

    (void)state;
    assert_string_equal(t->column[0].charset, "latin1");
    assert_string_equal(t->column[1].charset, "binary");
    assert_false(t->column[0].is_invisible);
    assert_true(t->column[1].is_invisible);
    assert_int_equal(t->n_key, 1);
    assert_int_equal(t->key[0].prefix, 5);
    binlog_table_let_go(t);
    /* members of ENUM and SET, one collation each */
    t = table_of(HEAD "02 fefe 04 f701 f801 00 0b 02 08 2d 04 04 01 63 01 64");
    assert_string_equal(t->column[0].charset, "latin1");
    assert_string_equal(t->column[1].charset, "utf8mb4");
    binlog_table_let_go(t);
}

static void
old_times_are_for_mysql(void **state)
{
    static const char hex[] = HEAD "01 0b 00 00" NAMES;
    struct bytes b = bytes_of(hex);
    struct table_head h;
    struct binlog_table *t;

    (void)state;
    is_refused(hex, BINLOG_FAULT_TYPE);
    assert_non_null(strstr(why.why, "ALTER TABLE"));
    assert_int_equal(table_head(cursor_on(b.p, b.n), &h, &why), ERR_OK);
    assert_int_equal(table_parse(&h, &collations, true, &t, &why), ERR_OK);
    assert_string_equal(binlog_type_word(t->column[0].type), "time");
    binlog_table_let_go(t);
    free(b.p);
}

static void
a_table_without_names_is_described(void **state)
{
    static const struct binlog_description names[] = {
        { "a", true, true, 0, NULL },
        { "b", true, false, 63, "binary" },
    };
    struct binlog_table *t = table_of(HEAD "02 03fe 02 fe04 02");

    (void)state;
    assert_false(t->is_described);
    assert_string_equal(t->column[0].name, "");
    assert_int_equal(t->text_max, 0);
    assert_int_equal(binlog_table_describe(t, names, 1), ERR_BAD_PARAM);
    assert_int_equal(
        binlog_table_describe(t, (const struct binlog_description[2]){ 0 }, 2),
        ERR_BAD_PARAM);
    assert_false(t->is_described);
    assert_int_equal(binlog_table_describe(t, names, 2), ERR_OK);
    assert_true(t->is_described);
    assert_string_equal(t->column[1].name, "b");
    assert_true(t->column[0].is_unsigned);
    assert_false(t->column[1].is_unsigned); /* no number */
    assert_string_equal(t->column[1].charset, "binary");
    assert_int_equal(t->text_max, 4);
    assert_int_equal(t->n_key, 1);
    assert_int_equal(t->key[0].column, 0);
    binlog_table_let_go(t);
}

/* ---- those that are known ---- */

static void
free_user(void *user)
{
    ++*(int *)user;
}

static struct cursor
map(const char *text)
{
    return cursor_on(text, strlen(text));
}

static void
a_table_is_known_by_its_bytes(void **state)
{
    static struct table_cache c = { .max = 4 };
    struct binlog_table *t = table_of(map_hex);
    int freed = 0;

    (void)state;
    t->user = &freed;
    t->user_free = free_user;
    assert_null(table_again(&c, 5, map("one")));
    assert_int_equal(table_keep(&c, 5, map("one"), t), ERR_OK);
    assert_non_null(table_find(&c, 5));
    table_scope_end(&c);
    assert_null(table_find(&c, 5)); /* not of this statement */
    assert_non_null(table_again(&c, 5, map("one")));
    assert_ptr_equal(table_find(&c, 5)->table, t);
    (void)binlog_table_hold(t);
    assert_null(table_again(&c, 5, map("onf"))); /* another definition */
    assert_null(table_find(&c, 5));
    assert_int_equal(c.n, 0);
    assert_int_equal(freed, 0); /* held */
    binlog_table_let_go(t);
    assert_int_equal(freed, 1);
}

/* Three numbers in one bucket. */
static void
tables_that_lie_together_are_told_apart(void **state)
{
    static const uint64_t ids[] = { 5, 5 + TABLE_BUCKETS,
                                    5 + 2 * TABLE_BUCKETS };
    static struct table_cache c = { .max = 4 };

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_int_equal(table_keep(&c, ids[i], map("x"), NULL), ERR_OK);
    for (size_t i = 0; i < COUNT(ids); i++) {
        assert_non_null(table_find(&c, ids[i]));
        assert_int_equal(table_find(&c, ids[i])->id, ids[i]);
        assert_int_equal(table_again(&c, ids[i], map("x"))->id, ids[i]);
    }
    assert_null(table_find(&c, 5 + 3 * TABLE_BUCKETS));
    assert_null(table_again(&c, ids[1], map("y")));
    assert_null(table_find(&c, ids[1]));
    assert_non_null(table_find(&c, ids[0]));
    assert_non_null(table_find(&c, ids[2]));
    table_forget_all(&c);
    assert_int_equal(c.n, 0);
}

static void
the_oldest_makes_room_but_not_in_its_statement(void **state)
{
    static struct table_cache c = { .max = 3 };

    (void)state;
    for (uint64_t id = 0; id < 3; id++)
        assert_int_equal(table_keep(&c, id, map("x"), NULL), ERR_OK);
    assert_int_equal(table_keep(&c, 3, map("x"), NULL), ERR_LIMIT);
    table_scope_end(&c);
    assert_non_null(table_again(&c, 0, map("x")));
    assert_int_equal(table_keep(&c, 3 + TABLE_BUCKETS, map("x"), NULL), ERR_OK);
    assert_int_equal(c.n, 3);
    assert_null(table_again(&c, 1, map("x")));
    assert_non_null(table_again(&c, 2, map("x")));
    table_forget_all(&c);
    assert_int_equal(c.n, 0);
}

/* Wherever it lies. */
static void
the_oldest_of_all_makes_room(void **state)
{
    static const uint64_t ids[] = { 0, TABLE_BUCKETS / 2, TABLE_BUCKETS - 1 };
    static struct table_cache c = { .max = 3 };

    (void)state;
    for (size_t first = 0; first < COUNT(ids); first++) {
        for (size_t i = 0; i < COUNT(ids); i++)
            assert_int_equal(
                table_keep(&c, ids[(first + i) % 3], map("x"), NULL), ERR_OK);
        table_scope_end(&c);
        assert_int_equal(table_keep(&c, 7, map("x"), NULL), ERR_OK);
        assert_null(table_again(&c, ids[first], map("x")));
        assert_non_null(table_again(&c, ids[(first + 1) % 3], map("x")));
        assert_non_null(table_again(&c, ids[(first + 2) % 3], map("x")));
        table_forget_all(&c);
    }
}

/* ---- rows ---- */

struct rows {
    struct binlog_table *t;
    struct binlog_decoder *d;
    struct bytes b;
    struct binlog_row row;
};

static enum err
begin_rows(struct rows *r, struct binlog_table *t, const void *p, size_t n,
           enum binlog_kind kind)
{
    struct binlog_rows rows;

    *r = (struct rows){ .t = t, .d = binlog_decoder_new(1u << 20) };
    r->b = bytes_copy(p, n);
    rows = (struct binlog_rows){ t, kind, r->b.p, r->b.n };
    return binlog_decode(r->d, &rows);
}

static void
end_rows(struct rows *r)
{
    binlog_decoder_free(r->d);
    free(r->b.p);
}

static void
a_real_row_is_read(void **state)
{
    struct binlog_table *t = table_of(map_hex);
    struct bytes b = bytes_of(rows_hex);
    struct cursor c = cursor_on(b.p, b.n);
    struct rows_head h;
    const struct binlog_value *v;
    struct rows r;

    (void)state;
    assert_int_equal(rows_head(&c, false, &h, &why), ERR_OK);
    assert_int_equal(h.table_id, 0x12);
    assert_true(h.ends);
    assert_int_equal(begin_rows(&r, t, c.p, cursor_left(&c), BINLOG_INSERT),
                     ERR_OK);
    assert_int_equal(binlog_decode_next(r.d, &r.row), ERR_OK);
    assert_null(r.row.before);
    v = r.row.after;
    assert_int_equal(v[0].form, BINLOG_U64);
    assert_int_equal(v[0].u, 1);
    assert_int_equal(v[1].form, BINLOG_I64);
    assert_int_equal(v[1].i, -2);
    assert_int_equal(v[2].n, 1);
    assert_memory_equal(v[2].p, "\xe9", 1);
    assert_int_equal(v[3].u, 2);
    assert_int_equal(v[4].u, 3);
    assert_int_equal(v[5].n, 25);
    assert_int_equal(v[6].i, -1);
    assert_int_equal(v[12].n, 80);
    assert_int_equal(v[12].p[79], 'a');
    assert_int_equal(v[13].n, 80);
    assert_int_equal(v[13].p[0], 'b');
    assert_int_equal(v[15].n, 7); /* its zeros are back */
    assert_memory_equal(v[15].p, "bb\0\0\0\0\0", 7);
    assert_int_equal(binlog_decode_next(r.d, &r.row), ERR_NOT_FOUND);
    end_rows(&r);
    free(b.p);
    binlog_table_let_go(t);
}

/* Every column is looked at before it is read: where a row is cut, that is
 * what it is, and nothing behind its end is touched (by the sanitizer). */
static void
a_row_cut_anywhere_is_refused(void **state)
{
    struct binlog_table *t = table_of(map_hex);
    struct bytes b = bytes_of(rows_hex);

    (void)state;
    for (size_t n = 8; n < b.n; n++) {
        struct rows r;
        enum err e = begin_rows(&r, t, b.p + 8, n - 8, BINLOG_INSERT);

        if (e == ERR_OK)
            e = binlog_decode_next(r.d, &r.row);
        if (n == 8 + 3) /* no row at all */
            assert_int_equal(e, ERR_NOT_FOUND);
        else
            assert_int_equal(e, ERR_STATE);
        if (e == ERR_STATE)
            assert_int_equal(binlog_decoder_failure(r.d)->fault,
                             BINLOG_FAULT_CUT);
        end_rows(&r);
    }
    free(b.p);
    binlog_table_let_go(t);
}

static enum binlog_fault
fault_of(const char *map_text, const char *hex, enum binlog_kind kind)
{
    struct binlog_table *t = table_of(map_text);
    struct bytes b = bytes_of(hex);
    struct rows r;
    enum binlog_fault f;
    enum err e = begin_rows(&r, t, b.p, b.n, kind);

    while (e == ERR_OK)
        e = binlog_decode_next(r.d, &r.row);
    f = e == ERR_NOT_FOUND ? BINLOG_FAULT_NONE
                           : binlog_decoder_failure(r.d)->fault;
    end_rows(&r);
    free(b.p);
    binlog_table_let_go(t);
    return f;
}

static void
an_image_in_part_is_refused(void **state)
{
    static const char two[] = HEAD "02 0303 00 00 04 04 01 63 01 64";

    (void)state;
    assert_int_equal(fault_of(two, "02 03 00 01000000 02000000", BINLOG_INSERT),
                     BINLOG_FAULT_NONE);
    assert_int_equal(fault_of(two, "02 01 00 01000000", BINLOG_INSERT),
                     BINLOG_FAULT_IMAGE);
    assert_int_equal(fault_of(two, "02 03 02 00 01000000 02000000 00 02000000",
                              BINLOG_UPDATE),
                     BINLOG_FAULT_IMAGE);
    assert_int_equal(
        fault_of(two, "03 07 00 01000000 02000000 03000000", BINLOG_INSERT),
        BINLOG_FAULT_CUT); /* another number of columns */
}

static void
values_that_their_type_cannot_have_are_refused(void **state)
{
    static const struct {
        const char *map, *row;
        enum binlog_fault fault;
    } rows[] = {
        /* ENUM of two: 0, 2, 3 */
        { HEAD "01 fe 02 f701 00 06 05 02 01 78 01 79" NAMES, "01 01 00 00",
          BINLOG_FAULT_NONE },
        { HEAD "01 fe 02 f701 00 06 05 02 01 78 01 79" NAMES, "01 01 00 02",
          BINLOG_FAULT_NONE },
        { HEAD "01 fe 02 f701 00 06 05 02 01 78 01 79" NAMES, "01 01 00 03",
          BINLOG_FAULT_VALUE },
        { HEAD "01 fe 02 f801 00 05 05 02 01 78 01 79" NAMES, "01 01 00 03",
          BINLOG_FAULT_NONE },
        { HEAD "01 fe 02 f801 00 05 05 02 01 78 01 79" NAMES, "01 01 00 04",
          BINLOG_FAULT_VALUE },
        /* BIT(7) */
        { HEAD "01 10 02 0700 00" NAMES, "01 01 00 7f", BINLOG_FAULT_NONE },
        { HEAD "01 10 02 0700 00" NAMES, "01 01 00 80", BINLOG_FAULT_VALUE },
        /* VARCHAR(2), CHAR(2) */
        { HEAD "01 0f 02 0200 00" NAMES, "01 01 00 02 7878",
          BINLOG_FAULT_NONE },
        { HEAD "01 0f 02 0200 00" NAMES, "01 01 00 03 787878",
          BINLOG_FAULT_VALUE },
        { HEAD "01 fe 02 fe02 00" NAMES, "01 01 00 03 787878",
          BINLOG_FAULT_VALUE },
        /* DECIMAL(2,0), TIME(2), DATE, DATETIME, TIMESTAMP(2) */
        { HEAD "01 f6 02 0200 00" NAMES, "01 01 00 e4", BINLOG_FAULT_VALUE },
        { HEAD "01 13 01 02 00" NAMES, "01 01 00 800000 64",
          BINLOG_FAULT_VALUE },
        { HEAD "01 0a 00 00" NAMES, "01 01 00 ffffff", BINLOG_FAULT_VALUE },
        { HEAD "01 12 01 00 00" NAMES, "01 01 00 0000000000",
          BINLOG_FAULT_VALUE },
        { HEAD "01 11 01 02 00" NAMES, "01 01 00 00000000 64",
          BINLOG_FAULT_VALUE },
        /* JSON; COMPRESSED of a method that is none */
        { HEAD "01 f5 01 04 00" NAMES, "01 01 00 03000000 05ffff",
          BINLOG_FAULT_NONE },
        { HEAD "01 f5 01 04 00" NAMES, "01 01 00 02000000 05ff",
          BINLOG_FAULT_VALUE },
        { HEAD "01 8c 01 01 00" NAMES, "01 01 00 00", BINLOG_FAULT_NONE },
        { HEAD "01 8c 01 01 00" NAMES, "01 01 00 02 0078", BINLOG_FAULT_NONE },
        { HEAD "01 8c 01 01 00" NAMES, "01 01 00 03 710178",
          BINLOG_FAULT_VALUE },
        /* YEAR is any byte */
        { HEAD "01 0d 00 00" NAMES, "01 01 00 ff", BINLOG_FAULT_NONE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (fault_of(rows[i].map, rows[i].row, BINLOG_INSERT) != rows[i].fault)
            fail_msg("%s: %s", rows[i].map, rows[i].row);
}

static void
integers_have_their_signs(void **state)
{
    static const struct {
        const char *map, *row;
        int64_t i;
        uint64_t u;
    } rows[] = {
        { "01 01 00 00", "01 01 00 80", -128, 128 },
        { "01 02 00 00", "01 01 00 0080", -32768, 32768 },
        { "01 09 00 00", "01 01 00 000080", -8388608, 8388608 },
        { "01 03 00 00", "01 01 00 00000080", INT32_MIN, 2147483648 },
        { "01 08 00 00", "01 01 00 0000000000000080", INT64_MIN,
          UINT64_C(1) << 63 },
    };
    char hex[256];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int is_unsigned = 0; is_unsigned < 2; is_unsigned++) {
            struct binlog_table *t;
            struct bytes b = bytes_of(rows[i].row);
            struct rows r;

            (void)snprintf(hex, sizeof(hex), HEAD "%s 01 01 %s" NAMES,
                           rows[i].map, is_unsigned ? "80" : "00");
            t = table_of(hex);
            assert_int_equal(begin_rows(&r, t, b.p, b.n, BINLOG_DELETE),
                             ERR_OK);
            assert_int_equal(binlog_decode_next(r.d, &r.row), ERR_OK);
            assert_null(r.row.after);
            assert_int_equal(r.row.before[0].form,
                             is_unsigned ? BINLOG_U64 : BINLOG_I64);
            if (is_unsigned)
                assert_int_equal(r.row.before[0].u, rows[i].u);
            else
                assert_int_equal(r.row.before[0].i, rows[i].i);
            end_rows(&r);
            free(b.p);
            binlog_table_let_go(t);
        }
    }
}

static void
numbers_with_a_point_have_their_size(void **state)
{
    static const struct {
        const char *map, *row;
        int form;
        double f;
    } rows[] = {
        { HEAD "01 04 01 04 00" NAMES, "01 01 00 0000c03f", BINLOG_F32, 1.5 },
        { HEAD "01 04 01 04 00" NAMES, "01 01 00 000000c0", BINLOG_F32, -2 },
        { HEAD "01 05 01 08 00" NAMES, "01 01 00 000000000000f83f", BINLOG_F64,
          1.5 },
        { HEAD "01 05 01 08 00" NAMES, "01 01 00 9a9999999999b9bf", BINLOG_F64,
          -0.1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct binlog_table *t = table_of(rows[i].map);
        struct bytes b = bytes_of(rows[i].row);
        struct rows r;

        assert_int_equal(begin_rows(&r, t, b.p, b.n, BINLOG_INSERT), ERR_OK);
        assert_int_equal(binlog_decode_next(r.d, &r.row), ERR_OK);
        assert_int_equal(r.row.after[0].form, rows[i].form);
        assert_memory_equal(&r.row.after[0].f, &rows[i].f, sizeof(double));
        end_rows(&r);
        free(b.p);
        binlog_table_let_go(t);
    }
}

/* The text of a document moves while it grows; both images have theirs. */
static void
documents_of_both_images_stay(void **state)
{
    struct binlog_table *t =
        table_of(HEAD "02 f5f5 02 0404 03 04 04 01 63 01 64");
    struct bytes b = bytes_of("02 03 03"
                              "00 03000000 050100 03000000 050200"
                              "02 04000000 0c026162");
    struct rows r;

    (void)state;
    assert_int_equal(begin_rows(&r, t, b.p, b.n, BINLOG_UPDATE), ERR_OK);
    assert_int_equal(binlog_decode_next(r.d, &r.row), ERR_OK);
    assert_int_equal(r.row.before[0].n, 1);
    assert_memory_equal(r.row.before[0].p, "1", 1);
    assert_memory_equal(r.row.before[1].p, "2", 1);
    assert_int_equal(r.row.after[0].n, 4);
    assert_memory_equal(r.row.after[0].p, "\"ab\"", 4);
    assert_int_equal(r.row.after[1].form, BINLOG_NULL);
    end_rows(&r);
    free(b.p);
    binlog_table_let_go(t);
}

static void
a_row_has_a_bound(void **state)
{
    struct binlog_table *t = table_of(HEAD "01 f5 01 04 00" NAMES);
    struct bytes b = bytes_of("01 01 00 05000000 0c03616263");
    struct binlog_rows rows = { t, BINLOG_INSERT, b.p, b.n };
    struct binlog_decoder *d = binlog_decoder_new(4);
    struct binlog_row row;

    (void)state;
    assert_int_equal(binlog_decode(d, &rows), ERR_OK);
    assert_int_equal(binlog_decode_next(d, &row), ERR_LIMIT);
    assert_int_equal(binlog_decoder_failure(d)->fault, BINLOG_FAULT_LIMIT);
    binlog_decoder_free(d);
    free(b.p);
    binlog_table_let_go(t);
}

static void
v2_has_more_in_front(void **state)
{
    struct bytes b = bytes_of("120000000000 0000 0500 aabbcc 01");
    struct cursor c = cursor_on(b.p, b.n);
    struct rows_head h;

    (void)state;
    assert_int_equal(rows_head(&c, true, &h, &why), ERR_OK);
    assert_false(h.ends);
    assert_int_equal(cursor_left(&c), 1);
    b.p[8] = 1; /* less than itself */
    c = cursor_on(b.p, b.n);
    assert_int_equal(rows_head(&c, true, &h, &why), ERR_STATE);
    b.p[8] = 7;
    c = cursor_on(b.p, b.n);
    assert_int_equal(rows_head(&c, true, &h, &why), ERR_STATE);
    free(b.p);
}

static void
the_prefix_is_measured(void **state)
{
    struct bytes b = bytes_of("0a ffff ffff 0102");

    (void)state;
    assert_int_equal(rows_prefix(cursor_on(b.p, b.n), false), 3);
    assert_int_equal(rows_prefix(cursor_on(b.p, b.n), true), 5);
    assert_int_equal(rows_prefix(cursor_on(b.p, 4), true), 0);
    assert_int_equal(rows_prefix(cursor_on(b.p, 0), false), 0);
    memcpy(b.p, "\xfe\xff\xff\xff\xff", 5);
    assert_int_equal(rows_prefix(cursor_on(b.p, b.n), false), 0);
    free(b.p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_table_is_read),
        cmocka_unit_test(a_table_cut_anywhere_is_refused),
        cmocka_unit_test(every_type_needs_its_size),
        cmocka_unit_test(what_no_server_writes_is_refused),
        cmocka_unit_test(metadata_of_mysql_is_read),
        cmocka_unit_test(old_times_are_for_mysql),
        cmocka_unit_test(a_table_without_names_is_described),
        cmocka_unit_test(a_table_is_known_by_its_bytes),
        cmocka_unit_test(tables_that_lie_together_are_told_apart),
        cmocka_unit_test(the_oldest_makes_room_but_not_in_its_statement),
        cmocka_unit_test(the_oldest_of_all_makes_room),
        cmocka_unit_test(a_real_row_is_read),
        cmocka_unit_test(a_row_cut_anywhere_is_refused),
        cmocka_unit_test(an_image_in_part_is_refused),
        cmocka_unit_test(values_that_their_type_cannot_have_are_refused),
        cmocka_unit_test(integers_have_their_signs),
        cmocka_unit_test(numbers_with_a_point_have_their_size),
        cmocka_unit_test(documents_of_both_images_stay),
        cmocka_unit_test(a_row_has_a_bound),
        cmocka_unit_test(v2_has_more_in_front),
        cmocka_unit_test(the_prefix_is_measured),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
