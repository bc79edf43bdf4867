"""Waiting for a condition, never for a number of seconds."""

import time

from support.patience import Patience


def until(condition, what="", timeout=30.0, pause=0.02):
    """The first true value of condition(); AssertionError after timeout,
    seconds of an idle machine (patience.py).

    An exception of condition counts as "not yet" and is shown at the end.
    """
    patience = Patience(timeout)
    while True:
        last = None
        try:
            last = condition()
            if last:
                return last
        except Exception as e:  # shown below, when it was the last word
            last = e
        if patience.over():
            name = what or getattr(condition, "__name__", "condition")
            raise AssertionError(
                f"not within {timeout:.0f} s: {name}; last: {last!r}")
        time.sleep(pause)
