/* From the configuration to the values in nginx's templates: what a person
 * wrote becomes nginx syntax. [nginx] was checked when it was read
 * (config_rules.c), [listen] is checked here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "address.h"
#include "config.h"
#include "hex.h"
#include "host/self.h"
#include "nginx_render.h"
#include "listener.h"
#include "place.h"

/* Lists of networks and names: far above what anybody writes. */
#define LIST_BYTES         65536
#define REFERERS_BYTES     ((size_t)4 << 20)
#define FILES_MAX          65536
#define CONNECTIONS_MAX    16384
#define MEMORY_BODY_KIB    1024
#define READ_TIMEOUT_MIN_S 10
/* Where Debian's nginx, and its logrotate, have theirs. */

/* ---- comma-separated lists ---- */

/* The next element of a list, trimmed, as a copy in out; false at the end.
 * An element that does not fit is given as "", which no check lets pass. */
static bool
next_element(const char **list, char *out, size_t size)
{
    struct span s;

    if (!config_list_next(list, &s))
        return false;
    (void)snprintf(out, size, "%.*s", s.n < size ? (int)s.n : 0, s.p);
    return true;
}

/* "10.0.0.0/8=read" as a line of geo; config_rules.c has looked at it. */
static void
put_network(struct buf *out, const char *element)
{
    size_t n = strcspn(element, "=");

    buf_puts(out, "    ");
    buf_put(out, element, n);
    buf_printf(out, " %s;\n", element + n + (element[n] == '='));
}

/* A host name as a line of the map whose source is "<host> <address>". */
static void
put_host(struct buf *out, const char *element)
{
    buf_puts(out, "    \"~*^");
    for (const char *p = element; *p != '\0'; p++)
        buf_printf(out, "%s%c", *p == '.' ? "\\" : "", *p);
    buf_puts(out, " \" \"\";\n");
}

/* A name or an address inside a regular expression. */
static void
put_literal(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        buf_printf(out, "%s%c", strchr(".[]", *text) != NULL ? "\\" : "",
                   *text);
}

static bool
is_any_address(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ||
           strcmp(host, "*") == 0;
}

/* URLs of one of our listeners, as a line of the map whose source is "<address
 * that was asked> <Referer>". */
static void
put_referer(struct buf *out, const char *host, unsigned port)
{
    const char *hosts = config()->nginx_hosts;
    char name[256];

    buf_puts(out, "    \"~*^([^ ]+) https?://(?:localhost|");
    if (is_any_address(host))
        buf_puts(out, "\\[?\\1\\]?");
    else if (strchr(host, ':') != NULL)
        buf_puts(out, "\\[");
    if (!is_any_address(host))
        put_literal(out, host);
    if (!is_any_address(host) && strchr(host, ':') != NULL)
        buf_puts(out, "\\]");
    while (next_element(&hosts, name, sizeof(name))) {
        buf_putc(out, '|');
        put_literal(out, name);
    }
    buf_printf(out, port == 80 || port == 443 ? ")(?::%u)?" : "):%u", port);
    buf_puts(out, "(?:/|\\z)\" \"\";\n");
}

static enum err
set_referers(struct arena *a, struct nginx_vars *vars)
{
    struct buf b = BUF_INIT(REFERERS_BYTES);
    struct listening l;
    char host[ADDRESS_BYTES];
    const char *text;
    unsigned port;
    enum err e;

    for (size_t i = 0; (e = listener_at(i, &l)) != ERR_NOT_FOUND; i++) {
        if (e == ERR_OK && address_read(l.address, strlen(l.address), 0, host,
                                        sizeof(host), &port) == ERR_OK)
            put_referer(&b, host, port);
    }
    e = buf_err(&b);
    text = arena_strdup(a, buf_text(&b));
    buf_free(&b);
    if (e != ERR_OK)
        return e;
    nginx_set(vars, "REFERERS", text != NULL ? text : "");
    return text != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err
render_list(struct arena *a, const char *list, const char **out,
            void (*put)(struct buf *, const char *), char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(LIST_BYTES);
    char element[256];
    enum err e = ERR_OK;

    while (next_element(&list, element, sizeof(element)))
        put(&b, element);
    if (b.failed)
        e = why_fail(why, ERR_BAD_PARAM, "[nginx] a list is too long");
    if (e == ERR_OK) {
        *out = arena_strdup(a, buf_text(&b));
        e = *out != NULL ? ERR_OK : ERR_NOMEM;
    }
    buf_free(&b);
    return e;
}

/* ---- the values ---- */

static enum err
set_text(struct arena *a, struct nginx_vars *vars, const char *name,
         const char *text)
{
    const char *copy = arena_strdup(a, text);

    if (copy == NULL)
        return ERR_NOMEM;
    nginx_set(vars, name, copy);
    return ERR_OK;
}

static enum err
set_number(struct arena *a, struct nginx_vars *vars, const char *name,
           int64_t v)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%lld", (long long)v);
    return set_text(a, vars, name, text);
}

static enum err
set_paths(struct arena *a, struct nginx_vars *vars)
{
    char dir[PLACE_BYTES];
    enum err e;

    e = set_text(a, vars, "RUN_DIR", config_run_dir());
    if (e == ERR_OK)
        e = place_path(dir, sizeof(dir), "nginx");
    if (e == ERR_OK)
        e = set_text(a, vars, "DIR", dir);
    if (e == ERR_OK)
        e = place_socket_dir(dir, sizeof(dir));
    if (e == ERR_OK)
        e = set_text(a, vars, "SOCKETS", dir);
    return e;
}

/* As many files and connections as the account may have: nginx's default of
 * 512 connections would be the first thing to give way. */
static enum err
set_processes(struct arena *a, struct nginx_vars *vars)
{
    int64_t processes = config()->nginx_workers, files = FILES_MAX;
    struct rlimit r;
    enum err e;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_max < FILES_MAX)
        files = (int64_t)r.rlim_max;
    e = set_number(a, vars, "FILES", files);
    if (e == ERR_OK) /* some descriptors are listeners, logs and files */
        e = set_number(a, vars, "CONNECTIONS",
                       files > 2 * CONNECTIONS_MAX ? CONNECTIONS_MAX
                                                   : files / 2);
    if (e != ERR_OK)
        return e;
    if (processes > 0)
        return set_number(a, vars, "NGINX_WORKERS", processes);
    nginx_set(vars, "NGINX_WORKERS", "auto");
    return ERR_OK;
}

/* A second's worth may come at once; 0 = no limit, though the zone wants a
 * rate even then. */
static enum err
set_rate(struct arena *a, struct nginx_vars *vars)
{
    int64_t rate = config()->nginx_rate_per_s;
    char line[96];
    enum err e;

    (void)snprintf(line, sizeof(line),
                   "limit_req zone=mg_rate burst=%lld nodelay;",
                   (long long)rate);
    e = set_text(a, vars, "LIMIT_REQ", rate > 0 ? line : "");
    return e == ERR_OK ? set_number(a, vars, "RATE", rate > 0 ? rate : 1) : e;
}

static enum err
set_limits(struct arena *a, struct nginx_vars *vars)
{
    const struct config *c = config();
    int64_t kib = c->serve_body_kib;
    int64_t read_s = c->serve_deadline_ms / 1000 + 2;
    enum err e;

    e = set_number(a, vars, "BODY_KIB", kib);
    if (e == ERR_OK)
        e = set_number(a, vars, "BODY_BUFFER_KIB",
                       kib < MEMORY_BODY_KIB ? kib : MEMORY_BODY_KIB);
    if (e == ERR_OK)
        e = set_number(a, vars, "READ_TIMEOUT_S",
                       read_s > READ_TIMEOUT_MIN_S ? read_s
                                                   : READ_TIMEOUT_MIN_S);
    if (e == ERR_OK)
        e = set_number(a, vars, "REPLY_TEMP_KIB", c->nginx_reply_temp_kib);
    if (e == ERR_OK)
        e = set_number(a, vars, "CLIENT_CONNECTIONS",
                       c->nginx_client_connections);
    return e == ERR_OK ? set_rate(a, vars) : e;
}

static enum err
set_tls(struct arena *a, struct nginx_vars *vars)
{
    const char *pem[] = { config()->nginx_tls_certificate,
                          config()->nginx_tls_key };
    bool tls = !str_empty(pem[0]);
    const char *line, *hsts = "";

    if (tls && config()->nginx_hsts_s > 0)
        hsts =
            arena_printf(a, "max-age=%lld", (long long)config()->nginx_hsts_s);
    if (hsts == NULL)
        return ERR_NOMEM;
    nginx_set(vars, "HSTS", hsts);
    nginx_set(vars, "TLS_CERTIFICATE", pem[0]);
    nginx_set(vars, "TLS_KEY", pem[1]);
    nginx_set(vars, "SSL", tls ? " ssl" : "");
    line =
        arena_printf(a, "    include \"%s/nginx/tls.conf\";", config_run_dir());
    if (line == NULL)
        return ERR_NOMEM;
    nginx_set(vars, "TLS", tls ? line : "");
    return ERR_OK;
}

static enum err
set_lists(struct arena *a, struct nginx_vars *vars, char why[WHY_BYTES])
{
    const char *text;
    enum err e;

    e = render_list(a, config()->nginx_trusted, &text, put_network, why);
    if (e != ERR_OK)
        return e;
    nginx_set(vars, "TRUSTED", text);
    e = render_list(a, config()->nginx_hosts, &text, put_host, why);
    if (e != ERR_OK)
        return e;
    nginx_set(vars, "HOSTS", text);
    return set_referers(a, vars);
}

static enum err
set_host(struct arena *a, struct nginx_vars *vars)
{
    char *id = arena_alloc(a, SELF_ID_BYTES);

    if (id == NULL)
        return ERR_NOMEM;
    self_id(id);
    nginx_set(vars, "HOST_ID", id);
    return ERR_OK;
}

static enum err
set_log(struct arena *a, struct nginx_vars *vars)
{
    const char *log = config()->nginx_access_log, *line = log;
    char path[PLACE_BYTES];

    if (str_empty(log) && place_is_installed())
        log = PLACE_INSTALLED_LOG;
    else if (str_empty(log) &&
             place_path(path, sizeof(path), "log/nginx-access.log") == ERR_OK)
        log = path;
    if (strcmp(log, "off") != 0)
        line = arena_printf(a, "\"%s\" metagate buffer=64k flush=1s", log);
    nginx_set(vars, "ACCESS_LOG", line);
    return line != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
nginx_values(struct arena *a, const char *secret, struct nginx_vars *vars,
             char why[WHY_BYTES])
{
    enum err e;

    if (!hex_is(secret, PLACE_SECRET_LEAST, SIZE_MAX))
        return why_fail(why, ERR_BAD_PARAM, PLACE_SECRET_NONE);
    nginx_set(vars, "SECRET", secret);
    e = set_paths(a, vars);
    if (e == ERR_OK)
        e = set_processes(a, vars);
    if (e == ERR_OK)
        e = set_limits(a, vars);
    if (e == ERR_OK)
        e = set_tls(a, vars);
    if (e == ERR_OK)
        e = set_host(a, vars);
    if (e == ERR_OK)
        e = set_log(a, vars);
    if (e == ERR_OK)
        e = set_lists(a, vars, why);
    return e;
}
