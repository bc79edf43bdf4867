"""What a worker makes of the records on one connection."""

import struct

import pytest

from support import fcgi
from support.waiting import until

LIMIT = 64 * 1024
PUT = dict(method="PUT", listener="doris")
OP = "/MetaService/http/create_instance"


@pytest.mark.parametrize("secret", [None, "", "0" * 64, "short"])
def test_a_front_end_without_the_secret_is_refused(worker, secret):
    params = worker.params("/metrics")
    if secret is None:
        del params["MG_SECRET"]
    else:
        params["MG_SECRET"] = secret
    with worker.connect() as c:
        r = c.ask(params, b"unread")
        assert (r.status, r.text) == (403, "not our front end\n")
        assert r.closes
        c.ended()
    assert "request.forged listener=console" in worker.log()


def test_the_secret_cut_or_continued_is_not_the_secret(worker):
    for secret in (worker.secret[:-1], worker.secret + "0"):
        assert worker.ask("/metrics", MG_SECRET=secret).status == 403


def test_an_unknown_listener_is_refused(worker):
    r = worker.ask("/metrics", listener="nope")
    assert (r.status, r.text) == (500, "unknown listener\n")


def test_without_a_scope_there_are_no_rights(worker):
    assert worker.ask("/metrics", scope="").status == 401
    assert worker.ask("/metrics", scope="nope").status == 401
    assert worker.ask("/metrics", scope="read").status == 200


def test_a_request_without_id_gets_one(worker):
    one, two = (worker.ask("/metrics").headers["X-Request-Id"]
                for _ in range(2))
    assert len(one) == 32 and one != two
    r = worker.ask("/metrics", MG_REQUEST_ID="abc-1")
    assert r.headers["X-Request-Id"] == "abc-1"


def test_an_id_that_would_split_a_header_is_replaced(worker):
    r = worker.ask("/metrics", MG_REQUEST_ID="a\r\nSet-Cookie: x=y")
    assert "Set-Cookie" not in r.headers
    assert len(r.headers["X-Request-Id"]) == 32


def test_a_kept_connection_serves_one_request_after_another(worker):
    with worker.connect() as c:
        for i in range(20):
            body = b"x" * (i * 3000)
            r = c.ask(worker.params("/nope", method="PUT",
                                    CONTENT_LENGTH=len(body)), body)
            assert (r.status, r.closes) == (404, False)
        assert c.ask(worker.params("/metrics")).status == 200


def test_a_connection_that_is_not_to_be_kept_is_closed(worker):
    with worker.connect() as c:
        assert c.ask(worker.params("/metrics"), keep=False).status == 200
        assert c.ended() == b""


def test_a_request_may_come_in_small_pieces(worker):
    data = fcgi.request(worker.params("/metrics", CONTENT_LENGTH=3), b"abc")
    with worker.connect() as c:
        for i in range(0, len(data), 7):
            c.send(data[i:i + 7])
        assert c.answer().status == 200
        assert c.ask(worker.params("/metrics")).status == 200


@pytest.mark.parametrize("declared", ["", "-1", "nonsense"])
def test_a_body_of_undeclared_length_is_read_to_its_end(worker, declared):
    with worker.connect() as c:
        r = c.ask(worker.params("/nope", CONTENT_LENGTH=declared),
                  b"x" * 50_000)
        assert r.status == 404
        assert c.ask(worker.params("/metrics")).status == 200


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_is_bounded(worker, declared):
    def ask(n):
        with worker.connect() as c:
            return c.ask(worker.params(
                OP, **PUT, CONTENT_LENGTH=n if declared else ""), b" " * n)
    fits, larger = ask(LIMIT), ask(LIMIT + 1)
    assert (fits.status, fits.closes) == (400, False)  # blanks are no JSON
    assert larger.status == 413
    assert larger.closes  # the rest of the body is still on its way


@pytest.mark.parametrize("declared", [1, 4, 6, 60_000])
def test_a_body_of_another_length_than_declared_is_not_acted_upon(worker,
                                                                   declared):
    with worker.connect() as c:
        with pytest.raises(fcgi.Broken):
            c.ask(worker.params(OP, **PUT, CONTENT_LENGTH=declared),
                  b"xxxxx")
    assert worker.ask("/metrics").status == 200


@pytest.mark.parametrize("cut", [4, 12, 60, -30, -9])
def test_a_client_that_leaves_in_the_middle_harms_nobody(worker, cut):
    data = fcgi.request(worker.params(OP, **PUT, CONTENT_LENGTH=100),
                        b"x" * 100)
    for _ in range(8):
        with worker.connect() as c:
            c.send(data[:cut])
    assert worker.ask("/metrics").status == 200
    until(lambda: worker.gauge("metagate_parked_connections") == 0,
          "no connection is left")


def test_garbage_closes_the_connection(worker):
    for data in (b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\xff" * 64,
                 fcgi.stream(fcgi.PARAMS, b"no BEGIN before it"),
                 fcgi.record(fcgi.BEGIN, b"short")):
        with worker.connect() as c:
            c.send(data)
            c.socket.shutdown(1)
            c.ended()
    assert worker.ask("/metrics").status == 200


@pytest.mark.parametrize("name, value", [
    (0x7FFFFFFE, 0x7FFFFFFE), (0x40000000, 0x40000000), (1, 0x7FFFFFFE),
    (0x7FFFFFFF, 0), (0x7FFFFFF0, 0), (1 << 20, 0)])
@pytest.mark.parametrize("kind, request_id", [
    (fcgi.PARAMS, 1), (fcgi.GET_VALUES, 0)])
def test_an_absurd_length_ends_the_connection_and_nothing_else(
        worker, kind, request_id, name, value):
    lengths = struct.pack(">II", name | 1 << 31, value | 1 << 31)
    with worker.connect() as c:
        c.send(fcgi.record(fcgi.BEGIN, b"\0\1\1" + bytes(5))
               + fcgi.record(kind, lengths + b"x", request_id))
        assert c.ended() == b""
    assert worker.process.poll() is None
    assert worker.ask("/metrics").status == 200
    assert "request.broken" in worker.log()


def test_an_absurd_length_behind_the_parameters_is_found_too(worker):
    data = fcgi.request(worker.params("/metrics", CONTENT_LENGTH=3), b"abc")
    cut = data.rindex(b"abc") - 8
    with worker.connect() as c:
        c.send(data[:cut] + fcgi.record(fcgi.GET_VALUES, b"\xff" * 8, 0)
               + data[cut:])
        c.ended()
    assert worker.process.poll() is None
    assert worker.ask("/metrics").status == 200


def test_a_long_parameter_is_an_ordinary_one(worker):
    r = worker.ask("/metrics", HTTP_X_LONG="x" * ((1 << 20) - 1024))
    assert r.status == 200


def test_an_abort_record_ends_the_request(worker):
    data = fcgi.request(worker.params("/metrics", CONTENT_LENGTH=10))
    data = data[:-8] + fcgi.record(fcgi.ABORT, b"")
    with worker.connect() as c:
        c.send(data)
        with pytest.raises(fcgi.Broken):
            c.answer()
    assert worker.ask("/metrics").status == 200


def test_a_second_request_on_a_busy_connection_cannot_have_it(worker):
    data = fcgi.request(worker.params("/metrics", CONTENT_LENGTH=3), b"abc")
    cut = data.rindex(b"abc") - 8
    second = fcgi.record(fcgi.BEGIN, b"\0\1\1" + bytes(5), 2)
    with worker.connect() as c:
        c.send(data[:cut] + second + data[cut:])
        kind, body = c.record()
        assert (kind, body[4]) == (fcgi.END, 1)  # FCGI_CANT_MPX_CONN
        assert c.answer().status == 200


def test_values_are_told(worker):
    ask = fcgi.record(fcgi.GET_VALUES, fcgi.pairs({"FCGI_MPXS_CONNS": ""}), 0)
    with worker.connect() as c:
        c.send(ask + fcgi.request(worker.params("/metrics")))
        kind, body = c.record()
        assert kind == fcgi.GET_VALUES_RESULT
        assert b"FCGI_MPXS_CONNS0" in body
        assert c.answer().status == 200


@pytest.mark.parametrize("query, name", [
    ("a=1&b=%00", "b"), ("a=%zz", "a"), ("%=1", "(unreadable)"),
    ("x=%ff", "x"), ("&".join("a" * 300), "(more than 256)")])
def test_a_query_that_cannot_be_read_is_refused_by_name(worker, query, name):
    r = worker.ask("/metrics?" + query)
    assert r.status == 400 and f"parameter {name} " in r.text


def test_a_stranger_learns_no_more_than_that_he_is_one(worker):
    assert worker.ask("/metrics?a=%zz", scope="").status == 401


def test_a_path_that_cannot_be_read_is_refused(worker):
    for path in ("/%", "/%00", "/a%ff", "/%zz?token=x"):
        assert worker.ask(path).status == 400


def test_head_is_served_as_get(worker):
    assert worker.ask("/metrics", method="HEAD").status == 200


def test_no_token_reaches_the_log(worker):
    token = "5ec2e7" * 10 + "0123"
    worker.ask(f"/nope?TOKEN={token}&a=%zz", HTTP_REFERER=f"/?token={token}",
               HTTP_X_METAGATE_TOKEN=token, REMOTE_USER=token,
               HTTP_AUTHORIZATION=f"Bearer {token}")
    worker.ask(f"/metrics?token={token}", MG_SECRET="wrong")
    worker.ask(f"/healthz?token={token}")
    worker.wait_log("request.failed")
    assert token not in worker.log()


@pytest.mark.parametrize("said,scheme", [
    ("https", "https"), ("http", "http"), ("", "http"), ("evil://x", "http")])
def test_a_redirect_speaks_the_scheme_the_request_came_by(
        deployment, store_worker, said, scheme):
    """At once: the front end may have been given TLS since we started."""
    found = [store_worker.ask("/meta/apps", listener="pegasus-meta/" + meta,
                              REQUEST_SCHEME=said)
             for meta in ("m1", "m2", "m3")]
    standbys = [r.headers["Location"] for r in found if r.status == 307]
    assert len(standbys) == 2, found
    assert {url.partition("://")[0] for url in standbys} == {scheme}
