/* Slow requests wait here for a thread, idle request objects for a request. */
#include "queue.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    size_t max, n, first;
    bool closed;
    void *thing[];
};

struct queue *
queue_new(size_t max)
{
    struct queue *q = calloc(1, sizeof(*q) + max * sizeof(q->thing[0]));

    if (q == NULL)
        return NULL;
    q->max = max;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->filled, NULL);
    return q;
}

void
queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    pthread_cond_destroy(&q->filled);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

bool
queue_put(struct queue *q, void *thing)
{
    bool taken;

    pthread_mutex_lock(&q->lock);
    taken = !q->closed && q->n < q->max;
    if (taken) {
        q->thing[(q->first + q->n) % q->max] = thing;
        q->n++;
        pthread_cond_signal(&q->filled);
    }
    pthread_mutex_unlock(&q->lock);
    return taken;
}

void *
queue_take(struct queue *q)
{
    void *thing = NULL;

    pthread_mutex_lock(&q->lock);
    while (q->n == 0 && !q->closed)
        pthread_cond_wait(&q->filled, &q->lock);
    if (q->n > 0) {
        thing = q->thing[q->first];
        q->first = (q->first + 1) % q->max;
        q->n--;
    }
    pthread_mutex_unlock(&q->lock);
    return thing;
}

void
queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->filled);
    pthread_mutex_unlock(&q->lock);
}
