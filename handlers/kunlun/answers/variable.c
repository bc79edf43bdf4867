/* get_variable asks the server itself; set_variable is its machine's to do,
 * which also writes it down for later starts. */
#include "variable.h"

#include <string.h>
#include <time.h>

#include "address.h"
#include "clock.h"
#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "keeper.h"
#include "kunlun/node_mgr/jobs.h"
#include "my.h"
#include "pg.h"
#include "store.h"

#define ASK_MS     3000
#define LEFT_MS    500 /* of a request's time, to answer */
#define LOOK_NS    30000000L
#define NAME_BYTES 128

TABLE(cluster_variable, CLUSTER_VARIABLE);
TABLE_OF(cluster_variable_paras, cluster_variable, CLUSTER_VARIABLE_PARAS);
TABLE(cluster_setting, CLUSTER_SETTING);
TABLE_OF(cluster_setting_paras, cluster_setting, CLUSTER_SETTING_PARAS);
TABLE(cluster_value, CLUSTER_VALUE);

CHECKS(cluster_variable, NEED(variable, CLUSTER_GET_VARIABLE),
       NEED(ip, CLUSTER_GET_IP), PRESENT(port, CLUSTER_GET_PORT));
CHECKS(cluster_variable_paras, NEED(variable, CLUSTER_GET_VARIABLE),
       NEED(hostaddr, CLUSTER_GET_HOSTADDR), PRESENT(port, CLUSTER_GET_PORT));
CHECKS(cluster_setting, NEED(variable, CLUSTER_GET_VARIABLE),
       ANY_OF(value_int, value_str, CLUSTER_GET_VALUE),
       NEED(ip, CLUSTER_GET_IP), PRESENT(port, CLUSTER_GET_PORT));
CHECKS(cluster_setting_paras, NEED(variable, CLUSTER_GET_VARIABLE),
       PRESENT(value, CLUSTER_GET_VALUE), NEED(hostaddr, CLUSTER_GET_HOSTADDR),
       PRESENT(port, CLUSTER_GET_PORT));

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS  "0123456789"

/* It stands in a statement as it is. */
static bool
is_name(const char *s)
{
    size_t n = strlen(s);

    return n > 0 && n <= NAME_BYTES && strchr(LETTERS, s[0]) != NULL &&
           strspn(s, LETTERS DIGITS ".") == n;
}

/* -?[0-9]+ or a word like ON. */
static bool
is_int(const char *s)
{
    const char *digits = s + (*s == '-');

    return *digits != '\0' && (digits[strspn(digits, DIGITS)] == '\0' ||
                               s[strspn(s, LETTERS)] == '\0');
}

/* ---- reading ---- */

static enum err
ask_storage(struct req *r, const struct cluster_at *at, const char *name,
            const char **value)
{
    struct my_server server = {
        .user = at->user,
        .password = at->secret,
        .connect_timeout_s = ASK_MS / 1000,
        .read_timeout_s = ASK_MS / 1000,
    };
    const char *sql = arena_printf(r->arena, "SELECT @@%s", name);
    struct my *my = my_open();
    struct my_table t;
    enum err e = my != NULL && sql != NULL ? ERR_OK : ERR_NOMEM;

    if (e == ERR_OK)
        e = my_address_of(at->machine, at->port, &server.at);
    if (e == ERR_OK)
        e = my_connect(my, &server, clock_mono_ms() + ASK_MS);
    if (e == ERR_OK)
        e = my_query(my, r->arena, sql, 1, &t);
    if (e == ERR_OK && (t.n != 1 || t.n_columns != 1))
        e = ERR_NOT_FOUND;
    if (e == ERR_OK)
        *value = t.cell[0].p != NULL
                     ? arena_strndup(r->arena, t.cell[0].p, t.cell[0].n)
                     : "";
    my_close(my);
    return e;
}

static enum err
ask_computer(struct req *r, const struct cluster_at *at, const char *name,
             const char **value)
{
    static const char sql[] = "SELECT current_setting($1)";
    const struct pg_server server = { at->machine, (unsigned)at->port, at->user,
                                      at->secret, "postgres" };
    int64_t until = clock_mono_ms() + ASK_MS;
    char why[WHY_BYTES];
    struct pg_table t;
    struct pg *pg;
    enum err e = pg_connect(&server, until, &pg, why);

    if (e != ERR_OK)
        return e;
    e = pg_query(pg, r->arena, sql, &name, 1, 1, &t, until, why);
    if (e == ERR_OK && t.n != 1)
        e = ERR_NOT_FOUND;
    if (e == ERR_OK)
        *value = t.cell[0].p != NULL
                     ? arena_strndup(r->arena, t.cell[0].p, t.cell[0].n)
                     : "";
    pg_close(pg);
    return e;
}

/* The metadata is asked over the connection that we have to it. */
static enum err
ask_meta(struct req *r, const char *ip, int32_t port, const char *name,
         const char **value)
{
    enum err e = cluster_store_is_meta(r->db, ip, port);

    return e == ERR_OK ? cluster_store_variable(r->db, r->arena, name, value)
                       : e;
}

static enum err
ask(struct req *r, const struct cluster_variable *in, const char **value)
{
    struct cluster_at at;
    enum err e;

    if (!is_name(in->variable))
        return ERR_NOT_FOUND;
    e = cluster_store_at(r->db, r->arena, in->ip, in->port, &at);
    if (e == ERR_NOT_FOUND)
        return ask_meta(r, in->ip, in->port, in->variable, value);
    if (e != ERR_OK)
        return e;
    return strcmp(at.kind, "storage") == 0
               ? ask_storage(r, &at, in->variable, value)
               : ask_computer(r, &at, in->variable, value);
}

static enum err
send_value(struct req *r, const char *result, const char *value)
{
    struct cluster_value *out = arena_alloc(r->arena, sizeof(*out));

    if (out == NULL)
        return ERR_NOMEM;
    *out = (struct cluster_value){ 0 };
    PUT(out, cluster_value, result, result);
    if (value != NULL)
        PUT(out, cluster_value, value, value);
    return req_send(r, &cluster_value_rec, out);
}

enum err
cluster_variable_get(struct req *r, const struct cluster_variable *in)
{
    const char *value = NULL;
    enum err e = req_check(r, in);

    if (e != ERR_OK)
        return e;
    e = ask(r, in, &value);
    if (e == ERR_OK)
        return value != NULL ? send_value(r, "true", value) : ERR_NOMEM;
    if (e == ERR_STORE || e == ERR_NOMEM)
        return e;
    if (cluster_in_paras(r))
        return req_fail(r, CLUSTER_NO_VARIABLE, ARGS());
    return send_value(r, "false", "");
}

/* ---- setting ---- */

static enum err
refuse(struct req *r)
{
    if (cluster_in_paras(r))
        return req_fail(r, CLUSTER_NOT_SET, ARGS());
    return send_value(r, "false", NULL);
}

/* A machine that does not come to it in time does not do it later. */
static enum err
give_up(struct req *r, uint64_t id)
{
    enum err e = db_begin(r->db);

    if (e == ERR_OK)
        e = db_end(r->db, job_cancel(r->db, id));
    return e == ERR_OK || e == ERR_STATE ? refuse(r) : e;
}

static enum err
await(struct req *r, void *ctx)
{
    const struct timespec pause = { 0, LOOK_NS };
    const uint64_t *id = ctx;
    struct job job;
    enum err e;

    for (;;) {
        e = job_get(r->db, r->arena, *id, &job);
        if (e != ERR_OK)
            return e;
        if (job.state == JOB_DONE)
            return send_value(r, "true", NULL);
        if (job.state > JOB_DONE)
            return refuse(r);
        if (clock_mono_ms() > r->deadline_ms - LEFT_MS)
            return give_up(r, *id);
        (void)nanosleep(&pause, NULL);
    }
}

static enum err
accept(struct req *r, const struct cluster_at *at, const char *name,
       const char *value)
{
    char address[ADDRESS_BYTES];
    struct node_variable args = { 0 };
    struct job_new n = {
        .kind = &node_variable_kind,
        .machine = at->machine,
        .locks = kunlun_port_lock(r->arena, at->machine, at->port),
    };
    uint64_t *id = arena_alloc(r->arena, sizeof(*id));
    enum err e;

    PUT(&args, node_variable, port, at->port);
    PUT(&args, node_variable, variable, name);
    PUT(&args, node_variable, value, value);
    e = job_new_args(r->arena, &n, &node_variable_rec, &args);
    if (e != ERR_OK || id == NULL || n.locks == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    n.token_name = r->token_name;
    n.trace = &r->trace;
    e = job_accept(r->db, r->arena, &n, id);
    if (e != ERR_OK)
        return e;
    req_audit(r,
              arena_printf(r->arena, "variable %s of %s", name,
                           address_print(at->machine, at->port, address,
                                         sizeof(address))),
              NULL, n.shown);
    req_wake(r);
    req_then(r, await, id);
    return req_ok(r);
}

static const char *
value_of(const struct req *r, const struct cluster_setting *in)
{
    bool is_number = HAS(in, cluster_setting, value_int);
    const char *v = is_number ? in->value_int : in->value_str;

    if (cluster_in_paras(r))
        is_number =
            HAS(in, cluster_setting, type) && strncmp(in->type, "int", 3) == 0;
    return is_number && !is_int(v) ? NULL : v;
}

enum err
cluster_variable_set(struct req *r, const struct cluster_setting *in)
{
    struct cluster_at at;
    const char *value;
    enum err e = req_check(r, in);

    if (e != ERR_OK)
        return e;
    value = value_of(r, in);
    if (value == NULL || !is_name(in->variable))
        return refuse(r);
    e = cluster_store_at(r->db, r->arena, in->ip, in->port, &at);
    if (e == ERR_NOT_FOUND)
        return refuse(r);
    return e == ERR_OK ? accept(r, &at, in->variable, value) : e;
}
