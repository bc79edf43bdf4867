"""A shard whose servers and watchers fail while clients write: `make drills` in
short. The order of faults that lose rows, and a dozen more of them, have unit
tests with real servers (handlers/kunlun/shard/member_test)."""

import pytest

from support import shardfaults
from support.shardfaults import Shard, runs
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(1200)]
FAULTS = (shardfaults.primary_is_back_before_anybody_looks,
          shardfaults.control_stands_still_in_the_failover,
          shardfaults.primary_and_control_are_killed)


def test_nothing_acknowledged_is_lost(deployment, cluster, fresh):
    world = World(deployment, fresh)
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    seen = runs(Shard(world, cluster, name), FAULTS, len(FAULTS), 1)
    assert all(o.back_s is not None or o.unsafe for o in seen)
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []
