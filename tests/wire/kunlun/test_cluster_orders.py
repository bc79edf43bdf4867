"""Orders to a cluster that is there: its servers stopped and started, its
primaries changed. Real servers on three machines."""

import os
import threading

import pymysql
import pytest

from support.waiting import until
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World, pid_of

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
    second = until(lambda: (s := world.source(name)) != first and s)
    assert second != replica
    assert world.rows("SELECT kind FROM kunlun_failover")[-1]["kind"] \
        == "switch"
    assert state(world, first) == "stopped"

    # ... nobody follows it now: that its writes wait is told; and who was stopped leads nowhere by itself, and
    # is in again, with all rows, when it is started
    seen = until(lambda: (w := watched(cluster, name))["verdict"] == "waits"
                 and w)
    assert seen["why"].endswith("writes wait until it is started again")
    control(cluster, "start", replica)
    has(world, replica, 1)
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    with world.on_storage(*second) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (2, 'with it')")
    control(cluster, "restart", second)
    until(lambda: world.source(name) == replica)
    until(lambda: watched(cluster, name)["verdict"] == "fine")

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


class Writer:
    """A client that writes to whoever leads, and knows what was acknowledged."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.acked, self.stop = [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        n = 100
        while not self.stop.is_set():
            try:
                at = self.world.source(self.name)
                with self.world.on_storage(*at) as c, c.cursor() as q:
                    while not self.stop.is_set():
                        n += 1
                        q.execute("INSERT INTO d.t VALUES (%s, 'w')", (n,))
                        self.acked.append(n)
            except pymysql.Error:
                pass

    def __enter__(self):
        self.thread.start()
        until(lambda: self.acked)
        return self

    def __exit__(self, *why):
        self.stop.set()
        self.thread.join()


def history(cluster, name, **more):
    return cluster.ask("get_failovers", cluster_name=name, **more)


def test_a_primary_changes_as_planned_and_not_while_it_is_held(
        world, cluster, panel):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    known = world.table(name)
    comp, = world.comps(name)
    with world.on_computer(*comp) as c, c.cursor() as q:
        q.execute(known)
    old = world.source(name)
    one, two = [n[:2] for n in world.nodes(name) if n[2] == "replica"]
    ids = world.rows("SELECT s.id, s.db_cluster_id FROM"
                     " Kunlun_Metadata_DB.shards s JOIN"
                     " Kunlun_Metadata_DB.db_clusters c"
                     " ON c.id = s.db_cluster_id WHERE c.name = %s", name)[0]
    assert history(cluster, name) == []

    # what cannot be is told, in the order of all jobs
    for members, expected in (
            ({"cluster_name": "nope"}, "error, cluster_name is no exist"),
            ({"shard_name": "shard7"}, "error, shard_name is no exist"),
            ({"ip": old[0], "port": "1"}, "error, node is no exist"),
            ({"ip": one[0], "port": str(one[1]), "force": "1"},
             "manual switch error: by force whoever has most is chosen, not"
             " one that is named")):
        assert cluster.run("manual_switch", JOB_S, **{
            "cluster_name": name, "shard_name": "shard1", **members}) \
            == ("failed", expected)

    # as XPanel asks for it, while somebody writes
    with Writer(world, name) as writer:
        assert panel.run("manual_switch", JOB_S,
                         cluster_id=str(ids["db_cluster_id"]),
                         shard_id=str(ids["id"]), hostaddr=one[0],
                         port=str(one[1])) == ("done", "0", "")
        n = len(writer.acked)
        until(lambda: len(writer.acked) > n)  # at the new one
    assert world.source(name) == one
    with world.on_storage(*one) as c, c.cursor() as q:
        q.execute("SELECT a FROM d.t")
        rows = {row[0] for row in q.fetchall()}
    assert set(writer.acked) <= rows
    with world.on_computer(*comp) as c, c.cursor() as q:
        q.execute("INSERT INTO t VALUES (1, 'by the computing node')")
    said, = history(cluster, name)
    assert (said["kind"], said["was"], said["is"], said["shard"]) == (
        "switch", f"{old[0]}:{old[1]}", f"{one[0]}:{one[1]}", "shard1")
    assert "was asked for" in said["chosen"] and said["undecided"] == ""
    until(lambda: "writable_ms" in history(cluster, name)[0])
    said, = history(cluster, name, shard_name="shard1")
    assert said["suspected_ms"] <= said["decided_ms"] \
        <= min(said["writable_ms"], said["pointed_ms"])
    assert [m["role"] for m in said["seen"]].count("primary") == 1
    assert history(cluster, name, shard_name="shard2") == []
    attachment = panel.ask("get_failovers",
                           cluster_id=str(ids["db_cluster_id"]))["attachment"]
    assert attachment["list_failover"][0]["id"] == said["id"]

    # who leads already is left; without a node any replica may be chosen
    assert cluster.run("manual_switch", JOB_S, cluster_name=name,
                       shard_name="shard1", ip=one[0], port=str(one[1])) \
        == ("done", f"{one[0]}:{one[1]}")
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    result, info = cluster.run("manual_switch", JOB_S, cluster_name=name,
                               shard_name="shard1")
    new = world.source(name)
    assert (result, info) == ("done", f"{new[0]}:{new[1]}") and new != one

    # one that is down takes nobody's place
    other = next(at for at in (old, one, two) if at != new)
    control(cluster, "stop", other)
    assert cluster.run("manual_switch", JOB_S, cluster_name=name,
                       shard_name="shard1", ip=other[0],
                       port=str(other[1])) == (
        "failed", f"manual switch error: {other[0]}:{other[1]} does not"
                  " follow the primary")
    control(cluster, "start", other)
    until(lambda: watched(cluster, name)["verdict"] == "fine")

    # held back: a dead primary has no successor until that ends
    assert cluster.refused("pause_failover", cluster_name="nope", seconds=9,
                           reason="x") == "error, cluster_name is no exist"
    assert cluster.refused("pause_failover", cluster_name=name,
                           seconds=0, reason="x") == "get seconds error"
    assert cluster.refused("pause_failover", cluster_name=name,
                           seconds="9") == "get reason error"
    assert cluster.ask("pause_failover", cluster_name=name, seconds="86400",
                       reason="a switch is replaced") == {
        "result": "done", "info": "pause failover succeed"}
    n = len(history(cluster, name))
    os.kill(until(lambda: pid_of(world, new)), 9)
    until(lambda: watched(cluster, name)["verdict"] == "paused")
    shard = watched(cluster, name)
    assert shard["paused_why"] == "a switch is replaced"
    assert len(history(cluster, name)) == n and world.source(name) == new
    assert panel.ask("resume_failover",
                     cluster_id=str(ids["db_cluster_id"]))["status"] == "done"
    until(lambda: world.source(name) != new)
    assert "paused_why" not in watched(cluster, name)
    said = history(cluster, name)[0]
    assert said["kind"] == "failover" and "its server has ended" in said["why"]
    assert "has most of those" in said["chosen"]
    assert said["fenced_ms"] <= said["decided_ms"]
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name) \
        == ("done", name)
    assert world.leftovers() == []
    assert history(cluster, name)[0]["id"] == said["id"]  # it outlives it


def test_a_job_is_taken_back(world, cluster, panel):
    job = cluster.begin("create_cluster", **SMALL)
    assert cluster.ask("cancel_job", job_id=job) == {
        "result": "done", "info": "cancel job accepted"}
    assert cluster.finished(job, JOB_S) == ("failed", "cancelled")
    assert world.leftovers() == []
    assert cluster.refused("cancel_job", job_id=job) == "the job is over"
    assert cluster.refused("cancel_job", job_id="no-such") \
        == "job id no find"
    assert cluster.refused("cancel_job") == "get job_id error"
    # in the middle of its work; should it be quicker than we are, it is done
    number = panel.begin("create_cluster", **SMALL, nick_name="n")
    until(lambda: "install" in (s := panel.status(number))["attachment"].get(
        "progress", "") or s["status"] in ("done", "failed"))
    panel.ask("cancel_job", number)
    said = panel.finished(number, JOB_S)
    if said["status"] == "done":
        assert cluster.run("delete_cluster", JOB_S, cluster_name=said[
            "attachment"]["info"])[0] == "done"
    else:
        assert said["error_info"] == "cancelled"
    assert world.leftovers() == []


def test_what_is_unsafe_goes_on_by_force_alone(world, cluster):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    shard = {"cluster_name": name, "shard_name": "shard1"}
    # nothing is to be forced where somebody leads
    result, why = cluster.run("manual_switch", JOB_S, force="1", **shard)
    assert result == "failed" and "nothing is to be forced" in why, why
    pids = [until(lambda at=n[:2]: pid_of(world, at))
            for n in world.nodes(name)]
    for pid in pids:
        os.kill(pid, 9)
    until(lambda: watched(cluster, name)["verdict"] == "unsafe", timeout=90)
    result, why = cluster.run("manual_switch", JOB_S, **shard)
    assert result == "failed" and "shard1 is unsafe: " in why, why
    result, info = cluster.run("manual_switch", JOB_S, force="1", **shard)
    assert result == "done", info
    assert info == "%s:%d" % world.source(name)
    until(lambda: watched(cluster, name)["verdict"] == "fine", timeout=90)
    with world.on_storage(*world.source(name)) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (1, 'goes on')")
    assert history(cluster, name)[0]["kind"] == "forced"
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []


def test_a_member_that_cannot_follow_becomes_a_copy_of_one_that_can(
        world, cluster):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    replica = next(n[:2] for n in world.nodes(name) if n[2] == "replica")
    # it cannot apply what is written next: its file is gone
    control(cluster, "stop", replica)
    machine = next(m for m in world.machines if m.node.address == replica[0])
    home = machine.home({"port": replica[1]}, "data_dir_path")
    file, = [os.path.join(where, f) for where, _, files in os.walk(home)
             for f in files if f == "t.ibd"]
    os.remove(file)
    control(cluster, "start", replica)
    with world.on_storage(*world.source(name)) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (1, 'one')")
    until(lambda: world.rows("SELECT 1 FROM job WHERE kind = 'kunlun.rebuild'"
                             " AND state IN ('done', 'failed')"), timeout=JOB_S)
    assert world.rows("SELECT state, error FROM job"
                      " WHERE kind = 'kunlun.rebuild'") \
        == [{"state": "done", "error": None}]
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    has(world, replica, 1)
    with world.on_storage(*world.source(name)) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (2, 'two')")
    has(world, replica, 2)
    # what was backed up for it alone is no more, and keeps no binlogs
    for table in ("kunlun_backup", "kunlun_archive"):
        assert not world.rows(f"SELECT * FROM {table}")
    # it may lead
    assert cluster.run("manual_switch", JOB_S, cluster_name=name,
                       shard_name="shard1", ip=replica[0],
                       port=str(replica[1]))[0] == "done"
    has(world, replica, 2)
    until(lambda: watched(cluster, name)["verdict"] == "fine")
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []
