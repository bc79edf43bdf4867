"""Captures, their owner and their tables, as the interface reads them: rows
that a test has written, in a deployment whose own captures are taken out."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.store import rows, value
from support.ticdc import Ticdc, refused

pytestmark = pytest.mark.fault

FAR = 4 * 10 ** 12
C1, C2 = ("11111111-1111-4111-8111-111111111111",
          "22222222-2222-4222-8222-222222222222")


class Nodes:
    def __init__(self, deployment, sql):
        self.sql = sql
        for name in "c1", "c2":  # there may be none
            deployment.command("stop", f"capture-{name}", check=False)
        for table in ("capture", "work", "table", "report", "move"):
            self.do(f"DELETE FROM ticdc_{table}")
        self.do("DELETE FROM lease WHERE name = 'ticdc.owner'")
        self.do("UPDATE ticdc_owner SET epoch = 0, capture_id = '',"
                " ready_epoch = 0, resign_epoch = 0")

    def do(self, statement, *values):
        with self.sql.cursor() as cursor:
            cursor.execute(statement, values)

    def capture(self, capture_id, name, expires=FAR):
        self.do("INSERT INTO ticdc_capture VALUES (%s, %s, %s, %s, 'v1', 'abc',"
                " 77, 5, 0, '', %s)", capture_id, name, f"{name}@h",
                f"127.0.0.1:830{name[1]}", expires)

    def owner(self, capture_id, epoch=7, ready=7, expires=FAR):
        self.do("REPLACE INTO lease VALUES ('ticdc.owner', 'x', %s, %s)",
                epoch, expires)
        self.do("UPDATE ticdc_owner SET epoch = %s, capture_id = %s,"
                " ready_epoch = %s", epoch, capture_id, ready)

    def table(self, feed, table_id, capture_id):
        self.do("INSERT INTO ticdc_table (feed, table_id, schema_name,"
                " table_name, state, writer, next_writer, order_no,"
                " writer_term, next_term, checkpoint_ts, dropped)"
                " SELECT feed, %s, 's', 't', 'replicating', %s, '', 1, 1, 0, 1,"
                " 0 FROM ticdc_changefeed WHERE id = %s",
                table_id, capture_id, feed)


@pytest.fixture
def nodes(deployment, sql):
    return Nodes(deployment, sql)


@pytest.fixture
def two(nodes):
    nodes.capture(C1, "c1")
    nodes.capture(C2, "c2")
    nodes.owner(C1)
    return nodes


def test_without_captures_the_interface_says_who_is_missing(ticdc, nodes,
                                                            feed):
    for path in "health", "captures":
        refused(ticdc.get(path), 500, "CDC:ErrOwnerNotFound",
                "owner not found")
    refused(ticdc.put("captures/drain", {"capture_id": C1}), 500,
            "CDC:ErrOwnerNotFound")
    for r in (ticdc.get("status"), ticdc.get("/status"),
              ticdc.post("log", {"log_level": "info"})):
        refused(r, 503, "CDC:ErrServerIsNotReady", "cdc server is not ready")
        assert r.headers["Retry-After"]
    assert ticdc.get("processors").json == []
    assert ticdc.feed(feed)["state"] == "normal"
    r = ticdc.post("owner/resign")
    assert (r.status, r.body) == (202, b"")


def test_an_owner_is_one_who_lives_and_has_the_lease(ticdc, two):
    assert ticdc.get("captures").status == 200
    two.owner(C1, expires=1)
    assert ticdc.get("captures").status == 500
    two.owner("33333333-3333-4333-8333-333333333333")
    assert ticdc.get("captures").status == 500
    two.owner(C1)
    two.do("UPDATE ticdc_capture SET expires_ms = 1 WHERE capture_id = %s", C1)
    assert ticdc.get("captures").status == 500


def test_status_is_that_of_the_capture_of_the_address(ticdc, two, deployment):
    for capture_id, name in ((C1, "c1"), (C2, "c2")):
        asked = Ticdc(deployment, f"ticdc/{name}")
        assert asked.get("status").json == {
            "version": "v1", "git_hash": "abc", "id": capture_id, "pid": 77,
            "is_owner": capture_id == C1, "cluster_id": "default",
            "liveness": 0}
        assert asked.get("/status").json == asked.get("status").json
    younger = "44444444-4444-4444-8444-444444444444"
    two.capture(younger, "c1")
    two.do("UPDATE ticdc_capture SET started_ms = 6 WHERE capture_id = %s",
           younger)
    assert ticdc.get("status").json["id"] == younger


def test_captures_are_listed_with_exactly_one_owner(ticdc, two):
    two.capture("55555555-5555-4555-8555-555555555555", "c3", expires=1)
    assert ticdc.get("captures").json == [
        {"id": C1, "is_owner": True, "address": "127.0.0.1:8301",
         "cluster_id": "default"},
        {"id": C2, "is_owner": False, "address": "127.0.0.1:8302",
         "cluster_id": "default"}]


def test_health_is_an_owner_who_has_looked_at_every_changefeed(ticdc, two,
                                                               feed):
    two.do("UPDATE ticdc_changefeed SET changed_ms = %s WHERE id = %s", FAR,
           feed)  # what was just created is waited for
    r = ticdc.get("health")
    assert (r.status, r.body) == (200, b"")
    two.owner(C1, ready=6)
    refused(ticdc.get("health"), 500, "CDC:ErrClusterIsUnhealthy",
            "not yet looked at every")
    two.owner(C1)
    two.do("UPDATE ticdc_changefeed SET changed_ms = 1 WHERE id = %s", feed)
    refused(ticdc.get("health"), 500, "CDC:ErrClusterIsUnhealthy", feed)
    two.do("UPDATE ticdc_changefeed SET scheduled_epoch = epoch"
           " WHERE id = %s", feed)
    assert ticdc.get("health").status == 200
    two.do("UPDATE ticdc_changefeed SET scheduled_epoch = 0, state = 'failed'"
           " WHERE id = %s", feed)
    assert ticdc.get("health").status == 200


def test_the_log_level_is_that_of_one_capture(ticdc, two):
    for said, stored in (("DEBUG", "debug"), ("", "info"), ("warn", "warn"),
                         ("dpanic", "error"), ("Fatal", "error")):
        r = ticdc.post("log", {"log_level": said})
        assert (r.status, r.body) == (200, b"")
        assert rows(two.sql, "SELECT log_level FROM ticdc_capture"
                    " ORDER BY capture_id") == [
            {"log_level": stored}, {"log_level": ""}]
    refused(ticdc.post("log", {"log_level": "loud"}), 400,
            "CDC:ErrAPIInvalidParam", "fail to change log level: loud")
    for body in b"", b"[", b"1", {"log_level": 1}, {"log_level": "x" * 65}:
        refused(ticdc.post("log", body), 400, "CDC:ErrAPIInvalidParam",
                "invalid log level: ")


def test_the_log_level_has_an_older_name(deployment, two):
    """Whose body is the level alone."""
    old = Ticdc(deployment, prefix="/admin")
    r = old.post("log", b'"DEBUG"')
    assert (r.status, r.body) == (200, b"")
    assert value(two.sql, "SELECT MIN(log_level) AS v FROM ticdc_capture"
                 " WHERE log_level <> ''") == "debug"
    refused(old.post("log", b'"loud"'), 400, "CDC:ErrAPIInvalidParam",
            "fail to change log level: loud")
    for body in b"", b"info", b"1", b'{"log_level": "info"}':
        refused(old.post("log", body), 400, "CDC:ErrAPIInvalidParam",
                "invalid log level: ")


def test_every_capture_works_for_every_changefeed_that_runs(ticdc, two, feed):
    two.table(feed, 0, C1)  # that of DDL is nobody's business
    two.table(feed, 5, C1)
    two.table(feed, 2 ** 63 - 1, C1)
    assert ticdc.get("processors").json == [
        {"namespace": "default", "changefeed_id": feed, "capture_id": c}
        for c in (C1, C2)]
    assert ticdc.feed(feed)["task_status"] == [
        {"capture_id": C1, "table_ids": [5, 2 ** 63 - 1],
         "table_operations": {}}]
    shown = ticdc.feed(feed)
    at = {"checkpoint_ts": shown["checkpoint_tso"],
          "resolved_ts": shown["resolved_ts"]}
    assert ticdc.get(f"processors/{feed}/{C1}").json == {
        **at, "table_ids": [5, 2 ** 63 - 1], "error": None, "count": 2}
    assert ticdc.get(f"processors/{feed}/{C2}").json == {
        **at, "table_ids": [], "error": None, "count": 0}
    two.do("INSERT INTO ticdc_work (feed, capture_id, epoch, since_ms,"
           " checkpoint_ts, resolved_ts) SELECT feed, %s, epoch, 1, 8,"
           " 18446744073709551615 FROM ticdc_changefeed WHERE id = %s",
           C1, feed)
    shown = ticdc.get(f"processors/{feed}/{C1}").json
    assert (shown["checkpoint_ts"], shown["resolved_ts"]) == (8, 2 ** 64 - 1)


def test_a_processor_is_refused_in_order(ticdc, two, feed, fresh):
    nobody = fresh("n")
    refused(ticdc.get(f"processors/a_b/{C1}"), 400, "CDC:ErrAPIInvalidParam",
            "invalid changefeed_id: a_b")
    refused(ticdc.get(f"processors/{nobody}/a_b"), 400,
            "CDC:ErrAPIInvalidParam", "invalid capture_id: a_b")
    refused(ticdc.get(f"processors/{nobody}/{C1}"), 400,
            "CDC:ErrChangeFeedNotExists")
    refused(ticdc.get(f"processors/{feed}/{nobody}"), 400,
            "CDC:ErrCaptureNotExist", f"capture not exists, {nobody}")
    ticdc.post(f"changefeeds/{feed}/pause")
    r = ticdc.get(f"processors/{feed}/{nobody}")
    refused(r, 400, "CDC:ErrAPIInvalidParam",
            "changefeed in abnormal state: stopped, can't get processors")
    assert ticdc.get("processors").json == []


def test_a_capture_is_drained_once_and_for_all(ticdc, two, feed):
    two.table(feed, 5, C2)
    two.table(feed, 6, C2)
    refused(ticdc.put("captures/drain", {"capture_id": "a_b"}), 400,
            "CDC:ErrAPIInvalidParam")
    refused(ticdc.put("captures/drain", {"capture_id": "nobody"}), 400,
            "CDC:ErrCaptureNotExist")
    refused(ticdc.put("captures/drain", {"capture_id": C1}), 400,
            "CDC:ErrSchedulerRequestFailed", "cannot drain the owner")
    r = ticdc.put("captures/drain", {"capture_id": C2})
    assert (r.status, r.json) == (202, {"current_table_count": 2})
    two.do("DELETE FROM ticdc_table WHERE table_id = 5")
    r = ticdc.put("captures/drain", {"capture_id": C2})
    assert (r.status, r.json) == (202, {"current_table_count": 1})
    assert value(two.sql, "SELECT liveness FROM ticdc_capture"
                 " WHERE capture_id = %s", C2) == 1
    two.do("DELETE FROM ticdc_capture WHERE capture_id = %s", C2)
    refused(ticdc.put("captures/drain", {"capture_id": C2}), 400,
            "CDC:ErrSchedulerRequestFailed", "only one capture alive")


def test_a_resign_is_for_the_present_owner(ticdc, two):
    r = ticdc.post("owner/resign")
    assert (r.status, r.body) == (202, b"")
    assert value(two.sql, "SELECT resign_epoch FROM ticdc_owner") == 7


def test_a_stop_that_captures_do_not_follow_is_told_so(ticdc, two, fresh):
    """Both at once: each waits for as long as a request may."""
    stopped, removed = ticdc.create(fresh("f")), ticdc.create(fresh("f"))
    two.do("INSERT INTO ticdc_work (feed, capture_id, epoch, since_ms,"
           " checkpoint_ts, resolved_ts) SELECT feed, %s, epoch, 1, 8, 8"
           " FROM ticdc_changefeed", C1)
    with ThreadPoolExecutor(2) as both:
        stop = both.submit(ticdc.post, f"changefeeds/{stopped}/pause",
                           query="wait=1")
        remove = both.submit(ticdc.delete, f"changefeeds/{removed}",
                             query="wait=true")
    refused(stop.result(), 503, "CDC:ErrReachMaxTry")
    assert ticdc.feed(stopped)["state"] == "stopped"
    refused(remove.result(), 503, "CDC:ErrChangeFeedDeletionUnfinished")
    refused(ticdc.get(f"changefeeds/{removed}"), 400,
            "CDC:ErrChangeFeedNotExists")
    ticdc.delete(f"changefeeds/{stopped}")
