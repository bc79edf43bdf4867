/* Room: config/ */
/* The configuration: rows of config.def, read at start-up. What may change
 * after it are the LIVE_ rows, by config_live.h alone. */
#ifndef MG_CONFIG_H
#define MG_CONFIG_H

#include "base.h"

/* One member section_key per row: const char *, int64_t or bool. Those of
 * LIVE_ rows are atomic: each read may give another value. */
struct config {
#define CONF_STR(section, key, dflt, doc) const char *section##_##key;
#define CONF_TEXT(section, key, dflt, check, doc) \
    const char *section##_##key;
#define CONF_INT(section, key, dflt, min, max, doc) int64_t section##_##key;
#define CONF_BOOL(section, key, dflt, doc) bool section##_##key;
#define LIVE_TEXT(section, key, dflt, check, doc) \
    const char *_Atomic section##_##key;
#define LIVE_INT(section, key, dflt, min, max, doc) \
    _Atomic int64_t section##_##key;
#define LIVE_BOOL(section, key, dflt, doc) _Atomic bool section##_##key;
#include "config.def"
#undef LIVE_TEXT
#undef LIVE_INT
#undef LIVE_BOOL
#undef CONF_STR
#undef CONF_TEXT
#undef CONF_INT
#undef CONF_BOOL
};

/* Defaults, then the file (may be NULL or absent), then the environment. An
 * unknown key or bad value: BAD_PARAM, and why[] names file, line and key. */
enum err config_load(const char *path, char *why, size_t why_size) MUST_USE;

/* Written by config_load, before threads start; never NULL. */
const struct config *config(void);

/* The value of a CONF_STR or CONF_TEXT row by its names; NULL when there is no such row. */
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

#endif
