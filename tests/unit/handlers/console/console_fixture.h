/* Handlers of the console by themselves: a test names their SOURCE, which is
 * included here, stands in for the store, and gets dialects and duties that are
 * no real ones. What they answer is kept as text. */
#ifndef MG_TEST_CONSOLE_FIXTURE_H
#define MG_TEST_CONSOLE_FIXTURE_H

#include "console/console.h"
#include "dialect.h"
#include "duty.h"
#include "job.h"
#include "view.h"

static const struct duty *some_duty(size_t i);
static UNUSED enum err
answer_with(struct req *req, const struct record *rec, const void *out);
static enum err answer_or_fail(struct req *req, enum err e,
                               const struct record *rec, const void *out);
static enum err refuse(struct req *req, int id);

#define duty_at          some_duty
#define req_send         answer_with
#define req_send_or_fail answer_or_fail
#undef req_fail
#define req_fail(req, id, ...) refuse(req, id)
#include SOURCE

#include "request/request.h"

/* ---- what there is ---- */

static const struct view two_views[] = {
    { .kind = "instance" },
    { .kind = "cluster", .above = "instance" },
    { .kind = "move", .above = "instance", .events = true },
    { .kind = NULL },
};
static const struct view four_views[] = {
    { .kind = "node" },
    { .kind = "disk", .above = "node" },
    { .kind = "cluster" },
    { .kind = NULL },
};
static const struct view five_views[] = { { .kind = "feed" },
                                          { .kind = NULL } };

static const struct listener two_listeners[] = { { .name = "two" },
                                                 { .name = NULL } };
static const struct listener four_listeners[] = { { .name = "four-a" },
                                                  { .name = "four-b" },
                                                  { .name = "four-c" },
                                                  { .name = NULL } };
static const struct duty two_duties[] = { { .lease = "two.a" },
                                          { .lease = "outside" },
                                          { .lease = NULL } };
static const struct duty four_duties[] = { { .lease = "four.a" },
                                           { .lease = NULL } };

static const struct job_kind make = { .name = "two.make" },
                             take = { .name = "two.take",
                                      .forward_only = true },
                             move = { .name = "four.move" };
static const struct job_kind *const two_jobs[] = { &make, &take, NULL };
static const struct job_kind *const four_jobs[] = { &move, NULL };

/* The first and the third hold nothing. */
static const struct dialect one = { .name = "one" };
static const struct dialect two = { .name = "two",
                                    .views = two_views,
                                    .listeners = two_listeners,
                                    .duties = two_duties,
                                    .jobs = two_jobs };
static const struct dialect three = { .name = "three" };
static const struct dialect four = { .name = "four",
                                     .views = four_views,
                                     .listeners = four_listeners,
                                     .duties = four_duties,
                                     .jobs = four_jobs };
static const struct dialect five = { .name = "five", .views = five_views };
const struct dialect *const dialects[] = { &one,  &two,  &three,
                                           &four, &five, NULL };

/* The i-th of all of them, and one of the runtime's own before. */
static UNUSED const struct duty *
some_duty(size_t i)
{
    static const struct duty own = { .lease = "own" };
    static const struct duty *const all[] = { &own, &two_duties[0],
                                              &two_duties[1], &four_duties[0] };

    return i < COUNT(all) ? all[i] : NULL;
}

/* ---- what is answered ---- */

static UNUSED const char *
printed(const struct record *rec, const void *out)
{
    static struct buf b;
    struct json_writer w;

    buf_free(&b);
    b = (struct buf)BUF_INIT((size_t)1 << 20);
    jw_init(&w, &b, &json_compact);
    assert_int_equal(record_render(&w, rec, out, SECRETS_STARS, false, arena),
                     ERR_OK);
    return arena_strdup(arena, buf_text(&b));
}

static const char *answer UNUSED; /* NULL: nothing was */

static UNUSED enum err
answer_with(struct req *req, const struct record *rec, const void *out)
{
    (void)req;
    answer = printed(rec, out);
    return ERR_OK;
}

static UNUSED enum err
answer_or_fail(struct req *req, enum err e, const struct record *rec,
               const void *out)
{
    return e == ERR_OK ? answer_with(req, rec, out) : e;
}

/* What req_fail was called with. */
static int refused UNUSED;
static UNUSED enum err
refuse(struct req *req, int id)
{
    (void)req;
    refused = id;
    return ERR_BAD_PARAM;
}

/* Of what is left of the arena, all but so many bytes are taken. */
static UNUSED void
leave_bytes(size_t bytes)
{
    arena_free(arena);
    r.arena = arena = arena_new(bytes);
    assert_non_null(arena);
}

static int
begin(void **state)
{
    answer = NULL;
    refused = -1;
    return setup(state);
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

#endif
