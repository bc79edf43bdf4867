/* Lists of directories, taken apart and looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kunlun/machine/dirs.h"

static void
a_list_has_what_stands_between_semicolons(void **state)
{
    static const struct {
        const char *list, *has[3];
    } tried[] = {
        { "/a;/b/c;/d", { "/a", "/b/c", "/d" } },
        { "/a", { "/a" } },
        { ";/a;;/b;", { "/a", "/b" } },
        { ";;", { NULL } },
        { "", { NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(tried); i++) {
        const char *rest = tried[i].list;
        struct span s;
        size_t n = 0;

        for (; machine_dirs_next(&rest, &s); n++) {
            assert_true(n < 3 && tried[i].has[n] != NULL);
            assert_int_equal(s.n, strlen(tried[i].has[n]));
            assert_memory_equal(s.p, tried[i].has[n], s.n);
        }
        assert_true(n == 3 || tried[i].has[n] == NULL);
        assert_int_equal(*rest, '\0');
        assert_false(machine_dirs_next(&rest, &s));
    }
}

static void
what_is_no_directory_is_told_once(void **state)
{
    const char *const lists[PLACEMENT_CLASS__MAX] = {
        [PLACEMENT_DATA] = "/none/a;;/none/b;/none/c",
        [PLACEMENT_LOG] = "/none/a;/none/c",
    };
    struct arena *a = arena_new(1 << 16);
    struct machine_dirs d;
    const char *wrong;

    (void)state;
    assert_int_equal(machine_dirs_look(a, 5, lists, &d), ERR_OK);
    assert_int_equal(d.n, 0);
    assert_int_equal(d.n_wrong, 3);
    assert_int_equal(machine_dirs_wrong(&d, 100, &wrong), ERR_OK);
    assert_string_equal(wrong, "/none/a;/none/b;/none/c");
    assert_int_equal(machine_dirs_look(a, 1, lists, &d), ERR_LIMIT);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_what_stands_between_semicolons),
        cmocka_unit_test(what_is_no_directory_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
