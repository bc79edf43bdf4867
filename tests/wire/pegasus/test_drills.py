"""Leaders, replica servers and the store are taken away one by one; tables
stay available."""

import random
import signal

import pytest

from support.pegasus import METAS, Ballots
from support.processes import alive, kill
from support.store import rows, until_waiting, value
from support.waiting import until

pytestmark = [pytest.mark.fault,
              pytest.mark.config(METAGATE_PEGASUS_FD_GRACE_SECONDS="4",
                                 METAGATE_PEGASUS_FD_CHECK_INTERVAL_SECONDS="1",
                                 METAGATE_PEGASUS_FD_BEACON_INTERVAL_SECONDS="1")]


def epoch(sql):
    return value(sql, "SELECT epoch FROM lease WHERE name = 'pegasus.leader'")


def another_leads(pegasus, than):
    return until(lambda: next(
        (m for m in METAS if m != than
         and pegasus.on(m).get("/meta/cluster").status == 200), None),
        f"a leader other than {than}", 40)


def until_it_runs(deployment, name, not_pid):
    return until(lambda: deployment.pid_of(name) not in (None, not_pid)
                 and deployment.pid_of(name), name)


def test_each_replica_server_taken_away_in_turn(deployment, pegasus, table):
    pegasus.healthy(table)
    with Ballots(deployment) as ballots:
        for k, address in enumerate(pegasus.nodes(), 1):
            name = f"supervise-{deployment.net}.{k}"
            deployment.command("stop", name)
            pegasus.until_node(address, "UNALIVE")
            until(lambda: all(r["primary"] not in ("-", address) for r in
                              pegasus.app(table)["replicas"].values()),
                  "primaries on other nodes")
            health = pegasus.app(table)["healthy"]
            assert health["write_unhealthy_partition_count"] == "0"
            deployment.command("start", name)
            pegasus.until_node(address, "ALIVE")
            pegasus.healthy(table)
    assert ballots.seen > 0


def test_another_leads_when_the_leaders_control_is_stopped(deployment,
                                                           pegasus, table):
    pegasus.healthy(table)
    old = pegasus.leader()
    deployment.command("stop", f"control-{old}")
    new = another_leads(pegasus, old)
    # its listener goes on answering, as a standby
    r = pegasus.on(old).get("/meta/apps")
    assert r.status == 307
    assert pegasus.address(pegasus.on(new)) in r.headers["Location"]
    pegasus.ok("/meta/app/set_max_replica_count", app_name=table,
               max_replica_count=2)
    pegasus.healthy(table)
    deployment.command("start", f"control-{old}")
    assert pegasus.leader() == new  # who comes back waits


def test_a_frozen_leader_changes_nothing_when_it_wakes(deployment, pegasus,
                                                       table, sql):
    pegasus.healthy(table)
    old, before = pegasus.leader(), epoch(sql)
    frozen = deployment.pid_of(f"control-{old}")
    kill(frozen, signal.SIGSTOP)
    try:
        with Ballots(deployment):
            new = another_leads(pegasus, old)
            assert epoch(sql) == before + 1
            deployment.command("stop", f"supervise-{deployment.net}.1")
            pegasus.until_node(pegasus.nodes()[0], "UNALIVE")
            kill(frozen, signal.SIGCONT)
            deployment.command("start", f"supervise-{deployment.net}.1")
            pegasus.healthy(table)
    finally:
        if alive(frozen):
            kill(frozen, signal.SIGCONT)
    assert pegasus.leader() == new
    assert epoch(sql) == before + 1


def test_a_leader_frozen_in_a_transaction_holds_up_nobody(
        deployment, pegasus, table, sql):
    """Its open transaction holds the lease's row: the server ends it."""
    app_id = pegasus.healthy(table)["general"]["app_id"]
    old = pegasus.leader()
    frozen = deployment.pid_of(f"control-{old}")
    gone = f"supervise-{deployment.net}.2"
    try:
        with deployment.sql() as other:
            other.begin()
            assert rows(other, "SELECT ballot FROM pegasus_partition"
                        " WHERE app_id = %s FOR UPDATE", app_id)
            deployment.command("stop", gone)
            until_waiting(sql, 1)
            kill(frozen, signal.SIGSTOP)
            other.rollback()
        new = another_leads(pegasus, old)
    finally:
        kill(frozen, signal.SIGCONT)
        deployment.command("start", gone)
    pegasus.healthy(table)
    assert pegasus.leader() == new


def test_a_leader_killed_and_restarted_within_its_lease_leads_on(
        deployment, pegasus, sql):
    leader, before = pegasus.leader(), epoch(sql)
    pid = deployment.pid_of(f"control-{leader}")
    kill(pid)
    until_it_runs(deployment, f"control-{leader}", pid)
    until(lambda: epoch(sql) == before + 1, "a new epoch")
    assert pegasus.leader() == leader


def test_without_any_table_the_sections_are_empty(pegasus, table):
    pegasus.healthy(table)
    tables = pegasus.json("/meta/apps")["general_info"]
    for t in tables.values():
        pegasus.ok("/meta/app/drop", app_name=t["app_name"])
    for path in ("/meta/apps", "/meta/apps?detail"):
        assert pegasus.get(path).text == (
            '{"general_info":{},"summary":{"total_app_count":"0"}}\n')
    for replica in pegasus.replicas:
        assert replica.get("/replicaInfo").json["replicas"] == {}
    for app_id in tables:
        pegasus.ok("/meta/app/recall", app_id=app_id)
    pegasus.healthy(table)


def test_without_any_control_there_is_no_leader(deployment, pegasus):
    leader = pegasus.leader()
    for m in METAS:
        deployment.command("stop", f"control-{m}")
    until(lambda: all(pegasus.on(m).get("/meta/apps").status == 503
                      for m in METAS), "nobody leads", 40)
    r = pegasus.on("m1").get("/meta/apps")
    assert r.text == "ERR_SERVICE_NOT_ACTIVE"
    assert r.headers["Retry-After"] == "3"
    assert pegasus.on("m2").get("/version").status == 200
    r = pegasus.on("m3").post("/meta/nodes/beacon",
                              {"address": "10.255.0.2:1", "start_time": 1})
    assert (r.json["is_master"], r.json["primary_node"]) == ("false", "")
    # a parameter that is wrong is still refused by itself
    assert pegasus.on("m2").get("/meta/apps?x").status == 400
    for m in reversed(METAS):
        deployment.command("start", f"control-{m}")
    assert pegasus.leader() == leader  # whatever starts first


def test_after_an_outage_of_the_store_every_node_has_its_grace(
        deployment, pegasus, table, sql):
    pegasus.healthy(table)
    leader = pegasus.leader()
    before = pegasus.app(table)["replicas"]
    store = deployment.pid_of("mariadb")
    kill(store, signal.SIGSTOP)
    try:  # longer than lease and grace: nobody was heard meanwhile
        until(lambda: "pegasus.step" in "\n".join(
            deployment.log_lines(f"control-{leader}.log")[-4:]), "it is noticed")
        until(lambda: "not renewed in time" in "\n".join(
            deployment.log_lines(f"control-{leader}.log")[-9:]), "it is lost")
        until(lambda: pegasus.on("m1").get("/meta/apps").status == 503, "503")
    finally:
        kill(store, signal.SIGCONT)
    assert pegasus.leader() == leader
    assert all(n["status"] == "ALIVE" for n in
               pegasus.json("/meta/nodes")["details"].values())
    assert pegasus.app(table)["replicas"] == before


def test_the_store_killed_changes_neither_leader_nor_replicas(
        deployment, pegasus, table):
    pegasus.healthy(table)
    leader = pegasus.leader()
    before = pegasus.app(table)["replicas"]
    pid = deployment.pid_of("mariadb")
    kill(pid)
    until_it_runs(deployment, "mariadb", pid)
    assert pegasus.leader() == leader
    pegasus.healthy(table)
    assert pegasus.app(table)["replicas"] == before


def test_too_few_nodes_freeze_the_cluster(deployment, pegasus, table):
    pegasus.healthy(table)
    assert pegasus.json("/meta/cluster")["meta_function_level"] == "steady"
    for k in (2, 3):
        deployment.command("stop", f"supervise-{deployment.net}.{k}")
    for k in (2, 3):
        pegasus.until_node(pegasus.nodes()[k - 1], "UNALIVE")
    assert pegasus.json("/meta/cluster")["meta_function_level"] == "freezed"
    # tables are made all the same, and get replicas when it thaws
    name = table + ".frozen"
    pegasus.ok("/meta/app/create", app_name=name, partition_count=1)
    for k in (2, 3):
        deployment.command("start", f"supervise-{deployment.net}.{k}")
    pegasus.healthy(name)
    pegasus.healthy(table)
    assert pegasus.json("/meta/cluster")["meta_function_level"] == "steady"


def test_the_balancer_evens_out_and_rests(deployment, pegasus, fresh):
    """A node that was away has no primaries; lively gives it its share."""
    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name, partition_count=9)
    pegasus.healthy(name)
    gone = f"supervise-{deployment.net}.3"
    deployment.command("stop", gone)
    pegasus.until_node(pegasus.nodes()[2], "UNALIVE")
    deployment.command("start", gone)
    app = pegasus.healthy(name)
    assert app["nodes"][pegasus.nodes()[2]]["primary"] == "0"

    def planned():
        text = pegasus.json("/meta/cluster")["balance_operation_count"]
        return dict(p.split("=") for p in text.split(","))

    # steady: planned and counted, nothing moves
    until(lambda: int(planned()["move_pri"]) > 0, "a plan")
    assert pegasus.app(name)["nodes"][pegasus.nodes()[2]]["primary"] == "0"
    with Ballots(deployment):
        r = pegasus.ok("/meta/cluster/level", level="lively")
        assert r["old_level"] == "steady"
        until(lambda: all(pegasus.app(name)["nodes"][a]["primary"] == "3"
                          for a in pegasus.nodes()), "three primaries each")
        until(lambda: planned()["total"] == "0", "nothing more is planned")
    ballots = {p: r["ballot"] for p, r in
               pegasus.app(name)["replicas"].items()}
    until(lambda: planned()["total"] == "0", "still nothing")
    assert ballots == {p: r["ballot"] for p, r in
                       pegasus.app(name)["replicas"].items()}
    assert pegasus.ok("/meta/cluster/level",
                      level="steady")["old_level"] == "lively"


# ---- everything at once ----

class Soup:
    """Random troubles, one after the other, while clients go on. The seed is
    in the test's name; what is broken is taken back at the end."""

    def __init__(self, deployment, pegasus, names, seed):
        self.deployment, self.pegasus, self.names = deployment, pegasus, names
        self.random = random.Random(seed)
        self.down, self.frozen = set(), set()

    def step(self):
        self.random.choice([self.node, self.node, self.control, self.ask,
                            self.ask, self.level])()

    def node(self):
        name = f"supervise-{self.deployment.net}.{self.random.randint(1, 3)}"
        self.deployment.command("start" if name in self.down else "stop", name)
        self.down ^= {name}

    def control(self):
        pid = self.deployment.pid_of("control-" + self.random.choice(METAS))
        if pid is None:
            return  # killed a moment ago
        if pid in self.frozen:
            kill(pid, signal.SIGCONT)
            self.frozen.remove(pid)
        elif self.random.random() < 0.5:
            kill(pid, signal.SIGSTOP)
            self.frozen.add(pid)
        else:
            kill(pid)

    def ask(self):
        form, more = self.random.choice([
            ("drop", {}), ("create", {"partition_count": 3}),
            ("set_max_replica_count",
             {"max_replica_count": self.random.randint(1, 3)})])
        body = {"app_name": self.random.choice(self.names), **more}
        for meta in METAS:
            r = self.pegasus.on(meta).post("/meta/app/" + form, body)
            assert r.status in (200, 307, 503), r

    def level(self):
        self.pegasus.on(self.random.choice(METAS)).post(
            "/meta/cluster/level",
            {"level": self.random.choice(["freezed", "steady", "lively"])})

    def heal(self):
        for pid in self.frozen:
            kill(pid, signal.SIGCONT)
        for name in self.down:
            self.deployment.command("start", name)
        self.pegasus.leader()
        self.pegasus.ok("/meta/cluster/level", level="lively")


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_troubles_every_table_is_whole(deployment, pegasus, fresh,
                                                 seed):
    names = [fresh("t") for _ in range(3)]
    for name in names:
        pegasus.ok("/meta/app/create", app_name=name, partition_count=3)
    soup = Soup(deployment, pegasus, names, seed)
    with Ballots(deployment) as ballots:
        try:
            for _ in range(25):
                seen = ballots.seen
                soup.step()
                until(lambda: ballots.seen > seen + 500, "it is looked at")
        finally:
            soup.heal()
        for line in pegasus.json("/meta/apps")["general_info"].values():
            pegasus.healthy(line["app_name"])
    pegasus.ok("/meta/cluster/level", level="steady")
