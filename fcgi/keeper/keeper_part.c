/* What is done at a server before a keeper ends it in order. It may take as
 * long as a server needs: a thread for each. */
#include "keeper_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"

/* With stop_ms less than supervise has for all of them. */
#define PART_MS     7000
#define LATE_MS     1000 /* it keeps to its time, or is not waited for */
#define ARENA_BYTES ((size_t)4 << 20)

struct part {
    struct keeper *k;
    struct arena *a;
    struct instance_spec spec;
    pid_t pid; /* the run of it that is ended */
};

static void
end_part(struct part *p)
{
    arena_free(p->a);
    free(p);
}

static void *
part_main(void *arg)
{
    struct part *p = arg;
    struct keeper *k = p->k;
    struct keep *one;

    k->cfg.before_end(p->a, &p->spec, PART_MS);
    pthread_mutex_lock(&k->mutex);
    one = keeper_find_uuid(k, p->spec.uuid);
    if (one != NULL && one->child.group == p->pid && one->part == PART_GOES_ON)
        one->part = PART_DONE;
    k->parting--;
    pthread_cond_broadcast(&k->change);
    keeper_poke(k);
    pthread_mutex_unlock(&k->mutex);
    end_part(p);
    return NULL;
}

static struct part *
begin_part(struct keeper *k, const struct keep *one)
{
    struct part *p = calloc(1, sizeof(*p));
    const char *text;

    if (p == NULL)
        return NULL;
    p->k = k;
    p->pid = one->child.group;
    p->a = arena_new(ARENA_BYTES);
    if (p->a != NULL && instance_spec_text(p->a, &one->spec, &text) == ERR_OK &&
        instance_spec_read(p->a, text, &p->spec) == ERR_OK)
        return p;
    end_part(p);
    return NULL;
}

bool
keeper_part(struct keeper *k, struct keep *one, int64_t now)
{
    pthread_attr_t detached;
    struct part *p;
    pthread_t thread;
    bool begun;

    if (k->cfg.before_end == NULL)
        return false;
    p = begin_part(k, one);
    if (p == NULL)
        return false;
    (void)pthread_attr_init(&detached);
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    begun = pthread_create(&thread, &detached, part_main, p) == 0;
    (void)pthread_attr_destroy(&detached);
    if (!begun) {
        log_warn("keeper.part name=%s thread=0", one->name);
        end_part(p);
        return false;
    }
    k->parting++;
    one->part = PART_GOES_ON;
    one->part_until_ms = now + PART_MS + LATE_MS;
    return true;
}
