"""How many statements an operation costs: round trips are what a request is
made of, and one more is easily added without being noticed."""

import collections
import itertools
import re
import statistics
import time

import pytest

from support.metarpc import rowset
from support.metaservice import be
from support.store import rows
from support.words import fresh

REQUESTS = 25
ROUNDS = 5
IDLE_S = 1.5
VALUE = re.compile(r"'(?:[^'\\]|\\.|'')*'|\b\d+\b", re.S)


@pytest.fixture
def cost(deployment):
    """Statements per call, of a round in the middle; calls before it have
    prepared theirs. The server's log tells them apart: of each, what duties
    send in as much time without a call is taken off, and what does not come
    with every call counts for nothing."""
    connection = deployment.sql()

    def do(*statements):
        with connection.cursor() as c:
            for sql in statements:
                c.execute(sql)

    def logged(f):
        """How often the others sent each statement while f ran, and for how
        long it did."""
        do("TRUNCATE mysql.general_log", "SET GLOBAL general_log = 1")
        begun = time.monotonic()
        f()
        took = time.monotonic() - begun
        do("SET GLOBAL general_log = 0")
        return collections.Counter(
            VALUE.sub("?", row["argument"])[:200]
            for row in rows(connection, "SELECT argument FROM "
                            "mysql.general_log WHERE command_type IN ('Query',"
                            " 'Execute') AND thread_id <> CONNECTION_ID()")
        ), took

    def one_round(f):
        def calls():
            for _ in range(REQUESTS):
                f()

        sent, took = logged(calls)
        return sum(max(0, round((n - idle[text] * took / idle_s) / REQUESTS))
                   for text, n in sent.items())

    def per_call(f):
        one_round(f)
        return statistics.median_low(one_round(f) for _ in range(ROUNDS))

    before = rows(connection, "SELECT @@log_output AS o")[0]["o"]
    do("SET GLOBAL log_output = 'TABLE'")
    idle, idle_s = logged(lambda: time.sleep(IDLE_S))
    yield per_call
    do("SET GLOBAL general_log = 0", f"SET GLOBAL log_output = '{before}'")
    connection.close()


def test_a_cluster_is_read_by_one_statement(ms, cost):
    """Here of a node whose id does not tell its instance: not kept."""
    iid, cuid = ms.instance(), fresh("plain")
    ms.cluster(iid, nodes=[be(iid, 1, cloud_unique_id=cuid)])
    assert cost(lambda: ms.result("get_cluster", {
        "cloud_unique_id": cuid, "cluster_id": "c1"})) == 1
    assert cost(lambda: ms.result("get_cluster", {
        "cloud_unique_id": cuid, "cluster_name": "name_c1"})) == 1


def test_a_cluster_that_is_kept_is_read_by_none(ms, cost):
    iid = ms.instance()
    ms.cluster(iid, nodes=[be(iid, 1)])
    assert cost(lambda: ms.result("get_cluster", {
        "cloud_unique_id": be(iid, 1)["cloud_unique_id"],
        "cluster_id": "c1"})) == 0


def test_a_node_is_added_by_two(ms, cost):
    """Begin, lock, read; two inserts, the document, audit, commit."""
    iid = ms.instance()
    ms.cluster(iid)
    port = itertools.count(1000)
    assert cost(lambda: ms.ok("add_node", {
        "instance_id": iid, "cluster": {
            "cluster_id": "c1", "type": "COMPUTE",
            "nodes": [be(iid, next(port), ip="10.0.0.1",
                         heartbeat_port=next(port))]}})) == 2


def test_a_load_of_one_rowset(rpc, cost):
    """Each request begins and asks for the instance; all but the last hold
    it, too. What they do last leaves with the audit row and the commit."""
    rpc.tablets(50)
    begun = []

    def put(name):
        some = iter(begun)

        def one():
            tid, rs = next(some)
            rpc.ok(name, {"rowset_meta": rowset(50, tid, rs)})
        return one

    # the label's newest transaction, the new one with its id
    assert cost(lambda: begun.append((rpc.begin(), fresh("rs")))) == 5
    # the transaction, the tablet, what there is of the rowset
    assert cost(put("prepare_rowset")) == 6
    assert cost(put("commit_rowset")) == 6
    some = iter(begun)
    # the transaction, its rowsets, versions of partition and table
    assert cost(lambda: rpc.commit(next(some)[0])) == 6


def test_a_refused_request_asks_the_store_for_nothing(ms, cost):
    assert cost(lambda: ms.send("get_cluster", {"cluster_id": "c"})) == 0
