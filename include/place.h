/* Room: config/ */
/* RUN_DIR and NET as they are given, checked; paths and addresses below. */
#ifndef MG_PLACE_H
#define MG_PLACE_H

#include "base.h"

#define ROOT_RUN_DIR "/var/lib/metagate/onebox"
#define PLACE_BYTES 4096

/* "run", or ROOT_RUN_DIR for root. */
const char *place_default_run_dir(void);

/* Makes run_dir absolute, drops a fourth part of net, hands both to
 * config_place. BAD_PARAM with a sentence in why. */
enum err place_set(const char *run_dir, const char *net, char *why,
                   size_t why_size) MUST_USE;

/* RUN_DIR/name; LIMIT when it does not fit. */
enum err place_path(char *out, size_t size, const char *name) MUST_USE;

/* The socket `name` (serve-0.sock, mysql.sock, wake, control.sock): it lies
 * in RUN_DIR/s, or where that links to because the path would be too long
 * for a socket. LIMIT when even that does not fit. */
enum err place_socket(char *out, size_t size, const char *name) MUST_USE;
/* The folder of these sockets. */
enum err place_socket_dir(char *out, size_t size) MUST_USE;

/* Where a listener of listeners.def listens, "host:port": its key in
 * [listen], where '-' is written '_' (of several listeners of one name the
 * i-th takes the i-th piece of the list), else NET.machine:port. */
enum err place_listener(const char *name, unsigned machine, unsigned port,
                        char *out, size_t size) MUST_USE;

/* The i-th row of listeners.def, its name and where it listens; NOT_FOUND
 * behind the last. */
enum err place_listener_at(size_t i, const char **name, char *out,
                           size_t size) MUST_USE;

/* The key in [listen] that moves it; false when there is none. */
bool place_listen_key(const char *name, char *out, size_t size);

/* host and port of a "host:port" (host may be [v6]); BAD_PARAM. */
enum err place_host_port(const char *text, char *host, size_t host_size,
                         unsigned *port) MUST_USE;

#endif
