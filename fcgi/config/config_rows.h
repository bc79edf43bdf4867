/* The rows of all tables of keys, in one sequence: between config.c, which
 * reads them once, and config_live.c, which shows and changes them. */
#ifndef MG_CONFIG_ROWS_H
#define MG_CONFIG_ROWS_H

#include "config_keys.h"

union conf_value {
    const char *s;
    int64_t i;
    bool b;
};

/* What is wrong with a value, as the end of a sentence. */
struct conf_reason {
    char text[160];
};

/* The i-th row: those of config.def, then those of the dialects; NULL past
 * the last. */
const struct conf_row *config_row(size_t i);
size_t config_row_count(void);

/* Where the i-th row's value came from when this process started: "default",
 * "file" with the line of it, "environment"; *line is 0 but for a file. */
const char *config_from(size_t i, int *line);
/* A default as a file would say it. */
const char *config_default(const struct conf_row *row);
/* What a change of it in the file needs: "live", "reload", "restart",
 * "reload, then restart". */
const char *config_needs(const struct conf_row *row);

/* A text as a value of the row; a CONF_IS_STR is the text itself. BAD_PARAM
 * with why. */
enum err config_parse(const struct conf_row *row, const char *value,
                      union conf_value *out, struct conf_reason *why) MUST_USE;

#endif
