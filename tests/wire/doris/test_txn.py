"""Transactions: states, labels, time-outs, versions and statistics."""

import time

import pytest

from support.load import race
from support.metarpc import rowset, txn
from support.metaservice import MetaService, compact
from support.store import value
from support.waiting import until
from support.words import fresh


# ---- begin ----

def test_a_new_transaction_is_prepared(rpc):
    before = int(time.time() * 1000)
    tid = rpc.begin("l1", coordinator={"sourceType": "TXN_SOURCE_TYPE_FE",
                                       "ip": "10.0.0.1"}, listener_id=7)
    assert tid % 1024 == 0
    shown = rpc.txn(tid)
    assert before <= shown.pop("prepare_time") <= time.time() * 1000
    assert shown == {
        "db_id": 10, "table_ids": [20], "txn_id": tid, "label": "l1",
        "coordinator": {"sourceType": "TXN_SOURCE_TYPE_FE",
                        "ip": "10.0.0.1"},
        "timeout_ms": 600000, "status": "TXN_STATUS_PREPARED",
        "listener_id": 7}


def test_ids_grow(rpc):
    ids = [rpc.begin() for _ in range(5)]
    assert ids == sorted(set(ids))


def test_a_client_does_not_choose_state_and_times(rpc):
    tid = rpc.begin(status="TXN_STATUS_VISIBLE", txn_id=5, prepare_time=1)
    shown = rpc.txn(tid)
    assert shown["status"] == "TXN_STATUS_PREPARED"
    assert shown["txn_id"] == tid != 5 and shown["prepare_time"] > 1
    for later in "precommit_time", "commit_time", "finish_time", "reason":
        rpc.fails("INVALID_ARGUMENT", f"a new transaction has no {later}",
                  "begin_txn", {"txn_info": {**txn("later"), later: 2}})


@pytest.mark.parametrize("left_out", ["label", "db_id", "table_ids",
                                      "timeout_ms"])
def test_what_a_transaction_needs(rpc, left_out):
    asked = {k: v for k, v in txn("l").items() if k != left_out}
    rpc.fails("INVALID_ARGUMENT", "invalid argument, label="
              f"{asked.get('label', '')} db_id={asked.get('db_id', -1)}",
              "begin_txn", {"txn_info": asked})


def test_a_transaction_needs_an_instance(rpc):
    rpc.fails("INVALID_ARGUMENT", "cannot find instance_id with "
              "cloud_unique_id=nope label=l", "begin_txn",
              {"cloud_unique_id": "nope", "txn_info": txn("l")})
    rpc.fails("INVALID_ARGUMENT", "cannot find instance_id with "
              "cloud_unique_id=(empty) label=l", "begin_txn",
              {"cloud_unique_id": "", "txn_info": txn("l")})
    rpc.fails("INVALID_ARGUMENT", "cannot find instance_id with "
              "cloud_unique_id=1:no_such:x label=l", "begin_txn",
              {"cloud_unique_id": "1:no_such:x", "txn_info": txn("l")})


def test_no_transaction_of_a_dropped_instance(doris, rpc):
    MetaService(doris).ok("drop_instance", {"instance_id": rpc.iid})
    rpc.fails("INVALID_ARGUMENT",
              "instance status has been set delete, plz check it",
              "begin_txn", {"txn_info": txn()})


def test_missing_info(rpc):
    rpc.fails("INVALID_ARGUMENT", "invalid argument, missing txn info",
              "begin_txn")


# ---- labels ----

def test_a_label_is_used_once(rpc):
    tid = rpc.begin("l")
    more = rpc.fails("TXN_LABEL_ALREADY_USED", "Label [l] has already been "
                     f"used, relate to txn [{tid}]", "begin_txn",
                     {"txn_info": txn("l")})
    assert more == {"txn_status": "TXN_STATUS_PREPARED"}
    rpc.commit(tid)
    more = rpc.fails("TXN_LABEL_ALREADY_USED", "Label [l] has already been "
                     f"used, relate to txn [{tid}]", "begin_txn",
                     {"txn_info": txn("l")})
    assert more == {"txn_status": "TXN_STATUS_VISIBLE"}
    rpc.begin("l", db_id=11)  # another database's labels are its own


def test_the_same_request_again_learns_its_transaction(rpc):
    asked = txn("l", request_id={"hi": 1, "lo": -2})
    tid = rpc.ok("begin_txn", {"txn_info": asked})["txn_id"]
    more = rpc.fails("TXN_DUPLICATED_REQ", f"db_id=10 label=l txn_id={tid} "
                     "dup begin txn request.", "begin_txn",
                     {"txn_info": asked})
    assert more == {"dup_txn_id": tid}
    asked["request_id"] = {"hi": 1, "lo": 2}
    assert rpc.code("begin_txn", {"txn_info": asked}) \
        == "TXN_LABEL_ALREADY_USED"


def test_an_aborted_one_may_be_asked_for_again(rpc):
    asked = txn("l", request_id={"hi": 1, "lo": 2})
    first = rpc.ok("begin_txn", {"txn_info": asked})["txn_id"]
    rpc.ok("abort_txn", {"txn_id": first})
    second = rpc.ok("begin_txn", {"txn_info": asked})["txn_id"]
    assert second > first
    rpc.ok("precommit_txn", {"txn_id": second})
    more = rpc.fails("TXN_DUPLICATED_REQ", f"db_id=10 label=l txn_id={second} "
                     "dup begin txn request.", "begin_txn",
                     {"txn_info": asked})
    assert more == {"dup_txn_id": second}


def test_a_label_is_free_again_after_an_abort(rpc):
    first = rpc.begin("l")
    rpc.ok("abort_txn", {"txn_id": first})
    second = rpc.begin("l")
    assert second > first
    assert rpc.ok("get_txn", {"db_id": 10, "label": "l"})["txn_info"][
        "txn_id"] == second


def test_not_for_ever(rpc):
    for _ in range(100):
        last = rpc.begin("l")
        rpc.ok("abort_txn", {"txn_id": last})
    rpc.fails("INVALID_ARGUMENT", f"too many aborted txn for label=l "
              f"txn_id={last}, please check your data quality", "begin_txn",
              {"txn_info": txn("l")})


def test_one_of_many_gets_a_label(rpc):
    replies = race(16, lambda n: rpc.send("begin_txn", {"txn_info": txn(
        "l", request_id={"hi": n % 4, "lo": 0})}).json)
    won = [r for r in replies if r["status"]["code"] == "OK"]
    assert len(won) == 1, replies
    for r in replies:
        if r["status"]["code"] == "TXN_DUPLICATED_REQ":
            assert r["dup_txn_id"] == won[0]["txn_id"]
        elif r is not won[0]:
            assert r["status"]["code"] == "TXN_LABEL_ALREADY_USED", r


# ---- time-outs ----

def test_an_overdue_transaction_aborts_by_itself(rpc, sql):
    rpc.tablets(50)
    tid = rpc.begin("l", timeout_ms=0)
    until(lambda: rpc.txn(tid)["status"] == "TXN_STATUS_ABORTED",
          "the transaction is aborted")
    shown = rpc.txn(tid)
    assert shown["reason"] == "timeout by txn manager"
    assert shown["finish_time"] >= shown["prepare_time"]
    assert rpc.code("commit_txn", {"txn_id": tid}) == "TXN_ALREADY_ABORTED"


def test_an_overdue_transaction_does_not_hold_its_label(rpc):
    first = rpc.begin("l", timeout_ms=0)
    until(lambda: rpc.code("begin_txn", {"txn_info": txn("l")}) == "OK",
          "the label is free")
    assert rpc.txn(first)["status"] == "TXN_STATUS_ABORTED"


def test_a_precommitted_one_has_a_time_of_its_own(rpc, sql):
    tid = rpc.begin(timeout_ms=600000)
    rpc.ok("precommit_txn", {"txn_id": tid, "precommit_timeout_ms": 1})
    until(lambda: rpc.txn(tid)["status"] == "TXN_STATUS_ABORTED",
          "the transaction is aborted")


def test_a_commit_that_is_late_says_so(rpc):
    tid = rpc.begin(timeout_ms=0)
    for _ in range(2):  # whether or not the duty has come by
        rpc.fails("TXN_ALREADY_ABORTED",
                  f"transaction is expired, db_id=10 txn_id={tid}",
                  "commit_txn", {"db_id": 10, "txn_id": tid})
        until(lambda: rpc.txn(tid)["status"] == "TXN_STATUS_ABORTED",
              "the transaction is aborted")


# ---- precommit, commit, abort ----

def test_two_phases(rpc):
    tid = rpc.begin()
    rpc.fails("TXN_INVALID_STATUS", "transaction is prepare, not "
              f"pre-committed: db_id=10 txn_id={tid}", "commit_txn",
              {"txn_id": tid, "is_2pc": True})
    assert rpc.ok("precommit_txn", {"db_id": 10, "txn_id": tid}) \
        == {"txn_id": tid}
    rpc.fails("TXN_ALREADY_PRECOMMITED", "transaction is already "
              f"precommitted: db_id=10 txn_id={tid}", "precommit_txn",
              {"txn_id": tid})
    assert rpc.txn(tid)["status"] == "TXN_STATUS_PRECOMMITTED"
    out = rpc.commit(tid, is_2pc=True)
    assert out["txn_info"]["status"] == "TXN_STATUS_VISIBLE"
    rpc.fails("TXN_ALREADY_VISIBLE", f"transaction [{tid}] is already "
              "visible, not pre-committed.", "commit_txn",
              {"txn_id": tid, "is_2pc": True})
    rpc.fails("TXN_ALREADY_VISIBLE", "transaction is already visible: "
              f"db_id=10 txn_id={tid}", "precommit_txn", {"txn_id": tid})


def test_unknown_transactions(rpc):
    for tid in (1024, 5, 1 << 62, -1):
        rpc.fails("TXN_ID_NOT_FOUND", f"failed to get db id, txn_id={tid} "
                  "err=KeyNotFound", "commit_txn", {"txn_id": tid})
    rpc.fails("TXN_ID_NOT_FOUND", "failed to get txn_info, db_id=3txn_id=1024"
              "err=KeyNotFound", "commit_txn", {"txn_id": 1024, "db_id": 3})
    tid = rpc.begin()
    assert rpc.code("commit_txn", {"txn_id": tid, "db_id": 11}) \
        == "TXN_ID_NOT_FOUND"
    rpc.fails("INVALID_ARGUMENT", "invalid argument, missing txn id",
              "commit_txn", {"db_id": 10})


def test_a_transaction_of_another_instance_is_unknown(doris, rpc):
    tid = rpc.begin()
    other = type(rpc)(doris, MetaService(doris).instance())
    assert other.code("commit_txn", {"txn_id": tid}) == "TXN_ID_NOT_FOUND"
    assert other.code("abort_txn", {"txn_id": tid}) == "TXN_ID_NOT_FOUND"
    assert rpc.txn(tid)["status"] == "TXN_STATUS_PREPARED"


def test_a_commit_makes_rowsets_visible(rpc):
    rpc.tablets(50, 51)
    rpc.tablets(60, partition_id=41)
    tid = rpc.begin()
    names = {t: rpc.load(tid, t, num_rows=t) for t in (50, 51, 60)}
    assert rpc.versions(50) == [(0, 1, "first50")]
    out = rpc.commit(tid, base_tablet_ids=[50, 51])
    assert out["txn_info"]["status"] == "TXN_STATUS_VISIBLE"
    assert (out["table_ids"], out["partition_ids"], out["versions"]) \
        == ([20, 20], [40, 41], [2, 2])
    assert out["table_stats"] == [{"table_id": 20, "updated_row_count": 101}]
    for t in names:
        assert rpc.versions(t) == [(0, 1, f"first{t}"), (2, 2, names[t])]
        shown = rpc.stats(t)
        assert (shown["num_rows"], shown["num_rowsets"], shown["data_size"],
                shown["num_segments"]) == (t, 2, 100, 1)
    assert rpc.ok("get_version", {"db_id": 10, "table_id": 20,
                                  "partition_id": 40}) == {"version": 2}
    assert rpc.ok("get_version", {"db_id": 10, "table_id": 20,
                                  "is_table_version": True}) == {"version": 1}


def test_a_partition_without_a_load_has_no_version(rpc):
    rpc.fails("VERSION_NOT_FOUND", "not found", "get_version",
              {"db_id": 10, "table_id": 20, "partition_id": 40})


@pytest.mark.parametrize("place, told", [
    ({}, "db_id=-1 table_id=-1 partition_id=-1 is_table_version=0"),
    ({"db_id": 10}, "db_id=10 table_id=-1 partition_id=-1 is_table_version=0"),
    ({"db_id": 10, "table_id": 20},
     "db_id=10 table_id=20 partition_id=-1 is_table_version=0"),
    ({"db_id": 10, "table_id": 20, "partition_id": -1},
     "db_id=10 table_id=20 partition_id=-1 is_table_version=0"),
    ({"table_id": 20, "is_table_version": True},
     "db_id=-1 table_id=20 partition_id=-1 is_table_version=1"),
    ({"db_ids": [10], "table_ids": [20], "partition_ids": [40]},
     "db_id=-1 table_id=-1 partition_id=-1 is_table_version=0")])
def test_a_version_is_of_some_place(rpc, place, told):
    rpc.fails("INVALID_ARGUMENT", f"params error, {told}", "get_version",
              place)


def test_every_call_again_after_its_successor_does_no_harm(rpc):
    rpc.tablets(50)
    tid = rpc.begin("l")
    body = {"rowset_meta": rowset(50, tid, "rs1")}
    begin = {"txn_info": txn("l")}
    rpc.ok("prepare_rowset", body)
    assert rpc.code("begin_txn", begin) == "TXN_LABEL_ALREADY_USED"
    rpc.ok("prepare_rowset", body)
    rpc.ok("commit_rowset", body)
    more = rpc.fails("ALREADY_EXISTED", "rowset already exists",
                     "prepare_rowset", body)
    assert more["existed_rowset_meta"]["rowset_id_v2"] == "rs1"
    rpc.ok("commit_rowset", body)
    rpc.commit(tid)
    after = rpc.versions(50), rpc.stats(50)
    for name in ("prepare_rowset", "commit_rowset"):
        assert rpc.code(name, body) == "TXN_ALREADY_VISIBLE"
    assert rpc.code("precommit_txn", {"txn_id": tid}) == "TXN_ALREADY_VISIBLE"
    assert rpc.code("abort_txn", {"txn_id": tid}) == "TXN_ALREADY_VISIBLE"
    assert rpc.code("begin_txn", begin) == "TXN_LABEL_ALREADY_USED"
    again = rpc.send("commit_txn", {"db_id": 10, "txn_id": tid}).json
    assert again["status"] == {
        "code": "OK", "msg": "transaction is already visible: db_id=10 "
        f"txn_id={tid}"}
    assert again["txn_info"]["status"] == "TXN_STATUS_VISIBLE"
    assert (rpc.versions(50), rpc.stats(50)) == after


def test_a_rowset_need_not_be_prepared(rpc):
    rpc.tablets(50)
    tid = rpc.begin()
    body = {"rowset_meta": rowset(50, tid, "rs1")}
    rpc.ok("commit_rowset", body)
    rpc.ok("commit_rowset", body)
    rpc.commit(tid)
    assert rpc.stats(50)["num_rowsets"] == 2


def test_versions_of_many_places_at_once(rpc):
    rpc.tablets(50)
    tid = rpc.begin()
    rpc.load(tid, 50)
    rpc.commit(tid)
    one = rpc.ok("get_version", {"db_id": 10, "table_id": 20,
                                 "partition_id": 40})["version"]
    many = rpc.ok("get_version", {
        "batch_mode": True, "db_ids": [10, 10], "table_ids": [20, 20],
        "partition_ids": [40, 41]})
    assert many["versions"] == [one, -1]
    assert many["partition_ids"] == [40, 41]
    assert many["version_update_time_ms"][1] == -1
    tables = rpc.ok("get_version", {
        "batch_mode": True, "is_table_version": True, "db_ids": [10],
        "table_ids": [20]})
    assert tables["versions"][0] > 0
    # what FE sends beside the lists
    assert rpc.ok("get_version", {
        "batch_mode": True, "db_id": -1, "table_id": -1, "partition_id": -1,
        "db_ids": [10], "table_ids": [20], "partition_ids": [40]}
    )["versions"] == [one]


@pytest.mark.parametrize("place, told", [
    ({}, (0, 0, 0, 0)),
    # ids of one place are none of a batch: the lists are what is missing
    ({"db_id": 10, "table_id": 20, "partition_id": 40}, (0, 0, 0, 0)),
    ({"db_ids": [10]}, (1, 0, 0, 0)),
    ({"db_ids": [10], "table_ids": [20]}, (1, 1, 0, 0)),
    ({"db_ids": [10, 11], "table_ids": [20], "partition_ids": [1, 2]},
     (2, 1, 2, 0)),
    ({"db_ids": [10], "table_ids": [20], "partition_ids": [1, 2]},
     (1, 1, 2, 0)),
    ({"db_ids": [10], "is_table_version": True}, (1, 0, 0, 1)),
    ({"db_ids": [10], "table_ids": [20], "partition_ids": [1],
      "is_table_version": True}, (1, 1, 1, 1))])
def test_versions_of_a_batch_are_of_lists(rpc, place, told):
    rpc.fails("INVALID_ARGUMENT", "param error, num db_ids={} num table_ids={}"
              " num partition_ids={} is_table_version={}".format(*told),
              "get_version", {"batch_mode": True, **place})


def test_a_prepared_rowset_of_a_visible_one_is_not_recyclable(rpc, sql):
    """Doris's recycler deleted what a late prepare had named."""
    rpc.tablets(50)
    tid = rpc.begin()
    name = rpc.load(tid, 50)
    rpc.commit(tid)
    other = rpc.begin()  # even under another transaction
    assert rpc.code("prepare_rowset", {"rowset_meta": rowset(
        50, other, name)}) == "ALREADY_EXISTED"
    assert value(sql, "SELECT COUNT(*) FROM doris_rowset_recycle"
                 " WHERE instance_id = %s", rpc.iid.encode()) == 0


def test_another_rowset_for_the_same_tablet_is_refused(rpc):
    rpc.tablets(50)
    tid = rpc.begin()
    other = {"rowset_meta": rowset(50, tid, "other")}
    rpc.ok("prepare_rowset", other)
    rpc.load(tid, 50, "rs1")
    more = rpc.fails("ALREADY_EXISTED", "rowset already exists",
                     "commit_rowset", other)
    assert more["existed_rowset_meta"]["rowset_id_v2"] == "rs1"


def test_rowsets_that_have_no_place(rpc):
    rpc.tablets(50)
    tid = rpc.begin()
    assert rpc.code("prepare_rowset", {"rowset_meta": rowset(51, tid)}) \
        == "TABLET_NOT_FOUND"
    rpc.fails("TXN_ID_NOT_FOUND", "the transaction of the rowset is unknown, "
              "txn_id=1024", "prepare_rowset",
              {"rowset_meta": rowset(50, 1024)})
    rpc.fails("INVALID_ARGUMENT", "no rowset meta", "commit_rowset")
    rpc.ok("abort_txn", {"txn_id": tid})
    assert rpc.code("prepare_rowset", {"rowset_meta": rowset(50, tid)}) \
        == "TXN_ALREADY_ABORTED"


def test_an_abort_leaves_nothing(rpc, sql):
    rpc.tablets(50)
    tid = rpc.begin("l")
    rpc.load(tid, 50, "gone")
    out = rpc.ok("abort_txn", {"db_id": 10, "label": "l"})["txn_info"]
    assert (out["txn_id"], out["status"], out["reason"]) \
        == (tid, "TXN_STATUS_ABORTED", "User Abort")
    assert rpc.versions(50) == [(0, 1, "first50")]
    assert value(sql, "SELECT type FROM doris_rowset_recycle WHERE "
                 "instance_id = %s AND rowset_id = 'gone'",
                 rpc.iid.encode()) == "DROP"
    rpc.fails("TXN_ALREADY_ABORTED", f"transaction [{tid}] is already "
              "aborted, db_id=10", "commit_txn", {"txn_id": tid})


def test_loads_at_the_same_time_get_versions_in_a_row(rpc):
    rpc.tablets(50, 51)
    n = 12

    def load(k):
        tid = rpc.begin()
        for t in ((50, 51) if k % 2 else (51, 50)):
            rpc.load(tid, t)
        return rpc.commit(tid)["versions"]

    got = race(n, load)
    assert sorted(v for [v] in got) == list(range(2, n + 2))
    for t in (50, 51):
        assert [v for _, v, _ in rpc.versions(t)] == list(range(1, n + 2))
        shown = rpc.stats(t)
        assert (shown["num_rowsets"], shown["num_rows"]) == (n + 1, 10 * n)


def test_figures_beyond_64_bits_are_the_clients_fault(rpc):
    """And not an outage of the store, after which clients try again."""
    rpc.tablets(50)
    tid = rpc.begin()
    rpc.load(tid, 50, num_rows=2**63 - 1)
    rpc.commit(tid)
    before = rpc.stats(50)
    tid = rpc.begin()
    rpc.load(tid, 50, num_rows=1)
    r = rpc.send("commit_txn", {"db_id": 10, "txn_id": tid})
    assert (r.status, r.json["status"]) == (400, {
        "code": "INVALID_ARGUMENT", "msg":
        "the request or what it would make is larger than the bound"})
    assert rpc.stats(50) == before
    assert rpc.txn(tid)["status"] == "TXN_STATUS_PREPARED"


def test_a_transaction_is_committed_or_aborted(rpc):
    rpc.tablets(50)
    for _ in range(8):
        tid = rpc.begin()
        rpc.load(tid, 50)
        codes = race(2, lambda k: rpc.code(
            "abort_txn" if k else "commit_txn", {"txn_id": tid}))
        assert codes in (["OK", "TXN_ALREADY_VISIBLE"],
                         ["TXN_ALREADY_ABORTED", "OK"])
        visible = rpc.txn(tid)["status"] == "TXN_STATUS_VISIBLE"
        assert visible == (codes[0] == "OK")
    ends = [v for _, v, _ in rpc.versions(50)]
    assert ends == list(range(1, len(ends) + 1))


# ---- abort_txn of the debug operations ----

TEXT = 'status {\n  code: OK\n  msg: ""\n}\n\n'


@pytest.fixture
def prepared(ms, doris):
    from support.metarpc import MetaRpc
    rpc = MetaRpc(doris, ms.instance())
    return rpc, {"cloud_unique_id": f"1:{rpc.iid}:any"}


def test_abort_by_id_answers_text(ms, prepared):
    rpc, cuid = prepared
    tid = rpc.begin("l")
    r = ms.send("abort_txn", {**cuid, "txn_id": tid, "reason": "why"},
                method="POST")
    assert (r.status, r.text) == (200, TEXT)
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert rpc.txn(tid)["reason"] == "why"


def test_abort_by_label_answers_json_to_who_wants_it(ms, prepared):
    rpc, cuid = prepared
    tid = rpc.begin("l")
    ms.ok("abort_txn", {**cuid, "db_id": 10, "label": "l"},
          headers={"Accept": "application/json"})
    assert rpc.txn(tid)["status"] == "TXN_STATUS_ABORTED"


def test_refusals_of_abort_txn(ms, prepared):
    rpc, cuid = prepared
    bad = "invalid txn id and label, db_id={} txn_id={} label={}"
    ms.bad(bad.format(-1, -1, ""), "abort_txn", cuid)
    ms.bad(bad.format(10, -1, ""), "abort_txn", {**cuid, "db_id": 10})
    ms.bad(bad.format(-1, -5, "l"), "abort_txn",
           {**cuid, "label": "l", "txn_id": -5})
    ms.bad("cannot find instance_id with cloud_unique_id=x label= txn_id=5",
           "abort_txn", {"cloud_unique_id": "x", "txn_id": 5})
    ms.bad("cannot find instance_id with cloud_unique_id=(empty) label= "
           "txn_id=5", "abort_txn", {"txn_id": 5})
    ms.internal("failed to get db id, txn_id=5 err=KeyNotFound", "abort_txn",
                {**cuid, "txn_id": 5})
    ms.internal("failed to get txn_info, db_id=3txn_id=5err=KeyNotFound",
                "abort_txn", {**cuid, "txn_id": 5, "db_id": 3})
    ms.internal("label not found, db_id=10 label=l err=KeyNotFound",
                "abort_txn", {**cuid, "db_id": 10, "label": "l"})
    tid = rpc.begin("l")
    rpc.commit(tid)
    ms.internal(f"transaction is already visible db_id=10txn_id={tid}",
                "abort_txn", {**cuid, "txn_id": tid})
    ms.internal("running transaction not found, db_id=10 label=l",
                "abort_txn", {**cuid, "db_id": 10, "label": "l"})
    tid = rpc.begin("k")
    rpc.ok("abort_txn", {"txn_id": tid})
    ms.internal(f"transaction is already abort db_id=10txn_id={tid}",
                "abort_txn", {**cuid, "txn_id": tid})


# ---- get_txn, get_txn_id ----

def test_get_txn_id(rpc):
    first = rpc.begin("l")
    rpc.ok("abort_txn", {"txn_id": first})
    second = rpc.begin("l")
    asked = {"db_id": 10, "label": "l"}
    assert rpc.ok("get_txn_id", asked) == {"txn_id": second}
    assert rpc.ok("get_txn_id", {**asked, "txn_status": [
        "TXN_STATUS_ABORTED"]}) == {"txn_id": first}
    rpc.fails("TXN_ID_NOT_FOUND", "transaction not found, label=l",
              "get_txn_id", {**asked, "txn_status": ["TXN_STATUS_VISIBLE"]})
    rpc.fails("TXN_LABEL_NOT_FOUND", "transaction not found, label=m",
              "get_txn_id", {**asked, "label": "m"})
    for missing in ({"db_id": 10}, {"label": "l"}):
        rpc.fails("INVALID_ARGUMENT", "invalid argument, txn_id or db_id and "
                  "label must be given", "get_txn_id", missing)


def test_get_txn_without_a_transaction(rpc):
    assert rpc.code("get_txn", {"txn_id": -1}) == "INVALID_ARGUMENT"
    assert rpc.code("get_txn", {"txn_id": -1, "db_id": 10}) \
        == "INVALID_ARGUMENT"
    tid = rpc.begin("l")
    assert rpc.ok("get_txn", {"txn_id": -1, "db_id": 10, "label": "l"})[
        "txn_info"]["txn_id"] == tid


def test_get_txn_of_nothing(rpc):
    rpc.fails("TXN_LABEL_NOT_FOUND", "label not found, db_id=10 label=m "
              "err=KeyNotFound", "get_txn", {"db_id": 10, "label": "m"})
    rpc.fails("INVALID_ARGUMENT", "invalid argument, txn_id or db_id and "
              "label must be given", "get_txn")
