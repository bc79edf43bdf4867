#include "ddl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum token { T_END, T_WORD, T_QUOTED, T_DOT, T_COMMA, T_OPEN, T_CLOSE, T_REST };

struct lexer {
    const char *p, *end, *schema;
    bool ansi;
    enum token token;
    char text[DDL_NAME_BYTES]; /* of WORD and QUOTED */
};

/* ---- tokens ---- */

static bool
starts(const struct lexer *l, const char *s)
{
    size_t n = strlen(s);

    return (size_t)(l->end - l->p) >= n && memcmp(l->p, s, n) == 0;
}

/* Past the next `what`, or to the end. */
static void
skip_past(struct lexer *l, const char *what)
{
    while (l->p < l->end && !starts(l, what))
        l->p++;
    if (l->p < l->end)
        l->p += strlen(what);
}

/* Executable comments: their content counts. */
static bool
skip_mark(struct lexer *l)
{
    if (starts(l, "/*M!"))
        l->p += 4;
    else if (starts(l, "/*!"))
        l->p += 3;
    else if (starts(l, "*/"))
        l->p += 2;
    else
        return false;
    while (l->p < l->end && isdigit((unsigned char)*l->p))
        l->p++;
    return true;
}

static void
skip_blank(struct lexer *l)
{
    while (l->p < l->end) {
        if (isspace((unsigned char)*l->p)) {
            l->p++;
        } else if (skip_mark(l)) {
            continue;
        } else if (starts(l, "/*")) {
            l->p += 2;
            skip_past(l, "*/");
        } else if (*l->p == '#' || (starts(l, "--") && l->p + 2 < l->end &&
                                    isspace((unsigned char)l->p[2]))) {
            skip_past(l, "\n");
        } else {
            return;
        }
    }
}

static void
put(struct lexer *l, size_t *n, char c)
{
    if (*n < sizeof(l->text) - 1)
        l->text[(*n)++] = c;
}

/* A quote in it is doubled; in a string a backslash may stand before it. */
static void
quoted(struct lexer *l)
{
    char q = *l->p++;
    size_t n = 0;

    l->token = q == '`' || (q == '"' && l->ansi) ? T_QUOTED : T_REST;
    for (; l->p < l->end; l->p++) {
        if (*l->p == '\\' && l->token == T_REST && l->p + 1 < l->end)
            l->p++;
        else if (*l->p == q && l->p + 1 < l->end && l->p[1] == q)
            l->p++;
        else if (*l->p == q)
            break;
        put(l, &n, *l->p);
    }
    if (l->p < l->end)
        l->p++;
    l->text[n] = '\0';
}

static bool
is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

static void
next(struct lexer *l)
{
    size_t n = 0;

    skip_blank(l);
    l->text[0] = '\0';
    if (l->p == l->end) {
        l->token = T_END;
        return;
    }
    if (*l->p == '`' || *l->p == '"' || *l->p == '\'') {
        quoted(l);
        return;
    }
    if (is_name_byte(*l->p)) {
        while (l->p < l->end && is_name_byte(*l->p))
            put(l, &n, *l->p++);
        l->text[n] = '\0';
        l->token = T_WORD;
        return;
    }
    switch (*l->p++) {
    case '.':
        l->token = T_DOT;
        return;
    case ',':
        l->token = T_COMMA;
        return;
    case '(':
        l->token = T_OPEN;
        return;
    case ')':
        l->token = T_CLOSE;
        return;
    default:
        l->token = T_REST;
    }
}

static bool
is(const struct lexer *l, const char *word)
{
    return l->token == T_WORD && strcasecmp(l->text, word) == 0;
}

static bool
take(struct lexer *l, const char *word)
{
    if (!is(l, word))
        return false;
    next(l);
    return true;
}

static void
take_if_exists(struct lexer *l)
{
    if (!take(l, "IF"))
        return;
    (void)take(l, "NOT");
    (void)take(l, "EXISTS");
}

/* ---- names ---- */

static bool
is_name(const struct lexer *l)
{
    return l->token == T_WORD || l->token == T_QUOTED;
}

static enum err
read_name(struct lexer *l, char schema[DDL_NAME_BYTES],
          char name[DDL_NAME_BYTES])
{
    if (!is_name(l))
        return ERR_BAD_PARAM;
    (void)snprintf(schema, DDL_NAME_BYTES, "%s", l->schema);
    memcpy(name, l->text, DDL_NAME_BYTES);
    next(l);
    if (l->token != T_DOT)
        return ERR_OK;
    next(l);
    if (!is_name(l))
        return ERR_BAD_PARAM;
    memcpy(schema, name, DDL_NAME_BYTES);
    memcpy(name, l->text, DDL_NAME_BYTES);
    next(l);
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
one_name(struct lexer *l, struct ddl *out, enum ddl_kind kind)
{
    struct ddl_name *n = more(out);

    out->kind = kind;
    take_if_exists(l);
    return n != NULL ? read_name(l, n->schema, n->name) : ERR_LIMIT;
}

static enum err
names(struct lexer *l, struct ddl *out, enum ddl_kind kind)
{
    enum err e;

    take_if_exists(l);
    for (;;) {
        e = one_name(l, out, kind);
        if (e != ERR_OK || l->token != T_COMMA)
            return e;
        next(l);
    }
}

/* A schema: the default one where none is named. */
static enum err
schema(struct lexer *l, struct ddl *out, enum ddl_kind kind)
{
    struct ddl_name *n = more(out);

    out->kind = kind;
    take_if_exists(l);
    if (is_name(l) &&
        !(kind == DDL_ALTER_SCHEMA && l->token == T_WORD &&
          (is(l, "CHARACTER") || is(l, "CHARSET") || is(l, "COLLATE") ||
           is(l, "DEFAULT") || is(l, "COMMENT"))))
        memcpy(n->schema, l->text, sizeof(n->schema));
    else if (kind == DDL_ALTER_SCHEMA)
        (void)snprintf(n->schema, sizeof(n->schema), "%s", l->schema);
    else
        return ERR_BAD_PARAM;
    return ERR_OK;
}

/* ---- statements ---- */

/* CREATE INDEX i ... ON t, DROP INDEX i ON t. */
static enum err
index_on(struct lexer *l, struct ddl *out, enum ddl_kind kind)
{
    while (l->token != T_END && !is(l, "ON"))
        next(l);
    next(l);
    return one_name(l, out, kind);
}

/* In what stands between the verb and what is made; false: it is something
 * else, or nothing. */
static bool
seek(struct lexer *l, const char *word)
{
    static const char *const others[] = {
        "TABLE",    "INDEX",   "DATABASE",  "SCHEMA",    "VIEW", "PROCEDURE",
        "FUNCTION", "TRIGGER", "EVENT",     "SEQUENCE",  "USER", "ROLE",
        "SERVER",   "PACKAGE", "TEMPORARY", "TABLESPACE"
    };
    struct lexer at = *l;

    for (; at.token != T_END; next(&at)) {
        if (is(&at, word)) {
            next(&at);
            *l = at;
            return true;
        }
        for (size_t i = 0; i < COUNT(others); i++)
            if (is(&at, others[i]))
                return false;
    }
    return false;
}

/* RENAME, but not of a column or a key, and not in parentheses. */
static enum err
find_rename(struct lexer *l, struct ddl_name *n)
{
    unsigned depth = 0;

    for (; l->token != T_END; next(l)) {
        if (l->token == T_OPEN)
            depth++;
        else if (l->token == T_CLOSE && depth > 0)
            depth--;
        else if (depth == 0 && is(l, "RENAME")) {
            next(l);
            if (is(l, "COLUMN") || is(l, "INDEX") || is(l, "KEY"))
                continue;
            if (!take(l, "TO"))
                (void)take(l, "AS");
            if (l->token == T_REST) /* = */
                next(l);
            return read_name(l, n->to_schema, n->to_name);
        }
    }
    return ERR_OK;
}

static enum err
altered(struct lexer *l, struct ddl *out, enum ddl_kind kind)
{
    enum err e = one_name(l, out, kind);

    return e == ERR_OK ? find_rename(l, &out->name[0]) : e;
}

/* What a verb may be about. */
static const struct object {
    const char *word;
    enum err (*read)(struct lexer *l, struct ddl *out, enum ddl_kind kind);
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
read_object(struct lexer *l, struct ddl *out, const struct object *o)
{
    for (; o->word != NULL; o++)
        if (seek(l, o->word))
            return o->read(l, out, o->kind);
    return ERR_OK;
}

/* [WAIT n | NOWAIT] may stand behind a name. */
static enum err
rename_tables(struct lexer *l, struct ddl *out)
{
    if (!take(l, "TABLE") && !take(l, "TABLES"))
        return ERR_OK; /* of a user */
    take_if_exists(l);
    for (;;) {
        enum err e = one_name(l, out, DDL_RENAME);
        struct ddl_name *n = &out->name[out->n - 1];

        if (e != ERR_OK)
            return e;
        while (l->token != T_END && !is(l, "TO"))
            next(l);
        next(l);
        e = read_name(l, n->to_schema, n->to_name);
        if (e != ERR_OK || l->token != T_COMMA)
            return e;
        next(l);
    }
}

enum err
ddl_read(const char *sql, size_t n, const char *default_schema, bool ansi,
         struct ddl *out)
{
    struct lexer l = {
        .p = sql, .end = sql + n, .schema = default_schema, .ansi = ansi
    };

    out->kind = DDL_OTHER;
    out->n = 0;
    next(&l);
    if (take(&l, "CREATE"))
        return read_object(&l, out, objects_to_create);
    if (take(&l, "ALTER"))
        return read_object(&l, out, objects_to_alter);
    if (take(&l, "DROP"))
        return read_object(&l, out, objects_to_drop);
    if (take(&l, "TRUNCATE")) {
        (void)take(&l, "TABLE");
        return one_name(&l, out, DDL_TRUNCATE);
    }
    return take(&l, "RENAME") ? rename_tables(&l, out) : ERR_OK;
}
