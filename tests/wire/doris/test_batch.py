"""Statements that leave together say and do what single ones would: two
workers, of which only one joins them, are asked the same."""

import json
import secrets

import pytest

from support.metaservice import be
from support.store import rows
from support.words import fresh
from support.worker import Worker


class Asked:
    """One worker with two instances of its own."""

    def __init__(self, worker):
        self.worker = worker
        self.names = {fresh("i"): "$I", fresh("i"): "$J"}

    def __call__(self, operation, body):
        for name, word in self.names.items():
            body = json.loads(json.dumps(body).replace(word, name))
        r = self.worker.ask(f"/MetaService/http/{operation}",
                            json.dumps(body).encode(), listener="doris",
                            method="POST",
                            MG_REQUEST_ID=secrets.token_hex(16))
        text = r.body.decode()
        for name, word in self.names.items():
            text = text.replace(name, word)
        return r.status, json.loads(text)


@pytest.fixture(scope="module")
def both(pool):
    deployment = pool.get()
    workers = [Worker(deployment.binary, deployment.run_dir, deployment.net,
                      deployment.env(), mysql_batch=b, serve_threads=1)
               for b in ("yes", "no")]
    for worker in workers:
        worker.start()
    yield deployment, workers
    statuses = [worker.stop() for worker in workers]
    for worker in workers:
        worker.end()
    assert statuses == [0, 0]


def node(name, port, **more):
    return {**be("$I", 1), "cloud_unique_id": f"1:$I:{name}",
            "ip": f"10.0.0.{port}", "heartbeat_port": port, **more}


def nodes(*them, cluster="c1", instance="$I"):
    return {"instance_id": instance, "cluster": {
        "cluster_id": cluster, "type": "COMPUTE", "nodes": list(them)}}


def cluster(name, *them, instance="$I", **more):
    body = nodes(*them, cluster=name, instance=instance)
    body["cluster"] |= {"cluster_name": f"name_{name}", **more}
    return body


A, B = node("a", 9), node("b", 8)
STEPS = [
    ("create_instance", {"instance_id": "$I", "name": "n", "user_id": "u"}),
    ("create_instance", {"instance_id": "$I", "name": "n", "user_id": "u"}),
    ("create_instance", {"instance_id": "$J", "name": "n", "user_id": "u"}),
    ("add_cluster", cluster("c1", A)),
    ("add_cluster", cluster("c1")),
    ("add_cluster", cluster("c2", instance="$J")),
    ("add_cluster", {**cluster("c3"), "cluster": {
        **cluster("c3")["cluster"], "cluster_name": "name_c1"}}),
    ("add_node", nodes(B)),
    ("add_node", nodes(B)),                                 # taken
    ("add_node", nodes(node("x", 7, ip=""))),               # no address
    # the first error is the one that is told, whichever is found first
    ("add_node", nodes(B, node("x", 7, ip=""))),
    ("add_node", nodes(node("x", 7, ip=""), B)),
    ("add_node", nodes(node("a", 6), B)),
    ("add_node", nodes(node("y", 5), node("y", 5))),
    ("add_node", nodes(node("a", 4))),                      # its own again
    ("add_node", nodes(A, cluster="c2", instance="$J")),    # another's
    ("add_node", nodes(B, cluster="nope")),
    ("add_node", nodes(B, instance="nope")),
    ("add_node", nodes(*(node(f"m{i}", 100 + i) for i in range(20)))),
    ("drop_node", nodes(B, node("z", 3))),
    ("drop_node", nodes(B)),
    ("drop_node", nodes(B)),
    ("decommission_node", nodes(A)),
    ("rename_cluster", cluster("c1", cluster_name="name_c1")),
    ("add_cluster", cluster("c4")),
    ("rename_cluster", cluster("c4", cluster_name="name_c1")),
    ("update_cluster_mysql_user_name", cluster("c1", mysql_user_name=[
        "u1", "u2"])),
    ("update_cluster_mysql_user_name", cluster("c1", mysql_user_name=[
        "u1", "u" * 300])),                                 # does not fit
    ("drop_cluster", cluster("c4")),
    ("drop_cluster", cluster("c4")),
    ("drop_instance", {"instance_id": "$J"}),
    ("drop_cluster", cluster("c2", instance="$J")),
    ("drop_instance", {"instance_id": "$J"}),
    ("add_node", nodes(A, cluster="c2", instance="$J")),    # DELETED
]


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items()
                if k not in ("ctime", "mtime")}
    return ([without_times(v) for v in value]
            if isinstance(value, list) else value)


def state(sql, asked):
    """What the store has of its instances, and how often it was changed."""
    instance = next(iter(asked.names))
    tables = {
        "clusters": "SELECT CAST(cluster_id AS CHAR) AS id, seq, doc"
                    " FROM doris_cluster WHERE instance_id = %s ORDER BY seq",
        "nodes": "SELECT seq, ord, port FROM doris_node"
                 " WHERE instance_id = %s ORDER BY seq, ord",
        "held": "SELECT CAST(cloud_unique_id AS CHAR) AS id FROM doris_cloud_id"
                " WHERE instance_id = %s ORDER BY id",
        "version": "SELECT version FROM doris_instance WHERE instance_id = %s",
    }
    found = {k: rows(sql, q, instance) for k, q in tables.items()}
    found["audit"] = rows(
        sql, "SELECT operation, target, before_json, after_json FROM audit"
        " WHERE target LIKE %s ORDER BY id", f"%{instance}%")
    text = json.dumps(found).replace(instance, "$I")
    for c in (found := json.loads(text))["clusters"]:
        c["doc"] = without_times(json.loads(c["doc"]))
    for a in found["audit"]:
        for k in ("before_json", "after_json"):
            a[k] = without_times(json.loads(a[k] or "null"))
    return found


def test_the_same_is_said_and_done(both):
    deployment, workers = both
    one, other = (Asked(w) for w in workers)
    said = {}
    for number, (operation, body) in enumerate(STEPS):
        answers = [asked(operation, body) for asked in (one, other)]
        assert answers[0] == answers[1], (number, operation, body)
        said.setdefault(answers[0][1]["code"], []).append(number)
    assert len(said["OK"]) >= 10 and len(said) >= 4, said
    with deployment.sql() as sql:
        assert state(sql, one) == state(sql, other)
