/* What is looked for, found and kept of replies. */
#include "keep.h"

#include <string.h>

#include "coherence.h"

#define KEPT_MAX ((size_t)4 << 20)
/* ... of one that would be streamed: it stands in memory once for each reader.
 */
#define STREAM_KEPT_MAX ((size_t)512 << 10)

_Static_assert(sizeof(struct coherence_mark) ==
                   sizeof(((struct cache_key *)0)->version),
               "a mark is a version");

enum err
doris_keep_look(struct doris_keep *out, const char *space, const char *name,
                const char *thing, const char *other)
{
    struct coherence_mark mark;

    *out = (struct doris_keep){ .may = false };
    if (name == NULL)
        return ERR_NOMEM;
    if (!coherence_now(thing, other, &mark))
        return ERR_OK;
    out->may = true;
    out->key.space = space;
    out->key.name = (struct span){ name, strlen(name) };
    memcpy(out->key.version, mark.v, sizeof(mark.v));
    return ERR_OK;
}

static enum err
answer(struct req *r, struct span text)
{
    return req_send_text(r, r->form->reply_type, text.p, text.n);
}

enum err
doris_keep_answer(struct req *r, const struct doris_keep *k)
{
    struct span text;
    enum err e = k->may ? cache_get(r->arena, &k->key, &text) : ERR_NOT_FOUND;

    return e == ERR_OK ? answer(r, text) : e;
}

/* Whoever reads them again needs the connection. */
static enum err
skip(struct rows *rows, struct arena *a)
{
    const void *row;
    enum err e;

    while ((e = rows->next(rows, a, &row)) == ERR_OK)
        ;
    return e == ERR_NOT_FOUND ? ERR_LIMIT : e;
}

enum err
doris_keep_send(struct req *r, const struct doris_keep *k,
                const struct record *rec, const void *out, struct rows *rows)
{
    struct span text;
    size_t max = rows != NULL ? STREAM_KEPT_MAX : KEPT_MAX;
    enum err e = req_render(r, rec, out, max, &text);

    if (e == ERR_LIMIT && rows != NULL)
        e = skip(rows, r->arena);
    if (e != ERR_OK)
        return e;
    cache_put(&k->key, text);
    return answer(r, text);
}
