"""cluster_mgr: machines are registered, changed and forgotten."""

import os

from support.waiting import until

COLUMNS = ("datadir", "logdir", "wal_log_dir", "comp_datadir")


def body(deployment, ip, word):
    dirs = {}
    for name in COLUMNS:
        dirs[name] = os.path.join(deployment.base, word, name)
        os.makedirs(dirs[name], exist_ok=True)
    owner = os.stat(deployment.run_dir)
    for where, _, _ in os.walk(os.path.join(deployment.base, word)):
        os.chown(where, owner.st_uid, owner.st_gid)
    return {"hostaddr": ip, "rack_id": "1", **dirs, "total_mem": "1024",
            "total_cpu_cores": "8"}


def test_a_machine_comes_changes_and_goes(deployment, cluster, panel, fresh,
                                          sql):
    ip = deployment.net + ".3"
    machine = body(deployment, ip, fresh("m"))
    missing = ("failed", "error, machine_hostaddr is no exist")
    assert cluster.run("update_machine", **machine) == missing
    # a bad directory is named once, and nothing is registered
    bad = {**machine, "datadir": machine["datadir"] + ";/no-such;relative",
           "logdir": "/no-such;/etc"}
    assert cluster.run("create_machine", **bad) \
        == ("failed", "/no-such;relative;/etc is error")
    assert cluster.run("update_machine", **machine) == missing
    assert cluster.run("create_machine", **machine) \
        == ("done", "create machine succeed")
    assert {"ip": ip, "status": "online"} in cluster.ask("machine_summary")
    assert cluster.run("create_machine", **machine) \
        == ("failed", "error, machine_hostaddr is exist")
    assert panel.run("create_machine", **machine) \
        == ("failed", "70062", "error, machine_hostaddr is exist")
    # an amount that is none would be no limit
    for member in ("total_mem", "total_cpu_cores"):
        for amount in ("4 GB", "-1", "1.5", "9999999999"):
            assert cluster.run("update_machine",
                               **{**machine, member: amount}) \
                == ("failed", f"get {member} error"), amount
    changed = {**machine, "total_mem": "4096", "id": 7, "svc_since": "x"}
    assert cluster.run("update_machine", **changed) \
        == ("done", "update machine succeed")
    assert cluster.run("update_machine", **{**changed, "datadir": "/etc"}) \
        == ("failed", "/etc is error")
    with sql.cursor() as q:
        q.execute("SELECT total_mem, datadir FROM Kunlun_Metadata_DB."
                  "server_nodes WHERE hostaddr = %s", (ip,))
        assert q.fetchone() == {"total_mem": 4096,
                                "datadir": machine["datadir"]}
    for _ in range(2):  # one that is not there is gone already
        assert cluster.run("delete_machine", hostaddr=ip) \
            == ("done", "delete machine succeed")
    assert not [m for m in cluster.ask("machine_summary") if m["ip"] == ip]


def test_a_host_is_registered_once_for_each_kind(deployment, cluster, panel,
                                                 fresh, sql):
    ip = deployment.net + ".3"
    machine = {**body(deployment, ip, fresh("m")), "port_range": "57000-58000"}
    storage = {**machine, "machine_type": "storage"}
    computer = {**machine, "machine_type": "computer",
                "port_range": "47000-48000", "total_mem": "2048"}

    def rows():
        with sql.cursor() as q:
            q.execute("SELECT machine_type, port_range, total_mem FROM"
                      " Kunlun_Metadata_DB.server_nodes WHERE hostaddr = %s"
                      " ORDER BY id", (ip,))
            return [tuple(r.values()) for r in q.fetchall()]

    assert panel.run("create_machine", **{**machine, "machine_type": "big"}) \
        == ("failed", "70001", "machine_type error")
    assert panel.run("create_machine", **storage)[0] == "done"
    assert panel.run("create_machine", **storage)[1] == "70062"
    assert panel.run("update_machine", **computer)[1] == "70066"
    assert panel.run("create_machine", **computer)[0] == "done"
    assert panel.run("create_machine", **machine)[1] == "70062"
    assert panel.run("update_machine", **{**computer, "total_mem": "4096"})[0] \
        == "done"
    assert rows() == [("storage", "57000-58000", 1024),
                      ("computer", "47000-48000", 4096)]
    # it is one host all the same
    assert [m["ip"] for m in cluster.ask("machine_summary")].count(ip) == 1
    assert panel.run("delete_machine", hostaddr=ip,
                     machine_type="storage")[0] == "done"
    assert [r[0] for r in rows()] == ["computer"]
    assert {"ip": ip, "status": "online"} in cluster.ask("machine_summary")
    assert panel.run("delete_machine", hostaddr=ip,
                     machine_type="computer")[0] == "done"
    assert rows() == []
    assert not [m for m in cluster.ask("machine_summary") if m["ip"] == ip]


def test_what_xpanel_reads_of_managers_and_machines_is_kept(
        deployment, cluster, machine, sql):
    port = machine.installed()["port"]

    def rows(text, *values):
        with sql.cursor() as q:
            q.execute(text, values)
            return [tuple(r.values()) for r in q.fetchall()]

    until(lambda: rows("SELECT node_stats, used_port FROM Kunlun_Metadata_DB."
                       "server_nodes WHERE hostaddr = %s",
                       machine.node.address) == [("running", str(port))], 60)
    assert rows("SELECT hostaddr, port, member_state FROM"
                " Kunlun_Metadata_DB.cluster_mgr_nodes") \
        == [(cluster.client.host, cluster.client.port, "source")]


def test_a_machine_that_nobody_speaks_for_is_not_registered(
        deployment, cluster, panel, fresh):
    machine = body(deployment, "127.0.0.99", fresh("m"))
    one = cluster.begin("create_machine", **machine)
    two = panel.begin("create_machine", **{**machine, "hostaddr": "nobody"})
    assert cluster.finished(one) == ("failed", "127.0.0.99 is error")
    said = panel.finished(two)
    assert (said["error_code"], said["error_info"]) \
        == ("70003", "nobody is error")


def test_a_machine_with_instances_stays(cluster, panel, machine):
    machine.installed()
    ip = machine.node.address
    assert cluster.run("delete_machine", hostaddr=ip) \
        == ("failed", "error, machine has instances")
    assert panel.run("delete_machine", hostaddr=ip)[1] == "70064"
