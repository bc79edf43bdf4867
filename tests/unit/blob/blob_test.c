/* Names, urls, and a directory as a store; stores that are spoken to are
 * driven by wire/blob. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "blob/blob_kind.h"
#include "buf.h"
#include "ok.h"
#include "run_dir_fixture.h"

static const char *
below(const char *rest)
{
    return arena_printf(arena, "%s/%s", dir, rest);
}

static enum err
open_url(const char *url, struct blob_store **out)
{
    struct blob_config cfg = { .url = url,
                               .access_key = "a",
                               .secret_key = "s" };

    why[0] = '\0';
    return blob_open(arena, &cfg, out, why);
}

static struct blob_store *
store(void)
{
    struct blob_store *s;

    OK(open_url(arena_printf(arena, "file://%s", dir), &s));
    return s;
}

static void
a_key_has_an_alphabet_and_no_way_up(void **state)
{
    static const char *const keys[] = { "a", "a/b.c", "A-_9", "a.b/.c", "..." };
    static const char *const none[] = { "",     "/a",     "a/",      "a//b",
                                        "../x", "a/../b", "a/./b",   "a b",
                                        "a\n",  "a:b",    "\xc3\xa9" };
    char edge[BLOB_KEY_MAX + 2];

    (void)state;
    for (size_t i = 0; i + 1 < COUNT(keys); i++)
        assert_true(blob_is_key(keys[i]));
    assert_false(blob_is_key(keys[COUNT(keys) - 1]));
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(blob_is_key(none[i]));
    (void)memset(edge, 'k', sizeof(edge));
    edge[BLOB_KEY_MAX + 1] = '\0';
    assert_false(blob_is_key(edge));
    edge[BLOB_KEY_MAX] = '\0';
    assert_true(blob_is_key(edge));
}

static void
a_url_says_where(void **state)
{
    static const struct {
        const char *url, *endpoint, *base, *user, *bucket, *region;
    } rows[] = {
        { "file:///srv/b///", NULL, "/srv/b", NULL, NULL, NULL },
        { "webhdfs://n:9870/b/c//?user=me%20too", "http://n:9870", "/b/c",
          "me too", NULL, NULL },
        { "webhdfs://[::1]:1?user=u", "http://[::1]:1", "", "u", NULL, NULL },
        { "webhdfs://n/", "http://n", "", "hdfs", NULL, NULL },
        { "webhdfs://n/?x=1&user=b&user=c", "http://n", "", "b", NULL, NULL },
        { "s3://buc", "https://s3.us-east-1.amazonaws.com", "", NULL, "buc",
          "us-east-1" },
        { "s3://b.c-1/p/q/?region=eu-1", "https://s3.eu-1.amazonaws.com",
          "/p/q", NULL, "b.c-1", "eu-1" },
        { "s3://buc?endpoint=http://h:1&region=x", "http://h:1", "", NULL,
          "buc", "x" },
    };
    struct blob_store *s;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        OK(open_url(rows[i].url, &s));
        assert_string_equal(s->base, rows[i].base);
#define SAME(member)            \
    if (rows[i].member == NULL) \
        assert_null(s->member); \
    else                        \
        assert_string_equal(s->member, rows[i].member)
        SAME(endpoint);
        SAME(user);
        SAME(bucket);
        SAME(region);
#undef SAME
    }
}

static void
what_is_no_url_says_what_is_wrong(void **state)
{
    static const char *const rows[][2] = {
        { "", "must begin with" },
        { "file", "must begin with" },
        { "ftp://x/y", "must begin with" },
        { "files:///x", "must begin with" },
        { "file://x/y", "file:///directory" },
        { "file:///", "file:///directory" },
        { "file:///x?y", "file:///directory" },
        { "webhdfs:///x", "must be webhdfs://host:port" },
        { "webhdfs://a@b/x", "must be webhdfs://host:port" },
        { "webhdfs://b/../x", "directory that is none" },
        { "webhdfs://b/x?user=%zz", "user of the url" },
        { "s3://ab/x", "needs a bucket" },
        { "s3://Abc/x", "needs a bucket" },
        { "s3://abc/x/../y", "prefix that is none" },
        { "s3://abc?region=A", "region that is none" },
        { "s3://abc?endpoint=file:///etc", "endpoint that is no" },
        { "s3://abc?endpoint=http://h/", "endpoint that is no" },
        { "s3://abc?endpoint=http://u:p@h", "endpoint that is no" },
        { "s3://abc?endpoint=http://h%3fx", "endpoint that is no" },
        { "s3://abc?endpoint=http://h%23x", "endpoint that is no" },
        { "s3://abc?region=%00", "region of the url" },
    };
    struct blob_config cfg = { .url = "s3://abc" };
    struct blob_store *s;
    char bucket[80];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(open_url(rows[i][0], &s), ERR_BAD_PARAM);
        if (strstr(why, rows[i][1]) == NULL)
            fail_msg("%s: %s", rows[i][0], why);
    }
    assert_int_equal(blob_open(arena, &cfg, &s, why), ERR_BAD_PARAM);
    assert_non_null(strstr(why, "a secret key"));
    cfg.access_key = "a";
    assert_int_equal(blob_open(arena, &cfg, &s, why), ERR_BAD_PARAM);
    cfg.access_key = NULL;
    cfg.secret_key = "s";
    assert_int_equal(blob_open(arena, &cfg, &s, why), ERR_BAD_PARAM);
    (void)snprintf(bucket, sizeof(bucket), "s3://%063d", 1);
    OK(open_url(bucket, &s));
    (void)snprintf(bucket, sizeof(bucket), "s3://%064d", 1);
    assert_int_equal(open_url(bucket, &s), ERR_BAD_PARAM);
}

static void
a_root_is_not_left(void **state)
{
    static const struct {
        const char *url, *root, *base;
    } rows[] = {
        { "file:///srv/r", "/srv/r", "" },
        { "file:///srv/r/", "/srv/r/", "" },
        { "file:///srv/r/a/b", "/srv/r//", "a/b" },
        { "file:///srv/root", "/srv/r", NULL },
        { "file:///srv", "/srv/r", NULL },
        { "file:///srv/r/../x", "/srv/r", NULL },
        { "file:///srv/r", "srv", NULL },
        { "file:///srv/r", "", NULL },
    };
    struct blob_store *s;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct blob_config cfg = { .url = rows[i].url, .root = rows[i].root };

        assert_int_equal(blob_open(arena, &cfg, &s, why),
                         rows[i].base != NULL ? ERR_OK : ERR_BAD_PARAM);
        if (rows[i].base != NULL)
            assert_string_equal(s->base, rows[i].base);
    }
}

static void
a_status_has_a_class(void **state)
{
    static const struct {
        int status;
        enum err e;
    } rows[] = {
        { 404, ERR_NOT_FOUND }, { 401, ERR_DENIED }, { 403, ERR_DENIED },
        { 507, ERR_LIMIT },     { 413, ERR_LIMIT },  { 500, ERR_PEER },
        { 400, ERR_PEER },      { 302, ERR_PEER },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(blob_status(rows[i].status, "GET", why), rows[i].e);
    assert_string_equal(why, "GET: HTTP status 302");
}

/* ---- a directory ---- */

struct source {
    const char *p;
    size_t n, breaks; /* behind so many calls; 0: never */
};

static int64_t
give(void *ctx, char *p, size_t n)
{
    struct source *s = ctx;

    if (s->breaks != 0 && --s->breaks == 0)
        return -1;
    if (n > 3)
        n = 3;
    if (n > s->n)
        n = s->n;
    if (n > 0)
        memcpy(p, s->p, n);
    s->p += n;
    s->n -= n;
    return (int64_t)n;
}

static bool
take(void *ctx, const char *p, size_t n)
{
    buf_put(ctx, p, n);
    return buf_err(ctx) == ERR_OK;
}

static bool
refuse(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return false;
}

static bool
stop(void *ctx)
{
    (void)ctx;
    return false;
}

static const char *
text_at(struct blob_store *s, const char *key, int64_t offset)
{
    struct buf b = BUF_INIT(1000);
    const char *out;

    OK(blob_get(s, key, offset, take, &b, why));
    out = arena_strndup(arena, buf_text(&b), b.n);
    buf_free(&b);
    return out;
}

/* Names in a folder, hidden ones too. */
static size_t
names_in(const char *rest)
{
    DIR *d = opendir(below(rest));
    size_t n = 0;

    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(d);
    return n;
}

static enum err
put(struct blob_store *s, const char *key, const char *text, size_t breaks,
    struct blob_sum *sum)
{
    struct source from = { text, strlen(text), breaks };

    return blob_put(s, key, give, &from, sum, why);
}

static void
what_is_put_is_there_whole(void **state)
{
    struct blob_store *s = store();
    struct blob_sum sum;
    int64_t bytes = -1;

    (void)state;
    OK(put(s, "a/b/c", "some bytes", 0, &sum));
    assert_int_equal(sum.bytes, 10);
    assert_string_equal(sum.sha256, "0d22cdcc10e6d049dbe1af5123d50873"
                                    "fdfc1a4f58306e58cb6241be9472014d");
    OK(blob_size(s, "a/b/c", &bytes, why));
    assert_int_equal(bytes, 10);
    assert_string_equal(text_at(s, "a/b/c", 0), "some bytes");
    assert_string_equal(text_at(s, "a/b/c", 5), "bytes");
    assert_string_equal(text_at(s, "a/b/c", 10), "");
    OK(put(s, "a/b/c", "other", 0, &sum));
    assert_string_equal(text_at(s, "a/b/c", 0), "other");
    assert_int_equal(names_in("a/b"), 1);
    OK(blob_drop(s, "a/b/c", why));
    OK(blob_drop(s, "a/b/c", why));
    OK(blob_drop(s, "never/was", why));
    assert_int_equal(blob_size(s, "a/b/c", &bytes, why), ERR_NOT_FOUND);
    assert_int_equal(blob_size(s, "a/b", &bytes, why), ERR_NOT_FOUND);
    assert_int_equal(names_in("a/b"), 0);
}

static void
what_breaks_off_changes_nothing(void **state)
{
    struct blob_store *s = store();
    struct buf b = BUF_INIT(100);
    struct blob_sum sum;

    (void)state;
    OK(put(s, "k", "whole", 0, &sum));
    assert_int_equal(put(s, "k", "broken off", 3, &sum), ERR_STATE);
    assert_string_equal(why, "broken off");
    assert_string_equal(text_at(s, "k", 0), "whole");
    assert_int_equal(blob_get(s, "k", 0, refuse, NULL, why), ERR_STATE);
    s->cfg.go_on = stop;
    assert_int_equal(put(s, "k", "stopped", 0, &sum), ERR_STATE);
    assert_int_equal(blob_get(s, "k", 0, take, &b, why), ERR_STATE);
    s->cfg.go_on = NULL;
    buf_free(&b);
    assert_string_equal(text_at(s, "k", 0), "whole");
    assert_int_equal(names_in(""), 1);
    /* what one who was killed has left goes with the file */
    assert_int_equal(rename(below("k"), below(".k.new")), 0);
    OK(blob_drop(s, "k", why));
    assert_int_equal(names_in(""), 0);
}

static void
what_is_to_be_new_replaces_nothing(void **state)
{
    struct blob_store *s = store();

    (void)state;
    OK(blob_put_span(s, "n", (struct span){ "one", 3 }, true, why));
    assert_int_equal(
        blob_put_span(s, "n", (struct span){ "two", 3 }, true, why),
        ERR_EXISTS);
    assert_string_equal(text_at(s, "n", 0), "one");
    OK(blob_put_span(s, "n", (struct span){ "two", 3 }, false, why));
    assert_string_equal(text_at(s, "n", 0), "two");
    assert_int_equal(names_in(""), 1);
}

static void
a_key_that_is_none_reaches_no_store(void **state)
{
    struct blob_store *s = store();
    struct buf b = BUF_INIT(100);
    struct blob_sum sum;
    int64_t bytes;

    (void)state;
    assert_int_equal(put(s, "../x", "x", 0, &sum), ERR_BAD_PARAM);
    assert_int_equal(
        blob_put_span(s, "../x", (struct span){ "x", 1 }, false, why),
        ERR_BAD_PARAM);
    assert_int_equal(blob_get(s, "../x", 0, take, &b, why), ERR_BAD_PARAM);
    assert_int_equal(blob_size(s, "../x", &bytes, why), ERR_BAD_PARAM);
    assert_int_equal(blob_drop(s, "../x", why), ERR_BAD_PARAM);
    assert_non_null(strstr(why, "is no name"));
}

static void
lines_come_and_go_whole(void **state)
{
    struct blob_store *s = store();
    const char *text;

    (void)state;
    OK(blob_text(s, arena, "i", &text, why));
    assert_string_equal(text, "");
    OK(blob_drop_line(s, arena, "i", "/a", why));
    assert_int_equal(names_in(""), 0);
    OK(blob_add_line(s, arena, "i", "/a", why));
    OK(blob_add_line(s, arena, "i", "/ab", why));
    OK(blob_add_line(s, arena, "i", "/a", why));
    OK(blob_drop_line(s, arena, "i", "/", why));
    OK(blob_text(s, arena, "i", &text, why));
    assert_string_equal(text, "/a\n/ab\n/a\n");
    OK(blob_drop_line(s, arena, "i", "/a", why));
    OK(blob_text(s, arena, "i", &text, why));
    assert_string_equal(text, "/ab\n");
    /* one whose end was not written */
    OK(blob_put_span(s, "i", (struct span){ "x\n/ab", 5 }, false, why));
    OK(blob_drop_line(s, arena, "i", "/ab", why));
    OK(blob_text(s, arena, "i", &text, why));
    assert_string_equal(text, "x\n");
}

/* A store whose answers are counted. */
static enum err replies[4];
static size_t asked;

static enum err
answers(struct blob_store *s, const char *key, int64_t offset,
        blob_write_fn *write, void *ctx, char text[WHY_BYTES])
{
    (void)s;
    (void)key;
    (void)offset;
    (void)text;
    (void)write(ctx, "half", 4); /* of an answer that may break off */
    return replies[asked++];
}

static void
a_small_text_is_asked_for_three_times(void **state)
{
    static const struct blob_kind kind = { .scheme = "x", .get = answers };
    static const struct {
        enum err replies[4];
        enum err e;
        size_t asked;
    } rows[] = {
        { { ERR_OK }, ERR_OK, 1 },
        { { ERR_PEER, ERR_TIMEOUT, ERR_OK }, ERR_OK, 3 },
        { { ERR_PEER, ERR_PEER, ERR_PEER, ERR_OK }, ERR_PEER, 3 },
        { { ERR_DENIED, ERR_OK }, ERR_DENIED, 1 },
    };
    struct blob_store s = { .kind = &kind };
    const char *text;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memcpy(replies, rows[i].replies, sizeof(replies));
        asked = 0;
        assert_int_equal(blob_text(&s, arena, "k", &text, why), rows[i].e);
        assert_int_equal(asked, rows[i].asked);
        if (rows[i].e == ERR_OK)
            assert_string_equal(text, "half");
        else
            assert_null(text);
    }
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(a_key_has_an_alphabet_and_no_way_up),
        ROW(a_url_says_where),
        ROW(what_is_no_url_says_what_is_wrong),
        ROW(a_root_is_not_left),
        ROW(a_status_has_a_class),
        ROW(what_is_put_is_there_whole),
        ROW(what_breaks_off_changes_nothing),
        ROW(what_is_to_be_new_replaces_nothing),
        ROW(a_key_that_is_none_reaches_no_store),
        ROW(lines_come_and_go_whole),
        ROW(a_small_text_is_asked_for_three_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
