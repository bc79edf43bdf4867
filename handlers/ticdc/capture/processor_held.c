/* Which tables a processor is told to write, and those that it holds. */
#include "processor_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ticdc/core/schedule.h"

/* ---- what is told ---- */

static void
mix(uint64_t *h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *h = (*h ^ ((const unsigned char *)p)[i]) * UINT64_C(0x100000001b3);
}

/* As the schedule's decision has it: ourselves are capture 0. */
static enum sched_role
role_of(const struct table_row *t, const char *capture_id, uint64_t *term)
{
    static const enum sched_state states[] = {
        SCHED_ABSENT,  SCHED_REPLICATING, SCHED_PREPARING,
        SCHED_HANDING, SCHED_STOPPING,
    };
    struct sched_table s = { .writer = SCHED_NOBODY,
                             .next = SCHED_NOBODY,
                             .writer_term = t->writer_term,
                             .next_term = t->next_term };

    for (size_t i = 0; i < COUNT(states); i++)
        if (strcmp(t->state, sched_state_name(states[i])) == 0)
            s.state = states[i];
    if (!str_empty(t->writer))
        s.writer = strcmp(t->writer, capture_id) == 0 ? 0 : 1;
    if (!str_empty(t->next_writer))
        s.next = strcmp(t->next_writer, capture_id) == 0 ? 0 : 1;
    return sched_told(&s, 0, term);
}

uint64_t
processor_signature(const struct table_row *rows, size_t n,
                    const char *capture_id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++) {
        uint64_t term;
        enum sched_role role = role_of(&rows[i], capture_id, &term);

        if (role == SCHED_NONE)
            continue;
        mix(&h, &rows[i].table_id, sizeof(rows[i].table_id));
        mix(&h, &role, sizeof(role));
        mix(&h, &term, sizeof(term));
        mix(&h, rows[i].schema_name, strlen(rows[i].schema_name) + 1);
        mix(&h, rows[i].table_name, strlen(rows[i].table_name) + 1);
    }
    return h;
}

/* ---- tables that are held ---- */

void
held_free(struct held *h)
{
    free(h->schema);
    free(h->name);
    binlog_gtids_free(h->done);
    binlog_gtids_free(h->given);
}

static struct held *
held_find(struct processor *p, int64_t id, uint64_t term)
{
    for (size_t i = 0; i < p->n_held; i++)
        if (p->held[i].id == id && p->held[i].term == term)
            return &p->held[i];
    return NULL;
}

static enum err
held_add(struct processor *p, const struct table_row *t, uint64_t term)
{
    struct held *more = reallocarray(p->held, p->n_held + 1, sizeof(*more));
    struct held h = { .id = t->table_id,
                      .term = term,
                      .schema = strdup(t->schema_name),
                      .name = strdup(t->table_name),
                      .done = binlog_gtids_new(),
                      .given = binlog_gtids_new(),
                      .ts = t->checkpoint_ts,
                      .told = true };

    if (more != NULL)
        p->held = more;
    if (more != NULL && h.schema != NULL && h.name != NULL && h.done != NULL &&
        h.given != NULL && binlog_gtids_parse(h.done, t->gtid) == ERR_OK) {
        p->held[p->n_held++] = h;
        return ERR_OK;
    }
    held_free(&h);
    return processor_fail(p, ERR_NOMEM, "CDC:ErrInternalServerError",
                          "no memory, or no position: %.200s", t->gtid);
}

static enum err
rename_held(struct processor *p, struct held *h, const struct table_row *t)
{
    char *schema = strdup(t->schema_name), *name = strdup(t->table_name);

    if (schema == NULL || name == NULL) {
        free(schema);
        free(name);
        return processor_fail(p, ERR_NOMEM, "CDC:ErrInternalServerError",
                              "no memory");
    }
    free(h->schema);
    free(h->name);
    h->schema = schema;
    h->name = name;
    return ERR_OK;
}

static enum err
report(struct processor *p, const struct table_row *t, uint64_t term,
       const char *progress, const char *gtid, uint64_t ts)
{
    const struct report_row r = { .table_id = t->table_id,
                                  .term = term,
                                  .progress = progress,
                                  .checkpoint_ts = ts,
                                  .gtid = gtid };

    log_debug("ticdc.table feed=%" PRIu64 " table=%" PRId64 " term=%" PRIu64
              " progress=%s checkpoint=%" PRIu64,
              p->feed, t->table_id, term, progress, ts);
    return rows_report(p->db, p->feed, p->capture_id, &r);
}

/* It is not written any more: how far it was. */
static enum err
report_stopped(struct processor *p, const struct table_row *t, uint64_t term)
{
    struct held *h = held_find(p, t->table_id, term);

    return report(p, t, term, "stopped",
                  h != NULL ? processor_position(p, h->done) : t->gtid,
                  h != NULL ? h->ts : t->checkpoint_ts);
}

static enum err
heed(struct processor *p, const struct table_row *t)
{
    uint64_t term;
    struct held *h;

    switch (role_of(t, p->capture_id, &term)) {
    case SCHED_WRITE:
        h = held_find(p, t->table_id, term);
        if (h == NULL) {
            enum err e = held_add(p, t, term);

            return e == ERR_OK
                       ? report(p, t, term, "writes", t->gtid, t->checkpoint_ts)
                       : e;
        }
        h->told = true;
        return strcmp(h->schema, t->schema_name) == 0 &&
                       strcmp(h->name, t->table_name) == 0
                   ? ERR_OK
                   : rename_held(p, h, t);
    case SCHED_PREPARE:
        return report(p, t, term, "prepared", t->gtid, t->checkpoint_ts);
    case SCHED_STOP:
        return report_stopped(p, t, term);
    default:
        return ERR_OK;
    }
}

static void
drop_untold(struct processor *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_held; i++) {
        if (p->held[i].told)
            p->held[n++] = p->held[i];
        else
            held_free(&p->held[i]);
    }
    p->n_held = n;
    p->n_tables = 0;
    p->has_span = false;
    for (size_t i = 0; i < n; i++)
        if (p->held[i].id == DDL_SPAN)
            p->has_span = true;
        else
            p->n_tables++;
}

static enum err
read_told(struct processor *p, struct list_of_table_row *rows)
{
    enum err e = rows_work_anew(p->db, p->feed, p->capture_id);

    if (e == ERR_OK)
        e = rows_tables(p->db, p->step, p->feed, rows);
    for (size_t i = 0; i < p->n_held; i++)
        p->held[i].told = false;
    for (size_t i = 0; e == ERR_OK && i < rows->n; i++)
        e = heed(p, &rows->v[i]);
    return e;
}

/* What is reported counts only when it is committed: until then nothing is
 * written by it. */
enum err
processor_look(struct processor *p)
{
    struct list_of_table_row rows = { 0 };
    enum err e = rows_feed_begin(p->db, p->feed, p->epoch);

    if (e == ERR_OK)
        e = read_told(p, &rows);
    e = db_end(p->db, e);
    if (e != ERR_OK)
        return e == ERR_STATE ? e : processor_store_failed(p, e);
    drop_untold(p);
    (void)pthread_mutex_lock(&p->lock);
    p->signature = p->told = processor_signature(rows.v, rows.n, p->capture_id);
    (void)pthread_mutex_unlock(&p->lock);
    return ERR_OK;
}
