/* A pool of hands on a store that is told: what is written after each answer
 * of a step, who holds what, how threads begin and end. */
#include "job_fake.h"

#include "loop/job_pool.c"

/* ---- threads, of which a test plays each ---- */

struct runner {
    int n;
};

static struct runner threads[THREADS_MAX + 2];
static const struct runner_task *tasks[THREADS_MAX + 2];
static int started, start_at_most, hangs;

struct runner *
runner_start(const struct runner_task *task)
{
    if (started >= start_at_most)
        return NULL;
    tasks[started] = task;
    threads[started].n = started;
    return &threads[started++];
}

void
runner_wake(struct runner *r)
{
    saying("wake %d; ", r->n);
}

void
runner_stop(struct runner *r)
{
    saying("stop %d; ", r->n);
}

/* Each takes a second of the time there is. */
bool
runner_join(struct runner *r, int64_t timeout_ms)
{
    saying("join %d in %lld; ", r->n, (long long)timeout_ms);
    pass_ms(1000);
    return r->n != hangs;
}

/* Nobody waits for a clock that stands. */
int
nanosleep(const struct timespec *t, struct timespec *rest)
{
    (void)t;
    (void)rest;
    saying("nap; ");
    return 0;
}

/* ---- steps ---- */

static enum step_answer says, undo_says;
static void (*does)(struct job_run *run);

static enum step_answer
run_it(struct job_run *run)
{
    saying("run; ");
    if (does != NULL)
        does(run);
    return says;
}

static enum step_answer
undo_it(struct job_run *run)
{
    saying("undo; ");
    if (does != NULL)
        does(run);
    return undo_says;
}

static const struct job_step abc[] = { { "a", run_it, undo_it },
                                       { "b", run_it, undo_it },
                                       { "c", run_it, NULL } };
static const struct job_kind plain = {
    .name = "plain", .queue = "q", .steps = abc, .n = 3
};
static const struct job_kind forward = {
    .name = "forward", .queue = "q", .steps = abc, .n = 3, .forward_only = true
};
static const struct job_kind third = {
    .name = "third", .queue = "q", .steps = abc, .n = 3
};
static const struct job_kind *const kinds[] = { &plain, &forward, &third,
                                                NULL };

static int context;
static struct job_pool *pool;
static struct job_due due_v[3];

static int
a_pool(void **state)
{
    const struct job_pool_config cfg = { .kinds = kinds,
                                         .queue = "q",
                                         .machine = "m",
                                         .owner = "o",
                                         .threads = 3,
                                         .ctx = &context };

    if (setup(state) != 0)
        return -1;
    started = 0;
    start_at_most = THREADS_MAX + 2;
    hangs = -1;
    pool = job_pool_start(&cfg);
    row = (struct job){ .id = 5, .epoch = 7, .parent_id = 9, .kind = "plain" };
    SET(&row, job, kind);
    kept_row = (struct job_kept){ .uid = "u", .args = "{}", .memo = "{}" };
    due_rows = (struct list_of_job_due){ 0, due_v };
    wants_cancel = false;
    says = undo_says = STEP_DONE;
    does = NULL;
    refuses(NULL, ERR_OK, 0);
    said[0] = '\0';
    return pool != NULL ? 0 : -1;
}

static int
no_pool(void **state)
{
    hangs = -1;
    if (pool != NULL && !job_pool_stop(pool, 1))
        return -1;
    assert_unlocked();
    return teardown(state);
}

static enum turn
turn(int hand)
{
    void *memory = NULL;
    enum turn t = tasks[hand]->step(tasks[hand]->ctx, NULL, arena, &memory);

    assert_null(memory);
    return t;
}

/* The first hand has taken the row, which stands there. */
static void
at(enum job_state state, int step, int tries)
{
    row.state = (int)state;
    row.step = step;
    row.tries = tries;
    if (pool->hand[0].held.id == 0)
        take_up(&pool->hand[0], row.id, row.epoch, clock_mono_ms());
}

static void
turn_says(enum turn expected, const char *text)
{
    assert_int_equal(turn(0), expected);
    assert_said(text);
}

static bool
holds(void)
{
    return pool->hand[0].held.id != 0;
}

/* ---- what is promised ---- */

static void
that_it_begins_is_written_before_the_first_call(void **state)
{
    (void)state;
    at(JOB_QUEUED, 0, 0);
    turn_says(TURN_MORE,
              "record 5/7 of 9: running 0 tries 0, doing \"a\", progress \"\", "
              "error -, result -, due -1, begins 0; ");
    assert_true(holds());
}

static void
a_step_that_is_done_is_followed_by_the_next(void **state)
{
    (void)state;
    at(JOB_RUNNING, 0, 4);
    turn_says(
        TURN_MORE,
        "run; record 5/7 of 9: running 1 tries 0, doing \"b\", progress "
        "\"\", error -, result -, due -1, ended 0 \"a\" done -, begins 1; ");
    assert_true(holds());
}

static void
tells(struct job_run *run)
{
    assert_ptr_equal(run->ctx, &context);
    assert_ptr_equal(run->job->kind, row.kind);
    assert_string_equal(run->args, "{}");
    assert_string_equal(run->memo, "{}");
    assert_string_equal(run->private->uid, "u");
    job_result(run, "{1}");
}

static void
the_last_one_ends_the_job_and_wakes_others(void **state)
{
    (void)state;
    does = tells;
    log_catch();
    row.client_id = "c1";
    at(JOB_RUNNING, 2, 0);
    turn_says(
        TURN_MORE,
        "run; record 5/7 of 9: done 3 tries 0, doing \"\", progress "
        "\"\", error -, result {1}, due -1, ended 2 \"c\" done -; wake; ");
    assert_false(holds());
    assert_non_null(strstr(logged(), "job.end id=5 kind=plain state=done "
                                     "client_id=\"c1\" why=\"\""));
    log_release();
}

static void
waits(struct job_run *run)
{
    job_waits(run, 250, "for a port");
}

static void
who_has_to_wait_is_let_go_until_then(void **state)
{
    (void)state;
    does = waits;
    says = STEP_AGAIN;
    at(JOB_RUNNING, 1, 2);
    turn_says(TURN_MORE,
              "run; record 5/7 of 9: running 1 tries 3, doing \"b\", progress "
              "\"for a port\", error -, result -, due 250; ");
    assert_false(holds());
    /* and looked for when it is due */
    turn_says(TURN_IDLE, "due q of m; ");
    assert_int_equal(tasks[0]->every_ms, 251);
    pass_ms(250);
    turn_says(TURN_IDLE, "due q of m; ");
    assert_int_equal(tasks[0]->every_ms, LOOK_MS);
}

/* ... for longer than a lease, which nobody has taken meanwhile. */
static void
stands_still(struct job_run *run)
{
    struct job_hand *h = run->private->hand;

    h->renewed_ms -= JOB_LEASE_MS;
    assert_int_equal(job_hold(run), ERR_STATE);
    h->renewed_ms += JOB_LEASE_MS;
    job_fails(run, "install servers: state");
}

static void
who_stood_still_has_not_failed(void **state)
{
    (void)state;
    does = stands_still;
    says = undo_says = STEP_FAILED;
    at(JOB_RUNNING, 1, 0);
    turn_says(
        TURN_MORE,
        "run; record 5/7 of 9: running 1 tries 1, doing \"b\", progress "
        "\"its lease was over: once more\", error -, result -, due 1000; ");
    at(JOB_UNDOING, 2, 0);
    turn_says(
        TURN_MORE,
        "undo; record 5/7 of 9: undoing 2 tries 1, doing \"b\", progress "
        "\"its lease was over: once more\", error -, result -, due 1000; ");
}

static void
who_is_due_late_is_not_waited_for(void **state)
{
    (void)state;
    pool->hand[0].look_ms = clock_mono_ms() + LOOK_MS;
    turn_says(TURN_IDLE, "due q of m; ");
    assert_int_equal(tasks[0]->every_ms, LOOK_MS);
    pool->hand[0].look_ms = clock_mono_ms() + LOOK_MS - 1;
    turn_says(TURN_IDLE, "due q of m; ");
    assert_int_equal(tasks[0]->every_ms, LOOK_MS);
    pool->hand[0].look_ms = clock_mono_ms() + 1;
    turn_says(TURN_IDLE, "due q of m; ");
    assert_int_equal(tasks[0]->every_ms, 2);
}

static void
who_waits_without_a_word_is_noted(void **state)
{
    (void)state;
    says = STEP_AGAIN;
    log_catch();
    at(JOB_RUNNING, 1, 0);
    turn_says(TURN_MORE,
              "run; record 5/7 of 9: running 1 tries 1, doing \"b\", progress "
              "\"\", error -, result -, due 1000; ");
    assert_non_null(strstr(logged(), "job.silent_wait kind=plain step=\"b\""));
    does = waits;
    at(JOB_RUNNING, 1, 0);
    (void)turn(0);
    assert_null(strstr(logged(), "job.silent_wait"));
    does = NULL; /* it was told to end: nothing has to be said */
    at(JOB_RUNNING, 1, 0);
    atomic_store(&pool->hand[0].held.cancel, true);
    (void)turn(0);
    assert_null(strstr(logged(), "job.silent_wait"));
    log_release();
}

static void
who_waits_while_all_stops_is_due_at_once(void **state)
{
    (void)state;
    does = waits;
    says = STEP_AGAIN;
    atomic_store(&pool->stopping, true);
    at(JOB_RUNNING, 0, 0);
    turn_says(TURN_MORE,
              "run; record 5/7 of 9: running 0 tries 1, doing \"a\", progress "
              "\"for a port\", error -, result -, due 0; ");
    says = STEP_DONE;
    at(JOB_RUNNING, 0, 0);
    does = NULL;
    turn_says(
        TURN_MORE,
        "run; record 5/7 of 9: running 1 tries 0, doing \"b\", progress "
        "\"\", error -, result -, due 0, ended 0 \"a\" done -, begins 1; ");
    assert_false(holds());
    turn_says(TURN_IDLE, ""); /* no other is taken */
}

static void
fails(struct job_run *run)
{
    job_fails(run, "no port");
}

static void
a_failure_is_undone_from_its_own_step_on(void **state)
{
    (void)state;
    does = fails;
    says = STEP_FAILED;
    at(JOB_RUNNING, 1, 5);
    turn_says(TURN_MORE,
              "run; record 5/7 of 9: undoing 2 tries 0, doing \"b\", progress "
              "\"\", error no port, result -, due -1, ended 1 \"b\" failed no "
              "port; ");
    assert_true(holds());
    does = NULL;
    at(JOB_UNDOING, 2, 0);
    turn_says(TURN_MORE,
              "undo; record 5/7 of 9: undoing 1 tries 0, doing \"a\", progress "
              "\"\", error -, result -, due -1, ended 1 \"b\" undone -; ");
    row.error = "no port";
    SET(&row, job, error);
    log_catch();
    at(JOB_UNDOING, 1, 0);
    turn_says(
        TURN_MORE,
        "undo; record 5/7 of 9: failed 0 tries 0, doing \"\", progress "
        "\"\", error -, result -, due -1, ended 0 \"a\" undone -; wake; ");
    assert_non_null(strstr(logged(), "job.end id=5 kind=plain state=failed "
                                     "client_id=\"\" why=\"no port\""));
    log_release();
    assert_false(holds());
}

static void
a_failure_without_a_word_gets_one(void **state)
{
    (void)state;
    says = STEP_FAILED;
    row.kind = "forward";
    log_catch();
    at(JOB_RUNNING, 0, 0);
    turn_says(
        TURN_MORE,
        "run; record 5/7 of 9: failed 0 tries 0, doing \"\", progress "
        "\"\", error a has failed, result -, due -1, ended 0 \"a\" failed "
        "a has failed; wake; ");
    assert_non_null(strstr(logged(), "why=\"a has failed\""));
    log_release();
}

static void
what_has_nothing_to_undo_is_undone(void **state)
{
    (void)state;
    at(JOB_UNDOING, 3, 0);
    turn_says(TURN_MORE,
              "record 5/7 of 9: undoing 2 tries 0, doing \"b\", progress \"\", "
              "error -, result -, due -1, ended 2 \"c\" undone -; ");
}

static void
an_undo_that_fails_is_tried_again_later(void **state)
{
    (void)state;
    does = fails;
    undo_says = STEP_FAILED;
    at(JOB_UNDOING, 2, 0);
    turn_says(TURN_MORE,
              "undo; record 5/7 of 9: undoing 2 tries 1, doing \"b\", progress "
              "\"no port\", error -, result -, due 400; ");
    assert_false(holds());
    undo_says = STEP_AGAIN;
    does = waits;
    at(JOB_UNDOING, 2, 3);
    turn_says(TURN_MORE,
              "undo; record 5/7 of 9: undoing 2 tries 4, doing \"b\", progress "
              "\"for a port\", error -, result -, due 250; ");
}

static void
an_undo_that_never_works_is_left_behind(void **state)
{
    (void)state;
    does = fails;
    undo_says = STEP_FAILED;
    at(JOB_UNDOING, 2, JOB_UNDO_TRIES - 1);
    turn_says(TURN_MORE,
              "undo; record 5/7 of 9: undoing 1 tries 0, doing \"a\", progress "
              "\"\", error cancelled; left behind by \"b\": no port, result -, "
              "due -1, ended 1 \"b\" left no port; ");
    row.error = "no disk";
    SET(&row, job, error);
    at(JOB_UNDOING, 2, JOB_UNDO_TRIES - 1);
    turn_says(TURN_MORE,
              "undo; record 5/7 of 9: undoing 1 tries 0, doing \"a\", progress "
              "\"\", error no disk; left behind by \"b\": no port, result -, "
              "due -1, ended 1 \"b\" left no port; ");
}

static void
a_cancelled_one_is_undone_and_says_so_first(void **state)
{
    (void)state;
    row.cancel = true;
    at(JOB_QUEUED, 0, 0);
    turn_says(
        TURN_MORE,
        "record 5/7 of 9: cancelled 0 tries 0, doing \"\", progress \"\", "
        "error -, result -, due -1; wake; ");
    assert_false(holds());
    at(JOB_RUNNING, 1, 6);
    turn_says(TURN_MORE,
              "record 5/7 of 9: undoing 2 tries 0, doing \"b\", progress \"\", "
              "error -, result -, due -1; ");
    assert_true(holds());
    row.kind = "forward";
    at(JOB_RUNNING, 1, 0);
    turn_says(
        TURN_MORE,
        "run; record 5/7 of 9: running 2 tries 0, doing \"c\", progress "
        "\"\", error -, result -, due -1, ended 1 \"b\" done -, begins 2; ");
}

static void
is_undone(struct job_run *run)
{
    assert_true(run->private->undoing);
}

static void
is_performed(struct job_run *run)
{
    assert_false(run->private->undoing);
}

static void
a_step_knows_whether_it_is_undone(void **state)
{
    (void)state;
    does = is_performed;
    at(JOB_RUNNING, 0, 0);
    (void)turn(0);
    does = is_undone;
    at(JOB_UNDOING, 2, 0);
    (void)turn(0);
}

static void
works_for_others(struct job_run *run)
{
    job_wakes(run);
}

static void
a_step_that_made_work_wakes_who_does_it(void **state)
{
    (void)state;
    does = works_for_others;
    at(JOB_RUNNING, 0, 0);
    (void)turn(0);
    assert_non_null(strstr(said, "; wake; "));
}

/* A store that is away for a moment costs nothing. */
static void
an_outcome_is_written_as_long_as_the_lease_runs(void **state)
{
    (void)state;
    log_catch();
    at(JOB_RUNNING, 0, 0);
    refuses("record", ERR_STORE, 3);
    assert_int_equal(turn(0), TURN_MORE);
    assert_int_equal(times("record", said), 4);
    assert_int_equal(times("nap", said), 3);
    assert_true(holds());
    assert_null(strstr(logged(), "job.abandoned"));
    refuses("record", ERR_STORE, 100);
    said[0] = '\0';
    at(JOB_RUNNING, 0, 0);
    assert_int_equal(turn(0), TURN_MORE);
    assert_int_equal(times("record", said), (JOB_LEASE_MS / 1000) - 3);
    assert_false(holds());
    assert_non_null(
        strstr(logged(), "job.abandoned id=5 epoch=7 err=store errno=1205"));
    log_release();
}

static void
who_was_followed_writes_once_and_lets_go(void **state)
{
    (void)state;
    at(JOB_RUNNING, 2, 0);
    refuses("record", ERR_STATE, 1);
    /* the lease runs by what this hand knows; the next look tells more */
    assert_int_equal(turn(0), TURN_FAILED);
    assert_int_equal(times("record", said), 1);
    assert_null(strstr(said, "wake"));
    row.epoch++;
    said[0] = '\0';
    turn_says(TURN_MORE, "");
    assert_false(holds());
}

static void
a_lease_that_is_over_is_let_go(void **state)
{
    (void)state;
    at(JOB_RUNNING, 0, 0);
    pass_ms(JOB_LEASE_MS);
    turn_says(TURN_MORE, "");
    assert_false(holds());
}

static void
what_cannot_be_read_is_tried_again(void **state)
{
    (void)state;
    at(JOB_RUNNING, 0, 0);
    refuses("get", ERR_STORE, 1);
    turn_says(TURN_FAILED, "");
    refuses("kept", ERR_STORE, 1);
    turn_says(TURN_FAILED, "");
    assert_true(holds());
    refuses("get", ERR_NOT_FOUND, 1);
    turn_says(TURN_MORE, "");
    assert_false(holds());
}

static void
what_this_version_does_not_know_waits(void **state)
{
    static const char text[] =
        "record 5/7 of 0: running 1 tries 2, doing \"x\", progress \"waits for "
        "a metagate that knows this kind of job\", error -, result -, due "
        "10000; ";

    (void)state;
    log_catch();
    row.kind = "newer";
    row.doing = "x";
    at(JOB_RUNNING, 1, 2);
    turn_says(TURN_MORE, text);
    assert_false(holds());
    assert_non_null(strstr(logged(), "job.unknown_kind id=5 kind=newer"));
    log_release();
    row.kind = "plain"; /* with a step more than ours */
    row.doing = "x";
    at(JOB_RUNNING, 4, 0);
    (void)turn(0);
    assert_non_null(strstr(said, "running 4 tries 0, doing \"x\", progress "
                                 "\"waits for a metagate"));
    said[0] = '\0';
    at(JOB_RUNNING, 3, 0);
    turn_says(TURN_MORE,
              "record 5/7 of 9: done 3 tries 0, doing \"\", progress \"\", "
              "error -, result -, due -1; wake; ");
}

static void
every_kind_is_found(void **state)
{
    (void)state;
    row.kind = "third";
    at(JOB_RUNNING, 0, 0);
    (void)turn(0);
    assert_non_null(strstr(said, "run; "));
}

static void
that_it_begins_is_logged_once(void **state)
{
    (void)state;
    row.client_id = "c1";
    log_catch();
    at(JOB_QUEUED, 0, 0);
    (void)turn(0);
    assert_non_null(
        strstr(logged(), "job.begin id=5 kind=plain client_id=\"c1\""));
    (void)turn(0); /* as long as another reads it so */
    assert_null(strstr(logged(), "job.begin"));
    let_go(&pool->hand[0]);
    at(JOB_RUNNING, 0, 0); /* taken up after somebody else */
    (void)turn(0);
    assert_null(strstr(logged(), "job.begin"));
    log_release();
}

/* ---- looking for one ---- */

static void
due(size_t n, const char *first, const char *second)
{
    due_rows.n = n;
    due_v[0] = (struct job_due){ .id = 3, .epoch = 1, .locks = first };
    due_v[1] = (struct job_due){ .id = 4, .epoch = 1, .locks = second };
    due_v[2] = (struct job_due){ .id = 5, .epoch = 6, .locks = "" };
}

static void
the_first_that_is_free_is_taken(void **state)
{
    struct hand *h = &pool->hand[0];

    (void)state;
    due(3, "taken", "taken");
    atomic_store(&h->held.cancel, true);
    h->held.lost = true;
    turn_says(TURN_MORE, "due q of m; claim 3/1 for o; claim 4/1 for o; claim "
                         "5/6 for o; ");
    assert_int_equal(h->held.id, 5);
    assert_int_equal(h->held.epoch, 7);
    assert_int_equal(h->held.renewed_ms, clock_mono_ms());
    assert_false(h->held.lost);
    assert_false(atomic_load(&h->held.cancel));
    assert_true(h->fresh);
    let_go(h);
    due(3, "taken", "");
    turn_says(TURN_MORE, "due q of m; claim 3/1 for o; claim 4/1 for o; ");
    assert_int_equal(h->held.id, 4);
    assert_int_equal(h->held.epoch, 2);
}

static void
when_none_is_free_the_hand_idles(void **state)
{
    (void)state;
    due(2, "taken", "taken");
    turn_says(TURN_IDLE, "due q of m; claim 3/1 for o; claim 4/1 for o; ");
    assert_false(holds());
}

static void
a_store_that_does_not_answer_is_not_asked_on(void **state)
{
    (void)state;
    log_catch();
    due(3, "taken", "");
    refuses("claim", ERR_STORE, 1);
    turn_says(TURN_FAILED, "due q of m; claim 3/1 for o; claim 4/1 for o; ");
    assert_non_null(strstr(logged(), "job.look err=store errno=1205"));
    refuses("due", ERR_STORE, 1);
    turn_says(TURN_FAILED, "due q of m; ");
    assert_false(holds());
    (void)logged();
    due(0, "", "");
    turn_says(TURN_IDLE, "due q of m; ");
    assert_null(strstr(logged(), "job.look"));
    log_release();
}

/* ---- keeping leases ---- */

#define KEEPER 3

static void
leases_are_prolonged_from_when_that_was_asked(void **state)
{
    struct hand *h = pool->hand;

    (void)state;
    assert_int_equal(turn(KEEPER), TURN_IDLE);
    assert_said("");
    take_up(&h[0], 5, 7, clock_mono_ms());
    take_up(&h[2], 6, 8, clock_mono_ms());
    pass_ms(2500);
    assert_int_equal(turn(KEEPER), TURN_IDLE);
    assert_said("renew 5/7; renew 6/8; ");
    assert_int_equal(h[0].held.renewed_ms, clock_mono_ms());
    assert_int_equal(h[2].held.renewed_ms, clock_mono_ms());
    assert_false(atomic_load(&h[0].held.cancel));
    wants_cancel = true;
    (void)turn(KEEPER);
    assert_true(atomic_load(&h[0].held.cancel));
    assert_false(h[0].held.lost);
}

static void
a_lease_that_another_has_is_lost(void **state)
{
    struct hand *h = pool->hand;

    (void)state;
    log_catch();
    take_up(&h[0], 5, 7, clock_mono_ms());
    wants_cancel = true;
    refuses("renew", ERR_STATE, 1);
    (void)turn(KEEPER);
    assert_true(h[0].held.lost);
    assert_false(atomic_load(&h[0].held.cancel));
    assert_non_null(strstr(logged(), "job.lease_over id=5"));
    take_up(&h[0], 5, 8, clock_mono_ms());
    refuses("renew", ERR_STORE, 1);
    pass_ms(100);
    (void)turn(KEEPER);
    assert_false(h[0].held.lost);
    assert_false(atomic_load(&h[0].held.cancel));
    assert_int_equal(h[0].held.renewed_ms, clock_mono_ms() - 1100);
    assert_non_null(strstr(logged(), "job.renew id=5 err=store errno=1205"));
    log_release();
}

static void
a_renewal_of_what_was_let_go_is_nothing(void **state)
{
    struct job_hand *j = &pool->hand[0].held;
    int64_t now = clock_mono_ms();

    (void)state;
    take_up(&pool->hand[0], 5, 7, now);
    renewed(j, 6, 7, now + 5, ERR_OK, true);
    renewed(j, 5, 6, now + 5, ERR_STATE, true);
    assert_int_equal(j->renewed_ms, now);
    assert_false(j->lost || atomic_load(&j->cancel));
    renewed(j, 5, 7, now - 5, ERR_OK, false); /* an older one comes late */
    assert_int_equal(j->renewed_ms, now);
    renewed(j, 5, 7, now + 5, ERR_OK, false);
    assert_int_equal(j->renewed_ms, now + 5);
}

/* ---- the pool ---- */

static void
a_pool_is_woken_and_stopped_hand_by_hand(void **state)
{
    (void)state;
    assert_int_equal(started, 4);
    assert_string_equal(tasks[1]->name, "q");
    assert_int_equal(tasks[1]->every_ms, LOOK_MS);
    assert_string_equal(tasks[KEEPER]->name, "job.keeper");
    assert_int_equal(tasks[KEEPER]->every_ms, 2500);
    job_pool_wake(pool);
    assert_said("wake 0; wake 1; wake 2; ");
    assert_true(job_pool_stop(pool, 60000));
    assert_said("stop 0; stop 1; stop 2; join 0 in 60000; join 1 in 59000; "
                "join 2 in 58000; stop 3; join 3 in 57000; ");
    pool = NULL;
}

static void
a_thread_that_hangs_is_told(void **state)
{
    (void)state;
    hangs = 1;
    assert_false(job_pool_stop(pool, 5000));
    assert_true(atomic_load(&pool->stopping));
    assert_said("stop 0; stop 1; stop 2; join 0 in 5000; join 1 in 4000; ");
    hangs = KEEPER;
    assert_false(job_pool_stop(pool, 5000));
}

static struct job_pool *
starts(unsigned n, int at_most)
{
    const struct job_pool_config cfg = { .kinds = kinds,
                                         .queue = "q",
                                         .threads = n };

    started = 0;
    start_at_most = at_most;
    return job_pool_start(&cfg);
}

static void
a_pool_without_its_threads_is_none(void **state)
{
    (void)state;
    log_catch();
    assert_true(job_pool_stop(pool, 1));
    said[0] = '\0';
    pool = starts(3, 2);
    assert_null(pool);
    assert_non_null(strstr(logged(), "job.threads started=2 of=3"));
    assert_int_equal(times("join", said), 2);
    said[0] = '\0';
    pool = starts(3, 3); /* but for the keeper */
    assert_null(pool);
    assert_int_equal(times("join", said), 3);
    log_release();
}

static void
a_pool_has_so_many_threads_at_most(void **state)
{
    (void)state;
    assert_true(job_pool_stop(pool, 1));
    pool = starts(THREADS_MAX + 1, THREADS_MAX + 2);
    assert_non_null(pool);
    assert_int_equal(pool->n, THREADS_MAX);
    assert_int_equal(started, THREADS_MAX + 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, a_pool, no_pool)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(that_it_begins_is_written_before_the_first_call),
        CASE(a_step_that_is_done_is_followed_by_the_next),
        CASE(the_last_one_ends_the_job_and_wakes_others),
        CASE(who_has_to_wait_is_let_go_until_then),
        CASE(who_stood_still_has_not_failed),
        CASE(who_is_due_late_is_not_waited_for),
        CASE(who_waits_without_a_word_is_noted),
        CASE(who_waits_while_all_stops_is_due_at_once),
        CASE(a_failure_is_undone_from_its_own_step_on),
        CASE(a_failure_without_a_word_gets_one),
        CASE(what_has_nothing_to_undo_is_undone),
        CASE(an_undo_that_fails_is_tried_again_later),
        CASE(an_undo_that_never_works_is_left_behind),
        CASE(a_cancelled_one_is_undone_and_says_so_first),
        CASE(a_step_knows_whether_it_is_undone),
        CASE(a_step_that_made_work_wakes_who_does_it),
        CASE(an_outcome_is_written_as_long_as_the_lease_runs),
        CASE(who_was_followed_writes_once_and_lets_go),
        CASE(a_lease_that_is_over_is_let_go),
        CASE(what_cannot_be_read_is_tried_again),
        CASE(what_this_version_does_not_know_waits),
        CASE(every_kind_is_found),
        CASE(that_it_begins_is_logged_once),
        CASE(the_first_that_is_free_is_taken),
        CASE(when_none_is_free_the_hand_idles),
        CASE(a_store_that_does_not_answer_is_not_asked_on),
        CASE(leases_are_prolonged_from_when_that_was_asked),
        CASE(a_lease_that_another_has_is_lost),
        CASE(a_renewal_of_what_was_let_go_is_nothing),
        CASE(a_pool_is_woken_and_stopped_hand_by_hand),
        CASE(a_thread_that_hangs_is_told),
        CASE(a_pool_without_its_threads_is_none),
        CASE(a_pool_has_so_many_threads_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
