"""/metrics and the alert rules, judged by Prometheus' own tool."""

import json
import re
import shutil
import subprocess
import threading

import pytest

from support import doris as d
from support.processes import kill
from support.store import locked_instance, until_waiting
from support.waiting import until
from support.words import fresh


def promtool(*args, **more):
    path = shutil.which("promtool")
    assert path, "missing: apt-get install prometheus"
    done = subprocess.run([path, *args], capture_output=True, text=True,
                          timeout=30, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def values(client):
    """{name and labels: value} of /metrics."""
    text = client.get("/metrics").text
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if not line.startswith("#")}


def test_promtool_takes_the_rules_and_they_name_what_there_is(
        console, tmp_path):
    rules = console.get("/metrics/rules")
    assert rules.headers["Content-Type"] == "application/yaml"
    path = tmp_path / "metagate.rules"
    path.write_text(rules.text)
    count = len(re.findall(r"^ *- alert:", rules.text, re.M))
    assert f"{count} rules found" in promtool("check", "rules", str(path))
    known = set(re.findall(r"^# TYPE (\S+) ", console.get("/metrics").text,
                           re.M))
    for name in re.findall(r"metagate_\w+", rules.text):
        assert re.sub(r"_(bucket|sum|count)$", "", name) in known \
            or name in known, name


def test_which_metagate_it_is_stands_in_a_metric(console, deployment):
    told = deployment.command("--version").stdout
    version, commit = re.search(r"metagate (\S+), .*commit (\S+)",
                                told).groups()
    line, = [name for name, value in values(console).items()
             if name.startswith("metagate_build_info{") and value == 1]
    assert f'version="{version}",revision="{commit}",compiler="' in line


SERVED = 'metagate_requests_total{endpoint="/x",method="GET",code="%s"}'
PROFILED = ('metagate_requests_total{endpoint="/worker/{process}/pprof/heap",'
            'method="GET",code="5xx"}')
BUCKET = ('metagate_request_duration_seconds_bucket{endpoint="%s",'
          'method="GET",le="%s"}')
PPROF = "/role/{process}/pprof/profile"
ALERTS = {
    "MetagateStoreDown": ({"metagate_store_down_processes": "1x20"},
                          {"metagate_store_down_processes": "0x20"}),
    "MetagateErrors": ({SERVED % "2xx": "0+90x20", SERVED % "5xx": "0+10x20"},
                       {SERVED % "2xx": "0+90x20", PROFILED: "0+90x20"}),
    "MetagateSlow": (
        {BUCKET % ("/x", "1"): "0+90x20", BUCKET % ("/x", "10"): "0+100x20",
         BUCKET % ("/x", "+Inf"): "0+100x20"},
        {BUCKET % ("/x", "1"): "0+100x20", BUCKET % ("/x", "+Inf"): "0+100x20",
         BUCKET % (PPROF, "1"): "0x20", BUCKET % (PPROF, "+Inf"): "0+9x20"}),
    # its page says nothing any more, for this host or for all of them
    "MetagateWorkersGone": (
        {'metagate_worker_threads{instance="a"}': "8 8 stale",
         'metagate_worker_threads{instance="b"}': "8x20"},
        {'metagate_worker_threads{instance="a"}': "8x20"}),
    "MetagateSaturated": ({"metagate_worker_threads_busy": "8x20",
                           "metagate_worker_threads": "8x20"},
                          {"metagate_worker_threads_busy": "7x20",
                           "metagate_worker_threads": "8x20"}),
    "MetagateNoDuties": ({"metagate_leases_held": "0x20"},
                         {'metagate_leases_held{instance="a"}': "0x20",
                          'metagate_leases_held{instance="b"}': "3x20"}),
    "MetagateInstanceFailed": ({"metagate_instances_failed": "1x20"},
                               {"metagate_instances_failed": "0x20"}),
    "MetagateDutyFailing": ({"metagate_duty_failures_total": "0+60x20"},
                            {"metagate_duty_failures_total": "5x20"}),
}


def rule_test(series, fires):
    """One of promtool's tests: whether the alert fires after 19 minutes."""
    return {"interval": "1m",
            "input_series": [{"series": name, "values": values}
                             for name, values in series.items()],
            "promql_expr_test": [{
                "expr": f'count(ALERTS{{alertname="{fires[0]}",'
                        'alertstate="firing"})',
                "eval_time": "19m", "exp_samples":
                    [{"labels": "{}", "value": 1}] if fires[1] else []}]}


def test_each_alert_fires_when_it_should_and_not_otherwise(console, tmp_path):
    rules = tmp_path / "metagate.rules"
    rules.write_text(console.get("/metrics/rules").text)
    tests = [rule_test(series, (name, fires))
             for name, (bad, good) in ALERTS.items()
             for series, fires in ((bad, True), (good, False))]
    tests.append(rule_test({}, ("MetagateWorkersGone", True)))
    assert set(ALERTS) == set(re.findall(r"alert: '(\w+)'",
                                         rules.read_text()))
    path = tmp_path / "tests.yml"  # JSON is YAML
    path.write_text(json.dumps({"rule_files": [str(rules)],
                                "evaluation_interval": "1m",
                                "tests": tests}))
    promtool("test", "rules", str(path))


def test_a_row_of_two_listeners_is_counted_under_both(deployment, console):
    for listener in ("pegasus-meta/m1", "pegasus-replica/r1"):
        assert deployment.client(listener).get("/version").status == 200
    count, = [name for name in values(console)
              if name.startswith("metagate_requests_total")
              and 'endpoint="/version"' in name]
    assert 'listener="pegasus-meta,pegasus-replica"' in count


def test_a_histogram_is_cumulative_and_complete(console, doris):
    d.instance(doris)
    now = values(console)
    series = {}
    for name, value in now.items():
        m = re.fullmatch(r"(\w+)_bucket\{(.*),le=\"([^\"]+)\"\}", name)
        if m:
            series.setdefault((m[1], m[2]), []).append(
                (float(m[3].replace("+Inf", "inf")), value))
    assert series
    for (name, labels), buckets in series.items():
        assert buckets == sorted(buckets)
        assert [v for _, v in buckets] == sorted(v for _, v in buckets)
        assert buckets[-1][0] == float("inf")
        assert buckets[-1][1] == now[f"{name}_count{{{labels}}}"]
        assert now[f"{name}_sum{{{labels}}}"] >= 0


def test_both_workers_show_the_same_sum(deployment, console, doris):
    for _ in range(8):  # nginx deals them out in turn
        doris.get("list_instances")
    pids = set()
    totals = []
    for _ in range(4):
        now = values(console)
        totals.append(now["metagate_store_statements_total"])
        pids.add(now["metagate_processes"])
    assert totals == sorted(totals)
    # 2 workers, 3 controls, 3 supervises, 2 captures
    assert pids == {10.0}


def test_leases_and_steps_of_the_duties_are_shown(console):
    until(lambda: values(console)["metagate_leases_held"] > 0,
          "some control holds a lease")


def test_threads_show_how_busy_they_are(deployment, console, doris, sql):
    iid = d.instance(doris)
    idle = values(console)
    assert idle["metagate_worker_threads"] >= 4
    with locked_instance(deployment, iid):
        other = threading.Thread(target=d.add_cluster,
                                 args=(doris, iid, "c"))
        other.start()
        until_waiting(sql, 1)
        assert values(console)["metagate_worker_threads_busy"] >= 2
    other.join()


def test_a_row_lock_that_lasts_is_counted(deployment, console, doris):
    iid = d.instance(doris)
    before = values(console)
    with locked_instance(deployment, iid):
        assert d.add_cluster(doris.using(timeout=15), iid, "c").status == 503
    until(lambda: all(values(console)[name] > before[name] for name in (
        "metagate_store_deadlocks_total", "metagate_request_reruns_total")))


def test_an_unknown_path_is_counted_without_its_name(console):
    before = values(console)["metagate_unrouted_requests_total"]
    word = fresh("path")
    assert console.get("/" + word).status == 404
    text = console.get("/metrics").text
    assert word not in text
    until(lambda: values(console)["metagate_unrouted_requests_total"] > before)


@pytest.mark.fault
def test_metrics_and_alerts_answer_while_the_store_is_down(
        deployment, console, doris):
    deployment.command("stop", "mariadb")
    try:
        until(lambda: doris.get("list_instances").status == 503, "it is down")
        r = console.get("/metrics")
        assert r.status == 200
        until(lambda: values(console)["metagate_store_down_processes"] > 0,
              "it shows")
        assert console.get("/metrics/rules").status == 200
        assert console.get("/openapi.json").status == 200
        health = console.get("/healthz")
        assert health.status == 503
        assert health.json["error"] == "store_down"
    finally:
        deployment.command("start", "mariadb")
    # also of workers that nobody asks for anything
    until(lambda: values(console)["metagate_store_down_processes"] == 0,
          "it has come back")


@pytest.mark.fault
def test_counters_go_on_after_a_worker_was_killed(deployment, console, doris):
    for _ in range(4):
        doris.get("list_instances")
    before = values(console)
    old = deployment.pid_of("serve-0")
    kill(old)
    until(lambda: deployment.pid_of("serve-0") not in (None, old), "restart")
    until(lambda: console.get("/healthz").status == 200, "it serves")
    after = until(lambda: (lambda now: now
                  if now["metagate_worker_threads"]
                  == before["metagate_worker_threads"] else None)(
                      values(console)), "its threads are counted again")
    for name, value in before.items():
        if "_total" in name or "_count" in name:
            assert after[name] >= value, name
