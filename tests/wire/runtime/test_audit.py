"""Every mutation has one audit row, nothing else has one."""

from support import doris as d
from support.load import race
from support.store import rows, value


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
