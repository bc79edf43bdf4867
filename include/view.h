/* Room: describe/ */
/* What a dialect holds, as operators look at it: a table of views, each of
 * them one kind of things (clusters, nodes, tables) with how each of them is.
 * Dialects bring the rows (struct dialect); the console lists, counts and puts
 * them below each other, and knows none of them.
 *
 * A view is a SELECT, told once, of which VIEW makes what is asked:
 *
 *     k1, k2    the key: its order is the list's, and it names the thing; k2 is
 *               '' where one column is enough
 *     above     the key of what it lies below, "k1" or "k1/k2"; '' for none
 *     name, address, state  texts, '' for none
 *     level     'ok'; 'warn': somebody should look; 'bad': does not work
 *     why       a sentence on that, ''
 *     since_ms  Unix ms since when, NULL when that is not known
 *     more      what else is told: a JSON object without secrets, or NULL
 *
 * It should be one that a server merges with what is around it (no GROUP BY),
 * so that pages read k1 by an index. */
#ifndef MG_VIEW_H
#define MG_VIEW_H

#include "base.h"

struct view {
    const char *kind;  /* "cluster"; NULL ends the table */
    const char *above; /* the kind that it lies below; NULL: none */
    bool events;       /* things that happened: k1 is a number, the newest come
                        * first, and they are no part of the topology */
    /* Statements: a page (above, above, level, level, k1, k1, k2, limit; of
     * events above, above, level, level, k1, k1, limit), how many there are by
     * level, those that are not well (limit). */
    const char *page, *count, *worst;
};

#define VIEW_COLUMNS                                                  \
    "SELECT CONCAT(v.k1) AS k1, CONCAT(v.k2) AS k2, v.above, v.name," \
    " v.address, v.state, v.level, v.why, v.since_ms, v.more FROM ("
#define VIEW_COUNTS                                                \
    "SELECT COUNT(*) AS n,"                                        \
    " CAST(COALESCE(SUM(v.level = 'warn'), 0) AS SIGNED) AS warn," \
    " CAST(COALESCE(SUM(v.level = 'bad'), 0) AS SIGNED) AS bad FROM ("
#define VIEW_WHERE \
    ") v WHERE (? = '' OR v.above = ?) AND (? = '' OR v.level = ?)"
#define VIEW_WORST                                                        \
    ") v WHERE v.level <> 'ok' ORDER BY v.level = 'bad' DESC, v.k1, v.k2" \
    " LIMIT ?"

#define VIEW(kind_, above_, select_)                    \
    {                                                   \
        .kind = (kind_), .above = (above_),             \
        .page = VIEW_COLUMNS select_ VIEW_WHERE         \
            " AND v.k1 >= ? AND (v.k1 > ? OR v.k2 > ?)" \
            " ORDER BY v.k1, v.k2 LIMIT ?",             \
        .count = VIEW_COUNTS select_ ") v",             \
        .worst = VIEW_COLUMNS select_ VIEW_WORST        \
    }
#define VIEW_EVENTS(kind_, above_, select_)                         \
    {                                                               \
        .kind = (kind_), .above = (above_), .events = true,         \
        .page = VIEW_COLUMNS select_ VIEW_WHERE                     \
            " AND (? = '' OR v.k1 < ?) ORDER BY v.k1 DESC LIMIT ?", \
        .count = VIEW_COUNTS select_ ") v",                         \
        .worst = VIEW_COLUMNS select_ VIEW_WORST                    \
    }

#endif
