/* Which collation a number is, and texts of a charset as UTF-8. */
#ifndef MG_BINLOG_CHARSET_H
#define MG_BINLOG_CHARSET_H

#include "binlog_int.h"

/* The charset of each collation, as a server lists them: names are static.
 * All zeros is a list without any but BINLOG_BINARY. */
#define COLLATIONS_MAX 4096
struct collations {
    uint8_t charset[COLLATIONS_MAX]; /* 0 = none */
};
/* One of the list; names that are not known here are left out. */
void
collations_add(struct collations *c, uint64_t collation, const char *charset);
/* The static text of a name; NULL: not known here, or NULL. */
const char *charset_known(const char *charset);
const char *collation_charset(const struct collations *c, uint64_t collation);

/* What has been opened to convert; zeroed at first. */
struct converters {
    void *open[64]; /* iconv_t, by charset; NULL = not yet */
};
void converters_close(struct converters *c);
/* As binlog_utf8. */
enum err charset_to_utf8(struct converters *c, const char *charset,
                         const char *p, size_t n, struct buf *out) MUST_USE;

#endif
