/* Where a server is, as a text says it. */
#include "my_int.h"

#include <stdio.h>
#include <string.h>

static enum err
parse_port(const char *p, const char *end, unsigned *out)
{
    unsigned long v = 0;

    for (; p < end && *p >= '0' && *p <= '9' && v < 65536; p++)
        v = v * 10 + (unsigned long)(*p - '0');
    *out = (unsigned)v;
    return p == end && v > 0 && v < 65536 ? ERR_OK : ERR_BAD_PARAM;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static enum err
parse_tcp(const char *p, const char *end, struct my_address *out)
{
    const char *name = *p == '[' ? p + 1 : p, *stop = name;

    while (stop < end && *stop != ']' && *stop != '[' &&
           (*stop != ':' || *p == '['))
        stop++;
    (void)snprintf(out->name, sizeof(out->name), "%.*s", (int)(stop - name),
                   name);
    out->port = MYSQL_PORT;
    if (stop == name || (*p == '[' && (stop == end || *stop++ != ']')))
        return ERR_BAD_PARAM;
    if (stop == end)
        return ERR_OK;
    return *stop == ':' ? parse_port(stop + 1, end, &out->port) : ERR_BAD_PARAM;
}

enum err
my_address_parse(const char *text, size_t n, struct my_address *out)
{
    static const char scheme[] = "unix:";
    const size_t scheme_n = sizeof(scheme) - 1;

    if (n == 0 || n >= sizeof(out->name))
        return ERR_BAD_PARAM;
    (void)snprintf(out->label, sizeof(out->label), "%.*s", (int)n, text);
    if (strncmp(text, scheme, scheme_n) != 0)
        return parse_tcp(text, text + n, out);
    out->port = 0;
    (void)snprintf(out->name, sizeof(out->name), "%.*s", (int)(n - scheme_n),
                   text + scheme_n);
    return n > scheme_n ? ERR_OK : ERR_BAD_PARAM;
}
