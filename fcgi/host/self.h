/* Which host this is. Several may use one store, and each runs daemons of the
 * same names. */
#ifndef MG_SELF_H
#define MG_SELF_H

/* The machine since its boot; "" when the kernel does not tell. */
void self_boot_id(char out[40]);

/* 16 hex digits that stand for the machine since its boot and RUN_DIR: the
 * same for all processes of a deployment on it, and for nobody else. */
#define SELF_ID_BYTES 17
void self_id(char out[SELF_ID_BYTES]);

#endif
