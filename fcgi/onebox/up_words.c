/* What up and status tell people. */
#include "up.h"

#include <stdarg.h>
#include <string.h>

#include "clock.h"
#include "config.h"

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
up_each_url(void (*f)(void *ctx, const char *name, const char *url), void *ctx)
{
    const char *scheme =
        config()->nginx_tls_certificate[0] != '\0' ? "https" : "http";
    struct listening l;
    char url[300];
    enum err e;

    for (size_t i = 0; (e = place_listener(i, &l)) != ERR_NOT_FOUND; i++) {
        if (e != ERR_OK)
            continue;
        (void)snprintf(url, sizeof(url), "%s://%s/", scheme, l.address);
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

static void
keep_console(void *ctx, const char *name, const char *url)
{
    if (strcmp(name, "console") == 0)
        (void)snprintf(ctx, 300, "%s", url);
}

void
up_print_ready(const struct up *up)
{
    const char *dir = config_run_dir();
    char console[300] = "";

    up_each_url(keep_console, console);
    printf("ready after %.1f s\n\n",
           (double)(clock_mono_ms() - up->began_ms) / 1000);
    up_print_urls(stdout);
    if (config()->mysql_hosts[0] == '\0')
        printf("  %-18s %s.1:%lld (account repl, password in "
               "%s/repl.password)\n",
               "mariadb", config_net(), (long long)config()->mysql_port, dir);
    printf("\n"
           "  token              %s/token (for curl: %s/curlrc)\n"
           "  configuration      %s/metagate.ini\n"
           "  logs               %s/log\n"
           "  first request      curl -K %s/curlrc %sopenapi.json\n"
           "  stop               %s%s --run-dir %s stop\n",
           dir, dir, dir, dir, dir, console, up->background ? "" : "Ctrl-C or ",
           up->self, dir);
    (void)fflush(stdout);
}
