/* What is left behind where secrets were handled: nothing in memory, and the
 * reason of a refusal in the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypt.h"
#include "crypt/crypt_keys.h"
#include "locks.h"
#include "log_fixture.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char folder[] = "/var/tmp/mgtraces.XXXXXX";
static char path[64];
static struct arena *arena;

/* libcrypto's, in whose place this stands: blocks by size that were wiped.
 * It may wipe some of its own. */
#define SIZE_MAX_SEEN 65536
static unsigned wiped[SIZE_MAX_SEEN];

void OPENSSL_cleanse(void *p, size_t n);

void
OPENSSL_cleanse(void *p, size_t n)
{
    explicit_bzero(p, n);
    if (n < SIZE_MAX_SEEN)
        wiped[n]++;
}

/* The disk: how often something was made sure of, and what it refuses. */
static int synced;
static bool no_sync, no_rename, no_link;
static bool slowly, refuses; /* a byte, then an interruption, and so on */
/* Another process that had the lock: so often it has replaced the file. */
static int replaced;
static void write_key(const char *text);

int
fsync(int fd)
{
    assert_true(fcntl(fd, F_GETFD) >= 0);
    synced++;
    errno = EIO;
    return no_sync ? -1 : 0;
}

int
rename(const char *from, const char *to)
{
    errno = EIO;
    return no_rename ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

ssize_t
write(int fd, const void *p, size_t n)
{
    static unsigned turn;

    errno = ENOSPC;
    if (refuses)
        return -1;
    errno = EINTR;
    if (slowly && turn++ % 2 == 1)
        return -1;
    return syscall(SYS_write, fd, p, slowly && n > 1 ? 1 : n);
}

int
link(const char *from, const char *to)
{
    errno = EPERM;
    return no_link ? -1 : linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
flock(int fd, int operation)
{
    if (replaced > 0) {
        replaced--;
        assert_int_equal(unlink(path), 0);
        write_key("7 " KEY_A "\n");
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static void
forget(void)
{
    memset(wiped, 0, sizeof(wiped));
    (void)logged();
}

static void
write_key(const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static int
group_setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    return 0;
}

static int
group_teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static int
setup(void **state)
{
    (void)state;
    arena = arena_new(1u << 20);
    log_catch();
    write_key("1 " KEY_A "\n");
    if (arena == NULL || crypt_load(path) != ERR_OK)
        return -1;
    forget();
    return 0;
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
    (void)state;
    log_release();
    arena_free(arena);
    no_sync = no_rename = no_link = slowly = refuses = false;
    assert_unlocked();
    return only_the_key_is_there();
}

#define KEY sizeof(struct crypt_key)
#define SET sizeof(struct crypt_key_set)

static void
a_key_is_wiped_once_it_was_used(void **state)
{
    char print[CRYPT_FINGERPRINT_BYTES];
    const char *sealed, *out;

    (void)state;
    assert_int_equal(crypt_seal(arena, "t", "r", "c", "x", 1, &sealed), ERR_OK);
    assert_true(wiped[KEY] > 0);
    forget();
    assert_int_equal(crypt_open(arena, "t", "r", "c", sealed, &out), ERR_OK);
    assert_true(wiped[KEY] > 0);
    forget();
    assert_true(crypt_fingerprint(1, print));
    assert_true(wiped[KEY] > 0);
    assert_true(wiped[64 + CRYPT_KEY_BYTES] > 0);
}

/* What GCM has put out before its tag was compared. */
static void
a_plain_text_that_was_altered_is_wiped(void **state)
{
    static const char plain[77] = "of a length that nothing else has";
    const char *sealed, *out;

    (void)state;
    assert_int_equal(
        crypt_seal(arena, "t", "r", "c", plain, sizeof(plain), &sealed),
        ERR_OK);
    forget();
    assert_int_equal(crypt_open(arena, "t", "other", "c", sealed, &out),
                     ERR_STATE);
    assert_true(wiped[sizeof(plain)] > 0);
    assert_true(wiped[KEY] > 0);
}

static void
a_file_of_keys_is_wiped_once_it_was_read(void **state)
{
    (void)state;
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_true(wiped[32768] > 0); /* its text */
    assert_true(wiped[SET] > 0);
    write_key("nonsense\n");
    forget();
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    assert_true(wiped[32768] > 0);
    assert_true(wiped[SET] > 0);
}

static void
a_file_of_keys_is_wiped_once_it_was_written(void **state)
{
    (void)state;
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_true(wiped[SET] > 0);
    assert_true(wiped[2 * CRYPT_KEY_BYTES + 1] > 0); /* digits */
    assert_true(wiped[128] > 0);                     /* a line */
    (void)unlink(path);
    forget();
    assert_int_equal(crypt_create(path), ERR_OK);
    assert_true(wiped[SET] > 0);
    assert_true(wiped[2 * CRYPT_KEY_BYTES + 1] > 0);
    assert_true(wiped[128] > 0);
}

static void
no_key_is_told_with_its_place(void **state)
{
    const char *sealed, *out;

    (void)state;
    assert_int_equal(crypt_seal(arena, "t", "r", "c", "x", 1, &sealed), ERR_OK);
    assert_int_equal(crypt_open(arena, "t", "r", "d", sealed, &out), ERR_STATE);
    assert_non_null(strstr(logged(), "crypt.open table=t column=d key=1 "
                                     "reason=\"altered or moved\""));
    assert_int_equal(crypt_open(arena, "t", "r", "c", "v1:2:AAAA", &out),
                     ERR_STATE);
    assert_non_null(
        strstr(logged(), "crypt.open table=t column=c reason=\"no key 2\""));
    assert_int_equal(crypt_open(arena, "t", "r", "c", sealed, &out), ERR_OK);
    assert_string_equal(logged(), "");
}

static void
a_refused_file_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text, *line, *reason;
    } cases[] = {
        { "1 " KEY_A "\n\nx\n", "line=3", "a line is: <key id> <64 hex" },
        { "1 " KEY_A "\n1 " KEY_A, "line=2", "key id given twice" },
        { "1 abc\n", "line=1", "a key is 64 hex digits" },
        { "# x\n1 " KEY_A " x\n", "line=2", "text behind the key" },
        { "# x\n", "line=0", "no key in it" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *log;

        write_key(cases[i].text);
        assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
        log = logged();
        assert_non_null(strstr(log, cases[i].line));
        assert_non_null(strstr(log, cases[i].reason));
        assert_null(strstr(log, "0001020304"));
    }
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(crypt_load(path), ERR_BAD_PARAM);
    assert_non_null(strstr(logged(), "line=0 reason=\"others can read it"));
    assert_int_equal(crypt_load(folder), ERR_BAD_PARAM);
    assert_non_null(strstr(logged(), "reason=\"not a plain file\""));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(crypt_load(path), ERR_NOT_FOUND);
    assert_non_null(strstr(logged(), "reason=\"No such file or directory\""));
}

static void
keys_that_were_read_again_are_told(void **state)
{
    const char *sealed;

    (void)state;
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_string_equal(logged(), "");
    assert_int_equal(crypt_seal(arena, "t", "r", "c", "x", 1, &sealed), ERR_OK);
    assert_non_null(strstr(logged(), "info unit crypt.keys_read path="));
    assert_int_equal(crypt_seal(arena, "t", "r", "c", "x", 1, &sealed), ERR_OK);
    assert_string_equal(logged(), "");
}

static void
what_cannot_be_done_is_told(void **state)
{
    static char byte;
    char missing[96];

    (void)state;
    (void)snprintf(missing, sizeof(missing), "%s/none/key", folder);
    assert_int_equal(crypt_create(missing), ERR_DENIED);
    assert_non_null(strstr(logged(), "reason=\"No such file or directory\""));
    assert_int_equal(crypt_random(&byte, (size_t)INT32_MAX + 1), ERR_INTERNAL);
    assert_non_null(strstr(logged(), "crypt.random bytes=2147483648"));
    assert_int_equal(crypt_random(&byte, 1), ERR_OK);
    assert_string_equal(logged(), "");
}

static void
what_was_written_is_on_the_disk_with_its_name(void **state)
{
    (void)state;
    synced = 0;
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(synced, 2);
    (void)unlink(path);
    synced = 0;
    assert_int_equal(crypt_create(path), ERR_OK);
    assert_int_equal(synced, 2);
}

/* And no temporary file is left: teardown. */
static void
what_the_disk_refuses_is_no_key(void **state)
{
    (void)state;
    no_sync = true;
    assert_int_equal(crypt_add_key(path), ERR_INTERNAL);
    assert_non_null(strstr(logged(), "reason=\"Input/output error\""));
    no_sync = false;
    no_rename = true;
    assert_int_equal(crypt_add_key(path), ERR_INTERNAL);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_id(), 1);
    (void)unlink(path);
    no_link = true;
    assert_int_equal(crypt_create(path), ERR_INTERNAL);
    assert_int_equal(crypt_load(path), ERR_NOT_FOUND);
}

static void
what_is_taken_byte_by_byte_is_whole(void **state)
{
    struct crypt_key first;

    (void)state;
    assert_true(crypt_key_newest(&first));
    slowly = true;
    assert_int_equal(crypt_add_key(path), ERR_OK);
    slowly = false;
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_at(0), first.id);
    assert_int_equal(crypt_key_at(1), 2);
    refuses = true;
    assert_int_equal(crypt_add_key(path), ERR_INTERNAL);
    refuses = false;
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_id(), 2);
}

/* As for who was started without one. */
static void
a_file_of_keys_may_be_the_first_descriptor(void **state)
{
    int input = dup(0);

    (void)state;
    assert_true(input > 0 && close(0) == 0);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(dup2(input, 0), 0);
    assert_int_equal(close(input), 0);
}

/* Descriptors and temporary files. */
/* Whoever waited for the lock has a file that has no name any more. */
static void
a_key_is_added_to_the_file_that_is_there(void **state)
{
    (void)state;
    replaced = 2;
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(replaced, 0);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_key_at(0), 7);
    assert_int_equal(crypt_key_at(1), 8);
    assert_int_equal(crypt_key_at(2), 0);
}

static void
nothing_stays_open(void **state)
{
    int before = dup(0), after;

    (void)state;
    assert_true(before >= 0 && close(before) == 0);
    replaced = 2;
    assert_int_equal(crypt_add_key(path), ERR_OK);
    assert_int_equal(crypt_load(path), ERR_OK);
    assert_int_equal(crypt_add_key(path), ERR_OK);
    (void)unlink(path);
    assert_int_equal(crypt_create(path), ERR_OK);
    assert_int_equal(crypt_create(path), ERR_EXISTS);
    after = dup(0);
    assert_int_equal(after, before);
    assert_int_equal(close(after), 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_wiped_once_it_was_used),
        TEST(a_plain_text_that_was_altered_is_wiped),
        TEST(a_file_of_keys_is_wiped_once_it_was_read),
        TEST(a_file_of_keys_is_wiped_once_it_was_written),
        TEST(no_key_is_told_with_its_place),
        TEST(a_refused_file_is_told_with_its_line),
        TEST(keys_that_were_read_again_are_told),
        TEST(what_cannot_be_done_is_told),
        TEST(what_was_written_is_on_the_disk_with_its_name),
        TEST(what_the_disk_refuses_is_no_key),
        TEST(what_is_taken_byte_by_byte_is_whole),
        TEST(a_file_of_keys_may_be_the_first_descriptor),
        TEST(a_key_is_added_to_the_file_that_is_there),
        TEST(nothing_stays_open),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
