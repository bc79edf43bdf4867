/* metagate describe dashboard: a dashboard of Grafana, made of metrics.def: a
 * row for each group, a panel for each metric. Variables choose the data
 * source, the job and the hosts; nothing in it names a deployment. */
#include <stdio.h>
#include <string.h>

#include "base/commands.h"
#include "describe.h"
#include "json.h"
#include "metrics.h"

#define EXIT_USAGE 2
#define MAX_BYTES  ((size_t)4 << 20)
#define SCHEMA     37 /* of Grafana 9 */
#define COLUMNS    3
#define WIDTH      (24 / COLUMNS)
#define HEIGHT     7
#define CHOSEN     "job=~\"$job\",instance=~\"$instance\""

/* A group's title, or a metric; then what requests are counted by, which are no
 * rows of metrics.def. */
static const struct {
    const char *title; /* of a group; NULL: */
    enum metric metric;
} rows[] = {
#define GROUP(text)              { .title = text },
#define COUNTER(id, name, help)  { .metric = METRIC_##id },
#define GAUGE(id, name, help)    { .metric = METRIC_##id },
#define MOST(id, name, help)     { .metric = METRIC_##id },
#define OWN(id, name, per, help) { .metric = METRIC_##id },
#include "metrics.def"
#undef GROUP
#undef COUNTER
#undef GAUGE
#undef MOST
#undef OWN
};

struct board {
    struct json_writer w;
    int id, x, y;
};

static bool
ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), k = strlen(end);

    return n >= k && strcmp(name + n - k, end) == 0;
}

/* Grafana's word for the unit of what is drawn. */
static const char *
unit_of(const struct metric_words *m)
{
    if (ends_in(m->name, "_seconds_total"))
        return "percentunit"; /* seconds a second */
    if (ends_in(m->name, "_timestamp_seconds") ||
        ends_in(m->name, "_time_seconds"))
        return "s";
    if (ends_in(m->name, "_bytes"))
        return "bytes";
    return m->gauge ? "short" : "ops";
}

/* What is drawn: a counter's rate, how long ago or how far away a moment is,
 * else the value; summed over the processes of a host where it is not theirs.
 */
static void
put_expr(struct buf *b, const struct metric_words *m)
{
    bool moment = strcmp(unit_of(m), "s") == 0;

    if (!m->gauge)
        buf_printf(b, "rate(%s{" CHOSEN "}[$__rate_interval])", m->name);
    else if (moment && ends_in(m->name, "_expiry_timestamp_seconds"))
        buf_printf(b, "(%s{" CHOSEN "} > 0) - time()", m->name);
    else if (moment)
        buf_printf(b, "time() - (%s{" CHOSEN "} > 0)", m->name);
    else
        buf_printf(b, "%s{" CHOSEN "}", m->name);
}

static void
put_source(struct json_writer *w)
{
    jw_key(w, "datasource");
    jw_object(w);
    jw_key_str(w, "type", "prometheus");
    jw_key_str(w, "uid", "${datasource}");
    jw_object_end(w);
}

static void
put_place(struct board *d, int w, int h)
{
    static const char *const names[] = { "h", "w", "x", "y" };
    const int32_t v[] = { h, w, d->x, d->y };

    jw_key(&d->w, "gridPos");
    jw_object(&d->w);
    for (size_t i = 0; i < COUNT(names); i++) {
        jw_key(&d->w, names[i]);
        jw_i32(&d->w, v[i]);
    }
    jw_object_end(&d->w);
    jw_key(&d->w, "id");
    jw_i32(&d->w, ++d->id);
}

static void
put_row(struct board *d, const char *title)
{
    if (d->x > 0)
        d->y += HEIGHT;
    d->x = 0;
    jw_object(&d->w);
    jw_key_str(&d->w, "type", "row");
    jw_key_str(&d->w, "title", title);
    jw_key(&d->w, "collapsed");
    jw_bool(&d->w, false);
    jw_key(&d->w, "panels");
    jw_array(&d->w);
    jw_array_end(&d->w);
    put_place(d, 24, 1);
    jw_object_end(&d->w);
    d->y++;
}

static void
put_panel(struct board *d, const char *title, const char *help,
          const char *unit, const char *expr, const char *legend)
{
    struct json_writer *w = &d->w;

    jw_object(w);
    jw_key_str(w, "type", "timeseries");
    jw_key_str(w, "title", title);
    jw_key_str(w, "description", help);
    put_source(w);
    put_place(d, WIDTH, HEIGHT);
    jw_key(w, "fieldConfig");
    jw_object(w);
    jw_key(w, "defaults");
    jw_object(w);
    jw_key_str(w, "unit", unit);
    jw_object_end(w);
    jw_key(w, "overrides");
    jw_array(w);
    jw_array_end(w);
    jw_object_end(w);
    jw_key(w, "targets");
    jw_array(w);
    jw_object(w);
    jw_key_str(w, "refId", "A");
    put_source(w);
    jw_key_str(w, "expr", expr);
    jw_key_str(w, "legendFormat", legend);
    jw_object_end(w);
    jw_array_end(w);
    jw_object_end(w);
    d->x += WIDTH;
    if (d->x == 24) {
        d->x = 0;
        d->y += HEIGHT;
    }
}

/* What Prometheus' own names would tell twice. */
static const char *
title_of(const char *name)
{
    return strncmp(name, "metagate_", 9) == 0 ? name + 9 : name;
}

static void
put_metric(struct board *d, const struct metric_words *m)
{
    struct buf expr = BUF_INIT(1024);

    put_expr(&expr, m);
    put_panel(d, title_of(m->name), m->help, unit_of(m), buf_text(&expr),
              m->per > 0 ? "{{instance}} {{process}}" : "{{instance}}");
    buf_free(&expr);
}

static void
put_requests(struct board *d)
{
    put_panel(d, "requests_total",
              "Requests answered, by dialect and class of status.", "reqps",
              "sum by (dialect, code) (rate(metagate_requests_total{" CHOSEN
              "}[$__rate_interval]))",
              "{{dialect}} {{code}}");
    put_panel(d, "request_duration_seconds, 99 %",
              "Of a hundred requests of a dialect one takes longer than this.",
              "s",
              "histogram_quantile(0.99, sum by (dialect, le) (rate("
              "metagate_request_duration_seconds_bucket{" CHOSEN
              "}[$__rate_interval])))",
              "{{dialect}}");
    put_panel(d, "request_duration_seconds, mean",
              "Mean time from a request's arrival at the worker to its reply.",
              "s",
              "sum by (dialect) (rate(metagate_request_duration_seconds_sum"
              "{" CHOSEN "}[$__rate_interval])) / sum by (dialect) (rate("
              "metagate_request_duration_seconds_count{" CHOSEN
              "}[$__rate_interval]))",
              "{{dialect}}");
}

/* One of the choices above the panels. */
static void
put_choice(struct json_writer *w, const char *name, const char *label,
           const char *query)
{
    bool source = query == NULL;

    jw_object(w);
    jw_key_str(w, "name", name);
    jw_key_str(w, "label", label);
    jw_key_str(w, "type", source ? "datasource" : "query");
    jw_key_str(w, "query", source ? "prometheus" : query);
    jw_key(w, "hide");
    jw_i32(w, 0);
    jw_key(w, "multi");
    jw_bool(w, !source);
    jw_key(w, "includeAll");
    jw_bool(w, !source);
    jw_key(w, "refresh");
    jw_i32(w, source ? 1 : 2);
    if (!source) {
        jw_key_str(w, "allValue", ".*");
        put_source(w);
        jw_key_str(w, "definition", query);
    }
    jw_object_end(w);
}

static void
put_head(struct json_writer *w)
{
    jw_key_str(w, "title", "metagate");
    jw_key_str(w, "uid", "metagate");
    jw_key(w, "tags");
    jw_array(w);
    jw_str(w, "metagate");
    jw_array_end(w);
    jw_key(w, "schemaVersion");
    jw_i32(w, SCHEMA);
    jw_key_str(w, "timezone", "browser");
    jw_key_str(w, "refresh", "30s");
    jw_key(w, "time");
    jw_object(w);
    jw_key_str(w, "from", "now-6h");
    jw_key_str(w, "to", "now");
    jw_object_end(w);
    jw_key(w, "templating");
    jw_object(w);
    jw_key(w, "list");
    jw_array(w);
    put_choice(w, "datasource", "Data source", NULL);
    put_choice(w, "job", "Job", "label_values(metagate_build_info, job)");
    put_choice(w, "instance", "Host",
               "label_values(metagate_build_info{job=~\"$job\"}, instance)");
    jw_array_end(w);
    jw_object_end(w);
}

void
describe_dashboard(struct buf *b)
{
    static const struct json_style style = { .indent = 2 };
    struct board d = { .id = 0 };

    jw_init(&d.w, b, &style);
    jw_object(&d.w);
    put_head(&d.w);
    jw_key(&d.w, "panels");
    jw_array(&d.w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].title == NULL) {
            put_metric(&d, &metric_words[rows[i].metric]);
            continue;
        }
        put_row(&d, rows[i].title);
        if (i == 0) /* the first group is that of requests */
            put_requests(&d);
    }
    jw_array_end(&d.w);
    jw_object_end(&d.w);
    buf_putc(b, '\n');
}

int
describe_main(int argc, char **argv)
{
    struct buf b = BUF_INIT(MAX_BYTES);
    int status = EXIT_USAGE;

    if (argc == 2 && strcmp(argv[1], "dashboard") == 0)
        describe_dashboard(&b);
    else if (argc == 2 && strcmp(argv[1], "alerts") == 0)
        metrics_rules(&b);
    if (b.n > 0) {
        status =
            buf_err(&b) == ERR_OK && fwrite(buf_text(&b), 1, b.n, stdout) == b.n
                ? 0
                : 1;
    } else {
        fputs("usage: metagate describe dashboard|alerts\n"
              "dashboard: for Grafana, JSON to be imported; alerts: rules for "
              "Prometheus, YAML.\n",
              stderr);
    }
    buf_free(&b);
    return status;
}
