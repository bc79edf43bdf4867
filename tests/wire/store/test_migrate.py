"""metagate migrate: alone, many at once, killed and stopped in the middle."""

import os
import re
import signal
import subprocess
import tempfile

import pytest

from support.deployment import ROOT
from support.migrations import steps
from support.waiting import until

pytestmark = pytest.mark.fault

STEPS = steps()
NAMES = [f"{s.file}-{s.step}" for s in STEPS]
LOCKED = STEPS[3:]  # the first three make what the lock needs


def done(process):
    out = process.communicate(timeout=120)[0]
    assert "Sanitizer" not in out and "runtime error" not in out, out
    return process.returncode, out


def applied(store):
    return [(r["id"], r["step"]) for r in store.rows(
        "SELECT id, step FROM schema_migration"
        " WHERE finished_ms IS NOT NULL ORDER BY id, step")]


def tables(store):
    """The schema as the server tells it, without moving parts."""
    names = [next(iter(r.values())) for r in store.rows("SHOW TABLES")]
    return {n: re.sub(r" AUTO_INCREMENT=\d+", "", store.rows(
        f"SHOW CREATE TABLE `{n}`")[0]["Create Table"]) for n in names}


def create(store):
    for schema in (store.schema, "Kunlun_Metadata_DB"):
        store.rows(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4"
                   " COLLATE utf8mb4_bin", database=False)


def expire_lock(store):
    """What ten seconds would do."""
    store.rows("UPDATE lease SET expires_ms = 0")


def deployment_id(store):
    with open(os.path.join(store.run_dir, "deployment_id")) as f:
        return f.read().strip()


ALL = [(s.id, s.step) for s in STEPS]


def test_an_absent_schema_is_created_and_migrated_once(bare):
    assert done(bare.migrate())[0] == 0
    assert applied(bare) == ALL
    schema = bare.rows("SELECT * FROM information_schema.SCHEMATA WHERE"
                       " SCHEMA_NAME = %s", bare.schema, database=False)[0]
    assert schema["DEFAULT_COLLATION_NAME"] == "utf8mb4_bin"
    code, out = done(bare.migrate())
    assert code == 0 and "0 steps done" in out


def test_a_dry_run_tells_all_steps_and_changes_nothing(bare):
    code, out = done(bare.migrate("--dry-run"))
    assert code == 0 and f"{len(ALL)} steps to be done" in out
    assert not bare.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE"
                         " SCHEMA_NAME = %s", bare.schema, database=False)
    assert os.listdir(bare.run_dir) == []
    done(bare.migrate())
    bare.rows("DELETE FROM schema_migration WHERE id = 1 AND step = 4")
    before = tables(bare)
    code, out = done(bare.migrate("--dry-run"))
    assert code == 0 and "1 step to be done" in out
    assert tables(bare) == before


@pytest.mark.parametrize("arguments", [["--dry"], ["--dry-run", "x"], ["x"]])
def test_unknown_arguments_are_refused(bare, arguments):
    assert done(bare.migrate(*arguments))[0] == 2


def test_every_probe_sees_its_step_and_only_after_it(bare):
    create(bare)
    for s in STEPS:
        assert bare.value(s.probe) in (None, 0), s
        bare.rows(s.ddl)
        assert bare.value(s.probe) == 1, s


def test_tables_made_by_hand_are_adopted(bare):
    create(bare)
    for s in STEPS:
        bare.rows(s.ddl)
    before = tables(bare)
    code, out = done(bare.migrate())
    assert code == 0 and out.count("was done") == len(ALL)
    assert tables(bare) == before and applied(bare) == ALL


def test_eight_migrators_at_once_all_succeed(bare):
    migrators = [bare.migrate() for _ in range(8)]
    results = [done(m) for m in migrators]
    assert [code for code, _ in results] == [0] * 8, results
    assert applied(bare) == ALL
    # each step was done under one lock, once
    assert sum(out.count(": done\n") + out.count(": was done\n")
               for _, out in results) == len(ALL)


@pytest.mark.parametrize("step", LOCKED, ids=NAMES[3:])
def test_killed_before_a_step_another_goes_on(bare, step):
    first_line = re.escape(step.ddl.split("\n")[0])
    held = bare.proxy.hold("^" + first_line)
    first = bare.migrate(hosts=bare.proxy.hosts)
    held.wait()
    session = bare.value("SELECT session_id FROM schema_migration"
                         " WHERE finished_ms IS NULL")
    assert session
    first.kill()
    first.communicate()
    assert (step.id, step.step) not in applied(bare)
    expire_lock(bare)
    assert done(bare.migrate())[0] == 0
    assert applied(bare) == ALL
    # what is still on its way to the server finds no session there
    assert not bare.rows("SELECT 1 FROM information_schema.PROCESSLIST"
                         " WHERE ID = %s", session)
    before = tables(bare)
    held.release()
    assert tables(bare) == before


@pytest.mark.parametrize("step", LOCKED, ids=NAMES[3:])
def test_killed_after_a_step_another_goes_on(bare, step):
    first_line = re.escape(step.ddl.split("\n")[0])
    rule = bare.proxy.mute("^" + first_line)
    first = bare.migrate(hosts=bare.proxy.hosts)
    rule.wait()
    until(lambda: bare.value(step.probe) == 1)
    first.kill()
    first.communicate()
    expire_lock(bare)
    code, out = done(bare.migrate())
    assert code == 0 and f"{step.id:04}_" in out
    assert applied(bare) == ALL


def test_of_eight_at_once_one_is_killed_midway(bare):
    step = LOCKED[len(LOCKED) // 2]
    held = bare.proxy.hold("^" + re.escape(step.ddl.split("\n")[0]))
    first = bare.migrate(hosts=bare.proxy.hosts)
    held.wait()
    others = [bare.migrate() for _ in range(7)]
    first.kill()
    first.communicate()
    expire_lock(bare)
    results = [done(m) for m in others]
    assert [code for code, _ in results] == [0] * 7, results
    assert applied(bare) == ALL
    # what the first had left was done by one of them, once
    before, left = tables(bare), ALL[ALL.index((step.id, step.step)):]
    assert sum(out.count(": done\n") for _, out in results) == len(left)
    held.release()
    assert tables(bare) == before


def test_killed_between_the_first_tables_another_goes_on(bare):
    for s in STEPS[:3]:
        held = bare.proxy.hold("^" + re.escape(s.ddl.split("\n")[0]))
        first = bare.migrate(hosts=bare.proxy.hosts)
        held.wait()
        first.kill()
        first.communicate()
        held.release()
    assert done(bare.migrate())[0] == 0
    assert applied(bare) == ALL


def test_one_that_was_only_asleep_changes_nothing_afterwards(bare):
    step = STEPS[3]
    held = bare.proxy.hold("^" + re.escape(step.ddl.split("\n")[0]))
    sleeper = bare.migrate(hosts=bare.proxy.hosts)
    held.wait()
    sleeper.send_signal(signal.SIGSTOP)
    expire_lock(bare)
    assert done(bare.migrate())[0] == 0
    before = tables(bare)
    epoch = bare.value("SELECT MAX(epoch) FROM schema_migration")
    held.release()
    sleeper.send_signal(signal.SIGCONT)
    code, out = done(sleeper)
    assert code == 0 and "the lock went to another migrator" in out
    assert tables(bare) == before and applied(bare) == ALL
    assert bare.value("SELECT MAX(epoch) FROM schema_migration") == epoch


def test_a_second_migrator_waits_for_the_first(bare):
    held = bare.proxy.hold("^" + re.escape(STEPS[3].ddl.split("\n")[0]))
    first = bare.migrate(hosts=bare.proxy.hosts)
    held.wait()
    second = bare.migrate()
    assert "another migrator is at work" in second.stdout.readline()
    # the first renews its lease for as long as its statement takes
    taken = bare.value("SELECT expires_ms FROM lease")
    until(lambda: bare.value("SELECT expires_ms FROM lease") > taken)
    assert second.poll() is None
    held.release()
    assert done(first)[0] == 0 and done(second)[0] == 0
    assert bare.value("SELECT MIN(epoch) = MAX(epoch) FROM schema_migration")


def test_a_lock_not_obtained_is_tried_again(bare):
    """Requests hold a table for a moment: our DDL gives up and tries again,
    rather than make all that come after it wait."""
    pattern = "^" + re.escape(STEPS[3].ddl.split("\n")[0])
    rules = [bare.proxy.answer(pattern, 1205, "Lock wait timeout exceeded")
             for _ in range(2)]
    code, out = done(bare.migrate(hosts=bare.proxy.hosts))
    assert code == 0, out
    for rule in rules:
        rule.wait()
    assert applied(bare) == ALL


def test_the_server_may_restart_during_a_step(bare):
    held = bare.proxy.hold("^" + re.escape(STEPS[3].ddl.split("\n")[0]))
    first = bare.migrate(hosts=bare.proxy.hosts)
    held.wait()
    bare.server.kill()
    bare.server.start()
    assert done(first)[0] == 0
    assert applied(bare) == ALL


def test_a_schema_of_another_deployment_is_refused(store):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as other:
        code, out = done(store.migrate(run_dir=other))
        assert code == 1 and "belongs to deployment" in out
        # copying the file joins the two
        with open(os.path.join(other, "deployment_id"), "w") as f:
            f.write(deployment_id(store))
        assert done(store.migrate(run_dir=other))[0] == 0


def test_two_deployments_racing_for_a_schema_only_one_gets_it(bare):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as other:
        both = [bare.migrate(), bare.migrate(run_dir=other)]
        assert sorted(done(m)[0] for m in both) == [0, 1]


@pytest.mark.parametrize("text", ["", "a b", "x" * 65, "a'b", "../x"])
def test_a_bad_deployment_id_is_refused(bare, text):
    with open(os.path.join(bare.run_dir, "deployment_id"), "w") as f:
        f.write(text + "\n")
    if text == "a b":  # the first word counts
        assert done(bare.migrate())[0] == 0
    else:
        assert done(bare.migrate())[0] == 1


def test_a_file_changed_after_it_was_applied_is_refused(store):
    store.rows("UPDATE schema_migration SET digest = REPEAT('0', 64)"
               " WHERE id = 1 AND step = 2")
    code, out = done(store.migrate())
    assert code == 1 and "0001_core step 2" in out and "changed" in out


def test_a_database_name_that_is_none_is_refused(bare):
    for name in ("", "a b", "a`b", "x" * 65):
        bare.schema = name
        assert done(bare.migrate())[0] == 1


def logged(server, work):
    """What the binlog got of what work() did."""
    with server.connect() as c, c.cursor() as cursor:
        cursor.execute("SHOW MASTER STATUS")
        now = cursor.fetchone()
        work()
        cursor.execute(f"SHOW BINLOG EVENTS IN '{now['File']}'"
                       f" FROM {now['Position']}")
        return "\n".join(str(r["Info"]) for r in cursor.fetchall())


def test_our_schema_stays_out_of_the_binlog(server, bare):
    """It is what changefeeds read; the server leaves out `metagate`."""
    assert "schema_migration" in logged(server, bare.migrated)
    bare.schema = "metagate"
    assert logged(server, bare.migrated) == ""
    bare.rows("DROP DATABASE metagate", database=False)


# ---- may this worker serve? ----

def test_a_worker_serves_the_schema_of_its_version(store):
    assert store.shell().do("check " + deployment_id(store)).err == "ok"


def test_a_worker_refuses_what_it_cannot_serve(store):
    shell, ours = store.shell(), deployment_id(store)
    a = shell.do("check elsewhere")
    assert a.err == "state" and ours in a.value
    store.rows("UPDATE schema_migration SET finished_ms = NULL"
               " WHERE id = 1 AND step = 4")
    a = shell.do("check " + ours)
    assert a.err == "busy" and "0001_core is not done" in a.value


@pytest.mark.parametrize("min_reader, err", [(1, "ok"), (9999, "state")])
def test_an_older_worker_serves_a_newer_schema_unless_told_not_to(
        store, min_reader, err):
    # begun is enough: it may have changed what it changes
    store.rows("INSERT INTO schema_migration (id, step, name, min_reader,"
               " digest, epoch, server, session_id, started_ms)"
               " VALUES (9999, 1, 'new', %s, '', 1, '', 1, 1)", min_reader)
    a = store.shell().do("check " + deployment_id(store))
    assert a.err == err and ("9999" in a.value) == (err == "state")


def test_a_worker_tells_an_empty_schema_from_a_store_that_is_away(bare):
    create(bare)
    shell = bare.shell()
    a = shell.do("check x")
    assert a.err == "busy" and "metagate migrate" in a.value
    bare.proxy.refuse()
    assert shell.do("check x").err == "store"


def test_every_unique_key_of_the_schema_has_a_name_of_its_own(store):
    """A duplicate key is told by the index's name alone."""
    keys = store.rows(
        "SELECT DISTINCT TABLE_NAME, INDEX_NAME FROM"
        " information_schema.STATISTICS WHERE TABLE_SCHEMA = %s"
        " AND NON_UNIQUE = 0 AND INDEX_NAME <> 'PRIMARY'", store.schema)
    names = [k["INDEX_NAME"] for k in keys]
    assert len(names) == len(set(names)), keys
    assert all(k["INDEX_NAME"].startswith(k["TABLE_NAME"].split("_")[0])
               for k in keys), keys


def test_every_table_is_innodb_and_utf8mb4(store):
    odd = store.rows(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE"
        " TABLE_SCHEMA = %s AND TABLE_NAME <> 't' AND (ENGINE <> 'InnoDB'"
        " OR TABLE_COLLATION NOT LIKE 'utf8mb4%%')", store.schema)
    assert not odd



# ---- an account that has no more than it is said to need ----

@pytest.fixture
def limited(bare, tmp_path):
    """A store as `init --print-grants` makes it, and commands of its user."""
    password = tmp_path / "password"
    password.write_text("well-kept\n")
    password.chmod(0o600)
    env = {**os.environ, "METAGATE_MYSQL_HOSTS": bare.server.hosts,
           "METAGATE_MYSQL_USER": bare.schema,
           "METAGATE_MYSQL_DATABASE": bare.schema,
           "METAGATE_MYSQL_PASSWORD_FILE": str(password)}
    bare.metagate = lambda *args: subprocess.run(
        [os.path.join(ROOT, "build/asan/metagate"), "--run-dir", bare.run_dir,
         *args], env=env, text=True, stdin=subprocess.DEVNULL, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    bare.grants = bare.metagate("init", "--print-grants").stdout
    for statement in re.sub("--.*", "", bare.grants).split(";"):
        if statement.strip():
            bare.rows(statement.replace("'...'", "'well-kept'")
                      .replace("%", "%%"), database=False)
    yield bare
    bare.rows(f"DROP USER '{bare.schema}'@'%%'", database=False)


def test_the_printed_grants_are_enough_for_the_schema(limited):
    assert "ALL" not in limited.grants
    for _ in range(2):
        done = limited.metagate("migrate")
        assert done.returncode == 0, done.stdout
    assert len(applied(limited)) == len(STEPS)
    checked = limited.metagate("check").stdout
    assert "the metadata store" not in checked, checked
