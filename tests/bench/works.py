"""The workloads: what is asked for, and what the figures should be."""

import itertools
import os
import time

DORIS = "/MetaService/http"
NAME = "bench%07d"
BIG = "big0000001"  # an instance of 1,000 clusters
_unique = itertools.count(int(time.time() * 1000) % 10**9 * 1000)


class Work:
    name = ""
    paths = {}
    connections = 32
    once = False  # each request may be sent only once
    result = True
    peers = ("php", "go", "node")
    # (row or "limit", measure, largest ratio of metagate to it)
    goals = ()

    @staticmethod
    def body(draw, size):
        raise NotImplementedError


class GetCluster(Work):
    """One cluster of three nodes."""
    name = "get_cluster"
    paths = {"metagate": DORIS + "/get_cluster"}
    goals = (("limit", 2.8), ("go", 0.8), ("php", 0.28))

    @staticmethod
    def body(draw, size):
        i, c = NAME % draw.randint(1, size), draw.randint(0, 2)
        return {"cloud_unique_id": f"1:{i}:n{c}{draw.randint(0, 2)}",
                "cluster_id": f"{i}_c{c}"}


class AddNode(Work):
    """One more node: a transaction with its audit row."""
    name = "add_node"
    paths = {"metagate": DORIS + "/add_node"}
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
    paths = {"metagate": DORIS + "/get_instance"}
    connections = 8

    @staticmethod
    def body(draw, size):
        return {"instance_id": BIG}


WORKS = {w.name: w for w in (GetCluster, AddNode, GetInstance)}


def cores():
    return len(os.sched_getaffinity(0))
