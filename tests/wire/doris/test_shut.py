"""A secret that cannot be opened (its key is gone, or it was altered): what
shows it says which one it is, what replaces it works, all else goes on."""

import pytest

from support.metarpc import MetaRpc
from support.metaservice import OBJ
from support.store import rows

SPOIL = "CONCAT('v1:77:', SUBSTRING_INDEX({0}, ':', -1))"
WHY = " was sealed with a key that is not here, or altered"


@pytest.fixture
def spoil(sql):
    """Makes as if key 77 had sealed these columns of an instance's rows."""
    def run(iid, table, *columns):
        said = ", ".join(f"{c} = {SPOIL.format(c)}" for c in columns)
        with sql.cursor() as c:
            assert c.execute(f"UPDATE {table} SET {said}"
                             " WHERE instance_id = %s", iid.encode()) == 1
    return run


def sealed(sql, iid, table, column):
    row, = rows(sql, f"SELECT {column} AS v FROM {table}"
                " WHERE instance_id = %s", iid.encode())
    return row["v"]


def refused(ms, iid, what):
    """By what shows it."""
    msg = f"failed to open secret, instance_id={iid} {what}{WHY}"
    ms.internal(msg, "get_instance", query={"instance_id": iid}, method="GET")


def goes_on(ms, iid):
    """What needs no secret of it."""
    ms.cluster(iid)
    ms.get_cluster(iid)
    ms.ok("rename_instance", {"instance_id": iid, "name": "other"})
    ms.ok("drop_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1"}})


def test_the_ram_user(ms, spoil):
    user = {"user_id": "u", "ak": "a", "sk": "s"}
    iid = ms.instance(ram_user=user, obj_info={**OBJ, "user_id": "b"})
    for op in "update_ak_sk", "alter_ram_user":
        spoil(iid, "doris_instance", "ram_sk")
        refused(ms, iid, "ram user u: ram_sk")
        goes_on(ms, iid)
        spoil(iid, "doris_instance", "ram_ak")
        refused(ms, iid, "ram user u: ram_ak")
        user = {**user, "ak": f"a{op}", "sk": f"s{op}"}
        ms.ok(op, {"instance_id": iid, "ram_user": user})
        assert ms.get_instance(iid)["ram_user"] == user


def test_the_ram_user_while_others_are_changed(ms, spoil, sql):
    """Its secrets stay as they lie there until somebody finds the key."""
    iid = ms.instance(ram_user={"user_id": "u", "ak": "a", "sk": "s"},
                      obj_info={**OBJ, "user_id": "b"})
    spoil(iid, "doris_instance", "ram_ak", "ram_sk")
    was = sealed(sql, iid, "doris_instance", "ram_sk")
    ms.ok("update_ak_sk", {"instance_id": iid, "internal_bucket_user": [
        {"user_id": "b", "ak": "a2", "sk": "s2"}]})
    ms.ok("add_obj_info", {"cloud_unique_id": f"1:{iid}:x",
                           "obj": {**OBJ, "bucket": "b2"}})
    ms.ok("set_instance_status", {"instance_id": iid, "op": "SET_OVERDUE"})
    assert sealed(sql, iid, "doris_instance", "ram_sk") == was
    ms.ok("drop_instance", {"instance_id": iid})


@pytest.mark.parametrize("op", ["legacy_update_ak_sk", "alter_obj_info",
                                "update_ak_sk"])
def test_an_object_store(ms, spoil, op):
    iid = ms.instance(obj_info={**OBJ, "user_id": "b"})
    spoil(iid, "doris_obj_info", "ak", "sk")
    refused(ms, iid, "object store 1: ak")
    goes_on(ms, iid)
    where = {"cloud_unique_id": f"1:{iid}:x"}
    ms.internal("failed to open secret, instance_id="
                f"{iid} object store 1: ak{WHY}", "get_obj_store_info", where)
    keys = {"ak": "a2", "sk": "s2"}
    ms.ok(op, {"instance_id": iid,
               "internal_bucket_user": [{"user_id": "b", **keys}]}
          if op == "update_ak_sk" else {**where, "obj": {"id": "1", **keys}})
    shown, = ms.get_instance(iid)["obj_info"]
    assert {**shown, "ctime": 0, "mtime": 0} == {
        **OBJ, **keys, "id": "1", "user_id": "b", "sse_enabled": False,
        "ctime": 0, "mtime": 0}


def test_an_object_store_by_a_role(ms, spoil):
    """Keys that nobody can read go when a role takes their place."""
    iid = ms.instance(obj_info=OBJ)
    spoil(iid, "doris_obj_info", "ak", "sk")
    ms.ok("alter_obj_info", {"cloud_unique_id": f"1:{iid}:x", "obj": {
        "id": "1", "role_arn": "arn:1"}})
    shown, = ms.get_instance(iid)["obj_info"]
    assert shown["role_arn"] == "arn:1" and "ak" not in shown


def test_a_vault(ms, spoil, sql):
    iid = ms.instance(vault={"obj_info": OBJ})
    where = {"cloud_unique_id": f"1:{iid}:x"}
    spoil(iid, "doris_vault", "sk")
    msg = ("failed to open secret, instance_id="
           f"{iid} storage vault built_in_storage_vault: sk{WHY}")
    ms.internal(msg, "get_obj_store_info", where)
    assert ms.get_instance(iid)["storage_vault_names"] == [
        "built_in_storage_vault"]
    was = [sealed(sql, iid, "doris_vault", c) for c in ("ak", "sk")]
    ms.ok("alter_s3_vault", {**where, "vault": {
        "name": "built_in_storage_vault", "alter_name": "v2",
        "obj_info": {"use_path_style": True}}})
    now = [sealed(sql, iid, "doris_vault", c) for c in ("ak", "sk")]
    assert now[1] == was[1], "what could not be read was not written"
    msg = msg.replace("built_in_storage_vault", "v2")
    ms.internal(msg, "get_obj_store_info", where)
    ms.ok("alter_s3_vault", {**where, "vault": {
        "name": "v2", "obj_info": {"ak": "a2", "sk": "s2"}}})
    shown = ms.result("get_obj_store_info", where)["storage_vault"][0]
    assert (shown["name"], shown["obj_info"]["ak"], shown["obj_info"]["sk"],
            shown["obj_info"]["use_path_style"]) == ("v2", "a2", "s2", True)
    spoil(iid, "doris_vault", "ak", "sk")
    ms.ok("alter_s3_vault", {**where, "vault": {
        "name": "v2", "obj_info": {"role_arn": "arn:1"}}})
    shown = ms.result("get_obj_store_info", where)["storage_vault"][0]
    assert "ak" not in shown["obj_info"]


def test_a_stage(ms, spoil):
    iid = ms.instance(obj_info=OBJ)
    rpc = MetaRpc(ms.client, iid)
    ref = {"type": "EXTERNAL", "stage_name": "e"}
    stage = {"type": "EXTERNAL", "name": "e", "stage_id": "s",
             "obj_info": OBJ}
    rpc.ok("create_stage", {"stage": stage})
    spoil(iid, "doris_stage", "ak")
    msg = f"failed to open secret, instance_id={iid} stage s: ak{WHY}"
    for body in ref, {"type": "EXTERNAL"}:
        rpc.fails("UNDEFINED_ERR", msg, "get_stage", body)
    refused(ms, iid, "stage s: ak")
    rpc.ok("create_stage", {"stage": {**stage, "name": "e2",
                                      "stage_id": "s2"}})
    rpc.ok("drop_stage", ref)
    got = rpc.ok("get_stage", {"type": "EXTERNAL"})["stage"]
    assert [s["stage_id"] for s in got] == ["s2"]
    ms.get_instance(iid)


def test_the_ram_user_of_a_stage(ms, spoil):
    iid = ms.instance(ram_user={"user_id": "u", "ak": "a", "sk": "s"})
    rpc = MetaRpc(ms.client, iid)
    rpc.ok("create_stage", {"stage": {
        "type": "EXTERNAL", "name": "e", "stage_id": "s",
        "access_type": "BUCKET_ACL", "obj_info": {"bucket": "b"}}})
    spoil(iid, "doris_instance", "ram_ak")
    rpc.fails("UNDEFINED_ERR", "failed to open secret, instance_id="
              f"{iid} ram user u: ram_ak{WHY}", "get_stage",
              {"type": "EXTERNAL", "stage_name": "e"})


def test_the_log_names_the_key(ms, spoil, deployment):
    iid, before = ms.instance(obj_info=OBJ), deployment.log_sizes()
    spoil(iid, "doris_obj_info", "sk")
    refused(ms, iid, "object store 1: sk")
    assert 'crypt.open table=doris_obj_info column=sk reason="no key 77"' \
        in deployment.log_since(before)
