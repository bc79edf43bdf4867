/* /metrics in the JSON of Pegasus, which its collectors and admin clients
 * parse: entities with their metrics, filtered as they ask. Prometheus, which
 * says by Accept that it wants text, gets that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "describe.h"
#include "list.h"
#include "metrics.h"
#include "pegasus/core/state.h"
#include "pegasus/node/cluster.h"
#include "pegasus/node/metas.h"
#include "pegasus/node/node.h"
#include "pegasus/partition/partition.h"
#include "pegasus/pegasus.h"
#include "pegasus/settings.h"
#include "pegasus/table/table.h"
#include "process.h"
#include "server.h"

TABLE(pegasus_metrics_ref, PEGASUS_METRICS_REF);
NO_CHECKS(pegasus_metrics_ref);

#define METRICS_MAX ((size_t)16 << 20)

/* Numbers are numbers here, unlike everywhere else. */

/* ---- what is printed ---- */

struct printer {
    struct json_writer w;
    const struct pegasus_metrics_ref *asked;
    bool brief; /* names and values only */
    /* of the entity that is next: opened by its first metric */
    const char *type, *id, *attribute, *value;
    bool matches, open;
};

/* Whether the word stands in a comma-separated list; nothing asked: all. */
static bool
is_asked(const char *list, const char *word)
{
    return str_empty(list) ||
           list_has(list, (struct span){ word, strlen(word) });
}

static bool
is_word(struct span s, const char *word)
{
    return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

/* "name,value,…": one of the pairs fits. */
static bool
fits_attributes(const char *list, const char *name, const char *value)
{
    struct span n, v;

    if (str_empty(list))
        return true;
    while (list_next(&list, &n) && list_next(&list, &v))
        if (name != NULL && is_word(n, name) && is_word(v, value))
            return true;
    return false;
}

static void
entity(struct printer *p, const char *type, const char *id, const char *name,
       const char *value)
{
    p->type = type;
    p->id = id;
    p->attribute = name;
    p->value = value;
    p->matches = is_asked(p->asked->types, type) &&
                 is_asked(p->asked->ids, id) &&
                 fits_attributes(p->asked->attributes, name, value);
    p->open = false;
}

static void
entity_end(struct printer *p)
{
    if (!p->open)
        return;
    jw_array_end(&p->w);
    jw_object_end(&p->w);
}

static void
text(struct printer *p, const char *key, const char *value)
{
    jw_key_str(&p->w, key, value);
}

static void
entity_open(struct printer *p)
{
    p->open = true;
    jw_object(&p->w);
    text(p, "type", p->type);
    text(p, "id", p->id);
    jw_key(&p->w, "attributes");
    jw_object(&p->w);
    if (p->attribute != NULL)
        text(p, p->attribute, p->value);
    jw_object_end(&p->w);
    jw_key(&p->w, "metrics");
    jw_array(&p->w);
}

static bool
has_field(const struct printer *p, const char *field)
{
    if (p->brief)
        return strcmp(field, "name") == 0 || strcmp(field, "value") == 0;
    return is_asked(p->asked->fields, field);
}

static void
metric(struct printer *p, bool gauge, const char *name, const char *unit,
       const char *about, int64_t value)
{
    const struct {
        const char *key, *value;
    } words[] = { { "type", gauge ? "Gauge" : "Counter" },
                  { "name", name },
                  { "unit", unit },
                  { "desc", about } };

    if (!p->matches || !is_asked(p->asked->metrics, name))
        return;
    if (!p->open)
        entity_open(p);
    jw_object(&p->w);
    for (size_t i = 0; i < COUNT(words); i++)
        if (has_field(p, words[i].key))
            text(p, words[i].key, words[i].value);
    if (has_field(p, "value")) {
        jw_key(&p->w, "value");
        jw_i64(&p->w, value);
    }
    jw_object_end(&p->w);
}

/* ---- the server ---- */

/* Of the process that answers. */
static void
put_memory(struct printer *p)
{
    int64_t all, resident;

    process_memory(&all, &resident);
    metric(p, true, "virtual_mem_usage_mb", "megabytes",
           "The total amount of virtual memory usage in MB", all >> 20);
    metric(p, true, "resident_mem_usage_mb", "megabytes",
           "The total amount of physical memory usage in MB", resident >> 20);
}

static enum err
put_nodes(struct req *r, struct printer *p)
{
    struct list_of_pegasus_node nodes;
    int64_t alive = 0;
    enum err e = pegasus_store_nodes(r->db, r->arena, &nodes);

    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < nodes.n; i++)
        alive += nodes.v[i].alive ? 1 : 0;
    metric(p, true, "unalive_replica_servers", "servers",
           "The number of unalive replica servers", (int64_t)nodes.n - alive);
    metric(p, true, "alive_replica_servers", "servers",
           "The number of alive replica servers", alive);
    return ERR_OK;
}

static enum err
put_replicas(struct req *r, struct printer *p, const char *address)
{
    struct rows rows;
    const void *row;
    int64_t n = 0;
    enum err e = pegasus_store_of_node(r->db, r->arena, address, &rows);

    while (e == ERR_OK) {
        e = rows.next(&rows, r->arena, &row);
        n += e == ERR_OK ? 1 : 0;
    }
    metric(p, true, "total_replicas", "replicas",
           "The total number of replicas", n);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
put_server(struct req *r, struct printer *p, bool meta, const char *address)
{
    enum err e = ERR_OK;

    entity(p, "server", "server", NULL, NULL);
    if (!p->matches)
        return ERR_OK;
    put_memory(p);
    for (size_t m = 0; m < METRIC__MAX; m++)
        if (metric_words[m].per == 0)
            metric(p, metric_words[m].gauge, metric_words[m].name, "events",
                   metric_words[m].help, metrics_value((enum metric)m));
    if (meta)
        e = put_nodes(r, p);
    else if (is_asked(p->asked->metrics, "total_replicas"))
        e = put_replicas(r, p, address);
    entity_end(p);
    return e;
}

/* ---- tables: their leader tells of them ---- */

struct partitions {
    int32_t app_id;
    int64_t dead, unreadable, unwritable, ill, healthy;
};

static void
put_table(struct printer *p, const struct partitions *n)
{
    char id[32], number[16];

    (void)snprintf(number, sizeof(number), "%d", n->app_id);
    (void)snprintf(id, sizeof(id), "table_%s", number);
    entity(p, "table", id, "table_id", number);
    metric(p, true, "dead_partitions", "partitions",
           "The number of dead partitions, which means primary = 0 && "
           "secondary = 0",
           n->dead);
    metric(p, true, "unreadable_partitions", "partitions",
           "The number of unreadable partitions, which means primary = 0 && "
           "secondary > 0",
           n->unreadable);
    metric(p, true, "unwritable_partitions", "partitions",
           "The number of unwritable partitions, which means primary = 1 && "
           "primary + secondary < mutation_2pc_min_replica_count",
           n->unwritable);
    metric(p, true, "writable_ill_partitions", "partitions",
           "The number of writable ill partitions, which means primary = 1 && "
           "primary + secondary >= mutation_2pc_min_replica_count && "
           "primary + secondary < max_replica_count",
           n->ill);
    metric(p, true, "healthy_partitions", "partitions",
           "The number of healthy partitions, which means primary = 1 && "
           "primary + secondary >= max_replica_count",
           n->healthy);
    entity_end(p);
}

static void
count(struct partitions *n, const struct pegasus_alike *row)
{
    int configured = (int)pegasus_settings()->mutation_2pc_min_replica_count;
    int min = pg_health_min_2pc(configured, row->max_replica_count);

    if (!row->has_primary)
        *(row->members == 0 ? &n->dead : &n->unreadable) += row->n;
    else if (row->members < min)
        n->unwritable += row->n;
    else if (row->members < row->max_replica_count)
        n->ill += row->n;
    else
        n->healthy += row->n;
}

static enum err
put_tables(struct req *r, struct printer *p)
{
    struct partitions n = { .app_id = 0 };
    struct pegasus_cluster_row c;
    struct pegasus_leader l;
    struct rows rows;
    const void *row;
    enum err e = pegasus_store_leader(r->db, r->arena, &l);

    if (e != ERR_OK || !l.held || strcmp(l.owner, r->listener_tail) != 0 ||
        !is_asked(p->asked->types, "table"))
        return e;
    e = pegasus_store_cluster(r->db, r->arena, &c);
    if (e == ERR_OK)
        e = pegasus_store_alike(r->db, r->arena, c.counted, &rows);
    while (e == ERR_OK) {
        const struct pegasus_alike *alike;

        e = rows.next(&rows, r->arena, &row);
        if (e != ERR_OK)
            break;
        alike = row;
        if (alike->app_id != n.app_id && n.app_id != 0)
            put_table(p, &n);
        if (alike->app_id != n.app_id)
            n = (struct partitions){ .app_id = alike->app_id };
        count(&n, alike);
    }
    if (n.app_id != 0)
        put_table(p, &n);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- the reply ---- */

static enum err
refuse(struct req *r, const char *why)
{
    struct buf b = BUF_INIT(65536);
    struct json_writer w;
    const char *body;

    jw_init(&w, &b, &json_compact);
    jw_object(&w);
    jw_key_str(&w, "error_message", why);
    jw_object_end(&w);
    body = arena_strndup(r->arena, buf_text(&b), b.n);
    buf_free(&b);
    return body == NULL
               ? ERR_NOMEM
               : req_fail(r, PEGASUS_METRICS_BAD, ARGS(arg("why", body)));
}

static enum err
check(struct req *r, const struct pegasus_metrics_ref *in)
{
    static const char *const known[] = {
        "with_metric_fields", "types", "ids", "attributes", "metrics", "detail"
    };
    size_t commas = 0;

    if (strcmp(r->method, "POST") == 0)
        return refuse(r, "please use 'GET' method while querying for metrics");
    for (size_t i = 0; i < r->n_query; i++) {
        size_t k = 0;

        while (k < COUNT(known) && strcmp(known[k], r->query[i].key) != 0)
            k++;
        if (k == COUNT(known)) {
            const char *why = arena_printf(r->arena, "unknown field %s=%s",
                                           r->query[i].key, r->query[i].value);

            return why == NULL ? ERR_NOMEM : refuse(r, why);
        }
    }
    for (const char *p = in->attributes; p != NULL && *p != '\0'; p++)
        commas += *p == ',' ? 1 : 0;
    if (!str_empty(in->attributes) && commas % 2 == 0)
        return refuse(r, "the number of arguments for attributes should be "
                         "even, since each attribute name always pairs with a "
                         "value");
    if (in->detail != NULL && strcasecmp(in->detail, "true") != 0 &&
        strcasecmp(in->detail, "false") != 0)
        return refuse(r, "the value of detail should be a boolean value, i.e. "
                         "true or false");
    return ERR_OK;
}

/* The name under which its clients know the cluster: the last parts of
 * /pegasus/<name>. */
static const char *
cluster_name(struct req *r)
{
    const char *root = pegasus_cluster_root(r->arena);
    static const char above[] = "/pegasus/";

    if (root == NULL)
        return "";
    if (strncmp(root, above, sizeof(above) - 1) == 0)
        return root + sizeof(above) - 1;
    return root + strspn(root, "/");
}

static enum err
put_all(struct req *r, struct printer *p)
{
    bool meta = r->listener_tail[0] == 'm';
    const char *address =
        meta ? pegasus_meta_address(
                   r->arena, (size_t)pegasus_meta_index(r->listener_tail))
             : pegasus_replica_address(r->arena, r->listener_tail);
    char host[PG_ADDRESS_BYTES];
    unsigned port;
    struct timespec now;
    enum err e;

    if (address == NULL || address_read(address, strlen(address), 0, host,
                                        sizeof(host), &port) != ERR_OK)
        return ERR_INTERNAL;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    jw_object(&p->w);
    text(p, "cluster", cluster_name(r));
    text(p, "role", meta ? "meta" : "replica");
    jw_key_str(&p->w, "host", host);
    jw_key(&p->w, "port");
    jw_i64(&p->w, port);
    jw_key(&p->w, "timestamp_ns");
    jw_i64(&p->w, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    jw_key(&p->w, "entities");
    jw_array(&p->w);
    e = put_server(r, p, meta, address);
    if (e == ERR_OK && meta)
        e = put_tables(r, p);
    jw_array_end(&p->w);
    jw_object_end(&p->w);
    return e;
}

static bool
wants_text(const struct req *r)
{
    const char *accept = req_header(r, "HTTP_ACCEPT");

    return accept != NULL && (strstr(accept, "text/plain") != NULL ||
                              strstr(accept, "openmetrics") != NULL);
}

enum err
pegasus_metrics_get(struct req *r, const struct pegasus_metrics_ref *in)
{
    bool prometheus = wants_text(r);
    struct buf b = BUF_INIT(METRICS_MAX);
    struct printer p = { .asked = in };
    const char *type = prometheus ? METRICS_TYPE : pegasus_form.reply_type;
    const char *body;
    enum err e = prometheus ? ERR_OK : check(r, in);
    size_t n;

    if (e != ERR_OK)
        return e;
    p.brief = in->fields == NULL &&
              (in->detail == NULL || strcasecmp(in->detail, "true") != 0);
    jw_init(&p.w, &b, &json_compact);
    if (prometheus)
        metrics_text(&b);
    else
        e = put_all(r, &p);
    n = b.n;
    if (e == ERR_OK)
        e = buf_err(&b);
    body = e == ERR_OK ? arena_strndup(r->arena, buf_text(&b), n) : NULL;
    buf_free(&b);
    if (e != ERR_OK)
        return e;
    return body == NULL ? ERR_NOMEM : req_send_text(r, type, body, n);
}
