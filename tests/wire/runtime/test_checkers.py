"""The checkers find what they are for."""

import os
import subprocess
import sys
import threading

import pytest

from support import badinput, limit, nets, processes
from support.ackedset import AckedSet
from support.deployment import ROOT, Deployment
from support.load import Load, race
from support.results import Results
from support.waiting import until


@pytest.fixture
def writes():
    """One write of each kind."""
    made = AckedSet()
    made.ok("acked")
    made.fail("refused")
    made.unknown("unclear")
    return made


@pytest.mark.parametrize("final", [["acked"], ["acked", "unclear"]])
def test_an_acked_set_accepts_what_may_be(writes, final):
    writes.check(final)


@pytest.mark.parametrize("final", [
    [], ["unclear"],           # an acknowledged write is lost
    ["acked", "refused"],      # a refused one was done after all
    ["acked", "never made"],
    ["acked", "acked"],        # done twice
])
def test_an_acked_set_finds_what_may_not_be(writes, final):
    with pytest.raises(AssertionError):
        writes.check(final)


def test_a_run_with_too_few_acknowledged_writes_is_invalid(writes):
    with pytest.raises(AssertionError, match="invalid run"):
        writes.check(["acked"], acked_at_least=2)


def test_until_says_what_it_last_saw():
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        until(lambda: 1 / 0, timeout=0.05)


def test_what_hangs_is_ended_also_when_its_end_hangs(monkeypatch, capfd):
    monkeypatch.setattr(limit, "AGAIN_S", 0)
    stuck = threading.Lock()
    with stuck, pytest.raises(limit.Hangs, match="it hangs"):
        with limit.limited(0, "it"):
            try:
                until(lambda: False, timeout=1000)
            finally:
                stuck.acquire()
    assert "test_checkers.py" in capfd.readouterr().err  # where it stood


INNER = """
import os, pytest
def test_passes(): pass
def test_fails(): assert "told" == ""
def test_takes_the_process_with_it(): os._exit(3)
def test_is_run_by_the_next_process(): pass
"""


def test_what_is_done_counts_when_the_process_is_lost(tmp_path):
    results, file = tmp_path / "results", tmp_path / "test_inner.py"
    file.write_text(INNER)
    conftest = os.path.join(ROOT, "tests", "conftest.py")
    (tmp_path / "conftest.py").symlink_to(conftest)

    def run():
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-c", "tests/pytest.ini",
             "--rootdir", "tests", str(file)], cwd=ROOT, capture_output=True,
            env={**os.environ, "METAGATE_TEST_RESULTS": str(results)}
        ).returncode

    def names(tests):
        return [t.partition("::")[2] for t in tests]

    assert run() == 3
    first = Results(results)
    assert names(first.passed) == ["test_passes"]
    assert names(first.failed) == ["test_fails"]
    assert names([first.current]) == ["test_takes_the_process_with_it"]
    assert "'told'" in first.texts[0] and first.status is None
    assert run() == 0
    second = Results(results)
    assert names(second.passed) == ["test_passes",
                                    "test_is_run_by_the_next_process"]
    assert set(second.seconds) == {*second.passed, *second.failed}
    assert second.status == 0 and second.texts == []


def test_the_reaper_leaves_no_process_behind(tmp_path):
    results, told = tmp_path / "results", tmp_path / "pid"
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests/support/reaper.py"),
         str(results), "/bin/sh", "-c",
         f"setsid sleep 1000 & echo $! > {told}; kill -9 $$"])
    assert done.returncode == 128 + 9
    [left] = Results(results).left
    assert left.startswith(told.read_text().strip() + ": ")
    assert not processes.alive(int(told.read_text()))


def test_a_race_raises_what_a_thread_raised():
    with pytest.raises(ZeroDivisionError):
        race(2, lambda i: 1 / i)


def test_a_load_keeps_exceptions_as_results():
    with Load(2, lambda i: 1 / i) as load:
        until(lambda: {type(r) for r in load.results}
              == {float, ZeroDivisionError})


def test_two_claims_get_two_nets():
    (one, lock), (two, other) = nets.claim(), nets.claim()
    os.close(lock)
    os.close(other)
    assert one != two


BODY = {"a": {"b": 1}, "l": [{"x": 1, "y": 2}]}


@pytest.mark.parametrize("path, changed", [
    (("a",), {"a": 9, "l": BODY["l"]}),
    (("a", "b"), {"a": {"b": 9}, "l": BODY["l"]}),
    (("l", 0), {"a": BODY["a"], "l": [9]}),
    (("l", 0, "x"), {"a": BODY["a"], "l": [{"x": 9, "y": 2}]}),
    (("m", 0, "k", "z"), {**BODY, "m": [{"k": {"z": 9}}]}),
])
def test_a_body_is_spoilt_in_one_place(path, changed):
    assert badinput.put(BODY, path, 9) == changed
    assert BODY["a"] == {"b": 1}


def test_a_member_is_left_out():
    assert badinput.without(BODY, ("a", "b")) == {"a": {}, "l": BODY["l"]}
    assert badinput.without(BODY, ("a", "nope")) is None


def test_a_report_is_found_once_wherever_it_stands(tmp_path):
    """Also one that was being written when its log was looked at, and one in
    another file of that name."""
    deployment, log = Deployment(), tmp_path / "log"
    deployment.log_files = lambda: [str(log)]

    def found(text):
        with open(log, "a") as f:
            f.write(text)
        return len(deployment.new_reports())

    assert found("begin\n" * 100) == 0
    assert found("==1==ERROR: AddressSani") == 0
    assert found("tizer: heap-use-after-free\n") == 1
    assert found("") == found("more\n" * 100) == 0
    assert found("a.c:1: runtime error: overflow\n") == 1
    log.write_text("==2==ERROR: LeakSanitizer\n")
    assert found("") == 1
    assert found("rest\n") == 0
