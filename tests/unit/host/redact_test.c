/* What reaches the logs of nginx and MariaDB. */
#include "host/redact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
expect(const char *in, const char *out)
{
    size_t n = strlen(in);
    char *line = malloc(n > 0 ? n : 1); /* exact: ASan sees a byte too far */

    assert_non_null(line);
    memcpy(line, in, n);
    n = redact_line(line, n);
    assert_int_equal(n, strlen(out));
    assert_memory_equal(line, out, n);
    free(line);
}

static void
a_token_in_the_request_line_is_hidden(void **state)
{
    (void)state;
    expect("request: \"GET /a?token=secret HTTP/1.1\", host: \"h\"",
           "request: \"GET /a?token=*** HTTP/1.1\", host: \"h\"");
}

static void
every_token_of_a_line_is_hidden(void **state)
{
    (void)state;
    expect("request: \"GET /a?b=1&token=secret&c=2 HTTP/1.1\", upstream: "
           "\"fastcgi://unix:/s?token=secret\", referrer: "
           "\"http://h/?token=secret\"",
           "request: \"GET /a?b=1&token=***&c=2 HTTP/1.1\", upstream: "
           "\"fastcgi://unix:/s?token=***\", referrer: "
           "\"http://h/?token=***\"");
}

static void
letter_case_does_not_matter(void **state)
{
    (void)state;
    expect("?TOKEN=secret ?ToKeN=secret", "?TOKEN=*** ?ToKeN=***");
}

static void
percent_forms_do_not_matter(void **state)
{
    (void)state;
    expect("?%74oken=secret ?tok%65N%3dsecret ?%54%4F%4b%45%4E%3Dsecret",
           "?%74oken=*** ?tok%65N%3d*** ?%54%4F%4b%45%4E%3D***");
}

static void
a_short_value_does_not_grow(void **state)
{
    (void)state;
    expect("?token=a&token=ab&token=&x", "?token=*&token=**&token=&x");
    expect("token=", "token=");
    expect("token=x", "token=*");
    expect("", "");
}

static void
a_bare_token_is_hidden_wherever_it_stands(void **state)
{
    (void)state;
    expect("conflicting parameter \"" TOKEN "\" in tokens.map:3",
           "conflicting parameter \"***\" in tokens.map:3");
    expect("GET /" TOKEN " HTTP/1.1", "GET /*** HTTP/1.1");
}

static void
other_text_stays(void **state)
{
    (void)state;
    expect("id 0123456789abcdef0123456789abcdef tokens= %74ok %zz token",
           "id 0123456789abcdef0123456789abcdef tokens= %74ok %zz token");
    expect("%7", "%7");
    expect("toke", "toke");
}

/* ---- the thread ---- */

struct log {
    char dir[64], path[96];
    int writer;
    struct redact redact;
};

static void
log_start(struct log *l)
{
    (void)snprintf(l->dir, sizeof(l->dir), "/var/tmp/redact.XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    (void)snprintf(l->path, sizeof(l->path), "%s/error.log", l->dir);
    assert_int_equal(redact_start(&l->redact, l->path, &l->writer), ERR_OK);
}

static void
log_write_all(const struct log *l, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(l->writer, p, n);

        if (done < 0 && errno == EAGAIN)
            continue; /* the pipe is full */
        assert_true(done > 0);
        p += done;
        n -= (size_t)done;
    }
}

static void
file_holds(const char *path, const char *text)
{
    char got[4096];
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    n = fread(got, 1, sizeof(got) - 1, f);
    got[n] = '\0';
    assert_int_equal(fclose(f), 0);
    assert_string_equal(got, text);
    assert_int_equal(unlink(path), 0);
}

/* Ends the writer and compares what has reached the file. */
static void
log_expect(struct log *l, const char *text)
{
    assert_int_equal(close(l->writer), 0);
    assert_int_equal(pthread_join(l->redact.thread, NULL), 0);
    file_holds(l->path, text);
    assert_int_equal(rmdir(l->dir), 0);
}

static void
a_token_cut_by_two_writes_is_hidden(void **state)
{
    struct log l;

    (void)state;
    log_start(&l);
    log_write_all(&l, "one\ntwo ?tok", 12);
    log_write_all(&l, "en=sec", 6);
    log_write_all(&l, "ret x\nthree", 11);
    log_expect(&l, "one\ntwo ?token=*** x\nthree");
}

static void
the_rest_of_an_endless_line_is_dropped(void **state)
{
    static char line[20000];
    struct log l;

    (void)state;
    memset(line, '-', sizeof(line));
    memcpy(line + 8186, "?token=secret", 13); /* across the buffer's end */
    memcpy(line, "?token=", 7);               /* one value of 8 KiB */
    log_start(&l);
    log_write_all(&l, line, sizeof(line));
    log_write_all(&l, "\nnext ?token=x\n", 15);
    log_expect(&l, "?token=***next ?token=*\n");
}

static void
a_moved_log_is_made_anew(void **state)
{
    char moved[128];
    struct log l;

    (void)state;
    log_start(&l);
    log_write_all(&l, "old\n", 4);
    redact_settle(&l.redact);
    (void)snprintf(moved, sizeof(moved), "%s.1", l.path);
    assert_int_equal(rename(l.path, moved), 0);
    redact_reopen(&l.redact);
    assert_int_equal(access(l.path, F_OK), 0); /* at once */
    log_write_all(&l, "new\n", 4);
    file_holds(moved, "old\n");
    log_expect(&l, "new\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_in_the_request_line_is_hidden),
        cmocka_unit_test(every_token_of_a_line_is_hidden),
        cmocka_unit_test(letter_case_does_not_matter),
        cmocka_unit_test(percent_forms_do_not_matter),
        cmocka_unit_test(a_short_value_does_not_grow),
        cmocka_unit_test(a_bare_token_is_hidden_wherever_it_stands),
        cmocka_unit_test(other_text_stays),
        cmocka_unit_test(a_token_cut_by_two_writes_is_hidden),
        cmocka_unit_test(the_rest_of_an_endless_line_is_dropped),
        cmocka_unit_test(a_moved_log_is_made_anew),
    };

    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
