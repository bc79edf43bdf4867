"""Backups of an instance, restores, and what is deleted of one."""

import os

import pytest

from support.waiting import until

HOUR_AHEAD = "2099-01-01 00:00:00"


@pytest.fixture
def full(machine):
    """An instance with a table d.t of one row, and its login."""
    at = machine.installed()
    entry = until(lambda: machine.entry(at))
    at["user"], at["pwd"] = entry["user"], entry["pwd"]
    with machine.login(at) as c, c.cursor() as q:
        q.execute("CREATE DATABASE d")
        q.execute("CREATE TABLE d.t (a INT PRIMARY KEY)")
        q.execute("INSERT INTO d.t VALUES (1)")
    return at


def cold(machine, at, job_type, **more):
    return machine.run(job_type, None, **{
        "s_ip": at["ip"], "s_port": at["port"], "s_user": at["user"],
        "s_pwd": at["pwd"], **more})


def rows(machine, at):
    with machine.login(at) as c, c.cursor() as q:
        q.execute("SELECT a FROM d.t ORDER BY a")
        return [row[0] for row in q.fetchall()]


def insert(machine, at, n):
    with machine.login(at) as c, c.cursor() as q:
        q.execute("INSERT INTO d.t VALUES (%s)", (n,))


def backups(machine, at):
    """Paths of the archives of its cluster, as the index has them."""
    with open(os.path.join(machine.top, "datadir/coldbackup/storage.txt")) as f:
        return [line for line in f.read().split()
                if f"/{at['cluster']}/" in line]


def test_what_was_backed_up_comes_back(machine, full):
    assert cold(machine, full, "coldbackup") \
        == ("succeed", "coldbackup succeed")
    file, = backups(machine, full)
    assert file.startswith(f"/coldbackup/{full['cluster']}/shard1/coldback_")
    insert(machine, full, 2)
    assert cold(machine, full, "coldrestore", file=file) \
        == ("succeed", "coldrestore succeed")
    assert rows(machine, full) == [1]
    until(lambda: machine.entry(full)["state"] == "running")


def test_a_damaged_archive_is_refused_and_nothing_touched(machine, full):
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    file, = backups(machine, full)
    insert(machine, full, 2)
    path = os.path.join(machine.top, "datadir" + file)
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(bytes(64))
    word, said = cold(machine, full, "coldrestore", file=file)
    assert word == "error" and said.startswith("coldrestore error"), said
    assert rows(machine, full) == [1, 2]
    os.truncate(path, os.path.getsize(path) // 3)
    assert cold(machine, full, "coldrestore", file=file)[0] == "error"
    assert rows(machine, full) == [1, 2]
    home = machine.home(full, "data_dir_path")
    assert not [n for n in os.listdir(home) if "load" in n or "old" in n]


def test_a_shard_is_restored_to_what_it_was_by_a_time(machine, full):
    named = {"cluster_name": full["cluster"], "shard_name": "shard1"}
    word, path = machine.run("backup_shard", full, **named)
    assert word == "succeed" and backups(machine, full) == [path]
    insert(machine, full, 2)
    assert machine.run("restore_storage", full, timestamp="2001-01-01 00:00:00",
                       **named) == ("error", "restore storage error: there is"
                                    " no such backup")
    assert machine.run("restore_storage", full, timestamp="soon", **named) \
        == ("error", "restore storage error: timestamp is none")
    assert rows(machine, full) == [1, 2]
    assert machine.run("restore_storage", full, timestamp=HOUR_AHEAD, **named) \
        == ("succeed", "restore storage succeed")
    assert rows(machine, full) == [1]


def test_older_jobs_are_checked_in_their_order(machine):
    ip, other = machine.node.address, "127.0.0.250"
    given = {}
    for more, expected in (
            ({}, "get s_ip error"), ({"s_ip": other}, "get s_port error"),
            ({"s_port": 4242}, f"{other} is no local_ip"),
            ({"s_ip": ip}, "get s_user error"),
            ({"s_user": "u"}, "get s_pwd error"),
            ({"s_pwd": "p"}, "file path error"),
            ({"file": "/coldbackup/a/b/../c.tgz"}, "file path error"),
            ({"file": "/etc/passwd"}, "file path error"),
            ({"file": "/coldbackup/a/b c.tgz"}, "file path error"),
            ({"file": "/coldbackup/a/b/c.tgz"}, f"connect {ip}:4242 error")):
        given |= more
        assert machine.run("coldrestore", None, **given) \
            == ("error", expected)


def test_a_login_that_fails_is_not_ours_instead(machine, full):
    wrong = {**full, "pwd": "wrong"}
    error = ("error", f"connect {full['ip']}:{full['port']} error")
    assert cold(machine, wrong, "delete", file_type="table", s_dbname="d",
                s_table_name="t") == error
    assert cold(machine, wrong, "coldbackup") == error
    assert rows(machine, full) == [1]


def test_a_table_is_dropped_and_no_other(machine, full):
    def drop(db, table):
        return cold(machine, full, "delete", file_type="table", s_dbname=db,
                    s_table_name=table)
    for db, table in (("d", "no_such"), ("d", "t`; DROP TABLE d.t; --")):
        word, said = drop(db, table)
        assert word == "error" and said.startswith("delete_db_table error")
    assert "server's own" in drop("MySQL", "user")[1]
    assert cold(machine, full, "delete", file_type="x")[1] \
        == "unsupported file_type error"
    assert rows(machine, full) == [1]
    assert drop("d", "t") == ("succeed", "delete succeed")
    with machine.login(full) as c, c.cursor() as q:
        q.execute("SHOW TABLES IN d")
        assert q.fetchall() == ()


def test_old_binlogs_are_purged_by_the_server(machine, full):
    with machine.login(full) as c, c.cursor() as q:
        for n in (2, 3):
            q.execute("FLUSH BINARY LOGS")
            q.execute("INSERT INTO d.t VALUES (%s)", (n,))
        q.execute("SHOW BINARY LOGS")
        before = [row[0] for row in q.fetchall()]
        assert cold(machine, full, "delete", file_type="binlog") \
            == ("succeed", "delete succeed")
        q.execute("SHOW BINARY LOGS")
        assert [row[0] for row in q.fetchall()] == before[-1:]


def test_what_another_member_has_not_read_is_kept(machine, full):
    other = {**machine.place(), "cluster": full["cluster"]}
    assert machine.install(other)[0] == "succeed"
    machine.made.append(other)
    until(lambda: machine.entry(other))

    def logs():
        with machine.login(full) as c, c.cursor() as q:
            q.execute("SHOW BINARY LOGS")
            return [row[0] for row in q.fetchall()]

    def purge():
        return cold(machine, full, "delete", file_type="binlog")
    with machine.login(full) as c, c.cursor() as q:
        for n in (2, 3):
            q.execute("FLUSH BINARY LOGS")
            q.execute("INSERT INTO d.t VALUES (%s)", (n,))
    before = logs()
    purge()  # it has read nothing
    assert logs() == before
    assert machine.run("control_instance", other, type="storage",
                       control="stop")[0] == "succeed"
    word, said = purge()
    assert word == "error" and ("does not tell" in said or "connect" in said)
    assert logs() == before
    assert machine.run("delete_storage", other)[0] == "succeed"
    assert purge() == ("succeed", "delete succeed")
    assert logs() == before[-1:]


def test_no_password_of_a_request_is_kept_in_clear(machine, sql):
    job = machine.begin("coldbackup", s_ip=machine.node.address, s_port=4242,
                        s_user="u", s_pwd="canary-of-a-password")
    machine.node.finished(job)
    with sql.cursor() as q:
        q.execute("SELECT CONCAT_WS(' ', shown, args, error, progress) AS t"
                  " FROM job WHERE client_id = %s", (job,))
        assert "canary" not in q.fetchone()["t"]
        q.execute("SELECT COUNT(*) AS n FROM audit WHERE request_json LIKE"
                  " '%canary-of%' OR after_json LIKE '%canary-of%'")
        assert q.fetchone()["n"] == 0
