"""A source on a pipe: build/asan/support/source_shell."""

import json
import os
import subprocess
import threading

from support.waiting import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "asan", "support", "source_shell")


class Source:
    """What it says is gathered in `said`, a dict each."""

    def __init__(self, hosts, user, position, *options, server_id=77,
                 password=""):
        assert os.path.exists(PROGRAM), f"{PROGRAM} is missing: make unit"
        self.process = subprocess.Popen(
            [PROGRAM, hosts, user, str(server_id), position, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SOURCE_PASSWORD": password})
        self.said, self.log = [], ""
        self._go = threading.Event()
        self._go.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._go.set()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            self._go.wait()
            self.said.append(json.loads(line))

    def hold(self):
        """Nothing of what it says is read any more; go() ends that."""
        self._go.clear()

    def go(self):
        self._go.set()

    # ---- what has been said ----

    def what(self, what):
        return [s for s in list(self.said) if s["what"] == what]

    def wait(self, what, n=1, timeout=60.0):
        """Until there are n of it; the last."""
        def found():
            assert self.process.poll() is None or len(self.what(what)) >= n, \
                (self.said[-1:], self.process.stderr.read())
            return len(self.what(what)) >= n
        until(found, f"{n} of {what}", timeout)
        return self.what(what)[-1]

    def wait_for(self, position, timeout=60.0):
        """Until all that has been taken, and there is no more."""
        def there():
            assert self.process.poll() is None, self.said[-1:]
            return any(s["position"] == position for s in self.what("idle"))
        until(there, f"{position}, now {self.said[-1:]}", timeout)

    def taken(self):
        """The rows of transactions that were committed, in their order."""
        rows, now = [], []
        for s in list(self.said):
            if s["what"] in ("begin", "drop"):
                now = []
            elif s["what"] == "row":
                now.append(s)
            elif s["what"] == "commit":
                rows += now
                now = []
        return rows

    # ---- its end ----

    def stop(self):
        """Its last word, how it has ended; a sanitizer's report fails."""
        if self.process.poll() is None:
            self.process.stdin.write("stop\n")
            self.process.stdin.flush()
        return self.end()

    def end(self, timeout=120):
        self._go.set()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on: {self.said[-3:]}") from None
        self._reader.join(timeout)
        said = self.log = self.process.stderr.read()
        assert "Sanitizer" not in said and "runtime error" not in said, said
        assert self.said and self.said[-1]["what"] == "end", (self.said, said)
        return self.said[-1]

    def position(self):
        return self.what("position")[-1]["position"]


def look(hosts, user, position="now", *options, **how):
    """What a server says of itself, or the fault."""
    with Source(hosts, user, position, "look", *options, **how) as s:
        end = s.end()
        return end if end["result"] != "ok" else s.what("upstream")[0]
