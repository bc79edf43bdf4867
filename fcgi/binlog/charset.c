/* Charsets by the servers' names, and texts in them as UTF-8. */
#include "charset.h"

#include <errno.h>
#include <iconv.h>

#include "utf8.h"

/* The servers' names and the C library's; NULL: converted here, "" not at all.
 * Behind the zeroth, which is none. */
static const struct {
    const char *name, *iconv;
    unsigned unit; /* bytes of which all its characters are multiples */
} charsets[] = {
    { NULL, NULL, 1 },
    { "binary", "", 1 },
    { "utf8mb4", NULL, 1 },
    { "utf8mb3", NULL, 1 },
    { "utf8", NULL, 1 },
    { "ascii", NULL, 1 },
    { "latin1", NULL, 1 },
    { "latin2", "ISO-8859-2", 1 },
    { "latin5", "ISO-8859-9", 1 },
    { "latin7", "ISO-8859-13", 1 },
    { "cp1250", "CP1250", 1 },
    { "cp1251", "CP1251", 1 },
    { "cp1256", "CP1256", 1 },
    { "cp1257", "CP1257", 1 },
    { "cp850", "CP850", 1 },
    { "cp852", "CP852", 1 },
    { "cp866", "CP866", 1 },
    { "koi8r", "KOI8-R", 1 },
    { "koi8u", "KOI8-U", 1 },
    { "greek", "ISO-8859-7", 1 },
    { "hebrew", "ISO-8859-8", 1 },
    { "tis620", "TIS-620", 1 },
    { "macroman", "MACINTOSH", 1 },
    { "macce", "MACCENTRALEUROPE", 1 },
    { "gbk", "GBK", 1 },
    { "gb2312", "GB2312", 1 },
    { "gb18030", "GB18030", 1 },
    { "big5", "BIG5", 1 },
    { "sjis", "SHIFT-JIS", 1 },
    { "cp932", "CP932", 1 },
    { "ujis", "EUC-JP", 1 },
    { "eucjpms", "EUC-JP-MS", 1 },
    { "euckr", "UHC", 1 },
    { "ucs2", "UCS-2BE", 2 },
    { "utf16", "UTF-16BE", 2 },
    { "utf16le", "UTF-16LE", 2 },
    { "utf32", "UTF-32BE", 4 },
    { "dec8", "", 1 },
    { "hp8", "", 1 },
    { "swe7", "", 1 },
    { "armscii8", "", 1 },
    { "geostd8", "", 1 },
    { "keybcs2", "", 1 },
};
_Static_assert(COUNT(charsets) <= COUNT(((struct converters *)0)->open),
               "a converter for each charset");

static size_t
find_charset(const char *name)
{
    for (size_t i = 1; i < COUNT(charsets); i++)
        if (strcmp(charsets[i].name, name) == 0)
            return i;
    return 0;
}

void
collations_add(struct collations *c, uint64_t collation, const char *charset)
{
    if (collation < COLLATIONS_MAX)
        c->charset[collation] = (uint8_t)find_charset(charset);
}

const char *
charset_known(const char *charset)
{
    return charset != NULL ? charsets[find_charset(charset)].name : NULL;
}

const char *
collation_charset(const struct collations *c, uint64_t collation)
{
    if (collation == BINLOG_BINARY)
        return "binary";
    return collation < COLLATIONS_MAX ? charsets[c->charset[collation]].name
                                      : NULL;
}

/* ---- to UTF-8 ---- */

#define NO_COUNTERPART 0xfffd

static void
put_code(struct buf *out, uint32_t code)
{
    char text[4];

    buf_put(out, text, utf8_encode(text, code));
}

/* What is UTF-8 already, as far as it is. */
static void
put_utf8(const char *p, size_t n, struct buf *out)
{
    while (n > 0) {
        size_t run = 0, k = 0;

        while (run < n && (k = utf8_len(p + run, n - run)) > 0)
            run += k;
        buf_put(out, p, run);
        if (run == n)
            return;
        put_code(out, NO_COUNTERPART);
        p += run + 1;
        n -= run + 1;
    }
}

/* The servers' latin1 is cp1252, in which the five bytes that Windows left
 * out are control characters. */
static void
put_latin1(const char *p, size_t n, struct buf *out)
{
    static const uint16_t high[32] = {
        0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
        0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
        0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
    };

    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)p[i];

        put_code(out, c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c);
    }
}

static enum err
put_by_iconv(struct converters *c, size_t which, const char *p, size_t n,
             struct buf *out)
{
    iconv_t cd = (iconv_t)c->open[which];

    if (cd == NULL) {
        cd = iconv_open("UTF-8", charsets[which].iconv);
        if (cd == (iconv_t)-1)
            return ERR_BAD_PARAM;
        c->open[which] = cd;
    }
    (void)iconv(cd, NULL, NULL, NULL, NULL);
    while (n > 0) {
        char text[512], *to = text, *from = (char *)(uintptr_t)p;
        size_t room = sizeof(text), left = n;
        bool ok = iconv(cd, &from, &left, &to, &room) != (size_t)-1;

        buf_put(out, text, sizeof(text) - room);
        p = from;
        n = left;
        if (!ok && errno != E2BIG) { /* not of the charset, or cut */
            size_t skip = charsets[which].unit < n ? charsets[which].unit : n;

            put_code(out, NO_COUNTERPART);
            p += skip;
            n -= skip;
        }
    }
    return ERR_OK;
}

enum err
charset_to_utf8(struct converters *c, const char *charset, const char *p,
                size_t n, struct buf *out)
{
    size_t which = charset != NULL ? find_charset(charset) : 0;

    if (which == 0)
        return ERR_BAD_PARAM;
    if (charsets[which].iconv == NULL) {
        if (strcmp(charset, "latin1") == 0)
            put_latin1(p, n, out);
        else
            put_utf8(p, n, out);
        return buf_err(out);
    }
    if (charsets[which].iconv[0] == '\0')
        return ERR_BAD_PARAM;
    return put_by_iconv(c, which, p, n, out) == ERR_OK ? buf_err(out)
                                                       : ERR_BAD_PARAM;
}

void
converters_close(struct converters *c)
{
    for (size_t i = 0; i < COUNT(c->open); i++)
        if (c->open[i] != NULL)
            (void)iconv_close((iconv_t)c->open[i]);
    *c = (struct converters){ 0 };
}
