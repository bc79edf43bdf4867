/* Faults: what they are called, and what is noted of one. */
#include "binlog_int.h"

#include <stdarg.h>
#include <stdio.h>

enum { AGAIN, FINAL };

static const struct {
    enum err err;
    bool final;
    const char *name, *text;
} faults[BINLOG_FAULT__MAX] = {
#define FAULT(id, e, when, t) \
    [BINLOG_FAULT_##id] = { ERR_##e, (when) == FINAL, #id, t },
#include "binlog_faults.def"
#undef FAULT
};

const char *
binlog_fault_name(enum binlog_fault f)
{
    return faults[f].name;
}

bool
binlog_fault_is_final(enum binlog_fault f)
{
    return faults[f].final;
}

enum err
binlog_fail(struct binlog_failure *f, enum binlog_fault id, const char *fmt,
            ...)
{
    va_list ap;
    char more[WHY_BYTES / 2];

    va_start(ap, fmt);
    (void)vsnprintf(more, sizeof(more), fmt, ap);
    va_end(ap);
    f->fault = id;
    f->err = faults[id].err;
    why_say(f->why, "%s%s%s", faults[id].text, !str_empty(more) ? ": " : "",
            more);
    return f->err;
}
