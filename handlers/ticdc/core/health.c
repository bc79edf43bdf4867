#include "health.h"

#include <string.h>

/* 10 s to 10 min, given up after half an hour, as TiCDC does. */
const struct health_rules health_defaults = {
    .first_ms = 10000,
    .most_ms = 600000,
    .vary = 10,
    .stuck_ms = 1800000,
};

static const struct {
    const char *word, *shown;
} states[] = {
#define X(id, word, shown) [HEALTH_##id] = { word, shown },
    HEALTH_STATES(X)
#undef X
};

const char *
health_word(enum health_state state)
{
    return states[state].word;
}

const char *
health_shown(enum health_state state)
{
    return states[state].shown;
}

enum health_state
health_of_word(const char *word)
{
    size_t s = 0;

    while (s < HEALTH__MAX && strcmp(states[s].word, word) != 0)
        s++;
    return (enum health_state)s;
}

bool
health_runs(enum health_state state)
{
    return state == HEALTH_NORMAL || state == HEALTH_WARNING;
}

static bool
become(struct health *h, enum health_state state)
{
    h->state = state;
    h->again_ms = 0;
    if (state == HEALTH_NORMAL) {
        h->tries = 0;
        h->since_ms = 0;
        h->failed_at = 0;
    }
    return true;
}

static int64_t
wait_ms(const struct health *h, const struct health_rules *rules,
        uint64_t chance)
{
    int64_t ms = rules->first_ms, by;

    for (unsigned i = 1; i < h->tries && ms < rules->most_ms; i++)
        ms *= 2;
    if (ms > rules->most_ms)
        ms = rules->most_ms;
    by = ms * rules->vary / 100;
    return ms - by + (int64_t)(chance % (uint64_t)(2 * by + 1));
}

static bool
is_stuck(const struct health *h, const struct health_rules *rules,
         int64_t now_ms)
{
    return h->since_ms != 0 && now_ms - h->since_ms >= rules->stuck_ms;
}

static bool
fail_once(struct health *h, uint64_t checkpoint,
          const struct health_rules *rules, int64_t now_ms, uint64_t chance)
{
    if (checkpoint > h->failed_at) { /* it had got on since */
        h->tries = 0;
        h->since_ms = 0;
    }
    h->failed_at = checkpoint;
    h->tries++;
    if (h->since_ms == 0)
        h->since_ms = now_ms;
    if (is_stuck(h, rules, now_ms))
        return become(h, HEALTH_FAILED);
    (void)become(h, HEALTH_PENDING);
    h->again_ms = now_ms + wait_ms(h, rules, chance);
    return true;
}

static bool
tick(struct health *h, uint64_t checkpoint, const struct health_rules *rules,
     int64_t now_ms)
{
    if (h->state == HEALTH_WARNING && checkpoint > h->failed_at)
        return become(h, HEALTH_NORMAL);
    if (h->state != HEALTH_WARNING && h->state != HEALTH_PENDING)
        return false;
    if (is_stuck(h, rules, now_ms))
        return become(h, HEALTH_FAILED);
    return h->state == HEALTH_PENDING && now_ms >= h->again_ms &&
           become(h, HEALTH_WARNING);
}

bool
health_step(struct health *h, enum health_event event, uint64_t checkpoint,
            const struct health_rules *rules, int64_t now_ms, uint64_t chance)
{
    bool runs = health_runs(h->state), ended;

    ended = h->state == HEALTH_FAILED || h->state == HEALTH_FINISHED;
    switch (event) {
    case HEALTH_PAUSE:
        return !ended && h->state != HEALTH_STOPPED &&
               become(h, HEALTH_STOPPED);
    case HEALTH_RESUME:
        return (ended || h->state == HEALTH_STOPPED) &&
               become(h, HEALTH_NORMAL);
    case HEALTH_ERROR:
        return runs && fail_once(h, checkpoint, rules, now_ms, chance);
    case HEALTH_FATAL:
        return runs && become(h, HEALTH_FAILED);
    case HEALTH_LOST:
        return !ended && become(h, HEALTH_FAILED);
    case HEALTH_TICK:
        return tick(h, checkpoint, rules, now_ms);
    case HEALTH_TARGET:
        return runs && become(h, HEALTH_FINISHED);
    }
    return false;
}
