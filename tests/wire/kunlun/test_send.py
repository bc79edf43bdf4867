"""A table goes to another instance: all of it, or nothing; both ends tell."""

import hashlib
import json

import pytest

from support.kunlun import End
from support.waiting import until

ROWS = [(1, "one"), (2, None), (3, "")]


@pytest.fixture
def ends(pair):
    """A table t of a few rows at the first of the two."""
    source, target = pair
    source.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))")
    source.sql("INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, '')")
    return source, target


def send(source, target, table="t", to="t", **more):
    """(job, what its end says)."""
    job = source.machine.begin(
        "send", **{"file_type": "table", **source.named("s", table),
                   **target.named("d", to), **more})
    return job, source.machine.node.finished(job, 120)


def outcome(said):
    return said["result"], said["info"]


def rows(end, table="t"):
    return list(end.sql(f"SELECT * FROM `{table}` ORDER BY id"))


def nothing_is_left(*ends):
    for end in ends:
        assert end.left() == []


def test_a_table_goes_to_another_machine(ends, sql):
    source, target = ends
    job, said = send(source, target, to="t17")
    assert outcome(said) == ("succeed", "send succeed")
    assert outcome(target.machine.node.status(job)) \
        == ("succeed", "recv succeed")
    assert rows(target, "t17") == rows(source) == ROWS
    nothing_is_left(source, target)
    with sql.cursor() as q:
        q.execute("SELECT COUNT(*) AS n FROM kunlun_outbox o JOIN job j"
                  " ON j.id = o.job_id WHERE j.client_id = %s", (job,))
        assert q.fetchone()["n"] == 0


def test_a_table_goes_to_another_schema_of_its_own_server(ends):
    """As the README of node_mgr has it: both ends have one address."""
    source, _ = ends
    job, said = send(source, source, to="t17")
    assert outcome(said) == ("succeed", "send succeed")
    assert rows(source, "t17") == ROWS
    nothing_is_left(source)
    assert "to itself" in send(source, source)[1]["info"]


def test_rows_of_every_kind_arrive_as_they_are(ends):
    source, target = ends
    source.sql("CREATE TABLE `a-b` (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
               " v VARBINARY(300), t TIMESTAMP(6) NULL, d DECIMAL(20,4),"
               " j JSON, twice INT AS (LENGTH(v)) STORED, KEY (v))"
               " PARTITION BY HASH (id) PARTITIONS 3")
    source.sql("INSERT INTO `a-b` (v, t, d, j) SELECT CHAR(seq, 0, 255, 39, 96),"
               " FROM_UNIXTIME(1e9 + seq), seq / 8, JSON_OBJECT('n', seq)"
               " FROM seq_1_to_700")
    assert outcome(send(source, target, "a-b", "a-b")[1]) \
        == ("succeed", "send succeed")
    assert rows(target, "a-b") == rows(source, "a-b")
    nothing_is_left(source, target)


def test_a_table_that_is_there_must_be_alike_and_empty(ends):
    source, target = ends
    target.sql("CREATE TABLE t (id BIGINT PRIMARY KEY)")
    job, said = send(source, target)
    assert said["result"] == "error" and "another definition" in said["info"]
    assert target.machine.node.status(job)["result"] == "error"
    target.sql("DROP TABLE t")
    target.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))")
    target.sql("INSERT INTO t VALUES (7, 'mine')")
    assert "has rows" in send(source, target)[1]["info"]
    assert rows(target) == [(7, "mine")] and rows(source) == ROWS
    target.sql("DELETE FROM t")
    assert send(source, target)[1]["result"] == "succeed"
    assert rows(target) == ROWS
    nothing_is_left(source, target)


def test_what_cannot_be_sent_is_said_and_nothing_touched(ends):
    source, target = ends
    source.sql("CREATE TABLE child (id INT PRIMARY KEY,"
               " FOREIGN KEY (id) REFERENCES t (id))")
    source.sql("CREATE TABLE aria (id INT) ENGINE=Aria")
    source.sql("CREATE VIEW w AS SELECT 1 AS id")
    for table, word in (("child", "foreign key"), ("t", "foreign key"),
                        ("aria", "InnoDB"), ("w", "InnoDB"),
                        ("nope", "no such table"), ("x" * 65, "s_table_name"),
                        ("a`; DROP TABLE t; --", "no such table"),
                        ("\u00e4", "ASCII")):
        said = send(source, target, table)[1]
        assert said["result"] == "error" and word in said["info"], said
    said = send(source, target, s_dbname="MySQL", s_table_name="user")[1]
    assert "server's own" in said["info"]
    source.sql("DROP TABLE child")
    said = send(source, target, d_dbname="nowhere")[1]
    assert said["info"] == ("send error: {ip}: recv error: there is no"
                            " database nowhere").format(**target.at)
    said = send(source, target, d_pwd="wrong")[1]
    assert said["info"] == "send error: {ip}: connect {ip}:{port} error" \
        .format(**target.at)
    assert target.sql("SHOW TABLES") == () and rows(source) == ROWS
    nothing_is_left(source, target)


def test_members_are_checked_in_their_order(machine):
    ip, other = machine.node.address, "127.0.0.250"
    steps = {
        "send": [({}, "get s_ip error"), ({"s_ip": other}, "get s_port error"),
                 ({"s_port": 4242}, f"{other} is no local_ip"),
                 ({"s_ip": ip}, "get s_user error"),
                 ({"s_user": "u"}, "get s_pwd error"),
                 ({"s_pwd": "p"}, "get file_type error"),
                 ({"file_type": "binlog"}, "unsupported file_type error"),
                 ({"file_type": "table"}, "get s_dbname error"),
                 ({"s_dbname": "d"}, "get s_table_name error"),
                 ({"s_table_name": "t"}, "get d_ip error"),
                 ({"d_ip": other}, "get d_port error"),
                 ({"d_port": 4243}, "get d_user error"),
                 ({"d_user": "u"}, "get d_pwd error"),
                 ({"d_pwd": "p"}, "get d_dbname error"),
                 ({"d_dbname": "d"}, "get d_table_name error"),
                 ({"d_table_name": "t"}, f"connect {ip}:4242 error")],
        "recv": [({}, "get d_ip error"), ({"d_ip": other}, "get d_port error"),
                 ({"d_port": 4242}, f"{other} is no local_ip"),
                 ({"d_ip": ip}, "get d_user error"),
                 ({"d_user": "u"}, "get d_pwd error"),
                 ({"d_pwd": "p"}, "get file_type error"),
                 ({"file_type": "binlog"}, "unsupported file_type error"),
                 ({"file_type": "table"}, "get d_dbname error"),
                 ({"d_dbname": "d"}, "get d_table_name error"),
                 ({"d_table_name": "t"}, "get url error"),
                 ({"url": "http://127.0.0.1:1/"}, f"connect {ip}:4242 error")],
        "peek": [({}, "get s_ip error"),
                 ({"s_ip": ip, "s_port": 4242, "s_user": "u", "s_pwd": "p"},
                  "get file_type error"),
                 ({"file_type": "binlog"}, "unsupported file_type error"),
                 ({"file_type": "table"}, "get s_dbname error"),
                 ({"s_dbname": "d"}, "get s_table_name error"),
                 ({"s_table_name": "t"}, f"connect {ip}:4242 error")],
    }
    for job_type, members in steps.items():
        given = {}
        for more, expected in members:
            given |= more
            assert machine.run(job_type, None, **given) \
                == ("error", expected), (job_type, more)


def test_where_nothing_is_installed_nothing_is_sent(ends):
    source, target = ends
    nobody = {"d_ip": "127.0.0.250", "d_port": 4243}
    assert send(source, target, **nobody)[1]["info"] \
        == "connect 127.0.0.250:4243 error"
    nothing_is_left(source)


def test_a_table_is_told_of_without_a_move(ends):
    source, target = ends

    def peek(end, table):
        return end.machine.run("peek", None, file_type="table",
                               **end.named("s", table))
    word, before = peek(source, "t")
    assert word == "succeed" and before.startswith("peek succeed: 3 rows, ")
    assert send(source, target, to="x")[1]["result"] == "succeed"
    assert peek(target, "x") == ("succeed", before)
    target.sql("UPDATE x SET v = 'two' WHERE id = 2")
    assert peek(target, "x")[1] != before
    assert peek(target, "nope") == ("error", "peek error: there is no such"
                                    " table")


class Held:
    """A send that has come as far as to write at the target, where somebody
    has the table."""

    def __init__(self, source, target, sql):
        self.source, self.target = source, target
        target.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))")
        self.lock = target.connect()
        target.sql("LOCK TABLES t WRITE", connection=self.lock)
        self.job = source.machine.begin(
            "send", file_type="table", **source.named("s", "t"),
            **target.named("d", "t"))
        until(lambda: target.machine.node.status(self.job)["job_status"]
              == "recv working")
        with sql.cursor() as q:
            q.execute("SELECT url FROM kunlun_outbox o JOIN job j"
                      " ON j.id = o.job_id WHERE j.client_id = %s",
                      (self.job,))
            self.url = q.fetchone()["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.lock.open:
            self.lock.close()

    @property
    def path(self):
        return "/" + self.url.rpartition("/")[2]

    def let_go(self):
        self.lock.close()
        return outcome(self.source.machine.node.finished(self.job))


@pytest.fixture
def held(ends, sql):
    with Held(*ends, sql) as held:
        yield held


def test_its_files_are_served_by_ranges(held):
    node = held.source.machine.node.scope("machine").client
    whole = node.get(held.path)
    assert whole.status == 200 and held.url.endswith(held.path)
    listed, _, files = whole.body.partition(b"\n")
    table = json.loads(listed)
    assert table["rows"] == 3 and "CREATE TABLE" in table["definition"]
    assert whole.headers["ETag"] \
        == f'"{hashlib.sha256(listed).hexdigest()}"'
    assert sum(f["bytes"] for f in table["files"]) == len(files)
    for f in table["files"]:
        part, files = files[:f["bytes"]], files[f["bytes"]:]
        assert hashlib.sha256(part).hexdigest() == f["sha256"]
    n = len(whole.body)
    for text, first, last in (("0-0", 0, 0), (f"{n - 5}-", n - 5, n - 1),
                              ("-7", n - 7, n - 1),
                              (f"100-{n + 9}", 100, n - 1)):
        r = node.get(held.path, headers={"Range": f"bytes={text}"})
        assert r.status == 206 and r.body == whole.body[first:last + 1]
        assert r.headers["Content-Range"] == f"bytes {first}-{last}/{n}"
    r = node.get(held.path, headers={"Range": f"bytes={n}-"})
    assert (r.status, r.headers["Content-Range"]) == (416, f"bytes */{n}")
    assert r.json == {"result": "error", "info": "range error"}


def test_they_are_for_machines_and_only_as_long_as_it_is_sent(held):
    source, target = held.source, held.target
    node = source.machine.node.scope("machine").client
    other = "1" if held.path.endswith("0") else "0"
    for path in (held.path[:-1] + other, held.path[:-1], held.path + "/0.ibd",
                 "/." + held.path):
        assert node.get(path).status == 404, path
    assert target.machine.node.client.get(held.path).status == 404
    for scope, status in (("read", 403), ("none", 401), ("unknown", 401)):
        r = node.scope(scope).get(held.path)
        assert (r.status, r.json["info"]) == (status, "token error")
    assert node.get(held.path).status == 200
    assert held.let_go() == ("succeed", "send succeed")
    assert rows(target) == ROWS
    assert node.get(held.path).status == 404
    nothing_is_left(source, target)


def test_a_machine_fetches_nothing_but_what_is_sent(held, machine):
    """Its token is for those that send, whatever a client says."""
    end = End(machine, machine.installed())
    end.sql("CREATE DATABASE d")
    end.db = "d"

    def recv(url, table="t", **more):
        return machine.run("recv", None, file_type="table", url=url,
                           **end.named("d", table), **more)
    for url in ("http://127.0.0.1:1/" + "0" * 32, held.url + "0",
                held.url.replace("//", "//x@"), "file:///etc/passwd",
                held.url.upper()):
        assert recv(url) == ("error", "recv error: no machine sends a table"
                             " at this url"), url
    assert recv(held.url, token="0" * 64) \
        == ("error", "recv error: the other end lets nobody in")
    assert end.left() == [] and end.sql("SHOW TABLES") == ()
    # whoever may send may take it
    assert recv(held.url) == ("succeed", "recv succeed")
    assert rows(end) == ROWS
    assert held.let_go() == ("succeed", "send succeed")


def test_jobs_of_either_end_wait(held):
    ends = held.source, held.target
    jobs = [(end.machine.node, end.machine.begin(
        "control_instance", ip=end.at["ip"], port=end.at["port"],
        type="storage", control="restart")) for end in ends]
    for node, job in jobs:
        until(lambda: "waits for job" in node.status(job).get("progress", ""))
    assert held.let_go() == ("succeed", "send succeed")
    for node, job in jobs:
        assert node.finished(job)["result"] == "succeed"
    assert [rows(end) for end in ends] == [ROWS, ROWS]


def test_no_secret_of_a_send_is_kept_in_clear(ends, sql, deployment):
    source, target = ends
    job, _ = send(source, target, d_pwd="canary-of-a-password")
    with open(deployment.path("tokens", "machine")) as f:
        token = f.read().strip()
    with sql.cursor() as q:
        q.execute("SELECT CONCAT_WS(' ', shown, args, memo, error, progress)"
                  " AS t FROM job WHERE client_id = %s", (job,))
        texts = [row["t"] for row in q.fetchall()]
        assert len(texts) == 2
        for text in texts:
            assert "canary" not in text and token not in text
            assert source.password not in text
