/* A table of an instance goes to another one, on this machine or another.
 *
 *     send, on the machine that has it       recv, on the other one
 *     ───────────────────────────────       ──────────────────────
 *     copies the files under a lock
 *     serves them under a url          ──►   fetches them, piece by piece
 *     waits                            ◄──   takes them in, compares
 *     removes what it has copied             removes what it has fetched
 *
 * recv is a part of send's job (job.h), and a job_type of its own. The table
 * that is sent stays as it is, whatever happens. */
#ifndef KUNLUN_TABLE_H
#define KUNLUN_TABLE_H

#include "kunlun/node_mgr/jobs.h"

struct req;

/* Directories in the data homes of the two instances (backup.h). */
const char *table_outbox(struct job_run *run);
const char *table_inbox(struct job_run *run);

/* What is wrong with file_type; false: job_fails has said so. */
bool table_type_ok(struct job_run *run, const char *file_type);

/* The url under which this machine's node_mgr serves `id`; NULL when it has no
 * listener. */
const char *
table_url(struct arena *a, const char *address, const char *id) MUST_USE;

/* The token by which machines ask each other; "" when there is none. */
const char *table_token(struct arena *a);

/* GET /<id>. NOT_FOUND when that is no id of a table that is being sent. */
enum err table_get(struct req *r, const char *id) MUST_USE;

#endif
