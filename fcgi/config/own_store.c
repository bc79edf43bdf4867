/* The one reading of [mysql] hosts and port. */
#include "own_store.h"

#include <stdio.h>

#include "address.h"
#include "config.h"
#include "dialect.h"
#include "place.h"

bool
own_store(void)
{
    return str_empty(config()->mysql_hosts);
}

bool
own_store_address(char *out, size_t size)
{
    char host[PLACE_MACHINE_BYTES], at[ADDRESS_BYTES];

    if (!own_store() || config()->mysql_port == 0)
        return false;
    (void)address_print(place_machine(1, host), (int)config()->mysql_port, at,
                        sizeof(at));
    return (size_t)snprintf(out, size, "%s", at) < size;
}

enum err
store_hosts(char *out, size_t size)
{
    const char *list = config()->mysql_hosts;
    char socket[PLACE_BYTES];
    struct span s;
    size_t n = 0;

    out[0] = '\0';
    if (own_store()) {
        if (place_socket(socket, sizeof(socket), "mysql.sock") != ERR_OK)
            return ERR_LIMIT;
        n = (size_t)snprintf(out, size, "unix:%s", socket);
    }
    while (n < size && config_list_next(&list, &s))
        n += (size_t)snprintf(out + n, size - n, "%s%.*s", n > 0 ? "," : "",
                              (int)s.n, s.p);
    return n < size ? ERR_OK : ERR_LIMIT;
}

const char *const *
own_schema(size_t i)
{
    return dialect_row(NULL, offsetof(struct dialect, unlogged),
                       sizeof(const char *), i);
}
