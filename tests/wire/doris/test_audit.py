"""What the audit rows of the Meta Service say: the thing, as it was and as it
has become, without a secret. Asked of every row of the table that writes, in a
deployment of its own: a limit of rate costs every request a statement."""

import json

import pytest

from support import tables
from support.metarpc import compaction, rowset, tablet, txn
from support.metaservice import be
from support.store import rows
from support.words import fresh

pytestmark = pytest.mark.config(METAGATE_AUDIT_KEEP_DAYS="91")

CREATE = {"create_instance", "add_cluster", "add_obj_info", "add_s3_vault",
          "add_hdfs_vault", "create_stage", "recycle_instance",
          "adjust_rate_limit", "create_tablets", "prepare_rowset", "begin_txn",
          "start_tablet_job"}
REMOVE = {"drop_cluster", "drop_hdfs_vault", "drop_stage"}
KINDS = {"instance", "cluster", "object store", "storage vault", "stage",
         "rate limit", "tablet", "rowset", "transaction", "tablet job"}
TOO_LONG = {"truncated": True, "limit_bytes": 65536}


def writers():
    return [pytest.param(e, id=str(e)) for e in tables.endpoints()
            if e.dialect == "doris" and "TX" in e.flags]


def rows_of(sql, reply):
    return rows(sql, "SELECT * FROM audit WHERE request_id = %s",
                reply.headers["X-Request-Id"])


def row_of(sql, reply):
    row, = rows_of(sql, reply)
    return row


def states(row):
    """Before and after, parsed; None is null."""
    return [json.loads(row[k]) if row[k] is not None else None
            for k in ("before_json", "after_json")]


def spoil(value, canary):
    """Every key of an object store or user is the canary, once more."""
    if isinstance(value, list):
        return [spoil(v, canary) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: canary(k) if k in ("ak", "sk") else spoil(v, canary)
            for k, v in value.items()}


class Canary:
    def __init__(self):
        self.made = []

    def __call__(self, key):
        self.made.append(fresh(f"canary{key}"))
        return self.made[-1]

    def assert_not_in(self, row):
        text = str(row)
        assert not [c for c in self.made if c in text], text


def judge(endpoint, word, row):
    operation = endpoint.path.lstrip("/")
    kind, _, name = row["target"].rpartition(" ")
    if kind == "setting":  # of no instance: test_settings.py
        return
    assert kind in KINDS and word in name.split("/"), row["target"]
    assert isinstance(json.loads(row["request_json"]), dict)
    before, after = states(row)
    assert (before is None) == (operation in CREATE), row
    assert (after is None) == (operation in REMOVE), row
    assert before != after, row


@pytest.mark.parametrize("endpoint", writers())
def test_every_change_shows_and_no_secret_does(doris, sql, endpoint):
    canary, word = Canary(), fresh("u")
    for request in (*endpoint.before(word), endpoint.request(word)):
        r = request.send(doris, body=spoil(request.body, canary))
        assert r.status == request.endpoint.status, r
        if "TX" in request.endpoint.flags:
            row = row_of(sql, r)
            judge(request.endpoint, word, row)
            canary.assert_not_in(row)


def change(ms, sql, operation, body):
    """(target, before, after) of a success."""
    r = ms.send(operation, body)
    assert r.status == 200, r
    row = row_of(sql, r)
    return row["target"], *states(row)


def differing(before, after):
    return {k: (before.get(k), after.get(k)) for k in {*before, *after}
            if before.get(k) != after.get(k) and k != "mtime"}


def on(iid, **cluster):
    return {"instance_id": iid, "cluster": {"cluster_id": "c1", **cluster}}


def test_a_cluster_is_told_by_its_document(ms, sql):
    iid = ms.instance()
    ms.cluster(iid)
    was = ms.get_cluster(iid)
    target, before, after = change(ms, sql, "add_node", {
        "instance_id": iid, "cluster": {
            "cluster_id": "c1", "cluster_name": "name_c1", "type": "COMPUTE",
            "nodes": [be(iid, 1)]}})
    assert (target, before) == (f"cluster {iid}/c1", was)
    assert after == ms.get_cluster(iid)
    target, before, gone = change(ms, sql, "drop_cluster", on(iid))
    assert (target, before, gone) == (f"cluster {iid}/c1", after, None)


@pytest.mark.parametrize("operation, body, what, values", [
    ("rename_cluster", {"cluster_name": "n2"}, "cluster_name",
     ("name_c1", "n2")),
    ("set_cluster_status", {"cluster_status": "SUSPENDED"}, "cluster_status",
     ("NORMAL", "SUSPENDED")),
    ("update_cluster_mysql_user_name", {"mysql_user_name": ["a"]},
     "mysql_user_name", (None, ["a"])),
    ("update_cluster_endpoint", {"private_endpoint": "h:1"},
     "private_endpoint", (None, "h:1")),
])
def test_one_member_of_a_cluster_changes(ms, sql, operation, body, what,
                                         values):
    iid = ms.instance()
    ms.cluster(iid)
    _, before, after = change(ms, sql, operation, on(iid, **body))
    assert differing(before, after) == {what: values}


def test_a_cluster_that_made_way_is_named(ms, sql):
    iid = ms.instance()
    ms.cluster(iid)
    ms.cluster(iid, "c2")
    target, _, _ = change(ms, sql, "rename_cluster", {
        **on(iid, cluster_name="name_c2"),
        "replace_if_existing_empty_target_cluster": True})
    assert target == f"cluster {iid}/c1, replacing c2"


@pytest.mark.parametrize("operation, more, what, values", [
    ("rename_instance", {"name": "n2"}, "name", ("", "n2")),
    ("set_instance_status", {"op": "SET_OVERDUE"}, "status",
     ("NORMAL", "OVERDUE")),
    ("drop_instance", {}, "status", ("NORMAL", "DELETED")),
    ("enable_instance_sse", {}, "sse_enabled", (False, True)),
])
def test_one_member_of_an_instance_changes(ms, sql, operation, more, what,
                                           values):
    iid = ms.instance()
    target, before, after = change(ms, sql, operation,
                                   {"instance_id": iid, **more})
    assert target == f"instance {iid}"
    assert differing(before, after) == {what: values}
    assert "mtime" in after and "mtime" not in before


def test_new_keys_are_told_by_the_version_alone(ms, sql):
    obj = {"bucket": "b", "prefix": "p", "endpoint": "e", "region": "r",
           "provider": "S3", "ak": "key-of-before", "sk": "sec-of-before"}
    iid = ms.instance(obj_info=obj)
    target, before, after = change(ms, sql, "alter_obj_info", {
        "cloud_unique_id": f"1:{iid}:any",
        "obj": {"id": "1", "ak": "key-of-after", "sk": "sec-of-after"}})
    assert target == f"object store {iid}/1"
    assert int(after["version"]) == int(before["version"]) + 1
    for state in (before, after):
        shown, = state["obj_info"]
        assert (shown["ak"], shown["sk"]) == ("***", "***")


def test_a_role_takes_the_place_of_keys(ms, sql):
    obj = {"bucket": "b", "prefix": "p", "endpoint": "e", "region": "r",
           "provider": "S3", "ak": "a1", "sk": "s1"}
    iid = ms.instance(obj_info=obj)
    _, before, after = change(ms, sql, "alter_obj_info", {
        "cloud_unique_id": f"1:{iid}:any",
        "obj": {"id": "1", "role_arn": "arn:r"}})
    assert "ak" in before["obj_info"][0]
    assert "ak" not in after["obj_info"][0]
    assert after["obj_info"][0]["role_arn"] == "arn:r"


def test_a_document_that_is_too_long_is_a_note(ms, sql):
    iid = ms.instance()
    ms.cluster(iid)
    nodes = [be(iid, n, ip=f"h{n}", desc="d" * 900) for n in range(100)]
    body = {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "name_c1", "type": "COMPUTE",
        "nodes": nodes}}
    r = ms.send("add_node", body)
    assert r.status == 200, r
    row = row_of(sql, r)
    before, after = states(row)
    assert before["difference"] and "nodes" not in before
    assert after == json.loads(row["request_json"]) == TOO_LONG


def test_a_limit_is_told_with_the_one_before(doris, sql, fresh):
    iid = fresh("i")
    for old, new in ((None, "1000"), ("1000", "2000")):
        r = doris.get("adjust_rate_limit", query={
            "qps_limit": new, "rpc_name": "get_txn", "instance_id": iid})
        assert r.status == 200, r
        row = row_of(sql, r)
        assert row["target"] == f"rate limit get_txn/{iid}"
        assert [s and s["qps"] for s in states(row)] == [old, new]


# ---- tablets, rowsets, transactions, jobs ----

def told(rpc, sql, name, body):
    """(target, before, after) of an RPC's success."""
    r = rpc.send(name, body)
    assert r.json["status"]["code"] == "OK", r
    row = row_of(sql, r)
    return row["target"], *states(row)


def test_tablets_are_told_by_their_own_records(rpc, sql):
    body = {"db_id": 10, "tablet_metas": [tablet(51), tablet(50)]}
    target, before, after = told(rpc, sql, "create_tablets", body)
    assert (target, before) == (f"tablet {rpc.iid}/50 and 1 more", None)
    assert [t["tablet_id"] for t in after["tablets"]] == ["50", "51"]
    assert not any("schema" in t for t in after["tablets"])
    target, before, after = told(rpc, sql, "update_tablet", {
        "tablet_meta_infos": [{"tablet_id": 51, "ttl_seconds": 7}]})
    assert target == f"tablet {rpc.iid}/51"
    assert differing(before["tablets"][0], after["tablets"][0]) \
        == {"ttl_seconds": (None, "7")}
    body["tablet_metas"] = [tablet(50, partition_id=41), tablet(52)]
    target, before, after = told(rpc, sql, "create_tablets", body)
    assert [t["partition_id"] for t in before["tablets"]] == ["40"]
    assert [t["partition_id"] for t in after["tablets"]] == ["41", "40"]


def test_a_rowset_is_told_from_place_to_place(rpc, sql):
    rpc.tablets(50)
    body = {"rowset_meta": rowset(50, rpc.begin(), "rs1")}
    target, before, prepared = told(rpc, sql, "prepare_rowset", body)
    assert (target, before) == (f"rowset {rpc.iid}/50/rs1", None)
    assert prepared["rowset_state"] == "PREPARED"
    assert told(rpc, sql, "prepare_rowset", body) \
        == (target, prepared, prepared)  # the same again
    target, before, after = told(rpc, sql, "commit_rowset", body)
    assert before == prepared
    assert differing(before, after) \
        == {"rowset_state": ("PREPARED", "COMMITTED")}
    assert told(rpc, sql, "commit_rowset", body) == (target, after, after)


def test_a_transaction_is_told_from_state_to_state(rpc, sql):
    target, before, begun = told(rpc, sql, "begin_txn", {"txn_info": txn("l")})
    tid = int(begun["txn_id"])
    assert (target, before) == (f"transaction {rpc.iid}/{tid}", None)
    state = lambda s: "TXN_STATUS_" + s
    for name, was, now in (("precommit_txn", "PREPARED", "PRECOMMITTED"),
                           ("commit_txn", "PRECOMMITTED", "VISIBLE"),
                           ("commit_txn", "VISIBLE", "VISIBLE")):
        named, before, after = told(rpc, sql, name, {"txn_id": tid})
        assert (named, before["status"], after["status"]) \
            == (target, state(was), state(now))
    other = rpc.begin("m")
    target, before, after = told(rpc, sql, "abort_txn", {
        "db_id": 10, "label": "m", "reason": "why"})
    assert target == f"transaction {rpc.iid}/{other}"
    assert (before["status"], after["status"], after["reason"]) \
        == (state("PREPARED"), state("ABORTED"), "why")


def test_a_job_is_told_by_the_jobs_of_its_tablet(rpc, sql):
    rpc.tablets(50)
    at = {"idx": {"tablet_id": 50}}
    target, before, after = told(rpc, sql, "start_tablet_job", {
        "job": {**at, "compaction": [compaction("a")]}})
    assert (target, before) == (f"tablet job {rpc.iid}/50", None)
    assert [c["id"] for c in after["compaction"]] == ["a"]
    both = {"job": {**at, "compaction": [compaction("b", "BASE")]}}
    _, before, after = told(rpc, sql, "start_tablet_job", both)
    assert [c["id"] for c in before["compaction"]] == ["a"]
    assert [c["id"] for c in after["compaction"]] == ["a", "b"]
    assert told(rpc, sql, "start_tablet_job", both) == (target, after, after)
    _, before, after = told(rpc, sql, "finish_tablet_job", {
        "action": "ABORT", "job": {**at, "compaction": [{"id": "a"}]}})
    assert [c["id"] for c in after["compaction"]] == ["b"]


def test_what_is_refused_is_not_told(rpc, sql):
    rpc.tablets(50)
    tid = rpc.begin("l")
    rpc.ok("abort_txn", {"txn_id": tid})
    for name, body in (("commit_txn", {"txn_id": tid}),
                       ("commit_rowset", {"rowset_meta": rowset(50, tid)}),
                       ("update_tablet", {"tablet_meta_infos": [
                           {"tablet_id": 50, "ttl_seconds": 1},
                           {"tablet_id": 51}]})):
        r = rpc.send(name, body)
        assert r.json["status"]["code"] != "OK"
        assert rows_of(sql, r) == []


def test_long_documents_are_kept_as_what_differs(ms, sql):
    iid, n = ms.instance(), 60
    ms.ok("add_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c", "cluster_name": "c", "type": "COMPUTE",
        "nodes": [be(iid, i) for i in range(n)]}})
    added = be(iid, n)
    r = ms.send("add_node", {"instance_id": iid, "cluster": {
        "cluster_id": "c", "cluster_name": "c", "type": "COMPUTE",
        "nodes": [added]}})
    assert r.status == 200, r
    before, after = states(row_of(sql, r))
    assert before["difference"] and after["difference"]
    assert before["nodes"] == {"from": n, "of": n, "items": []}
    assert (after["nodes"]["from"], after["nodes"]["of"]) == (n, n + 1)
    node, = after["nodes"]["items"]
    assert node["cloud_unique_id"] == added["cloud_unique_id"]
    assert "cluster_id" not in after
