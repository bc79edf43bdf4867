/* Names to addresses, in the background. */
#include "resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define THREADS      8
#define LATE_THREADS (THREADS / 2)
#define BUCKETS      1024
#define NAMES_MAX    65536
#define AGAIN_MS     30000  /* after an answer, as after none */
#define UNUSED_MS    600000 /* nobody has asked for so long: may be forgotten */

struct name {
    struct name *next;  /* in its bucket */
    struct name *after; /* in its queue */
    char *host;
    bool asking; /* queued, or a thread is at it */
    bool known, late;
    int code; /* the last answer: as a struct resolved has it, no larger */
    size_t n;
    struct egress_address *v;
    int64_t tried_ms, used_ms;
};

struct queue {
    struct name *first, **end;
};

/* Names that gave no answer the last time wait in a queue of their own, which
 * takes half of the threads at the most: a name server that is silent about
 * many names holds up only those. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work, answer;
    bool begun;
    struct name *bucket[BUCKETS];
    size_t names;
    struct queue fresh, late;
    unsigned threads, idle, late_busy;
    size_t queued;
    uint64_t answers;
} all = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* ---- asking ---- */

static void
copy_addresses(const struct addrinfo *list, struct resolved *out)
{
    for (; list != NULL && out->n < COUNT(out->v); list = list->ai_next) {
        struct egress_address *to = &out->v[out->n];

        if (list->ai_addrlen > sizeof(to->sa))
            continue;
        memcpy(&to->sa, list->ai_addr, list->ai_addrlen);
        to->n = list->ai_addrlen;
        out->n++;
    }
}

static void
ask(const char *host, int flags, struct resolved *out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
    struct addrinfo *list = NULL;

    memset(out, 0, sizeof(*out));
    out->code = getaddrinfo(host, NULL, &hints, &list);
    if (out->code != 0)
        return;
    copy_addresses(list, out);
    freeaddrinfo(list);
}

/* The resolver of this thread gives up after one round of short questions:
 * the stock settings would hold a caller for half a minute. */
static void
hurry_resolver(void)
{
    if (res_init() == 0) {
        _res.retrans = 2;
        _res.retry = 1;
    }
}

bool
resolver_literal(const char *host, struct resolved *out)
{
    ask(host, AI_NUMERICHOST, out);
    return out->code != EAI_NONAME;
}

void
resolver_now(const char *host, struct resolved *out)
{
    hurry_resolver();
    ask(host, AI_ADDRCONFIG, out);
}

/* ---- names ---- */

static struct name **
bucket_of(const char *host)
{
    uint32_t h = 2166136261u;

    for (; *host != '\0'; host++)
        h = (h ^ (unsigned char)*host) * 16777619u;
    return &all.bucket[h % BUCKETS];
}

static struct name *
find(const char *host)
{
    struct name *n = *bucket_of(host);

    while (n != NULL && strcmp(n->host, host) != 0)
        n = n->next;
    return n;
}

/* Forgets what nobody wants in the bucket: each addition tidies one. */
static void
tidy(struct name **at, int64_t now_ms)
{
    while (*at != NULL) {
        struct name *n = *at;

        if (n->asking || now_ms - n->used_ms < UNUSED_MS) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        free(n->v);
        free(n->host);
        free(n);
        all.names--;
    }
}

void
resolver_forget(void)
{
    int64_t now_ms = clock_mono_ms();

    pthread_mutex_lock(&all.mutex);
    for (size_t i = 0; i < BUCKETS; i++)
        tidy(&all.bucket[i], now_ms);
    pthread_mutex_unlock(&all.mutex);
}

static struct name *
add(const char *host, int64_t now_ms)
{
    struct name **bucket = bucket_of(host);
    struct name *n = NULL;

    tidy(bucket, now_ms);
    if (all.names < NAMES_MAX)
        n = calloc(1, sizeof(*n));
    if (n == NULL)
        return NULL;
    n->host = strdup(host);
    if (n->host == NULL) {
        free(n);
        return NULL;
    }
    n->next = *bucket;
    *bucket = n;
    all.names++;
    return n;
}

/* ---- threads ---- */

static void
push(struct queue *q, struct name *n)
{
    n->after = NULL;
    if (q->first == NULL)
        q->end = &q->first;
    *q->end = n;
    q->end = &n->after;
}

static struct name *
pop(struct queue *q)
{
    struct name *n = q->first;

    if (n != NULL)
        q->first = n->after;
    return n;
}

static struct name *
next_name(void)
{
    struct name *n = pop(&all.fresh);

    if (n == NULL && all.late_busy < LATE_THREADS)
        n = pop(&all.late);
    all.queued -= n != NULL;
    return n;
}

/* Without memory the name stays as it was. */
static bool
keep_answer(struct name *n, const struct resolved *answer)
{
    struct egress_address *v = NULL;

    if (answer->n > 0) {
        v = malloc(answer->n * sizeof(*v));
        if (v == NULL)
            return false;
        memcpy(v, answer->v, answer->n * sizeof(*v));
    }
    free(n->v);
    n->v = v;
    n->n = answer->n;
    n->code = answer->code;
    return true;
}

static void
show(const struct name *n, struct resolved *out)
{
    out->code = n->code;
    out->n = n->n;
    if (n->n > 0)
        memcpy(out->v, n->v, n->n * sizeof(*n->v));
}

/* A server that does not answer says nothing about a name that it knew. */
static void
take_answer(struct name *n, const struct resolved *answer)
{
    bool none = answer->code != 0 && answer->code != EAI_NONAME;

    if (!none || !n->known || n->code != 0)
        n->known = keep_answer(n, answer) || n->known;
    n->late = none;
    n->asking = false;
    n->tried_ms = clock_mono_ms();
    all.answers++;
    pthread_cond_broadcast(&all.answer);
}

/* The mutex is held, but not while a name server is asked; a name that is
 * being asked for is not forgotten. */
static void
serve(struct name *n)
{
    struct resolved answer;
    bool late = n->late;

    all.late_busy += late;
    pthread_mutex_unlock(&all.mutex);
    resolver_now(n->host, &answer);
    pthread_mutex_lock(&all.mutex);
    all.late_busy -= late;
    take_answer(n, &answer);
}

static void *
thread_main(void *arg)
{
    struct name *n;

    pthread_mutex_lock(&all.mutex);
    for (;;) {
        n = next_name();
        if (n != NULL) {
            serve(n);
            continue;
        }
        all.idle++;
        pthread_cond_wait(&all.work, &all.mutex);
        all.idle--;
    }
    return arg;
}

/* Threads live as long as the process: they hold nothing that needs an end. */
static void
start_thread(void)
{
    pthread_attr_t detached;
    pthread_t thread;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &detached, thread_main, NULL) == 0)
        all.threads++;
    pthread_attr_destroy(&detached);
}

static void
want(struct name *n)
{
    n->asking = true;
    push(n->late ? &all.late : &all.fresh, n);
    all.queued++;
    if (all.queued > all.idle && all.threads < THREADS)
        start_thread();
    pthread_cond_broadcast(&all.work);
}

/* ---- what is known ---- */

static void
begin(void)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&all.answer, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&all.work, NULL);
    all.begun = true;
}

enum err
resolver_known(const char *host, struct resolved *out)
{
    int64_t now_ms = clock_mono_ms();
    enum err e = ERR_BUSY;
    struct name *n;

    pthread_mutex_lock(&all.mutex);
    if (!all.begun)
        begin();
    n = find(host);
    if (n == NULL)
        n = add(host, now_ms);
    if (n != NULL) {
        n->used_ms = now_ms;
        if (!n->asking && (!n->known || now_ms - n->tried_ms >= AGAIN_MS))
            want(n);
        if (n->known) {
            show(n, out);
            e = ERR_OK;
        }
    }
    pthread_mutex_unlock(&all.mutex);
    return e;
}

bool
resolver_wait(uint64_t *seen, int64_t until_ms)
{
    const struct timespec until = { until_ms / 1000,
                                    until_ms % 1000 * 1000000 };
    bool more;

    pthread_mutex_lock(&all.mutex);
    while (all.begun && all.answers == *seen &&
           pthread_cond_timedwait(&all.answer, &all.mutex, &until) == 0)
        ;
    more = all.answers != *seen;
    *seen = all.answers;
    pthread_mutex_unlock(&all.mutex);
    return more;
}
