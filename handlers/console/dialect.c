/* The console as a dialect: its form and its tables. */
#include "console.h"
#include "verbs.h"

/* Each answer is a line, as nginx's own are: a shell's prompt follows it. */
static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    enum err e = ERR_OK;

    if (rec == NULL) {
        jw_object(w);
        jw_object_end(w);
    } else {
        e = record_render(w, rec, out, req_secrets(r), false, r->arena);
    }
    buf_putc(w->out, '\n');
    return e;
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    failure_object(w, f, "error", "message");
}

const struct form console_form = {
    .name = "console",
    .secrets = SECRETS_STARS,
    .reply_type = "application/json",
    .error_type = "application/json",
    .reply = reply,
    .failure = failure,
};

static const struct listener listeners[] = {
    { "console", "", 1, 8080, "console" },
    { .name = NULL },
};

#include "endpoint_tables.h"

#define SETTINGS      console_settings
#define SETTINGS_FILE "console/settings.def"
#include "settings_struct.h"
#define SETTINGS      console_settings
#define SETTINGS_FILE "console/settings.def"
#include "settings_table.h"

extern const struct dialect console_dialect;
const struct dialect console_dialect = {
    .name = "console",
    DIALECT_TABLES,
    .verbs = console_verbs,
    .listeners = listeners,
    .settings = console_settings_rows,
};
