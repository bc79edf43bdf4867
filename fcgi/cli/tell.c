/* Help. */
#include "tell.h"

#include <stdio.h>
#include <string.h>

#include "order.h"

/* "ID [--state STATE] [--data JSON]" */
static void
print_args(FILE *f, const struct verb *v)
{
    const struct verb_arg *a = v->args;

    for (; a != NULL && a->name != NULL; a++) {
        if (a->kind >= ARG_FIXED)
            continue;
        if (a->needed)
            (void)fprintf(f, " %s", a->name);
        else if (a->kind == ARG_FLAG)
            (void)fprintf(f, " [--%s]", a->name);
        else
            (void)fprintf(f, " [--%s VALUE]", a->name);
    }
}

static void
print_options(const struct verb *v)
{
    const struct verb_arg *a = v->args;
    char word[64];

    for (; a != NULL && a->name != NULL; a++) {
        if (a->kind >= ARG_FIXED)
            continue;
        (void)snprintf(word, sizeof(word), "%s%s", a->needed ? "" : "--",
                       a->name);
        printf("  %-20s %s\n", word, a->doc);
    }
    for (size_t i = 0; order_options[i].name != NULL; i++) {
        (void)snprintf(word, sizeof(word), "%s%s%s", order_options[i].name,
                       strchr("[", order_options[i].takes[0]) != NULL ? ""
                                                                      : " ",
                       order_options[i].takes);
        printf("  %-20s %s\n", word, order_options[i].doc);
    }
}

/* Whether the noun is that word, or begins with it. */
static bool
begins(const char *noun, const char *word)
{
    size_t n = strlen(word);

    return strncmp(noun, word, n) == 0 && (noun[n] == '\0' || noun[n] == ' ');
}

/* The noun that the words are, "mine node", else the first of them. */
static const char *
noun_of(int argc, char **argv, char out[64])
{
    const struct verb *v;

    (void)snprintf(out, 64, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
        if (strcmp(v->noun, out) == 0)
            return out;
    return argv[0];
}

void
tell_help(const struct verb *v, int argc, char **argv)
{
    char words[96], noun[64];
    const char *first = noun_of(argc, argv, noun);

    if (v != NULL) {
        printf("usage: metagate %s %s", v->noun, v->verb);
        print_args(stdout, v);
        printf(" [OPTIONS]\n\n%s\n\n", v->doc);
        print_options(v);
        return;
    }
    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        if (!begins(v->noun, first))
            continue;
        (void)snprintf(words, sizeof(words), "%s %s", v->noun, v->verb);
        printf("  %-32s %s\n", words, v->doc);
    }
    printf("\nmetagate NOUN VERB --help tells more\n");
}

/* Whether an earlier verb has that noun. */
static bool
told_before(size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(verb_at(k)->noun, verb_at(i)->noun) == 0)
            return true;
    return false;
}

void
tell_nouns(void)
{
    const struct verb *v;

    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        const char *mark = "";

        if (told_before(i))
            continue;
        printf("  %-18s", v->noun);
        for (size_t k = i; verb_at(k) != NULL; k++)
            if (strcmp(verb_at(k)->noun, v->noun) == 0) {
                printf("%s%s", mark, verb_at(k)->verb);
                mark = ", ";
            }
        printf("\n");
    }
}
