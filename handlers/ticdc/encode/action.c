/* What a statement does, of its first words: the server has run it, so its
 * grammar is not judged here. */
#include "action.h"

#include <string.h>
#include <strings.h>

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

/* ---- words of a statement ---- */

struct text {
    const char *p, *end;
};

/* Blanks and comments; the marks around what is for servers only are passed,
 * and what is in them is read. */
static void
skip(struct text *t)
{
    while (t->p < t->end) {
        size_t n = (size_t)(t->end - t->p);
        const char *stop;

        if (strchr(" \t\r\n\f\v", *t->p) != NULL && *t->p != '\0') {
            t->p++;
        } else if (*t->p == '#' || (n >= 3 && memcmp(t->p, "--", 2) == 0 &&
                                    (unsigned char)t->p[2] <= ' ')) {
            stop = memchr(t->p, '\n', n);
            t->p = stop != NULL ? stop + 1 : t->end;
        } else if (n >= 3 && (memcmp(t->p, "/*!", 3) == 0 ||
                              (n >= 4 && memcmp(t->p, "/*M!", 4) == 0))) {
            t->p += t->p[2] == '!' ? 3 : 4;
            while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
                t->p++;
        } else if (n >= 2 && memcmp(t->p, "*/", 2) == 0) {
            t->p += 2;
        } else if (n >= 2 && memcmp(t->p, "/*", 2) == 0) {
            stop = memmem(t->p + 2, n - 2, "*/", 2);
            t->p = stop != NULL ? stop + 2 : t->end;
        } else {
            return;
        }
    }
}

static bool
is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '$' || c >= 0x80;
}

/* Takes the word when it is the next one. */
static bool
take(struct text *t, const char *word)
{
    size_t n = strlen(word);

    skip(t);
    if ((size_t)(t->end - t->p) < n || strncasecmp(t->p, word, n) != 0 ||
        (t->p + n < t->end && is_word((unsigned char)word[0]) &&
         is_word((unsigned char)t->p[n])))
        return false;
    t->p += n;
    return true;
}

/* Takes all of them, or none. */
static bool
take_all(struct text *t, const char *a, const char *b, const char *c)
{
    struct text was = *t;

    if (take(t, a) && (b == NULL || take(t, b)) && (c == NULL || take(t, c)))
        return true;
    *t = was;
    return false;
}

/* Past a name, quoted or not. */
static void
skip_name(struct text *t)
{
    char quote;

    skip(t);
    if (t->p == t->end)
        return;
    quote = *t->p;
    if (quote != '`' && quote != '"') {
        while (t->p < t->end && is_word((unsigned char)*t->p))
            t->p++;
        return;
    }
    for (t->p++; t->p < t->end; t->p++) {
        if (*t->p != quote)
            continue;
        if (t->p + 1 >= t->end || t->p[1] != quote)
            break;
        t->p++;
    }
    t->p += t->p < t->end;
}

static void
skip_table(struct text *t)
{
    skip_name(t);
    skip(t);
    if (t->p < t->end && *t->p == '.') {
        t->p++;
        skip_name(t);
    }
}

/* = value, of an option: iterative, whatever the text. */
static void
skip_value(struct text *t)
{
    do {
        (void)take(t, "=");
        skip(t);
        if (t->p < t->end && *t->p == '\'') {
            for (t->p++; t->p < t->end && *t->p != '\''; t->p++)
                ;
            t->p += t->p < t->end;
        } else {
            skip_name(t);
        }
    } while (take(t, "@"));
    if (take(t, "("))
        (void)take(t, ")");
}

/* ---- statements ---- */

/* CREATE and DROP have these between them and what they make. */
static void
skip_options(struct text *t)
{
    static const char *const words[] = { "TEMPORARY", "UNIQUE",   "FULLTEXT",
                                         "SPATIAL",   "ONLINE",   "OFFLINE",
                                         "IGNORE",    "AGGREGATE" };
    bool any = true;

    (void)take_all(t, "OR", "REPLACE", NULL);
    while (any) {
        any = false;
        for (size_t i = 0; i < COUNT(words); i++)
            any |= take(t, words[i]);
        if (take(t, "ALGORITHM") || take(t, "DEFINER")) {
            skip_value(t);
            any = true;
        }
        if (take_all(t, "SQL", "SECURITY", NULL)) {
            skip_value(t);
            any = true;
        }
    }
}

static void
skip_if(struct text *t)
{
    if (!take_all(t, "IF", "NOT", "EXISTS"))
        (void)take_all(t, "IF", "EXISTS", NULL);
}

static unsigned
made(struct text *t, bool drop)
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

    skip_options(t);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (take(t, kinds[i].word))
            return drop ? kinds[i].drop : kinds[i].create;
    return ACTION_NONE;
}

static unsigned
added(struct text *t)
{
    (void)take(t, "COLUMN");
    skip_if(t);
    if (take(t, "CONSTRAINT")) {
        struct text was = *t;

        if (!take(t, "PRIMARY") && !take(t, "UNIQUE") && !take(t, "FOREIGN") &&
            !take(t, "CHECK"))
            skip_name(t);
        else
            *t = was;
    }
    if (take_all(t, "PRIMARY", "KEY", NULL))
        return ACTION_ADD_PRIMARY_KEY;
    if (take_all(t, "FOREIGN", "KEY", NULL))
        return ACTION_ADD_FOREIGN_KEY;
    if (take(t, "INDEX") || take(t, "KEY") || take(t, "UNIQUE") ||
        take(t, "FULLTEXT") || take(t, "SPATIAL"))
        return ACTION_ADD_INDEX;
    if (take(t, "PARTITION"))
        return ACTION_ADD_PARTITION;
    return ACTION_ADD_COLUMN;
}

static unsigned
dropped(struct text *t)
{
    if (take_all(t, "PRIMARY", "KEY", NULL))
        return ACTION_DROP_PRIMARY_KEY;
    if (take_all(t, "FOREIGN", "KEY", NULL))
        return ACTION_DROP_FOREIGN_KEY;
    if (take(t, "INDEX") || take(t, "KEY"))
        return ACTION_DROP_INDEX;
    if (take(t, "PARTITION"))
        return ACTION_DROP_PARTITION;
    return ACTION_DROP_COLUMN;
}

static bool
is_charset(struct text *t)
{
    (void)take(t, "DEFAULT");
    return take(t, "CHARSET") || take(t, "COLLATE") ||
           take_all(t, "CHARACTER", "SET", NULL) ||
           take_all(t, "CONVERT", "TO", NULL);
}

/* By the first thing that it alters. */
static unsigned
altered(struct text *t)
{
    if (take(t, "ADD"))
        return added(t);
    if (take(t, "DROP"))
        return dropped(t);
    if (take(t, "RENAME")) {
        if (take(t, "INDEX") || take(t, "KEY"))
            return ACTION_RENAME_INDEX;
        return take(t, "COLUMN") ? ACTION_MODIFY_COLUMN : ACTION_RENAME_TABLE;
    }
    if (take(t, "ALTER"))
        return take(t, "INDEX") || take(t, "KEY") ? ACTION_INDEX_VISIBILITY
                                                  : ACTION_SET_DEFAULT;
    if (take(t, "AUTO_INCREMENT"))
        return ACTION_REBASE_AUTO_ID;
    if (take(t, "COMMENT"))
        return ACTION_TABLE_COMMENT;
    if (take_all(t, "TRUNCATE", "PARTITION", NULL))
        return ACTION_TRUNCATE_PARTITION;
    if (take_all(t, "EXCHANGE", "PARTITION", NULL))
        return ACTION_EXCHANGE_PARTITION;
    return is_charset(t) ? ACTION_TABLE_CHARSET : ACTION_MODIFY_COLUMN;
}

static void
skip_wait(struct text *t)
{
    if (take(t, "WAIT"))
        skip_value(t);
    (void)take(t, "NOWAIT");
}

static unsigned
alter(struct text *t)
{
    skip_options(t);
    if (take(t, "DATABASE") || take(t, "SCHEMA"))
        return ACTION_SCHEMA_CHARSET;
    if (take(t, "VIEW"))
        return ACTION_CREATE_VIEW;
    if (take(t, "SEQUENCE"))
        return ACTION_ALTER_SEQUENCE;
    if (!take(t, "TABLE"))
        return ACTION_NONE;
    skip_if(t);
    skip_table(t);
    skip_wait(t);
    return altered(t);
}

/* RENAME TABLE a TO b, c TO d */
static unsigned
renamed(struct text *t)
{
    if (!take(t, "TABLE") && !take(t, "TABLES"))
        return ACTION_NONE;
    skip_if(t);
    skip_table(t);
    skip_wait(t);
    (void)take(t, "TO");
    skip_table(t);
    return take(t, ",") ? ACTION_RENAME_TABLES : ACTION_RENAME_TABLE;
}

unsigned
action_read(const char *sql, size_t n)
{
    struct text t = { sql, sql + n };

    if (take(&t, "CREATE"))
        return made(&t, false);
    if (take(&t, "DROP"))
        return made(&t, true);
    if (take(&t, "ALTER"))
        return alter(&t);
    if (take(&t, "RENAME"))
        return renamed(&t);
    return take(&t, "TRUNCATE") ? ACTION_TRUNCATE_TABLE : ACTION_NONE;
}
