"""Captures with a source and a target: what is written to the one is in the
other, once, whatever dies meanwhile."""

import os
import random
import signal

import pytest

from support import nets
from support.feeds import Feeds, content
from support.store import rows, value
from support.waiting import until
from support.workload import Writers

ROUNDS = int(os.environ.get("METAGATE_DRILL_ROUNDS", "5"))
SEED = int(os.environ.get("METAGATE_DRILL_SEED", "1"))


@pytest.fixture(scope="module")
def feeds():
    net, fd = nets.claim()
    with Feeds(net) as f:
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
