"""Every allocation of a request fails in turn: that request alone does, whole
or not at all, and the process serves on."""

import json
import mmap
import os
import secrets
import struct

import pytest

from support import doris as d, fcgi, preload, tables
from support.proxy import Proxy
from support.store import rows, value
from support.waiting import until
from support.worker import Worker
from support.words import fresh

pytestmark = [pytest.mark.fault, pytest.mark.profile]
MOST = 3000  # allocations of one request, far beyond any


class Memory:
    """What the library that makes allocations fail is told and tells."""

    def __init__(self, path):
        with open(path, "wb") as f:
            f.write(bytes(4096))
        os.chmod(path, 0o666)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 4096)

    def fail(self, n, connects=False):
        self.map[0:32] = struct.pack("<4q", 0, 0, 0, connects)
        self.map[0:8] = struct.pack("<q", n)

    def where(self):
        return self.map[32:160].rstrip(b"\0").decode()

    def spare(self):
        """Nothing fails any more; whether something had."""
        self.map[0:8] = struct.pack("<q", 0)
        return struct.unpack("<3q", self.map[0:24])[2] != 0


@pytest.fixture(scope="module")
def starved(pool):
    """(deployment, worker, its memory, the proxy to its store)."""
    deployment = pool.get("release", name=__name__.rpartition(".")[2])
    memory = Memory(deployment.path("s", "memory"))
    path = deployment.path("s", "proxy.sock")
    with deployment.sql() as sql:
        user = value(sql, "SELECT SUBSTRING_INDEX(USER(), '@', 1)")
    env = {**deployment.env(), **preload.environment(
        "malloc", malloc_fail_file=deployment.path("s", "memory"))}
    with Proxy("unix:" + deployment.path("s", "mysql.sock"),
               listen="unix:" + path) as proxy:
        os.chmod(path, 0o666)
        worker = Worker(deployment.binary, deployment.run_dir, deployment.net,
                        env, mysql_hosts="unix:" + path, mysql_user=user,
                        serve_threads=1, serve_slow_threads=1).start()
        yield deployment, worker, memory, proxy
        memory.spare()
        status = worker.stop()
        worker.end()
    assert status == 0, worker.errors


def ask(worker, target, body=None, **more):
    try:
        return worker.ask(target, tables.encoded(body) if body else b"",
                          **more)
    except (fcgi.Broken, OSError):
        return None  # broken off: nobody takes it for an answer


def torture(starved, request, judge, cold=False):
    """request() -> reply and judge(reply, failed) for n = 1, 2 ... until the
    request needs no n-th allocation; returns how many it needs."""
    _, worker, memory, proxy = starved
    pid = worker.process.pid
    for n in range(1, MOST):
        if cold:
            proxy.cut()  # connecting is part of the request
        memory.fail(n, connects=cold)
        r = request()
        failed = memory.spare()
        if worker.process.poll() is not None:
            worker.ended()
            raise AssertionError(f"died of allocation {n}, of "
                                 f"{memory.where()}:\n{worker.errors}")
        judge(r, failed)
        # unharmed, once the pause after a failed connection is over
        judge(until(lambda: whole(request())), False)
        if not failed:
            assert worker.process.pid == pid
            return n - 1
    raise AssertionError("it never ended")


def whole(r):
    return r if r is not None and r.status == 200 else None


def shown(r):
    return r and (r.status, r.body)


def in_form(r, failed):
    """What was asked for, or a failure in words, or no answer."""
    if not failed:
        assert r is not None and r.status == 200, shown(r)
    elif r is not None:
        assert r.status in (200, 500, 503), shown(r)


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_a_read_survives_every_failure(starved, cold):
    deployment, worker, *_ = starved
    doris = deployment.client("doris", prefix="/MetaService/http")
    iid = d.instance(doris)
    assert d.add_cluster(doris, iid, "c1").status == 200
    right = doris.post("get_cluster", {"cloud_unique_id": f"1:{iid}:meta",
                                       "cluster_id": "c1"})
    assert right.status == 200

    def request():
        return ask(worker, "/MetaService/http/get_cluster",
                   {"cloud_unique_id": f"1:{iid}:meta", "cluster_id": "c1"},
                   listener="doris", method="POST")

    def judge(r, failed):
        in_form(r, failed)
        if r is not None and r.status == 200:
            assert json.loads(r.body) == right.json

    needed = torture(starved, request, judge, cold)
    assert needed > 3, needed


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_a_write_is_done_whole_or_not_at_all(starved, cold):
    deployment, worker, *_ = starved
    doris = deployment.client("doris", prefix="/MetaService/http")
    iid = d.instance(doris)
    made = {}

    def request():
        made["id"], made["cid"] = secrets.token_hex(16), fresh("c")
        return ask(worker, "/MetaService/http/add_cluster",
                   d.cluster(iid, made["cid"]), listener="doris",
                   method="PUT", MG_REQUEST_ID=made["id"])

    with deployment.sql() as sql:
        def judge(r, failed):
            in_form(r, failed)
            there = rows(sql, "SELECT seq FROM doris_cluster WHERE"
                         " instance_id = %s AND cluster_id = %s", iid,
                         made["cid"])
            audit = rows(sql, "SELECT 1 FROM audit WHERE request_id = %s",
                         made["id"])
            assert len(there) == len(audit) <= 1
            if r is not None:
                assert (r.status == 200) == bool(there), shown(r)

        assert torture(starved, request, judge, cold) > 3


def test_the_page_of_metrics_survives_every_failure(starved):
    _, worker, *_ = starved

    def judge(r, failed):
        in_form(r, failed)
        if r is not None and r.status == 200:
            assert r.text.rstrip().splitlines()[-1].startswith(("metagate_",
                                                                  "process_"))

    assert torture(starved, lambda: ask(worker, "/metrics"), judge) > 1


def test_a_list_of_tables_survives_every_failure(starved):
    _, worker, *_ = starved
    torture(starved, lambda: ask(worker, "/meta/apps?detail",
                                 listener="pegasus-meta/m1"), in_form)


def test_the_product_holds_no_such_switch(starved):
    deployment, *_ = starved
    with open(deployment.binary, "rb") as f:
        assert b"MALLOC_FAIL" not in f.read()
