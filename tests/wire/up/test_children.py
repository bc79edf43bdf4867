"""What dies is started again, what is stopped stays stopped."""

import json
import os
import pwd
import re
import signal
import stat

import pytest

from support import processes
from support.metaservice import MetaService
from support.waiting import until

pytestmark = pytest.mark.fault


def status(deployment):
    done = deployment.command("status", "-o", "json")
    return {c["name"]: c for c in json.loads(done.stdout)["children"]}


def serving(deployment, times=4):
    """Also on each worker in turn."""
    console = deployment.client("console", token=None)
    return all(console.get("/healthz").status == 200 for _ in range(times))


@pytest.mark.parametrize("role, child", [
    ("serve-0", "serve-0"), ("nginx", "nginx"), ("mariadb", "mariadb")])
def test_a_killed_child_is_replaced_and_serves(deployment, role, child):
    old = deployment.pid_of(role)
    restarts = status(deployment)[child]["restarts"]
    processes.kill(old)
    until(lambda: deployment.pid_of(role) not in (None, old), f"new {role}")
    until(lambda: serving(deployment), "serving again")
    until(lambda: status(deployment)[child]["state"] == "running", "running")
    assert status(deployment)[child]["restarts"] == restarts + 1
    assert not processes.alive(old)


def test_no_worker_of_a_killed_nginx_lives_on(deployment):
    def workers():
        return {pid for pid, argv in processes.below(
            deployment.run_dir).items() if "nginx: worker" in argv[0]}

    old = workers()
    assert old
    processes.kill(deployment.pid_of("nginx"))
    until(lambda: serving(deployment), "serving again")
    assert not old & workers()
    assert not any(processes.alive(pid) for pid in old)


def test_a_frozen_child_holds_up_no_other(deployment):
    frozen, killed = deployment.pid_of("serve-0"), deployment.pid_of("serve-1")
    os.kill(frozen, signal.SIGSTOP)
    try:
        processes.kill(killed)
        until(lambda: deployment.pid_of("serve-1") not in (None, killed),
              "a new serve-1")
        assert deployment.pid_of("serve-0") == frozen
    finally:
        os.kill(frozen, signal.SIGCONT)
    until(lambda: serving(deployment), "serving again")


def test_a_stopped_worker_stays_out_until_it_is_started(deployment):
    deployment.command("stop", "serve-0")
    try:
        assert status(deployment)["serve-0"]["state"] == "stopped"
        assert deployment.pid_of("serve-0") is None
        assert deployment.pid_of("serve-1") is not None
    finally:
        deployment.command("start", "serve-0")
    assert status(deployment)["serve-0"]["state"] == "running"
    assert deployment.pid_of("serve-0") is not None
    assert serving(deployment)


def test_a_frozen_child_can_be_stopped(deployment):
    os.kill(deployment.pid_of("serve-1"), signal.SIGSTOP)
    deployment.command("stop", "serve-1")
    assert deployment.pid_of("serve-1") is None
    deployment.command("start", "serve-1")
    until(lambda: serving(deployment), "serving again")


def test_without_its_database_the_deployment_says_so_and_recovers(deployment):
    console = deployment.client("console", token=None)
    deployment.command("stop", "mariadb")
    try:
        assert console.get("/healthz").status == 503
    finally:
        deployment.command("start", "mariadb-0")
    until(lambda: serving(deployment), "serving again")


@pytest.mark.parametrize("name", ["serve-99", "nosuch", "migrate", "serve"])
def test_only_children_that_there_are_can_be_stopped(deployment, name):
    done = deployment.command("stop", name, check=False)
    assert done.returncode == 1
    assert "no such child" in done.stderr


def test_a_second_start_is_refused_in_one_line(deployment):
    done = deployment.command("up", check=False)
    up = deployment.pid_of("up")
    assert done.returncode == 1
    assert f"already (pid {up})" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert serving(deployment)


SECRET = {"token", "tokens.map", "curlrc", "key", "secret", "repl.password",
          "mysql.password", "mariadb-init.sql"}


def test_nobody_else_can_read_what_is_secret(deployment):
    account = os.stat(deployment.run_dir).st_uid
    assert stat.S_IMODE(os.stat(deployment.run_dir).st_mode) == 0o750
    for name in SECRET:
        st = os.stat(deployment.path(name))
        assert (name, stat.S_IMODE(st.st_mode)) == (name, 0o600)
        assert st.st_uid == account
    sockets = os.listdir(deployment.path("s"))
    assert {"serve-0.sock", "control.sock"} <= set(sockets)
    for name in sockets:
        if name.startswith("serve-"):
            mode = os.stat(deployment.path("s", name)).st_mode
            assert stat.S_IMODE(mode) == 0o660
    control = os.stat(deployment.path("s", "control.sock")).st_mode
    assert stat.S_IMODE(control) == 0o600


def test_nothing_below_the_deployment_is_open_to_others(deployment):
    for top, dirs, files in os.walk(deployment.run_dir):
        for name in dirs + files:
            path = os.path.join(top, name)
            mode = os.lstat(path).st_mode
            # MariaDB chooses modes inside its own folder, which is 0700
            if stat.S_ISLNK(mode) or path.startswith(
                    deployment.path("mysql") + "/") or \
                    path == deployment.path("s", "mysql.sock"):
                continue
            assert not mode & 0o007, path


def test_no_process_is_root_and_none_can_become_it(deployment):
    account = os.stat(deployment.run_dir).st_uid
    assert account != 0
    pids = [pid for pid in processes.below(deployment.run_dir)]
    assert len(pids) >= 5
    for pid in pids:
        with open(f"/proc/{pid}/status") as f:
            text = f.read()
        ids = re.search(r"^Uid:\s+(.*)$", text, re.M)[1].split()
        assert set(ids) == {str(account)}, (pid, ids)
        assert re.search(r"^CapEff:\s+0+$", text, re.M), pid
        assert re.search(r"^NoNewPrivs:\s+1$", text, re.M), pid


def test_no_secret_stands_on_a_command_line_or_in_an_environment(deployment):
    secrets = []
    for name in SECRET - {"tokens.map", "curlrc", "mariadb-init.sql"}:
        with open(deployment.path(name)) as f:
            secrets += [w.encode() for w in f.read().split() if len(w) > 16]
    assert len(secrets) >= 4
    for pid in processes.below(deployment.run_dir):
        for what in "cmdline", "environ":
            with open(f"/proc/{pid}/{what}", "rb") as f:
                text = f.read()
            assert not [s for s in secrets if s in text], (pid, what)


@pytest.mark.config(METAGATE_MYSQL_PORT="13306")
def test_the_database_lets_nobody_in_without_a_password(deployment):
    import pymysql
    for user in ("root", "metagate", "repl", "", "mysql"):
        with pytest.raises(pymysql.err.OperationalError) as e:
            pymysql.connect(host=deployment.net + ".1", port=13306, user=user)
        assert e.value.args[0] in (1045, 1698)


def test_our_account_in_the_database_has_the_printed_grants_alone(
        deployment, doris, sql):
    assert MetaService(doris).instance()
    printed = re.search(r"GRANT (.*)\n +ON ", deployment.command(
        "init", "--print-grants").stdout)[1]
    with sql.cursor() as c:
        c.execute("SELECT DISTINCT user FROM information_schema.PROCESSLIST"
                  " WHERE db = 'metagate' AND ID <> CONNECTION_ID()")
        assert [row["user"] for row in c.fetchall()] == ["metagate_app"]
        c.execute("SHOW GRANTS FOR metagate_app@localhost")
        given = sorted(v for row in c.fetchall() for v in row.values())
    assert len(given) == 3, given
    for grant, schema in zip(given, ("Kunlun_Metadata_DB", "metagate")):
        listed, _, where = grant.removeprefix("GRANT ").partition(" ON ")
        assert set(listed.split(", ")) == set(printed.split(", "))
        assert where.startswith(f"`{schema}`.* TO ")
    assert given[2].startswith("GRANT USAGE ON *.* TO ")


@pytest.mark.fault
def test_a_server_for_reading_only_refuses_us_too(deployment, doris, sql):
    """An account with ALL PRIVILEGES writes through read_only."""
    service = MetaService(doris)
    iid = service.instance()
    with sql.cursor() as c:
        c.execute("SET GLOBAL read_only = 1")
    try:
        r = doris.put("drop_instance", {"instance_id": iid})
        assert (r.status, r.headers["Retry-After"]) == (503, "1"), r
    finally:
        with sql.cursor() as c:
            c.execute("SET GLOBAL read_only = 0")
    service.ok("drop_instance", {"instance_id": iid})


@pytest.mark.config(METAGATE_MYSQL_PORT="13306")
def test_repl_reads_the_binlog_of_other_schemas_only(deployment):
    import pymysql
    with open(deployment.path("repl.password")) as f:
        repl = pymysql.connect(host=deployment.net + ".1", port=13306,
                               user="repl", password=f.read().strip())
    with repl.cursor() as c:
        c.execute("SHOW MASTER STATUS")
        ignored = c.fetchone()[3]
        c.execute("SELECT @@binlog_format, @@binlog_row_image,"
                  " @@binlog_row_metadata")
        assert c.fetchone() == ("ROW", "FULL", "FULL")
    repl.close()
    assert ignored.split(",") == ["metagate", "Kunlun_Metadata_DB"]


def test_the_account_is_the_system_user_when_root_starts_it(deployment):
    expected = "metagate" if os.geteuid() == 0 else \
        pwd.getpwuid(os.geteuid()).pw_name
    owner = os.stat(deployment.run_dir).st_uid
    assert pwd.getpwuid(owner).pw_name == expected
