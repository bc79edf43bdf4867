/* What compilers cannot see about the tables. A mistake ends the process at
 * start-up and fails a unit test. */
#include "tables.h"

#include <string.h>

#include "checks.h"
#include "config/config_rows.h"
#include "log.h"
#include "listener.h"
#include "route.h"

const struct record NOT_SPOKEN_rec = { "NOT_SPOKEN", sizeof(struct none), NULL,
                                       0 };
NO_CHECKS(NOT_SPOKEN);
NO_CHECKS(none);

/* Classes that may reach a client although no handler has worded them. */
static const enum err must_have[] = { ERR_STORE, ERR_TIMEOUT, ERR_BUSY,
                                      ERR_NOMEM, ERR_INTERNAL };

static size_t mistakes;

#define MISTAKE(...)                              \
    do {                                          \
        log_error("tables.mistake " __VA_ARGS__); \
        mistakes++;                               \
    } while (0)

static void
check_defaults(const struct dialect *d)
{
    for (size_t i = 0; i < COUNT(must_have); i++)
        if (d->by_class[must_have[i]].id == NULL)
            MISTAKE("dialect=%s no DEFAULT row for class %s", d->name,
                    err_name(must_have[i]));
}

static void
check_errors(const struct dialect *d)
{
    for (size_t i = 0; i < d->n_errors; i++)
        if (d->errors[i].id == NULL || d->errors[i].text == NULL)
            MISTAKE("dialect=%s error %zu has no row", d->name, i);
    for (const struct unique_text *u = d->uniques; u->index != NULL; u++)
        if (u->error < 0 || (size_t)u->error >= d->n_errors)
            MISTAKE("dialect=%s UNIQUE %s has no error", d->name, u->index);
}

static void
check_list(const struct dialect *d, const struct checks *c)
{
    if (c == NULL)
        return;
    if (checks_resolve(c) != ERR_OK)
        mistakes++;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].kind != CHECK_FN &&
            (c->list[i].error < 0 || (size_t)c->list[i].error >= d->n_errors))
            MISTAKE("dialect=%s list=%s check %zu has no error", d->name,
                    c->name, i);
}

static bool
has_capture(const char *path, const char *key)
{
    const char *p = path;
    size_t n = strlen(key);

    while ((p = strchr(p, '{')) != NULL) {
        p++;
        if (strncmp(p, key, n) == 0 && p[n] == '}')
            return true;
    }
    return false;
}

static void
check_endpoint(const struct dialect *d, const struct row *mount,
               const struct row *row)
{
    if (row->path[0] != '/' && strcmp(row->path, "*") != 0)
        MISTAKE("dialect=%s path %s has no leading slash", d->name, row->path);
    for (size_t i = 0; i < row->in->n; i++)
        if ((row->in->fields[i].flags & PATH) != 0 &&
            !has_capture(row->path, row->in->fields[i].key))
            MISTAKE("dialect=%s path %s lacks {%s}", d->name, row->path,
                    row->in->fields[i].key);
    if (strcmp(row->verb, "-") != 0 && d->classify == NULL)
        MISTAKE("dialect=%s verb %s without classify", d->name, row->verb);
    if ((row->flags & LEADER_ONLY) != 0 && d->leader == NULL)
        MISTAKE("dialect=%s %s is LEADER_ONLY without leader", d->name,
                row->path);
    if ((row->flags & ASYNC) != 0 &&
        ((row->flags & TX) == 0 || mount->form->accept == NULL))
        MISTAKE("dialect=%s verb %s is ASYNC without TX or accept", d->name,
                row->verb);
    check_list(d, row->checks);
}

static bool
known_listener(const char *name)
{
    struct listening l;

    return listener_named(name, 0, &l) != ERR_NOT_FOUND;
}

static void
check_mount(const struct dialect *d, const struct row *row)
{
    if (!known_listener(row->listener))
        MISTAKE("dialect=%s MOUNT %s is no listener", d->name, row->listener);
    if (row->auth == AUTH_BASIC && d->basic == NULL)
        MISTAKE("dialect=%s MOUNT %s wants Basic without basic", d->name,
                row->listener);
}

/* The method that stands before a path ("PUT:/a"), and how long it is with
 * its colon; 0 and any method when there is none. */
static size_t
method_before(const char *name, size_t n, unsigned *methods)
{
    static const struct {
        const char *name;
        unsigned bit;
    } all[] = { { "GET:", GET },
                { "POST:", POST },
                { "PUT:", PUT },
                { "DELETE:", DELETE } };

    *methods = ANY;
    for (size_t i = 0; i < COUNT(all); i++) {
        size_t m = strlen(all[i].name);

        if (n > m && memcmp(name, all[i].name, m) == 0) {
            *methods = all[i].bit;
            return m;
        }
    }
    return 0;
}

const struct row *
tables_example(const struct dialect *d, const struct row *row)
{
    const char *name = strcmp(row->verb, "-") != 0 ? row->verb : row->path;
    const struct row *any = NULL;

    for (size_t i = 0; i < d->n_rows; i++) {
        const struct row *x = &d->rows[i];
        unsigned methods;
        size_t m;

        if (x->kind != ROW_EXAMPLE)
            continue;
        m = method_before(x->path, strlen(x->path), &methods);
        if (strcmp(x->path + m, name) != 0)
            continue;
        if (m > 0 && (methods & row->methods) != 0)
            return x;
        if (m == 0 && any == NULL)
            any = x;
    }
    return any;
}

/* "a" of paths or verbs, without the variant of its example ("/a#empty"). */
static bool
names_row(const struct dialect *d, const char *name, size_t n)
{
    const char *variant = memchr(name, '#', n);
    unsigned methods;
    size_t m;

    if (variant != NULL)
        n = (size_t)(variant - name);
    m = method_before(name, n, &methods);
    name += m;
    n -= m;
    for (size_t i = 0; i < d->n_rows; i++) {
        const struct row *row = &d->rows[i];

        if (row->kind != ROW_ENDPOINT || (row->methods & methods) == 0)
            continue;
        if (strlen(row->path) == n && memcmp(row->path, name, n) == 0)
            return true;
        if (strlen(row->verb) == n && memcmp(row->verb, name, n) == 0)
            return true;
    }
    return false;
}

static void
check_example(const struct dialect *d, const struct row *row)
{
    const char *p = row->setup;

    if (!names_row(d, row->path, strlen(row->path)))
        MISTAKE("dialect=%s EXAMPLE of unknown %s", d->name, row->path);
    while (*(p += strspn(p, " ")) != '\0') {
        size_t n = strcspn(p, " ");

        if (!names_row(d, p, n))
            MISTAKE("dialect=%s EXAMPLE %s needs unknown %.*s", d->name,
                    row->path, (int)n, p);
        p += n;
    }
}

static void
check_record(const struct dialect *d, const struct record *rec)
{
    struct bind_error why;

    if (record_verify(rec, &why) != ERR_OK)
        MISTAKE("dialect=%s field=%s %s", d->name, why.field, why.reason);
}

static void
check_row(const struct dialect *d, const struct row *mount,
          const struct row *row)
{
    if (row->in != NULL)
        check_record(d, row->in);
    if (row->out != NULL)
        check_record(d, row->out);
    switch (row->kind) {
    case ROW_MOUNT:
        check_mount(d, row);
        break;
    case ROW_ENDPOINT:
        check_endpoint(d, mount, row);
        break;
    case ROW_VARIANT:
        check_list(d, row->checks);
        break;
    case ROW_ALSO_OUT:
        if (!names_row(d, row->path, strlen(row->path)))
            MISTAKE("dialect=%s ALSO_OUT of unknown %s", d->name, row->path);
        break;
    case ROW_EXAMPLE:
        check_example(d, row);
        break;
    }
}

/* A key that two tables have would be set in one of them only. */
static void
check_keys(void)
{
    const struct conf_row *row;

    for (size_t i = 0; (row = config_row(i)) != NULL; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(config_row(k)->name, row->name) == 0)
                MISTAKE("key %s is in two tables", row->name);
}

enum err
tables_verify(void)
{
    mistakes = 0;
    check_keys();
    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct dialect *d = dialects[i];
        const struct row *mount = NULL;

        check_defaults(d);
        check_errors(d);
        for (size_t k = 0; k < d->n_rows; k++) {
            if (d->rows[k].kind == ROW_MOUNT)
                mount = &d->rows[k];
            check_row(d, mount, &d->rows[k]);
        }
    }
    return mistakes == 0 ? ERR_OK : ERR_INTERNAL;
}

size_t
tables_row(const struct dialect *d, const struct row *row)
{
    size_t base = 0;

    for (size_t i = 0; dialects[i] != d; i++)
        base += dialects[i]->n_rows;
    return base + (size_t)(row - d->rows);
}

size_t
tables_rows(void)
{
    size_t n = 0;

    for (size_t i = 0; dialects[i] != NULL; i++)
        n += dialects[i]->n_rows;
    return n;
}

uint64_t
tables_sum(void)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; dialects[i] != NULL; i++)
        for (size_t k = 0; k < dialects[i]->n_rows; k++)
            for (const char *p = dialects[i]->rows[k].path;
                 p != NULL && *p != '\0'; p++)
                h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    return h;
}
