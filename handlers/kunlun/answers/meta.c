/* The servers of the metadata, of cluster_mgr, and the machines, kept as XPanel
 * and our getters read them. */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "config.h"
#include "listener.h"
#include "log.h"
#include "metrics.h"
#include "own_store.h"
#include "store_upkeep.h"
#include "upkeep.h"

#define ASK_MS 2000

/* The onebox's own has an address on machine 1, and a port where it is given
 * one; any other that is asked by its socket is on this host. */
static void
place_of(const struct db_host *h, struct cluster_meta_server *out)
{
    char host[ADDRESS_BYTES], at[ADDRESS_BYTES];
    unsigned port = 0;

    if (h->port != 0) {
        (void)snprintf(out->host, sizeof(out->host), "%s", h->name);
        out->port = h->port;
        return;
    }
    (void)snprintf(out->host, sizeof(out->host), "%s.1", config_net());
    if (own_store_address(at, sizeof(at)) &&
        address_read(at, strlen(at), 0, host, sizeof(host), &port) == ERR_OK)
        out->port = port;
}

/* One of those that can be written to is the source. */
static enum err
look_at_all(struct cluster_meta_server *v, size_t *n)
{
    bool source = false;
    struct db_host h;
    enum err e = ERR_OK;

    for (*n = 0; *n < CLUSTER_META_SERVERS; (*n)++) {
        struct cluster_meta_server *s = &v[*n];

        e = db_look_at(*n, ASK_MS, &h);
        if (e != ERR_OK)
            break;
        *s = (struct cluster_meta_server){ .state = NULL };
        place_of(&h, s);
        if (h.answers)
            s->state = h.writes && !source ? "source" : "replica";
        source = source || h.writes;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* One that listens on all addresses is reached by that of machine 1. */
static enum err
note_manager(struct db *db)
{
    char host[ADDRESS_BYTES];
    struct listening l;
    unsigned port;

    if (listener_named("cluster_mgr", 0, &l) != ERR_OK ||
        address_read(l.address, strlen(l.address), 0, host, sizeof(host),
                     &port) != ERR_OK)
        return ERR_OK; /* it is off */
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        (void)snprintf(host, sizeof(host), "%s.1", config_net());
    return cluster_store_manager(db, host, port);
}

/* For /metrics, told by whoever leads. */
static enum err
count_backups(struct duty_run *run)
{
    static char told; /* anything, so that we are asked to forget it */
    struct cluster_backups b = { 0 };
    enum err e = cluster_store_backups(run->db, run->arena, &b);

    if (e != ERR_OK)
        return e;
    run->memory = &told;
    metrics_set(METRIC_BACKUP_OLDEST, b.oldest_ms / 1000);
    metrics_set(METRIC_BACKUP_NONE, b.none);
    return ERR_OK;
}

void
cluster_meta_forget(void *memory)
{
    (void)memory;
    metrics_set(METRIC_BACKUP_OLDEST, 0);
    metrics_set(METRIC_BACKUP_NONE, 0);
}

enum turn
cluster_meta_step(struct duty_run *run)
{
    struct cluster_meta_server v[CLUSTER_META_SERVERS];
    size_t n;
    enum err e = look_at_all(v, &n);

    if (e != ERR_OK)
        return turn_of(e, false);
    e = lease_begin(run->db, run->lease);
    if (e == ERR_OK)
        e = cluster_store_meta_servers(run->db, run->arena, v, n,
                                       own_store() ? OWN_STORE_USER
                                                   : config()->mysql_user);
    if (e == ERR_OK)
        e = cluster_store_first_storage(run->db);
    if (e == ERR_OK)
        e = note_manager(run->db);
    if (e == ERR_OK)
        e = cluster_store_machine_states(run->db);
    e = db_end(run->db, e);
    if (e == ERR_OK)
        e = count_backups(run);
    if (e != ERR_OK && e != ERR_STATE)
        log_warn("cluster.meta err=%s errno=%u why=\"%s\"", err_name(e),
                 db_errno(run->db), db_error(run->db));
    return turn_of(e, false);
}

/* ---- machines ---- */

int64_t
cluster_beat_every_ms(void)
{
    return 1000;
}

enum turn
cluster_beat(struct upkeep_run *run)
{
    enum err e = cluster_store_beat(run->db, run->machine);

    if (e == ERR_OK)
        return TURN_IDLE;
    log_warn("cluster.beat machine=%s err=%s errno=%u", run->machine,
             err_name(e), db_errno(run->db));
    return TURN_FAILED;
}
