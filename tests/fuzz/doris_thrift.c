/* A node's answer to a heartbeat: whatever it is, in whatever pieces it
 * comes. */
#include "doris/ops/thrift.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct doris_beat beat;
    enum err whole, part;

    whole = doris_beat_read(data, n, &beat);
    HOLDS(whole == ERR_OK || whole == ERR_BUSY || whole == ERR_PEER);
    for (size_t k = 0; k < n; k += 1 + n / 64) {
        part = doris_beat_read(data, k, &beat);
        /* what begins an answer is none that was refused, and the whole of it
         * is not taken back by what follows */
        HOLDS(part != ERR_PEER || whole == ERR_PEER);
        HOLDS(part != ERR_OK || whole == ERR_OK);
    }
    return 0;
}
