/* Room: mysql/ */
/* The words of a statement that a server has run, one after the other: whoever
 * asks what it is, or about what, reads them here. No grammar: the server has
 * judged it.
 *
 * Comments count as blanks. What is in the marks of an executable one is read
 * as if they were not there: a server takes the '!' out of those that it does
 * not execute before they come into its binlog. */
#ifndef MG_SQL_WORDS_H
#define MG_SQL_WORDS_H

#include "base.h"

/* Of sql_mode, as the binlog has it: what changes how a text is read. */
#define SQL_ANSI_QUOTES          (1u << 2)  /* "…" is a name */
#define SQL_NO_BACKSLASH_ESCAPES (1u << 20) /* a backslash is a character */

enum sql_kind {
    SQL_END,    /* nothing more */
    SQL_WORD,   /* letters, digits, _, $ and bytes beyond ASCII */
    SQL_NAME,   /* in quotes */
    SQL_STRING, /* in quotes */
    SQL_SIGN, /* any other character; a quote that is never closed, the last */
};

/* Where one is; to look ahead, a copy is enough. */
struct sql_words {
    enum sql_kind kind; /* of the word that is next */
    struct span text;   /* it, as it is written; of quotes what is between */
    char quote;         /* of NAME and STRING */
    const char *p, *end;
    uint64_t mode;
};

/* At the first word. The text lives as long as its words are asked for. */
struct sql_words sql_words_of(const char *sql, size_t n, uint64_t mode);
void sql_next(struct sql_words *w);

/* Whether the next one is this word, in letters of either case and without
 * quotes, or this sign; sql_take goes past it then. */
bool sql_is(const struct sql_words *w, const char *word);
bool sql_take(struct sql_words *w, const char *word);
/* The same of several in a row: past all of them, or none. */
#define sql_take_all(w, ...) \
    sql_take_list(w, (const char *const[]){ __VA_ARGS__, NULL })
bool sql_take_list(struct sql_words *w, const char *const *words);

/* Whether it may be a name: a word, or one in quotes. */
bool sql_is_name(const struct sql_words *w);
/* The name, without what quotes double in it, cut at size. */
void sql_name(const struct sql_words *w, char *out, size_t size);

#endif
