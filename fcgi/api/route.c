/* The routing table: one hash of literal paths, and the few paths with
 * {parameters} or "*" in order. Built once from the dialects' rows. */
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "log.h"

/* Listeners of one kind ("name" and each "name/tail"), with the dialect of
 * their first mount. */
struct kind {
    const char *name;
    const struct dialect *dialect;
};

static struct {
    struct route_group *group;
    size_t n, cap;
    size_t *slot;    /* index + 1 into group of literal paths; 0 = free */
    size_t slots;    /* a power of two */
    size_t *pattern; /* index into group of the other paths */
    size_t n_patterns;
    struct kind *kind;
    size_t n_kinds;
} table;

static bool
is_literal(const char *path)
{
    return strchr(path, '{') == NULL && strchr(path, '*') == NULL;
}

/* FNV-1a over the listener's kind, a zero, and the path. */
static size_t
hash(const char *kind, size_t kind_n, const char *path)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < kind_n; i++)
        h = (h ^ (unsigned char)kind[i]) * UINT64_C(1099511628211);
    h *= UINT64_C(1099511628211);
    for (; *path != '\0'; path++)
        h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
    return (size_t)(h ^ (h >> 32));
}

static struct route_group *
group_of(const struct row *mount, const char *path)
{
    for (size_t i = 0; i < table.n; i++)
        if (strcmp(table.group[i].mount->listener, mount->listener) == 0 &&
            strcmp(table.group[i].path, path) == 0)
            return &table.group[i];
    return NULL;
}

static struct route_group *
group_add(const struct dialect *d, const struct row *mount, char *path)
{
    struct route_group *g;

    if (table.n == table.cap) {
        size_t cap = table.cap == 0 ? 64 : table.cap * 2;

        g = realloc(table.group, cap * sizeof(*g));
        if (g == NULL)
            return NULL;
        table.group = g;
        table.cap = cap;
    }
    g = &table.group[table.n++];
    *g = (struct route_group){ .dialect = d, .mount = mount, .path = path };
    return g;
}

/* Two rows under one path must differ by method or verb. */
static bool
clashes(const struct route_group *g, const struct row *row)
{
    for (size_t i = 0; i < g->n; i++)
        if ((g->rows[i]->methods & row->methods) != 0 &&
            strcmp(g->rows[i]->verb, row->verb) == 0)
            return true;
    return false;
}

static enum err
group_append(struct route_group *g, const struct row *row)
{
    const struct row **rows;

    if (clashes(g, row)) {
        log_error("routes.clash dialect=%s path=%s verb=%s", g->dialect->name,
                  g->path, row->verb);
        return ERR_INTERNAL;
    }
    rows = realloc(g->rows, (g->n + 1) * sizeof(*rows));
    if (rows == NULL)
        return ERR_NOMEM;
    g->rows = rows;
    g->rows[g->n++] = row;
    g->by_verb = g->by_verb || strcmp(row->verb, "-") != 0;
    return ERR_OK;
}

static enum err
add_row(const struct dialect *d, const struct row *mount, const struct row *row)
{
    struct route_group *g;
    char *path;

    if (asprintf(&path, "%s%s", mount->prefix,
                 strcmp(row->path, "*") == 0 ? "/*" : row->path) < 0)
        return ERR_NOMEM;
    g = group_of(mount, path);
    if (g == NULL) {
        g = group_add(d, mount, path);
        if (g != NULL)
            path = NULL; /* it is the group's */
    }
    free(path);
    return g == NULL ? ERR_NOMEM : group_append(g, row);
}

/* MOUNT rows govern the endpoints below them, up to the next MOUNT that
 * follows an endpoint. */
static enum err
add_dialect(const struct dialect *d)
{
    size_t first = 0, after = 0; /* the mounts in force: rows[first, after) */
    enum err e = ERR_OK;

    for (size_t i = 0; i < d->n_rows && e == ERR_OK; i++) {
        if (d->rows[i].kind == ROW_MOUNT) {
            if (after != i)
                first = i;
            after = i + 1;
        } else if (d->rows[i].kind == ROW_ENDPOINT) {
            for (size_t m = first; m < after && e == ERR_OK; m++)
                e = add_row(d, &d->rows[m], &d->rows[i]);
        }
    }
    return e;
}

static void
add_literal(const struct route_group *g, size_t i)
{
    const char *kind = g->mount->listener;
    size_t s = hash(kind, strlen(kind), g->path);

    while (table.slot[s & (table.slots - 1)] != 0)
        s++;
    table.slot[s & (table.slots - 1)] = i + 1;
}

static const struct kind *
find_kind(const char *listener)
{
    for (size_t i = 0; i < table.n_kinds; i++)
        if (listener_is(listener, table.kind[i].name))
            return &table.kind[i];
    return NULL;
}

static void
add_kind(const struct route_group *g)
{
    const char *name = g->mount->listener;

    if (find_kind(name) == NULL)
        table.kind[table.n_kinds++] = (struct kind){ name, g->dialect };
}

/* What is asked for by every request is found without a look at all groups. */
static enum err
build_index(void)
{
    table.slots = 64;
    while (table.slots < table.n * 4)
        table.slots *= 2;
    table.slot = calloc(table.slots, sizeof(*table.slot));
    table.pattern = calloc(table.n + 1, sizeof(*table.pattern));
    table.kind = calloc(table.n + 1, sizeof(*table.kind));
    if (table.slot == NULL || table.pattern == NULL || table.kind == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < table.n; i++) {
        add_kind(&table.group[i]);
        if (is_literal(table.group[i].path))
            add_literal(&table.group[i], i);
        else
            table.pattern[table.n_patterns++] = i;
    }
    return ERR_OK;
}

enum err
route_init(void)
{
    enum err e = ERR_OK;

    if (table.slot != NULL)
        return ERR_OK; /* tools and tests may come here twice */
    for (size_t i = 0; dialects[i] != NULL && e == ERR_OK; i++)
        e = add_dialect(dialects[i]);
    return e == ERR_OK ? build_index() : e;
}

static const struct route_group *
find_literal(const char *listener, const char *path)
{
    size_t s = hash(listener, listener_name_bytes(listener), path);

    for (; table.slot[s & (table.slots - 1)] != 0; s++) {
        const struct route_group *g =
            &table.group[table.slot[s & (table.slots - 1)] - 1];

        if (strcmp(g->path, path) == 0 &&
            listener_is(listener, g->mount->listener))
            return g;
    }
    return NULL;
}

/* Whether the path fits a pattern with {names} and an ending "*"; a {name}
 * takes one segment that is not empty. */
static bool
fits(const char *pattern, const char *path, struct route_match *m)
{
    m->n_captures = 0;
    while (*pattern != '\0' && *pattern != '*') {
        const char *end;
        size_t n;

        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        end = strchr(pattern, '}');
        n = strcspn(path, "/");
        if (n == 0 || m->n_captures == ROUTE_CAPTURES_MAX)
            return false;
        m->name[m->n_captures] =
            (struct span){ pattern + 1, (size_t)(end - pattern - 1) };
        m->capture[m->n_captures++] = (struct span){ path, n };
        pattern = end + 1;
        path += n;
    }
    return *pattern == '*' || *path == '\0';
}

static const struct route_group *
find_pattern(const char *listener, const char *path, struct route_match *m)
{
    for (size_t i = 0; i < table.n_patterns; i++) {
        const struct route_group *g = &table.group[table.pattern[i]];

        if (listener_is(listener, g->mount->listener) && fits(g->path, path, m))
            return g;
    }
    m->n_captures = 0;
    return NULL;
}

/* Bytes of the mount's prefix when the path lies below it, else 0. */
static size_t
prefix_fit(const struct row *mount, const char *path)
{
    size_t n = strlen(mount->prefix);

    return strncmp(path, mount->prefix, n) == 0 ? n : 0;
}

/* The mount in whose form an unknown path is answered: the one with the
 * longest prefix of the path, else the listener's first. */
static void
find_mount(const char *listener, const char *path, struct route_match *m)
{
    for (size_t i = 0; i < table.n; i++) {
        const struct row *mount = table.group[i].mount;

        if (!listener_is(listener, mount->listener))
            continue;
        if (m->mount != NULL &&
            prefix_fit(mount, path) <= prefix_fit(m->mount, path))
            continue;
        m->mount = mount;
        m->dialect = table.group[i].dialect;
    }
}

static bool
takes_any_path(const char *listener)
{
    const struct kind *k = find_kind(listener);

    return k != NULL && (k->dialect->uri & URI_ANY_PATH) != 0;
}

void
route_find(const char *listener, const char *path, struct route_match *out)
{
    *out = (struct route_match){ 0 };
    out->group = find_literal(listener, path);
    if (out->group == NULL)
        out->group = find_pattern(listener, path, out);
    if (out->group == NULL && takes_any_path(listener))
        out->group = find_literal(listener, "/");
    if (out->group == NULL) {
        find_mount(listener, path, out);
        return;
    }
    out->dialect = out->group->dialect;
    out->mount = out->group->mount;
}

const struct row *
route_row(const struct route_group *g, unsigned method, const char *verb,
          unsigned *methods)
{
    const struct row *found = NULL;

    *methods = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (verb != NULL && strcmp(g->rows[i]->verb, verb) != 0)
            continue;
        *methods |= g->rows[i]->methods;
        if (found == NULL && (g->rows[i]->methods & method) != 0)
            found = g->rows[i];
    }
    return found;
}

const struct row *
route_variant(const struct dialect *d, const char *verb, const char *encoding)
{
    for (size_t i = 0; i < d->n_rows; i++)
        if (d->rows[i].kind == ROW_VARIANT &&
            strcmp(d->rows[i].verb, verb) == 0 &&
            strcmp(d->rows[i].encoding, encoding) == 0)
            return &d->rows[i];
    return NULL;
}

const struct dialect *
route_dialect(const char *listener)
{
    const struct kind *k = find_kind(listener);

    return k != NULL ? k->dialect : NULL;
}

bool
route_knows_listener(const char *listener)
{
    return find_kind(listener) != NULL;
}

const struct route_group *
route_groups(size_t *n)
{
    *n = table.n;
    return table.group;
}
