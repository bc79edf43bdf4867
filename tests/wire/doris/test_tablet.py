"""Tablets, their statistics and jobs."""

import json

import pytest

from support.load import race
from support.metarpc import MetaRpc, compaction, rowset, tablet
from support.metaservice import HDFS, MetaService, compact, without
from support.store import rows
from support.words import fresh

TEXT = 'status {\n  code: OK\n  msg: ""\n}\n\n'


# ---- create, get, update ----

def test_a_new_tablet(rpc):
    assert rpc.ok("create_tablets", {"db_id": 10, "tablet_metas": [
        tablet(50, creation_time=7)]}) == {}
    shown = rpc.ok("get_tablet", {"tablet_id": 50})["tablet_meta"]
    assert shown == {
        "table_id": 20, "partition_id": 40, "tablet_id": 50,
        "creation_time": 7, "schema": {
            "keys_type": "DUP_KEYS", "column": [{
                "unique_id": 0, "name": "k", "type": "INT", "is_key": True}],
            "schema_version": 1}, "index_id": 30, "schema_version": 1}
    assert rpc.versions(50) == [(0, 1, "first50")]


def test_a_tablet_is_asked_for_by_its_id(rpc):
    rpc.fails("INVALID_ARGUMENT", "no valid tablet_id given", "get_tablet")
    assert rpc.code("get_tablet", {"tablet_id": 51}) == "TABLET_NOT_FOUND"


def test_another_tablet_of_the_same_id_takes_its_place(rpc):
    rpc.tablets(50)
    tid = rpc.begin()
    rpc.load(tid, 50)
    rpc.commit(tid)
    rpc.tablets(50, partition_id=41)
    assert rpc.versions(50) == [(0, 1, "first50")]
    assert rpc.stats(50)["idx"]["partition_id"] == 41
    assert rpc.stats(50)["num_rowsets"] == 1


@pytest.mark.parametrize("body, message", [
    ({}, "no tablet meta"), ({"tablet_metas": []}, "no tablet meta"),
    ({"tablet_metas": [without(tablet(50), "schema")]},
     "tablet_meta must have either schema or schema_version"),
    ({"tablet_metas": [tablet(50), tablet(51), tablet(50)]},
     "tablet given twice, tablet_id=50"),
    ({"tablet_metas": [without(tablet(50), "table_id")]},
     "tablet_meta must have table_id, index_id, partition_id and tablet_id"),
    ({"cloud_unique_id": "nope", "tablet_metas": [tablet(50)]},
     "empty instance_id"),
    ({"storage_vault_name": "", "tablet_metas": [tablet(50)]},
     "You must supply at least one default vault"),
    ({"storage_vault_name": "v", "tablet_metas": [tablet(50)]},
     "failed to get vault id, vault name=v"),
])
def test_refusals_of_create_tablets(rpc, body, message):
    rpc.fails("INVALID_ARGUMENT", message, "create_tablets", body)
    assert rpc.code("get_tablet", {"tablet_id": 50}) == "TABLET_NOT_FOUND"


def test_the_vault_of_new_tablets(doris):
    ms = MetaService(doris)
    rpc = MetaRpc(doris, ms.instance(vault={"hdfs_info": HDFS}))
    ms.ok("add_hdfs_vault", {"cloud_unique_id": f"1:{rpc.iid}:x", "vault": {
        "name": "v2", "hdfs_info": HDFS}, "set_as_default_storage_vault":
        True})
    body = {"tablet_metas": [tablet(50)]}
    assert rpc.ok("create_tablets", {**body, "storage_vault_name":
                                     "built_in_storage_vault"}) == {
        "storage_vault_id": "1",
        "storage_vault_name": "built_in_storage_vault"}
    assert rpc.ok("create_tablets", {**body, "storage_vault_name": ""}) == {
        "storage_vault_id": "2", "storage_vault_name": "v2"}


def test_update_tablet(rpc):
    rpc.tablets(50, 51)
    rpc.ok("update_tablet", {"tablet_meta_infos": [
        {"tablet_id": 50, "ttl_seconds": 60, "is_in_memory": False},
        {"tablet_id": 51, "compaction_policy": "time_series"}]})
    shown = rpc.ok("get_tablet", {"tablet_id": 50})["tablet_meta"]
    assert (shown["ttl_seconds"], shown["is_in_memory"]) == (60, False)
    shown = rpc.ok("get_tablet", {"tablet_id": 51})["tablet_meta"]
    assert shown["compaction_policy"] == "time_series"
    assert rpc.code("update_tablet", {"tablet_meta_infos": [
        {"tablet_id": 50, "ttl_seconds": 61}, {"tablet_id": 52}]}) \
        == "TABLET_NOT_FOUND"
    shown = rpc.ok("get_tablet", {"tablet_id": 50})["tablet_meta"]
    assert shown["ttl_seconds"] == 60  # all or none
    rpc.fails("INVALID_ARGUMENT", "no tablet meta", "update_tablet")
    rpc.fails("INVALID_ARGUMENT", "tablet given twice, tablet_id=50",
              "update_tablet", {"tablet_meta_infos": [
                  {"tablet_id": 50}, {"tablet_id": 51}, {"tablet_id": 50}]})


# ---- get_tablet_stats ----

SHOWN = """status {
  code: OK
  msg: ""
}
tablet_stats {
  idx {
    table_id: 20
    index_id: 30
    partition_id: 40
    tablet_id: 50
  }
  data_size: 0
  num_rows: 0
  num_rowsets: 1
  num_segments: 0
  base_compaction_cnt: 0
  cumulative_compaction_cnt: 0
  cumulative_point: 2
}
"""


@pytest.fixture
def both(ms, doris):
    """The Meta Service on each mount, and the RPCs of a new instance."""
    return ms, MetaRpc(doris, ms.instance())


def test_stats_as_text(both):
    ms, rpc = both
    rpc.tablets(50, 51)
    body = {"cloud_unique_id": f"1:{rpc.iid}:any", "tablet_idx": [
        {"table_id": 20, "index_id": 30, "partition_id": 40, "tablet_id": 50}]}
    r = ms.send("get_tablet_stats", body, method="POST")
    assert (r.status, r.text) == (200, SHOWN + "\n")
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"
    body["tablet_idx"].append({"tablet_id": 51})  # by its id alone
    r = ms.send("get_tablet_stats", body, method="POST")
    assert r.text.count("tablet_stats {") == 2
    assert r.text.index("tablet_id: 50") < r.text.index("tablet_id: 51")
    r = ms.send("get_tablet_stats", {**body, "tablet_idx": []})
    assert (r.status, r.text) == (200, TEXT)


def test_stats_as_json(both):
    ms, rpc = both
    rpc.tablets(50)
    out = ms.result("get_tablet_stats", {
        "cloud_unique_id": f"1:{rpc.iid}:any",
        "tablet_idx": [{"tablet_id": 50}]},
        headers={"Accept": "application/json"})
    assert out["tablet_stats"][0]["cumulative_point"] == "2"


def index_key(iid, tablet_id):
    """MetaTabletIdxKey in hex."""
    text = lambda s: b"\x10" + s.encode() + b"\x00\x01"
    return (b"\x01" + text("meta") + text(iid) + text("tablet_index")
            + b"\x12" + tablet_id.to_bytes(8, "big")).hex()


def test_stats_of_nothing(both):
    ms, rpc = both
    rpc.tablets(50)
    cuid = {"cloud_unique_id": f"1:{rpc.iid}:any"}
    ms.missing("failed to get tablet_idx, err=KeyNotFound tablet_id=51 key="
               + index_key(rpc.iid, 51), "get_tablet_stats",
               {**cuid, "tablet_idx": [{"tablet_id": 50},
                                       {"tablet_id": 51}]})
    ms.missing("tablet stats not found, tablet_id=50", "get_tablet_stats",
               {**cuid, "tablet_idx": [{"table_id": 21, "index_id": 30,
                                        "partition_id": 40,
                                        "tablet_id": 50}]})
    ms.bad("empty instance_id", "get_tablet_stats",
           {"cloud_unique_id": "x", "tablet_idx": []})


def test_index_and_segments_are_counted_once_they_are_told(rpc):
    rpc.tablets(50)
    for more in ({}, {"total_disk_size": 130, "index_disk_size": 30},
                 {"total_disk_size": 7, "index_disk_size": 2,
                  "data_disk_size": 5}):
        tid = rpc.begin()
        rpc.load(tid, 50, **more)
        rpc.commit(tid)
    shown = rpc.stats(50)
    assert (shown["data_size"], shown["index_size"], shown["segment_size"]) \
        == (237, 32, 105)


# ---- jobs: start ----

def start(rpc, *jobs, tablet_id=50):
    return {"job": {"idx": {"tablet_id": tablet_id},
                    "compaction": list(jobs)}}


def test_the_same_job_again_is_fine(rpc):
    rpc.tablets(50)
    for _ in range(2):
        assert rpc.ok("start_tablet_job", start(rpc, compaction("j"))) == {}


@pytest.mark.parametrize("job, message", [
    (without(compaction("j"), "id"), "no job id specified"),
    (without(compaction("j"), "base_compaction_cnt"),
     "no valid compaction_cnt given"),
    (without(compaction("j"), "cumulative_compaction_cnt"),
     "no valid compaction_cnt given"),
    (without(compaction("j"), "expiration"), "no valid expiration given"),
    (without(compaction("j"), "lease"), "no valid lease given"),
    (compaction("j", input_versions=[3, 2]),
     "input_versions must be [start, end]"),
])
def test_what_a_job_needs(rpc, job, message):
    rpc.tablets(50)
    rpc.fails("INVALID_ARGUMENT", message, "start_tablet_job",
              start(rpc, job))


def test_refusals_of_start(rpc):
    rpc.tablets(50)
    rpc.fails("INVALID_ARGUMENT", "no valid job specified",
              "start_tablet_job", {"job": {"idx": {"tablet_id": 50}}})
    rpc.fails("INVALID_ARGUMENT", "no valid tablet_id given",
              "start_tablet_job", start(rpc, compaction("j"), tablet_id=0))
    assert rpc.code("start_tablet_job", start(rpc, compaction("j"),
                                              tablet_id=51)) \
        == "TABLET_NOT_FOUND"
    rpc.fails("INVALID_ARGUMENT", "cannot find instance_id with "
              "cloud_unique_id=x", "start_tablet_job",
              {**start(rpc, compaction("j")), "cloud_unique_id": "x"})


def test_jobs_that_touch_the_same_versions_exclude_each_other(rpc):
    rpc.tablets(50)
    rpc.ok("start_tablet_job", start(rpc, compaction(
        "a", input_versions=[2, 5])))
    more = rpc.fails(
        "JOB_TABLET_BUSY", "compaction has already started, tablet_id=50 "
        "job=" + compact({
            "type": "CUMULATIVE", "input_versions": ["2", "5"],
            "base_compaction_cnt": "0", "cumulative_compaction_cnt": "0",
            "id": "a", "expiration": "4000000000", "lease": "4000000000"}),
        "start_tablet_job", start(rpc, compaction("b", input_versions=[5, 9])))
    assert more == {"version_in_compaction": [2, 5]}
    rpc.ok("start_tablet_job", start(rpc, compaction(
        "b", input_versions=[6, 9])))
    rpc.ok("start_tablet_job", start(rpc, compaction("c", "BASE")))
    assert rpc.code("start_tablet_job", start(rpc, compaction("d", "BASE"))) \
        == "JOB_TABLET_BUSY"


def test_a_full_compaction_ends_the_others(rpc):
    rpc.tablets(50)
    rpc.ok("start_tablet_job", start(rpc, compaction("a"),
                                     compaction("b", "BASE")))
    rpc.ok("start_tablet_job", start(rpc, compaction("f", "FULL")))
    assert rpc.code("finish_tablet_job", {
        "action": "ABORT", **start(rpc, {"id": "a"})}) == "INVALID_ARGUMENT"
    assert rpc.code("start_tablet_job", start(rpc, compaction("a"))) \
        == "JOB_TABLET_BUSY"


def test_a_job_without_lease_makes_way(rpc):
    rpc.tablets(50)
    rpc.ok("start_tablet_job", start(rpc, compaction("a", lease=1)))
    rpc.ok("start_tablet_job", start(rpc, compaction("b", expiration=1)))
    rpc.fails("JOB_EXPIRED", "expired compaction job, tablet_id=50 job="
              + compact({"idx": {"table_id": "20", "index_id": "30",
                                 "partition_id": "40", "tablet_id": "50"},
                         "compaction": [{
                             "type": "CUMULATIVE",
                             "base_compaction_cnt": "0",
                             "cumulative_compaction_cnt": "0", "id": "b",
                             "expiration": "1", "lease": "4000000000"}]}),
              "finish_tablet_job", {"action": "LEASE", **start(
                  rpc, {"id": "b", "lease": 5})})
    rpc.ok("start_tablet_job", start(rpc, compaction("c")))


def test_one_of_many_starts(rpc):
    rpc.tablets(50)
    codes = race(12, lambda n: rpc.code("start_tablet_job", start(
        rpc, compaction(f"j{n}"))))
    assert sorted(codes) == ["JOB_TABLET_BUSY"] * 11 + ["OK"]


# ---- jobs: finish ----

def loaded(rpc, n):
    """A tablet with versions 2 to n + 1."""
    rpc.tablets(50)
    for _ in range(n):
        tid = rpc.begin()
        rpc.load(tid, 50)
        rpc.commit(tid)


def output(rpc, job_id, name, txn_id=7, **more):
    """The rowset that a compaction writes."""
    body = {"tablet_job_id": job_id, "rowset_meta": rowset(
        50, txn_id, name, **more)}
    rpc.ok("prepare_rowset", body)
    rpc.ok("commit_rowset", body)


def outcome(job_id, first, last, name, rows, txn_id=7):
    n = last - first + 1
    return {"id": job_id, "input_versions": [first, last],
            "output_versions": [last], "output_rowset_ids": [name],
            "txn_id": [txn_id], "num_input_rowsets": n,
            "num_output_rowsets": 1, "num_input_segments": n,
            "num_output_segments": 1, "size_input_rowsets": 100 * n,
            "size_output_rowsets": 70 * n, "num_input_rows": 10 * n,
            "num_output_rows": rows, "output_cumulative_point": last + 1}


def test_a_compaction_replaces_its_input(rpc, sql):
    loaded(rpc, 4)
    rpc.ok("start_tablet_job", start(rpc, compaction(
        "j", input_versions=[2, 4])))
    output(rpc, "j", "out", num_rows=25)
    body = {"action": "COMMIT", **start(rpc, outcome("j", 2, 4, "out", 25))}
    out = rpc.ok("finish_tablet_job", body)["stats"]
    assert out.pop("last_cumu_compaction_time_ms") > 0
    assert out == {"idx": {"table_id": 20, "index_id": 30,
                           "partition_id": 40, "tablet_id": 50},
                   "data_size": 310, "num_rows": 35, "num_rowsets": 3,
                   "num_segments": 2, "base_compaction_cnt": 0,
                   "cumulative_compaction_cnt": 1, "cumulative_point": 5}
    got = rpc.versions(50)
    assert [v[:2] for v in got] == [(0, 1), (2, 4), (5, 5)]
    assert got[1][2] == "out"
    rpc.fails("INVALID_ARGUMENT", "there is no running compaction, "
              "tablet_id=50", "finish_tablet_job", body)  # again
    assert rpc.versions(50) == got
    assert rpc.code("start_tablet_job", start(rpc, compaction("k"))) \
        == "STALE_TABLET_CACHE"
    rpc.ok("start_tablet_job", start(rpc, compaction(
        "k", cumulative_compaction_cnt=1)))


@pytest.mark.parametrize("indent", [None, 4])
def test_a_schema_of_many_columns_is_read_again(rpc, indent):
    """As a client prints it: what is accepted is shown, in either form."""
    columns = [{"unique_id": n, "name": f"column_{n}", "type": "INT",
                "is_key": n == 0, "is_nullable": True, "length": 4}
               for n in range(1000)]
    body = {"cloud_unique_id": f"1:{rpc.iid}:any", "db_id": 10,
            "tablet_metas": [tablet(50, schema={
                "schema_version": 0, "keys_type": "DUP_KEYS",
                "column": columns})]}
    r = rpc.client.request("POST", "/MetaService/create_tablets",
                           json.dumps(body, indent=indent))
    assert r.json["status"]["code"] == "OK", r
    shown = rpc.ok("get_tablet", {"tablet_id": 50})["tablet_meta"]
    assert shown["schema"]["column"] == columns


@pytest.mark.parametrize("more", [
    {"size_output_rowsets": 2**63 - 1, "size_input_rowsets": -2**63},
    {"num_output_rows": -2**63, "num_input_rows": 1},
    {"num_output_rowsets": 2**63 - 1, "num_input_rowsets": -1},
    {"num_output_segments": -2**63, "num_input_segments": 2**63 - 1},
    {"index_size_output_rowsets": 2**63 - 1,
     "index_size_input_rowsets": -2**63},
    {"segment_size_output_rowsets": -2**63,
     "segment_size_input_rowsets": 2**63 - 1},
])
def test_figures_whose_difference_is_no_number_are_refused(rpc, more):
    loaded(rpc, 4)
    rpc.ok("start_tablet_job", start(rpc, compaction(
        "j", input_versions=[2, 4])))
    output(rpc, "j", "out", num_rows=25)
    before = rpc.versions(50), rpc.stats(50)
    rpc.fails("INVALID_ARGUMENT", "invalid output: the figures of rowsets, "
              "rows, segments or sizes are out of range", "finish_tablet_job",
              {"action": "COMMIT", **start(rpc, {
                  **outcome("j", 2, 4, "out", 25), **more})})
    assert (rpc.versions(50), rpc.stats(50)) == before


def test_kinds_of_compactions_count(rpc):
    rpc.tablets(50)
    rpc.ok("start_tablet_job", start(rpc, compaction("e",
                                                     "EMPTY_CUMULATIVE")))
    rpc.ok("finish_tablet_job", {"action": "COMMIT", **start(
        rpc, {"id": "e", "output_cumulative_point": 9})})
    shown = rpc.stats(50)
    assert (shown["cumulative_point"], shown["cumulative_compaction_cnt"]) \
        == (9, 1)
    for kind, counter in (("BASE", "base_compaction_cnt"),
                          ("FULL", "full_compaction_cnt")):
        first = rpc.versions(50)[0]
        rpc.ok("start_tablet_job", start(rpc, compaction(
            kind, kind, base_compaction_cnt=5, cumulative_compaction_cnt=5,
            input_versions=list(first[:2]))))
        output(rpc, kind, kind)
        rpc.ok("finish_tablet_job", {"action": "COMMIT", **start(rpc, outcome(
            kind, *first[:2], kind, 20))})
        assert rpc.stats(50)[counter] >= 1


def test_a_compaction_without_output_changes_nothing(rpc):
    loaded(rpc, 2)
    before = rpc.versions(50), rpc.stats(50)
    rpc.ok("start_tablet_job", start(rpc, compaction("j")))
    rpc.fails("UNDEFINED_ERR", "failed to get tmp rowset, tablet_id=50 "
              "err=KeyNotFound", "finish_tablet_job", {
                  "action": "COMMIT", **start(rpc, outcome(
                      "j", 2, 3, "out", 1))})
    output(rpc, "j", "out")
    rpc.fails("UNDEFINED_ERR", "too few input rowsets, tablet_id=50 "
              "num_rowsets=0", "finish_tablet_job", {
                  "action": "COMMIT", **start(rpc, outcome(
                      "j", 20, 30, "out", 1))})
    assert rpc.code("finish_tablet_job", {"action": "COMMIT", **start(
        rpc, {"id": "j"})}) == "INVALID_ARGUMENT"
    assert (rpc.versions(50), rpc.stats(50)) == before


def test_an_aborted_compaction_leaves_nothing(rpc, sql):
    loaded(rpc, 2)
    rpc.load(rpc.begin(), 50, "of_a_transaction")
    for job, kind, txn_id in (("a", "CUMULATIVE", 7), ("b", "BASE", 8)):
        rpc.ok("start_tablet_job", start(rpc, compaction(job, kind)))
        output(rpc, job, f"out_{job}", txn_id)

    def places():
        return {table: {r["rowset_id"] for r in rows(
            sql, f"SELECT rowset_id FROM {table} WHERE instance_id = %s",
            rpc.iid.encode())}
            for table in ("doris_rowset_tmp", "doris_rowset_recycle")}

    abort = lambda job: rpc.ok("finish_tablet_job", {
        "action": "ABORT", **start(rpc, {"id": job})})
    abort("a")  # the other may still commit what it has written
    assert len(places()["doris_rowset_tmp"]) == 3
    abort("b")
    assert places() == {"doris_rowset_tmp": {b"of_a_transaction"},
                        "doris_rowset_recycle": {b"out_a", b"out_b"}}


def test_a_rowset_of_a_job_that_is_over_is_stale(rpc):
    rpc.tablets(50)
    assert rpc.code("prepare_rowset", {
        "tablet_job_id": "j", "rowset_meta": rowset(50, 7)}) \
        == "STALE_PREPARE_ROWSET"


def test_a_lease_is_prolonged(rpc):
    rpc.tablets(50)
    rpc.ok("start_tablet_job", start(rpc, compaction("j", lease=1)))
    rpc.ok("finish_tablet_job", {"action": "LEASE", **start(
        rpc, {"id": "j", "lease": 4000000001})})
    assert rpc.code("start_tablet_job", start(rpc, compaction("k"))) \
        == "JOB_TABLET_BUSY"
    rpc.fails("INVALID_ARGUMENT", "no valid action given",
              "finish_tablet_job", start(rpc, {"id": "j"}))


# ---- schema changes ----

def schema_change(new_tablet_id=60, **more):
    return {"job": {"idx": {"tablet_id": 50}, "schema_change": {
        "id": "s", "initiator": "be1", "expiration": 4000000000,
        "new_tablet_idx": {"tablet_id": new_tablet_id}, **more}}}


def test_a_schema_change(rpc):
    loaded(rpc, 1)
    rpc.tablets(60, tablet_state="PB_NOTREADY", rs_metas=[])
    rpc.ok("start_tablet_job", schema_change(alter_version=2))
    more = rpc.fails("JOB_CHECK_ALTER_VERSION", "Check compaction input "
                     "versions failed in schema change. "
                     "schema_change_alter_version=2", "start_tablet_job",
                     start(rpc, compaction("j", input_versions=[2, 3])))
    assert more == {"alter_version": 2}
    body = {"tablet_job_id": "s", "rowset_meta": rowset(60, 9, "new",
                                                        num_rows=10)}
    rpc.ok("prepare_rowset", body)
    rpc.ok("commit_rowset", body)
    done = {"action": "COMMIT", **schema_change(
        txn_ids=[9], output_versions=[2], num_output_rowsets=1,
        num_output_rows=10, size_output_rowsets=90,
        num_output_segments=1, output_cumulative_point=3)}
    rpc.ok("finish_tablet_job", done)
    assert rpc.ok("get_tablet", {"tablet_id": 60})["tablet_meta"][
        "tablet_state"] == "PB_RUNNING"
    assert rpc.versions(60) == [(2, 2, "new")]
    assert rpc.stats(60)["cumulative_point"] == 3
    rpc.fails("INVALID_ARGUMENT", "there is no running schema_change, "
              "tablet_id=50", "finish_tablet_job", done)
    rpc.fails("JOB_ALREADY_SUCCESS", "schema_change job already success",
              "start_tablet_job", schema_change())


@pytest.mark.parametrize("more, message", [
    ({"id": ""}, "no job id specified"),
    ({"initiator": ""}, "no initiator specified"),
    ({"new_tablet_idx": {}}, "no valid new_tablet_id given"),
    ({"new_tablet_idx": {"tablet_id": 50}},
     "not allow new_tablet_id same with base_tablet_id"),
    ({"new_tablet_idx": {"tablet_id": 51}}, "invalid new tablet state"),
])
def test_what_a_schema_change_needs(rpc, more, message):
    rpc.tablets(50)
    rpc.tablets(51)
    rpc.fails("INVALID_ARGUMENT", message, "start_tablet_job",
              schema_change(**more))


# ---- abort_tablet_job ----

def test_abort_answers_text(both):
    ms, rpc = both
    cuid = {"cloud_unique_id": f"1:{rpc.iid}:any"}
    rpc.tablets(50)
    rpc.ok("start_tablet_job", start(rpc, compaction("113974"),
                                     compaction("b", "BASE")))
    r = ms.send("abort_tablet_job", {**cuid, **start(rpc, {"id": 113974})},
                method="POST")
    assert (r.status, r.text) == (200, TEXT)
    ms.ok("abort_tablet_job", {**cuid, **start(rpc, {"id": "b"})},
          headers={"Accept": "application/json"})
    rpc.ok("start_tablet_job", start(rpc, compaction("k")))


def test_refusals_of_abort(both):
    ms, rpc = both
    cuid = {"cloud_unique_id": f"1:{rpc.iid}:any"}
    rpc.tablets(50)
    given = {"idx": {"tablet_id": "50"}, "compaction": [{"id": "j"}]}
    asked = {**cuid, **start(rpc, {"id": "j"})}
    ms.bad("cannot find instance_id with cloud_unique_id=x",
           "abort_tablet_job", {**asked, "cloud_unique_id": "x"})
    ms.bad("no valid job specified", "abort_tablet_job", cuid)
    ms.bad("no valid job specified", "abort_tablet_job",
           {**cuid, "job": {"idx": {"tablet_id": 50}}})
    ms.bad("no valid tablet_id given", "abort_tablet_job",
           {**cuid, "job": {"compaction": [{"id": "j"}]}})
    ms.missing("failed to get tablet_idx, err=KeyNotFound tablet_id=51 key="
               + index_key(rpc.iid, 51), "abort_tablet_job",
               {**cuid, **start(rpc, {"id": "j"}, tablet_id=51)})
    ms.bad(f"job not found, instance_id={rpc.iid} tablet_id=50 job="
           f"{compact(given)} err=KeyNotFound", "abort_tablet_job", asked)
    rpc.ok("start_tablet_job", start(rpc, compaction("a")))
    recorded = {"idx": {"table_id": "20", "index_id": "30",
                        "partition_id": "40", "tablet_id": "50"},
                "compaction": [{
                    "type": "CUMULATIVE", "base_compaction_cnt": "0",
                    "cumulative_compaction_cnt": "0", "id": "a",
                    "expiration": "4000000000", "lease": "4000000000"}]}
    ms.bad(f"unmatched job id, recorded_job={compact(recorded)} "
           f"given_job={compact(given)}", "abort_tablet_job", asked)
    ms.send("abort_tablet_job", {**cuid, **start(rpc, {"id": "a"})})
    ms.bad("there is no running compaction, tablet_id=50",
           "abort_tablet_job", {**cuid, **start(rpc, {"id": "a"})})
