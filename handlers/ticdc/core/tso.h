/* Time as TiCDC tells it: a TSO is milliseconds since 1970 and, in its lowest
 * 18 bits, a counter. A binlog has no TSO, so each transaction is given one:
 * greater than the one before it, and not less than its own time. The same
 * binlog read again from the same point gives the same numbers, since the last
 * one given out is stored with the position: consumers know by it what they
 * have had. (spec/ticdc §6.) */
#ifndef TICDC_TSO_H
#define TICDC_TSO_H

#include "base.h"

#define TSO_LOGICAL_BITS 18

/* The first TSO of a millisecond; a time before 1970 counts as 1970, one that
 * does not fit as the last that does. */
uint64_t tso_of_ms(int64_t ms);
/* The time part, in milliseconds since 1970. */
int64_t tso_ms(uint64_t tso);

/* prev: the last that was given out; stored as the checkpoint. */
struct tso_clock {
    uint64_t prev;
};

/* The TSO of the next transaction, whose GTID event has that time. A clock of
 * the source that stands or goes back changes nothing: the counter goes on. */
uint64_t tso_commit(struct tso_clock *c, int64_t ms);

/* Up to where nothing more can come, when all that the source has was read and
 * its clock showed now_ms before that was asked: TSO_MARGIN_MS less. Whatever
 * is committed later gets a greater one. Never less than what was given out. */
uint64_t tso_idle(struct tso_clock *c, int64_t now_ms);
#define TSO_MARGIN_MS 1000

/* Tables that a clock stamps may have been stamped by others before, who were
 * told of other idle times. So, in front of the first transaction that such a
 * table has not had: ts is the last number that was given out where it is, and
 * nothing behind it gets less. Where the clock stands then is to be stored
 * before anything that is stamped behind it is given away; else whoever goes on
 * with the table, or with the others, gives it a lesser number than it has. */
void tso_pass(struct tso_clock *c, uint64_t ts);

#endif
