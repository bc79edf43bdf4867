/* A bounded first-in, first-out queue of pointers between threads. */
#ifndef MG_QUEUE_H
#define MG_QUEUE_H

#include "base.h"

struct queue;

/* Holds at most max pointers; NULL without memory. */
struct queue *queue_new(size_t max);
void queue_free(struct queue *q);

/* False when it is full or closed: the caller keeps the thing. */
bool queue_put(struct queue *q, void *thing) MUST_USE;

/* The oldest; waits for one. NULL once it is closed and empty. */
void *queue_take(struct queue *q);

/* Nothing more is taken in; those who wait for more get NULL. */
void queue_close(struct queue *q);

#endif
