"""The holder of a cloud_unique_id lets go of it between two looks of another
that asks for it: what is answered is one of the two states, never 503."""

import json
import os
import threading

import pytest

from support.metaservice import MetaService, be
from support.proxy import Proxy
from support.store import value
from support.worker import Worker
from support.words import fresh

PATH = "/MetaService/http/"
HOLDER, RESOLVE = r"^SELECT u\.instance_id", r"FROM doris_cloud_id WHERE"


@pytest.fixture
def held_up(deployment):
    """A worker that reaches the store by a proxy, in single statements."""
    path = deployment.path("s", "proxy.sock")
    with deployment.sql() as sql:
        user = value(sql, "SELECT SUBSTRING_INDEX(USER(), '@', 1)")
    with Proxy("unix:" + deployment.path("s", "mysql.sock"),
               listen="unix:" + path) as proxy:
        os.chmod(path, 0o666)
        worker = Worker(deployment.binary, deployment.run_dir, deployment.net,
                        deployment.env(), mysql_hosts="unix:" + path,
                        mysql_user=user, mysql_batch="no",
                        serve_threads=1).start()
        yield proxy, worker
        assert worker.stop() == 0, worker.errors
        worker.end()


class Asking(threading.Thread):
    """A request on its way."""

    def __init__(self, ask, *args, **more):
        super().__init__()
        self.ask = lambda: ask(*args, **more)
        self.start()

    def run(self):
        self.reply = self.ask()

    def end(self):
        self.join()
        return self.reply.status, json.loads(self.reply.text)["code"]


def of(worker, operation, body):
    return Asking(worker.ask, PATH + operation, json.dumps(body).encode(),
                  listener="doris", method="PUT")


def cluster(iid, cid, node):
    return {"instance_id": iid, "cluster": {
        "cluster_id": cid, "cluster_name": "name_" + cid, "type": "COMPUTE",
        "nodes": [be(iid, 1, cloud_unique_id=node)]}}


@pytest.fixture
def two(doris):
    """The holder, who asks, the node."""
    ms, node = MetaService(doris), fresh("node")
    holder, other = ms.instance(), ms.instance()
    ms.ok("add_cluster", cluster(holder, "c1", node))
    return ms, holder, other, node


def test_it_is_gone_when_its_holder_is_to_be_named(held_up, two):
    """Nobody holds the node by then: that there is no such cluster is left."""
    (proxy, worker), (ms, holder, other, node) = held_up, two
    first, second = proxy.hold(HOLDER), proxy.hold(HOLDER)
    asking = of(worker, "add_node", cluster(other, "none", node))
    first.wait()
    first.release()
    second.wait()
    ms.ok("drop_node", cluster(holder, "c1", node))
    second.release()
    status, code = asking.end()
    assert (status, code) == (404, "NOT_FOUND"), asking.reply
    assert "request.again operation=add_node" in worker.log()


def test_who_looks_at_it_keeps_it_there(held_up, two):
    """The claim that was refused holds the row: the holder waits, and is named;
    later the node may be had."""
    (proxy, worker), (ms, holder, other, node) = held_up, two
    ms.cluster(other)
    look = proxy.hold(RESOLVE)
    asking = of(worker, "add_node", cluster(other, "c1", node))
    look.wait()
    letting = Asking(ms.send, "drop_node", cluster(holder, "c1", node))
    look.release()
    assert asking.end()[0] in (200, 400), asking.reply
    assert letting.end() == (200, "OK")
    if asking.reply.status == 400:
        assert f"instance_id={holder} " in asking.reply.text
        ms.ok("add_node", cluster(other, "c1", node))
    assert ms.get_cluster(other)["nodes"][0]["cloud_unique_id"] == node
