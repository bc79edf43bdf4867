/* What words `metagate token` takes, to the second: the clock stands still. */
#include "front/token_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "front/nginx.h"

#define DAY 86400

static struct token_order o;

/* Reads the words of a line; what usage prints is not looked at. */
static int
order(const char *line)
{
    static char copy[256];
    char *argv[16] = { NULL }, *rest = NULL;
    int argc = 0;

    (void)snprintf(copy, sizeof(copy), "token %s", line);
    for (char *p = strtok_r(copy, " ", &rest); p != NULL && argc < 15;
         p = strtok_r(NULL, " ", &rest))
        argv[argc++] = p;
    return token_order_read(argc, argv, &o);
}

static void
taken(const char *line)
{
    if (order(line) != 0)
        fail_msg("not taken: %s", line);
}

static void
refused(const char *line)
{
    if (order(line) != 2)
        fail_msg("taken: %s", line);
}

static void
each_command_has_its_words(void **state)
{
    static const char *const good[] = {
        "add ci read",
        "add ci read secrets",
        "add ci read --expires 1d",
        "rotate ci",
        "rotate ci --keep 1h",
        "rotate ci --expires 1d",
        "revoke ci",
        "list",
        "--expires 1d add ci read",
        "add --expires 1d ci read secrets",
    };
    static const char *const bad[] = {
        "",
        "add",
        "add ci",
        "add ci read secrets more",
        "add ci read secrets more words",
        "add ci read --keep 1h",
        "rotate",
        "rotate ci read",
        "revoke",
        "revoke ci read",
        "revoke ci --keep 1h",
        "revoke ci --expires 1d",
        "list ci",
        "list --keep 1h",
        "list --expires 1d",
        "lis",
        "lists",
        "--expires 1d",
        "add ci read --expires",
        "rotate ci --keep",
        "add ci read --expires 1d --expires 2d",
        "rotate ci --keep 1h --keep 2h",
        "add ci read --expire 1d",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        taken(good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        refused(bad[i]);
}

static void
words_go_where_they_belong(void **state)
{
    (void)state;
    taken("add ci write secrets");
    assert_string_equal(o.verb, "add");
    assert_string_equal(o.name, "ci");
    assert_string_equal(o.scope, "write");
    assert_string_equal(o.mark, "secrets");
    assert_null(o.expires);
    assert_null(o.keep);
    assert_int_equal(o.expires_s, 0);
    assert_int_equal(o.keep_s, 3600);
    taken("rotate --keep 2h ci --expires 1d");
    assert_string_equal(o.name, "ci");
    assert_string_equal(o.keep, "2h");
    assert_string_equal(o.expires, "1d");
    taken("list");
    assert_null(o.name);
}

static void
names_scopes_and_marks_are_checked(void **state)
{
    static const char longest[] =
        "n23456789n23456789n23456789n23456789n23456789n23456789n23456789n";
    char line[128];

    (void)state;
    refused("add a.b read");
    refused("add ci root");
    refused("add ci none");
    refused("add ci read yes");
    refused("rotate a.b");
    refused("revoke a.b");
    (void)snprintf(line, sizeof(line), "add %s read", longest);
    taken(line);
    (void)snprintf(line, sizeof(line), "add %sx read", longest);
    refused(line);
}

static void
of_several_mistakes_the_first_word_is_told(void **state)
{
    char why[WHY_BYTES];

    (void)state;
    assert_int_equal(token_check("a.b", "root", "yes", why), ERR_BAD_PARAM);
    assert_memory_equal(why, "NAME ", 5);
    assert_int_equal(token_check("ci", "root", "yes", why), ERR_BAD_PARAM);
    assert_memory_equal(why, "SCOPE ", 6);
    assert_int_equal(token_check("ci", "read", "yes", why), ERR_BAD_PARAM);
    assert_memory_equal(why, "after SCOPE ", 12);
    assert_int_equal(token_check("ci", "read", "secrets", why), ERR_OK);
}

/* ---- ages ---- */

static void
age(const char *text, int64_t seconds)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "add ci read --expires %s", text);
    if (seconds == 0) {
        refused(line);
        return;
    }
    taken(line);
    if (o.expires_s != clock_unix_s() + seconds)
        fail_msg("%s: %lld", text, (long long)(o.expires_s - clock_unix_s()));
}

static void
an_age_counts_from_now(void **state)
{
    (void)state;
    age("1d", DAY);
    age("30d", 30 * DAY);
    age("12h", 12 * 3600);
    age("45m", 45 * 60);
    age("00000001d", DAY);
    age("36500d", INT64_C(36500) * DAY);
    age("52560000m", INT64_C(36500) * DAY);
    age("52560001m", 0);
    age("36501d", 0);
    age("000000001d", 0); /* nine digits */
    age("0d", 0);
    age("d", 0);
    age("10", 0);
    age("1w", 0);
    age("1dd", 0);
    age("1.5d", 0);
    age("-1d", 0);
}

static void
what_is_replaced_is_kept_for_a_minute_or_more(void **state)
{
    (void)state;
    taken("rotate ci --keep 1m");
    assert_int_equal(o.keep_s, 60);
    taken("rotate ci --keep 7d");
    assert_int_equal(o.keep_s, 7 * DAY);
    refused("rotate ci --keep 0m");
    refused("rotate ci --keep x");
    refused("rotate ci --keep 2099-01-01");
}

/* ---- dates ---- */

static void
date(const char *text, int64_t at_s)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "add ci read --expires %s", text);
    if (at_s == 0) {
        refused(line);
        return;
    }
    taken(line);
    if (o.expires_s != at_s)
        fail_msg("%s: %lld", text, (long long)o.expires_s);
}

static void
a_date_is_of_the_calendar_in_utc(void **state)
{
    static const char *const wrong[] = {
        "2097-02-29",        "2099-13-01",        "2099-00-01",
        "2099-1-1",          "2099-01-0",         "2099-01-01T",
        "2099-01-01T24:00Z", "2099-01-01T08:00",  "2099-01-01T08:00Zx",
        "2099-01-01 08:00Z", "2099-01-01T8:00Z",  "2099-01-01x",
        "2099-04-31",        "2099-01-01T08:60Z", "2099-01",
    };

    (void)state;
    date("2099-12-31", 4102358400);
    date("2096-02-29T08:30Z", 3981342600);
    date("2099-01-01T00:00Z", 4070908800);
    for (size_t i = 0; i < COUNT(wrong); i++)
        date(wrong[i], 0);
}

/* 2027-01-15T08:00:00Z is 1800000000. */
static void
a_date_is_to_come_within_a_century(void **state)
{
    (void)state;
    fake_unix_ms = INT64_C(1800000000000);
    date("2027-01-15T08:00Z", 0);
    date("2027-01-15T07:59Z", 0);
    date("2027-01-15T08:01Z", 1800000060);
    fake_unix_ms -= 1000;
    date("2027-01-15T08:00Z", 1800000000);
    fake_unix_ms = INT64_C(1800000000000);
    date("2126-12-22T08:00Z", INT64_C(1800000000) + INT64_C(36500) * DAY);
    date("2126-12-22T08:01Z", 0);
    date("2001-01-01", 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_has_its_words),
        cmocka_unit_test(words_go_where_they_belong),
        cmocka_unit_test(names_scopes_and_marks_are_checked),
        cmocka_unit_test(of_several_mistakes_the_first_word_is_told),
        cmocka_unit_test(an_age_counts_from_now),
        cmocka_unit_test(what_is_replaced_is_kept_for_a_minute_or_more),
        cmocka_unit_test(a_date_is_of_the_calendar_in_utc),
        cmocka_unit_test(a_date_is_to_come_within_a_century),
    };

    return cmocka_run_group_tests_name("token_order", tests, NULL, NULL);
}
