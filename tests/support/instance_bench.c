/* What an instance costs beside the bare programs, in turns, on this machine:
 *
 *     make bench-instances
 *     build/release/support/instance_bench [TURNS [MIB [DIR]]]
 *
 * All files are below DIR (/var/tmp; a directory of /dev/shm leaves the disk
 * out).
 * creation: instance_install, start, ready, settle, beside a copy of the same
 * template (cp) and the start of the same server with the same options.
 * backup: instance_backup to a directory, beside mariadb-backup with the same
 * options whose stream goes to a file of the same file system by the shell's >,
 * with sync FILE; and beside that stream through gzip -1. Both sides write what
 * they write once and wait until it is on disk; ours also sums the payload and
 * the archive (SHA-256) and looks at the form of the stream. The data are hex
 * digits, which compress to about a half.
 * restore: instance_load of ours, beside mbstream and mariadb-backup --prepare
 * of that file.
 *
 * On a machine that others use too, time says little: the processor time of
 * the program itself and of what is ours beside it is told for each. */
#include <sys/resource.h>

#include "../unit/instance/real.h"

#include "backup.h"

#define TURNS_MAX 50

/* How a backup is made small. */
static const char *const forms[] = { "none", "gzip", "zstd" };
static const char *const keys[] = { "b0.tgz", "b1.tgz", "b2.tgz" };

#define FORMS COUNT(forms)

/* Of one turn each. */
struct series {
    int64_t us[TURNS_MAX], own[TURNS_MAX], others[TURNS_MAX];
};

struct reading {
    int64_t us, own, others;
};

static char why[WHY_BYTES];

static int64_t
used(int who)
{
    struct rusage r;

    (void)getrusage(who, &r);
    return (int64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
           r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

/* Time, processor time of ours, of the programs that have ended. */
static struct reading
now(void)
{
    return (struct reading){ clock_mono_us(), used(RUSAGE_SELF),
                             used(RUSAGE_CHILDREN) };
}

static void
note(struct series *s, size_t turn, struct reading since)
{
    struct reading r = now();

    s->us[turn] = r.us - since.us;
    s->own[turn] = r.own - since.own;
    s->others[turn] = r.others - since.others;
}

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

/* Medians: MB/s and, per GB, seconds of the programs and of ours. */
static double
tell(const char *what, struct series *s, size_t turns, double mb)
{
    double speed = mb / median(s->us, turns) * 1000;

    (void)printf("  %-30s %5.0f MB/s; CPU per GB: programs %.2f s, ours %.2f s",
                 what, speed, median(s->others, turns) / mb,
                 median(s->own, turns) / mb);
    return speed;
}

/* Unpacked and prepared, as a restore has it before it touches data. */
static void
bench_restore(size_t turns, const struct instance_spec *s,
              struct blob_store *from, const char *stream, double mb)
{
    static struct series ours[FORMS], bare;
    struct instance_backup b;
    double x, y;

    tool(arena_printf(real_arena, "%s >%s/log/b", stream, real_dir));
    for (size_t n = 0; n < turns; n++) {
        struct reading at;

        for (size_t f = 0; f < FORMS; f++) {
            at = now();
            need(instance_load(real_arena, s, from, keys[f], NULL, &b, why) ==
                     ERR_OK,
                 "restore");
            note(&ours[f], n, at);
            need(instance_load_back(real_arena, s, why) == ERR_OK, "back");
        }
        tool(arena_printf(real_arena, "rm -rf %s/log/x && mkdir %s/log/x",
                          real_dir, real_dir));
        at = now();
        tool(arena_printf(real_arena,
                          "mbstream -x -C %s/log/x <%s/log/b && mariadb-backup "
                          "--no-defaults --innodb-use-native-aio=0 --prepare "
                          "--target-dir=%s/log/x 2>/dev/null && sync -f "
                          "%s/log/x",
                          real_dir, real_dir, real_dir, real_dir));
        note(&bare, n, at);
    }
    (void)printf("restore of %.0f MB until data would be touched:\n", mb);
    y = tell("mbstream, --prepare", &bare, turns, mb);
    (void)printf("\n");
    for (size_t f = 0; f < FORMS; f++) {
        x = tell(forms[f], &ours[f], turns, mb);
        (void)printf("; %.2f x\n", x / y);
    }
}

static const char *
stream_of(const struct instance_spec *s)
{
    const char *login = real_path("login.cnf");
    struct instance i;

    need(instance_place(real_arena, s, &i, why) == ERR_OK, "place");
    tool(arena_printf(real_arena,
                      "umask 077; printf '[client]\\nuser=%s\\npassword=%s\\n"
                      "socket=%s\\n' >%s",
                      s->admin_user, s->admin_secret, i.socket, login));
    return arena_printf(real_arena,
                        "mariadb-backup --defaults-file=%s --backup "
                        "--stream=xbstream --datadir=%s --target-dir=%s "
                        "--tmpdir=%s --innodb-use-native-aio=0 2>/dev/null",
                        login, i.datadir, i.tmpdir, i.tmpdir);
}

static void
turn_of_backup(size_t n, const struct instance_spec *s, struct blob_store *to,
               const char *stream, struct series *ours,
               struct instance_backup *b)
{
    struct reading at;

    for (size_t f = 0; f < FORMS; f++) {
        (void)setenv("METAGATE_INSTANCE_BACKUP_COMPRESSION", forms[f], 1);
        need(config_load(NULL, why) == ERR_OK, "compression");
        at = now();
        need(instance_backup(real_arena, s, to, keys[f], NULL, &b[f], why) ==
                 ERR_OK,
             "backup");
        note(&ours[f], n, at);
    }
    at = now();
    tool(arena_printf(real_arena, "%s >%s/log/b && sync %s/log/b", stream,
                      real_dir, real_dir));
    note(&ours[FORMS], n, at);
    at = now();
    tool(arena_printf(real_arena, "%s | gzip -1 >%s/log/b && sync %s/log/b",
                      stream, real_dir, real_dir));
    note(&ours[FORMS + 1], n, at);
}

static void
bench_backup(size_t turns, int mib)
{
    static struct series ours[FORMS + 2]; /* and alone, through gzip */
    struct instance_backup b[FORMS];
    struct blob_config cfg = { .url = arena_printf(real_arena, "file://%s/log",
                                                   real_dir) };
    struct blob_store *to;
    struct instance_spec s;
    const char *stream;
    double mb, y;

    (void)create(1, &s);
    fill(&s, mib);
    need(blob_open(real_arena, &cfg, &to, why) == ERR_OK, "target");
    stream = stream_of(&s);
    for (size_t n = 0; n < turns; n++)
        turn_of_backup(n, &s, to, stream, ours, b);
    mb = (double)b[0].payload_bytes / 1e6;
    (void)printf("backup of %.0f MB, on disk in the end:\n", mb);
    y = tell("mariadb-backup >FILE", &ours[FORMS], turns, mb);
    (void)printf("\n");
    (void)tell("mariadb-backup | gzip -1 >FILE", &ours[FORMS + 1], turns, mb);
    (void)printf("\n");
    for (size_t f = 0; f < FORMS; f++) {
        const char *what = arena_printf(real_arena, "%s, %.0f MB", forms[f],
                                        (double)b[f].bytes / 1e6);
        double x = tell(what, &ours[f], turns, mb);

        (void)printf("; %.2f x the first (goal 0.9)\n", x / y);
    }
    bench_restore(turns, &s, to, stream, mb);
    real_stop(1, SIGTERM);
}

int
main(int argc, char **argv)
{
    long turns = argc > 1 ? strtol(argv[1], NULL, 10) : 7;
    long mib = argc > 2 ? strtol(argv[2], NULL, 10) : 200;

    if (argc > 3)
        real_parent = argv[3];
    if (turns < 1 || turns > TURNS_MAX || mib < 1 || mib > 100000) {
        (void)fprintf(stderr, "usage: instance_bench [TURNS [MIB [DIR]]]\n");
        return 2;
    }
    if (!real_begin())
        return 1;
    bench_creation((size_t)turns);
    bench_backup((size_t)turns, (int)mib);
    real_end();
    return 0;
}
