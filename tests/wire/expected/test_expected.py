"""The tables and the product against a second word: *.txt beside this file,
written from the documents. A row that one of them lacks is a failure."""

import fnmatch
import glob
import json
import os
import re
from collections import namedtuple

import pytest

from support import doris as d
from support import tables
from support.listeners import first
from support.metarpc import MetaRpc
from support.pegasus import Cluster
from support.ticdc import Ticdc
from support.waiting import until
from support.words import fresh

ANY = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
OPENS = tables.OPENS

Row = namedtuple("Row",
                 "listener prefixes methods scope path verb order ladder")


def load():
    rows, where = [], None
    for name in sorted(glob.glob(os.path.join(os.path.dirname(__file__),
                                              "*.txt"))):
        with open(name) as f:
            lines = [line.rstrip() for line in f]
        for line in lines:
            if not line or line.startswith("#"):
                continue
            if line.startswith("listener "):
                _, listener, *prefixes = line.split()
                where = listener, ["" if p == "-" else p for p in prefixes]
            elif line.startswith(" "):
                status, text, body = line.split(" | ", 2)
                rows[-1].ladder.append((status.strip(), text, body))
            else:
                row, _, order = line.partition(" : ")
                methods, scope, path, verb = (row.split() + ["-"])[:4]
                methods = ANY if methods == "any" else methods.split("|")
                rows.append(Row(*where, tuple(methods), scope, path, verb,
                                order.split(), []))
    return rows


ROWS = load()


def each(rows):
    """Every row on every prefix."""
    return pytest.mark.parametrize("row, prefix", [
        pytest.param(row, prefix, id=f"{'|'.join(row.methods)}-"
                     f"{row.listener}{prefix}{row.path}"
                     + ("" if row.verb == "-" else f"-{row.verb}"),
                     marks=[pytest.mark.profile] if "/pprof/" in row.path
                     else [])
        for row in rows for prefix in row.prefixes])


def test_the_tables_have_what_is_expected_and_nothing_else():
    expected = {(row.listener, prefix, row.path, row.verb, row.methods,
                 row.scope) for row in ROWS for prefix in row.prefixes}
    found = {(e.listener, e.prefix, e.path, e.verb, tuple(e.methods),
              e.scope) for e in tables.endpoints()}
    assert sorted(found - expected) == []
    assert sorted(expected - found) == []


def test_what_refuses_a_change_is_named():
    assert [row for row in ROWS if not row.ladder and not row.order
            and row.scope not in ("none", "read", "profile")
            and row.methods != ("GET",) and "read" not in row.scope] == []


def at(row, prefix):
    path = "/no_such_row" if row.path == "*" else row.path
    name = "control-m1" if path.startswith("/role/") else "0"
    return prefix + path.replace("{process}", name)


def ask(deployment, row, prefix, method, token):
    """A request that nobody can take, by a token of that scope: when it is
    let in it is refused for what it asks, and changes nothing."""
    client = deployment.client(first(row.listener), token)
    if row.listener == "doris-fe" and token not in ("none", "unknown"):
        client = client.using(token=None, basic=deployment.fe_user())
    body = b"[" if row.verb == "-" \
        else b'{"job_type":"%s","job_id":{}}' % row.verb.encode()
    kind = {"Content-Type": "multipart/form-data; boundary=b"} \
        if row.verb == "upload" else None
    return client.request(method, at(row, prefix), body, query="seconds=x",
                          headers=kind)


@each(ROWS)
def test_what_a_token_opens(deployment, row, prefix):
    for method in row.methods:
        for token in ("none", "unknown"):
            r = ask(deployment, row, prefix, method, token)
            denied = row.scope != "none"
            assert (r.status in (401, 403)) == denied, (method, token, r)
        for token, opened in OPENS.items():
            r = ask(deployment, row, prefix, method, token)
            denied = row.scope not in opened | {"none"} \
                and row.listener != "doris-fe"
            assert (r.status == 403) == denied, (method, token, r)


@each([row for row in ROWS if row.path != "*"])
def test_another_method_is_refused(deployment, row, prefix):
    taken = {m for other in ROWS for m in other.methods
             if (other.listener, other.path) == (row.listener, row.path)
             and other.prefixes == row.prefixes}
    for method in (*ANY, "PATCH", "PROPFIND"):
        r = ask(deployment, row, prefix, method, "admin")
        refused = r.text == "404 page not found" \
            if row.listener == "ticdc" else r.status == 405
        assert refused == (method not in taken), (method, r)


# ---- the order of refusals ----

def data_of(ms, iid):
    """Tablets with and without jobs, transactions in every state, a stage of
    either kind: what the placeholders of transactions stand for."""
    rpc = MetaRpc(ms, iid)
    rpc.ok("create_tablets", {"tablet_metas": [
        {"table_id": 20, "index_id": 30, "partition_id": 40, "tablet_id": t,
         "schema_version": 1} for t in (50, 51, 52)]})
    for tablet in 50, 52:
        job = {"idx": {"tablet_id": tablet}, "compaction": [{
            "id": "runs", "type": "CUMULATIVE", "base_compaction_cnt": 0,
            "cumulative_compaction_cnt": 0, "expiration": 4000000000,
            "lease": 4000000000}]}
        rpc.ok("start_tablet_job", {"job": job})
    rpc.ok("finish_tablet_job", {"action": "ABORT", "job": job})
    running, aborted, visible = (rpc.ok("begin_txn", {"txn_info": {
        "db_id": 10, "table_ids": [20], "timeout_ms": 600000, "label": label,
        "request_id": {"hi": 1, "lo": 2}}})["txn_id"]
        for label in ("busy", "gone", "seen"))
    rpc.ok("abort_txn", {"txn_id": aborted})
    rpc.ok("commit_txn", {"db_id": 10, "txn_id": visible})
    rpc.ok("create_stage", {"stage": {
        "type": "INTERNAL", "stage_id": "stage1", "mysql_user_name": ["root"],
        "mysql_user_id": ["1"]}})
    rpc.ok("create_stage", {"stage": {"type": "EXTERNAL", "name": "ext",
                                      "stage_id": "stage2"}})
    return {"$T": str(running), "$A": str(aborted), "$W": str(visible)}


def vault_mode(ms):
    """An instance with an S3 and an HDFS vault."""
    iid, hdfs = fresh("i"), {"build_conf": {"fs_name": "hdfs://h"}}
    for op, body in [
            ("create_instance", {"instance_id": iid,
                                 "vault": {"hdfs_info": hdfs}}),
            ("add_s3_vault", {"vault": {"name": "v1",
                                        "obj_info": d.OBJ_INFO}}),
            ("add_hdfs_vault", {"vault": {"name": "h1", "hdfs_info": hdfs}})]:
        r = ms.put(op, {"cloud_unique_id": f"1:{iid}:m", **body})
        assert r.status == 200, r
    return iid


@pytest.fixture(scope="module")
def words(pool):
    """What the placeholders stand for: an instance with two COMPUTE clusters,
    a SQL and a virtual one, a dropped one, one with vaults, transactions, and
    a name that nobody has."""
    ms = pool.get().client("doris", prefix="/MetaService/http")
    live, dropped = d.instance(ms), d.instance(ms)
    for cid, name, kind, node in [
            ("c1", "n1", "COMPUTE", {"ip": "1.1.1.1", "heartbeat_port": 9050}),
            ("c2", "n2", "COMPUTE", {"ip": "1.1.1.2", "heartbeat_port": 9050}),
            ("s1", "q1", "SQL", {"ip": "1.1.1.3", "edit_log_port": 9010,
                                 "node_type": "FE_MASTER"})]:
        r = ms.put("add_cluster", {"instance_id": live, "cluster": {
            "cluster_id": cid, "cluster_name": name, "type": kind,
            "nodes": [{"cloud_unique_id": f"1:{live}:{cid}", **node}]}})
        assert r.status == 200, r
    r = ms.put("add_cluster", {"instance_id": live, "cluster": {
        "cluster_id": "v1", "cluster_name": "w1", "type": "VIRTUAL",
        "cluster_names": ["n1", "n2"], "cluster_policy": {
            "type": "ActiveStandby", "active_cluster_name": "n1",
            "standby_cluster_names": ["n2"]}}})
    assert r.status == 200, r
    assert ms.put("drop_instance", {"instance_id": dropped}).status == 200
    return {"$I": live, "$D": dropped,
            "$U": fresh("u").replace("_", "-"), "$1K": "x" * 1030,
            "$V": vault_mode(ms), **data_of(ms, live)}


@pytest.fixture
def feeds(deployment, row):
    """A changefeed that runs and one that is stopped, for a ladder that names
    them."""
    words, cdc = {}, Ticdc(deployment)
    for word in "$F", "$S":
        if any(word in line[2] for line in row.ladder):
            words[word] = cdc.create(fresh("f").replace("_", "-"))
    if "$S" in words:
        assert cdc.post(f"changefeeds/{words['$S']}/pause").status == 202
    yield words
    for name in words.values():
        assert cdc.delete(f"changefeeds/{name}").status == 202


def steps(row, words):
    """(status, text, values of the path, body) of every line of a ladder."""
    before = None
    for status, text, body in row.ladder:
        for word, value in words.items():
            text, body = text.replace(word, value), body.replace(word, value)
        values = []
        if body.startswith("<"):
            values, _, body = body[1:].partition(">")
            values, body = values.split(), body.strip()
        if body.startswith("+"):
            body = json.dumps({**json.loads(before), **json.loads(body[1:])})
        before = body
        yield status, text, values, body


def ask_doris(client, row, path, _, body):
    query = None
    if body.startswith("?"):
        query, body = body[1:], None
    r = client.request(row.methods[-1] if len(row.methods) == 1 else "PUT",
                       path, body, query=query,
                       headers={"Accept": "application/json"})
    if "status" in r.json:  # an RPC
        assert r.status == 200, r
        return lambda: (r.json["status"]["code"], r.json["status"]["msg"])
    assert r.json["code"] == {
        400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 409: "ALREADY_EXISTED",
        500: "INTERNAL_ERROR"}[r.status]
    return lambda: (str(r.status), r.json["msg"])


def ask_ticdc(client, row, path, _, body):
    r = client.request(row.methods[0], path, body or None)
    code = r.json["error_code"]
    assert r.json["error_msg"].startswith(f"[{code}]"), r
    return lambda: (f"{r.status} {code}",
                    r.json["error_msg"][len(code) + 2:])


def ask_kunlun(client, row, path, status, body):
    """At once, or by get_status of a job that was accepted."""
    body = {"job_type": row.verb, **json.loads(body)}
    if status != "job":
        r = client.post(path, body)
        assert r.status == 200, r
        return lambda: (r.json["result"], r.json["info"])
    body["job_id"] = fresh("job")
    r = client.post(path, body)
    if r.json not in ({"result": "accept"}, {"result": "succeed"}):
        return lambda: (r.text, "")
    word = "error" if row.listener == "node_mgr" else "failed"

    def told():
        said = client.post(path, {"job_type": "get_status",
                                  "job_id": body["job_id"]}).json
        return said if said["result"] in (word, "done", "succeed") else None

    def over():
        said = until(told, f"{body} is over", 60)
        return "job" if said["result"] == word else said, said["info"]
    return over


ASK = {"ticdc": ask_ticdc, "node_mgr": ask_kunlun, "cluster_mgr": ask_kunlun}


@each([row for row in ROWS if row.ladder])
def test_refusals_come_in_the_documented_order(deployment, words, feeds, row,
                                               prefix):
    client = deployment.client(first(row.listener))
    words = {**words, **feeds, "$M": client.host}
    asked, wrong = [], []
    for status, text, values, body in steps(row, words):
        path = prefix + row.path
        for value in values:
            path = re.sub(r"\{\w+\}", value, path, count=1)
        asked.append((status, text, body, ASK.get(row.listener, ask_doris)(
            client, row, path, status, body)))
    for status, text, body, answer in asked:
        found = answer()
        if found[0] != status or not fnmatch.fnmatchcase(found[1], text):
            wrong.append(f"expected {status} {text}, got {found} for {body}")
    assert not wrong, "\n".join(wrong)


@each([row for row in ROWS if row.listener == "pegasus-meta" and row.order
       and row.order != ["own"]])
def test_each_step_refuses_before_the_next(deployment, row, prefix):
    """Every request has what all later steps refuse as well."""
    cluster = Cluster(deployment)
    leader, standby = cluster.leader(), cluster.standbys()[0]
    method, reads = row.methods[-1], "GET" in row.methods
    if not reads:
        r = cluster.on(standby).scope("profile").request(
            "GET", row.path, b"{", query="no_such=1")
        assert r.status == 405, r
    r = cluster.on(standby).scope("profile").request(
        method, row.path, b"{", query="no_such=1")
    assert (r.status, r.text) == (403, "ERR_ACL_DENY")
    body = {}
    for step in row.order:
        if step == "query":
            r = cluster.on(standby).request(method, row.path, b"{",
                                            query="no_such=1")
            expected = 400, ""
        elif step == "standby":
            r = cluster.on(standby).request(method, row.path, b"{")
            expected = 307, ""
        elif step == "structure":
            r = cluster.on(leader).request(method, row.path, b"{")
            expected = 400, "invalid request structure"
        elif step == "?name":
            r = cluster.on(leader).request(method, row.path)
            expected = 400, "app name shouldn't be empty"
        else:
            r = cluster.on(leader).request(method, row.path, body)
            expected = 400, f"{step} should not be empty"
            body[step] = {"envs": {"k": "v"}, "keys": ["k"]}.get(step, "1")
        assert (r.status, r.text) == expected, (step, r)


def test_a_step_that_is_not_named_does_not_refuse(deployment):
    cluster = Cluster(deployment)
    for row in ROWS:
        if row.listener == "pegasus-meta" and "GET" in row.methods \
                and "profile" != row.scope:
            client = cluster.on(cluster.standbys()[0])
            r = client.get(row.path, query="no_such=1")
            assert (r.status == 400) == bool({"query", "own"} &
                                             set(row.order)), (row.path, r)
            assert (r.status == 307) == (row.order[:1] == ["standby"]), r
