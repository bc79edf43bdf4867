"""A deployment that is stopped and started again: its clusters go on by
themselves, with every row that was acknowledged."""

import itertools
import threading

import pymysql
import pytest

from support.box import Box
from support.kunlun import Cluster
from support.waiting import until
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(900)]
STOP_S = 150  # what `metagate stop` waits


@pytest.fixture
def box():
    box = Box()
    try:
        yield box
    finally:
        box.close()


class Writer(threading.Thread):
    """Writes into a table, one row a commit, until its server is gone."""

    def __init__(self, connection, first):
        super().__init__(daemon=True)
        self.connection, self.first = connection, first
        self.acknowledged = []

    def run(self):
        try:
            with self.connection as c, c.cursor() as q:
                for k in itertools.count(self.first):
                    q.execute("INSERT INTO d.t VALUES (%s, 'row')", (k,))
                    self.acknowledged.append(k)
        except (pymysql.Error, OSError):
            pass


def verdict(cluster, name):
    return cluster.ask("get_cluster_detail",
                       cluster_name=name)["shards"][0]["verdict"]


def rows(world, at):
    with world.on_storage(*at) as c, c.cursor() as q:
        q.execute("SELECT a FROM d.t")
        return {a for a, in q.fetchall()}


def test_a_replicated_shard_begins_again_by_itself(box, fresh):
    box.ready(box.up())
    cluster = Cluster(box.client("cluster_mgr"), fresh)
    world = World(box, fresh)
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    until(lambda: verdict(cluster, name) == "fine")
    first = world.source(name)
    entry = world.entry(*first)

    acknowledged = set()
    for start in (0, 1000000):
        writer = Writer(pymysql.connect(
            host=first[0], port=first[1], autocommit=True, read_timeout=60,
            user=entry["user"], password=entry["pwd"]), start)
        writer.start()
        until(lambda w=writer: len(w.acknowledged) > 100)
        up = box.started[-1]
        up.terminate()
        assert up.wait(STOP_S) == 0, box.output()
        writer.join(STOP_S)
        assert not writer.is_alive()
        acknowledged |= set(writer.acknowledged)

        box.up()
        until(box.healthy, "the next up", 90)
        until(lambda: verdict(cluster, name) == "fine", timeout=90)
        assert world.source(name) == first  # it had all
        for at in world.nodes(name):
            until(lambda at=at: acknowledged <= rows(world, at[:2]))
    told = cluster.ask("get_failovers", cluster_name=name)
    assert {f["kind"] for f in told} == {"resume"}, told
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []
