/* The store's client on a pipe, for tests that do something to the server
 * meanwhile: a line is a call, its answer one line:
 *
 *     <err> errno=<n> rerun=<0|1> value=<text>
 *
 * usage: db_shell HOSTS USER DATABASE READ_TIMEOUT_S LOCK_WAIT_S BATCH */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "store/audit.h"
#include "clock.h"
#include "db.h"
#include "schema/migrate.h"

#define LINE_BYTES 65536
#define TEXTS_MAX  256

static struct db *db;
static struct arena *a;
static char request_id[65];
static const char *value = "";

/* Statements are known by address: the same text is the same constant. */
static const char *
constant(const char *text)
{
    static char *texts[TEXTS_MAX];
    size_t i = 0;

    while (i < TEXTS_MAX && texts[i] != NULL && strcmp(texts[i], text) != 0)
        i++;
    if (i == TEXTS_MAX)
        exit(EXIT_FAILURE);
    if (texts[i] == NULL)
        texts[i] = strdup(text);
    return texts[i];
}

static enum err
do_deadline(const char *ms)
{
    int64_t n = strtoll(ms, NULL, 10);

    db_deadline(db, n == 0 ? 0 : clock_mono_ms() + n);
    return ERR_OK;
}

static enum err
do_begin(const char *request)
{
    (void)snprintf(request_id, sizeof(request_id), "%s", request);
    db_request_id(db, request_id);
    return db_begin(db);
}

static enum err
do_audit(const char *target)
{
    const struct audit row = {
        .request_id = request_id,
        .token_name = "t",
        .listener = "unit",
        .operation = "op",
        .target = target,
    };

    return audit_write(db, &row);
}

static enum err
do_end(const char *unused)
{
    (void)unused;
    return db_end(db, ERR_OK);
}

static enum err
do_exec(const char *sql)
{
    return db_exec(db, constant(sql), DB_NO_ARGS);
}

static enum err
do_later(const char *sql)
{
    return db_later(db, constant(sql), DB_NO_ARGS);
}

static enum err
do_text(const char *sql)
{
    return db_one_str(db, a, constant(sql), DB_NO_ARGS, &value);
}

static enum err
do_peer(const char *unused)
{
    (void)unused;
    value = db_peer(db);
    return ERR_OK;
}

static enum err
do_check(const char *deployment_id)
{
    char *why = arena_alloc(a, WHY_BYTES);

    if (why == NULL)
        return ERR_NOMEM;
    value = why;
    return migrate_check(db, deployment_id, why);
}

static const struct {
    const char *name;
    enum err (*run)(const char *rest);
} calls[] = {
    { "deadline", do_deadline }, { "begin", do_begin }, { "audit", do_audit },
    { "end", do_end },           { "exec", do_exec },   { "text", do_text },
    { "peer", do_peer },         { "check", do_check }, { "later", do_later },
};

static void
answer(char *line)
{
    char *rest = line + strcspn(line, " ");
    enum err e = ERR_BAD_PARAM;

    if (*rest == ' ')
        *rest++ = '\0';
    value = "";
    for (size_t i = 0; i < COUNT(calls); i++)
        if (strcmp(calls[i].name, line) == 0)
            e = calls[i].run(rest);
    (void)printf("%s errno=%u rerun=%d value=%s\n", err_name(e), db_errno(db),
                 db_may_rerun(db), value);
    (void)fflush(stdout);
    arena_reset(a);
}

int
main(int argc, char **argv)
{
    static char line[LINE_BYTES];
    struct db_config c = { .password = "", .connect_timeout_s = 1 };

    if (argc != 7)
        return 2;
    c.hosts = argv[1];
    c.user = argv[2];
    c.database = argv[3];
    c.read_timeout_s = (unsigned)atoi(argv[4]);
    c.lock_wait_timeout_s = (unsigned)atoi(argv[5]);
    c.batch = atoi(argv[6]) != 0;
    a = arena_new(1u << 20);
    if (a == NULL || db_init(&c) != ERR_OK)
        return EXIT_FAILURE;
    db = db_open();
    if (db != NULL)
        db_batch(db, c.batch);
    while (db != NULL && fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        answer(line);
    }
    db_close(db);
    db_fini();
    arena_free(a);
    return EXIT_SUCCESS;
}
