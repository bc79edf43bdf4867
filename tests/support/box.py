"""A deployment whose start and end the test itself decides."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

from support import nets, processes
from support.deployment import Deployment
from support.tokens import Tokens
from support.waiting import until


class Box(Deployment):
    def __init__(self, parent="", **environment):
        super().__init__("asan", environment, "box")
        self.base = tempfile.mkdtemp(prefix="metagate-box.", dir="/var/tmp")
        os.chmod(self.base, 0o755)
        self.run_dir = os.path.join(self.base, parent, "run")
        self.reports = os.path.join(self.base, "reports")
        os.mkdir(self.reports)
        os.chmod(self.reports, 0o1777)
        self.net, self.lock = nets.claim()
        self.started = []
        self.tokens = Tokens(self)

    def close(self):
        """Ends everything, and says what was wrong with it."""
        for process in self.started:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
        self.command("stop", check=False)
        self.kill_rest()
        reports = self.new_reports()
        os.close(self.lock)
        shutil.rmtree(self.base, ignore_errors=True)
        assert not reports, "\n".join(reports)

    def kill_rest(self):
        for pid in processes.below(self.run_dir):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # ---- up in the foreground ----

    def up(self, prefix=()):
        """Starts it; wait() or ready() tells what came of it."""
        with open(os.path.join(self.base, "up.out"), "ab") as out:
            process = subprocess.Popen(
                [*prefix, *self.argv("up")], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=self.env(), cwd="/",
                start_new_session=True)
        self.started.append(process)
        return process

    def ready(self, process, timeout=90):
        until(lambda: "ready after" in self.output()
              or process.poll() is not None, "up says that it is ready",
              timeout)
        assert process.poll() is None, self.output()
        return process

    def refused(self, prefix=(), timeout=60):
        """What `up` says when it does not start."""
        process = self.up(prefix)
        assert process.wait(timeout) == 1, self.output()
        return self.output()

    def healthy(self):
        console = self.client("console", token=None)
        try:
            return console.get("/healthz").status == 200
        except OSError:
            return False


def listener(host, port=0):
    s = socket.socket()
    s.bind((host, port))
    s.listen()
    return s
