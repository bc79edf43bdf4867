/* Statements as a source has run them, of which what they do is read. */
#include "fuzz.h"
#include "ticdc/encode/action.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    unsigned action = action_read((const char *)data, n, 0);
    const struct action *a = action_of(action);

    /* each that is read has its words */
    HOLDS(a->action == action && a->canal != NULL && a->maxwell != NULL);
    return 0;
}
