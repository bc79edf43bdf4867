/* What error numbers mean: a class each, and what became of the connection, of
 * the transaction and of the statement. Nothing is done about it here. */
#include "my_int.h"

#include <stdio.h>
#include <string.h>

#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>

#include "clock.h"

/* Numbers that one of the two servers does not name in its header. */
enum {
    NOT_READY = 1047, /* Galera: not a member of the primary part */
    ACCESS_DENIED_SOCKET = 1698,
    READ_ONLY_TRANSACTION = 1792,
    CONNECTION_KILLED = 1927,
    STATEMENT_TIMEOUT = 1969, /* MariaDB's max_statement_time */
    SERVER_LOST_EXTENDED = 2055,
    STATEMENT_TIMEOUT_MYSQL = 3024, /* MySQL's max_execution_time */
    HOOK_FAILED = 3100,             /* Group Replication: no majority */
    NOT_CERTIFIED = 3101,           /* ... another member was first */
    ACCOUNT_LOCKED_MYSQL = 3118,
    INVALID_JSON = 3140,
    NO_WAIT = 3572, /* MySQL's NOWAIT */
    CHECK_FAILED_MYSQL = 3819,
    CHECK_FAILED = 4025,
    DISCONNECTED_IDLE = 4031, /* MySQL 8's wait_timeout */
    ACCOUNT_LOCKED = 4151,
};

static const struct meaning {
    unsigned code;
    enum err err;
    unsigned traits;
} meanings[] = {
    /* a collision: what was done is undone, and may be done again */
    { ER_LOCK_DEADLOCK, ERR_BUSY, MY_UNDONE },
    { ER_LOCK_WAIT_TIMEOUT, ERR_BUSY, MY_UNDONE },
    { ER_CHECKREAD, ERR_BUSY, MY_UNDONE }, /* snapshot isolation */
    { ER_LOCK_TABLE_FULL, ERR_BUSY, MY_UNDONE },
    { ER_XA_RBTIMEOUT, ERR_BUSY, MY_UNDONE },
    { ER_XA_RBDEADLOCK, ERR_BUSY, MY_UNDONE },
    { ER_TOO_MANY_CONCURRENT_TRXS, ERR_BUSY, MY_UNDONE },
    { NOT_CERTIFIED, ERR_BUSY, MY_UNDONE },
    { NO_WAIT, ERR_BUSY, MY_UNDONE },

    /* what the tables do not take */
    { ER_DUP_KEY, ERR_EXISTS, MY_QUIET },
    { ER_DUP_ENTRY, ERR_EXISTS, MY_QUIET },
    { ER_DUP_ENTRY_WITH_KEY_NAME, ERR_EXISTS, MY_QUIET },
    { ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO, ERR_EXISTS, MY_QUIET },
    { ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO, ERR_EXISTS, MY_QUIET },
    { ER_DUP_UNKNOWN_IN_INDEX, ERR_EXISTS, MY_QUIET },
    { ER_NO_REFERENCED_ROW, ERR_STATE, 0 },
    { ER_NO_REFERENCED_ROW_2, ERR_STATE, 0 },
    { ER_ROW_IS_REFERENCED, ERR_STATE, 0 },
    { ER_ROW_IS_REFERENCED_2, ERR_STATE, 0 },
    { ER_DATA_TOO_LONG, ERR_BAD_PARAM, 0 },
    { ER_WARN_DATA_OUT_OF_RANGE, ERR_BAD_PARAM, 0 },
    { WARN_DATA_TRUNCATED, ERR_BAD_PARAM, 0 },
    { ER_TRUNCATED_WRONG_VALUE, ERR_BAD_PARAM, 0 },
    { ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ERR_BAD_PARAM, 0 },
    { ER_ILLEGAL_VALUE_FOR_TYPE, ERR_BAD_PARAM, 0 },
    { ER_WRONG_VALUE_FOR_TYPE, ERR_BAD_PARAM, 0 },
    { ER_INVALID_CHARACTER_STRING, ERR_BAD_PARAM, 0 },
    { INVALID_JSON, ERR_BAD_PARAM, 0 },
    { CHECK_FAILED, ERR_BAD_PARAM, 0 },
    { CHECK_FAILED_MYSQL, ERR_BAD_PARAM, 0 },
    { ER_DATA_OUT_OF_RANGE, ERR_LIMIT, 0 }, /* a sum beyond its column */

    /* larger than the server takes; it hangs up after the first */
    { ER_NET_PACKET_TOO_LARGE, ERR_LIMIT, MY_LOST },
    { CR_NET_PACKET_TOO_LARGE, ERR_LIMIT, MY_LOST },
    { ER_WARN_ALLOWED_PACKET_OVERFLOWED, ERR_LIMIT, 0 },
    { ER_TOO_BIG_ROWSIZE, ERR_LIMIT, 0 },
    { ER_TRANS_CACHE_FULL, ERR_LIMIT, 0 },
    { ER_STMT_CACHE_FULL, ERR_LIMIT, 0 },

    /* settings that are asked for by name */
    { ER_UNKNOWN_SYSTEM_VARIABLE, ERR_BAD_PARAM, 0 },
    { ER_WRONG_VALUE_FOR_VAR, ERR_BAD_PARAM, 0 },
    { ER_WRONG_TYPE_FOR_VAR, ERR_BAD_PARAM, 0 },
    { ER_INCORRECT_GLOBAL_LOCAL_VAR, ERR_BAD_PARAM, 0 },
    { ER_NO_SUCH_THREAD, ERR_NOT_FOUND, 0 },
    { ER_SLAVE_MUST_STOP, ERR_STATE, 0 },
    { ER_SLAVE_NOT_RUNNING, ERR_STATE, 0 },
    { ER_BAD_SLAVE, ERR_STATE, 0 },

    /* our own mistakes */
    { ER_PARSE_ERROR, ERR_INTERNAL, 0 },
    { ER_EMPTY_QUERY, ERR_INTERNAL, 0 },
    { ER_NO_SUCH_TABLE, ERR_INTERNAL, 0 },
    { ER_UNKNOWN_TABLE, ERR_INTERNAL, 0 },
    { ER_BAD_FIELD_ERROR, ERR_INTERNAL, 0 },
    { ER_NON_UNIQ_ERROR, ERR_INTERNAL, 0 },
    { ER_BAD_NULL_ERROR, ERR_INTERNAL, 0 },
    { ER_NO_DEFAULT_FOR_FIELD, ERR_INTERNAL, 0 },
    { ER_WRONG_VALUE_COUNT_ON_ROW, ERR_INTERNAL, 0 },
    { ER_WRONG_ARGUMENTS, ERR_INTERNAL, 0 },
    { ER_SP_DOES_NOT_EXIST, ERR_INTERNAL, 0 },
    { ER_CANT_AGGREGATE_2COLLATIONS, ERR_INTERNAL, 0 },
    { CR_COMMANDS_OUT_OF_SYNC, ERR_INTERNAL, MY_LOST },
    { CR_PARAMS_NOT_BOUND, ERR_INTERNAL, 0 },
    { CR_UNSUPPORTED_PARAM_TYPE, ERR_INTERNAL, 0 },
    { CR_OUT_OF_MEMORY, ERR_NOMEM, MY_LOST },

    /* a server that reads only: here, and maybe not elsewhere */
    { ER_OPTION_PREVENTS_STATEMENT, ERR_PEER, /* --read-only */
      MY_LOST | MY_NEXT | MY_UNDONE | MY_RO },
    { ER_READ_ONLY_MODE, ERR_PEER, MY_LOST | MY_NEXT | MY_UNDONE | MY_RO },
    { ER_INNODB_READ_ONLY, ERR_PEER, MY_LOST | MY_NEXT | MY_UNDONE | MY_RO },
    { READ_ONLY_TRANSACTION, ERR_PEER, /* tx_read_only */
      MY_LOST | MY_NEXT | MY_UNDONE | MY_RO },
    { ER_READ_ONLY_TRANSACTION, ERR_PEER,
      MY_LOST | MY_NEXT | MY_UNDONE | MY_RO },
    { ER_OPEN_AS_READONLY, ERR_PEER, MY_LOST | MY_NEXT | MY_UNDONE | MY_RO },

    /* a server that does not serve us */
    { NOT_READY, ERR_PEER, MY_LOST | MY_NEXT | MY_UNDONE },
    { HOOK_FAILED, ERR_PEER, MY_LOST | MY_NEXT | MY_UNDONE },
    { ER_CON_COUNT_ERROR, ERR_PEER, MY_LOST | MY_NEXT },
    { ER_TOO_MANY_USER_CONNECTIONS, ERR_PEER, MY_LOST | MY_NEXT },
    { ER_USER_LIMIT_REACHED, ERR_PEER, MY_LOST | MY_NEXT },
    { ER_CANT_CREATE_THREAD, ERR_PEER, MY_LOST | MY_NEXT },
    { ER_HOST_IS_BLOCKED, ERR_PEER, MY_LOST | MY_NEXT },
    { ER_SERVER_SHUTDOWN, ERR_PEER, MY_LOST | MY_NEXT },
    { ER_HOST_NOT_PRIVILEGED, ERR_DENIED, MY_LOST | MY_NEXT },
    { ER_ACCESS_DENIED_ERROR, ERR_DENIED, MY_LOST | MY_NEXT },
    { ACCESS_DENIED_SOCKET, ERR_DENIED, MY_LOST | MY_NEXT },
    { ER_MUST_CHANGE_PASSWORD, ERR_DENIED, MY_LOST | MY_NEXT },
    { ACCOUNT_LOCKED, ERR_DENIED, MY_LOST | MY_NEXT },
    { ACCOUNT_LOCKED_MYSQL, ERR_DENIED, MY_LOST | MY_NEXT },
    { ER_DBACCESS_DENIED_ERROR, ERR_DENIED, 0 },
    { ER_TABLEACCESS_DENIED_ERROR, ERR_DENIED, 0 },
    { ER_COLUMNACCESS_DENIED_ERROR, ERR_DENIED, 0 },
    { ER_SPECIFIC_ACCESS_DENIED_ERROR, ERR_DENIED, 0 },
    { ER_PROCACCESS_DENIED_ERROR, ERR_DENIED, 0 },

    /* a connection that is over, a statement that was ended */
    { ER_ABORTING_CONNECTION, ERR_PEER, MY_LOST },
    { ER_NEW_ABORTING_CONNECTION, ERR_PEER, MY_LOST },
    { ER_NET_READ_ERROR, ERR_PEER, MY_LOST },
    { ER_NET_READ_INTERRUPTED, ERR_PEER, MY_LOST },
    { ER_NET_ERROR_ON_WRITE, ERR_PEER, MY_LOST },
    { ER_NET_WRITE_INTERRUPTED, ERR_PEER, MY_LOST },
    { ER_MALFORMED_PACKET, ERR_PEER, MY_LOST },
    { CONNECTION_KILLED, ERR_PEER, MY_LOST },
    { DISCONNECTED_IDLE, ERR_PEER, MY_LOST },
    { SERVER_LOST_EXTENDED, ERR_PEER, MY_LOST },
    { ER_QUERY_INTERRUPTED, ERR_PEER, 0 },
    { STATEMENT_TIMEOUT, ERR_PEER, 0 },
    { STATEMENT_TIMEOUT_MYSQL, ERR_PEER, 0 },
    { ER_DISK_FULL, ERR_PEER, 0 },
    { ER_RECORD_FILE_FULL, ERR_PEER, 0 },
};

enum err
my_classify(unsigned code, unsigned *traits)
{
    for (size_t i = 0; i < COUNT(meanings); i++) {
        if (meanings[i].code == code) {
            *traits = meanings[i].traits;
            return meanings[i].err;
        }
    }
    /* 2000..2999 are the library's own: it lost the server or the thread */
    *traits = code >= CR_MIN_ERROR && code < 3000 ? MY_LOST | MY_NEXT : 0;
    return ERR_PEER;
}

void
my_dup_parse(const char *message, char *out, size_t out_size)
{
    size_t n = strlen(message), name_n;
    const char *end = message + n, *p;

    out[0] = '\0';
    if (n < 2 || *--end != '\'')
        return;
    /* from the right: what stands before is the client's value */
    p = memrchr(message, '\'', (size_t)(end - message));
    if (p == NULL)
        return;
    p++;
    name_n = (size_t)(end - p);
    if (memrchr(p, '.', name_n) != NULL) /* MySQL 8: table.index */
        p = (const char *)memrchr(p, '.', name_n) + 1;
    name_n = (size_t)(end - p);
    if (name_n >= out_size ||
        (name_n == strlen("PRIMARY") && memcmp(p, "PRIMARY", name_n) == 0))
        return;
    memcpy(out, p, name_n);
    out[name_n] = '\0';
}

static void
note(struct my *my, enum err e, unsigned code, const char *text,
     const char *sql)
{
    struct my_failure *f = &my->failure;

    f->err = e;
    f->code = code;
    f->dup[0] = '\0';
    (void)snprintf(f->text, sizeof(f->text), "%s", text);
    (void)snprintf(f->sql, sizeof(f->sql), "%s", sql);
}

enum err
my_fail(struct my *my, unsigned code, const char *text, const char *sql,
        unsigned traits)
{
    struct my_failure *f = &my->failure;

    note(my, my_classify(code, &f->traits), code, text, sql);
    f->traits |= traits;
    if (f->err == ERR_EXISTS)
        my_dup_parse(f->text, f->dup, sizeof(f->dup));
    /* the library says "lost" when it did not wait longer, too */
    if ((f->traits & (MY_LOST | MY_UNDONE)) == MY_LOST &&
        clock_mono_ms() - my->sent_ms >= my->wait_ms)
        f->traits |= MY_TIMEOUT;
    return f->err;
}

enum err
my_fail_own(struct my *my, enum err e, const char *text, const char *sql,
            unsigned traits)
{
    note(my, e, 0, text, sql);
    my->failure.traits = traits;
    return e;
}

const struct my_failure *
my_failure(const struct my *my)
{
    return &my->failure;
}
