/* Secrets at rest and the key file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static char folder[] = "/var/tmp/mgcrypt.XXXXXX";
static char path[64];

static void
write_keys(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, true);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int
make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder); /* fails when a temporary file was left */
}

static int
setup(void **state)
{
    *state = arena_new(1u << 20);
    (void)unlink(path);
    write_keys("1 " KEY_A "\n", 0600);
    return *state != NULL && crypt_load(path) == ERR_OK ? 0 : -1;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static const char *
seal(struct arena *a, const char *text)
{
    const char *sealed;

    assert_int_equal(
        crypt_seal(a, "doris_obj", "i1", "ak", text, strlen(text), &sealed),
        ERR_OK);
    return sealed;
}

static void
a_sealed_text_opens_at_its_place(void **state)
{
    static const char *const texts[] = { "", "x", "AKIA0123", "ключ\n\"'|" };
    const char *out;

    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak",
                                    seal(*state, texts[i]), &out),
                         ERR_OK);
        assert_string_equal(out, texts[i]);
    }
}

static void
a_sealed_text_hides_its_plain_text_and_differs_each_time(void **state)
{
    const char *one = seal(*state, "AKIA0123"), *two = seal(*state, "AKIA0123");

    assert_null(strstr(one, "AKIA"));
    assert_string_not_equal(one, two);
    assert_int_equal(strncmp(one, "v1:1:", 5), 0);
}

static void
a_sealed_text_moved_elsewhere_does_not_open(void **state)
{
    static const struct {
        const char *table, *row, *column;
    } elsewhere[] = {
        { "doris_obj", "i2", "ak" },
        { "doris_obj", "i1", "sk" },
        { "doris_vault", "i1", "ak" },
        { "doris_obj", "i1|ak", "" },
    };
    const char *sealed = seal(*state, "AKIA0123"), *out;

    for (size_t i = 0; i < COUNT(elsewhere); i++)
        assert_int_equal(crypt_open(*state, elsewhere[i].table,
                                    elsewhere[i].row, elsewhere[i].column,
                                    sealed, &out),
                         ERR_STATE);
}

static void
a_sealed_text_with_any_byte_changed_does_not_open(void **state)
{
    const char *sealed = seal(*state, "AKIA0123"), *out;
    char *bad = arena_strdup(*state, sealed);

    for (size_t i = 0; bad[i] != '\0'; i++) {
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", bad, &out),
                         ERR_STATE);
        bad[i] = sealed[i];
    }
    for (size_t i = 0; i < strlen(sealed); i++) {
        bad[i] = '\0';
        assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", bad, &out),
                         ERR_STATE);
        bad[i] = sealed[i];
    }
}

static void
old_keys_decrypt_and_the_last_one_encrypts(void **state)
{
    const char *old = seal(*state, "before"), *out;

    write_keys("# rotated\n1 " KEY_A "\n7 " KEY_B "\n", 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_id(), 7);
    assert_int_equal(crypt_sealed_key_id(seal(*state, "after")), 7);
    assert_int_equal(crypt_sealed_key_id(old), 1);
    assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", old, &out),
                     ERR_OK);
    assert_string_equal(out, "before");
    write_keys("7 " KEY_B "\n", 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", old, &out),
                     ERR_STATE);
}

static void
each_of_many_keys_opens_what_it_has_sealed(void **state)
{
    const char *sealed[4], *out;

    (void)unlink(path);
    assert_int_equal(crypt_create(path), ERR_OK);
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            assert_int_equal(crypt_add_key(path), ERR_OK);
        assert_int_equal(crypt_load(path), ERR_OK);
        assert_int_equal(crypt_key_id(), i + 1);
        sealed[i] = arena_strdup(*state, seal(*state, "x"));
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(crypt_sealed_key_id(sealed[i]), i + 1);
        assert_int_equal(
            crypt_open(*state, "doris_obj", "i1", "ak", sealed[i], &out),
            ERR_OK);
        assert_string_equal(out, "x");
    }
}

static void
a_key_id_cannot_be_swapped_for_another(void **state)
{
    char *sealed = arena_strdup(*state, seal(*state, "x"));
    const char *out;

    write_keys("1 " KEY_A "\n2 " KEY_A "\n", 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    sealed[3] = '2'; /* the same key bytes, yet another id */
    assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", sealed, &out),
                     ERR_STATE);
}

static void
a_bad_key_file_is_refused_and_the_keys_stay(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "1\n",
        "1 " KEY_A "0\n",
        "1 abc\n",
        "0 " KEY_A "\n",
        "-1 " KEY_A "\n",
        "1000000000 " KEY_A "\n",
        "1 " KEY_A " x\n",
        "1 " KEY_A "\n1 " KEY_B "\n",
        "x " KEY_A "\n",
    };
    const char *sealed = seal(*state, "x"), *out;

    for (size_t i = 0; i < COUNT(bad); i++) {
        write_keys(bad[i], 0600);
        assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    }
    (void)unlink(path);
    assert_int_equal(crypt_load(path), ERR_NOT_FOUND);
    assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", sealed, &out),
                     ERR_OK);
}

static void
a_key_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    write_keys("1 " KEY_A "\n", 0644);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    write_keys("1 " KEY_A "\n", 0660);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    write_keys("1 " KEY_A "\n", 0640);
    assert_int_equal(crypt_load(path), ERR_OK);
}

static void
creating_a_key_never_replaces_one(void **state)
{
    const char *sealed, *out;
    struct stat st;

    (void)unlink(path);
    assert_int_equal(crypt_create(path), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    sealed = seal(*state, "kept");
    assert_int_equal(crypt_create(path), ERR_EXISTS);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", sealed, &out),
                     ERR_OK);
}

static void
adding_a_key_keeps_the_old_ones(void **state)
{
    const char *sealed = seal(*state, "kept"), *out;
    struct stat st;

    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_id(), 3);
    assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", sealed, &out),
                     ERR_OK);
    (void)unlink(path);
    assert_int_equal(crypt_add_key(path), ERR_NOT_FOUND);
}

static void
base64_comes_back_and_junk_is_refused(void **state)
{
    static const char *const junk[] = { "A",    "AA",    "AAA",  "A===", "AA=A",
                                        "AA A", "AA\n=", "====", "AAAA=" };
    struct span out;
    char *nothing;

    for (size_t n = 0; n < 70; n++) {
        assert_int_equal(
            crypt_unbase64(*state, crypt_base64(*state, KEY_A, n), &out),
            ERR_OK);
        assert_int_equal(out.n, n);
        assert_memory_equal(out.p, KEY_A, n);
    }
    for (size_t n = 0; n < COUNT(junk); n++)
        assert_int_equal(crypt_unbase64(*state, junk[n], &out), ERR_BAD_PARAM);
    nothing = calloc(1, 1); /* a byte before it is nobody's */
    assert_non_null(nothing);
    assert_int_equal(crypt_unbase64(*state, nothing, &out), ERR_OK);
    assert_int_equal(out.n, 0);
    free(nothing);
}

static void
digests_and_random_are_what_they_say(void **state)
{
    char hex[65];

    (void)state;
    crypt_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad");
    assert_true(crypt_equal("abc", "abc", 3));
    assert_false(crypt_equal("abc", "abd", 3));
}

/* RFC 7914, section 12 has none of these parameters; this is Python's. */
static void
hashes_of_passwords_are_scrypt(void **state)
{
    char out[65];

    (void)state;
    assert_int_equal(crypt_scrypt_hex("password", "NaCl", out), ERR_OK);
    assert_string_equal(out, "3fa85118fffe9732da7f4c63ef61f5c6"
                             "458144d036401f8829dd4e5b2c50c51f");
}

/* RFC 4231, test case 2. */
static void
hmac_is_that_of_the_standard(void **state)
{
    static const unsigned char expected[] = {
        0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
        0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
        0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
    };
    const char *text = "what do ya want for nothing?";
    unsigned char out[32];

    (void)state;
    assert_int_equal(crypt_hmac("Jefe", 4, text, strlen(text), out), ERR_OK);
    assert_memory_equal(out, expected, sizeof(out));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(hashes_of_passwords_are_scrypt),
        TEST(hmac_is_that_of_the_standard),
        TEST(a_sealed_text_opens_at_its_place),
        TEST(a_sealed_text_hides_its_plain_text_and_differs_each_time),
        TEST(a_sealed_text_moved_elsewhere_does_not_open),
        TEST(a_sealed_text_with_any_byte_changed_does_not_open),
        TEST(old_keys_decrypt_and_the_last_one_encrypts),
        TEST(each_of_many_keys_opens_what_it_has_sealed),
        TEST(a_key_id_cannot_be_swapped_for_another),
        TEST(a_bad_key_file_is_refused_and_the_keys_stay),
        TEST(a_key_file_that_others_can_read_is_refused),
        TEST(creating_a_key_never_replaces_one),
        TEST(adding_a_key_keeps_the_old_ones),
        TEST(base64_comes_back_and_junk_is_refused),
        TEST(digests_and_random_are_what_they_say),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
