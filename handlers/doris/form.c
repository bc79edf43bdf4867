/* How the Meta Service speaks: {"code", "msg", "result"}, four blanks deep,
 * 64-bit integers as strings; bare text where Doris has bare text. Every
 * reply ends with one LF more than its payload. */
#include <string.h>

#include "clock.h"
#include "doris.h"
#include "log.h"

#define DOC_BYTES_MAX ((size_t)8 << 20)
#define PROOF_BYTES   ((size_t)32 << 20)

#define STYLE                                                 \
    {                                                         \
        .indent = 4, .key_space = true, .i64_as_string = true \
    }

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    enum err e = ERR_OK;

    jw_object(w);
    jw_key_str(w, "code", "OK");
    jw_key_str(w, "msg", "");
    if (rec != NULL) {
        jw_key(w, "result");
        e = record_render(w, rec, out, req_secrets(r), false, r->arena);
    }
    jw_object_end(w);
    buf_putc(w->out, '\n');
    return e;
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    failure_object(w, f, "code", "msg");
}

static void
failure_text(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    buf_puts(w->out, f->text);
    buf_putc(w->out, '\n');
}

#define INPUT DORIS_INPUT, .secrets = SECRETS_STARS, .style = STYLE

#define ENVELOPE(X, s)                                                  \
    X(s, STR, code, "code", OUT, -, .doc = "OK or the kind of failure") \
    X(s, STR, msg, "msg", OUT, -)
STRUCT(doris_envelope, ENVELOPE);
TABLE(doris_envelope, ENVELOPE);

const struct form doris_form = {
    .name = "doris",
    INPUT,
    .envelope = &doris_envelope_rec,
    .result_key = "result",
    .reply_type = "application/json",
    .error_type = "application/json",
    .reply = reply,
    .failure = failure,
};

const struct form doris_text_form = {
    .name = "doris_text",
    INPUT,
    .if_json = &doris_form,
    .reply_type = "text/plain; charset=utf-8",
    .error_type = "text/plain; charset=utf-8",
    .reply = reply,
    .failure = failure_text,
};

/* What we store we can always read, however much it holds. */
enum err
doris_doc_parse(struct arena *a, const char *doc, const struct record *rec,
                void *out)
{
    enum err e = record_read(a, rec, doc, strlen(doc), BIND_INT_FROM_STR, out);

    return e == ERR_OK || e == ERR_NOMEM ? e : ERR_INTERNAL;
}

/* Reads it as whoever comes next will: with less memory than a request has,
 * so that several such documents find room. */
static enum err
prove(const struct record *rec, const char *doc)
{
    struct arena *a = arena_new(PROOF_BYTES);
    void *out = a != NULL ? arena_alloc(a, rec->size) : NULL;
    enum err e = ERR_NOMEM;

    if (out != NULL) {
        e = doris_doc_parse(a, doc, rec, out);
        if (e != ERR_OK)
            log_warn("doris.doc unreadable=%s bytes=%zu err=%s", rec->name,
                     strlen(doc), err_name(e));
        if (e != ERR_OK && (e != ERR_NOMEM || arena_is_full(a)))
            e = ERR_LIMIT;
    }
    arena_free(a);
    return e;
}

/* In one line: half the bytes to store, log and read. */
enum err
doris_doc_render(struct arena *a, const struct record *rec, const void *in,
                 const char **out)
{
    enum err e;

    e = record_text(a, &json_protobuf, rec, in, SECRETS_FULL, DOC_BYTES_MAX,
                    out);
    return e == ERR_OK ? prove(rec, *out) : e;
}

enum err
doris_send_buf(struct req *r, enum err e, struct buf *b)
{
    const char *s;
    enum err settled = buf_settle(b, r->arena, &s);

    if (e != ERR_OK || settled != ERR_OK)
        return e != ERR_OK ? e : settled;
    return req_send_text(r, "text/plain; charset=utf-8", s, strlen(s));
}

int64_t
doris_now(void)
{
    return clock_unix_s();
}
