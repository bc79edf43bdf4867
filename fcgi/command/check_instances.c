/* metagate check: the database instances of this host's machines, as their
 * keepers have last seen them. */
#include "check.h"

#include "address.h"
#include "config.h"
#include "keeper/keeper_list.h"

static void
report(struct look *l, const struct kept *x, enum verdict v, const char *cure)
{
    struct finding f = { 0 };
    char at[ADDRESS_BYTES];

    FOUND(&f, v, "%s is %s%s%s",
          address_print(str_empty(x->machine) ? "?" : x->machine, x->port, at,
                        sizeof(at)),
          enum_text(kept_state_names, x->state), str_empty(x->why) ? "" : ": ",
          str_empty(x->why) ? "" : x->why);
    CURE(&f, "%s", cure);
    check_report(l, "instances", &f);
}

/* Whether there is nothing to say of it. */
static bool
is_well(struct look *l, const struct kept *x)
{
    switch (x->state) {
    case KEPT_RUNNING:
    case KEPT_STOPPED:
    case KEPT_HELD:
        return true;
    case KEPT_FAILED:
        report(l, x, FAIL,
               "the server's own log, in its log directory, tells why it "
               "ends; it is tried again every five minutes");
        return false;
    case KEPT_LOST:
        report(l, x, FAIL,
               "mount its directory; it is looked for every two seconds");
        return false;
    case KEPT_PAUSED:
        report(l, x, WARN,
               "auto_pullup with minutes 0 ends the pause, and it is started");
        return false;
    default:
        report(l, x, WARN, "look again in a moment");
        return false;
    }
}

void
check_instances(struct look *l)
{
    struct list_of_kept all;
    struct finding f = { 0 };
    size_t well = 0, running = 0;

    if (kept_lists_read(l->arena, &all) != ERR_OK) {
        FOUND(&f, FAIL, "%s/" KEPT_LISTS " cannot be read", config_run_dir());
        CURE(&f, "remove what is damaged there, and start the supervise of "
                 "that machine again: the store knows the homes");
        check_report(l, "instances", &f);
        return;
    }
    for (size_t i = 0; i < all.n; i++) {
        well += is_well(l, &all.v[i]);
        running += all.v[i].state == KEPT_RUNNING;
    }
    if (well < all.n)
        return;
    FOUND(&f, OK, "%zu, %zu of them running", all.n, running);
    check_report(l, "instances", &f);
}
