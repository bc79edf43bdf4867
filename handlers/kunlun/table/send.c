/* send: the end that a table leaves. */
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "hex.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "kunlun/node_mgr/store.h"
#include "my.h"
#include "table.h"

#define SENTENCE "send error"
#define PART     "recv"
#define WAIT_MS  1000
/* A part that nobody takes for so long: the other machine's supervise is gone.
 * It may have begun, so it undoes what it has done when it comes back. */
#define GONE_MS 60000

TABLE(node_send, NODE_SEND);

const char *
table_outbox(struct job_run *run)
{
    return arena_printf(run->arena, "outbox.%llu",
                        (unsigned long long)run->job->id);
}

bool
table_type_ok(struct job_run *run, const char *file_type)
{
    if (strcmp(file_type, "table") == 0)
        return true;
    job_fails(run, "unsupported file_type error");
    return false;
}

bool
table_end_read(struct job_run *run, const struct table_end *end,
               struct instance_spec *spec)
{
    return node_args(run, end->rec, end->in) &&
           node_wants(run, end->rec, end->in, end->at) &&
           node_is_ours(run, *end->ip) &&
           node_wants(run, end->rec, end->in, end->login) &&
           table_type_ok(run, *end->file_type) &&
           node_wants(run, end->rec, end->in, end->rest) &&
           node_instance(run, *end->ip, *end->port, INSTANCE_STORAGE, spec);
}

struct my *
table_end_login(struct job_run *run, const struct table_end *end)
{
    const struct node_login at = { *end->ip, *end->port, *end->user,
                                   *end->password };

    return node_login_at(run, &at, NODE_LONG_S);
}

/* ---- what is asked for ---- */

static const char *const rest[] = { "s_dbname", "s_table_name", "d_ip",
                                    "d_port",   "d_user",       "d_pwd",
                                    "d_dbname", "d_table_name", NULL };

/* One id and one url for this sending, whoever goes on with it. */
static enum err
keep_url(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct node_sending memo = { 0 };
    char id[OUTBOX_ID_HEX + 1];
    enum err e = hex_random(id, OUTBOX_ID_HEX / 2);

    PUT(&memo, node_sending, id, arena_strdup(run->arena, id));
    PUT(&memo, node_sending, url, table_url(run->arena, m->address, id));
    if (e != ERR_OK)
        return e;
    if (memo.id == NULL)
        return ERR_NOMEM;
    if (memo.url == NULL)
        return ERR_NOT_FOUND;
    return job_remember_record(run, &node_sending_rec, &memo);
}

TABLE(node_sending, NODE_SENDING);

static enum step_answer
start(struct job_run *run)
{
    struct instance_spec spec;
    struct node_send in;
    enum err e;

    if (!table_end_read(run, TABLE_END(node_send, &in, s, rest), &spec))
        return STEP_FAILED;
    if (strcmp(in.s_ip, in.d_ip) == 0 && in.s_port == in.d_port &&
        strcmp(in.s_dbname, in.d_dbname) == 0 &&
        strcmp(in.s_table_name, in.d_table_name) == 0) {
        job_fails(run, SENTENCE ": it would be sent to itself");
        return STEP_FAILED;
    }
    e = node_store_is_storage(run->db, in.d_ip, in.d_port);
    if (e == ERR_NOT_FOUND) {
        node_no_connection(run, in.d_ip, in.d_port);
        return STEP_FAILED;
    }
    if (e == ERR_OK && run->memo == NULL) {
        if (table_end_login(run, TABLE_END(node_send, &in, s, rest)) == NULL)
            return STEP_FAILED;
        e = keep_url(run);
    }
    if (e == ERR_NOT_FOUND)
        return node_failed(run, e, SENTENCE, "node_mgr has no listener here");
    return e == ERR_OK ? STEP_DONE : node_failed(run, e, SENTENCE, NULL);
}

/* ---- its files, and that they may be fetched ---- */

static enum err
copy(struct job_run *run, const struct instance_spec *spec,
     const struct node_send *in, struct my *my, char why[WHY_BYTES])
{
    const struct instance_watch w = node_watch(run);
    const char *name = table_outbox(run);
    struct instance_table table;
    int box;
    enum err e = name != NULL ? instance_box_open(spec, name, true, &box, why)
                              : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    e = instance_table_export(my, run->arena, spec, in->s_dbname,
                              in->s_table_name, box, &w, &table, why);
    if (e == ERR_OK)
        e = instance_box_seal(run->arena, box, &table, why);
    (void)close(box);
    return e;
}

static enum err
serve(struct job_run *run, const struct instance_spec *spec)
{
    const struct machine *m = run->ctx;
    struct node_outbox box = { .machine = m->address, .job_id = run->job->id };
    struct node_sending memo;
    const char *home;
    enum err e = instance_home(run->arena, spec, &home);

    if (e != ERR_OK || !node_memo(run, &node_sending_rec, &memo))
        return e != ERR_OK ? e : ERR_INTERNAL;
    box.id = memo.id;
    box.url = memo.url;
    box.path = arena_printf(run->arena, "%s/outbox.%llu", home,
                            (unsigned long long)run->job->id);
    if (box.path == NULL)
        return ERR_NOMEM;
    e = job_begin(run);
    if (e == ERR_OK)
        e = node_store_outbox_add(run->db, &box);
    return db_end(run->db, e);
}

static enum step_answer
export_it(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct node_send in;
    struct my *my;
    enum err e;

    if (!table_end_read(run, TABLE_END(node_send, &in, s, rest), &spec) ||
        (my = table_end_login(run, TABLE_END(node_send, &in, s, rest))) == NULL)
        return STEP_FAILED;
    e = copy(run, &spec, &in, my, why);
    if (e == ERR_OK)
        e = serve(run, &spec);
    return node_broken_off(run, e, SENTENCE, why);
}

/* OK when there is nothing of it, nor of its instance. */
static enum err
remove_it(struct job_run *run, char why[WHY_BYTES])
{
    const struct machine *m = run->ctx;
    const char *name = table_outbox(run);
    struct instance_spec spec;
    struct node_send in;
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = node_store_outbox_drop(run->db, run->job->id);
    e = db_end(run->db, e);
    if (e != ERR_OK || name == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    if (!node_args(run, &node_send_rec, &in))
        return ERR_OK; /* it has not come so far as to copy */
    e = in.s_port > 0 && in.s_port <= 65535
            ? keeper_spec(m->keeper, run->arena, (unsigned)in.s_port, &spec)
            : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    return e == ERR_OK ? instance_box_clear(&spec, name, why) : e;
}

static enum step_answer
unexport(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    enum err e = remove_it(run, why);

    return e == ERR_OK ? STEP_DONE : node_failed(run, e, SENTENCE, why);
}

/* ---- the other end ---- */

static enum err
render(struct job_run *run, const struct node_recv *in, enum secret_mode mode,
       const char **out)
{
    return record_text(run->arena, &node_mgr_form.style, &node_recv_rec, in,
                       mode, 8192, out);
}

/* Its locks are ours: both were taken before this job began, so that two jobs
 * that send to each other cannot wait for each other. */
static enum err
make_part(struct job_run *run, const struct node_send *in)
{
    struct job_new n = { .kind = &node_recv_kind, .machine = in->d_ip };
    struct node_recv out = { 0 };
    struct node_sending memo;
    uint64_t id;
    enum err e;

    if (!node_memo(run, &node_sending_rec, &memo))
        return ERR_INTERNAL;
    PUT(&out, node_recv, file_type, in->file_type);
    PUT(&out, node_recv, d_ip, in->d_ip);
    PUT(&out, node_recv, d_port, in->d_port);
    PUT(&out, node_recv, d_user, in->d_user);
    PUT(&out, node_recv, d_pwd, in->d_pwd);
    PUT(&out, node_recv, d_dbname, in->d_dbname);
    PUT(&out, node_recv, d_table_name, in->d_table_name);
    PUT(&out, node_recv, url, memo.url);
    PUT(&out, node_recv, token, table_token(run->arena));
    /* it is asked for there, under the name that it has here */
    if (HAS(in, node_send, job_id) && strcmp(in->s_ip, in->d_ip) != 0) {
        PUT(&out, node_recv, job_id, in->job_id);
        n.client_id = in->job_id;
    }
    e = render(run, &out, SECRETS_FULL, &n.args);
    if (e == ERR_OK)
        e = render(run, &out, SECRETS_STARS, &n.shown);
    return e == ERR_OK ? job_part(run, PART, &n, &id) : e;
}

static enum err
find_part(struct job_run *run, struct job *out)
{
    struct list_of_job parts;
    enum err e = job_parts(run, PART, &parts);

    if (e == ERR_OK && parts.n == 0)
        return ERR_NOT_FOUND;
    if (e == ERR_OK)
        *out = parts.v[0];
    return e;
}

static enum step_answer
arrived(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    enum step_answer answer =
        node_left(run, remove_it(run, why), "what was copied", why);

    return answer == STEP_DONE ? node_done(run, "send succeed") : answer;
}

/* The url is valid as long as somebody waits here. */
static enum step_answer
hand_over(struct job_run *run)
{
    struct node_send in;
    bool gone = false;
    struct job part;
    enum err e;

    if (!node_args(run, &node_send_rec, &in))
        return STEP_FAILED;
    e = find_part(run, &part);
    if (e == ERR_NOT_FOUND) {
        e = make_part(run, &in);
        if (e == ERR_OK)
            e = find_part(run, &part);
    }
    if (e == ERR_OK)
        e = node_store_outbox_keep(run->db, run->job->id);
    if (e == ERR_OK && part.state < JOB_DONE)
        e = job_forsaken(run->db, part.id, GONE_MS, &gone);
    if (e != ERR_OK)
        return node_failed(run, e, SENTENCE, NULL);
    if (part.state == JOB_DONE)
        return arrived(run);
    if (part.state < JOB_DONE && !gone) {
        job_waits(run, WAIT_MS, "%s: %s %s", in.d_ip, part.doing,
                  part.progress);
        return STEP_AGAIN;
    }
    job_fails(run, SENTENCE ": %s: %s", in.d_ip,
              gone                     ? "nobody is at work there"
              : HAS(&part, job, error) ? part.error
                                       : "cancelled");
    return STEP_FAILED;
}

static enum step_answer
take_back(struct job_run *run)
{
    bool gone = false;
    struct job part;
    enum err e = find_part(run, &part);

    if (e == ERR_NOT_FOUND || (e == ERR_OK && part.state >= JOB_DONE))
        return STEP_DONE;
    if (e == ERR_OK && !part.cancel)
        e = job_cancel(run->db, part.id);
    if (e == ERR_OK)
        e = job_forsaken(run->db, part.id, GONE_MS, &gone);
    if (e == ERR_STATE || gone)
        return STEP_DONE;
    if (e != ERR_OK)
        return node_failed(run, e, SENTENCE, NULL);
    job_waits(run, WAIT_MS, "%s to end", part.machine);
    return STEP_AGAIN;
}

/* The last step is the one that waits: what has arrived is not cancelled. */
static const struct job_step steps[] = {
    { "send start", start, NULL },
    { "send working", export_it, unexport },
    { "send copying", hand_over, take_back },
};

NODE_JOB(node_send_kind, send, steps, .of = NULL);
