/* Where backups go. */
#include "target.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "file.h"
#include "node_mgr.h"
#include "root.h"
#include "store.h"

#define NAME  "coldback_"
#define TAIL  ".tgz"
#define STAMP 15 /* "YYYYmmdd_HHMMSS" */

static bool
go_on(void *ctx)
{
    return job_go_on(ctx);
}

/* The machine's first directory for data. */
static enum err
own_url(struct job_run *run, const char **out, char why[WHY_BYTES])
{
    const struct machine *m = run->ctx;
    char real[PATH_MAX];
    struct node_roots r;
    enum err e = node_store_roots(run->db, run->arena, m->address, &r);
    const char *list = e == ERR_OK && HAS(&r, node_roots, data) ? r.data : "";
    const char *first = arena_strndup(run->arena, list, strcspn(list, ";"));

    if (e == ERR_NOT_FOUND || (e == ERR_OK && str_empty(first)))
        return why_fail(why, ERR_BAD_PARAM, "%s is not registered", m->address);
    if (e == ERR_OK)
        e = root_check(first, real, why);
    if (e != ERR_OK)
        return e;
    *out = arena_printf(run->arena, "file://%s", real);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err
read_secret(struct job_run *run, const char **out, char why[WHY_BYTES])
{
    const char *path = node_mgr_settings()->backup_secret_file;
    char *text;
    size_t n;
    enum err e;

    *out = NULL;
    if (str_empty(path))
        return ERR_OK;
    e = file_read(run->arena, path, 4096, &text, &n);
    if (e != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM,
                        "[node_mgr] backup_secret_file cannot be read");
    text[strcspn(text, "\r\n")] = '\0';
    *out = text;
    return ERR_OK;
}

enum err
node_target(struct job_run *run, const char *asked, struct blob_store **out,
            char why[WHY_BYTES])
{
    const struct node_mgr_settings *s = node_mgr_settings();
    const struct machine *m = run->ctx;
    struct blob_config cfg = {
        .url = s->backup_url, .from = m->address, .go_on = go_on, .ctx = run
    };
    enum err e = ERR_OK;

    if (!str_empty(asked) && strcmp(asked, s->backup_url) != 0) {
        if (strncmp(asked, "webhdfs://", 10) != 0)
            return why_fail(why, ERR_BAD_PARAM,
                            "backup_storage is no webhdfs:// and not [node_mgr]"
                            " backup_url");
        cfg.url = asked;
    } else if (str_empty(cfg.url)) {
        e = own_url(run, &cfg.url, why);
    } else if (!str_empty(s->backup_access_key)) {
        cfg.access_key = s->backup_access_key;
        e = read_secret(run, &cfg.secret_key, why);
    }
    return e == ERR_OK ? blob_open(run->arena, &cfg, out, why) : e;
}

static bool
is_part(const char *name)
{
    return !str_empty(name) && strchr(name, '/') == NULL && blob_is_key(name);
}

/* "2021-11-22 23:43:03" as the names have it; false: it is no time. */
static bool
stamp_of(const char *when, char out[STAMP + 1])
{
    struct tm at = { 0 };
    const char *end = strptime(when, "%Y-%m-%d %H:%M:%S", &at);

    return end != NULL && *end == '\0' &&
           strftime(out, STAMP + 1, "%Y%m%d_%H%M%S", &at) == STAMP;
}

const char *
node_backup_key(struct job_run *run, const char *cluster, const char *shard)
{
    char now[CLOCK_TEXT], stamp[STAMP + 1];

    if (!is_part(cluster) || !is_part(shard) ||
        !stamp_of(clock_text(clock_unix_s(), now), stamp))
        return NULL;
    return arena_printf(run->arena, "coldbackup/%s/%s/" NAME "%s" TAIL, cluster,
                        shard, stamp);
}

enum err
node_backup_find(struct job_run *run, struct blob_store *from,
                 const char *cluster, const char *shard, const char *when,
                 const char **out, char why[WHY_BYTES])
{
    char latest[STAMP + 1] = "99999999_999999", best[STAMP + 1] = "";
    const char *prefix =
        arena_printf(run->arena, "/coldbackup/%s/%s/" NAME, cluster, shard);
    char *rest, *line;
    const char *text;
    size_t n;
    enum err e;

    if (prefix == NULL)
        return ERR_NOMEM;
    if (when != NULL && !stamp_of(when, latest))
        return why_fail(why, ERR_BAD_PARAM, "timestamp is none");
    e = blob_text(from, run->arena, TARGET_INDEX, &text, why);
    if (e != ERR_OK)
        return e;
    n = strlen(prefix);
    rest = arena_strdup(run->arena, text);
    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
        if (strncmp(line, prefix, n) != 0 ||
            strlen(line + n) != STAMP + sizeof(TAIL) - 1 ||
            strncmp(line + n, latest, STAMP) > 0 ||
            strncmp(line + n, best, STAMP) <= 0)
            continue;
        memcpy(best, line + n, STAMP);
        *out = line + 1;
    }
    return !str_empty(best)
               ? ERR_OK
               : why_fail(why, ERR_NOT_FOUND, "there is no such backup");
}
