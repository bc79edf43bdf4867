"""cluster_mgr: how it is asked, how it answers, and what becomes of a job's
name."""

import json
import re

import pytest

from support import raw
from support.load import race

FLAT_401 = '{"result":"failed","info":"token error"}'
PARAS_401 = ('{"version":"1.0","error_code":"70001",'
             '"error_info":"token error","status":"failed","job_id":"",'
             '"job_type":"","attachment":{}}\n')
EMIT = "/HttpService/Emit"

MACHINE = {"hostaddr": "127.0.0.99", "rack_id": "1", "datadir": "/d",
           "logdir": "/d", "wal_log_dir": "/d", "comp_datadir": "/d",
           "total_mem": "1024", "total_cpu_cores": "8"}
CREATE = {"ha_mode": "mgr", "shards": "2", "nodes": "3", "comps": "1",
          "max_storage_size": "20", "max_connections": "6", "cpu_cores": "8",
          "innodb_size": "1"}
# The members that a job needs, in the order of the document.
NEEDED = {
    "create_machine": list(MACHINE), "update_machine": list(MACHINE),
    "delete_machine": ["hostaddr"], "create_cluster": list(CREATE),
    "delete_cluster": ["cluster_name"],
    "add_shards": ["cluster_name", "shards"],
    "delete_shard": ["cluster_name", "shard_name"],
    "add_comps": ["cluster_name", "comps"],
    "delete_comp": ["cluster_name", "comp_name"],
    "add_nodes": ["cluster_name", "nodes"],
    "delete_node": ["cluster_name", "shard_name", "ip", "port"],
    "backup_cluster": ["backup_cluster_name"],
    "restore_new_cluster": ["timestamp", "backup_cluster_name"],
    "control_instance": ["control", "ip", "port"],
    "manual_switch": ["cluster_name", "shard_name"],
    "postgres_exporter": ["ip", "port"], "mysqld_exporter": ["ip", "port"],
}
GOOD = {**MACHINE, **CREATE, "cluster_name": "no-such", "shard_name": "s",
        "comp_name": "c", "ip": "127.0.0.99", "port": "57330",
        "backup_cluster_name": "no-such", "control": "stop",
        "timestamp": "2021-12-20 19:22:20"}


# ---- how it is asked ----

def test_a_body_that_is_no_object_is_told(cluster):
    for body in (b"", b"nope", b"[]", b'{"job_type":1', b'"get_status"',
                 b"null"):
        r = cluster.client.post("/", body)
        assert (r.status, r.text) == (
            200, '{"result":"failed","info":"json parse error"}'), body
        r = cluster.client.post(EMIT, body)
        assert (r.status, r.json["error_code"], r.json["status"]) \
            == (200, "70001", "failed"), body
        assert r.json["error_info"].startswith("JSON parse error"), r


def test_a_job_type_that_is_none_is_told(cluster, panel):
    for body in ({}, {"job_type": 1}, {"job_type": ["get_status"]},
                 {"job_type": ""}, {"job_type": None}):
        r = cluster.client.post("/", body)
        assert r.json == {"result": "failed", "info": "job_type error"}, body
    assert cluster.refused("no\"pe") == 'job_type error: no"pe'
    assert cluster.refused("dry_run") == "job_type error: dry_run"
    code, info = panel.refused("nope")
    assert code == "70001" and "nope" in info and "job_type" in info
    r = cluster.client.post(EMIT, {"version": "1.0"})
    assert (r.json["error_code"], r.json["error_info"]) == (
        "70001", "missing `job_type` key-value pair in the request body")


def test_a_dry_run_writes_nothing_wherever_it_is_asked_for(cluster, panel,
                                                           sql):
    def jobs():
        with sql.cursor() as q:
            q.execute("SELECT COUNT(*) AS n FROM job WHERE queue = 'cluster'")
            return q.fetchone()["n"]
    before = jobs()
    members = {"cluster_name": "no-such"}
    why = "error, cluster_name is no exist"
    for word in ("1", 1, True, "true", "yes"):
        assert cluster.refused("delete_cluster", dry_run=word, **members) \
            == why
        body = panel.body("delete_cluster", **members)
        for said in ({**body, "dry_run": word},
                     {**body, "paras": {**members, "dry_run": word}}):
            r = panel.client.post(EMIT, said)
            assert (r.json["status"], r.json["error_info"]) \
                == ("failed", why), said
    assert jobs() == before
    for word in ("0", 0, False, "false", "", None):
        assert cluster.run("delete_cluster", 60, dry_run=word, **members) \
            == ("failed", why)
    assert jobs() > before


def test_a_login_that_cannot_be_is_refused(cluster, panel, sql):
    for user in ("postgres", "pg_x", "1a", "a b", "A", 'a"b', "a" * 33):
        result, why = cluster.run("create_cluster", **CREATE,
                                  computer_user=user, computer_password="s3cr3t")
        assert result == "failed" and why.startswith("computer_user error"), why
    for user, password in (("app", "s3cr3t'"), ("app", "s3cr3t "),
                           (None, "s3cr3t")):
        said = panel.run("create_cluster", **CREATE, fullsync_level="1",
                         computer_user=user, computer_password=password)
        assert said[0] == "failed" \
            and said[2].startswith("computer_password error"), said
        assert "s3cr3t" not in said[2]
    with sql.cursor() as q:
        q.execute("SELECT memo FROM Kunlun_Metadata_DB.cluster_general_job_log")
        memos = str(q.fetchall())
    assert "s3cr3t" not in memos
    assert "computer_user" in memos and "fullsync_level" in memos


def test_a_place_may_be_called_in_paras_as_flat_clients_do(panel):
    for job in ("postgres_exporter", "mysqld_exporter"):
        for member in ("ip", "hostaddr"):
            result, _, why = panel.run(job, port="57330",
                                       **{member: "127.0.0.99"})
            assert result == "failed" and why.endswith("is not known"), why


def test_what_every_request_in_paras_has_is_asked_for(panel):
    whole = panel.body("create_cluster", **CREATE)
    for member in ("version", "job_id", "timestamp", "user_name", "paras"):
        body = {k: v for k, v in whole.items() if k != member}
        r = panel.client.post(EMIT, body)
        assert (r.json["status"], r.json["error_code"],
                r.json["error_info"]) == (
            "failed", "70001",
            f"missing `{member}` key-value pair in the request body")
    for bad in ("x", [], None, 1):
        r = panel.client.post(EMIT, {**whole, "paras": bad})
        assert r.json["status"] == "failed", r


def test_every_path_takes_either_shape(cluster, panel):
    for path in ("/", "/a/b", "/para"):
        r = cluster.client.post(path, {"job_type": "get_status",
                                       "job_id": "nope"})
        assert r.json == {"result": "ongoing", "info": "job id no find"}
        r = cluster.client.post(path, panel.body("get_status", "77777777"))
        assert (r.json["status"], r.json["error_info"]) == (
            "failed", "job id no find")
    r = cluster.client.post("/x" + EMIT, panel.body("get_status", "nope"))
    assert r.json["error_info"] == "job id no find"


def test_the_type_of_a_body_is_not_looked_at(cluster):
    """curl -d says that it is a form."""
    body = b'{"job_type":"get_status","job_id":"nope"}'
    for kind in ("application/json", "application/x-www-form-urlencoded",
                 "Application/JSON; charset=utf-8", "text/plain", None):
        headers = {"Content-Type": kind} if kind else {}
        r = cluster.client.request("POST", "/", body, headers=headers)
        assert r.json["info"] == "job id no find", kind


def test_a_client_of_http_1_0_is_answered(cluster):
    body = b'{"job_type":"get_status","job_id":"nope"}'
    with cluster.client.connect() as s:
        s.sendall(b"POST / HTTP/1.0\r\nHost: x\r\nExpect:\r\n"
                  b"Content-Type: application/json\r\nX-Metagate-Token: " +
                  cluster.client.token.encode() +
                  b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        said = b"".join(iter(lambda: s.recv(65536), b""))
    head, _, text = said.partition(b"\r\n\r\n")
    assert b" 200 OK" in head.split(b"\r\n")[0] and b"chunked" not in head
    assert text == b'{"result":"ongoing","info":"job id no find"}'


def test_pieces_of_a_body_are_put_together(cluster):
    text = raw.request("POST", "/", {"pad": "\n" * 5000, "job_type":
                                     "get_status", "job_id": "nope"},
                       [("X-Metagate-Token", cluster.client.token)])
    r = raw.send(cluster.client, [text[:100], text[100:3000], text[3000:]])
    assert r.json["info"] == "job id no find"


# ---- who may ----

def test_a_token_is_asked_for_in_the_clients_form(cluster):
    for path, form in (("/", FLAT_401), (EMIT, PARAS_401)):
        for token in ("none", "unknown"):
            client = cluster.client.scope(token)
            for body in ({"job_type": "get_status"}, b" " * (2 << 20)):
                r = client.post(path, body)
                assert (r.status, r.text) == (401, form)
                assert r.headers.get_all("WWW-Authenticate") == [
                    "Bearer", 'Basic realm="metagate"']
        r = cluster.client.scope("profile").post(
            path, {"job_type": "get_status"})
        assert (r.status, r.text.replace('"job_type":"get_status"',
                                         '"job_type":""')) == (403, form)
    r = cluster.client.scope("read").post("/", {
        "job_type": "delete_cluster", "job_id": "x", "cluster_name": "c"})
    assert (r.status, r.text) == (403, FLAT_401)


def test_a_body_that_is_too_large_is_told_in_the_clients_form(cluster):
    body = b" " * ((1 << 20) + 1)
    assert cluster.client.post("/", body).json == {
        "result": "failed", "info": "request body too large"}
    r = cluster.client.post(EMIT, body)
    assert (r.status, r.json["error_info"]) == (413, "request body too large")


def test_a_page_may_ask_before_it_sends(cluster):
    """A browser brings no token with a preflight."""
    client = cluster.client.using(token=None)
    for path in ("/", EMIT):
        r = client.request("OPTIONS", path, headers={
            "Origin": "http://panel", "Access-Control-Request-Method": "POST"})
        assert r.status == 200 and r.body == b""
        allowed = r.headers["Access-Control-Allow-Headers"]
        assert {"*", "Authorization", "Content-Type", "X-Metagate-Token"} \
            <= set(re.split(", *", allowed))
        assert r.headers["Access-Control-Allow-Origin"] == "*"
        assert r.headers["Access-Control-Allow-Methods"] \
            == r.headers["Allow"] == "POST, GET, OPTIONS"
        assert r.headers["Access-Control-Max-Age"] == "86400"
        assert "Access-Control-Allow-Credentials" not in r.headers


def test_every_answer_may_be_read_by_a_page(cluster):
    for client in (cluster.client, cluster.client.scope("none"),
                   cluster.client.scope("profile")):
        for body in ({"job_type": "get_status", "job_id": "x"}, b"nope"):
            r = client.post("/", body, headers={"Origin": "http://panel"})
            assert r.headers.get_all("Access-Control-Allow-Origin") == ["*"]
            assert "Access-Control-Allow-Credentials" not in r.headers


def test_help_is_a_page_and_nothing_else_is(cluster):
    for path in ("/", "/para", "/file"):
        r = cluster.client.get(path)
        assert r.status == 200 and "<h1>" in r.text
        assert r.headers["Content-Type"].startswith("text/html")
    assert cluster.client.get("/etc/passwd").status == 404


# ---- accepted, and then ----

def test_a_job_needs_a_name(cluster):
    for bad in (None, "", 1, [], {}, "x" * 129, True):
        for job in NEEDED:
            assert cluster.refused(job, job_id=bad, **GOOD) \
                == "get job_id error", (job, bad)
    assert cluster.refused("get_status") == "get job_id error"
    assert cluster.refused("get_status", job_id="") == "get job_id error"
    cluster.begin("restore_cluster", job_id=cluster.word("x" * 100)[:128])


@pytest.mark.parametrize("job", NEEDED)
def test_missing_members_are_told_in_their_order(cluster, job):
    """Accepted first: why it has failed get_status tells."""
    needed, ids = NEEDED[job], {}
    for i, member in enumerate(needed):
        for bad in (..., None, "", [], {}):
            body = {m: GOOD[m] for m in needed[:i]}
            if bad is not ...:
                body[member] = bad
            ids[cluster.begin(job, **body)] = member
    for name, member in ids.items():
        assert cluster.finished(name) == ("failed", f"get {member} error")


def refused(cluster, job, **members):
    result, info = cluster.run(job, **members)
    assert result == "failed"
    return info


def test_counts_have_a_range(cluster):
    for job, member in (("add_shards", "shards"), ("add_comps", "comps"),
                        ("create_cluster", "shards"),
                        ("create_cluster", "comps")):
        body = CREATE if job == "create_cluster" else {"cluster_name": "no"}
        for bad in ("0", "11", "x", "-1", 0, 11, 1.5, "99999999999999999999"):
            assert refused(cluster, job, **{**body, member: bad}) \
                == f"{member} error(must in 1-10)", (job, bad)
    for bad in ("0", "17", 17):
        assert refused(cluster, "create_cluster",
                       **{**CREATE, "innodb_size": bad}) \
            == "innodb_size error(must in 1-16)"


def test_how_many_nodes_there_may_be_depends_on_the_mode(cluster):
    def create(**members):
        return refused(cluster, "create_cluster", **{**CREATE, **members})

    for bad in ("1", "2", "11", "x"):
        assert create(nodes=bad) == "error, nodes>=3 && nodes<=10 in mgr mode"
    for bad in ("2", "0", 3):
        assert create(ha_mode="no_rep", nodes=bad) \
            == "error, nodes=1 in no_rep mode"
    for mode in ("rbr", "x", "MGR"):
        assert create(ha_mode=mode) == f"it is not support {mode}"
    # in their order: shards, nodes by the mode, comps, innodb_size
    assert create(shards="0", ha_mode="x") == "shards error(must in 1-10)"
    assert create(ha_mode="x", comps="0") == "it is not support x"
    assert create(nodes="1", comps="0") \
        == "error, nodes>=3 && nodes<=10 in mgr mode"
    assert create(comps="0", innodb_size="0") == "comps error(must in 1-10)"
    without = {k: v for k, v in CREATE.items() if k != "cpu_cores"}
    assert refused(cluster, "create_cluster", **{**without,
                   "innodb_size": "0"}) == "get cpu_cores error"


def test_an_order_to_an_instance_is_one_of_three(cluster):
    for bad in ("x", "STOP", "kill"):
        assert refused(cluster, "control_instance", control=bad) \
            == "control type error"  # before ip and port are looked at


def test_restoring_in_place_is_closed(cluster, panel):
    assert cluster.run("restore_cluster") \
        == ("failed", "restore_cluster is disabled")
    assert panel.run("cluster_restore", src_cluster_id="1",
                     dst_cluster_id="2", restore_time="x") \
        == ("failed", "70001", "restore_cluster is disabled")


# what KunlunBase has for failures of each kind of job
RANGES = {"create_cluster": (70070, 70094), "delete_cluster": (70095, 70105),
          "add_comps": (70107, 70117), "add_shards": (70118, 70130),
          "delete_comp": (70131, 70137), "delete_shard": (70138, 70144),
          "add_nodes": (70153, 70166), "delete_node": (70167, 70180)}


@pytest.mark.parametrize("job", RANGES)
def test_the_code_of_a_failure_says_which_kind_of_job_failed(cluster, panel,
                                                             job):
    first, last = RANGES[job]
    members = {"cluster_name": "no-such", "shards": "1", "comps": "1",
               "nodes": "1", "shard_name": "shard1", "comp_name": "comp1",
               "ip": "127.0.0.1", "hostaddr": "127.0.0.1", "port": "1"}
    for left_out in (None, "cluster_name", "shards", "comps", "nodes",
                     "shard_name", "comp_name", "port"):
        body = {k: v for k, v in members.items() if k != left_out}
        word, code, info = panel.run(job, **body)
        assert word == "failed" and first <= int(code) <= last, \
            (left_out, code, info)
        assert cluster.run(job, **body) == ("failed", info)


def test_a_row_of_a_table_may_be_sent_as_a_whole(cluster):
    """XPanel sends what it has read: members that are none of the job's."""
    row = {"id": 7, "name": "n", "shards": [{"x": 1}], "comps": None,
           "svc_since": "2022-01-01", "status": {}, "memo": "{}"}
    assert refused(cluster, "delete_cluster", **row) \
        == "get cluster_name error"


def test_whoever_asks_for_an_unknown_job_waits(cluster, panel):
    assert cluster.ask("get_status", job_id="nope") == {
        "result": "ongoing", "info": "job id no find"}
    for name in ("nope", "99999999", "", "-1", "1.0", "1e3"):
        said = panel.status(name)
        assert (said["status"], said["error_code"], said["error_info"]) == (
            "failed", "70001", "job id no find"), name


def test_another_queues_job_is_nobodys(deployment, panel, sql):
    with sql.cursor() as q:
        q.execute("INSERT INTO job (uid, queue, machine, kind, client_id,"
                  " state, step, steps, doing, progress, since_ms, tries,"
                  " cancel, args, shown, locks, owner, epoch, token_name,"
                  " request_id, created_ms, finished_ms) VALUES (%s,"
                  " 'machine', 'x', 'node_mgr.control_instance', 'j', 'done',"
                  " 1, 1, '', '', 0, 0, 0, '', '{}', '', '', 1, '', '', 0, 1)",
                  ("%032x" % id(q),))
        number = q.lastrowid
    assert panel.status(str(number))["error_info"] == "job id no find"


# ---- the operations table ----

def logged(sql, column, value):
    with sql.cursor() as q:
        q.execute("SELECT job_id, job_type, status, memo, when_started,"
                  " when_ended, job_info, user_name FROM"
                  " Kunlun_Metadata_DB.cluster_general_job_log"
                  f" WHERE {column} = %s ORDER BY id", (value,))
        return q.fetchall()


def row(cursor_row):
    return list(cursor_row.values()) if isinstance(cursor_row, dict) \
        else list(cursor_row)


def test_every_accepted_job_is_an_operation(cluster, panel, sql):
    job = cluster.begin("delete_shard", cluster_name="no-such",
                        user_name="zhangsan", password="canary-flat")
    cluster.finished(job)
    rows = logged(sql, "job_id", job)
    assert len(rows) == 1
    name, kind, status, memo, begun, ended, info, user = row(rows[0])
    assert (name, kind, status, info, user) == (
        job, "delete_shard", "failed", "get shard_name error", "zhangsan")
    assert begun is not None and ended >= begun
    assert json.loads(memo) == {
        "job_type": "delete_shard", "user_name": "zhangsan",
        "cluster_name": "no-such"}
    number = panel.begin("delete_shard", cluster_id="77", computer_password=
                         "canary-paras")
    panel.finished(number)
    name, kind, status, memo, *_, info, user = row(logged(sql, "id",
                                                          number)[0])
    assert (kind, status, info, user) == (
        "delete_shard", "failed", "get shard_name error", "kunlun_test")
    assert json.loads(memo)["paras"] == {"cluster_id": "77"}


# ---- the name of a job ----

@pytest.fixture
def held(deployment, cluster, sql):
    """Jobs that wait: no control takes any while this holds."""
    for k in (1, 2, 3):
        deployment.command("stop", f"control-m{k}", check=False)
    yield cluster
    for k in (1, 2, 3):
        deployment.command("start", f"control-m{k}", check=False)


@pytest.mark.fault
class TestHeld:
    """No control runs: a job that was accepted waits."""

    def test_the_same_request_is_the_same_job(self, held, sql):
        body = {"cluster_name": "no-such", "machinelist": [{"hostaddr": "h"}]}
        job = held.begin("add_shards", shards="2", **body)
        assert held.status(job) == {
            "result": "ongoing", "info": "add shards start",
            "progress": "waits for a runner"}
        again = {"job_id": job, **dict(reversed(body.items())), "shards": "2"}
        assert held.ask("add_shards", **again) == {"result": "accept"}
        for other in ({**again, "shards": "3"}, {**again, "shards": 2},
                      {**again, "extra": ""}):
            assert held.ask("add_shards", **other) == {
                "result": "ongoing", "info": "add shards start"}
        assert held.ask("delete_cluster", **again) == {
            "result": "ongoing", "info": "add shards start"}
        assert [row(r)[2] for r in logged(sql, "job_id", job)] \
            == ["not_started"]

    def test_many_at_once_are_one(self, held, sql):
        job = held.word("job")
        said = race(8, lambda i: held.ask("delete_comp", job_id=job))
        assert said == [{"result": "accept"}] * 8
        assert len(logged(sql, "job_id", job)) == 1
        job = held.word("job")
        said = race(8, lambda i: held.ask("delete_comp", job_id=job, n=i))
        results = sorted(s["result"] for s in said)
        assert results == ["accept"] + ["ongoing"] * 7
        assert len(logged(sql, "job_id", job)) == 1

    def test_one_job_at_a_time_changes_a_cluster(self, held, panel, sql):
        name = held.word("cluster")
        with sql.cursor() as q:
            q.execute("INSERT INTO Kunlun_Metadata_DB.db_clusters (name,"
                      " ha_mode) VALUES (%s, 'mgr')", (name,))
            number = str(q.lastrowid)
        held.begin("add_shards", cluster_name=name, shards="1")
        busy = {"result": "ongoing", "info": "add shards start"}
        for job in ("delete_cluster", "add_shards", "delete_shard",
                    "add_comps", "delete_comp", "add_nodes", "delete_node"):
            assert held.ask(job, job_id=held.word("j"), cluster_name=name,
                            **{m: GOOD[m] for m in NEEDED[job][1:]}) == busy
        for job in ("backup_cluster", "restore_new_cluster"):
            assert held.ask(job, job_id=held.word("j"), timestamp="x",
                            backup_cluster_name=name) == busy
        for paras in ({"cluster_id": number}, {"cluster_name": name}):
            said = panel.ask("delete_cluster", **paras)
            assert (said["status"], said["error_code"], said["error_info"],
                    said["job_id"]) == ("ongoing", "0", "add shards start",
                                        "")
        assert panel.ask("manual_backup_cluster", cluster_id=number)[
            "status"] == "ongoing"
        # nobody else's, none's, and what locks nothing
        held.begin("delete_cluster", cluster_name=held.word("no-such"))
        held.begin("delete_cluster", cluster_name="no-such")
        held.begin("delete_cluster", cluster_name="no-such")
        held.begin("create_cluster", **CREATE)
        held.begin("create_cluster", **CREATE)
        held.begin("control_instance", control="stop", ip="x", port="1")
        held.begin("delete_machine", hostaddr="127.0.0.99")

    def test_two_at_once_do_not_both_change_a_cluster(self, held, sql):
        name = held.word("cluster")
        with sql.cursor() as q:
            q.execute("INSERT INTO Kunlun_Metadata_DB.db_clusters (name,"
                      " ha_mode) VALUES (%s, 'mgr')", (name,))
        said = race(8, lambda i: held.ask(
            "delete_comp", job_id=held.word("j"), cluster_name=name)["result"])
        assert sorted(said) == ["accept"] + ["ongoing"] * 7


def test_a_finished_name_is_free(cluster, sql):
    job = cluster.begin("delete_comp", cluster_name="no-such")
    assert cluster.finished(job) == ("failed", "get comp_name error")
    cluster.begin("restore_cluster", job_id=job)
    assert cluster.finished(job) == ("failed", "restore_cluster is disabled")
    cluster.begin("restore_cluster", job_id=job)  # the same body runs again
    cluster.finished(job)
    assert [row(r)[1] for r in logged(sql, "job_id", job)] == [
        "delete_comp", "restore_cluster", "restore_cluster"]


def test_names_of_jobs_are_bytes(cluster):
    base = cluster.word("job")
    for name in (base + "\n", base + " ", base + "'\"\\%_", base.upper(),
                 base + "\u4e2d\u6587"):
        job = cluster.begin("restore_cluster", job_id=name)
        assert cluster.finished(job)[0] == "failed"
    assert cluster.status(base + "x")["info"] == "job id no find"
