/* Keys of the Meta Service: whatever the bytes, fields lie inside them, in
 * order, and what they show is UTF-8 without control bytes. */
#include "doris/key/key_codec.h"

#include <string.h>

#include "fuzz.h"
#include "utf8.h"

static void
check_field(const struct key_field *f, size_t n)
{
    HOLDS(f->offset < n);
    HOLDS(f->text != NULL && utf8_valid(f->text, strlen(f->text)));
    for (const char *p = f->text; *p != '\0'; p++)
        HOLDS((unsigned char)*p >= 0x20 && *p != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(64 << 20);
    struct key_field *v;
    size_t fields = 0;
    enum err e;

    HOLDS(a != NULL);
    e = key_decode(a, data, n, &v, &fields);
    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM || e == ERR_NOMEM);
    for (size_t i = 0; e == ERR_OK && i < fields; i++) {
        check_field(&v[i], n);
        HOLDS(i == 0 || v[i].offset > v[i - 1].offset);
    }
    arena_free(a);
    return 0;
}
