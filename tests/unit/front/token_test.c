/* metagate token, on a RUN_DIR that no nginx has seen. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/commands.h"
#include "config.h"
#include "file.h"
#include "front/nginx.h"

static char dir[64];
static char why[256];
static struct arena *arena;

static int
setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/var/tmp/token-unit.XXXXXX");
    arena = arena_new(1024 * 1024);
    if (arena == NULL || mkdtemp(dir) == NULL)
        return -1;
    config_place(dir, "127.9.8");
    return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

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
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++)
        assert_int_equal(token_check(names[i], "read", NULL, why, sizeof(why)),
                         ERR_BAD_PARAM);
    memset(longest, 'n', 65);
    longest[65] = '\0';
    assert_int_equal(token_check(longest, "read", NULL, why, sizeof(why)),
                     ERR_BAD_PARAM);
    assert_int_equal(
        token_check(longest + 1, "read", "secrets", why, sizeof(why)), ERR_OK);
    assert_int_equal(token_check("ci", "root", NULL, why, sizeof(why)),
                     ERR_BAD_PARAM);
    assert_int_equal(token_check("ci", "none", NULL, why, sizeof(why)),
                     ERR_BAD_PARAM);
    assert_int_equal(token_check("ci", "read", "yes", why, sizeof(why)),
                     ERR_BAD_PARAM);
}

static void
other_words_are_usage_errors(void **state)
{
    (void)state;
    assert_int_equal(token_first(), ERR_OK);
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
    assert_int_equal(token_first(), ERR_OK);
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
    assert_int_equal(token_first(), ERR_OK);
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
    assert_int_not_equal(token_first(), ERR_OK);
    assert_false(exists("tokens.map"));
}

static void
a_token_is_added_and_revoked(void **state)
{
    char *raw, *map;

    (void)state;
    assert_int_equal(token_first(), ERR_OK);
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
    assert_int_equal(token_first(), ERR_OK);
    assert_int_equal(token("revoke", "first", NULL, NULL), 0);
    assert_false(exists("token"));
    assert_false(exists("curlrc"));
    assert_int_equal(token_first(), ERR_OK);
    assert_false(exists("token"));
}

static void
a_name_is_taken_once(void **state)
{
    char *raw;

    (void)state;
    assert_int_equal(token_first(), ERR_OK);
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
        CASE(a_name_is_taken_once),
        CASE(what_a_person_wrote_into_the_map_stays),
        CASE(a_token_of_an_older_map_can_be_revoked),
        CASE(without_a_deployment_nothing_is_made),
    };

    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
