/* The statements by which keys are rotated, one set per sealed column. */
#include "secrets.h"

#define PAGE_ROWS         "100"
#define OTHERWISE(column) #column " IS NOT NULL AND " #column " NOT LIKE ?"

const struct secret_column secret_columns[] = {
#define SECRET_OF_ONE(table_, column_, key)                                    \
    { .table = #table_,                                                        \
      .column = #column_,                                                      \
      .page =                                                                  \
          "SELECT " #key " AS k1, '' AS k2, " #key " AS secret_row, " #column_ \
          " AS sealed FROM " #table_                                           \
          " WHERE " OTHERWISE(column_) " AND " #key " >= ?"                    \
                                       " AND (" #key " > ? OR ? IS NULL)"      \
                                       " ORDER BY " #key " LIMIT " PAGE_ROWS,  \
      .replace = "UPDATE " #table_ " SET " #column_ " = ? WHERE " #key         \
                 " = ? AND ? = '' AND " #column_ " = ?",                       \
      .count = "SELECT COUNT(*) FROM " #table_ " WHERE " OTHERWISE(column_) },
#define SECRET_OF_TWO(table_, column_, first, second)                          \
    { .table = #table_,                                                        \
      .column = #column_,                                                      \
      .page = "SELECT " #first " AS k1, CAST(" #second " AS CHAR) AS k2,"      \
              " CONCAT(" #first ", '/', " #second ") AS secret_row, " #column_ \
              " AS sealed FROM " #table_                                       \
              " WHERE " OTHERWISE(column_) " AND " #first " >= ? AND (" #first \
                                           " > ? OR " #second                  \
                                           " > ?) ORDER BY " #first            \
                                           ", " #second " LIMIT " PAGE_ROWS,   \
      .replace = "UPDATE " #table_ " SET " #column_ " = ? WHERE " #first       \
                 " = ? AND " #second " = ? AND " #column_ " = ?",              \
      .count = "SELECT COUNT(*) FROM " #table_ " WHERE " OTHERWISE(column_) },
#include "secrets.def"
#undef SECRET_OF_ONE
#undef SECRET_OF_TWO
    { .table = NULL },
};
