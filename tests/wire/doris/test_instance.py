"""create_instance, get_instance, drop_instance and what changes one."""

import pytest

from support.metaservice import HDFS, OBJ, be, without
from support.words import fresh

RAM = {"user_id": "ram", "ak": "ram-ak", "sk": "ram-sk"}
ROLE = {"role_arn": "arn:aws:iam::1:role/r", "provider": "S3",
        "cred_provider_type": "INSTANCE_PROFILE", "bucket": "b",
        "endpoint": "e", "region": "r"}
S3_ERR = "s3 conf info err, please check it"
ROLE_ERR = "s3 conf info err with role_arn, please check it"


def times(value):
    """The times of an object, which must be one moment."""
    assert value["ctime"] == value["mtime"] and value["ctime"].isdigit()
    return {"ctime": value["ctime"], "mtime": value["mtime"]}


# ---- create, and what get_instance shows of it ----

def test_an_instance_on_hdfs(ms):
    iid = fresh("i")
    ms.ok("create_instance", {"instance_id": iid, "name": "n",
                              "user_id": "u", "vault": {"hdfs_info": HDFS}})
    got = ms.get_instance(iid)
    assert list(got.items()) == list({
        "user_id": "u", "instance_id": iid, "name": "n", **times(got),
        "status": "NORMAL", "sse_enabled": False, "resource_ids": ["1"],
        "storage_vault_names": ["built_in_storage_vault"],
        "enable_storage_vault": True}.items())


def test_an_instance_on_an_object_store(ms):
    iid = ms.instance(vault={"obj_info": OBJ})
    got = ms.get_instance(iid)
    assert "obj_info" not in got
    assert got["enable_storage_vault"] is True
    stores = ms.result("get_obj_store_info",
                       {"cloud_unique_id": f"1:{iid}:x"})
    vault = stores["storage_vault"][0]
    obj = vault["obj_info"]
    assert list(vault) == ["id", "name", "obj_info"]
    assert list(obj.items()) == list({
        **times(obj), "id": "1", **OBJ, "sse_enabled": True}.items())


def test_the_legacy_form_with_a_ram_user(ms):
    iid = ms.instance(name="name", user_id="abcdef", ram_user=RAM,
                      obj_info={**OBJ, "user_id": "xxx"})
    got = ms.get_instance(iid)
    assert list(got.items()) == list({
        "user_id": "abcdef", "instance_id": iid, "name": "name",
        **times(got),
        "obj_info": [{**times(got["obj_info"][0]), "id": "1", **OBJ,
                      "user_id": "xxx", "sse_enabled": False}],
        "status": "NORMAL", "ram_user": RAM, "sse_enabled": False,
        "enable_storage_vault": False}.items())


def test_an_object_store_reached_by_a_role(ms):
    iid = ms.instance(obj_info=ROLE)
    obj = ms.get_instance(iid)["obj_info"][0]
    assert list(obj.items()) == list({
        **times(obj), "id": "1", "bucket": "b", "endpoint": "e",
        "region": "r", "provider": "S3", "external_endpoint": "e",
        "sse_enabled": False, "cred_provider_type": "INSTANCE_PROFILE",
        "role_arn": ROLE["role_arn"]}.items())


def test_an_instance_without_storage(ms):
    got = ms.get_instance(ms.instance())
    assert (got["name"], got["user_id"]) == ("", "")
    assert got["enable_storage_vault"] is True
    assert "resource_ids" not in got


def test_prefixes_are_trimmed_and_given_members_stay(ms):
    obj = {**without(OBJ, "external_endpoint"), "prefix": " \t/aa/bb// ",
           "use_path_style": False}
    got = ms.get_instance(ms.instance(obj_info=obj, sse_enabled=True))
    stored = got["obj_info"][0]
    assert stored["prefix"] == "aa/bb"
    assert stored["external_endpoint"] == obj["endpoint"]
    assert (stored["use_path_style"], stored["sse_enabled"]) == (False, True)
    hdfs = {**HDFS, "prefix": "/p/", "build_conf": {"fs_name": " hdfs://h/ "}}
    iid = ms.instance(vault={"hdfs_info": hdfs})
    stored = ms.result("show_storage_vaults", {
        "cloud_unique_id": f"1:{iid}:x"})["storage_vault"][0]["hdfs_info"]
    assert stored == {"build_conf": {"fs_name": "hdfs://h"}, "prefix": "p"}


def test_an_empty_prefix_is_no_prefix_but_was_given(ms):
    obj = ms.get_instance(ms.instance(obj_info={**OBJ, "prefix": ""}))
    assert obj["obj_info"][0]["prefix"] == ""
    obj = ms.get_instance(ms.instance(obj_info=without(OBJ, "prefix")))
    assert "prefix" not in obj["obj_info"][0]


@pytest.mark.parametrize("member", ["user_id", "ak", "sk"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_ram_user_has_three_members(ms, member, value):
    ms.bad("ram user info err, please check it", "create_instance",
           {"instance_id": fresh("i"), "ram_user": {**RAM, member: value}})


@pytest.mark.parametrize("member", ["ak", "sk", "bucket", "endpoint",
                                    "region", "provider"])
@pytest.mark.parametrize("where", ["obj_info", "vault"])
def test_an_object_store_lacks_a_member(ms, member, where):
    for obj in (without(OBJ, member), {**OBJ, member: ""}):
        body = obj if where == "obj_info" else {"obj_info": obj}
        ms.bad(S3_ERR, "create_instance",
               {"instance_id": fresh("i"), where: body})


def test_an_external_endpoint_is_not_empty(ms):
    ms.bad(S3_ERR, "create_instance",
           {"instance_id": fresh("i"),
            "obj_info": {**OBJ, "external_endpoint": ""}})


@pytest.mark.parametrize("change", [
    {"provider": "OSS"}, {"provider": None}, {"bucket": ""},
    {"endpoint": ""}, {"region": None}, {"cred_provider_type": "DEFAULT"},
    {"cred_provider_type": None}])
def test_a_role_needs_its_members(ms, change):
    ms.bad(ROLE_ERR, "create_instance",
           {"instance_id": fresh("i"), "obj_info": {**ROLE, **change}})


def test_an_id_is_given_and_of_plain_characters(ms):
    ms.bad("instance id not set", "create_instance", {"name": "n"})
    ms.bad("instance id not set", "create_instance", {"instance_id": ""})
    for iid in ("a b", "a:b", "é", "a/b", "a.b"):
        r = ms.send("create_instance", {"instance_id": iid})
        assert (r.status, r.json["code"]) == (400, "INVALID_ARGUMENT"), r
    iid = fresh("6ADD-F03_")
    ms.ok("create_instance", {"instance_id": iid})


def test_a_vault_is_on_hdfs_or_an_object_store(ms):
    ms.bad(S3_ERR, "create_instance",
           {"instance_id": fresh("i"), "vault": {}})
    ms.bad("invalid prefix: hdfs://x", "create_instance",
           {"instance_id": fresh("i"),
            "vault": {"hdfs_info": {**HDFS, "prefix": "hdfs://x"}}})
    for conf in ({"fs_name": " /"}, {"user": "u"}):
        ms.bad(f"invalid fs_name: {conf.get('fs_name', '')}",
               "create_instance", {
                   "instance_id": fresh("i"),
                   "vault": {"hdfs_info": {"build_conf": conf}}})
    ms.bad("invalid fs_name: ", "create_instance",
           {"instance_id": fresh("i"), "vault": {"hdfs_info": {}}})
    r = ms.send("create_instance", {
        "instance_id": fresh("i"), "vault": {"hdfs_info": {"build_conf": {
            "fs_name": "f", "hdfs_confs": [{"key": "k"}]}}}})
    assert (r.status, r.json["code"]) == (400, "INVALID_ARGUMENT"), r


def test_the_order_of_refusals(ms):
    """ram_user, obj_info, instance_id, vault, existence."""
    body = {"ram_user": {}, "obj_info": {}, "vault": {}}
    ms.bad("ram user info err, please check it", "create_instance",
           {**body, "ram_user": {"ak": "a"}})
    ms.bad(S3_ERR, "create_instance", body | {"ram_user": RAM})
    ms.bad("instance id not set", "create_instance",
           {"ram_user": RAM, "obj_info": OBJ, "vault": {}})
    iid = ms.instance()
    ms.bad(S3_ERR, "create_instance", {"instance_id": iid, "vault": {}})
    ms.exists(f"instance already existed, instance_id={iid}",
              "create_instance", {"instance_id": iid})


# ---- get ----

def test_an_instance_is_found_by_a_node_and_by_body(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1, cloud_unique_id=fresh("node"))])
    node = ms.get_cluster(iid)["nodes"][0]["cloud_unique_id"]
    by_id = ms.get_instance(iid)
    for query in ({"cloud_unique_id": node},
                  {"cloud_unique_id": f"1:{iid}:other"},
                  {"cloud_unique_id": f"::01::{iid}:x:"},
                  {"instance_id": iid, "cloud_unique_id": "nonsense"}):
        assert ms.result("get_instance", query=query, method="GET") == by_id
        assert ms.result("get_instance", query, method="GET") == by_id


def test_an_instance_that_is_not_found(ms):
    ms.bad("empty instance_id and cloud_unique_id", "get_instance",
           method="GET")
    ms.bad("empty instance_id and cloud_unique_id", "get_instance",
           query={"instance_id": ""}, method="GET")
    for cuid in ("2:a:b", "1:a", "1:a:b:c", "a", "1::a"):
        ms.bad(f"cannot find instance_id with cloud_unique_id={cuid}",
               "get_instance", query={"cloud_unique_id": cuid}, method="GET")
    iid = fresh("no")
    for query in ({"instance_id": iid}, {"cloud_unique_id": f"1:{iid}:n"}):
        ms.missing("failed to get instance, info=failed to get instance, "
                   f"instance_id={iid} err=KeyNotFound", "get_instance",
                   query=query, method="GET")


def test_keys_are_shown_to_who_may_see_them(ms):
    iid = ms.instance(obj_info=OBJ, ram_user=RAM)
    full = ms.get_instance(iid)
    assert full["obj_info"][0]["sk"] == "sk1"
    assert ms.scope("secrets").get_instance(iid) == full
    for scope in ("read", "write"):
        got = ms.scope(scope).get_instance(iid)
        assert got["ram_user"] == {"user_id": "ram", "ak": "***",
                                   "sk": "***"}
        assert (got["obj_info"][0]["ak"], got["obj_info"][0]["sk"]) == (
            "***", "***")


def test_many_clusters_are_listed_in_order(ms):
    iid = ms.instance()
    ids = [f"c{n}" for n in (5, 3, 9, 1, 7, 2)]
    for cid in ids:
        ms.cluster(iid, cid)
    got = ms.get_instance(iid)
    assert [c["cluster_id"] for c in got["clusters"]] == ids
    assert list(got).index("clusters") == list(got).index("mtime") + 1


# ---- drop ----

def test_a_dropped_instance_stays_as_deleted(ms):
    iid = ms.deleted()
    assert ms.get_instance(iid)["status"] == "DELETED"
    ms.exists(f"instance already existed, instance_id={iid}",
              "create_instance", {"instance_id": iid})
    ms.ok("drop_instance", {"instance_id": iid})


def test_an_instance_with_clusters_is_not_dropped(ms):
    iid = ms.instance()
    cid = ms.cluster(iid)
    ms.bad("failed to drop instance, instance has clusters", "drop_instance",
           {"instance_id": iid})
    assert ms.get_instance(iid)["status"] == "NORMAL"
    ms.ok("drop_cluster", {"instance_id": iid,
                           "cluster": {"cluster_id": cid}})
    ms.ok("drop_instance", {"instance_id": iid})


@pytest.mark.parametrize("operation, more", [
    ("drop_instance", {}), ("rename_instance", {"name": "n"}),
    ("set_instance_status", {"op": "SET_OVERDUE"}),
    ("enable_instance_sse", {}), ("disable_instance_sse", {})])
def test_changes_need_an_instance(ms, operation, more):
    ms.bad("instance id not set", operation, more)
    ms.bad("instance id not set", operation, {"instance_id": "", **more})
    iid = fresh("no")
    ms.missing(f"instance not existed, instance_id={iid}", operation,
               {"instance_id": iid, **more})


DELETED = "instance status has been set delete, plz check it"


def test_a_deleted_instance_takes_no_clusters_and_keys(ms):
    iid = ms.deleted()
    cuid = f"1:{iid}:x"
    cluster = {"cluster_id": "c", "cluster_name": "n", "type": "COMPUTE"}
    ms.missing(DELETED, "add_cluster", {"instance_id": iid,
                                        "cluster": cluster})
    ms.missing(DELETED, "drop_cluster", {"instance_id": iid,
                                         "cluster": cluster})
    ms.missing(DELETED, "add_obj_info", {"cloud_unique_id": cuid,
                                         "obj": OBJ})
    ms.missing(DELETED, "legacy_update_ak_sk", {"cloud_unique_id": cuid,
                                                "obj": {**OBJ, "id": "1"}})
    ms.missing(DELETED, "update_ak_sk", {"instance_id": iid,
                                         "ram_user": RAM})
    for operation in ("rename_cluster", "update_cluster_mysql_user_name",
                      "update_cluster_endpoint", "set_cluster_status"):
        ms.bad(DELETED, operation, {"instance_id": iid, "cluster": cluster})
    for operation in ("add_node", "drop_node", "decommission_node"):
        ms.bad(DELETED, operation, {
            "instance_id": iid,
            "cluster": {**cluster, "nodes": [be(iid, 1)]}})
    ms.bad(f"can't set deleted instance to overdue, instance_id = {iid}",
           "set_instance_status", {"instance_id": iid, "op": "SET_OVERDUE"})
    ms.bad(f"can't set deleted instance to normal, instance_id = {iid}",
           "set_instance_status", {"instance_id": iid, "op": "SET_NORMAL"})


# ---- status, name, encryption ----

def test_an_instance_becomes_overdue_and_normal_again(ms):
    iid = ms.instance()
    ms.bad(f"the instance is already normal, instance_id = {iid}",
           "set_instance_status", {"instance_id": iid, "op": "SET_NORMAL"})
    ms.ok("set_instance_status", {"instance_id": iid, "op": "SET_OVERDUE"})
    assert ms.get_instance(iid)["status"] == "OVERDUE"
    ms.bad("the instance has already set  instance to overdue, "
           f"instance_id = {iid}", "set_instance_status",
           {"instance_id": iid, "op": "SET_OVERDUE"})
    ms.ok("set_instance_status", {"instance_id": iid, "op": "SET_NORMAL"})
    assert ms.get_instance(iid)["status"] == "NORMAL"


@pytest.mark.parametrize("op", [None, "", "DROP", "RENAME", "ENABLE_SSE",
                                "SET_DELETED", 1, 2, 5])
def test_only_two_operations_set_a_status(ms, op):
    iid = ms.instance()
    ms.bad("invalid request op, op=0", "set_instance_status",
           {"instance_id": iid, "op": op})
    ms.bad("invalid request op, op=0", "set_instance_status", {"op": op})
    assert ms.get_instance(iid)["status"] == "NORMAL"


def test_an_operation_has_the_number_that_doris_gave_it(ms):
    iid = ms.instance()
    for op, status in (6, "OVERDUE"), (7, "NORMAL"):
        ms.ok("set_instance_status", {"instance_id": iid, "op": op})
        assert ms.get_instance(iid)["status"] == status


def test_an_instance_gets_another_name(ms):
    iid = ms.instance(name="one")
    ms.ok("rename_instance", {"instance_id": iid, "name": "two"})
    assert ms.get_instance(iid)["name"] == "two"
    for name in (None, ""):
        ms.bad("rename instance name, but not set", "rename_instance",
               {"instance_id": iid, "name": name})


def test_encryption_is_turned_on_and_off(ms):
    iid = ms.instance(obj_info=OBJ)
    ms.bad("failed to disable sse, instance has disabled sse",
           "disable_instance_sse", {"instance_id": iid})
    ms.ok("enable_instance_sse", {"instance_id": iid})
    got = ms.get_instance(iid)
    assert (got["sse_enabled"], got["obj_info"][0]["sse_enabled"]) == (
        True, True)
    ms.bad("failed to enable sse, instance has enabled sse",
           "enable_instance_sse", {"instance_id": iid})
    ms.ok("disable_instance_sse", {"instance_id": iid})
    got = ms.get_instance(iid)
    assert (got["sse_enabled"], got["obj_info"][0]["sse_enabled"]) == (
        False, False)


# ---- list ----

def test_instances_are_listed_page_by_page(ms):
    prefix = fresh("list")
    ids = [f"{prefix}_{n}" for n in range(7)]
    for iid in reversed(ids):
        ms.ok("create_instance", {"instance_id": iid, "name": "n"})
    ms.ok("drop_instance", {"instance_id": ids[3]})
    seen, after = [], prefix
    while len(seen) < 6:
        page = ms.result("list_instances", method="GET",
                         query={"after": after, "limit": 2})
        assert len(page["instances"]) == 2
        seen += page["instances"]
        after = page["next"]
    seen += ms.result("list_instances", method="GET",
                      query={"after": after, "limit": 1})["instances"]
    assert [i["instance_id"] for i in seen] == ids
    assert list(seen[0]) == ["instance_id", "name", "user_id", "status",
                             "ctime", "mtime"]
    page = ms.result("list_instances", {"after": prefix, "limit": 1,
                                        "status": "DELETED"})
    assert page["instances"][0]["instance_id"] == ids[3]
    last = ms.result("list_instances", query={"after": "~"}, method="GET")
    assert last == {"instances": []}


def test_a_status_that_is_none_lists_nothing(ms):
    """And not the instances of every status."""
    told = "status must be NORMAL, DELETED or OVERDUE, status=DROPPED"
    ms.bad(told, "list_instances", query={"status": "DROPPED"}, method="GET")
    ms.bad(told, "list_instances", {"status": "DROPPED"})
    iid = ms.deleted()
    for status in "", None, "DELETED":
        page = ms.result("list_instances", {"after": iid[:-1], "limit": 1,
                                            "status": status})
        assert page["instances"]
