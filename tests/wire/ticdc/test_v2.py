"""v2, as much of it as `cdc cli` asks of changefeeds."""

import time

import pytest

from support.ticdc import Ticdc, refused

MOST = 2 ** 64 - 1


@pytest.fixture
def v2(deployment):
    return Ticdc(deployment, prefix="/api/v2")


def test_a_changefeed_is_made_and_shown_with_all_its_settings(v2, fresh):
    name = fresh("f")
    r = v2.post("changefeeds", {
        "changefeed_id": name, "sink_uri": "blackhole://", "target_ts": MOST,
        "replica_config": {
            "memory_quota": 5, "case_sensitive": True,
            "filter": {"rules": ["A.*"], "ignore_txn_start_ts": [MOST]},
            "mounter": {"worker_num": 3},
            "sink": {"transaction_atomicity": "table", "csv": {"null": "N"},
                     "date-separator": "day"}}})
    assert r.status == 200, r
    assert r.json == {**v2.feed(name), "checkpoint_ts": r.json["checkpoint_ts"],
                      "checkpoint_time": r.json["checkpoint_time"],
                      "resolved_ts": r.json["resolved_ts"],
                      "task_status": r.json["task_status"]}
    config = r.json["config"]
    assert (config["memory_quota"], config["case_sensitive"]) == (5, True)
    assert config["filter"] == {"rules": ["A.*"],
                                "ignore_txn_start_ts": [MOST]}
    assert config["mounter"] == {"worker_num": 3}
    assert config["sink"] == {"transaction-atomicity": "table",
                              "date-separator": "day", "csv": {"null": "N"}}
    assert (r.json["target_ts"], r.json["state"]) == (MOST, "normal")
    refused(v2.post("changefeeds", {"changefeed_id": name,
                                    "sink_uri": "blackhole://"}), 409,
            "CDC:ErrChangeFeedAlreadyExists")
    assert v2.delete(f"changefeeds/{name}").json == {}
    assert v2.delete(f"changefeeds/{name}").json == {}
    refused(v2.get(f"changefeeds/{name}"), 400, "CDC:ErrChangeFeedNotExists")


@pytest.mark.parametrize("config", [
    {"bdr_mode": True}, {"enable_sync_point": True},
    {"filter": {"event_filters": [{"matcher": ["a.*"]}]}}])
def test_what_is_not_built_is_refused(v2, config):
    refused(v2.post("changefeeds", {"sink_uri": "blackhole://",
                                    "replica_config": config}), 400,
            "CDC:ErrInvalidReplicaConfig", "is not supported")


def test_namespaces_part_changefeeds(v2, fresh):
    name, space = fresh("f"), fresh("n")
    for namespace in None, space:
        r = v2.post("changefeeds", {"changefeed_id": name,
                                    "namespace": namespace,
                                    "sink_uri": "blackhole://"})
        assert r.status == 200 and r.json["namespace"] == (namespace
                                                           or "default")
    found = v2.get("changefeeds", query=f"namespace={space}").json
    assert (found["total"], [i["id"] for i in found["items"]]) == (1, [name])
    where = f"namespace={space}"
    assert v2.post(f"changefeeds/{name}/pause", query=where).json == {}
    assert v2.get(f"changefeeds/{name}", query=where).json["state"] == "stopped"
    assert v2.feed(name)["state"] == "normal"
    for query in where, None:
        assert v2.delete(f"changefeeds/{name}", query=query).status == 200


def test_states_are_shown_as_they_are_stored(v2, fresh, sql):
    name = fresh("f")
    v2.post("changefeeds", {"changefeed_id": name, "sink_uri": "blackhole://"})
    v2.post(f"changefeeds/{name}/pause")
    with sql.cursor() as cursor:
        cursor.execute("UPDATE ticdc_changefeed SET state = 'pending',"
                       " again_ms = 4000000000000 WHERE id = %s", (name,))
    assert v2.feed(name)["state"] == "pending"
    items = v2.get("changefeeds", query="state=error").json["items"]
    assert [i["state"] for i in items if i["id"] == name] == ["pending"]
    v2.delete(f"changefeeds/{name}")


def test_a_resume_may_say_from_where(v2, fresh):
    name = fresh("f")
    r = v2.post("changefeeds", {"changefeed_id": name,
                                "sink_uri": "blackhole://"})
    v2.post(f"changefeeds/{name}/pause", query="wait=1")
    before = v2.feed(name)["checkpoint_ts"]
    path = f"changefeeds/{name}/resume"
    refused(v2.post(path, {"overwrite_checkpoint_ts": MOST}), 400,
            "CDC:ErrAPIInvalidParam", "larger than current tso")
    refused(v2.post(path, {"overwrite_checkpoint_ts": 1}), 400,
            "CDC:ErrStartTsBeforeGC")
    assert v2.feed(name)["state"] == "stopped"
    r = v2.post("tso")
    later = r.json["timestamp"] << 18 | r.json["logic_time"]
    assert later > before
    assert v2.post(path, {"overwrite_checkpoint_ts": later}).json == {}
    assert v2.feed(name)["checkpoint_ts"] >= later
    v2.delete(f"changefeeds/{name}")


def test_the_tso_is_the_clock_of_the_source(v2):
    r = v2.post("tso", {"anything": 1})
    assert r.status == 200
    assert abs(r.json["timestamp"] - time.time() * 1000) < 60000
    assert r.json["logic_time"] == 0


def test_tables_are_looked_at_before_a_changefeed_is_made(v2, fresh,
                                                          deployment):
    schema = fresh("s")
    with deployment.sql() as c, c.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {schema}")
        cursor.execute(f"CREATE TABLE {schema}.T1 (a INT PRIMARY KEY)"
                       " PARTITION BY HASH (a) PARTITIONS 2")
        cursor.execute(f"CREATE TABLE {schema}.t2 (a INT)")
        cursor.execute(f"CREATE VIEW {schema}.v AS SELECT 1")

    def verify(**more):
        r = v2.post("verify_table", {"replica_config": {
            "filter": {"rules": [f"{schema}.*"]}, **more}})
        assert r.status == 200, r
        return [[t["table_name"] for t in r.json[f"{kind}_tables"]]
                for kind in ("eligible", "ineligible")], r.json
    try:
        names, found = verify()
        assert names == [["T1"], ["t2"]]
        assert found["eligible_tables"][0]["is_partition"] is True
        assert found["ineligible_tables"][0] == {
            "database_name": schema, "table_name": "t2", "table_id": 0,
            "is_partition": False}
        assert verify(filter={"rules": [f"{schema}.t1"]})[0] == [["T1"], []]
        assert verify(filter={"rules": [f"{schema}.t1"]},
                      case_sensitive=True)[0] == [[], []]
        refused(v2.post("verify_table", {"replica_config": {
            "filter": {"rules": ["@x"]}}}), 400, "CDC:ErrFilterRuleInvalid")
    finally:
        with deployment.sql() as c, c.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {schema}")
