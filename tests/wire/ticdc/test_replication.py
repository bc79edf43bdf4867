"""Captures with a source and a target: what is written to the one is in the
other, once, whatever dies meanwhile."""

import os
import random
import signal

import pytest

from support import kinds, nets
from support.feeds import Feeds, content
from support.store import rows, value
from support.waiting import until
from support.workload import Writers

ROUNDS = int(os.environ.get("METAGATE_DRILL_ROUNDS", "5"))
SEED = int(os.environ.get("METAGATE_DRILL_SEED", "1"))
LARGE = ["--max-allowed-packet=128M", "--innodb-log-file-size=512M"]


@pytest.fixture(scope="module")
def feeds():
    net, fd = nets.claim()
    with Feeds(net, source_settings=LARGE, target_settings=LARGE) as f:
        yield f
    os.close(fd)


@pytest.fixture(autouse=True)
def no_reports(feeds):
    yield
    assert feeds.reports() == ""
    for name in list(feeds.captures):
        feeds.kill(name)


def equal(feeds, feed, schema):
    feeds.until_at(feed)
    with feeds.sql("source", None) as s, feeds.sql("target", None) as t:
        left, right = content(s, schema), content(t, schema)
        assert left.keys() == right.keys()
        for name in left:
            assert left[name] == right[name], name


def test_rows_and_statements_arrive(feeds):
    with feeds.sql("source", None) as c:
        rows(c, "CREATE DATABASE first")
        feed = feeds.create(filter_rules=["first.*"])
        rows(c, "CREATE TABLE first.t (id INT PRIMARY KEY, v INT)")
        rows(c, "CREATE TABLE first.nokey (v INT)")
        rows(c, "INSERT INTO first.t VALUES (1, 1), (2, 2), (3, 3)")
    with feeds.sql("target", None) as t:
        rows(t, "CREATE DATABASE first")
    feeds.start("c1")
    with feeds.sql("source", None) as c:
        rows(c, "UPDATE first.t SET id = id + 10 ORDER BY id DESC")
        rows(c, "INSERT INTO first.nokey VALUES (1)")
        rows(c, "RENAME TABLE first.t TO first.u")
        rows(c, "DELETE FROM first.u WHERE id = 12")
    feeds.until_at(feed)
    with feeds.sql("target", None) as t:
        assert [r["id"] for r in rows(
            t, "SELECT id FROM first.u ORDER BY id")] == [11, 13]
        # without a key its rows are passed over
        assert value(t, "SELECT COUNT(*) AS n FROM first.nokey") == 0


def test_a_capture_logs_as_it_was_told(feeds):
    feeds.start("c1")
    pid = feeds.captures["c1"].pid  # one that was killed has a row a while
    for level in "debug", "error":
        with feeds.sql() as c:
            until(lambda: value(c, "SELECT COUNT(*) AS n FROM ticdc_capture"
                                " WHERE pid = %s", pid) == 1, "it is enrolled")
            rows(c, "UPDATE ticdc_capture SET log_level = %s WHERE pid = %s",
                 level, pid)
        until(lambda: f"ticdc.capture.log_level level={level}"
              in feeds.log("c1"), f"it logs {level}")


def test_every_type_arrives_as_it_is(feeds):
    """Inserted, changed and deleted by a key of that type, where it can be
    one; else by all columns."""
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            kinds.make(c, "kinds")
    feed = feeds.create(filter_rules=["kinds.*"], force_replicate=True)
    with feeds.sql("source", "kinds") as c:
        kinds.fill(c)
    feeds.start("c1")
    equal(feeds, feed, "kinds")
    assert "ticdc.replace" not in feeds.log("c1")


def test_a_source_that_is_gone_is_the_changefeeds_error(feeds):
    """Told with its words and when it is tried again; then it goes on."""
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            rows(c, "CREATE DATABASE gone")
            rows(c, "CREATE TABLE gone.t (id INT PRIMARY KEY)")
    feed = feeds.create(filter_rules=["gone.*"])
    feeds.start("c1")
    feeds.until_at(feed)
    feeds.source.kill()
    try:
        until(lambda: feeds.feed(feed)["state"] == "pending", "it is told",
              timeout=90)
        row = feeds.feed(feed)
        assert "(2002)" in row["error_message"], row
        assert row["again_ms"] > row["error_ms"] > 0, row
    finally:
        feeds.source.start()
    with feeds.sql("source", None) as c:
        rows(c, "INSERT INTO gone.t VALUES (1)")
    feeds.until_at(feed, timeout=120)
    with feeds.sql("target", "gone") as t:
        assert value(t, "SELECT COUNT(*) AS n FROM t") == 1
    assert feeds.feed(feed)["state"] == "normal"


MANY = 1000000 if ROUNDS > 5 else 60000


def test_what_is_large_passes_within_the_quota(feeds):
    """A transaction of many rows, and a row of 40 MB, by a quota that has
    room for neither."""
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            rows(c, "CREATE DATABASE large")
            rows(c, "CREATE TABLE large.t (id INT PRIMARY KEY, v CHAR(200))")
            rows(c, "CREATE TABLE large.b (id INT PRIMARY KEY, v LONGBLOB)")
    feed = feeds.create(filter_rules=["large.*"], memory_quota=16 << 20)
    with feeds.sql("source", "large") as c:
        rows(c, "INSERT INTO t SELECT seq, seq FROM"
             f" seq_1_to_{MANY}".replace("%", "%%"))
        rows(c, "INSERT INTO b VALUES (1, REPEAT(X'00FF', 20971520))")
        rows(c, "INSERT INTO t VALUES (0, 'last')")
    feeds.start("c1")
    feeds.until_at(feed, timeout=200)
    for table in ("t", "b"):
        both = [value(feeds.sql(s, "large"), "SELECT CONCAT(COUNT(*), '-',"
                      f" SUM(CRC32(CONCAT(id, v)))) AS n FROM {table}")
                for s in ("source", "target")]
        assert both[0] == both[1]
    feeds.kill("c1", signal.SIGTERM)
    most = max(int(line.partition("most=")[2].split()[0])
               for line in feeds.log("c1").splitlines()
               if f"ticdc.stream feed={feed} " in line)
    assert 0 < most <= 16 << 20
    spilled = sum(int(line.partition("spilled=")[2].split()[0])
                  for line in feeds.log("c1").splitlines()
                  if f"ticdc.stream feed={feed} " in line)
    assert spilled > 40 << 20


def test_tables_are_shared_moved_and_given_away(feeds):
    """Two captures; a table that is wished to the other one goes there while
    it is written, and all of them when a capture ends in order."""
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            rows(c, "CREATE DATABASE shared")
            for i in range(4):
                rows(c, f"CREATE TABLE shared.t{i} (id INT PRIMARY KEY"
                     " AUTO_INCREMENT, v INT)")
    feed = feeds.create(filter_rules=["shared.*"])
    feeds.start("c1", "c2")

    def placed():
        """Who writes what; "" is the span of the statements, which counts in
        the balance as a table does."""
        found = {n: w for n, (s, w) in feeds.tables(feed).items()
                 if s == "replicating"}
        return found if len(found) == 5 else None

    def write():
        with feeds.sql("source", "shared") as c:
            for i in range(4):
                rows(c, f"INSERT INTO t{i} (v) VALUES (1), (2), (3)")
                rows(c, f"UPDATE t{i} SET v = v + 1")

    until(placed, "tables are given out")
    write()
    with feeds.sql() as c:
        rows(c, "UPDATE ticdc_changefeed SET rebalance = 1 WHERE feed = %s",
             feed)
    until(lambda: placed() and sorted(
        list(placed().values()).count(c) for c in ("c1", "c2")) == [2, 3],
          "both write, and nothing is on its way any more")
    write()
    # of who has three: two are as well balanced as three, and it stays there
    before = placed()
    held = list(before.values())
    most = max("c1", "c2", key=held.count)
    other = {"c1": "c2", "c2": "c1"}[most]
    moved = next(t for t, capture in sorted(before.items())
                 if capture == most and t)
    with feeds.sql() as c:
        rows(c, "INSERT INTO ticdc_move (feed, table_id, capture_id, pending,"
             " outcome, asked_ms, decided_ms) SELECT t.feed, t.table_id,"
             " k.capture_id, 1, 'pending', 0, 0 FROM ticdc_table t"
             " JOIN ticdc_capture k ON k.name = %s WHERE t.feed = %s"
             " AND t.table_name = %s", other, feed, moved)
    write()
    until(lambda: placed() and placed()[moved] == other, "it has moved")
    write()
    equal(feeds, feed, "shared")
    assert feeds.kill("c1", signal.SIGTERM) == 0
    until(lambda: placed() and set(placed().values()) == {"c2"}, "c2 has all")
    write()
    equal(feeds, feed, "shared")
    assert "ticdc.replace" not in feeds.log("c1") + feeds.log("c2")


def test_numbers_go_on_behind_those_of_a_table_that_was_further(feeds):
    """Another capture's clock may have been ahead: what comes behind its table
    gets greater numbers, and where the clock stands then is stored first. Until
    something comes nobody is told of that time. Here it is an hour ahead."""
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            rows(c, "CREATE DATABASE ahead")
            rows(c, "CREATE TABLE ahead.t (id INT PRIMARY KEY)")
            rows(c, "CREATE TABLE ahead.u (id INT PRIMARY KEY)")
    feed = feeds.create(filter_rules=["ahead.*"])
    feeds.start("c1")
    feeds.until_at(feed)
    feeds.turn(feed, "stopped")
    with feeds.sql() as c:
        until(lambda: not value(c, "SELECT COUNT(*) AS n FROM ticdc_work"
                                " WHERE feed = %s", feed), "it stands")
        stood = feeds.feed(feed)["checkpoint_ts"]
        far = stood + (3600000 << 18)
        rows(c, "UPDATE ticdc_table SET checkpoint_ts = %s WHERE feed = %s"
             " AND table_name = 'u'", far, feed)
    feeds.turn(feed, "normal")
    until(lambda: feeds.feed(feed)["checkpoint_ts"] > stood, "it goes on")
    assert feeds.feed(feed)["checkpoint_ts"] < far
    with feeds.sql("source", "ahead") as c:
        rows(c, "INSERT INTO t VALUES (1)")
    with feeds.sql("target", None) as c:
        until(lambda: value(c, "SELECT COUNT(*) AS n FROM ahead.t"), "it comes")
        assert value(c, "SELECT MIN(commit_ts) AS n FROM tidb_cdc"
                     ".metagate_checkpoint_v1 WHERE feed = %s"
                     " AND commit_ts > 0", feed) > far
    with feeds.sql() as c:
        assert value(c, "SELECT MIN(checkpoint_ts) AS n FROM ticdc_work"
                     " WHERE feed = %s", feed) >= far


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_connections_write_as_there_are_workers(feeds, workers):
    """Of what has waited, each transaction goes over the next one; those that
    change the same rows as well, one behind the other."""
    schema = f"wide{workers}"
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            rows(c, f"CREATE DATABASE {schema}")
            rows(c, f"CREATE TABLE {schema}.t (id INT PRIMARY KEY, n INT)")
            if server == "target":
                rows(c, f"GRANT ALL ON *.* TO {schema} IDENTIFIED BY 'pa:ss'")
    uri = feeds.target_uri(**{"worker-count": workers, "max-txn-row": 1})
    feed = feeds.create(uri.replace("repl", schema, 1),
                        filter_rules=[f"{schema}.*"])
    with feeds.sql("source", schema) as c:
        for i in range(600):
            rows(c, "REPLACE INTO t VALUES (%s, %s)", i % 200, i)
    feeds.start("c1")
    feeds.until_at(feed)
    equal(feeds, feed, schema)
    with feeds.sql("target", None) as t:
        assert value(t, "SELECT COUNT(*) AS n FROM information_schema"
                     ".processlist WHERE user = %s", schema) == workers


def test_everything_arrives_once_whatever_dies(feeds):
    """Captures, the owner among them, and all three servers are killed while
    writers are at work."""
    r = random.Random(SEED)
    writers = Writers(feeds.source, "chaos", SEED)
    writers.make()
    with feeds.sql("target", None) as t:
        rows(t, "CREATE DATABASE chaos")
    # the tables that are there already come as they were made
    feed = feeds.create(gtid="", start_ts=1 << 18, filter_rules=["chaos.*"])
    with feeds.sql("target", None) as t:
        rows(t, "DROP DATABASE chaos")
    feeds.start("c1", "c2")
    writers.start()
    try:
        for _ in range(ROUNDS):
            done = writers.committed
            until(lambda: writers.committed > done + 60, "writers get on")
            what = r.choice(("c1", "c2", "both", "store", "source", "target",
                             "pause", "term"))
            if what in ("c1", "c2", "both"):
                names = ("c1", "c2") if what == "both" else (what,)
                for name in names:
                    feeds.kill(name)
                feeds.start(*names)
            elif what == "term":
                name = r.choice(("c1", "c2"))
                assert feeds.kill(name, signal.SIGTERM) == 0
                feeds.start(name)
            elif what == "pause":
                feeds.turn(feed, "stopped")
                feeds.turn(feed, "normal")
            else:
                server = getattr(feeds, what)
                server.kill()
                server.start()
    finally:
        writers.end()
    equal(feeds, feed, "chaos")
    for name in ("c1", "c2"):
        assert "ticdc.replace" not in feeds.log(name)
