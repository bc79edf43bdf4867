/* FastCGI's other side: a request to a worker's socket, its answer back. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <fastcgi.h>

#include "place.h"
#include "scope.h"

#define REQUEST_ID 1
#define SEND_S     2
#define SILENT_S   10
#define RECORD_MAX 65535
#define HEAD_MAX   8192 /* of the answer */
#define PARAMS_MAX ((size_t)1 << 20)

static int
connect_to(unsigned n)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct timeval send = { .tv_sec = SEND_S }, silent = { .tv_sec = SILENT_S };
    char name[32];
    int fd;

    (void)snprintf(name, sizeof(name), "serve-%u.sock", n);
    if (place_socket(at.sun_path, sizeof(at.sun_path), name) != ERR_OK)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof(send)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silent, sizeof(silent)) == 0 &&
        connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* ---- the request ---- */

static void
put_record(struct buf *b, unsigned char type, const char *p, size_t n)
{
    FCGI_Header h = { .version = FCGI_VERSION_1,
                      .type = type,
                      .requestIdB0 = REQUEST_ID,
                      .contentLengthB1 = (unsigned char)(n >> 8),
                      .contentLengthB0 = (unsigned char)n };

    buf_put(b, (const char *)&h, sizeof(h));
    buf_put(b, p, n);
}

static void
put_length(struct buf *b, size_t n)
{
    if (n > 127) {
        buf_putc(b, (char)(n >> 24 | 0x80));
        buf_putc(b, (char)(n >> 16));
        buf_putc(b, (char)(n >> 8));
    }
    buf_putc(b, (char)n);
}

static void
put_pair(struct buf *b, const char *name, size_t name_n, const char *value)
{
    put_length(b, name_n);
    put_length(b, strlen(value));
    buf_put(b, name, name_n);
    buf_puts(b, value);
}

/* What our request says of itself, which the other one has of its own. */
static bool
is_of_the_request(const char *name, size_t n)
{
    static const char *const own[] = { "REQUEST_METHOD", "REQUEST_URI",
                                       "QUERY_STRING",   "CONTENT_LENGTH",
                                       "CONTENT_TYPE",   "FCGI_ROLE" };

    for (size_t i = 0; i < COUNT(own); i++)
        if (strlen(own[i]) == n && memcmp(own[i], name, n) == 0)
            return true;
    return false;
}

static void
put_params(struct buf *b, char *const *params, const char *token,
           const char *target)
{
    const char *query = strchr(target, '?');

    for (; *params != NULL; params++) {
        size_t n = strcspn(*params, "=");

        if ((*params)[n] == '=' && !is_of_the_request(*params, n))
            put_pair(b, *params, n, *params + n + 1);
    }
    /* read before, and never beside, one that stands in a header */
    if (!str_empty(token))
        put_pair(b, TOKEN_PARAM, sizeof(TOKEN_PARAM) - 1, token);
    put_pair(b, "REQUEST_METHOD", 14, "GET");
    put_pair(b, "REQUEST_URI", 11, target);
    put_pair(b, "QUERY_STRING", 12, query != NULL ? query + 1 : "");
    put_pair(b, "CONTENT_LENGTH", 14, "0");
}

static bool
send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t part = send(fd, p, n, MSG_NOSIGNAL);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return false;
        p += part;
        n -= (size_t)part;
    }
    return true;
}

static bool
send_request(int fd, char *const *params, const char *token, const char *target)
{
    static const FCGI_BeginRequestBody begin = { .roleB0 = FCGI_RESPONDER };
    struct buf pairs = BUF_INIT(PARAMS_MAX), b = BUF_INIT(2 * PARAMS_MAX);
    bool sent;

    put_params(&pairs, params, token, target);
    put_record(&b, FCGI_BEGIN_REQUEST, (const char *)&begin, sizeof(begin));
    for (size_t at = 0; at < pairs.n; at += RECORD_MAX)
        put_record(&b, FCGI_PARAMS, pairs.p + at,
                   pairs.n - at < RECORD_MAX ? pairs.n - at : RECORD_MAX);
    put_record(&b, FCGI_PARAMS, "", 0);
    put_record(&b, FCGI_STDIN, "", 0);
    sent = buf_err(&pairs) == ERR_OK && buf_err(&b) == ERR_OK &&
           send_all(fd, b.p, b.n);
    buf_wipe(&pairs); /* MG_SECRET, tokens */
    buf_wipe(&b);
    return sent;
}

int
peer_ask(unsigned n, char *const *params, const char *token, const char *target)
{
    int fd = connect_to(n);

    if (fd >= 0 && !send_request(fd, params, token, target)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- the answer ---- */

static bool
receive(int fd, void *out, size_t n)
{
    char *p = out;

    while (n > 0) {
        ssize_t part = recv(fd, p, n, 0);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return false;
        p += part;
        n -= (size_t)part;
    }
    return true;
}

/* A CGI reply to the end of its request. */
static enum err
receive_reply(int fd, struct buf *reply)
{
    char content[RECORD_MAX + 255];
    FCGI_Header h;

    for (;;) {
        size_t n;

        if (!receive(fd, &h, sizeof(h)))
            return ERR_PEER;
        n = (size_t)h.contentLengthB1 << 8 | h.contentLengthB0;
        if (!receive(fd, content, n + h.paddingLength))
            return ERR_PEER;
        if (h.type == FCGI_STDOUT)
            buf_put(reply, content, n);
        if (buf_err(reply) != ERR_OK)
            return buf_err(reply);
        if (h.type == FCGI_END_REQUEST)
            return ERR_OK;
    }
}

enum err
peer_take(int fd, int *status, struct buf *body)
{
    static const char status_name[] = "Status: ", blank[] = "\r\n\r\n";
    struct buf reply = BUF_INIT(body->max + HEAD_MAX);
    enum err e = receive_reply(fd, &reply);
    const char *text = buf_text(&reply), *line, *end;

    if (e == ERR_OK) {
        line = strstr(text, status_name);
        end = strstr(text, blank);
        if (end == NULL)
            e = ERR_PEER;
        else
            *status =
                line != NULL && line < end
                    ? (int)strtol(line + sizeof(status_name) - 1, NULL, 10)
                    : 200;
        if (e == ERR_OK) {
            end += sizeof(blank) - 1;
            buf_put(body, end, reply.n - (size_t)(end - text));
            e = buf_err(body);
        }
    }
    buf_free(&reply);
    return e;
}
