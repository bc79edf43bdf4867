/* Which capture writes which table of a changefeed: a function of (what is
 * stored, what captures report, now) without I/O. The owner's loop reads,
 * calls sched_step, stores what it has changed if nobody else has stored
 * anything meanwhile, and has nothing more to do: captures read from the store
 * what they are told (sched_told) and report back. A new owner goes on from
 * the same rows.
 *
 * What it must never do is let two captures write one table, or leave a gap.
 * So
 *
 *   - each appointment has a number (its term), and a report counts only with
 *     the number of what it reports about;
 *   - whoever writes is told to stop, and another writes only after it has
 *     reported that it stopped, and how far it came, or is gone: its lease has
 *     been taken away, and it had stopped by itself before that (its own clock
 *     ends the lease earlier than the store's does);
 *   - a table moves in two phases: the next one reads up behind the writer
 *     first, so that between the two nothing is waited for but the hand-over;
 *   - who begins to write does so behind the checkpoint that is stored: what
 *     its predecessor wrote beyond that comes again, nothing is left out.
 *
 * States and bounds are TiCDC's (Absent, Prepare, Commit, Replicating,
 * Removing; 50 tables are given out at once, 10 move at a time, the balance is
 * looked at each minute). */
#ifndef TICDC_SCHEDULE_H
#define TICDC_SCHEDULE_H

#include "base.h"

enum { SCHED_NOBODY = -1 };

enum sched_state {
    SCHED_ABSENT,      /* nobody writes it */
    SCHED_REPLICATING, /* `writer` does */
    SCHED_PREPARING,   /* ... and `next` reads up behind it */
    SCHED_HANDING,     /* writer is to stop; then next writes */
    SCHED_STOPPING,    /* writer is to stop; then nobody does */
};

/* A table as it is stored. A new one: id, checkpoint, ABSENT, both NOBODY. */
struct sched_table {
    int64_t id;
    enum sched_state state;
    int writer, next; /* captures */
    uint64_t order;   /* the last term that was given out */
    uint64_t writer_term, next_term;
    uint64_t checkpoint; /* every event up to it is written; never goes back */
    bool dropped;        /* it is to go; who has stored it ABSENT deletes it */
};

/* A capture, with the number by which tables name it. */
struct sched_capture {
    bool ready;    /* it has registered and takes tables */
    bool stopping; /* it is drained, or ends: takes none, gives its own away */
    bool gone;     /* its lease was taken away: it can write no more */
};

enum sched_progress {
    SCHED_BEGINS,   /* it has read what it is told */
    SCHED_PREPARED, /* it has read up to the writer */
    SCHED_WRITES,
    SCHED_STOPPED, /* it writes nothing more by that term */
};

/* What a capture has last reported of a table; term 0: nothing. */
struct sched_report {
    uint64_t term;
    enum sched_progress progress;
    uint64_t checkpoint; /* WRITES, STOPPED: how far it has come */
};
struct sched_seen {
    struct sched_report writer, next;
};

/* A wish that one table be moved, and what became of it. */
enum sched_outcome {
    SCHED_PENDING,
    SCHED_BEGUN,
    SCHED_NO_TABLE,   /* the feed has none with that id */
    SCHED_NOT_STABLE, /* it is not REPLICATING */
    SCHED_NO_CAPTURE, /* the target is not there, or takes none */
    SCHED_THERE,      /* the target writes it already */
};
struct sched_move {
    int64_t table;
    int capture;
    enum sched_outcome outcome;
};

struct sched_feed {
    bool running;   /* else everybody is to stop */
    bool rebalance; /* somebody has asked for it: kept until it can begin */
    int64_t balanced_ms; /* when the balance was last looked at */
    struct sched_table *tables;
    size_t n_tables;
    struct sched_move *moves;
    size_t n_moves;
};

struct sched_rules {
    unsigned adds;      /* tables that are given out by one step */
    unsigned moves;     /* tables that move at a time, but by wish */
    int64_t balance_ms; /* between two looks at the balance */
};
extern const struct sched_rules sched_defaults;

/* seen: one per table. True: the feed has changed and is to be stored. */
bool sched_step(struct sched_feed *f, const struct sched_capture *captures,
                size_t n_captures, const struct sched_seen *seen,
                const struct sched_rules *rules, int64_t now_ms);

/* What a capture is to do for a table, by which term. Whatever it does by
 * another term, or for a table of which it is told NONE, it ends. */
enum sched_role {
    SCHED_NONE,
    SCHED_PREPARE, /* read up to the writer, write nothing */
    SCHED_WRITE,   /* behind the checkpoint that is stored; who has prepared by
                    * the same term goes on from there */
    SCHED_STOP,    /* write nothing more, and report STOPPED: also who has not
                    * begun */
};
enum sched_role
sched_told(const struct sched_table *t, int capture, uint64_t *term);

/* How far all of it is written: the least of its tables, but for those that
 * are dropped and done, and not beyond limit (a DDL statement that is waited
 * for; what is resolved). */
uint64_t sched_checkpoint(const struct sched_feed *f, uint64_t limit);

/* How many tables the capture writes, or is about to. */
size_t sched_load(const struct sched_feed *f, int capture);

/* Lower-case words for the API and the log. Static. */
const char *sched_state_name(enum sched_state state);
const char *sched_outcome_text(enum sched_outcome outcome);

#endif
