"""`metagate check` finds what was spoilt, and says what to do about it."""

import json
import os
import shutil
import subprocess

import pytest

from support import preload
from support.load import Load
from support.store import rows
from support.waiting import until

WHATS = {"config", "files", "token", "key", "disk", "children", "instances",
         "listener", "nginx", "store", "settings", "confine", "clock", "schema",
         "audit", "hosts", "leases"}


def check(deployment, *args):
    """(exit status, {what: [line, ...]}) of -o json."""
    done = deployment.command("check", "-o", "json", *args, check=False)
    lines = json.loads(done.stdout)
    found = {}
    for line in lines:
        assert set(line) == {"check", "result", "fact", "cure"}
        assert line["result"] in ("ok", "warn", "fail")
        # what is not well comes with something to do
        assert bool(line["cure"]) == (line["result"] != "ok"), line
        found.setdefault(line["check"], []).append(line)
    return done.returncode, found


def not_well(deployment):
    status, found = check(deployment)
    bad = [line for lines in found.values() for line in lines
           if line["result"] != "ok"]
    assert status == (1 if any(b["result"] == "fail" for b in bad) else 0)
    return bad


def spoilt(deployment, what, *words):
    """The one line that fails: it must be of that kind and name the words."""
    bad = [b for b in not_well(deployment) if b["result"] == "fail"]
    assert {b["check"] for b in bad} - {"key"} == {what}, bad
    for word in words:
        assert any(word in b["fact"] + b["cure"] for b in bad), bad


def test_a_running_deployment_is_well(deployment):
    status, found = check(deployment)
    assert status == 0, found
    assert set(found) == WHATS
    assert {line["result"] for lines in found.values() for line in lines} \
        <= {"ok", "warn"}  # a small disk is a warning
    said = " ".join(line["fact"] for line in found["listener"])
    for name in ("console", "doris", "pegasus-meta/m2"):
        host, port = deployment.address(name)
        assert f"{name} answers on {host}:{port}" in said


def test_each_line_for_people_begins_with_its_verdict(deployment, fails=0):
    done = deployment.command("check", check=False)
    lines = [line.split()[:2] for line in done.stdout.splitlines()]
    assert all(verdict in ("ok", "warn", "fail") and what in WHATS
               for verdict, what in lines), done.stdout
    assert [verdict for verdict, _ in lines].count("fail") == fails


@pytest.mark.parametrize("args", [["-o"], ["-o", "yaml"], ["x"]])
def test_other_arguments_are_refused(deployment, args):
    done = deployment.command("check", *args, check=False)
    assert done.returncode == 2 and "usage" in done.stderr


@pytest.mark.parametrize("name, mode", [
    ("key", 0o644), ("tokens.map", 0o640), ("token", 0o604),
    ("secret", 0o660), ("curlrc", 0o644), ("", 0o755), ("s", 0o777),
    ("metagate.ini", 0o666), ("repl.password", 0o640),
    ("s/serve-1.sock", 0o666)])
def test_a_file_that_others_can_read_is_found(deployment, name, mode):
    path = deployment.path(name).rstrip("/")
    before = os.stat(path).st_mode
    os.chmod(path, mode)
    try:
        spoilt(deployment, "files", path, "chmod")
    finally:
        os.chmod(path, before)


def test_every_file_that_others_can_read_is_named(deployment):
    paths = [deployment.path(name) for name in ("key", "secret", "s")]
    before = [os.stat(path).st_mode for path in paths]
    for path in paths:
        os.chmod(path, 0o755)
    try:
        said = [b["fact"] for b in not_well(deployment)
                if b["check"] == "files"]
        assert len(said) == len(paths)
        assert all(path in fact for path, fact in zip(paths, said)), said
    finally:
        for path, mode in zip(paths, before):
            os.chmod(path, mode)


@pytest.mark.parametrize("name", ["token", "key", "secret", "tokens.map"])
def test_a_missing_file_is_found(deployment, name):
    path = deployment.path(name)
    os.rename(path, path + ".away")
    try:
        bad = {b["check"] for b in not_well(deployment)}
        assert "files" in bad
    finally:
        os.rename(path + ".away", path)


def test_a_key_that_is_not_the_store_s_is_found(deployment):
    path = deployment.path("key")
    os.rename(path, path + ".away")
    shutil.copy(path + ".away", path)
    shutil.chown(path, *deployment_owner(path + ".away"))
    with open(path, "w") as f:
        f.write("1 " + 64 * "a" + "\n")
    try:
        bad = [b for b in not_well(deployment) if b["check"] == "key"]
        assert len(bad) == 1 and "put back the key file" in bad[0]["fact"]
    finally:
        os.rename(path + ".away", path)


def deployment_owner(path):
    st = os.stat(path)
    return st.st_uid, st.st_gid


def test_a_token_that_is_none_is_found(deployment):
    path = deployment.path("token")
    with open(path) as f:
        before = f.read()
    with open(path, "w") as f:
        f.write("nope\n")
    try:
        spoilt(deployment, "token", "64 lower-case hex digits", "token add")
    finally:
        with open(path, "w") as f:
            f.write(before)


def test_a_token_file_that_is_not_in_the_map_is_found(deployment):
    path = deployment.path("token")
    with open(path) as f:
        before = f.read()
    with open(path, "w") as f:
        f.write("ab" * 32 + "\n")
    try:
        spoilt(deployment, "token", "tokens.map")
    finally:
        with open(path, "w") as f:
            f.write(before)


def test_a_setting_that_loses_writes_is_found(deployment, sql):
    rows(sql, "SET GLOBAL innodb_flush_log_at_trx_commit = 0")
    try:
        spoilt(deployment, "settings", "innodb_flush_log_at_trx_commit = 0",
               "set it to 1")
    finally:
        rows(sql, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")


@pytest.mark.fault
def test_a_server_that_takes_no_writes_is_found(deployment, sql):
    rows(sql, "SET GLOBAL read_only = 1")
    try:
        spoilt(deployment, "settings", "read_only = 1", "primary")
        health = deployment.client("console").get("/healthz")
        assert (health.status, health.json) == (
            200, {"status": "ok", "read_only": True})
    finally:
        rows(sql, "SET GLOBAL read_only = 0")
    rows(sql, "SET GLOBAL tx_read_only = 1")
    try:
        spoilt(deployment, "settings", "tx_read_only = 1", "primary")
    finally:
        rows(sql, "SET GLOBAL tx_read_only = 0")


def test_every_setting_that_is_wrong_is_named(deployment, sql):
    names = ("sync_binlog", "innodb_strict_mode")
    for name in names:
        rows(sql, f"SET GLOBAL {name} = 0")
    try:
        said = [b["fact"] for b in not_well(deployment)
                if b["check"] == "settings"]
        assert sorted(said) == sorted(f"{name} = 0" for name in names)
    finally:
        for name in names:
            rows(sql, f"SET GLOBAL {name} = 1")


def test_a_configuration_that_nginx_refuses_is_found(deployment):
    path = deployment.path("nginx", "limits.conf")
    with open(path) as f:
        before = f.read()
    with open(path, "a") as f:
        f.write("no_such_directive;\n")
    try:
        spoilt(deployment, "nginx", "no_such_directive")
        # still one line for each
        test_each_line_for_people_begins_with_its_verdict(deployment, 1)
    finally:
        with open(path, "w") as f:
            f.write(before)


def test_a_mistake_in_the_configuration_is_named(deployment):
    env = {**deployment.env(), "METAGATE_SERVE_WORKERS": "0"}
    done = subprocess.run(deployment.argv("check", "-o", "json"),
                          capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 1 and done.stderr == ""
    line, = json.loads(done.stdout)
    assert (line["check"], line["result"]) == ("config", "fail")
    assert "METAGATE_SERVE_WORKERS" in line["fact"] and line["cure"]


def test_where_nothing_lies_one_line_says_so(deployment):
    done = subprocess.run([deployment.binary, "--run-dir", "/var/tmp/none",
                           "check", "-o", "json"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1
    line, = json.loads(done.stdout)
    assert line["fact"] == "/var/tmp/none: No such file or directory"
    assert "--run-dir" in line["cure"]


@pytest.mark.fault
def test_a_child_that_does_not_run_is_found(deployment):
    deployment.command("stop", "serve-1")
    try:
        line, = not_well(deployment)
        assert (line["check"], line["result"]) == ("children", "warn")
        assert "serve-1 is stopped" in line["fact"]
        assert "metagate start serve-1" in line["cure"]
    finally:
        deployment.command("start", "serve-1")


def test_a_deployment_that_does_no_duty_is_found(deployment):
    names = ["control-m1", "control-m2", "control-m3", "capture-c1",
             "capture-c2"]
    for name in names:
        deployment.command("stop", name)
    try:
        sql = deployment.sql()
        until(lambda: rows(sql, "SELECT name FROM lease WHERE expires_ms >="
                           " UNIX_TIMESTAMP(NOW(3)) * 1000") == [],
              "the last one has run out")
        spoilt(deployment, "leases", "no process holds a lease",
               "metagate start control-m1")
    finally:
        for name in names:
            deployment.command("start", name)


@pytest.mark.fault
def test_a_store_that_is_down_is_found(deployment):
    deployment.command("stop", "mariadb")
    try:
        bad = [b for b in not_well(deployment) if b["result"] == "fail"]
        assert [b["check"] for b in bad] == ["store"]
        assert "metagate status" in bad[0]["cure"]
    finally:
        deployment.command("start", "mariadb")


@pytest.mark.fault
def test_listeners_that_nobody_serves_are_found(deployment):
    deployment.command("stop", "nginx")
    try:
        spoilt(deployment, "listener", "doris does not answer",
               "metagate status")
    finally:
        deployment.command("start", "nginx")
    until(lambda: not [b for b in not_well(deployment)
                       if b["check"] == "listener"])


@pytest.mark.profile
@pytest.mark.parametrize("ahead_s, result", [
    (0, "ok"), (3, "warn"), (-3, "warn"), (3600, "fail"), (-3600, "fail")])
def test_a_difference_of_clocks_is_found(deployment, ahead_s, result):
    env = {**deployment.env(),
           **preload.environment("clock", clock_ahead_s=ahead_s)}
    done = subprocess.run(deployment.argv("check", "-o", "json"),
                          capture_output=True, text=True, env=env, timeout=60)
    line, = [x for x in json.loads(done.stdout) if x["check"] == "clock"]
    assert line["result"] == result, line
    assert ("NTP" in line["cure"]) == (result != "ok")


def test_a_namesake_on_another_host_is_found(deployment, sql):
    for owner, bad in (("m1@elsewhere/0", True), ("m9@elsewhere/0", False)):
        rows(sql, "UPDATE lease SET owner = %s, epoch = epoch + 1, expires_ms ="
             " UNIX_TIMESTAMP() * 1000 + 60000 WHERE name = 'cluster.audit'",
             owner)
        if bad:
            spoilt(deployment, "leases", owner, "--id")
        else:
            assert "leases" not in {b["check"] for b in not_well(deployment)}


def test_a_control_that_sees_another_host_than_we_is_no_namesake(
        deployment, sql):
    """One locked up in a container: what it takes the host for, it notes."""
    path, other = deployment.path("control-m1.lock"), "m1@elsewhere/0"
    with open(path) as f:
        noted = f.read()
    assert noted.startswith("m1@")
    rows(sql, "UPDATE lease SET owner = %s, epoch = epoch + 1, expires_ms ="
         " UNIX_TIMESTAMP() * 1000 + 60000 WHERE name = 'cluster.audit'", other)
    try:
        with open(path, "w") as f:
            f.write(other)
        bad = [b for b in not_well(deployment) if b["check"] == "leases"]
        assert "cluster.audit" not in str(bad)
    finally:
        with open(path, "w") as f:
            f.write(noted)
    spoilt(deployment, "leases", other, "--id")
    rows(sql, "UPDATE lease SET expires_ms = 0 WHERE name = 'cluster.audit'")


@pytest.mark.parametrize("listen, bad", [
    ("console={net}.1:8080 node_mgr={net}.1:9998", True),
    ("console={net}.1:8080 node_mgr={net}.1:9999", False),
    ("node_mgr=127.70.1.1:9998", False), ("", False)])
def test_a_host_that_speaks_for_our_machine_is_found(deployment, sql, listen,
                                                     bad):
    def live(connection):  # a row that stands unchanged is soon removed
        rows(connection, """INSERT INTO coherence_host VALUES ('other', 1, 0,
            UNIX_TIMESTAMP() * 1000 + 600000, 'elsewhere', '0', %s)
            ON DUPLICATE KEY UPDATE expires_ms = expires_ms + 1""",
             listen.format(net=deployment.net))

    live(sql)
    renewing = deployment.sql()
    load = Load(1, lambda _: (live(renewing), load.ended.wait(0.3)))
    try:
        with load:
            if bad:
                spoilt(deployment, "hosts", "another host speaks for machine "
                       f"{deployment.net}.1: elsewhere")
            else:
                assert "hosts" not in {b["check"]
                                       for b in not_well(deployment)}
    finally:
        rows(sql, "DELETE FROM coherence_host WHERE host = 'other'")
        renewing.close()


def test_a_schema_of_another_deployment_is_found(deployment):
    path = deployment.path("deployment_id")
    with open(path) as f:
        before = f.read()
    with open(path, "w") as f:
        f.write("0" * len(before.rstrip("\n")) + "\n")
    try:
        spoilt(deployment, "schema", "deployment")
    finally:
        with open(path, "w") as f:
            f.write(before)


@pytest.mark.config(METAGATE_NGINX_REPLY_TEMP_KIB="1048576",
                    METAGATE_NGINX_CLIENT_CONNECTIONS="65535")
def test_slow_clients_that_may_fill_the_disk_are_told(deployment):
    (bad,) = [b for b in not_well(deployment)
              if b["check"] == "disk" and "slow clients" in b["fact"]]
    assert bad["result"] == "warn"
    assert "reply_temp_kib" in bad["cure"]


@pytest.mark.config(METAGATE_SERVE_CONFINE="no")
def test_workers_that_are_left_free_are_told(deployment):
    (bad,) = [b for b in not_well(deployment) if b["check"] == "confine"]
    assert bad["result"] == "warn"
    assert bad["fact"].count("serve-0, serve-1") == 2
    assert "[serve] confine = yes" in bad["cure"]
    # what is written is not yet what they have
    environment = {**deployment.env(), "METAGATE_SERVE_CONFINE": "yes"}
    done = subprocess.run(deployment.argv("check", "-o", "json"), text=True,
                          capture_output=True, env=environment, timeout=60)
    (line,) = [x for x in json.loads(done.stdout) if x["check"] == "confine"]
    assert (line["result"], line["fact"]) == ("warn", bad["fact"])
    assert "start them again" in line["cure"]
