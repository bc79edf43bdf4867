/* Pages of jobs, one with its parts, and who may still be cancelled. */
#include <stdio.h>

#include "console/console.h"

static enum err
some_jobs(struct db *db, struct arena *a, const struct console_jobs_asked *in,
          uint64_t before, size_t max, struct list_of_console_job *out);
static enum err
some_job(struct db *db, struct arena *a, uint64_t id, struct console_job *out);
static enum err
some_kept(struct db *db, struct arena *a, uint64_t id, struct job *out);
static enum err some_steps(struct db *db, struct arena *a, uint64_t id,
                           struct list_of_job_step_row *out);
static enum err note_cancel(struct db *db, uint64_t id);
static void note_target(struct req *req, const char *target, const char *before,
                        const char *after);
static void note_wake(struct req *req);

#define console_store_jobs some_jobs
#define console_store_job  some_job
#define job_get            some_kept
#define job_steps          some_steps
#define job_cancel         note_cancel
#define req_audit          note_target
#define req_wake           note_wake
#define SOURCE             "console/jobs.c"
#include "console_fixture.h"

/* ---- the store: so many jobs, the newest with the largest id ---- */

static uint64_t n_jobs, parts_of;
static const char *kind_is; /* of the one that is asked for */
static enum job_state state_is;
static enum err job_says, kept_says, steps_say, parts_say, cancel_says;
static char told[256];

/* Kinds take turns. */
static void
some_kind(struct console_job *j, uint64_t id)
{
    static const char *const kinds[] = { "two.make", "four.move", "old" };

    *j = (struct console_job){ .kind = kinds[id % 3] };
    SET(j, console_job, kind);
    PUT(j, console_job, id, id);
}

static enum err
some_jobs(struct db *db, struct arena *a, const struct console_jobs_asked *in,
          uint64_t before, size_t max, struct list_of_console_job *out)
{
    uint64_t id = before == 0 ? n_jobs : before - 1;

    (void)db;
    parts_of = HAS(in, console_jobs_asked, parent) ? in->parent : 0;
    *out = (struct list_of_console_job){
        .v = arena_array(a, max, sizeof(struct console_job))
    };
    assert_non_null(out->v);
    for (; id > 0 && out->n < max; id--)
        some_kind(&out->v[out->n++], id);
    return parts_say;
}

static enum err
some_job(struct db *db, struct arena *a, uint64_t id, struct console_job *out)
{
    (void)db;
    (void)a;
    *out = (struct console_job){ .kind = kind_is };
    PUT(out, console_job, id, id);
    SET(out, console_job, kind);
    PUT(out, console_job, state, (int)state_is);
    return job_says;
}

static enum err
some_kept(struct db *db, struct arena *a, uint64_t id, struct job *out)
{
    (void)db;
    (void)a;
    (void)id;
    PUT(out, job, shown, ((struct span){ "{\"a\":1}", 7 }));
    return kept_says;
}

static enum err
some_steps(struct db *db, struct arena *a, uint64_t id,
           struct list_of_job_step_row *out)
{
    static struct job_step_row v[3];

    (void)db;
    (void)a;
    (void)id;
    for (size_t i = 0; i < COUNT(v); i++)
        PUT(&v[i], job_step_row, name, i == 0 ? "a" : i == 1 ? "b" : "c");
    *out = (struct list_of_job_step_row){ .n = COUNT(v), .v = v };
    return steps_say;
}

static enum err
note_cancel(struct db *db, uint64_t id)
{
    (void)db;
    (void)snprintf(told + strlen(told), sizeof(told) - strlen(told),
                   "cancel %d; ", (int)id);
    return cancel_says;
}

static void
note_target(struct req *req, const char *target, const char *before,
            const char *after)
{
    (void)req;
    assert_null(before);
    assert_null(after);
    (void)snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s; ",
                   target);
}

static void
note_wake(struct req *req)
{
    (void)req;
    (void)snprintf(told + strlen(told), sizeof(told) - strlen(told), "wake; ");
}

/* ---- pages ---- */

static const char *next;

static const char *
ids(const char *text)
{
    struct buf b = BUF_INIT(65536);
    const char *p = text;

    while ((p = strstr(p, "\"id\":")) != NULL) {
        p += 5;
        buf_puts(&b, b.n > 0 ? " " : "");
        buf_put(&b, p, strspn(p, "0123456789"));
    }
    p = arena_strdup(arena, buf_text(&b));
    buf_free(&b);
    return p;
}

static const char *
page(int32_t limit, const char *cursor)
{
    struct console_jobs_asked in = { 0 };
    const char *at;

    if (limit > 0)
        PUT(&in, console_jobs_asked, limit, limit);
    if (cursor != NULL)
        PUT(&in, console_jobs_asked, cursor, cursor);
    assert_int_equal(console_jobs_get(&r, &in), ERR_OK);
    at = strstr(answer, "\"next\":\"");
    next =
        at == NULL ? NULL : arena_strndup(arena, at + 8, strcspn(at + 8, "\""));
    return ids(answer);
}

static void
pages_end_at_their_limit(void **state)
{
    (void)state;
    n_jobs = 5;
    assert_string_equal(page(3, NULL), "5 4 3");
    assert_string_equal(page(3, next), "2 1");
    assert_null(next);
    assert_string_equal(page(5, NULL), "5 4 3 2 1");
    assert_null(next);
    assert_string_equal(page(4, NULL), "5 4 3 2");
    assert_string_equal(page(1, next), "1");
    assert_null(next);
    n_jobs = 101;
    page(0, NULL);
    assert_string_equal(page(0, next), "1");
    n_jobs = 0;
    assert_string_equal(page(1, NULL), "");
    assert_string_equal(answer, "{\"items\":[]}");
}

static void
each_says_whose_it_is(void **state)
{
    (void)state;
    n_jobs = 4;
    page(9, NULL);
    assert_string_equal(
        answer, "{\"items\":["
                "{\"id\":4,\"dialect\":\"four\",\"kind\":\"four.move\"},"
                "{\"id\":3,\"dialect\":\"two\",\"kind\":\"two.make\"},"
                "{\"id\":2,\"kind\":\"old\"},"
                "{\"id\":1,\"dialect\":\"four\",\"kind\":\"four.move\"}]}");
}

static void
a_cursor_is_a_number(void **state)
{
    static const char *const wrong[] = { "x", "3x", "3.0", "-1" };

    (void)state;
    n_jobs = 4;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const struct console_key key = { { wrong[i] } };
        struct console_jobs_asked in = { 0 };

        PUT(&in, console_jobs_asked, cursor, console_key_write(arena, &key));
        refused = -1;
        assert_int_equal(console_jobs_get(&r, &in), ERR_BAD_PARAM);
        assert_int_equal(refused, CONSOLE_CURSOR);
    }
    parts_say = ERR_STORE;
    answer = NULL;
    assert_int_equal(console_jobs_get(&r, &(struct console_jobs_asked){ 0 }),
                     ERR_STORE);
    assert_null(answer);
}

/* ---- one ---- */

static void
a_job_is_told_with_all_of_its_parts(void **state)
{
    const struct console_job_ref ref = { .id = 9 };

    (void)state;
    n_jobs = 4;
    kind_is = "two.take";
    state_is = JOB_RUNNING;
    assert_int_equal(console_job_get(&r, &ref), ERR_OK);
    assert_int_equal(parts_of, 9);
    assert_non_null(strstr(answer, "\"id\":9,\"dialect\":\"two\","));
    assert_non_null(strstr(answer, "\"args\":{\"a\":1}"));
    assert_null(strstr(answer, "\"result\""));
    assert_non_null(strstr(answer, "{\"name\":\"a\"},{\"name\":\"b\"},"
                                   "{\"name\":\"c\"}"));
    assert_non_null(strstr(
        answer, "\"parts\":["
                "{\"id\":4,\"dialect\":\"four\",\"kind\":\"four.move\"},"
                "{\"id\":3,\"dialect\":\"two\",\"kind\":\"two.make\"},"
                "{\"id\":2,\"kind\":\"old\"},"
                "{\"id\":1,\"dialect\":\"four\",\"kind\":\"four.move\"}]"));
}

static void
one_that_is_not_there_is_told_so(void **state)
{
    enum err *const says[] = { &job_says, &kept_says, &steps_say, &parts_say };
    const struct console_job_ref ref = { .id = 9 };

    (void)state;
    job_says = ERR_NOT_FOUND;
    assert_int_equal(console_job_get(&r, &ref), ERR_BAD_PARAM);
    assert_int_equal(refused, CONSOLE_JOB_UNKNOWN);
    assert_int_equal(console_job_cancel(&r, &ref), ERR_BAD_PARAM);
    assert_int_equal(refused, CONSOLE_JOB_UNKNOWN);
    job_says = ERR_OK;
    for (size_t i = 0; i < COUNT(says); i++) {
        *says[i] = ERR_STORE;
        assert_int_equal(console_job_get(&r, &ref), ERR_STORE);
        *says[i] = ERR_OK;
    }
    assert_null(answer);
}

/* ---- cancel ---- */

static enum err
cancel(const char *kind, enum job_state is)
{
    const struct console_job_ref ref = { .id = 9 };

    kind_is = kind;
    state_is = is;
    told[0] = '\0';
    refused = -1;
    return console_job_cancel(&r, &ref);
}

/* A deletion that has begun goes on; all else is undone. */
static void
what_has_begun_is_cancelled_unless_it_takes_away(void **state)
{
    (void)state;
    assert_int_equal(cancel("two.take", JOB_RUNNING), ERR_BAD_PARAM);
    assert_int_equal(refused, CONSOLE_JOB_GOES_ON);
    assert_string_equal(told, "job 9; ");
    assert_int_equal(cancel("two.take", JOB_QUEUED), ERR_OK);
    assert_string_equal(told, "job 9; cancel 9; wake; ");
    assert_int_equal(cancel("two.make", JOB_RUNNING), ERR_OK);
    assert_int_equal(cancel("four.move", JOB_RUNNING), ERR_OK);
    assert_int_equal(cancel("old", JOB_RUNNING), ERR_OK);
    assert_string_equal(told, "job 9; cancel 9; wake; ");
    assert_non_null(strstr(io.after, "\"cancel\":true"));
    assert_null(strstr(io.before, "\"cancel\""));
}

static void
what_is_finished_is_not(void **state)
{
    (void)state;
    cancel_says = ERR_STATE;
    assert_int_equal(cancel("two.make", JOB_RUNNING), ERR_BAD_PARAM);
    assert_int_equal(refused, CONSOLE_JOB_FINISHED);
    assert_string_equal(told, "job 9; cancel 9; ");
    cancel_says = ERR_NOT_FOUND;
    assert_int_equal(cancel("two.make", JOB_RUNNING), ERR_BAD_PARAM);
    assert_int_equal(refused, CONSOLE_JOB_UNKNOWN);
    cancel_says = ERR_STORE;
    assert_int_equal(cancel("two.make", JOB_RUNNING), ERR_STORE);
}

static int
begin_here(void **state)
{
    n_jobs = parts_of = 0;
    job_says = kept_says = steps_say = parts_say = cancel_says = ERR_OK;
    kind_is = "two.make";
    state_is = JOB_QUEUED;
    told[0] = '\0';
    return begin(state);
}
#define HERE(name) cmocka_unit_test_setup_teardown(name, begin_here, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(pages_end_at_their_limit),
        HERE(each_says_whose_it_is),
        HERE(a_cursor_is_a_number),
        HERE(a_job_is_told_with_all_of_its_parts),
        HERE(one_that_is_not_there_is_told_so),
        HERE(what_has_begun_is_cancelled_unless_it_takes_away),
        HERE(what_is_finished_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
