/* metagate post: the clients http_post_para and http_post_file of a
 * node manager, as one command. What they put on the wire is kept: HTTP/1.0,
 * the Content-Type of a form around raw JSON, a multipart body of exactly two
 * parts behind a fixed boundary. So is what they insist on in a reply. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "base/commands.h"
#include "buf.h"
#include "config.h"
#include "egress.h"
#include "http.h"
#include "file.h"
#include "number.h"
#include "place.h"
#include "scope.h"

#define BODY_MAX  ((size_t)64 << 20)
#define REPLY_MAX ((size_t)16 << 20)
#define TOKEN_MAX 4096
#define BOUNDARY  "----WebKitFormBoundaryZjrentBBjYWJ7gXp"

struct post {
    struct arena *arena;
    const char *url, *json, *file, *token_file;
    char token_header[TOKEN_MAX + 32];
    struct buf body, reply;
    int64_t timeout_s;
};

static const char help[] =
    "usage: metagate post [--token-file FILE] [--timeout S] URL JSON [FILE]\n"
    "\n"
    "Posts JSON, and a file beside it, as http_post_para and http_post_file\n"
    "do, and prints the reply. JSON may be @NAME, the content of a file, or "
    "-,\n"
    "standard input: what holds passwords belongs on no command line.\n"
    "\n"
    "The token is sent as X-Metagate-Token: the one in FILE, else, to an "
    "address\n"
    "of this host alone, the first token of RUN_DIR.\n"
    "\n"
    "    metagate post http://127.0.0.1:5000/ '{\"ver\":\"0.1\"}'\n"
    "\n"
    "Exit status: 0 after a reply of status 200, 1 when there is none or it "
    "is\n"
    "another, 2 for words that are off.\n";

static int
off(const char *text)
{
    (void)fprintf(stderr, "metagate post: %s: see metagate post --help\n",
                  text);
    return 2;
}

static int
bad(const char *what, const char *why)
{
    (void)fprintf(stderr, "metagate post: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

/* ---- what is sent ---- */

static enum err
read_stream(struct post *p, FILE *f, char **out)
{
    struct buf b = BUF_INIT(BODY_MAX);
    char piece[65536];
    size_t n;
    enum err e;

    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_put(&b, piece, n);
    e = ferror(f) ? ERR_STATE : buf_err(&b);
    *out = e == ERR_OK ? arena_strndup(p->arena, buf_text(&b), b.n) : NULL;
    buf_free(&b);
    return e == ERR_OK && *out == NULL ? ERR_NOMEM : e;
}

/* The JSON itself. */
static enum err
take_json(struct post *p)
{
    char *text = NULL;
    size_t n;
    enum err e;

    if (strcmp(p->json, "-") == 0)
        e = read_stream(p, stdin, &text);
    else if (p->json[0] == '@')
        e = file_read(p->arena, p->json + 1, BODY_MAX, &text, &n);
    else
        return ERR_OK;
    p->json = text;
    return e;
}

/* One name that has no folder, quote or control character in it. */
static const char *
base_name(const char *path)
{
    const char *last = strrchr(path, '/');

    return last != NULL ? last + 1 : path;
}

static enum err
put_file(struct post *p)
{
    char *bytes;
    size_t n;
    enum err e = file_read(p->arena, p->file, BODY_MAX, &bytes, &n);

    if (e != ERR_OK)
        return e;
    buf_printf(&p->body,
               "--" BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"parameters\"\r\n"
               "\r\n%s\r\n"
               "--" BOUNDARY "\r\n"
               "Content-Disposition: form-data; name=\"filename\"; "
               "filename=\"%s\"\r\n"
               "Content-Type: application/octet-stream\r\n"
               "\r\n",
               p->json, base_name(p->file));
    buf_put(&p->body, bytes, n);
    buf_puts(&p->body, "\r\n--" BOUNDARY "--\r\n");
    return buf_err(&p->body);
}

/* ---- the token ---- */

/* Whether the url's host is this host by its address, 127/8 or ::1: the admin
 * token of a deployment goes nowhere else by itself. A url without a scheme is
 * one of http to libcurl. */
static bool
is_loopback(struct arena *a, const char *url)
{
    static const unsigned char v6[16] = { [15] = 1 };
    struct egress_target to;
    unsigned char at[16];
    char why[WHY_BYTES];

    if (strstr(url, "://") == NULL)
        url = arena_printf(a, "http://%s", url);
    return url != NULL &&
           egress_parse(url, "http,https", 80, &to, why) == ERR_OK &&
           address_bytes(to.host, at) &&
           (memcmp(at, v6, sizeof(v6)) == 0 ||
            (memcmp(at, address_v4, sizeof(address_v4)) == 0 && at[12] == 127));
}

static enum err
take_token(struct post *p)
{
    char path[PLACE_BYTES];
    const char *name = p->token_file;
    char *text;
    size_t n;
    enum err e;

    if (name == NULL && !is_loopback(p->arena, p->url))
        return ERR_OK;
    if (name == NULL && place_path(path, sizeof(path), "token") != ERR_OK)
        return ERR_OK;
    e = file_read_line(p->arena, name != NULL ? name : path, TOKEN_MAX, &text,
                       &n);
    if (e != ERR_OK)
        return name != NULL ? e : ERR_OK; /* none is here: sent without */
    (void)snprintf(p->token_header, sizeof(p->token_header),
                   TOKEN_HEADER ": %s", text);
    return ERR_OK;
}

/* ---- the call ---- */

static bool
take_reply(void *ctx, const char *bytes, size_t n)
{
    struct post *p = ctx;

    buf_put(&p->reply, bytes, n);
    return buf_err(&p->reply) == ERR_OK;
}

static int
perform(struct post *p)
{
    struct http_call c = {
        .method = "POST",
        .url = p->url,
        .bytes = { p->body.p, p->body.n },
        .write = take_reply,
        .write_ctx = p,
        .every_status = true,
        .http_1_0 = true,
        .chosen_here = true,
        .stall_s = p->timeout_s,
    };
    size_t n = 0;
    enum err e;

    c.header[n++] = p->file != NULL
                        ? "Content-Type: multipart/form-data; "
                          "boundary=" BOUNDARY
                        : "Content-Type:application/x-www-form-urlencoded";
    if (!str_empty(p->token_header))
        c.header[n++] = p->token_header;
    e = http_call(&c);
    if (e != ERR_OK)
        return bad("no reply", c.why);
    (void)fwrite(buf_text(&p->reply), 1, p->reply.n, stdout);
    if (p->reply.n > 0 && p->reply.p[p->reply.n - 1] != '\n')
        (void)putchar('\n');
    if (c.status == 200)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "metagate post: status %d%s\n", c.status,
                  c.status == 401 && str_empty(p->token_header)
                      ? ": no token was sent, --token-file names one"
                      : "");
    return EXIT_FAILURE;
}

static int
run(struct post *p)
{
    enum err e = take_json(p);

    if (e != ERR_OK)
        return bad("JSON cannot be read",
                   e == ERR_LIMIT ? "too long" : strerror(errno));
    e = take_token(p);
    if (e != ERR_OK)
        return bad(p->token_file, "cannot be read");
    if (p->file != NULL) {
        if (strpbrk(base_name(p->file), "\"\\\r\n") != NULL)
            return bad(p->file, "a name that cannot be sent");
        e = put_file(p);
        if (e != ERR_OK)
            return bad(p->file,
                       e == ERR_LIMIT ? "too large" : "cannot be read");
    } else {
        buf_puts(&p->body, p->json);
    }
    return perform(p);
}

int
post_main(int argc, char **argv)
{
    static const struct option options[] = {
        { "token-file", required_argument, NULL, 't' },
        { "timeout", required_argument, NULL, 'w' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct post p = { .body = BUF_INIT(2 * BODY_MAX),
                      .reply = BUF_INIT(REPLY_MAX),
                      .timeout_s = 30 };
    int o, status;

    optind = 1;
    opterr = 0;
    while ((o = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (o == 'h') {
            (void)fputs(help, stdout);
            return EXIT_SUCCESS;
        }
        if (o == 't') {
            p.token_file = optarg;
        } else if (o == 'w') {
            if (!number_read(optarg, 3600, &p.timeout_s) || p.timeout_s < 1)
                return off("--timeout takes 1 to 3600 seconds");
        } else {
            return off("an option that is none");
        }
    }
    if (argc - optind < 2 || argc - optind > 3)
        return off("URL and JSON are needed");
    p.url = argv[optind];
    p.json = argv[optind + 1];
    p.file = argv[optind + 2];
    p.arena = arena_new(4 * BODY_MAX);
    if (p.arena == NULL)
        return bad("memory", "there is none");
    status = run(&p);
    explicit_bzero(p.token_header, sizeof(p.token_header));
    buf_free(&p.body);
    buf_free(&p.reply);
    arena_free(p.arena);
    return status;
}
