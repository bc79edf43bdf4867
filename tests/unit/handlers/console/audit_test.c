/* Pages of the audit trail, one row of it, and its lines to keep. The store is
 * so many rows here, the newest with the largest id. */
#include <stdio.h>

#include "console/console.h"

static enum err
some_rows(struct db *db, struct arena *a, const struct console_audit_asked *in,
          const char *listeners, uint64_t before, size_t max, bool whole,
          struct list_of_console_audit_row *out);
static enum err some_row(struct db *db, struct arena *a, uint64_t id,
                         struct console_audit_row *out);
static enum err keep_source(struct req *req, const struct req_source *s);
static void keep_header(struct req *req, const char *name, const char *value);

#define console_store_audit     some_rows
#define console_store_audit_row some_row
#define req_send_source         keep_source
#define req_header_add          keep_header
#define SOURCE                  "console/audit.c"
#include "console_fixture.h"

/* ---- the store ---- */

static uint64_t n_rows;
static size_t row_bytes;     /* of the document that each has */
static uint64_t broken_at;   /* the id that cannot be read; 0: none */
static const char *asked_of; /* which listeners */
static bool asked_whole;
static const char *listener_of; /* of all rows */

static void
fill(struct console_audit_row *row, uint64_t id)
{
    *row = (struct console_audit_row){ 0 };
    PUT(row, console_audit_row, listener, listener_of);
    PUT(row, console_audit_row, id, id);
    if (row_bytes > 0) {
        char *text = arena_alloc(arena, row_bytes + 3);

        assert_non_null(text);
        memset(text, 'x', row_bytes + 2);
        text[0] = text[row_bytes + 1] = '"';
        PUT(row, console_audit_row, after,
            ((struct span){ text, row_bytes + 2 }));
    }
}

static enum err
some_rows(struct db *db, struct arena *a, const struct console_audit_asked *in,
          const char *listeners, uint64_t before, size_t max, bool whole,
          struct list_of_console_audit_row *out)
{
    uint64_t id = before == 0 ? n_rows : before - 1;

    (void)db;
    (void)in;
    asked_of = listeners;
    asked_whole = whole;
    *out = (struct list_of_console_audit_row){
        .v = arena_array(a, max, sizeof(struct console_audit_row))
    };
    assert_non_null(out->v);
    for (; id > 0 && out->n < max; id--) {
        if (id == broken_at)
            return ERR_STORE;
        fill(&out->v[out->n++], id);
    }
    return ERR_OK;
}

static enum err
some_row(struct db *db, struct arena *a, uint64_t id,
         struct console_audit_row *out)
{
    (void)db;
    (void)a;
    if (id == broken_at)
        return ERR_STORE;
    if (id > n_rows)
        return ERR_NOT_FOUND;
    fill(out, id);
    return ERR_OK;
}

/* ---- what is answered ---- */

static const char *lines;    /* of an export */
static const char *kept_tag; /* under which it is kept */
static const char *next;     /* the cursor behind the page; NULL: its end */

static enum err
keep_source(struct req *req, const struct req_source *s)
{
    size_t n = (size_t)s->bytes;
    char *text = arena_alloc(arena, n + 1);

    (void)req;
    assert_non_null(text);
    assert_string_equal(s->type, "application/x-ndjson");
    kept_tag = s->tag;
    for (size_t i = 0; i < n; i += 1000) { /* in pieces, as it is sent */
        size_t piece = n - i < 1000 ? n - i : 1000;

        assert_int_equal(s->read(s->ctx, (int64_t)i, text + i, piece), piece);
    }
    text[n] = '\0';
    lines = text;
    return ERR_OK;
}

static void
keep_header(struct req *req, const char *name, const char *value)
{
    (void)req;
    assert_string_equal(name, "X-Metagate-Next");
    next = value;
}

static struct console_audit_asked
ask(int32_t limit, const char *cursor, const char *dialect_name)
{
    struct console_audit_asked in = { 0 };

    if (limit > 0)
        PUT(&in, console_audit_asked, limit, limit);
    if (cursor != NULL)
        PUT(&in, console_audit_asked, cursor, cursor);
    if (dialect_name != NULL)
        PUT(&in, console_audit_asked, dialect, dialect_name);
    return in;
}

/* The ids of a page, or of an export's lines. */
static const char *
ids(const char *text)
{
    struct buf b = BUF_INIT(65536);
    const char *p = text;

    while ((p = strstr(p, "\"id\":")) != NULL) {
        p += 5;
        buf_puts(&b, b.n > 0 ? " " : "");
        buf_put(&b, p, strspn(p, "0123456789"));
    }
    p = arena_strdup(arena, buf_text(&b));
    buf_free(&b);
    return p;
}

static const char *
page_of(struct console_audit_asked in)
{
    const char *at, *text;

    assert_int_equal(console_audit_get(&r, &in), ERR_OK);
    at = strstr(answer, "\"next\":\"");
    next =
        at == NULL ? NULL : arena_strndup(arena, at + 8, strcspn(at + 8, "\""));
    text = ids(answer);
    return text;
}

static const char *
export_of(struct console_audit_asked in)
{
    next = NULL;
    assert_int_equal(console_audit_export(&r, &in), ERR_OK);
    return ids(lines);
}

/* ---- pages ---- */

static void
a_page_ends_at_its_limit(void **state)
{
    (void)state;
    n_rows = 5;
    assert_string_equal(page_of(ask(4, NULL, NULL)), "5 4 3 2");
    assert_string_equal(page_of(ask(4, next, NULL)), "1");
    assert_null(next);
    assert_string_equal(page_of(ask(5, NULL, NULL)), "5 4 3 2 1");
    assert_null(next);
    assert_string_equal(page_of(ask(1, NULL, NULL)), "5");
    assert_non_null(next);
    assert_false(asked_whole);
    n_rows = 0;
    assert_string_equal(page_of(ask(1, NULL, NULL)), "");
    assert_string_equal(answer, "{\"items\":[]}");
}

static void
a_page_has_a_hundred_when_none_says_how_many(void **state)
{
    (void)state;
    n_rows = 101;
    page_of(ask(0, NULL, NULL));
    assert_non_null(next);
    assert_string_equal(page_of(ask(0, next, NULL)), "1");
}

static void
each_row_has_the_dialect_of_its_listener(void **state)
{
    static const struct {
        const char *listener, *dialect;
    } known[] = {
        { "two", "\"two\"" },       { "two/1", "\"two\"" },
        { "four-a/x", "\"four\"" }, { "four-b", "\"four\"" },
        { "four-c/y", "\"four\"" }, { "four", NULL },
        { "none", NULL },           { "", NULL },
    };

    (void)state;
    n_rows = 3;
    for (size_t i = 0; i < COUNT(known); i++) {
        const struct console_audit_ref ref = { .id = 3 };
        const char *member =
            known[i].dialect == NULL
                ? "\"listener\""
                : arena_printf(arena, "\"dialect\":%s,", known[i].dialect);
        size_t n = 0;

        listener_of = known[i].listener;
        page_of(ask(3, NULL, NULL));
        for (const char *p = answer; (p = strstr(p, member)) != NULL; p++)
            n++;
        assert_int_equal(n, 3);
        assert_int_equal(strstr(answer, "\"dialect\"") == NULL,
                         known[i].dialect == NULL);
        assert_int_equal(console_audit_row_get(&r, &ref), ERR_OK);
        assert_non_null(strstr(answer, member));
    }
}

static void
rows_of_a_dialect_are_those_of_its_listeners(void **state)
{
    const struct console_audit_asked wrong = ask(1, NULL, "none");

    (void)state;
    page_of(ask(1, NULL, "two"));
    assert_string_equal(asked_of, ",two,");
    page_of(ask(1, NULL, "four"));
    assert_string_equal(asked_of, ",four-a,four-b,four-c,");
    page_of(ask(1, NULL, "three"));
    assert_string_equal(asked_of, ",");
    page_of(ask(1, NULL, ""));
    assert_string_equal(asked_of, "");
    page_of(ask(1, NULL, NULL));
    assert_string_equal(asked_of, "");
    answer = NULL;
    assert_int_equal(console_audit_get(&r, &wrong), ERR_BAD_PARAM);
    assert_int_equal(refused, CONSOLE_DIALECT_UNKNOWN);
    assert_null(answer);
}

static void
a_cursor_is_a_number(void **state)
{
    const struct console_key word = { { "x" } }, number = { { "3" } },
                             behind = { { "3x" } }, point = { { "3.0" } };
    const struct console_key *const wrong[] = { &word, &behind, &point };

    (void)state;
    n_rows = 4;
    assert_string_equal(
        page_of(ask(9, console_key_write(arena, &number), NULL)), "2 1");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const struct console_audit_asked in =
            ask(1, console_key_write(arena, wrong[i]), NULL);

        refused = -1;
        assert_int_equal(console_audit_get(&r, &in), ERR_BAD_PARAM);
        assert_int_equal(refused, CONSOLE_CURSOR);
    }
}

static void
a_row_by_its_id(void **state)
{
    struct console_audit_ref ref = { .id = 7 };

    (void)state;
    n_rows = 7;
    assert_int_equal(console_audit_row_get(&r, &ref), ERR_OK);
    assert_string_equal(ids(answer), "7");
    ref.id = 8;
    assert_int_equal(console_audit_row_get(&r, &ref), ERR_BAD_PARAM);
    assert_int_equal(refused, CONSOLE_AUDIT_UNKNOWN);
    broken_at = ref.id = 3;
    answer = NULL;
    assert_int_equal(console_audit_row_get(&r, &ref), ERR_STORE);
    assert_null(answer);
}

/* ---- exports ---- */

static void
an_export_goes_on_over_many_pages(void **state)
{
    const char *rest;

    (void)state;
    n_rows = 50;
    export_of(ask(49, NULL, NULL));
    assert_memory_equal(lines, "{\"id\":50,", 9);
    assert_string_equal(strrchr(ids(lines), ' '), " 2");
    assert_true(asked_whole);
    assert_string_equal(kept_tag, "id1");
    assert_non_null(next);
    rest = next;
    assert_string_equal(export_of(ask(49, rest, NULL)), "1");
    assert_null(next);
    export_of(ask(50, NULL, NULL));
    assert_string_equal(strrchr(ids(lines), ' '), " 1");
    assert_null(next);
    export_of(ask(1000, NULL, NULL));
    assert_string_equal(strrchr(ids(lines), ' '), " 1");
    assert_null(next);
    assert_string_equal(export_of(ask(1, NULL, NULL)), "50");
    assert_non_null(next);
}

static void
each_row_is_a_line(void **state)
{
    (void)state;
    n_rows = 3;
    listener_of = "two";
    export_of(ask(9, NULL, NULL));
    assert_string_equal(
        lines, "{\"id\":3,\"dialect\":\"two\",\"listener\":\"two\"}\n"
               "{\"id\":2,\"dialect\":\"two\",\"listener\":\"two\"}\n"
               "{\"id\":1,\"dialect\":\"two\",\"listener\":\"two\"}\n");
    n_rows = 0;
    assert_string_equal(export_of(ask(9, NULL, NULL)), "");
    assert_string_equal(lines, "");
}

/* Eight MiB are enough, however many were asked for; none is left out. */
static void
an_export_that_grows_large_ends_before(void **state)
{
    size_t many = 0, pages = 0;
    const char *cursor = NULL;

    (void)state;
    n_rows = 300;
    row_bytes = 50000;
    do {
        size_t n;

        export_of(ask(1000, cursor, NULL));
        cursor = next;
        n = strlen(lines);
        assert_true(cursor == NULL || (n >= 8u << 20 && n < 10u << 20));
        for (const char *p = lines; (p = strchr(p, '\n')) != NULL; p++)
            many++;
        pages++;
        /* a large one is no reason to keep all of them */
        arena_reset(arena);
        cursor =
            cursor == NULL
                ? NULL
                : console_key_write(
                      arena, &(struct console_key){ { arena_printf(
                                 arena, "%zu", (size_t)n_rows - many + 1) } });
    } while (cursor != NULL && pages < 9);
    assert_int_equal(many, 300);
    assert_int_equal(pages, 2);
}

static void
an_export_that_cannot_be_read_is_none(void **state)
{
    const struct console_audit_asked in = ask(1000, NULL, NULL);
    const struct console_audit_asked wrong = ask(9, "x", NULL);

    (void)state;
    n_rows = 60;
    broken_at = 5;
    assert_int_equal(console_audit_export(&r, &in), ERR_STORE);
    assert_null(lines);
    assert_int_equal(console_audit_export(&r, &wrong), ERR_BAD_PARAM);
    assert_null(lines);
}

static int
begin_here(void **state)
{
    int status;

    n_rows = broken_at = 0;
    row_bytes = 0;
    asked_of = lines = kept_tag = next = NULL;
    asked_whole = false;
    listener_of = "two";
    status = begin(state);
    errors[CONSOLE_CURSOR] = (struct error_text){
        .id = "CURSOR", .err = ERR_BAD_PARAM, .http = 400, .text = "cursor"
    };
    return status;
}
#define HERE(name) cmocka_unit_test_setup_teardown(name, begin_here, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(a_page_ends_at_its_limit),
        HERE(a_page_has_a_hundred_when_none_says_how_many),
        HERE(each_row_has_the_dialect_of_its_listener),
        HERE(rows_of_a_dialect_are_those_of_its_listeners),
        HERE(a_cursor_is_a_number),
        HERE(a_row_by_its_id),
        HERE(an_export_goes_on_over_many_pages),
        HERE(each_row_is_a_line),
        HERE(an_export_that_grows_large_ends_before),
        HERE(an_export_that_cannot_be_read_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
