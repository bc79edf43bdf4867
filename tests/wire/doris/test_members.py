"""Every member of a request is stored and shown again, or refused."""

import re

import pytest

from support.metarpc import MetaRpc
from support.metaservice import HDFS, OBJ, be
from support.tables import ROOT
from support.words import fresh

# What the server decides whatever a client says.
OWN = {"ctime", "mtime", "id"}

MEMBERS = {
    "ctime": "5", "mtime": "5", "id": "9", "ak": "other", "sk": "other",
    "bucket": "other", "prefix": "other", "endpoint": "other",
    "region": "other", "provider": "COS", "external_endpoint": "other",
    "user_id": "other", "sse_enabled": False, "use_path_style": True,
    "cred_provider_type": "ENV", "role_arn": "arn:other",
    "external_id": "other",
}
ROLE = {"role_arn": "arn:aws:iam::1:r", "external_id": "x1", "provider": "S3",
        "cred_provider_type": "INSTANCE_PROFILE", "bucket": "b",
        "endpoint": "e", "region": "r"}


def vault(ms, iid, name="v1"):
    got = ms.result("get_obj_store_info", {"cloud_unique_id": f"1:{iid}:x"})
    return {v["name"]: v for v in got["storage_vault"]}[name]["obj_info"]


def holds(obj, member, want):
    return obj.get(member) == want


def test_every_member_of_the_record_is_tried(doris):
    """The list above is the record's own."""
    with open(f"{ROOT}/handlers/doris/meta/object.h") as f:
        table = f.read().split("#define DORIS_OBJ(X, s)")[1].split("STRUCT")[0]
    names = re.findall(r'"(\w+)", IN \| OUT', table)
    assert sorted(names) == sorted(MEMBERS)


@pytest.mark.parametrize("member", sorted(MEMBERS.keys() - OWN))
def test_alter_s3_vault(ms, member):
    iid = ms.instance()
    base = {k: v for k, v in OBJ.items() if k != "user_id"}
    ms.ok("add_s3_vault", {"cloud_unique_id": f"1:{iid}:x", "vault": {
        "name": "v1", "obj_info": base}})
    was = vault(ms, iid)
    r = ms.send("alter_s3_vault", {"cloud_unique_id": f"1:{iid}:x", "vault": {
        "name": "v1", "obj_info": {member: MEMBERS[member]}}})
    assert r.status in (200, 400), r
    if r.status == 200:
        assert holds(vault(ms, iid), member, MEMBERS[member])
    else:
        assert vault(ms, iid) == was


@pytest.mark.parametrize("member", sorted(MEMBERS.keys() - OWN))
def test_add_s3_vault(ms, member):
    iid = ms.instance()
    r = ms.send("add_s3_vault", {"cloud_unique_id": f"1:{iid}:x", "vault": {
        "name": "v1", "obj_info": {**OBJ, member: MEMBERS[member]}}})
    assert r.status in (200, 400), r
    if r.status == 200:
        assert holds(vault(ms, iid), member, MEMBERS[member])


@pytest.mark.parametrize("member", sorted(
    MEMBERS.keys() - OWN - {"sse_enabled"}))  # is the instance's
def test_add_obj_info(ms, member):
    iid = ms.instance(obj_info=OBJ)
    r = ms.send("add_obj_info", {"cloud_unique_id": f"1:{iid}:x", "obj": {
        **OBJ, "bucket": "b2", member: MEMBERS[member]}})
    assert r.status in (200, 400), r
    if r.status == 200:
        got = ms.result("get_obj_store_info",
                        {"cloud_unique_id": f"1:{iid}:x"})["obj_info"][1]
        assert holds(got, member, MEMBERS[member])


def test_a_role_keeps_its_external_id_until_there_are_keys(ms):
    iid = ms.instance()
    where = {"cloud_unique_id": f"1:{iid}:x"}
    ms.ok("add_s3_vault", {**where, "vault": {"name": "v1", "obj_info": OBJ}})
    ms.ok("alter_s3_vault", {**where, "vault": {"name": "v1", "obj_info": {
        "role_arn": "arn:1", "external_id": "x1"}}})
    got = vault(ms, iid)
    assert (got["role_arn"], got["external_id"]) == ("arn:1", "x1")
    assert got["cred_provider_type"] == "INSTANCE_PROFILE"
    assert "ak" not in got and "sk" not in got
    ms.ok("alter_s3_vault", {**where, "vault": {"name": "v1", "obj_info": {
        "external_id": "x2"}}})
    assert vault(ms, iid)["external_id"] == "x2"
    ms.ok("alter_s3_vault", {**where, "vault": {"name": "v1", "obj_info": {
        "ak": "a", "sk": "s"}}})
    got = vault(ms, iid)
    assert (got["ak"], got["sk"]) == ("a", "s")
    assert not {"role_arn", "external_id", "cred_provider_type"} & got.keys()
    ms.bad("external_id goes with a role_arn", "alter_s3_vault", {
        **where, "vault": {"name": "v1", "obj_info": {"external_id": "x3"}}})


def test_an_object_store_does_so_too(ms):
    iid = ms.instance(obj_info=OBJ)
    where = {"cloud_unique_id": f"1:{iid}:x"}

    def obj():
        return ms.result("get_obj_store_info", where)["obj_info"][0]

    ms.ok("alter_obj_info", {**where, "obj": {
        "id": "1", "role_arn": "arn:1", "external_id": "x1"}})
    assert (obj()["role_arn"], obj()["external_id"]) == ("arn:1", "x1")
    ms.bad("ak sk eq original, please check it", "alter_obj_info", {
        **where, "obj": {"id": "1", "role_arn": "arn:1",
                         "external_id": "x1"}})
    ms.ok("alter_obj_info", {**where, "obj": {
        "id": "1", "ak": "a", "sk": "s"}})
    assert not {"role_arn", "external_id"} & obj().keys()
    ms.bad("role_arn and ak, sk exclude each other", "alter_obj_info", {
        **where, "obj": {"id": "1", "ak": "b", "sk": "t",
                         "role_arn": "arn:2"}})


def test_what_is_so_may_be_said_again(ms):
    """Whole objects as they were read, beside what the operation changes."""
    iid = ms.instance(obj_info=OBJ)
    where = {"cloud_unique_id": f"1:{iid}:x"}
    for op in "legacy_update_ak_sk", "alter_obj_info":
        obj = ms.result("get_obj_store_info", where)["obj_info"][0]
        ms.ok(op, {**where, "obj": {**obj, "ak": op,
                                    "prefix": f"/{obj['prefix']}/"}})
    ms.cluster(iid, "c1", desc="d", nodes=[be(iid, 1)], mysql_user_name=["u"],
               properties={"a": "1", "b": "2"})

    def whole(**more):
        return {"instance_id": iid,
                "cluster": {**ms.get_cluster(iid, "c1"), **more}}

    ms.ok("rename_cluster", whole(cluster_name="renamed"))
    ms.ok("update_cluster_mysql_user_name", whole(mysql_user_name=["v"]))
    ms.ok("update_cluster_endpoint", whole(private_endpoint="e"))
    ms.ok("set_cluster_status", whole(cluster_status="SUSPENDED"))
    ms.ok("decommission_node", whole())
    ms.ok("drop_node", whole())
    ms.ok("drop_cluster", whole())


def test_so_may_a_vault_that_goes(ms):
    iid = ms.instance()
    where = {"cloud_unique_id": f"1:{iid}:x"}
    ms.ok("add_hdfs_vault", {**where, "vault": {"name": "v1",
                                                "hdfs_info": HDFS}})
    got, = [v for v in ms.result("get_obj_store_info", where)["storage_vault"]
            if v["name"] == "v1"]
    ms.ok("drop_hdfs_vault", {**where, "vault": got})


@pytest.mark.parametrize("kind", [
    "DEFAULT", "INSTANCE_PROFILE", "WEB_IDENTITY", "CONTAINER", "ENV",
    "SYSTEM_PROPERTIES", "ANONYMOUS"])
def test_a_provider_of_credentials_needs_no_keys(ms, kind):
    plain = {k: v for k, v in OBJ.items() if k not in ("ak", "sk")}
    plain["cred_provider_type"] = kind
    iid = ms.instance(obj_info=plain)
    got = ms.get_instance(iid)["obj_info"][0]
    assert got["cred_provider_type"] == kind and "ak" not in got
    iid = ms.instance(vault={"obj_info": plain})
    assert vault(ms, iid, "built_in_storage_vault")["cred_provider_type"] \
        == kind
    ms.ok("add_s3_vault", {"cloud_unique_id": f"1:{iid}:x", "vault": {
        "name": "v1", "obj_info": plain}})
    assert vault(ms, iid)["cred_provider_type"] == kind


def test_simple_credentials_are_keys(ms):
    plain = {k: v for k, v in OBJ.items() if k not in ("ak", "sk")}
    ms.bad("s3 conf info err, please check it", "create_instance", {
        "instance_id": fresh("i"),
        "obj_info": {**plain, "cred_provider_type": "SIMPLE"}})


SECRETS = {
    "hdfs_kerberos_principal": "principal@REALM",
    "hdfs_kerberos_keytab": "/keytab",
    "hdfs_confs": [{"key": "fs.key", "value": "confvalue"}],
}


def test_secrets_are_for_who_may_see_them(ms, sql):
    """hdfs_confs, keytab, principal, external_id, properties of stages."""
    build = {**HDFS["build_conf"], **SECRETS}
    iid = ms.instance(vault={"hdfs_info": {**HDFS, "build_conf": build}})
    where = {"cloud_unique_id": f"1:{iid}:x"}
    ms.ok("add_s3_vault", {**where, "vault": {"name": "v1",
                                              "obj_info": ROLE}})
    MetaRpc(ms.client, iid).ok("create_stage", {"stage": {
        "type": "EXTERNAL", "name": "e", "stage_id": "s",
        "properties": {"pass": "stagevalue"}}})
    words = ["principal@REALM", "/keytab", "confvalue", "x1", "stagevalue"]

    def shown(who):
        return who.send("get_obj_store_info", where).text \
            + who.send("get_instance", query={"instance_id": iid},
                       method="GET").text
    assert all(w in shown(ms) for w in words)
    for scope in "read", "write":
        poor = shown(ms.scope(scope))
        assert not [w for w in words if f'"{w}"' in poor], poor
        assert '"pass": "***"' in poor, poor
    with sql.cursor() as c:
        c.execute("SELECT CONCAT_WS(' ', request_json, before_json,"
                  " after_json) FROM audit WHERE target LIKE %s", f"%{iid}%")
        said = " ".join(list(row.values())[0] for row in c.fetchall())
    assert not [w for w in words if f'"{w}"' in said], said
