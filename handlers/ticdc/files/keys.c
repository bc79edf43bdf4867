/* Names of files. */
#include "keys.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "ticdc/core/tso.h"

void
keys_date(enum keys_date by, uint64_t ts, const struct zone_choice *zone,
          char out[KEYS_DATE_MAX])
{
    /* of "2024-03-05" */
    static const size_t lengths[] = {
        [KEYS_NO_DATE] = 0, [KEYS_YEAR] = 4, [KEYS_MONTH] = 7, [KEYS_DAY] = 10
    };
    int64_t s = (int64_t)(tso_ms(ts) / 1000);
    char at[CLOCK_TEXT];

    s += zone_ahead_s(zone, s);
    (void)clock_print(s, zone->local, CLOCK_DAY, at);
    (void)snprintf(out, KEYS_DATE_MAX, "%.*s", (int)lengths[by],
                   strlen(at) == 10 ? at : "");
}

static void
put_name(struct buf *b, const char *name)
{
    for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++)
        if ((*p < 0x80 && isalnum(*p)) || *p == '-' || *p == '_')
            buf_putc(b, (char)*p);
        else
            buf_printf(b, ".%02x", *p);
}

/* "schema/" or "schema/table/". */
static struct buf
begin(const char *schema, const char *table, char out[KEYS_MAX])
{
    struct buf b = { .p = out, .cap = KEYS_MAX, .max = KEYS_MAX - 1 };

    put_name(&b, schema);
    buf_putc(&b, '/');
    if (!str_empty(table)) {
        put_name(&b, table);
        buf_putc(&b, '/');
    }
    return b;
}

enum err
keys_shape(const char *schema, const char *table, uint64_t version,
           uint32_t sum, char out[KEYS_MAX])
{
    struct buf b = begin(schema, table, out);

    buf_printf(&b, "meta/schema_%" PRIu64 "_%010" PRIu32 ".json", version, sum);
    return buf_err(&b);
}

enum err
keys_version(const char *schema, const char *table, char out[KEYS_MAX])
{
    struct buf b = begin(schema, table, out);

    buf_puts(&b, "meta/CDC.version");
    return buf_err(&b);
}

enum err
keys_folder(const char *schema, const char *table, uint64_t version,
            const char *date, char out[KEYS_MAX])
{
    struct buf b = begin(schema, table, out);

    buf_u64(&b, version);
    if (!str_empty(date)) {
        buf_putc(&b, '/');
        buf_puts(&b, date);
    }
    return buf_err(&b);
}

enum err
keys_index(const char *folder, char out[KEYS_MAX])
{
    int n = snprintf(out, KEYS_MAX, "%s/meta/CDC.index", folder);

    return n > 0 && n < KEYS_MAX ? ERR_OK : ERR_LIMIT;
}

enum err
keys_rows(const char *folder, uint64_t number, unsigned digits,
          const char *extension, char out[KEYS_MAX])
{
    int n = snprintf(out, KEYS_MAX, "%s/CDC%0*" PRIu64 ".%s", folder,
                     (int)digits, number, extension);

    return n > 0 && n < KEYS_MAX ? ERR_OK : ERR_LIMIT;
}

uint64_t
keys_number(const char *text)
{
    const char *at = strstr(text, "CDC");
    char *end;
    uint64_t n;

    if (at == NULL || !isdigit((unsigned char)at[3]))
        return 0;
    n = strtoull(at + 3, &end, 10);
    return *end == '.' && n < UINT64_MAX / 2 ? n : 0;
}
