/* metagate rotate-key: a new key seals from now on, and what older keys have
 * sealed is sealed anew while the deployment serves.
 *
 * Every process seals with the key that is last in the file at that moment,
 * and reads the file again when it meets a key it does not know; so the new
 * key is in force with the rename. What was sealed just before is in the store
 * a request's deadline later at the most: hence a second look after that.
 *
 * Killed anywhere, nothing is lost: keys are only added, a text is replaced
 * in one statement by what says the same. The next run finds texts of older
 * keys, which say that a rotation was not finished, and finishes that one
 * instead of adding another key. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "base/commands.h"
#include "config.h"
#include "crypt.h"
#include "db.h"
#include "log.h"
#include "place.h"
#include "store/lease_keeper.h"
#include "schema/keys.h"
#include "secrets.h"
#include "store/store.h"

#define EXIT_USAGE    2
#define ARENA_BYTES   ((size_t)64 << 20)
#define TRIES         8
#define LEASE_MS      10000
#define LEASE_WAIT_MS 15000 /* for the lease of one that was killed */
#define SLACK_MS      1000
#define ROWS_OF_PAGE  100
#define WIDE_ROWS     4

struct rotation {
    struct db *db;
    struct arena *a;
    struct lease_keeper keeper;
    char owner[LEASE_OWNER_BYTES], path[PLACE_BYTES], pattern[32];
    uint64_t resealed, failed;
};

#define SEALED_ROW(X, s)                         \
    X(s, STR, k1, "k1", COLUMN_ONLY, -)          \
    X(s, STR, k2, "k2", COLUMN_ONLY, -)          \
    X(s, STR, row, "secret_row", COLUMN_ONLY, -) \
    X(s, STR, sealed, "sealed", COLUMN_ONLY, -)
STRUCT(sealed_row, SEALED_ROW);
TABLE(sealed_row, SEALED_ROW);

LIST_OF(sealed_row);

/* ---- one page ---- */

/* A text that cannot be opened stays as it is, and is counted. */
static enum err
reseal_row(struct rotation *r, const struct secret_column *c,
           const struct sealed_row *row)
{
    const char *plain, *sealed;
    enum err e = ERR_OK;

    plain = row->sealed;
    if (!c->was_plain || crypt_sealed_key_id(plain) != 0)
        e = crypt_open(r->a, c->table, row->row, c->column, row->sealed,
                       &plain);
    if (e == ERR_STATE) {
        r->failed++;
        return ERR_OK;
    }
    if (e == ERR_OK)
        e = crypt_seal(r->a, c->table, row->row, c->column, plain,
                       strlen(plain), &sealed);
    if (e == ERR_OK)
        e = db_exec(r->db, c->replace,
                    DB_ARGS(db_str(sealed), db_str(row->k1), db_str(row->k2),
                            db_str(row->sealed)));
    if (e == ERR_OK)
        r->resealed += db_matched(r->db);
    return e;
}

static enum err
reseal_page(struct rotation *r, const struct secret_column *c,
            const struct list_of_sealed_row *rows)
{
    enum err e = lease_begin(r->db, &r->keeper.lease);

    for (size_t i = 0; i < rows->n && e == ERR_OK; i++)
        e = reseal_row(r, c, &rows->v[i]);
    return db_end(r->db, e);
}

/* A writer may be in the way, or the store away for a moment. */
static enum err
reseal_with_patience(struct rotation *r, const struct secret_column *c,
                     const struct list_of_sealed_row *rows)
{
    const uint64_t failed = r->failed, resealed = r->resealed;
    enum err e = ERR_OK;

    for (int i = 0; i < TRIES; i++) {
        e = reseal_page(r, c, rows);
        if (e != ERR_BUSY && e != ERR_STORE)
            break;
        r->failed = failed;
        r->resealed = resealed;
        (void)sleep(i < 2 ? 0 : 1);
    }
    return e;
}

/* ---- a pass over everything ---- */

static enum err
reseal_column(struct rotation *r, const struct secret_column *c)
{
    const size_t page = c->wide ? WIDE_ROWS : ROWS_OF_PAGE;
    char k1[1024] = "", k2[1024] = "";
    struct list_of_sealed_row rows;
    enum err e = ERR_OK;

    do {
        arena_reset(r->a);
        rows = (struct list_of_sealed_row){ 0, NULL };
        e = db_list(r->db, r->a, c->page,
                    DB_ARGS(db_str(r->pattern), db_str(k1), db_str(k1),
                            db_str(k2), db_u64(page)),
                    &sealed_row_rec, page, &rows);
        if (e == ERR_OK && rows.n > 0)
            e = reseal_with_patience(r, c, &rows);
        if (e == ERR_OK)
            e = lease_keeper_holds(&r->keeper);
        if (e == ERR_OK && rows.n > 0) {
            (void)snprintf(k1, sizeof(k1), "%s", rows.v[rows.n - 1].k1);
            (void)snprintf(k2, sizeof(k2), "%s", rows.v[rows.n - 1].k2);
        }
    } while (e == ERR_OK && rows.n == page);
    return e;
}

static enum err
reseal_all(struct rotation *r)
{
    const struct secret_column *c;
    enum err e = ERR_OK;

    r->failed = 0;
    for (size_t i = 0; (c = secret_column_at(i)) != NULL && e == ERR_OK; i++)
        e = reseal_column(r, c);
    return e;
}

static enum err
count_old(struct rotation *r, int64_t *out)
{
    const struct secret_column *c;
    enum err e = ERR_OK;

    *out = 0;
    (void)snprintf(r->pattern, sizeof(r->pattern), "v1:%u:%%", crypt_key_id());
    for (size_t i = 0; (c = secret_column_at(i)) != NULL && e == ERR_OK; i++) {
        int64_t n = 0;

        e = db_one_i64(r->db, c->count, DB_ARGS(db_str(r->pattern)), &n);
        *out += n;
    }
    return e;
}

/* ---- the command ---- */

/* One per RUN_DIR: so the lease of one that was killed here is free at once,
 * while another host's is waited for. */
static enum err
lock_run_dir(void)
{
    char path[PLACE_BYTES];
    int fd;

    if (place_path(path, sizeof(path), "rotate.lock") != ERR_OK)
        return ERR_LIMIT;
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK; /* until this process ends */
    if (fd >= 0)
        (void)close(fd);
    return fd < 0 ? ERR_DENIED : ERR_BUSY;
}

static enum err
wait_for_lease(struct rotation *r)
{
    int64_t asked_ms = clock_mono_ms(), until_ms = asked_ms + LEASE_WAIT_MS;
    enum err e = lock_run_dir();

    r->keeper.lease = (struct lease){ .name = "crypt.rotate",
                                      .owner = r->owner,
                                      .ttl_ms = LEASE_MS };
    while (e == ERR_OK &&
           (e = lease_retake(r->db, &r->keeper.lease)) == ERR_BUSY &&
           clock_mono_ms() < until_ms) {
        (void)sleep(1);
        asked_ms = clock_mono_ms();
        e = ERR_OK;
    }
    if (e == ERR_BUSY)
        (void)fprintf(stderr, "metagate: another rotate-key is running\n");
    return e == ERR_OK ? lease_keeper_start(&r->keeper, r->db, asked_ms) : e;
}

/* What was sealed before the file changed is committed by then. */
static enum err
wait_for_writers(struct rotation *r)
{
    int64_t wait_ms = config()->serve_deadline_ms + SLACK_MS, changed_ms;
    struct stat st;
    enum err e = ERR_OK;

    if (stat(r->path, &st) != 0)
        return ERR_STATE;
    changed_ms =
        (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    while (e == ERR_OK && clock_unix_ms() < changed_ms + wait_ms) {
        const struct timespec part = { .tv_nsec = 200000000 };

        (void)nanosleep(&part, NULL);
        e = lease_keeper_holds(&r->keeper);
    }
    return e;
}

/* Notes a new key in the store. */
static enum err
compare_keys(struct rotation *r)
{
    char why[WHY_BYTES] = "";
    enum err e = keys_check(r->db, why);

    if (e != ERR_OK)
        (void)fprintf(stderr, "metagate: %s\n", why);
    return e;
}

static enum err
new_key(struct rotation *r, int64_t old)
{
    enum err e;

    if (old > 0) {
        printf("%lld texts are sealed by older keys: finishing that "
               "rotation\n",
               (long long)old);
        return ERR_OK;
    }
    e = crypt_add_key(r->path);
    if (e == ERR_OK)
        e = crypt_load(r->path);
    if (e == ERR_OK)
        e = compare_keys(r);
    if (e == ERR_OK)
        printf("key %u seals from now on\n", crypt_key_id());
    return e;
}

static enum err
rotate(struct rotation *r)
{
    int64_t old;
    enum err e;

    e = compare_keys(r);
    if (e == ERR_OK)
        e = count_old(r, &old);
    if (e == ERR_OK)
        e = new_key(r, old);
    if (e == ERR_OK)
        e = count_old(r, &old); /* sets the pattern */
    (void)fflush(stdout);
    if (e == ERR_OK)
        e = reseal_all(r);
    if (e == ERR_OK)
        e = wait_for_writers(r);
    if (e == ERR_OK)
        e = reseal_all(r);
    if (e != ERR_OK)
        return e;
    printf("%llu texts were sealed anew\n", (unsigned long long)r->resealed);
    if (r->failed == 0)
        e = keys_retire(r->db, crypt_key_id());
    if (e != ERR_OK)
        return e;
    if (r->failed == 0) {
        printf("no text needs an older key any more; backups may: keep the "
               "lines in\n%s as long as they are kept\n",
               r->path);
        return ERR_OK;
    }
    (void)fprintf(stderr,
                  "metagate: %llu texts cannot be opened: is a key missing "
                  "in %s?\n",
                  (unsigned long long)r->failed, r->path);
    return ERR_STATE;
}

static enum err
begin(struct rotation *r)
{
    enum err e = ERR_OK;

    lease_owner("rotate-key", r->owner);
    if (!str_empty(config()->crypt_key_file))
        (void)snprintf(r->path, sizeof(r->path), "%s",
                       config()->crypt_key_file);
    else
        e = place_path(r->path, sizeof(r->path), "key");
    if (e == ERR_OK)
        e = crypt_load(r->path);
    if (e == ERR_OK)
        e = store_open();
    r->db = e == ERR_OK ? db_open() : NULL;
    r->a = arena_new(ARENA_BYTES);
    if (e == ERR_OK && (r->db == NULL || r->a == NULL))
        e = ERR_NOMEM;
    return e;
}

int
rotate_main(int argc, char **argv)
{
    struct rotation r = { 0 };
    bool held = false;
    enum err e;

    if (argc > 1) {
        (void)fprintf(stderr, "usage: metagate %s\n", argv[0]);
        return EXIT_USAGE;
    }
    e = begin(&r);
    if (e == ERR_OK)
        e = wait_for_lease(&r);
    held = e == ERR_OK;
    if (e == ERR_OK)
        e = rotate(&r);
    if (held)
        lease_keeper_stop(&r.keeper, r.db);
    if (e != ERR_OK)
        (void)fprintf(stderr, "metagate: rotate-key: %s%s%s\n", err_name(e),
                      r.db != NULL && *db_error(r.db) != '\0' ? ": " : "",
                      r.db != NULL ? db_error(r.db) : "");
    if (r.db != NULL)
        db_close(r.db);
    if (r.a != NULL)
        arena_free(r.a);
    db_fini();
    return e == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
