/* Texts that operations have in common: gpids and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pegasus/core/state.h"
#include "pegasus/outcome.h"

static void
a_gpid_has_one_spelling(void **state)
{
    static const struct {
        const char *text;
        int32_t app_id, pidx;
    } right[] = {
        { "1.0", 1, 0 },
        { "0.0", 0, 0 },
        { "12.345", 12, 345 },
        { "2147483647.2147483647", INT32_MAX, INT32_MAX },
    };
    static const char *const wrong[] = {
        "",
        ".",
        "1",
        "1.",
        ".1",
        "01.1",
        "1.01",
        "00.1",
        "1.1.",
        "1.1 ",
        " 1.1",
        "-1.1",
        "1.-1",
        "+1.1",
        "1.x",
        "x.1",
        "/.1",
        "1./",
        ":.1",
        "1.:",
        "1.1.1",
        "2147483648.1",
        "1.2147483648",
        "1,1",
        "1.99999999999",
        "99999999999999999999.1",
    };
    char text[PEGASUS_GPID_BYTES];
    int32_t app_id, pidx;

    (void)state;
    for (size_t i = 0; i < COUNT(right); i++) {
        assert_true(pegasus_gpid(right[i].text, &app_id, &pidx));
        assert_int_equal(app_id, right[i].app_id);
        assert_int_equal(pidx, right[i].pidx);
        assert_string_equal(pegasus_gpid_text(app_id, pidx, text),
                            right[i].text);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(pegasus_gpid(wrong[i], &app_id, &pidx));
}

static void
an_address_is_a_name_and_a_port(void **state)
{
    static const char *const right[] = { "a:1", "10.0.0.1:34801", "[::1]:5",
                                         "a-b_c.D:65535" };
    static const char *const wrong[] = {
        "",      "a",     "a:",    ":1",      "a:x",
        "a,b:1", "a b:1", "a@b:1", "a:65536", "\xc3\xa4:1"
    };
    char text[PG_ADDRESS_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(right); i++)
        assert_true(pegasus_is_address(right[i]));
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(pegasus_is_address(wrong[i]));
    memset(text, 'x', sizeof(text));
    (void)strcpy(text + PG_ADDRESS_BYTES - 3, ":1");
    assert_int_equal(strlen(text), PG_ADDRESS_BYTES - 1);
    assert_true(pegasus_is_address(text));
    (void)strcpy(text + PG_ADDRESS_BYTES - 2, ":1");
    text[PG_ADDRESS_BYTES - 3] = 'x';
    assert_false(pegasus_is_address(text));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gpid_has_one_spelling),
        cmocka_unit_test(an_address_is_a_name_and_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
