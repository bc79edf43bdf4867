"""show_config and update_config: settings change in all processes at once."""

import json
import os
import signal

import pytest

from support.metaservice import MetaService
from support.store import rows
from support.waiting import until
from support.words import fresh

pytestmark = pytest.mark.config(METAGATE_AUDIT_KEEP_DAYS="90")

KEY = "doris.precommit_timeout_s"


@pytest.fixture(autouse=True)
def restored(deployment, sql):
    """No test sees what another has changed."""
    yield
    with sql.cursor() as c:
        c.execute("DELETE FROM config_change")
    ms = MetaService(deployment.client("doris", prefix="/MetaService/http"))
    until(lambda: everywhere(ms, KEY) == {"3600"}, "the file's value again")


def show(ms, **query):
    return ms.result("show_config", query=query, method="GET")


def value(ms, key):
    (_, _, text, _), = show(ms, conf_key=key)
    return text


def everywhere(ms, key):
    """What the workers say, each asked several times."""
    return {value(ms, key) for _ in range(12)}


def update(ms, configs, **more):
    ms.ok("update_config", query={"configs": configs, **more}, method="POST")


def test_all_settings_are_shown(ms, deployment):
    all_ = show(ms)
    printed = [line for line in deployment.command("config").stdout.split("\n")
               if line.startswith("#") and " = " in line
               or line.startswith("#") and line.endswith(" =")]
    assert len(all_) == len(printed) > 50
    rows_ = {name: rest for name, *rest in all_}
    assert rows_["serve.workers"] == ["int64_t", "2", False]
    assert rows_["mysql.log_own"] == ["bool", "false", False]
    assert rows_["mysql.database"] == ["std::string", "metagate", False]
    assert rows_["doris.retention_s"] == ["int64_t", "259200", True]
    assert rows_["core.log_level"] == ["std::string", "info", True]
    assert rows_["doris.cluster_name_check"] == ["bool", "true", True]
    assert rows_["audit.keep_days"] == ["int64_t", "90", True]


def test_one_setting_is_shown(ms):
    assert show(ms, conf_key=KEY) == [[KEY, "int64_t", "3600", True]]
    assert show(ms, conf_key="no_such") == []
    # under the name that Doris has for it
    assert show(ms, conf_key="retention_seconds") == [
        ["retention_seconds", "int64_t", "259200", True]]
    assert ms.scope("read").result("show_config", query={"conf_key": KEY})


def test_the_recycler_has_them_too(deployment):
    recycler = MetaService(deployment.client(
        "doris", prefix="/RecyclerService/http"))
    update(recycler, f"{KEY}=77")
    assert value(recycler, KEY) == "77"


@pytest.mark.parametrize("persist", [{}, {"persist": "true"}])
def test_a_change_is_everywhere(ms, deployment, persist):
    update(ms, f"{KEY}=60,doris.heartbeat_s = 7", reason="a test", **persist)
    # at once for whoever asks, in each process a moment later
    assert value(ms, KEY) == "60"
    assert value(ms, "doris.heartbeat_s") == "7"
    said = f"config.changed key={KEY} from=3600 to=60"
    for log in ("serve-0", "serve-1", "control-m1", "control-m2",
                "control-m3", f"supervise-{deployment.net}.2"):
        until(lambda: any(said in line for line in
                          deployment.log_lines(f"{log}.log")), log)


def test_a_setting_takes_effect(ms):
    iid = ms.instance()
    add = lambda: ms.send("add_cluster", {"instance_id": iid, "cluster": {
        "cluster_id": fresh("c"), "cluster_name": fresh("1-old-"),
        "type": "COMPUTE"}}).status
    assert add() == 400
    update(ms, "enable_cluster_name_check=false")
    until(lambda: {add() for _ in range(8)} == {200}, "any name is taken")
    update(ms, "doris.cluster_name_check=true")
    until(lambda: {add() for _ in range(8)} == {400}, "names are checked")


def test_the_log_level(ms, deployment):
    update(ms, "log_level=error")
    until(lambda: everywhere(ms, "log_level") == {"error"}, "everywhere")
    sizes = deployment.log_sizes()
    ms.instance()  # a mutation, which is logged from info on
    assert "request.done" not in deployment.log_since(sizes)
    update(ms, "log_level=info")
    until(lambda: ms.instance() and "request.done" in
          deployment.log_since(sizes), "mutations are logged again")


@pytest.mark.parametrize("configs, message", [
    (None, "query param `config` should not be empty"),
    ("", "query param `config` should not be empty"),
    ("aaa", "config aaa is invalid"),
    (f"{KEY}=", f"config {KEY}= is invalid"),
    (f"{KEY}=1=2", f"config {KEY}=1=2 is invalid"),
    (f"{KEY}=1,", "config  is invalid"),
    ("aaa=bbb", "config field=aaa not exists"),
    ("serve.workers=3", "config field=serve.workers is immutable"),
    (f"{KEY}=x", f"not supported to modify field={KEY}, value=x"),
    (f"{KEY}=0", f"not supported to modify field={KEY}, value=0"),
    (f"{KEY}=99999999999999999999",
     f"not supported to modify field={KEY}, value=99999999999999999999"),
    ("core.log_level=loud",
     "not supported to modify field=core.log_level, value=loud"),
    ("doris.unknown_op_ok=maybe",
     "not supported to modify field=doris.unknown_op_ok, value=maybe"),
    ("retention_seconds=1,doris.retention_s=2",
     "config field=doris.retention_s is given twice"),
    # all of them or none
    (f"{KEY}=60,serve.workers=3", "config field=serve.workers is immutable"),
])
def test_refusals(ms, sql, configs, message):
    ms.bad(message, "update_config", method="POST",
           query={} if configs is None else {"configs": configs})
    assert rows(sql, "SELECT * FROM config_change") == []


def test_who_may(ms):
    for scope in ("read", "write"):
        r = ms.scope(scope).send("update_config",
                                 query={"configs": f"{KEY}=60"})
        assert r.status == 403, r


def test_a_change_is_audited(ms, sql):
    r = ms.send("update_config", query={
        "configs": f"{KEY}=61,doris.heartbeat_s=8", "persist": "true",
        "reason": "because"})
    row, = rows(sql, "SELECT * FROM audit WHERE request_id = %s",
                r.headers["X-Request-Id"])
    assert row["target"] == "settings"
    assert json.loads(row["before_json"]) == {"configs": {
        KEY: "3600", "doris.heartbeat_s": "5"}}
    assert json.loads(row["after_json"]) == {"configs": {
        KEY: "61", "doris.heartbeat_s": "8"}}
    assert json.loads(row["request_json"])["reason"] == "because"


def restart_workers(deployment):
    for worker in ("serve-0", "serve-1"):
        pid = deployment.pid_of(worker)
        os.kill(pid, signal.SIGKILL)
        until(lambda: deployment.pid_of(worker) not in (None, pid), worker)


def test_what_outlives_what(ms, deployment):
    """A worker that comes back takes all over. A host that starts anew (what
    `up` and `init` note) forgets what was not to persist, even where the same
    setting was changed for good before."""
    update(ms, f"{KEY}=60", persist="true")
    update(ms, f"{KEY}=61,doris.heartbeat_s=9")
    restart_workers(deployment)
    assert everywhere(ms, KEY) == {"61"}
    assert everywhere(ms, "doris.heartbeat_s") == {"9"}
    deployment.command("init")
    restart_workers(deployment)
    assert everywhere(ms, KEY) == {"60"}
    assert everywhere(ms, "doris.heartbeat_s") == {"5"}
    # and what persists ends what does not
    update(ms, f"{KEY}=62")
    update(ms, f"{KEY}=63", persist="true")
    assert everywhere(ms, KEY) == {"63"}


def test_a_value_that_this_version_does_not_take(ms, deployment, sql):
    with sql.cursor() as c:
        c.execute("INSERT INTO config_change VALUES (%s, 1, 'x', 0),"
                  " ('no.such', 1, 'x', 0), ('serve.workers', 1, '9', 0)",
                  (KEY,))
    until(lambda: any(f"config.refused key={KEY} value=x" in line for line in
                      deployment.log_lines("serve-0.log")), "it is said")
    assert everywhere(ms, KEY) == {"3600"}
    assert value(ms, "serve.workers") == "2"
