"""What holds for a list holds for each of its elements: here it is always the
third, or one behind it, that is told from the others."""

import pytest

from support.metarpc import MetaRpc
from support.metaservice import (HDFS, NO_PORT, OBJ, UNKNOWN, be, compact, fe,
                                 masked, occupied, without)
from support.store import rows
from support.words import fresh


def nodes(iid, *, n=3):
    return [be(iid, k) for k in range(1, n + 1)]


def of(iid, some, cid="c1", **more):
    return {"instance_id": iid, "cluster": {
        "cluster_id": cid, "cluster_name": f"name_{cid}", "type": "COMPUTE",
        "nodes": some, **more}}


CHANGES = ["add_cluster", "add_node"]


def target(ms, operation):
    """An instance, with the cluster c1 where it is changed."""
    iid = ms.instance()
    if operation != "add_cluster":
        ms.cluster(iid)
    return iid


def has_no_nodes(ms, iid):
    for cluster in ms.get_instance(iid).get("clusters", []):
        assert "nodes" not in cluster, cluster


# ---- nodes ----

@pytest.mark.parametrize("operation", CHANGES)
def test_the_third_node_is_of_another_instance(ms, operation):
    holder, node = ms.instance(), fresh("node")
    ms.cluster(holder, nodes=[be(holder, 1, cloud_unique_id=node)])
    iid = target(ms, operation)
    asked = [*nodes(iid, n=2), be(iid, 3, cloud_unique_id=node),
             be(iid, 4)]
    code = (409, "ALREADY_EXISTED") if operation == "add_cluster" \
        else (400, "INVALID_ARGUMENT")
    ms.fails(*code, occupied(holder, "c1", node), operation, of(iid, asked))
    has_no_nodes(ms, iid)
    if operation == "add_node":  # nor is the cluster looked for first
        ms.fails(*code, occupied(holder, "c1", node), operation,
                 of(iid, asked, "none"))


@pytest.mark.parametrize("operation", CHANGES)
def test_the_third_node_has_no_port(ms, operation):
    iid = target(ms, operation)
    third = without(be(iid, 3), "heartbeat_port")
    ms.bad(NO_PORT + compact(third), operation,
           of(iid, [*nodes(iid, n=2), third, be(iid, 4)]))
    has_no_nodes(ms, iid)


@pytest.mark.parametrize("operation", CHANGES)
def test_the_third_node_has_no_address(ms, operation):
    iid = target(ms, operation)
    third = without(be(iid, 3), "ip")
    ms.bad("add node input args node invalid, cluster=" + compact(third),
           operation, of(iid, [*nodes(iid, n=2), third, be(iid, 4)]))
    has_no_nodes(ms, iid)


@pytest.mark.parametrize("operation", CHANGES)
def test_the_third_node_is_there_already(ms, operation):
    iid = ms.instance()
    ms.cluster(iid, "c0", nodes=[be(iid, 3)])
    if operation == "add_node":
        ms.cluster(iid)
    ms.exists("compute node endpoint has been added, registered be "
              "node=172.21.0.3:9050", operation, of(iid, nodes(iid, n=4)))
    if operation == "add_node":
        ms.exists("compute node endpoint has been added, registered be "
                  "node=172.21.0.3:9050", operation,
                  of(iid, nodes(iid, n=4), "none"))
    ms.ok("drop_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c0"}})
    ms.ok(operation, of(iid, nodes(iid, n=4)))
    assert [n["ip"] for n in ms.get_cluster(iid)["nodes"]] == [
        f"172.21.0.{k}" for k in range(1, 5)]


def degraded(no, n=1):
    return (f'node=cloud_unique_id: "1:{no}:be{n}" ip: "172.21.0.{n}" '
            "heartbeat_port: 9050 cloud_unique_id use degrade format, but "
            "check instance failed")


@pytest.mark.parametrize("operation", CHANGES)
def test_the_third_node_names_an_unknown_instance(ms, operation):
    iid, no = target(ms, operation), fresh("no")
    ms.bad(degraded(no, 3), operation,
           of(iid, [*nodes(iid, n=2), be(no, 3), be(iid, 4)]))
    # that of the request is unknown: told by the first that names it
    plain = [be(iid, k, cloud_unique_id=fresh("free")) for k in (1, 2)]
    ms.bad(degraded(no, 3), operation,
           of(no, [*plain, be(no, 3), be(no, 4)]))
    # also where a port is missing behind it, and none before
    ms.bad(degraded(no, 3), operation,
           of(no, [*plain, be(no, 3), without(be(no, 4), "heartbeat_port")]))
    third = without(plain[1], "heartbeat_port")
    ms.bad(NO_PORT + compact(third), operation,
           of(no, [plain[0], plain[0], third, be(no, 4)]))


@pytest.mark.parametrize("operation", CHANGES)
def test_no_node_names_the_unknown_instance(ms, operation):
    """What lies behind the last node is not looked at."""
    no = fresh("no")
    plain = [be(no, k, cloud_unique_id=fresh("free")) for k in (1, 2, 3)]
    if operation == "add_cluster":
        ms.missing("failed to get instance, info " + UNKNOWN.format(no),
                   operation, of(no, plain))
    else:
        ms.bad(UNKNOWN.format(no), operation, of(no, plain))


def test_the_third_node_to_drop(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=nodes(iid, n=5))
    before = ms.get_cluster(iid)
    missing = ("cloud_unique_id can not find to drop node, "
               f"instance_id={iid} cluster_name=name_c1 cluster_id=c1 "
               f"cloud_unique_id=1:{iid}:be9")
    for operation in ("drop_node", "decommission_node",
                      "notify_decommissioned"):
        ms.missing(missing, operation,
                   of(iid, [be(iid, 5), be(iid, 4), be(iid, 9)]))
    assert ms.get_cluster(iid) == before
    ms.ok("decommission_node", of(iid, [be(iid, k) for k in (5, 2, 3)]))
    assert [n.get("status") for n in ms.get_cluster(iid)["nodes"]] == [
        None, *["NODE_STATUS_DECOMMISSIONING"] * 2, None,
        "NODE_STATUS_DECOMMISSIONING"]
    ms.ok("drop_node", of(iid, [be(iid, k) for k in (5, 2, 3)]))
    assert [n["ip"][-1] for n in ms.get_cluster(iid)["nodes"]] == ["1", "4"]
    ms.ok("add_node", of(iid, [be(iid, k) for k in (5, 2, 3)]))


def test_nodes_of_a_dropped_cluster_are_free(ms):
    iid, other = ms.instance(), ms.instance()
    some = [be(iid, k, cloud_unique_id=fresh("node")) for k in (1, 2, 3, 4)]
    ms.cluster(iid, nodes=some)
    ms.ok("drop_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1"}})
    ms.cluster(other, nodes=some)


def test_the_masters_of_many(ms):
    iid = ms.instance()
    observers = [fe(iid, n) for n in (1, 2, 3)]
    with_type = [fe(iid, n, node_type="FE_MASTER") for n in (4, 5)]
    ms.bad("cluster is SQL type, must have only one master node, now master "
           "count: 2", "add_cluster",
           of(iid, [*observers, *with_type], type="SQL"))
    ms.ok("add_cluster", of(iid, [*observers, with_type[0]], type="SQL"))
    ms.bad("instance invalid, cant modify, plz check", "add_node",
           of(iid, [with_type[1]], type="SQL"))


def test_a_node_may_say_what_it_is_or_becomes(ms):
    """Its status as it is, or as it will be; no other."""
    iid = ms.instance()
    ms.cluster(iid)
    ms.ok("add_node", of(iid, nodes(iid)))

    def told(operation, n, status):
        ms.ok(operation, of(iid, [be(iid, n, status=f"NODE_STATUS_{status}")]))

    def refused(operation, n, status):
        ms.bad("status is not what this operation changes", operation,
               of(iid, [be(iid, n, status=f"NODE_STATUS_{status}")]))
    refused("decommission_node", 1, "DECOMMISSIONED")
    refused("notify_decommissioned", 1, "DECOMMISSIONING")
    refused("drop_node", 1, "DECOMMISSIONED")
    told("decommission_node", 1, "DECOMMISSIONING")
    told("decommission_node", 2, "RUNNING")
    told("notify_decommissioned", 1, "DECOMMISSIONING")
    told("notify_decommissioned", 2, "DECOMMISSIONED")
    told("notify_decommissioned", 3, "RUNNING")
    assert {n["status"] for n in ms.get_cluster(iid)["nodes"]} == {
        "NODE_STATUS_DECOMMISSIONED"}
    told("drop_node", 3, "DECOMMISSIONED")


# ---- users ----

def test_the_users_of_a_cluster(ms):
    iid, users = ms.instance(), ["a", "b", "c", "d"]
    ms.cluster(iid, mysql_user_name=users)
    ms.cluster(iid, "c2", mysql_user_name=["e"])
    for user, cid in ("c", "c1"), ("d", "c1"), ("e", "c2"):
        got = ms.result("get_cluster", {"cloud_unique_id": f"1:{iid}:x",
                                        "mysql_user_name": user})
        assert got["cluster_id"] == cid
    long = {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "type": "COMPUTE",
        "mysql_user_name": ["a", "b", "x" * 256]}}
    too_long = "the request or what it would make is larger than the bound"
    for operation in "update_cluster_mysql_user_name", "add_cluster":
        long["cluster"].update(cluster_name="n")
        if operation == "add_cluster":
            long["cluster"]["cluster_id"] = "c9"
        ms.bad(too_long, operation, long)
    assert ms.get_cluster(iid)["mysql_user_name"] == users


# ---- keys of bucket users ----

def test_each_user_is_given_once(ms):
    iid = ms.instance(obj_info={**OBJ, "user_id": "u1"})
    for k in (2, 3, 4):
        ms.ok("add_obj_info", {"cloud_unique_id": f"1:{iid}:x", "obj": {
            **OBJ, "bucket": f"b{k}", "user_id": f"u{k}"}})

    def user(name, n=0):
        return {"user_id": name, "ak": f"a{n}{name}", "sk": f"s{n}{name}"}

    def ask(*names):
        return {"instance_id": iid, "internal_bucket_user": [
            user(name, n) for n, name in enumerate(names)]}

    before = ms.get_instance(iid)["obj_info"]
    for names in (("u1", "u2", "u3", "u3"), ("u1", "u2", "u1"),
                  ("u1", "u2", "u3", "u2"), ("u1", "u1")):
        ms.bad(f"bucket user given twice, user_id={names[-1]}",
               "update_ak_sk", ask(*names))
    bad = ask("u1", "u2", "u3", "u4")
    del bad["internal_bucket_user"][2]["sk"]
    ms.bad("s3 bucket info err " + compact(masked(bad)), "update_ak_sk", bad)
    ms.bad("fail to find the alter obj info", "update_ak_sk",
           ask("none"))
    assert ms.get_instance(iid)["obj_info"] == before
    ms.ok("update_ak_sk", ask("u4", "u2", "u3", "u1"))
    assert [o["ak"] for o in ms.get_instance(iid)["obj_info"]] == [
        "a3u1", "a1u2", "a2u3", "a0u4"]


def test_a_user_of_several_stores(ms):
    iid = ms.instance(obj_info={**OBJ, "user_id": "u"})
    for k in (2, 3, 4):
        ms.ok("add_obj_info", {"cloud_unique_id": f"1:{iid}:x", "obj": {
            **OBJ, "bucket": f"b{k}", "user_id": "u"}})
    ms.ok("update_ak_sk", {"instance_id": iid, "internal_bucket_user": [
        {"user_id": "u", "ak": "new-ak", "sk": "new-sk"}]})
    assert [o["ak"] for o in ms.get_instance(iid)["obj_info"]] \
        == ["new-ak"] * 4


# ---- settings of HDFS ----

@pytest.mark.parametrize("member", ["key", "value"])
def test_each_setting_of_hdfs_is_whole(ms, member):
    iid = ms.instance()
    confs = [{"key": f"k{n}", "value": f"v{n}"} for n in range(4)]
    info = {**HDFS, "build_conf": {**HDFS["build_conf"],
                                   "hdfs_confs": confs}}
    where = {"cloud_unique_id": f"1:{iid}:x"}
    for n in (0, 2, 3):
        bad = [without(c, member) if k == n else c
               for k, c in enumerate(confs)]
        ms.bad(f"parse http request '{ms.version}add_hdfs_vault': INVALID_ARGUMENT:"
               "hdfs_confs: key and value are required", "add_hdfs_vault", {
                   **where, "vault": {"name": "v", "hdfs_info": {
                       **info, "build_conf": {**info["build_conf"],
                                              "hdfs_confs": bad}}}})
    ms.ok("add_hdfs_vault", {**where, "vault": {"name": "v",
                                                "hdfs_info": info}})
    got, = ms.result("get_obj_store_info", where)["storage_vault"]
    assert got["hdfs_info"]["build_conf"]["hdfs_confs"] == confs


# ---- stages ----

def stage(n, **more):
    return {"type": "EXTERNAL", "name": f"e{n}", "stage_id": f"id{n}",
            "obj_info": {**OBJ, "ak": f"ak{n}"}, "access_type": "AKSK",
            **more}


def internal(**more):
    return {"type": "INTERNAL", "mysql_user_name": ["user"],
            "stage_id": "i1", "mysql_user_id": ["u1"], **more}


def test_all_external_stages_are_listed(ms, doris):
    """Without the internal one, which lies between them."""
    rpc = MetaRpc(doris, ms.instance(obj_info=OBJ))
    for n in (1, 2):
        rpc.ok("create_stage", {"stage": stage(n)})
    rpc.ok("create_stage", {"stage": internal()})
    for n in (3, 4):
        rpc.ok("create_stage", {"stage": stage(n)})
    got = rpc.ok("get_stage", {"type": "EXTERNAL"})["stage"]
    assert sorted((s["name"], s["obj_info"]["ak"]) for s in got) == [
        (f"e{n}", f"ak{n}") for n in (1, 2, 3, 4)]
    rpc.ok("drop_stage", {"type": "EXTERNAL", "stage_name": "e2"})
    got = rpc.ok("get_stage", {"type": "EXTERNAL"})["stage"]
    assert sorted(s["name"] for s in got) == ["e1", "e3", "e4"]


def test_no_external_stage_is_listed(ms, doris):
    rpc = MetaRpc(doris, ms.instance(obj_info=OBJ))
    rpc.ok("create_stage", {"stage": internal()})
    assert "stage" not in rpc.ok("get_stage", {"type": "EXTERNAL"})


def test_an_internal_stage_lies_in_the_third_store(ms, doris):
    """It stays in that which was the newest, also when there are newer."""
    iid = ms.instance(obj_info=OBJ)
    rpc = MetaRpc(doris, iid)

    def more(n):
        ms.ok("add_obj_info", {"cloud_unique_id": f"1:{iid}:x", "obj": {
            **OBJ, "bucket": f"b{n}", "prefix": f"p{n}", "ak": f"ak{n}"}})
    more(2)
    more(3)
    rpc.ok("create_stage", {"stage": internal()})
    for n in (4, 5):
        more(n)
        got, = rpc.ok("get_stage", {"type": "INTERNAL",
                                    "mysql_user_name": "user",
                                    "mysql_user_id": "u1"})["stage"]
        obj = got["obj_info"]
        assert (obj["id"], obj["bucket"], obj["ak"], obj["prefix"]) == (
            "3", "b3", "ak3", "p3/stage/user/u1")


def test_how_long_a_user_s_name_and_id_may_be(ms, doris, sql):
    iid = ms.instance(obj_info={**OBJ, "prefix": "p"})
    rpc = MetaRpc(doris, iid)
    for long in {"mysql_user_name": ["x" * 256]}, {
            "mysql_user_id": ["x" * 256]}:
        r = rpc.send("create_stage", {"stage": internal(**long)})
        assert r.json["status"] == {
            "code": "INVALID_ARGUMENT", "msg": "the request or what it would "
            "make is larger than the bound"}, r
    assert "stages" not in ms.get_instance(iid)
    at_most = {"mysql_user_name": ["x" * 255], "mysql_user_id": ["y" * 255]}
    rpc.ok("create_stage", {"stage": internal(**at_most)})
    got, = rpc.ok("get_stage", {
        "type": "INTERNAL", "mysql_user_name": "x" * 255,
        "mysql_user_id": "y" * 255})["stage"]
    assert got["obj_info"]["prefix"] == f"p/stage/{'x' * 255}/{'y' * 255}"
    assert len(rows(sql, "SELECT 1 FROM doris_stage WHERE instance_id = %s",
                    iid.encode())) == 1


def test_the_order_of_what_a_stage_needs(ms, doris):
    """type, name, id, user, place: the first that is missing is told."""
    rpc = MetaRpc(doris, ms.instance(obj_info=OBJ))

    def bad(told, asked):
        rpc.fails("INVALID_ARGUMENT", told, "create_stage", {"stage": asked})
    bad("stage type not set", {"name": "e"})
    bad("stage name not set", {"type": "EXTERNAL"})
    bad("stage id not set", {"type": "EXTERNAL", "name": "e"})
    bad("stage id not set", {"type": "INTERNAL"})
    bad("internal stage must have a mysql user name and id must be given, "
        "name size=0 id size=0", {"type": "INTERNAL", "stage_id": "s",
                                  "obj_info": OBJ})
    bad("internal stage must have a mysql user name and id must be given, "
        "name size=0 id size=1", {"type": "INTERNAL", "stage_id": "s",
                                  "mysql_user_id": ["u"]})
    bad("where an internal stage lies can not be chosen",
        internal(obj_info=OBJ, mysql_user_name=["x" * 256]))


# ---- the order of refusals of a vault ----

def test_the_order_of_what_alter_s3_vault_refuses(ms):
    """What no vault could have, before what this one could not."""
    iid = ms.instance()
    where = {"cloud_unique_id": f"1:{iid}:x"}
    ms.ok("add_s3_vault", {**where, "vault": {"name": "v1",
                                              "obj_info": OBJ}})
    ms.ok("add_hdfs_vault", {**where, "vault": {"name": "h1",
                                                "hdfs_info": HDFS}})

    def bad(told, vault, **more):
        asked = {**where, "vault": vault, **more}
        ms.bad(told.format(compact(masked(asked))), "alter_s3_vault", asked)
    default = {"set_as_default_storage_vault": True}
    fixed, half, sse = {"bucket": "b"}, {"ak": "a"}, {"sse_enabled": False}
    bad("s3 obj info err {}", {}, **default)
    bad("s3 obj info err {}", {"name": "v1", "hdfs_info": HDFS}, **default)
    big = {**fixed, **half, **sse, "endpoint": "e" * 1024}
    bad("set_as_default_storage_vault is for a new vault",
        {"name": "v1", "obj_info": big}, **default)
    said = ms.send("alter_s3_vault", {**where, "vault": {
        "name": "v1", "obj_info": big}}).json["msg"]
    assert said.startswith("s3 obj info greater than 1k "), said
    bad("Bucket, endpoint, prefix and provider can not be altered",
        {"name": "v1", "obj_info": {**fixed, **half, **sse}})
    bad("Accesskey and secretkey must be alter together",
        {"name": "v1", "obj_info": {**half, **sse}})
