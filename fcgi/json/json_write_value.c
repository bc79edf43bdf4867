/* The JSON writer's values: numbers, words, base64 and ready text. */
#include "json_write_int.h"

#include <math.h>
#include <stdio.h>

#include "hex.h"
#include "number.h"

#define PIECE 192 /* bytes of base64 at a time: a multiple of 3 */

/* Text without bytes to escape, quoted or not. */
static inline void
put_plain(struct json_writer *w, const char *p, size_t n, bool quoted)
{
    before_value(w);
    if (quoted)
        putch(w->out, '"');
    put(w->out, p, n);
    if (quoted)
        putch(w->out, '"');
}

/* A sign, the digits of v and quotes, straight into the buffer if they fit. */
static void
put_integer(struct json_writer *w, bool negative, uint64_t v, bool quoted)
{
    char text[24];
    char *room_at, *from, *to;

    before_value(w);
    room_at = buf_room(w->out, sizeof(text));
    from = to = room_at != NULL ? room_at : text;
    if (quoted)
        *to++ = '"';
    if (negative)
        *to++ = '-';
    to += buf_digits(to, v);
    if (quoted)
        *to++ = '"';
    if (room_at == NULL) {
        buf_put(w->out, from, (size_t)(to - from));
        return;
    }
    *to = '\0';
    w->out->n += (size_t)(to - from);
}

static inline void
put_i64(struct json_writer *w, int64_t v, bool quoted)
{
    put_integer(w, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, quoted);
}

void
jw_i32(struct json_writer *w, int32_t v)
{
    put_i64(w, v, w->style->all_leaves_string);
}

void
jw_i64(struct json_writer *w, int64_t v)
{
    put_i64(w, v, w->style->all_leaves_string || w->style->i64_as_string);
}

void
jw_u64(struct json_writer *w, uint64_t v)
{
    put_integer(w, false, v,
                w->style->all_leaves_string || w->style->i64_as_string);
}

/* As table printers do: two places, no "-0.00". */
static int
print_two_places(char *text, size_t size, double v)
{
    return snprintf(text, size, "%.2f", fabs(v) < 0.005 ? 0.0 : v);
}

void
jw_f64(struct json_writer *w, double v)
{
    char text[352]; /* the largest double by %.2f */
    bool strings = w->style->all_leaves_string;
    int n;

    if (!isfinite(v)) { /* JSON has no word for it */
        jw_null(w);
        return;
    }
    n = strings ? print_two_places(text, sizeof(text), v)
                : number_shortest(text, sizeof(text), v);
    put_plain(w, text, (size_t)n, strings);
}

void
jw_bool(struct json_writer *w, bool v)
{
    put_plain(w, v ? "true" : "false", v ? 4 : 5, w->style->all_leaves_string);
}

void
jw_null(struct json_writer *w)
{
    if (w->style->all_leaves_string)
        put_plain(w, "", 0, true);
    else
        put_plain(w, "null", 4, false);
}

void
jw_base64(struct json_writer *w, const void *p, size_t n)
{
    char text[BASE64_TEXT(PIECE)];
    const char *from = p;

    before_value(w);
    putch(w->out, '"');
    for (size_t k; n > 0; from += k, n -= k) {
        k = n < PIECE ? n : PIECE;
        base64_write(from, k, text);
        put(w->out, text, strlen(text));
    }
    putch(w->out, '"');
}

/* ---- text that is JSON already ---- */

static const char *
end_of_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : end;
}

static const char *
end_of_word(const char *p, const char *end)
{
    while (p < end && strchr("{}[],:\" \t\r\n", *p) == NULL)
        p++;
    return p;
}

static const char *
skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* Empty containers have nothing between their ends. */
static const char *
put_opening(struct json_writer *w, const char *p, const char *end)
{
    putch(w->out, *p);
    p = skip_blanks(p + 1, end);
    if (p < end && (*p == '}' || *p == ']')) {
        putch(w->out, *p);
        return p + 1;
    }
    w->depth++;
    json_new_line(w);
    return p;
}

static const char *
put_token(struct json_writer *w, const char *p, const char *end, int least)
{
    const char *next = p + 1;

    switch (*p) {
    case '{':
    case '[':
        return put_opening(w, p, end);
    case '}':
    case ']':
        w->depth -= w->depth > least; /* whatever the text is */
        json_new_line(w);
        break;
    case ',':
        putch(w->out, ',');
        json_new_line(w);
        return next;
    case ':':
        put(w->out, ": ", 2);
        return next;
    case '"':
        next = end_of_string(p, end);
        break;
    default:
        next = end_of_word(p, end);
        next = next > p ? next : p + 1;
        break;
    }
    put(w->out, p, (size_t)(next - p));
    return next;
}

void
jw_raw(struct json_writer *w, const char *p, size_t n)
{
    const char *end = p + n;
    int depth = w->depth;

    if (n == 0) { /* an absent text is no JSON */
        jw_null(w);
        return;
    }
    before_value(w);
    if (w->style->indent == 0) {
        put(w->out, p, n);
        return;
    }
    for (p = skip_blanks(p, end); p < end; p = skip_blanks(p, end))
        p = put_token(w, p, end, depth);
    w->depth = depth;
}
