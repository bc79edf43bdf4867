"""Prometheus and its exporters, as jobs have them started: real ones."""

import json
import os
import urllib.parse
import urllib.request

import pytest

from support import processes
from support.waiting import until
from wire.kunlun.test_cluster_life import JOB_S, SMALL, World
from wire.kunlun.test_faults import kill_supervise

pytestmark = [pytest.mark.fault, pytest.mark.limit(900)]

ONE = {**SMALL, "ha_mode": "no_rep", "nodes": "1"}


@pytest.fixture
def world(deployment, fresh):
    return World(deployment, fresh)


def programs(world):
    """pid: argv of what watches over these machines."""
    found = {pid: argv for pid, argv in processes._all()
             if argv and os.path.basename(argv[0]).startswith("prometheus")
             and any(f"--web.listen-address={m.node.address}:" in word
                     for m in world.machines for word in argv)}
    # by that they are found when their deployment is gone
    assert set(found) <= set(processes.below(world.deployment.run_dir))
    return found


def asked(world, query):
    """{(job, server or machine): value} of Prometheus' answer."""
    at = f"http://{world.machines[0].node.address}:57010/api/v1/query?query="
    with urllib.request.urlopen(at + urllib.parse.quote(query)) as r:
        found = json.load(r)["data"]["result"]
    return {(o["metric"]["job"], o["metric"].get("server")
             or o["metric"].get("machine", "")): float(o["value"][1])
            for o in found}


def test_prometheus_sees_every_server(world, cluster, panel):
    result, name = cluster.run("create_cluster", JOB_S, **ONE)
    assert result == "done", name
    storage, = [n[:2] for n in world.nodes(name)]
    comp, = world.comps(name)

    def watch(job_type, at):
        return cluster.run(job_type, JOB_S, ip=at[0], port=str(at[1]))
    # what is not there, or of the other kind, is told
    unknown = (storage[0], 1)
    for job_type, at, why in (
            ("mysqld_exporter", unknown, "is not known"),
            ("postgres_exporter", unknown, "is not known"),
            ("mysqld_exporter", comp, "is no storage node"),
            ("postgres_exporter", storage, "is no computing node")):
        assert watch(job_type, at) == (
            "failed", f"{job_type} error: {at[0]}:{at[1]} {why}")
    assert programs(world) == {}

    for _ in range(2):
        assert cluster.run("update_prometheus", JOB_S) \
            == ("done", "update prometheus succeed")
        assert watch("mysqld_exporter", storage) \
            == ("done", "restart mysql_exporter succeed")
        assert watch("postgres_exporter", comp) \
            == ("done", "restart postgres_exporter succeed")
        running = programs(world)
        assert len(running) == 6, running  # one of each, and no second one
    servers = {(kind, f"{at[0]}:{at[1]}")
               for kind, at in (("mysql", storage), ("postgres", comp))}
    every = servers | {("prometheus", "")} | {
        ("node", m.node.address) for m in world.machines}
    until(lambda: {k for k, v in asked(world, "up").items() if v == 1}
          == every, timeout=90)
    # they are let in, too
    until(lambda: asked(world, "mysql_up or pg_up")
          == dict.fromkeys(servers, 1), timeout=90)

    # passwords stand in no command line and no environment
    secrets = [world.entry(*at)["pwd"] for at in (storage, comp)]
    for pid in running:
        for what in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{what}", "rb") as f:
                text = f.read().decode(errors="replace")
            assert not any(s in text for s in secrets), what

    # whoever comes after their keeper takes them over
    for m in world.machines:
        kill_supervise(m)
    assert watch("mysqld_exporter", storage)[0] == "done"
    assert watch("postgres_exporter", comp)[0] == "done"
    assert cluster.run("update_prometheus", JOB_S)[0] == "done"
    assert set(programs(world)) == set(running)

    # one that dies is started again
    one = next(pid for pid, argv in running.items()
               if "mysqld" in argv[0])
    os.kill(one, 9)
    until(lambda: one not in programs(world)
          and len(programs(world)) == 6, timeout=90)

    # what is deleted is watched no more
    assert cluster.run("delete_cluster", JOB_S, cluster_name=name)[0] == "done"
    until(lambda: len(programs(world)) == 4)
    place = os.path.join(world.deployment.run_dir, "monitor")

    def targets(kind):
        with open(os.path.join(place, "targets", kind + ".json")) as f:
            return json.load(f)
    until(lambda: targets("mysql") == targets("postgres") == [])
    until(lambda: not [name for name in os.listdir(place)
                       if name.endswith((".cnf", ".pass"))])
    until(lambda: world.leftovers() == [])
