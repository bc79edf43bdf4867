/* What a statement does to which tables: read from its words, as far as a
 * capture needs to know (sql_words.h); what is not about tables, schemas or
 * views is OTHER. */
#ifndef TICDC_DDL_H
#define TICDC_DDL_H

#include "base.h"

enum ddl_kind {
    DDL_OTHER, /* accounts, functions, sequences, ANALYZE …: nobody's */
    DDL_CREATE_SCHEMA,
    DDL_ALTER_SCHEMA,
    DDL_DROP_SCHEMA,
    DDL_CREATE_TABLE,
    DDL_ALTER_TABLE, /* an index, too; with RENAME it has a new name */
    DDL_DROP_TABLE,
    DDL_TRUNCATE,
    DDL_RENAME,
    DDL_VIEW, /* made, changed or dropped */
};

#define DDL_NAME_BYTES 257 /* 64 characters, and the NUL */
#define DDL_NAMES_MAX  256

struct ddl_name {
    char schema[DDL_NAME_BYTES], name[DDL_NAME_BYTES]; /* name "": a schema */
    char to_schema[DDL_NAME_BYTES], to_name[DDL_NAME_BYTES]; /* "": the same */
};

struct ddl {
    enum ddl_kind kind;
    size_t n;
    struct ddl_name *name; /* DDL_NAMES_MAX, the caller's */
};

/* default_schema: for names without one. sql_mode: the session's, 0 when it is
 * not known. BAD_PARAM: it begins like one of these and goes on like none;
 * LIMIT: too many names. */
enum err ddl_read(const char *sql, size_t n, const char *default_schema,
                  uint64_t sql_mode, struct ddl *out) MUST_USE;

#endif
