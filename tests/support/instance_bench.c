/* What an instance costs beside the bare programs, in turns, on this machine:
 *
 *     make bench-instances           tests/support/instance_bench [TURNS [MIB]]
 *
 * creation: instance_install, start, ready, settle, beside a copy of the same
 * template (cp) and the start of the same server with the same options.
 * backup: instance_backup to a directory, beside mariadb-backup whose stream
 * goes to a file, and beside that stream through gzip -1; ours compressed and
 * not. The data are hex digits, which compress to about a half.
 * restore: instance_load of ours, beside mbstream and mariadb-backup --prepare
 * of that file. */
#include "../unit/instance/real.h"

#include "backup.h"

#define TURNS_MAX 50

static char why[WHY_BYTES];

static void
need(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, why);
    real_end();
    exit(1);
}

static int
compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static double
median(int64_t *us, size_t n)
{
    qsort(us, n, sizeof(*us), compare);
    return (double)us[n / 2] / 1000;
}

static void
tool(const char *script)
{
    const char *const sh[] = { "sh", "-c", script, NULL };
    struct proc_result r;

    if (proc_run(sh, REAL_WAIT_MS, &r) != ERR_OK) {
        (void)fprintf(stderr, "%s\n%s\n", script, r.output);
        need(false, "tool");
    }
}

/* ---- creation ---- */

static int64_t
create(unsigned slot, struct instance_spec *s)
{
    int64_t at = clock_mono_us();

    *s = real_storage(slot);
    need(instance_install(real_arena, s, why) == ERR_OK, "install");
    need(real_start(slot, s), "start");
    need(instance_settle(real_arena, s, REAL_WAIT_MS, why) == ERR_OK, "settle");
    return clock_mono_us() - at;
}

/* Its options are those of an instance made before, which does not run. */
static int64_t
create_bare(unsigned slot, const struct instance_spec *s)
{
    const char *template = real_path("templates"), *home, *script;
    int64_t at;

    need(instance_home(real_arena, s, &home) == ERR_OK, "home");
    script = arena_printf(real_arena,
                          "cp -a %s/mariadb-*[0-9] %s/data && mv "
                          "%s/data/ib_logfile0 %s/instance_data/"
                          "innodb_log_dir_path/%d/redo/",
                          template, home, home, s->wal_root, (int)s->port);
    tool(arena_printf(real_arena,
                      "rm -rf %s/data %s/instance_data/innodb_log_dir_path/%d/"
                      "redo/* %s/instance_data/log_dir_path/%d/binlog/*",
                      home, s->wal_root, (int)s->port, s->log_root,
                      (int)s->port));
    at = clock_mono_us();
    tool(script);
    need(real_start(slot, s), "start");
    return clock_mono_us() - at;
}

static void
bench_creation(size_t turns)
{
    int64_t ours[TURNS_MAX], bare[TURNS_MAX];
    struct instance_spec s;

    (void)create(1, &s); /* the template, pages */
    real_stop(1, SIGKILL);
    need(instance_remove(&s, why) == ERR_OK, "remove");
    for (size_t i = 0; i < turns; i++) {
        ours[i] = create(1, &s);
        real_stop(1, SIGKILL);
        bare[i] = create_bare(1, &s);
        real_stop(1, SIGKILL);
        need(instance_remove(&s, why) == ERR_OK, "remove");
    }
    {
        double a = median(ours, turns), b = median(bare, turns);

        (void)printf("creation: %.0f ms, bare copy and start %.0f ms, ratio "
                     "%.2f (goal 1.3)\n",
                     a, b, a / b);
    }
}

/* ---- backup ---- */

static void
fill(const struct instance_spec *s, int mib)
{
    struct my *my;

    need(instance_connect(s, REAL_WAIT_MS, &my, why) == ERR_OK, "connect");
    my_until(my, 0);
    need(my_do(my, "SET sql_log_bin = 0") == ERR_OK &&
             my_do(my, "CREATE DATABASE app") == ERR_OK &&
             my_do(my, "CREATE TABLE app.t (id INT PRIMARY KEY, v "
                       "VARCHAR(200))") == ERR_OK,
         "table");
    for (int i = 0; i < mib; i++) {
        const char *sql = arena_printf(
            real_arena,
            "INSERT INTO app.t SELECT seq, CONCAT(MD5(seq), MD5(-seq), "
            "MD5(seq + 0.1), MD5(seq + 0.2), MD5(seq + 0.3)) FROM "
            "app.seq_%d_to_%d",
            i * 5600 + 1, (i + 1) * 5600);

        need(my_do(my, sql) == ERR_OK, "rows");
    }
    my_close(my);
}

/* Unpacked and prepared, as a restore has it before it touches data. */
static void
bench_restore(size_t turns, const struct instance_spec *s,
              struct blob_store *from, const char *stream, double mb)
{
    const char *const keys[2] = { "b0.tgz", "b1.tgz" };
    int64_t ours[2][TURNS_MAX], bare[TURNS_MAX];
    struct instance_backup b;
    double x, y;

    tool(arena_printf(real_arena, "%s >%s/log/b", stream, real_dir));
    for (size_t n = 0; n < turns; n++) {
        int64_t at;

        for (int level = 0; level < 2; level++) {
            at = clock_mono_us();
            need(instance_load(real_arena, s, from, keys[level], NULL, &b,
                               why) == ERR_OK,
                 "restore");
            ours[level][n] = clock_mono_us() - at;
            need(instance_load_back(real_arena, s, why) == ERR_OK, "back");
        }
        tool(arena_printf(real_arena, "rm -rf %s/log/x && mkdir %s/log/x",
                          real_dir, real_dir));
        at = clock_mono_us();
        tool(arena_printf(real_arena,
                          "mbstream -x -C %s/log/x <%s/log/b && mariadb-backup "
                          "--no-defaults --prepare --target-dir=%s/log/x "
                          "2>/dev/null && sync -f %s/log/x",
                          real_dir, real_dir, real_dir, real_dir));
        bare[n] = clock_mono_us() - at;
    }
    y = mb / median(bare, turns) * 1000;
    (void)printf("restore of %.0f MB: mbstream and mariadb-backup --prepare "
                 "alone %.0f MB/s\n",
                 mb, y);
    for (int level = 0; level < 2; level++) {
        x = mb / median(ours[level], turns) * 1000;
        (void)printf("  ours, backup_level=%d: %.0f MB/s, %.2f of that\n",
                     level, x, x / y);
    }
}

static void
bench_backup(size_t turns, int mib)
{
    const char *const keys[2] = { "b0.tgz", "b1.tgz" };
    int64_t ours[2][TURNS_MAX], bare[TURNS_MAX], zipped[TURNS_MAX];
    struct instance_backup b[2];
    struct blob_config cfg = { .url = arena_printf(real_arena, "file://%s/log",
                                                   real_dir) };
    struct blob_store *to;
    struct instance_spec s;
    struct instance i;
    const char *login, *stream;
    double mb, x, y, z;

    (void)create(1, &s);
    fill(&s, mib);
    need(blob_open(real_arena, &cfg, &to, why) == ERR_OK, "target");
    need(instance_place(real_arena, &s, &i, why) == ERR_OK, "place");
    login = real_path("login.cnf");
    tool(arena_printf(real_arena,
                      "umask 077; printf '[client]\\nuser=%s\\npassword=%s\\n"
                      "socket=%s\\n' >%s",
                      s.admin_user, s.admin_secret, i.socket, login));
    stream = arena_printf(real_arena,
                          "mariadb-backup --defaults-file=%s --backup "
                          "--stream=xbstream --datadir=%s --target-dir=%s "
                          "2>/dev/null",
                          login, i.datadir, i.tmpdir);
    for (size_t n = 0; n < turns; n++) {
        int64_t at;

        for (int level = 0; level < 2; level++) {
            (void)setenv("METAGATE_INSTANCE_BACKUP_LEVEL",
                         level == 0 ? "0" : "1", 1);
            need(config_load(NULL, why) == ERR_OK, "level");
            at = clock_mono_us();
            need(instance_backup(real_arena, &s, to, keys[level], NULL,
                                 &b[level], why) == ERR_OK,
                 "backup");
            ours[level][n] = clock_mono_us() - at;
        }
        at = clock_mono_us();
        tool(arena_printf(real_arena, "%s >%s/log/b && sync %s/log/b", stream,
                          real_dir, real_dir));
        bare[n] = clock_mono_us() - at;
        at = clock_mono_us();
        tool(arena_printf(real_arena, "%s | gzip -1 >%s/log/b && sync %s/log/b",
                          stream, real_dir, real_dir));
        zipped[n] = clock_mono_us() - at;
    }
    mb = (double)b[0].payload_bytes / 1e6;
    y = mb / median(bare, turns) * 1000;
    z = mb / median(zipped, turns) * 1000;
    (void)printf("backup of %.0f MB: mariadb-backup alone %.0f MB/s, through "
                 "gzip -1 %.0f MB/s\n",
                 mb, y, z);
    for (int level = 0; level < 2; level++) {
        x = mb / median(ours[level], turns) * 1000;
        (void)printf("  ours, backup_level=%d, %.0f MB: %.0f MB/s, %.2f of the "
                     "first (goal 0.9), %.2f of the second\n",
                     level, (double)b[level].bytes / 1e6, x, x / y, x / z);
    }
    bench_restore(turns, &s, to, stream, mb);
    real_stop(1, SIGTERM);
}

int
main(int argc, char **argv)
{
    long turns = argc > 1 ? strtol(argv[1], NULL, 10) : 7;
    long mib = argc > 2 ? strtol(argv[2], NULL, 10) : 200;

    if (turns < 1 || turns > TURNS_MAX || mib < 1 || mib > 100000) {
        (void)fprintf(stderr, "usage: instance_bench [TURNS [MIB]]\n");
        return 2;
    }
    if (!real_begin())
        return 1;
    bench_creation((size_t)turns);
    bench_backup((size_t)turns, (int)mib);
    real_end();
    return 0;
}
