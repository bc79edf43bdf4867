"""get_value: what Doris would keep under a key."""

import json

import pytest

from support.metarpc import MetaRpc, compaction
from support.metaservice import (HDFS, OBJ, MetaService, compact, masked,
                                 without)


@pytest.fixture
def full(doris):
    """An instance with a record of each kind."""
    ms = MetaService(doris)
    rpc = MetaRpc(doris, ms.instance(obj_info=OBJ, vault={"hdfs_info": HDFS}))
    ms.cluster(rpc.iid)
    rpc.tablets(50)
    rpc.done = rpc.begin("done")
    rpc.name = rpc.load(rpc.done, 50)
    rpc.commit(rpc.done)
    rpc.gone = rpc.begin("l")
    rpc.load(rpc.gone, 50, "dropped")
    rpc.ok("abort_txn", {"txn_id": rpc.gone})
    rpc.live = rpc.begin("l")
    rpc.load(rpc.live, 50, "tmp")
    rpc.ok("start_tablet_job", {"job": {"idx": {"tablet_id": 50},
                                        "compaction": [compaction("j")]}})
    return rpc


def text(ms, rpc, key_type, **params):
    r = ms.send("get_value", query={"key_type": key_type,
                                    "instance_id": rpc.iid, **params},
                method="GET")
    assert r.status == 200, r
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert r.text.endswith("\n")
    return r.text


def get(*args, **params):
    body = text(*args, **params)
    value = json.loads(body)
    assert body == compact(value) + "\n"
    return value


TABLET = {"table_id": 20, "index_id": 30, "part_id": 40, "tablet_id": 50}


def test_each_kind(ms, full):
    rpc = full
    shown = get(ms, rpc, "InstanceKey")
    assert shown["instance_id"] == rpc.iid
    assert shown["clusters"][0]["cluster_id"] == "c1"
    txn = {"db_id": 10, "txn_id": rpc.live}
    info = get(ms, rpc, "TxnInfoKey", **txn)
    assert (info["txn_id"], info["status"]) \
        == (str(rpc.live), "TXN_STATUS_PREPARED")
    assert get(ms, rpc, "TxnIndexKey", txn_id=rpc.live) \
        == {"tablet_index": {"db_id": "10"}}
    running = get(ms, rpc, "TxnRunningKey", **txn)
    assert running == {"table_ids": ["20"], "timeout_time": str(
        int(info["prepare_time"]) + 600000)}
    recycled = get(ms, rpc, "RecycleTxnKey", db_id=10, txn_id=rpc.gone)
    assert recycled["label"] == "l" and int(recycled["creation_time"]) > 0
    version = get(ms, rpc, "PartitionVersionKey", db_id=10, tbl_id=20,
                  partition_id=40)
    assert version["version"] == "2" and int(version["update_time_ms"]) > 0
    assert get(ms, rpc, "TableVersionKey", db_id=10, tbl_id=20)[
        "version"] == "1"
    assert get(ms, rpc, "MetaRowsetKey", tablet_id=50, version=2)[
        "rowset_id_v2"] == rpc.name
    assert get(ms, rpc, "MetaRowsetTmpKey", txn_id=rpc.live, tablet_id=50)[
        "rowset_id_v2"] == "tmp"
    rpc.ok("create_stage", {"stage": {
        "type": "EXTERNAL", "name": "e", "stage_id": "s",
        "obj_info": {**OBJ, "sk": "stagesk"}}})
    rpc.ok("drop_stage", {"type": "EXTERNAL", "stage_name": "e",
                          "reason": "why"})
    stage = get(ms, rpc, "RecycleStageKey", stage_id="s")
    assert list(stage) == ["instance_id", "reason", "stage"]
    assert (stage["instance_id"], stage["reason"]) == (rpc.iid, "why")
    assert stage["stage"]["obj_info"] == without(without(OBJ, "ak"), "sk")
    dropped = get(ms, rpc, "RecycleRowsetKey", tablet_id=50,
                  rowset_id="dropped")
    assert dropped["type"] == "DROP"
    assert get(ms, rpc, "MetaTabletKey", **TABLET)["tablet_id"] == "50"
    assert get(ms, rpc, "MetaTabletIdxKey", tablet_id=50) == {
        "db_id": "10", "table_id": "20", "index_id": "30",
        "partition_id": "40", "tablet_id": "50"}
    assert get(ms, rpc, "MetaSchemaKey", index_id=30, schema_version=1)[
        "column"][0]["name"] == "k"
    job = get(ms, rpc, "JobTabletKey", **TABLET)
    assert job["compaction"][0]["id"] == "j"
    vault = get(ms, rpc, "StorageVaultKey", vault_id="2")
    assert vault["name"] == "built_in_storage_vault"


def test_a_label_names_its_transactions(ms, full):
    body = text(ms, full, "TxnLabelKey", db_id=10, label="l")
    first, second = body.splitlines()
    assert json.loads(first) == {"txn_ids": [str(full.gone), str(full.live)]}
    assert second == f"txn_id={full.live}"


def test_statistics_stand_on_three_lines(ms, full):
    one, two, three = text(ms, full, "StatsTabletKey", **TABLET).splitlines()
    assert two == "detached_stats: {}"
    aggregated = one.removeprefix("aggregated_stats: ")
    assert three == "merged_stats: " + aggregated
    assert json.loads(aggregated)["num_rowsets"] == "2"


def test_a_key_in_hex_and_json(ms, full):
    r = ms.send("encode_key", query={"key_type": "MetaTabletIdxKey",
                                     "instance_id": full.iid,
                                     "tablet_id": "50"},
                headers={"Accept": "application/json"})
    key = r.json["result"]["key"]
    assert r.json["result"]["fields"] == [
        "key space: 1", "meta", full.iid, "tablet_index", "50"]
    assert ms.result("decode_key", query={"key": key}, headers={
        "Accept": "application/json"}) == r.json["result"]
    r = ms.send("get_value", query={"key_type": "MetaTabletIdxKey",
                                    "key": key.upper()})
    assert json.loads(r.text)["tablet_id"] == "50"
    r = ms.send("get_value", query={"key_type": "MetaTabletIdxKey",
                                    "key": key},
                headers={"Accept": "application/json"})
    assert r.json["result"]["key"] == key
    assert r.json["result"]["value"]["partition_id"] == "40"
    ms.bad(f"failed to decode key, key={key}", "get_value",
           query={"key_type": "InstanceKey", "key": key}, method="GET")


def test_secrets_are_masked(ms, full):
    r = ms.scope("read").send("get_value", query={
        "key_type": "InstanceKey", "instance_id": full.iid})
    shown = json.loads(r.text)
    assert masked(shown) == shown
    assert get(ms, full, "InstanceKey")["obj_info"][0]["sk"] == OBJ["sk"]


def test_nothing_there(ms, full):
    r = ms.send("encode_key", query={"key_type": "TxnRunningKey",
                                     "instance_id": full.iid, "db_id": 10,
                                     "txn_id": full.done},
                headers={"Accept": "application/json"})
    ms.internal(f"kv not found, key={r.json['result']['key']}", "get_value",
                query={"key_type": "TxnRunningKey", "db_id": 10,
                       "instance_id": full.iid, "txn_id": full.done})
    for key_type, params in (
            ("InstanceKey", {"instance_id": "no_such"}),
            ("TxnLabelKey", {"db_id": 10, "label": "none"}),
            ("TxnInfoKey", {"db_id": 11, "txn_id": full.live}),
            ("MetaTabletKey", {**TABLET, "part_id": 41}),
            ("MetaRowsetKey", {"tablet_id": 50, "version": 9}),
            ("StorageVaultKey", {"vault_id": "9"}),
            ("MetaPendingDeleteBitmap", {"tablet_id": 50}),
            ("JobRecycleKey", {})):
        r = ms.send("get_value", query={"instance_id": full.iid,
                                        "key_type": key_type, **params})
        assert r.status == 500, r
        assert r.json["msg"].startswith("kv not found, key=01"), r


def test_refusals(ms):
    ms.bad("key_type not supported: (empty)", "get_value", method="GET")
    ms.bad("key_type not supported: X", "get_value", query={"key_type": "X"})
    ms.bad("label is not given or empty", "get_value", query={
        "key_type": "TxnLabelKey", "instance_id": "i", "db_id": "1"})
    ms.bad("failed to decode key, key=0", "get_value", query={
        "key_type": "InstanceKey", "key": "0"})
