/* The help of a listener: each of its paths once, in order. */
#include "pegasus/pegasus.h"
#include "pegasus/server/server.h"

static enum err
keep(struct req *req, const struct record *rec, const void *out);

#define req_send keep
#include "pegasus/server/server.c"

#include "request/request.h"

static const char *said; /* "path=doc path=doc" */

static enum err
keep(struct req *req, const struct record *rec, const void *out)
{
    const struct pegasus_texts *t = out;

    (void)rec;
    said = "";
    for (size_t i = 0; i < t->pairs.n; i++)
        said = arena_printf(req->arena, "%s%s%s=%s", said, i > 0 ? " " : "",
                            t->pairs.v[i].key, t->pairs.v[i].value.v);
    return ERR_OK;
}

#define ON(l)                              \
    {                                      \
        .kind = ROW_MOUNT, .listener = (l) \
    }
#define AT(p, d)                                      \
    {                                                 \
        .kind = ROW_ENDPOINT, .path = (p), .doc = (d) \
    }

static const char *
help(const char *listener, const struct row *rows, size_t n)
{
    const struct dialect d = { .name = "unit", .rows = rows, .n_rows = n };

    said = NULL;
    r.listener = listener;
    r.dialect = &d;
    assert_int_equal(pegasus_help_get(&r, &(struct none){ 0 }), ERR_OK);
    r.dialect = &dialect;
    return said;
}

static void
each_path_is_told_once_and_in_order(void **state)
{
    static const struct row rows[] = { ON("meta"),    AT("/c", "3"),
                                       AT("/a", "1"), AT("/d", "4"),
                                       AT("/c", "3"), AT("/b", "2"),
                                       AT("/c", "3"), AT("/e", "5") };

    (void)state;
    assert_string_equal(help("meta/m1", rows, COUNT(rows)),
                        "/a=1 /b=2 /c=3 /d=4 /e=5");
    assert_string_equal(help("meta", rows, COUNT(rows)),
                        "/a=1 /b=2 /c=3 /d=4 /e=5");
}

/* Mounts that follow each other govern the same rows. */
static void
a_listener_has_the_paths_of_its_mounts(void **state)
{
    static const struct row rows[] = {
        ON("meta"), AT("/a", "1"), ON("replica"), AT("/b", "2"), ON("replica"),
        ON("meta"), AT("/c", "3"), ON("meta"),    ON("other"),   AT("/d", "4"),
    };

    (void)state;
    assert_string_equal(help("meta/m1", rows, COUNT(rows)), "/a=1 /c=3 /d=4");
    assert_string_equal(help("replica/r1", rows, COUNT(rows)), "/b=2 /c=3");
    assert_string_equal(help("other", rows, COUNT(rows)), "/d=4");
    assert_string_equal(help("met", rows, COUNT(rows)), "");
    assert_string_equal(help("metamorph", rows, COUNT(rows)), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_path_is_told_once_and_in_order),
        CASE(a_listener_has_the_paths_of_its_mounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
