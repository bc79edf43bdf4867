"""How connections share threads, and how a worker lets go of them."""

import json
import signal
import threading
import time

import pytest

from support import doris as d
from support import fcgi
from support.load import race
from support.store import locked_instance, until_waiting
from support.waiting import until


def add_cluster(w, iid, cid):
    """Parameters and body of the request that wants the instance's row."""
    body = json.dumps({"instance_id": iid, "cluster": {
        "cluster_id": cid, "cluster_name": cid, "type": "COMPUTE"}}).encode()
    return w.params("/MetaService/http/add_cluster", method="PUT",
                    listener="doris", CONTENT_LENGTH=len(body)), body


# ---- sharing ----

def test_silent_connections_hold_no_thread(worker):
    silent = [worker.connect() for _ in range(64)]
    assert worker.ask("/metrics").status == 200
    until(lambda: worker.gauge("metagate_parked_connections") == 64,
          "all of them are parked")
    for c in silent:
        assert c.ask(worker.params("/metrics")).status == 200
        c.close()


def test_slow_readers_do_not_hold_all_threads(place):
    """Half of the threads wait for them; the others break off, and so soon
    that who asks for little is answered within the time it has."""
    w = place.worker(serve_threads=4, serve_deadline_ms=25000)
    slow = [w.connect() for _ in range(60)]
    for c in slow:  # more than a socket holds, and nobody reads
        c.send(fcgi.request(w.params("/openapi.json")))
    assert w.ask("/metrics", MG_RECEIVED=time.time()).status == 200
    until(lambda: w.gauge("metagate_slow_readers_dropped_total") >= 58,
          "the others are broken off")
    assert "its reader is slow" in w.log()
    whole = 0
    for c in slow:
        try:
            whole += c.answer().status == 200
        except (fcgi.Broken, OSError):
            pass
        c.close()
    assert whole <= 2
    assert w.gauge("metagate_slow_readers_dropped_total") <= 60  # each once
    assert w.ask("/openapi.json").status == 200


def test_many_kept_connections_share_two_threads(worker):
    def client(_):
        with worker.connect() as c:
            return [c.ask(worker.params("/metrics", scope="read")).status
                    for _ in range(5)]
    assert race(128, client) == [[200] * 5] * 128


def test_256_kept_connections_share_4_threads_with_slow_requests(
        deployment, doris, sql, store_worker):
    w, iid = store_worker, d.instance(doris)
    params = w.params("/MetaService/http/get_instance?instance_id=" + iid,
                      listener="doris")

    def client(_):
        with w.connect() as c:
            return [c.ask(params).status for _ in range(4)]

    waiting = [w.connect() for _ in range(3)]
    with locked_instance(deployment, iid):
        for i, c in enumerate(waiting):
            c.send(fcgi.request(*add_cluster(w, iid, f"c{i}")))
        until_waiting(sql, 3)
        answers = race(256, client)
    assert answers == [[200] * 4] * 256
    for c in waiting:
        assert c.answer().status in (200, 503)
        c.close()


# ---- slow requests ----

def profile(w, seconds):
    return f"/worker/{w.id}/pprof/profile?seconds={seconds}"


def profiles(w, n, seconds=300):
    """Requests for n profiles, each on its own connection: the first is under
    way, the others wait for the slow thread."""
    connections = [w.connect() for _ in range(n)]
    for i, c in enumerate(connections):
        c.send(fcgi.request(w.params(profile(w, seconds))))
        if i == 0:
            until(lambda: w.gauge("metagate_worker_threads_busy") == 2,
                  "it is being served, beside the one who asks")
        else:
            until(lambda: w.gauge("metagate_slow_requests_queued") == i,
                  "it waits")
    return connections


@pytest.fixture
def one_slow(place):
    return place.worker(serve_threads=2, serve_slow_threads=1)


@pytest.mark.profile
def test_slow_requests_are_bounded_and_hold_up_no_other(one_slow):
    w = one_slow
    waiting = profiles(w, 1 + 4)
    r = w.ask(profile(w, 300))
    assert (r.status, r.headers["Retry-After"]) == (503, "1")
    assert w.gauge("metagate_slow_requests_refused_total") == 1
    for c in waiting:
        c.close()
    until(lambda: w.gauge("metagate_slow_requests_queued") == 0,
          "nobody works for clients that have left")


@pytest.mark.profile
def test_a_stop_cuts_slow_requests_short_and_answers_them(one_slow):
    waiting = profiles(one_slow, 3)
    assert one_slow.stop() == 0
    assert [c.answer().status for c in waiting] == [503] * 3


@pytest.mark.profile
def test_a_stop_lets_slow_requests_end(one_slow):
    [c] = profiles(one_slow, 1, seconds=2)
    assert one_slow.stop() == 0
    r = c.answer()
    assert r.status == 200 and r.body
    assert r.closes


# ---- the end ----

def test_a_draining_worker_serves_kept_connections_once_more(worker):
    with worker.connect() as c, worker.connect() as idle:
        assert not c.ask(worker.params("/metrics")).closes
        assert not idle.ask(worker.params("/metrics")).closes
        worker.process.send_signal(signal.SIGTERM)
        worker.wait_log("worker.drain open=2")
        r = c.ask(worker.params("/metrics"))
        assert r.status == 200
        assert r.closes  # said in the same breath as the end of the reply
        assert c.ended() == fcgi.record(fcgi.GET_VALUES_RESULT, b"", 0)
        assert worker.ended() == 0
        assert idle.ended() == b""


def test_what_comes_during_a_drain_waits_for_the_next_worker(worker):
    with worker.connect() as kept:
        assert kept.ask(worker.params("/metrics")).status == 200
        worker.process.send_signal(signal.SIGTERM)
        worker.wait_log("worker.drain")
        with worker.connect() as late:
            late.send(fcgi.request(worker.params("/metrics")))
            assert worker.ended() == 0
            worker.start()
            assert late.answer().status == 200


class FrontEnd:
    """Keeps a connection to each worker, as nginx does."""

    def __init__(self, workers):
        self.workers, self.kept, self.done = workers, {}, 0

    def ask(self):
        w = self.workers[self.done % len(self.workers)]
        c = self.kept.pop(w, None)
        if c is None or c.closed_meanwhile():
            c = w.connect()
        r = c.ask(w.params("/metrics", scope="read"))
        assert r.status == 200
        if r.closes:
            c.close()
        else:
            self.kept[w] = c
        self.done += 1


def test_ten_rolling_restarts_fail_no_request(place):
    workers = [place.worker(serve_threads=4) for _ in range(2)]
    fronts = [FrontEnd(workers) for _ in range(32)]
    failed, stop = [], threading.Event()

    def work(front):
        while not stop.is_set():
            try:
                front.ask()
            except Exception as e:
                failed.append(e)

    threads = [threading.Thread(target=work, args=(f,)) for f in fronts]
    for t in threads:
        t.start()
    try:
        for n in range(10):
            before = sum(f.done for f in fronts)
            assert workers[n % 2].stop() == 0
            workers[n % 2].start()
            until(lambda: sum(f.done for f in fronts) > before + 200,
                  "requests go on")
    finally:
        stop.set()
        for t in threads:
            t.join()
        assert not failed, f"{len(failed)}: {failed[:3]}"
    assert min(f.done for f in fronts) > 0


def test_a_killed_worker_breaks_what_it_was_at_and_nothing_else(
        deployment, doris, sql, store_worker):
    w, iid = store_worker, d.instance(doris)
    with locked_instance(deployment, iid), w.connect() as c:
        c.send(fcgi.request(*add_cluster(w, iid, "c")))
        until_waiting(sql, 1)
        w.kill()
        with w.connect() as late:  # the socket is still there
            late.send(fcgi.request(w.params("/metrics")))
            with pytest.raises(fcgi.Broken):
                c.answer()
            w.start()
            assert late.answer().status == 200
    assert d.clusters(doris, iid) == []
