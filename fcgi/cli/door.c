/* The server from outside, as any client has it: by HTTP, with a token. */
#include "door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "config.h"
#include "file.h"
#include "http.h"
#include "json.h"
#include "listener.h"
#include "place.h"
#include "scope.h"

#define REPLY_MAX    ((size_t)256 << 20)
#define TOKEN_MAX    4096
#define CONTEXTS_MAX 65536
#define REDIRECTS    3
#define CALL_S       330 /* a profile takes up to 300 */

/* ---- the token ---- */

#define UNREAD "no token can be read there"

static int
take_token(struct door *d, const char *path, const char *else_what)
{
    char *text;
    size_t n;
    enum err e = file_read_line(d->arena, path, TOKEN_MAX, &text, &n);

    if (e != ERR_OK)
        return cli_complain(CLI_USAGE, path, else_what);
    (void)snprintf(d->token, sizeof(d->token), TOKEN_HEADER ": %s", text);
    return CLI_OK;
}

/* ---- contexts ---- */

static bool
contexts_path(char *out, size_t size)
{
    const char *own = getenv("METAGATE_CONTEXTS");
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int n;

    if (!str_empty(own))
        n = snprintf(out, size, "%s", own);
    else if (!str_empty(config))
        n = snprintf(out, size, "%s/metagate/contexts", config);
    else
        n = snprintf(out, size, "%s/.config/metagate/contexts", or_empty(home));
    return n > 0 && (size_t)n < size;
}

/* A line "NAME URL [TOKEN-FILE]" of that name. */
static bool
find_context(const char *text, const char *name, char url[512],
             char token[PLACE_BYTES])
{
    char is[65];

    for (const char *p = text; *p != '\0';
         p += strcspn(p, "\n"), p += *p != 0) {
        is[0] = token[0] = '\0';
        if (sscanf(p, "%64[^ \t\n#] %511[^ \t\n] %4095[^ \t\n]", is, url,
                   token) >= 2 &&
            strcmp(is, name) == 0)
            return true;
    }
    return false;
}

static int
open_context(struct door *d, const char *name)
{
    char path[PLACE_BYTES], token[PLACE_BYTES], *text;
    size_t n;

    if (!contexts_path(path, sizeof(path)) ||
        file_read(d->arena, path, CONTEXTS_MAX, &text, &n) != ERR_OK)
        return cli_complain(CLI_USAGE, path,
                            "cannot be read; lines NAME URL TOKEN-FILE");
    if (!find_context(text, name, d->console, token))
        return cli_complain(CLI_USAGE, name, "no such context");
    return str_empty(token) ? CLI_OK : take_token(d, token, UNREAD);
}

/* ---- this host's own ---- */

static int
open_local(struct door *d)
{
    char path[PLACE_BYTES];
    struct listening l;
    enum err e = listener_named("console", 0, &l);

    if (e != ERR_OK)
        return cli_complain(CLI_AWAY, "[listen] console is off",
                            "--url names another host's");
    (void)snprintf(d->console, sizeof(d->console), "http://%s", l.address);
    d->local = true;
    if (place_path(path, sizeof(path), "token") != ERR_OK)
        return cli_complain(CLI_USAGE, "the path of RUN_DIR is too long", "");
    return !str_empty(d->token) ? CLI_OK
                                : take_token(d, path,
                                             UNREAD "; --run-dir names a "
                                                    "deployment, --url another "
                                                    "host");
}

int
door_open(struct door *d, const struct order *o)
{
    const char *context = o->context;
    size_t n;
    int status = CLI_OK;

    *d = (struct door){ .arena = arena_new(4 * REPLY_MAX) };
    if (d->arena == NULL)
        return cli_complain(CLI_FAILED, "no memory", "");
    if (context == NULL && o->url == NULL)
        context = getenv("METAGATE_CONTEXT");
    if (o->token_file != NULL)
        status = take_token(d, o->token_file, UNREAD);
    if (status != CLI_OK)
        return status;
    if (o->url != NULL)
        (void)snprintf(d->console, sizeof(d->console), "%s", o->url);
    else if (!str_empty(context))
        status = open_context(d, context);
    else
        status = open_local(d);
    n = strlen(d->console);
    if (n > 0 && d->console[n - 1] == '/')
        d->console[n - 1] = '\0';
    return status;
}

void
door_close(struct door *d)
{
    explicit_bzero(d->token, sizeof(d->token));
    arena_free(d->arena);
}

/* ---- calls ---- */

static bool
take_reply(void *ctx, const char *bytes, size_t n)
{
    struct buf *b = ctx;

    buf_put(b, bytes, n);
    return buf_err(b) == ERR_OK;
}

static void
call_once(struct door *d, struct http_call *c, bool dry_run, struct answer *out)
{
    size_t n = 0;

    c->header[n++] = "Content-Type: application/json";
    c->header[n++] = "Accept: application/json";
    if (!str_empty(d->token))
        c->header[n++] = d->token;
    if (dry_run)
        c->header[n] = "X-Metagate-Dry-Run: 1";
    buf_reset(&out->body);
    c->write = take_reply;
    c->write_ctx = &out->body;
    c->every_status = true;
    c->chosen_here = true;
    c->stall_s = CALL_S;
    out->status = http_call(c) == ERR_OK ? c->status : 0;
    (void)snprintf(out->why, sizeof(out->why), "%s", c->why);
    (void)snprintf(out->request_id, sizeof(out->request_id), "%s",
                   c->request_id);
}

void
door_call(struct door *d, const char *method, const char *url, const char *body,
          bool dry_run, struct answer *out)
{
    struct http_call c;
    char to[HTTP_LOCATION];

    *out = (struct answer){ .body = BUF_INIT(REPLY_MAX) };
    (void)snprintf(to, sizeof(to), "%s", url);
    for (int i = 0; i <= REDIRECTS; i++) {
        c = (struct http_call){ .method = method, .url = to };
        if (body != NULL)
            c.bytes = (struct span){ body, strlen(body) };
        call_once(d, &c, dry_run, out);
        if (out->status != 307 || str_empty(c.location))
            break;
        (void)snprintf(to, sizeof(to), "%s", c.location);
    }
}

/* ---- listeners ---- */

/* "console=127.0.0.1:8080" among what a host says of itself. */
static bool
find_listen(const char *listen, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);

    for (const char *p = listen; *p != '\0'; p += strcspn(p, " "), p += *p != 0)
        if (strncmp(p, name, n) == 0 && p[n] == '=') {
            (void)snprintf(out, size, "%.*s", (int)strcspn(p + n + 1, " "),
                           p + n + 1);
            return true;
        }
    return false;
}

/* One that listens everywhere is reached where the console is. */
static void
settle_host(const struct door *d, const char *address, char *out, size_t size)
{
    const char *scheme = strstr(d->console, "://");
    const char *at = scheme == NULL ? d->console : scheme + 3;
    char host[ADDRESS_BYTES], text[ADDRESS_BYTES];
    unsigned port, other;

    if (address_read(address, strlen(address), 0, host, sizeof(host), &port) ==
            ERR_OK &&
        (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) &&
        address_read(at, strcspn(at, "/"), 1, host, sizeof(host), &other) ==
            ERR_OK)
        address = address_print(host, (int)port, text, sizeof(text));
    (void)snprintf(out, size, "%.*s%s", (int)(at - d->console), d->console,
                   address);
}

static const char *
own_listen(const struct json *reply)
{
    const struct json *item = json_member(reply, "items");

    item = item != NULL ? json_first(item) : NULL;
    for (; item != NULL; item = json_next(item)) {
        const struct json *own = json_member(item, "own");
        const struct json *listen = json_member(item, "listen");

        if (own != NULL && listen != NULL &&
            strcmp(json_text(own), "true") == 0)
            return json_text(listen);
    }
    return "";
}

static int
ask_listener(struct door *d, const char *listener, char *out, size_t size)
{
    char url[600], address[ADDRESS_BYTES] = "";
    const struct json *reply;
    struct json_error why;
    struct answer a;
    int status = CLI_OK;

    (void)snprintf(url, sizeof(url), "%s/api/hosts", d->console);
    door_call(d, "GET", url, NULL, false, &a);
    if (a.status == 0)
        status = cli_complain(CLI_AWAY, d->console, a.why);
    else if (a.status != 200 ||
             json_parse(d->arena, buf_text(&a.body), a.body.n, JSON_STRICT,
                        &reply, &why) != ERR_OK)
        status = cli_complain(a.status == 401 || a.status == 403 ? CLI_DENIED
                                                                 : CLI_FAILED,
                              d->console, "it does not tell where it listens");
    else if (!find_listen(own_listen(reply), listener, address,
                          sizeof(address)))
        status =
            cli_complain(CLI_AWAY, listener, "that listener is closed there");
    buf_free(&a.body);
    if (status == CLI_OK)
        settle_host(d, address, out, size);
    return status;
}

int
door_listener(struct door *d, const char *listener, char *out, size_t size)
{
    struct listening l;

    if (strcmp(listener, "console") == 0) {
        (void)snprintf(out, size, "%s", d->console);
        return CLI_OK;
    }
    if (!d->local)
        return ask_listener(d, listener, out, size);
    if (listener_named(listener, 0, &l) != ERR_OK)
        return cli_complain(CLI_AWAY, listener, "[listen] has it off");
    settle_host(d, l.address, out, size);
    return CLI_OK;
}
