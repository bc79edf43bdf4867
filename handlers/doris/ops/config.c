/* show_config and update_config: metagate's own settings in Doris's words. */
#include <string.h>

#include "config_live.h"
#include "doris/doris.h"

#define DORIS_SHOW_CONFIG(X, s) \
    X(s, STR, conf_key, "conf_key", IN | QUERY, -, .max = 128)
STRUCT(doris_show_config, DORIS_SHOW_CONFIG);
TABLE(doris_show_config, DORIS_SHOW_CONFIG);

#define DORIS_CONFIG_ROWS(X, s)                                  \
    X(s, JSON, rows, "", OUT, -,                                 \
      .doc = "an array of [name, type, value, whether it can be" \
             " changed]")
STRUCT(doris_config_rows, DORIS_CONFIG_ROWS);
TABLE(doris_config_rows, DORIS_CONFIG_ROWS);

#define DORIS_UPDATE_CONFIG(X, s)                             \
    X(s, STR, configs, "configs", IN | QUERY, -, .max = 4096) \
    X(s, STR, persist, "persist", IN | QUERY, -, .max = 16)   \
    X(s, STR, reason, "reason", IN | QUERY, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_update_config, DORIS_UPDATE_CONFIG);
TABLE(doris_update_config, DORIS_UPDATE_CONFIG);

/* What the audit shows of a change. */
#define DORIS_CONFIG_VALUES(X, s) X(s, MAP, values, "configs", OUT, STR)
STRUCT(doris_config_values, DORIS_CONFIG_VALUES);
TABLE(doris_config_values, DORIS_CONFIG_VALUES);

#define CHANGES_MAX 64
#define REPLY_BYTES ((size_t)256 << 10)

/* ---- names ---- */

/* What Doris calls settings that we have too; scripts may go on saying so. */
static const char *
own_name(const char *name)
{
    static const struct {
        const char *doris, *own;
    } names[] = {
        { "enable_cluster_name_check", "doris.cluster_name_check" },
        { "label_keep_max_second", "doris.record_retention_s" },
        { "log_level", "core.log_level" },
        { "retention_seconds", "doris.retention_s" },
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i].doris, name) == 0)
            return names[i].own;
    return name;
}

/* ---- show ---- */

static void
put_line(struct json_writer *w, const char *name, const struct config_line *l)
{
    static const char *const types[] = {
        [CONFIG_TEXT] = "std::string",
        [CONFIG_INT] = "int64_t",
        [CONFIG_BOOL] = "bool",
    };

    jw_array(w);
    jw_str(w, name);
    jw_str(w, types[l->type]);
    jw_str(w, l->value);
    jw_bool(w, l->live);
    jw_array_end(w);
}

static enum err
put_all(struct json_writer *w, struct arena *a)
{
    struct config_line l;
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK; i++) {
        e = config_line(i, a, &l);
        if (e == ERR_OK)
            put_line(w, l.name, &l);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* An unknown one is no failure: there is none to show. */
static enum err
put_one(struct json_writer *w, struct arena *a, const char *name)
{
    struct config_line l;
    enum err e = config_line_of(own_name(name), a, &l);

    if (e == ERR_OK)
        put_line(w, name, &l);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

NO_CHECKS(doris_show_config);

/* What another process has changed a moment ago is seen here at once; a store
 * that cannot be asked is no reason to show nothing. */
enum err
doris_config_show(struct req *r, const struct doris_show_config *in)
{
    struct doris_config_rows *out = arena_alloc(r->arena, sizeof(*out));
    struct buf b = BUF_INIT(REPLY_BYTES);
    struct json_writer w;
    const char *rows;
    enum err e, settled;

    if (out == NULL)
        return ERR_NOMEM;
    (void)!config_refresh(r->db);
    jw_init(&w, &b, &r->form->style);
    jw_array(&w);
    e = str_empty(in->conf_key) ? put_all(&w, r->arena)
                                : put_one(&w, r->arena, in->conf_key);
    jw_array_end(&w);
    settled = buf_settle(&b, r->arena, &rows);
    e = e != ERR_OK ? e : settled;
    if (e == ERR_OK)
        PUT(out, doris_config_rows, rows,
            ((struct span){ rows, strlen(rows) }));
    return req_send_or_fail(r, e, &doris_config_rows_rec, out);
}

/* ---- update ---- */

struct changes {
    size_t n;
    struct map_of_STR v[CHANGES_MAX];
};

static char *
trim(char *s)
{
    char *end = s + strlen(s);

    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    return s + strspn(s, " \t");
}

/* "name=value" */
static enum err
take_pair(struct req *r, char *pair, struct changes *c)
{
    const char *whole = arena_strndup(r->arena, pair, strlen(pair));
    char *value = strchr(pair, '=');
    struct map_of_STR *change = &c->v[c->n];

    if (value == NULL || value[1] == '\0' || strchr(value + 1, '=') != NULL ||
        c->n == CHANGES_MAX)
        return req_fail(r, DORIS_CONFIG_PAIR, ARGS(arg("pair", whole)));
    *value++ = '\0';
    change->key = own_name(trim(pair));
    PUT(&change->value, STR, v, trim(value));
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->v[i].key, change->key) == 0)
            return req_fail(r, DORIS_CONFIG_TWICE,
                            ARGS(arg("field", change->key)));
    c->n++;
    return ERR_OK;
}

static enum err
take_all(struct req *r, const char *configs, struct changes *c)
{
    char *rest, *pair;
    enum err e = ERR_OK;

    if (str_empty(configs))
        return req_fail(r, DORIS_CONFIG_EMPTY, ARGS());
    rest = arena_strndup(r->arena, configs, strlen(configs));
    if (rest == NULL)
        return ERR_NOMEM;
    while (e == ERR_OK && (pair = strsep(&rest, ",")) != NULL)
        e = take_pair(r, pair, c);
    return e;
}

static enum err
check(struct req *r, const struct map_of_STR *change)
{
    struct args a =
        ARGS(arg("field", change->key), arg("value", change->value.v));
    enum err e = config_change_allowed(change->key, change->value.v);

    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_CONFIG_UNKNOWN, a);
    if (e == ERR_STATE)
        return req_fail(r, DORIS_CONFIG_FIXED, a);
    if (e == ERR_BAD_PARAM)
        return req_fail(r, DORIS_CONFIG_VALUE, a);
    return e;
}

/* The values of the settings that are to change, as the store has them now:
 * this process may be a moment behind. */
static enum err
audit_before(struct req *r, const struct changes *c)
{
    struct doris_config_values old = { .values.n = c->n };
    struct config_line l;
    enum err e = config_refresh(r->db);

    old.values.v = arena_array(r->arena, c->n, sizeof(*old.values.v));
    if (old.values.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->n && e == ERR_OK; i++) {
        e = config_line_of(c->v[i].key, r->arena, &l);
        old.values.v[i] = c->v[i];
        old.values.v[i].value.v = l.value;
    }
    if (e == ERR_OK)
        req_audit_before(r, &doris_config_values_rec, &old);
    return e;
}

static void
audit_after(struct req *r, struct changes *c)
{
    struct doris_config_values now = { .values = { c->n, c->v } };

    req_audit(r,
              c->n == 1 ? arena_printf(r->arena, "setting %s", c->v[0].key)
                        : "settings",
              NULL, NULL);
    req_audit_after(r, &doris_config_values_rec, &now);
}

NO_CHECKS(doris_update_config);

/* All of them or none. */
enum err
doris_config_update(struct req *r, const struct doris_update_config *in)
{
    bool persist = in->persist != NULL && strcmp(in->persist, "true") == 0;
    struct changes c = { .n = 0 };
    enum err e = take_all(r, in->configs, &c);

    for (size_t i = 0; i < c.n && e == ERR_OK; i++)
        e = check(r, &c.v[i]);
    if (e == ERR_OK)
        e = audit_before(r, &c);
    for (size_t i = 0; i < c.n && e == ERR_OK; i++)
        e = config_change_store(r->db, c.v[i].key, c.v[i].value.v, persist);
    if (e != ERR_OK)
        return e;
    audit_after(r, &c);
    return req_ok(r);
}
