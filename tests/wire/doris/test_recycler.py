"""Dropped instances: kept, then finished for good, in small steps."""

import pytest

from support import processes
from support.metarpc import MetaRpc
from support.metaservice import HDFS, OBJ, MetaService
from support.store import rows, value
from support.waiting import until

TABLES = ["doris_instance", "doris_obj_info", "doris_vault", "doris_cluster",
          "doris_node", "doris_cloud_id", "doris_tablet", "doris_schema",
          "doris_rowset", "doris_rowset_tmp", "doris_rowset_recycle",
          "doris_version", "doris_tablet_job", "doris_txn", "doris_stage",
          "doris_stage_recycle"]


@pytest.fixture
def recycler(deployment):
    return deployment.client("doris", prefix="/RecyclerService/http")


def left(sql, iid):
    """Tables that still hold something of the instance."""
    return [t for t in TABLES if value(
        sql, f"SELECT COUNT(*) FROM {t} WHERE instance_id = %s",
        iid.encode())]


def filled(doris):
    """A dropped instance with something of everything."""
    ms = MetaService(doris)
    iid = ms.instance(obj_info=OBJ, vault={"hdfs_info": HDFS})
    rpc = MetaRpc(doris, iid)
    rpc.tablets(*range(50, 80))
    tid = rpc.begin()
    for t in range(50, 80):
        rpc.load(tid, t)
    rpc.commit(tid)
    rpc.load(rpc.begin(), 50)
    rpc.ok("prepare_rowset", {"rowset_meta": {
        "tablet_id": 51, "txn_id": rpc.begin(), "rowset_id_v2": "p"}})
    rpc.ok("create_stage", {"stage": {
        "type": "EXTERNAL", "name": "e", "stage_id": "s"}})
    ms.ok("drop_instance", {"instance_id": iid})
    return iid


def ask(recycler, *ids, **more):
    return recycler.post("recycle_instance", {"instance_ids": list(ids)},
                         **more)


def test_a_dropped_instance_is_kept(doris, sql):
    ms, iid = MetaService(doris), filled(doris)
    assert ms.get_instance(iid)["status"] == "DELETED"
    ms.exists(f"instance already existed, instance_id={iid}",
              "create_instance", {"instance_id": iid})
    assert len(left(sql, iid)) >= 10


def test_at_once_when_asked(doris, sql, recycler):
    ms, iid = MetaService(doris), filled(doris)
    r = ask(recycler, iid)
    assert (r.status, r.text) == (200, "OK\n")
    until(lambda: not left(sql, iid), "the instance is gone")
    ms.missing("failed to get instance, info=failed to get instance, "
               f"instance_id={iid} err=KeyNotFound", "get_instance",
               query={"instance_id": iid}, method="GET")
    r = recycler.get("recycle_job_info", query={"instance_id": iid},
                     headers={"Accept": "application/json"})
    info = r.json["result"]
    assert (info["status"], info["step"], info["asked"]) \
        == ("IDLE", "done", False)
    assert int(info["removed"]) >= 90
    assert int(info["last_finish_time_ms"]) >= int(info["last_ctime_ms"])
    # an id is given once, also when the note is forgotten
    for _ in range(2):
        ms.exists(f"instance already existed, instance_id={iid}",
                  "create_instance", {"instance_id": iid})
        with sql.cursor() as c:
            c.execute("DELETE FROM doris_recycle WHERE instance_id = %s", iid)
    r = recycler.get("recycle_job_info", query={"instance_id": iid},
                     headers={"Accept": "application/json"})
    assert r.json["result"] == info


def test_an_instance_that_is_not_dropped_is_never_touched(doris, recycler,
                                                          sql):
    ms = MetaService(doris)
    iid, gone = ms.instance(obj_info=OBJ), filled(doris)
    r = ask(recycler, gone, "no_such_instance")
    assert r.status == 404 and left(sql, gone)  # all or none
    r = ask(recycler, "no_such_instance")
    assert (r.status, r.json["msg"]) \
        == (404, "instance not existed, instance_id=no_such_instance")
    r = ask(recycler)
    assert (r.status, r.json["msg"]) == (400, "no instance_ids to recycle")
    assert ask(recycler.scope("write"), gone).status == 403
    # an order that is left over from an earlier life of the id
    with sql.cursor() as c:
        c.execute("INSERT INTO doris_recycle (instance_id, asked, status,"
                  " step, removed) VALUES (%s, 1, 'IDLE', '', 0)", iid)
    ask(recycler, gone)
    until(lambda: not left(sql, gone), "the other is gone")
    assert ms.get_instance(iid)["status"] == "NORMAL"


def test_a_live_instance_gets_a_round(doris, recycler, sql):
    ms = MetaService(doris)
    iid = ms.instance(obj_info=OBJ)
    rpc = MetaRpc(doris, iid)
    rpc.tablets(50)
    old, new = rpc.begin(), rpc.begin()
    rpc.ok("abort_txn", {"txn_id": old})
    with sql.cursor() as c:
        c.execute("UPDATE doris_txn SET finish_time = 1 WHERE instance_id = %s"
                  " AND finish_time IS NOT NULL", iid)
    last = 0
    for _ in range(2):
        r = ask(recycler, iid)
        assert (r.status, r.text) == (200, "OK\n")

        def ended():
            info = recycler.get(
                "recycle_job_info", query={"instance_id": iid},
                headers={"Accept": "application/json"}).json["result"]
            when = int(info.get("last_finish_time_ms", 0))
            return not info["asked"] and info["status"] == "IDLE" \
                and when > last and when
        last = until(ended, "the round has ended")
    assert rpc.code("get_txn", {"txn_id": old}) != "OK"
    assert rpc.code("get_txn", {"txn_id": new}) == "OK"
    assert ms.get_instance(iid)["status"] == "NORMAL"


def test_statistics(doris, recycler):
    iid = filled(doris)
    r = recycler.get("statistics_recycle", query={"instance_id": iid},
                     headers={"Accept": "application/json"})
    assert r.json["result"] == {
        "instance_id": iid, "status": "DELETED", "tablets": "30",
        "rowsets": "60", "recycle_rowsets": "1", "tmp_rowsets": "1",
        "expired_txns": "1", "versions": "2", "stages": "0"}
    r = recycler.get("statistics_recycle", query={"instance_id": iid})
    assert r.text.startswith('{"instance_id":"' + iid)
    assert recycler.get("statistics_recycle", query={
        "instance_id": "no"}).status == 404
    assert recycler.get("statistics_recycle").status == 400
    assert recycler.get("recycle_job_info", query={
        "instance_id": "no"}).json["msg"] \
        == "recycle job not found, instance_id=no"


@pytest.mark.fault
@pytest.mark.config(METAGATE_DORIS_RETENTION_S="0")
def test_killed_anywhere_another_goes_on(deployment, doris, sql):
    """Every control is killed again and again while instances go."""
    ms, kept = MetaService(doris), MetaService(doris).instance(obj_info=OBJ)
    ids = [filled(doris) for _ in range(6)]

    def done():
        for n in ("m1", "m2", "m3"):
            pid = deployment.pid_of(f"control-{n}")
            if pid:
                processes.kill(pid)
        return not any(left(sql, iid) for iid in ids[:3])

    for _ in range(10):
        done()
    until(lambda: not any(left(sql, iid) for iid in ids), "all are gone", 60)
    assert ms.get_instance(kept)["status"] == "NORMAL"
    notes = rows(sql, "SELECT status, step FROM doris_recycle")
    assert {(n["status"], n["step"]) for n in notes} == {("IDLE", "done")}


def test_what_the_recycler_asks_for(recycler):
    for operation in ("recycle_job_info", "statistics_recycle",
                      "check_instance"):
        for query in ({}, {"instance_id": ""}):
            r = recycler.get(operation, query=query)
            assert (r.status, r.json) == (400, {
                "code": "INVALID_ARGUMENT", "msg": "no instance id"}), r
    r = recycler.get("check_instance", query={"instance_id": "x"})
    assert (r.status, r.json["msg"]) == (400, "checker not enabled")
