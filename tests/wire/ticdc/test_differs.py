"""A target that has not what was written to it, and a changefeed that is to
write again what it has written."""

# pylint: disable=unused-import
from support.store import rows, value
from support.waiting import until
from wire.ticdc.test_replication import (  # noqa: F401
    equal, feeds, no_reports)


def test_a_target_that_differs_is_put_right(feeds):
    """Rows that are missing, and one that is there already, among many that
    leave together."""
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            rows(c, "CREATE DATABASE differs")
            rows(c, "CREATE TABLE differs.t (id INT PRIMARY KEY, u INT UNIQUE,"
                 " v INT)")
    feed = feeds.create(filter_rules=["differs.*"])
    feeds.start("c1")
    with feeds.sql("source", "differs") as c:
        rows(c, "INSERT INTO t VALUES " + ",".join(
            f"({i}, {1000 + i}, 0)" for i in range(600)))
    equal(feeds, feed, "differs")
    with feeds.sql("target", "differs") as c:
        rows(c, "DELETE FROM t WHERE id IN (7, 300)")
        rows(c, "INSERT INTO t VALUES (700, 1800, 0)")
    with feeds.sql("source", "differs") as c:
        rows(c, "UPDATE t SET v = 1")
    feeds.until_at(feed)
    with feeds.sql("source", "differs") as s, \
            feeds.sql("target", "differs") as t:
        query = "SELECT id, u, v FROM t ORDER BY id"
        assert [tuple(r.values()) for r in rows(t, query)] \
            == [tuple(r.values()) for r in rows(s, query)] \
            + [(700, 1800, 0)]
    with feeds.sql("source", "differs") as c:
        rows(c, "INSERT INTO t VALUES " + ",".join(
            f"({i}, {1100 + i}, 0)" for i in range(650, 720)))
    equal(feeds, feed, "differs")
    assert feeds.log("c1").count("ticdc.replace") >= 2


def test_a_changefeed_that_is_set_back_writes_again(feeds):
    """What the target has noted of it counts no more."""
    for server in ("source", "target"):
        with feeds.sql(server, None) as c:
            rows(c, "CREATE DATABASE again")
            rows(c, "CREATE TABLE again.t (id INT PRIMARY KEY)")
    feed = feeds.create(filter_rules=["again.*"])
    feeds.start("c1")
    with feeds.sql("source", "again") as c:
        rows(c, "INSERT INTO t VALUES (1), (2), (3)")
        feeds.until_at(feed)
        back = feeds.feed(feed)
        rows(c, "INSERT INTO t VALUES (4), (5), (6)")
    equal(feeds, feed, "again")
    feeds.turn(feed, "stopped")
    with feeds.sql() as c:
        until(lambda: not value(c, "SELECT COUNT(*) FROM ticdc_work"
                                " WHERE feed = %s", feed), "it has stopped")
    with feeds.sql("target", "again") as c:
        rows(c, "DELETE FROM t WHERE id IN (2, 5)")
    feeds.rewind(feed, back["gtid"], back["checkpoint_ts"])
    feeds.turn(feed, "normal")
    feeds.until_at(feed)
    with feeds.sql("target", "again") as c:
        assert [r["id"] for r in rows(c, "SELECT id FROM t ORDER BY id")] \
            == [1, 3, 4, 5, 6]
