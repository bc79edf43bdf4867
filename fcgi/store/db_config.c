/* Where the store is and who we are there: read once, before any connection. */
#include "db_impl.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

struct db_settings db_settings;

static enum err
parse_port(const char *p, const char *end, unsigned *out)
{
    unsigned long v = 0;

    for (; p < end && *p >= '0' && *p <= '9' && v < 65536; p++)
        v = v * 10 + (unsigned long)(*p - '0');
    *out = (unsigned)v;
    return p == end && v > 0 && v < 65536 ? ERR_OK : ERR_BAD_PARAM;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static enum err
parse_tcp(const char *p, const char *end, struct db_host *out)
{
    const char *name = *p == '[' ? p + 1 : p, *stop = name;

    while (stop < end && *stop != ']' && *stop != '[' &&
           (*stop != ':' || *p == '['))
        stop++;
    (void)snprintf(out->name, sizeof(out->name), "%.*s", (int)(stop - name),
                   name);
    out->port = MYSQL_PORT;
    if (stop == name || (*p == '[' && (stop == end || *stop++ != ']')))
        return ERR_BAD_PARAM;
    if (stop == end)
        return ERR_OK;
    return *stop == ':' ? parse_port(stop + 1, end, &out->port) : ERR_BAD_PARAM;
}

static enum err
parse_host(const char *p, size_t n, struct db_host *out)
{
    static const char scheme[] = "unix:";
    const size_t scheme_n = sizeof(scheme) - 1;

    if (n == 0 || n >= sizeof(out->name))
        return ERR_BAD_PARAM;
    (void)snprintf(out->label, sizeof(out->label), "%.*s", (int)n, p);
    if (strncmp(p, scheme, scheme_n) != 0)
        return parse_tcp(p, p + n, out);
    out->port = 0;
    (void)snprintf(out->name, sizeof(out->name), "%.*s", (int)(n - scheme_n),
                   p + scheme_n);
    return n > scheme_n ? ERR_OK : ERR_BAD_PARAM;
}

static enum err
parse_hosts(const char *list, struct db_settings *s)
{
    const char *p = list;
    size_t n;
    enum err e;

    for (s->n_hosts = 0; s->n_hosts < DB_HOSTS_MAX; p++) {
        p += strspn(p, " \t");
        n = strcspn(p, ", \t");
        e = parse_host(p, n, &s->host[s->n_hosts]);
        if (e != ERR_OK)
            return e;
        s->n_hosts++;
        p += n;
        p += strspn(p, " \t");
        if (*p == '\0')
            return ERR_OK;
        if (*p != ',')
            return ERR_BAD_PARAM;
    }
    return ERR_BAD_PARAM;
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

    if (user != NULL && *user != '\0')
        return copy(s->user, sizeof(s->user), user);
    return getpwuid_r(geteuid(), &pw, space, sizeof(space), &found) == 0 &&
           found != NULL && copy(s->user, sizeof(s->user), found->pw_name);
}

enum err
db_init(const struct db_config *cfg)
{
    struct db_settings *s = &db_settings;
    enum err e;

    e = parse_hosts(cfg->hosts, s);
    if (e == ERR_OK &&
        (!copy_user(s, cfg->user) ||
         !copy(s->password, sizeof(s->password), cfg->password) ||
         !copy(s->database, sizeof(s->database), cfg->database)))
        e = ERR_BAD_PARAM;
    if (e != ERR_OK) {
        log_error("db.settings hosts=%s user=%s database=%s", cfg->hosts,
                  cfg->user != NULL ? cfg->user : "", cfg->database);
        return e;
    }
    s->connect_timeout_s = cfg->connect_timeout_s;
    s->read_timeout_s = cfg->read_timeout_s;
    s->lock_wait_timeout_s = cfg->lock_wait_timeout_s;
    s->batch = cfg->batch;
    return mysql_library_init(0, NULL, NULL) == 0 ? ERR_OK : ERR_NOMEM;
}

void
db_fini(void)
{
    explicit_bzero(&db_settings, sizeof(db_settings));
    mysql_library_end();
}

const char *
db_database(void)
{
    return db_settings.database;
}
