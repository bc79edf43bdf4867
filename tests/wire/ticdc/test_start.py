"""Where a changefeed with a start_ts begins to read: a source of its own, whose
log tells of hours."""

import os
import re
import time

import pytest

from support import nets
from support.mariadb import MariaDB
from support.secrets import secret_file
from support.store import rows, value
from support.ticdc import Ticdc, refused
from support.waiting import until

pytestmark = pytest.mark.config

PORT, PASSWORD = 13396, "pa ss"
HOUR = 3600


@pytest.fixture(scope="module")
def source():
    """Its log has a file for each of the last nine hours: hours ago: position
    at the beginning of that hour's rows."""
    net, fd = nets.claim()
    with MariaDB(net=net, port=PORT) as server:
        with server.connect() as c:
            begins, now = {}, int(time.time())
            rows(c, "RESET MASTER")
            for ago in range(9, 0, -1):
                begins[ago] = value(c, "SELECT @@GLOBAL.gtid_binlog_pos")
                rows(c, f"SET timestamp = {now - ago * HOUR}")
                if ago == 9:
                    rows(c, "CREATE USER repl@%s IDENTIFIED BY %s", "%",
                         PASSWORD)
                    rows(c, "GRANT ALL ON *.* TO repl@%s", "%")
                    rows(c, "CREATE DATABASE old")
                    rows(c, "CREATE TABLE old.t (id INT PRIMARY KEY)")
                rows(c, "INSERT INTO old.t VALUES (%s)", ago)
                rows(c, "FLUSH BINARY LOGS")
        server.begins, server.now = begins, now
        yield server
    os.close(fd)


@pytest.fixture(scope="module")
def environment(source):
    with secret_file(PASSWORD) as password:
        yield {"METAGATE_TICDC_UPSTREAM": source.tcp,
               "METAGATE_TICDC_UPSTREAM_PASSWORD_FILE": password}


def begun_at(deployment, name):
    with deployment.sql() as sql:
        return value(sql, "SELECT gtid FROM ticdc_changefeed WHERE id = %s",
                     name)


def rows_discarded(deployment, feed):
    """As the captures' logs tell it of each stream that has ended."""
    return sum(int(n) for capture in ("c1", "c2") for n in re.findall(
        rf"ticdc\.stream feed={feed} .* rows=(\d+)",
        "\n".join(deployment.log_lines(f"capture-{capture}.log"))))


def tso(source, hours_ago):
    return int((source.now - hours_ago * HOUR) * 1000) << 18


def test_reading_begins_an_hour_before_and_no_earlier(ticdc, deployment,
                                                      source):
    for ago in (7.5, 4.2, 1.5):
        name = ticdc.create(f"from-{ago}".replace(".", "-"),
                            filter_rules=["old.*"],
                            start_ts=tso(source, ago))
        # the newest file that begins an hour before, or more
        oldest = min(a for a in source.begins if a >= ago + 1)
        assert begun_at(deployment, name) == source.begins[oldest]


def test_what_begins_there_misses_nothing(ticdc, source):
    """Rows of five hours lie between start_ts and target_ts, of three behind
    where it is set back to."""
    name = ticdc.create("rows", filter_rules=["old.*"],
                        start_ts=tso(source, 5.5), target_ts=tso(source, 0.5))
    ticdc.until(name, state="finished")
    with ticdc.deployment.sql() as sql:
        feed = value(sql, "SELECT feed FROM ticdc_changefeed WHERE id = %s",
                     name)
    until(lambda: rows_discarded(ticdc.deployment, feed) == 5)
    v2 = Ticdc(ticdc.deployment, prefix="/api/v2")
    r = v2.post("changefeeds/rows/resume",
                {"overwrite_checkpoint_ts": tso(source, 3.5)})
    assert r.status == 200, r
    until(lambda: rows_discarded(ticdc.deployment, feed) == 5 + 3)
    ticdc.until(name, state="finished")
    assert rows_discarded(ticdc.deployment, feed) == 8


def test_what_is_gone_is_refused(ticdc, source):
    refused(ticdc.post("changefeeds", {
        "changefeed_id": "gone", "sink_uri": "blackhole://",
        "start_ts": tso(source, 9.5)}), 400, "CDC:ErrStartTsBeforeGC")


def test_a_capture_logs_as_its_address_was_told(ticdc, deployment):
    """It, and no other; for longer than settings are looked at (1 s)."""
    other = Ticdc(deployment, "ticdc/c2")

    def beats(name):
        return sum("ticdc.capture.beat" in line for line in
                   deployment.log_lines(f"capture-{name}.log"))

    def told(name, level):
        return any(f"ticdc.capture.log_level level={level}" in line
                   for line in deployment.log_lines(f"capture-{name}.log"))
    assert beats("c1") == beats("c2") == 0
    assert ticdc.post("log", {"log_level": "Debug"}).status == 200
    until(lambda: beats("c1") >= 5)
    assert beats("c2") == 0
    assert other.post("log", {"log_level": "debug"}).status == 200
    assert ticdc.post("log", {"log_level": "fatal"}).status == 200
    until(lambda: told("c1", "error"))
    quiet = beats("c1")
    until(lambda: beats("c2") >= 5)
    assert beats("c1") == quiet
    assert other.post("log", {"log_level": ""}).status == 200
    until(lambda: told("c2", "info"))
