/* Of a name given twice the later one is told, whatever the sort does with
 * names that are equal: glibc's keeps their order, others need not. */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"

static bool turned; /* equals: in the other order */

static void
swap(char *a, char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = a[i];

        a[i] = b[i];
        b[i] = c;
    }
}

/* In place of libc's: one by one to where it belongs. */
void
qsort_r(void *base, size_t n, size_t size,
        int (*compare)(const void *, const void *, void *), void *arg)
{
    char *v = base;

    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0; k--) {
            char *a = v + (k - 1) * size, *b = v + k * size;
            int by = compare(a, b, arg);

            if (by < 0 || (by == 0 && !turned))
                break;
            swap(a, b, size);
        }
}

static void
refuses(const char *text, size_t offset)
{
    const struct json *j;
    struct json_error why;

    assert_int_equal(
        json_parse(arena, text, strlen(text), JSON_STRICT, &j, &why),
        ERR_BAD_PARAM);
    assert_string_equal(why.reason, "name given twice: a");
    assert_int_equal(why.offset, offset);
}

static void
of_a_name_given_twice_the_later_one_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        turned = i == 1;
        refuses("{\"a\":1,\"a\":2}", 7);
        refuses("{\"b\":1,\"a\":2,\"c\":3,\"a\":4}", 19);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_name_given_twice_the_later_one_is_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
