/* metagate logs ID: what all log files of this host say of one request, in the
 * order of time. A file that is longer than memory is no trouble: each is read
 * line by line, until no more ids are found that belong to that one. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "base/commands.h"
#include "clock.h"
#include "config.h"
#include "json.h"
#include "place.h"

#define EXIT_USAGE   2
#define EXIT_UNKNOWN 3 /* as of the verbs: fcgi/cli/cli_exit.def */
#define ARENA_BYTES  ((size_t)256 << 20)
#define JSON_BYTES   ((size_t)64 << 20)
#define IDS_MAX      512
#define ID_BYTES     80
#define FILES_MAX    512

/* What a line says of itself. */
struct said {
    char request[ID_BYTES], client[ID_BYTES], trace[ID_BYTES];
    int64_t at_ms; /* 0: not known */
};

struct line {
    int64_t at_ms;
    size_t n; /* of those found, for lines of one moment */
    const char *file, *text;
};

/* A request that nginx answered, by which its error log is joined: lines there
 * name the connection, no request. */
struct answered {
    long long connection;
    int64_t from_s, to_s;
    char method[16], path[256];
};

struct search {
    struct arena *arena;
    char id[IDS_MAX][ID_BYTES]; /* the one asked for, then what it led to */
    size_t n_ids;
    struct answered *answered;
    size_t n_answered, room_answered;
    struct line *line;
    size_t n_lines, room_lines;
    bool gather, full;
    size_t packed; /* files that are compressed, and were left out */
    const char *path[FILES_MAX];
    size_t n_files;
};

/* ---- what a line says ---- */

/* The text of a member that we or nginx have written: ids have no escapes. */
static void
member(const char *text, const char *end, const char *name, char *out,
       size_t size)
{
    const char *p = strstr(text, name);
    size_t n;

    out[0] = '\0';
    if (p == NULL || p >= end)
        return;
    p += strlen(name);
    n = strcspn(p, "\"");
    if (n < size)
        (void)snprintf(out, size, "%.*s", (int)n, p);
}

/* Our own lines as JSON, and the access log: what they are about comes first,
 * before any word of a client's. */
static void
read_object(const char *text, struct said *out)
{
    const char *end = strstr(text, "\"listener\":"),
               *event = strstr(text, "\"event\":");
    char at[64];

    if (end == NULL || (event != NULL && event < end))
        end = event;
    if (end == NULL)
        return;
    member(text, end, "\"time\":\"", at, sizeof(at));
    member(text, end, "\"id\":\"", out->request, sizeof(out->request));
    member(text, end, "\"client_id\":\"", out->client, sizeof(out->client));
    member(text, end, "\"trace\":\"", out->trace, sizeof(out->trace));
    out->at_ms = clock_stamp_read(at);
}

static void
take_word(const char *text, size_t n, const char *name, char *out, size_t size)
{
    const char *p = memmem(text, n, name, strlen(name));

    if (p == NULL)
        return;
    p += strlen(name);
    (void)snprintf(out, size, "%.*s", (int)strcspn(p, " ]"), p);
}

/* "<time> info serve-0 [id client_id=a trace=b] event ...". */
static void
read_text(const char *text, struct said *out)
{
    const char *p = text;
    size_t n;

    for (int i = 0; i < 3 && p != NULL; i++) {
        p = strchr(p, ' ');
        p = p != NULL ? p + 1 : NULL;
    }
    if (p == NULL)
        return;
    out->at_ms = clock_stamp_read(text);
    n = strcspn(p, "]");
    if (*p != '[' || p[n] == '\0' || out->at_ms == 0)
        return;
    take_word(p, n, "[", out->request, sizeof(out->request));
    take_word(p, n, " client_id=", out->client, sizeof(out->client));
    take_word(p, n, " trace=", out->trace, sizeof(out->trace));
}

/* ---- what belongs together ---- */

static bool
is_wanted(const struct search *s, const char *id)
{
    for (size_t i = 0; i < s->n_ids && !str_empty(id); i++)
        if (strcmp(s->id[i], id) == 0)
            return true;
    return false;
}

static void
want(struct search *s, const char *id)
{
    if (str_empty(id) || is_wanted(s, id))
        return;
    if (s->n_ids == IDS_MAX) {
        s->full = true;
        return;
    }
    (void)snprintf(s->id[s->n_ids++], ID_BYTES, "%s", id);
}

/* A place behind the last of *n things of that size; NULL without memory. */
static void *
room(void **v, size_t *n, size_t *room_n, size_t size)
{
    void *more;

    if (*n == *room_n) {
        more = realloc(*v, (2 * *room_n + 64) * size);
        if (more == NULL)
            return NULL;
        *v = more;
        *room_n = 2 * *room_n + 64;
    }
    return (char *)*v + (*n)++ * size;
}

static void
found(struct search *s, const char *file, int64_t at_ms, const char *text)
{
    struct line *l =
        room((void **)&s->line, &s->n_lines, &s->room_lines, sizeof(*l));
    const char *name = strrchr(file, '/');

    if (l == NULL)
        return;
    *l = (struct line){ .at_ms = at_ms,
                        .n = s->n_lines,
                        .file = name != NULL ? name + 1 : file,
                        .text = arena_strdup(s->arena, text) };
    if (l->text == NULL) {
        s->n_lines--;
        s->full = true;
    }
}

/* When nginx began with a request of that id, and on which connection:
 * <host>-<seconds.ms>-<connection>-<which of its requests>. False when it is
 * another's id. */
static bool
read_id(const char *id, int64_t *ms, long long *connection)
{
    long long seconds, n;
    int part, end = 0;

    if (sscanf(id, "%*[0-9a-f]-%lld.%3d-%lld-%lld%n", &seconds, &part,
               connection, &n, &end) != 4 ||
        id[end] != '\0')
        return false;
    *ms = seconds * 1000 + part;
    return true;
}

/* A line of the access log: its end is when the answer was sent. */
static void
note_answer(struct search *s, const char *text, struct said *said)
{
    const char *took = strstr(text, "\"seconds\":"), *all = text + strlen(text);
    struct answered *a;
    long long connection;
    int64_t began_ms;

    if (took == NULL || !read_id(said->request, &began_ms, &connection))
        return;
    said->at_ms =
        began_ms + (int64_t)(strtod(took + strlen("\"seconds\":"), NULL) * 1e3);
    if (s->gather)
        return;
    a = room((void **)&s->answered, &s->n_answered, &s->room_answered,
             sizeof(*a));
    if (a == NULL)
        return;
    *a = (struct answered){ .connection = connection,
                            .from_s = began_ms / 1000,
                            .to_s = said->at_ms / 1000 + 1 };
    member(text, all, "\"method\":\"", a->method, sizeof(a->method));
    member(text, all, "\"path\":\"", a->path, sizeof(a->path));
}

/* Whether the line's 'request: "GET /a?b HTTP/1.1"' may be that one. */
static bool
may_be(const struct answered *a, const char *text)
{
    const char *p = strstr(text, "request: \""), *path;
    size_t n;

    if (p == NULL)
        return true;
    p += strlen("request: \"");
    path = strchr(p, ' ');
    if (path == NULL || (size_t)(path - p) != strlen(a->method) ||
        memcmp(p, a->method, strlen(a->method)) != 0)
        return false;
    n = strcspn(++path, " ?\"");
    return memchr(path, '%', n) != NULL || strstr(a->path, "***") != NULL ||
           (strlen(a->path) == n && memcmp(a->path, path, n) == 0);
}

/* nginx's own: "2026/01/31 23:59:59 [error] 12#12: *7 words, client: ...". */
static void
look_at_error(struct search *s, const char *file, const char *text)
{
    struct tm tm = { .tm_isdst = -1 };
    const char *star = strstr(text, ": *");
    long long connection;
    int64_t at_s;

    if (!s->gather || star == NULL ||
        strptime(text, "%Y/%m/%d %H:%M:%S", &tm) == NULL)
        return;
    at_s = mktime(&tm);
    connection = strtoll(star + 3, NULL, 10);
    for (size_t i = 0; i < s->n_answered; i++) {
        const struct answered *a = &s->answered[i];

        if (a->connection == connection && a->from_s <= at_s &&
            at_s <= a->to_s && may_be(a, text)) {
            found(s, file, at_s * 1000, text);
            return;
        }
    }
}

static void
look_at(struct search *s, const char *file, const char *text)
{
    struct said said = { .at_ms = 0 };

    if (text[0] == '{')
        read_object(text, &said);
    else if (strlen(text) > 10 && text[4] == '/' && text[7] == '/')
        look_at_error(s, file, text);
    else
        read_text(text, &said);
    if (!is_wanted(s, said.request) && !is_wanted(s, said.client) &&
        !is_wanted(s, said.trace))
        return;
    want(s, said.request);
    if (text[0] == '{')
        note_answer(s, text, &said);
    if (s->gather)
        found(s, file, said.at_ms, text);
}

/* ---- the files ---- */

static void
read_file(struct search *s, const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t room_n = 0;
    ssize_t n;

    while (f != NULL && (n = getline(&text, &room_n, f)) > 0) {
        if (text[n - 1] == '\n')
            text[n - 1] = '\0';
        look_at(s, path, text);
    }
    free(text);
    if (f != NULL)
        (void)fclose(f);
}

static void
add_file(struct search *s, const char *path)
{
    if (s->n_files == FILES_MAX || path == NULL)
        s->full = true;
    else
        s->path[s->n_files++] = path;
}

/* name.log, and name.log.1 and so on. */
static bool
is_log(const char *name)
{
    const char *p = strstr(name, ".log");

    return p != NULL &&
           (p[4] == '\0' ||
            (p[4] == '.' && p[5 + strspn(p + 5, "0123456789")] == '\0'));
}

static void
add_folder(struct search *s, const char *folder, const char *prefix)
{
    const struct dirent *d;
    DIR *dir = opendir(folder);

    while (dir != NULL && (d = readdir(dir)) != NULL) {
        size_t n = strlen(d->d_name);

        if (strncmp(d->d_name, prefix, strlen(prefix)) != 0)
            continue;
        if (is_log(d->d_name))
            add_file(s, arena_printf(s->arena, "%s/%s", folder, d->d_name));
        else if (n > 3 && strcmp(d->d_name + n - 3, ".gz") == 0)
            s->packed++;
    }
    if (dir != NULL)
        (void)closedir(dir);
}

/* Our own, and what nginx writes elsewhere: its access log, and the error log
 * beside that of an installed system. */
static enum err
add_files(struct search *s)
{
    const char *access = config()->nginx_access_log;
    char ours[PLACE_BYTES], folder[PLACE_BYTES], *slash;

    if (place_path(ours, sizeof(ours), "log") != ERR_OK)
        return ERR_LIMIT;
    add_folder(s, ours, "");
    if (str_empty(access) && place_is_installed())
        access = PLACE_INSTALLED_LOG;
    if (access[0] != '/' || strncmp(access, ours, strlen(ours)) == 0)
        return ERR_OK;
    (void)snprintf(folder, sizeof(folder), "%s", access);
    slash = strrchr(folder, '/');
    *slash = '\0';
    add_folder(s, folder, slash + 1);
    if (place_is_installed())
        add_folder(s, folder, "error.log");
    return ERR_OK;
}

/* ---- telling ---- */

static int
in_order(const void *a, const void *b)
{
    const struct line *l = a, *r = b;

    if (l->at_ms != r->at_ms)
        return l->at_ms < r->at_ms ? -1 : 1;
    return l->n < r->n ? -1 : 1;
}

static void
put_line(struct json_writer *w, struct arena *a, const struct line *l)
{
    const struct json *tree;
    struct json_error why;

    jw_object(w);
    jw_key_str(w, "file", l->file);
    jw_key(w, "time_ms");
    jw_i64(w, l->at_ms);
    if (l->text[0] == '{' &&
        json_parse(a, l->text, strlen(l->text), 0, &tree, &why) == ERR_OK) {
        jw_key(w, "entry");
        jw_raw(w, l->text, strlen(l->text));
    } else {
        jw_key_str(w, "text", l->text);
    }
    jw_object_end(w);
}

static bool
tell_json(const struct search *s)
{
    static const struct json_style style = { .indent = 2 };
    struct buf b = BUF_INIT(JSON_BYTES);
    struct json_writer w;
    bool ok;

    jw_init(&w, &b, &style);
    jw_object(&w);
    jw_key(&w, "ids");
    jw_array(&w);
    for (size_t i = 0; i < s->n_ids; i++)
        jw_str(&w, s->id[i]);
    jw_array_end(&w);
    jw_key(&w, "lines");
    jw_array(&w);
    for (size_t i = 0; i < s->n_lines; i++)
        put_line(&w, s->arena, &s->line[i]);
    jw_array_end(&w);
    jw_object_end(&w);
    ok = buf_err(&b) == ERR_OK;
    if (ok)
        printf("%s\n", buf_text(&b));
    buf_free(&b);
    return ok;
}

static void
tell(const struct search *s)
{
    int widest = 0;

    for (size_t i = 0; i < s->n_lines; i++)
        if ((int)strlen(s->line[i].file) > widest)
            widest = (int)strlen(s->line[i].file);
    for (size_t i = 0; i < s->n_lines; i++)
        printf("%-*s  %s\n", widest, s->line[i].file, s->line[i].text);
}

/* The ids that lead to others first: a request of ours that another of ours
 * has made bears the id of that one as its client's. */
static int
search(struct search *s, bool json)
{
    size_t known;

    if (add_files(s) != ERR_OK)
        return EXIT_FAILURE;
    do {
        known = s->n_ids;
        s->n_answered = 0;
        for (size_t i = 0; i < s->n_files; i++)
            read_file(s, s->path[i]);
    } while (s->n_ids > known && !s->full);
    s->gather = true;
    for (size_t i = 0; i < s->n_files; i++)
        read_file(s, s->path[i]);
    if (s->n_lines > 0)
        qsort(s->line, s->n_lines, sizeof(*s->line), in_order);
    if (s->full)
        (void)fprintf(stderr, "metagate: there is more than is shown\n");
    if (s->packed > 0)
        (void)fprintf(stderr,
                      "metagate: %zu compressed files were not looked into\n",
                      s->packed);
    if (json && !tell_json(s))
        return EXIT_FAILURE;
    if (!json)
        tell(s);
    if (s->n_lines > 0)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "metagate: no line of %zu files is about %s\n",
                  s->n_files, s->id[0]);
    return EXIT_UNKNOWN;
}

int
logs_main(int argc, char **argv)
{
    bool json =
        argc == 4 && strcmp(argv[2], "-o") == 0 && strcmp(argv[3], "json") == 0;
    struct search *s;
    int status;

    if ((argc != 2 && !json) || argv[1][0] == '-' || str_empty(argv[1]) ||
        strlen(argv[1]) >= ID_BYTES) {
        fputs("usage: metagate logs ID [-o json]\n"
              "ID is the X-Request-Id of a reply, that of a client, or the "
              "trace id of its traceparent.\n",
              stderr);
        return EXIT_USAGE;
    }
    s = calloc(1, sizeof(*s));
    if (s == NULL || (s->arena = arena_new(ARENA_BYTES)) == NULL) {
        free(s);
        return EXIT_FAILURE;
    }
    want(s, argv[1]);
    status = search(s, json);
    free(s->answered);
    free(s->line);
    arena_free(s->arena);
    free(s);
    return status;
}
