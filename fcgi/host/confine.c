/* Landlock for files and seccomp for exec: Landlock has no say in memory
 * files, which can be executed too. Neither has a wrapper in libc. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

/* ---- files ---- */

/* Since version 3; the headers of Debian 12 do not know it. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* What is left below a folder of one's own. No link is made and nothing
 * renamed or removed there: whoever is not confined opens those files too. */
#define FILES (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define FOLDERS                                                       \
    (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static int
landlock_version(void)
{
    long v = syscall(SYS_landlock_create_ruleset, NULL, 0,
                     LANDLOCK_CREATE_RULESET_VERSION);

    return v > 0 ? (int)v : 0;
}

/* What a kernel of that version can keep from us, beside exec. */
static uint64_t
writing(int version)
{
    uint64_t rights = FILES | FOLDERS;

    if (version >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return rights;
}

/* False (errno) when it is there and cannot be allowed. */
static bool
allow(int rules, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = rights };
    bool ok;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT;
    ok = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
                 &rule, 0) == 0;
    (void)close(rule.parent_fd);
    return ok;
}

static bool
allow_all(int rules, const char *const *folders, uint64_t rights)
{
    const uint64_t left = rights & (FILES | LANDLOCK_ACCESS_FS_TRUNCATE);

    for (; *folders != NULL; folders++)
        if (!allow(rules, *folders, left))
            return false;
    return allow(rules, "/dev/null", left & ~LANDLOCK_ACCESS_FS_MAKE_REG);
}

static bool
confine_files(int version, const char *const *folders)
{
    uint64_t rights = writing(version);
    struct landlock_ruleset_attr attr = {
        .handled_access_fs = rights | LANDLOCK_ACCESS_FS_EXECUTE,
    };
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr,
                             sizeof(attr.handled_access_fs), 0);
    bool ok;

    if (rules < 0)
        return false;
    ok = allow_all(rules, folders, rights) &&
         syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    (void)close(rules);
    return ok;
}

/* ---- exec ---- */

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef OUR_ARCH
#define LOAD(member) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
/* Passes over so many steps when the value is that. */
#define SKIP_IF(test, value, steps) \
    BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), (steps), 0)
#define END(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* x32 has numbers of its own from here on, under the same architecture; those
 * of other architectures mean other calls. Neither is ours. */
#define FOREIGN 0x40000000u

static struct sock_filter steps[] = {
    LOAD(arch),
    SKIP_IF(BPF_JEQ, OUR_ARCH, 1),
    END(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    SKIP_IF(BPF_JGE, FOREIGN, 3),
    SKIP_IF(BPF_JEQ, SYS_execve, 2),
    SKIP_IF(BPF_JEQ, SYS_execveat, 1),
    END(SECCOMP_RET_ALLOW),
    END(SECCOMP_RET_ERRNO | EPERM),
};

static bool
has_seccomp(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool
confine_exec(void)
{
    struct sock_fprog filter = { .len = COUNT(steps), .filter = steps };

    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}
#else
static bool
has_seccomp(void)
{
    return false; /* the numbers of its calls are not known here */
}

static bool
confine_exec(void)
{
    return true;
}
#endif

/* ---- both ---- */

void
confine_kernel(struct confine_kernel *out)
{
    out->landlock = landlock_version();
    out->seccomp = has_seccomp();
}

enum err
confine(const char *const *folders, struct confine_kernel *out)
{
    confine_kernel(out);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        (out->landlock > 0 && !confine_files(out->landlock, folders)) ||
        (out->seccomp && !confine_exec()))
        return ERR_STATE;
    return ERR_OK;
}
