/* A log file and standard error, which up makes the same file. */
#include "log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[64], log[96], moved[96];
    int err; /* standard error of the test itself */
};

/* The log is open; standard error is the file err of its folder. */
static void
begin(struct place *p, const char *err)
{
    char path[128];
    int fd;

    (void)snprintf(p->dir, sizeof(p->dir), "/var/tmp/log.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->log, sizeof(p->log), "%s/log", p->dir);
    (void)snprintf(p->moved, sizeof(p->moved), "%s/moved", p->dir);
    assert_int_equal(log_open(p->log, "test"), ERR_OK);
    (void)snprintf(path, sizeof(path), "%s/%s", p->dir, err);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    p->err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_true(fd >= 0 && p->err >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    (void)close(fd);
}

/* Gives standard error back, so that failures are seen. */
static void
end(struct place *p)
{
    assert_int_equal(dup2(p->err, STDERR_FILENO), STDERR_FILENO);
    (void)close(p->err);
    assert_int_equal(log_open("-", "test"), ERR_OK);
}

static void
library_says(const char *text)
{
    assert_int_equal(write(STDERR_FILENO, text, strlen(text)), strlen(text));
}

/* The file's text, which is removed; "" when there is none. */
static const char *
take(const char *path)
{
    static char text[16384];
    FILE *f = fopen(path, "r");
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);

    text[n] = '\0';
    if (f != NULL)
        (void)fclose(f);
    (void)unlink(path);
    return text;
}

static void
what_is_hushed_is_lost_and_events_are_not(void **state)
{
    struct place p;
    const char *text;

    (void)state;
    begin(&p, "log");
    log_hush();
    library_says("noise\n");
    log_info("test.during");
    log_unhush();
    library_says("words\n");
    end(&p);
    text = take(p.log);
    assert_null(strstr(text, "noise"));
    assert_non_null(strstr(text, " info test test.during\n"));
    assert_non_null(strstr(text, "words\n"));
    assert_int_equal(rmdir(p.dir), 0);
}

static void
a_reopened_log_takes_standard_error_along(void **state)
{
    struct place p;
    const char *text;

    (void)state;
    begin(&p, "log");
    library_says("old\n");
    assert_int_equal(rename(p.log, p.moved), 0);
    log_reopen();
    library_says("new\n");
    log_info("test.after");
    end(&p);
    assert_string_equal(take(p.moved), "old\n");
    text = take(p.log);
    assert_ptr_equal(strstr(text, "new\n"), text);
    assert_non_null(strstr(text, " info test test.after\n"));
    assert_int_equal(rmdir(p.dir), 0);
}

static void
standard_error_elsewhere_stays_there(void **state)
{
    struct place p;

    (void)state;
    begin(&p, "moved");
    log_reopen();
    log_hush();
    library_says("noise\n");
    log_unhush();
    library_says("words\n");
    end(&p);
    assert_string_equal(take(p.moved), "words\n");
    assert_string_equal(take(p.log), "");
    assert_int_equal(rmdir(p.dir), 0);
}

static void
without_a_file_nothing_is_hushed(void **state)
{
    struct place p;

    (void)state;
    begin(&p, "moved");
    assert_int_equal(log_open("-", "test"), ERR_OK);
    log_hush();
    log_info("test.event");
    log_unhush();
    log_reopen();
    end(&p);
    assert_non_null(strstr(take(p.moved), " info test test.event\n"));
    assert_string_equal(take(p.log), "");
    assert_int_equal(rmdir(p.dir), 0);
}

/* What a client has written cannot end where a fact of ours begins. */
static void
a_value_that_is_no_word_stands_in_quotes(void **state)
{
    struct place p;
    const char *text;

    (void)state;
    begin(&p, "log");
    log_info("test.a name=%s next=%d", "i1 err=OK", 1);
    log_info("test.b name=%s why=\"%s\"", "", "a\" b=\\");
    log_info("test.c name=%s:%u cut=\"%.3s\" of=%.*s", "h\n", 80u, "abcdef", 2,
             "xyz");
    log_info("test.d %lld %llu %zu %x %o %u 100%%", -5LL, ~0ULL, (size_t)7,
             255u, 8u, ~0u);
    end(&p);
    text = take(p.log);
    assert_non_null(strstr(text, "test.a name=\"i1 err=OK\" next=1\n"));
    assert_non_null(strstr(text, "test.b name= why=\"a\\\" b=\\\\\"\n"));
    assert_non_null(strstr(text, "test.c name=h\\x0a:80 cut=\"abc\" of=xy\n"));
    assert_non_null(strstr(
        text, "test.d -5 18446744073709551615 7 ff 10 4294967295 100%\n"));
    assert_int_equal(rmdir(p.dir), 0);
}

static void
as_json(struct place *p)
{
    begin(p, "log");
    log_set_format_name("json");
}

/* Without its first member, the time. */
static const char *
object_of(struct place *p)
{
    const char *text;

    end(p);
    log_set_format_name("text");
    text = take(p->log);
    assert_int_equal(rmdir(p->dir), 0);
    assert_ptr_equal(strstr(text, "{\"time\":\"2"), text);
    return strstr(text, ",\"level\"");
}

static void
as_json_a_line_is_an_object(void **state)
{
    static const struct trace t = { .request = "r-1",
                                    .client = "c1",
                                    .id = "4bf92f3577b34da6a3ce929d0e0e4736" };
    struct place p;

    (void)state;
    as_json(&p);
    log_trace(&t);
    log_warn("test.a id=%llu name=%s at=%s:%u why=\"%s\" of=%x n=%s", 7ULL,
             "i1 err=\"x\\", "h\n", 80u, "a b", 16u, "12");
    log_trace(NULL);
    assert_string_equal(
        object_of(&p),
        ",\"level\":\"warn\",\"process\":\"test\",\"id\":\"r-1\","
        "\"client_id\":\"c1\",\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
        "\"event\":\"test.a\",\"facts\":{\"id\":7,"
        "\"name\":\"i1 err=\\\"x\\\\\",\"at\":\"h\\\\x0a:80\","
        "\"why\":\"a b\",\"of\":\"10\",\"n\":\"12\"}}\n");
    as_json(&p);
    log_info("test.alone");
    assert_string_equal(object_of(&p), ",\"level\":\"info\",\"process\":"
                                       "\"test\",\"event\":\"test.alone\"}\n");
    as_json(&p);
    log_info("test.words n=%d and so on, %s", -1, "\xff\xc3\xa4");
    assert_string_equal(object_of(&p),
                        ",\"level\":\"info\",\"process\":\"test\",\"event\":"
                        "\"test.words\",\"facts\":{\"n\":-1,\"said\":"
                        "\"and so on, \xef\xbf\xbd\xc3\xa4\"}}\n");
}

/* Also one that was cut, whatever it was made of, is JSON to its end. */
static void
a_long_object_is_whole(void **state)
{
    static char long_text[5000];
    struct place p;
    const char *text;

    (void)state;
    memset(long_text, '"', sizeof(long_text) - 1);
    as_json(&p);
    log_info("test.long a=%.3000s b=%d c=%s", long_text, 5, long_text);
    text = object_of(&p);
    assert_null(strstr(text, "\"b\":"));
    assert_non_null(strstr(text, "\"cut\":true}\n"));
}

static void
a_line_tells_what_the_client_calls_it_by(void **state)
{
    static const struct trace both = { .request = "r-1",
                                       .client = "c1",
                                       .id = "4bf9" },
                              none = { .request = "r-2", .client = "" };
    struct place p;
    const char *text;

    (void)state;
    begin(&p, "log");
    log_trace(&both);
    log_info("test.a");
    log_trace(&none);
    log_info("test.b");
    log_trace(NULL);
    log_info("test.c");
    end(&p);
    text = take(p.log);
    assert_non_null(
        strstr(text, "test [r-1 client_id=c1 trace=4bf9] test.a\n"));
    assert_non_null(strstr(text, "test [r-2] test.b\n"));
    assert_non_null(strstr(text, "test test.c\n"));
    assert_int_equal(rmdir(p.dir), 0);
}

static void *
thread_says(void *arg)
{
    log_info("test.%s", (const char *)arg);
    return arg;
}

static void
a_thread_is_told_as_the_work_of_who_made_it(void **state)
{
    static const struct trace work = { .request = "r-1" };
    static char b[] = "b", c[] = "c";
    struct place p;
    pthread_t thread;
    const char *text;
    void *said;

    (void)state;
    begin(&p, "log");
    log_trace(&work);
    assert_true(log_thread(&thread, thread_says, b));
    assert_int_equal(pthread_join(thread, &said), 0);
    assert_ptr_equal(said, b);
    log_trace(NULL);
    assert_true(log_thread(&thread, thread_says, c));
    assert_int_equal(pthread_join(thread, NULL), 0);
    end(&p);
    text = take(p.log);
    assert_non_null(strstr(text, "test [r-1] test.b\n"));
    assert_non_null(strstr(text, " test test.c\n"));
    assert_int_equal(rmdir(p.dir), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_is_no_word_stands_in_quotes),
        cmocka_unit_test(as_json_a_line_is_an_object),
        cmocka_unit_test(a_long_object_is_whole),
        cmocka_unit_test(a_line_tells_what_the_client_calls_it_by),
        cmocka_unit_test(a_thread_is_told_as_the_work_of_who_made_it),
        cmocka_unit_test(what_is_hushed_is_lost_and_events_are_not),
        cmocka_unit_test(a_reopened_log_takes_standard_error_along),
        cmocka_unit_test(standard_error_elsewhere_stays_there),
        cmocka_unit_test(without_a_file_nothing_is_hushed),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
