/* Real storage instances made, told and asked by a test: what fails ends it.
 * Behind <cmocka.h>. */
#ifndef MG_TEST_REAL_ASK_H
#define MG_TEST_REAL_ASK_H

#include "instance/real.h"
#include "ok.h"

/* The spec of the slot, and its server: installed, started, settled. */
static UNUSED bool
real_up(unsigned slot, struct instance_spec *s)
{
    *s = real_storage(slot);
    return s->uuid != NULL && instance_install(real_arena, s, why) == ERR_OK &&
           real_start(slot, s) &&
           instance_settle(real_arena, s, REAL_WAIT_MS, why) == ERR_OK;
}

/* One statement, as admin. */
static UNUSED void
real_do(const struct instance_spec *s, const char *sql)
{
    struct my *my;

    OK(instance_connect(s, REAL_WAIT_MS, &my, why));
    if (my_do(my, sql) != ERR_OK)
        fail_msg("%s: %s", sql, my_failure(my)->text);
    my_close(my);
}

/* The first value, or what the server says against the statement. It lasts
 * until the fourth call after. */
static UNUSED const char *
real_value(const struct instance_spec *s, const char *sql)
{
    static char text[4][512];
    static unsigned i;
    char *out = text[i++ % COUNT(text)];
    struct my *my;

    OK(instance_connect(s, REAL_WAIT_MS, &my, why));
    if (my_value_of(my, sql, out, sizeof(text[0])) != ERR_OK)
        (void)snprintf(out, sizeof(text[0]), "%s", my_failure(my)->text);
    my_close(my);
    return out;
}

/* The end of a group of tests that has begun with real_begin. */
static UNUSED int
real_over(void **state)
{
    (void)state;
    real_end();
    return 0;
}

#endif
