/* Words into an order. Nouns are one or two words ("job", "mine instance"); a
 * noun of one verb needs none, and `list` may be left out. */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect.h"
#include "number.h"

#define WAIT_S    600
#define WATCH_S   2
#define DAY_S     86400
#define LIMIT_MAX 1000000

const struct order_option order_options[] = {
    { "-o", "FORM", "table, wide, json, name" },
    { "--wait", "[=SECONDS]", "until it is done, 600 s at most" },
    { "--watch", "[=SECONDS]", "again and again, each 2 s" },
    { "--dry-run", "", "what would be changed; nothing is" },
    { "--yes", "", "no question (-y)" },
    { "--limit", "ROWS", "of a list: so many at most" },
    { "--url", "URL", "another host: http://HOST:8080" },
    { "--token-file", "FILE", "where its token is" },
    { "--context", "NAME", "both from ~/.config/metagate/contexts" },
    { "--help", "", "of this noun or verb (-h)" },
    { NULL, NULL, NULL },
};

int
cli_complain(enum cli_exit status, const char *what, const char *why)
{
    (void)fprintf(stderr, "metagate: %s%s%s\n", what,
                  str_empty(why) ? "" : ": ", or_empty(why));
    return (int)status;
}

const char *
cli_exit_words(size_t i, int *status)
{
    static const struct {
        int status;
        const char *what;
    } rows[] = {
#define CLI_EXIT(id, status, what) { (status), (what) },
#include "cli_exit.def"
#undef CLI_EXIT
    };

    if (i >= COUNT(rows))
        return NULL;
    *status = rows[i].status;
    return rows[i].what;
}

const struct verb *
verb_at(size_t i)
{
    return dialect_row(NULL, offsetof(struct dialect, verbs),
                       sizeof(struct verb), i);
}

/* ---- near words ---- */

#define WORD_MAX 48

static size_t
smallest(size_t a, size_t b, size_t c)
{
    a = a < b ? a : b;
    return a < c ? a : c;
}

/* Levenshtein's distance, in which two letters that have changed places count
 * once; WORD_MAX for words that are too long. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], last[WORD_MAX + 1], older[WORD_MAX + 1];
    size_t n = strlen(b);

    if (strlen(a) > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    for (size_t k = 0; k <= n; k++)
        last[k] = older[k] = k;
    for (size_t i = 0; a[i] != '\0'; i++) {
        row[0] = i + 1;
        for (size_t k = 0; k < n; k++) {
            row[k + 1] = smallest(row[k] + 1, last[k + 1] + 1,
                                  last[k] + (a[i] != b[k] ? 1 : 0));
            if (i > 0 && k > 0 && a[i] == b[k - 1] && a[i - 1] == b[k] &&
                row[k + 1] > older[k - 1] + 1)
                row[k + 1] = older[k - 1] + 1;
        }
        memcpy(older, last, (n + 1) * sizeof(*row));
        memcpy(last, row, (n + 1) * sizeof(*row));
    }
    return last[n];
}

const char *
nearest(const char *written, const char *(*next)(const void *ctx, size_t i),
        const void *ctx)
{
    size_t best = strlen(written) / 3 + 1, d;
    const char *word, *found = NULL;

    for (size_t i = 0; (word = next(ctx, i)) != NULL; i++) {
        d = distance(written, word);
        if (d <= best && (found == NULL || d < best)) {
            best = d;
            found = word;
        }
    }
    return found;
}

/* ---- nouns ---- */

/* How many of the words are the noun: 0 when they are another. */
static int
noun_words(const char *noun, int argc, char **argv)
{
    const char *blank = strchr(noun, ' ');
    size_t n = blank != NULL ? (size_t)(blank - noun) : strlen(noun);

    if (argc < 1 || strlen(argv[0]) != n || memcmp(argv[0], noun, n) != 0)
        return 0;
    if (blank == NULL)
        return 1;
    return argc > 1 && strcmp(argv[1], blank + 1) == 0 ? 2 : 0;
}

/* Options before the verb do not count. */
bool
order_is_ours(int argc, char **argv)
{
    const struct verb *v;

    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        const char *blank = strchr(v->noun, ' ');
        size_t n = blank != NULL ? (size_t)(blank - v->noun) : strlen(v->noun);

        if (argc > 0 && strlen(argv[0]) == n &&
            memcmp(argv[0], v->noun, n) == 0)
            return true;
    }
    return false;
}

struct among {
    const char *noun; /* verbs of it; NULL: nouns below `first` */
    const char *first;
};

static const char *
next_verb(const void *ctx, size_t i)
{
    const struct among *a = ctx;
    const struct verb *v;

    for (size_t k = 0; (v = verb_at(k)) != NULL; k++)
        if (strcmp(v->noun, a->noun) == 0 && i-- == 0)
            return v->verb;
    return NULL;
}

static const char *
next_noun(const void *ctx, size_t i)
{
    const struct among *a = ctx;
    size_t n = strlen(a->first);
    const struct verb *v;

    for (size_t k = 0; (v = verb_at(k)) != NULL; k++)
        if (strncmp(v->noun, a->first, n) == 0 && v->noun[n] == ' ' && i-- == 0)
            return v->noun + n + 1;
    return NULL;
}

static int
usage(const char *what, const char *word, const char *meant)
{
    (void)fprintf(stderr, "metagate: %s%s%s", what, str_empty(word) ? "" : ": ",
                  or_empty(word));
    if (meant != NULL)
        (void)fprintf(stderr, "; did you mean %s?", meant);
    (void)fprintf(stderr, " (--help)\n");
    return CLI_USAGE;
}

/* A word is missing: those that may stand there, each once. */
static int
usage_among(const char *behind, const char *which,
            const char *(*next)(const void *ctx, size_t i), const void *ctx)
{
    const char *word, *last = "";

    (void)fprintf(stderr, "metagate: %s: %s", behind, which);
    for (size_t i = 0; (word = next(ctx, i)) != NULL; i++) {
        if (strcmp(word, last) != 0)
            (void)fprintf(stderr, "%s %s", i > 0 ? "," : "", word);
        last = word;
    }
    (void)fprintf(stderr, " (--help)\n");
    return CLI_USAGE;
}

/* Below a noun of two words: help on all of them, or a wrong second word. */
static int
no_noun(int argc, char **argv, const struct order *o)
{
    const struct among a = { .first = argv[0] };

    if (o->help)
        return CLI_OK;
    return argc < 2 ? usage_among(argv[0], "one of", next_noun, &a)
                    : usage("no such noun", argv[1],
                            nearest(argv[1], next_noun, &a));
}

/* ---- options ---- */

/* "--name=value" of argv[*i], or the word behind it. */
static bool
take_value(int argc, char **argv, int *i, const char *name, const char **out)
{
    size_t n = strlen(name);
    const char *word = argv[*i];

    if (strncmp(word, name, n) != 0)
        return false;
    if (word[n] == '=') {
        *out = word + n + 1;
        return true;
    }
    if (word[n] != '\0' || *i + 1 >= argc)
        return false;
    *out = argv[++*i];
    return true;
}

/* "--name" or "--name=SECONDS"; false when it is another, *bad when it is not
 * seconds. */
static bool
take_seconds(const char *word, const char *name, bool *on, int64_t *s,
             bool *bad)
{
    size_t n = strlen(name);

    if (strncmp(word, name, n) != 0 || (word[n] != '\0' && word[n] != '='))
        return false;
    *on = true;
    *bad = word[n] == '=' && (!number_read(word + n + 1, DAY_S, s) || *s < 1);
    return true;
}

static bool
take_form(const char *word, enum cli_form *out)
{
    static const char *const forms[] = { [FORM_TABLE] = "table",
                                         [FORM_WIDE] = "wide",
                                         [FORM_JSON] = "json",
                                         [FORM_NAME] = "name" };

    for (size_t i = 0; i < COUNT(forms); i++)
        if (strcmp(word, forms[i]) == 0) {
            *out = (enum cli_form)i;
            return true;
        }
    return false;
}

/* An option of every verb: 1; 0: it is none; -1: its value is off. */
static int
take_common(int argc, char **argv, int *i, struct order *o)
{
    const char *word = argv[*i], *value = "";
    bool bad = false;

    if (take_seconds(word, "--wait", &o->wait, &o->wait_s, &bad) ||
        take_seconds(word, "--watch", &o->watch, &o->watch_s, &bad))
        return bad ? -1 : 1;
    if (take_value(argc, argv, i, "--url", &o->url) ||
        take_value(argc, argv, i, "--token-file", &o->token_file) ||
        take_value(argc, argv, i, "--context", &o->context))
        return 1;
    if (take_value(argc, argv, i, "-o", &value) ||
        take_value(argc, argv, i, "--output", &value))
        return take_form(value, &o->form) ? 1 : -1;
    if (take_value(argc, argv, i, "--limit", &value))
        return number_read(value, LIMIT_MAX, &o->limit) ? 1 : -1;
    if (strcmp(word, "--dry-run") == 0)
        o->dry_run = true;
    else if (strcmp(word, "-y") == 0 || strcmp(word, "--yes") == 0)
        o->yes = true;
    else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
        o->help = true;
    else
        return 0;
    return 1;
}

/* An option of this verb: 1; 0: it is none; -1: its value is off. */
static int
take_own(int argc, char **argv, int *i, struct order *o)
{
    const struct verb_arg *a = o->verb->args;
    int64_t number;

    for (size_t k = 0; a != NULL && a[k].name != NULL; k++) {
        char name[64];

        if (a[k].needed || a[k].kind >= ARG_FIXED)
            continue;
        (void)snprintf(name, sizeof(name), "--%s", a[k].name);
        if (a[k].kind == ARG_FLAG) {
            if (strcmp(argv[*i], name) != 0)
                continue;
            o->value[k] = "true";
            return 1;
        }
        if (!take_value(argc, argv, i, name, &o->value[k]))
            continue;
        return a[k].kind != ARG_NUMBER ||
                       number_read(o->value[k], INT64_MAX, &number)
                   ? 1
                   : -1;
    }
    return 0;
}

/* Without their dashes. */
static const char *
next_option(const void *ctx, size_t i)
{
    const struct verb *v = ctx;
    const struct verb_arg *a = v->args;
    size_t n = 0;

    for (; order_options[n].name != NULL; n++)
        if (n == i)
            return order_options[n].name + strspn(order_options[n].name, "-");
    for (i -= n; a != NULL && a->name != NULL; a++)
        if (!a->needed && a->kind < ARG_FIXED && i-- == 0)
            return a->name;
    return NULL;
}

static int
no_option(const struct verb *v, const char *word)
{
    const char *meant = nearest(word + strspn(word, "-"), next_option, v);
    char option[64];

    if (meant == NULL)
        return usage("no such option", word, NULL);
    (void)snprintf(option, sizeof(option), "%s%s",
                   meant[1] == '\0' ? "-" : "--", meant);
    return strcmp(option, word) == 0 ? usage("a value is missing", word, NULL)
                                     : usage("no such option", word, option);
}

/* ---- the whole ---- */

/* The next argument by position that has no value yet; -1: there is none. */
static int
open_place(const struct order *o)
{
    const struct verb_arg *a = o->verb->args;

    for (int k = 0; a != NULL && a[k].name != NULL; k++)
        if (a[k].needed && o->value[k] == NULL)
            return k;
    return -1;
}

static int
take_words(int argc, char **argv, struct order *o)
{
    bool plain = false; /* behind "--" */
    int k, taken;

    for (int i = 0; i < argc; i++) {
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
            continue;
        }
        if (!plain && argv[i][0] == '-' && argv[i][1] != '\0') {
            taken = take_common(argc, argv, &i, o);
            if (taken == 0)
                taken = take_own(argc, argv, &i, o);
            if (taken == 0)
                return no_option(o->verb, argv[i]);
            if (taken < 0)
                return usage("a value that is off", argv[i], NULL);
            continue;
        }
        k = open_place(o);
        if (k < 0)
            return usage("a word too many", argv[i], NULL);
        o->value[k] = argv[i];
    }
    k = open_place(o);
    if (k >= 0 && !o->help)
        return usage("missing", o->verb->args[k].name, NULL);
    return CLI_OK;
}

/* What an order asks for that its verb does not do. */
static int
refuse(const struct order *o)
{
    unsigned f = o->verb->flags;

    if (o->dry_run && (f & VERB_DRY) == 0)
        return usage("--dry-run: it changes nothing, or cannot be tried",
                     o->verb->verb, NULL);
    if (o->wait && (f & (VERB_JOB | VERB_WHOLE)) == 0)
        return usage("--wait: nothing is to be waited for", o->verb->verb,
                     NULL);
    if (o->watch && strcmp(o->verb->method, "GET") != 0)
        return usage("--watch: only what is read", o->verb->verb, NULL);
    if (o->form == FORM_NAME && o->verb->name == NULL)
        return usage("-o name: it has no names", o->verb->verb, NULL);
    return CLI_OK;
}

/* The verb of a noun: by its word, else list, else the only one. *words: how
 * many of argv it is. NULL: there is none. */
static const struct verb *
find_verb(const char *noun, int argc, char **argv, int *words)
{
    const struct verb *v, *list = NULL, *only = NULL;
    size_t n = 0;

    *words = 1;
    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        if (strcmp(v->noun, noun) != 0)
            continue;
        if (argc > 0 && strcmp(argv[0], v->verb) == 0)
            return v;
        list = strcmp(v->verb, "list") == 0 ? v : list;
        only = v;
        n++;
    }
    *words = 0;
    if (argc > 0 && argv[0][0] != '-')
        return NULL;
    return list != NULL ? list : n == 1 ? only : NULL;
}

static bool
asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int
order_read(int argc, char **argv, struct order *o)
{
    const struct verb *v;
    const char *noun = NULL;
    int words = 0, more, status;

    *o = (struct order){ .wait_s = WAIT_S, .watch_s = WATCH_S };
    o->help = asks_help(argc, argv);
    for (size_t i = 0; words == 0 && (v = verb_at(i)) != NULL; i++) {
        words = noun_words(v->noun, argc, argv);
        noun = v->noun;
    }
    if (words == 0)
        return no_noun(argc, argv, o);
    argc -= words;
    argv += words;
    o->verb = find_verb(noun, argc, argv, &more);
    if (o->help && more == 0) {
        o->verb = NULL; /* of the whole noun */
        return CLI_OK;
    }
    if (o->verb == NULL) {
        const struct among a = { .noun = noun };

        return argc == 0 ? usage_among(noun, "one of", next_verb, &a)
                         : usage("no such verb", argv[0],
                                 nearest(argv[0], next_verb, &a));
    }
    status = take_words(argc - more, argv + more, o);
    return status == CLI_OK && !o->help ? refuse(o) : status;
}

bool
order_is_remote(int argc, char **argv)
{
    const char *name = NULL;

    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strncmp(argv[i], "--url", 5) == 0 ||
            strncmp(argv[i], "--context", 9) == 0)
            return true;
    name = getenv("METAGATE_CONTEXT");
    return !str_empty(name) || asks_help(argc, argv);
}
