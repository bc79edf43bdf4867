/* The command line: metagate [--run-dir DIR] [--net A.B.C] <command> [args]. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/account.h"
#include "base/commands.h"
#include "cli/cli.h"
#include "cli/order.h"
#include "cli/tell.h"
#include "build_info.h"
#include "config.h"
#include "file.h"
#include "config_live.h"
#include "log.h"
#include "place.h"
#include "profiler.h"
#include "schema/migrate.h"

#define EXIT_USAGE      2
#define EFFECTIVE_BYTES (1u << 20)

static const struct command_row *
find_command(const char *name)
{
    for (size_t i = 0; i < n_commands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* The nouns of the command line, which have verbs: dialects bring them. */
static const struct command_row nouns = { "", cli_main, "", "" };

/* A word that is a command and a noun ("config") is the command, unless a verb
 * of the noun follows that the command does not know. */
static bool
is_noun(int argc, char **argv)
{
    const struct verb *v;

    if (find_command(argv[0]) == NULL)
        return order_is_ours(argc, argv);
    for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
        if (argc > 1 && strcmp(v->noun, argv[0]) == 0 &&
            strcmp(v->verb, argv[1]) == 0)
            return true;
    return false;
}

static void
print_help(FILE *f)
{
    (void)fprintf(f, "usage: metagate [--run-dir DIR] [--net A.B.C] COMMAND "
                     "[ARGUMENTS]\n\n");
    for (size_t i = 0; i < n_commands; i++)
        (void)fprintf(f, "  %-10s  %s\n", commands[i].name, commands[i].doc);
    (void)fprintf(f, "\nand by NOUN VERB, what a running server holds:\n\n");
    tell_nouns();
    (void)fprintf(
        f,
        "\n--run-dir or RUN_DIR: where the deployment lies (default \"run\";"
        " as root\n    " ROOT_RUN_DIR
        ";\n    installed, for all but up and start, " INSTALLED_RUN_DIR ")\n"
        "--net or NET: the addresses it takes (default: those of its last"
        " start, at first\n    127.0.0; machine k is NET.k)\n"
        "--version: which metagate this is\n"
        "metagate COMMAND --help tells more about one command.\n");
}

static void
print_command_help(const struct command_row *c)
{
    char name[32], *words[] = { name, NULL };

    printf("usage: metagate [--run-dir DIR] [--net A.B.C] %s%s%s\n\n%s\n",
           c->name, !str_empty(c->args) ? " " : "", c->args, c->doc);
    (void)snprintf(name, sizeof(name), "%s", c->name);
    if (order_is_ours(1, words)) {
        printf("\nand of what a running server holds:\n\n");
        tell_help(NULL, 1, words);
    }
}

static int
usage_error(const char *what, const char *arg)
{
    (void)fprintf(stderr, "metagate: %s%s%s (metagate --help)\n", what,
                  !str_empty(arg) ? ": " : "", arg);
    return EXIT_USAGE;
}

static const char *
next_word(const void *ctx, size_t i)
{
    const struct verb *v;

    (void)ctx;
    if (i < n_commands)
        return commands[i].name;
    v = verb_at(i - n_commands);
    return v != NULL ? v->noun : NULL;
}

static int
unknown(const char *word)
{
    const char *meant = nearest(word, next_word, NULL);

    if (meant == NULL)
        return usage_error("unknown command", word);
    (void)fprintf(stderr,
                  "metagate: unknown command: %s; did you mean %s? "
                  "(metagate --help)\n",
                  word, meant);
    return EXIT_USAGE;
}

/* --name VALUE or --name=VALUE at argv[*i]; moves *i past it. */
static bool
take_option(int argc, char **argv, int *i, const char *name, const char **out)
{
    size_t n = strlen(name);
    const char *arg = argv[*i];

    if (strncmp(arg, name, n) != 0)
        return false;
    if (arg[n] == '=') {
        *out = arg + n + 1;
    } else if (arg[n] == '\0' && *i + 1 < argc) {
        *out = argv[++*i];
    } else {
        return false;
    }
    ++*i;
    return true;
}

static const char *
env_or(const char *name, const char *otherwise)
{
    const char *v = getenv(name);

    return !str_empty(v) ? v : otherwise;
}

/* A process may be started with a standard descriptor closed; the next file
 * opened would then be taken for it. */
static void
open_std_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

/* A limit of 1 byte stops core files and, unlike 0, also the kernel's pipe to
 * a core handler: memory holds tokens and keys. */
static void
limit_cores(void)
{
    const struct rlimit one = { 1, 1 };

    if (!config()->core_core_dumps)
        (void)setrlimit(RLIMIT_CORE, &one);
}

static bool
load_config(bool quiet)
{
    char path[PLACE_BYTES], why[WHY_BYTES];

    if (place_path(path, sizeof(path), "metagate.ini") != ERR_OK) {
        (void)fprintf(stderr, "metagate: the path of RUN_DIR is too long\n");
        return false;
    }
    if (config_load(path, why) != ERR_OK) {
        if (!quiet)
            (void)fprintf(stderr, "metagate: %s\n", why);
        return false;
    }
    if (!str_empty(config()->core_timezone))
        (void)setenv("TZ", config()->core_timezone, 1);
    tzset();
    log_set_level_name(config()->core_log_level);
    log_set_format_name(config()->core_log_format);
    limit_cores();
    return true;
}

/* Every other command works on one that exists. */
static bool
makes_deployment(const struct command_row *c)
{
    return strcmp(c->name, "up") == 0 || strcmp(c->name, "start") == 0;
}

/* A mistake in the configuration made since the start must not keep the
 * deployment from being stopped, nor check from telling of it. */
static bool
needs_config(const struct command_row *c)
{
    return strcmp(c->name, "stop") != 0 && strcmp(c->name, "check") != 0;
}

/* up and start drop root in their own way; every other command runs as the
 * account that owns the deployment. */
static bool
settle_account(const struct command_row *c)
{
    char why[WHY_BYTES];
    enum err e;

    if (makes_deployment(c))
        e = account_check_run_dir(config_run_dir(), why);
    else
        e = account_become_owner(config_run_dir(), why);
    if (e == ERR_OK)
        return true;
    (void)fprintf(stderr, "metagate: %s\n", why);
    return false;
}

static bool
adopt_net_of(const char *file)
{
    char path[PLACE_BYTES], net[32], why[WHY_BYTES];

    if (place_path(path, sizeof(path), file) != ERR_OK ||
        access(path, F_OK) != 0)
        return false;
    if (file_start(path, net, sizeof(net)) > 0 &&
        place_set(config_run_dir(), net, why) != ERR_OK)
        (void)fprintf(stderr, "metagate: %s: %s\n", path, why);
    return true;
}

/* Without --net a command takes the one of the last start, and so does a
 * start: a deployment keeps its addresses. */
static void
adopt_net(void)
{
    if (!adopt_net_of(PLACE_NET_UP))
        (void)adopt_net_of(PLACE_NET_INIT);
}

static bool
is_role(const struct command_row *c)
{
    static const char *const roles[] = { "serve", "control", "supervise",
                                         "capture" };

    for (size_t i = 0; i < COUNT(roles); i++)
        if (strcmp(c->name, roles[i]) == 0)
            return true;
    return false;
}

/* A word to read files again must not end a role that does not wait for it
 * yet. */
static void
block_hangup(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int
run_command(const struct command_row *c, bool net_given, int argc, char **argv,
            char **whole_argv)
{
    if (c == &nouns && order_is_remote(argc, argv))
        return c->run(argc, argv); /* nothing of this host is asked */
    if (c != &nouns && argc > 1 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_command_help(c);
        return EXIT_SUCCESS;
    }
    if (is_role(c))
        block_hangup();
    if (!settle_account(c))
        return EXIT_FAILURE;
    if (!net_given)
        adopt_net();
    if (!load_config(strcmp(c->name, "check") == 0) && needs_config(c))
        return EXIT_FAILURE;
    if (is_role(c)) /* gperftools reads its environment when it is loaded,
                     * before any of our code runs */
        profiler_environment(whole_argv, config()->serve_heap_sample_bytes);
    return c->run(argc, argv);
}

int
main(int argc, char **argv)
{
    const char *run_dir = env_or("RUN_DIR", NULL);
    const char *net = env_or("NET", NULL);
    const struct command_row *c;
    char why[WHY_BYTES];
    int i = 1;

    open_std_descriptors();
    (void)umask(027);
    (void)signal(SIGPIPE, SIG_IGN);
    while (i < argc && (take_option(argc, argv, &i, "--run-dir", &run_dir) ||
                        take_option(argc, argv, &i, "--net", &net)))
        ;
    if (i == argc)
        return usage_error("no command given", "");
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
        strcmp(argv[i], "help") == 0) {
        c = i + 1 < argc ? find_command(argv[i + 1]) : NULL;
        if (c != NULL)
            print_command_help(c);
        else if (order_is_ours(argc - i - 1, argv + i + 1))
            tell_help(NULL, argc - i - 1, argv + i + 1);
        else
            print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(argv[i], "--version") == 0) {
        printf("metagate %s, schema %u, commit %s\n", build_version,
               migrate_version(), build_revision());
        return EXIT_SUCCESS;
    }
    if (argv[i][0] == '-')
        return usage_error("unknown option, or one without its value", argv[i]);
    c = is_noun(argc - i, argv + i) ? &nouns : find_command(argv[i]);
    if (c == NULL)
        return unknown(argv[i]);
    if (run_dir == NULL)
        run_dir = place_default_run_dir(makes_deployment(c));
    if (place_set(run_dir, net != NULL ? net : "127.0.0", why) != ERR_OK)
        return usage_error(why, "");
    return run_command(c, net != NULL, argc - i, argv + i, argv);
}

/* "section.key = value", as this command has read them: the file's, or the
 * environment's. What update_config has changed is in the store. */
static int
print_effective(void)
{
    struct arena *a = arena_new(EFFECTIVE_BYTES);
    struct config_line l;
    enum err e = a == NULL ? ERR_NOMEM : ERR_OK;

    for (size_t i = 0; e == ERR_OK && (e = config_line(i, a, &l)) == ERR_OK;
         i++)
        printf("%s =%s%s\n", l.name, !str_empty(l.value) ? " " : "", l.value);
    if (a != NULL)
        arena_free(a);
    return e == ERR_NOT_FOUND ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
config_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--effective") == 0)
        return print_effective();
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--markdown") != 0))
        return usage_error("config takes --effective, --markdown or nothing",
                           "");
    config_print(argc == 2);
    return EXIT_SUCCESS;
}
