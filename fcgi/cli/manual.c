/* metagate man: the manual page of nouns and verbs, in mdoc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/commands.h"
#include "order.h"

/* A text of ours within a line of mdoc: nothing of it is a request, and no word
 * of two letters a macro. */
static void
put_text(const char *text)
{
    (void)fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            (void)fputs("\\e", stdout);
        else if (*text == '-')
            (void)fputs("\\-", stdout);
        else if (*text == '"')
            (void)fputs("\\(dq", stdout);
        else
            (void)putchar(*text);
        if (*text == ' ')
            (void)fputs("\\&", stdout);
    }
}

static void
put_line(const char *text)
{
    size_t n = strlen(text);

    put_text(text);
    (void)fputs(n > 0 && text[n - 1] == '.' ? "\n" : ".\n", stdout);
}

/* "Ar \&ID Op Fl \&-state Ar \&value" behind an item's words. */
static void
put_usage(const struct verb *v)
{
    for (const struct verb_arg *a = v->args; a != NULL && a->name != NULL;
         a++) {
        if (a->kind >= ARG_FIXED)
            continue;
        if (a->needed) {
            (void)fputs(" Ar ", stdout);
            put_text(a->name);
            continue;
        }
        (void)fputs(" Oo Fl \\-", stdout);
        (void)fputs(a->name, stdout);
        (void)fputs(a->kind == ARG_FLAG ? " Oc" : " Ar value Oc", stdout);
    }
}

static void
put_args(const struct verb *v)
{
    bool begun = false;

    for (const struct verb_arg *a = v->args; a != NULL && a->name != NULL;
         a++) {
        if (a->kind >= ARG_FIXED)
            continue;
        if (!begun)
            (void)fputs(".Bl -tag -width Ds -compact\n", stdout);
        begun = true;
        (void)fputs(a->needed ? ".It Ar " : ".It Fl \\-", stdout);
        if (a->needed)
            put_text(a->name);
        else
            (void)fputs(a->name, stdout);
        (void)putchar('\n');
        put_line(a->doc);
    }
    if (begun)
        (void)fputs(".El\n", stdout);
}

static void
put_verb(const struct verb *v)
{
    (void)fputs(".It Cm ", stdout);
    put_text(v->noun);
    (void)fputs(" Cm ", stdout);
    put_text(v->verb);
    put_usage(v);
    (void)putchar('\n');
    put_line(v->doc);
    put_args(v);
}

static void
put_nouns(const char *noun)
{
    const struct verb *v;
    const char *last = "";

    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        if (noun != NULL && strcmp(v->noun, noun) != 0)
            continue;
        if (strcmp(v->noun, last) != 0) {
            (void)fputs(str_empty(last) ? "" : ".El\n", stdout);
            (void)fputs(".Ss ", stdout);
            put_text(v->noun);
            (void)fputs("\n.Bl -tag -width Ds\n", stdout);
        }
        last = v->noun;
        put_verb(v);
    }
    (void)fputs(str_empty(last) ? "" : ".El\n", stdout);
}

static void
put_options(void)
{
    (void)fputs(".Sh OPTIONS\nEvery verb takes:\n"
                ".Bl -tag -width \"--token-file FILE\"\n",
                stdout);
    for (size_t i = 0; order_options[i].name != NULL; i++) {
        (void)fputs(".It Fl ", stdout);
        (void)fputs(order_options[i].name[1] == '-' ? "\\-" : "", stdout);
        (void)fputs(order_options[i].name + strspn(order_options[i].name, "-"),
                    stdout);
        if (!str_empty(order_options[i].takes)) {
            (void)fputs(*order_options[i].takes == '[' ? " Ns " : " Ar ",
                        stdout);
            put_text(order_options[i].takes);
        }
        (void)putchar('\n');
        put_line(order_options[i].doc);
    }
    (void)fputs(".El\n", stdout);
}

static void
put_ends(void)
{
    const char *what;
    int status;

    (void)fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n", stdout);
    for (size_t i = 0; (what = cli_exit_words(i, &status)) != NULL; i++) {
        printf(".It %d\n", status);
        put_line(what);
    }
    (void)fputs(".El\n", stdout);
}

static const char head[] =
    ".Dd $Mdocdate$\n"
    ".Dt METAGATE-VERBS 1\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm metagate-verbs\n"
    ".Nd what a running metagate holds, and changes of it\n"
    ".Sh SYNOPSIS\n"
    ".Nm metagate\n"
    ".Ar noun\n"
    ".Op Ar verb\n"
    ".Op Ar arguments\n"
    ".Op Ar options\n"
    ".Sh DESCRIPTION\n"
    "A noun without a verb is listed.\n"
    "What takes something away asks first; without a terminal it wants\n"
    ".Fl \\-yes .\n"
    "A deployment of this host is found by itself; others by\n"
    ".Fl \\-url\n"
    "or\n"
    ".Fl \\-context .\n";

static const char around[] =
    ".Sh ENVIRONMENT\n"
    ".Bl -tag -width METAGATE_CONTEXTS\n"
    ".It Ev METAGATE_CONTEXT\n"
    "As\n"
    ".Fl \\-context .\n"
    ".It Ev METAGATE_CONTEXTS\n"
    "The file of contexts.\n"
    ".It Ev NO_COLOR\n"
    "Anything: no colour, which a terminal alone gets.\n"
    ".El\n"
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa ~/.config/metagate/contexts\n"
    "Lines of a name, a URL, and the file that has the token.\n"
    ".El\n";

int
man_main(int argc, char **argv)
{
    if (argc > 2) {
        (void)fprintf(stderr, "usage: metagate man [NOUN]\n");
        return CLI_USAGE;
    }
    (void)fputs(head, stdout);
    (void)fputs(".Sh NOUNS\n", stdout);
    put_nouns(argc == 2 ? argv[1] : NULL);
    put_options();
    (void)fputs(around, stdout);
    put_ends();
    (void)fputs(".Sh SEE ALSO\n.Xr metagate 1\n", stdout);
    return EXIT_SUCCESS;
}
