/* Tokens looked up by the worker itself: the file, the sources, the rights. */
#include "identity/token_lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "identity/identity.h"
#include "identity/token_use.h"
#include "config.h"
#include "crypt.h"
#include "hex.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char path[64];
static struct arena *arena;
static struct token_grant grant;

static void
write_map(const char *text)
{
    char new[72];
    FILE *f;

    (void)snprintf(new, sizeof(new), "%s.new", path);
    f = fopen(new, "w");
    assert_non_null(f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(new, path), 0);
}

static int
setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    (void)snprintf(path, sizeof(path), "/var/tmp/token_lookup_test.%d",
                   (int)getpid());
    return arena == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    token_lookup_unload();
    arena_free(arena);
    (void)unlink(path);
    return 0;
}

static void
load(const char *text)
{
    write_map(text);
    assert_int_equal(token_lookup_load(path), ERR_OK);
}

static void
expect_refused(const char *text)
{
    write_map(text);
    assert_int_equal(token_lookup_load(path), ERR_STATE);
}

/* ---- the file ---- */

static void
a_known_token_has_its_name_scope_and_mark(void **state)
{
    (void)state;
    load("# comment\n\n\"" A "\" \"read ci 0 0123456789abcdef\";\n"
         "  \"" B "\" \"admin me 1\";");
    assert_true(token_lookup(A, &grant));
    assert_string_equal(grant.name, "ci");
    assert_int_equal(grant.rights, SCOPE_READ);
    assert_false(grant.secrets);
    assert_true(token_lookup(B, &grant));
    assert_string_equal(grant.name, "me");
    assert_true((grant.rights & SCOPE_ADMIN) != 0);
    assert_true(grant.secrets);
}

static void
a_token_that_has_expired_is_not_found(void **state)
{
    (void)state;
    load("\"" A "\" \"read ci 0 0123456789abcdef 1700000000\";\n"
         "\"" B "\" \"read me 0 0123456789abcdee 999999999999\";\n");
    assert_false(token_lookup(A, &grant));
    assert_true(token_lookup(B, &grant));
    assert_string_equal(grant.id, "0123456789abcdee");
}

static void
an_unknown_token_is_not_found(void **state)
{
    (void)state;
    load("\"" A "\" \"read ci 0\";\n\"x\" \"read me 0\";\n");
    assert_true(token_lookup("X", &grant));
    assert_false(token_lookup("y", &grant));
    assert_false(token_lookup(B, &grant));
    assert_false(token_lookup("", &grant));
    assert_false(token_lookup(A "a", &grant));
    assert_false(token_lookup("aaaa", &grant));
}

/* Line k is the token of 64 digits k, scope k. */
static void
each_token_of_a_file_has_the_rights_of_its_scope(void **state)
{
    static const struct {
        const char *scope;
        unsigned rights;
    } scopes[] = {
        { "read", SCOPE_READ },
        { "write", SCOPE_READ | SCOPE_WRITE },
        { "admin", SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN | SCOPE_PROFILE |
                       SCOPE_MACHINE },
        { "profile", SCOPE_PROFILE },
        { "machine", SCOPE_MACHINE },
    };
    char token[65] = "", text[1024];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(scopes); i++) {
        memset(token, '0' + (int)i, 64);
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "\"%s\" \"%s t%zu 0\";\n", token, scopes[i].scope,
                              i);
    }
    load(text);
    for (size_t i = 0; i < COUNT(scopes); i++) {
        memset(token, '0' + (int)i, 64);
        assert_true(token_lookup(token, &grant));
        assert_int_equal(grant.name[1], '0' + (int)i);
        assert_int_equal(grant.rights, scopes[i].rights);
    }
    assert_int_equal(scope_rights("owner"), 0);
    assert_string_equal(scope_name(SCOPE_MACHINE), "machine");
    assert_string_equal(scope_name(SCOPE_READ | SCOPE_WRITE), "");
}

static void
a_file_may_have_16_mib(void **state)
{
    const size_t most = (size_t)16 << 20;
    static const char line[] = "\"" A "\" \"read ci 0\";\n#";
    char *text = malloc(most + 2);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', most + 1);
    memcpy(text, line, sizeof(line) - 1);
    text[most] = '\0';
    load(text);
    text[most] = 'x';
    text[most + 1] = '\0';
    expect_refused(text);
    free(text);
}

static void
letter_case_does_not_count(void **state)
{
    char upper[] = A;

    (void)state;
    load("\"" A "\" \"read ci 0\";\n");
    for (char *p = upper; *p != '\0'; p++)
        *p = 'A';
    assert_true(token_lookup(upper, &grant));
}

static void
a_wrong_line_refuses_the_file_and_keeps_the_old_tokens(void **state)
{
    (void)state;
    load("\"" A "\" \"read ci 0\";\n");
    expect_refused("\"" B "\" \"read ci 0\";\n\"" B "\" \"read ci\";\n");
    expect_refused("\"" B "\" \"owner ci 0\";\n");
    expect_refused("\"" B "\" \"none ci 0\";\n");
    expect_refused("\"" B "\" \"read ci 2\";\n");
    expect_refused("\"" B "\" \"read ci 0x\";\n");
    expect_refused("\"" B "\" \"read ci 0 00 1\";\n");
    expect_refused("\"" B "\" \"read ci 0\"\n");
    expect_refused("\"\" \"read ci 0\";\n");
    expect_refused(B " read;\n");
    expect_refused("\"" B "\n");
    assert_true(token_lookup(A, &grant));
    assert_false(token_lookup(B, &grant));
}

static void
a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    write_map("\"" A "\" \"read ci 0\";\n");
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(token_lookup_load(path), ERR_STATE);
    assert_false(token_lookup(A, &grant));
}

static void
a_changed_file_is_read_again(void **state)
{
    (void)state;
    load("\"" A "\" \"read ci 0\";\n");
    write_map("\"" B "\" \"write ci 0\";\n");
    for (int i = 0; i < 500 && !token_lookup(B, &grant); i++) {
        token_lookup_refresh(); /* looks at most once a second */
        (void)usleep(10 * 1000);
    }
    assert_true(token_lookup(B, &grant));
    assert_false(token_lookup(A, &grant));
}

/* ---- where a token may come from ---- */

static struct req req;

static void
identify(char *const *params, const char *query_token)
{
    req = (struct req){ .arena = arena, .token_name = "" };
    assert_int_equal(identity_from_token(&req, params, query_token), ERR_OK);
}

#define PARAMS(...) ((char *[]){ __VA_ARGS__, NULL })
#define TEXT(...)   ((char[]){ __VA_ARGS__ })

static char *
basic(const char *user_password)
{
    char *text = crypt_base64(arena, user_password, strlen(user_password));

    assert_non_null(text);
    return arena_printf(arena, "HTTP_AUTHORIZATION=basic %s", text);
}

static void
every_source_gives_rights(void **state)
{
    (void)state;
    load("\"" A "\" \"write ci 1\";\n");
    identify(PARAMS(TEXT("HTTP_X_METAGATE_TOKEN=" A)), "");
    assert_string_equal(req.token_name, "ci");
    assert_int_equal(req.rights, SCOPE_READ | SCOPE_WRITE);
    assert_true(req.see_secrets);
    identify(PARAMS(TEXT("HTTP_AUTHORIZATION=BEARER  " A)), "");
    assert_string_equal(req.token_name, "ci");
    identify(PARAMS(basic(A ":x")), "");
    assert_string_equal(req.token_name, "ci");
    identify(PARAMS(TEXT("X=y")), A);
    assert_string_equal(req.token_name, "ci");
}

static void
the_first_that_is_given_counts_right_or_wrong(void **state)
{
    (void)state;
    load("\"" A "\" \"write ci 0\";\n");
    identify(PARAMS(TEXT("HTTP_X_METAGATE_TOKEN=" B),
                    TEXT("HTTP_AUTHORIZATION=Bearer " A)),
             A);
    assert_int_equal(req.rights, 0);
    identify(PARAMS(TEXT("HTTP_X_METAGATE_TOKEN="), basic(":" A)), A);
    assert_int_equal(req.rights, SCOPE_READ | SCOPE_WRITE);
    identify(PARAMS(TEXT("HTTP_AUTHORIZATION=Bearer " B)), A);
    assert_int_equal(req.rights, 0);
}

static void
what_the_front_end_says_does_not_count(void **state)
{
    (void)state;
    load("\"" A "\" \"read ci 0\";\n");
    identify(PARAMS(TEXT("MG_SCOPE=admin"), TEXT("MG_NAME=root"),
                    TEXT("MG_SECRETS=1")),
             "");
    assert_int_equal(req.rights, 0);
    assert_string_equal(req.token_name, "");
    assert_false(req.see_secrets);
}

static void
odd_authorization_gives_nothing(void **state)
{
    (void)state;
    load("\"" A "\" \"read ci 0\";\n");
    identify(PARAMS(TEXT("HTTP_AUTHORIZATION=Basic !!!")), "");
    assert_int_equal(req.rights, 0);
    identify(PARAMS(basic(A)), ""); /* no colon */
    assert_int_equal(req.rights, 0);
    identify(PARAMS(TEXT("HTTP_AUTHORIZATION=Bearer")), "");
    assert_int_equal(req.rights, 0);
    identify(PARAMS(TEXT("HTTP_AUTHORIZATION=Digest " A)), "");
    assert_int_equal(req.rights, 0);
}

/* ---- the front end ---- */

static void
the_front_end_gives_name_scope_and_mark(void **state)
{
    (void)state;
    req = (struct req){ .arena = arena };
    identity_from_front_end(&req,
                            PARAMS(TEXT("MG_SCOPE=write"), TEXT("MG_NAME=ci"),
                                   TEXT("MG_SECRETS=1")));
    assert_int_equal(req.rights, SCOPE_READ | SCOPE_WRITE);
    assert_string_equal(req.token_name, "ci");
    assert_true(req.see_secrets);
    identity_from_front_end(&req,
                            PARAMS(TEXT("MG_SCOPE="), TEXT("MG_SECRETS=")));
    assert_int_equal(req.rights, 0);
    assert_false(req.see_secrets);
    identity_from_front_end(&req, PARAMS(TEXT("MG_SCOPE=admin")));
    assert_true(req.see_secrets);
}

static void
past_its_end_the_front_end_s_token_gives_nothing(void **state)
{
    (void)state;
    req = (struct req){ .arena = arena, .token_name = "" };
    identity_from_front_end(&req,
                            PARAMS(TEXT("MG_SCOPE=admin"), TEXT("MG_NAME=ci"),
                                   TEXT("MG_EXPIRES=1700000000")));
    assert_int_equal(req.rights, 0);
    assert_string_equal(req.token_name, "");
    assert_false(req.see_secrets);
    identity_from_front_end(&req,
                            PARAMS(TEXT("MG_SCOPE=read"), TEXT("MG_NAME=ci"),
                                   TEXT("MG_EXPIRES=999999999999")));
    assert_int_equal(req.rights, SCOPE_READ);
}

/* ---- the last use ---- */

static char *
place_file(const char *name)
{
    return arena_printf(arena, "%s.d/%s", path, name);
}

static bool
is_there(const char *name)
{
    return access(place_file(name), F_OK) == 0;
}

static void
use_and_end_of_a_token_leave_marks(void **state)
{
    (void)state;
    config_place(arena_printf(arena, "%s.d", path), "127.9.7");
    assert_int_equal(mkdir(place_file(""), 0700), 0);
    identity_from_front_end(&req,
                            PARAMS(TEXT("MG_SCOPE=read"), TEXT("MG_NAME=ci"),
                                   TEXT("MG_ID=00112233445566aa")));
    assert_true(is_there("used/00112233445566aa"));
    token_use_note(""); /* an older map's */
    token_use_note("../../../x");
    assert_false(is_there("used/../../../x"));

    /* no nginx has run here: nothing is made, nothing is complained of */
    token_use_ended("00112233445566ab");
    assert_false(is_there("nginx"));
    assert_int_equal(mkdir(place_file("nginx"), 0700), 0);
    assert_int_equal(mkdir(place_file("nginx/revoked"), 0700), 0);
    identity_from_front_end(&req, PARAMS(TEXT("MG_SCOPE=read"),
                                         TEXT("MG_ID=00112233445566ac"),
                                         TEXT("MG_EXPIRES=1700000000")));
    assert_true(is_there("nginx/revoked/00112233445566ac"));
    assert_false(is_there("used/00112233445566ac"));

    assert_int_equal(unlink(place_file("nginx/revoked/00112233445566ac")), 0);
    assert_int_equal(rmdir(place_file("nginx/revoked")), 0);
    assert_int_equal(rmdir(place_file("nginx")), 0);
    assert_int_equal(unlink(place_file("used/00112233445566aa")), 0);
    assert_int_equal(rmdir(place_file("used")), 0);
    assert_int_equal(rmdir(place_file("")), 0);
}

static void
only_our_secret_admits_a_front_end(void **state)
{
    (void)state;
    assert_true(identity_front_end(PARAMS(TEXT("MG_SECRET=" A)), A));
    assert_false(identity_front_end(PARAMS(TEXT("MG_SECRET=" B)), A));
    assert_false(identity_front_end(PARAMS(TEXT("MG_SECRET=" A "a")), A));
    assert_false(identity_front_end(PARAMS(TEXT("MG_SECRET=")), A));
    assert_false(identity_front_end(PARAMS(TEXT("X=" A)), A));
}

static void
a_request_id_that_could_not_stand_in_a_header_is_replaced(void **state)
{
    const char *id;

    (void)state;
    id = identity_request_id(arena, PARAMS(TEXT("MG_REQUEST_ID=a-1_b.C")));
    assert_string_equal(id, "a-1_b.C");
    id = identity_request_id(arena, PARAMS(TEXT("MG_REQUEST_ID=7")));
    assert_string_equal(id, "7");
    id = identity_request_id(arena, PARAMS(TEXT("MG_REQUEST_ID=a\r\nb")));
    assert_int_equal(strlen(id), 32);
    assert_int_equal(strspn(id, "0123456789abcdef"), 32);
    id = identity_request_id(arena, PARAMS(TEXT("MG_REQUEST_ID=" A "a")));
    assert_int_equal(strlen(id), 32);
    id = identity_request_id(arena, PARAMS(TEXT("MG_REQUEST_ID=")));
    assert_int_equal(strlen(id), 32);
}

/* ---- what the client calls it by ---- */

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT TRACE "-00f067aa0ba902b7"

static void
calls(char *id, char *traceparent, struct trace *out)
{
    char *params[] = { id, traceparent, NULL };

    assert_int_equal(identity_trace(arena, params, out), ERR_OK);
}

static void
a_trace_is_taken_as_w3c_has_it(void **state)
{
    struct trace t;

    (void)state;
    calls(TEXT("HTTP_X_REQUEST_ID="), TEXT("HTTP_TRACEPARENT=00-" PARENT "-01"),
          &t);
    assert_string_equal(t.id, TRACE);
    assert_true(t.sampled);
    calls(TEXT("X=1"), TEXT("HTTP_TRACEPARENT=00-" PARENT "-02"), &t);
    assert_string_equal(t.id, TRACE);
    assert_false(t.sampled);
    calls(TEXT("X=1"), TEXT("HTTP_TRACEPARENT=cc-" PARENT "-01-what-ever"), &t);
    assert_string_equal(t.id, TRACE);
    calls(TEXT("X=1"), TEXT("Y=1"), &t);
    assert_string_equal(t.id, "");
    assert_false(t.sampled);
}

static void
a_trace_that_is_none_begins_another(void **state)
{
    static const char *const wrong[] = {
        "x",
        "00-" PARENT,
        "00-" PARENT "-",
        "00-" PARENT "-1",
        "00-" PARENT "-0g",
        "00-" PARENT "-01-",
        "00-" PARENT "-01x",
        "00-" PARENT "_01",
        "ff-" PARENT "-01",
        "cc-" PARENT "-01.x",
        "0-" PARENT "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-" TRACE "-0000000000000000-01",
        "00-" TRACE "0-0f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
    };
    char text[128];
    struct trace t, u;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        (void)snprintf(text, sizeof(text), "HTTP_TRACEPARENT=%s", wrong[i]);
        calls(TEXT("X=1"), text, &t);
        assert_true(hex_is(t.id, 32, 32));
        assert_string_not_equal(t.id, TRACE);
        assert_false(t.sampled);
        calls(TEXT("X=1"), text, &u);
        assert_string_not_equal(t.id, u.id);
    }
}

static void
a_plain_word_is_an_id_of_the_client(void **state)
{
    static const char *const right[] = {
        "a", "5e9c7a1c-9e7e-4a0e-8ed4-1d1b3c5f7a9b", "job:7+x~._",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    };
    static const char *const wrong[] = { "",         "a b", "a\r\nb",
                                         "\xc3\xa4", "a=b", "a\"",
                                         "[a]",      A,     A "-" };
    char text[160];
    struct trace t;

    (void)state;
    for (size_t i = 0; i < COUNT(right); i++) {
        (void)snprintf(text, sizeof(text), "HTTP_X_REQUEST_ID=%s", right[i]);
        calls(text, TEXT("Y=1"), &t);
        assert_string_equal(t.client, right[i]);
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        (void)snprintf(text, sizeof(text), "HTTP_X_REQUEST_ID=%s", wrong[i]);
        calls(text, TEXT("Y=1"), &t);
        assert_string_equal(t.client, "");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_known_token_has_its_name_scope_and_mark),
        TEST(a_token_that_has_expired_is_not_found),
        TEST(an_unknown_token_is_not_found),
        TEST(each_token_of_a_file_has_the_rights_of_its_scope),
        TEST(a_file_may_have_16_mib),
        TEST(letter_case_does_not_count),
        TEST(a_wrong_line_refuses_the_file_and_keeps_the_old_tokens),
        TEST(a_file_that_others_may_read_is_refused),
        TEST(a_changed_file_is_read_again),
        TEST(every_source_gives_rights),
        TEST(the_first_that_is_given_counts_right_or_wrong),
        TEST(what_the_front_end_says_does_not_count),
        TEST(odd_authorization_gives_nothing),
        TEST(the_front_end_gives_name_scope_and_mark),
        TEST(past_its_end_the_front_end_s_token_gives_nothing),
        TEST(use_and_end_of_a_token_leave_marks),
        TEST(only_our_secret_admits_a_front_end),
        TEST(a_trace_is_taken_as_w3c_has_it),
        TEST(a_trace_that_is_none_begins_another),
        TEST(a_plain_word_is_an_id_of_the_client),
        TEST(a_request_id_that_could_not_stand_in_a_header_is_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
