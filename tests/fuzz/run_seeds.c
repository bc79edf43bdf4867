/* The plain main of a fuzz target: runs it on each file that is named, in a
 * block of exactly the file's size, so that reading past its end shows. */
#include "fuzz.h"

static uint8_t *
read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = NULL;
    long size;

    if (f == NULL)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0) {
        *n = (size_t)size;
        rewind(f);
        p = malloc(*n + (*n == 0));
        if (p != NULL && fread(p, 1, *n, f) != *n) {
            free(p);
            p = NULL;
        }
    }
    (void)fclose(f);
    return p;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t n = 0;
        uint8_t *p = read_file(argv[i], &n);

        if (p == NULL) {
            perror(argv[i]);
            return 1;
        }
        (void)LLVMFuzzerTestOneInput(p, n);
        free(p);
    }
    return argc > 1 ? 0 : 2;
}
