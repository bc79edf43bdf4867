"""What drills do with jobs of node_mgr: a row for each kind. A row begins one
on what it has made before, and knows what must be so when it has succeeded."""

import os

import psycopg2

from support import store
from support.kills import UNDOES
from support.waiting import until

SHARD = "shard1"
LATEST = "2099-01-01 00:00:00"


class Job:
    """A job of one instance of machine 1 (self.at)."""

    steps = 0  # as its row has to say
    kind = None
    two = False  # whether it is one of two instances

    def __init__(self, machine, ends):
        self.machine, self.ends = machine, ends
        self.node = machine.node  # whose get_status tells of it

    def before(self):
        pass

    def begin(self):
        """Its job_id."""
        raise NotImplementedError

    def check(self):
        """... when it has succeeded."""
        raise NotImplementedError

    def undone(self):
        """... when it was cancelled: as if it had not been asked for."""
        raise NotImplementedError

    # ---- words ----

    def sql(self, text):
        with self.machine.login(self.at) as c, c.cursor() as q:
            q.execute(text)
            return q.fetchall()

    def filled(self):
        self.at = self.machine.installed()
        self.sql("CREATE DATABASE d")
        self.sql("CREATE TABLE d.t (a INT PRIMARY KEY)")
        self.sql("INSERT INTO d.t VALUES (1)")

    def computer(self):
        self.at = self.machine.place() | {"delete": "delete_computer"}
        self.machine.made.append(self.at)
        return self.machine.install_computer(self.at)

    def where(self):
        return {"ip": self.at["ip"], "port": self.at["port"]}

    def login(self):
        entry = until(lambda: self.machine.entry(self.at))
        return {"s_ip": self.at["ip"], "s_port": self.at["port"],
                "s_user": entry["user"], "s_pwd": entry["pwd"]}

    def named(self):
        return {"cluster_name": self.at["cluster"], "shard_name": SHARD}

    def archives(self):
        """Those of its cluster: by the index, and the files there are."""
        top = os.path.join(self.machine.top, "datadir", "coldbackup")
        index = os.path.join(top, "storage.txt")
        there = os.path.join(top, self.at["cluster"], SHARD)
        lines = []
        if os.path.exists(index):
            with open(index) as f:
                lines = [os.path.basename(line) for line in f.read().split()
                         if f"/{self.at['cluster']}/" in line]
        return lines, os.listdir(there) if os.path.isdir(there) else []


class InstallStorage(Job):
    kind, steps = "install_storage", 4

    def begin(self):
        self.at = self.machine.place()
        self.machine.made.append(self.at)
        return self.machine.begin(self.kind, **self.machine.body(self.at))

    def check(self):
        self.sql("CREATE DATABASE d")  # it may be written

    def undone(self):
        until(lambda: self.machine.gone(self.at), "nothing of it is there")


class InstallComputer(Job):
    kind, steps = "install_computer", 4

    def begin(self):
        return self.computer()

    def check(self):
        entry = until(lambda: self.machine.entry(self.at))
        with psycopg2.connect(host=self.at["ip"], port=self.at["port"],
                              user=entry["user"], password=entry["pwd"],
                              dbname="postgres") as c, c.cursor() as q:
            q.execute("CREATE TABLE t (a INT)")

    undone = InstallStorage.undone


class DeleteStorage(Job):
    kind, steps = "delete_storage", 3

    def before(self):
        self.filled()

    def begin(self):
        return self.machine.begin(self.kind, **self.where())

    def check(self):
        until(lambda: self.machine.gone(self.at), "it is gone")


class DeleteComputer(DeleteStorage):
    kind, steps = "delete_computer", 3

    def before(self):
        assert self.node.finished(self.computer(), 120)["result"] == "succeed"


class Control(Job):
    kind, steps = "control_instance", 2
    control, up = "restart", True

    def before(self):
        self.filled()

    def begin(self):
        return self.machine.begin(self.kind, type="storage",
                                  control=self.control, **self.where())

    def check(self):
        assert self.machine.listens(self.at) == self.up
        if self.up:
            assert self.sql("SELECT a FROM d.t") == ((1,),)
            self.sql("INSERT INTO d.t VALUES (2)")


class Stop(Control):
    control, up = "stop", False


class Start(Control):
    control = "start"

    def before(self):
        super().before()
        assert self.machine.run(self.kind, self.at, type="storage",
                                control="stop")[0] == "succeed"


class Send(Job):
    kind, steps, two = "send", 3, True

    def before(self):
        source, _ = self.ends
        source.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))")
        source.sql("INSERT INTO t SELECT seq, REPEAT('x', 30)"
                   " FROM seq_1_to_20000")

    def begin(self):
        source, target = self.ends
        self.node = source.machine.node
        return source.machine.begin("send", **{
            "file_type": "table", **source.named("s", "t"),
            **target.named("d", "t")})

    def check(self):
        one, two = (end.sql("SELECT COUNT(*), SUM(id), SUM(LENGTH(v)) FROM t")
                    for end in self.ends)
        assert one == two == ((20000, 200010000, 600000),)
        for end in self.ends:
            assert end.left() == []
            assert end.sql("SHOW TABLES") == (("t",),)

    def undone(self):
        source, target = self.ends
        until(lambda: source.left() + target.left() == [],
              "nothing of it is there", 60)
        assert source.sql("SELECT COUNT(*) FROM t") == ((20000,),)
        assert target.sql("SHOW TABLES") == ()


class Recv(Send):
    """The other end of it: the same words, another runner."""
    kind = "recv"


class ColdBackup(Job):
    kind, steps = "coldbackup", 3

    def before(self):
        self.filled()

    def begin(self):
        return self.machine.begin(self.kind, **self.login())

    def undone(self):
        lines, files = self.archives()
        assert lines == files == []
        with self.machine.deployment.sql() as c:
            assert not store.rows(c, "SELECT id FROM kunlun_backup WHERE"
                                  " cluster = %s", self.at["cluster"])

    def check(self):
        lines, files = self.archives()
        assert len(lines) == 1 and files == lines
        self.sql("INSERT INTO d.t VALUES (2)")
        assert self.machine.run("coldrestore", None, **self.login(),
                                file=f"/coldbackup/{self.at['cluster']}/"
                                f"{SHARD}/{lines[0]}")[0] == "succeed"
        assert self.sql("SELECT a FROM d.t") == ((1,),)


class BackupShard(ColdBackup):
    kind, steps = "backup_shard", 3

    def begin(self):
        return self.machine.begin(self.kind, **self.where(), **self.named())


class RestoreStorage(Job):
    kind, steps = "restore_storage", 7

    def before(self):
        self.filled()
        assert self.machine.run("backup_shard", self.at,
                                **self.named())[0] == "succeed"
        self.sql("INSERT INTO d.t VALUES (2)")

    def begin(self):
        return self.machine.begin(self.kind, **self.where(), **self.named(),
                                  timestamp=LATEST)

    def undone(self):
        until(lambda: self.machine.entry(self.at)["state"] == "running"
              and self.machine.listens(self.at), "it is started again", 60)
        RestoreStorage.check(self)
        self.sql("INSERT INTO d.t VALUES (3)")

    def check(self):
        assert self.sql("SELECT a FROM d.t ORDER BY a") == ((1,), (2,))
        home = self.machine.home(self.at, "data_dir_path")
        assert not [n for n in os.listdir(home)
                    if "load" in n or "old" in n or "relay" in n]


class ColdRestore(RestoreStorage):
    kind, steps = "coldrestore", 7

    def begin(self):
        (file,), _ = self.archives()
        return self.machine.begin(
            self.kind, **self.login(),
            file=f"/coldbackup/{self.at['cluster']}/{SHARD}/{file}")

    def check(self):
        assert self.sql("SELECT a FROM d.t") == ((1,),)


JOBS = {job.__name__: job for job in (
    InstallStorage, InstallComputer, DeleteStorage, DeleteComputer, Control,
    Stop, Start, Send, Recv, ColdBackup, BackupShard, RestoreStorage,
    ColdRestore)}


def places(moments):
    """Each step of each kind, at each moment: (name, step, moment)."""
    return [(name, n, moment) for name, job in JOBS.items()
            for n in range(job.steps) for moment in moments]


# forward only: what has begun is not undone
KEPT = ("DeleteStorage", "DeleteComputer", "Control", "Stop", "Start")


def undone_places():
    """Each step of those that can be cancelled in it."""
    return [p for p in places([UNDOES]) if p[0] not in KEPT]


def made(name, machine, request):
    """That row, on what it needs of the test's fixtures."""
    job = JOBS[name]
    return job(machine, request.getfixturevalue("pair") if job.two else None)


def drill(kills, job, n, moment):
    """One that is killed there succeeds, all of it once, unless it was
    cancelled in time; whether it was killed."""
    job.before()
    word, kind = job.begin(), "node_mgr." + job.kind
    killed = kills.at(word, kind, n, moment)
    said = job.node.finished(word, 240)
    assert said["result"] == "succeed" or moment == UNDOES, said
    assert kills.row(word, kind)["steps"] == job.steps
    job.check() if said["result"] == "succeed" else job.undone()
    return killed
