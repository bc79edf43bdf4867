/* The room is what a client may say of a changefeed, read and judged without
 * I/O: which tables it takes (here), where it writes to (uri.h, sink.h), and in
 * which way (sink_config.h). Both the interface and the captures ask it.
 *
 * Filter rules, also `matcher` of dispatchers: TiCDC's, spec/ticdc section 3.
 *     schema.table      each a plain word with wildcards (* ? [a-z] [!a-z]), a
 *     !schema.table     quoted one ("a.b" or `a.b`) or an expression of RE2
 *     # a comment       between slashes
 * The last rule that fits decides; what none fits is not taken. */
#ifndef TICDC_FILTER_H
#define TICDC_FILTER_H

#include "arena.h"
#include "base.h"

struct filter;

#define FILTER_RULES_MAX      1000
#define FILTER_RULE_BYTES_MAX 1024

/* Keeps what it needs in the arena. No rule at all is "*.*"; rules of which
 * none takes anything (comments, "!a.b") take nothing. own: a schema that is
 * never taken, beside the systems' own (NULL: none). BAD_PARAM with why, which
 * names the rule; NOMEM. */
enum err filter_parse(struct arena *a, const char *const *rules, size_t n,
                      bool case_sensitive, const char *own,
                      const struct filter **out, char why[WHY_BYTES]) MUST_USE;

bool
filter_takes(const struct filter *f, const char *schema, const char *table);
/* Whether some table of it could be taken: its own statements are then. */
bool filter_takes_schema(const struct filter *f, const char *schema);

/* The same of names of columns: each rule is one word, "a", "!b*". */
enum err
filter_parse_columns(struct arena *a, const char *const *rules, size_t n,
                     const struct filter **out, char why[WHY_BYTES]) MUST_USE;
bool filter_takes_column(const struct filter *f, const char *column);

/* The schemas that no changefeed takes: the servers' own, and ours. */
bool filter_is_system(const char *schema);

#endif
