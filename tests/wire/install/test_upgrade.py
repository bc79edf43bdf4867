"""A newer metagate migrates the store of one that goes on serving, stands
beside it, and goes away again."""

import os
import shutil
import subprocess
import tempfile

import pytest

from support import newer, store
from support.waiting import until
from support.worker import Worker

pytestmark = [pytest.mark.fault, pytest.mark.profile]

VERSION = "9.0.0"
COLUMN = """-- A column that older workers do not know.
--
-- min_reader: {reader}

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_instance'
--       AND COLUMN_NAME = '{column}'
ALTER TABLE doris_instance ADD COLUMN {column} INT NOT NULL DEFAULT 7;
"""


def ours():
    return max(int(n[:4]) for n in os.listdir(f"{newer.ROOT}/sql")
               if n[0].isdigit())


@pytest.fixture(scope="module")
def folder():
    """One that the account of a deployment can enter."""
    top = tempfile.mkdtemp(prefix="metagate-newer.", dir="/var/tmp")
    os.chmod(top, 0o755)
    yield top
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def admits(folder):
    """Its migration admits workers of our version."""
    return newer.binary(f"{folder}/a", VERSION, {
        "9000_more.sql": COLUMN.format(reader=ours(), column="more")})


@pytest.fixture(scope="module")
def refuses(folder):
    """Its migration does not."""
    return newer.binary(f"{folder}/r", VERSION, {
        "9100_other.sql": COLUMN.format(reader=9100, column="other")})


def run(deployment, binary, *args, check=True):
    """A command by another binary on the deployment's RUN_DIR."""
    done = subprocess.run(
        [binary, *deployment.argv(*args)[1:]], env=deployment.env(), cwd="/",
        capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture
def undo(sql):
    """The schema as it was."""
    yield
    for column, number in (("more", 9000), ("other", 9100)):
        store.rows(sql, f"ALTER TABLE doris_instance DROP COLUMN IF EXISTS"
                        f" {column}")
        store.rows(sql, "DELETE FROM schema_migration WHERE id = %s", number)


def restart(deployment, role):
    before = deployment.pid_of(role)
    deployment.command("stop", role)
    deployment.command("start", role)
    until(lambda: deployment.pid_of(role) not in (None, before), role)


def test_the_old_binary_serves_on_the_new_schema(
        deployment, doris, fresh, admits, undo):
    told = run(deployment, admits, "migrate", "--dry-run").stdout
    assert "9000_more step 1 of 1: to be done" in told
    assert f"binaries of schema version {ours()} and later serve it" in told
    one, two, three, four = (fresh("i") for _ in range(4))
    create = {"user_id": "u", "name": "n"}
    assert doris.put("create_instance", {
        **create, "instance_id": one}).status == 200
    run(deployment, admits, "migrate")

    # what ran goes on, and so does what is started again
    assert doris.put("create_instance", {
        **create, "instance_id": two}).status == 200
    for role in ("serve-0", "serve-1", "control-m1"):
        restart(deployment, role)
    deployment.wait_ready()
    assert doris.put("create_instance", {
        **create, "instance_id": three}).status == 200
    assert deployment.command("migrate").returncode == 0
    assert "0 steps" in deployment.command("migrate", "--dry-run").stdout

    # a new worker beside the old ones
    new = Worker(admits, deployment.run_dir, deployment.net, deployment.env())
    try:
        new.start()
        path = "/MetaService/http/get_instance?instance_id="
        for iid in (one, two, three):
            r = new.ask(path + iid, listener="doris")
            assert r.status == 200, r
        body = ('{"instance_id":"%s","user_id":"u","name":"n"}' % four).encode()
        assert new.ask("/MetaService/http/create_instance", body,
                       listener="doris", method="PUT").status == 200
        assert new.stop() == 0
    finally:
        new.end()

    # and back: what the new one wrote is read by the old ones
    for _ in range(4):
        r = doris.get("get_instance", query={"instance_id": four})
        assert r.json["result"]["instance_id"] == four


def test_a_migration_that_the_old_binary_would_misread_says_so_before(
        deployment, refuses, undo):
    told = run(deployment, refuses, "migrate", "--dry-run").stdout
    assert "binaries of schema version 9100 and later serve it" in told
    run(deployment, refuses, "migrate")
    done = deployment.command("check", check=False)
    assert done.returncode == 1
    assert "the schema wants version 9100" in done.stdout
    old = Worker(deployment.binary, deployment.run_dir, deployment.net,
                 deployment.env())
    try:
        old.start(wait=False)
        assert old.ended() == 1
        assert "install a newer metagate" in old.log()
    finally:
        old.end()


def test_each_binary_tells_which_schema_it_knows(deployment, admits):
    for binary, version, schema in (
            (admits, VERSION, 9000), (deployment.binary, "0.1.0", ours())):
        told = run(deployment, binary, "--version").stdout
        assert told.startswith(f"metagate {version}, schema {schema}, ")
