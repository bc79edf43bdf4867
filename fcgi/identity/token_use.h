/* When tokens are used: one empty file for each, by its id. A process writes
 * to the disk at most once a minute for each token, and remembers of a token
 * its id alone. Any thread. */
#ifndef MG_TOKEN_USE_H
#define MG_TOKEN_USE_H

#include "base.h"

/* The token was used now: token_use_path's file is touched. Nothing happens
 * for an id that is none (an older file's, @trusted's). */
void token_use_note(const char *id);

/* A token was tried that has expired: nginx is told as of a revoked one, and
 * refuses it itself from then on. */
void token_use_ended(const char *id);

#endif
