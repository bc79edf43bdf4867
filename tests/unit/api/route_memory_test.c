/* A routing table for which there is no memory, at each place in turn: that is
 * told, and nothing is served from half of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static int missing; /* the allocation that fails, counted from 0 */

static void *
cleared(size_t n, size_t size)
{
    return missing-- == 0 ? NULL : calloc(n, size);
}

static void *
grown(void *p, size_t size)
{
    return missing-- == 0 ? NULL : realloc(p, size);
}

#define calloc  cleared
#define realloc grown
#include "api/route.c"
#undef calloc
#undef realloc

static const struct row rows[] = {
    { .kind = ROW_MOUNT, .listener = "l", .prefix = "" },
    { .kind = ROW_ENDPOINT, .methods = GET, .path = "/x", .verb = "-" },
    { .kind = ROW_ENDPOINT, .methods = GET, .path = "/{y}", .verb = "-" },
};
static const struct dialect unit = { .name = "unit",
                                     .rows = rows,
                                     .n_rows = COUNT(rows) };

extern const struct dialect *const dialects[];
const struct dialect *const dialects[] = { &unit, NULL };

static void
begin_anew(void)
{
    for (size_t i = 0; i < table.n; i++) {
        free(table.group[i].path);
        free(table.group[i].rows);
    }
    free(table.group);
    free(table.slot);
    free(table.pattern);
    free(table.kind);
    memset(&table, 0, sizeof(table));
}

static void
each_of_its_parts_is_asked_for(void **state)
{
    struct route_match m;
    int i = 0;

    (void)state;
    for (enum err e = ERR_NOMEM; e != ERR_OK; i++) {
        begin_anew();
        missing = i;
        e = route_init();
        assert_true(e == ERR_NOMEM || e == ERR_OK);
        assert_true(e == ERR_OK || missing < 0);
    }
    assert_int_equal(i, 1 + 2 + 3 + 1); /* groups, their rows, three indexes */
    route_find("l", "/x", &m);
    assert_ptr_equal(m.group->rows[0], &rows[1]);
    route_find("l", "/z", &m);
    assert_ptr_equal(m.group->rows[0], &rows[2]);
    begin_anew();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_its_parts_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
