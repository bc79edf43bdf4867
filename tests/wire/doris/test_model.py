"""10,000 random operations from 8 clients. Each client has an instance of its
own, whose every answer a model foretells; all of them load into one instance
that they share, where at the end what was acknowledged must add up."""

import json
import random

from support.documents import assert_true
from support.load import race
from support.metarpc import MetaRpc, compaction, rowset, txn
from support.metaservice import MetaService, be
from support.store import rows

CLIENTS, STEPS = 8, 1250
TABLETS = (50, 51, 52)


class Model:
    """What one instance must look like."""

    def __init__(self):
        self.labels = {}    # label: newest txn id
        self.txns = {}      # id: [label, status, {tablet: rowset name}]
        self.prepared = {}  # (txn id, tablet): rowset name
        self.rowsets = {t: [(0, 1, f"first{t}", 0)] for t in TABLETS}
        self.counts = {t: 0 for t in TABLETS}  # cumulative compactions
        self.nodes = {}     # cluster id: [endpoint numbers]
        self.ttl = {}       # tablet: seconds
        self.version = 1


class Client:
    """Draws operations, says what must come, sends them."""

    def __init__(self, doris, shared, n):
        self.ms, self.n = MetaService(doris), n
        self.rpc = MetaRpc(doris, self.ms.instance())
        self.shared = shared
        self.rng = random.Random(n)
        self.model = Model()
        self.rpc.tablets(*TABLETS)
        self.loads = {t: 0 for t in TABLETS}
        self.serial = 0
        self.done = {}

    def run(self):
        steps = [self.begin] * 4 + [self.prepare] * 4 + [self.commit_rowset] \
            * 4 + [self.commit] * 3 + [self.abort, self.precommit,
                                       self.compact, self.give_up,
                                       self.create_again, self.retune,
                                       self.add_node,
                                       self.drop_node, self.add_cluster,
                                       self.drop_cluster, self.look,
                                       self.load_shared]
        for _ in range(STEPS):
            step = self.rng.choice(steps)
            step()
            self.done[step.__name__] = self.done.get(step.__name__, 0) + 1

    def expect(self, rpc, body, code):
        got = self.rpc.send(rpc, body)
        assert got.status == 200 and got.json["status"]["code"] == code, (
            self.n, rpc, body, code, got)
        return got.json

    # ---- transactions ----

    def some_txn(self):
        known = list(self.model.txns)[-12:]
        return self.rng.choice(known) if known else 1024

    def begin(self):
        m, label = self.model, f"l{self.rng.randrange(200)}"
        old = m.txns.get(m.labels.get(label))
        free = old is None or old[1] == "ABORTED"
        got = self.expect("begin_txn", {"txn_info": txn(label)},
                          "OK" if free else "TXN_LABEL_ALREADY_USED")
        if free:
            m.labels[label] = got["txn_id"]
            m.txns[got["txn_id"]] = [label, "PREPARED", {}]

    def refusal(self, tid):
        """Why a rowset of that transaction is refused; None = it is not."""
        status = self.model.txns.get(tid, [None, None])[1]
        return {None: "TXN_ID_NOT_FOUND", "ABORTED": "TXN_ALREADY_ABORTED",
                "VISIBLE": "TXN_ALREADY_VISIBLE"}.get(status)

    def prepare(self):
        m, tid, tablet = self.model, self.some_txn(), \
            self.rng.choice(TABLETS)
        name = f"rs{tid}_{tablet}_{self.rng.randrange(2)}"
        code = self.refusal(tid)
        if code is None and tablet in m.txns[tid][2]:
            code = "ALREADY_EXISTED"
        self.expect("prepare_rowset", {"rowset_meta": rowset(
            tablet, tid, name)}, code or "OK")
        if code is None:
            m.prepared.setdefault((tid, tablet), set()).add(name)

    def commit_rowset(self):
        m, tid, tablet = self.model, self.some_txn(), \
            self.rng.choice(TABLETS)
        name = f"rs{tid}_{tablet}_{self.rng.randrange(2)}"
        code, there = self.refusal(tid), None
        if code is None:
            there = m.txns[tid][2].get(tablet)
            if there is not None:
                code = "OK" if there == name else "ALREADY_EXISTED"
        self.expect("commit_rowset", {"rowset_meta": rowset(
            tablet, tid, name)}, code or "OK")
        if code is None:
            m.txns[tid][2][tablet] = name

    def commit(self):
        m, tid = self.model, self.some_txn()
        known = m.txns.get(tid)
        code = ("TXN_ID_NOT_FOUND" if known is None else
                "TXN_ALREADY_ABORTED" if known[1] == "ABORTED" else "OK")
        got = self.expect("commit_txn", {"txn_id": tid}, code)
        if code != "OK" or known[1] == "VISIBLE":
            return
        known[1] = "VISIBLE"
        if known[2]:
            m.version += 1
            assert got["versions"] == [m.version], (self.n, got)
        for tablet, name in known[2].items():
            m.rowsets[tablet].append((m.version, m.version, name, 10))

    def precommit(self):
        tid = self.some_txn()
        known = self.model.txns.get(tid, [None, None])
        code = {None: "TXN_ID_NOT_FOUND", "PREPARED": "OK",
                "PRECOMMITTED": "TXN_ALREADY_PRECOMMITED",
                "VISIBLE": "TXN_ALREADY_VISIBLE",
                "ABORTED": "TXN_ALREADY_ABORTED"}[known[1]]
        self.expect("precommit_txn", {"txn_id": tid}, code)
        if code == "OK":
            known[1] = "PRECOMMITTED"

    def abort(self):
        tid = self.some_txn()
        known = self.model.txns.get(tid, [None, None])
        code = {None: "TXN_ID_NOT_FOUND",
                "VISIBLE": "TXN_ALREADY_VISIBLE",
                "ABORTED": "TXN_ALREADY_ABORTED"}.get(known[1], "OK")
        self.expect("abort_txn", {"txn_id": tid}, code)
        if code == "OK":
            known[1] = "ABORTED"

    # ---- compactions ----

    def compact(self):
        m, tablet = self.model, self.rng.choice(TABLETS)
        have = m.rowsets[tablet]
        if len(have) < 4:
            return
        first = self.rng.randrange(1, len(have) - 1)
        some = have[first:first + self.rng.randint(2, 5)]
        self.serial += 1
        job, name = f"job{self.serial}", f"out{self.serial}"
        at = {"idx": {"tablet_id": tablet}}
        versions = [some[0][0], some[-1][1]]
        self.expect("start_tablet_job", {"job": {**at, "compaction": [
            compaction(job, cumulative_compaction_cnt=m.counts[tablet],
                       input_versions=versions)]}}, "OK")
        n, total = len(some), sum(r[3] for r in some)
        body = {"tablet_job_id": job, "rowset_meta": rowset(
            tablet, self.serial, name, num_rows=total)}
        self.expect("prepare_rowset", body, "OK")
        self.expect("commit_rowset", body, "OK")
        done = {"id": job, "input_versions": versions, "txn_id":
                [self.serial], "output_rowset_ids": [name],
                "num_input_rowsets": n, "num_output_rowsets": 1,
                "num_input_rows": total, "num_output_rows": total}
        self.expect("finish_tablet_job", {"action": "COMMIT", "job": {
            **at, "compaction": [done]}}, "OK")
        have[first:first + n] = [(*versions, name, total)]
        m.counts[tablet] += 1

    def give_up(self):
        """A compaction that is aborted, and asked to end once more."""
        m, tablet = self.model, self.rng.choice(TABLETS)
        self.serial += 1
        at = {"idx": {"tablet_id": tablet}}
        self.expect("start_tablet_job", {"job": {**at, "compaction": [
            compaction(f"job{self.serial}", "BASE", input_versions=[2, 2],
                       cumulative_compaction_cnt=m.counts[tablet])]}}, "OK")
        done = {"action": "ABORT", "job": {**at, "compaction": [
            {"id": f"job{self.serial}"}]}}
        self.expect("finish_tablet_job", done, "OK")
        self.expect("finish_tablet_job", {**done, "action": "COMMIT"},
                    "INVALID_ARGUMENT")

    # ---- tablets ----

    def create_again(self):
        """What was loaded since stays."""
        self.rpc.tablets(self.rng.choice(TABLETS))

    def retune(self):
        tablet, ttl = self.rng.choice(TABLETS), self.rng.randrange(1000)
        self.expect("update_tablet", {"tablet_meta_infos": [
            {"tablet_id": tablet, "ttl_seconds": ttl}]}, "OK")
        self.model.ttl[tablet] = ttl

    # ---- clusters ----

    def cluster_op(self, operation, cid, code, **more):
        got = self.ms.send(operation, {
            "instance_id": self.rpc.iid,
            "cluster": {"cluster_id": cid, "type": "COMPUTE", **more}})
        assert got.json["code"] == code, (self.n, operation, cid, more, got)

    def add_cluster(self):
        nodes, cid = self.model.nodes, f"c{self.rng.randrange(5)}"
        self.cluster_op("add_cluster", cid, "ALREADY_EXISTED"
                        if cid in nodes else "OK", cluster_name=f"n{cid}")
        nodes.setdefault(cid, [])

    def drop_cluster(self):
        nodes, cid = self.model.nodes, f"c{self.rng.randrange(5)}"
        self.cluster_op("drop_cluster", cid,
                        "OK" if cid in nodes else "NOT_FOUND")
        nodes.pop(cid, None)

    def add_node(self):
        nodes, cid = self.model.nodes, f"c{self.rng.randrange(5)}"
        node = self.rng.randrange(20)
        taken = any(node in of for of in nodes.values())
        code = ("NOT_FOUND" if cid not in nodes else
                "ALREADY_EXISTED" if taken else "OK")
        if cid not in nodes and taken:
            return  # which is said first is not the matter here
        self.cluster_op("add_node", cid, code, nodes=[be(self.rpc.iid, node)])
        if code == "OK":
            nodes[cid].append(node)

    def drop_node(self):
        nodes, cid = self.model.nodes, f"c{self.rng.randrange(5)}"
        node = self.rng.randrange(20)
        there = node in nodes.get(cid, [])
        self.cluster_op("drop_node", cid, "OK" if there else "NOT_FOUND",
                        nodes=[be(self.rpc.iid, node)])
        if there:
            nodes[cid].remove(node)

    # ---- what is shared ----

    def load_shared(self):
        rpc = self.shared
        some = self.rng.sample(TABLETS, self.rng.randint(1, 3))
        tid = rpc.begin()
        for t in some:
            rpc.load(tid, t)
        if self.rng.random() < 0.2:
            rpc.ok("abort_txn", {"txn_id": tid})
            return
        rpc.commit(tid)
        for t in some:
            self.loads[t] += 1

    # ---- comparing ----

    def look(self):
        tablet = self.rng.choice(TABLETS)
        shown = self.rpc.stats(tablet)
        have = self.model.rowsets[tablet]
        assert (shown["num_rowsets"], shown["num_rows"],
                shown["cumulative_compaction_cnt"]) == (
            len(have), sum(r[3] for r in have), self.model.counts[tablet])

    def compare(self, sql):
        m, rpc = self.model, self.rpc
        for t in TABLETS:
            assert rpc.versions(t) == [r[:3] for r in m.rowsets[t]]
            assert rpc.ok("get_tablet", {"tablet_id": t})["tablet_meta"].get(
                "ttl_seconds") == m.ttl.get(t)
        for tid, (label, status, _) in m.txns.items():
            shown = rpc.txn(tid)
            assert (shown["label"], shown["status"]) \
                == (label, "TXN_STATUS_" + status)
        shown = assert_true(self.ms, sql, rpc.iid)
        assert {c["cluster_id"]: [n["cloud_unique_id"].rpartition("be")[2]
                                  for n in c.get("nodes", [])]
                for c in shown} == {c: list(map(str, of))
                                    for c, of in m.nodes.items()}


def test_random_operations_of_many_clients(doris, sql):
    shared = MetaRpc(doris, MetaService(doris).instance())
    shared.tablets(*TABLETS)
    clients = [Client(doris, shared, n) for n in range(CLIENTS)]
    race(CLIENTS, lambda n: clients[n].run())
    for c in clients:
        assert len(c.done) == 16, c.done
        c.compare(sql)
    for t in TABLETS:
        loads = sum(c.loads[t] for c in clients)
        shown, have = shared.stats(t), shared.versions(t)
        assert (shown["num_rowsets"], shown["num_rows"]) \
            == (loads + 1, 10 * loads)
        ends = [v for _, v, _ in have]
        assert len(ends) == loads + 1 and ends == sorted(set(ends))
    invariants(sql, [shared.iid] + [c.rpc.iid for c in clients])


def invariants(sql, ids):
    """What holds for every instance, told from the rows alone."""
    for iid in (i.encode() for i in ids):
        for tablet in rows(sql, "SELECT tablet_id, num_rowsets, num_rows"
                           " FROM doris_tablet WHERE instance_id = %s", iid):
            bodies = [json.loads(r["body"]) for r in rows(
                sql, "SELECT body FROM doris_rowset WHERE instance_id = %s"
                " AND tablet_id = %s", iid, tablet["tablet_id"])]
            assert len(bodies) == tablet["num_rowsets"]
            assert sum(int(b.get("num_rows", 0)) for b in bodies) \
                == tablet["num_rows"]
        # nothing that is visible may be recycled; nothing of what is over is
        # left under way
        assert not rows(
            sql, "SELECT 1 FROM doris_rowset r JOIN doris_rowset_recycle x"
            " USING (instance_id, tablet_id, rowset_id)"
            " WHERE r.instance_id = %s", iid)
        assert not rows(
            sql, "SELECT 1 FROM doris_rowset_tmp r JOIN doris_txn t"
            " ON t.instance_id = r.instance_id AND t.seq << 10 = r.txn_id"
            " WHERE r.instance_id = %s AND t.finish_time IS NOT NULL", iid)
        assert not rows(
            sql, "SELECT 1 FROM doris_txn WHERE instance_id = %s AND"
            " ((status IN ('TXN_STATUS_VISIBLE', 'TXN_STATUS_ABORTED'))"
            " <> (deadline_ms IS NULL)"
            " OR (status = 'TXN_STATUS_ABORTED') <> (live IS NULL))", iid)
