/* The things of all dialects: in which order and on which page they come, and
 * what lies below what. */
#include "things_store.h"

static const char *
topology(struct console_things_asked in)
{
    assert_int_equal(console_topology_get(&r, &in), ERR_OK);
    return ids(answer);
}

#define ASK(...) topology((struct console_things_asked){ __VA_ARGS__ })

#define TWO                                                                \
    "two/instance/i1 two/instance/i2 two/cluster/i1/c1 two/cluster/i1/c2 " \
    "two/cluster/i2/c1"
#define FOUR "four/node/n1 four/disk/n1/d1 four/cluster/i1"

static void
all_dialects_come_one_after_the_other(void **state)
{
    (void)state;
    assert_string_equal(ASK(.level = NULL), TWO " " FOUR " five/feed/f1");
    assert_null(next);
}

static void
a_list_is_about_what_was_asked(void **state)
{
    (void)state;
    assert_string_equal(ASK(.dialect = "two"), TWO);
    assert_string_equal(ASK(.dialect = "four"), FOUR);
    assert_string_equal(ASK(.dialect = "one"), "");
    assert_string_equal(ASK(.dialect = "none"), "");
    assert_string_equal(ASK(.kind = "cluster"),
                        "two/cluster/i1/c1 two/cluster/i1/c2 "
                        "two/cluster/i2/c1 four/cluster/i1");
    assert_string_equal(ASK(.kind = "cluster", .dialect = "four"),
                        "four/cluster/i1");
    assert_string_equal(ASK(.kind = "move"), "");
    assert_string_equal(ASK(.level = "bad"), "two/cluster/i1/c2 five/feed/f1");
    assert_string_equal(ASK(.level = "warn"), "two/instance/i2");
}

static void
a_thing_lies_below_what_its_parent_says(void **state)
{
    (void)state;
    assert_string_equal(ASK(.under = "two/instance/i1"),
                        "two/cluster/i1/c1 two/cluster/i1/c2");
    assert_string_equal(ASK(.under = "two/instance/i2"), "two/cluster/i2/c1");
    assert_string_equal(ASK(.under = "four/node/n1"), "four/disk/n1/d1");
    assert_string_equal(ASK(.under = "four/node/n1", .kind = "disk"),
                        "four/disk/n1/d1");
    assert_string_equal(ASK(.under = "four/node/n1", .kind = "node"), "");
    assert_string_equal(ASK(.under = "two/node/n1"), "");
    assert_string_equal(ASK(.under = "four/instance/i1"), "");
    assert_string_equal(ASK(.under = "two/instance/i1/c1"), "");
    assert_string_equal(ASK(.under = ""), TWO " " FOUR " five/feed/f1");
}

static void
below_what_is_no_id_is_refused(void **state)
{
    static const char *const wrong[] = { "x",    "/",
                                         "//",   "two/instance",
                                         "two/", "two/instance/" };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const struct console_things_asked in = { .under = wrong[i] };

        refused = -1;
        assert_int_equal(console_topology_get(&r, &in), ERR_BAD_PARAM);
        assert_int_equal(refused, CONSOLE_UNDER);
        assert_null(answer);
    }
}

static void
a_thing_says_what_it_is(void **state)
{
    (void)state;
    ASK(.level = "bad", .dialect = "two");
    assert_string_equal(
        answer, "{\"items\":[{\"id\":\"two/cluster/i1/c2\",\"key\":\"i1/c2\","
                "\"parent\":\"two/instance/i1\",\"dialect\":\"two\","
                "\"kind\":\"cluster\",\"level\":\"bad\"}]}");
    ASK(.level = "warn");
    assert_string_equal(
        answer, "{\"items\":[{\"id\":\"two/instance/i2\",\"key\":\"i2\","
                "\"dialect\":\"two\",\"kind\":\"instance\","
                "\"level\":\"warn\"}]}");
}

/* Pages of each size hold what one page holds, in the same order. */
static void
pages_go_through_all_views(void **state)
{
    const char *whole = ASK(.level = NULL);

    (void)state;
    for (int32_t limit = 1; limit <= 10; limit++) {
        const char *cursor = NULL;
        struct buf b = BUF_INIT(4096);
        size_t n = 0;

        do {
            struct console_things_asked in = { .dialect = "", .kind = "" };

            PUT(&in, console_things_asked, limit, limit);
            if (cursor != NULL)
                PUT(&in, console_things_asked, cursor, cursor);
            buf_puts(&b, b.n > 0 ? " " : "");
            buf_puts(&b, topology(in));
            cursor = next;
            n++;
        } while (next != NULL && n < 20);
        assert_string_equal(buf_text(&b), whole);
        assert_int_equal(n, (9 + (size_t)limit - 1) / (size_t)limit);
        buf_free(&b);
    }
}

static const char *
cursor_at(const char *dialect_name, const char *kind, const char *k1,
          const char *k2)
{
    const struct console_key key = { { dialect_name, kind, k1, k2 } };

    return console_key_write(arena, &key);
}

static void
a_page_begins_behind_its_cursor(void **state)
{
    (void)state;
    assert_string_equal(ASK(.cursor = cursor_at("four", "node", "n1", "")),
                        "four/disk/n1/d1 four/cluster/i1 five/feed/f1");
    assert_string_equal(ASK(.cursor = cursor_at("two", "cluster", "i1", "c1")),
                        "two/cluster/i1/c2 two/cluster/i2/c1 " FOUR
                        " five/feed/f1");
    assert_string_equal(ASK(.cursor = cursor_at("four", "cluster", "a", "")),
                        "four/cluster/i1 five/feed/f1");
    assert_string_equal(ASK(.cursor = cursor_at("five", "feed", "f1", "")), "");
}

static void
a_cursor_of_no_view_is_refused(void **state)
{
    const char *const wrong[] = { cursor_at("none", "node", "n1", ""),
                                  cursor_at("four", "", "", ""),
                                  cursor_at("four", "instance", "i1", ""),
                                  cursor_at("two", "node", "n1", "") };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const struct console_things_asked in = { .dialect = "",
                                                 .kind = "",
                                                 .cursor = wrong[i] };

        refused = -1;
        assert_int_equal(console_topology_get(&r, &in), ERR_BAD_PARAM);
        assert_int_equal(refused, CONSOLE_CURSOR);
    }
}

/* Without memory it is not taken for a list of everything. */
static void
without_memory_nothing_is_listed(void **state)
{
    struct wish w;

    (void)state;
    leave_bytes(1);
    assert_int_equal(read_under(&r, "two/instance/i1", &w), ERR_NOMEM);
}

static void
a_view_that_cannot_be_read_ends_the_list(void **state)
{
    const struct console_things_asked in = { .dialect = "", .kind = "" };

    (void)state;
    broken = &four_views[0];
    assert_int_equal(console_topology_get(&r, &in), ERR_STORE);
    assert_null(answer);
}

static void
what_happened_is_a_list_of_its_own(void **state)
{
    const struct console_kind_asked in = { .level = NULL };

    (void)state;
    assert_int_equal(list_kind(&r, &in, "move", true), ERR_OK);
    assert_string_equal(ids(answer), "two/move/9 two/move/8");
    assert_int_equal(list_kind(&r, &in, "move", false), ERR_OK);
    assert_string_equal(ids(answer), "");
    assert_int_equal(list_kind(&r, &in, "node", false), ERR_OK);
    assert_string_equal(ids(answer), "four/node/n1");
    assert_int_equal(list_kind(&r, &in, "node", true), ERR_OK);
    assert_string_equal(ids(answer), "");
    assert_int_equal(console_changefeeds_get(&r, &in), ERR_OK);
    assert_string_equal(ids(answer), "");
    assert_int_equal(console_failovers_get(&r, &in), ERR_OK);
    assert_string_equal(ids(answer), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(all_dialects_come_one_after_the_other),
        HERE(a_list_is_about_what_was_asked),
        HERE(a_thing_lies_below_what_its_parent_says),
        HERE(below_what_is_no_id_is_refused),
        HERE(a_thing_says_what_it_is),
        HERE(pages_go_through_all_views),
        HERE(a_page_begins_behind_its_cursor),
        HERE(a_cursor_of_no_view_is_refused),
        HERE(without_memory_nothing_is_listed),
        HERE(a_view_that_cannot_be_read_ends_the_list),
        HERE(what_happened_is_a_list_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
