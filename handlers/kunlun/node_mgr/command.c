/* mysql_cmd, pgsql_cmd, cluster_cmd: theirs hands cmd to a shell. Ours knows a
 * few lines, and each of them is an order to the keeper of the instances. A
 * stop by them does not pause the watchdog. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "node_mgr.h"
#include "service.h"

#define WORDS_MAX 8
#define CMD_BYTES 512
#define SENTENCE  "command error"

TABLE(node_command, NODE_COMMAND);
NO_CHECKS(node_command);

static const struct {
    const char *verb;
    const char *word[2]; /* before the port */
    enum instance_kind kind;
    enum keeper_order order;
} lines[] = {
    { "mysql_cmd", { "./startmysql.sh" }, INSTANCE_STORAGE, ORDER_START },
    { "mysql_cmd", { "./stopmysql.sh" }, INSTANCE_STORAGE, ORDER_END },
    { "pgsql_cmd",
      { "python2", "start_pg.py" },
      INSTANCE_COMPUTER,
      ORDER_START },
    { "pgsql_cmd", { "python2", "stop_pg.py" }, INSTANCE_COMPUTER, ORDER_END },
};

/* The only line of cluster_cmd. */
static const char cluster_line[] =
    "bash -x bin/cluster_mgr_safe --debug --pidfile=run.pid cluster_mgr.cnf";

/* Words of cmd, blanks between them; 0: none, too many, or a character that a
 * shell would see more in. */
static size_t
split(char *cmd, char *word[WORDS_MAX])
{
    char *rest = cmd, *w;
    size_t n = 0;

    if (strpbrk(cmd, ";&|<>$`(){}*?~#!\n\r\\\"'") != NULL)
        return 0;
    while ((w = strsep(&rest, " \t")) != NULL) {
        if (str_empty(w))
            continue;
        if (n == WORDS_MAX)
            return 0;
        word[n++] = w;
    }
    return n;
}

/* "6001", or with `named` "port=6001" or "--port=6001"; 0. */
static unsigned
port_of(const char *text, bool named)
{
    int64_t v;

    if (named && strncmp(text, "--", 2) == 0)
        text += 2;
    if (named) {
        if (strncmp(text, "port=", 5) != 0)
            return 0;
        text += 5;
    }
    if (text[0] < '1' || text[0] > '9' ||
        json_to_i64(text, false, &v) != ERR_OK || v > 65535)
        return 0;
    return (unsigned)v;
}

/* Which line it is, and for which port; false: none. */
static bool
understand(const char *verb, const char *cmd, size_t *line, unsigned *port)
{
    char copy[CMD_BYTES], *word[WORDS_MAX];
    size_t n;

    if (strlen(cmd) >= sizeof(copy))
        return false;
    memcpy(copy, cmd, strlen(cmd) + 1);
    n = split(copy, word);
    for (size_t i = 0; i < COUNT(lines); i++) {
        size_t k = lines[i].word[1] != NULL ? 2 : 1;

        if (strcmp(lines[i].verb, verb) != 0 || n != k + 1 ||
            strcmp(word[0], lines[i].word[0]) != 0 ||
            (k == 2 && strcmp(word[1], lines[i].word[1]) != 0))
            continue;
        *line = i;
        *port = port_of(word[k], k == 2);
        return *port != 0;
    }
    return false;
}

static bool
is_cluster_line(const char *verb, const char *cmd)
{
    return strcmp(verb, "cluster_cmd") == 0 && strcmp(cmd, cluster_line) == 0;
}

/* ---- the request ---- */

/* A refusal that is kept in the audit trail: the transaction is committed. */
static enum err
refuse(struct req *r, const char *info)
{
    struct kunlun_result *out = arena_alloc(r->arena, sizeof(*out));

    if (out == NULL)
        return ERR_NOMEM;
    *out = (struct kunlun_result){ 0 };
    PUT(out, kunlun_result, result, "error");
    PUT(out, kunlun_result, info, info);
    req_audit(r, "refused", NULL, NULL);
    return req_send(r, &kunlun_result_rec, out);
}

/* Whether this machine keeps an instance of that kind there. */
static enum err
is_kept(struct req *r, unsigned port, enum instance_kind kind, bool *out)
{
    const char *name = enum_text(instance_kind_names, (int)kind);
    struct list_of_kept all;
    enum err e = kept_list(r->db, r->arena, r->listener_tail, &all);

    *out = false;
    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        *out = *out || (all.v[i].port == (int32_t)port &&
                        strcmp(all.v[i].kind, name) == 0);
    return e;
}

enum err
node_command(struct req *r, const struct node_command *in)
{
    const struct json *cmd = json_member(r->json, "cmd");
    const char *text =
        cmd != NULL && json_type(cmd) == JSON_STRING ? json_text(cmd) : "";
    unsigned port;
    size_t line;
    bool kept;
    enum err e;

    if (is_cluster_line(r->operation, text))
        return node_job_queue(r, HAS(in, node_command, job_id) ? in->job_id
                                                               : NULL);
    if (!understand(r->operation, text, &line, &port))
        return refuse(r, "command not allowed");
    e = is_kept(r, port, lines[line].kind, &kept);
    if (e != ERR_OK)
        return e;
    if (!kept)
        return refuse(r, "command not allowed");
    return node_job_queue(r, HAS(in, node_command, job_id) ? in->job_id : NULL);
}

/* ---- the job ---- */

/* The process that is told to end; what comes after it is the watchdog's. */
#define TOLD(X, s) X(s, I32, pid, "pid", IN | OUT, -)
STRUCT(told, TOLD);
TABLE(told, TOLD);

static enum err
pid_of(struct job_run *run, unsigned port, int32_t *pid)
{
    const struct machine *m = run->ctx;
    struct list_of_kept all;
    enum err e = keeper_list(m->keeper, run->arena, &all);

    *pid = 0;
    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        if (all.v[i].port == (int32_t)port)
            *pid = HAS(&all.v[i], kept, pid) ? all.v[i].pid : 0;
    return e;
}

static enum err
remember(struct job_run *run, int32_t pid)
{
    struct told t = { 0 };

    PUT(&t, told, pid, pid);
    return job_remember_record(run, &told_rec, &t);
}

static int32_t
remembered(struct job_run *run)
{
    struct told t;

    return job_recall_record(run, &told_rec, &t) == ERR_OK ? t.pid : 0;
}

/* Told once; it has ended when another process, or none, is there. */
static enum step_answer
end_it(struct job_run *run, unsigned port)
{
    const struct machine *m = run->ctx;
    int32_t pid;
    enum err e = pid_of(run, port, &pid);

    if (e == ERR_OK && run->memo == NULL) {
        e = remember(run, pid);
        if (e == ERR_OK)
            e = keeper_tell(m->keeper, port, ORDER_END, run->job->id);
        if (e == ERR_OK) {
            job_waits(run, 200, "the server to end");
            return STEP_AGAIN;
        }
    }
    if (e != ERR_OK)
        return node_failed(run, e, SENTENCE, NULL);
    if (pid != 0 && pid == remembered(run)) {
        job_waits(run, 200, "the server to end");
        return STEP_AGAIN;
    }
    return node_done(run, "command succeed");
}

static enum step_answer
start_it(struct job_run *run, unsigned port)
{
    const struct machine *m = run->ctx;
    enum step_answer done;
    enum err e = ERR_OK;

    if (run->memo == NULL) {
        e = keeper_tell(m->keeper, port, ORDER_START, run->job->id);
        if (e == ERR_OK)
            e = remember(run, 0);
    }
    if (e != ERR_OK)
        return node_not_kept(run, e, SENTENCE);
    done = node_await(run, port, KEPT_RUNNING, SENTENCE);
    return done == STEP_DONE ? node_done(run, "command succeed") : done;
}

/* What performs cluster_mgr's jobs and looks after its shards: the control of
 * the machine's number in a onebox, on an installed host whatever there is. */
static enum step_answer
restart_cluster_mgr(struct job_run *run)
{
    const struct machine *m = run->ctx;
    const char *dot = strrchr(m->address, '.');
    char why[WHY_BYTES] = "";
    enum err e = ERR_NOT_FOUND;

    if (dot != NULL)
        e = service_restart(arena_printf(run->arena, "control-m%s", dot + 1),
                            why);
    if (e == ERR_NOT_FOUND)
        e = service_restart("control-", why);
    return e == ERR_OK ? node_done(run, "command succeed")
                       : node_failed(run, e, SENTENCE, why);
}

#define QUEUED(X, s)                       \
    X(s, STR, job_type, "job_type", IN, -) \
    X(s, STR, cmd, "cmd", IN, -)
STRUCT(queued, QUEUED);
TABLE(queued, QUEUED);

static enum step_answer
perform(struct job_run *run)
{
    struct queued in;
    unsigned port;
    size_t line;

    if (!node_args(run, &queued_rec, &in))
        return STEP_FAILED;
    if (HAS(&in, queued, cmd) && is_cluster_line(in.job_type, in.cmd))
        return restart_cluster_mgr(run);
    if (!HAS(&in, queued, cmd) ||
        !understand(in.job_type, in.cmd, &line, &port)) {
        job_fails(run, "command not allowed");
        return STEP_FAILED;
    }
    return lines[line].order == ORDER_END ? end_it(run, port)
                                          : start_it(run, port);
}

static const struct job_step steps[] = { { "command working", perform, NULL } };

NODE_JOB(node_command_kind, command, steps, .forward_only = true);
