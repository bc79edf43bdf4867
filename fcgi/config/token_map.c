/* The lines of tokens.map. */
#include "token_map.h"

#include <stdio.h>
#include <string.h>

#include "scope.h"

#define NAME_LETTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

bool
token_name_ok(const char *name)
{
    size_t n = strspn(name, NAME_LETTERS);

    return n > 0 && n <= TOKEN_NAME_MAX && name[n] == '\0' && name[0] != '-';
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

/* "write ci 0 0123456789abcdef" */
static bool
parse_grant(struct span grant, struct token_line *out)
{
    char text[128], mark[2];
    int end = 0;
    size_t id;

    if (grant.n >= sizeof(text))
        return false;
    memcpy(text, grant.p, grant.n);
    text[grant.n] = '\0';
    if (sscanf(text, "%15[a-z] %64[^ ] %1[01]%n", out->scope, out->name, mark,
               &end) != 3)
        return false;
    if (text[end] == ' ') {
        id = strspn(text + ++end, "0123456789abcdef");
        if (id >= sizeof(out->id))
            return false;
        memcpy(out->id, text + end, id);
        out->id[id] = '\0';
        end += (int)id;
    }
    out->secrets = mark[0] == '1';
    out->rights = scope_rights(out->scope);
    return text[end] == '\0' && out->rights != 0 && token_name_ok(out->name);
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
    return true;
}
