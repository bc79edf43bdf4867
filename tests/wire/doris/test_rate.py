"""Limits of rate: set, listed, and kept by all workers together."""

import pytest

from support.load import race
from support.metarpc import MetaRpc
from support.metaservice import MetaService
from support.store import rows
from support.waiting import until
from support.words import fresh


@pytest.fixture(autouse=True)
def lifted(doris):
    """No other test is limited by what one has set."""
    yield
    ms = MetaService(doris)
    for rpc, of in limits(ms).items():
        name = {} if rpc == "all" else {"rpc_name": rpc}
        for iid in of["instance specific qps limit"]:
            adjust(ms, "2000000000", instance_id=iid, **name)
        if "RPC qps limit" in of:
            adjust(ms, "2000000000", **name)


def adjust(ms, qps, **more):
    ms.ok("adjust_rate_limit", query={"qps_limit": qps, **more},
          method="GET")


def limits(ms):
    r = ms.send("list_rate_limit", method="GET")
    assert r.status == 200, r
    return r.json.get("result", {})


def statuses(send, n=12):
    return [send().status for _ in range(n)]


def test_a_limit_of_an_operation(ms):
    iid = ms.instance()
    get = lambda: ms.send("get_instance", query={"instance_id": iid},
                          method="GET")
    adjust(ms, "2", rpc_name="get_instance")
    assert limits(ms)["get_instance"] == {
        "RPC qps limit": 2, "instance specific qps limit": {}}
    until(lambda: 429 in statuses(get), "requests are refused")
    r = next(r for r in iter(get, None) if r.status == 429)
    assert r.json == {"code": "INTERNAL_ERROR", "msg": "reach max qps limit"}
    assert r.headers["Retry-After"] == "1"
    # another operation is free
    assert set(statuses(lambda: ms.send("list_instances"))) == {200}
    adjust(ms, "1000000", rpc_name="get_instance")
    until(lambda: set(statuses(get)) == {200}, "nothing is refused")


def test_a_limit_of_an_instance(ms, doris):
    one, two = ms.instance(), ms.instance()
    rpcs = {iid: MetaRpc(doris, iid) for iid in (one, two)}
    send = lambda iid: rpcs[iid].send("get_txn_id", {"db_id": 1,
                                                     "label": "l"})
    adjust(ms, "0", rpc_name="get_txn_id", instance_id=one)
    assert limits(ms)["get_txn_id"]["instance specific qps limit"][one] == 0
    until(lambda: set(statuses(lambda: send(one))) == {429},
          "all requests are refused")
    r = send(one)
    assert (r.status, r.json) == (429, {"status": {
        "code": "MAX_QPS_LIMIT", "msg": "reach max qps limit"}})
    assert set(statuses(lambda: send(two))) == {200}


def test_workers_share_a_limit(ms):
    """Never more than the limit in one second, whoever serves."""
    iid = ms.instance()
    get = lambda _=None: ms.send("get_obj_store_info", {
        "cloud_unique_id": f"1:{iid}:x"})
    adjust(ms, "5", rpc_name="get_obj_store_info")
    # a race of 40 may last from one second to the next, no longer
    passed = lambda: [r.status for r in race(40, get)].count(200)
    until(lambda: passed() <= 10, "every worker knows the limit")
    assert max(passed() for _ in range(3)) <= 10


def test_a_second_has_as_many_as_the_limit_says(doris, sql):
    """No fewer and not one more."""
    ms = MetaService(doris)
    iid = ms.instance()
    get = lambda _=None: ms.send("get_cluster", {
        "cloud_unique_id": f"1:{iid}:x"}).status
    adjust(ms, "3", rpc_name="get_cluster", instance_id=iid)
    # every worker: a few more tell those that have not looked
    until(lambda: race(12, get).count(429) > 8, "requests are refused")
    second = lambda: rows(sql, "SELECT UNIX_TIMESTAMP() AS s")[0]["s"]

    def of_one_second():
        before = second()
        until(lambda: second() != before, "a second begins")
        before, found = second(), race(12, get)
        if second() == before:
            return found

    until(of_one_second, "every worker has looked")
    for _ in range(3):
        found = until(of_one_second, "twelve requests in one second")
        assert len(found) - found.count(429) == 3, found


def test_all_operations(ms):
    iid = ms.instance()
    adjust(ms, "0", instance_id=iid)
    get = lambda: ms.send("get_instance", query={"instance_id": iid},
                          method="GET")
    until(lambda: set(statuses(get)) == {429}, "the instance is shut")
    assert limits(ms)["all"]["instance specific qps limit"][iid] == 0
    adjust(ms, "1000000", instance_id=iid)
    until(lambda: set(statuses(get, 40)) == {200}, "every worker lets pass")


def counted(sql, column, value):
    return rows(sql, f"SELECT rpc FROM doris_rate_used WHERE {column} = %s",
                value.encode())


def test_what_is_no_operation_is_not_counted(ms, sql):
    """The name of a counter is not the client's to choose."""
    iid, word = ms.instance(), fresh("word")
    adjust(ms, "999999")
    known = lambda: ms.send("rename_instance", {"instance_id": iid,
                                                "name": "n"})
    until(lambda: known().status == 200
          and counted(sql, "instance_id", iid), "requests are counted")
    for _ in range(12):  # every worker
        for name in (word, "x" * 100):
            ms.missing("http path not found or not allowed", name)
    assert not counted(sql, "rpc", word)


def test_counters_do_not_stay(sql):
    word = fresh("gone")
    with sql.cursor() as c:
        c.execute("INSERT INTO doris_rate_used VALUES ('get_cluster', %s, 1,"
                  " 1)", (word.encode(),))
    until(lambda: not counted(sql, "instance_id", word),
          "the recycler takes what a past second used")


@pytest.mark.parametrize("query, message", [
    ({}, "invalid argument: qps_limit(required)=, rpc_name(optional)=, "
     "instance_id(optional)="),
    ({"rpc_name": "x"}, "invalid argument: qps_limit(required)=, "
     "rpc_name(optional)=x, instance_id(optional)="),
    ({"qps_limit": "abc"},
     "param `qps_limit` is not a legal int64 type:abc"),
    ({"qps_limit": "-1"}, "`qps_limit` should not be less than 0"),
    ({"qps_limit": "1", "rpc_name": "no_such"}, "failed to adjust rate limit "
     "for qps_limit=1, rpc_name=no_such, instance_id=, plz ensure correct "
     "input parameter"),
])
def test_refusals(ms, query, message):
    ms.bad(message, "adjust_rate_limit", query=query, method="GET")


def test_who_may(ms):
    assert ms.scope("write").send("adjust_rate_limit", query={
        "qps_limit": "1"}).status == 403
    assert ms.scope("read").send("list_rate_limit").status == 200
