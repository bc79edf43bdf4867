/* nginx's configuration, as it is rendered. */
#include "front/nginx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "front/nginx_render.h"
#include "dialect.h"
#include "embed.h"
#include "file.h"
#include "run_dir_fixture.h"

#define SECRET "00112233445566778899aabbccddeeff"

static char why[WHY_BYTES];

static int
forget_keys(void **state)
{
    static const char *const keys[] = { "TRUSTED",    "HOSTS",
                                        "TLS_KEY",    "TLS_CERTIFICATE",
                                        "RATE_PER_S", "ACCESS_LOG" };
    char name[64];

    for (size_t i = 0; i < COUNT(keys); i++) {
        (void)snprintf(name, sizeof(name), "METAGATE_NGINX_%s", keys[i]);
        (void)unsetenv(name);
    }
    (void)unsetenv("METAGATE_SERVE_WORKERS");
    (void)unsetenv("METAGATE_LISTEN_DORIS");
    (void)unsetenv("METAGATE_LISTEN_PEGASUS_META");
    return teardown(state);
}

static enum err
write_with(const char *key, const char *value)
{
    if (key != NULL)
        assert_int_equal(setenv(key, value, 1), 0);
    if (config_load(NULL, why) != ERR_OK)
        return ERR_BAD_PARAM;
    return nginx_write(SECRET, why);
}

static const char *
file_text(const char *name)
{
    char path[256], *text;
    size_t n;

    (void)snprintf(path, sizeof(path), "%s/nginx/%s", dir, name);
    assert_int_equal(file_read(arena, path, 1 << 20, &text, &n), ERR_OK);
    return text;
}

static void
expect_in(const char *name, const char *part)
{
    if (strstr(file_text(name), part) == NULL)
        fail_msg("%s lacks \"%s\":\n%s", name, part, file_text(name));
}

static void
expect_refused(const char *key, const char *value, const char *part)
{
    assert_int_equal(write_with(key, value), ERR_BAD_PARAM);
    if (strstr(why, part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", why, part);
}

/* ---- templates ---- */

static void
expect_text(const char *template, const char *text)
{
    struct nginx_vars vars = { .n = 0 };
    struct buf b = BUF_INIT(1024);

    nginx_set(&vars, "A", "old");
    nginx_set(&vars, "EMPTY", "");
    nginx_set(&vars, "A", "@EMPTY@");
    assert_int_equal(nginx_expand(&vars, template, &b, why), ERR_OK);
    assert_string_equal(buf_text(&b), text);
    buf_free(&b);
}

static void
placeholders_become_values_once(void **state)
{
    (void)state;
    expect_text("x @A@@A@ y\n", "x @EMPTY@@EMPTY@ y\n");
    expect_text("last line", "last line");
}

static void
names_of_nginx_s_own_stay(void **state)
{
    (void)state;
    expect_text("error_page 413 @too_large; @ @@ @A",
                "error_page 413 @too_large; @ @@ @A");
}

static void
a_line_without_a_value_goes(void **state)
{
    (void)state;
    expect_text("a\n  @EMPTY@\nb @EMPTY@\n\n@EMPTY@@EMPTY@\n", "a\nb \n\n");
}

static void
an_unknown_placeholder_is_an_error(void **state)
{
    struct nginx_vars vars = { .n = 0 };
    struct buf b = BUF_INIT(1024);

    (void)state;
    assert_int_equal(nginx_expand(&vars, "a @NO_SUCH@", &b, why), ERR_INTERNAL);
    assert_non_null(strstr(why, "@NO_SUCH@"));
    buf_free(&b);
}

/* ---- the whole ---- */

static bool
has_placeholder(const char *text)
{
    const char *p = text;

    while ((p = strchr(p, '@')) != NULL) {
        size_t n = strspn(++p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

        if (n > 0 && p[n] == '@')
            return true;
    }
    return false;
}

static void
every_template_is_rendered(void **state)
{
    char path[256];

    (void)state;
    assert_int_equal(write_with(NULL, NULL), ERR_OK);
    for (const struct embedded *f = embed_nginx; f->name != NULL; f++) {
        (void)snprintf(path, sizeof(path), "%s/nginx/%s", dir, f->name);
        if (access(path, F_OK) == 0)
            assert_false(has_placeholder(file_text(f->name)));
    }
    assert_false(has_placeholder(file_text("servers.conf")));
}

static void
every_listener_has_its_server_and_its_refusals(void **state)
{
    /* Users and passwords of a Doris front end are the worker's to check. */
    (void)state;
    assert_int_equal(write_with(NULL, NULL), ERR_OK);
    for (size_t d = 0; dialects[d] != NULL; d++)
        for (const struct listener *l = dialects[d]->listeners;
             l != NULL && l->name != NULL; l++) {
            char text[128], address[32];
            const char *tail = l->tail;

            /* one on every machine has its address as the tail: the last */
            (void)snprintf(address, sizeof(address), "127.9.8.%u",
                           l->machine != EACH_MACHINE ? l->machine : 3);
            if (l->machine == EACH_MACHINE)
                tail = address;
            (void)snprintf(text, sizeof(text), "listen %s:%u ", address,
                           l->port);
            expect_in("servers.conf", text);
            (void)snprintf(text, sizeof(text), "\"%s%s%s\";", l->name,
                           tail[0] == '\0' ? "" : "/", tail);
            expect_in("servers.conf", text);
            (void)snprintf(text, sizeof(text), "refuse/%s.conf", l->refuse);
            expect_in(text, strcmp(l->refuse, "doris-fe") == 0
                                ? "$mg_authorization $http"
                                : "$mg_refuse");
        }
}

static void
every_worker_is_in_the_pool_and_has_its_own_location(void **state)
{
    (void)state;
    assert_int_equal(write_with("METAGATE_SERVE_WORKERS", "3"), ERR_OK);
    expect_in("http.conf", "/s/serve-0.sock\" max_fails=0;\n    server");
    expect_in("http.conf", "upstream mg_worker_2 {");
    expect_in("servers.conf", "location ^~ /worker/2/ {");
    assert_null(strstr(file_text("servers.conf"), "/worker/3/"));
}

static void
secrets_are_for_the_account_alone(void **state)
{
    char path[256];
    struct stat st;

    (void)state;
    assert_int_equal(write_with(NULL, NULL), ERR_OK);
    (void)snprintf(path, sizeof(path), "%s/nginx/secret.conf", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    expect_in("secret.conf", "MG_SECRET \"" SECRET "\";");
}

static void
a_secret_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_int_equal(config_load(NULL, why), ERR_OK);
    assert_int_equal(nginx_write("", why), ERR_BAD_PARAM);
    assert_int_equal(nginx_write(SECRET "\"; evil", why), ERR_BAD_PARAM);
}

static void
trusted_networks_become_lines_of_geo(void **state)
{
    (void)state;
    assert_int_equal(write_with("METAGATE_NGINX_TRUSTED",
                                "10.0.0.0/8=read, fd00::/8=admin,::1=write"),
                     ERR_OK);
    expect_in("http.conf", "    10.0.0.0/8 read;\n    fd00::/8 admin;\n"
                           "    ::1 write;\n");
}

static void
host_names_are_no_patterns(void **state)
{
    (void)state;
    assert_int_equal(write_with("METAGATE_NGINX_HOSTS", "Meta.example-1.com"),
                     ERR_OK);
    expect_in("http.conf", "\"~*^Meta\\.example-1\\.com \" \"\";");
}

static void
a_rate_is_a_limit_and_none_is_none(void **state)
{
    (void)state;
    assert_int_equal(write_with(NULL, NULL), ERR_OK);
    expect_in("limits.conf", "limit_req zone=mg_rate burst=50000 nodelay;");
    assert_int_equal(write_with("METAGATE_NGINX_RATE_PER_S", "0"), ERR_OK);
    assert_null(strstr(file_text("limits.conf"), "limit_req zone"));
    assert_int_equal(write_with("METAGATE_NGINX_RATE_PER_S", "50"), ERR_OK);
    expect_in("http.conf", "rate=50r/s");
    expect_in("limits.conf", "limit_req zone=mg_rate burst=50 nodelay;");
}

static void
tls_needs_both_of_its_files(void **state)
{
    (void)state;
    expect_refused("METAGATE_NGINX_TLS_KEY", "/etc/hostname", "both or none");
    assert_int_equal(
        write_with("METAGATE_NGINX_TLS_CERTIFICATE", "/etc/passwd"), ERR_OK);
    expect_in("servers.conf", "reuseport ssl;");
    expect_in("servers.conf", "/nginx/tls.conf\";");
    expect_in("tls.conf", "ssl_certificate_key \"/etc/hostname\";");
    /* of what is only checked, it is not asked */
    expect_in("check.conf", "/nginx/check-servers.conf\";");
    assert_null(strstr(file_text("check-servers.conf"), "tls.conf"));
    assert_null(strstr(file_text("check-servers.conf"), " ssl;"));
    expect_refused("METAGATE_NGINX_TLS_KEY", "/k\"; x", "TLS_KEY");
}

static void
the_log_lies_where_it_is_wanted(void **state)
{
    char own[128];

    (void)state;
    assert_int_equal(write_with(NULL, NULL), ERR_OK);
    (void)snprintf(own, sizeof(own), "access_log \"%s/log/nginx-access.log\" ",
                   dir);
    expect_in("servers.conf", own);
    assert_int_equal(write_with("METAGATE_NGINX_ACCESS_LOG", "/x/y.log"),
                     ERR_OK);
    expect_in("servers.conf", "access_log \"/x/y.log\" metagate ");
    expect_in("check-servers.conf", "access_log off;");
    assert_int_equal(write_with("METAGATE_NGINX_ACCESS_LOG", "off"), ERR_OK);
    expect_in("servers.conf", "access_log off;");
}

static void
a_listener_may_be_put_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(write_with("METAGATE_LISTEN_DORIS", "[::1]:5001"), ERR_OK);
    expect_in("servers.conf", "listen [::1]:5001 ");
    expect_in("http.conf", "\"~*^([^ ]+) https?://(?:localhost|\\[::1\\])"
                           ":5001(?:/|\\z)\" \"\";");
    assert_int_equal(write_with("METAGATE_LISTEN_DORIS", "0.0.0.0:80"), ERR_OK);
    expect_in("http.conf", "\"~*^([^ ]+) https?://(?:localhost|\\[?\\1\\]?)"
                           "(?::80)?(?:/|\\z)\" \"\";");
    expect_refused("METAGATE_LISTEN_DORIS", "127.0.0.1", "[listen] doris");
    expect_refused("METAGATE_LISTEN_DORIS", "a;b:1", "[listen] doris");
}

static void
a_listener_may_be_off(void **state)
{
    (void)state;
    assert_int_equal(write_with("METAGATE_LISTEN_PEGASUS_META", "off"), ERR_OK);
    assert_null(strstr(file_text("servers.conf"), ":3460"));
    expect_in("servers.conf", ":34803 ");
}

static void
listeners_of_one_name_share_a_key(void **state)
{
    (void)state;
    assert_int_equal(
        write_with("METAGATE_LISTEN_PEGASUS_META", "127.0.0.1:1 , 127.0.0.2:2"),
        ERR_OK);
    expect_in("servers.conf", "listen 127.0.0.1:1 ");
    expect_in("servers.conf", "listen 127.0.0.2:2 ");
    expect_in("servers.conf", "listen 127.9.8.1:34603 ");
    assert_null(strstr(file_text("servers.conf"), ":34601 "));
    assert_int_equal(
        write_with("METAGATE_LISTEN_PEGASUS_REPLICA", "127.0.0.1:3"), ERR_OK);
    expect_in("servers.conf", "listen 127.0.0.1:3 ");
    expect_refused("METAGATE_LISTEN_PEGASUS_META", "x",
                   "[listen] pegasus_meta");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, forget_keys)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(placeholders_become_values_once),
        CASE(names_of_nginx_s_own_stay),
        CASE(a_line_without_a_value_goes),
        CASE(an_unknown_placeholder_is_an_error),
        CASE(every_template_is_rendered),
        CASE(every_listener_has_its_server_and_its_refusals),
        CASE(every_worker_is_in_the_pool_and_has_its_own_location),
        CASE(secrets_are_for_the_account_alone),
        CASE(a_secret_that_is_none_is_refused),
        CASE(trusted_networks_become_lines_of_geo),
        CASE(host_names_are_no_patterns),
        CASE(a_rate_is_a_limit_and_none_is_none),
        CASE(tls_needs_both_of_its_files),
        CASE(the_log_lies_where_it_is_wanted),
        CASE(a_listener_may_be_put_elsewhere),
        CASE(a_listener_may_be_off),
        CASE(listeners_of_one_name_share_a_key),
    };

    return cmocka_run_group_tests_name("nginx", tests, NULL, NULL);
}
