/* Output: the one door to libsmartcols. */
#include "show.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols/libsmartcols.h>

#include "clock.h"

#define COLUMNS_MAX 24
#define CELL_BYTES  512

struct column {
    char head[32];
    char member[64];
    char how[8]; /* "level", "ms", "age", "right", "" */
};

static int
no_memory(void)
{
    (void)fprintf(stderr, "metagate: no memory\n");
    return CLI_FAILED;
}

/* ---- JSON ---- */

static int
put_out(const struct buf *b)
{
    if (buf_err(b) != ERR_OK)
        return no_memory();
    (void)fwrite(b->p, 1, b->n, stdout);
    if (b->n == 0 || b->p[b->n - 1] != '\n')
        (void)putchar('\n');
    return CLI_OK;
}

/* The reply as it came; of several pages the rows of all of them. */
static int
show_json(const struct order *o, const struct outcome *out)
{
    struct buf b = BUF_INIT((size_t)1 << 30);
    struct json_writer w;
    struct span s;
    int status;

    jw_init(&w, &b, &json_readable);
    if (o->verb->rows != NULL && (o->verb->flags & VERB_PAGES) != 0 &&
        !o->dry_run) {
        jw_object(&w);
        jw_key(&w, "items");
        jw_array(&w);
        for (size_t i = 0; i < out->rows; i++) {
            s = json_span(out->row[i]);
            jw_raw(&w, s.p, s.n);
        }
        jw_array_end(&w);
        jw_object_end(&w);
    } else if (out->reply != NULL) {
        s = json_span(out->reply);
        jw_raw(&w, s.p, s.n);
    } else {
        jw_object(&w);
        jw_object_end(&w);
    }
    status = put_out(&b);
    buf_free(&b);
    return status;
}

/* ---- cells ---- */

/* What would move the cursor or colour a terminal is shown as '?'. */
static void
put_plain(char out[CELL_BYTES], const char *text, size_t n)
{
    size_t k = 0;

    for (; k < n && k < CELL_BYTES - 1; k++)
        out[k] =
            (unsigned char)text[k] < 0x20 || text[k] == 0x7f ? ' ' : text[k];
    while (k > 0 && k == CELL_BYTES - 1 &&
           ((unsigned char)out[k - 1] & 0xc0) == 0x80)
        k--; /* cut between two characters */
    if (k > 0 && k >= CELL_BYTES - 4 && ((unsigned char)out[k - 1] & 0x80) != 0)
        k--;
    out[k] = '\0';
}

/* JSON on one line: a line's end and the blanks behind it are its writer's, for
 * within a text there is none. */
static void
put_json(char out[CELL_BYTES], struct span s)
{
    char line[CELL_BYTES];
    size_t k = 0;

    for (size_t i = 0; i < s.n && k < sizeof(line); i++) {
        if (s.p[i] == '\n')
            while (i + 1 < s.n && s.p[i + 1] == ' ')
                i++;
        else
            line[k++] = s.p[i];
    }
    put_plain(out, line, k);
}

static void
put_age(char out[CELL_BYTES], int64_t ms)
{
    int64_t s = ms < 0 ? 0 : ms / 1000;

    if (s < 120)
        (void)snprintf(out, CELL_BYTES, "%llds", (long long)s);
    else if (s < 7200)
        (void)snprintf(out, CELL_BYTES, "%lldm", (long long)(s / 60));
    else if (s < 172800)
        (void)snprintf(out, CELL_BYTES, "%lldh", (long long)(s / 3600));
    else
        (void)snprintf(out, CELL_BYTES, "%lldd", (long long)(s / 86400));
}

static void
fill_cell(const struct column *c, const struct json *row, char out[CELL_BYTES])
{
    const struct json *j = member_at(row, c->member);
    const char *text;
    int64_t v;

    out[0] = '\0';
    if (j == NULL || json_type(j) == JSON_NULL)
        return;
    if (json_type(j) >= JSON_ARRAY) {
        put_json(out, json_span(j));
        return;
    }
    text = json_text(j);
    put_plain(out, text, strlen(text));
    if (json_type(j) != JSON_NUMBER ||
        json_to_i64(json_text(j), false, &v) != ERR_OK)
        return;
    if (strcmp(c->how, "ms") == 0)
        (void)clock_text(v / 1000, out);
    else if (strcmp(c->how, "s") == 0)
        (void)clock_text(v, out);
    else if (strcmp(c->how, "age") == 0)
        put_age(out, clock_unix_ms() - v);
    else if (strcmp(c->how, "span") == 0)
        put_age(out, v);
}

/* ---- tables ---- */

/* "ID=id,STATE=state:level,+WHY=why" */
static size_t
read_columns(const char *text, bool wide, struct column *out)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0' && n < COLUMNS_MAX;) {
        size_t len = strcspn(p, ",");
        bool more = *p == '+';

        out[n] = (struct column){ 0 };
        if (sscanf(p + more, "%31[^=]=%63[^:,]:%7[^,]", out[n].head,
                   out[n].member, out[n].how) >= 2 &&
            (wide || !more))
            n++;
        p += len + (p[len] == ',');
    }
    return n;
}

static bool
coloured(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && str_empty(getenv("NO_COLOR")) &&
           !str_empty(term) && strcmp(term, "dumb") != 0;
}

static const char *
colour_of(const char *level)
{
    static const struct {
        const char *word, *colour;
    } of[] = { { "bad", "red" },     { "failed", "red" },
               { "warn", "yellow" }, { "cancelled", "yellow" },
               { "ok", "green" },    { "done", "green" } };

    for (size_t i = 0; i < COUNT(of); i++)
        if (strcmp(of[i].word, level) == 0)
            return of[i].colour;
    return NULL;
}

static bool
is_number(const struct column *c)
{
    return strcmp(c->how, "right") == 0;
}

static int
new_columns(struct libscols_table *t, const struct column *c, size_t n,
            bool tree)
{
    for (size_t k = 0; k < n; k++) {
        int flags = is_number(&c[k]) ? SCOLS_FL_RIGHT : 0;

        if (tree && k == 0)
            flags |= SCOLS_FL_TREE;
        if (k == n - 1 && strcmp(c[k].head, "WHY") == 0)
            flags |= SCOLS_FL_WRAP;
        if (scols_table_new_column(t, c[k].head, 0, flags) == NULL)
            return no_memory();
    }
    return CLI_OK;
}

/* Which of the rows before `below` has this id; `below` when none has. Those of
 * one kind are in the order of what they lie below: the search goes on from
 * the last one that was found. */
static size_t
row_of(const struct outcome *out, const char *id, size_t below, size_t *last)
{
    const struct json *j;

    for (size_t i = 0; i < below; i++) {
        size_t at = (*last + i) % below;

        j = json_member(out->row[at], "id");
        if (j != NULL && strcmp(json_text(j), id) == 0)
            return *last = at;
    }
    return below;
}

static int
fill_line(struct libscols_line *l, const struct column *c, size_t n,
          const struct json *row, bool colours)
{
    char text[CELL_BYTES];

    for (size_t k = 0; k < n; k++) {
        const char *colour;

        fill_cell(&c[k], row, text);
        if (scols_line_set_data(l, k, text) != 0)
            return no_memory();
        colour =
            strcmp(c[k].how, "level") == 0 && colours ? colour_of(text) : NULL;
        if (colour != NULL)
            (void)scols_cell_set_color(scols_line_get_cell(l, k), colour);
    }
    return CLI_OK;
}

static int
fill_table(struct door *d, struct libscols_table *t, const struct order *o,
           const struct outcome *out)
{
    struct column c[COLUMNS_MAX];
    bool tree = (o->verb->flags & VERB_TREE) != 0, colours = coloured();
    size_t n = read_columns(o->verb->columns, o->form == FORM_WIDE, c);
    struct libscols_line **line =
        arena_array(d->arena, out->rows + 1, sizeof(struct libscols_line *));
    size_t last = 0;
    int status = line == NULL ? no_memory() : new_columns(t, c, n, tree);

    (void)scols_table_enable_colors(t, colours);
    for (size_t i = 0; i < out->rows && status == CLI_OK; i++) {
        const struct json *up =
            tree ? json_member(out->row[i], "parent") : NULL;
        size_t at = up != NULL ? row_of(out, json_text(up), i, &last) : i;

        line[i] = scols_table_new_line(t, at < i ? line[at] : NULL);
        status = line[i] == NULL
                     ? no_memory()
                     : fill_line(line[i], c, n, out->row[i], colours);
    }
    return status;
}

static int
print_table(struct libscols_table *t)
{
    return scols_print_table(t) == 0 ? CLI_OK : no_memory();
}

static int
show_rows(struct door *d, const struct order *o, const struct outcome *out)
{
    struct libscols_table *t = scols_new_table();
    int status = t == NULL ? no_memory() : fill_table(d, t, o, out);

    if (status == CLI_OK && out->rows > 0)
        status = print_table(t);
    scols_unref_table(t);
    if (out->rows == 0 && status == CLI_OK && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "%s\n",
                      o->verb->none != NULL ? o->verb->none : "none");
    return status;
}

static int
show_names(const struct order *o, const struct outcome *out)
{
    const struct json *j;

    for (size_t i = 0; i < out->rows; i++) {
        j = member_at(out->row[i], o->verb->name);
        if (j != NULL)
            (void)printf("%s\n", json_text(j));
    }
    return CLI_OK;
}

/* One thing: a line for each of its members, lists and objects as JSON. */
static int
fill_one(struct libscols_table *t, const struct json *one)
{
    char text[CELL_BYTES];

    if (scols_table_new_column(t, "member", 0, 0) == NULL ||
        scols_table_new_column(t, "value", 0, SCOLS_FL_WRAP) == NULL)
        return no_memory();
    (void)scols_table_enable_noheadings(t, 1);
    for (const struct json *j = json_first(one); j != NULL; j = json_next(j)) {
        struct libscols_line *l = scols_table_new_line(t, NULL);

        if (json_type(j) == JSON_STRING)
            put_plain(text, json_text(j), strlen(json_text(j)));
        else
            put_json(text, json_span(j));
        if (l == NULL || scols_line_set_data(l, 0, json_key(j)) != 0 ||
            scols_line_set_data(l, 1, text) != 0)
            return no_memory();
    }
    return CLI_OK;
}

static int
show_one(const struct order *o, const struct outcome *out)
{
    const struct json *one = member_at(out->reply, or_empty(o->verb->one));
    struct libscols_table *t;
    int status;

    if (one == NULL || json_type(one) != JSON_OBJECT ||
        json_first(one) == NULL) {
        if (out->reply == NULL && out->bytes > 0) /* a word */
            (void)printf("%s\n", out->text);
        else
            (void)printf("%s %s: done\n", o->verb->noun, o->verb->verb);
        return CLI_OK;
    }
    t = scols_new_table();
    status = t == NULL ? no_memory() : fill_one(t, one);
    if (status == CLI_OK)
        status = print_table(t);
    scols_unref_table(t);
    return status;
}

/* Widths of characters are the locale's: without one it is that of UTF-8. */
static void
settle_locale(void)
{
    if (setlocale(LC_CTYPE, "") == NULL ||
        strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
}

int
show(struct door *d, const struct order *o, const struct outcome *out)
{
    settle_locale();
    if ((o->verb->flags & VERB_RAW) != 0) {
        (void)fwrite(out->text, 1, out->bytes, stdout);
        return CLI_OK;
    }
    if (o->form == FORM_JSON || o->dry_run)
        return show_json(o, out);
    if (o->verb->rows == NULL)
        return show_one(o, out);
    return o->form == FORM_NAME ? show_names(o, out) : show_rows(d, o, out);
}
