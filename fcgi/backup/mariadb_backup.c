/* MariaDB: its backup tool, both ways. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_tool.h"
#include "buf.h"
#include "config.h"
#include "instance/copy.h"
#include "instance/mariadb_int.h"
#include "instance/paths.h"

/* Its password in a file that is ours alone: neither its arguments nor its
 * environment are. */
static enum err
write_login(const struct instance_spec *s, const struct instance *i,
            const char *path, char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(8192);

    buf_printf(&b, "[client]\nuser=%s\npassword=%s\nsocket=%s\n", s->admin_user,
               s->admin_secret, i->socket);
    buf_printf(&b, "[mariadbd]\ndatadir=%s\n", i->datadir);
    return copy_secret(&b, path, why);
}

static enum err
begin(struct arena *a, const struct instance_spec *s, const struct instance *i,
      struct argv *argv, const char *const **env, const char **secrets,
      char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    enum err e;

    (void)env;
    (void)instance_homes(s, home);
    *secrets = instance_file(a, &home[0], "backup.cnf");
    if (*secrets == NULL)
        return why_fail(why, ERR_LIMIT, "a path is too long");
    e = write_login(s, i, *secrets, why);
    argv_add(argv, "%s", config()->instance_mariadb_backup);
    argv_add(argv, "--defaults-file=%s", *secrets);
    argv_add(argv, "--backup");
    argv_add(argv, "--stream=xbstream");
    argv_add(argv, "--target-dir=%s", i->tmpdir);
    argv_add(argv, "--tmpdir=%s", i->tmpdir);
    argv_add(argv, "--innodb-use-native-aio=0"); /* as load.c */
    return e;
}

bool
backup_look_mariadb(struct backup_stream *b, const char *p, size_t n)
{
    return xbstream_look(&b->xbstream, p, n);
}

/* "... filename 'bin.000002', position '342', GTID of the last change '7-1-5'"
 * in its log: the text between the quotes behind `before`. */
static const char *
quoted(struct arena *a, const char *line, const char *before)
{
    const char *p = strstr(line, before);
    size_t n;

    if (p == NULL)
        return NULL;
    p += strlen(before);
    n = strcspn(p, "'\n");
    return p[n] == '\'' ? arena_strndup(a, p, n) : NULL;
}

static enum err
ended(struct arena *a, const struct backup_stream *b, const struct tool *t,
      struct instance_backup *out, char why[WHY_BYTES])
{
    char text[65536], last[512];
    const char *line, *file, *at, *gtid;

    tool_last_line(t, last, sizeof(last));
    if (strstr(last, MARIADB_BACKUP_COMPLETED) == NULL ||
        !xbstream_may_end(&b->xbstream))
        return why_fail(why, ERR_STATE, "the backup is not complete: %s", last);
    tool_log_tail(t, text, sizeof(text));
    line = strstr(text, "binlog position: filename '");
    if (line == NULL)
        return why_fail(why, ERR_STATE,
                        "the backup does not say where it stands");
    file = quoted(a, line, "filename '");
    at = quoted(a, line, "position '");
    gtid = quoted(a, line, "GTID of the last change '");
    if (file != NULL)
        PUT(out, instance_backup, binlog, file);
    if (at != NULL)
        PUT(out, instance_backup, binlog_at, strtoll(at, NULL, 10));
    PUT(out, instance_backup, gtid, gtid != NULL ? gtid : "");
    return ERR_OK;
}

const struct backup_tool mariadb_backup_tool = { begin, backup_look_mariadb,
                                                 ended };
