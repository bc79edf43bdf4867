/* metagate check: the children of a running `metagate up`, or the services of
 * systemd. */
#include "check.h"

#include <string.h>

#include "config.h"
#include "place.h"
#include "onebox/up.h"

#define ANSWER_MAX 65536
#define ASK_MS     10000

static void
look_child(struct look *l, const struct status_line *c)
{
    struct finding f = { 0 };

    if (strcmp(c->state, "stopped") == 0) {
        FOUND(&f, WARN, "%s is stopped", c->name);
        CURE(&f,
             "`metagate start %s` puts it back; of systemd, `systemctl "
             "start`",
             c->name);
    } else if (strcmp(c->state, "failed") == 0) {
        FOUND(&f, FAIL, "%s has failed", c->name);
        CURE(&f, "`systemctl status 'metagate-*'`; %s/log/%s.log",
             config_run_dir(), c->name);
    } else {
        FOUND(&f, WARN, "%s is %s, started again %d time%s so far", c->name,
              c->state, c->restarts, c->restarts == 1 ? "" : "s");
        CURE(&f, "look again in a moment; %s/log/%s.log", config_run_dir(),
             c->name);
    }
    check_report(l, "children", &f);
}

static void
look_each(struct look *l, const char *text)
{
    struct finding f = { 0 };
    struct status_line c;
    size_t running = 0, others = 0;

    while (up_status_next(&text, &c)) {
        if (strcmp(c.state, "running") == 0) {
            running++;
        } else if (strcmp(c.state, "done") != 0) {
            others++;
            look_child(l, &c);
        }
    }
    if (others > 0)
        return;
    FOUND(&f, OK, "all %zu run", running);
    check_report(l, "children", &f);
}

void
check_children(struct look *l)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    enum err e = up_children(ASK_MS, &b);
    struct finding f = { 0 };

    if (e == ERR_OK) {
        look_each(l, buf_text(&b));
    } else {
        FOUND(&f, FAIL, "no deployment %s in %s",
              e == ERR_NOT_FOUND ? "runs" : "answers", config_run_dir());
        CURE(&f, "%s",
             place_is_installed()
                 ? "`systemctl start metagate.target`; `systemctl status "
                   "'metagate-*'` tells why it ended"
                 : "`metagate start`; log/up.log in RUN_DIR tells why it "
                   "ended");
        check_report(l, "children", &f);
    }
    buf_free(&b);
}
