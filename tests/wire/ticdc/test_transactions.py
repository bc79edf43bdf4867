"""XA transactions and savepoints of the source: rows that are prepared are in
the target when they are committed and not before, whoever reads on; what was
taken back never is."""

import json
import os
import signal

import pytest

from support import nets
from support.feeds import Feeds
from support.store import rows, value
from support.waiting import until


@pytest.fixture(scope="module")
def feeds():
    net, fd = nets.claim()
    with Feeds(net) as f:
        for server in ("source", "target"):
            with f.sql(server, None) as c:
                rows(c, "CREATE DATABASE x")
                for t in "abc":
                    rows(c, f"CREATE TABLE x.{t} (id INT PRIMARY KEY, v INT)")
                rows(c, "CREATE TABLE x.m (id INT PRIMARY KEY, v INT)"
                     " ENGINE = MyISAM")
        yield f
    os.close(fd)


@pytest.fixture(autouse=True)
def clean(feeds):
    yield
    for name in list(feeds.captures):
        feeds.kill(name)
    assert feeds.reports() == ""
    for feed in range(1, feeds.next_feed):  # the next one is alone
        feeds.turn(feed, "stopped")
    with feeds.sql("source", "x") as c:
        for xid in rows(c, "XA RECOVER"):
            rows(c, f"XA ROLLBACK '{xid['data']}'")


def prepare(feeds, xid, *statements):
    with feeds.sql("source", "x") as c:
        for s in (f"XA START '{xid}'", *statements, f"XA END '{xid}'",
                  f"XA PREPARE '{xid}'"):
            rows(c, s)


def say(feeds, *statements):
    with feeds.sql("source", "x") as c:
        for s in statements:
            rows(c, s)


def there(feeds, table="a", server="target"):
    with feeds.sql(server, "x") as c:
        return {r["id"]: r["v"] for r in rows(c, f"SELECT * FROM {table}")}


def noted(feeds, feed):
    with feeds.sql() as c:
        return value(c, "SELECT COUNT(*) AS n FROM ticdc_xa WHERE feed = %s",
                     feed)


def empty(feeds):
    for server in ("source", "target"):
        with feeds.sql(server, "x") as c:
            for t in "abcm":
                rows(c, f"DELETE FROM {t}")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_prepared_is_written_when_it_is_committed(feeds, how):
    empty(feeds)
    feed = feeds.create(filter_rules=["x.*"])
    feeds.start("c1")
    say(feeds, "INSERT INTO a VALUES (1, 0)")
    prepare(feeds, "one", "INSERT INTO a VALUES (2, 2)",
            "UPDATE a SET v = 1 WHERE id = 1")
    prepare(feeds, "two", "INSERT INTO b VALUES (2, 2)")
    say(feeds, "INSERT INTO c VALUES (1, 1)")
    feeds.until_at(feed)
    assert (there(feeds), there(feeds, "b")) == ({1: 0}, {})
    assert there(feeds, "c") == {1: 1}
    # one that reads on from here has neither of them in front of it
    assert noted(feeds, feed) == 2
    feeds.kill("c1", how)
    say(feeds, "XA ROLLBACK 'two'", "INSERT INTO c VALUES (2, 2)")
    feeds.start("c1")
    feeds.until_at(feed)
    assert (there(feeds), there(feeds, "b")) == ({1: 0}, {})
    say(feeds, "INSERT INTO b VALUES (2, 3)", "XA COMMIT 'one'",
        "UPDATE a SET v = v + 10")
    feeds.until_at(feed)
    assert there(feeds) == {1: 11, 2: 12}
    assert there(feeds, "b") == {2: 3}
    assert there(feeds, "c") == {1: 1, 2: 2}
    until(lambda: noted(feeds, feed) == 0, "they are forgotten")
    assert "ticdc.replace" not in feeds.log("c1")


def test_the_end_comes_while_nobody_reads(feeds):
    """Both ends and the transactions between them are read by the next one."""
    empty(feeds)
    feed = feeds.create(filter_rules=["x.*"])
    feeds.start("c1")
    prepare(feeds, "one", "INSERT INTO a VALUES (1, 1)")
    prepare(feeds, "two", "INSERT INTO b VALUES (1, 1)")
    feeds.until_at(feed)
    feeds.kill("c1")
    say(feeds, "XA COMMIT 'two'", "UPDATE b SET v = 2", "XA COMMIT 'one'",
        "DELETE FROM a", "INSERT INTO a VALUES (1, 3)")
    feeds.start("c1")
    feeds.until_at(feed)
    assert (there(feeds), there(feeds, "b")) == ({1: 3}, {1: 2})
    until(lambda: noted(feeds, feed) == 0, "they are forgotten")
    assert "ticdc.replace" not in feeds.log("c1")


def test_another_capture_takes_a_table_over_meanwhile(feeds):
    empty(feeds)
    feed = feeds.create(filter_rules=["x.*"])
    feeds.start("c1")
    say(feeds, "INSERT INTO a VALUES (1, 0)")
    prepare(feeds, "one", "UPDATE a SET v = 1", "INSERT INTO c VALUES (1, 1)")
    feeds.until_at(feed)
    feeds.start("c2")
    until(lambda: feeds.kill("c1", signal.SIGTERM) == 0, "it has ended")
    say(feeds, "INSERT INTO b VALUES (1, 1)")
    feeds.until_at(feed)
    assert (there(feeds), there(feeds, "c")) == ({1: 0}, {})
    say(feeds, "XA COMMIT 'one'")
    feeds.until_at(feed)
    assert (there(feeds), there(feeds, "c")) == ({1: 1}, {1: 1})


def test_what_was_noted_of_one_that_is_read_again_goes(feeds):
    """Another stream, which was further, has noted that it is prepared; the
    one that goes on in front of that reads it and its end at once."""
    empty(feeds)
    feed = feeds.create(filter_rules=["x.*"])
    feeds.start("c1")
    feeds.until_at(feed)
    feeds.turn(feed, "stopped")
    with feeds.sql() as c, feeds.sql("source", None) as s, feeds.sql(
            "source", "x") as x:
        until(lambda: not value(c, "SELECT COUNT(*) AS n FROM ticdc_work"
                                " WHERE feed = %s", feed), "it stands")
        before = value(s, "SELECT @@GLOBAL.gtid_binlog_pos AS g")
        for sql in ("XA START 'again'", "INSERT INTO a VALUES (50, 1)",
                    "XA END 'again'", "XA PREPARE 'again'"):
            rows(x, sql)
        prepared = value(s, "SELECT @@GLOBAL.gtid_binlog_pos AS g")
        rows(x, "XA COMMIT 'again'")
        rows(c, "INSERT INTO ticdc_xa (feed, prepared, before_gtid, ended)"
             " VALUES (%s, %s, %s, '')", feed, prepared, before)
    feeds.turn(feed, "normal")
    feeds.until_at(feed)
    assert there(feeds) == {50: 1}
    until(lambda: noted(feeds, feed) == 0, "nothing is noted of it")


def test_a_statement_between_the_two(feeds):
    """The tables that the statement is about are others then; their rows that
    were written already come no second time."""
    empty(feeds)
    feed = feeds.create(filter_rules=["x.*"])
    feeds.start("c1")
    prepare(feeds, "one", "INSERT INTO a VALUES (1, 1)")
    say(feeds, "INSERT INTO b VALUES (1, 1)", "RENAME TABLE b TO d",
        "INSERT INTO d VALUES (2, 2)", "RENAME TABLE d TO b",
        "ALTER TABLE b ADD COLUMN w INT", "ALTER TABLE b DROP COLUMN w")
    feeds.until_at(feed)
    feeds.kill("c1")
    feeds.start("c1")
    say(feeds, "INSERT INTO b VALUES (3, 3)")
    feeds.until_at(feed)
    assert there(feeds) == {}
    say(feeds, "XA COMMIT 'one'")
    feeds.until_at(feed)
    assert there(feeds) == {1: 1}
    assert there(feeds, "b") == {1: 1, 2: 2, 3: 3}
    assert set(feeds.tables(feed)) == {"", "a", "b", "c", "m"}


def test_what_was_prepared_before_the_beginning_is_told(feeds):
    """Its rows cannot be had: that it is committed is no transaction that may
    be passed over, but by who says so."""
    empty(feeds)
    prepare(feeds, "old", "INSERT INTO a VALUES (1, 1)")
    feed = feeds.create(filter_rules=["x.*"])
    feeds.start("c1")
    say(feeds, "INSERT INTO b VALUES (1, 1)")
    feeds.until_at(feed)
    say(feeds, "XA COMMIT 'old'", "INSERT INTO b VALUES (2, 2)")
    until(lambda: feeds.feed(feed)["state"] == "failed", "it has failed")
    row = feeds.feed(feed)
    assert row["error_code"] == "CDC:ErrChangefeedUnretryable"
    assert "X'" + b"old".hex() in row["error_message"]
    assert there(feeds, "b") == {1: 1}
    ts = int(row["error_message"].partition("commit_ts ")[2].split(",")[0])
    with feeds.sql() as c:
        rows(c, "UPDATE ticdc_changefeed SET config = %s WHERE feed = %s",
             feeds.seal("ticdc_changefeed", feed, "config", json.dumps(
                 {"filter_rules": ["x.*"], "ignore_txn_start_ts": [ts]})),
             feed)
    feeds.turn(feed, "normal")
    feeds.until_at(feed)
    assert (there(feeds), set(there(feeds, "b"))) == ({}, {1, 2})


def test_what_is_rolled_back_to_a_savepoint_is_not_there(feeds):
    """With a table that knows no transactions in between, the log has all of
    it and says that a part was taken back."""
    empty(feeds)
    feed = feeds.create(filter_rules=["x.*"])
    feeds.start("c1")
    say(feeds, "START TRANSACTION", "INSERT INTO a VALUES (1, 1)",
        "SAVEPOINT s", "INSERT INTO a VALUES (2, 2)",
        "INSERT INTO m VALUES (1, 1)", "SAVEPOINT t",
        "INSERT INTO a VALUES (3, 3)", "ROLLBACK TO T",
        "INSERT INTO a VALUES (4, 4)", "ROLLBACK TO s",
        "INSERT INTO a VALUES (5, 5)", "COMMIT",
        "START TRANSACTION", "INSERT INTO b VALUES (1, 1)",
        "CREATE TEMPORARY TABLE tmp (id INT) ENGINE = InnoDB",
        "SAVEPOINT s", "INSERT INTO b VALUES (2, 2)",
        "INSERT INTO m VALUES (2, 2)", "ROLLBACK TO s", "COMMIT",
        "START TRANSACTION", "INSERT INTO c VALUES (1, 1)",
        "INSERT INTO m VALUES (3, 3)", "ROLLBACK")
    feeds.until_at(feed)
    for table in "abcm":
        assert there(feeds, table) == there(feeds, table, "source"), table
    assert there(feeds) == {1: 1, 5: 5}
