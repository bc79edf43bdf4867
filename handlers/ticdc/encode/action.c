/* What a statement does, of its first words: the server has run it, so its
 * grammar is not judged here. */
#include "action.h"

#include "sql_words.h"

/* ---- how protocols call it ---- */

static const struct action actions[] = {
    { ACTION_CREATE_SCHEMA, "QUERY", 7, "database-create" },
    { ACTION_DROP_SCHEMA, "QUERY", 7, "database-drop" },
    { ACTION_CREATE_TABLE, "CREATE", 4, "table-create" },
    { ACTION_DROP_TABLE, "ERASE", 6, "table-drop" },
    { ACTION_ADD_COLUMN, "ALTER", 5, "table-alter" },
    { ACTION_DROP_COLUMN, "ALTER", 5, "table-alter" },
    { ACTION_ADD_INDEX, "CINDEX", 10, "table-alter" },
    { ACTION_DROP_INDEX, "DINDEX", 11, "table-alter" },
    { ACTION_ADD_FOREIGN_KEY, "CINDEX", 10, "table-alter" },
    { ACTION_DROP_FOREIGN_KEY, "DINDEX", 11, "table-alter" },
    { ACTION_TRUNCATE_TABLE, "TRUNCATE", 8, "table-alter" },
    { ACTION_MODIFY_COLUMN, "ALTER", 5, "table-alter" },
    { ACTION_REBASE_AUTO_ID, "ALTER", 5, "table-alter" },
    { ACTION_RENAME_TABLE, "RENAME", 9, "table-alter" },
    { ACTION_SET_DEFAULT, "ALTER", 5, "table-alter" },
    { ACTION_TABLE_COMMENT, "ALTER", 5, "table-alter" },
    { ACTION_RENAME_INDEX, "ALTER", 5, "table-alter" },
    { ACTION_ADD_PARTITION, "ALTER", 5, "table-alter" },
    { ACTION_DROP_PARTITION, "ALTER", 5, "table-alter" },
    { ACTION_CREATE_VIEW, "QUERY", 7, "table-create" },
    { ACTION_TABLE_CHARSET, "ALTER", 5, "table-alter" },
    { ACTION_TRUNCATE_PARTITION, "ALTER", 5, "table-alter" },
    { ACTION_DROP_VIEW, "QUERY", 7, "table-drop" },
    { ACTION_SCHEMA_CHARSET, "QUERY", 7, "database-alter" },
    { ACTION_ADD_PRIMARY_KEY, "CINDEX", 10, "table-alter" },
    { ACTION_DROP_PRIMARY_KEY, "DINDEX", 11, "table-alter" },
    { ACTION_CREATE_SEQUENCE, "QUERY", 7, "table-create" },
    { ACTION_ALTER_SEQUENCE, "QUERY", 7, "table-alter" },
    { ACTION_DROP_SEQUENCE, "QUERY", 7, "table-drop" },
    { ACTION_INDEX_VISIBILITY, "ALTER", 5, "table-alter" },
    { ACTION_EXCHANGE_PARTITION, "ALTER", 5, "table-alter" },
    { ACTION_RENAME_TABLES, "RENAME", 9, "table-alter" },
};

const struct action *
action_of(unsigned action)
{
    static const struct action other = { ACTION_NONE, "QUERY", 7,
                                         "table-alter" };

    for (size_t i = 0; i < COUNT(actions); i++)
        if (actions[i].action == action)
            return &actions[i];
    return &other;
}

/* ---- what is passed over ---- */

static void
skip_name(struct sql_words *w)
{
    if (w->kind != SQL_END && w->kind != SQL_SIGN)
        sql_next(w);
}

static void
skip_table(struct sql_words *w)
{
    skip_name(w);
    if (sql_take(w, "."))
        skip_name(w);
}

/* = value, of an option: iterative, whatever the text. */
static void
skip_value(struct sql_words *w)
{
    do {
        (void)sql_take(w, "=");
        skip_name(w);
    } while (sql_take(w, "@"));
    if (sql_take(w, "("))
        (void)sql_take(w, ")");
}

/* ---- statements ---- */

/* CREATE and DROP have these between them and what they make. */
static void
skip_options(struct sql_words *w)
{
    static const char *const words[] = { "TEMPORARY", "UNIQUE",   "FULLTEXT",
                                         "SPATIAL",   "ONLINE",   "OFFLINE",
                                         "IGNORE",    "AGGREGATE" };
    bool any = true;

    (void)sql_take_all(w, "OR", "REPLACE");
    while (any) {
        any = false;
        for (size_t i = 0; i < COUNT(words); i++)
            any |= sql_take(w, words[i]);
        if (sql_take(w, "ALGORITHM") || sql_take(w, "DEFINER")) {
            skip_value(w);
            any = true;
        }
        if (sql_take_all(w, "SQL", "SECURITY")) {
            skip_value(w);
            any = true;
        }
    }
}

static void
skip_if(struct sql_words *w)
{
    if (!sql_take_all(w, "IF", "NOT", "EXISTS"))
        (void)sql_take_all(w, "IF", "EXISTS");
}

static unsigned
made(struct sql_words *w, bool drop)
{
    static const struct {
        const char *word;
        unsigned create, drop;
    } kinds[] = {
        { "TABLE", ACTION_CREATE_TABLE, ACTION_DROP_TABLE },
        { "DATABASE", ACTION_CREATE_SCHEMA, ACTION_DROP_SCHEMA },
        { "SCHEMA", ACTION_CREATE_SCHEMA, ACTION_DROP_SCHEMA },
        { "INDEX", ACTION_ADD_INDEX, ACTION_DROP_INDEX },
        { "VIEW", ACTION_CREATE_VIEW, ACTION_DROP_VIEW },
        { "SEQUENCE", ACTION_CREATE_SEQUENCE, ACTION_DROP_SEQUENCE },
    };

    skip_options(w);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (sql_take(w, kinds[i].word))
            return drop ? kinds[i].drop : kinds[i].create;
    return ACTION_NONE;
}

static unsigned
added(struct sql_words *w)
{
    (void)sql_take(w, "COLUMN");
    skip_if(w);
    if (sql_take(w, "CONSTRAINT")) {
        struct sql_words was = *w;

        if (!sql_take(w, "PRIMARY") && !sql_take(w, "UNIQUE") &&
            !sql_take(w, "FOREIGN") && !sql_take(w, "CHECK"))
            skip_name(w);
        else
            *w = was;
    }
    if (sql_take_all(w, "PRIMARY", "KEY"))
        return ACTION_ADD_PRIMARY_KEY;
    if (sql_take_all(w, "FOREIGN", "KEY"))
        return ACTION_ADD_FOREIGN_KEY;
    if (sql_take(w, "INDEX") || sql_take(w, "KEY") || sql_take(w, "UNIQUE") ||
        sql_take(w, "FULLTEXT") || sql_take(w, "SPATIAL"))
        return ACTION_ADD_INDEX;
    if (sql_take(w, "PARTITION"))
        return ACTION_ADD_PARTITION;
    return ACTION_ADD_COLUMN;
}

static unsigned
dropped(struct sql_words *w)
{
    if (sql_take_all(w, "PRIMARY", "KEY"))
        return ACTION_DROP_PRIMARY_KEY;
    if (sql_take_all(w, "FOREIGN", "KEY"))
        return ACTION_DROP_FOREIGN_KEY;
    if (sql_take(w, "INDEX") || sql_take(w, "KEY"))
        return ACTION_DROP_INDEX;
    if (sql_take(w, "PARTITION"))
        return ACTION_DROP_PARTITION;
    return ACTION_DROP_COLUMN;
}

static bool
is_charset(struct sql_words *w)
{
    (void)sql_take(w, "DEFAULT");
    return sql_take(w, "CHARSET") || sql_take(w, "COLLATE") ||
           sql_take_all(w, "CHARACTER", "SET") ||
           sql_take_all(w, "CONVERT", "TO");
}

/* By the first thing that it alters. */
static unsigned
altered(struct sql_words *w)
{
    if (sql_take(w, "ADD"))
        return added(w);
    if (sql_take(w, "DROP"))
        return dropped(w);
    if (sql_take(w, "RENAME")) {
        if (sql_take(w, "INDEX") || sql_take(w, "KEY"))
            return ACTION_RENAME_INDEX;
        return sql_take(w, "COLUMN") ? ACTION_MODIFY_COLUMN
                                     : ACTION_RENAME_TABLE;
    }
    if (sql_take(w, "ALTER"))
        return sql_take(w, "INDEX") || sql_take(w, "KEY")
                   ? ACTION_INDEX_VISIBILITY
                   : ACTION_SET_DEFAULT;
    if (sql_take(w, "AUTO_INCREMENT"))
        return ACTION_REBASE_AUTO_ID;
    if (sql_take(w, "COMMENT"))
        return ACTION_TABLE_COMMENT;
    if (sql_take_all(w, "TRUNCATE", "PARTITION"))
        return ACTION_TRUNCATE_PARTITION;
    if (sql_take_all(w, "EXCHANGE", "PARTITION"))
        return ACTION_EXCHANGE_PARTITION;
    return is_charset(w) ? ACTION_TABLE_CHARSET : ACTION_MODIFY_COLUMN;
}

static void
skip_wait(struct sql_words *w)
{
    if (sql_take(w, "WAIT"))
        skip_value(w);
    (void)sql_take(w, "NOWAIT");
}

static unsigned
alter(struct sql_words *w)
{
    skip_options(w);
    if (sql_take(w, "DATABASE") || sql_take(w, "SCHEMA"))
        return ACTION_SCHEMA_CHARSET;
    if (sql_take(w, "VIEW"))
        return ACTION_CREATE_VIEW;
    if (sql_take(w, "SEQUENCE"))
        return ACTION_ALTER_SEQUENCE;
    if (!sql_take(w, "TABLE"))
        return ACTION_NONE;
    skip_if(w);
    skip_table(w);
    skip_wait(w);
    return altered(w);
}

/* RENAME TABLE a TO b, c TO d */
static unsigned
renamed(struct sql_words *w)
{
    if (!sql_take(w, "TABLE") && !sql_take(w, "TABLES"))
        return ACTION_NONE;
    skip_if(w);
    skip_table(w);
    skip_wait(w);
    (void)sql_take(w, "TO");
    skip_table(w);
    return sql_take(w, ",") ? ACTION_RENAME_TABLES : ACTION_RENAME_TABLE;
}

unsigned
action_read(const char *sql, size_t n, uint64_t sql_mode)
{
    struct sql_words w = sql_words_of(sql, n, sql_mode);

    if (sql_take(&w, "CREATE"))
        return made(&w, false);
    if (sql_take(&w, "DROP"))
        return made(&w, true);
    if (sql_take(&w, "ALTER"))
        return alter(&w);
    if (sql_take(&w, "RENAME"))
        return renamed(&w);
    return sql_take(&w, "TRUNCATE") ? ACTION_TRUNCATE_TABLE : ACTION_NONE;
}
