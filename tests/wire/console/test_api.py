"""The API of operators on 8080: pages, tags, what each list shows."""

import json

import pytest

from support import doris as d
from support.waiting import until
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
    seen = {i["dialect"] for i in console.get("/api/topology").json["items"]}
    assert seen <= set(r.json["in_topology"]) < set(r.json["dialects"])
    assert "console" not in r.json["in_topology"]


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


def listed(console, query):
    return console.get("/api/audit", query=query).json["items"]


def exported(console, query):
    r = console.get("/api/audit/export", query=query)
    assert r.status == 200, r
    return [json.loads(line) for line in r.text.splitlines()]


@pytest.mark.parametrize("found", [listed, exported])
def test_filters_of_the_audit_trail(console, changed, found):
    """Each keeps some of the three changes and leaves out others."""
    of = {"target": f"instance {changed}"}
    third, second, first = found(console, of)
    assert first["at_ms"] <= second["at_ms"] <= third["at_ms"]
    late = third["at_ms"] + 1
    for query, ids in (
            ({"since": first["at_ms"]}, [third, second, first]),
            ({"since": late}, []), ({"until": first["at_ms"]}, []),
            ({"until": late}, [third, second, first]),
            ({"dialect": "doris"}, [third, second, first]),
            ({"dialect": "ticdc"}, []),
            ({"operation": "create_instance"}, [first]),
            ({"operation": "rename_instance"}, [third, second]),
            ({"operation": "rename"}, []),
            ({"name": first["name"]}, [third, second, first]),
            ({"name": "nobody"}, []),
            ({"request_id": second["request_id"]}, [second]),
            ({"request_id": second["request_id"][:-1]}, []),
            ({"limit": 2}, [third, second])):
        assert [r["id"] for r in found(console, {**of, **query})] == [
            r["id"] for r in ids], query


@pytest.mark.parametrize("found", [listed, exported])
def test_since_and_until_are_of_one_moment(console, sql, changed, found):
    of = {"target": f"instance {changed}"}
    ids = [r["id"] for r in found(console, of)]
    with sql.cursor() as c:
        for at, i in zip((3000, 2000, 1000), ids):
            c.execute("UPDATE audit SET at_ms = %s WHERE id = %s", (at, i))
    for query, which in (({"since": 2000}, ids[:2]), ({"since": 2001}, ids[:1]),
                         ({"until": 2000}, ids[2:]), ({"until": 2001}, ids[1:]),
                         ({"since": 2000, "until": 3000}, ids[1:2])):
        assert [r["id"] for r in found(console, {**of, **query})] == which


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


@pytest.mark.parametrize("cursor", ["x", "0", "00", "zz", "ff1f1f1f1f1f",
                                    "611f1f1f1f1f", "6" * 4000])
def test_a_cursor_of_nobodys_is_refused(console, cursor):
    for path in ("/api/audit", "/api/jobs"):
        r = console.get(path, query={"cursor": cursor})
        assert (r.status, r.json["error"]) == (400, "bad_cursor"), (path, r)


def test_a_cursor_whose_key_is_no_text_is_refused(console):
    key = b"pegasus\x1fnode\x1f\xff\x1f\x1f\x1f".hex()
    r = console.get("/api/topology", query={"cursor": key})
    assert (r.status, r.json["error"]) == (400, "bad_cursor"), r


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
    for name in ("serve-0", "nginx", "mariadb"):
        child = children[name]
        assert child["pid"] == deployment.pid_of(name), child
        assert (child["state"], child["restarts"]) == ("running", 0), child
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
    assert job in ids(parent=0) and job + 1 not in ids(parent=0)


def test_jobs_are_listed_by_machine_and_request(console, sql, job):
    """By our own id, by what the client calls it, by its trace."""
    machine, word, mine, trace = (fresh("m") for _ in range(4))
    with sql.cursor() as c:
        c.execute("UPDATE job SET machine = %s, request_id = %s,"
                  " client_request_id = %s, trace_id = %s WHERE id = %s",
                  (machine, word, mine, trace, job))
    for query in ({"machine": machine}, {"request_id": word},
                  {"request_id": mine}, {"request_id": trace},
                  {"machine": machine, "request_id": word}):
        r = console.get("/api/jobs", query=query)
        assert [j["id"] for j in r.json["items"]] == [job], query
    for query in ({"machine": machine[:-1]}, {"request_id": word[:-1]},
                  {"machine": word}, {"machine": machine, "request_id": "x"}):
        r = console.get("/api/jobs", query=query)
        assert r.json["items"] == [], query


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


def test_a_deletion_that_has_begun_goes_on(console, sql, job):
    with sql.cursor() as c:
        c.execute("UPDATE job SET kind = 'cluster_mgr.delete_cluster',"
                  " state = 'running' WHERE id = %s", job)
    r = console.post(f"/api/jobs/{job}/cancel")
    assert (r.status, r.json["error"]) == (409, "goes_on")
    assert console.get(f"/api/jobs/{job}").json["cancel"] is False


# ---- what dialects hold ----

def below(console, thing):
    return console.get("/api/topology", query={"under": thing}).json["items"]


def test_an_instance_has_its_clusters_below_it(console, doris):
    iid = d.instance(doris)
    assert d.add_cluster(doris, iid, "c1").status == 200
    found = below(console, f"doris/instance/{iid}")
    assert [(t["id"], t["parent"], t["kind"], t["name"], t["level"])
            for t in found] == [
        (f"doris/cluster/{iid}/c1", f"doris/instance/{iid}", "cluster",
         "n_c1", "ok")]
    assert found[0]["more"] == {"type": "COMPUTE"}


def test_the_topology_is_paged_over_all_dialects(console, doris):
    iid = d.instance(doris)
    whole = console.get("/api/topology", query={"limit": 1000}).json["items"]
    some, n = pages(console, "/api/topology", {"limit": 3})
    assert n > 1
    ids = [t["id"] for t in some]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= {t["id"] for t in whole if t["dialect"] == "pegasus"}
    assert f"doris/instance/{iid}" in ids
    assert {t["dialect"] for t in some} >= {"doris", "pegasus", "ticdc"}
    assert {t["parent"] for t in some if "parent" in t} <= set(ids)


@pytest.mark.parametrize("query, kinds", [
    ({"dialect": "pegasus", "kind": "node"}, {"node"}),
    ({"dialect": "nobody"}, set()), ({"kind": "capture"}, {"capture"}),
    ({"level": "nothing"}, set())])
def test_filters_of_the_topology(console, query, kinds):
    items = console.get("/api/topology", query=query).json["items"]
    assert {t["kind"] for t in items} == kinds


@pytest.mark.parametrize("under", ["x", "doris/", "doris/instance/", "/"])
def test_below_what_has_no_such_id(console, under):
    r = console.get("/api/topology", query={"under": under})
    assert (r.status, r.json["error"]) == (400, "bad_under"), r


@pytest.fixture
def failover(sql):
    """A failover of a shard that is not well."""
    name = fresh("c")
    with sql.cursor() as c:
        c.execute("INSERT INTO kunlun_failover (shard_id, cluster, shard,"
                  " epoch, kind, was, `is`, why, seen, suspected_ms,"
                  " decided_ms, chosen) VALUES (1, %s, 's1', 2, 'failover',"
                  " '127.0.0.1:1', '127.0.0.2:1', 'its server has ended',"
                  " '{\"a\": [1]}', 10, 20, 'has most')", name)
    yield name
    with sql.cursor() as c:
        c.execute("DELETE FROM kunlun_failover WHERE cluster = %s", name)


def test_a_failover_is_told_with_its_explanation(console, failover):
    newest = console.get("/api/failovers", query={"limit": 1}).json["items"][0]
    assert newest["name"] == failover + "/s1"
    assert (newest["why"], newest["since_ms"], newest["level"]) == (
        "its server has ended", 20, "warn")
    assert newest["more"]["seen"] == {"a": [1]}
    assert newest["more"]["chosen"] == "has most"


def test_failovers_are_no_part_of_the_topology(console, failover):
    assert not [t for t in pages(console, "/api/topology", {})[0]
                if t["kind"] == "failover"]


def feed_of(console, name):
    feeds = console.get("/api/changefeeds", query={"limit": 1000}).json
    return [t for t in feeds["items"] if t["name"] == name][0]


def test_a_changefeed_is_told_with_its_lag(console, deployment):
    cdc = deployment.client("ticdc/c1")
    name = fresh("f")
    r = cdc.post("/api/v1/changefeeds", {"changefeed_id": name,
                                         "sink_uri": "blackhole://"})
    assert r.status == 202, r
    try:
        feed = feed_of(console, name)
        assert feed["more"]["lag_ms"] >= 0 and feed["level"] == "ok", feed
        assert "sink" not in str(feed)
        assert feed["more"]["last_move"] is None
        r = cdc.post(f"/api/v1/changefeeds/{name}/tables/move_table",
                     {"capture_id": "nobody", "table_id": 1})
        assert r.status == 202, r
        feed = feed_of(console, name)
        moved = feed["more"]["last_move"]
        assert (moved["table_id"], moved["capture_id"]) == (1, "nobody")
        assert moved["outcome"] in ("pending", "no_table"), moved
        assert cdc.post(f"/api/v1/changefeeds/{name}/pause").status == 202
        feed = feed_of(console, name)
        assert (feed["state"], feed["more"]["lag_ms"]) == ("stopped", None)
    finally:
        cdc.delete(f"/api/v1/changefeeds/{name}")


def test_the_overview_counts_and_has_the_worst_first(console, doris, sql):
    before = console.get("/api/overview").json
    iid = d.instance(doris)
    with sql.cursor() as c:  # one that is bad, behind one that is not well
        c.execute("INSERT INTO kept_instance (machine, uuid, port, root,"
                  " class, driver, kind, seq, to_run, held_by, state,"
                  " since_ms, pid, restarts, paused_until_ms, why, told_ms)"
                  " VALUES ('127.9.9.9', %s, 1, '/', 'c', 'mariadb',"
                  " 'storage', 1, 1, 0, 'failed', 1, 0, 5, 0, 'it crashes',"
                  " 1)", iid)
        c.execute("UPDATE doris_instance SET status = 'OVERDUE'"
                  " WHERE instance_id = %s", iid)
    try:
        now = console.get("/api/overview").json
    finally:
        with sql.cursor() as c:
            c.execute("DELETE FROM kept_instance WHERE uuid = %s", iid)
            c.execute("UPDATE doris_instance SET status = 'NORMAL'"
                      " WHERE instance_id = %s", iid)

    def count(o, dialect, kind):
        share, = [s for s in o["dialects"] if s["dialect"] == dialect]
        return [h for h in share["holds"] if h["kind"] == kind][0]
    assert count(now, "doris", "instance")["n"] == 1 + count(
        before, "doris", "instance")["n"]
    assert count(now, "cluster_mgr", "instance")["bad"] == 1
    assert now["level"] == "bad"
    levels = [t["level"] for t in now["not_well"]]
    assert levels == sorted(levels)
    crash, = [t for t in now["not_well"] if t["address"] == "127.9.9.9:1"]
    assert crash["why"] == "it crashes"
    assert [t for t in now["not_well"] if t["id"] == f"doris/instance/{iid}"]


def test_a_machine_that_is_not_heard_of_is_bad(console, sql):
    """Registered for both kinds of servers, it is one machine."""
    with sql.cursor() as c:
        for kind in ("storage", "computer"):
            c.execute("INSERT INTO Kunlun_Metadata_DB.server_nodes (hostaddr,"
                      " machine_type, node_stats, rack_id, total_mem)"
                      " VALUES ('127.9.9.8', %s, 'dead', '7', 5)", kind)
    try:
        machine, = [t for t in console.get("/api/topology", query={
            "kind": "machine", "limit": 1000}).json["items"]
            if t["name"] == "127.9.9.8"]
    finally:
        with sql.cursor() as c:
            c.execute("DELETE FROM Kunlun_Metadata_DB.server_nodes"
                      " WHERE hostaddr = '127.9.9.8'")
    assert (machine["id"], machine["key"], machine["state"],
            machine["level"]) == ("cluster_mgr/machine/127.9.9.8", "127.9.9.8",
                                  "dead", "bad"), machine
    assert machine["why"] and machine["more"]["memory_mb"] == 5


# ---- metagate's own ----

def test_tokens_are_told_without_what_opens(console, deployment):
    """The first one, that of the machines, and one of this test's own."""
    reads = console.scope("read")
    r = console.get("/api/tokens")
    with open(deployment.path("tokens.map")) as f:
        tokens = [line.split('"')[1] for line in f if line.startswith('"')]
    assert len(r.json["items"]) == len(tokens) and reads.token in tokens
    assert {t["name"] for t in r.json["items"]} >= {
        "first", "machine", "t-read"}
    assert not [t for t in tokens if t in r.text]
    reads, = [t for t in r.json["items"] if t["name"] == "t-read"]
    assert (reads["scope"], reads["secrets"], reads["expired"]) == (
        "read", False, False)


def test_keys_tell_where_they_come_from(console, deployment):
    keys = {k["name"]: k for k in console.get("/api/config").json["items"]}
    assert keys["serve.deadline_ms"]["needs"] == "restart"
    assert keys["nginx.tls_key"]["needs"] == "reload"
    assert keys["core.log_level"]["needs"] == "live"
    assert {k["from"] for k in keys.values()} <= {
        "default", "file", "environment", "store"}
    plain = [k for k in keys.values() if k["from"] == "default"]
    assert plain and all(k["doc"] for k in plain)


def test_a_key_of_the_store_says_so(console, sql):
    """Whatever host is configured how: a change of all that run."""
    def key():
        return [k for k in console.get("/api/config").json["items"]
                if k["name"] == "doris.fe_tries"][0]
    with sql.cursor() as c:
        c.execute("INSERT INTO config_change (name, persist, value,"
                  " changed_ms) VALUES ('doris.fe_tries', 1, '77', 1)")
    try:
        # each worker looks for itself
        until(lambda: (key()["value"], key()["from"]) == ("77", "store"))
        assert key()["default"] == "10"
    finally:
        with sql.cursor() as c:
            c.execute("DELETE FROM config_change"
                      " WHERE name = 'doris.fe_tries'")
    until(lambda: key()["from"] != "store")


# ---- what is large ----

@pytest.fixture
def large(sql):
    """150 changes of one target, 60 KB each: no page holds them all."""
    target = fresh("large")
    with sql.cursor() as c:
        c.executemany(
            "INSERT INTO audit (request_id, token_name, listener, operation,"
            " target, after_json, at_ms) VALUES (%s, 't', 'doris', 'o', %s,"
            " %s, 1)", [(fresh("r"), target, json.dumps("x" * 60000))
                        for _ in range(150)])
    yield target
    with sql.cursor() as c:
        c.execute("DELETE FROM audit WHERE target = %s", target)


def test_an_export_that_grows_large_ends_before_its_limit(console, large):
    ids, query = [], {"target": large, "limit": 1000}
    while True:
        r = console.get("/api/audit/export", query=query)
        assert r.status == 200, r
        lines = [json.loads(line) for line in r.text.splitlines()]
        ids += [line["id"] for line in lines]
        if "X-Metagate-Next" not in r.headers:
            break
        assert 20 <= len(lines) < 150
        query["cursor"] = r.headers["X-Metagate-Next"]
    assert len(ids) == 150 and ids == sorted(ids, reverse=True)


@pytest.fixture
def clusters(doris, sql):
    """An instance with 1,000 clusters of long names."""
    iid = d.instance(doris)
    with sql.cursor() as c:
        c.executemany(
            "INSERT INTO doris_cluster (instance_id, seq, cluster_id,"
            " cluster_name, private_endpoint, type, ctime, mtime, doc)"
            " VALUES (%s, %s, %s, %s, REPEAT('p', 600), 'COMPUTE', 1, 1,"
            " '')",
            [(iid, 1000 + i, f"{i:04}" + "c" * 240, f"{i:04}" + "n" * 240)
             for i in range(1000)])
    yield iid
    with sql.cursor() as c:
        c.execute("DELETE FROM doris_cluster WHERE instance_id = %s", iid)


def test_a_thousand_clusters_are_one_page(console, clusters):
    under = f"doris/instance/{clusters}"
    r = console.get("/api/topology", query={"under": under, "kind": "cluster",
                                            "limit": 1000})
    assert len(r.body) > 1 << 20 and "next" not in r.json
    names = [t["name"] for t in r.json["items"]]
    assert len(names) == 1000 and names == sorted(names)
