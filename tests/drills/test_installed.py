"""The package in a Debian that boots, as INSTALLED.md and README say it: used,
upgraded, taken back, removed and purged. The tests build on each other."""

import json
import os
import subprocess
import tempfile

import pytest

from support import newer
from support.debian import Debian
from support.deployment import ROOT
from support.waiting import until

NEW = "9.0.0"
MIGRATION = """-- A column that the older binary does not know.
--
-- min_reader: 36

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_instance'
--       AND COLUMN_NAME = 'more'
ALTER TABLE doris_instance ADD COLUMN more INT NOT NULL DEFAULT 7;
"""
HTTP = "http://127.0.0.1:5000/MetaService/http"
SERVICES = ("serve@0", "serve@1", "control@m1")


def make_deb(folder, version=None):
    done = subprocess.run(
        ["make", "-s", "--no-print-directory", "deb",
         *([f"VERSION={version}"] if version else [])], cwd=folder, text=True,
        capture_output=True, timeout=600, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return os.path.join(folder, done.stdout.split()[-1])


@pytest.fixture(scope="module")
def debs():
    """(this version's package, a newer one's)."""
    old = make_deb(ROOT)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as top:
        tree = newer.tree(f"{top}/tree", NEW, {"9000_more.sql": MIGRATION})
        yield old, make_deb(tree, NEW)


@pytest.fixture(scope="module")
def host(debs):
    """Booted, with MariaDB and nginx as Debian has them, and what the
    package depends on."""
    debian = Debian()
    try:
        depends = subprocess.run(["dpkg-deb", "-f", debs[0], "Depends"],
                                 capture_output=True, text=True).stdout
        names = [d.split("|")[0].split("(")[0].strip()
                 for d in depends.split(",")]
        debian.install("mariadb-server", "nginx", "curl", "logrotate",
                       *names)
        for deb, name in zip(debs, ("/root/old.deb", "/root/new.deb")):
            debian.put(deb, name)
        debian.boot()
        yield debian
    finally:
        debian.remove()


def answers(host):
    return host.run("curl", "-s", "http://127.0.0.1:8080/healthz",
                    check=False).stdout == '{"status":"ok"}\n'


def doris(host, what, *more):
    done = host.run("curl", "-sS", "-K", "/var/lib/metagate/curlrc",
                    f"{HTTP}/{what}", *more)
    return json.loads(done.stdout)


def create(host, iid):
    answer = doris(host, "create_instance", "-d", json.dumps({
        "instance_id": iid, "user_id": "u", "name": "n", "obj_info": {
            "ak": "a", "sk": "s", "bucket": "b", "prefix": "p",
            "provider": "S3", "endpoint": "e", "region": "r",
            "external_endpoint": "x"}}))
    assert answer["code"] == "OK", answer


def reads(host, *ids):
    for iid in ids:
        answer = doris(host, f"get_instance?instance_id={iid}")
        assert answer["code"] == "OK", answer
        assert answer["result"]["obj_info"][0]["sk"] == "s"


def restart_one_by_one(host):
    for service in SERVICES:
        host.run("systemctl", "restart", f"metagate-{service}")


def check(host):
    done = host.run("metagate", "check", "-o", "json", check=False)
    bad = [line for line in json.loads(done.stdout)
           if line["result"] == "fail"]
    assert bad == [] and done.returncode == 0, bad


def test_it_is_installed_as_described_and_serves(host):
    host.run("dpkg", "-i", "/root/old.deb")
    host.sh("""
        MARIADB=/run/mysqld/mysqld.sock
        metagate init
        sed -i '/^.mysql/,/^#user/ s|^#hosts.*|hosts = unix:'$MARIADB'|' \
            /var/lib/metagate/metagate.ini
        metagate init --print-grants | mariadb
        systemctl enable --now metagate.target
        metagate nginx
        printf 'include /var/lib/metagate/nginx/%s.conf;\\n' http servers \
            >/etc/nginx/conf.d/metagate.conf
        usermod -aG metagate www-data
        systemctl restart nginx""")
    until(lambda: answers(host), "it serves", 60)
    create(host, "i1")
    reads(host, "i1")
    until(lambda: host.run("metagate", "check", check=False).returncode == 0,
          "leases are held", 60)
    check(host)


def test_tokens_come_and_go_after_logs_were_rotated(host):
    host.sh("""
        metagate token add before read
        logrotate -f /etc/logrotate.d/metagate /etc/logrotate.d/nginx
        metagate token add after read
        metagate token revoke before""")
    listed = host.run("metagate", "token", "list").stdout
    assert "after" in listed and "before" not in listed
    check(host)


def test_it_waits_for_a_store_that_comes_later(host):
    host.sh("""
        systemctl stop metagate.target mariadb
        systemctl start metagate.target""")
    until(lambda: host.run("systemctl", "is-active", "metagate-serve@0",
                           check=False).stdout.strip() == "active")
    host.run("systemctl", "start", "mariadb")
    until(lambda: answers(host), "it serves", 60)
    reads(host, "i1")


def test_it_comes_back_after_a_reboot(host):
    host.power_off()
    host.boot()
    until(lambda: answers(host), "it serves", 90)
    reads(host, "i1")


LOAD = """
exec >/root/load 2>&1
while [ ! -e /root/stop ]; do
    curl -s -o /dev/null -w '%{http_code}\\n' -K /var/lib/metagate/curlrc \
        'HTTP/get_instance?instance_id=i1'
done
""".replace("HTTP", HTTP)


@pytest.fixture
def load(host):
    """A client that asks all the time; gives the answers other than 200."""
    host.sh("rm -f /root/stop")
    process = subprocess.Popen(
        ["nsenter", "-a", "-t", host.leader, "/bin/sh", "-c", LOAD],
        stdin=subprocess.DEVNULL, cwd="/")

    def end():
        host.run("touch", "/root/stop")
        process.wait(30)
        lines = host.run("cat", "/root/load").stdout.split()
        assert len(lines) > 20
        return [line for line in lines if line != "200"]
    yield end
    host.run("touch", "/root/stop")
    process.wait(30)


def test_an_upgrade_loses_no_request(host, load):
    check(host)
    told = host.run("dpkg", "-i", "/root/new.deb").stdout
    assert "0.1.0 goes on until it is restarted" in told
    assert "9000_more step 1 of 1: to be done" in host.run(
        "metagate", "migrate", "--dry-run").stdout
    host.run("systemctl", "restart", "metagate-setup")
    restart_one_by_one(host)
    assert host.run("metagate", "--version").stdout.startswith(
        f"metagate {NEW}, schema 9000,")
    create(host, "i2")
    reads(host, "i1", "i2")
    assert load() == []
    check(host)


def test_the_way_back_loses_no_request(host, load):
    host.run("dpkg", "-i", "/root/old.deb")
    host.run("systemctl", "restart", "metagate-setup")
    restart_one_by_one(host)
    assert host.run("metagate", "--version").stdout.startswith(
        "metagate 0.1.0,")
    create(host, "i3")
    reads(host, "i1", "i2", "i3")
    assert load() == []
    check(host)


def ours(host):
    """Processes of ours, and units."""
    return host.sh("""
        for p in /proc/[0-9]*; do
            case $(readlink $p/exe) in */metagate*) echo $p; esac
        done
        systemctl list-units --all --plain --no-legend 'metagate*'
        systemctl list-unit-files --no-legend 'metagate*' || true
        """).stdout.split("\n")


def test_removing_it_ends_what_runs_and_keeps_the_data(host):
    host.run("systemctl", "enable", "--now", "metagate-serve@2")
    host.run("dpkg", "-r", "metagate")
    assert [line for line in ours(host) if line] == []
    host.run("test", "-s", "/var/lib/metagate/key")
    host.run("dpkg", "-i", "/root/old.deb")
    host.run("systemctl", "enable", "--now", "metagate.target")
    until(lambda: answers(host), "it serves", 60)
    reads(host, "i1", "i2", "i3")


def test_purging_it_leaves_nothing_but_the_store(host):
    host.sh("rm /etc/nginx/conf.d/metagate.conf; systemctl reload nginx")
    host.run("dpkg", "-P", "metagate")
    assert [line for line in ours(host) if line] == []
    left = host.sh("""
        find / -xdev \\( -name '*metagate*' -o -nouser -o -nogroup \\) \
            ! -path '/proc/*' ! -path '/var/lib/mysql/*'
        getent passwd metagate || true
        getent group metagate || true
        dpkg-query -W metagate 2>/dev/null || true""").stdout.split()
    assert left == []
    assert host.run("mariadb", "-N", "-e", "SELECT COUNT(*) FROM"
                    " metagate.doris_instance").stdout.strip() == "3"
