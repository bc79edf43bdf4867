/* What a keeper has on disk. Each instance's home holds what is known of it:
 * its spec with its secrets (0600), whether it is to run, who holds it. RUN_DIR
 * holds the list of the homes, what was last said of pauses, and, for people
 * and `metagate status`, what was last seen of each. */
#include "keeper_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "json.h"
#include "keeper_list.h"
#include "log.h"
#include "place.h"

#define STATE_FILE  ".metagate-state"
#define STATE_BYTES 65536
#define LIST_END    ".json"
#define LIST_BYTES  ((size_t)8 << 20)
#define FILE_BYTES  ((size_t)32 << 20) /* a list as text and tree */

#define KEPT_STATE(X, s)                       \
    X(s, U64, seq, "seq", IN | OUT, -)         \
    X(s, BOOL, to_run, "to_run", IN | OUT, -)  \
    X(s, U64, held_by, "held_by", IN | OUT, -) \
    X(s, JSON, spec, "spec", IN | OUT, -)
STRUCT(kept_file, KEPT_STATE);
TABLE(kept_file, KEPT_STATE);

const struct enum_name kept_state_names[] = {
    { "stopped", KEPT_STOPPED }, { "waiting", KEPT_WAITING },
    { "failed", KEPT_FAILED },   { "paused", KEPT_PAUSED },
    { "held", KEPT_HELD },       { "starting", KEPT_STARTING },
    { "running", KEPT_RUNNING }, { "ending", KEPT_ENDING },
    { "lost", KEPT_LOST },       { NULL, 0 },
};

TABLE(kept, KEPT);
TABLE(kept_home, KEPT_HOME);
TABLE(kept_pause, KEPT_PAUSE);
TABLE(kept_homes, KEPT_HOMES);

/* ---- a home's file ---- */

static enum err
write_at(int home, const char *text)
{
    enum err e = file_write_beneath(home, STATE_FILE, text, strlen(text));

    if (e == ERR_OK)
        return ERR_OK;
    return errno == ENOSPC || errno == EDQUOT ? ERR_LIMIT : ERR_DENIED;
}

enum err
keep_save(struct keep *one)
{
    struct arena *a = arena_new(4 * STATE_BYTES);
    struct kept_file file = { 0 };
    const char *spec, *text;
    int home;
    enum err e =
        a != NULL ? instance_spec_text(a, &one->spec, &spec) : ERR_NOMEM;

    if (e == ERR_OK) {
        PUT(&file, kept_file, seq, one->seq);
        PUT(&file, kept_file, to_run, one->want.to_run);
        PUT(&file, kept_file, held_by, one->held_by);
        PUT(&file, kept_file, spec, ((struct span){ spec, strlen(spec) }));
        e = record_text(a, &json_compact, &kept_file_rec, &file, SECRETS_FULL,
                        STATE_BYTES, &text);
    }
    if (e == ERR_OK)
        e = keep_home(one, &home);
    if (e == ERR_OK) {
        e = write_at(home, text);
        (void)close(home);
    }
    arena_free(a);
    if (e != ERR_OK)
        log_error("keeper.save name=%s err=%s", one->name, err_name(e));
    return e;
}

static enum err
parse(struct arena *a, const char *text, const struct record *rec, void *out)
{
    const struct json *doc;
    struct json_error error;
    struct bind_error why;
    enum err e = json_parse(a, text, strlen(text), 0, &doc, &error);

    return e == ERR_OK ? record_bind(a, rec, doc, BIND_ANY_COUNT, out, &why)
                       : e;
}

static enum err
take_state(struct keeper *k, struct keep *one, struct arena *a,
           const char *text)
{
    struct kept_file file;
    struct instance_spec spec;
    const char *json;
    enum err e = parse(a, text, &kept_file_rec, &file);

    if (e == ERR_OK) {
        json = arena_strndup(a, file.spec.p, file.spec.n);
        e = json != NULL ? instance_spec_read(a, json, &spec) : ERR_NOMEM;
    }
    if (e == ERR_OK &&
        (spec.uuid == NULL || spec.driver == NULL || spec.address == NULL ||
         spec.data_root == NULL || strcmp(spec.uuid, one->uuid) != 0 ||
         (unsigned)spec.port != one->port))
        e = ERR_BAD_PARAM;
    if (e != ERR_OK) {
        (void)snprintf(one->why, sizeof(one->why),
                       STATE_FILE " in its home is damaged");
        return ERR_STATE;
    }
    one->seq = file.seq;
    one->want.to_run = file.to_run;
    one->held_by = file.held_by;
    one->want.held = file.held_by != 0;
    one->want.until_ms = pullup_until(&k->pauses, one->port);
    return keep_spec(k, one, &spec);
}

enum err
keep_load(struct keeper *k, struct keep *one)
{
    struct arena *a = arena_new(4 * STATE_BYTES);
    char *text = a != NULL ? arena_alloc(a, STATE_BYTES) : NULL;
    int home;
    enum err e = text != NULL ? keep_home(one, &home) : ERR_NOMEM;

    if (e == ERR_OK) {
        e = file_start_beneath(home, STATE_FILE, text, STATE_BYTES);
        (void)close(home);
        if (e != ERR_OK)
            (void)snprintf(one->why, sizeof(one->why),
                           "there is no " STATE_FILE " in its home");
    }
    if (e == ERR_OK)
        e = take_state(k, one, a, text);
    arena_free(a);
    if (e == ERR_OK)
        one->why[0] = '\0';
    return e;
}

/* ---- the list ---- */

enum err
kept_list_path(const char *machine, char *out, size_t size)
{
    char name[128];

    (void)snprintf(name, sizeof(name), KEPT_LISTS "/%.64s" LIST_END, machine);
    return place_path(out, size, name);
}

static enum err
list_text(struct keeper *k, struct arena *a, const char **out)
{
    struct kept_homes list = { 0 };
    struct kept *shown = arena_array(a, k->n, sizeof(*shown));

    list.instances.v = arena_array(a, k->n, sizeof(*list.instances.v));
    list.pauses.v = arena_array(a, k->pauses.n, sizeof(*list.pauses.v));
    list.dropped.v = arena_array(a, k->n_dropped, sizeof(*list.dropped.v));
    if (shown == NULL || list.instances.v == NULL || list.pauses.v == NULL ||
        list.dropped.v == NULL)
        return ERR_NOMEM;
    PUT(&list, kept_homes, machine, k->cfg.machine);
    for (size_t i = 0; i < k->n; i++) {
        struct kept_home *h = &list.instances.v[list.instances.n++];

        keep_show(k->v[i], &shown[i]);
        PUT(h, kept_home, root, k->v[i]->root);
        PUT(h, kept_home, class, k->v[i]->class);
        h->kept = &shown[i];
    }
    for (size_t i = 0; i < k->pauses.n; i++) {
        struct kept_pause *p = &list.pauses.v[list.pauses.n++];

        PUT(p, kept_pause, port, (int32_t)k->pauses.v[i].port);
        PUT(p, kept_pause, until_ms, k->pauses.v[i].until_ms);
    }
    for (size_t i = 0; i < k->n_dropped; i++)
        list.dropped.v[list.dropped.n++].v = k->dropped[i];
    return record_text(a, &json_readable, &kept_homes_rec, &list, SECRETS_FULL,
                       LIST_BYTES, out);
}

void
keeper_save_list(struct keeper *k)
{
    char path[PLACE_BYTES];
    struct arena *a = arena_new(FILE_BYTES);
    const char *text;
    enum err e = a != NULL ? list_text(k, a, &text) : ERR_NOMEM;

    if (e == ERR_OK)
        e = kept_list_path(k->cfg.machine, path, sizeof(path));
    if (e == ERR_OK)
        e = file_write(path, 0640, text, strlen(text));
    if (e != ERR_OK)
        log_error("keeper.list err=%s errno=%d", err_name(e), errno);
    arena_free(a);
}

static enum err
take_pauses(struct keeper *k, const struct kept_homes *list)
{
    k->pauses.v = calloc(list->pauses.n + 1, sizeof(*k->pauses.v));
    if (k->pauses.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < list->pauses.n; i++)
        k->pauses.v[k->pauses.n++] =
            (struct pullup_pause){ (unsigned)list->pauses.v[i].port,
                                   list->pauses.v[i].until_ms };
    return ERR_OK;
}

static enum err
take_homes(struct keeper *k, const struct kept_homes *list)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < list->instances.n && e == ERR_OK; i++) {
        const struct kept_home *h = &list->instances.v[i];
        struct keep *one;

        if (h->kept == NULL || h->root == NULL || h->class == NULL ||
            h->kept->uuid == NULL)
            continue;
        one = keep_new(&(struct home){
            h->root, h->class, (unsigned)h->kept->port, h->kept->uuid });
        e = one != NULL ? keeper_put(k, one) : ERR_NOMEM;
        if (e != ERR_OK)
            break;
        one->restarts_before = h->kept->restarts;
        one->want.to_run = h->kept->to_run;
        (void)snprintf(one->driver_name, sizeof(one->driver_name), "%s",
                       h->kept->driver != NULL ? h->kept->driver : "");
        (void)snprintf(one->kind, sizeof(one->kind), "%s",
                       h->kept->kind != NULL ? h->kept->kind : "");
        if (keep_load(k, one) != ERR_OK)
            log_error("keeper.lost port=%u why=\"%s\"", one->port, one->why);
        else
            keep_adopt(one, clock_mono_ms());
    }
    return e;
}

enum err
kept_list_read(struct arena *a, const char *path, struct kept_homes *out)
{
    char *text;
    size_t n;
    enum err e = file_read(a, path, LIST_BYTES, &text, &n);

    return e == ERR_OK ? parse(a, text, &kept_homes_rec, out) : e;
}

/* One that cannot be read is as bad as none, and none is there at the first
 * start: the store and the homes still have it all. */
enum err
keeper_load_list(struct keeper *k)
{
    char path[PLACE_BYTES];
    struct arena *a = arena_new(FILE_BYTES);
    struct kept_homes list = { 0 };
    enum err e = place_path(path, sizeof(path), KEPT_LISTS);

    if (e == ERR_OK)
        e = file_mkdir(path, 0750);
    if (e == ERR_OK)
        e = kept_list_path(k->cfg.machine, path, sizeof(path));
    if (e == ERR_OK && a != NULL) {
        e = kept_list_read(a, path, &list);
        if (e != ERR_OK && e != ERR_NOT_FOUND)
            log_error("keeper.list path=%s err=%s", path, err_name(e));
        e = take_pauses(k, &list);
    }
    if (e == ERR_OK && a != NULL)
        e = take_homes(k, &list);
    for (size_t i = 0; i < list.dropped.n && e == ERR_OK; i++)
        e = keeper_note_dropped(k, list.dropped.v[i].v);
    arena_free(a);
    return a != NULL ? e : ERR_NOMEM;
}

/* ---- all lists of this host ---- */

static int
is_list(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name), end = sizeof(LIST_END) - 1;

    return n > end && strcmp(entry->d_name + n - end, LIST_END) == 0;
}

static enum err
add_list(struct arena *a, const char *name, struct list_of_kept *out)
{
    char path[PLACE_BYTES], file[300];
    struct kept_homes list;
    struct kept *v;
    enum err e;

    (void)snprintf(file, sizeof(file), KEPT_LISTS "/%.255s", name);
    e = place_path(path, sizeof(path), file);
    if (e == ERR_OK)
        e = kept_list_read(a, path, &list);
    if (e != ERR_OK)
        return e;
    v = arena_array(a, out->n + list.instances.n, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    if (out->n > 0)
        memcpy(v, out->v, out->n * sizeof(*v));
    out->v = v;
    for (size_t i = 0; i < list.instances.n; i++) {
        if (list.instances.v[i].kept == NULL)
            continue;
        v[out->n] = *list.instances.v[i].kept;
        PUT(&v[out->n], kept, machine, list.machine);
        out->n++;
    }
    return ERR_OK;
}

enum err
kept_lists_read(struct arena *a, struct list_of_kept *out)
{
    char path[PLACE_BYTES];
    struct dirent **entry = NULL;
    enum err e = place_path(path, sizeof(path), KEPT_LISTS);
    int n = e == ERR_OK ? scandir(path, &entry, is_list, alphasort) : 0;

    *out = (struct list_of_kept){ 0 };
    for (int i = 0; i < n; i++) {
        if (e == ERR_OK)
            e = add_list(a, entry[i]->d_name, out);
        free(entry[i]);
    }
    free(entry);
    return e;
}
