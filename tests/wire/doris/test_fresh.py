"""Never stale: what one host has acknowledged, every other host reads."""

import json
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager

from support.load import Load
from support.metaservice import be
from support.waiting import until
from support.worker import Worker

CLUSTERS = 4
READERS = 8
NET = "127.71.3"  # nothing is bound there


@contextmanager
def hosts(deployment, n):
    """n workers, each with a RUN_DIR of its own, as on hosts of their own:
    they have the store in common, the keys, and nothing else."""
    base = tempfile.mkdtemp(prefix="metagate-hosts.", dir="/var/tmp")
    workers = []
    try:
        for i in range(n):
            workers.append(Worker(
                deployment.binary, _run_dir(deployment, base, i), NET,
                deployment.env(), mysql_user="root",
                mysql_hosts="unix:" + deployment.path("s", "mysql.sock"))
                .start())
        yield workers
        for w in workers:
            assert w.stop() == 0, w.errors
    finally:
        for w in workers:
            w.end()
        shutil.rmtree(base)


def _run_dir(deployment, base, i):
    run_dir = os.path.join(base, str(i))
    for part in ("s", "log"):
        os.makedirs(os.path.join(run_dir, part))
    for name in ("key", "deployment_id"):
        shutil.copy(deployment.path(name), run_dir)
    with open(os.path.join(run_dir, "secret"), "w") as f:
        f.write(secrets.token_hex(32) + "\n")
    return run_dir


def ask(host, operation, body):
    r = host.ask(f"/MetaService/http/{operation}",
                 json.dumps(body).encode(), listener="doris", method="POST")
    assert r.status == 200, r.text
    return json.loads(r.text)


def test_what_one_host_acknowledged_another_reads(ms, deployment):
    iid = ms.instance()
    acknowledged = {f"c{c}": 0 for c in range(CLUSTERS)}
    for cid in acknowledged:
        ms.cluster(iid, cid, nodes=[be(iid, int(cid[1]))])

    def write(host, cid):
        n = acknowledged[cid] + 1
        ask(host, "update_cluster_endpoint", {
            "instance_id": iid, "cluster": {
                "cluster_id": cid, "public_endpoint": str(n),
                "private_endpoint": "p"}})
        acknowledged[cid] = n

    def read(host, cid):
        """What had been acknowledged before, and what was read."""
        before = acknowledged[cid]
        got = ask(host, "get_cluster", {
            "cloud_unique_id": be(iid, 0)["cloud_unique_id"],
            "cluster_id": cid})["result"]
        return before, int(got.get("public_endpoint", 0))

    with hosts(deployment, 2) as (one, other):
        def client(i):
            cid = f"c{i % CLUSTERS}"
            if i < CLUSTERS:
                return write(one, cid)
            return read(other, cid)

        with Load(CLUSTERS + READERS, client) as load:
            until(lambda: load.done > 1500, "1500 requests", 120)
    reads = []
    for r in load.results:
        assert not isinstance(r, Exception), repr(r)
        if r is not None:
            reads.append(r)
    assert [r for r in reads if r[1] < r[0]] == []
    assert min(acknowledged.values()) > 10, acknowledged
    assert len(reads) > 100
