/* Programs beside the databases of a machine, each the life of a child. */
#include "helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "log.h"
#include "place.h"
#include "proc.h"

#define NAME_BYTES  64
#define STARTING_MS 20000 /* so long it may not let in */
#define LOOK_US     20000
#define CONNECT_US  500000

static const struct child_rules rules = {
    .backoff_ms = { 1000, 2000, 5000, 10000 },
    .quick_ms = 10000,
    .loop_deaths = 3,
    .loop_ms = 60000,
    .failed_ms = 60000,
    .stop_signal = SIGTERM,
    .stop_ms = 5000,
};

struct one {
    char name[NAME_BYTES];
    struct child child;
    uint64_t digest; /* of its command line and of what it reads */
    bool wanted, absent;
    char why[WHY_BYTES];
    struct one *next;
};

struct helpers {
    struct one *first;
};

struct helpers *
helpers_new(void)
{
    return calloc(1, sizeof(struct helpers));
}

static uint64_t
digest_text(uint64_t d, const char *s)
{
    for (; *s != '\0'; s++)
        d = (d ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return (d ^ 0xff) * UINT64_C(1099511628211);
}

static uint64_t
digest_of(const struct helper *w)
{
    uint64_t d = UINT64_C(14695981039346656037);

    for (size_t i = 0; w->argv[i] != NULL; i++)
        d = digest_text(d, w->argv[i]);
    for (size_t i = 0; w->env != NULL && w->env[i] != NULL; i++)
        d = digest_text(d, w->env[i]);
    return digest_text(d, w->version != NULL ? w->version : "");
}

/* ---- one of them ---- */

static struct one *
find(struct helpers *h, const char *name)
{
    for (struct one *o = h->first; o != NULL; o = o->next)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

/* Who runs from before is taken over; with what it was begun is not known, so
 * what it reads is taken for the same. */
static struct one *
add(struct helpers *h, const struct helper *w, int64_t now)
{
    struct one *o = calloc(1, sizeof(*o));
    const char *slash = strrchr(w->argv[0], '/');
    struct child_id id;

    if (o == NULL)
        return NULL;
    (void)snprintf(o->name, sizeof(o->name), "%s", w->name);
    child_init(&o->child, o->name, &rules);
    o->digest = digest_of(w);
    if (child_find(slash != NULL ? slash + 1 : w->argv[0], w->word, &id) !=
            ERR_OK ||
        child_adopt(&o->child, &id, w->word, now) != ERR_OK)
        child_want(&o->child, now);
    o->next = h->first;
    h->first = o;
    return o;
}

static int
open_log(const char *name)
{
    char file[NAME_BYTES + 16], path[PATH_MAX];

    (void)snprintf(file, sizeof(file), "log/%s.log", name);
    if (place_path(path, sizeof(path), file) != ERR_OK)
        return -1;
    return open(
        path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
        0640);
}

static void
begin(struct one *o, const struct helper *w, int64_t now)
{
    struct proc_spec s = PROC_SPEC(w->argv);
    enum err e;

    s.out = s.err = open_log(o->name);
    s.own_session = true;
    s.env = w->env;
    o->digest = digest_of(w);
    e = child_start(&o->child, &s, now);
    o->absent = e == ERR_NOT_FOUND;
    if (o->absent)
        (void)snprintf(o->why, sizeof(o->why),
                       "%s is not installed (make deps GROUPS=comp)",
                       w->argv[0]);
    else if (e != ERR_OK)
        (void)snprintf(o->why, sizeof(o->why), "%s cannot be started: %s",
                       w->argv[0], strerror(errno));
    if (s.out >= 0)
        (void)close(s.out);
    if (e != ERR_OK)
        log_warn("helper.start name=%s why=\"%s\"", o->name, o->why);
}

/* Whether it lets in: on this machine, which answers at once. */
static bool
serves(const struct helper *w)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    const struct timeval most = { .tv_usec = CONNECT_US };
    bool yes = false;
    int fd;

    at.sin_port = htons((uint16_t)w->port);
    if (inet_pton(AF_INET, w->address, &at.sin_addr) != 1)
        return true; /* nothing is known of it */
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
        yes = connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
        (void)close(fd);
    }
    return yes;
}

static void
look(struct one *o, const struct helper *w, int64_t now)
{
    enum child_event event;

    if (o->digest != digest_of(w) && o->child.id.pid != 0 && !o->child.told)
        child_tell(&o->child, now);
    event = child_step(&o->child, now);
    if (event == CHILD_ENDED) {
        char end[64];

        child_describe_end(&o->child, end, sizeof(end));
        (void)snprintf(o->why, sizeof(o->why), "it %s, see log/%s.log", end,
                       o->name);
        log_warn("helper.end name=%s why=\"%s\"", o->name, end);
        event = child_step(&o->child, now);
    }
    if (event == CHILD_DUE)
        begin(o, w, now);
    if (o->child.state != CHILD_STARTING || !serves(w))
        return;
    child_ready(&o->child, now);
    o->why[0] = '\0';
}

static enum helper_state
state_of(const struct one *o, int64_t now)
{
    switch (o->child.state) {
    case CHILD_READY:
        return HELPER_RUNS;
    case CHILD_FAILED:
        return HELPER_FAILED;
    case CHILD_STARTING:
        return now - o->child.started_ms > STARTING_MS ? HELPER_FAILED
                                                       : HELPER_STARTS;
    default:
        return o->absent ? HELPER_FAILED : HELPER_STARTS;
    }
}

/* ---- all of them ---- */

/* What nobody wants any more ends, and is forgotten once it has. */
static void
drop_others(struct helpers *h, int64_t now)
{
    for (struct one **p = &h->first; *p != NULL;) {
        struct one *o = *p;

        if (!o->wanted) {
            child_unwant(&o->child, now);
            if (child_step(&o->child, now) == CHILD_ENDED)
                log_info("helper.end name=%s", o->name);
        }
        if (!o->wanted && o->child.state == CHILD_DOWN) {
            *p = o->next;
            child_close(&o->child);
            free(o);
        } else {
            p = &o->next;
        }
    }
}

enum err
helpers_tend(struct helpers *h, const struct helper *wanted, size_t n,
             enum helper_state *state, char (*why)[WHY_BYTES])
{
    int64_t now = clock_mono_ms();

    for (struct one *o = h->first; o != NULL; o = o->next)
        o->wanted = false;
    for (size_t i = 0; i < n; i++) {
        struct one *o = find(h, wanted[i].name);

        if (o == NULL)
            o = add(h, &wanted[i], now);
        if (o == NULL)
            return ERR_NOMEM;
        o->wanted = true;
        if (!o->child.wanted)
            child_want(&o->child, now); /* it was on its way out */
        look(o, &wanted[i], now);
        state[i] = state_of(o, now);
        (void)snprintf(why[i], WHY_BYTES, "%s", o->why);
    }
    drop_others(h, now);
    return ERR_OK;
}

bool
helpers_end(struct helpers *h, int timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;

    for (struct one *o = h->first; o != NULL; o = o->next)
        o->wanted = false;
    for (drop_others(h, clock_mono_ms()); h->first != NULL;
         drop_others(h, clock_mono_ms())) {
        if (clock_mono_ms() >= until)
            for (struct one *o = h->first; o != NULL; o = o->next)
                child_hurry(&o->child, clock_mono_ms());
        if (clock_mono_ms() >= until + timeout_ms)
            return false;
        (void)usleep(LOOK_US);
    }
    return true;
}

void
helpers_free(struct helpers *h)
{
    if (h == NULL)
        return;
    while (h->first != NULL) {
        struct one *o = h->first;

        h->first = o->next;
        child_close(&o->child);
        free(o);
    }
    free(h);
}
