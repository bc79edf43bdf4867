/* What the two sides of a backup's form share. */
#ifndef MG_BACKUP_ARCHIVE_INT_H
#define MG_BACKUP_ARCHIVE_INT_H

#define TAR_BLOCK     512
#define TAR_SIZE_AT   124
#define TAR_SUM_AT    148
#define PART_NAME     "payload.%06u"
#define MANIFEST_NAME "manifest.json"
#define MANIFEST_MAX  65536
#define BACKUP_FORMAT 1

#endif
