"""Changefeeds of v1: made and shown, and what is refused in which order."""

import re
import time

import pytest

from support import objects
from support.kafka import Kafka
from support.ticdc import refused

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\Z")
MOST = 2 ** 64 - 1


def tso_now():
    return int(time.time() * 1000) << 18


def test_a_changefeed_is_there_when_its_202_is_read(ticdc, feed):
    shown = ticdc.feed(feed)
    assert (shown["id"], shown["namespace"], shown["state"]) \
        == (feed, "default", "normal")
    assert (shown["sink_uri"], shown["target_ts"], shown["error"]) \
        == ("blackhole://", 0, None)
    assert shown["checkpoint_tso"] >= shown["start_ts"] > 400 << 50
    assert shown["resolved_ts"] >= shown["checkpoint_tso"]
    assert (shown["sort_engine"], shown["task_status"] is None) \
        == ("unified", False)
    for name in "create_time", "checkpoint_time":
        assert TIME.match(shown[name]), shown


def test_a_reply_is_json_of_four_blanks_whatever_the_request_says(ticdc, feed):
    r = ticdc.get(f"changefeeds/{feed}")
    assert r.headers["Content-Type"] == "application/json; charset=utf-8"
    assert r.text.startswith('{\n    "upstream_id": 0,\n    "namespace"')
    r = ticdc.post("changefeeds", '{"changefeed_id":"%s","sink_uri":""}' % feed,
                   headers={"'Content-type'": "'application/json'",
                            "Content-Type": "text/plain"})
    refused(r, 400, "CDC:ErrSinkURIInvalid")


def test_an_id_that_is_not_given_is_made(ticdc):
    r = ticdc.post("changefeeds", {"sink_uri": "blackhole://"})
    assert (r.status, r.body) == (202, b"")
    name = r.headers["X-Changefeed-Id"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-"
                        r"[89ab][0-9a-f]{3}-[0-9a-f]{12}", name)
    assert ticdc.feed(name)["id"] == name
    assert ticdc.delete(f"changefeeds/{name}").status == 202


@pytest.mark.parametrize("name", [
    "a_b", "a.b", "-a", "a-", "a--b", "ä", "a b", "a/b", "x" * 129])
def test_an_id_that_is_none_is_refused_with_the_rule(ticdc, name):
    r = ticdc.post("changefeeds", {"changefeed_id": name,
                                   "sink_uri": "blackhole://"})
    refused(r, 400, "CDC:ErrAPIInvalidParam", f"invalid changefeed_id: {name}")
    assert "single dashes" in r.json["error_msg"]


@pytest.mark.parametrize("method, path, body", [
    ("GET", "", None), ("PUT", "", {}), ("DELETE", "", None),
    ("POST", "/pause", None), ("POST", "/resume", None),
    ("POST", "/tables/rebalance_table", None),
    ("POST", "/tables/move_table", {"capture_id": "c", "table_id": 1})])
def test_an_unknown_changefeed_is_400(ticdc, fresh, method, path, body):
    name = fresh("n")
    r = ticdc.request(method, f"changefeeds/{name}{path}", body)
    refused(r, 400, "CDC:ErrChangeFeedNotExists",
            f"changefeed not exists, default/{name}")
    r = ticdc.request(method, f"changefeeds/a_b{path}", body)
    refused(r, 400, "CDC:ErrAPIInvalidParam", "invalid changefeed_id: a_b")


def test_refusals_come_in_the_documented_order(ticdc, feed, fresh):
    """Each request has what all later steps refuse as well."""
    name = fresh("f")
    good = {"changefeed_id": name, "sink_uri": "blackhole://"}
    bad = {"changefeed_id": "a_b", "sink_uri": "", "start_ts": MOST,
           "target_ts": 1, "filter_rules": ["@x"], "timezone": "No/Where"}
    steps = [
        ({}, 400, "CDC:ErrSinkURIInvalid", "sink-uri is empty"),
        ({"sink_uri": "mysql://u:s3cr3t@127.0.0.1:1/?worker-count=0"}, 400,
         "CDC:ErrAPIInvalidParam", "invalid changefeed_id"),
        ({"changefeed_id": feed}, 409, "CDC:ErrChangeFeedAlreadyExists",
         f"changefeed already exists, default/{feed}"),
        ({"changefeed_id": name}, 400, "CDC:ErrAPIInvalidParam",
         f"invalid start-ts {MOST}, larger than current tso "),
        ({"start_ts": 1}, 400, "CDC:ErrStartTsBeforeGC",
         "because start-ts 1 is earlier than or equal to GC safepoint at "),
        ({"start_ts": 0}, 400, "CDC:ErrTargetTsBeforeStartTs",
         "because target-ts 1 is earlier than start-ts "),
        ({"target_ts": 0}, 400, "CDC:ErrMySQLInvalidConfig", "worker-count"),
        ({"sink_uri": "mysql://u:s3cr3t@127.0.0.1:1/"}, 400,
         "CDC:ErrFilterRuleInvalid", "filter rule is invalid '@x'"),
        ({"filter_rules": [f"{name}.*"]}, 400, "CDC:ErrAPIInvalidParam",
         "invalid timezone:No/Where"),
        ({"timezone": "Asia/Tokyo"}, 400, "CDC:ErrMySQLConnectionError",
         "MySQL connection error"),
    ]
    for change, status, code, text in steps:
        bad = {**bad, **change}
        r = ticdc.post("changefeeds", bad)
        refused(r, status, code, text)
        assert "s3cr3t" not in r.text
    refused(ticdc.get(f"changefeeds/{name}"), 400,
            "CDC:ErrChangeFeedNotExists")
    assert ticdc.post("changefeeds", good).status == 202
    ticdc.delete(f"changefeeds/{name}")


@pytest.mark.parametrize("zone", ["", "system", "LOCAL", "UTC",
                                  "Asia/Tokyo"])
def test_a_time_zone_is_one_of_the_host(ticdc, fresh, zone):
    name = ticdc.create(fresh("f"), timezone=zone)
    assert ticdc.delete(f"changefeeds/{name}").status == 202


@pytest.mark.parametrize("zone", ["America", "America/", "utc",
                                  "leapseconds", "../zoneinfo/UTC"])
def test_a_time_zone_that_no_capture_would_read_is_refused(ticdc, fresh, zone):
    """A folder, another case, a file of something else, a path."""
    refused(ticdc.post("changefeeds", {
        "changefeed_id": fresh("f"), "sink_uri": "blackhole://",
        "timezone": zone}), 400, "CDC:ErrAPIInvalidParam",
        f"invalid timezone:{zone}")


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'"x"', b'{"sink_uri":1}', b'{"start_ts":-1}',
    b'{"start_ts":1.5}', b'{"start_ts":18446744073709551616}',
    b'{"start_ts":"1"}', b'{"filter_rules":"a.b"}', b'{"sink_config":[]}'])
def test_a_body_that_is_none_is_told_so(ticdc, body):
    refused(ticdc.post("changefeeds", body), 400, "CDC:ErrAPIInvalidParam",
            "invalid api parameter: ")


def test_a_body_is_read_as_go_reads_it(ticdc, fresh):
    """Names in any case, null for absent, bytes behind the first value."""
    name = fresh("f")
    r = ticdc.post("changefeeds", '{"Changefeed_ID":"%s","SINK_URI":'
                   '"blackhole://","target_ts":null,"x":{}} {"y' % name)
    assert r.status == 202, r
    assert ticdc.delete(f"changefeeds/{name}").status == 202


def test_tsos_keep_all_their_digits(ticdc, fresh):
    name = ticdc.create(fresh("f"), target_ts=MOST)
    assert f'"target_ts": {MOST},' in ticdc.get(f"changefeeds/{name}").text
    odd = (tso_now() | 1) + (1 << 60)
    ticdc.delete(f"changefeeds/{name}")
    name = ticdc.create(fresh("f"), target_ts=odd)
    assert ticdc.feed(name)["target_ts"] == odd
    ticdc.delete(f"changefeeds/{name}")


def test_a_dry_run_checks_everything_and_changes_nothing(ticdc, fresh):
    name = fresh("f")
    body = {"changefeed_id": name, "sink_uri": "blackhole://"}
    r = ticdc.post("changefeeds", body, query="dry_run=1")
    assert (r.status, r.body) == (202, b"")
    refused(ticdc.get(f"changefeeds/{name}"), 400,
            "CDC:ErrChangeFeedNotExists")
    refused(ticdc.post("changefeeds", {**body, "filter_rules": ["x"]},
                       query="dry_run=1"), 400, "CDC:ErrFilterRuleInvalid")
    refused(ticdc.post("changefeeds", body, query="dry_run=maybe"), 400,
            "CDC:ErrAPIInvalidParam", "dry_run")


def test_a_table_without_a_key_is_named(ticdc, fresh, deployment):
    name, schema = fresh("f"), fresh("s")
    with deployment.sql() as c, c.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {schema}")
        cursor.execute(f"CREATE TABLE {schema}.keyless (a INT)")
        cursor.execute(f"CREATE TABLE {schema}.nullable (a INT NULL UNIQUE)")
        cursor.execute(f"CREATE TABLE {schema}.keyed (a INT NOT NULL UNIQUE)")
    body = {"changefeed_id": name, "sink_uri": "blackhole://",
            "filter_rules": [f"{schema}.*"]}
    try:
        r = ticdc.post("changefeeds", body)
        refused(r, 400, "CDC:ErrTableIneligible", "ignore_ineligible_table")
        assert f"[{schema}.keyless {schema}.nullable]" in r.json["error_msg"]
        for more in ({"filter_rules": [f"{schema}.keyed"]},
                     {"force_replicate": True},
                     {"ignore_ineligible_table": True}):
            assert ticdc.post("changefeeds", {**body, **more}).status == 202
            assert ticdc.delete(f"changefeeds/{name}").status == 202
    finally:
        with deployment.sql() as c, c.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {schema}")


FILES = "CDC:ErrStorageSinkInvalidConfig"


@pytest.mark.parametrize("uri, code, text", [
    ("pulsar://127.0.0.1:1/t?protocol=canal-json", "CDC:ErrSinkURIInvalid",
     "blackhole, mysql, kafka, file and s3 only"),
    ("gcs://b/p?protocol=csv", "CDC:ErrSinkURIInvalid",
     "files go to file:// and s3://"),
    ("file:///x?protocol=csv", FILES, "[ticdc] file_root"),
    ("s3://bucket/p?protocol=csv", FILES, "an access key"),
    ("s3://bucket/p?protocol=csv&access-key=a&secret-access-key=b"
     "&storage-class=GLACIER", FILES, "storage-class cannot be used here"),
    ("s3://bucket/p?protocol=csv&access-key=a&secret-access-key=b"
     "&endpoint=http://127.0.0.1:1", "CDC:ErrExternalStorageAPI",
     "nothing can be written there"),
])
def test_a_sink_that_cannot_be_says_why(ticdc, fresh, uri, code, text):
    r = ticdc.post("changefeeds", {"changefeed_id": fresh("f").replace("_", "-"),
                                   "sink_uri": uri})
    refused(r, 400, code, text)


def test_a_bucket_is_written_to_when_a_changefeed_is_made(ticdc, fresh):
    with objects.S3() as s:
        uri = (f"s3://bucket/p?protocol=csv&endpoint=http://{s.at}"
               f"&access-key={objects.ACCESS}&secret-access-key=")
        body = {"changefeed_id": fresh("f").replace("_", "-")}
        r = ticdc.post("changefeeds", {**body, "sink_uri": uri + "wrong"})
        refused(r, 400, "CDC:ErrExternalStorageAPI", "403")
        assert "wrong" not in r.text and objects.ACCESS not in r.text
        secret = objects.SECRET.replace("/", "%2F")
        r = ticdc.post("changefeeds", {**body, "sink_uri": uri + secret},
                       query="dry_run=1")
        assert (r.status, s.files) == (202, {})
        assert ("PUT", "DELETE") == tuple(m for m, _ in s.calls[-3:]
                                          if m != "GET")
        r = ticdc.post("changefeeds", {**body, "sink_uri": uri + secret})
        assert r.status == 202
        name = body["changefeed_id"]
        shown = ticdc.get(f"changefeeds/{name}").json["sink_uri"]
        assert shown == uri.replace(objects.ACCESS, "xxxxx") + "xxxxx"
        assert ticdc.delete(f"changefeeds/{name}").status == 202


def test_a_broker_that_is_not_there_is_no_sink(ticdc, fresh):
    r = ticdc.post("changefeeds", {
        "changefeed_id": fresh("f"),
        "sink_uri": "kafka://127.0.0.1:1/t?protocol=canal-json"})
    refused(r, 400, "CDC:ErrKafkaNewProducer", "")


def test_a_topic_is_looked_at_when_a_changefeed_is_made(ticdc, fresh):
    with Kafka() as kafka:
        body = {"changefeed_id": fresh("f").replace("_", "-"),
                "sink_uri": kafka.uri("canal-json", **{"partition-num": 9})}
        r = ticdc.post("changefeeds", body)
        refused(r, 400, "CDC:ErrKafkaInvalidPartitionNum", "more than")
        # the cluster of this test describes no topics: old brokers do not
        body["sink_uri"] = kafka.uri("canal-json").replace("2.4.0", "0.10.2.0")
        r = ticdc.post("changefeeds", body)
        assert r.status == 202
        assert ticdc.delete("changefeeds/"
                            + body["changefeed_id"]).status == 202


def test_an_address_that_is_denied_is_no_sink(ticdc, fresh):
    """Where clouds keep credentials: egress."""
    r = ticdc.post("changefeeds", {
        "changefeed_id": fresh("f"), "sink_uri": "mysql://u:p@169.254.1.1/"})
    refused(r, 400, "CDC:ErrMySQLConnectionError", "a link-local address")


# ---- the list ----

def test_the_list_shows_states_as_v1_names_them(ticdc, sql, fresh):
    names = {state: ticdc.create(fresh("l"), target_ts=MOST) for state in
             ("normal", "stopped", "failed", "finished", "pending")}
    for name in names.values():  # nobody works for what is stopped
        assert ticdc.post(f"changefeeds/{name}/pause").status == 202
    assert ticdc.post(f"changefeeds/{names['normal']}/resume").status == 202
    for state in "failed", "finished", "pending":
        with sql.cursor() as cursor:
            cursor.execute(
                "UPDATE ticdc_changefeed SET state = %s, error_code ="
                " 'CDC:ErrX', error_message = 'm', error_addr = 'h:1',"
                " error_ms = 1000, again_ms = 4000000000000 WHERE id = %s",
                (state, names[state]))
        sql.commit()

    def listed(query=None):
        r = ticdc.get("changefeeds", query=query)
        assert r.status == 200
        return {f["id"]: f for f in r.json if f["id"] in names.values()}

    def of(*states):
        return {names[s] for s in states}

    assert set(listed()) == of("normal", "stopped", "failed", "pending")
    assert set(listed("state=all")) == set(names.values())
    assert set(listed("state=error")) == of("pending")
    assert set(listed("state=pending")) == of("pending")
    assert set(listed("state=finished")) == of("finished")
    assert set(listed("state=stopped")) == of("stopped")
    assert listed("state=nonsense") == {}
    ids = [(f["namespace"], f["id"])
           for f in ticdc.get("changefeeds", query="state=all").json]
    assert ids == sorted(ids)
    shown = listed("state=all")
    assert shown[names["pending"]]["state"] == "error"
    error = shown[names["pending"]]["error"]
    assert (error["code"], error["message"], error["addr"]) \
        == ("CDC:ErrX", "m", "h:1")
    assert error["time"].startswith("1970-01-01T08:00:01.000+08:00")
    assert "next_retry" in error
    assert shown[names["stopped"]]["error"] is None
    assert ticdc.feed(names["failed"])["error"]["code"] == "CDC:ErrX"
    for name in names.values():
        assert ticdc.delete(f"changefeeds/{name}").status == 202


# ---- paths ----

def test_a_path_that_is_none_is_gins_404(ticdc):
    for method, path in (("GET", "/api/v1/nope"), ("PATCH", "changefeeds"),
                         ("DELETE", "status"), ("GET", "/")):
        r = ticdc.request(method, path)
        assert (r.status, r.text) == (404, "404 page not found"), (path, r)
        assert r.headers["Content-Type"] == "text/plain"


def test_a_slash_too_many_leads_to_the_path_without_it(ticdc, feed):
    r = ticdc.get(f"changefeeds/{feed}/", query="a=b")
    assert r.status == 301
    assert r.headers["Location"] == f"/api/v1/changefeeds/{feed}?a=b"
    r = ticdc.post("changefeeds/")
    assert (r.status, r.headers["Location"]) == (307, "/api/v1/changefeeds")


def test_who_has_no_token_is_told_in_the_dialects_form(ticdc):
    r = ticdc.using(token=None).get("changefeeds")
    refused(r, 401, "CDC:ErrCredentialNotFound", "credential not found: token")
    r = ticdc.using(token="0" * 64).get("changefeeds")
    refused(r, 401, "CDC:ErrUnauthorized")
    r = ticdc.scope("read").post("changefeeds", {"sink_uri": "blackhole://"})
    refused(r, 403, "CDC:ErrUnauthorized", "write")
    assert ticdc.using(token=None).get("health").status in (200, 500)
    assert ticdc.using(token=None).get("/status").status == 401


def test_the_headers_of_a_forwarded_request_are_ignored(ticdc, feed):
    r = ticdc.get(f"changefeeds/{feed}", headers={
        "TiCDC-ForwardFromCapture": "x", "TiCDC-ForwardTimes": "9"})
    assert r.status == 200
