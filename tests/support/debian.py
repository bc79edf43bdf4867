"""A Debian 12 of its own, for drills: made by debootstrap, run by
systemd-nspawn, with its own processes, users and, when it is booted, network."""

import os
import shutil
import subprocess
import tempfile

from support.deployment import ROOT
from support.waiting import until

POWER_OFF = 38  # SIGRTMIN+4, to systemd
HOLD_SERVICES = "/usr/sbin/policy-rc.d"
CACHE = os.path.join(ROOT, "build", "debs")
BASE = "systemd,systemd-sysv,dbus,ca-certificates"


def _run(argv, timeout=600, check=True, **more):
    done = subprocess.run(argv, text=True, timeout=timeout, cwd="/",
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          **{"stdin": subprocess.DEVNULL, **more})
    if check and done.returncode != 0:
        raise AssertionError(f"{argv}: {done.returncode}:\n"
                             + done.stdout[-6000:])
    return done


class Debian:
    def __init__(self, include=BASE):
        for tool, package in (("debootstrap", "debootstrap"),
                              ("systemd-nspawn", "systemd-container")):
            assert shutil.which(tool), f"missing: apt-get install {package}"
        assert os.geteuid() == 0, "root alone makes a Debian"
        self.root = tempfile.mkdtemp(prefix="metagate-debian.", dir="/var/tmp")
        os.chmod(self.root, 0o755)
        self.nspawn = self.leader = None
        os.makedirs(CACHE, exist_ok=True)
        for tries_left in (2, 1, 0):  # a download may fail; it goes on there
            done = _run(["debootstrap", "--variant=minbase",
                         f"--cache-dir={CACHE}", f"--include={include}",
                         "bookworm", self.root], 900, check=tries_left == 0)
            if done.returncode == 0:
                break

    def path(self, name):
        return self.root + name

    def put(self, source, name):
        shutil.copy(source, self.path(name))

    # ---- not booted: the network is the host's ----

    def chroot(self, *argv, check=True, timeout=900, **more):
        return _run(["systemd-nspawn", "-q", "-D", self.root, "--register=no",
                     "--keep-unit", "--pipe", *argv], timeout, check, **more)

    def install(self, *packages):
        """apt-get install, without starting what it installs."""
        with open(self.path(HOLD_SERVICES), "w") as f:
            f.write("#!/bin/sh\nexit 101\n")
        os.chmod(self.path(HOLD_SERVICES), 0o755)
        self.chroot("apt-get", "-o", "Acquire::Retries=3", "install",
                    "-y", "-qq", "--no-install-recommends", *packages)
        os.unlink(self.path(HOLD_SERVICES))

    # ---- booted: no network but loopback ----

    def boot(self):
        self.nspawn = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", "systemd-nspawn", "-q", "-D",
             self.root, "--register=no", "--keep-unit", "--private-network",
             "--boot", "--console=pipe"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        self.leader = until(self._find_leader, "systemd starts", 60)
        until(lambda: self.run("systemctl", "is-system-running", check=False)
              .stdout.strip() in ("running", "degraded"), "it has booted", 120)

    def _find_leader(self):
        with open(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children"
                  ) as f:
            for pid in f.read().split():
                with open(f"/proc/{pid}/comm") as comm:
                    if comm.read() == "systemd\n":
                        return pid
        return None

    def run(self, *argv, check=True, timeout=120, **more):
        """A command in the booted system, by its root."""
        return _run(["nsenter", "-a", "-t", self.leader, *argv], timeout,
                    check, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                                "HOME": "/root", "LC_ALL": "C.UTF-8"}, **more)

    def sh(self, script, **more):
        return self.run("/bin/sh", "-euc", script, **more)

    def power_off(self):
        if self.nspawn is None:
            return
        if self.nspawn.poll() is None and self.leader:
            os.kill(int(self.leader), POWER_OFF)
        elif self.nspawn.poll() is None:
            self.nspawn.terminate()
        self.nspawn.wait(90)
        self.nspawn = self.leader = None

    def remove(self):
        self.power_off()
        shutil.rmtree(self.root)
