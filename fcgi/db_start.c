/* [mysql] of the configuration to the settings of every connection. */
#include "db_start.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "crypt.h"
#include "db.h"
#include "log.h"
#include "place.h"

#define PASSWORD_BYTES 512

/* The first line of the file; others must not be able to read it. */
static enum err
read_password(const char *path, char out[PASSWORD_BYTES])
{
    FILE *f = fopen(path, "re");
    struct stat st = { 0 };
    bool ok;

    ok = f != NULL && fstat(fileno(f), &st) == 0 &&
         (st.st_mode & S_IRWXO) == 0 && fgets(out, PASSWORD_BYTES, f) != NULL;
    if (!ok)
        log_error("db.password path=%s mode=%o errno=%d", path,
                  (unsigned)st.st_mode & 07777, errno);
    if (f != NULL)
        (void)fclose(f);
    out[strcspn(out, "\r\n")] = '\0';
    return ok ? ERR_OK : ERR_STATE;
}

/* [mysql] hosts, else the socket of the onebox's server. */
static enum err
hosts(char *out, size_t size)
{
    char socket_path[PLACE_BYTES];
    const char *given = config()->mysql_hosts;
    enum err e;
    int n;

    if (given[0] != '\0') {
        n = snprintf(out, size, "%s", given);
    } else {
        e = place_socket(socket_path, sizeof(socket_path), "mysql.sock");
        if (e != ERR_OK)
            return e;
        n = snprintf(out, size, "unix:%s", socket_path);
    }
    return n >= 0 && (size_t)n < size ? ERR_OK : ERR_LIMIT;
}

static enum err
init(const char *host_list, const char *password)
{
    const struct config *c = config();
    const struct db_config settings = {
        .hosts = host_list,
        .user = c->mysql_user,
        .password = password,
        .database = c->mysql_database,
        .connect_timeout_s = (unsigned)c->mysql_connect_timeout_s,
        .read_timeout_s = (unsigned)c->mysql_read_timeout_s,
        .lock_wait_timeout_s = (unsigned)c->mysql_lock_wait_timeout_s,
    };

    return db_init(&settings);
}

enum err
db_start(void)
{
    const char *file = config()->mysql_password_file;
    char host_list[PLACE_BYTES + 8], password[PASSWORD_BYTES] = "";
    enum err e;

    e = hosts(host_list, sizeof(host_list));
    if (e == ERR_OK && file[0] != '\0')
        e = read_password(file, password);
    if (e == ERR_OK)
        e = init(host_list, password);
    crypt_wipe(password, sizeof(password));
    return e;
}
