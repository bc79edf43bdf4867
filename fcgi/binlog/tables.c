/* Tables by their number, which a statement gives anew each time: as a rule it
 * is the table of the last time, in the same bytes. */
#include "table.h"

#include <stdlib.h>

static struct table_entry **
bucket_of(struct table_cache *c, uint64_t id)
{
    return &c->bucket[id % TABLE_BUCKETS];
}

static void
drop(struct table_cache *c, struct table_entry **at)
{
    struct table_entry *e = *at;

    *at = e->next;
    binlog_table_let_go(e->table);
    free(e);
    c->n--;
}

struct table_entry *
table_find(const struct table_cache *c, uint64_t id)
{
    struct table_entry *e = c->bucket[id % TABLE_BUCKETS];

    while (e != NULL && e->id != id)
        e = e->next;
    return e != NULL && e->scope == c->scope ? e : NULL;
}

struct table_entry *
table_again(struct table_cache *c, uint64_t id, struct cursor map)
{
    struct table_entry **at = bucket_of(c, id);

    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next;
    if (*at == NULL)
        return NULL;
    if ((*at)->n != cursor_left(&map) ||
        memcmp((*at)->map, map.p, (*at)->n) != 0) {
        drop(c, at); /* altered, or another table after a restart */
        return NULL;
    }
    (*at)->scope = c->scope;
    (*at)->used = ++c->tick;
    return *at;
}

/* Makes room: what was not used for longest goes, but nothing of the present
 * statement. */
static void
drop_oldest(struct table_cache *c)
{
    struct table_entry **oldest = NULL;

    for (size_t i = 0; i < TABLE_BUCKETS; i++)
        for (struct table_entry **at = &c->bucket[i]; *at != NULL;
             at = &(*at)->next)
            if ((*at)->scope != c->scope &&
                (oldest == NULL || (*at)->used < (*oldest)->used))
                oldest = at;
    if (oldest != NULL)
        drop(c, oldest);
}

enum err
table_keep(struct table_cache *c, uint64_t id, struct cursor map,
           struct binlog_table *t)
{
    size_t n = cursor_left(&map);
    struct table_entry *e = malloc(sizeof(*e) + n);

    if (e != NULL && c->n >= c->max)
        drop_oldest(c);
    if (e == NULL || c->n >= c->max) { /* one statement has them all */
        binlog_table_let_go(t);
        free(e);
        return e == NULL ? ERR_NOMEM : ERR_LIMIT;
    }
    *e = (struct table_entry){ .next = *bucket_of(c, id),
                               .id = id,
                               .scope = c->scope,
                               .used = ++c->tick,
                               .table = t,
                               .n = n };
    memcpy(e->map, map.p, n);
    *bucket_of(c, id) = e;
    c->n++;
    return ERR_OK;
}

void
table_scope_end(struct table_cache *c)
{
    c->scope++;
}

void
table_forget_all(struct table_cache *c)
{
    for (size_t i = 0; i < TABLE_BUCKETS; i++)
        while (c->bucket[i] != NULL)
            drop(c, &c->bucket[i]);
    c->scope++;
}
