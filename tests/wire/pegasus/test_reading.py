"""The reading endpoints: bytes, order, sums."""

import re

import pytest

from support import raw
from support.pegasus import METAS, leaves, pairs
from support.store import value
from support.waiting import until

READING = ["/meta/apps", "/meta/apps?detail", "/meta/cluster", "/meta/nodes",
           "/meta/nodes?detail", "/meta/app?name=stat",
           "/meta/app?name=stat&detail", "/meta/app_envs?name=stat",
           "/meta/ddd", "/", "/version", "/recentStartTime"]


@pytest.mark.parametrize("path", READING)
def test_a_reply_is_one_line_of_strings(pegasus, path):
    r = pegasus.on(pegasus.leader()).get(path)
    assert r.status == 200
    assert r.headers["Content-Type"] == "text/plain"
    assert r.body.endswith(b"}\n") and r.body.count(b"\n") == 1
    assert b'": ' not in r.body and b", \"" not in r.body
    assert all(isinstance(leaf, str) for leaf in leaves(r.json))


@pytest.mark.parametrize("path", READING)
def test_post_to_a_reading_endpoint_works_like_get(pegasus, path):
    meta = pegasus.on(pegasus.leader())
    r = meta.post(path, b"not read")
    assert r.status == 200
    assert list(r.json) == list(meta.get(path).json)


def test_a_table_in_detail(pegasus, table):
    app = pegasus.healthy(table)
    assert list(app) == ["general", "replicas", "nodes", "healthy"]
    assert list(app["general"]) == ["app_name", "app_id", "partition_count",
                                    "max_replica_count"]
    assert app["general"]["app_name"] == table
    assert list(app["replicas"]) == ["0", "1", "2", "3"]
    for pidx, row in app["replicas"].items():
        assert list(row) == ["pidx", "ballot", "replica_count", "primary",
                             "secondaries"]
        assert row["pidx"] == pidx and row["replica_count"] == "3/3"
        members = [row["primary"], *row["secondaries"][1:-1].split(",")]
        assert sorted(members) == sorted(pegasus.nodes())
    assert list(app["nodes"]) == [*pegasus.nodes(), "total"]
    for node, row in app["nodes"].items():
        assert row["node"] == node
        assert int(row["total"]) == int(row["primary"]) + int(row["secondary"])
    assert app["nodes"]["total"] == {"node": "total", "primary": "4",
                                     "secondary": "8", "total": "12"}
    assert app["healthy"] == {
        "fully_healthy_partition_count": "4", "unhealthy_partition_count": "0",
        "write_unhealthy_partition_count": "0",
        "read_unhealthy_partition_count": "0"}


def test_without_detail_there_is_the_general_part_only(pegasus, table):
    assert list(pegasus.json("/meta/app", name=table)) == ["general"]


def test_any_value_switches_detail_on(pegasus, table):
    for value in ("false", "0", "", "x"):
        assert "replicas" in pegasus.json("/meta/app", name=table,
                                          detail=value)


def test_a_new_table_has_the_ballot_of_its_replicas(pegasus, fresh):
    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name, partition_count=1,
               replica_count=2)
    row = pegasus.healthy(name)["replicas"]["0"]
    assert (row["ballot"], row["replica_count"]) == ("2", "2/2")


def test_all_tables(pegasus, table):
    r = pegasus.json("/meta/apps", detail="")
    assert list(r) == ["general_info", "healthy_info", "summary"]
    ids = [int(i) for i in r["general_info"]]
    assert ids == sorted(ids)
    line = next(a for a in r["general_info"].values()
                if a["app_name"] == table)
    assert list(line) == [
        "app_id", "status", "app_name", "app_type", "partition_count",
        "replica_count", "is_stateful", "create_time", "drop_time",
        "drop_expire", "envs_count"]
    assert r["general_info"][line["app_id"]] is line
    assert (line["status"], line["app_type"], line["is_stateful"]) == (
        "AVAILABLE", "pegasus", "true")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.000",
                        line["create_time"])
    assert (line["drop_time"], line["drop_expire"]) == ("-", "-")
    health = r["healthy_info"][line["app_id"]]
    assert list(health) == ["app_id", "app_name", "partition_count",
                            "fully_healthy", "unhealthy", "write_unhealthy",
                            "read_unhealthy"]
    assert int(health["fully_healthy"]) + int(health["unhealthy"]) == 4
    assert list(r["summary"]) == [
        "total_app_count", "fully_healthy_app_count", "unhealthy_app_count",
        "write_unhealthy_app_count", "read_unhealthy_app_count"]
    assert r["summary"]["total_app_count"] == str(len(r["general_info"]))
    plain = pegasus.json("/meta/apps")
    assert list(plain) == ["general_info", "summary"]
    assert list(plain["summary"]) == ["total_app_count"]


def test_the_cluster(pegasus):
    r = pegasus.json("/meta/cluster")
    assert list(r) == [
        "meta_servers", "primary_meta_server", "zookeeper_hosts",
        "zookeeper_root", "meta_function_level", "balance_operation_count",
        "primary_replica_count_stddev", "total_replica_count_stddev"]
    metas = [pegasus.address(pegasus.on(m)) for m in METAS]
    assert r["meta_servers"] == ",".join(metas)
    assert r["primary_meta_server"] == metas[METAS.index(pegasus.leader())]
    assert re.fullmatch(r"move_pri=\d+,copy_pri=\d+,copy_sec=\d+,total=-?\d+",
                        r["balance_operation_count"])
    for key in ("primary_replica_count_stddev", "total_replica_count_stddev"):
        assert re.fullmatch(r"\d+\.\d\d", r[key])


def test_the_cluster_takes_any_parameter(pegasus):
    assert list(pegasus.json("/meta/cluster", x="1")) == list(
        pegasus.json("/meta/cluster"))


def test_the_nodes(pegasus):
    for address in pegasus.nodes():
        pegasus.until_node(address, "ALIVE")
    r = pegasus.json("/meta/nodes", detail="")
    assert list(r) == ["details", "summary"]
    ours = [a for a in r["details"] if a in pegasus.nodes()]
    assert ours == pegasus.nodes()
    for address in ours:
        row = r["details"][address]
        assert list(row) == ["address", "status", "replica_count",
                             "primary_count", "secondary_count"]
        assert row["address"] == address
        assert int(row["replica_count"]) == (int(row["primary_count"])
                                             + int(row["secondary_count"]))
    total = r["summary"]
    assert list(total) == ["total_node_count", "alive_node_count",
                           "unalive_node_count"]
    assert int(total["total_node_count"]) == len(r["details"])
    plain = pegasus.json("/meta/nodes")
    assert list(plain["details"][ours[0]]) == ["address", "status"]


def test_the_sums_of_tables_and_nodes_agree(pegasus, table):
    pegasus.healthy(table)
    held = {a: 0 for a in pegasus.nodes()}
    for line in pegasus.json("/meta/apps")["general_info"].values():
        for node, row in pegasus.app(line["app_name"])["nodes"].items():
            if node in held:
                held[node] += int(row["total"])
    assert held[pegasus.nodes()[0]] > 0


# ---- names and parameters ----

def test_an_unknown_table(pegasus):
    r = pegasus.get("/meta/app", name="no such")
    assert (r.status, r.text) == (404, 'table not found: "no such"')
    assert r.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("path", ["/meta/app", "/meta/app?name=",
                                  "/meta/app?detail", "/meta/app_envs",
                                  "/meta/app_envs?name=&x=1"])
def test_a_missing_name(pegasus, path):
    r = pegasus.on(pegasus.leader()).get(path)
    assert (r.status, r.text) == (400, "app name shouldn't be empty")


def test_variables_of_an_unknown_table_are_none(pegasus):
    r = pegasus.get("/meta/app_envs", name="no such")
    assert (r.status, r.body) == (200, b"{}\n")


@pytest.mark.parametrize("path", ["/meta/app?name=stat&x=1", "/meta/apps?x",
                                  "/meta/nodes?detail&x=1"])
def test_an_unknown_parameter_is_refused_on_every_meta(pegasus, path):
    for meta in METAS:
        r = pegasus.on(meta).get(path)
        assert (r.status, r.body) == (400, b"")


@pytest.mark.parametrize("path", ["/meta/apps", "/version", "/meta/cluster"])
def test_a_value_given_twice_is_refused(pegasus, path):
    r = pegasus.on(pegasus.leader()).get(path + "?detail=1&detail=2")
    assert (r.status, r.text) == (
        400, "failed to parse request: ERR_INVALID_PARAMETERS: "
             "duplicate parameter: detail")


def test_a_bare_flag_given_twice_is_one(pegasus):
    r = pegasus.on(pegasus.leader()).get("/meta/apps?detail&detail&&")
    assert r.status == 200 and "healthy_info" in r.json


@pytest.mark.parametrize("query", ["a=%zz", "a=%4", "%=1"])
def test_a_bad_escape_is_refused(pegasus, query):
    r = pegasus.on(pegasus.leader()).get("/meta/cluster?" + query)
    assert r.status == 400
    assert r.text.startswith(
        "failed to parse request: ERR_INVALID_PARAMETERS: ")


def test_a_plus_stays_a_plus(pegasus):
    r = pegasus.on(pegasus.leader()).get("/meta/app?name=a+b%2Bc%26d%3D")
    assert r.text == 'table not found: "a+b+c&d="'


@pytest.mark.parametrize("path", ["//meta///apps/", "/meta//apps", "///"])
def test_empty_segments_count_for_nothing(pegasus, path):
    assert pegasus.on(pegasus.leader()).get(path).status == 200


@pytest.mark.parametrize("path", [
    "/nosuch/x", "/meta", "/meta/nosuch", "/version/x", "/meta/app/x",
    "/meta%2Fapps", "/META/apps", "/meta/./apps", "/meta/x/../apps"])
def test_an_unknown_path_is_404_on_every_meta(pegasus, path):
    for meta in METAS:
        target = f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode()
        client = pegasus.on(meta)
        r = raw.send(client, target + b"X-Metagate-Token: "
                     + client.token.encode() + b"\r\n\r\n")
        assert r.status == 404
        assert re.fullmatch(r'(service|method) not found for ".*"', r.text)


# ---- what replica servers have, and have not ----

def test_a_replica_server_has_no_meta(pegasus):
    for replica in pegasus.replicas:
        assert replica.get("/meta/apps").status == 404
        assert list(replica.get("/version").json) == ["Version", "GitCommit"]
        assert re.fullmatch(r"[0-9a-f]{40}",
                            replica.get("/version").json["GitCommit"])
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
            replica.get("/recentStartTime").json["RecentStartTime"])


def test_help_lists_what_is_served(pegasus):
    meta = pairs(pegasus.on("m2").get("/").body)
    assert [k for k, _ in meta] == sorted(k for k, _ in meta)
    assert meta[0] == ("/", "ip:port/")
    keys = [k for k, _ in meta]
    assert {"/meta/app", "/meta/apps", "/pprof/profile",
            "/meta/app/create"} <= set(keys)
    replica = pegasus.replicas[0].get("/").json
    assert "/pprof/heap" in replica
    assert not any(k.startswith("/meta") for k in replica)


def test_version_needs_no_token(deployment, pegasus):
    for listener in ("pegasus-meta/m2", "pegasus-replica/r3"):
        assert deployment.client(listener, "none").get("/version").status == 200
        r = deployment.client(listener, "none").get("/recentStartTime")
        assert (r.status, r.text) == (401, "invalid or missing token")
        assert r.headers["WWW-Authenticate"] == "Bearer"


def test_head_is_get_without_a_body(pegasus):
    r = pegasus.on(pegasus.leader()).request("HEAD", "/meta/apps")
    assert (r.status, r.body) == (200, b"")


def test_another_method_changes_nothing(pegasus, table):
    leader = pegasus.on(pegasus.leader())
    r = leader.request("DELETE", "/meta/app?name=" + table)
    assert (r.status, r.body) == (405, b"")
    assert r.headers["Allow"] == "GET, HEAD, POST"
    r = leader.request("GET", "/meta/app/drop", {"app_name": table})
    assert (r.status, r.headers["Allow"]) == (405, "POST")
    assert pegasus.json("/meta/app", name=table)


def test_lost_partitions_are_listed_for_the_operator(pegasus):
    r = pegasus.json("/meta/ddd", app_id="1")
    assert r == {"partitions": {}, "total_count": "0"}
    bad = pegasus.get("/meta/ddd", app_id="x")
    assert (bad.status, bad.text) == (400, "invalid app_id=x")
    assert pegasus.get("/meta/ddd", app_id="0").status == 400
    assert pegasus.json("/meta/ddd", app_id="-1") == pegasus.json("/meta/ddd")


def test_a_name_that_is_no_utf8_is_one_that_no_table_has(pegasus):
    r = pegasus.get("/meta/app?name=%80")
    assert (r.status, r.text) == (404, 'table not found: "\ufffd"')


def test_the_list_of_tables_follows_each_change(pegasus, fresh):
    """It is rendered once for as long as nothing changes; every worker has
    its own, so each state is asked for often."""
    def listed(app_id):
        for _ in range(8):
            r = pegasus.json("/meta/apps?detail")
            general, health = r["general_info"], r["healthy_info"]
            yield general.get(app_id), health.get(app_id)

    name, other = fresh("t"), fresh("t")
    app_id = pegasus.ok("/meta/app/create", app_name=name,
                        partition_count=4)["app_id"]
    assert all(g["app_name"] == name for g, _ in listed(app_id))
    pegasus.ok("/meta/app/rename", old_app_name=name, new_app_name=other)
    assert all(g["app_name"] == h["app_name"] == other
               for g, h in listed(app_id))
    pegasus.healthy(other)  # by the leader, behind the workers' backs
    assert all(h["fully_healthy"] == "4" for _, h in listed(app_id))
    pegasus.ok("/meta/app/drop", app_name=other)
    assert all(line == (None, None) for line in listed(app_id))


def test_the_sums_per_node_follow_each_change(pegasus, fresh, sql):
    """They are kept likewise."""
    def stored():
        return value(sql, "SELECT CAST(SUM(p.members) AS SIGNED)"
                     " FROM pegasus_partition p JOIN pegasus_app a"
                     " ON a.app_id = p.app_id WHERE a.status = 'AVAILABLE'")

    def told():
        return {sum(int(n["replica_count"]) for n in
                    pegasus.json("/meta/nodes?detail")["details"].values())
                for _ in range(8)}

    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name, partition_count=4)
    pegasus.healthy(name)
    until(lambda: told() == {stored()}, "the sums with the table")
    pegasus.ok("/meta/app/drop", app_name=name)
    until(lambda: told() == {stored()}, "the sums without it")
