/* Which members a job has, in the order in which they are looked at: one that
 * is missing, or out of its range, ends the job at its first step, and the
 * first of them is what the client is told. */
#include "jobs.h"

#include <stdio.h>
#include <string.h>

#include "instance.h"

#define HOSTS_MAX  1024
#define LOGIN_USER "abcdefghijklmnopqrstuvwxyz0123456789_"

TABLE(cluster_want, CLUSTER_WANT);

enum type {
    TEXT,
    COUNT_OF, /* a number in a range */
    NUMBER,   /* a number that nobody checks: what is none counts as absent */
    FLAG,     /* "1" */
    MACHINES, /* [{"hostaddr":…}]: for both kinds of servers */
    HOSTS,    /* […] */
};

enum { FLAT = 1, PARAS = 2, BOTH = FLAT | PARAS }; /* where it is needed */

struct cluster_member {
    const char *key; /* NULL ends */
    enum type type;
    unsigned needs;
    const char *field; /* of cluster_want, when it is not the key */
    const char *paras; /* its key there; NULL: the same */
    const char *id;    /* in paras this may stand in its place */
    bool secret;       /* never shown again */
    int32_t lo, hi, hi_paras;
    const char *range; /* the sentence of a number that is out of it; NULL:
                        * the judge's, which is shown 0 then */
    /* A look at it beside those before it; false: why has been said. */
    bool (*judge)(const struct cluster_want *w, bool paras,
                  char why[WHY_BYTES]);
};

/* ---- what is more than a range ---- */

/* How many nodes a shard may have depends on ha_mode. In paras, which came
 * later, there are more of both. */
static bool
judge_nodes(const struct cluster_want *w, bool paras, char why[WHY_BYTES])
{
    bool replicated = strcmp(w->ha_mode, "mgr") == 0 ||
                      (paras && strcmp(w->ha_mode, "rbr") == 0);
    int32_t lo = paras ? 1 : 3, hi = paras ? 256 : 10;

    if (strcmp(w->ha_mode, "no_rep") == 0) {
        if (w->nodes == 1)
            return true;
        why_say(why, SAYS_NODES "=1 in no_rep mode");
    } else if (!replicated) {
        why_say(why, SAYS_HA_MODE " %s", w->ha_mode);
    } else {
        if (w->nodes >= lo && w->nodes <= hi)
            return true;
        why_say(why, SAYS_NODES ">=%d && nodes<=%d in %s mode", (int)lo,
                (int)hi, w->ha_mode);
    }
    return false;
}

static bool
judge_control(const struct cluster_want *w, bool paras, char why[WHY_BYTES])
{
    (void)paras;
    if (strcmp(w->control, "start") == 0 || strcmp(w->control, "stop") == 0 ||
        strcmp(w->control, "restart") == 0)
        return true;
    why_say(why, "control type error");
    return false;
}

/* "" is of a row that was sent back as it is: for both. */
static bool
judge_type(const struct cluster_want *w, bool paras, char why[WHY_BYTES])
{
    (void)paras;
    if (!HAS(w, cluster_want, machine_type) ||
        strcmp(w->machine_type, "storage") == 0 ||
        strcmp(w->machine_type, "computer") == 0)
        return true;
    why_say(why, "machine_type error");
    return false;
}

/* The login of computing nodes: a role that the server does not have by itself,
 * and a password that needs no quotes, wherever it goes. */
static bool
judge_login_user(const struct cluster_want *w, bool paras, char why[WHY_BYTES])
{
    const char *user = w->computer_user;

    (void)paras;
    if (!HAS(w, cluster_want, computer_user) ||
        (strspn(user, LOGIN_USER) == strlen(user) && strlen(user) <= 32 &&
         strchr("0123456789", *user) == NULL && strncmp(user, "pg_", 3) != 0 &&
         strcmp(user, "postgres") != 0 && strcmp(user, "clustmgr") != 0 &&
         strcmp(user, "public") != 0 && strcmp(user, "none") != 0))
        return true;
    why_say(why, "computer_user error(must be a-z, 0-9 and _, and no role of"
                 " the server's own)");
    return false;
}

static bool
judge_login_password(const struct cluster_want *w, bool paras,
                     char why[WHY_BYTES])
{
    const char *text = w->computer_password;

    (void)paras;
    if (!HAS(w, cluster_want, computer_password) ||
        (HAS(w, cluster_want, computer_user) &&
         strspn(text, INSTANCE_PASSWORD) == strlen(text)))
        return true;
    why_say(why, "%s",
            "computer_password error(must be beside a computer_user, of"
            " letters, digits and " INSTANCE_PASSWORD_SIGNS ")");
    return false;
}

/* ---- the lists ---- */

#define END         \
    {               \
        .key = NULL \
    }
#define RANGE_1_10(name, where)                                             \
    {                                                                       \
        .key = name, .type = COUNT_OF, .needs = (where), .lo = 1, .hi = 10, \
        .hi_paras = 256, .range = SAYS_RANGE(name) "(must in 1-10)"         \
    }
#define CLUSTER                                                  \
    {                                                            \
        .key = "cluster_name", .needs = BOTH, .id = "cluster_id" \
    }
#define NICK_NAME          \
    {                      \
        .key = "nick_name" \
    }
#define MACHINELIST                            \
    {                                          \
        .key = "machinelist", .type = MACHINES \
    }
#define STORAGE_HOSTS                           \
    {                                           \
        .key = "storage_iplists", .type = HOSTS \
    }
#define COMPUTER_HOSTS                           \
    {                                            \
        .key = "computer_iplists", .type = HOSTS \
    }
#define FORCE                        \
    {                                \
        .key = "force", .type = FLAG \
    }
#define DRY_RUN                        \
    {                                  \
        .key = "dry_run", .type = FLAG \
    }
#define SHARD(where)                                            \
    {                                                           \
        .key = "shard_name", .needs = (where), .id = "shard_id" \
    }
#define MACHINE_TYPE                               \
    {                                              \
        .key = "machine_type", .judge = judge_type \
    }
#define IP                                              \
    {                                                   \
        .key = "ip", .needs = BOTH, .paras = "hostaddr" \
    }
#define PORT                                         \
    {                                                \
        .key = "port", .type = NUMBER, .needs = BOTH \
    }
#define NEEDED(name)               \
    {                              \
        .key = name, .needs = BOTH \
    }
#define NEEDED_NUMBER(name, where)                    \
    {                                                 \
        .key = name, .type = NUMBER, .needs = (where) \
    }

/* What is none would be no limit, silently. */
#define AMOUNT(name)                                                   \
    {                                                                  \
        .key = name, .type = COUNT_OF, .needs = BOTH, .hi = INT32_MAX, \
        .hi_paras = INT32_MAX, .range = SAYS_GET(name)                 \
    }

static const struct cluster_member none_of_them[] = { END };

static const struct cluster_member machine[] = {
    { .key = "hostaddr", .needs = BOTH, .field = "ip" },
    NEEDED("rack_id"),
    NEEDED("datadir"),
    NEEDED("logdir"),
    NEEDED("wal_log_dir"),
    NEEDED("comp_datadir"),
    AMOUNT("total_mem"),
    AMOUNT("total_cpu_cores"),
    MACHINE_TYPE,
    { .key = "port_range" },
    END,
};

static const struct cluster_member machine_ref[] = {
    { .key = "hostaddr", .needs = BOTH, .field = "ip" },
    MACHINE_TYPE,
    END,
};

static const struct cluster_member create[] = {
    NEEDED("ha_mode"),
    RANGE_1_10("shards", BOTH),
    { .key = "nodes",
      .type = COUNT_OF,
      .needs = BOTH,
      .hi = INT32_MAX,
      .hi_paras = INT32_MAX,
      .judge = judge_nodes },
    RANGE_1_10("comps", BOTH),
    NEEDED_NUMBER("max_storage_size", FLAT),
    NEEDED_NUMBER("max_connections", FLAT),
    NEEDED_NUMBER("cpu_cores", FLAT),
    { .key = "innodb_size",
      .type = COUNT_OF,
      .needs = BOTH,
      .lo = 1,
      .hi = 16,
      .hi_paras = INT32_MAX,
      .range = SAYS_RANGE("innodb_size") "(must in 1-16)" },
    NICK_NAME,
    MACHINELIST,
    STORAGE_HOSTS,
    COMPUTER_HOSTS,
    { .key = "computer_user", .judge = judge_login_user },
    { .key = "computer_password",
      .secret = true,
      .judge = judge_login_password },
    { .key = "fullsync_level" }, /* kept for who shows it */
    { .key = "dbcfg" },
    DRY_RUN,
    END,
};

static const struct cluster_member delete_cluster[] = { CLUSTER, FORCE, DRY_RUN,
                                                        END };

static const struct cluster_member add_shards[] = {
    CLUSTER, RANGE_1_10("shards", BOTH), MACHINELIST, STORAGE_HOSTS, DRY_RUN,
    END,
};

static const struct cluster_member delete_shard[] = {
    CLUSTER, SHARD(BOTH), FORCE, DRY_RUN, END,
};

static const struct cluster_member add_comps[] = {
    CLUSTER, RANGE_1_10("comps", BOTH), MACHINELIST, COMPUTER_HOSTS, DRY_RUN,
    END,
};

static const struct cluster_member delete_comp[] = {
    CLUSTER,
    { .key = "comp_name", .needs = BOTH, .id = "comp_id" },
    DRY_RUN,
    END,
};

static const struct cluster_member add_nodes[] = {
    CLUSTER,       RANGE_1_10("nodes", BOTH),
    SHARD(0),      MACHINELIST,
    STORAGE_HOSTS, DRY_RUN,
    END,
};

static const struct cluster_member delete_node[] = {
    CLUSTER, SHARD(BOTH), IP, PORT, DRY_RUN, END,
};

static const struct cluster_member backup[] = {
    { .key = "backup_cluster_name",
      .needs = BOTH,
      .field = "cluster_name",
      .id = "cluster_id" },
    END,
};

static const struct cluster_member restore_new[] = {
    NEEDED("timestamp"),
    { .key = "backup_cluster_name",
      .needs = BOTH,
      .field = "cluster_name",
      .id = "cluster_id" },
    NICK_NAME,
    MACHINELIST,
    STORAGE_HOSTS,
    COMPUTER_HOSTS,
    DRY_RUN,
    END,
};

static const struct cluster_member control[] = {
    { .key = "control", .needs = BOTH, .judge = judge_control },
    IP,
    PORT,
    END,
};

static const struct cluster_member instance[] = { IP, PORT, END };

/* Without a node: whichever is fit. */
static const struct cluster_member switch_to[] = {
    CLUSTER,
    SHARD(BOTH),
    { .key = "ip", .paras = "hostaddr" },
    { .key = "port", .type = NUMBER },
    FORCE,
    END,
};

static const struct cluster_member *const lists[WANTS__MAX] = {
    [WANTS_NO] = none_of_them,           [WANTS_MACHINE] = machine,
    [WANTS_MACHINE_REF] = machine_ref,   [WANTS_CREATE] = create,
    [WANTS_DELETE] = delete_cluster,     [WANTS_ADD_SHARDS] = add_shards,
    [WANTS_DELETE_SHARD] = delete_shard, [WANTS_ADD_COMPS] = add_comps,
    [WANTS_DELETE_COMP] = delete_comp,   [WANTS_ADD_NODES] = add_nodes,
    [WANTS_DELETE_NODE] = delete_node,   [WANTS_BACKUP] = backup,
    [WANTS_RESTORE_NEW] = restore_new,   [WANTS_CONTROL] = control,
    [WANTS_INSTANCE] = instance,         [WANTS_SWITCH] = switch_to,
};

/* ---- reading ---- */

struct reading {
    struct arena *arena;
    bool paras;
    const struct json *body;
    struct cluster_want *out;
    char *why;
};

static bool
is_scalar(const struct json *j)
{
    return json_type(j) == JSON_STRING || json_type(j) == JSON_NUMBER;
}

/* null, and "" of a form that was not filled in, are nothing. */
static const struct json *
given(const struct json *body, const char *key)
{
    const struct json *j = json_member(body, key);

    return j == NULL || json_type(j) == JSON_NULL ||
                   (json_type(j) == JSON_STRING && str_empty(json_text(j)))
               ? NULL
               : j;
}

static const struct field *
field_of(const char *key)
{
    for (size_t i = 0; i < cluster_want_rec.n; i++)
        if (strcmp(cluster_want_rec.fields[i].key, key) == 0)
            return &cluster_want_rec.fields[i];
    return NULL;
}

static enum err
refuse(struct reading *r, const struct cluster_member *m)
{
    return why_fail(r->why, ERR_BAD_PARAM, SAYS_GET("%s"), m->key);
}

static enum err
bind(struct reading *r, const char *field, const char *text)
{
    struct bind_error why;

    return record_bind_text(r->arena, field_of(field), text,
                            BIND_INT_FROM_STR | BIND_INTEGRAL, r->out, &why);
}

static enum err
read_count(struct reading *r, const struct cluster_member *m,
           const struct json *j)
{
    int64_t v;

    if (json_to_i64(json_text(j), true, &v) == ERR_OK && v >= m->lo &&
        v <= (r->paras ? m->hi_paras : m->hi))
        return bind(r, m->key, json_text(j));
    if (m->range == NULL) /* none that a judge takes */
        return bind(r, m->key, "0");
    return why_fail(r->why, ERR_BAD_PARAM, "%s", m->range);
}

/* Those without an address are skipped. */
static enum err
read_hosts(struct reading *r, const struct cluster_member *m,
           const struct json *list)
{
    struct STR *v = arena_array(r->arena, HOSTS_MAX, sizeof(*v));
    size_t n = 0;

    if (v == NULL)
        return ERR_NOMEM;
    for (const struct json *j = json_first(list); j != NULL; j = json_next(j)) {
        const struct json *host =
            m->type == MACHINES ? json_member(j, "hostaddr") : j;

        if (host == NULL || json_type(host) != JSON_STRING ||
            str_empty(json_text(host)))
            continue;
        if (n == HOSTS_MAX)
            return refuse(r, m);
        v[n++] = (struct STR){ .v = json_text(host) };
    }
    if (m->type == MACHINES || strcmp(m->key, "storage_iplists") == 0)
        PUT_LIST(r->out, cluster_want, storage_hosts, n, v);
    if (m->type == MACHINES || strcmp(m->key, "computer_iplists") == 0)
        PUT_LIST(r->out, cluster_want, computer_hosts, n, v);
    return ERR_OK;
}

static enum err
read_value(struct reading *r, const struct cluster_member *m,
           const struct json *j)
{
    const char *field = m->field != NULL ? m->field : m->key;
    bool on = json_type(j) == JSON_BOOL && strcmp(json_text(j), "true") == 0;

    if (m->type == MACHINES || m->type == HOSTS)
        return json_type(j) == JSON_ARRAY ? read_hosts(r, m, j) : refuse(r, m);
    if (m->type == FLAG && json_type(j) == JSON_BOOL)
        return bind(r, field, on ? "true" : "false");
    if (!is_scalar(j))
        return refuse(r, m);
    if (m->type == FLAG)
        return bind(r, field,
                    strcmp(json_text(j), "1") == 0 ? "true" : "false");
    if (m->type == COUNT_OF)
        return read_count(r, m, j);
    if (bind(r, field, json_text(j)) != ERR_OK && m->type == TEXT)
        return refuse(r, m); /* too long */
    return ERR_OK;
}

/* An id that is no number is nobody's. */
static enum err
read_id(struct reading *r, const struct cluster_member *m, const struct json *j)
{
    int64_t v;
    bool known =
        is_scalar(j) && json_to_i64(json_text(j), true, &v) == ERR_OK && v > 0;

    return bind(r, m->id, known ? json_text(j) : "0");
}

static enum err
read_member(struct reading *r, const struct cluster_member *m)
{
    bool by_id = r->paras && m->id != NULL && given(r->body, m->id) != NULL;
    const char *key = r->paras && m->paras != NULL ? m->paras : m->key;
    const struct json *j = given(r->body, by_id ? m->id : key);

    if (j == NULL && key != m->key) /* what flat clients say is understood */
        j = given(r->body, m->key);
    if (j == NULL)
        return (m->needs & (r->paras ? PARAS : FLAT)) != 0 ? refuse(r, m)
                                                           : ERR_OK;
    return by_id ? read_id(r, m, j) : read_value(r, m, j);
}

enum err
cluster_want_read(struct arena *a, const struct cluster_job *j, bool paras,
                  const struct json *body, struct cluster_want *out,
                  char why[WHY_BYTES])
{
    struct reading r = { a, paras, body, out, why };
    enum err e = ERR_OK;

    *out = (struct cluster_want){ 0 };
    why_say(why, "%s", "");
    for (const struct cluster_member *m = lists[j->members]; m->key != NULL;
         m++) {
        e = read_member(&r, m);
        if (e == ERR_OK && m->judge != NULL && !m->judge(out, paras, why))
            e = ERR_BAD_PARAM;
        if (e != ERR_OK)
            break;
    }
    return e;
}

/* ---- showing ---- */

static void
put_member(struct json_writer *w, const struct json *body, const char *key)
{
    const struct json *j = key != NULL ? json_member(body, key) : NULL;

    if (j == NULL)
        return;
    jw_key(w, key);
    if (json_type(j) == JSON_STRING)
        jw_str(w, json_text(j));
    else
        jw_raw(w, json_span(j).p, json_span(j).n);
}

void
cluster_want_show(struct json_writer *w, const struct cluster_job *j,
                  bool paras, const struct json *body)
{
    for (const struct cluster_member *m = lists[j->members]; m->key != NULL;
         m++) {
        if (m->secret)
            continue;
        if (paras && m->id != NULL)
            put_member(w, body, m->id);
        if (paras && m->paras != NULL)
            put_member(w, body, m->paras);
        put_member(w, body, m->key);
    }
}
