/* A source on a pipe: what it delivers, one JSON document a line.
 *
 *     source_shell SERVER USER SERVER_ID POSITION [OPTION...]
 *
 * SERVER as in [mysql] hosts, the password in SOURCE_PASSWORD, POSITION a set
 * of GTIDs or "now". Options: look (ask, and end), quiet (no rows), xa,
 * savepoints, dml (take those), describe (ask the server what columns are
 * called), retry=S, event=BYTES, beat=MS, skip=TABLE.
 * "stop" on standard input stops it; so does its end. */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "hex.h"
#include "json.h"
#include "source.h"

#define LINE_MAX_BYTES (512u << 20)

static const struct json_style style = { 0 };

static struct shell {
    struct source *source;
    struct binlog_decoder *decoder;
    struct buf line;
    struct json_writer w;
    struct my_server server;
    bool quiet;
    const char *skip;
    uint64_t rows, bytes;
} shell;

/* ---- lines ---- */

static void
begin_line(const char *what)
{
    buf_reset(&shell.line);
    jw_init(&shell.w, &shell.line, &style);
    jw_object(&shell.w);
    jw_key_str(&shell.w, "what", what);
}

static void
end_line(void)
{
    jw_object_end(&shell.w);
    if (shell.line.failed) {
        (void)fprintf(stderr, "a line is too long\n");
        exit(1);
    }
    (void)fwrite(shell.line.p, 1, shell.line.n, stdout);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static void
put_hex(const char *p, size_t n)
{
    char *text = malloc(2 * n + 1);

    hex_write(p, n, text);
    jw_strn(&shell.w, text, 2 * n);
    free(text);
}

static void
put_bytes(const struct binlog_column *col, const struct binlog_value *v)
{
    struct buf text = BUF_INIT(LINE_MAX_BYTES);

    if (col->charset == NULL || strcmp(col->charset, "binary") == 0 ||
        binlog_utf8(shell.decoder, col->charset, v->p, v->n, &text) != ERR_OK)
        put_hex(v->p, v->n);
    else
        jw_strn(&shell.w, buf_text(&text), text.n);
    buf_free(&text);
}

static void
put_value(const struct binlog_column *col, const struct binlog_value *v)
{
    char text[64];

    switch (v->form) {
    case BINLOG_NULL:
        jw_null(&shell.w);
        return;
    case BINLOG_I64:
        (void)snprintf(text, sizeof(text), "%" PRId64, v->i);
        break;
    case BINLOG_U64:
        (void)snprintf(text, sizeof(text), "%" PRIu64, v->u);
        break;
    case BINLOG_F32:
        (void)snprintf(text, sizeof(text), "%.9g", v->f);
        break;
    case BINLOG_F64:
        (void)snprintf(text, sizeof(text), "%.17g", v->f);
        break;
    case BINLOG_STAMP:
        text[binlog_stamp_text(v->i, col->scale, false, text)] = '\0';
        break;
    case BINLOG_TEXT:
        jw_strn(&shell.w, v->p, v->n);
        return;
    case BINLOG_BYTES:
        put_bytes(col, v);
        return;
    }
    jw_str(&shell.w, text);
}

static void
put_image(const char *key, const struct binlog_table *t,
          const struct binlog_value *v)
{
    jw_key(&shell.w, key);
    if (v == NULL) {
        jw_null(&shell.w);
        return;
    }
    jw_object(&shell.w);
    for (size_t i = 0; i < t->n; i++) {
        jw_key(&shell.w, t->column[i].name);
        put_value(&t->column[i], &v[i]);
    }
    jw_object_end(&shell.w);
}

static void
put_gtid(const struct source_txn *txn)
{
    char gtid[BINLOG_GTID_MAX];

    binlog_gtid_text(&txn->gtid, gtid);
    jw_key_str(&shell.w, "gtid", gtid);
}

static void
put_xid(const struct binlog_xid *xid)
{
    jw_key(&shell.w, "xid");
    put_hex((const char *)xid->data, xid->gtrid_bytes + xid->bqual_bytes);
    jw_key(&shell.w, "format");
    jw_u64(&shell.w, xid->format);
}

/* ---- the taker ---- */

static bool
wants(void *ctx, const char *schema, const char *table)
{
    (void)ctx;
    (void)schema;
    return shell.skip == NULL || strcmp(shell.skip, table) != 0;
}

static enum err
begin(void *ctx, const struct source_txn *txn)
{
    (void)ctx;
    begin_line("begin");
    put_gtid(txn);
    jw_key(&shell.w, "at_us");
    jw_i64(&shell.w, txn->at_us);
    end_line();
    return ERR_OK;
}

static void
put_columns(const struct binlog_table *t)
{
    jw_key(&shell.w, "types");
    jw_array(&shell.w);
    for (size_t i = 0; i < t->n; i++)
        jw_str(&shell.w, binlog_type_word(t->column[i].type));
    jw_array_end(&shell.w);
    jw_key(&shell.w, "key");
    jw_array(&shell.w);
    for (size_t i = 0; i < t->n_key; i++)
        jw_str(&shell.w, t->column[t->key[i].column].name);
    jw_array_end(&shell.w);
}

static enum err
rows(void *ctx, const struct binlog_rows *r)
{
    static const char *const kinds[] = { "insert", "update", "delete" };
    struct binlog_row row;
    enum err e = binlog_decode(shell.decoder, r);

    (void)ctx;
    shell.bytes += r->n;
    while (e == ERR_OK) {
        e = binlog_decode_next(shell.decoder, &row);
        if (e != ERR_OK)
            break;
        shell.rows++;
        if (shell.quiet)
            continue;
        begin_line("row");
        jw_key_str(&shell.w, "schema", r->table->schema);
        jw_key_str(&shell.w, "table", r->table->name);
        jw_key_str(&shell.w, "kind", kinds[r->kind]);
        put_image("before", r->table, row.before);
        put_image("after", r->table, row.after);
        put_columns(r->table);
        end_line();
    }
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    (void)fprintf(stderr, "%s\n", binlog_decoder_failure(shell.decoder)->why);
    return e;
}

static enum err
say_statement(const char *what, const struct binlog_statement *st)
{
    begin_line(what);
    jw_key_str(&shell.w, "schema", st->schema);
    jw_key(&shell.w, "sql");
    jw_strn(&shell.w, st->sql, st->n);
    jw_key(&shell.w, "error");
    jw_u64(&shell.w, st->error);
    jw_key(&shell.w, "client");
    jw_u64(&shell.w, st->client);
    jw_key_str(&shell.w, "time_zone",
               st->time_zone != NULL ? st->time_zone : "");
    jw_key(&shell.w, "no_foreign_keys");
    jw_bool(&shell.w, st->no_foreign_keys);
    jw_key(&shell.w, "at_us");
    jw_u64(&shell.w, (uint64_t)st->at_s * 1000000 + st->at_us);
    end_line();
    return ERR_OK;
}

static enum err
statement(void *ctx, const struct binlog_statement *st)
{
    (void)ctx;
    return say_statement("statement", st);
}

static enum err
dml(void *ctx, const struct binlog_statement *st)
{
    (void)ctx;
    return say_statement("dml", st);
}

static long
rss_kib(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

static enum err
commit(void *ctx, const struct source_txn *txn)
{
    (void)ctx;
    begin_line("commit");
    put_gtid(txn);
    jw_key_str(&shell.w, "file", txn->file);
    jw_key(&shell.w, "pos");
    jw_u64(&shell.w, txn->pos);
    jw_key(&shell.w, "end_pos");
    jw_u64(&shell.w, txn->end_pos);
    jw_key(&shell.w, "prepared");
    jw_bool(&shell.w, txn->is_prepared);
    if (txn->is_prepared)
        put_xid(&txn->xid);
    jw_key(&shell.w, "rows");
    jw_u64(&shell.w, shell.rows);
    jw_key(&shell.w, "rss_kib");
    jw_i64(&shell.w, rss_kib());
    shell.rows = 0;
    end_line();
    return ERR_OK;
}

static void
drop(void *ctx)
{
    (void)ctx;
    shell.rows = 0;
    begin_line("drop");
    end_line();
}

static enum err
say_position(const char *what)
{
    struct buf text = BUF_INIT(1u << 20);
    uint64_t pos;

    begin_line(what);
    binlog_gtids_print(source_position(shell.source), &text);
    jw_key_str(&shell.w, "position", buf_text(&text));
    jw_key_str(&shell.w, "file", source_file(shell.source, &pos));
    jw_key(&shell.w, "pos");
    jw_u64(&shell.w, pos);
    end_line();
    buf_free(&text);
    return ERR_OK;
}

static enum err
idle(void *ctx)
{
    (void)ctx;
    return say_position("idle");
}

static void
put_failure(const struct binlog_failure *f)
{
    jw_key_str(&shell.w, "fault", binlog_fault_name(f->fault));
    jw_key_str(&shell.w, "err", err_name(f->err));
    jw_key_str(&shell.w, "why", f->why);
}

static void
state(void *ctx, enum source_state s, const struct binlog_failure *why,
      int64_t wait_ms)
{
    static const char *const names[] = { "connecting", "streaming", "waiting" };

    (void)ctx;
    begin_line(names[s]);
    if (why != NULL) {
        put_failure(why);
        jw_key(&shell.w, "wait_ms");
        jw_i64(&shell.w, wait_ms);
    }
    end_line();
}

static enum err
say_name(const char *what, const char *name, size_t n)
{
    begin_line(what);
    jw_key(&shell.w, "name");
    jw_strn(&shell.w, name, n);
    end_line();
    return ERR_OK;
}

static enum err
savepoint(void *ctx, const char *name, size_t n)
{
    (void)ctx;
    return say_name("savepoint", name, n);
}

static enum err
rollback_to(void *ctx, const char *name, size_t n)
{
    (void)ctx;
    return say_name("rollback_to", name, n);
}

static enum err
xa(void *ctx, const struct binlog_xid *xid, bool is_commit)
{
    (void)ctx;
    begin_line(is_commit ? "xa_commit" : "xa_rollback");
    put_xid(xid);
    end_line();
    return ERR_OK;
}

static enum err
describe_by(struct my *my, struct arena *a, struct binlog_table *t)
{
    struct binlog_description v[4096] = { 0 };
    const char *sql =
        arena_printf(a,
                     "SELECT COLUMN_NAME, COLUMN_TYPE LIKE '%%unsigned%%',"
                     " COLUMN_KEY = 'PRI', CHARACTER_SET_NAME,"
                     " DATA_TYPE IN ('binary', 'varbinary', 'tinyblob', 'blob',"
                     " 'mediumblob', 'longblob', 'geometry', 'point')"
                     " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s"
                     " AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
                     my_quote(my, a, t->schema), my_quote(my, a, t->name));
    struct my_table rows;
    enum err e = my_query(my, a, sql, 4096, &rows);

    for (size_t i = 0; e == ERR_OK && i < rows.n; i++) {
        const struct span *c = &rows.cell[i * rows.n_columns];

        v[i].name = c[0].p;
        v[i].is_unsigned = c[1].p[0] == '1';
        v[i].is_key = c[2].p[0] == '1';
        v[i].charset = c[4].p[0] == '1' ? "binary" : c[3].p;
        v[i].collation = c[4].p[0] == '1' ? BINLOG_BINARY : 0;
    }
    return e == ERR_OK ? binlog_table_describe(t, v, rows.n) : e;
}

static enum err
describe(void *ctx, struct binlog_table *t)
{
    struct arena *a = arena_new(4u << 20);
    struct my *my = my_open();
    enum err e = my_connect(my, &shell.server, 0);

    (void)ctx;
    if (e == ERR_OK)
        e = describe_by(my, a, t);
    my_close(my);
    arena_free(a);
    return e;
}

/* ---- the program ---- */

static void *
listen_for_stop(void *arg)
{
    char line[64];

    (void)arg;
    while (fgets(line, sizeof(line), stdin) != NULL)
        if (strcmp(line, "stop\n") == 0)
            break;
    source_stop(shell.source);
    return NULL;
}

static bool
option_number(const char *arg, const char *name, unsigned long long *out)
{
    size_t n = strlen(name);

    if (strncmp(arg, name, n) != 0 || arg[n] != '=')
        return false;
    *out = strtoull(arg + n + 1, NULL, 10);
    return true;
}

static void
say_upstream(const struct source_upstream *u)
{
    begin_line("upstream");
    jw_key_str(&shell.w, "version", u->version_text);
    jw_key_str(&shell.w, "now", u->now);
    jw_key_str(&shell.w, "first", u->first);
    jw_key(&shell.w, "server_id");
    jw_u64(&shell.w, u->server_id);
    end_line();
}

static void NORETURN
end_with(int status)
{
    (void)fflush(stdout);
    _Exit(status); /* the ear may still listen */
}

static int
say_end(enum err e, const struct binlog_failure *f)
{
    begin_line("end");
    jw_key_str(&shell.w, "result", err_name(e));
    if (e != ERR_OK)
        put_failure(f);
    end_line();
    return e == ERR_OK ? 0 : 1;
}

static int
run(const struct source_config *c, const char *position,
    const struct source_taker *taker)
{
    pthread_t ear;
    enum err e;
    int status;

    shell.source = source_open(c, position, taker, NULL);
    if (shell.source == NULL) {
        (void)fprintf(stderr, "no position: %s\n", position);
        return 2;
    }
    if (pthread_create(&ear, NULL, listen_for_stop, NULL) != 0)
        return 2;
    e = source_run(shell.source);
    (void)say_position("position");
    status = say_end(e, source_failure(shell.source));
    source_close(shell.source);
    end_with(status);
}

int
main(int argc, char **argv)
{
    static struct source_config c = { .event_max = 64u << 20 };
    static struct source_taker taker = {
        .wants = wants,
        .begin = begin,
        .rows = rows,
        .statement = statement,
        .commit = commit,
        .drop = drop,
        .idle = idle,
        .state = state,
    };
    struct arena *a = arena_new(64u << 20);
    static struct binlog_failure why;
    struct source_upstream u;
    bool look = false;
    unsigned long long n;

    if (argc < 5 || a == NULL || my_library_begin() != ERR_OK ||
        my_address_parse(argv[1], strlen(argv[1]), &c.server.at) != ERR_OK) {
        (void)fprintf(stderr, "usage: see the head of source_shell.c\n");
        return 2;
    }
    c.server.user = argv[2];
    c.server.password = getenv("SOURCE_PASSWORD");
    c.server.connect_timeout_s = 2;
    c.server_id = (uint32_t)strtoul(argv[3], NULL, 10);
    for (int i = 5; i < argc; i++) {
        if (strcmp(argv[i], "look") == 0)
            look = true;
        else if (strcmp(argv[i], "quiet") == 0)
            shell.quiet = true;
        else if (strcmp(argv[i], "xa") == 0)
            taker.xa = xa;
        else if (strcmp(argv[i], "describe") == 0)
            taker.describe = describe, c.describes = true;
        else if (strcmp(argv[i], "dml") == 0)
            taker.dml = dml;
        else if (strcmp(argv[i], "savepoints") == 0)
            taker.savepoint = savepoint, taker.rollback_to = rollback_to;
        else if (option_number(argv[i], "retry", &n))
            c.retry_s = (unsigned)n;
        else if (option_number(argv[i], "event", &n))
            c.event_max = n;
        else if (option_number(argv[i], "beat", &n))
            c.heartbeat_ms = (unsigned)n;
        else if (strncmp(argv[i], "skip=", 5) == 0)
            shell.skip = argv[i] + 5;
        else
            return 2;
    }
    shell.server = c.server;
    shell.line = (struct buf)BUF_INIT(LINE_MAX_BYTES);
    shell.decoder = binlog_decoder_new(LINE_MAX_BYTES);
    if (look || strcmp(argv[4], "now") == 0) {
        enum err e = source_look(
            &c, strcmp(argv[4], "now") == 0 ? NULL : argv[4], a, &u, &why);

        if (e != ERR_OK)
            end_with(say_end(e, &why));
        say_upstream(&u);
        if (look)
            end_with(say_end(ERR_OK, &why));
    }
    return run(&c, strcmp(argv[4], "now") == 0 ? u.now : argv[4], &taker);
}
