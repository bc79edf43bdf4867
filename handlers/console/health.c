/* Health and self-description. */
#include <string.h>

#include "console.h"
#include "routes.h"

TABLE(console_health, CONSOLE_HEALTH);

/* A round trip to the store is the question: everything else of metagate
 * serves without it. */
enum err
console_health_get(struct req *r, const struct none *in)
{
    static const char ask[] = "SELECT 1";
    struct console_health *out = arena_alloc(r->arena, sizeof(*out));
    int64_t one;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    if (db_one_i64(r->db, ask, DB_NO_ARGS, &one) != ERR_OK)
        return req_fail(r, CONSOLE_STORE, ARGS());
    out->status = "ok";
    SET(out, console_health, status);
    return req_send(r, &console_health_rec, out);
}

enum err
console_openapi_get(struct req *r, const struct none *in)
{
    struct buf b = BUF_INIT((size_t)16 << 20);
    const char *text;
    size_t n;

    (void)in;
    routes_openapi(&b);
    n = b.n;
    text = buf_err(&b) == ERR_OK ? arena_strndup(r->arena, buf_text(&b), n)
                                 : NULL;
    buf_free(&b);
    if (text == NULL)
        return ERR_NOMEM;
    return req_send_text(r, "application/json", text, n);
}
