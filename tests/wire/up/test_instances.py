"""A database instance outlives what owns it, and ends with the deployment."""

import json
import os
import signal
import subprocess

import pytest

from support import processes
from support.box import Box
from support.deployment import ROOT
from support.waiting import until

pytestmark = pytest.mark.fault
PROGRAM = os.path.join(ROOT, "build", "asan", "support", "instance_shell")
PORT = 6001


class Instance:
    """On machine 1 of a box that runs."""

    def __init__(self, box):
        self.box, self.up = box, box.ready(box.up())
        self.root = os.path.join(box.base, "db")
        owner = os.stat(box.run_dir)
        os.mkdir(self.root, 0o750)
        os.chown(self.root, owner.st_uid, owner.st_gid)
        self.supervise = f"supervise-{box.net}.1"
        box.command("stop", self.supervise)
        made = subprocess.run(
            ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}",
             "--clear-groups", PROGRAM, box.run_dir, box.net, self.root,
             str(PORT)], capture_output=True, text=True, timeout=150,
            check=False, cwd="/", env={**box.env(),
                                       "METAGATE_INSTANCE_DURABLE": "no"})
        assert made.returncode == 0, made.stderr
        self.first = int(made.stdout)
        box.command("start", self.supervise)

    def again(self):
        """The next `up`, once it serves."""
        up = self.box.up()
        until(lambda: self.box.healthy() and self.owner(), "the next up", 90)
        return up

    def shown(self):
        done = self.box.command("status", "-o", "json")
        return json.loads(done.stdout)["instances"][0]

    def runs(self, not_pid=None):
        """Its process id, once that is another one."""
        def pid():
            shown = self.shown()
            return shown["state"] == "running" and \
                shown["pid"] != not_pid and shown["pid"]
        return until(pid, "the instance runs", 60)

    def owner(self):
        return next((pid for pid, argv in processes.below(
            self.box.run_dir).items() if argv[-1] == f"{self.box.net}.1"), None)


@pytest.fixture(scope="module")
def instance():
    box = Box()
    try:
        yield Instance(box)
    finally:
        try:
            box.close()
        finally:
            for pid in processes.below(os.path.join(box.base, "db")):
                os.kill(pid, signal.SIGKILL)


def test_it_is_adopted_and_kept_by_who_comes_after_a_kill(instance):
    pid = instance.runs()
    assert pid == instance.first
    old = instance.owner()
    processes.kill(old)
    until(lambda: instance.owner() not in (None, old), "a new supervise")
    assert instance.runs() == pid
    processes.kill(pid)
    assert instance.runs(pid) != pid
    check = instance.box.command("check", "-o", "json", check=False).stdout
    assert '"1, 1 of them running"' in check


def test_it_runs_on_while_its_supervise_and_the_store_are_stopped(instance):
    pid = instance.runs()
    instance.box.command("stop", "mariadb")
    instance.box.command("stop", instance.supervise)
    assert processes.alive(pid)
    processes.kill(pid)
    instance.box.command("start", instance.supervise)
    instance.runs(pid)  # by what its home says: there is no store
    instance.box.command("start", "mariadb")


def test_it_outlives_up_ends_with_the_deployment_and_comes_back(instance):
    pid = instance.runs()
    processes.kill(instance.up.pid)
    instance.up.wait(60)
    assert processes.alive(pid)
    again = instance.again()
    assert instance.runs() == pid
    again.terminate()
    assert again.wait(150) == 0
    assert not processes.below(instance.root)
    instance.again()
    instance.runs(pid)
