"""Many instances, and one that is large: read in bounded memory."""

import os

import pytest

from support.load import race
from support.metaservice import MetaService, be
from support.store import rows
from support.words import fresh

pytestmark = pytest.mark.profile  # memory is what the released build takes

MIB = 1 << 20
CLUSTERS, NODES, INSTANCES = 1000, 10, 10000


class Peak:
    """How much the workers' memory grew at most, since it was made."""

    def __init__(self, deployment):
        self.pids = [deployment.pid_of(f"serve-{n}") for n in range(2)]
        for pid in self.pids:
            with open(f"/proc/{pid}/clear_refs", "w") as f:
                f.write("5")  # the peak begins anew
        self.before = self._peak()

    def _peak(self):
        total = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/status") as f:
                total += next(int(line.split()[1]) for line in f
                              if line.startswith("VmHWM"))
        return total * 1024

    def grown(self):
        return self._peak() - self.before


def test_ten_thousand_instances_are_listed(deployment, doris, sql):
    ms, prefix = MetaService(doris), fresh("many")
    with sql.cursor() as c:
        c.executemany(
            "INSERT INTO doris_instance (instance_id, name, user_id, status,"
            " sse_enabled, enable_storage_vault, ctime, mtime)"
            " VALUES (%s, 'a name of some length', 'u', 'NORMAL', 0, 1, 1,"
            " 1)", [(f"{prefix}_{n:05}",) for n in range(INSTANCES)])
    page = {"limit": 1000}
    peak, seen = Peak(deployment), []
    while True:
        got = ms.result("list_instances", query=page, method="GET")
        assert len(got["instances"]) <= 1000
        seen += [i["instance_id"] for i in got["instances"]]
        if "next" not in got:
            break
        page["after"] = got["next"]
    assert [i for i in seen if i.startswith(prefix)] \
        == [f"{prefix}_{n:05}" for n in range(INSTANCES)]
    assert seen == sorted(seen)
    assert peak.grown() < 8 * MIB, peak.grown() / MIB


def test_a_large_instance_is_read(deployment, doris):
    ms = MetaService(doris)
    iid, name = ms.instance(), fresh("c")

    def add(k):
        for n in range(k, CLUSTERS, 8):
            ms.cluster(iid, f"{name}_{n}", nodes=[
                be(iid, 1, ip=f"host-{n}-{i}.example",
                   cloud_unique_id=f"1:{iid}:{n}-{i}", desc="d" * 50)
                for i in range(NODES)])

    race(8, add)
    user, password = deployment.fe_user()
    fe = deployment.client("doris-fe", None).using(basic=(user, password))
    sizes = []

    def read(k):
        got = ms.get_instance(iid)["clusters"]
        assert len(got) == CLUSTERS
        assert sum(len(c["nodes"]) for c in got) == CLUSTERS * NODES
        r = ms.send("get_cluster", {"cloud_unique_id": f"1:{iid}:x"})
        sizes.append(len(r.text))
        assert len(r.json["result"]["cluster"]) == CLUSTERS

    read(0)
    assert sizes[0] > 3 * MIB
    peak = Peak(deployment)
    race(8, read)
    # far less than eight such replies: they are streamed
    assert peak.grown() < 24 * MIB, peak.grown() / MIB
    path = "/rest/v2/manager/cluster/cluster_info/cloud_cluster_status"

    def log_in(k):
        r = fe.get(path, query={"instance_id": "none"})
        assert r.status != 401, r

    # the slow hash of a password takes memory of its own, once in a while
    race(8, log_in)
    peak = Peak(deployment)

    def read_status(k):
        r = fe.get(path, query={"instance_id": iid})
        data = r.json["data"]
        assert len(data) == CLUSTERS
        assert all(len(nodes) == NODES for nodes in data.values())

    race(8, read_status)
    assert peak.grown() < 24 * MIB, peak.grown() / MIB
