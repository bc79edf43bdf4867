"""The life of a cluster: real servers on three machines, as jobs make them."""

import contextlib
import json
import os
import signal
import threading

import psycopg2
import pymysql
import pytest

from support import processes
from support.kunlun import Machine, Node, leftovers
from support.waiting import until

pytestmark = pytest.mark.fault

SMALL = {"ha_mode": "mgr", "shards": "1", "nodes": "3", "comps": "1",
         "max_storage_size": "20", "max_connections": "100", "cpu_cores": "1",
         "innodb_size": "1"}
LOGIN = {"computer_user": "app", "computer_password": "an-0pen,s3cret"}
JOB_S = 180


class World:
    """Three machines, and all that is on them."""

    def __init__(self, deployment, word):
        self.deployment = deployment
        self.machines = [
            Machine(deployment, Node(deployment.client(
                f"node_mgr/127.0.0.{k}")), word) for k in (1, 2, 3)]

    def rows(self, sql, *values):
        with self.deployment.sql() as c, c.cursor() as q:
            q.execute(sql, values)
            return q.fetchall()

    def nodes(self, name):
        """(address, port, member_state) of its storage nodes."""
        return [(r["hostaddr"], r["port"], r["member_state"]) for r in
                self.rows("SELECT n.* FROM Kunlun_Metadata_DB.shard_nodes n"
                          " JOIN Kunlun_Metadata_DB.db_clusters c"
                          " ON c.id = n.db_cluster_id WHERE c.name = %s"
                          " ORDER BY n.id", name)]

    def comps(self, name):
        return [(r["hostaddr"], r["port"]) for r in
                self.rows("SELECT n.* FROM Kunlun_Metadata_DB.comp_nodes n"
                          " JOIN Kunlun_Metadata_DB.db_clusters c"
                          " ON c.id = n.db_cluster_id WHERE c.name = %s"
                          " ORDER BY n.id", name)]

    def leftovers(self):
        return leftovers(self.deployment, self.machines)

    # ---- clients ----

    def entry(self, address, port):
        machine = next(m for m in self.machines
                       if m.node.address == address)
        return until(lambda: next(
            (n for n in machine.node.ask("get_node").values()
             if n["port"] == port), None))

    def on_storage(self, address, port):
        """As a client of a storage node."""
        entry = self.entry(address, port)
        return pymysql.connect(host=address, port=port, autocommit=True,
                               user=entry["user"], password=entry["pwd"])

    def on_computer(self, address, port):
        """As a client of a computing node."""
        entry = self.entry(address, port)
        c = psycopg2.connect(host=address, port=port, dbname="postgres",
                             user=entry["user"], password=entry["pwd"],
                             connect_timeout=5)
        c.autocommit = True
        return c

    def source(self, name):
        """(address, port) of the first shard's primary, by the row."""
        return next(n[:2] for n in self.nodes(name) if n[2] == "source")

    def table(self, name, shard="shard1"):
        """A table on that shard, and the words that make it known to a
        computing node."""
        with self.on_storage(*self.source(name)) as c, c.cursor() as q:
            q.execute("CREATE DATABASE IF NOT EXISTS d")
            q.execute("CREATE TABLE d.t (a BIGINT PRIMARY KEY, b TEXT)")
        return ("CREATE FOREIGN TABLE t (a bigint, b text)"
                f" SERVER {shard} OPTIONS (dbname 'd', table_name 't')")


@pytest.fixture
def world(deployment, fresh):
    return World(deployment, fresh)


@contextlib.contextmanager
def changes(connection):
    """A client that makes something ten times a second."""
    stop = threading.Event()

    def make():
        with contextlib.closing(connection) as c, c.cursor() as q:
            n = 0
            while not stop.wait(0.1):
                n += 1
                q.execute(f"CREATE OR REPLACE VIEW made AS SELECT {n} AS n")

    thread = threading.Thread(target=make)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_cluster_is_made_used_and_deleted(world, cluster):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    nodes = world.nodes(name)
    assert [n[2] for n in nodes] == ["source", "replica", "replica"]
    assert len({n[0] for n in nodes}) == 3  # a machine for each
    known = world.table(name)
    comp, = world.comps(name)
    with world.on_computer(*comp) as c, c.cursor() as q:
        q.execute(known)
        q.execute("INSERT INTO t VALUES (1, 'one'), (2, 'two')")
        q.execute("SELECT a, b FROM t ORDER BY a")
        assert q.fetchall() == [(1, "one"), (2, "two")]
        q.execute("CREATE VIEW v AS SELECT a, b FROM t WHERE a < 10")
    for address, port, _ in nodes:
        def rows():
            with world.on_storage(address, port) as c, c.cursor() as q:
                q.execute("SELECT COUNT(*) FROM d.t")
                return q.fetchone() == (2,)
        until(rows)

    # growth: the new comp knows both shards, as the old one does; failovers of
    # the new shard are held back as those of its cluster
    assert cluster.ask("pause_failover", cluster_name=name, seconds="600",
                       reason="it grows")["result"] == "done"
    assert cluster.run("add_shards", JOB_S, cluster_name=name, shards="1") \
        == ("done", "shard2")
    held = [r["until_ms"] for r in world.rows(
        "SELECT JSON_VALUE(state, '$.paused_until_ms') AS until_ms"
        " FROM kunlun_shard")]
    assert len(held) == 2 and held[0] == held[1] > "1", held
    assert cluster.ask("resume_failover",
                       cluster_name=name)["result"] == "done"
    assert cluster.run("add_comps", JOB_S, cluster_name=name, comps="1") \
        == ("done", "comp2")
    assert len(world.nodes(name)) == 6 and len(world.comps(name)) == 2
    for comp in world.comps(name):
        with world.on_computer(*comp) as c, c.cursor() as q:
            q.execute("SELECT srvname FROM pg_foreign_server ORDER BY 1")
            assert q.fetchall() == [("shard1",), ("shard2",)]
            # what was made on the first one is on the second, too
            q.execute("SELECT a, b FROM v ORDER BY a")
            assert q.fetchall() == [(1, "one"), (2, "two")]
            q.execute("INSERT INTO t VALUES (%s, 'more')", (comp[1],))
            q.execute("DELETE FROM t WHERE a = %s", (comp[1],))
    assert not world.rows("SELECT path FROM kunlun_backup WHERE cluster = %s",
                          name)

    # what clients make meanwhile would never be there
    before = world.comps(name)
    with changes(world.on_computer(*before[0])):
        result, why = cluster.run("add_comps", JOB_S, cluster_name=name,
                                  comps="1")
    assert result == "failed" and why.endswith(
        "the schema of comp1 was changed while it was copied: ask again"), why
    assert world.comps(name) == before
    with world.on_computer(*before[0]) as c, c.cursor() as q:
        q.execute("CREATE TABLE late (a int)")  # and does not commit
        result, why = cluster.run("add_comps", JOB_S, cluster_name=name,
                                  comps="1")
        assert result == "failed" and why.endswith(
            "a client is changing the schema of comp1"), why
        c.rollback()
    assert world.comps(name) == before

    # what is wrong is told in the documented order
    refused = [("delete_shard", {"shard_name": "shard7"},
                "error, shard_name is no exist"),
               ("delete_comp", {"comp_name": "comp7"},
                "error, comp_name is no exist"),
               ("add_shards", {"shards": "11"},
                "shards error(must in 1-10)"),
               ("add_comps", {"comps": "1",
                              "machinelist": [{"hostaddr": "1.2.3.4"}]},
                "error, no available machine")]
    for job_type, members, expected in refused:
        assert cluster.run(job_type, JOB_S, cluster_name=name, **members) \
            == ("failed", expected)
        assert cluster.refused(job_type, cluster_name=name, dry_run="1",
                               **members) == expected

    # shrinking: not what holds tables
    gone = {"cluster_name": name, "shard_name": "shard1"}
    result, why = cluster.run("delete_shard", JOB_S, **gone)
    assert result == "failed" and "shard1 holds 1 tables, d.t" in why
    assert cluster.refused("delete_shard", dry_run="1", **gone) == why
    plan = cluster.ask("delete_shard", dry_run="1", force="1", **gone)["plan"]
    assert plan[-1] == {"what": "remove rows", "name": "shard1"}, plan
    assert cluster.run("delete_shard", JOB_S, cluster_name=name,
                       shard_name="shard2") == ("done", "shard2")
    assert cluster.run("delete_comp", JOB_S, cluster_name=name,
                       comp_name="comp2") == ("done", "comp2")
    for job_type, member, expected in (
            ("delete_shard", "shard_name", "error, shard <= 1"),
            ("delete_comp", "comp_name", "error, comp <= 1")):
        word = member.partition("_")[0] + "1"
        assert cluster.run(job_type, JOB_S, cluster_name=name,
                           **{member: word}) == ("failed", expected)
    with world.on_computer(*world.comps(name)[0]) as c, c.cursor() as q:
        q.execute("SELECT srvname FROM pg_foreign_server")
        assert q.fetchall() == [("shard1",)]
        q.execute("SELECT COUNT(*) FROM t")
        assert q.fetchone() == (2,)

    assert cluster.run("delete_cluster", JOB_S, cluster_name=name) \
        == ("done", name)
    assert world.leftovers() == []


def log_in(at):
    psycopg2.connect(host=at[0], port=at[1], dbname="postgres",
                     user=LOGIN["computer_user"],
                     password=LOGIN["computer_password"]).close()


def login_is_kept(world, name):
    """What XPanel 1.x asked for is so, and shown but for the password."""
    row, = world.rows("SELECT memo FROM Kunlun_Metadata_DB.db_clusters"
                      " WHERE name = %s", name)
    assert {"computer_user": "app", "fullsync_level": "1", "dbcfg": "0"} \
        .items() <= json.loads(row["memo"]).items()
    comp, = world.rows("SELECT user_name FROM Kunlun_Metadata_DB.comp_nodes")
    assert comp["user_name"] == "app"
    shown = world.rows("SELECT memo, job_info"
                       " FROM Kunlun_Metadata_DB.cluster_general_job_log")
    assert "computer_user" in str(shown)
    for text in (row, shown, world.rows("SELECT * FROM audit")):
        assert LOGIN["computer_password"] not in str(text)
    log_in(*world.comps(name))


def shown_ids(world, name):
    """Of the first shard, by its name, and the first computing node."""
    db = "Kunlun_Metadata_DB"
    cluster = (f"SELECT id FROM {db}.db_clusters WHERE name = %s")
    shard = world.rows(f"SELECT id, name FROM {db}.shards"
                       f" WHERE db_cluster_id = ({cluster}) ORDER BY id",
                       name)[0]
    comp = world.rows(f"SELECT id FROM {db}.comp_nodes"
                      f" WHERE db_cluster_id = ({cluster}) ORDER BY id",
                      name)[0]
    return {shard["name"]: str(shard["id"])}, str(comp["id"])


def test_a_plan_is_what_then_happens_and_writes_nothing(world, cluster, panel):
    said = cluster.ask("create_cluster", dry_run="1", **SMALL)
    assert said["result"] == "done", said
    assert [p["what"] for p in said["plan"]].count("install storage") == 3
    asked = panel.ask("create_cluster", dry_run="1", **SMALL)
    assert (asked["status"], asked["attachment"]["plan"]) \
        == ("done", said["plan"])
    # what cannot be is refused in the words of the job
    nowhere = {**SMALL, "machinelist": [{"hostaddr": "1.2.3.4"}]}
    why = "create cluster error: choose machines: no available machine"
    assert cluster.refused("create_cluster", dry_run="1", **nowhere) == why
    assert cluster.run("create_cluster", JOB_S, **nowhere) == ("failed", why)
    assert world.leftovers() == []
    for table in ("shards", "comp_nodes_id_seq"):
        world.rows(f"ALTER TABLE Kunlun_Metadata_DB.{table}"
                   " AUTO_INCREMENT = 41")
    number = panel.begin("create_cluster", **SMALL, **LOGIN,
                         fullsync_level="1", dbcfg="0")
    told = panel.finished(number, JOB_S)["attachment"]
    name = told["info"]
    ids = shown_ids(world, name)
    assert (told["shard_step"][0]["shard_ids"][0],
            told["computer_step"][0]["computer_id"]) == ids, told
    login_is_kept(world, name)
    planned = {(p["machine"], p["port"]) for p in said["plan"]}
    assert planned == {n[:2] for n in world.nodes(name)} \
        | set(world.comps(name))
    for p in said["plan"]:
        assert os.path.isdir(p["directory"]), p
    # a later computing node has the same login
    assert cluster.run("add_comps", JOB_S, cluster_name=name, comps="1") \
        == ("done", "comp2")
    log_in(world.comps(name)[1])
    assert cluster.run("delete_comp", JOB_S, cluster_name=name,
                       comp_name="comp2") == ("done", "comp2")
    # what goes is shown with its places, as what comes is
    hosts = "".join("%s:%d;" % n[:2] for n in sorted(world.nodes(name)))
    comp = "%s:%d;" % world.comps(name)[0]
    told = panel.finished(panel.begin("delete_cluster", cluster_name=name),
                          JOB_S)["attachment"]
    assert (told["storage_state"], told["computer_state"]) == ("done", "done")
    assert [(s["storage_hosts"], s["storage_state"])
            for s in told["shard_step"]] == [(hosts, "done")], told
    assert [(c["computer_hosts"], c["computer_state"])
            for c in told["computer_step"]] == [(comp, "done")], told
    assert (told["shard_step"][0]["shard_ids"][0],
            told["computer_step"][0]["computer_id"]) == ids, told
    assert world.leftovers() == []


def pid_of(world, at):
    """The storage server at that place, by its directory."""
    machine = next(m for m in world.machines if m.node.address == at[0])
    home = machine.home({"port": at[1]}, "data_dir_path")
    return next((pid for pid, argv in processes._all()
                 if argv and "mariadbd" in argv[0]
                 and any(home in word for word in argv)), None)


def panel_shows(world, name, old):
    """XPanel 1.x reads what has happened from tables of its own names."""
    number, = world.rows("SELECT id FROM Kunlun_Metadata_DB.db_clusters"
                         " WHERE name = %s", name)
    listed, = world.rows(
        "SELECT id, host, taskid, timestamp"
        " FROM Kunlun_Metadata_DB.rbr_consfailover WHERE taskid IS NOT NULL"
        " AND cluster_id = %s GROUP BY taskid ORDER BY id DESC LIMIT 10",
        number["id"])
    assert listed["host"] == "{}:{}".format(*old)
    steps = until(lambda: (lambda rows: rows[-1]["step"] == "pointed"
                           and rows)(world.rows(
                               "SELECT * FROM"
                               " Kunlun_Metadata_DB.rbr_consfailover"
                               " WHERE taskid = %s ORDER BY id",
                               listed["taskid"])))
    assert [s["step"] for s in steps if s["step"] != "fenced"] \
        == ["suspected", "decided", "writable", "pointed"]
    assert steps == sorted(steps, key=lambda s: s["timestamp"])
    assert {(s["err_code"], s["new_master_host"]) for s in steps} \
        == {("0", "{}:{}".format(*world.source(name)))}
    assert steps[0]["consfailover_msg"]

    made = world.rows(
        "SELECT l.* FROM Kunlun_Metadata_DB.mysql_pg_install_log l"
        " JOIN Kunlun_Metadata_DB.cluster_general_job_log j"
        " ON j.id = l.general_log_id WHERE j.job_type = 'create_cluster'"
        " AND l.job_info LIKE %s ORDER BY l.id", f"%{name}%")
    assert [(m["install_type"], m["status"]) for m in made] \
        == [("mysql", "done"), ("postgres", "done")]
    for row, at in zip(made, (world.nodes(name), world.comps(name))):
        told = json.loads(row["job_info"])
        assert sorted(t["piece"] for t in told) \
            == sorted(f"{a[0]}_{a[1]}" for a in at)
        assert {t["content"]["cluster_name"] for t in told} == {name}
        assert {m["status"] for m in json.loads(row["memo"])} == {"done"}


def test_computing_nodes_follow_the_primary(world, cluster):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    known = world.table(name)
    comp, = world.comps(name)
    old = world.source(name)
    with world.on_computer(*comp) as c, c.cursor() as q:
        q.execute(known)
        q.execute("INSERT INTO t VALUES (1, 'before')")
    os.kill(until(lambda: pid_of(world, old)), 9)
    until(lambda: world.source(name) != old)

    def written():
        with world.on_computer(*comp) as c, c.cursor() as q:
            q.execute("INSERT INTO t VALUES (2, 'after')")
            return True
    until(written)
    with world.on_storage(*world.source(name)) as c, c.cursor() as q:
        q.execute("SELECT b FROM d.t ORDER BY a")
        assert q.fetchall() == (("before",), ("after",))
    panel_shows(world, name, old)
    cluster.run("delete_cluster", JOB_S, cluster_name=name)
    assert world.leftovers() == []


def taken_back(world, cluster, name):
    """A node that is to be added is a member already, and then it stands
    still: what its job has done is undone when it is cancelled."""
    members = "SELECT uuid FROM kunlun_member"
    before = {r["uuid"] for r in world.rows(members)}
    job = cluster.begin("add_nodes", cluster_name=name, nodes="1")

    def entered():
        return [r["uuid"] for r in world.rows(members)
                if r["uuid"] not in before]
    new, = until(entered, timeout=JOB_S)
    place, = world.rows("SELECT machine, port FROM kunlun_place"
                        " WHERE uuid = %s", new)
    back, = world.rows("SELECT * FROM"
                       " Kunlun_Metadata_DB.cluster_roll_back_record"
                       " WHERE job_id = %s", job)
    assert json.loads(back["roll_info"]) == {
        "job_type": "create_storage", "ip": place["machine"],
        "port": str(place["port"])}
    pid = pid_of(world, (place["machine"], place["port"]))
    os.kill(pid, signal.SIGSTOP)
    world.rows("UPDATE job SET cancel = 1 WHERE client_id = %s", job)
    # nobody ends it as long as it may have acknowledged something
    until(lambda: {r["uuid"] for r in world.rows(members)} == before
          or cluster.status(job)["result"] == "done", timeout=JOB_S)
    os.kill(pid, signal.SIGCONT)
    if cluster.finished(job, JOB_S)[0] == "done":  # we came too late
        assert cluster.run("delete_node", JOB_S, cluster_name=name,
                           shard_name="shard1", ip=place["machine"],
                           port=str(place["port"]))[0] == "done"
    for table in ("kunlun_place", "kunlun_instance"):
        assert not world.rows(f"SELECT uuid FROM {table} WHERE uuid = %s", new)
    assert pid_of(world, (place["machine"], place["port"])) is None
    assert not world.rows("SELECT * FROM"
                          " Kunlun_Metadata_DB.cluster_roll_back_record")


def test_a_replica_leaves_its_shard_and_no_row_with_it(world, cluster):
    result, name = cluster.run("create_cluster", JOB_S, **SMALL)
    assert result == "done", name
    world.table(name)
    primary = world.source(name)
    one, other = [n[:2] for n in world.nodes(name) if n[2] == "replica"]

    def delete(at, **members):
        return cluster.run("delete_node", JOB_S, cluster_name=name,
                           **{"shard_name": "shard1", "ip": at[0],
                              "port": str(at[1]), **members})

    # what is not of that shard, and whom clients write to, stays
    assert delete(one, shard_name="shard2") \
        == ("failed", "error, shard_name is no exist")
    assert delete(world.comps(name)[0]) == ("failed", "error, node is no exist")
    assert delete(primary) \
        == ("failed", "error, node is the primary, switch first")
    plan = cluster.ask("delete_node", cluster_name=name, shard_name="shard1",
                       ip=one[0], port=str(one[1]), dry_run="1")["plan"]
    assert [(p["what"], p.get("machine"), p.get("port")) for p in plan] \
        == [("remove storage", *one), ("remove rows", None, None)]
    assert len(world.nodes(name)) == 3

    assert delete(one) == ("done", "%s:%d" % one)
    assert {n[:2] for n in world.nodes(name)} == {primary, other}
    assert pid_of(world, one) is None
    for table in ("kunlun_member", "kunlun_place"):
        assert len(world.rows(f"SELECT uuid FROM {table}")) \
            == (2 if table == "kunlun_member" else 3)
    with world.on_storage(*primary) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (1, 'acknowledged by the other')")
    assert delete(other) == ("failed", "error, node <= 2")

    # another one begins as a copy of what is there, and catches up
    plan = cluster.ask("add_nodes", cluster_name=name, nodes="1",
                       dry_run="1")["plan"]
    assert [(p["what"], p["name"], p["machine"]) for p in plan
            if p["what"] == "install storage"] \
        == [("install storage", "shard1", one[0])]
    taken_back(world, cluster, name)
    assert {n[:2] for n in world.nodes(name)} == {primary, other}
    result, new = cluster.run("add_nodes", JOB_S, cluster_name=name,
                              nodes="1", shard_name="shard1")
    assert result == "done", new
    new = (new.split(":")[0], int(new.split(":")[1]))
    assert {n[:2] for n in world.nodes(name)} == {primary, other, new}
    assert world.rows("SELECT num_nodes FROM Kunlun_Metadata_DB.shards") \
        == [{"num_nodes": 3}]
    with world.on_storage(*new) as c, c.cursor() as q:
        q.execute("SELECT a FROM d.t")
        assert q.fetchall() == ((1,),)
    assert delete(other)[0] == "done"

    # who is left takes over
    os.kill(until(lambda: pid_of(world, primary)), 9)
    until(lambda: world.source(name) == new)
    with world.on_storage(*new) as c, c.cursor() as q:
        q.execute("SELECT a FROM d.t")
        assert q.fetchall() == ((1,),)
    cluster.run("delete_cluster", JOB_S, cluster_name=name)
    assert world.leftovers() == []


ONE = {**SMALL, "ha_mode": "no_rep", "nodes": "1"}


def test_two_clusters_at_once_share_machines_and_nothing_else(world, cluster):
    jobs = [cluster.begin("create_cluster", **ONE) for _ in range(2)]
    names = []
    for job in jobs:
        result, name = cluster.finished(job, JOB_S)
        assert result == "done", name
        names.append(name)
    places = [at for name in names
              for at in [*(n[:2] for n in world.nodes(name)),
                         *world.comps(name)]]
    assert len(places) == len(set(places)) == 4
    for k, name in enumerate(names):
        known = world.table(name)
        with world.on_computer(*world.comps(name)[0]) as c, c.cursor() as q:
            q.execute(known)
            q.execute("INSERT INTO t VALUES (%s, 'mine')", (k,))
    for k, name in enumerate(names):
        with world.on_storage(*world.source(name)) as c, c.cursor() as q:
            q.execute("SELECT a FROM d.t")
            assert q.fetchall() == ((k,),)
    for job in [cluster.begin("delete_cluster", cluster_name=name)
                for name in names]:
        assert cluster.finished(job, JOB_S)[0] == "done"
    assert world.leftovers() == []


def test_a_machine_that_disappears_in_mid_job_leaves_nothing(
        world, cluster, deployment):
    gone = "supervise-" + world.machines[2].node.address
    job = cluster.begin("create_cluster", **SMALL)
    until(lambda: world.rows(
        "SELECT 1 FROM job WHERE machine = %s AND part LIKE 'install/%%'"
        " AND state = 'running'", world.machines[2].node.address),
        timeout=JOB_S, pause=0)
    deployment.command("stop", gone)
    try:
        result, why = cluster.finished(job, JOB_S)
    finally:
        deployment.command("start", gone)
    if result == "done":  # it had just ended
        assert cluster.run("delete_cluster", JOB_S, cluster_name=why)[0] \
            == "done"
    else:
        assert world.machines[2].node.address in why, why
    # what it had begun it takes back itself
    until(lambda: world.leftovers() == [], "nothing is left", JOB_S)


def test_a_shard_of_one_node_is_alone_in_any_mode(world, cluster, panel):
    """Nobody else has what it acknowledges: a crash must not take it back."""
    assert panel.run("create_cluster", JOB_S, **{
        **SMALL, "nodes": "1"})[0] == "done"
    name, = [r["name"] for r in world.rows(
        "SELECT name FROM Kunlun_Metadata_DB.db_clusters")]
    world.table(name)
    at = world.source(name)
    for k in range(3):
        with world.on_storage(*at) as c, c.cursor() as q:
            q.execute("INSERT INTO d.t VALUES (%s, 'acknowledged')", (k,))
        old = pid_of(world, at)
        os.kill(old, signal.SIGKILL)

        def rows():
            with world.on_storage(*at) as c, c.cursor() as q:
                q.execute("SELECT COUNT(*), @@read_only FROM d.t")
                return pid_of(world, at) != old and q.fetchone()
        assert until(rows) == (k + 1, 0)
    assert cluster.run("add_nodes", JOB_S, cluster_name=name, nodes="1") \
        == ("failed", "error, shard1 has one node, which is alone")
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    assert world.leftovers() == []
