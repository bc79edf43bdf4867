/* Words of things, being alone, and who has to share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cache/coherence_int.h"
#include "config.h"
#include "metrics.h"

static void
be_alone_for(int64_t ms)
{
    uint64_t seen = atomic_load(&coherence_file->alone);

    assert_true(coherence_alone_set(seen, coherence_clock_ms() + ms));
}

static bool
same(const struct coherence_mark *a, const struct coherence_mark *b)
{
    return memcmp(a->v, b->v, sizeof(a->v)) == 0;
}

/* Of a time that does not end while the test runs. */
static bool
mark(const char *thing, struct coherence_mark *out)
{
    bool may = coherence_now(thing, thing, out);

    out->v[4] = 0;
    return may;
}

static void
nothing_holds_on_a_host_that_is_not_alone(void **state)
{
    struct coherence_mark m;

    (void)state;
    assert_false(mark("i1", &m));
    be_alone_for(60000);
    assert_true(mark("i1", &m));
    be_alone_for(-60000);
    assert_false(mark("i1", &m));
}

static void
nothing_holds_where_nothing_may_be_kept(void **state)
{
    struct coherence_mark m;

    (void)state;
    be_alone_for(60000);
    coherence_may_keep = false;
    assert_false(mark("i1", &m));
}

static void
a_change_ends_what_held_before_it(void **state)
{
    struct db_touched t = { 0 };
    struct coherence_mark before, during, after, again;

    (void)state;
    be_alone_for(60000);
    assert_true(mark("i1", &before));
    coherence_touch(&t, "i1");
    coherence_begin(&t);
    assert_false(mark("i1", &during));
    coherence_end(&t);
    assert_true(mark("i1", &after));
    assert_false(same(&before, &after));
    assert_true(mark("i1", &again));
    assert_true(same(&after, &again));
}

static void
a_change_of_either_thing_counts(void **state)
{
    struct db_touched t = { 0 };
    struct coherence_mark before, after;

    (void)state;
    be_alone_for(60000);
    assert_true(coherence_now("i1", "1:i1:n1", &before));
    coherence_touch(&t, "1:i1:n1");
    coherence_begin(&t);
    coherence_end(&t);
    assert_true(coherence_now("i1", "1:i1:n1", &after));
    before.v[4] = after.v[4] = 0;
    assert_false(same(&before, &after));
}

/* Two of one thing: the first one's end does not end the second. */
static void
changes_overlap(void **state)
{
    struct db_touched one = { 0 }, two = { 0 };
    struct coherence_mark m;

    (void)state;
    be_alone_for(60000);
    coherence_touch(&one, "i1");
    coherence_touch(&two, "i1");
    coherence_begin(&one);
    coherence_begin(&two);
    coherence_end(&one);
    assert_false(mark("i1", &m));
    coherence_end(&two);
    assert_true(mark("i1", &m));
}

/* Its process was killed, or nobody knows what became of it. */
static void
a_change_without_an_end_is_never_kept(void **state)
{
    struct db_touched lost = { 0 }, later = { 0 };
    struct coherence_mark m;

    (void)state;
    be_alone_for(60000);
    coherence_touch(&lost, "i1");
    coherence_begin(&lost);
    coherence_touch(&later, "i1");
    coherence_begin(&later);
    coherence_end(&later);
    assert_false(mark("i1", &m));
    assert_true(mark("another", &m));
}

static void
more_things_than_are_remembered_are_everything(void **state)
{
    struct db_touched t = { 0 };
    struct coherence_mark before, after;
    char thing[16];

    (void)state;
    be_alone_for(60000);
    assert_true(mark("untouched", &before));
    for (int i = 0; i < 100; i++) {
        (void)snprintf(thing, sizeof(thing), "i%d", i);
        coherence_touch(&t, thing);
    }
    coherence_begin(&t);
    assert_false(mark("untouched", &after));
    coherence_end(&t);
    assert_true(mark("untouched", &after));
    assert_false(same(&before, &after));
}

static void
one_thing_touched_often_is_one(void **state)
{
    struct db_touched t = { 0 };

    (void)state;
    for (int i = 0; i < 100; i++)
        coherence_touch(&t, "i1");
    assert_int_equal(t.n, 1);
}

/* A process was held up between its COMMIT and this, while another one saw a
 * second host and ended it. */
static void
what_another_process_ended_is_not_brought_back(void **state)
{
    uint64_t seen = atomic_load(&coherence_file->alone);
    struct coherence_mark m;

    (void)state;
    assert_true(coherence_alone_set(seen, 0));
    assert_false(coherence_alone_set(seen, coherence_clock_ms() + 60000));
    assert_false(mark("i1", &m));
}

static void
who_is_not_by_himself_shares(void **state)
{
    static const struct {
        struct coherence_peers peers;
        bool may_keep, shares, settled;
    } cases[] = {
        { { false, false }, true, false, true },
        { { false, false }, false, true, true },
        { { true, false }, true, true, true },
        { { true, true }, true, true, false },
        { { true, true }, false, true, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            coherence_must_share(&cases[i].peers, cases[i].may_keep),
            cases[i].shares);
        assert_int_equal(coherence_is_settled(&cases[i].peers),
                         cases[i].settled);
    }
}

/* By the clock of who looks, whatever the row's time is. */
static void
a_row_is_dead_when_it_stood_unchanged_for_its_life(void **state)
{
    const int64_t life = COHERENCE_LIFE_MS, day = 86400000;
    struct coherence_sight s = { 0 };

    (void)state;
    /* of yesterday or tomorrow: alive when first seen, renewed or not */
    assert_false(coherence_is_dead(&s, "a", false, -day, 1000));
    assert_false(coherence_is_dead(&s, "b", true, day, 1000));
    assert_false(coherence_is_dead(&s, "a", false, -day, 999 + life));
    assert_true(coherence_is_dead(&s, "a", false, -day, 1000 + life));
    assert_true(coherence_is_dead(&s, "b", true, day, 1000 + life));
    /* it comes back, at an earlier time of the database */
    assert_false(coherence_is_dead(&s, "a", false, -2 * day, 1000 + life));
    assert_false(coherence_is_dead(&s, "b", false, day, 1000 + life));
    assert_false(coherence_is_dead(&s, "a", false, -2 * day, 999 + 2 * life));
    assert_true(coherence_is_dead(&s, "a", false, -2 * day, 1000 + 2 * life));
}

static void
rows_beyond_what_is_remembered_are_alive(void **state)
{
    struct coherence_sight s = { 0 };
    char host[16];

    (void)state;
    for (int64_t now = 0; now <= 20000; now += 1000)
        for (int i = 0; i < 2 * COHERENCE_SEEN; i++) {
            (void)snprintf(host, sizeof(host), "h%d", i);
            assert_int_equal(coherence_is_dead(&s, host, false, 1, now),
                             i < COHERENCE_SEEN && now >= COHERENCE_LIFE_MS);
        }
    /* those before have gone */
    assert_false(coherence_is_dead(&s, "later", false, 1, 90000));
    assert_true(coherence_is_dead(&s, "later", false, 1, 95000));
}

static void
where_a_host_listens_is_found_by_name(void **state)
{
    const struct coherence_host h = {
        .listen = "console=10.0.0.1:8080 doris-fe=10.0.0.1:12100 "
                  "doris=[::1]:5000",
    };
    struct arena *a = arena_new(65536);

    (void)state;
    assert_non_null(a);
    assert_string_equal(coherence_listen(a, &h, "doris"), "[::1]:5000");
    assert_string_equal(coherence_listen(a, &h, "console"), "10.0.0.1:8080");
    assert_string_equal(coherence_listen(a, &h, "fe"), "");
    assert_string_equal(coherence_listen(a, &h, "dori"), "");
    arena_free(a);
}

/* ---- the file ---- */

struct place {
    char dir[64], path[128], other[128];
};

/* A RUN_DIR, and where the file of it is. */
static void
make_place(struct place *p)
{
    (void)snprintf(p->dir, sizeof(p->dir), "/var/tmp/metagate-test.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    config_place(p->dir, "127.0.0");
    (void)snprintf(p->path, sizeof(p->path), "%s/coherence-%zx", p->dir,
                   sizeof(struct coherence_file) << 8 | 2);
    (void)snprintf(p->other, sizeof(p->other), "%s/copy", p->dir);
}

static void
remove_place(const struct place *p)
{
    coherence_close();
    assert_int_equal(unlink(p->path), 0);
    (void)unlink(p->other);
    assert_int_equal(rmdir(p->dir), 0);
}

static void
copy_file(const char *from, const char *to)
{
    static char bytes[sizeof(struct coherence_file)];
    FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbxe");

    assert_non_null(in);
    assert_non_null(out);
    assert_int_equal(fread(bytes, sizeof(bytes), 1, in), 1);
    assert_int_equal(fwrite(bytes, sizeof(bytes), 1, out), 1);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

static void
processes_of_a_host_have_one_file(void **state)
{
    struct db_touched t = { 0 };
    struct coherence_file *first;
    struct coherence_mark m;
    struct place p;

    (void)state;
    make_place(&p);
    coherence_map(true);
    first = coherence_file;
    coherence_map(true); /* as another process would */
    assert_ptr_not_equal(coherence_file, first);
    assert_string_equal(coherence_file->host, first->host);
    be_alone_for(60000);
    coherence_touch(&t, "i1");
    coherence_begin(&t);
    coherence_close();
    coherence_file = first;
    coherence_may_keep = true;
    assert_false(mark("i1", &m));
    remove_place(&p);
}

/* A copied RUN_DIR: two hosts that take one row for theirs would both be
 * alone. Whoever has the copy mapped goes on with what it has. */
static void
a_copy_of_the_file_is_another_host(void **state)
{
    char host[sizeof(coherence_file->host)];
    struct place p;

    (void)state;
    make_place(&p);
    coherence_map(true);
    be_alone_for(60000);
    memcpy(host, coherence_file->host, sizeof(host));
    coherence_close();
    assert_true(coherence_is_own(host));
    assert_int_equal(rename(p.path, p.other), 0);
    copy_file(p.other, p.path);
    coherence_map(true);
    assert_string_not_equal(coherence_file->host, host);
    assert_int_equal(strlen(coherence_file->host), 32);
    assert_int_equal(atomic_load(&coherence_file->alone), 0);
    assert_true(coherence_is_own(coherence_file->host));
    assert_false(coherence_is_own(host));
    remove_place(&p);
}

/* Of an older or a newer version, while its last process ends. */
static void
a_file_of_another_layout_is_of_the_same_host(void **state)
{
    char host[sizeof(coherence_file->host)];
    struct place p;

    (void)state;
    make_place(&p);
    assert_false(coherence_is_own(""));
    coherence_map(true);
    memcpy(host, coherence_file->host, sizeof(host));
    coherence_close();
    (void)snprintf(p.other, sizeof(p.other), "%s/coherence-1a2", p.dir);
    assert_int_equal(rename(p.path, p.other), 0);
    coherence_map(true);
    assert_string_not_equal(coherence_file->host, host);
    assert_true(coherence_is_own(host));
    assert_true(coherence_is_own(coherence_file->host));
    host[0] = host[0] == 'a' ? 'b' : 'a';
    assert_false(coherence_is_own(host));
    remove_place(&p);
}

/* Another process, killed while it commits a change of that thing, or of more
 * than is remembered. */
static void
die_committing(const char *thing, unsigned more)
{
    struct db_touched t = { 0 };
    char name[16];
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        coherence_map(true);
        coherence_touch(&t, thing);
        for (unsigned i = 0; i < more; i++) {
            (void)snprintf(name, sizeof(name), "m%u", i);
            coherence_touch(&t, name);
        }
        coherence_begin(&t);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void
expect_kept_again(const char *thing)
{
    int64_t abandoned = metrics_value(METRIC_CACHE_ABANDONED);
    int64_t now = coherence_clock_ms();
    struct coherence_mark before, after;

    assert_false(mark(thing, &before));
    coherence_sweep(now);
    coherence_sweep(now + COHERENCE_DEAD_MS - 1);
    assert_false(mark(thing, &before));
    assert_int_equal(metrics_value(METRIC_CACHE_ABANDONED), abandoned);
    coherence_sweep(now + COHERENCE_DEAD_MS);
    assert_int_equal(metrics_value(METRIC_CACHE_ABANDONED), abandoned + 1);
    assert_true(mark(thing, &after));
    assert_false(same(&before, &after));
}

static void
what_a_killed_process_was_changing_is_kept_again_later(void **state)
{
    struct coherence_mark m;
    struct db_touched t = { 0 };
    struct place p;

    (void)state;
    make_place(&p);
    coherence_map(true);
    be_alone_for(600000);
    die_committing("i1", 0);
    assert_true(mark("another", &m));
    expect_kept_again("i1");
    die_committing("i2", 100);
    expect_kept_again("i3");
    /* of the living nothing is cleared */
    coherence_touch(&t, "i4");
    coherence_begin(&t);
    coherence_sweep(coherence_clock_ms() + 1);
    coherence_sweep(coherence_clock_ms() + 2 * COHERENCE_DEAD_MS);
    assert_false(mark("i4", &m));
    coherence_end(&t);
    assert_true(mark("i4", &m));
    remove_place(&p);
}

/* More than there are rows, one after the other and at the same time. */
static void
rows_are_taken_again(void **state)
{
    static struct coherence_file *other[2 * COHERENCE_PROCESSES];
    struct db_touched t = { 0 };
    struct coherence_mark m;
    struct place p;

    (void)state;
    make_place(&p);
    for (int i = 0; i < 2 * COHERENCE_PROCESSES; i++) {
        coherence_map(true);
        coherence_close();
    }
    coherence_map(true);
    assert_int_equal(atomic_load(&coherence_file->used), 2);
    for (int i = 0; i < 2 * COHERENCE_PROCESSES; i++) {
        other[i] = coherence_file;
        coherence_map(true); /* the locks of the others stay */
    }
    be_alone_for(60000);
    coherence_touch(&t, "i1");
    coherence_begin(&t);
    assert_false(mark("i1", &m));
    coherence_end(&t);
    assert_true(mark("i1", &m));
    for (int i = 0; i < 2 * COHERENCE_PROCESSES; i++)
        (void)munmap(other[i], sizeof(*other[i]));
    remove_place(&p);
}

static void
the_file_has_its_blocks(void **state)
{
    struct place p;
    struct stat st;

    (void)state;
    make_place(&p);
    coherence_map(true);
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_size, sizeof(struct coherence_file));
    assert_true(st.st_blocks * 512 >= st.st_size);
    remove_place(&p);
}

static int
begin(void **state)
{
    (void)state;
    coherence_close();
    memset(coherence_file, 0, sizeof(*coherence_file));
    coherence_may_keep = true;
    return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_holds_on_a_host_that_is_not_alone),
        TEST(nothing_holds_where_nothing_may_be_kept),
        TEST(a_change_ends_what_held_before_it),
        TEST(a_change_of_either_thing_counts),
        TEST(changes_overlap),
        TEST(a_change_without_an_end_is_never_kept),
        TEST(more_things_than_are_remembered_are_everything),
        TEST(one_thing_touched_often_is_one),
        TEST(what_another_process_ended_is_not_brought_back),
        TEST(who_is_not_by_himself_shares),
        TEST(a_row_is_dead_when_it_stood_unchanged_for_its_life),
        TEST(rows_beyond_what_is_remembered_are_alive),
        TEST(where_a_host_listens_is_found_by_name),
        TEST(processes_of_a_host_have_one_file),
        TEST(a_copy_of_the_file_is_another_host),
        TEST(a_file_of_another_layout_is_of_the_same_host),
        TEST(what_a_killed_process_was_changing_is_kept_again_later),
        TEST(rows_are_taken_again),
        TEST(the_file_has_its_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
