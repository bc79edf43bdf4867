"""Backups of an instance, restores, and what is deleted of one."""

import os
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from support.waiting import until

pytestmark = pytest.mark.limit(600)

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
    # the statements of its first start have its secrets
    assert "init.sql" not in os.listdir(machine.home(full, "data_dir_path"))


def test_backups_of_one_second_do_not_meet(machine, full):
    """Two instances under one name; a name is of a second."""
    both = full, machine.installed()
    top = os.path.join(machine.top, "datadir")
    for _ in range(3):
        jobs = [machine.begin("backup_shard", ip=at["ip"], port=at["port"],
                              cluster_name=full["cluster"],
                              shard_name="shard1") for at in both]
        said = [machine.node.finished(job, 120) for job in jobs]
        assert [s["result"] for s in said] == ["succeed", "succeed"], said
    listed = backups(machine, full)
    assert len(set(listed)) == len(listed) == 6
    assert all(os.path.exists(top + path) for path in listed)


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


def moment(machine, at, after=0):
    """A whole second, as its clients are told it, that all transactions before
    it are older than; behind it no transaction has begun."""
    with machine.login(at) as c, c.cursor() as q:
        q.execute("SELECT UNIX_TIMESTAMP()")
        second = q.fetchone()[0] + 1 + after

        def passed():
            q.execute("SELECT UNIX_TIMESTAMP()")
            return q.fetchone()[0] >= second
        until(passed)
    zone = ZoneInfo("Asia/Shanghai")
    return datetime.fromtimestamp(second, zone).strftime("%Y-%m-%d %H:%M:%S")


def restore(machine, at, when):
    return machine.run("restore_storage", at, timestamp=when,
                       cluster_name=at["cluster"], shard_name="shard1")


def test_a_shard_is_restored_to_what_it_was_by_a_time(machine, full):
    named = {"cluster_name": full["cluster"], "shard_name": "shard1"}
    word, path = machine.run("backup_shard", full, **named)
    assert word == "succeed" and backups(machine, full) == [path]
    insert(machine, full, 2)
    then = moment(machine, full)
    insert(machine, full, 3)
    assert restore(machine, full, "2001-01-01 00:00:00") \
        == ("error", "restore storage error: there is no such backup")
    assert restore(machine, full, "soon") \
        == ("error", "restore storage error: timestamp is none")
    assert rows(machine, full) == [1, 2, 3]
    assert restore(machine, full, then) \
        == ("succeed", "restore storage succeed")
    assert rows(machine, full) == [1, 2]


def test_a_time_to_come_is_the_latest(machine, full):
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    with machine.login(full) as c, c.cursor() as q:
        for n in range(2, 6):
            q.execute("INSERT INTO d.t VALUES (%s)", (n,))
            q.execute("FLUSH BINARY LOGS")
    assert restore(machine, full, HOUR_AHEAD)[0] == "succeed"
    assert rows(machine, full) == [1, 2, 3, 4, 5]


def test_a_time_that_is_not_covered_is_refused(machine, full):
    """A restore puts another history in the place of the one before: until
    the next backup none is kept, and what is behind it is not there."""
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    file, = backups(machine, full)
    assert cold(machine, full, "coldrestore", file=file)[0] == "succeed"
    insert(machine, full, 2)
    word, said = restore(machine, full, moment(machine, full))
    assert word == "error", said
    assert said.startswith("restore storage error: ")
    assert "is not covered" in said and "another history" in said
    assert rows(machine, full) == [1, 2]
    entry = until(lambda: machine.entry(full))
    assert entry["state"] == "running"
    # from the next backup on it is
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    insert(machine, full, 3)
    then = moment(machine, full)
    insert(machine, full, 4)
    assert restore(machine, full, then)[0] == "succeed"
    assert rows(machine, full) == [1, 2, 3]


def test_two_servers_of_one_name_have_no_history(machine, full):
    """What one of them has written is not covered by what the other has."""
    machine.made.append(twin := machine.place() | {"cluster": full["cluster"]})
    assert machine.install(twin)[0] == "succeed"
    entry = until(lambda: machine.entry(twin))
    twin["user"], twin["pwd"] = entry["user"], entry["pwd"]
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    file, = backups(machine, full)
    # the other one goes on where that ends, and writes nothing
    assert cold(machine, twin, "coldrestore", file=file)[0] == "succeed"
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    insert(machine, full, 2)
    then = time.time()
    until(lambda: time.time() > then + 3)  # a second is not the backup's own
    word, why = machine.run("restore_storage", full, timestamp=HOUR_AHEAD,
                            cluster_name=full["cluster"], shard_name="shard1")
    assert word == "error" and "no binlogs are kept" in why, (word, why)
    assert rows(machine, full) == [1, 2]


def test_a_backup_right_behind_a_restore_has_a_history(machine, full):
    """... though nothing was written in between."""
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    file, = backups(machine, full)
    assert cold(machine, full, "coldrestore", file=file)[0] == "succeed"
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    assert restore(machine, full, moment(machine, full)) \
        == ("succeed", "restore storage succeed")
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    insert(machine, full, 2)
    assert restore(machine, full, HOUR_AHEAD) \
        == ("succeed", "restore storage succeed")
    assert rows(machine, full) == [1, 2]


def test_a_file_is_restored_up_to_a_time(machine, full):
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    file, = backups(machine, full)
    insert(machine, full, 2)
    then = moment(machine, full)
    insert(machine, full, 3)
    assert cold(machine, full, "coldrestore", file=file,
                timestamp="2001-01-01 00:00:00")[0] == "error"
    assert cold(machine, full, "coldrestore", file=file, timestamp=then) \
        == ("succeed", "coldrestore succeed")
    assert rows(machine, full) == [1, 2]


def pieces(sql, at):
    """The binlogs that are kept of it: rows, and how far they go."""
    with sql.cursor() as q:
        q.execute("SELECT p.*, a.open FROM kunlun_archive a JOIN kunlun_piece p"
                  " ON p.archive_id = a.id WHERE a.cluster = %s ORDER BY n",
                  (at["cluster"],))
        return q.fetchall()


def kept(sql, at):
    """Waits until all is kept that there is by now."""
    with sql.cursor() as q:
        q.execute("UPDATE kunlun_archive SET wanted_ms ="
                  " UNIX_TIMESTAMP(NOW(3)) * 1000 WHERE cluster = %s",
                  (at["cluster"],))

        def covered():
            q.execute("SELECT covered_ms >= wanted_ms AS c FROM kunlun_archive"
                      " WHERE cluster = %s AND open", (at["cluster"],))
            return q.fetchone()["c"] == 1
        until(covered)
    return pieces(sql, at)


def test_a_damaged_piece_is_refused_and_nothing_touched(machine, full, sql):
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    insert(machine, full, 2)
    piece = kept(sql, full)[-1]
    path = os.path.join(machine.top, "datadir", piece["path"])
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(bytes(16))
    insert(machine, full, 3)
    word, said = restore(machine, full, HOUR_AHEAD)
    assert word == "error" and piece["path"] in said, said
    assert rows(machine, full) == [1, 2, 3]
    os.unlink(path)
    word, said = restore(machine, full, HOUR_AHEAD)
    assert word == "error" and piece["path"] in said, said
    assert rows(machine, full) == [1, 2, 3]
    home = machine.home(full, "data_dir_path")
    assert not [n for n in os.listdir(home)
                if "load" in n or "old" in n or "relay" in n]
    # it was put back: its history goes on
    assert pieces(sql, full)[-1]["open"] == 1


def test_binlogs_that_are_not_kept_yet_are_not_purged(machine, full, sql):
    def logs(q):
        q.execute("SHOW BINARY LOGS")
        return [row[0] for row in q.fetchall()]
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    kept(sql, full)
    with machine.login(full) as c, c.cursor() as q:
        # as if it were kept by somebody else, who does not come to it
        with sql.cursor() as s:
            s.execute("UPDATE kunlun_archive SET covered_ms ="
                      " UNIX_TIMESTAMP() * 1000 + 3600000 WHERE cluster = %s",
                      (full["cluster"],))
        for n in (2, 3):
            q.execute("INSERT INTO d.t VALUES (%s)", (n,))
            q.execute("FLUSH BINARY LOGS")
        before = logs(q)
        assert cold(machine, full, "delete", file_type="binlog")[0] \
            == "succeed"
        left = logs(q)
        assert left == before[-3:], (before, left)
        with sql.cursor() as s:
            s.execute("UPDATE kunlun_archive SET covered_ms = 0"
                      " WHERE cluster = %s", (full["cluster"],))
        kept(sql, full)
        assert cold(machine, full, "delete", file_type="binlog")[0] \
            == "succeed"
        assert logs(q) == before[-1:]


def test_old_backups_go_with_the_next_one(machine, full, sql):
    """... and the binlogs that no backup needs any more."""
    def age(ms):
        with sql.cursor() as q:
            q.execute("UPDATE kunlun_backup SET ended_ms = ended_ms - %s,"
                      " begun_ms = begun_ms - %s WHERE cluster = %s",
                      (ms, ms, full["cluster"]))
            q.execute("UPDATE kunlun_piece p JOIN kunlun_archive a"
                      " ON a.id = p.archive_id SET read_ms = read_ms - %s"
                      " WHERE a.cluster = %s", (ms, full["cluster"]))
    day = 86400 * 1000
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    first, = backups(machine, full)
    insert(machine, full, 2)
    old = kept(sql, full)
    assert old
    age(day)
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    insert(machine, full, 3)
    kept(sql, full)
    # the first is the only one that has ended 14 days ago: it is needed
    age(14 * day)
    assert cold(machine, full, "coldbackup")[0] == "succeed"
    second, third = backups(machine, full)
    assert first not in (second, third)
    assert not os.path.exists(os.path.join(machine.top, "datadir" + first))
    left = pieces(sql, full)
    assert not {p["path"] for p in old} & {p["path"] for p in left}
    for p in old:
        assert not os.path.exists(
            os.path.join(machine.top, "datadir", p["path"]))
    assert restore(machine, full, HOUR_AHEAD)[0] == "succeed"
    assert rows(machine, full) == [1, 2, 3]


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
