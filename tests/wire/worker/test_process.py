"""A worker's process: descriptors, signals, the socket handed over."""

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile

import pytest

from support import fcgi
from support.store import rows, value
from support.waiting import until


def test_an_idle_worker_ends_when_it_is_asked_to(place):
    for how in (signal.SIGTERM, signal.SIGINT):
        w = place.worker()
        assert w.ask("/metrics").status == 200
        assert w.stop(how) == 0
        assert "serve.end" in w.log()


def test_without_descriptors_one_request_fails_and_the_rest_go_on(worker):
    kept = [worker.connect() for _ in range(4)]
    for c in kept:
        assert c.ask(worker.params("/metrics")).status == 200
    pid = worker.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir(f"/proc/{pid}/fd")))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1, limits[1]))
    for _ in range(10):
        c = worker.connect()
        try:
            assert c.ask(worker.params("/metrics")).status == 200
        except (fcgi.Broken, OSError):
            c.close()
            break
        kept.append(c)  # one that was open for a moment had left room for it
    else:
        pytest.fail("nobody was refused")
    for c in kept:
        assert c.ask(worker.params("/metrics")).status == 200
        c.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert worker.ask("/metrics").status == 200


def test_sighup_opens_the_log_again(worker):
    path = os.path.join(worker.run_dir, "log", f"serve-{worker.id}.log")
    os.rename(path, path + ".1")
    worker.process.send_signal(signal.SIGHUP)
    worker.wait_log("role.reload")
    assert worker.ask("/metrics").status == 200


def test_sigpipe_and_sigusr1_end_nothing(worker):
    worker.process.send_signal(signal.SIGPIPE)
    worker.process.send_signal(signal.SIGUSR1)
    assert worker.ask("/metrics").status == 200


def test_memory_of_a_worker_is_not_for_others(worker):
    assert worker.ask("/metrics").status == 200
    with open(f"/proc/{worker.process.pid}/limits") as f:
        core = next(line for line in f if line.startswith("Max core"))
    assert core.split()[4] in ("0", "1")


def standing(w):
    """What the kernel says of the worker, of each of its threads."""
    for task in os.listdir(f"/proc/{w.process.pid}/task"):
        with open(f"/proc/{w.process.pid}/task/{task}/status") as f:
            lines = dict(line.rstrip("\n").split(":\t", 1) for line in f
                         if ":\t" in line)
        yield lines["NoNewPrivs"], lines["Seccomp"]


def test_all_threads_are_confined(worker):
    assert worker.ask("/metrics").status == 200
    assert set(standing(worker)) == {("1", "2")}
    said = re.search(r"serve.confined landlock=(\d+) seccomp=(\w+)",
                     worker.log())
    assert said[2] == "yes"


def test_a_worker_may_be_left_free(place):
    w = place.worker(serve_confine="no")
    assert ("1", "2") not in set(standing(w))
    assert "serve.confined" not in w.log()


def test_logs_behind_a_link_are_opened_again(place):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as elsewhere:
        os.rmdir(place.file("log"))
        os.symlink(elsewhere, place.file("log"))
        w = place.worker()
        path = place.file("log", f"serve-{w.id}.log")
        os.rename(path, path + ".1")
        w.process.send_signal(signal.SIGHUP)
        w.wait_log("role.reload")
        assert w.stop() == 0


# ---- the start ----

def run(place, *args):
    return subprocess.run(
        [place.binary, "--run-dir", place.run_dir, "--net", "127.71.2",
         "serve", *args], capture_output=True, text=True, timeout=30,
        env=place.env(), stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("args", [[], ["--id"], ["--id", "x"], ["--id", "-1"],
                                  ["--id", "256"], ["--id", "1", "2"]])
def test_a_worker_needs_an_id(place, args):
    done = run(place, *args)
    assert done.returncode == 2 and "--id N" in done.stderr


def test_a_worker_needs_a_listening_socket(place):
    done = run(place, "--id", "9")
    assert done.returncode == 1
    assert "descriptor 0 is no listening socket" in done.stderr


@pytest.mark.parametrize("name, event", [
    ("secret", "serve.secret"), ("key", "crypt.")])
def test_a_worker_without_its_secrets_does_not_start(place, name, event):
    w = place.worker()
    assert w.stop() == 0
    os.unlink(place.file(name))
    w.start(wait=False)
    assert w.ended() == 1
    assert event in w.log()


@pytest.fixture
def late_store(place, deployment):
    """A worker that is started before the store of a deployment is there."""
    with open(deployment.path("key")) as f:
        place.write("key", f.read())
    w = place.worker(mysql_hosts="unix:" + place.file("s", "late.sock"))
    assert w.ask("/healthz").status == 503
    assert w.ask("/metrics").status == 200
    w.store_comes = lambda: os.symlink(deployment.path("s", "mysql.sock"),
                                       place.file("s", "late.sock"))
    return w


def test_a_worker_may_be_started_before_its_store(place, deployment,
                                                  late_store):
    shutil.copy(deployment.path("deployment_id"), place.run_dir)
    late_store.store_comes()
    until(lambda: late_store.ask("/healthz").status == 200, "it is served")
    late_store.wait_log("serve.schema err=ok")


def test_a_worker_waits_for_a_migration_that_is_missing(place, deployment,
                                                        sql):
    """It is not started again and again: it stays, and serves afterwards."""
    shutil.copy(deployment.path("deployment_id"), place.run_dir)
    with open(deployment.path("key")) as f:
        place.write("key", f.read())
    last = value(sql, "SELECT MAX(id) AS id FROM schema_migration")
    rows(sql, "UPDATE schema_migration SET finished_ms = NULL WHERE id = %s",
         last)
    try:
        w = place.worker(wait=False, mysql_hosts="unix:"
                         + deployment.path("s", "mysql.sock"))
        w.wait_log("is not done: run `metagate migrate`")
        assert "serve.start" not in w.log() and w.process.poll() is None
    finally:
        rows(sql, "UPDATE schema_migration SET finished_ms = started_ms"
             " WHERE id = %s", last)
    w.wait_log("serve.start")
    assert w.ask("/healthz").status == 200


def test_a_worker_that_waits_ends_when_it_is_asked_to(place, deployment, sql):
    test_a_worker_waits_for_a_migration_that_is_missing(place, deployment, sql)
    w = place.workers[-1]
    assert w.stop() == 0
    last = value(sql, "SELECT MAX(id) AS id FROM schema_migration")
    rows(sql, "UPDATE schema_migration SET finished_ms = NULL WHERE id = %s",
         last)
    try:
        w.start(wait=False)
        until(lambda: w.log().count("is not done") == 2)
        assert w.stop() == 0
    finally:
        rows(sql, "UPDATE schema_migration SET finished_ms = started_ms"
             " WHERE id = %s", last)


def test_a_worker_leaves_the_schema_of_another_deployment(late_store):
    late_store.store_comes()
    assert late_store.ended() == 1
    assert "the schema belongs to deployment" in late_store.log()


def test_a_worker_with_another_key_leaves_the_store_alone(place, deployment):
    shutil.copy(deployment.path("deployment_id"), place.run_dir)
    w = place.worker(mysql_hosts="unix:" + deployment.path("s", "mysql.sock"),
                     wait=False)
    assert w.ended() == 1
    assert "put back the key file of this store" in w.log()


def test_systemd_hands_the_socket_over_as_descriptor_3(place):
    w = place.worker()
    assert w.stop() == 0
    w.process = subprocess.Popen(
        ["/bin/sh", "-c", "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ "
         'exec "$@"', "sh", *w.argv], stdin=w.listening, env=w.env,
        stderr=subprocess.PIPE)
    assert w.ask("/metrics").status == 200
