/* When tokens.map is read again, and what it may be: the clock stands still. */
#include "identity/token_lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "identity/identity.h"
#include "log_fixture.h"
#include "run_dir_fixture.h"

static struct token_grant grant;
static char path[128];

/* Over the file that is there; its time is the second s and ns. */
static void
write_map(const char *text, time_t s, long ns)
{
    const struct timespec at[2] = { { s, ns }, { s, ns } };
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(futimens(fd, at), 0);
    assert_int_equal(close(fd), 0);
}

#define MAP(token) "\"" token "\" \"read ci 0\";\n"

static int
begin(void **state)
{
    if (setup(state) != 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/map", dir);
    pass_ms(3600000);
    return 0;
}

static int
end(void **state)
{
    token_lookup_unload();
    return teardown(state);
}

static void
knows(const char *token)
{
    assert_true(token_lookup(token, &grant));
}

static void
knows_not(const char *token)
{
    assert_false(token_lookup(token, &grant));
}

/* The file has become that of token: it is seen at the next look. */
static void
seen(const char *token)
{
    knows_not(token);
    pass_ms(1000);
    token_lookup_refresh();
    knows(token);
}

static void
a_file_is_another_by_place_size_or_time(void **state)
{
    struct stat st;
    char kept[160];

    (void)state;
    write_map(MAP("a0"), 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    write_map(MAP("a1"), 1001, 5);
    seen("a1");
    write_map(MAP("a2"), 1001, 6);
    seen("a2");
    write_map(MAP("a23"), 1001, 6);
    seen("a23");
    assert_int_equal(stat(path, &st), 0);
    (void)snprintf(kept, sizeof(kept), "%s.kept", path);
    assert_int_equal(rename(path, kept), 0); /* its number stays in use */
    write_map(MAP("a24"), 1001, 6);
    seen("a24");
}

static void
a_file_that_is_the_same_is_not_read_again(void **state)
{
    (void)state;
    write_map(MAP("a0"), 1000, 5);
    log_catch();
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_non_null(strstr(logged(), "tokens.load path="));
    pass_ms(1000);
    token_lookup_refresh();
    assert_string_equal(logged(), "");
    write_map(MAP("a0") MAP("a1"), 1000, 5);
    pass_ms(1000);
    token_lookup_refresh();
    assert_non_null(strstr(logged(), "tokens=2"));
    log_release();
}

static void
it_is_looked_at_once_a_second(void **state)
{
    (void)state;
    write_map(MAP("a0"), 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    token_lookup_refresh();
    write_map(MAP("a1"), 1001, 5);
    pass_ms(999);
    token_lookup_refresh();
    knows_not("a1");
    pass_ms(1);
    token_lookup_refresh();
    knows("a1");
    knows_not("a0");
}

static void
what_was_known_stays_when_the_file_is_gone_or_wrong(void **state)
{
    char other[160];

    (void)state;
    pass_ms(1000);
    token_lookup_refresh(); /* nothing was loaded yet */
    write_map(MAP("a0"), 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_int_equal(unlink(path), 0);
    pass_ms(1000);
    token_lookup_refresh();
    knows("a0");
    log_catch();
    write_map("# x\n\nwrong\n", 1002, 5);
    pass_ms(1000);
    token_lookup_refresh();
    assert_non_null(strstr(logged(), "/map line=3"));
    log_release();
    knows("a0");
    (void)snprintf(other, sizeof(other), "%s.other", path);
    log_catch();
    assert_int_equal(token_lookup_load(other), ERR_STATE);
    assert_non_null(strstr(logged(), "tokens.read path="));
    log_release();
    write_map(MAP("a1"), 1003, 5); /* the path is still the first one */
    seen("a1");
}

static void
another_path_is_watched_from_then_on(void **state)
{
    (void)state;
    write_map(MAP("a0"), 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    (void)strcat(path, ".second");
    write_map(MAP("b0"), 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    knows_not("a0");
    write_map(MAP("b1"), 1001, 5);
    seen("b1");
}

static void
its_group_may_read_it_and_nobody_else(void **state)
{
    static const struct {
        mode_t mode;
        enum err e;
    } rows[] = { { 0640, ERR_OK },    { 0660, ERR_OK },    { 0601, ERR_STATE },
                 { 0602, ERR_STATE }, { 0604, ERR_STATE }, { 0600, ERR_OK } };

    (void)state;
    write_map(MAP("a0"), 1000, 5);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(path, rows[i].mode), 0);
        if (token_lookup_load(path) != rows[i].e)
            fail_msg("%o", (unsigned)rows[i].mode);
    }
}

static void
all_of_many_tokens_are_known(void **state)
{
    char *text = arena_alloc(arena, 64 * 100), *p = text;

    (void)state;
    for (int i = 0; i < 100; i++)
        p += sprintf(p, "\"token%d\" \"read n%d 0\";\n", i, i);
    write_map(text, 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    for (int i = 0; i < 100; i++) {
        knows(arena_printf(arena, "token%d", i));
        assert_string_equal(grant.name, arena_printf(arena, "n%d", i));
    }
    knows_not("token100");
}

static void
a_token_has_at_most_256_bytes(void **state)
{
    char text[300], token[258];

    (void)state;
    memset(token, 'a', 257);
    token[256] = '\0';
    (void)snprintf(text, sizeof(text), "\"%s\" \"read ci 0\";\n", token);
    write_map(text, 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    knows(token);
    token[256] = 'a';
    token[257] = '\0';
    knows_not(token);
    (void)snprintf(text, sizeof(text), "\"%s\" \"read ci 0\";\n", token);
    write_map(text, 1001, 5);
    assert_int_equal(token_lookup_load(path), ERR_STATE);
}

/* An end that lies in the same second is one. */
static void
a_token_ends_with_its_second(void **state)
{
    (void)state;
    write_map("\"a0\" \"read ci 0 0123456789abcdef 1900000000\";\n", 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    fake_unix_ms = INT64_C(1900000000000) - 1;
    knows("a0");
    assert_int_equal(grant.expires_s, 1900000000);
    pass_ms(1);
    knows_not("a0");
}

/* ---- a request ---- */

static struct req req;

static enum err
identify(char *header, struct arena *a)
{
    char *const params[] = { header, NULL };

    req = (struct req){ .arena = a, .token_name = "" };
    return identity_from_token(&req, params, "");
}

static void
who_uses_a_token_is_marked_and_sees_the_newest_file(void **state)
{
    char header[] = "HTTP_X_METAGATE_TOKEN=a1";

    (void)state;
    write_map(MAP("a0"), 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_int_equal(identify(header, arena), ERR_OK);
    assert_int_equal(req.rights, 0);
    write_map("\"a1\" \"read ci 0 0123456789abcdef\";\n", 1001, 5);
    pass_ms(1000);
    assert_int_equal(identify(header, arena), ERR_OK);
    assert_int_equal(req.rights, SCOPE_READ);
    assert_int_equal(
        access(arena_printf(arena, "%s/used/0123456789abcdef", dir), F_OK), 0);
}

static void
no_memory_for_a_name_is_said(void **state)
{
    char header[] = "HTTP_X_METAGATE_TOKEN=a0";
    struct arena *small = arena_new(1);

    (void)state;
    write_map(MAP("a0"), 1000, 5);
    assert_int_equal(token_lookup_load(path), ERR_OK);
    assert_int_equal(identify(header, small), ERR_NOMEM);
    arena_free(small);
}

static void
a_request_id_is_of_64_characters_at_most(void **state)
{
    char longest[] = "MG_REQUEST_ID="
                     "A123456789A123456789A123456789A123456789A123456789"
                     "A123456789A12z";
    char *const params[] = { longest, NULL };
    char *const none[] = { NULL };
    struct arena *small = arena_new(1);

    (void)state;
    assert_string_equal(identity_request_id(small, params), longest + 14);
    assert_null(identity_request_id(small, none));
    assert_string_not_equal(identity_request_id(arena, none),
                            identity_request_id(arena, none));
    arena_free(small);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_file_is_another_by_place_size_or_time),
        CASE(a_file_that_is_the_same_is_not_read_again),
        CASE(it_is_looked_at_once_a_second),
        CASE(what_was_known_stays_when_the_file_is_gone_or_wrong),
        CASE(another_path_is_watched_from_then_on),
        CASE(its_group_may_read_it_and_nobody_else),
        CASE(all_of_many_tokens_are_known),
        CASE(a_token_has_at_most_256_bytes),
        CASE(a_token_ends_with_its_second),
        CASE(who_uses_a_token_is_marked_and_sees_the_newest_file),
        CASE(no_memory_for_a_name_is_said),
        CASE(a_request_id_is_of_64_characters_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
