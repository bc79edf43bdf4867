/* Failures as bare text, for endpoints whose clients read no JSON. */
#ifndef MG_FORM_TEXT_H
#define MG_FORM_TEXT_H

#include "endpoint.h"

extern const struct form form_text;

#endif
