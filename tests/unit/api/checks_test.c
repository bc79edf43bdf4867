/* What each kind of check means, at its bounds. */
#include "api/checks.h"

#include "request/request.h"
#include "log_fixture.h"

#define INNER(X, s)                \
    X(s, STR, word, "word", IN, -) \
    X(s, I32, small, "small", IN, -)
STRUCT(inner, INNER);
TABLE(inner, INNER);

#define THING(X, s)                    \
    X(s, STR, name, "name", IN, -)     \
    X(s, STR, other, "other", IN, -)   \
    X(s, I32, small, "small", IN, -)   \
    X(s, I32, beside, "beside", IN, -) \
    X(s, I64, large, "large", IN, -)   \
    X(s, U64, count, "count", IN, -)   \
    X(s, OBJ, inner, "inner", IN, inner)
STRUCT(thing, THING);
TABLE(thing, THING);

static struct thing in;
static size_t asked; /* how often the function of a check was called */

static enum err
denies(struct req *req, const void *p)
{
    assert_ptr_equal(req, &r);
    assert_ptr_equal(p, &in);
    asked++;
    return ERR_DENIED;
}

static enum err
agrees(struct req *req, const void *p)
{
    (void)req;
    (void)p;
    asked++;
    return ERR_OK;
}

enum { FIRST, SECOND };

/* A process has its lists for ever: they are not freed. */
static struct check_state *states[256];
static size_t n_states;

/* The list of these checks, resolved. */
static enum err
run(const struct check *list, size_t n)
{
    const struct checks c = { "unit", &thing_rec, list, n,
                              &states[n_states++] };
    enum err e;

    errors[FIRST] = (struct error_text){ .id = "FIRST",
                                         .err = ERR_BAD_PARAM,
                                         .http = 400,
                                         .code = "F",
                                         .text = "first {member}" };
    errors[SECOND] = (struct error_text){
        .id = "SECOND", .err = ERR_LIMIT, .http = 400, .code = "S", .text = "s"
    };
    io.failed = NULL;
    io.in = &in;
    io.in_rec = &thing_rec;
    e = checks_resolve(&c);
    if (e == ERR_OK)
        e = checks_run(&r, &c, &in);
    return e;
}

#define RUN(...)                               \
    run((const struct check[]){ __VA_ARGS__ }, \
        COUNT(((const struct check[]){ __VA_ARGS__ })))
#define PASSES(...)               assert_int_equal(RUN(__VA_ARGS__), ERR_OK)
#define FAILS(...)                assert_int_equal(RUN(__VA_ARGS__), ERR_BAD_PARAM)
#define GIVE(member, value)       PUT(&in, thing, member, value)
#define GIVE_INNER(member, value) PUT(in.inner, inner, member, value)

static int
begin(void **state)
{
    memset(&in, 0, sizeof(in));
    asked = 0;
    return setup(state);
}

static void
what_is_needed_is_present_and_not_empty(void **state)
{
    (void)state;
    FAILS(NEED(name, FIRST));
    assert_string_equal(io.failure.text, "first name");
    GIVE(name, "");
    FAILS(NEED(name, FIRST));
    PASSES(PRESENT(name, FIRST));
    GIVE(name, "a");
    PASSES(NEED(name, FIRST));
    UNSET(&in, thing, name);
    FAILS(NEED(name, FIRST));
    FAILS(PRESENT(name, FIRST));
    GIVE(small, 0);
    FAILS(NEED(small, FIRST));
    PASSES(PRESENT(small, FIRST));
}

static void
what_is_needed_inside_is_needed_when_there_is_an_around(void **state)
{
    struct inner inner = { .has = 0 };

    (void)state;
    PASSES(NEED_IN(inner.word, FIRST));
    FAILS(NEED(inner.word, FIRST));
    FAILS(PRESENT(inner.word, FIRST));
    in.inner = &inner;
    FAILS(NEED_IN(inner.word, FIRST));
    assert_string_equal(io.failure.text, "first inner.word");
    FAILS(PRESENT(inner.word, FIRST));
    GIVE_INNER(word, "");
    FAILS(NEED_IN(inner.word, FIRST));
    PASSES(PRESENT(inner.word, FIRST));
    GIVE_INNER(word, "w");
    PASSES(NEED_IN(inner.word, FIRST));
    PASSES(NEED(inner.word, FIRST));
}

static void
what_is_given_matches(void **state)
{
    struct inner inner = { .has = 0 };

    (void)state;
    PASSES(MATCH(name, "^[a-z]+$", FIRST));
    in.name = "A"; /* not present */
    PASSES(MATCH(name, "^[a-z]+$", FIRST));
    GIVE(name, "");
    PASSES(MATCH(name, "^[a-z]+$", FIRST));
    GIVE(name, "a(b)");
    FAILS(MATCH(name, "^[a-z]+$", FIRST));
    GIVE(name, "ab");
    PASSES(MATCH(name, "^[a-z]+$", FIRST));
    PASSES(MATCH(inner.word, "^x$", FIRST));
    in.inner = &inner;
    PASSES(MATCH(inner.word, "^x$", FIRST));
    GIVE_INNER(word, "y");
    FAILS(MATCH(inner.word, "^x$", FIRST));
    GIVE(small, 5); /* no text */
    PASSES(MATCH(small, "^x$", FIRST));
}

static void
a_text_has_at_most_so_many_bytes(void **state)
{
    (void)state;
    PASSES(MAX_BYTES(name, 3, FIRST));
    GIVE(name, "abc");
    PASSES(MAX_BYTES(name, 3, FIRST));
    GIVE(name, "abcd");
    FAILS(MAX_BYTES(name, 3, FIRST));
    UNSET(&in, thing, name);
    PASSES(MAX_BYTES(name, 3, FIRST));
}

static void
a_number_lies_within_both_bounds(void **state)
{
    static const struct {
        int32_t v;
        bool passes;
    } rows[] = {
        { -6, false }, { -5, true }, { 0, true }, { 9, true }, { 10, false }
    };
    struct inner inner = { .has = 0 };

    (void)state;
    PASSES(RANGE(small, 1, 2, FIRST));
    in.small = 7; /* not present */
    PASSES(RANGE(small, 1, 2, FIRST));
    in.beside = 1; /* is not read with it */
    for (size_t i = 0; i < COUNT(rows); i++) {
        GIVE(small, rows[i].v);
        GIVE(large, rows[i].v);
        if ((RUN(RANGE(small, -5, 9, FIRST)) == ERR_OK) != rows[i].passes ||
            (RUN(RANGE(large, -5, 9, FIRST)) == ERR_OK) != rows[i].passes)
            fail_msg("%d", rows[i].v);
    }
    PASSES(RANGE(inner.small, 1, 2, FIRST));
    in.inner = &inner;
    PASSES(RANGE(inner.small, 1, 2, FIRST));
    GIVE_INNER(small, 3);
    FAILS(RANGE(inner.small, 1, 2, FIRST));
}

/* Their lower halves would fit. */
static void
large_numbers_are_read_whole(void **state)
{
    (void)state;
    GIVE(large, (INT64_C(1) << 32) + 5);
    FAILS(RANGE(large, 0, 10, FIRST));
    GIVE(count, (UINT64_C(1) << 32) + 5);
    FAILS(RANGE(count, 0, 10, FIRST));
    GIVE(count, 10);
    PASSES(RANGE(count, 0, 10, FIRST));
}

static void
one_of_two_or_not_both(void **state)
{
    (void)state;
    FAILS(ANY_OF(name, other, FIRST));
    PASSES(NOT_BOTH(name, other, FIRST));
    GIVE(name, "a");
    PASSES(ANY_OF(name, other, FIRST));
    PASSES(NOT_BOTH(name, other, FIRST));
    GIVE(other, "b");
    PASSES(ANY_OF(name, other, FIRST));
    FAILS(NOT_BOTH(name, other, FIRST));
    GIVE(name, "");
    PASSES(ANY_OF(name, other, FIRST));
    PASSES(NOT_BOTH(name, other, FIRST));
}

static void
the_first_that_does_not_hold_is_told(void **state)
{
    (void)state;
    FAILS(NEED(name, FIRST), NEED(other, SECOND));
    GIVE(name, "a");
    assert_int_equal(RUN(NEED(name, FIRST), NEED(other, SECOND)), ERR_LIMIT);
    assert_string_equal(io.failure.text, "s");
}

static void
a_function_has_its_turn(void **state)
{
    (void)state;
    FAILS(NEED(name, FIRST), FN(denies));
    assert_int_equal(asked, 0);
    assert_int_equal(RUN(FN(denies), NEED(name, FIRST)), ERR_DENIED);
    assert_int_equal(asked, 1);
    assert_false(req_failed(&r));
    FAILS(FN(agrees), NEED(name, FIRST));
    assert_int_equal(asked, 2);
}

static void
mistaken(const struct check *list, size_t n, const char *said)
{
    const char *text;

    log_catch();
    assert_int_equal(run(list, n), ERR_INTERNAL);
    text = logged();
    log_release();
    if (strstr(text, said) == NULL)
        fail_msg("%s", text);
}

#define MISTAKEN(said, ...)                         \
    mistaken((const struct check[]){ __VA_ARGS__ }, \
             COUNT(((const struct check[]){ __VA_ARGS__ })), said)

static void
mistakes_of_a_list_are_found_before_it_runs(void **state)
{
    (void)state;
    MISTAKEN("checks.unknown_member list=unit member=nam", NEED(nam, FIRST),
             NEED(name, FIRST));
    MISTAKEN("checks.unknown_member list=unit member=nam",
             ANY_OF(name, nam, FIRST), NEED(name, FIRST));
    MISTAKEN("checks.bad_regex list=unit member=name", MATCH(name, "(", FIRST),
             NEED(name, FIRST));
}

static void
a_list_is_resolved_once(void **state)
{
    static const struct check list[] = { NEED(name, FIRST) };
    struct check_state *own = NULL, *first;
    const struct checks c = { "unit", &thing_rec, list, 1, &own };
    const struct checks empty = { "unit", &thing_rec, NULL, 0, &own };

    (void)state;
    assert_int_equal(checks_resolve(&empty), ERR_OK);
    assert_null(own);
    assert_int_equal(checks_resolve(&c), ERR_OK);
    first = own;
    assert_non_null(first);
    assert_int_equal(checks_resolve(&c), ERR_OK);
    assert_ptr_equal(own, first);
    free(own);
    assert_int_equal(checks_run(&r, &empty, &in), ERR_OK);
}

#define BEGIN(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BEGIN(what_is_needed_is_present_and_not_empty),
        BEGIN(what_is_needed_inside_is_needed_when_there_is_an_around),
        BEGIN(what_is_given_matches),
        BEGIN(a_text_has_at_most_so_many_bytes),
        BEGIN(a_number_lies_within_both_bounds),
        BEGIN(large_numbers_are_read_whole),
        BEGIN(one_of_two_or_not_both),
        BEGIN(the_first_that_does_not_hold_is_told),
        BEGIN(a_function_has_its_turn),
        BEGIN(mistakes_of_a_list_are_found_before_it_runs),
        BEGIN(a_list_is_resolved_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
