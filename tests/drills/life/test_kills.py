"""Clusters that are made, grow, shrink and go, while whoever performs that is
killed in every step: each job is done, or undone with nothing left of it, and
the next one finds what it needs."""

import os
import random

import pytest

from support.kills import MOMENTS, Kills
from support.waiting import until
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(7200)]

STEPS = 16  # no kind has more
DONE_S = 600
GROWTH = {"add_shards": ("shards", "delete_shard"),
          "add_comps": ("comps", "delete_comp"),
          "add_nodes": ("nodes", "delete_node")}


@pytest.fixture
def world(deployment, fresh):
    return World(deployment, fresh)


@pytest.fixture
def draw():
    seed = int(os.environ.get("METAGATE_DRILL_SEED", "1"))
    print("METAGATE_DRILL_SEED", seed)
    return random.Random(seed)


def killed(world, cluster, kind, n, moment, **members):
    """Whether its runners were killed in its n-th step, which it may not have;
    and its outcome."""
    job = cluster.begin(kind, **members)
    hit = Kills(world.deployment).at(job, "cluster_mgr." + kind, n, moment)
    outcome = cluster.finished(job, DONE_S)
    print(kind, n, moment, hit, *outcome, flush=True)
    return hit, *outcome


def shape(world, name):
    return (sorted(n[:2] for n in world.nodes(name)),
            sorted(world.comps(name)),
            sorted(r["uuid"] for r in world.rows(
                "SELECT uuid FROM kunlun_instance")),
            sorted(r["uuid"] for r in world.rows(
                "SELECT uuid FROM kunlun_place")))


def test_a_cluster_is_there_or_nothing_of_it(world, cluster, draw):
    made = 0
    for n in range(STEPS):
        hit, result, name = killed(world, cluster, "create_cluster", n,
                                   draw.choice(MOMENTS), **SMALL)
        if result == "done":
            made += 1
            _, result, why = killed(world, cluster, "delete_cluster", n,
                                    draw.choice(MOMENTS), cluster_name=name)
            assert result == "done", why
        until(lambda: world.leftovers() == [], "nothing is left", DONE_S)
        if not hit:
            break
    assert made > 0


def named(kind, what):
    if kind != "delete_node":
        return {kind.partition("_")[2] + "_name": what}
    ip, _, port = what.partition(":")
    return {"shard_name": "shard1", "ip": ip, "port": port}


@pytest.mark.parametrize("kind", GROWTH)
def test_what_it_grows_by_is_there_or_nothing_of_it(world, cluster, draw,
                                                    kind):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    counted, opposite = GROWTH[kind]
    before, grown = shape(world, name), 0
    for n in range(STEPS):
        hit, result, what = killed(world, cluster, kind, n,
                                   draw.choice(MOMENTS), cluster_name=name,
                                   **{counted: "1"})
        if result == "done":
            grown += 1
            assert shape(world, name) != before
            _, result, why = killed(world, cluster, opposite, n,
                                    draw.choice(MOMENTS), cluster_name=name,
                                    **named(opposite, what))
            assert result == "done", why
        until(lambda: shape(world, name) == before, "as it was", DONE_S)
        if not hit:
            break
    assert grown > 0
    assert cluster.run("delete_cluster", DONE_S, cluster_name=name)[0] \
        == "done"
    until(lambda: world.leftovers() == [], "nothing is left", DONE_S)
