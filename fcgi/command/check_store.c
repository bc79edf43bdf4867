/* metagate check: the metadata store. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "config/deployment.h"
#include "config_live.h"
#include "coherence.h"
#include "daemon.h"
#include "duty.h"
#include "lease.h"
#include "listener.h"
#include "place.h"
#include "crypt.h"
#include "schema/keys.h"
#include "schema/migrate.h"
#include "store/store.h"

#define CLOCK_WARN_MS 1000
#define CLOCK_FAIL_MS 5000
#define HELD_MS       5000
#define STOPPED_MS    6000 /* the row of a host that has stopped ends before */

#define OLDEST_MARIADB 100600
#define OLDEST_MYSQL   80000

static const char version_sql[] = "SELECT VERSION()";
static const char now_sql[] =
    "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

static const char audit_sql[] = "SELECT bytes FROM audit_size WHERE one = 1";

/* Settings that metagate relies on: a value that must not stand there, or the
 * least number that may. */
static const struct {
    const char *name, *sql, *bad;
    int64_t least;
    enum verdict verdict;
    const char *why;
} settings[] = {
#define GLOBAL(name) #name, "SELECT CAST(@@GLOBAL." #name " AS CHAR)"
/* a switch reads OFF and ON otherwise */
#define NUMBER(name) #name, "SELECT CAST(@@GLOBAL." #name " + 0 AS CHAR)"
    { NUMBER(read_only), "1", 0, FAIL,
      "nothing can be written; use the primary in [mysql] hosts" },
    { "tx_read_only", "SELECT CAST(0 /*M! + @@GLOBAL.tx_read_only */ AS CHAR)",
      "1", 0, FAIL, "nothing can be written; set it to 0, or use the primary" },
    { NUMBER(innodb_flush_log_at_trx_commit), "0", 0, FAIL,
      "acknowledged writes can be lost; set it to 1" },
    { NUMBER(innodb_flush_log_at_trx_commit), "2", 0, WARN,
      "a crash of the host can lose the last second; set it to 1" },
    { NUMBER(sync_binlog), "0", 0, WARN,
      "after a crash of the host the binlog may lack what the tables have; "
      "set it to 1" },
    { NUMBER(innodb_strict_mode), "0", 0, WARN, "set it to 1" },
    { GLOBAL(character_set_server), "latin1", 0, WARN,
      "set it to utf8mb4 for databases made without one" },
    { NUMBER(max_allowed_packet), NULL, 4 << 20, FAIL,
      "large requests cannot be stored; set it to 16M" },
    { NUMBER(max_connections), NULL, 64, WARN,
      "every thread of every process has a connection; set it to 500" },
#undef GLOBAL
#undef NUMBER
};

/* False when there is nobody to ask. */
static bool
look_version(struct look *l)
{
    struct finding f = { 0 };
    const char *v = "";
    enum err e = db_one_str(l->db, l->arena, version_sql, DB_NO_ARGS, &v);

    if (e != ERR_OK) {
        FOUND(&f, FAIL, "the metadata store does not answer: %s",
              db_error(l->db));
        CURE(&f, "see [mysql] in metagate.ini and `metagate status`");
    } else if (db_version(l->db) <
               (db_is_mariadb(l->db) ? OLDEST_MARIADB : OLDEST_MYSQL)) {
        FOUND(&f, FAIL, "server %s is too old", v);
        CURE(&f, "MariaDB 10.6 or MySQL 8.0 is the oldest that is tested");
    } else {
        FOUND(&f, OK, "server %s at %s", v, db_peer(l->db));
    }
    check_report(l, "store", &f);
    return e == ERR_OK;
}

static void
look_setting(struct look *l, struct finding *f, size_t i)
{
    const char *v = "";

    if (db_one_str(l->db, l->arena, settings[i].sql, DB_NO_ARGS, &v) !=
        ERR_OK) {
        FOUND(f, WARN, "%s cannot be read: %s", settings[i].name,
              db_error(l->db));
        CURE(f, "%s", settings[i].why);
    } else if (settings[i].bad != NULL ? strcmp(v, settings[i].bad) == 0
                                       : atoll(v) < settings[i].least) {
        FOUND(f, settings[i].verdict, "%s = %s", settings[i].name, v);
        CURE(f, "%s", settings[i].why);
    }
}

static void
look_settings(struct look *l)
{
    struct finding well = { .verdict = OK };
    bool all = true;

    for (size_t i = 0; i < COUNT(settings); i++) {
        struct finding f = { 0 };

        look_setting(l, &f, i);
        if (f.verdict == OK)
            continue;
        check_report(l, "settings", &f);
        all = false;
    }
    if (!all)
        return;
    FOUND(&well, OK, "the server's settings are as they should be");
    check_report(l, "settings", &well);
}

static bool
look_schema(struct look *l)
{
    struct finding f = { 0 };
    char id[DEPLOYMENT_ID_BYTES], why[WHY_BYTES] = "";
    enum err e = deployment_id(id);

    if (e == ERR_OK)
        e = migrate_check(l->db, id, why);
    if (e == ERR_OK) {
        FOUND(&f, OK, "schema %s is ours and up to date", db_database());
    } else {
        FOUND(&f, FAIL, "schema %s: %s", db_database(),
              !str_empty(why) ? why : err_name(e));
        CURE(&f, "`metagate migrate` brings it up to date");
    }
    check_report(l, "schema", &f);
    return e == ERR_OK;
}

/* With the keys that look_key has loaded. */
static void
look_keys(struct look *l)
{
    struct finding f = { 0 };
    char why[WHY_BYTES] = "";

    if (crypt_key_id() == 0)
        return; /* there are none, as was said */
    if (keys_check(l->db, why) == ERR_OK) {
        FOUND(&f, OK, "the store knows the keys of the key file");
    } else {
        FOUND(&f, FAIL, "%s", why);
        CURE(&f, "put back the file from where it was saved, for every host of "
                 "this store");
    }
    check_report(l, "key", &f);
}

static void
look_clock(struct look *l)
{
    struct finding f = { 0 };
    int64_t before = clock_unix_ms(), theirs = 0, diff;

    if (db_one_i64(l->db, now_sql, DB_NO_ARGS, &theirs) != ERR_OK) {
        FOUND(&f, FAIL, "the store's clock cannot be read");
        CURE(&f, "see the lines above");
        check_report(l, "clock", &f);
        return;
    }
    diff = theirs - (before + clock_unix_ms()) / 2;
    FOUND(&f,
          llabs(diff) >= CLOCK_FAIL_MS   ? FAIL
          : llabs(diff) >= CLOCK_WARN_MS ? WARN
                                         : OK,
          "the store's clock is %lld ms off ours", (long long)diff);
    if (f.verdict != OK)
        CURE(&f, "let both hosts keep time by NTP");
    check_report(l, "clock", &f);
}

/* What the duty has counted; the newest minutes come later. */
static void
look_audit(struct look *l)
{
    int64_t bytes = 0, most = config()->audit_max_mib << 20;
    struct finding f = { 0 };

    if (config_refresh(l->db) == ERR_OK)
        most = config()->audit_max_mib << 20; /* may have been changed */
    if (db_one_i64(l->db, audit_sql, DB_NO_ARGS, &bytes) != ERR_OK) {
        FOUND(&f, FAIL, "the size of the audit trail cannot be read");
        CURE(&f, "see the lines above");
    } else if (most > 0 && bytes > most) {
        FOUND(&f, WARN,
              "the audit trail has %lld MiB, more than it may: rows of the "
              "last hour are deleted",
              (long long)(bytes >> 20));
        CURE(&f, "see in it who writes that much; raise [audit] max_mib "
                 "where the disk has room");
    } else {
        FOUND(&f, OK, "the audit trail has %lld MiB%s",
              (long long)(bytes >> 20),
              most > 0 ? "" : ", without a bound ([audit] max_mib = 0)");
    }
    check_report(l, "audit", &f);
}

/* A daemon's lock in RUN_DIR, and whether one has it: it runs then. -1: there
 * is no such file. */
static int
lock_open(const char *role, const char *id, bool *held)
{
    char path[PLACE_BYTES], file[DAEMON_LOCK_BYTES];
    int fd = place_path(path, sizeof(path), daemon_lock_file(role, id, file)) ==
                     ERR_OK
                 ? open(path, O_RDONLY | O_CLOEXEC)
                 : -1;

    *held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
    return fd;
}

/* The address of the first machine whose supervise runs here; false: none. */
static bool
tended_here(char out[PLACE_MACHINE_BYTES])
{
    bool held = false;
    int fd;

    for (unsigned k = 1; k <= PLACE_MACHINES && !held; k++) {
        fd = lock_open("supervise", place_machine(k, out), &held);
        if (fd >= 0)
            (void)close(fd);
    }
    return held;
}

/* Whether that host listens for a machine where we do: at the machine's own
 * address. One that [listen] has moved tells nothing, since 127.0.0.1 and
 * 0.0.0.0 are another place on each host. */
static bool
is_same_machine(struct arena *a, const struct coherence_host *h)
{
    char own[PLACE_MACHINE_BYTES], host[ADDRESS_BYTES];
    struct listening l;
    unsigned port;
    enum err e;

    for (size_t i = 0; (e = listener_at(i, &l)) != ERR_NOT_FOUND; i++) {
        if (e != ERR_OK || l.row->machine != EACH_MACHINE ||
            address_read(l.address, strlen(l.address), 0, host, sizeof(host),
                         &port) != ERR_OK)
            continue;
        if (strcmp(host, place_machine(l.machine, own)) == 0 &&
            strcmp(coherence_listen(a, h, l.row->name), l.address) == 0)
            return true;
    }
    return false;
}

static const struct coherence_host *
find_twin(struct arena *a, const struct list_of_coherence_host *hosts)
{
    for (size_t i = 0; i < hosts->n; i++)
        if (!coherence_is_own(hosts->v[i].host) &&
            is_same_machine(a, &hosts->v[i]))
            return &hosts->v[i];
    return NULL;
}

/* The hosts, and the one among them that listens for a machine which our
 * supervise tends; without that it is only one more host. */
static enum err
list_hosts(struct look *l, struct list_of_coherence_host *out,
           const struct coherence_host **twin,
           char machine[PLACE_MACHINE_BYTES])
{
    int64_t until_ms = clock_mono_ms() + STOPPED_MS;
    enum err e;

    for (;;) {
        *out = (struct list_of_coherence_host){ 0 };
        e = coherence_list(l->db, l->arena, out);
        *twin = e == ERR_OK ? find_twin(l->arena, out) : NULL;
        if (*twin != NULL && !tended_here(machine))
            *twin = NULL;
        if (*twin == NULL || clock_mono_ms() >= until_ms)
            return e;
        (void)poll(NULL, 0, 500);
    }
}

/* A worker looks for others every second, so its row is never far. */
static void
look_hosts(struct look *l)
{
    struct list_of_coherence_host hosts;
    const struct coherence_host *twin;
    struct finding f = { 0 };
    char machine[PLACE_MACHINE_BYTES] = "";

    if (list_hosts(l, &hosts, &twin, machine) != ERR_OK) {
        FOUND(&f, FAIL, "the hosts of the store cannot be read");
        CURE(&f, "see the lines above");
    } else if (twin != NULL) {
        FOUND(&f, FAIL, "another host speaks for machine %s: %s", machine,
              twin->name);
        CURE(&f, "give each host its own NET (--net, or NET in the environment "
                 "of its services and commands): both take what is to be done "
                 "on this machine");
    } else if (hosts.n == 0) {
        FOUND(&f, WARN, "no host uses this store now");
        CURE(&f, "start workers: `metagate up`, or the units of systemd");
    } else {
        FOUND(&f, OK, "%zu host%s use%s this store%s", hosts.n,
              hosts.n == 1 ? "" : "s", hosts.n == 1 ? "s" : "",
              hosts.n == 1 && !hosts.v[0].shared
                  ? ", alone: replies are kept"
                  : ": every reply is read from it");
    }
    check_report(l, "hosts", &f);
}

/* Whether a control of that name runs on this RUN_DIR: it has its lock. own is
 * the owner of its leases, as it has noted: a service whose view of /proc is
 * not ours takes the host for another (in a container, for one). */
static bool
runs_here(const char *name, char own[LEASE_OWNER_BYTES])
{
    bool held;
    ssize_t n;
    int fd;

    fd = lock_open("control", name, &held);
    if (fd < 0)
        return false;
    n = pread(fd, own, LEASE_OWNER_BYTES - 1, 0);
    own[n > 0 ? n : 0] = '\0';
    if (n <= 0)
        lease_owner(name, own);
    (void)close(fd);
    return held;
}

/* Whether anybody does the duties: after a start, and when a holder was
 * killed, the next takes them within a lease's time. */
static bool
look_held(struct look *l)
{
    int64_t until_ms = clock_mono_ms() + DUTY_LEASE_MS + HELD_MS;
    struct finding f = { 0 };

    for (;;) {
        struct list_of_lease_row rows = { 0 };

        if (lease_list(l->db, l->arena, &rows) != ERR_OK)
            return true; /* look_leases says so */
        for (size_t i = 0; i < rows.n; i++)
            if (rows.v[i].expires_ms >= rows.v[i].now_ms)
                return true;
        if (clock_mono_ms() >= until_ms)
            break;
        (void)poll(NULL, 0, 500);
    }
    FOUND(&f, FAIL, "no process holds a lease: no background duty is done");
    CURE(&f, "start a `metagate control`: `metagate start control-m1`, or "
             "`systemctl start metagate-control@m1`; its log tells why it "
             "ended");
    check_report(l, "leases", &f);
    return false;
}

/* Both take turns then, and what one is asked may be told of the other. Who
 * holds nothing leaves no row, so the holder's check does not see the other. */
static void
look_leases(struct look *l)
{
    struct finding well = { .verdict = OK };
    struct list_of_lease_row rows = { 0 };
    bool all = true;

    if (lease_list(l->db, l->arena, &rows) != ERR_OK) {
        FOUND(&well, FAIL, "the leases of the store cannot be read");
        CURE(&well, "see the lines above");
        check_report(l, "leases", &well);
        return;
    }
    for (size_t i = 0; i < rows.n; i++) {
        const struct lease_row *row = &rows.v[i];
        int n = (int)lease_owner_name(row->owner);
        char name[LEASE_OWNER_BYTES], own[LEASE_OWNER_BYTES];
        struct finding f = { 0 };

        (void)snprintf(name, sizeof(name), "%.*s", n, row->owner);
        if (row->expires_ms < row->now_ms || !runs_here(name, own) ||
            strcmp(row->owner, own) == 0)
            continue;
        FOUND(&f, FAIL, "%s is held by %s, and another %s runs here", row->name,
              row->owner, name);
        CURE(&f, "give each `metagate control` on this store an --id of its "
                 "own, or run it on one host");
        check_report(l, "leases", &f);
        all = false;
    }
    if (!all)
        return;
    FOUND(&well, OK,
          "no lease is with another host under a name that runs here; one that "
          "waits for ours tells so in its own check");
    check_report(l, "leases", &well);
}

void
check_store(struct look *l)
{
    struct finding f = { 0 };

    if (store_open() != ERR_OK || (l->db = db_open()) == NULL) {
        FOUND(&f, FAIL, "[mysql] of metagate.ini cannot be used");
        CURE(&f, "see the message above");
        check_report(l, "store", &f);
        return;
    }
    if (look_version(l)) {
        look_settings(l);
        if (look_schema(l)) {
            look_keys(l);
            look_audit(l);
        }
        look_clock(l);
        look_hosts(l);
        if (look_held(l))
            look_leases(l);
    }
    db_close(l->db);
    db_fini();
}
