/* The one account that a deployment runs as. */
#ifndef MG_ACCOUNT_H
#define MG_ACCOUNT_H

#include <sys/types.h>

#include "base.h"

#define ACCOUNT_NAME "metagate"

/* The system user, made when it is missing. Root only. */
enum err account_ensure(uid_t *uid, gid_t *gid, char why[WHY_BYTES]) MUST_USE;

/* Gives root up for good: groups, ids, and what of the environment belongs to
 * root. OK at once when the process has that id already. */
enum err account_become(uid_t uid, gid_t gid, char why[WHY_BYTES]) MUST_USE;

/* As root: becomes the owner of dir, when it exists and is not root's. */
enum err account_become_owner(const char *dir, char why[WHY_BYTES]) MUST_USE;

/* The name of this process's account; STATE when it has none. */
enum err account_name(char *out, size_t size) MUST_USE;

/* DENIED, and why says whose dir is and what to do about it. */
enum err account_refuse_owner(const char *dir, uid_t owner,
                              char why[WHY_BYTES]) MUST_USE;
/* DENIED, and why names the folder that this account cannot enter; those that
 * are missing count as its own. */
enum err account_check_way(const char *dir, char why[WHY_BYTES]) MUST_USE;
/* Both for an ordinary user that starts a deployment in dir, before anything
 * in it is read. */
enum err account_check_run_dir(const char *dir, char why[WHY_BYTES]) MUST_USE;

#endif
