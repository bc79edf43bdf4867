/* Strings of a JSON text: UTF-8, escapes and surrogates are judged, and what
 * is taken is written in one canonical form. */
#include "hex.h"
#include "json_scan_int.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

/* Four hex digits; the caller has passed the "\u". */
static bool
scan_hex4(struct scan *s, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        int d = hex_digit(peek(s));

        if (d < 0)
            return false;
        *out = *out << 4 | (uint32_t)d;
    }
    return true;
}

static bool
in_range(uint32_t code, uint32_t low, uint32_t high)
{
    return code >= low && code <= high;
}

static enum err
scan_unicode(struct scan *s, uint32_t *code)
{
    uint32_t low;

    if (!scan_hex4(s, code))
        return scan_refuse(s, "\\u needs four hex digits");
    if (*code == 0)
        return scan_refuse(s, "\\u0000 is not allowed");
    if (in_range(*code, 0xdc00, 0xdfff))
        return scan_refuse(s, "lone surrogate");
    if (!in_range(*code, 0xd800, 0xdbff))
        return ERR_OK;
    if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
        return scan_refuse(s, "lone surrogate");
    s->p += 2;
    if (!scan_hex4(s, &low))
        return scan_refuse(s, "\\u needs four hex digits");
    if (!in_range(low, 0xdc00, 0xdfff))
        return scan_refuse(s, "lone surrogate");
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return ERR_OK;
}

/* One code point of a string in the one form that we write it in, so that
 * equal names are equal bytes. */
static void
put_code(struct scan *s, uint32_t code)
{
    static const char special[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *found = code < 0x80 ? strchr(special, (int)code) : NULL;
    char text[8];

    if (found != NULL) {
        putch(s, '\\');
        putch(s, letter[found - special]);
    } else if (code < 0x20) {
        (void)snprintf(text, sizeof(text), "\\u%04x", (unsigned)code);
        put(s, text, 6);
    } else {
        put(s, text, utf8_encode(text, code));
    }
}

static enum err
scan_escape(struct scan *s)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *found;
    uint32_t code;
    enum err e;
    char c;

    s->p++; /* the backslash */
    c = peek(s);
    found = c != '\0' ? strchr(from, c) : NULL;
    if (found != NULL) {
        s->p++;
        put_code(s, (unsigned char)to[found - from]);
        return ERR_OK;
    }
    if (c == '\'' && (s->lenient & JSON_SINGLE_QUOTES)) {
        s->p++;
        put_code(s, '\'');
        return ERR_OK;
    }
    if (c != 'u')
        return scan_refuse(s, "unknown escape in a string");
    s->p++;
    e = scan_unicode(s, &code);
    if (e == ERR_OK)
        put_code(s, code);
    return e;
}

static bool
is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' &&
           c != '\\' && c != '\'';
}

/* A byte that is no plain one, no end of the string: escape, UTF-8, quote of
 * the other kind, or a mistake. */
static enum err
scan_special(struct scan *s)
{
    size_t n;

    if (*s->p == '\\')
        return scan_escape(s);
    if (*s->p == '"' || *s->p == '\'') {
        put_code(s, (unsigned char)*s->p++);
        return ERR_OK;
    }
    if ((unsigned char)*s->p < 0x20)
        return scan_refuse(s, "control byte in a string");
    n = utf8_len(s->p, (size_t)(s->end - s->p));
    if (n == 0)
        return scan_refuse(s, "not UTF-8");
    put(s, s->p, n);
    s->p += n;
    return ERR_OK;
}

enum err
scan_chars(struct scan *s)
{
    char quote = *s->p++;

    for (;;) {
        const char *run = s->p;
        enum err e;

        while (s->p < s->end && is_plain(*s->p))
            s->p++;
        put(s, run, (size_t)(s->p - run));
        if (at_end(s))
            return scan_refuse(s, "string without end");
        if (*s->p == quote) {
            s->p++;
            return ERR_OK;
        }
        e = scan_special(s);
        if (e != ERR_OK)
            return e;
    }
}

bool
scan_at_quote(const struct scan *s)
{
    char c = peek(s);

    return c == '"' || (c == '\'' && (s->lenient & JSON_SINGLE_QUOTES));
}
