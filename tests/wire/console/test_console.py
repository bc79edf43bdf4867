"""What metagate says of itself on its own listener."""

import re
import subprocess

from support import doris as d, tables
from support.waiting import until

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? ([0-9.e+-]+|\+Inf)$')


def samples(console):
    """{(name, labels as text): value} of /metrics."""
    r = console.get("/metrics")
    assert r.status == 200
    found = [SAMPLE.match(line) for line in r.text.splitlines()
             if not line.startswith("#")]
    assert all(found)
    return {(m[1], m[2] or ""): float(m[3]) for m in found}


def test_healthz_needs_no_token(console):
    r = console.scope("none").get("/healthz")
    assert (r.status, r.text) == (200, '{"status":"ok"}\n')


def test_the_api_description_names_every_endpoint(console):
    """Each under its path, or beside it behind a '#'."""
    api = console.get("/openapi.json").json
    assert api["openapi"].startswith("3.0")
    for e in tables.endpoints():
        if e.path == "*":
            continue
        described = [o for at, item in api["paths"].items()
                     if at.partition("#")[0] == e.url
                     for o in item.values()]
        assert any((o["summary"], o["x-scope"], o["x-listener"],
                    o.get("x-verb", "-"))
                   == (e.row["doc"], e.scope, e.listener, e.verb)
                   for o in described), str(e)


def test_examples_of_the_api_description_are_bodies(console):
    api = console.get("/openapi.json").json
    create = api["paths"]["/MetaService/http/create_instance"]["put"]
    body = create["requestBody"]["content"]["application/json"]
    schema = api["components"]["schemas"][
        body["schema"]["$ref"].rsplit("/", 1)[1]]
    assert body["example"]["obj_info"]["provider"] == "COS"
    assert set(body["example"]) <= set(schema["properties"])


def test_prometheus_accepts_the_metrics(console):
    r = console.get("/metrics")
    assert r.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    done = subprocess.run(["promtool", "check", "metrics"], input=r.body,
                          capture_output=True)
    assert done.returncode == 0, done.stderr


def test_prometheus_accepts_the_alert_rules(console, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_bytes(console.get("/metrics/rules").body)
    done = subprocess.run(["promtool", "check", "rules", rules],
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_requests_are_counted_by_endpoint_and_code(console, doris, fresh):
    def counted(code):
        return sum(v for (name, labels), v in samples(console).items()
                   if name == "metagate_requests_total"
                   and "/get_instance\"" in labels and f'"{code}"' in labels)

    good, bad = counted("2xx"), counted("4xx")
    iid = d.instance(doris)
    for _ in range(3):
        doris.get("get_instance", query={"instance_id": iid})
    doris.get("get_instance", query={"instance_id": fresh("nobody")})
    # a worker counts when the answer has left
    until(lambda: (counted("2xx"), counted("4xx")) == (good + 3, bad + 1))


def test_the_store_is_counted(console, doris):
    def value(name):
        return samples(console)[(f"metagate_store_{name}", "")]

    before = value("statements_total")
    d.instance(doris)
    until(lambda: value("statements_total") >= before + 3)
    assert value("connections") > 0
    assert value("connects_total") >= value("connections")
    assert value("down_processes") == 0
