"""The workloads: what is asked for, and what the figures should be."""

import itertools
import os
import time

DORIS = "/MetaService/http"
NAME = "bench%07d"
TABLE = "bench"  # of 1,024 partitions
BIG = "big0000001"  # an instance of 1,000 clusters
_unique = itertools.count(int(time.time() * 1000) % 10**9 * 1000)


class Work:
    name = ""
    listener = "doris"
    path = peer_path = ""
    expect = '"OK"'  # in every reply
    connections = 32
    writes = False  # every request; what it has written is compared
    once = False  # each request may be sent only once
    result = True
    only = ()  # kinds of rows that it is measured on; empty: all
    cold = False  # what metagate keeps is forgotten before each run
    design = False  # whether the peers of metagate's own design do it
    # (kind of row, largest ratio of metagate's CPU to its[, which metagate])
    goals = ()
    p99 = False  # whether p99 has to be the limit's + 2 ms

    @staticmethod
    def body(draw, size):
        raise NotImplementedError

    @staticmethod
    def path_of(path, body):
        """Where that body goes, of a work that has several paths."""
        return path


class GetCluster(Work):
    """One cluster of three nodes."""
    name = "get_cluster"
    path, peer_path = DORIS + "/get_cluster", "/get_cluster"
    design = True
    goals = (("limit", 2.8), ("go", 0.8), ("php", 0.28),
             ("go", 0.45, "uncached"), ("doc", 1.0, "uncached"))
    p99 = True

    @staticmethod
    def body(draw, size):
        i, c = NAME % draw.randint(1, size), draw.randint(0, 2)
        return {"cloud_unique_id": f"1:{i}:n{c}{draw.randint(0, 2)}",
                "cluster_id": f"{i}_c{c}"}


class GetWarm(GetCluster):
    """One cluster of a few: each reply is kept."""
    name = "get_warm"
    goals = (("limit", 1.5), ("go", 0.4), ("kept", 1.0))
    p99 = False

    @staticmethod
    def body(draw, size):
        return GetCluster.body(draw, min(size, 50))


class GetCold(GetCluster):
    """One cluster of workers that have kept nothing yet."""
    name = "get_cold"
    goals = ()
    cold = True
    design = False  # what they keep is not forgotten between runs
    p99 = False


class AddNode(Work):
    """One more node: a transaction with its audit row."""
    name = "add_node"
    path, peer_path = DORIS + "/add_node", "/add_node"
    writes = once = design = True
    result = False
    goals = (("go", 0.9), ("php", 0.65), ("doc", 1.0))

    @staticmethod
    def body(draw, size):
        i, u = NAME % draw.randint(1, size), next(_unique)
        return {"instance_id": i, "cluster": {
            "cluster_id": f"{i}_c{draw.randint(0, 2)}", "type": "COMPUTE",
            "nodes": [{"cloud_unique_id": f"1:{i}:u{u}", "ip": "10.9.8.7",
                       "host": f"u{u}.example", "heartbeat_port": 9050}]}}


class Mixed(AddNode):
    """Nine reads of a cluster and one more node, among 500 instances."""
    name = "mixed"
    goals = (("go", 0.6), ("kept", 1.0))
    writes = False

    @staticmethod
    def body(draw, size):
        size = min(size, 500)
        if draw.random() < 0.1:
            return AddNode.body(draw, size)
        return GetCluster.body(draw, size)

    @staticmethod
    def path_of(path, body):
        return path if "cluster" in body else path.replace("add_node",
                                                           "get_cluster")


class GetSmall(Work):
    """One instance with three clusters of three nodes."""
    name = "get_small"
    path, peer_path = DORIS + "/get_instance", "/get_instance"
    design = True
    goals = (("go", 0.6), ("go", 0.6, "uncached"), ("doc", 1.0, "uncached"))

    @staticmethod
    def body(draw, size):
        return {"instance_id": NAME % draw.randint(1, size)}


class GetInstance(Work):
    """One instance with 1,000 clusters of three nodes."""
    name = "get_instance"
    path, peer_path = DORIS + "/get_instance", "/get_instance"
    connections = 8
    design = True

    @staticmethod
    def body(draw, size):
        return {"instance_id": BIG}


class Table(Work):
    """/meta/app?detail of a Pegasus table with 1,024 partitions."""
    name = "table"
    listener = "pegasus-meta/m1"
    path = peer_path = f"/meta/app?name={TABLE}&detail"
    expect = '"healthy"'
    connections = 8
    goals = (("go", 0.45), ("limit", 6))

    @staticmethod
    def body(draw, size):
        return None


class Tables(Work):
    """/meta/apps?detail: 1,000 Pegasus tables of 8 partitions."""
    name = "tables"
    listener = "pegasus-meta/m1"
    path = peer_path = "/meta/apps?detail"
    expect = '"summary"'
    connections = 8

    @staticmethod
    def body(draw, size):
        return None


WORKS = {w.name: w for w in (GetCluster, GetWarm, GetCold, Mixed, AddNode,
                             GetSmall, GetInstance, Table, Tables)}


class Beside:
    """What others ask for while get_cluster is measured: a listener, a path, a
    body."""
    def __init__(self, listener, path, expect, body=None):
        self.listener, self.path, self.expect = listener, path, expect
        self.sent, self.kind, self.once = body, "metagate", False
        self.peer_path = path

    def body(self, draw, size):
        return self.sent

    @staticmethod
    def path_of(path, body):
        return path


META = "pegasus-meta/m1"
STARVING = {
    "/meta/cluster": Beside(META, "/meta/cluster", '"meta_servers"'),
    "/meta/nodes?detail": Beside(META, "/meta/nodes?detail", '"summary"'),
    "/meta/apps": Beside(META, "/meta/apps", '"summary"'),
    "/meta/apps?detail": Beside(META, "/meta/apps?detail", '"summary"'),
    "/meta/app?detail": Beside(META, f"/meta/app?name={TABLE}&detail",
                               '"healthy"'),
    "get_instance of 1,000 clusters": Beside(
        "doris", DORIS + "/get_instance", '"OK"', {"instance_id": BIG}),
    "/openapi.json": Beside("console", "/openapi.json", '"openapi"'),
    "/metrics": Beside("console", "/metrics", "metagate_processes"),
}
STARVED_RATE, STARVED_P99_MS = 0.7, 10  # what is left of get_cluster


def cores():
    return len(os.sched_getaffinity(0))
