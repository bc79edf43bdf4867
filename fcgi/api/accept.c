#include "req.h"

#include "job.h"
#include "request/req_audit.h"
#include "request/req_io.h"

enum err
req_accept(struct req *r, struct job_new *n)
{
    uint64_t id;
    enum err e;

    n->token_name = r->token_name;
    n->trace = &r->trace;
    e = job_accept(r->db, r->arena, n, &id);
    if (e != ERR_OK)
        return e;
    r->io->job_id = arena_printf(r->arena, "%llu", (unsigned long long)id);
    if (r->io->job_id == NULL)
        return ERR_NOMEM;
    req_audit(r, arena_printf(r->arena, "job %s", r->io->job_id), NULL,
              n->shown);
    req_wake(r);
    return ERR_OK;
}
