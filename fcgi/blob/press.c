/* Compressing, block by block on threads of its own, so that who reads from one
 * end and writes to the other need not wait for it. */
#include "press.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define BLOCK       PRESS_BLOCK
#define THREADS_MAX 4
#define SLOTS_MAX   (THREADS_MAX + 2)
#define STORED      65535 /* bytes that a stored block of deflate has at most */
#define HEAD        10
#define TRAILER     8
/* The bound of a block that cannot be compressed: zstd's, beyond deflate's in
 * gzip's frame. */
#define OUT_MAX ZSTD_COMPRESSBOUND(BLOCK)
_Static_assert(OUT_MAX > BLOCK + 5 * (BLOCK / STORED + 2) + HEAD + TRAILER + 64,
               "deflate's blocks fit too");

enum slot_state { FREE, FILLED, TAKEN, DONE, FAILED };

struct slot {
    enum slot_state state;
    unsigned char *in, *out;
    size_t in_n, out_n;
};

struct press {
    enum press_form form;
    int level;
    blob_read_fn *read;
    void *ctx;
    bool ended, broken; /* the source */
    /* A ring: `first` is the oldest that is not given out; n are in use. */
    struct slot slot[SLOTS_MAX];
    size_t slots, first, n;
    size_t given; /* bytes of the first one */
    bool any;     /* a member has been made */

    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    pthread_t thread[THREADS_MAX];
    size_t threads;
    size_t next; /* the slot that a thread takes next */
    bool leave;
};

/* ---- one member ---- */

static void
put_le(unsigned char *p, uint32_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

/* RFC 1951, 3.2.4. */
static void
store(struct slot *s)
{
    static const unsigned char head[HEAD] = { 0x1f, 0x8b, 8, [9] = 255 };
    unsigned char *p = s->out;
    size_t at = 0;

    memcpy(p, head, HEAD);
    p += HEAD;
    do {
        size_t n = s->in_n - at < STORED ? s->in_n - at : STORED;

        *p = at + n == s->in_n;
        put_le(p + 1, (uint32_t)n, 2);
        put_le(p + 3, (uint32_t)n ^ 0xffff, 2);
        memcpy(p + 5, s->in + at, n);
        p += 5 + n;
        at += n;
    } while (at < s->in_n);
    put_le(p, crc32_gzip_refl(0, s->in, s->in_n), 4);
    put_le(p + 4, (uint32_t)s->in_n, 4);
    s->out_n = (size_t)(p + TRAILER - s->out);
}

/* What one thread works with. */
struct gear {
    enum press_form form;
    int level;
    unsigned char *room; /* deflate's */
    uint32_t room_n;
    ZSTD_CCtx *zstd;
};

static bool
gear_make(const struct press *g, struct gear *gear)
{
    static const uint32_t rooms[] = { 0, ISAL_DEF_LVL1_DEFAULT,
                                      ISAL_DEF_LVL2_DEFAULT,
                                      ISAL_DEF_LVL3_DEFAULT };

    *gear = (struct gear){ .form = g->form, .level = g->level };
    if (g->form == PRESS_ZSTD) {
        gear->zstd = ZSTD_createCCtx();
        return gear->zstd != NULL &&
               !ZSTD_isError(ZSTD_CCtx_setParameter(
                   gear->zstd, ZSTD_c_compressionLevel, g->level)) &&
               !ZSTD_isError(
                   ZSTD_CCtx_setParameter(gear->zstd, ZSTD_c_checksumFlag, 1));
    }
    gear->room_n = rooms[g->level];
    gear->room = malloc(gear->room_n);
    return gear->room != NULL;
}

static void
gear_free(struct gear *gear)
{
    free(gear->room);
    ZSTD_freeCCtx(gear->zstd);
}

static bool
deflate_block(struct gear *gear, struct slot *s)
{
    struct isal_zstream z;

    isal_deflate_stateless_init(&z);
    z.level = (uint32_t)gear->level;
    z.level_buf = gear->room;
    z.level_buf_size = gear->room_n;
    z.gzip_flag = IGZIP_GZIP;
    z.end_of_stream = 1;
    z.next_in = s->in;
    z.avail_in = (uint32_t)s->in_n;
    z.next_out = s->out;
    z.avail_out = OUT_MAX;
    if (isal_deflate_stateless(&z) != COMP_OK)
        return false;
    s->out_n = OUT_MAX - z.avail_out;
    return true;
}

static bool
press_block(struct gear *gear, struct slot *s)
{
    size_t n;

    if (gear->form != PRESS_ZSTD)
        return deflate_block(gear, s);
    n = ZSTD_compress2(gear->zstd, s->out, OUT_MAX, s->in, s->in_n);
    s->out_n = ZSTD_isError(n) ? 0 : n;
    return s->out_n > 0;
}

/* ---- threads ---- */

static struct slot *
take_filled(struct press *g)
{
    struct slot *s = &g->slot[g->next];

    if (s->state != FILLED)
        return NULL;
    s->state = TAKEN; /* the ring may come around to it */
    g->next = (g->next + 1) % g->slots;
    return s;
}

static void *
compress_main(void *arg)
{
    struct press *g = arg;
    struct gear gear;
    bool well = gear_make(g, &gear);
    struct slot *s = NULL;

    pthread_mutex_lock(&g->mutex);
    while (!g->leave) {
        bool ok;

        s = take_filled(g);
        if (s == NULL) {
            pthread_cond_wait(&g->work, &g->mutex);
            continue;
        }
        /* others look at the state of this one only when it is first */
        pthread_mutex_unlock(&g->mutex);
        ok = well && press_block(&gear, s);
        pthread_mutex_lock(&g->mutex);
        s->state = ok ? DONE : FAILED;
        pthread_cond_signal(&g->done);
    }
    pthread_mutex_unlock(&g->mutex);
    gear_free(&gear);
    return NULL;
}

static bool
start_threads(struct press *g)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = cores < 1             ? 1
                    : cores > THREADS_MAX ? THREADS_MAX
                                          : (size_t)cores;

    g->slots = wanted + 2; /* one is filled, one given out */
    while (g->threads < wanted &&
           pthread_create(&g->thread[g->threads], NULL, compress_main, g) == 0)
        g->threads++;
    return g->threads > 0;
}

/* ---- begin and end ---- */

struct press *
press_new(enum press_form form, int level, blob_read_fn *read, void *ctx)
{
    static const int most[] = {
        [PRESS_NONE] = 0, [PRESS_GZIP] = 3, [PRESS_ZSTD] = PRESS_LEVEL_MAX
    };
    struct press *g = calloc(1, sizeof(*g));
    bool ok = g != NULL;

    if (g == NULL)
        return NULL;
    g->form = form;
    g->level = level < 1 ? 1 : level;
    g->level = g->level > most[form] ? most[form] : g->level;
    g->read = read;
    g->ctx = ctx;
    g->slots = 1;
    (void)pthread_mutex_init(&g->mutex, NULL);
    (void)pthread_cond_init(&g->work, NULL);
    (void)pthread_cond_init(&g->done, NULL);
    if (g->form != PRESS_NONE)
        ok = start_threads(g);
    for (size_t i = 0; ok && i < g->slots; i++) {
        g->slot[i].in = malloc(BLOCK);
        g->slot[i].out = malloc(OUT_MAX);
        ok = g->slot[i].in != NULL && g->slot[i].out != NULL;
    }
    if (ok)
        return g;
    press_free(g);
    return NULL;
}

void
press_free(struct press *g)
{
    if (g == NULL)
        return;
    pthread_mutex_lock(&g->mutex);
    g->leave = true;
    pthread_cond_broadcast(&g->work);
    pthread_mutex_unlock(&g->mutex);
    for (size_t i = 0; i < g->threads; i++)
        (void)pthread_join(g->thread[i], NULL);
    for (size_t i = 0; i < SLOTS_MAX; i++) {
        free(g->slot[i].in);
        free(g->slot[i].out);
    }
    (void)pthread_cond_destroy(&g->work);
    (void)pthread_cond_destroy(&g->done);
    (void)pthread_mutex_destroy(&g->mutex);
    free(g);
}

/* ---- the stream ---- */

/* A block of the source into the next slot; an empty stream is one, empty,
 * member. */
static void
fill(struct press *g)
{
    struct slot *s = &g->slot[(g->first + g->n) % g->slots];
    int64_t got = 1;

    s->in_n = 0;
    while (s->in_n < BLOCK && got > 0) {
        got = g->read(g->ctx, (char *)s->in + s->in_n, BLOCK - s->in_n);
        if (got > 0)
            s->in_n += (size_t)got;
    }
    g->ended = got == 0;
    g->broken = got < 0;
    if (g->broken || (s->in_n == 0 && g->any))
        return;
    g->any = true;
    if (g->form == PRESS_NONE)
        store(s);
    pthread_mutex_lock(&g->mutex);
    s->state = g->form == PRESS_NONE ? DONE : FILLED;
    pthread_cond_signal(&g->work);
    pthread_mutex_unlock(&g->mutex);
    g->n++;
}

/* Of the first slot: what is given out next. Waits when there is nothing else
 * to do. */
static enum slot_state
first_state(struct press *g, bool wait)
{
    struct slot *s = &g->slot[g->first];
    enum slot_state state;

    pthread_mutex_lock(&g->mutex);
    while (wait && (s->state == FILLED || s->state == TAKEN))
        pthread_cond_wait(&g->done, &g->mutex);
    state = s->state;
    pthread_mutex_unlock(&g->mutex);
    return state;
}

static size_t
give(struct press *g, char *p, size_t n)
{
    struct slot *s = &g->slot[g->first];
    size_t k = s->out_n - g->given < n ? s->out_n - g->given : n;

    memcpy(p, s->out + g->given, k);
    g->given += k;
    if (g->given == s->out_n) {
        pthread_mutex_lock(&g->mutex);
        s->state = FREE;
        pthread_mutex_unlock(&g->mutex);
        g->first = (g->first + 1) % g->slots;
        g->given = 0;
        g->n--;
    }
    return k;
}

/* Threads have work before anything is given out: whoever takes it may be
 * slow. */
int64_t
press_read(void *ctx, char *p, size_t n)
{
    struct press *g = ctx;

    for (;;) {
        bool more = !g->ended && !g->broken && g->n < g->slots;
        enum slot_state state = FREE;

        if (g->broken)
            return -1;
        if (g->n > 0 && (g->given > 0 || !more || g->n > g->threads))
            state = first_state(g, !more);
        if (state == FAILED)
            return -1;
        if (state == DONE)
            return (int64_t)give(g, p, n);
        if (more)
            fill(g);
        else if (g->n == 0)
            return 0;
    }
}
