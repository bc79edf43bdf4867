/* What the background resolver promises, with a name server of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define getaddrinfo  fake_getaddrinfo
#define freeaddrinfo fake_freeaddrinfo
#include "egress/resolver.c"

#include <arpa/inet.h>
#include <stdio.h>

/* ---- the name server ---- */

/* "slow…" gets no answer until that is told, "none…" does not exist, "dead…"
 * is never answered; everything else is 10.0.0.1. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool hold;
    unsigned held;
    int dead_code;
} server = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0,
             EAI_AGAIN };

static bool
begins(const char *host, const char *with)
{
    return strncmp(host, with, strlen(with)) == 0;
}

static void
hold_up(const char *host)
{
    pthread_mutex_lock(&server.mutex);
    if (!begins(host, "quick")) {
        server.held++;
        pthread_cond_broadcast(&server.change);
        while (server.hold)
            pthread_cond_wait(&server.change, &server.mutex);
        server.held--;
        pthread_cond_broadcast(&server.change);
    }
    pthread_mutex_unlock(&server.mutex);
}

int fake_getaddrinfo(const char *host, const char *service,
                     const struct addrinfo *hints, struct addrinfo **out);
void fake_freeaddrinfo(struct addrinfo *list);

int
fake_getaddrinfo(const char *host, const char *service,
                 const struct addrinfo *hints, struct addrinfo **out)
{
    static struct sockaddr_in sa = { .sin_family = AF_INET };
    static struct addrinfo one = { .ai_family = AF_INET,
                                   .ai_addrlen = sizeof(sa),
                                   .ai_addr = (struct sockaddr *)&sa };

    (void)service;
    (void)inet_pton(AF_INET, "10.0.0.1", &sa.sin_addr);
    *out = &one;
    if ((hints->ai_flags & AI_NUMERICHOST) != 0)
        return *host >= '0' && *host <= '9' ? 0 : EAI_NONAME;
    hold_up(host);
    if (begins(host, "none"))
        return EAI_NONAME;
    return begins(host, "dead") ? server.dead_code : 0;
}

void
fake_freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

static void
hold(bool on)
{
    pthread_mutex_lock(&server.mutex);
    server.hold = on;
    pthread_cond_broadcast(&server.change);
    while (!on && server.held > 0)
        pthread_cond_wait(&server.change, &server.mutex);
    pthread_mutex_unlock(&server.mutex);
}

static void
wait_held(unsigned n)
{
    pthread_mutex_lock(&server.mutex);
    while (server.held < n)
        pthread_cond_wait(&server.change, &server.mutex);
    assert_int_equal(server.held, n);
    pthread_mutex_unlock(&server.mutex);
}

/* ---- asking ---- */

static struct resolved
know(const char *host)
{
    struct resolved out;
    uint64_t seen = 0;

    while (resolver_known(host, &out) == ERR_BUSY)
        assert_true(resolver_wait(&seen, clock_mono_ms() + 30000));
    return out;
}

static bool
is_known(const char *host)
{
    struct resolved out;

    return resolver_known(host, &out) == ERR_OK;
}

/* As if it had been tried long ago. */
static void
age(const char *host)
{
    pthread_mutex_lock(&all.mutex);
    find(host)->tried_ms -= AGAIN_MS;
    find(host)->used_ms -= UNUSED_MS;
    pthread_mutex_unlock(&all.mutex);
}

/* Until it has been asked for again. */
static struct resolved
know_again(const char *host)
{
    uint64_t seen = 0;
    bool asking;

    age(host);
    assert_true(is_known(host)); /* wants it anew */
    do {
        (void)resolver_wait(&seen, clock_mono_ms() + 30000);
        pthread_mutex_lock(&all.mutex);
        asking = find(host)->asking;
        pthread_mutex_unlock(&all.mutex);
    } while (asking);
    return know(host);
}

static void
an_address_asks_no_server(void **state)
{
    struct resolved out;

    (void)state;
    assert_true(resolver_literal("10.0.0.1", &out));
    assert_int_equal(out.n, 1);
    assert_false(resolver_literal("quick", &out));
}

static void
a_name_becomes_known(void **state)
{
    struct resolved r = know("quick1");

    (void)state;
    assert_int_equal(r.code, 0);
    assert_int_equal(r.n, 1);
    assert_int_equal(know("none1").code, EAI_NONAME);
}

static void
slow_names_hold_up_nobody_else(void **state)
{
    (void)state;
    hold(true);
    assert_false(is_known("slow1"));
    assert_false(is_known("slow2"));
    wait_held(2);
    assert_int_equal(know("quick2").code, 0);
    assert_false(is_known("slow1"));
    hold(false);
    assert_int_equal(know("slow1").code, 0);
    assert_int_equal(know("slow2").code, 0);
}

static void
names_without_answers_take_half_of_the_threads(void **state)
{
    char host[32];

    (void)state;
    for (int i = 0; i < 3 * THREADS; i++) {
        (void)snprintf(host, sizeof(host), "dead%d", i);
        assert_int_equal(know(host).code, EAI_AGAIN);
        age(host);
    }
    hold(true);
    for (int i = 0; i < 3 * THREADS; i++) {
        (void)snprintf(host, sizeof(host), "dead%d", i);
        assert_true(is_known(host)); /* and is asked for again */
    }
    wait_held(LATE_THREADS);
    assert_int_equal(know("quick3").code, 0);
    hold(false);
}

static void
what_was_known_stays_while_the_server_is_silent(void **state)
{
    (void)state;
    server.dead_code = 0;
    assert_int_equal(know("dead-later").n, 1);
    server.dead_code = EAI_AGAIN;
    assert_int_equal(know_again("dead-later").n, 1);
    server.dead_code = EAI_NONAME; /* that is an answer */
    assert_int_equal(know_again("dead-later").code, EAI_NONAME);
}

static void
what_nobody_wants_is_forgotten(void **state)
{
    char host[32] = "";
    int i = 0;

    (void)state;
    (void)know("quick4");
    age("quick4");
    do
        (void)snprintf(host, sizeof(host), "quick-%d", i++);
    while (bucket_of(host) != bucket_of("quick4"));
    (void)know(host);
    pthread_mutex_lock(&all.mutex);
    assert_null(find("quick4"));
    assert_non_null(find(host));
    pthread_mutex_unlock(&all.mutex);
}

/* ... and what is wanted is not. */
static void
names_are_forgotten_though_nobody_asks_for_others(void **state)
{
    (void)state;
    (void)know("quick-unwanted");
    (void)know("quick-wanted");
    age("quick-unwanted");
    resolver_forget();
    pthread_mutex_lock(&all.mutex);
    assert_null(find("quick-unwanted"));
    assert_non_null(find("quick-wanted"));
    pthread_mutex_unlock(&all.mutex);
    assert_int_equal(know("quick-wanted").n, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_asks_no_server),
        cmocka_unit_test(a_name_becomes_known),
        cmocka_unit_test(slow_names_hold_up_nobody_else),
        cmocka_unit_test(names_without_answers_take_half_of_the_threads),
        cmocka_unit_test(what_was_known_stays_while_the_server_is_silent),
        cmocka_unit_test(what_nobody_wants_is_forgotten),
        cmocka_unit_test(names_are_forgotten_though_nobody_asks_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
