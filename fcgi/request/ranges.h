/* Replies whose bytes are read while they are sent. */
#ifndef MG_RANGES_H
#define MG_RANGES_H

#include "req.h"

/* Behind the head: the bytes that req_send_source has settled on. Anything but
 * OK: the reply is cut short, and its connection has to be broken. */
enum err ranges_write(struct req *r) MUST_USE;

#endif
