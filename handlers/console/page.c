/* Cursors: the parts of a key, each ended by a byte that none of them has, in
 * hex. They are ours to read, not the client's. */
#include "page.h"

#include <string.h>

#include "console.h"
#include "hex.h"
#include "utf8.h"

#define PART_END '\x1f'

static enum err
refuse(struct req *r)
{
    return req_fail(r, CONSOLE_CURSOR, ARGS());
}

/* Parts up to the end of the text, as many as a key has. */
static bool
split(char *text, struct console_key *out)
{
    for (size_t i = 0; i < CONSOLE_KEYS; i++) {
        char *end = strchr(text, PART_END);

        if (end == NULL)
            return false;
        *end = '\0';
        out->part[i] = text;
        text = end + 1;
    }
    return *text == '\0';
}

enum err
console_key_read(struct req *r, const char *cursor, struct console_key *out)
{
    size_t n = str_empty(cursor) ? 0 : strlen(cursor) / 2;
    char *text;

    for (size_t i = 0; i < CONSOLE_KEYS; i++)
        out->part[i] = "";
    if (str_empty(cursor))
        return ERR_OK;
    text = arena_alloc(r->arena, n + 1);
    if (text == NULL)
        return ERR_NOMEM;
    if (!hex_is(cursor, 2 * n, 2 * n) || !hex_read(cursor, text, n))
        return refuse(r);
    text[n] = '\0';
    if (strlen(text) != n || !utf8_valid(text, n) || !split(text, out))
        return refuse(r);
    return ERR_OK;
}

const char *
console_key_write(struct arena *a, const struct console_key *key)
{
    struct buf b = BUF_INIT(CONSOLE_CURSOR_TEXT);
    char *out = NULL;

    for (size_t i = 0; i < CONSOLE_KEYS; i++) {
        buf_puts(&b, key->part[i] == NULL ? "" : key->part[i]);
        buf_putc(&b, PART_END);
    }
    if (buf_err(&b) == ERR_OK)
        out = arena_alloc(a, 2 * b.n + 1);
    if (out != NULL)
        hex_write(b.p, b.n, out);
    buf_free(&b);
    return out;
}

const char *
console_key_u64(struct arena *a, uint64_t v)
{
    return arena_printf(a, "%llu", (unsigned long long)v);
}
