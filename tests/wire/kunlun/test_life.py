"""The life of a storage instance: a real MariaDB, as a job makes it."""

import os
import shutil
import socket

import psycopg2
import pymysql
import pytest

from support.waiting import until


MARKER = ".metagate-instance"


def rows_of(machine, at):
    with machine.deployment.sql() as c, c.cursor() as q:
        q.execute("SELECT * FROM kunlun_instance WHERE machine = %s"
                  " AND port = %s", (at["ip"], at["port"]))
        return list(q.fetchall())


def test_an_instance_is_installed_used_and_deleted(machine):
    at = machine.installed()
    entry = machine.entry(at)
    assert entry["state"] == "running" and entry["restarts"] == 0
    assert entry["path"] == machine.home(at, "data_dir_path")
    assert (entry["user"], entry["cluster"], entry["shard"]) \
        == ("pgx", at["cluster"], "shard1")
    assert entry["disk_used"] != "error" and entry["disk_free"] != "error"
    with machine.login(at) as c, c.cursor() as q:
        q.execute("CREATE DATABASE d")
        q.execute("CREATE TABLE d.t (a INT PRIMARY KEY)")
        q.execute("INSERT INTO d.t VALUES (1)")
        q.execute("SELECT @@gtid_domain_id, @@read_only")
        domain, read_only = q.fetchone()
        assert domain > 0 and read_only == 0
    info = machine.node.ask("get_info")
    assert info["storage_node"] >= 1
    assert {d["class"] for d in info["disks"]} == set(machine.CLASSES)
    mine, = [i for i in info["instances"] if i["port"] == at["port"]]
    assert (mine["kind"], mine["state"]) == ("storage", "running")
    data = [d for d in info["disks"] if d["class"] == "data_dir_path"]
    assert 0 < mine["used"] <= data[0]["used"]
    assert machine.run("delete_storage", at) == ("succeed",
                                                 "delete storage succeed")
    for kind in ("data_dir_path", "log_dir_path", "innodb_log_dir_path"):
        assert not os.path.exists(machine.home(at, kind))
    until(lambda: machine.entry(at) is None)
    # what is not there is deleted already
    assert machine.run("delete_storage", at)[0] == "succeed"


@pytest.mark.parametrize("kind", ["log_dir_path", "data_dir_path"])
def test_what_could_not_be_removed_is_deleted_by_the_same_job(machine, kind):
    """A directory that is marked as another's is left; as long as it is, the
    instance is known, and its port taken."""
    at = machine.installed()
    marker = os.path.join(machine.home(at, kind), MARKER)
    with open(marker) as f:
        mine = f.read()
    with open(marker, "w") as f:
        f.write("0123-4567\n")
    for _ in range(2):
        word, said = machine.run("delete_storage", at)
        assert word == "error" and said.startswith("delete storage error: ")
        assert os.path.exists(machine.home(at, kind))
        assert len(rows_of(machine, at)) == 1 and machine.entry(at) is not None
    assert machine.install(at)[1] == "install storage error: " + (
        "the port is not idle" if machine.listens(at)
        else "an instance is installed on that port")
    with open(marker, "w") as f:
        f.write(mine)
    assert machine.run("delete_storage", at) == ("succeed",
                                                 "delete storage succeed")
    until(lambda: machine.gone(at))
    assert rows_of(machine, at) == []
    assert machine.install(at)[0] == "succeed"


def test_what_only_a_row_tells_of_is_deleted_too(machine):
    """As a delete left it that failed before the row was the last to go."""
    at = machine.installed()
    row, = rows_of(machine, at)
    assert machine.run("delete_storage", at)[0] == "succeed"
    for kind in ("data_dir_path", "log_dir_path"):
        os.makedirs(machine.home(at, kind))
        with open(os.path.join(machine.home(at, kind), MARKER), "w") as f:
            f.write(row["uuid"] + "\n")
        with open(os.path.join(machine.home(at, kind), "rest"), "w"):
            pass
    owner = os.stat(machine.deployment.run_dir)
    for where, _, files in os.walk(machine.top):
        for path in [where] + [os.path.join(where, f) for f in files]:
            os.chown(path, owner.st_uid, owner.st_gid)
    word, said = machine.run("delete_storage", at)
    assert word == "error" and "no instance is known" in said, said
    with machine.deployment.sql() as c, c.cursor() as q:
        names = ", ".join(row)
        q.execute(f"INSERT INTO kunlun_instance ({names}) VALUES"
                  f" ({', '.join(['%s'] * len(row))})", list(row.values()))
    assert "another kind" in machine.run("delete_computer", at)[1]
    assert machine.run("delete_storage", at) == ("succeed",
                                                 "delete storage succeed")
    assert machine.gone(at) and rows_of(machine, at) == []
    assert machine.run("delete_storage", at)[0] == "succeed"


def test_one_whose_data_was_removed_by_hand_is_deleted(machine):
    at = machine.installed()
    assert machine.run("control_instance", at, type="storage",
                       control="stop")[0] == "succeed"
    shutil.rmtree(machine.home(at, "data_dir_path"))
    assert machine.run("delete_storage", at) == ("succeed",
                                                 "delete storage succeed")
    until(lambda: machine.gone(at))
    assert rows_of(machine, at) == []


def test_a_server_that_cannot_begin_says_why_in_its_own_words(machine):
    """Its log goes with it, so nobody could read that later."""
    at = machine.place()
    body = machine.body(at)
    body["nodes"][0]["innodb_buffer_pool_size"] = "1000000GB"
    word, said = machine.run("install_storage", None, **body)
    assert word == "error" and said.startswith("install storage error: ")
    assert "ended with status 1: InnoDB: " in said, said
    assert machine.gone(at)


def test_a_stop_lasts_until_a_start(machine):
    at = machine.installed()
    for control, up in (("stop", False), ("start", True), ("restart", True)):
        assert machine.run("control_instance", at, type="storage",
                           control=control) \
            == ("succeed", "control instance succeed")
        assert machine.listens(at) == up
        if not up:
            machine.node.ask("auto_pullup", minutes=0)
            until(lambda: machine.entry(at)["state"] == "stopped")
            assert not machine.listens(at)


def test_a_command_ends_a_run_and_the_watchdog_begins_the_next(machine):
    at = machine.installed()
    until(lambda: machine.entry(at))
    before = machine.entry(at)["restarts"]
    assert machine.run("mysql_cmd", at,
                       cmd=f"./stopmysql.sh {at['port']}")[0] == "succeed"
    until(lambda: machine.listens(at)
          and machine.entry(at)["state"] == "running")
    assert before == 0
    assert machine.node.ask("auto_pullup", minutes=-1, port=at["port"]) \
        == {"result": "succeed"}
    assert machine.run("mysql_cmd", at,
                       cmd=f"./stopmysql.sh {at['port']}")[0] == "succeed"
    until(lambda: machine.entry(at)["state"] == "paused")
    assert not machine.listens(at)
    machine.node.ask("auto_pullup", minutes=0, port=at["port"])
    until(lambda: machine.entry(at)["state"] == "running")
    assert machine.listens(at)


def test_a_pause_is_of_a_port_or_of_all_and_the_last_word_counts(machine):
    node, (a, b) = machine.node, (machine.installed(), machine.installed())

    def pause(minutes, at=None):
        members = {} if at is None else {"port": at["port"]}
        assert node.ask("auto_pullup", minutes=minutes, **members) \
            == {"result": "succeed"}

    def end(at):
        assert machine.run("mysql_cmd", at,
                           cmd=f"./stopmysql.sh {at['port']}")[0] == "succeed"

    def comes_to(at, state):
        until(lambda: machine.entry(at)["state"] == state, state)
        assert machine.listens(at) == (state == "running")
    pause(10, a)
    end(a)
    end(b)
    comes_to(a, "paused")
    comes_to(b, "running")
    # what is said of all stands in place of what was said of one
    pause(-1)
    end(b)
    comes_to(b, "paused")
    pause(0, b)
    comes_to(b, "running")
    comes_to(a, "paused")
    # the lists are read anew: pauses are none of them
    for job_type in ("update_node", "update_instance"):
        assert node.ask(job_type) == {"result": "succeed"}
    end(b)
    comes_to(b, "running")
    comes_to(a, "paused")
    pause(0)
    comes_to(a, "running")


def test_a_computing_instance_is_installed_used_and_deleted(machine):
    at = machine.place()
    nodes = [{"ip": at["ip"], "port": at["port"], "name": "comp1",
              "user": "abc"}]
    assert machine.run("install_computer", None, install_id=0, nodes=nodes,
                       cluster_name=at["cluster"]) \
        == ("succeed", "install computer succeed")
    entry = until(lambda: machine.entry(at))
    assert (entry["state"], entry["user"], entry["cluster"]) \
        == ("running", "abc", at["cluster"]) and "shard" not in entry
    assert entry["path"] == machine.home(at, "comp_datadir")

    def version():
        with psycopg2.connect(host=at["ip"], port=at["port"], user="abc",
                              password=entry["pwd"], dbname="postgres") as c:
            with c.cursor() as q:
                q.execute("SELECT version()")
                return q.fetchone()[0]
    assert version().startswith("PostgreSQL")
    for control, up in (("stop", False), ("start", True), ("restart", True)):
        assert machine.run("control_instance", at, type="computer",
                           control=control) \
            == ("succeed", "control instance succeed")
        assert machine.listens(at) == up
    assert machine.run("control_instance", at, type="storage",
                       control="stop") == ("error", "type item error")
    assert machine.run("pgsql_cmd", at, cmd="python2 stop_pg.py port="
                       + str(at["port"])) == ("succeed", "command succeed")
    until(lambda: machine.entry(at)["state"] == "running" and version())
    assert "another kind" in machine.run("delete_storage", at)[1]
    assert machine.run("delete_computer", at) == ("succeed",
                                                  "delete computer succeed")
    assert not os.path.exists(machine.home(at, "comp_datadir"))
    assert machine.run("delete_computer", at)[0] == "succeed"


def test_what_is_wrong_is_told_by_get_status_in_its_order(machine):
    at = machine.place()
    steps = [({}, "get nodes error"),
             ({"nodes": [{}]}, "get ip error"),
             ({"nodes": [{"ip": "127.0.0.250"}]}, "get port error"),
             ({"nodes": [{"ip": "127.0.0.250", "port": at["port"]}]},
              "127.0.0.250 is no local_ip"),
             ({"nodes": [{"ip": at["ip"], "port": 99999}]}, "get port error"),
             ({"nodes": [{"ip": at["ip"], "port": "x"}]},
              "get nodes[0].port error"),
             ({"install_id": 1, "nodes": [{"ip": at["ip"], "port": 1}]},
              "get install_id error")]
    for members, expected in steps:
        job = machine.word("job")
        assert machine.node.ask("install_storage", job_id=job, **members) \
            == {"result": "accept"}
        said = machine.node.finished(job)
        assert said["job_id"] == job and said["job_status"] == said["info"]
        assert (said["result"], said["info"]) == ("error", expected)


def test_a_directory_that_was_not_registered_is_refused(machine):
    at = machine.place()
    for path in ("/var/lib", "/etc", machine.top + "/../other", "relative"):
        word, said = machine.run("install_storage", None, nodes=[
            {"ip": at["ip"], "port": at["port"], "data_dir_path": path}])
        assert (word, said) == ("error", f"{path} is error")


@pytest.mark.parametrize("kind", ["data_dir_path", "log_dir_path",
                                  "innodb_log_dir_path"])
def test_what_lies_in_the_way_is_left_and_nothing_beside_it(machine, kind):
    """Also what the job had made before it came to that directory goes."""
    at = machine.place()
    home = machine.home(at, kind)
    owner, path = os.stat(machine.top), ""
    for part in home.split("/")[1:]:
        path += "/" + part
        if not os.path.exists(path):
            os.mkdir(path)
            os.chown(path, owner.st_uid, owner.st_gid)
    with open(home + "/mine", "w") as f:
        f.write("keep")
    assert machine.install(at) == (
        "error", f"install storage error: {home} holds something that "
        "metagate has not made")
    with open(home + "/mine") as f:
        assert f.read() == "keep"
    for other in {"data_dir_path", "log_dir_path", "innodb_log_dir_path"}:
        assert other == kind or not os.path.exists(machine.home(at, other))
    assert machine.entry(at) is None
    shutil.rmtree(home)
    assert machine.install(at) == ("succeed", "install storage succeed")
    machine.made.append(at)


def test_a_size_is_of_a_node_or_of_all(machine):
    for of_all, of_node, expected in (("24MB", None, 24), ("24MB", "16MB", 16)):
        at = machine.place()
        body = machine.body(at)
        node = body["nodes"][0]
        del node["innodb_buffer_pool_size"]
        if of_node is not None:
            node["innodb_buffer_pool_size"] = of_node
        assert machine.run("install_storage", None, **body,
                           innodb_buffer_pool_size=of_all)[0] == "succeed"
        machine.made.append(at)
        with machine.login(at) as c, c.cursor() as q:
            q.execute("SELECT @@innodb_buffer_pool_size >> 20")
            assert q.fetchone() == (expected,)


def test_a_port_that_is_for_no_instance_is_told_so(machine):
    at = {**machine.place(), "port": 80}
    assert machine.install(at) == (
        "error", "install storage error: port 80 is none of 1024 to 65535 "
        "([instance] port_min, port_max)")


def test_a_port_that_is_taken_is_refused_and_nothing_left(machine):
    at = machine.place()
    with socket.create_server((at["ip"], at["port"])):
        word, said = machine.install(at)
        assert (word, said) == ("error", "install storage error: the port is"
                                " not idle")
    assert not os.path.exists(machine.home(at, "data_dir_path"))
    first = machine.installed()
    word, said = machine.install(first)
    assert word == "error" and "not idle" in said
    with machine.login(first) as c:
        assert c.get_server_info()


def test_two_jobs_for_one_port_wait_for_each_other(machine):
    at = machine.place()
    jobs = [machine.begin("install_storage", **machine.body(at))
            for _ in range(2)]
    said = sorted(machine.node.finished(j)["result"] for j in jobs)
    assert said == ["error", "succeed"]
    with machine.login(at) as c:
        assert c.get_server_info()


@pytest.mark.parametrize("cmd", [
    None, "", 1, [], "rm -rf /", "./startmysql.sh", "./startmysql.sh 1 2",
    "./startmysql.sh 6001;id", "./startmysql.sh $(id)", "./startmysql.sh 0x17",
    "./startmysql.sh 65536", "/bin/sh ./startmysql.sh 6001",
    "./startmysql.sh 4242", "python2 start_pg.py port=5401", "x" * 600],
    ids=str)
def test_what_is_no_line_of_the_table_is_refused_and_kept(machine, sql, cmd):
    word = machine.word("job")
    given = {} if cmd is None else {"cmd": cmd}
    assert machine.node.ask("mysql_cmd", job_id=word, **given) \
        == {"result": "error", "info": "command not allowed"}
    with sql.cursor() as q:
        q.execute("SELECT target FROM audit WHERE operation = 'mysql_cmd'"
                  " AND request_json LIKE %s", (f"%{word}%",))
        assert [r["target"] for r in q.fetchall()] == ["refused"]
    assert machine.node.status(word)["job_status"] == "none"


def test_a_lower_epoch_is_refused(machine):
    def ask(epoch):
        return machine.node.client.post(
            "/", {"job_type": "update_node"},
            headers={"X-Metagate-Epoch": epoch}).json
    name = machine.word("lease")
    assert ask(f"{name}:7") == {"result": "succeed"}
    assert ask(f"{name}:7") == {"result": "succeed"}
    for bad in (f"{name}:6", name, f"{name}:", f"{name}:x", ":7",
                f"{name}:9.0", f"{name}:-9", f"{'n' * 200}:9"):
        assert ask(bad) == {"result": "error", "info": "epoch error"}
    assert ask(f"{name}:8") == {"result": "succeed"}


def test_passwords_are_for_who_may_see_them(machine):
    at = machine.installed()
    until(lambda: machine.entry(at))
    plain = machine.node.scope("read")
    shown = [n for n in plain.ask("get_node").values()
             if n["port"] == at["port"]]
    assert shown[0]["pwd"] == ""
    assert len(machine.entry(at)["pwd"]) >= 16
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host=at["ip"], port=at["port"], user="pgx",
                        password="pgx_pwd")
