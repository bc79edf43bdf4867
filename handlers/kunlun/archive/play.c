/* What is behind a backup, played up to a moment. */
#include <string.h>

#include "archive.h"
#include "blob.h"

#define TARGETS 64

/* A place that pieces lie in, opened once. */
struct opened {
    const char *url;
    struct blob_store *store;
};

static enum err
cannot(const struct archive_piece *p, enum err e, const char *text,
       char why[WHY_BYTES])
{
    return why_fail(why, e,
                    "the binlog that %s keeps in %.200s cannot be read here "
                    "(%.200s): [node_mgr] backup_url names a place that all "
                    "machines reach",
                    p->machine, p->target, text);
}

/* The first piece of each place is looked for before anything is played. */
static enum err
open_target(const struct target_user *u, const struct archive_piece *p,
            struct opened all[], size_t *n, struct blob_store **out,
            char why[WHY_BYTES])
{
    char text[WHY_BYTES] = "";
    int64_t bytes;
    enum err e;

    for (size_t i = 0; i < *n; i++)
        if (strcmp(all[i].url, p->target) == 0) {
            *out = all[i].store;
            return ERR_OK;
        }
    if (*n == TARGETS)
        return why_fail(why, ERR_LIMIT, "its binlog lies in too many places");
    e = target_again(u, p->target, out, text);
    if (e == ERR_OK)
        e = blob_size(*out, p->path, &bytes, text);
    if (e == ERR_OK && bytes != p->bytes)
        return why_fail(why, ERR_BAD_PARAM, "%s is not what was stored",
                        p->path);
    if (e != ERR_OK)
        return cannot(p, e, text, why);
    all[(*n)++] = (struct opened){ p->target, *out };
    return ERR_OK;
}

static enum err
read_pieces(struct job_run *run, const struct list_of_archive_piece *rows,
            struct journal_stored **out, char why[WHY_BYTES])
{
    const struct target_user u = target_of(run);
    struct journal_stored *v = arena_array(run->arena, rows->n + 1, sizeof(*v));
    struct opened all[TARGETS];
    size_t n = 0;
    enum err e = v != NULL ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < rows->n; i++) {
        const struct archive_piece *p = &rows->v[i];

        v[i] = (struct journal_stored){
            .key = p->path,
            .sha256 = p->sha256,
            .after = { (uint32_t)p->after_server, p->after_seq },
            .upto = { (uint32_t)p->upto_server, p->upto_seq },
            .after_ms = p->after_ms,
            .read_ms = p->read_ms,
        };
        e = open_target(&u, p, all, &n, &v[i].from, why);
    }
    *out = v;
    return e;
}

enum err
archive_play(struct job_run *run, const struct instance_spec *s,
             const struct instance_backup *loaded, int64_t archive,
             int64_t until_ms, const struct instance_watch *w,
             char why[WHY_BYTES])
{
    struct list_of_archive_piece rows;
    struct journal_stored *pieces;
    struct journal_played played;
    struct instance_gtid at;
    enum err e;

    (void)instance_gtid_of(HAS(loaded, instance_backup, gtid) ? loaded->gtid
                                                              : NULL,
                           loaded->domain, &at);
    e = archive_pieces(run->db, run->arena, archive, at.seq, &rows);
    if (e == ERR_LIMIT)
        return why_fail(why, e, "there are too many pieces behind the backup");
    if (e == ERR_OK)
        e = read_pieces(run, &rows, &pieces, why);
    return e == ERR_OK && rows.n > 0
               ? journal_play(run->arena, s, loaded, pieces, rows.n, until_ms,
                              w, &played, why)
               : e;
}
