"""What operators and foreign replica servers ask of the leader. A deployment
of its own: foreign nodes take part in it."""

import json

import pytest

from support.pegasus import Cluster, counts
from support.store import rows, value
from support.waiting import until

pytestmark = pytest.mark.config(
    METAGATE_PEGASUS_FD_GRACE_SECONDS="3",
    METAGATE_PEGASUS_FD_CHECK_INTERVAL_SECONDS="1",
    METAGATE_PEGASUS_FD_BEACON_INTERVAL_SECONDS="1",
    METAGATE_PEGASUS_MIN_LIVE_NODE_COUNT_FOR_UNFREEZE="1",
    METAGATE_PEGASUS_NODE_LIVE_PERCENTAGE_THRESHOLD_FOR_UPDATE="0",
    METAGATE_PEGASUS_DEFAULT_TABLE="")


@pytest.fixture
def machine(deployment):
    """The same, asked with a token of scope machine."""
    return Cluster(deployment, "machine")


@pytest.fixture(autouse=True)
def counted(sql):
    """Whatever was asked for: what is kept is what one would count."""
    yield
    until(lambda: counts(sql)[0], "the counts are right")
    _, kept, there = counts(sql)
    assert kept == there


def members(row):
    return [row["primary"], *filter(None, row["secondaries"][1:-1].split(","))]


def one(pegasus, fresh, replicas=2):
    """A table of one partition: its name, gpid and row."""
    name = fresh("t")
    app_id = pegasus.ok("/meta/app/create", app_name=name, partition_count=1,
                        replica_count=replicas)["app_id"]
    return name, app_id + ".0", pegasus.healthy(name)["replicas"]["0"]


def until_row(pegasus, name, condition):
    def row():
        r = pegasus.app(name)["replicas"]["0"]
        return condition(r) and r
    return until(row, f"partition of {name}")


# ---- level ----

@pytest.mark.parametrize("level", ["stopped", "blind", "freezed", "lively",
                                   "steady"])
def test_a_level_is_set_and_shown(pegasus, level):
    old = pegasus.json("/meta/cluster")["meta_function_level"]
    assert pegasus.ok("/meta/cluster/level", level=level)["old_level"] == old
    assert pegasus.json("/meta/cluster")["meta_function_level"] == level
    pegasus.ok("/meta/cluster/level", level="steady")


def test_an_unknown_level_is_refused(pegasus):
    assert pegasus.error("/meta/cluster/level",
                         level="frozen")[0] == "ERR_INVALID_PARAMETERS"


def test_replicas_past_their_recall_go_at_lively_only(pegasus, fresh, sql):
    name = fresh("t")
    app_id = pegasus.ok("/meta/app/create", app_name=name)["app_id"]
    pegasus.healthy(name)
    pegasus.ok("/meta/app/drop", app_name=name)
    rows(sql, "UPDATE pegasus_app SET expire_second = 1 WHERE app_id = %s",
         app_id)

    def left():
        return value(sql, "SELECT COUNT(*) FROM pegasus_partition"
                     " WHERE app_id = %s", app_id)

    assert left() == 4
    pegasus.ok("/meta/cluster/level", level="lively")
    until(lambda: left() == 0, "its partitions are gone")
    pegasus.ok("/meta/cluster/level", level="steady")
    # the row stays: its id is never used again
    assert value(sql, "SELECT status FROM pegasus_app WHERE app_id = %s",
                 app_id) == "DROPPED"


# ---- balance and propose ----

def test_a_primary_is_moved(pegasus, fresh):
    name, gpid, row = one(pegasus, fresh)
    a, b = members(row)
    pegasus.ok("/meta/balance", gpid=gpid, type="move_pri", **{"from": a},
               to=b)
    after = until_row(pegasus, name, lambda r: r["primary"] == b)
    assert members(after) == [b, a]
    assert int(after["ballot"]) == int(row["ballot"]) + 2


@pytest.mark.parametrize("kind", ["copy_pri", "copy_sec"])
def test_a_replica_is_copied(pegasus, fresh, kind):
    name, gpid, row = one(pegasus, fresh)
    source = members(row)[0 if kind == "copy_pri" else 1]
    to, = set(pegasus.nodes()) - set(members(row))
    pegasus.ok("/meta/balance", gpid=gpid, type=kind, **{"from": source},
               to=to)
    after = until_row(pegasus, name, lambda r: to in members(r)
                      and source not in members(r))
    assert len(members(after)) == 2
    assert (after["primary"] == to) == (kind == "copy_pri")


def test_a_balance_that_does_not_fit_is_refused(pegasus, fresh):
    name, gpid, row = one(pegasus, fresh)
    a, b = members(row)
    c, = set(pegasus.nodes()) - {a, b}
    good = {"gpid": gpid, "type": "move_pri", "from": a, "to": b}
    for wrong in ({"gpid": "x"}, {"gpid": "1"}, {"gpid": gpid + "0"},
                  {"gpid": "999999.0"}, {"type": "move"}, {"from": b},
                  {"to": c}, {"to": a}, {"to": "nowhere"},
                  {"type": "copy_pri"}, {"type": "copy_sec", "to": c}):
        assert pegasus.error("/meta/balance", **{**good, **wrong})[0] == \
            "ERR_INVALID_PARAMETERS", wrong
    assert pegasus.app(name)["replicas"]["0"] == row


def test_a_change_is_proposed(pegasus, fresh):
    name, gpid, row = one(pegasus, fresh)
    a, b = members(row)
    c, = set(pegasus.nodes()) - {a, b}
    pegasus.ok("/meta/propose", gpid=gpid, type="DOWNGRADE_TO_INACTIVE",
               target=a, node=b)
    # the cure brings the number back
    until_row(pegasus, name, lambda r: int(r["ballot"]) >=
              int(row["ballot"]) + 2 and len(members(r)) == 2)
    pegasus.ok("/meta/propose", gpid=gpid, type="CT_ADD_SECONDARY", target=a,
               node=c, force=True)
    until_row(pegasus, name, lambda r: int(r["ballot"]) >=
              int(row["ballot"]) + 3)
    for wrong in ({"type": "DROP_PARTITION"}, {"type": "x"}, {"node": "x"},
                  {"gpid": "0.0"}):
        assert pegasus.error("/meta/propose", **{
            "gpid": gpid, "type": "REMOVE", "target": a, "node": b,
            **wrong})[0] == "ERR_INVALID_PARAMETERS"


# ---- foreign replica servers ----

def beacon(machine, address, start=1700000000000):
    return machine.ok("/meta/nodes/beacon", address=address,
                      start_time=start)


def test_a_beacon_makes_a_node_alive_and_silence_unalive(pegasus, machine,
                                                         fresh):
    address = f"{fresh('host')}.example:34801"
    r = beacon(machine, address)
    assert (r["allowed"], r["is_master"]) == ("true", "true")
    assert r["primary_node"] == pegasus.address(pegasus.on(pegasus.leader()))
    assert int(r["time"]) > 1700000000000
    pegasus.until_node(address, "ALIVE")
    pegasus.until_node(address, "UNALIVE")
    summary = pegasus.json("/meta/nodes")["summary"]
    assert int(summary["unalive_node_count"]) >= 1
    beacon(machine, address)
    pegasus.until_node(address, "ALIVE")


def test_a_server_that_keeps_restarting_is_not_heard(pegasus, machine, fresh,
                                                     sql):
    address = f"{fresh('host')}.example:34801"
    for i in range(6):
        start = 1700000000000 + i * 1000
        until(lambda: beacon(machine, address, start) and pegasus.json(
            "/meta/nodes")["details"].get(address), "it is listed")
        if i < 5:  # the leader has seen this start
            until(lambda: beacon(machine, address, start) and pegasus.json(
                "/meta/nodes")["details"][address]["status"] == "ALIVE")
            until(lambda: value(sql, "SELECT unstable FROM pegasus_node"
                                " WHERE address = %s", address) == i)
    # the last restart was one too many: its beacons no longer count
    until(lambda: beacon(machine, address, start) and pegasus.json(
        "/meta/nodes")["details"][address]["status"] == "UNALIVE",
        "UNALIVE though it sends", 60)


def test_beacons_of_a_malformed_address_are_refused(machine):
    for address in ("x", "x:", "x:0", "x:70000", "a b:1", ":1", "x" * 200):
        assert machine.error("/meta/nodes/beacon", address=address,
                             start_time=1)[0] == "ERR_INVALID_PARAMETERS"


def test_a_foreign_primary_carries_out_what_is_proposed(pegasus, machine,
                                                        fresh, sql):
    """All of it by the forms: the foreign server becomes primary, learns of
    a proposal by config_sync, and reports the new secondary."""
    name, gpid, row = one(pegasus, fresh, replicas=1)
    home = row["primary"]
    foreign = f"{fresh('host')}.example:34801"
    beat = lambda: beacon(machine, foreign)  # noqa: E731
    beat()
    assert machine.ok("/meta/nodes/config_sync",
                      address=foreign)["partitions"] == "[]"
    pegasus.until_node(foreign, "ALIVE")
    pegasus.ok("/meta/balance", gpid=gpid, type="copy_pri",
               **{"from": home}, to=foreign)
    row = until(lambda: beat() and (r := pegasus.app(name)["replicas"]["0"])
                ["primary"] == foreign and members(r) == [foreign] and r)
    pegasus.ok("/meta/app/set_max_replica_count", app_name=name,
               max_replica_count=2)

    def proposal():
        beat()
        sync = machine.ok("/meta/nodes/config_sync", address=foreign,
                          replicas=[{"gpid": gpid, "ballot": row["ballot"],
                                     "committed": 5, "prepared": 7,
                                     "disk_tag": "ssd", "status": "PRIMARY"}])
        return next((p for p in json.loads(sync["partitions"])
                     if p["gpid"] == gpid and "proposal" in p), None)

    found = until(proposal, "a proposal")
    kept, = rows(sql, "SELECT ballot, committed, prepared, disk_tag, status"
                 " FROM pegasus_replica WHERE node = %s", foreign)
    assert kept == {"ballot": int(row["ballot"]), "committed": 5,
                    "prepared": 7, "disk_tag": "ssd", "status": "PRIMARY"}
    assert found["proposal"] == "ADD_SECONDARY"
    assert found["primary"] == foreign and found["ballot"] == row["ballot"]
    assert members(pegasus.app(name)["replicas"]["0"]) == [foreign]
    change = {"gpid": gpid, "type": "UPGRADE_TO_SECONDARY",
              "node": found["node"], "ballot": int(row["ballot"]) + 1}
    done = machine.ok("/meta/nodes/update_configuration", **change)
    assert done["ballot"] == str(change["ballot"])
    assert members(pegasus.app(name)["replicas"]["0"]) == [foreign,
                                                           found["node"]]
    # sent again: the same; at another ballot: refused with what is stored
    again = machine.ok("/meta/nodes/update_configuration", **change)
    assert again == done
    error, hint = machine.error("/meta/nodes/update_configuration",
                                **{**change, "ballot": 1})
    assert error == "ERR_INVALID_VERSION"
    assert json.loads(hint)["ballot"] == done["ballot"]
    # it falls silent: its secondary takes over
    pegasus.until_node(foreign, "UNALIVE")
    until_row(pegasus, name, lambda r: r["primary"] == found["node"])


def test_updates_are_refused_while_frozen(pegasus, machine, fresh):
    name, gpid, row = one(pegasus, fresh)
    pegasus.ok("/meta/cluster/level", level="freezed")
    error, hint = machine.error(
        "/meta/nodes/update_configuration", gpid=gpid, type="REMOVE",
        node=members(row)[1], ballot=int(row["ballot"]) + 1)
    assert error == "ERR_STATE_FREEZED"
    assert json.loads(hint)["ballot"] == row["ballot"]
    pegasus.ok("/meta/cluster/level", level="steady")
    assert pegasus.app(name)["replicas"]["0"] == row


def test_reports_of_nobody_are_refused(machine):
    assert machine.error("/meta/nodes/config_sync",
                         address="10.9.9.9:1")[0] == "ERR_INVALID_PARAMETERS"
    for wrong in ({"gpid": "x"}, {"gpid": "99999.0"}, {"type": "x"},
                  {"type": "DROP_PARTITION"}, {"node": "x"}):
        assert machine.error("/meta/nodes/update_configuration", **{
            "gpid": "1.0", "type": "REMOVE", "node": "10.0.0.1:1",
            "ballot": 1, **wrong})[0] == "ERR_INVALID_PARAMETERS"


def test_only_machines_and_admins_speak_for_nodes(deployment):
    for path in ("beacon", "config_sync", "update_configuration"):
        for scope, status in (("read", 403), ("write", 403)):
            r = deployment.client("pegasus-meta/m1", scope).post(
                "/meta/nodes/" + path, {})
            assert (r.status, r.text) == (status, "ERR_ACL_DENY")
