/* GTIDs and sets of them: MariaDB's last one of each domain, MySQL's intervals
 * of each server. */
#include "gtid.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hex.h"
#include "number.h"

#define PARTS_MAX 100000 /* domains, servers or intervals of a set */

void
binlog_gtid_text(const struct binlog_gtid *g, char out[BINLOG_GTID_MAX])
{
    char uuid[UUID_TEXT];

    if (g->is_uuid) {
        uuid_write(g->uuid, uuid);
        (void)snprintf(out, BINLOG_GTID_MAX, "%s:%" PRIu64, uuid, g->seq);
    } else {
        (void)snprintf(out, BINLOG_GTID_MAX, "%u-%u-%" PRIu64, g->domain,
                       g->server, g->seq);
    }
}

/* ---- sets ---- */

struct binlog_gtids *
binlog_gtids_new(void)
{
    return calloc(1, sizeof(struct binlog_gtids));
}

void
gtids_clear(struct binlog_gtids *s)
{
    for (size_t i = 0; i < s->n_servers; i++)
        free(s->server[i].span);
    free(s->server);
    free(s->domain);
    *s = (struct binlog_gtids){ 0 };
}

void
binlog_gtids_free(struct binlog_gtids *s)
{
    if (s == NULL)
        return;
    gtids_clear(s);
    free(s);
}

bool
binlog_gtids_empty(const struct binlog_gtids *s)
{
    return s->n_domains == 0 && s->n_servers == 0;
}

/* Room for one more of an array, which may move. */
static enum err
grow(void *array, size_t size, size_t n, size_t *cap)
{
    void **at = array;
    size_t more = *cap == 0 ? 4 : *cap * 2;
    void *p;

    if (n < *cap)
        return ERR_OK;
    if (n >= PARTS_MAX)
        return ERR_LIMIT;
    p = reallocarray(*at, more, size);
    if (p == NULL)
        return ERR_NOMEM;
    *at = p;
    *cap = more;
    return ERR_OK;
}

/* ---- MariaDB ---- */

/* The first whose domain is not lower. */
static size_t
domain_at(const struct binlog_gtids *s, uint32_t domain)
{
    size_t low = 0, high = s->n_domains;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (s->domain[mid].domain < domain)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct binlog_gtid *
gtids_domain(const struct binlog_gtids *s, uint32_t domain)
{
    size_t i = domain_at(s, domain);

    return i < s->n_domains && s->domain[i].domain == domain ? &s->domain[i]
                                                             : NULL;
}

static enum err
add_domain(struct binlog_gtids *s, const struct binlog_gtid *g)
{
    size_t i = domain_at(s, g->domain);
    enum err e;

    if (i < s->n_domains && s->domain[i].domain == g->domain) {
        s->domain[i] = *g;
        return ERR_OK;
    }
    e = grow(&s->domain, sizeof(*s->domain), s->n_domains, &s->cap_domains);
    if (e != ERR_OK)
        return e;
    memmove(s->domain + i + 1, s->domain + i,
            (s->n_domains - i) * sizeof(*s->domain));
    s->domain[i] = *g;
    s->n_domains++;
    return ERR_OK;
}

/* ---- MySQL ---- */

static struct gtid_server *
find_server(const struct binlog_gtids *s, const uint8_t uuid[16])
{
    for (size_t i = 0; i < s->n_servers; i++)
        if (memcmp(s->server[i].uuid, uuid, 16) == 0)
            return &s->server[i];
    return NULL;
}

/* The first span that ends at or behind seq. */
static size_t
span_at(const struct gtid_server *sv, uint64_t seq)
{
    size_t low = 0, high = sv->n;

    if (high > 0 && sv->span[high - 1].last < seq) /* as a rule */
        return high;
    while (low < high) {
        size_t mid = (low + high) / 2;

        if (sv->span[mid].last < seq)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static enum err
insert_span(struct binlog_gtids *s, struct gtid_server *sv, size_t i,
            struct gtid_span x)
{
    enum err e = s->n_spans >= PARTS_MAX
                     ? ERR_LIMIT
                     : grow(&sv->span, sizeof(x), sv->n, &sv->cap);

    if (e != ERR_OK)
        return e;
    memmove(sv->span + i + 1, sv->span + i, (sv->n - i) * sizeof(x));
    sv->span[i] = x;
    sv->n++;
    s->n_spans++;
    return ERR_OK;
}

enum err
gtids_add_span(struct binlog_gtids *s, const uint8_t uuid[16], uint64_t first,
               uint64_t last)
{
    struct gtid_server *sv = find_server(s, uuid);
    size_t i, end;
    enum err e;

    if (first == 0 || last < first || last >= INT64_MAX)
        return ERR_BAD_PARAM;
    if (sv == NULL) {
        e = grow(&s->server, sizeof(*s->server), s->n_servers, &s->cap_servers);
        if (e != ERR_OK)
            return e;
        sv = &s->server[s->n_servers++];
        *sv = (struct gtid_server){ 0 };
        memcpy(sv->uuid, uuid, 16);
    }
    i = span_at(sv, first - 1); /* one that it continues, too */
    if (i == sv->n || sv->span[i].first > last + 1)
        return insert_span(s, sv, i, (struct gtid_span){ first, last });
    if (first < sv->span[i].first)
        sv->span[i].first = first;
    for (end = i + 1; end < sv->n && sv->span[end].first <= last + 1; end++)
        continue;
    if (sv->span[end - 1].last > last)
        last = sv->span[end - 1].last;
    sv->span[i].last = last;
    memmove(sv->span + i + 1, sv->span + end,
            (sv->n - end) * sizeof(*sv->span));
    sv->n -= end - i - 1;
    s->n_spans -= end - i - 1;
    return ERR_OK;
}

static bool
has_span(const struct binlog_gtids *s, const uint8_t uuid[16],
         struct gtid_span x)
{
    const struct gtid_server *sv = find_server(s, uuid);
    size_t i = sv != NULL ? span_at(sv, x.first) : 0;

    return sv != NULL && i < sv->n && sv->span[i].first <= x.first &&
           x.last <= sv->span[i].last;
}

bool
gtids_within(const struct binlog_gtids *part, const struct binlog_gtids *all)
{
    for (size_t i = 0; i < part->n_servers; i++)
        for (size_t k = 0; k < part->server[i].n; k++)
            if (!has_span(all, part->server[i].uuid, part->server[i].span[k]))
                return false;
    return true;
}

static enum err
meet_spans(struct binlog_gtids *out, const struct gtid_server *a,
           const struct gtid_server *b)
{
    enum err e = ERR_OK;

    for (size_t i = 0, k = 0; i < a->n && k < b->n && e == ERR_OK;) {
        struct gtid_span x = a->span[i], y = b->span[k];
        uint64_t first = x.first > y.first ? x.first : y.first;
        uint64_t last = x.last < y.last ? x.last : y.last;

        if (first <= last)
            e = gtids_add_span(out, a->uuid, first, last);
        if (x.last < y.last)
            i++;
        else
            k++;
    }
    return e;
}

/* ---- both ---- */

bool
binlog_gtids_within(const struct binlog_gtids *part,
                    const struct binlog_gtids *all)
{
    for (size_t i = 0; i < part->n_domains; i++)
        if (!binlog_gtids_have(all, &part->domain[i]))
            return false;
    return gtids_within(part, all);
}

enum err
binlog_gtids_meet(struct binlog_gtids *s, const struct binlog_gtids *with)
{
    struct binlog_gtids both = { 0 };
    enum err e = ERR_OK;

    for (size_t i = 0; i < s->n_domains && e == ERR_OK; i++) {
        const struct binlog_gtid *g = &s->domain[i];
        const struct binlog_gtid *o = gtids_domain(with, g->domain);

        if (o != NULL)
            e = add_domain(&both, o->seq < g->seq ? o : g);
    }
    for (size_t i = 0; i < s->n_servers && e == ERR_OK; i++) {
        const struct gtid_server *o = find_server(with, s->server[i].uuid);

        if (o != NULL)
            e = meet_spans(&both, &s->server[i], o);
    }
    if (e != ERR_OK) {
        gtids_clear(&both);
        return e;
    }
    gtids_clear(s);
    *s = both;
    return ERR_OK;
}

enum err
binlog_gtids_add(struct binlog_gtids *s, const struct binlog_gtid *g)
{
    if (g->is_uuid ? s->n_domains > 0 : s->n_servers > 0)
        return ERR_BAD_PARAM;
    return g->is_uuid ? gtids_add_span(s, g->uuid, g->seq, g->seq)
                      : add_domain(s, g);
}

bool
binlog_gtids_have(const struct binlog_gtids *s, const struct binlog_gtid *g)
{
    const struct binlog_gtid *d;

    if (g->is_uuid)
        return has_span(s, g->uuid, (struct gtid_span){ g->seq, g->seq });
    d = gtids_domain(s, g->domain);
    return d != NULL && d->seq >= g->seq;
}

enum err
binlog_gtids_copy(struct binlog_gtids *to, const struct binlog_gtids *from)
{
    enum err e = ERR_OK;

    gtids_clear(to);
    for (size_t i = 0; i < from->n_domains && e == ERR_OK; i++)
        e = add_domain(to, &from->domain[i]);
    for (size_t i = 0; i < from->n_servers; i++)
        for (size_t k = 0; k < from->server[i].n && e == ERR_OK; k++)
            e = gtids_add_span(to, from->server[i].uuid,
                               from->server[i].span[k].first,
                               from->server[i].span[k].last);
    if (e != ERR_OK)
        gtids_clear(to);
    return e;
}

void
binlog_gtids_print(const struct binlog_gtids *s, struct buf *out)
{
    const char *comma = "";
    char text[BINLOG_GTID_MAX];

    for (size_t i = 0; i < s->n_domains; i++, comma = ",") {
        binlog_gtid_text(&s->domain[i], text);
        buf_puts(out, comma);
        buf_puts(out, text);
    }
    for (size_t i = 0; i < s->n_servers; i++, comma = ",") {
        const struct gtid_server *sv = &s->server[i];

        buf_puts(out, comma);
        uuid_write(sv->uuid, text);
        buf_puts(out, text);
        for (size_t k = 0; k < sv->n; k++) {
            buf_putc(out, ':');
            buf_u64(out, sv->span[k].first);
            if (sv->span[k].last == sv->span[k].first)
                continue;
            buf_putc(out, '-');
            buf_u64(out, sv->span[k].last);
        }
    }
}

/* ---- reading ---- */

static void
skip_spaces(const char **p)
{
    *p += strspn(*p, " \n\r\t");
}

static enum err
read_server(struct binlog_gtids *s, const char **p)
{
    uint8_t uuid[16];
    enum err e = ERR_BAD_PARAM;

    if (s->n_domains > 0 || !uuid_read(*p, uuid))
        return ERR_BAD_PARAM;
    *p += UUID_TEXT - 1;
    for (;;) {
        uint64_t first, last;

        skip_spaces(p);
        if (**p != ':')
            return e; /* without a first one: what is left of a bad text */
        (*p)++;
        skip_spaces(p);
        if (!number_take(p, NULL, INT64_MAX, &first))
            return ERR_BAD_PARAM;
        last = first;
        if (**p == '-') {
            (*p)++;
            if (!number_take(p, NULL, INT64_MAX, &last))
                return ERR_BAD_PARAM;
        }
        e = gtids_add_span(s, uuid, first, last);
        if (e != ERR_OK)
            return e;
    }
}

/* MariaDB's; *p may be behind the end when it is none. */
static bool
read_gtid(const char **p, struct binlog_gtid *g)
{
    uint64_t domain, server;

    *g = (struct binlog_gtid){ 0 };
    if (!number_take(p, NULL, UINT32_MAX, &domain) || *(*p)++ != '-' ||
        !number_take(p, NULL, UINT32_MAX, &server) || *(*p)++ != '-' ||
        !number_take(p, NULL, UINT64_MAX, &g->seq))
        return false;
    g->domain = (uint32_t)domain;
    g->server = (uint32_t)server;
    return true;
}

static enum err
read_domain(struct binlog_gtids *s, const char **p)
{
    struct binlog_gtid g;

    return s->n_servers == 0 && read_gtid(p, &g) &&
                   gtids_domain(s, g.domain) == NULL
               ? add_domain(s, &g)
               : ERR_BAD_PARAM;
}

bool
binlog_gtid_of(const char *list, int64_t domain, struct binlog_gtid *out)
{
    for (const char *p = list; p != NULL; p = strchr(p, ',')) {
        p += *p == ',';
        skip_spaces(&p);
        const char *end = p;

        if (!read_gtid(&end, out) || out->domain != domain)
            continue;
        skip_spaces(&end);
        if (*end == ',' || *end == '\0')
            return true;
    }
    *out = (struct binlog_gtid){ 0 };
    return false;
}

/* Which of the two it is: a UUID has 8 hex digits before its first dash, and
 * a colon behind it. */
static bool
is_uuid_at(const char *p)
{
    size_t dash = strcspn(p, "-,");

    return dash == 8 && p[strcspn(p, ":,")] == ':';
}

enum err
binlog_gtids_parse(struct binlog_gtids *s, const char *text)
{
    const char *p = text;
    enum err e = ERR_OK;

    gtids_clear(s);
    skip_spaces(&p);
    while (*p != '\0' && e == ERR_OK) {
        e = is_uuid_at(p) ? read_server(s, &p) : read_domain(s, &p);
        if (e != ERR_OK)
            break; /* p may be behind the end */
        skip_spaces(&p);
        if (*p == '\0')
            break;
        e = *p++ == ',' ? ERR_OK : ERR_BAD_PARAM;
        skip_spaces(&p);
        if (*p == '\0')
            e = ERR_BAD_PARAM; /* a comma at the end */
    }
    if (e != ERR_OK)
        gtids_clear(s);
    return e;
}

/* ---- packed ---- */

static void
put_le64(struct buf *out, uint64_t v)
{
    char bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(v >> (8 * i));
    buf_put(out, bytes, sizeof(bytes));
}

void
gtids_pack(const struct binlog_gtids *s, struct buf *out)
{
    put_le64(out, s->n_servers);
    for (size_t i = 0; i < s->n_servers; i++) {
        buf_put(out, (const char *)s->server[i].uuid, 16);
        put_le64(out, s->server[i].n);
        for (size_t k = 0; k < s->server[i].n; k++) {
            put_le64(out, s->server[i].span[k].first);
            put_le64(out, s->server[i].span[k].last + 1);
        }
    }
}

enum err
gtids_unpack(struct binlog_gtids *s, struct cursor *c)
{
    uint64_t servers = take_le(c, 8);
    enum err e = ERR_OK;

    /* a set with tags, MySQL 8.3, has a mark in the highest byte */
    for (uint64_t i = 0; i < servers && e == ERR_OK && !c->cut; i++) {
        const uint8_t *uuid = take(c, 16);
        uint64_t spans = take_le(c, 8);

        for (uint64_t k = 0; k < spans && e == ERR_OK && !c->cut; k++) {
            uint64_t first = take_le(c, 8), end = take_le(c, 8);

            if (!c->cut)
                e = gtids_add_span(s, uuid, first, end - 1);
        }
    }
    return e == ERR_OK && c->cut ? ERR_BAD_PARAM : e;
}
