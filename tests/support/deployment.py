"""One deployment of metagate for tests: its own NET, its own directory in
/var/tmp, stopped by process id, its logs searched for sanitizer reports."""

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile

from support import front_end, nets, processes, store
from support.client import Client
from support.listeners import LISTENERS
from support.tokens import Tokens
from support.waiting import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
KEPT_LOGS = os.path.join(ROOT, "build", "test-logs")
START_S = 90
REPORT = re.compile(rb"(Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer"
                    rb"|: runtime error: ")
BEFORE = 256  # bytes that are searched once more


class Deployment:
    def __init__(self, build="asan", environment=None, name="shared"):
        self.build, self.name = build, name
        self.environment = environment or {}
        self.binary = os.path.join(ROOT, "build", build, "metagate")
        self.guard = None
        self.front = None
        self.failed = False
        if front_end.chosen():
            self.environment = {**self.environment,
                                "METAGATE_SERVE_CHECK_TOKENS": "yes"}
        self.searched = {}  # path: bytes already searched for reports

    # ---- life ----

    def start(self):
        if not os.path.exists(self.binary):
            raise AssertionError(f"{self.binary} is missing: make {self.build}")
        # The account that metagate drops to must be able to enter it.
        self.base = tempfile.mkdtemp(prefix="metagate-test.", dir="/var/tmp")
        os.chmod(self.base, 0o755)
        self.run_dir = os.path.join(self.base, "run")
        self.reports = os.path.join(self.base, "reports")
        os.mkdir(self.reports)
        os.chmod(self.reports, 0o1777)
        self.net, lock = nets.claim()
        self.guard = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tests/support/guard.py"),
             self.base, str(lock), *self.argv("up")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=self.env(), pass_fds=[lock], cwd="/")
        os.close(lock)
        self.tokens = Tokens(self)
        try:
            self.pid = self._started()
            self.wait_ready(START_S)
            if front_end.chosen():
                self.front = front_end.FrontEnd(front_end.chosen(), self)
                self.front.wait_ready(self.client("console"))
        except BaseException:
            self.failed = True
            self.stop()
            raise
        return self

    def _started(self):
        told = self.guard.stdout.readline()
        if not told:
            raise AssertionError(f"{self.binary} cannot be executed")
        return int(told)

    def wait_ready(self, timeout=30):
        """Until every listener answers and the store is there."""
        console = self.client("console", token=None)

        def ready():
            ended = self.ended()
            if ended is not None:
                return ended
            return console.get("/healthz").status == 200

        ended = until(ready, f"deployment {self.net} ready", timeout, 0.05)
        if ended is not True:
            raise AssertionError(f"`up` ended with {ended}:\n"
                                 + self.output()[-3000:])

    def ended(self):
        """Exit status of `up` as text; None while it runs."""
        if not select.select([self.guard.stdout], [], [], 0)[0]:
            return None
        return "status " + self.guard.stdout.readline().strip()

    def stop(self):
        """What is wrong with it, as a list of texts."""
        if self.guard is None:
            return []
        if self.front:
            self.front.stop()
        ended = self.ended()  # before: it should still be running
        wrong = [f"`up` ended by itself, {ended}"] if ended else []
        keep = os.path.join(self.base, "keep")
        open(keep, "w").close()
        self.guard.stdin.close()
        rest = self.guard.stdout.read().split()
        self.guard.wait()
        self.guard = None
        if not ended and rest != ["0"]:
            wrong.append(f"`up` answered SIGTERM with status {rest}")
        wrong += [f"`up` had to kill a child: {line}"
                  for line in self.log_lines("up.log") if "child.kill" in line]
        left = processes.below(self.run_dir)
        if left:
            wrong.append(f"left running: {left}")
        wrong += self.new_reports()
        if wrong or self.failed:
            self.keep_logs()
        shutil.rmtree(self.base, ignore_errors=True)
        return wrong

    def keep_logs(self):
        """Copies them to build/test-logs."""
        kept = os.path.join(KEPT_LOGS, f"{self.name}-{self.net}")
        shutil.rmtree(kept, ignore_errors=True)
        os.makedirs(kept)
        for path in self.log_files():
            shutil.copy(path, kept)
        print(f"logs: {kept}", file=sys.stderr)

    # ---- commands, places ----

    def argv(self, *args):
        return [self.binary, "--run-dir", self.run_dir, "--net", self.net,
                *args]

    def env(self):
        options = "log_path={}/{}:print_stacktrace=1:exitcode=99"
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "HOME": os.environ.get("HOME", "/"),
            "TZ": "Asia/Shanghai",
            # not every ten seconds: tests wait for what a tick does
            "METAGATE_PEGASUS_LB_INTERVAL_MS": "500",
            "ASAN_OPTIONS": options.format(self.reports, "asan")
            + ":detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": options.format(self.reports, "ubsan"),
            **self.environment,
        }

    def command(self, *args, check=True, **more):
        """Runs `metagate ARGS` for this deployment."""
        done = subprocess.run(self.argv(*args), capture_output=True, text=True,
                              env=self.env(), timeout=60, cwd="/", **more)
        if check and done.returncode != 0:
            raise AssertionError(f"metagate {' '.join(args)}: "
                                 f"{done.returncode}: {done.stderr}")
        return done

    def path(self, *parts):
        return os.path.join(self.run_dir, *parts)

    def files(self):
        """Paths of all files below its directory."""
        return [os.path.join(where, name)
                for where, _, names in os.walk(self.base) for name in names]

    def address(self, listener):
        # "pegasus-meta" alone: the first of its listeners
        name = listener if listener in LISTENERS else next(
            n for n in LISTENERS if n.startswith(listener + "/"))
        if self.front and self.front.address(name):
            return self.front.address(name)
        machine, port = LISTENERS[name]
        return f"{self.net}.{machine}", port

    def client(self, listener, token="admin", prefix="", **more):
        """A client of that listener with the token of that scope."""
        host, port = self.address(listener)
        client = Client(host, port, listener, prefix=prefix, **more)
        client.tokens = self.tokens
        return client.scope(token)

    def fe_user(self):
        """User and password of the Doris front end's listener."""
        with open(self.path("fe-user")) as f:
            return tuple(f.read().strip().split(":", 1))

    def sql(self, database="metagate"):
        """A connection to the metadata store, autocommit."""
        return store.connect(self.path("s", "mysql.sock"), database)

    def pid_of(self, role):
        """Process id of "serve-0", "nginx", "mariadb"; None when absent."""
        return processes.find(self.run_dir, role)

    # ---- logs ----

    def output(self):
        with open(os.path.join(self.base, "up.out"), errors="replace") as f:
            return f.read()

    def log_lines(self, name):
        path = self.path("log", name)
        if not os.path.exists(path):
            return []
        with open(path, errors="replace") as f:
            return f.read().splitlines()

    def log_files(self):
        found = [os.path.join(self.base, "up.out")]
        for top in (self.reports, self.path("log")):
            for where, _, names in os.walk(top):
                found += [os.path.join(where, n) for n in names]
        return [f for f in found if os.path.isfile(f)]

    def log_sizes(self):
        return {f: os.path.getsize(f) for f in self.log_files()}

    def log_since(self, sizes):
        """What the logs have got since log_sizes(), the access log apart."""
        text = []
        for path in self.log_files():
            if "access" in os.path.basename(path):
                continue
            with open(path, "rb") as f:
                f.seek(sizes.get(path, 0))
                new = f.read().decode("utf-8", "replace").splitlines()
            name = os.path.basename(path)
            text += [f"{name}: {line[:300]}" for line in new[-12:]]
        return "\n".join(text)

    def new_reports(self):
        """Sanitizer reports that nobody has been told of yet. Only what is new
        is read, and a little before it: a word may have been written in two."""
        found = []
        for path in self.log_files():
            begin, size = self.searched.get(path, 0), os.path.getsize(path)
            if size == begin:
                continue
            begin = begin if size > begin else 0  # another file of that name
            with open(path, "rb") as f:
                f.seek(max(0, begin - BEFORE))
                at, text = f.tell(), f.read()
            hit = next((h for h in REPORT.finditer(text)
                        if at + h.end() > begin), None)
            self.searched[path] = at + len(text)
            if hit:
                part = text[max(0, hit.start() - 200):hit.start() + 4000]
                found.append(f"sanitizer report in {path}:\n"
                             + part.decode("utf-8", "replace"))
        return found


class Pool:
    """The deployments of a test session, started when first asked for."""

    def __init__(self):
        self.running = {}
        self.wrong = []

    def get(self, build="asan", environment=None, name="shared"):
        key = (build, name, tuple(sorted((environment or {}).items())))
        if key not in self.running:
            # Only one deployment with a life of its own at a time.
            for other in [k for k in self.running if k[1] != "shared"]:
                self.drop(self.running[other])
            self.running[key] = Deployment(build, environment, name).start()
        return self.running[key]

    def drop(self, deployment):
        for key, running in list(self.running.items()):
            if running is deployment:
                del self.running[key]
        self.wrong += [f"{deployment.name}: {w}" for w in deployment.stop()]

    def stop(self):
        """Stops all; AssertionError when anything was wrong with one."""
        for deployment in list(self.running.values()):
            self.drop(deployment)
        assert not self.wrong, "\n".join(self.wrong)
