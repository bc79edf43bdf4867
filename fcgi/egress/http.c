/* HTTP calls on libcurl. */
#include "http.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "clock.h"
#include "egress.h"
#include "hex.h"
#include "log.h"

#define CONNECT_S 5
#define STALL_S   30

struct call {
    struct http_call *c;
    CURL *curl;
    size_t sent; /* of bytes in memory */
    bool denied, ended;
};

static void
init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- callbacks ---- */

/* The one place where a connection is made: what the name led to is judged. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct call *call = ctx;

    (void)purpose;
    if (!call->c->chosen_here && !egress_allowed(&a->addr, call->c->why)) {
        call->denied = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t
give(char *p, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    struct http_call *c = call->c;
    int64_t got;

    n *= size;
    if (c->read == NULL) {
        n = n < c->bytes.n - call->sent ? n : c->bytes.n - call->sent;
        memcpy(p, c->bytes.p + call->sent, n);
        call->sent += n;
        return n;
    }
    got = c->read(c->read_ctx, p, n);
    if (got >= 0)
        return (size_t)got;
    call->ended = true;
    return CURL_READFUNC_ABORT;
}

static size_t
take(char *p, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    long status = 0;

    n *= size;
    (void)curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    call->c->status = (int)status;
    if (call->c->write == NULL ||
        (!call->c->every_status && (status < 200 || status > 299)))
        return n;
    if (call->c->write(call->c->write_ctx, p, n))
        return n;
    call->ended = true;
    return 0;
}

/* The value of header `name` in n bytes at p; empty when it is another. */
static struct span
header_value(const char *p, size_t n, const char *name)
{
    size_t len = strlen(name);
    struct span v = { "", 0 };

    if (n <= len || strncasecmp(p, name, len) != 0 || p[len] != ':')
        return v;
    v = (struct span){ p + len + 1, n - len - 1 };
    while (v.n > 0 && (*v.p == ' ' || *v.p == '\t'))
        v = (struct span){ v.p + 1, v.n - 1 };
    while (v.n > 0 && strchr("\r\n \t", v.p[v.n - 1]) != NULL)
        v.n--;
    return v;
}

static void
keep(char *to, size_t size, struct span v)
{
    if (v.n > 0 && v.n < size)
        (void)snprintf(to, size, "%.*s", (int)v.n, v.p);
}

static size_t
take_header(char *p, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;

    n *= size;
    keep(call->c->location, sizeof(call->c->location),
         header_value(p, n, "Location"));
    keep(call->c->etag, sizeof(call->c->etag), header_value(p, n, "ETag"));
    keep(call->c->request_id, sizeof(call->c->request_id),
         header_value(p, n, "X-Request-Id"));
    return n;
}

static int
progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct call *call = ctx;

    (void)a, (void)b, (void)c, (void)d;
    if (call->c->go_on == NULL || call->c->go_on(call->c->go_on_ctx))
        return 0;
    call->ended = true;
    return 1;
}

/* ---- a call ---- */

static long
timeout_of(const struct http_call *c)
{
    int64_t left = c->deadline_ms - clock_mono_ms();

    if (c->deadline_ms == 0)
        return 0;
    return left > 0 ? (long)left : 1;
}

static bool
set_body(struct call *call)
{
    struct http_call *c = call->c;
    CURL *h = call->curl;
    bool has = c->read != NULL || c->bytes.n > 0;
    curl_off_t size = c->read != NULL ? c->size : (curl_off_t)c->bytes.n;

    if (strcmp(c->method, "HEAD") == 0)
        return curl_easy_setopt(h, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (!has && strcmp(c->method, "PUT") != 0 && strcmp(c->method, "POST") != 0)
        return curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, c->method) ==
               CURLE_OK;
    return curl_easy_setopt(h, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, c->method) == CURLE_OK &&
           curl_easy_setopt(h, CURLOPT_READFUNCTION, give) == CURLE_OK &&
           curl_easy_setopt(h, CURLOPT_READDATA, call) == CURLE_OK &&
           curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, size) == CURLE_OK;
}

static bool
set_up(struct call *call, struct curl_slist *headers, char *error, char *keys,
       size_t keys_size)
{
    struct http_call *c = call->c;
    CURL *h = call->curl;
    char from[80];
    bool ok;

    (void)snprintf(from, sizeof(from), "host!%s",
                   c->from != NULL ? c->from : "");
    (void)snprintf(keys, keys_size, "%s:%s",
                   c->access_key != NULL ? c->access_key : "",
                   c->secret_key != NULL ? c->secret_key : "");
    ok = curl_easy_setopt(h, CURLOPT_URL, c->url) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_NOPROXY, "*") == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) ==
             CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, timeout_of(c)) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME,
                          (long)(c->stall_s > 0 ? c->stall_s : STALL_S)) ==
             CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket) ==
             CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, call) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_WRITEDATA, call) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_HEADERDATA, call) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, progress) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_XFERINFODATA, call) == CURLE_OK &&
         curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    if (ok && c->http_1_0)
        ok = curl_easy_setopt(h, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_0) ==
             CURLE_OK;
    if (ok && c->from != NULL)
        ok = curl_easy_setopt(h, CURLOPT_INTERFACE, from) == CURLE_OK;
    if (ok && c->sigv4 != NULL)
        ok = curl_easy_setopt(h, CURLOPT_AWS_SIGV4, c->sigv4) == CURLE_OK &&
             curl_easy_setopt(h, CURLOPT_USERPWD, keys) == CURLE_OK;
    return ok && set_body(call);
}

static enum err
outcome(struct call *call, CURLcode code, const char *error)
{
    struct http_call *c = call->c;
    curl_off_t length = -1;
    long status = 0;

    (void)curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(call->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                            &length);
    c->status = (int)status;
    c->length = length;
    if (call->denied)
        return ERR_DENIED; /* egress_allowed has said why */
    if (call->ended)
        return why_fail(c->why, ERR_STATE, "broken off");
    if (code == CURLE_OK)
        return ERR_OK;
    why_say(c->why, "%s", !str_empty(error) ? error : curl_easy_strerror(code));
    if (code == CURLE_OPERATION_TIMEDOUT)
        return ERR_TIMEOUT;
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return ERR_BAD_PARAM;
    return code == CURLE_OUT_OF_MEMORY ? ERR_NOMEM : ERR_PEER;
}

/* ---- headers ---- */

/* Two numbers that differ for different texts, and are the same for one: what
 * a request that is part of no trace has for one. Not secret. */
static uint64_t
number_of(const char *text, uint64_t n)
{
    for (; *text != '\0'; text++)
        n = (n ^ (unsigned char)*text) * UINT64_C(0x100000001b3); /* FNV-1a */
    return n;
}

static enum err
append(struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*list, header);

    if (longer == NULL)
        return ERR_NOMEM;
    *list = longer;
    return ERR_OK;
}

/* For whom we call: our id of the request, and its trace (W3C Trace Context,
 * section 3.2) with a span of this call. */
static enum err
append_trace(struct curl_slist **list)
{
    const struct trace *t = log_traced();
    char id[33], span[17], header[96];
    enum err e;

    if (t == NULL)
        return ERR_OK;
    (void)snprintf(header, sizeof(header), "X-Request-Id: %.64s", t->request);
    e = append(list, header);
    if (e == ERR_OK)
        e = hex_random(span, 8);
    if (e != ERR_OK)
        return e;
    (void)snprintf(
        id, sizeof(id), "%016llx%016llx",
        (unsigned long long)number_of(t->request, UINT64_C(0xcbf29ce484222325)),
        (unsigned long long)number_of(t->request,
                                      UINT64_C(0x9ae16a3b2f90404f)));
    (void)snprintf(header, sizeof(header), "traceparent: 00-%.32s-%s-%s",
                   !str_empty(t->id) ? t->id : id, span,
                   t->sampled ? "01" : "00");
    return append(list, header);
}

/* A large upload would wait for 100 Continue. Not so when it is signed: libcurl
 * 7.88 signs headers that are only named to be left out. */
static enum err
headers_of(const struct http_call *c, struct curl_slist **out)
{
    struct curl_slist *list = NULL;
    enum err e = ERR_OK;

    if (c->sigv4 == NULL)
        e = append(&list, "Expect:");
    for (size_t i = 0; e == ERR_OK && i < HTTP_HEADERS && c->header[i] != NULL;
         i++)
        e = append(&list, c->header[i]);
    if (e == ERR_OK)
        e = append_trace(&list);
    if (e == ERR_OK)
        *out = list;
    else
        curl_slist_free_all(list);
    return e;
}

enum err
http_call(struct http_call *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct call call = { .c = c };
    char error[CURL_ERROR_SIZE] = "", keys[512];
    struct curl_slist *headers = NULL;
    enum err e;

    (void)pthread_once(&once, init);
    c->status = 0;
    c->length = -1;
    c->location[0] = c->etag[0] = c->request_id[0] = c->why[0] = '\0';
    e = headers_of(c, &headers);
    call.curl = e == ERR_OK ? curl_easy_init() : NULL;
    e = ERR_NOMEM;
    if (call.curl != NULL && set_up(&call, headers, error, keys, sizeof(keys)))
        e = outcome(&call, curl_easy_perform(call.curl), error);
    else
        why_say(c->why, "no memory for a call");
    curl_easy_cleanup(call.curl);
    curl_slist_free_all(headers);
    explicit_bzero(keys, sizeof(keys));
    return e;
}

enum err
http_escape(const char *text, bool slash, char *out, size_t size)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    size_t n = 0;

    for (; *text != '\0'; text++) {
        bool as_is = strchr(plain, *text) != NULL || (slash && *text == '/');

        if (n + 4 > size)
            return ERR_LIMIT;
        if (as_is) {
            out[n++] = *text;
        } else {
            percent_write(*text, out + n);
            n += 3;
        }
    }
    out[n] = '\0';
    return ERR_OK;
}
