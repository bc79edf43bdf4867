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

/* The end of a table that is at this machine: as what a job says where it is
 * and by whom one logs in, what else it must say, and where that is, once it
 * has been read. */
struct table_end {
    const struct record *rec;
    void *in;
    const char *at[3], *login[4]; /* NULL ends */
    const char *const *rest;      /* NULL ends */
    const char *const *ip, *const *user, *const *password, *const *file_type;
    const int32_t *port;
};

/* Of the arguments *in, a struct s whose members of this end begin with side.
 */
#define TABLE_END(s, in, side, rest)                                          \
    (&(const struct table_end){ &s##_rec,                                     \
                                (in),                                         \
                                { #side "_ip", #side "_port" },               \
                                { #side "_user", #side "_pwd", "file_type" }, \
                                (rest),                                       \
                                &(in)->side##_ip,                             \
                                &(in)->side##_user,                           \
                                &(in)->side##_pwd,                            \
                                &(in)->file_type,                             \
                                &(in)->side##_port })

/* The members, in the order of the older jobs, before anything is connected
 * to; false: job_fails has said what is wrong. */
bool table_end_read(struct job_run *run, const struct table_end *end,
                    struct instance_spec *spec);
/* NULL: job_fails has said why. */
struct my *table_end_login(struct job_run *run, const struct table_end *end);

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
