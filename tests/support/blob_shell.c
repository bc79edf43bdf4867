/* fcgi/blob for tests: one call of a store.
 *
 * usage: blob_shell URL put KEY < bytes     prints "<bytes> <sha256>"
 *        blob_shell URL new KEY < bytes     the same, if there is none
 *        blob_shell URL get KEY [OFFSET]    prints the bytes
 *        blob_shell URL size KEY | drop KEY | text KEY | line KEY TEXT
 *        blob_shell URL fail KEY < bytes    put, breaking off after them
 *
 * S3's keys are METAGATE_TEST_ACCESS_KEY and _SECRET_KEY, what a directory has
 * to lie below is METAGATE_TEST_ROOT. What fails says
 * "<err>: <why>" on stderr and exits 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "blob.h"

static int64_t
read_in(void *ctx, char *p, size_t n)
{
    ssize_t got = read(STDIN_FILENO, p, n);

    return got == 0 && ctx != NULL ? -1 : got;
}

static bool
write_out(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    return fwrite(p, 1, n, stdout) == n;
}

static enum err
put_new(struct arena *a, struct blob_store *s, const char *key,
        char why[WHY_BYTES])
{
    size_t max = (size_t)32 << 20, n = 0;
    char *p = arena_alloc(a, max);
    int64_t got = 1;

    while (p != NULL && n < max && (got = read_in(NULL, p + n, max - n)) > 0)
        n += (size_t)got;
    return blob_put_span(s, key, (struct span){ p, n }, true, why);
}

static enum err
run(struct arena *a, struct blob_store *s, int argc, char **argv,
    char why[WHY_BYTES])
{
    const char *verb = argv[2], *key = argv[3], *text;
    struct blob_sum sum;
    int64_t bytes;
    enum err e = ERR_BAD_PARAM;

    if (strcmp(verb, "put") == 0 || strcmp(verb, "fail") == 0) {
        e = blob_put(s, key, read_in, verb[0] == 'f' ? s : NULL, &sum, why);
        if (e == ERR_OK)
            printf("%lld %s\n", (long long)sum.bytes, sum.sha256);
    } else if (strcmp(verb, "new") == 0) {
        e = put_new(a, s, key, why);
    } else if (strcmp(verb, "get") == 0) {
        e = blob_get(s, key, argc > 4 ? atoll(argv[4]) : 0, write_out, NULL,
                     why);
    } else if (strcmp(verb, "size") == 0) {
        e = blob_size(s, key, &bytes, why);
        if (e == ERR_OK)
            printf("%lld\n", (long long)bytes);
    } else if (strcmp(verb, "drop") == 0) {
        e = blob_drop(s, key, why);
    } else if (strcmp(verb, "text") == 0) {
        e = blob_text(s, a, key, &text, why);
        if (e == ERR_OK)
            printf("%s", text);
    } else if (strcmp(verb, "line") == 0 && argc > 4) {
        e = blob_add_line(s, a, key, argv[4], why);
    }
    return e;
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new((size_t)64 << 20);
    char why[WHY_BYTES] = "";
    struct blob_store *s;
    enum err e;

    if (a == NULL || argc < 4)
        return 2;
    e = blob_open(a,
                  &(struct blob_config){
                      .url = argv[1],
                      .root = getenv("METAGATE_TEST_ROOT"),
                      .access_key = getenv("METAGATE_TEST_ACCESS_KEY"),
                      .secret_key = getenv("METAGATE_TEST_SECRET_KEY"),
                  },
                  &s, why);
    if (e == ERR_OK)
        e = run(a, s, argc, argv, why);
    if (e != ERR_OK)
        (void)fprintf(stderr, "%s: %s\n", err_name(e), why);
    arena_free(a);
    return e == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
