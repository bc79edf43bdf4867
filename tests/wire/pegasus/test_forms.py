"""Tables made, dropped, recalled, renamed; their variables."""

import pytest

from support.load import race
from support.store import rows, value


# ---- shape of requests and replies ----

@pytest.mark.parametrize("body", [
    b"", b"x", b"[]", b"1", b'{"app_name":"a","app_name":"b"}',
    b'{"app_name":"a","nope":1}', b'{"nope":1}', b'{"app_name":{}}',
    b'{"app_name":"a","partition_count":"x"}', b'{"app_name":"\xff"}',
    b'{"app_name":"a","partition_count":""}',
    b'{"app_name":"\\u0000"}', b'{"app_name":"a"} x',
    b'{"app_name":"a","success_if_exist":2}'])
def test_another_structure_is_refused(pegasus, body):
    r = pegasus.post("/meta/app/create", body)
    assert (r.status, r.text) == (400, "invalid request structure")
    assert r.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("path, body, member", [
    ("/meta/app/create", {}, "app_name"),
    ("/meta/app/create", {"app_name": None}, "app_name"),
    ("/meta/app/create", {"app_name": ""}, "app_name"),
    ("/meta/app/rename", {}, "old_app_name"),
    ("/meta/app/rename", {"old_app_name": "a"}, "new_app_name"),
    ("/meta/app/recall", {}, "app_id"),
    ("/meta/app/recall", {"app_id": ""}, "app_id"),
    ("/meta/app/recall", {"app_id": None}, "app_id"),
    ("/meta/app/set_max_replica_count", {"app_name": "a"},
     "max_replica_count"),
    ("/meta/app/set_max_replica_count",
     {"app_name": "a", "max_replica_count": ""}, "max_replica_count"),
    ("/meta/app/set_max_replica_count",
     {"app_name": "", "max_replica_count": ""}, "app_name"),
    ("/meta/app_envs/set", {"app_name": "a"}, "envs"),
    ("/meta/app_envs/set", {"app_name": "a", "envs": ""}, "envs"),
    ("/meta/app_envs/del", {"app_name": "a"}, "keys"),
    ("/meta/app_envs/del", {"app_name": "a", "keys": ""}, "keys"),
    ("/meta/nodes/beacon", {"address": "h:1", "start_time": ""},
     "start_time"),
    ("/meta/nodes/update_configuration",
     {"gpid": "1.0", "type": "REMOVE", "node": "h:1", "ballot": ""},
     "ballot"),
    ("/meta/balance", {"gpid": "1.0"}, "type"),
    ("/meta/propose", {"gpid": "1.0", "type": "REMOVE"}, "target")])
def test_a_required_member_is_named(pegasus, path, body, member):
    r = pegasus.post(path, body)
    assert (r.status, r.text) == (400, f"{member} should not be empty")


def test_a_reply_has_no_blanks_and_a_newline(pegasus, fresh):
    r = pegasus.post("/meta/app/create", {"app_name": fresh("t")})
    app_id = r.json["app_id"]
    assert r.body == (b'{"error":"ERR_OK","hint_message":"","app_id":"'
                      + app_id.encode() + b'"}\n')
    assert r.headers["Content-Type"] == "text/plain"


def test_numbers_and_strings_stand_for_each_other(pegasus, fresh):
    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name, partition_count="2",
               replica_count="1", success_if_exist="false",
               envs={"default_ttl": 7, "some.key": None or "x"})
    assert pegasus.json("/meta/app_envs", name=name) == {
        "default_ttl": "7", "some.key": "x"}


# ---- create ----

def test_a_created_table_shows_at_once_on_any_worker(pegasus, fresh):
    for _ in range(10):
        name = fresh("t")
        app_id = pegasus.ok("/meta/app/create", app_name=name)["app_id"]
        general = pegasus.json("/meta/app", name=name)["general"]
        assert general == {"app_name": name, "app_id": app_id,
                           "partition_count": "4", "max_replica_count": "3"}


def test_equal_options_give_the_same_table(pegasus, fresh):
    options = {"app_name": fresh("t"), "partition_count": 2,
               "envs": {"a": "b"}}
    first = pegasus.ok("/meta/app/create", **options)["app_id"]
    assert pegasus.ok("/meta/app/create", **options)["app_id"] == first
    for other in ({"partition_count": 3}, {"replica_count": 2},
                  {"app_type": "other"}, {"envs": {}}, {"envs": {"a": "c"}},
                  {"success_if_exist": False}):
        assert pegasus.error("/meta/app/create", **{**options, **other})[0] \
            == "ERR_INVALID_PARAMETERS"


@pytest.mark.parametrize("option", [
    {"app_name": "a b"}, {"app_name": "a+b"}, {"app_name": "x" * 129},
    {"partition_count": 0}, {"partition_count": -1},
    {"partition_count": 65537}, {"replica_count": 0}, {"replica_count": 6},
    {"envs": {"default_ttl": "-1"}}, {"envs": {"": "x"}}])
def test_options_out_of_range_are_refused(pegasus, fresh, option):
    name = fresh("t")
    error, hint = pegasus.error("/meta/app/create",
                                **{"app_name": name, **option})
    assert error == "ERR_INVALID_PARAMETERS" and hint
    assert pegasus.get("/meta/app", name=name).status == 404


def test_the_largest_table_is_one_call(pegasus, fresh, sql):
    name = fresh("t")
    app_id = pegasus.ok("/meta/app/create", app_name=name,
                        partition_count=65536, replica_count=1)["app_id"]
    assert value(sql, "SELECT COUNT(*) FROM pegasus_partition"
                 " WHERE app_id = %s", app_id) == 65536
    pegasus.ok("/meta/app/drop", app_name=name)


def test_of_racing_creates_one_table_comes(pegasus, fresh):
    for options, winners in (({}, 32), ({"success_if_exist": False}, 1)):
        name = fresh("t")
        leader = pegasus.on(pegasus.leader())
        replies = race(32, lambda i: leader.post(
            "/meta/app/create", {"app_name": name, **options}).json)
        ok = [r for r in replies if r["error"] == "ERR_OK"]
        assert len(ok) == winners
        assert len({r["app_id"] for r in ok}) == 1
        assert all(r["error"] == "ERR_INVALID_PARAMETERS"
                   for r in replies if r not in ok)


# ---- drop, recall ----

def test_a_dropped_table_is_gone_and_its_name_free(pegasus, table):
    pegasus.ok("/meta/app_envs/set", app_name=table, envs={"a": "b"})
    pegasus.ok("/meta/app/drop", app_name=table)
    r = pegasus.get("/meta/app", name=table)
    assert (r.status, r.text) == (404, f'table not found: "{table}"')
    assert pegasus.json("/meta/app_envs", name=table) == {}
    assert all(a["app_name"] != table for a in
               pegasus.json("/meta/apps")["general_info"].values())
    pegasus.ok("/meta/app/create", app_name=table)


def test_dropping_what_is_not_there(pegasus, fresh):
    name = fresh("t")
    pegasus.ok("/meta/app/drop", app_name=name)
    assert pegasus.error("/meta/app/drop", app_name=name,
                         success_if_not_exist=False)[0] == "ERR_APP_NOT_EXIST"
    assert pegasus.error("/meta/app/drop", app_name=name,
                         reserve_seconds=-1)[0] == "ERR_INVALID_PARAMETERS"


def test_a_recalled_table_has_its_id_variables_and_replicas(pegasus, table):
    before = pegasus.healthy(table)
    app_id = before["general"]["app_id"]
    pegasus.ok("/meta/app_envs/set", app_name=table, envs={"a": "b"})
    pegasus.ok("/meta/app/drop", app_name=table)
    r = pegasus.ok("/meta/app/recall", app_id=app_id)
    assert (r["app_id"], r["app_name"]) == (app_id, table)
    assert pegasus.json("/meta/app_envs", name=table) == {"a": "b"}
    after = pegasus.healthy(table)
    assert after["general"] == before["general"]
    for pidx, row in after["replicas"].items():
        old = before["replicas"][pidx]
        assert int(row["ballot"]) > int(old["ballot"])
        # whoever had the replica last has it again
        assert row["primary"] in [old["primary"],
                                  *old["secondaries"][1:-1].split(",")]


def test_recalling_what_cannot_be(pegasus, table, fresh):
    app_id = pegasus.json("/meta/app", name=table)["general"]["app_id"]
    assert pegasus.error("/meta/app/recall",
                         app_id=app_id)[0] == "ERR_APP_EXIST"
    for unknown in (0, -1, 2147483000, 1 << 40):
        assert pegasus.error("/meta/app/recall",
                             app_id=unknown)[0] == "ERR_APP_NOT_EXIST"
    pegasus.ok("/meta/app/drop", app_name=table)
    pegasus.ok("/meta/app/create", app_name=table)
    assert pegasus.error("/meta/app/recall",
                         app_id=app_id)[0] == "ERR_INVALID_PARAMETERS"
    other = fresh("t")
    r = pegasus.ok("/meta/app/recall", app_id=app_id, new_app_name=other)
    assert r["app_name"] == other


def test_a_table_is_recalled_within_its_reserve_only(pegasus, table, sql):
    app_id = pegasus.json("/meta/app", name=table)["general"]["app_id"]
    pegasus.ok("/meta/app/drop", app_name=table, reserve_seconds=100)
    row, = rows(sql, "SELECT expire_second - drop_second AS held"
                " FROM pegasus_app WHERE app_id = %s", app_id)
    assert row["held"] == 100
    rows(sql, "UPDATE pegasus_app SET expire_second = drop_second"
         " WHERE app_id = %s", app_id)
    assert pegasus.error("/meta/app/recall",
                         app_id=app_id)[0] == "ERR_APP_NOT_EXIST"


def test_ids_are_never_used_again(pegasus, fresh):
    ids = []
    for _ in range(3):
        name = fresh("t")
        ids.append(int(pegasus.ok("/meta/app/create",
                                  app_name=name)["app_id"]))
        pegasus.ok("/meta/app/drop", app_name=name)
    assert ids == sorted(set(ids))


# ---- rename, replicas ----

def test_a_renamed_table_keeps_its_id(pegasus, table, fresh):
    app_id = pegasus.json("/meta/app", name=table)["general"]["app_id"]
    new = fresh("t")
    pegasus.ok("/meta/app/rename", old_app_name=table, new_app_name=new)
    assert pegasus.json("/meta/app", name=new)["general"]["app_id"] == app_id
    assert pegasus.get("/meta/app", name=table).status == 404
    assert pegasus.error("/meta/app/rename", old_app_name=table,
                         new_app_name=new) == (
        "ERR_APP_NOT_EXIST", f"ERROR: app({table}) not exist!")
    assert pegasus.error("/meta/app/rename", old_app_name=new,
                         new_app_name="stat") == (
        "ERR_INVALID_PARAMETERS", "ERROR: app(stat) already exist!")


def test_another_number_of_replicas_is_reached(pegasus, table):
    pegasus.healthy(table)
    for n in ("1", "2", "3"):
        r = pegasus.ok("/meta/app/set_max_replica_count", app_name=table,
                       max_replica_count=n)
        assert "old_max_replica_count" in r
        app = pegasus.healthy(table)
        assert app["general"]["max_replica_count"] == n
    assert pegasus.error("/meta/app/set_max_replica_count", app_name=table,
                         max_replica_count=6)[0] == "ERR_INVALID_PARAMETERS"
    assert pegasus.error("/meta/app/set_max_replica_count", app_name="no",
                         max_replica_count=1)[0] == "ERR_APP_NOT_EXIST"


# ---- variables ----

def test_variables_are_merged_and_sorted(pegasus, table):
    pegasus.ok("/meta/app_envs/set", app_name=table,
               envs={"b": "1", "a": "2", "B": "3"})
    pegasus.ok("/meta/app_envs/set", app_name=table, envs={"a": "4"})
    r = pegasus.get("/meta/app_envs", name=table)
    assert r.body == b'{"B":"3","a":"4","b":"1"}\n'
    line = next(a for a in pegasus.json("/meta/apps")["general_info"].values()
                if a["app_name"] == table)
    assert line["envs_count"] == "3"


@pytest.mark.parametrize("key, bad, good", [
    ("replica.slow_query_threshold", ["19", "x", "", "20ms"], "20"),
    ("replica.write_throttling", ["", "1", "10*slow*5", "10*delay", "x"],
     "10K*delay*100,20M*reject*200"),
    ("replica.deny_client_request", ["all", "reject*write"], "reconfig*write"),
    ("default_ttl", ["-1", "x"], "0"),
    ("rocksdb.usage_scenario", ["fast", "normal "], "bulk_load"),
    ("manual_compact.disabled", ["yes", "1"], "True"),
    ("manual_compact.once.target_level", ["-2"], "-1"),
    ("manual_compact.once.bottommost_level_compaction", ["skipp"], "skip"),
    ("manual_compact.periodic.trigger_time", ["25:00", "3:0", "03:00,"],
     "3:00,21:00"),
    ("rocksdb.num_levels", ["0", "11"], "6"),
    ("an.unknown.key", [], "anything at all")])
def test_known_keys_have_rules_unknown_ones_none(pegasus, table, key, bad,
                                                 good):
    for v in bad:
        error, hint = pegasus.error("/meta/app_envs/set", app_name=table,
                                    envs={"z": "not set either", key: v})
        assert error == "ERR_INVALID_PARAMETERS" and hint
    assert pegasus.json("/meta/app_envs", name=table) == {}
    pegasus.ok("/meta/app_envs/set", app_name=table, envs={key: good})
    assert pegasus.json("/meta/app_envs", name=table) == {key: good}


def test_the_hint_of_a_slow_query_threshold(pegasus, table):
    assert pegasus.error(
        "/meta/app_envs/set", app_name=table,
        envs={"replica.slow_query_threshold": "19"}) == (
        "ERR_INVALID_PARAMETERS", "Slow query threshold must be >= 20ms")


def test_deleting_names_what_was_deleted(pegasus, table):
    pegasus.ok("/meta/app_envs/set", app_name=table,
               envs={"a": "1", "b": "2", "c": "3"})
    r = pegasus.ok("/meta/app_envs/del", app_name=table, keys=["b", "x", "a"])
    assert r["hint_message"] == "deleted keys:\n    b\n    a"
    r = pegasus.ok("/meta/app_envs/del", app_name=table, keys=["x"])
    assert r["hint_message"] == "no key need to delete"


def test_clearing_takes_a_prefix(pegasus, table):
    pegasus.ok("/meta/app_envs/set", app_name=table,
               envs={"a.x": "1", "ab": "2", "a.y": "3", "a": "4"})
    r = pegasus.ok("/meta/app_envs/clear", app_name=table, prefix="a")
    assert r["hint_message"] == "deleted keys:\n    a.x\n    a.y"
    assert pegasus.json("/meta/app_envs", name=table) == {"a": "4", "ab": "2"}
    pegasus.ok("/meta/app_envs/clear", app_name=table)
    assert pegasus.json("/meta/app_envs", name=table) == {}
    r = pegasus.ok("/meta/app_envs/clear", app_name=table)
    assert r["hint_message"] == "no key need to delete"


@pytest.mark.parametrize("form, more", [
    ("set", {"envs": {"a": "b"}}), ("del", {"keys": ["a"]}), ("clear", {})])
def test_variables_of_no_table_are_refused(pegasus, fresh, form, more):
    assert pegasus.error("/meta/app_envs/" + form, app_name=fresh("t"),
                         **more) == ("ERR_INVALID_PARAMETERS",
                                     "invalid app name")


def test_nothing_to_set_or_delete_is_refused(pegasus, table):
    assert pegasus.error("/meta/app_envs/set", app_name=table,
                         envs={})[0] == "ERR_INVALID_PARAMETERS"
    assert pegasus.error("/meta/app_envs/del", app_name=table,
                         keys=[])[0] == "ERR_INVALID_PARAMETERS"


def test_variables_racing_a_drop_leave_none_behind(pegasus, fresh, sql):
    for _ in range(5):
        name = fresh("t")
        app_id = pegasus.ok("/meta/app/create", app_name=name)["app_id"]
        leader = pegasus.on(pegasus.leader())

        def act(i):
            if i == 0:
                return leader.post("/meta/app/drop", {"app_name": name})
            return leader.post("/meta/app_envs/set",
                               {"app_name": name, "envs": {f"k{i}": "v"}})
        done = [r.json["error"] for r in race(8, act)]
        kept = value(sql, "SELECT COUNT(*) FROM pegasus_app_env"
                     " WHERE app_id = %s", app_id)
        assert kept == done[1:].count("ERR_OK")
        assert set(done) <= {"ERR_OK", "ERR_INVALID_PARAMETERS"}


# ---- audit ----

def test_every_mutation_has_its_audit_row_and_a_refusal_none(pegasus, fresh,
                                                             sql):
    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name)
    pegasus.error("/meta/app/create", app_name=name, partition_count=9)
    pegasus.ok("/meta/app/drop", app_name=name)
    operations = [r["operation"] for r in rows(
        sql, "SELECT operation FROM audit WHERE target = %s ORDER BY id",
        f"table {name}")]
    assert operations == ["meta/app/create", "meta/app/drop"]
