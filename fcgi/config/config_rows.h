/* The rows of config.def as a table: between config.c, which reads them once,
 * and config_live.c, which shows and changes them. */
#ifndef MG_CONFIG_ROWS_H
#define MG_CONFIG_ROWS_H

#include "config.h"
#include "config_check.h"

enum conf_type { CONF_IS_STR, CONF_IS_INT, CONF_IS_BOOL };

struct conf_row {
    const char *section, *key, *name; /* name: "section.key" */
    enum conf_type type;
    size_t off;
    const char *dflt; /* as it is written in a file */
    int64_t min, max;
    config_check_fn *check; /* of a text; NULL: anything */
    const char *doc;
    bool live;
};

union conf_value {
    const char *s;
    int64_t i;
    bool b;
};

/* What is wrong with a value, as the end of a sentence. */
struct conf_reason {
    char text[160];
};

const struct conf_row *config_rows(size_t *n);

/* Where the row's value is; of a live row an atomic object. */
void *config_at(const struct conf_row *row);

/* A text as a value of the row; a CONF_IS_STR is the text itself. BAD_PARAM
 * with why. */
enum err config_parse(const struct conf_row *row, const char *value,
                      union conf_value *out, struct conf_reason *why) MUST_USE;

#endif
