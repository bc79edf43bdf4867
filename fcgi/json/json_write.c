/* The JSON writer. It is the hot path of every reply: bytes that need no
 * escape are found eight at a time or by a table and copied in runs, integers
 * are printed by digit pairs, and what fits into the buffer goes there without
 * a call. */
#include "json_write_int.h"

#include "utf8.h"

const struct json_style json_compact = { 0 };
const struct json_style json_protobuf = { .i64_as_string = true };
const struct json_style json_readable = { .indent = 2 };

/* Why a byte of a string may not be copied as it is. */
enum {
    ESC_ALWAYS = 1 << 0, /* control byte, quote, backslash */
    ESC_HIGH = 1 << 1,   /* beyond ASCII: to be checked at least */
    ESC_HTML = 1 << 2,   /* < > & */
};

#define A   ESC_ALWAYS
#define H   ESC_HTML
#define X   ESC_HIGH
#define A8  A, A, A, A, A, A, A, A
#define O8  0, 0, 0, 0, 0, 0, 0, 0
#define X8  X, X, X, X, X, X, X, X
#define X32 X8, X8, X8, X8

static const unsigned char escapes[256] = {
    A8,  A8,  A8,  A8,                        /* 00-1f */
    0,   0,   A,   0,   0, 0, H, 0, O8,       /* 20-2f: " & */
    O8,  0,   0,   0,   0, H, 0, H, 0,        /* 30-3f: < > */
    O8,  O8,  O8,  0,   0, 0, 0, A, 0,  0, 0, /* 40-5f: \ */
    O8,  O8,  O8,  O8,                        /* 60-7f */
    X32, X32, X32, X32,                       /* 80-ff */
};

#undef A
#undef H
#undef X
#undef A8
#undef O8
#undef X8
#undef X32

/* ---- strings ---- */

static void
put_u16(struct json_writer *w, unsigned code)
{
    const char *hex =
        w->style->upper_hex ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[6] = "\\u";

    for (int i = 0; i < 4; i++)
        text[2 + i] = hex[code >> (12 - 4 * i) & 15];
    put(w->out, text, sizeof(text));
}

static void
put_ascii_escape(struct json_writer *w, unsigned char c)
{
    static const char letters[] = "btn\0fr"; /* of bytes 8 to 13 */
    char letter = '\0';

    if (c == '"' || c == '\\')
        letter = (char)c;
    else if (c >= 8 && c <= 13)
        letter = letters[c - 8];
    if (letter == '\0') {
        put_u16(w, c);
        return;
    }
    putch(w->out, '\\');
    putch(w->out, letter);
}

/* As Go does, the two line separators that end a line of JavaScript. */
static bool
is_line_separator(uint32_t code)
{
    return code == 0x2028 || code == 0x2029;
}

static void
put_code_escape(struct json_writer *w, uint32_t code)
{
    if (code >= 0x10000) {
        put_u16(w, 0xd800 + ((code - 0x10000) >> 10));
        put_u16(w, 0xdc00 + ((code - 0x10000) & 0x3ff));
        return;
    }
    put_u16(w, code);
}

/* One sequence beyond ASCII, and how long it was. What is not UTF-8 becomes
 * U+FFFD byte by byte: a reply is valid JSON whatever the text came from. */
static size_t
put_high(struct json_writer *w, const char *p, size_t n)
{
    size_t k = utf8_len(p, n);
    uint32_t code = k > 0 ? utf8_decode(p, k) : 0xfffd;

    if (w->style->ascii_only ||
        (w->style->html_escape && is_line_separator(code)))
        put_code_escape(w, code);
    else if (k > 0)
        put(w->out, p, k);
    else
        put(w->out, "\xef\xbf\xbd", 3);
    return k > 0 ? k : 1;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of every byte that is 0; of bytes above one, too, it may be. */
static uint64_t
zeros(uint64_t v)
{
    return (v - EACH(1)) & ~v & EACH(0x80);
}

/* How many bytes, eight at a time, are ASCII without control byte, quote and
 * backslash: what follows is for the table. */
static size_t
plain_eights(const char *p, size_t n)
{
    size_t i = 0;
    uint64_t v, below_blank;

    for (; n - i >= sizeof(v); i += sizeof(v)) {
        memcpy(&v, p + i, sizeof(v));
        below_blank = (v - EACH(' ')) & ~v & EACH(0x80);
        if (((v & EACH(0x80)) | below_blank | zeros(v ^ EACH('"')) |
             zeros(v ^ EACH('\\'))) != 0)
            break;
    }
    return i;
}

static void
put_chars(struct json_writer *w, const char *p, size_t n)
{
    unsigned char mask = ESC_ALWAYS | ESC_HIGH;
    const char *end = p + n;

    if (w->style->html_escape)
        mask |= ESC_HTML;
    for (;;) {
        const char *run = p;

        if (!w->style->html_escape)
            p += plain_eights(p, (size_t)(end - p));
        while (p < end && !(escapes[(unsigned char)*p] & mask))
            p++;
        if (p > run)
            put(w->out, run, (size_t)(p - run));
        if (p == end)
            return;
        if ((unsigned char)*p >= 0x80)
            p += put_high(w, p, (size_t)(end - p));
        else
            put_ascii_escape(w, (unsigned char)*p++);
    }
}

static void
put_quoted(struct json_writer *w, const char *p, size_t n)
{
    putch(w->out, '"');
    put_chars(w, p, n);
    putch(w->out, '"');
}

/* ---- containers and names ---- */

void
json_new_line(struct json_writer *w)
{
    putch(w->out, '\n');
    buf_fill(w->out, ' ', indentation(w));
}

void
jw_init(struct json_writer *w, struct buf *out, const struct json_style *style)
{
    *w = (struct json_writer){ .out = out, .style = style };
}

static void
open_container(struct json_writer *w, char c)
{
    before_value(w);
    putch(w->out, c);
    w->depth++;
    w->need_comma = false;
}

static void
close_container(struct json_writer *w, char c)
{
    w->depth--;
    if (w->need_comma && w->style->indent > 0)
        json_new_line(w);
    putch(w->out, c);
    w->need_comma = true;
}

void
jw_object(struct json_writer *w)
{
    open_container(w, '{');
}

void
jw_object_end(struct json_writer *w)
{
    close_container(w, '}');
}

void
jw_array(struct json_writer *w)
{
    open_container(w, '[');
}

void
jw_array_end(struct json_writer *w)
{
    close_container(w, ']');
}

static inline void
after_name(struct json_writer *w)
{
    putch(w->out, ':');
    if (w->style->key_space || w->style->indent > 0)
        putch(w->out, ' ');
    w->after_key = true;
}

static void
put_key(struct json_writer *w, const char *key, size_t n)
{
    separate(w);
    put_quoted(w, key, n);
    after_name(w);
}

void
jw_key(struct json_writer *w, const char *key)
{
    put_key(w, key, strlen(key));
}

/* All that stands before a member's value in one piece, when it fits. */
void
jw_plain_key(struct json_writer *w, const char *key, size_t n)
{
    bool lines = w->style->indent > 0;
    size_t blanks = lines ? indentation(w) : 0;
    char *to = buf_room(w->out, n + blanks + 6);

    if (to == NULL) {
        put_key(w, key, n);
        return;
    }
    if (w->need_comma)
        *to++ = ',';
    if (lines) {
        *to++ = '\n';
        memset(to, ' ', blanks);
        to += blanks;
    }
    *to++ = '"';
    copy(to, key, n);
    to += n;
    *to++ = '"';
    *to++ = ':';
    if (lines || w->style->key_space)
        *to++ = ' ';
    *to = '\0';
    w->out->n = (size_t)(to - w->out->p);
    w->need_comma = w->after_key = true;
}

/* ---- values that are strings ---- */

void
jw_strn(struct json_writer *w, const char *s, size_t n)
{
    before_value(w);
    put_quoted(w, s, n);
}

void
jw_str(struct json_writer *w, const char *s)
{
    jw_strn(w, s, strlen(s));
}

void
jw_key_str(struct json_writer *w, const char *key, const char *s)
{
    jw_key(w, key);
    jw_str(w, s);
}
