"""Several hosts on one store, each with daemons of the same names: one leads,
and nobody takes a lease for its own that another host's namesake has."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager

import pytest

from support.pegasus import METAS
from support.processes import alive, kill
from support.store import rows
from support.waiting import until

pytestmark = pytest.mark.fault

NET = "127.71.4"  # nothing is bound there


@contextmanager
def another_host(deployment):
    """m1 to m3 once more, with a RUN_DIR of their own."""
    run_dir = tempfile.mkdtemp(prefix="metagate-host.", dir="/var/tmp")
    for part in ("s", "log"):
        os.mkdir(os.path.join(run_dir, part))
    for name in ("key", "deployment_id", "secret"):
        shutil.copy(deployment.path(name), run_dir)
    env = {**deployment.env(), "METAGATE_MYSQL_USER": "root",
           "METAGATE_MYSQL_HOSTS": "unix:" + deployment.path("s", "mysql.sock")}
    daemons = []
    try:
        for m in METAS:
            daemons.append(subprocess.Popen(
                [deployment.binary, "--run-dir", run_dir, "--net", NET,
                 "control", "--id", m], env=env, cwd="/"))
        yield run_dir
        for d in daemons:
            d.send_signal(signal.SIGTERM)
        assert [d.wait(60) for d in daemons] == [0] * len(daemons)
    finally:
        for d in daemons:
            d.kill()
            d.wait()
        shutil.rmtree(run_dir)


def lease(sql, name="pegasus.leader"):
    row, = rows(sql, "SELECT owner, epoch, expires_ms FROM lease"
                " WHERE name = %s", name)
    return row


def holds(sql, renewals=4):
    """The owner and epoch of the leader, which must stay for so long."""
    first, seen = lease(sql), set()

    def renewed():
        now = lease(sql)
        assert (now["owner"], now["epoch"]) == \
            (first["owner"], first["epoch"])
        seen.add(now["expires_ms"])
        return len(seen) > renewals

    until(renewed, "renewed by one owner", 60)
    return first["owner"], first["epoch"]


def test_namesakes_on_two_hosts_do_not_take_each_others_leases(
        deployment, pegasus, sql):
    leader, before = pegasus.leader(), lease(sql)
    with another_host(deployment):
        assert holds(sql) == (before["owner"], before["epoch"])
        # the leader's own host takes it back, with a new epoch
        pid = deployment.pid_of(f"control-{leader}")
        kill(pid)
        until(lambda: lease(sql)["epoch"] == before["epoch"] + 1,
              "its own name went on")
        assert holds(sql, 1) == (before["owner"], before["epoch"] + 1)
        # without it, one of the five others leads, once
        deployment.command("stop", f"control-{leader}")
        until(lambda: lease(sql)["epoch"] == before["epoch"] + 2,
              "another leads", 40)
        owner, epoch = holds(sql)
        assert epoch == before["epoch"] + 2 and owner != before["owner"]
        deployment.command("start", f"control-{leader}")
        assert holds(sql, 1) == (owner, epoch)
    until(lambda: lease(sql)["owner"].partition("/")[2]
          == before["owner"].partition("/")[2], "the first host has all", 40)


def test_controls_that_start_at_once_on_two_hosts_agree(deployment, pegasus,
                                                        sql):
    for m in METAS:
        deployment.command("stop", f"control-{m}")
    rows(sql, "DELETE FROM lease WHERE name = 'pegasus.leader'")
    with another_host(deployment):
        for m in METAS:
            deployment.command("start", f"control-{m}")
        until(lambda: rows(sql, "SELECT 1 FROM lease"
                           " WHERE name = 'pegasus.leader'"), "one leads")
        owner, epoch = holds(sql)
        assert epoch == 1 and owner.startswith("m1@")
    until(lambda: pegasus.leader(), "the first host has all", 40)


def test_a_clock_that_goes_back_delays_the_next_leader_by_a_lease_only(
        deployment, pegasus, sql):
    """What the store's clock does is what expires_ms would have to do."""
    leader, before = pegasus.leader(), lease(sql)
    frozen = deployment.pid_of(f"control-{leader}")
    kill(frozen, signal.SIGSTOP)
    try:
        rows(sql, "UPDATE lease SET expires_ms = expires_ms + 3600000"
             " WHERE name = 'pegasus.leader'")
        until(lambda: lease(sql)["epoch"] == before["epoch"] + 1,
              "another leads", 40)
    finally:
        if alive(frozen):
            kill(frozen, signal.SIGCONT)
    assert pegasus.leader() != leader
