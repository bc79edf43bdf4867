/* Room: config/ */
/* RUN_DIR and NET as they are given, checked; the paths below RUN_DIR. */
#ifndef MG_PLACE_H
#define MG_PLACE_H

#include <sys/types.h>

#include "base.h"

#define ROOT_RUN_DIR      "/var/lib/metagate/onebox"
#define INSTALLED_RUN_DIR "/var/lib/metagate" /* of the units of systemd */
#define PLACE_BYTES       4096
/* Where the nginx of an installed system, which is not ours, writes its line
 * per request unless [nginx] access_log says otherwise. */
#define PLACE_INSTALLED_LOG "/var/log/nginx/metagate-access.log"

/* Where a command works without --run-dir. One that makes a deployment: "run",
 * or ROOT_RUN_DIR for root. The others of an installed binary (the units lie
 * beside it) take INSTALLED_RUN_DIR, unless only the former exists. */
const char *place_default_run_dir(bool makes);

/* Makes run_dir absolute, drops a fourth part of net, hands both to
 * config_place. BAD_PARAM with a sentence in why. */
enum err
place_set(const char *run_dir, const char *net, char why[WHY_BYTES]) MUST_USE;

/* Whether RUN_DIR is that of the units: an nginx that is not ours. */
bool place_is_installed(void);

/* RUN_DIR/name; LIMIT when it does not fit. */
enum err place_path(char *out, size_t size, const char *name) MUST_USE;

/* The one line of lower-case hex digits in the file `name` of RUN_DIR, as our
 * own secrets are kept: at least `least` of them. NOT_FOUND when there is no
 * such file, BAD_PARAM when it holds something else or more than fits, STATE
 * (errno) when it cannot be read. */
enum err
place_hex_read(const char *name, size_t least, char *out, size_t size) MUST_USE;
/* Makes such a file of n random bytes, 64 at most; out (2n + 1 bytes) has the
 * digits. STATE (errno) when it cannot. */
enum err
place_hex_make(const char *name, size_t n, mode_t mode, char *out) MUST_USE;

/* RUN_DIR/..., the NET that `up` was last started with, and that an installed
 * system was given by `init`: commands without --net take it. */
#define PLACE_NET_UP   "up.net"
#define PLACE_NET_INIT "net"

/* RUN_DIR/secret, by which our nginx proves itself to the workers. */
#define PLACE_SECRET       "secret"
#define PLACE_SECRET_LEAST 32
#define PLACE_SECRET_BYTES 130 /* of a buffer for it */
#define PLACE_SECRET_NONE  "RUN_DIR/secret: not 32 or more lower-case hex digits"

/* RUN_DIR/tokens/machine: the token by which machines ask each other. */
#define PLACE_MACHINE_NAME  "machine"
#define PLACE_MACHINE_TOKEN "tokens/" PLACE_MACHINE_NAME
#define PLACE_TOKEN_LEAST   64
#define PLACE_TOKEN_BYTES   130 /* of a buffer for it */

/* The socket `name` (serve-0.sock, mysql.sock, wake, control.sock): it lies
 * in RUN_DIR/s, or where that links to because the path would be too long
 * for a socket. LIMIT when even that does not fit. */
enum err place_socket(char *out, size_t size, const char *name) MUST_USE;
/* The folder of these sockets. */
enum err place_socket_dir(char *out, size_t size) MUST_USE;

/* The machines of a onebox: NET.1 to NET.3. */
#define PLACE_MACHINES      3
#define PLACE_MACHINE_BYTES 16

/* The address of machine k (1 to 255), NET.k, into out, which is answered
 * too. */
const char *place_machine(unsigned k, char out[PLACE_MACHINE_BYTES]);
/* Which machine has that address; 0: none. */
unsigned place_machine_of(const char *address);

#endif
