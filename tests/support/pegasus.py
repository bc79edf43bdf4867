"""A Pegasus cluster as its operators see it: metas, replica servers, and
what is asked of them."""

import collections
import json
import threading
from urllib.parse import urlsplit

import pymysql

from support.store import rows
from support.waiting import until

METAS = ("m1", "m2", "m3")


class Cluster:
    """The three metas of a deployment. Calls go to the leader; `on("m2")` is
    one meta's own listener, where nothing is redirected."""

    def __init__(self, deployment, scope="admin"):
        self.deployment = deployment
        self.metas = {m: deployment.client("pegasus-meta/" + m, scope,
                                           timeout=20) for m in METAS}
        self.replicas = [deployment.client(f"pegasus-replica/r{k}", scope)
                         for k in (1, 2, 3)]

    def on(self, meta):
        return self.metas[meta]

    def address(self, client):
        return f"{client.host}:{client.port}"

    def nodes(self):
        return [self.address(r) for r in self.replicas]

    def leader(self):
        """The name of the meta that leads, once there is one."""
        def who():
            for m, client in self.metas.items():
                if client.get("/meta/cluster").status == 200:
                    return m
        return until(who, "a leader")

    def standbys(self):
        leader = self.leader()
        return [m for m in METAS if m != leader]

    def get(self, path, **query):
        return self._call("GET", path, None, query or None)

    def post(self, path, body=None, **query):
        return self._call("POST", path, body, query or None)

    def json(self, path, **query):
        r = self.get(path, **query)
        assert r.status == 200, r
        return r.json

    def ok(self, path, **body):
        r = self.post(path, body)
        assert r.status == 200 and r.json["error"] == "ERR_OK", r
        return r.json

    def error(self, path, **body):
        """(error, hint) of an operation that was refused."""
        r = self.post(path, body)
        assert r.status == 200, r
        assert list(r.json) == ["error", "hint_message"], r
        return r.json["error"], r.json["hint_message"]

    def app(self, name):
        return self.json("/meta/app", name=name, detail="")

    def healthy(self, name):
        """The table's detail once all its partitions are fully healthy."""
        def whole():
            app = self.app(name)
            n = app["general"]["partition_count"]
            return app["healthy"]["fully_healthy_partition_count"] == n and app
        return until(whole, f"table {name} fully healthy", 90, 0.2)

    def until_node(self, address, status):
        return until(lambda: self.json("/meta/nodes")["details"]
                     .get(address, {}).get("status") == status,
                     f"node {address} {status}", 60, 0.1)

    def _call(self, method, path, body, query):
        r = self.metas["m1"].request(method, path, body, query=query)
        for _ in range(3):
            if r.status != 307:
                return r
            to = urlsplit(r.headers["Location"])
            client = next(c for c in self.metas.values()
                          if self.address(c) == to.netloc)
            target = to.path + ("?" + to.query if to.query else "")
            r = client.request(method, target, body)
        raise AssertionError(f"redirected in a circle: {r}")


def leaves(value):
    """Every leaf of a reply, to see that all are strings."""
    if isinstance(value, dict):
        for v in value.values():
            yield from leaves(v)
    else:
        yield value


def pairs(body):
    """The reply with the order of its members kept: lists of pairs."""
    return json.loads(body, object_pairs_hook=lambda p: p)


class Watch:
    """Looks at the store again and again while a drill goes on:

        with Ballots(deployment) as ballots:
            ...
        assert ballots.seen > 0
    """

    def __init__(self, deployment):
        self.deployment = deployment
        self.wrong, self.seen = [], 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        self.thread.join()
        if kind is None:
            assert not self.wrong, self.wrong[:5]

    def _run(self):
        while not self.ended.is_set():
            try:
                with self.deployment.sql() as sql:
                    while not self.ended.wait(0.02):
                        self._look(sql)
            except pymysql.Error:  # the drill has taken the store away
                self.ended.wait(0.2)


class Ballots(Watch):
    """Ballots only grow, and a ballot never has two primaries."""

    def __init__(self, deployment):
        super().__init__(deployment)
        self.primary, self.last = {}, {}

    def _look(self, sql):
        for row in rows(sql, "SELECT app_id, pidx, ballot, primary_node"
                        " FROM pegasus_partition"):
            gpid = (row["app_id"], row["pidx"])
            ballot, primary = row["ballot"], row["primary_node"]
            if ballot < self.last.get(gpid, 0):
                self.wrong.append(f"{gpid}: ballot {ballot} after "
                                  f"{self.last[gpid]}")
            if self.primary.setdefault((gpid, ballot), primary) != primary:
                self.wrong.append(f"{gpid}: ballot {ballot} had "
                                  f"{self.primary[gpid, ballot]} and {primary}")
            self.last[gpid] = ballot
            self.seen += 1


def counts(sql):
    """Of one moment: whether the kept counts are called right, what is kept and
    what the partitions say, each as (per node, per table)."""
    rows(sql, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    right = rows(sql, "SELECT counted = version AND counted_epoch ="
                 " ready_epoch AS yes FROM pegasus_cluster")[0]["yes"] == 1
    nodes = {r["address"]: (int(r["primaries"]), int(r["secondaries"]))
             for r in rows(sql, "SELECT * FROM pegasus_node_count")}
    tables = {(r["app_id"], r["has_primary"], r["members"]): int(r["n"])
              for r in rows(sql, "SELECT * FROM pegasus_app_count")}
    held, alike = collections.Counter(), collections.Counter()
    for r in rows(sql, "SELECT p.* FROM pegasus_partition p"
                  " JOIN pegasus_app a ON a.app_id = p.app_id"
                  " WHERE a.status = 'AVAILABLE'"):
        primary = r["primary_node"]
        held[primary, 0] += 1
        for address in filter(None, r["secondaries"].split(",")):
            held[address, 1] += 1
        alike[r["app_id"], int(primary is not None), r["members"]] += 1
    rows(sql, "COMMIT")
    there = {a for a, _ in held if a is not None}
    return (right,
            ({a: n for a, n in nodes.items() if n != (0, 0)},
             {k: n for k, n in tables.items() if n != 0}),
            ({a: (held[a, 0], held[a, 1]) for a in there}, dict(alike)))


class Counts(Watch):
    """What is kept of nodes and tables is what their partitions say."""

    def _look(self, sql):
        right, kept, counted = counts(sql)
        if right:
            self.seen += 1
            if kept != counted:
                self.wrong.append(f"kept {kept}, counted {counted}")
