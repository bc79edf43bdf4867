/* The start's first half: RUN_DIR is made and entered, and root is given up
 * for good. Inside RUN_DIR nothing is ever written as root: the account could
 * have put links there. */
#include "up.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/account.h"
#include "config.h"
#include "file.h"

/* ---- folders ---- */

/* Each missing parent, 0755 whatever the umask: the account, and others who
 * look for their own things below, must get through. */
static enum err
make_parents(const char *dir, char why[WHY_BYTES])
{
    char path[PLACE_BYTES], *p;
    mode_t old = umask(022);
    enum err e = ERR_OK;

    (void)snprintf(path, sizeof(path), "%s", dir);
    for (p = strchr(path + 1, '/'); p != NULL && e == ERR_OK;
         p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST && errno != EROFS)
            e = why_fail(why, ERR_STATE, "cannot make %s: %s", path,
                         strerror(errno));
        *p = '/';
    }
    (void)umask(old);
    return e;
}

/* RUN_DIR, 0750 and the account's. As root an empty one of root's is handed
 * over; one with things in it is somebody's. */
static enum err
own_run_dir(const char *dir, uid_t uid, gid_t gid, char why[WHY_BYTES])
{
    struct stat st;
    enum err e = ERR_OK;
    int fd;

    if (mkdir(dir, 0750) != 0 && errno != EEXIST)
        return why_fail(why, ERR_STATE, "cannot make %s: %s", dir,
                        strerror(errno));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        e = why_fail(why, ERR_STATE, "%s: %s", dir, strerror(errno));
    } else if (st.st_uid != uid &&
               (st.st_uid != 0 || geteuid() != 0 || !file_none_in(fd, NULL) ||
                fchown(fd, uid, gid) != 0)) {
        e = account_refuse_owner(dir, st.st_uid, why);
    } else if (st.st_uid == uid || geteuid() == 0) {
        if ((st.st_mode & 07777) != 0750 && fchmod(fd, 0750) == 0)
            (void)fprintf(stderr, "metagate: %s had mode %04o, now 0750\n", dir,
                          (unsigned)st.st_mode & 07777u);
    }
    if (fd >= 0)
        (void)close(fd);
    return e;
}

/* ---- the binary ---- */

static bool
copy_file(int from, int to)
{
    ssize_t n;

    do {
        n = sendfile(to, from, NULL, 1 << 20);
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n == 0 && fsync(to) == 0;
}

/* By write and rename: the file may be running (ETXTBSY). */
static enum err
install_binary(int from, char *path, size_t size, char why[WHY_BYTES])
{
    char new[PLACE_BYTES];
    bool ok;
    int to;

    (void)mkdir("bin", 0750);
    if (place_path(path, size, "bin/metagate") != ERR_OK ||
        place_path(new, sizeof(new), "bin/metagate.new") != ERR_OK)
        return ERR_LIMIT;
    (void)unlink(new);
    to = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0750);
    ok = to >= 0 && copy_file(from, to) && fsync(to) == 0;
    if (to >= 0 && close(to) != 0)
        ok = false;
    if (ok && rename(new, path) == 0) {
        file_sync_folder(path);
        return ERR_OK;
    }
    why_say(why, "cannot install %s: %s", path, strerror(errno));
    (void)unlink(new);
    return ERR_STATE;
}

/* The same command, by the account, from the installed binary. */
static void
execute(const char *path, int argc, char **argv, char why[WHY_BYTES])
{
    char *args[8] = { NULL }, copy[PLACE_BYTES], dir[PLACE_BYTES], net[16];
    char run_dir_option[] = "--run-dir", net_option[] = "--net";
    int n = 0;

    (void)snprintf(copy, sizeof(copy), "%s", path);
    (void)snprintf(dir, sizeof(dir), "%s", config_run_dir());
    (void)snprintf(net, sizeof(net), "%s", config_net());
    args[n++] = copy;
    args[n++] = run_dir_option;
    args[n++] = dir;
    args[n++] = net_option;
    args[n++] = net;
    for (int i = 0; i < argc && n < 7; i++)
        args[n++] = argv[i];
    (void)execv(path, args);
    why_say(why, "cannot execute %s: %s", path, strerror(errno));
}

/* ---- both ways in ---- */

/* While root can still see whose processes hold a port. */
static enum err
look_around(const char *dir, char why[WHY_BYTES])
{
    pid_t pid;
    enum err e;

    if (up_is_free(dir, &pid) != ERR_OK)
        return ERR_OK; /* the lock itself refuses, in a moment */
    e = up_wait_for_last(dir, why);
    return e == ERR_OK ? up_check_ports(why) : e;
}

static enum err
settle_as_root(int argc, char **argv, char why[WHY_BYTES])
{
    const char *dir = config_run_dir();
    char binary[PLACE_BYTES];
    uid_t uid;
    gid_t gid;
    enum err e;
    int self;

    /* opened now: the account may not be able to get at it */
    self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    e = self >= 0 ? account_ensure(&uid, &gid, why) : ERR_STATE;
    if (e == ERR_OK)
        e = make_parents(dir, why);
    if (e == ERR_OK)
        e = own_run_dir(dir, uid, gid, why);
    if (e == ERR_OK)
        e = look_around(dir, why);
    if (e == ERR_OK)
        e = account_become(uid, gid, why);
    if (e == ERR_OK)
        e = account_check_way(dir, why);
    if (e == ERR_OK && chdir(dir) != 0)
        e = ERR_STATE;
    if (e == ERR_OK)
        e = install_binary(self, binary, sizeof(binary), why);
    if (self >= 0)
        (void)close(self);
    if (e != ERR_OK)
        return e;
    execute(binary, argc, argv, why);
    return ERR_STATE;
}

enum err
up_settle(int argc, char **argv, char why[WHY_BYTES])
{
    const char *dir = config_run_dir();
    enum err e;

    if (geteuid() == 0)
        return settle_as_root(argc, argv, why);
    e = account_check_way(dir, why);
    if (e == ERR_OK)
        e = make_parents(dir, why);
    if (e == ERR_OK)
        e = own_run_dir(dir, geteuid(), getegid(), why);
    if (e == ERR_OK && chdir(dir) != 0)
        e = why_fail(why, ERR_STATE, "%s: %s", dir, strerror(errno));
    return e;
}
