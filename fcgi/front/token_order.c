/* What a person may ask of `metagate token`: names, scopes, when a token ends
 * and how long its forerunner is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "config/token_map.h"
#include "nginx.h"
#include "scope.h"
#include "token_int.h"

#define AGE_MAX_S ((int64_t)36500 * 86400)
#define KEEP_S    3600 /* what `rotate` leaves the old token by itself */
/* nginx's old processes know nothing of a token's new end for that long. */
#define KEEP_MIN_S 60

enum err
token_check(const char *name, const char *scope, const char *mark,
            char why[WHY_BYTES])
{
    if (!token_name_ok(name))
        return why_fail(why, ERR_BAD_PARAM,
                        "NAME is 1 to %d letters, digits, _ and "
                        "-, and does not begin with -",
                        TOKEN_NAME_MAX);
    if (scope != NULL && scope_rights(scope) == 0)
        return why_fail(why, ERR_BAD_PARAM,
                        "SCOPE is read, write, admin, profile or machine");
    if (mark != NULL && strcmp(mark, "secrets") != 0)
        return why_fail(why, ERR_BAD_PARAM,
                        "after SCOPE stands `secrets` (the token sees secrets "
                        "in full) or nothing");
    return ERR_OK;
}

/* "90d", "12h", "30m": that long; 0 when it is none. */
static int64_t
parse_age(const char *text)
{
    static const struct {
        char letter;
        int64_t unit_s;
    } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 } };
    size_t n = strspn(text, "0123456789");
    int64_t age_s;

    if (n == 0 || n > 8 || text[n] == '\0' || text[n + 1] != '\0')
        return 0;
    for (size_t i = 0; i < COUNT(units); i++) {
        age_s = strtoll(text, NULL, 10) * units[i].unit_s;
        if (text[n] == units[i].letter && age_s <= AGE_MAX_S)
            return age_s;
    }
    return 0;
}

/* "2027-01-31", the beginning of that day, or "2027-01-31T08:30Z"; UTC. 0 when
 * it is none. */
static int64_t
parse_date(const char *text)
{
    struct tm tm = { 0 };
    char again[CLOCK_TEXT];
    const char *end;
    time_t at;

    end = strptime(text, "%Y-%m-%d", &tm);
    if (end != NULL && *end == 'T')
        end = strptime(end, "T%H:%MZ", &tm);
    if (end == NULL || *end != '\0')
        return 0;
    at = timegm(&tm); /* which makes March of February 30 */
    (void)clock_print(at, false, CLOCK_MINUTE_Z, again);
    return strncmp(again, text, strlen(text)) == 0 ? at : 0;
}

static enum err
check_times(struct token_order *o, char why[WHY_BYTES])
{
    int64_t now = clock_unix_s(), age_s;

    if (o->expires != NULL) {
        age_s = parse_age(o->expires);
        o->expires_s = age_s > 0 ? now + age_s : parse_date(o->expires);
        if (o->expires_s <= now || o->expires_s > now + AGE_MAX_S)
            return why_fail(why, ERR_BAD_PARAM,
                            "--expires is 90d, 12h or 30m from now, or a time "
                            "to come in UTC: 2027-01-31, 2027-01-31T08:30Z");
    }
    o->keep_s = o->keep != NULL ? parse_age(o->keep) : KEEP_S;
    if (o->keep_s < KEEP_MIN_S) {
        return why_fail(why, ERR_BAD_PARAM,
                        "--keep is 1m or more: 7d, 12h, 30m; to end a token "
                        "at once, revoke it and add it again");
    }
    return ERR_OK;
}

static int
usage(const char *why)
{
    (void)fprintf(stderr,
                  "metagate token: %s\n"
                  "usage: metagate token add NAME SCOPE [secrets] "
                  "[--expires WHEN] |\n"
                  "    rotate NAME [--keep FOR] [--expires WHEN] | "
                  "revoke NAME | list\n",
                  why);
    return 2;
}

/* --expires and --keep may stand anywhere behind the verb. */
static bool
take_words(int argc, char **argv, struct token_order *o)
{
    const char **words[] = { &o->verb, &o->name, &o->scope, &o->mark };
    size_t n = 0;

    for (int i = 1; i < argc; i++) {
        const char **option = strcmp(argv[i], "--expires") == 0 ? &o->expires
                              : strcmp(argv[i], "--keep") == 0  ? &o->keep
                                                                : NULL;

        if (option != NULL && *option == NULL && i + 1 < argc)
            *option = argv[++i];
        else if (option == NULL && n < COUNT(words))
            *words[n++] = argv[i];
        else
            return false;
    }
    return n > 0;
}

/* Which words each command may have, at least and at most. */
static const struct form {
    const char *verb;
    int least, most; /* words, the verb's not counted */
    bool expires, keep;
} forms[] = {
    { "add", 2, 3, true, false },
    { "rotate", 1, 1, true, true },
    { "revoke", 1, 1, false, false },
    { "list", 0, 0, false, false },
};

static bool
has_form(const struct token_order *o)
{
    int n = (o->name != NULL) + (o->scope != NULL) + (o->mark != NULL);

    for (size_t i = 0; i < COUNT(forms); i++) {
        const struct form *f = &forms[i];

        if (strcmp(o->verb, f->verb) == 0)
            return n >= f->least && n <= f->most &&
                   (f->expires || o->expires == NULL) &&
                   (f->keep || o->keep == NULL);
    }
    return false;
}

/* Whether the words are a command: 0, or usage's status. */
int
token_order_read(int argc, char **argv, struct token_order *o)
{
    char why[WHY_BYTES];
    enum err e = ERR_OK;

    *o = (struct token_order){ 0 };
    if (!take_words(argc, argv, o) || !has_form(o))
        return usage("not a command of this form");
    if (o->name != NULL)
        e = token_check(o->name, o->scope, o->mark, why);
    if (e == ERR_OK)
        e = check_times(o, why);
    return e == ERR_OK ? 0 : usage(why);
}
