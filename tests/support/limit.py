"""A test that hangs fails by itself, and the tests after it run: SIGALRM looks
once a second whether the patience with a phase of a test has run out."""

import contextlib
import faulthandler
import signal
import sys

from support.patience import Patience

TEST_S = 240  # of setup, of call, of teardown; mark limit(seconds) for more
AGAIN_S = 30  # what is unwound by then hangs too


class Hangs(BaseException):
    """No Exception: waiting.until() takes every Exception for "not yet"."""


def of(item):
    mark = item.get_closest_marker("limit")
    return mark.args[0] if mark else TEST_S


@contextlib.contextmanager
def limited(seconds, what):
    """Raises Hangs in the body when it takes longer, and again until the body
    has ended; where every thread stands goes to standard error."""
    patience = Patience(seconds)

    def look(*_):
        nonlocal patience
        if patience.over():
            patience = Patience(AGAIN_S)
            sys.stderr.flush()
            faulthandler.dump_traceback(2)
            raise Hangs(f"{what} hangs: not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, look)
    timer = signal.setitimer(signal.ITIMER_REAL, 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)
