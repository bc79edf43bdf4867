/* Requests by the rows of the table of verbs. */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "hex.h"
#include "http.h"
#include "judge.h"

#define URL_MAX   8192
#define BODY_MAX  ((size_t)64 << 20)
#define ROWS_PAGE 1000
#define ROWS_MAX  ((size_t)1000000)
#define LOOK_MS   500

const struct json *
member_at(const struct json *row, const char *dotted)
{
    char name[64];
    size_t n;

    for (const char *p = dotted; row != NULL && *p != '\0';
         p += n + (p[n] == '.')) {
        n = strcspn(p, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
        row = json_member(row, name);
    }
    return row;
}

/* ---- what is sent ---- */

/* The text of an argument; NULL: it is not given. */
static const char *
value_of(struct door *d, const struct order *o, size_t k)
{
    const struct verb_arg *a = &o->verb->args[k];
    char word[13];

    if (a->kind == ARG_FIXED)
        return a->doc;
    if (a->kind != ARG_FRESH)
        return o->value[k] == NULL || a->before == NULL
                   ? o->value[k]
                   : arena_printf(d->arena, "%s%s%s", a->before, o->value[k],
                                  or_empty(a->after));
    return hex_random(word, 6) == ERR_OK
               ? arena_printf(d->arena, "cli-%s", word)
               : NULL;
}

/* Whether the path has a part of that name. */
static bool
in_path(const struct verb *v, const char *member)
{
    char part[72];

    (void)snprintf(part, sizeof(part), "{%s}", member);
    return strstr(v->path, part) != NULL;
}

static bool
has_body(const struct verb *v)
{
    return strcmp(v->method, "GET") != 0 && strcmp(v->method, "DELETE") != 0;
}

static void
put_escaped(struct buf *b, const char *text)
{
    char escaped[3 * 1024];

    if (http_escape(text, false, escaped, sizeof(escaped)) == ERR_OK)
        buf_puts(b, escaped);
    else
        b->failed = true;
}

/* The value of the path's part, n bytes at name. */
static const char *
part_value(struct door *d, const struct order *o, const char *name, size_t n)
{
    const struct verb_arg *a = o->verb->args;

    for (size_t k = 0; a != NULL && a[k].name != NULL; k++)
        if (strlen(a[k].member) == n && memcmp(a[k].member, name, n) == 0)
            return value_of(d, o, k);
    return NULL;
}

static void
put_path(struct door *d, const struct order *o, struct buf *b)
{
    for (const char *p = o->verb->path; *p != '\0';) {
        size_t n = strcspn(p, "{");

        buf_put(b, p, n);
        p += n;
        if (*p == '\0')
            break;
        n = strcspn(++p, "}");
        put_escaped(b, or_empty(part_value(d, o, p, n)));
        p += n + 1;
    }
}

static void
put_param(struct buf *b, char *mark, const char *name, const char *value)
{
    buf_putc(b, *mark);
    buf_puts(b, name);
    buf_putc(b, '=');
    put_escaped(b, value);
    *mark = '&';
}

/* Base, path and query; cursor "": the first page. */
static enum err
build_url(struct door *d, const struct order *o, const char *base,
          const char *cursor, size_t page, const char **out)
{
    const struct verb_arg *a = o->verb->args;
    struct buf b = BUF_INIT(URL_MAX);
    char mark = '?', number[24];
    const char *value;

    buf_puts(&b, base);
    put_path(d, o, &b);
    for (size_t k = 0; a != NULL && a[k].name != NULL; k++) {
        if (has_body(o->verb) || in_path(o->verb, a[k].member) ||
            (value = value_of(d, o, k)) == NULL)
            continue;
        put_param(&b, &mark, a[k].member, a[k].kind == ARG_FLAG ? "1" : value);
    }
    if ((o->verb->flags & VERB_PAGES) != 0) {
        (void)snprintf(number, sizeof(number), "%zu", page);
        put_param(&b, &mark, "limit", number);
        if (!str_empty(cursor))
            put_param(&b, &mark, "cursor", cursor);
    }
    return buf_settle(&b, d->arena, out);
}

/* @FILE, - for standard input, else the text itself. */
static const char *
read_data(struct door *d, const char *given)
{
    struct buf b = BUF_INIT(BODY_MAX);
    char *text, piece[65536];
    const char *out = NULL;
    size_t n;

    if (given[0] == '@')
        return file_read(d->arena, given + 1, BODY_MAX, &text, &n) == ERR_OK
                   ? text
                   : NULL;
    if (strcmp(given, "-") != 0)
        return given;
    while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0)
        buf_put(&b, piece, n);
    return buf_settle(&b, d->arena, &out) == ERR_OK ? out : NULL;
}

static int
put_value(struct door *d, struct json_writer *w, const struct verb_arg *a,
          const char *value)
{
    const struct json *j;
    struct json_error why;
    const char *text;

    switch (a->kind) {
    case ARG_NUMBER:
    case ARG_FLAG:
        jw_raw(w, value, strlen(value));
        return CLI_OK;
    case ARG_JSON:
        text = read_data(d, value);
        if (text == NULL)
            return cli_complain(CLI_USAGE, value, "cannot be read");
        if (json_parse(d->arena, text, strlen(text), JSON_STRICT, &j, &why) !=
            ERR_OK)
            return cli_complain(CLI_USAGE, a->name, why.reason);
        jw_raw(w, text, strlen(text));
        return CLI_OK;
    default:
        jw_str(w, value);
        return CLI_OK;
    }
}

/* Whether an argument stands for that member of the whole, in its place. */
static bool
is_given(struct door *d, const struct order *o, const char *member)
{
    const struct verb_arg *a = o->verb->args;

    for (size_t k = 0; a != NULL && a[k].name != NULL; k++)
        if (a[k].kind != ARG_WHOLE && strcmp(a[k].member, member) == 0 &&
            value_of(d, o, k) != NULL)
            return true;
    return false;
}

/* The members of --data, but those that other arguments give. */
static int
put_whole(struct door *d, const struct order *o, struct json_writer *w,
          const char *given)
{
    const char *text = read_data(d, given);
    const struct json *j;
    struct json_error why;
    struct span s;

    if (text == NULL)
        return cli_complain(CLI_USAGE, given, "cannot be read");
    if (json_parse(d->arena, text, strlen(text), JSON_STRICT, &j, &why) !=
        ERR_OK)
        return cli_complain(CLI_USAGE, "--data", why.reason);
    if (json_type(j) != JSON_OBJECT)
        return cli_complain(CLI_USAGE, "--data", "must be a JSON object");
    for (j = json_first(j); j != NULL; j = json_next(j)) {
        if (is_given(d, o, json_key(j)))
            continue;
        s = json_span(j);
        jw_key(w, json_key(j));
        jw_raw(w, s.p, s.n);
    }
    return CLI_OK;
}

/* The members that lie directly in `outer` ("": the body). A member "a.b" is
 * one of the object a, which is written where its first one is met. */
static int
put_members(struct door *d, const struct order *o, struct json_writer *w,
            const char *outer)
{
    const struct verb_arg *a = o->verb->args;
    char begun[64] = "";
    int status = CLI_OK;

    for (size_t k = 0; a != NULL && a[k].name != NULL && status == CLI_OK;
         k++) {
        const char *dot = strchr(a[k].member, '.');
        size_t n = dot == NULL ? 0 : (size_t)(dot - a[k].member);
        const char *value = value_of(d, o, k);

        if (value == NULL || in_path(o->verb, a[k].member))
            continue;
        if (a[k].kind == ARG_WHOLE) {
            if (str_empty(outer))
                status = put_whole(d, o, w, value);
        } else if (dot == NULL && str_empty(outer)) {
            jw_key(w, a[k].member);
            status = put_value(d, w, &a[k], value);
        } else if (dot != NULL && strlen(outer) == n &&
                   memcmp(outer, a[k].member, n) == 0) {
            jw_key(w, dot + 1);
            status = put_value(d, w, &a[k], value);
        } else if (dot != NULL && str_empty(outer) &&
                   (strlen(begun) != n || memcmp(begun, a[k].member, n) != 0)) {
            (void)snprintf(begun, sizeof(begun), "%.*s", (int)n, a[k].member);
            jw_key(w, begun);
            jw_object(w);
            status = put_members(d, o, w, begun);
            jw_object_end(w);
        }
    }
    return status;
}

/* *out is NULL where there is no body. */
static int
build_body(struct door *d, const struct order *o, const char **out)
{
    struct buf b = BUF_INIT(BODY_MAX);
    struct json_writer w;
    int status;

    *out = NULL;
    if (!has_body(o->verb))
        return CLI_OK;
    jw_init(&w, &b, &json_compact);
    jw_object(&w);
    status = put_members(d, o, &w, "");
    jw_object_end(&w);
    if (status != CLI_OK) {
        buf_free(&b);
        return status;
    }
    return buf_settle(&b, d->arena, out) == ERR_OK
               ? CLI_OK
               : cli_complain(CLI_FAILED, "no memory", "");
}

/* ---- what came back ---- */

/* One request; its reply goes into the arena. */
static int
send_one(struct door *d, const struct order *o, const char *url,
         const char *body, char request_id[80], struct outcome *out)
{
    struct json_error why;
    struct answer a;
    int status;

    door_call(d, o->verb->method, url, body, o->dry_run, &a);
    out->bytes = a.body.n;
    out->text = arena_strndup(d->arena, buf_text(&a.body), a.body.n);
    out->reply = NULL;
    if (out->text != NULL && out->bytes > 0 &&
        json_parse(d->arena, out->text, out->bytes, JSON_OWN, &out->reply,
                   &why) != ERR_OK)
        out->reply = NULL;
    status = judge(o, &a, out->reply);
    (void)snprintf(request_id, 80, "%s", a.request_id);
    buf_free(&a.body);
    return out->text == NULL ? cli_complain(CLI_FAILED, "no memory", "")
                             : status;
}

/* The rows of a page behind those before it. */
static int
take_rows(struct door *d, const struct order *o, struct outcome *out,
          const struct json *page)
{
    const struct json *at = member_at(page, o->verb->rows), *j;
    const struct json **v;
    size_t n = out->rows;

    for (j = at != NULL ? json_first(at) : NULL; j != NULL; j = json_next(j))
        n++;
    if (o->limit > 0 && n > (size_t)o->limit)
        n = (size_t)o->limit;
    v = arena_array(d->arena, n + 1, sizeof(const struct json *));
    if (v == NULL || n > ROWS_MAX)
        return cli_complain(CLI_FAILED, "too much: say --limit", "");
    if (out->rows > 0)
        memcpy(v, out->row, out->rows * sizeof(const struct json *));
    out->row = v;
    for (j = at != NULL ? json_first(at) : NULL; j != NULL && out->rows < n;
         j = json_next(j))
        v[out->rows++] = j;
    return CLI_OK;
}

static size_t
page_of(const struct order *o, size_t have)
{
    size_t left = o->limit > 0 ? (size_t)o->limit - have : ROWS_PAGE;

    return left < ROWS_PAGE ? left : ROWS_PAGE;
}

static int
send_all(struct door *d, const struct order *o, const char *base,
         char request_id[80], struct outcome *out)
{
    const char *cursor = "", *url, *body;
    int status = build_body(d, o, &body);

    while (status == CLI_OK) {
        const struct json *next;

        if (build_url(d, o, base, cursor, page_of(o, out->rows), &url) !=
            ERR_OK)
            return cli_complain(CLI_USAGE, "the words are too long", "");
        status = send_one(d, o, url, body, request_id, out);
        if (status != CLI_OK || o->verb->rows == NULL || o->dry_run)
            break;
        status = take_rows(d, o, out, out->reply);
        next = out->reply == NULL ? NULL : json_member(out->reply, "next");
        if (next == NULL || (o->verb->flags & VERB_PAGES) == 0 ||
            (o->limit > 0 && out->rows >= (size_t)o->limit))
            break;
        cursor = json_text(next);
    }
    return status;
}

/* ---- waiting ---- */

/* A list of the console's: its first row; NULL: none, or no answer now. */
static const struct json *
look(struct door *d, const char *path, const char *name, const char *value)
{
    const struct json *reply, *items;
    struct json_error why;
    struct buf b = BUF_INIT(URL_MAX);
    struct answer a;
    const char *url, *text;
    char mark = strchr(path, '?') == NULL ? '?' : '&';

    buf_puts(&b, d->console);
    buf_puts(&b, path);
    if (!str_empty(name))
        put_param(&b, &mark, name, value);
    if (buf_settle(&b, d->arena, &url) != ERR_OK)
        return NULL;
    door_call(d, "GET", url, NULL, false, &a);
    text = arena_strndup(d->arena, buf_text(&a.body), a.body.n);
    if (a.status != 200 || text == NULL ||
        json_parse(d->arena, text, a.body.n, JSON_OWN, &reply, &why) != ERR_OK)
        reply = NULL;
    buf_free(&a.body);
    items = reply != NULL ? json_member(reply, "items") : NULL;
    return items != NULL ? json_first(items) : NULL;
}

static const char *
text_of(const struct json *row, const char *member)
{
    const struct json *j = row != NULL ? member_at(row, member) : NULL;

    return j != NULL ? json_text(j) : "";
}

/* The one that the request itself has made; the others are its parts. */
static const struct json *
first_job(const struct json *row)
{
    while (row != NULL && json_member(row, "parent_id") != NULL)
        row = json_next(row);
    return row;
}

/* Whether the job is over, and how: -1 while it is not. */
static int
job_end(const struct json *job)
{
    const char *state = text_of(job, "state");

    if (strcmp(state, "done") == 0)
        return CLI_OK;
    if (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0)
        return cli_complain(CLI_JOB, state, text_of(job, "error"));
    return -1;
}

/* Tells what has changed, where a person looks. */
static void
tell_progress(const struct json *job, char last[256])
{
    char now[256];

    (void)snprintf(
        now, sizeof(now), "job %.20s: step %.8s of %.8s: %.64s%s%.96s",
        text_of(job, "id"), text_of(job, "step"), text_of(job, "steps"),
        text_of(job, "doing"), str_empty(text_of(job, "progress")) ? "" : ", ",
        text_of(job, "progress"));
    if (job != NULL && isatty(STDERR_FILENO) && strcmp(now, last) != 0)
        (void)fprintf(stderr, "%s\n", now);
    (void)snprintf(last, 256, "%s", now);
}

/* Whether the thing of that name is well: -1 while it is not. */
static int
thing_end(const struct json *row, const char *name)
{
    for (; row != NULL; row = json_next(row))
        if (strcmp(text_of(row, "name"), name) == 0 &&
            strcmp(text_of(row, "level"), "ok") == 0)
            return CLI_OK;
    return -1;
}

static int
wait_for(struct door *d, const struct order *o, const char *request_id)
{
    int64_t until = clock_mono_ms() + o->wait_s * 1000;
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    bool job = (o->verb->flags & VERB_JOB) != 0;
    char last[256] = "";
    int end = -1;

    while (end < 0) {
        const struct json *row =
            job ? first_job(
                      look(d, "/api/jobs?limit=1000", "request_id", request_id))
                : look(d, "/api/topology?limit=1000", "kind", o->verb->waits);

        end = job ? job_end(row) : thing_end(row, or_empty(o->value[0]));
        if (job)
            tell_progress(row, last);
        if (end < 0 && clock_mono_ms() >= until)
            return cli_complain(CLI_WAITED, o->verb->verb,
                                "it is not done yet, and goes on");
        if (end < 0)
            (void)nanosleep(&pause, NULL);
    }
    return end;
}

int
ask(struct door *d, const struct order *o, struct outcome *out)
{
    char base[600], request_id[80];
    int status = door_listener(d, o->verb->listener, base, sizeof(base));

    *out = (struct outcome){ 0 };
    if (status == CLI_OK)
        status = send_all(d, o, base, request_id, out);
    if (status == CLI_OK && o->wait && !o->dry_run)
        status = wait_for(d, o, request_id);
    return status;
}
