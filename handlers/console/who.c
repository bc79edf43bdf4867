/* Who asks, who leads, which hosts and processes there are. */
#include "who.h"

#include <string.h>

#include "build_info.h"
#include "children.h"
#include "coherence.h"
#include "console.h"
#include "duty.h"
#include "lease.h"
#include "metrics.h"

TABLE(console_whoami, CONSOLE_WHOAMI);
TABLE(console_duty, CONSOLE_DUTY);
TABLE(console_duties, CONSOLE_DUTIES);
TABLE(console_host, CONSOLE_HOST);
TABLE(console_hosts, CONSOLE_HOSTS);
TABLE(console_child, CONSOLE_CHILD);
TABLE(console_children, CONSOLE_CHILDREN);

#define RIGHTS_MAX   8
#define DIALECTS_MAX 32
#define CHILDREN_MAX 128
#define CHILDREN_MS  1000

/* ---- who asks ---- */

enum err
console_whoami_get(struct req *r, const struct none *in)
{
    struct console_whoami *out = arena_alloc(r->arena, sizeof(*out));
    struct STR *words = arena_array(r->arena, RIGHTS_MAX, sizeof(*words));
    struct STR *names = arena_array(r->arena, DIALECTS_MAX, sizeof(*names));
    struct STR *seen = arena_array(r->arena, DIALECTS_MAX, sizeof(*seen));
    size_t n = 0, n_seen = 0;

    (void)in;
    if (out == NULL || words == NULL || names == NULL || seen == NULL)
        return ERR_NOMEM;
    for (unsigned s = SCOPE_READ; s <= SCOPE_MACHINE; s <<= 1)
        if ((r->rights & s) != 0)
            words[n++].v = scope_name((enum scope)s);
    PUT_LIST(out, console_whoami, rights, n, words);
    for (n = 0; n < DIALECTS_MAX && dialects[n] != NULL; n++) {
        names[n].v = dialects[n]->name;
        if (dialects[n]->views != NULL)
            seen[n_seen++].v = dialects[n]->name;
    }
    PUT_LIST(out, console_whoami, dialects, n, names);
    PUT_LIST(out, console_whoami, in_topology, n_seen, seen);
    PUT(out, console_whoami, name, or_empty(r->token_name));
    PUT(out, console_whoami, secrets, r->see_secrets);
    PUT(out, console_whoami, version, build_version);
    PUT(out, console_whoami, commit, build_revision());
    return req_send(r, &console_whoami_rec, out);
}

/* ---- who leads ---- */

/* Whose duty that is: by the tables, else by the name before the dot; NULL:
 * the runtime's own. */
static const char *
dialect_of(const char *lease)
{
    size_t n = strcspn(lease, ".");

    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct duty *d = dialects[i]->duties;

        for (; d != NULL && d->lease != NULL; d++)
            if (strcmp(d->lease, lease) == 0)
                return dialects[i]->name;
        if (strlen(dialects[i]->name) == n &&
            memcmp(dialects[i]->name, lease, n) == 0)
            return dialects[i]->name;
    }
    return NULL;
}

static enum err
tell_duty(struct arena *a, struct console_duty *d)
{
    size_t n = lease_owner_name(or_empty(d->owner));
    const char *dialect = dialect_of(d->name);
    const char *leader;

    if (dialect != NULL)
        PUT(d, console_duty, dialect, dialect);
    PUT(d, console_duty, held,
        !str_empty(d->owner) && d->expires_ms > d->now_ms);
    if (str_empty(d->owner))
        return ERR_OK;
    leader = arena_strndup(a, d->owner, n);
    if (leader == NULL)
        return ERR_NOMEM;
    PUT(d, console_duty, leader, leader);
    if (d->owner[n] != '\0')
        PUT(d, console_duty, host, d->owner + n + 1);
    return ERR_OK;
}

static bool
is_listed(const struct list_of_console_duty *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].name, name) == 0)
            return true;
    return false;
}

/* The leases that the store has, then the duties that nobody ever had. */
enum err
console_duties_get(struct req *r, const struct none *in)
{
    struct console_duties *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_console_duty all = { 0 };
    struct console_duty *v;
    const struct duty *d;
    size_t n = 0;
    enum err e = console_store_leases(r->db, r->arena, &all);

    (void)in;
    while (duty_at(n) != NULL)
        n++;
    v = arena_array(r->arena, all.n + n, sizeof(*v));
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    n = all.n;
    if (e == ERR_OK && n > 0)
        memcpy(v, all.v, n * sizeof(*v));
    for (size_t i = 0; e == ERR_OK && (d = duty_at(i)) != NULL; i++) {
        if (is_listed(&all, d->lease))
            continue;
        PUT(&v[n], console_duty, name, d->lease);
        n++;
    }
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = tell_duty(r->arena, &v[i]);
    PUT_LIST(out, console_duties, items, n, v);
    return req_send_or_fail(r, e, &console_duties_rec, out);
}

/* ---- hosts ---- */

enum err
console_hosts_get(struct req *r, const struct none *in)
{
    struct console_hosts *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_coherence_host all = { 0 };
    struct console_host *v;
    enum err e = coherence_list(r->db, r->arena, &all);

    (void)in;
    if (e != ERR_OK)
        return e;
    v = arena_array(r->arena, all.n, sizeof(*v));
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < all.n; i++) {
        const struct coherence_host *h = &all.v[i];

        PUT(&v[i], console_host, host, h->host);
        PUT(&v[i], console_host, name, h->name);
        PUT(&v[i], console_host, version, h->version);
        PUT(&v[i], console_host, listen, h->listen);
        PUT(&v[i], console_host, shared, h->shared);
        PUT(&v[i], console_host, since_ms, h->since_ms);
        PUT(&v[i], console_host, own, coherence_is_own(h->host));
    }
    PUT_LIST(out, console_hosts, items, all.n, v);
    return req_send(r, &console_hosts_rec, out);
}

/* Those that count in this host's metrics: of an installed system. */
static enum err
fill_counting(struct arena *a, struct console_child *v, size_t *n)
{
    struct metrics_process p;

    for (size_t i = 0; *n < CHILDREN_MAX && metrics_process(i, &p) == ERR_OK;
         i++) {
        struct console_child *c = &v[*n];

        if (str_empty(p.name))
            continue;
        PUT(c, console_child, name, arena_strdup(a, p.name));
        PUT(c, console_child, state, p.alive ? "running" : "gone");
        PUT(c, console_child, pid, p.pid);
        PUT(c, console_child, alive, p.alive);
        if (c->name == NULL)
            return ERR_NOMEM;
        ++*n;
    }
    return ERR_OK;
}

static void
fill_kept(const struct child_told *all, size_t many, struct console_child *v,
          size_t *n)
{
    for (; *n < many && *n < CHILDREN_MAX; ++*n) {
        const struct child_told *t = &all[*n];
        struct console_child *c = &v[*n];

        PUT(c, console_child, name, t->name);
        PUT(c, console_child, state, t->state);
        PUT(c, console_child, pid, t->pid);
        PUT(c, console_child, alive, t->pid > 0);
        PUT(c, console_child, restarts, t->restarts);
    }
}

/* Needs no store; `up` may be busy with a child that it stops. */
enum err
console_children_get(struct req *r, const struct none *in)
{
    struct console_children *out = arena_alloc(r->arena, sizeof(*out));
    struct console_child *v = arena_array(r->arena, CHILDREN_MAX, sizeof(*v));
    struct child_told *all = NULL;
    size_t n = 0, many = 0;
    enum err e = ERR_OK;

    (void)in;
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    if (children_told(r->arena, CHILDREN_MS, &all, &many) == ERR_OK)
        fill_kept(all, many, v, &n);
    else
        e = fill_counting(r->arena, v, &n);
    PUT_LIST(out, console_children, items, n, v);
    return req_send_or_fail(r, e, &console_children_rec, out);
}
