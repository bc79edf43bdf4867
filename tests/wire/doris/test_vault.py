"""Storage vaults."""

import pytest

from support.metaservice import HDFS, OBJ, compact, masked, without
from support.words import fresh

ROLE = {"role_arn": "arn:aws:iam::1:r", "provider": "S3",
        "cred_provider_type": "INSTANCE_PROFILE", "bucket": "b",
        "endpoint": "e", "region": "r"}


def body(iid, vault, **more):
    return {"cloud_unique_id": f"1:{iid}:x", "vault": vault, **more}


def s3(iid, name="v1", obj=OBJ, **more):
    return body(iid, {"name": name, "obj_info": obj}, **more)


def hdfs(iid, name="h1", info=HDFS, **more):
    return body(iid, {"name": name, "hdfs_info": info}, **more)


def vaults(ms, iid):
    got = ms.result("get_obj_store_info", {"cloud_unique_id": f"1:{iid}:x"})
    return {v["name"]: v for v in got.get("storage_vault", [])}


def default(ms, iid):
    got = ms.get_instance(iid)
    return (got.get("default_storage_vault_id"),
            got.get("default_storage_vault_name"))


def test_vaults_are_added(ms):
    iid = ms.instance(vault={"hdfs_info": HDFS})
    ms.ok("add_s3_vault", s3(iid))
    ms.ok("add_hdfs_vault", hdfs(iid, set_as_default_storage_vault=True))
    ms.ok("add_s3_vault", s3(iid, "v2", ROLE))
    got = vaults(ms, iid)
    assert [(v["id"], n) for n, v in got.items()] == [
        ("1", "built_in_storage_vault"), ("2", "v1"), ("3", "h1"),
        ("4", "v2")]
    obj = got["v1"]["obj_info"]
    assert obj == {"ctime": obj["ctime"], "mtime": obj["ctime"], "id": "2",
                   **OBJ, "sse_enabled": True}
    assert got["h1"] == {"id": "3", "name": "h1", "hdfs_info": HDFS}
    assert got["v2"]["obj_info"]["role_arn"] == ROLE["role_arn"]
    shown = ms.get_instance(iid)
    assert shown["resource_ids"] == ["1", "2", "3", "4"]
    assert shown["storage_vault_names"] == list(got)
    assert default(ms, iid) == ("3", "h1")
    poor = vaults(ms.scope("read"), iid)["v1"]["obj_info"]
    assert poor == {**obj, "ak": "***", "sk": "***"}


def test_keys_of_a_vault_are_sealed_in_the_store(ms, sql):
    ak, sk = fresh("vaultak"), fresh("vaultsk")
    iid = ms.instance()
    ms.ok("add_s3_vault", s3(iid, obj={**OBJ, "ak": ak, "sk": sk}))
    with sql.cursor() as c:
        c.execute("SELECT obj_conf, ak, sk FROM doris_vault"
                  " WHERE instance_id = %s", (iid.encode(),))
        row = c.fetchone()
    conf, *keys = row.values() if isinstance(row, dict) else row
    assert all(k.startswith("v1:") for k in keys), keys
    assert ak not in conf and sk not in conf and "bucket" in conf


@pytest.mark.parametrize("operation, make", [
    ("add_s3_vault", s3), ("add_hdfs_vault", hdfs),
    ("alter_s3_vault", lambda iid: body(iid, {"name": "v"})),
    ("drop_hdfs_vault", lambda iid: body(iid, {"name": "v"}))])
def test_vaults_need_an_instance_in_vault_mode(ms, operation, make):
    legacy, no, gone = ms.instance(obj_info=OBJ), fresh("no"), ms.deleted()
    ms.bad("Storage vault doesn't support storage vault", operation,
           make(legacy))
    ms.bad("cloud unique id not set", operation,
           without(make(no), "cloud_unique_id"))
    ms.bad("empty instance_id", operation,
           {**make(no), "cloud_unique_id": "none"})
    ms.missing(f"failed to get instance, instance_id={no} err=KeyNotFound",
               operation, make(no))
    ms.missing("instance status has been set delete, plz check it",
               operation, make(gone))


def test_what_add_s3_vault_refuses(ms):
    iid = ms.instance()
    for vault in (None, {"name": "v"},
                  {"name": "v", "obj_info": without(OBJ, "sk")}):
        asked = body(iid, vault)
        told = without(asked, "vault") if vault is None else asked
        ms.bad("s3 obj info err " + compact(masked(told)), "add_s3_vault",
               asked)
    ms.bad("s3 conf lease provider info", "add_s3_vault",
           s3(iid, obj=without(OBJ, "provider")))
    ms.bad("s3 conf info err, please check it", "add_s3_vault",
           s3(iid, obj={**OBJ, "bucket": ""}))
    ms.bad("s3 conf info err with role_arn, please check it",
           "add_s3_vault", s3(iid, obj={**ROLE, "bucket": ""}))
    ms.ok("add_s3_vault", s3(iid))
    ms.exists("vault_name=v1 already created", "add_s3_vault", s3(iid))
    ms.exists("vault_name=v1 already created", "add_hdfs_vault",
              hdfs(iid, "v1"))
    assert list(vaults(ms, iid)) == ["v1"]


def test_an_object_store_of_a_vault_has_a_kibibyte(ms):
    """In protobuf, as that of add_obj_info."""
    iid = ms.instance()
    rest = sum(len(v) + 2 for k, v in OBJ.items() if k != "provider") + 2
    at_most = {**OBJ, "bucket": "b" * (len(OBJ["bucket"]) + 1024 - rest - 1)}
    over = {**at_most, "bucket": at_most["bucket"] + "b"}
    ms.bad("s3 obj info greater than 1k " + compact(masked(s3(iid, obj=over))),
           "add_s3_vault", s3(iid, obj=over))
    ms.ok("add_s3_vault", s3(iid, obj=at_most))
    keys = body(iid, {"name": "v1", "obj_info": {"ak": "a" * 1000,
                                                 "sk": "s" * 1000}})
    ms.bad("s3 obj info greater than 1k " + compact(masked(keys)),
           "alter_s3_vault", keys)


def test_what_hdfs_vaults_refuse(ms):
    iid = ms.instance()
    for vault in ({"hdfs_info": HDFS}, {"name": "", "hdfs_info": HDFS},
                  {"name": "v"}):
        asked = body(iid, vault)
        ms.bad("hdfs info is not found " + compact(masked(asked)), "add_hdfs_vault",
               asked)
    ms.bad("invalid prefix: a://b", "add_hdfs_vault",
           hdfs(iid, info={**HDFS, "prefix": "a://b"}))
    ms.bad("hdfs info is not found " + compact(body(iid, {})),
           "drop_hdfs_vault", body(iid, {}))
    ms.internal("vault_name=v not found", "drop_hdfs_vault",
                body(iid, {"name": "v"}))
    ms.ok("add_s3_vault", s3(iid, "v"))
    ms.internal("vault_name=v not found", "drop_hdfs_vault",
                body(iid, {"name": "v"}))


def test_a_vault_is_altered(ms):
    iid = ms.instance()
    ms.ok("add_s3_vault", s3(iid, set_as_default_storage_vault=True))
    before = vaults(ms, iid)["v1"]["obj_info"]
    ms.ok("alter_s3_vault", body(iid, {
        "name": "v1", "alter_name": "v2",
        "obj_info": {"ak": "a2", "sk": "s2", "use_path_style": True}}))
    after = vaults(ms, iid)["v2"]["obj_info"]
    assert after == {**before, "mtime": after["mtime"], "ak": "a2",
                     "sk": "s2", "use_path_style": True}
    assert default(ms, iid) == ("1", "v2")
    ms.ok("alter_s3_vault", body(iid, {
        "name": "v2", "obj_info": {"role_arn": "arn:aws:iam::1:r"}}))
    after = vaults(ms, iid)["v2"]["obj_info"]
    assert after["role_arn"] == "arn:aws:iam::1:r" and "ak" not in after
    ms.ok("alter_s3_vault", body(iid, {
        "name": "v2", "obj_info": {"ak": "a3", "sk": "s3"}}))
    after = vaults(ms, iid)["v2"]["obj_info"]
    assert after["ak"] == "a3" and "role_arn" not in after


def test_what_alter_s3_vault_refuses(ms):
    iid = ms.instance()
    ms.ok("add_s3_vault", s3(iid))
    ms.ok("add_s3_vault", s3(iid, "v2"))
    ms.ok("add_hdfs_vault", hdfs(iid))
    def bad(msg, **vault):
        ms.bad(msg, "alter_s3_vault", body(iid, {"name": "v1", **vault}))
    for member in ("bucket", "endpoint", "prefix", "provider"):
        bad("Bucket, endpoint, prefix and provider can not be altered",
            obj_info={member: OBJ[member]})
    for member in ("ak", "sk"):
        bad("Accesskey and secretkey must be alter together",
            obj_info={member: "x"})
    for name in ("1a", "", "a-b", "é"):
        bad(f"invalid storage vault name, name ={name}", alter_name=name)
    for name in ("no", "h1"):
        bad(f"invalid storage vault name, not found, name ={name}",
            name=name)
    ms.exists("vault_name=v2 already created", "alter_s3_vault",
              body(iid, {"name": "v1", "alter_name": "v2"}))
    asked = body(iid, {"alter_name": "x"})
    ms.bad("s3 obj info err " + compact(asked), "alter_s3_vault", asked)


def test_a_vault_on_hdfs_is_dropped(ms):
    iid = ms.instance()
    ms.ok("add_hdfs_vault", hdfs(iid, set_as_default_storage_vault=True))
    ms.ok("add_s3_vault", s3(iid))
    ms.ok("drop_hdfs_vault", body(iid, {"name": "h1"}))
    assert list(vaults(ms, iid)) == ["v1"]
    assert default(ms, iid) == (None, None)
    assert ms.get_instance(iid)["resource_ids"] == ["2"]


def test_a_vault_on_an_object_store_is_never_dropped(ms):
    iid = ms.instance()
    ms.ok("add_s3_vault", s3(iid))
    ms.bad("invalid request op, op=104", "drop_s3_vault",
           body(iid, {"name": "v1"}))
    assert list(vaults(ms, iid)) == ["v1"]
