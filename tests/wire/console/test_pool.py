"""The profiles of all workers at once, as one."""

import re
import select
import threading

import pytest

from support import pprof, raw
from support.waiting import until
from wire.console.test_profiles import busy  # noqa: F401

pytestmark = pytest.mark.profile


@pytest.fixture
def prof(deployment):
    return deployment.client("console", "profile")


def samples(r):
    assert r.status == 200, r
    return sum(count for count, _ in pprof.cpu_records(r.body))


def test_both_clients_name_our_functions(prof, busy, tmp_path):
    pprof.until_named(lambda: pprof.google(
        tmp_path, prof, "/pool/pprof/profile", "--seconds=1"), "dispatch")
    pprof.until_named(lambda: pprof.go(
        tmp_path, prof, "/pool/pprof/profile?seconds=1", "-cum",
        "-symbolize=remote"), "dispatch", "fast_thread")


def test_every_worker_is_in_it(deployment, prof, busy):
    """What each of them does alone is named: no address is left as it was."""
    r = prof.get("/pool/pprof/profile?seconds=2&format=collapsed")
    lines = r.text.splitlines()
    total = sum(int(line.rpartition(" ")[2]) for line in lines)
    ours = sum(int(line.rpartition(" ")[2]) for line in lines
               if "fast_thread" in line)
    assert ours > total / 2, r.text
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)


def test_stacks_of_two_processes_are_one_stack(prof):
    """Their heaps have grown at the same places while they were starting."""
    def bytes_of(path):
        r = prof.get(path + "/pprof/growth?format=collapsed")
        assert r.status == 200
        return {stack: int(n) for stack, _, n in
                (line.rpartition(" ") for line in r.text.splitlines())}

    one, two = bytes_of("/worker/0"), bytes_of("/worker/1")
    pool = bytes_of("/pool")
    shared = set(one) & set(two) & set(pool)
    assert shared
    # what grows meanwhile is only more
    assert all(pool[s] >= one[s] + two[s] for s in shared)
    assert not [s for s in pool if "0x" in s], pool


@pytest.mark.parametrize("kind", ["heap", "growth", "heap?seconds=0"])
def test_heaps_are_added(prof, tmp_path, kind):
    r = prof.get("/pool/pprof/" + kind)
    assert r.status == 200
    head = r.text.split("\n")[0]
    assert re.match(r"heap profile: +\d+: +\d+ \[ *\d+: +\d+\] @", head), head
    assert "MAPPED_LIBRARIES:" in r.text
    if "?" not in kind:
        assert "Type: space" in pprof.go(tmp_path, prof,
                                         "/pool/pprof/" + kind)


def test_symbols_are_those_of_the_profile(deployment, prof):
    heap = prof.get("/pool/pprof/growth").text
    stacks = [line.partition("@")[2].split() for line in heap.splitlines()
              if re.match(r" *\d+: ", line)]
    asked = {hex(int(a, 16) - 1) for stack in stacks for a in stack}
    names = prof.post("/pool/pprof/symbol", "+".join(asked)).text
    known = [line for line in names.splitlines() if "\t0x" not in line]
    assert len(known) > len(asked) / 2, names
    words = prof.get("/pool/pprof/cmdline").text.split("\n")
    assert words[0].endswith("/metagate") and "serve" in words
    assert prof.get("/pool/pprof/symbol").text.startswith("num_symbols: ")


def test_a_worker_that_is_profiled_already_is_named_at_once(prof):
    def begin():
        s = prof.connect()
        s.sendall(raw.head("GET", "/worker/1/pprof/profile?seconds=300", [
            ("Host", "h"), ("X-Metagate-Token", prof.token)]))
        return s

    def under_way():
        if select.select(began[-1:], [], [], 0)[0]:
            began.append(begin())  # it met one of those that look for it
        return prof.get("/worker/1/pprof/profile?seconds=0").status == 500

    began = [begin()]
    try:
        until(under_way)
        # at once, not after a time that would pass the limit of this test
        r = prof.get("/pool/pprof/profile?seconds=300")
        assert (r.status, r.text.strip()) == (
            500, "worker 1: node is already executing pprof action, please "
                 "wait and retry")
        assert r.headers["Retry-After"] == "1"
        assert r.headers["X-Go-Pprof"] == "1"
    finally:
        for s in began:
            s.close()
    until(lambda: prof.get("/pool/pprof/profile?seconds=0").status == 200,
          "all of them are free")


def test_a_pool_that_is_profiled_leaves_nobody_free(prof):
    other = threading.Thread(target=lambda: until(
        lambda: prof.get("/pool/pprof/profile?seconds=2").status == 200))
    other.start()
    try:
        for n in (0, 1):
            until(lambda: prof.get(
                f"/worker/{n}/pprof/profile?seconds=0").status == 500)
    finally:
        other.join()


@pytest.mark.parametrize("query, text", [
    ("seconds=x", "seconds must be a number from 0 to 300"),
    ("format=svg", "format must be absent or collapsed")])
def test_what_cannot_be_asked_is_refused(prof, query, text):
    r = prof.get("/pool/pprof/profile?" + query)
    assert (r.status, r.text.strip()) == (400, text)


def test_no_samples_are_told(prof):
    for path in ("/pool", "/worker/0", "/role/control-m2"):
        r = prof.get(path + "/pprof/profile?seconds=0")
        assert r.status == 200 and pprof.cpu_records(r.body) == []
        note = r.headers["X-Metagate-Note"]
        assert note.startswith("no samples: ") and "requests" in note
        r = prof.get(path + "/pprof/profile?seconds=0&format=collapsed")
        assert r.text == f"# {note}\n"


def test_samples_need_no_note(prof, busy):
    r = prof.get("/worker/0/pprof/profile?seconds=1")
    assert samples(r) > 0 and "X-Metagate-Note" not in r.headers
    assert samples(prof.get("/pool/pprof/profile?seconds=1")) > 0
