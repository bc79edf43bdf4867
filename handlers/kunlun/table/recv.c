/* recv: the end that a table arrives at; and peek, which tells of one. */
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "kunlun/node_mgr/store.h"
#include "my.h"
#include "table.h"

#define SENTENCE "recv error"
#define RETRY_MS 2000
#define TRIES    30 /* one after the other without a byte more */
#define AGAIN    5  /* from the beginning, since another copy is sent now */
#define MIB      ((int64_t)1 << 20)

TABLE(node_recv, NODE_RECV);
TABLE(node_arriving, NODE_ARRIVING);

const char *
table_inbox(struct job_run *run)
{
    return arena_printf(run->arena, "inbox.%llu",
                        (unsigned long long)run->job->id);
}

/* ---- what is asked for ---- */

static const char *const rest[] = { "d_dbname", "d_table_name", "url", NULL };

/* A machine asks nobody but one that sends, whatever url it is given: its
 * token is for those. */
static enum step_answer
start(struct job_run *run)
{
    struct instance_spec spec;
    struct node_recv in;
    enum err e;

    if (!table_end_read(run, TABLE_END(node_recv, &in, d, rest), &spec))
        return STEP_FAILED;
    e = node_store_is_sent(run->db, in.url);
    if (e == ERR_NOT_FOUND) {
        job_fails(run, SENTENCE ": no machine sends a table at this url");
        return STEP_FAILED;
    }
    if (e != ERR_OK)
        return node_failed(run, e, SENTENCE, NULL);
    return table_end_login(run, TABLE_END(node_recv, &in, d, rest)) != NULL
               ? STEP_DONE
               : STEP_FAILED;
}

/* ---- fetching ---- */

/* How far it is, whoever has fetched it. */
struct reached {
    struct instance_watch inner;
    int64_t bytes;
};

static bool
go_on(void *ctx)
{
    const struct reached *r = ctx;

    return r->inner.go_on(r->inner.ctx);
}

static void
tell(void *ctx, int64_t bytes)
{
    struct reached *r = ctx;

    r->bytes = bytes;
    r->inner.progress(r->inner.ctx, bytes);
}

static enum err
fetch_into(struct job_run *run, const struct node_recv *in,
           const struct instance_spec *spec, struct reached *reached,
           char why[WHY_BYTES])
{
    const struct instance_watch w = { go_on, tell, reached };
    const struct instance_source from = {
        .url = in->url,
        .token =
            HAS(in, node_recv, token) ? in->token : table_token(run->arena),
        .address = in->d_ip,
        .bytes_per_s = node_mgr_settings()->recv_mib_s * MIB,
    };
    const char *name = table_inbox(run);
    struct instance_table table;
    int box;
    enum err e = name != NULL ? instance_box_open(spec, name, false, &box, why)
                              : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    e = instance_table_fetch(run->arena, &from, box, &w, &table, why);
    (void)close(box);
    return e;
}

/* The way is bad, or who sends has begun anew: tried again, for as long as
 * more comes. */
static enum step_answer
try_again(struct job_run *run, struct node_arriving *memo, bool anew,
          int64_t bytes, const char *why)
{
    enum err e;

    if (anew || bytes > memo->bytes) {
        PUT(memo, node_arriving, bytes, anew ? 0 : bytes);
        PUT(memo, node_arriving, tries, run->job->tries);
        PUT(memo, node_arriving, again, memo->again + anew);
        e = job_remember_record(run, &node_arriving_rec, memo);
        if (e != ERR_OK)
            return node_failed(run, e, SENTENCE, NULL);
    }
    if (memo->again > AGAIN || run->job->tries - memo->tries >= TRIES) {
        job_fails(run, SENTENCE ": %s", why);
        return STEP_FAILED;
    }
    job_waits(run, RETRY_MS, "%lld MiB; %s", (long long)(bytes / MIB), why);
    return STEP_AGAIN;
}

static enum step_answer
fetch(struct job_run *run)
{
    struct reached reached = { node_watch(run), 0 };
    struct node_arriving memo = { 0 };
    char why[WHY_BYTES] = "", ignored[WHY_BYTES];
    struct instance_spec spec;
    struct node_recv in;
    enum err e;

    if (!table_end_read(run, TABLE_END(node_recv, &in, d, rest), &spec) ||
        (run->memo != NULL && !node_memo(run, &node_arriving_rec, &memo)))
        return STEP_FAILED;
    e = fetch_into(run, &in, &spec, &reached, why);
    if (e == ERR_EXISTS &&
        instance_box_clear(&spec, table_inbox(run), ignored) != ERR_OK)
        return node_failed(run, ERR_STATE, SENTENCE, ignored);
    if (e == ERR_PEER || e == ERR_TIMEOUT || e == ERR_EXISTS)
        return try_again(run, &memo, e == ERR_EXISTS, reached.bytes, why);
    return node_broken_off(run, e, SENTENCE, why);
}

/* NOT_FOUND: the keeper does not know the instance any more, and nothing is
 * left of it. */
static enum err
find_instance(struct job_run *run, struct node_recv *in,
              struct instance_spec *spec)
{
    const struct machine *m = run->ctx;

    if (!node_args(run, &node_recv_rec, in) || in->d_port < 1 ||
        in->d_port > 65535)
        return ERR_NOT_FOUND;
    return keeper_spec(m->keeper, run->arena, (unsigned)in->d_port, spec);
}

static enum err
clear(struct job_run *run, char why[WHY_BYTES])
{
    const char *name = table_inbox(run);
    struct instance_spec spec;
    struct node_recv in;
    enum err e = find_instance(run, &in, &spec);

    if (e == ERR_OK)
        e = name != NULL ? instance_box_clear(&spec, name, why) : ERR_NOMEM;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum step_answer
unfetch(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    enum err e = clear(run, why);

    return e == ERR_OK ? STEP_DONE : node_failed(run, e, SENTENCE, why);
}

/* ---- taking it in ---- */

static enum err
import_from(struct job_run *run, const struct node_recv *in,
            const struct instance_spec *spec, struct my *my,
            char why[WHY_BYTES])
{
    const struct instance_watch w = node_watch(run);
    const char *name = table_inbox(run);
    struct instance_table table;
    int box;
    enum err e = name != NULL ? instance_box_open(spec, name, false, &box, why)
                              : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    e = instance_box_read(run->arena, box, &table, why);
    if (e == ERR_OK)
        e = instance_table_import(my, run->arena, spec, in->d_dbname,
                                  in->d_table_name, &table, box, &w, why);
    (void)close(box);
    return e;
}

/* That it has arrived is kept before its files go: who follows would miss
 * them. The last step: what has arrived is not cancelled. */
static enum step_answer
import(struct job_run *run)
{
    struct node_arriving memo = { 0 };
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    enum step_answer answer;
    struct node_recv in;
    struct my *my;
    enum err e;

    if (run->memo != NULL && !node_memo(run, &node_arriving_rec, &memo))
        return STEP_FAILED;
    if (!memo.arrived) {
        if (!table_end_read(run, TABLE_END(node_recv, &in, d, rest), &spec) ||
            (my = table_end_login(run, TABLE_END(node_recv, &in, d, rest))) ==
                NULL)
            return STEP_FAILED;
        e = import_from(run, &in, &spec, my, why);
        if (e != ERR_OK)
            return node_broken_off(run, e, SENTENCE, why);
        PUT(&memo, node_arriving, arrived, true);
        e = job_remember_record(run, &node_arriving_rec, &memo);
        if (e != ERR_OK)
            return node_failed(run, e, SENTENCE, NULL);
    }
    answer = node_left(run, clear(run, why), "what was fetched", why);
    return answer == STEP_DONE ? node_done(run, "recv succeed") : answer;
}

/* A server that has died in the middle is started again by its keeper, and
 * then asked what there is of it. */
static enum step_answer
unimport(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct node_recv in;
    enum err e = find_instance(run, &in, &spec);

    if (e == ERR_OK)
        e = instance_table_clear(run->arena, &spec, in.d_dbname,
                                 in.d_table_name, why);
    return e == ERR_OK || e == ERR_NOT_FOUND
               ? STEP_DONE
               : node_failed(run, e, SENTENCE, why);
}

static const struct job_step recv_steps[] = {
    { "recv start", start, NULL },
    { "recv copying", fetch, unfetch },
    { "recv working", import, unimport },
};

NODE_JOB(node_recv_kind, recv, recv_steps, .of = NULL);

/* ---- peek ---- */

static bool
check_peek(struct job_run *run, const struct node_source *in)
{
    static const char *const type[] = { "file_type", NULL };
    static const char *const table[] = { "s_dbname", "s_table_name", NULL };

    return node_wants(run, &node_source_rec, in, type) &&
           table_type_ok(run, in->file_type) &&
           node_wants(run, &node_source_rec, in, table);
}

static enum step_answer
peek(struct job_run *run)
{
    struct instance_table found;
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct node_source in;
    struct my *my;
    enum err e;

    if (!node_source_read(run, &in, &spec, check_peek) ||
        (my = node_login(run, &in)) == NULL)
        return STEP_FAILED;
    e = instance_table_look(my, run->arena, in.s_dbname, in.s_table_name,
                            &found, why);
    if (e != ERR_OK)
        return node_failed(run, e, "peek error", why);
    return node_done(run, arena_printf(run->arena,
                                       "peek succeed: %lld rows, checksum %s",
                                       (long long)found.rows, found.checksum));
}

static const struct job_step peek_steps[] = { { "peek working", peek, NULL } };

NODE_JOB(node_peek_kind, peek, peek_steps, .of = NULL);
