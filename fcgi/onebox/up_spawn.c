/* What a child is made of: its row, its socket, its log, its process. */
#include "up.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"

#define TAIL_LINES_BYTES 3000
#define TAIL_LINES       12

/* ---- making the rows ---- */

/* The worker's socket: opened once, kept while workers come and go, so that
 * a dead worker refuses nobody. */
static enum err
open_socket(struct up_child *c, char why[WHY_BYTES])
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    char name[64];
    int fd;

    (void)snprintf(name, sizeof(name), "%s.sock", c->name);
    if (place_socket(sa.sun_path, sizeof(sa.sun_path), name) != ERR_OK)
        return why_fail(why, ERR_LIMIT, "the path of %s is too long", name);
    (void)unlink(sa.sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
        chmod(sa.sun_path, 0660) != 0 || listen(fd, 4096) != 0) {
        why_say(why, "%s: %s", sa.sun_path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return ERR_STATE;
    }
    c->listen_fd = fd;
    return ERR_OK;
}

static void
name_child(struct up_child *c)
{
    char label[20];

    (void)snprintf(label, sizeof(label), "%d", c->id);
    if (c->kind->label != NULL)
        c->kind->label(c->id, label, sizeof(label));
    if (c->kind->numbered)
        (void)snprintf(c->name, sizeof(c->name), "%.10s-%s", c->kind->role,
                       label);
    else
        (void)snprintf(c->name, sizeof(c->name), "%s", c->kind->role);
}

enum err
up_make_children(struct up *up, char why[WHY_BYTES])
{
    size_t count[16] = { 0 }, total = 0;
    enum err e = ERR_OK;

    for (size_t k = 0; k < n_kinds; k++)
        total += count[k] = kinds[k].count();
    up->child = calloc(total, sizeof(*up->child));
    if (up->child == NULL)
        return ERR_NOMEM;
    for (size_t k = 0; k < n_kinds; k++) {
        for (size_t i = 0; i < count[k] && e == ERR_OK; i++) {
            struct up_child *c = &up->child[up->n++];

            c->kind = &kinds[k];
            c->id = (int)i;
            c->probe_fd = c->listen_fd = -1;
            name_child(c);
            up_init_child(c);
            if (strcmp(kinds[k].role, "serve") == 0)
                e = open_socket(c, why);
        }
    }
    return e;
}

void
up_free_children(struct up *up)
{
    for (size_t i = 0; i < up->n; i++) {
        if (up->child[i].listen_fd >= 0)
            (void)close(up->child[i].listen_fd);
        child_close(&up->child[i].child);
        if (up->child[i].probe_fd >= 0)
            (void)close(up->child[i].probe_fd);
    }
    free(up->child);
    up->child = NULL;
    up->n = 0;
}

/* ---- logs ---- */

static void
log_path(const struct up_child *c, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/log/%s.log", config_run_dir(), c->name);
}

static int
open_child_log(struct up_child *c)
{
    char path[PLACE_BYTES + 64];
    struct stat st;
    int fd;

    log_path(c, path, sizeof(path));
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    c->log_offset = fd >= 0 && fstat(fd, &st) == 0 ? (long)st.st_size : 0;
    return fd;
}

/* The last lines of a text: why, without the tries before it. */
static const char *
last_lines(const char *text, size_t n)
{
    int ends = 0; /* the last line has one too */

    while (n > 0 && (text[n - 1] != '\n' || ends++ < TAIL_LINES))
        n--;
    return text + n;
}

/* What a child said before the start failed, for whoever looks at it. */
void
up_say_log(struct up *up, const struct up_child *c)
{
    char path[PLACE_BYTES + 64], text[TAIL_LINES_BYTES + 1];
    size_t n = 0;
    FILE *f;

    redact_settle(&up->mariadb_log.redact);
    log_path(c, path, sizeof(path));
    f = fopen(path, "re");
    if (f != NULL && fseek(f, 0, SEEK_END) == 0) {
        long size = ftell(f), from = c->log_offset;

        if (size - from > TAIL_LINES_BYTES)
            from = size - TAIL_LINES_BYTES;
        if (fseek(f, from, SEEK_SET) == 0)
            n = fread(text, 1, TAIL_LINES_BYTES, f);
    }
    if (f != NULL)
        (void)fclose(f);
    text[n] = '\0';
    up_say(up, "%s%s  (%s)\n", last_lines(text, n),
           n > 0 && text[n - 1] != '\n' ? "\n" : "", path);
}

/* ---- the process ---- */

enum err
up_spawn(struct up *up, struct up_child *c, int64_t now)
{
    struct command cmd = { .args = ARGV_INIT, .in = -1, .err = -1 };
    struct proc_spec spec = PROC_SPEC(cmd.args.v);
    int log = open_child_log(c);
    enum err e;

    c->kind->command(up, c, &cmd);
    e = argv_done(&cmd.args);
    spec.in = cmd.in;
    spec.out = log;
    spec.err = cmd.err >= 0 ? cmd.err : log;
    spec.keep_fd = up->children_lock_fd;
    spec.death_signal = c->kind->death_signal;
    /* a hangup may come before it is waited for */
    spec.blocked = cmd.own ? SIGHUP : 0;
    spec.dir = config_run_dir();
    spec.env = cmd.env;
    if (e == ERR_OK)
        e = child_start(&c->child, &spec, now);
    else
        child_put_off(&c->child, now);
    if (log >= 0)
        (void)close(log);
    argv_free(&cmd.args);
    return e;
}
