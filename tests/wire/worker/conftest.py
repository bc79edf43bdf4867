"""Workers of the tests' own, spoken to in FastCGI, without nginx."""

import os
import secrets
import shutil
import tempfile

import pytest

from support.deployment import REPORT, ROOT
from support.worker import Worker

NET = "127.71.2"  # nothing is bound there


class Place:
    """A RUN_DIR without a store, and the workers on it."""

    def __init__(self, build):
        self.binary = os.path.join(ROOT, "build", build, "metagate")
        self.run_dir = tempfile.mkdtemp(prefix="metagate-worker.",
                                        dir="/var/tmp")
        self.workers = []
        os.mkdir(self.file("s"))
        os.mkdir(self.file("log"))
        self.write("secret", secrets.token_hex(32) + "\n")
        self.write("key", f"1 {secrets.token_hex(32)}\n")

    def file(self, *parts):
        return os.path.join(self.run_dir, *parts)

    def write(self, name, text):
        """As the product does it: by rename, for nobody else to read."""
        new = self.file(name + ".new")
        with open(os.open(new, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write(text)
        os.rename(new, self.file(name))

    def env(self):
        return {"PATH": os.environ["PATH"], "TZ": "Asia/Shanghai",
                "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1",
                "UBSAN_OPTIONS": "print_stacktrace=1"}

    def worker(self, wait=True, **settings):
        w = Worker(self.binary, self.run_dir, NET, self.env(), **settings)
        self.workers.append(w)
        return w.start(wait)

    def end(self):
        """Every worker still there ends well when it is asked to."""
        try:
            for w in self.workers:
                assert w.stop() == 0, w.errors
                assert not REPORT.search(w.errors.encode()), w.errors
        finally:
            for w in self.workers:
                w.end()
            shutil.rmtree(self.run_dir)


@pytest.fixture
def place(request):
    profile = request.node.get_closest_marker("profile")
    place = Place("release" if profile else "asan")
    yield place
    place.end()


@pytest.fixture
def worker(place):
    """One worker with two threads, and no store."""
    return place.worker(serve_threads=2, serve_body_kib=64)


@pytest.fixture
def store_worker(deployment):
    """One more worker, with four threads, on a running deployment."""
    w = Worker(deployment.binary, deployment.run_dir, deployment.net,
               deployment.env(), serve_threads=4)
    yield w.start()
    status = w.stop()
    w.end()
    assert status == 0, w.errors
