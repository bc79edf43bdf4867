/* Which hosts answer for this store: the Meta Service itself cannot tell
 * (github.com/apache/doris/issues/53489). */
#include "coherence.h"
#include "doris/doris.h"

#define DORIS_SERVICE(X, s)               \
    X(s, STR, host, "host", OUT, -)       \
    X(s, STR, address, "address", OUT, -) \
    X(s, STR, version, "version", OUT, -) \
    X(s, I64, start_time_ms, "start_time_ms", OUT, -)
STRUCT(doris_service, DORIS_SERVICE);
TABLE(doris_service, DORIS_SERVICE);

#define DORIS_SERVICES(X, s) \
    X(s, LIST, meta_services, "meta_services", OUT | KEEP_EMPTY, doris_service)
STRUCT(doris_services, DORIS_SERVICES);
TABLE(doris_services, DORIS_SERVICES);

static enum err
fill(struct req *r, const struct list_of_coherence_host *hosts,
     struct doris_services *out)
{
    struct doris_service *v = arena_array(r->arena, hosts->n, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < hosts->n; i++) {
        const struct coherence_host *h = &hosts->v[i];

        PUT(&v[i], doris_service, host, h->name);
        PUT(&v[i], doris_service, address,
            coherence_listen(r->arena, h, "doris"));
        PUT(&v[i], doris_service, version, h->version);
        PUT(&v[i], doris_service, start_time_ms, h->since_ms);
    }
    out->meta_services.n = hosts->n;
    out->meta_services.v = v;
    return ERR_OK;
}

enum err
doris_service_list(struct req *r, const struct none *in)
{
    struct doris_services *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_coherence_host hosts = { 0 };
    enum err e;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    e = coherence_list(r->db, r->arena, &hosts);
    if (e == ERR_OK)
        e = fill(r, &hosts, out);
    return req_send_or_fail(r, e, &doris_services_rec, out);
}
