/* A daemon of ours ended and started again, at the request of another one. */
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "up.h"

#define ASK_MS     10000
#define CHILD_MS   60000
#define LINE_BYTES 128
#define LIST_BYTES 65536

static enum err
order(const char *verb, const char *name, char why[WHY_BYTES])
{
    struct buf answer = BUF_INIT(1024);
    char line[LINE_BYTES];
    enum err e;

    (void)snprintf(line, sizeof(line), "%s %s", verb, name);
    e = control_ask(line, CHILD_MS, &answer);
    if (e == ERR_OK && strcmp(buf_text(&answer), "ok\n") != 0)
        e = why_fail(why, ERR_PEER, "%s: %.200s", line,
                     answer.n > 0 ? buf_text(&answer) : "no answer");
    else if (e != ERR_OK)
        why_say(why, "%s: %s", line, err_name(e));
    buf_free(&answer);
    return e;
}

/* systemd starts again what has ended, and lets nobody but root order it. */
static enum err
end_service(const char *name, int pid, char why[WHY_BYTES])
{
    if (pid > 0 && kill(pid, SIGTERM) == 0)
        return ERR_OK;
    return why_fail(why, ERR_PEER, "%s: %s", name,
                    pid > 0 ? strerror(errno)
                            : "it does not run: systemctl start it");
}

static enum err
restart(const char *name, int pid, bool has_up, char why[WHY_BYTES])
{
    enum err e;

    if (!has_up)
        return end_service(name, pid, why);
    e = order("stop", name, why);
    return e == ERR_OK ? order("start", name, why) : e;
}

static bool
is_meant(const char *name, const char *wanted)
{
    size_t n = strlen(wanted);

    return n > 0 && wanted[n - 1] == '-' ? strncmp(name, wanted, n) == 0
                                         : strcmp(name, wanted) == 0;
}

enum err
service_restart(const char *name, char why[WHY_BYTES])
{
    struct buf list = BUF_INIT(LIST_BYTES);
    bool has_up = control_ask("status", ASK_MS, &list) == ERR_OK;
    struct status_line child;
    const char *text;
    int n = 0;
    enum err e = ERR_OK;

    if (!has_up) {
        buf_reset(&list);
        e = up_children(ASK_MS, &list);
    }
    text = buf_text(&list);
    while (e == ERR_OK && up_status_next(&text, &child)) {
        if (!is_meant(child.name, name))
            continue;
        e = restart(child.name, child.pid, has_up, why);
        n++;
    }
    buf_free(&list);
    if (e == ERR_OK && n == 0)
        e = why_fail(why, ERR_NOT_FOUND, "there is no %s here", name);
    return e;
}
