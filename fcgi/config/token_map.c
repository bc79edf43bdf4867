/* The lines of tokens.map. */
#include "token_map.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "hex.h"
#include "number.h"
#include "place.h"
#include "scope.h"

#define HEX        "0123456789abcdef"
#define TIME_MAX_S 999999999999 /* of 12 digits */
#define NAME_LETTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

bool
token_name_ok(const char *name)
{
    size_t n = strspn(name, NAME_LETTERS);

    return n > 0 && n <= TOKEN_NAME_MAX && name[n] == '\0' && name[0] != '-';
}

bool
token_expired(int64_t expires_s)
{
    return expires_s != 0 && clock_unix_s() >= expires_s;
}

bool
token_id_ok(const char *id)
{
    return hex_is(id, TOKEN_ID_TEXT - 1, TOKEN_ID_TEXT - 1);
}

enum err
token_use_path(const char *id, char *out, size_t size)
{
    char below[8 + TOKEN_ID_TEXT];

    (void)snprintf(below, sizeof(below), "used/%s", id);
    return place_path(out, size, below);
}

/* The seconds at *p, which moves behind them. */
static bool
take_time(const char **p, const char *end, int64_t *out)
{
    uint64_t v;

    if (!number_take(p, end, TIME_MAX_S, &v))
        return false;
    *out = (int64_t)v;
    return v > 0;
}

/* The text between two quotes at *p, which moves behind it. */
static bool
take_quoted(const char **p, const char *end, struct span *out)
{
    const char *start = *p, *quote;

    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    if (start == end || *start != '"')
        return false;
    quote = memchr(start + 1, '"', (size_t)(end - start - 1));
    if (quote == NULL)
        return false;
    *out = (struct span){ start + 1, (size_t)(quote - start - 1) };
    *p = quote + 1;
    return true;
}

/* "write ci 0 0123456789abcdef 1796000000", into what is zero. */
static bool
parse_grant(struct span grant, struct token_line *out)
{
    char text[128], mark[2];
    const char *p, *stop;
    int end = 0;
    size_t id;

    if (grant.n >= sizeof(text))
        return false;
    memcpy(text, grant.p, grant.n);
    text[grant.n] = '\0';
    if (sscanf(text, "%15[a-z] %64[^ ] %1[01]%n", out->scope, out->name, mark,
               &end) != 3)
        return false;
    p = text + end;
    stop = text + grant.n;
    if (*p == ' ') {
        id = strspn(++p, HEX);
        if (id != 0 && id != sizeof(out->id) - 1)
            return false;
        memcpy(out->id, p, id);
        p += id;
    }
    if (*p == ' ') {
        p++;
        if (str_empty(out->id) || !take_time(&p, stop, &out->expires_s))
            return false;
    }
    out->secrets = mark[0] == '1';
    out->rights = scope_rights(out->scope);
    return p == stop && out->rights != 0 && token_name_ok(out->name);
}

/* What follows the grant: when the token was made, if that is all of it. */
static int64_t
parse_made(const char *p, const char *end)
{
    static const char word[] = " # created ";
    int64_t made_s;

    if ((size_t)(end - p) < sizeof(word) ||
        memcmp(p, word, sizeof(word) - 1) != 0)
        return 0;
    p += sizeof(word) - 1;
    return take_time(&p, end, &made_s) && p == end ? made_s : 0;
}

bool
token_map_next(const char **text, struct token_line *out)
{
    const char *p = *text, *end;
    struct span grant;

    *out = (struct token_line){ .line = { p, strcspn(p, "\n") } };
    if (*p == '\0')
        return false;
    end = p + out->line.n;
    if (*end == '\n')
        out->line.n++;
    *text = p + out->line.n;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    if (p == end || *p == '#')
        return true;
    out->broken = !take_quoted(&p, end, &out->token) || out->token.n == 0 ||
                  out->token.n > TOKEN_MAX_BYTES ||
                  !take_quoted(&p, end, &grant) || p == end || *p != ';' ||
                  !parse_grant(grant, out);
    if (out->broken)
        out->token.n = 0;
    else
        out->created_s = parse_made(p + 1, end);
    return true;
}
