/* What variables of a table may hold: the vectors of Pegasus' own tests, and
 * the borders of each rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pegasus/table/env.h"

#define DENY                                                                \
    "Invalid deny client args, valid include: timeout*all, timeout*write, " \
    "timeout*read; reconfig*all, reconfig*write, reconfig*read"
#define W      "replica.write_throttling"
#define R_SIZE "replica.read_throttling_by_size"
#define D      "replica.deny_client_request"
#define P_TIME "manual_compact.periodic.trigger_time"
#define P_HINT P_TIME " must be a list of H:MM or HH:MM"
#define BUFFER "rocksdb.write_buffer_size"
#define LEVEL  "manual_compact.once.target_level"

static const struct {
    const char *key, *value;
    const char *hint; /* NULL: valid */
} rows[] = {
    { W, "100*delay*100", NULL },
    { W, "20K*delay*100", NULL },
    { W, "20M*delay*100", NULL },
    { W, "20A*delay*100", "'20A' should be an unsigned integer" },
    { W, "-20*delay*100", "'-20' should be an unsigned integer" },
    { W, "", "The value shouldn't be empty" },
    { W, ",", "The value shouldn't be empty" },
    { W, "20A*delay",
      "The field count of '20A*delay' separated by '*' must be 3" },
    { W, "20K*pass*100", "'pass' should be 'delay' or 'reject'" },
    { W, "20K*delay*-100", "'-100' should be an unsigned integer" },
    { W, "2K**delay*100",
      "The field count of '2K**delay*100' separated by '*' must be 3" },
    { W, "2K*delay**100",
      "The field count of '2K*delay**100' separated by '*' must be 3" },
    { W, "2K*delay*100,3K*delay*100", "duplicate 'delay' config" },
    { W, "2K*reject*100,3K*reject*100", "duplicate 'reject' config" },
    { W, "20M*reject*100", NULL },
    { W, "2K*delay*100, 3K*reject*100,", NULL },
    { W, "0x10*delay*0", NULL },
    { W, "K*delay*100", "'' should be an unsigned integer" },
    { W, "18446744073709551615K*delay*1",
      "'18446744073709551615' result is overflow" },
    { W, "18446744073709551616*delay*1",
      "'18446744073709551616' should be an unsigned integer" },
    { W, "200K", "The field count of '200K' separated by '*' must be 3" },
    { "replica.write_throttling_by_size", "300*delay*100", NULL },
    { "replica.backup_request_throttling", "1*slow*1",
      "'slow' should be 'delay' or 'reject'" },
    { R_SIZE, "20000", NULL },
    { R_SIZE, "200K", NULL },
    { R_SIZE, "20000*delay*100,20000*reject*100", NULL },
    { R_SIZE, "", "The value shouldn't be empty" },
    { R_SIZE, "0", "The field count of '0' separated by '*' must be 3" },
    { R_SIZE, "-1", "The field count of '-1' separated by '*' must be 3" },
    { "replica.slow_query_threshold", "30", NULL },
    { "replica.slow_query_threshold", "20", NULL },
    { "replica.slow_query_threshold", "19",
      "Slow query threshold must be >= 20ms" },
    { "replica.slow_query_threshold", "x",
      "Slow query threshold must be >= 20ms" },
    { "default_ttl", "10", NULL },
    { "default_ttl", "0x10", NULL },
    { "default_ttl", "-1", "invalid value '-1', should be '>= 0'" },
    { "default_ttl", "", "invalid value '', should be an 32 bits integer" },
    { "default_ttl", "2147483648",
      "invalid value '2147483648', should be an 32 bits integer" },
    { "rocksdb.usage_scenario", "bulk_load", NULL },
    { "rocksdb.usage_scenario", "bulk", "bulk_load | normal | prefer_write" },
    { "rocksdb.usage_scenario", "", "bulk_load | normal | prefer_write" },
    { "rocksdb.checkpoint.reserve_min_count", "30", NULL },
    { "rocksdb.checkpoint.reserve_min_count", "0",
      "invalid value '0', should be '> 0'" },
    { "rocksdb.checkpoint.reserve_time_seconds", "40", NULL },
    { "manual_compact.disabled", "true", NULL },
    { "manual_compact.disabled", "FALSE", NULL },
    { "manual_compact.disabled", "1",
      "invalid value '1', should be a boolean" },
    { "manual_compact.max_concurrent_running_count", "60", NULL },
    { "manual_compact.once.trigger_time", "70", NULL },
    { LEVEL, "80", NULL },
    { LEVEL, "-1", NULL },
    { LEVEL, "0", "invalid value '0', should be '-1 or >= 1'" },
    { LEVEL, "-2", "invalid value '-2', should be '-1 or >= 1'" },
    { LEVEL, "9223372036854775808",
      "invalid value '9223372036854775808', should be an 64 bits integer" },
    { P_TIME, "3:00,21:00", NULL },
    { P_TIME, "03:00", NULL },
    { P_TIME, "24:00", P_HINT },
    { P_TIME, "3:0", P_HINT },
    { P_TIME, "3:60", P_HINT },
    { P_TIME, ":00", P_HINT },
    { P_TIME, "3", P_HINT },
    { P_TIME, "3:00,", P_HINT },
    { P_TIME, "3:00:00", P_HINT },
    { P_TIME, "", P_HINT },
    { "manual_compact.periodic.target_level", "100", NULL },
    { "manual_compact.periodic.bottommost_level_compaction", "skip", NULL },
    { "manual_compact.periodic.bottommost_level_compaction", "200",
      "force | skip" },
    { BUFFER, "100",
      "invalid value '100', should be 'In range [16777216, 536870912]'" },
    { BUFFER, "636870912",
      "invalid value '636870912', should be 'In range [16777216, "
      "536870912]'" },
    { BUFFER, "67108864", NULL },
    { "business.info", "300", NULL },
    { D, "400", DENY },
    { D, "invalid*all", DENY },
    { D, "timeout*invalid", DENY },
    { D, "reject*all", DENY },
    { D, "timeout*all | timeout*write", DENY },
    { D, "reconfig*all", NULL },
    { D, "reconfig*write", NULL },
    { D, "reconfig*read", NULL },
    { D, "timeout*all", NULL },
    { D, "timeout*write", NULL },
    { D, "timeout*read", NULL },
    { "replica.split.validate_partition_hash", "maybe",
      "invalid value 'maybe', should be a boolean" },
    { "replica.rocksdb_iteration_threshold_time_ms", "-5",
      "invalid value '-5', should be '>= 0'" },
    { "not_exist_env", "500", NULL }, /* ours: unknown keys are taken */
};

static void
a_value_is_judged_as_pegasus_does(void **state)
{
    struct arena *a = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *hint = pg_env_hint(a, rows[i].key, rows[i].value);

        if (rows[i].hint == NULL && hint != NULL)
            fail_msg("%s=%s: %s", rows[i].key, rows[i].value, hint);
        if (rows[i].hint != NULL && hint == NULL)
            fail_msg("%s=%s is taken", rows[i].key, rows[i].value);
        if (hint != NULL)
            assert_string_equal(hint, rows[i].hint);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_judged_as_pegasus_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
