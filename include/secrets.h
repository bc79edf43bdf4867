/* Room: crypt/ */
/* The columns of the store that hold sealed texts: each dialect lists its own
 * (dialect.h), so that keys can be rotated without knowing any. A column that
 * is missing there is lost with the key it was sealed by.
 *
 *     SECRET_OF_ONE(table, column, key)      the row has one key column, which
 *                                            names it too
 *     SECRET_OF_TWO(table, column, k1, k2)   the row is named "<k1>/<k2>"
 *     { .table = NULL }                      ends the list
 *
 * Members that differ from 0 may follow: .was_plain, .wide.
 */
#ifndef MG_SECRETS_H
#define MG_SECRETS_H

#include "base.h"

struct secret_column {
    const char *table, *column; /* NULL ends the table */
    /* A page of what is sealed otherwise than '?' says, behind a row: columns
     * k1, k2 (the row's key, as texts), secret_row (what it is sealed for) and
     * sealed. Parameters: pattern, k1, k1, k2, how many. */
    const char *page;
    /* Replaces a text unless it has changed meanwhile: new, k1, k2, old. */
    const char *replace;
    /* How many are not sealed as the pattern says. */
    const char *count;
    bool was_plain; /* rows of before it was sealed are read as they are */
    bool wide;      /* texts may be of megabytes: few to a page */
};

/* The i-th sealed column: the runtime's own, then those of the dialects; NULL
 * past the last. */
const struct secret_column *secret_column_at(size_t i);

/* Whether the column may hold texts that nobody has sealed. */
bool secret_was_plain(const char *table, const char *column);

#define SECRET_OTHERWISE(column) \
    #column " IS NOT NULL AND " #column " NOT LIKE ?"

#define SECRET_OF_ONE(table_, column_, key, ...) \
    { .table = #table_, \
      .column = #column_, \
      .page = "SELECT " #key " AS k1, '' AS k2, " #key " AS secret_row, " \
              #column_ " AS sealed FROM " #table_ \
              " WHERE " SECRET_OTHERWISE(column_) " AND " #key " >= ?" \
              " AND (" #key " > ? OR ? IS NULL)" \
              " ORDER BY " #key " LIMIT ?", \
      .replace = "UPDATE " #table_ " SET " #column_ " = ? WHERE " #key \
                 " = ? AND ? = '' AND " #column_ " = ?", \
      .count = "SELECT COUNT(*) FROM " #table_ \
               " WHERE " SECRET_OTHERWISE(column_), \
      __VA_ARGS__ }
#define SECRET_OF_TWO(table_, column_, first, second, ...) \
    { .table = #table_, \
      .column = #column_, \
      .page = "SELECT " #first " AS k1, CAST(" #second " AS CHAR) AS k2," \
              " CONCAT(" #first ", '/', " #second ") AS secret_row, " \
              #column_ " AS sealed FROM " #table_ \
              " WHERE " SECRET_OTHERWISE(column_) " AND " #first " >= ?" \
              " AND (" #first " > ? OR " #second " > ?)" \
              " ORDER BY " #first ", " #second " LIMIT ?", \
      .replace = "UPDATE " #table_ " SET " #column_ " = ? WHERE " #first \
                 " = ? AND " #second " = ? AND " #column_ " = ?", \
      .count = "SELECT COUNT(*) FROM " #table_ \
               " WHERE " SECRET_OTHERWISE(column_), \
      __VA_ARGS__ }

#endif
