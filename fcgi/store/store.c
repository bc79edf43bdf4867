/* From configuration to the settings of the store's connections. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "file.h"
#include "own_store.h"
#include "log.h"
#include "place.h"

static char hosts[PLACE_BYTES];
static char password[512];

static const char *
read_password(int fd)
{
    struct stat st;
    size_t n;
    enum err e;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return "not a plain file";
    if ((st.st_mode & S_IRWXO) != 0)
        return "others can read it: chmod 600";
    e = file_read_fd(fd, password, sizeof(password) - 1, &n);
    if (e != ERR_OK)
        return e == ERR_LIMIT ? "too long" : strerror(errno);
    password[strcspn(password, "\r\n")] = '\0';
    return NULL;
}

static enum err
load_password(const char *path)
{
    const char *why;
    int fd;

    password[0] = '\0';
    if (str_empty(path))
        return ERR_OK;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    why = fd >= 0 ? read_password(fd) : strerror(errno);
    if (fd >= 0)
        (void)close(fd);
    if (why == NULL)
        return ERR_OK;
    log_error("store.password_file path=%s why=\"%s\"", path, why);
    return ERR_BAD_PARAM;
}

/* Whether it is the onebox's, and no account is named: then out is where the
 * password of ours lies. A deployment whose MariaDB was not started by `up`
 * has none. */
static bool
has_own_account(const struct config *c, char out[PLACE_BYTES])
{
    return own_store() && str_empty(c->mysql_user) &&
           str_empty(c->mysql_password_file) &&
           place_path(out, PLACE_BYTES, OWN_STORE_PASSWORD) == ERR_OK &&
           access(out, F_OK) == 0;
}

enum err
store_config(struct db_config *out)
{
    const struct config *c = config();
    char path[PLACE_BYTES];
    bool own = has_own_account(c, path);
    enum err e;

    e = store_hosts(hosts, sizeof(hosts));
    if (e == ERR_OK)
        e = load_password(own ? path : c->mysql_password_file);
    *out = (struct db_config){
        .hosts = hosts,
        .user = own ? OWN_STORE_USER : c->mysql_user,
        .password = password,
        .database = c->mysql_database,
        .connect_timeout_s = (unsigned)c->mysql_connect_timeout_s,
        .read_timeout_s = (unsigned)c->mysql_read_timeout_s,
        .lock_wait_timeout_s = (unsigned)c->mysql_lock_wait_timeout_s,
        .batch = c->mysql_batch,
    };
    return e;
}

enum err
store_open(void)
{
    struct db_config c;
    enum err e = store_config(&c);

    return e == ERR_OK ? db_init(&c) : e;
}

bool
store_has_one_host(void)
{
    return strchr(hosts, ',') == NULL;
}
