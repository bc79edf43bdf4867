"""Copies of clusters, and clusters that are made of them."""

import json
import os
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from support.waiting import until
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World, pid_of

pytestmark = [pytest.mark.fault, pytest.mark.limit(900)]

ZONE = ZoneInfo("Asia/Shanghai")  # of the deployment's processes


@pytest.fixture
def world(deployment, fresh):
    return World(deployment, fresh)


def moment(connection):
    """A whole second that is over: transactions before it have begun in an
    earlier one, those to come do not."""
    with connection.cursor() as q:
        def passed(second=[]):
            q.execute("SELECT UNIX_TIMESTAMP()")
            now = q.fetchone()[0]
            second.append(now)
            return now > second[0] and now
        return text_of(until(passed))


def text_of(second):
    return datetime.fromtimestamp(second, ZONE).strftime("%Y-%m-%d %H:%M:%S")


def rows_of(world, name):
    """What each shard's primary holds, by (a, b)."""
    found = {}
    for r in world.rows(
            "SELECT n.hostaddr, n.port, s.name FROM"
            " Kunlun_Metadata_DB.shard_nodes n JOIN Kunlun_Metadata_DB.shards s"
            " ON s.id = n.shard_id JOIN Kunlun_Metadata_DB.db_clusters c"
            " ON c.id = n.db_cluster_id WHERE c.name = %s", name):
        with world.on_storage(r["hostaddr"], r["port"]) as c, c.cursor() as q:
            q.execute("SELECT a, b FROM d.t ORDER BY a")
            found.setdefault(r["name"], []).append(q.fetchall())
    return found


def sources_of(world, name):
    """Each shard's primary, by the shard's name."""
    return {r["name"]: (r["hostaddr"], r["port"]) for r in world.rows(
        "SELECT n.hostaddr, n.port, s.name FROM"
        " Kunlun_Metadata_DB.shard_nodes n JOIN Kunlun_Metadata_DB.shards s"
        " ON s.id = n.shard_id JOIN Kunlun_Metadata_DB.db_clusters c"
        " ON c.id = n.db_cluster_id WHERE n.member_state = 'source'"
        " AND c.name = %s", name)}


def filled(world, name):
    """A table of one row on each shard, known to the computing node."""
    sources = sources_of(world, name)
    comp, = world.comps(name)
    for shard, at in sources.items():
        with world.on_storage(*at) as c, c.cursor() as q:
            q.execute("CREATE DATABASE d")
            q.execute("CREATE TABLE d.t (a BIGINT PRIMARY KEY, b TEXT)")
        with world.on_computer(*comp) as c, c.cursor() as q:
            q.execute(f"CREATE FOREIGN TABLE t_{shard} (a bigint, b text)"
                      f" SERVER {shard} OPTIONS (dbname 'd', table_name 't')")
            q.execute(f"INSERT INTO t_{shard} VALUES (1, 'copied')")
    return sources


def on_all(world, sources, *statements):
    for at in sources.values():
        with world.on_storage(*at) as c, c.cursor() as q:
            for text in statements:
                q.execute(text)


def test_what_cannot_be_copied_or_restored_is_told(world, cluster):
    assert cluster.run("backup_cluster", backup_cluster_name="nobody") \
        == ("failed", "error, backup_cluster_name is no exist")
    for when, expected in (("2021-12-20 19:22:20", "error, backup_cluster_name"
                            " is no exist"), ("soon", "get timestamp error")):
        members = {"backup_cluster_name": "nobody", "timestamp": when}
        assert cluster.run("restore_new_cluster", **members) \
            == ("failed", expected)
        assert cluster.refused("restore_new_cluster", dry_run="1", **members) \
            == expected


@pytest.fixture
def grown(world, machine, fresh):
    """A cluster in the tables whose copy, of 300 s ago, has shard1 and shard2;
    shard3 was added 200 s ago. Its name, and the moment so many seconds ago."""
    name = fresh("cluster")
    now = int(world.rows("SELECT UNIX_TIMESTAMP() AS n")[0]["n"])
    memo = json.dumps(SMALL)
    doc = {"ha_mode": "no_rep", "memo": memo, "comps": 1, "shards": [
        {"name": f"shard{n}", "nodes": 1, "path": "/coldbackup/x.tgz",
         "gtid": ""} for n in (1, 2)]}
    with world.deployment.sql() as c, c.cursor() as q:
        q.execute("INSERT INTO Kunlun_Metadata_DB.db_clusters (name, ha_mode,"
                  " memo) VALUES (%s, 'no_rep', %s)", (name, memo))
        number = q.lastrowid
        for n, age in ((1, 400), (2, 400), (3, 200)):
            q.execute("INSERT INTO Kunlun_Metadata_DB.shards (name, num_nodes,"
                      " db_cluster_id, when_created)"
                      " VALUES (%s, 1, %s, FROM_UNIXTIME(%s))",
                      (f"shard{n}", number, now - age))
        q.execute("INSERT INTO kunlun_copy (job_id, cluster, ended_ms, doc)"
                  " VALUES (%s, %s, %s, %s)",
                  (2 ** 62 + number, name, (now - 300) * 1000,
                   json.dumps(doc)))
    yield name, lambda age: text_of(now - age)
    with world.deployment.sql() as c, c.cursor() as q:
        q.execute("DELETE FROM kunlun_copy WHERE cluster = %s", (name,))
        q.execute("DELETE FROM Kunlun_Metadata_DB.db_clusters WHERE name = %s",
                  (name,))


def planned(cluster, name, timestamp):
    """The shards that would be restored; why none would."""
    said = cluster.ask("restore_new_cluster", dry_run="1",
                       backup_cluster_name=name, timestamp=timestamp)
    if said["result"] == "done":
        return [p["name"] for p in said["plan"]
                if p["what"] == "install storage"]
    assert said["result"] == "failed", said
    return said["info"]


def test_a_time_with_other_shards_than_the_backup_is_refused(
        world, cluster, grown):
    name, ago = grown

    def plan(age):
        return planned(cluster, name, ago(age))

    def added(age):
        return (f"shard3 was added at {ago(200)}, and no backup before"
                f" {ago(age)} has it: back up the cluster first and choose a"
                " time after that, or choose a time before it was added")
    both = plan(201)
    assert len(both) == 2, both
    for age in (200, 100):
        assert plan(age) == added(age)
    members = {"backup_cluster_name": name, "timestamp": ago(100)}
    assert cluster.run("restore_new_cluster", **members) \
        == ("failed", added(100))
    # shards that go: what is in no backup is wanted as long as it was there
    for shard in ("shard3", "shard1"):
        assert cluster.run("delete_shard", cluster_name=name,
                           shard_name=shard) == ("done", shard)
    assert plan(100) == added(100)
    assert plan(201) == both
    went = plan(-3600)
    assert went.startswith("shard1 was deleted at ") \
        and "the newest backup before" in went, went


def test_a_deleted_clusters_shards_are_known_still(world, cluster, grown):
    name, ago = grown
    assert cluster.run("delete_cluster", cluster_name=name)[0] == "done"
    assert planned(cluster, name, ago(201)) == ["shard1", "shard2"]
    assert planned(cluster, name, ago(100)).startswith("shard3 was added at ")


def test_a_cluster_comes_back_as_it_was_at_a_time(world, cluster, panel):
    result, name = cluster.run("create_cluster", JOB_S, **{
        **SMALL, "shards": "2", "ha_mode": "no_rep", "nodes": "1"})
    assert result == "done", name
    assert cluster.run("restore_new_cluster", backup_cluster_name=name,
                       timestamp="2099-01-01 00:00:00") \
        == ("failed", "get_backup_info_from_metadata error")
    sources = filled(world, name)
    result, when = cluster.run("backup_cluster", JOB_S,
                               backup_cluster_name=name)
    assert result == "done", when
    copied = world.rows("SELECT * FROM Kunlun_Metadata_DB.cluster_backups")[-1]
    assert (copied["name"], copied["has_comp_node_dump"]) \
        == ("shard1;shard2", 1)
    log = world.rows("SELECT * FROM Kunlun_Metadata_DB."
                     "cluster_shard_backup_restore_log WHERE cluster_id = %s",
                     copied["cluster_id"])
    assert [(r["status"], r["optype"]) for r in log] \
        == [("done", "backup")] * 2
    assert all(r["shard_backup_path"].startswith(f"/coldbackup/{name}/shard")
               for r in log)
    # as XPanel 1.x lists them
    shown = world.rows("SELECT * FROM Kunlun_Metadata_DB.cluster_coldbackups"
                       " WHERE cluster_id = %s", copied["cluster_id"])
    assert [(r["shard_id"], r["end_ts"], r["backup_type"], r["status"])
            for r in shown] \
        == [(r["shard_id"], r["when_ended"], "storage", "done") for r in log]

    # what is written behind it, and what comes too late
    on_all(world, sources, "INSERT INTO d.t VALUES (2, 'behind')",
           "UPDATE d.t SET b = 'changed' WHERE a = 1")
    with world.on_storage(*sources["shard1"]) as c:
        then = moment(c)
    was = rows_of(world, name)
    assert was == {s: [((1, "changed"), (2, "behind"))] for s in sources}
    on_all(world, sources, "INSERT INTO d.t VALUES (3, 'late')",
           "DELETE FROM d.t WHERE a = 1")

    # the plan writes nothing
    places = len(world.rows("SELECT * FROM kunlun_place"))
    said = cluster.ask("restore_new_cluster", dry_run="1",
                       backup_cluster_name=name, timestamp=then)
    assert said["result"] == "done", said
    assert [p["what"] for p in said["plan"]].count("install storage") == 2
    assert len(world.rows("SELECT * FROM kunlun_place")) == places

    result, new = cluster.run("restore_new_cluster", JOB_S,
                              backup_cluster_name=name, timestamp=then,
                              nick_name="again")
    assert result == "done" and new != name, new
    assert rows_of(world, new) == was
    # it is a cluster: its computing node leads to its own shards
    with world.on_computer(*world.comps(new)[0]) as c, c.cursor() as q:
        for shard in sources:
            q.execute(f"SELECT a, b FROM t_{shard} ORDER BY a")
            assert q.fetchall() == [(1, "changed"), (2, "behind")]
            q.execute(f"INSERT INTO t_{shard} VALUES (4, 'mine')")
    assert rows_of(world, new)["shard2"][0][-1] == (4, "mine")
    assert rows_of(world, name)["shard2"] == [((2, "behind"), (3, "late"))]

    # as it was when it was copied, after it is gone; asked for by the panel
    for each in (new, name):
        assert cluster.run("delete_cluster", JOB_S, cluster_name=each) \
            == ("done", each)
    said = panel.finished(panel.begin(
        "restore_new_cluster", nick_name="third", timestamp=when,
        backup_cluster_name=name, machinelist=[]), JOB_S)
    assert (said["status"], said["error_code"]) == ("done", "0"), said
    third, = world.rows("SELECT name FROM Kunlun_Metadata_DB.db_clusters")
    assert rows_of(world, third["name"]) \
        == {s: [((1, "copied"),)] for s in sources}
    assert cluster.run("delete_cluster", JOB_S,
                       cluster_name=third["name"])[0] == "done"
    # a time that nothing is kept of is refused, and nothing is left of it
    result, why = cluster.run("restore_new_cluster", JOB_S,
                              backup_cluster_name=name,
                              timestamp="2099-01-01 00:00:00")
    assert result == "failed" and "is not covered" in why, why
    assert world.leftovers() == []


def test_every_node_of_a_shard_is_restored(world, cluster):
    """... with what was written to two primaries, one after the other; and
    follows its own, like those that were made empty."""
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    sources = filled(world, name)
    assert cluster.run("backup_cluster", JOB_S,
                       backup_cluster_name=name)[0] == "done"
    on_all(world, sources, "INSERT INTO d.t VALUES (2, 'behind')")
    os.kill(until(lambda: pid_of(world, sources["shard1"])), 9)
    until(lambda: sources_of(world, name) != sources)

    def written():
        on_all(world, sources_of(world, name),
               "INSERT INTO d.t VALUES (3, 'another') ON DUPLICATE KEY"
               " UPDATE b = b")
        return True
    until(written)
    result, new = cluster.run("restore_new_cluster", JOB_S,
                              backup_cluster_name=name,
                              timestamp="2099-01-01 00:00:00")
    assert result == "done", new
    nodes = world.nodes(new)
    assert [n[2] for n in nodes] == ["source", "replica", "replica"]
    assert rows_of(world, new) \
        == {"shard1": [((1, "copied"), (2, "behind"), (3, "another"))] * 3}
    on_all(world, sources_of(world, new), "INSERT INTO d.t VALUES (4, 'on')")
    until(lambda: rows_of(world, new)["shard1"]
          == [((1, "copied"), (2, "behind"), (3, "another"), (4, "on"))] * 3)
    # who led knows of the history before the restore, and follows
    copies = "SELECT id FROM job WHERE kind = 'kunlun.rebuild'"
    before = world.rows(copies)
    to = next(n for n in nodes if n[2] == "replica")
    assert cluster.run("manual_switch", JOB_S, cluster_name=new,
                       shard_name="shard1", ip=to[0], port=str(to[1])) \
        == ("done", f"{to[0]}:{to[1]}")
    on_all(world, sources_of(world, new), "INSERT INTO d.t VALUES (5, 'and')")
    until(lambda: all(rows[-1] == (5, "and")
                      for rows in rows_of(world, new)["shard1"]))
    assert world.rows(copies) == before
    for each in (new, name):
        assert cluster.run("delete_cluster", JOB_S, cluster_name=each)[0] \
            == "done"
    assert world.leftovers() == []
