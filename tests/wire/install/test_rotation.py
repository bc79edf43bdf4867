"""A host whose nginx is the distribution's, with its logs rotated as shipped:
nginx's master is root, its workers have an account of their own."""

import grp
import os
import pwd
import shutil
import signal
import subprocess

import pytest

from support import processes
from support.deployment import ROOT
from support.front import own_deployment
from support.waiting import until

WORKERS = "www-data"
LOGROTATE = shutil.which("logrotate") or "/usr/sbin/logrotate"
# Debian's file, its paths apart
THEIRS = """{log}/*.log {{
    rotate 14
    notifempty
    create 0640 www-data adm
    sharedscripts
    postrotate
        kill -USR1 $(cat {pid})
    endscript
}}
"""
CONF = """user {workers} {group};
worker_processes 1;
pid {pid};
error_log {log}/error.log;
events {{ }}
http {{
    include {run}/nginx/http.conf;
    include {run}/nginx/servers.conf;
}}
"""


def shipped(run_dir):
    """The installed file, for that RUN_DIR and its owner."""
    owner = pwd.getpwuid(os.stat(run_dir).st_uid).pw_name
    group = grp.getgrgid(os.stat(run_dir).st_gid).gr_name
    with open(os.path.join(ROOT, ".package/systemd/metagate.logrotate")) as f:
        return f.read().replace("/var/lib/metagate", str(run_dir)) \
            .replace("metagate metagate", f"{owner} {group}")


def logrotate(base, text, *args):
    conf = os.path.join(base, "logrotate.conf")
    with open(conf, "w") as f:
        f.write(text)
    os.chmod(conf, 0o644)
    subprocess.run([LOGROTATE, *args, "-s", conf + ".state", conf], check=True,
                   timeout=60, stdin=subprocess.DEVNULL)


class Host:
    """An installed system below a folder of the test."""

    def __init__(self, own):
        self.own, self.log = own, os.path.join(own.base, "log-nginx")
        self.pid_file = os.path.join(own.base, "nginx.pid")
        self.environment = {
            "METAGATE_NGINX_ACCESS_LOG": f"{self.log}/metagate-access.log"}
        os.mkdir(self.log, 0o755)
        self.command("nginx")
        group = grp.getgrgid(os.stat(own.run_dir).st_gid).gr_name
        conf = os.path.join(own.base, "nginx.conf")
        with open(conf, "w") as f:
            f.write(CONF.format(workers=WORKERS, group=group, log=self.log,
                                pid=self.pid_file, run=own.run_dir))
        subprocess.run(["/usr/sbin/nginx", "-e", "stderr", "-c", conf],
                       check=True, timeout=30, cwd="/")
        until(lambda: os.path.exists(self.pid_file)
              and open(self.pid_file).read().strip(), "nginx runs")
        self.pid = int(open(self.pid_file).read())

    def command(self, *args):
        return self.own.command(*args, environment=self.environment)

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def status(self, token):
        client = self.own.client("console", token)
        try:
            return client.get("/metrics").status
        finally:
            client.close()

    def rotate(self):
        logrotate(self.own.base, shipped(self.own.run_dir) + THEIRS.format(
            log=self.log, pid=self.pid_file), "-f")

    def end(self):
        os.kill(self.pid, signal.SIGQUIT)
        until(lambda: not processes.alive(self.pid), "nginx has ended")


@pytest.fixture
def host():
    if os.geteuid() != 0:
        yield None  # only root has an nginx that is not its own
        return
    with own_deployment() as own:
        host = Host(own)
        yield host
        host.end()


def test_tokens_can_be_made_and_revoked_after_a_rotation(host):
    if host is None:
        return
    before = host.own.token("before", "read")
    host.reload()
    until(lambda: host.status(before) == 503, "known: there is no worker")
    log = f"{host.log}/metagate-access.log"
    until(lambda: os.path.getsize(log) > 0, "a line")
    host.rotate()
    until(lambda: os.path.exists(log)
          and pwd.getpwuid(os.stat(log).st_uid).pw_name == WORKERS,
          "nginx has a new log")
    assert os.path.getsize(log + ".1") > 0
    host.command("token", "revoke", "before")
    assert host.status(before) == 401  # without a reload
    host.command("token", "add", "after", "read")
    host.command("nginx")
    looked = host.own.command("check", environment=host.environment,
                              check=False)
    assert "ok    nginx" in looked.stdout


def test_a_revoked_token_stays_dead_while_nginx_has_its_old_map(host):
    if host is None:
        return
    first = host.own.token("first-one", "read")
    host.reload()
    until(lambda: host.status(first) == 503, "known")
    host.command("token", "revoke", "first-one")
    assert host.status(first) == 401
    marks = host.own.path("nginx", "revoked")
    for name in os.listdir(marks):
        os.utime(os.path.join(marks, name), (1, 1))  # long ago
    host.command("token", "add", "second-one", "read")
    host.command("token", "revoke", "second-one")
    assert len(os.listdir(marks)) == 2
    assert host.status(first) == 401


def test_a_log_that_grows_fast_does_not_wait_for_the_week(tmp_path):
    (tmp_path / "log").mkdir(mode=0o750)
    for name, mib in (("fast", 257), ("slow", 255)):
        with open(tmp_path / "log" / f"{name}.log", "wb") as f:
            f.truncate(mib << 20)
    logrotate(tmp_path, shipped(tmp_path))
    assert sorted(os.listdir(tmp_path / "log")) == [
        "fast.log", "fast.log.1", "slow.log"]
