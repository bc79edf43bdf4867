/* delete: a table, or binlogs that nobody needs, for who can log in. */
#include <string.h>
#include <strings.h>

#include "address.h"
#include "jobs.h"
#include "kunlun/archive/store.h"
#include "my.h"
#include "node_mgr.h"
#include "store.h"

#define PURGE_MS 10000

static bool
is_system(const char *db)
{
    static const char *const names[] = { "mysql", "information_schema",
                                         "performance_schema", "sys" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(db, names[i]) == 0)
            return true;
    return false;
}

static bool
check_rest(struct job_run *run, const struct node_source *in)
{
    static const char *const type[] = { "file_type", NULL };
    static const char *const table[] = { "s_dbname", "s_table_name", NULL };

    if (!node_wants(run, &node_source_rec, in, type))
        return false;
    if (strcmp(in->file_type, "binlog") == 0)
        return true;
    if (strcmp(in->file_type, "table") != 0) {
        job_fails(run, "unsupported file_type error");
        return false;
    }
    if (!node_wants(run, &node_source_rec, in, table))
        return false;
    if (is_system(in->s_dbname)) {
        job_fails(run, "delete_db_table error: %s is the server's own",
                  in->s_dbname);
        return false;
    }
    return true;
}

static enum step_answer
check(struct job_run *run)
{
    struct instance_spec spec;
    struct node_source in;

    return node_source_read(run, &in, &spec, check_rest) ? STEP_DONE
                                                         : STEP_FAILED;
}

/* A table that is not there any more when the step is called again is what
 * the call before has done. */
static enum step_answer
drop_table(struct job_run *run, struct my *my, const struct node_source *in)
{
    const char *db = my_quote_name(run->arena, in->s_dbname);
    const char *table = my_quote_name(run->arena, in->s_table_name);
    const char *sql =
        db != NULL && table != NULL
            ? arena_printf(run->arena, "DROP TABLE %s.%s", db, table)
            : NULL;
    enum err e = sql != NULL ? my_do(my, sql) : ERR_NOMEM;

    if (e == ERR_OK || (my_failure(my)->code == 1051 && run->job->tries > 0))
        return node_done(run, "delete succeed");
    return node_failed(run, e == ERR_NOMEM ? e : ERR_STATE,
                       "delete_db_table error", my_failure(my)->text);
}

/* Up to where the binlogs are kept elsewhere, if they are: what is not yet is
 * left here. */
static enum err
archived(struct job_run *run, const struct instance_spec *spec,
         const char **out)
{
    struct archive at;
    enum err e = ERR_NOT_FOUND;

    *out = NULL;
    if (spec->cluster != NULL && spec->shard != NULL)
        e = archive_open_of(run->db, run->arena, spec->cluster, spec->shard,
                            &at);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    *out = at.after_seq == 0 ? ""
                             : arena_printf(run->arena, "%lld-%llu-%llu",
                                            (long long)at.domain,
                                            (unsigned long long)at.after_server,
                                            (unsigned long long)at.after_seq);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

/* Where the others of the shard are: what they have not read is kept. */
static enum err
positions(struct job_run *run, const struct instance_spec *spec,
          const char ***out, size_t *n, char why[WHY_BYTES])
{
    struct list_of_node_mate mates;
    char at[1024], where[ADDRESS_BYTES];
    const char *kept;
    enum err e = node_store_mates(run->db, run->arena, spec, &mates);

    *n = 0;
    if (e != ERR_OK)
        return e;
    *out = arena_array(run->arena, mates.n + 2, sizeof(**out));
    if (*out == NULL)
        return ERR_NOMEM;
    e = archived(run, spec, &kept);
    if (e != ERR_OK)
        return e;
    if (kept != NULL)
        (*out)[(*n)++] = kept;
    for (size_t i = 0; i < mates.n; i++) {
        const struct node_mate *m = &mates.v[i];
        struct node_source login = { .s_ip = m->machine,
                                     .s_port = m->port,
                                     .s_user = m->user,
                                     .s_pwd =
                                         HAS(m, node_mate, pwd) ? m->pwd : "" };
        struct my *my = node_login(run, &login);

        if (my == NULL || my_value_of(my, "SELECT @@gtid_slave_pos", at,
                                      sizeof(at)) != ERR_OK)
            return why_fail(
                why, ERR_PEER, "%s does not tell what it has",
                address_print(m->machine, m->port, where, sizeof(where)));
        (*out)[(*n)++] = arena_strdup(run->arena, at);
    }
    return ERR_OK;
}

/* The client has logged in; that its account may drop tables but purge no
 * binlogs is the server's business, whose keeper we are. */
static enum step_answer
purge(struct job_run *run, const struct instance_spec *spec)
{
    char why[WHY_BYTES] = "";
    const char **at, *kept;
    struct my *my = NULL;
    size_t n;
    enum err e = positions(run, spec, &at, &n, why);

    if (e == ERR_OK)
        e = instance_connect(spec, PURGE_MS, &my, why);
    if (e == ERR_OK)
        e = instance_purge(my, run->arena, at, n, &kept, why);
    if (my != NULL)
        my_close(my);
    return e == ERR_OK ? node_done(run, "delete succeed")
                       : node_failed(run, e, "delete binlog error", why);
}

static enum step_answer
perform(struct job_run *run)
{
    struct instance_spec spec;
    struct node_source in;
    struct my *my;

    if (!node_source_read(run, &in, &spec, check_rest) ||
        (my = node_login(run, &in)) == NULL)
        return STEP_FAILED;
    return strcmp(in.file_type, "binlog") == 0 ? purge(run, &spec)
                                               : drop_table(run, my, &in);
}

static const struct job_step steps[] = {
    { "delete start", check, NULL },
    { "delete working", perform, NULL },
};

NODE_JOB(node_delete_kind, delete, steps, .forward_only = true);
