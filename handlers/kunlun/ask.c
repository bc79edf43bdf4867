/* What KunlunBase's dialects are asked alike. */
#include <string.h>

#include "kunlun.h"

const char *
kunlun_verb(const struct dialect *d, const char *job_type)
{
    for (size_t i = 0; i < d->n_rows; i++)
        if (d->rows[i].kind == ROW_ENDPOINT &&
            (d->rows[i].flags & BODY_RAW) == 0 &&
            strcmp(d->rows[i].verb, "-") != 0 &&
            strcmp(d->rows[i].verb, job_type) == 0)
            return d->rows[i].verb;
    return NULL;
}

bool
kunlun_changes(const struct dialect *d, const char *verb)
{
    for (size_t i = 0; i < d->n_rows; i++)
        if (d->rows[i].kind == ROW_ENDPOINT &&
            strcmp(d->rows[i].verb, verb) == 0)
            return (d->rows[i].flags & TX) != 0;
    return false;
}

bool
kunlun_says_dry_run(const struct json *at)
{
    const struct json *j = at != NULL ? json_member(at, "dry_run") : NULL;
    const char *said = j != NULL ? json_text(j) : "";

    return !str_empty(said) && strcmp(said, "0") != 0 &&
           strcmp(said, "false") != 0;
}

enum err
kunlun_page_send(struct req *r, const struct kunlun_page *pages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(r->path, pages[i].path) == 0)
            return req_send_text(r, "text/html; charset=utf-8", pages[i].text,
                                 strlen(pages[i].text));
    return ERR_NOT_FOUND;
}

enum err
kunlun_say(struct req *r, const char *result, const char *info)
{
    struct kunlun_result *out = arena_alloc(r->arena, sizeof(*out));

    if (out == NULL)
        return ERR_NOMEM;
    *out = (struct kunlun_result){ 0 };
    PUT(out, kunlun_result, result, result);
    if (info != NULL)
        PUT(out, kunlun_result, info, info);
    return req_send(r, &kunlun_result_rec, out);
}

const char *
kunlun_port_lock(struct arena *a, const char *machine, int64_t port)
{
    return arena_printf(a, "node_mgr %s:%lld", machine, (long long)port);
}
