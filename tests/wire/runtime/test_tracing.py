"""What a client calls its request by, from nginx to the audit row, the job and
what is called for it; and one command that joins the logs."""

import json
import re

import pytest

from support import doris as d, kunlun as k, raw
from support.box import Box
from support.processes import kill
from support.store import rows
from support.waiting import until
from support.words import fresh

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def create(doris, **headers):
    return doris.put("create_instance",
                     {"instance_id": fresh("i"), "name": "n", "user_id": "u"},
                     headers={n.replace("_", "-"): v
                              for n, v in headers.items()})


def audit(sql, r):
    row, = rows(sql, "SELECT * FROM audit WHERE request_id = %s",
                r.headers["X-Request-Id"])
    return row["client_request_id"], row["trace_id"]


def logs(deployment, name, *more):
    """nginx writes its buffer once a second: until it is in, too."""
    def whole():
        r = deployment.command("logs", name, "-o", "json", check=False)
        if r.returncode == 3:
            return None
        said = json.loads(r.stdout)
        files = {line["file"] for line in said["lines"]}
        return said if files >= {"nginx-access.log", *more} else None
    return until(whole, f"{name} in the access log and {more}")


def own(said):
    return [line for line in said["lines"]
            if line["file"].startswith("serve-")]


def test_what_the_client_calls_it_by_is_in_every_log_and_in_the_audit_row(
        deployment, doris, sql):
    name = fresh("c") + ".a_B:7+~"
    r = create(doris, X_Request_Id=name,
               traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    request_id = r.headers["X-Request-Id"]
    assert audit(sql, r) == (name, TRACE)
    said = logs(deployment, name)
    assert said["ids"] == [name, request_id]
    access, = [line["entry"] for line in said["lines"]
               if line["file"] == "nginx-access.log"]
    assert (access["id"], access["client_id"], access["trace"]) == (
        request_id, name, TRACE)
    line, = own(said)
    assert f" [{request_id} client_id={name} trace={TRACE}] " in line["text"]
    assert request_id in logs(deployment, TRACE)["ids"]
    assert logs(deployment, request_id)["lines"] == said["lines"]


def test_without_names_of_the_client_there_are_none(deployment, doris, sql):
    r = create(doris)
    assert audit(sql, r) == (None, None)
    said = logs(deployment, r.headers["X-Request-Id"])
    access, = [line["entry"] for line in said["lines"]
               if line["file"] == "nginx-access.log"]
    assert (access["client_id"], access["trace"]) == ("", "")


@pytest.mark.parametrize("wrong", [
    "x", f"00-{TRACE}-00f067aa0ba902b7", f"00-{TRACE}-0000000000000000-01",
    f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{TRACE}-00f067aa0ba902b7-01",
    f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
    f"00-{TRACE}-00f067aa0ba902b7-01-more", f"00-{TRACE}-00f067aa0ba902b7-0g"])
def test_a_traceparent_that_is_none_begins_another_trace(
        deployment, doris, sql, wrong):
    r = create(doris, traceparent=wrong)
    client, trace = audit(sql, r)
    assert client is None
    assert re.fullmatch("[0-9a-f]{32}", trace) and trace != TRACE
    said = logs(deployment, trace)  # the same in nginx's log
    assert r.headers["X-Request-Id"] in said["ids"]
    assert trace != audit(sql, create(doris, traceparent=wrong))[1]


def test_later_versions_of_traceparent_are_read_as_far_as_they_are_known(
        doris, sql):
    r = create(doris, traceparent=f"cc-{TRACE}-00f067aa0ba902b7-01-what.ever")
    assert audit(sql, r) == (None, TRACE)


@pytest.mark.parametrize("wrong", [
    "a b", "a=b", "a/b", "[a]", 'a"b', "a,b", "x" * 65, "ab" * 32, "AB" * 32])
def test_a_request_id_that_is_no_word_or_may_be_a_token_is_left_out(
        deployment, doris, sql, wrong):
    r = create(doris, X_Request_Id=wrong)
    assert audit(sql, r) == (None, None)
    said = logs(deployment, r.headers["X-Request-Id"])
    assert wrong not in json.dumps(said)


def test_an_id_that_comes_twice_refuses_nobody(doris, sql):
    name = fresh("c")
    ids = {create(doris, X_Request_Id=name).headers["X-Request-Id"]
           for _ in range(3)}
    found = rows(sql, "SELECT request_id FROM audit"
                      " WHERE client_request_id = %s", name)
    assert {row["request_id"] for row in found} == ids and len(ids) == 3


def test_the_api_finds_changes_by_each_of_the_three(doris, console):
    name, trace = fresh("c"), f"{abs(hash(fresh())):032x}"
    r = create(doris, X_Request_Id=name,
               traceparent=f"00-{trace}-00f067aa0ba902b7-00")
    assert create(doris).status == 200
    request_id = r.headers["X-Request-Id"]
    for word in (name, trace, request_id):
        row, = console.get("/api/audit",
                           query={"request_id": word}).json["items"]
        assert (row["request_id"], row["client_request_id"],
                row["trace_id"]) == (request_id, name, trace)


def test_a_job_is_done_as_the_work_of_its_request(deployment, console):
    """A part that is performed elsewhere says so in that process' log."""
    cluster_mgr = deployment.client("cluster_mgr")
    name, trace = fresh("c"), f"{abs(hash(fresh())):032x}"
    r = cluster_mgr.request(
        "POST", "/", json.dumps({
            "job_type": "create_cluster", "job_id": fresh("j"),
            "ha_mode": "mgr", "shards": "1", "nodes": "3", "comps": "1",
            "max_storage_size": "20", "max_connections": "100",
            "cpu_cores": "1", "innodb_size": "1"}).encode(),
        headers={"X-Request-Id": name,
                 "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert r.status == 200 and r.json["result"] == "accept", r.text
    job, = console.get("/api/jobs", query={"request_id": name}).json["items"]
    assert (job["request_id"], job["client_request_id"], job["trace_id"]) == (
        r.headers["X-Request-Id"], name, trace)
    until(lambda: any(
        "job.end" in line.get("text", "") and "control-" in line["file"]
        for line in logs(deployment, trace)["lines"]), "its end")


def said_of(deployment, word):
    r = deployment.command("logs", word, "-o", "json", check=False)
    return json.loads(r.stdout)["lines"] if r.returncode == 0 else []


def control_lines(deployment):
    """(file, line) of each control's log."""
    lines = []
    for k in (1, 2, 3):
        name = f"control-m{k}.log"
        with open(deployment.path("log", name)) as f:
            lines += [(name, line) for line in f]
    return lines


@pytest.mark.fault
def test_a_step_of_a_duty_has_an_id_of_its_own(deployment):
    """Whoever leads after it says so in a line of the step in which it does:
    the same control again, or another one."""
    before = set(control_lines(deployment))
    kill(deployment.pid_of("control-m1"))

    def steps():
        return [(name, found[1]) for name, line in control_lines(deployment)
                if (name, line) not in before and (found := re.search(
                    r" \[(pegasus\.leader-[0-9a-f]{16})\] pegasus\.leads ",
                    line))]
    name, step = until(steps, "somebody leads")[0]
    line = said_of(deployment, step)[0]
    assert line["file"] == name and f"[{step}]" in line["text"]


# ---- the command ----

def test_what_nginx_says_of_a_connection_is_joined(deployment, doris):
    """nginx's own errors name the connection and no request."""
    r = raw.send(doris, raw.head("POST", "/MetaService/http/" + fresh("x"), [
        ("Host", "h"), ("X-Metagate-Token", doris.token),
        ("Content-Length", str(1 << 30))]))
    assert r.status == 413
    said = logs(deployment, r.headers["X-Request-Id"], "nginx-error.log")
    line, = [line for line in said["lines"]
             if line["file"] == "nginx-error.log"]
    assert "too large body" in line["text"]


def test_lines_are_in_the_order_of_time_and_of_that_request_alone(
        deployment, doris):
    name = fresh("c")
    ids = [create(doris, X_Request_Id=name).headers["X-Request-Id"]
           for _ in range(3)]
    create(doris)
    said = until(lambda: (lambda s: s if len(s["lines"]) == 6 else None)(
        logs(deployment, name)), "three requests with two lines each")
    assert set(said["ids"]) == {name, *ids}
    times = [line["time_ms"] for line in said["lines"]]
    assert times == sorted(times) and times[0] > 0
    text = deployment.command("logs", name).stdout.splitlines()
    assert len(text) == 6 and all(
        any(i in line for i in ids) for line in text)
    assert [line.split(" ")[0] for line in text] == [
        line["file"] for line in said["lines"]]


def test_an_id_of_which_nothing_is_known_is_3_and_odd_words_are_2(deployment):
    r = deployment.command("logs", fresh("none"), check=False)
    assert r.returncode == 3 and "no line of " in r.stderr and not r.stdout
    for words in ([], ["-x"], ["a", "b"], ["a", "-o", "yaml"], [""],
                  ["x" * 100]):
        r = deployment.command("logs", *words, check=False)
        assert r.returncode == 2 and r.stderr.startswith("usage: "), words
    r = deployment.command("logs", "--help")
    assert "traceparent" in r.stdout


# ---- as JSON ----

@pytest.mark.fault
def test_our_logs_are_objects_when_they_are_to_be():
    box = Box(METAGATE_CORE_LOG_FORMAT="json")
    try:
        box.command("start")
        doris = box.client("doris", prefix="/MetaService/http")
        name = fresh("c")
        r = create(doris, X_Request_Id=name)
        assert r.status == 200
        d.add_cluster(doris, fresh("\u00e4\"\n\\"), "c")
        entry = own(logs(box, name))[0]["entry"]
        assert entry["id"] == r.headers["X-Request-Id"]
        assert entry["client_id"] == name
        assert entry["event"] == "request.done"
        assert entry["facts"]["operation"] == "create_instance"
        assert isinstance(entry["facts"]["ms"], int)
        kill(box.pid_of("serve-1"))
        until(lambda: box.pid_of("serve-1"), "another")
        for file in ("serve-0.log", "serve-1.log", "control-m1.log", "up.log"):
            with open(box.path("log", file)) as f:
                for line in f:
                    assert {"time", "level", "process", "event"} <= set(
                        json.loads(line)), (file, line)
    finally:
        box.close()
