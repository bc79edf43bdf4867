/* What a capture does for one changefeed of one epoch: in a thread of its own
 * it reads which tables it is told to write, writes them by a stream until
 * something else is told, and reports. It ends when the changefeed is stopped,
 * when it fails (the failure is stored then), or when it is told to. */
#ifndef TICDC_PROCESSOR_H
#define TICDC_PROCESSOR_H

#include "capture.h"
#include "ticdc/store/rows.h"

struct processor;

/* NULL without memory or thread. */
struct processor *
processor_start(const struct capture *c, uint64_t feed, uint64_t epoch);

uint64_t processor_feed(const struct processor *p);
uint64_t processor_epoch(const struct processor *p);

/* What the rows (of its feed, all that tell this capture anything) say now: if
 * that is not what it does, it reads them anew. */
void processor_told(struct processor *p, uint64_t signature);
/* The same of rows, to be compared. */
uint64_t processor_signature(const struct table_row *rows, size_t n,
                             const char *capture_id);

/* Asks it to end; whether it has. */
void processor_stop(struct processor *p);
bool processor_ended(struct processor *p);
/* Waits for the end and frees it. */
void processor_free(struct processor *p);

#endif
