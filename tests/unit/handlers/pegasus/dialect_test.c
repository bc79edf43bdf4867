/* Pegasus as a dialect: its query's rules, and which meta answers. */
#include <stdio.h>

#include "pegasus/lead/leader.h"
#include "pegasus/node/cluster.h"
#include "pegasus/node/metas.h"
#include "pegasus/pegasus.h"

static enum err
some_leader(struct db *db, struct arena *a, struct pegasus_leader *out);
static const char *some_url(struct req *req, size_t i);
static enum err note_fail(struct req *req, int id);
static enum err note_redirect(struct req *req, int id, const char *to);

#define pegasus_store_leader   some_leader
#define pegasus_meta_url       some_url
#define req_fail(req, id, ...) note_fail(req, id)
#define req_redirect           note_redirect
#include "pegasus/dialect.c"

#include "request/request.h"

static struct pegasus_leader leader;
static enum err leader_says;
static bool no_url;
static int failed; /* with this id */
static const char *sent_to;

static enum err
some_leader(struct db *db, struct arena *a, struct pegasus_leader *out)
{
    (void)db;
    (void)a;
    *out = leader;
    return leader_says;
}

static const char *
some_url(struct req *req, size_t i)
{
    return no_url ? NULL : arena_printf(req->arena, "http://m%zu", i + 1);
}

static enum err
note_fail(struct req *req, int id)
{
    (void)req;
    failed = id;
    return ERR_BUSY;
}

static enum err
note_redirect(struct req *req, int id, const char *to)
{
    (void)req;
    assert_int_equal(id, PEGASUS_STANDBY);
    sent_to = to;
    return ERR_STATE;
}

static int
begin(void **state)
{
    leader =
        (struct pegasus_leader){ .owner = "m1", .held = true, .ready = true };
    leader_says = ERR_OK;
    no_url = false;
    failed = -1;
    sent_to = NULL;
    return setup(state);
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

/* ---- who answers ---- */

static void
the_leader_answers_and_the_others_send_there(void **state)
{
    (void)state;
    r.listener_tail = "m1";
    assert_int_equal(answer_or_redirect(&r), ERR_OK);
    r.listener_tail = "m3";
    assert_int_equal(answer_or_redirect(&r), ERR_STATE);
    assert_string_equal(sent_to, "http://m1");
    leader.owner = "m3";
    assert_int_equal(answer_or_redirect(&r), ERR_OK);
    r.listener_tail = "m1";
    leader.ready = false; /* that is for the leader to say */
    assert_int_equal(answer_or_redirect(&r), ERR_STATE);
    assert_string_equal(sent_to, "http://m3");
    assert_int_equal(failed, -1);
    assert_int_equal(io.n_headers, 0);
}

/* Refused with `id`, and to come again. */
static void
comes_again(int id)
{
    failed = -1;
    io.n_headers = 0;
    assert_int_equal(answer_or_redirect(&r), ERR_BUSY);
    assert_int_equal(failed, id);
    assert_int_equal(io.n_headers, 1);
    assert_string_equal(io.header[0].name, "Retry-After");
    assert_string_equal(io.header[0].value, "3");
}

static void
without_a_leader_nobody_answers(void **state)
{
    (void)state;
    r.listener_tail = "m1";
    leader.held = false;
    comes_again(PEGASUS_NO_LEADER);
    leader.held = true;
    leader.owner = "x";
    comes_again(PEGASUS_NO_LEADER);
    leader.owner = "m2";
    no_url = true;
    comes_again(PEGASUS_NO_LEADER);
    leader.owner = "m1";
    leader.ready = false;
    comes_again(PEGASUS_NOT_READY);
    leader_says = ERR_STORE;
    assert_int_equal(answer_or_redirect(&r), ERR_STORE);
}

/* ---- the query ---- */

static struct param
param(const char *key, const char *value)
{
    return (struct param){ .key = key,
                           .value = value == NULL ? "" : value,
                           .bare = value == NULL };
}

static void
a_value_is_given_once(void **state)
{
    const struct param three[] = { param("a", "1"), param("b", "2"),
                                   param("c", "3") };
    const struct param bare[] = { param("a", "1"),  param("b", NULL),
                                  param("c", "3"),  param("c", NULL),
                                  param("a", NULL), param("b", NULL) };
    const struct param twice[] = { param("a", "1"), param("b", "2"),
                                   param("c", "3"), param("c", "3") };
    const struct param later[] = { param("a", NULL), param("b", NULL),
                                   param("a", "1") };

    (void)state;
    r.query = three;
    r.n_query = 3;
    assert_int_equal(judge_query(&r), ERR_OK);
    assert_int_equal(r.n_query, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(r.query[i].key, three[i].key);
        assert_string_equal(r.query[i].value, three[i].value);
    }
    r.query = bare;
    r.n_query = COUNT(bare);
    assert_int_equal(judge_query(&r), ERR_OK);
    assert_int_equal(r.n_query, 3);
    assert_string_equal(r.query[0].value, "1");
    assert_true(r.query[1].bare);
    assert_string_equal(r.query[2].value, "3");
    assert_int_equal(failed, -1);
    r.query = twice;
    r.n_query = COUNT(twice);
    assert_int_equal(judge_query(&r), ERR_BUSY);
    assert_int_equal(failed, PEGASUS_REPEATED);
    failed = -1;
    r.query = later;
    r.n_query = COUNT(later);
    assert_int_equal(judge_query(&r), ERR_BUSY);
    assert_int_equal(failed, PEGASUS_REPEATED);
    r.n_query = 0;
    assert_int_equal(judge_query(&r), ERR_OK);
    assert_int_equal(r.n_query, 0);
}

/* ---- its forms ---- */

static const char *
failure_of(const struct form *f, int http)
{
    const struct failure what = { .http = http, .code = "ERR_X", .text = "a" };
    struct buf b = BUF_INIT(256);
    struct json_writer w;
    const char *text;

    jw_init(&w, &b, &f->style);
    f->failure(&r, &w, &what);
    text = arena_strdup(arena, buf_text(&b));
    buf_free(&b);
    return text;
}

static void
a_failure_is_bare_text_or_an_outcome(void **state)
{
    (void)state;
    assert_string_equal(failure_of(&pegasus_form, 404), "a");
    assert_int_equal(io.n_headers, 0);
    assert_string_equal(failure_of(&pegasus_form, 401), "a");
    assert_string_equal(io.header[0].name, "WWW-Authenticate");
    assert_string_equal(io.header[0].value, "Bearer");
    assert_string_equal(failure_of(&pegasus_outcome_form, 200),
                        "{\"error\":\"ERR_X\",\"hint_message\":\"a\"}\n");
}

static void
levels_have_their_names(void **state)
{
    static const char *const right[] = { "stopped", "blind", "freezed",
                                         "steady", "lively" };
    static const char *const wrong[] = { "", "frozen", "LIVELY", "livel" };

    (void)state;
    for (size_t i = 0; i < COUNT(right); i++)
        assert_null(is_level(right[i]));
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_non_null(is_level(wrong[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_leader_answers_and_the_others_send_there),
        TEST(without_a_leader_nobody_answers),
        TEST(a_value_is_given_once),
        TEST(a_failure_is_bare_text_or_an_outcome),
        TEST(levels_have_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
