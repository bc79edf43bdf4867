"""The ram user of an instance."""

import pytest

from support.metaservice import UNKNOWN, compact, masked
from support.words import fresh

RAM = {"user_id": "ram", "ak": "ram-ak", "sk": "ram-sk"}
OTHER = {"user_id": "other", "ak": "other-ak", "sk": "other-sk"}


def alter(iid, **user):
    return {"instance_id": iid, "ram_user": user}


def test_an_instance_is_given_a_ram_user(ms):
    iid = ms.instance()
    assert "ram_user" not in ms.get_instance(iid)
    ms.ok("alter_ram_user", alter(iid, **RAM))
    assert ms.get_instance(iid)["ram_user"] == RAM
    # its keys are then rotated as those of any
    ms.ok("update_ak_sk", alter(iid, **{**RAM, "sk": "rotated"}))
    assert ms.get_instance(iid)["ram_user"]["sk"] == "rotated"


def test_another_takes_its_place_whole(ms):
    iid = ms.instance(ram_user={**RAM, "external_id": "ext"})
    assert ms.get_instance(iid)["ram_user"]["external_id"] == "ext"
    ms.ok("alter_ram_user", alter(iid, **OTHER))
    assert ms.get_instance(iid)["ram_user"] == OTHER
    ms.ok("alter_ram_user", alter(iid, **OTHER))  # the same again is well
    poor = ms.scope("read").get_instance(iid)["ram_user"]
    assert poor == masked(OTHER)


@pytest.mark.parametrize("user", [
    {}, *({**RAM, member: ""} for member in RAM),
    *({k: v for k, v in RAM.items() if k != member} for member in RAM)])
def test_all_of_a_ram_user_is_needed(ms, user):
    iid = ms.instance()
    body = alter(iid, **user)
    ms.bad("ram user info err " + compact(masked(body)), "alter_ram_user",
           body)
    assert "ram_user" not in ms.get_instance(iid)


def test_whose_ram_user(ms):
    ms.bad("empty instance_id", "alter_ram_user", {"ram_user": RAM})
    ms.bad("empty instance_id", "alter_ram_user", alter("", **RAM))
    ms.bad('ram user info err {"instance_id":"x"}', "alter_ram_user",
           {"instance_id": "x"})
    no = fresh("no")
    ms.missing(UNKNOWN.format(no), "alter_ram_user", alter(no, **RAM))
    ms.missing("instance status has been set delete, plz check it",
               "alter_ram_user", alter(ms.deleted(), **RAM))


def test_its_keys_are_sealed_and_not_audited(ms, sql):
    iid, sk = ms.instance(), fresh("secretsk")
    ms.ok("alter_ram_user", alter(iid, **{**RAM, "sk": sk}))
    with sql.cursor() as c:
        c.execute("SELECT ram_sk FROM doris_instance WHERE instance_id = %s",
                  (iid,))
        assert c.fetchone()["ram_sk"].startswith("v1:")
        c.execute("SELECT request_json, before_json, after_json FROM audit"
                  " WHERE operation = 'alter_ram_user' AND target = %s",
                  (f"instance {iid}",))
        request, before, after = c.fetchone().values()
    assert '"user_id":"ram"' in after.replace(" ", "")
    assert "ram_user" not in before
    assert sk not in request + before + after
