"""What the logs hold, and what they do not: a line per event with the id of
its request, from nginx to the audit row."""

import json
import os
import re
import signal

import pytest

from support import doris as d, raw
from support.box import Box
from support.load import Load
from support.store import locked_instance, rows
from support.waiting import until
from support.words import REQUEST_ID, fresh

# "2026-01-31T23:59:59.123+0800 info serve-0 [id] event.name key=..."
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4} (debug|info|warn|error) "
    r"(?P<process>[\w.-]+)(?: \[(?P<id>[\w.-]+)( client_id=[^ \]]+)?( trace=[0-9a-f]{32})?\])? "
    r"(?P<event>[a-z_]+(\.[a-z_]+)+)( .*)?")
OURS = re.compile(r"(serve|control|supervise)-[\w.]+\.log|up\.log")
THEIRS = ("nginx-access.log", "nginx-error.log", "mariadb.log")


def log(deployment, name):
    with open(deployment.path("log", name), errors="replace") as f:
        return f.read()


def workers(deployment):
    return log(deployment, "serve-0.log") + log(deployment, "serve-1.log")


def lines_of(deployment, request_id):
    return [line for line in workers(deployment).splitlines()
            if request_id in line]


def access_line(deployment, request_id):
    """nginx writes its buffer once a second."""
    return until(lambda: next(
        (json.loads(line) for line in
         log(deployment, "nginx-access.log").splitlines()
         if request_id in line), None), "its line in the access log")


# ---- one id ----

def test_one_id_leads_from_the_reply_to_the_audit_row(deployment, doris, sql):
    iid = fresh("i")
    r = doris.put("create_instance", {"instance_id": iid, "name": "n",
                                      "user_id": "u"})
    request_id = r.headers["X-Request-Id"]
    assert re.fullmatch(REQUEST_ID, request_id)
    line = access_line(deployment, request_id)
    assert (line["method"], line["path"], line["status"], line["token"]) == (
        "PUT", "/MetaService/http/create_instance", 200, "first")
    own, = until(lambda: lines_of(deployment, request_id), "the worker's line")
    assert LINE.fullmatch(own)["id"] == request_id
    assert "request.done" in own and "operation=create_instance" in own
    assert f'target="instance {iid}"' in own and "token=first" in own
    audit, = rows(sql, "SELECT * FROM audit WHERE request_id = %s", request_id)
    assert audit["operation"] == "create_instance"
    assert audit["token_name"] == "first"


def test_an_id_of_the_client_is_not_taken(deployment, doris, sql):
    forged = "ab" * 16
    r = doris.put("create_instance",
                  {"instance_id": fresh("i"), "name": "n", "user_id": "u"},
                  headers={"X-Request-Id": forged, "Mg-Request-Id": forged})
    assert r.headers["X-Request-Id"] != forged
    assert not rows(sql, "SELECT 1 FROM audit WHERE request_id = %s", forged)


# ---- what gets a line ----

def test_reads_are_in_the_access_log_alone(deployment, doris):
    r = doris.get("list_instances")
    request_id = r.headers["X-Request-Id"]
    assert access_line(deployment, request_id)["status"] == 200
    assert lines_of(deployment, request_id) == []


def test_a_refused_mutation_says_why(deployment, doris):
    iid = d.instance(doris)
    assert d.add_cluster(doris, iid, "c").status == 200
    r = d.add_cluster(doris, iid, "c")
    assert r.status != 200
    own = until(lambda: lines_of(deployment, r.headers["X-Request-Id"]))
    assert any("request.done" in line and "err=exists" in line
               for line in own), own


def test_a_request_of_more_than_a_second_is_told(deployment, doris):
    """... and a failed one with the database's error."""
    iid = d.instance(doris)
    with locked_instance(deployment, iid):
        r = d.add_cluster(doris.using(timeout=15), iid, "c")
    assert r.status == 503
    own = until(lambda: lines_of(deployment, r.headers["X-Request-Id"]))
    assert any("db.failed errno=1205" in line for line in own), own
    last = own[-1]
    assert int(re.search(r" ms=(\d+)", last)[1]) >= 1000, last
    # SQL stays in the log
    assert "SELECT" not in r.text and "UPDATE" not in r.text


def test_every_line_is_one_event(deployment, doris):
    """Names with line feeds, escapes, C1 controls and markup in them."""
    provoke_lines(doris)
    check_lines(deployment, doris)


@pytest.mark.profile
def test_a_profile_leaves_no_line_of_its_own(deployment, doris, console):
    """gperftools tells standard error what it has done."""
    for process in ("/worker/0", "/role/control-m1"):
        for kind in ("profile?seconds=0", "heap", "heap?seconds=0", "growth"):
            r = console.get(f"{process}/pprof/{kind}")
            assert r.status == 200, r
    check_lines(deployment, doris)


def provoke_lines(doris):
    for name in ("a\nerror serve-0 forged.event", "\x1b[2J", "\x85\x9b31m",
                 "\u2028", '" why="x', "<img src=x>", "%s%n", "\x7f"):
        iid = fresh("i")
        doris.put("create_instance", {"instance_id": iid + name, "name": name,
                                      "user_id": name})
        doris.get("get_instance", query={"instance_id": iid + name})
        doris.request("PUT", "/MetaService/http/" + raw_path(name), b"{}")


def check_lines(deployment, doris):
    r = d.add_cluster(doris, d.instance(doris), "c")
    until(lambda: lines_of(deployment, r.headers["X-Request-Id"]))
    for name in os.listdir(deployment.path("log")):
        if not OURS.fullmatch(name):
            continue
        for line in log(deployment, name).splitlines():
            assert LINE.fullmatch(line), f"{name}: {line!r}"
            assert "forged.event" not in line.split(" ")[3:4]


def raw_path(name):
    return "".join(f"%{b:02x}" for b in name.encode())


def test_what_nginx_refuses_is_in_the_access_log(deployment, doris):
    r = raw.send(doris, raw.head("GET", "/" + fresh("x"), [("Host", "h")]))
    line = access_line(deployment, r.headers["X-Request-Id"])
    assert (line["status"], line["token"], line["listener"]) == (
        403, "", "doris")


# ---- SIGHUP ----

def opened(pid):
    """The files behind a process's descriptors."""
    folder = f"/proc/{pid}/fd"
    return {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}


def storm(box, doris):
    """A hundred of them fail no request."""
    with Load(4, lambda _: doris.get("list_instances").status) as load:
        for _ in range(100):
            done = load.done
            os.kill(box.pid_of("up"), signal.SIGHUP)
            until(lambda: load.done > done)
    assert set(load.results) == {200}


def outgrow(box, name):
    with open(box.path("log", name), "a") as f:
        f.write(("x" * 1023 + "\n") * 1024)


@pytest.mark.fault
def test_a_log_that_is_too_large_is_put_aside():
    """Whoever writes it goes on in a new one, and the oldest is removed. In
    the foreground too, where SIGHUP is not for logs."""
    box = Box(METAGATE_LOG_MAX_MIB="1", METAGATE_LOG_KEEP="2")
    try:
        box.ready(box.up())
        doris = box.client("doris", prefix="/MetaService/http")
        iid = d.instance(doris)
        for name in ("serve-0.log", "nginx-access.log", "mariadb.log",
                     "up.log"):
            for i in range(3):
                with open(box.path("log", name), "a") as f:
                    f.write(f"round {i}\n")
                outgrow(box, name)
                until(lambda: os.path.getsize(box.path("log", name)) < 1 << 20,
                      f"a new {name}")
            kept = [n for n in os.listdir(box.path("log"))
                    if n.startswith(name + ".")]
            assert sorted(kept) == [name + ".1", name + ".2"]
            assert "round 2" in log(box, name + ".1")
            assert "round 1" in log(box, name + ".2")
        r = d.add_cluster(doris, iid, "c")
        access_line(box, r.headers["X-Request-Id"])
        until(lambda: all(
            opened(box.pid_of(role)).isdisjoint(
                box.path("log", "serve-0.log" + n) for n in (".1", ".2"))
            for role in ("serve-0", "up")), "in the new ones")
        os.symlink("/dev/null", box.path("log", "z.log"))
        os.mkdir(box.path("log", "y.log"))
        before = set(os.listdir(box.path("log")))
        outgrow(box, "serve-1.log")
        until(lambda: os.path.exists(box.path("log", "serve-1.log.1")), "it")
        assert set(os.listdir(box.path("log"))) - before == {"serve-1.log.1"}
    finally:
        box.close()


@pytest.mark.fault
def test_sighup_opens_every_log_again():
    box = Box()
    try:
        box.command("start")
        doris = box.client("doris", prefix="/MetaService/http")
        d.instance(doris)
        names = [n for n in sorted(os.listdir(box.path("log")))
                 if OURS.fullmatch(n) or n in THEIRS]
        assert len(names) == 1 + 2 + 3 + 3 + 3, names
        for name in names:
            os.rename(box.path("log", name), box.path("log", name + ".1"))
        os.kill(box.pid_of("up"), signal.SIGHUP)
        until(lambda: all(os.path.exists(box.path("log", n)) for n in names),
              "new files")
        ids = {d.add_cluster(doris, d.instance(doris), "c").headers[
            "X-Request-Id"] for _ in range(4)}
        until(lambda: all(lines_of(box, i) for i in ids), "new lines in them")
        for i in ids:
            access_line(box, i)
        # nothing more in the old ones
        assert not any(i in log(box, f"serve-{n}.log.1")
                       for i in ids for n in (0, 1))
        storm(box, doris)
        # MariaDB, whose log goes through `up`, ends in the new one
        box.command("stop", "mariadb")
        assert "Shutdown complete" in log(box, "mariadb.log")
        assert "Shutdown complete" not in log(box, "mariadb.log.1")
        for role in ("serve-0", "control-m1", "supervise"):
            assert opened(box.pid_of(role)).isdisjoint(
                box.path("log", n + ".1") for n in names)
    finally:
        box.close()
