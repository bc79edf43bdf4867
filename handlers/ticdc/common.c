/* What the dialect's nouns have in common. */
#include <string.h>
#include <time.h>

#include "clock.h"
#include "config.h"
#include "crypt.h"
#include "hex.h"
#include "ticdc.h"

TABLE(ticdc_feed_ref, TICDC_FEED_REF);
NO_CHECKS(ticdc_feed_ref);
TABLE(ticdc_feed_wait, TICDC_FEED_WAIT);
NO_CHECKS(ticdc_feed_wait);

/* ---- ids ---- */

bool
ticdc_is_id(const char *id)
{
    bool dash = true; /* none at the beginning, at the end, or two of them */
    size_t n = 0;

    for (; id[n] != '\0'; n++) {
        char c = id[n];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c >= '0' && c <= '9');

        if (!letter && (c != '-' || dash))
            return false;
        dash = c == '-';
    }
    return !dash && n <= TICDC_ID_MAX;
}

enum err
ticdc_uuid(char out[UUID_TEXT])
{
    uint8_t b[16];
    enum err e = crypt_random(b, sizeof(b));

    if (e != ERR_OK)
        return e;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    uuid_write(b, out);
    return ERR_OK;
}

const char *
ticdc_namespace(const char *said)
{
    return str_empty(said) ? "default" : said;
}

enum err
ticdc_wish(struct req *r, const char *key, const char *said, bool *out)
{
    *out =
        said != NULL && (strcmp(said, "1") == 0 || strcmp(said, "true") == 0);
    if (*out || str_empty(said) || strcmp(said, "0") == 0 ||
        strcmp(said, "false") == 0)
        return ERR_OK;
    return req_fail(r, TICDC_BAD_WISH, ARGS(arg("key", key)));
}

enum err
ticdc_ids_check(struct req *r, const char *namespace, const char *id)
{
    const char *in = ticdc_namespace(namespace);

    if (!ticdc_is_id(id))
        return req_fail(r, TICDC_BAD_ID,
                        ARGS(arg("id", id), arg("rule", TICDC_ID_RULE)));
    if (!ticdc_is_id(in))
        return req_fail(r, TICDC_BAD_NAMESPACE,
                        ARGS(arg("id", in), arg("rule", TICDC_ID_RULE)));
    return ERR_OK;
}

enum err
ticdc_feed_find(struct req *r, const char *namespace, const char *id,
                struct ticdc_feed *out)
{
    const char *in = ticdc_namespace(namespace);
    enum err e = ticdc_ids_check(r, namespace, id);

    if (e == ERR_OK)
        e = ticdc_feed_get(r->db, r->arena, in, id, out);
    if (e == ERR_NOT_FOUND)
        return req_fail(
            r, TICDC_FEED_UNKNOWN,
            ARGS(arg("id", arena_printf(r->arena, "%s/%s", in, id))));
    return e;
}

enum err
ticdc_feed_changed(struct req *r, const struct ticdc_feed *f)
{
    const char *what =
        arena_printf(r->arena, "changefeed %s/%s", f->namespace, f->id);

    if (what == NULL)
        return ERR_NOMEM;
    req_audit(r, what, NULL, NULL);
    req_wake(r);
    return ERR_OK;
}

/* Behind ".../changefeeds/", up to the next slash. */
enum err
ticdc_path_feed(struct req *r, struct ticdc_feed_ref *out)
{
    static const char before[] = "/changefeeds/";
    const char *p = strstr(r->path, before);
    size_t n = p != NULL ? strcspn(p + strlen(before), "/") : 0;

    *out = (struct ticdc_feed_ref){ 0 };
    out->changefeed_id =
        p != NULL ? arena_strndup(r->arena, p + strlen(before), n) : "";
    out->namespace = req_query(r, "namespace");
    return out->changefeed_id != NULL ? ERR_OK : ERR_NOMEM;
}

/* ---- times ---- */

const char *
ticdc_time(struct arena *a, int64_t ms)
{
    char text[CLOCK_TEXT];

    return str_empty(clock_text(ms / 1000, text))
               ? arena_strdup(a, "")
               : arena_printf(a, "%s.%03d", text, (int)(ms % 1000));
}

const char *
ticdc_time_zone(struct arena *a, int64_t ms)
{
    char text[CLOCK_TEXT];
    size_t n = strlen(clock_stamp(ms, text));

    /* with a colon in the zone, as Go has it */
    return n < 5 ? arena_strdup(a, "")
                 : arena_printf(a, "%.*s:%s", (int)n - 2, text, text + n - 2);
}

/* ---- faults ---- */

enum err
ticdc_refuse(struct req *r, const char *code, const char *why)
{
    for (int id = TICDC_FIRST_CODED; id <= TICDC_LAST_CODED; id++)
        if (strcmp(r->dialect->errors[id].code, code) == 0)
            return req_fail(r, id, ARGS(arg("why", why)));
    return ERR_INTERNAL;
}

/* ---- waiting ---- */

enum {
    AWAIT_EVERY_MS = 100,
    LEFT_MS = 1500, /* of the request's time, for the store and the answer */
};

void
ticdc_deadline(struct req *r)
{
    int64_t end = r->started_ms + config()->serve_deadline_ms;

    if (r->deadline_ms == 0 || r->deadline_ms > end)
        r->deadline_ms = end;
    db_deadline(r->db, r->deadline_ms);
}

int64_t
ticdc_until(const struct req *r)
{
    return r->deadline_ms - LEFT_MS;
}

enum err
ticdc_await(struct req *r, enum err (*done)(struct req *r, void *ctx),
            void *ctx)
{
    const struct timespec pause = { .tv_nsec = AWAIT_EVERY_MS * 1000000L };
    enum err e;

    for (;;) {
        e = done(r, ctx);
        if (e != ERR_NOT_FOUND)
            return e;
        if (clock_mono_ms() >= ticdc_until(r))
            return ERR_TIMEOUT;
        (void)nanosleep(&pause, NULL);
    }
}
