/* Connections to the metadata store: made when they are needed, with settings
 * of our own, and given up rather than waited for beyond a deadline. */
#include "db_impl.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <mariadb/errmsg.h>
#include <mariadb/ma_pvio.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

#define SCRATCH_BYTES    (64u << 20)
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS   1000
/* Idle for longer: look whether the server has hung up before sending. */
#define IDLE_MS     1000
#define NO_LIMIT_MS INT64_C(86400000)

/* mysql_native_password also carries unix_socket log-ins. Those left out
 * would hand the password, or anything else, to whoever answers. */
#define AUTH_PLUGINS \
    "mysql_native_password,client_ed25519,caching_sha2_password"

/* A process that is stopped in the middle of a transaction would hold its row
 * locks, the lease it fences by among them, for ever: the server rolls it back
 * before any lease could end. For MariaDB; to others it is a comment. */
#define IDLE_TRANSACTION_S "6"

static const char session_sql[] =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
    " time_zone = '+00:00', lc_messages = 'en_US', autocommit = 1,"
    " innodb_lock_wait_timeout = %u, lock_wait_timeout = %u"
    " /*M!100300 , idle_transaction_timeout = " IDLE_TRANSACTION_S " */";
static const char isolation_sql[] =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
static const char identity_sql[] =
    "SELECT CONCAT(CONNECTION_ID(), ' ', @@hostname, ':', @@port, ':',"
    " @@server_id)";

/* ---- text statements ---- */

void
db_arm(struct db *db, int64_t now, int64_t until)
{
    int64_t wait = (int64_t)db_settings.read_timeout_s * 1000;

    if (wait == 0)
        wait = NO_LIMIT_MS;
    if (db->fine_timeouts && db->my->net.pvio != NULL) { /* not lost */
        if (until != 0 && until - now < wait)
            wait = until > now ? until - now : 1;
        db->my->net.pvio->timeout[PVIO_READ_TIMEOUT] = (int)wait;
    }
    db->sent_ms = now;
    db->wait_ms = wait;
}

static unsigned
take_value(MYSQL *my, char *out, size_t out_size)
{
    MYSQL_RES *res = mysql_store_result(my);
    MYSQL_ROW row = res != NULL ? mysql_fetch_row(res) : NULL;

    if (row != NULL && row[0] != NULL)
        (void)snprintf(out, out_size, "%s", row[0]);
    mysql_free_result(res);
    return mysql_errno(my);
}

unsigned
db_query_value(struct db *db, const char *text, char *out, size_t out_size)
{
    out[0] = '\0';
    metrics_add(METRIC_STORE_STATEMENTS, 1);
    if (mysql_real_query(db->my, text, strlen(text)) != 0)
        return mysql_errno(db->my);
    return take_value(db->my, out, out_size);
}

unsigned
db_query(struct db *db, const char *text)
{
    char dropped[2];

    return db_query_value(db, text, dropped, sizeof(dropped));
}

/* ---- connecting ---- */

static bool
set_options(MYSQL *my, const struct db_host *host, unsigned connect_s)
{
    const struct db_settings *s = &db_settings;
    unsigned proto =
        host->port != 0 ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    unsigned read_s = s->read_timeout_s != 0 ? s->read_timeout_s
                                             : (unsigned)(NO_LIMIT_MS / 1000);
    unsigned off = 0;

    return mysql_optionsv(my, MYSQL_OPT_PROTOCOL, &proto) == 0 &&
           mysql_optionsv(my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) == 0 &&
           mysql_optionsv(my, MYSQL_OPT_READ_TIMEOUT, &read_s) == 0 &&
           mysql_optionsv(my, MYSQL_OPT_WRITE_TIMEOUT, &read_s) == 0 &&
           /* any server could ask for our files */
           mysql_optionsv(my, MYSQL_OPT_LOCAL_INFILE, &off) == 0 &&
           mysql_optionsv(my, MARIADB_OPT_RESTRICTED_AUTH, AUTH_PLUGINS) == 0 &&
           mysql_optionsv(my, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0;
}

/* The library keeps the time-out of a connection in milliseconds, and offers
 * no call to change it. When the field is where its header says, it holds
 * what we asked for. */
static bool
has_fine_timeouts(const MYSQL *my)
{
    const unsigned s = db_settings.read_timeout_s;

    return s != 0 && my->net.pvio != NULL &&
           my->net.pvio->timeout[PVIO_READ_TIMEOUT] == (int)s * 1000;
}

/* BEGIN NOT ATOMIC ... END outside of stored programs, with parameters. */
static bool
has_compounds(MYSQL *my)
{
    return mariadb_connection(my) != 0 &&
           mysql_get_server_version(my) >= 100600;
}

static unsigned
set_session(struct db *db)
{
    char sql[sizeof(session_sql) + 32];
    unsigned code;

    (void)snprintf(sql, sizeof(sql), session_sql,
                   db_settings.lock_wait_timeout_s,
                   db_settings.lock_wait_timeout_s);
    code = db_query(db, sql);
    if (code == 0)
        code = db_query(db, isolation_sql);
    return code;
}

static unsigned
identify(struct db *db, size_t host, int64_t now)
{
    struct db_session *s = &db->session;
    char text[sizeof(s->server) + 24], *end;
    unsigned code;

    code = db_query_value(db, identity_sql, text, sizeof(text));
    s->id = strtoull(text, &end, 10);
    (void)snprintf(s->server, sizeof(s->server), "%s", end);
    s->since_ms = now;
    s->host = host;
    return code;
}

static unsigned
connect_host(struct db *db, size_t i, int64_t now, int64_t until)
{
    const struct db_settings *s = &db_settings;
    const struct db_host *h = &s->host[i];
    int64_t left_s = (until - now + 999) / 1000;
    unsigned wait_s = s->connect_timeout_s;
    unsigned code;

    if (left_s < (int64_t)wait_s)
        wait_s = left_s > 0 ? (unsigned)left_s : 1;
    if (!set_options(db->my, h, wait_s))
        return CR_OUT_OF_MEMORY;
    if (mysql_real_connect(db->my, h->port != 0 ? h->name : NULL, s->user,
                           s->password, db->bare ? NULL : s->database, h->port,
                           h->port != 0 ? NULL : h->name,
                           CLIENT_FOUND_ROWS) == NULL)
        return mysql_errno(db->my);
    db->fine_timeouts = has_fine_timeouts(db->my);
    db->batch.able = s->batch && has_compounds(db->my);
    db_arm(db, now, until);
    code = set_session(db);
    return code != 0 ? code : identify(db, i, now);
}

static atomic_bool down; /* the last attempt of this process has failed */

bool
db_is_down(void)
{
    return atomic_load(&down);
}

/* What /metrics says of the store: whether this process reached it last. */
static void
count_connect(struct db *db, bool reached)
{
    if (atomic_exchange(&down, !reached) == reached)
        metrics_gauge(METRIC_STORE_DOWN, reached ? -1 : 1);
    metrics_add(reached ? METRIC_STORE_CONNECTS : METRIC_STORE_LOST, 1);
    if (reached)
        metrics_gauge(METRIC_STORE_CONNECTIONS, 1);
    db->counted = reached;
}

enum err
db_connect_host(struct db *db, size_t i, int64_t until)
{
    const char *label = db_settings.host[i].label;
    int64_t now = clock_mono_ms();
    unsigned code;

    db->my = mysql_init(NULL);
    if (db->my == NULL)
        return ERR_NOMEM;
    code = connect_host(db, i, now, until);
    count_connect(db, code == 0);
    if (code == 0) {
        db->host = i;
        db->used_ms = now;
        db->backoff_ms = db->retry_ms = 0;
        log_debug("db.connected peer=%s id=%llu", label, db->session.id);
        return ERR_OK;
    }
    db_note(db, code, mysql_error(db->my));
    log_warn("db.connect_failed peer=%s errno=%u text=\"%s\"", label, code,
             db->text);
    db_hangup(db);
    return ERR_STORE;
}

void
db_hangup(struct db *db)
{
    db->open = NULL;
    if (db->my == NULL)
        return;
    if (db->counted)
        metrics_gauge(METRIC_STORE_CONNECTIONS, -1);
    db->counted = false;
    mysql_close(db->my); /* first: its statements must not talk to it */
    db_stmts_drop(db);
    db->my = NULL;
}

/* After a round without success the next try waits, longer each time; what
 * is asked for in between fails at once rather than holding its thread. */
static void
back_off(struct db *db, int64_t now)
{
    int64_t jitter;

    db->backoff_ms =
        db->backoff_ms == 0 ? BACKOFF_FIRST_MS : db->backoff_ms * 2;
    if (db->backoff_ms > BACKOFF_MAX_MS)
        db->backoff_ms = BACKOFF_MAX_MS;
    jitter = (int64_t)((uint64_t)clock_mono_us() * 2654435761u >> 8) %
             (db->backoff_ms / 2);
    db->retry_ms = now + db->backoff_ms / 2 + jitter;
}

static int64_t
limit_of(const struct db *db, int64_t now)
{
    return db->deadline_ms != 0 ? db->deadline_ms : now + NO_LIMIT_MS;
}

static enum err
connect_any(struct db *db, int64_t now)
{
    size_t first = db->host, i;
    enum err e = ERR_STORE;

    if (now < db->retry_ms)
        return ERR_STORE; /* code and text are those of the last try */
    for (i = 0; i < db_settings.n_hosts && e == ERR_STORE; i++) {
        if (db->deadline_ms != 0 && clock_mono_ms() >= db->deadline_ms)
            return db_fail_own(db, ERR_TIMEOUT, "deadline passed", "connect");
        e = db_connect_host(db, (first + i) % db_settings.n_hosts,
                            limit_of(db, now));
    }
    if (e != ERR_OK)
        back_off(db, clock_mono_ms());
    return e;
}

/* An idle connection has nothing to read, unless the server hung up. */
static bool
is_stale(const struct db *db)
{
    char byte;

    return recv(mysql_get_socket(db->my), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >=
               0 ||
           (errno != EAGAIN && errno != EINTR);
}

enum err
db_in_time(struct db *db)
{
    int64_t now = clock_mono_ms();

    if (db->deadline_ms != 0 && now >= db->deadline_ms)
        return db_fail_own(db, ERR_TIMEOUT, "deadline passed", "");
    if (db->my != NULL)
        db_arm(db, now, db->deadline_ms);
    return ERR_OK;
}

static enum err
begin_noted(struct db *db)
{
    enum err e = db_tx_open(db);

    return e == ERR_OK ? db_in_time(db) : e;
}

static enum err
make_ready(struct db *db)
{
    enum err e = db_in_time(db);

    if (e != ERR_OK)
        return e;
    if (db->my != NULL && db->tx != TX_OPEN &&
        db->sent_ms - db->used_ms > IDLE_MS && is_stale(db))
        db_hangup(db);
    if (db->my == NULL) {
        e = connect_any(db, clock_mono_ms());
        if (e == ERR_OK)
            e = db_in_time(db); /* it may have taken that long */
    }
    return e == ERR_OK && db->tx == TX_NOTED && !db_batches(db)
               ? begin_noted(db)
               : e;
}

enum err
db_ready(struct db *db)
{
    enum err e;

    if (db->open != NULL)
        return db_fail_own(db, ERR_INTERNAL, "a result is being read", "");
    if (db->tx == TX_BROKEN)
        return db->tx_err;
    db->rerun = db->batch.joined = false;
    e = make_ready(db);
    if (e != ERR_OK)
        db_break(db, e); /* what comes next must not begin without this */
    return e;
}

/* ---- handles ---- */

struct db *
db_open(void)
{
    struct db *db = calloc(1, sizeof(*db));

    if (db == NULL)
        return NULL;
    db->scratch = arena_new(SCRATCH_BYTES);
    db->row_arena = arena_new(SCRATCH_BYTES);
    db->batch.arena = arena_new(SCRATCH_BYTES);
    if (db->scratch == NULL || db->row_arena == NULL ||
        db->batch.arena == NULL) {
        db_close(db);
        return NULL;
    }
    return db;
}

struct db *
db_open_bare(void)
{
    struct db *db = db_open();

    if (db != NULL)
        db->bare = true;
    return db;
}

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_hangup(db);
    if (db->scratch != NULL)
        arena_free(db->scratch);
    if (db->row_arena != NULL)
        arena_free(db->row_arena);
    if (db->batch.arena != NULL)
        arena_free(db->batch.arena);
    free(db);
}

void
db_deadline(struct db *db, int64_t mono_ms)
{
    db->deadline_ms = mono_ms;
}

const char *
db_peer(const struct db *db)
{
    return db->my != NULL ? db_settings.host[db->session.host].label : "";
}
