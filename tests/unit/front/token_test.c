/* metagate token, on a RUN_DIR that no nginx has seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/commands.h"
#include "clock.h"
#include "config/token_map.h"
#include "file.h"
#include "front/nginx.h"
#include "run_dir_fixture.h"

static char why[WHY_BYTES];

static char *
file_text(const char *name)
{
    char path[256], *text;
    struct stat st;
    size_t n;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(file_read(arena, path, 65536, &text, &n), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    return text;
}

static bool
exists(const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Runs it with the words of a line; what it prints is not looked at. */
static int
run(const char *line)
{
    char copy[256], *argv[10] = { NULL }, *rest = NULL;
    int argc = 0;

    (void)snprintf(copy, sizeof(copy), "token %s", line);
    for (char *p = strtok_r(copy, " ", &rest); p != NULL && argc < 9;
         p = strtok_r(NULL, " ", &rest))
        argv[argc++] = p;
    return token_main(argc, argv);
}

/* Runs it with up to four words; what it prints is not looked at. */
static int
token(const char *a, const char *b, const char *c, const char *d)
{
    const char *words[] = { "token", a, b, c, d };
    char copies[COUNT(words)][128], *argv[COUNT(words) + 1] = { NULL };
    int argc = 0;

    while ((size_t)argc < COUNT(words) && words[argc] != NULL) {
        (void)snprintf(copies[argc], sizeof(copies[0]), "%s", words[argc]);
        argv[argc] = copies[argc];
        argc++;
    }
    return token_main(argc, argv);
}

static void
arguments_are_checked(void **state)
{
    static const char *const names[] = { "",     "-x",       "a b",
                                         "a/b",  "..",       "a.b",
                                         "a\"b", "@trusted", "\xc3\xa4" };
    char longest[66];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(token_check(names[i], "read", NULL, why),
                         ERR_BAD_PARAM);
    memset(longest, 'n', 65);
    longest[65] = '\0';
    assert_int_equal(token_check(longest, "read", NULL, why), ERR_BAD_PARAM);
    assert_int_equal(token_check(longest + 1, "read", "secrets", why), ERR_OK);
    assert_int_equal(token_check("ci", "root", NULL, why), ERR_BAD_PARAM);
    assert_int_equal(token_check("ci", "none", NULL, why), ERR_BAD_PARAM);
    assert_int_equal(token_check("ci", "read", "yes", why), ERR_BAD_PARAM);
}

static void
other_words_are_usage_errors(void **state)
{
    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(token(NULL, NULL, NULL, NULL), 2);
    assert_int_equal(token("add", "ci", NULL, NULL), 2);
    assert_int_equal(token("add", "ci", "all", NULL), 2);
    assert_int_equal(token("revoke", NULL, NULL, NULL), 2);
    assert_int_equal(token("list", "ci", NULL, NULL), 2);
    assert_int_equal(token("adder", "ci", "read", NULL), 2);
}

static void
the_first_token_is_made_once(void **state)
{
    char *raw;

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    raw = file_text("token");
    assert_int_equal(strspn(raw, "0123456789abcdef"), 64);
    assert_string_equal(raw + 64, "\n");
    raw[64] = '\0';
    assert_non_null(strstr(file_text("curlrc"), raw));
    assert_non_null(
        strstr(file_text("tokens.map"),
               arena_printf(arena, "\"%s\" \"admin first 0 ", raw)));
    /* whoever opens it is told what it is */
    assert_memory_equal(file_text("tokens.map"), "# Tokens: ", 10);
    assert_int_equal(token_own(), ERR_OK);
    raw[64] = '\n';
    assert_string_equal(file_text("token"), raw);
}

/* The map is what says that there is a first token. */
static void
a_first_token_that_nobody_can_read_is_none(void **state)
{
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/curlrc", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(token_own(), ERR_OK);
    assert_false(exists("tokens.map"));
}

static void
a_token_is_added_and_revoked(void **state)
{
    char *raw, *map;

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    map = file_text("tokens.map");
    assert_int_equal(token("add", "ci", "write", "secrets"), 0);
    raw = file_text("tokens/ci");
    raw[64] = '\0';
    assert_non_null(strstr(file_text("tokens/ci.curlrc"), raw));
    assert_non_null(strstr(file_text("tokens.map"),
                           arena_printf(arena, "\"%s\" \"write ci 1 ", raw)));
    assert_int_equal(token("revoke", "ci", NULL, NULL), 0);
    assert_string_equal(file_text("tokens.map"), map);
    assert_false(exists("tokens/ci"));
    assert_false(exists("tokens/ci.curlrc"));
}

static void
the_first_token_can_be_revoked_and_does_not_return(void **state)
{
    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(token("revoke", "first", NULL, NULL), 0);
    assert_false(exists("token"));
    assert_false(exists("curlrc"));
    assert_int_equal(token_own(), ERR_OK);
    assert_false(exists("token"));
}

static void
machines_have_a_token_of_their_own(void **state)
{
    char *raw;

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    raw = file_text("tokens/machine");
    assert_int_equal(strspn(raw, "0123456789abcdef"), 64);
    raw[64] = '\0';
    assert_non_null(
        strstr(file_text("tokens.map"),
               arena_printf(arena, "\"%s\" \"machine machine 0 ", raw)));
    assert_int_equal(token_own(), ERR_OK);
    raw[64] = '\n';
    assert_string_equal(file_text("tokens/machine"), raw);
    /* a map from before there was one, or one that was revoked */
    assert_int_equal(token("revoke", "machine", NULL, NULL), 0);
    assert_int_equal(token("revoke", "first", NULL, NULL), 0);
    assert_int_equal(token_own(), ERR_OK);
    assert_string_not_equal(file_text("tokens/machine"), raw);
    assert_non_null(strstr(file_text("tokens.map"), "\"machine machine 0 "));
    assert_null(strstr(file_text("tokens.map"), "\"admin first 0 "));
    /* whoever has given the name to another token keeps it */
    assert_int_equal(token("revoke", "machine", NULL, NULL), 0);
    assert_int_equal(token("add", "machine", "read", NULL), 0);
    assert_int_equal(token_own(), ERR_OK);
    assert_null(strstr(file_text("tokens.map"), "\"machine machine 0 "));
}

/* A last line of a person's that has no end gets one. */
static void
tokens_of_our_own_begin_a_line(void **state)
{
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tokens.map", dir);
    assert_int_equal(file_write(path, 0600, "#", 1), ERR_OK);
    assert_int_equal(token_own(), ERR_OK);
    assert_memory_equal(file_text("tokens.map"), "#\n\"", 3);
    assert_int_equal(file_write(path, 0600, "#\n", 2), ERR_OK);
    assert_int_equal(token_own(), ERR_OK);
    assert_memory_equal(file_text("tokens.map"), "#\n\"", 3);
    assert_int_equal(file_write(path, 0600, "", 0), ERR_OK);
    assert_int_equal(token_own(), ERR_OK);
    assert_memory_equal(file_text("tokens.map"), "\"", 1);
}

static void
a_name_is_taken_once(void **state)
{
    char *raw;

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(token("add", "ci", "read", NULL), 0);
    raw = file_text("tokens/ci");
    assert_int_equal(token("add", "ci", "admin", NULL), 1);
    assert_string_equal(file_text("tokens/ci"), raw);
    assert_int_equal(token("revoke", "c", NULL, NULL), 1);
}

static void
what_a_person_wrote_into_the_map_stays(void **state)
{
    static const char map[] = "# mine\n\"0badcafe\" \"read odd 0\";";
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tokens.map", dir);
    assert_int_equal(file_write(path, 0600, map, sizeof(map) - 1), ERR_OK);
    assert_int_equal(token("add", "ci", "read", NULL), 0);
    assert_int_equal(token("list", NULL, NULL, NULL), 0);
    assert_memory_equal(file_text("tokens.map"), map, sizeof(map) - 1);
    assert_int_equal(token("revoke", "ci", NULL, NULL), 0);
    assert_memory_equal(file_text("tokens.map"), map, sizeof(map) - 1);
    assert_string_equal(file_text("tokens.map") + sizeof(map) - 1, "\n");
}

static void
a_token_of_an_older_map_can_be_revoked(void **state)
{
    static const char map[] = "\"0badcafe\" \"read odd 0\";\n";
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tokens.map", dir);
    assert_int_equal(file_write(path, 0600, map, sizeof(map) - 1), ERR_OK);
    assert_int_equal(token("add", "odd", "read", NULL), 1);
    assert_int_equal(token("revoke", "odd", NULL, NULL), 0);
    assert_string_equal(file_text("tokens.map"), "");
}

/* ---- times ---- */

/* The k-th line of that name. */
static struct token_line
line_of(const char *name, int k)
{
    const char *map = file_text("tokens.map");
    struct token_line l;

    while (token_map_next(&map, &l)) {
        if (l.token.n > 0 && strcmp(l.name, name) == 0 && k-- == 0)
            return l;
    }
    return (struct token_line){ 0 };
}

static void
write_map(const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/tokens.map", dir);
    assert_int_equal(file_write(path, 0600, text, strlen(text)), ERR_OK);
}

static void
expect_about(int64_t at_s, int64_t want_s)
{
    assert_in_range(at_s, want_s - 600, want_s + 600);
}

static void
a_token_has_a_beginning_and_an_end(void **state)
{
    int64_t now = clock_unix_s();

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    expect_about(line_of("first", 0).created_s, now);
    assert_int_equal(line_of("first", 0).expires_s, 0);
    assert_int_equal(run("add d read --expires 30d"), 0);
    expect_about(line_of("d", 0).created_s, now);
    expect_about(line_of("d", 0).expires_s, now + 30 * 86400);
    assert_int_equal(run("add --expires 12h h read secrets"), 0);
    expect_about(line_of("h", 0).expires_s, now + 12 * 3600);
    assert_true(line_of("h", 0).secrets);
    assert_int_equal(run("add m read --expires 45m"), 0);
    expect_about(line_of("m", 0).expires_s, now + 45 * 60);
    assert_int_equal(run("add y read --expires 2099-12-31"), 0);
    assert_int_equal(line_of("y", 0).expires_s, 4102358400);
    assert_int_equal(run("add z read --expires 2096-02-29T08:30Z"), 0);
    assert_int_equal(line_of("z", 0).expires_s, 3981342600);
    assert_int_equal(run("list"), 0);
}

static void
a_time_that_is_none_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "0d",
        "-1d",
        "1",
        "d",
        "1w",
        "1dd",
        "36501d",
        "99999999999999999999d",
        "2001-01-01",
        "2097-02-29",
        "2099-13-01",
        "2099-1-1",
        "2099-01-0",
        "2099-01-01T",
        "2099-01-01T24:00Z",
        "2099-01-01T08:00",
        "2099-01-01T08:00Zx",
        "9999-01-01",
        "1.5d",
    };
    char *map;

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    map = file_text("tokens.map");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (run(arena_printf(arena, "add a read --expires %s", wrong[i])) != 2)
            fail_msg("taken: %s", wrong[i]);
    }
    assert_int_equal(run("add a read --expires"), 2);
    assert_int_equal(run("add a read --expires 1d --expires 2d"), 2);
    assert_int_equal(run("add a read --keep 1h"), 2);
    assert_int_equal(run("rotate first --keep 0m"), 2);
    assert_int_equal(run("rotate first --keep 2099-01-01"), 2);
    assert_int_equal(run("rotate first read"), 2);
    assert_int_equal(run("rotate"), 2);
    assert_int_equal(run("revoke first --expires 1d"), 2);
    assert_int_equal(run("list --keep 1h"), 2);
    assert_int_equal(run("rotate nobody"), 1);
    assert_string_equal(file_text("tokens.map"), map);
}

static void
a_name_whose_token_has_expired_is_free(void **state)
{
    (void)state;
    write_map("\"0badcafe\" \"read ci 0 0123456789abcdef 1700000000\";\n"
              "\"0badcaff\" \"read me 0 0123456789abcdee 1700000000\";\n");
    assert_int_equal(run("list"), 0);
    assert_int_equal(run("rotate ci"), 1);
    assert_int_equal(run("add ci write"), 0);
    assert_string_equal(line_of("ci", 0).scope, "write");
    assert_int_equal(line_of("ci", 1).token.n, 0);
    assert_int_equal(line_of("me", 0).token.n, 8); /* not asked for */
    assert_int_equal(run("revoke me"), 0);
    assert_int_equal(line_of("me", 0).token.n, 0);
}

static void
a_rotated_token_and_its_successor_are_both_valid(void **state)
{
    int64_t now = clock_unix_s();
    struct token_line old;
    char *raw;

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(run("add ci write secrets"), 0);
    raw = file_text("tokens/ci");
    raw[64] = '\0';
    old = line_of("ci", 0);
    assert_int_equal(run("rotate ci"), 0);
    assert_memory_equal(line_of("ci", 0).token.p, raw, 64);
    assert_string_equal(line_of("ci", 0).id, old.id);
    assert_int_equal(line_of("ci", 0).created_s, old.created_s);
    expect_about(line_of("ci", 0).expires_s, now + 3600);
    assert_int_equal(line_of("ci", 1).expires_s, 0);
    assert_string_equal(line_of("ci", 1).scope, "write");
    assert_true(line_of("ci", 1).secrets);
    assert_string_not_equal(line_of("ci", 1).id, old.id);
    assert_memory_equal(line_of("ci", 1).token.p, file_text("tokens/ci"), 64);
    assert_non_null(strstr(file_text("tokens/ci.curlrc"), "Token: "));
    assert_null(strstr(file_text("tokens/ci.curlrc"), raw));

    /* again: no end moves away, and the new one may have one */
    assert_int_equal(run("rotate ci --keep 7d --expires 30d"), 0);
    expect_about(line_of("ci", 0).expires_s, now + 3600);
    expect_about(line_of("ci", 1).expires_s, now + 7 * 86400);
    expect_about(line_of("ci", 2).expires_s, now + 30 * 86400);
    /* which its own successors have too */
    assert_int_equal(run("rotate ci --keep 1m"), 0);
    expect_about(line_of("ci", 2).expires_s, now + 60);
    expect_about(line_of("ci", 3).expires_s, now + 30 * 86400);
    assert_int_equal(run("revoke ci"), 0);
    assert_int_equal(line_of("ci", 0).token.n, 0);
    assert_false(exists("tokens/ci"));
}

static void
the_first_token_rotates_in_its_own_files(void **state)
{
    (void)state;
    write_map("\"0badcafe\" \"admin first 0\";"); /* of an older version */
    assert_int_equal(run("rotate first"), 0);
    assert_int_equal(strlen(line_of("first", 0).id), 16);
    assert_true(line_of("first", 0).expires_s > 0);
    assert_memory_equal(line_of("first", 1).token.p, file_text("token"), 64);
    assert_non_null(strstr(file_text("curlrc"), "Token: "));
}

static void
the_last_use_goes_with_the_token(void **state)
{
    const char *used;

    (void)state;
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(run("add ci read"), 0);
    used = arena_printf(arena, "used/%s", line_of("ci", 0).id);
    (void)mkdir(arena_printf(arena, "%s/used", dir), 0700);
    assert_int_equal(
        file_write(arena_printf(arena, "%s/%s", dir, used), 0600, "", 0),
        ERR_OK);
    assert_int_equal(run("list"), 0);
    assert_int_equal(run("revoke ci"), 0);
    assert_false(exists(used));
}

static void
without_a_deployment_nothing_is_made(void **state)
{
    (void)state;
    assert_int_equal(token("add", "ci", "read", NULL), 1);
    assert_false(exists("tokens.map"));
    assert_false(exists("tokens.lock"));
    assert_false(exists("tokens/ci"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_checked),
        CASE(other_words_are_usage_errors),
        CASE(the_first_token_is_made_once),
        CASE(a_first_token_that_nobody_can_read_is_none),
        CASE(a_token_is_added_and_revoked),
        CASE(the_first_token_can_be_revoked_and_does_not_return),
        CASE(machines_have_a_token_of_their_own),
        CASE(tokens_of_our_own_begin_a_line),
        CASE(a_name_is_taken_once),
        CASE(what_a_person_wrote_into_the_map_stays),
        CASE(a_token_of_an_older_map_can_be_revoked),
        CASE(a_token_has_a_beginning_and_an_end),
        CASE(a_time_that_is_none_changes_nothing),
        CASE(a_name_whose_token_has_expired_is_free),
        CASE(a_rotated_token_and_its_successor_are_both_valid),
        CASE(the_first_token_rotates_in_its_own_files),
        CASE(the_last_use_goes_with_the_token),
        CASE(without_a_deployment_nothing_is_made),
    };

    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
