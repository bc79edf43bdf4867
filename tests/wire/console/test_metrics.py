"""/metrics and the alert rules, judged by Prometheus' own tool."""

import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading

import pytest

from support import doris as d
from support.box import Box
from support.deployment import ROOT
from support.processes import kill
from support.store import locked_instance, rows, until_waiting, value
from support.waiting import until
from support.words import fresh


def promtool(*args, **more):
    path = shutil.which("promtool")
    assert path, "missing: apt-get install prometheus"
    done = subprocess.run([path, *args], capture_output=True, text=True,
                          timeout=120, **more)
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
    for name in re.findall(r"metagate_\w+", " ".join(
            re.findall(r"expr: '(.*)'$", rules.text, re.M))):
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
    "MetagateNoLeader": ({"metagate_duties_leaderless": "1x20"},
                         {"metagate_duties_leaderless": "0x20"}),
    "MetagateKeyMismatch": ({"metagate_key_mismatch": "1x20"},
                            {"metagate_key_mismatch": "0x20"}),
    # the tests' clock begins at 0
    "MetagateCertificateEnds": (
        {"metagate_tls_certificate_expiry_timestamp_seconds":
         f"{14 * 86400}x100"},
        {"metagate_tls_certificate_expiry_timestamp_seconds":
         f"{15 * 86400}x100",
         'metagate_tls_certificate_expiry_timestamp_seconds{instance="b"}':
         "0x100"}),
    "MetagateBackupOld": (
        {"metagate_backup_oldest_timestamp_seconds": "60x400"},
        {"metagate_backup_oldest_timestamp_seconds": "0x400"}),
    "MetagateDutyFailing": ({"metagate_duty_failures_total": "0+60x20"},
                            {"metagate_duty_failures_total": "5x20"}),
}


# After how long, from the beginning of 1970 on; and how often there is a value.
LATE = {"MetagateBackupOld": ("8d", "30m")}


def rule_test(series, fires):
    """One of promtool's tests: whether the alert fires after 19 minutes."""
    after, every = LATE.get(fires[0], ("19m", "1m"))
    return {"interval": every,
            "input_series": [{"series": name, "values": values}
                             for name, values in series.items()],
            "promql_expr_test": [{
                "expr": f'count(ALERTS{{alertname="{fires[0]}",'
                        'alertstate="firing"})',
                "eval_time": after, "exp_samples":
                    [{"labels": "{}", "value": 1}] if fires[1] else []}]}


def test_each_alert_fires_when_it_should_and_not_otherwise(console, tmp_path):
    rules = tmp_path / "metagate.rules"
    rules.write_text(console.get("/metrics/rules").text)
    assert set(ALERTS) == set(re.findall(r"alert: '(\w+)'",
                                         rules.read_text()))
    for late in (False, True):
        tests = [rule_test(series, (name, fires))
                 for name, (bad, good) in ALERTS.items()
                 if (name in LATE) == late
                 for series, fires in ((bad, True), (good, False))]
        if not late:
            tests.append(rule_test({}, ("MetagateWorkersGone", True)))
        path = tmp_path / "tests.yml"  # JSON is YAML
        path.write_text(json.dumps({"rule_files": [str(rules)],
                                    "evaluation_interval":
                                        "30m" if late else "1m",
                                    "tests": tests}))
        promtool("test", "rules", str(path))


def test_each_alert_says_what_it_is_and_what_to_do(console, deployment):
    rules = console.get("/metrics/rules").text
    assert deployment.command("describe", "alerts").stdout == rules
    with open(os.path.join(ROOT, "handlers/console/ALERTS.md")) as f:
        sections = re.split(r"^## ", f.read(), flags=re.M)[1:]
    assert {s.split("\n")[0] for s in sections} == set(ALERTS)
    assert all(len(s) > 120 for s in sections)
    blocks = rules.split("- alert: ")[1:]
    assert len(blocks) == len(ALERTS)
    for block in blocks:
        name = re.match(r"'(\w+)'", block)[1]
        for key in ("severity", "summary", "description"):
            assert re.search(rf"^ +{key}: '.+'$", block, re.M), (name, key)
        assert f"runbook: 'handlers/console/ALERTS.md#{name.lower()}'" in block


def test_each_process_tells_what_it_takes_of_the_host(console, deployment):
    def own():
        now, roles = values(console), {}
        for name, value in now.items():
            m = re.fullmatch(r'(process_\w+)\{role="(\w+)",'
                             r'process="([\w.-]+)"\}', name)
            if m:
                assert m[3].startswith(m[2])
                roles.setdefault(m[3], {})[m[1]] = value
        return roles
    roles = own()
    assert len(roles) == 10 and {"serve-0", "control-m1"} <= set(roles)
    for name, told in roles.items():
        assert set(told) == {
            "process_cpu_seconds_total", "process_resident_memory_bytes",
            "process_open_fds", "process_max_fds",
            "process_start_time_seconds"}, name
        assert told["process_resident_memory_bytes"] > 1 << 20
        assert 3 < told["process_open_fds"] < told["process_max_fds"]
    pid = deployment.pid_of("serve-0")
    with open(f"/proc/{pid}/stat") as f:
        ticks = float(f.read().rpartition(")")[2].split()[19])
    with open("/proc/stat") as f:
        boot = float(re.search(r"^btime (\d+)", f.read(), re.M)[1])
    started = boot + ticks / os.sysconf("SC_CLK_TCK")
    assert abs(roles["serve-0"]["process_start_time_seconds"] - started) < 3
    before = roles["serve-0"]["process_cpu_seconds_total"]

    def grows():
        for _ in range(20):
            console.get("/metrics")
        return own()["serve-0"]["process_cpu_seconds_total"] > before
    until(grows, "it counts on")


def test_a_dashboard_draws_every_metric_by_what_prometheus_takes(
        console, deployment, tmp_path):
    board = json.loads(deployment.command("describe", "dashboard").stdout)
    variables = {v["name"]: v for v in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert set(variables) == {"datasource", "job", "instance"}
    panels = board["panels"]
    ids = [p["id"] for p in panels]
    assert len(set(ids)) == len(ids)
    taken = set()
    for p in panels:
        at = p["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, p["title"]
        taken |= cells
    assert [p["title"] for p in panels if p["type"] == "row"] == [
        "Requests", "Metadata store", "Kept replies", "Duties",
        "Database instances", "Keys and certificates", "Processes"]
    drawn = [p for p in panels if p["type"] == "timeseries"]
    units = {p["title"]: p["fieldConfig"]["defaults"]["unit"] for p in drawn}
    assert units["process_resident_memory_bytes"] == "bytes"
    assert units["process_cpu_seconds_total"] == "percentunit"
    assert units["tls_certificate_expiry_timestamp_seconds"] == "s"
    assert units["store_statements_total"] == "ops"
    assert units["leases_held"] == "short"
    exprs = [t["expr"] for p in drawn for t in p["targets"]]
    for p in drawn:
        assert p["description"] and p["datasource"]["uid"] == "${datasource}"
    known = re.findall(r"^# TYPE (\S+) ", console.get("/metrics").text, re.M)
    for name in set(known) - {"metagate_build_info"}:
        assert any(name in e for e in exprs), name
    rules = {"groups": [{"name": "drawn", "rules": [
        {"record": f"x{i}", "expr": e.replace("$__rate_interval", "5m")}
        for i, e in enumerate(exprs)]}]}
    path = tmp_path / "drawn.yml"
    path.write_text(json.dumps(rules))
    assert f"{len(exprs)} rules found" in promtool("check", "rules", str(path))


def test_what_is_described_is_named(deployment):
    for words in ([], ["x"], ["dashboard", "x"]):
        r = deployment.command("describe", *words, check=False)
        assert r.returncode == 2 and r.stderr.startswith("usage: "), words


BACKUP = """INSERT INTO kunlun_backup (job_id, kind, cluster, shard, machine,
    target, path, gtid, domain, seq, begun_ms, ended_ms, bytes, sha256)
    VALUES (%s, 'storage', 'c', %s, 'm', 't', 'p', '', 0, 0, 0, %s, 0, '')"""
SERVER = """INSERT INTO kunlun_instance (uuid, machine, port, driver, kind,
    cluster, shard, path, client_user, client_secret, job_id, made_ms)
    VALUES (%s, '192.0.2.1', %s, 'mariadb', 'storage', 'c', %s, '', '', '', 0,
    0)"""


def backups(box, console, sql):
    """Told by whoever leads cluster.meta, and by nobody else."""
    def told():
        now = values(console)
        return (now["metagate_shards_without_backup"],
                now["metagate_backup_oldest_timestamp_seconds"])
    assert told() == (0, 0)
    for i, shard in enumerate("sst"):
        rows(sql, SERVER, f"u{i}", 2000 + i, shard)
    until(lambda: told() == (2, 0), "two shards, of three servers")
    rows(sql, BACKUP, 1, "s", 1234567)
    rows(sql, BACKUP, 2, "s", 2345678)
    until(lambda: told() == (1, 2345), "the newest of one")
    rows(sql, BACKUP, 3, "t", 1111111)
    until(lambda: told() == (0, 1111), "the shard that waits longest")
    rows(sql, "UPDATE kunlun_backup SET ended_ms = 3333333")
    until(lambda: told() == (0, 3333), "it follows")
    leader = value(sql, "SELECT owner FROM lease WHERE name = 'cluster.meta'")
    box.command("stop", "control-" + leader.split("@")[0])
    rows(sql, "DELETE FROM kunlun_backup")
    rows(sql, "DELETE FROM kunlun_instance")
    until(lambda: told() == (0, 0), "another leads")
    box.command("start", "control-" + leader.split("@")[0])


def nobody_leads(console, sql):
    """A lease that cannot be had, though the store can be read."""
    def leaderless():
        return values(console)["metagate_duties_leaderless"]
    until(lambda: leaderless() == 0, "all are led")
    rows(sql, "CREATE TRIGGER unled BEFORE UPDATE ON lease FOR EACH ROW"
              " IF NEW.name = 'cluster.meta' THEN"
              " SIGNAL SQLSTATE '45000'; END IF")
    try:
        until(lambda: leaderless() >= 1, "it shows", 90)
    finally:
        rows(sql, "DROP TRIGGER unled")
    until(lambda: leaderless() == 0, "it is over", 90)


def other_keys(box, console, sql):
    assert values(console)["metagate_key_mismatch"] == 0
    rows(sql, "UPDATE key_fingerprint SET fingerprint = REVERSE(fingerprint)")
    box.command("stop", "control-m2")
    box.command("start", "control-m2")
    until(lambda: values(console)["metagate_key_mismatch"] == 1, "it shows")
    rows(sql, "UPDATE key_fingerprint SET fingerprint = REVERSE(fingerprint)")
    until(lambda: values(console)["metagate_key_mismatch"] == 0, "it is over")


@pytest.mark.fault
def test_what_one_process_knows_of_backups_leaders_and_keys():
    box = Box()
    try:
        box.command("start")
        console, sql = box.client("console"), box.sql()
        backups(box, console, sql)
        other_keys(box, console, sql)
        nobody_leads(console, sql)
        sql.close()
    finally:
        box.close()


@pytest.mark.fault
def test_when_the_certificate_of_nginx_ends():
    with tempfile.TemporaryDirectory(prefix="metagate-pem.",
                                     dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        certificate_ends(f"{folder}/c.pem", f"{folder}/k.pem")


def certificate_ends(pem, key):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-subj", "/CN=t", "-days", "30", "-keyout", key, "-out",
                    pem], check=True, capture_output=True)
    said = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-in",
                           pem], check=True, capture_output=True, text=True)
    end = ssl.cert_time_to_seconds(said.stdout.strip().split("=")[1])
    os.chmod(key, 0o644)
    box = Box(METAGATE_NGINX_TLS_CERTIFICATE=pem,
              METAGATE_NGINX_TLS_KEY=key)
    try:
        box.command("start")
        host, port = box.address("console")
        tls = ssl._create_unverified_context()

        def told():
            r = http.client.HTTPSConnection(host, port, context=tls)
            r.request("GET", "/metrics", headers={
                "X-Metagate-Token": box.client("console").token})
            name = "metagate_tls_certificate_expiry_timestamp_seconds "
            return [line for line in r.getresponse().read().decode().split(
                "\n") if line.startswith(name)] == [f"{name}{end}"]
        until(told, f"{end}")
    finally:
        box.close()


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
        if name.startswith("process_"):
            continue  # of the process, as process_start_time_seconds tells
        if "_total" in name or "_count" in name:
            assert after[name] >= value, name
