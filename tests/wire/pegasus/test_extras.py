"""Later endpoints that are cheap, and wishes of the project's own issues."""

import pytest


def test_a_compaction_sets_variables(pegasus, table):
    pegasus.ok("/meta/app/start_compaction", app_name=table, type="once")
    envs = pegasus.json("/meta/app_envs", name=table)
    assert envs.pop("manual_compact.once.trigger_time").isdigit()
    assert envs == {
        "manual_compact.once.target_level": "-1",
        "manual_compact.once.bottommost_level_compaction": "skip"}
    pegasus.ok("/meta/app/start_compaction", app_name=table, type="periodic",
               target_level=2, bottommost_level_compaction="force",
               max_concurrent_running_count=3, trigger_time="03:00,04:30")
    envs = pegasus.json("/meta/app_envs", name=table)
    assert envs["manual_compact.periodic.trigger_time"] == "03:00,04:30"
    assert envs["manual_compact.max_concurrent_running_count"] == "3"


@pytest.mark.parametrize("body, sentence", [
    ({"nope": 1}, "invalid request structure"),
    ({}, "app_name should not be empty"),
    ({"app_name": "no such"}, "type should ony be 'once' or 'periodic'"),
    ({"app_name": "no such", "type": "once", "target_level": -2},
     "target_level should be >= -1"),
    ({"app_name": "no such", "type": "once",
      "bottommost_level_compaction": "x"},
     "bottommost_level_compaction should ony be 'skip' or 'force'"),
    ({"app_name": "no such", "type": "once",
      "max_concurrent_running_count": -1},
     "max_running_count should be >= 0"),
    ({"app_name": "no such", "type": "periodic"},
     "trigger_time should not be empty when type is periodic")])
def test_a_compaction_is_refused_in_order(pegasus, body, sentence):
    r = pegasus.post("/meta/app/start_compaction", body)
    assert (r.status, r.text) == (400, sentence)


def test_of_several_mistakes_the_first_is_told(pegasus):
    body = {"type": "x", "target_level": -2,
            "bottommost_level_compaction": "x",
            "max_concurrent_running_count": -1}
    for right, sentence in (
            ({}, "app_name should not be empty"),
            ({"app_name": "no such"},
             "type should ony be 'once' or 'periodic'"),
            ({"type": "periodic"}, "target_level should be >= -1"),
            ({"target_level": -1},
             "bottommost_level_compaction should ony be 'skip' or 'force'"),
            ({"bottommost_level_compaction": "force"},
             "max_running_count should be >= 0"),
            ({"max_concurrent_running_count": 0},
             "trigger_time should not be empty when type is periodic")):
        body.update(right)
        r = pegasus.post("/meta/app/start_compaction", body)
        assert (r.status, r.text) == (400, sentence), body


def test_a_scenario_is_set(pegasus, table):
    pegasus.ok("/meta/app/usage_scenario", app_name=table,
               scenario="bulk_load")
    assert pegasus.json("/meta/app_envs", name=table) == {
        "rocksdb.usage_scenario": "bulk_load"}
    r = pegasus.post("/meta/app/usage_scenario",
                     {"app_name": table, "scenario": "prefer_write"})
    assert (r.status, r.text) == (
        400, "scenario should ony be 'normal' or 'bulk_load'")
    assert pegasus.error("/meta/app/usage_scenario", app_name="no such",
                         scenario="normal")[0] == "ERR_APP_NOT_EXIST"


def test_rules_of_variables_are_listed(pegasus):
    for meta in ("m1", "m2"):
        r = pegasus.on(meta).get("/envs/list").json
        row = r["replica.slow_query_threshold"]
        assert row == {"key": "replica.slow_query_threshold",
                       "type": "unsigned int64", "limitation": ">= 20",
                       "sample": "1000"}


def test_every_sample_is_taken(pegasus, table):
    rules = pegasus.on("m1").get("/envs/list").json
    pegasus.ok("/meta/app_envs/set", app_name=table,
               envs={k: r["sample"] for k, r in rules.items()})
    assert len(rules) >= 29


def test_a_replica_server_tells_what_it_holds(pegasus, table):
    app = pegasus.healthy(table)
    app_id = app["general"]["app_id"]
    for replica in pegasus.replicas:
        r = replica.get("/replicaInfo").json
        address = pegasus.address(replica)
        assert (r["address"], r["status"]) == (address, "ALIVE")
        assert int(r["last_beacon_age_ms"]) >= 0
        for pidx, row in app["replicas"].items():
            held = r["replicas"][f"{app_id}.{pidx}"]
            assert held["app_name"] == table
            assert held["role"] == ("PRIMARY" if row["primary"] == address
                                    else "SECONDARY")


def servers(pegasus):
    return [*(("meta", m) for m in pegasus.metas.values()),
            *(("replica", r) for r in pegasus.replicas)]


def test_metrics_are_text_for_prometheus(pegasus):
    for _, client in servers(pegasus):
        r = client.request("GET", "/metrics",
                           headers={"Accept": "text/plain;version=0.0.4"})
        assert r.status == 200 and "# TYPE " in r.text
        assert r.headers["Content-Type"] == \
            "text/plain; version=0.0.4; charset=utf-8"


def test_metrics_are_what_pegasus_collectors_parse(pegasus, table):
    pegasus.healthy(table)
    for role, client in servers(pegasus):
        r = client.get("/metrics").json
        assert list(r) == ["cluster", "role", "host", "port", "timestamp_ns",
                           "entities"]
        assert (r["role"], r["host"], r["port"]) == (role, client.host,
                                                     client.port)
        server = r["entities"][0]
        assert list(server) == ["type", "id", "attributes", "metrics"]
        assert (server["type"], server["id"]) == ("server", "server")
        values = {}
        for m in server["metrics"]:
            assert list(m) == ["name", "value"]
            values[m["name"]] = m["value"]
        assert values["resident_mem_usage_mb"] > 0
        if role == "meta":
            # other tests have registered servers of their own
            assert values["alive_replica_servers"] >= 3
            assert values["unalive_replica_servers"] >= 0
        else:
            assert values["total_replicas"] >= 4


def test_a_leader_tells_of_tables(pegasus, table):
    app_id = pegasus.healthy(table)["general"]["app_id"]

    def of_table(meta):
        return pegasus.on(meta).get(
            f"/metrics?attributes=table_id,{app_id}").json["entities"]

    assert of_table(pegasus.standbys()[0]) == []
    entity, = of_table(pegasus.leader())
    assert (entity["type"], entity["id"]) == ("table", f"table_{app_id}")
    assert entity["attributes"] == {"table_id": app_id}
    assert {m["name"]: m["value"] for m in entity["metrics"]} == {
        "dead_partitions": 0, "unreadable_partitions": 0,
        "unwritable_partitions": 0, "writable_ill_partitions": 0,
        "healthy_partitions": 4}


@pytest.mark.parametrize("query, metrics", [
    ("ids=server,x&metrics=alive_replica_servers,no",
     [{"name": "alive_replica_servers", "value": 3}]),
    ("types=server&metrics=alive_replica_servers&detail=TRUE",
     [{"type": "Gauge", "name": "alive_replica_servers", "unit": "servers",
       "desc": "The number of alive replica servers", "value": 3}]),
    ("metrics=alive_replica_servers&with_metric_fields=name,unit&detail=false",
     [{"name": "alive_replica_servers", "unit": "servers"}]),
    ("types=replica,partition", None), ("ids=none", None),
    ("metrics=none", None), ("types=server&attributes=table_id,1", None)])
def test_metrics_are_filtered(pegasus, query, metrics):
    entities = pegasus.on("m1").get("/metrics?" + query).json["entities"]
    for m in (m for e in entities for m in e["metrics"] if "value" in m):
        # other tests have servers of their own, for a while
        assert m["value"] >= 3
        m["value"] = 3
    assert [e["metrics"] for e in entities] == ([metrics] if metrics else [])


@pytest.mark.parametrize("query, why", [
    ("x=1", "unknown field x=1"),
    ("attributes=a", "the number of arguments for attributes should be even, "
     "since each attribute name always pairs with a value"),
    ("detail=yes", "the value of detail should be a boolean value, i.e. true "
     "or false")])
def test_a_question_for_metrics_may_be_wrong(pegasus, query, why):
    r = pegasus.on("m1").get("/metrics?" + query)
    assert (r.status, r.json) == (400, {"error_message": why})
    r = pegasus.on("m1").post("/metrics")
    assert (r.status, r.json["error_message"]) == (
        400, "please use 'GET' method while querying for metrics")


@pytest.mark.config(METAGATE_PEGASUS_LB_INTERVAL_MS="3600000",
                    METAGATE_PEGASUS_DEFAULT_TABLE="")
def test_a_new_table_waits_for_no_tick(pegasus, fresh):
    name = fresh("t")
    pegasus.ok("/meta/app/create", app_name=name, partition_count=64)
    pegasus.healthy(name)
