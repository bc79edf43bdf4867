/* What reading and looking up tokens leaves behind: nothing in memory, no lock
 * and no descriptor; and in the log why a file was refused, without a token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_clock.h"
#include "identity/token_lookup.h"
#include "locks.h"
#include "log_fixture.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char path[] = "/var/tmp/tokentraces.XXXXXX";

/* libcrypto's, in whose place this stands: blocks by size that were wiped. */
static unsigned wiped[4096];

void OPENSSL_cleanse(void *p, size_t n);

void
OPENSSL_cleanse(void *p, size_t n)
{
    explicit_bzero(p, n);
    if (n < COUNT(wiped))
        wiped[n]++;
}

static void
write_map(const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    memset(wiped, 0, sizeof(wiped));
}

static int
setup(void **state)
{
    int fd;

    (void)state;
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    fd = mkstemp(path);
    log_catch();
    return fd >= 0 && close(fd) == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    token_lookup_unload();
    log_release();
    assert_unlocked();
    return unlink(path);
}

static void
no_token_stays_in_memory(void **state)
{
    static const char text[] = "\"" A "\" \"read ci 0\";\n"
                               "\"" B "\" \"read me 0\";\n";
    static const char bad[] = "\"" A "\" \"nobody ci 0\";\n";
    struct token_grant grant;

    (void)state;
    write_map(text);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_true(wiped[sizeof(text) - 1] > 0); /* the file */
    assert_true(wiped[TOKEN_MAX_BYTES] >= 2); /* each, in lower case */
    memset(wiped, 0, sizeof(wiped));
    assert_true(token_lookup(A, &grant));
    assert_true(wiped[TOKEN_MAX_BYTES] >= 1);
    write_map(bad);
    assert_int_equal(token_lookup_load(path), ERR_STATE);
    assert_true(wiped[sizeof(bad) - 1] > 0);
}

static void
a_refusal_names_the_line_and_not_the_token(void **state)
{
    const char *log;

    (void)state;
    write_map("# x\n\"" A "\" \"read ci 0\";\n\"" B "\" \"nobody ci 0\";\n");
    assert_int_equal(token_lookup_load(path), ERR_STATE);
    log = logged();
    assert_non_null(strstr(log, "tokens.line path="));
    assert_non_null(strstr(log, " line=3\n"));
    assert_null(strstr(log, "aaaa"));
    assert_null(strstr(log, "bbbb"));
    assert_null(strstr(log, "tokens.load"));
}

static void
a_file_that_others_may_read_is_told_with_its_mode(void **state)
{
    (void)state;
    write_map("\"" A "\" \"read ci 0\";\n");
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(token_lookup_load(path), ERR_STATE);
    assert_non_null(strstr(logged(), " mode=604 errno="));
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_non_null(strstr(logged(), " tokens=1\n"));
    write_map("");
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_non_null(strstr(logged(), " tokens=0\n"));
}

static void
no_descriptor_stays_open(void **state)
{
    int before = dup(0), after;

    (void)state;
    assert_true(before >= 0 && close(before) == 0);
    write_map("\"" A "\" \"read ci 0\";\n");
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(token_lookup_load(path), ERR_STATE);
    write_map("x\n");
    pass_ms(60000);
    token_lookup_refresh();
    after = dup(0);
    assert_int_equal(after, before);
    assert_int_equal(close(after), 0);
}

/* As for who was started without one. */
static void
the_file_may_be_the_first_descriptor(void **state)
{
    int input = dup(0);

    (void)state;
    write_map("\"" A "\" \"read ci 0\";\n");
    assert_true(input > 0 && close(0) == 0);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_int_equal(dup2(input, 0), 0);
    assert_int_equal(close(input), 0);
}

static void
what_is_unloaded_is_not_known_and_not_watched(void **state)
{
    struct token_grant grant;

    (void)state;
    write_map("\"" A "\" \"read ci 0\";\n");
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_true(token_lookup(A, &grant));
    token_lookup_unload();
    assert_false(token_lookup(A, &grant));
    write_map("\"" A "\" \"write ci 0\";\n");
    pass_ms(60000);
    token_lookup_refresh();
    assert_false(token_lookup(A, &grant));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(no_token_stays_in_memory),
        TEST(a_refusal_names_the_line_and_not_the_token),
        TEST(a_file_that_others_may_read_is_told_with_its_mode),
        TEST(no_descriptor_stays_open),
        TEST(the_file_may_be_the_first_descriptor),
        TEST(what_is_unloaded_is_not_known_and_not_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
