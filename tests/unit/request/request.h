/* A request that has been routed already, of a dialect without handlers: for
 * tests of what comes after the routing. What leaves is kept in `sent`. */
#ifndef MG_TEST_REQUEST_H
#define MG_TEST_REQUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dialect.h"
#include "request/req_io.h"

static struct buf sent;
static size_t writes; /* how many there were */
static bool aborted;
static enum err write_says;                    /* what the connection answers */
static const char *header_name, *header_value; /* the one the client sent */

static enum err
io_write(struct req_io *io, const char *p, size_t n)
{
    (void)io;
    writes++;
    if (write_says == ERR_OK)
        buf_put(&sent, p, n);
    return write_says;
}

static void
io_abort(struct req_io *io)
{
    (void)io;
    aborted = true;
}

static const char *
io_param(struct req_io *io, const char *name)
{
    (void)io;
    return header_name != NULL && strcmp(header_name, name) == 0 ? header_value
                                                                 : NULL;
}

static enum err
form_reply(struct req *r, struct json_writer *w, const struct record *rec,
           const void *out)
{
    if (rec == NULL) {
        jw_str(w, "ok");
        return ERR_OK;
    }
    return record_render(w, rec, out, SECRETS_FULL, false, r->arena);
}

static void
form_failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    jw_str(w, f->text);
}

static void
form_accept(struct req *r, struct json_writer *w, const char *job_id)
{
    (void)r;
    jw_array(w);
    jw_str(w, job_id);
    jw_array_end(w);
}

static struct arena *arena;
static struct req_io io;
static struct req r;
static struct row endpoint, mount;
static struct form form;
static struct error_text by_event[EVENT__MAX], by_class[ERR__MAX], errors[8];
static const struct dialect dialect = { .name = "unit",
                                        .errors = errors,
                                        .n_errors = COUNT(errors),
                                        .by_class = by_class,
                                        .by_event = by_event };

#define EVENT_TEXT(event, class, status, words)                 \
    by_event[EVENT_##event] = (struct error_text)               \
    {                                                           \
        .id = "ON_" #event, .err = ERR_##class, .http = status, \
        .code = #event, .text = words                           \
    }

/* Each test begins with a request for /a/thing that has no body. */
static int
setup(void **state)
{
    (void)state;
    arena = arena_new((size_t)64 << 20);
    sent = (struct buf)BUF_INIT((size_t)64 << 20);
    writes = 0;
    aborted = false;
    write_says = ERR_OK;
    header_name = header_value = NULL;
    memset(by_event, 0, sizeof(by_event));
    memset(by_class, 0, sizeof(by_class));
    memset(errors, 0, sizeof(errors));
    EVENT_TEXT(BODY, BAD_PARAM, 400, "body: {reason}");
    EVENT_TEXT(FIELD, BAD_PARAM, 400, "{field}: {reason}");
    EVENT_TEXT(QUERY, BAD_PARAM, 400, "query: {parameter}");
    EVENT_TEXT(TOO_LARGE, LIMIT, 413, "too large");
    by_class[ERR_INTERNAL] = (struct error_text){ .id = "DEFAULT_INTERNAL",
                                                  .err = ERR_INTERNAL,
                                                  .http = 500,
                                                  .code = "INTERNAL",
                                                  .text = "internal" };
    endpoint = (struct row){
        .kind = ROW_ENDPOINT, .path = "/thing", .verb = "-", .status = 200
    };
    mount = (struct row){ .kind = ROW_MOUNT, .prefix = "/a" };
    form = (struct form){ .name = "unit",
                          .secrets = SECRETS_STARS,
                          .reply_type = "application/json",
                          .error_type = "text/json",
                          .reply = form_reply,
                          .failure = form_failure,
                          .accept = form_accept };
    io = (struct req_io){ .write = io_write,
                          .abort = io_abort,
                          .param = io_param };
    r = (struct req){ .arena = arena,
                      .dialect = &dialect,
                      .mount = &mount,
                      .endpoint = &endpoint,
                      .form = &form,
                      .method = "POST",
                      .method_bit = POST,
                      .path = "/a/thing",
                      .operation = "thing",
                      .body = "",
                      .trace.request = "id1",
                      .io = &io };
    return arena != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    buf_free(&sent);
    arena_free(arena);
    return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
