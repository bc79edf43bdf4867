"""Workers that are killed, restarted and crowded."""

import signal
import threading

import pytest

from support import doris as d
from support.ackedset import AckedSet
from support.load import Load, race
from support.processes import alive, kill
from support.store import locked_instance, until_waiting
from support.waiting import until

pytestmark = pytest.mark.fault


def replaced(deployment, role, old):
    """The process id of the child that has taken old's place."""
    new = deployment.pid_of(role)
    return new if new not in (None, old) else None


def test_a_killed_worker_answers_503_and_nobody_repeats_its_requests(
        deployment, doris, sql):
    iid = d.instance(doris)
    writes, worker = AckedSet(), deployment.pid_of("serve-0")
    ids = [f"c{i}" for i in range(6)]
    clients = [threading.Thread(target=writes.write, args=(
        cid, lambda cid=cid: d.add_cluster(doris, iid, cid), (503,)))
        for cid in ids]
    with locked_instance(deployment, iid):
        for client in clients:
            client.start()
        # Each process of nginx deals them out in turn: both workers have
        # some of them.
        until_waiting(sql, len(ids))
        kill(worker)
    for client in clients:
        client.join()
    # None of them could be committed before the kill: a repeated one would
    # be acknowledged now.
    assert writes.refused and not writes.unclear
    writes.check(d.clusters(doris, iid))
    until(lambda: replaced(deployment, "serve-0", worker), "a new worker")
    assert d.add_cluster(doris, iid, "after").status == 200


def test_ten_rolling_restarts_fail_no_request(deployment, doris):
    iid = d.instance(doris)

    def work(i):
        if i % 8:
            return doris.get("get_instance",
                             query={"instance_id": iid}).status
        cid = f"c{i}_{threading.get_ident()}"
        body = {"instance_id": iid, "cluster": {
            "cluster_id": cid, "cluster_name": cid, "type": "COMPUTE"}}
        return (doris.put("add_cluster", body).status,
                doris.put("drop_cluster", body).status)

    with Load(32, work) as load:
        for n in range(10):
            role = f"serve-{n % 2}"
            old, before = deployment.pid_of(role), load.done
            kill(old, signal.SIGTERM)
            until(lambda: replaced(deployment, role, old), "a new worker")
            until(lambda: not alive(old), "the old one has drained")
            until(lambda: load.done > before + 200, "requests go on")
    failed = [r for r in load.results if r not in (200, (200, 200))]
    assert not failed, f"{len(failed)} of {load.done}: {failed[:5]}"


@pytest.mark.config(METAGATE_SERVE_WORKERS="1", METAGATE_SERVE_THREADS="4")
def test_256_kept_connections_share_4_threads_with_slow_requests(
        deployment, doris, sql):
    iid = d.instance(doris)
    slow = [threading.Thread(target=d.add_cluster, args=(doris, iid, f"c{i}"))
            for i in range(3)]

    def reads(_):
        return [doris.get("get_instance",
                          query={"instance_id": iid}).status
                for _ in range(4)]

    with locked_instance(deployment, iid):
        for s in slow:
            s.start()
        until_waiting(sql, len(slow))
        answers = race(256, reads)
    for s in slow:
        s.join()
    assert answers == [[200] * 4] * 256
