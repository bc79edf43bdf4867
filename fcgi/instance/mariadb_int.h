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

/* One of its accounts at its address; the caller closes *out. */
enum err mariadb_connect(const struct instance_spec *s, const char *user,
                         const char *secret, int timeout_ms, struct my **out,
                         char why[WHY_BYTES]);

/* Sets one option of PERSIST_FILE; what else it holds stays. */
enum err
mariadb_persist(struct arena *a, const struct instance_spec *s,
                const char *name, const char *value, char why[WHY_BYTES]);

/* The server's own words about the last failure into why. */
enum err
mariadb_failed(const struct my *my, const char *doing, char why[WHY_BYTES]);

#endif
