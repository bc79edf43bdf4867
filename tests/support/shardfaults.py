"""A replicated shard whose servers and watchers fail while clients write:
nothing that was acknowledged may be lost, and somebody leads again, or the
shard says why it is not safe that anybody does.

A run: the shard is whole and rows are acknowledged; a fault; while it lasts,
rows are acknowledged again (`back_s` after it), or the verdict is `unsafe` with
a reason; it is taken back; the shard becomes whole, by force when it has to,
and has every row that was acknowledged.
"""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

import pymysql

from support import processes
from support.waiting import until

WHOLE_S = 240
FAULT_S = 30
LATE_S = 3.5  # at most one in twenty runs is back later
LOOP_ENDS, LOOP_S = 5, 60  # of a server: its machine leaves it alone then
ROWS = 20
PAUSE_S = 0.02
DISK_MIB = 700
WAITS_FOR_ROOM = "Waiting for someone to free space"
REFUSED_FOR_ROOM = 1021, 1026, 1114


class Writer(threading.Thread):
    """Writes to whoever the metadata call the source, one row a commit."""

    def __init__(self, shard):
        super().__init__(daemon=True)
        self.shard = shard
        self.stopping = False
        self.next = 0
        self.acknowledged = {}  # row: when it was sent, when it was told
        self.refused = False  # the last one, for want of room

    def run(self):
        while not self.stopping:
            try:
                self._write()
            except pymysql.Error as e:
                self.refused = e.args[0] in REFUSED_FOR_ROOM
            except (OSError, LookupError):
                pass
            time.sleep(PAUSE_S)

    def _write(self):
        address, port = self.shard.source()
        # not one whose own time-outs are what is measured
        with self.shard.connect(address, port, 0.3) as c, c.cursor() as q:
            while not self.stopping:
                self.next += 1
                sent = time.monotonic()
                q.execute("INSERT INTO d.t VALUES (%s, 'row')", (self.next,))
                self.acknowledged[self.next] = sent, time.monotonic()
                time.sleep(0.002)

    def since(self, when):
        """When the first row that was sent after that was acknowledged; None.
        The answer to one before may have been on its way."""
        return next((told for sent, told in sorted(
            list(self.acknowledged.values()))
                     if sent > when), None)

    def last(self):
        """When the last row was acknowledged."""
        return max(told for _, told in list(self.acknowledged.values()))


@dataclass
class Outcome:
    fault: str
    back_s: float = None
    unsafe: str = None
    forced: bool = False
    rows: int = 0

    def __str__(self):
        end = f"back in {self.back_s:.2f} s" if self.unsafe is None \
            else f"unsafe: {self.unsafe}"
        return f"{self.fault}: {end}{', forced' if self.forced else ''}"


class Shard:
    """The first shard of a cluster of one, with its table d.t."""

    def __init__(self, world, cluster, name):
        self.world, self.cluster, self.name = world, cluster, name
        self.deployment = world.deployment
        self.nodes = [n[:2] for n in world.nodes(name)]
        self.logins = {at: world.entry(*at) for at in self.nodes}
        self.writer = None
        self.killed = {at: [] for at in self.nodes}  # when

    # ---- how it is ----

    def source(self):
        return self.world.source(self.name)

    def connect(self, address, port, patience=2):
        login = self.logins[address, port]
        return pymysql.connect(
            host=address, port=port, user=login["user"],
            password=login["pwd"], autocommit=True, connect_timeout=1,
            read_timeout=patience, write_timeout=patience)

    def verdict(self):
        """(verdict, why)"""
        shard = self.cluster.ask("get_cluster_detail",
                                 cluster_name=self.name)["shards"][0]
        return shard["verdict"], shard.get("why")

    def is_whole(self):
        """Everybody follows the one that leads."""
        if self.verdict()[0] != "fine":
            return False
        source = self.source()
        for at in self.nodes:
            with self.connect(*at) as c, c.cursor(
                    pymysql.cursors.DictCursor) as q:
                q.execute("SELECT @@read_only AS ro")
                if q.fetchone()["ro"] != (at != source):
                    return False
                q.execute("SHOW SLAVE STATUS")
                said = q.fetchone()
                if at != source and (
                        said is None or said["Slave_IO_Running"] != "Yes"
                        or said["Slave_SQL_Running"] != "Yes"):
                    return False
        return True

    def rows(self):
        with self.connect(*self.source()) as c, c.cursor() as q:
            q.execute("SELECT a FROM d.t")
            return {a for a, in q.fetchall()}

    def last_failover(self, when):
        """What its row says of the last change of a primary, in seconds after
        that; None: there was none."""
        begin = time.time() + when - time.monotonic()
        row = self.world.rows(
            "SELECT * FROM kunlun_failover WHERE cluster = %s"
            " AND decided_ms >= %s ORDER BY id DESC LIMIT 1", self.name,
            int(begin * 1000))
        return {word: round(row[0][word + "_ms"] / 1000 - begin, 2)
                for word in ("suspected", "fenced", "decided", "writable",
                             "pointed")
                if row[0][word + "_ms"] is not None} if row else None

    # ---- processes ----

    def server(self, at):
        """Its process; LookupError."""
        machine = next(m for m in self.world.machines
                       if m.node.address == at[0])
        home = machine.home({"port": at[1]}, "data_dir_path")
        for pid, argv in processes._all():
            if argv and "mariadbd" in argv[0] \
                    and any(home in word for word in argv):
                return pid
        raise LookupError(f"no server of {at}")

    def signal(self, at, sig):
        if sig == signal.SIGKILL:
            self.killed[at].append(time.monotonic())
        with contextlib.suppress(LookupError, ProcessLookupError):
            os.kill(self.server(at), sig)

    def controls(self):
        below = processes.below(self.deployment.run_dir)
        return [pid for pid, argv in below.items() if "control" in argv]

    # ---- one run ----

    def forget_failovers(self):
        """As if it had been quiet for long: more than a few within minutes are
        held back."""
        with self.deployment.sql() as c, c.cursor() as q:
            q.execute("UPDATE kunlun_shard SET state ="
                      " JSON_SET(state, '$.failovers', 0)"
                      " WHERE cluster = %s", (self.name,))
            c.commit()

    def pace(self):
        """A server that is killed in each run is no crash loop."""
        for when in self.killed.values():
            if len(when) >= LOOP_ENDS - 1:
                time.sleep(max(0, when[1 - LOOP_ENDS] + LOOP_S
                               - time.monotonic()))

    def run(self, fault, draw):
        self.pace()
        self.forget_failovers()
        until(self.is_whole, f"whole before {fault.__name__}", WHOLE_S)
        self.writer = Writer(self)
        self.writer.next = max(self.rows(), default=0) + 1000
        self.writer.start()
        outcome = Outcome(fault.__name__)
        try:
            until(lambda: len(self.writer.acknowledged) >= ROWS,
                  "rows are acknowledged", WHOLE_S)
            with fault(self, draw) as when:
                self._see(outcome, when)
            if outcome.unsafe is None and outcome.back_s > LATE_S:
                print("late:", self.last_failover(when), flush=True)
            if outcome.unsafe is not None:
                self._rescue(outcome)
            until(self.is_whole, f"whole after {outcome}", WHOLE_S)
        finally:
            self.writer.stopping = True
            self.writer.join(60)
        there = self.rows()
        lost = set(self.writer.acknowledged) - there
        outcome.rows = len(self.writer.acknowledged)
        # by force they may be: that is what it is told
        assert not lost or outcome.forced, (outcome, sorted(lost))
        return outcome

    def _see(self, outcome, when):
        """Somebody leads, or it is told why nobody does."""
        def seen():
            back = self.writer.since(when)
            if back is not None:
                outcome.back_s = back - when
                return True
            word, why = self.verdict()
            if word == "unsafe" and why:
                outcome.unsafe = why
                return True
            return False
        until(seen, f"somebody leads after {outcome.fault}, or is unsafe",
              FAULT_S)

    def _rescue(self, outcome):
        """Without the fault it may pass by itself; else somebody says so."""
        for _ in range(50):
            if self.verdict()[0] != "unsafe":
                return
            time.sleep(0.1)
        outcome.forced = True

        def forced():
            return self.cluster.run(
                "manual_switch", 120, cluster_name=self.name,
                shard_name="shard1", force="1")[0] == "done" \
                or self.verdict()[0] == "fine"
        until(forced, "forced", WHOLE_S)


# ---- faults: each yields the moment from which on a row counts ----


@contextlib.contextmanager
def primary_is_killed(shard, draw):
    shard.signal(shard.source(), signal.SIGKILL)
    yield time.monotonic()


@contextlib.contextmanager
def primary_is_back_before_anybody_looks(shard, draw):
    at = shard.source()
    old = shard.server(at)
    controls = shard.controls()
    with stopped(controls):
        shard.signal(at, signal.SIGKILL)
        until(lambda: shard.server(at) != old)
    yield time.monotonic()


@contextlib.contextmanager
def replica_then_primary_is_killed(shard, draw):
    source = shard.source()
    replica = draw.choice([at for at in shard.nodes if at != source])
    shard.signal(replica, signal.SIGKILL)
    time.sleep(draw.choice((0, 0.1, 0.5, 2)))
    shard.signal(source, signal.SIGKILL)
    yield time.monotonic()


@contextlib.contextmanager
def both_replicas_then_primary_are_killed(shard, draw):
    source = shard.source()
    for at in (*(n for n in shard.nodes if n != source), source):
        shard.signal(at, signal.SIGKILL)
    yield time.monotonic()


@contextlib.contextmanager
def primary_and_control_are_killed(shard, draw):
    shard.signal(shard.source(), signal.SIGKILL)
    for pid in shard.controls():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    yield time.monotonic()


@contextlib.contextmanager
def control_stands_still_in_the_failover(shard, draw):
    shard.signal(shard.source(), signal.SIGKILL)
    time.sleep(draw.uniform(0, 1))
    with stopped(draw.sample(shard.controls(), 1)):
        yield time.monotonic()


@contextlib.contextmanager
def primary_stands_still(shard, draw):
    with stopped([shard.server(shard.source())]):
        yield time.monotonic()


@contextlib.contextmanager
def replica_stands_still_and_primary_is_killed(shard, draw):
    source = shard.source()
    replica = draw.choice([at for at in shard.nodes if at != source])
    with stopped([shard.server(replica)]):
        time.sleep(draw.choice((0, 0.5, 3)))
        shard.signal(source, signal.SIGKILL)
        yield time.monotonic()


@contextlib.contextmanager
def fsync_is_slow(shard, draw):
    """Of the primary, for a while, by strace, which has to be let: slow is not
    dead, and nobody replaces it."""
    delay_us = draw.choice((200000, 1000000, 5000000))
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-p",
         str(shard.server(shard.source())), "-e", "trace=fsync,fdatasync",
         "-e", f"inject=fsync,fdatasync:delay_exit={delay_us}"])
    time.sleep(draw.choice((3, 10)))
    tracer.terminate()
    tracer.wait()
    yield time.monotonic()


@contextlib.contextmanager
def machine_is_cut_off(shard, draw):
    """The primary's address is reached by nobody for 43 s; who is on that
    machine writes on, and gets nothing acknowledged."""
    route = ["blackhole", f"{shard.source()[0]}/32", "table", "local"]
    subprocess.run(["ip", "route", "add", *route], check=True)
    when = time.monotonic()
    try:
        yield when
        time.sleep(max(0, when + 43 - time.monotonic()))
    finally:
        subprocess.run(["ip", "route", "del", *route], check=True)


@contextlib.contextmanager
def small_disks(deployment):
    """What the servers of each machine have for their data, for `disk_is_full`;
    root alone can. Before there are machines, which are given back."""
    tops = [os.path.join(deployment.base, f"roots-{deployment.net}.{k}")
            for k in (1, 2, 3)]
    try:
        for top in tops:
            os.mkdir(top)
            subprocess.run(["mount", "-t", "tmpfs", "-o",
                            f"size={DISK_MIB}m,mode=0755", "metagate-drill",
                            top], check=True)
        yield
    finally:
        for top in tops:
            subprocess.run(["umount", "-l", top], check=True)


def _writes_nothing(shard, at):
    """One that has no room for its binlog waits, one that has none for a page
    of a table refuses the row, and so it may all others."""
    if shard.writer.refused:
        return True
    with shard.connect(*at) as c, c.cursor() as q:
        q.execute("SHOW PROCESSLIST")  # of which no file is made
        return any(WAITS_FOR_ROOM in row for row in q.fetchall())


@contextlib.contextmanager
def disk_is_full(shard, draw):
    """Of the primary's machine: its directories are on a small file system
    (`small_disks`). It counts from the last row that still found room."""
    at = shard.source()
    machine = next(m for m in shard.world.machines
                   if m.node.address == at[0])
    path = os.path.join(machine.top, "filler")
    try:
        with contextlib.suppress(OSError), open(path, "wb", buffering=0) as f:
            while f.write(bytes(1 << 20)):
                pass
        until(lambda: _writes_nothing(shard, at), "it is full", FAULT_S, 0)
        yield shard.writer.last()
        assert shard.source() != at or shard.verdict()[0] == "unsafe", \
            "a server has found room, and nobody has taken over"
    finally:
        os.unlink(path)


@contextlib.contextmanager
def disk_is_full_until_its_server_is_killed(shard, draw):
    """A thread that waits for room looks once a minute."""
    at = shard.source()
    with disk_is_full(shard, draw) as when:
        yield when
    shard.signal(at, signal.SIGKILL)


@contextlib.contextmanager
def stopped(pids):
    """SIGSTOP, and SIGCONT to those that are still there."""
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


QUICK = (primary_is_killed, primary_is_back_before_anybody_looks,
         replica_then_primary_is_killed, primary_and_control_are_killed,
         control_stands_still_in_the_failover, primary_stands_still)
SLOW = (*QUICK, both_replicas_then_primary_are_killed,
        replica_stands_still_and_primary_is_killed, fsync_is_slow,
        machine_is_cut_off, disk_is_full,
        disk_is_full_until_its_server_is_killed)


def runs(shard, faults, n, seed):
    """n of them, in an order that the seed says; each at least once in so
    many."""
    draw, out = random.Random(seed), []
    while len(out) < n:
        for fault in draw.sample(faults, len(faults)):
            if len(out) < n:
                out.append(shard.run(fault, draw))
                print(len(out), out[-1], flush=True)
    return out
