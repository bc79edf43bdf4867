"""The API of operators on 8080: pages, tags, what each list shows."""

import json

import pytest

from support import doris as d
from support.words import fresh


@pytest.fixture
def changed(doris):
    """An instance that three requests have made and changed."""
    iid = d.instance(doris)
    for name in ("two", "three"):
        r = doris.put("rename_instance",
                      {"instance_id": iid, "name": iid + name})
        assert r.status == 200, r
    return iid


def pages(client, path, query):
    """All items of a list, asked for page by page, and how many pages."""
    items, n = [], 0
    while True:
        r = client.get(path, query=query)
        assert r.status == 200, r
        items += r.json["items"]
        n += 1
        if "next" not in r.json:
            return items, n
        query = {**query, "cursor": r.json["next"]}


def test_whoami_tells_name_and_rights(console):
    r = console.scope("write").get("/api/whoami")
    assert r.json["rights"] == ["read", "write"] and r.json["name"], r
    assert "console" in r.json["dialects"] and r.json["version"]


def test_a_reply_that_a_client_has_is_not_sent_again(console):
    first = console.get("/api/whoami")
    tag = first.headers["ETag"]
    again = console.get("/api/whoami", headers={"If-None-Match": tag})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    weak = console.get("/api/whoami", headers={"If-None-Match": "W/" + tag})
    assert weak.status == 304
    other = console.get("/api/whoami", headers={"If-None-Match": '"x"'})
    assert (other.status, other.json) == (200, first.json)


def test_the_audit_trail_is_paged_by_key(console, changed):
    query = {"target": f"instance {changed}", "limit": 2}
    items, n = pages(console, "/api/audit", query)
    assert [i["operation"] for i in items] == [
        "rename_instance", "rename_instance", "create_instance"]
    assert n == 2
    assert all(i["dialect"] == "doris" and "before" not in i for i in items)


def test_a_change_is_told_with_before_and_after(console, changed):
    newest = console.get("/api/audit", query={
        "target": f"instance {changed}", "limit": 1}).json["items"][0]
    row = console.get(f"/api/audit/{newest['id']}").json
    assert row["request"]["name"] == changed + "three"
    assert row["before"]["name"] == changed + "two"
    assert row["after"]["name"] == changed + "three"


def test_filters_of_the_audit_trail(console, changed):
    of = {"target": f"instance {changed}"}
    at = console.get("/api/audit", query=of).json["items"][-1]["at_ms"]
    for query, n in (({"since": at}, 3), ({"until": at}, 0),
                     ({"dialect": "doris"}, 3), ({"dialect": "ticdc"}, 0),
                     ({"operation": "create_instance"}, 1),
                     ({"name": "nobody"}, 0)):
        found = console.get("/api/audit", query={**of, **query}).json["items"]
        assert len(found) == n, query


def test_the_export_is_a_document_a_line(console, changed):
    query = {"target": f"instance {changed}", "limit": 2}
    r = console.get("/api/audit/export", query=query)
    assert r.headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in r.text.splitlines()]
    assert len(lines) == 2 and lines[0]["after"]["name"] == changed + "three"
    rest = console.get("/api/audit/export", query={
        **query, "cursor": r.headers["X-Metagate-Next"]})
    assert len(rest.text.splitlines()) == 1
    assert "X-Metagate-Next" not in rest.headers


@pytest.mark.parametrize("cursor", ["x", "0", "00", "zz", "ff1f1f1f1f",
                                    "611f1f1f1f", "6" * 4000])
def test_a_cursor_of_nobodys_is_refused(console, cursor):
    for path in ("/api/audit", "/api/jobs"):
        r = console.get(path, query={"cursor": cursor})
        assert (r.status, r.json["error"]) == (400, "bad_cursor"), (path, r)


def test_no_secret_is_in_the_audit_trail(console, doris):
    secret = fresh("hushhush")
    iid = d.instance(doris, obj_info={**d.OBJ_INFO, "ak": secret,
                                      "sk": secret})
    text = console.get("/api/audit/export",
                       query={"target": f"instance {iid}"}).text
    assert iid in text and secret not in text


def test_duties_name_who_leads_and_since_when(console):
    items = {i["name"]: i for i in console.get("/api/duties").json["items"]}
    leads = items["pegasus.leader"]
    assert leads["held"] and leads["dialect"] == "pegasus", leads
    assert leads["leader"].startswith("m") and leads["since_ms"] > 0, leads
    assert "dialect" not in items["schema.migrate"]


def test_children_and_hosts(console, deployment):
    children = {c["name"]: c for c in console.get("/api/children").json["items"]}
    assert children["serve-0"]["alive"]
    assert children["serve-0"]["pid"] == deployment.pid_of("serve-0")
    hosts = console.get("/api/hosts").json["items"]
    assert [h["own"] for h in hosts] == [True]


@pytest.fixture
def job(sql):
    """A job that nobody performs, with a step and a part."""
    with sql.cursor() as c:
        ids = []
        for parent in (None, 0):
            c.execute(
                "INSERT INTO job (uid, queue, machine, kind, parent_id, part,"
                " state, step, steps, doing, progress, since_ms, tries,"
                " cancel, args, shown, locks, owner, epoch, token_name,"
                " request_id, created_ms) VALUES (%s, 'nobody', '',"
                " 'cluster_mgr.create_cluster', %s, 'p', 'queued', 1, 3,"
                " 'start', 'waits', 5, 0, 0, 'x', '{\"a\": 1}', '', '', 0,"
                " 't', '', 5)",
                (fresh("u")[:32], ids[0] if ids else None))
            ids.append(c.lastrowid)
        c.execute("INSERT INTO job_step (job_id, n, name, outcome, begun_ms)"
                  " VALUES (%s, 0, 'choose', 'done', 5)", ids[0])
    sql.commit()
    yield ids[0]
    with sql.cursor() as c:
        c.execute("DELETE FROM job WHERE queue = 'nobody'")
    sql.commit()


def test_a_job_is_told_with_its_steps_and_parts(console, job):
    r = console.get(f"/api/jobs/{job}").json
    assert (r["id"], r["dialect"], r["state"]) == (job, "cluster_mgr", "queued")
    assert r["args"] == {"a": 1}
    assert [s["name"] for s in r["done"]] == ["choose"]
    assert [p["parent_id"] for p in r["parts"]] == [job]


def test_jobs_are_listed_by_state_and_kind(console, job):
    def ids(**query):
        return [j["id"] for j in pages(console, "/api/jobs",
                                       {**query, "limit": 1})[0]]
    assert job in ids(state="open") and job in ids(kind="cluster_mgr.")
    assert job not in ids(state="done")
    assert ids(parent=job) == [job + 1]


def test_a_job_is_cancelled_once_and_by_who_may(console, sql, job):
    path = f"/api/jobs/{job}/cancel"
    assert console.scope("read").post(path).status == 403
    assert console.post(path).status == 200
    assert console.get(f"/api/jobs/{job}").json["cancel"] is True
    with sql.cursor() as c:
        c.execute("UPDATE job SET finished_ms = 6, state = 'cancelled'"
                  " WHERE id = %s", job)
    sql.commit()
    r = console.post(path)
    assert (r.status, r.json["error"]) == (409, "finished")
