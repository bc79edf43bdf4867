"""An installed system: units that systemd takes, sockets that outlive their
workers."""

import itertools
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading

import pytest

from support import fcgi
from support.deployment import ROOT
from support.front import own_deployment
from support.waiting import until
from support.worker import Worker

UNITS = ["metagate-serve@.socket", "metagate-serve@.service",
         "metagate-control@.service", "metagate-supervise@.service",
         "metagate-capture@.service",
         "metagate-setup.service", "metagate.target"]


DOCS = ["README.md", "LICENSE", "INSTALLED.md"]


def install(*settings):
    subprocess.run(["make", "-s", "install", *settings], cwd=ROOT, check=True,
                   timeout=300, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """(DESTDIR, PREFIX) of a `make install`."""
    top = tmp_path_factory.mktemp("install")
    dest, prefix = top / "dest", top / "usr"
    install(f"DESTDIR={dest}", f"PREFIX={prefix}")
    (prefix / "bin").mkdir(parents=True)  # what the units name
    shutil.copy(f"{dest}{prefix}/bin/metagate", prefix / "bin")
    return dest, prefix


def test_everything_lies_below_the_prefix(installed):
    dest, prefix = installed
    found = {os.path.join(where, name).removeprefix(str(dest))
             for where, _, names in os.walk(dest) for name in names}
    lib = f"{prefix}/lib"
    assert found == {
        f"{prefix}/bin/metagate", f"{prefix}/etc/logrotate.d/metagate",
        f"{prefix}/share/man/man1/metagate.1",
        f"{prefix}/share/man/man1/metagate-verbs.1",
        f"{prefix}/share/bash-completion/completions/metagate",
        f"{prefix}/share/zsh/vendor-completions/_metagate",
        f"{prefix}/share/fish/vendor_completions.d/metagate.fish",
        *(f"{prefix}/share/doc/metagate/{name}" for name in DOCS),
        f"{lib}/sysusers.d/metagate.conf", f"{lib}/tmpfiles.d/metagate.conf",
        *(f"{lib}/systemd/system/{u}" for u in UNITS)}
    for name in found - {f"{prefix}/bin/metagate"}:
        with open(f"{dest}{name}") as f:
            text = f.read()
        assert "@" + "PREFIX@" not in text and "HARDENING" not in text, name


@pytest.mark.parametrize("prefix, given, expected", [
    ("/usr", [], "/etc"), ("/usr/local", [], "/etc"),
    ("/opt/metagate", [], "/opt/metagate/etc"),
    ("/opt/metagate", ["SYSCONFDIR=/etc"], "/etc")])
def test_only_an_installation_of_the_system_writes_to_etc(
        tmp_path, prefix, given, expected):
    install(f"DESTDIR={tmp_path}", f"PREFIX={prefix}", *given)
    found = {os.path.join(where, name).removeprefix(str(tmp_path))
             for where, _, names in os.walk(tmp_path) for name in names}
    outside = {f for f in found if not f.startswith(prefix + "/")}
    rotate = f"{expected}/logrotate.d/metagate"
    assert rotate in found and outside <= {rotate}
    for name in found:
        if name.endswith(".service"):
            text = (tmp_path / name[1:]).read_text()
            assert set(re.findall(r"ExecStart=(\S+)", text)) == {
                f"{prefix}/bin/metagate"}


@pytest.mark.parametrize("prefix", ["usr", "/a b", "/a&b", "/a|b", "/a;b"])
def test_a_prefix_that_is_no_plain_path_is_refused(tmp_path, prefix):
    done = subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}/d",
                           f"PREFIX={prefix}"], cwd=ROOT, text=True,
                          capture_output=True, timeout=300,
                          stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert "no plain absolute path" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_place_that_is_not_ones_own_is_named_with_the_cure(tmp_path):
    done = subprocess.run(
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
         "sh", os.path.join(ROOT, ".package", "install")]
        if os.geteuid() == 0 else
        ["sh", os.path.join(ROOT, ".package", "install")],
        capture_output=True, text=True, timeout=60, env={
            "PATH": os.environ["PATH"], "DESTDIR": "", "PREFIX": "/usr",
            "SYSCONFDIR": "/etc", "HOME": "/home/joe"})
    assert done.returncode == 1
    assert done.stderr == "install: /usr is not yours to write: as root," \
        " or PREFIX=/home/joe/.local\n"


def units(installed):
    dest, prefix = installed
    return [f"{dest}{prefix}/lib/systemd/system/{u}" for u in UNITS]


def analyze(*args):
    path = shutil.which("systemd-analyze")
    assert path, "missing: apt-get install systemd"
    return subprocess.run([path, *args], capture_output=True, text=True,
                          timeout=60, env={
                              "PATH": os.environ["PATH"],
                              "SYSTEMD_UNIT_PATH":
                              os.path.dirname(args[-1]) + ":"})


def test_systemd_takes_the_units(installed):
    done = analyze("verify", *units(installed))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_services_are_locked_up(installed):
    for unit in units(installed):
        if unit.endswith(".service"):
            done = analyze("security", "--offline=yes", "--threshold=25", unit)
            assert done.returncode == 0, done.stdout[-300:]


def test_sysusers_and_tmpfiles_are_understood(installed):
    dest, prefix = installed
    root = dest / "root"
    (root / "etc").mkdir(parents=True, exist_ok=True)
    for tool, folder, more in (("systemd-sysusers", "sysusers.d", []),
                               ("systemd-tmpfiles", "tmpfiles.d",
                                ["--create"])):
        path = shutil.which(tool)
        assert path, "missing: apt-get install systemd"
        done = subprocess.run([path, f"--root={root}", *more,
                               f"{dest}{prefix}/lib/{folder}/metagate.conf"],
                              capture_output=True, text=True, timeout=30)
        if os.geteuid() == 0:
            assert done.returncode == 0, done.stderr
    if os.geteuid() == 0:
        made = os.stat(root / "var/lib/metagate")
        assert stat.S_IMODE(made.st_mode) == 0o750
        assert os.readlink(root / "var/lib/metagate/s") == "/run/metagate"


def test_init_makes_what_is_missing_and_keeps_what_is_there(tmp_path):
    binary = os.path.join(ROOT, "build", "asan", "metagate")
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o750)
    files = ["metagate.ini", "key", "secret", "token", "tokens.map", "curlrc",
             "deployment_id"]

    def init():
        subprocess.run([binary, "--run-dir", str(run_dir), "init"],
                       check=True, timeout=60, stdout=subprocess.DEVNULL)
        return {f: (run_dir / f).read_text() for f in files}

    first = init()
    assert all(first.values())
    assert init() == first
    for name in ("key", "secret", "token", "tokens.map", "curlrc"):
        assert stat.S_IMODE((run_dir / name).stat().st_mode) == 0o600


def test_init_keeps_the_net_that_it_was_given(tmp_path):
    binary = os.path.join(ROOT, "build", "asan", "metagate")
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o750)

    def said(*argv):
        env = {k: v for k, v in os.environ.items() if k != "NET"}
        return subprocess.run([binary, "--run-dir", str(run_dir), *argv],
                              check=True, timeout=60, capture_output=True,
                              text=True, env=env).stdout

    said("--net", "127.33.9", "init")
    assert "bind 127.33.9.1:5000 " in said("front", "haproxy")
    said("init")
    assert "bind 127.33.9.1:5000 " in said("front", "haproxy")
    said("--net", "127.33.8", "init")
    assert "bind 127.33.8.1:5000 " in said("front", "haproxy")


def test_a_folder_of_the_group_of_root_is_told(tmp_path):
    if os.geteuid() != 0:
        return  # only root takes the account of the folder
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o750)
    os.chown(run_dir, pwd.getpwnam("nobody").pw_uid, 0)
    done = subprocess.run(
        [os.path.join(ROOT, "build", "asan", "metagate"), "--run-dir",
         str(run_dir), "init"], timeout=60, capture_output=True, text=True)
    assert done.returncode == 1
    assert "to the group of root: chgrp it" in done.stderr


# ---- LISTEN_FDS ----

class SystemdWorker(Worker):
    """Gets its socket as systemd hands one over: descriptor 3, named by
    LISTEN_FDS and LISTEN_PID."""

    def start(self, wait=True):
        started = self.log().count("serve.start")
        fd = self.listening.fileno()
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"',
             "systemd", *self.argv], preexec_fn=lambda: os.dup2(fd, 3),
            pass_fds=[3], stdin=subprocess.DEVNULL, env=self.env, cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if wait:
            until(lambda: self.log().count("serve.start") > started)
        return self


@pytest.fixture
def workers(deployment):
    made = [SystemdWorker(deployment.binary, deployment.run_dir,
                          deployment.net, deployment.env(), serve_threads=4)
            for _ in range(2)]
    for w in made:
        w.start()
    yield made
    status = [w.stop() for w in made]
    for w in made:
        w.end()
    assert status == [0, 0], [w.errors for w in made]


@pytest.fixture
def manager():
    """The socket of a service manager, and what a process has told it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        told.bind(f"{folder}/notify")
        os.chmod(f"{folder}/notify", 0o666)
        told.settimeout(30)
        yield f"{folder}/notify", told
        told.close()


def heard(told, word):
    """Reads until that word comes; what came before it."""
    before = []
    while True:
        words = told.recv(4096).decode().split("\n")
        if word in words:
            return before
        before += words


def test_a_worker_tells_its_manager_how_it_is(deployment, manager):
    path, told = manager
    w = SystemdWorker(deployment.binary, deployment.run_dir, deployment.net,
                      {**deployment.env(), "NOTIFY_SOCKET": path})
    try:
        w.start()
        heard(told, "READY=1")
        assert heard(told, "WATCHDOG=1") == []
        assert heard(told, "WATCHDOG=1") == []
        assert w.stop() == 0
        heard(told, "STOPPING=1")
    finally:
        w.end()


def test_a_worker_is_ready_before_its_store(deployment, manager):
    path, told = manager
    w = SystemdWorker(deployment.binary, deployment.run_dir, deployment.net,
                      {**deployment.env(), "NOTIFY_SOCKET": path},
                      mysql_hosts="unix:/nonexistent.sock")
    try:
        w.start()
        words = told.recv(4096).decode().split("\n")
        assert words == ["READY=1", "STATUS=waits for the store"]
        assert w.process.poll() is None
    finally:
        w.stop()
        w.end()


def test_a_daemon_tells_its_manager_how_it_is(deployment, manager):
    path, told = manager
    process = subprocess.Popen(
        deployment.argv("control", "--id", "notify"), cwd="/",
        env={**deployment.env(), "NOTIFY_SOCKET": path},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        heard(told, "READY=1")
        heard(told, "WATCHDOG=1")
        process.terminate()
        heard(told, "STOPPING=1")
    finally:
        process.terminate()
        assert process.wait(30) == 0


# ---- commands on an installed host ----

SYSTEMCTL = """#!/bin/sh
case "$*" in
*serve@*) cat <<END
Id=metagate-serve@0.service
ActiveState=active
MainPID=4711
NRestarts=2
ExecMainStartTimestampMonotonic=1000

Id=metagate-serve@1.service
ActiveState={serve_1}
MainPID=0
NRestarts=0
ExecMainStartTimestampMonotonic=0
END
;;
*setup*) printf 'Id=metagate-setup.service\\nActiveState=active\\n' ;;
esac
"""


# root's commands take no PATH from outside: it is put over the real one
IN_ITS_PLACE = """#!/bin/sh
exec unshare -m sh -c 'mount --bind "$0" /usr/bin/systemctl &&
    exec "$@"' {fake} {binary} "$@"
"""


@pytest.fixture
def host():
    """host(state of serve-1, command...): a command where systemd is."""
    folder = tempfile.mkdtemp(dir="/var/tmp")
    os.chmod(folder, 0o755)

    def script(name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o755)
        return path

    def run(serve_1, *command):
        script("systemctl", SYSTEMCTL.replace("{serve_1}", serve_1))
        return own.command(*command, check=False, environment={
            "PATH": f"{folder}:/usr/bin:/usr/sbin:/bin",
            "METAGATE_MYSQL_HOSTS": "unix:/nonexistent.sock"})

    with own_deployment() as own:
        if os.geteuid() == 0:
            own.binary = script("metagate", IN_ITS_PLACE.format(
                fake=f"{folder}/systemctl", binary=own.binary))
        yield run
    shutil.rmtree(folder)


def test_status_tells_of_systemd_s_services(host):
    done = host("active", "status")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert ["setup", "done"] in [line[:2] for line in lines]
    assert ["serve-0", "running", "4711"] in [line[:3] for line in lines]
    told = json.loads(host("active", "status", "-o", "json").stdout)
    assert [c["restarts"] for c in told["children"]
            if c["name"] == "serve-0"] == [2]


@pytest.mark.parametrize("command, status", [
    (["stop"], 0), (["stop", "serve-0"], 1), (["start", "serve-0"], 1)])
def test_what_systemd_runs_is_stopped_by_systemctl(host, command, status):
    done = host("active", *command)
    assert done.returncode == status
    assert "its services are systemd's: systemctl" in done.stdout + done.stderr


@pytest.mark.parametrize("state, verdict", [
    ("active", "ok"), ("activating", "warn"), ("inactive", "warn"),
    ("failed", "fail")])
def test_check_judges_systemd_s_services(host, state, verdict):
    lines = json.loads(host(state, "check", "-o", "json").stdout)
    line, = [line for line in lines if line["check"] == "children"]
    assert line["result"] == verdict
    assert verdict == "ok" or "serve-1" in line["fact"]


def test_an_installed_binary_works_on_the_installed_system(installed):
    dest, prefix = installed
    if os.geteuid() != 0:
        return  # root can be another, to whom the folder of tests is open
    with tempfile.TemporaryDirectory(dir="/var/tmp") as top:
        os.chmod(top, 0o755)
        shutil.copytree(f"{dest}{prefix}", f"{top}/usr")
        done = subprocess.run(
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             f"{top}/usr/bin/metagate", "status"], cwd="/", text=True,
            capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
        assert done.returncode == 1 and "/var/lib/metagate" in done.stderr


def test_a_restart_one_by_one_loses_no_request(workers):
    """Connections of nginx's kind: kept, and opened anew when a worker says
    that it closes them, or does not let a request in (nothing of it was
    taken). One that was taken is answered, however slow the client is: the
    reply fits into the socket, so that nobody waits for its reader."""
    stop, failed = threading.Event(), []
    done = [0] * 16

    def client(i):
        kept = {}
        for w in itertools.cycle(workers):
            if stop.is_set():
                break
            try:
                c = kept.pop(w, None)
                if c is None or c.closed_meanwhile():
                    c = w.connect()
                try:
                    c.send(fcgi.request(w.params("/healthz")))
                except BrokenPipeError:
                    c.close()
                    continue
                r = c.answer()
                assert r.status == 200
                if r.closes:
                    c.close()
                else:
                    kept[w] = c
                done[i] += 1
            except Exception as e:
                failed.append(e)
        for c in kept.values():
            c.close()

    threads = [threading.Thread(target=client, args=(i,)) for i in range(16)]
    for t in threads:
        t.start()
    try:
        for w in workers * 3:
            before = sum(done)
            assert w.stop(signal.SIGTERM) == 0
            w.start()
            until(lambda: sum(done) > before + 100, "requests go on")
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failed, f"{len(failed)}: {failed[:3]}"
    assert min(done) > 0


def test_socket_activation_starts_a_worker_at_its_first_request(deployment):
    path = shutil.which("systemd-socket-activate")
    assert path, "missing: apt-get install systemd"
    w = Worker(deployment.binary, deployment.run_dir, deployment.net,
               deployment.env())
    w.listening.close()
    os.unlink(w.path)
    process = subprocess.Popen(
        [path, "-l", w.path, *(f"-E{k}={v}" for k, v in w.env.items()),
         *w.argv], env=w.env, cwd="/", stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: os.path.exists(w.path), "it listens")
        os.chmod(w.path, 0o666)
        with fcgi.Connection(w.path) as c:
            assert c.ask(w.params("/healthz")).status == 200
    finally:
        process.terminate()
        assert process.wait(30) == 0
        os.unlink(w.path)
