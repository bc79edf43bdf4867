"""Plugin of pytest for tests/mutants-woven: runs its tests once without a
mutation and notes which functions each of them begins; then, for each mutation,
those that begin its function until one fails. A test that fails with a mutation
is run once more without; when that fails too, what the mutation has left behind
is dropped with its deployment."""

import json
import os
import time

import pytest
from _pytest.runner import runtestprotocol

from support import limit
from support.deployment import Pool
from support.patience import slower
from support.weave import Switch

SLOW_S = 8  # a test that takes longer without a mutation is not asked
pools = []
usual = {}  # test: seconds of an idle machine
whole = limit.of


def pytest_configure():
    begin = Pool.__init__

    def known(self):
        begin(self)
        pools.append(self)

    Pool.__init__ = known
    Pool.get.__defaults__ = ("release", *Pool.get.__defaults__[1:])
    limit.of = patient


def patient(item):
    """What turns in a circle is not waited for as long as usually."""
    if item.nodeid in usual and any(pool.running for pool in pools):
        return min(whole(item), 3 + 3 * usual[item.nodeid])
    return whole(item)


class Tests:
    def __init__(self, session):
        self.items = session.items
        self.switch = Switch(os.environ["METAGATE_TEST_WOVEN"])

    def run(self, item):
        """What it says when it fails, "" when it does not."""
        item._initrequest()
        # Next is nothing of its file: all but the session is torn down.
        reports = runtestprotocol(item, log=False, nextitem=item.session)
        wrong = [r for r in reports if r.failed]
        for pool in pools:
            for deployment in pool.running.values():
                deployment.failed = False
        return wrong[0].longreprtext or "failed" if wrong else ""

    def learn(self):
        """{test: functions that it begins}, without what fails already."""
        begun = {}
        self.run(self.items[0])  # starts the deployment
        for item in self.items:
            self.switch.forget()
            began, slow = time.monotonic(), slower()
            wrong = self.run(item)
            took = (time.monotonic() - began) * 2 / (slow + slower())
            if wrong:
                say(f"fails without a mutation: {item.nodeid}\n{wrong[-600:]}")
            elif took > SLOW_S and not own(item):
                say(f"not asked, {took:.0f} s: {item.nodeid}")
            else:
                usual[item.nodeid] = took
                begun[item] = self.switch.begun()
        return begun

    def noticed(self, number, items):
        """The first that fails with the mutation, and how."""
        for item in items:
            self.switch.choose(number)
            began = time.monotonic()
            try:
                wrong = self.run(item)
            finally:
                self.switch.choose(0)
            if not wrong:
                continue
            if "Hangs" in wrong or time.monotonic() - began > 30:
                self.drop()  # a worker may turn in a circle
            clean = self.run(item)
            if clean:
                self.drop()
                clean = self.run(item)
                if clean:
                    say(f"unsteady: {item.nodeid}\n{clean[-600:]}")
                    continue
                self.switch.choose(number)
                again = self.run(item)
                self.switch.choose(0)
                if not again:
                    say(f"not again: {number} by {item.nodeid}")
                    continue
            return item.nodeid, wrong
        return None, ""

    def drop(self):
        for pool in pools:
            for deployment in list(pool.running.values()):
                pool.drop(deployment)
            pool.wrong.clear()


def own(item):
    return bool(item.get_closest_marker("config"))


def say(text):
    with open(os.environ["METAGATE_TEST_WOVEN_SAID"], "a") as f:
        print(text, file=f)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    with open(os.environ["METAGATE_TEST_WOVEN_ASKED"]) as f:
        asked = json.load(f)  # [[number, function, path]]
    tests = Tests(session)
    began = time.monotonic()
    begun = tests.learn()
    say(f"learned in {time.monotonic() - began:.0f} s")
    by_function = {}
    for item, functions in begun.items():
        for function in functions:
            by_function.setdefault(function, []).append(item)
    for number, function, path in asked:
        name = os.path.basename(path)[:-2]
        items = sorted(
            by_function.get(function, ()),
            key=lambda item: (own(item), -len(os.path.commonprefix(
                [name, item.path.name.removeprefix("test_")])),
                len(begun[item]) / 10 + usual[item.nodeid] * 5))
        by, how = tests.noticed(number, items)
        say(json.dumps([number, by, how[-300:], len(items)]))
    tests.drop()
    return True
