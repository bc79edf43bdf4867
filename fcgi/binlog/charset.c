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
    { "tis620", "ISO-8859-11", 1 },
    { "macroman", "MACINTOSH", 1 },
    { "macce", "MAC-CENTRALEUROPE", 1 },
    { "gbk", "GBK", 1 },
    { "gb2312", "GB2312", 1 },
    { "gb18030", "GB18030", 1 },
    { "big5", "CP950", 1 },
    { "sjis", "SHIFT-JIS", 1 },
    { "cp932", "CP932", 1 },
    { "ujis", "EUC-JP-MS", 1 },
    { "eucjpms", "EUC-JP-MS", 1 },
    { "euckr", "UHC", 1 },
    { "ucs2", "UCS-2BE", 2 },
    { "utf16", "UTF-16BE", 2 },
    { "utf16le", "UTF-16LE", 2 },
    { "utf32", "UTF-32BE", 4 },
    { "dec8", "DEC-MCS", 1 },
    { "hp8", "HP-ROMAN8", 1 },
    { "swe7", "SEN_850200_C", 1 },
    { "armscii8", "ARMSCII-8", 1 },
    { "geostd8", "", 1 },
    { "keybcs2", "", 1 },
};
/* Characters that the servers take for others than the C library does: n from
 * `from` on are those from `to` on. Of NO_COUNTERPART it is the byte that the
 * library does not know at all. */
#define NO_COUNTERPART 0xfffd
static const struct patch {
    const char *charset;
    uint32_t from, to;
    uint16_t n;
    uint8_t byte;
} patches[] = {
    { "armscii8", NO_COUNTERPART, 0x2741, 1, 0xa1 },
    { "armscii8", 0x0587, 0x00a7, 1, 0 },
    { "armscii8", 0x058a, 0x055f, 1, 0 },
    { "armscii8", 0x055a, 0x2019, 1, 0 },
    { "big5", 0x00af, 0x203e, 1, 0 },
    { "big5", 0x2027, 0x2022, 1, 0 },
    { "big5", 0x2215, 0xff0f, 1, 0 },
    { "big5", 0x2295, 0x2641, 1, 0 },
    { "big5", 0x2299, 0x2609, 1, 0 },
    { "big5", 0xf6b1, 0x30fe, 1, 0 },
    { "big5", 0xf6b2, 0x309d, 2, 0 },
    { "big5", 0xf6b4, 0x3005, 1, 0 },
    { "big5", 0xf6b5, 0x3041, 83, 0 },
    { "big5", 0xf708, 0x30a1, 86, 0 },
    { "big5", 0xf75e, 0x0414, 2, 0 },
    { "big5", 0xf760, 0x0401, 1, 0 },
    { "big5", 0xf761, 0x0416, 7, 0 },
    { "big5", 0xf768, 0x0423, 19, 0 },
    { "big5", 0xf77b, 0x0451, 1, 0 },
    { "big5", 0xf77c, 0x0436, 26, 0 },
    { "big5", 0xf796, 0x2460, 10, 0 },
    { "big5", 0xf7a0, 0x2474, 10, 0 },
    { "big5", 0xfe51, 0xff64, 1, 0 },
    { "big5", 0xfe68, 0xff3c, 1, 0 },
    { "big5", 0xff5e, 0x223c, 1, 0 },
    { "big5", 0xffe0, 0x00a2, 2, 0 },
    { "big5", 0xffe5, 0x00a5, 1, 0 },
    { "cp866", 0x00a4, 0x00b2, 1, 0 },
    { "cp866", 0x2116, 0x207f, 1, 0 },
    { "dec8", NO_COUNTERPART, 0x00a0, 1, 0xa0 },
    { "greek", 0x2018, 0x02bd, 1, 0 },
    { "greek", 0x2019, 0x02bc, 1, 0 },
    { "hebrew", 0x00af, 0x203e, 1, 0 },
    { "koi8u", 0x2219, 0x2022, 1, 0 },
    { "macroman", 0x0394, 0x2206, 1, 0 },
    { "macroman", 0xe01e, 0xf8ff, 1, 0 },
    { "sjis", 0x203e, 0x007e, 1, 0 },
    { "sjis", 0xff3c, 0x005c, 1, 0 },
    { "swe7", 0x00a4, 0x0024, 1, 0 },
    { "ujis", 0x2225, 0x2016, 1, 0 },
    { "ujis", 0xff0d, 0x2212, 1, 0 },
    { "ujis", 0xff5e, 0x301c, 1, 0 },
    { "ujis", 0xffe0, 0x00a2, 2, 0 },
    { "ujis", 0xffe2, 0x00ac, 1, 0 },
    { "ujis", 0xffe4, 0x00a6, 1, 0 },
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
        size_t run = utf8_ascii(p, n), k = 0;

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

    while (n > 0) {
        size_t run = utf8_ascii(p, n);

        buf_put(out, p, run);
        p += run;
        n -= run;
        for (; n > 0 && (uint8_t)*p >= 0x80; p++, n--) {
            uint8_t c = (uint8_t)*p;

            put_code(out, c < 0xa0 ? high[c - 0x80] : c);
        }
    }
}

static uint32_t
patched(const char *charset, uint32_t code, uint8_t byte)
{
    for (size_t i = 0; i < COUNT(patches); i++) {
        const struct patch *p = &patches[i];

        if (code - p->from < p->n && byte == p->byte &&
            strcmp(p->charset, charset) == 0)
            return p->to + (code - p->from);
    }
    return code;
}

static bool
has_patches(const char *charset)
{
    for (size_t i = 0; i < COUNT(patches); i++)
        if (strcmp(patches[i].charset, charset) == 0)
            return true;
    return false;
}

/* What the library has made of some of it: whole characters. */
static void
put_made(const char *charset, bool has, const char *p, size_t n,
         struct buf *out)
{
    size_t k;

    if (!has) {
        buf_put(out, p, n);
        return;
    }
    for (; n > 0; p += k, n -= k) {
        k = utf8_len(p, n);
        if (k == 0)
            return;
        put_code(out, patched(charset, utf8_decode(p, k), 0));
    }
}

static enum err
put_by_iconv(struct converters *c, size_t which, const char *p, size_t n,
             struct buf *out)
{
    iconv_t cd = (iconv_t)c->open[which];
    const char *charset = charsets[which].name;
    bool has = has_patches(charset);

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

        put_made(charset, has, text, sizeof(text) - room, out);
        p = from;
        n = left;
        if (!ok && errno != E2BIG) { /* not of the charset, or cut */
            size_t skip = charsets[which].unit < n ? charsets[which].unit : n;

            put_code(out, patched(charset, NO_COUNTERPART, (uint8_t)*p));
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
    if (str_empty(charsets[which].iconv))
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
