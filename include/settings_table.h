/* Room: config/ */
/* Second pass over a table of keys, see config_keys.h: values and rows. No
 * guard. */
#include "config_keys.h"

#ifndef SETTINGS_MEMBER
#define SETTINGS_MEMBER(section, key) key
#endif
#define SETTINGS_VALUES CAT(SETTINGS, _values)
#define SETTINGS_ROWS   CAT(SETTINGS, _rows)

#define CONF_STR(section, key, dflt, doc) \
    .SETTINGS_MEMBER(section, key) = (dflt),
#define CONF_TEXT(section, key, dflt, check, doc) \
    .SETTINGS_MEMBER(section, key) = (dflt),
#define CONF_INT(section, key, dflt, min, max, doc) \
    .SETTINGS_MEMBER(section, key) = (dflt),
#define CONF_BOOL(section, key, dflt, doc) \
    .SETTINGS_MEMBER(section, key) = (dflt),
#define LIVE_TEXT(section, key, dflt, check, doc) \
    .SETTINGS_MEMBER(section, key) = (dflt),
#define LIVE_INT(section, key, dflt, min, max, doc) \
    .SETTINGS_MEMBER(section, key) = (dflt),
#define LIVE_BOOL(section, key, dflt, doc) \
    .SETTINGS_MEMBER(section, key) = (dflt),
static struct SETTINGS SETTINGS_VALUES = {
#include SETTINGS_FILE
};
#undef CONF_STR
#undef CONF_TEXT
#undef CONF_INT
#undef CONF_BOOL
#undef LIVE_TEXT
#undef LIVE_INT
#undef LIVE_BOOL

const struct SETTINGS *
SETTINGS(void)
{
    return &SETTINGS_VALUES;
}

#define ROW(section_, key_, type_, dflt_, doc_, ...)          \
    { .section = #section_,                                   \
      .key = #key_,                                           \
      .name = #section_ "." #key_,                            \
      .type = (type_),                                        \
      .at = &SETTINGS_VALUES.SETTINGS_MEMBER(section_, key_), \
      .dflt = (dflt_),                                        \
      .doc = (doc_),                                          \
      __VA_ARGS__ },
#define CONF_STR(section, key, dflt, doc) \
    ROW(section, key, CONF_IS_STR, dflt, doc, .rule = NULL)
#define CONF_TEXT(section, key, dflt, is, doc) \
    ROW(section, key, CONF_IS_STR, dflt, doc, .rule = is)
#define CONF_INT(section, key, dflt, lo, hi, doc) \
    ROW(section, key, CONF_IS_INT, #dflt, doc, .min = (lo), .max = (hi))
#define CONF_BOOL(section, key, dflt, doc) \
    ROW(section, key, CONF_IS_BOOL, #dflt, doc, .min = 0)
#define LIVE_TEXT(section, key, dflt, is, doc) \
    ROW(section, key, CONF_IS_STR, dflt, doc, .rule = is, .live = true)
#define LIVE_INT(section, key, dflt, lo, hi, doc)                        \
    ROW(section, key, CONF_IS_INT, #dflt, doc, .min = (lo), .max = (hi), \
        .live = true)
#define LIVE_BOOL(section, key, dflt, doc) \
    ROW(section, key, CONF_IS_BOOL, #dflt, doc, .live = true)
extern const struct conf_row SETTINGS_ROWS[];
const struct conf_row SETTINGS_ROWS[] = {
#include SETTINGS_FILE
    { .section = NULL },
};
#undef ROW
#undef CONF_STR
#undef CONF_TEXT
#undef CONF_INT
#undef CONF_BOOL
#undef LIVE_TEXT
#undef LIVE_INT
#undef LIVE_BOOL
#undef SETTINGS_ROWS
#undef SETTINGS_VALUES
#undef SETTINGS
#undef SETTINGS_FILE
#undef SETTINGS_MEMBER
