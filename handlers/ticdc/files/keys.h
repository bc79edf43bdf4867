/* Where which file lies:
 *
 *     <schema>/meta/schema_<version>_<sum>.json      statements about a schema
 *     <schema>/<table>/meta/schema_<version>_<sum>.json
 *     <schema>/<table>/<version>[/<date>]/CDC<number>.csv
 *     <schema>/<table>/<version>[/<date>]/meta/CDC.index   the last of these
 *     <schema>/<table>/meta/CDC.version      the schema file in force (ours)
 *     metadata                               how far all of it is
 *
 * Bytes of names but letters, digits, '-' and '_' are written ".c3": what
 * they really are the schema files tell. */
#ifndef TICDC_FILES_KEYS_H
#define TICDC_FILES_KEYS_H

#include "base.h"
#include "blob.h"
#include "ticdc/rules/zone.h"

enum keys_date { KEYS_NO_DATE, KEYS_YEAR, KEYS_MONTH, KEYS_DAY };

#define KEYS_MAX      (BLOB_KEY_MAX + 1)
#define KEYS_DATE_MAX 16

#define KEYS_METADATA "metadata"

/* "" or "2024-03" of a commit_ts. */
void keys_date(enum keys_date by, uint64_t ts, const struct zone_choice *zone,
               char out[KEYS_DATE_MAX]);
/* Each answers LIMIT when it is too long. table "": of the schema. */
enum err keys_shape(const char *schema, const char *table, uint64_t version,
                    uint32_t sum, char out[KEYS_MAX]) MUST_USE;
enum err keys_version(const char *schema, const char *table,
                      char out[KEYS_MAX]) MUST_USE;
enum err keys_folder(const char *schema, const char *table, uint64_t version,
                     const char *date, char out[KEYS_MAX]) MUST_USE;
enum err keys_index(const char *folder, char out[KEYS_MAX]) MUST_USE;
/* digits: of the number, at least; extension "csv". */
enum err keys_rows(const char *folder, uint64_t n, unsigned digits,
                   const char *extension, char out[KEYS_MAX]) MUST_USE;
/* The number in what keys_rows has made, or in a line of it; 0: none. */
uint64_t keys_number(const char *text);

#endif
