/* A fuzz target is one function. libFuzzer calls it with what it makes up
 * (`make fuzz`), run_seeds.c with the bytes of files (`make test`). */
#ifndef MG_FUZZ_H
#define MG_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What has to hold for every input: as assert, whatever NDEBUG says. */
#define HOLDS(what)                                                          \
    do {                                                                     \
        if (!(what)) {                                                       \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            abort();                                                         \
        }                                                                    \
    } while (0)

#endif
