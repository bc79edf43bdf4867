/* The replica server of a machine, as far as the failure detector sees it:
 * its beacons. It holds no data, so the configurations in the store are its
 * report, and its learners are ready at once. */
#include "leader.h"

#include "log.h"
#include "pegasus/node/metas.h"
#include "pegasus/node/node.h"
#include "pegasus/settings.h"

int64_t
pegasus_beacon_every_ms(void)
{
    return pegasus_settings()->fd_beacon_interval_seconds * 1000;
}

enum turn
pegasus_beacon_send(struct upkeep_run *run)
{
    const char *address = pegasus_replica_of(run->arena, run->machine);
    enum err e;

    if (str_empty(address))
        return TURN_IDLE; /* this machine has none */
    e = pegasus_store_beacon_managed(run->db, address);
    if (e == ERR_OK)
        return TURN_IDLE; /* until the next one is due */
    log_warn("pegasus.beacon address=%s err=%s errno=%u why=\"%s\"", address,
             err_name(e), db_errno(run->db), db_error(run->db));
    return TURN_FAILED;
}
