/* For tests that want an arena each: `arena`, made by setup, freed by
 * teardown. */
#ifndef MG_TEST_ARENA_FIXTURE_H
#define MG_TEST_ARENA_FIXTURE_H

#include "arena.h"

static struct arena *arena;

static int
setup(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    return arena != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

#endif
