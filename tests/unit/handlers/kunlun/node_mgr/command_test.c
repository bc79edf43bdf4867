/* Which lines of mysql_cmd, pgsql_cmd and cluster_cmd are understood: a few, to
 * the letter, and nothing that a shell would see more in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kunlun/node_mgr/command.c"

#define START "./startmysql.sh"
#define PG    "python2 start_pg.py"

static void
lines_are_understood(void **state)
{
    static const struct {
        const char *verb, *cmd;
        size_t line;
        unsigned port;
    } rows[] = {
        { "mysql_cmd", START " 6001", 0, 6001 },
        { "mysql_cmd", "  " START "\t 65535 ", 0, 65535 },
        { "mysql_cmd", "./stopmysql.sh 1", 1, 1 },
        { "pgsql_cmd", PG " port=5401", 2, 5401 },
        { "pgsql_cmd", PG " --port=5401", 2, 5401 },
        { "pgsql_cmd", "python2 stop_pg.py port=5401", 3, 5401 },
    };
    unsigned port;
    size_t line;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        line = COUNT(lines);
        port = 0;
        assert_true(understand(rows[i].verb, rows[i].cmd, &line, &port));
        assert_int_equal(line, rows[i].line);
        assert_int_equal(port, rows[i].port);
    }
}

static void
all_else_is_not(void **state)
{
    static const char *const rows[][2] = {
        { "mysql_cmd", "" },
        { "mysql_cmd", START },
        { "mysql_cmd", "6001" },
        { "mysql_cmd", START " 6001 6001" },
        { "mysql_cmd", START " 1 2 3 4 5 6 7 8" },
        { "mysql_cmd", START " 0" },
        { "mysql_cmd", START " 06001" },
        { "mysql_cmd", START " -1" },
        { "mysql_cmd", START " +1" },
        { "mysql_cmd", START " 65536" },
        { "mysql_cmd", START " 6001x" },
        { "mysql_cmd", START " 6.5" },
        { "mysql_cmd", START " port=6001" },
        { "mysql_cmd", "startmysql.sh 6001" },
        { "mysql_cmd", "../startmysql.sh 6001" },
        { "mysql_cmd", PG " port=5401" },
        { "pgsql_cmd", START " 6001" },
        { "pgsql_cmd", PG },
        { "pgsql_cmd", PG " 5401" },
        { "pgsql_cmd", PG " -port=5401" },
        { "pgsql_cmd", PG " --port 5401" },
        { "pgsql_cmd", PG " port=" },
        { "pgsql_cmd", PG " port=0" },
        { "pgsql_cmd", PG " ports=1" },
        { "pgsql_cmd", "python2 start_pg port=1" },
        { "pgsql_cmd", "python3 start_pg.py port=1" },
        { "cluster_cmd", START " 6001" },
        { "send", START " 6001" },
    };
    static const char shell[] = ";&|<>$`(){}*?~#!\n\r\\\"'";
    char text[CMD_BYTES + 8];
    unsigned port;
    size_t line, n;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (understand(rows[i][0], rows[i][1], &line, &port))
            fail_msg("%s: %s", rows[i][0], rows[i][1]);
    for (size_t i = 0; shell[i] != '\0'; i++) {
        (void)snprintf(text, sizeof(text), START " 6001 %c", shell[i]);
        assert_false(understand("mysql_cmd", text, &line, &port));
        (void)snprintf(text, sizeof(text), START " 6001%c", shell[i]);
        assert_false(understand("mysql_cmd", text, &line, &port));
    }
    /* what fits is cut nowhere */
    n = (size_t)snprintf(text, sizeof(text), START " 6001");
    (void)memset(text + n, ' ', CMD_BYTES - n);
    text[CMD_BYTES] = '\0';
    assert_false(understand("mysql_cmd", text, &line, &port));
    text[CMD_BYTES - 1] = '\0';
    assert_true(understand("mysql_cmd", text, &line, &port));
}

static void
cluster_mgr_has_one_line(void **state)
{
    (void)state;
    assert_true(is_cluster_line("cluster_cmd", cluster_line));
    assert_false(is_cluster_line("mysql_cmd", cluster_line));
    assert_false(is_cluster_line("cluster_cmd", cluster_line + 1));
    assert_false(is_cluster_line("cluster_cmd", ""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_understood),
        cmocka_unit_test(all_else_is_not),
        cmocka_unit_test(cluster_mgr_has_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
