"""The metadata store dies or hangs: 503, and everything works again by
itself, without a restart of any worker."""

import signal

import pytest

from support import doris as d
from support.ackedset import AckedSet
from support.load import Load
from support.patience import slower
from support.processes import kill
from support.store import until_idle
from support.waiting import until

pytestmark = pytest.mark.fault


def worker_pids(deployment):
    return [deployment.pid_of("serve-0"), deployment.pid_of("serve-1")]


def assert_refused(r):
    assert r.status == 503
    assert r.headers["Retry-After"] == "1"
    assert r.json == {"code": "INTERNAL_ERROR",
                      "msg": "metadata store not available"}


def test_a_store_taken_out_is_a_503_everywhere(deployment, doris, console):
    iid = d.instance(doris)
    workers = worker_pids(deployment)
    deployment.command("stop", "mariadb")
    assert_refused(doris.get("get_instance", query={"instance_id": iid}))
    assert_refused(d.add_cluster(doris, iid, "c1"))
    health = console.get("/healthz")
    assert health.status == 503
    assert health.headers["Retry-After"] == "1"
    deployment.command("start", "mariadb")
    until(lambda: d.add_cluster(doris, iid, "c2").status == 200, "a write")
    assert d.clusters(doris, iid) == ["c2"]
    assert console.get("/healthz").json == {"status": "ok"}
    assert worker_pids(deployment) == workers


def test_a_hanging_store_is_a_503_and_nothing_is_written_later(
        deployment, doris):
    iid = d.instance(doris)
    assert d.add_cluster(doris, iid, "c1").status == 200
    store = deployment.pid_of("mariadb")
    kill(store, signal.SIGSTOP)
    try:
        assert_refused(d.add_cluster(doris.using(timeout=15), iid, "c2"))
    finally:
        kill(store, signal.SIGCONT)
    until(lambda: d.clusters(doris, iid), "reads again")
    with deployment.sql() as sql:
        until_idle(sql)
    # a thread that has just failed waits a little before it tries again
    assert until(lambda: d.clusters(doris, iid), "reads again") == ["c1"]


def test_health_does_not_wait_for_a_hanging_store(deployment, console):
    """Neither on a connection nor for a new one: long before other requests
    give up (5 s, on an idle machine)."""
    store = deployment.pid_of("mariadb")
    assert console.get("/healthz").status == 200
    kill(store, signal.SIGSTOP)
    try:
        for _ in range(6):
            r = console.using(timeout=4 * slower()).get("/healthz")
            assert (r.status, r.json["error"]) == (503, "store_down")
            assert r.headers["Retry-After"] == "1"
    finally:
        kill(store, signal.SIGCONT)
    until(lambda: all(console.get("/healthz").status == 200
                      for _ in range(32)), "each thread is healthy again")


def test_a_killed_store_loses_no_acknowledged_write(deployment, doris):
    iid = d.instance(doris)
    writes, workers = AckedSet(), worker_pids(deployment)
    numbers = iter(range(1, 1 << 30))

    def write(_):
        cid = f"c{next(numbers)}"
        return writes.write(cid, lambda: d.add_cluster(doris, iid, cid))

    with Load(4, write) as load:
        for _ in range(3):
            acked = len(writes.acked)
            until(lambda: len(writes.acked) > acked + 20, "writes go on")
            kill(deployment.pid_of("mariadb"))
        acked = len(writes.acked)
        until(lambda: len(writes.acked) > acked + 20, "writes go on")
    assert set(load.results) <= {200, 503}
    final = until(lambda: d.clusters(doris, iid), "reads again")
    writes.check(final, acked_at_least=80)
    assert worker_pids(deployment) == workers
