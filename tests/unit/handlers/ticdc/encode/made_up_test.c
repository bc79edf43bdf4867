/* Types as a server would declare them, where only the log says what they
 * are; indexes by their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ticdc/encode/table.c"

#include "arena_fixture.h"

static void
declared(struct encode_column c, const struct binlog_column *log,
         const char *want)
{
    c.log = log;
    assert_string_equal(made_up_type(arena, &c), want);
}

#define LOG(...) (&(const struct binlog_column){ __VA_ARGS__ })

static void
a_type_is_made_up_of_what_the_log_knows(void **state)
{
    static const struct span member[] = { { "a", 1 },
                                          { "it's", 4 },
                                          { "", 0 } };
    struct encode_column with = { .base = "enum",
                                  .member = member,
                                  .n_members = COUNT(member) };

    (void)state;
    declared(with, LOG(.type = BINLOG_ENUM), "enum('a','it''s','')");
    with.base = "set";
    declared(with, LOG(.type = BINLOG_SET), "set('a','it''s','')");
    with.n_members = 0;
    declared(with, LOG(.type = BINLOG_SET), "set");
    declared((struct encode_column){ .base = "decimal", .is_unsigned = true },
             LOG(.type = BINLOG_DECIMAL, .precision = 10, .scale = 2),
             "decimal(10,2) unsigned");
    declared((struct encode_column){ .base = "bit" },
             LOG(.type = BINLOG_BIT, .max_bytes = 9), "bit(9)");
    declared((struct encode_column){ .base = "datetime", .code = 12 },
             LOG(.type = BINLOG_DATETIME, .scale = 6), "datetime(6)");
    declared((struct encode_column){ .base = "datetime", .code = 12 },
             LOG(.type = BINLOG_DATETIME), "datetime");
    declared((struct encode_column){ .base = "float", .code = 4 },
             LOG(.type = BINLOG_FLOAT, .scale = 4), "float");
    declared((struct encode_column){ .base = "double", .code = 5 },
             LOG(.type = BINLOG_DOUBLE, .scale = 8), "double");
    declared((struct encode_column){ .base = "int", .is_unsigned = true },
             LOG(.type = BINLOG_LONG), "int unsigned");
    declared((struct encode_column){ .base = "text" },
             LOG(.type = BINLOG_BLOB, .pack_bytes = 2, .max_bytes = 7), "text");
}

static void
a_length_is_told_in_characters(void **state)
{
    static const struct {
        const char *charset, *want;
    } cases[] = {
        { "utf8mb4", "varchar(6)" }, { "utf8mb3", "varchar(8)" },
        { "utf8", "varchar(8)" },    { "ucs2", "varchar(12)" },
        { "utf16", "varchar(6)" },   { "utf16le", "varchar(6)" },
        { "utf32", "varchar(6)" },   { "gbk", "varchar(12)" },
        { "big5", "varchar(12)" },   { "gb2312", "varchar(12)" },
        { "gb18030", "varchar(6)" }, { "sjis", "varchar(12)" },
        { "cp932", "varchar(12)" },  { "euckr", "varchar(12)" },
        { "ujis", "varchar(8)" },    { "eucjpms", "varchar(8)" },
        { "latin1", "varchar(24)" }, { "binary", "varchar(24)" },
        { NULL, "varchar(24)" },
    };
    static const enum binlog_type texts[] = { BINLOG_VARCHAR,
                                              BINLOG_VARCHAR_COMPRESSED,
                                              BINLOG_VAR_STRING,
                                              BINLOG_STRING };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t k = 0; k < COUNT(texts); k++)
            declared((struct encode_column){ .base = "varchar" },
                     LOG(.type = texts[k], .max_bytes = 24,
                         .charset = cases[i].charset),
                     cases[i].want);
}

static void
an_index_is_unique_by_its_name(void **state)
{
    struct encode_index index[] = { { .name = "PRIMARY", .is_unique = true },
                                    { .name = "k" },
                                    { .name = "u", .is_unique = true },
                                    { .name = "last", .is_unique = true } };
    const struct encode_table t = { .index = index, .n_indexes = COUNT(index) };

    (void)state;
    assert_ptr_equal(encode_unique(&t, "primary"), &index[0]);
    assert_ptr_equal(encode_unique(&t, "U"), &index[2]);
    assert_ptr_equal(encode_unique(&t, "last"), &index[3]);
    assert_null(encode_unique(&t, "k"));
    assert_null(encode_unique(&t, "none"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_is_made_up_of_what_the_log_knows),
        cmocka_unit_test(a_length_is_told_in_characters),
        cmocka_unit_test(an_index_is_unique_by_its_name),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
