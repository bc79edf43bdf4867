/* An instance of a deployment whose supervise is stopped meanwhile: made as a
 * job of node_mgr would, and left running with nobody to own it.
 *
 * usage: instance_shell RUN_DIR NET ROOT PORT     prints its process id
 *
 * What fails says why on stderr and exits 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arena.h"
#include "config.h"
#include "instance.h"
#include "keeper/keeper_run.h"
#include "my.h"

#define WAIT_MS 120000

static enum err
make(struct keeper *k, struct arena *a, const struct instance_spec *s,
     char why[WHY_BYTES])
{
    unsigned port = (unsigned)s->port;
    struct list_of_kept all;
    enum err e = instance_install(a, s, why);

    if (e == ERR_OK)
        e = keeper_add(k, s, 1);
    if (e == ERR_OK)
        e = keeper_tell(k, port, ORDER_START, 1);
    if (e == ERR_OK)
        e = keeper_await(k, port, KEPT_RUNNING, WAIT_MS, why);
    if (e == ERR_OK)
        e = instance_settle(a, s, WAIT_MS, why);
    if (e == ERR_OK)
        e = keeper_release(k, port, 1);
    if (e == ERR_OK)
        e = keeper_list(k, a, &all);
    if (e == ERR_OK)
        printf("%d\n", all.v[0].pid);
    return e;
}

static enum err
run(struct arena *a, const char *net, const char *root, int port,
    char why[WHY_BYTES])
{
    const char *machine = arena_printf(a, "%s.1", net);
    const struct keeper_config cfg = { .machine = machine };
    struct instance_spec s = {
        .driver = "mariadb",
        .kind = INSTANCE_STORAGE,
        .address = machine,
        .port = port,
        .data_root = root,
        .log_root = root,
        .wal_root = root,
        .memory_bytes = (int64_t)16 << 20,
        .max_connections = 50,
        .server_id = 1,
        .cluster = "c1",
        .shard = "s1",
        .admin_user = "clustmgr",
        .repl_user = "repl",
        .client_user = "pgx",
    };
    struct keeper *k;
    enum err e = machine != NULL ? instance_secrets(a, &s) : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    k = keeper_start(&cfg);
    if (k == NULL)
        return why_fail(why, ERR_INTERNAL, "no keeper");
    e = make(k, a, &s, why);
    if (!keeper_stop(k, WAIT_MS))
        exit(EXIT_FAILURE);
    return e;
}

int
main(int argc, char **argv)
{
    char why[WHY_BYTES] = "";
    struct arena *a = arena_new(64 << 20);
    enum err e = ERR_BAD_PARAM;

    (void)umask(027);
    if (argc == 5 && a != NULL && config_load(NULL, why) == ERR_OK &&
        my_library_begin() == ERR_OK) {
        config_place(argv[1], argv[2]);
        e = run(a, argv[2], argv[3], atoi(argv[4]), why);
        my_library_end();
    }
    arena_free(a);
    if (e != ERR_OK)
        (void)fprintf(stderr, "%s: %s\n", err_name(e), why);
    return e == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
