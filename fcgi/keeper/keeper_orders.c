/* What the steps of jobs tell the keeper: instances come and go, are held,
 * started and ended; and what it shows of them. */
#include "keeper_int.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "instance/paths.h"
#include "log.h"

/* The one on that port, if that job may act on it. */
static enum err
reach(struct keeper *k, unsigned port, uint64_t job, struct keep **out)
{
    *out = keeper_find(k, port);
    if (*out == NULL)
        return ERR_NOT_FOUND;
    return (*out)->held_by != 0 && (*out)->held_by != job ? ERR_BUSY : ERR_OK;
}

static void
set_held(struct keep *one, uint64_t job)
{
    one->held_by = job;
    one->want.held = job != 0;
}

/* On disk, or as it was. */
static enum err
save_or_undo(struct keeper *k, struct keep *one, const struct pullup *was,
             uint64_t was_held_by, uint64_t was_seq)
{
    enum err e = one->lost ? ERR_STATE : keep_save(one);

    if (e != ERR_OK) {
        one->want = *was;
        one->held_by = was_held_by;
        one->seq = was_seq;
        return e == ERR_NOT_FOUND ? ERR_DENIED : e;
    }
    one->unsaved = k->list_changed = k->sync_now = true;
    pthread_cond_broadcast(&k->sync_change);
    keeper_poke(k);
    return ERR_OK;
}

static enum err
add_new(struct keeper *k, const struct instance_spec *spec, uint64_t job)
{
    struct home home[HOMES_MAX];
    struct keep *one;
    enum err e;

    (void)instance_homes(spec, home);
    one = keep_new(&home[0]);
    if (one == NULL)
        return ERR_NOMEM;
    e = keep_spec(k, one, spec);
    if (e == ERR_OK) {
        set_held(one, job);
        one->want.until_ms = pullup_until(&k->pauses, one->port);
        e = keep_save(one);
    }
    if (e == ERR_OK)
        return keeper_put(k, one);
    keep_free(one);
    return e;
}

static enum err
add_again(struct keeper *k, struct keep *one, const struct instance_spec *spec,
          uint64_t job)
{
    struct pullup was = one->want;
    uint64_t was_held_by = one->held_by;
    enum err e;

    if (one->held_by != 0 && one->held_by != job)
        return ERR_BUSY;
    e = keep_spec(k, one, spec);
    if (e != ERR_OK)
        return e;
    set_held(one, job);
    return save_or_undo(k, one, &was, was_held_by, one->seq);
}

enum err
keeper_add(struct keeper *k, const struct instance_spec *spec, uint64_t job)
{
    struct keep *one;
    enum err e;

    pthread_mutex_lock(&k->mutex);
    one = keeper_find(k, (unsigned)spec->port);
    if (one != NULL && strcmp(one->uuid, spec->uuid) == 0)
        e = add_again(k, one, spec, job);
    else if (one != NULL || keeper_find_uuid(k, spec->uuid) != NULL)
        e = ERR_EXISTS;
    else
        e = add_new(k, spec, job);
    if (e == ERR_OK) {
        keeper_save_list(k);
        keeper_poke(k);
    }
    pthread_mutex_unlock(&k->mutex);
    return e;
}

enum err
keeper_drop(struct keeper *k, unsigned port, uint64_t job)
{
    struct keep *one;
    enum err e;

    pthread_mutex_lock(&k->mutex);
    e = reach(k, port, job, &one);
    if (e == ERR_OK && one->child.group != 0)
        e = ERR_STATE;
    if (e == ERR_OK)
        e = keeper_note_dropped(k, one->uuid);
    if (e == ERR_OK) {
        keeper_take_out(k, one);
        keeper_save_list(k);
        k->sync_now = true;
        pthread_cond_broadcast(&k->sync_change);
        pthread_cond_broadcast(&k->change);
    }
    pthread_mutex_unlock(&k->mutex);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
keeper_spec(struct keeper *k, struct arena *a, unsigned port,
            struct instance_spec *out)
{
    const char *text;
    struct keep *one;
    enum err e = ERR_NOT_FOUND;

    pthread_mutex_lock(&k->mutex);
    one = keeper_find(k, port);
    if (one != NULL)
        e = one->arena == NULL ? ERR_STATE
                               : instance_spec_text(a, &one->spec, &text);
    pthread_mutex_unlock(&k->mutex);
    return e == ERR_OK ? instance_spec_read(a, text, out) : e;
}

static enum err
change_hold(struct keeper *k, unsigned port, uint64_t job, bool hold)
{
    struct pullup was;
    uint64_t was_held_by;
    struct keep *one;
    enum err e;

    pthread_mutex_lock(&k->mutex);
    e = reach(k, port, job, &one);
    if (e == ERR_OK && (one->held_by != 0) != hold) {
        was = one->want;
        was_held_by = one->held_by;
        set_held(one, hold ? job : 0);
        e = save_or_undo(k, one, &was, was_held_by, one->seq);
    }
    pthread_mutex_unlock(&k->mutex);
    return e;
}

enum err
keeper_hold(struct keeper *k, unsigned port, uint64_t job)
{
    return job != 0 ? change_hold(k, port, job, true) : ERR_BAD_PARAM;
}

enum err
keeper_release(struct keeper *k, unsigned port, uint64_t job)
{
    return change_hold(k, port, job, false);
}

/* It is tried at once, whatever it waited for, and its deaths are forgotten. */
static void
begin_anew(struct keep *one, int64_t now)
{
    if (one->child.state == CHILD_WAITING || one->child.state == CHILD_FAILED)
        child_unwant(&one->child, now);
    if (one->child.state == CHILD_DOWN)
        child_want(&one->child, now);
    one->again_ms = 0;
}

static enum err
obey(struct keeper *k, struct keep *one, enum keeper_order order)
{
    struct pullup was = one->want;
    uint64_t seq = one->seq;
    int64_t now = clock_mono_ms();
    bool alive = keep_is_alive(one), ends;
    enum err e = ERR_OK;

    ends = pullup_order(&one->want, order, alive);
    if (one->want.to_run != was.to_run) {
        one->seq++;
        e = save_or_undo(k, one, &was, one->held_by, seq);
    }
    if (e != ERR_OK)
        return e;
    log_info("keeper.order name=%s order=%d", one->name, (int)order);
    if (ends)
        keep_end(k, one, now, false);
    else if (one->want.ordered)
        begin_anew(one, now);
    keeper_poke(k);
    return ERR_OK;
}

enum err
keeper_tell(struct keeper *k, unsigned port, enum keeper_order order,
            uint64_t job)
{
    struct keep *one;
    enum err e;

    pthread_mutex_lock(&k->mutex);
    e = reach(k, port, job, &one);
    if (e == ERR_OK && k->stopping)
        e = ERR_BUSY;
    if (e == ERR_OK && (one->lost || (order == ORDER_BEGIN && !one->want.held)))
        e = ERR_STATE;
    if (e == ERR_OK)
        e = obey(k, one, order);
    pthread_mutex_unlock(&k->mutex);
    return e;
}

/* Whether what is awaited has come; STATE: it will not; BUSY: not yet. */
static enum err
has_come(const struct keep *one, bool up)
{
    enum kept_state s;

    if (one == NULL)
        return up ? ERR_NOT_FOUND : ERR_OK;
    s = keep_state(one);
    if (!up)
        return one->child.group == 0 ? ERR_OK : ERR_BUSY;
    switch (s) {
    case KEPT_RUNNING:
        return ERR_OK;
    case KEPT_WAITING:
    case KEPT_STARTING:
    case KEPT_ENDING:
        return ERR_BUSY;
    default:
        return ERR_STATE;
    }
}

enum err
keeper_await(struct keeper *k, unsigned port, enum kept_state up,
             int timeout_ms, char why[WHY_BYTES])
{
    int64_t until_ms = clock_mono_ms() + timeout_ms;
    struct keep *one;
    enum err e;

    pthread_mutex_lock(&k->mutex);
    one = keeper_find(k, port);
    e = one != NULL ? has_come(one, up == KEPT_RUNNING) : ERR_NOT_FOUND;
    while (e == ERR_BUSY) {
        bool in_time = keeper_wait(k, until_ms);

        one = keeper_find(k, port);
        e = has_come(one, up == KEPT_RUNNING);
        if (e == ERR_BUSY && !in_time)
            e = ERR_TIMEOUT;
    }
    if (why != NULL && one != NULL)
        (void)snprintf(why, WHY_BYTES, "%s%s%s",
                       enum_text(kept_state_names, (int)keep_state(one)),
                       !str_empty(one->why) ? ": " : "", one->why);
    pthread_mutex_unlock(&k->mutex);
    return e;
}

static enum err
copy_shown(struct arena *a, const struct keep *one, struct kept *out)
{
    keep_show(one, out);
    out->uuid = arena_strdup(a, one->uuid);
    out->driver = arena_strdup(a, one->driver_name);
    out->kind = arena_strdup(a, one->kind);
    out->why = arena_strdup(a, one->why);
    return out->uuid != NULL && out->driver != NULL && out->kind != NULL &&
                   out->why != NULL
               ? ERR_OK
               : ERR_NOMEM;
}

enum err
keeper_list(struct keeper *k, struct arena *a, struct list_of_kept *out)
{
    enum err e;

    pthread_mutex_lock(&k->mutex);
    out->n = 0;
    out->v = arena_array(a, k->n, sizeof(*out->v));
    e = out->v != NULL ? ERR_OK : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < k->n; i++)
        e = copy_shown(a, k->v[i], &out->v[out->n++]);
    pthread_mutex_unlock(&k->mutex);
    return e;
}
