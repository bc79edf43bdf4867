/* Where an instance's files lie: what instance/ shares of it. */
#ifndef MG_INSTANCE_PATHS_H
#define MG_INSTANCE_PATHS_H

#include "instance.h"
#include "home.h"

#define HOMES_MAX 3

/* Its homes, the data home first; how many. */
size_t
instance_homes(const struct instance_spec *s, struct home out[HOMES_MAX]);

/* A file of a home, "<home>/<name>", in the arena; NULL when it is too long or
 * there is no memory. */
const char *
instance_file(struct arena *a, const struct home *h, const char *name) MUST_USE;

/* Names below the data home. */
#define DATA_DIR     "data"       /* the server's data directory */
#define NEW_DIR      "data.new"   /* ... of an installation under way */
#define LOAD_DIR     "data.load"  /* ... of a restore, prepared */
#define RELAY_DIR    "data.relay" /* ... and what is applied to it */
#define LOAD_INIT    "load.sql"   /* ... statements of its first start */
#define OLD_DIR      "data.old"   /* ... put aside by a restore */
#define TMP_DIR      "tmp"
#define INIT_FILE    "init.sql"
#define CONFIG_FILE  "my.cnf"      /* PostgreSQL's lie in its data directory */
#define PERSIST_FILE "persist.cnf" /* what instance_set_variable has set */

/* Names below the other homes of a storage instance: what a restore puts aside
 * is one directory each. */
#define LOG_FILE   "mariadb.log" /* in the log home */
#define BINLOG_DIR "binlog"      /* in the log home: bin.*, relay.* */
#define REDO_DIR   "redo"        /* in the wal home */
#define REDO_FILE  "ib_logfile0"

#endif
