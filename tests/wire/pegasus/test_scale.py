"""A thousand tables of 64 partitions on a hundred nodes."""

import pytest

from support.store import rows
from support.waiting import until

pytestmark = pytest.mark.config(METAGATE_PEGASUS_LEVEL_ON_START="blind",
                                METAGATE_PEGASUS_FD_GRACE_SECONDS="4",
                                METAGATE_PEGASUS_DEFAULT_TABLE="")
TABLES, PARTITIONS, NODES = 1000, 64, 100


@pytest.fixture
def large(pegasus, sql):
    """Made by SQL: each partition with a primary and two secondaries."""
    pegasus.leader()
    address = "CONCAT('10.1.0.', 1 + ({}) %% {}, ':34801')"

    def node(n):
        return address.format(n, NODES)

    rows(sql, "INSERT INTO pegasus_node SELECT " + node("seq") + ","
         " 1, 1, 1, 1, 1, 0 FROM seq_0_to_99")
    rows(sql, "INSERT INTO pegasus_app SELECT seq, CONCAT('t', seq),"
         " CONCAT('t', seq), 'pegasus', 'AVAILABLE', 64, 3, 1, 1, 0, 0, 100, 0"
         " FROM seq_1_to_1000")
    place = "a.seq * 64 + p.seq"
    rows(sql, "INSERT INTO pegasus_partition SELECT a.seq, p.seq, 3, "
         + node(place) + ", CONCAT(" + node(place + " + 1") + ", ',', "
         + node(place + " + 2") + "), 3, 3, 0, '', 0, 1"
         " FROM seq_1_to_1000 a, seq_0_to_63 p")
    rows(sql, "UPDATE pegasus_cluster SET next_app_id = 1001, version = 100")


def test_everything_is_summed_up(pegasus, large):
    total = TABLES * PARTITIONS
    apps = pegasus.json("/meta/apps", detail="")
    assert list(apps["general_info"]) == [str(i) for i in range(1, 1001)]
    assert len(apps["healthy_info"]) == TABLES
    assert apps["summary"]["fully_healthy_app_count"] == str(TABLES)
    nodes = pegasus.json("/meta/nodes", detail="")
    foreign = [n for a, n in nodes["details"].items()
               if a.startswith("10.1.0.")]
    assert len(foreign) == NODES
    assert sum(int(n["primary_count"]) for n in foreign) == total
    assert sum(int(n["replica_count"]) for n in foreign) == 3 * total
    cluster = pegasus.json("/meta/cluster")
    assert cluster["primary_replica_count_stddev"] == "0.00"
    # these nodes never speak: while blind nothing is taken from them
    pegasus.until_node("10.1.0.100:34801", "UNALIVE")
    summary = pegasus.json("/meta/apps", detail="")["summary"]
    assert summary["read_unhealthy_app_count"] == "0"
    pegasus.ok("/meta/cluster/level", level="freezed")
    until(lambda: pegasus.json("/meta/apps", detail="")["summary"]
          ["read_unhealthy_app_count"] == str(TABLES),
          "every primary removed", 100, 0.5)
