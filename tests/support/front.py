"""nginx alone: the product's configuration (`metagate nginx`), a real nginx,
and the workers of fastcgi.py behind it."""

import os
import pwd
import shutil
import subprocess
import tempfile

from support import nets, processes, raw
from support.client import Client
from support.deployment import ROOT
from support.fastcgi import Workers
from support.listeners import LISTENERS
from support.waiting import until

ACCOUNT = "nobody"  # when the tests run as root; metagate takes the owner's


class Front:
    def __init__(self, build="asan"):
        self.binary = os.path.join(ROOT, "build", build, "metagate")
        self.nginx = None

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
        if self.nginx is not None:
            self.nginx.terminate()
            self.nginx.wait()
        self.workers.stop()
        os.close(self.lock)
        shutil.rmtree(self.base, ignore_errors=True)

    def start_nginx(self):
        with open(self.path("nginx.stderr"), "ab") as err:
            self.nginx = subprocess.Popen(
                ["/usr/sbin/nginx", "-e", "stderr", "-c",
                 self.path("nginx", "nginx.conf"), "-p",
                 self.path("nginx") + "/"],
                stderr=err, start_new_session=True, **self.as_account())
        until(lambda: self.client("console", "none").get("/healthz").status
              == 200, "nginx answers")

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

    def as_account(self):
        if os.geteuid() != 0:
            return {}
        uid, gid = self.account()
        return {"user": uid, "group": gid, "extra_groups": []}

    def client(self, listener, token="first", **more):
        machine, port = LISTENERS[listener]
        client = Client(f"{self.net}.{machine}", port, listener, **more)
        if token == "first":
            with open(self.path("token")) as f:
                client.token = f.read().strip()
        elif token != "none":
            client.token = token
        return client

    def errors(self):
        with open(self.path("nginx.stderr"), errors="replace") as f:
            return f.read()

    def pids(self):
        return processes.below(self.run_dir)


def once(client, path="/a", method="GET"):
    """One request on a connection of its own."""
    return raw.send(client, raw.head(method, path, [
        ("Host", "h"), ("Connection", "close"),
        ("X-Metagate-Token", client.token)]))
