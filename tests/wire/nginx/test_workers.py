"""nginx and its pool: nothing is repeated, and a failure is a 503."""

import json
import os
import re
import threading

from support import fastcgi, processes
from support.front import once
from support.words import REQUEST_ID

DOWN = {"code": "INTERNAL_ERROR", "msg": "metadata store not available"}


def test_a_put_whose_worker_dies_is_not_repeated(front):
    front.workers.answer = lambda request: None
    for i in range(20):
        r = front.client("doris").put(f"/put{i}", b"{}")
        assert (r.status, r.json) == (503, DOWN)
        assert r.headers["Retry-After"] == "1"
        assert r.headers["Content-Type"] == "application/json"
        assert re.fullmatch(REQUEST_ID, r.headers["X-Request-Id"])
    paths = front.workers.paths()
    assert sorted(paths) == sorted({f"/put{i}" for i in range(20)})


def test_the_console_says_503_in_its_own_form(front):
    front.workers.answer = lambda request: None
    r = front.client("console").get("/metrics")
    assert (r.status, r.json["error"]) == (503, "unavailable")
    assert r.headers["Retry-After"] == "1"


def test_an_answer_that_is_none_is_a_503(front):
    front.workers.answer = lambda request: b"no header at all"
    r = front.client("doris").get("/a")
    assert (r.status, r.json) == (503, DOWN)


def test_a_worker_that_does_not_answer_is_a_503(front):
    """The one test that waits for fastcgi_read_timeout."""
    asked = threading.Event()

    def answer(request):
        asked.wait(60)

    front.workers.answer = answer
    r = front.client("doris").put("/slow", b"{}")
    asked.set()
    assert (r.status, r.json) == (503, DOWN)
    assert front.workers.paths() == ["/slow"]


def test_a_socket_nobody_listens_on_is_a_503(front):
    path = front.path("s", "serve-0.sock")
    os.rename(path, path + ".gone")
    try:
        statuses = [once(front.client("doris")).status for _ in range(20)]
        assert set(statuses) <= {200, 503}
        r = front.client("console").get("/worker/0/pprof/cmdline")
        # one kept connection may still lead to the worker
        assert r.status in (200, 503)
    finally:
        os.rename(path + ".gone", path)


def test_requests_are_spread_over_the_workers(front):
    seen = [front.client("doris").get("/a").json["worker"] for _ in range(20)]
    assert seen.count(0) == seen.count(1) == 10


def test_a_worker_s_own_pages_are_its_own(front):
    console = front.client("console")
    for n in (0, 1, 1, 0, 0):
        assert console.get(f"/worker/{n}/pprof/heap").json["worker"] == n
        assert console.get(f"//worker/./{n}/x").json["worker"] == n


def test_the_path_of_no_worker_goes_to_any(front):
    for n in ("2", "10", "01", "x", ""):
        assert front.client("console").get(f"/worker/{n}/pprof").status == 200


def test_300_kilobytes_touch_no_disk(front):
    body = json.dumps(["x" * 100] * 3000)
    front.workers.answer = lambda request: fastcgi.reply(200, body)
    assert len(body) > 300_000
    for _ in range(20):
        assert front.client("doris").get("/a").text == body
    master = next(pid for pid, argv in front.pids().items()
                  if "master" in argv[0])
    for pid in [p for p in front.pids() if processes._parent(p) == master]:
        with open(f"/proc/{pid}/io") as f:
            io = dict(line.split(": ") for line in f.read().splitlines())
        assert int(io["write_bytes"]) < 300_000
    assert os.listdir(front.path("nginx", "tmp", "fastcgi")) == []


def test_a_body_of_one_mebibyte_reaches_the_worker_whole(front):
    body = os.urandom(1 << 20)
    front.client("doris").put("/a", body)
    assert front.workers.seen[-1].body == body
