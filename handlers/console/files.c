/* The console's pages, for front ends that serve no files of ours. nginx does
 * it by itself, under the same rules (nginx/locations/console.conf). */
#include <string.h>

#include "console.h"
#include "embed.h"

TABLE(console_file, CONSOLE_FILE);
NO_CHECKS(console_file);

static const struct {
    const char *ending, *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".svg", "image/svg+xml" },
};

/* A page loads nothing from elsewhere, and runs no script but these files. */
static const struct {
    const char *name, *value;
} rules[] = {
    { "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self';"
      " img-src 'self'; connect-src 'self'; base-uri 'none';"
      " form-action 'none'; frame-ancestors 'none'" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
};

static const char *
type_of(const char *name)
{
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; ending != NULL && i < COUNT(types); i++)
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

enum err
console_file_get(struct req *r, const struct console_file *in)
{
    const struct embedded *f = embed_nginx_ui;

    while (f->name != NULL && strcmp(f->name, in->file) != 0)
        f++;
    if (f->name == NULL)
        return req_fail(r, CONSOLE_PAGE_UNKNOWN, ARGS());
    for (size_t i = 0; i < COUNT(rules); i++)
        req_header_add(r, rules[i].name, rules[i].value);
    return req_send_text(r, type_of(in->file), f->text, f->n);
}
