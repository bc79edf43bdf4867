/* Room: config/ */
/* Keys of the configuration as tables: those of the runtime are config.def,
 * each dialect has a settings.def of its own. A table has rows
 *   CONF_STR(section, key, default, doc)
 *   CONF_TEXT(section, key, default, check, doc): a STR that `check`
 *       (config_rule_fn) has to take
 *   CONF_INT(section, key, default, min, max, doc)
 *   CONF_BOOL(section, key, default, doc)
 * A LIVE_ row can be changed while processes run: config_live.h.
 *
 * A dialect's header makes of it a struct with a member per key, and the
 * function that tells it, by
 *     #define SETTINGS mine_settings
 *     #define SETTINGS_FILE "mine/settings.def"
 *     #include "settings_struct.h"    mine_settings()->key
 * and its dialect.c the values and the rows by the same two names and
 *     #include "settings_table.h"     mine_settings_rows, for struct dialect
 */
#ifndef MG_CONFIG_KEYS_H
#define MG_CONFIG_KEYS_H

#include "base.h"

enum conf_type { CONF_IS_STR, CONF_IS_INT, CONF_IS_BOOL };

/* NULL when the value is well, else what is wrong with it, as the end of a
 * sentence. Static texts. */
typedef const char *config_rule_fn(const char *value);

struct conf_row {
    const char *section;    /* NULL ends the table */
    const char *key, *name; /* name: "section.key" */
    enum conf_type type;
    void *at;         /* the value; of a live row an atomic object */
    const char *dflt; /* as it is written in a file */
    int64_t min, max;
    config_rule_fn *rule; /* of a text; NULL: anything */
    const char *doc;
    bool live;
};

#endif
