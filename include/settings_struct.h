/* Room: config/ */
/* First pass over a table of keys, see config_keys.h: a struct with one member
 * per row, const char *, int64_t or bool, and its accessor. Members of LIVE_
 * rows are atomic: each read may give another value. No guard. */
#include <stdbool.h>
#include <stdint.h>

#ifndef SETTINGS_MEMBER
#define SETTINGS_MEMBER(section, key) key
#endif

struct SETTINGS {
#define CONF_STR(section, key, dflt, doc) \
    const char *SETTINGS_MEMBER(section, key);
#define CONF_TEXT(section, key, dflt, check, doc) \
    const char *SETTINGS_MEMBER(section, key);
#define CONF_INT(section, key, dflt, min, max, doc) \
    int64_t SETTINGS_MEMBER(section, key);
#define CONF_BOOL(section, key, dflt, doc) bool SETTINGS_MEMBER(section, key);
#define LIVE_TEXT(section, key, dflt, check, doc) \
    const char *_Atomic SETTINGS_MEMBER(section, key);
#define LIVE_INT(section, key, dflt, min, max, doc) \
    _Atomic int64_t SETTINGS_MEMBER(section, key);
#define LIVE_BOOL(section, key, dflt, doc) \
    _Atomic bool SETTINGS_MEMBER(section, key);
#include SETTINGS_FILE
#undef CONF_STR
#undef CONF_TEXT
#undef CONF_INT
#undef CONF_BOOL
#undef LIVE_TEXT
#undef LIVE_INT
#undef LIVE_BOOL
};

/* The defaults until config_load, which is before threads. Never NULL. */
const struct SETTINGS *SETTINGS(void);

#undef SETTINGS
#undef SETTINGS_FILE
#undef SETTINGS_MEMBER
