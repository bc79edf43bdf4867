/* The start that all roles have in common. */
#include "role.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "api/tables.h"
#include "coherence.h"
#include "config.h"
#include "crypt.h"
#include "log.h"
#include "metrics.h"
#include "place.h"
#include "store/store.h"
#include "worker/request.h"

static enum err
open_log(const char *name)
{
    char path[PLACE_BYTES], file[128];

    (void)snprintf(file, sizeof(file), "log/%s.log", name);
    if (place_path(path, sizeof(path), "log") != ERR_OK)
        return ERR_LIMIT;
    (void)mkdir(path, 0750); /* up has made it; systemd may not have */
    if (place_path(path, sizeof(path), file) == ERR_OK &&
        log_open(path, name) == ERR_OK)
        return ERR_OK;
    (void)fprintf(stderr, "metagate: cannot write %s: %s\n", path,
                  strerror(errno));
    return ERR_STATE;
}

enum err
role_load_keys(void)
{
    char path[PLACE_BYTES];

    if (!str_empty(config()->crypt_key_file))
        return crypt_load(config()->crypt_key_file);
    return place_path(path, sizeof(path), "key") == ERR_OK ? crypt_load(path)
                                                           : ERR_LIMIT;
}

enum err
role_begin(const char *name, sigset_t *out)
{
    enum err e;

    sigemptyset(out);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, out, NULL);
    if (!config()->core_core_dumps)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    e = open_log(name);
    if (e != ERR_OK)
        return e;
    e = role_load_keys();
    if (e == ERR_OK)
        e = store_open();
    if (e != ERR_OK) {
        log_error("role.start err=%s", err_name(e));
        return e;
    }
    coherence_open();
    (void)!metrics_open(name, tables_sum()); /* or it counts for itself */
    return ERR_OK;
}

void
role_reload(void)
{
    log_reopen();
    if (role_load_keys() != ERR_OK)
        log_error("role.reload key=unchanged");
    request_rules_reload();
    log_info("role.reload");
}
