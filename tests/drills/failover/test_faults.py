"""Hundreds of faults of a replicated shard, of all kinds (support/shardfaults):
METAGATE_DRILL_RUNS of them (400), by METAGATE_DRILL_SEED (1)."""

import os
import subprocess

import pytest

from support.kunlun import Machine
from support.shardfaults import SLOW, Shard, runs
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(36000)]

BACK_S = 3.5
SHARE = 0.95
DISK_MIB = 700


@pytest.fixture
def small_disks(deployment):
    """What the servers of each machine have for their data."""
    tops = [os.path.join(deployment.base, f"roots-{deployment.net}.{k}")
            for k in (1, 2, 3)]
    for top in tops:
        os.mkdir(top)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m",
                        "metagate-drill", top], check=True)
    yield Machine
    for top in tops:
        subprocess.run(["umount", "-l", top], check=True)


def test_nothing_acknowledged_is_lost(deployment, small_disks, cluster, fresh):
    world = World(deployment, fresh)
    for m in world.machines:
        os.chmod(m.top, 0o755)
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    seen = runs(Shard(world, cluster, name), SLOW,
                int(os.environ.get("METAGATE_DRILL_RUNS", "400")),
                int(os.environ.get("METAGATE_DRILL_SEED", "1")))
    for kind in sorted({o.fault for o in seen}):
        of = [o for o in seen if o.fault == kind]
        back = sorted(o.back_s for o in of if o.back_s is not None)
        print(f"{kind}: {len(of)} runs, {len(back)} back"
              + (f" in {back[0]:.2f} to {back[-1]:.2f} s" if back else "")
              + f", {sum(o.unsafe is not None for o in of)} unsafe,"
              f" {sum(o.forced for o in of)} forced")
    back = [o for o in seen if o.back_s is not None]
    quick = [o for o in back if o.back_s <= BACK_S]
    print(f"{sum(o.rows for o in seen)} rows acknowledged, none lost;"
          f" {len(quick)} of {len(back)} back within {BACK_S} s")
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []
    assert len(quick) >= SHARE * len(back), "see above"
