/* Room: cache/ */
/* Whether what was read from the store still holds, without asking it again.
 *
 * A reply may be kept and shown again until a change of what it shows is
 * acknowledged to a client, by whatever process of whatever host. Two rules
 * see to that:
 *
 * Within a host, all processes count in one file, RUN_DIR/coherence, mapped
 * shared: a thing has a word, the number of its changes and of those that are
 * being committed now. A change counts before its COMMIT is sent and again
 * when its outcome is known; only then the client is answered. A reader notes
 * the words before it reads the store; what it read holds as long as they are
 * the same and nothing is being committed. What a process that is killed in
 * between was changing is not kept until it is certain that its COMMIT is over,
 * a minute after its end.
 *
 * Between hosts, only one that is alone with the store keeps anything. Each
 * has a row in coherence_host that it renews, and counts on for some seconds
 * from then. A host that finds no other live row writes that it is alone, and
 * keeps replies for as long as it counts on its row. One that finds others
 * writes that it shares, and keeps nothing. A row of another host is alive
 * until it stood unchanged for as long as any host counts on one, on the clock
 * of who looks at it: no clock is compared with another, the database's least
 * of all.
 *
 * A change is committed, and acknowledged, only while the own row lives and no
 * other host's live row says that it is alone: whoever comes second waits with
 * its first change until the first has seen it, a second at most, or is dead.
 * So nobody sees that change first, and then, where it is kept, what was
 * before. Should a COMMIT be under way for longer than the row lives, that may
 * be seen; what was acknowledged is never missed. A host that begins waits for
 * one that was killed, or for itself as it was before the machine started
 * again, as if it were alive: five seconds.
 *
 * That leans on clocks of hosts that run alike (CLOCK_BOOTTIME; none needs to
 * be right); on one server that is asked (with several in [mysql]
 * hosts nothing is kept); and on changes made through metagate: rows changed
 * by hand show after COHERENCE_KEEP_MS at the latest. */
#ifndef MG_COHERENCE_H
#define MG_COHERENCE_H

#include "base.h"
#include "db.h"
#include "record.h"

/* Maps RUN_DIR/coherence, made when absent or a copy of another RUN_DIR's,
 * and has the store tell what its transactions change (db_watch). When the
 * file cannot be used this process is like a host of its own. Once per process
 * that changes anything, after store_open and before threads. */
void coherence_open(void);
void coherence_close(void);

/* ---- readers ---- */

#define COHERENCE_KEEP_MS 30000
#define COHERENCE_MARKS   5

/* What holds: equal marks, equal content of the store. */
struct coherence_mark {
    uint64_t v[COHERENCE_MARKS];
};

/* The mark of two things ("instance i1"; both may be the same) as of now.
 * Before the store is read. False: do not keep what is read, nor look for
 * what was kept. */
bool coherence_now(const char *thing, const char *other,
                   struct coherence_mark *out) MUST_USE;

/* ---- hosts ---- */

/* A thread that renews this host's row and looks for others. Without memory
 * or thread nothing is kept, and changes renew the row themselves. */
void coherence_start(void);

/* Ends it; false when it still waits for the store after timeout_ms. */
bool coherence_stop(int64_t timeout_ms) MUST_USE;

/* The hosts that live now, in order of their names. */
#define COHERENCE_HOST(X, s)                      \
    X(s, STR, host, "host", COLUMN_ONLY, -)       \
    X(s, STR, name, "name", COLUMN_ONLY, -)       \
    X(s, STR, version, "version", COLUMN_ONLY, -) \
    X(s, STR, listen, "listen", COLUMN_ONLY, -)   \
    X(s, BOOL, shared, "shared", COLUMN_ONLY, -)  \
    X(s, I64, since_ms, "since_ms", COLUMN_ONLY, -)
STRUCT(coherence_host, COHERENCE_HOST);
LIST_OF(coherence_host);
enum err coherence_list(struct db *db, struct arena *a,
                        struct list_of_coherence_host *out) MUST_USE;

/* Whether a row's host is this RUN_DIR: a file of it says so, be it that of
 * another version whose processes still run. It only reads; coherence_open is
 * not needed. */
bool coherence_is_own(const char *host);

/* Where it listens: the piece of `listen` about that listener of
 * the dialects, in the arena; "" when there is none. */
const char *coherence_listen(struct arena *a, const struct coherence_host *h,
                             const char *listener);

#endif
