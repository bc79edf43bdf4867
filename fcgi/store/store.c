/* From configuration to the settings of the store's connections. */
#include "store.h"

#include <string.h>
#include <unistd.h>

#include "config.h"
#include "file.h"
#include "own_store.h"
#include "log.h"
#include "place.h"

static char hosts[PLACE_BYTES];
static char password[512];

static enum err
load_password(const char *path)
{
    char why[WHY_BYTES];

    password[0] = '\0';
    if (str_empty(path) ||
        file_read_secret(path, password, sizeof(password), why) == ERR_OK)
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
