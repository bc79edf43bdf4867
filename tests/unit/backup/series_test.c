/* Whose data a server takes by their version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backup/backup_tool.h"

static void
two_numbers_make_a_series(void **state)
{
    static const struct {
        const char *theirs, *ours;
        bool same;
    } cases[] = {
        { "10.11.19", "10.11.3", true },
        { "10.11.19-MariaDB", "10.11.21-MariaDB-log", true },
        { "15.17", "15.17", true },
        { "15.17", "15.18", false },
        { "10.1.48", "10.11.3", false },
        { "10.11.3", "10.1.48", false },
        { "10", "10.11.3", false },
        { "10.11.3", "10", false },
        { "", "10.11.3", false },
        { "", "", false },
        { "10.6.4", "10.11.3", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (backup_same_series(cases[i].theirs, cases[i].ours) != cases[i].same)
            fail_msg("%s and %s", cases[i].theirs, cases[i].ours);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_numbers_make_a_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
