"""The access log: one line of JSON per request, and no token in it."""

import json

from support import raw
from support.waiting import until
from support.words import fresh


def lines(front):
    with open(front.path("log", "nginx-access.log")) as f:
        return [json.loads(line) for line in f]


def line(front, path):
    """The line of the request for that path: nginx writes once a second."""
    return until(lambda: next((entry for entry in lines(front)
                               if entry["path"] == path), None))


def test_a_line_tells_who_asked_what_and_what_came_of_it(front):
    path = "/" + fresh()
    r = front.client("doris").put(path + "?secret=1", b"{}")
    got = line(front, path)
    assert {k: got[k] for k in ("id", "listener", "token", "method",
                                "status")} == {
        "id": r.headers["X-Request-Id"], "listener": "doris",
        "token": "first", "method": "PUT", "status": 200}


def test_seconds_are_numbers_and_null_where_no_worker_was_asked(front):
    path, refused = "/" + fresh(), "/" + fresh()
    front.client("doris").get(path)
    assert front.client("doris", "none").get(refused).status == 403
    for p, kind in ((path, float), (refused, type(None))):
        got = line(front, p)
        assert isinstance(got["seconds"], (int, float))
        assert isinstance(got["worker_seconds"], kind), got


def test_odd_paths_do_not_break_the_log(front):
    end = "/" + fresh()
    client = front.client("doris")
    for path in ("/%22%5c%0a%00%1b", "/\xff".encode().decode("latin-1"),
                 '/"}{', "/%e2%80%a8", end):
        raw.send(client, raw.head("GET", path, [
            ("Host", "h"), ("Connection", "close"),
            ("X-Metagate-Token", client.token)]))
    assert line(front, end)  # and every line before it was JSON


def test_no_token_reaches_the_access_log(front):
    client = front.client("doris", "none")
    token, end = front.client("doris").token, "/" + fresh()
    for path in ("/a?token=", "/a?TOKEN=", "/a%3Ftoken=", "/a%3FToKeN=", "/",
                 "/token=", "/a/%0a", "/%zz?token=", "/.early?token="):
        raw.send(client, raw.head("GET", path + token, [
            ("Host", "h"), ("Connection", "close"),
            ("Referer", "http://x/?token=" + token),
            ("User-Agent", token)]))
    front.client("doris").get(end)
    assert line(front, end)
    with open(front.path("log", "nginx-access.log")) as f:
        assert token.lower() not in f.read().lower()
