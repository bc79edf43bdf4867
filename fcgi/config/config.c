/* The configuration: rows of all tables, from defaults, file, environment. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ini.h>

#include "config_rules.h"
#include "config_rows.h"
#include "dialect.h"

extern char **environ;

/* ---- the rows ---- */

#define SETTINGS                      config
#define SETTINGS_FILE                 "config.def"
#define SETTINGS_MEMBER(section, key) section##_##key
#include "settings_table.h"

const struct conf_row *
config_row(size_t i)
{
    return dialect_row(config_rows, offsetof(struct dialect, settings),
                       sizeof(struct conf_row), i);
}

size_t
config_row_count(void)
{
    static size_t n;

    while (config_row(n) != NULL)
        n++;
    return n;
}

/* By the number of the row. */
static struct given {
    char *owned; /* a text that is no default */
    int line;    /* of the file; 0: not in it */
    bool env;    /* the environment says it, and stands above the file */
} * given;

static char *place_run_dir;
static char *place_net;

/* ---- one value ---- */

/* Before threads: members of LIVE_ rows are written as any other. */
static void
put_value(const struct conf_row *row, union conf_value v)
{
    if (row->type == CONF_IS_INT)
        memcpy(row->at, &v.i, sizeof(v.i));
    else if (row->type == CONF_IS_BOOL)
        memcpy(row->at, &v.b, sizeof(v.b));
    else
        memcpy(row->at, &v.s, sizeof(v.s));
}

static enum err
set_value(size_t i, const char *text, struct conf_reason *why)
{
    const struct conf_row *row = config_row(i);
    union conf_value v;
    enum err e = config_parse(row, text, &v, why);

    if (e != ERR_OK)
        return e;
    if (row->type == CONF_IS_STR) {
        v.s = strdup(text);
        if (v.s == NULL)
            return ERR_NOMEM;
    }
    put_value(row, v);
    if (row->type == CONF_IS_STR) {
        free(given[i].owned);
        memcpy(&given[i].owned, &v.s, sizeof(v.s));
    }
    return ERR_OK;
}

static enum err
set_defaults(void)
{
    struct conf_reason why;
    union conf_value v;

    if (given == NULL)
        given = calloc(config_row_count(), sizeof(*given));
    if (given == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < config_row_count(); i++) {
        enum err e = config_parse(config_row(i), config_row(i)->dflt, &v, &why);

        if (e != ERR_OK)
            return e;
        put_value(config_row(i), v);
        free(given[i].owned);
        given[i] = (struct given){ 0 };
    }
    return ERR_OK;
}

/* ---- the file ---- */

/* Longer lines are refused rather than split. */
#define INI_LINE_BYTES 4096

struct ini_state {
    FILE *file;
    const char *path;
    int line;
    enum err e;
    char *why;
};

static void
refuse(struct ini_state *s, const char *what, const char *reason)
{
    if (s->e != ERR_OK)
        return; /* the first mistake is the one that is told */
    s->e = ERR_BAD_PARAM;
    why_say(s->why, "%s:%d: %s%s%s", s->path, s->line, what,
            !str_empty(what) ? " " : "", reason);
}

/* fgets for inih, which does not tell its handler the line. */
static char *
read_line(char *text, int size, void *state)
{
    struct ini_state *s = state;
    size_t n;

    if (s->e != ERR_OK || fgets(text, size, s->file) == NULL)
        return NULL;
    s->line++;
    n = strlen(text);
    if (n > 0 && text[n - 1] != '\n' && !feof(s->file))
        refuse(s, "", "the line is too long");
    return s->e == ERR_OK ? text : NULL;
}

/* Its number; that behind the last when there is none. */
static size_t
find_row(const char *section, const char *key)
{
    const struct conf_row *row;
    size_t i;

    for (i = 0; (row = config_row(i)) != NULL; i++)
        if (strcmp(row->section, section) == 0 && strcmp(row->key, key) == 0)
            break;
    return i;
}

/* But for case, and hyphens as in the names of listeners. */
static bool
same_word(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++)
        if (tolower((unsigned char)*a) != *b && !(*a == '-' && *b == '_'))
            return false;
    return *a == *b;
}

/* A key that is meant: of this section, or else of another. */
static void
refuse_unknown(struct ini_state *s, const char *name, const char *section,
               const char *key)
{
    char text[256] = "is not a key of metagate (metagate config)";
    const struct conf_row *row, *meant = NULL;

    for (size_t i = 0; (row = config_row(i)) != NULL; i++)
        if (same_word(key, row->key) &&
            (meant == NULL || strcmp(row->section, section) == 0))
            meant = row;
    if (meant != NULL)
        (void)snprintf(text, sizeof(text),
                       "is not a key of metagate, [%s] %s is (metagate config)",
                       meant->section, meant->key);
    refuse(s, name, text);
}

static int
take_value(void *state, const char *section, const char *key, const char *value)
{
    struct ini_state *s = state;
    struct conf_reason why = { "" };
    char name[160];
    size_t i = find_row(section, key);
    enum err e;

    (void)snprintf(name, sizeof(name), "[%.64s] %.64s", section, key);
    if (config_row(i) == NULL) {
        refuse_unknown(s, name, section, key);
        return 0;
    }
    if (given[i].line != 0) {
        refuse(s, name, "is given twice");
        return 0;
    }
    given[i].line = s->line;
    e = set_value(i, value, &why);
    if (e == ERR_BAD_PARAM)
        refuse(s, name, why.text);
    else if (e != ERR_OK)
        s->e = e;
    return s->e == ERR_OK;
}

static enum err
load_file(const char *path, char why[WHY_BYTES])
{
    struct ini_state s = { .path = path, .why = why };
    int bad;

    s.file = fopen(path, "re");
    if (s.file == NULL) {
        if (errno == ENOENT)
            return ERR_OK;
        return why_fail(why, ERR_BAD_PARAM, "%s: %s", path, strerror(errno));
    }
    ini_use_stack = false;
    ini_max_line = INI_LINE_BYTES;
    ini_initial_alloc = INI_LINE_BYTES;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false; /* values may hold a ';' */
    ini_stop_on_first_error = true;
    bad = ini_parse_stream(read_line, &s, take_value, &s);
    if (bad > 0)
        refuse(&s, "", "neither [section] nor key = value");
    else if (bad < 0 && s.e == ERR_OK)
        s.e = ERR_NOMEM;
    if (s.e == ERR_OK && ferror(s.file))
        refuse(&s, "", "cannot be read");
    (void)fclose(s.file);
    return s.e;
}

/* ---- the environment ---- */

static void
env_name(size_t i, char *out, size_t size)
{
    (void)snprintf(out, size, "METAGATE_%s_%s", config_row(i)->section,
                   config_row(i)->key);
    for (char *p = out; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
}

static enum err
load_env(char why[WHY_BYTES])
{
    char name[96];
    const char *value;
    struct conf_reason r;
    enum err e;

    for (size_t i = 0; i < config_row_count(); i++) {
        env_name(i, name, sizeof(name));
        value = getenv(name);
        if (value == NULL)
            continue;
        e = set_value(i, value, &r);
        given[i].env = true;
        if (e == ERR_BAD_PARAM)
            why_say(why, "environment: %s %s", name, r.text);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

/* Whether a variable names one of our sections but none of its keys; other
 * METAGATE_ names belong to somebody else. */
static bool
is_unknown_env(const char *var, size_t name_bytes)
{
    char name[96];
    bool section = false;
    size_t n;

    if (strncmp(var, "METAGATE_", strlen("METAGATE_")) != 0)
        return false;
    for (size_t i = 0; i < config_row_count(); i++) {
        env_name(i, name, sizeof(name));
        if (strlen(name) == name_bytes && memcmp(name, var, name_bytes) == 0)
            return false;
        n = strlen("METAGATE_") + strlen(config_row(i)->section) + 1;
        section = section || (name_bytes > n && memcmp(name, var, n) == 0);
    }
    return section;
}

static enum err
check_env(char why[WHY_BYTES])
{
    char **v;

    for (v = environ; *v != NULL; v++) {
        size_t n = strcspn(*v, "=");

        if (is_unknown_env(*v, n))
            return why_fail(why, ERR_BAD_PARAM,
                            "environment: %.*s is not a key of metagate "
                            "(metagate config)",
                            n > 128 ? 128 : (int)n, *v);
    }
    return ERR_OK;
}

/* ---- what values have to do with each other ---- */

#define PLACE_TEXT 512

/* Each time-out must end before the one around it does, or a write could
 * follow the answer that it has failed. In milliseconds. */
static const struct {
    const char *inner_section, *inner;
    int64_t inner_ms;
    const char *outer_section, *outer;
    int64_t outer_ms;
} nested[] = {
    { "mysql", "lock_wait_timeout_s", 1000, "mysql", "read_timeout_s", 1000 },
    { "mysql", "read_timeout_s", 1000, "serve", "deadline_ms", 1 },
};

/* "file:line" of the later of two keys, for a mistake that both make. */
static void
place_of(const char *path, size_t a, size_t b, char out[PLACE_TEXT])
{
    int line = given[a].line > given[b].line ? given[a].line : given[b].line;

    if (line == 0)
        (void)snprintf(out, PLACE_TEXT, "environment");
    else
        (void)snprintf(out, PLACE_TEXT, "%s:%d", path, line);
}

static int64_t
int_of(size_t i)
{
    int64_t v;

    memcpy(&v, config_row(i)->at, sizeof(v));
    return v;
}

static enum err
check_order(const char *path, char why[WHY_BYTES])
{
    for (size_t k = 0; k < COUNT(nested); k++) {
        size_t in = find_row(nested[k].inner_section, nested[k].inner);
        size_t out = find_row(nested[k].outer_section, nested[k].outer);
        char at[PLACE_TEXT];

        if (int_of(in) * nested[k].inner_ms < int_of(out) * nested[k].outer_ms)
            continue;
        place_of(path, in, out, at);
        return why_fail(why, ERR_BAD_PARAM,
                        "%s: [%s] %s = %lld must end before "
                        "[%s] %s = %lld does",
                        at, config_row(in)->section, config_row(in)->key,
                        (long long)int_of(in), config_row(out)->section,
                        config_row(out)->key, (long long)int_of(out));
    }
    return ERR_OK;
}

static enum err
check_pair(const char *path, char why[WHY_BYTES])
{
    size_t cert = find_row("nginx", "tls_certificate");
    size_t key = find_row("nginx", "tls_key");
    char at[PLACE_TEXT];

    if (str_empty(config()->nginx_tls_certificate) ==
        str_empty(config()->nginx_tls_key))
        return ERR_OK;
    place_of(path, cert, key, at);
    return why_fail(why, ERR_BAD_PARAM,
                    "%s: [nginx] tls_certificate and tls_key: both or none",
                    at);
}

enum err
config_load(const char *path, char why[WHY_BYTES])
{
    enum err e = set_defaults();

    why_say(why, "out of memory");
    if (e == ERR_OK && path != NULL)
        e = load_file(path, why);
    if (e == ERR_OK)
        e = load_env(why);
    if (e == ERR_OK)
        e = check_env(why);
    if (e == ERR_OK)
        e = check_order(path, why);
    if (e == ERR_OK)
        e = check_pair(path, why);
    return e;
}

const char *
config_from(size_t i, int *line)
{
    *line = given == NULL || given[i].env ? 0 : given[i].line;
    if (given != NULL && given[i].env)
        return "environment";
    return *line != 0 ? "file" : "default";
}

const char *
config_text(const char *section, const char *key)
{
    const struct conf_row *row = config_row(find_row(section, key));
    const char *text;

    if (row == NULL || row->type != CONF_IS_STR)
        return NULL;
    memcpy(&text, row->at, sizeof(text));
    return text;
}

/* ---- the place ---- */

static void
replace(char **kept, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort(); /* at start-up, before anything is served */
    free(*kept);
    *kept = copy;
}

void
config_place(const char *run_dir, const char *net)
{
    replace(&place_run_dir, run_dir);
    replace(&place_net, net);
}

const char *
config_run_dir(void)
{
    return place_run_dir != NULL ? place_run_dir : "";
}

const char *
config_net(void)
{
    return place_net != NULL ? place_net : "127.0.0";
}

/* ---- printing ---- */

const char *
config_default(const struct conf_row *row)
{
    if (row->type == CONF_IS_BOOL)
        return strcmp(row->dflt, "true") == 0 ? "yes" : "no";
    return row->dflt;
}

/* Tables share sections: each is printed whole, where it is first met. */
static bool
begins_section(size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(config_row(k)->section, config_row(i)->section) == 0)
            return false;
    return true;
}

static void
each_row(void (*print)(FILE *f, const struct conf_row *row, bool first),
         FILE *f)
{
    const struct conf_row *of, *row;

    for (size_t i = 0; (of = config_row(i)) != NULL; i++) {
        if (!begins_section(i))
            continue;
        for (size_t k = i; (row = config_row(k)) != NULL; k++)
            if (strcmp(row->section, of->section) == 0)
                print(f, row, k == i);
    }
}

const char *
config_needs(const struct conf_row *row)
{
    bool front = strcmp(row->section, "nginx") == 0 ||
                 strcmp(row->section, "listen") == 0;

    if (row->live)
        return "live";
    if (front && strcmp(row->key, "binary") != 0)
        return row->section[0] == 'l' ? "reload, then restart" : "reload";
    return "restart";
}

static void
print_key(FILE *f, const struct conf_row *row, bool first)
{
    if (first)
        (void)fprintf(f, "\n[%s]\n", row->section);
    (void)fprintf(f, "# %s", row->doc);
    if (row->type == CONF_IS_INT)
        (void)fprintf(f, " (%lld to %lld)", (long long)row->min,
                      (long long)row->max);
    (void)fprintf(f, " [%s]", config_needs(row));
    (void)fprintf(f, "\n#%s = %s\n", row->key, config_default(row));
}

static void
print_template(FILE *f)
{
    (void)fputs("# metagate's configuration. Every key with its default; take "
                "the # away to change one.\n"
                "# METAGATE_<SECTION>_<KEY> in the environment overrides.\n"
                "# [live]: can be changed while all runs, too (set_config); "
                "[reload]: by\n# `metagate nginx` (and your nginx's reload); "
                "[restart]: of the processes.\n",
                f);
    each_row(print_key, f);
}

enum err
config_write_template(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    bool bad;
    FILE *f;

    if (fd < 0)
        return errno == EEXIST ? ERR_EXISTS : ERR_STATE;
    f = fdopen(fd, "w");
    if (f == NULL) {
        (void)close(fd);
        return ERR_NOMEM;
    }
    print_template(f);
    bad = ferror(f) != 0;
    if (fclose(f) != 0 || bad) {
        (void)unlink(path);
        return ERR_STATE;
    }
    return ERR_OK;
}

static void
print_line(FILE *f, const struct conf_row *row, bool first)
{
    const char *quote = !str_empty(row->dflt) ? "`" : "";

    (void)first;
    (void)fprintf(f, "| `%s` | `%s` | %s%s%s | %s | %s |\n", row->section,
                  row->key, quote, config_default(row), quote,
                  config_needs(row), row->doc);
}

static void
print_markdown(void)
{
    printf("| section | key | default | needs | what it is |\n"
           "|---|---|---|---|---|\n");
    each_row(print_line, stdout);
}

void
config_print(bool markdown)
{
    if (markdown)
        print_markdown();
    else
        print_template(stdout);
}
