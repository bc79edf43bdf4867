/* The codes that answers in paras have for what flat ones say in words: those
 * of KunlunBase, as far as they are known. */
#include <string.h>

#include "cluster_mgr.h"

#define OTHER "70001"

static const struct {
    const char *type, *text;  /* what the sentence begins with */
    const char *code, *by_id; /* when the cluster was named by its id */
} codes[] = {
    { "create_machine", "error, machine_hostaddr is exist", "70062", NULL },
    { "update_machine", "error, machine_hostaddr is no exist", "70066", NULL },
    { "delete_machine", "error, machine has instances", "70064", NULL },
    { "create_cluster", "get ha_mode error", "70070", NULL },
    { "create_cluster", "it is not support", "70071", NULL },
    { "create_cluster", "get shards error", "70072", NULL },
    { "create_cluster", "shards error", "70073", NULL },
    { "create_cluster", "get nodes error", "70074", NULL },
    { "create_cluster", "error, nodes", "70075", NULL },
    { "create_cluster", "get comps error", "70076", NULL },
    { "create_cluster", "comps error", "70077", NULL },
    { "create_cluster", "get innodb_size error", "70081", NULL },
    { "create_cluster", "innodb_size error", "70082", NULL },
    { "delete_cluster", "get cluster_name error", "70096", NULL },
    { "delete_cluster", "error, cluster_name is no exist", "70097", "70098" },
    { "delete_shard", "error, shard <= 1", "70174", NULL },
    { "delete_node", "error, node is the primary", "70172", NULL },
    { NULL, "roll back by restart", "70106", NULL },
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
    return names_machine(text) ? "70003" : OTHER;
}
