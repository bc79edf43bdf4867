/* Jobs against a real server: performed, undone, locked out, followed after a
 * kill. The steps of these jobs write rows into a table of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "crypt.h"
#include "job.h"
#include "loop/job_store.h"
#include "store_fixture.h"

#define STEPS 3

static const char *const schema[] = {
    "CREATE TABLE world (job BIGINT UNSIGNED NOT NULL, step INT NOT NULL,"
    " calls INT NOT NULL, PRIMARY KEY (job, step)) ENGINE=InnoDB",
    "CREATE TABLE diary (id BIGINT NOT NULL AUTO_INCREMENT, word VARCHAR(64)"
    " NOT NULL, PRIMARY KEY (id)) ENGINE=InnoDB",
};

/* ---- the kinds ---- */

#define PLAN(X, s)                       \
    X(s, I32, fail_at, "fail_at", IN, -) \
    X(s, I32, stop_at, "stop_at", IN, -) \
    X(s, I32, wait_at, "wait_at", IN, -) \
    X(s, I32, hold_at, "hold_at", IN, -) \
    X(s, STR, secret, "secret", IN | SECRET, -)
STRUCT(plan, PLAN);
TABLE(plan, PLAN);

/* What a step calls when it gets to plan.stop_at: set by the test of kills. */
static int stopped_pipe = -1;

static enum step_answer
write_world(struct job_run *run, int step, bool there)
{
    static const char add[] = "INSERT INTO world (job, step, calls) VALUES"
                              " (?, ?, 1) ON DUPLICATE KEY UPDATE"
                              " calls = calls + 1";
    static const char drop[] = "DELETE FROM world WHERE job = ? AND step = ?";
    static const char note[] = "INSERT INTO diary (word) VALUES (?)";
    char word[64];
    enum err e = db_begin(run->db);

    (void)snprintf(word, sizeof(word), "%llu %s%d",
                   (unsigned long long)run->job->id, there ? "" : "-", step);
    if (e == ERR_OK)
        e = job_hold(run);
    if (e == ERR_OK)
        e = db_exec(run->db, there ? add : drop,
                    DB_ARGS(db_u64(run->job->id), db_i64(step)));
    if (e == ERR_OK)
        e = db_exec(run->db, note, DB_ARGS(db_str(word)));
    e = db_end(run->db, e);
    if (e == ERR_OK)
        return STEP_DONE;
    job_waits(run, 100, "store: %s", err_name(e));
    return STEP_AGAIN;
}

static enum step_answer
run_step(struct job_run *run, int step)
{
    struct plan p;
    enum step_answer a;

    if (job_args(run, &plan_rec, &p) != ERR_OK)
        return STEP_FAILED;
    a = write_world(run, step, true);
    if (p.stop_at == step + 1 && stopped_pipe >= 0) {
        (void)!write(stopped_pipe, "x", 1);
        for (;;)
            (void)pause();
    }
    if (p.wait_at == step + 1 && run->job->tries == 0) {
        job_waits(run, 10, "waits for the test");
        return STEP_AGAIN;
    }
    if (p.hold_at == step + 1) {
        job_waits(run, 20, "waits until it is cancelled");
        return STEP_AGAIN;
    }
    if (p.fail_at == step + 1) {
        job_fails(run, "step %d was told to fail", step);
        return STEP_FAILED;
    }
    return a;
}

#define THREE(X) X(0) X(1) X(2)
#define STEP_FUNCTIONS(i)                               \
    static enum step_answer run_##i(struct job_run *r)  \
    {                                                   \
        return run_step(r, i);                          \
    }                                                   \
    static enum step_answer undo_##i(struct job_run *r) \
    {                                                   \
        return write_world(r, i, false);                \
    }
THREE(STEP_FUNCTIONS)

#define STEP_ROW(i) { "step " #i, run_##i, undo_##i },
static const struct job_step steps[] = { THREE(STEP_ROW) };
static const struct job_kind plain = {
    .name = "test.plain", .queue = "test", .steps = steps, .n = STEPS
};
static const struct job_kind forward = { .name = "test.forward",
                                         .queue = "test",
                                         .steps = steps,
                                         .n = STEPS,
                                         .forward_only = true };

/* A job of two parts. */
static enum step_answer
make_parts(struct job_run *run)
{
    uint64_t id;
    struct job_new first = { .kind = &plain, .args = "{}", .shown = "{}" };
    struct job_new second = { .kind = &plain,
                              .args = run->args,
                              .shown = "{}" };

    if (job_part(run, "a", &first, &id) != ERR_OK ||
        job_part(run, "b", &second, &id) != ERR_OK) {
        job_waits(run, 100, "store");
        return STEP_AGAIN;
    }
    return job_parts_wait(run, "");
}

static enum step_answer
end_parts(struct job_run *run)
{
    return job_parts_cancel(run, "");
}

static const struct job_step parted_steps[] = {
    { "parts", make_parts, end_parts },
};
static const struct job_kind parted = {
    .name = "test.parted", .queue = "test", .steps = parted_steps, .n = 1
};

static enum step_answer
never(struct job_run *run)
{
    job_fails(run, "cannot be taken back");
    return STEP_FAILED;
}

static enum step_answer
tell(struct job_run *run)
{
    assert_string_equal(run->memo, run->kind->of);
    job_result(run, run->kind->of);
    return STEP_DONE;
}

static enum step_answer
note(struct job_run *run)
{
    return job_remember(run, run->kind->of) == ERR_OK ? STEP_DONE : STEP_FAILED;
}

static const struct job_step noting_steps[] = { { "note", note, NULL },
                                                { "tell", tell, NULL } };
static const struct job_kind noting = { .name = "test.noting",
                                        .queue = "test",
                                        .steps = noting_steps,
                                        .n = 2,
                                        .of = "{\"port\":6001}" };
static const struct job_step stuck_steps[] = { { "one", run_0, never },
                                               { "two", never, NULL } };
static const struct job_kind stuck = {
    .name = "test.stuck", .queue = "test", .steps = stuck_steps, .n = 2
};

/* What somebody else's program has said. */
static enum step_answer
garbled(struct job_run *run)
{
    job_fails(run, "\xff says \xe2\x82");
    return STEP_FAILED;
}

static const struct job_step garbled_steps[] = { { "one", garbled, NULL } };
static const struct job_kind foreign = {
    .name = "test.foreign", .queue = "test", .steps = garbled_steps, .n = 1
};

/* Takes a lock that its request could not name, twice, and waits where it is
 * told to. */
static enum step_answer
take_lock(struct job_run *run)
{
    enum err e;

    for (int i = 0; i < 2; i++) {
        e = job_begin(run);
        if (e == ERR_OK)
            e = job_lock(run, "later/1");
        e = db_end(run->db, e);
        if (e == ERR_OK)
            continue;
        job_fails(run, "%s", err_name(e));
        return STEP_FAILED;
    }
    return STEP_DONE;
}

static const struct job_step locking_steps[] = { { "lock", take_lock, NULL },
                                                 { "one", run_1, undo_1 } };
static const struct job_kind locking = {
    .name = "test.locking", .queue = "test", .steps = locking_steps, .n = 2
};

static const struct job_kind *const kinds[] = { &plain,   &forward, &parted,
                                                &noting,  &stuck,   &foreign,
                                                &locking, NULL };

/* ---- helpers ---- */

static struct job_pool *
pool(unsigned threads)
{
    static const struct job_pool_config cfg = {
        .kinds = kinds, .queue = "test", .machine = "", .owner = "unit"
    };
    struct job_pool_config c = cfg;

    c.threads = threads;
    return job_pool_start(&c);
}

static void
stop(struct job_pool *p)
{
    assert_true(job_pool_stop(p, 60000));
}

static uint64_t
accept(struct fixture *f, const struct job_kind *k, const char *args,
       const char *locks)
{
    static const struct trace t = { .request = "r1" };
    const struct job_new n = { .kind = k,
                               .client_id = "c1",
                               .args = args,
                               .shown = "{}",
                               .locks = locks,
                               .token_name = "unit",
                               .trace = &t };
    uint64_t id = 0;

    ok(db_begin(f->db));
    ok(db_end(f->db, job_accept(f->db, f->a, &n, &id)));
    assert_int_not_equal(id, 0);
    return id;
}

static struct job
get(struct fixture *f, uint64_t id)
{
    struct job j;

    ok(job_get(f->db, f->a, id, &j));
    return j;
}

static void
nap(void)
{
    const struct timespec t = { 0, 20000000L };

    (void)nanosleep(&t, NULL);
}

static struct job
until_state(struct fixture *f, uint64_t id, enum job_state state)
{
    struct job j = get(f, id);

    while (j.state < (int)JOB_DONE && j.state != (int)state) {
        nap();
        arena_reset(f->a);
        j = get(f, id);
    }
    assert_string_equal(enum_text(job_state_names, j.state),
                        enum_text(job_state_names, (int)state));
    return j;
}

static int64_t
count(struct fixture *f, const char *sql, uint64_t id)
{
    int64_t n;

    ok(db_one_i64(f->db, sql, DB_ARGS(db_u64(id)), &n));
    return n;
}

static const char rows_sql[] = "SELECT COUNT(*) FROM world WHERE job = ?";
static const char locks_sql[] =
    "SELECT COUNT(*) FROM job_lock WHERE job_id = ?";

static const char *
diary(struct fixture *f)
{
    const char *words = NULL;

    ok(db_one_str(f->db, f->a,
                  "SELECT COALESCE(GROUP_CONCAT(SUBSTRING_INDEX(word, ' ',"
                  " -1) ORDER BY id), '') FROM diary",
                  DB_NO_ARGS, &words));
    return words;
}

static void
forget(struct fixture *f)
{
    ok(db_exec_text(f->db, "DELETE FROM diary"));
}

/* ---- what is promised ---- */

static void
an_accepted_job_is_performed_step_by_step(void **state)
{
    struct fixture *f = *state;
    struct list_of_job_step_row rows;
    struct job_pool *p;
    uint64_t id;
    struct job j;

    forget(f);
    id = accept(f, &plain, "{\"wait_at\":2}", NULL);
    assert_int_equal(get(f, id).state, JOB_QUEUED);
    p = pool(2);
    j = until_state(f, id, JOB_DONE);
    assert_string_equal(diary(f), "0,1,1,2");
    assert_int_equal(j.step, STEPS);
    assert_true(j.finished_ms >= j.begun_ms && j.begun_ms >= j.created_ms);
    ok(job_steps(f->db, f->a, id, &rows));
    assert_int_equal(rows.n, STEPS);
    for (size_t i = 0; i < rows.n; i++)
        assert_string_equal(rows.v[i].outcome, "done");
    ok(job_find(f->db, f->a, "test", NULL, "c1", &j));
    assert_int_equal(j.id, id);
    stop(p);
}

static void
a_failure_is_undone_in_reverse(void **state)
{
    struct fixture *f = *state;
    uint64_t id;
    struct job_pool *p;
    struct job j;

    forget(f);
    id = accept(f, &plain, "{\"fail_at\":2}", "port/1\nport/2");
    p = pool(1);
    j = until_state(f, id, JOB_FAILED);
    assert_string_equal(j.error, "step 1 was told to fail");
    assert_string_equal(diary(f), "0,1,-1,-0");
    assert_int_equal(count(f, rows_sql, id), 0);
    assert_int_equal(count(f, locks_sql, id), 0);
    stop(p);
}

static void
what_goes_forward_only_stays(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &forward, "{\"fail_at\":2}", NULL);
    struct job_pool *p = pool(1);

    (void)until_state(f, id, JOB_FAILED);
    assert_int_equal(count(f, rows_sql, id), 2);
    stop(p);
}

static void
what_cannot_be_undone_is_said(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &stuck, "{}", NULL);
    struct job_pool *p = pool(1);
    struct job j;
    bool said = false; /* between two tries, too */

    /* its pauses are not what is tried here */
    while ((j = get(f, id)).state < (int)JOB_DONE) {
        said = said || (j.state == JOB_UNDOING &&
                        strcmp(j.progress, "cannot be taken back") == 0);
        ok(db_exec_text(f->db, "UPDATE job SET due_ms = 1"
                               " WHERE owner = '' AND due_ms IS NOT NULL"));
        job_pool_wake(p);
        nap();
        arena_reset(f->a);
    }
    assert_true(said);
    assert_int_equal(j.state, JOB_FAILED);
    assert_string_equal(j.error, "cannot be taken back; left behind by"
                                 " \"one\": cannot be taken back");
    stop(p);
}

static void
what_it_waits_for_is_said_from_try_to_try(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &plain, "{\"hold_at\":1}", NULL);
    struct job_pool *p = pool(1);

    while (get(f, id).tries < 3) {
        nap();
        arena_reset(f->a);
    }
    assert_string_equal(get(f, id).progress, "waits until it is cancelled");
    ok(db_begin(f->db));
    ok(db_end(f->db, job_cancel(f->db, id)));
    (void)until_state(f, id, JOB_CANCELLED);
    stop(p);
}

static void
bytes_that_are_no_text_are_not_kept(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &foreign, "{}", NULL);
    struct job_pool *p = pool(1);

    assert_string_equal(until_state(f, id, JOB_FAILED).error, "? says ??");
    stop(p);
}

static void
arguments_that_do_not_fit_fail_the_job(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &plain, "{\"fail_at\":\"x\"}", NULL);
    struct job_pool *p = pool(1);

    assert_non_null(strstr(until_state(f, id, JOB_FAILED).error, "fail_at"));
    stop(p);
}

static void
a_step_keeps_and_tells_what_it_wants(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &noting, "{}", NULL);
    struct job_pool *p = pool(1);
    struct job j = until_state(f, id, JOB_DONE);
    const char *raw;

    assert_memory_equal(j.result.p, "{\"port\":6001}", j.result.n);
    ok(db_one_str(f->db, f->a, "SELECT memo FROM job WHERE id = ?",
                  DB_ARGS(db_u64(id)), &raw));
    assert_null(strstr(raw, "6001"));
    stop(p);
}

/* Nobody takes it: how long that has been so is told until somebody does. */
static void
a_job_that_nobody_takes_is_idle(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &plain, "{}", NULL);
    struct job_pool *p;
    struct job j;

    while (get(f, id).idle_ms == 0)
        nap();
    assert_int_equal(get(f, id).age_ms, 0);
    p = pool(1);
    j = until_state(f, id, JOB_DONE);
    assert_int_equal(j.idle_ms, 0);
    assert_int_equal(j.age_ms, 0);
    stop(p);
}

static void
arguments_lie_encrypted(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &plain, "{\"secret\":\"pgx_pwd\"}", NULL);
    struct job_pool *p;
    const char *raw;

    ok(db_one_str(f->db, f->a, "SELECT args FROM job WHERE id = ?",
                  DB_ARGS(db_u64(id)), &raw));
    assert_null(strstr(raw, "pgx_pwd"));
    p = pool(1);
    (void)until_state(f, id, JOB_DONE);
    stop(p);
}

/* Three jobs want one port: each has it alone, in the order of acceptance. */
static void
locked_out_jobs_take_their_turn(void **state)
{
    struct fixture *f = *state;
    uint64_t id[3];
    struct job_pool *p;
    struct job a, b;

    for (int i = 0; i < 3; i++)
        id[i] = accept(f, &plain, "{\"wait_at\":2}", "port/127.0.0.1/6001");
    p = pool(3);
    for (int i = 0; i < 3; i++)
        (void)until_state(f, id[i], JOB_DONE);
    for (int i = 0; i < 2; i++) {
        a = get(f, id[i]);
        b = get(f, id[i + 1]);
        assert_true(a.finished_ms <= b.finished_ms);
    }
    stop(p);
}

static void
who_waits_for_a_lock_says_for_whom(void **state)
{
    struct fixture *f = *state;
    struct list_of_job_due due;
    uint64_t first = accept(f, &plain, "{}", "cluster/c1");
    uint64_t second = accept(f, &plain, "{}", "cluster/c1");
    char text[128];
    struct job_pool *p;

    ok(job_store_due(f->db, f->a, "test", "", &due));
    assert_int_equal(due.n, 2);
    ok(job_store_claim(f->db, f->a, &due.v[0], "unit"));
    assert_int_equal(job_store_claim(f->db, f->a, &due.v[1], "unit"), ERR_BUSY);
    (void)snprintf(text, sizeof(text), "waits for job %llu, which has %s",
                   (unsigned long long)first, "cluster/c1");
    assert_string_equal(get(f, second).progress, text);
    /* who took the first is dead: its lease runs out */
    ok(db_exec_text(f->db, "UPDATE job SET due_ms = 1 WHERE owner <> ''"
                           " AND finished_ms IS NULL"));
    p = pool(1);
    (void)until_state(f, second, JOB_DONE);
    (void)until_state(f, first, JOB_DONE);
    stop(p);
}

static uint64_t
first_due(struct fixture *f, size_t n)
{
    struct list_of_job_due due;

    ok(job_store_due(f->db, f->a, "test", "", &due));
    assert_int_equal(due.n, n);
    return n > 0 ? due.v[0].id : 0;
}

/* What waits for a lock, or for its parts, need not wait any longer. */
static void
who_ends_lets_others_go_at_once(void **state)
{
    static const char later[] = "UPDATE job SET due_ms = due_ms + 30000"
                                " WHERE queue = 'test'"
                                " AND finished_ms IS NULL";
    static const char waits[] = "SELECT COUNT(*) FROM job WHERE id = ?"
                                " AND waits_for IS NOT NULL";
    struct fixture *f = *state;
    uint64_t first = accept(f, &plain, "{}", "cluster/c2");
    uint64_t second = accept(f, &plain, "{}", "cluster/c2");
    uint64_t parent = accept(f, &plain, "{}", NULL);
    struct job_record r = { .id = first,
                            .parent_id = parent,
                            .state = JOB_RUNNING,
                            .doing = "",
                            .progress = "",
                            .due_in_ms = -1 };
    struct list_of_job_due due;
    struct job_pool *p;

    ok(job_store_due(f->db, f->a, "test", "", &due));
    ok(job_store_claim(f->db, f->a, &due.v[0], "unit"));
    assert_int_equal(job_store_claim(f->db, f->a, &due.v[1], "unit"), ERR_BUSY);
    r.epoch = due.v[0].epoch;
    ok(job_store_record(f->db, &r)); /* it goes on */
    ok(db_exec_text(f->db, later));
    (void)first_due(f, 0);
    assert_int_equal(count(f, locks_sql, first), 1);
    assert_int_equal(count(f, waits, second), 1);
    r.state = JOB_DONE;
    r.parent_id = 0;
    ok(job_store_record(f->db, &r));
    assert_int_equal(first_due(f, 1), second);
    assert_int_equal(count(f, waits, second), 0);
    ok(job_store_due(f->db, f->a, "test", "", &due));
    ok(job_store_claim(f->db, f->a, &due.v[0], "unit"));
    r = (struct job_record){ .id = second,
                             .epoch = due.v[0].epoch,
                             .parent_id = parent,
                             .state = JOB_DONE,
                             .doing = "",
                             .progress = "" };
    ok(job_store_record(f->db, &r));
    assert_int_equal(first_due(f, 1), parent);
    p = pool(1);
    (void)until_state(f, parent, JOB_DONE);
    stop(p);
}

/* A job that nobody performs yet has its locks all the same; they end with it.
 */
static void
locks_may_be_taken_by_who_accepts(void **state)
{
    static const struct trace duty = { .request = "duty-1" };
    struct fixture *f = *state;
    struct job_new n = { .kind = &plain,
                         .args = "{\"secret\":\"s\"}",
                         .shown = "{}",
                         .locks = "cluster/c7\nid/1",
                         .lock_now = true };
    uint64_t first = 0, second = 0, holder = 0;
    struct job_pool *p;
    const char *said;

    ok(db_begin(f->db));
    log_trace(&duty); /* who asks is no request: its step is */
    ok(db_end(f->db, job_accept(f->db, f->a, &n, &first)));
    log_trace(NULL);
    assert_string_equal(get(f, first).request_id, "duty-1");
    ok(job_lock_holder(f->db, "cluster/c7", &holder));
    assert_int_equal(holder, first);
    ok(job_said(f->db, f->a, first, &said));
    assert_string_equal(said, n.args);
    n.locks = "id/2\ncluster/c7";
    ok(db_begin(f->db));
    assert_int_equal(db_end(f->db, job_accept(f->db, f->a, &n, &second)),
                     ERR_EXISTS);
    assert_int_equal(job_lock_holder(f->db, "id/2", &holder), ERR_NOT_FOUND);
    p = pool(1);
    (void)until_state(f, first, JOB_DONE);
    stop(p);
    assert_int_equal(count(f, locks_sql, first), 0);
    ok(db_begin(f->db));
    ok(db_end(f->db, job_accept(f->db, f->a, &n, &second)));
    p = pool(1);
    (void)until_state(f, second, JOB_DONE);
    stop(p);
    assert_int_equal(job_said(f->db, f->a, 0, &said), ERR_NOT_FOUND);
}

static void
cancelled(struct fixture *f, uint64_t id)
{
    ok(db_begin(f->db));
    ok(db_end(f->db, job_cancel(f->db, id)));
}

/* ... by one job at a time, until that is over. */
static void
locks_may_be_taken_by_a_step(void **state)
{
    struct fixture *f = *state;
    uint64_t first = accept(f, &locking, "{\"hold_at\":2}", NULL), second;
    struct job_pool *p = pool(2);

    while (count(f, rows_sql, first) == 0)
        nap();
    assert_int_equal(count(f, locks_sql, first), 1);
    second = accept(f, &locking, "{}", NULL);
    assert_string_equal(until_state(f, second, JOB_FAILED).error,
                        err_name(ERR_EXISTS));
    assert_int_equal(count(f, locks_sql, second), 0);
    assert_int_equal(count(f, locks_sql, first), 1);
    cancelled(f, first);
    (void)until_state(f, first, JOB_CANCELLED);
    assert_int_equal(count(f, locks_sql, first), 0);
    second = accept(f, &locking, "{}", NULL);
    (void)until_state(f, second, JOB_DONE);
    stop(p);
}

static void
a_cancelled_job_is_undone(void **state)
{
    struct fixture *f = *state;
    uint64_t queued = accept(f, &plain, "{}", NULL), parent;
    struct job_pool *p;
    struct list_of_job parts;

    cancelled(f, queued);
    p = pool(2);
    (void)until_state(f, queued, JOB_CANCELLED);
    assert_int_equal(count(f, rows_sql, queued), 0);
    assert_int_equal(job_cancel(f->db, queued), ERR_STATE);
    assert_int_equal(job_cancel(f->db, 999999), ERR_NOT_FOUND);
    stop(p);

    parent = accept(f, &parted, "{\"hold_at\":3}", NULL);
    p = pool(2);
    do {
        nap();
        ok(job_store_parts(f->db, f->a, parent, "", &parts));
    } while (parts.n < 2 || parts.v[1].step < 2);
    cancelled(f, parent);
    (void)until_state(f, parent, JOB_CANCELLED);
    ok(job_store_parts(f->db, f->a, parent, "", &parts));
    assert_int_equal(parts.v[0].state, JOB_DONE);
    assert_int_equal(parts.v[1].state, JOB_CANCELLED);
    assert_int_equal(count(f, rows_sql, parts.v[1].id), 0);
    stop(p);
}

static void
a_job_of_parts_ends_with_them(void **state)
{
    struct fixture *f = *state;
    uint64_t good = accept(f, &parted, "{\"wait_at\":1}", NULL);
    uint64_t bad = accept(f, &parted, "{\"fail_at\":3}", NULL);
    struct job_pool *p = pool(3);
    struct list_of_job parts;
    struct job j;

    (void)until_state(f, good, JOB_DONE);
    j = until_state(f, bad, JOB_FAILED);
    assert_string_equal(j.error, "step 2 was told to fail");
    ok(job_store_parts(f->db, f->a, good, "", &parts));
    assert_int_equal(parts.n, 2);
    assert_string_equal(parts.v[0].part, "a");
    ok(job_store_parts(f->db, f->a, good, "b", &parts));
    assert_int_equal(parts.n, 1);
    stop(p);
}

/* A runner that was stopped while another followed it changes nothing. */
static void
a_runner_that_was_followed_cannot_write(void **state)
{
    struct fixture *f = *state;
    uint64_t id = accept(f, &plain, "{}", NULL);
    struct list_of_job_due due;
    struct job_record r = {
        .id = id, .state = JOB_DONE, .step = 3, .doing = "", .progress = ""
    };
    struct job_pool *p;
    uint64_t old;
    bool cancel;

    ok(job_store_due(f->db, f->a, "test", "", &due));
    ok(job_store_claim(f->db, f->a, &due.v[0], "first"));
    old = due.v[0].epoch;
    ok(db_exec_text(f->db, "UPDATE job SET due_ms = 1 WHERE owner = 'first'"));
    ok(job_store_claim(f->db, f->a, &due.v[0], "second"));
    assert_int_equal(due.v[0].epoch, old + 1);
    r.epoch = old;
    assert_int_equal(job_store_record(f->db, &r), ERR_STATE);
    assert_int_equal(job_store_renew(f->db, id, old, &cancel), ERR_STATE);
    assert_int_equal(job_store_remember(f->db, id, old, "u", "{}"), ERR_STATE);
    assert_int_equal(job_store_progress(f->db, id, old, "x"), ERR_STATE);
    assert_int_not_equal(get(f, id).state, JOB_DONE);
    ok(db_exec_text(f->db, "UPDATE job SET due_ms = 1 WHERE owner = 'second'"));
    p = pool(1);
    (void)until_state(f, id, JOB_DONE);
    stop(p);
}

/* Nobody is there, or all who are have their hands full. */
static void
a_job_that_nobody_takes_is_forsaken(void **state)
{
    static const char late[] = "UPDATE job SET due_ms = due_ms - 5000"
                               " WHERE id = ?";
    struct fixture *f = *state;
    uint64_t id = accept(f, &plain, "{}", NULL), other;
    struct list_of_job_due due;
    struct job_pool *p;
    bool is;

    ok(job_forsaken(f->db, id, 1000, &is));
    assert_false(is);
    ok(db_exec(f->db, late, DB_ARGS(db_u64(id))));
    ok(job_forsaken(f->db, id, 1000, &is));
    assert_true(is);
    ok(job_forsaken(f->db, id, 60000, &is));
    assert_false(is);
    other = accept(f, &plain, "{}", NULL);
    ok(job_store_due(f->db, f->a, "test", "", &due));
    assert_int_equal(due.v[1].id, other);
    ok(job_store_claim(f->db, f->a, &due.v[1], "unit"));
    ok(job_forsaken(f->db, id, 1000, &is));
    assert_false(is);
    ok(db_exec_text(f->db, "UPDATE job SET due_ms = 1 WHERE owner = 'unit'"));
    p = pool(1);
    (void)until_state(f, id, JOB_DONE);
    (void)until_state(f, other, JOB_DONE);
    stop(p);
    ok(job_forsaken(f->db, id, 0, &is));
    assert_false(is);
}

/* kill -9 of the runner's process in the middle of each step: another one
 * calls the same step again and ends the job. */
static void
killed_in_step(struct fixture *f, int step, bool fails)
{
    struct job_pool *p;
    char args[64], c;
    int fd[2], status;
    uint64_t id;
    pid_t pid;

    (void)snprintf(args, sizeof(args), "{\"stop_at\":%d,\"fail_at\":%d}",
                   step + 1, fails ? STEPS : 0);
    id = accept(f, &plain, args, "port/9");
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    if (pid == 0) {
        stopped_pipe = fd[1];
        p = pool(1);
        for (;;)
            (void)pause();
    }
    assert_true(pid > 0);
    assert_int_equal(read(fd[0], &c, 1), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(fd[0]);
    (void)close(fd[1]);
    assert_int_equal(get(f, id).state, JOB_RUNNING);
    ok(db_exec_text(f->db, "UPDATE job SET due_ms = 1 WHERE owner <> ''"
                           " AND finished_ms IS NULL"));
    p = pool(1);
    (void)until_state(f, id, fails ? JOB_FAILED : JOB_DONE);
    assert_int_equal(count(f, rows_sql, id), fails ? 0 : STEPS);
    assert_int_equal(count(f, locks_sql, id), 0);
    stop(p);
}

static void
a_killed_runner_is_followed(void **state)
{
    for (int step = 0; step < STEPS; step++) {
        killed_in_step(*state, step, false);
        killed_in_step(*state, step, true);
    }
}

static void
old_jobs_are_purged_with_their_steps(void **state)
{
    struct fixture *f = *state;
    uint64_t n, id = accept(f, &plain, "{}", NULL);
    uint64_t waits = accept(f, &plain, "{}", NULL);
    struct job_pool *p;
    struct job j;

    ok(db_exec(f->db, "UPDATE job SET due_ms = due_ms + 50000 WHERE id = ?",
               DB_ARGS(db_u64(waits))));
    p = pool(1);
    (void)until_state(f, id, JOB_DONE);
    stop(p);
    ok(db_exec_text(f->db, "UPDATE job SET finished_ms = 1"
                           " WHERE finished_ms IS NOT NULL"));
    ok(job_purge(f->db, 1, 1, &n));
    assert_int_equal(n, 1);
    ok(job_purge(f->db, 1, 10000, &n));
    assert_int_equal(job_get(f->db, f->a, id, &j), ERR_NOT_FOUND);
    assert_int_equal(
        count(f, "SELECT COUNT(*) FROM job_step WHERE job_id = ?", id), 0);
    ok(job_get(f->db, f->a, waits, &j));
}

#define ASKED(X, s)                      \
    X(s, STR, name, "name", IN | OUT, -) \
    X(s, STR, secret, "secret", IN | OUT | SECRET, -)
STRUCT(asked, ASKED);
TABLE(asked, ASKED);

static void
arguments_are_shown_without_secrets(void **state)
{
    struct arena *a = arena_new((size_t)9 << 20);
    char *big = malloc(JOB_TEXT_MAX);
    struct job_new n = { 0 };
    struct asked in = { 0 };

    (void)state;
    assert_non_null(a);
    assert_non_null(big);
    PUT(&in, asked, name, "n1");
    PUT(&in, asked, secret, "swordfish");
    assert_int_equal(job_new_args(a, &n, &asked_rec, &in), ERR_OK);
    assert_string_equal(n.args, "{\"name\":\"n1\",\"secret\":\"swordfish\"}");
    assert_string_equal(n.shown, "{\"name\":\"n1\",\"secret\":\"***\"}");
    memset(big, 'x', JOB_TEXT_MAX - 1);
    big[JOB_TEXT_MAX - 1] = '\0';
    PUT(&in, asked, name, big);
    assert_int_equal(job_new_args(a, &n, &asked_rec, &in), ERR_LIMIT);
    free(big);
    arena_free(a);
}

/* ---- the group ---- */

FIXTURE_GROUP(10, 2)

static int
setup(void **state)
{
    *state = fixture_open();
    return *state != NULL ? 0 : -1;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_accepted_job_is_performed_step_by_step),
        CASE(a_failure_is_undone_in_reverse),
        CASE(what_goes_forward_only_stays),
        CASE(what_cannot_be_undone_is_said),
        CASE(what_it_waits_for_is_said_from_try_to_try),
        CASE(bytes_that_are_no_text_are_not_kept),
        CASE(arguments_that_do_not_fit_fail_the_job),
        CASE(a_step_keeps_and_tells_what_it_wants),
        CASE(a_job_that_nobody_takes_is_idle),
        CASE(arguments_lie_encrypted),
        CASE(arguments_are_shown_without_secrets),
        CASE(locked_out_jobs_take_their_turn),
        CASE(who_waits_for_a_lock_says_for_whom),
        CASE(who_ends_lets_others_go_at_once),
        CASE(locks_may_be_taken_by_who_accepts),
        CASE(locks_may_be_taken_by_a_step),
        CASE(a_cancelled_job_is_undone),
        CASE(a_job_of_parts_ends_with_them),
        CASE(a_runner_that_was_followed_cannot_write),
        CASE(a_job_that_nobody_takes_is_forsaken),
        CASE(a_killed_runner_is_followed),
        CASE(old_jobs_are_purged_with_their_steps),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
