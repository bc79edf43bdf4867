/* What a call to another host says for whom it is made. */
#include "http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hex.h"
#include "log.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

/* A server of one request, which it keeps. */
static struct {
    int fd;
    char url[64], request[4096];
} server;

static void *
serve(void *ctx)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                "Connection: close\r\n\r\n";
    int fd = accept(server.fd, NULL, NULL);
    size_t n = 0;
    ssize_t part;

    (void)ctx;
    do {
        part = recv(fd, server.request + n, sizeof(server.request) - 1 - n, 0);
        n += part > 0 ? (size_t)part : 0;
        server.request[n] = '\0';
    } while (part > 0 && strstr(server.request, "\r\n\r\n") == NULL);
    (void)send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
    (void)close(fd);
    return NULL;
}

static int
setup(void **state)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(at);

    (void)state;
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server.fd, (struct sockaddr *)&at, n) != 0 ||
        listen(server.fd, 1) != 0 ||
        getsockname(server.fd, (struct sockaddr *)&at, &n) != 0)
        return -1;
    (void)snprintf(server.url, sizeof(server.url), "http://127.0.0.1:%u/a",
                   ntohs(at.sin_port));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    return close(server.fd);
}

/* The request that a call for that work makes. */
static const char *
called_for(const struct trace *t)
{
    struct http_call c = { .method = "GET",
                           .url = server.url,
                           .chosen_here = true,
                           .header = { "X-Mine: 1" } };
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    log_trace(t);
    assert_int_equal(http_call(&c), ERR_OK);
    log_trace(NULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(c.status, 200);
    assert_non_null(strstr(server.request, "\r\nX-Mine: 1\r\n"));
    return server.request;
}

/* "traceparent: 00-<trace>-<span>-<flags>": the trace and flags, and another
 * span than that of the last call. */
static void
tells(const char *request, const char *trace, const char *flags)
{
    static char last[17];
    const char *p = strstr(request, "\r\ntraceparent: 00-");
    char span[17];

    assert_non_null(p);
    p += strlen("\r\ntraceparent: 00-");
    if (trace != NULL)
        assert_memory_equal(p, trace, 32);
    (void)snprintf(span, sizeof(span), "%.16s", p + 33);
    assert_true(p[32] == '-' && p[49] == '-' && hex_is(span, 16, 16));
    assert_memory_equal(p + 50, flags, 2);
    assert_memory_equal(p + 52, "\r\n", 2);
    assert_string_not_equal(span, last);
    (void)snprintf(last, sizeof(last), "%s", span);
}

static void
a_call_goes_on_with_the_trace_of_its_request(void **state)
{
    const struct trace t = { .request = "r-1",
                             .client = "c1",
                             .id = TRACE,
                             .sampled = true },
                       u = { .request = "r-2", .id = TRACE };
    const char *request;

    (void)state;
    request = called_for(&t);
    assert_non_null(strstr(request, "\r\nX-Request-Id: r-1\r\n"));
    tells(request, TRACE, "01");
    request = called_for(&u);
    assert_non_null(strstr(request, "\r\nX-Request-Id: r-2\r\n"));
    tells(request, TRACE, "00");
}

/* All calls of one request have one, and those of others another. */
static void
a_request_without_a_trace_begins_one(void **state)
{
    const struct trace t = { .request = "r-1", .id = "" },
                       u = { .request = "r-2" };
    char first[33];
    const char *request;

    (void)state;
    request = called_for(&t);
    tells(request, NULL, "00");
    (void)snprintf(first, sizeof(first), "%.32s",
                   strstr(request, "traceparent: 00-") + 16);
    assert_true(hex_is(first, 32, 32));
    assert_string_not_equal(first, "00000000000000000000000000000000");
    tells(called_for(&t), first, "00");
    request = called_for(&u);
    tells(request, NULL, "00");
    assert_memory_not_equal(strstr(request, "traceparent: 00-") + 16, first,
                            32);
}

static void
a_call_for_no_request_says_nothing(void **state)
{
    const char *request = called_for(NULL);

    (void)state;
    assert_null(strstr(request, "traceparent"));
    assert_null(strstr(request, "X-Request-Id"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_goes_on_with_the_trace_of_its_request),
        TEST(a_request_without_a_trace_begins_one),
        TEST(a_call_for_no_request_says_nothing),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
