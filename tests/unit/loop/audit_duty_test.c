/* The upkeep of the audit trail: what is deleted in which order, and what is
 * said about it, with a store that the test tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config.h"
#include "job.h"
#include "log_fixture.h"
#include "loop/audit_duty.h"
#include "store/audit.h"

static char said[4096];

/* What each deletion finds, in the order of the calls. */
static uint64_t purges[8], counts, jobs;
static int64_t size;
static size_t purged;
static const char *failing; /* call that fails */
static enum err failure;
static size_t failing_after; /* so many deletions all fail; 0: none */

static void saying(const char *fmt, ...) PRINTF_LIKE(1, 2);

static void
saying(const char *fmt, ...)
{
    size_t n = strlen(said);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(said + n, sizeof(said) - n, fmt, ap);
    va_end(ap);
}

static enum err
answer(const char *call)
{
    return failing != NULL && strcmp(failing, call) == 0 ? failure : ERR_OK;
}

enum err
db_begin(struct db *db)
{
    (void)db;
    saying("begin; ");
    return answer("begin");
}

enum err
db_end(struct db *db, enum err e)
{
    (void)db;
    saying("%s", e == ERR_OK ? "commit" : "rollback");
    return e == ERR_OK ? answer("commit") : e;
}

unsigned
db_errno(const struct db *db)
{
    (void)db;
    return 1205;
}

enum err
lease_begin(struct db *db, const struct lease *l)
{
    enum err e = db_begin(db);

    if (e != ERR_OK)
        return e;
    saying("hold %s; ", l->name);
    return answer("hold");
}

enum err
audit_purge(struct db *db, bool data, int64_t older_ms, unsigned batch,
            uint64_t *n)
{
    (void)db;
    saying("purge %s %lld %u; ", data ? "data" : "other", (long long)older_ms,
           batch);
    *n = purges[purged++];
    if (failing_after > 0 && purged > failing_after)
        return failure;
    return answer(data ? "data" : "other");
}

enum err
audit_measure(struct db *db, unsigned batch, int64_t *bytes, uint64_t *n)
{
    (void)db;
    saying("measure %u; ", batch);
    *bytes = size;
    *n = counts;
    return answer("measure");
}

enum err
job_purge(struct db *db, unsigned keep_days, unsigned most, uint64_t *n)
{
    (void)db;
    saying("jobs %u %u; ", keep_days, most);
    *n = jobs;
    return answer("jobs");
}

/* As duty.c has it, which knows every duty of the product. */
enum turn
turn_of(enum err e, bool more)
{
    if (e == ERR_OK)
        return more ? TURN_MORE : TURN_IDLE;
    return e == ERR_STATE ? TURN_OVER : TURN_FAILED;
}

/* The keys alone: who reads a file of them knows the whole product. */
static struct config keys;

const struct config *
config(void)
{
    return &keys;
}

static void
keeps(int64_t days, int64_t data_days, int64_t mib)
{
    keys.audit_keep_days = days;
    keys.audit_keep_days_data = data_days;
    keys.audit_max_mib = mib;
}

static int
nothing_to_do(void **state)
{
    (void)state;
    memset(purges, 0, sizeof(purges));
    counts = jobs = 0;
    size = 0;
    failing = NULL;
    failing_after = 0;
    keeps(10, 3, 2);
    log_catch();
    return 0;
}

static int
log_back(void **state)
{
    (void)state;
    log_release();
    return 0;
}

static void
step(enum turn expected, const char *words)
{
    const struct lease l = { .name = "cluster.audit" };
    struct duty_run run = { .id = "m1", .lease = &l };

    said[0] = '\0';
    purged = 0;
    assert_int_equal(audit_duty(&run), expected);
    assert_string_equal(said, words);
}

#define AGED                                            \
    "begin; hold cluster.audit; purge other 864000000 " \
    "500; purge data 259200000 500; measure 500; "

static void
what_is_too_old_goes(void **state)
{
    (void)state;
    step(TURN_IDLE, AGED "jobs 10 50; commit");
    assert_string_equal(logged(), "");
    keeps(2, 3, 2); /* data is kept no longer than all else */
    step(TURN_IDLE, "begin; hold cluster.audit; purge other 172800000 500; "
                    "purge data 172800000 500; measure 500; jobs 2 50; "
                    "commit");
}

static void
more_than_a_batch_takes_another_step(void **state)
{
    uint64_t *const n[] = { &purges[0], &purges[1], &counts, &purges[2] };

    (void)state;
    size = (2 << 20) + 1;
    purges[2] = 1;
    for (size_t i = 0; i < COUNT(n); i++) {
        *n[i] = 499;
        step(TURN_IDLE, AGED "purge data 3600000 500; jobs 10 50; commit");
        *n[i] = 500;
        step(TURN_MORE, AGED "purge data 3600000 500; jobs 10 50; commit");
        *n[i] = i == 3 ? 1 : 0;
    }
    jobs = 49;
    step(TURN_IDLE, AGED "purge data 3600000 500; jobs 10 50; commit");
    jobs = 50;
    step(TURN_MORE, AGED "purge data 3600000 500; jobs 10 50; commit");
}

static void
what_has_gone_is_logged(void **state)
{
    (void)state;
    purges[0] = 1;
    purges[1] = 2;
    purges[2] = 3;
    size = (2 << 20) + 1;
    jobs = 4;
    step(TURN_IDLE, AGED "purge data 3600000 500; jobs 10 50; commit");
    assert_non_null(strstr(
        logged(), "audit.purge rows=1 data=2 over=3 bytes=2097153 jobs=4"));
    for (int i = 0; i < 4; i++) { /* each by itself */
        purges[0] = i == 0;
        purges[1] = i == 1;
        purges[2] = i == 2;
        jobs = i == 3;
        size = i == 2 ? (2 << 20) + 1 : 0;
        step(TURN_IDLE, i == 2 ? AGED "purge data 3600000 500; jobs 10 50; "
                                      "commit"
                               : AGED "jobs 10 50; commit");
        assert_int_equal(times("info unit audit.purge", logged()), 1);
    }
}

static void
the_size_is_kept_with_data_first_and_the_young_last(void **state)
{
    static const char all[] =
        AGED "purge data 3600000 500; purge other 3600000 500; purge data "
             "300000 500; purge other 300000 500; jobs 10 50; commit";

    (void)state;
    size = 2 << 20; /* as much as there may be */
    step(TURN_IDLE, AGED "jobs 10 50; commit");
    size++;
    step(TURN_IDLE, all);
    assert_non_null(
        strstr(logged(), "audit.too_large bytes=2097153 last_hour=0"));
    purges[3] = 7;
    step(TURN_IDLE, AGED "purge data 3600000 500; purge other 3600000 500; "
                         "jobs 10 50; commit");
    assert_null(strstr(logged(), "audit.too_large"));
    purges[3] = 0;
    purges[5] = 7;
    step(TURN_IDLE, all);
    assert_non_null(
        strstr(logged(), "audit.too_large bytes=2097153 last_hour=7"));
    purges[4] = 8;
    step(TURN_IDLE, AGED "purge data 3600000 500; purge other 3600000 500; "
                         "purge data 300000 500; jobs 10 50; commit");
    assert_non_null(
        strstr(logged(), "audit.too_large bytes=2097153 last_hour=8"));
    keeps(10, 3, 0); /* whatever the size */
    step(TURN_IDLE, AGED "jobs 10 50; commit");
}

static void
without_the_lease_it_is_over_and_nothing_is_deleted(void **state)
{
    (void)state;
    failing = "hold";
    failure = ERR_STATE;
    step(TURN_OVER, "begin; hold cluster.audit; rollback");
    assert_string_equal(logged(), "");
}

static void
a_failure_ends_the_step_and_is_logged(void **state)
{
    static const struct {
        const char *call, *words;
    } fails[] = {
        { "begin", "begin; rollback" },
        { "other", "begin; hold cluster.audit; purge other 864000000 500; "
                   "rollback" },
        { "data", "begin; hold cluster.audit; purge other 864000000 500; purge "
                  "data 259200000 500; rollback" },
        { "measure", AGED "rollback" },
        { "jobs", AGED "jobs 10 50; rollback" },
        { "commit", AGED "jobs 10 50; commit" },
    };

    (void)state;
    failure = ERR_STORE;
    purges[0] = 500;
    for (size_t i = 0; i < COUNT(fails); i++) {
        failing = fails[i].call;
        step(TURN_FAILED, fails[i].words);
        assert_string_equal(strstr(logged(), "audit.purge"),
                            "audit.purge err=store errno=1205\n");
    }
}

/* The last deletion: what it did not do is not told as if it had. */
static void
a_failure_while_the_size_is_kept_says_nothing_of_it(void **state)
{
    (void)state;
    size = INT64_C(3) << 20;
    failure = ERR_STORE;
    failing_after = 2;
    step(TURN_FAILED, AGED "purge data 3600000 500; rollback");
    assert_null(strstr(logged(), "audit.too_large"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, nothing_to_do, log_back)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_too_old_goes),
        CASE(more_than_a_batch_takes_another_step),
        CASE(what_has_gone_is_logged),
        CASE(the_size_is_kept_with_data_first_and_the_young_last),
        CASE(without_the_lease_it_is_over_and_nothing_is_deleted),
        CASE(a_failure_ends_the_step_and_is_logged),
        CASE(a_failure_while_the_size_is_kept_says_nothing_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
