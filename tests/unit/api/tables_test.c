/* Mistakes of a dialect's tables: each one is found, and named. */
#include "api/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config_keys.h"
#include "req.h"
#include "log_fixture.h"

/* ---- a dialect without a mistake, made anew for each test ---- */

#define REF(X, s)                         \
    X(s, STR, name, "name", IN | PATH, -) \
    X(s, STR, word, "word", IN, -)
STRUCT(ref, REF);
TABLE(ref, REF);

#define LATE_REF(X, s)             \
    X(s, STR, word, "word", IN, -) \
    X(s, STR, text, "text", IN, -) \
    X(s, STR, name, "name", IN | PATH, -)
STRUCT(late_ref, LATE_REF);
TABLE(late_ref, LATE_REF);

/* An ENUM without names. */
static const struct field bad_fields[] = {
    { .key = "x", .key_bytes = 1, .off = 8, .type = F_ENUM, .flags = IN },
};
static const struct record bad_rec = { "bad", sizeof(struct ref), bad_fields,
                                       1 };

static enum err
says_ok(struct req *r, const void *in)
{
    (void)r;
    (void)in;
    return ERR_OK;
}

static enum err
classify(struct req *r, const struct json *body)
{
    (void)r;
    (void)body;
    return ERR_OK;
}

static enum err
leader(struct req *r)
{
    (void)r;
    return ERR_OK;
}

static enum err
basic(struct req *r, const char *user, const char *password)
{
    (void)r;
    (void)user;
    (void)password;
    return ERR_OK;
}

static void
accept_job(struct req *r, struct json_writer *w, const char *job_id)
{
    (void)r;
    (void)w;
    (void)job_id;
}

enum {
    MOUNT_ROW,
    THING_ROW,
    VERB_ROW,
    VARIANT_ROW,
    ALSO_ROW,
    EXAMPLE_ROW,
    ROWS
};

static struct check list[3];
static struct check_state *state_of_list;
static const struct checks checks = { "unit", &ref_rec, list, COUNT(list),
                                      &state_of_list };
static struct form form;
static struct row rows[ROWS];
static struct error_text errors[3], by_class[ERR__MAX];
static struct unique_text uniques[2];
static const struct error_text by_event[EVENT__MAX];
static const struct listener listeners[] = {
    { "first", "", 1, 5000, "x" },
    { "second", "", 1, 5001, "x" },
    { .name = NULL },
};
static struct conf_row settings[3];
static int64_t value;
static struct dialect unit, second, third;      /* these have no rows ... */
static struct error_text sound_class[ERR__MAX]; /* ... and no mistakes */
static const struct error_text sound_errors[] = { { .id = "E", .text = "e" },
                                                  { .id = "F", .text = "f" } };
static const struct unique_text sound_uniques[] = { { "its_index", 1 },
                                                    { NULL, -1 } };

extern const struct dialect *const dialects[];
const struct dialect *const dialects[] = { &unit, &second, &third, NULL };

static int
setup(void **state)
{
    static const enum err needed[] = { ERR_STORE, ERR_TIMEOUT, ERR_BUSY,
                                       ERR_NOMEM, ERR_INTERNAL };

    (void)state;
    log_catch();
    state_of_list = NULL;
    list[0] = (struct check)NEED(word, 0);
    list[1] = (struct check)FN(says_ok);
    list[2] = (struct check)NEED(word, 1);
    form = (struct form){ .name = "unit", .accept = accept_job };
    memset(rows, 0, sizeof(rows));
    rows[MOUNT_ROW] = (struct row){ .kind = ROW_MOUNT,
                                    .listener = "first",
                                    .prefix = "/a",
                                    .auth = AUTH_TOKEN,
                                    .form = &form };
    rows[THING_ROW] = (struct row){ .kind = ROW_ENDPOINT,
                                    .methods = GET,
                                    .path = "/things/{name}",
                                    .verb = "-",
                                    .in = &ref_rec,
                                    .out = &none_rec,
                                    .checks = &checks };
    rows[VERB_ROW] = (struct row){ .kind = ROW_ENDPOINT,
                                   .methods = POST,
                                   .path = "*",
                                   .verb = "do_it",
                                   .in = &none_rec,
                                   .out = &none_rec,
                                   .flags = TX | ASYNC };
    rows[VARIANT_ROW] = (struct row){ .kind = ROW_VARIANT,
                                      .verb = "do_it",
                                      .encoding = "D3",
                                      .in = &ref_rec,
                                      .checks = &checks };
    rows[ALSO_ROW] = (struct row){ .kind = ROW_ALSO_OUT,
                                   .path = "/things/{name}",
                                   .out = &ref_rec };
    rows[EXAMPLE_ROW] = (struct row){ .kind = ROW_EXAMPLE,
                                      .path = "do_it#twice",
                                      .setup = "/things/{name}  do_it",
                                      .json = "{}" };
    for (size_t i = 0; i < COUNT(errors); i++)
        errors[i] = (struct error_text){ .id = "E", .text = "e" };
    memset(by_class, 0, sizeof(by_class));
    for (size_t i = 0; i < COUNT(needed); i++)
        by_class[needed[i]].id = "D";
    uniques[0] = (struct unique_text){ "an_index", 1 };
    uniques[1] = (struct unique_text){ NULL, -1 };
    memset(settings, 0, sizeof(settings));
    settings[0] = (struct conf_row){ .section = "unit",
                                     .key = "a",
                                     .name = "unit.a",
                                     .type = CONF_IS_INT,
                                     .at = &value,
                                     .dflt = "0" };
    unit = (struct dialect){ .name = "unit",
                             .rows = rows,
                             .n_rows = ROWS,
                             .errors = errors,
                             .n_errors = COUNT(errors),
                             .by_class = by_class,
                             .by_event = by_event,
                             .uniques = uniques,
                             .classify = classify,
                             .leader = leader,
                             .basic = basic,
                             .listeners = listeners,
                             .settings = settings };
    memcpy(sound_class, by_class, sizeof(by_class));
    second = third =
        (struct dialect){ .name = "third",
                          .errors = sound_errors,
                          .n_errors = COUNT(sound_errors),
                          .by_class = sound_class,
                          .by_event = by_event,
                          .uniques = sound_uniques,
                          .settings = settings + COUNT(settings) - 1 };
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    free(state_of_list);
    log_release();
    return 0;
}

/* That one mistake is found, and no other. */
static void
wrong(const char *said)
{
    enum err e = tables_verify();
    const char *text = logged();

    if (e != ERR_INTERNAL || strstr(text, said) == NULL ||
        times("tables.mistake", text) > 1)
        fail_msg("%s, wanted: %s\n%s", err_name(e), said, text);
}

static void
well(void)
{
    enum err e = tables_verify();

    if (e != ERR_OK)
        fail_msg("%s", logged());
}

/* ---- what is found ---- */

static void
tables_without_a_mistake_pass(void **state)
{
    (void)state;
    well();
    rows[MOUNT_ROW].listener = "second";
    well();
}

static void
a_mistake_of_any_dialect_is_found(void **state)
{
    (void)state;
    third.n_errors = 1; /* of two, the second being an index's */
    wrong("dialect=third UNIQUE its_index has no error");
}

static void
a_class_that_nobody_has_worded_is_found(void **state)
{
    static const struct {
        enum err class;
        const char *said;
    } needed[] = {
        { ERR_STORE, "no DEFAULT row for class store" },
        { ERR_TIMEOUT, "no DEFAULT row for class timeout" },
        { ERR_BUSY, "no DEFAULT row for class busy" },
        { ERR_NOMEM, "no DEFAULT row for class nomem" },
        { ERR_INTERNAL, "no DEFAULT row for class internal" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(needed); i++) {
        by_class[needed[i].class].id = NULL;
        wrong(needed[i].said);
        by_class[needed[i].class].id = "D";
    }
    well();
}

static void
an_error_without_a_row_is_found(void **state)
{
    (void)state;
    errors[2].id = NULL;
    wrong("error 2 has no row");
    errors[2].id = "E";
    errors[1].id = NULL;
    wrong("error 1 has no row");
    errors[1] = (struct error_text){ .id = "E" };
    wrong("error 1 has no row");
    errors[1].text = "e";
    uniques[0].error = 3;
    wrong("UNIQUE an_index has no error");
    uniques[0].error = -1;
    wrong("UNIQUE an_index has no error");
    uniques[0].error = 0;
    well();
}

static void
a_check_without_an_error_is_found(void **state)
{
    (void)state;
    rows[VARIANT_ROW].checks = NULL;
    list[0].error = 3;
    wrong("list=unit check 0 has no error");
    list[0].error = -1;
    wrong("list=unit check 0 has no error");
    list[0].error = 0;
    list[2].error = 3;
    wrong("list=unit check 2 has no error");
    list[2].error = 2;
    list[1] = (struct check)NEED(word, 3);
    wrong("list=unit check 1 has no error");
    list[1] = (struct check)NEED(word, 1);
    well();
    rows[THING_ROW].checks = NULL;
    rows[VARIANT_ROW].checks = &checks;
    list[0].error = 3;
    wrong("list=unit check 0 has no error");
}

static void
a_check_of_an_unknown_member_is_found(void **state)
{
    const char *text;

    (void)state;
    list[0].a = "nobody";
    assert_int_equal(tables_verify(), ERR_INTERNAL);
    text = logged();
    assert_non_null(strstr(text, "checks.unknown_member list=unit"));
}

static void
a_path_that_cannot_be_asked_for_is_found(void **state)
{
    (void)state;
    rows[EXAMPLE_ROW].setup = "";
    rows[ALSO_ROW].path = "things";
    rows[THING_ROW].path = "things";
    rows[THING_ROW].in = &none_rec;
    wrong("path things has no leading slash");
    rows[THING_ROW].path = rows[ALSO_ROW].path = "/things";
    well();
}

static void
a_part_of_the_path_that_is_missing_is_found(void **state)
{
    static const char *const lacking[] = { "/things", "/things/{names}",
                                           "/things/{nam}", "/{x}/{other}" };
    static const char *const having[] = { "/things/{name}", "/{x}/{name}",
                                          "/{nam}/{name}" };

    (void)state;
    rows[EXAMPLE_ROW].setup = "";
    for (size_t i = 0; i < COUNT(lacking); i++) {
        rows[ALSO_ROW].path = rows[THING_ROW].path = lacking[i];
        wrong("lacks {name}");
    }
    for (size_t i = 0; i < COUNT(having); i++) {
        rows[ALSO_ROW].path = rows[THING_ROW].path = having[i];
        well();
    }
    rows[THING_ROW].checks = NULL;
    rows[THING_ROW].in = &late_ref_rec; /* where it is the third member */
    well();
    rows[ALSO_ROW].path = rows[THING_ROW].path = "/things";
    wrong("lacks {name}");
}

static void
what_a_row_needs_of_its_dialect_is_asked_for(void **state)
{
    (void)state;
    unit.classify = NULL;
    wrong("verb do_it without classify");
    unit.classify = classify;
    unit.leader = NULL;
    well();
    rows[THING_ROW].flags = LEADER_ONLY;
    wrong("/things/{name} is LEADER_ONLY without leader");
    unit.leader = leader;
    well();
    unit.basic = NULL;
    well();
    rows[MOUNT_ROW].auth = AUTH_BASIC;
    wrong("MOUNT first wants Basic without basic");
    unit.basic = basic;
    well();
}

static void
a_job_needs_a_transaction_and_an_answer(void **state)
{
    (void)state;
    rows[VERB_ROW].flags = ASYNC;
    wrong("verb do_it is ASYNC without TX or accept");
    rows[VERB_ROW].flags = ASYNC | TX;
    form.accept = NULL;
    wrong("verb do_it is ASYNC without TX or accept");
    rows[VERB_ROW].flags = TX;
    well();
}

static void
a_mount_on_no_listener_is_found(void **state)
{
    (void)state;
    rows[MOUNT_ROW].listener = "third";
    wrong("MOUNT third is no listener");
}

static void
what_names_a_row_names_a_path_or_a_verb(void **state)
{
    static const char *const unknown[] = { "/thing", "/things/{name}s",
                                           "do_i",   "do_its",
                                           "#x",     "a" };

    (void)state;
    rows[EXAMPLE_ROW].setup = "";
    for (size_t i = 0; i < COUNT(unknown); i++) {
        rows[EXAMPLE_ROW].path = unknown[i];
        wrong("EXAMPLE of unknown");
        rows[EXAMPLE_ROW].path = "do_it";
        rows[ALSO_ROW].path = unknown[i];
        wrong("ALSO_OUT of unknown");
        rows[ALSO_ROW].path = "do_it";
        well();
    }
    rows[VARIANT_ROW].path = "a"; /* no endpoint's, but one to compare with */
    rows[EXAMPLE_ROW].path = "a";
    wrong("EXAMPLE of unknown a");
}

static void
what_an_example_needs_is_known(void **state)
{
    (void)state;
    rows[EXAMPLE_ROW].setup = "do_it /nothing";
    wrong("EXAMPLE do_it#twice needs unknown /nothing");
    rows[EXAMPLE_ROW].setup = "nobody do_it";
    wrong("EXAMPLE do_it#twice needs unknown nobody");
    rows[EXAMPLE_ROW].setup = " do_it#once ";
    well();
}

static void
an_example_of_its_method_goes_before_one_of_any(void **state)
{
    static const struct row any = { .kind = ROW_EXAMPLE,
                                    .path = "/things/{name}" },
                            get = { .kind = ROW_EXAMPLE,
                                    .path = "GET:/things/{name}" },
                            put = { .kind = ROW_EXAMPLE,
                                    .path = "PUT:/things/{name}" };

    (void)state;
    assert_null(tables_example(&unit, &rows[THING_ROW]));
    rows[ALSO_ROW] = put;
    assert_null(tables_example(&unit, &rows[THING_ROW]));
    rows[ALSO_ROW] = any;
    assert_ptr_equal(tables_example(&unit, &rows[THING_ROW]), &rows[ALSO_ROW]);
    rows[EXAMPLE_ROW] = put;
    assert_ptr_equal(tables_example(&unit, &rows[THING_ROW]), &rows[ALSO_ROW]);
    rows[EXAMPLE_ROW] = get;
    assert_ptr_equal(tables_example(&unit, &rows[THING_ROW]),
                     &rows[EXAMPLE_ROW]);
    rows[EXAMPLE_ROW] = any; /* of two the first */
    assert_ptr_equal(tables_example(&unit, &rows[THING_ROW]), &rows[ALSO_ROW]);
}

static void
a_mistake_of_a_record_is_found(void **state)
{
    struct row *const in[] = { &rows[THING_ROW], &rows[VARIANT_ROW] };
    struct row *const out[] = { &rows[VERB_ROW], &rows[ALSO_ROW] };

    (void)state;
    for (size_t i = 0; i < COUNT(in); i++) {
        const struct record *was = in[i]->in;

        in[i]->in = &bad_rec;
        wrong("field=bad.x \"no names\"");
        in[i]->in = was;
    }
    for (size_t i = 0; i < COUNT(out); i++) {
        const struct record *was = out[i]->out;

        out[i]->out = &bad_rec;
        wrong("field=bad.x \"no names\"");
        out[i]->out = was;
    }
    well();
}

static void
a_key_of_two_tables_is_found(void **state)
{
    (void)state;
    settings[1] = settings[0];
    wrong("key unit.a is in two tables");
    settings[1].name = "unit.b";
    settings[1].key = "b";
    well();
    settings[1].name = "core.log_level";
    wrong("key core.log_level is in two tables");
}

/* ---- numbers of rows ---- */

static void
rows_have_numbers_and_a_sum(void **state)
{
    uint64_t sum = tables_sum();

    (void)state;
    assert_int_equal(tables_row(&unit, &rows[0]), 0);
    assert_int_equal(tables_row(&unit, &rows[VERB_ROW]), VERB_ROW);
    assert_int_equal(tables_sum(), sum);
    rows[ALSO_ROW].path = "/things/{namf}";
    assert_int_not_equal(tables_sum(), sum);
    rows[ALSO_ROW].path = "/things/{name}";
    assert_int_equal(tables_sum(), sum);
    rows[MOUNT_ROW].path = "m";
    assert_int_not_equal(tables_sum(), sum);
    rows[MOUNT_ROW].path = NULL;
    rows[THING_ROW].path = NULL;
    assert_int_not_equal(tables_sum(), sum);
    unit.n_rows = 0; /* FNV-1a of nothing */
    assert_true(tables_sum() == UINT64_C(14695981039346656037));
    unit.n_rows = 2;
    rows[THING_ROW].path = "a";
    assert_true(tables_sum() == UINT64_C(0xaf63dc4c8601ec8c));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(tables_without_a_mistake_pass),
        CASE(a_mistake_of_any_dialect_is_found),
        CASE(a_class_that_nobody_has_worded_is_found),
        CASE(an_error_without_a_row_is_found),
        CASE(a_check_without_an_error_is_found),
        CASE(a_check_of_an_unknown_member_is_found),
        CASE(a_path_that_cannot_be_asked_for_is_found),
        CASE(a_part_of_the_path_that_is_missing_is_found),
        CASE(what_a_row_needs_of_its_dialect_is_asked_for),
        CASE(a_job_needs_a_transaction_and_an_answer),
        CASE(a_mount_on_no_listener_is_found),
        CASE(what_names_a_row_names_a_path_or_a_verb),
        CASE(what_an_example_needs_is_known),
        CASE(an_example_of_its_method_goes_before_one_of_any),
        CASE(a_mistake_of_a_record_is_found),
        CASE(a_key_of_two_tables_is_found),
        CASE(rows_have_numbers_and_a_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
