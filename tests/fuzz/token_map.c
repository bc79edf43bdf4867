/* tokens.map: every line is a token, a comment or broken, and none is lost. */
#include "config/token_map.h"

#include <string.h>

#include "arena.h"
#include "fuzz.h"

static void
check_line(const struct token_line *l)
{
    HOLDS(l->line.n > 0);
    if (l->broken || l->token.n == 0) {
        HOLDS(l->token.n == 0);
        return;
    }
    HOLDS(l->token.n <= TOKEN_MAX_BYTES);
    HOLDS(l->token.p >= l->line.p &&
          l->token.p + l->token.n <= l->line.p + l->line.n);
    HOLDS(l->rights != 0 && token_name_ok(l->name));
    HOLDS(l->id[0] == '\0' || token_id_ok(l->id));
    HOLDS(l->created_s >= 0 && l->expires_s >= 0);
    HOLDS(l->expires_s == 0 || l->id[0] != '\0'); /* nginx is told by id */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(16 << 20);
    const char *text, *end;
    struct token_line l;

    HOLDS(a != NULL);
    text = arena_strndup(a, (const char *)data, n);
    HOLDS(text != NULL);
    end = text + strlen(text);
    while (token_map_next(&text, &l)) {
        check_line(&l);
        HOLDS(text == l.line.p + l.line.n && text <= end);
    }
    HOLDS(text == end);
    arena_free(a);
    return 0;
}
