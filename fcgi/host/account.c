/* The one account that a deployment runs as: made, and become. */
#include "account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "proc.h"

static enum err
find_user(const char *name, uid_t *uid, gid_t *gid)
{
    const struct passwd *pw = getpwnam(name);

    if (pw == NULL)
        return ERR_NOT_FOUND;
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return ERR_OK;
}

enum err
account_ensure(uid_t *uid, gid_t *gid, char why[WHY_BYTES])
{
    static const char *const argv[] = {
        "/usr/sbin/useradd", "--system",
        "--user-group",      "--no-create-home",
        "--home-dir",        "/var/lib/metagate",
        "--shell",           "/usr/sbin/nologin",
        ACCOUNT_NAME,        NULL
    };
    struct proc_result r;
    enum err e;

    if (find_user(ACCOUNT_NAME, uid, gid) == ERR_OK)
        return ERR_OK;
    e = proc_run(argv, 30000, &r);
    if (e == ERR_OK && find_user(ACCOUNT_NAME, uid, gid) == ERR_OK)
        return ERR_OK;
    return why_fail(why, ERR_STATE, "cannot make the system user %s: %s",
                    ACCOUNT_NAME, r.output);
}

/* HOME and the names of root would lead tools to files of root. */
static void
clean_environment(uid_t uid)
{
    const struct passwd *pw = getpwuid(uid);

    (void)setenv("HOME", pw != NULL ? pw->pw_dir : "/", 1);
    (void)setenv("USER", pw != NULL ? pw->pw_name : "", 1);
    (void)setenv("LOGNAME", pw != NULL ? pw->pw_name : "", 1);
    (void)unsetenv("MAIL");
    (void)unsetenv("XDG_RUNTIME_DIR");
    (void)setenv("PATH",
                 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                 "/sbin:/bin",
                 1);
}

enum err
account_become(uid_t uid, gid_t gid, char why[WHY_BYTES])
{
    if (geteuid() == uid)
        return ERR_OK;
    /* groups before ids: afterwards the right to change them is gone */
    if (uid == 0 || setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return why_fail(why, ERR_DENIED, "cannot become uid %u: %s",
                        (unsigned)uid, strerror(errno));
    if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
        abort(); /* root must not come back */
    clean_environment(uid);
    return ERR_OK;
}

enum err
account_become_owner(const char *dir, char why[WHY_BYTES])
{
    struct stat st;

    if (geteuid() != 0 || lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) ||
        st.st_uid == 0)
        return ERR_OK;
    if (st.st_gid == 0) /* root could come back by it */
        return why_fail(why, ERR_DENIED,
                        "%s belongs to uid %u, but to the group of root: "
                        "chgrp it to the group of that account",
                        dir, (unsigned)st.st_uid);
    return account_become(st.st_uid, st.st_gid, why);
}

enum err
account_name(char *out, size_t size)
{
    const struct passwd *pw = getpwuid(geteuid());

    if (pw == NULL || strlen(pw->pw_name) >= size)
        return ERR_STATE;
    (void)snprintf(out, size, "%s", pw->pw_name);
    return ERR_OK;
}

/* ---- RUN_DIR of somebody else ---- */

enum err
account_refuse_owner(const char *dir, uid_t owner, char why[WHY_BYTES])
{
    const struct passwd *pw = getpwuid(owner);

    if (pw != NULL)
        return why_fail(why, ERR_DENIED,
                        "%s belongs to %s: start as %s, or choose another "
                        "RUN_DIR",
                        dir, pw->pw_name, pw->pw_name);
    return why_fail(why, ERR_DENIED,
                    "%s belongs to uid %u: choose another RUN_DIR", dir,
                    (unsigned)owner);
}

/* Every folder on the way must let this account through; those that are
 * still missing will be its own. */
enum err
account_check_way(const char *dir, char why[WHY_BYTES])
{
    char path[PLACE_BYTES], account[64], *p;
    int code;

    (void)snprintf(path, sizeof(path), "%s/", dir);
    for (p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (access(path, X_OK) != 0) {
            code = errno;
            if (code == ENOENT)
                return ERR_OK;
            if (account_name(account, sizeof(account)) != ERR_OK)
                (void)snprintf(account, sizeof(account), "this account");
            return why_fail(why, ERR_DENIED,
                            "%s cannot enter %s (%s), which lies on the way to "
                            "RUN_DIR %s",
                            account, path, strerror(code), dir);
        }
        *p = '/';
    }
    return ERR_OK;
}

enum err
account_check_run_dir(const char *dir, char why[WHY_BYTES])
{
    struct stat st;

    if (geteuid() == 0)
        return ERR_OK;
    if (stat(dir, &st) == 0 && st.st_uid != geteuid())
        return account_refuse_owner(dir, st.st_uid, why);
    return account_check_way(dir, why);
}
