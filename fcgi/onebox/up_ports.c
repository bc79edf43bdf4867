/* Every address that a deployment takes, asked for before anything starts. */
#include "up.h"

#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "host/port.h"
#include "listener.h"
#include "own_store.h"
#include "place.h"

/* An outgoing connection that happens to use our port goes by itself. */
#define OUTGOING_MS 10000

struct taken {
    const char *name; /* for people */
    const char *key;  /* that moves it elsewhere; NULL: none does */
    char address[ADDRESS_BYTES];
};

/* Those looked at so far: nothing listens yet, so that no probe finds two of
 * ours at one address. */
#define OURS_MAX 64
struct ours {
    size_t n;
    struct {
        const char *name;
        char address[ADDRESS_BYTES];
    } at[OURS_MAX];
};

/* Where another deployment lies: its children work in RUN_DIR. False for what
 * is none, or not this account's. */
static bool
is_of_metagate(pid_t pid, char dir[PLACE_BYTES])
{
    char path[PLACE_BYTES + 16];
    ssize_t n;

    (void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    n = readlink(path, dir, PLACE_BYTES - 1);
    dir[n > 0 ? n : 0] = '\0';
    (void)snprintf(path, sizeof(path), "%s/up.lock", dir);
    return n > 0 && access(path, F_OK) == 0;
}

/* "held by pid 12 (nginx -c x)", as far as this account may know. */
static void
describe(const struct port_holder *h, char *out, size_t size)
{
    const struct passwd *pw = getpwuid(h->uid);
    char dir[PLACE_BYTES];

    if (h->pid != 0 && is_of_metagate(h->pid, dir))
        (void)snprintf(out, size, "pid %d of the metagate in %s", (int)h->pid,
                       dir);
    else if (h->pid != 0)
        (void)snprintf(out, size, "pid %d (%s)", (int)h->pid, h->command);
    else
        (void)snprintf(out, size, "a process of %s",
                       pw != NULL ? pw->pw_name : "another account");
}

static void
tell_anywhere(const struct taken *t, unsigned port, const char *who,
              char why[WHY_BYTES])
{
    if (t->key == NULL)
        why_say(why, "%s: port %u is held on all addresses by %s; end it",
                t->name, port, who);
    else
        why_say(why,
                "%s: port %u is held on all addresses by %s; end it, or set "
                "%s in %s/metagate.ini to another port",
                t->name, port, who, t->key, config_run_dir());
}

static void
tell(const struct taken *t, unsigned port, const struct port_holder *h,
     char why[WHY_BYTES])
{
    char who[PLACE_BYTES + 64];

    describe(h, who, sizeof(who));
    switch (h->use) {
    case PORT_HERE:
        why_say(why,
                "%s: %s is held by %s; take another NET (as "
                "NET=127.0.1), or end it",
                t->name, t->address, who);
        break;
    case PORT_ANYWHERE:
        tell_anywhere(t, port, who, why);
        break;
    case PORT_OUTGOING:
        why_say(why,
                "%s: %s is the near end of a connection of %s and was "
                "not given back within %d s; try again",
                t->name, t->address, who, OUTGOING_MS / 1000);
        break;
    case PORT_ABSENT:
        why_say(why,
                "%s: %s is not an address of this machine; choose "
                "another NET%s%s",
                t->name, t->address, t->key != NULL ? " or " : "",
                t->key != NULL ? t->key : "");
        break;
    default:
        why_say(why, "%s: %s cannot be taken: %s", t->name, t->address,
                strerror(h->error));
        break;
    }
}

static enum err
check(const struct taken *t, char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + OUTGOING_MS;
    struct port_holder h;
    struct port_address a;
    bool told = false;

    if (port_address(t->address, &a) != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM, "%s: \"%s\" is not address:port",
                        t->key != NULL ? t->key : t->name, t->address);
    port_probe(&a, &h);
    while (h.use == PORT_OUTGOING && clock_mono_ms() < until) {
        if (!told)
            printf("  %s: waiting for %s, in use by an outgoing "
                   "connection\n",
                   t->name, t->address);
        (void)fflush(stdout);
        told = true;
        (void)poll(NULL, 0, 200);
        port_probe(&a, &h);
    }
    if (h.use == PORT_FREE)
        return ERR_OK;
    tell(t, port_number(&a), &h, why);
    return ERR_STATE;
}

static enum err
check_once(struct ours *ours, const struct taken *t, char why[WHY_BYTES])
{
    for (size_t i = 0; i < ours->n; i++) {
        if (strcmp(ours->at[i].address, t->address) == 0) {
            return why_fail(
                why, ERR_BAD_PARAM,
                "%s: %s is the address of %s too; each needs one of "
                "its own",
                t->key != NULL ? t->key : t->name, t->address,
                ours->at[i].name);
        }
    }
    if (ours->n < OURS_MAX) {
        ours->at[ours->n].name = t->name;
        (void)snprintf(ours->at[ours->n++].address, sizeof(t->address), "%s",
                       t->address);
    }
    return check(t, why);
}

static enum err
check_listener(struct ours *ours, const struct listening *l, enum err e,
               char why[WHY_BYTES])
{
    struct taken t = { .name = l->row->name };
    char text[96];

    if (e != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM, "[listen] %s is too long", l->key);
    if (!str_empty(l->key)) {
        (void)snprintf(text, sizeof(text), "[listen] %s", l->key);
        t.key = text;
    }
    (void)snprintf(t.address, sizeof(t.address), "%s", l->address);
    return check_once(ours, &t, why);
}

enum err
up_check_ports(char why[WHY_BYTES])
{
    struct taken db = { .name = "mariadb", .key = "[mysql] port" };
    struct ours ours = { .n = 0 };
    struct listening l;
    enum err e = ERR_OK, found;

    if (own_store_address(db.address, sizeof(db.address)))
        e = check_once(&ours, &db, why);
    for (size_t i = 0;
         e == ERR_OK && (found = listener_at(i, &l)) != ERR_NOT_FOUND; i++) {
        if (found != ERR_STATE)
            e = check_listener(&ours, &l, found, why);
    }
    return e;
}
