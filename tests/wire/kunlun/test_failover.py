"""A shard whose servers and watchers fail while clients write: `make drills` in
short. The order of faults that lose rows, and a dozen more of them, have unit
tests with real servers (handlers/kunlun/shard/member_test)."""

import os

import pytest

from support import shardfaults
from support.shardfaults import Shard, runs, small_disks
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(1200)]
FAULTS = (shardfaults.primary_is_back_before_anybody_looks,
          shardfaults.control_stands_still_in_the_failover,
          shardfaults.primary_and_control_are_killed)
if os.geteuid() == 0:  # who alone makes file systems
    FAULTS += shardfaults.disk_is_full_until_its_server_is_killed,


@pytest.fixture
def disks(deployment):
    if os.geteuid() != 0:
        yield
        return
    with small_disks(deployment):
        yield


def test_nothing_acknowledged_is_lost(deployment, disks, cluster, fresh):
    world = World(deployment, fresh)
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    seen = runs(Shard(world, cluster, name), FAULTS, len(FAULTS), 1)
    assert all(o.back_s is not None or o.unsafe for o in seen)
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []
