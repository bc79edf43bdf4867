"""Stages: created and dropped by RPCs, read by both."""

import pytest

from support.metarpc import MetaRpc
from support.metaservice import OBJ, MetaService, without
from support.store import rows


@pytest.fixture
def both(ms, doris):
    return ms, MetaRpc(doris, ms.instance())


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
    assert shown == [one, two]
    got = ms.result("get_stage", {
        "cloud_unique_id": f"1:{rpc.iid}:x", "type": "INTERNAL",
        "mysql_user_name": "user1", "mysql_user_id": "u1"})["stage"]
    assert [s["stage_id"] for s in got] == ["s1"]
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
