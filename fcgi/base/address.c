/* Texts that say where to connect to. */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

const unsigned char address_v4[12] = { [10] = 0xff, 0xff };

/* Digits alone, 1 to 65535; one port has one spelling. */
static bool
read_port(const char *p, const char *end, unsigned *out)
{
    uint64_t v;

    if (p == end || *p == '0' || !number_take(&p, end, 65535, &v) || p != end)
        return false;
    *out = (unsigned)v;
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

enum err
address_read_server(const char *text, size_t n, unsigned unless_given,
                    char *name, size_t size, unsigned *port)
{
    static const char scheme[] = "unix:";
    const size_t skip = sizeof(scheme) - 1;

    if (n < skip || memcmp(text, scheme, skip) != 0)
        return address_read(text, n, unless_given, name, size, port);
    text += skip;
    n -= skip;
    if (n == 0 || *text != '/' || n >= size || memchr(text, '\0', n) != NULL)
        return ERR_BAD_PARAM;
    *port = 0;
    memcpy(name, text, n);
    name[n] = '\0';
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

bool
address_bytes(const char *text, unsigned char out[16])
{
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    memcpy(out, address_v4, sizeof(address_v4));
    return inet_pton(AF_INET, text, out + sizeof(address_v4)) == 1;
}

bool
network_read(const char *text, size_t n, struct network *out)
{
    char copy[64];
    char *slash;
    int64_t bits, max;

    if (n == 0 || n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    slash = strchr(copy, '/');
    if (slash != NULL)
        *slash++ = '\0';
    if (!address_bytes(copy, out->bytes))
        return false;
    max = strchr(copy, ':') != NULL ? 128 : 32;
    bits = max;
    if (slash != NULL && !number_read(slash, max, &bits))
        return false;
    out->bits = (unsigned)(bits + (max == 32 ? 96 : 0));
    return true;
}
