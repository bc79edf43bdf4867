"""A cluster's document is what its rows say, after whatever was done to it."""

import random

import pytest

from support.documents import assert_true
from support.metaservice import be, fe


class Operator:
    """Does something or other to one instance."""

    def __init__(self, ms, iid, seed):
        self.ms, self.iid, self.rng = ms, iid, random.Random(seed)
        self.done = {}

    def step(self, clusters):
        word = lambda: f"w{self.rng.randrange(12)}"
        cluster = self.rng.choice(clusters or [{
            "cluster_id": "c0", "type": "COMPUTE"}])
        asked = {"cluster_id": cluster["cluster_id"]}
        operation = self.rng.choice([
            "add_cluster", "add_cluster", "add_node", "add_node", "add_node",
            "drop_node", "decommission_node", "rename_cluster",
            "update_cluster_mysql_user_name", "update_cluster_endpoint",
            "set_cluster_status", "drop_cluster", "notify_decommissioned"])
        if operation == "add_cluster":
            asked = self.new_cluster(clusters)
        elif "node" in operation or "decom" in operation:
            nodes = (cluster.get("nodes") or [self.node(cluster["type"])]
                     if operation != "add_node" else
                     [self.node(cluster["type"])
                      for _ in range(self.rng.randint(1, 3))])
            asked |= {"type": cluster["type"], "nodes": self.rng.sample(
                nodes, self.rng.randint(1, len(nodes)))}
        elif operation == "rename_cluster":
            asked["cluster_name"] = word()
        elif operation == "update_cluster_mysql_user_name":
            asked["mysql_user_name"] = [word() for _ in range(
                self.rng.randint(0, 3))]
        elif operation == "update_cluster_endpoint":
            asked |= {"private_endpoint": word(), "public_endpoint":
                      self.rng.choice([None, "", word()])}
        elif operation == "set_cluster_status":
            asked["cluster_status"] = self.rng.choice(
                ["NORMAL", "SUSPENDED", "TO_RESUME"])
        r = self.ms.send(operation, {"instance_id": self.iid,
                                     "cluster": asked})
        assert r.status in (200, 400, 404, 409), (operation, asked, r)
        if r.status == 200:
            self.done[operation] = self.done.get(operation, 0) + 1

    def node(self, kind):
        make = fe if kind == "SQL" else be
        node = make(self.iid, self.rng.randrange(20))
        if kind == "SQL":
            node["node_type"] = self.rng.choice(["FE_OBSERVER",
                                                 "FE_FOLLOWER"])
        more = {"host": "h%d" % self.rng.randrange(9), "desc": "é\"\n",
                "name": "", "is_smooth_upgrade": False, "vpc_name": "v",
                "cloud_unique_id": f"1:{self.iid}:shared",
                "public_endpoint": "p", "private_endpoint": ""}
        for key in self.rng.sample(sorted(more), self.rng.randrange(4)):
            node[key] = more[key]
        if self.rng.random() < 0.1:
            del node["cloud_unique_id"]
        return node

    def new_cluster(self, clusters):
        kind = self.rng.choice(["COMPUTE", "COMPUTE", "SQL", "VIRTUAL"])
        asked = {"cluster_id": f"c{self.rng.randrange(8)}", "type": kind,
                 "cluster_name": f"w{self.rng.randrange(12)}"}
        if kind == "VIRTUAL":
            free = [c["cluster_name"] for c in clusters
                    if c["type"] == "COMPUTE"]
            if len(free) > 1:
                two = self.rng.sample(free, 2)
                asked |= {"cluster_names": two, "cluster_policy": {
                    "type": "ActiveStandby", "active_cluster_name": two[0],
                    "standby_cluster_names": two[1:]}}
            return asked
        asked["nodes"] = [self.node(kind) for _ in range(
            self.rng.randint(0, 3))]
        if kind == "SQL":
            for node in asked["nodes"]:
                node["node_type"] = "FE_FOLLOWER"
        if self.rng.random() < 0.5:
            asked |= {"mysql_user_name": ["a", "b"], "desc": "",
                      "properties": {"k": "v", "": "é"}}
        return asked


@pytest.mark.parametrize("seed", range(6))
def test_documents_agree_with_rows(ms, sql, seed):
    iid = ms.instance()
    operator, clusters = Operator(ms, iid, seed), []
    for _ in range(120):
        operator.step(clusters)
        clusters = assert_true(ms, sql, iid)
    assert len(operator.done) >= 8, operator.done
