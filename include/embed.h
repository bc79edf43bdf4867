/* Room: base/ */
/* Files that the binary carries, so that a deployment needs nothing beside
 * it: one array per folder, written by fcgi/base/embed.awk at build time. */
#ifndef MG_EMBED_H
#define MG_EMBED_H

#include "base.h"

struct embedded {
    const char *name; /* path below the folder; NULL ends the array */
    const char *text; /* NUL-terminated */
    size_t n;
};

extern const struct embedded embed_nginx[];    /* nginx: all .conf files */
extern const struct embedded embed_nginx_ui[]; /* nginx/ui: all of it */
extern const struct embedded embed_sql[];      /* sql: all .sql files */

#endif
