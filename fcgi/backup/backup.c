/* Backups: the driver's stream into an archive, the archive to its place. */
#include "backup_tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "archive_int.h"
#include "clock.h"
#include "crypt/digest.h"
#include "log.h"

#define END_MS (10 * 60 * 1000) /* from its last byte to its end */

TABLE(instance_backup, INSTANCE_BACKUP);

static size_t
series(const char *version)
{
    size_t n = strcspn(version, ".");

    return version[n] == '.' ? n + 1 + strcspn(version + n + 1, ".") : n;
}

bool
backup_same_series(const char *theirs, const char *ours)
{
    size_t n = series(theirs);

    return n > 0 && n == series(ours) && memcmp(theirs, ours, n) == 0;
}

struct making {
    struct arena *a;
    const struct backup_tool *kind;
    const struct instance_watch *w;
    struct tool tool;
    struct backup_stream stream;
    struct instance_backup *out;
    int64_t bytes;
    enum err e; /* of the source's side */
    char *why;
};

static int64_t
read_payload(void *ctx, char *p, size_t n)
{
    struct making *m = ctx;
    int64_t got = tool_read(&m->tool, m->w, p, n);

    if (got < 0) {
        m->e = why_fail(m->why, ERR_STATE, "broken off");
        return -1;
    }
    if (got > 0 && !m->kind->look(&m->stream, p, (size_t)got)) {
        m->e = why_fail(m->why, ERR_STATE,
                        "the backup's stream is of a form that is not known");
        return -1;
    }
    m->bytes += got;
    if (got > 0 && m->w != NULL && m->w->progress != NULL)
        m->w->progress(m->w->ctx, m->bytes);
    return got;
}

/* The stream has ended, which says nothing: the program has to have succeeded,
 * and to have said so. */
static const char *
make_manifest(void *ctx, const struct blob_sum *payload)
{
    struct making *m = ctx;
    struct instance_backup *out = m->out;
    char line[512];
    const char *text;

    m->e = tool_wait(&m->tool, END_MS);
    if (m->e != ERR_OK) {
        tool_last_line(&m->tool, line, sizeof(line));
        (void)why_fail(m->why, m->e, "the backup failed with status %d: %s",
                       m->tool.status, line);
        return NULL;
    }
    m->e = m->kind->ended(m->a, &m->stream, &m->tool, out, m->why);
    if (m->e != ERR_OK)
        return NULL;
    PUT(out, instance_backup, ended_ms, clock_unix_ms());
    PUT(out, instance_backup, payload_bytes, payload->bytes);
    PUT(out, instance_backup, payload_sha256,
        arena_strdup(m->a, payload->sha256));
    PUT(out, instance_backup, completed, true);
    m->e = record_text(m->a, &json_readable, &instance_backup_rec, out,
                       SECRETS_FULL, MANIFEST_MAX, &text);
    return m->e == ERR_OK ? text : NULL;
}

static void
begin_manifest(const struct instance_spec *s, const char *version,
               struct instance_backup *out)
{
    *out = (struct instance_backup){ 0 };
    PUT(out, instance_backup, format, BACKUP_FORMAT);
    PUT(out, instance_backup, engine, s->driver);
    PUT(out, instance_backup, version, version);
    PUT(out, instance_backup, uuid, s->uuid);
    if (s->cluster != NULL)
        PUT(out, instance_backup, cluster, s->cluster);
    if (s->shard != NULL)
        PUT(out, instance_backup, shard, s->shard);
    PUT(out, instance_backup, port, s->port);
    if (s->kind == INSTANCE_STORAGE)
        PUT(out, instance_backup, domain, s->domain_id);
    PUT(out, instance_backup, begun_ms, clock_unix_ms());
}

static enum err
put_archive(struct making *m, struct blob_store *to, const char *key)
{
    struct pack_source source = { read_payload, make_manifest, m };
    struct pack *pack = pack_new(&source);
    struct blob_sum sum = { 0 };
    char why[WHY_BYTES] = "";
    enum err e;

    if (pack == NULL)
        return why_fail(m->why, ERR_NOMEM, "out of memory");
    e = blob_put(to, key, pack_read, pack, &sum, why);
    pack_free(pack);
    if (m->e != ERR_OK)
        return m->e; /* our side knows better than the one that was stopped */
    if (e != ERR_OK)
        return why_fail(m->why, e, "%.500s", why);
    PUT(m->out, instance_backup, bytes, sum.bytes);
    PUT(m->out, instance_backup, sha256, arena_strdup(m->a, sum.sha256));
    return ERR_OK;
}

/* By the name of their driver. */
static const struct {
    const char *driver;
    const struct backup_tool *tool;
} tools[] = {
    { "mariadb", &mariadb_backup_tool },
    { "postgres", &postgres_backup_tool },
};

static const struct backup_tool *
find_tool(const char *driver)
{
    for (size_t i = 0; i < COUNT(tools); i++) {
        if (strcmp(tools[i].driver, driver) == 0)
            return tools[i].tool;
    }
    return NULL;
}

enum err
instance_backup(struct arena *a, const struct instance_spec *s,
                struct blob_store *to, const char *key,
                const struct instance_watch *w, struct instance_backup *out,
                char why[WHY_BYTES])
{
    const struct instance_driver *d = instance_driver_find(s->driver);
    struct making m = { .a = a, .w = w, .out = out, .why = why };
    struct argv argv = ARGV_INIT;
    const char *const *env = NULL;
    const char *secrets = NULL;
    char version[64];
    struct instance i;
    enum err e;

    m.kind = d != NULL ? find_tool(s->driver) : NULL;
    if (m.kind == NULL)
        return why_fail(why, ERR_BAD_PARAM, "such an instance has no backup");
    m.stream.xbstream = (struct xbstream)XBSTREAM_INIT;
    e = d->version(version, sizeof(version), why);
    if (e == ERR_OK)
        e = instance_place(a, s, &i, why);
    if (e == ERR_OK) {
        version[strcspn(version, "-")] = '\0';
        begin_manifest(s, arena_strdup(a, version), out);
        env = d->env;
        e = m.kind->begin(a, s, &i, &argv, &env, &secrets, why);
    }
    if (e == ERR_OK && argv_done(&argv) != ERR_OK)
        e = why_fail(why, ERR_LIMIT, "the command is too long");
    if (e == ERR_OK) {
        e = tool_start(&m.tool, &argv, env, true, why);
        if (e == ERR_OK)
            e = put_archive(&m, to, key);
        if (e != ERR_OK) {
            char line[512];

            tool_last_line(&m.tool, line, sizeof(line));
            log_warn("instance.backup port=%d key=%s why=\"%s\" tool=\"%s\"",
                     (int)s->port, key, why, line);
        }
        tool_close(&m.tool);
    }
    if (secrets != NULL)
        (void)unlink(secrets);
    argv_free(&argv);
    return e;
}

/* ---- read again ---- */

struct reading {
    struct unpack *unpack;
    struct digest *digest;
    const struct instance_watch *w;
    int64_t bytes;
};

static bool
pass(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return true;
}

static bool
read_archive(void *ctx, const char *p, size_t n)
{
    struct reading *r = ctx;

    if (r->w != NULL && r->w->go_on != NULL && !r->w->go_on(r->w->ctx))
        return false;
    r->bytes += (int64_t)n;
    if (r->w != NULL && r->w->progress != NULL)
        r->w->progress(r->w->ctx, r->bytes);
    return digest_add(r->digest, p, n) && unpack_write(r->unpack, p, n);
}

enum err
instance_backup_check(struct arena *a, struct blob_store *from, const char *key,
                      const struct instance_watch *w,
                      struct instance_backup *out, char why[WHY_BYTES])
{
    struct reading r = { unpack_new(pass, NULL), digest_new(), w, 0 };
    char sha256[65], text[WHY_BYTES] = "";
    enum err e = r.unpack != NULL && r.digest != NULL ? ERR_OK : ERR_NOMEM, got;

    if (e == ERR_OK) {
        got = blob_get(from, key, 0, read_archive, &r, text);
        e = unpack_end(r.unpack, a, out, why);
        if (got != ERR_OK && (got != ERR_STATE || e == ERR_OK))
            e = why_fail(why, got, "%.500s", text);
    }
    if (e == ERR_OK)
        e = digest_hex(r.digest, sha256);
    if (e == ERR_OK) {
        PUT(out, instance_backup, bytes, r.bytes);
        PUT(out, instance_backup, sha256, arena_strdup(a, sha256));
    }
    unpack_free(r.unpack);
    digest_free(r.digest);
    return e;
}
