/* The services of an installed system, as systemd knows them, told in the
 * lines by which `up` tells of its children. */
#include "up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "host/proc.h"

#define SYSTEMD_MS 10000

struct unit {
    struct status_line line; /* name "": none of ours */
    long long started_us;    /* monotonic; 0: never */
};

/* What systemd says, in the words that status has for children. */
static const char *
state_name(const char *systemd)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {
        { "active", "running" },    { "activating", "starting" },
        { "reloading", "running" }, { "deactivating", "stopping" },
        { "failed", "failed" },
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i].theirs, systemd) == 0)
            return names[i].ours;
    return "stopped";
}

/* metagate-serve@0.service: serve-0. False for what is none of ours. */
static bool
unit_name(const char *id, char *out, size_t size)
{
    static const char begin[] = "metagate-", end[] = ".service";
    size_t n = strlen(id), cut = sizeof(begin) - 1 + sizeof(end) - 1;

    if (n <= cut || strncmp(id, begin, sizeof(begin) - 1) != 0 ||
        strcmp(id + n - (sizeof(end) - 1), end) != 0)
        return false;
    (void)snprintf(out, size, "%.*s", (int)(n - cut), id + sizeof(begin) - 1);
    for (char *p = out; *p != '\0'; p++)
        *p = *p == '@' ? '-' : *p;
    return true;
}

static void
put_unit(struct buf *out, struct unit *u)
{
    struct status_line *l = &u->line;

    if (str_empty(l->name))
        return;
    if (strcmp(l->name, "setup") == 0 && strcmp(l->state, "running") == 0)
        (void)snprintf(l->state, sizeof(l->state), "done");
    if (l->pid > 0 && u->started_us > 0)
        l->seconds = (clock_mono_us() - u->started_us) / 1000000;
    up_status_put(out, l);
}

static void
take_property(struct unit *u, const char *key, const char *value)
{
    struct status_line *l = &u->line;

    if (strcmp(key, "Id") == 0 && !unit_name(value, l->name, sizeof(l->name)))
        l->name[0] = '\0';
    else if (strcmp(key, "ActiveState") == 0)
        (void)snprintf(l->state, sizeof(l->state), "%s", state_name(value));
    else if (strcmp(key, "MainPID") == 0)
        l->pid = atoi(value);
    else if (strcmp(key, "NRestarts") == 0)
        l->restarts = atoi(value);
    else if (strcmp(key, "ExecMainStartTimestampMonotonic") == 0)
        u->started_us = atoll(value);
}

/* Blocks of key=value, parted by empty lines. */
static void
put_units(struct buf *out, char *text)
{
    struct unit u = { 0 };

    for (char *line = text, *next; line != NULL; line = next) {
        char *value;

        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        value = strchr(line, '=');
        if (value != NULL) {
            *value++ = '\0';
            take_property(&u, line, value);
        } else {
            put_unit(out, &u);
            u = (struct unit){ 0 };
        }
    }
    put_unit(out, &u);
}

/* By kind, so that what is said of each fits. */
static void
ask_systemd(struct buf *out)
{
    static const char *const kinds_of[] = { "metagate-setup.service",
                                            "metagate-serve@*.service",
                                            "metagate-control@*.service",
                                            "metagate-supervise@*.service",
                                            "metagate-capture@*.service" };
    struct proc_result r;

    for (size_t i = 0; i < COUNT(kinds_of); i++) {
        const char *const argv[] = { "systemctl",
                                     "show",
                                     "--property=Id",
                                     "--property=ActiveState",
                                     "--property=MainPID",
                                     "--property=NRestarts",
                                     "--property="
                                     "ExecMainStartTimestampMonotonic",
                                     kinds_of[i],
                                     NULL };

        if (proc_run(argv, SYSTEMD_MS, &r) != ERR_OK)
            return;
        put_units(out, r.output);
    }
}

static bool
has_up(void)
{
    char path[PLACE_BYTES];

    return place_path(path, sizeof(path), PLACE_NET_UP) == ERR_OK &&
           access(path, F_OK) == 0;
}

enum err
up_children(int timeout_ms, struct buf *out)
{
    enum err e = control_ask("status", timeout_ms, out);

    if (e != ERR_NOT_FOUND || has_up())
        return e;
    ask_systemd(out);
    return out->n > 0 ? ERR_OK : ERR_NOT_FOUND;
}
