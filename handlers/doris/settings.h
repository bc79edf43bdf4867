/* The keys of [doris]: doris_settings()->key. */
#ifndef MG_DORIS_SETTINGS_H
#define MG_DORIS_SETTINGS_H

#define SETTINGS      doris_settings
#define SETTINGS_FILE "doris/settings.def"
#include "settings_struct.h"

#endif
