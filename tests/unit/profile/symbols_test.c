/* Names of functions: static ones of a position-independent executable, and
 * those of libraries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/symbols.h"

static int __attribute__((noinline)) a_static_function(int x)
{
    return x * 3 + 1;
}

static uint64_t
address(int (*f)(int))
{
    return (uint64_t)(uintptr_t)f;
}

static void
static_functions_have_names(void **state)
{
    (void)state;
    assert_true(symbols_lock() > 100);
    assert_string_equal(symbols_find(address(a_static_function)),
                        "a_static_function");
    assert_string_equal(symbols_find(address(a_static_function) + 2),
                        "a_static_function");
    symbols_unlock();
    assert_int_equal(a_static_function(2), 7);
}

static void
functions_of_libraries_have_names(void **state)
{
    (void)state;
    (void)symbols_lock();
    assert_non_null(
        symbols_find((uint64_t)(uintptr_t)&_cmocka_run_group_tests));
    symbols_unlock();
}

static void
addresses_of_nothing_have_none(void **state)
{
    (void)state;
    (void)symbols_lock();
    assert_null(symbols_find(0));
    assert_null(symbols_find(1));
    assert_null(symbols_find(UINT64_MAX));
    symbols_unlock();
}

static void
an_address_is_of_the_file_it_is_mapped_from(void **state)
{
    (void)state;
    (void)symbols_lock();
    assert_string_equal(symbols_file(address(a_static_function)),
                        "symbols_test");
    assert_memory_equal(
        symbols_file((uint64_t)(uintptr_t)&_cmocka_run_group_tests),
        "libcmocka.so", strlen("libcmocka.so"));
    assert_null(symbols_file(1));
    assert_null(symbols_file((uint64_t)(uintptr_t)&state)); /* the stack */
    symbols_unlock();
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_functions_have_names),
        cmocka_unit_test(functions_of_libraries_have_names),
        cmocka_unit_test(addresses_of_nothing_have_none),
        cmocka_unit_test(an_address_is_of_the_file_it_is_mapped_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
