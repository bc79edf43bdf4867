"""Object stores and their keys."""

import pytest

from support.metaservice import OBJ, compact, masked, without
from support.words import fresh

RAM = {"user_id": "ram", "ak": "ram-ak", "sk": "ram-sk"}
KEYS = {"ak": "new-ak", "sk": "new-sk"}
SAME = "ak sk eq original, please check it"
S3_ERR = "s3 conf info err, please check it"


def shown(request):
    """A request as messages show it."""
    return compact(masked(request))


def cuid(iid):
    return {"cloud_unique_id": f"1:{iid}:x"}


def objs(ms, iid):
    return ms.result("get_obj_store_info", cuid(iid)).get("obj_info")


# ---- get ----

@pytest.mark.parametrize("operation", ["get_obj_store_info",
                                       "show_storage_vaults"])
def test_object_stores_are_shown(ms, operation):
    iid = ms.instance(obj_info=OBJ)
    got = ms.result(operation, cuid(iid))
    assert list(got) == ["obj_info", "enable_storage_vault"]
    assert got["enable_storage_vault"] is False
    obj = got["obj_info"][0]
    assert list(obj) == ["ctime", "mtime", "id", *OBJ, "sse_enabled"]
    poor = ms.scope("read").result(operation, cuid(iid))["obj_info"][0]
    assert poor == {**obj, "ak": "***", "sk": "***"}
    ms.bad("cloud unique id not set", operation, {})
    ms.bad("cloud unique id not set", operation, {"cloud_unique_id": ""})
    ms.bad("empty instance_id", operation, {"cloud_unique_id": "none"})
    no = fresh("no")
    ms.missing(f"failed to get instance, instance_id={no} err=KeyNotFound",
               operation, cuid(no))


def test_keys_are_sealed_in_the_store(ms, sql):
    ak, sk = fresh("secretak"), fresh("secretsk")
    iid = ms.instance(obj_info={**OBJ, "ak": ak, "sk": sk},
                      ram_user={**RAM, "sk": fresh("secretram")})
    with sql.cursor() as c:
        c.execute("SELECT ak, sk FROM doris_obj_info WHERE instance_id = %s",
                  (iid.encode(),))
        row = c.fetchone()
        c.execute("SELECT request_json FROM audit WHERE target = %s",
                  (f"instance {iid}",))
        audit = c.fetchone()
    texts = list(row.values() if isinstance(row, dict) else row)
    assert all(t.startswith("v1:") for t in texts), texts
    assert ak not in str(audit) and sk not in str(audit), audit
    assert iid in str(audit)


# ---- update_ak_sk ----

def user(name, **more):
    return {"user_id": name, **KEYS, **more}


def test_keys_of_bucket_users_and_ram_user(ms):
    iid = ms.instance(obj_info={**OBJ, "user_id": "one"}, ram_user=RAM)
    ms.ok("add_obj_info", {**cuid(iid), "obj": {
        **OBJ, "bucket": "other", "user_id": "two"}})
    ms.ok("update_ak_sk", {
        "instance_id": iid,
        "internal_bucket_user": [user("one"), user("two", ak="ak-two")],
        "ram_user": {**RAM, "sk": "other"}})
    got = ms.get_instance(iid)
    assert [(o["user_id"], o["ak"], o["sk"]) for o in got["obj_info"]] == [
        ("one", "new-ak", "new-sk"), ("two", "ak-two", "new-sk")]
    assert got["ram_user"] == {**RAM, "sk": "other"}


def test_an_old_store_is_adopted_by_the_only_user(ms):
    iid = ms.instance(obj_info=OBJ)
    two = {"instance_id": iid,
           "internal_bucket_user": [user("one"), user("two")]}
    ms.bad("fail to update old instance's obj_info, s3 obj info err "
           + shown(two), "update_ak_sk", two)
    ms.ok("update_ak_sk", {"instance_id": iid,
                           "internal_bucket_user": [user("one")]})
    assert objs(ms, iid)[0]["user_id"] == "one"


def test_what_update_ak_sk_refuses(ms):
    iid = ms.instance(obj_info={**OBJ, "user_id": "one"}, ram_user=RAM)
    bare = ms.instance()
    def bad(msg, of=iid, **body):
        ms.bad(msg, "update_ak_sk", {"instance_id": of, **body})
    ms.bad("instance id not set", "update_ak_sk", {"ram_user": RAM})
    bad("nothing to update")
    bad("nothing to update", internal_bucket_user=[])
    no = fresh("no")
    ms.missing(f"failed to get instance, instance_id={no} err=KeyNotFound",
               "update_ak_sk", {"instance_id": no, "ram_user": RAM})
    for member in RAM:
        body = {"instance_id": iid, "ram_user": without(RAM, member)}
        ms.bad("ram user info err " + shown(body), "update_ak_sk", body)
    bad("instance doesn't have ram user info", bare, ram_user=RAM)
    bad("ram user_id err", ram_user={**RAM, "user_id": "x"})
    bad(SAME, ram_user=RAM)
    for member in ("user_id", "ak", "sk"):
        body = {"instance_id": iid,
                "internal_bucket_user": [without(user("one"), member)]}
        ms.bad("s3 bucket info err " + shown(body), "update_ak_sk", body)
    bad(SAME, internal_bucket_user=[user("one", ak="ak1", sk="sk1")])
    bad("fail to find the alter obj info",
        internal_bucket_user=[user("two")])
    # all or nothing
    bad(SAME, ram_user={**RAM, "sk": "other"},
        internal_bucket_user=[user("one", ak="ak1", sk="sk1")])
    assert ms.get_instance(iid)["ram_user"] == RAM


# ---- one store ----

UPDATES = ["legacy_update_ak_sk", "alter_obj_info"]


@pytest.mark.parametrize("operation", UPDATES)
def test_keys_of_one_store(ms, operation):
    iid = ms.instance(obj_info=OBJ)
    ms.ok("add_obj_info", {**cuid(iid), "obj": {**OBJ, "bucket": "b2"}})
    ms.ok(operation, {**cuid(iid), "obj": {"id": "2", **KEYS}})
    assert [o["ak"] for o in objs(ms, iid)] == ["ak1", "new-ak"]
    ms.bad(SAME, operation, {**cuid(iid), "obj": {"id": 2, **KEYS}})


@pytest.mark.parametrize("operation", UPDATES)
def test_what_an_update_of_one_store_refuses(ms, operation):
    iid = ms.instance(obj_info=OBJ)
    ms.bad("s3 obj info err " + shown(cuid(iid)), operation, cuid(iid))
    for obj in ({"id": "1", "ak": "a"}, {"id": "1", "sk": "s"}, {},
                {"id": "1", "ak": "", "sk": "s"}):
        body = {**cuid(iid), "obj": obj}
        ms.bad("s3 obj info err " + shown(body), operation, body)
    body = {"obj": {"id": "1", **KEYS, "bucket": "x" * 1020}}
    ms.bad("s3 obj info greater than 1k " + shown(body), operation, body)
    ms.bad("cloud unique id not set", operation, {"obj": KEYS})
    ms.bad("empty instance_id", operation, {"cloud_unique_id": "none",
                                            "obj": KEYS})
    no = fresh("no")
    ms.missing(f"failed to get instance, instance_id={no} err=KeyNotFound",
               operation, {**cuid(no), "obj": KEYS})
    for oid in (None, "", "0", "2", "-1", "x", "1x", "99999999999999999999"):
        ms.bad("id invalid, please check it", operation,
               {**cuid(iid), "obj": {"id": oid, **KEYS}})
    assert objs(ms, iid)[0]["ak"] == "ak1"


def test_the_bound_of_a_store_is_protobufs_size(ms):
    """ak and sk 2 + 1 bytes each, the bucket 3 + its length."""
    iid = ms.instance(obj_info=OBJ)
    def obj(n):
        return {**cuid(iid), "obj": {"ak": "a", "sk": "s",
                                     "bucket": "x" * n}}
    ms.bad("id invalid, please check it", "legacy_update_ak_sk", obj(1015))
    ms.bad("s3 obj info greater than 1k " + shown(obj(1016)),
           "legacy_update_ak_sk", obj(1016))


def test_a_store_over_1k_is_told_so_whatever_is_long(ms):
    iid = ms.instance(obj_info=OBJ)
    long = {**OBJ, "endpoint": "e" * 5000}
    for operation, body in (
            ("legacy_update_ak_sk", {**cuid(iid), "obj": long}),
            ("add_obj_info", {**cuid(iid), "obj": long}),
            ("create_instance", {"instance_id": fresh("i"),
                                 "obj_info": long}),
            ("create_instance", {"instance_id": fresh("i"),
                                 "vault": {"obj_info": long}})):
        ms.bad("s3 obj info greater than 1k " + shown(body), operation, body)


def test_a_store_gets_a_role_and_keys_again(ms):
    iid = ms.instance(obj_info=OBJ)
    role = {**cuid(iid), "obj": {"id": "1", "role_arn": "arn:aws:iam::1:r"}}
    ms.ok("alter_obj_info", role)
    got = objs(ms, iid)[0]
    assert got["role_arn"] == "arn:aws:iam::1:r"
    assert got["cred_provider_type"] == "INSTANCE_PROFILE"
    assert "ak" not in got and "sk" not in got
    ms.bad(SAME, "alter_obj_info", role)
    ms.ok("alter_obj_info", {**cuid(iid), "obj": {"id": "1", **KEYS}})
    got = objs(ms, iid)[0]
    assert (got["ak"], got["sk"]) == ("new-ak", "new-sk")
    assert "role_arn" not in got and "cred_provider_type" not in got


# ---- a further store ----

def add(iid, **change):
    return {**cuid(iid), "obj": {**OBJ, **change}}


def test_a_store_is_added(ms):
    iid = ms.instance(obj_info=OBJ, sse_enabled=True)
    obj = without(without(OBJ, "provider"), "external_endpoint")
    ms.ok("add_obj_info", {**cuid(iid), "obj": {
        **obj, "prefix": "/other/", "user_id": "u", "use_path_style": True}})
    got = objs(ms, iid)[1]
    assert got == {"ctime": got["ctime"], "mtime": got["ctime"], "id": "2",
                   **obj, "prefix": "other", "user_id": "u",
                   "external_endpoint": obj["endpoint"],
                   "sse_enabled": True, "use_path_style": True}
    assert objs(ms, iid)[0]["id"] == "1"


def test_what_add_obj_info_refuses(ms):
    iid = ms.instance(obj_info=OBJ)
    for member in ("bucket", "prefix", "endpoint", "region"):
        ms.bad(S3_ERR, "add_obj_info", add(iid, **{member: ""}))
        ms.bad(S3_ERR, "add_obj_info", add(iid, **{member: None}))
    for member in ("ak", "sk"):
        body = add(iid, **{member: ""})
        ms.bad("s3 obj info err " + shown(body), "add_obj_info", body)
    ms.bad("s3 obj info err " + shown(cuid(iid)), "add_obj_info", cuid(iid))
    ms.bad("original obj infos has a same conf, please check it",
           "add_obj_info", add(iid))
    ms.bad("original obj infos has a same conf, please check it",
           "add_obj_info", add(iid, prefix="/prefix/"))
    ms.bad("Storage vault doesn't support add obj info", "add_obj_info",
           add(ms.instance()))
    ms.bad("cloud unique id not set", "add_obj_info", {"obj": OBJ})
    assert len(objs(ms, iid)) == 1


def test_an_instance_has_ten_stores(ms):
    iid = ms.instance(obj_info=OBJ)
    for n in range(2, 11):
        ms.ok("add_obj_info", add(iid, bucket=f"b{n}"))
    ms.internal("this instance history has greater than 10 objs, please new "
                "another instance", "add_obj_info", add(iid, bucket="b11"))
    assert [o["id"] for o in objs(ms, iid)] == [
        str(n) for n in range(1, 11)]


def test_a_user_given_twice_is_refused(ms):
    iid = ms.instance(obj_info=dict(OBJ, user_id="u"))
    ms.bad("bucket user given twice, user_id=u", "update_ak_sk", {
        "instance_id": iid, "internal_bucket_user": [
            {"user_id": "u", "ak": "a", "sk": "s"},
            {"user_id": "u", "ak": "b", "sk": "t"}]})
    assert ms.get_instance(iid)["obj_info"][0]["ak"] == OBJ["ak"]
