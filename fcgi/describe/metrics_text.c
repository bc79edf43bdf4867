/* /metrics and /metrics/rules: what was counted, and when to wake somebody. */
#include "describe.h"

#include <string.h>

#include "api/tables.h"
#include "build_info.h"
#include "metrics.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif
#define DURATION "metagate_request_duration_seconds"

void
metrics_head(struct buf *b, const char *name, const char *type,
             const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* The listeners of the mounts right above a row. A row that is served on two
 * kinds of listener is counted once, and says so: "a,b". */
static void
put_listeners(struct buf *b, const struct dialect *d, const struct row *row)
{
    const struct row *last, *first;

    while (row > d->rows && row->kind != ROW_MOUNT)
        row--;
    for (first = last = row; first > d->rows; first--)
        if (first[-1].kind != ROW_MOUNT)
            break;
    for (row = first; row <= last && row->kind == ROW_MOUNT; row++)
        if (row == first || strcmp(row->listener, row[-1].listener) != 0)
            buf_printf(b, "%s%s", row == first ? "" : ",", row->listener);
}

static const char *
method_of(const struct row *row)
{
    static const char *const names[] = { "GET", "POST", "PUT", "DELETE",
                                         "OPTIONS" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (row->methods == 1u << i)
            return names[i];
    return "ANY";
}

/* Without the closing brace. */
static void
put_labels(struct buf *b, const char *name, const struct dialect *d,
           const struct row *row)
{
    buf_printf(b, "%s{dialect=\"%s\",listener=\"", name, d->name);
    put_listeners(b, d, row);
    buf_printf(b, "\",endpoint=\"%s\",method=\"%s\"",
               strcmp(row->verb, "-") != 0 ? row->verb : row->path,
               method_of(row));
}

static void
print_counts(struct buf *b, const struct dialect *d, const struct row *row)
{
    struct metrics_row n;

    metrics_row(tables_row(d, row), &n);
    for (size_t c = 1; c < METRICS_CLASSES; c++) {
        if (n.by_class[c] == 0)
            continue;
        put_labels(b, "metagate_requests_total", d, row);
        buf_printf(b, ",code=\"%zuxx\"} %llu\n", c,
                   (unsigned long long)n.by_class[c]);
    }
}

static void
print_histogram(struct buf *b, const struct dialect *d, const struct row *row)
{
    struct metrics_row counts;
    uint64_t n = 0, total = 0;

    metrics_row(tables_row(d, row), &counts);
    for (size_t i = 0; i <= METRICS_BOUNDS; i++)
        total += counts.bucket[i];
    if (total == 0)
        return;
    for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
        n += counts.bucket[i];
        put_labels(b, DURATION "_bucket", d, row);
        if (i < METRICS_BOUNDS)
            buf_printf(b, ",le=\"%g\"} %llu\n", metrics_bound_s[i],
                       (unsigned long long)n);
        else
            buf_printf(b, ",le=\"+Inf\"} %llu\n", (unsigned long long)n);
    }
    put_labels(b, DURATION "_sum", d, row);
    buf_printf(b, "} %.6f\n", (double)counts.sum_us / 1e6);
    put_labels(b, DURATION "_count", d, row);
    buf_printf(b, "} %llu\n", (unsigned long long)total);
}

static void
each_row(struct buf *b, void (*print)(struct buf *, const struct dialect *,
                                      const struct row *))
{
    for (size_t i = 0; dialects[i] != NULL; i++)
        for (size_t k = 0; k < dialects[i]->n_rows; k++)
            if (dialects[i]->rows[k].kind == ROW_ENDPOINT)
                print(b, dialects[i], &dialects[i]->rows[k]);
}

/* Of each process that runs, by its name and role: "serve-0". */
static void
put_own(struct buf *b, enum metric m)
{
    const struct metric_words *w = &metric_words[m];
    struct metrics_process p;
    int64_t v;

    for (size_t i = 0; metrics_process(i, &p) == ERR_OK; i++) {
        v = p.alive && !str_empty(p.name) ? metrics_of(p.name, m) : -1;
        if (v < 0)
            continue;
        buf_printf(b, "%s{role=\"%.*s\",process=\"%s\"} ", w->name,
                   (int)strcspn(p.name, "-"), p.name, p.name);
        if (w->per > 1)
            buf_printf(b, "%.6f\n", (double)v / w->per);
        else
            buf_printf(b, "%lld\n", (long long)v);
    }
}

void
metrics_text(struct buf *b)
{
    metrics_head(b, "metagate_build_info", "gauge",
                 "Which metagate this is; the value is 1.");
    buf_printf(b,
               "metagate_build_info{version=\"%s\",revision=\"%s\","
               "compiler=\"" COMPILER "\"} 1\n",
               build_version, build_revision());
    metrics_head(b, "metagate_requests_total", "counter", "Requests answered.");
    each_row(b, print_counts);
    metrics_head(b, DURATION, "histogram",
                 "Time from the request's arrival at the worker to its reply.");
    each_row(b, print_histogram);
    for (size_t m = 0; m < METRIC__MAX; m++) {
        metrics_head(b, metric_words[m].name,
                     metric_words[m].gauge ? "gauge" : "counter",
                     metric_words[m].help);
        if (metric_words[m].per > 0)
            put_own(b, (enum metric)m);
        else
            buf_printf(b, "%s %lld\n", metric_words[m].name,
                       (long long)metrics_value(m));
    }
}

static void
yaml_text(struct buf *b, const char *key, const char *s)
{
    buf_printf(b, "%s: '", key);
    for (; *s != '\0'; s++) {
        if (*s == '\'')
            buf_putc(b, '\'');
        buf_putc(b, *s);
    }
    buf_puts(b, "'\n");
}

#define RUNBOOK "handlers/console/ALERTS.md#"

/* The heading of the alert's section, as an anchor. */
static void
put_runbook(struct buf *b, const char *name)
{
    buf_puts(b, "          runbook: '" RUNBOOK);
    for (; *name != '\0'; name++)
        buf_putc(b, (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a'
                                                        : *name));
    buf_puts(b, "'\n");
}

void
metrics_rules(struct buf *b)
{
    static const struct {
        const char *name, *expr, *wait, *severity, *summary, *description;
    } alerts[] = {
#define ALERT(name, expr, wait, severity, summary, description) \
    { name, expr, wait, severity, summary, description },
#include "alerts.def"
#undef ALERT
    };

    buf_puts(b, "groups:\n  - name: metagate\n    rules:\n");
    for (size_t i = 0; i < COUNT(alerts); i++) {
        yaml_text(b, "      - alert", alerts[i].name);
        yaml_text(b, "        expr", alerts[i].expr);
        yaml_text(b, "        for", alerts[i].wait);
        buf_puts(b, "        labels:\n");
        yaml_text(b, "          severity", alerts[i].severity);
        buf_puts(b, "        annotations:\n");
        yaml_text(b, "          summary", alerts[i].summary);
        yaml_text(b, "          description", alerts[i].description);
        put_runbook(b, alerts[i].name);
    }
}
