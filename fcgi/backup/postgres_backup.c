/* PostgreSQL: the schema of a computing instance, dumped and made again. What
 * a computing instance holds besides it are the shards' rows, which are theirs.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "backup_tool.h"
#include "buf.h"
#include "clock.h"
#include "config.h"
#include "instance/copy.h"
#include "crypt.h"
#include "instance/paths.h"
#include "pg.h"

#define DATABASE   "postgres" /* of a cluster's tables */
#define COMPLETE   "-- PostgreSQL database dump complete"
#define SCHEMA_MAX ((size_t)64 << 20)
#define APPLY_MS   (10 * 60 * 1000)

/* ---- dumped ---- */

/* host:port:database:user:password; ':' and '\' of the first are escaped. */
static enum err
write_login(const struct instance_spec *s, const char *path,
            char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(8192);

    for (const char *p = s->address; *p != '\0'; p++) {
        if (*p == ':')
            buf_putc(&b, '\\');
        buf_putc(&b, *p);
    }
    buf_printf(&b, ":%d:*:%s:%s\n", (int)s->port, s->admin_user,
               s->admin_secret);
    return copy_secret(&b, path, why);
}

static enum err
begin(struct arena *a, const struct instance_spec *s, const struct instance *i,
      struct argv *argv, const char *const **env, const char **secrets,
      char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    const char **ours = arena_array(a, 3, sizeof(*ours));
    enum err e;

    (void)i;
    (void)instance_homes(s, home);
    *secrets = instance_file(a, &home[0], "pgpass");
    if (*secrets == NULL || ours == NULL)
        return why_fail(why, ERR_LIMIT, "a path is too long");
    e = write_login(s, *secrets, why);
    ours[0] = "TZ=UTC";
    ours[1] = arena_printf(a, "PGPASSFILE=%s", *secrets);
    *env = ours;
    argv_add(argv, "%s/pg_dump", config()->instance_postgres_bin);
    argv_add(argv, "--schema-only");
    argv_add(argv, "--no-password");
    argv_add(argv, "--host=%s", s->address);
    argv_add(argv, "--port=%d", (int)s->port);
    argv_add(argv, "--username=%s", s->admin_user);
    argv_add(argv, "--dbname=" DATABASE);
    return e;
}

/* Keeps the end. */
static bool
look(struct backup_stream *b, const char *p, size_t n)
{
    size_t max = sizeof(b->tail), over;

    if (n > max) {
        p += n - max;
        n = max;
    }
    over = b->tail_n + n > max ? b->tail_n + n - max : 0;
    memmove(b->tail, b->tail + over, b->tail_n - over);
    memcpy(b->tail + b->tail_n - over, p, n);
    b->tail_n += n - over;
    return true;
}

static enum err
ended(struct arena *a, const struct backup_stream *b, const struct tool *t,
      struct instance_backup *out, char why[WHY_BYTES])
{
    (void)a;
    (void)t;
    (void)out;
    return memmem(b->tail, b->tail_n, COMPLETE, strlen(COMPLETE)) != NULL
               ? ERR_OK
               : why_fail(why, ERR_STATE, "the dump is not complete");
}

const struct backup_tool postgres_backup_tool = { begin, look, ended };

/* ---- made again ---- */

struct schema {
    struct buf text;
    const struct instance_watch *w;
};

static bool
keep(void *ctx, const char *p, size_t n)
{
    struct schema *s = ctx;

    if (s->w != NULL && s->w->go_on != NULL && !s->w->go_on(s->w->ctx))
        return false;
    if (memchr(p, '\0', n) != NULL)
        return false;
    buf_put(&s->text, p, n);
    return !s->text.failed;
}

/* pg_dump since 15.14 writes the words \restrict and \unrestrict for psql: the
 * server does not know them. No other line of its begins so. */
static void
blank_psql_words(char *text)
{
    static const char *const words[] = { "\\restrict ", "\\unrestrict " };

    for (char *p = text; p != NULL && *p != '\0';) {
        char *end = strchr(p, '\n');

        for (size_t i = 0; i < COUNT(words); i++) {
            if (strncmp(p, words[i], strlen(words[i])) == 0)
                memset(p, ' ', end != NULL ? (size_t)(end - p) : strlen(p));
        }
        p = end != NULL ? end + 1 : NULL;
    }
}

/* The database says which schema was made in it: by the same transaction, so
 * that whoever goes on knows it. */
#define MADE "schema of "

static enum err
is_made(struct pg *pg, struct arena *a, const char *sum, bool *out,
        char why[WHY_BYTES])
{
    const char *value = arena_printf(a, MADE "%s", sum);
    struct pg_table rows;
    enum err e =
        value != NULL
            ? pg_query(pg, a,
                       "SELECT 1 FROM pg_database WHERE datname = '" DATABASE
                       "' AND shobj_description(oid, 'pg_database') = $1",
                       &value, 1, 1, &rows, clock_mono_ms() + APPLY_MS, why)
            : ERR_NOMEM;

    *out = e == ERR_OK && rows.n > 0;
    return e;
}

static enum err
apply(struct arena *a, const struct instance_spec *s, struct buf *sql,
      const char *sum, char why[WHY_BYTES])
{
    char text[WHY_BYTES] = "";
    struct pg *pg;
    bool made = false;
    enum err e = instance_pg_connect(s, DATABASE, 10000, &pg, why);

    if (e != ERR_OK)
        return e;
    buf_printf(sql, "\nCOMMENT ON DATABASE " DATABASE " IS '" MADE "%s';\n",
               sum);
    e = sql->failed ? why_fail(why, ERR_LIMIT, "the schema is too long")
                    : is_made(pg, a, sum, &made, why);
    if (e == ERR_OK && !made) {
        e = pg_script(pg, buf_text(sql), clock_mono_ms() + APPLY_MS, text);
        if (e != ERR_OK)
            why_say(why, "the schema cannot be made: %.400s", text);
    }
    pg_close(pg);
    return e;
}

enum err
instance_load_schema(struct arena *a, const struct instance_spec *s,
                     struct blob_store *from, const char *key,
                     const struct instance_watch *w, char why[WHY_BYTES])
{
    struct schema schema = { .text = BUF_INIT(SCHEMA_MAX), .w = w };
    struct unpack *u = unpack_new(keep, &schema);
    struct instance_backup b;
    char text[WHY_BYTES] = "";
    enum err e = u != NULL ? ERR_OK : ERR_NOMEM, got;

    if (e == ERR_OK && s->kind != INSTANCE_COMPUTER)
        e = why_fail(why, ERR_BAD_PARAM, "it is no computing instance");
    if (e == ERR_OK) {
        got = blob_get(from, key, 0, unpack_write, u, text);
        e = unpack_end(u, a, &b, why);
        if (got != ERR_OK && got != ERR_STATE)
            e = why_fail(why, got, "%.500s", text);
        else if (schema.text.failed)
            e = why_fail(why, ERR_LIMIT, "the schema is too long");
    }
    if (e == ERR_OK && strcmp(b.engine, s->driver) != 0)
        e = why_fail(why, ERR_BAD_PARAM, "the archive is of %.40s", b.engine);
    if (e == ERR_OK && schema.text.n > 0) {
        buf_putc(&schema.text, '\n');
        blank_psql_words(schema.text.p);
        e = apply(a, s, &schema.text, b.payload_sha256, why);
    }
    if (schema.text.p != NULL)
        crypt_wipe(schema.text.p, schema.text.n);
    buf_free(&schema.text);
    unpack_free(u);
    return e;
}
