/* Room: instance/ */
/* A database server of any make: what its files are made by, its command line,
 * whether it serves, and what is done to one that runs. Drivers know the
 * programs, not what a server is for: who runs it adds the options of its use
 * to the command line (argv_add), keeps the process (keeper.h; any child:
 * host/child.h), and speaks to it (my.h, pg.h).
 *
 * The words. A *spec* says what one instance is to be; it is all that is kept
 * of it (a row, a marker's copy, a job's memo). Its *homes* are the directories
 * below its machine's roots that are its own. Its *place* (struct instance) are
 * the paths in them. A *template* is a data directory of a driver and version
 * that new ones are copied from.
 *
 * Everything here is synchronous and may take as long as a server needs; a
 * step of a job calls it, and calls it again after it was killed: each call
 * looks at what is there. `why` is a sentence for people, without secrets. A
 * member that a driver lacks is NULL. */
#ifndef MG_INSTANCE_H
#define MG_INSTANCE_H

#include "arena.h"
#include "argv.h"
#include "base.h"
#include "record.h"

struct my;
struct pg;

/* ---- what an instance is to be ---- */

enum instance_kind { INSTANCE_STORAGE, INSTANCE_COMPUTER };
extern const struct enum_name instance_kind_names[]; /* "storage" "computer" */

/* Texts end at NUL and are borrowed. What lies in a data directory is as the
 * server has it; the secrets are those of this instance alone. */
#define INSTANCE_SPEC(X, s)                                                    \
    X(s, STR, uuid, "uuid", IN | OUT, -)                                       \
    X(s, STR, driver, "driver", IN | OUT, -) /* "mariadb", "postgres" */       \
    X(s, ENUM, kind, "kind", IN | OUT, instance_kind)                          \
    X(s, STR, address, "address", IN | OUT, -)                                 \
    X(s, I32, port, "port", IN | OUT, -, .min = 1, .max = 65535)               \
    X(s, STR, data_root, "data_root", IN | OUT, -)                             \
    X(s, STR, log_root, "log_root", IN | OUT, -) /* storage; so is wal_root */ \
    X(s, STR, wal_root, "wal_root", IN | OUT, -)                               \
    X(s, I64, memory_bytes, "memory_bytes", IN | OUT, -)                       \
    X(s, I32, max_connections, "max_connections", IN | OUT, -)                 \
    X(s, I64, server_id, "server_id", IN | OUT, -) /* 1 to 2^32-1 */           \
    X(s, I64, domain_id, "domain_id", IN | OUT, -) /* of the shard's GTIDs */  \
    /* storage that has no replicas and never had: writable by itself. Any     \
     * other is a member of a shard whose primary somebody else names. */      \
    X(s, BOOL, lone, "lone", IN | OUT, -)                                      \
    X(s, STR, cluster, "cluster", IN | OUT, -)                                 \
    X(s, STR, shard, "shard", IN | OUT, -) /* or the computer's name */        \
    X(s, STR, admin_user, "admin_user", IN | OUT, -)                           \
    X(s, STR, admin_secret, "admin_secret", IN | OUT | SECRET, -)              \
    X(s, STR, repl_user, "repl_user", IN | OUT, -) /* storage */               \
    X(s, STR, repl_secret, "repl_secret", IN | OUT | SECRET, -)                \
    X(s, STR, client_user, "client_user", IN | OUT, -)                         \
    X(s, STR, client_secret, "client_secret", IN | OUT | SECRET, -)
STRUCT(instance_spec, INSTANCE_SPEC);
LIST_OF(instance_spec);

/* Whether it can be made here: driver and kind known, address, roots, ids and
 * names well formed, port and sizes within the keys of [instance]. It looks at
 * no disk. BAD_PARAM; LIMIT when a size or port is beyond its key. */
enum err
instance_check(const struct instance_spec *s, char why[WHY_BYTES]) MUST_USE;

/* Gives each account of the spec that has none a random secret, in the arena;
 * and the uuid, if it has none. */
enum err instance_secrets(struct arena *a, struct instance_spec *s) MUST_USE;

/* Of what a client may make the password of a computing node: none of it needs
 * quoting. */
#define INSTANCE_PASSWORD_SIGNS "_-.!@#%^*+=:,/?~"
#define INSTANCE_PASSWORD                  \
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "abcdefghijklmnopqrstuvwxyz" INSTANCE_PASSWORD_SIGNS

/* As JSON with its secrets (for what is sealed or 0600), and back. */
enum err instance_spec_text(struct arena *a, const struct instance_spec *s,
                            const char **out) MUST_USE;
enum err instance_spec_read(struct arena *a, const char *json,
                            struct instance_spec *out) MUST_USE;

/* ---- its place and its programs ---- */

/* One server. The paths are absolute; all of it is borrowed. */
struct instance {
    const char *datadir;
    const char *tmpdir;
    const char *program;   /* NULL: the driver's own name for it */
    const char *socket;    /* of its local clients; at most 107 bytes; NULL:
                            * it has none (PostgreSQL's here) */
    const char *address;   /* of its TCP listener; NULL: it has none */
    unsigned port;         /* with address */
    const char *config;    /* a file of options, read first; NULL: none, not
                            * the host's either */
    const char *init_file; /* statements of each start, before anyone is let
                            * in, one a line; NULL */
    const char *account;   /* of the host: who comes by the socket under this
                            * name is the administrator; NULL: nobody is */
    const char *log;       /* what it writes to its standard error; NULL */
};

/* The paths of an instance, in the arena: what keeps its process calls it
 * again before each start (the init file is for the first ones only, until
 * instance_settle). LIMIT when a path is too long. */
enum err instance_place(struct arena *a, const struct instance_spec *s,
                        struct instance *out, char why[WHY_BYTES]) MUST_USE;

/* Its data home, which holds the driver's files, what is kept of its state,
 * and its lock: "<data_root>/instance_data/<class>/<port>". */
enum err instance_home(struct arena *a, const struct instance_spec *s,
                       const char **out) MUST_USE;

struct instance_driver {
    const char *name; /* "mariadb" */

    /* The tool that makes the files of a new server in the directory `into`,
     * which is not there yet: run to its end, 0 is success. Its owner renames
     * it to datadir, so that one that is there is complete. */
    void (*install)(const struct instance *i, const char *into,
                    struct argv *out);

    /* The server in the foreground. What a caller adds behind it wins. */
    void (*command)(const struct instance *i, struct argv *out);

    /* Whether it lets clients in. Does not wait: *fd (-1 at first) is kept by
     * the caller from call to call, and closed by it when the server ends. */
    bool (*ready)(const struct instance *i, int *fd);

    /* The word of its command line that no other process has: child_adopt. */
    void (*identity)(const struct instance *i, char *out, size_t size);

    /* On top of the environment, NULL-terminated: for its tools too. */
    const char *const *env;
    int stop_signal; /* ends it with nothing left to recover */

    /* ---- of an instance that has a spec ---- */

    enum instance_kind kind; /* what it may be */
    /* Of the programs that new instances are made by, and of what else makes
     * a template of its own: "10.11.19-64". NOT_FOUND with what to install. */
    enum err (*version)(char *out, size_t size, char why[WHY_BYTES]);
    /* As install, for a template. */
    void (*template)(const struct instance *i, const char *into,
                     struct argv *out);
    /* Writes the options into the homes. */
    enum err (*configure)(struct arena *a, const struct instance_spec *s,
                          const struct instance *i, char why[WHY_BYTES]);
    /* Gives a data directory that has never run (a template's copy at the path
     * `new`, before it is renamed to i->datadir) what is the instance's own. */
    enum err (*personalize)(struct arena *a, const struct instance_spec *s,
                            const struct instance *i, const char *new,
                            char why[WHY_BYTES]);
    /* instance_settle. */
    enum err (*settle)(struct arena *a, const struct instance_spec *s,
                       int timeout_ms, char why[WHY_BYTES]);
    /* Whether a client is served: connects to its address as `admin`, asks
     * one thing. PEER, DENIED, TIMEOUT. */
    enum err (*probe)(const struct instance_spec *s, int timeout_ms,
                      char why[WHY_BYTES]);
    enum err (*set_variable)(struct arena *a, const struct instance_spec *s,
                             const char *name, const char *value,
                             char why[WHY_BYTES]);
};

extern const struct instance_driver mariadb_driver;
extern const struct instance_driver postgres_driver;
/* By its name; NULL. */
const struct instance_driver *instance_driver_find(const char *name);

/* ---- its life: while its process does not run, but for settle ---- */

/* Makes the homes, the data directory from the driver's template (which is
 * made first when there is none), the options and the accounts. OK too when it
 * is there and whole. EXISTS when a directory is taken, LIMIT when the disk is
 * full, NOT_FOUND without the programs. */
enum err instance_install(struct arena *a, const struct instance_spec *s,
                          char why[WHY_BYTES]) MUST_USE;

/* Until then a loss of power may take what instance_install has written. It may
 * take as long as the disk: the server starts meanwhile. LIMIT, STATE; as
 * home_open when a home is not there. */
enum err
instance_sync(const struct instance_spec *s, char why[WHY_BYTES]) MUST_USE;

/* After the first start: sees that its accounts can log in by TCP, and only
 * then removes the file that made them. */
enum err instance_settle(struct arena *a, const struct instance_spec *s,
                         int timeout_ms, char why[WHY_BYTES]) MUST_USE;

/* Writes the options anew, for the next start. */
enum err instance_configure(struct arena *a, const struct instance_spec *s,
                            char why[WHY_BYTES]) MUST_USE;

/* Removes its homes; OK when they are not there. DENIED, and nothing is
 * touched, when one is another's or not marked. */
enum err
instance_remove(const struct instance_spec *s, char why[WHY_BYTES]) MUST_USE;

/* What an instance_install that may have refused has made: homes that are
 * another's, or not marked, are left as they are, and OK. */
enum err
instance_unmake(const struct instance_spec *s, char why[WHY_BYTES]) MUST_USE;

/* LIMIT with why: a port that the configuration leaves to no instance. */
enum err instance_port_check(int32_t port, char why[WHY_BYTES]) MUST_USE;

/* Bytes of its homes on disk; -1 when they cannot be read. */
int64_t instance_used_bytes(const struct instance_spec *s);

/* Whether a client is served. */
enum err instance_probe(const struct instance_spec *s, int timeout_ms,
                        char why[WHY_BYTES]) MUST_USE;

/* Sets a server variable at once and in the options of later starts.
 * BAD_PARAM with the server's own sentence in why when it refuses, and when it
 * is one that cannot be changed while it runs: nothing is kept then. DENIED:
 * one that is set by what the instance is (its port, who it follows). */
enum err instance_set_variable(struct arena *a, const struct instance_spec *s,
                               const char *name, const char *value,
                               char why[WHY_BYTES]) MUST_USE;

/* A connection to a computing instance as admin; the caller closes it
 * (pg_close). */
enum err instance_pg_connect(const struct instance_spec *s,
                             const char *database, int timeout_ms,
                             struct pg **out, char why[WHY_BYTES]) MUST_USE;

/* ---- storage: replication (real servers; who leads is the caller's) ---- */

/* A connection to it as admin; the caller closes it (my_close). */
enum err instance_connect(const struct instance_spec *s, int timeout_ms,
                          struct my **out, char why[WHY_BYTES]) MUST_USE;

#define INSTANCE_POSITION(X, s)                                                \
    X(s, STR, gtid_binlog, "gtid_binlog", OUT, -)                              \
    X(s, STR, gtid_slave, "gtid_slave", OUT, -) /* applied */                  \
    X(s, STR, gtid_io, "gtid_io", OUT, -)       /* in its relay log */         \
    X(s, BOOL, read_only, "read_only", OUT, -)                                 \
    X(s, STR, source_host, "source_host", OUT, -) /* absent: no replica */     \
    X(s, I32, source_port, "source_port", OUT, -)                              \
    X(s, BOOL, receives, "receives", OUT, -)     /* the IO thread runs */      \
    X(s, BOOL, connecting, "connecting", OUT, -) /* receives not yet */        \
    X(s, BOOL, applies, "applies", OUT, -)                                     \
    X(s, I64, behind_s, "behind_s", OUT, -)                                    \
    X(s, STR, error, "error", OUT, -)                                          \
    X(s, BOOL, asks_acks, "asks_acks", OUT, -) /* commits wait for replicas */ \
    X(s, I32, acking, "acking", OUT, -)        /* replicas that acknowledge */
STRUCT(instance_position, INSTANCE_POSITION);
enum err instance_position(struct arena *a, const struct instance_spec *s,
                           int timeout_ms, struct instance_position *out,
                           char why[WHY_BYTES]) MUST_USE;

/* Lets it write: applies what its relay log has (TIMEOUT when that takes
 * longer: nothing has changed then), leaves its source, and is writable. With
 * `acks` a commit waits until a replica has it. OK when it is so already. */
enum err
instance_promote(struct arena *a, const struct instance_spec *s, bool acks,
                 int timeout_ms, char why[WHY_BYTES]) MUST_USE;

/* Makes it a read-only replica of another one: what its relay log has is
 * applied before it is pointed elsewhere; sessions that wait for a commit are
 * ended first. from: the position to begin at, NULL: its own. */
enum err instance_follow(struct arena *a, const struct instance_spec *s,
                         const struct instance_spec *source, const char *from,
                         int timeout_ms, char why[WHY_BYTES]) MUST_USE;

/* No writes but by replication, from here on. */
enum err instance_demote(struct arena *a, const struct instance_spec *s,
                         int timeout_ms, char why[WHY_BYTES]) MUST_USE;

/* ---- storage: what is said to a server that replicates ---- */

/* A server's part in semi-synchronous replication. */
enum instance_semi_sync {
    SEMI_SYNC_OFF,
    SEMI_SYNC_LEADS,   /* a commit waits until a replica has it */
    SEMI_SYNC_FOLLOWS, /* it tells its source what it has */
};
/* As my_do. */
enum err
instance_semi_sync(struct my *my, enum instance_semi_sync role) MUST_USE;

/* It follows nobody any more. As my_do. */
enum err instance_leave_source(struct my *my) MUST_USE;
/* It follows its source, which it is pointed at by instance_change_master (may
 * be NULL: NOMEM), as one that acknowledges. It has stopped. As my_do. */
enum err
instance_begin_following(struct my *my, const char *change_master) MUST_USE;

/* The words of the server's last failure, "<doing>: <text>", into why, and its
 * class. */
enum err
instance_failed(const struct my *my, const char *doing, char why[WHY_BYTES]);

/* Ends the sessions for which that condition over PROCESSLIST is true, but not
 * this one, nor the server's own threads. As my_query. */
enum err instance_end_sessions(struct my *my, struct arena *a,
                               const char *where) MUST_USE;

/* The statement that points a replica, which has stopped, at its source with
 * one of the source's accounts, whose name and secret need no quoting; it goes
 * on from gtid_slave_pos. NULL without memory, or when one of them is NULL. */
const char *
instance_change_master(struct arena *a, const struct instance_spec *source,
                       const char *user, const char *secret) MUST_USE;

/* What a server tells of its replication. Texts lie in the arena, NULL when it
 * tells none. */
struct instance_replica {
    bool is_one; /* it has a source; nothing else is told of one without */
    const char *source_host;
    int32_t source_port;
    const char *source_log; /* NULL until its source has been asked for one */
    const char *gtid_io;    /* in its relay log */
    bool receiving;         /* the IO thread runs ... */
    bool connected;         /* ... and its source has let it in */
    bool applying;          /* the SQL thread runs */
    uint64_t heard;         /* another number: it has heard from its source */
    int64_t beat_ms;        /* ... which is heard of at least so often; 0 */
    int64_t behind_s;       /* -1: not told */
    unsigned io_errno, sql_errno;
    const char *io_error, *sql_error;
};
/* As my_query. */
enum err instance_replica(struct my *my, struct arena *a,
                          struct instance_replica *out) MUST_USE;

/* Whether a server begins to talk to who connects, at most timeout_ms: one that
 * stands still lets in and says nothing, one that is not there does neither.
 * Logging in has limits of whole seconds. */
enum greeting {
    GREETING_NONE,
    GREETING_REFUSED, /* its host says that nobody listens */
    GREETING_HEARD,
};
enum greeting
instance_greeting(const struct instance_spec *s, int timeout_ms) MUST_USE;

/* The statement by which a replica, which has stopped, goes on from a position
 * ("0-1-5,7-3-90", less than 4 KiB). NULL without memory, and for a text that
 * is none. */
const char *instance_begin_at(struct arena *a, const char *gtid) MUST_USE;

/* "domain-server-seq" of a GTID list ("0-1-5,7-3-90"). */
struct instance_gtid {
    uint32_t server;
    uint64_t seq;
};
/* The piece that is of the domain. False, and *out is 0, when there is none or
 * the list is NULL. */
bool
instance_gtid_of(const char *list, int64_t domain, struct instance_gtid *out);

/* Deletes the binlogs that no replica needs: those before the newest that
 * begins at or before each of these GTID positions ("0-1-5,1-2-3"), and none
 * that a backup or a connected replica reads. *kept: the first that is left.
 * The login is the caller's. */
enum err
instance_purge(struct my *my, struct arena *a, const char *const *positions,
               size_t n, const char **kept, char why[WHY_BYTES]) MUST_USE;

#endif
