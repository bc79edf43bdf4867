/* What dialects tell operators of themselves: each statement of their views
 * fits the migrated schema, and kinds lie below kinds that there are. */
#include "statements.h"

#include <string.h>

#include "dialect.h"
#include "view.h"

static void
check(struct db *db, const struct view *all, const struct view *v)
{
    const char *const three[] = { v->page, v->count, v->worst };
    bool found = v->above == NULL;

    statements_prepare(db, three, COUNT(three));
    for (const struct view *o = all; o->kind != NULL; o++)
        if (v->above != NULL && strcmp(o->kind, v->above) == 0)
            found = true;
    if (!found)
        fail_msg("%s lies below %s, which is no kind", v->kind, v->above);
}

static void
each_view_fits_the_schema(void **state)
{
    size_t n = 0;

    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct view *v = dialects[i]->views;

        for (; v != NULL && v->kind != NULL; v++, n++)
            check(*state, dialects[i]->views, v);
    }
    assert_true(n > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_view_fits_the_schema),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
