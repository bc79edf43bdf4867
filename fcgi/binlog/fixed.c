/* Types of MariaDB whose values the log has as bytes. */
#include "binlog.h"

#include <arpa/inet.h>
#include <string.h>

#include "hex.h"

size_t
binlog_fixed_text(enum binlog_fixed type, const void *p, size_t n,
                  char out[BINLOG_FIXED_TEXT])
{
    uint8_t raw[16] = { 0 };

    if (n > (type == BINLOG_INET4 ? 4 : sizeof(raw)))
        return 0;
    memcpy(raw, p, n);
    if (type == BINLOG_UUID)
        uuid_write(raw, out);
    else if (inet_ntop(type == BINLOG_INET4 ? AF_INET : AF_INET6, raw, out,
                       BINLOG_FIXED_TEXT) == NULL)
        return 0;
    return strlen(out);
}
