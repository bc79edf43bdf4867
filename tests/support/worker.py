"""One worker process, started as `up` starts it but by the test itself: on a
listening socket that outlives it, and which only the test knows."""

import os
import signal
import socket
import subprocess

from support.fcgi import Connection
from support.waiting import until

FIRST_ID = 200  # above those of a deployment


class Worker:
    """On the RUN_DIR of a running deployment, or on one without a store."""

    used = 0

    def __init__(self, binary, run_dir, net, env, **settings):
        Worker.used += 1
        self.id = FIRST_ID + Worker.used % 50
        self.argv = [binary, "--run-dir", run_dir, "--net", net, "serve",
                     "--id", str(self.id)]
        self.run_dir = run_dir
        self.env = {**env, **{f"METAGATE_{k.upper()}": str(v)
                              for k, v in settings.items()}}
        with open(os.path.join(run_dir, "secret")) as f:
            self.secret = f.read().strip()
        self.path = os.path.join(run_dir, "s", f"test-{self.id}.sock")
        self.listening = socket.socket(socket.AF_UNIX)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listening.bind(self.path)
        self.listening.listen(1024)
        self.process, self.errors = None, ""

    def start(self, wait=True):
        """wait: until it serves, and takes signals."""
        started = self.log().count("serve.start")
        self.process = subprocess.Popen(
            self.argv, stdin=self.listening, env=self.env, cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if wait:
            until(lambda: self.log().count("serve.start") > started,
                  f"serve-{self.id} has started")
        return self

    def stop(self, how=signal.SIGTERM):
        """Ends it, if it runs, and gives its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(how)
        return self.ended()

    def ended(self):
        """Waits for its end; the exit status."""
        errors = self.process.communicate(timeout=60)[1]
        status, self.process = self.process.returncode, None
        self.errors = errors.decode("utf-8", "replace")
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def end(self):
        self.kill()
        self.listening.close()
        os.unlink(self.path)

    def log(self):
        path = os.path.join(self.run_dir, "log", f"serve-{self.id}.log")
        try:
            with open(path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, text):
        until(lambda: text in self.log(), f"{text!r} in the log")

    def gauge(self, name):
        """A value of /metrics, asked on a connection of its own."""
        lines = self.ask("/metrics").text.splitlines()
        return int(next(line.split()[1] for line in lines
                        if line.startswith(name + " ")))

    def connect(self, timeout=30):
        return Connection(self.path, timeout)

    def params(self, target, listener="console", method="GET", scope="admin",
               **more):
        """What nginx sends for that request."""
        return {
            "REQUEST_METHOD": method, "REQUEST_URI": target,
            "CONTENT_LENGTH": "", "MG_LISTENER": listener,
            "MG_SCOPE": scope, "MG_NAME": "test", "MG_SECRETS": "",
            "MG_REQUEST_ID": "", "MG_SECRET": self.secret, **more}

    def ask(self, target, body=b"", keep=False, **more):
        """One request on a connection of its own."""
        if body:
            more.setdefault("CONTENT_LENGTH", len(body))
        with self.connect() as c:
            return c.ask(self.params(target, **more), body, keep)
