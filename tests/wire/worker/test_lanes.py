"""A row that takes long has a share of a worker's threads, not all of them."""

import json

from support import doris as d
from support import fcgi
from support.store import locked_instance, until_waiting
from support.waiting import until


def add_cluster(w, iid, cid):
    body = json.dumps({"instance_id": iid, "cluster": {
        "cluster_id": cid, "cluster_name": cid, "type": "COMPUTE"}}).encode()
    return w.params("/MetaService/http/add_cluster", method="PUT",
                    listener="doris", CONTENT_LENGTH=len(body)), body


def measure(deployment, sql, w, iid):
    """One waits until the store gives up its lock: its row is heavy then."""
    with w.connect() as c:
        with locked_instance(deployment, iid):
            c.send(fcgi.request(*add_cluster(w, iid, "m")))
            w.wait_log("request.again operation=add_cluster")
        assert c.answer().status == 200


def test_writers_that_wait_for_a_row_leave_threads_to_others(
        deployment, doris, sql, store_worker):
    w, iid = store_worker, d.instance(doris)
    measure(deployment, sql, w, iid)
    writers = [w.connect() for _ in range(8)]
    with locked_instance(deployment, iid):
        for i, c in enumerate(writers):
            c.send(fcgi.request(*add_cluster(w, iid, f"c{i}")))
        until_waiting(sql, 2)
        until(lambda: w.gauge("metagate_heavy_requests_waiting") == 6,
              "the others wait without a thread")
        for _ in range(20):
            assert w.ask("/metrics").status == 200
    for c in writers:
        assert c.answer().status == 200
        c.close()
    until(lambda: w.gauge("metagate_heavy_requests_waiting") == 0,
          "nobody waits any more")
    assert len(d.clusters(doris, iid)) == 9


def test_a_stop_answers_who_waits_for_its_row(deployment, doris, sql, store_worker):
    w, iid = store_worker, d.instance(doris)
    measure(deployment, sql, w, iid)
    writers = [w.connect() for _ in range(5)]
    with locked_instance(deployment, iid):
        for i, c in enumerate(writers):
            c.send(fcgi.request(*add_cluster(w, iid, f"c{i}")))
        until(lambda: w.gauge("metagate_heavy_requests_waiting") == 3,
              "they wait without a thread")
        w.process.terminate()
        w.wait_log("worker.drain")
    got = sorted(c.answer().status for c in writers)
    assert got[:2] == [200, 200] and set(got[2:]) <= {200, 503}
