/* A cluster as the leader knows it, written in a few words: "+" a node that
 * lives, "-" a dead one; "0 1 2" a partition with its primary first, "- 1 2"
 * one without. Every array has its exact size: a step too far is seen by the
 * sanitizer. Included once per program. */
#ifndef MG_TEST_CORE_FIXTURE_H
#define MG_TEST_CORE_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "pegasus/core/state.h"

#define FIX_PARTS 16

static struct pg_state fix;

/* Nodes alone; who lives has reported what it holds. Lively, no table. What
 * was there before is gone. */
static void
lay_out(const char *nodes)
{
    for (int a = 0; a < fix.n_apps; a++)
        free(fix.app[a].p);
    free(fix.app);
    free(fix.node);
    fix = (struct pg_state){
        .policy = { .grace_ms = 22000,
                    .stable_ms = 600000,
                    .min_2pc = 2,
                    .min_live_nodes = 1,
                    .min_live_percent = 10,
                    .assign_delay_ms = 60000,
                    .learners_per_node = 3,
                    .action_ms = 60000 },
        .level = PG_LIVELY,
        .n_nodes = (int)strlen(nodes),
    };
    fix.node = calloc((size_t)fix.n_nodes, sizeof(*fix.node));
    for (int i = 0; i < fix.n_nodes; i++)
        fix.node[i].alive = fix.node[i].collected = nodes[i] == '+';
}

/* The primary, or "-", then the secondaries. */
static struct pg_config
members(const char *text)
{
    struct pg_config c;

    pg_config_init(&c, 3);
    if (*text != '-')
        c.primary = *text - '0';
    for (text++; *text != '\0'; text += 2)
        c.secondary[c.n_secondaries++] = text[1] - '0';
    return c;
}

/* One more table, each partition as strong as it is now. */
static struct pg_app *
add_table(const char *const *partitions)
{
    struct pg_app *app;
    int n = 0;

    while (n < FIX_PARTS && partitions[n] != NULL)
        n++;
    fix.app = realloc(fix.app, (size_t)(fix.n_apps + 1) * sizeof(*fix.app));
    app = &fix.app[fix.n_apps++];
    *app = (struct pg_app){
        .id = fix.n_apps,
        .n = n,
        .p = calloc((size_t)n, sizeof(struct pg_partition)),
    };
    for (int i = 0; i < n; i++) {
        struct pg_config *c = &app->p[i].c;

        *c = members(partitions[i]);
        c->max_replica_count = pg_config_members(c);
    }
    return app;
}

#endif
