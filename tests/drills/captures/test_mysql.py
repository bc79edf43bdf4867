"""A MySQL 5.6 as the source: sets of UUIDs as positions, and a log that does
not say what columns are called."""

import random
import signal

import pytest

from support import kinds
from support.feeds import content, now_tso
from support.store import rows, value
from support.waiting import until
from support.workload import Changes, Writers

ROUNDS = 10
pytestmark = pytest.mark.limit(3600)


@pytest.fixture(autouse=True)
def no_reports(old):
    yield
    assert old.reports() == ""
    for name in list(old.captures):
        old.kill(name)
    for feed in range(1, old.next_feed):
        old.turn(feed, "stopped")


def shown(found):
    """Values alone: the two servers do not describe columns alike."""
    return {name: rows_ for name, (_, rows_) in found.items()}


def equal(old, feed, schema):
    old.until_at(feed, timeout=120)
    with old.sql("source", None) as s, old.sql("target", None) as t:
        left, right = shown(content(s, schema)), shown(content(t, schema))
        assert left.keys() == right.keys()
        for name in left:
            assert left[name] == right[name], name


def test_every_type_arrives_as_it_is(old):
    for server in ("source", "target"):
        with old.sql(server, None) as c:
            kinds.make(c, "kinds", kinds.NEWER)
    feed = old.create(filter_rules=["kinds.*"], force_replicate=True)
    with old.sql("source", "kinds") as c:
        kinds.fill(c, kinds.NEWER)
    old.start("c1")
    equal(old, feed, "kinds")
    assert "ticdc.replace" not in old.log("c1")


def test_it_goes_on_from_a_set_of_uuids(old):
    """Behind what was written, also when a table has been changed since."""
    with old.sql("source", None) as c:
        rows(c, "CREATE DATABASE resumed")
    with old.sql("target", None) as c:
        rows(c, "CREATE DATABASE resumed")
    feed = old.create(filter_rules=["resumed.*"])
    old.start("c1")
    with old.sql("source", "resumed") as c:
        rows(c, "CREATE TABLE t (id INT PRIMARY KEY, a INT UNSIGNED)")
        rows(c, "CREATE TABLE u (id INT PRIMARY KEY, a INT)")
        rows(c, "INSERT INTO t VALUES (1, 4294967295)")
        rows(c, "INSERT INTO u VALUES (1, 1)")
    equal(old, feed, "resumed")
    assert ":" in old.feed(feed)["gtid"]
    for how in (signal.SIGKILL, signal.SIGTERM):
        old.kill("c1", how)
        with old.sql("source", "resumed") as c:
            # of which nothing can be known but how it is now
            rows(c, "ALTER TABLE u CHANGE a b BIGINT, ADD c VARCHAR(9)"
                 if how == signal.SIGKILL else "ALTER TABLE u DROP c")
            rows(c, "INSERT INTO u (id, b) VALUES (%s, -1)", how + 10)
            rows(c, "INSERT INTO t VALUES (%s, 3000000000)", how + 10)
        old.start("c1")
        equal(old, feed, "resumed")
    assert "ticdc.replace" not in old.log("c1")


def test_a_table_whose_columns_nobody_knows_is_told(old):
    """Rows in front of a statement that has changed their table, met by one
    who has not seen it before."""
    for server in ("source", "target"):
        with old.sql(server, None) as c:
            rows(c, "CREATE DATABASE lost")
            rows(c, "CREATE TABLE lost.t (id INT PRIMARY KEY, a INT)")
            rows(c, "CREATE TABLE lost.u (id INT PRIMARY KEY, a INT)")
    feed = old.create(filter_rules=["lost.*"])
    with old.sql("source", "lost") as c:
        rows(c, "INSERT INTO u VALUES (1, 1)")
        rows(c, "INSERT INTO t VALUES (1, 1)")
        rows(c, "ALTER TABLE t CHANGE a b INT")
    old.start("c1")
    until(lambda: old.feed(feed)["state"] == "failed", "it has failed")
    row = old.feed(feed)
    assert row["error_code"] == "CDC:ErrSchemaSnapshotNotFound"
    assert "lost.t" in row["error_message"]
    assert value(old.sql("target", "lost"), "SELECT COUNT(*) AS n FROM u") == 1


def test_what_is_before_the_beginning_need_not_be_known(old):
    """Rows of before start_ts, of a table that has been changed since."""
    with old.sql("source", None) as c:
        rows(c, "CREATE DATABASE early")
        rows(c, "CREATE TABLE early.t (id INT PRIMARY KEY, a INT)")
        first = value(c, "SELECT @@GLOBAL.gtid_executed AS g")
        rows(c, "INSERT INTO early.t VALUES (1, 1)")
        rows(c, "ALTER TABLE early.t CHANGE a b INT")
        rows(c, "INSERT INTO early.t VALUES (2, 2)")
        rows(c, "DO SLEEP(2)")
        begin = now_tso(c)
    with old.sql("target", None) as c:
        rows(c, "CREATE DATABASE early")
        rows(c, "CREATE TABLE early.t (id INT PRIMARY KEY, b INT)")
    feed = old.create(start_ts=begin, gtid=first, filter_rules=["early.*"])
    with old.sql() as c:
        rows(c, "UPDATE ticdc_changefeed SET anchor_ts = 0 WHERE feed = %s",
             feed)
    old.start("c1")
    with old.sql("source", "early") as c:
        rows(c, "DO SLEEP(1)")
        rows(c, "INSERT INTO t VALUES (3, 3)")
    old.until_at(feed, timeout=120)
    with old.sql("target", "early") as c:
        assert [r["id"] for r in rows(c, "SELECT id FROM t")] == [3]


def test_what_is_there_comes_first(old):
    """A snapshot of a server that does not say where one is: nobody commits
    while it begins."""
    for server in ("source", "target"):
        with old.sql(server, None) as c:
            kinds.make(c, "there", kinds.NEWER)
    with old.sql("source", "there") as c:
        kinds.fill(c, kinds.NEWER)
        rows(c, "CREATE TABLE changed (id INT PRIMARY KEY, n INT)")
        rows(c, "INSERT INTO changed SELECT ordinal_position, 0"
             " FROM information_schema.columns GROUP BY 1")
    with old.sql("target", "there") as c:
        rows(c, "CREATE TABLE changed (id INT PRIMARY KEY, n INT)")
    feed = old.create(filter_rules=["there.*"], force_replicate=True,
                      initial_snapshot=True)
    with Changes(old, "there.changed", 3):
        old.start("c1")
        until(lambda: "ticdc.stream " in old.log("c1") or old.feed(feed)[
            "checkpoint_ts"] > old.feed(feed)["start_ts"] + 2, "it goes on",
              timeout=120)
    equal(old, feed, "there")


def test_everything_arrives_once_whatever_dies(old):
    r = random.Random(1)
    feed = old.create(filter_rules=["chaos.*"])
    old.start("c1", "c2")
    writers = Writers(old.source, "chaos", 1, statements=False)
    writers.make()
    writers.start()
    try:
        for _ in range(ROUNDS):
            done = writers.committed
            until(lambda: writers.committed > done + 60, "writers get on")
            what = r.choice(("c1", "c2", "store", "source", "target"))
            if what in ("c1", "c2"):
                old.kill(what)
                old.start(what)
            else:
                server = getattr(old, what)
                server.kill()
                server.start()
    finally:
        writers.end()
    equal(old, feed, "chaos")
    for name in ("c1", "c2"):
        assert "ticdc.replace" not in old.log(name)
