/* A barrier: a statement is done once, when every table of the changefeed has
 * been written up to it, by the capture that has the span of statements; all
 * others wait for that. What was begun and not noted as done is done again. */
#include "processor_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ticdc/core/ddl.h"

#define POLL_MS  50
#define TEXT_MAX ((size_t)16 << 20)

struct barrier {
    struct processor *p;
    const struct piece *piece;
    const struct stream_progress *before;
    char gtid[BINLOG_GTID_MAX];
    struct ddl ddl;
    bool *kept; /* of the names: the feed takes it */
    size_t n_kept;
    const char *sql;
    bool repeats;
};

/* ---- what of it is ours ---- */

static bool
is_of_schema(enum ddl_kind kind)
{
    return kind == DDL_CREATE_SCHEMA || kind == DDL_ALTER_SCHEMA ||
           kind == DDL_DROP_SCHEMA;
}

/* By the old name. */
static void
sift(struct barrier *b)
{
    for (size_t i = 0; i < b->ddl.n; i++) {
        const struct ddl_name *n = &b->ddl.name[i];

        b->kept[i] = is_of_schema(b->ddl.kind)
                         ? filter_takes_schema(b->p->filter, n->schema)
                         : filter_takes(b->p->filter, n->schema, n->name);
        b->n_kept += b->kept[i];
    }
}

/* A table that comes in by its new name has a history that is missing. */
static enum err
check_renames(struct barrier *b)
{
    for (size_t i = 0; i < b->ddl.n; i++) {
        const struct ddl_name *n = &b->ddl.name[i];

        if (!str_empty(n->to_name) && !b->kept[i] &&
            filter_takes(b->p->filter, n->to_schema, n->to_name)) {
            b->p->fatal = true;
            return processor_fail(
                b->p, ERR_STATE, "CDC:ErrSyncRenameTableFailed",
                "table's old name is not in filter rule, and its new name in "
                "filter rule, old name '%s.%s', new name '%s.%s'",
                n->schema, n->name, n->to_schema, n->to_name);
        }
    }
    return ERR_OK;
}

static void
put_name(struct buf *out, const char *schema, const char *name)
{
    my_put_name(out, schema);
    if (name != NULL) {
        buf_putc(out, '.');
        my_put_name(out, name);
    }
}

/* Of a statement about several tables, of which some are not ours. */
static enum err
part_of(struct barrier *b)
{
    struct buf sql = BUF_INIT(TEXT_MAX);
    const char *between = "";

    b->sql = b->piece->st->st.sql;
    if (b->n_kept == b->ddl.n)
        return ERR_OK;
    buf_puts(&sql, b->ddl.kind == DDL_RENAME       ? "RENAME TABLE "
                   : b->ddl.kind == DDL_DROP_TABLE ? "DROP TABLE IF EXISTS "
                                                   : "DROP VIEW IF EXISTS ");
    for (size_t i = 0; i < b->ddl.n; i++) {
        const struct ddl_name *n = &b->ddl.name[i];

        if (!b->kept[i])
            continue;
        buf_puts(&sql, between);
        put_name(&sql, n->schema, n->name);
        if (b->ddl.kind == DDL_RENAME) {
            buf_puts(&sql, " TO ");
            put_name(&sql, n->to_schema, n->to_name);
        }
        between = ", ";
    }
    return buf_settle(&sql, b->p->step, &b->sql);
}

/* ---- what was done ---- */

static enum err
is_done(struct barrier *b, bool *done)
{
    struct binlog_gtids *s = binlog_gtids_new();
    struct ddl_row row;
    enum err e = rows_ddl(b->p->db, b->p->step, b->p->feed, &row);

    *done = false;
    b->repeats = false;
    if (e == ERR_OK && s != NULL &&
        binlog_gtids_parse(s, row.done_gtid) == ERR_OK) {
        *done = binlog_gtids_have(s, &b->piece->gtid);
        b->repeats = strcmp(row.gtid, b->gtid) == 0 &&
                     strcmp(row.state, "executing") == 0;
    }
    binlog_gtids_free(s);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The tables that there are now. A new one begins before the statement: so it
 * has what the same transaction writes into it. */
static enum err
change_tables(struct barrier *b, const char *position)
{
    struct processor *p = b->p;
    enum err e = ERR_OK;

    for (size_t i = 0; i < b->ddl.n && e == ERR_OK; i++) {
        const struct ddl_name *n = &b->ddl.name[i];
        bool yes = false;

        if (!b->kept[i])
            continue;
        switch (b->ddl.kind) {
        case DDL_DROP_SCHEMA:
            e = rows_schema_drop(p->db, p->feed, n->schema);
            break;
        case DDL_DROP_TABLE:
            e = rows_table_drop(p->db, p->feed, n->schema, n->name);
            break;
        case DDL_RENAME:
        case DDL_ALTER_TABLE:
            if (str_empty(n->to_name))
                break;
            e = filter_takes(p->filter, n->to_schema, n->to_name)
                    ? rows_table_rename(p->db, p->feed, n->schema, n->name,
                                        n->to_schema, n->to_name, b->gtid)
                    : rows_table_drop(p->db, p->feed, n->schema, n->name);
            break;
        case DDL_CREATE_TABLE:
        case DDL_TRUNCATE:
            if (b->ddl.kind == DDL_TRUNCATE)
                e = rows_table_drop(p->db, p->feed, n->schema, n->name);
            if (e == ERR_OK)
                e = processor_is_eligible(p, n->schema, n->name, &yes);
            if (e == ERR_OK && yes)
                e = rows_table_add(p->db, p->feed, n->schema, n->name, b->gtid,
                                   position, b->before->checkpoint);
            break;
        default:
            break;
        }
    }
    return e;
}

static bool
changes_names(const struct barrier *b)
{
    return b->ddl.kind == DDL_DROP_SCHEMA || b->ddl.kind == DDL_DROP_TABLE ||
           b->ddl.kind == DDL_RENAME || b->ddl.kind == DDL_CREATE_TABLE ||
           b->ddl.kind == DDL_TRUNCATE ||
           (b->ddl.kind == DDL_ALTER_TABLE &&
            !str_empty(b->ddl.name[0].to_name));
}

/* ---- who has the span ---- */

static enum err
note(struct barrier *b, const char *state)
{
    struct processor *p = b->p;
    const struct binlog_statement *st = &b->piece->st->st;
    enum err e = rows_feed_begin(p->db, p->feed, p->epoch);

    if (e == ERR_OK && state == NULL)
        e = rows_ddl_wait(p->db, p->feed, b->gtid, b->piece->ts, st->schema,
                          st->sql, st->n);
    else if (e == ERR_OK)
        e = rows_ddl_state(p->db, p->feed, state);
    return db_end(p->db, e);
}

static enum err
wait_for_all(struct barrier *b)
{
    struct processor *p = b->p;
    int64_t missing;
    enum err e;

    for (;;) {
        e = rows_ddl_missing(p->db, p->feed, p->capture_id, b->gtid, &missing);
        if (e != ERR_OK || missing == 0)
            return e;
        if (!stream_sleep(p->stream, POLL_MS))
            return ERR_STATE;
    }
}

static enum err
execute(struct barrier *b)
{
    const struct sink_ddl d = { .st = &b->piece->st->st,
                                .sql = b->sql,
                                .commit_ts = b->piece->ts,
                                .is_schema = is_of_schema(b->ddl.kind),
                                .repeats = b->repeats };

    if (!capture_may_write(b->p->c))
        return ERR_STATE;
    log_info("ticdc.ddl feed=%" PRIu64 " gtid=%s repeats=%d", b->p->feed,
             b->gtid, b->repeats);
    return b->p->outlet->ops->ddl(b->p->outlet, &d);
}

static enum err
finish(struct barrier *b)
{
    struct processor *p = b->p;
    struct binlog_gtids *s = binlog_gtids_new();
    const char *position = processor_position(p, b->before->position);
    const char *done = NULL;
    enum err e = s != NULL && position != NULL
                     ? binlog_gtids_copy(s, b->before->position)
                     : ERR_NOMEM;

    if (e == ERR_OK)
        e = binlog_gtids_add(s, &b->piece->gtid);
    if (e == ERR_OK && (done = processor_position(p, s)) == NULL)
        e = ERR_NOMEM;
    binlog_gtids_free(s);
    if (e != ERR_OK)
        return e;
    e = rows_feed_begin(p->db, p->feed, p->epoch);
    if (e == ERR_OK)
        e = change_tables(b, position);
    if (e == ERR_OK)
        e = rows_ddl_done(p->db, p->feed, done);
    return db_end(p->db, e);
}

static enum err
lead(struct barrier *b)
{
    enum err e = b->repeats ? ERR_OK : note(b, NULL);

    if (e == ERR_OK)
        e = wait_for_all(b);
    if (e == ERR_OK)
        e = note(b, "executing");
    if (e == ERR_OK)
        e = execute(b);
    return e == ERR_OK ? finish(b) : e;
}

/* ---- everybody else ---- */

static enum err
follow(struct barrier *b)
{
    struct processor *p = b->p;
    bool done = false;
    enum err e = rows_work_barrier(p->db, p->feed, p->capture_id, b->gtid);

    while (e == ERR_OK && !done) {
        if (!stream_sleep(p->stream, POLL_MS))
            return ERR_STATE;
        e = is_done(b, &done);
    }
    return e;
}

/* ---- */

/* Behind the statement names may mean other tables: nobody may ever begin in
 * front of it again but with it. */
static enum err
store_position(struct barrier *b)
{
    struct processor *p = b->p;
    const struct work_row w = processor_work(p, b->before);
    enum err e = processor_note_xa(p, p->stream);

    if (e != ERR_OK)
        return e;
    return w.gtid != NULL ? rows_work_advance(p->db, &w) : ERR_NOMEM;
}

static enum err
pass(struct barrier *b)
{
    bool done = false;
    enum err e = check_renames(b);

    if (e == ERR_OK && b->n_kept > 0)
        e = part_of(b);
    if (e == ERR_OK)
        e = is_done(b, &done);
    if (e != ERR_OK || done || b->n_kept == 0)
        return e;
    e = store_position(b);
    if (e == ERR_OK)
        e = b->p->has_span ? lead(b) : follow(b);
    if (e == ERR_OK && changes_names(b))
        b->p->restart = true;
    return e;
}

enum err
processor_ddl(void *ctx, const struct piece *piece,
              const struct stream_progress *before)
{
    struct processor *p = ctx;
    const struct binlog_statement *st = &piece->st->st;
    struct barrier b = { .p = p, .piece = piece, .before = before };
    enum err e;

    p->code[0] = '\0';
    binlog_gtid_text(&piece->gtid, b.gtid);
    b.ddl.name = calloc(DDL_NAMES_MAX, sizeof(*b.ddl.name));
    b.kept = calloc(DDL_NAMES_MAX, sizeof(*b.kept));
    e = b.ddl.name != NULL && b.kept != NULL
            ? ddl_read(st->sql, st->n, st->schema, st->sql_mode, &b.ddl)
            : ERR_NOMEM;
    if (e == ERR_BAD_PARAM || e == ERR_LIMIT)
        e = processor_fail(p, e, "CDC:ErrExecDDLFailed",
                           "a statement that cannot be understood: %.1000s",
                           st->sql);
    if (e == ERR_OK) {
        sift(&b);
        e = pass(&b);
    }
    if (e == ERR_OK && p->restart)
        stream_end(p->stream);
    free(b.ddl.name);
    free(b.kept);
    arena_reset(p->step);
    return e;
}
