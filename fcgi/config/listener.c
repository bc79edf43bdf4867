/* The listeners of all dialects: a dialect's row says where one listens, a key
 * of [listen] moves it. */
#include "listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "config.h"
#include "place.h"

size_t
listener_name_bytes(const char *id)
{
    return strcspn(id, "/");
}

const char *
listener_tail(const char *id)
{
    const char *slash = id + listener_name_bytes(id);

    return *slash != '\0' ? slash + 1 : "";
}

bool
listener_is(const char *id, const char *name)
{
    size_t n = strlen(name);

    return strncmp(id, name, n) == 0 && (id[n] == '\0' || id[n] == '/');
}

/* The i-th element of a list; an empty one when there is none. */
static struct span
list_piece(const char *list, size_t i)
{
    struct span s;

    while (config_list_next(&list, &s))
        if (i-- == 0)
            return s;
    return (struct span){ "", 0 };
}

static size_t
machines_of(const struct listener *l)
{
    return l->machine == EACH_MACHINE ? PLACE_MACHINES : 1;
}

/* The key that moves it: its name, '_' for '-'. */
static void
set_key(struct listening *out)
{
    (void)snprintf(out->key, sizeof(out->key), "%s", out->row->name);
    for (char *p = out->key; *p != '\0'; p++)
        *p = *p == '-' ? '_' : *p;
    if (config_text("listen", out->key) == NULL)
        out->key[0] = '\0';
}

/* The m-th of what a row of the table stands for. */
static enum err
describe(const struct listener *table, const struct listener *row, size_t m,
         struct listening *out)
{
    const char *set = NULL;
    char own[PLACE_MACHINE_BYTES];
    struct span piece;
    int n = 0;

    *out = (struct listening){ .row = row, .rank = m, .machine = row->machine };
    for (const struct listener *l = table; l < row; l++)
        if (strcmp(l->name, row->name) == 0)
            out->rank += machines_of(l);
    if (row->machine == EACH_MACHINE)
        out->machine = (unsigned)m + 1;
    (void)place_machine(out->machine, own);
    (void)snprintf(out->id, sizeof(out->id), "%s%s%s", row->name,
                   row->machine == EACH_MACHINE || !str_empty(row->tail) ? "/"
                                                                         : "",
                   row->machine == EACH_MACHINE ? own : row->tail);
    set_key(out);
    if (!str_empty(out->key))
        set = config_text("listen", out->key);
    if (set != NULL && strcmp(set, "off") == 0)
        return ERR_STATE;
    piece = list_piece(set != NULL ? set : "", out->rank);
    if (piece.n == 3 && memcmp(piece.p, "off", 3) == 0)
        return ERR_STATE;
    if (piece.n > 0)
        n = snprintf(out->address, sizeof(out->address), "%.*s", (int)piece.n,
                     piece.p);
    else
        (void)address_print(own, (int)row->port, out->address,
                            sizeof(out->address));
    return n >= 0 && (size_t)n < sizeof(out->address) ? ERR_OK : ERR_LIMIT;
}

enum err
listener_at(size_t i, struct listening *out)
{
    for (size_t d = 0; dialects[d] != NULL; d++) {
        const struct listener *table = dialects[d]->listeners, *l = table;

        for (; l != NULL && l->name != NULL; i -= machines_of(l), l++)
            if (i < machines_of(l))
                return describe(table, l, i, out);
    }
    return ERR_NOT_FOUND;
}

enum err
listener_named(const char *name, size_t i, struct listening *out)
{
    for (size_t d = 0; dialects[d] != NULL; d++) {
        const struct listener *table = dialects[d]->listeners, *l = table;

        for (; l != NULL && l->name != NULL; l++) {
            if (strcmp(l->name, name) != 0)
                continue;
            if (i < machines_of(l))
                return describe(table, l, i, out);
            i -= machines_of(l);
        }
    }
    return ERR_NOT_FOUND;
}
