/* Events that follow each other: what a taker is told, and what is out of
 * place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream.h"

static struct stream s;

static int
setup(void **state)
{
    (void)state;
    if (!stream_open(&s))
        return -1;
    feed_begin(&s.f, true, false);
    return give_rotate(&s, "log.1", EVENT_IS_ARTIFICIAL) == ERR_OK &&
                   give_format(&s, false) == ERR_OK
               ? 0
               : -1;
}

static int
teardown(void **state)
{
    (void)state;
    feed_fini(&s.f);
    return 0;
}

static void
ok(enum err e)
{
    if (e != ERR_OK)
        fail_msg("%s", s.f.failure.why);
}

static void
bad(enum err e, enum binlog_fault fault)
{
    assert_int_not_equal(e, ERR_OK);
    if (s.f.failure.fault != fault)
        fail_msg("%s: %s", binlog_fault_name(s.f.failure.fault),
                 s.f.failure.why);
    assert_int_equal(e, s.f.failure.err);
}

static void
said(const char *text)
{
    assert_string_equal(s.said, text);
    s.said[s.n = 0] = '\0';
}

static void
done(const char *text)
{
    struct buf b = BUF_INIT(4096);

    binlog_gtids_print(s.f.done, &b);
    assert_string_equal(buf_text(&b), text);
    buf_free(&b);
}

/* ---- MariaDB ---- */

static void
a_transaction_has_rows_and_an_end(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, 0));
    ok(give_table(&s, 5, "t"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, false));
    ok(give_rows_of(&s, EVENT_UPDATE_ROWS_V1, 5, true));
    ok(give_table(&s, 5, "t"));
    ok(give_rows_of(&s, EVENT_DELETE_ROWS_V1, 5, true));
    done("");
    ok(give_xid(&s));
    said(" begin(0-1-1) wants:t insert:t update:t delete:t commit");
    done("0-1-1");
    ok(give_gtid(&s, 2, 0)); /* of a table without transactions */
    ok(give_table(&s, 5, "t"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true));
    ok(give_query(&s, "COMMIT"));
    said(" begin(0-1-2) insert:t commit");
    done("0-1-2");
}

static void
a_statement_by_itself_is_a_transaction(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, ALONE_FLAG));
    ok(give_query(&s, "CREATE TABLE t (a INT)"));
    said(" begin(0-1-1) {CREATE TABLE t (a INT)} commit");
    ok(give_gtid(&s, 2, ALONE_FLAG));
    ok(give_query(&s, "# Dummy event"));
    said(" begin(0-1-2) commit");
    ok(give_gtid(&s, 3, 0)); /* CREATE TABLE ... SELECT */
    ok(give_query(&s, "CREATE TABLE u (a INT)"));
    ok(give_table(&s, 6, "u"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 6, true));
    ok(give_xid(&s));
    said(" begin(0-1-3) {CREATE TABLE u (a INT)} wants:u insert:u commit");
}

static void
an_alter_in_two_parts_is_told_once(void **state)
{
    (void)state;
    ok(give_hex(&s, EVENT_GTID, "0100000000000000 00000000 01 02 0000000000"));
    ok(give_query(&s, "ALTER TABLE t ADD x INT"));
    ok(give_hex(&s, EVENT_GTID,
                "0200000000000000 00000000 01 04 0100000000000000"));
    ok(give_query(&s, "ALTER TABLE t ADD x INT"));
    ok(give_hex(&s, EVENT_GTID, "0300000000000000 00000000 01 02 0000000000"));
    ok(give_query(&s, "ALTER TABLE t ADD y INT"));
    ok(give_hex(&s, EVENT_GTID,
                "0400000000000000 00000000 01 08 0300000000000000"));
    ok(give_query(&s, "ALTER TABLE t ADD y INT"));
    said(" begin(0-1-1) commit"
         " begin(0-1-2) {ALTER TABLE t ADD x INT} commit"
         " begin(0-1-3) commit begin(0-1-4) commit");
}

static void
what_is_rolled_back_is_an_empty_transaction(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, 0));
    ok(give_table(&s, 5, "t"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true));
    ok(give_query(&s, "ROLLBACK"));
    said(" begin(0-1-1) wants:t insert:t drop begin(0-1-1) commit");
    done("0-1-1");
}

static void
savepoints_are_told_to_who_takes_them(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, 0));
    ok(give_query(&s, "SAVEPOINT `a`"));
    ok(give_query(&s, "RELEASE SAVEPOINT `a`"));
    bad(give_query(&s, "ROLLBACK TO `a`"), BINLOG_FAULT_SAVEPOINT);
    s.taker.savepoint = stream_savepoint;
    s.taker.rollback_to = stream_rollback_to;
    ok(give_query(&s, "SAVEPOINT `a`"));
    ok(give_query(&s, "ROLLBACK TO `a`"));
    ok(give_xid(&s));
    said(" begin(0-1-1) savepoint:a back:a commit");
}

static void
xa_is_told_to_who_takes_it(void **state)
{
    (void)state;
    bad(give_gtid(&s, 1, PREPARED_FLAG), BINLOG_FAULT_XA);
    said("");
    s.taker.xa = stream_xa;
    ok(give_gtid(&s, 1, PREPARED_FLAG));
    ok(give_table(&s, 5, "t"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true));
    ok(give_query(&s, "XA END X'78',X'',1"));
    ok(give_hex(&s, EVENT_XA_PREPARE, "00 01000000 01000000 00000000 78"));
    ok(give_gtid(&s, 2, ALONE_FLAG | COMPLETED_FLAG));
    ok(give_query(&s, "XA COMMIT X'78',X'',1"));
    ok(give_gtid(&s, 3, ALONE_FLAG | COMPLETED_FLAG));
    ok(give_query(&s, "XA ROLLBACK X'78',X'',1"));
    said(" begin(0-1-1) wants:t insert:t prepared"
         " begin(0-1-2) xa_commit:x commit begin(0-1-3) xa_rollback:x commit");
    s.taker.xa = NULL;
    ok(give_gtid(&s, 4, ALONE_FLAG | COMPLETED_FLAG));
    bad(give_query(&s, "XA COMMIT X'78',X'',1"), BINLOG_FAULT_XA);
}

static void
rows_changed_by_a_statement_are_refused(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, 0));
    bad(give_query(&s, "UPDATE t SET a = 1"), BINLOG_FAULT_STATEMENT);
    s.taker.dml = stream_dml;
    ok(give_query(&s, "UPDATE t SET a = 1"));
    said(" begin(0-1-1) dml{UPDATE t SET a = 1}");
    ok(give_xid(&s));
    s.taker.dml = NULL;
    ok(give_gtid(&s, 2, ALONE_FLAG));
    bad(give_query(&s, "CREATE TABLE u SELECT 1"), BINLOG_FAULT_STATEMENT);
}

/* ---- MySQL ---- */

static void
mysql_says_by_its_first_statement_what_it_is(void **state)
{
    (void)state;
    feed_begin(&s.f, false, false);
    ok(give_format(&s, false));
    ok(give_gtid_mysql(&s, 1));
    ok(give_query(&s, "BEGIN"));
    ok(give_table(&s, 5, "t"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS, 5, false));
    ok(give_rows_of(&s, EVENT_UPDATE_ROWS, 5, false));
    ok(give_rows_of(&s, EVENT_DELETE_ROWS, 5, true));
    ok(give_xid(&s));
    said(" begin(:1) wants:t insert:t update:t delete:t commit");
    ok(give_gtid_mysql(&s, 2));
    ok(give_query(&s, "DROP TABLE t"));
    said(" begin(:2) {DROP TABLE t} commit");
    ok(give_gtid_mysql(&s, 3));
    ok(give_query(&s, "BEGIN"));
    ok(give_query(&s, "COMMIT"));
    said(" begin(:3) commit");
    done("00112233-4455-6677-8899-aabbccddeeff:1-3");
}

static void
mysql_says_at_the_end_what_was_prepared(void **state)
{
    (void)state;
    feed_begin(&s.f, false, false);
    ok(give_format(&s, false));
    s.taker.xa = stream_xa;
    ok(give_gtid_mysql(&s, 1));
    ok(give_query(&s, "XA START X'78',X'',1"));
    ok(give_query(&s, "XA END X'78',X'',1"));
    ok(give_hex(&s, EVENT_XA_PREPARE, "00 01000000 01000000 00000000 78"));
    ok(give_gtid_mysql(&s, 2));
    ok(give_query(&s, "XA COMMIT X'78',X'',1"));
    said(" begin(:1) prepared begin(:2) xa_commit:x commit");
    s.taker.xa = NULL; /* in one phase it is like any other */
    ok(give_gtid_mysql(&s, 3));
    ok(give_query(&s, "XA START X'78',X'',1"));
    ok(give_hex(&s, EVENT_XA_PREPARE, "01 01000000 01000000 00000000 78"));
    said(" begin(:3) commit");
    ok(give_gtid_mysql(&s, 4));
    ok(give_query(&s, "XA START X'78',X'',1"));
    bad(give_hex(&s, EVENT_XA_PREPARE, "00 01000000 01000000 00000000 78"),
        BINLOG_FAULT_XA);
}

/* ---- tables ---- */

static void
a_table_that_is_not_wanted_is_not_read(void **state)
{
    (void)state;
    s.skipped = "u";
    ok(give_gtid(&s, 1, 0));
    /* VECTOR, which nothing here can read */
    ok(give_hex(&s, EVENT_TABLE_MAP,
                "05 0000000000 0100 01 6400 01 7500 01 f2 01 04 00"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, false));
    ok(give_table(&s, 6, "t"));
    bad(give_hex(&s, EVENT_TABLE_MAP,
                 "07 0000000000 0100 01 6400 01 7600 01 f2 01 04 00"),
        BINLOG_FAULT_TYPE);
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 6, true));
    ok(give_xid(&s));
    ok(give_gtid(&s, 2, 0)); /* it is asked once */
    ok(give_hex(&s, EVENT_TABLE_MAP,
                "05 0000000000 0100 01 6400 01 7500 01 f2 01 04 00"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true));
    ok(give_xid(&s));
    said(" begin(0-1-1) wants:u wants:t wants:v insert:t commit"
         " begin(0-1-2) commit");
}

static void
rows_need_a_table_of_their_statement(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, 0));
    bad(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, false), BINLOG_FAULT_TABLE);
    ok(give_table(&s, 5, "t"));
    ok(give_table(&s, 6, "u"));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, false));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 6, true));
    bad(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true), BINLOG_FAULT_TABLE);
    ok(give_table(&s, 5, "t"));
    /* no rows: the end of the statement */
    ok(give_hex(&s, EVENT_WRITE_ROWS_V1, "ffffff000000 0100 01 01"));
    bad(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true), BINLOG_FAULT_TABLE);
    bad(give_hex(&s, EVENT_WRITE_ROWS_V1, "ffffff000000 0000 01 01"),
        BINLOG_FAULT_TABLE);
    ok(give_table(&s, 5, "t"));
    ok(give_xid(&s));
    ok(give_gtid(&s, 2, 0));
    bad(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true), BINLOG_FAULT_TABLE);
}

static void
rows_without_a_column_are_refused(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, 0));
    ok(give_table(&s, 5, "t"));
    bad(give_hex(&s, EVENT_WRITE_ROWS_V1, "050000000000 0000 01 00 00"),
        BINLOG_FAULT_IMAGE);
    bad(give_hex(&s, EVENT_UPDATE_ROWS_V1, "050000000000 0000 01 01 00 00"),
        BINLOG_FAULT_IMAGE);
    bad(give_hex(&s, EVENT_WRITE_ROWS_V1, "050000000000 0000 02 03 00"),
        BINLOG_FAULT_CUT);
    said(" begin(0-1-1) wants:t");
}

static void
another_definition_is_another_table(void **state)
{
    struct table_entry *first;

    (void)state;
    ok(give_gtid(&s, 1, 0));
    ok(give_table(&s, 5, "t"));
    first = table_find(&s.f.tables, 5);
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true));
    ok(give_table(&s, 5, "t"));
    assert_ptr_equal(table_find(&s.f.tables, 5), first);
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true));
    ok(give_hex(&s, EVENT_TABLE_MAP,
                "05 0000000000 0100 01 6400 01 7400 01 03 00 00 04 02 01 64"));
    assert_string_equal(table_find(&s.f.tables, 5)->table->column[0].name, "d");
    said(" begin(0-1-1) wants:t insert:t insert:t wants:t");
}

static enum err
describe(void *ctx, struct binlog_table *t)
{
    struct stream *st = ctx;

    say(st, " describe:%s", t->name);
    if (st->answer != ERR_OK)
        return stream_answer(st);
    return binlog_table_describe(
        t, &(const struct binlog_description){ .name = "c" }, 1);
}

static void
a_table_without_names_needs_a_description(void **state)
{
    static const char hex[] = "05 0000000000 0100 01 6400 01 7400 01 03 00 00";

    (void)state;
    ok(give_gtid(&s, 1, 0));
    bad(give_hex(&s, EVENT_TABLE_MAP, hex), BINLOG_FAULT_METADATA);
    s.taker.describe = describe;
    s.answer = ERR_NOT_FOUND;
    bad(give_hex(&s, EVENT_TABLE_MAP, hex), BINLOG_FAULT_TAKER);
    ok(give_hex(&s, EVENT_TABLE_MAP, hex));
    ok(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true));
    ok(give_hex(&s, EVENT_TABLE_MAP, hex)); /* once */
    said(" begin(0-1-1) wants:t wants:t describe:t wants:t describe:t"
         " insert:t");
}

/* ---- what is out of place ---- */

static void
nothing_comes_out_of_place(void **state)
{
    (void)state;
    bad(give_xid(&s), BINLOG_FAULT_ORDER);
    bad(give_query(&s, "COMMIT"), BINLOG_FAULT_ORDER);
    bad(give_query(&s, "DROP TABLE t"), BINLOG_FAULT_ORDER);
    bad(give_table(&s, 5, "t"), BINLOG_FAULT_ORDER);
    bad(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true), BINLOG_FAULT_ORDER);
    bad(give_hex(&s, EVENT_XA_PREPARE, "01 01000000 01000000 00000000 78"),
        BINLOG_FAULT_ORDER);
    said("");
    ok(give_gtid(&s, 1, ALONE_FLAG));
    bad(give_table(&s, 5, "t"), BINLOG_FAULT_ORDER);
    bad(give_xid(&s), BINLOG_FAULT_ORDER);
    bad(give_query(&s, "COMMIT"), BINLOG_FAULT_ORDER);
    bad(give_query(&s, "BEGIN"), BINLOG_FAULT_ORDER);
    ok(give_query(&s, "DROP TABLE t"));
    ok(give_gtid(&s, 2, 0));
    bad(give_gtid(&s, 3, 0), BINLOG_FAULT_ORDER);
    bad(give_query(&s, "BEGIN"), BINLOG_FAULT_ORDER);
    bad(give_query(&s, "XA COMMIT X'78',X'',1"), BINLOG_FAULT_ORDER);
    bad(give_rotate(&s, "log.2", 0), BINLOG_FAULT_ORDER);
    bad(give_format(&s, false), BINLOG_FAULT_ORDER);
    assert_non_null(strstr(s.f.failure.why, "log.1:"));
    assert_non_null(strstr(s.f.failure.why, "GTID 0-1-2"));
    ok(give_xid(&s));
}

static void
nothing_is_taken_twice(void **state)
{
    (void)state;
    ok(give_gtid(&s, 5, 0));
    ok(give_xid(&s));
    said(" begin(0-1-5) commit");
    bad(give_gtid(&s, 5, 0), BINLOG_FAULT_BACKWARDS);
    bad(give_gtid(&s, 4, 0), BINLOG_FAULT_BACKWARDS);
    said("");
    ok(give_gtid(&s, 9, 0)); /* numbers may be left out */
}

static void
what_stands_before_a_file_has_been_taken(void **state)
{
    (void)state;
    ok(give_hex(&s, EVENT_GTID_LIST, "00000000"));
    bad(give_hex(&s, EVENT_GTID_LIST,
                 "01000000 00000000 01000000 0100000000000000"),
        BINLOG_FAULT_GAP);
    ok(give_gtid(&s, 1, 0));
    ok(give_xid(&s));
    ok(give_hex(&s, EVENT_GTID_LIST,
                "01000000 00000000 01000000 0100000000000000"));
    bad(give_hex(&s, EVENT_GTID_LIST,
                 "02000000 00000000 01000000 0100000000000000"
                 "01000000 01000000 0100000000000000"),
        BINLOG_FAULT_GAP);
    feed_begin(&s.f, false, false);
    assert_int_equal(binlog_gtids_parse(s.f.done, ""), ERR_OK);
    ok(give_format(&s, false));
    ok(give_hex(&s, EVENT_PREVIOUS_GTIDS, "0000000000000000"));
    bad(give_hex(&s, EVENT_PREVIOUS_GTIDS,
                 "0100000000000000 00112233445566778899aabbccddeeff"
                 "0100000000000000 0100000000000000 0200000000000000"),
        BINLOG_FAULT_GAP);
    ok(give_gtid_mysql(&s, 1));
    ok(give_query(&s, "DROP TABLE t"));
    ok(give_hex(&s, EVENT_PREVIOUS_GTIDS,
                "0100000000000000 00112233445566778899aabbccddeeff"
                "0100000000000000 0100000000000000 0200000000000000"));
}

/* It was killed in the middle of a transaction, and has begun a new file. */
static void
a_server_that_has_started_anew_ends_what_it_had_begun(void **state)
{
    (void)state;
    ok(give_gtid(&s, 1, 0));
    ok(give_table(&s, 5, "t"));
    ok(give_rotate(&s, "log.2", EVENT_IS_ARTIFICIAL));
    ok(give_format(&s, true));
    said(" begin(0-1-1) wants:t drop");
    done("");
    ok(give_gtid(&s, 1, 0)); /* the number is used again */
    bad(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, true), BINLOG_FAULT_TABLE);
    ok(give_xid(&s));
    said(" begin(0-1-1) commit");
    assert_string_equal(s.f.file, "log.2");
}

static void
what_must_not_be_passed_over_is_refused(void **state)
{
    static const struct {
        unsigned type;
        enum binlog_fault fault;
    } events[] = {
        { 6, BINLOG_FAULT_STATEMENT },  { 9, BINLOG_FAULT_STATEMENT },
        { 18, BINLOG_FAULT_STATEMENT }, { 26, BINLOG_FAULT_INCIDENT },
        { 34, BINLOG_FAULT_SETTING },   { 39, BINLOG_FAULT_PART },
        { 40, BINLOG_FAULT_PAYLOAD },   { 164, BINLOG_FAULT_ENCRYPTED },
        { 42, BINLOG_FAULT_UNKNOWN },   { 0, BINLOG_FAULT_UNKNOWN },
        { 172, BINLOG_FAULT_UNKNOWN },  { 255, BINLOG_FAULT_UNKNOWN },
        { 20, BINLOG_FAULT_UNKNOWN },
    };
    static const uint8_t harmless[] = {
        3, 5, 13, 14, 28, 29, 36, 37, 160, 161
    };

    (void)state;
    for (size_t i = 0; i < COUNT(events); i++)
        bad(give(&s, events[i].type, 0, "", 0), events[i].fault);
    for (size_t i = 0; i < COUNT(harmless); i++)
        ok(give(&s, harmless[i], 0, "", 0));
    ok(give(&s, 200, EVENT_IS_IGNORABLE, "", 0));
    bad(give(&s, 40, EVENT_IS_IGNORABLE, "", 0), BINLOG_FAULT_PAYLOAD);
    said("");
}

/* ---- the rest ---- */

static void
an_idle_server_is_told_between_transactions(void **state)
{
    (void)state;
    ok(give(&s, EVENT_HEARTBEAT, 0, "log.1", 5));
    ok(give_gtid(&s, 1, 0));
    ok(give(&s, EVENT_HEARTBEAT, 0, "log.1", 5));
    ok(give_xid(&s));
    ok(give(&s, EVENT_HEARTBEAT_V2, 0, "log.1", 5));
    said(" idle begin(0-1-1) commit idle");
}

static void
what_the_taker_refuses_ends_it(void **state)
{
    (void)state;
    s.answer = ERR_LIMIT;
    bad(give_gtid(&s, 1, 0), BINLOG_FAULT_TAKER);
    assert_int_equal(s.f.failure.err, ERR_LIMIT);
    said(" begin(0-1-1)");
    ok(give_gtid(&s, 1, 0));
    ok(give_table(&s, 5, "t"));
    s.answer = ERR_STATE;
    bad(give_rows_of(&s, EVENT_WRITE_ROWS_V1, 5, false), BINLOG_FAULT_TAKER);
    s.answer = ERR_PEER;
    bad(give_xid(&s), BINLOG_FAULT_TAKER);
    done(""); /* not taken */
    feed_end(&s.f);
    said(" begin(0-1-1) wants:t insert:t commit drop");
}

static void
a_connection_that_ends_drops_what_was_begun(void **state)
{
    (void)state;
    feed_end(&s.f);
    said("");
    ok(give_gtid(&s, 1, 0));
    feed_end(&s.f);
    said(" begin(0-1-1) drop");
    feed_begin(&s.f, true, false);
    bad(give_gtid(&s, 1, 0), BINLOG_FAULT_ORDER); /* before the format */
    ok(give_format(&s, false));
    ok(give_gtid(&s, 1, 0));
}

static void
sums_are_as_the_file_says(void **state)
{
    (void)state;
    s.crc = true;
    feed_begin(&s.f, true, true);
    ok(give_rotate(&s, "log.2", EVENT_IS_ARTIFICIAL));
    ok(give_format(&s, false));
    ok(give_gtid(&s, 1, 0));
    s.crc = false;
    bad(give_xid(&s), BINLOG_FAULT_SUM);
    s.crc = true;
    ok(give_xid(&s));
    s.crc = false; /* the next file has none */
    ok(give_rotate(&s, "log.3", EVENT_IS_ARTIFICIAL));
    assert_string_equal(s.f.file, "log.3");
    ok(give_format(&s, false));
    ok(give_gtid(&s, 2, 0));
    ok(give_xid(&s));
    said(" begin(0-1-1) commit begin(0-1-2) commit");
}

static void
compressed_events_are_unpacked(void **state)
{
    static const char sql[] = "DROP TABLE t";
    uint8_t body[256] = { [8] = 1 };
    uLong n = sizeof(body) - 17;

    (void)state;
    body[13] = 'd';
    body[15] = 0x81;
    body[16] = sizeof(sql) - 1;
    assert_int_equal(
        compress(body + 17, &n, (const Bytef *)sql, sizeof(sql) - 1), Z_OK);
    ok(give_gtid(&s, 1, ALONE_FLAG));
    ok(give(&s, EVENT_QUERY_COMPRESSED, 0, body, 17 + n));
    said(" begin(0-1-1) {DROP TABLE t} commit");
    ok(give_gtid(&s, 2, ALONE_FLAG));
    body[16]++;
    bad(give(&s, EVENT_QUERY_COMPRESSED, 0, body, 17 + n), BINLOG_FAULT_PACKED);
    memset(body + 16, 0xff, 4);
    body[15] = 0x84;
    bad(give(&s, EVENT_QUERY_COMPRESSED, 0, body, 40), BINLOG_FAULT_LIMIT);
}

static void
compressed_rows_are_unpacked(void **state)
{
    static const uint8_t rows[] = { 0, 7, 0, 0, 0, 0, 8, 0, 0, 0 };
    uint8_t body[256] = { 5, [6] = 1, [8] = 1, [9] = 1 };
    uLong n = sizeof(body) - 12;

    (void)state;
    body[10] = 0x81;
    body[11] = sizeof(rows);
    assert_int_equal(compress(body + 12, &n, rows, sizeof(rows)), Z_OK);
    ok(give_gtid(&s, 1, 0));
    ok(give_table(&s, 5, "t"));
    ok(give(&s, EVENT_WRITE_ROWS_COMPRESSED_V1, 0, body, 12 + n));
    assert_int_equal(s.f.unpacked.n, 2 + sizeof(rows));
    ok(give_table(&s, 5, "t"));
    bad(give(&s, EVENT_UPDATE_ROWS_COMPRESSED_V1, 0, body, 9),
        BINLOG_FAULT_CUT);
    ok(give_table(&s, 5, "t"));
    bad(give(&s, EVENT_DELETE_ROWS_COMPRESSED_V1, 0, body, 12),
        BINLOG_FAULT_PACKED);
    ok(give_table(&s, 5, "t"));
    memmove(body + 10, body + 8, 200); /* behind the bytes of v2 */
    body[8] = 2;
    body[9] = 0;
    ok(give(&s, EVENT_DELETE_ROWS_COMPRESSED, 0, body, 14 + n));
    said(" begin(0-1-1) wants:t insert:t delete:t");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_transaction_has_rows_and_an_end),
        TEST(a_statement_by_itself_is_a_transaction),
        TEST(an_alter_in_two_parts_is_told_once),
        TEST(what_is_rolled_back_is_an_empty_transaction),
        TEST(savepoints_are_told_to_who_takes_them),
        TEST(xa_is_told_to_who_takes_it),
        TEST(rows_changed_by_a_statement_are_refused),
        TEST(mysql_says_by_its_first_statement_what_it_is),
        TEST(mysql_says_at_the_end_what_was_prepared),
        TEST(a_table_that_is_not_wanted_is_not_read),
        TEST(rows_need_a_table_of_their_statement),
        TEST(rows_without_a_column_are_refused),
        TEST(another_definition_is_another_table),
        TEST(a_table_without_names_needs_a_description),
        TEST(nothing_comes_out_of_place),
        TEST(nothing_is_taken_twice),
        TEST(what_stands_before_a_file_has_been_taken),
        TEST(a_server_that_has_started_anew_ends_what_it_had_begun),
        TEST(what_must_not_be_passed_over_is_refused),
        TEST(an_idle_server_is_told_between_transactions),
        TEST(what_the_taker_refuses_ends_it),
        TEST(a_connection_that_ends_drops_what_was_begun),
        TEST(sums_are_as_the_file_says),
        TEST(compressed_events_are_unpacked),
        TEST(compressed_rows_are_unpacked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
