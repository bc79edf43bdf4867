/* The checks of a record: what each kind means. */
#include "checks.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "req.h"

struct check_state {
    struct field_path a, b;
    regex_t regex;
};

static enum err
resolve_one(const struct checks *list, const struct check *c,
            struct check_state *s)
{
    if (c->a != NULL && field_path_find(list->rec, c->a, &s->a) != ERR_OK) {
        log_error("checks.unknown_member list=%s member=%s", list->name, c->a);
        return ERR_INTERNAL;
    }
    if (c->b != NULL && field_path_find(list->rec, c->b, &s->b) != ERR_OK) {
        log_error("checks.unknown_member list=%s member=%s", list->name, c->b);
        return ERR_INTERNAL;
    }
    if (c->regex != NULL &&
        regcomp(&s->regex, c->regex, REG_EXTENDED | REG_NOSUB) != 0) {
        log_error("checks.bad_regex list=%s member=%s", list->name, c->a);
        return ERR_INTERNAL;
    }
    return ERR_OK;
}

enum err
checks_resolve(const struct checks *c)
{
    enum err e = ERR_OK;

    if (c->n == 0 || *c->state != NULL)
        return ERR_OK;
    *c->state = calloc(c->n, sizeof(**c->state));
    if (*c->state == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->n && e == ERR_OK; i++)
        e = resolve_one(c, &c->list[i], &(*c->state)[i]);
    return e;
}

static const struct field *
last(const struct field_path *p)
{
    return p->step[p->n - 1];
}

static bool
around_is_absent(const struct field_path *p, const void *in)
{
    bool present;

    return field_path_get(p, in, &present) == NULL;
}

static const char *
text_of(const struct field_path *p, const void *in)
{
    bool present;
    const void *at = field_path_get(p, in, &present);
    const char *s;

    if (at == NULL || !present || last(p)->type != F_STR)
        return NULL;
    memcpy(&s, at, sizeof(s));
    return s;
}

static bool
number_of(const struct field_path *p, const void *in, int64_t *out)
{
    bool present;
    const void *at = field_path_get(p, in, &present);
    int32_t small;

    if (at == NULL || !present)
        return false;
    if (last(p)->type == F_I64 || last(p)->type == F_U64) {
        memcpy(out, at, sizeof(*out));
        return true;
    }
    memcpy(&small, at, sizeof(small));
    *out = small;
    return true;
}

static bool
matches(const struct check_state *s, const void *in)
{
    const char *text = text_of(&s->a, in);

    return str_empty(text) || regexec(&s->regex, text, 0, NULL, 0) == 0;
}

static bool
present(const struct field_path *p, const void *in)
{
    bool is;

    return field_path_get(p, in, &is) != NULL && is;
}

static bool
holds(const struct check *c, const struct check_state *s, const void *in)
{
    const char *text;
    int64_t v;

    switch (c->kind) {
    case CHECK_NEED:
        return field_path_given(&s->a, in);
    case CHECK_NEED_IN:
        return around_is_absent(&s->a, in) || field_path_given(&s->a, in);
    case CHECK_PRESENT:
        return present(&s->a, in);
    case CHECK_MATCH:
        return matches(s, in);
    case CHECK_MAX_BYTES:
        text = text_of(&s->a, in);
        return text == NULL || (int64_t)strlen(text) <= c->hi;
    case CHECK_RANGE:
        return !number_of(&s->a, in, &v) || (v >= c->lo && v <= c->hi);
    case CHECK_ANY_OF:
        return field_path_given(&s->a, in) || field_path_given(&s->b, in);
    case CHECK_NOT_BOTH:
        return !(field_path_given(&s->a, in) && field_path_given(&s->b, in));
    case CHECK_FN:
        break;
    }
    return true;
}

enum err
checks_run(struct req *r, const struct checks *c, const void *in)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct check *check = &c->list[i];
        enum err e;

        if (check->kind == CHECK_FN) {
            e = check->fn(r, in);
            if (e != ERR_OK)
                return e;
        } else if (!holds(check, &(*c->state)[i], in)) {
            return req_fail(r, check->error, ARGS(arg("member", check->a)));
        }
    }
    return ERR_OK;
}
