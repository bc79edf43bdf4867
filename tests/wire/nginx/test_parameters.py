"""What the worker gets to see: our parameters cannot be set from outside."""

import re

import pytest

from support import raw
from support.words import REQUEST_ID

OURS = ["MG_LISTENER", "MG_SCOPE", "MG_NAME", "MG_SECRETS", "MG_REQUEST_ID",
        "MG_SECRET", "MG_RECEIVED", "MG_ID", "MG_EXPIRES"]


def params(client, headers, target="/a"):
    r = raw.send(client, raw.head("GET", target, [
        ("X-Metagate-Token", client.token), *headers]))
    assert r.status == 200, r
    return r.json["params"]


@pytest.fixture
def plain(front):
    return params(front.client("doris"), [("Host", "h")])


def test_parameters_of_ours_are_there(front, plain):
    with open(front.path("secret")) as f:
        assert plain["MG_SECRET"] == f.read().strip()
    assert [plain[p] for p in OURS[:4]] == ["doris", "admin", "first", ""]
    assert re.fullmatch(REQUEST_ID, plain["MG_REQUEST_ID"])
    assert re.fullmatch(r"\d{10,}\.\d{3}", plain["MG_RECEIVED"])
    console = params(front.client("console"), [("Host", "h")])
    assert console["MG_LISTENER"] == "console"


@pytest.mark.parametrize("name", OURS)
def test_no_header_sets_a_parameter_of_ours(front, plain, name):
    for spelling in (name, name.replace("_", "-"), name.lower(),
                     "HTTP_" + name, "HTTP-" + name.replace("_", "-"),
                     name + " ", "\t" + name):
        r = raw.send(front.client("doris"), raw.head("GET", "/a", [
            ("Host", "h"), (spelling, "forged"),
            ("X-Metagate-Token", front.client("doris").token)]))
        if r.status == 400:
            continue  # nginx does not take such a name at all
        got = r.json["params"]
        assert got[name] != "forged"
        if name not in ("MG_REQUEST_ID", "MG_RECEIVED"):
            assert got[name] == plain[name]


def test_a_request_id_of_the_client_is_not_taken(front):
    got = params(front.client("doris"),
                 [("Host", "h"), ("X-Request-Id", "a" * 32)])
    assert got["MG_REQUEST_ID"] != "a" * 32


def test_the_request_id_is_in_the_reply_once(front):
    front.workers.answer = lambda request: (
        "Status: 200 OK\r\nX-Request-Id: mine\r\nX-Seen: "
        f"{request.params['MG_REQUEST_ID']}\r\n\r\n").encode()
    r = front.client("doris").get("/a")
    assert r.headers.get_all("X-Request-Id") == [r.headers["X-Seen"]]


def test_tokens_and_the_proxy_header_stop_at_nginx(front):
    got = params(front.client("doris"), [
        ("Host", "h"), ("Proxy", "http://evil"),
        ("Authorization", "Basic eDp4"), ("Referer", "http://x/?token=y"),
        ("X-Other", "z")])
    assert got["HTTP_X_OTHER"] == "z"
    for name in ("HTTP_PROXY", "HTTP_AUTHORIZATION", "HTTP_REFERER",
                 "HTTP_X_METAGATE_TOKEN"):
        assert name not in got


def test_the_host_is_the_one_nginx_decided_for(front):
    client = front.client("doris")
    assert params(client, [("Host", "Name:5000")])["HTTP_HOST"] == "name"
    got = params(client, [("Host", "other")], "http://real/a?b=c")
    assert (got["HTTP_HOST"], got["REQUEST_URI"]) == ("real", "/a?b=c")


def test_the_target_reaches_the_worker_as_it_was_sent(front):
    for target in ("//a///b%2Fc/?x=1&y", "/a/../b", "/%41;x?%zz", "/?"):
        got = params(front.client("doris"), [("Host", "h")], target)
        assert got["REQUEST_URI"] == target
        assert got["QUERY_STRING"] == target.partition("?")[2]


def test_a_reply_steers_nothing_in_nginx(front):
    front.workers.answer = lambda request: (
        b"Status: 200 OK\r\nX-Accel-Redirect: /other\r\n"
        b"X-Accel-Limit-Rate: 1\r\nContent-Type: text/plain\r\n\r\nbody")
    assert front.client("doris").get("/a").text == "body"
    assert front.workers.paths() == ["/a"]


def test_statuses_of_the_worker_are_not_replaced(front):
    for status in (400, 401, 403, 404, 405, 409, 413, 429, 500, 502, 503, 504):
        front.workers.answer = lambda request: (
            f"Status: {status} X\r\n\r\nfrom the worker").encode()
        r = front.client("doris").get("/a")
        assert (r.status, r.text) == (status, "from the worker")
