/* Rows of a server as messages of every protocol, for decoders that are not
 * ours.
 *
 *     encode_shell SERVER USER SERVER_ID POSITION UNTIL SCHEMA [PROTOCOL]
 *
 * A line each: "schema ID SUBJECT JSON" when one is registered, "PROTOCOL KEY
 * VALUE" of a message, in hex, "-" for what is not there. Each event is a
 * message. Ends with the transaction UNTIL. Times are in UTC. With a PROTOCOL
 * its messages alone are made and thrown away, and the one line is how many
 * there were and their bytes: what decoding and encoding costs. A password is
 * taken from MYSQL_PWD. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hex.h"
#include "source.h"
#include "ticdc/mq/describe.h"

#define BYTES_MAX ((size_t)64 << 20)

static const char *const names[ENCODE_PROTOCOL__MAX] = {
    [ENCODE_CANAL_JSON] = "canal-json", [ENCODE_OPEN] = "open-protocol",
    [ENCODE_CANAL] = "canal",           [ENCODE_AVRO] = "avro",
    [ENCODE_MAXWELL] = "maxwell",
};

static struct {
    struct source *source;
    struct binlog_decoder *decoder;
    struct encode_values *values;
    struct encoder *encoder[ENCODE_PROTOCOL__MAX];
    struct describer *describer;
    struct binlog_table *def;
    struct encode_table *table;
    const char *schema, *until;
    uint32_t schemas;
    unsigned first, end; /* protocols */
    bool is_counting;
    uint64_t messages, bytes;
} shell;

static void
need(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "encode_shell: %s\n", what);
        exit(1);
    }
}

static enum err
registers(void *ctx, const char *subject, struct span schema, uint32_t *id)
{
    (void)ctx;
    *id = ++shell.schemas;
    (void)printf("schema %" PRIu32 " %s %.*s\n", *id, subject, (int)schema.n,
                 schema.p);
    return ERR_OK;
}

static void
put_hex(struct span s, bool is_there)
{
    char *text = malloc(s.n * 2 + 1);

    need(text != NULL, "no memory");
    hex_write(s.p, s.n, text);
    (void)printf(" %s", is_there ? text : "-");
    free(text);
}

static void
put_line(unsigned protocol, const struct encode_piece *p)
{
    (void)fputs(names[protocol], stdout);
    put_hex(p->key, p->key.n > 0);
    put_hex(p->value, !p->no_value);
    (void)putchar('\n');
}

static void
put_message(unsigned protocol, const struct encode_event *ev)
{
    struct encoder *e = shell.encoder[protocol];
    struct encode_batch b;
    struct encode_piece p;

    encode_batch_init(&b);
    need(encoder_row(e, ev, "topic", &p) == ERR_OK, "a row is not encoded");
    need(encode_batch_add(e, &b, &p) == ERR_OK, "no memory");
    p = encode_batch_message(e, &b);
    shell.messages++;
    shell.bytes += p.key.n + p.value.n;
    if (!shell.is_counting) {
        put_line(protocol, &p);
    }
    encode_batch_free(&b);
}

static void
use_table(struct binlog_table *def)
{
    const struct encode_schema *s;

    if (shell.table != NULL && shell.table->def == def)
        return;
    encode_table_free(shell.table);
    s = describe(shell.describer, def->schema, def->name);
    need(s != NULL, "no description");
    need(encode_table_new(def, s, NULL, 1, &shell.table) == ERR_OK, "no table");
    need(shell.table->is_described, "the description does not fit");
}

static bool
wants(void *ctx, const char *schema, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(schema, shell.schema) == 0;
}

static enum err
take_begin(void *ctx, const struct source_txn *txn)
{
    (void)ctx;
    (void)txn;
    return ERR_OK;
}

static enum err
take_rows(void *ctx, const struct binlog_rows *r)
{
    struct binlog_row row;
    enum err e = binlog_decode(shell.decoder, r);

    (void)ctx;
    use_table(r->table);
    while (e == ERR_OK) {
        struct encode_event ev;

        e = binlog_decode_next(shell.decoder, &row);
        if (e != ERR_OK)
            break;
        need(encode_values_of(shell.values, shell.table, r->kind, &row,
                              UINT64_C(415508878783938562), &ev) == ERR_OK,
             "a row is not converted");
        for (unsigned i = shell.first; i < shell.end; i++)
            put_message(i, &ev);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
take_statement(void *ctx, const struct binlog_statement *st)
{
    (void)ctx;
    (void)st;
    return ERR_OK;
}

static enum err
take_commit(void *ctx, const struct source_txn *txn)
{
    char gtid[BINLOG_GTID_MAX];

    (void)ctx;
    binlog_gtid_text(&txn->gtid, gtid);
    if (strcmp(gtid, shell.until) == 0)
        source_stop(shell.source);
    return ERR_OK;
}

static void
take_drop(void *ctx)
{
    (void)ctx;
}

static const struct source_taker taker = {
    .wants = wants,
    .begin = take_begin,
    .rows = take_rows,
    .statement = take_statement,
    .commit = take_commit,
    .drop = take_drop,
};

static void
choose(const char *protocol)
{
    shell.end = ENCODE_PROTOCOL__MAX;
    if (protocol == NULL)
        return;
    while (shell.first < shell.end && strcmp(names[shell.first], protocol) != 0)
        shell.first++;
    need(shell.first < shell.end, "no such protocol");
    shell.end = shell.first + 1;
    shell.is_counting = true;
}

int
main(int argc, char **argv)
{
    struct source_config c = { .heartbeat_ms = 500,
                               .event_max = BYTES_MAX,
                               .server = { .connect_timeout_s = 10 } };

    need(argc == 7 || argc == 8,
         "SERVER USER SERVER_ID POSITION UNTIL SCHEMA [PROTOCOL]");
    choose(argv[7]);
    need(my_library_begin() == ERR_OK &&
             my_address_parse(argv[1], strlen(argv[1]), &c.server.at) == ERR_OK,
         "no such server");
    c.server.user = argv[2];
    c.server.password = getenv("MYSQL_PWD");
    c.server_id = (uint32_t)strtoul(argv[3], NULL, 10);
    shell.until = argv[5];
    shell.schema = argv[6];
    shell.decoder = binlog_decoder_new(BYTES_MAX);
    shell.values = encode_values_new(NULL);
    shell.describer = describer_new(&c.server);
    need(shell.describer != NULL, "no memory");
    for (unsigned i = shell.first; i < shell.end; i++) {
        const struct encode_config ec = { .protocol = (enum encode_protocol)i,
                                          .message_bytes = BYTES_MAX,
                                          .batch = 1,
                                          .tidb_extension = i != ENCODE_AVRO,
                                          .namespace = "default",
                                          .registers = registers,
                                          .now_ms = clock_unix_tick_ms };

        shell.encoder[i] = encoder_new(&ec);
        need(shell.encoder[i] != NULL, "no memory");
    }
    shell.source = source_open(&c, argv[4], &taker, NULL);
    need(shell.source != NULL, "no source");
    if (source_run(shell.source) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", source_failure(shell.source)->why);
        return 1;
    }
    if (shell.is_counting)
        (void)printf("%" PRIu64 " %" PRIu64 "\n", shell.messages, shell.bytes);
    source_close(shell.source);
    encode_table_free(shell.table);
    for (unsigned i = shell.first; i < shell.end; i++)
        encoder_free(shell.encoder[i]);
    encode_values_free(shell.values);
    binlog_decoder_free(shell.decoder);
    describer_free(shell.describer);
    my_library_end();
    return 0;
}
