/* Where backups go. */
#include "target.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "kunlun/machine/dirs.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "kunlun/node_mgr/store.h"
#include "root.h"

#define NAME "coldback_"
#define TAIL ".tgz"

#define SECRET_BYTES 4096

static bool
go_on(void *ctx)
{
    return job_go_on(ctx);
}

/* The machine's first directory for data. */
static enum err
own_url(const struct target_user *u, const char **out, char why[WHY_BYTES])
{
    char real[PATH_MAX];
    struct node_roots r;
    enum err e = node_store_roots(u->db, u->a, u->machine, &r);
    const char *list = e == ERR_OK && HAS(&r, node_roots, data) ? r.data : "";
    const char *first = NULL;
    struct span s;

    if (machine_dirs_next(&list, &s))
        first = arena_strndup(u->a, s.p, s.n);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && str_empty(first)))
        return why_fail(why, ERR_BAD_PARAM, "%s is not registered", u->machine);
    if (e == ERR_OK)
        e = root_check(first, real, why);
    if (e != ERR_OK)
        return e;
    *out = arena_printf(u->a, "file://%s", real);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err
read_secret(struct arena *a, const char **out, char why[WHY_BYTES])
{
    const char *path = node_mgr_settings()->backup_secret_file;
    char *text, wrong[WHY_BYTES];

    *out = NULL;
    if (str_empty(path))
        return ERR_OK;
    text = arena_alloc(a, SECRET_BYTES);
    if (text == NULL)
        return ERR_NOMEM;
    if (file_read_secret(path, text, SECRET_BYTES, wrong) != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM,
                        "[node_mgr] backup_secret_file cannot be read: %s",
                        wrong);
    *out = text;
    return ERR_OK;
}

/* The keys are for who is asked by a url of ours, never for one that a client
 * has named. */
static enum err
open_url(const struct target_user *u, const char *url, bool keys,
         struct blob_store **out, char why[WHY_BYTES])
{
    const struct node_mgr_settings *s = node_mgr_settings();
    struct blob_config cfg = {
        .url = url, .from = u->machine, .go_on = u->go_on, .ctx = u->ctx
    };
    enum err e = ERR_OK;

    if (keys && !str_empty(s->backup_access_key)) {
        cfg.access_key = s->backup_access_key;
        e = read_secret(u->a, &cfg.secret_key, why);
    }
    return e == ERR_OK ? blob_open(u->a, &cfg, out, why) : e;
}

enum err
target_open(const struct target_user *u, const char *asked,
            struct blob_store **out, const char **url, char why[WHY_BYTES])
{
    const char *ours = node_mgr_settings()->backup_url, *it = ours;
    bool keys = false;
    enum err e = ERR_OK;

    if (!str_empty(asked) && strcmp(asked, ours) != 0) {
        if (strncmp(asked, "webhdfs://", 10) != 0)
            return why_fail(why, ERR_BAD_PARAM,
                            "backup_storage is no webhdfs:// and not [node_mgr]"
                            " backup_url");
        it = asked;
    } else if (str_empty(ours)) {
        e = own_url(u, &it, why);
    } else {
        keys = true;
    }
    if (url != NULL)
        *url = it;
    return e == ERR_OK ? open_url(u, it, keys, out, why) : e;
}

enum err
target_again(const struct target_user *u, const char *url,
             struct blob_store **out, char why[WHY_BYTES])
{
    return open_url(u, url, strncmp(url, "s3://", 5) == 0, out, why);
}

struct target_user
target_of(struct job_run *run)
{
    const struct machine *m = run->ctx;

    return (struct target_user){ .db = run->db,
                                 .a = run->arena,
                                 .machine = m->address,
                                 .go_on = go_on,
                                 .ctx = run };
}

enum err
node_target(struct job_run *run, const char *asked, struct blob_store **out,
            const char **url, char why[WHY_BYTES])
{
    const struct target_user u = target_of(run);

    return target_open(&u, asked, out, url, why);
}

static bool
is_part(const char *name)
{
    return !str_empty(name) && strchr(name, '/') == NULL && blob_is_key(name);
}

const char *
node_backup_key(struct job_run *run, const char *cluster, const char *shard)
{
    char stamp[CLOCK_TEXT];

    if (!is_part(cluster) || !is_part(shard) ||
        str_empty(clock_print(clock_unix_s(), true, CLOCK_NAME, stamp)))
        return NULL;
    return arena_printf(run->arena, "coldbackup/%s/%s/" NAME "%s" TAIL, cluster,
                        shard, stamp);
}

bool
target_moment(const char *when, int64_t *unix_ms)
{
    int64_t unix_s;
    bool is_time = clock_read(when, &unix_s);

    *unix_ms = unix_s * 1000;
    return is_time;
}
