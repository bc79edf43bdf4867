#include "ddl.h"

#include <stdio.h>
#include <string.h>

#include "sql_words.h"

struct reader {
    struct sql_words w;
    const char *schema; /* of names without one */
};

static void
take_if_exists(struct reader *r)
{
    if (!sql_take_all(&r->w, "IF", "NOT", "EXISTS"))
        (void)sql_take_all(&r->w, "IF", "EXISTS");
}

/* ---- names ---- */

static enum err
read_name(struct reader *r, char schema[DDL_NAME_BYTES],
          char name[DDL_NAME_BYTES])
{
    if (!sql_is_name(&r->w))
        return ERR_BAD_PARAM;
    (void)snprintf(schema, DDL_NAME_BYTES, "%s", r->schema);
    sql_name(&r->w, name, DDL_NAME_BYTES);
    sql_next(&r->w);
    if (!sql_take(&r->w, "."))
        return ERR_OK;
    if (!sql_is_name(&r->w))
        return ERR_BAD_PARAM;
    memcpy(schema, name, DDL_NAME_BYTES);
    sql_name(&r->w, name, DDL_NAME_BYTES);
    sql_next(&r->w);
    return ERR_OK;
}

static struct ddl_name *
more(struct ddl *out)
{
    if (out->n == DDL_NAMES_MAX)
        return NULL;
    out->name[out->n] = (struct ddl_name){ .schema = "" };
    return &out->name[out->n++];
}

static enum err
one_name(struct reader *r, struct ddl *out, enum ddl_kind kind)
{
    struct ddl_name *n = more(out);

    out->kind = kind;
    take_if_exists(r);
    return n != NULL ? read_name(r, n->schema, n->name) : ERR_LIMIT;
}

static enum err
names(struct reader *r, struct ddl *out, enum ddl_kind kind)
{
    enum err e;

    take_if_exists(r);
    for (;;) {
        e = one_name(r, out, kind);
        if (e != ERR_OK || !sql_is(&r->w, ","))
            return e;
        sql_next(&r->w);
    }
}

/* A schema: the default one where none is named. */
static enum err
schema(struct reader *r, struct ddl *out, enum ddl_kind kind)
{
    struct ddl_name *n = more(out);

    out->kind = kind;
    take_if_exists(r);
    if (sql_is_name(&r->w) &&
        !(kind == DDL_ALTER_SCHEMA && r->w.kind == SQL_WORD &&
          (sql_is(&r->w, "CHARACTER") || sql_is(&r->w, "CHARSET") ||
           sql_is(&r->w, "COLLATE") || sql_is(&r->w, "DEFAULT") ||
           sql_is(&r->w, "COMMENT"))))
        sql_name(&r->w, n->schema, sizeof(n->schema));
    else if (kind == DDL_ALTER_SCHEMA)
        (void)snprintf(n->schema, sizeof(n->schema), "%s", r->schema);
    else
        return ERR_BAD_PARAM;
    return ERR_OK;
}

/* ---- statements ---- */

/* CREATE INDEX i ... ON t, DROP INDEX i ON t. */
static enum err
index_on(struct reader *r, struct ddl *out, enum ddl_kind kind)
{
    while (r->w.kind != SQL_END && !sql_is(&r->w, "ON"))
        sql_next(&r->w);
    sql_next(&r->w);
    return one_name(r, out, kind);
}

/* In what stands between the verb and what is made; false: it is something
 * else, or nothing. */
static bool
seek(struct reader *r, const char *word)
{
    static const char *const others[] = {
        "TABLE",    "INDEX",   "DATABASE",  "SCHEMA",    "VIEW", "PROCEDURE",
        "FUNCTION", "TRIGGER", "EVENT",     "SEQUENCE",  "USER", "ROLE",
        "SERVER",   "PACKAGE", "TEMPORARY", "TABLESPACE"
    };
    struct sql_words at = r->w;

    for (; at.kind != SQL_END; sql_next(&at)) {
        if (sql_is(&at, word)) {
            sql_next(&at);
            r->w = at;
            return true;
        }
        for (size_t i = 0; i < COUNT(others); i++)
            if (sql_is(&at, others[i]))
                return false;
    }
    return false;
}

/* RENAME, but not of a column or a key, and not in parentheses. */
static enum err
find_rename(struct reader *r, struct ddl_name *n)
{
    unsigned depth = 0;

    for (; r->w.kind != SQL_END; sql_next(&r->w)) {
        if (sql_is(&r->w, "("))
            depth++;
        else if (sql_is(&r->w, ")") && depth > 0)
            depth--;
        else if (depth == 0 && sql_is(&r->w, "RENAME")) {
            sql_next(&r->w);
            if (sql_is(&r->w, "COLUMN") || sql_is(&r->w, "INDEX") ||
                sql_is(&r->w, "KEY"))
                continue;
            if (!sql_take(&r->w, "TO"))
                (void)sql_take(&r->w, "AS");
            (void)sql_take(&r->w, "=");
            return read_name(r, n->to_schema, n->to_name);
        }
    }
    return ERR_OK;
}

static enum err
altered(struct reader *r, struct ddl *out, enum ddl_kind kind)
{
    enum err e = one_name(r, out, kind);

    return e == ERR_OK ? find_rename(r, &out->name[0]) : e;
}

/* What a verb may be about. */
static const struct object {
    const char *word;
    enum err (*read)(struct reader *r, struct ddl *out, enum ddl_kind kind);
    enum ddl_kind kind;
} objects_to_create[] = {
    { "TABLE", one_name, DDL_CREATE_TABLE },
    { "INDEX", index_on, DDL_ALTER_TABLE },
    { "DATABASE", schema, DDL_CREATE_SCHEMA },
    { "SCHEMA", schema, DDL_CREATE_SCHEMA },
    { "VIEW", one_name, DDL_VIEW },
    { .word = NULL },
}, objects_to_alter[] = {
    { "TABLE", altered, DDL_ALTER_TABLE },
    { "DATABASE", schema, DDL_ALTER_SCHEMA },
    { "SCHEMA", schema, DDL_ALTER_SCHEMA },
    { "VIEW", one_name, DDL_VIEW },
    { .word = NULL },
}, objects_to_drop[] = {
    { "TABLE", names, DDL_DROP_TABLE },
    { "INDEX", index_on, DDL_ALTER_TABLE },
    { "DATABASE", schema, DDL_DROP_SCHEMA },
    { "SCHEMA", schema, DDL_DROP_SCHEMA },
    { "VIEW", names, DDL_VIEW },
    { .word = NULL },
};

static enum err
read_object(struct reader *r, struct ddl *out, const struct object *o)
{
    for (; o->word != NULL; o++)
        if (seek(r, o->word))
            return o->read(r, out, o->kind);
    return ERR_OK;
}

/* [WAIT n | NOWAIT] may stand behind a name. */
static enum err
rename_tables(struct reader *r, struct ddl *out)
{
    if (!sql_take(&r->w, "TABLE") && !sql_take(&r->w, "TABLES"))
        return ERR_OK; /* of a user */
    take_if_exists(r);
    for (;;) {
        enum err e = one_name(r, out, DDL_RENAME);
        struct ddl_name *n = &out->name[out->n - 1];

        if (e != ERR_OK)
            return e;
        while (r->w.kind != SQL_END && !sql_is(&r->w, "TO"))
            sql_next(&r->w);
        sql_next(&r->w);
        e = read_name(r, n->to_schema, n->to_name);
        if (e != ERR_OK || !sql_is(&r->w, ","))
            return e;
        sql_next(&r->w);
    }
}

enum err
ddl_read(const char *sql, size_t n, const char *default_schema,
         uint64_t sql_mode, struct ddl *out)
{
    struct reader r = { sql_words_of(sql, n, sql_mode), default_schema };

    out->kind = DDL_OTHER;
    out->n = 0;
    if (sql_take(&r.w, "CREATE"))
        return read_object(&r, out, objects_to_create);
    if (sql_take(&r.w, "ALTER"))
        return read_object(&r, out, objects_to_alter);
    if (sql_take(&r.w, "DROP"))
        return read_object(&r, out, objects_to_drop);
    if (sql_take(&r.w, "TRUNCATE")) {
        (void)sql_take(&r.w, "TABLE");
        return one_name(&r, out, DDL_TRUNCATE);
    }
    return sql_take(&r.w, "RENAME") ? rename_tables(&r, out) : ERR_OK;
}
