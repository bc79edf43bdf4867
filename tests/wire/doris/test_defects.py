"""What users of the original complained of, one test for each: none of it is
so here. Numbers are those of apache/doris."""

import json
import socket
import time

import pytest

from support.load import race
from support.metarpc import MetaRpc, txn
from support.metaservice import OBJ, UNKNOWN, be, fe
from support.store import rows
from support.waiting import until
from support.words import fresh


def cuid(iid):
    return {"cloud_unique_id": f"1:{iid}:x"}


def on(iid, **cluster):
    return {"instance_id": iid, "cluster": {"cluster_id": "c1", **cluster}}


def nodes(iid, *all_):
    return on(iid, cluster_name="name_c1", type="COMPUTE", nodes=list(all_))


def test_31044_an_unknown_instance_is_404_and_named(ms):
    no = fresh("no")
    ms.missing("failed to get instance, info=" + UNKNOWN.format(no),
               "get_instance", query={"instance_id": no}, method="GET")


def test_31049_get_instance_reads_its_body(ms):
    iid = ms.instance()
    for body in ({"instance_id": iid}, cuid(iid)):
        for method in ("GET", "PUT"):
            assert ms.result("get_instance", body, method=method)[
                "instance_id"] == iid


def test_68120_no_reader_sees_a_node_vanish_while_it_is_decommissioned(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    change = ["decommission_node", "notify_decommissioned"] * 10
    seen = []

    def play(n):
        if n == 0:
            for operation in change:
                ms.ok(operation, nodes(iid, be(iid, 1)))
        else:
            for _ in range(20):
                seen.append(len(ms.get_cluster(iid).get("nodes", [])))

    race(4, play)
    assert set(seen) == {1} and len(seen) == 60


def test_47678_a_front_end_is_told_which_instance_is_missing(ms):
    no = fresh("no")
    for operation in ("get_cluster", "get_obj_store_info"):
        r = ms.send(operation, cuid(no))
        assert r.status == 404 and f"instance_id={no}" in r.json["msg"], r


def test_50680_a_young_front_end_can_be_dropped(ms):
    iid = ms.instance()
    ms.sql_cluster(iid, nodes=[fe(iid, 1, node_type="FE_MASTER"), fe(iid, 2)])
    ms.ok("drop_node", {"instance_id": iid, "cluster": {
        "cluster_id": "s1", "cluster_name": "name_s1", "type": "SQL",
        "nodes": [fe(iid, 2)]}})
    ms.ok("drop_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "s1"}})


def test_1068_a_host_stands_for_an_ip_and_one_of_them_is_needed(ms):
    """doris-website."""
    iid = ms.instance()
    node = {"cloud_unique_id": f"1:{iid}:b", "heartbeat_port": 9050}
    ms.cluster(iid, nodes=[{**node, "host": "be1.example"}])
    assert ms.get_cluster(iid)["nodes"][0]["host"] == "be1.example"
    r = ms.send("add_node", nodes(iid, {**node, "heartbeat_port": 9051}))
    assert r.status == 400 and r.json["msg"].startswith(
        "add node input args node invalid, cluster="), r


def test_43544_55241_no_key_in_logs_and_messages(ms, deployment):
    ak, sk = fresh("canaryak"), fresh("canarysk")
    iid = ms.instance(obj_info={**OBJ, "ak": ak, "sk": sk})
    for operation, body in (
            ("add_obj_info", {**cuid(iid), "obj": {**OBJ, "sk": sk,
                                                   "ak": ""}}),
            ("legacy_update_ak_sk", {**cuid(iid), "obj": {
                "id": "1", "sk": sk}}),
            ("update_ak_sk", {"instance_id": iid, "ram_user": {"sk": sk}})):
        r = ms.send(operation, body)
        assert r.status == 400 and sk not in r.text and "***" in r.text, r
    for path in deployment.log_files():
        with open(path, errors="replace") as f:
            text = f.read()
        assert ak not in text and sk not in text, path


def test_34174_keys_are_never_shown_as_they_are_sealed(ms):
    iid = ms.instance(obj_info=OBJ)
    shown, = ms.result("get_obj_store_info", cuid(iid))["obj_info"]
    assert (shown["ak"], shown["sk"]) == (OBJ["ak"], OBJ["sk"])


def test_32471_a_new_compute_cluster_has_a_status(ms):
    iid = ms.instance()
    ms.cluster(iid)
    assert ms.get_cluster(iid)["cluster_status"] == "NORMAL"
    line, = ms.result("get_cluster_status", {
        "instance_ids": [iid], "status": "NORMAL"})["details"]
    assert [c["cluster_id"] for c in line["clusters"]] == ["c1"]


def test_64939_who_names_an_id_and_a_label_means_the_id(rpc, ms):
    old = rpc.begin("l")
    rpc.ok("abort_txn", {"db_id": 10, "txn_id": old})
    new = rpc.begin("l")
    r = rpc.send("abort_txn", {"db_id": 10, "txn_id": old, "label": "l"})
    assert r.json["status"]["code"] == "TXN_ALREADY_ABORTED", r
    assert rpc.ok("get_txn", {"db_id": 10, "txn_id": new})[
        "txn_info"]["status"] == "TXN_STATUS_PREPARED"


def test_44822_what_is_overdue_aborts_without_being_asked(rpc):
    all_ = [rpc.begin(f"l{n}", timeout_ms=1) for n in range(5)]
    for txn_id in all_:
        until(lambda: rpc.ok("get_txn", {"db_id": 10, "txn_id": txn_id})[
            "txn_info"]["status"] == "TXN_STATUS_ABORTED", "it is aborted")


def test_40414_a_label_aborts_a_hundred_times_at_the_most(rpc):
    for _ in range(100):
        rpc.ok("abort_txn", {"db_id": 10, "txn_id": rpc.begin("l")})
    r = rpc.send("begin_txn", {"txn_info": txn("l")})
    assert "too many aborted txn for label=l" in r.json["status"]["msg"], r


def test_58953_versioned_keys_are_decoded(ms):
    r = ms.send("decode_key", method="GET", query={
        "unicode": "false", "key": "031076657273696f6e000110676176696e2d696e73"
        "74616e6365000110706172746974696f6e0001120000000000002766"})
    assert r.status == 200
    for text in ("key space: 3", "version", "gavin-instance", "partition",
                 "10086"):
        assert f". {text}\n" in r.text


def test_63527_an_unknown_path_is_no_success(ms):
    ms.missing("http path not found or not allowed", "no_such_operation")


def test_49052_nobody_destroys_a_record_by_set_value(ms):
    ms.missing("http path not found or not allowed", "set_value",
               query={"key_type": "InstanceKey", "instance_id": "x"})


# ---- seen in the source ----

def test_set_instance_status_runs_no_other_operation(ms):
    iid = ms.instance()
    for op in ("DROP", "RENAME", "ENABLE_SSE", "REFRESH"):
        ms.bad("invalid request op, op=0", "set_instance_status", {
            "instance_id": iid, "op": op, "name": "x"})
    assert ms.get_instance(iid)["status"] == "NORMAL"


def test_rpcs_ask_for_the_token(deployment):
    client = deployment.client("doris", "none", prefix="/MetaService")
    r = client.post("/get_txn", {})
    assert (r.status, r.text) == (
        403, "incorrect token, token=(not given)\n")


@pytest.mark.parametrize("id_", ["x", "", "99999999999999999999", "-1", "1x",
                                 "0", "2"])
def test_an_id_of_an_object_store_that_is_no_number(ms, id_):
    iid = ms.instance(obj_info=OBJ)
    ms.bad("id invalid, please check it", "legacy_update_ak_sk", {
        **cuid(iid), "obj": {"id": id_, "ak": "a", "sk": "s"}})


@pytest.mark.parametrize("key", ["0", "01", "0110", "011", "0g", "01ff", ""])
def test_short_keys_are_not_read_beyond_their_end(ms, key):
    r = ms.send("decode_key", method="GET", query={"key": key})
    assert r.status == 200 if key == "01" else r.status == 400, r


def test_ports_are_needed(ms):
    iid = ms.instance()
    for type_, node in (("COMPUTE", be(iid, 1)), ("SQL", fe(iid, 1))):
        node = {k: v for k, v in node.items() if not k.endswith("_port")}
        r = ms.send("add_cluster", on(iid, cluster_name="n", type=type_,
                                      nodes=[node]))
        assert r.status == 400 and r.json["msg"].startswith(
            "check cluster params failed"), r


def test_adding_to_no_cluster_is_no_success(ms):
    iid = ms.instance()
    ms.missing(f"failed to find cluster to update, instance_id={iid} "
               "cluster_id=c1 cluster_name=name_c1", "add_node",
               nodes(iid, be(iid, 1)))


def test_a_change_of_a_cluster_is_seen_in_its_mtime(ms, sql):
    iid = ms.instance()
    ms.cluster(iid)
    with sql.cursor() as c:
        c.execute("UPDATE doris_cluster SET mtime = 1, doc ="
                  " REPLACE(doc, %s, '\"mtime\": \"1\"')"
                  " WHERE instance_id = %s", (
                      f'"mtime": "{ms.get_cluster(iid)["mtime"]}"', iid))
    ms.ok("update_cluster_mysql_user_name", on(iid, mysql_user_name=["u"]))
    assert int(ms.get_cluster(iid)["mtime"]) > 1


def test_duplicates_within_a_request_are_refused(ms):
    iid = ms.instance()
    twice = [be(iid, 1), be(iid, 1)]
    taken = ("compute node endpoint has been added, registered be node="
             "172.21.0.1:9050")
    ms.exists(taken, "add_cluster", nodes(iid, *twice))
    ms.cluster(iid)
    ms.exists(taken, "add_node", nodes(iid, *twice))
    assert "nodes" not in ms.get_cluster(iid)


def test_a_cloud_unique_id_has_one_instance_whoever_was_asked(ms):
    """32 clients, two workers: no cache of a process decides."""
    all_ = [ms.instance() for _ in range(8)]
    word = fresh("cu")
    replies = race(32, lambda n: ms.send("add_cluster", {
        "instance_id": all_[n % 8], "cluster": {
            "cluster_id": f"c{n}", "cluster_name": f"n{n}",
            "type": "COMPUTE", "nodes": [
                {**be(word, n + 1), "cloud_unique_id": word}]}}))
    held = {all_[n % 8] for n, r in enumerate(replies) if r.status == 200}
    assert len(held) == 1
    assert {r.status for r in replies} <= {200, 409}


def test_instances_are_listed(ms):
    iid = ms.instance()
    page = ms.result("list_instances", query={"after": iid[:-1], "limit": 1},
                     method="GET")
    assert page["instances"][0]["instance_id"] >= iid[:-1]


def test_53489_live_meta_services_are_listed(ms, deployment):
    host, port = deployment.address("doris")
    mine, = [s for s in ms.result("list_meta_services")["meta_services"]
             if s["address"] == f"{host}:{port}"]
    assert mine["host"] == socket.gethostname()
    assert mine["version"].count(".") == 2
    assert 0 < time.time() - int(mine["start_time_ms"]) / 1000 < 3600


def test_operations_in_text_tell_why_they_fail(ms):
    iid = ms.instance()
    r = ms.send("get_tablet_stats", {**cuid(iid), "tablet_idx": [
        {"tablet_id": 77}]})
    assert r.status == 404 and "tablet_id=77" in r.json["msg"], r


def test_what_is_audited_of_a_refusal(ms, sql):
    """Nothing: the trail tells what has changed."""
    r = ms.send("drop_instance", {"instance_id": fresh("no")})
    assert json.loads(r.text)["code"] == "NOT_FOUND"
    assert rows(sql, "SELECT * FROM audit WHERE request_id = %s",
                r.headers["X-Request-Id"]) == []
