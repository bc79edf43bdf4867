"""Hundreds of faults of a replicated shard, of all kinds (support/shardfaults):
METAGATE_DRILL_RUNS of them (400), by METAGATE_DRILL_SEED (1), or those alone
whose names have METAGATE_DRILL_FAULT in them."""

import os
import statistics

import pytest

from support.shardfaults import LATE_S, SLOW, Shard, runs, small_disks
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(36000)]

SHARE = 0.95


@pytest.fixture
def disks(deployment):
    with small_disks(deployment):
        yield


def test_nothing_acknowledged_is_lost(deployment, disks, cluster, fresh):
    world = World(deployment, fresh)
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    word = os.environ.get("METAGATE_DRILL_FAULT", "")
    seen = runs(Shard(world, cluster, name),
                [fault for fault in SLOW if word in fault.__name__],
                int(os.environ.get("METAGATE_DRILL_RUNS", "400")),
                int(os.environ.get("METAGATE_DRILL_SEED", "1")))
    for kind in sorted({o.fault for o in seen}):
        of = [o for o in seen if o.fault == kind]
        back = sorted(o.back_s for o in of if o.back_s is not None)
        print(f"{kind}: {len(of)} runs, {len(back)} back"
              + (f" in {back[0]:.2f} to {back[-1]:.2f} s, half in"
                 f" {statistics.median(back):.2f}" if back else "")
              + f", {sum(o.unsafe is not None for o in of)} unsafe,"
              f" {sum(o.forced for o in of)} forced")
    back = [o for o in seen if o.back_s is not None]
    quick = [o for o in back if o.back_s <= LATE_S]
    print(f"{sum(o.rows for o in seen)} rows acknowledged, none lost;"
          f" {len(quick)} of {len(back)} back within {LATE_S} s")
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []
    assert len(quick) >= SHARE * len(back), "see above"
