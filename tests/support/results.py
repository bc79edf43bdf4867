"""What became of each test, one JSON array per line, written as it happens:
what passed counts, whatever becomes of the process afterwards.

    ["start", id, limit]           seconds that a phase of it may take
    ["phase", id, outcome, text]   set-up, call, teardown; text: of a failure
    ["end", id, outcome, seconds]
    ["broken", id]                 a file that cannot be collected
    ["finished", status]           the process has run what it had to
    ["left", text]                 a process that it left behind (reaper.py)
    ["cpu", seconds]               of processors, all its descendants' (reaper.py)
"""

import json
import time


class Writer:
    """For the process that runs the tests."""

    def __init__(self, path):
        self.path = path
        self.failed = False

    def note(self, *line):
        with open(self.path, "a") as f:
            f.write(json.dumps(line) + "\n")

    def start(self, test, limit):
        self.failed, self.began = False, time.monotonic()
        self.note("start", test, limit)

    def phase(self, test, outcome, text):
        self.failed = self.failed or outcome != "passed"
        self.note("phase", test, outcome, text)

    def end(self, test):
        self.note("end", test, "failed" if self.failed else "passed",
                  round(time.monotonic() - self.began, 3))


class Results:
    """For whoever reads the file, also while it is written."""

    def __init__(self, path):
        self.passed, self.failed, self.broken, self.left = [], [], [], []
        self.current, self.limit, self.status = None, None, None
        self.started, self.texts = set(), []
        self.seconds, self.cpu_s = {}, 0  # seconds: test -> its own
        for kind, first, *rest in _lines(path):
            if kind == "start":
                self.current, self.limit = first, rest[0]
                self.started.add(first)
            elif kind == "phase" and rest[1]:
                self.texts.append(f"{first}\n{rest[1]}")
            elif kind == "end":
                self.current = None
                (self.passed if rest[0] == "passed"
                 else self.failed).append(first)
                self.seconds[first] = rest[1]
            elif kind == "broken":
                self.broken.append(first)
            elif kind == "left":
                self.left.append(first)
            elif kind == "cpu":
                self.cpu_s += first
            elif kind == "finished":
                self.status, self.texts = first, []  # pytest has shown them


def _lines(path):
    try:
        with open(path) as f:
            text = f.read()
    except FileNotFoundError:
        return
    for line in text.splitlines(True):
        if line.endswith("\n"):  # else it is being written
            yield json.loads(line)
