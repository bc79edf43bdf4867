"""A word to open logs again does not end a process that has just begun."""

import os
import signal

import pytest

from support.box import Box
from support.waiting import until

pytestmark = pytest.mark.fault


@pytest.fixture
def box():
    box = Box()
    yield box
    box.close()


def test_a_hangup_in_a_workers_first_moment_does_not_end_it(box):
    box.ready(box.up())
    for _ in range(3):
        old = box.pid_of("serve-0")
        os.kill(old, signal.SIGKILL)
        seen = []
        until(lambda: seen.append(box.pid_of("serve-0"))
              or seen[-1] not in (None, old), "a new one")
        new = seen[-1]
        for _ in range(20):
            os.kill(new, signal.SIGHUP)
        until(lambda: box.client("console").get(
            "/worker/0/pprof/cmdline").status == 200, "it serves")
        assert box.pid_of("serve-0") == new
