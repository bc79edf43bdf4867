"""Orders to a cluster that is there: its servers stopped and started, its
primaries changed. Real servers on three machines."""

import pytest

from support.waiting import until
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World

pytestmark = [pytest.mark.fault, pytest.mark.limit(900)]


@pytest.fixture
def world(deployment, fresh):
    return World(deployment, fresh)


def watched(cluster, name):
    """The first shard, as it is told in detail."""
    return cluster.ask("get_cluster_detail", cluster_name=name)["shards"][0]


def control(cluster, word, at, expected=("done", "control instance succeed")):
    assert cluster.run("control_instance", JOB_S, control=word, ip=at[0],
                       port=str(at[1]), type="mysql") == expected


def row_of(world, at):
    return world.rows("SELECT * FROM Kunlun_Metadata_DB.shard_nodes"
                      " WHERE hostaddr = %s AND port = %s", *at)[0]


def state(world, at):
    return world.entry(*at)["state"]


def has(world, at, rows):
    def there():
        with world.on_storage(*at) as c, c.cursor() as q:
            q.execute("SELECT COUNT(*) FROM d.t")
            return q.fetchone() == (rows,)
    return until(there)


def test_what_is_stopped_stays_down_and_out(world, cluster, panel):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    for bad in (("127.0.0.1", 1), ("127.0.0.77", 57330)):
        control(cluster, "stop", bad,
                ("failed", "instance ip_port no find"))
    first = world.source(name)
    replica = next(n[:2] for n in world.nodes(name) if n[2] == "replica")

    # a replica: the shard goes on without it, and nobody is told to mind
    control(cluster, "stop", replica)
    assert state(world, replica) == "stopped"
    assert row_of(world, replica)["status"] == "inactive"
    assert str(replica[1]) not in [
        s["port"] for s in cluster.ask("get_storage",
                                       cluster_name=name).values()
        if s["ip"] == replica[0]]
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    with world.on_storage(*first) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (1, 'without it')")
    # pull-up leaves it alone, also when a pause ends
    machine = next(m for m in world.machines
                   if m.node.address == replica[0])
    assert machine.node.ask("auto_pullup", minutes=0) == {
        "result": "succeed"}
    assert state(world, replica) == "stopped"

    # the primary: another one leads before it goes down
    control(cluster, "stop", first)
    second = world.source(name)
    assert second not in (first, replica)
    assert world.rows("SELECT kind FROM kunlun_failover")[-1]["kind"] \
        == "switch"
    assert state(world, first) == "stopped"

    # ... nobody follows it now: who was stopped leads nowhere by itself, and
    # is in again, with all rows, when it is started
    control(cluster, "start", replica)
    has(world, replica, 1)
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    with world.on_storage(*second) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (2, 'with it')")
    control(cluster, "restart", second)
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    assert world.source(name) == replica

    # as XPanel 1.x does it
    assert panel.run("control_instance", JOB_S, control="start",
                     hostaddr=first[0], port=str(first[1]), cluster_id="1",
                     machine_type="storage")[0] == "done"
    for at in (first, second, replica):
        has(world, at, 2)
        assert row_of(world, at)["status"] == "active"

    # all of it down, and up again: none is better than the last that led
    last = world.source(name)
    others = [at for at in (first, second, replica) if at != last]
    for at in (*others, last):
        control(cluster, "stop", at)
    for at in (*others, last):
        control(cluster, "start", at)
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    assert world.source(name) == last
    for at in (first, second, replica):
        has(world, at, 2)

    # a computing node
    comp, = world.comps(name)
    control(cluster, "stop", comp)
    assert cluster.ask("get_computer", cluster_name=name) == {}
    control(cluster, "restart", comp)
    with world.on_computer(*comp) as c, c.cursor() as q:
        q.execute("SELECT 1")
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name) \
        == ("done", name)
    assert world.leftovers() == []
