"""A machine's disk runs full: a job that wants room says so and leaves nothing
behind, what was there is as it was, and there is room again when there is."""

import os

import pytest

from support import node_jobs
from support.box import Box
from support.kunlun import Machine, Node
from support.words import fresh
from wire.drills.test_full_disk import MIB, Filler, own_disk

pytestmark = [pytest.mark.fault, pytest.mark.limit(600)]
SIZE = 600 * MIB
LEFT = 12 * MIB  # less than an instance, or its backup


class Small:
    """Machine 1 of a box, whose directories are a disk of their own."""

    def __init__(self, box):
        self.box = box
        top = os.path.join(box.base, f"roots-{box.net}.1")
        for column in Machine.CLASSES.values():
            os.makedirs(os.path.join(top, column))
        box.ready(box.up(own_disk(top, SIZE)))
        self.machine = Machine(box, Node(box.client("node_mgr")), fresh)
        self.disk = Filler(box, top)
        owner = os.stat(box.run_dir)
        for where, _, _ in os.walk(self.disk.folder):
            os.chown(where, owner.st_uid, owner.st_gid)

    def fill(self):
        self.disk.fill()
        size = os.path.getsize(self.disk.path)
        os.truncate(self.disk.path, size - LEFT)

    def files(self, *below):
        """What lies there, besides directories."""
        return {os.path.join(where, name) for where, _, names in os.walk(
            os.path.join(self.disk.folder, *below)) for name in names}

    def instances(self):
        """Directories of instances, whatever is in them."""
        return {d for kind, column in Machine.CLASSES.items()
                for d in self.listed(column, "instance_data", kind)}

    def listed(self, *below):
        path = os.path.join(self.disk.folder, *below)
        return os.listdir(path) if os.path.isdir(path) else []

    def run(self, job):
        """(result, info) of a row of node_jobs."""
        said = job.node.finished(job.begin(), 240)
        return said["result"], said["info"]

    def closed(self):
        self.machine.close()
        assert self.machine.node.ask("get_node", node_type="storage_node") \
            == {} and self.instances() == set()


@pytest.fixture(scope="module")
def small():
    box = Box()
    try:
        yield Small(box)
    finally:
        box.close()


@pytest.mark.parametrize("kind", ["InstallStorage", "InstallComputer"])
def test_an_instance_that_has_no_room_leaves_nothing(small, kind):
    machine = small.machine
    machine.made.clear()
    # the templates are made by the first of each
    first = node_jobs.JOBS[kind](machine, None)
    word, said = small.run(first)
    assert word == "succeed", said
    machine.close()
    small.fill()
    job = node_jobs.JOBS[kind](machine, None)
    word, said = small.run(job)
    assert word == "error" and "No space left" in said, said
    assert machine.entry(job.at) is None and not machine.listens(job.at)
    assert small.instances() == set()
    small.disk.empty()
    again = node_jobs.JOBS[kind](machine, None)
    assert small.run(again)[0] == "succeed"
    again.check()
    small.closed()


def test_a_backup_and_a_restore_without_room_leave_what_was_there(small):
    machine = small.machine
    machine.made.clear()
    backup = node_jobs.ColdBackup(machine, None)
    backup.before()
    # more than there will be, however it is compressed
    backup.sql("CREATE TABLE d.l (a INT PRIMARY KEY, b LONGBLOB)")
    backup.sql("INSERT INTO d.l SELECT seq, RANDOM_BYTES(1024)"
               " FROM mysql.seq_1_to_20000")
    small.fill()
    word, said = small.run(backup)
    assert word == "error" and "No space left" in said, said
    assert small.files("datadir", "coldbackup") == set()
    backup.sql("SELECT 1")
    small.disk.empty()
    assert small.run(backup)[0] == "succeed"
    name, = small.listed("datadir", "coldbackup", backup.at["cluster"],
                         node_jobs.SHARD)
    backup.sql("INSERT INTO d.t VALUES (2)")

    def restore():
        return machine.run(
            "coldrestore", None, **backup.login(),
            file=f"/coldbackup/{backup.at['cluster']}/shard1/{name}")
    small.fill()
    word, said = restore()
    assert word == "error" and "No space left" in said, said
    assert backup.sql("SELECT a FROM d.t ORDER BY a") == ((1,), (2,))
    home = machine.home(backup.at, "data_dir_path")
    assert not [n for n in small.listed(os.path.relpath(home, machine.top))
                if "load" in n or "old" in n]
    small.disk.fill()  # nor for the keeper to note that it is held
    for word, said in (restore(), machine.run("control_instance", backup.at,
                                              type="storage",
                                              control="stop")):
        assert word == "error" and "No space left" in said, said
    small.disk.empty()
    assert restore()[0] == "succeed"
    assert backup.sql("SELECT a FROM d.t") == ((1,),)
    small.closed()
