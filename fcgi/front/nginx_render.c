/* Templates: @NAME@ becomes a value. */
#include "nginx_render.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "embed.h"

void
nginx_set(struct nginx_vars *vars, const char *name, const char *value)
{
    size_t i;

    for (i = 0; i < vars->n && strcmp(vars->v[i].name, name) != 0; i++)
        ;
    assert(i < NGINX_VARS);
    vars->v[i].name = name;
    vars->v[i].value = value;
    if (i == vars->n)
        vars->n++;
}

const char *
nginx_template(const char *name)
{
    for (const struct embedded *f = embed_nginx; f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0)
            return f->text;
    }
    return NULL;
}

/* Length of "@NAME@" at p; 0 for a '@' of nginx's own (@too_large). */
static size_t
placeholder_bytes(const char *p)
{
    size_t n;

    if (*p != '@')
        return 0;
    n = strspn(p + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return n > 0 && p[n + 1] == '@' ? n + 2 : 0;
}

static const char *
find_value(const struct nginx_vars *vars, const char *name, size_t n)
{
    for (size_t i = 0; i < vars->n; i++) {
        if (strlen(vars->v[i].name) == n &&
            memcmp(vars->v[i].name, name, n) == 0)
            return vars->v[i].value;
    }
    return NULL;
}

/* One line of n bytes, its LF included. */
static enum err
expand_line(const struct nginx_vars *vars, const char *line, size_t n,
            struct buf *out, char why[WHY_BYTES])
{
    bool replaced = false, empty = true;
    size_t start = out->n, i = 0, len;
    const char *value;

    while (i < n) {
        len = placeholder_bytes(line + i);
        if (len == 0) {
            empty = empty && strchr(" \n", line[i]) != NULL;
            buf_putc(out, line[i++]);
            continue;
        }
        value = find_value(vars, line + i + 1, len - 2);
        if (value == NULL)
            return why_fail(why, ERR_INTERNAL, "unknown placeholder %.*s",
                            (int)len, line + i);
        buf_puts(out, value);
        empty = empty && str_empty(value);
        replaced = true;
        i += len;
    }
    if (replaced && empty && !out->failed) {
        out->n = start;
        out->p[start] = '\0';
    }
    return ERR_OK;
}

enum err
nginx_expand(const struct nginx_vars *vars, const char *text, struct buf *out,
             char why[WHY_BYTES])
{
    enum err e = ERR_OK;

    while (*text != '\0' && e == ERR_OK) {
        const char *lf = strchr(text, '\n');
        size_t n = lf != NULL ? (size_t)(lf - text) + 1 : strlen(text);

        e = expand_line(vars, text, n, out, why);
        text += n;
    }
    return e != ERR_OK ? e : buf_err(out);
}
