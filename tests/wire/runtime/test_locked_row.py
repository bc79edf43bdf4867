"""A row that somebody else has locked: refused in time, and then not done."""

import threading

from support import doris as d
from support.load import race
from support.store import locked_instance, until_idle, until_waiting


def test_a_write_on_a_locked_row_is_refused_and_never_done(
        deployment, doris, sql):
    iid = d.instance(doris)
    with locked_instance(deployment, iid):
        r = d.add_cluster(doris.using(timeout=15), iid, "c1")
        assert r.status == 503
        assert r.headers["Retry-After"]
        assert r.json["code"] != "OK"
    until_idle(sql)
    assert d.clusters(doris, iid) == []


def test_no_write_follows_the_503_of_one_that_waited_for_a_thread(
        deployment, doris, sql):
    """More writes than threads: most of them wait in the sockets' queues for
    as long as the first ones wait for the row."""
    iid = d.instance(doris)
    patient = doris.using(timeout=30)
    with locked_instance(deployment, iid):
        answers = race(40, lambda i: d.add_cluster(patient, iid, f"c{i}"))
        assert {r.status for r in answers} == {503}
        assert {r.json["code"] for r in answers} == {"INTERNAL_ERROR"}
    # behind the last of them in every queue
    assert {d.clusters(doris, iid) == [] for _ in range(16)} == {True}
    until_idle(sql)
    assert d.clusters(doris, iid) == []


def test_a_read_does_not_wait_for_a_locked_row(deployment, doris):
    iid = d.instance(doris)
    assert d.add_cluster(doris, iid, "c1").status == 200
    with locked_instance(deployment, iid):
        assert d.clusters(doris, iid) == ["c1"]


def test_a_write_waits_for_a_short_lock(deployment, doris, sql):
    iid = d.instance(doris)
    answers = []
    write = threading.Thread(target=lambda: answers.append(
        d.add_cluster(doris, iid, "c1").status))
    with locked_instance(deployment, iid):
        write.start()
        until_waiting(sql, 1)
    write.join()
    assert answers == [200]
    assert d.clusters(doris, iid) == ["c1"]
