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
    once = False  # each request may be sent only once
    result = True
    goals = ()  # (kind of row, largest ratio of metagate's CPU to its)
    p99 = False  # whether p99 has to be the limit's + 2 ms

    @staticmethod
    def body(draw, size):
        raise NotImplementedError


class GetCluster(Work):
    """One cluster of three nodes."""
    name = "get_cluster"
    path, peer_path = DORIS + "/get_cluster", "/get_cluster"
    goals = (("limit", 2.8), ("go", 0.8), ("php", 0.28))
    p99 = True

    @staticmethod
    def body(draw, size):
        i, c = NAME % draw.randint(1, size), draw.randint(0, 2)
        return {"cloud_unique_id": f"1:{i}:n{c}{draw.randint(0, 2)}",
                "cluster_id": f"{i}_c{c}"}


class AddNode(Work):
    """One more node: a transaction with its audit row."""
    name = "add_node"
    path, peer_path = DORIS + "/add_node", "/add_node"
    once = True
    result = False
    goals = (("go", 0.9), ("php", 0.65))

    @staticmethod
    def body(draw, size):
        i, u = NAME % draw.randint(1, size), next(_unique)
        return {"instance_id": i, "cluster": {
            "cluster_id": f"{i}_c{draw.randint(0, 2)}", "type": "COMPUTE",
            "nodes": [{"cloud_unique_id": f"1:{i}:u{u}", "ip": "10.9.8.7",
                       "host": f"u{u}.example", "heartbeat_port": 9050}]}}


class GetInstance(Work):
    """One instance with 1,000 clusters of three nodes."""
    name = "get_instance"
    path, peer_path = DORIS + "/get_instance", "/get_instance"
    connections = 8

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


WORKS = {w.name: w for w in (GetCluster, AddNode, GetInstance, Table, Tables)}


def cores():
    return len(os.sched_getaffinity(0))
