"""Runs a command and leaves no process behind, however the command ends.

    reaper.py RESULTS COMMAND...

What outlives its parent becomes a child of this process (prctl(2),
PR_SET_CHILD_SUBREAPER). When the command has ended, guards (guard.py) may
still stop their deployments; what runs after that is killed, and a line
["left", ...] of it added to the file RESULTS, and one of the time that all of
them spent. SIGTERM goes to the command,
whose exit status is this one's (128 + n after a signal); SIGUSR1 aborts it.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support.patience import Patience  # noqa: E402
from support.results import Writer  # noqa: E402

GUARDS_S = 90
PR_SET_CHILD_SUBREAPER = 36


def main():
    results, command = Writer(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGUSR1, lambda *_: process.send_signal(
        signal.SIGABRT))
    status = process.wait()
    patience = Patience(GUARDS_S)
    while guards(children()) and not patience.over():
        time.sleep(0.1)
    for pid, words in kill_all().items():
        results.note("left", f"{pid}: {words[:200]}")
    spent = os.times()
    results.note("cpu", round(spent.children_user + spent.children_system, 1))
    return status if status >= 0 else 128 - status


def children():
    """{pid: command line} of our living children; ended ones are reaped."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat") as f:
                parent = f.read().rpartition(")")[2].split()[1]
            with open(f"/proc/{pid}/cmdline") as f:
                words = f.read().replace("\0", " ").strip()
            if int(parent) == os.getpid():
                found[int(pid)] = words
    return found


def guards(found):
    return [pid for pid, words in found.items() if "/guard.py " in words]


def kill_all():
    """Kills the children; theirs become ours and are next. All of them."""
    killed = {}
    while found := children():
        for pid, words in found.items():
            killed.setdefault(pid, words)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    return killed


if __name__ == "__main__":
    sys.exit(main())
