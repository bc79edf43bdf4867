/* Variables of a table, read and changed by the forms. */
#include "env.h"

#include <string.h>

#include "pegasus/audit.h"
#include "pegasus/node/cluster.h"
#include "pegasus/pegasus.h"
#include "pegasus/server/server.h"

TABLE(pegasus_envs_ref, PEGASUS_ENVS_REF);
TABLE(pegasus_envs_set, PEGASUS_ENVS_SET);
TABLE(pegasus_envs_del, PEGASUS_ENVS_DEL);
TABLE(pegasus_envs_clear, PEGASUS_ENVS_CLEAR);

CHECKS(pegasus_envs_ref, NEED(name, PEGASUS_NAME_EMPTY));
CHECKS(pegasus_envs_set, NEED(app_name, PEGASUS_EMPTY),
       PRESENT(envs, PEGASUS_EMPTY));
CHECKS(pegasus_envs_del, NEED(app_name, PEGASUS_EMPTY),
       PRESENT(keys, PEGASUS_EMPTY));
CHECKS(pegasus_envs_clear, NEED(app_name, PEGASUS_EMPTY));

enum err
pegasus_envs_get(struct req *r, const struct pegasus_envs_ref *ref)
{
    struct pegasus_texts *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_map_of_STR rows = { 0 };
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = req_check(r, ref);
    if (e != ERR_OK)
        return e;
    e = pegasus_store_envs(r->db, r->arena, ref->name, &rows);
    PUT_LIST(out, pegasus_texts, pairs, rows.n, rows.v);
    return req_send_or_fail(r, e, &pegasus_texts_rec, out);
}

/* Locks, and finds the AVAILABLE table: the variables of one that is being
 * dropped are not touched. */
static enum err
lock_available(struct req *r, const char *name, struct pegasus_app_row *app)
{
    int64_t version;
    enum err e = pegasus_store_lock(r->db, &version);

    pg_audit_target(r, "variables of", name);
    if (e == ERR_OK)
        e = pegasus_store_app(r->db, r->arena, name, app);
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && strcmp(app->status, "AVAILABLE") != 0))
        return pegasus_invalid(r, "invalid app name");
    return e == ERR_OK ? pg_audit_envs(r, app->app_id, req_audit_before) : e;
}

enum err
pegasus_app_envs_set(struct req *r, const struct pegasus_envs_set *in)
{
    struct pegasus_app_row app = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_available(r, in->app_name, &app);
    if (e == ERR_OK && in->envs.n == 0)
        e = pegasus_invalid(r, "envs is empty");
    if (e == ERR_OK)
        e = pg_env_judge(r, in->envs.v, in->envs.n);
    for (size_t i = 0; e == ERR_OK && i < in->envs.n; i++)
        e = pegasus_store_env_set(r->db, app.app_id, in->envs.v[i].key,
                                  in->envs.v[i].value.v);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_after);
    return e == ERR_OK ? pegasus_send(r, pegasus_done(r)) : e;
}

/* "deleted keys:" and each on a line of its own. */
struct deleted {
    struct buf text;
    size_t n;
};

static enum err
delete_one(struct req *r, int32_t app_id, const char *key, struct deleted *d)
{
    enum err e = pegasus_store_env_del(r->db, app_id, key);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (d->n++ == 0)
        buf_puts(&d->text, "deleted keys:");
    buf_puts(&d->text, "\n    ");
    buf_puts(&d->text, key);
    return e;
}

static enum err
send_deleted(struct req *r, enum err e, struct deleted *d)
{
    struct pegasus_outcome *out = pegasus_done(r);

    if (out != NULL)
        out->hint =
            d->n == 0 ? "no key need to delete"
                      : arena_strndup(r->arena, buf_text(&d->text), d->text.n);
    buf_free(&d->text);
    if (e != ERR_OK)
        return e;
    return out == NULL || out->hint == NULL ? ERR_NOMEM : pegasus_send(r, out);
}

#define DELETED_INIT         \
    {                        \
        BUF_INIT(1 << 20), 0 \
    }

enum err
pegasus_app_envs_del(struct req *r, const struct pegasus_envs_del *in)
{
    struct deleted d = DELETED_INIT;
    struct pegasus_app_row app = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_available(r, in->app_name, &app);
    if (e == ERR_OK && in->keys.n == 0)
        e = pegasus_invalid(r, "keys is empty");
    for (size_t i = 0; e == ERR_OK && i < in->keys.n; i++)
        e = delete_one(r, app.app_id, in->keys.v[i].v, &d);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_after);
    return send_deleted(r, e, &d);
}

static bool
is_below(const char *key, const char *prefix)
{
    size_t n = strlen(prefix);

    return n == 0 || (strncmp(key, prefix, n) == 0 && key[n] == '.' &&
                      key[n + 1] != '\0');
}

enum err
pegasus_app_envs_clear(struct req *r, const struct pegasus_envs_clear *in)
{
    const char *prefix = in->prefix != NULL ? in->prefix : "";
    struct deleted d = DELETED_INIT;
    struct list_of_map_of_STR rows = { 0 };
    struct pegasus_app_row app = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_available(r, in->app_name, &app);
    if (e == ERR_OK)
        e = pegasus_store_env_rows(r->db, r->arena, app.app_id, &rows);
    for (size_t i = 0; e == ERR_OK && i < rows.n; i++)
        if (is_below(rows.v[i].key, prefix))
            e = delete_one(r, app.app_id, rows.v[i].key, &d);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_after);
    return send_deleted(r, e, &d);
}
