/* Statements that change definitions: what they do, by TiDB's number of it.
 * (Which tables they concern: core/ddl.h.) */
#ifndef TICDC_ACTION_H
#define TICDC_ACTION_H

#include "base.h"

/* TiDB's numbers, as far as a server of this family has such a statement. */
enum {
    ACTION_NONE = 0,
    ACTION_CREATE_SCHEMA = 1,
    ACTION_DROP_SCHEMA = 2,
    ACTION_CREATE_TABLE = 3,
    ACTION_DROP_TABLE = 4,
    ACTION_ADD_COLUMN = 5,
    ACTION_DROP_COLUMN = 6,
    ACTION_ADD_INDEX = 7,
    ACTION_DROP_INDEX = 8,
    ACTION_ADD_FOREIGN_KEY = 9,
    ACTION_DROP_FOREIGN_KEY = 10,
    ACTION_TRUNCATE_TABLE = 11,
    ACTION_MODIFY_COLUMN = 12,
    ACTION_REBASE_AUTO_ID = 13,
    ACTION_RENAME_TABLE = 14,
    ACTION_SET_DEFAULT = 15,
    ACTION_TABLE_COMMENT = 17,
    ACTION_RENAME_INDEX = 18,
    ACTION_ADD_PARTITION = 19,
    ACTION_DROP_PARTITION = 20,
    ACTION_CREATE_VIEW = 21,
    ACTION_TABLE_CHARSET = 22,
    ACTION_TRUNCATE_PARTITION = 23,
    ACTION_DROP_VIEW = 24,
    ACTION_SCHEMA_CHARSET = 26,
    ACTION_ADD_PRIMARY_KEY = 32,
    ACTION_DROP_PRIMARY_KEY = 33,
    ACTION_CREATE_SEQUENCE = 34,
    ACTION_ALTER_SEQUENCE = 35,
    ACTION_DROP_SEQUENCE = 36,
    ACTION_INDEX_VISIBILITY = 41,
    ACTION_EXCHANGE_PARTITION = 42,
    ACTION_RENAME_TABLES = 47,
};

struct action {
    unsigned action;
    const char *canal;   /* "CREATE" */
    unsigned event;      /* canal's EventType */
    const char *maxwell; /* "table-create" */
};
/* How protocols call it; a row of its own for what is none. Static. */
const struct action *action_of(unsigned action);

/* What the statement does, of its first words. Whatever the text is, it is
 * read within n. sql_mode: the session's, 0 when it is not known. */
unsigned action_read(const char *sql, size_t n, uint64_t sql_mode);

#endif
