"""Servers that cannot be read, and positions that they do not have: each is a
fault with a name, at the first look and while it runs; nothing is sent again
and nothing is passed over."""

import pytest

from support.waiting import until

SETTINGS = [("binlog_format", "MIXED"), ("binlog_format", "STATEMENT"),
            ("binlog_row_image", "MINIMAL"), ("binlog_row_image", "NOBLOB"),
            ("binlog_row_metadata", "MINIMAL"),
            ("binlog_row_metadata", "NO_LOG")]


def test_a_server_says_what_it_is(upstream):
    u = upstream.look()
    assert "MariaDB" in u["version"]
    assert u["now"] == upstream.now()
    assert u["server_id"] == 1


@pytest.mark.parametrize("name,value", SETTINGS)
def test_a_setting_that_hides_rows_is_named(upstream, name, value):
    good = upstream.value(f"SELECT @@GLOBAL.{name} AS v")
    upstream.sql(f"SET GLOBAL {name} = {value}")
    try:
        refused = upstream.look()
        assert (refused["result"], refused["fault"]) == ("state", "SETTING")
        assert f"{name} is '{value}'" in refused["why"]
    finally:
        upstream.sql(f"SET GLOBAL {name} = {good}")
    assert upstream.look()["what"] == "upstream"


def test_a_setting_is_looked_at_again(upstream):
    source = upstream.streaming()
    upstream.sql("SET GLOBAL binlog_row_image = MINIMAL")
    try:
        upstream.proxy.cut()
        end = source.end()
        assert (end["result"], end["fault"]) == ("state", "SETTING")
    finally:
        upstream.sql("SET GLOBAL binlog_row_image = FULL")


@pytest.mark.parametrize("session,fault,named", [
    ("binlog_row_image = MINIMAL", "IMAGE", "binlog_row_image"),
    ("binlog_format = STATEMENT", "STATEMENT", "binlog_format"),
])
def test_a_session_of_its_own_mind_is_found(upstream, session, fault, named):
    source = upstream.streaming()
    upstream.insert(1)
    upstream.sql(f"SET SESSION {session}", "UPDATE t SET v = 'y'")
    end = source.end()
    assert (end["result"], end["fault"]) == ("state", fault)
    assert named in end["why"]


def test_metadata_left_out_is_found(upstream):
    source = upstream.streaming()
    upstream.insert(1)
    upstream.sql("SET GLOBAL binlog_row_metadata = MINIMAL")
    try:
        upstream.sql("FLUSH TABLES", "INSERT INTO t VALUES (2, 'x')")
        end = source.end()
        assert (end["result"], end["fault"]) == ("state", "METADATA")
        assert f"{upstream.schema}.t" in end["why"]
    finally:
        upstream.sql("SET GLOBAL binlog_row_metadata = FULL", "FLUSH TABLES")


# ---- accounts ----

ACCOUNT = "reader"


@pytest.fixture
def account(upstream):
    upstream.sql(f"CREATE USER {ACCOUNT} IDENTIFIED BY 'right'")
    yield ACCOUNT
    upstream.sql(f"DROP USER {ACCOUNT}")


@pytest.mark.parametrize("grants,fault", [
    ((), "PRIVILEGE"),
    (("REPLICATION SLAVE",), "PRIVILEGE"),
    (("BINLOG MONITOR",), "PRIVILEGE"),
    (("REPLICATION SLAVE", "BINLOG MONITOR"), None),
])
def test_privileges_are_tried(upstream, account, grants, fault):
    for g in grants:
        upstream.sql(f"GRANT {g} ON *.* TO {account}")
    said = upstream.look(user=account, password="right")
    assert said.get("fault") == fault, said
    if fault:
        assert said["err"] == "denied"


def test_a_wrong_password_is_no_reason_to_try_on(upstream, account):
    said = upstream.look(user=account, password="wrong")
    assert (said["fault"], said["err"]) == ("DENIED", "denied")
    assert "wrong" not in str(said)


def test_the_servers_own_number_is_refused(upstream):
    assert upstream.look(server_id=1)["fault"] == "OWN_ID"


# ---- positions ----

def behind(upstream, seq=0, domain=0):
    """The present position, so far along in that domain."""
    gtids = {g.split("-")[0]: g for g in upstream.now().split(",")}
    d, s, n = gtids["0"].split("-")
    gtids[str(domain)] = f"{domain}-{s}-{int(n) + seq}"
    return ",".join(gtids.values())


def refused_alike(upstream, position):
    """Its fault, by a look and by a run."""
    looked = upstream.look(position)
    ran = upstream.source(position).end()
    assert looked["fault"] == ran["fault"], (looked, ran)
    assert looked["result"] == ran["result"] == "state"
    return looked["fault"]


def test_a_position_of_tomorrow_is_refused(upstream):
    assert refused_alike(upstream, behind(upstream, 1)) == "FUTURE"
    assert refused_alike(upstream, behind(upstream, 10**6)) == "FUTURE"
    assert upstream.look(behind(upstream, 0))["what"] == "upstream"


def test_a_domain_that_the_server_does_not_know_is_refused(upstream):
    """It would send all that it has, without a word."""
    assert refused_alike(upstream, behind(upstream, 0, domain=99)) == "DOMAIN"


def purged(upstream):
    """Whether one file is left; the server keeps some as long as it needs
    them."""
    last = upstream.sql("SHOW BINARY LOGS")[-1]["Log_name"]
    upstream.sql(f"PURGE BINARY LOGS TO '{last}'")
    return len(upstream.sql("SHOW BINARY LOGS")) == 1


def test_what_was_purged_is_refused(upstream):
    upstream.insert(1)
    old = upstream.now()
    upstream.insert(2)
    assert upstream.look(old)["what"] == "upstream"
    upstream.sql("FLUSH BINARY LOGS")
    until(lambda: purged(upstream))
    assert refused_alike(upstream, old) == "PURGED"
    assert refused_alike(upstream, "") == "PURGED"
    assert upstream.look(upstream.now())["what"] == "upstream"


def test_a_new_domain_is_read_from_its_beginning(upstream):
    before = upstream.now()
    upstream.sql("SET SESSION gtid_domain_id = 5",
                 "INSERT INTO t VALUES (1, 'x')")
    upstream.insert(2)
    source = upstream.streaming(before)
    upstream.sql("SET SESSION gtid_domain_id = 5",
                 "INSERT INTO t VALUES (3, 'x')")
    source.wait("row", 3)
    now = upstream.now()
    assert sorted(upstream.ids(source)) == [1, 2, 3]
    source.stop()
    assert sorted(source.position().split(",")) == sorted(now.split(","))


@pytest.mark.fault
def test_a_server_that_was_reset_is_not_read_again(upstream):
    source = upstream.streaming()
    upstream.insert(1)
    source.wait_for(upstream.now())
    upstream.proxy.refuse()
    upstream.sql("RESET MASTER")
    upstream.insert(2)
    upstream.proxy.resume()
    end = source.end()
    assert end["fault"] in ("FUTURE", "DOMAIN")
    assert upstream.ids(source) == [1]
    assert upstream.look("")["what"] == "upstream"  # nothing was purged
    whole = upstream.streaming("")
    whole.wait_for(upstream.now())
    assert upstream.ids(whole) == [2]
    whole.stop()


# ---- what takers may not take ----

def test_xa_is_for_who_takes_it(upstream):
    before = upstream.now()
    upstream.sql("XA START 'a'", "INSERT INTO t VALUES (1, 'x')", "XA END 'a'",
                 "XA PREPARE 'a'", "XA COMMIT 'a'")
    upstream.sql("XA START 'b'", "INSERT INTO t VALUES (2, 'x')", "XA END 'b'",
                 "XA PREPARE 'b'", "XA ROLLBACK 'b'")
    upstream.sql("XA START 'c'", "INSERT INTO t VALUES (3, 'x')", "XA END 'c'",
                 "XA COMMIT 'c' ONE PHASE")
    assert upstream.source(before).end()["fault"] == "XA"
    source = upstream.streaming(before, "xa")
    source.wait_for(upstream.now())
    assert [s["prepared"] for s in source.what("commit")] == \
        [True, False, True, False, False]
    assert source.what("xa_commit")[0]["xid"] == b"a".hex()
    assert source.what("xa_rollback")[0]["xid"] == b"b".hex()
    assert source.stop()["result"] == "ok"


def test_savepoints_are_for_who_takes_them(upstream):
    upstream.sql("CREATE TABLE m (id INT) ENGINE=MyISAM")
    before = upstream.now()
    upstream.sql("BEGIN", "INSERT INTO t VALUES (1, 'x')", "SAVEPOINT a",
                 "INSERT INTO m VALUES (1)", "INSERT INTO t VALUES (2, 'x')",
                 "ROLLBACK TO a", "COMMIT")
    assert upstream.source(before).end()["fault"] == "SAVEPOINT"
    source = upstream.streaming(before, "savepoints")
    source.wait_for(upstream.now())
    said = [s["what"] for s in source.said if s["what"] in
            ("row", "savepoint", "rollback_to", "commit")]
    assert said == ["row", "commit", "row", "savepoint", "row", "rollback_to",
                    "commit"]
    source.stop()


def test_what_was_rolled_back_is_no_row(upstream):
    source = upstream.streaming()
    upstream.sql("BEGIN", "INSERT INTO t VALUES (1, 'x')",
                 "CREATE TEMPORARY TABLE tt (a INT)", "ROLLBACK")
    upstream.insert(2)
    source.wait_for(upstream.now())
    assert upstream.ids(source) == [2]
    source.stop()


def test_definitions_are_told_with_what_they_depend_on(upstream):
    source = upstream.streaming()
    upstream.sql("SET NAMES latin1", "SET time_zone = '+03:00'",
                 "SET foreign_key_checks = 0",
                 "CREATE TABLE d (a INT)",
                 "SET SESSION binlog_alter_two_phase = 1",
                 "ALTER TABLE d ADD b INT",
                 "CREATE TABLE c AS SELECT 7 AS a", "DROP TABLE d")
    source.wait_for(upstream.now())
    told = [s for s in source.what("statement")
            if s["schema"] == upstream.schema]
    assert [s["sql"].split("\n")[0][:12] for s in told] == \
        ["CREATE TABLE", "ALTER TABLE ", "CREATE TABLE", "DROP TABLE `"]
    assert told[0]["no_foreign_keys"] and told[0]["client"] == 8
    assert "SELECT" not in told[2]["sql"]
    assert [r["after"]["a"] for r in source.taken()] == ["7"]
    source.stop()
