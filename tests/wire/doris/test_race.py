"""Many clients at once: what must be there once is there once, and what was
acknowledged is there."""

from support.load import race
from support.metaservice import be
from support.words import fresh

CLIENTS = 32


def told(replies):
    """How often each (status, code) was answered."""
    counts = {}
    for r in replies:
        key = (r.status, r.json["code"])
        counts[key] = counts.get(key, 0) + 1
    return counts


ONE_WINS = {(200, "OK"): 1, (409, "ALREADY_EXISTED"): CLIENTS - 1}


def test_one_instance(ms):
    iid = fresh("i")
    replies = race(CLIENTS, lambda n: ms.send(
        "create_instance", {"instance_id": iid, "name": f"n{n}"}))
    assert told(replies) == ONE_WINS
    winner = [r.status for r in replies].index(200)
    assert ms.get_instance(iid)["name"] == f"n{winner}"


def test_one_cluster_id(ms):
    iid = ms.instance()
    replies = race(CLIENTS, lambda n: ms.send("add_cluster", {
        "instance_id": iid, "cluster": {
            "cluster_id": "c1", "cluster_name": f"n{n}", "type": "COMPUTE",
            "nodes": [be(iid, n)]}}))
    assert told(replies) == ONE_WINS
    winner = [r.status for r in replies].index(200)
    got = ms.get_instance(iid)["clusters"]
    assert [c["cluster_name"] for c in got] == [f"n{winner}"]


def test_one_cluster_name(ms):
    iid = ms.instance()
    replies = race(CLIENTS, lambda n: ms.send("add_cluster", {
        "instance_id": iid, "cluster": {
            "cluster_id": f"c{n}", "cluster_name": "n", "type": "COMPUTE"}}))
    assert told(replies) == ONE_WINS
    assert len(ms.get_instance(iid)["clusters"]) == 1


def test_one_endpoint(ms):
    iid = ms.instance()
    ms.cluster(iid)
    replies = race(CLIENTS, lambda n: ms.send("add_node", {
        "instance_id": iid, "cluster": {
            "cluster_id": "c1", "type": "COMPUTE",
            "nodes": [be(iid, 1, name=f"n{n}")]}}))
    assert told(replies) == ONE_WINS
    assert len(ms.get_cluster(iid)["nodes"]) == 1


def test_one_instance_gets_a_node(ms):
    """The same cloud_unique_id, asked for by 32 instances."""
    ids, node = [ms.instance() for _ in range(CLIENTS)], fresh("node")
    replies = race(CLIENTS, lambda n: ms.send("add_cluster", {
        "instance_id": ids[n], "cluster": {
            "cluster_id": "c1", "cluster_name": "name_c1",
            "type": "COMPUTE",
            "nodes": [be(ids[n], 1, cloud_unique_id=node)]}}))
    assert told(replies) == ONE_WINS
    winner = ids[[r.status for r in replies].index(200)]
    for r in replies:
        assert r.status == 200 or f"instance_id={winner} " in r.json["msg"]
    assert ms.result("get_instance", query={"cloud_unique_id": node},
                     method="GET")["instance_id"] == winner


def test_nodes_of_many_instances_crosswise(ms):
    """Each instance asks for two ids that its neighbours ask for too, in
    both orders: no deadlock is ever told, each id has one holder."""
    ids = [ms.instance() for _ in range(CLIENTS)]
    nodes = [fresh("node") for _ in range(4)]
    for iid in ids:
        ms.cluster(iid)
    def add(n):
        a, b = nodes[n % 4], nodes[(n * 7 + 1) % 4]
        return ms.send("add_node", {"instance_id": ids[n], "cluster": {
            "cluster_id": "c1", "type": "COMPUTE",
            "nodes": [be(ids[n], 1, cloud_unique_id=a),
                      be(ids[n], 2, cloud_unique_id=b)]}})
    replies = race(CLIENTS, add)
    assert {r.status for r in replies} <= {200, 400}, told(replies)
    holders = {}
    for iid, r in zip(ids, replies):
        held = ms.get_cluster(iid).get("nodes", [])
        assert len(held) == (2 if r.status == 200 else 0)
        for node in held:
            assert holders.setdefault(node["cloud_unique_id"], iid) == iid
    assert holders


def test_nodes_of_one_cluster_are_all_there(ms):
    iid = ms.instance()
    ms.cluster(iid)
    replies = race(CLIENTS, lambda n: ms.send("add_node", {
        "instance_id": iid, "cluster": {
            "cluster_id": "c1", "type": "COMPUTE",
            "nodes": [be(iid, n), be(iid, n + 100)]}}))
    assert told(replies) == {(200, "OK"): CLIENTS}
    got = [n["cloud_unique_id"] for n in ms.get_cluster(iid)["nodes"]]
    assert sorted(got) == sorted(f"1:{iid}:be{n + m}" for n in range(CLIENTS)
                                 for m in (0, 100))
    for n in range(CLIENTS):  # those of one request stand together
        at = got.index(f"1:{iid}:be{n}")
        assert got[at + 1] == f"1:{iid}:be{n + 100}"


def test_an_instance_is_dropped_or_gets_its_cluster(ms):
    for _ in range(8):
        iid = ms.instance()
        add, drop = race(2, lambda n: ms.send("drop_instance", {
            "instance_id": iid}) if n else ms.send("add_cluster", {
                "instance_id": iid, "cluster": {
                    "cluster_id": "c", "cluster_name": "n",
                    "type": "COMPUTE"}}))
        assert sorted([add.status, drop.status]) in ([200, 404], [200, 400])
        shown = ms.get_instance(iid)
        assert (shown["status"] == "DELETED") == (drop.status == 200)
        assert ("clusters" in shown) == (add.status == 200)
