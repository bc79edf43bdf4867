/* Room: describe/ */
/* What a dialect holds, as operators look at it: a table of views, each of
 * them one kind of things (clusters, nodes, tables) with how each of them is.
 * Dialects bring the rows (struct dialect); the console lists, counts and puts
 * them below each other, and knows none of them.
 *
 * A view is a SELECT, told once, of which VIEW makes what is asked:
 *
 *     k1, k2    the key, which names the thing "k1" or "k1/k2": k2 is '' where
 *               one column is enough, and k1 has no '/' where it is not
 *     a1, a2    the key of what it lies below, '' for none; a1 is k1, but of
 *               events
 *     name, address, state  texts, '' for none
 *     level     'ok'; 'warn': somebody should look; 'bad': does not work
 *     why       a sentence on that, ''
 *     since_ms  Unix ms since when, NULL when that is not known
 *     more      what else is told: a JSON object without secrets, or NULL
 *
 * A page is read by an index, whatever page it is: VIEW_INDEX names it behind
 * its table. The key is its columns, or VIEW_BY names three that are, the
 * first of which is the same for all that lies below one thing. Tables
 * that tell the rest are behind a LEFT JOIN, or the JOIN that VIEW_BY's SELECT
 * is given. No GROUP BY: a server has to merge it with what is around it. */
#ifndef MG_VIEW_H
#define MG_VIEW_H

#include "base.h"

struct view {
    const char *kind;  /* "cluster"; NULL ends the table */
    const char *above; /* the kind that it lies below; NULL: none */
    bool events;       /* things that happened: k1 is a number, the newest come
                        * first, and they are no part of the topology */
    /* Statements: a page (level, level, and of the last one's o1 to o3 o1, o1,
     * o2, o2, o3, of events o1, o1; the limit); one of what lies below
     * something (a1, a2, level, level, o2, o2, o3, limit; not of events); how
     * many there are by level; those that are not well (limit). */
    const char *page, *below, *count, *worst;
};

/* A server that expects to read most of a table would sort it. */
#define VIEW_INDEX(name) " FORCE INDEX (" name ")"

#define VIEW_COLUMNS(o1, o2, o3)                                         \
    "SELECT CONCAT(v.k1) AS k1, CONCAT(v.k2) AS k2, CONCAT(v.a1) AS a1," \
    " CONCAT(v.a2) AS a2, CONCAT(" o1 ") AS o1, CONCAT(" o2 ") AS o2,"   \
    " CONCAT(" o3 ") AS o3, v.name, v.address, v.state, v.level, v.why," \
    " v.since_ms, v.more FROM ("
#define VIEW_COUNTS                                                \
    "SELECT COUNT(*) AS n,"                                        \
    " CAST(COALESCE(SUM(v.level = 'warn'), 0) AS SIGNED) AS warn," \
    " CAST(COALESCE(SUM(v.level = 'bad'), 0) AS SIGNED) AS bad FROM ("
#define VIEW_LEVEL "(? = '' OR v.level = ?)"
/* Written so that a range of an index is made of it. */
#define VIEW_BEHIND(o2, o3) "(" o2 " > ? OR (" o2 " = ? AND " o3 " > ?))"
#define VIEW_PAGE(o1, o2, o3)                                         \
    ") v WHERE " VIEW_LEVEL " AND (" o1 " > ? OR (" o1                \
    " = ? AND " VIEW_BEHIND(o2, o3) ")) ORDER BY " o1 ", " o2 ", " o3 \
                                    " LIMIT ?"
#define VIEW_BELOW(o2, o3)                            \
    ") v WHERE v.k1 = ? AND v.a2 = ? AND " VIEW_LEVEL \
    " AND " VIEW_BEHIND(o2, o3) " ORDER BY " o2 ", " o3 " LIMIT ?"
#define VIEW_WORST(o1, o2, o3)                                             \
    ") v WHERE v.level <> 'ok' ORDER BY v.level = 'bad' DESC, " o1 ", " o2 \
    ", " o3 " LIMIT ?"

/* From the table that is paged to the others; from what it lies below. */
#define VIEW_BY(kind_, above_, select_, o1, o2, o3)                           \
    VIEW_OF(kind_, above_, select_("STRAIGHT_JOIN"), select_("JOIN"), o1, o2, \
            o3)
#define VIEW(kind_, above_, select_) \
    VIEW_OF(kind_, above_, select_, select_, "v.k1", "v.k2", "''")
#define VIEW_OF(kind_, above_, select_, below_, o1, o2, o3)              \
    {                                                                    \
        .kind = (kind_), .above = (above_),                              \
        .page = VIEW_COLUMNS(o1, o2, o3) select_ VIEW_PAGE(o1, o2, o3),  \
        .below = VIEW_COLUMNS(o1, o2, o3) below_ VIEW_BELOW(o2, o3),     \
        .count = VIEW_COUNTS select_ ") v",                              \
        .worst = VIEW_COLUMNS(o1, o2, o3) select_ VIEW_WORST(o1, o2, o3) \
    }
#define VIEW_EVENTS(kind_, above_, select_)                         \
    {                                                               \
        .kind = (kind_), .above = (above_), .events = true,         \
        .page = VIEW_COLUMNS("v.k1", "''", "''") select_            \
            ") v WHERE " VIEW_LEVEL                                 \
            " AND (? = '' OR v.k1 < ?) ORDER BY v.k1 DESC LIMIT ?", \
        .count = VIEW_COUNTS select_ ") v",                         \
        .worst = VIEW_COLUMNS("v.k1", "''", "''")                   \
            select_ VIEW_WORST("v.k1", "''", "''")                  \
    }

#endif
