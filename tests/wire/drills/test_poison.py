"""Rows that nobody of ours could have written: NULL where there is none,
huge values, names that no enum has, bytes that are no text. Only the object
they belong to errs; its neighbours, and the processes, do not."""

import pytest

from support import doris as d
from support.pegasus import Cluster
from support.processes import kill
from support.store import rows
from support.waiting import until
from support.words import fresh

pytestmark = pytest.mark.fault

# Not changed: what says whose the row is; and doc, which is a reply as we
# rendered it (doris/test_doc.py compares it with the rows).
KEYS = {"instance_id", "seq", "ord", "id", "cluster_id", "app_id", "pidx",
        "kind", "addr", "port", "k", "app_name", "live_name", "doc"}


def poisons(column):
    """Values for a column of that type, all of which it can hold."""
    kind, size = column["DATA_TYPE"], column["CHARACTER_MAXIMUM_LENGTH"]
    yield None
    if kind in ("varchar", "varbinary", "text", "mediumtext", "char"):
        size = min(size, 1 << 20)
        yield from ("", "no_such_value"[:size], "x" * size, "\x01\x1b\x7f"[:size],
                    '{"broken":', "9" * min(size, 40))
        if kind == "varbinary":
            yield b"\xff\xfe\x00\x80"
    elif kind == "bigint":
        yield from (0, 2 ** 63 - 1,
                    *([] if "unsigned" in column["COLUMN_TYPE"] else [-1]))
    elif kind in ("int", "tinyint", "smallint"):
        most = {"int": 2 ** 31 - 1, "smallint": 2 ** 15 - 1,
                "tinyint": 2 ** 7 - 1}[kind]
        yield from (0, most,
                    *([] if "unsigned" in column["COLUMN_TYPE"] else [-1]))


def columns(sql, table):
    return [c for c in rows(
        sql, "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE,"
        " COLUMN_DEFAULT, CHARACTER_MAXIMUM_LENGTH FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s", table)
        if c["COLUMN_NAME"] not in KEYS]


def open_columns(sql, table):
    """So that NULL gets into every column."""
    found = columns(sql, table)
    change = [f"MODIFY `{c['COLUMN_NAME']}` {c['COLUMN_TYPE']} NULL"
              f" DEFAULT {c['COLUMN_DEFAULT'] or 'NULL'}"
              for c in found if c["IS_NULLABLE"] == "NO"]
    if change:
        rows(sql, f"ALTER TABLE {table} " + ", ".join(change))
    return found


def each_poison(sql, table, where, key):
    """Puts one after the other into the rows of that object; yields what it
    is, and takes it back."""
    for column in open_columns(sql, table):
        name = column["COLUMN_NAME"]
        kept = rows(sql, f"SELECT * FROM {table} WHERE {where}", key)
        assert kept, f"{table} has no row of the object"
        for value in poisons(column):
            rows(sql, f"UPDATE {table} SET `{name}` = %s WHERE {where}",
                 value, key)
            yield f"{table}.{name} = {str(value)[:30]!r}"
        rows(sql, f"UPDATE {table} SET `{name}` = %s WHERE {where}",
             kept[0][name], key)


def doris_reads(doris, iid):
    cuid = f"1:{iid}:meta"
    return [doris.get("get_instance", query={"instance_id": iid}),
            doris.get("get_instance", query={"cloud_unique_id": cuid}),
            doris.post("get_cluster", {"cloud_unique_id": cuid,
                                       "instance_id": iid}),
            doris.post("get_cluster", {"cloud_unique_id": cuid,
                                       "cluster_id": "c1"}),
            doris.get("get_obj_store_info", query={"cloud_unique_id": cuid}),
            doris.post("get_cluster_status", {"instance_ids": [iid]})]


def doris_object(doris):
    iid = d.instance(doris)
    r = doris.put("add_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": "c1", "cluster_name": "n1", "type": "COMPUTE", "nodes": [
            {"cloud_unique_id": f"1:{iid}:n", "ip": "10.0.0.1",
             "heartbeat_port": 9050}]}})
    assert r.status == 200, r
    return iid


def pids(deployment):
    return {role: deployment.pid_of(role)
            for role in ("serve-0", "serve-1", "control-m1", "mariadb")}


@pytest.mark.parametrize("table", ["doris_instance", "doris_obj_info",
                                   "doris_cluster", "doris_node"])
def test_a_poisoned_doris_row_harms_its_instance_alone(deployment, doris, sql,
                                                       table):
    good, bad = doris_object(doris), doris_object(doris)
    fine = [r.text for r in doris_reads(doris, good)]
    before, broken = pids(deployment), 0
    for poison in each_poison(sql, table, "instance_id = %s", bad):
        for r in doris_reads(doris, bad):
            # an error of its own, in the dialect's form, or a value
            assert r.status < 600 and r.status != 503, (poison, r)
            assert r.json["code"], (poison, r)
            broken += r.status >= 500
        assert [r.text for r in doris_reads(doris, good)] == fine, poison
        # whoever lists sees the good ones
        r = doris.get("list_instances")
        assert r.status == 200 and good in r.text, (poison, r)
        r = d.add_cluster(doris, good, fresh("c"))
        assert r.status == 200, (poison, r)
        fine = [r.text for r in doris_reads(doris, good)]
    assert pids(deployment) == before
    assert [r.status for r in doris_reads(doris, bad)] == [
        r.status for r in doris_reads(doris, good)], "it was taken back"


@pytest.mark.parametrize("table", ["pegasus_app", "pegasus_partition"])
def test_a_poisoned_table_of_pegasus_harms_itself_alone(deployment, sql,
                                                        table):
    cluster = Cluster(deployment)
    for address in cluster.nodes():
        cluster.until_node(address, "ALIVE")
    good, bad = fresh("t"), fresh("t")
    for name in (good, bad):
        cluster.ok("/meta/app/create", app_name=name, partition_count=4)
    app_id = rows(sql, "SELECT app_id FROM pegasus_app WHERE app_name = %s",
                  bad)[0]["app_id"]
    before = pids(deployment)
    meta = deployment.client("pegasus-meta/m1")
    for poison in each_poison(sql, table, "app_id = %s", app_id):
        for detail in ("", "&detail"):
            r = meta.get("/meta/app?name=" + bad + detail)
            assert r.text, (poison, r)
            r = meta.get("/meta/app?name=" + good + detail)
            assert r.status == 200 and good in r.text, (poison, r)
        r = meta.get("/meta/apps?detail")
        assert r.status == 200 and good in r.text, (poison, r)
        # the leader works on: a table made now gets its primaries
    name = fresh("t")
    cluster.ok("/meta/app/create", app_name=name, partition_count=2)
    assert pids(deployment) == before


SPOILT = [
    "UPDATE pegasus_app SET status = NULL WHERE app_id = %s",
    "UPDATE pegasus_app SET status = 'nope', app_type = NULL,"
    " partition_count = -1 WHERE app_id = %s",
    "UPDATE pegasus_app SET partition_count = 2147483647 WHERE app_id = %s",
    "UPDATE pegasus_app SET max_replica_count = 127 WHERE app_id = %s",
    "UPDATE pegasus_partition SET secondaries = NULL, last_drops = NULL"
    " WHERE app_id = %s",
    "UPDATE pegasus_partition SET secondaries = ',,a:b,,', last_drops ="
    " '@@@,@1@2', primary_node = 'x' WHERE app_id = %s",
    "UPDATE pegasus_partition SET secondaries = REPEAT('a,', 400), members ="
    " 127 WHERE app_id = %s",
    "UPDATE pegasus_partition SET ballot = 9223372036854775807, committed ="
    " -1 WHERE app_id = %s",
    "DELETE FROM pegasus_partition WHERE app_id = %s AND pidx = 1",
]


def test_a_leader_comes_up_beside_poisoned_tables(deployment, sql):
    """... which it reads at its start, and again after every failure."""
    for table in ("pegasus_app", "pegasus_partition"):
        open_columns(sql, table)
    cluster = Cluster(deployment)
    for address in cluster.nodes():
        cluster.until_node(address, "ALIVE")
    good, *bad = [fresh("t") for _ in range(len(SPOILT) + 1)]
    for name in (good, *bad):
        cluster.ok("/meta/app/create", app_name=name, partition_count=4)
    for name in (good, *bad):
        cluster.healthy(name)
    old = deployment.pid_of("control-m1")
    ids = {row["app_name"]: row["app_id"] for row in rows(
        sql, "SELECT app_name, app_id FROM pegasus_app")}
    for name, statement in zip(bad, SPOILT):
        rows(sql, statement, ids[name])
    kill(old)
    new = until(lambda: (lambda p: p if p not in (None, old) else None)(
        deployment.pid_of("control-m1")), "control is started again")
    name = fresh("t")
    until(lambda: cluster.post("/meta/app/create", {
        "app_name": name, "partition_count": 2}).status == 200,
        "it leads", timeout=60)
    cluster.healthy(name)
    cluster.healthy(good)
    assert deployment.pid_of("control-m1") == new, "it has died again"
