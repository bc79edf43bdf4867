/* What meta and replica servers have in common: help, version, start. */
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "clock.h"
#include "pegasus/pegasus.h"
#include "process.h"
#include "server.h"

TABLE(pegasus_version, PEGASUS_VERSION_);
TABLE(pegasus_start, PEGASUS_START);
TABLE(pegasus_texts, PEGASUS_TEXTS);

enum err
pegasus_version_get(struct req *r, const struct none *in)
{
    struct pegasus_version *out = arena_alloc(r->arena, sizeof(*out));

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    *out = (struct pegasus_version){ .has = UINT64_MAX,
                                     .version = build_version,
                                     .commit = build_commit };
    return req_send(r, &pegasus_version_rec, out);
}

/* ---- recentStartTime ---- */

enum err
pegasus_start_get(struct req *r, const struct none *in)
{
    struct pegasus_start *out = arena_alloc(r->arena, sizeof(*out));
    char text[CLOCK_TEXT];

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    PUT(out, pegasus_start, start,
        arena_strdup(r->arena, clock_text(process_start_s(), text)));
    return out->start == NULL ? ERR_NOMEM
                              : req_send(r, &pegasus_start_rec, out);
}

/* ---- help ---- */

static bool
same_kind(const char *listener, const char *kind)
{
    size_t n = strlen(kind);

    return strncmp(listener, kind, n) == 0 &&
           (listener[n] == '\0' || listener[n] == '/');
}

static int
by_key(const void *a, const void *b)
{
    const struct map_of_STR *x = a, *y = b;

    return strcmp(x->key, y->key);
}

/* Each path once, in order. */
static size_t
unite(struct map_of_STR *v, size_t n)
{
    size_t kept = 0;

    qsort(v, n, sizeof(*v), by_key);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(v[kept - 1].key, v[i].key) != 0)
            v[kept++] = v[i];
    return kept;
}

/* The paths of the mounts that govern this listener. */
static size_t
list_paths(const struct req *r, struct map_of_STR *out)
{
    const struct dialect *d = r->dialect;
    bool ours = false, mounts = false;
    size_t n = 0;

    for (size_t i = 0; i < d->n_rows; i++) {
        const struct row *row = &d->rows[i];

        if (row->kind == ROW_MOUNT) {
            ours = same_kind(r->listener, row->listener) || (ours && mounts);
            mounts = true;
            continue;
        }
        mounts = false;
        if (row->kind == ROW_ENDPOINT && ours)
            out[n++] =
                (struct map_of_STR){ row->path,
                                     { .has = UINT64_MAX, .v = row->doc } };
    }
    return unite(out, n);
}

enum err
pegasus_help_get(struct req *r, const struct none *in)
{
    struct pegasus_texts *out = arena_alloc(r->arena, sizeof(*out));
    struct map_of_STR *v;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    v = arena_array(r->arena, r->dialect->n_rows, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    PUT_LIST(out, pegasus_texts, pairs, list_paths(r, v), v);
    return req_send(r, &pegasus_texts_rec, out);
}
