/* What all files of this folder share. A noun's records, checks and SQL are in
 * its own header and files; the order of members is the order of output
 * (protobuf field numbers). Whatever a request may leave out has a presence
 * bit, which survives in the store as NULL: a member given as "" or 0 is
 * printed again, one never given is not. */
#ifndef MG_DORIS_H
#define MG_DORIS_H

#include "db.h"
#include "record.h"
#include "req.h"

/* ---- bounds of what a client names; Doris has none ---- */

#define DORIS_ID_BYTES   255    /* ids and names of instance and cluster */
#define DORIS_CUID_BYTES 512    /* cloud_unique_id */
#define DORIS_TEXT_BYTES 1024   /* endpoints, buckets, descriptions */
#define DORIS_OBJ_BYTES  65536  /* of object stores: doris_obj_size decides */
#define DORIS_NODES      4096   /* nodes of one request */
#define DORIS_USERS      1024   /* mysql_user_name of one request */
#define DORIS_CLUSTERS   100000 /* clusters of an instance in one listing */

/* ---- small words ---- */

/* Unix time in seconds, the unit of every ctime and mtime. */
int64_t doris_now(void);

/* Blanks, tabs and slashes off both ends, in the arena. */
const char *doris_trim(struct arena *a, const char *text);

/* ---- how it is said ---- */

/* The style of replies and of stored documents; the forms of the mounts. */
extern const struct form doris_form, doris_text_form, doris_rpc_form;

/* How every form of this dialect takes a body. */
#define DORIS_INPUT                                                        \
    .lenient = JSON_TRAILING_COMMA | JSON_BARE_KEYS | JSON_SINGLE_QUOTES | \
               JSON_CAMEL_SNAKE,                                           \
    .bind = BIND_STR_FROM_NUM | BIND_INT_FROM_STR | BIND_INTEGRAL |        \
            BIND_CAMEL | BIND_UNKNOWN_ENUM_UNSET | BIND_NULL_UNSET

/* The record as the text of a doc column, in the arena. LIMIT when what it
 * makes could not be read back, which is tried. */
enum err doris_doc_render(struct arena *a, const struct record *rec,
                          const void *in, const char **out) MUST_USE;

/* The record that such a text describes. */
enum err doris_doc_parse(struct arena *a, const char *doc,
                         const struct record *rec, void *out) MUST_USE;

/* The record as one line of protobuf text: name: "value" name { ... } */
const char *doris_text(struct req *r, const struct record *rec, const void *in);

/* The same on lines of their own, two blanks deeper in each message. */
void doris_text_lines(struct buf *b, const struct record *rec, const void *in);

/* Answers with the text, which ends here, unless e says what went wrong. */
enum err doris_send_buf(struct req *r, enum err e, struct buf *b) MUST_USE;

/* Whether a request may pass its limits of rate; the dialect's admit. */
enum err doris_admit(struct req *r, const void *in) MUST_USE;

/* ---- which instance ---- */

/* The instance that holds a cloud_unique_id, or the one named inside it
 * ("1:<instance>:<any>"); NOT_FOUND when neither is there. */
enum err doris_resolve(struct req *r, const char *cloud_unique_id,
                       const char **out) MUST_USE;

/* The instance named inside a cloud_unique_id; NULL when it has not that
 * form. Whether there is such an instance is not looked at. */
const char *doris_degraded(struct arena *a, const char *cloud_unique_id);

/* ---- the audit row ---- */

/* "stage i1/s1"; without a name "instance i1". */
void doris_audit_target(struct req *r, const char *kind,
                        const char *instance_id, const char *name);
/* "tablet i1/50": a thing that has a number. */
void doris_audit_id(struct req *r, const char *kind, const char *instance_id,
                    int64_t id);

#define ENDPOINT_FILE "doris/endpoints.def"
#define ERROR_FILE    "doris/errors.def"
#include "endpoint_protos.h"

#endif
