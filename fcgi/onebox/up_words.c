/* What up and status tell people. */
#include "up.h"

#include <stdarg.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "dialect.h"
#include "listener.h"
#include "own_store.h"

void
up_say(const struct up *up, const char *fmt, ...)
{
    va_list ap;

    (void)up;
    va_start(ap, fmt);
    (void)vprintf(fmt, ap);
    va_end(ap);
    (void)fflush(stdout);
}

void
up_status_put(struct buf *out, const struct status_line *l)
{
    buf_printf(out, "%s %s %d %lld %d\n", l->name, l->state, l->pid, l->seconds,
               l->restarts);
}

bool
up_status_next(const char **text, struct status_line *out)
{
    const char *end = strchr(*text, '\n');

    if (end == NULL ||
        sscanf(*text, "%31s %15s %d %lld %d", out->name, out->state, &out->pid,
               &out->seconds, &out->restarts) != 5)
        return false;
    *text = end + 1;
    return true;
}

static const char *
scheme(void)
{
    return !str_empty(config()->nginx_tls_certificate) ? "https" : "http";
}

void
up_each_url(void (*f)(void *ctx, const char *name, const char *url), void *ctx)
{
    struct listening l;
    char url[300];
    enum err e;

    for (size_t i = 0; (e = listener_at(i, &l)) != ERR_NOT_FOUND; i++) {
        if (e != ERR_OK)
            continue;
        (void)snprintf(url, sizeof(url), "%s://%s/", scheme(), l.address);
        f(ctx, l.id, url);
    }
}

static void
print_url(void *ctx, const char *name, const char *url)
{
    (void)fprintf(ctx, "  %-18s %s\n", name, url);
}

void
up_print_urls(FILE *f)
{
    up_each_url(print_url, f);
}

/* Those of the first dialect that has some and whose listener is open. */
static void
print_first_requests(bool background, const char *dir)
{
    const struct first_request *f = NULL;
    struct listening l;

    for (size_t d = 0; dialects[d] != NULL && f == NULL; d++) {
        if (dialects[d]->first_requests != NULL &&
            listener_named(dialects[d]->listeners->name, 0, &l) == ERR_OK)
            f = dialects[d]->first_requests;
    }
    if (f == NULL)
        return;
    printf("\nA first request%s:\n\n",
           background ? "" : ", from a second terminal");
    for (; f->path != NULL; f++)
        printf("  curl -K %s/curlrc '%s://%s/%s'%s%s%s\n", dir, scheme(),
               l.address, f->path, f->body != NULL ? " -d \\\n   '" : "",
               f->body != NULL ? f->body : "", f->body != NULL ? "'" : "");
    printf("\n");
}

void
up_print_ready(const struct up *up)
{
    const char *dir = config_run_dir();
    char mariadb[64];

    printf("ready after %.1f s\n\n",
           (double)(clock_mono_ms() - up->began_ms) / 1000);
    up_print_urls(stdout);
    if (own_store_address(mariadb, sizeof(mariadb)))
        printf("  %-18s %s (account repl, password in %s/repl.password)\n",
               "mariadb", mariadb, dir);
    printf("\n"
           "  token              %s/token (for curl: %s/curlrc)\n"
           "  configuration      %s/metagate.ini\n"
           "  logs               %s/log\n"
           "  stop               %s%s --run-dir %s stop\n"
           "                     (keeps all data; rm -r %s removes them)\n",
           dir, dir, dir, dir, up->background ? "" : "Ctrl-C, or ", up->self,
           dir, dir);
    print_first_requests(up->background, dir);
    (void)fflush(stdout);
}
