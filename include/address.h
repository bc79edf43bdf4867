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

#define ADDRESS_BYTES 280 /* room for one whose host has 255 bytes */

/* The other way: host (an IPv6 address, which gets brackets if it has none) and
 * port as a text, which is answered too; cut when it does not fit. A port that
 * is none is told as it is: it may be what the text is about. */
const char *address_print(const char *host, int port, char *out, size_t size);

#endif
