"""A source on a real server: where it begins, what interrupts it, how it
ends. Each row is delivered once, whatever happens in between."""

import pytest

from support.waiting import until


def test_it_goes_on_behind_what_was_taken(upstream):
    first = upstream.streaming()
    upstream.insert(1, 2, 3)
    first.wait_for(upstream.now())
    assert first.stop()["result"] == "ok"
    upstream.insert(4, 5)
    second = upstream.streaming(first.position())
    upstream.insert(6)
    second.wait_for(upstream.now())
    assert upstream.ids(first) == [1, 2, 3]
    assert upstream.ids(second) == [4, 5, 6]
    assert second.stop()["result"] == "ok"
    assert second.position() == upstream.now()


def test_an_idle_source_stops(upstream):
    source = upstream.streaming()
    source.wait("idle", 2)
    assert source.stop()["result"] == "ok"


def test_a_source_that_waits_stops(upstream):
    upstream.proxy.refuse()
    source = upstream.source(upstream.now())
    source.wait("waiting", 3)
    assert source.stop()["result"] == "ok"


def test_a_lost_connection_is_made_again(upstream):
    source = upstream.streaming()
    for i in range(5):
        upstream.insert(2 * i)
        source.wait_for(upstream.now())
        upstream.proxy.cut()
        upstream.insert(2 * i + 1)
        source.wait("streaming", i + 2)
    source.wait_for(upstream.now())
    assert upstream.ids(source) == list(range(10))
    assert source.stop()["result"] == "ok"


def test_a_transaction_that_is_cut_is_delivered_once(upstream):
    upstream.sql("CREATE TABLE big (id INT PRIMARY KEY, v VARCHAR(2000))")
    source = upstream.streaming()
    source.hold()  # so that it cannot have read all of it
    upstream.sql("INSERT INTO big SELECT seq, REPEAT('x', 2000)"
                 " FROM seq_1_to_30000")
    until(lambda: upstream.value(
        "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST"
        " WHERE COMMAND LIKE 'Binlog Dump%' AND STATE LIKE 'Writing%'"))
    upstream.proxy.cut()
    source.go()
    source.wait_for(upstream.now(), timeout=120)
    assert source.what("drop")
    assert sorted(int(r["after"]["id"]) for r in source.taken()) == \
        list(range(1, 30001))
    assert source.stop()["result"] == "ok"


@pytest.mark.fault
def test_a_server_that_is_killed_is_read_on(upstream):
    server = upstream.server
    source = upstream.streaming()
    for i in range(3):
        upstream.insert(3 * i, 3 * i + 1)
        server.kill()
        source.wait("waiting", i + 1)
        server.start()
        upstream.insert(3 * i + 2)
        source.wait_for(upstream.now())
    assert sorted(upstream.ids(source)) == list(range(9))
    assert len(upstream.ids(source)) == 9
    assert len({s["file"] for s in source.what("commit")}) > 1
    assert source.stop()["result"] == "ok"


@pytest.mark.fault
def test_a_silent_server_is_given_up(upstream):
    source = upstream.streaming()
    upstream.insert(1)
    source.wait_for(upstream.now())
    upstream.proxy.stall()  # takes connections, and says nothing
    failed = source.wait("waiting", 2)
    assert failed["fault"] == "LOST" and failed["err"] == "peer"
    upstream.proxy.refuse()
    upstream.proxy.resume()
    upstream.insert(2)
    source.wait_for(upstream.now())
    assert upstream.ids(source) == [1, 2]
    assert source.stop()["result"] == "ok"


def test_no_progress_ends_in_time(upstream):
    upstream.proxy.refuse()
    source = upstream.source(upstream.now(), "retry=1")
    end = source.end()
    assert (end["result"], end["fault"]) == ("peer", "LOST")
    assert source.what("waiting")


def test_whoever_comes_with_the_same_number_takes_over(upstream):
    first = upstream.streaming(server_id=4711)
    upstream.insert(1)
    first.wait_for(upstream.now())
    second = upstream.streaming(server_id=4711)
    end = first.end()
    assert (end["result"], end["fault"]) == ("state", "RIVAL")
    upstream.insert(2)
    second.wait_for(upstream.now())
    assert upstream.ids(first) == [1] and upstream.ids(second) == [2]
    assert second.stop()["result"] == "ok"


def test_a_reader_that_takes_nothing_is_waited_for(upstream):
    upstream.sql("SET GLOBAL net_write_timeout = 1",
                 "CREATE TABLE wide (id INT PRIMARY KEY, v LONGTEXT)")
    try:
        source = upstream.streaming()
        source.hold()
        upstream.sql("INSERT INTO wide SELECT seq, REPEAT('x', 60000)"
                     " FROM seq_1_to_400")
        until(lambda: upstream.value(
            "SELECT COALESCE(MAX(TIME), 0) AS s FROM"
            " information_schema.PROCESSLIST WHERE"
            " COMMAND LIKE 'Binlog Dump%' AND STATE LIKE 'Writing%'") >= 3)
        source.go()
        source.wait_for(upstream.now())
        assert len(source.taken()) == 400
        assert not source.what("drop") and not source.what("waiting")
        assert source.stop()["result"] == "ok"
    finally:
        upstream.sql("SET GLOBAL net_write_timeout = DEFAULT")


def test_a_row_of_40_mb_passes(upstream):
    source = upstream.streaming("now", "quiet")
    upstream.sql("INSERT INTO t VALUES (1, REPEAT('y', 40 << 20))")
    source.wait_for(upstream.now())
    assert source.what("commit")[-1]["rows"] == 1
    assert source.stop()["result"] == "ok"


def test_a_row_beyond_the_bound_is_a_fault(upstream):
    source = upstream.streaming("now", "event=2000000")
    upstream.insert(1)
    upstream.sql("INSERT INTO t VALUES (2, REPEAT('y', 3 << 20))")
    end = source.end()
    assert (end["result"], end["fault"]) == ("limit", "LIMIT")
    assert upstream.ids(source) == [1]


def test_a_large_transaction_needs_little_memory(upstream):
    upstream.sql("CREATE TABLE many (id INT PRIMARY KEY, v VARCHAR(200))")
    source = upstream.streaming("now", "quiet")
    upstream.insert(1)
    source.wait_for(upstream.now())
    before = source.what("commit")[-1]["rss_kib"]
    upstream.sql("INSERT INTO many SELECT seq, REPEAT('x', 200)"
                 " FROM seq_1_to_300000")
    source.wait_for(upstream.now(), timeout=120)
    last = source.what("commit")[-1]
    assert last["rows"] == 300000
    assert last["rss_kib"] - before < 8192  # of 64 MB
    assert source.stop()["result"] == "ok"


def test_sums_may_be_switched(upstream):
    source = upstream.streaming()
    try:
        for i, how in enumerate(("NONE", "CRC32", "NONE")):
            upstream.insert(2 * i)
            upstream.sql(f"SET GLOBAL binlog_checksum = {how}")
            upstream.insert(2 * i + 1)
        source.wait_for(upstream.now())
        upstream.proxy.cut()
        source.wait("streaming", 2)
        upstream.insert(9)
        source.wait_for(upstream.now())
        assert upstream.ids(source) == [0, 1, 2, 3, 4, 5, 9]
        assert source.stop()["result"] == "ok"
    finally:
        upstream.sql("SET GLOBAL binlog_checksum = CRC32")
