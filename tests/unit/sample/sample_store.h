/* The sample dialect with a store: a table of its own, a second connection, a
 * socket that hears when loops are woken. */
#ifndef MG_TEST_SAMPLE_STORE_H
#define MG_TEST_SAMPLE_STORE_H

#include <sys/socket.h>
#include <sys/stat.h>

#include "config.h"
#include "host/wake.h"
#include "store_fixture.h"

static struct db *other;
static char run_dir[] = "/var/tmp/unitrun.XXXXXX";
static int wake_fd = -1;

static const char *const schema[] = {
    "CREATE TABLE thing (id INT NOT NULL, name VARCHAR(64) NOT NULL,"
    " n INT NOT NULL DEFAULT 0, PRIMARY KEY (id),"
    " UNIQUE KEY sample_name (name)) ENGINE=InnoDB",
};

FIXTURE_GROUP(10, 1)

#define ACT_TX .path = "/a/act/tx", .body = "{\"name\":\"x\"}"

static UNUSED const char *
audit_text(const char *sql, const char *request_id)
{
    const char *text = NULL;

    ok(db_one_str(other, arena, sql, DB_ARGS(db_str(request_id)), &text));
    return text;
}

/* A statement is known by its address: `what` is a literal. */
#define AUDIT_OF(what) "SELECT " what " FROM audit WHERE request_id = ?"

static UNUSED int64_t
audited(const char *request_id)
{
    int64_t n = -1;

    ok(db_one_i64(other, "SELECT COUNT(*) FROM audit WHERE request_id = ?",
                  DB_ARGS(db_str(request_id)), &n));
    return n;
}

/* Whether the loops of the host were woken since the last call. */
static UNUSED bool
woken(void)
{
    char byte;
    bool any = recv(wake_fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0;

    wake_drain(wake_fd);
    return any;
}

static int
store_setup(void **state)
{
    char path[64];

    if (group_setup(state) != 0 || mkdtemp(run_dir) == NULL)
        return -1;
    config_place(run_dir, "127.9.6");
    (void)snprintf(path, sizeof(path), "%s/s", run_dir);
    if (mkdir(path, 0700) != 0 || (wake_fd = wake_open("unit")) < 0)
        return -1;
    other = db_open();
    return other != NULL ? sample_setup(state) : -1;
}

static int
store_teardown(void **state)
{
    char path[64];

    wake_close(wake_fd, "unit");
    (void)snprintf(path, sizeof(path), "%s/s", run_dir);
    (void)rmdir(path);
    (void)rmdir(run_dir);
    db_close(other);
    (void)sample_teardown(state);
    return group_teardown(state);
}

#endif
