/* The form of a backup: what is read is what was written, and nothing that is
 * damaged, cut or made up is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "backup/archive.h"
#include "backup/xbstream.h"
#include "bytes_fixture.h"
#include "config.h"
#include "host/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PAYLOAD ((size_t)9 << 20) /* three parts */
#define PIECE   70001             /* as pipes do */

static struct bytes payload, archive, got;
static bool whole;

static const char *
manifest(void *ctx, const struct blob_sum *sum)
{
    static char text[512];

    (void)ctx;
    if (!whole)
        return NULL;
    (void)snprintf(text, sizeof(text),
                   "{\"format\":1,\"engine\":\"mariadb\",\"version\":\"10.11\","
                   "\"gtid\":\"0-1-5\",\"completed\":true,"
                   "\"payload_bytes\":%lld,\"payload_sha256\":\"%s\"}",
                   (long long)sum->bytes, sum->sha256);
    return text;
}

/* The archive of n bytes of payload; false when it is broken off. */
static bool
make(size_t n)
{
    struct bytes in = { payload.p, n, n, 0, PIECE, false };
    struct pack_source source = { give, manifest, &in };
    struct pack *p = pack_new(&source);
    int64_t k;

    assert_non_null(p);
    archive.n = 0;
    while ((k = pack_read(p, archive.p + archive.n, 33333)) > 0) {
        archive.n += (size_t)k;
        assert_true(archive.n + 33333 <= archive.max);
    }
    assert_int_equal(pack_read(p, archive.p + archive.n, 10), k);
    pack_free(p);
    return k == 0;
}

static enum err
read_back(const char *p, size_t n, size_t piece, struct instance_backup *out,
          char why[WHY_BYTES])
{
    struct unpack *u = unpack_new(keep, &got);
    enum err e;

    got.n = 0;
    assert_non_null(u);
    for (size_t at = 0; at < n; at += piece) {
        if (!unpack_write(u, p + at, n - at < piece ? n - at : piece))
            break;
    }
    e = unpack_end(u, arena, out, why);
    unpack_free(u);
    return e;
}

static const char *const forms[] = { "none", "gzip", "zstd" };

static void
use(const char *form)
{
    char why[WHY_BYTES];

    (void)setenv("METAGATE_INSTANCE_BACKUP_COMPRESSION", form, 1);
    assert_int_equal(config_load(NULL, why), ERR_OK);
}

static void
of_form(const char *form)
{
    static const size_t sizes[] = { 0, 1, 511, 512, 513, PAYLOAD };
    struct instance_backup b;
    char why[WHY_BYTES];

    use(form);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_true(make(sizes[i]));
        for (size_t piece = 1000; piece < 200000; piece *= 13) {
            assert_int_equal(read_back(archive.p, archive.n, piece, &b, why),
                             ERR_OK);
            assert_int_equal(got.n, sizes[i]);
            assert_memory_equal(got.p, payload.p, sizes[i]);
            assert_string_equal(b.gtid, "0-1-5");
        }
    }
}

/* Whichever is made now, each is read. */
static void
what_is_read_is_what_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++)
        of_form(forms[i]);
}

static void
what_is_configured_is_made(void **state)
{
    static const char *const begin[] = { "\x1f\x8b\x08", "\x1f\x8b\x08",
                                         "\x28\xb5\x2f\xfd" };
    char why[WHY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        use(forms[i]);
        assert_true(make(PAYLOAD));
        assert_memory_equal(archive.p, begin[i], strlen(begin[i]));
        assert_int_equal(archive.n<PAYLOAD, i> 0);
    }
    (void)setenv("METAGATE_INSTANCE_BACKUP_LEVEL", "0", 1);
    use("zstd");
    (void)unsetenv("METAGATE_INSTANCE_BACKUP_LEVEL");
    assert_true(make(PAYLOAD));
    assert_true(archive.n > PAYLOAD);
    (void)setenv("METAGATE_INSTANCE_BACKUP_COMPRESSION", "lzo", 1);
    assert_int_not_equal(config_load(NULL, why), ERR_OK);
    assert_non_null(strstr(why, "zstd, gzip or none"));
    use("zstd");
}

static void
one_that_is_not_whole_is_never_made(void **state)
{
    (void)state;
    whole = false;
    assert_false(make(1000));
    whole = true;
}

static void
every_cut_is_seen(void **state)
{
    struct instance_backup b;
    char why[WHY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        use(forms[i]);
        assert_true(make(2000));
        for (size_t n = 0; n < archive.n; n++) {
            why[0] = '\0';
            assert_int_not_equal(read_back(archive.p, n, 4096, &b, why),
                                 ERR_OK);
            assert_true(why[0] != '\0');
        }
        archive.p[archive.n] = 'x';
        assert_int_equal(read_back(archive.p, archive.n + 1, 4096, &b, why),
                         ERR_BAD_PARAM);
    }
}

static void
every_damaged_byte_is_seen(void **state)
{
    struct instance_backup b;
    char why[WHY_BYTES];

    (void)state;
    for (size_t k = 0; k < COUNT(forms); k++) {
        size_t taken = 0;

        use(forms[k]);
        assert_true(make(2000));
        /* the first ten bytes of gzip's are its head: time, system */
        for (size_t i = k < 2 ? 10 : 0; i < archive.n; i++) {
            archive.p[i] ^= 0x10;
            if (read_back(archive.p, archive.n, 777, &b, why) == ERR_OK) {
                assert_memory_equal(got.p, payload.p, 2000);
                taken++;
            }
            archive.p[i] ^= 0x10;
        }
        /* lengths of codes that do not occur, bits behind the last code: what
         * they are changes nothing of what is read */
        assert_true(taken < archive.n / 10);
        assert_int_equal(read_back(archive.p, archive.n, 777, &b, why), ERR_OK);
    }
}

/* A tar of somebody else's, in the frame of ours. */
static void
others_files_are_refused(void **state)
{
    static const char *const bad[] = {
        "cd $D && echo x >payload.000001 && tar --format=ustar -czf a.tgz "
        "payload.000001",
        "cd $D && echo x >y && tar --format=ustar -czf a.tgz y",
        "cd $D && ln -s /etc/passwd payload.000000 && tar --format=ustar -czf "
        "a.tgz payload.000000",
        "cd $D && echo x >payload.000000 && tar --format=ustar -czf a.tgz "
        "payload.000000",
        "cd $D && echo x >payload.000000 && echo '{}' >manifest.json && tar "
        "--format=ustar -czf a.tgz payload.000000 manifest.json",
        "cd $D && echo '{\"format\":1' >manifest.json && tar --format=ustar "
        "-czf a.tgz manifest.json",
        "cd $D && head -c 100000 /dev/zero >a.tgz",
    };
    char dir[] = "/var/tmp/mgarchive.XXXXXX", path[64], why[WHY_BYTES];
    struct instance_backup b;
    struct proc_result r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)setenv("D", dir, 1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *const sh[] = { "sh", "-c", bad[i], NULL };
        const char *const rm[] = { "sh", "-c", "rm -f $D/*", NULL };
        ssize_t n;
        int fd;

        assert_int_equal(proc_run(sh, 60000, &r), ERR_OK);
        (void)snprintf(path, sizeof(path), "%s/a.tgz", dir);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = read(fd, archive.p, archive.max);
        (void)close(fd);
        assert_true(n > 0);
        assert_int_equal(read_back(archive.p, (size_t)n, 4096, &b, why),
                         ERR_BAD_PARAM);
        assert_int_equal(proc_run(rm, 60000, &r), ERR_OK);
    }
    assert_int_equal(rmdir(dir), 0);
}

/* By hand, as the README says. */
static void
tar_reads_it(void **state)
{
    const char *const sh[] = {
        "sh", "-c",
        "cd $D && tar xf a.tgz && cat payload.* | cmp - p && "
        "grep -q completed manifest.json && rm -r $D",
        NULL
    };
    char path[64];
    struct proc_result r;
    int fd;

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        char dir[] = "/var/tmp/mgarchive.XXXXXX";

        use(forms[i]);
        assert_non_null(mkdtemp(dir));
        (void)setenv("D", dir, 1);
        assert_true(make(PAYLOAD));
        (void)snprintf(path, sizeof(path), "%s/a.tgz", dir);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, archive.p, archive.n), archive.n);
        (void)close(fd);
        (void)snprintf(path, sizeof(path), "%s/p", dir);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, payload.p, PAYLOAD), PAYLOAD);
        (void)close(fd);
        if (proc_run(sh, 60000, &r) != ERR_OK)
            fail_msg("%s", r.output);
    }
}

/* ---- xbstream ---- */

static size_t
chunk(char *p, char kind, const char *name, uint32_t bytes)
{
    uint32_t n = (uint32_t)strlen(name);
    uint64_t size = bytes;
    size_t at = 14 + n;

    memset(p, 0, at + 20 + bytes);
    memcpy(p, "XBSTCK01", 8);
    p[9] = kind;
    memcpy(p + 10, &n, 4);
    memcpy(p + 14, name, n);
    if (kind != 'P')
        return at;
    memcpy(p + at, &size, 8);
    return at + 20 + bytes;
}

static bool
look(const char *name, char kind, size_t piece, bool *may_end)
{
    struct xbstream x = XBSTREAM_INIT;
    char text[4096];
    size_t n = chunk(text, kind, name, 300);
    bool ok = true;

    n += chunk(text + n, 'E', "a", 0);
    for (size_t at = 0; ok && at < n; at += piece)
        ok = xbstream_look(&x, text + at, n - at < piece ? n - at : piece);
    *may_end = ok && xbstream_may_end(&x);
    return ok;
}

static void
names_that_lead_outside_are_seen(void **state)
{
    static const char *const good[] = { "ibdata1", "./ibdata1", "a/b.ibd",
                                        "mysql/..a", "a/@0024.ibd" };
    static const char *const bad[] = { "/etc/passwd", "../x", "a/../../x",
                                       "a//b",        "..",   "a/..",
                                       "./../x",      "a/./b" };
    bool end;

    (void)state;
    for (size_t piece = 1; piece < 500; piece += 49) {
        for (size_t i = 0; i < COUNT(good); i++) {
            assert_true(look(good[i], 'P', piece, &end));
            assert_true(end);
        }
        for (size_t i = 0; i < COUNT(bad); i++)
            assert_false(look(bad[i], 'P', piece, &end));
        assert_false(look("a", 'x', piece, &end));
    }
}

static void
a_stream_ends_between_chunks_alone(void **state)
{
    char text[4096];
    size_t n = chunk(text, 'P', "ibdata1", 300);

    (void)state;
    for (size_t k = 1; k < n; k++) {
        struct xbstream x = XBSTREAM_INIT;

        assert_true(xbstream_look(&x, text, k));
        assert_false(xbstream_may_end(&x));
    }
}

static int
begin(void **state)
{
    unsigned seed = 1;
    char why[WHY_BYTES];

    (void)state;
    if (config_load(NULL, why) != ERR_OK)
        return -1;
    payload =
        (struct bytes){ malloc(PAYLOAD), PAYLOAD, PAYLOAD, 0, PIECE, false };
    archive =
        (struct bytes){ malloc(2 * PAYLOAD), 0, 2 * PAYLOAD, 0, PIECE, false };
    got = (struct bytes){ malloc(PAYLOAD), 0, PAYLOAD, 0, PIECE, false };
    for (size_t i = 0; i < PAYLOAD; i++) /* half of it can be compressed */
        payload.p[i] = i / 65536 % 2 == 0
                           ? 'a'
                           : (char)((seed = seed * 1103515245 + 12345) >> 16);
    whole = true;
    return payload.p != NULL && archive.p != NULL && got.p != NULL ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    free(payload.p);
    free(archive.p);
    free(got.p);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_read_is_what_was_written, setup,
                                        teardown),
        cmocka_unit_test(what_is_configured_is_made),
        cmocka_unit_test(one_that_is_not_whole_is_never_made),
        cmocka_unit_test_setup_teardown(every_cut_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(every_damaged_byte_is_seen, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(others_files_are_refused, setup,
                                        teardown),
        cmocka_unit_test(tar_reads_it),
        cmocka_unit_test(names_that_lead_outside_are_seen),
        cmocka_unit_test(a_stream_ends_between_chunks_alone),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
