/* The upkeep cluster.watchers: a machine runs what its rows of kunlun_watcher
 * say, and tells of it. What programs read lies in RUN_DIR/monitor, 0600:
 * passwords stand in no command line. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "address.h"
#include "helper.h"
#include "instance.h"
#include "json.h"
#include "keeper.h"
#include "log.h"
#include "monitor.h"
#include "place.h"

#define LEISURE        5
#define ARGS_MAX       12
#define FILE_MAX       ((size_t)4 << 20)
#define MYSQL_LOGIN    "cnf"
#define POSTGRES_LOGIN "pass"
#define PATH_NAME      96
#define KEEP_DAYS      "15d"
#define KEEP_BYTES     "1GB"
#define SCRAPE         "10s"

/* A program with its arguments, in the arena. */
struct program {
    const char *argv[ARGS_MAX + 1];
    const char *env[4];
    size_t n;
};

/* ---- what they read ---- */

/* Written where it is another one than before. */
static enum err
keep_file(struct arena *a, const char *path, const char *text)
{
    size_t n = strlen(text), was;
    char *old;

    if (file_read(a, path, FILE_MAX, &old, &was) == ERR_OK && was == n &&
        memcmp(old, text, n) == 0)
        return ERR_OK;
    return file_write(path, 0600, text, n);
}

static enum err
path_of(char out[PATH_MAX], const char *name)
{
    char file[PATH_NAME + 16];

    (void)snprintf(file, sizeof(file), "monitor/%s", name);
    return place_path(out, PATH_MAX, file);
}

static enum err
make_folders(void)
{
    static const char *const folders[] = { "monitor", "monitor/targets",
                                           "monitor/data" };
    char path[PATH_MAX];
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < COUNT(folders); i++) {
        e = place_path(path, sizeof(path), folders[i]);
        if (e == ERR_OK)
            e = file_mkdir(path, 0700);
    }
    return e;
}

/* Whom Prometheus asks, by kind: it looks at the file by itself. */
static enum err
write_targets(struct arena *a, const struct list_of_watcher *all,
              const char *kind)
{
    struct buf b = BUF_INIT(FILE_MAX);
    char path[PATH_MAX], name[PATH_NAME], at[ADDRESS_BYTES];
    struct json_writer w;
    const char *text;
    enum err e;

    jw_init(&w, &b, &json_compact);
    jw_array(&w);
    for (size_t i = 0; i < all->n; i++) {
        const struct watcher *o = &all->v[i];

        if (strcmp(o->kind, kind) != 0)
            continue;
        jw_object(&w);
        jw_key(&w, "targets");
        jw_array(&w);
        jw_str(&w, address_print(o->machine, o->port, at, sizeof(at)));
        jw_array_end(&w);
        jw_key(&w, "labels");
        jw_object(&w);
        jw_key_str(&w, "machine", o->machine);
        if (o->target != 0) {
            jw_key_str(&w, "server",
                       address_print(o->machine, o->target, at, sizeof(at)));
            jw_key_str(&w, "cluster", o->cluster);
            jw_key_str(&w, "shard", o->shard);
        }
        jw_object_end(&w);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    e = buf_settle(&b, a, &text);
    (void)snprintf(name, sizeof(name), "targets/%s.json", kind);
    if (e == ERR_OK)
        e = path_of(path, name);
    return e == ERR_OK ? keep_file(a, path, text) : e;
}

static enum err
write_prometheus(struct upkeep_run *run, const struct watcher *o,
                 const char **text)
{
    static const char *const kinds[] = { WATCHER_NODE, WATCHER_POSTGRES,
                                         WATCHER_MYSQL };
    struct buf b = BUF_INIT(FILE_MAX);
    struct list_of_watcher all;
    char path[PATH_MAX], at[ADDRESS_BYTES];
    enum err e = watcher_list(run->db, run->arena, NULL, &all);

    buf_printf(&b,
               "global:\n  scrape_interval: " SCRAPE "\nscrape_configs:\n"
               "  - job_name: prometheus\n    static_configs:\n"
               "      - targets: ['%s']\n",
               address_print(o->machine, o->port, at, sizeof(at)));
    for (size_t i = 0; e == ERR_OK && i < COUNT(kinds); i++) {
        e = write_targets(run->arena, &all, kinds[i]);
        buf_printf(&b,
                   "  - job_name: %s\n    file_sd_configs:\n"
                   "      - files: ['targets/%s.json']\n",
                   kinds[i], kinds[i]);
    }
    if (e == ERR_OK)
        e = buf_settle(&b, run->arena, text);
    else
        buf_free(&b);
    if (e == ERR_OK)
        e = path_of(path, "prometheus.yml");
    return e == ERR_OK ? keep_file(run->arena, path, *text) : e;
}

/* ---- their command lines ---- */

static void
add(struct arena *a, struct program *p, const char *name, const char *value)
{
    p->argv[p->n++] =
        value != NULL ? arena_printf(a, "%s%s", name, value) : name;
}

static const char *
listens(struct arena *a, const struct watcher *o)
{
    char at[ADDRESS_BYTES];

    return arena_printf(a, "--web.listen-address=%s",
                        address_print(o->machine, o->port, at, sizeof(at)));
}

static enum err
run_prometheus(struct upkeep_run *run, const struct watcher *o,
               struct program *p, const char **version)
{
    char config[PATH_MAX], data[PATH_MAX];
    enum err e = write_prometheus(run, o, version);

    if (e == ERR_OK)
        e = path_of(config, "prometheus.yml");
    if (e == ERR_OK)
        e = path_of(data, "data");
    if (e != ERR_OK)
        return e;
    add(run->arena, p, "prometheus", NULL);
    add(run->arena, p, "--config.file=", config);
    add(run->arena, p, "--storage.tsdb.path=", data);
    add(run->arena, p, "--storage.tsdb.retention.time=" KEEP_DAYS, NULL);
    add(run->arena, p, "--storage.tsdb.retention.size=" KEEP_BYTES, NULL);
    add(run->arena, p, "--log.level=warn", NULL);
    return ERR_OK;
}

static void
login_name(const struct watcher *o, const char *suffix, char out[PATH_NAME])
{
    (void)snprintf(out, PATH_NAME, "%.48s-%d.%s", o->machine, (int)o->port,
                   suffix);
}

/* The login in a file that we alone read; version: the text of it. */
static enum err
write_login(struct upkeep_run *run, const struct watcher *o, const char *suffix,
            const char *text, const char **path)
{
    char name[PATH_NAME], at[PATH_MAX];
    enum err e;

    login_name(o, suffix, name);
    e = text != NULL ? path_of(at, name) : ERR_NOMEM;
    if (e == ERR_OK)
        e = keep_file(run->arena, at, text);
    *path = e == ERR_OK ? arena_strdup(run->arena, at) : NULL;
    return e == ERR_OK && *path == NULL ? ERR_NOMEM : e;
}

static enum err
run_mysql(struct upkeep_run *run, const struct watcher *o,
          const struct instance_spec *s, struct program *p,
          const char **version)
{
    const char *path;
    enum err e;

    *version = arena_printf(run->arena,
                            "[client]\nuser=%s\npassword=%s\nhost=%s\n"
                            "port=%d\n",
                            s->client_user, s->client_secret, s->address,
                            (int)s->port);
    e = write_login(run, o, MYSQL_LOGIN, *version, &path);
    if (e != ERR_OK)
        return e;
    add(run->arena, p, "prometheus-mysqld-exporter", NULL);
    add(run->arena, p, "--config.my-cnf=", path);
    add(run->arena, p, "--log.level=error", NULL);
    return ERR_OK;
}

/* Who looks for what a deployment has left finds it by RUN_DIR on its command
 * line: here by a file that sets nothing. */
static enum err
add_ours(struct upkeep_run *run, struct program *p)
{
    char path[PATH_MAX];
    enum err e = path_of(path, "web.yml");

    if (e == ERR_OK)
        e = keep_file(run->arena, path, "# no TLS, no users\n");
    if (e == ERR_OK)
        add(run->arena, p, "--web.config.file=", path);
    return e;
}

static enum err
run_postgres(struct upkeep_run *run, const struct watcher *o,
             const struct instance_spec *s, struct program *p,
             const char **version)
{
    const char *path;
    char at[ADDRESS_BYTES];
    enum err e;

    *version = s->client_secret;
    e = write_login(run, o, POSTGRES_LOGIN, *version, &path);
    if (e != ERR_OK)
        return e;
    add(run->arena, p, "prometheus-postgres-exporter", NULL);
    add(run->arena, p, "--log.level=error", NULL);
    e = add_ours(run, p);
    p->env[0] =
        arena_printf(run->arena, "DATA_SOURCE_URI=%s/postgres?sslmode=disable",
                     address_print(s->address, s->port, at, sizeof(at)));
    p->env[1] = arena_printf(run->arena, "DATA_SOURCE_USER=%s", s->client_user);
    p->env[2] = arena_printf(run->arena, "DATA_SOURCE_PASS_FILE=%s", path);
    return e;
}

/* NOT_FOUND: its instance is gone. */
static enum err
make(struct upkeep_run *run, const struct watcher *o, struct helper *out)
{
    struct program *p = arena_alloc(run->arena, sizeof(*p));
    struct instance_spec spec;
    enum err e = p != NULL ? ERR_OK : ERR_NOMEM;
    const char *version = "";

    if (e != ERR_OK)
        return e;
    *p = (struct program){ .n = 0 };
    if (o->target != 0) {
        e = keeper_spec(run->keeper, run->arena, (unsigned)o->target, &spec);
        if (e == ERR_OK && strcmp(spec.uuid, o->uuid) != 0)
            e = ERR_NOT_FOUND;
    }
    if (e != ERR_OK)
        return e;
    if (strcmp(o->kind, WATCHER_PROMETHEUS) == 0) {
        e = run_prometheus(run, o, p, &version);
    } else if (strcmp(o->kind, WATCHER_NODE) == 0) {
        add(run->arena, p, "prometheus-node-exporter", NULL);
        add(run->arena, p, "--log.level=error", NULL);
        e = add_ours(run, p);
    } else if (strcmp(o->kind, WATCHER_MYSQL) == 0) {
        e = run_mysql(run, o, &spec, p, &version);
    } else {
        e = run_postgres(run, o, &spec, p, &version);
    }
    *out = (struct helper){
        .name = arena_printf(run->arena, "%s-%s-%d", o->kind, o->machine,
                             (int)o->port),
        .argv = p->argv,
        .word = listens(run->arena, o),
        .env = p->env,
        .address = o->machine,
        .port = (unsigned)o->port,
        .version = version,
    };
    p->argv[p->n++] = out->word;
    for (size_t i = 0; i < p->n; i++)
        if (p->argv[i] == NULL)
            e = ERR_NOMEM;
    return e == ERR_OK && out->name == NULL ? ERR_NOMEM : e;
}

/* ---- a look ---- */

static const char *
word(enum helper_state s)
{
    return s == HELPER_RUNS     ? WATCHER_RUNNING
           : s == HELPER_FAILED ? WATCHER_FAILED
                                : WATCHER_WANTED;
}

static enum err
tell(struct upkeep_run *run, const struct watcher *w, enum helper_state state,
     const char *why)
{
    if (strcmp(w->state, word(state)) == 0 && strcmp(w->why, why) == 0)
        return ERR_OK;
    return watcher_tell(run->db, w, word(state), why);
}

/* With its password. */
static void
drop_logins(const struct watcher *w)
{
    static const char *const suffixes[] = { MYSQL_LOGIN, POSTGRES_LOGIN };
    char name[PATH_NAME], path[PATH_MAX];

    for (size_t i = 0; i < COUNT(suffixes); i++) {
        login_name(w, suffixes[i], name);
        if (path_of(path, name) == ERR_OK)
            (void)unlink(path);
    }
}

/* What its files cannot be written for is told, and left as it is. */
static enum err
cannot(struct upkeep_run *run, const struct watcher *w, enum err e)
{
    if (e == ERR_NOT_FOUND) {
        drop_logins(w);
        return watcher_drop(run->db, w->machine, w->kind, w->target);
    }
    if (e != ERR_STATE && e != ERR_LIMIT)
        return e;
    return tell(run, w, HELPER_FAILED,
                arena_printf(run->arena,
                             "RUN_DIR/monitor cannot be written:"
                             " %s",
                             strerror(errno)));
}

static enum err
look(struct upkeep_run *run, const struct list_of_watcher *mine)
{
    struct helper *want = arena_array(run->arena, mine->n + 1, sizeof(*want));
    const struct watcher **of =
        arena_array(run->arena, mine->n + 1, sizeof(*of));
    enum helper_state *state =
        arena_array(run->arena, mine->n + 1, sizeof(*state));
    char(*why)[WHY_BYTES] = arena_array(run->arena, mine->n + 1, sizeof(*why));
    size_t n = 0;
    enum err e = want == NULL || of == NULL || state == NULL || why == NULL
                     ? ERR_NOMEM
                     : ERR_OK;

    if (e == ERR_OK && mine->n > 0)
        e = make_folders();
    for (size_t i = 0; e == ERR_OK && i < mine->n; i++) {
        of[n] = &mine->v[i];
        e = make(run, of[n], &want[n]);
        if (e == ERR_OK)
            n++;
        else
            e = cannot(run, &mine->v[i], e);
    }
    if (e == ERR_OK)
        e = helpers_tend(run->helpers, want, n, state, why);
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = tell(run, of[i], state[i], why[i]);
    return e;
}

void
watch_over_forget(void *memory)
{
    free(memory);
}

int64_t
watch_over_every_ms(void)
{
    return 1000;
}

/* As long as there was nothing to watch, every fifth time is often enough. */
struct leisure {
    unsigned looks;
    bool busy;
};

enum turn
watch_over(struct upkeep_run *run)
{
    struct leisure *l = run->memory;
    struct list_of_watcher mine;
    enum err e;

    if (l == NULL)
        l = run->memory = calloc(1, sizeof(*l));
    if (l == NULL)
        return TURN_FAILED;
    if (!l->busy && l->looks++ % LEISURE != 0)
        return TURN_IDLE;
    e = watcher_list(run->db, run->arena, run->machine, &mine);
    if (e == ERR_OK)
        e = look(run, &mine);
    if (e == ERR_OK)
        l->busy = mine.n > 0;
    if (e == ERR_OK)
        return TURN_IDLE;
    log_warn("cluster.watchers machine=%s err=%s errno=%u", run->machine,
             err_name(e), db_errno(run->db));
    return TURN_FAILED;
}
