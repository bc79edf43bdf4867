/* Room: base/ */
/* Addresses as texts: "host:port", the host a name, an IPv4 address, or an
 * IPv6 address in brackets, without which nobody could tell which colon parts
 * the port. Whether there is such a host is not asked. */
#ifndef MG_ADDRESS_H
#define MG_ADDRESS_H

#include "base.h"

/* Host (without brackets) and port of the n bytes at text. unless_given is the
 * port of an address that has none; 0: it must have one. BAD_PARAM when it is
 * no such text or the host does not fit. */
enum err address_read(const char *text, size_t n, unsigned unless_given,
                      char *host, size_t host_size, unsigned *port) MUST_USE;

/* The same, or "unix:/path" of a socket: then name is its path, which begins
 * with a slash, and *port 0. */
enum err address_read_server(const char *text, size_t n, unsigned unless_given,
                             char *name, size_t size, unsigned *port) MUST_USE;

#define ADDRESS_BYTES 280 /* room for one whose host has 255 bytes */

/* The other way: host (an IPv6 address, which gets brackets if it has none) and
 * port as a text, which is answered too; cut when it does not fit. A port that
 * is none is told as it is: it may be what the text is about. */
const char *address_print(const char *host, int port, char *out, size_t size);

/* ---- as numbers ---- */

/* What IPv6 maps IPv4 behind. */
extern const unsigned char address_v4[12];

/* An IPv4 address (as IPv6 maps it) or an IPv6 address without brackets; false
 * for any other text. */
bool address_bytes(const char *text, unsigned char out[16]) MUST_USE;

struct network {
    unsigned char bytes[16]; /* of an address in it */
    unsigned bits;           /* how many of them all in it share: 0 to 128 */
};

/* "10.0.0.0/8", "fd00::/8", or one address; false for any other text. */
bool network_read(const char *text, size_t n, struct network *out) MUST_USE;

#endif
