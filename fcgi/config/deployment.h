/* The name of a deployment: the schema of the store belongs to one. */
#ifndef MG_CONFIG_DEPLOYMENT_H
#define MG_CONFIG_DEPLOYMENT_H

#include "base.h"

#define DEPLOYMENT_ID_FILE  "deployment_id" /* in RUN_DIR */
#define DEPLOYMENT_ID_BYTES 65

/* The first word of that file into out; a random one is made when there is no
 * file, once, however many ask for it. BAD_PARAM when it is no name; what
 * fails is logged. */
enum err deployment_id(char out[DEPLOYMENT_ID_BYTES]) MUST_USE;

#endif
