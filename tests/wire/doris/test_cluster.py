"""add_cluster, get_cluster, drop_cluster, rename_cluster and what else may be
changed of a cluster."""

import pytest

from support.metaservice import (NO_PORT, UNKNOWN, be, compact, fe, occupied,
                                 pretty)
from support.words import fresh

def add(iid, **cluster):
    """The body of add_cluster, valid unless changed."""
    return {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "name_c1", "type": "COMPUTE",
        **cluster}}


# ---- add and get ----

def test_a_cluster_is_read_as_it_was_added(ms):
    iid = ms.instance()
    asked = {
        "cluster_id": "c1", "cluster_name": "n1", "type": "COMPUTE",
        "desc": "é \"quoted\"", "nodes": [be(iid, 1, name="b", host=""),
                                          be(iid, 2, is_smooth_upgrade=False)],
        "mysql_user_name": ["root", "jack", "root"],
        "public_endpoint": "", "private_endpoint": "10.0.0.1:9030",
        "cluster_status": "SUSPENDED", "properties": {"b": "1", "a": ""}}
    ms.ok("add_cluster", {"instance_id": iid, "cluster": asked})
    r = ms.send("get_cluster", {"cloud_unique_id": f"1:{iid}:x",
                                "cluster_id": "c1"})
    now = r.json["result"]["ctime"]
    assert now.isdigit()
    times = {"ctime": now, "mtime": now}
    one = {"cloud_unique_id": f"1:{iid}:be1", "name": "b",
           "ip": "172.21.0.1", **times, "heartbeat_port": 9050, "host": ""}
    two = {"cloud_unique_id": f"1:{iid}:be2", "ip": "172.21.0.2", **times,
           "heartbeat_port": 9050, "is_smooth_upgrade": False}
    assert r.text == pretty({"code": "OK", "msg": "", "result": {
        **{k: asked[k] for k in ("cluster_id", "cluster_name", "type",
                                 "desc")},
        "nodes": [one, two], "mysql_user_name": ["root", "jack", "root"],
        "public_endpoint": "", "private_endpoint": "10.0.0.1:9030",
        "cluster_status": "NORMAL", **times,
        "properties": {"b": "1", "a": ""}}})


def test_a_sql_cluster(ms):
    iid = ms.instance()
    ms.sql_cluster(iid, nodes=[fe(iid, 1, node_type="FE_MASTER"),
                               fe(iid, 2)])
    got = ms.get_cluster(iid, "s1")
    assert "cluster_status" not in got
    assert [n["node_type"] for n in got["nodes"]] == ["FE_MASTER",
                                                      "FE_OBSERVER"]
    ms.sql_cluster(iid, "s2", nodes=[fe(iid, 3, node_type="FE_FOLLOWER"),
                                     fe(iid, 4, node_type="FE_FOLLOWER")])


def test_all_clusters_are_listed_in_order(ms):
    iid = ms.instance()
    for cid in ("c3", "c1", "c2"):
        ms.cluster(iid, cid, nodes=[be(iid, int(cid[1]))])
    got = ms.result("get_cluster", {"cloud_unique_id": f"1:{iid}:x"})
    assert list(got) == ["cluster", "enable_storage_vault"]
    assert got["enable_storage_vault"] is True
    assert [c["cluster_id"] for c in got["cluster"]] == ["c3", "c1", "c2"]
    assert got["cluster"][1] == ms.get_cluster(iid, "c1")


def test_selectors_and_their_precedence(ms):
    iid = ms.instance()
    for cid in ("c1", "c2", "c3"):
        ms.cluster(iid, cid, mysql_user_name=["both", f"user_{cid}"])
    def got(**selectors):
        return ms.result("get_cluster", {
            "cloud_unique_id": f"1:{iid}:x", **selectors})["cluster_id"]
    assert got(cluster_name="name_c2") == "c2"
    assert got(mysql_user_name="user_c3") == "c3"
    assert got(mysql_user_name="both") == "c1"
    assert got(cluster_id="c3", cluster_name="name_c2",
               mysql_user_name="user_c1") == "c3"
    assert got(cluster_name="name_c2", mysql_user_name="user_c1") == "c2"
    assert got(cluster_id="", cluster_name="name_c2") == "c2"


def test_which_instance_is_asked(ms):
    iid, other = ms.instance(), ms.instance()
    node = fresh("node")
    ms.cluster(iid, nodes=[be(iid, 1, cloud_unique_id=node)])
    ms.cluster(other, nodes=[be(other, 1)])
    def got(**body):
        found = ms.result("get_cluster", {"cluster_id": "c1", **body})
        return found["nodes"][0]["cloud_unique_id"]
    assert got(cloud_unique_id=node) == node
    assert got(cloud_unique_id=node, instance_id=other) == node
    assert got(cloud_unique_id=f"1:{iid}:new", instance_id=other) == node
    assert got(cloud_unique_id="none", instance_id=iid) == node


def test_a_cluster_that_is_not_found(ms):
    iid = ms.instance()
    cuid = f"1:{iid}:x"
    ms.bad("cloud_unique_id must be given", "get_cluster",
           {"instance_id": iid, "cluster_id": "c1"})
    for selector in ({}, {"cluster_id": "c1"}):
        ms.bad("empty instance_id", "get_cluster",
               {"cloud_unique_id": "none", **selector})
        ms.missing(UNKNOWN.format("no_" + iid), "get_cluster",
                   {"cloud_unique_id": f"1:no_{iid}:x", **selector})
        ms.missing(UNKNOWN.format("no_" + iid), "get_cluster",
                   {"cloud_unique_id": "x", "instance_id": "no_" + iid,
                    **selector})
    ms.missing(f'fail to get cluster with cloud_unique_id: "{cuid}"',
               "get_cluster", {"cloud_unique_id": cuid})
    ms.cluster(iid)
    ms.missing(f'fail to get cluster with instance_id: "{iid}" '
               f'cloud_unique_id: "{cuid}" cluster_id: "" '
               'cluster_name: "a\\"b" mysql_user_name: "\\303\\251"',
               "get_cluster", {
                   "mysql_user_name": "é", "cluster_name": 'a"b',
                   "cluster_id": "", "cloud_unique_id": cuid,
                   "instance_id": iid})


def test_an_instance_is_named_by_a_node(ms):
    iid = ms.instance()
    body = {"cloud_unique_id": f"1:{iid}:x", "cluster": add(iid)["cluster"]}
    ms.ok("add_cluster", body)
    ms.bad("use degrade cloud_unique_id, but instance_id invalid, "
           f"cloud_unique_id=1:no_{iid}:x", "add_cluster",
           {**body, "cloud_unique_id": f"1:no_{iid}:x"})
    ms.bad("empty instance_id", "add_cluster",
           {**body, "cloud_unique_id": "none"})


@pytest.mark.parametrize("operation", [
    "add_cluster", "drop_cluster", "rename_cluster", "add_node", "drop_node",
    "update_cluster_mysql_user_name", "update_cluster_endpoint",
    "set_cluster_status", "decommission_node", "notify_decommissioned"])
def test_an_instance_and_a_cluster_are_given(ms, operation):
    given = "invalid request instance_id or cluster not given"
    ms.bad(given, operation, {})
    ms.bad(given, operation, {"cluster": {"cluster_id": "c"}})
    ms.bad(given, operation, {"instance_id": "i"})
    ms.bad(given, operation, {"instance_id": "i", "cluster": None})


# ---- what add_cluster refuses ----

def test_a_type_and_a_name(ms):
    iid = ms.instance()
    for kind in (None, "NO_SUCH", ""):
        ms.bad("cluster must have type arg", "add_cluster",
               add(iid, type=kind))
    for name in (None, ""):
        ms.bad("not have cluster name", "add_cluster",
               add(iid, cluster_name=name))
    for name in ("1a", "_a", "a-b", "a b", " a", "é", "a\n"):
        ms.bad("cluster name not regex with ^[a-zA-Z][a-zA-Z0-9_]*$, "
               "please check it", "add_cluster", add(iid, cluster_name=name))
    ms.ok("add_cluster", add(iid, cluster_name="a"))


def test_a_cluster_id(ms):
    iid = ms.instance()
    for cid in (None, ""):
        ms.bad("missing cluster_id=", "add_cluster", add(iid, cluster_id=cid))


def test_ports_and_node_types(ms):
    iid = ms.instance()
    compute, sql = be(iid, 1), fe(iid, 1, node_type="FE_MASTER")
    for kind, node in (("SQL", compute), ("COMPUTE", sql),
                       ("COMPUTE", {**compute, "heartbeat_port": 0}),
                       ("SQL", {**sql, "node_type": "UNKNOWN"}),
                       ("SQL", {"ip": "a", "edit_log_port": 1})):
        ms.bad(NO_PORT + compact(node), "add_cluster",
               add(iid, type=kind, nodes=[node]))


def test_a_node_of_an_unknown_instance(ms):
    iid, no = ms.instance(), fresh("no")
    refused = (f'node=cloud_unique_id: "1:{no}:be1" ip: "172.21.0.1" '
               "heartbeat_port: 9050 cloud_unique_id use degrade format, "
               "but check instance failed")
    nodes = [be(iid, 2), be(no, 1)]
    ms.bad(refused, "add_cluster", add(iid, nodes=nodes))
    # the request's own instance is no exception, and comes before ports
    ms.bad(refused, "add_cluster", add(no, nodes=[be(no, 1)]))
    ms.bad(refused, "add_cluster",
           add(no, nodes=[be(no, 1), {"ip": "x"}]))


def test_masters_of_a_sql_cluster(ms):
    iid = ms.instance()
    def refused(text, *types):
        nodes = [fe(iid, n, node_type=t) for n, t in enumerate(types)]
        ms.bad("cluster is SQL type, " + text, "add_cluster",
               add(iid, type="SQL", nodes=nodes))
    one = "must have only one master node, now master count: "
    refused(one + "0")
    refused(one + "0", "FE_OBSERVER")
    refused(one + "2", "FE_MASTER", "FE_MASTER")
    refused("and use multi follower mode, cant set master node, master count: 1 "
            "follower count: 2", "FE_MASTER", "FE_FOLLOWER", "FE_FOLLOWER")


def test_the_instance_of_a_cluster(ms):
    no = fresh("no")
    ms.missing("failed to get instance, info " + UNKNOWN.format(no),
               "add_cluster", add(no))


def test_ids_and_names_are_taken_once(ms):
    iid = ms.instance()
    ms.cluster(iid)
    ms.exists("try to add a existing cluster id, existing_cluster_id=c1",
              "add_cluster", add(iid))
    ms.exists("try to add a existing cluster id, existing_cluster_id=c1",
              "add_cluster", add(iid, cluster_name="other"))
    ms.exists("try to add a existing cluster name, "
              "existing_cluster_name=name_c1", "add_cluster",
              add(iid, cluster_id="other"))
    ms.ok("add_cluster", add(iid, cluster_id="C1", cluster_name="NAME_C1"))
    ms.ok("add_cluster", add(iid, cluster_id="c1 ", cluster_name="n"))
    assert ms.get_cluster(iid, "c1 ")["cluster_name"] == "n"


def test_a_node_needs_an_address(ms):
    iid = ms.instance()
    for node in ({"heartbeat_port": 1}, {"ip": "", "heartbeat_port": 1}):
        ms.bad("add node input args node invalid, cluster=" + compact(node),
               "add_cluster", add(iid, nodes=[be(iid, 1), node]))


def test_an_endpoint_is_taken_once(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1), be(iid, 2, host="h2")])
    ms.sql_cluster(iid, nodes=[fe(iid, 1, node_type="FE_MASTER",
                                  ip="172.21.0.1", edit_log_port=9050)])
    taken = "compute node endpoint has been added, registered be node="
    ms.exists(taken + "172.21.0.1:9050", "add_cluster",
              add(iid, cluster_id="c2", cluster_name="n2",
                  nodes=[be(iid, 3), be(iid, 9, ip="172.21.0.1")]))
    ms.exists(taken + "h2:9050", "add_cluster",
              add(iid, cluster_id="c2", cluster_name="n2",
                  nodes=[be(iid, 4, host="h2")]))
    ms.exists("sql node endpoint has been added, registered fe "
              "node=172.21.0.1:9050", "add_cluster",
              add(iid, cluster_id="c2", cluster_name="n2", type="SQL",
                  nodes=[fe(iid, 9, ip="172.21.0.1", edit_log_port=9050,
                            node_type="FE_MASTER")]))
    ms.exists(taken + "172.21.0.5:9050", "add_cluster",
              add(iid, cluster_id="c2", cluster_name="n2",
                  nodes=[be(iid, 5), be(iid, 6, ip="172.21.0.5")]))
    # nothing of all that was stored, and another instance is free
    ms.cluster(iid, "c2", nodes=[be(iid, 3), be(iid, 4), be(iid, 5)])
    other = ms.instance()
    ms.cluster(other, nodes=[be(other, 1)])


def test_a_node_belongs_to_one_instance(ms):
    iid, other, node = ms.instance(), ms.instance(), fresh("node")
    ms.cluster(iid, nodes=[be(iid, 1, cloud_unique_id=node),
                           be(iid, 2, cloud_unique_id=node)])
    stolen = be(other, 1, cloud_unique_id=node)
    refused = occupied(iid, "c1", node)
    ms.exists(refused, "add_cluster", add(other, nodes=[stolen]))
    # before the instance, and before the cluster's id
    no = fresh("no")
    ms.exists(refused, "add_cluster", add(no, nodes=[stolen]))
    ms.cluster(other)
    ms.exists(refused, "add_cluster", add(other, nodes=[stolen]))
    # free again with its last node
    ms.ok("drop_cluster", add(iid))
    ms.cluster(other, "c2", nodes=[stolen])


# ---- drop ----

def test_a_cluster_is_dropped_with_its_nodes(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)], mysql_user_name=["root"])
    ms.ok("drop_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "does not matter"}})
    ms.missing(f"failed to find cluster to drop, instance_id={iid} "
               "cluster_id=c1 cluster_name=2222", "drop_cluster",
               {"instance_id": iid, "cluster": {"cluster_id": "c1",
                                                "cluster_name": "2222"}})
    ms.missing(f'fail to get cluster with cloud_unique_id: "1:{iid}:x" '
               'mysql_user_name: "root"', "get_cluster",
               {"cloud_unique_id": f"1:{iid}:x", "mysql_user_name": "root"})
    ms.cluster(iid, nodes=[be(iid, 1)])


def test_a_cluster_to_drop_is_named_by_id(ms):
    iid = ms.instance()
    ms.bad("missing cluster_id=", "drop_cluster",
           {"instance_id": iid, "cluster": {"cluster_name": "n"}})
    no = fresh("no")
    ms.missing(UNKNOWN.format(no), "drop_cluster", add(no))


# ---- changes ----

@pytest.mark.parametrize("operation", [
    "rename_cluster", "update_cluster_mysql_user_name",
    "update_cluster_endpoint", "set_cluster_status"])
def test_a_change_names_instance_and_cluster(ms, operation):
    iid, no = ms.instance(), fresh("no")
    ms.bad("missing cluster_id=", operation,
           {"instance_id": iid, "cluster": {"cluster_name": "n"}})
    ms.bad(UNKNOWN.format(no), operation, add(no))
    ms.bad(f"failed to find cluster to update, instance_id={iid} "
           "cluster_id=c1 cluster_name=name_c1", operation, add(iid))


def rename(iid, name, **more):
    return {"instance_id": iid,
            "cluster": {"cluster_id": "c1", "cluster_name": name}, **more}


def test_a_cluster_gets_another_name(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    before = ms.get_cluster(iid)
    ms.ok("rename_cluster", rename(iid, "name2"))
    after = ms.get_cluster(iid)
    assert int(after.pop("mtime")) >= int(before.pop("mtime"))
    assert after == {**before, "cluster_name": "name2"}
    ms.cluster(iid, "c2", cluster_name="name_c1")


def test_names_that_a_cluster_does_not_get(ms):
    iid = ms.instance()
    ms.cluster(iid)
    ms.cluster(iid, "c2", nodes=[be(iid, 1)])
    ms.cluster(iid, "c3")
    now = compact(ms.get_cluster(iid))
    ms.bad("failed to rename cluster, name eq original name, original "
           f"cluster is {now}", "rename_cluster", rename(iid, "name_c1"))
    taken = ("failed to rename cluster, a cluster with the same name already "
             f"exists in this instance {now}")
    ms.bad(taken, "rename_cluster", rename(iid, "name_c2"))
    ms.bad(taken, "rename_cluster", rename(
        iid, "name_c2", replace_if_existing_empty_target_cluster=True))
    ms.bad("not have cluster name", "rename_cluster", rename(iid, ""))
    ms.bad("cluster name not regex with ^[a-zA-Z][a-zA-Z0-9_]*$, please "
           "check it", "rename_cluster", rename(iid, "1"))
    ms.ok("rename_cluster", rename(
        iid, "name_c3", replace_if_existing_empty_target_cluster=True))
    got = ms.result("get_cluster", {"cloud_unique_id": f"1:{iid}:x"})
    assert [(c["cluster_id"], c["cluster_name"]) for c in got["cluster"]] == [
        ("c1", "name_c3"), ("c2", "name_c2")]


def test_users_are_replaced_as_a_whole(ms):
    iid = ms.instance()
    ms.cluster(iid, mysql_user_name=["old"])
    change = {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "mysql_user_name": ["jack", "root"]}}
    ms.ok("update_cluster_mysql_user_name", change)
    assert ms.get_cluster(iid)["mysql_user_name"] == ["jack", "root"]
    ms.missing(f'fail to get cluster with cloud_unique_id: "1:{iid}:x" '
               'mysql_user_name: "old"', "get_cluster",
               {"cloud_unique_id": f"1:{iid}:x", "mysql_user_name": "old"})
    for users in (None, []):
        change["cluster"]["mysql_user_name"] = users
        ms.bad("no mysql user name to change",
               "update_cluster_mysql_user_name", change)
    change["cluster"]["mysql_user_name"] = ["x" * 256]
    ms.bad("the request or what it would make is larger than the bound",
           "update_cluster_mysql_user_name", change)


def test_endpoints_are_replaced(ms):
    iid = ms.instance()
    ms.cluster(iid)
    def change(**endpoints):
        return {"instance_id": iid,
                "cluster": {"cluster_id": "c1", **endpoints}}
    ms.ok("update_cluster_endpoint", change(private_endpoint="a:1",
                                            public_endpoint="b:2"))
    got = ms.get_cluster(iid)
    assert (got["private_endpoint"], got["public_endpoint"]) == ("a:1", "b:2")
    ms.ok("update_cluster_endpoint", change(private_endpoint="c:3"))
    got = ms.get_cluster(iid)
    assert got["private_endpoint"] == "c:3" and "public_endpoint" not in got
    for private in ({}, {"private_endpoint": ""}):
        ms.internal("missing private endpoint", "update_cluster_endpoint",
                    change(public_endpoint="x", **private))
