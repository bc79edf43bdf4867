"""What the audit rows of Pegasus say: the thing, as it was and as it has
become. A deployment of its own: the level changes, a foreign node takes part."""

import json

import pytest

from support import tables
from support.pegasus import Cluster
from support.store import rows

pytestmark = pytest.mark.config(
    METAGATE_PEGASUS_MIN_LIVE_NODE_COUNT_FOR_UNFREEZE="1",
    METAGATE_PEGASUS_NODE_LIVE_PERCENTAGE_THRESHOLD_FOR_UPDATE="0",
    METAGATE_PEGASUS_DEFAULT_TABLE="")

SEEN = set()  # what the tests below have asked for


def change(pegasus, sql, path, **body):
    """(target, before, after) of a success."""
    SEEN.add(path)
    r = pegasus.post(path, body)
    assert r.status == 200 and r.json["error"] == "ERR_OK", r
    row, = rows(sql, "SELECT * FROM audit WHERE request_id = %s",
                r.headers["X-Request-Id"])
    assert json.loads(row["request_json"]) is not None
    assert pegasus.metas["m1"].token not in str(row)
    return row["target"], *(json.loads(row[k]) if row[k] is not None else None
                            for k in ("before_json", "after_json"))


def differing(before, after):
    return {k: (before.get(k), after.get(k)) for k in {*before, *after}
            if before.get(k) != after.get(k)}


def members(row):
    return [row["primary"], *filter(None, row["secondaries"][1:-1].split(","))]


@pytest.fixture
def partition(pegasus, fresh):
    """A healthy partition of two replicas: its gpid and its members."""
    name = fresh("t")
    app_id = pegasus.ok("/meta/app/create", app_name=name, partition_count=1,
                        replica_count=2)["app_id"]
    return app_id + ".0", members(pegasus.healthy(name)["replicas"]["0"])


def test_a_new_table_is_told_with_its_variables(pegasus, sql, fresh):
    name = fresh("t")
    body = {"app_name": name, "partition_count": 8, "replica_count": 2,
            "envs": {"default_ttl": "60"}}
    target, before, after = change(pegasus, sql, "/meta/app/create", **body)
    assert (target, before) == (f"table {name}", None)
    assert after["envs"] == {"default_ttl": "60"}
    assert (after["app_name"], after["status"], after["partition_count"],
            after["max_replica_count"]) == (name, "AVAILABLE", 8, 2)
    # again: nothing becomes another
    _, before, again = change(pegasus, sql, "/meta/app/create", **body)
    assert before == again
    assert {**before, "envs": after["envs"]} == after


def test_a_table_is_dropped_recalled_renamed(pegasus, sql, table, fresh):
    target, live, dropped = change(pegasus, sql, "/meta/app/drop",
                                   app_name=table)
    assert target == f"table {table}"
    assert differing(live, dropped)["status"] == ("AVAILABLE", "DROPPED")
    target, before, after = change(pegasus, sql, "/meta/app/recall",
                                   app_id=live["app_id"])
    assert target == f"table {live['app_id']}"
    assert (before["status"], after) == ("DROPPED", live)
    name = fresh("t")
    _, before, after = change(pegasus, sql, "/meta/app/rename",
                              old_app_name=table, new_app_name=name)
    assert differing(before, after) == {"app_name": (table, name)}
    _, before, after = change(pegasus, sql,
                              "/meta/app/set_max_replica_count",
                              app_name=name, max_replica_count=2)
    assert differing(before, after) == {"max_replica_count": (3, 2)}


def test_dropping_what_is_not_there_changes_nothing(pegasus, sql, fresh):
    assert change(pegasus, sql, "/meta/app/drop",
                  app_name=fresh("t"))[1:] == (None, None)


def test_variables_are_told_all_before_and_after(pegasus, sql, table):
    def envs(path, **body):
        target, *states = change(pegasus, sql, "/meta/" + path,
                                 app_name=table, **body)
        assert target == f"variables of {table}"
        return states

    a = {"default_ttl": "60"}
    ab = {"business.info": "x", **a}
    assert envs("app_envs/set", envs=a) == [{}, a]
    assert envs("app_envs/set", envs=ab) == [a, ab]
    assert envs("app_envs/del", keys=["default_ttl", "none"]) == [
        ab, {"business.info": "x"}]
    assert envs("app_envs/clear", prefix="business") == [
        {"business.info": "x"}, {}]
    scenario = {"rocksdb.usage_scenario": "bulk_load"}
    assert envs("app/usage_scenario", scenario="bulk_load") == [{}, scenario]
    before, after = envs("app/start_compaction", type="once")
    assert before == scenario
    assert {k.rpartition(".")[0] for k in differing(before, after)} == {
        "manual_compact.once"}


def test_of_many_variables_the_one_that_changes_is_told(pegasus, sql, table):
    """All together are more than a row holds; what differs is not."""
    def put(envs):
        return change(pegasus, sql, "/meta/app_envs/set", app_name=table,
                      envs=envs)[1:]

    long = {f"a{i}": str(i) * 1000 for i in range(10, 100)}
    too_long = {"truncated": True, "limit_bytes": 65536}
    assert put(long)[1] == too_long
    assert put({"b": "1"}) == ({"difference": True},
                               {"difference": True, "b": "1"})
    assert put({"b": "2"}) == ({"difference": True, "b": "1"},
                               {"difference": True, "b": "2"})


def test_a_level_is_told(pegasus, sql):
    old = pegasus.json("/meta/cluster")["meta_function_level"]
    assert change(pegasus, sql, "/meta/cluster/level", level="lively") == (
        "cluster", {"level": old}, {"level": "lively"})
    assert change(pegasus, sql, "/meta/cluster/level", level="steady")[1:] == (
        {"level": "lively"}, {"level": "steady"})


def test_a_move_is_told_with_the_partition(pegasus, sql, partition):
    gpid, (a, b) = partition
    target, before, after = change(pegasus, sql, "/meta/balance", gpid=gpid,
                                   type="move_pri", **{"from": a}, to=b)
    assert target == f"partition {gpid}"
    assert (before["primary_node"], before["secondaries"]) == (a, b)
    assert differing(before, after) == {"actions": ([], [
        {"type": "DOWNGRADE_TO_SECONDARY", "target": a, "node": a,
         "balancer": True},
        {"type": "UPGRADE_TO_PRIMARY", "target": b, "node": b,
         "balancer": True}])}


def test_a_proposal_is_told_with_the_partition(pegasus, sql, partition):
    gpid, (a, b) = partition
    _, before, after = change(
        pegasus, sql, "/meta/propose", gpid=gpid,
        type="DOWNGRADE_TO_INACTIVE", target=a, node=b, force=True)
    (what, (old, new)), = differing(before, after).items()
    assert (what, old) == ("actions", [])
    assert [(x["type"], x["node"]) for x in new] == [
        ("DOWNGRADE_TO_INACTIVE", b)]


def test_a_reported_configuration_is_told(deployment, pegasus, sql,
                                          partition):
    machine = Cluster(deployment, "machine")
    gpid, (a, b) = partition
    body = {"gpid": gpid, "type": "REMOVE", "node": b}
    ballot = int(rows(sql, "SELECT ballot FROM pegasus_partition WHERE"
                      " app_id = %s", gpid.split(".")[0])[0]["ballot"])
    target, before, after = change(
        machine, sql, "/meta/nodes/update_configuration", ballot=ballot + 1,
        **body)
    assert target == f"partition {gpid}"
    changed = differing(before, after)
    assert changed.pop("last_drops")[1].startswith(b)
    assert changed == {"ballot": (str(ballot), str(ballot + 1)),
                       "members": (2, 1), "secondaries": (b, "")}
    assert before["primary_node"] == after["primary_node"] == a


def test_reports_are_counted(deployment, sql, fresh):
    machine = Cluster(deployment, "machine")
    address = f"{fresh('host')}.example:34801"
    machine.ok("/meta/nodes/beacon", address=address, start_time=1)
    report = {"gpid": "999999.0", "ballot": 1, "committed": 1, "prepared": 1,
              "disk_tag": "ssd", "status": "PRIMARY"}
    for old, new in ((0, 1), (1, 0)):
        assert change(machine, sql, "/meta/nodes/config_sync",
                      address=address, replicas=[report] * new) == (
            f"replica server {address}",
            {"address": address, "replicas": str(old)},
            {"address": address, "replicas": str(new)})


def test_every_form_that_writes_was_asked(request):
    chosen = [i for i in request.session.items if i.path == request.node.path]
    everything = [n for n in globals() if n.startswith("test_")]
    if len(chosen) == len(everything):  # fewer: by -k or name
        assert SEEN == {e.path for e in tables.endpoints()
                        if e.dialect == "pegasus" and "TX" in e.flags}
