/* MariaDB: what its files share. */
#ifndef MG_INSTANCE_MARIADB_INT_H
#define MG_INSTANCE_MARIADB_INT_H

#include "instance.h"

enum err mariadb_version(char *out, size_t size, char why[WHY_BYTES]);
void
mariadb_template(const struct instance *i, const char *into, struct argv *out);
enum err mariadb_configure(struct arena *a, const struct instance_spec *s,
                           const struct instance *i, char why[WHY_BYTES]);
enum err mariadb_personalize(struct arena *a, const struct instance_spec *s,
                             const struct instance *i, const char *new,
                             char why[WHY_BYTES]);
enum err mariadb_settle(struct arena *a, const struct instance_spec *s,
                        int timeout_ms, char why[WHY_BYTES]);
enum err mariadb_probe(const struct instance_spec *s, int timeout_ms,
                       char why[WHY_BYTES]);
enum err
mariadb_set_variable(struct arena *a, const struct instance_spec *s,
                     const char *name, const char *value, char why[WHY_BYTES]);

/* The statements of a first start, at that path: restored says that the data
 * are those of a backup, whose other accounts stay, and where it stands. */
enum err mariadb_init_file(struct arena *a, const struct instance_spec *s,
                           const char *path, const char *restored_gtid,
                           char why[WHY_BYTES]);
/* A line of it that only a new instance's has. */
#define OTHERS_GO "DELETE FROM mysql.global_priv "

/* One of its accounts at its address; the caller closes *out. */
enum err mariadb_connect(const struct instance_spec *s, const char *user,
                         const char *secret, int timeout_ms, struct my **out,
                         char why[WHY_BYTES]);

/* Sets one option of PERSIST_FILE; what else it holds stays. */
enum err
mariadb_persist(struct arena *a, const struct instance_spec *s,
                const char *name, const char *value, char why[WHY_BYTES]);

#endif
