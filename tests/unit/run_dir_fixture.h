/* For tests that want a RUN_DIR: `dir`, on which the configuration stands, and
 * `arena`, made by setup; teardown removes both. */
#ifndef MG_TEST_RUN_DIR_FIXTURE_H
#define MG_TEST_RUN_DIR_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "config.h"

static char dir[64];
static struct arena *arena;

static int
setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/var/tmp/place-unit.XXXXXX");
    arena = arena_new(4 << 20);
    if (arena == NULL || mkdtemp(dir) == NULL)
        return -1;
    config_place(dir, "127.9.8");
    return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
