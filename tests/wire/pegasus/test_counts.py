"""What the leader and the workers keep of nodes and tables is what one would
count, at every moment and whoever is killed."""

import random

import pytest

from support.pegasus import METAS, Counts, counts
from support.processes import kill
from support.store import rows
from support.waiting import until

pytestmark = [pytest.mark.fault,
              pytest.mark.config(METAGATE_PEGASUS_FD_GRACE_SECONDS="4",
                                 METAGATE_PEGASUS_FD_CHECK_INTERVAL_SECONDS="1",
                                 METAGATE_PEGASUS_FD_BEACON_INTERVAL_SECONDS="1",
                                 METAGATE_PEGASUS_LB_INTERVAL_MS="500")]


class Changes:
    """Random changes and kills by a seed; answers do not matter."""

    def __init__(self, deployment, pegasus, names, seed):
        self.deployment, self.pegasus, self.names = deployment, pegasus, names
        self.random = random.Random(seed)
        self.down = set()

    def step(self):
        self.random.choice([self.table, self.table, self.table, self.recall,
                            self.level, self.node, self.worker,
                            self.control])()

    def ask(self, path, **body):
        for meta in METAS:
            try:
                self.pegasus.on(meta).post(path, body)
            except OSError:
                pass  # its worker was killed

    def table(self):
        form, more = self.random.choice([
            ("drop", {}), ("create", {"partition_count": 5}),
            ("set_max_replica_count",
             {"max_replica_count": self.random.randint(1, 3)})])
        self.ask("/meta/app/" + form,
                 app_name=self.random.choice(self.names), **more)

    def recall(self):
        self.ask("/meta/app/recall", app_id=self.random.randint(1, 20))

    def level(self):
        self.ask("/meta/cluster/level", level=self.random.choice(
            ["freezed", "steady", "lively", "lively"]))

    def node(self):
        name = f"supervise-{self.deployment.net}.{self.random.randint(1, 3)}"
        self.deployment.command("start" if name in self.down else "stop", name)
        self.down ^= {name}

    def _kill(self, names):
        pid = self.deployment.pid_of(self.random.choice(names))
        if pid is not None:
            kill(pid)

    def worker(self):
        self._kill(["serve-0", "serve-1"])

    def control(self):
        self._kill(["control-" + m for m in METAS])

    def heal(self):
        for name in self.down:
            self.deployment.command("start", name)
        self.pegasus.leader()
        self.pegasus.ok("/meta/cluster/level", level="lively")


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_kept_is_what_is_there_at_every_moment(
        deployment, pegasus, fresh, seed):
    names = [fresh("t") for _ in range(4)]
    for name in names:
        pegasus.ok("/meta/app/create", app_name=name, partition_count=5)
    changes = Changes(deployment, pegasus, names, seed)
    with Counts(deployment) as watch:
        try:
            for _ in range(30):
                seen = watch.seen
                changes.step()
                until(lambda: watch.seen > seen + 3, "it is looked at", 60)
        finally:
            changes.heal()
        for line in pegasus.json("/meta/apps")["general_info"].values():
            pegasus.healthy(line["app_name"])


def test_what_is_changed_by_hand_is_counted_anew(deployment, pegasus, sql,
                                                 table):
    pegasus.healthy(table)
    app_id = pegasus.app(table)["general"]["app_id"]
    pegasus.ok("/meta/cluster/level", level="freezed")
    rows(sql, "START TRANSACTION")  # or what is half done is counted as such
    rows(sql, "UPDATE pegasus_cluster SET version = version + 1")
    rows(sql, "UPDATE pegasus_partition SET primary_node = NULL, members = 2,"
         " ballot = ballot + 1 WHERE app_id = %s", app_id)
    rows(sql, "UPDATE pegasus_app SET changed = (SELECT version FROM"
         " pegasus_cluster) WHERE app_id = %s", app_id)
    rows(sql, "COMMIT")

    def summed_up():
        got = pegasus.json("/meta/apps", detail="")["healthy_info"][app_id]
        return got["read_unhealthy"] == "4" and counts(sql)[0]
    until(summed_up, "the leader has counted")
    right, kept, counted = counts(sql)
    assert right and kept == counted
    pegasus.ok("/meta/cluster/level", level="steady")
    pegasus.healthy(table)
