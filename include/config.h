/* Room: config/ */
/* The configuration and what it places: keys (here), RUN_DIR and NET
 * (place.h), listeners (listener.h), the form of tokens.map
 * (config/token_map.h). The keys of the runtime (config.def,
 * config()->section_key) and of every dialect (config_keys.h) are read at
 * start-up. What may change after it are the LIVE_ rows, by config_live.h
 * alone. */
#ifndef MG_CONFIG_H
#define MG_CONFIG_H

#include "base.h"

#define SETTINGS                      config
#define SETTINGS_FILE                 "config.def"
#define SETTINGS_MEMBER(section, key) section##_##key
#include "settings_struct.h"

/* Defaults, then the file (may be NULL or absent), then the environment. An
 * unknown key or bad value: BAD_PARAM, and why[] names file, line and key. */
enum err config_load(const char *path, char why[WHY_BYTES]) MUST_USE;

/* The value of a CONF_STR or CONF_TEXT row, of whatever table, by its names;
 * NULL when there is no such row. */
const char *config_text(const char *section, const char *key);

/* RUN_DIR and NET of this process (absolute; "127.0.0.1"). Set once by main
 * from --run-dir/--net or the environment. */
const char *config_run_dir(void);
const char *config_net(void); /* "127.0.0": the first three parts */
void config_place(const char *run_dir, const char *net);

/* A file with every key, its default and its line of prose, commented out. */
enum err config_write_template(const char *path) MUST_USE;

/* Prints the keys as text (metagate config) or Markdown. */
void config_print(bool markdown);

/* Comma-separated lists, which all keys write alike: blanks around an element
 * do not count. The next element of *list, which moves behind it; false at
 * the end. An element that is missing (",," or a comma at the end) is empty. */
bool config_list_next(const char **list, struct span *out);

#endif
