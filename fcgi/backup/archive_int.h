/* What the two sides of a backup's form share. */
#ifndef MG_BACKUP_ARCHIVE_INT_H
#define MG_BACKUP_ARCHIVE_INT_H

#include "base.h"
#include "crypt/digest.h"

#define TAR_BLOCK     512
#define TAR_SIZE_AT   124
#define TAR_SUM_AT    148
#define PART_NAME     "payload.%06u"
#define MANIFEST_NAME "manifest.json"
#define MANIFEST_MAX  65536
#define BACKUP_FORMAT 1

/* What either side works with. */
struct archive_gear {
    struct digest *digest; /* of the payload */
    char *room;            /* for one file of the tar */
};

/* False without memory; archive_gear_free in both cases. */
bool archive_gear_make(struct archive_gear *g, size_t room_bytes) MUST_USE;
void archive_gear_free(struct archive_gear *g);

#endif
