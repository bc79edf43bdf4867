/* The keys of [ticdc]: ticdc_settings()->key. */
#ifndef TICDC_SETTINGS_H
#define TICDC_SETTINGS_H

#define SETTINGS      ticdc_settings
#define SETTINGS_FILE "ticdc/settings.def"
#include "settings_struct.h"

#endif
