"""kill -9 of worker, nginx and store in turn under 8 writers: what was
acknowledged is there, what was not made is not."""

import collections
import itertools

import pytest

from support.ackedset import AckedSet
from support.load import Load
from support.processes import kill
from support.store import rows
from support.waiting import until
from support.words import fresh

pytestmark = [pytest.mark.fault, pytest.mark.profile]

WRITERS, KILLS, ACKED = 8, 15, 5000
EXISTS = 409
ROLES = ["serve-0", "nginx", "mariadb", "serve-1"]


class Writers:
    """Each write is an instance of its own, with a cluster in it: two
    transactions of several rows."""

    def __init__(self, doris):
        self.doris, self.word = doris, fresh("k")
        self.acked, self.clusters = AckedSet(), AckedSet()
        self.numbers = itertools.count()
        self.statuses = collections.Counter()

    def write(self, _):
        iid = f"{self.word}-{next(self.numbers)}"
        status = self.acked.write(iid, lambda: self.doris.put(
            "create_instance", {"instance_id": iid, "name": "n",
                                "user_id": "u"}))
        self.statuses[status] += 1
        if status == 200 and self.add(iid, "c") == 200:
            self.add(iid, "d")

    def add(self, iid, cluster):
        """Both have one name: the second is refused for certain, and what is
        refused is nowhere, whoever is killed meanwhile."""
        status = self.clusters.write(
            f"{iid}/{cluster}", lambda: self.doris.put("add_cluster", {
                "instance_id": iid, "cluster": {
                    "cluster_id": cluster, "cluster_name": "c",
                    "type": "COMPUTE"}}), refused=(EXISTS,))
        self.statuses[status] += 1
        return status

    def done(self):
        return len(self.acked.acked) + len(self.clusters.acked)


def test_kills_lose_nothing_and_make_nothing_up(deployment, doris):
    writers = Writers(doris.using(timeout=20))
    killed = []
    with Load(WRITERS, writers.write):
        for role in itertools.islice(itertools.cycle(ROLES), KILLS):
            before = writers.done()
            # a run is only as good as the writes between two kills
            until(lambda: writers.done() >= before + ACKED // KILLS // 2,
                  f"writes before {role} is killed", timeout=60)
            pid = until(lambda: deployment.pid_of(role), role)
            kill(pid)
            killed.append(role)
            until(lambda: deployment.pid_of(role) not in (None, pid),
                  f"{role} has come back")
        until(lambda: writers.done() >= ACKED, "enough writes", timeout=120)
    assert len(killed) == KILLS
    # nothing but success and "not now" was ever answered
    assert set(writers.statuses) <= {200, EXISTS, 503, None}, writers.statuses
    assert len(writers.clusters.refused) > ACKED // 4
    assert writers.acked.unclear or writers.clusters.unclear, \
        "no kill has hit a request: the run proves nothing"
    with deployment.sql() as sql:
        there = rows(sql, "SELECT CONVERT(instance_id USING utf8mb4) AS id"
                     " FROM doris_instance WHERE instance_id LIKE %s",
                     writers.word + "-%")
        inside = rows(sql, "SELECT CONCAT(CONVERT(instance_id USING utf8mb4),"
                      " '/', CONVERT(cluster_id USING utf8mb4)) AS id"
                      " FROM doris_cluster WHERE instance_id LIKE %s",
                      writers.word + "-%")
        audit = rows(sql, "SELECT operation, COUNT(*) AS n,"
                     " COUNT(DISTINCT request_id) AS ids FROM audit"
                     " WHERE target LIKE %s GROUP BY operation",
                     "%" + writers.word + "-%")
    writers.acked.check([r["id"] for r in there], acked_at_least=ACKED // 3)
    writers.clusters.check([r["id"] for r in inside],
                           acked_at_least=ACKED // 3)
    # one audit row for each change, none for what was not changed
    counted = {r["operation"]: r["n"] for r in audit}
    assert counted == {"create_instance": len(there),
                       "add_cluster": len(inside)}
    assert all(r["n"] == r["ids"] for r in audit)
