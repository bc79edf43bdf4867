/* Computing nodes are told who is the primary of each shard: by the job that
 * makes them, and by the duty cluster.computers whenever that has changed, or
 * when one is back that was not there. */
#ifndef LIFE_POINT_H
#define LIFE_POINT_H

#include "duty.h"
#include "shard.h"
#include "kunlun/life/meta.h"

/* Tells one of one shard, at most timeout_ms, and notes the epoch. OK too when
 * it was told of a later one. */
enum err
life_point(struct db *db, struct arena *a, const struct instance_spec *comp,
           const struct kunlun_shard *sh, int timeout_ms,
           char why[WHY_BYTES]) MUST_USE;

/* duty.h: the step and what becomes of its memory. */
enum turn life_point_step(struct duty_run *run);
void life_point_forget(void *memory);

#endif
