"""nginx alone: the product's configuration (`metagate nginx`), a real nginx,
and the workers of fastcgi.py behind it."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

from support import nets, processes, raw
from support.client import Client
from support.deployment import ROOT
from support.fastcgi import Workers
from support.listeners import LISTENERS
from support.waiting import until

ACCOUNT = "nobody"  # when the tests run as root; metagate takes the owner's


@contextlib.contextmanager
def own_deployment():
    """What `metagate init` makes, for an nginx that is not ours: none runs."""
    front = Front()
    front.base = tempfile.mkdtemp(prefix="metagate-own.", dir="/var/tmp")
    os.chmod(front.base, 0o755)
    front.run_dir = os.path.join(front.base, "run")
    front.net, front.lock = nets.claim()
    for folder in (front.run_dir, front.path("s")):
        os.mkdir(folder, 0o750)
        os.chown(folder, *front.account())
    try:
        front.command("init")
        yield front
    finally:
        os.close(front.lock)
        shutil.rmtree(front.base, ignore_errors=True)


class Front:
    def __init__(self, build="asan"):
        self.binary = os.path.join(ROOT, "build", build, "metagate")
        self.guard = self.workers = None

    def start(self):
        self.base = tempfile.mkdtemp(prefix="metagate-front.", dir="/var/tmp")
        os.chmod(self.base, 0o755)
        self.run_dir = os.path.join(self.base, "run")
        self.net, self.lock = nets.claim()
        for folder in (self.run_dir, self.path("s")):
            os.mkdir(folder, 0o755)
            os.chown(folder, *self.account())
        self.workers = Workers(self.path("s"))
        self.workers.start()
        self.configure()
        self.start_nginx()
        return self

    def stop(self):
        if self.guard is not None:
            self.guard.stdin.close()
            self.guard.wait()
        if self.workers is not None:
            self.workers.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def start_nginx(self):
        """It ends with the tests, also when they are killed: guard.py."""
        self.guard = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tests/support/guard.py"),
             self.base, str(self.lock), *self.nginx_argv()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            pass_fds=[self.lock], cwd="/")
        os.close(self.lock)
        self.nginx_pid = int(self.guard.stdout.readline())
        until(lambda: self.client("console", "none").get("/healthz").status
              == 200, "nginx answers")

    def nginx_argv(self, *more, conf=None):
        """nginx as the account that RUN_DIR belongs to."""
        account = []
        if os.geteuid() == 0:
            uid, gid = self.account()
            account = ["/usr/bin/setpriv", "--clear-groups",
                       f"--reuid={uid}", f"--regid={gid}"]
        return [*account, "/usr/sbin/nginx", "-e", "stderr", "-c",
                conf or self.path("nginx", "nginx.conf"), "-p",
                self.path("nginx") + "/", *more]

    # ---- the product ----

    def configure(self, **environment):
        """The configuration anew, with METAGATE_... settings, taken over by
        the running nginx."""
        self.command("nginx", environment=environment)

    def command(self, *args, environment=None, check=True):
        done = subprocess.run(
            [self.binary, "--run-dir", self.run_dir, "--net", self.net, *args],
            capture_output=True, text=True, cwd="/", timeout=60,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/usr/sbin"),
                 **(environment or {})})
        if check and done.returncode != 0:
            raise AssertionError(f"metagate {' '.join(args)}: "
                                 f"{done.returncode}: {done.stderr}")
        return done

    def token(self, name, scope, *more):
        """Adds a token and gives it."""
        self.command("token", "add", name, scope, *more)
        with open(self.path("tokens", name)) as f:
            return f.read().strip()

    # ---- places ----

    def path(self, *parts):
        return os.path.join(self.run_dir, *parts)

    def account(self):
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        entry = pwd.getpwnam(ACCOUNT)
        return entry.pw_uid, entry.pw_gid

    def client(self, listener, token="first", **more):
        machine, port = LISTENERS[listener]
        # not its real name: what is asked here tests no row of the tables
        client = Client(f"{self.net}.{machine}", port, "front:" + listener,
                        **more)
        if token == "first":
            with open(self.path("token")) as f:
                client.token = f.read().strip()
        elif token != "none":
            client.token = token
        return client

    def pids(self):
        return processes.below(self.run_dir)


def once(client, path="/a", method="GET"):
    """One request on a connection of its own."""
    return raw.send(client, raw.head(method, path, [
        ("Host", "h"), ("Connection", "close"),
        ("X-Metagate-Token", client.token)]))
