/* Backups and tables as they are read. The first byte says what follows: 'A' an
 * archive, 'T' a tar, which is put in gzip's frame here, 'X' an xbstream, 'L'
 * the list of a table's files. */
#include "backup/archive.h"

#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "backup/table_int.h"
#include "backup/xbstream.h"

struct payload {
    size_t n;
};

static bool
count(void *ctx, const char *p, size_t n)
{
    struct payload *got = ctx;

    HOLDS(n > 0 && p != NULL);
    got->n += n;
    return got->n < (8 << 20);
}

static void
read_archive(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(4 << 20);
    struct payload got = { 0 };
    struct unpack *u = unpack_new(count, &got);
    struct instance_backup b;
    char why[WHY_BYTES] = "";
    size_t at = 0, piece;
    enum err e;

    HOLDS(a != NULL && u != NULL);
    for (bool ok = true; ok && at < n; at += piece) {
        piece = n - at < 777 ? n - at : 777;
        ok = unpack_write(u, (const char *)data + at, piece);
    }
    e = unpack_end(u, a, &b, why);
    HOLDS(e == ERR_OK || why[0] != '\0');
    HOLDS(e != ERR_OK || (b.completed && b.payload_bytes == (int64_t)got.n));
    unpack_free(u);
    arena_free(a);
}

static void
read_tar(const uint8_t *data, size_t n)
{
    z_stream z = { 0 };
    uLong most;
    uint8_t *out;

    HOLDS(deflateInit2(&z, 0, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
    most = deflateBound(&z, (uLong)n);
    out = malloc(most);
    HOLDS(out != NULL);
    z.next_in = (z_const Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)most;
    HOLDS(deflate(&z, Z_FINISH) == Z_STREAM_END);
    read_archive(out, most - z.avail_out);
    (void)deflateEnd(&z);
    free(out);
}

/* What is cut into pieces is judged alike. */
static void
read_stream(const uint8_t *data, size_t n)
{
    struct xbstream whole = XBSTREAM_INIT, bytes = XBSTREAM_INIT;
    bool ok = xbstream_look(&whole, (const char *)data, n), ok_bytes = true;

    for (size_t i = 0; ok_bytes && i < n; i++)
        ok_bytes = xbstream_look(&bytes, (const char *)data + i, 1);
    HOLDS(ok == ok_bytes);
    HOLDS(!ok || xbstream_may_end(&whole) == xbstream_may_end(&bytes));
}

/* No file is named but by its number, and their bytes can be added up. */
static void
read_list(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(4 << 20);
    char why[WHY_BYTES] = "", tag[65];
    struct instance_table t;
    enum err e;

    HOLDS(a != NULL);
    e = table_list_read(a, (const char *)data, n, &t, why);
    HOLDS(e == ERR_OK || why[0] != '\0');
    HOLDS(table_list_tag((const char *)data, n, tag) == ERR_OK);
    for (size_t i = 0; e == ERR_OK && i < t.files.n; i++)
        HOLDS(strspn(t.files.v[i].name, "0123456789") > 0 &&
              strchr(t.files.v[i].name, '/') == NULL);
    HOLDS(e != ERR_OK || table_stream_bytes(&t, n) >= (int64_t)n);
    arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 0 && data[0] == 'A')
        read_archive(data + 1, n - 1);
    else if (n > 0 && data[0] == 'T')
        read_tar(data + 1, n - 1);
    else if (n > 0 && data[0] == 'X')
        read_stream(data + 1, n - 1);
    else if (n > 0 && data[0] == 'L')
        read_list(data + 1, n - 1);
    return 0;
}
