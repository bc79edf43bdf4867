"""Instances of a machine, and who keeps them, killed at random while clients
write: whoever comes next keeps them, a data directory has one server at most,
and what was acknowledged is there."""

import os
import random
import signal
import threading
import time

import pymysql

from support import processes
from support.ackedset import AckedSet
from support.load import Load
from support.waiting import until


class Kept:
    """One instance: its processes, and what its keeper says of it."""

    def __init__(self, machine, at, program, kind):
        self.machine, self.at, self.program = machine, at, program
        self.home = machine.home(at, kind)

    def pids(self):
        """Its servers: two would be one too many. What one has forked, and
        what has forked to become one, bears the same words."""
        found = {pid: argv for pid, argv in processes._all()
                 if argv and os.path.basename(argv[0]) == self.program
                 and any(self.home in word for word in argv)}
        return {pid for pid in found if processes.alive(pid)
                and processes._parent(pid) not in found}

    def pid(self):
        return next(iter(self.pids()), None)

    def state(self):
        return self.machine.entry(self.at)["state"]

    def serves(self, not_pid=None):
        """Its process, once it is another one and answers."""
        def there():
            pid = self.pid()
            return pid != not_pid and self.state() == "running" \
                and self.machine.listens(self.at) and pid
        return until(there, f"{self.program} serves", 120)

    def control(self, control):
        kind = "computer" if self.program == "postgres" else "storage"
        assert self.machine.run("control_instance", self.at, type=kind,
                                control=control)[0] == "succeed"


class Watch:
    """Looks for a second server of an instance, as long as it lasts."""

    def __init__(self, kept):
        self.kept, self.seen, self.looks = kept, [], 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            for one in self.kept:
                pids = one.pids()
                if len(pids) > 1 and len(pids & one.pids()) > 1:
                    self.seen.append((one.program, pids))
            self.looks += 1
            time.sleep(0.01)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Drill:
    def __init__(self, machine, kept, seed):
        self.machine, self.kept = machine, kept
        self.rng = random.Random(seed)
        self.writes, self.n = AckedSet(), 0
        self.done = []

    # ---- clients of the storage instance ----

    def prepare(self):
        with self.machine.login(self.kept[0].at) as c, c.cursor() as q:
            q.execute("CREATE DATABASE d")
            q.execute("CREATE TABLE d.t (a BIGINT PRIMARY KEY)")
        entry = self.machine.entry(self.kept[0].at)
        self.login = {"host": entry["ip"], "port": entry["port"],
                      "user": entry["user"], "password": entry["pwd"],
                      "autocommit": True, "connect_timeout": 5,
                      "read_timeout": 20}

    def write(self, _):
        with self.writes.lock:
            self.n += 1
            value = self.n
        try:
            with pymysql.connect(**self.login) as c, c.cursor() as q:
                q.execute("INSERT INTO d.t VALUES (%s)", (value,))
        except (pymysql.err.Error, OSError):
            self.writes.unknown(value)
            time.sleep(0.02)
        else:
            self.writes.ok(value)
        return "written"

    # ---- what is done to them ----

    def supervise(self):
        """That of the machine; what it has forked bears its words too."""
        found = {pid for pid, argv in processes.below(
            self.machine.deployment.run_dir).items()
            if "supervise" in argv and self.machine.node.address in argv}
        return next((pid for pid in found
                     if processes._parent(pid) not in found), None)

    def kill(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, TypeError):
            pass

    def next_supervise(self, old):
        until(lambda: self.supervise() not in (None, old), "the next supervise",
              120)

    def wait(self, most_ms):
        time.sleep(self.rng.uniform(0, most_ms) / 1000)

    def server(self, one):
        """... is killed: the keeper starts it again."""
        pid = one.pid()
        self.kill(pid)
        one.serves(pid)

    def keeper(self, one):
        """... is killed: the next one finds the instance as it is."""
        pid, old = one.pid(), self.supervise()
        self.kill(old)
        self.next_supervise(old)
        assert one.serves() == pid

    def both(self, one):
        """... in either order, also while the server is started again."""
        pid, old = one.pid(), self.supervise()
        first, second = self.rng.sample([pid, old], 2)
        self.kill(first)
        self.wait(300)
        self.kill(second)
        self.next_supervise(old)
        one.serves(pid)

    def again(self, one):
        """The keeper is killed while a server that was killed starts."""
        pid, old = one.pid(), self.supervise()
        self.kill(pid)
        until(lambda: one.pid() not in (None, pid), "another server", 120,
              pause=0.002)
        self.wait(100)
        self.kill(old)
        self.next_supervise(old)
        one.serves()

    def paused(self, one):
        """What is down stays down through another keeper, until it ends."""
        node, port = self.machine.node, one.at["port"]
        pid, old = one.pid(), self.supervise()
        assert node.ask("auto_pullup", minutes=-1, port=port) \
            == {"result": "succeed"}
        self.kill(pid)
        until(lambda: one.state() == "paused", "paused", 120)
        self.kill(old)
        self.next_supervise(old)
        until(lambda: one.state() == "paused", "still paused", 120)
        assert one.pids() == set()
        node.ask("auto_pullup", minutes=0, port=port)
        one.serves(pid)

    def stopped(self, one):
        """A stop lasts through another keeper, and a pause that ends."""
        one.control("stop")
        old = self.supervise()
        self.kill(old)
        self.next_supervise(old)
        self.machine.node.ask("auto_pullup", minutes=0)
        until(lambda: one.state() == "stopped", "stopped", 120)
        assert one.pids() == set()
        one.control("start")
        one.serves()

    def hung(self, one):
        """What does not answer is ended, and started again."""
        pid = one.pid()
        os.kill(pid, signal.SIGSTOP)
        one.serves(pid)

    ACTIONS = (server, keeper, both, again, paused, stopped)

    def turn(self, action=None):
        one = self.rng.choice(self.kept)
        action = action or self.rng.choice(self.ACTIONS)
        self.done.append((action.__name__, one.program))
        one.control("start")  # it runs; and what was is no crash loop
        action(self, one)

    def run(self, turns, *more):
        """So many at random, then those."""
        self.prepare()
        try:
            with Watch(self.kept) as watch, Load(2, self.write):
                for action in [None] * turns + list(more):
                    self.turn(action)
        finally:
            print(*self.done, sep="\n")
        assert watch.seen == [] and watch.looks > 0
        for one in self.kept:
            assert len(one.pids()) == 1
        with self.machine.login(self.kept[0].at) as c, c.cursor() as q:
            q.execute("SELECT a FROM d.t")
            self.writes.check([row[0] for row in q.fetchall()])


def kept_of(machine):
    """A storage and a computing instance, installed."""
    storage = machine.installed()
    computer = machine.place() | {"delete": "delete_computer"}
    machine.made.append(computer)
    job = machine.install_computer(computer)
    assert machine.node.finished(job, 120)["result"] == "succeed"
    return [Kept(machine, storage, "mariadbd", "data_dir_path"),
            Kept(machine, computer, "postgres", "comp_datadir")]
