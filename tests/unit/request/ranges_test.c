/* Bytes that are read while they are sent, and the ranges that clients ask
 * for (RFC 9110, 14). */
#include "request/ranges.h"

#include <stdio.h>

#include "request/reply.h"
#include "request.h"
#include "log_fixture.h"

#define BYTES ((int64_t)600000)
#define PIECE 262144

static int64_t cut;        /* the file ends there, whatever was said */
static size_t least, most; /* of what was asked for at once */
static bool stops;
static const char *range, *if_range;

/* "0123456789" again and again. */
static int64_t
read_bytes(void *ctx, int64_t at, char *p, size_t n)
{
    assert_ptr_equal(ctx, &cut);
    least = n < least ? n : least;
    most = n > most ? n : most;
    n = n > 1000 ? n / 2 : n; /* it gives what it has */
    if (at + (int64_t)n > cut)
        return -1;
    for (size_t i = 0; i < n; i++)
        p[i] = (char)('0' + (at + (int64_t)i) % 10);
    return (int64_t)n;
}

static const struct req_source source = { "application/x", "t1", BYTES,
                                          read_bytes, &cut };

static const char *
param(struct req_io *unused, const char *name)
{
    (void)unused;
    if (strcmp(name, "HTTP_RANGE") == 0)
        return range;
    return strcmp(name, "HTTP_IF_RANGE") == 0 ? if_range : NULL;
}

static bool
stopping(struct req_io *unused)
{
    (void)unused;
    return stops;
}

static int
begin(void **state)
{
    int status = setup(state);

    cut = BYTES;
    least = SIZE_MAX;
    most = 0;
    stops = false;
    range = if_range = NULL;
    io.param = param;
    io.stopping = stopping;
    endpoint.status = 201; /* so that it is known from 200 */
    return status;
}

/* Asks for it, and sends it when it is there. */
static enum err
ask(const char *range_said, const char *if_range_said)
{
    struct reply rp;
    enum err e;

    range = range_said;
    if_range = if_range_said;
    io.n_headers = 0;
    io.source = NULL;
    io.status = 0;
    aborted = false;
    buf_reset(&sent);
    e = req_send_source(&r, &source);
    if (e != ERR_OK)
        return e;
    reply_init(&rp, &r);
    assert_int_equal(reply_render(&rp), ERR_OK);
    reply_send(&rp);
    reply_free(&rp);
    return ERR_OK;
}

static const char *
body(void)
{
    const char *p = strstr(buf_text(&sent), "\r\n\r\n");

    return p == NULL ? "" : p + 4;
}

static void
head_has(const char *name, const char *value)
{
    char line[96];

    (void)snprintf(line, sizeof(line), "%s: %s\r\n", name, value);
    if (strstr(buf_text(&sent), line) == NULL)
        fail_msg("%s: no %s%.300s", range, line, buf_text(&sent));
}

static void
bytes_are_sent_as_the_range_says(void **state)
{
    static const struct {
        const char *range, *if_range, *content, *body; /* NULL: all of it */
    } rows[] = {
        { NULL, NULL, NULL, NULL },
        { "bytes=3-5", NULL, "bytes 3-5/600000", "345" },
        { "bytes=7-7", NULL, "bytes 7-7/600000", "7" },
        { "bytes=0-0", NULL, "bytes 0-0/600000", "0" },
        { "bytes=599998-", NULL, "bytes 599998-599999/600000", "89" },
        { "bytes=599999-", NULL, "bytes 599999-599999/600000", "9" },
        { "bytes=599998-599999", NULL, "bytes 599998-599999/600000", "89" },
        { "bytes=599998-600000", NULL, "bytes 599998-599999/600000", "89" },
        { "bytes=599998-700000", NULL, "bytes 599998-599999/600000", "89" },
        { "bytes=-3", NULL, "bytes 599997-599999/600000", "789" },
        { "Bytes=-1", NULL, "bytes 599999-599999/600000", "9" },
        { "bytes=3-5", "\"t1\"", "bytes 3-5/600000", "345" },
        { "bytes=3-5", "\"t0\"", NULL, NULL },
        { "bytes=-600000", NULL, "bytes 0-599999/600000", NULL },
        { "bytes=-700000", NULL, "bytes 0-599999/600000", NULL },
        { "bytes=-599999", NULL, "bytes 1-599999/600000", NULL },
        { "bytes=0-", NULL, "bytes 0-599999/600000", NULL },
        { "bytes=1-2,4-5", NULL, NULL, NULL },
        { "bytes=5-3", NULL, NULL, NULL },
        { "bytes=x-3", NULL, NULL, NULL },
        { "bytes=3-x", NULL, NULL, NULL },
        { "bytes=3-5x", NULL, NULL, NULL },
        { "bytes=-", NULL, NULL, NULL },
        { "bytes=3", NULL, NULL, NULL },
        { "bytes=", NULL, NULL, NULL },
        { "bytes=1--2", NULL, NULL, NULL },
        { "bytes=99999999999999999999-", NULL, NULL, NULL },
        { "byte=1-2", NULL, NULL, NULL },
        { "lines=1-2", NULL, NULL, NULL },
    };
    char text[40];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *want = rows[i].body, *got;
        bool part = rows[i].content != NULL;
        size_t first = 0, n = (size_t)BYTES;

        assert_int_equal(ask(rows[i].range, rows[i].if_range), ERR_OK);
        head_has("Status", part ? "206 Partial Content" : "201 Created");
        head_has("Accept-Ranges", "bytes");
        head_has("ETag", "\"t1\"");
        head_has("Content-Type", "application/x");
        if (part)
            head_has("Content-Range", rows[i].content);
        else
            assert_null(strstr(buf_text(&sent), "Content-Range"));
        if (want == NULL && part)
            first = strtoull(rows[i].content + 6, NULL, 10);
        n = want != NULL ? strlen(want) : n - first;
        (void)snprintf(text, sizeof(text), "%zu", n);
        head_has("Content-Length", text);
        got = body();
        assert_int_equal(strlen(got), n);
        for (size_t k = 0; want == NULL && k < n; k++)
            if (got[k] != (int)('0' + (first + k) % 10))
                fail_msg("row %zu: byte %zu", i, k);
        if (want != NULL)
            assert_string_equal(got, want);
        assert_false(aborted);
    }
}

static void
a_range_that_holds_nothing_is_told_what_there_is(void **state)
{
    static const char *const rows[] = { "bytes=600000-", "bytes=600001-",
                                        "bytes=700000-800000", "bytes=-0" };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ask(rows[i], NULL), ERR_LIMIT);
        assert_null(io.source);
        assert_int_equal(io.n_headers, 2);
        assert_string_equal(io.header[0].name, "Accept-Ranges");
        assert_string_equal(io.header[1].name, "Content-Range");
        assert_string_equal(io.header[1].value, "bytes */600000");
    }
}

static void
of_head_the_head_alone_is_sent(void **state)
{
    (void)state;
    r.method = "HEAD";
    assert_int_equal(ask("bytes=3-5", NULL), ERR_OK);
    head_has("Content-Length", "3");
    assert_string_equal(body(), "");
    assert_false(aborted);
}

static void
it_is_read_in_pieces_and_never_past_its_end(void **state)
{
    (void)state;
    assert_int_equal(ask(NULL, NULL), ERR_OK);
    assert_int_equal(most, PIECE);
    assert_true(least <= 1000);
    least = SIZE_MAX;
    most = 0;
    assert_int_equal(ask("bytes=3-5", NULL), ERR_OK);
    assert_int_equal(most, 3);
}

/* Never a short body that looks whole. */
static void
what_cannot_be_read_breaks_the_connection(void **state)
{
    const char *text;

    (void)state;
    log_catch();
    assert_int_equal(ask(NULL, NULL), ERR_OK);
    assert_string_equal(logged(), "");
    cut = 500000;
    assert_int_equal(ask(NULL, NULL), ERR_OK);
    text = logged();
    assert_true(aborted);
    assert_true(strlen(body()) < 500001);
    assert_non_null(strstr(text, "reply.cut operation=thing at="));
    assert_non_null(strstr(text, " of=600000 err=internal"));
    log_release();
}

static void
who_is_to_stop_reads_no_more(void **state)
{
    (void)state;
    stops = true;
    assert_int_equal(ask(NULL, NULL), ERR_OK);
    assert_true(aborted);
    assert_int_equal(most, 0);
    io.stopping = NULL;
    assert_int_equal(ask(NULL, NULL), ERR_OK);
    assert_false(aborted);
}

static void
a_client_that_is_gone_is_no_mistake(void **state)
{
    (void)state;
    log_catch();
    write_says = ERR_STATE;
    assert_int_equal(ask(NULL, NULL), ERR_OK);
    assert_true(aborted);
    assert_int_equal(writes, 1); /* the head's */
    assert_int_equal(most, 0);
    assert_string_equal(logged(), "");
    log_release();
}

/* Each piece of memory in turn is not there. */
static void
without_memory_nothing_is_promised(void **state)
{
    struct arena *usual = r.arena;
    size_t refused = 0;
    enum err e = ERR_NOMEM;

    (void)state;
    for (size_t room = 1; room < 4096 && e != ERR_OK; room += 16) {
        struct arena *small = arena_new(room);

        r.arena = small;
        e = ask("bytes=3-5", NULL);
        if (e == ERR_OK && io.status == 0)
            e = ERR_NOMEM; /* the range could not be read: all of it */
        else if (e != ERR_OK)
            assert_int_equal(e, ERR_NOMEM);
        refused += e != ERR_OK;
        r.arena = usual;
        arena_free(small);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(refused > 1);
}

#define BEGIN(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BEGIN(bytes_are_sent_as_the_range_says),
        BEGIN(a_range_that_holds_nothing_is_told_what_there_is),
        BEGIN(of_head_the_head_alone_is_sent),
        BEGIN(it_is_read_in_pieces_and_never_past_its_end),
        BEGIN(what_cannot_be_read_breaks_the_connection),
        BEGIN(who_is_to_stop_reads_no_more),
        BEGIN(a_client_that_is_gone_is_no_mistake),
        BEGIN(without_memory_nothing_is_promised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
