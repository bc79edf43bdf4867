/* Seals its standard input for a cell of the store, for tests that write rows
 * past metagate; makes the key file when there is none.
 *
 * usage: seal_shell KEY_FILE TABLE ROW COLUMN */
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "crypt.h"

#define TEXT_MAX 65536

int
main(int argc, char **argv)
{
    static char text[TEXT_MAX];
    struct arena *a = arena_new(1u << 20);
    const char *sealed;
    enum err e;
    size_t n;

    if (argc != 5 || a == NULL)
        return EXIT_FAILURE;
    e = crypt_create(argv[1]);
    if (e == ERR_OK || e == ERR_EXISTS)
        e = crypt_load(argv[1]);
    n = fread(text, 1, sizeof(text), stdin);
    if (e == ERR_OK)
        e = crypt_seal(a, argv[2], argv[3], argv[4], text, n, &sealed);
    if (e == ERR_OK)
        (void)puts(sealed);
    else
        (void)fprintf(stderr, "%s\n", err_name(e));
    arena_free(a);
    return e == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
