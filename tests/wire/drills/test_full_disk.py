"""A disk runs full. The store's: "not now" is answered, nothing that was
acknowledged is lost, and everything goes on when there is room again. The
logs': lines are lost, and nothing else. Each is a small tmpfs in a mount
namespace of the deployment's own."""

import itertools
import os
import signal
import subprocess

import pytest

from support.ackedset import AckedSet
from support.box import Box
from support.disks import own_disk
from support.load import Load
from support.store import rows
from support.waiting import until
from support.words import fresh

pytestmark = pytest.mark.fault
MIB = 1 << 20

def used(folder):
    out = subprocess.run(["du", "-sB1", folder], check=True, text=True,
                         capture_output=True).stdout
    return int(out.split()[0])


@pytest.fixture
def box():
    box = Box()
    yield box
    box.close()


class Filler:
    """A file that takes what is left, seen through the deployment's eyes."""

    def __init__(self, box, folder):
        # up lives as long as the deployment does, the database may not
        self.folder = f"/proc/{box.pid_of('up')}/root" + folder
        self.path = os.path.join(self.folder, "filler")

    def fill(self):
        with open(self.path, "wb") as f:
            try:
                while True:
                    f.write(bytes(MIB))
                    f.flush()
            except OSError:
                pass
        with open(self.path, "ab", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def empty(self):
        os.unlink(self.path)


def started_on_own_disk(box, folder, room):
    """A deployment whose second start finds the folder on a small disk."""
    box.ready(box.up())
    box.started[-1].terminate()
    assert box.started[-1].wait(60) == 0
    os.unlink(os.path.join(box.base, "up.out"))
    box.ready(box.up(own_disk(folder, used(folder) + room)))
    return Filler(box, folder)


def test_a_full_disk_loses_nothing_and_is_got_over(box):
    filler = started_on_own_disk(box, box.path("mysql"), 40 * MIB)
    doris = box.client("doris", prefix="/MetaService/http", timeout=20)
    word, numbers, writes = fresh("f"), itertools.count(), AckedSet()

    def write(_):
        iid = f"{word}-{next(numbers)}"
        return writes.write(iid, lambda: doris.put("create_instance", {
            "instance_id": iid, "name": "n" * 1000, "user_id": "u" * 1000}))

    with Load(4, write) as load:
        until(lambda: len(writes.acked) >= 50, "writes")
        filler.fill()
        until(lambda: 503 in load.results, "the disk is full", timeout=60)
        # what needs no disk is answered, and says so
        console = box.client("console")
        assert console.get("/metrics").status == 200
        assert box.client("console").get("/healthz").status in (200, 503)
        filler.empty()
        acked = len(writes.acked)
        until(lambda: len(writes.acked) >= acked + 50, "writes go on",
              timeout=60)
    assert set(load.results) <= {200, 503}, set(map(str, load.results))
    with box.sql() as sql:
        there = rows(sql, "SELECT CONVERT(instance_id USING utf8mb4) AS id"
                     " FROM doris_instance WHERE instance_id LIKE %s",
                     word + "-%")
    writes.check([r["id"] for r in there], acked_at_least=100)


def test_a_full_disk_of_logs_is_not_noticed_by_clients(box):
    filler = started_on_own_disk(box, box.path("log"), MIB)
    doris = box.client("doris", prefix="/MetaService/http")

    def write(_):
        r = doris.put("create_instance", {
            "instance_id": fresh("i"), "name": "n", "user_id": "u"})
        ids.append(r.headers["X-Request-Id"])
        return r.status

    def lines():
        """What workers and nginx have told of the last writes."""
        return [log for log in ("serve-0.log", "serve-1.log",
                                "nginx-access.log")
                if any(i in read(log) for i in ids[-200:])]

    def read(log):
        with open(os.path.join(filler.folder, log)) as f:
            return f.read()

    ids = []
    with Load(4, write) as load:
        until(lambda: len(lines()) == 3, "lines in all logs")
        filler.fill()
        end = load.done + 500
        until(lambda: load.done > end, "writes go on")
        assert box.command("status").returncode == 0
        filler.empty()
        ids.clear()
        until(lambda: len(lines()) == 3, "lines again")
    assert set(load.results) == {200}


def test_a_worker_starts_on_a_full_disk_and_serves(box):
    """Without room for the counters' file there are none of it, and a line
    in its log; requests are served."""
    filler = started_on_own_disk(box, box.run_dir, 64 * MIB)
    for name in os.listdir(filler.folder):
        if name.startswith(("metrics-", "coherence-")):
            os.unlink(os.path.join(filler.folder, name))
    filler.fill()
    for worker in ("serve-0", "serve-1"):
        old = box.pid_of(worker)
        os.kill(old, signal.SIGKILL)
        until(lambda: box.pid_of(worker) not in (None, old), "it is back")
    doris = box.client("doris", prefix="/MetaService/http")
    until(lambda: doris.get("get_instance", query={
        "instance_id": "none"}).status == 404, "requests are served")
    for _ in range(50):
        r = doris.get("get_instance", query={"instance_id": "none"})
        assert r.status == 404, r
    pids = [box.pid_of(w) for w in ("serve-0", "serve-1")]
    assert box.client("console").get("/metrics").status == 200
    assert pids == [box.pid_of(w) for w in ("serve-0", "serve-1")]
    filler.empty()
