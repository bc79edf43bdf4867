/* From a cloud_unique_id to an instance; small texts. */
#include <stdlib.h>
#include <string.h>

#include "doris/doris.h"
#include "doris/cluster/node.h"

/* The next part between colons that is not empty; NULL at the end. */
static const char *
next_part(struct arena *a, const char **p)
{
    const char *part;
    size_t n;

    *p += strspn(*p, ":");
    n = strcspn(*p, ":");
    part = n == 0 ? NULL : arena_strndup(a, *p, n);
    *p += n;
    return part;
}

const char *
doris_degraded(struct arena *a, const char *cloud_unique_id)
{
    const char *p = cloud_unique_id == NULL ? "" : cloud_unique_id;
    const char *version = next_part(a, &p);
    const char *instance_id = next_part(a, &p);
    const char *rest = next_part(a, &p);

    if (version == NULL || instance_id == NULL || rest == NULL ||
        next_part(a, &p) != NULL)
        return NULL;
    return strtol(version, NULL, 10) == 1 ? instance_id : NULL;
}

enum err
doris_resolve(struct req *r, const char *cloud_unique_id, const char **out)
{
    enum err e;

    e = doris_store_resolve(r->db, r->arena, cloud_unique_id, out);
    if (e != ERR_NOT_FOUND)
        return e;
    *out = doris_degraded(r->arena, cloud_unique_id);
    return *out == NULL ? ERR_NOT_FOUND : ERR_OK;
}

const char *
doris_trim(struct arena *a, const char *text)
{
    static const char blanks[] = "/ \t";
    size_t n;
    const char *s;

    if (text == NULL)
        return NULL;
    text += strspn(text, blanks);
    n = strlen(text);
    while (n > 0 && strchr(blanks, text[n - 1]) != NULL)
        n--;
    s = arena_strndup(a, text, n);
    return s == NULL ? "" : s;
}
