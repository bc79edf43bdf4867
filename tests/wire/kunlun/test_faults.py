"""Whatever is killed: the job ends, and what it was asked for is there or
nothing of it is."""

import os
import signal

import pytest

from support import node_jobs, processes
from support.keeper_drill import Drill, kept_of
from support.kills import MOMENTS, Kills, sample
from support.store import until_waiting
from support.waiting import until

pytestmark = pytest.mark.fault


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def supervise(machine):
    """The process of the machine's supervise; None. What it has forked bears
    its words too until it is another program."""
    below = processes.below(machine.deployment.run_dir)
    alike = {pid for pid, argv in below.items() if "supervise" in argv
             and machine.node.address in argv}
    return next((pid for pid in alike
                 if parent(pid) not in (alike | {None})), None)


def kill_supervise(machine):
    """Its successor goes on."""
    old = supervise(machine)
    os.kill(old, signal.SIGKILL)
    until(lambda: supervise(machine) not in (None, old))


def server_of(machine, at):
    """The process that serves it, by what it was started with."""
    home = machine.home(at, "data_dir_path").encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if b"mariadbd" in words[0] and any(home in w for w in words):
            return int(pid)
    return None


def test_cluster_mgr_is_started_again_at_its_line(machine, deployment):
    line = "bash -x bin/cluster_mgr_safe --debug --pidfile=run.pid" \
        " cluster_mgr.cnf"
    for stopped in (False, True):
        if stopped:
            deployment.command("stop", "control-m1")
        old, other = (deployment.pid_of(f"control-m{k}") for k in (1, 2))
        assert machine.run("cluster_cmd", None, cmd=line) \
            == ("succeed", "command succeed")
        until(lambda: deployment.pid_of("control-m1") not in (None, old))
        assert deployment.pid_of("control-m2") == other


def test_an_instance_that_is_killed_is_started_again(machine):
    at = machine.installed()
    with machine.login(at) as c, c.cursor() as q:
        q.execute("CREATE DATABASE d")
    old = server_of(machine, at)
    os.kill(old, signal.SIGKILL)
    until(lambda: server_of(machine, at) not in (None, old)
          and machine.entry(at)["state"] == "running")
    with machine.login(at) as c, c.cursor() as q:
        q.execute("SHOW DATABASES LIKE 'd'")
        assert q.fetchall() == (("d",),)
        q.execute("CREATE DATABASE e")  # nobody else would let it write
    assert until(lambda: machine.entry(at)["restarts"]) == 1


def test_instances_outlive_supervise_and_obey_the_next(machine):
    at = machine.installed()
    old = server_of(machine, at)
    kill_supervise(machine)
    assert server_of(machine, at) == old
    assert machine.run("control_instance", at, type="storage",
                       control="stop")[0] == "succeed"
    assert server_of(machine, at) is None


def test_servers_and_their_keeper_are_killed_in_turns(machine):
    """drills/node does so for minutes, at random."""
    Drill(machine, kept_of(machine), 1).run(0, Drill.both, Drill.again,
                                            Drill.paused)


def test_a_machine_that_is_forgotten_gets_no_instance(machine, deployment):
    """delete_machine and an install that began before it."""
    at = machine.place()
    with deployment.sql() as c, deployment.sql() as eye, c.cursor() as q:
        c.begin()
        q.execute("INSERT INTO kunlun_turn (id, version) VALUES (1, 1)"
                  " ON DUPLICATE KEY UPDATE version = version + 1")
        job = machine.begin("install_storage", **machine.body(at))
        until_waiting(eye, 1)
        q.execute("DELETE FROM Kunlun_Metadata_DB.server_nodes"
                  " WHERE hostaddr = %s", (at["ip"],))
        c.commit()
    said = machine.node.finished(job, 120)
    machine.register()
    assert (said["result"], said["info"]) \
        == ("error", f"{at['ip']} is not registered error")
    assert machine.gone(at)


@pytest.mark.parametrize("name, n, moment",
                         sample(node_jobs.places(MOMENTS), 3))
def test_a_job_goes_on_when_its_runner_is_killed(request, machine, name, n,
                                                 moment):
    """drills/node does so in every step of every kind."""
    assert node_jobs.drill(Kills(machine.deployment),
                           node_jobs.made(name, machine, request),
                           n, moment)
