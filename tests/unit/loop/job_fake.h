/* The store of jobs as a test tells it to be: what is asked of it is said, in
 * one text, and a call that `refuse` names fails. Beside it everything else
 * that a runner asks which is not its own. */
#ifndef MG_TEST_JOB_FAKE_H
#define MG_TEST_JOB_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "fake_clock.h"
#include "host/wake.h"
#include "locks.h"
#include "log_fixture.h"
#include "loop/job_plan.h"
#include "loop/job_run.h"
#include "loop/job_store.h"

const struct enum_name job_state_names[] = {
    { "queued", JOB_QUEUED },
    { "running", JOB_RUNNING },
    { "undoing", JOB_UNDOING },
    { "done", JOB_DONE },
    { "failed", JOB_FAILED },
    { "cancelled", JOB_CANCELLED },
    { NULL, 0 },
};

static char said[65536];

/* The next `n` calls of that name fail so, and each takes a second. */
static struct {
    const char *call;
    enum err e;
    int n;
} refuse;

/* What the store has. */
static struct job row;
static struct job_kept kept_row;
static struct list_of_job_due due_rows;
static struct list_of_job part_rows;
static bool wants_cancel, in_transaction;

static void saying(const char *fmt, ...) PRINTF_LIKE(1, 2);

static void
saying(const char *fmt, ...)
{
    size_t n = strlen(said);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(said + n, sizeof(said) - n, fmt, ap);
    va_end(ap);
}

/* What was asked since the last call. */
static void
assert_said(const char *text)
{
    assert_string_equal(said, text);
    said[0] = '\0';
}

static enum err
answer(const char *call)
{
    if (refuse.call == NULL || strcmp(refuse.call, call) != 0 || refuse.n == 0)
        return ERR_OK;
    refuse.n--;
    pass_ms(1000);
    return refuse.e;
}

static void
refuses(const char *call, enum err e, int n)
{
    refuse.call = call;
    refuse.e = e;
    refuse.n = n;
}

static const char *
or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

#define LLU(x) ((unsigned long long)(x))

enum err
db_begin(struct db *db)
{
    (void)db;
    assert_false(in_transaction);
    saying("begin; ");
    in_transaction = answer("begin") == ERR_OK;
    return in_transaction ? ERR_OK : refuse.e;
}

enum err
db_end(struct db *db, enum err e)
{
    (void)db;
    assert_true(in_transaction || e != ERR_OK);
    if (!in_transaction)
        return e; /* it was not begun */
    in_transaction = false;
    saying("%s; ", e == ERR_OK ? "commit" : "rollback");
    return e == ERR_OK ? answer("commit") : e;
}

unsigned
db_errno(const struct db *db)
{
    (void)db;
    return 1205;
}

void
wake_send(void)
{
    saying("wake; ");
}

enum err
job_store_due(struct db *db, struct arena *a, const char *queue,
              const char *machine, struct list_of_job_due *out)
{
    (void)db;
    (void)a;
    saying("due %s of %s; ", queue, machine);
    *out = due_rows;
    return answer("due");
}

/* One whose locks are "taken" is busy. */
enum err
job_store_claim(struct db *db, struct arena *a, struct job_due *d,
                const char *owner)
{
    (void)db;
    (void)a;
    saying("claim %llu/%llu for %s; ", LLU(d->id), LLU(d->epoch), owner);
    if (strcmp(d->locks, "taken") == 0)
        return ERR_BUSY;
    d->epoch++;
    return answer("claim");
}

enum err
job_store_kept(struct db *db, struct arena *a, uint64_t id,
               struct job_kept *out)
{
    (void)db;
    (void)a;
    assert_int_equal(id, row.id);
    *out = kept_row;
    return answer("kept");
}

enum err
job_get(struct db *db, struct arena *a, uint64_t id, struct job *out)
{
    (void)db;
    (void)a;
    assert_int_equal(id, row.id);
    *out = row;
    return answer("get");
}

enum err
job_store_renew(struct db *db, uint64_t id, uint64_t epoch, bool *cancel)
{
    (void)db;
    saying("renew %llu/%llu; ", LLU(id), LLU(epoch));
    *cancel = wants_cancel;
    return answer("renew");
}

enum err
job_store_hold(struct db *db, uint64_t id, uint64_t epoch)
{
    (void)db;
    saying("hold %llu/%llu; ", LLU(id), LLU(epoch));
    return answer("hold");
}

enum err
job_store_record(struct db *db, const struct job_record *r)
{
    (void)db;
    saying("record %llu/%llu of %llu: %s %u tries %u, doing \"%s\", "
           "progress \"%s\", error %s, result %s, due %lld",
           LLU(r->id), LLU(r->epoch), LLU(r->parent_id),
           enum_text(job_state_names, (int)r->state), r->step, r->tries,
           r->doing, r->progress, or_dash(r->error), or_dash(r->result),
           (long long)r->due_in_ms);
    if (r->ended)
        saying(", ended %u \"%s\" %s %s", r->called, or_dash(r->name),
               r->outcome, or_dash(r->text));
    if (r->begins)
        saying(", begins %u", r->next);
    saying("; ");
    return answer("record");
}

enum err
job_store_progress(struct db *db, uint64_t id, uint64_t epoch, const char *text)
{
    (void)db;
    saying("progress %llu/%llu \"%s\"; ", LLU(id), LLU(epoch), text);
    return answer("progress");
}

enum err
job_store_remember(struct db *db, uint64_t id, uint64_t epoch, const char *uid,
                   const char *json)
{
    (void)db;
    saying("remember %llu/%llu %s %s; ", LLU(id), LLU(epoch), uid, json);
    return answer("remember");
}

enum err
job_store_step_ms(struct db *db, uint64_t id, unsigned step, int64_t *out)
{
    (void)db;
    saying("step_ms %llu %u; ", LLU(id), step);
    *out = 1234;
    return answer("step_ms");
}

enum err
job_store_parts(struct db *db, struct arena *a, uint64_t parent_id,
                const char *prefix, struct list_of_job *out)
{
    (void)db;
    (void)a;
    saying("parts %llu \"%s\"; ", LLU(parent_id), prefix);
    *out = part_rows;
    return answer("parts");
}

enum err
job_accept(struct db *db, struct arena *a, const struct job_new *n,
           uint64_t *id)
{
    (void)db;
    (void)a;
    saying("accept %s of %llu for %s %s; ", n->part, LLU(n->parent_id),
           n->token_name, n->trace->request);
    *id = 77;
    return answer("accept");
}

enum err
job_cancel(struct db *db, uint64_t id)
{
    (void)db;
    saying("cancel %llu; ", LLU(id));
    return answer("cancel");
}

#endif
