/* Who is who: the metas and replica servers of this deployment, by
 * configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "metas.h"
#include "pegasus/settings.h"
#include "listener.h"
#include "number.h"
#include "place.h"

/* The i-th element of a list; NULL past the end. */
static const char *
piece(struct arena *a, const char *list, size_t i)
{
    struct span s;

    while (config_list_next(&list, &s))
        if (i-- == 0)
            return s.n == 0 ? NULL : arena_strndup(a, s.p, s.n);
    return NULL;
}

/* Where the i-th listener of that name listens. */
static const char *
listener_address(struct arena *a, const char *name, size_t i)
{
    struct listening l;

    return listener_named(name, i, &l) == ERR_OK ? arena_strdup(a, l.address)
                                                 : NULL;
}

const char *
pegasus_meta_address(struct arena *a, size_t i)
{
    const char *list = pegasus_settings()->meta_servers;

    return !str_empty(list) ? piece(a, list, i)
                            : listener_address(a, "pegasus-meta", i);
}

static void
put_meta(struct buf *b, const char *address, size_t n)
{
    if (n > 0 && b->n > 0)
        buf_putc(b, ',');
    buf_put(b, address, n);
}

const char *
pegasus_meta_list(struct arena *a)
{
    const char *configured = pegasus_settings()->meta_servers, *list;
    struct buf b = BUF_INIT(65536);
    struct listening l;
    struct span s;
    enum err e;

    while (config_list_next(&configured, &s))
        put_meta(&b, s.p, s.n);
    for (size_t i = 0;
         str_empty(pegasus_settings()->meta_servers) &&
         (e = listener_named("pegasus-meta", i, &l)) != ERR_NOT_FOUND;
         i++)
        if (e == ERR_OK) /* else it is off */
            put_meta(&b, l.address, strlen(l.address));
    list = arena_strndup(a, buf_text(&b), b.n);
    buf_free(&b);
    return list;
}

const char *
pegasus_meta_url(struct req *r, size_t i)
{
    struct arena *a = r->arena;
    const char *url = piece(a, pegasus_settings()->advertise, i);
    const char *address;
    size_t n;

    if (url != NULL) {
        for (n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
            ;
        return arena_strndup(a, url, n);
    }
    address = pegasus_meta_address(a, i);
    if (address == NULL)
        return NULL;
    return arena_printf(a, "%s://%s", req_scheme(r), address);
}

bool
pegasus_may_lead(const char *id)
{
    struct listening l;
    enum err e;
    bool others = false;

    for (size_t i = 0;
         (e = listener_named("pegasus-meta", i, &l)) != ERR_NOT_FOUND; i++) {
        if (strcmp(l.row->tail, id) != 0)
            others = others || e == ERR_OK;
        else if (e == ERR_OK)
            return true;
    }
    return !others;
}

int
pegasus_meta_index(const char *id)
{
    int64_t n;

    return id[0] == 'm' && id[1] != '0' && number_read(id + 1, 1000, &n)
               ? (int)n - 1
               : -1;
}

const char *
pegasus_replica_address(struct arena *a, const char *tail)
{
    const char *address = NULL;
    int64_t k;

    if (tail[0] == 'r' && number_read(tail + 1, INT32_MAX, &k) && k > 0)
        address = listener_address(a, "pegasus-replica", (size_t)k - 1);
    return address != NULL ? address : arena_strdup(a, "");
}

const char *
pegasus_replica_of(struct arena *a, const char *machine)
{
    unsigned k = place_machine_of(machine);
    const char *address =
        k > 0 ? listener_address(a, "pegasus-replica", k - 1) : NULL;

    return address != NULL ? address : "";
}
