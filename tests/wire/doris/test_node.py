"""add_node, drop_node and decommissioning."""

import pytest

from support.metaservice import NO_PORT, UNKNOWN, be, compact, fe, occupied
from support.words import fresh


def change(iid, *nodes, **cluster):
    """The body of a change of nodes of the compute cluster c1."""
    return {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "type": "COMPUTE", "nodes": list(nodes),
        **cluster}}


def sql(iid, *nodes):
    return change(iid, *nodes, cluster_id="s1", type="SQL")


CHANGES = ["add_node", "drop_node", "decommission_node",
           "notify_decommissioned"]


# ---- add ----

def test_nodes_are_added_in_order(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    ms.ok("add_node", change(iid, be(iid, 3), be(iid, 2, ctime="5")))
    ms.ok("add_node", change(iid, be(iid, 4), cluster_id=None,
                             cluster_name="name_c1"))
    got = ms.get_cluster(iid)
    nodes = got["nodes"]
    assert [n["ip"][-1] for n in nodes] == ["1", "3", "2", "4"]
    assert nodes[2] == {**be(iid, 2), "ctime": "5",
                        "mtime": nodes[2]["mtime"],
                        "status": "NODE_STATUS_RUNNING"}
    assert list(nodes[1]) == ["cloud_unique_id", "ip", "ctime", "mtime",
                              "status", "heartbeat_port"]
    assert "status" not in nodes[0]
    assert int(got["mtime"]) >= int(got["ctime"])


def test_a_node_leads_to_its_instance_at_once(ms):
    iid, node = ms.instance(), fresh("node")
    ms.cluster(iid)
    ms.ok("add_node", change(iid, be(iid, 1, cloud_unique_id=node)))
    assert ms.result("get_cluster", {
        "cloud_unique_id": node, "cluster_id": "c1"}) == ms.get_cluster(iid)
    ms.ok("add_node", {"cloud_unique_id": node,
                       **change(None, be(iid, 2))})


def test_the_instance_in_a_node_may_be_another(ms):
    """As in the documentation's example."""
    iid, other = ms.instance(), ms.instance()
    ms.cluster(iid)
    ms.ok("add_node", change(iid, be(other, 1)))


@pytest.mark.parametrize("operation", CHANGES)
def test_what_a_change_must_say(ms, operation):
    iid, no = ms.instance(), fresh("no")
    ms.cluster(iid)
    ms.bad("cluster must have type arg", operation,
           change(iid, be(iid, 1), type=None))
    ms.bad("cluster name not regex with ^[a-zA-Z][a-zA-Z0-9_]*$, please "
           "check it", operation, change(iid, cluster_name="1"))
    ms.bad(NO_PORT + compact({"ip": "x"}), operation,
           change(iid, {"ip": "x"}))
    ms.bad("to_add and to_del both empty or both not empty", operation,
           change(iid))
    ms.bad(UNKNOWN.format(no), operation,
           change(no, be(no, 1, cloud_unique_id="x")))
    ms.bad(f'node=cloud_unique_id: "1:{no}:be1" ip: "172.21.0.1" '
           "heartbeat_port: 9050 cloud_unique_id use degrade format, but "
           "check instance failed", operation, change(no, be(no, 1)))


def test_an_endpoint_is_added_once(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    ms.cluster(iid, "c2", nodes=[be(iid, 2)])
    taken = "compute node endpoint has been added, registered be node="
    before = ms.get_cluster(iid)
    ms.exists(taken + "172.21.0.1:9050", "add_node", change(iid, be(iid, 1)))
    ms.exists(taken + "172.21.0.2:9050", "add_node",
              change(iid, be(iid, 3), be(iid, 2)))
    ms.exists(taken + "172.21.0.4:9050", "add_node",
              change(iid, be(iid, 4), be(iid, 4)))
    assert ms.get_cluster(iid) == before
    ms.sql_cluster(iid)
    ms.exists("sql node endpoint has been added, registered fe "
              "node=172.21.1.1:9010", "add_node", sql(iid, fe(iid, 1)))


def test_a_node_without_address(ms):
    iid = ms.instance()
    ms.cluster(iid)
    ms.bad("add node input args node invalid, cluster="
           + compact({"heartbeat_port": 1}), "add_node",
           change(iid, {"heartbeat_port": 1}))


def test_a_node_of_another_instance(ms):
    iid, other, node = ms.instance(), ms.instance(), fresh("node")
    ms.cluster(iid, nodes=[be(iid, 1, cloud_unique_id=node)])
    ms.cluster(other)
    stolen = be(other, 7, cloud_unique_id=node)
    ms.bad(occupied(iid, "c1", node), "add_node",
           change(other, be(other, 6), stolen))
    # the endpoint is looked at first, the cluster last
    ms.cluster(other, "c2", nodes=[be(other, 7)])
    ms.exists("compute node endpoint has been added, registered be "
              "node=172.21.0.7:9050", "add_node", change(other, stolen))
    ms.exists("compute node endpoint has been added, registered be "
              "node=172.21.0.7:9050", "add_node",
              change(other, stolen, cluster_id="none"))
    ms.bad(occupied(iid, "c1", node), "add_node",
           change(other, {**stolen, "ip": "free"}, cluster_id="none"))
    assert "nodes" not in ms.get_cluster(other)


def test_the_holder_of_a_node_is_told_from_who_asks(ms):
    iid, other, node = ms.instance(), ms.instance(), fresh("node")
    for cid in "c1", "c2":
        ms.cluster(iid, cid)
    ms.ok("add_node", change(iid, be(iid, 1, cloud_unique_id=node),
                             cluster_id="c2"))
    ms.cluster(other)  # older in its instance than the holder's in its own
    ms.bad(occupied(iid, "c2", node), "add_node",
           change(other, be(other, 1, cloud_unique_id=node)))


def test_a_cluster_that_is_not_there(ms):
    iid = ms.instance()
    ms.missing(f"failed to find cluster to update, instance_id={iid} "
               "cluster_id=c1 cluster_name=n", "add_node",
               change(iid, be(iid, 1), cluster_name="n"))
    ms.missing(f"failed to find cluster to update, instance_id={iid} "
               "cluster_id= cluster_name=", "add_node",
               change(iid, be(iid, 1), cluster_id=None))


def test_a_cluster_of_another_type(ms):
    iid = ms.instance()
    ms.cluster(iid)
    r = ms.send("add_node", change(iid, fe(iid, 1), type="SQL"))
    assert (r.status, r.json["code"]) == (400, "INVALID_ARGUMENT"), r
    assert "nodes" not in ms.get_cluster(iid)


# ---- the masters ----

INVALID = "instance invalid, cant modify, plz check"


def test_an_instance_keeps_one_master(ms):
    iid = ms.instance()
    ms.sql_cluster(iid)
    ms.bad(INVALID, "add_node", sql(iid, fe(iid, 2, node_type="FE_MASTER")))
    ms.bad(INVALID, "drop_node", sql(iid, fe(iid, 1)))
    ms.ok("add_node", sql(iid, fe(iid, 2, node_type="FE_FOLLOWER"),
                          fe(iid, 3)))
    ms.ok("drop_node", sql(iid, fe(iid, 1)))
    ms.bad(INVALID, "drop_node", sql(iid, fe(iid, 2)))
    got = ms.get_cluster(iid, "s1")["nodes"]
    assert [n["node_type"] for n in got] == ["FE_FOLLOWER", "FE_OBSERVER"]


def test_only_the_first_sql_cluster_needs_a_master(ms):
    iid = ms.instance()
    ms.sql_cluster(iid, "s0", nodes=[fe(iid, 9, node_type="FE_MASTER")])
    ms.sql_cluster(iid)
    ms.ok("drop_node", sql(iid, fe(iid, 1)))


# ---- drop ----

def not_dropped(iid, node, name="", cid="c1"):
    return ("cloud_unique_id can not find to drop node, "
            f"instance_id={iid} cluster_name={name} cluster_id={cid} "
            f"cloud_unique_id={node}")


def test_nodes_are_dropped(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1), be(iid, 2), be(iid, 3, host="h3")])
    ms.ok("drop_node", change(iid, be(iid, 2), be(iid, 1)))
    assert [n["ip"] for n in ms.get_cluster(iid)["nodes"]] == ["172.21.0.3"]
    ms.ok("drop_node", change(iid, {
        "cloud_unique_id": f"1:{iid}:be3", "host": "h3",
        "heartbeat_port": 9050}))
    assert "nodes" not in ms.get_cluster(iid)
    ms.cluster(iid, "c2", nodes=[be(iid, 1), be(iid, 2)])


def test_a_node_to_drop_is_not_found(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    ms.cluster(iid, "c2", nodes=[be(iid, 2)])
    for node in (be(iid, 9), be(iid, 1, heartbeat_port=1),
                 be(iid, 1, ip="other"), be(iid, 2),
                 be(iid, 1, cloud_unique_id="other")):
        ms.missing(not_dropped(iid, node["cloud_unique_id"]), "drop_node",
                   change(iid, node))
    ms.missing(not_dropped(iid, f"1:{iid}:be1", "n", "no"), "drop_node",
               change(iid, be(iid, 1), cluster_id="no", cluster_name="n"))
    # all or none, and no node twice
    ms.missing(not_dropped(iid, f"1:{iid}:be9"), "drop_node",
               change(iid, be(iid, 1), be(iid, 9)))
    ms.missing(not_dropped(iid, f"1:{iid}:be1"), "drop_node",
               change(iid, be(iid, 1), be(iid, 1)))
    assert len(ms.get_cluster(iid)["nodes"]) == 1


@pytest.mark.parametrize("operation", ["drop_node", "decommission_node"])
def test_a_node_of_the_other_type_is_another(ms, operation):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    before = ms.get_cluster(iid)
    ms.missing(not_dropped(iid, f"1:{iid}:be1"), operation, change(
        iid, {"cloud_unique_id": f"1:{iid}:be1", "ip": "172.21.0.1",
              "edit_log_port": 9050, "node_type": "FE_OBSERVER"},
        type="SQL"))
    assert ms.get_cluster(iid) == before


def test_a_dropped_node_is_free_when_it_was_the_last_of_its_id(ms):
    iid, other, node = ms.instance(), ms.instance(), fresh("node")
    ms.cluster(iid, nodes=[be(iid, 1, cloud_unique_id=node),
                           be(iid, 2, cloud_unique_id=node)])
    ms.cluster(other)
    wanted = change(other, be(other, 1, cloud_unique_id=node))
    ms.ok("drop_node", change(iid, be(iid, 1, cloud_unique_id=node)))
    ms.bad(occupied(iid, "c1", node), "add_node", wanted)
    ms.ok("drop_node", change(iid, be(iid, 2, cloud_unique_id=node)))
    ms.ok("add_node", wanted)


# ---- decommission ----

def test_a_node_is_decommissioned(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1), be(iid, 2)])
    for operation, status in (
            ("decommission_node", "NODE_STATUS_DECOMMISSIONING"),
            ("notify_decommissioned", "NODE_STATUS_DECOMMISSIONED")):
        ms.ok(operation, change(iid, be(iid, 2)))
        nodes = ms.get_cluster(iid)["nodes"]
        assert [n.get("status") for n in nodes] == [None, status]
        ms.missing(not_dropped(iid, f"1:{iid}:be3"), operation,
                   change(iid, be(iid, 1), be(iid, 3)))
        assert ms.get_cluster(iid)["nodes"] == nodes


# ---- many ----

def test_a_cluster_of_many_nodes_goes_on_being_changed(ms):
    """What was accepted is read back by every later change, however many
    values its document has."""
    iid = ms.instance()
    nodes = [be(iid, n) for n in range(4000)]
    for n, node in enumerate(nodes):
        node["ip"] = f"10.0.{n // 250}.{n % 250}"
    ms.cluster(iid, nodes=nodes[:3000])
    for n in (3000, 3500):
        ms.ok("add_node", change(iid, *nodes[n:n + 500]))
    assert len(ms.get_cluster(iid)["nodes"]) == 4000
    ms.ok("drop_node", change(iid, nodes[0]))
    ms.ok("rename_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "other"}})
    assert len(ms.get_cluster(iid)["nodes"]) == 3999
    ms.ok("drop_cluster", {"instance_id": iid,
                           "cluster": {"cluster_id": "c1"}})
    ms.ok("drop_instance", {"instance_id": iid})


@pytest.mark.parametrize("many", [2500, 5000])
def test_what_a_client_may_send_stays_changeable(ms, many):
    """At most 4,096 nodes come in one request; a cluster may have more."""
    iid = ms.instance()
    nodes = [{"ip": f"10.{n >> 8}.{n & 255}.1", "heartbeat_port": 9050,
              "cloud_unique_id": f"u{n}_{iid}"} for n in range(many + 1)]
    ms.cluster(iid, nodes=nodes[:min(many, 4096)])
    if many > 4096:
        ms.ok("add_node", change(iid, *nodes[4096:many]))
    ms.ok("add_node", change(iid, nodes[many]))
    ms.ok("drop_node", change(iid, nodes[0]))
    ms.ok("rename_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "other"}})
    assert len(ms.get_cluster(iid)["nodes"]) == many
    ms.ok("drop_cluster", {"instance_id": iid,
                           "cluster": {"cluster_id": "c1"}})
    ms.ok("drop_instance", {"instance_id": iid})
