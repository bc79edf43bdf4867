"""Never stale: what was acknowledged, by whatever process of whatever host, is
what every other one reads. A host that is alone with the store keeps replies
(include/coherence.h); hosts come and go, are killed and frozen here while
others read what they have written."""

import json
import os
import secrets
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager

import pytest
from support.load import Load
from support.metaservice import OBJ, MetaService, be
from support.store import rows, value
from support.waiting import until
from support.worker import Worker

pytestmark = pytest.mark.fault

CLUSTERS = 4
READERS = 8
NET = "127.71.3"  # nothing is bound there


@contextmanager
def hosts(deployment, n):
    """n workers, each with a RUN_DIR of its own, as on hosts of their own:
    they have the store in common, the keys, and nothing else."""
    base = tempfile.mkdtemp(prefix="metagate-hosts.", dir="/var/tmp")
    workers = []
    try:
        for i in range(n):
            workers.append(Worker(
                deployment.binary, _run_dir(deployment, base, i), NET,
                deployment.env(), mysql_user="root",
                mysql_hosts="unix:" + deployment.path("s", "mysql.sock"))
                .start())
        yield workers
        for w in workers:
            assert w.stop() == 0, w.errors
    finally:
        for w in workers:
            w.end()
        shutil.rmtree(base)


def _run_dir(deployment, base, i):
    run_dir = os.path.join(base, str(i))
    for part in ("s", "log"):
        os.makedirs(os.path.join(run_dir, part))
    for name in ("key", "deployment_id"):
        shutil.copy(deployment.path(name), run_dir)
    with open(os.path.join(run_dir, "secret"), "w") as f:
        f.write(secrets.token_hex(32) + "\n")
    return run_dir


def worker_of(deployment):
    """One more worker of the deployment's own host."""
    return Worker(deployment.binary, deployment.run_dir, NET,
                  deployment.env()).start()


def is_alone(deployment):
    """Whether a host says so whose row lives, and no other one lives."""
    connection = deployment.sql()
    live = rows(connection, """SELECT shared FROM coherence_host
        WHERE host <> '' AND expires_ms > UNIX_TIMESTAMP(NOW(3)) * 1000""")
    connection.close()
    return [r["shared"] for r in live] == [0]


def ask(host, operation, body):
    r = host.ask(f"/MetaService/http/{operation}",
                 json.dumps(body).encode(), listener="doris", method="POST")
    assert r.status == 200, r.text
    return json.loads(r.text)


class Race:
    """Writers that count up, each a cluster of its own, and readers of all.
    A reader notes what had been acknowledged before it asks."""

    def __init__(self, ms):
        self.ms, self.iid = ms, ms.instance()
        self.acknowledged = {f"c{c}": 0 for c in range(CLUSTERS)}
        self.reads = []
        for cid in self.acknowledged:
            ms.cluster(self.iid, cid, nodes=[be(self.iid, int(cid[1]))])

    def write(self, host, cid):
        n = self.acknowledged[cid] + 1
        ask(host, "update_cluster_endpoint", {
            "instance_id": self.iid, "cluster": {
                "cluster_id": cid, "public_endpoint": str(n),
                "private_endpoint": "p"}})
        self.acknowledged[cid] = n

    def read(self, host, cid):
        before = self.acknowledged[cid]
        self.reads.append((before, self.seen(host, cid)))

    def seen(self, host, cid):
        """By each of the replies that are kept, in turns."""
        cuid = {"cloud_unique_id": be(self.iid, 0)["cloud_unique_id"]}
        turn = len(self.reads) % 3
        if turn == 0:
            return self._endpoint(ask(host, "get_cluster", {
                **cuid, "cluster_id": cid})["result"])
        clusters = (ask(host, "get_cluster", cuid)["result"]["cluster"]
                    if turn == 1 else
                    ask(host, "get_instance", {
                        "instance_id": self.iid})["result"]["clusters"])
        return next(self._endpoint(c) for c in clusters
                    if c["cluster_id"] == cid)

    @staticmethod
    def _endpoint(cluster):
        return int(cluster.get("public_endpoint", 0))

    def load(self, writer, reader):
        """writer(), reader(): on which host the next request is made."""
        def client(i):
            cid = f"c{i % CLUSTERS}"
            if i < CLUSTERS:
                return self.write(writer(), cid)
            return self.read(reader(), cid)

        return Load(CLUSTERS + READERS, client)

    def is_enough(self, load):
        """The first writes may wait until the other host has seen theirs."""
        return load.done > 1500 and min(self.acknowledged.values()) > 10

    def judge(self, load):
        for r in load.results:
            assert not isinstance(r, Exception), repr(r)
        assert [r for r in self.reads if r[1] < r[0]] == []
        assert len(self.reads) > 100


def hits(deployment):
    text = deployment.client("console").get("/metrics").text
    return next(int(line.split()[1]) for line in text.splitlines()
                if line.startswith("metagate_cache_hits_total "))


def test_what_one_host_acknowledged_another_reads(doris, deployment):
    race = Race(MetaService(doris))
    with hosts(deployment, 2) as (one, other):
        with race.load(lambda: one, lambda: other) as load:
            until(lambda: race.is_enough(load), "1500 requests", 120)
        listed = ask(one, "list_meta_services", {})["result"]
        # both have the same NET, the deployment one of its own
        assert [s["address"] for s in listed["meta_services"]].count(
            f"{NET}.1:5000") == 2
    race.judge(load)


def test_what_one_worker_acknowledged_another_reads(doris, deployment):
    """Workers of one host, which is alone: replies are kept."""
    race = Race(MetaService(doris))
    one, other = (worker_of(deployment) for _ in range(2))
    try:
        until(lambda: is_alone(deployment), "the host is alone")
        before = hits(deployment)
        with race.load(lambda: one, lambda: other) as load:
            until(lambda: race.is_enough(load)
                  and hits(deployment) > before + 100, "1500 requests", 120)
        race.judge(load)
    finally:
        one.end()
        other.end()


def test_a_host_that_comes_and_goes_is_never_missed(doris, deployment):
    """The host that is alone reads; another one starts, writes, is killed
    before it can say that it leaves, and starts again."""
    race = Race(MetaService(doris))
    with hosts(deployment, 1) as (guest,):
        guest.kill()
        reader = worker_of(deployment)
        try:
            for _ in range(2):
                until(lambda: is_alone(deployment), "the host is alone", 30)
                before = hits(deployment)
                with Load(READERS, lambda i: race.read(
                        reader, f"c{i % CLUSTERS}")) as load:
                    until(lambda: hits(deployment) > before + 100, "hits")
                    guest.start()
                    for n in range(6):
                        race.write(guest, f"c{n % CLUSTERS}")
                    done = load.done
                    until(lambda: load.done > done + 50, "reads after them")
                    guest.kill()
                for r in load.results:
                    assert not isinstance(r, Exception), repr(r)
                assert [r for r in race.reads if r[1] < r[0]] == []
        finally:
            reader.end()
            guest.start()


def test_nobody_goes_back_while_a_host_arrives(doris, deployment):
    """It was stopped until it counted for dead, and begins with the writes
    that have waited. Readers ask it, and then the one that was alone with the
    store: what they have seen they see again, acknowledged or not."""
    race = Race(MetaService(doris))
    with hosts(deployment, 1) as (guest,):
        home = worker_of(deployment)

        def client(i):
            cid = "c0"
            if i == 0:  # a thread of the guest waits with it
                return race.write(guest, "c0")
            return [race.seen(host, cid) for host in (guest, home) * 4]

        try:
            for _ in range(3):
                os.kill(guest.process.pid, signal.SIGSTOP)
                until(lambda: is_alone(deployment), "the host is alone", 30)
                fill = [lambda c=c: race.seen(home, c) for c in
                        race.acknowledged]
                before = hits(deployment)
                until(lambda: [f() for f in fill]
                      and hits(deployment) > before + CLUSTERS, "hits")
                with Load(3, client) as load:
                    os.kill(guest.process.pid, signal.SIGCONT)
                    until(lambda: load.done > 200
                          and race.acknowledged["c0"] > 3, "writes")
                    until(lambda: not is_alone(deployment), "shared")
                for r in load.results:
                    assert not isinstance(r, Exception), repr(r)
                    assert r is None or r == sorted(r)
        finally:
            os.kill(guest.process.pid, signal.SIGCONT)
            home.end()


@contextmanager
def no_row_seems_to_live(sql):
    """To the database's clock, which has jumped after each that was written."""
    for event in ("INSERT", "UPDATE"):
        rows(sql, f"""CREATE TRIGGER jump_{event} BEFORE {event}
            ON coherence_host FOR EACH ROW
            SET NEW.expires_ms = NEW.expires_ms - 86400000""")
    try:
        yield
    finally:
        for event in ("INSERT", "UPDATE"):
            rows(sql, f"DROP TRIGGER jump_{event}")


def test_a_clock_that_jumps_hides_no_host(doris, deployment, sql):
    race = Race(MetaService(doris))
    with hosts(deployment, 1) as (guest,):
        guest.kill()
        until(lambda: is_alone(deployment), "the host is alone", 30)
        reader = worker_of(deployment)
        try:
            with no_row_seems_to_live(sql), Load(
                    READERS, lambda i: race.read(
                        reader, f"c{i % CLUSTERS}")) as load:
                before = hits(deployment)
                until(lambda: hits(deployment) > before + 100, "hits")
                guest.start()
                for n in range(6):
                    race.write(guest, f"c{n % CLUSTERS}")
                for _ in range(3):  # and on, each by its own time
                    done = load.done
                    until(lambda: load.done > done + 500, "reads")
                    race.write(guest, "c0")
            race.judge(load)
        finally:
            reader.end()


def test_a_frozen_host_shows_nothing_old(doris, deployment):
    """All its workers are stopped while it is alone; another host's write
    waits until the frozen one has lost its right to keep anything."""
    race = Race(MetaService(doris))
    frozen = [deployment.pid_of(f"serve-{i}") for i in range(2)]
    with hosts(deployment, 1) as (guest,):
        guest.kill()
        until(lambda: is_alone(deployment), "the host is alone", 30)
        for _ in range(8):  # in both workers
            assert race.ms.get_cluster(race.iid, "c0").get("public_endpoint") \
                is None
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            guest.start()
            race.write(guest, "c0")
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        for _ in range(8):
            assert race.ms.get_cluster(race.iid, "c0")["public_endpoint"] == "1"


def test_a_killed_writer_leaves_nothing_old(doris, deployment):
    """A worker is killed again and again among its writes. What it had begun
    may or may not be done, but all read the same, and what was acknowledged."""
    race = Race(MetaService(doris))
    writer, readers = worker_of(deployment), \
        [worker_of(deployment) for _ in range(2)]
    try:
        until(lambda: is_alone(deployment), "the host is alone", 30)
        for _ in range(5):
            with Load(CLUSTERS, lambda i: race.write(
                    writer, f"c{i % CLUSTERS}")) as load:
                until(lambda: load.done > 20, "writes")
                writer.kill()
                writer.start()  # those who wait for it get their answers
            for cid in race.acknowledged:
                seen = set()
                for host in readers * 3:
                    race.read(host, cid)
                    seen.add(race.reads[-1][1])
                assert len(seen) == 1, seen
                race.acknowledged[cid] = seen.pop()
        assert [r for r in race.reads if r[1] < r[0]] == []
    finally:
        for w in (writer, *readers):
            w.end()


def kept(deployment, read):
    """Reads until the host, which is alone, answers from what it has kept;
    the reply."""
    until(lambda: is_alone(deployment), "the host is alone", 30)
    before = hits(deployment)

    def once_more():
        read()
        return hits(deployment) >= before + 8  # in both workers

    until(once_more, "hits")
    return read()


@contextmanager
def commits_wait(deployment):
    """At the server, which has them."""
    connection = deployment.sql()
    rows(connection, "BACKUP STAGE START")
    rows(connection, "BACKUP STAGE BLOCK_COMMIT")
    try:
        yield
    finally:
        connection.close()  # which ends it


def waiting_commits(sql):
    return value(sql, """SELECT COUNT(*) FROM information_schema.PROCESSLIST
        WHERE STATE = 'Waiting for backup lock' AND INFO = 'COMMIT'""")


def is_locked(sql, iid):
    return rows(sql, "SELECT 1 FROM doris_instance WHERE instance_id = %s"
                " FOR UPDATE SKIP LOCKED", iid.encode()) == []


def test_a_commit_that_outlives_its_worker_is_shown(doris, deployment, sql):
    """The worker is killed when the server has its COMMIT, but has not
    answered: nobody is left to say that something has changed."""
    race = Race(MetaService(doris))
    writer = worker_of(deployment)

    def read():
        return race.ms.get_cluster(race.iid, "c0").get("public_endpoint", "0")

    def write():
        with pytest.raises(Exception):  # its connection ends
            race.write(writer, "c0")

    try:
        assert kept(deployment, read) == "0"
        with commits_wait(deployment):
            client = threading.Thread(target=write)
            client.start()
            until(lambda: is_locked(sql, race.iid) and waiting_commits(sql),
                  "the COMMIT waits")
            writer.kill()
            client.join()
        until(lambda: not is_locked(sql, race.iid), "it has ended")
        done = value(sql, "SELECT public_endpoint FROM doris_cluster WHERE"
                     " instance_id = %s AND cluster_id = 'c0'",
                     race.iid.encode())
        assert [read() for _ in range(8)] == [done or "0"] * 8
        assert done == "1"
    finally:
        writer.end()


def test_an_id_that_another_instance_claims_leads_there(doris, deployment):
    """Nobody has the id, so it leads to the instance that it names; what is
    kept of that ends with the claim, and begins again when it is given up."""
    ms = MetaService(doris)
    iid, other = ms.instance(), ms.instance()
    ms.cluster(iid, "c1", public_endpoint="named")
    ms.cluster(other, "c1", public_endpoint="claimed")
    node = be(iid, 1, cloud_unique_id=f"1:{iid}:any")
    change = {"instance_id": other, "cluster": {
        "cluster_id": "c1", "type": "COMPUTE", "nodes": [node]}}

    def read():
        return ms.get_cluster(iid)["public_endpoint"]

    for _ in range(3):
        assert kept(deployment, read) == "named"
        ms.ok("add_node", change)
        assert [read() for _ in range(8)] == ["claimed"] * 8
        ms.ok("drop_node", change)
        assert [read() for _ in range(8)] == ["named"] * 8


def test_who_may_see_no_secrets_is_not_shown_what_others_are(doris,
                                                            deployment):
    """An instance is kept once for each of them."""
    iid = MetaService(doris).instance(
        obj_info={**OBJ, "sk": "plainly-secret"})

    def key(scope):
        r = doris.scope(scope).get("get_instance",
                                   query={"instance_id": iid})
        return r.json["result"]["obj_info"][0]["sk"]

    assert kept(deployment, lambda: key("secrets")) == "plainly-secret"
    assert "plainly-secret" not in kept(deployment, lambda: key("read"))
    assert [key("secrets") for _ in range(8)] == ["plainly-secret"] * 8
