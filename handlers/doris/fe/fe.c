/* A front end's view: users, and the compute nodes of each cluster. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doris/settings.h"
#include "crypt.h"
#include "doris/ops/heartbeat.h"
#include "fe.h"
#include "file.h"
#include "log.h"
#include "place.h"

#define REPLY_BYTES ((size_t)16 << 20)
#define USERS_BYTES 65536

NO_CHECKS(doris_fe_status);
TABLE(doris_fe_status, DORIS_FE_STATUS);

/* ---- the form ---- */

static void
put_head(struct json_writer *w, const char *msg, int code)
{
    jw_object(w);
    jw_key(w, "msg");
    jw_str(w, msg);
    jw_key(w, "code");
    jw_i32(w, code);
    jw_key(w, "data");
}

static void
put_end(struct json_writer *w)
{
    jw_key(w, "count");
    jw_i32(w, 0);
    jw_object_end(w);
}

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    enum err e = ERR_OK;

    put_head(w, "success", 0);
    if (rec == NULL)
        jw_null(w);
    else
        e = record_render(w, rec, out, req_secrets(r), false, r->arena);
    put_end(w);
    return e;
}

/* The words that a front end has for its codes. */
static const char *
word_of(const char *code)
{
    static const struct {
        const char *code, *word;
    } words[] = { { "401", "Unauthorized" },
                  { "403", "Bad Request" },
                  { "404", "Not Found" } };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i].code, code) == 0)
            return words[i].word;
    return "Internal Error";
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    if (f->http == 401)
        req_header_add(r, "WWW-Authenticate", "Basic realm=\"metagate\"");
    put_head(w, word_of(f->code), atoi(f->code));
    jw_str(w, f->text);
    put_end(w);
}

const struct form doris_fe_form = {
    .name = "doris_fe",
    .secrets = SECRETS_STARS,
    .reply_type = "application/json",
    .error_type = "application/json",
    .reply = reply,
    .failure = failure,
};

/* ---- users ---- */

/* A line of the user file: name, salt, SHA-256 of salt and password. */
static bool
line_fits(const char *line, const char *user, const char *password)
{
    char name[128], salt[65], hash[65], text[65 + 256], digest[65];
    int n;

    if (sscanf(line, "%127s %64s %64s", name, salt, hash) != 3 ||
        strlen(hash) != 64 || strcmp(name, user) != 0)
        return false;
    n = snprintf(text, sizeof(text), "%s%s", salt, password);
    if (n < 0 || (size_t)n >= sizeof(text))
        return false;
    crypt_sha256_hex(text, (size_t)n, digest);
    crypt_wipe(text, sizeof(text));
    return crypt_equal(digest, hash, 64);
}

static enum err
read_users(struct req *r, char **out)
{
    char path[PLACE_BYTES];
    const char *file = doris_settings()->fe_users;
    size_t n;
    enum err e;

    if (*file == '\0') {
        e = place_path(path, sizeof(path), "fe-users");
        if (e != ERR_OK)
            return e;
        file = path;
    }
    e = file_read(r->arena, file, USERS_BYTES, out, &n);
    if (e != ERR_OK)
        log_error("doris.fe_users path=%s err=%s", file, err_name(e));
    return e;
}

static enum err
check_user(struct req *r, const char *user, const char *password)
{
    char *line, *next;

    if (user == NULL || password == NULL)
        return ERR_NOMEM;
    if (read_users(r, &line) != ERR_OK)
        return ERR_INTERNAL;
    for (; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (*line == '#' || !line_fits(line, user, password))
            continue;
        r->rights = SCOPE_READ;
        r->see_secrets = false;
        r->token_name = arena_strdup(r->arena, user);
        return r->token_name == NULL ? ERR_NOMEM : ERR_OK;
    }
    return req_fail(r, DORIS_FE_WRONG, ARGS());
}

static bool
exists(const char *name)
{
    char path[PLACE_BYTES];

    return place_path(path, sizeof(path), name) == ERR_OK &&
           access(path, F_OK) == 0;
}

static enum err
write_private(const char *name, const char *line)
{
    char path[PLACE_BYTES];
    enum err e = place_path(path, sizeof(path), name);

    return e == ERR_OK ? file_write(path, 0600, line, strlen(line)) : e;
}

/* A line of the user file for a password. */
static enum err
make_line(const char *name, const char *password, char *out, size_t size)
{
    char salt[33], salted[33 + 65], hash[65];
    enum err e = crypt_random_hex(16, salt);

    if (e != ERR_OK)
        return e;
    (void)snprintf(salted, sizeof(salted), "%s%s", salt, password);
    crypt_sha256_hex(salted, strlen(salted), hash);
    crypt_wipe(salted, sizeof(salted));
    (void)snprintf(out, size, "%s %s %s\n", name, salt, hash);
    return ERR_OK;
}

/* The one user of a new deployment. fe-user is for people, who may remove it;
 * fe-users is what is asked. */
static enum err
make_user(void)
{
    char password[49], line[256];
    enum err e;

    if (exists("fe-users") || doris_settings()->fe_users[0] != '\0')
        return ERR_OK;
    e = crypt_random_hex(24, password);
    (void)snprintf(line, sizeof(line), "root:%s\n", password);
    if (e == ERR_OK) /* first: without it nobody knows the password */
        e = write_private("fe-user", line);
    if (e == ERR_OK)
        e = make_line("root", password, line, sizeof(line));
    if (e == ERR_OK)
        e = write_private("fe-users", line);
    crypt_wipe(password, sizeof(password));
    crypt_wipe(line, sizeof(line));
    return e;
}

static const struct first_start first_start[] = {
    { .what = "the user of the Doris front end",
      .make = make_user,
      .files = { "fe-user", "fe-users" } },
    { .what = NULL },
};

static const struct listener listeners[] = {
    { "doris-fe", "", 1, 12100, "doris-fe" },
    { .name = NULL },
};

/* ---- the nodes ---- */

struct listing {
    struct json_writer w;
    char cluster_id[256];
    bool open;
    struct arena *arena;
};

static enum err
put_node(void *ctx, const void *row)
{
    const struct doris_fe_node *n = row;
    struct listing *l = ctx;

    if (!l->open || strcmp(l->cluster_id, n->cluster_id) != 0) {
        if (l->open)
            jw_array_end(&l->w);
        jw_key(&l->w, n->cluster_id);
        jw_array(&l->w);
        (void)snprintf(l->cluster_id, sizeof(l->cluster_id), "%s",
                       n->cluster_id);
        l->open = true;
    }
    return record_render(&l->w, &doris_fe_node_rec, n, SECRETS_STARS, false,
                         l->arena);
}

/* Clusters of the same id in several instances share one list. */
static enum err
put_nodes(struct req *r, const struct doris_fe_status *in, struct listing *l)
{
    const char *instance_id =
        HAS(in, doris_fe_status, instance_id) ? in->instance_id : NULL;
    enum err e;

    put_head(&l->w, "success", 0);
    jw_object(&l->w);
    e = doris_store_fe_nodes(r->db, r->arena, instance_id, put_node, l);
    if (l->open)
        jw_array_end(&l->w);
    jw_object_end(&l->w);
    put_end(&l->w);
    return e;
}

enum err
doris_fe_cluster_status(struct req *r, const struct doris_fe_status *in)
{
    struct buf b = BUF_INIT(REPLY_BYTES);
    struct listing l = { .arena = r->arena };
    const char *s;
    enum err e, settled;

    jw_init(&l.w, &b, &doris_fe_form.style);
    e = put_nodes(r, in, &l);
    settled = buf_settle(&b, r->arena, &s);
    if (e != ERR_OK || settled != ERR_OK)
        return e != ERR_OK ? e : settled;
    return req_send_text(r, "application/json", s, strlen(s));
}

#include "endpoint_tables.h"

extern const struct dialect doris_fe_dialect;
const struct dialect doris_fe_dialect = {
    .name = "doris-fe",
    DIALECT_TABLES,
    .basic = check_user,
    .uri = URI_SEGMENTS,
    .listeners = listeners,
    .first_start = first_start,
};
