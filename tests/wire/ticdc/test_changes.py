"""Changefeeds changed, stopped, resumed and removed."""

import json

import pytest

from support import canary
from support.store import rows, value
from support.ticdc import refused

MOST = 2 ** 64 - 1
REFUSED = "CDC:ErrChangefeedUpdateRefused"


@pytest.fixture
def stopped(ticdc, feed):
    assert ticdc.post(f"changefeeds/{feed}/pause").status == 202
    return feed


def test_a_changefeed_that_runs_is_not_changed(ticdc, feed):
    """Its state comes before its body."""
    for body in b"[", {"target_ts": MOST}:
        refused(ticdc.put(f"changefeeds/{feed}", body), 400, REFUSED,
                "can only update changefeed config when it is stopped")


def test_refusals_of_a_change_come_in_order(ticdc, stopped):
    start = ticdc.feed(stopped)["start_ts"]
    bad = {"target_ts": start, "filter_rules": ["@x"],
           "sink_uri": "mysql://u:s3cr3t@127.0.0.1:1/?worker-count=0"}
    refused(ticdc.put(f"changefeeds/{stopped}", b"["), 400,
            "CDC:ErrAPIInvalidParam")
    for change, text in [
            ({}, f"can not update target-ts:{start} less than start-ts:{start}"),
            ({"target_ts": MOST}, "[CDC:ErrFilterRuleInvalid]"),
            ({"filter_rules": ["a.*"]}, "[CDC:ErrMySQLInvalidConfig]"),
            ({"sink_uri": "mysql://u:s3cr3t@127.0.0.1:1/"},
             "[CDC:ErrMySQLConnectionError]")]:
        bad = {**bad, **change}
        r = ticdc.put(f"changefeeds/{stopped}", bad)
        refused(r, 400, REFUSED, text)
        assert "s3cr3t" not in r.text
    assert ticdc.feed(stopped)["target_ts"] == 0


@pytest.mark.parametrize("body", [
    {}, {"start_ts": 0}, {"changefeed_id": "x", "force_replicate": True},
    {"target_ts": 0}, {"sink_uri": ""}, {"sink_uri": "blackhole://"}])
def test_a_change_that_changes_nothing_is_refused(ticdc, stopped, body):
    refused(ticdc.put(f"changefeeds/{stopped}", body), 400, REFUSED,
            "the same with the old one")


def test_a_change_is_there_when_its_202_is_read(ticdc, stopped, deployment):
    v2 = deployment.client("ticdc/c1", prefix="/api/v2")

    def put(**body):
        r = ticdc.put(f"changefeeds/{stopped}", body)
        assert (r.status, r.body) == (202, b""), r
        return v2.get(f"changefeeds/{stopped}").json

    assert put(target_ts=MOST)["target_ts"] == MOST
    assert put(target_ts=0)["target_ts"] == 0
    f = put(filter_rules=["a.*", "!a.b"], ignore_txn_start_ts=[MOST, 1])
    assert f["config"]["filter"] == {"rules": ["a.*", "!a.b"],
                                     "ignore_txn_start_ts": [MOST, 1]}
    f = put(filter_rules=[], ignore_txn_start_ts=[])
    assert f["config"]["filter"]["rules"] == ["*.*"]
    assert "ignore_txn_start_ts" not in f["config"]["filter"]
    assert put(sink_uri="blackhole://x?a=b")["sink_uri"] == "blackhole://x?a=b"
    refused(ticdc.put(f"changefeeds/{stopped}",
                      {"sink_uri": "blackhole://x?a=b"}), 400, REFUSED)


def test_a_masked_uri_sent_back_is_no_change(ticdc, stopped):
    uri = "blackhole://u:s3cr3tcanary@h/?token=s3cr3tcanary"
    assert ticdc.put(f"changefeeds/{stopped}",
                     {"sink_uri": uri}).status == 202
    shown = ticdc.feed(stopped)["sink_uri"]
    assert shown == "blackhole://u:xxxxx@h/?token=xxxxx"
    refused(ticdc.put(f"changefeeds/{stopped}", {"sink_uri": shown}), 400,
            REFUSED, "the same")


def test_a_dry_change_changes_nothing(ticdc, stopped):
    r = ticdc.put(f"changefeeds/{stopped}", {"target_ts": MOST},
                  query="dry_run=1")
    assert r.status == 202
    assert ticdc.feed(stopped)["target_ts"] == 0


def test_a_stop_and_a_start_each_begin_an_epoch(ticdc, feed, sql):
    def epoch():
        return value(sql, "SELECT epoch FROM ticdc_changefeed WHERE id = %s",
                     feed)

    before = epoch()
    assert ticdc.post(f"changefeeds/{feed}/pause").status == 202
    assert ticdc.feed(feed)["state"] == "stopped"
    assert epoch() == before + 1
    assert ticdc.post(f"changefeeds/{feed}/pause").status == 202  # once more
    assert epoch() == before + 1
    assert ticdc.post(f"changefeeds/{feed}/resume").status == 202
    assert ticdc.feed(feed)["state"] == "normal"
    assert epoch() == before + 2
    assert ticdc.post(f"changefeeds/{feed}/resume").status == 202
    assert epoch() == before + 2


def test_a_resume_ends_the_error(ticdc, stopped, sql):
    with sql.cursor() as cursor:
        cursor.execute("UPDATE ticdc_changefeed SET state = 'failed',"
                       " error_code = 'CDC:ErrX', tries = 3, since_ms = 1"
                       " WHERE id = %s", (stopped,))
    assert ticdc.feed(stopped)["error"]["code"] == "CDC:ErrX"
    assert ticdc.post(f"changefeeds/{stopped}/resume").status == 202
    assert ticdc.feed(stopped)["error"] is None
    assert value(sql, "SELECT tries FROM ticdc_changefeed WHERE id = %s",
                 stopped) == 0


def test_what_the_source_has_thrown_away_is_no_place_to_go_on(
        ticdc, stopped, sql):
    with sql.cursor() as cursor:  # of a domain that it never had
        cursor.execute("UPDATE ticdc_changefeed SET gtid = '77-1-5'"
                       " WHERE id = %s", (stopped,))
    refused(ticdc.post(f"changefeeds/{stopped}/resume"), 400,
            "CDC:ErrSnapshotLostByGC")
    assert ticdc.feed(stopped)["state"] == "stopped"


def test_a_stop_is_waited_for(ticdc, feed, sql):
    r = ticdc.post(f"changefeeds/{feed}/pause", query="wait=1")
    assert (r.status, r.body) == (202, b"")
    assert rows(sql, "SELECT w.* FROM ticdc_work w JOIN ticdc_changefeed f"
                " ON f.feed = w.feed WHERE f.id = %s", feed) == []


def test_what_is_removed_is_gone_and_its_id_free(ticdc, fresh, sql):
    name = ticdc.create(fresh("f"))
    number = value(sql, "SELECT feed FROM ticdc_changefeed WHERE id = %s", name)
    ticdc.post(f"changefeeds/{name}/tables/move_table",
               {"capture_id": "c", "table_id": 1})
    r = ticdc.delete(f"changefeeds/{name}", query="wait=1")
    assert (r.status, r.body) == (202, b"")
    refused(ticdc.get(f"changefeeds/{name}"), 400, "CDC:ErrChangeFeedNotExists")
    refused(ticdc.delete(f"changefeeds/{name}"), 400,
            "CDC:ErrChangeFeedNotExists")
    for table in ("changefeed", "changefeed_error", "table", "report", "ddl",
                  "move"):
        assert rows(sql, f"SELECT 1 FROM ticdc_{table} WHERE feed = %s",
                    number) == []
    ticdc.create(name)
    assert value(sql, "SELECT feed FROM ticdc_changefeed WHERE id = %s",
                 name) > number
    ticdc.delete(f"changefeeds/{name}")


def test_wishes_about_tables_are_kept(ticdc, feed, sql):
    """One that is open per table; capture_id wins."""
    def wishes():
        return [(w["capture_id"], w["table_id"]) for w in rows(
            sql, "SELECT m.* FROM ticdc_move m JOIN ticdc_changefeed f"
            " ON f.feed = m.feed WHERE f.id = %s ORDER BY move_id", feed)]

    path = f"changefeeds/{feed}/tables/move_table"
    for body in ({"capture_id": "c1", "target_capture_id": "c2",
                  "table_id": 2 ** 63 - 1}, {"target_capture_id": "c3"}):
        r = ticdc.post(path, body)
        assert (r.status, r.body) == (202, b"")
    assert wishes() == [("c1", 2 ** 63 - 1), ("c3", 0)]
    for body, text in (({}, "invalid capture_id: "),
                       ({"capture_id": "a_b"}, "invalid capture_id: a_b"),
                       (b"x", "invalid api parameter")):
        refused(ticdc.post(path, body), 400, "CDC:ErrAPIInvalidParam", text)
    r = ticdc.post(f"changefeeds/{feed}/tables/rebalance_table")
    assert (r.status, r.body) == (202, b"")


def test_every_change_is_audited_without_a_secret(ticdc, fresh, sql):
    name, secret = fresh("f"), fresh("s3cr3t")
    uri = f"blackhole://u:{secret}@h/?password={secret}"
    config = {"kafka-config": {"sasl-password": secret}}
    ticdc.create(name, sink_uri=uri, sink_config=config)
    ticdc.post(f"changefeeds/{name}/pause")
    ticdc.put(f"changefeeds/{name}", {"sink_uri": uri + "x",
                                      "sink_config": config})
    ticdc.delete(f"changefeeds/{name}")
    found = rows(sql, "SELECT * FROM audit WHERE target = %s ORDER BY id",
                 f"changefeed default/{name}")
    assert [row["operation"] for row in found] == [
        "changefeeds", f"changefeeds/{name}/pause", f"changefeeds/{name}",
        f"changefeeds/{name}"]
    assert secret not in json.dumps(found, default=str)


def test_secrets_are_sealed_and_stand_in_no_file(ticdc, fresh, deployment,
                                                 sql):
    name, secret = fresh("f"), fresh("s3cr3tcanary")
    ticdc.create(name, sink_uri=f"blackhole://u:{secret}@h/?token={secret}",
                 sink_config={"schema-registry": f"http://u:{secret}@h"})
    row = rows(sql, "SELECT sink_uri, config FROM ticdc_changefeed"
               " WHERE id = %s", name)[0]
    assert row["sink_uri"].startswith("v1:") and row["config"].startswith("v1:")
    v2 = deployment.client("ticdc/c1", prefix="/api/v2")
    for r in (ticdc.get(f"changefeeds/{name}"), ticdc.get("changefeeds"),
              v2.get(f"changefeeds/{name}"),
              v2.using(token=deployment.tokens["admin"]).get("changefeeds")):
        assert r.status == 200 and secret not in r.text
    r = ticdc.post("changefeeds", {
        "changefeed_id": fresh("f"),
        "sink_uri": f"mysql://u:{secret}@127.0.0.1:1/?worker-count={secret}"})
    assert r.status == 400 and secret not in r.text
    ticdc.delete(f"changefeeds/{name}")
    assert canary.hits(deployment, [secret]) == []
