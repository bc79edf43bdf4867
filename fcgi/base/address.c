/* Texts that say where to connect to. */
#include "address.h"

#include <stdio.h>
#include <string.h>

/* Digits alone, 1 to 65535; one port has one spelling. */
static bool
read_port(const char *p, const char *end, unsigned *out)
{
    unsigned v = 0;

    if (p == end || *p == '0')
        return false;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9')
            return false;
        v = v * 10 + (unsigned)(*p - '0');
        if (v > 65535)
            return false;
    }
    *out = v;
    return true;
}

enum err
address_read(const char *text, size_t n, unsigned unless_given, char *host,
             size_t host_size, unsigned *port)
{
    const char *end = text + n, *name = text, *stop, *rest;

    if (n > 0 && *text == '[') {
        name = text + 1;
        stop = memchr(name, ']', n - 1);
        if (stop == NULL || memchr(name, ':', (size_t)(stop - name)) == NULL)
            return ERR_BAD_PARAM;
        rest = stop + 1;
    } else {
        rest = stop = memchr(text, ':', n);
        if (stop == NULL)
            rest = stop = end;
    }
    n = (size_t)(stop - name);
    if (n == 0 || n >= host_size || memchr(name, '\0', n) != NULL)
        return ERR_BAD_PARAM;
    *port = unless_given;
    if (rest < end && (*rest != ':' || !read_port(rest + 1, end, port)))
        return ERR_BAD_PARAM;
    if (*port == 0)
        return ERR_BAD_PARAM;
    memcpy(host, name, n);
    host[n] = '\0';
    return ERR_OK;
}

const char *
address_print(const char *host, int port, char *out, size_t size)
{
    (void)snprintf(out, size,
                   host[0] != '[' && strchr(host, ':') != NULL ? "[%s]:%d"
                                                               : "%s:%d",
                   host, port);
    return out;
}
