/* The keys of this host against the store's: a fingerprint of each key that
 * may have sealed something lies there, so that a key file that was lost, and
 * made anew, is found before it seals or fails to open anything. */
#ifndef MG_KEYS_H
#define MG_KEYS_H

#include "base.h"
#include "db.h"

/* Whether the keys that are loaded are all that the store knows, none of them
 * another; one that is new to it beside these, as after a rotation, is noted
 * there. A store without fingerprints takes the keys there are. STATE with a
 * sentence in why that says what to put back; STORE when the server cannot be
 * asked. */
enum err keys_check(struct db *db, char why[WHY_BYTES]) MUST_USE;

/* Nothing is sealed by a key but this one any more: forgets the others. */
enum err keys_retire(struct db *db, unsigned but) MUST_USE;

#endif
