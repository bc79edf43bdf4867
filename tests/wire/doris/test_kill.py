"""Workers that are killed in the middle of changes: what was acknowledged is
there, what was not is done whole or not at all."""

import random
import threading

import pytest

from support import processes
from support.load import race
from support.metarpc import MetaRpc, rowset, txn
from support.metaservice import OBJ, MetaService
from support.store import rows, value
from support.waiting import until
from support.words import fresh

pytestmark = pytest.mark.fault
CLIENTS, KILLS = 8, 6


class Killer:
    """Kills one worker after the other for as long as it is entered."""

    def __init__(self, deployment, seed):
        self.deployment, self.rng = deployment, random.Random(seed)
        self.ended, self.killed = threading.Event(), 0
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _run(self):
        while not self.ended.wait(self.rng.uniform(0.2, 0.8)):
            pid = self.deployment.pid_of(f"serve-{self.rng.randrange(2)}")
            if pid:
                processes.kill(pid)
                self.killed += 1


def attempt(f):
    """What the call answered; None when nobody knows."""
    try:
        r = f()
    except OSError:
        return None
    return None if r.status in (502, 503, 504) else r


def insist(f):
    """Until somebody answers."""
    return until(lambda: attempt(f), "an answer", 60)


def test_drops(deployment, doris, sql):
    ms = MetaService(doris)
    told = {}

    def client(k):
        while killer.killed < KILLS:
            iid = fresh("kill")
            insist(lambda: ms.send("create_instance", {
                "instance_id": iid, "obj_info": OBJ}))
            told[iid] = attempt(lambda: ms.send("drop_instance", {
                "instance_id": iid}))

    with Killer(deployment, 1) as killer:
        race(CLIENTS, client)
    assert len(told) > CLIENTS
    deployment.wait_ready()
    for iid, r in told.items():
        row = rows(sql, "SELECT status, dropped FROM doris_instance"
                   " WHERE instance_id = %s", iid.encode())[0]
        audited = value(sql, "SELECT COUNT(*) FROM audit WHERE operation ="
                        " 'drop_instance' AND target = %s",
                        f"instance {iid}") \
            or value(sql, "SELECT COUNT(*) FROM audit WHERE operation ="
                     " 'drop_instance' AND target = %s", iid)
        deleted = row["status"] == "DELETED"
        assert deleted == (row["dropped"] is not None) == (audited == 1)
        assert r is None or (r.status == 200) == deleted, (iid, r)


def test_commits(deployment, doris, sql):
    """A transaction is visible with all its rowsets, or not at all."""
    rpc = MetaRpc(doris, MetaService(doris).instance())
    tablets = range(50, 56)
    rpc.tablets(*tablets)
    ids, told = [], {}

    def client(k):
        while killer.killed < KILLS:
            tid = insist(lambda: rpc.send("begin_txn", {
                "txn_info": txn()})).json["txn_id"]
            for t in tablets:
                body = {"rowset_meta": rowset(t, tid, f"rs{tid}_{t}")}
                for name in ("prepare_rowset", "commit_rowset"):
                    insist(lambda: rpc.send(name, body))
            ids.append(tid)
            told[tid] = attempt(lambda: rpc.send("commit_txn",
                                                 {"txn_id": tid}))

    with Killer(deployment, 2) as killer:
        race(CLIENTS, client)
    deployment.wait_ready()
    states = {tid: rpc.txn(tid)["status"] for tid in ids}
    visible = sum(s == "TXN_STATUS_VISIBLE" for s in states.values())
    for tid, r in told.items():
        if r is not None:
            assert states[tid] == "TXN_STATUS_VISIBLE", r
    for t in tablets:
        assert [v for _, v, _ in rpc.versions(t)] \
            == list(range(1, visible + 2))
        assert rpc.stats(t)["num_rowsets"] == visible + 1
    for tid in ids:  # and what nobody knows can be asked for again
        rpc.commit(tid)
    assert rpc.stats(50)["num_rowsets"] == len(ids) + 1
