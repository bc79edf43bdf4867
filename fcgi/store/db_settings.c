/* Where the metadata store is and who we are there: the same for every
 * connection of the process. */
#include "db_impl.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "log.h"

struct db_settings db_settings;

static enum err
parse_hosts(const struct db_config *cfg, struct db_settings *s)
{
    const char *list = cfg->hosts;
    struct my_server *server;
    struct span host;
    enum err e;

    s->n_hosts = 0;
    while (config_list_next(&list, &host)) {
        if (s->n_hosts == DB_HOSTS_MAX || memchr(host.p, ' ', host.n) != NULL)
            return ERR_BAD_PARAM;
        server = &s->server[s->n_hosts++];
        *server = (struct my_server){
            .user = s->user,
            .password = s->password,
            .database = s->database,
            .connect_timeout_s = cfg->connect_timeout_s,
            .read_timeout_s = cfg->read_timeout_s,
        };
        e = my_address_parse(host.p, host.n, &server->at);
        if (e != ERR_OK)
            return e;
    }
    return s->n_hosts > 0 ? ERR_OK : ERR_BAD_PARAM;
}

static bool
copy(char *out, size_t size, const char *text)
{
    return (size_t)snprintf(out, size, "%s", text != NULL ? text : "") < size;
}

/* "" = the account that we run as, as the server's unix_socket sees it. */
static bool
copy_user(struct db_settings *s, const char *user)
{
    struct passwd pw, *found = NULL;
    char space[4096];

    if (!str_empty(user))
        return copy(s->user, sizeof(s->user), user);
    return getpwuid_r(geteuid(), &pw, space, sizeof(space), &found) == 0 &&
           found != NULL && copy(s->user, sizeof(s->user), found->pw_name);
}

enum err
db_init(const struct db_config *cfg)
{
    struct db_settings *s = &db_settings;

    if (parse_hosts(cfg, s) != ERR_OK || !copy_user(s, cfg->user) ||
        !copy(s->password, sizeof(s->password), cfg->password) ||
        !copy(s->database, sizeof(s->database), cfg->database)) {
        log_error("db.settings hosts=%s user=%s database=%s", cfg->hosts,
                  cfg->user != NULL ? cfg->user : "", cfg->database);
        return ERR_BAD_PARAM;
    }
    s->lock_wait_timeout_s = cfg->lock_wait_timeout_s;
    s->batch = cfg->batch;
    return my_library_begin();
}

void
db_fini(void)
{
    explicit_bzero(&db_settings, sizeof(db_settings));
    my_library_end();
}

const char *
db_database(void)
{
    return db_settings.database;
}

enum err
db_look_at(size_t i, int timeout_ms, struct db_host *out)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    char text[8] = "";
    struct my *my;

    if (i >= db_settings.n_hosts)
        return ERR_NOT_FOUND;
    *out = (struct db_host){ .port = db_settings.server[i].at.port };
    (void)snprintf(out->name, sizeof(out->name), "%s",
                   db_settings.server[i].at.name);
    my = my_open();
    if (my == NULL)
        return ERR_NOMEM;
    out->answers = my_connect(my, &db_settings.server[i], until) == ERR_OK;
    if (out->answers)
        my_until(my, until);
    out->answers = out->answers && my_value_of(my, "SELECT @@read_only", text,
                                               sizeof(text)) == ERR_OK;
    out->writes = out->answers && strcmp(text, "0") == 0;
    my_close(my);
    return ERR_OK;
}
