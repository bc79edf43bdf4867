/* Servers as KunlunBase has them. */
#include "spec.h"

#include "crypt.h"

TABLE(kunlun_spec_row, KUNLUN_SPEC_ROW);

/* The same number for all of a shard, whoever installs them. */
static int64_t
domain_of(const char *cluster, const char *shard)
{
    uint32_t h = 2166136261u;

    if (cluster == NULL || shard == NULL)
        return 0;
    for (const char *p = cluster; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    h = (h ^ '/') * 16777619u;
    for (const char *p = shard; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    return (int64_t)(h % 2147483646u) + 1;
}

static enum err
put_storage(struct instance_spec *s, const struct kunlun_server *w)
{
    uint32_t id = 0;
    enum err e = crypt_random(&id, sizeof(id));

    PUT(s, instance_spec, server_id, (int64_t)(id % 2147483646u) + 1);
    PUT(s, instance_spec, domain_id, domain_of(w->cluster, w->name));
    PUT(s, instance_spec, lone, w->lone);
    PUT(s, instance_spec, repl_user, "repl");
    return e;
}

enum err
kunlun_spec(struct arena *a, const struct kunlun_server *w,
            struct instance_spec *out)
{
    bool storage = w->kind == INSTANCE_STORAGE;
    const char *user = storage ? "pgx" : "abc";

    *out = (struct instance_spec){ 0 };
    PUT(out, instance_spec, driver, storage ? "mariadb" : "postgres");
    PUT(out, instance_spec, kind, (int)w->kind);
    PUT(out, instance_spec, address, w->address);
    PUT(out, instance_spec, port, w->port);
    PUT(out, instance_spec, memory_bytes, w->memory_bytes);
    PUT(out, instance_spec, max_connections, w->max_connections);
    if (w->cluster != NULL)
        PUT(out, instance_spec, cluster, w->cluster);
    if (w->name != NULL)
        PUT(out, instance_spec, shard, w->name);
    PUT(out, instance_spec, admin_user, "clustmgr");
    PUT(out, instance_spec, client_user, w->user != NULL ? w->user : user);
    if (w->password != NULL)
        PUT(out, instance_spec, client_secret, w->password);
    if (storage && put_storage(out, w) != ERR_OK)
        return ERR_INTERNAL;
    return instance_secrets(a, out);
}
