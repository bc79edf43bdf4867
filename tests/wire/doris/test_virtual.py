"""Virtual clusters: one name in front of an active and a standby cluster."""

import pytest

from support.metaservice import be

POLICY = {"type": "ActiveStandby", "active_cluster_name": "name_c1",
          "standby_cluster_names": ["name_c2"]}
MEMBERS = ["name_c1", "name_c2"]


def body(iid, cid="v1", **more):
    return {"instance_id": iid, "cluster": {
        "cluster_id": cid, "cluster_name": f"name_{cid}", "type": "VIRTUAL",
        "cluster_names": MEMBERS, "cluster_policy": POLICY, **more}}


@pytest.fixture
def iid(ms):
    iid = ms.instance()
    for cid in ("c1", "c2", "c3"):
        ms.cluster(iid, cid)
    return iid


def test_a_virtual_cluster_is_added(ms, iid):
    ms.ok("add_cluster", body(iid))
    got = ms.get_cluster(iid, "v1")
    assert list(got) == ["cluster_id", "cluster_name", "type", "ctime",
                         "mtime", "cluster_names", "cluster_policy"]
    assert got["cluster_names"] == MEMBERS
    assert list(got["cluster_policy"].items()) == list({
        **POLICY, "failover_failure_threshold": "3",
        "unhealthy_node_threshold_percent": "100"}.items())
    ms.ok("add_cluster", body(iid, "v2", cluster_names=None,
                              cluster_policy=None))
    assert "cluster_policy" not in ms.get_cluster(iid, "v2")


def test_thresholds_that_are_given_stay(ms, iid):
    policy = {**POLICY, "failover_failure_threshold": 5,
              "unhealthy_node_threshold_percent": "50",
              "cache_warmup_jobids": ["7"]}
    ms.ok("add_cluster", body(iid, cluster_policy=policy))
    assert ms.get_cluster(iid, "v1")["cluster_policy"] == {
        **policy, "failover_failure_threshold": "5"}


def test_what_a_virtual_cluster_must_not_say(ms, iid):
    def bad(msg, **more):
        ms.bad(msg, "add_cluster", body(iid, **more))
    def policy(**more):
        return {"cluster_policy": {**POLICY, **more}}
    for member in ({"nodes": [be(iid, 1)]}, {"mysql_user_name": ["u"]},
                   {"public_endpoint": ""}, {"private_endpoint": "x"},
                   {"cluster_status": "NORMAL"}):
        bad("Inconsistent virtual cluster args", **member)
    together = ("subcgs and policy must be Incoming at the same time or do "
                "not transmit at the same time")
    bad(together, cluster_names=[])
    bad(together, cluster_policy=None)
    bad("Currently, just support two sub clusters", cluster_names=["a"])
    bad("cluster name 1 does not match regex ^[a-zA-Z][a-zA-Z0-9_]*$",
        cluster_names=["a", "1"])
    bad("plz set cluster policy type, use virtual cluster policy",
        **policy(type="none"))
    half = ("Inconsistent cluster policy: active_cluster_name must be set if "
            "standby_cluster_names are present, and vice versa.")
    bad(half, **policy(active_cluster_name=""))
    bad(half, **policy(standby_cluster_names=[]))
    bad("active_cluster_name must not be empty and must be in cluster_names",
        **policy(active_cluster_name="name_c3"))
    bad("standby_cluster_name name_c3 must be in cluster_names",
        **policy(standby_cluster_names=["name_c3"]))
    bad("active_cluster_name is same of standby_cluster_name",
        **policy(standby_cluster_names=["name_c1"]))
    bad("failover_failure_threshold must be greater than 0 and less than "
        "max(int64)", **policy(failover_failure_threshold=0))
    for percent in (0, 101):
        bad("unhealthy_node_threshold_percent must be greater than 0 and "
            "less than or equal to 100",
            **policy(unhealthy_node_threshold_percent=percent))


def test_what_the_members_must_be(ms, iid):
    def with_member(name):
        return body(iid, cluster_names=["name_c1", name], cluster_policy={
            **POLICY, "standby_cluster_names": [name]})
    ms.bad("sub cluster nope not been added in instance, plz add it before "
           "create virtual cluster", "add_cluster", with_member("nope"))
    ms.sql_cluster(iid)
    ms.bad("sub cluster name_s1 's type must be eq COMPUTE", "add_cluster",
           with_member("name_s1"))
    ms.ok("add_cluster", body(iid, "v0"))
    ms.bad("sub cluster name_c1 has been add by other vcg=name_v0",
           "add_cluster", with_member("name_c3"))


def test_a_member_is_not_dropped(ms, iid):
    ms.ok("add_cluster", body(iid))
    drop = {"instance_id": iid, "cluster": {"cluster_id": "c1"}}
    ms.exists("failed to drop cluster, this cluster owned by virtual "
              "cluster=name_v1 if you want drop this cluster, please drop "
              "virtual cluster=name_v1 firstly", "drop_cluster", drop)
    ms.ok("drop_cluster", {"instance_id": iid,
                           "cluster": {"cluster_id": "v1"}})
    ms.ok("drop_cluster", drop)


def test_a_member_that_is_renamed_stays_a_member(ms, iid):
    ms.ok("add_cluster", body(iid))
    for cid in ("c1", "c2"):
        ms.ok("rename_cluster", {"instance_id": iid, "cluster": {
            "cluster_id": cid, "cluster_name": f"new_{cid}"}})
    got = ms.get_cluster(iid, "v1")
    assert got["cluster_names"] == ["new_c1", "new_c2"]
    assert got["cluster_policy"]["active_cluster_name"] == "new_c1"
    assert got["cluster_policy"]["standby_cluster_names"] == ["new_c2"]
    ms.exists("failed to drop cluster, this cluster owned by virtual "
              "cluster=name_v1 if you want drop this cluster, please drop "
              "virtual cluster=name_v1 firstly", "drop_cluster",
              {"instance_id": iid, "cluster": {"cluster_id": "c2"}})


def test_members_are_for_virtual_clusters(ms, iid):
    ms.bad("cluster_names and cluster_policy are those of a virtual cluster",
           "add_cluster", body(iid, "c9", type="COMPUTE"))
    ms.ok("add_cluster", body(iid))


def test_a_virtual_cluster_is_not_replaced_as_one_without_nodes(ms, iid):
    ms.ok("add_cluster", body(iid))
    before = ms.get_instance(iid)["clusters"]
    for cid in "c1", "c3":  # a member, and one that is not
        r = ms.send("rename_cluster", {
            "instance_id": iid,
            "cluster": {"cluster_id": cid, "cluster_name": "name_v1"},
            "replace_if_existing_empty_target_cluster": True})
        assert r.status == 400 and r.json["msg"].startswith(
            "failed to rename cluster, a cluster with the same name already "
            "exists in this instance "), r
    assert ms.get_instance(iid)["clusters"] == before


# ---- altered ----

def alter(iid, cid="v1", names=None, **policy):
    return {"instance_id": iid, "cluster": {
        "cluster_id": cid, "type": "VIRTUAL",
        "cluster_names": names or MEMBERS,
        "cluster_policy": {**POLICY, **policy}}}


SWAPPED = {"active_cluster_name": "name_c2",
           "standby_cluster_names": ["name_c1"]}


def test_the_standby_becomes_the_active_one(ms, iid):
    ms.ok("add_cluster", body(iid))
    ms.ok("alter_vcluster_info", alter(iid, **SWAPPED,
                                       failover_failure_threshold=7))
    got = ms.get_cluster(iid, "v1")
    assert got["cluster_name"] == "name_v1"
    assert got["cluster_names"] == MEMBERS
    assert got["cluster_policy"] == {
        **POLICY, **SWAPPED, "failover_failure_threshold": "7",
        "unhealthy_node_threshold_percent": "100"}


def part(iid, **members):
    return {"instance_id": iid, "cluster": {"cluster_id": "v1", **members}}


@pytest.mark.parametrize("members, names, policy", [
    ({"cluster_policy": SWAPPED}, MEMBERS, SWAPPED),
    ({"cluster_names": MEMBERS[::-1]}, MEMBERS[::-1], {}),
    ({"cluster_policy": {"failover_failure_threshold": "9"}}, MEMBERS,
     {"failover_failure_threshold": "9"}),
    ({"cluster_policy": {"unhealthy_node_threshold_percent": "50"}}, MEMBERS,
     {"unhealthy_node_threshold_percent": "50"}),
    ({"cluster_policy": {"type": "ActiveStandby"}}, MEMBERS, {}),
])
def test_what_is_given_is_merged_into_what_is_there(ms, iid, members, names,
                                                    policy):
    ms.ok("add_cluster", body(iid))
    before = ms.get_cluster(iid, "v1")
    ms.ok("alter_vcluster_info", part(iid, **members))
    got = ms.get_cluster(iid, "v1")
    assert got["cluster_names"] == names
    assert got["cluster_policy"] == {**before["cluster_policy"], **policy}


@pytest.mark.parametrize("members, msg", [
    ({"cluster_policy": {"active_cluster_name": "name_c2"}},
     "active_cluster_name is same of standby_cluster_name"),
    ({"cluster_policy": {"active_cluster_name": "name_c3"}},
     "active_cluster_name must not be empty and must be in cluster_names"),
    ({"cluster_names": ["name_c2", "name_c3"]},
     "active_cluster_name must not be empty and must be in cluster_names"),
    ({"cluster_policy": {"unhealthy_node_threshold_percent": 101}},
     "unhealthy_node_threshold_percent must be greater than 0 and less than "
     "or equal to 100"),
    ({"cluster_names": ["name_c2", "no_such"]},
     "sub cluster no_such not been added in instance, plz add it before "
     "create virtual cluster"),
])
def test_the_merged_whole_is_checked(ms, iid, members, msg):
    ms.ok("add_cluster", body(iid))
    before = ms.get_cluster(iid, "v1")
    ms.bad(msg, "alter_vcluster_info", part(iid, **members))
    assert ms.get_cluster(iid, "v1") == before


def test_another_member_takes_a_place(ms, iid):
    ms.ok("add_cluster", body(iid))
    ms.ok("alter_vcluster_info", alter(
        iid, names=["name_c1", "name_c3"],
        standby_cluster_names=["name_c3"]))
    assert ms.get_cluster(iid, "v1")["cluster_names"] == [
        "name_c1", "name_c3"]
    # who left can be dropped, who came cannot
    ms.ok("drop_cluster", {"instance_id": iid,
                           "cluster": {"cluster_id": "c2"}})
    assert ms.send("drop_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c3"}}).status == 409


def test_what_cannot_be_altered(ms, iid):
    ms.ok("add_cluster", body(iid))
    def bad(msg, request):
        ms.bad(msg, "alter_vcluster_info", request)
    bad("just support alter VIRTUAL cluster info", alter(iid, "c3"))
    bad("failed to find cluster to update, instance_id=" + iid
        + " cluster_id=no cluster_name=", alter(iid, "no"))
    bad("missing cluster_id=", alter(iid, ""))
    bad("nothing to update", {"instance_id": iid, "cluster": {
        "cluster_id": "v1"}})
    bad("active_cluster_name must not be empty and must be in cluster_names",
        alter(iid, active_cluster_name="name_c3"))
    bad("sub cluster name_no not been added in instance, plz add it before "
        "create virtual cluster", alter(
            iid, names=["name_c1", "name_no"],
            standby_cluster_names=["name_no"]))
    ms.cluster(iid, "c4")
    ms.ok("add_cluster", body(
        iid, "v2", cluster_names=["name_c3", "name_c4"], cluster_policy={
            **POLICY, "active_cluster_name": "name_c3",
            "standby_cluster_names": ["name_c4"]}))
    bad("sub cluster name_c3 has been add by other vcg=name_v2", alter(
        iid, names=["name_c1", "name_c3"],
        standby_cluster_names=["name_c3"]))
    assert ms.get_cluster(iid, "v1")["cluster_names"] == MEMBERS
