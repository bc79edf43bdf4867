"""cluster_mgr: what is answered at once."""

import time

import pytest

from support.waiting import until

NOWHERE = {"ip": "127.0.0.99", "port": "57330"}


@pytest.fixture
def made(sql, fresh):
    """A cluster in the tables, of two shards and a computing node: what nobody
    runs is listed all the same."""
    name = fresh("cluster")
    with sql.cursor() as q:
        q.execute("INSERT INTO Kunlun_Metadata_DB.db_clusters (name, ha_mode)"
                  " VALUES (%s, 'mgr')", (name,))
        number = q.lastrowid
        for s in (1, 2):
            q.execute("INSERT INTO Kunlun_Metadata_DB.shards (name,"
                      " num_nodes, db_cluster_id) VALUES (%s, 2, %s)",
                      (f"shard{s}", number))
            shard = q.lastrowid
            for n, (status, state) in enumerate(
                    [("active", "source"), ("inactive", "replica")]):
                q.execute(
                    "INSERT INTO Kunlun_Metadata_DB.shard_nodes (hostaddr,"
                    " port, user_name, shard_id, db_cluster_id, svr_node_id,"
                    " status, member_state) VALUES ('127.0.0.99', %s, 'pgx',"
                    " %s, %s, %s, %s, %s)",
                    (57000 + 10 * s + n, shard, number, number, status, state))
        q.execute("INSERT INTO Kunlun_Metadata_DB.comp_nodes_id_seq ()"
                  " VALUES ()")
        q.execute("INSERT INTO Kunlun_Metadata_DB.comp_nodes (id, name,"
                  " hostaddr, port, db_cluster_id, user_name, status,"
                  " svr_node_id) VALUES (%s, 'comp1', '127.0.0.98', 57031, %s,"
                  " 'abc', 'active', %s)", (q.lastrowid, number, number))
    yield {"name": name, "id": str(number)}
    with sql.cursor() as q:
        q.execute("DELETE FROM Kunlun_Metadata_DB.db_clusters WHERE id = %s",
                  (number,))


def test_a_pause_goes_with_its_cluster(cluster, made, sql):
    def paused():
        with sql.cursor() as q:
            q.execute("SELECT why FROM kunlun_pause WHERE cluster = %s",
                      (made["name"],))
            return [r["why"] for r in q.fetchall()]
    said = cluster.ask("pause_failover", cluster_name=made["name"],
                       seconds="1", reason="a switch is replaced")
    assert said["result"] == "done", said
    assert paused() == ["a switch is replaced"]
    assert cluster.run("delete_cluster", cluster_name=made["name"])[0] == "done"
    assert paused() == []


# ---- the metadata ----

def test_the_mode_is_what_new_clusters_are_offered(cluster, panel):
    assert cluster.ask("get_meta_mode") == {"mode": "mgr"}
    assert panel.ask("get_meta_mode")["attachment"] == {"mode": "mgr"}


def test_the_servers_of_the_metadata_are_listed(deployment, cluster, panel):
    def numbered():
        said = cluster.ask("get_meta")
        return said if "meta0" in said else None

    said = until(numbered, "its duty has written them")
    assert list(said) == ["meta0"]
    assert list(said["meta0"]) == ["ip", "port", "user", "pwd"]
    assert all(isinstance(v, str) for v in said["meta0"].values())
    assert (said["meta0"]["ip"], said["meta0"]["pwd"]) \
        == (deployment.net + ".1", "")
    one = {"port": said["meta0"]["port"], "status": "online",
           "master": "true"}
    ip = said["meta0"]["ip"]
    r = cluster.client.post("/", {"job_type": "get_meta", "version": "0.1"})
    assert r.json == [{"ip": ip, **one}]
    for body in ({"ver": "0.1", "version": "0.1"}, {}, {"ver": "0.1"}):
        r = cluster.client.post("/", {"job_type": "get_meta", **body})
        assert r.json == said, body
    for job in ("get_meta", "get_meta_summary"):
        said = panel.ask(job)
        assert said["attachment"] == {"list_meta": [{"hostaddr": ip, **one}]}
        assert (said["status"], said["error_code"]) == ("done", "0")
    assert cluster.ask("get_meta_summary") == [{"ip": ip, **one}]


# ---- clusters ----

def entry(listed, **wanted):
    return [e for e in listed
            if all(e.get(k) == v for k, v in wanted.items())]


def test_clusters_are_listed(cluster, panel, made):
    short = {"name": made["name"], "shards": "2", "comps": "1"}
    said = cluster.ask("get_cluster")
    assert [f"cluster{i}" for i in range(len(said))] == list(said)
    assert short in said.values()
    full = {"name": made["name"], "nick_name": made["name"], "shards": "2",
            "comps": "1", "storage_offine": "4", "computer_offine": "1"}
    assert full in cluster.ask("get_cluster_summary")
    said = panel.ask("get_cluster_summary")["attachment"]
    assert full in said["list_cluster"]


def test_every_cluster_is_listed(cluster, sql, fresh, made):
    names = [fresh("cluster") for _ in range(3)]
    with sql.cursor() as q:
        for name in names:
            q.execute("INSERT INTO Kunlun_Metadata_DB.db_clusters (name,"
                      " ha_mode) VALUES (%s, 'mgr')", (name,))
    said = cluster.ask("get_cluster").values()
    for name in names:
        assert {"name": name, "shards": "0", "comps": "0"} in said
    assert [c["name"] for c in said] \
        == [c["name"] for c in cluster.ask("get_cluster_summary")]
    with sql.cursor() as q:
        for name in names:
            q.execute("DELETE FROM Kunlun_Metadata_DB.db_clusters"
                      " WHERE name = %s", (name,))


def test_the_servers_of_a_cluster_are_listed(cluster, panel, made):
    storages = {f"storage{i}": {"ip": "127.0.0.99", "port": str(57010 + 10 * i),
                                "user": "pgx", "pwd": ""} for i in (0, 1)}
    computers = {"computer0": {"ip": "127.0.0.98", "port": "57031",
                               "user": "abc", "pwd": ""}}
    for job, said in (("get_storage", storages), ("get_computer", computers)):
        assert cluster.ask(job, cluster_name=made["name"]) == said
        assert cluster.ask(job, cluster_name="no-such") == {}
        assert cluster.refused(job) == "get cluster_name error"
        assert cluster.refused(job, cluster_name="") \
            == "get cluster_name error"
        for ref in ({"cluster_id": made["id"]}, {"cluster_name": made["name"]},
                    {"cluster_id": int(made["id"])}):
            assert panel.ask(job, **ref)["attachment"] == said
        said = panel.ask(job, cluster_id="77777777")
        assert (said["status"], said["attachment"]) == ("done", {})
        assert panel.refused(job) == ("70001", "get cluster_name error")


def test_instances_are_listed_by_kind_and_machine(cluster, panel, made):
    said = cluster.ask("get_instance")
    mine = entry(said.values(), cluster=made["name"])
    assert len(mine) == 5
    assert entry(mine, shard="shard2", port=57021, status="inactive")
    assert entry(mine, comp="comp1", port=57031, status="active")
    assert all(k.startswith(("meta_instance", "storage_instance",
                             "computer_instance")) for k in said)
    said = cluster.ask("get_instance", instance_type="computer_instance")
    assert all(k.startswith("computer_instance") for k in said)
    assert len(entry(said.values(), cluster=made["name"])) == 1
    said = cluster.ask("get_instance", node_ip0="127.0.0.99", node_ip1="x")
    assert {e["ip"] for e in said.values()} == {"127.0.0.99"}
    assert cluster.ask("get_instance", node_ip0="x") == {}
    assert cluster.refused("get_instance", instance_type="nope") \
        == "get instance_type error"
    said = panel.ask("get_instance", instance_type="storage_instance",
                     node_ip0="127.0.0.99")["attachment"]
    assert len(entry(said.values(), cluster=made["name"])) == 4


def test_instances_are_nodes_too(cluster, panel, made):
    """As the node_mgr of 2021 asks for those of its addresses."""
    def renamed(said):
        return {k.replace("_instance", "_node"): v for k, v in said.items()}

    assert cluster.ask("get_node") == renamed(cluster.ask("get_instance"))
    for kind in ("meta", "storage", "computer"):
        where = {"node_ip0": "127.0.0.99", "node_ip1": "127.0.0.98"}
        said = cluster.ask("get_node", node_type=f"{kind}_node", **where)
        assert said == renamed(cluster.ask(
            "get_instance", instance_type=f"{kind}_instance", **where))
        assert all(k.startswith(f"{kind}_node") for k in said)
        assert bool(said) == (kind != "meta")
    for other in ("nope", "storage_instance", "storage"):
        assert cluster.refused("get_node", node_type=other) \
            == "get node_type error"
    said = panel.ask("get_node", node_type="computer_node",
                     node_ip0="127.0.0.98")["attachment"]
    assert entry(said.values(), cluster=made["name"], comp="comp1")


def test_a_cluster_is_told_in_detail(cluster, panel, made):
    said = cluster.ask("get_cluster_detail", cluster_name=made["name"])
    assert (said["cluster_name"], said["cluster_id"], said["nick_name"],
            said["ha_mode"]) == (made["name"], made["id"], made["name"],
                                 "mgr")
    assert [s["shard_name"] for s in said["shards"]] == ["shard1", "shard2"]
    assert said["shards"][1]["nodes"][0] == {
        "ip": "127.0.0.99", "port": "57020", "status": "offline",
        "master": "true", "state": ""}
    assert [c["comp_name"] for c in said["comps"]] == ["comp1"]
    assert panel.ask("get_cluster_detail", cluster_id=made["id"])[
        "attachment"] == said
    assert cluster.refused("get_cluster_detail", cluster_name="no-such") \
        == "error, cluster_name is no exist"


@pytest.mark.parametrize("columns, table, where", [
    # 0.9.1
    ("id, name, when_created, nick_name, ha_mode, memo", "db_clusters", "1"),
    ("cluster_id, start_ts, end_ts", "cluster_backups", "1"),
    ("id, job_type, when_started, when_ended, memo, status, job_info,"
     " user_name", "cluster_general_job_log", "1"),
    ("id, hostaddr", "server_nodes", "hostaddr != 'pseudo_server_useless'"),
    # 1.x
    ("id, name, when_created, nick_name, ha_mode, memo", "db_clusters",
     "(memo != '' OR memo IS NULL) AND status != 'deleted'"),
    ("id, name", "shards", "status != 'deleted'"),
    ("hostaddr, port, status, replica_delay, member_state, user_name, passwd,"
     " cpu_cores, initial_storage_GB, max_storage_GB, innodb_buffer_pool_MB,"
     " rocksdb_buffer_pool_MB, sync_state", "shard_nodes",
     "status NOT IN ('inactive', 'deleted')"),
    ("id, name, port, hostaddr, cpu_cores, max_mem_MB, max_conns, user_name",
     "comp_nodes", "status != 'deleted'"),
    ("cluster_id, shard_id, comp_id, start_ts, end_ts, backup_type, status,"
     " memo", "cluster_coldbackups", "1"),
    ("id, hostaddr, port, name, stype", "backup_storage", "1"),
    ("id, host, taskid, timestamp, new_master_host, err_code, err_msg,"
     " shard_id, cluster_id, step, consfailover_msg", "rbr_consfailover",
     "taskid IS NOT NULL AND cluster_id = '1' AND host LIKE '%.1%'"
     " AND timestamp BETWEEN '2026-01-01' AND '2026-01-02' GROUP BY taskid"),
    ("job_info", "mysql_pg_install_log", "general_log_id = '1'"),
    ("id, job_id, roll_info", "cluster_roll_back_record", "1"),
    ("id, hostaddr, rack_id, total_cpu_cores, comp_datadir, datadir, logdir,"
     " wal_log_dir, total_mem, machine_type, port_range, used_port,"
     " node_stats, installing_port", "server_nodes",
     "machine_type IS NOT NULL"),
    ("comp_datadir_used, comp_datadir_avail, datadir_used, datadir_avail,"
     " wal_log_dir_used, wal_log_dir_avail, log_dir_used, log_dir_avail",
     "server_nodes_stats", "1"),
])
def test_the_tables_have_what_xpanel_selects(made, sql, columns, table,
                                             where):
    with sql.cursor() as q:
        q.execute(f"SELECT {columns} FROM Kunlun_Metadata_DB.{table}"
                  f" WHERE {where}")
        rows = q.fetchall()
    least = {"db_clusters": 1, "shards": 2, "shard_nodes": 2, "comp_nodes": 1}
    assert len(rows) >= least.get(table, 0)


def test_a_cluster_gets_another_nick_name(cluster, panel, made, fresh, sql):
    nick = fresh("nick")
    assert cluster.ask("rename_cluster", cluster_name=made["name"],
                       nick_name=nick) == {
        "result": "done", "info": "rename cluster succeed"}
    said = entry(cluster.ask("get_cluster_summary"), name=made["name"])
    assert said[0]["nick_name"] == nick
    # its own again; another's name or nick name
    cluster.ask("rename_cluster", cluster_name=made["name"], nick_name=nick)
    other = fresh("cluster")
    with sql.cursor() as q:
        q.execute("INSERT INTO Kunlun_Metadata_DB.db_clusters (name, ha_mode)"
                  " VALUES (%s, 'mgr')", (other,))
    for taken in (nick, made["name"]):
        assert cluster.refused("rename_cluster", cluster_name=other,
                               nick_name=taken) == "new nick_name have existed"
    assert cluster.refused("rename_cluster", cluster_name="no-such",
                           nick_name="x") == "error, cluster_name is no exist"
    assert cluster.refused("rename_cluster", nick_name="x") \
        == "get cluster_name error"
    assert cluster.refused("rename_cluster", cluster_name=other) \
        == "get nick_name error"
    said = panel.ask("rename_cluster", cluster_id=made["id"],
                     nick_name=fresh("nick"))
    assert (said["status"], said["error_code"]) == ("done", "0")
    assert panel.refused("rename_cluster", cluster_id="77777777",
                         nick_name="x")[1] \
        == "error, cluster_name is no exist"


# ---- clocks, places for backups ----

def test_a_clock_is_compared(cluster, panel):
    now = int(time.time())
    for stamp, near in ((now, "true"), (str(now - 30), "true"),
                        (now - 61, "false"), (now + 90, "false"), (0, "false"),
                        (-1, "false"), (2 ** 63 - 1, "false")):
        assert cluster.ask("check_timestamp", timestamp=stamp) \
            == {"result": near}, stamp
    assert panel.ask("check_timestamp", timestamp=str(now))["attachment"] \
        == {"result": "true"}
    for bad in ({}, {"timestamp": "x"}, {"timestamp": None},
                {"timestamp": []}, {"timestamp": ""}):
        assert cluster.refused("check_timestamp", **bad) \
            == "get timestamp error"


def test_places_for_backups_are_kept(cluster, panel, fresh):
    """One is always there."""
    assert until(lambda: cluster.ask("get_backup_storage"))[0]["name"]
    one = {"name": fresh("s"), "stype": "HDFS", "hostaddr": "127.0.0.1",
           "port": "9870"}
    assert cluster.ask("create_backup_storage", **one) == {
        "result": "done", "info": "create backup storage succeed"}
    assert cluster.refused("create_backup_storage", **one) \
        == "backup storage name have existed"
    assert one in cluster.ask("get_backup_storage")
    assert one in panel.ask("get_backup_storage")["attachment"][
        "list_backup_storage"]
    other = {**one, "hostaddr": "h2", "port": 9871}
    assert cluster.ask("update_backup_storage", **other)["result"] == "done"
    assert {**other, "port": "9871"} in cluster.ask("get_backup_storage")
    for job in ("create_backup_storage", "update_backup_storage"):
        assert cluster.refused(job, **{**one, "stype": "S3"}) \
            == "stype isn't support"
        for member in one:
            body = {k: v for k, v in one.items() if k != member}
            assert cluster.refused(job, **body) == f"get {member} error"
    assert cluster.ask("delete_backup_storage", name=one["name"]) == {
        "result": "done", "info": "delete backup storage succeed"}
    for job in ("update_backup_storage", "delete_backup_storage"):
        assert cluster.refused(job, **one) \
            == "backup storage name is no exist"
    for job in ("create_backup_storage", "update_backup_storage",
                "delete_backup_storage"):
        assert panel.ask(job, **one)["status"] == "done"


# ---- machines ----

@pytest.mark.fault
def test_a_machine_that_is_gone_is_told_within_five_seconds(
        deployment, cluster, panel, machine):
    ip = machine.node.address

    def is_now(status):
        return {"ip": ip, "status": status} in cluster.ask("machine_summary")

    until(lambda: is_now("online"))
    said = panel.ask("machine_summary")["attachment"]["list_machine"]
    assert {"ip": ip, "status": "online"} in said
    deployment.command("stop", "supervise-" + ip)
    until(lambda: is_now("offline"))
    deployment.command("start", "supervise-" + ip)
    until(lambda: is_now("online"))


# ---- variables ----

def at(instance):
    return {"ip": instance["ip"], "port": str(instance["port"])}


def test_a_variable_is_read_and_set_for_good(cluster, panel, machine):
    where = at(machine.installed())

    def value(name):
        said = cluster.ask("get_variable", variable=name, **where)
        assert said["result"] == "true"
        return said["value"]

    def sets(name, **what):
        return cluster.ask("set_variable", variable=name, **where, **what)

    assert value("innodb_buffer_pool_size") == str(16 << 20)
    assert sets("max_connections", value_int="123") == {"result": "true"}
    assert value("max_connections") == "123"
    assert sets("Max_Connections", value_int=124, value_str="200") \
        == {"result": "true"}
    assert value("MAX_CONNECTIONS") == "124"
    assert sets("sql_mode", value_str="ANSI_QUOTES") == {"result": "true"}
    assert value("sql_mode") == "ANSI_QUOTES"
    assert sets("event_scheduler", value_int="ON") == {"result": "true"}
    assert sets("timestamp_no", value_int="-1") == {"result": "false"}
    panel_where = {"hostaddr": where["ip"], "port": where["port"]}
    said = panel.ask("set_variable", variable="max_connections", type="int",
                     value="125", **panel_where)
    assert (said["status"], said["attachment"]) \
        == ("done", {"result": "true"})
    said = panel.ask("get_variable", variable="max_connections", **panel_where)
    assert said["attachment"] == {"result": "true", "value": "125"}
    for ask in ({"hostaddr": "127.0.0.99", "port": "1"},
                {**panel_where, "variable": "no_such"}):
        said = panel.ask("get_variable", **{"variable": "port", **ask})
        assert (said["status"], said["error_code"]) == ("failed", "70001")
    # what is no value of it, and what makes the instance what it is
    for name, what in (
            ("max_connections", {"value_int": "1; SELECT 1"}),
            ("max_connections", {"value_str": "x"}),
            ("max_connections", {"value_int": "1 "}),
            ("sql_mode", {"value_str": "a'b"}), ("port", {"value_int": "1"}),
            ("no_such", {"value_int": "1"}), ("a b", {"value_int": "1"}),
            ("a;b", {"value_str": "x"}), ("1a", {"value_int": 1})):
        assert sets(name, **what) == {"result": "false"}, (name, what)
    assert (value("max_connections"), value("sql_mode")) \
        == ("125", "ANSI_QUOTES")
    # and after it was started anew
    assert machine.run("control_instance", where, type="storage",
                       control="restart")[0] == "succeed"
    assert (value("max_connections"), value("sql_mode")) \
        == ("125", "ANSI_QUOTES")


def test_what_is_no_variable_of_anybody_has_no_value(cluster, machine):
    none = {"result": "false", "value": ""}
    where = at(machine.installed())
    for name in ("no_such", "a b", "@@port", "port,version()", "1x", "x" * 200,
                 "port/**/", "(SELECT 1)"):
        assert cluster.ask("get_variable", variable=name, **where) == none
    assert cluster.ask("get_variable", variable="port", **NOWHERE) == none
    for bad in (0, -1, 65536, "x"):
        said = cluster.ask("get_variable", variable="port", ip="x", port=bad)
        assert said["result"] in ("false", "failed"), bad
    assert machine.run("control_instance", where, type="storage",
                       control="stop")[0] == "succeed"
    assert cluster.ask("get_variable", variable="port", **where) == none
    assert cluster.ask("set_variable", variable="max_connections",
                       value_int="9", **where) == {"result": "false"}


def test_the_metadatas_variables_are_read(cluster):
    meta = until(lambda: cluster.ask("get_meta").get("meta0"))
    said = cluster.ask("get_variable", variable="max_connections",
                       ip=meta["ip"], port=meta["port"])
    assert said["result"] == "true" and int(said["value"]) > 0
    assert cluster.ask("set_variable", variable="max_connections",
                       value_int="9", ip=meta["ip"], port=meta["port"]) \
        == {"result": "false"}


def test_members_of_variables_are_asked_for_in_their_order(cluster, panel):
    for job, members in (("get_variable", ["variable", "ip", "port"]),
                         ("set_variable", ["variable", "value_str", "ip",
                                           "port"])):
        body = {}
        for member in members:
            assert cluster.refused(job, **body) == f"get {member} error"
            body[member] = "1"
    assert cluster.refused("set_variable", variable="x", value_str="", ip="x",
                           port="1") == "get value_str error"
    assert panel.refused("get_variable", variable="x", port="1")[1] \
        == "get hostaddr error"
    assert panel.refused("set_variable", variable="x", hostaddr="x",
                         port="1")[1] == "get value_str error"


def test_a_getter_needs_no_name(cluster):
    """Its job_id is not looked at, whatever it is, and leaves no operation."""
    for bad in ("", "x" * 500, 1, None, [], {}):
        assert cluster.ask("get_meta_mode", job_id=bad) == {"mode": "mgr"}
    assert cluster.status("x")["info"] == "job id no find"
