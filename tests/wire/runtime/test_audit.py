"""Every mutation has one audit row, nothing else has one."""

import json

import pytest
from support import doris as d
from support.box import Box
from support.load import race
from support.store import rows, value
from support.waiting import until


def audit_of(sql, request_id):
    return rows(sql, "SELECT * FROM audit WHERE request_id = %s", request_id)


def test_a_mutation_says_who_did_what_to_whom(doris, sql, fresh):
    iid = fresh("i")
    r = doris.scope("write").put("create_instance", {
        "instance_id": iid, "name": "n",
        "obj_info": {**d.OBJ_INFO, "sk": "very secret"}})
    assert r.status == 200, r
    row, = audit_of(sql, r.headers["X-Request-Id"])
    assert (row["token_name"], row["listener"], row["operation"],
            row["target"]) == ("t-write", "doris", "create_instance",
                               f"instance {iid}")
    assert iid in row["request_json"]
    assert "very secret" not in str(row)


def test_a_refused_mutation_and_a_read_leave_no_row(doris, sql, fresh):
    iid = d.instance(doris)
    for r in (doris.put("create_instance", {"instance_id": iid}),
              doris.put("drop_instance", {"instance_id": fresh("nobody")}),
              doris.scope("read").put("drop_instance", {"instance_id": iid}),
              doris.get("get_instance", query={"instance_id": iid})):
        assert audit_of(sql, r.headers["X-Request-Id"]) == []


def test_racing_mutations_have_as_many_rows_as_were_done(doris, sql):
    iid = d.instance(doris)
    before = value(sql, "SELECT COUNT(*) AS n FROM audit")
    answers = race(32, lambda i: d.add_cluster(doris, iid, f"c{i % 16}"))
    done = [r for r in answers if r.status == 200]
    assert len(done) == 16
    assert value(sql, "SELECT COUNT(*) AS n FROM audit") == before + len(done)
    for r in done:
        assert len(audit_of(sql, r.headers["X-Request-Id"])) == 1


FILL = """INSERT INTO audit (request_id, token_name, listener, operation, target,
    request_json, data, at_ms)
    SELECT CONCAT(%s, seq), 't', 'doris', 'o', '', REPEAT('x', 548), %s,
        UNIX_TIMESTAMP(NOW(3)) * 1000 - %s - seq FROM seq_1_to_2000"""
HOUR = 3600000


@pytest.mark.fault
def test_the_oldest_go_beyond_a_size(request):
    """Rows of the data path first, however young the others are not; then those
    of the last hour; those of the last minutes never."""
    box = Box(METAGATE_AUDIT_MAX_MIB="1")
    request.addfinalizer(box.close)
    box.command("start")
    sql = box.sql()
    request.addfinalizer(sql.close)
    box.command("stop", "control-m1")
    rows(sql, FILL, "young", True, 0)
    rows(sql, FILL, "late", False, HOUR // 2)
    rows(sql, FILL, "data", True, 2 * HOUR)
    rows(sql, FILL, "old", False, 30 * HOUR)
    rows(sql, FILL, "older", False, 300 * HOUR)
    rows(sql, """UPDATE audit_size SET until_ms = 0,
        until_id = (SELECT MAX(id) FROM audit)""")
    box.command("start", "control-m1")

    def left():
        return {name: value(sql, "SELECT COUNT(*) FROM audit WHERE request_id"
                            " REGEXP %s", f"^{name}[0-9]")
                for name in ("young", "late", "data", "old", "older")}

    # all are 10 MiB, the young ones 2, which is more than there may be
    until(lambda: left() == {"young": 2000, "late": 0, "data": 0, "old": 0,
                             "older": 0}, "the size", 90)
    assert value(sql, "SELECT bytes FROM audit_size") == 2000 * 1048
    found = json.loads(box.command("check", "-o", "json", check=False).stdout)
    line, = [f for f in found if f["check"] == "audit"]
    assert line["result"] == "warn" and "[audit] max_mib" in line["cure"]
    box.command("stop", "control-m1")
    rows(sql, "UPDATE audit SET at_ms = at_ms - %s", HOUR)
    rows(sql, FILL, "old", False, 2 * HOUR)
    box.command("start", "control-m1")
    until(lambda: left()["young"] <= 1000, "those of an hour ago", 90)
    assert left()["old"] == 2000
