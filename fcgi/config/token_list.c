/* tokens.map as a list without the tokens. */
#include "token_list.h"

#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "place.h"
#include "token_map.h"

#define MAP_BYTES ((size_t)16 << 20)

int64_t
token_used_s(const char *id)
{
    char path[PLACE_BYTES];
    struct stat st;

    if (str_empty(id) || token_use_path(id, path, sizeof(path)) != ERR_OK ||
        stat(path, &st) != 0)
        return 0;
    return st.st_mtime;
}

static size_t
lines_of(const char *text)
{
    size_t n = 1;

    while ((text = strchr(text, '\n')) != NULL) {
        text++;
        n++;
    }
    return n;
}

static enum err
tell(struct arena *a, const struct token_line *l, struct token_told *out)
{
    *out = (struct token_told){ .name = arena_strdup(a, l->name),
                                .scope = arena_strdup(a, l->scope),
                                .id = arena_strdup(a, l->id),
                                .secrets = l->secrets,
                                .expired = token_expired(l->expires_s),
                                .created_s = l->created_s,
                                .expires_s = l->expires_s,
                                .used_s = token_used_s(l->id) };
    return out->name == NULL || out->scope == NULL || out->id == NULL
               ? ERR_NOMEM
               : ERR_OK;
}

enum err
tokens_told(struct arena *a, struct token_told **out, size_t *n)
{
    char path[PLACE_BYTES], *text;
    struct token_line l;
    const char *at;
    size_t bytes;
    enum err e = place_path(path, sizeof(path), "tokens.map");

    *n = 0;
    if (e == ERR_OK)
        e = file_read(a, path, MAP_BYTES, &text, &bytes);
    if (e != ERR_OK)
        return e;
    *out = arena_array(a, lines_of(text), sizeof(**out));
    if (*out == NULL)
        return ERR_NOMEM;
    for (at = text; e == ERR_OK && token_map_next(&at, &l);)
        if (l.token.n > 0)
            e = tell(a, &l, &(*out)[(*n)++]);
    return e;
}
