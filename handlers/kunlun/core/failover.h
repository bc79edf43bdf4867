/* Who is the primary of a shard, and whether that can change now: a function
 * of (what is stored, what is seen, now) without I/O. The loop around it sees
 * (asks every member), calls failover_step, stores what it has changed, and
 * only then does what it asks for; the unit test core/failover_test.c runs the
 * same function against members that are killed, cut off and frozen.
 *
 * What it must never do is lose a row that was acknowledged. A shard is a
 * primary and replicas by GTID with semi-synchronous replication: a commit is
 * acknowledged when *one* replica has it in its relay log. So
 *
 *   - the role IN says which replicas may have acknowledged anything: one gets
 *     in before it is told to follow, and out only when the primary has shut
 *     it out (its account is locked, its connection ended);
 *   - a replica that is in is a *witness* as long as the run of replication
 *     that it was told to begin goes on (its ticket): then it has all that it
 *     ever acknowledged. When that run has ended with its server, or both of
 *     its threads have, its relay log, and rows with it, may be gone
 *     (MDEV-4698): it is no witness until it is told again. One that receives
 *     nothing more, since what it followed came back with less (1236), but
 *     goes on applying, has all of it: nothing is dropped under the thread
 *     that applies, and the one that receives does not start by itself;
 *   - one whose machine has ended it in order has left a *mark*: it received
 *     nothing more, had applied all that it had received under its ticket, and
 *     that position. As long as it has just this, and was told nothing since,
 *     it is a witness although its server was started again;
 *   - `base` is a position that covers whatever was acknowledged before the
 *     present tickets were given out.
 *
 * Hence the rule: a new primary is chosen when every replica that is in is a
 * witness and has stopped receiving (which is the fence too: the old primary
 * can have nothing acknowledged any more), among those that have most, and
 * only if that reaches base. A primary that has left a mark has all that it
 * ever wrote, and leads again when nobody was chosen meanwhile, whatever its
 * replicas have. Otherwise nobody is promoted, and the verdict says why.
 * Members start read-only and without replication, so that neither a restart
 * nor a return changes any of this by itself.
 *
 * A primary whose disk is full answers, and writes nothing: it is over like one
 * that is silent, when somebody who has room may take its place. It need not
 * be told, as one that is cut off is not: nobody acknowledges for it. */
#ifndef KUNLUN_FAILOVER_H
#define KUNLUN_FAILOVER_H

#include "base.h"

#define FO_MEMBERS 16
enum { FO_NOBODY = -1 };

/* A GTID in the shard's domain. seq 0: nothing. */
struct fo_gtid {
    uint64_t seq;
    uint32_t server;
};

enum fo_role {
    FO_OUT, /* can have acknowledged nothing that counts */
    FO_IN,  /* a replica that may have */
    FO_PRIMARY,
};

/* A member as it is stored. */
struct fo_member {
    enum fo_role role;
    uint64_t start;  /* the run of its server that the role is about */
    uint64_t ticket; /* IN: the order by which it was told to follow; 0: it is
                      * broken, and has ended for good */
    bool broken;     /* IN: that run of replication is over: no witness */
    uint64_t evict;  /* IN: the order by which the primary was told to shut it
                      * out; 0: it was not */
    uint64_t fence;  /* IN: the order by which it was told to receive nothing
                      * more; 0: it was not */
    struct fo_gtid floor; /* ... and had this before */
    bool leaving;         /* it is to be removed or stopped: gets out */
};

/* A shard as it is stored. A new one: n, epoch and order 1, one member
 * PRIMARY with its start, the others OUT and locked out on all, switch_to
 * NOBODY. */
struct fo_shard {
    uint64_t epoch; /* each has one primary */
    uint64_t order; /* grows with every change that is stored; a machine keeps
                     * the highest by which its member was told something, and
                     * refuses lower ones */
    unsigned n;
    int primary;
    bool fencing;       /* a new primary is being looked for ... */
    int64_t fencing_ms; /* ... since */
    struct fo_gtid base;
    int64_t paused_until_ms; /* no failover by itself until then */
    bool force;            /* choose among who answers: somebody has said so */
    int switch_to;         /* a planned change of the primary; FO_NOBODY */
    uint64_t switch_order; /* ... asked for with that order */
    int64_t switch_until_ms; /* ... given up then */
    int64_t failed_over_ms;  /* when a failover was last decided; 0 */
    unsigned failovers;      /* ... how many without a quiet time between */
    struct fo_member member[FO_MEMBERS];
};

/* What a member has noted before it was ended in order, in this run or in one
 * before. Being promoted takes it back. */
struct fo_mark {
    uint64_t start;    /* the run that noted it; 0: there is none */
    uint64_t ticket;   /* the last RECEIVE that it had carried out */
    struct fo_gtid at; /* all that it had */
};

/* What a member, or the daemon of its machine, has just told. */
struct fo_seen {
    bool answered;     /* the server itself: what stands below is known */
    int64_t silent_ms; /* else: for how long it has not */
    bool ended;        /* the daemon says: the run stored as `start` is over */
    uint64_t start;    /* names the run of the server */
    uint64_t order;    /* the highest it was told */
    uint64_t ready;    /* the last FOLLOW that was carried out */
    uint64_t ticket;   /* ... and whose RECEIVE was too; else lower */
    bool writable;
    bool broken;      /* replication stopped by an error */
    bool unrelated;   /* ... since the primary does not know its position */
    bool io;          /* the thread that receives runs, connected or not; it
                       * does not begin again by itself */
    bool connected;   /* ... and is connected to whom it follows, ... */
    bool hears;       /* ... from whom a sign came just now */
    int64_t apart_ms; /* for so long it has not been seen connected */
    bool applying;    /* the thread that applies runs */
    bool full;        /* its disk has no room ... */
    int64_t stuck_ms; /* ... and for so long it has written nothing */
    bool ends;        /* its machine is about to end it: it takes no orders */
    struct fo_mark mark;
    struct fo_gtid received; /* in the relay log or applied */
    struct fo_gtid applied;  /* ... of these; of who was told nothing of a
                              * primary: all in its binlog */
    unsigned shut; /* a primary: bit per member whose account is locked and
                    * that has no connection; looked up before `applied` */
};

/* What is to be done now: each names the member that is told, and may be done
 * twice. It carries the shard's order, which the machine compares at the
 * moment of the effect. EVICT and ADMIT are not written into the binlog: who
 * becomes primary begins with everybody shut out, and they need no replica. */
enum fo_action_kind {
    FO_PROMOTE, /* follow nobody, shut out everybody, acknowledge by replicas,
                 * be writable; nothing when it is */
    FO_DEMOTE,  /* end sessions, be read-only: for a planned change, and of one
                 * that is back and led before */
    FO_FOLLOW,  /* what it followed is over: be ready to follow the primary,
                 * once for each ticket, which is noted when it is */
    FO_RECEIVE, /* begin to, once for each ticket that it is ready for, when
                 * the primary lets it in: one that is turned away tries again
                 * a second later */
    FO_START_APPLYING, /* the applying thread alone, and only beside one that
                        * receives, before and after: else what was not
                        * applied may be gone, and the member says so by a
                        * ticket that nobody has given out */
    FO_STOP_RECEIVING, /* the receiving thread, and only while the applying
                        * one runs: else what is not applied is dropped */
    FO_NOTE,           /* nothing but the order */
    FO_EVICT,          /* the primary: lock `whom` out, end its connection */
    FO_ADMIT,          /* the primary: let `whom` in */
    FO_REBUILD,        /* it cannot follow: anew from a copy */
};
struct fo_action {
    enum fo_action_kind kind;
    int member;
    int whom;        /* EVICT, ADMIT */
    uint64_t ticket; /* FOLLOW, RECEIVE */
    uint64_t start;  /* PROMOTE: of this run of the server alone, since another
                      * may have less */
};

enum fo_verdict {
    FO_FINE,
    FO_WAITS,    /* it is led well, and nobody acknowledges: writes wait */
    FO_SUSPECTS, /* the primary does not answer: not yet over */
    FO_WORKS,    /* a change is under way */
    FO_PAUSED,   /* the primary is over; told not to act */
    FO_FLAPS,    /* ... too many failovers in a short time */
    FO_UNSAFE,   /* ... a promotion could lose what was acknowledged */
};

/* Why it is not FINE; `about` says whom. */
enum fo_why {
    FO_WHY_NONE,
    FO_WHY_PRIMARY_ENDED,  /* its server has ended, or has been restarted */
    FO_WHY_PRIMARY_SILENT, /* nobody reaches it */
    FO_WHY_PRIMARY_UNSEEN, /* we do not reach it, its replicas do */
    FO_WHY_PRIMARY_ENDS,   /* its machine is about to end it */
    FO_WHY_PRIMARY_FULL,   /* it writes nothing: its disk is full */
    FO_WHY_ALL_FULL,       /* ... and so are those of its replicas */
    FO_WHY_NOT_WRITABLE,   /* promoted, not yet writable */
    FO_WHY_MEMBER_SILENT,  /* may hold what nobody else has */
    FO_WHY_MEMBER_BROKEN,  /* may have lost what nobody else has */
    FO_WHY_MEMBER_APPLIES, /* has most, and is applying it */
    FO_WHY_MEMBER_FAILS,   /* has most, and cannot apply it */
    FO_WHY_MEMBER_FULL,    /* ... since its disk is full */
    FO_WHY_BELOW_BASE,     /* nobody has all that was acknowledged */
    FO_WHY_DIVERGED,       /* two histories */
    FO_WHY_NO_CANDIDATE,
    FO_WHY_NO_ACK,         /* it does not acknowledge, and nobody else does */
    FO_WHY_NO_ACK_STOPPED, /* ... since somebody has stopped it */
    FO_WHY_SWITCH,         /* the planned change waits for it */
    FO_WHY__MAX
};

/* A sentence on it without the name: "holds what nobody else may have, and
 * does not answer". Static. */
const char *fo_why_text(enum fo_why why);

/* "fine" "waits" "suspects" "works" "paused" "flaps" "unsafe". Static. */
const char *fo_verdict_name(enum fo_verdict verdict);

#define FO_ACTIONS (2 * FO_MEMBERS)
struct fo_plan {
    bool changed; /* *s has changed: store it before acting, and act only if
                   * nobody else has stored meanwhile */
    bool decided; /* ... among it the primary */
    enum fo_verdict verdict;
    enum fo_why why;
    int about; /* FO_NOBODY */
    unsigned n;
    struct fo_action action[FO_ACTIONS];
};

struct fo_rules {
    int64_t silent_ms;   /* so long without an answer: it is over, if its
                          * replicas agree; so long stuck on a full disk: if
                          * one of them has room */
    int64_t evict_ms;    /* so long without an answer: shut out */
    int64_t patience_ms; /* so long a member is waited for before UNSAFE */
    int64_t quiet_ms;    /* so long after a failover the count begins anew */
    unsigned flaps;      /* so many within: FLAPS; 0: any number */
};
extern const struct fo_rules fo_default_rules;

/* One look. seen[i] is of s->member[i] and was asked for after *s had been
 * stored. */
void failover_step(struct fo_shard *s, const struct fo_seen seen[],
                   const struct fo_rules *rules, int64_t now_ms,
                   struct fo_plan *out);

#endif
