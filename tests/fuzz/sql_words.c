/* Statements as a source has run them, in each mode: their words, and whoever
 * asks for them. */
#include "fuzz.h"

#include <string.h>

#include "binlog/query.h"
#include "sql_words.h"
#include "ticdc/core/ddl.h"

static struct ddl_name names[DDL_NAMES_MAX];

/* Each lies behind the one before it, and within the text. */
static void
look_at(const char *sql, size_t n, uint64_t mode)
{
    struct sql_words w = sql_words_of(sql, n, mode);
    const char *from = sql;
    char name[8];

    while (w.kind != SQL_END) {
        HOLDS(w.text.p >= from && w.text.p + w.text.n <= sql + n);
        HOLDS(w.text.n > 0 || w.kind == SQL_NAME || w.kind == SQL_STRING);
        HOLDS(w.kind != SQL_SIGN || w.text.n == 1);
        sql_name(&w, name, sizeof(name));
        HOLDS(strlen(name) <= w.text.n);
        from = w.text.p + w.text.n;
        sql_next(&w);
    }
    sql_next(&w);
    HOLDS(w.kind == SQL_END && w.text.n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint64_t modes[] = { 0, SQL_ANSI_QUOTES,
                                      SQL_NO_BACKSLASH_ESCAPES };
    const char *sql = (const char *)data;
    struct binlog_failure why;

    for (size_t i = 0; i < COUNT(modes); i++) {
        struct ddl d = { .name = names };
        struct query q = { .st.sql_mode = modes[i] };

        look_at(sql, n, modes[i]);
        if (ddl_read(sql, n, "d", modes[i], &d) == ERR_OK)
            HOLDS(d.n <= DDL_NAMES_MAX);
        if (query_text(&q, sql, n, &why) == ERR_OK)
            HOLDS(q.xid.gtrid_bytes <= 64 && q.xid.bqual_bytes <= 64);
        HOLDS(q.name.n <= n);
    }
    return 0;
}
