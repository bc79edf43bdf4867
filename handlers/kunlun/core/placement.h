/* On which machines, ports and directories the servers of a cluster go: a
 * function without I/O. Who calls it knows the machines' rows, asks them for
 * their space, tries the ports that were chosen, and calls again with those
 * that turned out to be taken.
 *
 * The rules are cluster_mgr's: machines by load, the servers of a shard on
 * consecutive ones, storage ports in steps of three per machine, computers'
 * ports over all machines; and ours: what was declared as a machine's memory
 * is not given out twice, no two servers of a shard on one machine while there
 * are others. */
#ifndef KUNLUN_PLACEMENT_H
#define KUNLUN_PLACEMENT_H

#include "base.h"

/* Classes of directories, as a machine declares them. */
enum placement_class {
    PLACEMENT_DATA,
    PLACEMENT_LOG,
    PLACEMENT_WAL,
    PLACEMENT_COMP,
    PLACEMENT_CLASS__MAX
};

/* What its folders are called: the classes of homes (root_home). */
extern const char *const placement_class_names[PLACEMENT_CLASS__MAX];

/* The class of that name; PLACEMENT_CLASS__MAX when there is none. */
enum placement_class placement_class_of(const char *name);

#define PLACEMENT_MACHINES 1024
#define PLACEMENT_DIRS     16 /* of one class */

struct placement_machine {
    unsigned instances; /* that it has, of both kinds */
    int64_t memory_mb;  /* declared; 0: not known, no bound */
    int64_t given_mb;   /* buffer pools of what it has */
    unsigned group;     /* machines with a directory in common have a number in
                         * common: their ports must differ, too */
    bool storage, computers; /* whether it may be chosen for these */
    unsigned n_dirs[PLACEMENT_CLASS__MAX];
    int64_t free_mb[PLACEMENT_CLASS__MAX][PLACEMENT_DIRS];
};

/* A port that cannot be had, and whose it is: the next of a kind is above the
 * highest of that kind. */
struct placement_taken {
    unsigned machine, port;
    enum placement_owner {
        PLACEMENT_OTHER, /* answered as in use, or with a directory */
        PLACEMENT_STORAGE,
        PLACEMENT_COMPUTER,
    } owner; /* of the latter two: an instance, or reserved for one */
};

struct placement_wish {
    unsigned shards, nodes, comps;        /* nodes: of each shard */
    int64_t buffer_mb;                    /* of each storage node */
    unsigned storage_port, computer_port; /* the first that are given out */
    const unsigned *there; /* nodes that the first shard has on each machine
                            * already; NULL: none */
};

struct placement_choice {
    unsigned machine, port;
    unsigned dir[PLACEMENT_CLASS__MAX]; /* the one with most room */
};

enum placement_why {
    PLACEMENT_OK,
    PLACEMENT_NO_MACHINE, /* none may be chosen, or there are too many */
    PLACEMENT_NO_MEMORY,  /* `machine` would be the next, and none has room */
    PLACEMENT_NO_PORT,    /* `machine` has none left */
};

#define PLACEMENT_PORT_STEP 3 /* of a storage node: X protocol, group */

/* out: shards * nodes storage nodes, shard by shard, then the comps. *machine:
 * whom the failure is about. m is in the order of registration. */
enum placement_why
placement_choose(const struct placement_machine *m, size_t n,
                 const struct placement_taken *taken, size_t n_taken,
                 const struct placement_wish *wish,
                 struct placement_choice *out, unsigned *machine);

#endif
