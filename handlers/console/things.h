/* What all dialects hold, by their views (view.h): listed, counted, put below
 * each other. */
#ifndef CONSOLE_THINGS_H
#define CONSOLE_THINGS_H

#include "page.h"

/* One thing. Its id is "dialect/kind/key"; times are Unix ms. */
#define CONSOLE_THING(X, s)                                                    \
    X(s, STR, id, "id", OUT, -, .doc = "doris/cluster/i1/c1")                  \
    X(s, STR, key, "key", OUT, -, .doc = "i1/c1: what commands call it by")    \
    X(s, STR, parent, "parent", OUT, -, .doc = "id of what it lies below")     \
    X(s, STR, dialect, "dialect", OUT, -)                                      \
    X(s, STR, kind, "kind", OUT, -)                                            \
    X(s, STR, name, "name", OUT, -)                                            \
    X(s, STR, address, "address", OUT, -)                                      \
    X(s, STR, state, "state", OUT, -, .doc = "in the dialect's own words")     \
    X(s, STR, level, "level", OUT, -, .doc = "ok, warn, bad")                  \
    X(s, STR, why, "why", OUT, -, .doc = "a sentence on that")                 \
    X(s, I64, since_ms, "since_ms", OUT, -)                                    \
    X(s, JSON, more, "more", OUT, -, .doc = "what that kind has beside these") \
    X(s, STR, k1, "k1", COLUMN_ONLY, -)                                        \
    X(s, STR, k2, "k2", COLUMN_ONLY, -)                                        \
    X(s, STR, a1, "a1", COLUMN_ONLY, -)                                        \
    X(s, STR, a2, "a2", COLUMN_ONLY, -)                                        \
    X(s, STR, o1, "o1", COLUMN_ONLY, -)                                        \
    X(s, STR, o2, "o2", COLUMN_ONLY, -)                                        \
    X(s, STR, o3, "o3", COLUMN_ONLY, -)
STRUCT(console_thing, CONSOLE_THING);
LIST_OF(console_thing);

#define CONSOLE_THINGS_ASKED(X, s)                                           \
    X(s, STR, dialect, "dialect", QUERY, -, .max = 64)                       \
    X(s, STR, kind, "kind", QUERY, -, .max = 64, .doc = "cluster, node ...") \
    X(s, STR, level, "level", QUERY, -, .max = 8, .doc = "ok, warn, bad")    \
    X(s, STR, under, "under", QUERY, -, .max = 1024,                         \
      .doc = "an id: what lies directly below it")                           \
    CONSOLE_PAGE(X, s)
STRUCT(console_things_asked, CONSOLE_THINGS_ASKED);

/* Of one kind alone. */
#define CONSOLE_KIND_ASKED(X, s)                                          \
    X(s, STR, level, "level", QUERY, -, .max = 8, .doc = "ok, warn, bad") \
    CONSOLE_PAGE(X, s)
STRUCT(console_kind_asked, CONSOLE_KIND_ASKED);

#define CONSOLE_THINGS(X, s)                                    \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_thing) \
    X(s, STR, next, "next", OUT, -, .doc = "cursor; absent at the end")
STRUCT(console_things, CONSOLE_THINGS);

#define CONSOLE_COUNT(X, s)                       \
    X(s, STR, kind, "kind", OUT, -)               \
    X(s, I64, n, "n", OUT | PRINT_UNSET, -)       \
    X(s, I64, warn, "warn", OUT | PRINT_UNSET, -) \
    X(s, I64, bad, "bad", OUT | PRINT_UNSET, -)
STRUCT(console_count, CONSOLE_COUNT);

#define CONSOLE_SHARE(X, s)                                           \
    X(s, STR, dialect, "dialect", OUT, -)                             \
    X(s, STR, level, "level", OUT, -, .doc = "of the worst it holds") \
    X(s, LIST, holds, "holds", OUT | KEEP_EMPTY, console_count)
STRUCT(console_share, CONSOLE_SHARE);

#define CONSOLE_OVERVIEW(X, s)                                        \
    X(s, STR, level, "level", OUT, -, .doc = "of the worst of all")   \
    X(s, LIST, dialects, "dialects", OUT | KEEP_EMPTY, console_share) \
    X(s, LIST, not_well, "not_well", OUT | KEEP_EMPTY, console_thing, \
      .doc = "the worst first; 100 at most")                          \
    X(s, I64, open_jobs, "open_jobs", OUT | PRINT_UNSET, -)           \
    X(s, I64, failed_jobs, "failed_jobs", OUT | PRINT_UNSET, -,       \
      .doc = "of the last day")
STRUCT(console_overview, CONSOLE_OVERVIEW);

#define CONSOLE_JOB_COUNTS(X, s)                 \
    X(s, I64, open, "open_jobs", COLUMN_ONLY, -) \
    X(s, I64, failed, "failed_jobs", COLUMN_ONLY, -)
STRUCT(console_job_counts, CONSOLE_JOB_COUNTS);

/* The key of what a view's things lie below (view.h); "": anywhere. */
struct console_above {
    const char *a1, *a2;
};

/* The SQL: store.c. Behind the one whose o1 to o3 are `last`, NULL: from the
 * first on. */
struct view;
enum err
console_store_things(struct db *db, struct arena *a, const struct view *v,
                     const struct console_above *above, const char *level,
                     const char *const *last, size_t max,
                     struct list_of_console_thing *out) MUST_USE;
enum err
console_store_worst(struct db *db, struct arena *a, const struct view *v,
                    size_t max, struct list_of_console_thing *out) MUST_USE;
enum err
console_store_count(struct db *db, struct arena *a, const struct view *v,
                    struct console_count *out) MUST_USE;
enum err console_store_job_counts(struct db *db, struct arena *a,
                                  struct console_job_counts *out) MUST_USE;

#endif
