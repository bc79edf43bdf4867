/* Counters that processes share by a file: sums, slots, what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "api/dispatch.h"
#include "api/tables.h"
#include "describe.h"
#include "metrics.h"

static char dir[] = "/tmp/metrics-test.XXXXXX";

/* The value of a line that begins like that; -1 without one. */
static long long
value(const char *line)
{
    struct buf b = BUF_INIT((size_t)4 << 20);
    const char *p, *end;
    char start[256];
    long long v = -1;

    metrics_text(&b);
    assert_int_equal(buf_err(&b), ERR_OK);
    (void)snprintf(start, sizeof(start), "\n%s", line);
    p = strstr(buf_text(&b), start);
    if (p != NULL) {
        end = strchr(p + 1, '\n');
        while (end[-1] != ' ')
            end--;
        v = atoll(end);
    }
    buf_free(&b);
    return v;
}

/* Runs f in a process of its own, under that name, to its end. */
static void
in_process(const char *name, void (*f)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        if (metrics_open(name, tables_sum()) == ERR_OK)
            f();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
count_two(void)
{
    metrics_add(METRIC_STEPS, 2);
    metrics_gauge(METRIC_LEASES, 1);
}

static void
without_a_file_a_process_counts_for_itself(void **state)
{
    (void)state;
    metrics_add(METRIC_RERUNS, 3);
    assert_int_equal(value("metagate_request_reruns_total"), 3);
}

static void
counters_of_the_dead_count_and_their_gauges_do_not(void **state)
{
    (void)state;
    assert_int_equal(metrics_open("serve-0", tables_sum()), ERR_OK);
    in_process("control-m1", count_two);
    in_process("control-m2", count_two);
    assert_int_equal(value("metagate_duty_steps_total"), 4);
    assert_int_equal(value("metagate_leases_held"), 0);
    assert_int_equal(value("metagate_processes"), 1);
}

static void
who_comes_back_goes_on_counting(void **state)
{
    (void)state;
    in_process("control-m1", count_two);
    assert_int_equal(value("metagate_duty_steps_total"), 6);
}

/* A slot is a name's for good, but there are not more than 64. */
static void
slots_of_the_dead_are_taken_when_there_is_no_other(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 70; i++) {
        (void)snprintf(name, sizeof(name), "serve-%d", 100 + i);
        in_process(name, count_two);
    }
    assert_int_equal(value("metagate_processes"), 1);
    assert_true(value("metagate_duty_steps_total") >= 64 * 2);
}

/* A file without its blocks would kill whoever counts when the disk is full. */
static void
without_room_a_process_counts_for_itself(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit small = { 65536, 65536 };

        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &small);
        /* another meaning of the rows: a new file */
        if (metrics_open("serve-0", tables_sum() + 1) != ERR_LIMIT)
            _exit(1);
        metrics_add(METRIC_STEPS, 2);
        metrics_request(1023, 200, 1);
        _exit(metrics_value(METRIC_STEPS) == 2 ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* A row of the console that everybody has. */
static const struct row *
health(const struct dialect **d)
{
    for (size_t i = 0; dialects[i] != NULL; i++)
        for (size_t k = 0; k < dialects[i]->n_rows; k++)
            if (dialects[i]->rows[k].kind == ROW_ENDPOINT &&
                strcmp(dialects[i]->rows[k].path, "/healthz") == 0) {
                *d = dialects[i];
                return &dialects[i]->rows[k];
            }
    return NULL;
}

#define LABELS                                  \
    "dialect=\"console\",listener=\"console\"," \
    "endpoint=\"/healthz\",method=\"GET\""
#define REQUESTS(code) "metagate_requests_total{" LABELS ",code=\"" code "\"}"
#define BUCKET(le) \
    "metagate_request_duration_seconds_bucket{" LABELS ",le=\"" le "\"}"

static void
requests_are_counted_by_class_and_time(void **state)
{
    const struct dialect *d = NULL;
    const struct row *row = health(&d);

    (void)state;
    assert_non_null(row);
    assert_int_equal(value(REQUESTS("2xx")), -1); /* not before the first */
    metrics_request(tables_row(d, row), 200, 500);
    metrics_request(tables_row(d, row), 200, 501);
    metrics_request(tables_row(d, row), 503, 20 * 1000 * 1000);
    metrics_request(tables_row(d, row), 0,
                    1); /* no status that there is: ours */
    assert_int_equal(value(REQUESTS("2xx")), 2);
    assert_int_equal(value(REQUESTS("5xx")), 2);
    assert_int_equal(value(REQUESTS("4xx")), -1);
    /* cumulative, upper bounds included */
    assert_int_equal(value(BUCKET("0.0005")), 2);
    assert_int_equal(value(BUCKET("0.001")), 3);
    assert_int_equal(value(BUCKET("10")), 3);
    assert_int_equal(value(BUCKET("+Inf")), 4);
    assert_int_equal(
        value("metagate_request_duration_seconds_count{" LABELS "}"), 4);
    assert_int_equal(value("metagate_request_duration_seconds_sum{" LABELS "}"),
                     20);
}

static void
every_metric_has_help_type_and_value(void **state)
{
    struct buf b = BUF_INIT((size_t)4 << 20);
    char line[512];

    (void)state;
    metrics_text(&b);
#define GAUGE(id, name, help)                        \
    (void)snprintf(line, sizeof(line),               \
                   "# HELP %s %s\n# TYPE %s gauge\n" \
                   "%s ",                            \
                   name, help, name, name);          \
    assert_non_null(strstr(buf_text(&b), line));
#define COUNTER(id, name, help)                        \
    (void)snprintf(line, sizeof(line),                 \
                   "# HELP %s %s\n# TYPE %s counter\n" \
                   "%s ",                              \
                   name, help, name, name);            \
    assert_non_null(strstr(buf_text(&b), line));
#define GROUP(title)
#define MOST(id, name, help) GAUGE(id, name, help)
#define OWN(id, name, per, help)                                           \
    (void)snprintf(line, sizeof(line),                                     \
                   "# HELP %s %s\n# TYPE %s %s\n"                          \
                   "%s{role=\"serve\",process=\"serve-0\"} ",              \
                   name, help, name,                                       \
                   METRIC_##id == METRIC_CPU ? "counter" : "gauge", name); \
    assert_non_null(strstr(buf_text(&b), line));
#include "metrics.def"
#undef GROUP
#undef MOST
#undef OWN
#undef GAUGE
#undef COUNTER
    buf_free(&b);
}

static void
every_alert_is_a_rule(void **state)
{
    struct buf b = BUF_INIT((size_t)1 << 20);

    (void)state;
    metrics_rules(&b);
#define ALERT(name, expr, wait, severity, summary, description) \
    assert_non_null(strstr(buf_text(&b), "- alert: '" name "'\n"));
#include "describe/alerts.def"
#undef ALERT
    buf_free(&b);
}

static int
make_dir(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    config_place(dir, "127.0.0");
    return dispatch_init() == ERR_OK ? 0 : -1;
}

static int
remove_dir(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        (void)execlp("rm", "rm", "-rf", dir, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_a_process_counts_for_itself),
        cmocka_unit_test(without_room_a_process_counts_for_itself),
        cmocka_unit_test(counters_of_the_dead_count_and_their_gauges_do_not),
        cmocka_unit_test(who_comes_back_goes_on_counting),
        cmocka_unit_test(slots_of_the_dead_are_taken_when_there_is_no_other),
        cmocka_unit_test(requests_are_counted_by_class_and_time),
        cmocka_unit_test(every_metric_has_help_type_and_value),
        cmocka_unit_test(every_alert_is_a_rule),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
