/* The text of an error: placeholders expanded from ARGS, from what the
 * framework knows of the request, and from the bound input. */
#ifndef MG_FAILURE_H
#define MG_FAILURE_H

#include "req.h"

/* Expands row's text into r->io->failure and notes the row. Returns the
 * row's class; NOMEM without memory. */
enum err
failure_set(struct req *r, const struct error_text *row, struct args args);

/* The same for an event of the framework; a dialect without a row for it
 * answers its DEFAULT of the event's class. */
enum err failure_event(struct req *r, enum event event, struct args args);

/* The row that serves a class no handler has worded. Never NULL once
 * dispatch_init has passed. */
const struct error_text *failure_default(const struct dialect *d, enum err e);

#endif
