/* The table of the commands, and metagate completion: what a shell completes
 * words by, as a script of it. Each is the same table in another language: what
 * has been written, and the words that may follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/commands.h"
#include "buf.h"
#include "order.h"

#define WORDS_MAX 65536

const struct command_row commands[] = {
#define COMMAND(name, function, args, doc) { name, function, args, doc },
#include "base/commands.def"
#undef COMMAND
};
const size_t n_commands = COUNT(commands);

/* A shell: before the table, a row of it, behind. Values of options come
 * first: words is what may stand behind that one (of a verb, "": of any), ""
 * for a file or what nobody knows. */
struct shell {
    const char *name, *begin;
    void (*value)(const char *written, const char *option, const char *words);
    void (*row)(const char *written, bool whole, const char *words);
    const char *end;
};

/* whole: what was written is just that; else it begins so. */
static void
case_row(const char *written, bool whole, const char *words)
{
    printf("    '%s'%s) words='%s' ;;\n", written, whole ? "" : "*", words);
}

static void
case_value(const char *written, const char *option, const char *words)
{
    printf("    '%s'*' %s') words='%s' ;;\n", written, option, words);
}

static void
fish_value(const char *written, const char *option, const char *words)
{
    printf("set -a __metagate_valued '%s'\n", option);
    if (!str_empty(words))
        printf("complete -c metagate -f -n '__metagate_last \"%s\" \"%s\"'"
               " -a '%s'\n",
               written, option, words);
}

static void
fish_row(const char *written, bool whole, const char *words)
{
    printf("complete -c metagate -f -n '__metagate_%s \"%s\"' -a '%s'\n",
           whole ? "is" : "begins", written, words);
}

static const struct shell shells[] = {
    { "bash",
      "# metagate completion bash > /etc/bash_completion.d/metagate\n"
      "_metagate()\n{\n"
      "    local cur=${COMP_WORDS[COMP_CWORD]} words=\n"
      "    case \"${COMP_WORDS[*]:1:COMP_CWORD-1}\" in\n",
      case_value, case_row,
      "    esac\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
      "}\n"
      "complete -o default -F _metagate metagate\n" },
    { "zsh",
      "#compdef metagate\n"
      "# metagate completion zsh > "
      "/usr/share/zsh/vendor-completions/_metagate\n"
      "_metagate()\n{\n"
      "    local written=\"${(j: :)words[2,CURRENT-1]}\" "
      "cur=\"$words[CURRENT]\"\n"
      "    local words=\n"
      "    case \"$written\" in\n",
      case_value, case_row,
      "    esac\n"
      "    if [[ -n $words ]]; then compadd -- ${=words}; else _files; fi\n"
      "}\n"
      "compdef _metagate metagate\n" },
    { "fish",
      "# metagate completion fish > ~/.config/fish/completions/metagate.fish\n"
      "function __metagate_written\n"
      "    set -l words (commandline -opc)\n"
      "    string join ' ' -- $words[2..-1]\n"
      "end\n"
      "function __metagate_is\n"
      "    test (__metagate_written | string collect -a) = $argv[1]\n"
      "end\n"
      "set -g __metagate_valued\n"
      "function __metagate_last\n"
      "    string match -q -- \"$argv[1]* $argv[2]\" (__metagate_written)\n"
      "end\n"
      "function __metagate_begins\n"
      "    set -l words (commandline -opc)\n"
      "    not contains -- \"$words[-1]\" $__metagate_valued\n"
      "    and string match -q -- \"$argv[1]*\" (__metagate_written)\n"
      "end\n",
      fish_value, fish_row, "" },
};

/* The word behind `first` of a noun of two words that begins with it; its first
 * one for first "". NULL: it has none. */
static const char *
word_behind(const char *noun, const char *first, size_t *n)
{
    size_t len = strlen(first);

    if (len > 0 && (strncmp(noun, first, len) != 0 || noun[len] != ' '))
        return NULL;
    noun += len > 0 ? len + 1 : 0;
    *n = strcspn(noun, " ");
    return noun;
}

/* A word that is not among the others yet. */
static void
put_word(struct buf *b, const char *word, size_t n)
{
    const char *at = buf_text(b);

    for (; (at = strstr(at, " ")) != NULL; at++)
        if (strncmp(at + 1, word, n) == 0 &&
            (at[1 + n] == ' ' || at[1 + n] == '\0'))
            return;
    buf_putc(b, ' ');
    buf_put(b, word, n);
}

static void
flush(const struct shell *s, struct buf *b, const char *written, bool whole)
{
    const char *words = buf_text(b);

    if (*words == ' ')
        s->row(written, whole, words + 1);
    buf_reset(b);
}

/* "ok, warn, bad" as "ok warn bad". */
static void
tell_value(const struct shell *s, const char *written, const char *option,
           const char *list)
{
    struct buf b = BUF_INIT(WORDS_MAX);

    for (const char *p = list; *p != '\0'; p++)
        if (*p != ',')
            buf_putc(&b, *p);
    s->value(written, option, buf_text(&b));
    buf_free(&b);
}

/* Options that take a value. */
static void
tell_values(const struct shell *s)
{
    const struct verb *v;
    char written[128], option[64];

    for (const struct order_option *o = order_options; o->name != NULL; o++)
        if (!str_empty(o->takes) && o->takes[0] != '[')
            tell_value(s, "", o->name,
                       strcmp(o->takes, "FORM") == 0 ? o->doc : "");
    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        (void)snprintf(written, sizeof(written), "%s %s", v->noun, v->verb);
        for (const struct verb_arg *a = v->args; a != NULL && a->name != NULL;
             a++) {
            if (a->needed || a->kind >= ARG_FIXED || a->kind == ARG_FLAG)
                continue;
            (void)snprintf(option, sizeof(option), "--%s", a->name);
            tell_value(s, written, option, a->one_of ? a->doc : "");
        }
    }
}

/* The options of a verb, and those of all. */
static void
put_options(struct buf *b, const struct verb *v)
{
    char word[64];

    for (const struct verb_arg *a = v->args; a != NULL && a->name != NULL; a++)
        if (!a->needed && a->kind < ARG_FIXED) {
            (void)snprintf(word, sizeof(word), "--%s", a->name);
            put_word(b, word, strlen(word));
        }
    for (size_t i = 0; order_options[i].name != NULL; i++)
        put_word(b, order_options[i].name, strlen(order_options[i].name));
}

/* What may follow these words: second words of nouns, verbs. */
static void
put_followers(struct buf *b, const char *written)
{
    const struct verb *v;
    const char *word;
    size_t n;

    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        word = word_behind(v->noun, written, &n);
        if (word != NULL)
            put_word(b, word, n);
        else if (strcmp(v->noun, written) == 0)
            put_word(b, v->verb, strlen(v->verb));
    }
}

static void
print(const struct shell *s)
{
    struct buf b = BUF_INIT(WORDS_MAX);
    char written[128];
    const struct verb *v;

    (void)fputs(s->begin, stdout);
    tell_values(s);
    for (size_t i = 0; i < n_commands; i++)
        put_word(&b, commands[i].name, strlen(commands[i].name));
    put_followers(&b, "");
    flush(s, &b, "", true);
    for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
        bool first = i == 0 || strcmp(verb_at(i - 1)->noun, v->noun) != 0;
        size_t n = strcspn(v->noun, " ");

        if (first && v->noun[n] == ' ') {
            (void)snprintf(written, sizeof(written), "%.*s", (int)n, v->noun);
            put_followers(&b, written);
            flush(s, &b, written, true);
        }
        if (first) {
            put_followers(&b, v->noun);
            flush(s, &b, v->noun, true);
        }
        (void)snprintf(written, sizeof(written), "%s %s", v->noun, v->verb);
        put_options(&b, v);
        flush(s, &b, written, false);
    }
    buf_free(&b);
    (void)fputs(s->end, stdout);
}

int
completion_main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < COUNT(shells); i++)
        if (strcmp(argv[1], shells[i].name) == 0) {
            print(&shells[i]);
            return EXIT_SUCCESS;
        }
    (void)fprintf(stderr, "usage: metagate completion bash|zsh|fish\n");
    return CLI_USAGE;
}
