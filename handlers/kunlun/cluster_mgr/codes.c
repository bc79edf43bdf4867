/* The codes that answers in paras have for what flat ones say in words: those
 * of KunlunBase, as far as they are known; of other failures of a kind of job
 * the last one of its range. */
#include <string.h>

#include "cluster_mgr.h"

#define OTHER "70001"

static const struct {
    const char *type, *text;  /* what the sentence begins with */
    const char *code, *by_id; /* when the cluster was named by its id */
} codes[] = {
    { "create_machine", SAYS_MACHINE_IS_THERE, "70062", NULL },
    { "update_machine", SAYS_NO_MACHINE, "70066", NULL },
    { "delete_machine", SAYS_MACHINE_IN_USE, "70064", NULL },
    { "create_cluster", SAYS_GET("ha_mode"), "70070", NULL },
    { "create_cluster", SAYS_HA_MODE, "70071", NULL },
    { "create_cluster", SAYS_GET("shards"), "70072", NULL },
    { "create_cluster", SAYS_RANGE("shards"), "70073", NULL },
    { "create_cluster", SAYS_GET("nodes"), "70074", NULL },
    { "create_cluster", SAYS_NODES, "70075", NULL },
    { "create_cluster", SAYS_GET("comps"), "70076", NULL },
    { "create_cluster", SAYS_RANGE("comps"), "70077", NULL },
    { "create_cluster", SAYS_GET("innodb_size"), "70081", NULL },
    { "create_cluster", SAYS_RANGE("innodb_size"), "70082", NULL },
    { "delete_cluster", SAYS_GET("cluster_name"), "70096", NULL },
    { "delete_cluster", SAYS_NO_CLUSTER, "70097", "70098" },
    { "delete_shard", SAYS_LAST_SHARD, "70174", NULL },
    { "delete_node", SAYS_PRIMARY, "70172", NULL },
    { NULL, SAYS_RESTART, "70106", NULL },
};

/* ... of which only is known how far they go: clusters made 70070 to 70094,
 * deleted 70095 to 70105, computing nodes added 70107 to 70117, shards 70118 to
 * 70130, computing nodes deleted 70131 to 70137, shards 70138 to 70144, nodes
 * added 70153 to 70166, deleted 70167 to 70180. */
static const struct {
    const char *type, *last;
} ranges[] = {
    { "create_cluster", "70094" }, { "delete_cluster", "70105" },
    { "add_comps", "70117" },      { "add_shards", "70130" },
    { "delete_comp", "70137" },    { "delete_shard", "70144" },
    { "add_nodes", "70166" },      { "delete_node", "70180" },
};

static bool
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* "127.0.0.7 is error": a path would begin with a slash. */
static bool
names_machine(const char *text)
{
    const char *blank = strchr(text, ' ');

    return text[0] != '/' && blank != NULL && strcmp(blank, " is error") == 0;
}

const char *
cluster_code(const char *type, const char *text, bool by_id)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        if ((codes[i].type != NULL && strcmp(codes[i].type, type) != 0) ||
            !begins(text, codes[i].text))
            continue;
        return by_id && codes[i].by_id != NULL ? codes[i].by_id : codes[i].code;
    }
    if (names_machine(text))
        return "70003";
    for (size_t i = 0; i < COUNT(ranges); i++)
        if (strcmp(ranges[i].type, type) == 0)
            return ranges[i].last;
    return OTHER;
}
