"""Requests of front and back ends come twice, or late: after its successors a
request changes nothing any more. Told by the rows of the store themselves."""

import pytest

from support.metarpc import compaction, rowset, tablet, txn
from support.store import rows

# What must not change, without the counters of locks.
STATE = {
    "doris_tablet": "tablet_id, db_id, table_id, partition_id, state, body,"
    " data_size, num_rows, num_rowsets, num_segments, base_compaction_cnt,"
    " cumulative_compaction_cnt, cumulative_point",
    "doris_schema": "index_id, schema_version, body",
    "doris_rowset": "tablet_id, version, start_version, rowset_id, body",
    "doris_rowset_tmp": "txn_id, tablet_id, rowset_id, body",
    "doris_rowset_recycle": "tablet_id, rowset_id, type, creation_time",
    "doris_version": "kind, db_id, table_id, partition_id, version",
    "doris_tablet_job": "tablet_id, body",
    "doris_txn": "seq, label, live, status, deadline_ms, body",
    "doris_stage": "stage_id, body",
}


def state(sql, iid):
    return {table: rows(sql, f"SELECT {columns} FROM {table} WHERE"
                        f" instance_id = %s ORDER BY {columns}", iid.encode())
            for table, columns in STATE.items()}


class History:
    """Requests, each followed by all that came before it once more."""

    def __init__(self, rpc, sql):
        self.rpc, self.sql, self.past, self.begun = rpc, sql, [], 0

    def __call__(self, name, **body):
        reply = self.rpc.ok(name, body)
        self.past.append((name, body))
        after = state(self.sql, self.rpc.iid)
        for again in self.past:
            code = self.rpc.code(*again)
            now = state(self.sql, self.rpc.iid)
            for table in STATE:
                assert now[table] == after[table], (name, again, code)
        return reply

    def forget(self, rpc):
        self.past = [p for p in self.past if p[0] != rpc]

    def begin(self, label):
        self.begun += 1
        return self("begin_txn", txn_info=txn(label, request_id={
            "hi": 1, "lo": self.begun}))["txn_id"]

    def load(self, tid, tablet_id, **more):
        body = {"rowset_meta": rowset(tablet_id, tid, **more)}
        self("prepare_rowset", **body)
        self("commit_rowset", **body)


@pytest.fixture
def history(rpc, sql):
    return History(rpc, sql)


def job(**more):
    return {"job": {"idx": {"tablet_id": 50}, **more}}


def test_a_load_and_what_is_repeated(history):
    history("create_tablets", db_id=10, tablet_metas=[tablet(50), tablet(51)])
    history("update_tablet", tablet_meta_infos=[
        {"tablet_id": 50, "ttl_seconds": 7}])
    first = history.begin("a")
    history.load(first, 50)
    history.load(first, 51)
    history("precommit_txn", txn_id=first)
    history("commit_txn", txn_id=first, is_2pc=True)
    second = history.begin("b")
    history.load(second, 50)
    history.forget("begin_txn")  # the label is free then, for the same too
    history("abort_txn", db_id=10, label="b")
    third = history.begin("c")
    history.load(third, 50)
    history("commit_txn", txn_id=third)


def test_a_compaction_and_what_is_repeated(history):
    history("create_tablets", db_id=10, tablet_metas=[tablet(50)])
    for label in "ab":
        tid = history.begin(label)
        history.load(tid, 50)
        history("commit_txn", txn_id=tid)
    history("start_tablet_job", **job(compaction=[
        compaction("j", lease=4000000000, input_versions=[2, 3])]))
    history("finish_tablet_job", action="LEASE", **job(compaction=[
        {"id": "j", "lease": 4000000001}]))
    body = {"tablet_job_id": "j", "rowset_meta": rowset(50, 7, "out")}
    history("prepare_rowset", **body)
    history("commit_rowset", **body)
    history("finish_tablet_job", action="COMMIT", **job(compaction=[{
        "id": "j", "input_versions": [2, 3], "txn_id": [7],
        "output_rowset_ids": ["out"], "num_input_rowsets": 2,
        "num_output_rowsets": 1}]))


def test_a_schema_change_and_what_is_repeated(history):
    history("create_tablets", db_id=10, tablet_metas=[
        tablet(50), tablet(60, index_id=31, tablet_state="PB_NOTREADY")])
    tid = history.begin("a")
    history.load(tid, 50)
    history.load(tid, 60)  # loads write to both
    history("commit_txn", txn_id=tid)
    change = {"id": "s", "initiator": "be1", "expiration": 4000000000,
              "new_tablet_idx": {"tablet_id": 60}, "alter_version": 2}
    history("start_tablet_job", **job(schema_change=change))
    body = {"tablet_job_id": "s", "rowset_meta": rowset(60, 9, "new")}
    history("prepare_rowset", **body)
    history("commit_rowset", **body)
    history("finish_tablet_job", action="COMMIT", **job(schema_change={
        **change, "txn_ids": [9], "output_versions": [2],
        "num_output_rowsets": 1, "num_output_rows": 10,
        "size_output_rowsets": 100, "num_output_segments": 1}))
    rpc = history.rpc
    assert rpc.versions(60) == [(0, 1, "first60"), (2, 2, "new")]
    shown = rpc.stats(60)
    assert (shown["num_rowsets"], shown["num_rows"], shown["data_size"],
            shown["num_segments"]) == (2, 10, 100, 1)


def test_a_stage_and_what_is_repeated(history):
    stage = {"type": "EXTERNAL", "name": "e", "stage_id": "s"}
    history("create_stage", stage=stage)
    history("drop_stage", type="EXTERNAL", stage_name="e")
    history.rpc.fails("ALREADY_EXISTED", "stage was dropped, stage_id=s",
                      "create_stage", {"stage": stage})
    history.rpc.ok("create_stage", {"stage": {**stage, "stage_id": "t"}})


def test_a_request_begins_one_transaction(rpc):
    """Until that has been aborted."""
    asked = {"txn_info": txn("l", request_id={"hi": 1, "lo": 1})}
    tid = rpc.ok("begin_txn", asked)["txn_id"]
    assert rpc.fails("TXN_DUPLICATED_REQ", f"db_id=10 label=l txn_id={tid} "
                     "dup begin txn request.", "begin_txn", asked) \
        == {"dup_txn_id": tid}
    rpc.ok("abort_txn", {"txn_id": tid})
    assert rpc.ok("begin_txn", asked)["txn_id"] > tid


def test_a_late_lease_shortens_none(rpc):
    rpc.tablets(50)
    rpc.ok("start_tablet_job", job(compaction=[compaction("j")]))
    rpc.ok("finish_tablet_job", {"action": "LEASE", **job(
        compaction=[{"id": "j", "lease": 1}])})
    assert rpc.code("start_tablet_job", job(compaction=[compaction("k")])) \
        == "JOB_TABLET_BUSY"


def test_what_was_compacted_away_is_not_prepared_again(rpc):
    """Its data may be gone already."""
    rpc.tablets(50)
    tid = rpc.begin()
    name = rpc.load(tid, 50)
    rpc.commit(tid)
    rpc.ok("start_tablet_job", job(compaction=[
        compaction("j", input_versions=[2, 2])]))
    body = {"tablet_job_id": "j", "rowset_meta": rowset(50, 7, "out")}
    rpc.ok("prepare_rowset", body)
    rpc.ok("commit_rowset", body)
    rpc.ok("finish_tablet_job", {"action": "COMMIT", **job(compaction=[{
        "id": "j", "input_versions": [2, 2], "txn_id": [7],
        "output_rowset_ids": ["out"]}])})
    for rpc_name in ("prepare_rowset", "commit_rowset"):
        rpc.fails("STALE_PREPARE_ROWSET", "rowset is not prepared or was "
                  "recycled, tablet_id=50", rpc_name,
                  {"rowset_meta": rowset(50, rpc.begin(), name)})
