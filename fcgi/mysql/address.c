/* Where a server is, as a text says it. */
#include "my_int.h"

#include <stdio.h>
#include <string.h>

#include "address.h"

enum err
my_address_parse(const char *text, size_t n, struct my_address *out)
{
    if (n == 0 || n >= sizeof(out->name))
        return ERR_BAD_PARAM;
    (void)snprintf(out->label, sizeof(out->label), "%.*s", (int)n, text);
    return address_read_server(text, n, MYSQL_PORT, out->name,
                               sizeof(out->name), &out->port);
}

enum err
my_address_of(const char *host, int port, struct my_address *out)
{
    /* with port 0 the host would be the path of a socket */
    if (str_empty(host) || port < 1 || port > 65535 ||
        strlen(host) >= sizeof(out->name))
        return ERR_BAD_PARAM;
    (void)snprintf(out->name, sizeof(out->name), "%s", host);
    out->port = (unsigned)port;
    (void)address_print(host, port, out->label, sizeof(out->label));
    return ERR_OK;
}
