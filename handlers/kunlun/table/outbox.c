/* GET /<id>: the files of a table that is being sent, to who has a token of
 * machines. */
#include <string.h>

#include "backup.h"
#include "address.h"
#include "config.h"
#include "hex.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "kunlun/node_mgr/store.h"
#include "listener.h"
#include "number.h"
#include "place.h"
#include "table.h"

const char *
table_url(struct arena *a, const char *address, const char *id)
{
    const char *own = arena_printf(a, "node_mgr/%s", address);
    const char *scheme =
        str_empty(config()->nginx_tls_certificate) ? "http" : "https";
    char at[ADDRESS_BYTES];
    struct listening l;
    unsigned port;
    enum err e;

    for (size_t i = 0; own != NULL; i++) {
        e = listener_named("node_mgr", i, &l);
        if (e == ERR_NOT_FOUND)
            break;
        if (e == ERR_OK && strcmp(l.id, own) == 0 &&
            address_read(l.address, strlen(l.address), 0, at, sizeof(at),
                         &port) == ERR_OK)
            return arena_printf(
                a, "%s://%s/%s", scheme,
                address_print(address, (int)port, at, sizeof(at)), id);
    }
    return NULL;
}

const char *
table_token(struct arena *a)
{
    char hex[PLACE_TOKEN_BYTES];
    const char *out = NULL;

    if (place_hex_read(PLACE_MACHINE_TOKEN, PLACE_TOKEN_LEAST, hex,
                       sizeof(hex)) == ERR_OK)
        out = arena_strdup(a, hex);
    explicit_bzero(hex, sizeof(hex));
    return out != NULL ? out : "";
}

/* ---- GET ---- */

static int64_t
read_stream(void *ctx, int64_t at, char *p, size_t n)
{
    return instance_stream_read(ctx, at, p, n);
}

static enum err
send(struct req *r, struct instance_stream *stream)
{
    struct req_source *s = arena_alloc(r->arena, sizeof(*s));
    enum err e;

    if (s == NULL)
        return ERR_NOMEM;
    *s = (struct req_source){
        .type = "application/octet-stream",
        .tag = instance_stream_tag(stream),
        .bytes = instance_stream_bytes(stream),
        .read = read_stream,
        .ctx = stream,
    };
    e = req_send_source(r, s);
    return e == ERR_LIMIT ? req_fail(r, NODE_RANGE, ARGS()) : e;
}

/* What is not there any more, and what never was, is one answer. */
enum err
table_get(struct req *r, const char *id)
{
    struct instance_stream *stream;
    char why[WHY_BYTES];
    const char *path;
    enum err e;

    if (!hex_is(id, OUTBOX_ID_HEX, OUTBOX_ID_HEX))
        return ERR_NOT_FOUND;
    if ((r->rights & SCOPE_MACHINE) == 0)
        return req_fail(r, NODE_TOKEN, ARGS());
    e = node_store_outbox(r->db, r->arena, id, r->listener_tail, &path);
    if (e == ERR_OK)
        e = instance_stream_open(r->arena, path, &stream, why);
    return e == ERR_OK ? send(r, stream) : e;
}
