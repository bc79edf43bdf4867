"""The product's store client on a pipe: build/asan/support/db_shell."""

import os
import re
import subprocess
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "asan", "support", "db_shell")
ANSWER = re.compile(r"(\w+) errno=(\d+) rerun=(\d) value=(.*)")

Answer = namedtuple("Answer", "err code rerun value")


class Shell:
    """shell.do("exec UPDATE t SET n = 1") -> Answer"""

    def __init__(self, hosts, user, database, read_s=5, lock_s=1,
                 batch=False):
        assert os.path.exists(PROGRAM), f"{PROGRAM} is missing: make unit"
        self.process = subprocess.Popen(
            [PROGRAM, hosts, user, database, str(read_s), str(lock_s),
             str(int(batch))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.log = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, line):
        """Without waiting for the answer: see answer()."""
        assert "\n" not in line
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        match = ANSWER.match(line)
        assert match, f"{line!r}: {self.close()}"
        err, code, rerun, value = match.groups()
        return Answer(err, int(code), rerun == "1", value)

    def do(self, line):
        self.send(line)
        return self.answer()

    def ok(self, *lines):
        """Each must succeed; the last one's value."""
        for line in lines:
            answer = self.do(line)
            assert answer.err == "ok", (line, answer)
        return answer.value

    def close(self):
        """Its log; a sanitizer's report, also about leaks, is a failure."""
        if self.log is None:
            self.log = self.process.communicate(timeout=60)[1]
            assert "Sanitizer" not in self.log, self.log
            assert "runtime error" not in self.log, self.log
        return self.log
