"""What nginx refuses by itself, in the words of each dialect."""

import os
import re
import signal
import subprocess

import pytest

from support import raw
from support.waiting import until
from support.words import REQUEST_ID

MIB = 1 << 20
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "MKCOL", "COPY", "MOVE",
           "OPTIONS", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "PATCH",
           "BREW"]  # all that nginx accepts, and one it has not heard of
PATHS = ["/", "/MetaService/http/get_instance", "/nope", "/.early", "//a/../b",
         "/healthz/x", "/a%2Fhealthz", "/worker/0/pprof/heap"]
UNKNOWN = "0123456789abcdef" * 4
DORIS = "incorrect token, token=(not given)\n"
EARLY = [
    ("TRACE", b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    ("CONNECT", b"CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    ("lower case", b"get / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ("bad escape", b"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("garbage", b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    ("long line", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
     414),
    ("long header", b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 20000
     + b"\r\n\r\n", 400),
    ("version", b"GET / HTTP/4.2\r\nHost: h\r\n\r\n", 505),
    ("encoding", b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\n\r\n",
     501),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_without_a_token_nothing_reaches_a_worker(front, method, path):
    doris = front.client("doris", "none").request(method, path, b"{}")
    console = front.client("console", "none").request(method, path, b"{}")
    assert front.workers.seen == []
    assert (doris.status, console.status) == (403, 401)
    if method != "HEAD":
        assert doris.text == DORIS
        assert doris.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert console.json["error"] == "no_token"
    assert console.headers["WWW-Authenticate"] == "Bearer"
    assert re.fullmatch(REQUEST_ID, doris.headers["X-Request-Id"])


def test_an_unknown_token_is_refused_too(front):
    for headers in ({"X-Metagate-Token": UNKNOWN}, {"X-Metagate-Token": "x"},
                    {"Authorization": "Bearer " + UNKNOWN},
                    {"Authorization": "Basic eDp4"}):
        r = front.client("doris", "none").get("/a", headers=headers)
        assert (r.status, r.text) == (403, DORIS)
    assert front.workers.seen == []


def test_a_given_argument_is_shown_as_it_stands_in_the_url(front):
    client = front.client("doris", "none")
    assert client.get("/a?token=no%20such").text == (
        "incorrect token, token=no%20such\n")
    assert client.get("/a?token=").text == DORIS
    assert client.get("/a?TOKEN=abc").text == "incorrect token, token=abc\n"


JSON = {"Accept": "application/json"}


def as_json(msg):
    return ('{\n    "code": "INVALID_ARGUMENT",\n    "msg": "' + msg
            + '"\n}\n')


@pytest.mark.parametrize("body", [b"{}", b"x" * (2 * MIB)])
@pytest.mark.parametrize("method", METHODS)
def test_who_accepts_json_is_refused_in_json(front, method, body):
    client = front.client("doris", "none")
    for accept in ("application/json", "text/html, application/json;q=0.9"):
        r = client.request(method, "/a?token=no%20such", body,
                           headers={"Accept": accept})
        assert r.status == 403
        assert r.headers["Content-Type"] == "application/json"
        if method != "HEAD":
            assert r.text == as_json("incorrect token, token=no%20such")
    assert front.workers.seen == []


def test_json_is_json_whatever_the_token(front):
    client = front.client("doris", "none")
    assert client.get("/a", headers=JSON).text == as_json(
        "incorrect token, token=(not given)")
    for token, told in (
            (b"a]b[c^d'e~", "a]b[c^d'e~"), (b'a"b', "(not shown)"),
            (b"a\\b", "(not shown)"), (b"a\xffb", "(not shown)")):
        reply = raw.send(client, b"GET /a?token=" + token + b" HTTP/1.1\r\n"
                         b"Host: h\r\nAccept: application/json\r\n"
                         b"Connection: close\r\n\r\n")
        assert reply.status == 403, reply
        assert reply.text == as_json(f"incorrect token, token={told}")
    valid = front.client("doris")
    r = valid.using(token=None).get("/a?token=" + valid.token, headers={
        **JSON, "X-Metagate-Token": "wrong"})
    assert r.text == as_json("incorrect token, token=(not given)")


def test_what_is_malformed_is_refused_in_json_too(front):
    reply = raw.send(front.client("doris"), b"TRACE / HTTP/1.1\r\nHost: h\r\n"
                     b"Accept: application/json\r\n\r\n")
    assert (reply.status, reply.text) == (405, as_json("method not allowed"))
    for path in ("/.early", "/.early_json"):  # they are nobody's to ask for
        r = front.client("doris").get(path, headers=JSON)
        assert r.status == 200, "the worker's"


def test_a_valid_argument_beside_a_wrong_header_is_not_shown(front):
    client = front.client("doris")
    path = "/a?token=" + client.token
    for headers in ({"X-Metagate-Token": "wrong"},
                    {"Authorization": "Bearer wrong"},
                    {"Authorization": "Basic d3Jvbmc6eA=="}):
        r = client.using(token=None).get(path, headers=headers)
        assert (r.status, r.text) == (403, DORIS)
    assert front.workers.seen == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_without_a_token_is_refused_for_the_token(front, chunked):
    client = front.client("doris", "none")
    headers = {"Transfer-Encoding": "chunked"} if chunked else None
    body = b"10000\r\n" + b"x" * 65536 + b"\r\n0\r\n\r\n" if chunked else (
        b"x" * (2 * MIB))
    assert client.put("/a", body, headers=headers).status == 403


def test_expecting_to_continue_without_a_token_is_a_refusal(front):
    with front.client("doris").connect() as s:
        s.sendall(raw.head("PUT", "/a", [
            ("Host", "h"), ("Content-Length", "3000000"),
            ("Expect", "100-continue")]))
        answer = b""
        while b"incorrect token" not in answer:  # nginx says 100 before it
            part = s.recv(65536)
            assert part, answer
            answer += part
    assert b"HTTP/1.1 403 " in answer


def test_healthz_alone_is_open(front):
    console = front.client("console", "none")
    assert console.get("/healthz").json["params"]["MG_SCOPE"] == ""
    assert console.get("/healthz?x").status == 200
    for path in ("/healthz/", "/healthz%0a", "/Healthz", "/healthz/../metrics",
                 "/metrics"):
        assert console.get(path).status == 401, path
    assert front.client("doris", "none").get("/healthz").status == 403


def test_a_wrong_token_does_not_close_what_is_open(front):
    assert front.client("console", UNKNOWN).get("/healthz").status == 200


@pytest.mark.parametrize("name,data,status", EARLY, ids=[e[0] for e in EARLY])
def test_what_nginx_cannot_read_is_refused_in_the_dialects_form(
        front, name, data, status):
    doris = raw.send(front.client("doris"), data)
    console = raw.send(front.client("console"), data)
    assert (doris.status, console.status) == (status, status)
    assert doris.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert doris.text.endswith("\n") and "<" not in doris.text
    assert console.json["error"] == "bad_request"
    assert front.workers.seen == []


def test_a_bad_chunk_is_refused_in_the_dialects_form(front):
    client = front.client("doris")
    r = raw.send(client, raw.head("PUT", "/a", [
        ("Host", "h"), ("Transfer-Encoding", "chunked"),
        ("X-Metagate-Token", client.token)]) + b"zz\r\n")
    assert (r.status, r.text) == (400, "bad request\n")


def test_the_place_of_early_refusals_is_no_page(front):
    """/.early is nginx's own; a client that names it asks the worker."""
    for path in ("/.early", "/%2eearly", "//.early"):
        r = front.client("doris").get(path)
        assert r.json["params"]["REQUEST_URI"] == path


def test_too_large_a_body_is_413(front):
    r = front.client("doris").put("/a", b"x" * (MIB + 1))
    assert (r.status, r.text) == (413, '{\n    "code": "INVALID_ARGUMENT",\n'
                                  '    "msg": "request body too large"\n}\n')
    assert r.headers["Content-Type"] == "application/json"
    r = front.client("console").put("/a", b"x" * (MIB + 1))
    assert (r.status, r.json["error"]) == (413, "too_large")
    assert front.workers.seen == []


def test_the_bound_of_bodies_is_a_setting(front, settings):
    settings(METAGATE_SERVE_BODY_KIB="2048")
    r = front.client("doris").put("/a", b"x" * (2 * MIB))
    assert r.json["body_bytes"] == 2 * MIB


def test_a_token_beyond_its_rate_gets_429(front, settings):
    settings(METAGATE_NGINX_RATE_PER_S="1")
    for client, busy in (
            (front.client("doris"),
             {"code": "INTERNAL_ERROR", "msg": "reach max qps limit"}),
            (front.client("console"), None)):
        replies = [client.get("/a") for _ in range(10)]
        refused = [r for r in replies if r.status != 200]
        assert refused and {r.status for r in refused} == {429}
        assert {r.headers["Retry-After"] for r in refused} == {"1"}
        assert busy is None or refused[0].json == busy
        assert refused[0].json


def test_one_token_may_send_back_to_back_without_a_setting(front):
    client = front.client("doris")
    assert {client.get("/a").status for _ in range(500)} == {200}


def test_tokens_have_rates_of_their_own(front, settings):
    settings(METAGATE_NGINX_RATE_PER_S="1")
    client = front.client("doris")
    while client.get("/a").status == 200:
        pass
    other = front.token("rate", "read")
    try:
        assert front.client("doris", other).get("/a").status == 200
    finally:
        front.command("token", "revoke", "rate")


def test_an_address_with_too_many_requests_in_progress_gets_429(
        front, settings):
    settings(METAGATE_NGINX_CLIENT_CONNECTIONS="1")
    inner = []

    def answer(request):
        if request.path == "/outer":  # a second one while this is served
            inner.append(front.client("doris").get("/inner"))
        return b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nok"

    front.workers.answer = answer
    assert front.client("doris").get("/outer").status == 200
    assert (inner[0].status, inner[0].json["msg"]) == (429,
                                                       "reach max qps limit")


def beside(front, first, second):
    """What the one address gets while a request of the other is served."""
    client, inner = front.client("doris"), []

    def answer(request):
        if request.path == "/outer":
            inner.append(client.get("/inner", headers={"X-Real-IP": second}))
        return b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nok"

    front.workers.answer = answer
    client.get("/outer", headers={"X-Real-IP": first})
    return inner[0].status if inner else None


def test_an_ipv6_network_is_one_client(front, settings):
    settings(METAGATE_NGINX_CLIENT_CONNECTIONS="1")
    with open(front.path("nginx", "http.conf"), "a") as f:
        f.write("set_real_ip_from 127.0.0.0/8;\nreal_ip_header X-Real-IP;\n")
    subprocess.run(front.nginx_argv("-t", "-q"), check=True)
    old = set(front.pids()) - {front.nginx_pid}
    os.kill(front.nginx_pid, signal.SIGHUP)
    until(lambda: not old & set(front.pids()), "all of nginx has read it")
    assert beside(front, "10.0.0.1", "10.0.0.1") == 429
    assert beside(front, "10.0.0.1", "10.0.0.2") == 200
    assert beside(front, "2001:db8::1", "2001:db8::ffff:a:2") == 429
    assert beside(front, "2001:db8::1", "2001:db8:0:1::1") == 200
    assert beside(front, "::ffff:10.0.0.1", "::ffff:10.0.0.2") == 200
