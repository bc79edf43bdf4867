/* Room: api/ */
/* The endpoints of all dialects, printed. After dispatch_init. */
#ifndef MG_ROUTES_H
#define MG_ROUTES_H

#include "buf.h"

void routes_text(struct buf *b);     /* a line per endpoint */
void routes_markdown(struct buf *b); /* the API reference */
void routes_openapi(struct buf *b);  /* OpenAPI 3.0, JSON */
void routes_tests(struct buf *b);    /* what generated tests read, JSON */

#endif
