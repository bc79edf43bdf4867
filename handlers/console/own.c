/* Tokens without their secrets, and the keys that are in force here. */
#include "own.h"

#include "config_live.h"
#include "console.h"
#include "token_list.h"

TABLE(console_token, CONSOLE_TOKEN);
TABLE(console_tokens, CONSOLE_TOKENS);
TABLE(console_key_line, CONSOLE_KEY);
TABLE(console_config, CONSOLE_CONFIG);

enum err
console_tokens_get(struct req *r, const struct none *in)
{
    struct console_tokens *out = arena_alloc(r->arena, sizeof(*out));
    struct token_told *all = NULL;
    struct console_token *v;
    size_t n;
    enum err e = tokens_told(r->arena, &all, &n);

    (void)in;
    if (e == ERR_NOT_FOUND || e == ERR_STATE)
        return req_fail(r, CONSOLE_TOKENS_UNREAD, ARGS());
    if (e != ERR_OK)
        return e;
    v = arena_array(r->arena, n, sizeof(*v));
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        PUT(&v[i], console_token, name, all[i].name);
        PUT(&v[i], console_token, scope, all[i].scope);
        PUT(&v[i], console_token, id, all[i].id);
        PUT(&v[i], console_token, secrets, all[i].secrets);
        PUT(&v[i], console_token, expired, all[i].expired);
        if (all[i].created_s != 0)
            PUT(&v[i], console_token, created_s, all[i].created_s);
        if (all[i].expires_s != 0)
            PUT(&v[i], console_token, expires_s, all[i].expires_s);
        if (all[i].used_s != 0)
            PUT(&v[i], console_token, used_s, all[i].used_s);
    }
    PUT_LIST(out, console_tokens, items, n, v);
    return req_send(r, &console_tokens_rec, out);
}

static void
tell(const struct config_line *l, struct console_key_line *out)
{
    static const char *const types[] = {
        [CONFIG_TEXT] = "text", [CONFIG_INT] = "int", [CONFIG_BOOL] = "bool"
    };

    PUT(out, console_key_line, name, l->name);
    PUT(out, console_key_line, type, types[l->type]);
    PUT(out, console_key_line, value, l->value);
    PUT(out, console_key_line, dflt, l->dflt);
    PUT(out, console_key_line, from, l->from);
    if (l->line != 0)
        PUT(out, console_key_line, line, l->line);
    PUT(out, console_key_line, needs, l->needs);
    PUT(out, console_key_line, doc, l->doc);
}

enum err
console_config_get(struct req *r, const struct none *in)
{
    struct console_config *out = arena_alloc(r->arena, sizeof(*out));
    struct console_key_line *v;
    struct config_line l;
    size_t n = 0;
    enum err e;

    (void)in;
    while ((e = config_line(n, r->arena, &l)) == ERR_OK)
        n++;
    if (e != ERR_NOT_FOUND)
        return e;
    v = arena_array(r->arena, n, sizeof(*v));
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        e = config_line(i, r->arena, &l);
        if (e != ERR_OK)
            return e;
        tell(&l, &v[i]);
    }
    PUT_LIST(out, console_config, items, n, v);
    return req_send(r, &console_config_rec, out);
}
