/* The certificate that nginx shows to clients. */
#ifndef MG_CERTIFICATE_H
#define MG_CERTIFICATE_H

#include "base.h"

/* When the first certificate of a PEM file ends (RFC 5280, notAfter), Unix
 * seconds; 0 when path is "", cannot be read or holds none. */
int64_t certificate_end_s(const char *path);

#endif
