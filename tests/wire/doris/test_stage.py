"""Stages: created and dropped by RPCs, read by both."""

import pytest

from support.metarpc import MetaRpc
from support.metaservice import OBJ, MetaService, without
from support.store import rows


@pytest.fixture
def both(ms, doris):
    return ms, MetaRpc(doris, ms.instance(obj_info=OBJ))


def internal(n=1, **more):
    return {"type": "INTERNAL", "mysql_user_name": [f"user{n}"],
            "stage_id": f"s{n}", "mysql_user_id": [f"u{n}"], **more}


def external(name, **more):
    return {"type": "EXTERNAL", "name": name, "stage_id": f"id_{name}",
            "obj_info": OBJ, "properties": {"default.file.type": "csv"},
            "access_type": "AKSK", **more}


def test_stages_are_shown(both, sql):
    ms, rpc = both
    one, two = internal(), external("e1", comment="")
    rpc.ok("create_stage", {"stage": one})
    rpc.ok("create_stage", {"stage": two})
    shown = ms.get_instance(rpc.iid)["stages"]
    for s in shown:
        assert int(s.pop("create_time")) > 0
    place = {"id": "1", "prefix": "prefix/stage/user1/u1"}
    assert shown == [{**without(one, "type"), "obj_info": place}, two]
    assert list(shown[0]) == ["mysql_user_name", "obj_info", "stage_id",
                              "mysql_user_id"]
    got = rpc.ok("get_stage", {"type": "EXTERNAL"})["stage"]
    assert [s["name"] for s in got] == ["e1"]
    sealed = rows(sql, "SELECT ak, sk, body FROM doris_stage"
                  " WHERE instance_id = %s AND stage_id = 'id_e1'",
                  rpc.iid.encode())[0]
    assert sealed["ak"].startswith("v1:") and sealed["sk"].startswith("v1:")
    assert "ak1" not in sealed["body"] and "sk1" not in sealed["body"]
    masked = MetaRpc(rpc.client.scope("read"), rpc.iid).ok(
        "get_stage", {"type": "EXTERNAL", "stage_name": "e1"})["stage"][0]
    assert (masked["obj_info"]["ak"], masked["obj_info"]["sk"]) \
        == ("***", "***")


def of_user(n, uid=None):
    return {"type": "INTERNAL", "mysql_user_name": f"user{n}",
            "mysql_user_id": uid or f"u{n}"}


def test_an_internal_stage_lies_in_the_newest_object_store(both):
    """A request does not say where; get_stage tells how to reach it."""
    ms, rpc = both
    cuid = {"cloud_unique_id": f"1:{rpc.iid}:x"}
    newest = {**OBJ, "ak": "ak2", "sk": "sk2", "prefix": "p2"}
    ms.ok("add_obj_info", {**cuid, "obj": newest})
    rpc.fails("INVALID_ARGUMENT", "where an internal stage lies can not be "
              "chosen", "create_stage",
              {"stage": internal(obj_info={"prefix": "mine"})})
    rpc.ok("create_stage", {"stage": internal()})
    ms.ok("legacy_update_ak_sk", {**cuid, "obj": {
        "id": "2", "ak": "ak3", "sk": "sk3"}})
    got, = ms.result("get_stage", {**cuid, **of_user(1)})["stage"]
    obj = got["obj_info"]
    assert (got["type"], got["stage_id"]) == ("INTERNAL", "s1")
    assert {k: obj[k] for k in newest} == {
        **newest, "ak": "ak3", "sk": "sk3", "prefix": "p2/stage/user1/u1"}
    poor = ms.scope("read").result("get_stage", {**cuid, **of_user(1)})
    assert poor["stage"][0]["obj_info"]["sk"] == "***"


def test_an_internal_stage_needs_an_object_store(ms, doris):
    rpc = MetaRpc(doris, ms.instance())
    rpc.fails("UNDEFINED_ERR", "instance must have at least one obj_info for "
              "an internal stage", "create_stage", {"stage": internal()})
    assert "stages" not in ms.get_instance(rpc.iid)


def test_an_internal_stage_in_the_root_of_a_bucket(ms, doris):
    rpc = MetaRpc(doris, ms.instance(obj_info={**OBJ, "prefix": "/"}))
    rpc.ok("create_stage", {"stage": internal()})
    stage, = ms.get_instance(rpc.iid)["stages"]
    assert stage["obj_info"] == {"id": "1", "prefix": "stage/user1/u1"}


def test_a_user_who_is_another_of_the_same_name(both):
    """The front end drops the stage of the one before and makes its own."""
    ms, rpc = both
    rpc.ok("create_stage", {"stage": internal()})
    rpc.fails("STATE_ALREADY_EXISTED_FOR_USER", "stage already exist for "
              "user, stage_id=s2", "create_stage", {"stage": internal(
                  2, mysql_user_name=["user1"])})
    left = rpc.fails("STATE_ALREADY_EXISTED_FOR_USER", "aba user, drop stage "
                     "and create a new one, stage_id=s1", "get_stage",
                     of_user(1, "u2"))
    stale, = left["stage"]
    rpc.ok("drop_stage", of_user(1, stale["mysql_user_id"][0]))
    rpc.fails("STAGE_NOT_FOUND", "stage not found, mysql_user_name=user1 "
              "mysql_user_id=u2", "get_stage", of_user(1, "u2"))
    rpc.ok("create_stage", {"stage": internal(2, mysql_user_name=["user1"])})
    assert rpc.ok("get_stage", of_user(1, "u2"))["stage"][0]["stage_id"] \
        == "s2"


def test_how_an_external_stage_is_reached(ms, doris):
    ram = {"user_id": "r", "ak": "rak", "sk": "rsk"}
    with_ram, without_ram = [
        MetaRpc(doris, ms.instance(obj_info=OBJ, **more))
        for more in ({"ram_user": ram}, {})]
    plain = without(external("e1"), "access_type")
    acl = external("e2", access_type="BUCKET_ACL")
    for rpc in with_ram, without_ram:
        rpc.ok("create_stage", {"stage": plain})
        rpc.ok("create_stage", {"stage": acl})
    got, = with_ram.ok("get_stage", {"type": "EXTERNAL",
                                     "stage_name": "e1"})["stage"]
    assert got["access_type"] == "AKSK" and got["obj_info"] == OBJ
    asked = {"type": "EXTERNAL", "stage_name": "e2"}
    got, = with_ram.ok("get_stage", asked)["stage"]
    assert got["obj_info"] == {**OBJ, "ak": "rak", "sk": "rsk"}
    without_ram.fails("INVALID_ARGUMENT", "instance does not have ram user",
                      "get_stage", asked)


def test_names_and_users_are_taken_once(both):
    _, rpc = both
    rpc.ok("create_stage", {"stage": internal()})
    rpc.ok("create_stage", {"stage": external("e1")})
    rpc.fails("STATE_ALREADY_EXISTED_FOR_USER", "stage already exist for "
              "user, stage_id=other", "create_stage",
              {"stage": internal(stage_id="other")})
    rpc.fails("ALREADY_EXISTED", "stage already exist, stage_name=e1 "
              "stage_id=other", "create_stage",
              {"stage": external("e1", stage_id="other")})


@pytest.mark.parametrize("stage, message", [
    (None, "stage not set"),
    (without(internal(), "type"), "stage type not set"),
    (without(internal(), "stage_id"), "stage id not set"),
    (without(external("e"), "name"), "stage name not set"),
    (without(internal(), "mysql_user_id"), "internal stage must have a mysql "
     "user name and id must be given, name size=1 id size=0"),
])
def test_what_a_stage_needs(both, stage, message):
    _, rpc = both
    rpc.fails("INVALID_ARGUMENT", message, "create_stage", {"stage": stage})


def test_refusals_of_get_stage(both):
    ms, rpc = both
    cuid = {"cloud_unique_id": f"1:{rpc.iid}:x"}
    ms.bad("cloud unique id not set", "get_stage", {})
    ms.bad("stage type not set", "get_stage", cuid)
    ms.bad("mysql user name not set", "get_stage",
           {**cuid, "type": "INTERNAL"})
    ms.bad("mysql user id not set", "get_stage",
           {**cuid, "type": "INTERNAL", "mysql_user_name": "u"})
    ms.internal("stage not found, mysql_user_name=u mysql_user_id=1",
                "get_stage", {**cuid, "type": "INTERNAL",
                              "mysql_user_name": "u", "mysql_user_id": "1"})
    ms.internal("stage not found, stage_name=e", "get_stage",
                {**cuid, "type": "EXTERNAL", "stage_name": "e"})
    ms.bad("empty instance_id", "get_stage",
           {"cloud_unique_id": "x", "type": "EXTERNAL"})


def test_drop(both, sql):
    ms, rpc = both
    rpc.ok("create_stage", {"stage": external("e1")})
    asked = {"type": "EXTERNAL", "stage_name": "e1", "reason": "why"}
    rpc.ok("drop_stage", asked)
    rpc.fails("STAGE_NOT_FOUND", "stage not found, stage_name=e1",
              "drop_stage", asked)
    assert "stages" not in ms.get_instance(rpc.iid)
    left = rows(sql, "SELECT reason, body FROM doris_stage_recycle"
                " WHERE instance_id = %s", rpc.iid.encode())
    assert left[0]["reason"] == "why" and "sk1" not in left[0]["body"]
    rpc.fails("INVALID_ARGUMENT", "stage name not set", "drop_stage",
              {"type": "EXTERNAL"})


def test_no_stage_of_a_dropped_instance(both):
    ms, rpc = both
    ms.ok("drop_instance", {"instance_id": rpc.iid})
    rpc.ok("get_stage", {"type": "EXTERNAL"})
    r = rpc.send("create_stage", {"stage": internal()})
    assert r.json["status"]["msg"] \
        == "instance status has been set delete, plz check it"
