/* What handlers call to answer and to ask (include/req.h): noted in r->io,
 * carried out by api/dispatch.c when the handler has returned. */
#include "req.h"

#include <string.h>

#include "config.h"
#include "req_io.h"

enum err
req_ok(struct req *r)
{
    (void)r;
    return ERR_OK;
}

enum err
req_send(struct req *r, const struct record *rec, const void *out)
{
    r->io->out_rec = rec;
    r->io->out = out;
    return ERR_OK;
}

enum err
req_send_or_fail(struct req *r, enum err e, const struct record *rec,
                 const void *out)
{
    return e == ERR_OK ? req_send(r, rec, out) : e;
}

enum err
req_render(struct req *r, const struct record *rec, const void *out, size_t max,
           struct span *text)
{
    struct buf b = BUF_INIT(max);
    struct json_writer w;
    enum err e;

    jw_init(&w, &b, &r->form->style);
    e = r->form->reply(r, &w, rec, out);
    if (e == ERR_OK)
        e = buf_err(&b);
    *text = (struct span){ arena_strndup(r->arena, buf_text(&b), b.n), b.n };
    buf_free(&b);
    return e == ERR_OK && text->p == NULL ? ERR_NOMEM : e;
}

enum err
req_send_text(struct req *r, const char *content_type, const char *p, size_t n)
{
    r->io->text_type = content_type;
    r->io->text = p;
    r->io->text_bytes = n;
    return ERR_OK;
}

void
req_header_add(struct req *r, const char *name, const char *value)
{
    size_t n = r->io->n_headers;

    if (n == REPLY_HEADERS_MAX)
        return;
    r->io->header[n].name = name;
    r->io->header[n].value = value;
    r->io->n_headers = n + 1;
}

const char *
req_query(const struct req *r, const char *key)
{
    for (size_t i = 0; i < r->n_query; i++)
        if (strcmp(r->query[i].key, key) == 0)
            return r->query[i].value;
    return NULL;
}

const char *
req_header(const struct req *r, const char *name)
{
    return r->io->param(r->io, name);
}

const char *
req_scheme(const struct req *r)
{
    const char *said = req_header(r, "REQUEST_SCHEME");

    if (said == NULL)
        said = !str_empty(config()->nginx_tls_certificate) ? "https" : "";
    return strcmp(said, "https") == 0 ? "https" : "http";
}

void
req_wake(struct req *r)
{
    r->io->wake = true;
}

void
req_then(struct req *r, enum err (*then)(struct req *r, void *ctx), void *ctx)
{
    r->io->then = then;
    r->io->then_ctx = ctx;
}

enum secret_mode
req_secrets(const struct req *r)
{
    return r->see_secrets ? SECRETS_FULL : r->form->secrets;
}
