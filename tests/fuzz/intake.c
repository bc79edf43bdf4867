/* The parameters of a request, a line each: who asks for what. Nobody has
 * rights that the front end's secret does not vouch for. */
#include "worker/intake.h"

#include <string.h>

#include "api/dispatch.h"
#include "request/req_io.h"
#include "clock.h"
#include "fuzz.h"
#include "log.h"
#include "identity/params.h"
#include "worker/request.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define MOST   256

static void
take(struct arena *a, char *const *params, const char *secret)
{
    const struct request_rules rules = { .secret = secret,
                                         .body_max = 1024,
                                         .deadline_ms = 8000 };
    struct req_io io = { .body_too_large = false };
    struct req r = { .arena = a, .io = &io, .started_ms = clock_mono_ms() };
    struct intake in;
    enum intake_verdict v = intake(&r, params, &rules, &in);

    HOLDS(r.listener != NULL && r.trace.request != NULL);
    if (v != INTAKE_OK)
        return;
    HOLDS(r.path != NULL && r.method != NULL && r.token_name != NULL);
    HOLDS(secret == NULL ||
          strcmp(params_get(params, "MG_SECRET"), secret) == 0);
    HOLDS(secret != NULL || r.rights == 0); /* no token is known */
    HOLDS(dispatch_knows_listener(r.listener));
    HOLDS(r.trace.request[strcspn(r.trace.request, "\r\n\"")] == '\0');
    HOLDS(str_empty(r.trace.id) || strlen(r.trace.id) == 32);
    HOLDS(str_empty(r.trace.client) ||
          r.trace.client[strcspn(r.trace.client, " \r\n\"\\")] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static bool ready;
    struct arena *a = arena_new(16 << 20);
    char *params[MOST + 1], *text, *next;
    size_t i = 0;

    if (!ready) {
        HOLDS(log_open("/dev/null", "fuzz") == ERR_OK);
        HOLDS(dispatch_init() == ERR_OK);
        ready = true;
    }
    HOLDS(a != NULL);
    text = arena_strndup(a, (const char *)data, n);
    HOLDS(text != NULL);
    for (; text != NULL && i < MOST; text = next) {
        next = strchr(text, '\n');
        if (next != NULL)
            *next++ = '\0';
        params[i++] = text;
    }
    params[i] = NULL;
    take(a, params, SECRET);
    take(a, params, NULL);
    for (size_t k = 0; k < i; k++)
        (void)params_shown(params[k], k % 2 == 0);
    arena_free(a);
    return 0;
}
