"""What another front end must not change; run by test_front_ends.py."""

import base64

import pytest

from support import doris as d
from support import fcgi, front_end, raw
from support.client import Client
from support.front_end import MAIN_PORT
from support.listeners import LISTENERS


@pytest.mark.parametrize("headers", [
    {"MG-Scope": "admin"}, {"Mg_Scope": "admin"}, {"X-Mg-Listener": "console"},
    {"Authorization": "Bearer nope"}, {"X-Metagate-Token": ""}])
def test_nobody_gets_in_without_a_token(doris, headers):
    r = doris.scope("none").get("list_instances", headers=headers)
    assert r.status == 403


def test_a_token_is_taken_from_each_of_its_places(doris):
    bare, token = doris.scope("none"), doris.token
    basic = base64.b64encode(f"{token}:x".encode()).decode()
    for query, headers in (("", {"X-Metagate-Token": token}),
                           ("", {"Authorization": "Bearer " + token}),
                           ("", {"Authorization": "Basic " + basic}),
                           ("?token=" + token, {})):
        r = bare.get("list_instances" + query, headers=headers)
        assert r.status == 200, (query, headers, r)


def test_the_console_is_at_its_file_and_nothing_is_at_the_root(console):
    html = {"Accept": "text/html,*/*;q=0.8"}
    bare = console.scope("none")
    page = bare.get("/ui/index.html", headers=html)
    assert page.status == 200 and page.text.startswith("<!doctype html>")
    for client, status, word in ((bare, 401, "no_token"),
                                 (console, 404, "not_found")):
        r = client.get("/", headers=html)
        assert (r.status, r.json["error"]) == (status, word), r


def test_a_large_body_comes_through_and_a_larger_one_does_not(doris):
    iid = d.instance(doris)
    body = {"instance_id": iid, "cluster": {
        "cluster_id": "c", "cluster_name": "c", "type": "COMPUTE", "nodes": [
            {"cloud_unique_id": f"1:{iid}:n{i}", "ip": f"10.0.{i // 250}."
             f"{i % 250}", "heartbeat_port": 9050} for i in range(2000)]}}
    assert doris.put("add_cluster", body).status == 200
    r = doris.post("get_cluster", {"cloud_unique_id": f"1:{iid}:n1",
                                   "cluster_id": "c"})
    assert len(r.json["result"]["nodes"]) == 2000
    assert doris.put("create_instance", b" " * (2 << 20)).status == 413


@pytest.mark.parametrize("kib", [1, 59, 80, 900])
def test_a_body_without_a_length_comes_through_or_is_told_to_have_one(
        doris, kib):
    """FastCGI needs the length first, and HAProxy keeps 64 KiB."""
    asked = b'{"instance_id": ""' + b" " * (kib << 10) + b"}"
    chunks = [b"%x\r\n%s\r\n" % (len(c), c) for c in (
        asked[i:i + 8000] for i in range(0, len(asked), 8000))]
    r = raw.send(doris, [raw.head(
        "PUT", "/MetaService/http/create_instance", [
            ("Host", "x"), ("X-Metagate-Token", doris.token),
            ("Transfer-Encoding", "chunked")]), *chunks, b"0\r\n\r\n"])
    if front_end.chosen() == "haproxy" and kib > 60:
        assert r.status == 411 and b"needs a Content-Length" in r.body
    else:
        assert r.status == 400 and b'"INVALID_ARGUMENT"' in r.body


@pytest.mark.parametrize("n", ["0", "1"])
def test_a_profile_is_of_the_worker_that_is_asked_for(console, n):
    for _ in range(4):  # requests are dealt out in turn otherwise
        r = console.get(f"/worker/{n}/pprof/cmdline")
        assert r.status == 200 and r.text.endswith(f"serve\n--id\n{n}\n")
        r = console.get(f"/worker/{n}/pprof/symbol")
        assert r.status == 200 and r.text.startswith("num_symbols: ")


def test_any_host_name_is_answered_by_a_worker(doris):
    r = doris.get("list_instances", headers={"Host": "metagate.test"})
    assert r.status == 200 and r.json["code"] == "OK"
    assert doris.scope("none").get("list_instances", headers={
        "Host": "metagate.test"}).status == 403


def test_a_path_reaches_the_worker_as_it_was_sent(doris):
    assert doris.get("list%5Finstances").status == 200
    assert doris.get("x/../list_instances").status in (400, 404)


def test_a_redirect_keeps_its_status(deployment):
    """A standby sends a client on to the leader, who must ask in the same
    way: 307."""
    standby = deployment.client("pegasus-meta/m2")
    r = standby.get("/meta/apps")
    assert r.status == 307 and "/meta/apps" in r.headers["Location"]
    assert deployment.client("pegasus-meta/m1").get("/meta/apps").status == 200
    assert deployment.client("pegasus-meta/m1", token="none").get(
        "/meta/apps").status == 401


@pytest.mark.parametrize("listener", LISTENERS)
def test_each_listener_is_there_under_its_own_name(deployment, listener):
    """The worker knows by MG_LISTENER alone whose paths these are."""
    client = deployment.client(listener)
    for path in ("/healthz", "/version", "/recentStartTime", "/no-such",
                 "/MetaService/http/list_instances", "/meta/cluster",
                 "/rest/v2/manager/cluster/cluster_info/conn_info"):
        with fcgi.Connection(deployment.path("s", "serve-0.sock")) as worker:
            direct = worker.ask({
                "REQUEST_METHOD": "GET", "REQUEST_URI": path,
                "CONTENT_LENGTH": "", "MG_LISTENER": listener,
                "HTTP_X_METAGATE_TOKEN": client.token})
        assert client.get(path).status == direct.status, path


@pytest.mark.parametrize("listener", [
    name for name in LISTENERS if name.startswith("pegasus")])
def test_profiles_of_a_listener_are_always_of_the_same_worker(
        deployment, listener):
    client = deployment.client(listener)
    told = {client.get("/pprof/cmdline").text for _ in range(6)}
    assert len(told) == 1 and "serve\n--id\n" in told.pop()


def test_the_pool_is_always_added_by_the_same_worker(console):
    told = {console.get("/pool/pprof/cmdline").text for _ in range(6)}
    assert len(told) == 1 and "serve\n--id\n" in told.pop()


def test_a_daemon_s_profile_is_its_own(deployment, console):
    r = console.get("/role/control-m1/pprof/cmdline")
    assert r.status == 200 and "control\n--id\nm1\n" in r.text


def test_the_console_is_there_under_its_own_rules(console):
    bare = console.scope("none")
    for path, kind in (("/ui/index.html", "text/html"),
                       ("/ui/app.js", "text/javascript"),
                       ("/ui/style.css", "text/css")):
        r = bare.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert r.status == 200 and r.headers["Content-Type"].startswith(kind)
        assert "default-src 'none'" in r.headers["Content-Security-Policy"]
        again = bare.get(path, headers={"Accept": "text/html,*/*;q=0.8",
                                        "If-None-Match": r.headers["ETag"]})
        assert (again.status, again.body) == (304, b""), path
    assert bare.get("/ui/secret.conf").status == 404
    assert bare.get("/").status == 401 and console.get("/").status == 404
    assert bare.get("/api/whoami").status == 401


def test_what_the_distribution_s_file_serves_is_still_there(deployment):
    front = deployment.front
    if front.main:
        Client(front.host, MAIN_PORT, "front:main").get("/")
