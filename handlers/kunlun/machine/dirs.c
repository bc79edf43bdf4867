/* The directories of a machine, looked at. */
#include "dirs.h"

#include <limits.h>
#include <string.h>

#include "buf.h"
#include "root.h"

#define MIB ((int64_t)1 << 20)

bool
machine_dirs_next(const char **list, struct span *out)
{
    const char *p = *list + strspn(*list, ";");
    size_t n = strcspn(p, ";");

    *list = p + n;
    *out = (struct span){ p, n };
    return n > 0;
}

static void
note_wrong(struct machine_dirs *d, const char *path)
{
    for (size_t i = 0; i < d->n_wrong; i++)
        if (strcmp(d->wrong[i].v, path) == 0)
            return;
    d->wrong[d->n_wrong++] = (struct STR){ .v = path };
}

static enum err
look_at(struct machine_dirs *d, enum placement_class class, const char *path)
{
    char real[PATH_MAX], why[WHY_BYTES];
    struct root_space space;
    const char *copy, *below;
    int64_t used;

    if (root_check(path, real, why) != ERR_OK ||
        root_space(real, &space) != ERR_OK) {
        note_wrong(d, path);
        return ERR_OK;
    }
    copy = arena_strdup(d->arena, real);
    below = root_home(d->arena, real, placement_class_names[class], 0);
    if (copy == NULL || below == NULL)
        return ERR_NOMEM;
    used = root_used(below);
    if (used < 0)
        note_wrong(d, path);
    else
        d->v[d->n++] =
            (struct machine_dir){ class, path, copy, (used + MIB - 1) / MIB,
                                  space.free / MIB };
    return ERR_OK;
}

enum err
machine_dirs_look(struct arena *a, size_t max,
                  const char *const lists[PLACEMENT_CLASS__MAX],
                  struct machine_dirs *out)
{
    enum err e = ERR_OK;

    *out = (struct machine_dirs){ .arena = a };
    out->v = arena_array(a, max, sizeof(*out->v));
    out->wrong = arena_array(a, max, sizeof(*out->wrong));
    if (out->v == NULL || out->wrong == NULL)
        return ERR_NOMEM;
    for (int k = 0; k < PLACEMENT_CLASS__MAX; k++) {
        const char *rest = lists[k] != NULL ? lists[k] : "";
        struct span s;

        while (e == ERR_OK && machine_dirs_next(&rest, &s)) {
            const char *path = arena_strndup(a, s.p, s.n);

            if (path == NULL)
                return ERR_NOMEM;
            e = out->n + out->n_wrong < max
                    ? look_at(out, (enum placement_class)k, path)
                    : ERR_LIMIT;
        }
    }
    return e;
}

enum err
machine_dirs_wrong(const struct machine_dirs *d, size_t most, const char **out)
{
    struct buf b = BUF_INIT(most + 1);

    for (size_t i = 0; i < d->n_wrong; i++)
        if (b.n + strlen(d->wrong[i].v) + 1 <= most)
            buf_printf(&b, "%s%s", b.n > 0 ? ";" : "", d->wrong[i].v);
    return buf_settle(&b, d->arena, out);
}
