"""The checkers find what they are for."""

import os

import pytest

from support import badinput, nets
from support.ackedset import AckedSet
from support.load import Load, race
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
