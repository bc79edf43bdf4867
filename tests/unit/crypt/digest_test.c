/* A digest of pieces is that of the whole, and begins anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <string.h>

#include "crypt.h"
#include "crypt/digest.h"

#define ABC                            \
    "ba7816bf8f01cfea414140de5dae2223" \
    "b00361a396177a9cb410ff61f20015ad"
#define NOTHING                        \
    "e3b0c44298fc1c149afbf4c8996fb924" \
    "27ae41e4649b934ca495991b7852b855"

static bool fails;

/* libcrypto's, in whose place this stands. */
int EVP_DigestUpdate(void *ctx, const void *p, size_t n);

int
EVP_DigestUpdate(void *ctx, const void *p, size_t n)
{
    static int (*real)(void *, const void *, size_t);

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "EVP_DigestUpdate");
    return fails ? 0 : real(ctx, p, n);
}

static void
pieces_are_one_text(void **state)
{
    struct digest *d = digest_new();
    char hex[65];

    (void)state;
    assert_non_null(d);
    for (int round = 0; round < 2; round++) {
        assert_true(digest_add(d, "a", 1));
        assert_true(digest_add(d, "", 0));
        assert_true(digest_add(d, "bcd", 2));
        assert_int_equal(digest_hex(d, hex), ERR_OK);
        assert_string_equal(hex, ABC);
    }
    assert_int_equal(digest_hex(d, hex), ERR_OK);
    assert_string_equal(hex, NOTHING);
    digest_free(d);
    digest_free(NULL);
}

static void
without_one_piece_there_is_no_digest(void **state)
{
    struct digest *d = digest_new();
    char hex[65];

    (void)state;
    assert_non_null(d);
    assert_true(digest_add(d, "a", 1));
    fails = true;
    assert_false(digest_add(d, "b", 1));
    fails = false;
    assert_false(digest_add(d, "c", 1));
    assert_int_equal(digest_hex(d, hex), ERR_INTERNAL);
    assert_true(digest_add(d, "abc", 3)); /* it has begun anew */
    assert_int_equal(digest_hex(d, hex), ERR_OK);
    assert_string_equal(hex, ABC);
    digest_free(d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_one_text),
        cmocka_unit_test(without_one_piece_there_is_no_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
