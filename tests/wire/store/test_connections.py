"""Servers that die, refuse, stall and come back."""

import pytest

from support.proxy import Proxy
from support.waiting import until

ADD = "exec UPDATE t SET n = n + 1 WHERE id = 1"
READ = "text SELECT n FROM t"


def back(shell):
    return until(lambda: shell.do(READ).err == "ok", "the store is back")


def test_after_kill_9_and_restart_the_same_client_goes_on(store):
    shell = store.shell(hosts=store.server.hosts)
    shell.ok(ADD, READ)
    for _ in range(3):
        store.server.kill()
        assert shell.do(READ).err == "store"
        assert shell.do(ADD).err == "store"
        store.server.start()
        back(shell)
        shell.ok(ADD)  # its statements are prepared again
    assert store.value("SELECT n FROM t") == 4


def test_while_the_server_is_away_calls_fail_without_each_connecting(store):
    shell = store.shell()
    shell.ok(READ)
    store.proxy.refuse()
    for _ in range(200):
        assert shell.do(READ).err == "store"
    assert shell.do(READ).rerun is False
    store.proxy.resume()
    back(shell)
    assert 1 <= shell.close().count("db.connect_failed") < 100


def test_an_idle_connection_that_the_server_closed_is_not_a_failure(store):
    shell = store.shell()
    shell.ok(READ, "exec SET SESSION wait_timeout = 2")
    until(lambda: not store.rows(
        "SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = %s"
        " AND ID <> CONNECTION_ID()", store.schema))
    # the server has hung up; our side looks before it sends
    shell.ok(ADD)
    assert store.value("SELECT n FROM t") == 1


def test_a_connection_lost_in_a_transaction_leaves_nothing(store):
    shell = store.shell()
    shell.ok("begin r1", ADD)
    store.server.kill()
    store.server.start()
    a = shell.do(ADD)
    assert (a.err, a.rerun) == ("store", True)
    assert shell.do(READ).err == "store"  # the transaction is over
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", True)
    back(shell)
    assert store.value("SELECT n FROM t") == 0


def test_a_transaction_that_could_not_begin_does_not_begin_later(store):
    """Else it would be committed without its first statement."""
    shell = store.shell()
    store.proxy.refuse()
    shell.ok("begin r1")
    assert shell.do("exec UPDATE t SET n = 7 WHERE id = 1").err == "store"
    store.proxy.resume()
    with_other = store.shell()
    back(with_other)
    for _ in range(100):
        assert shell.do(ADD).err == "store"
    assert shell.do("end").err == "store"
    back(shell)
    shell.ok("begin r2")
    store.proxy.cut_before("^START TRANSACTION")
    assert shell.do("exec UPDATE t SET n = 7 WHERE id = 1").err == "store"
    assert shell.do(ADD).err == "store"
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", True)
    assert store.value("SELECT n FROM t") == 0


@pytest.mark.parametrize("keep", [3, 5, 12])
def test_a_statement_cut_in_its_bytes_has_no_effect(store, keep):
    shell = store.shell()
    shell.ok("begin r1", READ)
    store.proxy.cut_within("^UPDATE t", keep)
    assert shell.do(ADD).err == "store"
    a = shell.do("end")
    assert (a.err, a.rerun) == ("store", True)
    assert store.value("SELECT n FROM t") == 0


def test_a_single_write_whose_reply_was_lost_is_not_run_again(store):
    """Outside a transaction: it may have taken effect, and here it did."""
    shell = store.shell()
    shell.ok(READ)
    rule = store.proxy.cut_after("^UPDATE t")
    a = shell.do(ADD)
    assert (a.err, a.rerun) == ("store", False)
    rule.wait()
    until(lambda: store.value("SELECT n FROM t") == 1)


def test_a_read_whose_reply_was_lost_may_be_run_again(store):
    shell = store.shell()
    shell.ok("text SELECT 1")
    store.proxy.cut_after("^SELECT n")
    a = shell.do(READ)
    assert (a.err, a.rerun) == ("store", True)
    shell.ok(READ)


def test_our_own_read_timeout_is_not_run_again(store):
    shell = store.shell(read_s=1)
    shell.ok("begin r1", READ)
    store.proxy.mute("^UPDATE t")
    a = shell.do(ADD)
    assert (a.err, a.code, a.rerun) == ("store", 2013, False)
    assert shell.do("end").err == "store"
    shell.ok("peer")
    until(lambda: store.value("SELECT n FROM t") == 0)


def test_a_single_write_that_was_given_up_does_not_happen_later(store):
    shell = store.shell(read_s=1)
    shell.ok(READ)
    late = store.proxy.hold("^UPDATE t")
    a = shell.do(ADD)
    assert (a.err, a.rerun) == ("store", False)
    late.release()
    shell.ok(READ)
    assert store.value("SELECT n FROM t") == 0


def test_a_host_that_refuses_gives_way_to_the_next(store):
    with Proxy(store.server.hosts) as second:
        shell = store.shell(hosts=f"{store.proxy.hosts},{second.hosts}")
        shell.ok(READ)
        assert shell.ok("peer") == store.proxy.hosts
        store.proxy.refuse()
        a = shell.do(READ)
        assert a.err == "ok" or a.rerun
        shell.ok(READ)
        assert shell.ok("peer") == second.hosts
        shell.close()


def test_a_host_that_is_silent_gives_way_to_the_next(store):
    with Proxy(store.server.hosts) as second:
        store.proxy.stall()
        shell = store.shell(hosts=f"{store.proxy.hosts},{second.hosts}")
        shell.ok(READ)
        assert shell.ok("peer") == second.hosts
        shell.close()


@pytest.mark.parametrize("code, text", [
    (1047, "WSREP has not yet prepared node for application use"),
    (1290, "The MariaDB server is running with the --read-only option"),
    (1792, "Cannot execute statement in a READ ONLY transaction"),
])
def test_a_host_that_cannot_serve_gives_way_to_the_next(store, code, text):
    with Proxy(store.server.hosts) as second:
        shell = store.shell(hosts=f"{store.proxy.hosts},{second.hosts}")
        shell.ok("begin r1", READ)
        store.proxy.answer("^UPDATE t", code, text)
        a = shell.do(ADD)
        assert (a.err, a.code, a.rerun) == ("store", code, True)
        assert shell.do("end").err == "store"
        shell.ok("begin r1", ADD, "audit t", "end")
        assert shell.ok("peer") == second.hosts
        shell.close()
    assert store.value("SELECT n FROM t") == 1


def test_the_only_host_that_cannot_serve_is_not_asked_in_a_circle(store):
    shell = store.shell()
    shell.ok(READ)
    store.proxy.answer("^UPDATE t", 1047, "WSREP has not yet prepared node")
    a = shell.do(ADD)
    assert (a.err, a.rerun) == ("store", False)


def test_a_statement_that_the_server_forgot_is_prepared_again(store):
    shell = store.shell()
    shell.ok("begin r1", ADD)
    store.proxy.answer("^UPDATE t", 1243, "Unknown prepared statement handler")
    shell.ok(ADD, "audit t", "end")
    assert store.value("SELECT n FROM t") == 2


def test_connecting_ends_with_the_deadline(store):
    store.proxy.stall()
    shell = store.shell()
    shell.ok("deadline 300")
    assert shell.do(READ).err in ("store", "timeout")
    assert shell.do(READ).rerun is False
