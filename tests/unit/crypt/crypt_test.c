/* Secrets at rest and the key file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"
#include "crypt/crypt_keys.h"

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
    return rmdir(folder);
}

static int
setup(void **state)
{
    *state = arena_new(1u << 20);
    (void)unlink(path);
    write_keys("1 " KEY_A "\n", 0600);
    return *state != NULL && crypt_load(path) == ERR_OK ? 0 : -1;
}

/* That no temporary file was left. */
static int
only_the_key_is_there(void)
{
    DIR *d = opendir(folder);
    int others = d == NULL;

    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        others += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
                  strcmp(e->d_name, "key") != 0;
    if (d != NULL)
        (void)closedir(d);
    return others;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return only_the_key_is_there();
}

/* Before any test has loaded one. */
static void
without_a_key_nothing_is_sealed(void **state)
{
    struct arena *a = arena_new(1u << 16);
    struct crypt_key key;
    const char *out;

    (void)state;
    assert_int_equal(crypt_key_id(), 0);
    assert_int_equal(crypt_key_at(0), 0);
    assert_false(crypt_key_newest(&key));
    assert_int_equal(crypt_seal(a, "t", "r", "c", "x", 1, &out), ERR_STATE);
    assert_int_equal(crypt_open(a, "t", "r", "c", "v1:1:AAAA", &out),
                     ERR_STATE);
    arena_free(a);
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
        { "", "i1", "ak" },
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

/* What another process has rotated is known at the next use. */
static void
a_file_that_was_replaced_is_read_again(void **state)
{
    const char *sealed, *out;

    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(crypt_key_id(), 1); /* not before */
    assert_int_equal(crypt_sealed_key_id(seal(*state, "x")), 2);
    assert_int_equal(crypt_key_id(), 2);
    sealed = seal(*state, "of the second");
    write_keys("1 " KEY_A "\n", 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    (void)unlink(path);
    write_keys("1 " KEY_A "\n2 " KEY_B "\n", 0600);
    /* it opens nothing, but by the key of that id that there is now */
    assert_int_equal(crypt_open(*state, "doris_obj", "i1", "ak", sealed, &out),
                     ERR_STATE);
    assert_int_equal(crypt_key_id(), 2);
    write_keys("1 " KEY_A "\nnonsense\n", 0600); /* the keys stay */
    assert_int_equal(crypt_sealed_key_id(seal(*state, "x")), 2);
    (void)unlink(path);
    assert_int_equal(crypt_sealed_key_id(seal(*state, "x")), 2);
    write_keys("5 " KEY_B "\n", 0600);
    assert_int_equal(
        crypt_open(*state, "doris_obj", "i1", "ak", "v1:5:AAAA", &out),
        ERR_STATE);
    assert_int_equal(crypt_key_id(), 5);
}

static void
a_file_that_is_as_it_was_is_not_read_again(void **state)
{
    struct timespec times[2];
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    write_keys("9 " KEY_B "\n", 0600); /* in place, and dated back */
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(crypt_sealed_key_id(seal(*state, "x")), 1);
    times[1].tv_nsec ^= 1;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(crypt_sealed_key_id(seal(*state, "x")), 9);
    write_keys("10 " KEY_B "\n", 0600);
    times[1].tv_sec++;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(crypt_sealed_key_id(seal(*state, "x")), 10);
}

static void
keys_are_listed_in_their_order(void **state)
{
    (void)state;
    write_keys("3 " KEY_A "\n2 " KEY_B "\n", 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_at(0), 3);
    assert_int_equal(crypt_key_at(1), 2);
    assert_int_equal(crypt_key_at(2), 0);
    assert_int_equal(crypt_key_id(), 2);
}

/* SHA-256 of the words, the id and the 32 bytes, as Python has it. */
static void
a_fingerprint_tells_keys_of_one_id_apart(void **state)
{
    char one[CRYPT_FINGERPRINT_BYTES], two[CRYPT_FINGERPRINT_BYTES];

    (void)state;
    assert_true(crypt_fingerprint(1, one));
    assert_string_equal(one, "3acfdba21659c07ad88061d92ec10580"
                             "b3a76945c6f3a8481621f97f2c974746");
    assert_false(crypt_fingerprint(2, two));
    write_keys("1 " KEY_B "\n2 " KEY_A "\n", 0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_true(crypt_fingerprint(1, two));
    assert_string_not_equal(one, two);
    assert_true(crypt_fingerprint(2, two));
    assert_string_not_equal(one, two);
}

static void
the_id_is_read_from_what_is_sealed(void **state)
{
    static const struct {
        const char *sealed;
        unsigned id;
    } cases[] = {
        { "v1:1:", 1 },
        { "v1:999999999:x", 999999999 },
        { "v1:1000000000:x", 0 },
        { "v1:99999999999999999999999:", 0 },
        { "v1:10", 0 },
        { "v2:10:", 0 },
        { "v1:", 0 },
        { "", 0 },
        { "v1:1/:", 0 },
        { "v1:90:", 90 },
        { "v1::", 0 },
        { "v1:1a:", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(crypt_sealed_key_id(cases[i].sealed), cases[i].id);
}

static void
a_text_has_its_bound(void **state)
{
    const size_t most = 8u << 20;
    struct arena *a = arena_new(64u << 20);
    char *text = calloc(1, most + 1);
    const char *out;

    (void)state;
    memset(text, 'x', most + 1);
    assert_int_equal(crypt_seal(a, "t", "r", "c", text, most + 1, &out),
                     ERR_LIMIT);
    assert_int_equal(crypt_seal(a, "t", "r", "c", text, most, &out), ERR_OK);
    assert_null(crypt_base64(a, text, (16u << 20) + 1)); /* not even read */
    free(text);
    arena_free(a);
}

/* However much there is: all of it or nothing. */
static void
without_memory_nothing_is_opened_and_nothing_altered(void **state)
{
    const char *sealed = seal(*state, "AKIA0123456789"), *out;
    enum err e = ERR_NOMEM;
    size_t max = 0;

    for (; e != ERR_OK; max++) {
        struct arena *a = arena_new(max);

        e = crypt_open(a, "doris_obj", "i1", "ak", sealed, &out);
        assert_true(e == ERR_NOMEM || e == ERR_OK);
        arena_free(a);
    }
    assert_true(max > strlen("AKIA0123456789"));
}

static void
a_base64_has_its_bound(void **state)
{
    const size_t most = 16u << 20;
    struct arena *a = arena_new(64u << 20);
    char *text = calloc(1, most + 5);
    struct span out;

    (void)state;
    memset(text, 'A', most + 4);
    assert_int_equal(crypt_unbase64(a, text, &out), ERR_BAD_PARAM);
    text[most] = '\0';
    assert_int_equal(crypt_unbase64(a, text, &out), ERR_OK);
    assert_int_equal(out.n, most / 4 * 3);
    free(text);
    arena_free(a);
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
        ": " KEY_A "\n",
        "/ " KEY_A "\n",
        "1\t" KEY_A "\n",
        "# nothing\n",
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
a_key_file_may_be_written_by_hand(void **state)
{
    (void)state;
    write_keys("\n# a comment\n \t007   " KEY_A " \t\r\n\n\t# another\n"
               "999999999 " KEY_B,
               0600);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_at(0), 7);
    assert_int_equal(crypt_key_at(1), 999999999);
    assert_int_equal(crypt_key_at(2), 0);
}

static void
what_is_no_text_of_that_size_is_no_key_file(void **state)
{
    char *text = malloc(32769);
    FILE *f;

    (void)state;
    memset(text, '#', 32768);
    text[32767] = text[32768] = '\0';
    memcpy(text, "1 " KEY_A "\n", 67);
    write_keys(text, 0600); /* 32767 bytes */
    assert_int_equal(crypt_load(path), ERR_OK);
    text[32767] = '#';
    write_keys(text, 0600);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite("1 " KEY_A "\n\0", 1, 68, f), 68);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    assert_int_equal(crypt_load(folder), ERR_BAD_PARAM); /* no file at all */
    free(text);
}

static void
a_key_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    write_keys("1 " KEY_A "\n", 0604);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    write_keys("1 " KEY_A "\n", 0601);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    write_keys("1 " KEY_A "\n", 0620);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
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

/* What cannot be written leaves the old file, and nothing beside it. */
static void
a_full_disk_takes_no_key(void **state)
{
    struct rlimit old, small = { 80, 80 };
    char missing[128];

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(crypt_add_key(path), ERR_INTERNAL); /* 134 bytes */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_id(), 1);
    (void)snprintf(missing, sizeof(missing), "%s/none/key", folder);
    assert_int_equal(crypt_create(missing), ERR_DENIED);
}

static void
a_path_too_long_is_no_place_for_a_key(void **state)
{
    char *long_path = malloc(5000);

    (void)state;
    memset(long_path, 'x', 4999);
    long_path[0] = '/';
    long_path[4999] = '\0';
    assert_int_equal(crypt_create(long_path), ERR_BAD_PARAM);
    long_path[4089] = '\0'; /* and the ".XXXXXX" */
    assert_int_equal(crypt_create(long_path), ERR_BAD_PARAM);
    long_path[4088] = '\0';
    assert_int_equal(crypt_create(long_path), ERR_DENIED); /* ENAMETOOLONG */
    free(long_path);
}

static void
keys_have_their_number_and_their_bound(void **state)
{
    char *text = malloc(256 * 72 + 1), *to = text;

    (void)state;
    write_keys("7 " KEY_A "\n3 " KEY_B "\n", 0600);
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_id(), 8); /* beyond all that there were */
    write_keys("999999999 " KEY_A "\n", 0600);
    assert_int_equal(crypt_add_key(path), ERR_LIMIT);
    for (int i = 1; i <= 255; i++)
        to += sprintf(to, "%d " KEY_A "\n", i);
    write_keys(text, 0600);
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_at(255), 256);
    assert_int_equal(crypt_key_at(256), 0);
    assert_int_equal(crypt_add_key(path), ERR_LIMIT);
    (void)sprintf(to, "256 " KEY_A "\n\n257 " KEY_B "\n");
    write_keys(text, 0600);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    free(text);
}

static void
a_new_key_is_like_no_other(void **state)
{
    char one[CRYPT_FINGERPRINT_BYTES], two[CRYPT_FINGERPRINT_BYTES];
    char was[200] = "", is[200] = "";
    FILE *f;

    (void)state;
    (void)unlink(path);
    assert_int_equal(crypt_create(path), ERR_OK);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_true(crypt_fingerprint(1, one));
    f = fopen(path, "re");
    assert_non_null(fgets(was, sizeof(was), f));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(strlen(was), 67);
    assert_null(strstr(was, "00000000"));
    assert_int_equal(crypt_add_key(path), ERR_OK);
    f = fopen(path, "re");
    assert_non_null(fgets(is, sizeof(is), f));
    assert_string_equal(is, was);
    assert_non_null(fgets(is, sizeof(is), f));
    assert_int_equal(fclose(f), 0);
    assert_string_not_equal(is + 2, was + 2);
    (void)unlink(path);
    assert_int_equal(crypt_create(path), ERR_OK);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_true(crypt_fingerprint(1, two));
    assert_string_not_equal(one, two);
}

static void
base64_comes_back_and_junk_is_refused(void **state)
{
    static const char *const junk[] = { "A",    "AA",    "AAA",  "A===", "AA=A",
                                        "AA A", "AA\n=", "====", "AAAA=" };
    struct span out;
    char *nothing;

    for (size_t n = 0; n <= sizeof(KEY_A); n++) {
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
    assert_int_equal(crypt_unbase64(*state, &"="[1], &out), ERR_OK);
    assert_int_equal(out.n, 0);
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
    assert_true(crypt_equal("abc", "abd", 2));
}

static void
random_bytes_fill_what_they_shall(void **state)
{
    unsigned char one[64] = { 0 }, two[64] = { 0 };
    size_t differ = 0;

    (void)state;
    assert_int_equal(crypt_random(one, 32), ERR_OK);
    assert_int_equal(crypt_random(two, 32), ERR_OK);
    for (size_t i = 0; i < 32; i++)
        differ += one[i] != two[i];
    assert_true(differ > 16);
    for (size_t i = 32; i < 64; i++)
        assert_int_equal(one[i], 0);
    assert_int_equal(crypt_random(one, (size_t)INT32_MAX + 1), ERR_INTERNAL);
    crypt_wipe(one, 16);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(one[i], 0);
    for (size_t i = differ = 0; i < 16; i++)
        differ += one[16 + i] != 0;
    assert_true(differ > 8);
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
        cmocka_unit_test(without_a_key_nothing_is_sealed),
        TEST(a_sealed_text_opens_at_its_place),
        TEST(a_sealed_text_hides_its_plain_text_and_differs_each_time),
        TEST(a_sealed_text_moved_elsewhere_does_not_open),
        TEST(a_sealed_text_with_any_byte_changed_does_not_open),
        TEST(old_keys_decrypt_and_the_last_one_encrypts),
        TEST(each_of_many_keys_opens_what_it_has_sealed),
        TEST(a_file_that_was_replaced_is_read_again),
        TEST(a_file_that_is_as_it_was_is_not_read_again),
        TEST(keys_are_listed_in_their_order),
        TEST(a_fingerprint_tells_keys_of_one_id_apart),
        TEST(the_id_is_read_from_what_is_sealed),
        TEST(a_text_has_its_bound),
        TEST(without_memory_nothing_is_opened_and_nothing_altered),
        TEST(a_base64_has_its_bound),
        TEST(a_key_id_cannot_be_swapped_for_another),
        TEST(a_bad_key_file_is_refused_and_the_keys_stay),
        TEST(a_key_file_may_be_written_by_hand),
        TEST(what_is_no_text_of_that_size_is_no_key_file),
        TEST(a_key_file_that_others_can_read_is_refused),
        TEST(creating_a_key_never_replaces_one),
        TEST(adding_a_key_keeps_the_old_ones),
        TEST(a_full_disk_takes_no_key),
        TEST(a_path_too_long_is_no_place_for_a_key),
        TEST(keys_have_their_number_and_their_bound),
        TEST(a_new_key_is_like_no_other),
        TEST(base64_comes_back_and_junk_is_refused),
        TEST(digests_and_random_are_what_they_say),
        TEST(random_bytes_fill_what_they_shall),
        TEST(hashes_of_passwords_are_scrypt),
        TEST(hmac_is_that_of_the_standard),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
