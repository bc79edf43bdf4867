"""Copies and restores of a cluster whose runners are killed in each step: the
job is done, or undone with nothing left of it; what comes back is whole."""

import os
import random

import pytest

from support.kills import MOMENTS, Kills
from support.waiting import until
from wire.kunlun.test_cluster_copies import (
    filled, on_all, rows_of)
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(3600)]

LATEST = "2099-01-01 00:00:00"
DONE_S = 600


@pytest.fixture
def world(deployment, fresh):
    return World(deployment, fresh)


def killed_at(world, cluster, kind, n, moment, **members):
    """Whether the runners of that job were killed in its n-th step, which it
    may not have; and its outcome."""
    job = cluster.begin(kind, **members)
    killed = Kills(world.deployment).at(job, "cluster_mgr." + kind, n, moment)
    return killed, cluster.finished(job, DONE_S)


@pytest.mark.parametrize("ha_mode, nodes", [("no_rep", "1"), ("mgr", "3")])
def test_runners_are_killed_in_every_step(world, cluster, ha_mode, nodes):
    result, name = cluster.run("create_cluster", JOB_S, **{
        **SMALL, "ha_mode": ha_mode, "nodes": nodes})
    assert result == "done", name
    sources = filled(world, name)
    seed = int(os.environ.get("METAGATE_DRILL_SEED", "1"))
    draw, seen = random.Random(seed), [("METAGATE_DRILL_SEED", seed)]
    for n in range(16):
        killed, outcome = killed_at(world, cluster, "backup_cluster", n,
                                    draw.choice(MOMENTS),
                                    backup_cluster_name=name)
        seen.append(("backup_cluster", n, *outcome))
        assert outcome[0] == "done", seen
        if not killed:
            break
    on_all(world, sources, "INSERT INTO d.t VALUES (2, 'behind')")
    before = {r["uuid"] for r in world.rows("SELECT uuid FROM kunlun_instance")}
    for n in range(16):
        killed, outcome = killed_at(world, cluster, "restore_new_cluster", n,
                                    draw.choice(MOMENTS),
                                    backup_cluster_name=name, timestamp=LATEST)
        seen.append(("restore_new_cluster", n, *outcome))
        if outcome[0] == "done":
            assert rows_of(world, outcome[1]) == {
                "shard1": [((1, "copied"), (2, "behind"))] * int(nodes)}, seen
            assert cluster.run("delete_cluster", DONE_S,
                               cluster_name=outcome[1])[0] == "done", seen

        def gone():
            return {r["uuid"] for r in world.rows(
                "SELECT uuid FROM kunlun_instance")} == before
        until(gone, "nothing is left of it", DONE_S)
        if not killed:
            break
    print(*seen, sep="\n")
    assert any(o[2] == "done" for o in seen[1:]
               if o[0] == "restore_new_cluster")
    assert cluster.run("delete_cluster", DONE_S, cluster_name=name)[0] \
        == "done"
    until(lambda: world.leftovers() == [], "nothing is left", DONE_S)
