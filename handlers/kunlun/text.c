/* What KunlunBase's dialects print alike. */
#include "kunlun.h"

TABLE(kunlun_result, KUNLUN_RESULT);

/* Rounded up, as df does, one place below ten. */
const char *
kunlun_human(struct arena *a, int64_t bytes)
{
    static const char units[] = "BKMGTPE";
    int64_t unit = 1, tenths, whole;
    size_t u = 0;
    const char *s;

    while (units[u + 1] != '\0' && bytes / 1024 >= unit) {
        unit *= 1024;
        u++;
    }
    whole = bytes / unit;
    tenths = whole * 10 + (bytes % unit * 10 + unit - 1) / unit;
    if (u > 0 && tenths < 100)
        s = arena_printf(a, "%lld.%lld%c", (long long)(tenths / 10),
                         (long long)(tenths % 10), units[u]);
    else
        s = arena_printf(a, "%lld%c", (long long)((tenths + 9) / 10), units[u]);
    return s != NULL ? s : "";
}
