"""Profiles of a running deployment, as gperftools' and Go's pprof fetch
them."""

import re
import select
import signal
import threading

import pytest

from support import fcgi, pprof, processes, raw
from support.load import Load
from support.waiting import until
from support.worker import Worker

pytestmark = pytest.mark.profile

PROCESSES = ["/worker/0", "/worker/1", "/role/control-m1", "/role/control-m3",
             "/role/supervise-{net}.2"]
KINDS = ["profile", "heap", "growth", "symbol", "cmdline"]


@pytest.fixture
def prof(deployment):
    return deployment.client("console", "profile")


@pytest.fixture
def busy(deployment, doris):
    """Requests all the while: an idle process has nothing to show, and one
    whose replies are kept little of its handlers."""
    with Load(4, lambda _: doris.get("encode_key", query={
            "key_type": "InstanceKey", "instance_id": "i"}).status) as load:
        yield load


def named(deployment, path):
    return path.format(net=deployment.net)


# ---- the clients ----

def test_google_pprof_names_our_functions(prof, busy, tmp_path):
    # static ones and such that libraries call, in a position-independent
    # program
    out = pprof.until_named(lambda: pprof.google(
        tmp_path, prof, "/worker/0/pprof/profile", "--seconds=1"),
        "dispatch", "fast_thread")
    assert "Total: " in out


def test_go_pprof_names_our_functions(prof, busy, tmp_path):
    pprof.until_named(lambda: pprof.go(
        tmp_path, prof, "/worker/1/pprof/profile?seconds=1", "-cum",
        "-symbolize=remote"), "dispatch", "fast_thread")


@pytest.mark.parametrize("path", ["/worker/0", "/role/control-m1"])
@pytest.mark.parametrize("kind", ["heap", "growth"])
def test_both_clients_read_heaps(prof, tmp_path, path, kind):
    target = f"{path}/pprof/{kind}"
    # without a total when nothing that was sampled is in use
    assert re.search(r"^(Total: |Heap version 2)",
                     pprof.google(tmp_path, prof, target), re.M)
    assert "Type: space" in pprof.go(tmp_path, prof, target)


# ---- the protocol ----

def symbols(text):
    return dict(line.split("\t") for line in text.splitlines())


def test_symbols_are_named_by_any_address_inside(prof):
    folded = prof.get("/worker/0/pprof/heap").text
    assert folded.startswith("heap profile: ")
    maps = folded[folded.index("MAPPED_LIBRARIES:"):]
    ours = [int(m[1], 16) for m in re.finditer(
        r"^([0-9a-f]+)-[0-9a-f]+ r-xp .*metagate$", maps, re.M)]
    assert ours
    asked = [ours[0] + 0x100 * i for i in range(600)]
    for body in ("+".join(f"0x{a:016x}" for a in asked),
                 "'" + "+".join(f"{a:x}" for a in asked) + "'"):
        r = prof.post("/worker/0/pprof/symbol", body)
        assert r.status == 200
        names = symbols(r.text)
        assert [int(k, 16) for k in names] == asked
        assert "main" in names.values() or len(
            {n for n in names.values() if not n.startswith("0x")}) > 50


@pytest.mark.parametrize("body, answer", [
    ("", ""), ("+++", ""), ("zz", "0x00000000\t0x00000000\n"),
    ("0x1+zz+2", "0x00000001\t0x00000001\n0x00000000\t0x00000000\n"
                 "0x00000002\t0x00000002\n"),
    ("0xffffffffffffffffff", "0xffffffffffffffff\t0xffffffffffffffff\n"),
])
def test_addresses_of_nothing_come_back(prof, body, answer):
    for process in ("/worker/0", "/role/control-m2"):
        r = prof.post(process + "/pprof/symbol", body)
        assert (r.status, r.text) == (200, answer)


def test_the_number_of_symbols_is_told(prof):
    for path in ("/worker/1", "/role/control-m2"):
        r = prof.get(path + "/pprof/symbol")
        assert int(re.fullmatch(r"num_symbols: (\d+)\n", r.text)[1]) > 1000
        assert r.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", PROCESSES)
def test_every_path_leads_to_its_own_process(deployment, prof, path):
    path = named(deployment, path)
    words = prof.get(path + "/pprof/cmdline").text.rstrip("\n").split("\n")
    role, _, name = path.rpartition("/")[2].partition("-")
    wanted = ["serve", "--id", role] if not name else [role, words[-2], name]
    assert words[-3:] == wanted
    assert words[0].endswith("/metagate")


def test_a_stopped_process_is_nobody_elses_profile(deployment, prof):
    for path in ("/worker/9", "/worker/00", "/worker/x", "/worker/control-m1",
                 "/role/control-m9", "/role/serve-0", "/role/m1",
                 "/role/control-m1%2f..%2fx"):
        for kind in KINDS:
            r = prof.get(f"{path}/pprof/{kind}")
            assert r.status in (404, 503), (path, kind, r)
            assert "error" in r.json
    r = prof.get("/role/serve-0/pprof/heap")
    assert r.status == 503 and "Retry-After" in r.headers
    assert r.json["message"].startswith("no serve-0 answers here: ")
    assert "/worker/<n>/" in r.json["message"]


def test_a_daemon_serves_nothing_but_its_profiles(deployment, console):
    for path in ("/role/control-m1/metrics", "/role/control-m1/healthz",
                 "/role/control-m1/openapi.json", "/role/control-m1/",
                 "/role/control-m1/pprof/nope"):
        assert console.get(path).status == 404


@pytest.mark.parametrize("seconds", ["-1", "x", "1x", " 1", "301", "9" * 30,
                                     "", "+1", "1.5"])
@pytest.mark.parametrize("kind", ["profile", "heap"])
def test_a_time_that_is_none_is_refused(prof, kind, seconds):
    r = prof.get(f"/worker/0/pprof/{kind}", query={"seconds": seconds})
    assert r.status == 400
    assert r.text.strip() == "seconds must be a number from 0 to 300"
    assert r.headers["X-Go-Pprof"] == "1"
    assert r.headers["Content-Type"].startswith("text/plain")


def test_an_unknown_format_is_refused(prof):
    r = prof.get("/worker/0/pprof/heap?format=svg")
    assert (r.status, r.text.strip()) == (
        400, "format must be absent or collapsed")


def test_no_seconds_at_all_give_an_empty_profile(prof):
    r = prof.get("/worker/0/pprof/profile?seconds=0")
    assert r.status == 200
    assert r.headers["Content-Type"] == "application/octet-stream"
    assert pprof.cpu_records(r.body) == []


def test_a_profile_is_whole(prof, busy):
    r = prof.get("/worker/0/pprof/profile?seconds=1")
    assert sum(count for count, _ in pprof.cpu_records(r.body)) > 0


def test_folded_stacks_have_the_root_first(prof, busy):
    def inner_lines():
        """One second of a busy machine may have no sample there."""
        r = prof.get("/worker/0/pprof/profile?seconds=1&format=collapsed")
        assert r.headers["Content-Type"].startswith("text/plain")
        lines = r.text.splitlines()
        assert all(re.fullmatch(r"\S.*;?.* \d+", line) for line in lines)
        return [line for line in lines if ";dispatch;" in line]

    inner = until(inner_lines, "samples below dispatch")
    assert all(line.index("fast_thread") < line.index("dispatch")
               for line in inner if "fast_thread" in line)


def test_folded_stacks_are_summed_and_named_as_in_their_source(prof):
    """Where a process has grown there are functions of gperftools, in C++."""
    r = prof.get("/worker/0/pprof/growth?format=collapsed")
    stacks = [line.rpartition(" ")[0] for line in r.text.splitlines()]
    assert len(stacks) > 1 and len(set(stacks)) == len(stacks)
    names = {name for stack in stacks for name in stack.split(";")}
    assert any(name.startswith("tcmalloc::") for name in names), names
    assert not any(name.startswith("_Z") for name in names), names
    # what has no name is its library's: addresses differ by process
    assert "[libc.so.6]" in names, names
    assert not any(name.startswith("0x") for name in names), names


def test_a_heap_interval_shows_what_was_kept_meanwhile(prof):
    r = prof.get("/worker/0/pprof/heap?seconds=1")
    assert r.status == 200 and "heapprofile" in r.text.split("\n")[0]


def test_without_sampling_a_heap_says_what_to_set(deployment):
    w = Worker(deployment.binary, deployment.run_dir, deployment.net,
               deployment.env(), serve_heap_sample_bytes=0).start()
    try:
        r = w.ask("/pprof/heap", listener="pegasus-replica/r1",
                  scope="profile")
        assert r.status == 500 and "heap_sample_bytes" in r.text, r
        # what lets Go's client show it
        assert r.headers["X-Go-Pprof"] == "1"
        assert r.headers["Content-Type"].startswith("text/plain")
        r = w.ask("/pprof/growth", listener="pegasus-replica/r1",
                  scope="profile")
        assert r.status == 200
    finally:
        status = w.stop()
        w.end()
    assert status == 0, w.errors


# ---- one at a time, and nothing is left behind ----

def test_a_second_profile_is_refused_and_symbols_are_not(deployment, prof):
    def profile(seconds, status):
        r = prof.get(f"/worker/0/pprof/profile?seconds={seconds}")
        return r if r.status == status else None

    # the long one may itself meet one of the short ones that look for it
    other = threading.Thread(target=lambda: until(
        lambda: profile(2, 200), "a profile of two seconds"))
    other.start()
    try:
        r = until(lambda: profile(0, 500), "it is refused")
        assert r.text.strip() == ("node is already executing pprof action, "
                                  "please wait and retry")
        assert r.headers["Retry-After"] == "1"
        assert r.headers["X-Go-Pprof"] == "1"
        for kind in ("heap", "growth"):
            assert prof.get(f"/worker/0/pprof/{kind}").status == 500
        assert prof.get("/worker/0/pprof/symbol").status == 200
        assert prof.get("/worker/0/pprof/cmdline").status == 200
        # the other processes are free
        assert prof.get("/worker/1/pprof/profile?seconds=0").status == 200
        assert prof.get(
            "/role/control-m1/pprof/profile?seconds=0").status == 200
    finally:
        other.join()


def test_the_slot_is_free_before_the_reply_ends(prof):
    """Who has its profile gets the next one at once."""
    for _ in range(30):
        assert prof.get("/worker/0/pprof/profile?seconds=0").status == 200
        assert prof.get("/worker/0/pprof/growth").status == 200


@pytest.mark.parametrize("path", ["/worker/0", "/role/control-m1"])
def test_a_client_that_leaves_leaves_nothing_running(deployment, prof, path):
    def begin():
        s = prof.connect()
        s.sendall(raw.head("GET", path + "/pprof/profile?seconds=300", [
            ("Host", "h"), ("X-Metagate-Token", prof.token)]))
        return s

    def under_way():
        if select.select(began[-1:], [], [], 0)[0]:
            began.append(begin())  # it met one of those that look for it
        return prof.get(path + "/pprof/profile?seconds=0").status == 500

    began = [begin()]
    until(under_way)
    for s in began:
        s.close()
    until(lambda: prof.get(path + "/pprof/profile?seconds=0").status == 200,
          "its slot is free")
    role = path.rpartition("/")[2]
    name = role if "-" in role else f"serve-{role}"
    pid = deployment.pid_of(name)
    with open(deployment.path("log", name + ".log")) as f:
        assert "request.failed" not in f.read(), "it is no failure of ours"
    assert not [f for f in processes.descriptors(pid) if "cpu-profile" in f]


def test_a_process_that_stops_says_so_to_whom_it_profiles_for(deployment):
    w = Worker(deployment.binary, deployment.run_dir, deployment.net,
               deployment.env()).start()
    try:
        with w.connect() as c:
            long = fcgi.request(w.params("/pprof/profile?seconds=300",
                                         listener="pegasus-replica/r1"))

            def under_way():
                if select.select([c.socket], [], [], 0)[0]:
                    c.answer()  # it met one of those that look for it
                    c.send(long)
                return w.ask("/pprof/profile?seconds=0",
                             listener="pegasus-replica/r1").status == 500

            c.send(long)
            until(under_way)
            w.process.send_signal(signal.SIGTERM)
            r = c.answer()
    finally:
        status = w.stop()
        w.end()
    assert (r.status, r.text.strip()) == (503, "this process is being stopped")
    assert r.headers["Retry-After"] == "1" and r.headers["X-Go-Pprof"] == "1"
    assert status == 0, w.errors


def test_a_profile_leaves_no_file(deployment, prof):
    pid = deployment.pid_of("serve-0")
    for kind in ("profile?seconds=0", "heap?seconds=0", "heap", "growth"):
        assert prof.get("/worker/0/pprof/" + kind).status == 200
    left = processes.descriptors(pid)
    assert not [f for f in left if "memfd" in f or "heap" in f], left
    found = deployment.files()
    assert not [f for f in found if "heap-profile" in f or ".prof" in f]
