"""The front end's listener: users, the compute nodes of each cluster, and
what their heartbeats said."""

import hashlib
import os
import stat
import time

import pytest

from support.metaservice import MetaService, be
from support.store import value
from support.thrift_node import Node
from support.waiting import until
from support.words import fresh

pytestmark = pytest.mark.config(METAGATE_DORIS_HEARTBEAT_S="1")

PATH = "/rest/v2/manager/cluster/cluster_info/cloud_cluster_status"


@pytest.fixture
def fe(deployment):
    return deployment.client("doris-fe", None).using(
        basic=deployment.fe_user())


@pytest.fixture
def ms(doris):
    return MetaService(doris)


def status(fe, iid):
    """The data of one instance."""
    r = fe.get(PATH, query={"instance_id": iid})
    assert r.status == 200, r
    assert list(r.json) == ["msg", "code", "data", "count"], r
    shown = r.json
    data = shown.pop("data")
    assert shown == {"msg": "success", "code": 0, "count": 0}
    assert r.headers["Content-Type"] == "application/json"
    return data


def unheard(host, port, **more):
    return {"host": host, "heartbeatPort": port, "bePort": -1,
            "httpPort": -1, "brpcPort": -1, "currentFragmentNum": 0,
            "lastFragmentUpdateTime": 0, **more}


# ---- users ----

def refused(r, data):
    assert r.status == 401, r
    assert r.json == {"msg": "Unauthorized", "code": 401, "data": data,
                      "count": 0}
    assert r.headers["WWW-Authenticate"] == 'Basic realm="metagate"'


def test_who_may_ask(deployment, fe):
    needed = "Basic authentication with a user and password is needed"
    wrong = "wrong user or password"
    user, password = deployment.fe_user()
    token = deployment.tokens["admin"]
    assert fe.get(PATH).status == 200
    refused(fe.using(basic=None).get(PATH), needed)
    refused(fe.using(basic=None, token=token).get(PATH), needed)
    refused(fe.using(basic=None).get(PATH, query={"token": token}), needed)
    refused(fe.using(basic=None).get(
        PATH, headers={"Authorization": f"Bearer {token}"}), needed)
    refused(fe.using(basic=None).get(
        PATH, headers={"Authorization": "Basic !"}), needed)
    refused(fe.using(basic=None).get(
        PATH, headers={"Authorization": "Basic cm9vdA=="}), needed)
    for basic in ((user, ""), (user, password + "x"), ("", password),
                  ("Root", password), (token, "x"), (user, "é" * 300),
                  (user + " x", password)):
        refused(fe.using(basic=basic).get(PATH), wrong)


def test_the_password_is_stored_slowly_hashed(deployment):
    user, password = deployment.fe_user()
    assert user == "root" and len(password) == 48
    for name in ("fe-user", "fe-users"):
        mode = os.stat(deployment.path(name)).st_mode
        assert stat.S_IMODE(mode) == 0o600
    with open(deployment.path("fe-users")) as f:
        name, kind, salt, digest = f.read().split()
    assert (name, kind, len(salt)) == ("root", "scrypt", 32)
    assert digest == hashlib.scrypt(
        password.encode(), salt=salt.encode(), n=32768, r=8, p=1,
        maxmem=1 << 26, dklen=32).hex()


def test_other_paths(fe):
    r = fe.get("/rest/v2/no")
    assert (r.status, r.json) == (404, {
        "msg": "Not Found", "code": 404, "data": "no such path", "count": 0})
    assert fe.post(PATH).status == 405


# ---- the nodes ----

def test_nothing_registered(fe, ms):
    assert status(fe, ms.instance()) == {}


def test_nodes_never_heard_of(fe, ms):
    iid, c1, c2 = ms.instance(), fresh("a"), fresh("b")
    ms.cluster(iid, c2, nodes=[be(iid, 3, ip="0.0.0.3")])
    ms.cluster(iid, c1, nodes=[be(iid, 1, ip="0.0.0.1"),
                               be(iid, 2, ip="0.0.0.2", host="no.invalid")])
    ms.sql_cluster(iid)
    assert status(fe, iid) == {
        c1: [unheard("0.0.0.1", 9050), unheard("no.invalid", 9050)],
        c2: [unheard("0.0.0.3", 9050)]}
    everything = fe.get(PATH).json["data"]
    assert everything[c2] == [unheard("0.0.0.3", 9050)]


def test_the_figures_are_what_the_node_says(deployment, fe, ms):
    now = int(time.time() * 1000)
    iid, cid = ms.instance(), fresh("c")
    info = {"be_port": 9061, "http_port": 8041, "brpc_port": 8061,
            "version": "doris-9", "be_start_time": 5, "is_shutdown": False,
            "fragment_executing_count": 7, "fragment_last_active_time": now}
    with Node(deployment.net + ".1", info=info) as node:
        ms.cluster(iid, cid, nodes=[be(iid, 1, ip=node.address,
                                       heartbeat_port=node.port)])
        expected = unheard(node.address, node.port, bePort=9061,
                           httpPort=8041, brpcPort=8061,
                           currentFragmentNum=7, lastFragmentUpdateTime=now)
        until(lambda: status(fe, iid) == {cid: [expected]}, "a heartbeat")
        # no front end's: real nodes refuse that and stay as they are
        assert node.heard[0] == {1: {1: "", 2: 0}, 2: -1, 3: 0}
        node.info = {"be_port": 9062, "http_port": 8042}
        until(lambda: status(fe, iid)[cid][0]["bePort"] == 9062,
              "the next heartbeat")
        assert status(fe, iid)[cid][0]["brpcPort"] == -1
    time_before = status(fe, iid)
    assert time_before[cid][0]["bePort"] == 9062  # silent: the last is kept


def broken(kind):
    def answer(node, protocol):
        if kind == "refuses":
            node.status = 6
            return node.reply(protocol)
        protocol.trans.write({
            "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "lies": b"\x80\x01\x00\x02\x7f\xff\xff\xff" + b"x" * 100,
            "endless": b"\x80\x01\x00\x02\x00\x00\x00\x09heartbeat"
                       + b"\x00" * 4 + b"\x0f\x00\x05\x03\x00\x00\xff\xff",
            "empty": b""}[kind])
    return answer


@pytest.mark.parametrize("kind", ["refuses", "garbage", "lies", "endless",
                                  "empty"])
def test_a_node_that_answers_nonsense_is_not_believed(deployment, fe, ms,
                                                      kind):
    iid, cid = ms.instance(), fresh("c")
    with Node(deployment.net + ".1", answer=broken(kind)) as bad, \
            Node(deployment.net + ".1") as good:
        ms.cluster(iid, cid, nodes=[
            be(iid, 1, ip=bad.address, heartbeat_port=bad.port),
            be(iid, 2, ip=good.address, heartbeat_port=good.port)])
        until(lambda: bad.heard and status(fe, iid)[cid][1]["bePort"] > 0,
              "both were asked")
        assert status(fe, iid)[cid][0] == unheard(bad.address, bad.port)


def test_a_name_without_an_address_holds_up_no_other(deployment, fe, ms):
    iid, cid = ms.instance(), fresh("c")
    names = [fresh("no") + ".invalid" for _ in range(20)]
    with Node(deployment.net + ".1") as good:
        ms.cluster(iid, cid, nodes=[
            be(iid, 1, ip=good.address, heartbeat_port=good.port),
            *(be(iid, 2 + n, host=name) for n, name in enumerate(names))])
        until(lambda: len(good.heard) > 2, "three rounds")
    shown = status(fe, iid)[cid]
    assert shown[0]["bePort"] > 0
    assert shown[1:] == [unheard(name, 9050) for name in names]


def test_our_own_listeners_are_not_asked(deployment, fe, ms):
    iid, cid = ms.instance(), fresh("c")
    address, port = deployment.address("console")
    with Node(deployment.net + ".1") as good:
        ms.cluster(iid, cid, nodes=[
            be(iid, 1, ip=address, heartbeat_port=port),
            be(iid, 2, ip=good.address, heartbeat_port=good.port)])
        until(lambda: len(good.heard) > 1, "two rounds")
    assert status(fe, iid)[cid][0] == unheard(address, port)
    # nginx never saw a line that is no HTTP
    lines = deployment.log_lines("nginx-access.log")
    assert not any('"status":400' in line and '"heartbeat' in line
                   for line in lines)


@pytest.mark.config(METAGATE_DORIS_HEARTBEAT_S="1",
                    METAGATE_DORIS_HEARTBEAT_FE="fe.example:9020",
                    METAGATE_DORIS_HEARTBEAT_CLUSTER_ID="77",
                    METAGATE_DORIS_HEARTBEAT_EPOCH="5000000000",
                    METAGATE_EGRESS_DENY="127.0.0.0/9")
class TestConfigured:
    def test_in_the_name_of_the_front_end(self, deployment, ms, fe):
        """and networks that are denied are not asked."""
        iid = ms.instance()
        with Node("127.128.0.1") as node, \
                Node(deployment.net + ".1") as denied:
            ms.cluster(iid, nodes=[
                be(iid, 1, ip=node.address, heartbeat_port=node.port),
                be(iid, 2, ip=denied.address, heartbeat_port=denied.port)])
            until(lambda: len(node.heard) > 1, "two rounds")
            assert node.heard[0] == {1: {1: "fe.example", 2: 9020}, 2: 77,
                                     3: 5000000000}
            assert denied.heard == []
