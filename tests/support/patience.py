"""A time limit for what hangs. It is counted in seconds of a machine that has
a processor for everybody: while more wants to run than there are processors,
its clock goes slower by as much."""

import os
import time

CPUS = len(os.sched_getaffinity(0))


def slower():
    """How many times slower than alone one runs now, at least 1."""
    with open("/proc/loadavg") as f:
        words = f.read().split()
    wanting = max(float(words[0]), int(words[3].partition("/")[0]))
    return max(1.0, wanting / CPUS)


class Patience:
    def __init__(self, seconds):
        self.left = seconds
        self.last = time.monotonic()

    def over(self):
        """Whether it has run out; to be asked often, every second or so."""
        now = time.monotonic()
        if now > self.last:
            self.left -= (now - self.last) / slower()
            self.last = now
        return self.left < 0
