"""get_cluster_status and set_cluster_status."""

import pytest

from support.metaservice import MetaService, be
from support.words import fresh

STATUSES = ["NORMAL", "SUSPENDED", "TO_RESUME", "MANUAL_SHUTDOWN"]
EDGES = {("NORMAL", "SUSPENDED"), ("SUSPENDED", "TO_RESUME"),
         ("TO_RESUME", "NORMAL")}
WAYS = {"NORMAL": [], "SUSPENDED": ["SUSPENDED"],
        "TO_RESUME": ["SUSPENDED", "TO_RESUME"]}


def change(iid, status, cid="c1"):
    return {"instance_id": iid,
            "cluster": {"cluster_id": cid, "cluster_status": status}}


@pytest.mark.parametrize("start", WAYS)
@pytest.mark.parametrize("to", STATUSES + ["UNKNOWN", None, "NO_SUCH"])
def test_a_status_changes_along_the_edges(ms, start, to):
    iid = ms.instance()
    ms.cluster(iid)
    for step in WAYS[start]:
        ms.ok("set_cluster_status", change(iid, step))
    shown = to if to in STATUSES else "UNKNOWN"
    if (start, to) in EDGES:
        ms.ok("set_cluster_status", change(iid, to))
    elif start == to:
        ms.bad("failed to set cluster status, status eq original status, "
               f"original cluster is {to}", "set_cluster_status",
               change(iid, to))
    else:
        ms.bad(f"failed to set cluster status, original cluster is {start} "
               f"and want set {shown}", "set_cluster_status",
               change(iid, to))
    expected = to if (start, to) in EDGES else start
    assert ms.get_cluster(iid)["cluster_status"] == expected


def test_stopped_is_another_word_for_suspended(ms):
    iid = ms.instance()
    ms.cluster(iid)
    ms.ok("set_cluster_status", change(iid, "STOPPED"))
    assert ms.get_cluster(iid)["cluster_status"] == "SUSPENDED"
    ms.bad("failed to set cluster status, status eq original status, "
           "original cluster is SUSPENDED", "set_cluster_status",
           change(iid, "STOPPED"))
    got = ms.result("get_cluster_status", {"instance_ids": [iid],
                                           "status": "STOPPED"})
    assert got["details"][0]["clusters"][0]["cluster_status"] == "SUSPENDED"


def test_a_node_names_the_instance(ms):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    body = change(None, "SUSPENDED")
    ms.ok("set_cluster_status", {**body, "cloud_unique_id": f"1:{iid}:be1"})


def test_only_compute_clusters_have_a_status(ms):
    iid = ms.instance()
    ms.sql_cluster(iid)
    ms.cluster(iid)
    ms.ok("add_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "v1", "cluster_name": "name_v1", "type": "VIRTUAL"}})
    for cid in "s1", "v1":  # whatever is asked, also what it may have
        for status in STATUSES + ["UNKNOWN", None]:
            ms.bad("just support set COMPUTE cluster status",
                   "set_cluster_status", change(iid, status, cid))


def test_the_status_of_several_instances(ms):
    one, two, bare = ms.instance(), ms.instance(), ms.instance()
    for cid in ("c2", "c1"):
        ms.cluster(one, cid, nodes=[be(one, int(cid[1]))])
    ms.sql_cluster(one)
    ms.cluster(two)
    ms.ok("set_cluster_status", change(one, "SUSPENDED"))

    def line(cid, status="NORMAL", iid=one):
        return {"cluster_id": cid, "cluster_name": f"name_{cid}",
                "cluster_status": status,
                "mtime": ms.get_cluster(iid, cid)["mtime"]}
    of_one = {"instance_id": one,
              "clusters": [line("c2"), line("c1", "SUSPENDED")]}
    of_two = {"instance_id": two, "clusters": [line("c1", iid=two)]}
    ids = [two, fresh("no"), bare, one]
    got = ms.result("get_cluster_status", {"instance_ids": ids})
    assert got == {"details": [of_two, of_one]}
    assert list(got["details"][0]) == ["instance_id", "clusters"]
    by_node = {"cloud_unique_ids": [f"1:{one}:be1", "none", f"1:{two}:x"]}
    assert ms.result("get_cluster_status", by_node) == {
        "details": [of_one, of_two]}
    assert ms.result("get_cluster_status", {
        **by_node, "instance_ids": [two]}) == {"details": [of_two]}
    assert ms.result("get_cluster_status", {
        "instance_ids": ids, "status": "NORMAL"}) == {
        "details": [of_two, {**of_one, "clusters": [line("c2")]}]}
    assert ms.result("get_cluster_status", {
        "instance_ids": ids, "status": "TO_RESUME"}) == {}


def test_whose_status_is_asked_for(ms):
    for body in ({}, {"instance_ids": [], "cloud_unique_ids": []},
                 {"status": "NORMAL"}):
        ms.bad("cloud_unique_ids or instance_ids must be given, "
               "instance_ids.size: 0 cloud_unique_ids.size: 0",
               "get_cluster_status", body)


def test_mtime_grows_with_each_change(ms):
    iid = ms.instance()
    ms.cluster(iid)

    def mtime():
        got = ms.result("get_cluster_status", {"instance_ids": [iid]})
        (line,) = got["details"][0]["clusters"]
        assert list(line) == ["cluster_id", "cluster_name", "cluster_status",
                              "mtime"]
        return int(line["mtime"])

    seen = [mtime()]
    for status in "SUSPENDED", "TO_RESUME", "NORMAL":
        ms.ok("set_cluster_status", change(iid, status))
        seen.append(mtime())
    assert sorted(set(seen)) == seen


@pytest.mark.config(METAGATE_DORIS_STATUS_TRANSITIONS="service")
def test_the_service_s_own_transitions(doris):
    ms = MetaService(doris)
    iid = ms.instance()
    ms.cluster(iid)
    for status in ("SUSPENDED", "NORMAL", "MANUAL_SHUTDOWN", "NORMAL",
                   "SUSPENDED", "TO_RESUME", "NORMAL"):
        ms.ok("set_cluster_status", change(iid, status))
    ms.bad("failed to set cluster status, original cluster is NORMAL and want "
           "set TO_RESUME", "set_cluster_status", change(iid, "TO_RESUME"))
