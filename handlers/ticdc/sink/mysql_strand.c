/* Several transactions downstream at a time, each a stretch of the source's.
 * They are sent side by side, which is where the time goes, and committed one
 * behind the other when the sink is flushed: so what is written is always all
 * up to some place, and the row that says where is in the transaction that gets
 * there. For that none may have a row that one in front of it has, too, since
 * it would wait for that one's locks: such a one is sent when those in front of
 * it are committed. What a server locks beyond that (gaps, triggers) ends in
 * its timeout, and all of it is done again over one strand. */
#include "mysql_int.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

#define CALL_BYTES  ((size_t)64 << 20)
#define GTIDS_BYTES ((size_t)4 << 20)
#define MARKS_BYTES ((size_t)256 << 20)
/* Flushes over one strand after a failure of several. */
#define CAREFUL 64

static const char lock_wait_sql[] = "SET innodb_lock_wait_timeout = 2";

static void
strand_wait(struct strand *l)
{
    if (l->is_sending)
        (void)pthread_join(l->thread, NULL);
    l->is_sending = false;
}

void
strands_leave(struct mysql_sink *m)
{
    for (size_t i = 0; i < m->at; i++)
        if (m->strand[i]->my == m->my)
            strand_wait(m->strand[i]);
}

/* ---- making them ---- */

static void
strand_free(struct strand *l, const struct my *shared)
{
    strand_wait(l);
    if (l->my != NULL && l->my != shared)
        my_close(l->my);
    if (l->a != NULL)
        arena_free(l->a);
    if (l->kept != NULL)
        arena_free(l->kept);
    batch_close(&l->batch);
    free(l);
}

static struct strand *
strand_new(struct mysql_sink *m)
{
    struct strand *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->c = &m->c;
    l->my = m->n_strands == 0 ? m->my : my_open();
    l->a = arena_new(CALL_BYTES);
    l->kept = arena_new(MARKS_BYTES);
    /* a row may be as large as the server takes, and there is one at least */
    if (batch_open(&l->batch, m->c.txn_bytes + ((size_t)1 << 30)) == ERR_OK &&
        l->my != NULL && l->a != NULL && l->kept != NULL)
        return l;
    strand_free(l, m->my);
    return NULL;
}

struct strand *
strand_now(struct mysql_sink *m)
{
    if (m->at == m->n_strands) {
        struct strand *l = strand_new(m);

        if (l == NULL) {
            (void)sink_fail(&m->s, ERR_NOMEM, true, "CDC:ErrMySQLTxnError",
                            "no memory");
            return NULL;
        }
        m->strand[m->n_strands++] = l;
    }
    return m->strand[m->at];
}

void
strands_free(struct mysql_sink *m)
{
    for (size_t i = 0; i < m->n_strands; i++)
        strand_free(m->strand[i], m->my);
    free(m->strand);
    batch_close(&m->flight);
}

static void
strand_clear(struct strand *l)
{
    batch_clear(&l->batch);
    arena_reset(l->kept);
    l->marks = NULL;
    l->in_txn = l->replaces = false;
    l->sent = ERR_OK;
    l->failure.err = ERR_OK;
}

static void
strands_clear(struct mysql_sink *m)
{
    for (size_t i = 0; i <= m->at && i < m->n_strands; i++)
        strand_clear(m->strand[i]);
    batch_clear(&m->flight);
    m->at = m->flight_bytes = 0;
    m->waits = false;
}

void
strands_forget(struct mysql_sink *m)
{
    if (m->at > 0) /* several were under way: one of them has failed */
        m->careful = CAREFUL;
    for (size_t i = 0; i < m->n_strands; i++) {
        strand_wait(m->strand[i]);
        m->strand[i]->hurries = false;
        if (m->strand[i]->my != m->my)
            my_hangup(m->strand[i]->my);
    }
    strands_clear(m);
}

/* ---- sending ---- */

/* By whoever sends the strand. */
static enum err
send_changes(struct strand *l)
{
    if (!l->in_txn && my_do(l->my, "START TRANSACTION") != ERR_OK)
        return strand_failed(l, "START TRANSACTION");
    l->in_txn = true;
    return batch_send(l);
}

static void *
send_in_thread(void *strand)
{
    struct strand *l = strand;

    l->sent = send_changes(l);
    return NULL;
}

/* What a strand met is the sink's failure. */
static enum err
tell(struct mysql_sink *m, struct strand *l, enum err e)
{
    m->replaces = m->replaces || l->replaces;
    if (e != ERR_OK)
        m->s.failure = l->failure;
    return e;
}

/* One of several must not wait for what another has locked until that one,
 * which is committed later, is. */
static enum err
connect_strand(struct mysql_sink *m, struct strand *l, bool several)
{
    enum err e = ERR_OK;

    l->replaces = m->replaces;
    if (l->my != m->my && !my_is_connected(l->my))
        e = mysql_connect(m, l->my, 0);
    if (e != ERR_OK || l->hurries || !several)
        return e;
    l->hurries = true;
    return my_do(l->my, lock_wait_sql) == ERR_OK
               ? ERR_OK
               : tell(m, l, strand_failed(l, lock_wait_sql));
}

enum err
strand_send(struct mysql_sink *m, struct strand *l)
{
    enum err e = connect_strand(m, l, m->at > 0);

    return e == ERR_OK ? tell(m, l, send_changes(l)) : e;
}

/* ---- one behind the other ---- */

bool
strands_are_full(const struct mysql_sink *m)
{
    const struct batch *b = &m->strand[m->at]->batch;

    return b->n_changes >= m->c.txn_rows ||
           m->flight_bytes + b->bytes >= m->c.txn_bytes;
}

bool
strands_are_last(const struct mysql_sink *m)
{
    const struct batch *b = &m->strand[m->at]->batch;

    return m->careful > 0 || m->waits || m->at + 1 >= m->c.workers ||
           m->flight_bytes + b->bytes >= m->c.txn_bytes / 2;
}

/* How far tables are behind what the strand has. Two definitions of a table are
 * two targets. */
static enum err
note_marks(struct mysql_sink *m, struct strand *l)
{
    struct buf text = BUF_INIT(GTIDS_BYTES);
    enum err e = ERR_OK;

    l->ts = m->ts;
    for (struct target *t = m->targets; t != NULL && e == ERR_OK; t = t->next) {
        struct strand_mark *mark;

        if (!t->touched)
            continue;
        t->touched = false;
        buf_reset(&text);
        binlog_gtids_print(t->table->given, &text);
        e = buf_err(&text);
        mark = e == ERR_OK ? arena_alloc(l->kept, sizeof(*mark)) : NULL;
        if (mark == NULL) {
            e = ERR_NOMEM;
            break;
        }
        mark->table = t->table;
        mark->gtids = arena_strdup(l->kept, buf_text(&text));
        mark->next = l->marks;
        l->marks = mark;
        if (mark->gtids == NULL)
            e = ERR_NOMEM;
    }
    buf_free(&text);
    return e == ERR_OK ? ERR_OK
                       : sink_fail(&m->s, e, true, "CDC:ErrMySQLTxnError",
                                   "no memory for positions");
}

enum err
strands_go(struct mysql_sink *m)
{
    struct strand *l = m->strand[m->at];
    enum err e = note_marks(m, l);

    if (e == ERR_OK)
        e = connect_strand(m, l, true);
    if (e == ERR_OK && batch_join(&m->flight, &l->batch) != ERR_OK)
        e = sink_fail(&m->s, ERR_NOMEM, true, "CDC:ErrMySQLTxnError",
                      "no memory");
    if (e != ERR_OK)
        return e;
    batch_seal(&l->batch);
    m->flight_bytes += l->batch.bytes;
    l->is_sending = pthread_create(&l->thread, NULL, send_in_thread, l) == 0;
    if (!l->is_sending) /* then it is sent before the next one is filled */
        l->sent = send_changes(l);
    m->at++;
    return ERR_OK;
}

static enum err
commit(struct mysql_sink *m, struct strand *l)
{
    enum err e = ERR_OK;

    for (const struct strand_mark *k = l->marks; k != NULL && e == ERR_OK;
         k = k->next)
        e = mysql_advance(m, l, k);
    if (e == ERR_OK && my_do(l->my, "COMMIT") != ERR_OK)
        e = tell(m, l, strand_failed(l, "COMMIT"));
    return e;
}

static enum err
commit_front(struct mysql_sink *m)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < m->at && e == ERR_OK; i++) {
        strand_wait(m->strand[i]);
        e = tell(m, m->strand[i], m->strand[i]->sent);
        if (e == ERR_OK)
            e = commit(m, m->strand[i]);
    }
    return e;
}

enum err
strands_front(struct mysql_sink *m)
{
    struct strand *l = m->strand[m->at];
    enum err e = commit_front(m);

    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < m->at; i++)
        strand_clear(m->strand[i]);
    m->strand[m->at] = m->strand[0];
    m->strand[0] = l;
    m->at = m->flight_bytes = 0;
    m->waits = false;
    batch_clear(&m->flight);
    return ERR_OK;
}

enum err
strands_flush(struct mysql_sink *m)
{
    struct strand *last = m->at < m->n_strands ? m->strand[m->at] : NULL;
    enum err e = ERR_OK;

    if (last != NULL && !last->in_txn && last->batch.n_changes == 0)
        last = NULL;
    if (last != NULL)
        e = note_marks(m, last);
    if (last != NULL && e == ERR_OK && !m->waits)
        e = strand_send(m, last);
    if (e == ERR_OK)
        e = commit_front(m);
    if (last != NULL && e == ERR_OK && m->waits)
        e = strand_send(m, last);
    if (last != NULL && e == ERR_OK)
        e = commit(m, last);
    if (e != ERR_OK)
        return e;
    if (m->careful > 0 && (last != NULL || m->at > 0))
        m->careful--;
    strands_clear(m);
    m->replaces = false;
    return ERR_OK;
}
