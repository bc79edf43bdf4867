"""Many front and back ends at once: states, labels, versions and statistics
are as if the requests had come one after the other."""

from support.load import race
from support.metarpc import compaction, rowset, tablet, txn
from support.waiting import until

CLIENTS = 12


def ends(rpc, tablet_id):
    return [end for _, end, _ in rpc.versions(tablet_id)]


def whole(rpc, tablet_id):
    """The statistics are those of the rowsets."""
    shown, have = rpc.stats(tablet_id), rpc.versions(tablet_id)
    assert shown["num_rowsets"] == len(have), (shown, have)
    return have


def version(rpc, partition_id, table_id=20):
    return rpc.ok("get_version", {"db_id": 10, "table_id": table_id,
                                  "partition_id": partition_id})["version"]


# ---- labels ----

def test_a_label_that_is_aborted_and_taken_is_one_transactions(rpc):
    """All want one label; who gets it lets it go."""
    def client(k):
        won = []
        for _ in range(6):
            r = rpc.send("begin_txn", {"txn_info": txn("l")}).json
            if r["status"]["code"] == "OK":
                won.append(r["txn_id"])
                assert rpc.code("abort_txn", {"txn_id": won[-1]}) == "OK"
            else:
                assert r["status"]["code"] == "TXN_LABEL_ALREADY_USED", r
        return won

    won = [tid for some in race(CLIENTS, client) for tid in some]
    assert won and len(set(won)) == len(won)
    assert {rpc.txn(tid)["status"] for tid in won} == {"TXN_STATUS_ABORTED"}
    last = rpc.begin("l")
    assert last > max(won)
    assert rpc.ok("get_txn_id", {"db_id": 10, "label": "l"}) \
        == {"txn_id": last}


def test_an_overdue_transaction_makes_way_for_one(rpc):
    for n in range(4):
        old = rpc.begin(f"l{n}", timeout_ms=0)
        replies = race(8, lambda k: rpc.send("begin_txn", {
            "txn_info": txn(f"l{n}")}).json)
        won = [r["txn_id"] for r in replies if r["status"]["code"] == "OK"]
        assert len(won) == 1, replies
        assert rpc.txn(old)["status"] == "TXN_STATUS_ABORTED"
        assert rpc.txn(won[0])["status"] == "TXN_STATUS_PREPARED"


def test_a_commit_races_against_the_clock(rpc):
    rpc.tablets(50)
    visible = 0
    for _ in range(8):
        tid = rpc.begin(timeout_ms=60000)
        rpc.load(tid, 50)
        rpc.ok("precommit_txn", {"txn_id": tid, "precommit_timeout_ms": 1})
        code = rpc.code("commit_txn", {"txn_id": tid, "is_2pc": True})
        assert code in ("OK", "TXN_ALREADY_ABORTED")
        visible += code == "OK"
        until(lambda: rpc.txn(tid)["status"] == (
            "TXN_STATUS_VISIBLE" if code == "OK" else "TXN_STATUS_ABORTED"),
              "the transaction has its end")
    assert len(whole(rpc, 50)) == visible + 1


# ---- rowsets ----

def test_one_rowset_for_a_tablet_of_a_transaction(rpc):
    rpc.tablets(50)
    tid = rpc.begin()
    names = [f"rs{k}" for k in range(CLIENTS)]
    for name in names:
        rpc.ok("prepare_rowset", {"rowset_meta": rowset(50, tid, name)})
    codes = race(CLIENTS, lambda k: rpc.code(
        "commit_rowset", {"rowset_meta": rowset(50, tid, names[k])}))
    assert sorted(codes) == ["ALREADY_EXISTED"] * (CLIENTS - 1) + ["OK"]
    rpc.commit(tid)
    assert [name for _, _, name in whole(rpc, 50)] \
        == ["first50", names[codes.index("OK")]]


def test_the_same_rowset_from_all_is_one(rpc):
    rpc.tablets(50)
    tid = rpc.begin()
    body = {"rowset_meta": rowset(50, tid, "rs")}
    assert set(race(CLIENTS, lambda k: rpc.code("prepare_rowset", body))) \
        == {"OK"}
    assert set(race(CLIENTS, lambda k: rpc.code("commit_rowset", body))) \
        == {"OK"}
    assert set(race(CLIENTS, lambda k: rpc.code(
        "commit_txn", {"txn_id": tid}))) == {"OK"}
    assert whole(rpc, 50) == [(0, 1, "first50"), (2, 2, "rs")]
    assert rpc.stats(50)["num_rows"] == 10


def test_a_rowset_is_in_the_commit_or_refused(rpc):
    rpc.tablets(50)
    loads = 0
    for _ in range(8):
        tid = rpc.begin()
        body = {"rowset_meta": rowset(50, tid)}
        rpc.ok("prepare_rowset", body)
        put, commit = race(2, lambda k: rpc.code(
            "commit_txn", {"txn_id": tid}) if k else rpc.code(
                "commit_rowset", body))
        assert commit == "OK" and put in ("OK", "TXN_ALREADY_VISIBLE")
        loads += put == "OK"
        assert len(whole(rpc, 50)) == loads + 1
    assert ends(rpc, 50) == list(range(1, loads + 2))


# ---- versions and statistics ----

def test_loads_of_two_tables_in_both_orders(rpc):
    places = {50: (20, 40), 51: (21, 41), 52: (20, 42), 53: (21, 40)}
    rpc.ok("create_tablets", {"db_id": 10, "tablet_metas": [
        tablet(t, table_id=a, partition_id=p)
        for t, (a, p) in places.items()]})

    def load(k):
        tid = rpc.begin()
        for t in sorted(places, reverse=k % 2 == 0):
            rpc.load(tid, t)
        out = rpc.commit(tid)
        return list(zip(out["table_ids"], out["partition_ids"],
                        out["versions"]))

    told = [place for reply in race(CLIENTS, load) for place in reply]
    assert sorted(told) == sorted(
        (*place, v) for place in places.values()
        for v in range(2, CLIENTS + 2))
    for t, (table_id, partition_id) in places.items():
        assert ends(rpc, t) == list(range(1, CLIENTS + 2))
        assert len(whole(rpc, t)) == CLIENTS + 1
        assert version(rpc, partition_id, table_id) == CLIENTS + 1


def test_a_tablet_that_is_made_anew_while_it_is_loaded(rpc):
    """It has nothing of its former partition's versions."""
    for n in range(12):
        rpc.tablets(50, partition_id=40 + n)
        tid = rpc.begin()
        rpc.load(tid, 50)
        race(2, lambda k: rpc.tablets(50, partition_id=41 + n) if k
             else rpc.commit(tid))
        out = rpc.ok("get_rowset", {"idx": {"tablet_id": 50},
                                    "start_version": 0, "end_version": -1})
        assert max(r["end_version"] for r in out["rowset_meta"]) \
            <= out["partition_max_version"], out
        assert [r["rowset_id_v2"] for r in out["rowset_meta"]] == ["first50"]
        whole(rpc, 50)


def at(*jobs):
    return {"job": {"idx": {"tablet_id": 50}, "compaction": list(jobs)}}


def outcome(first, last, name, txn_id=7, **more):
    n = last - first + 1
    return {"id": name, "input_versions": [first, last], "txn_id": [txn_id],
            "output_rowset_ids": [name], "num_input_rowsets": n,
            "num_output_rowsets": 1, "num_input_rows": 10 * n,
            "num_output_rows": 10 * n, **more}


def begin_compaction(rpc, first, last, name, txn_id=7, **more):
    rpc.ok("start_tablet_job", at(compaction(
        name, input_versions=[first, last], **more)))
    body = {"tablet_job_id": name, "rowset_meta": rowset(
        50, txn_id, name, num_rows=10 * (last - first + 1))}
    rpc.ok("prepare_rowset", body)
    rpc.ok("commit_rowset", body)


def load(rpc, n):
    for _ in range(n):
        tid = rpc.begin()
        rpc.load(tid, 50)
        rpc.commit(tid)


def test_a_compaction_is_committed_once(rpc):
    rpc.tablets(50)
    load(rpc, 3)
    begin_compaction(rpc, 2, 4, "out")
    codes = race(CLIENTS, lambda k: rpc.code("finish_tablet_job", {
        "action": "COMMIT", **at(outcome(2, 4, "out"))}))
    assert sorted(codes) == ["INVALID_ARGUMENT"] * (CLIENTS - 1) + ["OK"]
    assert whole(rpc, 50) == [(0, 1, "first50"), (2, 4, "out")]
    assert rpc.stats(50)["cumulative_compaction_cnt"] == 1


def test_two_compactions_and_loads_of_one_tablet(rpc):
    rpc.tablets(50)
    load(rpc, 6)
    begin_compaction(rpc, 2, 4, "a", 7)
    begin_compaction(rpc, 5, 7, "b", 8)

    def client(k):
        if k < 2:
            rpc.ok("finish_tablet_job", {"action": "COMMIT", **at(
                outcome(2, 4, "a", 7) if k else outcome(5, 7, "b", 8))})
        else:
            load(rpc, 2)

    race(6, client)
    have = whole(rpc, 50)
    assert have[:3] == [(0, 1, "first50"), (2, 4, "a"), (5, 7, "b")]
    assert [v[:2] for v in have[3:]] == [(v, v) for v in range(8, 16)]
    shown = rpc.stats(50)
    assert (shown["num_rows"], shown["cumulative_compaction_cnt"]) \
        == (140, 2)


def test_a_compaction_takes_the_versions_of_its_start(rpc):
    """Others may be another's; and whole rowsets only."""
    rpc.tablets(50)
    load(rpc, 4)
    begin_compaction(rpc, 2, 3, "a")
    before = rpc.versions(50), rpc.stats(50)
    rpc.fails("INVALID_ARGUMENT", "invalid output: input_versions, "
              "output_versions, txn_id and output_rowset_ids must fit",
              "finish_tablet_job",
              {"action": "COMMIT", **at(outcome(2, 4, "a"))})
    assert (rpc.versions(50), rpc.stats(50)) == before
    rpc.ok("finish_tablet_job", {"action": "COMMIT", **at(
        outcome(2, 3, "a"))})
    begin_compaction(rpc, 3, 5, "b", 8, cumulative_compaction_cnt=1)
    before = rpc.versions(50), rpc.stats(50)
    rpc.fails("UNDEFINED_ERR", "input_versions do not end where rowsets end, "
              "tablet_id=50", "finish_tablet_job",
              {"action": "COMMIT", **at(outcome(3, 5, "b", 8))})
    assert (rpc.versions(50), rpc.stats(50)) == before
