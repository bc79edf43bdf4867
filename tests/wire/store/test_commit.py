"""When the reply to COMMIT is lost, the outcome is found, never assumed:
whether it was sent by itself or with the statements before it."""

import functools

import pytest

from support.waiting import until

ADD = "later UPDATE t SET n = n + 1 WHERE id = 1"
COMMIT = "COMMIT(; END)?$"


@pytest.fixture(params=[False, True], ids=["single", "joined"])
def store(store, request):
    store.shell = functools.partial(store.shell, batch=request.param)
    return store


def begin(shell, request):
    shell.ok(f"begin {request}", ADD, "audit t")


def outcome(store):
    return (store.value("SELECT n FROM t"),
            store.value("SELECT COUNT(*) FROM audit"))


def test_a_commit_whose_reply_was_lost_is_found(store):
    shell = store.shell()
    begin(shell, "r1")
    rule = store.proxy.cut_after(COMMIT)
    assert shell.do("end").err == "ok"
    rule.wait()
    assert outcome(store) == (1, 1)
    assert "outcome=committed" in shell.close()


def test_a_commit_in_the_moment_of_the_cut_is_found_or_undone(store):
    """Nobody knows which it will be; the answer must fit the outcome."""
    shell, done = store.shell(), 0
    for n in range(25):
        begin(shell, f"r{n}")
        store.proxy.cut_behind(COMMIT)
        a = shell.do("end")
        assert a.err == "ok" or (a.err, a.rerun) == ("store", True)
        done += a.err == "ok"
        assert outcome(store) == (done, done)


def test_a_commit_that_never_arrived_may_be_run_again(store):
    shell = store.shell()
    begin(shell, "r1")
    store.proxy.cut_before(COMMIT)
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", True)
    assert outcome(store) == (0, 0)
    begin(shell, "r1")
    shell.ok("end")
    assert outcome(store) == (1, 1)


@pytest.mark.parametrize("keep", [1, 4, 7, 10])
def test_a_commit_cut_in_its_bytes_did_not_happen(store, keep):
    shell = store.shell()
    begin(shell, "r1")
    store.proxy.cut_within(COMMIT, keep)
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", True)
    assert outcome(store) == (0, 0)


def test_a_commit_still_on_its_way_cannot_arrive_later(store):
    """The reply is not waited for any longer, the request is run again, and
    only then do the bytes of the first COMMIT reach the server."""
    shell = store.shell(read_s=1)
    begin(shell, "r1")
    late = store.proxy.hold(COMMIT)
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", True)
    begin(shell, "r1")
    shell.ok("end")
    late.release()
    assert shell.ok("text SELECT n FROM t") == "1"
    assert outcome(store) == (1, 1)


def test_a_commit_that_is_slow_beyond_the_wait_is_found(store):
    """Its reply never comes although it took effect."""
    shell = store.shell(read_s=1)
    begin(shell, "r1")
    store.proxy.mute(COMMIT)
    assert shell.do("end").err == "ok"
    assert outcome(store) == (1, 1)


def test_a_lost_commit_near_the_deadline_is_settled_all_the_same(store):
    shell = store.shell()
    begin(shell, "r1")
    shell.ok("deadline 700")
    late = store.proxy.hold(COMMIT)
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", False)  # no time left to run again
    late.release()
    shell.ok("deadline 0")
    assert shell.ok("text SELECT n FROM t") == "0"
    assert outcome(store) == (0, 0)


def test_a_commit_whose_outcome_stays_unknown_is_no_success(store):
    """It took effect, and nobody can be asked: that is not said to be done,
    nor run again."""
    shell = store.shell(read_s=30)
    begin(shell, "r1")
    store.proxy.mute(COMMIT)
    shell.send("end")
    until(lambda: outcome(store) == (1, 1), "the effect")
    store.proxy.refuse()
    a = shell.answer()
    assert (a.err, a.rerun) == ("store", False)
    store.proxy.resume()
    assert outcome(store) == (1, 1)
    assert "outcome=unknown" in shell.close()


def test_without_an_audit_row_nothing_is_assumed(store):
    shell = store.shell()
    shell.ok("begin r1", ADD)
    store.proxy.cut_after(COMMIT)
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", False)
    assert outcome(store) == (1, 0)


def test_the_end_of_a_transaction_that_only_read_is_of_no_matter(store):
    shell = store.shell()
    shell.ok("begin r1", "text SELECT n FROM t")
    store.proxy.cut_before(COMMIT)
    shell.ok("end", "text SELECT n FROM t")


def test_a_commit_during_which_the_server_dies_is_settled(store):
    shell = store.shell()
    begin(shell, "r1")
    held = store.proxy.hold(COMMIT)
    shell.send("end")
    held.wait()
    store.server.kill()
    store.server.start()
    a = shell.answer()
    assert (a.err, a.rerun) == ("store", True)
    begin(shell, "r1")
    shell.ok("end")
    assert outcome(store) == (1, 1)


def test_a_commit_just_before_the_server_dies_is_found_after_its_return(store):
    """The client waits for its reply while the server recovers, which takes
    as long as it takes, and is looking when it can be reached again."""
    shell = store.shell(read_s=120)
    begin(shell, "r1")
    store.proxy.mute(COMMIT)
    shell.send("end")
    until(lambda: store.value("SELECT COUNT(*) FROM audit") == 1)
    store.server.kill()
    store.server.start()
    store.proxy.refuse()
    store.proxy.resume()
    assert shell.answer().err == "ok"
    assert outcome(store) == (1, 1)


def test_a_commit_that_the_server_refuses_is_busy(store):
    """What a Galera cluster says when certification fails."""
    shell = store.shell()
    begin(shell, "r1")
    store.proxy.answer(COMMIT, 1213, "Deadlock found", "40001")
    a = shell.do("end")
    assert (a.err, a.code, a.rerun) == ("busy", 1213, True)


def test_an_error_that_says_nothing_of_the_commit_is_looked_into(store):
    """Joined: the server still has the transaction, so COMMIT was not reached,
    and nothing is done. By itself: nobody knows."""
    shell = store.shell()
    begin(shell, "r1")
    store.proxy.answer(COMMIT, 1180, "Got error 5 during COMMIT")
    a = shell.do("end")
    assert (a.err, a.rerun) in (("store", True), ("busy", False))
    assert outcome(store) == (0, 0)
    begin(shell, "r1")
    shell.ok("end")
    assert outcome(store) == (1, 1)


def test_an_error_after_a_commit_that_took_effect_is_a_success(store):
    """The server has no transaction any more: the audit row tells."""
    shell = store.shell()
    begin(shell, "r1")
    store.proxy.answer_after(COMMIT, 1180, "Got error 5 during COMMIT")
    assert shell.do("end").err == "ok"
    assert outcome(store) == (1, 1)
