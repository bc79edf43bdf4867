/* Health and self-description. */
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "console.h"
#include "describe.h"

TABLE(console_health, CONSOLE_HEALTH);

/* Who asks for health asks often and waits little: a store that answers later
 * than this is none. */
#define HEALTH_MS 800

/* A round trip to the store is the question: everything else of metagate
 * serves without it. */
enum err
console_health_get(struct req *r, const struct none *in)
{
    static const char ask[] = "SELECT @@GLOBAL.read_only"
                              " /*M! OR @@SESSION.tx_read_only */";
    struct console_health *out = arena_alloc(r->arena, sizeof(*out));
    int64_t read_only;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    db_deadline(r->db, clock_mono_ms() + HEALTH_MS);
    if (db_one_i64(r->db, ask, DB_NO_ARGS, &read_only) != ERR_OK)
        return req_fail(r, CONSOLE_STORE, ARGS());
    PUT(out, console_health, status, "ok");
    if (read_only != 0) {
        PUT(out, console_health, read_only, true);
    }
    return req_send(r, &console_health_rec, out);
}

/* A text made by a printer of fcgi/ as the whole body. */
static enum err
send_printed(struct req *r, const char *type, void (*print)(struct buf *))
{
    struct buf b = BUF_INIT((size_t)16 << 20);
    enum err e;

    print(&b);
    e = buf_err(&b);
    if (e == ERR_OK)
        e = arena_defer(r->arena, free, b.p);
    else
        buf_free(&b);
    return e == ERR_OK ? req_send_text(r, type, b.p, b.n) : e;
}

/* Half a megabyte that stays the same until the next start: printed once. */
static struct buf document = BUF_INIT((size_t)16 << 20);
static pthread_once_t printed = PTHREAD_ONCE_INIT;

static void
print_document(void)
{
    routes_openapi(&document);
}

enum err
console_openapi_get(struct req *r, const struct none *in)
{
    enum err e;

    (void)in;
    if (pthread_once(&printed, print_document) != 0)
        return ERR_INTERNAL;
    e = buf_err(&document);
    return e == ERR_OK
               ? req_send_text(r, "application/json", document.p, document.n)
               : e;
}

/* Served while the store is down: nothing here asks it. */
enum err
console_metrics_get(struct req *r, const struct none *in)
{
    (void)in;
    return send_printed(r, METRICS_TYPE, metrics_text);
}

enum err
console_rules_get(struct req *r, const struct none *in)
{
    (void)in;
    return send_printed(r, "application/yaml", metrics_rules);
}
