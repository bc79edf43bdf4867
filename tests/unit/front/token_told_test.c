/* What `metagate token` tells, and what it leaves behind when something fails:
 * nginx answers as the test wants, and the clock stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/commands.h"
#include "fake_clock.h"
#include "file.h"
#include "front/nginx.h"
#include "front/token_int.h"
#include "run_dir_fixture.h"

/* ---- nginx ---- */

static enum err test_says, reload_says, revoke_says;
static bool runs;
static int tested, reloaded, forgot;
static bool tested_ours;
static char revoked[256]; /* ids, in order */

const char *const *
nginx_argv(void)
{
    static const char *const none[] = { NULL };

    return none;
}

bool
nginx_runs(void)
{
    return runs;
}

enum err
nginx_test(bool ours, char why[WHY_BYTES])
{
    tested++;
    tested_ours = ours;
    why_say(why, "no such thing in line 7");
    return test_says;
}

enum err
nginx_reload(void)
{
    reloaded++;
    return reload_says;
}

enum err
nginx_revoke(const char *id)
{
    size_t n = strlen(revoked);

    (void)snprintf(revoked + n, sizeof(revoked) - n, "%s ", id);
    return revoke_says;
}

void
nginx_forget_revoked(void)
{
    forgot++;
}

/* How long was waited, by a clock that nothing else moves. */
int
poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    (void)fds;
    (void)n;
    pass_ms(timeout_ms);
    return 0;
}

/* ---- the RUN_DIR ---- */

static const char *
in_dir(const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name);
}

static bool
exists(const char *name)
{
    return access(in_dir(name), F_OK) == 0;
}

static char *
text_of(const char *name)
{
    char *text;
    size_t n;

    assert_int_equal(file_read(arena, in_dir(name), 8 << 20, &text, &n),
                     ERR_OK);
    return text;
}

static void
put(const char *name, const char *text)
{
    assert_int_equal(file_write(in_dir(name), 0600, text, strlen(text)),
                     ERR_OK);
}

static void
make_dir(const char *name)
{
    assert_int_equal(mkdir(in_dir(name), 0700), 0);
}

/* An nginx has run here. */
static void
has_nginx(void)
{
    make_dir("nginx");
    put("nginx/check.conf", "");
}

#define ID_A   "00000000000000aa"
#define ID_B   "00000000000000bb"
#define MAP_A  "\"0badcafe\" \"write a 0 " ID_A "\";\n"
#define OLD_A  "\"0badcaff\" \"write a 0 " ID_B " 1799999999\";\n"
#define PERSON "# mine\n\"0badbeef\" \"read odd 0\";\n"

static int
begin(void **state)
{
    if (setup(state) != 0)
        return -1;
    fake_unix_ms = INT64_C(1800000000000); /* 2027-01-15 08:00 */
    test_says = revoke_says = ERR_OK;
    reload_says = ERR_NOT_FOUND;
    runs = false;
    tested = reloaded = forgot = 0;
    revoked[0] = '\0';
    return 0;
}

/* ---- what was told ---- */

static char out[8192], err[8192]; /* standard output and error */

static void
take(int fd, char text[8192])
{
    ssize_t n;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    n = read(fd, text, 8191);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(close(fd), 0);
}

/* Runs it with the words of a line. */
static int
run(const char *line)
{
    char copy[256], *argv[10] = { NULL }, *rest = NULL;
    int argc = 0, status, o = memfd_create("out", 0), e = memfd_create("e", 0);
    int out_was = dup(STDOUT_FILENO), err_was = dup(STDERR_FILENO);

    (void)snprintf(copy, sizeof(copy), "token %s", line);
    for (char *p = strtok_r(copy, " ", &rest); p != NULL && argc < 9;
         p = strtok_r(NULL, " ", &rest))
        argv[argc++] = p;
    (void)fflush(stdout);
    assert_true(o >= 0 && e >= 0 && dup2(o, STDOUT_FILENO) >= 0 &&
                dup2(e, STDERR_FILENO) >= 0);
    status = token_main(argc, argv);
    (void)fflush(stdout);
    assert_true(dup2(out_was, STDOUT_FILENO) >= 0 &&
                dup2(err_was, STDERR_FILENO) >= 0);
    (void)close(out_was);
    (void)close(err_was);
    take(o, out);
    take(e, err);
    return status;
}

/* $ stands for RUN_DIR. */
static void
tells(int status, const char *line, const char *want_out, const char *want_err)
{
    const char *want[] = { want_out, want_err }, *got[] = { out, err };
    char text[4096], *p;

    assert_int_equal(run(line), status);
    for (int i = 0; i < 2; i++) {
        p = text;
        for (const char *w = want[i]; *w != '\0'; w++)
            p +=
                snprintf(p, sizeof(text) - (size_t)(p - text), "%.*s",
                         *w == '$' ? (int)strlen(dir) : 1, *w == '$' ? dir : w);
        *p = '\0';
        if (strcmp(got[i], text) != 0)
            fail_msg("%s\ntold:   %s\nwanted: %s", line, got[i], text);
    }
}

/* ---- add ---- */

static void
a_new_token_is_told_with_its_files_and_its_end(void **state)
{
    (void)state;
    put("tokens.map", PERSON);
    tells(0, "add ci write",
          "ci: scope write\n  $/tokens/ci\n  curl -K $/tokens/ci.curlrc ...\n",
          "");
    tells(0, "add me admin secrets --expires 2099-12-31T08:30Z",
          "me: scope admin, sees secrets, until (UTC) 2099-12-31 08:30\n"
          "  $/tokens/me\n  curl -K $/tokens/me.curlrc ...\n",
          "");
    assert_int_equal(reloaded, 2);
    assert_int_equal(tested, 0);
}

/* The map's lines, the files and their modes, to the byte. */
static void
a_new_token_stands_in_the_map_and_in_its_files(void **state)
{
    struct stat st;
    const char *text;
    struct token_line l;

    (void)state;
    put("tokens.map", PERSON);
    assert_int_equal(run("add ci write secrets --expires 1d"), 0);
    text = text_of("tokens.map") + strlen(PERSON);
    assert_true(token_map_next(&text, &l));
    assert_string_equal(arena_strndup(arena, l.line.p, l.line.n),
                        arena_printf(arena,
                                     "\"%.64s\" \"write ci 1 %s 1800086400\";"
                                     " # created 1800000000\n",
                                     text_of("tokens/ci"), l.id));
    assert_int_equal(strlen(l.id), 16);
    assert_string_equal(text_of("tokens/ci.curlrc"),
                        arena_printf(arena,
                                     "header = \"X-Metagate-Token: %.64s\"\n",
                                     text_of("tokens/ci")));
    assert_int_equal(stat(in_dir("tokens"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(in_dir("tokens/ci"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(in_dir("tokens/ci.curlrc"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(in_dir("tokens.map"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(in_dir("tokens.lock"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(run("add plain read"), 0);
    assert_null(strstr(strstr(text_of("tokens.map"), "read plain 0 "),
                       "1800000000\";"));
}

static void
a_name_that_is_taken_is_told(void **state)
{
    (void)state;
    put("tokens.map", MAP_A);
    tells(1, "add a read", "",
          "metagate token: a: there is a token of that name; revoke or rotate "
          "it, or take another name\n");
    assert_string_equal(text_of("tokens.map"), MAP_A);
    assert_int_equal(reloaded, 0);
}

static void
what_nginx_refuses_is_not_added(void **state)
{
    (void)state;
    put("tokens.map", PERSON);
    has_nginx();
    test_says = ERR_STATE;
    tells(1, "add ci read", "",
          "metagate token: nothing was changed, nginx refuses it: no such "
          "thing in line 7\n");
    assert_string_equal(text_of("tokens.map"), PERSON);
    assert_false(exists("tokens/ci"));
    assert_false(exists("tokens/ci.curlrc"));
    assert_int_equal(reloaded, 0);
    assert_int_equal(tested, 1);
    assert_false(tested_ours);
    runs = true;
    assert_int_equal(run("add ci read"), 1);
    assert_true(tested_ours);
    test_says = ERR_OK;
    reload_says = ERR_OK;
    assert_int_equal(run("add ci read"), 0);
    assert_int_equal(forgot, 1);
}

static void
a_map_that_nginx_does_not_take_yet_is_told(void **state)
{
    (void)state;
    put("tokens.map", MAP_A);
    reload_says = ERR_TIMEOUT;
    tells(1, "add ci read", "",
          "metagate token: tokens.map is written, but nginx keeps its old "
          "one: see log/nginx-error.log in RUN_DIR\n");
    assert_true(exists("tokens/ci"));
    assert_int_equal(forgot, 0);
    assert_int_equal(run("rotate ci"), 1);
    assert_string_equal(out, "");
    assert_int_equal(run("revoke ci"), 1);
    assert_string_equal(out, "");
    assert_null(strstr(text_of("tokens.map"), " ci "));
}

static void
files_that_cannot_be_written_are_told(void **state)
{
    (void)state;
    put("tokens.map", MAP_A);
    put("tokens", "a file where the folder belongs");
    tells(1, "add ci read", "", "metagate token: tokens: File exists\n");
    assert_string_equal(text_of("tokens.map"), MAP_A);
    assert_int_equal(run("rotate a"), 1);
    assert_string_equal(err, "metagate token: tokens: File exists\n");
    assert_string_equal(text_of("tokens.map"), MAP_A); /* as it was */
    assert_int_equal(reloaded, 0);
}

/* Of the two files one is a folder. */
static void
each_of_the_two_files_has_to_be_written(void **state)
{
    (void)state;
    put("tokens.map", MAP_A);
    make_dir("tokens");
    make_dir("tokens/x");
    make_dir("tokens/y.curlrc");
    assert_int_equal(run("add x read"), 1);
    assert_int_equal(run("add y read"), 1);
    assert_string_equal(text_of("tokens.map"), MAP_A);
}

/* ---- rotate ---- */

static void
how_long_the_old_one_is_valid_is_told(void **state)
{
    (void)state;
    put("tokens.map", "\"0\" \"write a 0\";\n"); /* whatever its length */
    assert_int_equal(run("add a read"), 1);
    assert_int_equal(run("rotate a"), 0);
    put("tokens.map", MAP_A);
    tells(0, "rotate a --keep 2h",
          "the old one is valid until (UTC) 2027-01-15 10:00\n"
          "a: scope write\n  $/tokens/a\n  curl -K $/tokens/a.curlrc ...\n",
          "");
    /* an end that comes earlier stays */
    put("tokens.map", "\"0badcafe\" \"write a 0 " ID_A " 1800003600\";\n");
    assert_int_equal(run("rotate a --keep 2h"), 0);
    assert_non_null(strstr(out, "until (UTC) 2027-01-15 09:00\n"));
    assert_non_null(strstr(text_of("tokens.map"), ID_A " 1800003600\""));
    put("tokens.map", "\"0badcafe\" \"write a 0 " ID_A " 1800007201\";\n");
    assert_int_equal(run("rotate a --keep 2h"), 0);
    assert_non_null(strstr(out, "until (UTC) 2027-01-15 10:00\n"));
    assert_non_null(strstr(text_of("tokens.map"), ID_A " 1800007200\""));
    tells(1, "rotate b", "",
          "metagate token: b: there is no token of that name, or it has "
          "expired: `token add` makes one\n");
}

/* The k-th line of the map. */
static struct token_line
line(int k)
{
    const char *map = text_of("tokens.map");
    struct token_line l;

    while (token_map_next(&map, &l) && k-- > 0)
        ;
    return l;
}

static void
a_successor_lives_as_long_as_its_forerunner_was_to(void **state)
{
    static const struct {
        const char *line, *words;
        int64_t expires_s;
    } rows[] = {
        { "\"0a\" \"read a 0 " ID_A "\"; # created 1799990000\n", "rotate a",
          0 },
        { "\"0a\" \"read a 0 " ID_A " 1800090000\"; # created 1799990000\n",
          "rotate a", 1800100000 },
        { "\"0a\" \"read a 0 " ID_A " 1800090000\";\n", "rotate a",
          1800090000 },
        { "\"0a\" \"read a 0 " ID_A " 1800090000\"; # created 1799990000\n",
          "rotate a --expires 1d", 1800086400 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        put("tokens.map", rows[i].line);
        assert_int_equal(run(rows[i].words), 0);
        if (line(1).expires_s != rows[i].expires_s)
            fail_msg("row %zu: %lld", i, (long long)line(1).expires_s);
        assert_int_equal(line(1).created_s, 1800000000);
        assert_string_not_equal(line(1).id, ID_A);
    }
}

static void
of_two_that_are_valid_the_last_is_replaced(void **state)
{
    (void)state;
    put("tokens.map", "\"0a\" \"read a 0 " ID_A "\";\n"
                      "\"0b\" \"write a 1 " ID_B "\";\n"
                      "\"0c\" \"admin a 0 00000000000000cc 1800000000\";\n");
    assert_int_equal(run("rotate a"), 0);
    assert_non_null(strstr(out, "a: scope write, sees secrets\n"));
    assert_string_equal(line(0).id, ID_A);
    assert_int_equal(line(0).expires_s, 1800003600);
    assert_string_equal(line(1).id, ID_B);
    assert_int_equal(line(1).expires_s, 1800003600);
    assert_string_equal(line(2).scope, "write"); /* in place of the expired */
    assert_true(line(2).secrets);
    assert_int_equal(line(3).token.n, 0);
}

static void
a_rotation_that_nginx_refuses_changes_nothing(void **state)
{
    (void)state;
    put("tokens.map", MAP_A);
    make_dir("tokens");
    put("tokens/a", "as it was");
    has_nginx();
    test_says = ERR_STATE;
    assert_int_equal(run("rotate a"), 1);
    assert_string_equal(text_of("tokens.map"), MAP_A);
    assert_string_equal(text_of("tokens/a"), "as it was");
}

/* ---- revoke ---- */

static void
a_revoked_token_leaves_a_mark_and_nothing_else(void **state)
{
    int64_t began = fake_mono_us;

    (void)state;
    put("tokens.map", PERSON OLD_A MAP_A);
    make_dir("tokens");
    put("tokens/a", "x");
    put("tokens/a.curlrc", "x");
    make_dir("used");
    put("used/" ID_A, "");
    put("used/" ID_B, "");
    put("used/00000000000000cc", "");
    tells(0, "revoke a", "a: revoked\n", "");
    assert_string_equal(revoked, ID_B " " ID_A " ");
    assert_string_equal(text_of("tokens.map"), PERSON);
    assert_false(exists("tokens/a") || exists("tokens/a.curlrc"));
    assert_false(exists("used/" ID_A) || exists("used/" ID_B));
    assert_true(exists("used/00000000000000cc"));
    assert_int_equal(reloaded, 1);
    assert_int_equal(fake_mono_us, began); /* no nginx that has to see it */
    tells(1, "revoke a", "",
          "metagate token: a: there is no token of that name\n");
}

/* Until each process of nginx has looked for the mark. */
static void
with_an_nginx_it_is_waited_for(void **state)
{
    int64_t began = fake_mono_us;

    (void)state;
    put("tokens.map", MAP_A);
    has_nginx();
    test_says = ERR_STATE; /* it is not asked: the token has to go */
    reload_says = ERR_OK;
    assert_int_equal(run("revoke a"), 0);
    assert_int_equal(fake_mono_us, began + 1100 * 1000);
    assert_int_equal(tested, 0);
    assert_int_equal(forgot, 1);
}

static void
a_mark_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    put("tokens.map", "\"0a\" \"read a 0\";\n" MAP_A);
    revoke_says = ERR_STATE;
    errno = 0;
    assert_int_equal(run("revoke a"), 1);
    assert_non_null(strstr(err, "metagate token: nginx/revoked: "));
    assert_string_equal(revoked, ID_A " "); /* the older one has no id */
    assert_int_equal(reloaded, 0);
    put("tokens.map", "\"0a\" \"read a 0\";\n");
    assert_int_equal(run("revoke a"), 0);
}

/* ---- list ---- */

static void
a_list_tells_all_but_the_token(void **state)
{
    static const struct timespec at[2] = { { 1799996400, 0 },
                                           { 1799996400, 0 } };

    (void)state;
    put("tokens.map",
        "# mine\n\"0a\" \"read odd 0\";\nno token\n"
        "\"0b\" \"admin me 1 " ID_A " 1800086400\"; # created 1799913600\n"
        "nor this\n"
        "\"0c\" \"write ci 0 " ID_B " 1800000000\"; # created 1\n");
    make_dir("used");
    put("used/" ID_A, "");
    assert_int_equal(utimensat(AT_FDCWD, in_dir("used/" ID_A), at, 0), 0);
    tells(0, "list",
          "name                     scope    secrets  created (UTC)     "
          "expires           last use\n"
          "odd                      read     -        -                 "
          "never             -\n"
          "me                       admin    yes      2027-01-14 08:00  "
          "2027-01-16 08:00  2027-01-15 07:00\n"
          "ci                       write    -        1970-01-01 00:00  "
          "expired           -\n",
          "metagate token: $/tokens.map:3 is no token\n"
          "metagate token: $/tokens.map:5 is no token\n");
    assert_int_equal(reloaded, 0);
}

/* ---- where there is nothing to change ---- */

static void
a_run_dir_without_a_deployment_is_told(void **state)
{
    (void)state;
    tells(1, "list", "",
          "metagate token: $/tokens.map: no deployment here (--run-dir DIR "
          "names one; its first start makes it)\n");
    put("file", "");
    config_place(in_dir("file"), "127.9.8");
    assert_int_equal(run("list"), 1);
    assert_non_null(strstr(err, "/file/tokens.map: Not a directory\n"));
}

static void
a_map_may_have_four_mebibytes(void **state)
{
    const size_t most = (size_t)4 << 20;
    char *text = malloc(most + 2);
    struct stat st;

    (void)state;
    assert_non_null(text);
    memset(text, '#', most + 1);
    text[most] = '\0';
    put("tokens.map", text);
    tells(1, "add ci read", "", "metagate token: too many tokens\n");
    assert_int_equal(stat(in_dir("tokens.map"), &st), 0);
    assert_int_equal(st.st_size, most);
    assert_false(exists("tokens/ci"));
    text[most] = '#';
    text[most + 1] = '\0';
    put("tokens.map", text);
    tells(1, "list", "", "metagate token: $/tokens.map: limit\n");
    free(text);
}

static void
a_line_that_an_editor_left_open_is_closed(void **state)
{
    static const char closed[] = "\"0a\" \"read a 0\";\n\"";

    (void)state;
    put("tokens.map", "\"0a\" \"read a 0\";");
    assert_int_equal(run("add ci read"), 0);
    assert_memory_equal(text_of("tokens.map"), closed, sizeof(closed) - 1);
    put("tokens.map", "#");
    assert_int_equal(run("add ci read"), 0);
    assert_memory_equal(text_of("tokens.map"), "#\n\"", 3);
    put("tokens.map", "");
    assert_int_equal(run("add me read"), 0);
    assert_memory_equal(text_of("tokens.map"), "\"", 1);
}

/* What each start looks after: nginx is told of what is new, and of nothing
 * when nothing is. */
static void
own_tokens_that_are_missing_are_published(void **state)
{
    struct stat written, st;
    char *before;

    (void)state;
    runs = true;
    put("tokens.map", "\"0a\" \"admin me 0\";");
    reloaded = 0;
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(reloaded, 1);
    before = text_of("tokens.map");
    assert_null(strstr(before, "\n\n"));
    assert_memory_equal(before, "\"0a\" \"admin me 0\";\n\"", 20);
    assert_int_equal(stat(in_dir("tokens.map"), &written), 0);
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(reloaded, 1);
    assert_string_equal(text_of("tokens.map"), before);
    assert_int_equal(stat(in_dir("tokens.map"), &st), 0);
    assert_int_equal(st.st_ino, written.st_ino); /* not even written */
    put("tokens.map", "\"0a\" \"admin me 0\";\n");
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(reloaded, 2);
    assert_null(strstr(text_of("tokens.map"), "\n\n"));
    put("tokens.map", "");
    assert_int_equal(token_own(), ERR_OK);
    assert_int_equal(reloaded, 3);
    assert_memory_equal(text_of("tokens.map"), "\"", 1);
}

/* As for who was started without one. */
static void
the_lock_may_be_the_first_descriptor(void **state)
{
    struct token_change c, other;
    int input = dup(0), fd;

    (void)state;
    assert_true(input > 0 && close(0) == 0);
    put("tokens.map", "");
    assert_int_equal(token_change_begin(&c), ERR_OK);
    token_change_end(&c);
    fd = dup(input);
    assert_int_equal(fd, 0); /* it was given back */
    assert_int_equal(token_change_begin(&other), ERR_OK); /* and unlocked */
    token_change_end(&other);
    assert_int_equal(close(input), 0);
}

/* Two at a time would each write the map without the other's line. */
static void *
adds(void *state)
{
    char *argv[] = { (char[]){ "token" }, (char[]){ "add" }, (char[]){ "ci" },
                     (char[]){ "read" }, NULL };

    (void)state;
    return (void *)(intptr_t)token_main(4, argv);
}

static void
who_comes_second_waits(void **state)
{
    int fd;
    char locks[65536], waits[64];
    struct stat st;
    pthread_t thread;
    void *status;

    (void)state;
    put("tokens.map", MAP_A);
    fd = open(in_dir("tokens.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0);
    (void)snprintf(waits, sizeof(waits), ":%llu 0 EOF",
                   (unsigned long long)st.st_ino);
    assert_int_equal(pthread_create(&thread, NULL, adds, NULL), 0);
    for (const char *at = NULL; at == NULL;) { /* until it stands in line */
        FILE *f = fopen("/proc/locks", "r");
        size_t n = f == NULL ? 0 : fread(locks, 1, sizeof(locks) - 1, f);

        locks[n] = '\0';
        assert_true(f != NULL && fclose(f) == 0);
        at = strstr(locks, waits);
        at = at == NULL ? NULL : strstr(at + 1, waits);
    }
    assert_string_equal(text_of("tokens.map"), MAP_A);
    put("tokens.map", PERSON);
    assert_int_equal(close(fd), 0);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_null(status);
    assert_memory_equal(text_of("tokens.map"), PERSON, strlen(PERSON));
}

/* ---- what is forgotten ---- */

static void
marks_of_expired_forerunners_go_when_the_name_is_used_again(void **state)
{
    static const char *const words[] = { "add a read", "rotate a" };

    (void)state;
    make_dir("used");
    for (size_t i = 0; i < COUNT(words); i++) {
        put("tokens.map", i == 0 ? PERSON OLD_A : OLD_A MAP_A);
        put("used/" ID_A, "");
        put("used/" ID_B, "");
        assert_int_equal(run(words[i]), 0);
        assert_false(exists("used/" ID_B));
        assert_true(exists("used/" ID_A));
        assert_null(strstr(text_of("tokens.map"), ID_B));
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_token_is_told_with_its_files_and_its_end),
        CASE(a_new_token_stands_in_the_map_and_in_its_files),
        CASE(a_name_that_is_taken_is_told),
        CASE(what_nginx_refuses_is_not_added),
        CASE(a_map_that_nginx_does_not_take_yet_is_told),
        CASE(files_that_cannot_be_written_are_told),
        CASE(each_of_the_two_files_has_to_be_written),
        CASE(how_long_the_old_one_is_valid_is_told),
        CASE(a_successor_lives_as_long_as_its_forerunner_was_to),
        CASE(of_two_that_are_valid_the_last_is_replaced),
        CASE(a_rotation_that_nginx_refuses_changes_nothing),
        CASE(a_revoked_token_leaves_a_mark_and_nothing_else),
        CASE(with_an_nginx_it_is_waited_for),
        CASE(a_mark_that_cannot_be_made_is_told),
        CASE(a_list_tells_all_but_the_token),
        CASE(a_run_dir_without_a_deployment_is_told),
        CASE(a_map_may_have_four_mebibytes),
        CASE(a_line_that_an_editor_left_open_is_closed),
        CASE(own_tokens_that_are_missing_are_published),
        CASE(the_lock_may_be_the_first_descriptor),
        CASE(who_comes_second_waits),
        CASE(marks_of_expired_forerunners_go_when_the_name_is_used_again),
    };

    return cmocka_run_group_tests_name("token_told", tests, NULL, NULL);
}
