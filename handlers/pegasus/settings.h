/* The keys of [pegasus]: pegasus_settings()->key. */
#ifndef MG_PEGASUS_SETTINGS_H
#define MG_PEGASUS_SETTINGS_H

#define SETTINGS      pegasus_settings
#define SETTINGS_FILE "pegasus/settings.def"
#include "settings_struct.h"

#endif
