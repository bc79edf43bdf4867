/* Reads sql/NNNN_name.sql; the format is in sql/README.md. */
#include "migrate_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"

#define STEPS_MAX 64
#define ID_DIGITS 4

static const char min_reader_mark[] = "-- min_reader:";
static const char done_mark[] = "-- done:";

struct reader {
    struct arena *a;
    struct migration *m;
    const char *p; /* the next line */
    unsigned line;
    const char *why; /* the first thing wrong */
    struct step step[STEPS_MAX];
};

static bool
starts(const char *p, const char *word)
{
    return strncmp(p, word, strlen(word)) == 0;
}

/* The next line without its end; NULL at the end of the text. */
static const char *
next_line(struct reader *r)
{
    size_t n = strcspn(r->p, "\n");
    const char *line;

    if (*r->p == '\0')
        return NULL;
    line = arena_strndup(r->a, r->p, n);
    if (line == NULL)
        r->why = "no memory";
    r->p += r->p[n] == '\n' ? n + 1 : n;
    r->line++;
    return line;
}

static bool
is_blank(const char *line)
{
    return line[strspn(line, " \t\r")] == '\0';
}

static void
take_min_reader(struct reader *r, const char *text)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (r->m->min_reader != 0 || r->m->n_steps != 0)
        r->why = "min_reader stands once, before the first step";
    else if (v == 0 || v > r->m->id || !is_blank(end))
        r->why = "min_reader is a number from 1 to the file's own";
    else
        r->m->min_reader = (unsigned)v;
}

static const char *
join(struct reader *r, const char *left, const char *right)
{
    const char *both =
        str_empty(left) ? right : arena_printf(r->a, "%s\n%s", left, right);

    if (both == NULL)
        r->why = "no memory";
    return both;
}

/* The probe goes on over comment lines up to the statement. Returns the
 * statement's first line. */
static const char *
take_probe(struct reader *r, const char *line, struct step *s)
{
    s->probe = line + sizeof(done_mark) - 1;
    s->probe += strspn(s->probe, " ");
    line = next_line(r);
    while (line != NULL && starts(line, "--") && !starts(line, done_mark)) {
        s->probe = join(r, s->probe, line + 2);
        if (r->why != NULL)
            return NULL;
        line = next_line(r);
    }
    if (strncasecmp(s->probe, "SELECT ", 7) != 0)
        r->why = "done: is a SELECT";
    return line;
}

static bool
ends_statement(const char *line)
{
    size_t n = strlen(line);

    while (n > 0 && strchr(" \t\r", line[n - 1]) != NULL)
        n--;
    return n > 0 && line[n - 1] == ';';
}

static void
take_ddl(struct reader *r, const char *line, struct step *s)
{
    s->ddl = "";
    for (; line != NULL && r->why == NULL; line = next_line(r)) {
        s->ddl = join(r, s->ddl, line);
        if (ends_statement(line))
            break;
    }
    if (r->why == NULL && line == NULL)
        r->why = "the statement has no ; at the end of a line";
    if (r->why != NULL)
        return;
    s->ddl =
        arena_strndup(r->a, s->ddl, (size_t)(strrchr(s->ddl, ';') - s->ddl));
    if (s->ddl == NULL)
        r->why = "no memory";
    else
        crypt_sha256_hex(s->ddl, strlen(s->ddl), s->digest);
}

static void
take_step(struct reader *r, const char *line)
{
    struct step *s = &r->step[r->m->n_steps];

    if (r->m->min_reader == 0) {
        r->why = "no min_reader before the first step";
        return;
    }
    if (r->m->n_steps == STEPS_MAX) {
        r->why = "too many steps";
        return;
    }
    line = take_probe(r, line, s);
    if (r->why == NULL &&
        (line == NULL || is_blank(line) || starts(line, "--")))
        r->why = "no statement behind done:";
    if (r->why == NULL)
        take_ddl(r, line, s);
    r->m->n_steps++;
}

static void
take_line(struct reader *r, const char *line)
{
    if (starts(line, min_reader_mark))
        take_min_reader(r, line + sizeof(min_reader_mark) - 1);
    else if (starts(line, done_mark))
        take_step(r, line);
    else if (!starts(line, "--") && !is_blank(line))
        r->why = "a statement without done: before it";
}

unsigned
migration_number(const char *file)
{
    return strspn(file, "0123456789") == ID_DIGITS && file[ID_DIGITS] == '_'
               ? (unsigned)strtoul(file, NULL, 10)
               : 0;
}

/* "0001_core.sql": the number and the name. */
static void
take_name(struct reader *r, const char *file)
{
    size_t n = strlen(file);

    r->m->id = migration_number(file);
    if (r->m->id == 0 || n < ID_DIGITS + 1 + 5 ||
        strcmp(file + n - 4, ".sql") != 0) {
        r->why = "the name is NNNN_name.sql";
        return;
    }
    r->m->name =
        arena_strndup(r->a, file + ID_DIGITS + 1, n - ID_DIGITS - 1 - 4);
    if (r->m->name == NULL)
        r->why = "no memory";
    else if (strlen(r->m->name) > 64)
        r->why = "the name is longer than 64";
}

static void
keep_steps(struct reader *r)
{
    struct migration *m = r->m;

    if (m->n_steps == 0) {
        r->why = "no step in it";
        return;
    }
    m->steps = arena_array(r->a, m->n_steps, sizeof(*m->steps));
    if (m->steps == NULL)
        r->why = "no memory";
    else
        memcpy(m->steps, r->step, m->n_steps * sizeof(*m->steps));
}

enum err
migration_parse(struct arena *a, const struct embedded *file,
                struct migration *out, char why[WHY_BYTES])
{
    struct reader r = { .a = a, .m = out, .p = file->text };
    const char *line;

    memset(out, 0, sizeof(*out));
    take_name(&r, file->name);
    while (r.why == NULL && (line = next_line(&r)) != NULL)
        take_line(&r, line);
    if (r.why == NULL)
        keep_steps(&r);
    if (r.why == NULL)
        return ERR_OK;
    return why_fail(why, ERR_BAD_PARAM, "sql/%s:%u: %s", file->name, r.line,
                    r.why);
}

enum err
migrations_parse(struct arena *a, const struct embedded *files,
                 struct migrations *out, char why[WHY_BYTES])
{
    enum err e = ERR_OK;
    size_t n = 0;

    memset(out, 0, sizeof(*out));
    while (files[n].name != NULL)
        n++;
    out->v = arena_array(a, n, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (; out->n < n && e == ERR_OK; out->n++) {
        e = migration_parse(a, &files[out->n], &out->v[out->n], why);
        if (e == ERR_OK && out->v[out->n].id <= out->version)
            e = why_fail(why, ERR_BAD_PARAM, "sql/%s: the number is taken",
                         files[out->n].name);
        out->version = out->v[out->n].id;
    }
    return e;
}
